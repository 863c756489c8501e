"""Normal-form coefficients at folds, Hopf points, branch points, period doublings and torus points.

Notation of Kuznetsov, Elements of Applied Bifurcation Theory, 3rd ed., chapter 5: A is the Jacobian,
B and C the second and third multilinear derivatives, A q = lambda q, A' p = conj(lambda) p, and
q of unit length, <p, q> = conj(p) . q = 1, all in the system's own units.

For cycles of a map A, B and C are those of f^n at the point of the cycle that is given; so the size of
a coefficient depends on which point of the cycle that is, its sign does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.curves.equilibrium import EquilibriumCurve
from dynlab.continuation.points import resonance

__all__ = [
    "BranchPointForm",
    "FlipForm",
    "HopfForm",
    "TorusForm",
    "branch_point_form",
    "flip_form",
    "fold_coefficient",
    "hopf_form",
    "torus_form",
]

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HopfForm:
    """l1, the speed of the crossing pair, and the unit eigenvector."""

    lyapunov_coefficient: float
    crossing_speed: complex
    eigenvector: NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class FlipForm:
    """b, the speed of the crossing multiplier, and the unit eigenvector."""

    coefficient: float
    crossing_speed: float
    eigenvector: Vector


@dataclass(frozen=True, slots=True)
class TorusForm:
    """d, the speed of the crossing pair, and the unit eigenvector."""

    coefficient: float
    crossing_speed: complex
    eigenvector: NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class BranchPointForm:
    """Coefficients of x' = b mu x + a x^2 + c x^3 and the name of the point."""

    kind: str
    coefficients: tuple[float, float, float]


def _null_pair(a: Vector) -> tuple[Vector, Vector]:
    """Return the right and left null vectors, q of unit length with <p, q> = 1."""
    left, _, right = np.linalg.svd(a)
    q, p = right[-1], left[:, -1]
    q = q * np.sign(q[np.argmax(np.abs(q))])
    return q, p / (p @ q) if abs(p @ q) > 1e-12 else p * np.nan


def _joint(vector: NDArray[Any], parameter: float = 0.0) -> NDArray[Any]:
    """Append the parameter's component to a direction of states."""
    return np.append(vector, parameter)


def fold_coefficient(curve: EquilibriumCurve, u: Vector) -> float:
    """Return a = <p, B(q, q)> / 2 (Kuznetsov eq. 5.43); nan at a double zero, where <p, q> = 0."""
    plain = curve.scaled(1.0)
    q, p = _null_pair(plain.jacobian(u)[:, :-1])
    return float(p @ plain.second(u, _joint(q), _joint(q)) / 2.0)


def hopf_form(curve: EquilibriumCurve, u: Vector, omega: float) -> HopfForm:
    """Return l1 by the invariant formula (Kuznetsov eq. 5.62) and d lambda / d parameter.

    l1 = Re <p, C(q,q,q*) - 2 B(q, A^-1 B(q,q*)) + B(q*, (2 i omega - A)^-1 B(q,q))> / (2 omega)
    """
    plain = curve.scaled(1.0)
    joint = plain.jacobian(u)
    a, by_parameter = joint[:, :-1], joint[:, -1]
    q = _eigenvector(a, 1j * omega)
    p = _eigenvector(a.T, -1j * omega)
    p = p / np.conj(np.vdot(p, q))
    conjugate = q.conj()

    def second(v: NDArray[Any], w: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(plain.second(u, _joint(v), _joint(w)))

    h11 = np.linalg.solve(a, second(q, conjugate))
    h20 = np.linalg.solve(2j * omega * np.eye(len(a)) - a, second(q, q))
    terms = plain.third(u, q, q, conjugate), -2.0 * second(q, h11), second(conjugate, h20)
    drift = -np.linalg.solve(a, by_parameter)
    speed = np.vdot(p, plain.second(u, _joint(drift, 1.0), _joint(q)))
    # The terms cancel to round-off at a Bautin point, and where the cycles are a vertical family.
    first = _or_zero(p, *terms).real / (2.0 * omega)
    return HopfForm(first, complex(speed), q)


def flip_form(curve: EquilibriumCurve, u: Vector) -> FlipForm:
    """Return b of x -> -x + b x^3 (Kuznetsov, section 5.4: maps) and d multiplier / d parameter.

    b = <p, C(q,q,q) + 3 B(q, (1 - A)^-1 B(q,q))> / 6; nan where both multipliers are -1.
    """
    plain = curve.scaled(1.0)
    joint = plain.jacobian(u)
    a, by_parameter = joint[:, :-1], joint[:, -1]
    q, p = _null_pair(a + 2.0 * np.eye(len(a)))
    square = plain.second(u, _joint(q), _joint(q))
    bend = np.linalg.solve(-a, square)
    terms = plain.third(u, q, q, q), 3.0 * plain.second(u, _joint(q), _joint(bend))
    drift = -np.linalg.solve(a, by_parameter)
    speed = float(p @ plain.second(u, _joint(drift, 1.0), _joint(q)))
    return FlipForm(_or_zero(p, *terms).real / 6.0, speed, q)


def torus_form(curve: EquilibriumCurve, u: Vector, angle: float) -> TorusForm:
    """Return d of z -> exp(i theta) z (1 + (d + i e) |z|^2) and d multiplier / d parameter.

    d = Re exp(-i theta) <p, C(q,q,q*) + 2 B(q, (1 - A)^-1 B(q,q*))
                             + B(q*, (exp(2 i theta) - A)^-1 B(q,q))> / 2
    (Kuznetsov, section 5.4: maps); nan at the 1:3 resonance, where the matrix is singular.
    """
    plain = curve.scaled(1.0)
    joint = plain.jacobian(u)
    a, by_parameter = joint[:, :-1], joint[:, -1]
    identity = np.eye(len(a))
    turn = np.exp(1j * angle)
    q = _eigenvector(a, turn - 1.0)
    p = _eigenvector(a.T, turn.conjugate() - 1.0)
    p = p / np.conj(np.vdot(p, q))
    conjugate = q.conj()

    def second(v: NDArray[Any], w: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(plain.second(u, _joint(v), _joint(w)))

    drift = -np.linalg.solve(a, by_parameter)
    speed = complex(np.vdot(p, plain.second(u, _joint(drift, 1.0), _joint(q))))
    if resonance(angle) == 3:
        return TorusForm(float("nan"), speed, q)
    h11 = np.linalg.solve(-a, second(q, conjugate))
    h20 = np.linalg.solve((turn**2 - 1.0) * identity - a, second(q, q))
    terms = plain.third(u, q, q, conjugate), 2.0 * second(q, h11), second(conjugate, h20)
    left = p * turn  # conj(left) = exp(-i theta) conj(p)
    return TorusForm(_or_zero(left, *terms).real / 2.0, speed, q)


def _or_zero(p: NDArray[Any], *terms: NDArray[Any]) -> complex:
    """Return the sum of <p, term>; exactly 0 where the terms cancel to round-off."""
    total = complex(np.vdot(p, sum(terms)))
    size = sum(float(np.linalg.norm(t)) for t in terms) * float(np.linalg.norm(p))
    return 0.0 if abs(total.real) <= 2e-11 * size else total


def _eigenvector(a: Vector, value: complex) -> NDArray[np.complex128]:
    """Return the unit eigenvector of the eigenvalue nearest to a value, its phase fixed."""
    values, vectors = np.linalg.eig(a)
    v = vectors[:, np.argmin(np.abs(values - value))].astype(complex)
    v = v / np.linalg.norm(v)
    turn = v[np.argmax(np.abs(v))]
    return np.asarray(v * np.conj(turn) / abs(turn))


def branch_point_form(curve: EquilibriumCurve, u: Vector) -> BranchPointForm:
    """Return the reduced equation at a simple branch point with a one-dimensional null space.

    With J h = -f_l and J k = -(B(q,q) - <p,B(q,q)> q), both solved off q:
    b = <p, B(q, h) + f_xl q>,  a = <p, B(q,q)> / 2,  c = <p, C(q,q,q) + 3 B(q,k)> / 6.
    """
    plain = curve.scaled(1.0)
    joint = plain.jacobian(u)
    a, by_parameter = joint[:, :-1], joint[:, -1]
    q, p = _null_pair(a)
    n = len(q)
    bordered = np.block([[a, p[:, None]], [q[None, :], np.zeros((1, 1))]])
    drift = np.linalg.solve(bordered, np.append(-by_parameter, 0.0))[:n]
    square = plain.second(u, _joint(q), _joint(q))
    quadratic = float(p @ square)
    bend = np.linalg.solve(bordered, np.append(-(square - quadratic * q), 0.0))[:n]
    linear = float(p @ plain.second(u, _joint(drift, 1.0), _joint(q)))
    cubic = float(p @ (plain.third(u, q, q, q) + 3.0 * plain.second(u, _joint(q), _joint(bend))))
    # By symmetry p.B(q,q) vanishes, to round-off of its terms: compare with them, and with the
    # cubic term at the amplitude that the branch reaches when the parameter moves by its unit.
    terms = np.linalg.norm(plain.third(u, q, q, q)) + np.linalg.norm(square) + abs(linear)
    if abs(quadratic) + abs(cubic) <= 1e-13 * np.linalg.norm(p) * float(terms):
        return BranchPointForm("degenerate", (linear, 0.0, 0.0))
    reach = np.sqrt(abs(linear) * curve.scale[-1] / abs(cubic)) if cubic else 0.0
    if abs(quadratic) <= 1e-9 * float(np.linalg.norm(p) * np.linalg.norm(square)) or abs(
        quadratic
    ) <= 1e-7 * abs(cubic) * float(reach):
        return BranchPointForm("pitchfork", (linear, quadratic / 2.0, cubic / 6.0))
    return BranchPointForm("transcritical", (linear, quadratic / 2.0, float("nan")))
