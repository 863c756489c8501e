"""Numbers extrapolated to cells of no width: Romberg's table over grids that are halved.

The error of second-order finite volumes is a series in even powers of the width of the cells wherever the
coefficients are smooth, so each level takes one more power away (Richardson 1911; Romberg 1955).  At an absorbing end the
half edge adds odd powers from the third on.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dynlab.stochastic.generator.grid import Grid

__all__ = ["ABSORBED", "SMOOTH", "extrapolated", "levels"]

Array = NDArray[np.float64]

#: Powers of the width in the error, between walls and circles, and with an absorbing end.
SMOOTH, ABSORBED = (2, 4, 6), (2, 3, 4)
#: Grids used, and the fewest cells of an axis.
LEVELS, FEWEST = 4, 32


def levels(grid: Grid) -> list[Grid]:
    """Return a grid and its halves, the coarsest first."""
    found = [grid]
    while len(found) < LEVELS and all(n % 2 == 0 and n // 2 >= FEWEST for n in found[0].cells):
        found.insert(0, found[0].halved())
    return found


def extrapolated(values: Sequence[Array], powers: Sequence[int] = SMOOTH) -> tuple[Array, Array]:
    """Return the limit of values on grids that are halved, the finest last, and how uncertain it is.

    The uncertainty is the change by the last level; without a second level it is nan.
    """
    column = [np.asarray(v) for v in values]
    best, error = column[-1], np.full(np.shape(column[-1]), np.nan)
    for power in powers[: len(values) - 1]:
        factor = 2.0**power
        column = [(factor * fine - coarse) / (factor - 1) for coarse, fine in pairwise(column)]
        error, best = np.abs(column[-1] - best), column[-1]
    return best, error
