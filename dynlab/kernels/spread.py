"""Binary spins under Hebb's rule with patterns spread to a byte for each entry: the fastest form for a few thousand spins.

Bits (see `spins`) take an eighth of the room and are the only way for a hundred thousand spins.  Where N x K bytes stay in
the cache, a byte for each entry is three times as fast: the field

    N h_i = sum_mu xi_i M_mu - (1 - d) K s_i

is a product of small whole numbers, many to an instruction, and a turned spin adds to or takes from all overlaps
``M_mu = sum_j xi_j s_j`` by one such pass.  Overlaps have room for whole blocks, with zeros beyond the last
pattern, so that the product has no rest to go through one by one.  d is the share of the diagonal that is kept.  All sums are exact, and random numbers
are used in the order of `spins`, so that states are the same bit for bit.  |M| <= N must fit 16 bits.
"""

from __future__ import annotations

import numpy as np

from dynlab.kernels.convention import OK, RUNNING
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import OPTIONS
from dynlab.kernels.spins import CLOCK, DIAGONAL, FLIPS, NORM, POSITION, new_value, shuffle

__all__ = ["BLOCK", "BYTES", "LARGEST", "spread", "spread_measure", "spread_recall", "spread_sweep"]

#: The most spins whose overlaps fit 16 bits.
LARGEST = 32_767
#: Overlaps have room for a multiple of this.
BLOCK = 32
#: The bytes that stand for each byte of bits: -1 where a bit is 0, 1 where it is 1.
BYTES = np.array(
    [[1 if b >> k & 1 else -1 for k in range(8)] for b in range(256)], np.int8
).view(np.uint64).ravel()  # fmt: skip

_STATE = "i1[:, ::1], f8[::1], i8, f8, i1[::1], i2[::1]"


@njit("void(u8[:, ::1], u8[::1], u8[:, ::1])", **OPTIONS)
def spread(rows, table, out):
    """Write each bit of packed patterns as a byte; out holds eight words for each of rows."""
    for i in range(rows.shape[0]):
        for w in range(rows.shape[1]):
            word = rows[i, w]
            for k in range(8):
                out[i, 8 * w + k] = table[np.int64((word >> np.uint64(8 * k)) & np.uint64(255))]


@njit("void(i1[:, ::1], i8, i1[::1], i2[::1])", **OPTIONS)
def spread_measure(patterns, count, spins, overlaps):
    """Find the overlaps of a state with all patterns afresh."""
    overlaps[:] = 0
    for i in range(spins.shape[0]):
        spin = spins[i]
        for mu in range(count):
            overlaps[mu] = np.int16(overlaps[mu] + np.int16(spin) * np.int16(patterns[i, mu]))


@njit(f"i8({_STATE}, i8[::1], i8[::1], u8[::1], i8)", **OPTIONS)
def spread_sweep(patterns, rule, count, temperature, spins, overlaps, clock, order, random, sites):
    """Ask so many more spins, one after the other in random order; OK at the end of the sweep."""
    size = spins.shape[0]
    if clock[POSITION] == 0:
        clock[FLIPS] = 0
        shuffle(order, random)
    last = min(clock[POSITION] + sites, size)
    for place in range(clock[POSITION], last):
        i = order[place]
        weighted = np.int32(0)
        for mu in range(overlaps.shape[0]):
            weighted = np.int32(weighted + np.int32(patterns[i, mu]) * np.int32(overlaps[mu]))
        field = float(weighted) - (1 - rule[DIAGONAL]) * count * spins[i]
        spin = new_value(field / rule[NORM], spins[i], temperature, random)
        if spin != spins[i]:
            spins[i] = spin
            twice = np.int16(2 * spin)
            for mu in range(count):
                overlaps[mu] = np.int16(overlaps[mu] + twice * np.int16(patterns[i, mu]))
            clock[FLIPS] += 1
    clock[POSITION] = last % size
    return OK if last == size else RUNNING


@njit(f"i8({_STATE}, i8[::1], i8[::1], u8[::1], i8, i8)", **OPTIONS)
def spread_recall(patterns, rule, count, temperature, spins, overlaps, clock, order, random, sweeps,
                  sites):  # fmt: skip
    """Sweep until a sweep turns nothing or so many sweeps are done; -1 after so many sites, to be called again."""
    size = spins.shape[0]
    while clock[CLOCK] < sweeps:
        if sites <= 0:
            return -1
        asked = min(sites, size - clock[POSITION])
        status = spread_sweep(patterns, rule, count, temperature, spins, overlaps, clock, order,
                              random, asked)  # fmt: skip
        sites -= asked
        if status == OK:
            clock[CLOCK] += 1
            if clock[FLIPS] == 0:
                break
    return clock[CLOCK]
