"""capacity: how many random patterns a network holds, by trials, and what that tends to for many neurons.

The capacity of N neurons is the load at which half of the trials end with an overlap above 0.9.

It depends on N and on the criterion: about 0.163 at N = 1000, 0.152 at N = 4000.  Recall ends at 0.1379 in the replica
symmetric theory, and simulations of large networks have found 0.141 to 0.145 (Amit, Gutfreund and Sompolinsky 1985;
Kohring 1990; Stiefvater, Mueller and Kuehn 1996): the order of the updates, broken symmetry and finite size all
matter.  So a capacity is always given with N, trials, seed and interval.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlab.errors import SettingError
from dynlab.hopfield.curves import RecallCurve, recall_curve
from dynlab.hopfield.learning import Hebb, LearningRule
from dynlab.hopfield.patterns import whole
from dynlab.result import Provenance, Result
from dynlab.seeds import Seed, seed_of
from dynlab.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Capacity", "capacity"]

Array = NDArray[np.float64]

_HEBB = Hebb()

#: 95 % of chi-squared with one degree of freedom.
_CHI_SQUARED = 3.841458820694124
#: Exponents x of the approach N^-x to the limit: from below the 1/2 of sample-to-sample fluctuations to 1.
_EXPONENTS = np.linspace(1 / 3, 1.0, 41)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Capacity(Result):
    """The capacity of networks of several sizes, and what it tends to.

    Attributes
    ----------
    curves
        A recall curve for each size.
    value
        The capacity for N to infinity; nan where it cannot be told.
    interval
        Its interval of 95 %, over all exponents of the approach from 1/3 to 1.
    exponent
        The exponent x of the approach value + b N^-x that fits best; the sizes hardly tell it.
    status
        How the computation ended.
    provenance
        Where the result came from (with the seed).
    """

    curves: tuple[RecallCurve, ...]
    value: float
    interval: tuple[float, float]
    exponent: float
    status: Status
    provenance: Provenance

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The numbers of neurons."""
        return np.array([curve.size for curve in self.curves])

    @property
    def of_sizes(self) -> Array:
        """The capacity of each size, with its interval: three columns."""
        found = [curve.capacity for curve in self.curves]
        return np.array([(h.value, *h.interval) for h in found])

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return size, trials at each load, capacity and interval as columns."""
        value, low, high = self.of_sizes.T
        trials = np.array([int(curve.trials.min()) for curve in self.curves])
        return {"size": self.sizes, "trials": trials, "capacity": value, "low": low, "high": high}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the capacity against 1 / sqrt(N), and its limit."""
        from dynlab import plotting

        limit = (self.value, *self.interval)
        return plotting.draw_capacities(
            ax, self.sizes, self.of_sizes, limit, exponent=self.exponent
        )

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"<capacity of {self.curves[0].rule!r} for many neurons: {self.value:.4f} ({low:.4f} to {high:.4f}, 95 %);\n"
            f" from N = {', '.join(map(str, self.sizes))}, {int(self.curves[0].trials.min())} trials at each load, "
            f"seed {self.provenance.seed}: {self.status}>"
        )


def capacity(
    *, sizes: Sequence[int] = (250, 500, 1000, 2000), loads: ArrayLike | None = None, trials: int = 100,
    rule: LearningRule = _HEBB, seed: int | np.random.Generator | None = None,
) -> Capacity:  # fmt: skip
    """Return the capacity of networks of several sizes, and its limit for many neurons with an interval.

    The capacities are fitted by value + b N^-x.  The exponent is not well known, nor told by a few sizes, so the
    interval holds every limit that fits with some x from 1/3 to 1 (profile of chi-squared).

    Parameters
    ----------
    sizes
        Numbers of neurons, at least three different ones.
    loads
        Where to try, for all sizes; for Hebb's rule None takes eleven about where recall ends at each size.
    trials
        Networks for each load and size.
    rule
        How patterns are learnt.
    seed
        A whole number, a numpy Generator, or None for a fresh seed.

    Returns
    -------
    Capacity
        A recall curve for each size, and the limit.

    Raises
    ------
    SettingError
        If there are less than three sizes, or a number makes no sense.

    Examples
    --------
    >>> from dynlab import hopfield
    >>> found = hopfield.capacity(sizes=[100, 200, 400], trials=20, seed=1)
    >>> low, high = found.interval
    >>> low < found.value < high
    True

    References
    ----------
    Stiefvater, Mueller and Kuehn 1996, Physica A 232, 61 (finite size).
    """
    began, chosen = time.perf_counter(), seed_of(seed)
    numbers = sorted({whole(n, "a size") for n in np.atleast_1d(np.asarray(sizes, object))})
    if len(numbers) < 3:
        raise SettingError(
            f"the sizes are {sizes!r}; give at least three different numbers of neurons, such as (250, 500, 1000)."
        )
    curves = tuple(
        recall_curve(size=n, loads=_usual(n) if loads is None else loads, trials=trials, rule=rule, seed=_of_size(chosen, n)) for n in numbers
    )  # fmt: skip
    value, interval, exponent = _limit(curves)
    ended = max(curve.status for curve in curves)
    status = Status.UNDECIDED if ended.ok and math.isnan(value) else ended
    settings = {"sizes": tuple(numbers), "rule": rule, "trials": int(trials)}
    return Capacity(
        curves,
        value,
        interval,
        exponent,
        status,
        Provenance.of_chance("capacity", None, settings, seed=chosen, began=began),
    )


def _usual(size: int) -> Array:
    """Return loads about where recall ends with Hebb's rule; measured from 250 to 4000 neurons."""
    centre, width = 0.1434 + 1.26 * size**-0.6, 0.36 * size**-0.5
    return np.linspace(max(centre - 2.5 * width, 1.0 / size), centre + 2.5 * width, 11)


def _of_size(seed: Seed, size: int) -> int:
    """Return a seed of its own for each size."""
    return int(seed.stream(size).integers(1 << 62))


def _limit(curves: Sequence[RecallCurve]) -> tuple[float, tuple[float, float], float]:
    """Return limit, interval and exponent of a + b N^-x by weighted least squares, profiled over x."""
    found = [
        (c.size, h.value, h.standard_error)
        for c in curves
        if not math.isnan((h := c.capacity).value)
    ]
    if len(found) < 3:
        return math.nan, (-math.inf, math.inf), math.nan
    sizes, values, errors = np.array(found).T
    fits = [_line(sizes**-x, values, errors) for x in _EXPONENTS]
    best = min(range(len(fits)), key=lambda k: fits[k][2])
    least = fits[best][2]
    ends = []
    for value, error, misfit in fits:
        room = _CHI_SQUARED - (misfit - least)
        if room > 0:
            ends += [value - error * math.sqrt(room), value + error * math.sqrt(room)]
    return fits[best][0], (min(ends), max(ends)), float(_EXPONENTS[best])


def _line(x: Array, y: Array, errors: Array) -> tuple[float, float, float]:
    """Return intercept, its standard error and chi-squared of a weighted line."""
    design = np.column_stack([np.ones_like(x), x]) / errors[:, None]
    covariance = np.linalg.inv(design.T @ design)
    answer = covariance @ design.T @ (y / errors)
    rest = y / errors - design @ answer
    return float(answer[0]), float(math.sqrt(covariance[0, 0])), float(rest @ rest)
