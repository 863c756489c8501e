"""continue_homoclinic: curves of homoclinic and heteroclinic orbits in two parameters."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.connections.branch import HomoclinicBranch
from dynlab.continuation.connections.find import (
    excursion_guesses,
    homoclinic_guess,
    require_smooth,
    settled,
)
from dynlab.continuation.connections.orbit import ConnectingOrbit
from dynlab.continuation.connections.walk import (
    DEFAULT,
    ConnectionNode,
    ConnectionWalk,
    node_of,
    ready,
    walk,
)
from dynlab.continuation.curves.connection import Connection, ConnectionProblem, Heading
from dynlab.continuation.followed import End
from dynlab.continuation.methods import ContinuationMethod
from dynlab.continuation.plane.bogdanov_takens import (
    bogdanov_takens_at,
    double_zero_near,
    guess_from,
)
from dynlab.continuation.plane.codimension_two import BogdanovTakens
from dynlab.continuation.trace import checked_range
from dynlab.cycles.collocation import Collocation
from dynlab.cycles.cycle import Cycle
from dynlab.errors import NotConverged, SettingError, UnknownNameError
from dynlab.point import Point
from dynlab.result import Provenance
from dynlab.status import Status
from dynlab.symbolic.system import System

__all__ = ["continue_homoclinic"]

Vector = NDArray[np.float64]

#: An eigenvalue is zero, at a point given as one of Bogdanov and Takens, below the root of this part of the
#: largest entry of the Jacobian: a double zero splits by the root of an error.
_DOUBLE = 1e-5
#: A curve that shrinks to a point within this part of the ranges from a Bogdanov-Takens point ends there.
_AT_POINT = 1e-2
#: The first orbit from a Bogdanov-Takens point moves the parameters by this part of the ranges, and is this
#: much slower than what else happens there.
_FIRST, _SLOW = 0.002, 0.2
#: An amplitude, in units of the state, at which the direction of the parameters is looked up.
_TINY = 1e-9
_SMALLER = 12
#: Closing is looked for after so many points.
_SOONEST = 6
#: A start on a bound is on it to this part of the range.
_ROUND_OFF = 1e-10


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a curve begins, which way it goes, and why it begins there."""

    problem: ConnectionProblem
    connection: Connection
    heading: Heading
    behind: End | None


def continue_homoclinic(
    point: Point,
    *,
    vary: tuple[str, str],
    over: Mapping[str, tuple[float, float]],
    method: ContinuationMethod | None = None,
    collocation: Collocation | None = None,
) -> HomoclinicBranch:
    """Follow a homoclinic or heteroclinic orbit in two parameters.

    Parameters
    ----------
    point
        A cycle of long period, a connecting orbit (`find_homoclinic`, `find_heteroclinic`), or a
        Bogdanov-Takens point, from which the curve of small homoclinic orbits is followed.
    vary
        The two parameters.  From a cycle the first one is sought, the second held.
    over
        The range of each.
    method
        How to step along the curve.
    collocation
        The first mesh, and how fine it may become.

    Returns
    -------
    HomoclinicBranch
        The curve with the equilibria, their eigenvalues, and its ends.  It ends where a parameter meets its
        bound, where an eigenvalue of the equilibrium reaches the imaginary axis (as at a non-central
        saddle-node), where the orbit shrinks onto a Bogdanov-Takens point, or where it closes.  A curve of
        saddle-node homoclinic orbits (SNIC) ends where the orbit is no longer central.

    Raises
    ------
    SettingError, UnknownNameError, UnsupportedSystemError
        If the input makes no sense.
    NotConverged
        If no curve is found at the point.

    Examples
    --------
    >>> import dynlab as dl
    >>> cell = dl.zoo.morris_lecar(gCa=4, V3=12, V4=17.4, phi=0.23)
    >>> rest = dl.find_equilibria(cell(I=80)).single()
    >>> onset = dl.continue_equilibrium(rest, vary="I", over=(20, 80)).points(dl.Hopf).single()
    >>> cycles = dl.continue_cycles(onset, over=(20, 80), longest=150)
    >>> curve = dl.continue_homoclinic(
    ...     cycles.cycle(-1), vary=("I", "phi"), over={"I": (20, 60), "phi": (0.2, 0.3)})
    >>> {end.status.name for end in curve.ends}
    {'PARAMETER_BOUND'}

    References
    ----------
    Beyn 1990, IMA J. Numer. Anal. 10, 379; Champneys, Kuznetsov and Sandstede 1996, Int. J. Bifurcation
    Chaos 6, 867.
    """
    began = time.perf_counter()
    names = _names(point, vary)
    bounds = _bounds(point.system, names, over)
    collocation = collocation or Collocation()
    start = _start(point, names, bounds, collocation)
    for name, value, (low, high) in zip(names, start.connection.values, bounds, strict=True):
        slack = _ROUND_OFF * (high - low)
        if not low - slack <= value <= high + slack:
            raise SettingError(
                f"the curve starts at {name} = {value:.6g}, which is outside over = ({low:g}, {high:g}). "
                "Widen over=."
            )
    given = ConnectionWalk(
        start.problem, start.connection, start.heading, bounds, method or DEFAULT,
        collocation.most_intervals,
    )  # fmt: skip
    ahead, end = _followed(given)
    behind: list[ConnectionNode] = []
    back = start.behind
    if end.status is Status.CLOSED_LOOP:
        back = end
    elif back is None and end.status is Status.STOPPED:
        back = End(
            Status.STOPPED, float(start.connection.values[0]), "not followed in this direction"
        )
    elif back is None:
        behind, back = _followed(replace(given, heading=start.heading.turned(-1.0)))
    nodes = [*reversed(behind), node_of(start.problem, start.connection), *ahead]
    provenance = Provenance(
        "continue_homoclinic", point.system,
        {"vary": names, "over": {n: tuple(map(float, b)) for n, b in zip(names, bounds, strict=True)},
         "method": given.method, "collocation": collocation},
        seconds=time.perf_counter() - began,
    )  # fmt: skip
    return HomoclinicBranch.through(point.system, names, nodes, (back, end), provenance)


def _names(point: Any, vary: Any) -> tuple[str, str]:
    """Return the two parameters."""
    if not isinstance(point, Point):
        raise SettingError(
            "a homoclinic curve starts from a cycle of long period, a connecting orbit or a Bogdanov-Takens "
            f"point; got {type(point).__name__}. See dl.find_homoclinic."
        )
    if isinstance(vary, str) or not isinstance(vary, Sequence) or len(vary) != 2:
        raise SettingError(
            f"a homoclinic curve needs two parameters, got vary = {vary!r}. Give two names, such as "
            f"vary={point.system.parameter_names[:2]}."
        )
    require_smooth(point.system)
    for name in vary:
        if name not in point.system.parameter_names:
            known = point.system.parameter_names
            raise UnknownNameError(f"parameter of {point.system.name!r}", str(name), known)
    if vary[0] == vary[1]:
        raise SettingError(
            f"the two parameters are the same, {vary[0]!r}. Give two different ones, of "
            f"{', '.join(point.system.parameter_names)}."
        )
    return str(vary[0]), str(vary[1])


def _bounds(system: System, names: tuple[str, str], over: Any) -> Vector:
    """Return the two ranges."""
    if not isinstance(over, Mapping):
        raise SettingError(
            f"over is {over!r}; give a range for each parameter: over={{{names[0]!r}: (low, high), "
            f"{names[1]!r}: (low, high)}}."
        )
    for name in over:
        if name not in names:
            raise UnknownNameError(f"varied parameter of {system.name!r} in over=", name, names)
    for name in names:
        if name not in over:
            raise SettingError(f"over= has no range for {name!r}. Add {name!r}: (low, high).")
    return np.array([checked_range(name, over[name]) for name in names])


@singledispatch
def _start(point: Point, vary: tuple[str, str], bounds: Vector, collocation: Collocation) -> _Start:
    """Return where the curve begins: here from an equilibrium with a double zero eigenvalue."""
    system = point.system
    values = np.array([float(system[name]) for name in vary])
    size = float(np.max(np.abs(point.eigenvalues)))
    near = np.sort(np.abs(point.eigenvalues))
    found = double_zero_near(system, vary, np.array(point.state), values)
    spans = bounds[:, 1] - bounds[:, 0]
    if (
        len(near) < 2
        or (size > 0 and near[1] > np.sqrt(_DOUBLE) * max(size, 1.0))
        or found is None
        or np.any(np.abs(found[1] - values) > _AT_POINT * spans)
    ):
        raise SettingError(
            f"the equilibrium of {system.name!r} at {vary[0]} = {values[0]:.6g}, {vary[1]} = {values[1]:.6g} "
            "is no Bogdanov-Takens point (a double zero eigenvalue), so no homoclinic orbit is born there. "
            "Start from a cycle of long period."
        )
    begin = bogdanov_takens_at(system, vary, *found)
    if begin is None:
        raise NotConverged(
            f"the normal form of the Bogdanov-Takens point of {system.name!r} at {vary[0]} = "
            f"{values[0]:.6g} is degenerate in these two parameters. Take another pair.",
            status=Status.SINGULAR,
        )
    return _from_point(begin, vary, spans, collocation)


def _from_point(
    begin: BogdanovTakens, vary: tuple[str, str], spans: Vector, collocation: Collocation
) -> _Start:
    """Return the first small homoclinic orbit that Newton's method confirms."""
    system, n = begin.system, len(begin.state)
    others = begin.eigenvalues[np.argsort(np.abs(begin.eigenvalues))[2:]]
    stable = int(np.sum(others.real < 0))
    origin = np.array([float(system[name]) for name in vary])
    a = abs(begin.coefficients[0])
    # The parameters move with the amplitude; amplitude = 6 e^2 / |a|, and e is the rate of the orbit.
    tiny = _TINY * max(float(np.max(np.abs(begin.state))), 1.0)
    along = (guess_from(begin.homoclinic_predictor(tiny), vary).values - origin) / spans
    amplitude = _FIRST * tiny / float(np.linalg.norm(along))
    amplitude = min([amplitude, *(6.0 / a * (_SLOW * np.abs(others)) ** 2)])
    for _ in range(_SMALLER):
        guess = guess_from(begin.homoclinic_predictor(amplitude), vary)
        problem = ConnectionProblem(
            system, vary, spans, stable + 1, n - stable - 1, np.zeros(n), at_fold=False
        )
        row = Heading(
            np.zeros_like(guess.orbit.profile), along / np.linalg.norm(along), np.zeros(n),
            np.zeros(0),
        )  # fmt: skip
        solved = problem.solve(guess, problem.units(guess.orbit), row=row)
        found = solved and ready(
            problem, solved.connection, 2 * collocation.intervals, collocation.most_intervals
        )
        if found:
            connection, heading = found
            outward = float(heading.values @ ((connection.values - origin) / spans))
            where = ", ".join(f"{m} = {v:.9g}" for m, v in zip(vary, origin, strict=True))
            behind = End(
                Status.AT_BOGDANOV_TAKENS, float(origin[0]),
                f"the orbit is born at the Bogdanov-Takens point at {where}",
            )  # fmt: skip
            return _Start(problem, connection, heading.turned(1.0 if outward > 0 else -1.0), behind)
        amplitude *= 0.25
    raise NotConverged(
        f"no homoclinic orbit of {system.name!r} was found near the Bogdanov-Takens point at "
        f"{vary[0]} = {origin[0]:.6g}. Start from a cycle of long period.",
        status=Status.NOT_CONVERGED,
    )


@_start.register
def _(point: Cycle, vary: tuple[str, str], bounds: Vector, collocation: Collocation) -> _Start:
    guesses = [g for g in excursion_guesses(point, vary[:1]) if g[0].excess == 0]
    if not guesses:
        guesses = [homoclinic_guess(point, vary[:1], collocation)]  # which says what is wrong
    for problem, guess in guesses:
        found = settled(problem, guess, collocation)
        if found is None:
            continue
        values = np.array([found.values[0], float(point.system[vary[1]])])
        start = _both(problem, vary, bounds, found._replace(values=values), collocation)
        if start is not None:
            return start
    raise NotConverged(
        f"no connecting orbit of {point.system.name!r} was found near the cycle of period "
        f"{point.period:.6g}. Give a cycle of longer period.",
        status=Status.NOT_CONVERGED,
    )


@_start.register
def _(
    point: ConnectingOrbit, vary: tuple[str, str], bounds: Vector, collocation: Collocation
) -> _Start:
    at_fold = "saddle-node" in point.kind
    if at_fold and not point.is_central:
        raise SettingError(
            f"the {point.kind} of {point.system.name!r} exists at one point of the two parameters. Start from "
            "one to a saddle, or from a central one."
        )
    n = len(point.source)
    first, last = point.eigenvalues, point.eigenvalues_at_target
    if at_fold:
        first = last = np.delete(first, np.argmin(np.abs(first)))
    problem = ConnectionProblem(
        point.system, vary, bounds[:, 1] - bounds[:, 0], int(np.sum(first.real < 0)),
        int(np.sum(last.real > 0)), point.target - point.source if point.is_homoclinic else None,
        at_fold,
    )  # fmt: skip
    if problem.excess != 0:
        raise SettingError(
            f"the {point.kind} of {point.system.name!r} leaves {problem.stable + problem.unstable + at_fold} "
            f"conditions for {n} states: it is none that exists along a curve in two parameters."
        )
    values = np.array([float(point.system[name]) for name in vary])
    given = Connection(point.orbit, values, point.source, point.target)
    start = _both(problem, vary, bounds, given, collocation)
    if start is None:
        raise NotConverged(
            f"no curve of connecting orbits of {point.system.name!r} passes regularly through the start.",
            status=Status.SINGULAR,
        )
    return start


def _both(
    problem: ConnectionProblem, vary: tuple[str, str], bounds: Vector, found: Connection,
    collocation: Collocation,
) -> _Start | None:  # fmt: skip
    """Return the start of a curve in two parameters from an orbit found in one."""
    problem = replace(problem, vary=vary, spans=bounds[:, 1] - bounds[:, 0])
    made = ready(problem, found, 2 * collocation.intervals, collocation.most_intervals)
    return None if made is None else _Start(problem, *made, None)


def _followed(given: ConnectionWalk) -> tuple[list[ConnectionNode], End]:
    """Walk one way; return the points and why they end."""
    nodes: list[ConnectionNode] = []
    problem, start = given.problem, given.start
    low, high = given.over.T
    going = given.heading.values
    slack = _ROUND_OFF * (high - low)
    above, below = start.values >= high - slack, start.values <= low + slack
    if np.any(above & (going > 1e-12) | below & (going < -1e-12)):
        return nodes, End(
            Status.PARAMETER_BOUND, float(start.values[0]), Status.PARAMETER_BOUND.meaning
        )
    status = Status.RUNNING
    for node, reached in walk(given):
        status = reached
        if status is Status.NOT_CONVERGED:
            break
        nodes.append(node)
        if len(nodes) > _SOONEST and _closes(given, nodes):
            nodes[-1] = node_of(problem, start)
            return nodes, End(
                Status.CLOSED_LOOP, float(start.values[0]), Status.CLOSED_LOOP.meaning
            )
    last = nodes[-1] if nodes else node_of(problem, start)
    return _told(given, nodes, last, status)


def _closes(given: ConnectionWalk, nodes: list[ConnectionNode]) -> bool:
    """Whether the last step passed the start."""
    before, after, start = nodes[-2].connection, nodes[-1].connection, given.start
    spans = given.problem.spans
    step, gap = (after.values - before.values) / spans, (start.values - before.values) / spans
    size = float(step @ step)
    if size == 0.0 or given.heading.values @ step <= 0:
        return False
    share = float(step @ gap) / size
    off = float(np.linalg.norm(gap - share * step))
    reach = [np.ptp(c.orbit.profile, axis=0) for c in (after, start)]
    alike = np.all(np.abs(reach[0] - reach[1]) <= 0.1 * reach[1])
    return bool(0.0 <= share <= 1.0 and off < 0.1 * np.sqrt(size) and alike)


def _told(
    given: ConnectionWalk, nodes: list[ConnectionNode], last: ConnectionNode, status: Status
) -> tuple[list[ConnectionNode], End]:
    """Return the points and the end of the curve with its reason in words."""
    problem, values = given.problem, last.connection.values
    where = ", ".join(f"{n} = {v:.9g}" for n, v in zip(problem.vary, values, strict=True))
    if status is Status.AT_BOGDANOV_TAKENS:
        found = double_zero_near(problem.system, problem.vary, last.connection.source, values)
        if found is None or np.any(np.abs(found[1] - values) > _AT_POINT * problem.spans):
            reason = (
                f"the orbit shrinks to a point at {where}; no Bogdanov-Takens point was confirmed"
            )
            return nodes, End(Status.NOT_CONVERGED, float(values[0]), reason)
        at = ", ".join(f"{n} = {v:.9g}" for n, v in zip(problem.vary, found[1], strict=True))
        return nodes, End(
            status, float(found[1][0]),
            f"the orbit shrinks onto the Bogdanov-Takens point at {at}",
        )  # fmt: skip
    if status is Status.NOT_HYPERBOLIC:
        return nodes, End(status, float(values[0]), f"{_lost(problem, last)} at {where}")
    return nodes, End(status, float(values[0]), status.meaning)


def _lost(problem: ConnectionProblem, node: ConnectionNode) -> str:
    """Return what happens to the equilibrium where a curve ends."""
    if problem.at_fold:
        return "the orbit to the saddle-node is no longer central"
    both = np.concatenate([node.eigenvalues, node.eigenvalues_at_target])
    nearest = both[np.argmin(np.abs(both.real))]
    if abs(nearest.imag) > 0:
        return "the equilibrium has a Hopf point"
    return "the saddle becomes a saddle-node (a non-central saddle-node homoclinic orbit)"
