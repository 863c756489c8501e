"""Many runs in one picture: fans of quantiles, clouds of points, densities over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dynlab.plotting import style
from dynlab.plotting.axes import new_axes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

MOST_POINTS_DRAWN_LARGE = 300
"""A cloud of more points is drawn with small ones."""


def draw_fan(
    ax: Axes | None,
    t: ArrayLike,
    middle: ArrayLike,
    bands: Sequence[tuple[ArrayLike, ArrayLike, str]],
    *,
    labels: tuple[str, str, str],
) -> Axes:
    """A line in the middle of nested bands over time, the inner ones darker.

    Parameters
    ----------
    ax
        Axes to draw into; None makes a figure.
    t
        Times.
    middle
        The line.
    bands
        Lower edge, upper edge and label of each band, the widest first.
    labels
        Of the time axis, of the quantity and of the line.
    """
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    color = style.CYCLE[len(ax.lines) % len(style.CYCLE)]
    for place, (low, high, text) in enumerate(bands):
        share = 0.25 + 0.3 * place / max(len(bands) - 1, 1)
        ax.fill_between(
            np.asarray(t, float), np.asarray(low, float), np.asarray(high, float),
            color=style.lightened(color, share), linewidth=0, label=text, zorder=1 + place / 10,
        )  # fmt: skip
    ax.plot(t, middle, color=color, linewidth=1.6, label=labels[2])
    ax.margins(x=0)
    return ax


def draw_with_band(
    ax: Axes | None, x: ArrayLike, y: ArrayLike, band: tuple[ArrayLike, ArrayLike], *, labels: tuple[str, str],
    name: str,
) -> Axes:  # fmt: skip
    """A line in the band of its errors, which is named in the legend.

    Parameters
    ----------
    ax
        Axes to draw into; None makes a figure.
    x, y
        The line.
    band
        Its lower and upper edge.
    labels
        Of the two axes.
    name
        What the band is.
    """
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    color = style.CYCLE[len(ax.lines) % len(style.CYCLE)]
    ax.fill_between(
        np.asarray(x, float), np.asarray(band[0], float), np.asarray(band[1], float),
        color=style.lightened(color, 0.3), linewidth=0, label=name, zorder=1,
    )  # fmt: skip
    ax.plot(x, y, color=color, linewidth=1.6)
    ax.margins(x=0)
    ax.legend(frameon=False)
    return ax


def draw_survival(
    ax: Axes | None, t: ArrayLike, share: ArrayLike, low: ArrayLike, high: ArrayLike, *, time_label: str
) -> Axes:  # fmt: skip
    """The share that is left against time as a staircase in its band, on a logarithmic scale.

    Parameters
    ----------
    ax
        Axes to draw into; None makes a figure.
    t
        Where the staircase steps down.
    share, low, high
        What is left from there on, and its band.
    time_label
        What stands at the time axis.
    """
    ax = new_axes(ax, xlabel=time_label, ylabel="share that has not passed")
    color = style.CYCLE[len(ax.lines) % len(style.CYCLE)]
    left = np.asarray(share, float)
    floor = 0.5 * left[left > 0].min()
    ax.fill_between(
        np.asarray(t, float), np.maximum(np.asarray(low, float), floor), np.asarray(high, float),
        step="post", color=style.lightened(color, 0.3), linewidth=0, label="95 %",
    )  # fmt: skip
    ax.step(t, np.maximum(left, floor), where="post", color=color, linewidth=1.6)
    ax.set_yscale("log")
    ax.set_ylim(floor, 1.15)
    ax.margins(x=0)
    return ax


def draw_cloud(ax: Axes | None, x: ArrayLike, y: ArrayLike, *, labels: tuple[str, str]) -> Axes:
    """Points in the plane of two quantities, small and pale where there are many."""
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    across, up = np.ravel(np.asarray(x, float)), np.ravel(np.asarray(y, float))
    few = across.size <= MOST_POINTS_DRAWN_LARGE
    ax.plot(
        across, up, linestyle="none", marker=".", markeredgewidth=0,
        markersize=5 if few else max(2.0, 4.0 * (MOST_POINTS_DRAWN_LARGE / across.size) ** 0.25),
        color=style.BLUE, alpha=0.9 if few else 0.5,
    )  # fmt: skip
    return ax


def draw_ranges(
    ax: Axes | None, x: ArrayLike, low: ArrayLike, high: ArrayLike, *, labels: tuple[str, str]
) -> Axes:
    """The smallest and the largest value over a quantity, with the space between filled."""
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    across = np.ravel(np.asarray(x, float))
    order = np.argsort(across, kind="stable")
    across, bottom, top = across[order], np.ravel(low)[order], np.ravel(high)[order]
    ax.fill_between(across, bottom, top, color=style.lightened(style.BLUE, 0.15), linewidth=0)
    for edge, text in ((top, "largest"), (bottom, "smallest")):
        color = style.BLUE if text == "largest" else style.SKY
        ax.plot(across, edge, linewidth=1.2, color=color, label=text)
    ax.margins(x=0)
    return ax


def draw_density(
    ax: Axes | None, t: ArrayLike, edges: ArrayLike, density: ArrayLike, *, labels: tuple[str, str]
) -> Axes:
    """A density over time: dark is many, on a scale of the root so that few are still seen.

    A single time gives steps over the bins instead.
    """
    times, bins = np.atleast_1d(np.asarray(t, float)), np.asarray(edges, float)
    values = np.atleast_2d(np.asarray(density, float))
    if times.size == 1:
        ax = new_axes(ax, xlabel=labels[1], ylabel="density")
        ax.stairs(
            values[0], bins, fill=True, color=style.lightened(style.BLUE, 0.45),
            edgecolor=style.BLUE, linewidth=1.0,
        )  # fmt: skip
        ax.margins(x=0)
        return ax
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm

    shades = LinearSegmentedColormap.from_list(
        "few to many", ["white", style.SKY, style.BLUE, "black"]
    )
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    middle = 0.5 * (times[1:] + times[:-1])
    sides = np.concatenate([times[:1], middle, times[-1:]])
    largest = float(values.max()) or 1.0
    ax.pcolormesh(
        sides, bins, values.T, cmap=shades, norm=PowerNorm(0.5, 0.0, largest), rasterized=True
    )
    ax.margins(0)
    return ax
