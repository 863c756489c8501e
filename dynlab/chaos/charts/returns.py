"""The periods of settled orbits for many cells at once: the arrays that the compiled loops want, and their chunks."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.codegen.lanes import lane_kernel
from dynlab.kernels import lane_returns
from dynlab.kernels import run as layout
from dynlab.kernels.convention import RUNNING
from dynlab.kernels.lanes import WIDTH
from dynlab.progress import tick
from dynlab.solve.lanes import aligned
from dynlab.solve.methods import Explicit8
from dynlab.symbolic.quantities import Domain
from dynlab.symbolic.system import System

__all__ = ["NO_PERIOD", "Watch", "watch_returns"]

Array = NDArray[np.float64]
Take = Callable[[int], int]

#: The period of an orbit that was not seen to come again.
NO_PERIOD = lane_returns.NONE
SECONDS = 0.03
MOST, MOST_GROWTH = 1 << 20, 8.0
#: The least number of maxima that a flow has room for.
FEWEST_MAXIMA = 8


class Watch(NamedTuple):
    """What is watched, from when and for how long, and how near counts as the same.

    Parameters
    ----------
    state
        The state of a flow whose maxima are counted.
    begin, duration
        When it begins, and for how long a flow is watched.
    most
        The longest period looked for.
    tolerance
        Relative to the sizes of the states.
    """

    state: str
    begin: float
    duration: float
    most: int
    tolerance: float


def watch_returns(
    system: System, method: Explicit8 | None, watch: Watch
) -> Callable[[Array, Array, Array, NDArray[np.int64], Array], None]:
    """Return what finds the periods of cells in lanes.

    It takes states on the attractor, the least sizes of the states, parameters, and room for periods and their
    lengths, a row for each cell.  It may be called from several threads.
    """
    # Compiled here, not by the first thread while the others wait.
    _ = lane_kernel(system), kernels_of(system).rhs
    turns = np.array([d is Domain.CIRCLE for d in system.domains], float)

    def run(
        starts: Array, sizes: Array, parameters: Array, periods: NDArray[np.int64], lengths: Array
    ) -> None:
        # Turns that were already made would cost digits.
        starts = np.where(turns > 0, np.mod(starts, 2 * np.pi), starts)
        sizes = np.where(turns > 0, 1.0, np.maximum(np.abs(sizes), layout.TINY))
        members = (starts, sizes, parameters, lengths, periods)
        take = (_maps if method is None else _flows)(system, method, watch, turns, members)
        count, began = 1, perf_counter()
        while take(count) == RUNNING and tick(0.0, 1.0):
            growth = min(SECONDS / max(perf_counter() - began, 1e-9), MOST_GROWTH)
            count = int(min(max(1.0, count * growth), MOST))
            began = perf_counter()

    return run


def _maps(
    system: System, _: Explicit8 | None, watch: Watch, turns: Array, members: tuple[Any, ...]
) -> Take:
    lanes, inputs = lane_kernel(system), inputs_of(system)
    assert lanes is not None
    group = (
        aligned(4, members[0].shape[1], WIDTH),
        aligned(1, members[2].shape[1], WIDTH),
        np.zeros(lane_returns.PROGRESS_SIZE, np.int64),
    )
    how = (watch.begin, turns, watch.tolerance, watch.most)
    return lambda count: int(
        lane_returns.maps(lanes.address, *inputs, *how, *members, *group, count)
    )


def _flows(
    system: System, method: Explicit8 | None, watch: Watch, turns: Array, members: tuple[Any, ...]
) -> Take:
    lanes, rhs, inputs = lane_kernel(system), kernels_of(system).rhs, inputs_of(system)
    assert lanes is not None
    assert method is not None
    n = members[0].shape[1]
    state, tally = np.zeros(layout.STATE_SIZE), np.zeros(layout.TALLY_SIZE, np.int64)
    state[layout.T], state[layout.END] = watch.begin, watch.begin + watch.duration
    state[layout.RTOL], state[layout.ATOL] = method.rtol, max(method.atol, layout.TINY)
    state[layout.STEP] = method.first_step or 0.0
    tally[layout.MOST_ATTEMPTS], tally[layout.CHOICE] = method.max_steps, method.choice
    one = (state, tally, np.zeros((layout.WORK_ROWS, n)))
    kept = np.zeros((WIDTH, max(2 * watch.most, FEWEST_MAXIMA), n + 1))
    how = (
        system.state_names.index(watch.state), np.zeros(n), turns, watch.tolerance, watch.most, kept,
    )  # fmt: skip
    group = (
        aligned(1, lane_returns.FLOW_STATE_SIZE, WIDTH),
        aligned(layout.WORK_ROWS, n, WIDTH),
        aligned(1, members[2].shape[1], WIDTH),
        np.full((lane_returns.PLACE_ROWS, WIDTH), lane_returns.NOBODY),
        np.zeros(lane_returns.PROGRESS_SIZE, np.int64),
    )
    return lambda count: int(
        lane_returns.flows(
            lanes.address, rhs.address, *one, *inputs, *how, *members, *group, 64 * count
        )
    )
