"""Synchrony: order against coupling and time, locked phases, frequencies in plateaus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dynlab.plotting import style
from dynlab.plotting.axes import draw_legend, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike


def draw_order(
    ax: Axes | None, couplings: ArrayLike, r: ArrayLike, *, onset: float, name: str = "theory"
) -> Axes:
    """Order r as a line against the coupling, with a mark where incoherence loses stability.

    Parameters
    ----------
    ax
        Axes to draw into; None makes a figure.
    couplings, r
        The curve.  Where r jumps from 0 the line is broken.
    onset
        The critical coupling.
    name
        For the legend.
    """
    ax = _axes(ax)
    K, order = np.asarray(couplings, float), np.array(r, float)
    jumps = np.flatnonzero((order[:-1] == 0) & (order[1:] > 0.2)) + 1
    K, order = np.insert(K, jumps, np.nan), np.insert(order, jumps, np.nan)
    color = _next_color(ax)
    ax.plot(K, order, color=color, linewidth=1.8, label=name, zorder=2, clip_on=False)
    ax.plot(
        onset, 0, "o", color="white", markeredgecolor=color, markersize=6, zorder=4, clip_on=False
    )
    return draw_legend(ax)


def draw_order_points(  # noqa: PLR0913  (three columns and how they look)
    ax: Axes | None, couplings: ArrayLike, r: ArrayLike, errors: ArrayLike, *, name: str,
    color: str | None = None, quantity: str = "K",
) -> Axes:  # fmt: skip
    """Measured order against the coupling, with its standard errors.

    Parameters
    ----------
    ax
        Axes to draw into; None makes a figure.
    couplings, r, errors
        The points.
    name
        For the legend.
    color
        None takes the next.
    quantity
        What stands across.
    """
    ax = _axes(ax, quantity)
    color = color or _next_color(ax)
    ax.errorbar(
        couplings, r, yerr=errors, fmt="o-", color=color, markersize=3.5, linewidth=0.9,
        elinewidth=0.9, label=name, zorder=3,
    )  # fmt: skip
    return draw_legend(ax)


def draw_onset(ax: Axes, value: float, interval: tuple[float, float], theory: float) -> Axes:
    """An estimated onset with its interval as a band, and that of the theory, into axes of r against K."""
    low, high = np.clip(interval, *ax.get_xlim())  # an end may be open
    ax.axvspan(low, high, color=style.lightened(style.GREEN, 0.3), linewidth=0, zorder=0)
    ax.axvline(value, color=style.GREEN, linewidth=1.4, zorder=1, label=f"estimate {value:.4g}")
    ax.axvline(
        theory,
        color=style.INK,
        linewidth=1.2,
        linestyle=(0, (4, 2)),
        zorder=1,
        label=f"theory {theory:.4g}",
    )
    return draw_legend(ax)


def draw_order_in_time(ax: Axes | None, t: ArrayLike, r: ArrayLike, *, time_label: str) -> Axes:
    """Order against time."""
    ax = new_axes(ax, xlabel=time_label, ylabel="order $r$")
    ax.plot(t, r, color=_next_color(ax), linewidth=1.4)
    ax.set_ylim(0, 1)
    ax.margins(x=0)
    return ax


def draw_locked(ax: Axes | None, frequencies: ArrayLike, phases: ArrayLike) -> Axes:
    """Phases of a locked state against natural frequencies."""
    ax = new_axes(ax, xlabel=r"natural frequency $\omega$", ylabel=r"phase $\theta - \psi$")
    ax.axhline(0, color=style.FAINT, linewidth=0.8, zorder=1)
    ax.plot(frequencies, phases, "o", color=style.BLUE, markersize=4)
    ax.set_yticks(np.pi * np.array([-0.5, -0.25, 0, 0.25, 0.5]))
    ax.set_yticklabels([r"$-\pi/2$", r"$-\pi/4$", "0", r"$\pi/4$", r"$\pi/2$"])
    return ax


def draw_plateaus(
    ax: Axes | None, across: ArrayLike, frequencies: ArrayLike, clusters: ArrayLike, *, xlabel: str
) -> Axes:
    """Effective frequencies, those of one cluster in one colour, single oscillators in grey.

    Parameters
    ----------
    ax
        Axes to draw into; None makes a figure.
    across
        Natural frequency or number of each oscillator.
    frequencies
        Effective ones.
    clusters
        Number of the cluster of each, the largest first; -1 for none.
    xlabel
        What stands across.
    """
    ax = new_axes(ax, xlabel=xlabel, ylabel=r"effective frequency $\Omega$")
    x, y, member = np.asarray(across, float), np.asarray(frequencies, float), np.asarray(clusters)
    alone = member < 0
    if alone.any():
        ax.plot(x[alone], y[alone], "o", color=style.GREY, markersize=2.5, label="drifting")
    for number in range(min(int(member.max(initial=-1)) + 1, 6)):
        of = member == number
        ax.plot(
            x[of], y[of], "o", color=style.CYCLE[number], markersize=3.5,
            label=f"locked: {int(of.sum())}",
        )  # fmt: skip
    return draw_legend(ax)


def _axes(ax: Axes | None, quantity: str = "K") -> Axes:
    from dynlab.plotting.axes import label

    ax = new_axes(ax, xlabel=f"coupling {label(quantity)}", ylabel="order $r$")
    ax.set_ylim(0, 1.02)
    return ax


def _next_color(ax: Axes) -> str:
    named = [line for line in ax.lines if not str(line.get_label()).startswith("_")]
    return style.CYCLE[(len(named) + len(ax.containers)) % len(style.CYCLE)]
