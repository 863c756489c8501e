"""The curve of cycles with events of one itinerary, in one parameter.

Steps are those of every pseudo-arclength continuation (predict along the tangent t, correct on the plane
t . y = const, new tangent from [J; t'] t = e), on the equations of `dynlab.cycles.hybrid`.  A step costs some
three turns of the variational equation, a few milliseconds, so Python drives.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab import progress
from dynlab.continuation.methods import ContinuationMethod
from dynlab.cycles.hybrid import HybridProblem, Tour
from dynlab.cycles.itinerary import followed
from dynlab.cycles.passage import Corner, Lost, Passages
from dynlab.cycles.problem import PARAMETER, PERIOD, Orbit, range_of
from dynlab.cycles.profile import polynomials
from dynlab.errors import ComputationError
from dynlab.names import Layout
from dynlab.solve.integrate import integrate
from dynlab.solve.trajectory import Trajectory
from dynlab.status import Status

__all__ = [
    "HybridNode",
    "HybridSpan",
    "HybridWalk",
    "hybrid_walk",
    "log_volume",
    "node_at",
    "profile_of",
    "tangent_at",
]

Vector = NDArray[np.float64]

_ANGLE_MAX, _DRIFT = 0.5, 0.3
#: Newton's step at which a cycle has been solved with more cuts.
_SHARP = 1e-9
#: Polynomials follow the cycles of a branch to this part of the units, those of special points to the second.
_FOLLOWED, _CLOSELY = 1e-7, 1e-9
#: Units follow what the states and the period have grown to once they differ by this factor.
_OTHER_UNITS = 1.3


@dataclass(frozen=True, slots=True)
class HybridNode:
    """One point of a branch of cycles with events: the unknowns, and what is kept of them.

    `finer` is the same point with more cuts, where the walk went on with these.
    """

    problem: HybridProblem
    unknowns: Vector
    direction: Vector
    orbit: Orbit
    multipliers: NDArray[np.complex128]
    sign: float
    sequence: bool = True
    finer: tuple[HybridProblem, Vector] | None = None

    @property
    def tangent(self) -> float:
        """The parameter's part of the direction."""
        return float(self.direction[-1])

    @property
    def divergence(self) -> float:
        """The logarithm of the modulus of the multipliers' product."""
        return log_volume(self.multipliers)

    @property
    def trivial_error(self) -> float:
        """How far the multiplier that must be 1 is from 1."""
        return float(np.min(np.abs(self.multipliers - 1.0)))

    @property
    def forms(self) -> list[tuple[HybridProblem, Vector]]:
        """The equations and unknowns with which the walk came, and went on."""
        came = self.problem, self.unknowns
        return [came] if self.finer is None else [came, self.finer]

    def turned(self) -> HybridNode:
        """Return the same point of the branch followed the other way."""
        return replace(self, direction=-self.direction, sign=-self.sign)


class HybridWalk(NamedTuple):
    """Where a walk begins (the direction plain), and where it must end."""

    first: HybridNode
    direction: Vector
    over: tuple[float, float]
    longest: float
    method: ContinuationMethod


def log_volume(multipliers: NDArray[np.complex128]) -> float:
    """Return the logarithm of the modulus of the product of multipliers; minus infinity if one is zero."""
    with np.errstate(divide="ignore"):
        return float(np.sum(np.log(np.abs(multipliers))))


def tangent_at(tour: Tour, border: Vector) -> tuple[Vector, float]:
    """Return the unit tangent with border . tangent > 0 (scaled), and the sign of the determinant."""
    matrix = np.vstack([tour.matrix, border])
    unit = np.zeros(len(border))
    unit[-1] = 1.0
    try:
        tangent = np.linalg.solve(matrix, unit)
    except np.linalg.LinAlgError:
        return border, 0.0
    return tangent / np.linalg.norm(tangent), float(np.linalg.slogdet(matrix)[0])


def node_at(
    problem: HybridProblem, u: Vector, tour: Tour, direction: Vector, sign: float
) -> HybridNode:
    """Return the point of a branch; `sequence` tells whether its events are those that the system has."""
    orbit = _run(problem, u, tour)
    kept = orbit is not None
    orbit = orbit or profile_of(problem, u, tour)
    return HybridNode(problem, u, direction, orbit, problem.multipliers(tour), sign, kept)


def _run(problem: HybridProblem, u: Vector, tour: Tour) -> Orbit | None:
    """Return the curve that the system itself runs through, or None if its events are others."""
    system, units = problem.at(u[-1]), problem.units[:-2]
    passages = Passages(system, units, problem.method, problem.period(u))
    stretches, starts = problem.itinerary.stretches, problem.itinerary.starts
    ends = np.array([leg.end for leg in tour.legs])
    runs = []
    for begin, stop in itertools.pairwise((*starts, problem.count)):
        length = float(np.sum(problem.durations(u)[begin:stop]))
        try:
            run = passages.run(problem.states(u)[begin], length)
        except (Lost, ComputationError):
            return None
        if not followed(stretches[begin:stop], run, ends[begin:stop], units):
            return None
        runs.append(run)
    return _through(problem, u, tour, starts, runs, _FOLLOWED)


def profile_of(problem: HybridProblem, u: Vector, tour: Tour) -> Orbit:
    """Return the curve from its stretches, closely, whatever other events the system has on the way."""
    runs = []
    for k, (x, length) in enumerate(zip(problem.states(u), problem.durations(u), strict=True)):
        smooth = problem.smooth(k, float(u[-1]))
        start = Layout.of(smooth).unpack(x)
        runs.append(integrate(smooth, start=start, duration=float(length), method=problem.method))
    return _through(problem, u, tour, range(problem.count), runs, _CLOSELY)


def _through(
    problem: HybridProblem, u: Vector, tour: Tour, starts: Sequence[int], runs: Sequence[Trajectory],
    closely: float,
) -> Orbit:  # fmt: skip
    """Return the curve of some runs, each of which begins with a stretch."""
    edges = _edges(problem, u, tour)
    begins = np.array([edges[k].time for k in starts])

    def at(times: Vector) -> Vector:
        k = max(int(np.searchsorted(begins, 0.5 * (times[0] + times[-1]))) - 1, 0)
        return np.asarray(runs[k].at(np.clip(times - begins[k], 0.0, runs[k].end[0])).values)

    knots, rows = polynomials(edges, at, problem.units[:-2], problem.period(u), closely)
    mesh = knots / knots[-1]
    mesh[-1] = 1.0
    return Orbit(np.ascontiguousarray(rows), mesh, problem.period(u), float(u[-1]))


def _edges(problem: HybridProblem, u: Vector, tour: Tour) -> list[Corner]:
    """Return where the curve may jump or bend."""
    times, states = np.cumsum(problem.durations(u)), problem.states(u)
    ends = [leg.end for leg in tour.legs]
    inner = [Corner(float(t), y, x) for t, y, x in zip(times[:-1], ends, states[1:], strict=False)]
    smooth = [
        edge._replace(after=edge.before) if not each.events else edge
        for edge, each in zip(inner, problem.itinerary.stretches, strict=False)
    ]
    last = states[0] + problem.turns
    return [Corner(0.0, states[0], states[0]), *smooth, Corner(float(times[-1]), last, last)]


def hybrid_walk(given: HybridWalk) -> Iterator[tuple[HybridNode, Status]]:
    """Yield the points of a walk, each with the status it leaves; a node whose sequence is another is the last."""
    node, method = given.first, given.method
    problem, step = node.problem, method.first_step
    scale = problem.scale
    y, tangent = node.unknowns / scale, given.direction / scale
    tangent = tangent / np.linalg.norm(tangent)
    for taken in range(method.max_points):
        found = _step(problem, method, y, tangent, step)
        if isinstance(found, Status):
            yield node, found
            return
        new, tour, turned, sign, step, grow = found
        status = Status.RUNNING
        landed = _landed(given, problem, y, new, method.tolerance)
        if landed is not None:
            new, tour, status = landed
            turned, sign = tangent_at(tour, tangent)
        node = node_at(problem, new * scale, tour, turned, sign)
        if not node.sequence:
            status = Status.EVENT
        elif status is Status.RUNNING and taken + 1 == method.max_points:
            status = Status.TOO_MANY_STEPS
        going_on = progress.tick(
            min(abs(node.orbit.value - given.first.orbit.value) / problem.units[-1], 1.0), 1.0,
            f"{problem.vary} = {node.orbit.value:.4g}, period {node.orbit.period:.4g}",
        )  # fmt: skip
        if not going_on and status is Status.RUNNING:
            status = Status.STOPPED
        if node.sequence and (finer := sharpened(problem, new * scale, tour)) is not None:
            node = replace(node, finer=finer[:2])
        yield node, status
        if status is not Status.RUNNING:
            return
        y, tangent = new, turned
        if node.finer is not None:
            problem, u = node.finer
            scale = problem.scale
            y, tangent = u / scale, _again(problem, u, tangent[-1])
        step = min(method.step_max, max(method.step_min, step * grow))
        fresh = _resized(problem, node.orbit)
        if fresh is not problem:
            plain = tangent * scale
            y, scale, problem = y * scale / fresh.scale, fresh.scale, fresh
            tangent = plain / scale / np.linalg.norm(plain / scale)


def sharpened(
    problem: HybridProblem, u: Vector, tour: Tour
) -> tuple[HybridProblem, Vector, Tour] | None:
    """Return a cycle with its stretches cut until deviations grow little along each; None if they do."""
    finer: tuple[HybridProblem, Vector, Tour] | None = None
    while (halved := problem.sharper(u, tour)) is not None:
        problem, guess = halved
        row, scale = problem.row_of(PARAMETER), problem.scale
        found = problem.solve(guess, row, float(guess[-1] / scale[-1]), _SHARP)
        if found is None:
            break
        u, tour = found
        finer = problem, u, tour
    return finer


def _again(problem: HybridProblem, u: Vector, going: float) -> Vector:
    """Return the unit tangent, along which the parameter goes as before."""
    tangent = np.linalg.svd(problem.tour(u).matrix)[2][-1]
    return np.asarray(tangent * np.sign(tangent[-1] * going))


def _resized(problem: HybridProblem, orbit: Orbit) -> HybridProblem:
    """Return the problem in units that fit what was reached; they only grow, the period's follows."""
    old = problem.units
    states = np.maximum(old[:-2], range_of(problem.system, orbit.profile))
    wanted = np.concatenate([states, [orbit.period, old[-1]]])
    ratio = wanted / old
    if np.all((ratio < _OTHER_UNITS) & (ratio > 1.0 / _OTHER_UNITS)):
        return problem
    return replace(problem, units=wanted)


def _step(
    problem: HybridProblem, method: ContinuationMethod, y: Vector, tangent: Vector, step: float
) -> tuple[Vector, Tour, Vector, float, float, float] | Status:
    """Return the next point, its tour and tangent, the determinant's sign, the step and how it may grow."""
    held, scale, row = method.holds_parameter, problem.scale, tangent
    if held:
        row = problem.row_of(PARAMETER)
    while True:
        guess = y + step * tangent
        if held:
            guess = y + step / max(abs(tangent[-1]), 1e-12) * tangent
        smallest = step <= method.step_min * 1.0001
        found = problem.solve(guess * scale, row, float(row @ guess), method.tolerance)
        if found is not None:
            new, tour = found[0] / scale, found[1]
            turned, sign = tangent_at(tour, tangent)
            if held and turned[-1] * tangent[-1] <= 0:
                return Status.FOLD_IN_PARAMETER
            angle = float(np.arccos(min(1.0, float(turned @ tangent))))
            drift = float(np.linalg.norm(new - guess))
            if smallest or not (angle > _ANGLE_MAX or drift > _DRIFT * step):
                return (
                    new,
                    tour,
                    turned,
                    sign,
                    step,
                    min(2.0, max(0.5, method.angle / max(angle, 1e-12))),
                )
        elif smallest:
            return Status.FOLD_IN_PARAMETER if held else Status.NOT_CONVERGED
        step = max(method.step_min, 0.5 * step)


def _landed(
    given: HybridWalk, problem: HybridProblem, y: Vector, new: Vector, tolerance: float
) -> tuple[Vector, Tour, Status] | None:
    """Return the point on the first bound that a step has passed; None if it has passed none."""
    at_parameter, total = problem.row_of(PARAMETER), problem.row_of(PERIOD)
    low, high = given.over
    best: tuple[float, Vector, float, Status] | None = None
    for row, bound, status, beyond in (
        (at_parameter, low / problem.units[-1], Status.PARAMETER_BOUND, -1.0),
        (at_parameter, high / problem.units[-1], Status.PARAMETER_BOUND, 1.0),
        (total, given.longest / problem.units[-2], Status.PERIOD_BOUND, 1.0),
    ):
        before, after = float(row @ y), float(row @ new)
        if beyond * (after - bound) > 0 and after != before:
            share = max((bound - before) / (after - before), 0.0)
            if best is None or share < best[0]:
                best = share, row, bound, status
    if best is None:
        return None
    share, row, bound, status = best
    found = problem.solve((y + share * (new - y)) * problem.scale, row, bound, tolerance)
    if found is None:
        return None
    return found[0] / problem.scale, found[1], status


@dataclass(frozen=True, slots=True)
class HybridSpan:
    """The piece of a branch between two points, as a function of the chord from 0 to 1."""

    problem: HybridProblem
    a: Vector
    b: Vector
    tolerance: float

    @classmethod
    def between(cls, a: HybridNode, b: HybridNode, tolerance: float) -> HybridSpan:
        """Return the span between neighbours, in the equations that both have."""
        for _, first in a.forms:
            for problem, last in b.forms:
                if len(first) == len(last):
                    return cls(problem, first, last, tolerance)
        raise ValueError

    @property
    def chord(self) -> Vector:
        """The unit direction from the first to the last, scaled."""
        way = (self.b - self.a) / self.problem.scale
        return np.asarray(way / np.linalg.norm(way))

    def at(self, s: float) -> tuple[Vector, Tour] | None:
        """Return the cycle over a place of the chord."""
        guess = self.a + s * (self.b - self.a)
        row = self.chord
        value = float(row @ (guess / self.problem.scale))
        return self.problem.solve(guess, row, value, self.tolerance)
