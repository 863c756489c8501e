"""Curves of folds, period doublings and torus points of cycles in the plane of two parameters.

Cycles over two parameters form a smooth surface (`curves.cycle_surface`).  A step predicts along the chord,
then seeks, on the line of the surface normal to it, where the condition of the bifurcation holds: a secant
iteration whose every trial is a cycle solved by Newton's method.  So every point on the curve satisfies the
equations of the cycle and its own condition to round-off.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab import progress
from dynlab.continuation.curves.cycle_surface import (
    CONDITIONS,
    CycleSurface,
    Place,
    Sheet,
    SurfaceDirection,
)
from dynlab.continuation.cycles.curve import CycleBifurcationCurve
from dynlab.continuation.followed import End
from dynlab.continuation.methods import ContinuationMethod, PseudoArclength
from dynlab.continuation.plane.predictors import PredictedOrbit
from dynlab.continuation.points import Fold, SpecialPoint
from dynlab.continuation.trace import checked_range
from dynlab.cycles.cycle import Cycle, floquet_order
from dynlab.cycles.problem import Orbit
from dynlab.errors import NotConverged, SettingError
from dynlab.names import by_name
from dynlab.result import Provenance
from dynlab.status import Status

__all__ = ["fold_of_cycles", "follow_cycle_bifurcation"]

Vector = NDArray[np.float64]

_DEFAULT = PseudoArclength(
    first_step=5e-3, step_max=0.05, angle=0.15, step_min=1e-6, max_points=2000
)
_FEWEST, _MOST = 20, 400
_MESH_ERROR, _FINER = 0.1, 1.5
#: The condition holds when it would vanish this near, or when the place moves by less than `_PLACED`.
_HOLDS, _PLACED = 1e-9, 1e-8
#: Cycles are solved this accurately: near a cusp of cycles the condition changes slowly.
_ROUND_OFF = 1e-12
_SECANTS = 12
#: Displacement for the first slopes of the condition.
_PROBE = 1e-4
_ANGLE_MAX = 0.5
_LONGEST = 100.0
_SOONEST = 5
#: So many steps below this part of the first one, and the curve has got stuck.
_SLOW, _PATIENCE = 1e-2, 25


class _Node(NamedTuple):
    """A point of the curve: the solution, the unit direction of the curve, and the slope across it."""

    sheet: Sheet
    along: SurfaceDirection
    across: SurfaceDirection
    slope: float


@dataclass(frozen=True, slots=True)
class _Walk:
    surface: CycleSurface
    kind: str
    units: Vector
    bounds: Vector
    longest: float
    method: ContinuationMethod


def follow_cycle_bifurcation(
    point: SpecialPoint, vary: tuple[str, str], over: object, method: ContinuationMethod | None
) -> CycleBifurcationCurve:
    """Follow a bifurcation of limit cycles both ways; see `dynlab.continue_bifurcation`."""
    began = time.perf_counter()
    if point.word not in CONDITIONS or point.orbit is None:
        raise SettingError(
            f"a {point.word} of cycles has no curve in two parameters. Take a fold, a period doubling, a "
            "torus point or a branch point."
        )
    ranges = {name: checked_range(name, ends) for name, ends in by_name(over, "over").items()}
    spans = tuple(ranges[name][1] - ranges[name][0] for name in vary)
    surface = CycleSurface(point.system, vary, (spans[0], spans[1]))
    place = _first_place(surface, point)
    bounds = np.array([ranges[name] for name in vary])
    walk = _Walk(
        surface, point.word, surface.units(place), bounds, _LONGEST * place.ends[0],
        method or _DEFAULT,
    )  # fmt: skip
    first = _begun(walk, place)
    ahead, end = _followed(walk, first)
    behind: list[_Node] = []
    back = end
    if end.status not in (Status.CLOSED_LOOP, Status.STOPPED):
        behind, back = _followed(walk, first._replace(along=_times(first.along, -1.0)))
    elif end.status is Status.STOPPED:
        back = End(Status.STOPPED, float(place.ends[1]), "not followed in this direction")
    nodes = [*reversed(behind), first, *ahead]
    provenance = Provenance(
        "continue_bifurcation", point.system,
        {"vary": vary, "over": {name: tuple(ranges[name]) for name in vary},
         "method": walk.method}, seconds=time.perf_counter() - began,
    )  # fmt: skip
    return CycleBifurcationCurve.through(
        surface, point.word, point.vary, [n.sheet for n in nodes], (back, end), provenance
    )


def fold_of_cycles(predicted: PredictedOrbit, vary: tuple[str, str]) -> Fold | None:
    """Return the fold of cycles near a prediction, solved for; None if there is none of that amplitude."""
    system = predicted.system
    values = np.array([float(system[name]) for name in vary])
    sizes = np.maximum(np.abs(values), 1e-3 * np.max(np.abs(values)) + 1e-9)
    surface = CycleSurface(system, vary, (float(sizes[0]), float(sizes[1])))
    places = np.linspace(0.0, 1.0, 4 * _FEWEST + 1) * predicted.duration
    profile = np.stack([np.interp(places, predicted.times, c) for c in predicted.states.T], axis=1)
    profile[-1] = profile[0]
    mesh = np.linspace(0.0, 1.0, _FEWEST + 1)
    place = Place(profile, mesh, np.array([predicted.duration, *values]))
    # An oscillation about an equilibrium: its own range is the measure, not the size of the states.
    units = np.concatenate([np.maximum(np.ptp(profile, axis=0), 1e-12), [place.ends[0], *sizes]])
    everywhere = np.array([[-np.inf, np.inf]] * 2)
    walk = _Walk(surface, Fold.word, units, everywhere, np.inf, _DEFAULT)
    try:
        sheet = _begun(walk, place).sheet
    except NotConverged:
        return None
    found = sheet.place
    if not np.all(np.abs(np.log(np.ptp(found.profile, axis=0) / units[:-3])) < np.log(2.0)):
        return None
    multipliers = floquet_order(sheet.multipliers)
    at = surface.at(found)
    period = float(found.ends[0])
    cycle = Cycle(at, period, found.mesh, found.profile, multipliers, sheet.divergence, _HOLDS)
    return Fold(at, vary[0], found.profile[0], multipliers, _HOLDS, float("nan"), "", period, cycle)


def _first_place(surface: CycleSurface, point: SpecialPoint) -> Place:
    """Return the cycle at the point on a mesh that the curve can afford."""
    assert point.orbit is not None
    cycle = point.orbit
    values = [float(point.system[name]) for name in surface.vary]
    place = Place(cycle.profile, cycle.mesh, np.array([cycle.period, *values]))
    return _on_mesh(place, max(_FEWEST, (len(cycle.mesh) - 1) // 2), surface.units(place))


def _on_mesh(place: Place, intervals: int, units: Vector) -> Place:
    orbit = Orbit(place.profile, place.mesh, float(place.ends[0]), 0.0).spread(
        intervals, units[:-3]
    )
    return Place(orbit.profile, orbit.mesh, place.ends)


def _begun(walk: _Walk, place: Place) -> _Node:
    """Return the first point, with the direction of the curve from the slopes of the condition."""
    surface, units = walk.surface, walk.units
    still = np.zeros_like(place.profile)
    to = [SurfaceDirection(still, np.eye(3)[k]) for k in (1, 2)]
    # At a fold the surface stands upright over one parameter: there the amplitude tells the place.
    amplitude = (place.profile - place.profile.mean(axis=0)) / units[:-3]
    swing = SurfaceDirection(np.asarray(amplitude / np.sqrt(np.mean(amplitude**2))), np.zeros(3))
    choices = [(swing, to[1]), (swing, to[0])] if walk.kind == "fold" else [(to[0], to[1])]
    for pins in choices:
        sheet = surface.solve(place, pins, units)
        if sheet is not None:
            break
    else:
        raise NotConverged(
            f"the cycle at the {walk.kind} could not be solved again over {surface.vary[0]!r} and "
            f"{surface.vary[1]!r}. Start from another point of the branch.",
            status=Status.NOT_CONVERGED,
        )
    one, two = _orthonormal(surface, sheet.plane, sheet.place.mesh)
    slopes = []
    for step in ((_PROBE, 0.0), (0.0, _PROBE)):
        ends = [
            surface.solve(sheet.place, (one, two), units, (s * step[0], s * step[1]))
            for s in (1.0, -1.0)
        ]
        if ends[0] is None or ends[1] is None:
            raise NotConverged(
                f"no curve of this {walk.kind} was found beside the start.",
                status=Status.NOT_CONVERGED,
            )
        slopes.append((_condition(walk, ends[0]) - _condition(walk, ends[1])) / (2 * _PROBE))
    size = float(np.hypot(slopes[0], slopes[1]))
    if not size > 0:
        raise NotConverged(
            f"the condition of the {walk.kind} does not change beside the start: no single curve passes.",
            status=Status.SINGULAR,
        )
    across = _sum(one, slopes[0] / size, two, slopes[1] / size)
    along = _sum(one, -slopes[1] / size, two, slopes[0] / size)
    found = _settled(walk, sheet.place, along, across, 0.0, size)
    if found is None:
        raise NotConverged(
            f"the equations of the {walk.kind} could not be solved at the start.",
            status=Status.NOT_CONVERGED,
        )
    return _Node(found[0], along, across, found[1])


def _condition(walk: _Walk, sheet: Sheet) -> float:
    return CONDITIONS[walk.kind](sheet)


def _settled(
    walk: _Walk, guess: Place, along: SurfaceDirection, across: SurfaceDirection, distance: float,
    slope: float,
) -> tuple[Sheet, float, int] | None:  # fmt: skip
    """Return where the condition holds on the line across, the slope there, and how many trials it took."""
    place, before = 0.0, None
    for trial in range(_SECANTS):
        sheet = walk.surface.solve(
            guess, (along, across), walk.units, (distance, place), _ROUND_OFF
        )
        if sheet is None:
            return None
        value = _condition(walk, sheet)
        if not np.isfinite(value):
            return None
        if before is not None and place != before[0]:
            measured = (value - before[1]) / (place - before[0])
            slope = measured if abs(measured) > 1e-3 * abs(slope) else slope
        if abs(value) < max(_HOLDS * abs(slope), _ROUND_OFF) or (
            before is not None and abs(place - before[0]) < _PLACED
        ):
            return sheet, slope, trial
        before = (place, value)
        change = -value / slope
        place += float(np.clip(change, -0.1, 0.1))
    return None


def _followed(walk: _Walk, first: _Node) -> tuple[list[_Node], End]:
    """Walk one way; return the points and why they end."""
    nodes: list[_Node] = []
    node, h, slow = first, walk.method.first_step, 0
    vary, spans = walk.surface.vary, walk.surface.spans
    while len(nodes) < walk.method.max_points:
        here = node.sheet.place
        try:
            found = _step(walk, node, h)
        except KeyboardInterrupt:
            return nodes, End(Status.STOPPED, float(here.ends[1]), Status.STOPPED.meaning)
        if isinstance(found, str):
            if h <= 1.001 * walk.method.step_min:
                return nodes, End(Status.NOT_CONVERGED, float(here.ends[1]), found)
            h = max(walk.method.step_min, 0.5 * h)
            continue
        new, angle, trials = found
        if _turned_over(here, new.sheet.place, walk.units):
            return nodes, End(
                Status.AT_HOPF_POINT, float(here.ends[1]),
                "the cycles shrink to a point: a Bautin point, or another one on a Hopf curve",
            )  # fmt: skip
        outside = _outside(walk, new.sheet.place)
        if outside is not None:
            landed = _landed(walk, node, new, *outside)
            nodes += [landed] if landed is not None else []
            reached = nodes[-1].sheet.place if nodes else here
            return nodes, End(
                Status.PARAMETER_BOUND, float(reached.ends[1]), Status.PARAMETER_BOUND.meaning
            )
        nodes.append(new)
        if new.sheet.place.ends[0] > walk.longest:
            return nodes, End(
                Status.PERIOD_BOUND, float(new.sheet.place.ends[1]), Status.PERIOD_BOUND.meaning
            )
        if len(nodes) > _SOONEST and _meets(walk, first, node, new):
            return nodes, End(
                Status.CLOSED_LOOP, float(new.sheet.place.ends[1]), Status.CLOSED_LOOP.meaning
            )
        here = new.sheet.place
        going_on = progress.tick(
            min(abs(here.ends[1] - first.sheet.place.ends[1]) / spans[0], 1.0), 1.0,
            f"{vary[0]} = {here.ends[1]:.4g}, {vary[1]} = {here.ends[2]:.4g}",
        )  # fmt: skip
        if not going_on:
            return nodes, End(Status.STOPPED, float(here.ends[1]), Status.STOPPED.meaning)
        slow = slow + 1 if h < _SLOW * walk.method.first_step else 0
        if slow > _PATIENCE:
            reason = "the steps became tiny: near a cusp or another degenerate point of cycles"
            return nodes, End(Status.NOT_CONVERGED, float(here.ends[1]), reason)
        grow = min(1.6, max(0.5, walk.method.angle / max(angle, 1e-9)))
        h = min(walk.method.step_max, max(walk.method.step_min, h * (grow if trials < 6 else 0.7)))
        node = _remeshed(walk, new)
    return nodes, End(
        Status.TOO_MANY_STEPS, float(node.sheet.place.ends[1]), Status.TOO_MANY_STEPS.meaning
    )


def _step(walk: _Walk, node: _Node, h: float) -> tuple[_Node, float, int] | str:
    """Take one step; return the point, the angle that the curve turned by and the trials, or why not."""
    found = _settled(walk, node.sheet.place, node.along, node.across, h, node.slope)
    if found is None:
        return "the equations of the curve could not be solved, even with the smallest step"
    sheet, slope, trials = found
    mesh = sheet.place.mesh
    surface = walk.surface
    one, two = _orthonormal(surface, sheet.plane, mesh)
    chord = _between(node.sheet.place, sheet.place, walk.units)
    size = np.sqrt(surface.dot(chord, chord, mesh))
    # The chord is the curve's direction halfway: reflected, that of the end.
    x, y = (surface.dot(t, chord, mesh) / size for t in (one, two))
    a, b = (surface.dot(t, node.along, mesh) for t in (one, two))
    x, y = 2.0 * x - a, 2.0 * y - b
    length = float(np.hypot(x, y))
    along = _sum(one, x / length, two, y / length)
    across = _sum(one, -y / length, two, x / length)
    flip = 1.0 if surface.dot(across, node.across, mesh) > 0 else -1.0
    angle = float(np.arccos(np.clip(surface.dot(along, node.along, mesh), -1.0, 1.0)))
    if angle > _ANGLE_MAX and h > 1.001 * walk.method.step_min:
        return "the curve turns too sharply"
    return _Node(sheet, along, _times(across, flip), slope), angle, trials


def _remeshed(walk: _Walk, node: _Node) -> _Node:
    """Return the point on a mesh that fits it, with more intervals where they are needed."""
    place = node.sheet.place
    count = len(place.mesh) - 1
    if node.sheet.mesh_error > _MESH_ERROR and count < _MOST:
        count = int(_FINER * count)
    fresh = _on_mesh(place, count, walk.units)
    orbits = [
        Orbit(d.states, place.mesh, 1.0, 0.0).on(fresh.mesh).profile
        for d in (node.along, node.across)
    ]
    along, across = (
        SurfaceDirection(states, d.ends)
        for states, d in zip(orbits, (node.along, node.across), strict=True)
    )
    return _Node(node.sheet._replace(place=fresh), along, across, node.slope)


def _outside(walk: _Walk, place: Place) -> tuple[int, float] | None:
    """Return which parameter has left its range, and the bound; None if neither has."""
    for k in range(2):
        low, high = walk.bounds[k]
        if not low <= place.ends[1 + k] <= high:
            return k, float(low if place.ends[1 + k] < low else high)
    return None


def _landed(walk: _Walk, node: _Node, new: _Node, k: int, bound: float) -> _Node | None:
    """Return the point of the curve exactly on a bound."""
    a, b = node.sheet.place, new.sheet.place
    share = (bound - a.ends[1 + k]) / (b.ends[1 + k] - a.ends[1 + k])
    guess = Place(
        a.profile + share * (b.profile - a.profile), a.mesh, a.ends + share * (b.ends - a.ends)
    )
    pin = SurfaceDirection(np.zeros_like(a.profile), np.eye(3)[1 + k])
    found = _settled(walk, guess, pin, node.across, 0.0, node.slope)
    return None if found is None else node._replace(sheet=found[0])


def _turned_over(a: Place, b: Place, units: Vector) -> bool:
    """Whether the oscillation has passed through zero from one cycle to the next (on one mesh)."""
    weights = np.diff(a.mesh).repeat(a.degree)
    x, y = (
        (p.profile[:-1] - weights @ p.profile[:-1] / np.sum(weights)) / units[:-3] for p in (a, b)
    )
    return bool(np.sum(weights[:, None] * x * y) < 0)


def _meets(walk: _Walk, first: _Node, before: _Node, new: _Node) -> bool:
    """Whether the curve has come back to its start in the plane, with the same period."""
    spans = np.array([1.0, *walk.surface.spans])

    def where(node: _Node) -> Vector:
        ends = node.sheet.place.ends / spans
        return np.array([np.log(node.sheet.place.ends[0]), ends[1], ends[2]])

    a, b, goal = where(before), where(new), where(first)
    chord = b - a
    size = float(chord @ chord)
    share = float((goal - a) @ chord) / size if size > 0 else -1.0
    if not 0 <= share <= 1 or float(np.linalg.norm(goal - a - share * chord)) > 0.2 * size**0.5:
        return False
    # The same place in the plane, the same period: the same cycle if the states reach as far.
    low, high = (
        np.array([f(n.sheet.place.profile, axis=0) for n in (before, new, first)])
        for f in (np.min, np.max)
    )
    slack = 2.0 * np.abs(np.array([low[1] - low[0], high[1] - high[0]])).max(axis=0)
    slack += 1e-3 * walk.units[:-3]
    return bool(
        np.all(np.abs(low[2] - low[1]) <= slack) and np.all(np.abs(high[2] - high[1]) <= slack)
    )


def _orthonormal(
    surface: CycleSurface, plane: tuple[SurfaceDirection, SurfaceDirection], mesh: Vector
) -> tuple[SurfaceDirection, SurfaceDirection]:
    """Return an orthonormal basis of the tangent plane."""
    one = _times(plane[0], 1.0 / np.sqrt(surface.dot(plane[0], plane[0], mesh)))
    two = _sum(plane[1], 1.0, one, -surface.dot(one, plane[1], mesh))
    return one, _times(two, 1.0 / np.sqrt(surface.dot(two, two, mesh)))


def _between(a: Place, b: Place, units: Vector) -> SurfaceDirection:
    return SurfaceDirection((b.profile - a.profile) / units[:-3], (b.ends - a.ends) / units[-3:])


def _times(a: SurfaceDirection, factor: float) -> SurfaceDirection:
    return SurfaceDirection(factor * a.states, factor * a.ends)


def _sum(a: SurfaceDirection, x: float, b: SurfaceDirection, y: float) -> SurfaceDirection:
    return SurfaceDirection(x * a.states + y * b.states, x * a.ends + y * b.ends)
