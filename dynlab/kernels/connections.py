"""Newton's method for an orbit that connects equilibria; the equations are in `dynlab.continuation.curves.connection`.

The equations inside and the two integral conditions are those of a cycle (`dynlab.kernels.collocation`), whose
elimination leaves, for the states at the two ends u(0) and u(1), the time T and the parameters l,

    n rows that join them,  phase,  arclength.

To these are added, for the equilibria x (and y, if the orbit does not return),

    T is held
    f(x; l) = 0                      for each equilibrium
    L_s (u(0) - x) = 0, L_u (u(1) - y) = 0      left invariant subspaces (`dynlab.kernels.subspaces`)
    g(x; l) = 0                      at a saddle-node

and the whole, of size 3 n + 1 + k or 4 n + 1 + k, is solved with row pivoting.  All unknowns are scaled.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from dynlab.kernels.collocation import BASIS, condense, linearise, product, reduce, solution
from dynlab.kernels.convention import (
    LEFT_DOMAIN,
    MODEL_INPUTS,
    NOT_CONVERGED,
    OK,
    SINGULAR,
    call0,
    call2,
    pointer,
)
from dynlab.kernels.deferred import njit
from dynlab.kernels.linear import factor, solve
from dynlab.kernels.subspaces import left_subspace

__all__ = ["correct"]

_V = types.float64[::1]
_M = types.float64[:, ::1]
_F3 = types.float64[:, :, ::1]
_I = types.int64[::1]

OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
MAX_NEWTON = 12

# Positions in the vector of counts: dimensions of the two subspaces; whether there is a condition g; whether
# the last row, arclength, is there.
STABLE, UNSTABLE, AT_FOLD, HELD = range(4)


@njit(
    types.int64(
        types.int64, types.int64, types.int64, MODEL_INPUTS, _I, _V, _V, _V, _V, _M, _F3
    ),
    **OPTIONS,
)  # fmt: skip
def _equilibrium(rhs, jacobian, second, inputs, active, x, values, units, f, flat, bends):  # type: ignore[no-untyped-def]
    """Write f, its derivatives and how the Jacobian changes at an equilibrium, all scaled."""
    z, p, d, k, w = inputs
    n, wide = x.shape[0], units.shape[0]
    for j in range(active.shape[0]):
        p[active[j]] = values[j]
    plain, column = np.empty(n * wide), np.empty(n)
    a, b = np.zeros(wide), np.zeros(wide)
    call0(rhs, 0.0, pointer(x), pointer(z), pointer(p), pointer(d), pointer(k), pointer(w),
          pointer(f))  # fmt: skip
    call0(jacobian, 0.0, pointer(x), pointer(z), pointer(p), pointer(d), pointer(k), pointer(w),
          pointer(plain))  # fmt: skip
    good = True
    for i in range(n):
        f[i] /= units[i]
        good = good and math.isfinite(f[i])
        for j in range(wide):
            flat[i, j] = plain[i * wide + j] * units[j] / units[i]
            good = good and math.isfinite(flat[i, j])
    for j in range(n):
        a[j] = units[j]
        for i in range(j, wide):
            b[i] = units[i]
            call2(second, 0.0, pointer(x), pointer(z), pointer(p), pointer(d), pointer(k),
                  pointer(w), pointer(a), pointer(b), pointer(column))  # fmt: skip
            for r in range(n):
                bends[i, r, j] = column[r] / units[r]
                if i < n:
                    bends[j, r, i] = column[r] / units[r]
            b[i] = 0.0
        a[j] = 0.0
    # numba frees a local array after its last use, and an address is none.
    return OK if good and math.isfinite(column[0] + plain[0] + a[0] + b[0]) else LEFT_DOMAIN


@njit(types.float64(_M, _F3, _M, _V), **OPTIONS)
def _zero_eigenvalue(matrix, bends, border, slope):  # type: ignore[no-untyped-def]
    """Return g, zero where the matrix is singular, and write its derivatives (Govaerts 2000, section 3.2)."""
    n = border.shape[1]
    whole, turned = np.zeros((n + 1, n + 1)), np.zeros((n + 1, n + 1))
    for i in range(n):
        for j in range(n):
            whole[i, j] = turned[j, i] = matrix[i, j]
        whole[i, n] = turned[n, i] = border[0, i]
        whole[n, i] = turned[i, n] = border[1, i]
    pivots, v, w = np.empty(n + 1, np.int64), np.zeros(n + 1), np.zeros(n + 1)
    v[n] = w[n] = 1.0
    if factor(whole, pivots) == 0.0:
        return math.nan
    solve(whole, pivots, v)
    if factor(turned, pivots) == 0.0:
        return math.nan
    solve(turned, pivots, w)
    for c in range(bends.shape[0]):
        total = 0.0
        for i in range(n):
            for j in range(n):
                total -= w[i] * bends[c, i, j] * v[j]
        slope[c] = total
    return v[n]


@njit(
    types.int64(
        types.int64, types.int64, types.int64, MODEL_INPUTS, _I, _I, _M, _V, _M, _V, _V, _F3, _M,
        _M, _M, _V,
    ),
    **OPTIONS,
)  # fmt: skip
def _border(
    rhs, jacobian, second, inputs, active, counts, u, values, rests, turns, units, frames, border,
    last, matrix, right,
):  # type: ignore[no-untyped-def]  # fmt: skip
    """Write the equations for u(0), u(1), T, parameters and equilibria, but for arclength."""
    n, k = u.shape[1], active.shape[0]
    first = 2 * n + 1 + k  # where the equilibria stand
    matrix[:] = 0.0
    right[:] = 0.0
    for r in range(n + 1):
        for c in range(first):
            matrix[r, c] = last[r, c]
        right[r] = last[r, first]
    matrix[n + 1, 2 * n] = 1.0
    done = n + 2
    f, away, slope = np.empty(n), np.empty(n), np.empty(n + k)
    flats, bends = np.empty((2, n, n + k)), np.empty((2, n + k, n, n))
    squares = np.empty((2, n, n))
    for e in range(rests.shape[0]):
        status = _equilibrium(
            rhs, jacobian, second, inputs, active, rests[e], values, units, f, flats[e], bends[e]
        )
        if status != OK:
            return status
        for i in range(n):
            for j in range(n):
                matrix[done + i, first + e * n + j] = squares[e, i, j] = flats[e, i, j]
            for j in range(k):
                matrix[done + i, 2 * n + 1 + j] = flats[e, i, n + j]
            right[done + i] = -f[i]
        done += n
    for side in range(2):
        e = side if rests.shape[0] > 1 else 0
        size = counts[STABLE + side]
        end = 0 if side == 0 else u.shape[0] - 1
        for j in range(n):
            away[j] = (u[end, j] - rests[e, j]) / units[j]
            if side == 1 and rests.shape[0] == 1:
                away[j] -= turns[j] / units[j]
        rows, slopes = np.empty((size, n)), np.empty((size, n + k))
        if not left_subspace(squares[e], frames[side], size, bends[e], away, rows, slopes):
            return SINGULAR
        for r in range(size):
            total = 0.0
            for j in range(n):
                matrix[done, side * n + j] = rows[r, j]
                matrix[done, first + e * n + j] = slopes[r, j] - rows[r, j]
                total += rows[r, j] * away[j]
            for j in range(k):
                matrix[done, 2 * n + 1 + j] = slopes[r, n + j]
            right[done] = -total
            done += 1
    if counts[AT_FOLD]:
        g = _zero_eigenvalue(squares[0], bends[0], border, slope)
        for j in range(n):
            matrix[done, first + j] = slope[j]
        for j in range(k):
            matrix[done, 2 * n + 1 + j] = slope[n + j]
        right[done] = -g
    return OK


@njit(
    types.int64(
        types.int64, types.int64, types.int64, MODEL_INPUTS, _I, _I, _M, _V, _M, _V, _V, _V, _V,
        BASIS, _M, _V, _M, _F3, _F3, _V, _M, _F3, _M, types.float64, _M, _V, _V,
    ),
    **OPTIONS,
)  # fmt: skip
def correct(
    rhs, jacobian, second, inputs, active, counts, u, q, rests, turns, mesh, scale, units, basis,
    reference, reference_q, reference_rests, phase, arc, arc_values, arc_rests, frames, border,
    tolerance, direction, along, facts,
):  # type: ignore[no-untyped-def]  # fmt: skip
    """Newton on all equations; u, q = (T, l) and the equilibria are improved in place; returns a status.

    ``frames`` are those of the two subspaces; ``arc``, ``arc_values`` and ``arc_rests`` the row that is held, if
    ``counts`` has one.  On success ``direction`` holds the states of the direction with row . direction = 1, and
    ``along`` its part in u(0), u(1), T, l and the equilibria; ``facts[0]`` the size of the last step.
    """
    m, n, k, intervals = basis[0].shape[0], u.shape[1], active.shape[0], mesh.shape[0] - 1
    first, width = 2 * n + 1 + k, 2 * n + 1 + k + n * rests.shape[0]
    work = np.empty((intervals, m * n + 2, (m + 1) * n + 2 + k))
    kept, last = np.empty((intervals, n, 3 * n + 2 + k)), np.empty((n + 2, first + 1))
    step, trace = np.empty(u.shape), np.empty(1)
    matrix, right, pivots = np.empty((width, width)), np.empty(width), np.empty(width, np.int64)
    values = np.empty(k)
    previous = math.inf
    for _ in range(MAX_NEWTON):
        status = linearise(
            rhs, jacobian, inputs, active, u, q, mesh, scale, basis, phase, arc, work, trace
        )
        if status != OK:
            return status
        if condense(work, m, n) == 0.0 or reduce(work, m, n, kept, last) == 0.0:
            return SINGULAR
        last[n, first] -= product(u, reference, scale, basis, phase)
        last[n + 1, first] -= product(u, reference, scale, basis, arc)
        for j in range(k):
            values[j] = q[1 + j]
        status = _border(
            rhs, jacobian, second, inputs, active, counts, u, values, rests, turns, units, frames,
            border, last, matrix, right,
        )  # fmt: skip
        if status != OK:
            return status
        if counts[HELD]:
            final = width - 1
            for c in range(first):
                matrix[final, c] = last[n + 1, c]
            right[final] = last[n + 1, first]
            for j in range(k):
                matrix[final, 2 * n + 1 + j] += arc_values[j]
                moved = (q[1 + j] - reference_q[1 + j]) / scale[n + 1 + j]
                right[final] -= arc_values[j] * moved
            for e in range(rests.shape[0]):
                for j in range(n):
                    matrix[final, first + e * n + j] = arc_rests[e, j] / n
                    moved = (rests[e, j] - reference_rests[e, j]) / units[j]
                    right[final] -= arc_rests[e, j] / n * moved
        unit = 0.0
        for r in range(width):
            largest = 0.0
            for c in range(width):
                largest = max(largest, abs(matrix[r, c]))
            if not (largest > 0.0 and math.isfinite(largest)):
                return SINGULAR
            unit = 1.0 / largest
            for c in range(width):
                matrix[r, c] *= unit
            right[r] *= unit
        if factor(matrix, pivots) == 0.0:
            return SINGULAR
        solve(matrix, pivots, right)
        solution(work, m, n, kept, right, 1.0, step)
        size = 0.0
        for r in range(width):
            size = max(size, abs(right[r]))
        for row in range(u.shape[0]):
            for j in range(n):
                size = max(size, abs(step[row, j]))
                u[row, j] += scale[j] * step[row, j]
        for j in range(k):
            q[1 + j] += scale[n + 1 + j] * right[2 * n + 1 + j]
        for e in range(rests.shape[0]):
            for j in range(n):
                rests[e, j] += units[j] * right[first + e * n + j]
        facts[0] = size
        if not (size < 1e3 and size < max(4.0 * previous, 1e-8)):
            return NOT_CONVERGED
        # Quadratic convergence: the next step would be of the size of the square.
        if size < tolerance or (size < 1e-4 and size * size < tolerance * min(previous, 1.0)):
            for r in range(width):
                along[r] = 0.0
            along[width - 1] = unit
            solve(matrix, pivots, along)
            solution(work, m, n, kept, along, 0.0, direction)
            return OK
        previous = size
    return NOT_CONVERGED
