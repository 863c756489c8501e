"""Lyapunov exponents: how the estimates settle, and all of them in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dynlab.plotting import style
from dynlab.plotting.axes import draw_legend, new_axes, stacked_axes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

TWO = 2.0
"""Bands reach that many standard errors to each side."""
SETTLED = 0.1
"""Panels show the range of the estimates after this part of the run; before, they may leave it."""
SLACK = 0.15


def draw_convergence(
    ax: Axes | None, elapsed: ArrayLike, series: ArrayLike, errors: ArrayLike, *, xlabel: str
) -> Axes:
    """Running estimates over the time averaged, each in a panel with a band of two standard errors.

    The error of an average over a time t is that of the whole run times ``sqrt(T / t)``.

    Parameters
    ----------
    ax
        Axes that take all of them, or None for a new figure with one panel each.
    elapsed
        Times over which was averaged.
    series
        Estimates, one row per time.
    errors
        Standard errors of the last row.
    xlabel
        Label of the time axis.
    """
    t, rows, last = (np.asarray(v, float) for v in (elapsed, series, errors))
    count = rows.shape[1]
    if not t.size:
        return new_axes(ax, xlabel=xlabel, ylabel="Lyapunov exponents")
    panels = stacked_axes(count) if ax is None else [new_axes(ax, xlabel="", ylabel="")] * count
    for j, panel in enumerate(panels):
        color = style.CYCLE[j % len(style.CYCLE)]
        half = TWO * last[j] * np.sqrt(t[-1] / t)
        name = rf"$\lambda_{{{j + 1}}}$"
        panel.fill_between(t, rows[:, j] - half, rows[:, j] + half, color=color, alpha=0.18, lw=0)
        panel.plot(t, rows[:, j], color=color, linewidth=1.4, label=name)
        if ax is None:
            new_axes(panel, xlabel="", ylabel=name)
            _focus(panel, t, rows[:, j], half)
        panel.margins(x=0)
    new_axes(panels[-1], xlabel=xlabel, ylabel="" if ax is None else "Lyapunov exponents")
    if ax is None:
        panels[0].figure.align_ylabels(panels)
    return panels[0]


def _focus(ax: Axes, t: Array, values: Array, half: Array) -> None:
    """Show the settled part, and zero as a line where it is in sight."""
    late = t >= SETTLED * t[-1]
    low, high = float((values - half)[late].min()), float((values + half)[late].max())
    if not np.isfinite([low, high]).all():
        return
    if low <= 0 <= high:
        ax.axhline(0, color=style.GREY, linewidth=0.8, zorder=1)
    slack = SLACK * max(high - low, 1e-12)
    ax.set_ylim(low - slack, high + slack)


def draw_ladder(ax: Axes | None, exponents: ArrayLike, errors: ArrayLike) -> Axes:
    """All exponents in order, with bars of two standard errors where they can be seen."""
    values, bars = np.asarray(exponents, float), TWO * np.asarray(errors, float)
    ax = new_axes(ax, xlabel="number", ylabel="Lyapunov exponents")
    number = np.arange(1, len(values) + 1)
    ax.axhline(0, color=style.GREY, linewidth=0.8, zorder=1)
    ax.errorbar(
        number, values, yerr=bars, color=style.BLUE, ecolor=style.BLUE, elinewidth=1.0,
        marker="o", markersize=3.5, linewidth=0.9, capsize=0,
    )  # fmt: skip
    return ax


def draw_alignment(
    ax: Axes | None, t: ArrayLike, series: Mapping[str, ArrayLike], *, xlabel: str
) -> Axes:
    """Decimal logarithms of alignment indices over time, one line for each."""
    ax = new_axes(ax, xlabel=xlabel, ylabel=r"$\log_{10}$ GALI")
    for j, (name, values) in enumerate(series.items()):
        color = style.CYCLE[j % len(style.CYCLE)]
        ax.plot(t, values, color=color, linewidth=1.4, label=name)
    ax.margins(x=0)
    return draw_legend(ax)


ANGLE_BINS = 60
"""One and a half degrees each."""


def draw_angles(ax: Axes | None, angles: Mapping[str, ArrayLike]) -> Axes:
    """Densities of angles between 0 and 90 degrees, given in radians, one outline for each."""
    ax = new_axes(ax, xlabel="angle (degrees)", ylabel="density (1/degree)")
    for j, (name, values) in enumerate(angles.items()):
        color = style.CYCLE[j % len(style.CYCLE)]
        density, edges = np.histogram(
            np.degrees(np.asarray(values, float)), ANGLE_BINS, (0.0, 90.0), density=True
        )
        ax.stairs(density, edges, color=color, linewidth=1.4, label=name)
        ax.stairs(density, edges, color=color, alpha=0.12, fill=True)
    ax.set(xlim=(0, 90), ylim=(0, None), xticks=np.arange(0, 91, 15))
    return draw_legend(ax)
