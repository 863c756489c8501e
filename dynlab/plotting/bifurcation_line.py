"""Curves of bifurcations in a plane of two parameters: a colour and a width per kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from dynlab.plotting import style
from dynlab.plotting.axes import add_legend_key, draw_legend, new_axes
from dynlab.plotting.markers import POINT_LABEL, draw_points
from dynlab.plotting.stability import runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.text import Annotation
    from numpy.typing import ArrayLike

DASHES = (4.0, 1.6)
DOTS = (1.0, 1.8)
DASH_DOT = (6.0, 1.4, 1.2, 1.4)
WORDS = (", supercritical", ", subcritical")
NEUTRAL = "neutral saddle"
NEAR = 1e-3
"""Points with the same label nearer than this part of the axes are the same point on two curves."""


def draw_bifurcation_line(
    ax: Axes | None, x: ArrayLike, y: ArrayLike, kind: str, part: ArrayLike
) -> Axes:
    """A curve of one kind of bifurcation; its line says on which side it is critical.

    Parameters
    ----------
    ax
        Axes to draw into, or None for a new figure.
    x, y
        Points along the curve, in order.
    kind
        A key of `style.CURVES`.
    part
        At each point 0: solid; 1: dashed, subcritical; 2: thin and dotted, a neutral saddle; 3: dash
        and dot, of cycles.
    """
    from matplotlib.lines import Line2D

    ax = new_axes(ax, xlabel="", ylabel="")
    x, y, part = np.asarray(x, float), np.asarray(y, float), np.asarray(part, int)
    name, color = style.curve_style(kind)
    keys: dict[str, Line2D] = {}
    for start, stop in runs(part):
        which = int(part[start])
        side = WORDS[which] if which < 2 and kind in style.SIDED_CURVES else ""
        text = NEUTRAL if which == 2 else name + side
        look: dict[str, Any] = {
            "color": style.GREY if which == 2 else color,
            "linewidth": 1.2 if which == 2 else 1.9,
            "linestyle": ("-", (0.0, DASHES), (0.0, DOTS), (0.0, DASH_DOT))[which],
        }
        ax.plot(x[start:stop], y[start:stop], zorder=2.5, **look)
        keys.setdefault(text, Line2D([], [], label=text, **look))
    for text in sorted(keys):
        add_legend_key(ax, keys[text])
    return draw_legend(ax)


def draw_points_once(ax: Axes, points: Sequence[tuple[float, float, str, str]]) -> Axes:
    """Draw points as `draw_points` does, but none that is there already: two curves share it."""
    notes = [cast("Annotation", text) for text in ax.texts if text.get_gid() == POINT_LABEL]
    there = [(note.xy, note.get_text()) for note in notes]
    wide, high = (abs(high - low) or 1.0 for low, high in (ax.get_xlim(), ax.get_ylim()))
    new = []
    for x, y, kind, text in points:
        same = any(
            text == other and abs(x - u) < NEAR * wide and abs(y - v) < NEAR * high
            for (u, v), other in there
        )
        if not same:
            new.append((x, y, kind, text))
            there.append(((x, y), text))
    return draw_points(ax, new)
