"""continue_cycles: the branch of limit cycles from a Hopf point, a cycle, a period doubling or a branch point."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.curves.cycle import DEFAULT, CycleNode, CycleWalk, Direction, walk
from dynlab.continuation.cycles.branch import CycleBranch
from dynlab.continuation.cycles.ends import end_at_hopf, end_of_long_period
from dynlab.continuation.cycles.guards import met_event
from dynlab.continuation.cycles.hybrid import followed_both_ways, hybrid_start
from dynlab.continuation.cycles.monitors import cycle_events, meeting, without_echoes
from dynlab.continuation.followed import End
from dynlab.continuation.methods import ContinuationMethod
from dynlab.continuation.points import BranchPoint, Hopf, PeriodDoubling, SpecialPoint
from dynlab.continuation.trace import checked_range
from dynlab.cycles.collocation import Collocation
from dynlab.cycles.cycle import Cycle
from dynlab.cycles.problem import CycleProblem, Orbit
from dynlab.cycles.variation import antiperiodic
from dynlab.errors import (
    NotConverged,
    SettingError,
    SingularProblem,
    UnknownNameError,
)
from dynlab.names import finite
from dynlab.point import Point
from dynlab.result import Provenance
from dynlab.status import Status
from dynlab.symbolic.system import System

__all__ = ["continue_cycles"]

Vector = NDArray[np.float64]

#: The period may grow by this factor unless `longest` says otherwise.
_LONGEST = 100.0
#: A doubled cycle has ended at its period doubling when what differs between its halves turns over.
_HALVES = 256
#: A parameter that has come this near to where it ends, in its range, has settled.
_STILL = 1e-8
#: A branch has run off when a state's range exceeds its first size by this factor.
_HORIZON = 1e6
#: Closing is looked for after so many points.
_SOONEST = 5


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a branch of cycles begins."""

    problem: CycleProblem
    orbit: Orbit
    direction: Direction
    units: Vector
    first: CycleNode
    point: SpecialPoint | None
    behind: End | None


def continue_cycles(
    point: Point,
    *,
    vary: str | None = None,
    over: tuple[float, float],
    longest: float | None = None,
    method: ContinuationMethod | None = None,
    collocation: Collocation | None = None,
) -> CycleBranch:
    """Follow limit cycles as a parameter changes: from a Hopf point, a cycle, or where branches of them part.

    The cycles are solved by orthogonal collocation on a mesh that follows them and grows when it must; those
    on whose way events happen by multiple shooting from event to event, as long as the events stay the same.
    Folds (LPC), branch points, period doublings and torus points are located on the way; each end of the
    branch says why it is one: at a Hopf point, towards a homoclinic orbit, a saddle-node on an invariant
    circle or a heteroclinic cycle, where a bound is met, where the branch closes, or where the sequence of
    events changes: by a guard that is only touched (`Status.GRAZING`) or otherwise (`Status.EVENTS_CHANGE`).

    Parameters
    ----------
    point
        A Hopf point, a cycle (both directions are followed), a period doubling of cycles (then the
        cycle of twice the period is followed), or a branch point of cycles (then the other branch
        through it is, in both directions).
    vary
        The parameter; the one that was varied if `point` comes from a branch.
    over
        Its range.
    longest
        The branch ends where the period reaches this (time units of the system); 100 times the first
        period if left out.
    method
        How to step along the branch.
    collocation
        The first mesh, and how fine it may become; of no use where events happen.

    Returns
    -------
    CycleBranch
        The branch with its special points, multipliers and ends.

    Raises
    ------
    SettingError, UnknownNameError, UnsupportedSystemError
        If the input makes no sense.
    NotConverged, SingularProblem
        If no branch leaves the point.

    Examples
    --------
    >>> import dynlab as dl
    >>> rest = dl.find_equilibria(dl.zoo.fitzhugh_nagumo).single()
    >>> onset, offset = dl.continue_equilibrium(rest, vary="I", over=(0, 2)).points(dl.Hopf)
    >>> cycles = dl.continue_cycles(onset, over=(0, 2))
    >>> [round(fold["I"], 8) for fold in cycles.points(dl.Fold)]
    [0.32417852, 1.42582148]
    >>> print(cycles.ends[1])
    at hopf point at 1.41872: the cycle shrinks onto the Hopf point at I = 1.41871866

    A branch of cycles with events:

    >>> firing = dl.find_cycle(dl.zoo.leaky_integrate_and_fire(I=1.2))
    >>> cycles = dl.continue_cycles(firing, vary="I", over=(0.5, 2))
    >>> print(cycles.ends[0].reason)
    an equilibrium reaches the guard of event 'spike' at I = 1; the period grows without bound

    References
    ----------
    Keller 1977; Doedel, Keller and Kernevez 1991, Int. J. Bifurc. Chaos 1, 745 (collocation).
    Dercole and Kuznetsov 2005, ACM Trans. Math. Softw. 31, 95; Thota and Dankowicz 2008, SIAM J. Appl. Dyn.
    Syst. 7, 1283 (events).
    """
    began = time.perf_counter()
    name = _named(point, vary)
    low, high = checked_range(name, over)
    if _meets_events(point, name, (low, high)):
        return _with_jumps(point, name, (low, high), longest, method, collocation)
    collocation = collocation or Collocation()
    start = _start(point, name, (low, high), collocation)
    bound = _bound(longest, start.orbit.period)
    given = CycleWalk(
        start.problem, start.orbit, start.direction, start.units, (low, high), bound,
        method or DEFAULT, collocation.most_intervals,
    )  # fmt: skip
    ahead, end, last = _followed(given, start)
    if not ahead and end.status is Status.NOT_CONVERGED:
        raise NotConverged(
            f"no cycle of {start.problem.system.name!r} was found on the first step from "
            f"{start.problem.vary} = {start.orbit.value:.6g}. Give a smaller first step, "
            "method=dl.PseudoArclength(first_step=1e-4), or a finer collocation=.",
            status=Status.NOT_CONVERGED,
        )
    behind: list[CycleNode] = []
    first: Hopf | None = None
    back = start.behind
    if end.status is Status.CLOSED_LOOP:
        back = end
    elif back is None and end.status is Status.STOPPED:
        back = End(Status.STOPPED, start.orbit.value, "not followed in this direction")
    elif back is None:
        reverse = Direction(-start.direction.states, -start.direction.ends)
        behind, back, first = _followed(replace(given, direction=reverse), start)
        behind = [replace(n, tangent=-n.tangent, sign=-n.sign) for n in reversed(behind)]
    nodes = [*behind, start.first, *ahead]
    nodes, special = _with_events(start, nodes, len(behind))
    nodes, special = _with_hopfs(nodes, special, first, last)
    provenance = Provenance(
        "continue_cycles", start.problem.system,
        {"vary": start.problem.vary, "over": (low, high), "method": given.method,
         "collocation": collocation}, seconds=time.perf_counter() - began,
    )  # fmt: skip
    assert back is not None
    return CycleBranch.through(start.problem, nodes, special, (back, end), provenance)


def _bound(longest: float | None, period: float) -> float:
    """Return the period at which a branch ends that begins with another."""
    bound = _LONGEST * period if longest is None else finite(longest, "longest")
    if bound <= period:
        raise SettingError(
            f"longest is {bound:g}, but the first cycle has the period {period:.6g}. "
            "Give a larger one, or leave it out."
        )
    return bound


def _meets_events(point: Any, vary: str, over: tuple[float, float]) -> bool:
    """Whether a point is a cycle on whose way events happen."""
    if isinstance(point, Cycle):
        cycle, value = point, float(point.system[vary])
    elif isinstance(point, PeriodDoubling | BranchPoint) and point.orbit is not None:
        cycle, value = point.orbit, point.value
    else:
        return False
    problem = _problem(point.system, vary, over, value)
    return bool(met_event(problem, cycle.orbit._replace(value=value)))


def _with_jumps(
    point: Any, vary: str, over: tuple[float, float], longest: float | None,
    method: ContinuationMethod | None, collocation: Collocation | None,
) -> CycleBranch:  # fmt: skip
    """Return the branch of cycles on whose way events happen, followed by shooting."""
    began = time.perf_counter()
    if collocation is not None:
        raise SettingError(
            f"the cycle of {point.system.name!r} meets events, and is followed by shooting; "
            f"{collocation!r} has no part in that. Leave collocation= out."
        )
    start, method = hybrid_start(point, vary, over[1] - over[0]), method or DEFAULT
    bound = _bound(longest, start.first.orbit.period)
    nodes, special, ends = followed_both_ways(start, over, bound, method)
    provenance = Provenance(
        "continue_cycles", point.system, {"vary": vary, "over": over, "method": method},
        seconds=time.perf_counter() - began,
    )  # fmt: skip
    problem = CycleProblem(point.system, vary, over[1] - over[0])
    return CycleBranch.through(problem, nodes, special, ends, provenance)


def _named(point: Point, vary: str | None) -> str:
    """Return the parameter to vary."""
    name = getattr(point, "vary", None) if vary is None else vary
    if name is None:
        raise SettingError(f"say which parameter to vary: vary=... {_parameters(point)}.")
    if isinstance(point, Hopf | PeriodDoubling | BranchPoint) and name != point.vary:
        raise SettingError(
            f"the {point.word} was found varying {point.vary!r}, not {name!r}. Vary {point.vary!r}, or "
            f"take a cycle of the branch and continue that in {name!r}."
        )
    known = point.system.parameter_names if isinstance(point, Point) else ()
    if isinstance(point, Point) and name not in known:
        raise UnknownNameError(f"parameter of {point.system.name!r}", name, known)
    return str(name)


def _parameters(point: Any) -> str:
    return "of " + ", ".join(point.system.parameter_names) if isinstance(point, Point) else ""


@singledispatch
def _start(point: Any, vary: str, over: tuple[float, float], collocation: Collocation) -> _Start:
    """Return where the branch begins."""
    raise SettingError(
        f"cycles are followed from a Hopf point, a cycle, or a period doubling or branch point of cycles; got "
        f"{type(point).__name__}. Take one of branch.points(dl.Hopf), or dl.find_cycle(...)."
    )


def _problem(system: System, vary: str, over: tuple[float, float], value: float) -> CycleProblem:
    low, high = over
    if not low <= value <= high:
        raise SettingError(
            f"the start has {vary} = {value:.6g}, which is outside over = ({low:g}, {high:g}). "
            "Widen over=."
        )
    return CycleProblem(system, vary, high - low)


@_start.register
def _(point: Hopf, vary: str, over: tuple[float, float], collocation: Collocation) -> _Start:
    problem = _problem(point.system, vary, over, point.value)
    places = np.linspace(0.0, 1.0, collocation.intervals * collocation.degree + 1)
    mesh = np.linspace(0.0, 1.0, collocation.intervals + 1)
    orbit = Orbit(np.tile(point.state, (len(places), 1)), mesh, point.period, point.value)
    units = np.append(_units_at_hopf(point), [point.period, problem.span])
    turn = 2.0 * np.real(np.exp(2j * np.pi * places)[:, None] * point.eigenvector) / units[:-2]
    turn[-1] = turn[0]
    first = _at_hopf(point, orbit)
    reason = f"the cycle is born at the Hopf point at {vary} = {point.value:.9g}"
    behind = End(Status.AT_HOPF_POINT, point.value, reason)
    return _Start(problem, orbit, Direction(turn, np.zeros(2)), units, first, point, behind)


def _units_at_hopf(point: Hopf) -> Vector:
    """Return units that stand to each other as the amplitudes of the oscillation do.

    The whole is set by the first state whose oscillation reaches its own size.
    """
    share = np.abs(point.eigenvector)
    size = np.abs(point.state)
    counts = (size > 1e-9 * np.max(size, initial=0.0)) & (share > 1e-9 * np.max(share))
    reach = float(np.min(size[counts] / share[counts])) if np.any(counts) else 1.0 / np.max(share)
    return np.maximum(2.0 * reach * share, 1e-3 * np.where(size > 0, size, reach))


@_start.register
def _(point: Cycle, vary: str, over: tuple[float, float], collocation: Collocation) -> _Start:
    problem = _problem(point.system, vary, over, float(point.system[vary]))
    orbit = point.orbit._replace(value=float(point.system[vary]))
    # A mesh as fine as the branch needs, not as the cycle was refined to.
    units = problem.units(orbit)
    solved = None
    for intervals in (collocation.intervals, 2 * collocation.intervals, len(orbit.mesh) - 1):
        solved = problem.solve(orbit.spread(intervals, units[:-2]))
        if solved is not None and solved.mesh_error < 0.1:
            break
    if solved is None:
        raise SingularProblem(
            f"no branch of cycles of {problem.system.name!r} passes regularly through the start at "
            f"{vary} = {orbit.value:.6g}. Start from another cycle.",
            status=Status.SINGULAR,
        )
    direction = Direction(solved.direction, solved.direction_q)
    return _Start(
        problem,
        solved.orbit,
        direction,
        problem.units(solved.orbit),
        CycleNode.of(solved),
        None,
        None,
    )


@_start.register
def _(
    point: PeriodDoubling, vary: str, over: tuple[float, float], collocation: Collocation
) -> _Start:
    if point.orbit is None:
        raise SettingError(
            f"the {point.word} at {vary} = {point.value:.6g} is one of a map; follow the doubled cycle "
            "with dl.switch_branch."
        )
    problem = _problem(point.system, vary, over, point.value)
    single = point.orbit.orbit._replace(value=point.value)
    intervals = max(collocation.intervals, (len(single.mesh) - 1) // 2)
    units = problem.units(single)
    solved = problem.solve(single.spread(intervals, units[:-2]))
    if solved is None:
        raise NotConverged(
            f"the cycle at the {point.word} could not be solved again.", status=Status.NOT_CONVERGED
        )
    single = solved.orbit
    turn = antiperiodic(solved)
    mesh = np.append(0.5 * single.mesh[:-1], 0.5 + 0.5 * single.mesh)
    wound = single.profile[-1] - single.profile[0]
    profile = np.vstack([single.profile[:-1], single.profile + wound])
    orbit = Orbit(profile, mesh, 2.0 * single.period, single.value)
    states = np.vstack([turn[:-1], -turn])
    doubled = np.append(units[:-2], [orbit.period, units[-1]])
    first = CycleNode(orbit, 0.0, solved.multipliers**2, 0.0, 2.0 * solved.divergence)
    reason = f"the cycle begins by period doubling at {vary} = {point.value:.9g}"
    return _Start(
        problem, orbit, Direction(states, np.zeros(2)), doubled, first, point,
        End(Status.SHORTER_CYCLE, point.value, reason),
    )  # fmt: skip


@_start.register
def _(point: BranchPoint, vary: str, over: tuple[float, float], collocation: Collocation) -> _Start:
    if point.orbit is None:
        raise SettingError(
            f"the {point.word} at {vary} = {point.value:.6g} is one of equilibria or of a map; follow the "
            "other branch with dl.switch_branch."
        )
    problem = _problem(point.system, vary, over, point.value)
    orbit = point.orbit.orbit._replace(value=point.value)
    units = problem.units(orbit)
    way = point.tangents[1]
    states = np.ascontiguousarray(way[:-2].reshape(orbit.profile.shape))
    # A state that is 0 all along the first branch has no size but what the second gives it.
    still = np.max(np.abs(orbit.profile), axis=0) <= 1e-9 * np.max(np.abs(orbit.profile))
    reach = _reach(point, problem.span) * np.max(np.abs(states), axis=0)
    reach = reach / np.sqrt(np.mean(np.sum(states**2, axis=1)))
    units[:-2] = np.where(still & (reach > 0) & np.isfinite(reach), reach, units[:-2])
    # The point was located on a mesh twice as fine as the branch needs.
    coarse = orbit.spread(max(collocation.intervals, (len(orbit.mesh) - 1) // 2), units[:-2])
    states = orbit._replace(profile=states).on(coarse.mesh).profile
    orbit = coarse
    turn = Direction(states / units[:-2], way[-2:] / units[-2:])
    first = CycleNode(orbit, 0.0, point.eigenvalues, 0.0, point.orbit.divergence)
    return _Start(problem, orbit, turn, units, first, point, None)


def _reach(point: BranchPoint, span: float) -> float:
    """Return the amplitude that the second branch has by the normal form when the parameter moves by its span."""
    b, a, c = np.array(point.coefficients)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(
            np.sqrt(np.abs(b * span / c)) if point.kind == "pitchfork" else np.abs(b * span / a)
        )


def _followed(given: CycleWalk, start: _Start) -> tuple[list[CycleNode], End, Hopf | None]:
    """Walk one way; return the points, why they end, and the Hopf point where they do at one."""
    nodes: list[CycleNode] = []
    problem, status = given.problem, Status.RUNNING
    going = given.direction.ends[1]
    low, high = given.over
    value = given.start.value
    if (value >= high and going > 1e-12) or (value <= low and going < -1e-12):
        return nodes, End(Status.PARAMETER_BOUND, value, Status.PARAMETER_BOUND.meaning), None
    for some, reached in walk(given):
        seen = len(nodes)
        nodes += some
        status = reached
        cut = _turned_over(start, nodes, seen)
        if cut is not None:
            value = _value_at_half(start, nodes[cut - 1], nodes[cut])
            reason = (
                f"the cycle shrinks onto one of half its period at {problem.vary} = {value:.9g}"
            )
            return nodes[:cut], End(Status.SHORTER_CYCLE, value, reason), None
        far = _run_off(start, some)
        if far is not None:
            nodes = nodes[: seen + far + 1]
            value = nodes[-1].orbit.value
            return nodes, End(Status.DIVERGED, value, Status.DIVERGED.meaning), None
        for k in range(seen, len(nodes)):
            if event := met_event(problem, nodes[k].orbit):
                value = nodes[k - 1].orbit.value if k else start.orbit.value
                beyond = f"{problem.vary} = {value:.9g} and {nodes[k].orbit.value:.9g}"
                reason = f"the cycle meets event {event!r} between {beyond}"
                return nodes[:k], End(Status.EVENT, value, reason), None
        closing = _closing(start, nodes, max(seen, _SOONEST))
        if closing is not None:
            nodes = [*nodes[:closing], start.first]
            return (
                nodes,
                End(Status.CLOSED_LOOP, start.orbit.value, Status.CLOSED_LOOP.meaning),
                None,
            )
    last = nodes[-1].orbit.value if nodes else value
    if status is Status.AT_HOPF_POINT and nodes:
        return nodes, *end_at_hopf(problem, nodes[-1])
    if status in (Status.PERIOD_BOUND, Status.NOT_CONVERGED) and nodes:
        return nodes, end_of_long_period(problem, nodes, status), None
    return nodes, End(status, last, status.meaning), None


def _turned_over(start: _Start, nodes: list[CycleNode], seen: int) -> int | None:
    """Return after how many points a doubled cycle has shrunk onto the single one; None if it has not."""
    if not isinstance(start.point, PeriodDoubling):
        return None
    units = start.units[:-2]
    for k in range(max(seen, 1), len(nodes)):
        a, b = (_odd_part(nodes[j].orbit) / units for j in (k - 1, k))
        if np.sum(a * b) < 0:
            return k
    return None


def _run_off(start: _Start, nodes: list[CycleNode]) -> int | None:
    """Return the first point at which the cycles have grown beyond all bounds."""
    limit = _HORIZON * np.maximum(start.units[:-2], np.max(np.abs(start.orbit.profile), axis=0))
    for k, node in enumerate(nodes):
        if np.any(np.ptp(node.orbit.profile, axis=0) > limit):
            return k
    return None


def _value_at_half(start: _Start, a: CycleNode, b: CycleNode) -> float:
    """Return the parameter between two points at which the halves of a doubled cycle are alike."""
    units = start.units[:-2]
    before = _odd_part(a.orbit) / units
    found = meeting(
        start.problem, a, b, lambda orbit: float(np.sum(_odd_part(orbit) / units * before))
    )
    return a.orbit.value if found is None else found.value


def _odd_part(orbit: Orbit) -> Vector:
    """Return what differs between the two halves of a cycle."""
    places = (np.arange(_HALVES) + 0.5) / _HALVES / 2.0
    return orbit.at(places) - orbit.at(places + 0.5)


def _closing(start: _Start, nodes: list[CycleNode], seen: int) -> int | None:
    """Return how many points come before the branch meets its start again; None if it does not."""
    if start.point is not None:
        return None
    goal = _signature(start, start.orbit)
    first = _signature(start, nodes[0].orbit) - goal if nodes else goal
    for k in range(max(seen, 1), len(nodes)):
        a, b = _signature(start, nodes[k - 1].orbit), _signature(start, nodes[k].orbit)
        chord = b - a
        length = float(chord @ chord)
        share = float((goal - a) @ chord) / length if length > 0 else -1.0
        if not 0.0 <= share <= 1.0 or chord @ first <= 0:
            continue
        off = float(np.linalg.norm(goal - a - share * chord))
        if off < 0.05 * np.sqrt(length):
            return k
    return None


def _signature(start: _Start, orbit: Orbit) -> Vector:
    """Return numbers that two cycles share when they are the same up to a shift in time."""
    states = orbit.at((np.arange(_HALVES) + 0.5) / _HALVES) / start.units[:-2]
    return np.concatenate([
        [orbit.value / start.problem.span, np.log(orbit.period)], states.mean(axis=0),
        states.std(axis=0), states.max(axis=0), states.min(axis=0),
    ])  # fmt: skip


def _with_hopfs(
    nodes: list[CycleNode], special: tuple[tuple[int, SpecialPoint], ...], first: Hopf | None,
    last: Hopf | None,
) -> tuple[list[CycleNode], tuple[tuple[int, SpecialPoint], ...]]:  # fmt: skip
    """Let the branch reach the Hopf points where it ends."""
    if last is not None:
        special = (*special, (len(nodes), last))
        nodes = [*nodes, _at_hopf(last, nodes[-1].orbit)]
    if first is not None:
        special = ((0, first), *((k + 1, point) for k, point in special))
        nodes = [_at_hopf(first, nodes[0].orbit), *nodes]
    return nodes, special


def _at_hopf(point: Hopf, near: Orbit) -> CycleNode:
    """Return the cycle of no amplitude at a Hopf point, on the mesh of one nearby."""
    orbit = near._replace(
        profile=np.tile(point.state, (len(near.profile), 1)), period=point.period, value=point.value
    )
    return CycleNode(
        orbit, 0.0, np.exp(point.eigenvalues * point.period), 0.0,
        float(np.sum(point.eigenvalues.real)) * point.period,
    )  # fmt: skip


def _plateaus(nodes: list[CycleNode], span: float) -> tuple[int, int]:
    """Return where the parameter begins to move and where it has settled, at the two ends.

    Towards a homoclinic orbit the period grows while the parameter stands still to round-off; the
    sign of its change means nothing there.  Nor does it on a branch that stands upright as a whole, as
    the cycles about a centre do.
    """
    values = np.array([node.orbit.value for node in nodes])
    if np.ptp(values) <= _STILL * span:
        return len(nodes), 0
    periods = np.array([node.orbit.period for node in nodes])
    moving = []
    for end in (0, -1):
        still = (np.abs(values - values[end]) <= _STILL * span) & (periods > 2.0 * np.min(periods))
        moving.append(np.flatnonzero(~still))
    first = int(moving[0][0]) if len(moving[0]) else 0
    last = int(moving[1][-1]) if len(moving[1]) else len(nodes) - 1
    return (first if first > 1 else 0), (last if last < len(nodes) - 2 else len(nodes))


def _with_events(
    start: _Start, nodes: list[CycleNode], begin: int
) -> tuple[list[CycleNode], tuple[tuple[int, SpecialPoint], ...]]:
    """Insert the located points between the points of the walk; the start stands at its place."""
    found: list[tuple[int, CycleNode, SpecialPoint]] = []
    plateaus = _plateaus(nodes, start.problem.span)
    for k in range(len(nodes) - 1):
        if start.point is not None and k in (begin - 1, begin):
            continue  # from the point itself, whose test functions are not those of a regular cycle
        settled = plateaus[0] > k or k >= plateaus[1]
        found += [
            (k, *event)
            for event in cycle_events(start.problem, nodes[k], nodes[k + 1])
            if not (settled and event[1].label in ("LPC", "?"))
        ]
    found = without_echoes(found, nodes, start.problem.span)
    whole: list[CycleNode] = []
    special: list[tuple[int, SpecialPoint]] = []
    for k, node in enumerate(nodes):
        if k == begin and start.point is not None:
            special.append((len(whole), start.point))
        whole.append(node)
        for after, located, point in found:
            if after == k:
                special.append((len(whole), point))
                whole.append(located)
    return whole, tuple(special)
