"""Where order begins in an infinite network, from the order of two finite ones: two estimates with their intervals.

Frequencies drawn at random: near the onset the order of N oscillators is ``r = N^(-1/5) F((K - K_c) N^(2/5))`` [1], so
the means over draws of ``N^(2/5) r^2`` of two sizes are the same at K_c.  Draws are independent, so at each coupling Student's t
tells whether they differ; the interval holds the couplings at which it does not.  At K_c itself this errs in 5 % of
all cases, whatever the form of F.  Of the powers of r the second is least shifted by what the law leaves out: the crossings of
100 and 400 nodes, and of 400 and 1600, lie 1 % above and below K_c, those of r itself and of log r up to 2 % above.  For frequencies with heavy tails it leaves out more; the
interval is widened by what was measured.

Frequencies laid out evenly: finite size is felt so near to the onset only (``N^(-4/5)``, [2]) that next to it r differs
from the order of the infinite network by a number over N, which two sizes remove.  Self-consistency
makes 1/K a smooth function of ``(K r)^2`` that is 1/K_c at 0; a polynomial is followed there.  A jackknife over draws (of
first phases) tells how noise moves the end, and what the polynomial of one degree less would change is added.

References
----------
1. Hong, Chate, Park and Tang 2007, Phys. Rev. Lett. 99, 184101: random frequencies.
2. Hong, Chate, Tang and Park 2015, Phys. Rev. E 92, 022122: regular ones.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Estimate", "apart", "crossing", "extrapolation", "left_out"]

Array = NDArray[np.float64]

#: Exponent b of N^b r at the onset, for random frequencies.
CROSSING = 1 / 5
#: What the law leaves out, as a share of K_c, times the power -2/5 of the smaller size: 1 % of 100 Gaussian oscillators; of 50
#: Lorentzian ones 4.7 +- 1.7 %, measured.  Tails are heavy beyond this ratio of quantiles (4.6 for Gaussians, 318 for Lorentzians).
LEFT_OUT, LEFT_OUT_HEAVY, HEAVY = 0.065, 0.25, 20.0
#: Order that is no chance, and the share to which sizes agree where a number over N is all that parts them.
ORDERED, AGREE = 0.2, 0.05
#: Degree of the polynomial, and the points that it needs.
DEGREE, LEAST = 4, 7


class Estimate(NamedTuple):
    """A coupling with its interval of 95 %; nan where there is none, infinite where nothing bounds it."""

    value: float
    low: float
    high: float


NONE = Estimate(math.nan, -math.inf, math.inf)


def crossing(values: Array, sizes: tuple[int, int], r: Array) -> Estimate:
    """Return where N^b r of the larger network passes that of the smaller for good; r is draws x 2 x couplings."""
    from scipy.stats import t

    differences = apart(sizes, r)
    mean = differences.mean(axis=0)
    reach = t.ppf(0.975, len(r) - 1) * differences.std(axis=0, ddof=1) / np.sqrt(len(r))
    below = np.flatnonzero(mean <= 0)
    if not below.size or below[-1] + 1 == len(values):
        return NONE
    value = _zero(values, mean, int(below[-1]))
    # The nearest couplings on both sides at which the sizes differ for certain.
    left = np.flatnonzero((mean + reach < 0) & (values < value))
    right = np.flatnonzero((mean - reach > 0) & (values > value))
    low, high = -math.inf, math.inf
    if left.size:
        low = min(_zero(values, mean + reach, int(left[-1])), value)
    if right.size:
        high = max(_zero(values, mean - reach, int(right[0]) - 1), value)
    return Estimate(value, low, high)


def apart(sizes: tuple[int, int], r: Array) -> Array:
    """Return by how much N^(2b) r^2 of the larger network exceeds that of the smaller: draws x couplings."""
    small, large = (r[:, k] ** 2 * size ** (2 * CROSSING) for k, size in enumerate(sizes))
    return np.asarray(large - small)


def left_out(sizes: tuple[int, int], distribution: Any) -> float:
    """Return by what share of K_c the crossing of two sizes may lie off it, however many draws there are."""
    ends, middle = (np.ptp(distribution.ppf([p, 1 - p])) for p in (1e-3, 0.25))
    return float((LEFT_OUT_HEAVY if ends > HEAVY * middle else LEFT_OUT) * sizes[0] ** -0.4)


def _zero(x: Array, y: Array, k: int) -> float:
    """Return where y passes 0 between two places; the first of them if it does not."""
    if y[k] * y[k + 1] > 0:
        return float(x[k + 1] if y[k] > 0 else x[k])
    return float(x[k] - y[k] * (x[k + 1] - x[k]) / (y[k + 1] - y[k]))


def extrapolation(values: Array, sizes: tuple[int, int], r: Array) -> Estimate:
    """Return where order begins, followed from beyond the onset; r is draws x 2 x couplings."""
    from scipy.stats import t

    small, large = r.mean(axis=0)
    chosen = (large > ORDERED) & (np.abs(large - small) < AGREE * large)
    if chosen.sum() < LEAST:
        return NONE
    gain = sizes[0] / (sizes[1] - sizes[0])

    def onset(part: Array, degree: int) -> float:
        first, second = part.mean(axis=0)[:, chosen]
        K = values[chosen]
        field = (K * (second + gain * (second - first))) ** 2
        return 1 / float(np.polynomial.Polynomial.fit(field, 1 / K, degree)(0.0))

    value = onset(r, DEGREE)
    left_out = np.array([onset(np.delete(r, k, axis=0), DEGREE) for k in range(len(r))])
    error = math.sqrt((len(r) - 1) / len(r) * ((left_out - left_out.mean()) ** 2).sum())
    half = math.hypot(t.ppf(0.975, len(r) - 1) * error, onset(r, DEGREE - 1) - value)
    return Estimate(value, value - half, value + half)
