"""Spins of which few turn: fields kept up to date at each turn, while the patterns stay in the cache.

A field of `spins` is found afresh from the distances to all patterns, K/64 log2(N) words for each spin that is asked.
Where few turn, as in all but the first sweeps of recall, it is less to keep

    H_i = sum_mu xi_i M_mu = sum_j C_ij s_j      with C_ij = K - 2 D_ij,

D_ij being the number of patterns in which spins i and j differ.  When spin j turns to s, H_i changes by 2 s (K - 2 D_ij): the
first part is the same for all, and A_i, what the turns have added of -s D_ij, stands apart, so that a turn costs little more than to
count K/64 words of bits for each spin; those of neighbours lie side by side, several to an instruction.  For that the patterns
are stored once more with a column for each spin.  A spin that is asked then costs nothing.  Each sweep takes the way that
the sweep before makes the cheaper one.  All sums are whole numbers, so both ways give the same fields and the same states, bit for bit.
"""

from __future__ import annotations

import numpy as np

from dynlab.kernels.convention import OK, RUNNING
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import OPTIONS
from dynlab.kernels.spins import (
    DIAGONAL,
    DISTANCE_SUM,
    FLIPS,
    KEPT,
    LEVEL,
    POSITION,
    SPIN_SUM,
    THRESHOLD,
    WORD,
    field_of,
    measure,
    new_value,
    packed_sweep,
    popcount,
    shuffle,
)  # fmt: skip

__all__ = ["TOGETHER", "begin", "sweep"]

#: So many words of a column are counted in one pass; the columns have a multiple of it, with zeros at the end.
TOGETHER = 3
#: Fields are kept while (turns in a sweep) (K / 64 + 6) is less than this.  Measured where both ways take equally long:
#: 120 to 150 turns, for 1000 and for 8000 spins; the second is made less, since caches differ.
QUIET = 1350

_EVERY_EIGHTH = np.uint64(0x0101010101010101)


@njit("UniTuple(u8, 8)(u8[:, ::1], i8, i1[::1], i8, i8)", **OPTIONS)
def _every_eighth(columns, w, spins, first, last):
    """Count, for each bit of word w, the spins that differ from it: byte b of sum k holds bit 8 b + k, up to 255."""
    r = s = t = u = v = x = y = z = np.uint64(0)
    for i in range(first, last):
        apart = columns[w, i] ^ np.uint64(~(np.int64(spins[i]) >> 63))
        r += apart & _EVERY_EIGHTH
        s += (apart >> np.uint64(1)) & _EVERY_EIGHTH
        t += (apart >> np.uint64(2)) & _EVERY_EIGHTH
        u += (apart >> np.uint64(3)) & _EVERY_EIGHTH
        v += (apart >> np.uint64(4)) & _EVERY_EIGHTH
        x += (apart >> np.uint64(5)) & _EVERY_EIGHTH
        y += (apart >> np.uint64(6)) & _EVERY_EIGHTH
        z += (apart >> np.uint64(7)) & _EVERY_EIGHTH
    return r, s, t, u, v, x, y, z


@njit("void(u8[:, ::1], i8, i1[::1], u8[:, ::1], i8[::1], i8[::1])", **OPTIONS)
def distances(columns, count, spins, planes, sums, room):
    """Find the distances of a state to all patterns afresh, as `spins.measure` does; room is for 64 numbers."""
    size = spins.shape[0]
    sums[:] = 0
    for i in range(size):
        sums[SPIN_SUM] += spins[i]
    for w in range(planes.shape[1]):
        room[:WORD] = 0
        for first in range(0, size, 255):
            counted = _every_eighth(columns, w, spins, first, min(first + 255, size))
            for k in range(8):
                for byte in range(8):
                    digit = (counted[k] >> np.uint64(8 * byte)) & np.uint64(255)
                    room[8 * byte + k] += np.int64(digit)
        bits = min(WORD, count - WORD * w)
        for b in range(planes.shape[0]):
            digits = np.uint64(0)
            for p in range(bits):
                digits |= np.uint64((room[p] >> b) & 1) << np.uint64(p)
            planes[b, w] = digits
        for p in range(bits):
            sums[DISTANCE_SUM] += room[p]


@njit("void(u8[:, ::1], i8, u8[:, ::1], i8[::1], i8, i8[::1], i8[::1])", **OPTIONS)
def products_of(columns, count, planes, sums, size, products, added):
    """Find all H_i - K sum s from the distances: the highest digit first, doubled with each further one.

    H_i = N X_i - 2 sum_mu xi_i Q_mu = N X_i + 2 sum_mu Q_mu - 4 sum of the Q_mu with xi_i = 1, X_i = sum_mu xi_i.
    """
    products[:size] = 0
    for b in range(planes.shape[0] - 1, -1, -1):
        doubled = 1
        for w in range(0, columns.shape[0], TOGETHER):
            p = planes[b, w]
            q = planes[b, w + 1] if w + 1 < planes.shape[1] else np.uint64(0)
            r = planes[b, w + 2] if w + 2 < planes.shape[1] else np.uint64(0)
            for i in range(size):
                both = popcount(columns[w, i] & p)
                both += popcount(columns[w + 1, i] & q) + popcount(columns[w + 2, i] & r)
                products[i] = (products[i] << doubled) + np.int64(both)
            doubled = 0
    common = 2 * sums[DISTANCE_SUM] - size * count - count * sums[SPIN_SUM]
    for i in range(size):
        products[i] = common - 4 * products[i]
        added[i] = 0
    for w in range(0, columns.shape[0], TOGETHER):
        for i in range(size):
            ones = popcount(columns[w, i])
            ones += popcount(columns[w + 1, i]) + popcount(columns[w + 2, i])
            products[i] += 2 * size * np.int64(ones)


@njit("i8(u8[:, ::1], i8)", **OPTIONS)
def _ones(columns, i):
    """Count the patterns in which a spin is 1."""
    ones = np.uint64(0)
    for w in range(columns.shape[0]):
        ones += popcount(columns[w, i])
    return np.int64(ones)


@njit("void(u8[:, ::1], i8, i8, i8, i8, i8[::1], i8[::1])", **OPTIONS)
def turn(columns, i, spin, count, size, added, sums):
    """Let spin i take a value."""
    ones = _ones(columns, i)
    sums[DISTANCE_SUM] += count - 2 * (ones if spin > 0 else count - ones)
    sums[SPIN_SUM] += 2 * spin
    for w in range(0, columns.shape[0], TOGETHER):
        a, b, c = columns[w, i], columns[w + 1, i], columns[w + 2, i]
        if spin > 0:
            for j in range(size):
                apart = popcount(columns[w, j] ^ a)
                apart += popcount(columns[w + 1, j] ^ b) + popcount(columns[w + 2, j] ^ c)
                added[j] -= np.int64(apart)
        else:
            for j in range(size):
                apart = popcount(columns[w, j] ^ a)
                apart += popcount(columns[w + 1, j] ^ b) + popcount(columns[w + 2, j] ^ c)
                added[j] += np.int64(apart)


@njit(
    "i8(u8[:, ::1], f8[::1], i8, f8, i1[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], u8[::1], i8)",
    **OPTIONS,
)
def kept_sweep(
    columns, rule, count, temperature, spins, sums, products, added, clock, order, random, sites
):
    """Ask so many more spins, one after the other in random order; OK at the end of the sweep."""
    size, row_sum = spins.shape[0], 0
    if clock[POSITION] == 0:
        clock[FLIPS] = 0
        shuffle(order, random)
    last = min(clock[POSITION] + sites, size)
    # H_i s_i is whole, so the least with which a spin keeps its value is too.
    least = np.int64(np.ceil((1 - rule[DIAGONAL]) * count))
    is_plain = temperature == 0 and rule[LEVEL] == 0 and rule[THRESHOLD] == 0
    common = count * sums[SPIN_SUM]
    for place in range(clock[POSITION], last):
        i = np.uint64(order[place])
        product = common + products[i] + 4 * added[i]
        if is_plain and product * spins[i] >= least:
            continue
        if rule[LEVEL] != 0:
            row_sum = 2 * _ones(columns, i) - count
        field = field_of(rule, count, size, product, row_sum, spins[i], sums)
        spin = new_value(field, spins[i], temperature, random)
        if spin != spins[i]:
            spins[i] = spin
            turn(columns, i, spin, count, size, added, sums)
            common = count * sums[SPIN_SUM]
            clock[FLIPS] += 1
    clock[POSITION] = last % size
    return OK if last == size else RUNNING


@njit(
    "void(u8[:, ::1], u8[:, ::1], i8, i1[::1], u8[:, ::1], u8[:, ::1], i8[::1], i8[::1])", **OPTIONS
)
def begin(rows, columns, count, spins, planes, carry, sums, products):
    """Store the patterns in columns too, if there is room for them, and find the distances of the start."""
    if columns.shape[0] == 0:
        measure(rows, count, spins, planes, carry, sums)
        return
    for w in range(rows.shape[1]):
        for i in range(rows.shape[0]):
            columns[w, i] = rows[i, w]
    distances(columns, count, spins, planes, sums, products)


@njit(
    "i8(u8[:, ::1], u8[:, ::1], f8[::1], i8, f8, i1[::1], u8[:, ::1], u8[:, ::1], i8[::1], i8[::1], i8[::1], "
    "i8[::1], i8[::1], u8[::1], i8)", **OPTIONS
)  # fmt: skip
def sweep(rows, columns, rule, count, temperature, spins, planes, carry, sums, products, added, clock, order, random,
          sites):  # fmt: skip
    """Ask so many more spins, in the way that is cheaper if as many turn as in the last sweep; OK at the end."""
    size = spins.shape[0]
    if clock[POSITION] == 0:
        few = columns.shape[0] > 0 and clock[FLIPS] * (rows.shape[1] + 6) < QUIET
        if few and not clock[KEPT]:
            products_of(columns, count, planes, sums, size, products, added)
        elif clock[KEPT] and not few:
            distances(columns, count, spins, planes, sums, products)
        clock[KEPT] = few
    if clock[KEPT]:
        return kept_sweep(
            columns,
            rule,
            count,
            temperature,
            spins,
            sums,
            products,
            added,
            clock,
            order,
            random,
            sites,
        )
    return packed_sweep(
        rows, rule, count, temperature, spins, planes, carry, sums, clock, order, random, sites
    )
