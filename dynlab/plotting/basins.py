"""Attractors and their basins: images of labels, the attractors on them, and shares of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dynlab.plotting import style
from dynlab.plotting.axes import add_legend_key, new_axes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

SHADE = 0.45
"""Share of its attractor's colour that a basin has."""

ESCAPED, UNDECIDED, NOT_DONE = "#F4F4F4", "#9A9A9A", "#FFFFFF"
OUTCOMES = {-1: ESCAPED, -2: UNDECIDED, -3: NOT_DONE}
"""Colours of orbits that reach no attractor."""

MOST_NAMED = 10
"""With more attractors the legend would cover the picture."""


def attractor_color(label: int) -> str:
    """Return the colour of an attractor; those beyond the seventh are paler."""
    turn, place = divmod(label, len(style.CYCLE))
    return style.lightened(style.CYCLE[place], (1.0, 0.6, 0.35)[turn % 3])


def draw_basins(
    ax: Axes | None,
    across: tuple[float, float],
    up: tuple[float, float],
    image: ArrayLike,
    names: Mapping[int, str],
    *,
    labels: tuple[str, str],
) -> Axes:
    """An image of labels: a pale colour for each attractor, greys for what reaches none.

    Parameters
    ----------
    ax
        Axes to draw into; None makes a figure.
    across, up
        Ends of the image.
    image
        Labels, a row for each place upwards.
    names
        What the labels stand for; those that occur come into the legend.
    labels
        Of the axes.
    """
    from matplotlib.colors import BoundaryNorm, ListedColormap

    numbers = np.asarray(image)
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    low, high = min(int(numbers.min()), -3), max(int(numbers.max()), 0)
    shades = [
        OUTCOMES[k] if k < 0 else style.lightened(attractor_color(k), SHADE)
        for k in range(low, high + 1)
    ]
    ax.imshow(
        numbers, origin="lower", extent=(*across, *up), aspect="auto", interpolation="nearest",
        cmap=ListedColormap(shades), norm=BoundaryNorm(np.arange(low, high + 2) - 0.5, len(shades)),
        zorder=0,
    )  # fmt: skip
    ax.set_xlim(*across)
    ax.set_ylim(*up)
    present = set(np.unique(numbers).tolist())
    if len([k for k in present if k >= 0]) <= MOST_NAMED:
        for k, name in names.items():
            if k in present:
                _key(ax, shades[k - low], name)
    return ax


def draw_basin_line(
    ax: Axes | None,
    edges: ArrayLike,
    values: ArrayLike,
    names: Mapping[int, str],
    *,
    labels: tuple[str, str],
) -> Axes:
    """Labels along one quantity: a strip of colours."""
    ends = np.asarray(edges, float)
    ax = draw_basins(
        ax, (float(ends[0]), float(ends[-1])), (0.0, 1.0), np.asarray(values)[None, :], names,
        labels=labels,
    )  # fmt: skip
    ax.set_yticks([])
    return ax


def draw_attractor(
    ax: Axes | None,
    x: ArrayLike,
    y: ArrayLike,
    key: tuple[int, str],
    *,
    labels: tuple[str, str],
    is_curve: bool,
) -> Axes:
    """One attractor in a plane: a dot for few states, a line for a cycle, fine dots for many.

    `key` is its number, which gives the colour, and its name.
    """
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    across, up = np.asarray(x, float), np.asarray(y, float)
    name, color = key[1], attractor_color(key[0])
    text = name if name not in ax.get_legend_handles_labels()[1] else None
    if is_curve and across.size > 2:
        from dynlab.plotting.series import lift_pen

        places = np.arange(across.size, dtype=float)
        across, up = lift_pen(places, across, up)
        ax.plot(across, up, color="white", linewidth=3.4, zorder=4)
        ax.plot(across, up, color=color, linewidth=1.8, zorder=5, label=text)
    elif across.size <= 64:
        ax.plot(
            across, up, linestyle="none", marker="o", markersize=8, color=color, zorder=6,
            markeredgecolor="white", markeredgewidth=1.2, label=text,
        )  # fmt: skip
    else:
        ax.plot(
            across, up, linestyle="none", marker=".", markersize=1.6, color=color, zorder=5,
            markeredgewidth=0, rasterized=True,
        )  # fmt: skip
        if text:
            ax.plot([], [], linestyle="none", marker=".", markersize=8, color=color, label=text)
    return ax


def draw_shares(
    ax: Axes | None,
    names: Sequence[str],
    shares: ArrayLike,
    intervals: ArrayLike,
    colors: Sequence[str],
    *,
    label: str,
) -> Axes:
    """Bars of shares with their intervals (a row of two each), one below the other."""
    ax = new_axes(ax, xlabel=label, ylabel="", size=(6.4, 0.9 + 0.42 * max(len(names), 2)))
    middle = np.asarray(shares, float)
    low, high = np.asarray(intervals, float).T
    reach = np.abs(np.array([middle - low, high - middle]))
    rows = np.arange(len(names))
    ax.barh(
        rows, middle, height=0.6, color=[style.lightened(c, 0.7) for c in colors], xerr=reach,
        error_kw={"ecolor": style.INK, "elinewidth": 1.2, "capsize": 3},
    )  # fmt: skip
    ax.set_yticks(rows, names)
    ax.set_ylabel("")
    ax.invert_yaxis()
    ax.set_xlim(0.0, 1.0)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    return ax


def draw_stacked(
    ax: Axes | None,
    x: ArrayLike,
    shares: Mapping[str, tuple[ArrayLike, str]],
    *,
    labels: tuple[str, str],
) -> Axes:
    """Shares that sum to one over a quantity, as bands on each other; each with a name and a colour."""
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    across = np.asarray(x, float)
    below = np.zeros_like(across)
    for name, (values, color) in shares.items():
        above = below + np.asarray(values, float)
        ax.fill_between(
            across, below, above, color=color, linewidth=0.6, edgecolor="white", label=name
        )
        below = above
    ax.margins(0)
    ax.set_ylim(0.0, 1.0)
    return ax


def draw_extent(
    ax: Axes | None,
    x: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    key: tuple[int, str],
    *,
    labels: tuple[str, str],
) -> Axes:
    """Between which values something lies over a quantity; a line where that is one, gaps where nan.

    `key` is the number of an attractor, which gives the colour, and its name.
    """
    color, name = attractor_color(key[0]), key[1]
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    across, bottom, top = (np.asarray(v, float) for v in (x, low, high))
    ax.fill_between(across, bottom, top, color=style.lightened(color, 0.3), linewidth=0)
    ax.plot(across, bottom, color=color, linewidth=1.6, marker=".", markersize=3, label=name)
    ax.plot(across, top, color=color, linewidth=1.6, marker=".", markersize=3)
    return ax


def draw_heat(
    ax: Axes | None,
    across: tuple[float, float],
    up: tuple[float, float],
    image: ArrayLike,
    *,
    labels: tuple[str, str],
    scale: str,
) -> Axes:
    """An image of numbers from zero on, white to dark blue, with a scale beside it."""
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list(
        "none to much", ["white", style.SKY, style.BLUE, "#00263D"]
    )
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    numbers = np.asarray(image, float)
    shown = ax.imshow(
        numbers, origin="lower", extent=(*across, *up), aspect="auto", interpolation="nearest",
        cmap=shades, vmin=0.0, vmax=float(numbers.max()) or 1.0,
    )  # fmt: skip
    bar = ax.figure.colorbar(shown, ax=ax, pad=0.02)
    bar.set_label(scale, fontsize=style.LABEL_SIZE, color=style.INK)
    bar.ax.tick_params(labelsize=style.TICK_SIZE, colors=style.INK)
    bar.outline.set_visible(False)
    return ax


def draw_power_law(
    ax: Axes | None,
    x: ArrayLike,
    y: ArrayLike,
    line: ArrayLike,
    *,
    labels: tuple[str, str],
    name: str,
) -> Axes:
    """Points on logarithmic axes and a line through them."""
    from dynlab.plotting.axes import draw_legend

    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.plot(x, line, color=style.VERMILLION, linewidth=1.4, label=name)
    ax.set_xticks(np.asarray(x, float), [f"{v:g}" for v in np.asarray(x, float)])
    ax.set_xticks([], minor=True)
    ax.plot(
        x, y, linestyle="none", marker="o", markersize=6, color=style.BLUE, markeredgecolor="white"
    )
    return draw_legend(ax)


def draw_shock(
    ax: Axes | None,
    start: tuple[float, float],
    end: tuple[float, float],
    outline: tuple[ArrayLike, ArrayLike],
    *,
    labels: tuple[str, str],
) -> Axes:
    """An arrow from a state to where a shock takes it, and the outline of all shocks of that size."""
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    ax.plot(
        *outline, color=style.INK, linewidth=1.0, linestyle=(0, (4, 3)), zorder=7,
        label="shocks of this size",
    )  # fmt: skip
    ax.plot(
        *start, marker="o", markersize=7, color=style.INK, markeredgecolor="white", zorder=9,
        linestyle="none",
    )  # fmt: skip
    ax.annotate(
        "", xy=end, xytext=start, zorder=8,
        arrowprops={"arrowstyle": "-|>", "color": style.INK, "linewidth": 1.8, "shrinkA": 3, "shrinkB": 0},
    )  # fmt: skip
    ax.plot([], [], color=style.INK, linewidth=1.8, label="smallest fatal shock")
    return ax


def draw_track(
    ax: Axes | None, x: ArrayLike, y: ArrayLike, name: str, *, labels: tuple[str, str]
) -> Axes:
    """A path along the border between basins."""
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    ax.plot(x, y, color=style.INK, linewidth=1.0, label=name, zorder=6)
    return ax


def shade_of(label: int) -> str:
    """Return the colour that stands for a label where areas are filled."""
    return OUTCOMES[label] if label < 0 else style.lightened(attractor_color(label), 0.7)


def _key(ax: Axes, color: str, name: str) -> None:
    """Put a patch of a colour into the legend."""
    from matplotlib.lines import Line2D

    add_legend_key(
        ax,
        Line2D(
            [], [], linestyle="none", marker="s", markersize=9, color=color, label=name,
            markeredgecolor=style.FAINT, markeredgewidth=0.6,
        ),
    )  # fmt: skip
