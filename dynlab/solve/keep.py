"""What is kept of an ensemble: all states, or summaries made while it runs.

The ensemble runs in pieces of a fixed number of members.  Each piece hands over its states at the
times asked for and forgets them; a `Keep` says what is left of them, so that memory is bounded by
that.  Pieces are put together in the order of their members, therefore a summary does not depend on
which thread ran which piece.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError
from dynlab.names import finite

__all__ = ["Extremes", "Histogram", "Keep", "Moments", "States"]

Array = NDArray[np.float64]
Arrays = dict[str, Array]


class Keep(abc.ABC):
    """What an ensemble keeps of its members' states.  To make another, write its two methods."""

    __slots__ = ()

    #: Names of states and observables; empty for all states.
    of: tuple[str, ...]

    @abc.abstractmethod
    def piece(self, values: Array) -> Arrays:
        """Return what is kept of some members.

        `values` are members x times x quantities, nan where a member did not get.
        """

    @abc.abstractmethod
    def joined(self, pieces: Sequence[Arrays]) -> Arrays:
        """Return what is kept of all members, from the pieces in order."""

    @abc.abstractmethod
    def view(
        self, kept: Arrays, column: int, members: tuple[int, ...], times: tuple[int, ...]
    ) -> Any:
        """Return what is kept of one quantity, for members and times of these shapes."""


def _checked_names(of: str | Sequence[str]) -> tuple[str, ...]:
    names = (of,) if isinstance(of, str) else tuple(of)
    if not all(isinstance(name, str) for name in names):
        raise SettingError(
            f"of is {of!r}; give names of states or observables, such as ('x', 'y')."
        )
    return names


@dataclass(frozen=True, slots=True)
class States(Keep):
    """Every state of every member at the times of the run; the default.

    ``run["x"]`` is an array over members and times, nan where a member did not get.

    Examples
    --------
    >>> import dynlab as dl
    >>> run = dl.ensemble(dl.zoo.lorenz, starts={"x": [1.0, 1.1, 1.2]}, duration=2, at=[0, 1, 2])
    >>> run["x"].shape
    (3, 3)
    """

    @property
    def of(self) -> tuple[str, ...]:  # type: ignore[override]
        return ()

    def piece(self, values: Array) -> Arrays:
        return {"values": values}

    def joined(self, pieces: Sequence[Arrays]) -> Arrays:
        return {"values": np.concatenate([piece["values"] for piece in pieces])}

    def view(
        self, kept: Arrays, column: int, members: tuple[int, ...], times: tuple[int, ...]
    ) -> Array:
        return np.ascontiguousarray(kept["values"][:, :, column]).reshape(members + times)


@dataclass(frozen=True, slots=True, eq=False)
class Average:
    """Mean and variance over members at each time, and of how many members.

    Attributes
    ----------
    count
        Members that got there.
    mean, variance
        Of these; the variance has the divisor count - 1.
    fourth
        The mean fourth power of the distance from the mean; nan in files from before it was kept.
    """

    count: Array
    mean: Array
    variance: Array
    fourth: Array

    @property
    def standard_deviation(self) -> Array:
        """The root of the variance."""
        return np.sqrt(self.variance)

    @property
    def standard_error(self) -> Array:
        """How far the mean may be from that of infinitely many members: one standard deviation."""
        return np.sqrt(self.variance / self.count)

    @property
    def variance_error(self) -> Array:
        """One standard deviation of the variance, from the fourth moment; nan with fewer than four members.

        ``(m4 - variance**2 (n - 3) / (n - 1)) / n`` is its square (Kenney and Keeping 1951, section 7.7).
        """
        n = np.where(self.count > 3, self.count, np.nan)
        square = (self.fourth - self.variance**2 * (n - 3) / (n - 1)) / n
        return np.asarray(np.sqrt(np.maximum(square, 0.0)))


@dataclass(frozen=True, slots=True)
class Moments(Keep):
    """Mean and variance over the members at the times of the run.

    ``run["x"]`` has ``mean`` with its ``standard_error``, ``variance`` with its ``variance_error``,
    ``standard_deviation`` and ``count``, each an array over times.  A member counts up to where it got.

    Parameters
    ----------
    of
        Names of states and observables; all states if empty.

    Examples
    --------
    >>> import dynlab as dl
    >>> import numpy as np
    >>> @dl.flow
    ... def decay(x=1.0, *, k=1.0):
    ...     return {x: -k * x}
    >>> rates = np.linspace(0, 2, 101)
    >>> run = dl.ensemble(decay, parameters={"k": rates}, duration=1, keep=dl.Moments())
    >>> bool(abs(run["x"].mean - np.exp(-rates).mean()) < 1e-10)
    True

    References
    ----------
    1. Chan, Golub and LeVeque 1979, Updating formulae and a pairwise algorithm for computing sample
       variances, Stanford report STAN-CS-79-773: how pieces are put together.
    2. Pebay 2008, Sandia report SAND2008-6212: the same for the higher moments.
    """

    of: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", _checked_names(self.of))

    def piece(self, values: Array) -> Arrays:
        there = np.isfinite(values)
        count = there.sum(axis=0).astype(float)
        mean = np.where(there, values, 0.0).sum(axis=0) / np.maximum(count, 1.0)
        apart = np.where(there, values - mean, 0.0)
        squares = apart**2
        return {
            "count": count, "mean": mean, "squares": squares.sum(axis=0), "cubes": (squares * apart).sum(axis=0),
            "fourths": (squares**2).sum(axis=0),
        }  # fmt: skip

    def joined(self, pieces: Sequence[Arrays]) -> Arrays:
        whole = pieces[0]
        for piece in pieces[1:]:
            whole = _together(whole, piece)
        return whole

    def view(
        self, kept: Arrays, column: int, members: tuple[int, ...], times: tuple[int, ...]
    ) -> Average:
        # Files written before the fourth moment was kept load without it.
        whole = {"fourths": np.full_like(kept["squares"], np.nan), **kept}
        count, mean, squares, fourths = (
            whole[n][:, column].reshape(times) for n in ("count", "mean", "squares", "fourths")
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = np.where(count > 1, squares / (count - 1), np.nan)
            fourth = np.where(count > 0, fourths / count, np.nan)
        return Average(count, np.where(count > 0, mean, np.nan), variance, fourth)


def _together(one: Arrays, two: Arrays) -> Arrays:
    """Return the sums of powers of the distance from the mean, of two pieces together (Pebay, eqs 2.1, 2.4 and 2.5)."""
    n = one["count"] + two["count"]
    a, b = one["count"] / np.maximum(n, 1.0), two["count"] / np.maximum(n, 1.0)
    apart = two["mean"] - one["mean"]
    each = n * a * b
    return {
        "count": n,
        "mean": one["mean"] + apart * b,
        "squares": one["squares"] + two["squares"] + apart**2 * each,
        "cubes": one["cubes"] + two["cubes"] + apart**3 * each * (a - b)
        + 3 * apart * (a * two["squares"] - b * one["squares"]),
        "fourths": one["fourths"] + two["fourths"] + apart**4 * each * (a**2 - a * b + b**2)
        + 6 * apart**2 * (a**2 * two["squares"] + b**2 * one["squares"])
        + 4 * apart * (a * two["cubes"] - b * one["cubes"]),
    }  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Range:
    """The smallest and the largest value of each member."""

    low: Array
    high: Array


@dataclass(frozen=True, slots=True)
class Extremes(Keep):
    """The smallest and largest value of each member over the times of the run.

    ``run["x"]`` has ``low`` and ``high``, each an array over members.  Between two times a maximum is
    missed by at most a step squared times the second derivative over 8.

    Parameters
    ----------
    of
        Names of states and observables; all states if empty.

    Examples
    --------
    >>> import dynlab as dl
    >>> import numpy as np
    >>> @dl.flow
    ... def oscillator(x=1.0, v=0.0):
    ...     return {x: v, v: -x}
    >>> run = dl.ensemble(oscillator, starts={"x": [1.0, 2.0]}, duration=7,
    ...                   at=np.linspace(0, 7, 1001), keep=dl.Extremes("x"))
    >>> run["x"].high
    array([1., 2.])
    """

    of: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", _checked_names(self.of))

    def piece(self, values: Array) -> Arrays:
        return {"low": np.fmin.reduce(values, axis=1), "high": np.fmax.reduce(values, axis=1)}

    def joined(self, pieces: Sequence[Arrays]) -> Arrays:
        return {name: np.concatenate([p[name] for p in pieces]) for name in ("low", "high")}

    def view(
        self, kept: Arrays, column: int, members: tuple[int, ...], times: tuple[int, ...]
    ) -> Range:
        return Range(*(kept[name][:, column].reshape(members) for name in ("low", "high")))


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """How many members are in each bin at each time.

    Attributes
    ----------
    edges
        The edges of the bins; a bin holds its lower edge, the last one both.
    counts
        Members, times x bins.
    below, above
        Members beyond the edges, at each time.
    """

    edges: Array
    counts: Array
    below: Array
    above: Array

    @property
    def density(self) -> Array:
        """The share of all members in each bin, over its width."""
        total = self.counts.sum(axis=-1) + self.below + self.above
        return np.asarray(self.counts / (np.maximum(total, 1.0)[..., None] * np.diff(self.edges)))

    def quantile(self, share: float) -> Array:
        """Return the value below which that share of the members is, to a bin width; nan if beyond."""
        reached = np.cumsum(self.counts, axis=-1) + self.below[..., None]
        total = reached[..., -1] + self.above
        reached = np.concatenate([self.below[..., None], reached], axis=-1)
        wanted = finite(share, "share") * total

        def one(row: Array, level: float) -> float:
            if not row[0] <= level <= row[-1] or row[-1] == row[0]:
                return float("nan")
            return float(np.interp(level, row, self.edges))

        rows = reached.reshape(-1, reached.shape[-1])
        found = [one(row, level) for row, level in zip(rows, np.ravel(wanted), strict=True)]
        return np.array(found).reshape(np.shape(wanted))


@dataclass(frozen=True, slots=True)
class Histogram(Keep):
    """How many members are where at the times of the run.

    ``run["x"]`` has ``edges``, ``counts``, ``density``, ``below``, ``above`` and ``quantile(share)``.

    Parameters
    ----------
    of
        The name of a state or observable.
    within
        Where the bins begin and end.
    bins
        How many.

    Raises
    ------
    SettingError
        If the ends do not rise, or there is not at least one bin.

    Examples
    --------
    >>> import dynlab as dl
    >>> import numpy as np
    >>> @dl.iterated_map
    ... def logistic(x=0.25, *, r=4.0):
    ...     return {x: r * x * (1 - x)}
    >>> run = dl.ensemble(logistic, starts={"x": np.linspace(0.1, 0.9, 10_001)}, duration=50,
    ...                   keep=dl.Histogram("x", within=(0, 1), bins=4))
    >>> int(run["x"].counts.sum())
    10001
    """

    of: tuple[str, ...]
    within: tuple[float, float]
    bins: int = 100

    def __post_init__(self) -> None:
        names = _checked_names(self.of)
        if len(names) != 1:
            raise SettingError(f"of is {self.of!r}; a histogram is of one state or observable.")
        object.__setattr__(self, "of", names)
        low, high = (finite(end, "an end of within") for end in self.within)
        if not low < high:
            raise SettingError(f"within is ({low:g}, {high:g}); give two numbers that rise.")
        object.__setattr__(self, "within", (low, high))
        number = finite(self.bins, "bins")
        if number < 1 or number != int(number):
            raise SettingError(f"bins is {self.bins!r}; give a positive whole number.")
        object.__setattr__(self, "bins", int(number))

    @property
    def edges(self) -> Array:
        """The edges of the bins."""
        return np.linspace(*self.within, self.bins + 1)

    def piece(self, values: Array) -> Arrays:
        edges, (low, high) = self.edges, self.within
        columns = values[:, :, 0].T
        counts = [np.histogram(column[np.isfinite(column)], edges)[0] for column in columns]
        return {
            "counts": np.array(counts, dtype=float).reshape(len(columns), self.bins),
            "below": (columns < low).sum(axis=1).astype(float),
            "above": (columns > high).sum(axis=1).astype(float),
        }

    def joined(self, pieces: Sequence[Arrays]) -> Arrays:
        names = ("counts", "below", "above")
        return {name: np.sum([piece[name] for piece in pieces], axis=0) for name in names}

    def view(
        self, kept: Arrays, column: int, members: tuple[int, ...], times: tuple[int, ...]
    ) -> Counts:
        return Counts(
            self.edges,
            kept["counts"].reshape((*times, self.bins)),
            kept["below"].reshape(times),
            kept["above"].reshape(times),
        )
