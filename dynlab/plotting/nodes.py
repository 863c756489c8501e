"""Quantities of many nodes against time: lines while they can be told apart, else an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dynlab.plotting import style
from dynlab.plotting.axes import LEGEND, figure_of, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MOST_LINES = 12
"""Lines of one panel that can be told apart; more nodes make an image."""

IMAGE_COLUMNS = 1200
"""Moments of an image: about as many as it has pixels across."""

# The wheel of Okabe and Ito's colours, as light at one end as at the other; see `style`.
_WHEEL = ("#1A1A1A", style.BLUE, style.SKY, "#F5F5F5", style.ORANGE, style.VERMILLION, "#1A1A1A")
_TWO_SIDED = (
    "#053061",
    style.BLUE,
    style.SKY,
    "#F5F5F5",
    style.ORANGE,
    style.VERMILLION,
    "#67001F",
)
_RAMP = ("#9CCBE8", style.BLUE, "#00253B")


def draw_threads(ax: Axes, t: Array, values: Array, names: list[str]) -> None:
    """A line for each node, from light to dark, with a key beside the panel."""
    from matplotlib.colors import LinearSegmentedColormap

    ramp = LinearSegmentedColormap.from_list("nodes", _RAMP)
    shades = ramp(np.linspace(0, 1, max(len(names), 2)))
    for thread, name, shade in zip(values.T, names, shades, strict=False):
        ax.plot(t, thread, color=shade, linewidth=1.3, label=name)
    columns = 1 if len(names) <= MOST_LINES // 2 else 2
    ax.legend(
        loc="upper left", bbox_to_anchor=(1.0, 1.05), frameon=False, ncols=columns,
        labelspacing=0.25, **LEGEND,
    )  # fmt: skip


def draw_image(ax: Axes, t: Array, values: Array, *, label: str, rows: str, angle: bool) -> None:
    """Values of many nodes as colours: time across, the first node at the bottom.

    Angles have colours that close; values of both signs are white at zero.
    """
    low, high, colours = _shades(values, angle=angle)
    edges = np.linspace(t[0], t[-1], min(IMAGE_COLUMNS, max(2 * len(t), 2)))
    near = np.clip(np.searchsorted(t, edges, side="right") - 1, 0, len(t) - 1)
    image = ax.imshow(
        _wrapped(values[near].T) if angle else values[near].T,
        aspect="auto", origin="lower", interpolation="nearest", cmap=colours, vmin=low, vmax=high,
        extent=(float(t[0]), float(t[-1]), -0.5, values.shape[1] - 0.5),
    )  # fmt: skip
    new_axes(ax, xlabel="", ylabel=rows)
    ax.tick_params(axis="y", length=0)
    bar = figure_of(ax).colorbar(image, ax=ax, pad=0.015, aspect=14, fraction=0.06)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=style.TICK_SIZE, length=0, colors=style.INK)
    bar.set_label(label, fontsize=style.LABEL_SIZE, color=style.INK)
    if angle:
        bar.set_ticks([-np.pi, 0, np.pi], labels=[r"$-\pi$", "0", r"$\pi$"])


def draw_bundle(ax: Axes, t: Array, values: Array, *, label: str, color: str, mean: bool) -> None:
    """A thin line for each node and, where it means something, their mean in bold."""
    from matplotlib.collections import LineCollection

    threads = [np.column_stack([t, thread]) for thread in values.T]
    bundle = LineCollection(
        threads, colors=style.lightened(color, 0.5) if mean else color, linewidths=0.6, alpha=0.5,
        label="_nolegend_" if mean else label,
    )  # fmt: skip
    ax.add_collection(bundle)
    if mean:
        ax.plot(t, values.mean(axis=1), color=color, linewidth=1.8, label=label)
    ax.autoscale_view()


def _shades(values: Array, *, angle: bool) -> tuple[float, float, Colormap]:
    """Return the range of the colours, and the colours."""
    import matplotlib as mpl
    from matplotlib.colors import LinearSegmentedColormap

    if angle:
        return -np.pi, np.pi, LinearSegmentedColormap.from_list("wheel", _WHEEL)
    seen = values[np.isfinite(values)]
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 1.0)
    if low < 0 < high and min(-low, high) > 0.1 * max(-low, high):
        most = max(-low, high)
        return -most, most, LinearSegmentedColormap.from_list("signed", _TWO_SIDED)
    return low, high, mpl.colormaps["viridis"]


def _wrapped(angles: Array) -> Array:
    return (angles + np.pi) % (2 * np.pi) - np.pi
