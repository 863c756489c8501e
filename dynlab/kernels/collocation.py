"""Orthogonal collocation for cycles: the linear algebra of one Newton step.

A cycle u(s), 0 <= s <= 1, of x' = f(x; l) with period T is a continuous function, a polynomial of
degree m on each of N intervals, with

    u'(s) = T f(u(s); l)           at the m Gauss points of each interval
    u(1) = u(0) + turns            turns: whole turns of states on a circle
    <u - r, r'> = 0                phase; r is the prediction
    <row, (u, T, l)> = value       arclength, or a pinned unknown

(Doedel, Keller and Kernevez 1991, Int. J. Bifurcation Chaos 1, 745; de Boor and Swartz 1973, SIAM J.
Numer. Anal. 10, 582.)  The linear system is almost block diagonal.  Elimination has three stages, all
with row pivoting:

condense    the unknowns inside each interval, leaving  A x_i + B x_{i+1} + C (T, l) = r
reduce      x_1 ... x_{N-1} one after the other, leaving x_0, x_N, T, l
border      x_N = x_0; phase and arclength: n + 2 equations

What joins the two ends is left to the caller, so the same elimination serves orbits that are not closed
(`dynlab.kernels.connections`), and with more parameters.  The bordering rows are carried through both stages, for without them the matrix is singular.  All
unknowns are scaled by their typical size.  A product of the pivots' signs gives that of the
determinant, which changes at a branch point.

Arrays: ``u`` has N m + 1 rows, ``mesh`` N + 1 places; a ``basis`` holds the Lagrange polynomials on
m + 1 equidistant places at the Gauss points (m x (m + 1)), their slopes, and the Gauss weights.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from dynlab.kernels.convention import (
    LEFT_DOMAIN,
    MODEL_INPUTS,
    NOT_CONVERGED,
    OK,
    SINGULAR,
    call0,
    pointer,
)
from dynlab.kernels.deferred import njit
from dynlab.kernels.linear import factor, solve
from dynlab.kernels.rows import put, subtract

__all__ = [
    "BASIS",
    "at_gauss_points",
    "condense",
    "correct",
    "linearise",
    "product",
    "reduce",
    "solution",
]

_V = types.float64[::1]
_M = types.float64[:, ::1]
_F3 = types.float64[:, :, ::1]
_I = types.int64[::1]
#: Values, slopes, weights.
BASIS = types.Tuple((_M, _M, _V))

OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
MAX_NEWTON = 10


@njit(types.void(_M, BASIS, types.int64, types.int64, _V), **OPTIONS)
def at_gauss_points(u, basis, interval, point, out):  # type: ignore[no-untyped-def]
    """Write the value of a piecewise polynomial at one Gauss point."""
    values = basis[0]
    m, n = values.shape[0], u.shape[1]
    for j in range(n):
        out[j] = 0.0
    for k in range(m + 1):
        weight = values[point, k]
        for j in range(n):
            out[j] += weight * u[interval * m + k, j]


@njit(
    types.int64(
        types.int64, types.int64, MODEL_INPUTS, _I, _M, _V, _V, _V, BASIS, _F3, _F3, _F3, _V,
    ),
    **OPTIONS,
)  # fmt: skip
def linearise(rhs, jacobian, inputs, active, u, q, mesh, scale, basis, phase, arc, work, trace):  # type: ignore[no-untyped-def]
    """Write equations and derivatives of every interval; ``trace[0]`` becomes the integral of tr J.

    Columns of a block: unknowns inside the interval, at its start, at its end, T, each l, right-hand side.
    Rows: m n collocation equations, then phase and arclength without their right-hand sides.  ``active``
    are the positions of the l among the parameters, -1 for one that is not there; ``q`` = (T, l ...).
    """
    values, slopes, weights = basis
    m = values.shape[0]
    n = u.shape[1]
    inside, border = (m - 1) * n, (m + 1) * n
    width = border + active.shape[0] + 2
    z, p, d, k, w = inputs
    period = q[0]
    columns = n
    for j in range(active.shape[0]):
        if active[j] >= 0:
            p[active[j]] = q[1 + j]
            columns += 1
    x, rate, flat = np.empty(n), np.empty(n), np.empty(n * columns)
    slope, scaled, firsts = np.empty(n), np.empty((n, n)), np.empty(m + 1, np.int64)
    for b in range(m + 1):
        firsts[b] = (b - 1) * n
    firsts[0], firsts[m] = inside, inside + n
    # Through pointers: numba asks of every index that is a sum whether it is negative.
    states, out = pointer(u), pointer(work)
    total = 0.0
    for i in range(mesh.shape[0] - 1):
        h = mesh[i + 1] - mesh[i]
        block = i * work.shape[1] * width
        for c in range(m):
            for j in range(n):
                value, change = 0.0, 0.0
                for b in range(m + 1):
                    state = states[(i * m + b) * n + j]
                    value += values[c, b] * state
                    change += slopes[c, b] * state
                x[j], slope[j] = value, change
            call0(rhs, 0.0, pointer(x), pointer(z), pointer(p), pointer(d), pointer(k), pointer(w),
                  pointer(rate))  # fmt: skip
            call0(jacobian, 0.0, pointer(x), pointer(z), pointer(p), pointer(d), pointer(k),
                  pointer(w), pointer(flat))  # fmt: skip
            for j in range(n):
                if not math.isfinite(rate[j]):
                    return LEFT_DOMAIN
                total += h * weights[c] * flat[j * columns + j]
                inverse = 1.0 / scale[j]
                for other in range(n):
                    scaled[j, other] = (
                        -h * period * inverse * flat[j * columns + other] * scale[other]
                    )
                row = block + (c * n + j) * width
                out[row + border] = -h * rate[j] * scale[n] * inverse
                place = n
                for l in range(active.shape[0]):
                    by_parameter = 0.0
                    if active[l] >= 0:
                        by_parameter = flat[j * columns + place]
                        place += 1
                    if not math.isfinite(by_parameter):
                        return LEFT_DOMAIN
                    out[row + border + 1 + l] = (
                        -h * period * by_parameter * scale[n + 1 + l] * inverse
                    )
                out[row + width - 1] = (h * period * rate[j] - slope[j]) * inverse
            for b in range(m + 1):
                value, change = values[c, b], slopes[c, b]
                for j in range(n):
                    row = block + (c * n + j) * width + firsts[b]
                    put(out, row, pointer(scaled), j * n, n, value)
                    out[row + j] += change
        row = block + m * n * width
        for b in range(m + 1):
            for j in range(n):
                by_phase, by_arc = 0.0, 0.0
                for c in range(m):
                    by_phase += values[c, b] * phase[i, c, j]
                    by_arc += values[c, b] * arc[i, c, j]
                out[row + firsts[b] + j] = by_phase
                out[row + width + firsts[b] + j] = by_arc
        for column in range(border, width):
            out[row + column] = 0.0
            out[row + width + column] = 0.0
    trace[0] = total * period
    return OK


@njit(types.float64(_F3, types.int64, types.int64), **OPTIONS)
def condense(work, m, n):  # type: ignore[no-untyped-def]
    """Eliminate the unknowns inside every interval; return the sign of the pivots' product."""
    inside = (m - 1) * n
    rows, height, width = m * n, work.shape[1], work.shape[2]
    sign = 1.0
    for i in range(work.shape[0]):
        a = work[i]
        for k in range(inside):
            best, place = abs(a[k, k]), k
            for r in range(k + 1, rows):
                if abs(a[r, k]) > best:
                    best, place = abs(a[r, k]), r
            if not best > 0.0:
                return 0.0
            if place != k:
                sign = -sign
                for c in range(k, width):
                    a[k, c], a[place, c] = a[place, c], a[k, c]
            if a[k, k] < 0.0:
                sign = -sign
            inverse = 1.0 / a[k, k]
            for r in range(k + 1, height):
                share = a[r, k] * inverse
                if share != 0.0:
                    subtract(a, r, k, k + 1, width, share)
    return sign


@njit(types.float64(_F3, types.int64, types.int64, _F3, _M), **OPTIONS)
def reduce(work, m, n, kept, last):  # type: ignore[no-untyped-def]
    """Eliminate x_1 ... x_{N-1} from what `condense` left; return the sign of the pivots' product.

    ``kept[i]`` gets the rows that give x_i from x_0, x_{i+1}, T, l; ``last`` the n + 2 equations for x_0,
    x_N, T, l with their right-hand sides in its last column.
    """
    intervals = work.shape[0]
    inside, first = (m - 1) * n, (m - 1) * n
    end = first + 2 * n  # where T, l and the right-hand side stand in a block
    rest = work.shape[2] - end
    integrals = work.shape[1] - m * n
    width, height = 3 * n + rest, 2 * n + integrals
    sign = 1.0
    # Columns here: x_i, x_0, x_{i+1}, T, l, right-hand side.
    a = np.zeros((height, width))
    for r in range(n + integrals):
        source = inside + r
        for j in range(n):
            a[n + r, n + j] = work[0, source, first + j]
            a[n + r, 2 * n + j] = work[0, source, first + n + j]
        for j in range(rest):
            a[n + r, 3 * n + j] = work[0, source, end + j]
    for i in range(1, intervals):
        # What was the end of the last interval is now x_i, to be eliminated.
        for r in range(n):
            for j in range(n):
                a[r, j] = a[n + r, 2 * n + j]
                a[r, n + j] = a[n + r, n + j]
                a[r, 2 * n + j] = 0.0
            for j in range(rest):
                a[r, 3 * n + j] = a[n + r, 3 * n + j]
        for r in range(n):
            source = inside + r
            for j in range(n):
                a[n + r, j] = work[i, source, first + j]
                a[n + r, n + j] = 0.0
                a[n + r, 2 * n + j] = work[i, source, first + n + j]
            for j in range(rest):
                a[n + r, 3 * n + j] = work[i, source, end + j]
        for r in range(integrals):
            source = m * n + r
            for j in range(n):
                a[2 * n + r, j] = a[2 * n + r, 2 * n + j] + work[i, source, first + j]
                a[2 * n + r, 2 * n + j] = work[i, source, first + n + j]
            for j in range(rest):
                a[2 * n + r, 3 * n + j] += work[i, source, end + j]
        for k in range(n):
            best, place = abs(a[k, k]), k
            for r in range(k + 1, 2 * n):
                if abs(a[r, k]) > best:
                    best, place = abs(a[r, k]), r
            if not best > 0.0:
                return 0.0
            if place != k:
                sign = -sign
                for c in range(k, width):
                    a[k, c], a[place, c] = a[place, c], a[k, c]
            if a[k, k] < 0.0:
                sign = -sign
            inverse = 1.0 / a[k, k]
            for r in range(k + 1, height):
                share = a[r, k] * inverse
                if share != 0.0:
                    subtract(a, r, k, k + 1, width, share)
            for c in range(width):
                kept[i, k, c] = a[k, c]
    for r in range(n + integrals):
        for c in range(2 * n + rest):
            last[r, c] = a[n + r, n + c]
    return sign


@njit(types.void(_F3, types.int64, types.int64, _F3, _V, types.float64, _M), **OPTIONS)
def solution(work, m, n, kept, small, right, out):  # type: ignore[no-untyped-def]
    """Write all scaled unknowns from x_0, x_N, T, l; ``right`` is 1 with the right-hand sides, else 0."""
    intervals = work.shape[0]
    inside, border, width = (m - 1) * n, (m + 1) * n, work.shape[2]
    others = width - 1 - border
    flat = pointer(out)
    for j in range(n):
        out[0, j] = small[j]
        out[intervals * m, j] = small[n + j]
    for i in range(intervals - 1, 0, -1):
        a = kept[i]
        here, end = i * m * n, (i + 1) * m * n
        for k in range(n - 1, -1, -1):
            value = right * a[k, 3 * n + others]
            for j in range(others):
                value -= a[k, 3 * n + j] * small[2 * n + j]
            for j in range(n):
                value -= a[k, n + j] * small[j] + a[k, 2 * n + j] * flat[end + j]
            for j in range(k + 1, n):
                value -= a[k, j] * flat[here + j]
            flat[here + k] = value / a[k, k]
    for i in range(intervals):
        a = work[i]
        here = (i * m + 1) * n
        for k in range(inside - 1, -1, -1):
            value = right * a[k, width - 1]
            for j in range(others):
                value -= a[k, border + j] * small[2 * n + j]
            for j in range(n):
                value -= a[k, inside + j] * flat[here - n + j]
                value -= a[k, inside + n + j] * flat[here + inside + j]
            for j in range(k + 1, inside):
                value -= a[k, j] * flat[here + j]
            flat[here + k] = value / a[k, k]


@njit(types.float64(_M, _M, _V, BASIS, _F3), **OPTIONS)
def product(u, reference, scale, basis, row):  # type: ignore[no-untyped-def]
    """Return row . (u - reference) / scale, summed over the Gauss points: phase and arclength."""
    values = basis[0]
    m, n = values.shape[0], u.shape[1]
    at, origin = pointer(u), pointer(reference)
    total = 0.0
    for i in range(row.shape[0]):
        for j in range(n):
            here = 0.0
            for b in range(m + 1):
                weight = 0.0
                for c in range(m):
                    weight += values[c, b] * row[i, c, j]
                place = (i * m + b) * n + j
                here += weight * (at[place] - origin[place])
            total += here / scale[j]
    return total


@njit(types.void(_V, types.int64, _V), **OPTIONS)
def _closed(small, n, whole):  # type: ignore[no-untyped-def]
    """Write x_0, x_N = x_0, T, l from x_0, T, l."""
    for j in range(n):
        whole[j] = whole[n + j] = small[j]
    for j in range(2):
        whole[2 * n + j] = small[n + j]


@njit(
    types.int64(
        types.int64, types.int64, MODEL_INPUTS, types.int64, _M, _V, _V, _V, BASIS, _M, _V, _F3,
        _F3, _V, types.float64, types.float64, _F3, _F3, _M, _V, _V,
    ),
    **OPTIONS,
)  # fmt: skip
def correct(
    rhs, jacobian, inputs, active, u, q, mesh, scale, basis, reference, reference_q, phase,
    arc, arc_q, goal, tolerance, work, kept, direction, direction_q, facts,
):  # type: ignore[no-untyped-def]  # fmt: skip
    """Newton on all equations; u and q = (T, l) are improved in place; returns a status.

    ``reference`` and ``reference_q`` are what phase and arclength are measured from; ``arc``, ``arc_q``
    and ``goal`` make the last equation: sum arc . (u - reference) / scale + arc_q . (q - reference_q) /
    scale = goal.

    On success ``direction``, ``direction_q`` hold the scaled tangent with arc . tangent = 1, and ``work`` the
    condensed blocks of the last step but one; ``facts`` the sign of the determinant, the integral of
    the divergence, and the size of the last Newton step.
    """
    m, n = basis[0].shape[0], u.shape[1]
    step = np.empty(u.shape)
    last, pivots, small = np.empty((n + 2, 2 * n + 3)), np.empty(n + 2, np.int64), np.empty(n + 2)
    square, whole = np.empty((n + 2, n + 2)), np.empty(2 * n + 2)
    places = np.full(1, active)
    previous = math.inf
    for _ in range(MAX_NEWTON):
        status = linearise(
            rhs, jacobian, inputs, places, u, q, mesh, scale, basis, phase, arc, work, facts[1:]
        )
        if status != OK:
            return status
        sign = condense(work, m, n)
        sign *= reduce(work, m, n, kept, last)
        if sign == 0.0:
            return SINGULAR
        for row in range(n + 2):
            for j in range(n):  # x_N = x_0
                last[row, j] += last[row, n + j]
            for j in range(3):
                last[row, n + j] = last[row, 2 * n + j]
        # What is missing in the border: the parts of T and l, and the right-hand sides.
        last[n, n + 2] -= product(u, reference, scale, basis, phase)
        along = product(u, reference, scale, basis, arc)
        for j in range(2):
            last[n + 1, n + j] += arc_q[j]
            along += arc_q[j] * (q[j] - reference_q[j]) / scale[n + j]
        last[n + 1, n + 2] += goal - along
        unit = 0.0
        for row in range(n + 2):
            largest = 0.0
            for j in range(n + 2):
                largest = max(largest, abs(last[row, j]))
            if not largest > 0.0:
                return SINGULAR
            unit = 1.0 / largest
            for j in range(n + 2):
                square[row, j] = last[row, j] * unit
            small[row] = last[row, n + 2] * unit
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
        for j in range(2):
            size = max(size, abs(small[n + j]))
            q[j] += scale[n + j] * small[n + j]
        if not math.isfinite(size) or not q[0] > 0.0:
            return SINGULAR
        facts[2] = size
        # Quadratic convergence: the next step would be of this size.
        coming = size * size / previous if previous < math.inf else math.inf
        if size < tolerance or (size < 1e-4 and coming < tolerance):
            facts[0] = sign * final
            for j in range(n + 2):
                small[j] = 0.0
            small[n + 1] = unit
            solve(square, pivots, small)
            _closed(small, n, whole)
            solution(work, m, n, kept, whole, 0.0, direction)
            direction_q[0], direction_q[1] = small[n], small[n + 1]
            return OK
        if size > 4.0 * previous or size > 1e3:
            return NOT_CONVERGED
        previous = size
    return NOT_CONVERGED
