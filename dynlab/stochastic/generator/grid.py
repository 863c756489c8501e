"""Grid: the cells a density lives on, and what happens at each of their ends."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError, UnknownNameError
from dynlab.names import finite

__all__ = ["Absorbing", "Grid", "Periodic", "Reflecting", "Reinjected"]

Array = NDArray[np.float64]

#: A factorisation of more cells than these does not fit into the memory of a laptop.
MOST_CELLS = 1 << 21


@dataclass(frozen=True, slots=True)
class Reflecting:
    """A wall that nothing passes: no flux, so the mass stays."""


@dataclass(frozen=True, slots=True)
class Absorbing:
    """An end where what arrives is lost."""


@dataclass(frozen=True, slots=True)
class Periodic:
    """Both ends are the same place."""


@dataclass(frozen=True, slots=True)
class Reinjected:
    """An end where what arrives is put back somewhere else: threshold and reset of a neuron.

    Parameters
    ----------
    at
        The place along the same axis where it is put.
    after
        How long it stays away.
    """

    at: float
    after: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", finite(self.at, "the place of a re-injection"))
        object.__setattr__(self, "after", finite(self.after, "the delay of a re-injection"))
        if self.after < 0:
            raise SettingError(
                f"what arrives at the end would come back {-self.after:g} before it arrived. Give after >= 0."
            )


Wall = Reflecting | Absorbing | Periodic | Reinjected


@dataclass(frozen=True, slots=True, init=False)
class Grid:
    """Cells of equal size along each state, with walls at the ends.

    Nothing passes the walls unless told otherwise by `with_walls`.

    Parameters
    ----------
    axes
        For each state its lowest value, its highest and the number of cells: ``x=(-3, 3, 600)``.

    Raises
    ------
    SettingError
        If a range is empty or there are fewer than two cells.

    Examples
    --------
    >>> import dynlab as dl
    >>> dl.Grid(x=(-3, 3, 600)).with_walls(x=(dl.Reflecting(), dl.Absorbing()))
    Grid(x=(-3, 3, 600)).with_walls(x=(Reflecting(), Absorbing()))
    """

    names: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    cells: tuple[int, ...]
    walls: tuple[tuple[Wall, Wall], ...]

    def __init__(self, **axes: tuple[float, float, int]) -> None:
        if not axes:
            raise SettingError(
                "A grid needs an axis. Give one for each state: dl.Grid(x=(-3, 3, 600))."
            )
        ends = [_axis(name, axis) for name, axis in axes.items()]
        _set(self, tuple(axes), ends, ((Reflecting(), Reflecting()),) * len(ends))

    def with_walls(self, **walls: Any) -> Grid:
        """Return the same cells with other ends: one wall for both ends, or one for each.

        Raises
        ------
        UnknownNameError
            If a name has no axis.
        SettingError
            If it is no wall, only one end is periodic, or what arrives is put back outside.
        """
        found = dict(zip(self.names, self.walls, strict=True))
        for name, given in walls.items():
            if name not in found:
                raise UnknownNameError("axis of the grid", name, self.names)
            found[name] = _checked(name, given, self.low[self.names.index(name)],
                                   self.high[self.names.index(name)])  # fmt: skip
        return self._with(walls=tuple(found.values()))

    @classmethod
    def __restored__(cls, value: Any, extra: Any = None) -> Grid:
        """Return a grid that was stored."""
        names, low, high, cells, walls = value
        kinds = {k.__name__: k for k in (Reflecting, Absorbing, Periodic, Reinjected)}
        made = [tuple(kinds[w[0]](*map(float, w[1:])) for w in pair) for pair in walls]
        axes = {
            n: (float(a), float(b), int(c))
            for n, a, b, c in zip(names, low, high, cells, strict=True)
        }
        return cls(**axes).with_walls(**dict(zip(names, made, strict=True)))

    def __stored__(self) -> Any:
        walls = [[_stored(w) for w in pair] for pair in self.walls]
        return [list(self.names), list(self.low), list(self.high), list(self.cells), walls]

    @property
    def size(self) -> int:
        """How many cells there are."""
        return prod(self.cells)

    @property
    def widths(self) -> tuple[float, ...]:
        """How wide a cell is along each axis."""
        return tuple((b - a) / n for a, b, n in zip(self.low, self.high, self.cells, strict=True))

    @property
    def volume(self) -> float:
        """Length, area or volume of a cell."""
        return prod(self.widths)

    def centres(self, name: str) -> Array:
        """Return the middles of the cells along an axis."""
        if name not in self.names:
            raise UnknownNameError("axis of the grid", name, self.names)
        k = self.names.index(name)
        middles = self.low[k] + self.widths[k] * (np.arange(self.cells[k]) + 0.5)
        return np.asarray(middles, np.float64)

    def is_periodic(self, k: int) -> bool:
        """Whether the ends of the axis in that place are the same."""
        return isinstance(self.walls[k][0], Periodic)

    def with_cells(self, cells: tuple[int, ...]) -> Grid:
        """Return the same box, cut into other numbers of cells."""
        return self._with(cells=cells)

    def only(self, axes: tuple[int, ...]) -> Grid:
        """Return the grid of some of the axes, in that order."""
        kept = {
            k: tuple(getattr(self, k)[a] for a in axes)
            for k in ("names", "low", "high", "cells", "walls")
        }
        return self._with(**kept)

    def halved(self) -> Grid:
        """Return the same box with half the cells along each axis."""
        return self.with_cells(tuple(max(2, n // 2) for n in self.cells))

    def _with(self, **changed: Any) -> Grid:
        parts = {name: getattr(self, name) for name in ("names", "low", "high", "cells", "walls")}
        parts |= changed
        new = object.__new__(Grid)
        axes = list(zip(parts["low"], parts["high"], parts["cells"], strict=True))
        _set(new, parts["names"], axes, parts["walls"])
        return new

    def __repr__(self) -> str:
        axes = zip(self.names, self.low, self.high, self.cells, strict=True)
        text = "Grid(" + ", ".join(f"{n}=({a:g}, {b:g}, {c})" for n, a, b, c in axes) + ")"
        plain = (Reflecting(), Reflecting())
        walls = [f"{n}={w}" for n, w in zip(self.names, self.walls, strict=True) if w != plain]
        return text + (f".with_walls({', '.join(walls)})" if walls else "")


def _set(grid: Grid, names: tuple[str, ...], axes: Any, walls: Any) -> None:
    low, high, cells = zip(*axes, strict=True)
    if prod(cells) > MOST_CELLS:
        raise SettingError(
            f"{' x '.join(map(str, cells))} cells are more than {MOST_CELLS}. Give fewer along each axis."
        )
    for name, value in (
        ("names", names),
        ("low", low),
        ("high", high),
        ("cells", cells),
        ("walls", walls),
    ):
        object.__setattr__(grid, name, value)


def _axis(name: str, axis: Any) -> tuple[float, float, int]:
    try:
        first, last, count = axis
    except (TypeError, ValueError):
        raise SettingError(
            f"the axis of {name!r} is {axis!r}; give low, high and the number of cells, {name}=(-3, 3, 600)."
        ) from None
    low, high = finite(first, f"lower end of {name!r}"), finite(last, f"upper end of {name!r}")
    number = finite(count, f"cells of {name!r}")
    if not low < high:
        raise SettingError(
            f"the range of {name!r}, ({low:g}, {high:g}), is empty. Put the lower end first."
        )
    if number != int(number) or number < 2:
        raise SettingError(
            f"{name!r} has {count!r} cells; a density needs a whole number of at least 2. Give more cells."
        )
    return low, high, int(number)


def _checked(name: str, given: Any, low: float, high: float) -> tuple[Wall, Wall]:
    pair = given if isinstance(given, tuple | list) else (given, given)
    if len(pair) != 2 or not all(
        isinstance(w, Reflecting | Absorbing | Periodic | Reinjected) for w in pair
    ):
        raise SettingError(
            f"the walls of {name!r} are {given!r}. Give dl.Reflecting(), dl.Absorbing(), dl.Periodic() or "
            "dl.Reinjected(at=...), one for both ends or a pair."
        )
    if isinstance(pair[0], Periodic) != isinstance(pair[1], Periodic):
        raise SettingError(
            f"only one end of {name!r} is periodic. Give dl.Periodic() alone: it joins both ends."
        )
    for wall in pair:
        if isinstance(wall, Reinjected) and not low < wall.at < high:
            raise SettingError(
                f"what arrives at the end of {name!r} is put back at {wall.at:g}, outside ({low:g}, {high:g}). "
                "Give a place inside."
            )
    return pair[0], pair[1]


def _stored(wall: Wall) -> list[Any]:
    place = [wall.at, wall.after] if isinstance(wall, Reinjected) else []
    return [type(wall).__name__, *place]
