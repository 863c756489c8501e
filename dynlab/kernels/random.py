"""Random numbers inside compiled loops: a stream for each member, the same whatever runs where.

Bits are those of xoshiro256++ (Blackman and Vigna 2021, ACM Trans. Math. Softw. 47, 36), period 2**256 - 1.
The four words of member i's state are hashes (splitmix64, Steele, Lea and Flood 2014) of a 256-bit key and
of i, so a stream depends on the seed and on i alone.  Two of 1e9 streams of 1e12 numbers overlap with a
probability below 1e-46.

Normal numbers come from the ziggurat of Marsaglia and Tsang (2000, J. Stat. Softw. 5, 8) with 256 layers, and
53 random bits beside those that choose layer and sign (Doornik 2005).  Cost: 3 ns each.
"""

from __future__ import annotations

import math

import numpy as np

from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import OPTIONS

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_UNIT = 2.0**-53
#: Where the tail begins and the area of a layer: Marsaglia and Tsang 2000, for 256 layers.
TAIL, AREA = 3.6541528853610088, 0.00492867323399


def _layers():
    """Return the right ends of the layers and the density there; the lowest holds the tail."""
    ends = np.zeros(257)
    ends[0], ends[1] = AREA / math.exp(-0.5 * TAIL * TAIL), TAIL
    for i in range(1, 255):
        height = AREA / ends[i] + math.exp(-0.5 * ends[i] * ends[i])
        ends[i + 1] = math.sqrt(-2.0 * math.log(height))
    return ends, np.exp(-0.5 * ends * ends)


_ENDS, _HEIGHTS = _layers()


@njit("u8(u8)", **OPTIONS)
def mixed(z):
    """Return the hash of splitmix64."""
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))


@njit("void(u8[::1], i8, u8[:, ::1])", **OPTIONS)
def begin_streams(key, first, states):
    """Write the states of the streams of members first, first + 1, ..."""
    for i in range(states.shape[0]):
        for j in range(4):
            place = np.uint64(4 * (first + i) + j + 1)
            states[i, j] = mixed(mixed(key[0] + _GOLDEN * place) ^ key[1 + j % 3])


@njit("u8(u8[::1])", **OPTIONS)
def bits(s):
    """Return 64 random bits and move the stream on."""
    s0, s1, s2, s3 = s[0], s[1], s[2], s[3]
    total = s0 + s3
    found = ((total << np.uint64(23)) | (total >> np.uint64(41))) + s0
    t = s1 << np.uint64(17)
    s2 ^= s0
    s3 ^= s1
    s[1] = s1 ^ s2
    s[0] = s0 ^ s3
    s[2] = s2 ^ t
    s[3] = (s3 << np.uint64(45)) | (s3 >> np.uint64(19))
    return found


@njit("f8(u8[::1])", **OPTIONS)
def uniform(s):
    """Return a number of (0, 1], evenly distributed."""
    return ((bits(s) >> np.uint64(11)) + np.uint64(1)) * _UNIT


@njit("f8(u8[::1], i8, f8)", **OPTIONS)
def beyond(s, layer, x):
    """Return a normal number of the tail or of the wedge of a layer; nan if it is rejected."""
    if layer == 0:
        while True:
            x = -math.log(uniform(s)) / TAIL
            y = -math.log(uniform(s))
            if 2.0 * y > x * x:
                return TAIL + x
    low, high = _HEIGHTS[layer], _HEIGHTS[layer + 1]
    return x if low + uniform(s) * (high - low) < math.exp(-0.5 * x * x) else math.nan


@njit("void(u8[::1], f8[::1])", **OPTIONS)
def fill_normals(s, out):
    """Fill an array with independent numbers of mean 0 and variance 1."""
    s0, s1, s2, s3 = s[0], s[1], s[2], s[3]
    for i in range(out.size):
        while True:
            # `bits`, written out: the state stays in registers.
            total = s0 + s3
            word = ((total << np.uint64(23)) | (total >> np.uint64(41))) + s0
            t = s1 << np.uint64(17)
            s2 ^= s0
            s3 ^= s1
            s1 ^= s2
            s0 ^= s3
            s2 ^= t
            s3 = (s3 << np.uint64(45)) | (s3 >> np.uint64(19))
            layer = np.int64(word & np.uint64(255))
            x = np.float64(np.int64(word >> np.uint64(11))) * _UNIT * _ENDS[layer]
            if x >= _ENDS[layer + 1]:
                s[0], s[1], s[2], s[3] = s0, s1, s2, s3
                x = beyond(s, layer, x)
                s0, s1, s2, s3 = s[0], s[1], s[2], s[3]
            if x == x:
                break
        out[i] = -x if word & np.uint64(256) else x
    s[0], s[1], s[2], s[3] = s0, s1, s2, s3


@njit("f8(u8[::1], u8)", **OPTIONS)
def normal_after(s, word):
    """Return a normal number from a word of a stream, or where that is rejected from further ones."""
    while True:
        layer = np.int64(word & np.uint64(255))
        x = np.float64(np.int64(word >> np.uint64(11))) * _UNIT * _ENDS[layer]
        if x >= _ENDS[layer + 1]:
            x = beyond(s, layer, x)
        if x == x:
            return -x if word & np.uint64(256) else x
        word = bits(s)


@njit("void(u8[:, ::1], i8, u8[:, ::1])", **OPTIONS)
def gather_streams(streams, first, lanes):
    """Copy the streams of as many members as there are lanes into lanes: a row for each word of their states."""
    for j in range(4):
        for lane in range(lanes.shape[1]):
            lanes[j, lane] = streams[first + lane, j]


@njit("void(u8[:, ::1], u8[::1], i8, f8, f8[:, :, ::1])", **OPTIONS)
def fill_lanes(s, own, count, factor, out):
    """Write what `fill_normals` would for the stream in each lane, times a factor, into the first rows.

    Rows 0 to 3 of `s` are the states of the streams, row 4 is work, and so is `own`, the state of one.  `bits` is written out, so
    that the lanes go through it together; one word in a hundred is rejected, and its lane goes on by itself.
    """
    width = s.shape[1]
    for row in range(count):
        for i in range(out.shape[1]):
            for lane in range(width):
                s0, s1, s2, s3 = s[0, lane], s[1, lane], s[2, lane], s[3, lane]
                total = s0 + s3
                s[4, lane] = ((total << np.uint64(23)) | (total >> np.uint64(41))) + s0
                t = s1 << np.uint64(17)
                s2 ^= s0
                s3 ^= s1
                s[1, lane] = s1 ^ s2
                s[0, lane] = s0 ^ s3
                s[2, lane] = s2 ^ t
                s[3, lane] = (s3 << np.uint64(45)) | (s3 >> np.uint64(19))
            rejected = np.uint64(0)
            for lane in range(width):
                word = s[4, lane]
                layer = np.int64(word & np.uint64(255))
                x = np.float64(np.int64(word >> np.uint64(11))) * _UNIT * _ENDS[layer]
                rejected |= np.uint64(x >= _ENDS[layer + 1])
                out[row, i, lane] = factor * (-x if word & np.uint64(256) else x)
            if rejected:
                for lane in range(width):
                    word = s[4, lane]
                    layer = np.int64(word & np.uint64(255))
                    x = np.float64(np.int64(word >> np.uint64(11))) * _UNIT * _ENDS[layer]
                    if x >= _ENDS[layer + 1]:
                        for j in range(4):
                            own[j] = s[j, lane]
                        out[row, i, lane] = factor * normal_after(own, word)
                        for j in range(4):
                            s[j, lane] = own[j]
