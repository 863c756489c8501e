"""Nearest neighbours that are not neighbours in time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

__all__ = ["nearest", "spread"]

Array = NDArray[np.float64]
Places = NDArray[np.int64]


def spread(count: int, most: int) -> Places:
    """Return at most so many places, evenly spread over a series."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


def nearest(
    points: Array, here: Places, *, window: int, count: int = 1, zero: bool = True
) -> tuple[Places, Array]:
    """Return the nearest points in the largest coordinate difference, and their distances.

    More and more neighbours are asked of the tree, until so many lie outside the window in time.

    Parameters
    ----------
    points
        One row each.
    here
        The points whose neighbours are wanted.
    window
        Neighbours are further away in time than this.
    count
        How many.
    zero
        Whether points in the very same place count.

    Returns
    -------
    places, distances
        One row per point; -1 and infinity where there are not so many.
    """
    tree = cKDTree(points)
    places = np.full((len(here), count), -1, np.int64)
    distances = np.full((len(here), count), np.inf)
    open_, asked = np.arange(len(here)), count + 3
    while len(open_):
        asked = min(asked, len(points))
        found = tree.query(points[here[open_]], k=asked, p=np.inf)
        far, where = (np.reshape(part, (len(open_), asked)) for part in found)
        valid = np.abs(where - here[open_, None]) > window
        if not zero:
            valid &= far > 0
        enough = valid.sum(axis=1) >= count
        if asked == len(points):
            enough[:] = True
        order = np.argsort(~valid[enough], axis=1, kind="stable")[:, :count]
        rows = open_[enough]
        taken = np.take_along_axis(valid[enough], order, axis=1)
        places[rows] = np.where(taken, np.take_along_axis(where[enough], order, axis=1), -1)
        distances[rows] = np.where(taken, np.take_along_axis(far[enough], order, axis=1), np.inf)
        open_, asked = open_[~enough], 4 * asked
    return places, distances
