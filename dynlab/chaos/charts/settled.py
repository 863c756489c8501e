"""Cells run past a transient and on: the exponent of each with its standard error, where it is, how it ended."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.charts.cells import Cells
from dynlab.chaos.charts.growth import Grown, grow_in_lanes
from dynlab.chaos.exponents.averages import BATCHES, standard_error
from dynlab.chaos.exponents.deviations import DEFAULT_METHOD
from dynlab.chaos.exponents.exponent import lyapunov_exponent
from dynlab.errors import AccuracyWarning, UnsupportedSystemError
from dynlab.kernels.convention import RUNNING
from dynlab.progress import tick
from dynlab.solve.integrate import integrate
from dynlab.solve.iterate import iterate
from dynlab.solve.methods import Automatic, Explicit8, OdeMethod
from dynlab.solve.threads import on_threads
from dynlab.status import Status
from dynlab.symbolic.dynamics import require
from dynlab.symbolic.signals import require_recorded
from dynlab.symbolic.system import System

__all__ = ["Settled", "checked_system", "run_alone", "settle"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """What became of cells, a row for each.

    Attributes
    ----------
    exponents, errors
        Mean growth rate of a deviation over the run, and its standard error over batches.
    late
        How much log |v| grew over the second half of the run.
    finals
        The states at the end.
    ends, statuses
        The times, and how it went.
    """

    exponents: Array
    errors: Array
    late: Array
    finals: Array
    ends: Array
    statuses: NDArray[np.int64]

    @classmethod
    def room(cls, cells: Cells) -> Settled:
        """Return room for answers; a cell that has none is RUNNING."""
        count = len(cells)
        nan = [np.full(count, np.nan) for _ in range(4)]
        return cls(
            nan[0],
            nan[1],
            nan[2],
            np.full(cells.starts.shape, np.nan),
            nan[3],
            np.full(count, RUNNING),
        )


def checked_system(system: System) -> None:
    """Refuse what is no flow or map by equations."""
    require(system)
    if not isinstance(system, System):
        raise UnsupportedSystemError(
            f"{system!r} cannot be used here: fields and finite times are for flows and maps by equations, and this "
            "is a section of a flow. Take the flow itself."
        )


def settle(
    system: System,
    cells: Cells,
    method: OdeMethod | None,
    spans: tuple[float, float],
    *,
    then: Callable[[Settled, slice], None] | None = None,
    note: str,
) -> Settled:
    """Run all cells on all cores; stopped, those that were not done are STOPPED.

    ``spans`` are the transient and the duration after it.
    ``then`` is called with the rows that were done, in their thread.
    """
    require_recorded(system.signals, 0.0, sum(spans))
    times = _times(system, *spans)
    settled = Settled.room(cells)
    lanes = None
    if method is None or type(method) is Explicit8:
        lanes = grow_in_lanes(system, method, times)

    def work(rows: slice) -> None:
        size = rows.stop - rows.start
        room = Grown.room(size, len(times), cells.starts.shape[1])
        room = room._replace(ends=settled.ends[rows], status=settled.statuses[rows])
        starts, parameters = (
            np.ascontiguousarray(a[rows]) for a in (cells.starts, cells.parameters)
        )
        if lanes is not None:
            lanes(starts, parameters, room)
        _write(room, times, settled, rows)
        for row in range(rows.start, rows.stop):
            if settled.statuses[row] == RUNNING:
                if not tick(0.0, 1.0):
                    return
                run_alone(system, cells, method, spans, settled, row)
        if then is not None:
            then(settled, rows)

    with warnings.catch_warnings():
        # What a cell that runs by itself would warn of is in its standard error.
        warnings.simplefilter("ignore", AccuracyWarning)
        on_threads(
            [lambda rows=rows: work(rows) for rows in cells.pieces()],  # type: ignore[misc]
            lambda: float(np.count_nonzero(settled.statuses != RUNNING)), float(len(cells)), note,
        )  # fmt: skip
    settled.statuses[settled.statuses == RUNNING] = Status.STOPPED
    return settled


def _times(system: System, transient: float, duration: float) -> Array:
    """Return the ends of the transient and of each batch."""
    if duration == 0.0:
        return np.array([transient])
    times = transient + duration * np.arange(BATCHES + 1) / BATCHES
    times[-1] = transient + duration
    return np.floor(times) if system.is_discrete else times


def _write(room: Grown, times: Array, settled: Settled, rows: slice) -> None:
    """Write what the logarithms say."""
    n = settled.finals.shape[1]
    settled.finals[rows] = room.finals[:, :n]
    if len(times) == 1:
        return
    logs, spans = room.logs, np.diff(times)
    with np.errstate(invalid="ignore"):
        settled.exponents[rows] = (logs[:, -1] - logs[:, 0]) / spans.sum()
        settled.errors[rows] = standard_error(spans, np.diff(logs, axis=1).T)
        settled.late[rows] = logs[:, -1] - logs[:, BATCHES // 2]
    # A deviation that became zero has no logarithm to subtract from.
    gone = logs[:, -1] == -np.inf
    settled.exponents[rows][gone] = settled.late[rows][gone] = -np.inf
    settled.errors[rows][np.isnan(settled.exponents[rows])] = np.nan


def run_alone(
    system: System, cells: Cells, method: OdeMethod | None, spans: tuple[float, float],
    settled: Settled, row: int,
) -> None:  # fmt: skip
    """Run one cell by itself; of an orbit that rounding traps the steps before are measured."""
    values = dict(zip(system.parameter_names, cells.parameters[row], strict=False))
    one, start = system(**values), cells.starts[row]
    chosen = _alone(method)
    if spans[1] == 0.0:
        if system.is_discrete:
            found = iterate(one, start=start, duration=int(spans[0]), at=[int(spans[0])])
        else:
            found = integrate(one, start=start, duration=spans[0], at=[spans[0]], method=chosen)
        end, status = found.end, found.status
    else:
        grown = lyapunov_exponent(
            one, start=start, duration=spans[1], transient=spans[0], method=chosen, seed=0
        )
        end, status = grown.spectrum.end, grown.status
        if status.ok or status is Status.ABSORBED:
            settled.exponents[row], settled.errors[row] = grown.value, grown.standard_error
            growth = grown.spectrum.growth
            late = growth.times > growth.times[-1] - 0.5 * spans[1]
            settled.late[row] = growth.logarithms[late].sum()
    if status.ok or status is Status.ABSORBED:
        settled.finals[row] = end[1:]
    settled.ends[row], settled.statuses[row] = end[0], status


def _alone(method: OdeMethod | None) -> OdeMethod:
    """Return the method for a cell that runs by itself, perhaps because it is stiff: to the tolerances given."""
    if method is None or method == Explicit8():
        return DEFAULT_METHOD
    if type(method) is Explicit8:
        return Automatic(method.rtol, method.atol, method.max_steps, method.first_step)
    return method
