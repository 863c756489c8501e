"""Cycles over two parameters: Newton's method on the surface that they form, and its tangent plane.

The equations are those of `dynlab.kernels.collocation` in (u, T, l_1, l_2), closed by two rows that
say where on the surface: <row_k, (u, T, l)> = goal_k.  The surface is smooth at folds and doublings, so
curves of these are curves on it.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from dynlab.kernels.collocation import BASIS, condense, linearise, product, reduce, solution
from dynlab.kernels.convention import MODEL_INPUTS, NOT_CONVERGED, OK, SINGULAR
from dynlab.kernels.deferred import njit
from dynlab.kernels.linear import factor, solve

__all__ = ["correct"]

_V = types.float64[::1]
_M = types.float64[:, ::1]
_F3 = types.float64[:, :, ::1]
_F4 = types.float64[:, :, :, ::1]
_I = types.int64[::1]

OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
MAX_NEWTON = 10
#: Unknowns beside the states, and rows that pin the place on the surface.
ENDS, ROWS = 3, 2


@njit(types.void(_F3, types.int64, _F3, BASIS), **OPTIONS)
def _integral_row(work, place, row, basis):  # type: ignore[no-untyped-def]
    """Write a row that weighs the states at the Gauss points into a row of every block."""
    values = basis[0]
    m, n = values.shape[0], row.shape[2]
    inside, border = (m - 1) * n, (m + 1) * n
    for i in range(work.shape[0]):
        for b in range(m + 1):
            column = (b - 1) * n
            if b == 0:
                column = inside
            elif b == m:
                column = inside + n
            for j in range(n):
                total = 0.0
                for c in range(m):
                    total += values[c, b] * row[i, c, j]
                work[i, place, column + j] = total
        for column in range(border, work.shape[2]):
            work[i, place, column] = 0.0


@njit(types.void(_V, types.int64, _V), **OPTIONS)
def _closed(small, n, whole):  # type: ignore[no-untyped-def]
    """Write x_0, x_N = x_0, T, l_1, l_2 from x_0, T, l_1, l_2."""
    for j in range(n):
        whole[j] = whole[n + j] = small[j]
    for j in range(small.shape[0] - n):
        whole[2 * n + j] = small[n + j]


@njit(
    types.int64(
        types.int64, types.int64, MODEL_INPUTS, _I, _M, _V, _V, _V, BASIS, _M, _V, _F3, _F4, _M,
        _V, types.float64, _F3, _F3, _F3, _M, _V,
    ),
    **OPTIONS,
)  # fmt: skip
def correct(
    rhs, jacobian, inputs, active, u, q, mesh, scale, basis, reference, reference_q, phase, rows,
    rows_q, goals, tolerance, work, kept, plane, plane_q, facts,
):  # type: ignore[no-untyped-def]  # fmt: skip
    """Newton on all equations; u and q = (T, l_1, l_2) are improved in place; returns a status.

    On success ``plane``, ``plane_q`` hold the two scaled tangents t_k with row_j . t_k = 1 for j = k and 0
    otherwise; ``facts`` as for `dynlab.kernels.collocation.correct`.
    """
    m, n = basis[0].shape[0], u.shape[1]
    size_of = n + ENDS
    step = np.empty(u.shape)
    last, pivots = np.empty((size_of, 2 * n + ENDS + 1)), np.empty(size_of, np.int64)
    square, small = np.empty((size_of, size_of)), np.empty(size_of)
    units, whole = np.empty(size_of), np.empty(2 * n + ENDS)
    previous = math.inf
    for _ in range(MAX_NEWTON):
        status = linearise(
            rhs, jacobian, inputs, active, u, q, mesh, scale, basis, phase, rows[0], work,
            facts[1:],
        )  # fmt: skip
        if status != OK:
            return status
        _integral_row(work, m * n + 2, rows[1], basis)
        sign = condense(work, m, n)
        sign *= reduce(work, m, n, kept, last)
        if sign == 0.0:
            return SINGULAR
        last[n, 2 * n + ENDS] -= product(u, reference, scale, basis, phase)
        for k in range(ROWS):
            along = product(u, reference, scale, basis, rows[k])
            for j in range(ENDS):
                last[n + 1 + k, 2 * n + j] += rows_q[k, j]
                along += rows_q[k, j] * (q[j] - reference_q[j]) / scale[n + j]
            last[n + 1 + k, 2 * n + ENDS] += goals[k] - along
        for row in range(size_of):
            largest = 0.0
            for j in range(n):  # x_N = x_0
                square[row, j] = last[row, j] + last[row, n + j]
                largest = max(largest, abs(square[row, j]))
            for j in range(ENDS):
                square[row, n + j] = last[row, 2 * n + j]
                largest = max(largest, abs(square[row, n + j]))
            if not largest > 0.0:
                return SINGULAR
            units[row] = 1.0 / largest
            for j in range(size_of):
                square[row, j] *= units[row]
            small[row] = last[row, 2 * n + ENDS] * units[row]
        final = factor(square, pivots)
        if final == 0.0:
            return SINGULAR
        solve(square, pivots, small)
        _closed(small, n, whole)
        solution(work, m, n, kept, whole, 1.0, step)
        size = 0.0
        for row in range(u.shape[0]):
            for j in range(n):
                size = max(size, abs(step[row, j]))
                u[row, j] += scale[j] * step[row, j]
        for j in range(ENDS):
            size = max(size, abs(small[n + j]))
            q[j] += scale[n + j] * small[n + j]
        if not math.isfinite(size) or not q[0] > 0.0:
            return SINGULAR
        facts[2] = size
        coming = size * size / previous if previous < math.inf else math.inf
        if size < tolerance or (size < 1e-4 and coming < tolerance):
            facts[0] = sign * final
            for k in range(ROWS):
                for j in range(size_of):
                    small[j] = 0.0
                small[n + 1 + k] = units[n + 1 + k]
                solve(square, pivots, small)
                _closed(small, n, whole)
                solution(work, m, n, kept, whole, 0.0, plane[k])
                for j in range(ENDS):
                    plane_q[k, j] = small[n + j]
            return OK
        if size > 4.0 * previous or size > 1e3:
            return NOT_CONVERGED
        previous = size
    return NOT_CONVERGED
