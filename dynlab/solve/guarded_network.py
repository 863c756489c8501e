"""Stochastic paths of networks whose nodes have events."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import sympy
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import Kernel, kernels_of
from dynlab.errors import UnsupportedSystemError
from dynlab.kernels import guarded_networks as loops
from dynlab.kernels import stochastic
from dynlab.kernels.convention import RUNNING
from dynlab.kernels.random import begin_streams
from dynlab.seeds import Seed
from dynlab.solve.chunks import in_chunks
from dynlab.solve.clocked import sorted_by_event
from dynlab.solve.stochastic_methods import EulerMaruyama, Scheme
from dynlab.solve.trajectory import NodeEvents
from dynlab.status import Status
from dynlab.symbolic.events import Event
from dynlab.symbolic.indexed import Element, sums_of
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import TIME

__all__ = ["NodeWatch", "run_guarded_network"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


class NodeWatch(NamedTuple):
    """What the loops are given of the events of nodes."""

    plan: Integers
    resets: Integers
    ones: Integers
    counts: Integers
    directions: Integers
    sets: Integers
    holds: Integers
    blocks: Integers
    scheme: Scheme
    key: NDArray[np.uint64]
    keeps_alive: tuple[Kernel, ...]

    @classmethod
    def of(cls, system: System, seed: Seed) -> NodeWatch:
        """Prepare the events; refuse guards that depend on other nodes."""
        for event in system.events:
            _check(system, event)
        assert system.bound is not None
        kernels, scheme = kernels_of(system), EulerMaruyama(step=1.0).scheme(system)
        pauses = [sympy.S.Zero if e.refractory is None else e.refractory for e in system.events]
        shared = (kernels.node_guards, kernels.node_guard_rates, kernels.expressions(pauses))
        resets = tuple(kernels.node_reset(event) for event in system.events)
        ones = tuple(kernels.node_guard(event) for event in system.events)
        # A guard of one state, and no other, has a slope that never changes.
        steady = bool(scheme.plan[stochastic.CONSTANT]) and all(
            _is_steady(e) for e in system.events
        )
        width = max(1, *(max(len(e.reset), len(e.held)) for e in system.events))
        return cls(
            np.array([*(kernel.address for kernel in shared), steady], np.int64),
            np.array([kernel.address for kernel in resets], np.int64),
            np.array([kernel.address for kernel in ones], np.int64),
            np.array([system.bound.sizes[e.over] for e in system.events], np.int64),
            np.array([e.direction for e in system.events], np.int64),
            np.array([_begins(system, [s for s, _ in e.reset], width) for e in system.events], np.int64),
            np.array([_begins(system, e.held, width) for e in system.events], np.int64),
            _driven_blocks(system), scheme, seed.stream(*b"guards").integers(0, 1 << 64, 4, dtype=np.uint64),
            (*shared, *resets, *ones),
        )  # fmt: skip


def _check(system: System, event: Event) -> None:
    if not event.over or sums_of(event.guard):
        raise UnsupportedSystemError(
            f"the guard of the event {event.name!r} of {system.name!r} depends on other nodes, which cannot be run with noise. "
            "Write a guard of the node's own states."
        )
    if not event.reset and event.refractory is None:
        raise UnsupportedSystemError(
            f"the event {event.name!r} of {system.name!r} resets no state of its node: with noise it would happen infinitely "
            "often at once. Give a reset that leaves the guard, or refractory=."
        )


def _is_steady(event: Event) -> bool:
    """Whether the derivatives of a guard by the states are constant."""
    moving = event.guard.atoms(Element)
    return not event.guard.has(TIME) and not any(
        sympy.diff(event.guard, one, two) for one in moving for two in moving
    )


def _begins(system: System, names: Any, width: int) -> list[int]:
    found = [system.blocks[name].start for name in names]
    return found + [-1] * (width - len(found))


def _driven_blocks(system: System) -> Integers:
    """Return layer, begin and end of the states that one number for each node, or one for all, drives together."""
    assert system.noise is not None
    rows: list[tuple[int, int, int]] = []
    for number, layer in enumerate(system.noise.layers):
        if layer.source:
            rows.append((number, 0, len(system.state_names)))
            continue
        driven = zip(system.declared, layer.amplitudes, strict=True)
        blocks = [system.blocks[name] for name, amplitude in driven if amplitude != 0]
        rows += [(number, block.start, block.stop) for block in blocks]
    return np.array(rows, np.int64).reshape(-1, 3)


class Ran(NamedTuple):
    """States at the times, how and when each member ended, and the events: times, then event, node and member."""

    values: Array
    status: Integers
    ended: Array
    last: Array
    times: Array
    kinds: Integers

    def by_name(self, system: System) -> dict[str, NodeEvents]:
        """Return the events of one member by name."""
        return sorted_by_event(system, self.times, self.kinds[:, 0], self.kinds[:, 1])


def run_guarded_network(
    paths: Any, watch: NodeWatch, starts: Array, parameters: Array, first: int, *, room: int
) -> Ran:
    """Run members first, first + 1, ... of `Paths`; stopped ones keep the status RUNNING.  With room=0 no events are kept."""
    members, n = starts.shape
    scheme, own, guards = paths.scheme, watch.scheme, int(watch.counts.sum())
    streams, guard_streams = np.empty((2, members, 4), np.uint64)
    begin_streams(paths.key, first, streams)
    begin_streams(watch.key, first, guard_streams)
    values = np.full((members, len(paths.ends), n), np.nan)
    status, ended, last = np.full(members, RUNNING, np.int64), np.zeros(members), starts.copy()
    progress, tally = np.zeros(3, np.int64), np.zeros(1, np.int64)
    layers = max(int(scheme.plan[stochastic.LAYERS]), int(own.plan[stochastic.LAYERS]), 1)
    rows = max(room, 8 * guards) if room else 0
    times, kinds = np.empty(rows), np.empty((rows, 3), np.int64)
    z, p, d, k, w = inputs_of(paths.system)
    arguments = (
        scheme.plan, scheme.sources, own.plan, paths.ends, paths.sizes, paths.counts, paths.which, paths.table, streams,
        guard_streams, last, np.ascontiguousarray(parameters), progress, status, ended, values,
        np.zeros((stochastic.WORK_ROWS, n)), np.zeros((stochastic.SETS, layers, n)), np.zeros(max(scheme.normals, 1)),
        watch.plan, watch.resets, watch.ones, watch.counts, watch.directions, watch.sets, watch.holds, watch.blocks,
        np.zeros(1), np.zeros((loops.VALUE_ROWS, guards)), np.zeros((loops.STATE_ROWS, n)), np.zeros((layers, n)),
        np.zeros(len(watch.counts)), tally, times, kinds, z, p, d, k, w,
    )  # fmt: skip
    kept: list[tuple[Array, Integers]] = [(times[:0].copy(), kinds[:0].copy())]
    each = float(paths.counts.sum())
    before = np.cumsum(paths.counts) - paths.counts

    def take(steps: int) -> int:
        result = int(loops.guarded_networks(*arguments, steps))
        count = int(tally[0])
        kept.append((times[:count].copy(), kinds[:count].copy()))
        tally[0] = 0
        return result

    def done() -> float:
        segment = min(int(progress[stochastic.SEGMENT]), len(before) - 1)
        return float(progress[0] * each + before[segment] + progress[stochastic.TAKEN])

    how = in_chunks(take, done, each * members, "simulate", max(1, 20_000 // n))
    at = int(progress[stochastic.MEMBER])
    if how is Status.STOPPED and at < members:
        segment = int(progress[stochastic.SEGMENT])
        begun = paths.ends[segment - 1] if segment else 0.0
        ended[at] = begun + progress[stochastic.TAKEN] * paths.sizes[segment]
    return Ran(
        values, status, ended, last, np.concatenate([t for t, _ in kept]), np.concatenate([e for _, e in kept])
    )  # fmt: skip
