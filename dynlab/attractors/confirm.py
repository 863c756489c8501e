"""Whether orbits that reached the cells of an attractor are on it: what cells cannot tell apart is looked at.

After a search some orbits of each attractor run on.  One that comes to the points or the curve of that attractor is on it.
One that stays off them, or that covers little of an attractor known by its cells alone, is followed by itself; so are the
stable fixed points that Newton's method finds within a cell of one.  Where such an orbit settles on something else, the two
share cells: from then on an orbit must come near to one of them to count (`Search.part`), and those that were counted by
cells are judged anew.

An attractor in the cells of another one is met with 95 % certainty if it takes more than 6 % of the orbits that come
there (`CHECKED`), or if it is a fixed point that Newton's method reaches.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from dynlab.attractors.nearness import Trace, distances
from dynlab.attractors.search import ESCAPED, SAME_CURVE, SAME_POINT, UNDECIDED, Search
from dynlab.attractors.verify import NEARER
from dynlab.equilibria.find import find_near
from dynlab.equilibria.large import is_large
from dynlab.equilibria.stability import Equilibrium
from dynlab.errors import AccuracyWarning
from dynlab.point import whole_turns
from dynlab.status import Status

__all__ = ["confirmed"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

#: So many orbits of each attractor run on; where each runs by itself, so many.
CHECKED, CHECKED_SINGLY = 48, 8
#: They run on for so many samples, then for twice as many, so many times.
SAMPLES, STRETCHES = 256, 5
#: So many of those that stay off are followed, and so often all are judged anew.
FOLLOWED, PASSES = 3, 20
#: Samples of a stretch whose distance is taken; other fixed points are looked for within so many cells.
LOOKED_AT, BESIDE = 32, 2.0
#: An orbit that covers less than this share of the range of an attractor may be on a smaller one.
LITTLE = 0.1
#: Ranges narrower than this, in cells, tell nothing.
NARROW = 1e-2


def confirmed(search: Search, states: Array, note: str) -> Labels:
    """Return the outcomes of a search, after a look at orbits that were judged by cells.

    Warns
    -----
    AccuracyWarning
        If orbits in the cells of an attractor settle on another one, and nothing but cells is known of it.
    """
    found, current = search.ends(states, note)
    crossed: set[int] = set()
    for _ in range(PASSES):
        if search.status is not Status.OK:
            break
        again = _parted(search, current, found, crossed)
        if not again:
            break
        rows = np.isin(found, sorted(again))
        found[rows], current[rows] = search.ends(current[rows], note)
    return found


def _parted(search: Search, current: Array, found: Labels, crossed: set[int]) -> set[int]:
    """Look at the orbits of each attractor; return the attractors whose orbits must be judged anew."""
    again: set[int] = set()
    for item in search.items:
        label = item.label
        suspects: list[tuple[int, Array]] = []
        if label not in crossed:
            crossed.add(label)
            suspects += [(-1, state) for state in _rests_beside(search, label)]
        rows = np.flatnonzero(found == label)
        most = CHECKED if search.orbits.in_lanes else CHECKED_SINGLY
        rows = (
            rows[np.unique(np.linspace(0, max(len(rows) - 1, 0), most).astype(int))]
            if rows.size
            else rows
        )
        doubtful = _off(search, label, current[rows])[:FOLLOWED] if rows.size else []
        suspects += [(int(rows[k]), state) for k, state in doubtful]
        was_parted = item.near is not None
        for row, state in suspects:
            other = _followed(search, label, state)
            if search.status is not Status.OK:
                return set()
            if other in (label, UNDECIDED):
                continue
            if search.trace(label) is not None or not was_parted:
                again.add(label)
            elif row >= 0:
                found[row] = other
                _say_too_large(search, label, other)
    return again


def _followed(search: Search, label: int, state: Array) -> int:
    """Return what an orbit settles on that is in the cells of an attractor, but perhaps not on it."""
    before, known = search.chart.items[label], len(search.items)
    search.part(label, np.inf)
    other = search.follow(state)
    if other in (label, UNDECIDED) and len(search.items) == known:
        search.keep(before)
    return other


def _say_too_large(search: Search, label: int, other: int) -> None:
    """Say that cells are too large, where neither they nor the ranges of states tell."""
    what = "leave the box" if other == ESCAPED else f"settle on attractor {other + 1}"
    warnings.warn(
        f"orbits in the cells of attractor {label + 1} of {search.orbits.system.name!r} "
        f"({search.items[label].kind}) {what}: cells are too large to tell them apart. Give more, with "
        "recurrences=dl.Recurrences(cells=...).",
        AccuracyWarning,
        stacklevel=5,
    )


def _rests_beside(search: Search, label: int) -> list[Array]:
    """Return other stable fixed points that Newton's method finds about a cell from one."""
    item, system = search.items[label], search.orbits.system
    if not isinstance(item.verified, Equilibrium) or is_large(system):
        return []
    unit, here, found = search.unit, Trace(item.verified.state[None], is_curve=False), []
    for place, width in zip(search.cells.places, search.cells.widths, strict=True):
        for side in (-1.0, 1.0):
            start = item.verified.state.copy()
            start[place] += side * width
            other = find_near(system, start)
            if other is None or not other.is_stable:
                continue
            gap, fine = (
                float(distances(system, other.state[None], here, u)[0]) for u in (unit, search.fine)
            )
            if fine > SAME_POINT and gap < BESIDE:
                found.append(other.state)
    return found[:FOLLOWED]


def _off(search: Search, label: int, states: Array) -> list[tuple[int, Array]]:
    """Return the orbits that stay off an attractor in whose cells they are: which, and where they are now."""
    active, off = np.arange(len(states)), []
    states = search.orbits.wrapped(states)
    for stretch in range(STRETCHES):
        values, ended = search.orbits.samples(states, SAMPLES << stretch)
        if np.any(ended == Status.RUNNING):
            return []
        doubt = np.array([_doubt(search, label, row) for row in values])
        last = search.orbits.wrapped(np.where(np.isfinite(values[:, -1]), values[:, -1], states))
        off += [(int(k), x) for k, x, d in zip(active, last, doubt, strict=True) if d > 0]
        if search.trace(label) is None and stretch < 2:
            doubt[doubt > 0], off = 0, []  # it may cover more of it later
        active, states = active[doubt == 0], last[doubt == 0]
        if not active.size:
            break
    return off


def _doubt(search: Search, label: int, values: Array) -> int:
    """Return 1 if an orbit stays off an attractor, -1 if it is on it, 0 if that is open."""
    item, system, unit = search.items[label], search.orbits.system, search.unit
    if not np.isfinite(values).all():
        return 1
    trace = search.trace(label)
    if trace is None:
        low, high = item.states.min(axis=0), item.states.max(axis=0)
        shared = np.minimum(high, values.max(axis=0)) - np.maximum(low, values.min(axis=0))
        counts = (whole_turns(system) == 0) & (high - low > unit * NARROW)
        if np.any((shared < LITTLE * (high - low))[counts]):
            return 1
        room = LITTLE * (high - low) + NARROW * unit
        last = values[-len(values) // 4 :]
        away = np.all(last > high + room, axis=0) | np.all(last < low - room, axis=0)
        return 1 if np.any(away[whole_turns(system) == 0]) else -1
    some = values[:: max(1, len(values) // LOOKED_AT)]
    early, late = np.array_split(some, 2)
    before, now = (float(np.max(distances(system, half, trace, unit))) for half in (early, late))
    fine = float(np.max(distances(system, late, trace, search.fine)))
    if now <= 0.5 * before or fine <= 1.0 or (trace.is_curve and now <= SAME_CURVE):
        return -1
    return 0 if now < NEARER * before else 1
