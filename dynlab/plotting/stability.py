"""Branches of a bifurcation diagram: solid where stable, dashed where not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dynlab.plotting import style
from dynlab.plotting.axes import add_legend_key, draw_legend, new_axes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

SWATCH = 4.0
"""Width of the legend entry that names a colour, apart from those that name a line style."""


def draw_stability_line(
    ax: Axes | None,
    x: ArrayLike,
    y: ArrayLike,
    unstable: ArrayLike,
    *,
    color: str | None = None,
    label: str | None = None,
) -> Axes:
    """A branch whose line style says how many directions are unstable.

    Solid and thick for none, dashed for one, dotted for two or more ("2+" in the legend).  Each
    run is one artist and ends on the point where the next begins, so that no gap opens.

    Parameters
    ----------
    ax
        Axes to draw into, or None for a new figure.
    x, y
        Points along the branch, in order; nan lifts the pen.
    unstable
        Number of unstable directions at each point.  A run reaches to the first point of the next
        one, so a located bifurcation point carries the number that holds after it.
    color
        Colour of the whole branch; without it black where stable, grey where unstable.
    label
        Name of the branch in the legend.
    """
    from matplotlib.lines import Line2D

    ax = new_axes(ax, xlabel="", ylabel="")
    x, y, unstable = np.asarray(x, float), np.asarray(y, float), np.asarray(unstable, int)
    if label is not None:
        name_colors(ax, {label: color or style.INK})
    for start, stop in runs(unstable):
        look = line_style(int(unstable[start]))
        shade = _shade(look, color)
        ax.plot(x[start:stop], y[start:stop], color=shade, zorder=2.5, **_stroke(look))
    for look in dict.fromkeys(line_style(count) for count in sorted(unstable.tolist())):
        add_legend_key(ax, Line2D([], [], color=look.color, label=look.label, **_stroke(look)))
    return draw_legend(ax)


def name_colors(ax: Axes, colors: Mapping[str, str]) -> None:
    """Put names of colours, apart from those of line styles, into the legend."""
    from matplotlib.lines import Line2D

    for name, color in colors.items():
        add_legend_key(ax, Line2D([], [], color=color, linewidth=SWATCH, label=name))


def runs(values: np.ndarray) -> Iterator[tuple[int, int]]:
    """Slices of equal values; each reaches to the first element of the next, the shared point."""
    if not values.size:
        return
    starts = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist()]
    for start, following in zip(starts, [*starts[1:], values.size], strict=True):
        yield start, min(following + 1, values.size)


def line_style(unstable: int) -> style.LineStyle:
    """Line style for a number of unstable directions."""
    return (style.STABLE, style.UNSTABLE, style.MORE_UNSTABLE)[min(unstable, 2)]


def _shade(look: style.LineStyle, color: str | None) -> str:
    if color is None:
        return look.color
    return color if look is style.STABLE else style.lightened(color, 0.75)


def _stroke(look: style.LineStyle) -> dict[str, Any]:
    dashes = (0.0, look.dashes) if look.dashes else "-"
    return {
        "linewidth": look.width,
        "linestyle": dashes,
        "dash_capstyle": "butt",
        "solid_capstyle": "butt",
        "solid_joinstyle": "round",
    }
