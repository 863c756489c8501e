"""Recording: a measured input as a piecewise polynomial.

Four interpolations, each through every recorded value:

===========  =====================================================  ======================  ==========
`Previous`   the value recorded last                                jumps                   error h
`Linear`     straight lines                                         continuous              error h^2
`Monotone`   cubics that do not overshoot (Fritsch and Butland)     slope continuous        error h^2, h^4
`Spline`     cubics, not-a-knot at the ends                         curvature continuous    error h^4
===========  =====================================================  ======================  ==========

Monotone cubics lose order at turning points only.

References
----------
1. Fritsch and Butland 1984, SIAM J. Sci. Stat. Comput. 5, 300 (scipy's PchipInterpolator).
2. de Boor, A Practical Guide to Splines, Springer 1978, chapter IV.
"""

from __future__ import annotations

import enum
import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlab.errors import SettingError

__all__ = ["Beyond", "Interpolation", "Linear", "Monotone", "Previous", "Recording", "Spline"]

Array = NDArray[np.float64]


class Interpolation(enum.Enum):
    """How values between the recorded ones are had."""

    PREVIOUS = "previous"
    LINEAR = "linear"
    MONOTONE = "monotone"
    SPLINE = "spline"


#: The value recorded last: a signal that changes in steps.
Previous = Interpolation.PREVIOUS
#: Straight lines.
Linear = Interpolation.LINEAR
#: Cubics that stay between neighbouring values.
Monotone = Interpolation.MONOTONE
#: The smoothest cubics; they may overshoot where the values jump.
Spline = Interpolation.SPLINE


class Beyond(enum.IntEnum):
    """What a signal is before its first and after its last recorded time."""

    REFUSED = 0
    HELD = 1
    REPEATED = 2


@dataclass(frozen=True, eq=False)
class Recording:
    """A recorded input: times, values, and what is between and beyond them.

    A run must stay within the recorded times, unless the recording is `held` or `repeated`.

    Parameters
    ----------
    times
        Rising, in the system's unit of time.  A run begins at t = 0; see `shifted`.
    values
        One for each time.
    interpolation
        `dynlab.Linear`, `dynlab.Previous`, `dynlab.Monotone` or `dynlab.Spline`.

    Raises
    ------
    SettingError
        If there are fewer than two times, they do not rise, the lengths differ, or a number is not finite.

    Examples
    --------
    >>> import numpy as np, dynlab as dl
    >>> ramp = dl.Recording([0, 1, 3], [0, 1, 0])
    >>> ramp([0.5, 2.0])
    array([0.5, 0.5])
    >>> dl.Recording([0, 1, 3], [0, 1, 0], interpolation=dl.Previous)(2.0)
    array(1.)
    """

    times: Array
    values: Array
    interpolation: Interpolation = Interpolation.LINEAR
    beyond: Beyond = Beyond.REFUSED

    def __post_init__(self) -> None:
        times, values = _column(self.times, "times"), _column(self.values, "values")
        if len(times) != len(values):
            raise SettingError(
                f"a recording has {len(times)} times and {len(values)} values. Give one value each."
            )
        if len(times) < 2:
            raise SettingError(
                f"a recording has {len(times)} times; two are the least. For a constant use a parameter."
            )
        flat = np.flatnonzero(np.diff(times) <= 0)
        if flat.size:
            at = int(flat[0])
            raise SettingError(
                f"the times of a recording do not rise: times[{at}] = {times[at]:g} is followed by "
                f"{times[at + 1]:g}. Sort them and leave repeated ones out."
            )
        if not isinstance(self.interpolation, Interpolation):
            raise SettingError(
                f"interpolation is {self.interpolation!r}; give dl.Linear, dl.Previous, dl.Monotone or "
                "dl.Spline."
            )
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "beyond", Beyond(self.beyond))
        if self.beyond is Beyond.REPEATED and self.interpolation is not Previous:
            self._check_closed()

    def _check_closed(self) -> None:
        first, last = float(self.values[0]), float(self.values[-1])
        if abs(first - last) > 1e-9 * float(np.ptp(self.values)):
            raise SettingError(
                f"a repeated recording begins with {first:g} and ends with {last:g}, so it would jump. "
                "Append the first value at the end of the period, or use dl.Previous."
            )

    def held(self) -> Recording:
        """Return the recording with its first value before it begins, and its last one afterwards."""
        return replace(self, beyond=Beyond.HELD)

    def repeated(self) -> Recording:
        """Return the recording as one period of a signal without end; its last value is its first."""
        return replace(self, beyond=Beyond.REPEATED)

    def shifted(self, by: float) -> Recording:
        """Return the recording later by a time, or earlier if that is negative."""
        return replace(self, times=self.times + float(by))

    def __call__(self, times: ArrayLike) -> Array:
        """Return the values at any times inside."""
        t = self._inside(np.asarray(times, dtype=float))
        row = np.clip(np.searchsorted(self.times, t, side="right") - 1, 0, len(self.times) - 2)
        s = t - self.times[row]
        found = np.zeros(t.shape)
        for power in range(self.pieces.shape[1] - 1, -1, -1):
            found = found * s + self.pieces[row, power]
        return np.asarray(found)

    def _inside(self, times: Array) -> Array:
        begin, end = float(self.times[0]), float(self.times[-1])
        if self.beyond is Beyond.REPEATED:
            return np.asarray(begin + np.mod(times - begin, end - begin))
        if self.beyond is Beyond.REFUSED and times.size:
            self.check_covers(float(np.min(times)), float(np.max(times)), "")
        return np.asarray(np.clip(times, begin, end))

    def check_covers(self, begin: float, end: float, name: str) -> None:
        """Raise SettingError unless the recording has values from one time to another.

        `name` is what the signal is called, for the message.
        """
        low, high = sorted((begin, end))
        first, last = float(self.times[0]), float(self.times[-1])
        room = 1e-9 * (last - first)
        if self.beyond is Beyond.REFUSED and not (first - room <= low and high <= last + room):
            raise SettingError(
                f"the signal {name!r} is needed from t = {low:g} to {high:g} and recorded from {first:g} "
                f"to {last:g}. Record longer, or say what is beyond: recording.held() keeps the "
                "outer values, recording.repeated() begins anew, recording.shifted(by) moves it."
            )

    @functools.cached_property
    def pieces(self) -> Array:
        """Coefficients of the piece that begins at each time but the last, in rising powers of the time."""
        from scipy.interpolate import CubicSpline, PchipInterpolator

        t, y = self.times, self.values
        if self.interpolation is Previous:
            return np.ascontiguousarray(y[:-1, None])
        if self.interpolation is Linear:
            return np.column_stack([y[:-1], np.diff(y) / np.diff(t)])
        if self.interpolation is Monotone:
            made = PchipInterpolator(t, y)
        elif self.beyond is Beyond.REPEATED:
            made = CubicSpline(t, np.append(y[:-1], y[0]), bc_type="periodic")
        else:
            made = CubicSpline(t, y)
        return np.ascontiguousarray(made.c[::-1].T)

    def kinks(self, begin: float, end: float) -> Array:
        """Return the times between two times where the signal or its slope jumps, rising."""
        low, high = sorted((begin, end))
        first, last = float(self.times[0]), float(self.times[-1])
        inner = self.interpolation in (Previous, Linear)
        knots = self.times if inner else self.times[[0, -1]]
        if self.beyond is Beyond.REPEATED:
            if self.interpolation is Spline:
                return np.empty(0)
            period = last - first
            turns = np.arange(
                np.floor((low - first) / period), np.ceil((high - first) / period) + 1
            )
            knots = (turns[:, None] * period + knots[:-1]).ravel()
        return knots[(knots >= low) & (knots <= high)]

    @functools.cached_property
    def digest(self) -> bytes:
        """Hash of everything here."""
        words = f"{self.interpolation.value} {int(self.beyond)}"
        return hashlib.sha256(
            words.encode() + self.times.tobytes() + self.values.tobytes()
        ).digest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recording) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        beyond = "" if self.beyond is Beyond.REFUSED else f", {self.beyond.name.lower()}"
        return (
            f"<Recording: {len(self.times)} values from t = {self.times[0]:g} to {self.times[-1]:g}, "
            f"{self.interpolation.value}{beyond}>"
        )

    def to_arrays(self) -> dict[str, Any]:
        """Return everything as named arrays, for files."""
        words = np.array([self.interpolation.value, self.beyond.name])
        return {"times": self.times, "values": self.values, "words": words}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Recording:
        """Rebuild a recording from what `to_arrays` gave; every part is checked again."""
        interpolation, beyond = (str(word) for word in arrays["words"])
        return cls(arrays["times"], arrays["values"], Interpolation(interpolation), Beyond[beyond])


def _column(numbers: Any, what: str) -> Array:
    try:
        column = np.array(numbers, dtype=float)
    except (TypeError, ValueError) as error:
        raise SettingError(
            f"the {what} of a recording are no numbers: {error}. Give a flat list of numbers."
        ) from None
    if column.ndim != 1:
        raise SettingError(
            f"the {what} of a recording have the shape {column.shape}; give a flat list. Several "
            "channels are several signals."
        )
    bad = np.flatnonzero(~np.isfinite(column))
    if bad.size:
        raise SettingError(
            f"{what}[{bad[0]}] of a recording is {column[bad[0]]}. Leave out what is missing; it is "
            "interpolated."
        )
    column.flags.writeable = False
    return column
