"""The search: send orbits through the recurrence automaton, and note each attractor that turns up.

Known attractors are marked on the grid.  Many orbits are judged against them at once, on all threads, each
by itself; those left over after a number of samples are looked at one at a time, from where they are, for
returns.  What such an orbit settles on becomes a new attractor, and the others go on.  New attractors
are noted only between the rounds, so the answer depends neither on the number of threads nor on their
order of work.

An orbit that returns to its cells need not have arrived (a slow spiral, a passage by a saddle): it is
watched in stages, each twice as long as the one before, until the range of its states no longer changes or
a stable fixed point takes it in.  One that stands on an unstable fixed point, having begun exactly on the border
of a basin, stays undecided.  Of two attractors that share a cell each has a distance within which an orbit counts
as on it (`dynlab.attractors.nearness`).  This goes beyond the published automaton, which takes the cells of a set
number of further samples.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.attractors.attractor import Attractor
from dynlab.attractors.nearness import ALONG, Trace, Traces, distances, trace_of
from dynlab.attractors.orbits import Orbits
from dynlab.attractors.recurrence_cells import RecurrenceCells
from dynlab.attractors.recurrences import Recurrences
from dynlab.attractors.verify import (
    Verified,
    cycle_at,
    periodic_orbit_at,
    rest_at,
    verdict_at,
)
from dynlab.cycles.cycle import Cycle
from dynlab.equilibria.find import find_near
from dynlab.equilibria.orbits import PeriodicOrbit, points_of
from dynlab.equilibria.stability import Equilibrium
from dynlab.errors import NotConverged
from dynlab.kernels import recurrence_automaton as automaton
from dynlab.kernels.lanes import WIDTH
from dynlab.point import apart, whole_turns
from dynlab.progress import tick
from dynlab.solve.methods import AdaptiveMethod
from dynlab.solve.threads import on_threads
from dynlab.status import Status

__all__ = ["ESCAPED", "NOT_DONE", "UNDECIDED", "Chart", "Search"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

#: What stands for an orbit that reaches no attractor: it leaves the grid for good or diverges; it does
#: neither within the samples allowed; it was not run, because the computation was stopped.
ESCAPED, UNDECIDED, NOT_DONE = -1, -2, -3
#: Beyond so many attractors the system is taken to have no end of them (it conserves something).
MOST = 200
#: Samples before leftover orbits are looked at singly, and how many more after a new attractor.
FIRST_ROUND, FEW = 256, 64
#: Work is cut into so many pieces, of so many members at most (what a piece costs in Python is then little);
#: samples in a stretch, the first and all later ones; a piece has room for so many numbers.
PIECES, MOST_IN_PIECE, SHORTEST, STRETCH, MOST_NUMBERS = 64, 4096, 8, 64, 1 << 21
#: Stages in which an orbit settles, the first of so many samples; its range may change by this share.
STAGES, FIRST_STAGE, STILL = 9, 256, 0.05
#: An orbit that stays this near to a fixed point, in cells, stands on it.
STANDING = 1e-3
#: Cells are collected until a stretch of so many samples adds less than this share.
COLLECTED, NEW_SHARE, MOST_COLLECTED = 2000, 0.01, 100_000
#: Share of samples in the cells of a known attractor from which on it is the same.
SAME = 0.5
#: Room beside the range of an attractor, as a share of that of orbits leading to it.
ROOM = 0.01
#: States of an attractor that are kept.
KEPT = 2000
#: As near as this points are one, in units of `Search.fine`; and cycles, in cells.
SAME_POINT, SAME_CURVE = 3.0, 0.05
#: What counts as no distance: this part of a cell, and so many times what the method may be off in a step (near the
#: limit of its stability an explicit method dances about a fixed point by some ten times that).
FINE, DANCE = 1e-3, 100.0
#: An orbit on an attractor that shares cells is within this share of the gap between them, or this part of a cell.
SHARE_OF_GAP, NEAREST = 1.0 / 3.0, 0.05
#: An orbit that covers less of the range of an attractor than this share is not on it.
COVERED = 0.5


class Stopped(Exception):
    """The wish to stop came in the middle of a single orbit."""


class Chart(NamedTuple):
    """The attractors known: their marks on the grid, between which states they lie, and where exactly."""

    items: tuple[Attractor, ...]
    labels: NDArray[np.int32]
    lows: Array
    highs: Array
    traces: Traces


class Search:
    """A search under way: it knows the attractors found so far.

    Parameters
    ----------
    orbits, cells, rules
        How orbits are made, the grid, and what decides.
    reach
        How far each state moves along orbits: what is small is measured by this where there are no cells.
    items, labels
        Attractors known from the beginning, and their marks on the grid.
    """

    def __init__(
        self,
        orbits: Orbits,
        cells: RecurrenceCells,
        rules: Recurrences,
        reach: Array,
        items: tuple[Attractor, ...] = (),
        labels: NDArray[np.int32] | None = None,
    ) -> None:
        self.orbits, self.cells, self.rules, self.reach = orbits, cells, rules, reach
        self.status = Status.OK
        self._stamps = np.zeros(0, np.int32)
        self._stamp = 0
        self._traces: dict[int, Trace | None] = {}
        self._needed = np.array([rules.hits, rules.patience, rules.returns])
        self._turning = whole_turns(orbits.system) > 0
        self._shortest = SHORTEST if orbits.in_lanes else FIRST_ROUND
        marks = np.zeros(cells.size, np.int32) if labels is None else labels.ravel()
        n = len(orbits.system.state_names)
        lows, highs = (
            (
                np.array(ends).reshape(-1, n)
                for ends in zip(*((a.low, a.high) for a in items), strict=True)
            )
            if items
            else (np.zeros((0, n)), np.zeros((0, n)))
        )
        self.chart = self._charted(items, marks.astype(np.int32), lows, highs)

    @property
    def items(self) -> tuple[Attractor, ...]:
        """The attractors known, between the states that were seen of them."""
        return tuple(
            replace(item, low=low, high=high)
            for item, low, high in zip(
                self.chart.items, self.chart.lows, self.chart.highs, strict=True
            )
        )

    @property
    def unit(self) -> Array:
        """What distances are measured in: a cell, or a part of how far states move; angles left free count not."""
        unit = np.maximum(1e-3 * self.reach, 1e-6)
        unit[self.cells.places] = self.cells.widths
        free = self._turning.copy()
        free[self.cells.places] = False
        unit[free] = np.inf
        return np.asarray(unit)

    @property
    def fine(self) -> Array:
        """What counts as no distance, in each state."""
        far = np.zeros(len(self.reach))
        ends = self.cells.low, self.cells.low + self.cells.counts * self.cells.widths
        far[self.cells.places] = np.max(np.abs(ends), axis=0)
        method = self.orbits.method
        dance = DANCE * method.rtol if isinstance(method, AdaptiveMethod) else 0.0
        return np.asarray(np.maximum(FINE * self.unit, dance * np.maximum(far, self.reach)))

    def trace(self, label: int) -> Trace | None:
        """Return where an attractor lies, None if that is not known exactly."""
        if label not in self._traces:
            item = self.chart.items[label]
            self._traces[label] = self._trace(item.verified, item.states)
        return self._traces[label]

    def part(self, label: int, gap: float) -> None:
        """Let an orbit count as on an attractor only near to it: another one is `gap` cells from it, in its cells."""
        item, unit = self.chart.items[label], self.unit
        if self.trace(label) is None:
            near = np.full(len(unit), np.inf)
            self.chart.lows[label], self.chart.highs[label] = self._range_of(item)
        else:
            near = np.maximum(min(SHARE_OF_GAP * gap, NEAREST) * unit, self.fine)
            near = near if item.near is None else np.minimum(near, item.near)
        self._put(replace(item, near=near))

    def keep(self, item: Attractor) -> None:
        """Put an attractor as it was before."""
        self._put(item)

    def outcomes(self, states: Array, note: str) -> Labels:
        """Return for each start the attractor it leads to, ESCAPED, UNDECIDED or NOT_DONE."""
        return self.ends(states, note)[0]

    def ends(self, states: Array, note: str) -> tuple[Labels, Array]:
        """Return the outcomes, and the states at which they were decided."""
        current = self.orbits.wrapped(states)
        memory = np.zeros((len(states), automaton.MEMORY_SIZE), np.int64)
        found = np.full(len(states), automaton.OPEN)
        budget, used = FIRST_ROUND, 0
        while True:
            self._round(current, memory, found, budget - used, note)
            used = budget
            left = np.flatnonzero(found == automaton.OPEN)
            if self.status is not Status.OK or not left.size or used >= self.rules.longest:
                break
            known = len(self.chart.items)
            found[left[0]] = self.follow(current[left[0]])
            is_new = len(self.chart.items) > known
            budget = min(used + FEW if is_new else 2 * max(budget, used), self.rules.longest)
        stopped = self.status is not Status.OK
        found[found == automaton.OPEN] = NOT_DONE if stopped else UNDECIDED
        return found, current

    def _round(
        self, current: Array, memory: Labels, found: Labels, samples: int, note: str
    ) -> None:
        """Run all open orbits that many samples further, or until they are decided."""
        left = np.flatnonzero(found == automaton.OPEN)
        if samples <= 0 or not left.size:
            return
        size = max(WIDTH, min(WIDTH * -(-len(left) // (WIDTH * PIECES)), MOST_IN_PIECE))
        pieces = [left[k : k + size] for k in range(0, len(left), size)]
        done = np.zeros(len(pieces))

        def work(place: int) -> None:
            rows, taken, stretch = pieces[place], 0, self._shortest
            while rows.size and taken < samples:
                count = min(
                    stretch, samples - taken, max(1, MOST_NUMBERS // (rows.size * current.shape[1]))
                )
                values, ended = self.orbits.samples(current[rows], count)
                if not tick(0.0, 1.0):
                    return
                answer, mine = np.empty(len(rows), np.int64), np.ascontiguousarray(memory[rows])
                self._judge(values, mine, answer)
                broken = answer == automaton.BROKEN
                answer[broken] = np.where(_is_over(ended[broken]), ESCAPED, UNDECIDED)
                current[rows] = self.orbits.wrapped(values[:, -1])
                memory[rows], found[rows] = mine, answer
                rows, taken = rows[answer == automaton.OPEN], taken + count
                stretch = max(min(2 * stretch, STRETCH), self._shortest)
            done[place] = len(pieces[place])

        status = on_threads(
            [lambda place=place: work(place) for place in range(len(pieces))],  # type: ignore[misc]
            lambda: float(done.sum()), float(len(left)), note,
        )  # fmt: skip
        if status is not Status.OK:
            self.status = status

    def _judge(self, values: Array, memory: Labels, answer: Labels, *, marks: bool = False) -> None:
        stamps = self._stamps if marks else np.zeros(0, np.int32)
        automaton.judge(
            np.ascontiguousarray(values), *self.cells, *self.chart.traces, self.chart.labels, stamps,
            self.chart.lows, self.chart.highs, self._needed, memory, answer,
        )  # fmt: skip

    def follow(self, state: Array) -> int:
        """Follow one orbit until it is decided; note the attractor if it is a new one."""
        if not self._stamps.size:
            self._stamps = np.zeros(self.cells.size, np.int32)
        self._stamp += 1
        memory = np.zeros((1, automaton.MEMORY_SIZE), np.int64)
        memory[0, automaton.STAMP] = self._stamp
        answer, used, count = np.full(1, automaton.OPEN), 0, 64
        low = high = state
        try:
            while used < self.rules.longest:
                values, ended = self._stretch(state, count)
                self._judge(values[None], memory, answer, marks=True)
                taken = int(memory[0, automaton.USED])
                seen = values[: taken - 1] if answer[0] == automaton.BROKEN else values[:taken]
                low, high = np.vstack([low, seen]).min(axis=0), np.vstack([high, seen]).max(axis=0)
                if answer[0] == automaton.BROKEN:
                    return ESCAPED if _is_over(ended) else UNDECIDED
                if answer[0] == automaton.RECURRENT:
                    return self._settled(values[taken - 1], np.maximum(high - low, self.reach))
                if answer[0] != automaton.OPEN:
                    return int(answer[0])
                state, used, count = values[-1], used + count, min(2 * count, 1024)
        except Stopped:
            self.status = Status.STOPPED
            return automaton.OPEN
        return UNDECIDED

    def _stretch(self, state: Array, count: int) -> tuple[Array, Status]:
        """Return so many samples of one orbit."""
        values, ended = self.orbits.samples(self.orbits.wrapped(state)[None], count)
        if ended[0] == Status.RUNNING or not tick(0.0, 1.0):
            raise Stopped
        return values[0], Status(int(ended[0]))

    def _settled(self, state: Array, seen: Array) -> int:
        """Watch a recurrent orbit until it no longer changes; return the attractor it is on."""
        system, size = self.orbits.system, self._sizes(seen)
        memory, answer = np.zeros((1, automaton.MEMORY_SIZE), np.int64), np.zeros(1, np.int64)
        before: tuple[Array, Array] | None = None
        verified: Verified | None = None
        values = state[None]
        for stage in range(STAGES):
            values, ended = self._stretch(state, FIRST_STAGE << stage)
            self._judge(values[None], memory, answer)
            if answer[0] == automaton.BROKEN:
                return ESCAPED if _is_over(ended) else UNDECIDED
            if answer[0] != automaton.OPEN:
                return int(answer[0])
            state, rest = values[-1], rest_at(system, values[-len(values) // 2 :], size, self.fine)
            if rest is not None and (rest.arrives or (stage == STAGES - 1 and rest.nears)):
                verified = rest.point
                break
            if rest is not None and rest.nears:
                continue
            if self._rests_unstably(values[-FIRST_STAGE // 2 :], size):
                return UNDECIDED
            low, high = values.min(axis=0), values.max(axis=0)
            if before is not None and self._is_still(before, (low, high), size):
                verified = self._orbit_at(values, size)
                if verified is not None or not self._has_rest_inside(low, high):
                    break
            before = low, high
        if verified is None and self._creeps(values, size):
            return UNDECIDED
        return self._noted(values, verified, seen, size)

    def _sizes(self, seen: Array) -> Array:
        """Return what is small for each state: a cell, or a part of what was seen; angles are free."""
        size = np.maximum(1e-3 * seen, 1e-12)
        size[self.cells.places] = self.cells.widths
        return np.asarray(size)

    def _is_still(self, before: tuple[Array, Array], now: tuple[Array, Array], size: Array) -> bool:
        """Whether the range of an orbit is what it was."""
        allowed = np.maximum(size, STILL * (now[1] - now[0]))
        allowed[self._turning] = np.inf
        return all(bool(np.all(np.abs(a - b) <= allowed)) for a, b in zip(before, now, strict=True))

    def _creeps(self, values: Array, size: Array) -> bool:
        """Whether an orbit only drifts, so slowly beside its samples that it seems to come back."""
        first, second = np.array_split(values, 2)
        gap = np.maximum(
            second.min(axis=0) - first.max(axis=0), first.min(axis=0) - second.max(axis=0)
        )
        moved = np.ptp(values, axis=0) > STANDING * size
        return bool(np.any((gap > 0) & moved & ~self._turning))

    def _has_rest_inside(self, low: Array, high: Array) -> bool:
        """Whether a stable fixed point lies between the states of an orbit: it may be spiralling in."""
        found = find_near(self.orbits.system, 0.5 * (low + high))
        return (
            found is not None
            and found.is_stable
            and bool(np.all((found.state >= low) & (found.state <= high) | self._turning))
        )

    def _rests_unstably(self, values: Array, size: Array) -> bool:
        """Whether an orbit stands on a fixed point that does not attract: it began on the border of a basin."""
        found = find_near(self.orbits.system, values[-1])
        if found is None or found.unstable_directions == 0:
            return False
        off = np.abs(apart(found.system, values[-1], found.state)) / size
        moved = np.ptp(values, axis=0) / size
        return bool(max(np.max(off), np.max(moved)) < STANDING)

    def _orbit_at(self, values: Array, size: Array) -> Verified | None:
        system = self.orbits.system
        if system.is_discrete:
            return periodic_orbit_at(system, values, size)
        return cycle_at(system, values, size)

    def _noted(self, values: Array, verified: Verified | None, seen: Array, size: Array) -> int:
        """Return the attractor that samples are of: one that is known, or a new one."""
        values = self.orbits.wrapped(values)
        told = [self._is_same(item, verified, values) for item in self.chart.items]
        if True in told:
            return self._joined(self.chart.items[told.index(True)], values, seen)
        for item, same in zip(self.chart.items, told, strict=True):
            if same is None and item.near is not None and self._covers(values, item):
                return self._joined(item, values, seen)
        cells = np.array([automaton.cell_of(x, *self.cells) for x in values[-FIRST_STAGE:]])
        marks = self.chart.labels[cells[cells >= 0]]
        counts = np.bincount(marks, minlength=len(told) + 1)[1:]
        counts = np.where([same is None for same in told], counts, 0)
        if counts.size and counts.max() > SAME * len(cells):
            return self._joined(self.chart.items[int(counts.argmax())], values, seen)
        if not marks.size:
            return ESCAPED
        return self._new(values, verified, seen)

    def _is_same(self, item: Attractor, verified: Verified | None, values: Array) -> bool | None:
        """Whether an orbit is on a known attractor; None where only cells can tell."""
        mine, unit = self._trace(verified, values), self.unit
        theirs = self.trace(item.label)
        if mine is not None and theirs is not None:
            if type(item.verified) is not type(verified):
                return False
            some = mine.points[:: 1 + len(mine.points) // KEPT]
            if theirs.is_curve:
                return bool(np.max(distances(self.orbits.system, some, theirs, unit)) <= SAME_CURVE)
            return bool(
                np.max(distances(self.orbits.system, some, theirs, self.fine)) <= SAME_POINT
            )
        low, high = values.min(axis=0), values.max(axis=0)
        fixed, (lowest, highest) = ~self._turning, self._range_of(item)
        if np.any((low > highest)[fixed] | (high < lowest)[fixed]):
            return False
        if theirs is not None:
            near = distances(self.orbits.system, values[-FIRST_STAGE:], theirs, unit)
            return None if np.max(near) <= 2.0 else False
        return None if mine is None or self._covers(values, item) else False

    def _range_of(self, item: Attractor) -> tuple[Array, Array]:
        """Return between which states an attractor lies, by its own states, with little room."""
        low, high = item.states.min(axis=0), item.states.max(axis=0)
        room = STILL * (high - low) + self.fine
        room[self._turning] = np.inf
        return np.maximum(low - room, item.low), np.minimum(high + room, item.high)

    def _covers(self, values: Array, item: Attractor) -> bool:
        """Whether an orbit covers much of the range of an attractor."""
        low, high = item.states.min(axis=0), item.states.max(axis=0)
        shared = np.minimum(high, values.max(axis=0)) - np.maximum(low, values.min(axis=0))
        wide = ~self._turning & (high - low > self.fine)
        return not np.any((shared < COVERED * (high - low))[wide])

    def _trace(self, verified: Verified | None, samples: Array) -> Trace | None:
        often = isinstance(verified, Cycle) and self._is_strobed
        return trace_of(self.orbits.system, verified, samples if often else None)

    def _joined(self, item: Attractor, values: Array, seen: Array) -> int:
        """Give more cells to a known attractor."""
        label, margin = item.label, self._margin(values, seen)
        self._mark(values, label)
        if item.near is not None and self.trace(label) is None:
            return label  # its range is all that tells it from the other one
        self.chart.lows[label] = np.minimum(self.chart.lows[label], values.min(axis=0) - margin)
        self.chart.highs[label] = np.maximum(self.chart.highs[label], values.max(axis=0) + margin)
        return label

    def _new(self, values: Array, verified: Verified | None, seen: Array) -> int:
        label = len(self.chart.items)
        if label >= MOST:
            raise NotConverged(
                f"more than {MOST} attractors of {self.orbits.system.name!r} were found. A system that "
                "conserves something (an energy, an area) has no attractors, and every orbit looks like "
                "one. If yours has friction, give fewer cells with dl.Recurrences(cells=...).",
                status=Status.TOO_MANY_STEPS,
            )
        shown, marked = self._states_of(values, verified)
        owners = self._owners(shown)
        self._mark(marked, label)
        if verified is None:
            marked = self._collected(marked, label)
            shown = marked[-KEPT:]
        margin = self._margin(marked, seen)
        low, high = marked.min(axis=0) - margin, marked.max(axis=0) + margin
        told = "" if verified else verdict_at(self.orbits.system, marked[-1], self.orbits.step)
        item = Attractor(self.orbits.system, label, shown, verified, low, high, told)
        lows, highs = np.vstack([self.chart.lows, low]), np.vstack([self.chart.highs, high])
        self.chart = self._charted((*self.chart.items, item), self.chart.labels, lows, highs)
        for owner in owners:
            gap = self._gap(owner, label)
            self.part(owner, gap)
            self.part(label, gap)
        return label

    def _owners(self, states: Array) -> list[int]:
        """Return the attractors that have cells in which these states are."""
        cells = np.array([automaton.cell_of(x, *self.cells) for x in states])
        marks = np.unique(self.chart.labels[cells[cells >= 0]])
        return [int(mark) - 1 for mark in marks if mark > 0]

    def _gap(self, one: int, other: int) -> float:
        """Return how far apart two attractors are, in cells; infinity where that is not known."""
        a, b = self.trace(one), self.trace(other)
        if a is None or b is None:
            return np.inf
        return float(np.min(distances(self.orbits.system, a.points, b, self.unit)))

    def _charted(
        self, items: tuple[Attractor, ...], labels: NDArray[np.int32], lows: Array, highs: Array
    ) -> Chart:
        """Return the chart, with the traces of those that share cells."""
        n = len(self.orbits.system.state_names)
        near = np.array([np.full(n, np.nan) if a.near is None else a.near for a in items])
        traces = [None if a.near is None else self._trace(a.verified, a.states) for a in items]
        return Chart(
            items, labels, lows, highs, Traces.of(self.orbits.system, traces, near.reshape(-1, n))
        )

    def _put(self, item: Attractor) -> None:
        items = tuple(item if old.label == item.label else old for old in self.chart.items)
        self.chart = self._charted(items, *self.chart[1:4])

    def _states_of(self, values: Array, verified: Verified | None) -> tuple[Array, Array]:
        """Return the states that stand for an attractor, and those whose cells are its own."""
        if isinstance(verified, Equilibrium):
            point = self.orbits.wrapped(verified.state[None])
            return point, np.vstack([point, values[-FIRST_STAGE // 2 :]])
        if isinstance(verified, PeriodicOrbit):
            points = points_of(self.orbits.system, verified.state, verified.period)
            points = self.orbits.wrapped(points)
            return points, points
        if isinstance(verified, Cycle) and not self._is_strobed:
            curve = np.asarray(verified.orbit.at(np.linspace(0.0, 1.0, ALONG + 1)))
            return curve[:: ALONG // 400], np.vstack([self.orbits.wrapped(curve), values])
        if isinstance(verified, Cycle):
            often = max(1, round(verified.period / self.orbits.step))
            return values[-often:], values[-FIRST_STAGE // 2 :]
        return values[-KEPT:], values

    @property
    def _is_strobed(self) -> bool:
        """Whether samples show only a part of a cycle: an angle is left free, perhaps a drive's."""
        covered = set(self.cells.places.tolist())
        return any(k not in covered for k in np.flatnonzero(self._turning))

    def _collected(self, values: Array, label: int) -> Array:
        """Follow an orbit on an attractor until it finds hardly any new cells of it."""
        total, state, taken = int(np.sum(self.chart.labels == label + 1)), values[-1], len(values)
        while taken < MOST_COLLECTED:
            stretch, ended = self._stretch(state, COLLECTED)
            if not ended.ok:
                break
            stretch = self.orbits.wrapped(stretch)
            state, taken = stretch[-1], taken + COLLECTED
            fresh, values = self._mark(stretch, label), np.vstack([values, stretch])
            total += fresh
            if fresh < NEW_SHARE * total:
                break
        return values

    def _mark(self, states: Array, label: int) -> int:
        rows = np.ascontiguousarray(states)
        return int(
            automaton.mark(
                rows, *self.cells, self.chart.labels, np.int32(label + 1), np.empty(rows.shape[1])
            )
        )

    def _margin(self, values: Array, seen: Array) -> Array:
        """Return how far beyond its own states an attractor reaches; everywhere for angles."""
        own = values.max(axis=0) - values.min(axis=0)
        size = 1e-9 + 1e-6 * np.abs(values[-1])
        margin = np.maximum(np.maximum(ROOM * seen, STILL * own), size)
        margin[self.cells.places] = self.cells.widths
        margin[self._turning] = np.inf
        return np.asarray(margin)


def _is_over(ended: Status | Labels) -> NDArray[np.bool_]:
    """Whether an orbit ended because it left for good, and not for want of steps."""
    return np.isin(ended, (Status.DIVERGED, Status.LEFT_DOMAIN))
