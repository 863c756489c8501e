"""Guards: the crossings and events of a run, in the form that compiled loops take."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
import sympy
from numpy.typing import NDArray

from dynlab.codegen.kernels import Kernel, kernels_of
from dynlab.errors import DuplicateNameError
from dynlab.kernels import dense
from dynlab.solve.crossing import Crossing
from dynlab.solve.trajectory import Occurrences
from dynlab.symbolic.system import System

__all__ = ["Found", "Guards"]

Array = NDArray[np.float64]
#: Times, which guard, and the states of some crossings.
Found = tuple[Array, NDArray[np.int64], Array]

#: Room for crossings in one chunk.
CROSSINGS = 512


class Guards(NamedTuple):
    """Crossings to record, then those that end the run, then the events of the system."""

    names: tuple[str, ...]
    states: tuple[str, ...]
    expressions: tuple[sympy.Expr, ...]
    directions: NDArray[np.int64]
    ends: int
    first: int

    @classmethod
    def of(
        cls, system: System, record: tuple[Crossing, ...], until: tuple[Crossing, ...]
    ) -> Guards:
        """Gather the guards; `ends` is where `until` begins, `first` where the events do."""
        asked = record + until
        names = (*(crossing.name for crossing in asked), *system.event_names)
        for name in names:
            if names.count(name) > 1:
                raise DuplicateNameError(
                    f"two crossings or events are named {name!r}. Rename one of them."
                )
        expressions = [system.expression_of(crossing.when) for crossing in asked]
        expressions += [event.guard for event in system.events]
        directions = [c.direction for c in asked] + [e.direction for e in system.events]
        return cls(
            names,
            system.state_names,
            tuple(expressions),
            np.array(directions, np.int64),
            len(record),
            len(asked),
        )

    def arguments(self, system: System) -> tuple[tuple[Any, ...], tuple[Kernel, ...]]:
        """Return what the loops are given for one rule, and the kernels to keep alive."""
        kernels, names = kernels_of(system), (*self.states, "t")
        values = kernels.guard(self.expressions)
        alive: tuple[Kernel, ...] = (values,)
        rates = 0
        if not (system.is_indexed or system.is_delayed):
            alive = (values, kernels.guard_and_rate(self.expressions))
            rates = alive[1].address
        terminal = np.arange(len(self.names) + 1) >= self.ends
        ends = terminal.astype(np.int64)
        ends[-1] = rates
        sides = np.zeros((dense.SIDE_ROWS, 2 * len(self.names)))
        if not system.is_indexed:
            sides[dense.AFFINE, : len(self.names)] = [
                _is_affine(e, names) for e in self.expressions
            ]
        return (values.address, self.directions, ends, sides), alive

    def room(self) -> Found:
        """Return room for the crossings of a chunk; kind -1 marks a row not written."""
        count = CROSSINGS + 2 * dense.PARTS * len(self.names)
        return np.empty(count), np.full(count, -1), np.empty((count, len(self.states)))

    def events(self, found: list[Found]) -> dict[str, Occurrences]:
        """Sort the crossings of all chunks by name."""
        written = [(t[k >= 0], k[k >= 0], x[k >= 0]) for t, k, x in (found or [self.room()])]
        times, kinds, values = (np.concatenate(column) for column in zip(*written, strict=True))
        return {
            name: Occurrences(times[kinds == g], values[kinds == g], self.states)
            for g, name in enumerate(self.names)
        }


@functools.cache
def _is_affine(guard: sympy.Expr, names: tuple[str, ...]) -> bool:
    """Whether a guard is of the first degree in the states and the time; a jump of them is not."""
    moving = [symbol for symbol in guard.free_symbols if symbol.name in names]
    try:
        return not moving or sympy.Poly(guard, *moving).total_degree() <= 1
    except sympy.PolynomialError:
        return False
