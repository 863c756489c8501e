"""The error of an average over a correlated series, by batch means.

A series is cut into long batches; if they are longer than the memory of the series their means scatter
independently, and the scatter tells the error of the whole (Law and Kelton, Simulation Modeling and
Analysis, 3rd ed., McGraw-Hill 2000, section 9.5.3).  32 batches leave each as long as it can be and give 31
degrees of freedom.  What memory is left between neighbours, measured as their correlation r, widens the
error by ``sqrt((1 + r) / (1 - r))``; negative r narrows nothing.  A series whose memory is longer
than the whole run cannot be known from the run: see `memory`.

The exponent along the motion of a flow is not an average of this kind: what it sums up is the change of a
logarithm that stays between bounds, so it tends to 0 like 1/T, and batch means call it five to eight times too uncertain.
Such a sum is told by its course: measured in the scatter s of n batches, the mean square of its distance from the straight line is
n/6 if it diffuses and 1/2 if it only returns.  Below `RETURNS` n (a diffusing one is in one run of seventy: the
Cramer-von Mises distribution, Anderson and Darling 1952, Ann. Math. Stat. 23, 193) its error is that of the
difference of two values of the logarithm, over T.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["BATCHES", "batched", "bounded_error", "memory", "standard_error", "two_sided"]

Array = NDArray[np.float64]
BATCHES = 32
#: Mean square distance of a sum from its trend, over n times the variance of n batches: 1/(2 n) = 0.016 if it returns.
RETURNS = 0.027
#: A correlation beyond this between neighbours is taken for this.
MOST_CORRELATED = 0.9


def batched(durations: Array, amounts: Array) -> tuple[Array, Array]:
    """Return the durations of the batches, and the rates of the amounts in each of them.

    Rows of amounts follow each other; several quantities stand side by side.
    """
    count = min(BATCHES, len(durations))
    if count == 0:
        return durations, amounts
    edges = np.linspace(0, len(durations), count + 1).astype(int)[:-1]
    spans = np.add.reduceat(durations, edges)
    return spans, np.add.reduceat(amounts, edges, axis=0) / spans[:, None]


def standard_error(durations: Array, amounts: Array) -> Array:
    """Return the standard error of each total amount over the total duration.

    It is 0 for an amount that is infinite, and infinite for fewer than two rows.
    """
    spans, rates = batched(durations, amounts)
    count = len(spans)
    if count < 2:
        return np.full(amounts.shape[1], np.inf)
    share = (spans / spans.sum())[:, None]
    with np.errstate(invalid="ignore"):
        apart = rates - (share * rates).sum(axis=0)
        scatter = np.sqrt((share**2 * apart**2).sum(axis=0) * count / (count - 1))
        r = _correlation(apart)
        wider = np.sqrt((1 + r) / (1 - r))
    return np.asarray(np.nan_to_num(scatter * wider, nan=0.0))


def bounded_error(durations: Array, amounts: Array) -> float:
    """Return the standard error of a rate whose amounts add up to something bounded; infinite if they do not."""
    spans, rates = batched(durations, amounts[:, None])
    steps = spans * (rates[:, 0] - amounts.sum() / spans.sum())
    if len(spans) < BATCHES or np.var(np.cumsum(steps)) > RETURNS * len(spans) * np.var(steps):
        return float("inf")
    return float(np.sqrt(2.0) * np.std(np.cumsum(amounts)) / spans.sum())


def memory(durations: Array, amounts: Array) -> Array:
    """Return the correlation between neighbouring batches; about 0 +- 0.18 where batches are long enough."""
    spans, rates = batched(durations, amounts)
    if len(spans) < 3:
        return np.zeros(amounts.shape[1])
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nan_to_num(_raw_correlation(rates - rates.mean(axis=0))))


def two_sided(level: float, count: int) -> float:
    """Return how many standard errors to each side hold the truth at a rate, by Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(max(min(count, BATCHES) - 1, 1), 0.5 * (1 + level)))


def _correlation(apart: Array) -> Array:
    return np.clip(np.nan_to_num(_raw_correlation(apart)), 0.0, MOST_CORRELATED)


def _raw_correlation(apart: Array) -> Array:
    total = (apart**2).sum(axis=0)
    return np.asarray((apart[1:] * apart[:-1]).sum(axis=0) / np.where(total > 0, total, 1.0))
