"""Cycles of a map, f^n(x) = x: Newton's method from many starts, deflating whole cycles.

As `dynlab.kernels.newton.search`, whose distances and tolerances are used, except that a root brings
all n points of its cycle with it: each is a root, and deflation keeps Newton's method away from all of
them, so that cyclic shifts and cycles of shorter period are not found again (Farrell, Birkisson,
Funke, SIAM J. Sci. Comput. 37 (2015) A2026).

Cost: n evaluations of the map and its Jacobian per step.
"""

from __future__ import annotations

import numpy as np
from numba import types

from dynlab.kernels.convention import MODEL_INPUTS, OK, call0, pointer
from dynlab.kernels.deferred import njit
from dynlab.kernels.newton import newton

__all__ = ["distance", "points_of_cycle", "search_cycles"]

_M = types.float64[:, ::1]
_V = types.float64[::1]
#: Roots nearer to each other than this part of the box are one.
_SAME = 1e-6


@njit(types.float64(_V, _V, _V, _V), cache=True, nogil=True, error_model="numpy")
def distance(a, b, scale, turns):  # type: ignore[no-untyped-def]
    """Return the largest difference of two states, without whole turns of those on a circle."""
    far = 0.0
    for i in range(a.shape[0]):
        difference = a[i] - b[i]
        if turns[i] > 0.0:
            difference -= turns[i] * round(difference / turns[i])
        far = max(far, abs(difference) / scale[i])
    return far


@njit(
    types.boolean(types.int64, types.int64, _V, MODEL_INPUTS, _V, _V, _M),
    cache=True, nogil=True, error_model="numpy",
)  # fmt: skip
def _polished(rhs, jacobian, x, inputs, scale, unit, nothing):  # type: ignore[no-untyped-def]
    """Improve a root to round-off, in its own size or in the usual size of the states."""
    report = np.empty(2)
    if newton(rhs, jacobian, 1.0, x, inputs, scale, 1e-9, nothing, report) != OK:
        return False
    size = np.empty(x.shape[0])
    for i in range(x.shape[0]):
        size[i] = max(abs(x[i]), unit[i])
    return newton(rhs, jacobian, 1.0, x, inputs, size, 1e-11, nothing, report) == OK


@njit(
    types.int64(
        types.int64, types.int64, types.int64, _V, MODEL_INPUTS, MODEL_INPUTS, _V, _V, _V, _V, _V,
        _M, _M, types.float64,
    ),
    cache=True, nogil=True, error_model="numpy",
)  # fmt: skip
def points_of_cycle(
    rule, rhs, jacobian, x, own, inputs, scale, unit, lower, upper, turns, nothing, points, same
):  # type: ignore[no-untyped-def]  # fmt: skip
    """Write the points of the cycle through a root; return how many, 0 if one is not in the box."""
    z, p, d, k, w = own
    n = x.shape[0]
    for step in range(points.shape[0]):
        if not _polished(rhs, jacobian, x, inputs, scale, unit, nothing):
            return 0
        for i in range(n):
            if turns[i] > 0.0:
                x[i] -= turns[i] * round(x[i] / turns[i])
            else:
                slack = 1e-9 * abs(x[i]) + 1e-12 * scale[i]
                if x[i] < lower[i] - slack or x[i] > upper[i] + slack:
                    return 0
            points[step, i] = x[i]
        divides = step > 0 and points.shape[0] % step == 0
        if divides and distance(x, points[0], scale, turns) < same:
            return step
        call0(rule, float(step), pointer(points[step]), pointer(z), pointer(p), pointer(d),
              pointer(k), pointer(w), pointer(x))  # fmt: skip
    return points.shape[0]


@njit(
    types.int64(
        types.int64, types.int64, types.int64, types.int64, _M, MODEL_INPUTS, MODEL_INPUTS, _V, _V,
        _V, _V, _V, _M, types.int64[::1], types.int64,
    ),
    cache=True, nogil=True, error_model="numpy",
)  # fmt: skip
def search_cycles(
    rule, rhs, jacobian, period, starts, own, inputs, scale, unit, lower, upper, turns, roots, lengths,
    count,
):  # type: ignore[no-untyped-def]  # fmt: skip
    """Append every point of each new cycle to the roots; return how many there are then.

    They stand in their order, and ``lengths`` says at the first how many they are.  ``rule`` is the map with its inputs ``own``; ``rhs``, ``jacobian`` and ``inputs`` are those of the
    map taken ``period`` times.
    """
    n = starts.shape[1]
    x = np.empty(n)
    report = np.empty(2)
    nothing = np.empty((0, n))
    points = np.empty((period, n))
    for deflated in range(2):
        for s in range(starts.shape[0]):
            if count + period > roots.shape[0]:
                return count
            for i in range(n):
                x[i] = starts[s, i]
            if deflated == 1 and (
                newton(rhs, jacobian, 1.0, x, inputs, scale, 1e-6, roots[:count], report) != OK
            ):
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
