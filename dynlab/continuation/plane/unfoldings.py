"""Normal forms of points of codimension two, and the points that carry them.

At a place where a test function of a curve vanishes this confirms what is there and computes the
coefficients.  Simple critical eigenvalues: `center_manifold`.  Double ones (Bogdanov-Takens, 1:1, 1:2): with
(A - e) q0 = 0, (A - e) q1 = q0, p1 (A - e) = 0, p0 (A - e) = p1, <p0, q0> = <p1, q1> = 1, <p0, q1> = 0,

    BT, 1:1   a = <p1, B(q0, q0)> / 2       b = <p0, B(q0, q0)> + <p1, B(q0, q1)>
    1:2       c = <p1, C3> / 6              d = <p1, C(q0,q0,q1) + 2 B(q0,h11) + B(q1,h20)> / 2 + <p0, C3> / 2
              C3 = C(q0,q0,q0) + 3 B(q0,h20)    (1 - A) h20 = B(q0, q0)    (1 - A) h11 = B(q0, q1) + h20

(Kuznetsov, Elements, 3rd ed., sections 8.7 and 9.7; Kuznetsov and Meijer 2005, SIAM J. Sci. Comput. 26, 1932).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.curves.plane import Plane
from dynlab.continuation.curves.plane_curve import PlaneCurve
from dynlab.continuation.plane.center_manifold import CenterManifold, jordan_chain
from dynlab.continuation.plane.codimension_two import (
    Bautin,
    BogdanovTakens,
    CodimensionTwo,
    Cusp,
    DoubleHopf,
    FoldHopf,
    Suspect,
)
from dynlab.continuation.plane.resonances import (
    Chenciner,
    FoldFlip,
    GeneralizedFlip,
    StrongResonance,
)
from dynlab.equilibria.stability import order_of
from dynlab.symbolic.system import System

__all__ = ["point_of", "suspect"]

Vector = NDArray[np.float64]

#: A located pair is neutral if its real part is below this part of its modulus.
_NEUTRAL = 1e-6


@dataclass(frozen=True, slots=True)
class Place:
    """Where on a curve something is, with the matrix and the forms there."""

    plane: Plane
    u: Vector
    accuracy: float
    added: float
    matrix: Vector
    eigenvalues: NDArray[np.complex128]

    @classmethod
    def of(cls, curve: PlaneCurve, u: Vector, accuracy: float) -> Place:
        """Return a place on a curve."""
        n = curve.plane.size
        matrix = curve.plane.jacobians(u[None])[0, :, :n]
        values = np.linalg.eigvals(matrix).astype(complex)
        added = float(u[n]) if curve.added else 0.0
        return cls(curve.plane, u, accuracy, added, matrix, values)

    @property
    def head(self) -> tuple[System, tuple[str, str], Vector, NDArray[np.complex128], float]:
        """The fields with which every point begins."""
        system = self.plane.at(self.u)
        values = self.eigenvalues[order_of(self.eigenvalues, system)]
        return system, self.plane.vary, self.u[: self.plane.size], values, self.accuracy

    @property
    def is_deep(self) -> bool:
        """Whether fourth and fifth derivatives are there: not for cycles of several steps."""
        return self.plane.kernels is not None and hasattr(self.plane.kernels, "along")

    def form(self, *directions: Any) -> Any:
        """Return the multilinear form of as many directions."""
        return self.plane.form(self.u, *directions)

    def manifold(self, *values: complex) -> CenterManifold:
        """Return the centre manifold of critical eigenvalues, given exactly."""
        right, left = [], []
        for value in values:
            u, _, v = np.linalg.svd(self.matrix - value * np.eye(len(self.matrix)))
            q, p = v[-1].conj(), u[:, -1]
            if abs(np.imag(value)) == 0:
                q, p = q.real, p.real
                q = q * np.sign(q[np.argmax(np.abs(q))])
            else:
                turn = q[np.argmax(np.abs(q))]
                q = q * np.conj(turn) / abs(turn)
            right.append(q)
            left.append(p / np.conj(np.vdot(p, q)))
        return CenterManifold(
            self.matrix, self.form, values, right, left, discrete=bool(self.plane.shift)
        )

    def chain(self, value: float) -> tuple[Vector, Vector, Vector, Vector] | None:
        """Return q0, q1, p0, p1 of a double eigenvalue; None if it has two eigenvectors."""
        return jordan_chain(self.matrix - value * np.eye(len(self.matrix)))


def point_of(
    curve: PlaneCurve, name: str, u: Vector, accuracy: float
) -> CodimensionTwo | str | None:
    """Return the point of a name, a reason why it is none, or None where nothing happens at all."""
    return _MAKERS[name](Place.of(curve, u, accuracy))


def suspect(curve: PlaneCurve, name: str, u: Vector, reason: str) -> Suspect:
    """Return what is known where a point was not confirmed."""
    at = Place.of(curve, u, float("inf"))
    return Suspect(*at.head, name, reason, curve.plane.period)


def _cusp(at: Place) -> CodimensionTwo | str | None:
    if at.plane.size > 1 and _is_double(at, at.plane.shift):
        return "a second eigenvalue is critical at the same point"
    g = at.manifold(at.plane.shift)
    return Cusp(*at.head, g.coefficient(0, 0, 0, 0).real / 6.0, at.plane.period)


def _is_double(at: Place, value: float) -> bool:
    u, _, v = np.linalg.svd(at.matrix - value * np.eye(len(at.matrix)))
    return bool(abs(u[:, -1] @ v[-1]) < _NEUTRAL)


def _bogdanov_takens(at: Place) -> CodimensionTwo | str | None:
    chain = at.chain(0.0)
    if chain is None:
        return "two eigenvectors belong to the eigenvalue zero"
    return BogdanovTakens(*at.head, _quadratic(at, *chain))


def _quadratic(at: Place, q0: Vector, q1: Vector, p0: Vector, p1: Vector) -> tuple[float, float]:
    square = at.form(q0, q0)
    return float(p1 @ square) / 2.0, float(p0 @ square + p1 @ at.form(q0, q1))


def _bautin(at: Place) -> CodimensionTwo | str | None:
    omega = float(np.sqrt(at.added))
    g = at.manifold(1j * omega, -1j * omega)
    second = g.coefficient(0, 0, 0, 0, 1, 1).real / 12.0 / omega
    return Bautin(*at.head, omega, second)


def _fold_hopf(at: Place) -> CodimensionTwo | str | None:
    omega = float(np.sqrt(at.added)) if at.added > 0 else _neutral_pair(at, ())
    if omega is None:
        return None
    g = at.manifold(0.0, 1j * omega, -1j * omega)
    g200, g011, g110 = (g.coefficient(*k) for k in ((0, 0, 0), (0, 1, 2), (1, 0, 1)))
    g300, g111 = g.coefficient(0, 0, 0, 0), g.coefficient(0, 0, 1, 2)
    g210, g021 = g.coefficient(1, 0, 0, 1), g.coefficient(1, 1, 1, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = np.divide(g021.real, g011) - np.divide(g300, g200) + np.divide(g111, g011)
        e = (g210 + g110 * inner - g021 * np.divide(g200, 2.0 * g011)).real / 2.0
    return FoldHopf(*at.head, omega, (g200.real / 2.0, g011.real, g110.real, float(e)))


def _neutral_pair(at: Place, taken: tuple[complex, ...]) -> float | None:
    """Return the imaginary part of a neutral pair, other than some eigenvalues; None if there is none."""
    values = at.eigenvalues
    for value in taken:
        values = np.delete(values, np.argmin(np.abs(values - value)))
    pairs = values[values.imag > 0]
    if at.plane.shift:
        pairs = pairs[np.abs(np.abs(pairs) - 1.0) < _NEUTRAL]
        return float(np.angle(pairs[0])) if len(pairs) else None
    pairs = pairs[np.abs(pairs.real) < _NEUTRAL * np.abs(pairs)]
    return float(pairs[0].imag) if len(pairs) else None


def _double_hopf(at: Place) -> CodimensionTwo | str | None:
    first = float(np.sqrt(at.added))
    second = _neutral_pair(at, (1j * first, -1j * first))
    if second is None:
        return None
    omegas = max(first, second), min(first, second)
    if omegas[0] - omegas[1] < _NEUTRAL * omegas[0]:
        return "the two pairs are equal"
    g = at.manifold(1j * omegas[0], -1j * omegas[0], 1j * omegas[1], -1j * omegas[1])
    p = np.array([
        [g.coefficient(0, 0, 0, 1).real / 2.0, g.coefficient(0, 0, 2, 3).real],
        [g.coefficient(2, 0, 1, 2).real, g.coefficient(2, 2, 2, 3).real / 2.0],
    ])  # fmt: skip
    return DoubleHopf(*at.head, omegas, p)


def _generalised_flip(at: Place) -> CodimensionTwo | str | None:
    c = at.manifold(-1.0).coefficient(0, 0, 0, 0, 0, 0).real / 120.0 if at.is_deep else float("nan")
    return GeneralizedFlip(*at.head, c, at.plane.period)


def _chenciner(at: Place) -> CodimensionTwo | str | None:
    angle = float(np.arccos(at.added / 2.0))
    if not at.is_deep:
        return Chenciner(*at.head, angle, float("nan"), at.plane.period)
    turn = np.exp(1j * angle)
    g = at.manifold(turn, turn.conjugate())
    c1 = g.coefficient(0, 0, 0, 1) / 2.0 / turn
    c2 = g.coefficient(0, 0, 0, 0, 1, 1) / 12.0 / turn
    return Chenciner(*at.head, angle, float(c2.real + c1.imag**2 / 2.0), at.plane.period)


def _resonance(order: int) -> Callable[[Place], CodimensionTwo | str | None]:
    def made(at: Place) -> CodimensionTwo | str | None:
        coefficients = (_double if order < 3 else _simple)(at, order)
        if isinstance(coefficients, str):
            return coefficients
        return StrongResonance(*at.head, order, coefficients, at.plane.period)

    return made


def _simple(at: Place, order: int) -> tuple[complex, complex]:
    turn = complex(np.exp(2j * np.pi / order))
    g = at.manifold(turn, turn.conjugate())
    cubic = g.coefficient(0, 0, 0, 1) / 2.0
    if order == 3:
        return g.coefficient(0, 1, 1) / 2.0, cubic
    return cubic, g.coefficient(0, 1, 1, 1) / 6.0


def _double(at: Place, order: int) -> tuple[complex, complex] | str:
    chain = at.chain(1.0 if order == 1 else -1.0)
    if chain is None:
        return "two eigenvectors belong to the double multiplier"
    if order == 1:
        a, b = _quadratic(at, *chain)
        return complex(a), complex(b)
    q0, q1, p0, p1 = chain
    settle = np.eye(len(q0)) - at.matrix
    h20 = np.linalg.solve(settle, at.form(q0, q0))
    h11 = np.linalg.solve(settle, at.form(q0, q1) + h20)
    cubic = at.form(q0, q0, q0) + 3.0 * at.form(q0, h20)
    mixed = at.form(q0, q0, q1) + 2.0 * at.form(q0, h11) + at.form(q1, h20)
    return complex(p1 @ cubic / 6.0), complex((p1 @ mixed + p0 @ cubic) / 2.0)


def _fold_flip(at: Place) -> CodimensionTwo | str | None:
    g = at.manifold(1.0, -1.0)
    coefficients = (
        g.coefficient(0, 0, 0).real / 2.0, g.coefficient(0, 1, 1).real / 2.0,
        g.coefficient(1, 0, 1).real,
    )  # fmt: skip
    return FoldFlip(*at.head, coefficients, at.plane.period)


def _unnamed(name: str, *, own_pair: bool) -> Callable[[Place], CodimensionTwo | str | None]:
    """Return what answers where a pair should be neutral, beside the curve's own pair if it has one."""

    def made(at: Place) -> CodimensionTwo | str | None:
        turn = 0.5 * at.added + 1j * np.sqrt(max(0.0, 1.0 - 0.25 * at.added**2))
        taken = (turn, turn.conjugate()) if own_pair else ()
        if _neutral_pair(at, taken) is None:
            return None
        return f"the normal form of a {name} point is not computed"

    return made


def _real_beside_pair(name: str) -> Callable[[Place], CodimensionTwo | str | None]:
    return lambda at: f"the normal form of a {name} point is not computed"


_MAKERS: dict[str, Callable[[Place], CodimensionTwo | str | None]] = {
    "cusp": _cusp,
    "Bogdanov-Takens": _bogdanov_takens,
    "Bautin": _bautin,
    "fold-Hopf": _fold_hopf,
    "double Hopf": _double_hopf,
    "generalised flip": _generalised_flip,
    "Chenciner": _chenciner,
    "1:1 resonance": _resonance(1),
    "1:2 resonance": _resonance(2),
    "1:3 resonance": _resonance(3),
    "1:4 resonance": _resonance(4),
    "fold-flip": _fold_flip,
    "fold-torus": _unnamed("fold-torus", own_pair=False),
    "flip-torus": _unnamed("flip-torus", own_pair=False),
    "torus-fold": _real_beside_pair("fold-torus"),
    "torus-flip": _real_beside_pair("flip-torus"),
    "double torus": _unnamed("double torus", own_pair=True),
}
