"""Paths of a stochastic system between given times, for one run and for many."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import Kernel
from dynlab.codegen.lanes import lane_kernel
from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.kernels import stochastic
from dynlab.kernels.convention import OK, RUNNING
from dynlab.kernels.lane_paths import lane_paths
from dynlab.kernels.lanes import WIDTH
from dynlab.kernels.random import begin_streams
from dynlab.seeds import Seed
from dynlab.solve.chunks import in_chunks
from dynlab.solve.guarded import Guarded, Happened, Watch, run_guarded
from dynlab.solve.guarded_network import NodeWatch, run_guarded_network
from dynlab.solve.guards import Guards
from dynlab.solve.lanes import aligned
from dynlab.solve.stochastic_methods import EulerMaruyama, Scheme, SdeMethod
from dynlab.status import Status
from dynlab.symbolic.noise import ito_drift
from dynlab.symbolic.system import System
from dynlab.symbolic.transforms import step_flow

__all__ = ["Found", "Paths", "noisy_steps"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Steps of the first chunk, and of all steps between two kept times at most.
FIRST_STEPS = 4096
MOST_STEPS = 1 << 40
#: Room for the events of a chunk.
EVENTS = 1 << 14


class Found(NamedTuple):
    """States at the times (members x times x states), how and when and where each member ended."""

    values: Array
    status: Integers
    ended: Array
    last: Array


class Paths(NamedTuple):
    """What all members share."""

    system: System
    scheme: Scheme
    ends: Array
    sizes: Array
    counts: Integers
    which: Integers
    table: Array
    key: NDArray[np.uint64]
    lanes: Kernel | None
    watch: Watch | NodeWatch | None = None

    @classmethod
    def of(
        cls,
        system: System,
        method: SdeMethod,
        times: Array,
        seed: Seed,
        guards: Guards | None = None,
    ) -> Paths:
        """Prepare runs from 0 that keep the states at these times, which rise.

        Without `guards` those of the system's events are watched.
        """
        _check(system, method)
        guards = Guards.of(system, (), ()) if guards is None else guards
        gaps = np.diff(times, prepend=0.0)
        wanted = gaps / method.step
        if wanted.max(initial=0.0) > MOST_STEPS:
            raise SettingError(
                f"step is {method.step:g}, so small that {gaps.max():g} takes more than 1e12 steps. Give a "
                "larger one."
            )
        # A gap that is a whole number of steps but for rounding takes that number.
        counts = np.ceil(wanted * (1 - 1e-12)).astype(np.int64)
        sizes = np.divide(gaps, counts, out=np.zeros_like(gaps), where=counts > 0)
        rounded = np.array([float(f"{h:.11e}") for h in sizes])
        different, which = np.unique(rounded, return_inverse=True)
        rows = [method.table(system, float(h)) for h in different if h > 0]
        rows = (
            [np.zeros_like(rows[0])] * (len(different) - len(rows)) + rows
            if rows
            else [np.zeros(1)]
        )
        if not method.needs_table:
            rows, which = [np.zeros(1)], np.zeros(len(times), np.int64)
        key = seed.stream(*b"paths").integers(0, 1 << 64, 4, dtype=np.uint64)
        scheme = method.scheme(system)
        watch = _watch(system, guards, seed)
        return cls(system, scheme, times, sizes, counts, which.astype(np.int64), np.array(rows), key,
                   _lanes(system, scheme), watch)  # fmt: skip

    def many(self, starts: Array, parameters: Array, first: int) -> Found:
        """Run members of an ensemble: in lanes where that is possible, and else as `run` does."""
        lanes = self.lanes
        if self.watch is not None:
            return self._guarded(starts, parameters, first)
        if lanes is None:
            return self.run(starts, parameters, first)
        values, done = self._in_lanes(lanes, starts, parameters, first)
        status = np.full(len(starts), RUNNING, np.int64)
        status[:done] = OK
        found = Found(values, status, np.where(status == OK, self.ends[-1], 0.0), starts.copy())
        # A member that is no number anywhere runs by itself, which says when and why.
        lost = ~np.isfinite(found.values[:, -1]).all(axis=1) & (found.status == OK)
        for member in np.flatnonzero(lost):
            alone = slice(member, member + 1)
            one = self.run(starts[alone], parameters[alone], first + int(member))
            for whole, part in zip(found, one, strict=True):
                whole[alone] = part
        return found

    def _in_lanes(
        self, lanes: Kernel, starts: Array, parameters: Array, first: int
    ) -> tuple[Array, int]:
        """Return the states at the times, and of how many members; fewer than all if stopped."""
        members, n, m = *starts.shape, self.scheme.sources.shape[1]
        streams = np.empty((members + WIDTH, 4), np.uint64)
        begin_streams(self.key, first, streams)
        out = np.full((members, len(self.ends), n), np.nan)
        progress = np.zeros(3, np.int64)
        z, p, d, k, w = inputs_of(self.system)
        arguments = (
            lanes.address, self.scheme.plan, self.scheme.sources, self.ends, self.sizes, self.counts,
            streams, np.empty((5, WIDTH), np.uint64), np.empty(4, np.uint64), starts,
            np.ascontiguousarray(parameters), aligned(2, n, WIDTH),
            aligned(1, parameters.shape[1], WIDTH), aligned(1, m, WIDTH), progress, out,
            aligned(stochastic.BLOCK, m, WIDTH), np.zeros((1, n)), z, p, d, k, w,
        )  # fmt: skip
        total = float(members)
        in_chunks(
            lambda steps: lane_paths(*arguments, steps), lambda: float(progress[0]), total, "simulate",
            FIRST_STEPS,
        )  # fmt: skip
        return out, min(int(progress[stochastic.MEMBER]), members)

    def one(self, start: Array, parameters: Array) -> tuple[Found, dict[str, Any], Happened | None]:
        """Run one path; return it with its events by name, and those of scalar states in their order."""
        starts, rows = np.array([start]), np.array([parameters])
        if self.watch is None:
            return self.run(starts, rows, 0), {}, None
        if isinstance(self.watch, NodeWatch):
            whole = run_guarded_network(self, self.watch, starts, rows, 0, room=EVENTS)
            found = Found(whole.values, whole.status, whole.ended, whole.last)
            return found, dict(whole.by_name(self.system)), None
        ran = self.guarded(starts, rows, 0, room=EVENTS)
        found = Found(ran.values, ran.status, ran.ended, ran.last)
        return found, dict(ran.happened.by_name(self.watch.guards)), ran.happened

    def guarded(self, starts: Array, parameters: Array, first: int, *, room: int) -> Guarded:
        """Run members of scalar states with guards; room is for the events of a chunk, 0 if they are not wanted."""
        assert isinstance(self.watch, Watch)
        return run_guarded(self, self.watch, starts, parameters, first, room=room)

    def _guarded(self, starts: Array, parameters: Array, first: int) -> Found:
        """Run members with events that nobody asks for."""
        if isinstance(self.watch, NodeWatch):
            whole = run_guarded_network(self, self.watch, starts, parameters, first, room=0)
            return Found(whole.values, whole.status, whole.ended, whole.last)
        ran = self.guarded(starts, parameters, first, room=0)
        return Found(ran.values, ran.status, ran.ended, ran.last)

    def run(self, starts: Array, parameters: Array, first: int, note: str = "simulate") -> Found:
        """Run members first, first + 1, ...; stopped ones keep the status RUNNING."""
        members, n = starts.shape
        scheme, inputs = self.scheme, inputs_of(self.system)
        plan = scheme.plan.copy()
        plan[stochastic.NORMALS] = scheme.normals
        streams = np.empty((members, 4), np.uint64)
        begin_streams(self.key, first, streams)
        progress = np.zeros(3, np.int64)
        found = Found(
            np.full((members, len(self.ends), n), np.nan),
            np.full(members, RUNNING, np.int64), np.zeros(members), starts.copy(),
        )  # fmt: skip
        layers = max(int(plan[stochastic.LAYERS]), 1)
        work = np.zeros((stochastic.WORK_ROWS, n))
        sets = np.zeros((stochastic.SETS, layers, n))
        xi = np.zeros(max(stochastic.BLOCK * scheme.normals, 1))
        z, _, d, k, w = inputs
        arguments = (
            plan, scheme.sources, self.ends, self.sizes, self.counts, self.which, self.table, streams,
            found.last, parameters, progress, found.status, found.ended, found.values, work, sets, xi,
            z, inputs.parameters, d, k, w,
        )  # fmt: skip
        total = float(self.counts.sum() * members)
        before = np.cumsum(self.counts) - self.counts

        def done() -> float:
            segment = min(int(progress[stochastic.SEGMENT]), len(before) - 1)
            each = total / members
            return float(progress[0] * each + before[segment] + progress[stochastic.TAKEN])

        ended = in_chunks(
            lambda steps: stochastic.paths(*arguments, steps), done, total, note, FIRST_STEPS
        )
        if ended is Status.STOPPED and progress[0] < members:
            segment = int(progress[stochastic.SEGMENT])
            begun = self.ends[segment - 1] if segment else 0.0
            found.ended[progress[0]] = begun + progress[stochastic.TAKEN] * self.sizes[segment]
        return found


def noisy_steps(system: System, method: Any) -> tuple[System, Any]:
    """Return what makes the paths of a system: a map's are Euler's of a flow, in steps of 1.

    Raises
    ------
    SettingError
        If a method is given for a map.
    """
    if not system.is_discrete:
        return system, method
    if method is not None:
        raise SettingError(
            f"method is {method!r}, and {system.name!r} is a map, whose steps are what it says. Leave method out."
        )
    return step_flow(system), EulerMaruyama(step=1.0)


def _watch(system: System, guards: Guards, seed: Seed) -> Watch | NodeWatch | None:
    if not guards.names:
        return None
    if not system.is_indexed:
        return Watch.of(system, guards, seed)
    if guards.first:
        raise UnsupportedSystemError(
            f"{system.name!r} is a network with noise, of which crossings such as {guards.names[0]!r} cannot be recorded or "
            "end a path: the bridge of a quantity of all nodes is not drawn. Write events of its nodes, with_event and a reset or "
            "refractory=, or look at the path afterwards."
        )
    return NodeWatch.of(system, seed)


def _lanes(system: System, scheme: Scheme) -> Kernel | None:
    """Return the drift for lanes, if the scheme is Euler's and the noise private and constant."""
    plan, sources = scheme.plan, scheme.sources
    euler = plan[stochastic.SCHEME] == stochastic.EULER and plan[stochastic.CONSTANT]
    if not euler or plan[stochastic.LAYERS] != 1 or not sources.size or (sources[1] < 0).any():
        return None
    return lane_kernel(ito_drift(system))


def _check(system: System, method: SdeMethod) -> None:
    if not isinstance(method, SdeMethod):
        raise SettingError(
            f"method is {method!r}; {system.name!r} has noise, and needs one with a step for that, such as "
            "dl.EulerMaruyama(step=0.01)."
        )
