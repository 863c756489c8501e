"""Largest Lyapunov exponent of a series: how fast neighbouring stretches of it come apart.

For each point, neighbours that are not near in time are followed.  The mean logarithm of their distance grows
with slope lambda, after a while in which differences turn into the fastest direction and before they are as
large as the attractor.  The range of the fit is chosen by the rule of `dynlab.chaos.scaling`, from the part of the
curve that stays below the mean log distance of unrelated points by at least `BELOW`.

`Rosenstein` follows the nearest neighbour, `Kantz` all neighbours in a ball.  Both take whole points in the
largest coordinate difference, where Kantz looked at the newest coordinate: the slope is the same.

What makes it fail: noise hides the growth below its size; a periodic series has no growth at all; too few
neighbours leave no straight part, and then there is no number.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.scaling import Scaling, longest_scaling
from dynlab.chaos.series.neighbours import nearest, spread
from dynlab.chaos.series.samples import Data, samples_of
from dynlab.errors import SettingError
from dynlab.kernels import divergence
from dynlab.names import finite
from dynlab.progress import tick
from dynlab.result import Provenance, Result
from dynlab.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["DivergenceExponent", "Kantz", "Rosenstein", "exponent_from_data"]

Array = NDArray[np.float64]
Places = NDArray[np.int64]

#: The curve is used up to this far below the mean log distance of unrelated points.
BELOW = 1.5
#: A straight part covers at least this share of the usable curve.
SHARE = 1 / 3
#: A curve that leaves the line by less than this is straight: what keeps neighbours together has slope 0.
FLAT = 0.05
MOST_REFERENCES = 4000
BLOCKS = 20
#: Samples that neighbours are followed for at first; doubled until they are as far apart as any.
FIRST_LENGTH = 32
#: The ball of Kantz is so large that half of the points have at least so many neighbours; points with
#: fewer than FEWEST do not count.
IN_BALL, FEWEST = 10, 3
_AT_A_TIME = 16


@dataclass(frozen=True, slots=True)
class Rosenstein:
    """Follow the nearest neighbour of each point (Rosenstein, Collins and De Luca 1993, Physica D 65, 117)."""


@dataclass(frozen=True, slots=True)
class Kantz:
    """Follow all neighbours in a ball about each point (Kantz 1994, Phys. Lett. A 185, 77).

    Parameters
    ----------
    radius
        Of the ball; chosen so that half of the points have 10 neighbours if left out.
    """

    radius: float | None = None

    def __post_init__(self) -> None:
        if self.radius is not None and not finite(self.radius, "radius") > 0:
            raise SettingError(f"the radius of Kantz is {self.radius!r}; give a number above 0.")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DivergenceExponent(Result):
    """The largest Lyapunov exponent seen in data, with the curve whose slope it is.

    Attributes
    ----------
    times
        Times after the start.
    log_distances
        Mean logarithm of the distance of neighbours.
    unrelated
        Mean logarithm of the distance of unrelated points, which the curve tends to.
    scaling
        The straight part; None if there is none.
    neighbours
        How many pairs were followed.
    window
        Neighbours in time up to this were left out.
    unit
        Unit label of the time.
    status
        `Status.NO_SCALING_RANGE` if no straight part was found.
    provenance
        Where it came from.
    """

    times: Array
    log_distances: Array
    unrelated: float
    scaling: Scaling | None
    neighbours: int
    window: float
    unit: str
    status: Status
    provenance: Provenance

    @property
    def value(self) -> float:
        """The exponent, per unit of time; nan without a straight part."""
        return self.scaling.slope if self.scaling else np.nan

    @property
    def standard_error(self) -> float:
        """Statistical and systematic error, added in squares; nan without a straight part."""
        return self.scaling.standard_error if self.scaling else np.nan

    @property
    def scaling_range(self) -> tuple[float, float]:
        """First and last time of the straight part."""
        return (self.scaling.low, self.scaling.high) if self.scaling else (np.nan, np.nan)

    def to_table(self) -> dict[str, Array]:
        """Return time and mean log distance as columns."""
        return {"t": self.times, "log_distance": self.log_distances}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the curve, its straight part and the level of unrelated points."""
        from dynlab import plotting

        label = rf"$\lambda$ = {self.value:.4g} $\pm$ {self.standard_error:.2g}"
        fit = self.scaling
        return plotting.draw_straight_part(
            ax, (self.times, self.log_distances),
            (fit.slope, fit.intercept, fit.low, fit.high) if fit else None, level=self.unrelated,
            labels=(plotting.label("t", self.unit), "mean log distance of neighbours", label),
        )  # fmt: skip

    def __repr__(self) -> str:
        if not self.scaling:
            return f"<exponent from {self.neighbours} pairs of neighbours: none;\n {self.status}>"
        low, high = self.scaling_range
        return (
            f"<exponent {self.value:.5g} +- {self.standard_error:.2g} from {self.neighbours} pairs of "
            f"neighbours;\n straight from t = {low:g} to {high:g}>"
        )


def exponent_from_data(
    data: Data,
    *,
    of: str | Sequence[str] | None = None,
    every: float | None = None,
    window: float | None = None,
    method: Rosenstein | Kantz | None = None,
) -> DivergenceExponent:
    """Return the largest Lyapunov exponent from how neighbouring points of a series come apart.

    For a system that is written down use `dynlab.lyapunov_exponent`, which is exact where this is an estimate.

    Parameters
    ----------
    data
        An embedding (`dynlab.delay_embedding`), a run, or an array with one row per time and one column
        per coordinate.  One quantity of a flow must be embedded first.
    of, every
        As for `dynlab.correlation_dimension`.
    window
        Neighbours in time up to this are left out; four correlation times if left out.
    method
        ``dl.Rosenstein()``, the default, or ``dl.Kantz(radius=...)``.

    Returns
    -------
    DivergenceExponent
        With the range of times of the fit, and its error.

    Raises
    ------
    SettingError
        If the data, the window or the method cannot be used.

    Examples
    --------
    >>> import dynlab as dl
    >>> run = dl.iterate(dl.zoo.henon, duration=5000)
    >>> found = dl.exponent_from_data(run)
    >>> abs(found.value - 0.4192) < 3 * found.standard_error
    True
    """
    began = time.perf_counter()
    method = method or Rosenstein()
    if not isinstance(method, Rosenstein | Kantz):
        raise SettingError(f"method is {method!r}; give dl.Rosenstein() or dl.Kantz(radius=...).")
    samples = samples_of(data, of=of, every=every)
    gap = samples.window(window)
    points = samples.standardised if samples.system is not None else samples.values
    half = len(points) // 2
    apart = np.abs(points[:half] - points[half : 2 * half]).max(axis=1)
    unrelated = float(np.mean(np.log(apart[apart > 0]))) if apart.any() else np.nan
    length, most = FIRST_LENGTH, max(len(points) // 10, 8)
    while True:
        length = min(length, most)
        sums, counts, stopped = _followed(np.ascontiguousarray(points), gap, length, method)
        if stopped or length == most or not counts.any() or _reached(sums, counts, unrelated):
            break
        length *= 2
    t = np.asarray(samples.every * np.arange(length), float)
    curve, without = _means(sums, counts)
    scaling = None if stopped else _growth(t, curve, without, unrelated)
    status = Status.OK if scaling else Status.NO_SCALING_RANGE
    settings = {"of": of, "every": samples.every, "window": gap * samples.every, "method": method}
    return DivergenceExponent(
        t, curve, unrelated, scaling, int(counts[:, 0].sum()), gap * samples.every, samples.unit,
        Status.STOPPED if stopped else status,
        Provenance("exponent_from_data", samples.system, settings,
                   seconds=time.perf_counter() - began),
    )  # fmt: skip


def _followed(
    points: Array, window: int, length: int, method: Rosenstein | Kantz
) -> tuple[Array, NDArray[np.int64], bool]:
    """Return sums of log distances and their numbers, one row per block, and whether it was stopped."""
    last = len(points) - length
    here = spread(last, MOST_REFERENCES)
    block = np.arange(len(here)) * BLOCKS // len(here)
    sums, counts = np.zeros((BLOCKS, length)), np.zeros((BLOCKS, length), np.int64)
    columns = np.ascontiguousarray(points.T)
    if isinstance(method, Rosenstein):
        there = nearest(points[:last], here, window=window, zero=False)[0][:, 0]
        met = there >= 0
        divergence.follow_pairs(columns, here[met], there[met], block[met], sums, counts)
        return sums, counts, False
    radius = method.radius or _radius(points[:last], window)
    distances, means = np.empty(last), np.empty(length)
    for k, point in enumerate(here):
        divergence.follow_ball(
            columns, point, window, last, radius, FEWEST, distances, means, sums[block[k]],
            counts[block[k]],
        )  # fmt: skip
        if k % _AT_A_TIME == 0 and not tick(k, len(here), "divergence of neighbours"):
            return sums, counts, True
    return sums, counts, False


def _radius(points: Array, window: int) -> float:
    here = spread(len(points), 200)
    return float(np.median(nearest(points, here, window=window, count=IN_BALL)[1][:, -1]))


def _means(sums: Array, counts: NDArray[np.int64]) -> tuple[Array, Array]:
    """Return the mean curve, and that without each block."""
    with np.errstate(invalid="ignore", divide="ignore"):
        curve = sums.sum(0) / counts.sum(0)
        without = (sums.sum(0) - sums) / (counts.sum(0) - counts)
    return curve, without


def _reached(sums: Array, counts: NDArray[np.int64], unrelated: float) -> bool:
    curve, _ = _means(sums, counts)
    return bool(np.nanmax(curve) > unrelated - BELOW)


def _growth(t: Array, curve: Array, without: Array, unrelated: float) -> Scaling | None:
    """Return the straight part of the curve before distances are those of unrelated points."""
    usable = (curve <= unrelated - BELOW) & np.isfinite(without).all(axis=0)
    end = len(t) if usable.all() else int(np.argmin(usable))
    if end < 2:
        return None
    least = SHARE * (t[end - 1] - t[0])
    return longest_scaling(
        t[:end],
        curve[:end],
        without[:, :end],
        least=least,
        inflation=float(np.sqrt(2.0)),
        flat=FLAT,
    )
