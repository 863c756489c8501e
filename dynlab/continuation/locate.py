"""Special points by their own defining systems (minimally augmented; Newton with exact derivatives).

With f the residual of the curve (f^n - x for the cycles of a map), J its Jacobian, A = [J | f_l] and
bordered matrices (Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria, 2000, ch. 3-6;
Beyn et al., Handbook of Dynamical Systems 2, ch. 4; for maps Kuznetsov and Meijer, Numerical
Bifurcation Analysis of Maps, 2019, ch. 5):

fold             f = 0, g = 0            [J  w; v' 0] [q; g] = [0; 1]
period doubling  f = 0, g = 0            [J + 2  w; v' 0] [q; g] = [0; 1]
Hopf, torus      f = 0, Re s = Im s = 0  [J - c  w; v* 0] [q; s] = [0; 1], c = i omega, exp(i theta) - 1
branch point     f + b w = 0, g = 0      [A  w; V' 0] [Phi; g] = [0; I_2],  confirmed by b = 0

The derivative of a bordered scalar is minus (left vector) . D^2 f [., right vector].  A point that
does not converge, or violates its non-degeneracy condition, is not given its name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.curves.equilibrium import EquilibriumCurve

__all__ = [
    "Located",
    "Rejected",
    "locate_branch_point",
    "locate_flip",
    "locate_fold",
    "locate_pair",
]

Vector = NDArray[np.float64]

_ITERATIONS = 14
#: Newton's last step, relative to the scaled unknowns, that counts as located.
LOCATED = 1e-10
#: Two conditions count as met together (a fold that is a branch point) below this, relative.
_COINCIDENT = 1e-7
#: A pair of multipliers nearer than this to +1 or -1 (radians) meets there.
_MEETING = 1e-5
#: A solution whose multipliers are all further from -1 is none: the derivatives jump there.
_KINK = 1e-3


@dataclass(frozen=True, slots=True)
class Located:
    """A solution of a defining system: plain unknowns, extras, and the last relative step."""

    u: Vector
    accuracy: float
    angle: float = 0.0
    tangents: Vector | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why a suspected point is not what it seemed."""

    reason: str


System = Callable[[Vector], tuple[Vector, Vector]]


def _newton(equations: System, z: Vector) -> tuple[Vector, float]:
    """Return the root and the size of the last step (inf if it went astray)."""
    last = np.inf
    best, best_size = z, np.inf
    for _ in range(_ITERATIONS):
        try:
            value, derivative = equations(z)
            step = np.linalg.solve(derivative, -value)
        except np.linalg.LinAlgError:
            break
        size = float(np.max(np.abs(step)))
        if not np.isfinite(size) or size > 1e3:
            break
        z = z + step
        if size < best_size:
            best, best_size = z, size
        # Quadratic convergence ends at round-off, where the steps no longer shrink.
        if size < 1e-15 or (size < 1e-9 and size > 0.25 * last):
            break
        last = size
    return best, best_size


def _bordered_vectors(m: Vector) -> tuple[Vector, float, Vector]:
    """Return the right vector, the bordered scalar and the left vector."""
    n = len(m) - 1
    unit = np.zeros(n + 1)
    unit[n] = 1.0
    right = np.asarray(np.linalg.solve(m, unit), dtype=float)
    left = np.asarray(np.linalg.solve(m.T, unit), dtype=float)
    return right[:n], float(right[n]), left[:n]


def locate_fold(curve: EquilibriumCurve, guess: Vector) -> Located | Rejected:
    """Solve for a fold near a guess (plain unknowns)."""
    n = curve.size
    y, size = _newton(*_real_eigenvalue(curve, guess, 0.0))
    if size > LOCATED * max(1.0, float(np.max(np.abs(y)))):
        return Rejected(f"Newton's method on the fold equations stopped at a step of {size:.1e}")
    a = curve.jacobian(y)
    a = a / np.max(np.abs(a), axis=1)[:, None]  # equations in units of their own
    left, _, _ = np.linalg.svd(a[:, :n])
    if abs(left[:, -1] @ a[:, n]) <= _COINCIDENT * np.linalg.norm(a[:, n]):
        return Rejected("the parameter does not unfold the zero eigenvalue there")
    return Located(y * curve.scale, size)


def locate_flip(curve: EquilibriumCurve, guess: Vector) -> Located | Rejected:
    """Solve for a period doubling of a map near a guess (plain unknowns)."""
    y, size = _newton(*_real_eigenvalue(curve, guess, -2.0))
    if size > LOCATED * max(1.0, float(np.max(np.abs(y)))):
        return Rejected(
            f"Newton's method on the period-doubling equations stopped at a step of {size:.1e}"
        )
    if np.min(np.abs(curve.eigenvalues(y) + 1.0)) > _KINK:
        return Rejected("no multiplier is -1 there: the map has a kink")
    return Located(y * curve.scale, size)


def _real_eigenvalue(curve: EquilibriumCurve, guess: Vector, value: float) -> tuple[System, Vector]:
    """Return the equations for a real eigenvalue of the residual, and where to start."""
    y0 = guess / curve.scale
    n = curve.size
    moved = value * np.eye(n)
    left, _, right = np.linalg.svd(curve.jacobian(y0)[:, :n] - moved)
    w, v = left[:, -1], right[-1]
    identity = np.eye(n + 1)

    def equations(y: Vector) -> tuple[Vector, Vector]:
        a = curve.jacobian(y)
        bordered = np.block([[a[:, :n] - moved, w[:, None]], [v[None, :], np.zeros((1, 1))]])
        q, g, p = _bordered_vectors(bordered)
        joint = np.append(q, 0.0)
        slope = [-p @ curve.second(y, joint, e) for e in identity]
        return np.append(curve.residual(y), g), np.vstack([a, slope])

    return equations, y0


def locate_pair(curve: EquilibriumCurve, guess: Vector, value: complex) -> Located | Rejected:
    """Solve for a Hopf or torus point near a guess, for the pair near an eigenvalue."""
    y0 = guess / curve.scale
    n = curve.size
    a0 = curve.jacobian(y0)[:, :n]
    right, left = _pair_vectors(a0, value - curve.shift)
    identity = np.eye(n + 1)

    def equations(z: Vector) -> tuple[Vector, Vector]:
        y = z[:-1]
        a = curve.jacobian(y)
        neutral, turn = curve.boundary(z[-1])
        bordered = np.block([
            [a[:, :n] - neutral * np.eye(n), left[:, None]],
            [right.conj()[None, :], np.zeros((1, 1))],
        ])  # fmt: skip
        unit = np.zeros(n + 1)
        unit[n] = 1.0
        q = np.linalg.solve(bordered, unit)
        p = np.linalg.solve(bordered.conj().T, unit)[:n].conj()
        joint = np.append(q[:n], 0.0)
        slope = np.array([-p @ curve.second(y, joint, e) for e in identity] + [turn * (p @ q[:n])])
        top = np.hstack([a, np.zeros((n, 1))])
        value = np.concatenate([curve.residual(y), [q[n].real, q[n].imag]])
        return value, np.vstack([top, slope.real, slope.imag])

    z, size = _newton(equations, np.append(y0, curve.angle(value)))
    y, omega = z[:-1], abs(float(z[-1]))
    if size > LOCATED * max(1.0, float(np.max(np.abs(z)))):
        word = "torus" if curve.shift else "Hopf"
        return Rejected(f"Newton's method on the {word} equations stopped at a step of {size:.1e}")
    if curve.shift:
        return _torus(y * curve.scale, size, curve.angle(np.exp(1j * omega)))
    eigenvalues = np.linalg.eigvals(curve.jacobian(y)[:, :n])
    if omega < 1e-6 * float(np.max(np.abs(eigenvalues))):
        return Rejected("the pair meets zero: a double zero eigenvalue, not a Hopf point")
    return Located(y * curve.scale, size, omega)


def _torus(u: Vector, size: float, angle: float) -> Located | Rejected:
    """Return a solution of the torus equations unless it is a strong resonance on the real axis."""
    if angle < _MEETING:
        return Rejected("the pair meets +1 (1:1 resonance), not a torus point")
    if np.pi - angle < _MEETING:
        return Rejected("the pair meets -1 (1:2 resonance), not a torus point")
    return Located(u, size, angle)


def _pair_vectors(
    a: Vector, value: complex
) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Return unit right and left eigenvectors for the eigenvalue nearest to a value."""
    vectors = []
    for matrix, wanted in ((a, value), (a.T, value.conjugate())):
        values, columns = np.linalg.eig(matrix.astype(complex))
        column = columns[:, np.argmin(np.abs(values - wanted))]
        vectors.append(column / np.linalg.norm(column))
    return vectors[0], vectors[1]


def locate_branch_point(curve: EquilibriumCurve, guess: Vector) -> Located | Rejected:
    """Solve for a branch point near a guess; also return the directions of both branches."""
    y0 = guess / curve.scale
    n = curve.size
    left, _, right = np.linalg.svd(curve.jacobian(y0))
    w, v = left[:, -1], right[-2:]
    identity = np.eye(n + 1)

    def vectors(y: Vector) -> tuple[Vector, Vector, Vector, Vector]:
        a = curve.jacobian(y)
        bordered = np.block([[a, w[:, None]], [v, np.zeros((2, 1))]])
        ends = np.zeros((n + 2, 2))
        ends[n:] = np.eye(2)
        phi = np.linalg.solve(bordered, ends)
        psi = np.linalg.solve(bordered.T, np.append(np.zeros(n + 1), 1.0))
        return a, phi[: n + 1], phi[n + 1], psi[:n]

    def equations(z: Vector) -> tuple[Vector, Vector]:
        y, b = z[:-1], z[-1]
        a, phi, g, psi = vectors(y)
        slope = np.array([
            [-psi @ curve.second(y, phi[:, i], e) for e in identity] + [0.0] for i in range(2)
        ])  # fmt: skip
        top = np.hstack([a, w[:, None]])
        return np.concatenate([curve.residual(y) + b * w, g]), np.vstack([top, slope])

    z, size = _newton(equations, np.append(y0, 0.0))
    y, b = z[:-1], float(z[-1])
    if size > LOCATED * max(1.0, float(np.max(np.abs(y)))):
        return Rejected(
            f"Newton's method on the branch-point equations stopped at a step of {size:.1e}"
        )
    a, phi, _, psi = vectors(y)
    basis, _ = np.linalg.qr(phi)
    form = np.array([
        [psi @ curve.second(y, basis[:, i], basis[:, j]) for j in range(2)] for i in range(2)
    ])  # fmt: skip
    # b is the distance between the two pieces, as a rate: to be compared with what the linear and
    # quadratic terms give over a unit of the scaled unknowns.
    if abs(b) > 1e-9 * max(float(np.linalg.norm(a)), float(np.linalg.norm(form))):
        return Rejected("the branches pass close by each other but do not cross")
    tangents = _crossing_directions(basis, form)
    if isinstance(tangents, Rejected):
        return tangents
    return Located(y * curve.scale, size, tangents=tangents * curve.scale)


def _crossing_directions(basis: Vector, form: Vector) -> Vector | Rejected:
    """Solve the algebraic branching equation psi . D^2 f [t, t] = 0 in the null space."""
    values, axes = np.linalg.eigh(0.5 * (form + form.T))
    if not values[0] < -1e-12 * abs(values[1]) or not values[1] > 1e-12 * abs(values[0]):
        return Rejected("the branching equation has no two real directions")
    along, across = np.sqrt(values[1]) * axes[:, 0], np.sqrt(-values[0]) * axes[:, 1]
    directions = np.array([basis @ (along + across), basis @ (along - across)])
    return np.asarray(directions / np.linalg.norm(directions, axis=1)[:, None])
