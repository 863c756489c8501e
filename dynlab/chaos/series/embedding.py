"""Delay embedding: points in space from one quantity, with a delay and a dimension found from the data.

    y(t) = (x(t), x(t + delay), ..., x(t + (dimension - 1) delay))

Takens 1981 (Lect. Notes Math. 898, 366): for almost every observable this is one-to-one with the
attractor if the dimension exceeds twice that of the attractor.

The delay is where the mutual information of x(t) and x(t + delay) has its first minimum (Fraser and Swinney
1986, Phys. Rev. A 33, 1134), estimated from nearest neighbours after Kraskov, Stoegbauer and Grassberger (2004,
Phys. Rev. E 69, 066138, algorithm 1).  The values are first replaced by normal scores of their ranks, which changes
no mutual information and makes the estimate the same for every monotone function of x; ranks of equal
values are drawn at random, so rounded data is no special case.

The dimension is where Cao's E1 saturates (1997, Physica D 110, 43); E2 tells noise, for which it is 1.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import digamma, ndtri

from dynlab.chaos.scaling import jackknife_error
from dynlab.chaos.series.neighbours import nearest, spread
from dynlab.chaos.series.samples import FEWEST, Data, Samples, series_of, whole
from dynlab.errors import NotConverged, SettingError
from dynlab.names import finite
from dynlab.progress import tick
from dynlab.result import Provenance, Result
from dynlab.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "DelayEmbedding", "EmbeddingDimension", "MutualInformation", "delay_embedding",
    "embedding_dimension", "mutual_information",
]  # fmt: skip

Array = NDArray[np.float64]

#: Neighbours that the estimate of mutual information looks at: little bias at little scatter.
NEIGHBOURS = 4
MOST_PAIRS = 4000
MOST_LAGS = 100
BLOCKS = 20
MOST_POINTS = 2000
LARGEST_DIMENSION = 12
#: E1 has saturated where it is at least this and changes by no more than that.
SATURATED, CHANGE = 0.9, 0.05
#: E2 of noise differs from 1 by no more than this.
NOISE = 0.1


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MutualInformation(Result):
    """How much a value tells about a later one, in nats, against the lag.

    Attributes
    ----------
    lags
        Lags in time.
    values
        Mutual information at the lags.
    standard_errors
        Their standard errors.
    delay
        Where its first minimum is, or, if it only falls, where it is first no more than two standard errors;
        nan if there is neither.
    status
        `Status.UNDECIDED` if there is no such delay.
    provenance
        Where it came from.
    """

    lags: Array
    values: Array
    standard_errors: Array
    delay: float
    status: Status
    provenance: Provenance

    def to_table(self) -> dict[str, Array]:
        """Return lag, information and its error as columns."""
        return {"lag": self.lags, "information": self.values, "error": self.standard_errors}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the information against the lag, with the delay that it gives."""
        from dynlab import plotting

        return plotting.draw_estimates(
            ax, self.lags, {"": (self.values, self.standard_errors)}, mark=self.delay,
            labels=("lag", "mutual information (nats)"),
        )  # fmt: skip

    def __repr__(self) -> str:
        return (
            f"<mutual information at {len(self.lags)} lags up to {self.lags[-1]:g};\n"
            f" {self.status}, delay {self.delay:g}>"
        )


def mutual_information(
    data: Data, *, of: str | None = None, every: float | None = None, longest: float | None = None
) -> MutualInformation:
    """Return the mutual information of a quantity with itself a while later.

    Parameters
    ----------
    data
        A run, or an array with one value per time.
    of
        Which quantity of the run.
    every
        The time between two samples.
    longest
        The longest lag; 100 samples, at most a tenth of the series, if left out.

    Returns
    -------
    MutualInformation
        Values with errors, and the delay for an embedding.

    Raises
    ------
    SettingError
        If the data or the longest lag cannot be used.

    Examples
    --------
    >>> import dynlab as dl, numpy as np
    >>> wave = np.sin(0.05 * np.arange(3000)) + 0.05 * np.random.default_rng(0).normal(size=3000)
    >>> found = dl.mutual_information(wave)
    >>> abs(found.delay - np.pi / 2 / 0.05) < 5         # a quarter of the period
    True
    """
    began = time.perf_counter()
    samples, x = series_of(data, of=of, every=every)
    most = min(MOST_LAGS, len(x) // 10)
    if longest is not None:
        reach = finite(longest, "longest") / samples.every
        if not 1 <= reach <= len(x) / 2:
            raise SettingError(
                f"longest is {longest!r}; give a lag from {samples.every:g} to half the series, which is "
                f"{len(x) * samples.every / 2:g}."
            )
        most = int(reach * (1 + 1e-9))
    scores = _normal_scores(x)
    found, stopped = [], False
    for lag in range(1, most + 1):
        found.append(_information(scores, lag))
        stopped = not tick(lag, most, "mutual information")
        if stopped:
            break
    values, errors = np.array(found).T
    place = _first_minimum(values, errors)
    status = Status.STOPPED if stopped else Status.OK if place >= 0 else Status.UNDECIDED
    lags = np.asarray(samples.every * np.arange(1, len(values) + 1), float)
    return MutualInformation(
        lags, values, errors, float(lags[place]) if place >= 0 else np.nan, status,
        Provenance("mutual_information", samples.system, {"of": of, "every": samples.every},
                   seconds=time.perf_counter() - began),
    )  # fmt: skip


def _normal_scores(x: Array) -> Array:
    ties = np.random.default_rng(0).random(len(x))
    ranks = np.empty(len(x))
    ranks[np.lexsort((ties, x))] = np.arange(1, len(x) + 1)
    return np.asarray(ndtri(ranks / (len(x) + 1)))


def _information(x: Array, lag: int) -> tuple[float, float]:
    """Return the estimate for one lag, and its error from the means over blocks in time."""
    here = spread(len(x) - lag, MOST_PAIRS)
    pairs = np.column_stack([x[here], x[here + lag]])
    n = len(here)
    reach = cKDTree(pairs).query(pairs, k=NEIGHBOURS + 1, p=np.inf)[0][:, -1]
    local = np.full(n, digamma(NEIGHBOURS) + digamma(n))
    for column in pairs.T:
        ordered = np.sort(column)
        inside = np.searchsorted(ordered, column + reach, "left")
        inside -= np.searchsorted(ordered, column - reach, "right")
        local -= digamma(np.maximum(inside, 1))
    means = np.array([part.mean() for part in np.array_split(local, BLOCKS)])
    return float(local.mean()), float(means.std(ddof=1) / np.sqrt(BLOCKS))


def _first_minimum(values: Array, errors: Array) -> int:
    """Return the first lag after which the values rise by two errors, or the first without information."""
    lowest = 0
    for k in range(len(values)):
        if values[k] < values[lowest]:
            lowest = k
        if values[k] <= 2 * errors[k]:
            return k
        if values[k] - values[lowest] > 2 * np.hypot(errors[k], errors[lowest]):
            return lowest
    return -1


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EmbeddingDimension(Result):
    """Cao's test: in how many delayed coordinates neighbours stay neighbours.

    Attributes
    ----------
    dimensions
        1, 2, ...
    E1, standard_errors
        Cao's E1, which saturates where the attractor is unfolded, and its error.
    E2
        1 at every dimension for noise.
    value
        The first dimension at which E1 has saturated; 0 if there is none.
    delay
        In time.
    status
        `Status.UNDECIDED` if E1 does not saturate, or E2 does not tell the data from noise.
    provenance
        Where it came from.
    """

    dimensions: NDArray[np.int64]
    E1: Array
    standard_errors: Array
    E2: Array
    value: int
    delay: float
    status: Status
    provenance: Provenance

    def to_table(self) -> dict[str, NDArray[np.float64]]:
        """Return dimension, E1 with its error, and E2 as columns."""
        return {
            "dimension": self.dimensions.astype(float), "E1": self.E1,
            "error": self.standard_errors, "E2": self.E2,
        }  # fmt: skip

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw E1 and E2 against the dimension."""
        from dynlab import plotting

        zero = np.zeros_like(self.E2)
        return plotting.draw_estimates(
            ax, self.dimensions,
            {"$E_1$ (neighbours)": (self.E1, self.standard_errors), "$E_2$ (1 for noise)": (self.E2, zero)},
            mark=self.value or np.nan, labels=("dimension", "ratio of mean distances"),
        )  # fmt: skip

    def __repr__(self) -> str:
        return (
            f"<embedding dimension {self.value or 'none'} at delay {self.delay:g};\n"
            f" {self.status}, E1 {self.E1[max(self.value, 1) - 1]:.3f}>"
        )


def embedding_dimension(
    data: Data,
    *,
    of: str | None = None,
    every: float | None = None,
    delay: float | None = None,
    largest: int = LARGEST_DIMENSION,
) -> EmbeddingDimension:
    """Return how many delayed coordinates unfold the attractor, by Cao's test.

    Parameters
    ----------
    data, of, every
        As for `mutual_information`.
    delay
        In time; 1 for a run of a map, else that of `mutual_information`, if left out.
    largest
        The largest dimension looked at.

    Returns
    -------
    EmbeddingDimension
        The first dimension at which E1 is above 0.9 and the next E1 differs by less than 0.05, or by
        less than two standard errors.

    Raises
    ------
    SettingError
        If the data, the delay or `largest` cannot be used.
    NotConverged
        If no delay is given and none can be found.

    Examples
    --------
    >>> import dynlab as dl
    >>> run = dl.iterate(dl.zoo.henon, duration=3000)
    >>> dl.embedding_dimension(run, of="x", delay=1).value
    2
    """
    began = time.perf_counter()
    samples, x = series_of(data, of=of, every=every)
    top = whole(largest, "largest", least=2, most=50)
    step = _delay(samples, x, delay)
    _check_length(len(x), top + 2, step)
    window = samples.window(None)
    ratios = [_cao(x, d, step, window) for d in range(1, top + 3)]
    E, without, star = (np.array(part) for part in zip(*ratios, strict=True))
    E1, errors = E[1:] / E[:-1], jackknife_error((without[1:] / without[:-1]).T)
    E2 = star[1:] / star[:-1]
    steady = np.abs(np.diff(E1)) <= np.maximum(CHANGE, 2 * errors[:-1])
    found = np.flatnonzero((E1[:-1] >= SATURATED) & steady)
    value = int(found[0]) + 1 if len(found) else 0
    told = bool(np.any(np.abs(E2[:top] - 1) > NOISE))
    return EmbeddingDimension(
        np.arange(1, top + 1), E1[:top], errors[:top], E2[:top], value, step * samples.every,
        Status.OK if value and told else Status.UNDECIDED,
        Provenance("embedding_dimension", samples.system, {"of": of, "every": samples.every},
                   seconds=time.perf_counter() - began),
    )  # fmt: skip


def _cao(x: Array, dimension: int, step: int, window: int) -> tuple[float, Array, float]:
    """Return E(d), E(d) without each block, and E*(d)."""
    count = len(x) - dimension * step
    points = _embedded(x, dimension, step)[:count]
    here = spread(count, MOST_POINTS)
    places, distances = nearest(points, here, window=window, zero=False)
    met = places[:, 0] >= 0
    here, there, near = here[met], places[met, 0], distances[met, 0]
    if len(here) < 2 * BLOCKS:
        raise SettingError(
            f"only {len(here)} points of {count} have a neighbour that is not the same point; most values are "
            "equal. Take a series that moves, or give dimension=..."
        )
    newest = np.abs(x[here + dimension * step] - x[there + dimension * step])
    growth = np.maximum(newest, near) / near
    block = np.arange(len(growth)) * BLOCKS // len(growth)
    sums = np.bincount(block, growth, BLOCKS)
    counts = np.bincount(block, minlength=BLOCKS)
    without = (sums.sum() - sums) / (counts.sum() - counts)
    return float(growth.mean()), np.asarray(without), float(newest.mean())


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DelayEmbedding(Result):
    """Points in delayed coordinates; data for every analysis that takes points.

    Attributes
    ----------
    points
        One row per time, one column per delayed coordinate.
    delay
        In time.
    every
        The time between two rows.
    name
        The quantity that was embedded.
    unit
        Unit label of the time; empty if there is none.
    provenance
        Where it came from.
    """

    points: Array
    delay: float
    every: float
    name: str
    unit: str
    provenance: Provenance

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return int(self.points.shape[1])

    @property
    def status(self) -> Status:
        """`Status.OK`."""
        return Status.OK

    def as_samples(self) -> Samples:
        """Return the points for an analysis."""
        names = tuple(self.to_table())
        return Samples(self.points, self.every, names, self.unit, None)

    def to_table(self) -> dict[str, Array]:
        """Return the delayed coordinates as columns."""
        lags = self.delay * np.arange(self.dimension)
        names = [f"{self.name}(t + {lag:g})" if lag else f"{self.name}(t)" for lag in lags]
        return dict(zip(names, self.points.T, strict=True))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the second coordinate against the first."""
        from dynlab import plotting

        name = plotting.symbol(self.name)
        second = min(1, self.dimension - 1)
        labels = (f"${name}(t)$", f"${name}(t + {self.delay:g})$")
        return plotting.draw_cloud(ax, self.points[:, 0], self.points[:, second], labels=labels)

    def __repr__(self) -> str:
        return (
            f"<delay embedding of {self.name}: {len(self.points)} points in {self.dimension} coordinates;\n"
            f" delay {self.delay:g}, a point every {self.every:g}>"
        )


def delay_embedding(
    data: Data,
    *,
    of: str | None = None,
    every: float | None = None,
    dimension: int | None = None,
    delay: float | None = None,
) -> DelayEmbedding:
    """Return points in delayed coordinates of one quantity.

    Parameters
    ----------
    data, of, every
        As for `mutual_information`.
    dimension
        Number of coordinates; that of `embedding_dimension` if left out.
    delay
        In time; 1 for a run of a map, else that of `mutual_information`, if left out.

    Returns
    -------
    DelayEmbedding
        Data for `dynlab.correlation_dimension`, `dynlab.exponent_from_data` and the others.

    Raises
    ------
    SettingError
        If the data, the dimension or the delay cannot be used.
    NotConverged
        If a delay or dimension is left out and the data do not show one.

    Examples
    --------
    >>> import dynlab as dl
    >>> run = dl.integrate(dl.zoo.lorenz, duration=200).after(20)
    >>> dl.delay_embedding(run, of="x", every=0.05, dimension=3, delay=0.15).points.shape
    (3595, 3)
    """
    began = time.perf_counter()
    samples, x = series_of(data, of=of, every=every)
    step = _delay(samples, x, delay)
    if dimension is None:
        found = embedding_dimension(x, every=samples.every, delay=step * samples.every)
        if not found.status.ok:
            raise NotConverged(
                f"no dimension could be found for an embedding of {samples.label} with delay "
                f"{found.delay:g}: Cao's E1 does not saturate, or E2 does not tell the data from noise. Look at "
                "dl.embedding_dimension(...).plot(), and give dimension=...",
                status=found.status, partial=found,
            )  # fmt: skip
        dimension = found.value
    number = whole(dimension, "dimension", least=1, most=50)
    _check_length(len(x), number, step)
    points = _embedded(x, number, step)
    settings = {"of": of, "dimension": number, "delay": step * samples.every}
    return DelayEmbedding(
        points, step * samples.every, samples.every, samples.names[0], samples.unit,
        Provenance("delay_embedding", samples.system, settings, seconds=time.perf_counter() - began),
    )  # fmt: skip


def _embedded(x: Array, dimension: int, step: int) -> Array:
    count = len(x) - (dimension - 1) * step
    return np.column_stack([x[k * step : k * step + count] for k in range(dimension)])


def _delay(samples: Samples, x: Array, given: float | None) -> int:
    """Return the delay in samples."""
    if given is None and samples.system is not None and samples.system.is_discrete:
        return 1
    if given is None:
        found = mutual_information(x, every=samples.every)
        if not np.isfinite(found.delay):
            raise NotConverged(
                f"no delay could be found for {samples.label}: its mutual information has no minimum up to "
                f"a lag of {found.lags[-1]:g}. Look at dl.mutual_information(..., longest=...).plot(), and "
                "give delay=...",
                status=found.status, partial=found,
            )  # fmt: skip
        return round(found.delay / samples.every)
    steps = finite(given, "delay") / samples.every
    if steps < 1 or abs(steps - round(steps)) > 1e-6 * steps:
        raise SettingError(
            f"delay is {given!r}; give a whole multiple of the time between two samples, which is "
            f"{samples.every:g}."
        )
    return round(steps)


def _check_length(length: int, dimension: int, step: int) -> None:
    if length - (dimension - 1) * step < FEWEST:
        raise SettingError(
            f"{length} samples are too few for {dimension} coordinates {step} samples apart: fewer than "
            f"{FEWEST} points would be left. Take a longer series, a smaller dimension or a shorter delay."
        )
