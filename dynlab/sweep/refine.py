"""AtBoundaries: a grid that is fine only where the class of the answer changes.

The points of the grid are the corners of boxes.  Where the corners of a box differ in class, the box is halved in every
direction and all points of the finer boxes are computed; if a new point on its border differs from a neighbour that looked
uniform, the neighbour is halved as well.  So a boundary that the first grid sees is followed wherever it leads, at a cost that
grows with its length, not with the area.  A region that lies between the points of the first grid is not seen.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError
from dynlab.sweep.axis import Axis, checked_count
from dynlab.sweep.gather import DONE, FAILED, MISSING, Gathered

__all__ = ["AtBoundaries", "Lattice", "finer"]

Numbers = NDArray[np.int64]

UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class AtBoundaries:
    """Refine a grid where the class of the answer changes.

    Every axis of numbers that are not whole is refined; along the others (whole numbers, texts, replicates) each value
    is a picture of its own.  Points that are not computed lie in boxes whose corners all agree: they are given the answer of
    a corner and the state ``inferred``.  Inside boxes whose corners all failed they stay missing.

    Parameters
    ----------
    levels
        How often boxes are halved.
    by
        What the class of an answer is; the answer itself if None, which must then be a text, a truth value or a
        whole number.

    Raises
    ------
    SettingError
        If the number of levels is no positive whole number.

    Examples
    --------
    >>> import dynlab as dl, numpy as np
    >>> def inside(x, y):
    ...     return x * x + y * y < 1
    >>> study = dl.Sweep(x=np.linspace(-1.5, 1.5, 9), y=np.linspace(-1.5, 1.5, 9))
    >>> disc = study.run(inside, refine=dl.AtBoundaries(levels=3))
    >>> disc.study.shape, int((disc.states == 1).sum()) < 65 * 65 // 3
    ((65, 65), True)
    """

    levels: int
    by: Callable[[Any], Any] | None = None

    def __post_init__(self) -> None:
        checked_count(self.levels, "the number of levels")


def finer(axes: Iterable[Axis], refine: AtBoundaries) -> tuple[list[Axis], list[bool]]:
    """Return the axes of the finest grid, and which of them are refined."""
    fine, refined = [], []
    for axis in axes:
        column: Any = next(iter(axis.columns.values()))
        is_refined = len(axis.columns) == 1 and len(axis) > 1 and _is_real(column)
        refined.append(is_refined)
        fine.append(
            Axis({next(iter(axis.columns)): _halved(column, refine.levels)}) if is_refined else axis
        )
    if not any(refined):
        raise SettingError(
            "no axis of the study can be refined. Give one with numbers such as np.linspace(0, 1, 11)."
        )
    return fine, refined


def _is_real(column: Any) -> bool:
    return isinstance(column, np.ndarray) and column.dtype.kind == "f"


def _halved(values: NDArray[Any], levels: int) -> NDArray[np.float64]:
    """Return values with those half way between neighbours, over and over."""
    for _ in range(levels):
        middle = 0.5 * (values[1:] + values[:-1])
        values = np.insert(values, np.arange(1, values.size), middle)
    return values


@dataclass(frozen=True, slots=True)
class Lattice:
    """The finest grid, and the coarser ones inside it.

    Attributes
    ----------
    shape
        How many points along each axis.
    refined
        Which axes are refined.
    refine
        How often, and what a class is.
    """

    shape: tuple[int, ...]
    refined: list[bool]
    refine: AtBoundaries

    def points(self, level: int, gathered: Gathered) -> Numbers:
        """Return the points to compute next: of the first grid, or of the boxes that a boundary crosses."""
        numbers = self._numbers(level)
        if level == 0:
            return numbers.ravel()
        classes = _classes(gathered, self.refine)
        like = self._like(level, classes)
        known = np.where(like < 0, UNKNOWN, classes[np.maximum(like, 0)])
        crossed = self._crossed(known)
        wanted = np.zeros(numbers.shape, np.bool_)
        for part in self._parts(numbers.shape):
            wanted[part] |= crossed
        return np.asarray(numbers[wanted & (classes[numbers] == UNKNOWN)])

    def fill(self, gathered: Gathered) -> None:
        """Give the points that were not computed the answers of a corner of their box."""
        like = self._filled(self.refine.levels, _classes(gathered, self.refine)).ravel()
        for point in np.flatnonzero(gathered.states == MISSING).tolist():
            if gathered.states[like[point]] == DONE:
                gathered.infer(point, int(like[point]))

    def _numbers(self, level: int) -> Numbers:
        """Return the numbers of the points of a grid."""
        step = 1 << (self.refine.levels - level)
        every = tuple(slice(None, None, step) if r else slice(None) for r in self.refined)
        return np.arange(math.prod(self.shape)).reshape(self.shape)[every]

    def _like(self, level: int, classes: Numbers) -> Numbers:
        """Return for each point of a grid the computed point that it is like; -1 if its box is open yet."""
        numbers = self._numbers(level)
        like = np.full(numbers.shape, UNKNOWN)
        if level > 0:
            like[self._corners] = self._filled(level - 1, classes)
        return np.where(classes[numbers] == UNKNOWN, like, numbers)

    def _filled(self, level: int, classes: Numbers) -> Numbers:
        """Return the same with open points like a corner of their box."""
        like = self._like(level, classes)
        if level > 0:
            corner = like[self._corners][
                tuple(slice(None, -1) if r else slice(None) for r in self.refined)
            ]
            for part in self._parts(like.shape):
                like[part] = np.where(like[part] < 0, corner, like[part])
        return like

    @property
    def _corners(self) -> tuple[slice, ...]:
        """The points of a grid that are those of the next coarser one."""
        return tuple(slice(None, None, 2) if r else slice(None) for r in self.refined)

    def _parts(self, shape: tuple[int, ...]) -> Iterable[tuple[slice, ...]]:
        """Yield where a point of all boxes is: three along each refined axis."""
        along = [
            [slice(k, n - 2 + k, 2) for k in range(3)] if r else [slice(None)]
            for n, r in zip(shape, self.refined, strict=True)
        ]
        return itertools.product(*along)

    def _crossed(self, classes: Numbers) -> NDArray[np.bool_]:
        """Return which boxes hold points of different classes."""
        parts = [classes[part] for part in self._parts(classes.shape)]
        most = np.max(parts, axis=0)
        least = np.min([np.where(part == UNKNOWN, most, part) for part in parts], axis=0)
        return np.asarray(least < most)


def _classes(gathered: Gathered, refine: AtBoundaries) -> Numbers:
    """Return a number for the class of each point: 0 where it failed, UNKNOWN where it is not computed."""
    numbers: dict[Any, int] = {}
    classes = np.full(gathered.states.size, UNKNOWN)
    classes[gathered.states == FAILED] = 0
    for point in np.flatnonzero(gathered.states == DONE).tolist():
        answer = gathered.at(point)
        kind = refine.by(answer) if refine.by is not None else answer
        if not isinstance(kind, str | bool | int | np.bool_):
            raise SettingError(
                f"the class of an answer is {kind!r}, which is no text, truth value or whole number. Say what it is: "
                "dl.AtBoundaries(levels=..., by=lambda answer: answer > 0)."
            )
        classes[point] = numbers.setdefault(kind, len(numbers) + 1)
    return classes
