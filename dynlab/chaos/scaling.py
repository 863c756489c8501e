"""Scaling: the slope of a curve over the longest range in which it is straight, with its error.

Dimensions and exponents from data are slopes.  The range is chosen by one rule, the same for all: of all
ranges at least so long, the longest in which the slopes of its three thirds differ from the slope of the
whole by at most a twentieth of it, or by twice their own statistical error.  Where the curve may well be
flat, slopes may also differ by what bends it by no more than `flat` in height.  If there is none, there is
no answer.

The statistical error is that of the jackknife over blocks of consecutive points (Efron and Stein 1981,
Ann. Stat. 9, 586), so neighbours in time may depend on each other.  The systematic one is half the
difference between the largest and the smallest slope of the thirds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Estimate", "Scaling", "jackknife_error", "longest_scaling"]

Array = NDArray[np.float64]

#: The thirds of a scaling range may differ from the whole by this part of its slope.
BENT = 0.05
#: A range holds at least so many points of the curve.
FEWEST_POINTS = 5
#: Ends of a range are looked for among so many points of a long curve.
MOST_ENDS = 60


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its standard error."""

    value: float
    standard_error: float

    def __repr__(self) -> str:
        return f"{self.value:.6g} +- {self.standard_error:.2g}"


@dataclass(frozen=True, slots=True)
class Scaling:
    """A slope over a range.

    Parameters
    ----------
    slope, intercept
        Of the straight line.
    statistical_error
        What another sample of the same length would change.
    systematic_error
        How much the slope changes from one part of the range to another.
    low, high
        The range.
    """

    slope: float
    intercept: float
    statistical_error: float
    systematic_error: float
    low: float
    high: float

    @property
    def standard_error(self) -> float:
        """Both errors, added in squares."""
        return float(np.hypot(self.statistical_error, self.systematic_error))


def jackknife_error(without: Array, inflation: float = 1.0) -> Array:
    """Return the standard error of what was computed without each block (the first axis)."""
    count = len(without)
    spread = np.sum((without - without.mean(axis=0)) ** 2, axis=0)
    return np.asarray(inflation * np.sqrt((count - 1) / count * spread))


def longest_scaling(
    x: Array, y: Array, without: Array, *, least: float, inflation: float = 1.0, flat: float = 0.0
) -> Scaling | None:
    """Return the slope over the longest straight range at least so long, or None.

    Parameters
    ----------
    x, y
        The curve; x rises.
    without
        The curve without each of the blocks, one row each.
    least
        The shortest range.
    inflation
        Of the jackknife's error, where a block is only one side of the pairs that it takes part in.
    flat
        A curve that leaves the line by less than this counts as straight.
    """
    if len(x) < FEWEST_POINTS or x[-1] - x[0] < least:
        return None
    curves = np.vstack([y, without])
    ends = np.unique(np.linspace(0, len(x) - 1, min(len(x), MOST_ENDS)).round().astype(int))
    ranges = sorted(
        ((a, b) for a in ends for b in ends
         if b - a + 1 >= FEWEST_POINTS and x[b] - x[a] >= least * (1 - 1e-9)),
        key=lambda ends: x[ends[0]] - x[ends[1]],
    )  # fmt: skip
    for a, b in ranges:
        found = _straight(x, curves, (a, b), inflation, flat)
        if found is not None:
            return found
    return None


def _straight(
    x: Array, curves: Array, ends: tuple[int, int], inflation: float, flat: float
) -> Scaling | None:
    a, b = ends
    slope, error = _slope(x, curves, a, b, inflation)
    cuts = np.searchsorted(x, x[a] + (x[b] - x[a]) * np.array([1, 2]) / 3)
    parts = [(a, cuts[0]), (cuts[0], cuts[1]), (cuts[1], b)]
    if any(last <= first for first, last in parts):
        return None
    thirds = [_slope(x, curves, first, last, inflation) for first, last in parts]
    allowed = BENT * abs(slope) + 3 * flat / (x[b] - x[a])
    if any(abs(s - slope) > allowed + 2 * e for s, e in thirds):
        return None
    bend = float(np.ptp([s for s, _ in thirds])) / 2
    intercept = float(np.mean(curves[0, a : b + 1]) - slope * np.mean(x[a : b + 1]))
    return Scaling(slope, intercept, error, bend, float(x[a]), float(x[b]))


def _slope(x: Array, curves: Array, a: int, b: int, inflation: float) -> tuple[float, float]:
    """Return the slope of the whole curve by least squares, and its statistical error."""
    centred = x[a : b + 1] - x[a : b + 1].mean()
    slopes = curves[:, a : b + 1] @ centred / (centred @ centred)
    return float(slopes[0]), float(jackknife_error(slopes[1:], inflation))
