"""Recorded signals: a piecewise polynomial in the arrays of a model, evaluated at a time.

Four integers in ``k`` say where: the first place in ``d``, the number of pieces, the number of powers,
and what holds beyond the ends.  In ``d`` stand the times of the pieces and the last end, and then the
coefficients of each piece in rising powers of the time since it began.

A piece is looked for where it would be if all had the same length, and else by bisection.
"""

from __future__ import annotations

import math

from numba import types

from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import OPTIONS

#: Integers per signal in ``k``, and their places.
FIRST, COUNT, POWERS, BEYOND = range(4)
WIDTH = 4
#: Values of BEYOND.
REFUSED, HELD, REPEATED = range(3)
#: Rounding of the time by which a refused signal may be passed, in parts of its length.
ROOM = 1e-9

_F = types.CPointer(types.float64)
_K = types.CPointer(types.int64)


@njit(types.int64(types.float64, _F, types.int64, types.int64), **OPTIONS)
def piece_at(t, d, first, count):
    """Return the piece that holds a time; the outer ones reach beyond."""
    begin, end = d[first], d[first + count]
    guess = min(max(int((t - begin) / (end - begin) * count), 0), count - 1)
    if d[first + guess] <= t < d[first + guess + 1]:
        return guess
    low, high = 0, count - 1
    while low < high:
        middle = (low + high + 1) // 2
        if d[first + middle] <= t:
            low = middle
        else:
            high = middle - 1
    return low


@njit(types.float64(types.float64, _F, _K, types.int64, types.int64), **OPTIONS)
def recorded(t, d, k, at, order):
    """Return a derivative of a signal by time; of order 0 the signal itself.

    ``at`` is where its integers begin in ``k``.  Beyond the ends of a refused signal it is nan.
    """
    first, count, powers, beyond = k[at], k[at + 1], k[at + 2], k[at + 3]
    begin, end = d[first], d[first + count]
    if not begin <= t <= end:
        if beyond == REPEATED:
            t = begin + (t - begin) - (end - begin) * math.floor((t - begin) / (end - begin))
        elif beyond == HELD:
            if order > 0:
                return 0.0
            t = min(max(t, begin), end)
        elif not begin - ROOM * (end - begin) <= t <= end + ROOM * (end - begin):
            return math.nan
    piece = piece_at(t, d, first, count)
    s = t - d[first + piece]
    coefficients = first + count + 1 + piece * powers
    value = 0.0
    for power in range(powers - 1, order - 1, -1):
        factor = 1.0
        for j in range(order):
            factor *= power - j
        value = value * s + factor * d[coefficients + power]
    return value
