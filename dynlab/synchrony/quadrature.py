"""Integrals over a density of frequencies, with an error: panels of Gauss points, halved where needed.

Panels end where the integrand or its derivative may jump.  A variable that is quadratic at both ends of
a panel makes square roots there smooth: ``x = a + (b - a) sin(pi t / 2)^2``; a tail runs to infinity as
``x = a + s t^2 / (1 - t^2)``.  The error of a panel is taken as the difference between 10 and 20 points, which is
that of the ten; where it is too large the panel is halved.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["SHARES", "integral"]

Array = NDArray[np.float64]

#: Panels end at these quantiles, so that no narrow peak is missed.
SHARES = np.array([0.0, 1e-3, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98, 0.999, 1.0])
FEW = np.polynomial.legendre.leggauss(10)
MANY = np.polynomial.legendre.leggauss(20)
#: Halvings at most; a panel is then far below rounding.
MOST = 40
#: With more panels than this the integrand is rough everywhere: they are taken as they are.
CROWD = 4000
#: Error of a panel by rounding, relative to the integral of the absolute value.
ROUNDING = 1e-14


def integral(
    function: Callable[[Array], NDArray[np.complex128]], edges: Array, tolerance: float
) -> tuple[complex, float]:
    """Return the integral between the first edge and the last, and how far it may be off.

    Parameters
    ----------
    function
        Of an array of places; may be complex.
    edges
        Where panels end, rising; the first and the last may be infinite.
    tolerance
        Error to aim at, absolute.
    """
    inner = edges[np.isfinite(edges)]
    scale = max(inner[-1] - inner[0], 1e-300)
    begin, end = edges[:-1], edges[1:]
    low, high = np.zeros(len(begin)), np.ones(len(begin))
    total, error = 0j, 0.0
    for level in range(MOST):
        few, _ = _panels(function, begin, end, low, high, scale, FEW)
        many, size = _panels(function, begin, end, low, high, scale, MANY)
        off = np.abs(many - few)
        # A share of the error for each panel; what rounding does cannot be halved away.
        small = off <= np.maximum(tolerance / (4.0 * len(edges)), ROUNDING * size)
        done = small | (level == MOST - 1) | (len(off) > CROWD)
        total += complex(many[done].sum())
        error += float(off[done].sum())
        if done.all():
            break
        begin, end, low, high = (a[~done] for a in (begin, end, low, high))
        middle = 0.5 * (low + high)
        begin, end = np.tile(begin, 2), np.tile(end, 2)
        low, high = np.append(low, middle), np.append(middle, high)
    return total, error


def _panels(  # noqa: PLR0913  (the ends of panels, in places and in t)
    function: Callable[[Array], NDArray[np.complex128]], begin: Array, end: Array, low: Array,
    high: Array, scale: float, rule: tuple[Array, Array],
) -> tuple[NDArray[np.complex128], Array]:  # fmt: skip
    """Return the integral over each panel, and that of the absolute value."""
    node, weight = rule
    half = 0.5 * (high - low)
    t = low[:, None] + half[:, None] * (1.0 + node)
    right, left = np.isinf(end)[:, None], np.isinf(begin)[:, None]
    a = np.where(left, end[:, None], begin[:, None])
    with np.errstate(invalid="ignore"):
        b = np.where(right | left, a, end[:, None])
    finite_part = (b - a) * np.sin(0.5 * np.pi * t) ** 2
    slope = (b - a) * 0.5 * np.pi * np.sin(np.pi * t)
    u = t * t
    tail, tail_slope = scale * u / (1 - u), scale * 2 * t / (1 - u) ** 2
    x = a + np.where(right, tail, np.where(left, -tail, finite_part))
    rate = np.where(right | left, tail_slope, slope)
    values = np.asarray(function(x.ravel()), complex).reshape(x.shape)
    parts = values * rate
    return np.asarray(parts @ weight * half), np.asarray(np.abs(parts) @ weight * half)
