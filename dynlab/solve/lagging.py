"""Runs of systems with delays: the past, the legs between breaking points, and the loop that takes the steps.

See `dynlab.kernels.delayed` for the method.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.kernels import delayed, run
from dynlab.solve.breaks import break_times
from dynlab.solve.chunks import in_chunks
from dynlab.solve.guards import Found, Guards
from dynlab.solve.methods import Automatic, Explicit8, OdeMethod
from dynlab.solve.pieces import Kept
from dynlab.solve.trajectory import Steps
from dynlab.status import Status
from dynlab.symbolic.delays import lag_values
from dynlab.symbolic.system import System

__all__ = ["Lagging", "breaking_points", "run_lagging"]

Array = NDArray[np.float64]

#: Jumps of derivatives up to this many delays on are stepped onto: x' jumps at the start, and the error of a step is made
#: of the ninth derivative.
LEVELS = 9
#: More breaking points than so many are left to the step control.
MOST_POINTS = 100_000
#: Points closer than so many units of rounding are one.
ROUNDING = 64
FIRST_ROOM, FIRST_CHUNK = 1024, 100


def breaking_points(origins: Array, delays: Sequence[float], begin: float, end: float) -> Array:
    """Return where derivatives jump between two times, if they jump at the origins: so many delays later."""
    lags = np.array(sorted({delay for delay in delays if delay > 0}))
    found = level = np.asarray(origins, float)
    for _ in range(LEVELS):
        level = (level[:, None] + lags[None, :]).ravel()
        level = _apart(level[level < end])
        found = np.concatenate([found, level])
        if not level.size or found.size > MOST_POINTS:
            break
    found = _apart(found)
    slack = ROUNDING * np.spacing(max(abs(begin), abs(end)))
    return np.asarray(found[(found > begin + slack) & (found < end - slack)])


def _apart(times: Array) -> Array:
    """Return times in order, without those that differ from the one before by rounding alone."""
    times = np.sort(times)
    keep = np.diff(times, prepend=-np.inf) > ROUNDING * np.spacing(
        np.maximum(np.abs(times), 1e-300)
    )
    return np.asarray(times[keep])


class Lagging:
    """A state with its past, and with deviations that have theirs, now; it moves when it is carried.

    Parameters
    ----------
    system
        A flow with delays.
    past
        Polynomials over the longest delay before the beginning: states, then deviations one after another.
    state
        The state at the beginning with its deviations, in the same order.
    method
        Tolerances; the steps are those of `dynlab.Explicit8`.
    begin
        The time of the beginning, where derivatives jump.

    Attributes
    ----------
    status
        `Status.OK`, or why it cannot be carried further.
    first
        The first row of the past that was written by a step.
    """

    def __init__(
        self, system: System, past: Steps, state: Array, method: OdeMethod, begin: float = 0.0
    ) -> None:
        settings = _explicit(system, method)
        self.system, self.status = system, Status.OK
        n, lags = len(system.state_names), system.delays
        self.vectors = len(state) // n - 1
        self.delays = lag_values(system)
        positive = [delay for delay in self.delays if delay > 0]
        self.longest = max(positive, default=0.0)
        kernels, own = kernels_of(system), inputs_of(system)
        self._alive: tuple[Any, ...] = (kernels.lagged, kernels.product if self.vectors else None)
        head = np.zeros(delayed.HEADER + 2 * len(lags), np.int64)
        head[delayed.INNER], head[delayed.STATES] = kernels.lagged.address, n
        head[delayed.PRODUCT] = kernels.product.address if self.vectors else 0
        head[delayed.VECTORS], head[delayed.LAGS] = self.vectors, len(lags)
        places = [system.state_names.index(lag.state) for lag in lags]
        head[delayed.COLUMNS : delayed.COLUMNS + len(lags)] = places
        space = np.zeros(delayed.room_for(len(lags), n, self.vectors))
        space[delayed.SHORTEST] = min(positive, default=np.inf)
        space[delayed.DELAYS : delayed.DELAYS + len(lags)] = self.delays
        self.k = np.concatenate([head, own.sizes])
        self.inputs = own._replace(sizes=self.k, workspace=np.concatenate([space, own.workspace]))
        self.first = len(past.starts)
        self.k[delayed.COUNT] = self.first
        self._enlarge(past, max(FIRST_ROOM, 2 * self.first))
        self.numbers = np.zeros(run.STATE_SIZE)
        self.tally = np.zeros(run.TALLY_SIZE, np.int64)
        self.work = np.zeros((run.WORK_ROWS, len(state)))
        self.numbers[run.RTOL], self.numbers[run.ATOL] = settings.rtol, max(settings.atol, run.TINY)
        self.numbers[run.STEP], self.numbers[run.T] = settings.first_step or 0.0, begin
        self.tally[run.MOST_ATTEMPTS] = settings.max_steps
        self.work[run.X] = state
        self._origin = begin

    @property
    def t(self) -> float:
        """The time of now."""
        return float(self.numbers[run.T])

    @property
    def state(self) -> Array:
        """The state of now, with its deviations behind it."""
        return np.array(self.work[run.X])

    @property
    def count(self) -> int:
        """How many rows of the past are written."""
        return int(self.k[delayed.COUNT])

    @property
    def past(self) -> Steps:
        """The rows of the past, as they stand there; who changes them changes the past."""
        count = self.count
        return Steps(
            self._room.starts[:count], self._room.sizes[:count], self._room.coefficients[:count]
        )

    @property
    def steps(self) -> int:
        """How many steps were taken since `aim`."""
        return int(self.tally[run.EXPLICIT_STEPS])

    def aim(self, end: float) -> Status:
        """Prepare to be carried from now to a time; `Status.RUNNING` if there is a way to go."""
        begin, attempts = self.t, int(self.tally[run.ATTEMPTS])
        jumps = break_times(self.system, self._origin, end)
        points = breaking_points(np.append(jumps, self._origin), self.delays, begin, end)
        self._ends = np.append(points, end)
        self.k[delayed.LEG] = 0
        workspace = self.inputs.workspace
        workspace[delayed.LEFT], workspace[delayed.RIGHT] = begin, self._ends[0]
        self.numbers[run.END] = self._ends[0]
        self.status = Status(
            run.begin(delayed.rule.address, self.numbers, self.tally, self.work, *self.inputs)
        )
        self.tally[run.ATTEMPTS] = attempts
        return self.status

    def take(self, steps: int, guards: tuple[Any, ...], found: Found) -> int:
        """Take up to so many steps; return a status."""
        room = self._room
        return int(delayed.record(
            delayed.rule.address, self.numbers, self.tally, self.work, *self.inputs, steps, self._ends,
            room.starts, room.sizes, room.coefficients, *guards, *found,
        ))  # fmt: skip

    def make_room(self, *, keep_all: bool = False) -> None:
        """Let go of what no delay reaches any more, and get more room if half of it is still in use."""
        size = len(self._room.starts)
        if self.count < size:
            return
        past, first = self.past, 0
        if not keep_all:
            first = max(
                int(np.searchsorted(past.starts, self.t - self.longest, side="right")) - 2, 0
            )
        kept = Steps(past.starts[first:], past.sizes[first:], past.coefficients[first:])
        self.k[delayed.COUNT] = self.count - first
        self.first -= first
        lags = len(self.delays)
        self.k[delayed.HEADER + lags : delayed.HEADER + 2 * lags] = 0
        self._enlarge(kept, size if 2 * len(kept.starts) <= size else 2 * size)

    def _enlarge(self, past: Steps, size: int) -> None:
        """Put the past into arrays of a size."""
        rows, width = past.starts.size, past.coefficients.shape[2]
        made = Steps(np.zeros(size), np.ones(size), np.zeros((size, run.POWERS, width)))
        made.starts[:rows], made.sizes[:rows] = past.starts, past.sizes
        made.coefficients[:rows] = past.coefficients
        self._room = made
        self.k[delayed.STARTS] = made.starts.ctypes.data
        self.k[delayed.SIZES] = made.sizes.ctypes.data
        self.k[delayed.PIECES] = made.coefficients.ctypes.data


def nothing_to_watch(n: int) -> tuple[tuple[Any, ...], Found]:
    """Return what `Lagging.take` is given where no crossing is looked for."""
    none = np.zeros(0, np.int64)
    guards = (0, none, np.zeros(1, np.int64), np.zeros((6, 0)))
    return guards, (np.zeros(0), none, np.zeros((0, n)))


def _explicit(system: System, method: OdeMethod) -> Explicit8 | Automatic:
    if not isinstance(method, Explicit8 | Automatic):
        raise UnsupportedSystemError(
            f"{system.name!r} has delays, and method={method!r} cannot look into the past. Leave method= out, or give "
            "dl.Explicit8() with tolerances."
        )
    return method


def run_lagging(  # noqa: PLR0913  (what `integrate` was asked)
    system: System, past: Steps, state: Array, span: float, method: OdeMethod, times: Array | None, guards: Guards,
) -> tuple[Kept, int]:  # fmt: skip
    """Run a flow with delays from 0; return what is kept and how many steps were taken."""
    if span < 0:
        raise SettingError(
            f"duration is {span:g}; {system.name!r} has delays, and its past does not follow from its future. Run it "
            "forwards."
        )
    carried = Lagging(system, past, state, method)
    values = np.empty((0 if times is None else len(times), len(state)))
    found: list[Found] = []
    watched, nobody = nothing_to_watch(len(state))
    alive: Any = None
    if guards.names:
        watched, alive = guards.arguments(system)
    if times is not None:
        values[times == 0.0] = state
    read_to = 0.0

    def take(steps: int) -> int:
        nonlocal read_to
        carried.make_room(keep_all=times is None)
        found.append(guards.room() if guards.names else nobody)
        status = carried.take(steps, watched, found[-1])
        if times is not None:
            read_to = _read(carried, times, values, read_to)
        return status

    status = carried.aim(span)
    if status is Status.RUNNING:
        first = FIRST_CHUNK
        status = in_chunks(take, lambda: carried.t, span, "integrate", first)
    del alive
    end = np.append(carried.t, carried.work[run.X])
    events = guards.events(found if guards.names else [])
    if times is None:
        taken = carried.past
        steps = Steps(
            *(
                part[carried.first :].copy()
                for part in (taken.starts, taken.sizes, taken.coefficients)
            )
        )
        t = np.append(steps.starts, end[0])
        return Kept(
            status, t, np.vstack([steps.coefficients[:, 0], end[1:]]), steps, events, end
        ), carried.steps
    values[times == end[0]] = end[1:]
    reached = int(np.sum(times <= end[0]))
    return Kept(status, times[:reached], values[:reached], None, events, end), carried.steps


def _read(carried: Lagging, times: Array, values: Array, since: float) -> float:
    """Write the states at the times between one time and now; return the time of now."""
    now = carried.t
    inside = (times > since) & (times <= now)
    if inside.any():
        values[inside] = carried.past(times[inside])
    return now
