"""Answers of a study over its parameters: families of lines, maps in shades, points in a plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlab.plotting import style
from dynlab.plotting.axes import draw_legend, figure_of, new_axes
from dynlab.plotting.chart import NOTHING, SIZE, add_swatches, draw_cells

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

__all__ = ["draw_lines", "draw_places", "draw_shades"]

Array = NDArray[np.float64]

#: From little to much: dark blue, green, pale yellow; and below and above zero, pale where it is zero.
UPWARDS = ("#0B1D4A", "#174A8C", "#2E86A8", "#5CB59A", "#BBD98B", "#FFF3B0")
BOTH_WAYS = (
    "#0B1D4A",
    "#174A8C",
    "#3F86BD",
    "#8FBEDC",
    "#F4F4F0",
    "#FDC753",
    "#F58B2B",
    "#D6431E",
    "#6E1020",
)


def draw_lines(
    ax: Axes | None,
    x: ArrayLike,
    lines: Sequence[Array],
    bands: Sequence[Array] | None,
    *,
    labels: tuple[str, str],
    names: Sequence[str],
) -> Axes:
    """Draw quantities over a parameter, each with a band around it; colours in order if there are many."""
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    across = np.asarray(x, float)
    colors = _colors(len(lines))
    for k, (line, name) in enumerate(zip(lines, names, strict=True)):
        if bands is not None:
            ax.fill_between(
                across,
                line - bands[k],
                line + bands[k],
                color=style.lightened(colors[k], 0.25),
                linewidth=0,
            )
        ax.plot(
            across, line, color=colors[k], linewidth=1.5, marker="o" if across.size < 60 else "", markersize=3.5,
            label=name or None,
        )  # fmt: skip
    return draw_legend(ax) if any(names) else ax


def _colors(count: int) -> list[str]:
    """Return colours: those of the house for few, a scale from dark to light for many."""
    if count <= len(style.CYCLE):
        return list(style.CYCLE[:count])
    from matplotlib.colors import to_hex

    return [to_hex(c) for c in _scale(UPWARDS[:5])(np.linspace(0, 1, count))]


def draw_shades(
    ax: Axes | None,
    x: ArrayLike,
    y: ArrayLike,
    values: ArrayLike,
    *,
    labels: tuple[str, str, str],
) -> Axes:
    """Draw a quantity over a plane, x along the first axis; pale at zero if it has both signs."""
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1], size=SIZE)
    numbers = np.asarray(values, float)
    image = draw_cells(ax, x, y, numbers, **_shading(numbers))
    _add_bar(ax, image, labels[2])
    return ax


def draw_places(  # noqa: PLR0913  (axes, places, what is there, how it is called and looks)
    ax: Axes | None,
    x: ArrayLike,
    y: ArrayLike,
    values: ArrayLike,
    *,
    labels: tuple[str, str, str],
    names: Sequence[str] = (),
    colors: Sequence[str] = (),
) -> Axes:
    """Draw a dot at each place of a plane: in shades of a quantity, or, given names, in colours of classes."""
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1], size=SIZE)
    numbers = np.asarray(values, float)
    dots: dict[str, Any] = {
        "s": float(np.clip(12_000 / max(numbers.size, 1), 4, 40)),
        "linewidths": 0.3,
        "edgecolors": style.GREY,
    }
    if names:
        shown = [colors[int(k)] for k in numbers]
        ax.scatter(x, y, c=shown, **dots)
        add_swatches(ax, np.unique(numbers.astype(int)), names, colors)
        return ax
    image = ax.scatter(
        x, y, c=np.ma.masked_invalid(numbers), plotnonfinite=True, **dots, **_shading(numbers)
    )
    _add_bar(ax, image, labels[2])
    return ax


def _shading(values: Array) -> dict[str, Any]:
    """Return scale and range of colours for numbers."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    if low < 0 < high:
        from matplotlib.colors import TwoSlopeNorm

        least = 0.05 * (high - low)
        norm = TwoSlopeNorm(0.0, min(low, -least), max(high, least))
        return {"cmap": _scale(BOTH_WAYS), "norm": norm}
    return {"cmap": _scale(UPWARDS), "vmin": low, "vmax": high}


def _scale(colors: Sequence[str]) -> Colormap:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("study", list(colors)).with_extremes(bad=NOTHING)


def _add_bar(ax: Axes, image: Any, text: str) -> None:
    bar = figure_of(ax).colorbar(image, ax=ax, pad=0.02, aspect=28)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=style.TICK_SIZE, width=0.8, length=3.0, colors=style.INK)
    bar.set_label(text, fontsize=style.LABEL_SIZE, color=style.INK)
