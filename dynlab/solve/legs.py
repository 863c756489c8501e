"""Legs: a run that is interrupted by events, and by times at which the right-hand side jumps.

A leg is a stretch without interruption: the loops of the method begin, take steps and end at an
event, at a break time, at the end of a refractory time, or at the end of the run.  Then resets apply
(`dynlab.kernels.resets` says in which order) and the loops begin again.  Arrays and compiled code
are made once per run; refractory times, in which states stand still, have a right-hand side of
their own.

At a break time a leg ends `GAP` units of rounding before it, and the next begins as many after it, so
that the right-hand side is never evaluated on the wrong side of its jump.

Two things could go on for ever.  Intervals between events of one guard that shrink geometrically
accumulate in a finite time (Zeno: a bouncing ball comes to rest); the run ends when what remains is
below `REST` of the time.  And a surface to which the flow leads from both sides would be passed at
every step (sliding); that is seen at the first passage, where the guard's rate turns around.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import Kernel, kernels_of
from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.kernels import dense, resets
from dynlab.kernels.convention import ACCUMULATION, EVENT, OK, RUNNING, SLIDING
from dynlab.solve.chunks import in_chunks
from dynlab.solve.guards import Found, Guards
from dynlab.solve.pieces import Kept, joined, read, room
from dynlab.solve.trajectory import Occurrences, Steps
from dynlab.status import Status
from dynlab.symbolic.events import Event, in_leg
from dynlab.symbolic.system import System

__all__ = ["GAP", "in_legs", "pause_of"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

#: Units of rounding of the time left free on each side of a break time: conditions on the time are
#: themselves evaluated with some rounding.
GAP = 4
#: Events at one instant, per event of the system, before it is said that they never end.
MOST_TOGETHER = 16
#: Events accumulate when their intervals have shrunk so many times in a row, and what remains of them
#: is this small against the time that has passed.
SHRINKING, REST = 8, 1e-9
#: They also do when so many in a row, of any kind, are closer together than this.
MOST_CLOSE, RESTLESS = 64, 1e-11
#: A surface is only grazed where the flow carries back by less than this part of how it arrived.
GRAZING = 1e-6


def in_legs(
    system: System,
    run: Any,
    run_in: Callable[[System], Any],
    *,
    guards: Guards,
    breaks: Array,
    times: Array | None,
) -> Kept:
    """Run a prepared run through its events and break times.

    Parameters
    ----------
    system
        The system with its events.
    run
        The run, prepared from its start; see `dynlab.solve.integrate`.
    run_in
        Prepares the run of another rule in the same way: that of a refractory time.
    guards
        Crossings to watch, and the events.
    breaks
        Times at which the right-hand side jumps, in the order of the run.
    times
        Times to keep, or None for all steps.
    """
    loops, span = run.loops, float(run.state[run.loops.END])
    _check_direction(system, span)
    plan = _Plan.of(system, guards)
    tape = _Tape(run, times, guards)
    modes = _Modes(system, run_in, guards, {system.rule: (run, *guards.arguments(system))})
    legs = _legs(tape, plan, modes, breaks)
    next(legs)
    status = in_chunks(
        legs.send, lambda: abs(tape.run.state[loops.T]), abs(span), "integrate", run.first_chunk
    )
    for run, *_ in modes.made.values():
        if run.linear is not None and run.linear.failure is not None:
            raise run.linear.failure
    return tape.kept(status)


def _check_direction(system: System, span: float) -> None:
    setting = [event.name for event in system.events if event.reset]
    if span < 0 and setting:
        raise UnsupportedSystemError(
            f"{system.name!r} cannot run backwards (duration={span:g}): event {setting[0]!r} sets the "
            "state anew, and what it was before cannot be told from that. Give a positive duration."
        )


class _Plan(NamedTuple):
    """What the events do, in arrays; one entry per event of the system."""

    first: int
    ends: int
    resets: Indices
    deafens: Indices
    pauses: Array
    held: tuple[frozenset[str], ...]
    directions: Indices
    pausing: bool
    two_sided: bool
    keeps_alive: tuple[Kernel, ...]

    @classmethod
    def of(cls, system: System, guards: Guards) -> _Plan:
        """Compile the resets and evaluate the refractory times."""
        kernels = kernels_of(system)
        made = [kernels.reset(e.name) if e.reset else None for e in system.events]
        pauses = np.array([pause_of(system, event) for event in system.events])
        return cls(
            guards.first,
            guards.ends,
            np.array([0 if kernel is None else kernel.address for kernel in made], np.int64),
            (pauses > 0).astype(np.int64),
            pauses,
            tuple(frozenset(event.held) for event in system.events),
            guards.directions.copy(),
            bool((pauses > 0).any()),
            any(event.direction == 0 for event in system.events),
            tuple(kernel for kernel in made if kernel is not None),
        )


def pause_of(system: System, event: Event) -> float:
    """Return the refractory time of an event; 0 without one."""
    if event.refractory is None:
        return 0.0
    kernel = kernels_of(system).expressions([event.refractory])
    inputs = inputs_of(system)
    found = float(kernel(0.0, np.array(system.start_values), inputs.parameters)[0])
    if not 0.0 <= found < np.inf:
        raise SettingError(
            f"the refractory time of event {event.name!r} of {system.name!r} is {found:g} with these "
            "parameters. Give values for which it is zero or positive."
        )
    return found


class _Modes(NamedTuple):
    """The rules of a run between events, each prepared when first needed."""

    system: System
    run_in: Callable[[System], Any]
    guards: Guards
    made: dict[Any, tuple[Any, Any, tuple[Kernel, ...]]]

    def of(self, held: frozenset[str], sides: tuple[int, ...]) -> tuple[Any, Any]:
        """Return the run and what its loops watch: with held states and guards on given sides."""
        key = held, sides
        if key not in self.made:
            system = in_leg(self.system, held, sides)
            if system.rule not in self.made:
                self.made[system.rule] = (self.run_in(system), *self.guards.arguments(system))
            self.made[key] = self.made[system.rule]
        return self.made[key][:2]


@dataclass(slots=True)
class _Clock:
    """Where the run stands, and where the next leg ends at the latest."""

    end: float
    breaks: list[float]
    plan: _Plan
    now: float = 0.0
    stop: float = 0.0
    pauses: list[float] = field(default_factory=list)
    silent: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pauses = self.plan.pauses.tolist()
        self.silent = [-np.inf] * len(self.pauses)

    @property
    def deaf(self) -> list[int]:
        """The events in their refractory time."""
        if not self.plan.pausing:
            return []
        return [g for g, until in enumerate(self.silent) if until > self.now]

    @property
    def held(self) -> frozenset[str]:
        """The states that stand still."""
        return frozenset().union(*(self.plan.held[g] for g in self.deaf))

    @property
    def directions(self) -> Indices:
        """Directions of all guards, those of deaf events replaced."""
        found = self.plan.directions.copy()
        for g in self.deaf:
            found[self.plan.first + g] = dense.DEAF
        return found

    def leg(self) -> tuple[float, float]:
        """Return between which times the loops run next; a little off where the rule jumps."""
        sign = -1.0 if self.end < 0 else 1.0
        begins, jumps = self.now, False
        while self.breaks and sign * (self.breaks[0] - self.now) <= 0:
            jumps = self.breaks.pop(0) == self.now
        if jumps:
            begins += sign * GAP * np.spacing(abs(self.now))
        self.stop = min([self.end, *(self.silent[g] for g in self.deaf)], key=abs)
        if self.breaks and sign * (self.breaks[0] - self.stop) <= 0:
            self.stop = self.breaks[0]
            return begins, self.stop - sign * GAP * np.spacing(abs(self.stop))
        return begins, self.stop


@dataclass(slots=True)
class _Rhythm:
    """When each event happened last, and how the intervals between them shrink."""

    last: list[float]
    interval: list[float]
    shrunk: list[int]
    at: float = 0.0
    close: int = 0

    def accumulates(self, events: list[int], time: float) -> bool:
        """Note the events of an instant; whether they now follow each other without end."""
        passed = abs(time)
        self.close = self.close + 1 if abs(time - self.at) < RESTLESS * passed else 0
        self.at = time
        ended = self.close > MOST_CLOSE
        for g in events:
            interval, before = abs(time - self.last[g]), self.interval[g]
            self.shrunk[g] = self.shrunk[g] + 1 if interval < before else 0
            self.last[g], self.interval[g] = time, interval
            if self.shrunk[g] >= SHRINKING:
                ended |= interval * interval / (before - interval) < REST * passed
        return ended


class _Tape:
    """What a run in legs leaves: steps, both sides of each jump, crossings, events."""

    def __init__(self, run: Any, times: Array | None, guards: Guards) -> None:
        self.run = run
        self.n = int(run.work.shape[1])
        self.times, self.guards = times, guards
        self.values = np.full((0 if times is None else len(times), self.n), np.nan)
        if times is not None:
            self.values[times == 0.0] = run.work[run.loops.X]
        self.pieces: list[Steps] = []
        self.row = self.total = 0
        self.jumps: list[tuple[int, float, Array]] = []
        self.crossings: list[Found] = []
        self.events: list[tuple[Array, Indices, Array, Array]] = []

    @property
    def is_full(self) -> bool:
        """Whether the last piece has no room left."""
        return self.row == len(self.pieces[-1].starts)

    def turn(self, steps: int) -> None:
        """Take up a new piece with room for so many steps."""
        if self.times is not None:
            read(self.pieces, self.times, self.values)
        self.pieces.append(room(steps, self.run.loops.POWERS, self.n))
        self.row = 0

    def kept(self, status: Status) -> Kept:
        """Return everything in arrays."""
        end, occurred = self.run.end, self._occurrences()
        now, state = end[0], end[1:]
        if self.times is not None:
            read(self.pieces, self.times, self.values)
            self.values[self.times == now] = state
            reached = int(np.sum(np.abs(self.times) <= abs(now)))
            return Kept(status, self.times[:reached], self.values[:reached], None, occurred, end)
        steps = joined(self.pieces, self.run.loops.POWERS, self.n)
        t = np.append(steps.starts, now)
        values = np.vstack([steps.coefficients[:, 0], state])
        if self.jumps:
            places, when, before = zip(*self.jumps, strict=True)
            t = np.insert(t, places, when)
            values = np.insert(values, places, before, axis=0)
        return Kept(status, t, values, steps, occurred, end)

    def _occurrences(self) -> dict[str, Occurrences]:
        guards = self.guards
        found = guards.events(self.crossings)
        if self.events:
            columns = zip(*self.events, strict=True)
            times, kinds, before, after = (np.concatenate(column) for column in columns)
            for g, name in enumerate(guards.names[guards.first :], guards.first):
                of = kinds == g
                found[name] = Occurrences(times[of], before[of], guards.states, after[of])
        return found


class _Room(NamedTuple):
    """Arrays that the events of a run share."""

    crossed: Found
    due: Indices
    order: Indices
    befores: Array
    afters: Array
    scratch: Array

    @classmethod
    def of(cls, guards: Guards, n: int) -> _Room:
        """Make room for the events of one instant."""
        most = MOST_TOGETHER * (1 + len(guards.names) - guards.first)
        count = np.zeros(len(guards.names), np.int64), np.zeros(most, np.int64)
        return cls(guards.room(), *count, np.empty((most, n)), np.empty((most, n)), np.empty(n))


def _legs(tape: _Tape, plan: _Plan, modes: _Modes, breaks: Array) -> Generator[int, int, None]:
    """Yield RUNNING whenever the steps sent in are taken, and at last the status of the run."""
    loops = tape.run.loops
    most, first_step = int(tape.run.tally[loops.MOST_ATTEMPTS]), float(tape.run.state[loops.STEP])
    span, count = float(tape.run.state[loops.END]), len(plan.pauses)
    clock = _Clock(span, breaks.tolist(), plan)
    rhythm = _Rhythm([-np.inf] * count, [np.inf] * count, [0] * count)
    space = _Room.of(tape.guards, tape.n)
    x, happened, arrived, came_to = tape.run.work[loops.X], 0, np.zeros(0), np.zeros(0)
    sides = _first_sides(tape.run, modes)
    tape.turn((yield RUNNING))
    while clock.now != span:
        run, watched = modes.of(clock.held, sides)
        if happened:
            watched[3][dense.SIDE] = came_to  # each mode has guards of its own
        begins, ends = clock.leg()
        run.work[loops.X] = x
        run.state[loops.T], run.state[loops.END], run.state[loops.STEP] = begins, ends, first_step
        run.tally[loops.MOST_ATTEMPTS] = most
        tape.run, status = run, OK
        if (ends - begins) * span > 0:
            order = space.order[:happened]
            status = yield from _leg(
                tape, run, watched, plan, clock, _Before(space, order, arrived)
            )
            most, first_step = most - int(run.tally[loops.ATTEMPTS]), 0.0
        x, happened = run.work[loops.X], 0
        if status == OK:
            clock.now = run.state[loops.T] = clock.stop
        elif status == EVENT and run.tally[loops.ENDED_BY] >= plan.first:
            clock.now = float(run.state[loops.T])
            if plan.two_sided:
                arrived = _rates(run, watched)
            status, happened = _happen(run, watched, plan, tape, space)
            came_to = watched[3][dense.SIDE].copy()
            if plan.two_sided:
                sides = _new_sides(watched, plan, sides)
            events = (space.order[:happened] - plan.first).tolist()
            for g in events:
                clock.silent[g] = clock.now + clock.pauses[g]
            if rhythm.accumulates(events, clock.now):
                status = ACCUMULATION
        if status != OK:
            yield status
    yield OK


class _Before(NamedTuple):
    """What came before a leg: the events at its beginning, and the rates of their guards there."""

    space: _Room
    order: Indices
    arrived: Array


def _leg(
    tape: _Tape, run: Any, watched: Any, plan: _Plan, clock: _Clock, before: _Before
) -> Generator[int, int, int]:
    """Take the steps of one leg and return why it ended."""
    status, space = int(run.loops.begin(*run.arguments)), before.space
    if status == RUNNING and space.due.size:
        if plan.pausing:
            watched[1][:] = clock.directions
        _take_sides(run, watched, plan, before.order)
        if plan.two_sided and _slides(run, watched, plan, before, clock.end):
            return SLIDING
    fresh = True
    while status == RUNNING:
        if tape.is_full:
            tape.turn((yield RUNNING))
        row = tape.row
        status = _take(run, watched, tape, space)
        if fresh and tape.row > row:
            tape.pieces[-1].starts[row], fresh = clock.now, False
    return status


def _take_sides(run: Any, watched: Any, plan: _Plan, happened: Indices) -> None:
    """Note on which side of each guard a leg begins."""
    loops, (values, _, terminal, sides) = run.loops, watched
    resets.set_sides(
        run.state[loops.T], run.state[loops.STEP], run.work[loops.X], *run.arguments[4:],
        terminal[-1] or values, sides, plan.first, plan.resets, happened, len(happened),
    )  # fmt: skip
    run.tally[loops.WATCHING] = 1


def _rates(run: Any, watched: Any) -> Array:
    """Return how fast each guard changes where the run stands."""
    loops, (_, _, terminal, sides) = run.loops, watched
    count = sides.shape[1] // 2
    if not terminal[-1]:
        return np.zeros(count)
    at = run.state[loops.T], run.work[loops.X], *run.arguments[4:]
    dense.call(terminal[-1], *at, sides[dense.TRIAL])
    rates: Array = sides[dense.TRIAL, count:].copy()
    return rates


def _slides(run: Any, watched: Any, plan: _Plan, before: _Before, span: float) -> bool:
    """Whether the flow beyond a surface just reached carries back to it.

    A surface that was jumped over, by the reset of another event, is not one that was reached.
    """
    state, loops, sides = run.state, run.loops, watched[3]
    count = sides.shape[1] // 2
    wide = 2 * resets.SAME * max(abs(state[loops.T]), abs(state[loops.STEP]))
    for g in before.order:
        leaving = sides[dense.NEW, count + g]
        is_reached = abs(sides[dense.VALUE, g]) <= wide * abs(leaving)
        carries_back = leaving * sides[dense.SIDE, g] * span < 0
        if plan.resets[g - plan.first] == 0 and is_reached and carries_back:
            return bool(abs(leaving) > GRAZING * abs(before.arrived[g]))
    return False


def _first_sides(run: Any, modes: _Modes) -> tuple[int, ...]:
    """Return on which side each event's guard is at the start, or is about to be if at zero."""
    values, directions, terminal, sides = modes.made[modes.system.rule][1]
    first, at = modes.guards.first, (run.state[run.loops.T], run.work[run.loops.X])
    if directions.size:
        dense.call(terminal[-1] or values, *at, *run.arguments[4:], sides[dense.TRIAL])
    both = np.sign(sides[dense.TRIAL]).reshape(2, -1)[:, first:]
    found = np.where(both[0] == 0, both[1], both[0])
    return _of_direction_0(modes.guards.directions[first:], found)


def _new_sides(watched: Any, plan: _Plan, before: tuple[int, ...]) -> tuple[int, ...]:
    """Return on which sides the guards are after the events of an instant."""
    found = watched[3][dense.SIDE, plan.first : len(plan.directions)]
    return _of_direction_0(plan.directions[plan.first :], np.where(found == 0, before, found))


def _of_direction_0(directions: Indices, sides: Array) -> tuple[int, ...]:
    """Return the sides of guards that tell them for a whole leg, 0 for the others."""
    return tuple(int(s) if d == 0 else 0 for d, s in zip(directions, sides, strict=True))


def _take(run: Any, watched: Any, tape: _Tape, space: _Room) -> int:
    """Take steps until the piece is full or the leg ends, and note the crossings asked for."""
    loops, piece, row = run.loops, tape.pieces[-1], tape.row
    left = len(piece.starts) - row
    at = piece.starts[row:], piece.sizes[row:], piece.coefficients[row:]
    if space.due.size:
        status = loops.watch(*run.arguments, left, *at, *watched, *space.crossed)
        if tape.guards.first and run.tally[loops.EVENTS]:
            count, (times, kinds, states) = run.tally[loops.EVENTS], space.crossed
            asked = np.flatnonzero(kinds[:count] < tape.guards.first)
            tape.crossings.append((times[asked], kinds[asked], states[asked]))
    else:
        status = loops.record(*run.arguments, left, *at)
    tape.row += int(run.tally[loops.ROWS])
    tape.total += int(run.tally[loops.ROWS])
    return int(status)


def _happen(run: Any, watched: Any, plan: _Plan, tape: _Tape, space: _Room) -> tuple[int, int]:
    """Let the events of this instant happen; return a status and how many there were."""
    loops, (values, directions, _, sides) = run.loops, watched
    time, x, fired = run.state[loops.T], run.work[loops.X], int(run.tally[loops.ENDED_BY])
    piece, row, inputs = tape.pieces[-1], tape.row - 1, run.arguments[4:]
    step = piece.starts[row], piece.sizes[row], piece.coefficients[row]
    ended = resets.meet(
        time, *step, x, *inputs, values, directions, sides, plan.ends, plan.first, fired,
        space.due, space.scratch,
    )  # fmt: skip
    if plan.first:
        _note_missed(time, x, step[1], plan, tape, space)
    if ended >= 0:
        return EVENT, 0
    count = resets.settle(
        time, x, *inputs, values, directions, sides, plan.first, plan.resets, plan.deafens,
        space.due, space.order, space.befores, space.afters,
    )  # fmt: skip
    endless, count = count > len(space.order), min(count, len(space.order))
    order, before = space.order[:count].copy(), space.befores[:count].copy()
    tape.events.append((np.full(count, time), order, before, space.afters[:count].copy()))
    if plan.resets[order - plan.first].any():
        tape.jumps.append((tape.total, float(time), before[0]))
    return ACCUMULATION if endless else OK, count


def _note_missed(
    time: float, x: Array, size: float, plan: _Plan, tape: _Tape, space: _Room
) -> None:
    """Note the crossings asked for that come together with an event and were located after it."""
    for g in range(plan.first):
        if space.due[g]:
            known = [t for t, kinds, _ in tape.crossings[-1:] for t in t[kinds == g]]
            if not any(abs(t - time) <= 2 * resets.SAME * max(abs(t), abs(size)) for t in known):
                tape.crossings.append((np.array([time]), np.array([g]), x[None].copy()))
