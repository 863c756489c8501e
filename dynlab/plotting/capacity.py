"""How many patterns a memory holds: overlap against load, in theory and in trials, and the phases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dynlab.plotting import style
from dynlab.plotting.axes import draw_legend, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LOAD = r"load $\alpha = P/N$"
OVERLAP = "overlap $m$"


def draw_recall_theory(
    ax: Axes | None,
    branches: tuple[Array, Array, Array],
    edge: tuple[float, float],
    *,
    end: float,
    label: str,
) -> Axes:
    """The overlap in theory: recall and its saddle up to the edge, and nothing from there on.

    Parameters
    ----------
    ax
        Axes to draw into; None makes a figure.
    branches
        Loads, overlap of recall, overlap of the saddle.
    edge
        Load and overlap where both meet.
    end
        The largest load of the drawing.
    label
        For the legend.
    """
    ax = new_axes(ax, xlabel=LOAD, ylabel=OVERLAP)
    loads, recall, saddle = (np.asarray(part, float) for part in branches)
    order = np.argsort(loads)
    across = np.append(loads[order], edge[0])
    line: dict[str, Any] = {"color": style.INK, "linewidth": 1.6, "zorder": 3}
    if len(loads):
        ax.plot(across, np.append(recall[order], edge[1]), label=label, **line)
        ax.plot(
            across, np.append(saddle[order], edge[1]), color=style.GREY, linewidth=1.1,
            dashes=style.UNSTABLE.dashes, label="saddle", zorder=2,
        )  # fmt: skip
    if edge[0] < end:
        ax.plot([edge[0], end], [0.0, 0.0], label=None if len(loads) else label, **line)
        ax.plot(
            [edge[0]] * 2, [0.0, edge[1]], color=style.INK, linewidth=0.9, linestyle=":", zorder=2
        )
    return draw_legend(ax)


def draw_recall_trials(
    ax: Axes | None,
    curve: tuple[Array, Array, Array, Array],
    capacity: tuple[float, float, float] | None,
    *,
    label: str,
) -> Axes:
    """The overlap found in trials with its confidence band, and near zero the capacity with its interval.

    Parameters
    ----------
    ax
        Axes to draw into; None makes a figure.
    curve
        Loads, mean overlaps, and the lower and upper ends of the band.
    capacity
        Value, lower and upper end; None if it was not found.
    label
        For the legend.
    """
    ax = new_axes(ax, xlabel=LOAD, ylabel=OVERLAP)
    color = style.CYCLE[
        len([c for c in ax.collections if c.get_gid() == "trials"]) % len(style.CYCLE)
    ]
    loads, mean, low, high = curve
    band = ax.fill_between(loads, low, high, color=style.lightened(color, 0.3), linewidth=0)
    band.set_gid("trials")
    ax.plot(loads, mean, "o-", color=color, markersize=3.2, linewidth=1.0, label=label, zorder=4)
    if capacity is not None:
        value, *ends = capacity
        place: dict[str, Any] = {"color": color, "zorder": 5}
        row = len([c for c in ax.collections if c.get_gid() == "trials"])
        level = 0.05 * row
        ax.plot(ends, [level, level], linewidth=3.0, solid_capstyle="butt", alpha=0.45, **place)
        # The legend names the mark once, whatever the number of curves.
        once = "capacity, 95 %" if row == 1 else None
        ax.plot([value], [level], "|", markersize=11, markeredgewidth=1.8, label=once, **place)
    return draw_legend(ax)


def draw_recall_phases(
    ax: Axes | None, temperatures: Array, lines: tuple[Array, Array, Array]
) -> Axes:
    """Phases in the plane of load and temperature, each named where it is.

    Parameters
    ----------
    ax
        Axes to draw into; None makes a figure.
    temperatures, lines
        Temperatures, and at each the loads where recall ends, where it ceases to be the global minimum, and
        where replica symmetry breaks.
    """
    ax = new_axes(ax, xlabel=LOAD, ylabel="temperature $T$", size=(6.0, 4.6))
    order = np.argsort(temperatures)
    t = np.append(np.asarray(temperatures, float)[order], 1.0)
    recall, ground, symmetric = (np.append(np.asarray(line, float)[order], 0.0) for line in lines)
    right, top = 1.16 * max(float(recall.max()), 1e-3), 1.55
    across = np.linspace(0.0, right, 200)
    glass = 1.0 + np.sqrt(across)
    ax.fill_between(across, 0.0, glass, color=style.lightened(style.GREY, 0.16), linewidth=0)
    ax.fill_betweenx(t, 0.0, recall, color=style.lightened(style.SKY, 0.42), linewidth=0)
    ax.fill_betweenx(t, 0.0, ground, color=style.lightened(style.BLUE, 0.72), linewidth=0)
    ax.plot(across, glass, color=style.INK, linewidth=1.6)
    ax.plot(recall, t, color=style.BLUE, linewidth=2.0)
    ax.plot(ground, t, color=style.BLUE, linewidth=1.4, dashes=(4.0, 2.0))
    broken = symmetric < recall
    if np.sum(broken) > 1:
        last = int(np.flatnonzero(broken).max()) + 1
        part = slice(0, last + 1)
        ax.fill_betweenx(
            t[part], symmetric[part], recall[part], color=style.VERMILLION, linewidth=0
        )
        _name(ax, 1.02 * float(recall.max()), 0.035, "$T_R$", style.VERMILLION, "left")
    middle = float(np.interp(0.35, t, recall)), float(np.interp(0.25, t, ground))
    _name(ax, 0.5 * right, 1.42, "paramagnet", style.INK, "center")
    _name(ax, 0.72 * right, 0.8, "spin glass", style.INK, "center")
    _name(ax, 0.5 * middle[1], 0.25, "recall,\nglobal minimum", "white", "center")
    _name(ax, 0.5 * (middle[0] + middle[1]), 0.2, "recall,\nlocal minimum", style.INK, "center")
    for name, load, height, color in (
        ("$T_g$", 0.9 * right, 1.0 + np.sqrt(0.9 * right) + 0.055, style.INK),
        ("$T_M$", float(np.interp(0.55, t, recall)) + 0.022 * right, 0.57, style.BLUE),
        ("$T_c$", float(np.interp(0.55, t, ground)) + 0.02 * right, 0.57, style.BLUE),
    ):
        _name(ax, load, height, name, color, "left")
    ax.set(xlim=(0.0, right), ylim=(0.0, top))
    return ax


def _name(ax: Axes, x: float, y: float, text: str, color: str, side: str) -> None:
    ax.text(x, y, text, color=color, ha=side, va="center", fontsize=style.LABEL_SIZE - 0.5)


def draw_capacities(
    ax: Axes | None,
    sizes: NDArray[np.int64],
    found: Array,
    limit: tuple[float, float, float],
    *,
    exponent: float,
) -> Axes:
    """Capacities of several sizes against 1 / sqrt(N), and the limit on the left with its interval.

    Parameters
    ----------
    ax
        Axes to draw into; None makes a figure.
    sizes, found
        Numbers of neurons, and a row for each of capacity, lower and upper end.
    limit
        Value, lower and upper end for many neurons.
    exponent
        Of the approach to it.
    """
    ax = new_axes(ax, xlabel=r"$1/\sqrt{N}$", ylabel=r"capacity $\alpha_c$")
    known = np.all(np.isfinite(found), axis=1)
    x, (value, low, high) = 1.0 / np.sqrt(sizes[known]), found[known].T
    ax.errorbar(
        x, value, [value - low, high - value], fmt="o", color=style.BLUE, markersize=4.5, capsize=2.5,
        linewidth=1.2, label="trials, 95 %",
    )  # fmt: skip
    for place, size, top in zip(x, sizes[known], high, strict=True):
        ax.annotate(
            f"{size}", (place, top), (0, 5), textcoords="offset points", ha="center",
            fontsize=style.TICK_SIZE, color=style.GREY,
        )  # fmt: skip
    if np.isfinite(limit[0]):
        centre, *ends = limit
        start = np.array([0.0, *np.geomspace(1e-4, 1.0, 200) * x.max()])
        shape = start ** (2.0 * exponent)
        weight = 1.0 / ((high - low) ** 2)
        inner = x ** (2.0 * exponent)
        slope = float(np.sum(weight * inner * (value - centre)) / np.sum(weight * inner**2))
        ax.plot(start, centre + slope * shape, color=style.BLUE, linewidth=1.0, zorder=1)
        ax.errorbar(
            [0.0], [centre], [[centre - ends[0]], [ends[1] - centre]], fmt="D", color=style.VERMILLION,
            markersize=5, capsize=3, linewidth=1.4, label="many neurons, 95 %", clip_on=False, zorder=4,
        )  # fmt: skip
    ax.set_xlim(left=0.0)
    return draw_legend(ax)


def draw_basin_sizes(
    ax: Axes | None, curve: tuple[Array, Array, Array, Array], *, label: str
) -> Axes:
    """The share of turned spins from which half of the patterns come back, with its interval.

    Parameters
    ----------
    ax
        Axes to draw into; None makes a figure.
    curve
        Loads, shares, and the lower and upper ends of the band.
    label
        For the legend.
    """
    ax = new_axes(ax, xlabel=LOAD, ylabel="turned spins that recall repairs (share)")
    color = style.CYCLE[len(ax.collections) % len(style.CYCLE)]
    loads, share, low, high = curve
    ax.fill_between(loads, low, high, color=style.lightened(color, 0.3), linewidth=0)
    ax.plot(loads, share, "o-", color=color, markersize=3.5, linewidth=1.2, label=label)
    ax.set_ylim(0.0, 0.52)
    return draw_legend(ax)
