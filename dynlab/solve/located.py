"""Networks whose nodes have events, located inside the steps of a method with tolerances.

The run is one compiled loop, `dynlab.kernels.located`; here it is given what it needs and read out.
Between two break times (see `dynlab.solve.breaks`) lies a leg.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import Kernel, kernels_of
from dynlab.errors import DuplicateNameError, SettingError, UnsupportedSystemError
from dynlab.kernels import located
from dynlab.kernels.convention import OK, RUNNING
from dynlab.solve.chunks import in_chunks
from dynlab.solve.clocked import place_in_arrays, sorted_by_event
from dynlab.solve.crossing import Crossing
from dynlab.solve.guards import Found, Guards
from dynlab.solve.legs import GAP, pause_of
from dynlab.solve.pieces import Kept, joined, room
from dynlab.solve.trajectory import Steps
from dynlab.symbolic.events import Event
from dynlab.symbolic.indexed import Element, Reduction
from dynlab.symbolic.node_events import with_held_states
from dynlab.symbolic.system import System

__all__ = ["run_located"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

#: Numbers that a run may keep.
MOST_NUMBERS = 100_000_000
#: Room for events in a chunk beside those of one instant, and for crossings.
EVENTS, CROSSINGS = 1 << 14, 256


def run_located(
    system: System, run_in: Callable[..., Any], *, span: float,
    asked: tuple[tuple[Crossing, ...], tuple[Crossing, ...]], breaks: Array, times: Array | None,
) -> tuple[Kept, dict[str, int]]:  # fmt: skip
    """Run a network through the events of its nodes; return what is kept, and the steps taken.

    Parameters
    ----------
    system
        The network with its events.
    run_in
        Prepares the run of a system with given ``inputs`` by a method with tolerances.
    span
        How long.
    asked
        Crossings to record, and those that end the run.
    breaks
        Times at which the right-hand side jumps.
    times
        Times to keep, or None for all steps.
    """
    if span < 0:
        raise UnsupportedSystemError(
            f"{system.name!r} cannot run backwards: what a reset overwrote cannot be told. Give a "
            "positive duration."
        )
    for crossing in (*asked[0], *asked[1]):
        if crossing.name in system.event_names:
            raise DuplicateNameError(
                f"a crossing and an event of {system.name!r} are both named {crossing.name!r}. Rename one."
            )
    moving, held = with_held_states(system)
    inputs = inputs_of(moving)
    if held:
        # The loop writes there which nodes move; nobody else may see it.
        inputs = inputs._replace(arrays=inputs.arrays.copy())
    run = run_in(moving, inputs=inputs)
    guards = Guards.of(replace(moving, events=()), *asked)
    loop = _Loop(moving, run, guards, held, times)
    legs = _legs(loop, breaks.tolist(), span)
    next(legs)
    status = in_chunks(
        legs.send, lambda: float(run.state[run.loops.T]), span, "integrate", run.first_chunk
    )
    if run.linear is not None and run.linear.failure is not None:
        raise run.linear.failure
    return loop.kept(status), loop.taken


class _Loop:
    """The arrays of a run in the compiled loop, and what it has left so far."""

    def __init__(
        self, system: System, run: Any, guards: Guards, held: dict[str, str], times: Array | None
    ) -> None:
        self.system, self.run, self.asked, self.times = system, run, guards, times
        self.n = int(run.work.shape[1])
        self.plan, self.alive = _plan(system, guards, held)
        size = self.plan[located.OF].shape[1]
        self.guards = np.zeros((located.GUARD_ROWS, size))
        self.guards[located.UNTIL] = self.guards[located.LAST] = -np.inf
        self.guards[located.INTERVAL] = np.inf
        self.clock = np.array([0.0, np.inf, -np.inf, np.inf, located.SHORT])
        self.progress = np.zeros(8, np.int64)
        self.spare = np.zeros(self.n), np.zeros(size)
        wanted = np.empty(0) if times is None else times
        self.sampled = wanted, np.full((len(wanted), self.n), np.nan)
        self.pieces: list[Steps] = []
        self.jumps: list[tuple[Indices, Array]] = []
        self.events: list[tuple[Array, Indices]] = []
        self.crossings: list[Found] = []
        self.rows = 0
        self.taken: dict[str, int] = {}

    def begin(self, now: float, stop: float) -> int:
        """Begin a leg where the last one ended."""
        run, loops, x = self.run, self.run.loops, self.run.work[self.run.loops.X].copy()
        attempts, most = run.tally[loops.ATTEMPTS], run.tally[loops.MOST_ATTEMPTS]
        run.state[loops.T], run.state[loops.END], self.clock[located.STOP] = now, stop, stop
        if self.progress[located.ANEW] or now > 0:
            run.state[loops.STEP] = 0.0
        run.work[loops.X] = x
        status = int(loops.begin(*run.arguments))
        run.tally[loops.MOST_ATTEMPTS] = most - (attempts if now > 0 else 0)
        self.progress[located.ANEW] = 1
        return status

    def take(self, steps: int) -> int:
        """Take up to so many steps.

        What they leave is found in the lists also if the run is interrupted before this function ends; a
        number of -1 marks a row that has not been written.
        """
        run, size = self.run, self.plan[located.OF].shape[1]
        if self.times is None:
            self._require_room()
        recorded = steps if self.times is None else 0
        piece = room(recorded, run.loops.POWERS, self.n)
        jumps = np.full(recorded, -1, np.int64), np.empty((recorded, self.n))
        most = EVENTS + located.TOGETHER + located.TOGETHER_EACH * size
        events = np.empty(most), np.full(most, -1, np.int64)
        most = CROSSINGS + self.asked.first if self.asked.first else 0
        crossings = np.empty(most), np.full(most, -1, np.int64), np.empty((most, self.n))
        self.pieces.append(piece)
        self.jumps.append(jumps)
        self.events.append(events)
        self.crossings.append(crossings)
        written = piece.starts, piece.sizes, piece.coefficients, *jumps
        status = located.advance(
            *run.arguments[:4], run.arguments[4:], steps, self.plan, self.guards, self.clock,
            self.progress, *self.spare, written, self.sampled, events, crossings,
        )  # fmt: skip
        self.rows += int(self.progress[located.ROWS])
        # Rooms are larger than what is in them.
        count = int(self.progress[located.JUMPS])
        self.jumps[-1] = jumps[0][:count].copy(), jumps[1][:count].copy()
        count = int(self.progress[located.FOUND])
        self.events[-1] = events[0][:count].copy(), events[1][:count].copy()
        count = int(self.progress[located.CROSSED])
        times, kinds, states = crossings
        self.crossings[-1] = times[:count].copy(), kinds[:count].copy(), states[:count].copy()
        return int(status)

    def kept(self, status: Any) -> Kept:
        """Return everything in arrays."""
        run = self.run
        end, occurred = run.end, self._occurred()
        now, state = end[0], end[1:]
        if self.times is not None:
            reached = int(self.progress[located.KEPT])
            return Kept(
                status, self.times[:reached], self.sampled[1][:reached], None, occurred, end
            )
        steps = joined(self.pieces, run.loops.POWERS, self.n)
        t = np.append(steps.starts, now)
        values = np.vstack([steps.coefficients[:, 0], state])
        places, before = [np.empty(0, np.int64)], [np.empty((0, self.n))]
        row = 0
        for piece, (rows, states) in zip(self.pieces, self.jumps, strict=True):
            places.append(rows[rows >= 0] + row)
            before.append(states[rows >= 0])
            row += int(np.count_nonzero(piece.sizes))
        where = np.concatenate(places)
        t = np.insert(t, where, t[where])
        values = np.insert(values, where, np.concatenate(before), axis=0)
        return Kept(status, t, values, steps, occurred, end)

    def _occurred(self) -> dict[str, Any]:
        times = np.concatenate([t[g >= 0] for t, g in self.events] or [np.empty(0)])
        found = np.concatenate([g[g >= 0] for _, g in self.events] or [np.empty(0, np.int64)])
        of = self.plan[located.OF][:, found]
        asked = self.asked.events(self.crossings) if self.asked.first else {}
        return asked | sorted_by_event(
            self.system, times, of[located.EVENT_OF], of[located.NODE_OF]
        )

    def _require_room(self) -> None:
        if self.rows * self.n * self.run.loops.POWERS > MOST_NUMBERS:
            raise SettingError(
                f"{self.rows} steps of {self.n} states of {self.system.name!r} fill the memory before "
                f"the end of the run, at t = {self.run.state[self.run.loops.T]:g}. Keep some times: "
                "at=np.linspace(0, duration, 200)."
            )


def _legs(loop: _Loop, breaks: list[float], span: float) -> Generator[int, int, None]:
    """Yield RUNNING whenever the steps sent in are taken, and at last the status of the run."""
    run, loops = loop.run, loop.run.loops
    steps = yield RUNNING
    now = 0.0
    while True:
        jumps = bool(breaks) and breaks[0] == now
        breaks = [b for b in breaks if b > now]
        stop = breaks[0] if breaks else span
        begins = now + GAP * np.spacing(abs(now)) if jumps else now
        ends = stop - GAP * np.spacing(abs(stop)) if breaks else stop
        first, status = len(loop.pieces), OK
        if ends > begins:
            status = loop.begin(begins, ends)
        while status == RUNNING:
            status = loop.take(steps)
            if len(loop.pieces) == first + 1 and len(loop.pieces[-1].starts):
                loop.pieces[-1].starts[0] = now
            if status == RUNNING:
                steps = yield RUNNING
        if status != OK:
            yield status
        for name, count in run.steps.items():
            loop.taken[name] = loop.taken.get(name, 0) + count
        now = run.state[loops.T] = stop
        if stop == span:
            located_now = loop.sampled[0][loop.progress[located.KEPT] :] == span
            loop.sampled[1][loop.progress[located.KEPT] :][located_now] = run.work[loops.X]
            loop.progress[located.KEPT] += int(located_now.sum())
            yield OK


def _plan(
    system: System, guards: Guards, held: dict[str, str]
) -> tuple[tuple[Any, ...], tuple[Kernel, ...]]:
    """Return what the loop is told of the events, and the kernels to keep alive."""
    kernels, bound = kernels_of(system), system.bound
    assert bound is not None
    alive = [kernels.node_guards, kernels.node_guard_rates]
    addresses = [k.address for k in alive] + [0, 0]
    if guards.first:
        asked = kernels.guard(guards.expressions), kernels.expression_rates(guards.expressions)
        alive += asked
        addresses[2:] = [k.address for k in asked]
    integers = np.array([*addresses, guards.first, guards.ends], np.int64)
    counts = [bound.sizes[event.over] for event in system.events]
    read = [_read(system, event) for event in system.events]
    most = max([1, *(len(r) for r in read if r is not None)])
    rows, reads = [], np.zeros((len(counts), 2, most), np.int64)
    for place, (event, found) in enumerate(zip(system.events, read, strict=True)):
        changes = bool(event.reset or event.deliver)
        one = kernels.node_guard(event)
        reset = kernels.node_reset(event) if changes else None
        alive += [one] if reset is None else [one, reset]
        for k, pair in enumerate(found or ()):
            reads[place, :, k] = pair
        rows.append([
            one.address, 0 if reset is None else reset.address,
            int(event.direction == 0 and not changes),
            place_in_arrays(system, held[event.name]) if event.name in held else -1,
            -1 if found is None else len(found),
        ])  # fmt: skip
    of = np.hstack([
        [np.full(guards.first, -1), np.arange(guards.first), guards.directions],
        *([np.full(c, k), np.arange(c), np.full(c, e.direction)]
          for k, (c, e) in enumerate(zip(counts, system.events, strict=True))),
    ]).astype(np.int64)  # fmt: skip
    pauses = np.array([pause_of(system, event) for event in system.events])
    plan = integers, np.array(rows, np.int64), np.ascontiguousarray(of), reads, pauses
    return plan, tuple(alive)


def _read(system: System, event: Event) -> list[tuple[int, int]] | None:
    """Return where the states stand that the guard of node 0 reads, and how far the next node's are.

    None if it reads other nodes as well.
    """
    if event.guard.has(Reduction):
        return None
    found = []
    for atom in event.guard.free_symbols:
        base = atom.base if isinstance(atom, Element) else atom.name
        if base in system.declared:
            found.append((system.blocks[base].start, int(isinstance(atom, Element))))
        elif any(base == between.name for between in system.intermediates):
            return None
    return found
