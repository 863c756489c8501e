"""One trial of recall: random patterns, a start beside the first of them, and how much of it is left in the end.

All random numbers of a trial come from one stream (xoshiro256++, see `spins`): the patterns, which spins of
the start are turned, the orders of the sweeps.  With another number of turned spins the patterns are the same
and the turned spins are nested.
"""

from __future__ import annotations

import numpy as np

from dynlab.kernels.convention import OK, RUNNING
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import OPTIONS
from dynlab.kernels.kept import begin, sweep
from dynlab.kernels.spins import FLIPS, POSITION, SWEEPS, WORD, advance, shuffle

__all__ = ["PLACES", "TRIAL", "draw", "overlap_with_first", "run"]

#: Where many trials stand: the present one, and whether it has begun.
TRIAL, BEGUN = range(2)
PLACES = 2


@njit("void(i8, i8, u8[::1], u8[:, ::1], i1[::1], i8[::1])", **OPTIONS)
def draw(count, turned, random, rows, spins, order):
    """Draw so many packed patterns, and the first with that many random spins turned."""
    last = rows.shape[1] - 1
    valid = ~np.uint64(0)
    if count % WORD:
        valid = (np.uint64(1) << np.uint64(count % WORD)) - np.uint64(1)
    a, b, c, d = random[0], random[1], random[2], random[3]
    for i in range(rows.shape[0]):
        for w in range(rows.shape[1]):
            rows[i, w], a, b, c, d = advance(a, b, c, d)
        rows[i, last] &= valid
        spins[i] = np.int8(2 * np.int64(rows[i, 0] & np.uint64(1)) - 1)
        order[i] = i
    random[0], random[1], random[2], random[3] = a, b, c, d
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


@njit(
    "i8(u8[:, ::1], i8, f8, i8, f8[::1], i8, u8[:, ::1], u8[:, ::1], i1[::1], u8[:, ::1], u8[:, ::1], i8[::1], i8[::1], "
    "i8[::1], i8[::1], i8[::1], u8[::1], i8[::1], f8[::1], f8[::1], i8)", **OPTIONS
)  # fmt: skip
def run(streams, turned, temperature, sweeps, rule, count, rows, columns, spins, planes, carry, sums, products,
        added, clock, order, random, at, total, overlaps, sites):  # fmt: skip
    """Go on with trials, one for each stream; OK when all are done, RUNNING after about so many spins asked.

    Without temperature a trial ends with a sweep that turns nothing, and its overlap is that of the end; otherwise it ends after all sweeps,
    and its overlap is the mean over the second half of them.
    """
    size = spins.shape[0]
    while at[TRIAL] < streams.shape[0]:
        if not at[BEGUN]:
            for k in range(random.shape[0]):
                random[k] = streams[at[TRIAL], k]
            draw(count, turned, random, rows, spins, order)
            begin(rows, columns, count, spins, planes, carry, sums, products)
            clock[:] = 0
            clock[FLIPS] = turned
            total[0] = 0.0
            at[BEGUN] = 1
            sites -= size
        while at[BEGUN]:
            if sites <= 0:
                return RUNNING
            asked = min(sites, size - clock[POSITION])
            sites -= asked
            ended = sweep(rows, columns, rule, count, temperature, spins, planes, carry, sums, products, added, clock,
                          order, random, asked)  # fmt: skip
            if ended != OK:
                continue
            clock[SWEEPS] += 1
            if temperature > 0 and clock[SWEEPS] > sweeps // 2:
                total[0] += overlap_with_first(rows, spins)
            if clock[SWEEPS] == sweeps or (temperature == 0 and clock[FLIPS] == 0):
                at[BEGUN] = 0
        if temperature > 0:
            overlaps[at[TRIAL]] = total[0] / (sweeps - sweeps // 2)
        else:
            overlaps[at[TRIAL]] = overlap_with_first(rows, spins)
        at[TRIAL] += 1
    return OK
