"""Occupied boxes, counted at every size in one pass over points in Morton order.

With the bits of the coordinates interleaved, most significant first, points of one box of side 2^-k stand
next to each other for every k at once, so one sorting serves all sizes.
"""

from __future__ import annotations

from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import OPTIONS

#: Columns of what is written: boxes, those with a single point, those with two, and
#: sum of n * weights[n], from which the entropy follows.
BOXES, SINGLE, DOUBLE, ENTROPY = range(4)


@njit("void(i8[:, ::1], i8, i8[::1])", **OPTIONS)
def interleave(digits, bits, out):
    """Write the Morton code of each point; digits has a row per coordinate."""
    for i in range(out.size):
        code = 0
        for bit in range(bits - 1, -1, -1):
            for c in range(digits.shape[0]):
                code = (code << 1) | ((digits[c, i] >> bit) & 1)
        out[i] = code


@njit("void(i8, i8, f8[::1], f8[::1])", **OPTIONS)
def _add(count, sign, weights, out):
    if count == 0:
        return
    out[BOXES] += sign
    if count == 1:
        out[SINGLE] += sign
    if count == 2:
        out[DOUBLE] += sign
    out[ENTROPY] += sign * count * weights[count]


@njit("void(i8[::1], i8[::1], i8, f8[::1], i8[::1], f8[:, ::1])", **OPTIONS)
def count_boxes(codes, blocks, shift, weights, inside, out):
    """Count boxes of one size from sorted codes: row 0 with all points, row b + 1 without block b.

    Parameters
    ----------
    codes, blocks
        Morton codes in order, and the block of each point.
    shift
        Bits that are too fine.
    weights
        Of a box with n points.
    inside
        Workspace, one number per block, zero.
    out
        Zero on entry.
    """
    begin, n = 0, codes.size
    while begin < n:
        end, code = begin, codes[begin] >> shift
        while end < n and codes[end] >> shift == code:
            inside[blocks[end]] += 1
            end += 1
        count = end - begin
        _add(count, 1, weights, out[0])
        for i in range(begin, end):
            block = blocks[i]
            if inside[block] > 0:
                # First against the box as it is with all points, which every other row shares.
                _add(count, -1, weights, out[block + 1])
                _add(count - inside[block], 1, weights, out[block + 1])
                inside[block] = 0
        begin = end
    for b in range(1, out.shape[0]):
        for c in range(4):
            out[b, c] += out[0, c]
