"""Cobwebs: the graph of a map of the line, the diagonal, and an orbit that climbs between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dynlab.plotting import style
from dynlab.plotting.axes import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

SIZE = (4.8, 4.8)
JUMP = 0.1
"""A graph that rises by more than this part of the window between two samples is broken there."""
PALEST = 0.3
"""Share of colour in the first steps; the last ones have it all."""
MANY = 80
"""From so many steps on, lines get thinner."""


def draw_cobweb(
    ax: Axes | None, x: ArrayLike, image: ArrayLike, orbit: ArrayLike, *, labels: tuple[str, str]
) -> Axes:
    """Draw an orbit of a one-dimensional map between its graph and the diagonal.

    Early steps are pale and late ones dark, so that the eye sees where the orbit goes.

    Parameters
    ----------
    ax
        Axes to draw into, or None for a new, square figure.
    x, image
        The map on a grid, which is also the window of the picture.
    orbit
        States one after the other.
    labels
        Of the state, and of the next one.
    """
    from matplotlib.collections import LineCollection
    from matplotlib.colors import LinearSegmentedColormap

    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1], size=SIZE)
    x, image = np.asarray(x, float), np.array(image, float)
    low, high = float(x[0]), float(x[-1])
    image[1:][np.abs(np.diff(image)) > JUMP * (high - low)] = np.nan
    ax.plot([low, high], [low, high], color=style.GREY, linewidth=0.9, zorder=1)
    ax.plot(x, image, color=style.INK, linewidth=2.0, zorder=2)
    steps = _staircase(np.asarray(orbit, float), low)
    shades = [style.lightened(style.BLUE, PALEST), style.BLUE]
    ramp = LinearSegmentedColormap.from_list("steps", shades)
    width = 1.1 * min(1.0, max(0.35, 2 * MANY / max(len(steps), 1)))
    lines = LineCollection(list(steps), cmap=ramp, linewidths=width, zorder=1.5, capstyle="round")
    lines.set_array(np.arange(len(steps)))
    ax.add_collection(lines, autolim=False)
    if len(steps):
        begin = steps[0, 0]
        ax.plot(*begin, marker="o", markersize=4.5, color=style.BLUE, zorder=4, clip_on=False)
    ax.set_xlim(low, high)
    ax.set_ylim(low, high)
    ax.set_aspect("equal", adjustable="box")
    return ax


def _staircase(orbit: Array, floor: float) -> Array:
    """Return the pieces of the cobweb: up or down to the graph, then across to the diagonal."""
    now, after = orbit[:-1], orbit[1:]
    bottom = now.copy()
    if len(bottom):
        bottom[0] = floor  # the first line rises from the axis
    up = np.stack([np.stack([now, bottom], -1), np.stack([now, after], -1)], 1)
    across = np.stack([np.stack([now, after], -1), np.stack([after, after], -1)], 1)
    return np.stack([up, across], 1).reshape(-1, 2, 2)
