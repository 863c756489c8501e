"""Lines of recurrence plots, counted without the plot: two points recur where they are within a radius.

Diagonal lines are stretches of time over which two parts of an orbit stay close; vertical lines are times
over which the orbit stays close to one of its points.  Memory is a few arrays of the length of the series.
"""

from __future__ import annotations

from dynlab.kernels.correlation import distances_from
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import OPTIONS


@njit("void(f8[:, ::1], i8, f8[::1])", **OPTIONS)
def _distances_along(columns, lag, out):
    n = columns.shape[1] - lag
    for i in range(n):
        out[i] = abs(columns[0, i + lag] - columns[0, i])
    for c in range(1, columns.shape[0]):
        for i in range(n):
            out[i] = max(out[i], abs(columns[c, i + lag] - columns[c, i]))


@njit("void(f8[:, ::1], i8, i8, f8, i8[::1], f8[::1], i8[:, ::1])", **OPTIONS)
def count_diagonals(columns, first, last, radius, blocks, distances, counts):
    """Count diagonal lines at lags from first to last by length, for the blocks of both their beginnings."""
    for lag in range(first, last):
        n = columns.shape[1] - lag
        _distances_along(columns, lag, distances)
        length = 0
        for i in range(n):
            if distances[i] <= radius:
                length += 1
            elif length > 0:
                counts[blocks[i - length], length] += 1
                counts[blocks[i - length + lag], length] += 1
                length = 0
        if length > 0:
            counts[blocks[n - length], length] += 1
            counts[blocks[n - length + lag], length] += 1


@njit("void(f8[:, ::1], i8, i8, i8, f8, i8[::1], f8[::1], i8[:, ::1])", **OPTIONS)
def count_verticals(columns, first, last, window, radius, blocks, distances, counts):
    """Count vertical lines in columns from first to last by length, for the block of column and beginning.

    The window about the diagonal is cut.
    """
    n = columns.shape[1]
    for here in range(first, last):
        distances_from(columns, here, 0, n, distances)
        for j in range(max(here - window, 0), min(here + window + 1, n)):
            distances[j] = radius * 2.0 + 1.0
        length, block = 0, blocks[here]
        for i in range(n):
            if distances[i] <= radius:
                length += 1
            elif length > 0:
                counts[block, length] += 1
                counts[blocks[i - length], length] += 1
                length = 0
        if length > 0:
            counts[block, length] += 1
            counts[blocks[n - length], length] += 1


@njit("void(f8[:, ::1], i8, i8, f8, i8[::1], f8[::1], f8[:, ::1])", **OPTIONS)
def draw_plot(columns, first, last, radius, pixels, distances, out):
    """Add each recurrence to its pixel, for the columns from first to last of the plot."""
    n = columns.shape[1]
    for here in range(first, last):
        distances_from(columns, here, 0, n, distances)
        row = pixels[here]
        for i in range(n):
            if distances[i] <= radius:
                out[row, pixels[i]] += 1.0
