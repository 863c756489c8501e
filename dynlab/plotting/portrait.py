"""Phase portraits: field, nullclines, equilibria, orbits and manifolds, one function each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dynlab.plotting import style
from dynlab.plotting.axes import add_legend_key, draw_legend, new_axes, symbol
from dynlab.plotting.markers import draw_markers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

ARROW_SPACING = 0.21
ARROW_LENGTH = 0.13
"""Inches: dense enough to see the flow, sparse enough to see single arrows."""
PALEST, DARKEST = 0.86, 0.50
"""Grey levels of the slowest and the fastest arrow."""

FEW = 300
"""Up to so many points of a map are drawn as dots of the usual size."""

HEADS = 3
HEAD_WIDTH = 0.095
NULLCLINES = (style.ORANGE, style.PURPLE)
MANIFOLDS = {"stable": style.BLUE, "unstable": style.VERMILLION}


def draw_field(ax: Axes | None, X: ArrayLike, Y: ArrayLike, U: ArrayLike, V: ArrayLike) -> Axes:
    """Arrows of equal length along the field; the faster the flow, the darker the arrow.

    Parameters
    ----------
    ax
        Axes to draw into, or None for a new figure.
    X, Y
        Coordinates on a grid as `numpy.meshgrid` makes it.  A fine grid is thinned.
    U, V
        Components of the field on the grid.
    """
    from matplotlib.colors import LinearSegmentedColormap

    ax = new_axes(ax, xlabel="", ylabel="")
    whole = np.asarray(X, float), np.asarray(Y, float)
    X, Y, U, V = (_thinned(np.asarray(part, float), _arrows(ax)) for part in (X, Y, U, V))
    speed = np.hypot(U, V)
    # The direction of a zero vector is nan, and matplotlib then leaves that arrow out.
    length = np.where(speed > 0, speed, np.nan)
    shades = [(PALEST,) * 3, (DARKEST,) * 3]
    ax.quiver(
        X,
        Y,
        U / length,
        V / length,
        _ranks(speed),
        cmap=LinearSegmentedColormap.from_list("speed", shades),
        angles="xy",
        pivot="mid",
        units="inches",
        scale_units="inches",
        scale=1 / ARROW_LENGTH,
        width=0.010,
        headwidth=4,
        headlength=4.5,
        headaxislength=4,
        zorder=0.5,
    )
    ax.set_xlim(whole[0].min(), whole[0].max())
    ax.set_ylim(whole[1].min(), whole[1].max())
    return ax


def _arrows(ax: Axes) -> tuple[int, int]:
    """How many arrows go across and up."""
    inches = ax.get_window_extent().transformed(ax.figure.dpi_scale_trans.inverted())
    return max(int(inches.width / ARROW_SPACING), 4), max(int(inches.height / ARROW_SPACING), 4)


def _thinned(values: Array, most: tuple[int, int]) -> Array:
    """About evenly spaced rows and columns of a grid, no more than there are arrows."""
    most_columns, most_rows = most
    rows, columns = values.shape
    return values[np.ix_(_spread(rows, most_rows), _spread(columns, most_columns))]


def _spread(size: int, most: int) -> NDArray[np.intp]:
    """Indices in the middle of `most` equal parts, so that no arrow is cut by the edge."""
    if size <= most:
        return np.arange(size)
    return np.linspace(0, size - 1, 2 * most + 1)[1::2].round().astype(int)


def _ranks(values: Array) -> Array:
    """Ranks instead of values: speeds span decades, and every shade should be used."""
    return values.ravel().argsort().argsort().reshape(values.shape).astype(float)


def draw_nullclines(
    ax: Axes | None,
    X: ArrayLike,
    Y: ArrayLike,
    F: ArrayLike,
    G: ArrayLike,
    names: tuple[str, str],
) -> Axes:
    """Curves on which the one or the other component of the field is zero.

    Parameters
    ----------
    ax
        Axes to draw into, or None for a new figure.
    X, Y
        Coordinates on a grid as `numpy.meshgrid` makes it; the finer, the smoother the curves.
    F, G
        Rates of change of the two states on the grid.
    names
        The two states; they name the curves in the legend: v' = 0.
    """
    from matplotlib.lines import Line2D

    ax = new_axes(ax, xlabel="", ylabel="")
    for rate, name, color in zip((F, G), names, NULLCLINES, strict=True):
        values = np.asarray(rate, float)
        # matplotlib warns about a level that is nowhere attained; there is no curve then.
        if not np.nanmin(values) <= 0 <= np.nanmax(values):
            continue
        ax.contour(X, Y, values, levels=[0.0], colors=[color], linewidths=1.8, zorder=1.5)
        key = Line2D([], [], color=color, linewidth=1.8, label=rf"${{{symbol(name)}}}' = 0$")
        add_legend_key(ax, key)
    return draw_legend(ax)


def draw_equilibria(
    ax: Axes | None, xs: Sequence[float], ys: Sequence[float], kinds: Sequence[str]
) -> Axes:
    """Equilibria: filled if stable, open if unstable, half filled if a saddle.

    Parameters
    ----------
    ax
        Axes to draw into, or None for a new figure.
    xs, ys
        Coordinates, one per equilibrium.
    kinds
        Types in words, such as "stable node", "unstable focus", "saddle", "center"; they are the
        entries of the legend.
    """
    ax = new_axes(ax, xlabel="", ylabel="")
    for kind in dict.fromkeys(kinds):
        of_kind = [k for k, other in enumerate(kinds) if other == kind]
        look = style.equilibrium_style(kind)
        draw_markers(ax, [xs[k] for k in of_kind], [ys[k] for k in of_kind], look)
    return draw_legend(ax)


def draw_orbit(
    ax: Axes | None,
    x: ArrayLike,
    y: ArrayLike,
    *,
    color: str | None = None,
    label: str | None = None,
) -> Axes:
    """An orbit as a thin curve; `draw_direction` adds arrowheads to it."""
    ax = new_axes(ax, xlabel="", ylabel="")
    ax.plot(x, y, color=color or style.INK, linewidth=1.4, zorder=2.2, label=label)
    return draw_legend(ax) if label is not None else ax


def draw_iterates(ax: Axes | None, x: ArrayLike, y: ArrayLike) -> Axes:
    """The points of a map's orbit: the more there are, the finer, so that thin layers stay apart."""
    ax = new_axes(ax, xlabel="", ylabel="")
    count = max(np.size(x), 1)
    size = float(np.clip(2.6 * (FEW / count) ** 0.4, 0.35, 2.6))
    ax.plot(x, y, linestyle="none", marker="o", markersize=size, markeredgewidth=0,
            color=style.BLUE, zorder=2.2)  # fmt: skip
    return ax


def draw_direction(
    ax: Axes | None, x: ArrayLike, y: ArrayLike, *, color: str | None = None
) -> Axes:
    """Three arrowheads along an orbit, at equal distances along the curve as it is seen."""
    ax = new_axes(ax, xlabel="", ylabel="")
    path = np.column_stack([np.asarray(x, float), np.asarray(y, float)])
    path = path[np.isfinite(path).all(axis=1)]
    extent = np.ptp(path, axis=0) if len(path) else np.zeros(2)
    steps = np.diff(path, axis=0)
    travelled = np.cumsum(np.hypot(*(steps / np.where(extent > 0, extent, 1)).T))
    if not travelled.size or travelled[-1] == 0:
        return ax
    at = np.searchsorted(travelled, travelled[-1] * (np.arange(HEADS) + 0.5) / HEADS)
    middle, along = (path[at] + path[at + 1]) / 2, steps[at]
    along = along / np.hypot(*along.T)[:, None]
    # A quiver arrow as long as its own head: it turns with the axes when these are resized.
    ax.quiver(
        *middle.T,
        *along.T,
        color=color or style.INK,
        angles="xy",
        pivot="mid",
        units="inches",
        scale_units="inches",
        scale=1 / (1.3 * HEAD_WIDTH),
        width=HEAD_WIDTH / 5,
        headwidth=5,
        headlength=6.5,
        headaxislength=5.2,
        zorder=2.3,
    )
    return ax


def draw_manifold(ax: Axes | None, x: ArrayLike, y: ArrayLike, role: str) -> Axes:
    """A manifold of a saddle; `role` is "stable" or "unstable", nan lifts the pen."""
    ax = new_axes(ax, xlabel="", ylabel="")
    name = f"{role} manifold"
    known = name in ax.get_legend_handles_labels()[1]
    dashes = "-" if role == "unstable" else (0.0, (6.0, 1.8))
    ax.plot(
        x,
        y,
        color=MANIFOLDS[role],
        linewidth=1.5,
        linestyle=dashes,
        zorder=2.1,
        label="_nolegend_" if known else name,
    )
    return draw_legend(ax)
