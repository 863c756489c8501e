"""Orbits of a map for many values of a parameter: one column of states for each.

Cost: transient plus kept steps of the map for each value.  A column that ends early is filled with nan.
"""

from __future__ import annotations

import math

from dynlab.kernels.convention import OK
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import MODEL, OPTIONS, copy
from dynlab.kernels.maps import START, X, step

__all__ = ["columns"]


@njit(f"void(i8, i8, f8[::1], f8[::1], i8, f8[:, ::1], {MODEL}, f8[:, :, ::1], i8[::1])", **OPTIONS)
def columns(rule, place, values, start, transient, work, z, p, d, k, w, out, statuses):
    """Fill ``out[value, step]`` with the states after the transient; say how each column ended.

    The parameter stands at ``place`` in p, which is overwritten.
    """
    for column in range(values.size):
        p[place] = values[column]
        copy(start, work[X])
        copy(start, work[START])
        status, kept = OK, 0
        for taken in range(transient + out.shape[1]):
            status = step(rule, taken, work, z, p, d, k, w)
            if status != OK:
                break
            if taken >= transient:
                copy(work[X], out[column, kept])
                kept += 1
        statuses[column] = status
        for row in range(kept, out.shape[1]):
            for i in range(start.size):
                out[column, row, i] = math.nan
