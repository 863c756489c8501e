"""What the exponents of an orbit say that it does.

Two tests decide on each exponent l with standard error s after a time T:

- it has a sign if ``|l| > z s``, with z from Student's t for an error of one in a thousand, and if
  deviations changed by more than ``exp(RESOLVED)`` in the second half of the run alone.  Without chaos
  they grow like powers of time, twofold or fourfold in that half.
- it is zero if in the second half they changed by less than that, in a run of `MOTION` steps at least.

So rates below ``2 RESOLVED / T`` are called zero.  What the tests cannot know: an orbit may
be chaotic for very long and then settle (transient chaos), or stay next to a regular one for very long and then
leave (sticky orbits).  No finite run rules that out; the verdict is about the time that was looked at.
"""

from __future__ import annotations

from enum import Enum

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.exponents.averages import BATCHES, standard_error
from dynlab.chaos.exponents.deviations import Growth
from dynlab.status import Status

__all__ = ["Verdict", "judged"]

Array = NDArray[np.float64]
#: An exponent's sign may be wrong so often, by the scatter of the batches.
WRONG_SIGN = 1e-3
#: Logarithm of the change in half a run that powers of time do not reach.
RESOLVED = 6.0
#: A state that grows by this in half a run, and never turns back, is on its way out.
LEAVING = 1e6
#: Fewer steps, some ten turns of an orbit, do not show that a rate is zero.
MOTION = 1000
#: A state that moves less than this part of its size stands still.
STILL = 1e-6


class Verdict(Enum):
    """What an orbit does, as far as its exponents tell.

    Examples
    --------
    >>> import dynlab as dl
    >>> dl.lyapunov_exponent(dl.zoo.lorenz, duration=100, transient=20, seed=1).verdict
    <Verdict.CHAOTIC: 'chaotic'>
    """

    CHAOTIC = "chaotic"
    QUASI_PERIODIC = "quasi-periodic"
    PERIODIC = "periodic"
    REGULAR = "regular"
    FIXED_POINT = "fixed point"
    ESCAPED = "escaped"
    UNDECIDED = "undecided"

    def __str__(self) -> str:
        return self.value


def judged(
    growth: Growth, *, end: Array, status: Status, is_free: bool, dimension: float
) -> tuple[Verdict, float]:
    """Return the verdict and how often its signs are wrong, by the scatter of the batches alone.

    Parameters
    ----------
    growth
        Of as many deviations as were followed.
    end
        The state where the run ended.
    status
        How it ended.
    is_free
        Whether it is an autonomous flow: then the direction of the motion has the exponent 0.
    dimension
        How many exponents there are; with delays infinitely many.
    """
    if status in (Status.DIVERGED, Status.LEFT_DOMAIN) or _leaves(growth, end):
        return Verdict.ESCAPED, 0.0
    if len(growth.times) < BATCHES // 2:
        return Verdict.UNDECIDED, 1.0
    if _stands_still(growth):
        return Verdict.FIXED_POINT, 0.0
    rates, doubts = _signs(growth)
    zeros = int(np.sum(rates == 0))
    if rates[0] > 0:
        return Verdict.CHAOTIC, float(doubts[0])
    if np.isnan(rates).any():
        return Verdict.UNDECIDED, 1.0
    if rates[0] < 0:
        settled = Verdict.FIXED_POINT if is_free else Verdict.PERIODIC
        return settled, float(doubts[0])
    beyond = float(doubts[zeros]) if zeros < len(rates) else 0.0
    trivial = 1 if is_free else 0
    if is_free and dimension == 2:
        return Verdict.PERIODIC, beyond
    if zeros > trivial:
        return Verdict.QUASI_PERIODIC, beyond
    if len(rates) < min(trivial + 1, dimension):
        return Verdict.REGULAR, WRONG_SIGN
    return Verdict.PERIODIC, beyond


def _leaves(growth: Growth, end: Array) -> bool:
    """Whether a state grew by a large factor in the second half of the run alone, and ended as its largest."""
    low, high = (
        np.minimum(np.abs(growth.low), np.abs(growth.high)),
        np.maximum(-growth.low, growth.high),
    )
    one_sided = growth.low * growth.high > 0
    return bool(np.any(one_sided & (high > LEAVING * low) & (np.abs(end) >= high)))


def _stands_still(growth: Growth) -> bool:
    corners = np.abs(np.concatenate([growth.low, growth.high]))
    if not np.isfinite(corners).all():
        return False
    width = growth.high - growth.low
    return bool(np.all(width <= STILL * max(float(corners.max()), 1e-300)))


def _signs(growth: Growth) -> tuple[Array, Array]:
    """Return +1, -1, 0 or nan (not known) for each exponent, and how often such a sign is wrong."""
    from scipy.special import stdtr

    durations = np.diff(growth.times, prepend=growth.begin)
    total = durations.sum()
    exponents = growth.logarithms.sum(axis=0) / total
    errors = standard_error(durations, growth.logarithms)
    freedom = min(len(durations), BATCHES) - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        doubts = 1.0 - stdtr(freedom, np.abs(exponents) / errors)
    doubts = np.where(np.isfinite(doubts), doubts, 0.0)
    late = growth.times > growth.times[-1] - 0.5 * total
    change = growth.logarithms[late].sum(axis=0)
    has_sign = (doubts < WRONG_SIGN) & (np.abs(change) > RESOLVED) & (change * exponents > 0)
    unresolved = (np.abs(change) <= RESOLVED) & (growth.steps >= MOTION)
    return np.where(has_sign, np.sign(exponents), np.where(unresolved, 0.0, np.nan)), doubts
