"""The growth of a small deviation for many cells at once: the arrays that the compiled loops want, and their chunks."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import Kernel, kernels_of
from dynlab.codegen.lanes import lane_kernel, orbit_kernel
from dynlab.kernels import lane_growth, maps
from dynlab.kernels import run as layout
from dynlab.kernels.convention import RUNNING
from dynlab.kernels.lanes import WIDTH
from dynlab.progress import tick
from dynlab.solve.lanes import aligned
from dynlab.solve.methods import Explicit8
from dynlab.symbolic.deviations import with_deviations
from dynlab.symbolic.system import System

__all__ = ["Grown", "grow_in_lanes"]

Array = NDArray[np.float64]
Take = Callable[[int], int]

#: A chunk should take about this long, and the first has so many rounds.
SECONDS = 0.03
FIRST, MOST, MOST_GROWTH = 64, 1 << 22, 8.0
#: Steps of a map between two looks at how large the deviation has become: a factor of 1e38 in each step
#: is still a number after them.
STRIDE = 8


class Grown(NamedTuple):
    """What became of some cells: log |v| at the times, where each ended, when and how."""

    logs: Array
    finals: Array
    ends: Array
    status: NDArray[np.int64]

    @classmethod
    def room(cls, cells: int, times: int, states: int) -> Grown:
        """Return room for answers; a cell that has none is RUNNING."""
        return cls(
            np.full((cells, times), np.nan),
            np.full((cells, 2 * states), np.nan),
            np.full(cells, np.nan),
            np.full(cells, RUNNING),
        )


def direction(states: int) -> Array:
    """Return the deviation that every cell starts with: of length 1, in no special direction.

    Symmetric systems have invariant directions such as (1, 1) or (1, 0), and one of these would never turn to
    the direction that grows fastest.
    """
    v = np.cos(1.0 + np.sqrt(2.0) * np.arange(states))
    return np.asarray(v / np.linalg.norm(v))


def grow_in_lanes(
    system: System, method: Explicit8 | None, times: Array
) -> Callable[[Array, Array, Grown], None] | None:
    """Return what carries cells and deviations in lanes, or None if this system has no code for them.

    It takes starts and parameters, a row for each cell, and room for the answers.  Cells that it
    gives up stay RUNNING there.  It may be called from several threads.
    """
    if not isinstance(system, System) or system.is_indexed or system.events or system.signals:
        return None
    whole = with_deviations(system, 1)
    lanes = lane_kernel(whole) if method else orbit_kernel(whole)
    if lanes is None:
        return None
    alone = kernels_of(system).rhs
    both = kernels_of(whole).rhs if method else alone

    def run(starts: Array, parameters: Array, room: Grown) -> None:
        rows = np.hstack([starts, np.tile(direction(starts.shape[1]), (len(starts), 1))])
        members = (rows, parameters, times, room.logs, room.finals, room.ends, room.status)
        if method is None:
            take = _maps(system, lanes, alone, members)
        else:
            take = _flows(system, method, (lanes, both, alone), members)
        count, began = FIRST, perf_counter()
        while take(count) == RUNNING and tick(0.0, 1.0):
            growth = min(SECONDS / max(perf_counter() - began, 1e-9), MOST_GROWTH)
            count = int(min(max(1.0, count * growth), MOST))
            began = perf_counter()

    return run


def _lanes(rows: int, numbers: int, parameters: int) -> tuple[NDArray[np.generic], ...]:
    """Return how the lanes stand before they begin."""
    return (
        aligned(1, lane_growth.ROWS, WIDTH),
        aligned(rows, numbers, WIDTH),
        aligned(1, parameters, WIDTH),
        np.full((lane_growth.PLACE_ROWS, WIDTH), lane_growth.NOBODY),
        np.zeros(lane_growth.PROGRESS_SIZE, np.int64),
    )


def _maps(system: System, lanes: Kernel, alone: Kernel, members: tuple[Any, ...]) -> Take:
    rows, parameters = members[0], members[1]
    room = np.zeros((maps.WORK_ROWS, rows.shape[1] // 2))
    group = _lanes(2, rows.shape[1], parameters.shape[1])
    inputs = inputs_of(system)
    return lambda count: int(
        lane_growth.maps(
            lanes.address, alone.address, room, *inputs, STRIDE, *members, *group, count
        )
    )


def _flows(
    system: System,
    method: Explicit8,
    kernels: tuple[Kernel, Kernel, Kernel],
    members: tuple[Any, ...],
) -> Take:
    n2 = members[0].shape[1]
    state = np.zeros(layout.STATE_SIZE)
    tally = np.zeros(layout.TALLY_SIZE, np.int64)
    state[layout.RTOL], state[layout.ATOL] = method.rtol, max(method.atol, layout.TINY)
    state[layout.STEP] = method.first_step or 0.0
    tally[layout.MOST_ATTEMPTS] = method.max_steps
    tally[layout.CHOICE] = method.choice
    one = (state, tally, np.zeros((layout.WORK_ROWS, n2)), np.zeros((layout.WORK_ROWS, n2 // 2)))
    group = _lanes(lane_growth.FLOW_ROWS, n2, members[1].shape[1])
    addresses, inputs = [kernel.address for kernel in kernels], inputs_of(system)
    return lambda count: int(lane_growth.flows(*addresses, *one, *inputs, *members, *group, count))
