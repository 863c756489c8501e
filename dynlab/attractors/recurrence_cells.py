"""RecurrenceCells: the grid of states on which recurrences are seen."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.attractors.window import Window, counts_of
from dynlab.errors import SettingError
from dynlab.symbolic.quantities import Domain
from dynlab.symbolic.system import System

__all__ = ["RecurrenceCells"]

Array = NDArray[np.float64]

#: Cells along each state when a grid covers 1, 2, ... states: fine where that is cheap.
USUAL = (2048, 400, 128, 40, 20, 12, 8, 6)
#: So many cells at most: 32 MB of labels.
MOST_CELLS = 1 << 22


class RecurrenceCells(NamedTuple):
    """A grid as the compiled loops want it; see `dynlab.kernels.recurrence_automaton`."""

    places: NDArray[np.int64]
    low: Array
    density: Array
    counts: NDArray[np.int64]
    on_circle: NDArray[np.int64]

    @classmethod
    def of(cls, system: System, window: Window, cells: Any) -> RecurrenceCells:
        """Return the grid over a window, of a usual fineness if none is given."""
        axes = len(window.names)
        if axes > len(USUAL):
            raise SettingError(
                f"ranges are given for {axes} states; a grid covers at most {len(USUAL)}. Give those of "
                "the states that tell the attractors apart."
            )
        counts = np.array(counts_of(window, cells, USUAL[axes - 1]), np.int64)
        if float(np.prod(counts, dtype=float)) > MOST_CELLS:
            raise SettingError(
                f"{' x '.join(map(str, counts.tolist()))} cells are more than {MOST_CELLS}. Give fewer."
            )
        places = window.places(system)
        low, high = np.array(window.low), np.array(window.high)
        circle = np.array([system.domains[k] is Domain.CIRCLE for k in places], np.int64)
        return cls(places, low, counts / (high - low), counts, circle)

    @property
    def size(self) -> int:
        """How many cells there are."""
        return int(np.prod(self.counts))

    @property
    def widths(self) -> Array:
        """How wide a cell is along each state."""
        return 1.0 / self.density
