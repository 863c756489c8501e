"""integrate: the trajectory of a flow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import Kernel, kernels_of
from dynlab.errors import DuplicateNameError, SettingError
from dynlab.kernels import dense
from dynlab.kernels.convention import RUNNING
from dynlab.names import Layout, finite
from dynlab.result import Provenance
from dynlab.solve.chunks import in_chunks
from dynlab.solve.crossing import Crossing
from dynlab.solve.linear_algebra import LinearAlgebra, linear_algebra_of
from dynlab.solve.methods import AdaptiveMethod, Automatic, OdeMethod
from dynlab.solve.symplectic import SymplecticMethod, prepare
from dynlab.solve.trajectory import Occurrences, Steps, Trajectory
from dynlab.status import Status
from dynlab.symbolic.dynamics import Continuous, require
from dynlab.symbolic.signals import require_recorded
from dynlab.symbolic.system import System

__all__ = ["integrate"]

Array = NDArray[np.float64]
DEFAULT_METHOD = Automatic()

#: Room for crossings in one chunk.
CROSSINGS = 512
#: The first chunk: so many seconds, if the right-hand side costs what it cost while preparing.
FIRST_SECONDS = 0.02
EVALUATIONS_PER_STEP = 16
#: The first chunk of equal steps.
FIRST_STEPS = 100


def integrate(  # noqa: PLR0913  (what, from where, how long, what to keep, when to stop, how)
    system: System,
    *,
    start: Mapping[str, float] | Sequence[float] | None = None,
    duration: float,
    at: Sequence[float] | None = None,
    record: Crossing | Sequence[Crossing] = (),
    until: Crossing | Sequence[Crossing] = (),
    method: OdeMethod = DEFAULT_METHOD,
) -> Trajectory:
    """Return the trajectory of a flow from a start over some time.

    Solves ``x' = f(t, x)`` from ``t = 0`` to ``t = duration`` with a method of adaptive step size.
    The step sizes follow the solution; states at any time in between are had from the
    trajectory with `Trajectory.at`.

    Parameters
    ----------
    system
        The flow.
    start
        States at t = 0, by name; those not given start from the system's defaults.
    duration
        How long, in the system's unit of time.  Negative runs backwards.
    at
        Times to keep, in the order of the run, instead of all steps: ``at=[duration]`` keeps the
        last state alone and is the fastest.
    record
        Crossings to note in ``trajectory.events``.  One that is at zero at the start does not count
        there.
    until
        Crossings that end the run, with `Status.EVENT`.
    method
        Method and tolerances.

    Returns
    -------
    Trajectory
        If the run could not reach its end it holds what was reached, and its status says why: the
        state diverged, the equations are not defined further on, too many steps, stopped.

    Raises
    ------
    SettingError
        If the start, the duration or a time in `at` cannot be used.
    UnknownNameError
        If a state in `start` or a quantity in a crossing does not exist.
    UnsupportedSystemError
        If the system is a map; use `dynlab.iterate`.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def oscillator(x=1.0, v=0.0, *, omega=2.0):
    ...     return {x: v, v: -omega**2 * x}
    >>> run = dl.integrate(oscillator, duration=10, record=dl.Crossing("top", lambda v: v, -1))
    >>> run.events["top"].times.round(6)
    array([3.141593, 6.283185, 9.424778])
    >>> run.at([0.5, 1.0])["x"].round(6)
    array([ 0.540302, -0.416147])
    """
    require(system, Continuous)
    began = perf_counter()
    span = finite(duration, "duration")
    require_recorded(system.signals, 0.0, span)
    times = None if at is None else _checked_times(at, span)
    watched = _together(record) + _together(until)
    run = _prepared(system, Layout.of(system).pack(start, system.start_values), span, method)
    if watched:
        guard = _Guard.of(system, watched, ends=len(_together(until)))
        kept = _watch(run, guard, times)
    else:
        kept = _record(run) if times is None else _sample(run, times)
    settings = {"duration": span, "method": method}
    if run.linear is not None:
        settings["steps"] = run.steps
    return Trajectory(
        system=system,
        t=kept.t,
        values=kept.values,
        steps=kept.steps,
        events=kept.events,
        end=np.append(run.state[run.loops.T], run.work[run.loops.X]),
        status=kept.status,
        provenance=Provenance("integrate", system, settings, seconds=perf_counter() - began),
    )


def _checked_times(at: Sequence[float], span: float) -> Array:
    """Return the times to keep; they must follow the run and lie inside it."""
    times = np.array(at, dtype=float, ndmin=1)
    sign = -1.0 if span < 0 else 1.0
    if times.ndim != 1 or not np.isfinite(times).all():
        raise SettingError("at holds something else than finite times. Give a flat list of times.")
    if times.size and not (sign * times.min() >= 0 <= sign * times.max() and
                           np.abs(times).max() <= abs(span)):  # fmt: skip
        raise SettingError(
            f"at reaches from {times.min():g} to {times.max():g}, but the run goes from 0 to "
            f"{span:g}. Choose times inside, or a longer duration."
        )
    if (sign * np.diff(times) < 0).any():
        raise SettingError("the times in at do not follow the run. Sort them.")
    return times


def _together(crossings: Crossing | Sequence[Crossing]) -> tuple[Crossing, ...]:
    """Return one or several crossings as a tuple."""
    found = (crossings,) if isinstance(crossings, Crossing) else tuple(crossings)
    for crossing in found:
        if not isinstance(crossing, Crossing):
            raise SettingError(
                f"record and until take dl.Crossing objects, not {crossing!r}. Write for example "
                'dl.Crossing("spike", lambda v: v - 1, direction=+1).'
            )
    return found


class _Run(NamedTuple):
    """A prepared run: the arrays that the compiled loops share, and how it stands."""

    loops: Any
    arguments: tuple[Any, ...]
    state: Array
    tally: NDArray[np.int64]
    work: Array
    status: int
    first_chunk: int
    keeps_alive: tuple[Kernel, ...]
    linear: LinearAlgebra | None = None

    def go(self, take: Callable[[int], int]) -> Status:
        """Take chunks until the run ends."""
        if self.status != RUNNING:
            return Status(self.status)
        state, begin, end = self.state, self.state[self.loops.T], self.state[self.loops.END]
        status = in_chunks(
            take,
            lambda: abs(state[self.loops.T] - begin),
            abs(end - begin),
            "integrate",
            self.first_chunk,
        )
        if self.linear is not None and self.linear.failure is not None:
            raise self.linear.failure
        return status

    @property
    def steps(self) -> dict[str, int]:
        """How many steps each method took, of a run whose steps follow tolerances."""
        tally, loops = self.tally, self.loops
        taken = {
            "explicit": int(tally[loops.EXPLICIT_STEPS]),
            "implicit": int(tally[loops.IMPLICIT_STEPS]),
        }
        return {name: count for name, count in taken.items() if count}


def _prepared(system: System, start: Array, span: float, method: OdeMethod) -> _Run:
    if isinstance(method, AdaptiveMethod):
        return _prepared_adaptive(system, start, span, method)
    if isinstance(method, SymplecticMethod):
        return _prepared_symplectic(system, start, span, method)
    raise SettingError(f"method is {method!r}; give a method such as dl.Automatic().")


def _prepared_adaptive(system: System, start: Array, span: float, method: AdaptiveMethod) -> _Run:
    loops, rhs = method.loops, kernels_of(system).rhs
    state = np.zeros(loops.STATE_SIZE)
    tally = np.zeros(loops.TALLY_SIZE, np.int64)
    work = np.zeros((loops.WORK_ROWS, len(start)))
    state[loops.END] = span
    state[loops.RTOL] = method.rtol
    # A state that stays exactly zero would be measured against zero.
    state[loops.ATOL] = max(method.atol, loops.TINY)
    state[loops.STEP] = method.first_step or 0.0
    tally[loops.MOST_ATTEMPTS] = method.max_steps
    work[loops.X] = start
    tally[loops.CHOICE] = method.choice
    linear = linear_algebra_of(system)
    linear.attach(tally, len(start))
    arguments = (rhs.address, state, tally, work, *inputs_of(system))
    began = perf_counter()
    status = loops.begin(*arguments)
    per_step = EVALUATIONS_PER_STEP / 2 * (perf_counter() - began)
    first = int(min(max(1.0, FIRST_SECONDS / per_step), 1000.0))
    return _Run(loops, arguments, state, tally, work, status, first, (rhs,), linear)


def _prepared_symplectic(
    system: System, start: Array, span: float, method: SymplecticMethod
) -> _Run:
    made, loops = prepare(system, start, span, method), method.loops
    arguments = (made.rhs.address, made.state, made.tally, made.work, *inputs_of(system))
    status = loops.begin(*arguments)
    kept = (made.rhs, *made.keeps_alive)
    return _Run(loops, arguments, made.state, made.tally, made.work, status, FIRST_STEPS, kept)


class _Kept(NamedTuple):
    """What a run leaves, in arrays."""

    status: Status
    t: Array
    values: Array
    steps: Steps | None
    events: dict[str, Occurrences]


def _sample(run: _Run, times: Array) -> _Kept:
    out = np.empty((len(times), run.work.shape[1]))
    loops, at_start = run.loops, times == run.state[run.loops.T]
    out[at_start] = run.work[loops.X]
    status = run.go(lambda steps: loops.sample(*run.arguments, steps, times, out))
    written = int(run.tally[loops.NEXT_SAMPLE]) or int(at_start.sum())
    return _Kept(status, times[:written], out[:written], None, {})


def _record(run: _Run) -> _Kept:
    pieces: list[Steps] = []

    def take(steps: int) -> int:
        pieces.append(_room(run, steps))
        piece = pieces[-1]
        return int(
            run.loops.record(*run.arguments, steps, piece.starts, piece.sizes, piece.coefficients)
        )

    status = run.go(take)
    return _with_steps(run, status, pieces, {})


def _room(run: _Run, steps: int) -> Steps:
    """Return room for the steps of a chunk; size 0 marks a row that has not been written."""
    n = run.work.shape[1]
    return Steps(np.empty(steps), np.zeros(steps), np.empty((steps, run.loops.POWERS, n)))


def _with_steps(
    run: _Run, status: Status, pieces: list[Steps], events: dict[str, Occurrences]
) -> _Kept:
    steps = _joined(pieces, run)
    t = np.append(steps.starts, run.state[run.loops.T])
    values = np.vstack([steps.coefficients[:, 0], run.work[run.loops.X]])
    return _Kept(status, t, values, steps, events)


def _joined(pieces: list[Steps], run: _Run) -> Steps:
    """Return the written rows of all chunks."""
    rows = [int(np.count_nonzero(piece.sizes)) for piece in pieces]
    if not pieces:
        return _room(run, 0)
    return Steps(*(
        np.concatenate([getattr(p, name)[:m] for p, m in zip(pieces, rows, strict=True)])
        for name in ("starts", "sizes", "coefficients")
    ))  # fmt: skip


class _Guard(NamedTuple):
    """The crossings of a run in the form that the compiled loop takes."""

    names: tuple[str, ...]
    states: tuple[str, ...]
    kernel: Kernel
    arguments: tuple[Any, ...]

    @classmethod
    def of(cls, system: System, watched: tuple[Crossing, ...], ends: int) -> _Guard:
        """Compile the crossings, of which the last `ends` end the run."""
        names = tuple(crossing.name for crossing in watched)
        for name in names:
            if names.count(name) > 1:
                raise DuplicateNameError(f"two crossings are named {name!r}. Rename one of them.")
        kernel = kernels_of(system).guard([system.expression_of(c.when) for c in watched])
        directions = np.array([c.direction for c in watched], np.int64)
        terminal = np.arange(len(watched)) >= len(watched) - ends
        sides = np.zeros((dense.SIDE_ROWS, len(watched)))
        arguments = (kernel.address, directions, terminal.astype(np.int64), sides)
        return cls(names, system.state_names, kernel, arguments)

    def room(self) -> tuple[Array, NDArray[np.int64], Array]:
        """Return room for the crossings of a chunk; kind -1 marks a row not written."""
        count = CROSSINGS + dense.PARTS * len(self.names)
        return np.empty(count), np.full(count, -1), np.empty((count, len(self.states)))

    def events(self, found: list[tuple[Array, NDArray[np.int64], Array]]) -> dict[str, Occurrences]:
        """Sort the crossings of all chunks by name."""
        written = [(t[k >= 0], k[k >= 0], x[k >= 0]) for t, k, x in (found or [self.room()])]
        times, kinds, values = (np.concatenate(column) for column in zip(*written, strict=True))
        return {
            name: Occurrences(times[kinds == g], values[kinds == g], self.states)
            for g, name in enumerate(self.names)
        }


def _watch(run: _Run, guard: _Guard, times: Array | None) -> _Kept:
    pieces: list[Steps] = []
    found: list[tuple[Array, NDArray[np.int64], Array]] = []
    values = np.empty((0 if times is None else len(times), run.work.shape[1]))

    def take(steps: int) -> int:
        if times is not None:
            _read(pieces, times, values)
        pieces.append(_room(run, steps))
        found.append(guard.room())
        piece = pieces[-1]
        return int(run.loops.watch(
            *run.arguments, steps, piece.starts, piece.sizes, piece.coefficients,
            *guard.arguments, *found[-1],
        ))  # fmt: skip

    status = run.go(take)
    events = guard.events(found)
    if times is None:
        return _with_steps(run, status, pieces, events)
    _read(pieces, times, values)
    end = run.state[run.loops.T]
    values[times == end] = run.work[run.loops.X]
    reached = int(np.sum(np.abs(times) <= abs(end)))
    return _Kept(status, times[:reached], values[:reached], None, events)


def _read(pieces: list[Steps], times: Array, values: Array) -> None:
    """Write the states at the times inside the pieces, and let go of the pieces."""
    for piece in pieces:
        rows = int(np.count_nonzero(piece.sizes))
        if rows:
            last = abs(piece.starts[rows - 1] + piece.sizes[rows - 1])
            size = np.abs(times)
            inside = (size >= abs(piece.starts[0])) & (size <= last * (1 + 1e-14))
            written = Steps(piece.starts[:rows], piece.sizes[:rows], piece.coefficients[:rows])
            values[inside] = written(times[inside])
    pieces.clear()
