"""Estimates from data: scaling curves, straight parts, the 0-1 test, null distributions, recurrence plots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dynlab.plotting import style
from dynlab.plotting.axes import draw_legend, new_axes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]


def draw_scaling(
    ax: Axes | None,
    sizes: ArrayLike,
    slopes: ArrayLike,
    found: tuple[float, float, float, float] | None,
    *,
    labels: tuple[str, str, str],
) -> Axes:
    """Local slopes of a curve against size, and the range in which one slope holds.

    Parameters
    ----------
    ax
        Axes to draw into; None makes a figure.
    sizes, slopes
        The curve; sizes are drawn on a logarithmic axis.
    found
        Lowest and highest size of the range, slope and error; None if there is no range.
    labels
        Of the sizes, of the slopes, and of the slope found.
    """
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    color = style.CYCLE[len(ax.lines) // 2 % len(style.CYCLE)]
    ax.semilogx(
        sizes, slopes, ".-", color=style.lightened(color, 0.45), markersize=4, linewidth=0.8
    )
    if found:
        low, high, slope, error = found
        ax.fill_between(
            [low, high], slope - error, slope + error, color=style.lightened(color, 0.25),
            alpha=0.5, linewidth=0,
        )  # fmt: skip
        ax.plot([low, high], [slope, slope], color=color, linewidth=2.2, label=labels[2])
    return draw_legend(ax)


def draw_straight_part(
    ax: Axes | None,
    curve: tuple[ArrayLike, ArrayLike],
    line: tuple[float, float, float, float] | None,
    *,
    level: float,
    labels: tuple[str, str, str],
) -> Axes:
    """A curve, the straight line along part of it, and a level that it tends to.

    Parameters
    ----------
    ax
        Axes to draw into; None makes a figure.
    curve
        Across and up.
    line
        Slope, intercept and both ends of the line across; None for no line.
    level
        The level; nan for none.
    labels
        Of both axes, and of the line.
    """
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    color = style.CYCLE[len(ax.lines) // 3 % len(style.CYCLE)]
    ax.plot(*curve, ".-", color=style.lightened(color, 0.45), markersize=4, linewidth=0.8)
    if np.isfinite(level):
        ax.axhline(level, color=style.GREY, linewidth=0.8, linestyle="--", label="unrelated points")
    if line:
        slope, intercept, *ends = line
        across = np.asarray(ends, float)
        ax.plot(across, slope * across + intercept, color=color, linewidth=2.2, label=labels[2])
    return draw_legend(ax)


def draw_estimates(
    ax: Axes | None,
    x: ArrayLike,
    columns: Mapping[str, tuple[Array, Array]],
    *,
    mark: float,
    labels: tuple[str, str],
) -> Axes:
    """Values with their standard errors, and a line at the place that they point to (nan for none)."""
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    across = np.asarray(x, float)
    for k, (name, (values, errors)) in enumerate(columns.items()):
        color = style.CYCLE[k]
        ax.fill_between(
            across,
            values - errors,
            values + errors,
            color=style.lightened(color, 0.35),
            linewidth=0,
        )
        ax.plot(across, values, ".-", color=color, markersize=5, linewidth=1.2, label=name or None)
    if np.isfinite(mark):
        ax.axvline(mark, color=style.INK, linewidth=0.9, linestyle="--", label=f"at {mark:g}")
    return draw_legend(ax)


def draw_zero_one(
    ax: Axes | None,
    angles: ArrayLike,
    values: ArrayLike,
    median: tuple[float, float],
    *,
    label: str,
) -> Axes:
    """K of the 0-1 test at each angle, and their median with its error."""
    ax = new_axes(ax, xlabel="angle $c$", ylabel="$K_c$")
    color = style.CYCLE[len(ax.lines) // 3 % len(style.CYCLE)]
    value, error = median
    ax.axhline(0.5, color=style.FAINT, linewidth=0.8, zorder=0)
    ax.plot(angles, values, ".", color=style.lightened(color, 0.55), markersize=5)
    ax.axhspan(value - error, value + error, color=style.lightened(color, 0.2), zorder=0)
    ax.axhline(value, color=color, linewidth=1.6, label=label)
    ax.set_ylim(-0.35, 1.1)
    return draw_legend(ax)


def draw_null(ax: Axes | None, null: ArrayLike, value: float, *, labels: tuple[str, str]) -> Axes:
    """A histogram of what the null hypothesis gives, and where the data lies."""
    ax = new_axes(ax, xlabel=labels[0], ylabel="surrogates")
    drawn = np.asarray(null, float)
    ax.hist(
        drawn, bins=max(8, int(2 * np.sqrt(len(drawn)))), color=style.lightened(style.BLUE, 0.45),
        edgecolor=style.BLUE, linewidth=0.8,
    )  # fmt: skip
    ax.axvline(value, color=style.VERMILLION, linewidth=2.0, label=labels[1])
    return draw_legend(ax)


def draw_recurrences(ax: Axes | None, shares: Array, duration: float, *, label: str) -> Axes:
    """A recurrence plot: dark where the pairs of times recur."""
    ax = new_axes(ax, xlabel=label, ylabel=label, size=(5.0, 4.8))
    top = float(np.quantile(shares[shares > 0], 0.9)) if np.any(shares > 0) else 1.0
    ax.imshow(
        shares, origin="lower", extent=(0, duration, 0, duration), cmap="Greys", vmin=0.0, vmax=top,
        interpolation="nearest",
    )  # fmt: skip
    ax.set_aspect("equal")
    return ax
