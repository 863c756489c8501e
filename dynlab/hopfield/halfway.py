"""Where success ends: the place at which half of the trials succeed, with its interval.

Trials succeed or fail independently; along x the chance of success is 1 / (1 + exp((x - c) / w)).  c is estimated by
maximum likelihood over c and w, and its interval of 95 % holds all c whose likelihood, with the best w for each, is not
smaller than the largest by more than exp(-1.92) (Wilks 1938, Ann. Math. Stat. 9, 60).  Such an interval also holds
where the width cannot be seen, as between two loads where all and none succeed; and it is open to the side on which
no trial decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar
from scipy.special import log_expit

__all__ = ["Halfway", "halfway"]

Array = NDArray[np.float64]

#: Half the quantile at 95 % of chi-squared with one degree of freedom.
DROP = 1.9207294103470621
#: Widths between these shares of the range are tried; below the first the curve is a step.
_WIDTHS = (1e-3, 3.0)
_GRID = 161


@dataclass(frozen=True, slots=True)
class Halfway:
    """A place with its interval of 95 %.

    Attributes
    ----------
    value
        Where half of the trials succeed; nan if that is not within the places tried.
    interval
        Lower and upper end; infinite where nothing bounds it.
    width
        How far success falls from 73 % to 50 %.
    """

    value: float
    interval: tuple[float, float]
    width: float

    @property
    def standard_error(self) -> float:
        """A standard error to weigh with: the interval over twice 1.96; infinite if it is open."""
        return (self.interval[1] - self.interval[0]) / (2.0 * 1.959963984540054)


def halfway(places: Array, successes: NDArray[np.int64], trials: NDArray[np.int64]) -> Halfway:
    """Return where success falls through one half as x grows."""
    low, high = float(places.min()), float(places.max())
    span = high - low or 0.1 * abs(low) or 1.0
    failures = trials - successes

    def unlikely(c: float, log_width: float) -> float:
        u = (places - c) / (math.exp(log_width) * span)
        return -float(successes @ log_expit(-u) + failures @ log_expit(u))

    def profile(c: float) -> tuple[float, float]:
        ends = math.log(_WIDTHS[0]), math.log(_WIDTHS[1])
        grid = np.linspace(*ends, 9)
        k = int(np.argmin([unlikely(c, float(g)) for g in grid]))
        found = minimize_scalar(
            lambda g: unlikely(c, g),
            bounds=(float(grid[max(k - 1, 0)]), float(grid[min(k + 1, 8)])),
            method="bounded",
        )
        return float(found.fun), math.exp(float(found.x)) * span

    across = np.linspace(low - 0.5 * span, high + 0.5 * span, _GRID)
    values = _coarse(across, places, span, (successes, failures))
    k = int(np.argmin(values))
    around = float(across[max(k - 1, 0)]), float(across[min(k + 1, _GRID - 1)])
    found = minimize_scalar(lambda c: profile(c)[0], bounds=around, method="bounded")
    best, value = min((float(found.fun), float(found.x)), (profile(across[k])[0], float(across[k])))

    def excess(c: float) -> float:
        return profile(c)[0] - best - DROP

    inside = across[values - best <= DROP]
    starts = (float(inside[0]), float(inside[-1])) if inside.size else (value, value)
    step = float(across[1] - across[0])
    lower = _end(excess, value, min(starts[0], value), -step, float(across[0]))
    upper = _end(excess, value, max(starts[1], value), step, float(across[-1]))
    within = low <= value <= high and math.isfinite(lower) and math.isfinite(upper)
    return Halfway(float(value) if within else math.nan, (lower, upper), profile(value)[1])


def _coarse(
    across: Array, places: Array, span: float, counts: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> Array:
    """Return the least unlikelihood at each place over a grid of widths: to look from, not to keep."""
    widths = np.geomspace(*_WIDTHS, 25) * span
    u = (places - across[:, None, None]) / widths[:, None]
    return np.asarray(np.min(-log_expit(-u) @ counts[0] - log_expit(u) @ counts[1], axis=1))


def _end(
    excess: Callable[[float], float], value: float, start: float, step: float, limit: float
) -> float:
    """Return where the excess becomes positive, outwards from a start; infinite if not before the limit."""
    outer = start
    while excess(outer) <= 0.0:
        outer += step
        if (outer - limit) * step > 0.0:
            return math.copysign(math.inf, step)
    return float(brentq(excess, *sorted((outer, value)), xtol=1e-9))
