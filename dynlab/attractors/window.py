"""Window: a box of states, a range for some of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError
from dynlab.names import Layout, by_name, finite
from dynlab.symbolic.quantities import Domain
from dynlab.symbolic.system import System

__all__ = ["Ranges", "Window", "counts_of", "window_of"]

Array = NDArray[np.float64]
Ranges = Mapping[str, tuple[float, float]]

_TURN = 2 * np.pi


@dataclass(frozen=True, slots=True)
class Window:
    """A range for each of some states.

    Attributes
    ----------
    names
        The states, in the order given.
    low, high
        The ends.
    """

    names: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """The ranges by name."""
        return {n: (a, b) for n, a, b in zip(self.names, self.low, self.high, strict=True)}

    def places(self, system: System) -> NDArray[np.int64]:
        """Return where the states stand in the vector of all."""
        layout = Layout.of(system)
        return np.array([layout.state(name) for name in self.names], np.int64)

    def drawn(self, system: System, stream: np.random.Generator, count: int) -> Array:
        """Return starts spread evenly over the window; other states start from their defaults."""
        rows = np.tile(np.array(system.start_values, float), (count, 1))
        low, high = np.array(self.low), np.array(self.high)
        rows[:, self.places(system)] = low + (high - low) * stream.random((count, len(self.names)))
        return rows


def window_of(system: System, ranges: Any, what: str) -> Window:
    """Read ranges by name.

    Raises
    ------
    SettingError
        If there is none, or one is empty, reversed, not finite or longer than a circle.
    UnknownNameError
        If a name is no state.
    """
    given = by_name(ranges, what)
    layout = Layout.of(system)
    if not given:
        raise SettingError(
            f"{what} is empty. Give a range for each state to cover, such as "
            f"{what}={{{layout.states[0]!r}: (-2, 2)}}."
        )
    low, high = [], []
    for name, ends in given.items():
        place = layout.state(name)
        try:
            first, last = ends
        except (TypeError, ValueError):
            raise SettingError(
                f"the range of {name!r} is {ends!r}; give two numbers, {what}={{{name!r}: (-1, 1)}}."
            ) from None
        a, b = finite(first, f"lower end of {name!r}"), finite(last, f"upper end of {name!r}")
        if a >= b:
            raise SettingError(
                f"the range of {name!r} in {what} is ({a:g}, {b:g}), which holds nothing. Put the lower "
                "end first."
            )
        if system.domains[place] is Domain.CIRCLE and b - a > _TURN * (1 + 1e-12):
            raise SettingError(
                f"{name!r} is an angle, and its range ({a:g}, {b:g}) in {what} is longer than the circle. "
                "Give at most 2 pi."
            )
        low.append(a)
        high.append(b)
    return Window(tuple(given), tuple(low), tuple(high))


def counts_of(window: Window, cells: Any, usual: int) -> tuple[int, ...]:
    """Return how many cells each state of a window has.

    Raises
    ------
    SettingError
        If a number of cells is not a positive whole one.
    UnknownNameError
        If cells are given for a state without a range.
    """
    given = cells if isinstance(cells, Mapping) else dict.fromkeys(window.names, cells)
    for name in given:
        if name not in window.names:
            raise SettingError(
                f"cells are given for {name!r}, which has no range. Ranges: {', '.join(window.names)}."
            )
    counts = []
    for name in window.names:
        wanted = given.get(name)
        number = float(usual) if wanted is None else finite(wanted, f"cells of {name!r}")
        if number < 1 or number != int(number):
            raise SettingError(
                f"the number of cells of {name!r} is {wanted!r}; give a positive whole number."
            )
        counts.append(int(number))
    return tuple(counts)
