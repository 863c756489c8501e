"""One axis of a basis in numbers: what multiplication and differentiation are in its functions.

    p(x) = sum_n c_n phi_n(x),      (A p)_m = sum_n <chi_m, A phi_n> c_n,      <chi_m, phi_n> = delta_mn

Multiplication by a function a is ``U diag(a) U'`` with the orthogonal matrix U of the functions at the points of
their Gauss quadrature (Golub and Welsch 1969, Math. Comput. 23, 221), exact for polynomials of the degrees met here.
It is taken to more functions than are kept, so that a derivative behind it loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

__all__ = ["Axis"]

Array = NDArray[np.float64]

#: Entries of a multiplication below this, relative to the largest, are rounding.
DUST = 2e-14


@dataclass(frozen=True)
class Axis:
    """Functions along one state.

    Attributes
    ----------
    nodes
        The points of the quadrature.
    transform
        Its orthogonal matrix: one row for each function, more of them than are kept.
    slopes
        The derivatives of order 0, 1 and 2 from all functions to those that are kept.
    functions
        The functions phi_n at points, one row each.
    duals
        The functions chi_m that take a coefficient out of a density, at points.
    """

    nodes: Array
    transform: Array
    slopes: tuple[sparse.csr_matrix, sparse.csr_matrix, sparse.csr_matrix]
    functions: Callable[[Array], Array]
    duals: Callable[[Array], Array]

    @property
    def size(self) -> int:
        """How many functions are kept."""
        return int(self.slopes[0].shape[0])

    def operator(self, order: int, values: Array) -> sparse.csr_matrix:
        """Return the matrix of multiplication by what has these values at the nodes, then differentiation."""
        product = (self.transform * values) @ self.transform[: self.size].T
        product[np.abs(product) <= DUST * np.abs(product).max()] = 0.0
        return self.slopes[order] @ sparse.csr_matrix(product)
