"""Where Floquet multipliers stand to the unit circle: test functions of period doublings and torus points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["angle_of_pair", "flips", "from_minus_one", "pair_at_circle", "pairs_outside"]

#: Multipliers with a smaller imaginary part, relatively, count as real.
_REAL = 1e-7


def flips(multipliers: NDArray[np.complex128]) -> float:
    """Return the product of (multiplier + 1), each by its size: continuous where two real ones meet."""
    if not np.all(np.isfinite(multipliers)):
        return float("nan")
    return float(np.prod((1.0 + multipliers) / (1.0 + np.abs(multipliers))).real)


def from_minus_one(multipliers: NDArray[np.complex128]) -> float:
    """Return how far the multiplier nearest to -1 is from it."""
    return float(np.min(np.abs(multipliers + 1.0)))


def pairs_outside(multipliers: NDArray[np.complex128]) -> int:
    """Return how many complex pairs lie outside the unit circle."""
    return int(np.sum(np.abs(_pairs(multipliers)) > 1.0))


def pair_at_circle(multipliers: NDArray[np.complex128]) -> float:
    """Return the modulus of the complex multiplier nearest to the unit circle, minus 1; 1 without any."""
    sizes = np.abs(_pairs(multipliers))
    if not len(sizes):
        return 1.0
    return float(sizes[np.argmin(np.abs(sizes - 1.0))] - 1.0)


def angle_of_pair(multipliers: NDArray[np.complex128]) -> float:
    """Return the argument of the pair nearest to the unit circle."""
    pairs = multipliers[multipliers.imag > 0]
    return abs(float(np.angle(pairs[np.argmin(np.abs(np.abs(pairs) - 1.0))])))


def _pairs(multipliers: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Return one of each complex pair."""
    real = np.abs(multipliers.imag) <= _REAL * np.maximum(np.abs(multipliers), 1e-12)
    return multipliers[(multipliers.imag > 0) & ~real]
