"""Phase response and isochrons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dynlab.plotting import style
from dynlab.plotting.axes import draw_legend, new_axes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

__all__ = ["draw_isochrons", "draw_resetting", "draw_response"]

#: Colours of phases round a period, in order.
ROUND = (style.BLUE, style.SKY, style.GREEN, style.ORANGE, style.VERMILLION, style.PURPLE)


def draw_response(ax: Axes | None, phase: ArrayLike, response: ArrayLike, *, label: str) -> Axes:
    """A phase response curve over one period, with the line between advance and delay."""
    ax = new_axes(ax, xlabel="phase", ylabel=label)
    phases, values = np.asarray(phase, float), np.asarray(response, float)
    ax.axhline(0.0, color=style.FAINT, linewidth=1.0, zorder=1)
    ax.fill_between(phases, values, 0.0, color=style.BLUE, alpha=0.10, linewidth=0, zorder=1.5)
    ax.plot(phases, values, color=style.BLUE, linewidth=1.8, zorder=2.2)
    ax.set_xlim(0.0, 1.0)
    return ax


def draw_resetting(
    ax: Axes | None, phase: ArrayLike, shift: ArrayLike, predicted: ArrayLike, kick: str
) -> Axes:
    """Shifts by a finite kick as points, and what the gradient predicts as a dashed line."""
    ax = new_axes(ax, xlabel="phase of the kick", ylabel="advance")
    ax.axhline(0.0, color=style.FAINT, linewidth=1.0, zorder=1)
    ax.plot(phase, predicted, color=style.GREY, linewidth=1.4, dashes=(4, 2.2), zorder=2,
            label="first order")  # fmt: skip
    ax.plot(phase, shift, linestyle="none", marker="o", markersize=4, color=style.VERMILLION,
            markeredgewidth=0, zorder=2.4, label=f"kick {kick}")  # fmt: skip
    ax.set_xlim(0.0, 1.0)
    return draw_legend(ax)


def draw_isochrons(
    ax: Axes | None, curves: Sequence[NDArray[np.float64]], phases: Sequence[float],
    feet: NDArray[np.float64],
) -> Axes:  # fmt: skip
    """Curves of equal phase (rows of points) in colours that go round with the phase, and their feet."""
    ax = new_axes(ax, xlabel="", ylabel="")
    for curve, phase, foot in zip(curves, phases, feet, strict=True):
        ax.plot(curve[:, 0], curve[:, 1], color=hue(phase), linewidth=1.3, zorder=2)
        ax.plot(*foot, marker="o", markersize=4.5, color=hue(phase), markeredgecolor="white",
                markeredgewidth=0.7, zorder=2.6)  # fmt: skip
    return ax


def hue(phase: float) -> tuple[float, float, float]:
    """Return a colour for a phase between 0 and 1; it comes back to itself."""
    from matplotlib.colors import to_rgb

    colours = np.array([to_rgb(colour) for colour in ROUND])
    place = (phase % 1.0) * len(ROUND)
    first, share = int(place) % len(ROUND), place % 1.0
    red, green, blue = (1 - share) * colours[first] + share * colours[(first + 1) % len(ROUND)]
    return float(red), float(green), float(blue)
