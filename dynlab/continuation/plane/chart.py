"""The picture of a curve in the plane of two parameters: a colour and a line per kind, points labelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.points import Points
from dynlab.plotting import draw_bifurcation_line, draw_points_once, label, new_axes
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_curve"]

#: On these kinds the sign of the coefficient decides between super- and subcritical: (sign, kind).
_SUBCRITICAL = {"Hopf point": 1.0, "period doubling": -1.0, "torus point": 1.0}
_MARKERS = {
    "CP": "cusp", "BT": "bogdanov-takens", "GH": "bautin", "ZH": "fold-hopf", "HH": "double hopf",
    "GPD": "generalised flip", "CH": "chenciner", "LPPD": "fold-flip", "R1": "resonance",
    "R2": "resonance", "R3": "resonance", "R4": "resonance",
}  # fmt: skip


class Drawable(Protocol):
    """What the picture needs of a curve."""

    @property
    def system(self) -> System: ...
    @property
    def vary(self) -> tuple[str, str]: ...
    @property
    def kind(self) -> str: ...
    @property
    def coefficient(self) -> NDArray[np.float64]: ...
    @property
    def neutral_saddle(self) -> NDArray[np.bool_]: ...
    def __getitem__(self, name: str) -> NDArray[np.float64]: ...
    def points(self) -> Points[Any]: ...


def draw_curve(ax: Axes | None, curve: Drawable) -> Axes:
    """Draw one curve and its points of codimension two."""
    across, up = curve.vary
    unit = curve.system.unit_of
    ax = new_axes(ax, xlabel=label(across, unit(across)), ylabel=label(up, unit(up)))
    draw_bifurcation_line(ax, curve[across], curve[up], curve.kind, _dashes(curve))
    marks = [
        (float(p[across]), float(p[up]), _MARKERS.get(p.label, p.word), p.label)
        for p in curve.points()
    ]
    return draw_points_once(ax, marks)


def _dashes(curve: Drawable) -> NDArray[np.int_]:
    """Return 0 where the curve is solid, 1 where it is subcritical, 2 on neutral saddles.

    A point whose coefficient is not known, at a double eigenvalue, is drawn as the one after it.
    """
    side = np.sign(curve.coefficient) * _SUBCRITICAL.get(curve.kind, 0.0)
    known = np.flatnonzero(~np.isnan(side))
    if len(known):
        places = np.clip(np.searchsorted(known, np.arange(len(side))), 0, len(known) - 1)
        side = side[known[places]]
    return np.where(curve.neutral_saddle, 2, np.where(side > 0, 1, 0))
