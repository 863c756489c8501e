"""Unstable cycles by stabilising transformations: the iteration of Davidchack and Lai.

For g(x) = f^n(x) - x with derivative G the step is

    x <- x + (beta |g(x)| C' - G(x))^-1 g(x)

where C is one of the matrices with a single 1 or -1 in each row and column.  Far from a root, where beta |g|
is large, it follows the flow x' = C g(x), for which each root is stable with one of the C; near
a root it becomes Newton's method and converges as fast.  (Davidchack and Lai 1999, Phys. Rev. E 60, 6172,
eq. 5; Schmelcher and Diakonos 1997, Phys. Rev. Lett. 78, 4733.)  Distances are measured in units of a box.

Unlike Newton's method it reaches the root near a start and does not jump across the set, so starts that
cover the set find nearly every root; points of cycles already known are such starts.

Cost: f^n, its Jacobian and one LU per step, for each start and each C.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from dynlab.kernels.convention import MODEL_INPUTS, call0, pointer
from dynlab.kernels.deferred import njit
from dynlab.kernels.linear import factor, solve
from dynlab.kernels.orbits import distance, points_of_cycle

__all__ = ["reach_cycles"]

_M = types.float64[:, ::1]
_V = types.float64[::1]
#: Steps shorter than this part of the box have converged; the rest is Newton's method.
_NEAR = 1e-9
#: Roots nearer to each other than this part of the box are one.
_SAME = 1e-8
#: An iteration that is further outside the box than its width is given up.
_OUTSIDE = 1.0


@njit(
    types.boolean(types.int64, types.int64, _V, MODEL_INPUTS, _V, _V, _V, _V, types.int64[::1], types.float64[::1],
                  types.float64, types.int64),
    cache=True, nogil=True, error_model="numpy",
)  # fmt: skip
def _converges(rhs, jacobian, x, inputs, scale, lower, upper, turns, places, signs, beta, steps):  # type: ignore[no-untyped-def]
    """Follow the iteration for one C from x, in place; return whether it converges in the box."""
    n = x.shape[0]
    z, p, d, k, w = inputs
    image, g = np.empty(n), np.empty(n)
    a = np.empty((n, n))
    flat = a.reshape(n * n)
    pivots = np.empty(n, np.int64)
    for _ in range(steps):
        call0(rhs, 0.0, pointer(x), pointer(z), pointer(p), pointer(d), pointer(k), pointer(w),
              pointer(image))  # fmt: skip
        size = 0.0
        for i in range(n):
            g[i] = (image[i] - x[i]) / scale[i]
            size += g[i] * g[i]
        size = math.sqrt(size)
        if not math.isfinite(size):
            return False
        call0(jacobian, 0.0, pointer(x), pointer(z), pointer(p), pointer(d), pointer(k), pointer(w),
              pointer(flat))  # fmt: skip
        for i in range(n):
            for j in range(n):
                a[i, j] = -a[i, j] * scale[j] / scale[i]
            a[i, i] += 1.0
        for i in range(n):
            # Row i of C has its entry at places[i]; its transpose has it in that row.
            a[places[i], i] += beta * size * signs[i]
        if factor(a, pivots) == 0.0:
            return False
        solve(a, pivots, g)
        length = 0.0
        for i in range(n):
            x[i] += g[i] * scale[i]
            length = max(length, abs(g[i]))
            low, high = lower[i] - _OUTSIDE * scale[i], upper[i] + _OUTSIDE * scale[i]
            if turns[i] == 0.0 and not low <= x[i] <= high:
                return False
        if length < _NEAR:
            return True
    return False


@njit(
    types.int64(
        types.int64, types.int64, types.int64, types.int64, _M, MODEL_INPUTS, MODEL_INPUTS, _V, _V,
        _V, _V, _V, types.int64[:, ::1], _M, types.float64, types.int64, _M, types.int64[::1],
        types.int64,
    ),
    cache=True, nogil=True, error_model="numpy",
)  # fmt: skip
def reach_cycles(
    rule, rhs, jacobian, period, starts, own, inputs, scale, unit, lower, upper, turns, places, signs,
    beta, steps, roots, lengths, count
):  # type: ignore[no-untyped-def]  # fmt: skip
    """Append every point of each new cycle to the roots; return how many there are then.

    As `dynlab.kernels.orbits.search_cycles`; ``places`` and ``signs`` hold a row for each C.
    """
    n = starts.shape[1]
    x = np.empty(n)
    nothing = np.empty((0, n))
    points = np.empty((period, n))
    for c in range(places.shape[0]):
        for s in range(starts.shape[0]):
            if count + period > roots.shape[0]:
                return count
            for i in range(n):
                x[i] = starts[s, i]
            if not _converges(rhs, jacobian, x, inputs, scale, lower, upper, turns, places[c], signs[c],
                              beta, steps):  # fmt: skip
                continue
            new = True
            for known in range(count):
                if new and distance(x, roots[known], scale, turns) < _SAME:
                    new = False
            if not new:
                continue
            length = points_of_cycle(
                rule, rhs, jacobian, x, own, inputs, scale, unit, lower, upper, turns, nothing,
                points, _SAME,
            )  # fmt: skip
            new = length > 0
            for known in range(count):
                if new and distance(points[0], roots[known], scale, turns) < _SAME:
                    new = False
            if new:
                for step in range(length):
                    for i in range(n):
                        roots[count + step, i] = points[step, i]
                lengths[count] = length
                count += length
    return count
