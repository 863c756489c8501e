"""Peaks of a density on cells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter, minimum_filter

from dynlab.stochastic.generator.grid import Grid

__all__ = ["peaks"]

Array = NDArray[np.float64]

#: Peaks lower than this beside the highest are not listed.
LOWEST = 1e-6


def peaks(values: Array, grid: Grid, lowest: float = LOWEST) -> list[dict[str, float]]:
    """Return the maxima among neighbours, each moved to the top of a parabola through the logarithms."""
    modes = ["wrap" if grid.is_periodic(k) else "nearest" for k in range(values.ndim)]
    highest, deepest = maximum_filter(values, 3, mode=modes), minimum_filter(values, 3, mode=modes)
    is_top = (values == highest) & (values > deepest) & (values > lowest * values.max())
    found: list[dict[str, float]] = []
    for place in sorted(zip(*np.nonzero(is_top), strict=True), key=lambda p: -values[p]):
        peak = {}
        for k, name in enumerate(grid.names):
            around = [_neighbour(place, k, by, grid) for by in (-1, 0, 1)]
            low, here, high = np.log(np.maximum([values[a] for a in around], 1e-300))
            bend = low - 2 * here + high
            shift = 0.5 * (low - high) / bend if bend < 0 else 0.0
            peak[name] = float(grid.centres(name)[place[k]] + shift * grid.widths[k])
        # Two cells of the same height are one peak between them.
        if not any(
            all(abs(peak[n] - p[n]) < w for n, w in zip(grid.names, grid.widths, strict=True))
            for p in found
        ):
            found.append(peak)
    return found


def _neighbour(place: tuple[int, ...], axis: int, by: int, grid: Grid) -> tuple[int, ...]:
    """Return the next cell along an axis; at a wall the cell itself."""
    moved, last = place[axis] + by, grid.cells[axis]
    inside = moved % last if grid.is_periodic(axis) else min(max(moved, 0), last - 1)
    return (*place[:axis], inside, *place[axis + 1 :])
