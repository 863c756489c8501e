"""Stochastic paths with guards: events of the system, crossings to record, and what ends a path."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import sympy
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import Kernel, kernels_of
from dynlab.errors import UnsupportedSystemError
from dynlab.kernels import guarded_paths as loops
from dynlab.kernels import stochastic
from dynlab.kernels.convention import RUNNING
from dynlab.kernels.random import begin_streams
from dynlab.seeds import Seed
from dynlab.solve.chunks import in_chunks
from dynlab.solve.guards import Guards
from dynlab.solve.stochastic_methods import EulerMaruyama, Scheme
from dynlab.solve.trajectory import Occurrences
from dynlab.status import Status
from dynlab.symbolic.derivatives import derivative
from dynlab.symbolic.noise import columns_of
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import TIME, symbol

__all__ = ["Happened", "Watch", "run_guarded"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


class Happened(NamedTuple):
    """Events in the order in which they were found: when, which guard and member, the states before and after."""

    times: Array
    kinds: Integers
    befores: Array
    afters: Array

    def first(self, count: int) -> Happened:
        """Return a copy of the first of them."""
        return Happened(
            self.times[:count].copy(), self.kinds[:count].copy(), self.befores[:count].copy(), self.afters[:count].copy()
        )  # fmt: skip

    @classmethod
    def joined(cls, parts: list[Happened]) -> Happened:
        """Return those of several chunks, one after another."""
        return cls(
            np.concatenate([p.times for p in parts]), np.concatenate([p.kinds for p in parts]),
            np.concatenate([p.befores for p in parts]), np.concatenate([p.afters for p in parts]),
        )  # fmt: skip

    def by_name(self, guards: Guards) -> dict[str, Occurrences]:
        """Return the events of one member by name."""
        found = {}
        for g, name in enumerate(guards.names):
            own = self.kinds[:, 0] == g
            found[name] = Occurrences(
                self.times[own], self.befores[own], guards.states, self.afters[own] if g >= guards.first else None
            )  # fmt: skip
        return found


class Watch(NamedTuple):
    """What the loops are given of the guards of a system without indices."""

    guards: Guards
    plan: Integers
    resets: Integers
    holds: NDArray[np.bool_]
    scheme: Scheme
    key: NDArray[np.uint64]
    levels: Array
    keeps_alive: tuple[Kernel, ...]

    @classmethod
    def of(cls, system: System, guards: Guards, seed: Seed, levels: Array | None = None) -> Watch:
        """Prepare the guards; refuse those that noise would carry over zero without end.

        `levels` are what counts as zero, where that is not 0: numbers that change must not make new code.
        """
        kernels = kernels_of(system)
        states = [symbol(name) for name in system.state_names]
        rows = [[derivative(g, x) for x in states] for g in guards.expressions]
        driven = [_driven(system, row) for row in rows]
        _check(system, guards, driven)
        pauses = [sympy.S.Zero] * guards.first
        pauses += [sympy.S.Zero if e.refractory is None else e.refractory for e in system.events]
        alive = (
            kernels.guard(guards.expressions),
            kernels.expressions([entry for row in rows for entry in row]),
            kernels.expressions(pauses),
            *(kernels.reset(event.name) for event in system.events),
        )
        moving = {*states, TIME}
        pushes = [e for column in columns_of(system) for e in column]
        pushes += [entry for row in rows for entry in row]
        steady = not system.signals and not any(e.free_symbols & moving for e in pushes)
        plan = np.array([*(k.address for k in alive[:3]), guards.ends, guards.first, steady])
        resets = np.zeros(len(guards.names), np.int64)
        resets[guards.first :] = [
            kernel.address if event.reset else 0
            for event, kernel in zip(system.events, alive[3:], strict=True)
        ]
        holds = np.zeros((len(guards.names), len(states)), bool)
        for g, event in enumerate(system.events, guards.first):
            holds[g] = [name in event.held for name in system.state_names]
        scheme = EulerMaruyama(step=1.0).scheme(system)
        key = seed.stream(*b"guards").integers(0, 1 << 64, 4, dtype=np.uint64)
        zero = np.zeros(len(guards.names)) if levels is None else levels
        return cls(guards, plan.astype(np.int64), resets, holds, scheme, key, zero, alive)


def _driven(system: System, gradient: list[sympy.Expr]) -> bool:
    """Whether noise moves a guard directly, so that it has no rate of change."""
    return any(
        sum((g * b for g, b in zip(gradient, column, strict=True)), start=sympy.S.Zero) != 0
        for column in columns_of(system)
    )


def _check(system: System, guards: Guards, driven: list[bool]) -> None:
    for name, moved in list(zip(guards.names, driven, strict=True))[: guards.ends]:
        if moved:
            raise UnsupportedSystemError(
                f"noise drives the crossing {name!r} of {system.name!r} directly: a path that passes it once passes it "
                "infinitely often, so there is nothing to count. End the path there with until=, make it an event with "
                "a reset or a refractory time, or record a quantity without noise of its own."
            )
    for event, moved in zip(system.events, driven[guards.first :], strict=True):
        new = dict(zip([symbol(n) for n in system.state_names], event.map_of(system.state_names), strict=True))  # fmt: skip
        stays = sympy.expand(event.guard.xreplace(new) - event.guard) == 0
        if moved and stays and event.refractory is None:
            raise UnsupportedSystemError(
                f"noise drives the guard of the event {event.name!r} of {system.name!r} directly, and its reset leaves "
                "the guard at zero: it would happen infinitely often at once. Give a reset that leaves the guard, or "
                "refractory=; a surface where the rule jumps needs no event in a system with noise."
            )


class Guarded(NamedTuple):
    """States at the times, how and when and by which guard each member ended, and the events."""

    values: Array
    status: Integers
    ended: Array
    ended_by: Integers
    last: Array
    happened: Happened


def run_guarded(
    paths: Any, watch: Watch, starts: Array, parameters: Array, first: int, *, room: int
) -> Guarded:
    """Run members first, first + 1, ... of `Paths`; stopped ones keep the status RUNNING.

    With room=0 no events are kept.
    """
    members, n = starts.shape
    scheme, own, guards = paths.scheme, watch.scheme, len(watch.guards.names)
    streams, guard_streams = np.empty((2, members, 4), np.uint64)
    begin_streams(paths.key, first, streams)
    begin_streams(watch.key, first, guard_streams)
    values = np.full((members, len(paths.ends), n), np.nan)
    status, ended_by = np.full(members, RUNNING, np.int64), np.full(members, -1)
    ended, last, progress = np.zeros(members), starts.copy(), np.zeros(3, np.int64)
    layers = max(int(scheme.plan[stochastic.LAYERS]), int(own.plan[stochastic.LAYERS]), 1)
    tally = np.zeros(loops.TALLY, np.int64)
    found = Happened(
        np.empty(room), np.empty((room, 2), np.int64), np.empty((room, n)), np.empty((room, n))
    )
    rows = np.zeros((loops.VALUE_ROWS, guards))
    rows[loops.LEVEL] = watch.levels
    z, p, d, k, w = inputs_of(paths.system)
    arguments = (
        scheme.plan, scheme.sources, own.plan, own.sources, paths.ends, paths.sizes, paths.counts, paths.which,
        paths.table, streams, guard_streams, last, np.ascontiguousarray(parameters), progress, status, ended, ended_by,
        values, np.zeros((stochastic.WORK_ROWS, n)), np.zeros((stochastic.SETS, layers, n)),
        np.zeros(max(scheme.normals, 1)), watch.plan, watch.guards.directions, watch.resets, watch.holds,
        np.zeros(own.sources.shape[1]), rows, np.zeros((loops.STATE_ROWS, n)),
        np.zeros((guards, n)), np.zeros((layers, n)), np.zeros(n, bool), tally, *found, z, p, d, k, w,
    )  # fmt: skip
    kept: list[Happened] = []
    each = float(paths.counts.sum())
    before = np.cumsum(paths.counts) - paths.counts

    def take(steps: int) -> int:
        result = int(loops.guarded_paths(*arguments, steps))
        count = int(tally[loops.WRITTEN])
        if count:
            kept.append(found.first(count))
        tally[loops.WRITTEN] = 0
        return result

    def done() -> float:
        segment = min(int(progress[stochastic.SEGMENT]), len(before) - 1)
        return float(progress[0] * each + before[segment] + progress[stochastic.TAKEN])

    how = in_chunks(take, done, each * members, "simulate", 4096)
    at = int(progress[stochastic.MEMBER])
    if how is Status.STOPPED and at < members:
        segment = int(progress[stochastic.SEGMENT])
        begun = paths.ends[segment - 1] if segment else 0.0
        ended[at] = begun + progress[stochastic.TAKEN] * paths.sizes[segment]
    happened = Happened.joined(kept) if kept else found.first(0)
    return Guarded(values, status, ended, ended_by, last, happened)
