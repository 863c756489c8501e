"""Members of an ensemble in lanes: the arrays that the compiled loops want, and their chunks."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from time import perf_counter
from types import NoneType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import Kernel, kernels_of
from dynlab.codegen.lanes import lane_kernel
from dynlab.codegen.series import Series
from dynlab.codegen.taylor_lanes import lane_series_of
from dynlab.kernels import lane_members, lane_taylor
from dynlab.kernels import run as layout
from dynlab.kernels.convention import RUNNING
from dynlab.kernels.lanes import WIDTH
from dynlab.progress import tick
from dynlab.solve.methods import Explicit8, OdeMethod
from dynlab.solve.taylor import Taylor, prepare
from dynlab.symbolic.system import System

__all__ = ["Answers", "aligned", "run_in_lanes"]

Array = NDArray[np.float64]

#: A chunk should take about this long, and the first has so many trial steps or steps of a map.
SECONDS = 0.03
FIRST, MOST, MOST_GROWTH = 64, 1 << 22, 8.0


class Answers(NamedTuple):
    """What became of some members: states at the times, and time and status with which each ended."""

    values: Array
    ends: Array
    status: NDArray[np.int64]

    @classmethod
    def room(cls, members: int, times: int, states: int) -> Answers:
        """Return room for answers; a member that has none is RUNNING, a state nan."""
        return cls(
            np.full((members, times, states), np.nan),
            np.full(members, np.nan),
            np.full(members, RUNNING),
        )


class _Task(NamedTuple):
    """What all members share."""

    system: System
    lanes: Kernel
    method: Explicit8 | None
    duration: float
    times: Array


def run_in_lanes(
    system: System, method: OdeMethod | None, duration: float, times: Array
) -> Callable[[Array, Array, Answers], None] | None:
    """Return what runs members in lanes, or None if this system or this method cannot.

    It takes starts and parameters, a row for each member, and room for the answers.  Members that it
    gives up stay RUNNING there.  It may be called from several threads.
    """
    if system.events or type(method) not in (NoneType, Explicit8, Taylor):
        return None  # a method derived from one of them may step otherwise
    if isinstance(method, Taylor):
        series = lane_series_of(system)
        if series is None:
            return None
        return _chunked(functools.partial(_series, system, series, method, duration, times))
    lanes = lane_kernel(system)
    if lanes is None:
        return None
    explicit = method if isinstance(method, Explicit8) else None
    prepared = _maps if explicit is None else _flows
    return _chunked(functools.partial(prepared, _Task(system, lanes, explicit, duration, times)))


def _chunked(
    prepared: Callable[[Array, Array, Answers], Callable[[int], int]],
) -> Callable[[Array, Array, Answers], None]:
    """Return what runs the prepared loops to their end, in chunks."""

    def run(starts: Array, parameters: Array, answers: Answers) -> None:
        take, count = prepared(starts, parameters, answers), FIRST
        began = perf_counter()
        while take(count) == RUNNING and tick(0.0, 1.0):
            growth = min(SECONDS / max(perf_counter() - began, 1e-9), MOST_GROWTH)
            count = int(min(max(1.0, count * growth), MOST))
            began = perf_counter()

    return run


def aligned(*shape: int) -> Array:
    """Return zeros that begin where a group of lanes may begin: vectors are loaded whole."""
    raw = np.zeros(math.prod(shape) + WIDTH)
    first = -raw.ctypes.data // 8 % WIDTH
    return raw[first : first + math.prod(shape)].reshape(shape)


def _flows(task: _Task, starts: Array, parameters: Array, answers: Answers) -> Callable[[int], int]:
    n, method = starts.shape[1], task.method or Explicit8()
    rhs = kernels_of(task.system).rhs
    state = np.zeros(layout.STATE_SIZE)
    tally = np.zeros(layout.TALLY_SIZE, np.int64)
    state[layout.END] = task.duration
    state[layout.RTOL], state[layout.ATOL] = method.rtol, max(method.atol, layout.TINY)
    state[layout.STEP] = method.first_step or 0.0
    tally[layout.MOST_ATTEMPTS] = method.max_steps
    one = (state, tally, np.zeros((layout.WORK_ROWS, n)), *inputs_of(task.system))
    members = (starts, parameters, task.times, answers.values, answers.ends, answers.status)
    group = (
        aligned(1, lane_members.FLOW_STATE_SIZE, WIDTH),
        aligned(layout.WORK_ROWS, n, WIDTH),
        aligned(1, parameters.shape[1], WIDTH),
        np.full((lane_members.PLACE_ROWS, WIDTH), lane_members.NOBODY),
        np.zeros(lane_members.PROGRESS_SIZE, np.int64),
    )
    return lambda count: int(
        lane_members.flows(task.lanes.address, rhs.address, *one, *members, *group, count)
    )


def _maps(task: _Task, starts: Array, parameters: Array, answers: Answers) -> Callable[[int], int]:
    members = (starts, parameters, task.times, answers.values, answers.ends, answers.status)
    inputs, duration = inputs_of(task.system), int(task.duration)
    group = (
        aligned(2, starts.shape[1], WIDTH),
        aligned(1, parameters.shape[1], WIDTH),
        np.full((lane_members.PLACE_ROWS, WIDTH), lane_members.NOBODY),
        np.zeros(lane_members.PROGRESS_SIZE, np.int64),
    )
    return lambda count: int(
        lane_members.maps(task.lanes.address, *inputs, duration, *members, *group, count)
    )


def _series(  # noqa: PLR0913  (what all members share, and theirs)
    system: System, lanes: Series, method: Taylor, duration: float, times: Array,
    starts: Array, parameters: Array, answers: Answers,
) -> Callable[[int], int]:  # fmt: skip
    n = starts.shape[1]
    one = prepare(system, np.zeros(n), duration, method)
    room = max(lanes.workspace, one.inputs.workspace.size)
    inputs = one.inputs._replace(workspace=np.zeros(room))
    members = (starts, parameters, times, answers.values, answers.ends, answers.status)
    group = (
        aligned(1, lane_taylor.STATE_SIZE, WIDTH),
        aligned(lane_taylor.WORK_ROWS, n, WIDTH),
        aligned(1, parameters.shape[1], WIDTH),
        np.full((lane_taylor.PLACE_ROWS, WIDTH), lane_members.NOBODY),
        np.zeros(lane_taylor.PROGRESS_SIZE, np.int64),
    )
    arguments = (lanes.kernel.address, one.series.address, one.state, one.tally, one.work, *inputs)
    return lambda count: int(lane_taylor.flows(*arguments, *members, *group, count))
