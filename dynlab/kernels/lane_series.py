"""Sums of products of power series in lanes: one loop per sum, over memory."""

from __future__ import annotations

from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import OPTIONS
from dynlab.kernels.lanes import WIDTH, lanes_at, spread

__all__ = ["convolve"]

_INSIDE = {**OPTIONS, "cache": False}


@njit(forceinline=True, **_INSIDE)
def convolve(work, first, second, since, until, n):
    """Return the sum of ``f_i g_{n-i}``, with series that begin at places of lanes."""
    total = spread(0.0)
    for i in range(since, until + 1):
        f = lanes_at(work, WIDTH * (first + i))
        total += f * lanes_at(work, WIDTH * (second + n - i))
    return total
