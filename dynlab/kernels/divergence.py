"""How fast neighbours on an orbit come apart: mean logarithms of their distance against time.

Rosenstein, Collins and De Luca 1993 (Physica D 65, 117) follow the nearest neighbour of each point; Kantz
1994 (Phys. Lett. A 185, 77) all neighbours in a ball, with the mean taken before the logarithm.  Distances
are largest coordinate differences.
"""

from __future__ import annotations

import numpy as np

from dynlab.kernels.correlation import distances_from
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import OPTIONS


@njit("f8(f8[:, ::1], i8, i8)", **OPTIONS)
def _distance(columns, i, j):
    largest = 0.0
    for c in range(columns.shape[0]):
        largest = max(largest, abs(columns[c, i] - columns[c, j]))
    return largest


@njit("void(f8[:, ::1], i8[::1], i8[::1], i8[::1], f8[:, ::1], i8[:, ::1])", **OPTIONS)
def follow_pairs(columns, here, there, blocks, sums, counts):
    """Add up log distances of pairs over time, in the row of each pair's block; zeros are left out."""
    for pair in range(here.size):
        i, j, b = here[pair], there[pair], blocks[pair]
        for k in range(sums.shape[1]):
            distance = _distance(columns, i + k, j + k)
            if distance > 0.0:
                sums[b, k] += np.log(distance)
                counts[b, k] += 1


@njit("i8(f8[:, ::1], i8, i8, i8, f8, i8, f8[::1], f8[::1], f8[::1], i8[::1])", **OPTIONS)
def follow_ball(columns, here, window, last, radius, fewest, distances, means, sums, counts):
    """Add the log of the mean distance over time to the points that begin within a radius.

    Neighbours begin before `last`; with fewer than `fewest` of them nothing is added.  Returns their number.
    """
    distances_from(columns, here, 0, last, distances)
    length = sums.size
    for k in range(length):
        means[k] = 0.0
    found = 0
    for j in range(last):
        if distances[j] < radius and abs(j - here) > window:
            found += 1
            for k in range(length):
                means[k] += _distance(columns, here + k, j + k)
    if found >= fewest:
        for k in range(length):
            if means[k] > 0.0:
                sums[k] += np.log(means[k] / found)
                counts[k] += 1
    return found
