"""Synchrony on networks: where it is stable, how it grows, and who takes part in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dynlab.plotting import style
from dynlab.plotting.axes import draw_legend, figure_of, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

#: Decay is blue and growth is red, white is neither.
SCALE = (
    "#0B1D4A",
    "#174A8C",
    "#3F86BD",
    "#A9CCE3",
    "#FFFFFF",
    "#FDC9A5",
    "#F0803C",
    "#C23B22",
    "#6A0F1C",
)
SIZE = (6.4, 4.6)
#: So much of the cells at each end may be off the scale.
OFF_SCALE = 0.01


def draw_stable_intervals(
    ax: Axes | None,
    x: ArrayLike,
    rates: ArrayLike,
    intervals: ArrayLike,
    *,
    labels: tuple[str, str],
    errors: ArrayLike = 0.0,
) -> Axes:
    """A rate along a line with a band of two errors; shaded are the intervals in which it is below zero."""
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    across, up = np.asarray(x, float), np.asarray(rates, float)
    for k, (low, high) in enumerate(np.asarray(intervals, float).reshape(-1, 2)):
        ax.axvspan(
            low, high, color=style.SKY, alpha=0.22, linewidth=0, zorder=0,
            label="stable" if k == 0 else None,
        )  # fmt: skip
    ax.axhline(0.0, color=style.GREY, linewidth=0.8, zorder=1)
    half = 2 * np.broadcast_to(np.asarray(errors, float), up.shape)
    ax.fill_between(across, up - half, up + half, color=style.BLUE, alpha=0.2, linewidth=0)
    ax.plot(across, up, color=style.BLUE, linewidth=1.6)
    ax.margins(x=0)
    return draw_legend(ax)


def draw_growth_chart(
    ax: Axes | None,
    x: ArrayLike,
    y: ArrayLike,
    rates: ArrayLike,
    *,
    labels: tuple[str, str, str],
) -> Axes:
    """Rates over a plane, x along the first axis: blue where it decays, red where it grows; a line at zero."""
    from matplotlib.colors import LinearSegmentedColormap

    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1], size=SIZE)
    values = np.asarray(rates, float).T
    finite = np.abs(values[np.isfinite(values)])
    widest = float(np.quantile(finite, 1 - OFF_SCALE)) if finite.size else 1.0
    widest = widest or 1.0
    shades = LinearSegmentedColormap.from_list("growth", SCALE).with_extremes(bad=style.FAINT)
    across, up = np.asarray(x, float), np.asarray(y, float)
    image = ax.pcolormesh(
        across, up, np.ma.masked_invalid(values), cmap=shades, vmin=-widest, vmax=widest,
        shading="nearest", rasterized=True,
    )  # fmt: skip
    if (np.nanmin(values) < 0 < np.nanmax(values)) and min(values.shape) > 1:
        ax.contour(across, up, values, levels=[0.0], colors=style.INK, linewidths=1.1)
    ax.set(xlim=(across[0], across[-1]), ylim=(up[0], up[-1]))
    bar = figure_of(ax).colorbar(image, ax=ax, pad=0.02, aspect=28, extend="both")
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=style.TICK_SIZE, width=0.8, length=3.0, colors=style.INK)
    bar.set_label(labels[2], fontsize=style.LABEL_SIZE, color=style.INK)
    return ax


def draw_switched_series(
    ax: Axes | None, t: ArrayLike, order: ArrayLike, onset: float, *, labels: tuple[str, str, str]
) -> Axes:
    """An order parameter against time; shaded from when something was switched on."""
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    times = np.asarray(t, float)
    if onset < times[-1]:
        ax.axvspan(onset, times[-1], color=style.ORANGE, alpha=0.15, linewidth=0, label=labels[2])
    ax.plot(times, np.asarray(order, float), color=style.BLUE, linewidth=1.1)
    ax.margins(x=0)
    ax.set_ylim(0, 1)
    return draw_legend(ax)


def draw_pulsed_series(
    ax: Axes | None,
    t: ArrayLike,
    order: ArrayLike,
    pulses: Sequence[float],
    *,
    labels: tuple[str, str],
) -> Axes:
    """An order parameter against time, and the times at which it was kicked."""
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    times = np.asarray(t, float)
    shown = [pulse for pulse in pulses if times[0] <= pulse <= times[-1]]
    for k, pulse in enumerate(shown):
        ax.axvline(pulse, color=style.ORANGE, linewidth=1.0, zorder=1, label=None if k else "pulse")
    ax.plot(times, np.asarray(order, float), color=style.BLUE, linewidth=1.1)
    ax.margins(x=0)
    ax.set_ylim(0, 1)
    return draw_legend(ax)


def draw_snapshot(
    ax: Axes | None, place: ArrayLike, phases: ArrayLike, order: ArrayLike, *, xlabel: str
) -> Axes:
    """Phases along a ring as dots, in [-pi, pi), coloured by how far neighbours agree; their order as a line."""
    ax = new_axes(ax, xlabel=xlabel, ylabel="phase")
    x, local = np.asarray(place, float), np.asarray(order, float)
    wrapped = np.mod(np.asarray(phases, float) + np.pi, 2 * np.pi) - np.pi
    dots = ax.scatter(
        x, wrapped, c=local, s=7, linewidths=0, cmap="cividis_r", vmin=0.0, vmax=1.0, zorder=3
    )
    ax.set(xlim=(x[0], x[-1]), ylim=(-np.pi, np.pi))
    ax.set_yticks([-np.pi, 0, np.pi], [r"$-\pi$", "0", r"$\pi$"])
    bar = figure_of(ax).colorbar(dots, ax=ax, pad=0.02, aspect=20)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=style.TICK_SIZE, width=0.8, length=3.0, colors=style.INK)
    bar.set_label("local order", fontsize=style.LABEL_SIZE, color=style.INK)
    return ax


def draw_laplacian(ax: Axes | None, eigenvalues: ArrayLike) -> Axes:
    """Eigenvalues of a Laplacian: in order if they are real, else in the complex plane."""
    values = np.asarray(eigenvalues, complex)
    if (values.imag == 0).all():
        ax = new_axes(ax, xlabel="number", ylabel=r"eigenvalue $\mu$ of the Laplacian")
        numbers = np.arange(1, len(values) + 1)
        ax.plot(
            numbers, values.real, "o", color=style.BLUE, markersize=4 if len(values) < 80 else 2
        )
        ax.set_ylim(bottom=min(0.0, float(values.real.min())) - 0.03 * float(np.ptp(values.real)))
        return ax
    ax = new_axes(ax, xlabel=r"Re $\mu$", ylabel=r"Im $\mu$")
    ax.axhline(0, color=style.FAINT, linewidth=0.8, zorder=1)
    ax.axvline(0, color=style.GREY, linewidth=0.8, zorder=1)
    ax.plot(values.real, values.imag, "o", color=style.BLUE, markersize=4)
    return ax


def draw_node_shares(ax: Axes | None, shares: ArrayLike) -> Axes:
    """What part each node takes, the largest first, as steps that are filled."""
    values = np.asarray(shares, float)
    ax = new_axes(ax, xlabel="node, by its share", ylabel="share in the synchronous state")
    edges = np.arange(len(values) + 1) + 0.5
    ax.stairs(values, edges, fill=True, color=style.BLUE, alpha=0.25)
    ax.stairs(values, edges, color=style.BLUE, linewidth=1.3)
    ax.set(xlim=(edges[0], edges[-1]), ylim=(0, None))
    return ax


def draw_mode_rates(ax: Axes | None, waves: ArrayLike, rates: ArrayLike) -> Axes:
    """Rates of waves along a ring; filled where they decay, open where they grow."""
    ax = new_axes(ax, xlabel="waves along the ring", ylabel=r"eigenvalue $\lambda$")
    number, values = np.asarray(waves, float), np.asarray(rates, float)
    ax.axhline(0.0, color=style.GREY, linewidth=0.8, zorder=1)
    ax.plot(number, values, color=style.FAINT, linewidth=1.0, zorder=1)
    grows = values > 0
    ax.plot(number[~grows], values[~grows], "o", color=style.BLUE, markersize=5, label="stable")
    if grows.any():
        ax.plot(
            number[grows], values[grows], "o", color=style.VERMILLION, markerfacecolor="white",
            markersize=5, label="unstable",
        )  # fmt: skip
    return draw_legend(ax)
