"""The curve of Hopf points: f = 0 and a pair of eigenvalues +-i omega, in two parameters.

The unknown omega^2 passes zero at a Bogdanov-Takens point; beyond, where it is negative, two real
eigenvalues +-mu add up to zero: a neutral saddle, which is no bifurcation.

Watched on it: omega^2; the first Lyapunov coefficient, which vanishes at a Bautin point; a further real
eigenvalue (fold-Hopf) or pair (double Hopf) that becomes neutral.  l1 itself has a pole at a fold-Hopf
point, so it is multiplied by the product of the other eigenvalues, which vanishes there (Kuznetsov,
Elements of Applied Bifurcation Theory, 3rd ed., section 8.1 and eq. 5.62).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.curves.plane_curve import (
    PlaneCurve,
    Survey,
    others,
    projected,
    solved,
    sum_product,
    turned_product,
)

__all__ = ["HopfCurve", "critical_vectors", "pair_borders"]

Vector = NDArray[np.float64]
Complex = NDArray[np.complex128]

#: An omega below this part of the rates is zero as far as normal forms can tell: they grow like 1/omega.
_DOUBLE_ZERO = 1e-6


@dataclass(frozen=True, slots=True)
class HopfCurve(PlaneCurve):
    """Hopf points of equilibria, and the neutral saddles that they turn into."""

    word = "Hopf point"
    added = 1

    @property
    def rhs(self) -> Any:
        from dynlab.kernels import bordered

        return bordered.pair_residual

    @property
    def jacobian_kernel(self) -> Any:
        from dynlab.kernels import bordered

        return bordered.pair_jacobian

    def borders(self, u: Vector) -> Vector:
        n = self.plane.size
        value = 1j * np.sqrt(complex(u[n]))
        return pair_borders(self.plane.jacobians(u[None])[0, :, :n], value)

    def survey(self, u: Vector, only: str = "") -> Survey:
        plane, n = self.plane, self.plane.size
        square = u[:, n]
        a = plane.jacobians(u)[:, :, :n]
        rates = np.linalg.norm(a * self.scale[:n] / self.scale[:n, None], axis=(1, 2))
        is_pair = square > (_DOUBLE_ZERO * rates) ** 2
        omega = np.sqrt(np.where(is_pair, square, np.nan))
        eigenvalues = np.linalg.eigvals(a).astype(complex)
        size = np.max(np.abs(eigenvalues), axis=1, initial=1e-300)[:, None]
        root = 1j * np.sqrt(square.astype(complex))
        rest = others(eigenvalues, root, -root)
        cubic = np.full(len(u), np.nan)
        if only in ("", "Bautin"):
            cubic[is_pair] = _cubic(plane, u[is_pair], a[is_pair], omega[is_pair], only)
        folds = np.where(is_pair, turned_product(rest, 0.0, size), np.nan)
        pairs = np.where(is_pair, sum_product(rest, discrete=False, size=size), np.nan)
        tests = {
            "Bogdanov-Takens": square,
            "Bautin": cubic * folds,
            "fold-Hopf": folds,
            "double Hopf": pairs,
        }
        return Survey(eigenvalues, cubic / omega, tests)


def _cubic(plane: Any, u: Vector, a: Vector, omega: Vector, only: str) -> Vector:
    """Return Re c1 at each row (l1 = Re c1 / omega, Kuznetsov eq. 5.62)."""
    identity = np.eye(a.shape[1])
    q, p = critical_vectors(a, 1j * omega)
    h11 = solved(a, plane.second(u, q, q.conj()))
    h20 = solved(2j * omega[:, None, None] * identity - a, plane.second(u, q, q))
    terms = (
        plane.third(u, q, q, q.conj()), -2.0 * plane.second(u, q, h11),
        plane.second(u, q.conj(), h20),
    )  # fmt: skip
    return projected(p, only, *terms) / 2.0


def critical_vectors(a: Vector, value: Any) -> tuple[Complex, Complex]:
    """Return right and left eigenvectors at each row, <q, q> = <p, q> = 1."""
    if not len(a):
        return np.empty(a.shape[:2], complex), np.empty(a.shape[:2], complex)
    left, _, right = np.linalg.svd(a - value[:, None, None] * np.eye(a.shape[1]))
    q, p = right[:, -1].conj(), left[:, :, -1]
    return q, p / np.sum(p * q.conj(), axis=1)[:, None]


def pair_borders(a: Vector, value: complex) -> Vector:
    """Return real borders for the pair of an eigenvalue: the long axes of its vectors' ellipses."""
    left, _, right = np.linalg.svd(a - value * np.eye(len(a)))
    axes = [
        np.linalg.svd(np.array([v.real, v.imag]))[2][0] for v in (right[-1].conj(), left[:, -1])
    ]
    return np.concatenate([[0.0], *axes])
