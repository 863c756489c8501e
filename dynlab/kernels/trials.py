"""One trial of recall: random patterns, a start beside the first of them, and how much of it is left in the end.

All random numbers of a trial come from one stream (xoshiro256++, see `spins`): the patterns, which spins of
the start are turned, the orders of the sweeps.  With another number of turned spins the patterns are the same
and the turned spins are nested.
"""

from __future__ import annotations

import numpy as np

from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import OPTIONS
from dynlab.kernels.spins import WORD, next_word, shuffle

__all__ = ["draw", "overlap_with_first"]


@njit("void(i8, i8, u8[::1], u8[:, ::1], i1[::1], i8[::1])", **OPTIONS)
def draw(count, turned, random, rows, spins, order):
    """Draw so many packed patterns, and the first with that many random spins turned."""
    last = rows.shape[1] - 1
    valid = ~np.uint64(0)
    if count % WORD:
        valid = (np.uint64(1) << np.uint64(count % WORD)) - np.uint64(1)
    for i in range(rows.shape[0]):
        for w in range(rows.shape[1]):
            rows[i, w] = next_word(random)
        rows[i, last] &= valid
        spins[i] = np.int8(2 * np.int64(rows[i, 0] & np.uint64(1)) - 1)
        order[i] = i
    shuffle(order, random)
    for place in range(turned):
        spins[order[place]] = -spins[order[place]]


@njit("f8(u8[:, ::1], i1[::1])", **OPTIONS)
def overlap_with_first(rows, spins):
    """Return the overlap of a state with the first pattern."""
    total = 0
    for i in range(spins.shape[0]):
        total += spins[i] * (2 * np.int64(rows[i, 0] & np.uint64(1)) - 1)
    return total / spins.shape[0]
