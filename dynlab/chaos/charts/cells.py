"""The cells of a chart: a start and parameter values for each, from one or two axes by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError, UnknownNameError
from dynlab.kernels.lanes import WIDTH
from dynlab.names import Layout, by_name, finite
from dynlab.symbolic.system import System

__all__ = ["Cells", "cells_of"]

Array = NDArray[np.float64]

#: Cells run in about so many pieces, each of so many at most; lanes are always full.
PIECES, MOST_IN_PIECE = 32, 1024
MOST_CELLS = 10**8


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Starts and parameter values, a row for each cell, the last axis fastest.

    Attributes
    ----------
    over
        The values along each axis, by name.
    starts, parameters
        All states, and all parameters, of each cell.
    """

    over: dict[str, Array]
    starts: Array
    parameters: Array

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many cells there are along each axis."""
        return tuple(len(values) for values in self.over.values())

    def pieces(self) -> Iterator[slice]:
        """Yield the rows in pieces, which do not depend on the number of threads."""
        size = min(WIDTH * -(-len(self) // (WIDTH * PIECES)), MOST_IN_PIECE)
        for first in range(0, len(self), size):
            yield slice(first, min(first + size, len(self)))


def cells_of(
    system: System,
    vary: Mapping[str, Any],
    start: Mapping[str, Any] | Sequence[float] | None,
) -> Cells:
    """Return the cells of a grid over one or two parameters or starts.

    Raises
    ------
    SettingError
        If there are not one or two names, or an axis holds no finite numbers.
    UnknownNameError
        If a name is neither a parameter nor a state.
    """
    layout = Layout.of(system)
    given = by_name(vary, "vary")
    if len(given) not in (1, 2):
        raise SettingError(
            f"vary has {len(given)} names; give one or two, as vary={{'a': (0, 1, 200)}}."
        )
    known = (*system.parameter_names, *system.state_names)
    for name in given:
        if name not in known:
            raise UnknownNameError(f"parameter or state of {system.name!r}", name, known)
    over = {name: _axis(values, f"vary[{name!r}]") for name, values in given.items()}
    count = int(np.prod([float(len(values)) for values in over.values()]))
    if count > MOST_CELLS:
        raise SettingError(
            f"vary makes {count:g} cells, and {MOST_CELLS:g} are the most. Take fewer values."
        )
    starts = np.tile(layout.pack(start, default=system.start_values), (count, 1))
    parameters = np.tile(np.array(system.parameter_values or (0.0,)), (count, 1))
    mesh = np.meshgrid(*over.values(), indexing="ij")
    for name, values in zip(over, mesh, strict=True):
        if name in system.parameter_names:
            parameters[:, layout.parameter(name)] = values.ravel()
        else:
            starts[:, layout.state(name)] = values.ravel()
    return Cells(over, starts, parameters)


def _axis(values: Any, what: str) -> Array:
    """Return the values along an axis: an array, or (low, high, count) as a tuple."""
    if isinstance(values, tuple):
        if len(values) != 3:
            raise SettingError(
                f"{what} is {values!r}; give (low, high, count), or a list or array of values."
            )
        low, high, count = (finite(v, what) for v in values)
        if count < 1 or count != int(count):
            raise SettingError(
                f"{what} asks for {values[2]!r} values; give a whole number above 0."
            )
        if count > MOST_CELLS:
            raise SettingError(
                f"{what} asks for {count:g} values, and {MOST_CELLS:g} cells are the most. Take fewer."
            )
        return np.linspace(low, high, int(count))
    array = np.asarray(values)
    if array.dtype.kind not in "iuf" or array.ndim != 1 or not array.size:
        raise SettingError(
            f"{what} is {values!r}; give (low, high, count), or a flat list or array of numbers."
        )
    numbers = array.astype(float)
    if not np.isfinite(numbers).all():
        bad = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise SettingError(f"{what} is {numbers[bad]} at place {bad}; give finite numbers.")
    return numbers
