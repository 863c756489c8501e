"""Paths of a stochastic system between given times, for one run and for many."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.kernels import stochastic
from dynlab.kernels.convention import RUNNING
from dynlab.kernels.random import begin_streams
from dynlab.seeds import Seed
from dynlab.solve.chunks import in_chunks
from dynlab.solve.stochastic_methods import Scheme, SdeMethod
from dynlab.status import Status
from dynlab.symbolic.system import System

__all__ = ["Found", "Paths"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

#: Steps of the first chunk, and of all steps between two kept times at most.
FIRST_STEPS = 4096
MOST_STEPS = 1 << 40


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

    @classmethod
    def of(cls, system: System, method: SdeMethod, times: Array, seed: Seed) -> Paths:
        """Prepare runs from 0 that keep the states at these times, which rise."""
        _check(system, method)
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
        return cls(system, method.scheme(system), times, sizes, counts, which.astype(np.int64),
                   np.array(rows), key)  # fmt: skip

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


def _check(system: System, method: SdeMethod) -> None:
    if not isinstance(method, SdeMethod):
        raise SettingError(
            f"method is {method!r}; {system.name!r} has noise, and needs one with a step for that, such as "
            "dl.EulerMaruyama(step=0.01)."
        )
    if system.events:
        raise UnsupportedSystemError(
            f"{system.name!r} has noise and the event {system.events[0].name!r}, which cannot be run "
            "together yet. Take the system without one of them."
        )
