"""The curve of limit cycles of a flow in one parameter, followed in compiled chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab import progress
from dynlab.continuation.methods import ContinuationMethod, PseudoArclength
from dynlab.cycles.basis import basis_of, differences_of
from dynlab.cycles.problem import CycleProblem, Orbit, Solved
from dynlab.status import Status

__all__ = ["DEFAULT", "CycleNode", "CycleWalk", "Direction", "along", "walk"]

Vector = NDArray[np.float64]

#: Steps along a branch of cycles are longer than those along one of equilibria: each costs more.
DEFAULT = PseudoArclength(first_step=1e-2, step_max=0.1, angle=0.12, step_min=1e-7, max_points=4000)
#: Operations of a chunk: about 30 ms (measured: 3 to 5 Newton steps a point).
_CHUNK_OPERATIONS, _MOST_POINTS = 6e6, 64
_ANGLE_MAX = 0.5
#: The mesh gets more intervals where h^{m+1} |u^{(m+1)}| exceeds this: the period is then good to about
#: 1e-9 (measured on Hodgkin-Huxley, Jansen-Rit, Roessler, the Brusselator and FitzHugh-Nagumo).
_MESH_ERROR = 0.1
_FINER = 1.5
#: A mesh is rearranged where an interval has more than this many times its share of the error.
_UNEVEN = 1.5
#: Units follow the ranges of the states once they differ by this factor.
_OTHER_UNITS = 1.3


class Direction(NamedTuple):
    """A direction in the space of curves: of the states in units of each, of period and parameter in theirs."""

    states: Vector
    ends: Vector


@dataclass(frozen=True, slots=True)
class CycleNode:
    """One point of a branch of cycles."""

    orbit: Orbit
    tangent: float
    multipliers: NDArray[np.complex128]
    sign: float
    divergence: float

    @property
    def trivial_error(self) -> float:
        """How far the multiplier that must be 1 is from 1."""
        return float(np.min(np.abs(self.multipliers - 1.0)))

    @classmethod
    def of(cls, solved: Solved) -> CycleNode:
        """Return the node that a single solution describes."""
        return cls(
            solved.orbit, float(solved.direction_q[1]), solved.multipliers, solved.sign,
            solved.divergence,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class CycleWalk:
    """Where a walk along cycles starts, which way it goes, and where it must end."""

    problem: CycleProblem
    start: Orbit
    direction: Direction
    units: Vector
    over: tuple[float, float]
    longest: float
    method: ContinuationMethod
    most_intervals: int


def along(problem: CycleProblem, a: Orbit, b: Orbit, units: Vector) -> Direction:
    """Return the unit direction from one orbit to another on the same mesh."""
    from dynlab.kernels import cycles

    states = (b.profile - a.profile) / units[:-2]
    ends = np.array([(b.period - a.period) / units[-2], (b.value - a.value) / units[-1]])
    size = cycles.length(states, ends, a.mesh, basis_of(a.degree))
    return Direction(states / size, ends / size)


def walk(given: CycleWalk) -> Iterator[tuple[list[CycleNode], Status]]:
    """Yield the points of a walk in chunks of some 30 ms; the last status tells why it ended.

    How many points a chunk has follows from the size of the problem, not from the clock: units change
    between chunks, and a branch must not depend on how busy the machine is.
    """
    problem, orbit, direction = given.problem, given.start, given.direction
    units = given.units.copy()
    step, counters = np.array([given.method.first_step]), np.zeros(3, np.int64)
    capacity, taken = 0, 0
    status = Status.RUNNING
    while status is Status.RUNNING:
        capacity = max(1, min(4 * capacity, _most(orbit), given.method.max_points - taken))
        nodes, status, orbit, direction = _chunk(
            replace(given, start=orbit, direction=direction, units=units), step, counters, capacity
        )
        taken += len(nodes)
        if status is Status.RUNNING and taken >= given.method.max_points:
            status = Status.TOO_MANY_STEPS
        going_on = progress.tick(
            min(abs(orbit.value - given.start.value) / problem.span, 1.0), 1.0,
            f"{problem.vary} = {orbit.value:.4g}, period {orbit.period:.4g}",
        )  # fmt: skip
        if not going_on and status is Status.RUNNING:
            status = Status.STOPPED
        yield nodes, status
        if status is not Status.RUNNING:
            return
        finer = bool(counters[2]) and len(orbit.mesh) - 1 < given.most_intervals
        orbit, direction, units = _resized(problem, orbit, direction, units, finer=finer)


def _most(orbit: Orbit) -> int:
    """Return how many points a chunk may have: elimination costs the cube of an interval's unknowns."""
    unknowns = orbit.degree * orbit.profile.shape[1]
    operations = (len(orbit.mesh) - 1) * float(unknowns) ** 3
    return int(min(max(1.0, _CHUNK_OPERATIONS / operations), _MOST_POINTS))


def _resized(
    problem: CycleProblem, orbit: Orbit, direction: Direction, units: Vector, *, finer: bool
) -> tuple[Orbit, Direction, Vector]:
    """Return the state of a walk on a finer mesh if needed, and in units that fit what was reached."""
    states = direction.states
    if finer:
        count = int(_FINER * (len(orbit.mesh) - 1)) // 2 * 2
        fresh = orbit.spread(count, units[:-2])
        states = orbit._replace(profile=direction.states).on(fresh.mesh).profile
        orbit = fresh
    wanted = problem.units(orbit)
    ratio = wanted[:-2] / units[:-2]
    if np.any(ratio > _OTHER_UNITS):
        # Units only grow: a branch that shrinks to a point keeps its measure.
        new = np.concatenate([np.maximum(units[:-2], np.minimum(wanted[:-2], 4.0 * units[:-2])),
                              units[-2:]])  # fmt: skip
        states = states * (units[:-2] / new[:-2])
        units = new
    return orbit, Direction(states, direction.ends), units


def _chunk(
    given: CycleWalk, step: Vector, counters: NDArray[np.int64], capacity: int
) -> tuple[list[CycleNode], Status, Orbit, Direction]:
    """Take one compiled chunk of steps."""
    from dynlab.kernels import cycles as kernel

    problem, method, orbit, direction = given.problem, given.method, given.start, given.direction
    count, m, n = len(orbit.mesh) - 1, orbit.degree, orbit.profile.shape[1]
    basis = basis_of(m)
    size = kernel.length(direction.states, direction.ends, orbit.mesh, basis)
    profile, mesh = orbit.profile.copy(), orbit.mesh.copy()
    q, states, ends = (
        np.array([orbit.period, orbit.value]),
        direction.states / size,
        direction.ends / size,
    )
    scale = given.units.copy()
    settings = np.array([
        method.step_min, method.step_max, method.angle, _ANGLE_MAX, method.tolerance, 0.0,
        _MESH_ERROR, _UNEVEN,
    ])  # fmt: skip
    bounds = np.array([[0.0, given.longest], list(given.over)])
    profiles, meshes = np.empty((capacity, *profile.shape)), np.empty((capacity, count + 1))
    places, tangents = np.empty((capacity, 2)), np.empty((capacity, 2))
    values, facts = np.empty((capacity, n), complex), np.empty((capacity, 4))
    try:
        code = kernel.follow(
            *problem.addresses, tuple(problem.inputs()), problem.position, profile, q, mesh,
            states, ends, step, settings, scale, basis, differences_of(m), bounds, profiles,
            meshes, places, tangents, values, facts, counters,
        )  # fmt: skip
    except KeyboardInterrupt:
        code, counters[0] = Status.STOPPED, 0
    nodes = [
        CycleNode(
            Orbit(profiles[k].copy(), meshes[k].copy(), float(places[k, 0]), float(places[k, 1])),
            float(tangents[k, 1]), values[k].copy(), float(facts[k, 0]), float(facts[k, 1]),
        )
        for k in range(int(counters[0]))
    ]  # fmt: skip
    reached = Orbit(profile, mesh, float(q[0]), float(q[1]))
    return nodes, Status(code), reached, Direction(states, ends)
