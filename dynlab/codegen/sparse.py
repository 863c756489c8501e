"""The Jacobian of a bound system as values on a fixed pattern."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

    from dynlab.codegen.kernels import Kernel

__all__ = ["SparseJacobian", "with_pattern"]

Vector = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SparseJacobian:
    """A Jacobian in compressed columns; called like a kernel.

    Parameters
    ----------
    kernel
        Writes the entries one after another; several may belong to one place.
    shape
        Rows and columns.
    first, rows
        The pattern: where each column begins, and the rows of its entries.
    place
        Which number of the pattern each written entry adds to.
    """

    kernel: Kernel
    shape: tuple[int, int]
    first: Integers
    rows: Integers
    place: Integers

    def __call__(self, t: float, x: Vector, p: Vector) -> csc_matrix:
        """Return the Jacobian at a state."""
        from scipy.sparse import csc_matrix

        entries = self.kernel(t, x, p)
        data = np.bincount(self.place, entries, minlength=len(self.rows))
        return csc_matrix((data, self.rows, self.first), shape=self.shape)


def with_pattern(kernel: Kernel, rows: Any, columns: Any, shape: tuple[int, int]) -> SparseJacobian:
    """Return the Jacobian whose entries stand at the given rows and columns."""
    codes = np.asarray(columns, np.int64) * shape[0] + np.asarray(rows, np.int64)
    places, place = np.unique(codes, return_inverse=True)
    column, row = np.divmod(places, shape[0])
    first = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=shape[1]))])
    return SparseJacobian(kernel, shape, first.astype(np.int64), row, place.ravel())
