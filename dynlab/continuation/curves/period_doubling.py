"""The curve of period doublings of a map: f^n(x) = x and a multiplier -1, in two parameters.

Watched on it: the cubic coefficient vanishes at a generalised flip; the null vectors become orthogonal
at a 1:2 resonance; another multiplier is 1 at a fold-flip point, another pair is neutral at a flip-torus
point (Kuznetsov, Elements of Applied Bifurcation Theory, 3rd ed., section 9.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.curves.plane_curve import (
    PlaneCurve,
    Survey,
    null_pair,
    others,
    projected,
    solved,
    sum_product,
    turned_product,
)

__all__ = ["PeriodDoublingCurve"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PeriodDoublingCurve(PlaneCurve):
    """Period doublings of fixed points or cycles of a map."""

    word = "period doubling"

    @property
    def rhs(self) -> Any:
        from dynlab.kernels import bordered

        return bordered.real_residual

    @property
    def jacobian_kernel(self) -> Any:
        from dynlab.kernels import bordered

        return bordered.real_jacobian

    def borders(self, u: Vector) -> Vector:
        n = self.plane.size
        left, _, right = np.linalg.svd(self.plane.jacobians(u[None])[0, :, :n] + np.eye(n))
        return np.concatenate([[-1.0], right[-1], left[:, -1]])

    def survey(self, u: Vector, only: str = "") -> Survey:
        plane, n = self.plane, self.plane.size
        identity = np.eye(n)
        a = plane.jacobians(u)[:, :, :n]
        eigenvalues = np.linalg.eigvals(a).astype(complex)
        q, p = null_pair(a + identity, self.scale[:n])
        inner = np.sum(p * q, axis=1)
        rest = others(eigenvalues, -1.0)
        bend = solved(identity - a, plane.second(u, q, q))
        cubic = projected(p, only, plane.third(u, q, q, q), 3.0 * plane.second(u, q, bend))
        folds = turned_product(rest, 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            coefficient = cubic / (6.0 * inner)
        # Divided by <p, q> the cubic term keeps its sign when q turns round; times the product that
        # vanishes with 1 - A it passes a fold-flip point without a pole.
        tests = {
            "generalised flip": cubic * folds,
            "1:2 resonance": inner,
            "fold-flip": folds,
            "flip-torus": sum_product(rest, discrete=True),
        }
        return Survey(eigenvalues, coefficient, tests)
