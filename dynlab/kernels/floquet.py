"""Floquet multipliers from matrices that carry a disturbance once round, piece by piece.

Each interval of a collocated cycle carries a disturbance from its start to its end by G_i = -B_i^{-1} A_i;
shooting has its matrices from the variational equation.  The product
G_N ... G_1 is the monodromy matrix; written out it loses every multiplier that is 1e-16 of the
largest.  So it is kept as Q D T, orthogonal times graded diagonal times well-conditioned, by a
QR decomposition with column pivoting after each factor (Stewart 1997, Electron. Trans. Numer. Anal. 5,
29: graded products).  The similar matrix D T Q has its rows graded, from which the eigenvalues come
with small relative errors.  (Orthogonal iteration through the factors, the periodic Schur form, was
tried on cycles near a homoclinic orbit and was no more accurate.)
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from dynlab.kernels.deferred import njit
from dynlab.kernels.linear import eigenvalues, factor, solve

__all__ = ["multipliers", "of_product", "transfer"]

_V = types.float64[::1]
_M = types.float64[:, ::1]
_F3 = types.float64[:, :, ::1]
_I = types.int64[::1]

OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
TINY = 1e-290


@njit(types.boolean(_F3, types.int64, types.int64, types.int64, _M), **OPTIONS)
def transfer(work, m, n, interval, out):  # type: ignore[no-untyped-def]
    """Write G of one interval (scaled states) from the condensed blocks; return whether it exists."""
    inside = (m - 1) * n
    b, pivots, column = np.empty((n, n)), np.empty(n, np.int64), np.empty(n)
    a = work[interval]
    for r in range(n):
        for j in range(n):
            b[r, j] = a[inside + r, inside + n + j]
    if factor(b, pivots) == 0.0:
        return False
    for j in range(n):
        for r in range(n):
            column[r] = -a[inside + r, inside + j]
        solve(b, pivots, column)
        for r in range(n):
            out[r, j] = column[r]
    return True


@njit(types.void(_M, _I, _M), **OPTIONS)
def _pivoted_qr(a, order, q):  # type: ignore[no-untyped-def]
    """Overwrite a by R of a[:, order] = Q R, Householder with column pivoting; write Q."""
    n = a.shape[0]
    v = np.empty(n)
    for r in range(n):
        order[r] = r
        for c in range(n):
            q[r, c] = 1.0 if r == c else 0.0
    for k in range(n):
        best, place = -1.0, k
        for c in range(k, n):
            size = 0.0
            for r in range(k, n):
                size += a[r, c] * a[r, c]
            if size > best:
                best, place = size, c
        if place != k:
            order[k], order[place] = order[place], order[k]
            for r in range(n):
                a[r, k], a[r, place] = a[r, place], a[r, k]
        length = math.sqrt(best)
        if k == n - 1 or not length > 0.0:
            continue
        first = a[k, k] + length if a[k, k] >= 0.0 else a[k, k] - length
        norm = first * first
        v[k] = first
        for r in range(k + 1, n):
            v[r] = a[r, k]
            norm += v[r] * v[r]
        if not norm > 0.0:
            continue
        for c in range(k, n):
            total = 0.0
            for r in range(k, n):
                total += v[r] * a[r, c]
            total *= 2.0 / norm
            for r in range(k, n):
                a[r, c] -= total * v[r]
        for r in range(n):
            total = 0.0
            for c in range(k, n):
                total += q[r, c] * v[c]
            total *= 2.0 / norm
            for c in range(k, n):
                q[r, c] -= total * v[c]
        for r in range(k + 1, n):
            a[r, k] = 0.0


@njit(types.complex128[::1](_F3), **OPTIONS)
def of_product(factors):  # type: ignore[no-untyped-def]
    """Return the eigenvalues of the product of matrices, of which the first acts first."""
    n = factors.shape[1]
    c, q = np.empty((n, n)), np.eye(n)
    fresh, t, other = np.empty((n, n)), np.eye(n), np.empty((n, n))
    d = np.ones(n)
    order = np.empty(n, np.int64)
    for i in range(factors.shape[0]):
        for r in range(n):
            for j in range(n):
                total = 0.0
                for k in range(n):
                    total += factors[i, r, k] * q[k, j]
                c[r, j] = total * d[j]
        _pivoted_qr(c, order, fresh)
        for k in range(n):
            d[k] = abs(c[k, k])
            # What has decayed to the end of the doubles' range has no direction any more.
            inverse = 1.0 / d[k] if d[k] > TINY else 0.0
            for j in range(n):
                total = 0.0
                for l in range(k, n):
                    total += c[k, l] * t[order[l], j]
                other[k, j] = total * inverse
        for k in range(n):
            for j in range(n):
                t[k, j] = other[k, j]
                q[k, j] = fresh[k, j]
    for r in range(n):
        for j in range(n):
            total = 0.0
            for k in range(n):
                total += t[r, k] * q[k, j]
            c[r, j] = d[r] * total
    return eigenvalues(c)


@njit(types.complex128[::1](_F3, types.int64, types.int64), **OPTIONS)
def multipliers(work, m, n):  # type: ignore[no-untyped-def]
    """Return the Floquet multipliers; nan where an interval carries no disturbance through."""
    factors = np.empty((work.shape[0], n, n))
    for i in range(work.shape[0]):
        if not transfer(work, m, n, i, factors[i]):
            return np.full(n, complex(np.nan, np.nan))
    return of_product(factors)
