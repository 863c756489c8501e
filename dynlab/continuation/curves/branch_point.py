"""The curve of branch points in two parameters, where there is one: by symmetry, or an invariant state.

In general two branches that cross in one parameter part when another changes; then b, by which the
equations F + b w = 0 miss (Govaerts 2000, section 6.4), leaves zero and the curve ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.curves.plane_curve import PlaneCurve, Survey

__all__ = ["BranchPointCurve"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BranchPointCurve(PlaneCurve):
    """Branch points of equilibria, or of fixed points or cycles of a map, in one of the parameters.

    Parameters
    ----------
    plane, scale
        As for every curve.
    of
        In which of the two parameters the branches cross: 0 or 1.
    """

    of: int = 0

    word = "branch point"
    added = 1

    @property
    def rhs(self) -> Any:
        from dynlab.kernels import bordered

        return bordered.branch_residual

    @property
    def jacobian_kernel(self) -> Any:
        from dynlab.kernels import bordered

        return bordered.branch_jacobian

    def borders(self, u: Vector) -> Vector:
        n = self.plane.size
        joint = self.plane.jacobians(u[None])[0][:, [*range(n), n + self.of]]
        left, _, right = np.linalg.svd(joint - self.plane.shift * np.eye(n, n + 1))
        return np.concatenate([[0.0], right[-2], right[-1], left[:, -1]])

    def survey(self, u: Vector, only: str = "") -> Survey:
        a = self.plane.jacobians(u)[:, :, : self.plane.size]
        return Survey(np.linalg.eigvals(a).astype(complex), np.full(len(u), np.nan), {})
