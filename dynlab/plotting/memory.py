"""Recall in Hopfield networks: overlaps with the patterns, and the energy that falls."""

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

#: So many other patterns are drawn one by one; of more, the range that they fill.
MOST_LINES = 12


def draw_recall(ax: Axes | None, overlaps: Array, nearest: int | None) -> Axes:
    """Overlaps with all patterns against the sweep, that with the nearest one in colour."""
    from matplotlib.ticker import MaxNLocator

    ax = new_axes(ax, xlabel="sweep", ylabel="overlap $m$")
    sweeps = np.arange(len(overlaps))
    ax.axhline(0, color=style.FAINT, linewidth=0.8, zorder=0)
    if nearest is not None:
        others = np.delete(overlaps, nearest, axis=1)
        if 0 < others.shape[1] <= MOST_LINES:
            lines = ax.plot(sweeps, others, color=style.GREY, linewidth=0.9)
            lines[0].set_label("other patterns")
        elif others.shape[1]:
            ax.fill_between(
                sweeps, others.min(axis=1), others.max(axis=1), color=style.FAINT, linewidth=0,
                label=f"the other {others.shape[1]}",
            )  # fmt: skip
        ax.plot(
            sweeps, overlaps[:, nearest], ".-", color=style.BLUE, markersize=7, linewidth=1.8,
            label=f"pattern {nearest}",
        )  # fmt: skip
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return draw_legend(ax)


def draw_descent(
    ax: Axes | None, x: ArrayLike, energy: ArrayLike, *, xlabel: str = "sweep"
) -> Axes:
    """An energy against time or sweeps."""
    ax = new_axes(ax, xlabel=xlabel, ylabel="energy $E$")
    color = style.CYCLE[len(ax.lines) % len(style.CYCLE)]
    marker = "." if len(np.asarray(x)) < 60 else ""
    ax.plot(x, energy, marker=marker, color=color, markersize=7, linewidth=1.6)
    return ax


def draw_resting_states(
    ax: Axes | None, places: Mapping[str, tuple[Array, Array, NDArray[np.int64]]]
) -> Axes:
    """States of each kind by overlap and energy; the area of a mark grows with how often it was reached."""
    ax = new_axes(ax, xlabel="largest overlap with a pattern", ylabel="energy per spin, $E / N$")
    most = max((int(hits.max()) for _, _, hits in places.values()), default=1)
    for color, (kind, (overlaps, energies, hits)) in zip(style.CYCLE, places.items(), strict=False):
        ax.scatter(
            overlaps, energies, s=14 + 240 * hits / most, color=style.lightened(color, 0.6), edgecolor=color,
            linewidth=0.8, label=kind, zorder=2,
        )  # fmt: skip
    ax.set_xlim(0, 1.06)
    return draw_legend(ax)
