"""The boundary-value problem of a cycle, as Python calls the compiled collocation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import Inputs, inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.cycles.basis import Basis, basis_of, differences_of
from dynlab.kernels.convention import OK
from dynlab.symbolic.dynamics import Autonomous, Continuous, require
from dynlab.symbolic.quantities import Domain
from dynlab.symbolic.system import System

__all__ = ["PARAMETER", "PERIOD", "CycleProblem", "Orbit", "Solved", "range_of"]

Vector = NDArray[np.float64]

#: What is held, of (period, parameter).
PERIOD, PARAMETER = 0, 1
#: A state that never moves has this part of its own size as a unit.
_STILL = 0.05
#: A state this small beside the others is 0.
_NOTHING = 1e-15


class Orbit(NamedTuple):
    """A closed curve on a mesh: states at m + 1 equidistant places of each interval, period, parameter."""

    profile: Vector
    mesh: Vector
    period: float
    value: float

    @property
    def degree(self) -> int:
        """Degree of the polynomials."""
        return (len(self.profile) - 1) // (len(self.mesh) - 1)

    @property
    def places(self) -> Vector:
        """Where in the period, from 0 to 1, the rows of the profile stand."""
        m = self.degree
        inner = self.mesh[:-1, None] + np.diff(self.mesh)[:, None] * (np.arange(m) / m)
        return np.append(inner.ravel(), 1.0)

    def at(self, places: Vector) -> Vector:
        """Return the states at places between 0 and 1, a row each."""
        m, count = self.degree, len(self.mesh) - 1
        interval = np.clip(np.searchsorted(self.mesh, places, side="right") - 1, 0, count - 1)
        s = (places - self.mesh[interval]) / np.diff(self.mesh)[interval] * m
        total = np.zeros((len(places), self.profile.shape[1]))
        for a in range(m + 1):
            weight = np.ones(len(places))
            for b in range(m + 1):
                if b != a:
                    weight *= (s - b) / (a - b)
            total += weight[:, None] * self.profile[interval * m + a]
        return total

    def traced(self, each: int) -> tuple[Vector, Vector]:
        """Return places, so many in each interval, and the states there; at a jump those before and after it."""
        inner = self.mesh[:-1, None] + np.diff(self.mesh)[:, None] * (np.arange(each) / each)
        places = np.append(inner.ravel(), 1.0)
        states = self.at(places)
        jumps = np.flatnonzero(np.diff(self.mesh) == 0.0)
        states[jumps * each] = self.profile[jumps * self.degree]
        # Of the places in an interval of length zero one will do.
        kept = np.ones(len(places), bool)
        kept[(jumps[:, None] * each + np.arange(1, each)).ravel()] = False
        return places[kept], states[kept]

    def spread(self, intervals: int, scale: Vector) -> Orbit:
        """Return the orbit on a mesh that spreads the error evenly over so many intervals."""
        from dynlab.kernels import meshes

        density = np.empty(len(self.mesh) - 1)
        meshes.monitor(self.profile, self.mesh, scale, differences_of(self.degree), density)
        fresh = np.empty(intervals + 1)
        meshes.spread_evenly(self.mesh, density, fresh)
        return self.on(fresh)

    def on(self, mesh: Vector) -> Orbit:
        """Return the orbit on another mesh."""
        from dynlab.kernels import meshes

        profile = np.empty(((len(mesh) - 1) * self.degree + 1, self.profile.shape[1]))
        meshes.interpolate(self.profile, self.mesh, mesh, profile)
        return self._replace(profile=profile, mesh=mesh)


class Solved(NamedTuple):
    """A solution of the boundary-value problem, and what the last linear system tells of it.

    The direction (of the states, and of period and parameter) is the scaled tangent of the branch.
    """

    orbit: Orbit
    multipliers: NDArray[np.complex128]
    sign: float
    divergence: float
    step: float
    mesh_error: float
    direction: Vector
    direction_q: Vector
    work: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CycleProblem:
    """Cycles of a flow over one parameter.

    Parameters
    ----------
    system
        The flow; its own value of the parameter is not used.
    vary
        The parameter; empty if none is varied.
    span
        Unit of the parameter.
    """

    system: System
    vary: str
    span: float

    def __post_init__(self) -> None:
        require(self.system, Continuous, Autonomous)

    @property
    def position(self) -> int:
        """Position of the parameter."""
        return self.system.parameter_names.index(self.vary) if self.vary else -1

    @property
    def addresses(self) -> tuple[int, int]:
        """Where the compiled right-hand side and its derivatives stand."""
        kernels = kernels_of(self.system)
        active = (self.vary,) if self.vary else ()
        return kernels.rhs.address, kernels.jacobian(active).address

    def inputs(self) -> Inputs:
        """Return what the kernels are given beside the states."""
        given = inputs_of(self.system)
        return given._replace(parameters=given.parameters.copy())

    def at(self, value: float) -> System:
        """Return the system at a value of the parameter."""
        return self.system(**{self.vary: float(value)}) if self.vary else self.system

    def units(self, orbit: Orbit) -> Vector:
        """Return the units of the states, the period and the parameter."""
        return np.concatenate([range_of(self.system, orbit.profile), [orbit.period, self.span]])

    def solve(
        self, guess: Orbit, *, held: int = PARAMETER, row: tuple[Vector, Vector] | None = None,
        tolerance: float = 1e-11, units: Vector | None = None,
    ) -> Solved | None:  # fmt: skip
        """Return the cycle near a guess, or None.

        The parameter is held, or the period; or with `row`, a scaled direction, the place along that.
        """
        from dynlab.kernels import collocation, cycles, floquet, meshes

        scale = self.units(guess) if units is None else units.copy()
        scale[-2] = guess.period
        basis: Basis = basis_of(guess.degree)
        count, m, n = len(guess.mesh) - 1, guess.degree, guess.profile.shape[1]
        phase, arc = np.empty((count, m, n)), np.zeros((count, m, n))
        cycles.phase_row(guess.profile, guess.mesh, scale, basis, phase)
        arc_q = np.array([held == PERIOD, held == PARAMETER], float)
        if row is not None:
            cycles.arc_row(row[0], guess.mesh, basis, arc)
            arc_q = row[1]
        profile, q = guess.profile.copy(), np.array([guess.period, guess.value])
        work = np.empty((count, m * n + 2, (m + 1) * n + 3))
        kept = np.empty((count, n, 3 * n + 3))
        direction, direction_q, facts = np.empty(profile.shape), np.empty(2), np.empty(4)
        rhs, jacobian = self.addresses
        status = collocation.correct(
            rhs, jacobian, tuple(self.inputs()), self.position, profile, q, guess.mesh, scale,
            basis, guess.profile, q.copy(), phase, arc, arc_q, 0.0, tolerance, work, kept,
            direction, direction_q, facts,
        )  # fmt: skip
        if status != OK or not np.all(np.isfinite(profile)):
            return None
        error = meshes.monitor(profile, guess.mesh, scale, differences_of(m), np.empty(count))
        size = cycles.length(direction, direction_q, guess.mesh, basis)
        return Solved(
            Orbit(profile, guess.mesh, float(q[0]), float(q[1])), floquet.multipliers(work, m, n),
            float(facts[0]), float(facts[1]), float(facts[2]), float(error), direction / size,
            direction_q / size, work,
        )  # fmt: skip


def range_of(system: System, profile: Vector) -> Vector:
    """Return the unit of each state: the range on the cycle; for one that hardly moves part of its size."""
    moved = np.ptp(profile, axis=0)
    size = _STILL * np.max(np.abs(profile), axis=0)
    circle = np.array([d is Domain.CIRCLE for d in system.domains])
    unit = np.where(circle, 2.0 * np.pi, np.maximum(moved, size))
    # What decays to 1e-130 beside states of size 1 rests at 0, and its size is no unit.
    return np.where(unit > _NOTHING * np.max(unit, initial=0.0), unit, 1.0)
