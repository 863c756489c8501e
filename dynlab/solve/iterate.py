"""iterate: the orbit of a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.errors import SettingError
from dynlab.kernels import maps
from dynlab.kernels.convention import OK, RUNNING
from dynlab.names import Layout, finite
from dynlab.result import Provenance
from dynlab.solve.chunks import in_chunks
from dynlab.solve.trajectory import Trajectory
from dynlab.status import Status
from dynlab.symbolic.dynamics import Discrete, require
from dynlab.symbolic.system import System

__all__ = ["iterate"]

Array = NDArray[np.float64]

#: So many numbers are kept at most when all steps are: some 16 GB.
MOST_NUMBERS = 2 * 10**9

FIRST_CHUNK = 1000


def iterate(
    system: System,
    *,
    start: Mapping[str, float] | Sequence[float] | None = None,
    duration: int,
    at: Sequence[int] | None = None,
) -> Trajectory:
    """Return the orbit of a map: ``x(t + 1) = f(t, x(t))`` for t = 0, 1, ..., duration.

    Parameters
    ----------
    system
        The map.
    start
        States at t = 0, by name; those not given start from the system's defaults.
    duration
        Number of steps.
    at
        Times to keep, rising, instead of all.

    Returns
    -------
    Trajectory
        If the orbit could not be continued it holds what was reached, and its status says why: it
        diverged, the map is not defined at the last state, or it was stopped.

    Raises
    ------
    SettingError
        If the start, the duration or a time in `at` cannot be used.
    UnknownNameError
        If a state in `start` does not exist.
    UnsupportedSystemError
        If the system is a flow; use `dynlab.integrate`.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.iterated_map
    ... def logistic(x=0.25, *, r=4.0):
    ...     return {x: r * x * (1 - x)}
    >>> dl.iterate(logistic, duration=3)["x"]
    array([0.25, 0.75, 0.75, 0.75])
    """
    require(system, Discrete)
    began = perf_counter()
    steps = _checked_steps(duration)
    times = None if at is None else _checked_times(at, steps)
    if times is None and abs(steps) * len(system.state_names) > MOST_NUMBERS:
        raise SettingError(
            f"{steps} steps of {len(system.state_names)} states would fill the memory. Keep some of them "
            "with at=, such as at=[duration]."
        )
    begin = Layout.of(system).pack(start, system.start_values)
    work = np.tile(begin, (maps.WORK_ROWS, 1))
    progress = np.zeros(2, np.int64)
    arguments = (kernels_of(system).rhs.address, progress, work, *inputs_of(system))
    if times is None:
        status, t, values = _all(arguments, steps)
    else:
        status, t, values = _some(arguments, steps, times)
    return Trajectory(
        system=system,
        t=t,
        values=values,
        steps=None,
        events={},
        end=np.append(float(progress[maps.TIME]), work[maps.X]),
        status=status,
        provenance=Provenance(
            "iterate", system, {"duration": steps}, seconds=perf_counter() - began
        ),
    )


def _checked_steps(duration: int) -> int:
    number = finite(duration, "duration")
    if number < 0 or number != int(number):
        raise SettingError(
            f"duration is {duration!r}; a map runs for a whole number of steps, forwards. "
            "Give an integer that is not negative."
        )
    return int(number)


def _checked_times(at: Sequence[int], steps: int) -> NDArray[np.int64]:
    given = np.array(at, dtype=float, ndmin=1)
    if given.ndim != 1 or not (given == np.floor(given)).all() or (np.diff(given) < 0).any():
        raise SettingError("at holds something else than whole numbers that rise. Give those.")
    if given.size and (given.min() < 0 or given.max() > steps):
        raise SettingError(
            f"at reaches from {given.min():g} to {given.max():g}, but the orbit goes from 0 to "
            f"{steps}. Choose times inside, or a longer duration."
        )
    return given.astype(np.int64)


def _all(arguments: tuple[Any, ...], steps: int) -> tuple[Status, Array, Array]:
    """Iterate and keep every state; a row that has not been written is nan."""
    _, progress, work, *_ = arguments
    pieces = [work[maps.X : maps.X + 1].copy()]

    def take(most: int) -> int:
        pieces.append(np.full((min(most, steps - progress[maps.TIME]), work.shape[1]), np.nan))
        status = maps.iterate(*arguments, pieces[-1])
        return RUNNING if status == OK and progress[maps.TIME] < steps else status

    status = in_chunks(take, lambda: progress[maps.TIME], steps, "iterate", FIRST_CHUNK)
    values = np.concatenate([piece[np.isfinite(piece[:, 0])] for piece in pieces])
    return status, np.arange(len(values), dtype=float), values


def _some(
    arguments: tuple[Any, ...], steps: int, times: NDArray[np.int64]
) -> tuple[Status, Array, Array]:
    """Iterate and keep the states at some times."""
    _, progress, work, *_ = arguments
    out = np.empty((len(times), work.shape[1]))

    def take(most: int) -> int:
        most = min(most, steps - progress[maps.TIME])
        status = maps.sample(*arguments, most, times, out)
        return RUNNING if status == OK and progress[maps.TIME] < steps else status

    status = in_chunks(take, lambda: progress[maps.TIME], steps, "iterate", FIRST_CHUNK)
    written = progress[maps.WRITTEN]
    return status, times[:written].astype(float), out[:written]
