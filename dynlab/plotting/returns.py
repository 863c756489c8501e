"""Orbits of maps in bulk: how often a place is visited against a parameter, and each value against the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dynlab.plotting import style
from dynlab.plotting.axes import new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

ROWS = 640
"""Places told apart from bottom to top."""
STROKE = (0.15, 0.7, 1.0, 0.7, 0.15)
"""A visit darkens its neighbours as well: lines get a width, and few visits make an even shade."""
SHADE = 0.45
"""Exponent from the share of visits to darkness: rare visits stay visible."""
MARGIN = 0.03
SQUARE = (4.8, 4.8)
MANY = 3000


def draw_orbit_density(
    ax: Axes | None, values: ArrayLike, points: ArrayLike, *, labels: tuple[str, str]
) -> Axes:
    """Draw what orbits visit over a parameter, darker where they come often.

    Parameters
    ----------
    ax
        Axes to draw into; None makes a figure.
    values
        The parameter, rising or falling evenly.
    points
        A row of visited values for each; nan where there are none.
    labels
        Of the parameter and of the state.
    """
    from matplotlib.colors import LinearSegmentedColormap

    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    across, visited = np.asarray(values, float), np.asarray(points, float)
    known = np.isfinite(visited)
    low, high = (visited[known].min(), visited[known].max()) if known.any() else (0.0, 1.0)
    room = MARGIN * (high - low) or MARGIN * max(abs(high), 1.0)
    low, high = float(low - room), float(high + room)
    darkness = _visits(visited, low, high)
    paper = LinearSegmentedColormap.from_list(
        "visits", [(0, "#FFFFFF00"), (0.25, style.SKY), (0.6, style.BLUE), (1, style.INK)]
    )
    half = 0.5 * (across[-1] - across[0]) / max(len(across) - 1, 1)
    ax.imshow(
        darkness.T, origin="lower", aspect="auto", cmap=paper, vmin=0, vmax=1, interpolation="antialiased",
        extent=(float(across[0] - half), float(across[-1] + half), low, high), zorder=1,
    )  # fmt: skip
    ax.set_xlim(float(across[0]), float(across[-1]))
    ax.set_ylim(low, high)
    return ax


def _visits(visited: Array, low: float, high: float) -> Array:
    """Return for each column and place how dark it is, from 0 to 1."""
    place = np.floor((visited - low) / (high - low) * ROWS)
    known = np.isfinite(place)
    column = np.broadcast_to(np.arange(len(visited))[:, None], visited.shape)[known]
    flat = column * ROWS + np.clip(place[known].astype(np.int64), 0, ROWS - 1)
    count = np.bincount(flat, minlength=len(visited) * ROWS).reshape(len(visited), ROWS)
    reach = len(STROKE) // 2
    wide = np.pad(count.astype(float), ((0, 0), (reach, reach)))
    shares = np.zeros((len(visited), ROWS))
    for k, share in enumerate(STROKE):
        shares += share * wide[:, k : k + ROWS]
    # A cycle of many points must not be paler than one of few: the shade saturates at a tenth of the visits.
    most = np.maximum(0.1 * known.sum(axis=1, keepdims=True), 1.0)
    return np.asarray(np.minimum(shares / most, 1.0) ** SHADE)


def draw_returns(
    ax: Axes | None, now: ArrayLike, after: ArrayLike, *, labels: tuple[str, str]
) -> Axes:
    """Draw each value against the next one, and the diagonal on which they agree.

    Parameters
    ----------
    ax
        Axes to draw into; None makes a square figure.
    now, after
        Values, and those that follow them.
    labels
        Of both.
    """
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1], size=SQUARE)
    x, y = np.asarray(now, float), np.asarray(after, float)
    both = np.concatenate([x, y])
    both = both[np.isfinite(both)]
    low, high = (both.min(), both.max()) if len(both) else (0.0, 1.0)
    room = 0.04 * (high - low) or 0.04 * max(abs(high), 1.0)
    ends = [float(low - room), float(high + room)]
    ax.plot(ends, ends, color=style.GREY, linewidth=0.9, zorder=1)
    ax.plot(
        x, y, linestyle="none", marker=".", markersize=2.2 if len(x) > MANY else 3.4, markeredgewidth=0,
        color=style.BLUE, zorder=2,
    )  # fmt: skip
    ax.set_xlim(*ends)
    ax.set_ylim(*ends)
    ax.set_aspect("equal", adjustable="box")
    return ax
