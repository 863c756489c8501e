"""Survival: the share that has not passed yet, from times of which some are only known to be longer.

The product-limit estimate: at each passage the share is multiplied by ``1 - d/n``, d passages among n paths still watched.
Its variance is Greenwood's.  Its band is the exact binomial one (Clopper and Pearson) for the number of paths that would
have that variance; where all were watched equally long that is their number.

Kaplan and Meier 1958, J. Am. Stat. Assoc. 53, 457; Cutler and Ederer 1958, J. Chronic Dis. 8, 699 (effective number).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Survival", "restricted_mean", "survival_of"]

Array = NDArray[np.float64]
Which = NDArray[np.bool_]

#: With this probability the true share is within the band, at each time by itself.
LEVEL = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Survival:
    """The share of paths that has not passed, as a staircase.

    Attributes
    ----------
    t
        Where the staircase steps down; it begins at 0 with the share 1.
    share
        What is left from there on.
    low
        Lower end of the 95 % band, which is for each time by itself.
    high
        Upper end of the band.
    until
        The last time at which a path was watched; nothing is known later unless none is left.
    """

    t: Array
    share: Array
    low: Array
    high: Array
    until: float

    def at(self, times: ArrayLike) -> Array:
        """Return the share left at times; nan where it is not known."""
        asked = np.asarray(times, float)
        found = self.share[np.maximum(np.searchsorted(self.t, asked, side="right") - 1, 0)]
        unknown = (asked < 0) | ((asked > self.until) & (found > 0))
        return np.where(unknown, np.nan, found)


class _Limit(NamedTuple):
    """Passage times in order, the share left after each, and Greenwood's terms d / (n (n - d))."""

    t: Array
    share: Array
    terms: Array

    @classmethod
    def of(cls, times: Array, passed: Which) -> _Limit:
        t, d = np.unique(times[passed], return_counts=True)
        n = len(times) - np.searchsorted(np.sort(times), t)
        left = n - d
        terms = np.divide(d, n * left, out=np.zeros(len(t)), where=left > 0)
        return cls(t, np.asarray(np.cumprod(left / n), np.float64), terms)


def survival_of(times: Array, passed: Which) -> Survival:
    """Return the share left in time.

    Parameters
    ----------
    times
        When each path passed, or how long it was watched.
    passed
        Which of them passed.
    """
    from scipy.stats import beta

    limit = _Limit.of(times, passed)
    share = np.append(1.0, limit.share)
    variance = share**2 * np.append(0.0, np.cumsum(limit.terms))
    binomial = share * (1 - share)
    number = np.divide(
        binomial, variance, out=np.full(len(share), float(len(times))), where=variance > 0
    )
    number[share == 0] = number[np.flatnonzero(share > 0)[-1]]
    kept, tail = share * number, (1 - LEVEL) / 2
    low = np.where(share > 0, beta.ppf(tail, kept, number - kept + 1), 0.0)
    high = np.where(share < 1, beta.ppf(1 - tail, kept + 1, number - kept), 1.0)
    return Survival(np.append(0.0, limit.t), share, low, high, float(times.max(initial=0.0)))


def restricted_mean(times: Array, passed: Which, until: float) -> tuple[float, float]:
    """Return the mean of the times cut off at `until`, the area below the survival, and its standard error."""
    limit = _Limit.of(times, passed)
    inside = limit.t < until
    edges = np.concatenate([[0.0], limit.t[inside], [until]])
    pieces = np.diff(edges) * np.append(1.0, limit.share[inside])
    beyond = pieces.sum() - np.cumsum(pieces)[:-1]
    return float(pieces.sum()), float(np.sqrt(np.sum(beyond**2 * limit.terms[inside])))
