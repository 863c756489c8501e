"""Curves of homoclinic and heteroclinic orbits in a plane of two parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dynlab.plotting import style
from dynlab.plotting.axes import add_legend_key, draw_legend, new_axes
from dynlab.plotting.stability import runs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

_DASHES = {"saddle-focus": (5.0, 1.6), "bi-focus": (5.0, 1.4, 1.0, 1.4), "saddle-node": (1.2, 1.4)}


def draw_connection_line(ax: Axes | None, x: ArrayLike, y: ArrayLike, kinds: Sequence[str]) -> Axes:
    """A curve whose line says what the orbit at each point is homoclinic to.

    Solid for a saddle, dashed for a saddle-focus, dash-dotted for a bi-focus, dotted for a saddle-node.

    Parameters
    ----------
    ax
        Axes to draw into, or None for a new figure.
    x, y
        Points along the curve, in order.
    kinds
        What the orbit at each point is, such as ``"homoclinic to a saddle"``: entries of the legend.
    """
    from matplotlib.lines import Line2D

    ax = new_axes(ax, xlabel="", ylabel="")
    x, y = np.asarray(x, float), np.asarray(y, float)
    names = list(dict.fromkeys(kinds))
    for start, stop in runs(np.array([names.index(kind) for kind in kinds])):
        if stop - start < 2 and len(names) > 1:
            continue  # the last point alone, where the curve ends
        kind = kinds[start]
        last = kind.split()[-1]
        dashes: Any = (0.0, _DASHES[last]) if last in _DASHES else "-"
        ax.plot(x[start:stop], y[start:stop], color=style.PURPLE, linewidth=2.0, linestyle=dashes)
        add_legend_key(
            ax, Line2D([], [], color=style.PURPLE, linewidth=2.0, linestyle=dashes, label=kind)
        )
    return draw_legend(ax)
