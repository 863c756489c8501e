"""One picture of a system as it is now: where it goes, how it moves in time, eigenvalues where it rests."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from dynlab.plotting.axes import figure_of, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["explorer_axes", "png_of", "without_legends"]

_SIZE = (9.0, 4.8)
_DOTS_PER_INCH = 100


def explorer_axes(labels: tuple[str, str]) -> tuple[Axes, Axes, Axes]:
    """Return axes for a phase portrait, beside it for time series and, below those, for eigenvalues."""
    first = new_axes(xlabel="", ylabel="", size=_SIZE)
    figure = figure_of(first)
    figure.set_gid(None)  # it keeps its size: legends do not make it grow
    first.remove()
    cells = figure.add_gridspec(2, 2, width_ratios=(1.15, 1.0))
    places = (cells[:, 0], cells[0, 1], cells[1, 1])
    names = (labels, ("", ""), ("", ""))
    plane, series, spectrum = (
        new_axes(figure.add_subplot(place), xlabel=x, ylabel=y)
        for place, (x, y) in zip(places, names, strict=True)
    )
    return plane, series, spectrum


def without_legends(*axes: Axes) -> None:
    """Take the legends of axes away: of panels side by side they would lie on each other."""
    for ax in axes:
        legend = ax.get_legend()
        if legend is not None:
            legend.remove()


def png_of(ax: Axes) -> bytes:
    """Return the figure of `ax` as the bytes of a PNG file."""
    content = io.BytesIO()
    figure_of(ax).savefig(content, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
    return content.getvalue()
