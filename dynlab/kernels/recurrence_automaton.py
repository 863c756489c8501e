"""Recurrences on a grid of cells: which attractor an orbit reaches, and when it comes back to where it was.

An orbit sampled at equal times goes through a small automaton (Datseris and Wagemakers 2022, Chaos 32,
023104, section II): it reaches an attractor when it is in that one's cells so many times in a row, has
left when it is outside the grid so many times in a row, and is recurrent when it is in cells that it has
visited before so many times in a row.  (Samples outside interrupt no row but their own: an attractor may
reach beyond the grid.)  The last needs marks on the grid and is asked of one orbit at a
time; the first two only read, so that many orbits can be judged at once in any order.

Here a cell alone does not count as reached: the states that the grid does not cover must lie between
those of the attractor, too.  Attractors that share cells with others (`near` is a number) count where a state is near to
their points, or to the polygon through them; of those that are known by cells alone (`near` is infinite) many more
samples are asked.
"""

from __future__ import annotations

import math

from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import OPTIONS

__all__ = [
    "BROKEN", "ESCAPED", "HITS", "IN_A_ROW", "MEMORY_SIZE", "OUTSIDE", "RECURRENT", "RETURNS", "STAMP",
    "USED", "cell_of", "distances", "judge", "mark",
]  # fmt: skip

#: Outcomes below zero; from zero on it is the attractor; undecided orbits keep `OPEN`.
ESCAPED, OPEN, RECURRENT, BROKEN = -1, -6, -4, -5

# Places in the memory of an orbit: the attractor it is in the cells of, how many times in a row, how many
# times outside, how many returns, the mark that it leaves, and how many samples were used.
IN_A_ROW, HITS, OUTSIDE, RETURNS, STAMP, USED = range(6)
MEMORY_SIZE = 6

_TURN = 2.0 * math.pi
_CELLS = "i8[::1], f8[::1], f8[::1], i8[::1], i8[::1]"
_TRACES = "f8[:, ::1], i8[::1], i8[::1], f8[:, ::1], f8[::1]"
#: So many times the samples are asked of an attractor that shares cells and is known by cells alone.
SLOWER = 300


@njit(f"i8(f8[::1], {_CELLS})", **OPTIONS)
def cell_of(x, places, low, density, counts, on_circle):
    """Return the cell that holds a state, or -1 outside of the grid."""
    cell = 0
    for axis in range(places.size):
        offset = x[places[axis]] - low[axis]
        if on_circle[axis]:
            offset -= _TURN * math.floor(offset / _TURN)
        place = offset * density[axis]
        if not 0.0 <= place < counts[axis]:
            return -1
        cell = cell * counts[axis] + int(place)
    return cell


@njit("b1(f8[::1])", **OPTIONS)
def _is_finite(x):
    total = 0.0
    for i in range(x.size):
        total += 0.0 * x[i]
    return total == 0.0


@njit("b1(f8[::1], f8[::1], f8[::1])", **OPTIONS)
def _lies_between(x, low, high):
    for i in range(x.size):  # noqa: SIM110  (numba has no all over a generator)
        if not low[i] <= x[i] <= high[i]:
            return False
    return True


@njit("f8(f8, f8)", **OPTIONS)
def _straight(gap, turn):
    return gap - turn * math.floor(gap / turn + 0.5) if turn > 0.0 else gap


@njit("f8(f8[::1], f8[:, ::1], i8, i8, f8[::1], f8[::1])", **OPTIONS)
def _distance(x, points, row, is_joined, unit, turns):
    """Return how far a state is from a point, or from the straight line from it to the next."""
    share = 0.0
    if is_joined:
        along = length = 0.0
        for i in range(x.size):
            step = _straight(points[row + 1, i] - points[row, i], turns[i]) / unit[i]
            along += step * _straight(x[i] - points[row, i], turns[i]) / unit[i]
            length += step * step
        share = min(max(along / length, 0.0), 1.0) if length > 0.0 else 0.0
    most = 0.0
    for i in range(x.size):
        off = _straight(x[i] - points[row, i], turns[i])
        if is_joined:
            off -= share * _straight(points[row + 1, i] - points[row, i], turns[i])
        most = max(most, abs(off) / unit[i])
    return most


@njit("void(f8[:, ::1], f8[:, ::1], i8, f8[::1], f8[::1], f8[::1])", **OPTIONS)
def distances(states, points, is_joined, unit, turns, out):
    """Write how far each state is from the nearest of some points, or from the polygon through them."""
    for k in range(states.shape[0]):
        out[k] = math.inf
        for row in range(points.shape[0] - is_joined):
            out[k] = min(out[k], _distance(states[k], points, row, is_joined, unit, turns))


@njit(f"i8(f8[::1], f8[:, ::1], f8[:, ::1], {_TRACES})", **OPTIONS)
def _nearest(x, lows, highs, points, first, joined, near, turns):
    """Return the attractor that a state in shared cells is on, or -1."""
    by_cells = -1
    for k in range(joined.size):
        if near[k, 0] != near[k, 0] or not _lies_between(x, lows[k], highs[k]):
            continue
        if first[k + 1] == first[k]:
            by_cells = k
        for row in range(first[k], first[k + 1] - joined[k]):
            if _distance(x, points, row, joined[k], near[k], turns) <= 1.0:
                return k
    return by_cells


@njit(
    f"i8(f8[:, ::1], {_CELLS}, {_TRACES}, i4[::1], i4[::1], f8[:, ::1], f8[:, ::1], i8[::1], i8[::1])",
    **OPTIONS,
)
def _follow(
    samples, places, low, density, counts, on_circle, points, first, joined, near, turns, labels, stamps,
    lows, highs, needed, memory,
):  # fmt: skip
    """Send one orbit through the automaton; return its outcome, OPEN if it needs more samples."""
    marks = stamps.size > 0
    for k in range(samples.shape[0]):
        memory[USED] = k + 1
        x = samples[k]
        if not _is_finite(x):
            return BROKEN
        cell = cell_of(x, places, low, density, counts, on_circle)
        if cell < 0:
            memory[OUTSIDE] += 1
            if memory[OUTSIDE] >= needed[1]:
                return ESCAPED
            continue
        memory[OUTSIDE] = 0
        found, wanted = labels[cell] - 1, needed[0]
        if found >= 0 and near[found, 0] == near[found, 0]:
            found = _nearest(x, lows, highs, points, first, joined, near, turns)
            if found >= 0 and first[found + 1] == first[found]:
                wanted *= SLOWER
        elif found >= 0 and not _lies_between(x, lows[found], highs[found]):
            found = -1
        if found >= 0:
            memory[HITS] = memory[HITS] + 1 if memory[IN_A_ROW] == found else 1
            memory[IN_A_ROW] = found
            if memory[HITS] >= wanted:
                return found
        else:
            memory[HITS] = 0
        if marks:
            memory[RETURNS] = memory[RETURNS] + 1 if stamps[cell] == memory[STAMP] else 0
            stamps[cell] = memory[STAMP]
            if memory[RETURNS] >= needed[2]:
                return RECURRENT
    return OPEN


@njit(
    f"void(f8[:, :, ::1], {_CELLS}, {_TRACES}, i4[::1], i4[::1], f8[:, ::1], f8[:, ::1], i8[::1], "
    "i8[:, ::1], i8[::1])",
    **OPTIONS,
)
def judge(
    samples, places, low, density, counts, on_circle, points, first, joined, near, turns, labels, stamps,
    lows, highs, needed, memory, outcomes,
):  # fmt: skip
    """Send orbits (members x times x states) through the automaton.

    Parameters
    ----------
    samples
        States at equal times; nan from where an orbit could not be continued.
    places, low, density, counts, on_circle
        The grid: which states it covers, where it begins, cells per unit, cells, and whether the
        state is an angle.
    points, first, joined, near, turns
        The attractors that share cells with others; see `dynlab.attractors.nearness`.
    labels, stamps
        Of each cell: 1 + the attractor it belongs to, 0 for none; and who was here last (empty to
        look for no returns).
    lows, highs
        Between which states each attractor lies.
    needed
        How many hits, samples outside, and returns decide.
    memory, outcomes
        A row, and an answer, for each orbit.
    """
    for member in range(samples.shape[0]):
        outcomes[member] = _follow(
            samples[member], places, low, density, counts, on_circle, points, first, joined, near, turns,
            labels, stamps, lows, highs, needed, memory[member],
        )  # fmt: skip


@njit(f"i8(f8[:, ::1], {_CELLS}, i4[::1], i4, f8[::1])", **OPTIONS)
def mark(points, places, low, density, counts, on_circle, labels, label, here):
    """Give the cells within half a cell of some points to an attractor; return how many were free.

    Cells that belong to another one stay with that.
    """
    fresh = 0
    axes = places.size
    for row in range(points.shape[0]):
        for corner in range(1 << axes):
            for i in range(here.size):
                here[i] = points[row, i]
            for axis in range(axes):
                side = 1.0 if corner >> axis & 1 else -1.0
                here[places[axis]] += 0.5 * side / density[axis]
            cell = cell_of(here, places, low, density, counts, on_circle)
            if cell >= 0 and labels[cell] == 0:
                labels[cell] = label
                fresh += 1
    return fresh
