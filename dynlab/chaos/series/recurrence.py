"""Recurrence quantification: when a system comes back near to where it was, and for how long it stays there.

Points at times i and j recur if they are within a radius in the largest coordinate difference.  In the plane of
i and j recurrences form lines: diagonal ones where two stretches of the orbit run beside each other, vertical ones
where it rests.  The measures are those of Marwan, Romano, Thiel and Kurths 2007 (Phys. Rep. 438, 237, eqs 40-59).

The plot is never stored: lines are counted along each diagonal and each column, so memory grows with the length of
the series and only time with its square.  Errors are those of the jackknife over stretches of the series.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.scaling import Estimate, jackknife_error
from dynlab.chaos.series.neighbours import spread
from dynlab.chaos.series.samples import Data, samples_of, whole
from dynlab.errors import SettingError
from dynlab.kernels import recurrence_lines as kernel
from dynlab.names import finite
from dynlab.progress import tick
from dynlab.result import Provenance, Result
from dynlab.solve.threads import on_threads
from dynlab.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RecurrenceQuantification", "recurrence_quantification"]

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

BLOCKS = 20
#: Both ends of a pair vary, and a block holds one.
BOTH_ENDS = 2.0
MOST_DRAWN = 600
#: A radius for a given rate comes from so many pairs of points.
_PAIRS = 1500
_AT_A_TIME = 32


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RecurrenceQuantification(Result):
    """Measures of a recurrence plot, each with its standard error.

    Attributes
    ----------
    points
        The points, one row per time.
    every
        The time between two rows.
    radius
        Points within this recur.
    window
        Pairs in time up to this, in samples, are left out.
    shortest
        Lines count from this length on, in samples.
    diagonals, verticals
        How many lines of each length there are (columns), for each of 20 stretches of the series (rows).
        Every line counts twice: in the stretches of the two times at which it begins.
    status
        How it ended.
    provenance
        Where it came from.
    """

    points: Array
    every: float
    radius: float
    window: int
    shortest: int
    diagonals: Counts
    verticals: Counts
    status: Status
    provenance: Provenance

    @property
    def rate(self) -> Estimate:
        """Share of all pairs that recur (RR); nan if the count was stopped."""
        if not self.status.ok:
            return Estimate(np.nan, np.nan)
        n, w = len(self.points), self.window
        pairs = np.array([
            part.size * n - np.sum(np.minimum(part + w + 1, n) - np.maximum(part - w, 0))
            for part in np.array_split(np.arange(n), BLOCKS)
        ])  # fmt: skip
        recurring = self.verticals @ np.arange(self.verticals.shape[1])
        value = recurring.sum() / (2 * pairs.sum())
        left = (recurring.sum() - recurring) / (2 * (pairs.sum() - pairs))
        return Estimate(float(value), float(jackknife_error(left[:, None], BOTH_ENDS)[0]))

    @property
    def determinism(self) -> Estimate:
        """Share of recurrences in diagonal lines (DET)."""
        return self._measure(self.diagonals, self._share)

    @property
    def mean_diagonal(self) -> Estimate:
        """Mean length of diagonal lines, in samples (L)."""
        return self._measure(self.diagonals, self._mean)

    @property
    def longest_diagonal(self) -> int:
        """Length of the longest diagonal line, in samples (Lmax)."""
        return self._longest(self.diagonals)

    @property
    def diagonal_entropy(self) -> Estimate:
        """Entropy of the lengths of diagonal lines, in nats (ENTR)."""
        return self._measure(self.diagonals, self._entropy)

    @property
    def laminarity(self) -> Estimate:
        """Share of recurrences in vertical lines (LAM)."""
        return self._measure(self.verticals, self._share)

    @property
    def trapping_time(self) -> Estimate:
        """Mean length of vertical lines, in samples (TT)."""
        return self._measure(self.verticals, self._mean)

    @property
    def longest_vertical(self) -> int:
        """Length of the longest vertical line, in samples (Vmax)."""
        return self._longest(self.verticals)

    @property
    def vertical_entropy(self) -> Estimate:
        """Entropy of the lengths of vertical lines, in nats."""
        return self._measure(self.verticals, self._entropy)

    def _measure(self, counts: Counts, of: Callable[[Array], float]) -> Estimate:
        whole_counts = counts.sum(axis=0).astype(float)
        value = of(whole_counts)
        if not np.isfinite(value):
            return Estimate(np.nan, np.nan)
        left = np.array([of(whole_counts - one) for one in counts])
        if not np.isfinite(left).all():
            return Estimate(value, np.inf)  # all lines begin in one stretch
        return Estimate(value, float(jackknife_error(left[:, None], BOTH_ENDS)[0]))

    def _share(self, counts: Array) -> float:
        points = counts * np.arange(len(counts))
        return float(points[self.shortest :].sum() / points.sum()) if points.any() else np.nan

    def _mean(self, counts: Array) -> float:
        lines = counts[self.shortest :]
        lengths = np.arange(self.shortest, len(counts))
        return float(lines @ lengths / lines.sum()) if lines.any() else np.nan

    def _entropy(self, counts: Array) -> float:
        lines = counts[self.shortest :]
        shares = lines[lines > 0] / lines.sum() if lines.any() else np.array([np.nan])
        return float(-np.sum(shares * np.log(shares)))

    def _longest(self, counts: Counts) -> int:
        lengths = np.flatnonzero(counts.sum(axis=0))
        return int(lengths[-1]) if len(lengths) else 0

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return the measures with their errors as columns."""
        names = (
            "rate", "determinism", "mean_diagonal", "diagonal_entropy", "laminarity", "trapping_time",
            "vertical_entropy",
        )  # fmt: skip
        found: list[Estimate] = [getattr(self, name) for name in names]
        return {
            "measure": np.array(names),
            "value": np.array([estimate.value for estimate in found]),
            "error": np.array([estimate.standard_error for estimate in found]),
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the recurrence plot; of a long series each pixel shows how many of its pairs recur."""
        from dynlab import plotting

        n = len(self.points)
        side = min(n, MOST_DRAWN)
        pixels = np.arange(n) * side // n
        out = np.zeros((side, side))
        kernel.draw_plot(
            np.ascontiguousarray(self.points.T), 0, n, self.radius, pixels, np.empty(n), out
        )
        sizes = np.bincount(pixels)
        shares = out / np.outer(sizes, sizes)
        return plotting.draw_recurrences(ax, shares, n * self.every, label=plotting.label("t"))

    def __repr__(self) -> str:
        return (
            f"<recurrence of {len(self.points)} points within {self.radius:.4g}: rate {self.rate};\n"
            f" determinism {self.determinism}, laminarity {self.laminarity}; {self.status}>"
        )


def recurrence_quantification(
    data: Data,
    *,
    of: str | Sequence[str] | None = None,
    every: float | None = None,
    radius: float | None = None,
    window: float = 0.0,
    shortest: int = 2,
) -> RecurrenceQuantification:
    """Return the measures of the recurrence plot of a run, an embedding or an array.

    Parameters
    ----------
    data
        A run, an embedding, or an array with one row per time.
    of, every
        As for `dynlab.correlation_dimension`; several states are taken in units of their standard deviation.
    radius
        Points recur within this distance; so large that one pair in twenty recurs, if left out.
    window
        Pairs up to this far apart in time are left out; 0 leaves out only each point with itself.
    shortest
        Lines count from this length on, in samples.

    Returns
    -------
    RecurrenceQuantification
        Rate, determinism, laminarity, mean lengths and entropies with errors; ``plot()`` draws the plot.

    Raises
    ------
    SettingError
        If the data, the radius, the window or the shortest line cannot be used.

    Examples
    --------
    >>> import dynlab as dl
    >>> run = dl.iterate(dl.zoo.logistic(r=3.5), duration=1000).after(600)     # period 4
    >>> found = dl.recurrence_quantification(run, radius=0.01)
    >>> found.rate.value > 0.24, found.determinism.value
    (True, 1.0)
    """
    began = time.perf_counter()
    samples = samples_of(data, of=of, every=every)
    scaled = samples.system is not None and samples.values.shape[1] > 1
    points = samples.standardised if scaled else samples.values
    least = whole(shortest, "shortest", least=2, most=len(points))
    gap = samples.window(window)
    size = _radius_of_rate(points, gap) if radius is None else finite(radius, "radius")
    if size == 0 and radius is None:
        raise SettingError(
            f"more than one pair in twenty of {samples.label} is equal, so no radius makes one in twenty recur. "
            "Give radius=..., of rounded data half a step of the rounding."
        )
    if size <= 0:
        raise SettingError(
            f"the radius is {size!r}, and points must be nearer than that to recur. Give a number above "
            "0, about a tenth of the spread of the data."
        )
    diagonals, verticals, status = _lines(np.ascontiguousarray(points.T), gap, size, least)
    settings = {"of": of, "every": samples.every, "radius": radius, "window": window}
    return RecurrenceQuantification(
        np.ascontiguousarray(points), samples.every, size, gap, least, _trimmed(diagonals),
        _trimmed(verticals), status,
        Provenance("recurrence_quantification", samples.system, settings,
                   seconds=time.perf_counter() - began),
    )  # fmt: skip


#: One pair in twenty recurs where no radius is given.
RATE = 0.05


def _radius_of_rate(points: Array, window: int) -> float:
    here = spread(len(points), _PAIRS)
    distances = np.abs(points[here, None, 0] - points[None, here, 0])
    for column in points.T[1:]:
        np.maximum(distances, np.abs(column[here, None] - column[None, here]), out=distances)
    apart = np.abs(here[:, None] - here[None, :]) > window
    return float(np.quantile(distances[apart], RATE))


def _lines(
    columns: Array, window: int, radius: float, shortest: int
) -> tuple[Counts, Counts, Status]:
    """Return lines by block and length; diagonals and columns are shared out in pieces of equal work.

    The diagonals in the corner of the plot that are too short to hold a line are left out.
    """
    n = columns.shape[1]
    longest_lag = n - shortest + 1
    blocks = np.arange(n) * BLOCKS // n
    pieces: list[Callable[[], None]] = []
    found: list[tuple[Counts, Counts]] = []
    done = [0.0]

    def count(number: int, of: int) -> None:
        diagonals, verticals = found[number]
        distances = np.empty(n)
        for first in range(number * _AT_A_TIME, n, of * _AT_A_TIME):
            last = min(first + _AT_A_TIME, n)
            kernel.count_diagonals(
                columns,
                max(first, window + 1),
                min(last, longest_lag),
                radius,
                blocks,
                distances,
                diagonals,
            )
            kernel.count_verticals(
                columns, first, last, window, radius, blocks, distances, verticals
            )
            done[0] += last - first
            if not tick(0.0, 1.0):
                return

    for number in range(_PIECES):
        shape = (BLOCKS, n + 1)
        found.append((np.zeros(shape, np.int64), np.zeros(shape, np.int64)))
        pieces.append(partial(count, number, _PIECES))
    status = on_threads(pieces, lambda: done[0], n, "recurrences")
    return sum(d for d, _ in found), sum(v for _, v in found), status  # type: ignore[return-value]


#: Pieces of work; each holds counts of its own.
_PIECES = 4


def _trimmed(counts: Counts) -> Counts:
    lengths = np.flatnonzero(counts.sum(axis=0))
    return np.ascontiguousarray(counts[:, : (int(lengths[-1]) if len(lengths) else 0) + 1])
