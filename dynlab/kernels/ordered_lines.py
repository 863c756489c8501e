"""The quasipotential on a plane: an ordered line integral method.

The least action of a way from an attractor to x obeys a Hamilton-Jacobi equation whose characteristics are the ways of
least action.  Nodes are settled in the order of their values, as in Dijkstra's method; the value of a node is the least of
values on the front of settled nodes plus the action of a straight line, by the midpoint rule:

    U(x) = min over x_s on edges of the front of   U(x_s) + |d| |f_m| - f_m . d,    d = x - x_s,    f_m in the middle.

Since a way of least action may run at any angle to the front, edges within K cells are tried, not only the nearest (Dahiya and
Cameron 2018, J. Sci. Comput. 75, 1351, algorithm 1: OLIM-MID).  Time and space: N nodes, about K of them at once on the front
near a node.

Coordinates are those in which the noise is alike in all directions.  The drift is given on the grid with half the spacing,
so that middles of two nodes are nodes of it; along an edge it is linear.
"""

from __future__ import annotations

import numpy as np

from dynlab.kernels.convention import RUNNING
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import OPTIONS

__all__ = ["begin", "settle"]

#: What a node is: not reached, with a trial value, settled and on the front, settled and inside.
UNKNOWN, TRIAL, FRONT, INSIDE = 0, 1, 2, 3
#: Halvings for the place on an edge; the action is flat there, so its error is the square of what is left.
HALVINGS = 18

_GRID = "f8[:, :, ::1], f8[:, ::1], i8, f8[::1], i8[::1], i8[::1], i8[::1], i8[::1]"


@njit("void(f8[::1], i8[::1], i8[::1], i8)", **OPTIONS)
def _rise(values, heap, place, k):
    """Move an entry of the heap up to where it belongs."""
    node = heap[k]
    while k > 0:
        above = (k - 1) // 2
        if values[heap[above]] <= values[node]:
            break
        heap[k] = heap[above]
        place[heap[k]] = k
        k = above
    heap[k] = node
    place[node] = k


@njit("void(f8[::1], i8[::1], i8[::1], i8, i8)", **OPTIONS)
def _sink(values, heap, place, size, k):
    """Move an entry of the heap down to where it belongs."""
    node = heap[k]
    while True:
        below = 2 * k + 1
        if below >= size:
            break
        if below + 1 < size and values[heap[below + 1]] < values[heap[below]]:
            below += 1
        if values[heap[below]] >= values[node]:
            break
        heap[k] = heap[below]
        place[heap[k]] = k
        k = below
    heap[k] = node
    place[node] = k


@njit("void(i8, f8, f8[::1], i8[::1], i8[::1], i8[::1], i8[::1])", **OPTIONS)
def _offer(node, value, values, kind, heap, place, size):
    """Give a node a value if it is lower than what it has."""
    if kind[node] == UNKNOWN:
        kind[node] = TRIAL
        values[node] = value
        heap[size[0]] = node
        place[node] = size[0]
        size[0] += 1
        _rise(values, heap, place, place[node])
    elif kind[node] == TRIAL and value < values[node]:
        values[node] = value
        _rise(values, heap, place, place[node])


@njit("f8(f8[:, :, ::1], f8[:, ::1], f8, i8, i8, i8, i8)", **OPTIONS)
def _from_node(drift, basis, value, i0, j0, i, j):
    """Return the value at (i, j) by a straight line from the node (i0, j0)."""
    dx = (i - i0) * basis[0, 0] + (j - j0) * basis[1, 0]
    dy = (i - i0) * basis[0, 1] + (j - j0) * basis[1, 1]
    fx, fy = drift[i0 + i, j0 + j, 0], drift[i0 + i, j0 + j, 1]
    return value + np.sqrt((dx * dx + dy * dy) * (fx * fx + fy * fy)) - fx * dx - fy * dy


@njit("f8(f8[:, :, ::1], f8[:, ::1], f8, f8, i8, i8, i8, i8, i8, i8)", **OPTIONS)
def _from_edge(drift, basis, value0, value1, i0, j0, i1, j1, i, j):
    """Return the value at (i, j) by the best line from inside an edge; the higher end if none is better than its ends."""
    dx = (i - i0) * basis[0, 0] + (j - j0) * basis[1, 0]
    dy = (i - i0) * basis[0, 1] + (j - j0) * basis[1, 1]
    ex = (i0 - i1) * basis[0, 0] + (j0 - j1) * basis[1, 0]
    ey = (i0 - i1) * basis[0, 1] + (j0 - j1) * basis[1, 1]
    fx, fy = drift[i0 + i, j0 + j, 0], drift[i0 + i, j0 + j, 1]
    gx, gy = drift[i1 + i, j1 + j, 0] - fx, drift[i1 + i, j1 + j, 1] - fy
    low, high = 0.0, 1.0
    for turn in range(HALVINGS + 2):
        # The slope at both ends first: without a change of sign the best is an end.
        s = 0.0 if turn == 0 else (1.0 if turn == 1 else 0.5 * (low + high))
        ax, ay = dx + s * ex, dy + s * ey
        bx, by = fx + s * gx, fy + s * gy
        length, speed = np.sqrt(ax * ax + ay * ay), np.sqrt(bx * bx + by * by)
        slope = value1 - value0 - (gx * ax + gy * ay) - (bx * ex + by * ey)
        if length > 0.0:
            slope += speed * (ax * ex + ay * ey) / length
        if speed > 0.0:
            slope += length * (bx * gx + by * gy) / speed
        if (turn == 0 and slope >= 0.0) or (turn == 1 and slope <= 0.0):
            return max(value0, value1) + 1e300
        if turn > 1:
            if slope < 0.0:
                low = s
            else:
                high = s
    s = 0.5 * (low + high)
    ax, ay = dx + s * ex, dy + s * ey
    bx, by = fx + s * gx, fy + s * gy
    action = np.sqrt((ax * ax + ay * ay) * (bx * bx + by * by)) - bx * ax - by * ay
    return value0 + s * (value1 - value0) + action


@njit("void(i8, f8, f8[::1], i8[::1], i8[::1], i8[::1], i8[::1])", **OPTIONS)
def begin(node, value, values, kind, heap, place, size):
    """Give a node close to the attractor its value."""
    _offer(node, value, values, kind, heap, place, size)


@njit(f"f8({_GRID}, i8, i8)", **OPTIONS)
def _best(drift, basis, reach, values, kind, heap, place, size, i, j):
    """Return the least value that the front within reach gives a node that is reached for the first time."""
    rows, columns = (drift.shape[0] + 1) // 2, (drift.shape[1] + 1) // 2
    best = 1e300
    for i0 in range(max(0, i - reach), min(rows, i + reach + 1)):
        for j0 in range(max(0, j - reach), min(columns, j + reach + 1)):
            node = i0 * columns + j0
            if kind[node] != FRONT or (i0 - i) ** 2 + (j0 - j) ** 2 > reach * reach:
                continue
            best = min(best, _from_node(drift, basis, values[node], i0, j0, i, j))
            for turn in range(4):  # each edge once
                i1, j1 = i0 + (0 if turn == 0 else 1), j0 + (1 if turn == 0 else turn - 2)
                if i1 >= rows or j1 < 0 or j1 >= columns:
                    continue
                other = i1 * columns + j1
                if kind[other] == FRONT:
                    best = min(
                        best,
                        _from_edge(drift, basis, values[node], values[other], i0, j0, i1, j1, i, j),
                    )
    return best


@njit("i8(i8[::1], i8, i8, i8, i8)", **OPTIONS)
def _enclosed(kind, rows, columns, i, j):
    """Whether all neighbours of a node are settled."""
    for a in range(max(0, i - 1), min(rows, i + 2)):
        for b in range(max(0, j - 1), min(columns, j + 2)):
            if kind[a * columns + b] < FRONT:
                return 0
    return 1


@njit(f"i8({_GRID}, i8)", **OPTIONS)
def settle(drift, basis, reach, values, kind, heap, place, size, steps):
    """Settle so many nodes; return RUNNING, or 0 if there are no more.

    Parameters
    ----------
    drift
        At the nodes of the grid with half the spacing.
    basis
        The two sides of a cell, a row each.
    reach
        K, in cells.
    values, kind
        Of each node, in rows along the second axis.
    heap, place, size
        The nodes with trial values, the lowest on top; where each stands; how many there are, and are settled.
    steps
        How many nodes.
    """
    rows, columns = (drift.shape[0] + 1) // 2, (drift.shape[1] + 1) // 2
    for _ in range(steps):
        if size[0] == 0:
            return 0
        node = heap[0]
        size[0] -= 1
        if size[0] > 0:
            heap[0] = heap[size[0]]
            place[heap[0]] = 0
            _sink(values, heap, place, size[0], 0)
        kind[node] = FRONT
        size[1] += 1
        i, j = node // columns, node % columns
        # Those with a trial value hear of the new node, and of the edges it makes.
        for a in range(max(0, i - reach), min(rows, i + reach + 1)):
            for b in range(max(0, j - reach), min(columns, j + reach + 1)):
                other = a * columns + b
                if kind[other] != TRIAL or (a - i) ** 2 + (b - j) ** 2 > reach * reach:
                    continue
                value = _from_node(drift, basis, values[node], i, j, a, b)
                for i1 in range(max(0, i - 1), min(rows, i + 2)):
                    for j1 in range(max(0, j - 1), min(columns, j + 2)):
                        third = i1 * columns + j1
                        if third != node and kind[third] == FRONT:
                            value = min(
                                value,
                                _from_edge(
                                    drift, basis, values[node], values[third], i, j, i1, j1, a, b
                                ),
                            )
                _offer(other, value, values, kind, heap, place, size)
        for a in range(max(0, i - 1), min(rows, i + 2)):
            for b in range(max(0, j - 1), min(columns, j + 2)):
                if kind[a * columns + b] == UNKNOWN:
                    value = _best(drift, basis, reach, values, kind, heap, place, size, a, b)
                    _offer(a * columns + b, value, values, kind, heap, place, size)
        for a in range(max(0, i - 1), min(rows, i + 2)):
            for b in range(max(0, j - 1), min(columns, j + 2)):
                if kind[a * columns + b] == FRONT and _enclosed(kind, rows, columns, a, b):
                    kind[a * columns + b] = INSIDE
    return RUNNING
