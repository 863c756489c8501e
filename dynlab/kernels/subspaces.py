"""A left invariant subspace of a matrix near one whose subspace is known, and how it changes.

Relative to an orthonormal frame Q = (Q1, Q2) whose first columns nearly span it, the subspace is that of the
columns of L' = Q1 + Q2 H with

    0 = T21 + T22 H - H T11 - H T12 H,      T = Q' A' Q,

solved by Newton's method from H = 0 (Demmel, Dieci and Friedman 2000, SIAM J. Sci. Comput. 22, 81).  Each step, and
the derivative of H by anything that changes A, takes one Sylvester equation with the same matrices
T22 - H T12 and T11 + T12 H; as k (n - k) is small it is written out.
"""

from __future__ import annotations

import numpy as np
from numba import types

from dynlab.kernels.deferred import njit
from dynlab.kernels.linear import factor, solve

__all__ = ["left_subspace"]

_V = types.float64[::1]
_M = types.float64[:, ::1]
_F3 = types.float64[:, :, ::1]

OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
_MOST, _ENOUGH = 25, 1e-13


@njit(types.void(_M, _M, _M, types.int64, _M), **OPTIONS)
def _sylvester(t, h, out, k, residual):  # type: ignore[no-untyped-def]
    """Write the matrix of dH -> (T22 - H T12) dH - dH (T11 + T12 H), row by row, and the residual at H."""
    n = t.shape[0]
    rest = n - k
    for i in range(rest):
        for j in range(k):
            total = t[k + i, j]
            for l in range(rest):
                total += t[k + i, k + l] * h[l, j]
            for l in range(k):
                inner = t[l, j]
                for r in range(rest):
                    inner += t[l, k + r] * h[r, j]
                total -= h[i, l] * inner
            residual[i, j] = total
    for row in range(rest * k):
        for column in range(rest * k):
            out[row, column] = 0.0
    for i in range(rest):
        for l in range(rest):
            outer = t[k + i, k + l]
            for r in range(k):
                outer -= h[i, r] * t[r, k + l]
            for j in range(k):
                out[i * k + j, l * k + j] += outer
    for j in range(k):
        for l in range(k):
            inner = t[l, j]
            for r in range(rest):
                inner += t[l, k + r] * h[r, j]
            for i in range(rest):
                out[i * k + j, i * k + l] -= inner


@njit(types.boolean(_M, _M, types.int64, _F3, _V, _M, _M), **OPTIONS)
def left_subspace(matrix, frame, k, changes, v, rows, slopes):  # type: ignore[no-untyped-def]
    """Write L (k x n) of a matrix, and the derivative of L v by each change of the matrix; return success."""
    n = matrix.shape[0]
    rest = n - k
    for r in range(k):
        for j in range(n):
            rows[r, j] = frame[j, r]
        for i in range(changes.shape[0]):
            slopes[r, i] = 0.0
    if k == 0 or rest == 0:
        return True
    t, h = np.empty((n, n)), np.zeros((rest, k))
    for i in range(n):
        for j in range(n):
            total = 0.0
            for a in range(n):
                for b in range(n):
                    total += frame[a, i] * matrix[b, a] * frame[b, j]
            t[i, j] = total
    size = rest * k
    system, residual = np.empty((size, size)), np.empty((rest, k))
    pivots, step = np.empty(size, np.int64), np.empty(size)
    for _ in range(_MOST):
        _sylvester(t, h, system, k, residual)
        if factor(system, pivots) == 0.0:
            return False
        for i in range(rest):
            for j in range(k):
                step[i * k + j] = -residual[i, j]
        solve(system, pivots, step)
        largest, high = 0.0, 1.0
        for i in range(rest):
            for j in range(k):
                h[i, j] += step[i * k + j]
                largest, high = max(largest, abs(step[i * k + j])), max(high, abs(h[i, j]))
        if not largest < 1e6:
            return False
        if largest <= _ENOUGH * high:
            break
    for r in range(k):
        for j in range(n):
            total = frame[j, r]
            for i in range(rest):
                total += frame[j, k + i] * h[i, r]
            rows[r, j] = total
    _sylvester(t, h, system, k, residual)
    if factor(system, pivots) == 0.0:
        return False
    # (-H, 1) Q' dA' L' on the right; what is asked for is dH' Q2' v.
    left, part = np.empty((rest, n)), np.empty(rest)
    for i in range(rest):
        part[i] = 0.0
        for j in range(n):
            part[i] += frame[j, k + i] * v[j]
            total = frame[j, k + i]
            for r in range(k):
                total -= h[i, r] * frame[j, r]
            left[i, j] = total
    for c in range(changes.shape[0]):
        for i in range(rest):
            for r in range(k):
                total = 0.0
                for a in range(n):
                    for b in range(n):
                        total += left[i, a] * changes[c, b, a] * rows[r, b]
                step[i * k + r] = -total
        solve(system, pivots, step)
        for r in range(k):
            total = 0.0
            for i in range(rest):
                total += step[i * k + r] * part[i]
            slopes[r, c] = total
    return True
