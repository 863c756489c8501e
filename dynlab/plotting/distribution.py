"""Probability densities: over a line, over a plane, and several on top of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dynlab.plotting import style
from dynlab.plotting.axes import figure_of, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

__all__ = ["draw_distribution", "draw_distribution_map", "draw_distributions"]

#: White where nothing is, then the house blue, dark at the peak.
SHADES = ("#FFFFFF", "#DCE9F4", "#A9CBE6", "#5B9BCB", "#1F66A5", "#0B2F5E")
SIZE = (6.0, 4.8)


def draw_distribution(
    ax: Axes | None,
    x: ArrayLike,
    density: ArrayLike,
    *,
    labels: tuple[str, str],
    color: str = style.CYCLE[0],
    name: str | None = None,
) -> Axes:
    """Draw a density over a line, with the area below it shaded."""
    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    x, density = np.asarray(x), np.asarray(density)
    ax.fill_between(x, 0.0, density, color=color, alpha=0.18, linewidth=0)
    ax.plot(x, density, color=color, linewidth=1.8, label=name)
    ax.set_ylim(bottom=0.0)
    return ax


def draw_distributions(
    ax: Axes | None,
    x: ArrayLike,
    densities: ArrayLike,
    names: list[str],
    *,
    labels: tuple[str, str],
) -> Axes:
    """Draw densities at several times, one row each, from pale to dark."""
    from matplotlib.colors import LinearSegmentedColormap

    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1])
    shades = LinearSegmentedColormap.from_list("density", SHADES[2:])
    rows = np.atleast_2d(np.asarray(densities))
    for k, (row, name) in enumerate(zip(rows, names, strict=True)):
        color = shades(k / max(len(rows) - 1, 1))
        ax.fill_between(np.asarray(x), 0.0, row, color=color, alpha=0.08, linewidth=0)
        ax.plot(np.asarray(x), row, color=color, linewidth=1.7, label=name)
    ax.set_ylim(bottom=0.0)
    return ax


def draw_distribution_map(
    ax: Axes | None, x: ArrayLike, y: ArrayLike, density: ArrayLike, *, labels: tuple[str, str, str]
) -> Axes:
    """Draw a density over a plane, x along its first axis, in shades that keep what is small visible."""
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm

    ax = new_axes(ax, xlabel=labels[0], ylabel=labels[1], size=SIZE)
    values: Any = np.asarray(density)
    shades = LinearSegmentedColormap.from_list("density", SHADES)
    image = ax.pcolormesh(
        np.asarray(x), np.asarray(y), values.T, cmap=shades, norm=PowerNorm(0.6, 0.0, float(values.max())),
        shading="nearest", rasterized=True,
    )  # fmt: skip
    bar = figure_of(ax).colorbar(image, ax=ax, pad=0.02, aspect=28)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=style.TICK_SIZE, width=0.8, length=3.0, colors=style.INK)
    bar.set_label(labels[2], fontsize=style.LABEL_SIZE, color=style.INK)
    return ax
