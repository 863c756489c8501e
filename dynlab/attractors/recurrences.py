"""Recurrences: how attractors are told from transients, and one orbit from another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dynlab.errors import SettingError
from dynlab.names import finite

__all__ = ["Recurrences"]


@dataclass(frozen=True, slots=True)
class Recurrences:
    """How attractors are found by recurrences on a grid of cells.

    An orbit is sampled at equal times.  It is recurrent when `returns` samples in a row are in cells that
    it has visited before; what it then does is watched until it no longer changes, and that is the
    attractor.  An orbit has reached an attractor when `hits` samples in a row are in cells of that one,
    and has escaped when `patience` samples in a row are outside of the grid.

    Parameters
    ----------
    cells
        Cells along each state, one number for all or a dict by name.  None takes 2048 for one state, 400
        for two, 128 for three, fewer for more.  Attractors closer together than a cell are told apart where they
        are points, periodic orbits or cycles, or lie between other states; see `find_attractors`.
    step
        Time between samples of a flow, in its unit of time.  None takes the period of a drive if the
        system has one, else about two steps of the method.
    returns, hits, patience
        See above.
    longest
        Samples after which an orbit is left undecided.

    Raises
    ------
    SettingError
        If a number makes no sense.

    Examples
    --------
    >>> import dynlab as dl
    >>> found = dl.find_attractors(
    ...     dl.zoo.cubic(r=1.5), within={"x": (-1.2, 1.2)}, seed=1,
    ...     recurrences=dl.Recurrences(cells=200),
    ... )
    >>> sorted(round(float(a["x"][0]), 6) for a in found)
    [-0.707107, 0.707107]

    References
    ----------
    Datseris and Wagemakers 2022, Chaos 32, 023104.
    """

    cells: int | Mapping[str, int] | None = None
    step: float | None = None
    returns: int = 60
    hits: int = 10
    patience: int = 200
    longest: int = 20_000

    def __post_init__(self) -> None:
        for name in ("returns", "hits", "patience", "longest"):
            given = getattr(self, name)
            number = finite(given, name)
            if number < 1 or number != int(number):
                raise SettingError(f"{name} is {given!r}; give a positive whole number of samples.")
            object.__setattr__(self, name, int(number))
        if self.step is not None and finite(self.step, "step") <= 0:
            raise SettingError(
                f"step is {self.step!r}; give a positive time, or None to have one chosen."
            )
        if self.cells is not None and not isinstance(self.cells, Mapping):
            number = finite(self.cells, "cells")
            if number < 1 or number != int(number):
                raise SettingError(f"cells is {self.cells!r}; give a positive whole number.")
            object.__setattr__(self, "cells", int(number))
