"""Left invariant subspaces of a matrix that changes: the rows that say on which side of a saddle a state lies.

The rows L span the subspace of A' that belongs to the eigenvalues of least (or greatest) real part; L v = 0
says that v has no part in their right eigenspace.  Relative to an orthonormal frame Q = (Q1, Q2) whose
first columns span the subspace of a nearby matrix,

    L' = Q1 + Q2 H,      0 = (-H, 1) T (1, H)',      T = Q' A' Q,

so that L is a smooth function of A (Demmel, Dieci and Friedman 2000, SIAM J. Sci. Comput. 22, 81; Bindel, Demmel and
Friedman 2008, SIAM J. Sci. Comput. 30, 637).  Frames come from an ordered real Schur form; within one solution
`dynlab.kernels.subspaces` follows H and its derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import schur

__all__ = ["Subspace"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Subspace:
    """The left invariant subspace of the `size` eigenvalues of least or greatest real part.

    Parameters
    ----------
    frame
        Orthonormal; its first `size` columns span the subspace of the matrix it was made for.
    size
        Dimension.
    side
        -1 for the eigenvalues of least real part, +1 for those of greatest.
    """

    frame: Vector
    size: int
    side: int

    @classmethod
    def of(cls, matrix: Vector, size: int, side: int) -> Subspace:
        """Return the subspace of a matrix."""
        return cls(_ordered(matrix.T, size, side), size, side)

    def rows(self, matrix: Vector) -> Vector:
        """Return L of a nearby matrix."""
        k = self.size
        first = _ordered(self.frame.T @ matrix.T @ self.frame, k, self.side)[:, :k]
        h = np.linalg.solve(first[:k].T, first[k:].T).T
        return np.asarray((self.frame[:, :k] + self.frame[:, k:] @ h).T)

    def moved(self, matrix: Vector) -> Subspace:
        """Return the subspace of a nearby matrix, in the frame nearest to this one."""
        rows = self.rows(matrix)
        frame, triangle = np.linalg.qr(np.hstack([rows.T, self.frame[:, self.size :]]))
        return Subspace(frame * np.where(np.diag(triangle) < 0, -1.0, 1.0), self.size, self.side)

    def complement(self, matrix: Vector) -> Vector:
        """Return an orthonormal basis of {v: L v = 0}, the right eigenspace of all other eigenvalues."""
        return self.moved(matrix).frame[:, self.size :]


def _ordered(matrix: Vector, size: int, side: int) -> Vector:
    """Return Schur vectors, those of the `size` eigenvalues of least or greatest real part first."""
    n = len(matrix)
    if not 0 < size < n:
        return np.eye(n)
    real = np.sort(-side * np.linalg.eigvals(matrix).real)
    gap = 0.5 * (real[size - 1] + real[size])
    _, vectors, count = schur(-side * matrix - gap * np.eye(n), sort="lhp")
    if count != size:
        raise np.linalg.LinAlgError("the eigenvalues do not part there")
    return np.ascontiguousarray(vectors)
