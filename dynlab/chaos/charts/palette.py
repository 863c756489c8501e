"""The colours of periods and kinds of attractors: bright for short periods, dark for chaos."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.charts.returns import NO_PERIOD
from dynlab.chaos.exponents.verdict import Verdict

__all__ = [
    "KIND_COLORS", "KIND_NAMES", "PERIOD_COLORS", "PERIOD_NAMES", "kind_classes", "period_classes",
]  # fmt: skip

#: Periods with a colour of their own; longer ones share one.
OWN = 12
ESCAPED, UNKNOWN = "#FFFFFF", "#A8A8A8"
_NONE = "#2A2230"
# Neighbours in a cascade (1, 2, 4, 8; 3, 6, 12; 5, 10) stand beside each other in hue.
_OF_PERIOD = {
    0: "#DDE3E8", 1: "#B6D5EA", 2: "#6FB1DC", 4: "#2F7FBF", 8: "#174E8C",
    3: "#F7D76B", 6: "#F0A63A", 12: "#C9701C",
    5: "#A9DDA5", 10: "#4FA864",
    7: "#E99CB8", 9: "#C05A96", 11: "#8C6BB8",
}  # fmt: skip
_LONGER = "#7D4B3E"

PERIOD_NAMES = (
    "standing still", *(f"period {p}" for p in range(1, OWN + 1)), "longer period", "no period",
    "escaped", "stopped",
)  # fmt: skip
PERIOD_COLORS = (
    *(_OF_PERIOD[p] for p in range(OWN + 1)), _LONGER, _NONE, ESCAPED, UNKNOWN,
)  # fmt: skip


def period_classes(periods: NDArray[np.int64], ok: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the places of cells in the palette."""
    classes = np.minimum(periods, OWN + 1)
    classes = np.where(periods == NO_PERIOD, OWN + 2, classes)
    return np.where(ok, classes, OWN + 3)


_KINDS = (
    (Verdict.FIXED_POINT, "#DDE3E8"), (Verdict.QUASI_PERIODIC, "#00A08A"), (Verdict.CHAOTIC, _NONE),
    (Verdict.ESCAPED, ESCAPED), (Verdict.UNDECIDED, UNKNOWN),
)  # fmt: skip
KIND_NAMES = (
    *(str(kind) for kind, _ in _KINDS), *(f"period {p}" for p in range(1, OWN + 1)), "longer period",
)  # fmt: skip
KIND_COLORS = (
    *(color for _, color in _KINDS), *(_OF_PERIOD[p] for p in range(1, OWN + 1)), _LONGER,
)  # fmt: skip


def kind_classes(verdicts: NDArray[np.str_], periods: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places of verdicts, and of periods where they are periodic, in the palette."""
    periods = np.where(periods == NO_PERIOD, OWN + 1, np.minimum(periods, OWN + 1))
    classes = len(_KINDS) - 1 + np.maximum(periods, 1)
    for place, (kind, _) in enumerate(_KINDS):
        classes = np.where(verdicts == str(kind), place, classes)
    return classes
