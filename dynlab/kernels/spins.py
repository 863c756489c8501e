"""Binary spins under a Hopfield network's rule, without its matrix of weights.

Row i of the packed patterns holds bit mu of word mu // 64 set where spin i of pattern mu is +1.  Of the
state only the Hamming distances Q_mu to all patterns are kept, bit-sliced: plane b holds the b-th binary
digit of all Q_mu, in the same order as a row.  With overlaps M_mu = N - 2 Q_mu the local field of the rule

    N h_i = sum_mu (xi_i - a) (sum_j (xi_j - a) s_j)  -  what the diagonal contributes

needs sum_mu xi_i M_mu, that is one count of bits for each plane: K/64 log2(N) words instead of K
additions, and no weight is ever formed.  All sums are whole numbers, so for a = 0 the field is exact.
A flip adds or takes away one from every Q_mu: a ripple carry through the planes.

Keeping the fields up to date instead costs K/64 words for each spin at each flip: `kept` does so while few spins
turn.

Dense weights keep all fields up to date at each flip instead: N additions for a flip, none for a spin that
stays.

Random numbers are xoshiro256++ of Blackman and Vigna 2021, ACM TOMS 47, 36, with a state of its own for each
run, so that they depend on the run alone.

A spin whose field is zero keeps its value.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numba.extending import intrinsic

from dynlab.kernels.convention import OK, RUNNING
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import OPTIONS

#: Numbers of a rule: level a, share of the diagonal that is kept, norm of the field, threshold.
LEVEL, DIAGONAL, NORM, THRESHOLD = range(4)
RULE_SIZE = 4
#: Sums over the state: of all Q_mu, of all spins.
DISTANCE_SUM, SPIN_SUM = range(2)
SUMS = 2
#: Where a run stands: position in the sweep, flips in this sweep, sweeps done, whether fields are kept.
POSITION, FLIPS, SWEEPS, KEPT = range(4)
CLOCK = 4

WORD = 64

_PACKED = "u8[:, ::1], f8[::1], i8"
_STATE = "i1[::1], u8[:, ::1], u8[:, ::1], i8[::1]"


@intrinsic
def popcount(typingctx, word):  # type: ignore[no-untyped-def]
    """Count the bits of a word that are set: one instruction, or one for eight words."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), codegen


@njit("UniTuple(u8, 5)(u8, u8, u8, u8)", **OPTIONS)
def advance(a, b, c, d):
    """Return 64 random bits and the state after them (xoshiro256++); in registers, for long loops."""
    total = a + d
    word = ((total << np.uint64(23)) | (total >> np.uint64(41))) + a
    shifted = b << np.uint64(17)
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << np.uint64(45)) | (d >> np.uint64(19))
    return word, a, b, c, d


@njit("u8(u8[::1])", **OPTIONS)
def next_word(random):
    """Return 64 random bits and advance the state."""
    word, random[0], random[1], random[2], random[3] = advance(
        random[0], random[1], random[2], random[3]
    )
    return word


@njit("f8(u8)", **OPTIONS)
def unit(word):
    """Return a number in [0, 1) of the first 53 bits of a word."""
    return np.float64(np.int64(word >> np.uint64(11))) * 1.1102230246251565e-16


@njit("f8(u8[::1])", **OPTIONS)
def uniform(random):
    """Return a random number in [0, 1), of 53 bits."""
    return unit(next_word(random))


@njit("void(i8[::1], u8[::1])", **OPTIONS)
def shuffle(order, random):
    """Bring an order into another, all equally likely (Fisher and Yates)."""
    a, b, c, d = random[0], random[1], random[2], random[3]
    for i in range(order.shape[0] - 1, 0, -1):
        word, a, b, c, d = advance(a, b, c, d)
        # Places without a sign need no look whether they count from the end.
        j, k = np.uint64(np.int64(unit(word) * (i + 1))), np.uint64(i)
        order[k], order[j] = order[j], order[k]
    random[0], random[1], random[2], random[3] = a, b, c, d


@njit("void(i1[:, ::1], i8, u8[:, ::1])", **OPTIONS)
def pack(patterns, first, rows):
    """Set the bits of patterns (count x size) from a place on in rows (size x words) of zeros."""
    for p in range(patterns.shape[0]):
        place = first + p
        bit = np.uint64(1) << np.uint64(place % WORD)
        for i in range(patterns.shape[1]):
            if patterns[p, i] > 0:
                rows[i, place // WORD] |= bit


@njit("void(u8[:, ::1], i8, i8, i1[:, ::1])", **OPTIONS)
def unpack(rows, first, last, out):
    """Write the patterns from first to last, each as a row of -1 and 1."""
    for p in range(first, last):
        shift = np.uint64(p % WORD)
        for i in range(rows.shape[0]):
            out[p - first, i] = np.int8(
                2 * np.int64((rows[i, p // WORD] >> shift) & np.uint64(1)) - 1
            )


@njit("void(u8[:, ::1], i8, i8[::1])", **OPTIONS)
def row_sums(rows, count, out):
    """Sum each spin over all patterns."""
    for i in range(rows.shape[0]):
        ones = np.uint64(0)
        for w in range(rows.shape[1]):
            ones += popcount(rows[i, w])
        out[i] = 2 * np.int64(ones) - count


@njit("void(u8[:, ::1], i8, i8, i8, u8[:, ::1], u8[:, ::1], i8[::1])", **OPTIONS)
def _turn(rows, i, spin, count, planes, carry, sums):
    """Let spin i take a value: every Q_mu that it agrees with loses one, every other gains one."""
    words = rows.shape[1]
    flipped = np.uint64(0) if spin > 0 else ~np.uint64(0)
    agreeing = np.uint64(0)
    for w in range(words):
        agree = rows[i, w] ^ flipped
        valid = ~np.uint64(0)
        if w == words - 1 and count % WORD:
            valid = (np.uint64(1) << np.uint64(count % WORD)) - np.uint64(1)
        carry[0, w] = ~agree & valid
        carry[1, w] = agree & valid
        agreeing += popcount(agree & valid)
    sums[DISTANCE_SUM] += count - 2 * np.int64(agreeing)
    sums[SPIN_SUM] += 2 * spin
    for b in range(planes.shape[0]):
        left = np.uint64(0)
        for w in range(words):
            digit = planes[b, w]
            gain, loss = carry[0, w], carry[1, w]
            planes[b, w] = digit ^ gain ^ loss
            carry[0, w] = digit & gain
            carry[1, w] = ~digit & loss
            left |= carry[0, w] | carry[1, w]
        if left == 0:
            break


@njit("void(u8[:, ::1], i8, i1[::1], u8[:, ::1], u8[:, ::1], i8[::1])", **OPTIONS)
def measure(rows, count, spins, planes, carry, sums):
    """Find the distances of a state to all patterns afresh."""
    words = rows.shape[1]
    planes[:] = 0
    sums[:] = 0
    for i in range(rows.shape[0]):
        flipped = np.uint64(0) if spins[i] < 0 else ~np.uint64(0)
        differing = np.uint64(0)
        for w in range(words):
            valid = ~np.uint64(0)
            if w == words - 1 and count % WORD:
                valid = (np.uint64(1) << np.uint64(count % WORD)) - np.uint64(1)
            carry[0, w] = (rows[i, w] ^ flipped) & valid
            differing += popcount(carry[0, w])
        sums[DISTANCE_SUM] += np.int64(differing)
        sums[SPIN_SUM] += spins[i]
        for b in range(planes.shape[0]):
            left = np.uint64(0)
            for w in range(words):
                digit = planes[b, w]
                planes[b, w] = digit ^ carry[0, w]
                carry[0, w] &= digit
                left |= carry[0, w]
            if left == 0:
                break


@njit("void(u8[:, ::1], i8, i8, i8[::1])", **OPTIONS)
def overlaps(planes, size, count, out):
    """Read M_mu = sum_i xi_i s_i of all patterns off the planes."""
    for p in range(count):
        shift = np.uint64(p % WORD)
        distance = np.int64(0)
        for b in range(planes.shape[0]):
            distance |= np.int64((planes[b, p // WORD] >> shift) & np.uint64(1)) << b
        out[p] = size - 2 * distance


@njit("f8(f8[::1], i8, i8, i8, i8, i8, i8[::1])", **OPTIONS)
def field_of(rule, count, size, product, row_sum, spin, sums):
    """Return the local field minus the threshold from sum_mu xi_i M_mu and sum_mu xi_i."""
    of_overlaps = count * size - 2 * sums[DISTANCE_SUM]
    a, spin_sum = rule[LEVEL], sums[SPIN_SUM]
    field = float(product)
    field += a * (a * (count * spin_sum) - of_overlaps - row_sum * spin_sum)
    own = count * (1 + a * a) - 2 * a * row_sum
    field -= (1 - rule[DIAGONAL]) * own * spin
    return field / rule[NORM] - rule[THRESHOLD]


@njit(f"f8({_PACKED}, i8, {_STATE})", **OPTIONS)
def packed_field(rows, rule, count, i, spins, planes, carry, sums):
    """Return the local field h_i minus the threshold."""
    words, size = rows.shape[1], rows.shape[0]
    ones = np.uint64(0)
    for w in range(words):
        ones += popcount(rows[i, w])
    weighted = np.int64(0)
    for b in range(planes.shape[0]):
        both = np.uint64(0)
        for w in range(words):
            both += popcount(rows[i, w] & planes[b, w])
        weighted += np.int64(both) << b
    # sum_mu xi_i Q_mu is 2 weighted - sum_mu Q_mu, and M_mu = N - 2 Q_mu.
    row_sum = 2 * np.int64(ones) - count
    product = size * row_sum - 4 * weighted + 2 * sums[DISTANCE_SUM]
    return field_of(rule, count, size, product, row_sum, spins[i], sums)


@njit(f"void({_PACKED}, {_STATE}, f8[::1])", **OPTIONS)
def packed_fields(rows, rule, count, spins, planes, carry, sums, out):
    """Find all local fields minus the threshold."""
    for i in range(rows.shape[0]):
        out[i] = packed_field(rows, rule, count, i, spins, planes, carry, sums)


@njit("i8(f8, i8, f8, u8[::1])", **OPTIONS)
def new_value(field, spin, temperature, random):
    """Return the value that a field gives a spin: its sign, or by chance if it is warm."""
    if temperature > 0:
        return 1 if uniform(random) < 1 / (1 + np.exp(-2 * field / temperature)) else -1
    if field == 0:
        return spin
    return 1 if field > 0 else -1


@njit(f"i8({_PACKED}, f8, {_STATE}, i8[::1], i8[::1], u8[::1], i8)", **OPTIONS)
def packed_sweep(rows, rule, count, temperature, spins, planes, carry, sums, clock, order, random,
                 sites):  # fmt: skip
    """Ask so many more spins, one after the other in random order; OK at the end of the sweep."""
    size = rows.shape[0]
    if clock[POSITION] == 0:
        clock[FLIPS] = 0
        shuffle(order, random)
    last = min(clock[POSITION] + sites, size)
    for place in range(clock[POSITION], last):
        i = order[place]
        field = packed_field(rows, rule, count, i, spins, planes, carry, sums)
        spin = new_value(field, spins[i], temperature, random)
        if spin != spins[i]:
            spins[i] = spin
            _turn(rows, i, spin, count, planes, carry, sums)
            clock[FLIPS] += 1
    clock[POSITION] = last % size
    return OK if last == size else RUNNING


@njit(f"i8({_PACKED}, f8, {_STATE}, i8[::1], i1[::1], u8[::1], i8)", **OPTIONS)
def packed_step(rows, rule, count, temperature, spins, planes, carry, sums, clock, following, random,
                sites):  # fmt: skip
    """Ask so many more spins, all of them of the same state; OK when all have taken their new values.

    The first N positions of the sweep find the new values, the next N take them.
    """
    size = rows.shape[0]
    if clock[POSITION] == 0:
        clock[FLIPS] = 0
    last = min(clock[POSITION] + sites, 2 * size)
    for place in range(clock[POSITION], last):
        if place < size:
            field = packed_field(rows, rule, count, place, spins, planes, carry, sums)
            following[place] = new_value(field, spins[place], temperature, random)
        elif following[place - size] != spins[place - size]:
            i = place - size
            spins[i] = following[i]
            _turn(rows, i, spins[i], count, planes, carry, sums)
            clock[FLIPS] += 1
    clock[POSITION] = last % (2 * size)
    return OK if last == 2 * size else RUNNING


@njit("void(f8[:, ::1], i1[::1], f8[::1])", **OPTIONS)
def dense_fields(columns, spins, fields):
    """Find all fields afresh; row j of the columns holds the weights from spin j."""
    fields[:] = 0.0
    for j in range(columns.shape[0]):
        spin = float(spins[j])
        for i in range(columns.shape[1]):
            fields[i] += columns[j, i] * spin


@njit("void(f8[:, ::1], i8, i8, f8[::1])", **OPTIONS)
def _dense_turn(columns, i, spin, fields):
    for j in range(columns.shape[1]):
        fields[j] += 2 * spin * columns[i, j]


@njit("i8(f8[:, ::1], f8, f8, i1[::1], f8[::1], i8[::1], i8[::1], u8[::1], i8)", **OPTIONS)
def dense_sweep(columns, threshold, temperature, spins, fields, clock, order, random, sites):
    """Ask so many more spins, one after the other in random order; OK at the end of the sweep."""
    size = spins.shape[0]
    if clock[POSITION] == 0:
        clock[FLIPS] = 0
        shuffle(order, random)
    last = min(clock[POSITION] + sites, size)
    for place in range(clock[POSITION], last):
        i = order[place]
        spin = new_value(fields[i] - threshold, spins[i], temperature, random)
        if spin != spins[i]:
            spins[i] = spin
            _dense_turn(columns, i, spin, fields)
            clock[FLIPS] += 1
    clock[POSITION] = last % size
    return OK if last == size else RUNNING


@njit("i8(f8[:, ::1], f8, f8, i1[::1], f8[::1], i8[::1], i1[::1], u8[::1], i8)", **OPTIONS)
def dense_step(columns, threshold, temperature, spins, fields, clock, following, random, sites):
    """Ask so many more spins, all of them of the same state; OK when all have taken their new values."""
    size = spins.shape[0]
    if clock[POSITION] == 0:
        clock[FLIPS] = 0
    last = min(clock[POSITION] + sites, 2 * size)
    for place in range(clock[POSITION], last):
        if place < size:
            field = fields[place] - threshold
            following[place] = new_value(field, spins[place], temperature, random)
        elif following[place - size] != spins[place - size]:
            i = place - size
            spins[i] = following[i]
            _dense_turn(columns, i, spins[i], fields)
            clock[FLIPS] += 1
    clock[POSITION] = last % (2 * size)
    return OK if last == 2 * size else RUNNING
