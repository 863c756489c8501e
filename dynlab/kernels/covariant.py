"""The way back: covariant vectors from stored triangular matrices (Ginelli et al. 2007).

A stretch k turns the orthonormal columns Q into ``J Q = Q' R``.  A vector ``v = Q c`` becomes ``Q' R c``, so
coefficients go back as ``c = R^-1 c'``.  Backwards the part of c that belongs to the slowest growth wins, within
each of the nested spaces that an upper triangular C keeps to: any such C tends to that of the covariant vectors.

Cost: m^3 / 6 multiplications for each stretch.
"""

from __future__ import annotations

import math

from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import OPTIONS

__all__ = ["back"]

#: What is left of a column beside the others after it was made orthogonal, if only rounding is.
ROUNDING = 1e-15


@njit("i8(f8[:, :, ::1], f8[:, ::1], f8[:, :, ::1], f8[:, ::1])", **OPTIONS)
def back(triangles, c, coefficients, growth):
    """Go back over all stretches from C at the end, whose columns are of unit length.

    ``coefficients[k]`` gets C at the beginning of stretch k, ``growth[k]`` the logarithms of the growth of its
    columns.  Returns -1, or the number of a stretch in which a column is lost.
    """
    stretches, m = triangles.shape[0], c.shape[0]
    for s in range(stretches):
        k = stretches - 1 - s
        for j in range(m):
            most = 0.0
            for i in range(j):
                most = max(most, abs(triangles[k, i, j]))
            if abs(triangles[k, j, j]) <= ROUNDING * most or triangles[k, j, j] == 0.0:
                return k
            length = 0.0
            for i in range(j, -1, -1):
                left = c[i, j]
                for l in range(i + 1, j + 1):
                    left -= triangles[k, i, l] * c[l, j]
                c[i, j] = left / triangles[k, i, i]
                length += c[i, j] ** 2
            length = math.sqrt(length)
            for i in range(j + 1):
                c[i, j] /= length
            growth[k, j] = -math.log(length)
        for i in range(m):
            for j in range(m):
                coefficients[k, i, j] = c[i, j]
    return -1
