"""continue_bifurcation: folds, Hopf points, ... followed in two parameters, with codimension-two points.

The curve is walked by the same compiled steps as a branch of equilibria; its equations are the minimally
extended ones of `dynlab.kernels.bordered`.  Between consecutive points test functions are watched (see
the files of `curves`).  Where one changes sign the point of codimension two is solved for: Newton's method
on the equations of the curve at a place along the chord, and a bracketed secant iteration on the test
function over that place, both down to round-off.  What is found must carry what its name says (`unfoldings`);
a sign change without, such as that of l1 at a pole, gets no name.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.curves.branch_point import BranchPointCurve
from dynlab.continuation.curves.plane import Plane
from dynlab.continuation.curves.plane_curve import PlaneCurve
from dynlab.continuation.cycles.curve import CycleBifurcationCurve
from dynlab.continuation.cycles.plane import follow_cycle_bifurcation
from dynlab.continuation.follow import Walk, chunks
from dynlab.continuation.followed import End
from dynlab.continuation.methods import ContinuationMethod, PseudoArclength
from dynlab.continuation.plane.codimension_two import Bautin, CodimensionTwo, Cusp
from dynlab.continuation.plane.curve import BifurcationCurve, curve_of
from dynlab.continuation.plane.resonances import Chenciner, GeneralizedFlip
from dynlab.continuation.plane.watch import with_points
from dynlab.continuation.points import (
    BranchPoint,
    Fold,
    Hopf,
    PeriodDoubling,
    SpecialPoint,
    Torus,
)
from dynlab.continuation.trace import bounds_of, checked_range, is_inside, narrowed
from dynlab.equilibria.large import is_large
from dynlab.equilibria.stability import described, typical_size
from dynlab.errors import NotConverged, SettingError, SingularProblem, UnsupportedSystemError
from dynlab.names import Layout, by_name
from dynlab.result import Provenance
from dynlab.status import Status
from dynlab.symbolic.dynamics import Autonomous, require
from dynlab.symbolic.entry import spelled
from dynlab.symbolic.exposed import exposed
from dynlab.symbolic.system import System

__all__ = ["continue_bifurcation"]

Vector = NDArray[np.float64]

_STARTS = (Fold, Hopf, BranchPoint, PeriodDoubling, Torus)
#: Points of codimension two that lie on one curve alone, and what they are on it.
_ON_ONE = {Cusp: "fold", Bautin: "hopf", GeneralizedFlip: "period_doubling", Chenciner: "torus"}
#: A start that Newton's method moves further than this (scaled) was none.
_STRAY = 1e-3
#: A state that exceeds the largest size at the start by this factor has run off.
_HORIZON = 1e6
#: The branches of a branch point have parted where b exceeds this part of the rates' size.
_PARTED = 1e-7
_SETTLINGS = 12
#: What is smaller than this part of its unit is what round-off leaves of a zero.
_NOTHING = 1e-14


@dataclass(frozen=True, slots=True)
class _Path:
    """Consecutive points and why they end."""

    unknowns: Vector
    end: End


def continue_bifurcation(
    point: SpecialPoint | CodimensionTwo,
    *,
    vary: tuple[str, str],
    over: Mapping[str, tuple[float, float]],
    within: Mapping[str, tuple[float, float]] | None = None,
    method: ContinuationMethod | None = None,
) -> BifurcationCurve | CycleBifurcationCurve:
    """Follow a bifurcation both ways through the plane of two parameters.

    Points of codimension two are solved for and carry their normal forms; what cannot be confirmed gets no
    label.  A curve of Hopf points passes a Bogdanov-Takens point smoothly; what lies beyond, where the
    pair is real, is marked as neutral saddle.

    Parameters
    ----------
    point
        Where to start: a `Fold`, `Hopf`, `BranchPoint`, `PeriodDoubling` or `Torus`, of equilibria, of cycles of
        a map or of limit cycles.  A point of codimension two says by which of its curves: ``bt.fold`` or
        ``bt.hopf``.
    vary
        The two parameters.
    over
        The range of each; the start must lie in both.
    within
        Ranges of states; the curve ends where one is left.  Not for limit cycles.
    method
        `PseudoArclength` (default), with lengths as fractions of the two ranges.

    Returns
    -------
    BifurcationCurve or CycleBifurcationCurve
        The points, those of codimension two, and why each end ended; of limit cycles the cycles.

    Raises
    ------
    UnknownNameError
        If the system lacks a parameter.
    SettingError
        If the point is no bifurcation, the two parameters are one, or a range does not hold the start.
    NotConverged
        If there is no such bifurcation at the start.
    SingularProblem
        If no single curve passes through the start.

    Examples
    --------
    >>> import dynlab as dl
    >>> cell = dl.zoo.morris_lecar(gCa=4.4, V3=2, V4=30, phi=0.04)
    >>> rest = dl.find_equilibria(cell, within={"V": (-80, 60), "w": (0, 1)}).single()
    >>> branch = dl.continue_equilibrium(rest, vary="I", over=(0, 250))
    >>> curve = dl.continue_bifurcation(
    ...     branch.points(dl.Hopf)[0], vary=("I", "V3"), over={"I": (0, 250), "V3": (-10, 30)}
    ... )
    >>> point = curve.points(dl.BogdanovTakens).single()
    >>> round(point["I"], 6), round(point["V3"], 6)
    (48.225939, 21.734143)

    References
    ----------
    Govaerts 2000, Numerical Methods for Bifurcations of Dynamical Equilibria, ch. 4-8; Beyn, Champneys, Doedel,
    Govaerts, Kuznetsov and Sandstede 2002, Handbook of Dynamical Systems 2, ch. 4.
    """
    began = time.perf_counter()
    point = _start_of(point)
    names = _names(vary)
    system = exposed(exposed(point.system, names[0]), names[1])
    ranges = _ranges(system, names, over)
    if point.orbit is not None:
        if within is not None:
            raise SettingError("curves of cycles take no within; leave it out and bound over=.")
        return follow_cycle_bifurcation(point, names, ranges, method)
    require(system, Autonomous)
    _require_dense(system)
    method = method or PseudoArclength()
    curve, start, tangent = _begun(point, system, names, ranges)
    lower, upper = _bounds(curve, start, within, ranges)
    forward = _walked(curve, Walk(start, tangent, lower, upper), method, names)
    if forward.end.status in (Status.CLOSED_LOOP, Status.STOPPED):
        backward = _Path(np.empty((0, len(start))), forward.end)
    else:
        backward = _walked(curve, Walk(start, -tangent, lower, upper), method, names)
    walked = np.vstack([backward.unknowns[::-1], start[None], forward.unknowns])
    path, survey, special = with_points(curve, walked)
    return BifurcationCurve(
        system=system,
        vary=names,
        kind=point.word,
        of=_held(point, names),
        unknowns=path,
        eigenvalues=survey.eigenvalues,
        coefficient=survey.coefficient,
        special=tuple((k, replace(p, vary=names)) for k, p in special),  # type: ignore[type-var]
        ends=(backward.end, forward.end),
        provenance=Provenance(
            "continue_bifurcation", system,
            {"vary": names, "over": {n: ranges[n] for n in names}, "method": method},
            seconds=time.perf_counter() - began,
        ),
        period=curve.plane.period,
    )  # fmt: skip


def _start_of(point: object) -> SpecialPoint:
    """Return the bifurcation to follow, or say what can be followed."""
    for kind, name in _ON_ONE.items():
        if isinstance(point, kind):
            found: SpecialPoint = getattr(point, name)
            return found
    if isinstance(point, _STARTS):
        return point
    if isinstance(point, CodimensionTwo):
        curves = [
            n
            for n in ("fold", "hopf", "hopfs", "period_doubling", "torus")
            if hasattr(type(point), n)
        ]
        raise SettingError(
            f"several curves pass through a {point.word}; say which one to follow: "
            f"{' or '.join(f'point.{name}' for name in curves)}."
        )
    raise SettingError(
        f"expected a bifurcation, got {type(point).__name__}. Take one of branch.points(dl.Fold), "
        "branch.points(dl.Hopf), ... of dl.continue_equilibrium."
    )


def _names(vary: tuple[str, str]) -> tuple[str, str]:
    names = tuple(spelled(v) for v in vary) if isinstance(vary, tuple | list) else ()
    if len(names) != 2:
        raise SettingError(f'vary is {vary!r}; give the two parameters: vary=("I", "V3").')
    if names[0] == names[1]:
        raise SettingError(
            f"both parameters are {names[0]!r}. Give two different ones; one alone is varied by "
            "dl.continue_equilibrium."
        )
    return names[0], names[1]


def _require_dense(system: System) -> None:
    if is_large(system):
        raise UnsupportedSystemError(
            f"{system.name!r} has {len(system.state_names)} states; curves of bifurcations are followed "
            "with dense matrices, for smaller systems. Follow its branches with dl.continue_equilibrium."
        )


def _ranges(
    system: System, names: tuple[str, str], over: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Return the checked range of each parameter, which must hold the start."""
    given = {spelled(name): ends for name, ends in by_name(over, "over").items()}
    layout = Layout.of(system)
    for name in (*names, *given):
        layout.parameter(name)
    if set(given) != set(names):
        raise SettingError(
            f"over gives ranges of {sorted(given)} and vary names {sorted(names)}; give one range for "
            f"each: over={{{names[0]!r}: (0, 1), {names[1]!r}: (0, 1)}}."
        )
    ranges = {name: checked_range(name, given[name]) for name in names}
    for name, (low, high) in ranges.items():
        if not low <= system[name] <= high:
            raise SettingError(
                f"the start has {name} = {system[name]:.6g}, which is outside its range ({low:g}, "
                f"{high:g}). Widen over=."
            )
    return ranges


def _held(point: SpecialPoint, names: tuple[str, str]) -> str:
    """Return the parameter in which the bifurcation is one with the other held."""
    if point.vary in names:
        return point.vary
    if isinstance(point, BranchPoint):
        raise SettingError(
            f"the branches cross in {point.vary!r}, so it must be one of the two parameters; vary is "
            f"{names!r}."
        )
    return names[0]


def _begun(
    point: SpecialPoint, system: System, names: tuple[str, str],
    ranges: Mapping[str, tuple[float, float]],
) -> tuple[PlaneCurve, Vector, Vector]:  # fmt: skip
    """Return the curve in fitting units, the place on it nearest to the point, and a direction.

    The unknowns stand in the order of the system, so the order of the two names changes nothing.
    """
    plane = Plane.of(system, names, int(getattr(point, "period", 1)) if system.is_discrete else 1)
    values = np.array([system[name] for name in plane.vary])
    spans = np.array([ranges[name][1] - ranges[name][0] for name in plane.vary])
    size = typical_size(system, point.state)
    # What round-off leaves of a zero is no size.
    size[size < _NOTHING * max(1.0, float(np.max(size)))] = 1.0
    added, unit = _added(point, plane, values, size)
    guess = np.concatenate([point.state, added, values])
    curve = curve_of(point.word, plane, np.concatenate([size, unit, spans]), _held(point, names))
    start = _settled(curve, guess, point)
    tangent = _tangent(curve, start)
    # States are measured by how much they change while a parameter crosses its range.
    pace = float(np.max(np.abs(tangent[-2:] / spans)))
    change = tangent[: plane.size] / pace if pace > 0 else np.full(plane.size, np.inf)
    change[np.abs(change) < 1e-6 * size] = 0.0
    scale = np.concatenate([narrowed(size, start[: plane.size], change), unit, spans])
    if system.is_indexed:
        scale[: plane.size] *= np.sqrt(plane.size)
    curve = curve.scaled(scale)
    return curve, start, _tangent(curve, start)


def _added(
    point: SpecialPoint, plane: Plane, values: Vector, size: Vector
) -> tuple[Vector, Vector]:
    """Return what the curve adds to states and parameters at the start, and its unit."""
    u = np.concatenate([point.state, values])[None]
    matrix = plane.jacobians(u)[0, :, : plane.size]
    if isinstance(point, Hopf):
        # Where omega is zero its unit is that of the rates.
        square, rates = point.omega**2, float(np.linalg.norm(matrix * size / size[:, None]))
        return np.array([square]), np.array([max(square, (0.1 * rates) ** 2) or 1.0])
    if isinstance(point, Torus):
        return np.array([2.0 * np.cos(point.angle)]), np.ones(1)
    if isinstance(point, BranchPoint):
        rates = float(np.linalg.norm((matrix - plane.shift * np.eye(plane.size)) * size))
        return np.zeros(1), np.array([rates or 1.0])
    return np.empty(0), np.empty(0)


def _settled(curve: PlaneCurve, guess: Vector, point: SpecialPoint) -> Vector:
    """Return the place on the curve nearest to the start (Gauss and Newton's method)."""
    y = first = guess / curve.scale
    last = np.inf
    for _ in range(_SETTLINGS):
        value, matrix = curve.equations(y)
        if not (np.all(np.isfinite(value)) and np.all(np.isfinite(matrix))):
            break
        step = np.linalg.lstsq(matrix, -value, rcond=1e-13)[0]
        size = float(np.max(np.abs(step)))
        if not size < 1.0:
            break
        y = y + step
        if size < 1e-14 or (size < 1e-9 and size > 0.25 * last):
            last = min(size, last)
            break
        last = size
    if last < 1e-8 and np.max(np.abs(y - first)) < _STRAY:
        return np.asarray(y * curve.scale)
    at = ", ".join(f"{n} = {v:.6g}" for n, v in zip(curve.plane.vary, guess[-2:], strict=True))
    raise NotConverged(
        f"there is no {curve.word} of {curve.plane.system.name!r} at the start, {at}, "
        f"{described(point.start)}. Give a point that was found on this system, with its parameters.",
        status=Status.NOT_CONVERGED,
    )


def _tangent(curve: PlaneCurve, u: Vector) -> Vector:
    """Return the direction of the curve, the second parameter increasing (or the first)."""
    _, matrix = curve.equations(u / curve.scale)
    _, values, right = np.linalg.svd(matrix)
    if values[-1] <= 1e-11 * values[0]:
        raise SingularProblem(
            f"no single curve of {curve.word}s of {curve.plane.system.name!r} passes through the start: "
            "its equations are singular there. Start elsewhere, or vary another parameter.",
            status=Status.SINGULAR,
        )
    t = right[-1]
    leading = (
        t[-1] if abs(t[-1]) > 1e-6 else t[-2] if abs(t[-2]) > 1e-6 else t[np.argmax(np.abs(t))]
    )
    return np.asarray(t * (1.0 if leading > 0 else -1.0) * curve.scale)


def _bounds(
    curve: PlaneCurve, start: Vector, within: Mapping[str, tuple[float, float]] | None,
    ranges: Mapping[str, tuple[float, float]],
) -> tuple[Vector, Vector]:  # fmt: skip
    """Return lower and upper bounds of all unknowns."""
    plane = curve.plane
    n, system = plane.size, plane.system
    low, high, watched = bounds_of(system, within, (0.0, 1.0))
    if watched:
        raise SettingError(
            f"within bounds states here, not the observable {watched[0][0]!r}. Leave it out."
        )
    for name, value, a, b in zip(system.state_names, start, low, high, strict=False):
        if not is_inside(float(value), float(a), float(b)):
            raise SettingError(
                f"the start has {name} = {value:.6g}, outside ({a:g}, {b:g}). Widen the range."
            )
    far = _horizon(curve, start)
    ends = np.array([ranges[name] for name in plane.vary])
    parts = np.full(
        curve.added, _PARTED * curve.scale[n] if curve.word == BranchPointCurve.word else np.inf
    )
    lower = np.concatenate([np.maximum(low[:n], -far), -parts, ends[:, 0]])
    upper = np.concatenate([np.minimum(high[:n], far), parts, ends[:, 1]])
    return lower, upper


def _horizon(curve: PlaneCurve, start: Vector) -> float:
    """Return the size beyond which a state has run off."""
    plane = curve.plane
    size = np.maximum(typical_size(plane.system, start[: plane.size]), curve.scale[: plane.size])
    return _HORIZON * float(np.max(np.maximum(size, 10.0 * plane.turns)))


def _walked(
    curve: PlaneCurve, walk: Walk, method: ContinuationMethod, names: tuple[str, str]
) -> _Path:
    """Follow the curve one way; return its points and why they end."""
    pieces = [np.empty((0, len(walk.start)))]
    status = Status.PARAMETER_BOUND
    going = walk.tangent[-2:]
    at_edge = ((walk.start >= walk.upper)[-2:] & (going > 0)) | (
        (walk.start <= walk.lower)[-2:] & (going < 0)
    )
    if not at_edge.any():
        for chunk in chunks(curve, walk, method):
            pieces.append(chunk.unknowns)
            status = chunk.status
    unknowns = np.concatenate(pieces)
    last = unknowns[-1] if len(unknowns) else walk.start
    end = _end(curve, walk, status, last, names)
    if curve.word == BranchPointCurve.word:
        # Where the branches have parted there is no branch point any more.
        n = curve.plane.size
        unknowns = unknowns[np.abs(unknowns[:, n]) < (1.0 - 1e-9) * walk.upper[n]]
    return _Path(unknowns, end)


def _end(curve: PlaneCurve, walk: Walk, status: Status, u: Vector, names: tuple[str, str]) -> End:
    """Say why a walk ended, and where."""
    value = float(u[curve.plane.vary.index(names[0]) - 2])
    reason = status.meaning
    if status in (Status.STATE_BOUND, Status.PARAMETER_BOUND):
        status, reason = _bound_met(curve, walk, u)
    if status is Status.NOT_CONVERGED and np.array_equal(u, walk.start):
        reason = "Newton's method found no first step from the start"
    return End(status, value, reason)


def _bound_met(curve: PlaneCurve, walk: Walk, u: Vector) -> tuple[Status, str]:
    """Return whose bound a walk met."""
    n, system = curve.plane.size, curve.plane.system
    width = walk.upper - walk.lower
    room = 1e-9 * np.where(np.isfinite(width), width, 1.0)
    met = (u <= walk.lower + room) | (u >= walk.upper - room)
    for name, hit, at in zip(curve.plane.vary, met[-2:], u[-2:], strict=True):
        if hit:
            return Status.PARAMETER_BOUND, f"{name} reached the end of its range, {at:.6g}"
    if curve.word == BranchPointCurve.word and met[n]:
        return Status.NOT_CONVERGED, "the two branches part"
    if np.max(np.abs(u[:n])) >= (1.0 - 1e-9) * _horizon(curve, walk.start):
        return Status.DIVERGED, Status.DIVERGED.meaning
    names = [name for name, hit in zip(system.state_names, met[:n], strict=True) if hit]
    return Status.STATE_BOUND, f"{' and '.join(names)} left the range given in within"
