"""The curve of folds: F = 0 and a zero eigenvalue (for a map a multiplier 1), in two parameters.

Watched on it: the quadratic coefficient vanishes at a cusp; right and left null vectors become orthogonal
at a Bogdanov-Takens point (1:1 resonance of a map); another pair becomes neutral at a fold-Hopf point
(Kuznetsov, Elements of Applied Bifurcation Theory, 3rd ed., sections 8.1 and 9.1).
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
    sum_product,
    turned_product,
)

__all__ = ["FoldCurve"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FoldCurve(PlaneCurve):
    """Folds of equilibria, or of fixed points or cycles of a map."""

    word = "fold"

    @property
    def rhs(self) -> Any:
        from dynlab.kernels import bordered

        return bordered.real_residual

    @property
    def jacobian_kernel(self) -> Any:
        from dynlab.kernels import bordered

        return bordered.real_jacobian

    def borders(self, u: Vector) -> Vector:
        n, shift = self.plane.size, self.plane.shift
        matrix = self.plane.jacobians(u[None])[0, :, :n] - shift * np.eye(n)
        left, _, right = np.linalg.svd(matrix)
        return np.concatenate([[shift], right[-1], left[:, -1]])

    def survey(self, u: Vector, only: str = "") -> Survey:
        plane, n = self.plane, self.plane.size
        a = plane.jacobians(u)[:, :, :n]
        eigenvalues = np.linalg.eigvals(a).astype(complex)
        q, p = null_pair(a - plane.shift * np.eye(n), self.scale[:n])
        quadratic = np.sum(p * plane.second(u, q, q), axis=1)
        inner = np.sum(p * q, axis=1)
        rest = others(eigenvalues, plane.shift)
        tests = {"cusp": quadratic}
        if plane.shift:
            tests |= {
                "1:1 resonance": inner,
                "fold-flip": turned_product(rest, -1.0),
                "fold-torus": sum_product(rest, discrete=True),
            }
        else:
            size = np.max(np.abs(eigenvalues), axis=1, initial=1e-300)[:, None]
            tests |= {
                "Bogdanov-Takens": inner,
                "fold-Hopf": sum_product(rest, discrete=False, size=size),
            }
        largest = np.take_along_axis(q, np.argmax(np.abs(q), axis=1)[:, None], axis=1)[:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            coefficient = np.sign(largest) * quadratic / (2.0 * inner)
        return Survey(eigenvalues, coefficient, tests)
