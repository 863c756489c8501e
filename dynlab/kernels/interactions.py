"""Spins under an energy -sum_mu F(M_mu) of the overlaps M_mu = sum_i xi_i s_i: dense associative memories.

A spin takes the value of lower energy (Krotov and Hopfield 2016, NeurIPS 29, 1172, eq 3).  F stands in a table over all
overlaps from -N to N.  The overlaps are kept up to date; a spin costs two look-ups for each pattern.
"""

from __future__ import annotations

from dynlab.kernels.convention import OK, RUNNING
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import OPTIONS
from dynlab.kernels.spins import FLIPS, POSITION, shuffle


@njit("f8(i1[:, ::1], f8[::1], i8, i1[::1], i8[::1])", **OPTIONS)
def gain(columns, table, i, spins, overlaps):
    """Return by how much sum F is larger with spin i at 1 than at -1."""
    size = columns.shape[0]
    total = 0.0
    for p in range(columns.shape[1]):
        rest = overlaps[p] - columns[i, p] * spins[i] + size
        total += table[rest + columns[i, p]] - table[rest - columns[i, p]]
    return total


@njit("void(i1[:, ::1], f8[::1], i1[::1], i8[::1], f8[::1])", **OPTIONS)
def gains(columns, table, spins, overlaps, out):
    """Find all gains of one state."""
    for i in range(columns.shape[0]):
        out[i] = gain(columns, table, i, spins, overlaps)


@njit("i8(i1[:, ::1], f8[::1], i1[::1], i8[::1], i8[::1], i8[::1], u8[::1], i8)", **OPTIONS)
def interaction_sweep(columns, table, spins, overlaps, clock, order, random, sites):
    """Ask so many more spins, one after the other in random order; OK at the end of the sweep."""
    size = columns.shape[0]
    if clock[POSITION] == 0:
        clock[FLIPS] = 0
        shuffle(order, random)
    last = min(clock[POSITION] + sites, size)
    for place in range(clock[POSITION], last):
        i = order[place]
        if gain(columns, table, i, spins, overlaps) * spins[i] < 0:
            spins[i] = -spins[i]
            for p in range(columns.shape[1]):
                overlaps[p] += 2 * columns[i, p] * spins[i]
            clock[FLIPS] += 1
    clock[POSITION] = last % size
    return OK if last == size else RUNNING
