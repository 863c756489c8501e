"""Left invariant subspaces of a matrix that changes: the rows that say on which side of a saddle a state lies.

The rows L span the subspace of A' that belongs to the eigenvalues of least (or greatest) real part; L v = 0
says that v has no part in their right eigenspace.  Relative to an orthonormal frame Q = (Q1, Q2) whose
first columns span the subspace of a nearby matrix,

    L' = Q1 + Q2 H,      0 = (-H, 1) T (1, H)',      T = Q' A' Q,

so that L is a smooth function of A, with a derivative from a Sylvester equation (Demmel, Dieci and Friedman
2000, SIAM J. Sci. Comput. 22, 81; Bindel, Demmel and Friedman 2008, SIAM J. Sci. Comput. 30, 637).  H comes
from an ordered real Schur form; that it is small is what a nearby frame is for.
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

    def _solved(self, matrix: Vector) -> tuple[Vector, Vector]:
        """Return H and T."""
        k = self.size
        turned = self.frame.T @ matrix.T @ self.frame
        first = _ordered(turned, k, self.side)[:, :k]
        h = np.linalg.solve(first[:k].T, first[k:].T).T
        return np.asarray(h, float), turned

    def rows(self, matrix: Vector) -> Vector:
        """Return L of a nearby matrix."""
        h, _ = self._solved(matrix)
        return np.asarray((self.frame[:, : self.size] + self.frame[:, self.size :] @ h).T)

    def linear(self, matrix: Vector, changes: Vector, v: Vector) -> tuple[Vector, Vector]:
        """Return L, and how L v changes as the matrix changes in some ways (first axis): size x ways."""
        k, n = self.size, len(matrix)
        if not 0 < k < n:
            return self.frame[:, :k].T.copy(), np.zeros((k, len(changes)))
        h, t = self._solved(matrix)
        rows = (self.frame[:, :k] + self.frame[:, k:] @ h).T
        outer = t[k:, k:] - h @ t[:k, k:]
        inner = t[:k, :k] + t[:k, k:] @ h
        left = np.hstack([-h, np.eye(n - k)]) @ self.frame.T
        given = -(left @ changes.transpose(0, 2, 1) @ rows.T)
        sylvester = np.kron(outer, np.eye(k)) - np.kron(np.eye(n - k), inner.T)
        solved = np.linalg.solve(sylvester, given.reshape(len(changes), -1).T)
        by = solved.reshape(n - k, k, len(changes))
        return rows, np.tensordot(self.frame[:, k:].T @ v, by, 1)

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
    return np.asarray(vectors)
