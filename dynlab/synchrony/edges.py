"""Where a measured rate is below zero: intervals with an error for each end.

Rates known at places, each within a reach of its own, are followed by straight lines between the places.  Where
``rate + reach < 0`` a rate is below zero for certain, where ``rate - reach > 0`` above; between the two an end lies,
and where is the width of what is left.  At the true end the rate that was measured differs from 0 by more than its reach as often
as the reach is exceeded, whatever the form of the curve; so reaches of 95 % give intervals of 95 % or more (lines
between two independent values are better known than the line between their reaches says).

Only an interval with a place that is below zero for certain is told, and only a place that is above for certain ends one:
noise about zero makes neither.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Stable", "bend", "described", "stable_intervals"]

Array = NDArray[np.float64]


class Stable(NamedTuple):
    """Intervals, a row of low and high for each, and how far each end may be off.

    That is infinite for an end of what was looked at, which bounds nothing.
    """

    intervals: Array
    errors: Array


def stable_intervals(x: Array, rates: Array, reaches: Array) -> Stable:
    """Return where rates are below zero; a rate that is nan ends an interval."""
    known = np.isfinite(rates)
    cuts = np.flatnonzero(known[1:] != known[:-1]) + 1
    rows = [
        row
        for part in np.split(np.arange(len(x)), cuts)
        if len(part) and known[part[0]]
        for row in _of_one_piece(x[part], rates[part], reaches[part])
    ]
    ends = np.array(rows, float).reshape(-1, 2, 2)
    return Stable(ends[:, :, 0], ends[:, :, 1])


def described(ends: Array, errors: Array) -> str:
    """Return an interval in words, with the errors of its ends where they have one."""
    return " to ".join(
        f"{value:.4g}" + (f" ± {error:.1g}" if 0 < error < np.inf else "")
        for value, error in zip(ends, errors, strict=True)
    )


def bend(x: Array, rates: Array) -> Array:
    """Return how far a curve may leave the straight lines between its points (the last axis), by second differences.

    A parabola leaves them by a quarter of what its middle point of three is off the line through its neighbours.
    """
    off = np.zeros_like(rates)
    if len(x) < 3:
        return off
    share = (x[1:-1] - x[:-2]) / (x[2:] - x[:-2])
    line = (1 - share) * rates[..., :-2] + share * rates[..., 2:]
    off[..., 1:-1] = np.abs(rates[..., 1:-1] - line) / 4
    off[..., 0], off[..., -1] = off[..., 1], off[..., -2]
    return np.asarray(off)


def _of_one_piece(
    x: Array, rates: Array, reaches: Array
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Return the intervals of rates that are all known, each end with its half width."""
    if len(x) == 1:
        return [((x[0], np.inf), (x[0], np.inf))] if rates[0] + reaches[0] < 0 else []
    places = np.unique(np.concatenate([x, *(_zeros(x, rates + s * reaches) for s in (-1, 0, 1))]))
    middle = 0.5 * (places[1:] + places[:-1])
    rate, reach = np.interp(middle, x, rates), np.interp(middle, x, reaches)
    sign = np.where(rate + reach < 0, -1, np.where(rate - reach > 0, 1, 0))
    certain = np.flatnonzero(sign)
    rows, crossings = [], _zeros(x, rates)
    for is_below, group in itertools.groupby(certain, key=lambda k: bool(sign[k] < 0)):
        inside = list(group)
        if is_below:
            before, after = certain[certain < inside[0]], certain[certain > inside[-1]]
            low = places[before[-1] + 1] if before.size else None
            high = places[after[0]] if after.size else None
            first, last = places[inside[0]], places[inside[-1] + 1]
            rows.append((
                _end(crossings, low, first, float(places[0])), _end(crossings, high, last, float(places[-1])),
            ))  # fmt: skip
    return rows


def _end(crossings: Array, outer: float | None, inner: float, edge: float) -> tuple[float, float]:
    """Return an end between a place that is outside for certain and one inside, and how far it may be off."""
    low, high = sorted((edge if outer is None else outer, inner))
    between = crossings[(low <= crossings) & (crossings <= high)]
    if outer is None:
        nearest = between[np.argmin(np.abs(between - inner))] if between.size else edge
        return float(nearest), np.inf
    # Noise may let the lines pass zero several times.
    value = 0.5 * (between.min() + between.max()) if between.size else 0.5 * (low + high)
    return float(value), float(max(high - value, value - low))


def _zeros(x: Array, y: Array) -> Array:
    """Return where straight lines through the points pass zero."""
    k = np.flatnonzero(y[:-1] * y[1:] < 0)
    return np.concatenate([x[k] - y[k] * (x[k + 1] - x[k]) / (y[k + 1] - y[k]), x[y == 0]])
