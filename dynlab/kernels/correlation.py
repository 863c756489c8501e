"""Distances between points, counted by size: what correlation sums are made of.

The bins are those of floating point itself: the exponent and the first two bits of the mantissa, four
bins for each power of two, with edges 1, 1.25, 1.5, 1.75 times it.  A distance finds its bin by a
shift, without a logarithm.
"""

from __future__ import annotations

import numpy as np

from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import OPTIONS

#: Of the 64 bits of a number these remain: sign, exponent, two bits of the mantissa.
SHIFT = 50


@njit("void(f8[:, ::1], i8, i8, i8, f8[::1])", **OPTIONS)
def distances_from(columns, here, first, last, out):
    """Largest coordinate differences between a point and those from first to last (points are columns)."""
    place = columns[0, here]
    for j in range(first, last):
        out[j] = abs(columns[0, j] - place)
    for c in range(1, columns.shape[0]):
        place = columns[c, here]
        for j in range(first, last):
            out[j] = max(out[j], abs(columns[c, j] - place))


@njit("void(f8[::1], i8, i8, i8, i8[:, ::1])", **OPTIONS)
def _count(distances, first, last, lowest, counts):
    top = counts.shape[0] - 1
    for j in range(first, last):
        place = (np.float64(distances[j]).view(np.int64) >> SHIFT) - lowest
        counts[min(max(place, 0), top), j & 3] += 1


@njit("i8(f8[:, ::1], i8, i8, i8, i8, i8, f8[::1], i8[:, ::1])", **OPTIONS)
def count_distances(columns, first, last, stride, window, lowest, distances, counts):
    """Count distances from points first, first + stride, ... to all others outside the window in time.

    The first bin takes everything below its upper edge, the last everything above its lower one.
    Most distances fall into a few bins: each bin has four counters, taken in turn, so that no count waits for
    the one before.  Returns the number of points that it started from.
    """
    n = columns.shape[1]
    taken = 0
    for here in range(first, last, stride):
        before, after = max(here - window, 0), min(here + window + 1, n)
        distances_from(columns, here, 0, n, distances)
        _count(distances, 0, before, lowest, counts)
        _count(distances, after, n, lowest, counts)
        taken += 1
    return taken
