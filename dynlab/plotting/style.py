"""Colours, markers and short names: what each thing looks like in every figure.

The colours are those of Okabe and Ito, chosen so that readers with any common form of colour
blindness tell them apart.  No meaning rests on colour alone: stability is also a line style, a
kind of point is also a marker shape, criticality is also a fill.

References
----------
M. Okabe and K. Ito, Color Universal Design (2008), https://jfly.uni-koeln.de/color/.
The two-letter names of points are those of AUTO and MatCont (Dhooge, Govaerts and Kuznetsov 2003,
ACM TOMS 29, 141); NS stands for Neimark-Sacker.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BLACK = "#000000"
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
PURPLE = "#CC79A7"

INK = "#1A1A1A"
"""Text, axes and curves: not quite black, easier on the eye and in print."""
GREY = "#767676"
FAINT = "#C8C8C8"

CYCLE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, INK)
"""Colours of several curves in one axes; yellow is left out, it vanishes on white."""

LABEL_SIZE = 11
TICK_SIZE = 9
POINT_LABEL_SIZE = 8.5


@dataclass(frozen=True, slots=True)
class LineStyle:
    """How a stretch of a branch is drawn; `dashes` in units of the line width, empty for solid."""

    label: str
    color: str
    width: float
    dashes: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PointStyle:
    """How one kind of point is drawn; `fill` is matplotlib's name: "full", "none" or "bottom"."""

    label: str
    short: str
    color: str
    marker: str
    fill: str = "full"


STABLE = LineStyle("stable", INK, 2.0, ())
UNSTABLE = LineStyle("unstable", GREY, 1.4, (4.0, 2.2))
MORE_UNSTABLE = LineStyle("unstable (2+)", GREY, 1.4, (2.2, 1.5))

FOLD = PointStyle("fold", "LP", VERMILLION, "D")
HOPF = PointStyle("Hopf", "H", BLUE, "o", "bottom")
HOPF_SUPERCRITICAL = PointStyle("Hopf, supercritical", "H", BLUE, "o")
HOPF_SUBCRITICAL = PointStyle("Hopf, subcritical", "H", BLUE, "o", "none")
BRANCH_POINT = PointStyle("branch point", "BP", GREEN, "s")
PERIOD_DOUBLING = PointStyle("period doubling", "PD", PURPLE, "^")
TORUS = PointStyle("torus", "NS", ORANGE, "p")
NEUTRAL_SADDLE = PointStyle("neutral saddle", "", GREY, "X")
USER = PointStyle("requested value", "", INK, "P")
END = PointStyle("end", "EP", INK, "|")
CUSP = PointStyle("cusp", "CP", VERMILLION, "v")
BOGDANOV_TAKENS = PointStyle("Bogdanov-Takens", "BT", INK, "*")
BAUTIN = PointStyle("Bautin", "GH", BLUE, "h")
FOLD_HOPF = PointStyle("fold-Hopf", "ZH", GREEN, "<")
DOUBLE_HOPF = PointStyle("double Hopf", "HH", PURPLE, ">")
GENERALIZED_FLIP = PointStyle("generalised flip", "GPD", PURPLE, "h")
CHENCINER = PointStyle("Chenciner", "CH", ORANGE, "h")
FOLD_FLIP = PointStyle("fold-flip", "LPPD", GREEN, "<")
RESONANCE = PointStyle("strong resonance", "R", INK, "*")
NON_CENTRAL = PointStyle("non-central saddle-node", "NCH", VERMILLION, "d")

POINTS: Mapping[str, PointStyle] = MappingProxyType(
    {
        "fold": FOLD,
        "hopf": HOPF,
        "hopf supercritical": HOPF_SUPERCRITICAL,
        "hopf subcritical": HOPF_SUBCRITICAL,
        "branch point": BRANCH_POINT,
        "period doubling": PERIOD_DOUBLING,
        "torus": TORUS,
        "neutral saddle": NEUTRAL_SADDLE,
        "user": USER,
        "end": END,
        "cusp": CUSP,
        "bogdanov-takens": BOGDANOV_TAKENS,
        "bautin": BAUTIN,
        "fold-hopf": FOLD_HOPF,
        "double hopf": DOUBLE_HOPF,
        "generalised flip": GENERALIZED_FLIP,
        "chenciner": CHENCINER,
        "fold-flip": FOLD_FLIP,
        "resonance": RESONANCE,
        "non-central": NON_CENTRAL,
    }
)

CURVES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "fold": ("fold", VERMILLION),
        "Hopf point": ("Hopf", BLUE),
        "branch point": ("branch points", GREEN),
        "period doubling": ("period doubling", PURPLE),
        "torus point": ("torus", ORANGE),
        "fold of cycles": ("fold of cycles", GREEN),
        "branch point of cycles": ("branch points of cycles", SKY),
        "period doubling of cycles": ("period doubling of cycles", PURPLE),
        "torus point of cycles": ("torus of cycles", ORANGE),
    }
)
"""Name and colour of the curves of each kind of bifurcation."""

SIDED_CURVES = frozenset({"Hopf point", "period doubling", "torus point"})
"""Kinds of curve that are supercritical or subcritical."""


def point_style(kind: str) -> PointStyle:
    """Style of a kind of point; a kind without one is drawn as a cross under its own name."""
    return POINTS.get(kind.lower(), PointStyle(kind, "", INK, "P"))


def curve_style(kind: str) -> tuple[str, str]:
    """Name and colour of a curve of bifurcations; a kind without one is drawn in ink under its own name."""
    return CURVES.get(kind, (kind, INK))


def equilibrium_style(kind: str) -> PointStyle:
    """Style of an equilibrium: the fill says how stable it is, the shape what type it is.

    Filled is stable, open unstable, half filled a saddle (Strogatz 2015, Nonlinear Dynamics and
    Chaos, section 2.2 and figure 6.4.7); squares are nodes, circles foci, diamonds saddles.
    """
    words = kind.lower()
    marker = "s" if "node" in words else "D" if words == "saddle" else "o"
    if "saddle" in words:
        return PointStyle(kind, "", GREEN, marker, "bottom")
    if "unstable" in words:
        return PointStyle(kind, "", VERMILLION, marker, "none")
    if "stable" in words:
        return PointStyle(kind, "", BLUE, marker)
    return PointStyle(kind, "", GREY, marker, "none")


def lightened(color: str, share: float) -> str:
    """Mix a colour with white; unlike transparency it does not darken where curves overlap."""
    from matplotlib.colors import to_hex, to_rgb

    red, green, blue = (1 - share * (1 - part) for part in to_rgb(color))
    return to_hex((red, green, blue))
