"""One cell of a chain under a periodic drive is eliminated: blocks of so many times each.

    S = K + u,    G = K S^{-1} d

with K the derivative in time plus what is left of the exchange with the cells before, u and d diagonal.  No two rates are
subtracted (`dynlab.stochastic.generator.periodic_chain`).  Inverses by Gauss and Jordan in place with partial pivoting
(Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. 2002, chapter 14.4): blocks of some hundred rows cost what they do
in LAPACK, and no threads are woken for each.
"""

from __future__ import annotations

from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import OPTIONS

__all__ = ["eliminate_cell"]

_M = "f8[:, ::1]"


@njit(f"i8({_M}, i8[::1])", **OPTIONS)
def invert(a, swapped):
    """Overwrite a matrix with its inverse; return 1 if it has none."""
    n = a.shape[0]
    for k in range(n):
        best = k
        for i in range(k + 1, n):
            if abs(a[i, k]) > abs(a[best, k]):
                best = i
        swapped[k] = best
        if a[best, k] == 0.0:
            return 1
        if best != k:
            for j in range(n):
                a[k, j], a[best, j] = a[best, j], a[k, j]
        share = 1.0 / a[k, k]
        a[k, k] = 1.0
        for j in range(n):
            a[k, j] *= share
        for i in range(n):
            if i != k:
                factor = a[i, k]
                a[i, k] = 0.0
                for j in range(n):
                    a[i, j] -= factor * a[k, j]
    for k in range(n - 1, -1, -1):
        if swapped[k] != k:
            for i in range(n):
                a[i, k], a[i, swapped[k]] = a[i, swapped[k]], a[i, k]
    return 0


@njit(f"i8({_M}, f8[::1], f8[::1], {_M}, {_M}, i8[::1])", **OPTIONS)
def eliminate_cell(kept, onwards, back, inverse, left, swapped):
    """Write the inverse of a cell, and what is left for the next; return 1 if there is none."""
    n = kept.shape[0]
    for i in range(n):
        for j in range(n):
            inverse[i, j] = kept[i, j]
        inverse[i, i] += onwards[i]
    if invert(inverse, swapped):
        return 1
    for i in range(n):
        for j in range(n):
            left[i, j] = 0.0
        for k in range(n):
            factor = kept[i, k]
            for j in range(n):
                left[i, j] += factor * inverse[k, j]
        for j in range(n):
            left[i, j] *= back[j]
    return 0
