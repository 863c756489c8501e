"""Charts over one or two parameters: exponents in two scales of colour, classes and periods in a palette."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlab.plotting import style
from dynlab.plotting.axes import draw_legend, figure_of, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

__all__ = [
    "add_swatches",
    "draw_cells",
    "draw_class_line",
    "draw_class_map",
    "draw_exponent_line",
    "draw_exponent_map",
    "draw_finite_time_exponents",
    "draw_stretching",
]

Array = NDArray[np.float64]

#: Order is blue and dark where it is superstable; chaos goes from pale yellow through red to dark.  The jump in
#: lightness at zero is the border of chaos.
ORDER = ("#05060F", "#0B1D4A", "#174A8C", "#3F86BD", "#8FBEDC", "#D6E6F0")
CHAOS = ("#FFF3B0", "#FDC753", "#F58B2B", "#D6431E", "#8E1325", "#4A0A1F")
#: So much of the cells on each side may be off the scale.
OFF_SCALE = 0.01
#: Sharp ridges of a field of stretching may be off the scale by so much of the plane.
RIDGES = 0.006
SIZE = (6.4, 4.9)
NOTHING = "#9A9A9A"
_SWATCHES: dict[str, Any] = {
    "fontsize": style.TICK_SIZE, "labelcolor": style.INK, "handlelength": 1.1, "handleheight": 1.1,
}  # fmt: skip


def draw_exponent_map(
    ax: Axes | None,
    x: ArrayLike,
    y: ArrayLike,
    exponents: ArrayLike,
    *,
    labels: tuple[str, str, str],
) -> Axes:
    """Draw exponents over a plane, x along the first axis, in one scale for order and one for chaos."""
    from matplotlib.colors import TwoSlopeNorm

    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1], size=SIZE)
    values = np.asarray(exponents, float)
    low, high = _range(values)
    image = draw_cells(
        ax, x, y, np.clip(values, low, high), cmap=_two_scales(), norm=TwoSlopeNorm(0.0, low, high)
    )
    bar = figure_of(ax).colorbar(
        image, ax=ax, pad=0.02, aspect=28, extend="min" if np.nanmin(values, initial=0) < low else "neither",
    )  # fmt: skip
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=style.TICK_SIZE, width=0.8, length=3.0, colors=style.INK)
    bar.set_label(labels[2], fontsize=style.LABEL_SIZE, color=style.INK)
    bar.set_ticks(_ticks(low, high))
    return ax


def draw_exponent_line(
    ax: Axes | None,
    x: ArrayLike,
    exponents: ArrayLike,
    errors: ArrayLike,
    *,
    labels: tuple[str, str],
) -> Axes:
    """Draw exponents over a quantity, those above zero in the colour of chaos, with a band of two errors."""
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    across, values, band = (np.asarray(a, float) for a in (x, exponents, errors))
    low, high = _range(values)
    shown = np.where(np.isnan(values), np.nan, np.maximum(values, low - 0.1 * (high - low)))
    ax.axhline(0.0, color=style.GREY, linewidth=0.8, zorder=1)
    chaotic = np.where(values > 0, shown, 0.0)
    ax.fill_between(across, 0.0, chaotic, color=CHAOS[2], alpha=0.25, linewidth=0, zorder=1)
    ax.fill_between(
        across, shown - 2 * band, shown + 2 * band, color=style.GREY, alpha=0.4, linewidth=0
    )
    ax.plot(across, shown, color=style.BLUE, linewidth=0.9, label="order", zorder=2)
    above = np.where(values > 0, shown, np.nan)
    ax.plot(
        across, above, color=CHAOS[3], linewidth=0.9, marker="." if across.size < 100 else "",
        markersize=3, label="chaos", zorder=3,
    )  # fmt: skip
    ax.margins(x=0)
    ax.set_ylim(low - 0.05 * (high - low), high + 0.08 * (high - low))
    return draw_legend(ax)


def draw_stretching(
    ax: Axes | None,
    x: ArrayLike,
    y: ArrayLike,
    exponents: ArrayLike,
    *,
    labels: tuple[str, str, str],
    backwards: bool,
) -> Axes:
    """Draw finite-time exponents over a plane, ridges dark: red forwards, blue backwards."""
    from matplotlib.colors import LinearSegmentedColormap

    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1], size=SIZE)
    values = np.asarray(exponents, float)
    finite = values[np.isfinite(values)]
    low, high = (
        (float(np.quantile(finite, OFF_SCALE)), float(np.quantile(finite, 1 - RIDGES)))
        if finite.size else (0.0, 1.0)
    )  # fmt: skip
    if high - low < 1e-9 * max(abs(low), abs(high)):
        low, high = low - 0.5, high + 0.5
    colors = ("#FFFFFF", *reversed(ORDER[:5])) if backwards else ("#FFFFFF", *CHAOS[1:])
    shades = LinearSegmentedColormap.from_list("stretching", colors).with_extremes(bad=NOTHING)
    image = draw_cells(ax, x, y, values, cmap=shades, vmin=low, vmax=high)
    bar = figure_of(ax).colorbar(image, ax=ax, pad=0.02, aspect=28)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=style.TICK_SIZE, width=0.8, length=3.0, colors=style.INK)
    bar.set_label(labels[2], fontsize=style.LABEL_SIZE, color=style.INK)
    return ax


def draw_finite_time_exponents(ax: Axes | None, exponents: ArrayLike, *, ylabel: str) -> Axes:
    """Draw exponents in order, a stem each."""
    values = np.asarray(exponents, float)
    ax = new_axes(ax, xlabel="number", ylabel=ylabel)
    numbers = np.arange(1, values.size + 1)
    ax.axhline(0.0, color=style.GREY, linewidth=0.8)
    ax.vlines(numbers, 0.0, values, color=style.BLUE, linewidth=1.5)
    ax.plot(numbers, values, "o", color=style.BLUE, markersize=5)
    ax.set_xticks(numbers if values.size < 12 else numbers[:: values.size // 6])
    return ax


def draw_class_map(  # noqa: PLR0913  (axes, a plane, what is there, how it is called and looks)
    ax: Axes | None,
    x: ArrayLike,
    y: ArrayLike,
    classes: ArrayLike,
    *,
    labels: tuple[str, str],
    names: Sequence[str],
    colors: Sequence[str],
) -> Axes:
    """Draw classes, numbers from 0 that belong to names and colours, over a plane."""
    from matplotlib.colors import BoundaryNorm, ListedColormap

    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1], size=SIZE)
    norm = BoundaryNorm(np.arange(len(names) + 1) - 0.5, len(names))
    draw_cells(ax, x, y, np.asarray(classes, float), cmap=ListedColormap(list(colors)), norm=norm)
    add_swatches(ax, np.unique(np.asarray(classes)), names, colors)
    return ax


def draw_class_line(
    ax: Axes | None,
    x: ArrayLike,
    classes: ArrayLike,
    *,
    labels: tuple[str, str],
    names: Sequence[str],
    colors: Sequence[str],
) -> Axes:
    """Draw classes over a quantity as a strip of colours."""
    values = np.asarray(classes, float)[:, None]
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1], size=(6.4, 2.3))
    from matplotlib.colors import BoundaryNorm, ListedColormap

    norm = BoundaryNorm(np.arange(len(names) + 1) - 0.5, len(names))
    draw_cells(ax, x, np.array([0.5]), values, cmap=ListedColormap(list(colors)), norm=norm)
    ax.set_yticks([])
    handles = _swatches(np.unique(np.asarray(classes)), names, colors)
    ax.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.35),
        ncols=6,
        frameon=False,
        **_SWATCHES,
    )
    return ax


def add_swatches(ax: Axes, used: NDArray[Any], names: Sequence[str], colors: Sequence[str]) -> None:
    """Add a legend of the classes that occur, beside the axes."""
    ax.legend(
        handles=_swatches(used, names, colors), loc="upper left", bbox_to_anchor=(1.01, 1.0),
        frameon=False, borderaxespad=0.0, **_SWATCHES,
    )  # fmt: skip


def _swatches(used: NDArray[Any], names: Sequence[str], colors: Sequence[str]) -> list[Any]:
    from matplotlib.patches import Patch

    return [
        Patch(facecolor=colors[k], edgecolor=style.GREY, linewidth=0.5, label=names[k])
        for k in used
    ]


def draw_cells(ax: Axes, x: ArrayLike, y: ArrayLike, values: Array, **how: Any) -> Any:
    """Draw a cell around each value; as an image if all are of one size."""
    across, up = _edges(np.asarray(x, float)), _edges(np.asarray(y, float))
    ax.set_facecolor(NOTHING)
    masked = np.ma.masked_invalid(values.T)
    if _is_even(across) and _is_even(up):
        box = (across[0], across[-1], up[0], up[-1])
        image: Any = ax.imshow(
            masked, origin="lower", extent=box, aspect="auto", interpolation="nearest", **how
        )
    else:
        image = ax.pcolormesh(across, up, masked, rasterized=True, **how)
    for spine in ax.spines.values():
        spine.set_visible(True)
        spine.set_linewidth(0.6)
    ax.margins(0)
    return image


def _edges(middles: Array) -> Array:
    """Return the borders between neighbours, half way, and those at the ends."""
    if middles.size == 1:
        return np.array([middles[0] - 0.5, middles[0] + 0.5])
    inner = 0.5 * (middles[1:] + middles[:-1])
    return np.concatenate([[2 * middles[0] - inner[0]], inner, [2 * middles[-1] - inner[-1]]])


def _is_even(edges: Array) -> bool:
    widths = np.diff(edges)
    return bool(widths[0] > 0 and np.allclose(widths, widths[0], rtol=1e-6))


def _range(values: Array) -> tuple[float, float]:
    """Return the ends of the scale: below and above zero, without the few most extreme."""
    finite = values[np.isfinite(values)]
    below, above = finite[finite < 0], finite[finite > 0]
    low = float(np.quantile(below, 2 * OFF_SCALE)) if below.size else 0.0
    high = float(np.quantile(above, 1 - 0.1 * OFF_SCALE)) if above.size else 0.0
    size = max(high - low, 1e-12)
    return min(low, -0.05 * size), max(high, 0.05 * size)


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers on both sides of zero."""
    from matplotlib.ticker import MaxNLocator

    nice = MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10])
    below = [t for t in nice.tick_values(low, 0.0) if low <= t < 0]
    above = [t for t in nice.tick_values(0.0, high) if 0 < t <= high]
    return [*below, 0.0, *above]


def _two_scales() -> Colormap:
    from matplotlib.colors import LinearSegmentedColormap, ListedColormap

    parts = [LinearSegmentedColormap.from_list(n, c)(np.linspace(0, 1, 256)) for n, c in
             (("order", ORDER), ("chaos", CHAOS))]  # fmt: skip
    return ListedColormap(np.concatenate(parts), name="order and chaos").with_extremes(bad=NOTHING)
