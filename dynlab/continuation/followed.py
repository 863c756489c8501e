"""What every continuation returns: a curve that was followed, why it ends, and what lies on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.points import Points
from dynlab.errors import SettingError
from dynlab.point import Point
from dynlab.result import Result
from dynlab.status import Status

__all__ = ["End", "Followed", "Marked"]


@dataclass(frozen=True, slots=True)
class End:
    """Where a branch ends and why."""

    status: Status
    value: float
    reason: str

    def __str__(self) -> str:
        return f"{self.status} at {self.value:.6g}: {self.reason}"


class Followed(Result):
    """A curve with two ends."""

    __slots__ = ()

    ends: tuple[End, End]

    @property
    def status(self) -> Status:
        """`Status.OK` if both ends ended as asked, else what went wrong."""
        wrong = [end.status for end in self.ends if not end.status.ok]
        return wrong[0] if wrong else Status.OK


class Marked(Followed):
    """A curve with special points on it."""

    __slots__ = ()

    special: tuple[tuple[int, Any], ...]

    #: The class of what could not be confirmed.
    doubtful: ClassVar[type[Point]]

    def points(self, kind: type[Any] | None = None) -> Points[Any]:
        """Return the special points in order, all confirmed ones or those of one class."""
        found = [p for _, p in self.special]
        if kind is not None and not isinstance(kind, type):
            raise SettingError(f"points() takes a class such as dl.Fold, not {kind!r}.")
        if kind is None:
            return Points(p for p in found if not isinstance(p, self.doubtful))
        return Points(p for p in found if isinstance(p, kind))

    @property
    def unconfirmed(self) -> Points[Any]:
        """Changes whose defining equations could not be solved."""
        return Points(p for _, p in self.special if isinstance(p, self.doubtful))

    def labels(self, count: int) -> NDArray[np.str_]:
        """Return the label of each of so many points along the curve, empty where there is none."""
        found = np.full(count, "", dtype="<U4")
        for position, point in self.special:
            found[position] = point.label
        return found
