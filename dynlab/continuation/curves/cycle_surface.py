"""The surface of cycles over two parameters, and the conditions that draw curves of bifurcations on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.cycles.basis import basis_of, differences_of
from dynlab.cycles.cycle import nontrivial
from dynlab.cycles.problem import range_of
from dynlab.kernels.convention import OK
from dynlab.symbolic.system import System

__all__ = ["CONDITIONS", "CycleSurface", "Place", "SurfaceDirection", "Sheet"]

Vector = NDArray[np.float64]

#: Multipliers with a smaller imaginary part, relatively, count as real.
_REAL = 1e-6


class Place(NamedTuple):
    """A cycle over two parameters: states on a mesh, and (period, first, second parameter)."""

    profile: Vector
    mesh: Vector
    ends: Vector

    @property
    def degree(self) -> int:
        """Degree of the polynomials."""
        return (len(self.profile) - 1) // (len(self.mesh) - 1)


class SurfaceDirection(NamedTuple):
    """A scaled direction: of the states, and of period and parameters."""

    states: Vector
    ends: Vector


class Sheet(NamedTuple):
    """A solution, with the tangent plane of the surface there."""

    place: Place
    plane: tuple[SurfaceDirection, SurfaceDirection]
    multipliers: NDArray[np.complex128]
    divergence: float
    mesh_error: float


@dataclass(frozen=True, slots=True)
class CycleSurface:
    """Cycles of a flow over two parameters.

    Parameters
    ----------
    system
        The flow; its own values of the two parameters are not used.
    vary
        The two parameters.
    spans
        Their units.
    """

    system: System
    vary: tuple[str, str]
    spans: tuple[float, float]

    def at(self, place: Place) -> System:
        """Return the system at a place."""
        return self.system(**dict(zip(self.vary, map(float, place.ends[1:]), strict=True)))

    def units(self, place: Place) -> Vector:
        """Return the units of states, period and parameters."""
        return np.concatenate([
            range_of(self.system, place.profile), [place.ends[0], *self.spans]
        ])  # fmt: skip

    def dot(self, a: SurfaceDirection, b: SurfaceDirection, mesh: Vector) -> float:
        """Return the inner product of two scaled directions."""
        rows = self._row(a, mesh)
        values = basis_of((len(a.states) - 1) // (len(mesh) - 1))[0]
        m, count = len(values), len(mesh) - 1
        blocks = np.stack([b.states[i * m : i * m + m + 1] for i in range(count)])
        at_points = np.einsum("ck,ikj->icj", values, blocks)
        return float(np.sum(rows * at_points) + a.ends @ b.ends)

    def _row(self, direction: SurfaceDirection, mesh: Vector) -> Vector:
        from dynlab.kernels import cycles

        m = (len(direction.states) - 1) // (len(mesh) - 1)
        row = np.empty((len(mesh) - 1, m, direction.states.shape[1]))
        cycles.arc_row(direction.states, mesh, basis_of(m), row)
        return row

    def solve(
        self, guess: Place, pins: tuple[SurfaceDirection, SurfaceDirection], units: Vector,
        goals: tuple[float, float] = (0.0, 0.0), tolerance: float = 1e-11,
    ) -> Sheet | None:  # fmt: skip
        """Return the cycle at given distances from a guess along two directions, or None."""
        from dynlab.kernels import cycle_surface, cycles, floquet, meshes

        m, count, n = guess.degree, len(guess.mesh) - 1, guess.profile.shape[1]
        basis, scale = basis_of(m), units.copy()
        scale[n] = guess.ends[0]
        phase = np.empty((count, m, n))
        cycles.phase_row(guess.profile, guess.mesh, scale, basis, phase)
        rows = np.stack([self._row(pin, guess.mesh) for pin in pins])
        rows_q = np.array([pin.ends for pin in pins])
        profile, ends = guess.profile.copy(), guess.ends.copy()
        work = np.empty((count, m * n + 3, (m + 1) * n + 4))
        kept = np.empty((count, n, 3 * n + 4))
        plane, plane_q, facts = np.empty((2, *profile.shape)), np.empty((2, 3)), np.empty(4)
        kernels, given = kernels_of(self.system), inputs_of(self.system)
        names = self.system.parameter_names
        status = cycle_surface.correct(
            kernels.rhs.address, kernels.jacobian(self.vary).address,
            tuple(given._replace(parameters=given.parameters.copy())),
            np.array([names.index(name) for name in self.vary]), profile, ends, guess.mesh, scale,
            basis, guess.profile, guess.ends, phase, rows, rows_q, np.array(goals), tolerance,
            work, kept, plane, plane_q, facts,
        )  # fmt: skip
        if status != OK or not np.all(np.isfinite(profile)):
            return None
        error = meshes.monitor(profile, guess.mesh, scale, differences_of(m), np.empty(count))
        first, second = (SurfaceDirection(plane[k], plane_q[k]) for k in range(2))
        return Sheet(
            Place(profile, guess.mesh, ends), (first, second),
            floquet.multipliers(work, m, n), float(facts[1]), float(error),
        )  # fmt: skip


def _fold(sheet: Sheet) -> float:
    """Return the determinant of the tangent plane's projection onto the parameters: 0 at a fold."""
    a, b = sheet.plane
    return float(a.ends[1] * b.ends[2] - a.ends[2] * b.ends[1])


def _flip(sheet: Sheet) -> float:
    """Return the real multiplier nearest to -1, plus 1."""
    real = _real(sheet.multipliers)
    return float(real[np.argmin(np.abs(real + 1.0))] + 1.0) if len(real) else np.nan


def _ring(sheet: Sheet) -> float:
    """Return the modulus of the complex multiplier nearest to the unit circle, minus 1."""
    values = sheet.multipliers
    pairs = values[values.imag > _REAL * np.maximum(np.abs(values), 1e-12)]
    if not len(pairs):
        return float("nan")
    return float(np.abs(pairs[np.argmin(np.abs(np.abs(pairs) - 1.0))]) - 1.0)


def _second(sheet: Sheet) -> float:
    """Return the real multiplier nearest to 1 after the trivial one, minus 1."""
    real = _real(nontrivial(sheet.multipliers))
    return float(real[np.argmin(np.abs(real - 1.0))] - 1.0) if len(real) else np.nan


def _real(values: NDArray[np.complex128]) -> Vector:
    return values[np.abs(values.imag) <= _REAL * np.maximum(np.abs(values), 1e-12)].real


#: What vanishes on a curve of each kind, by the word of its points.
CONDITIONS = {
    "fold": _fold, "period doubling": _flip, "torus point": _ring, "branch point": _second,
}  # fmt: skip
