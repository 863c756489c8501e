"""integrate: the trajectory of a flow."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import Inputs, inputs_of
from dynlab.codegen.kernels import Kernel, kernels_of
from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.kernels.convention import RUNNING
from dynlab.names import Layout, finite
from dynlab.result import Provenance
from dynlab.solve.breaks import break_times
from dynlab.solve.chunks import in_chunks
from dynlab.solve.clocked import Clocked, run_clocked
from dynlab.solve.crossing import Crossing, together
from dynlab.solve.gauss import GaussMethod
from dynlab.solve.gauss import prepare as prepare_gauss
from dynlab.solve.guards import Found, Guards
from dynlab.solve.history import History, past_of
from dynlab.solve.lagging import run_lagging
from dynlab.solve.legs import in_legs
from dynlab.solve.linear_algebra import LinearAlgebra, linear_algebra_of
from dynlab.solve.located import run_located
from dynlab.solve.methods import AdaptiveMethod, Automatic, OdeMethod
from dynlab.solve.pieces import Kept, joined, read, room
from dynlab.solve.symplectic import Prepared, SymplecticMethod, prepare
from dynlab.solve.taylor import Taylor
from dynlab.solve.taylor import prepare as prepare_taylor
from dynlab.solve.trajectory import Occurrences, Steps, Trajectory
from dynlab.status import Status
from dynlab.symbolic.delays import lag_values
from dynlab.symbolic.dynamics import Continuous, Delayed, require
from dynlab.symbolic.signals import require_recorded
from dynlab.symbolic.system import System

__all__ = ["integrate"]

Array = NDArray[np.float64]
DEFAULT_METHOD = Automatic()

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
    history: History | None = None,
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
    history
        For a system with delays what its states were before t = 0: a function of the time for each state, by name, or a
        trajectory whose end is taken.  Without it, and for states not named, they were at the start all the time.
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
    require(system, Continuous, Delayed)
    if not isinstance(method, OdeMethod):
        raise SettingError(
            f"method is {method!r}, which is none for a flow without noise. Give one such as dl.Explicit8(), "
            "or add noise with .with_noise and use dl.simulate."
        )
    began = perf_counter()
    span = finite(duration, "duration")
    require_recorded(system.signals, 0.0, span)
    times = None if at is None else _checked_times(at, span)
    if history is not None and not system.is_delayed:
        raise SettingError(
            f"history is given, and {system.name!r} has no delays: its start says everything. Leave history= out."
        )
    if system.is_delayed:
        return _lagging(
            system, (start, history), span, method, times, (together(record), together(until))
        )
    if isinstance(method, Clocked):
        return _clocked(system, start, span, method, times, together(record) + together(until))
    if system.is_indexed and system.events:
        return _located(system, start, span, method, times, (together(record), together(until)))
    guards = Guards.of(system, together(record), together(until))
    begin = Layout.of(system).pack(start, system.start_values)
    breaks = break_times(system, 0.0, span)
    run = _prepared(system, begin, span, method)
    if system.events or breaks.size:
        run_in = functools.partial(_prepared, start=begin, span=span, method=method)
        kept = in_legs(system, run, run_in, guards=guards, breaks=breaks, times=times)
    elif guards.names:
        kept = _watch(run, system, guards, times)
    else:
        kept = _record(run) if times is None else _sample(run, times)
    settings = {"duration": span, "method": method}
    in_one_leg = not (system.events or breaks.size)
    if run.linear is not None and in_one_leg:
        settings["steps"] = run.steps
    return Trajectory(
        system=system,
        t=kept.t,
        values=kept.values,
        steps=kept.steps,
        events=kept.events,
        end=kept.end,
        status=kept.status,
        provenance=Provenance("integrate", system, settings, seconds=perf_counter() - began),
    )


def _lagging(
    system: System, begun: tuple[Any, History | None], span: float, method: OdeMethod, times: Array | None,
    asked: tuple[tuple[Crossing, ...], tuple[Crossing, ...]],
) -> Trajectory:  # fmt: skip
    """Run a flow with delays."""
    began = perf_counter()
    past, state = past_of(system, *begun, max(lag_values(system), default=0.0))
    kept, steps = run_lagging(system, past, state, span, method, times, Guards.of(system, *asked))
    settings = {"duration": span, "method": method, "steps": {"explicit": steps}}
    return Trajectory(
        system, kept.t, kept.values, kept.steps, kept.events, kept.end, kept.status,
        Provenance("integrate", system, settings, seconds=perf_counter() - began),
    )  # fmt: skip


def _clocked(
    system: System, start: Any, span: float, method: Clocked, times: Array | None,
    asked: tuple[Crossing, ...],
) -> Trajectory:  # fmt: skip
    """Run a network whose nodes have events in equal steps."""
    if not (system.is_indexed and system.events):
        raise UnsupportedSystemError(
            f"{system.name!r} with method={method!r}: equal steps are for networks whose nodes have events. "
            "Leave method= out."
        )
    if asked:
        raise UnsupportedSystemError(
            f"crossings cannot be recorded in a run of {system.name!r} with equal steps. Leave method= "
            "out, or make them events."
        )
    began = perf_counter()
    begin = Layout.of(system).pack(start, system.start_values)
    kept = run_clocked(system, begin, span, method, times)
    settings = {"duration": span, "method": method}
    return Trajectory(
        system, kept.t, kept.values, None, kept.events, kept.end, kept.status,
        Provenance("integrate", system, settings, seconds=perf_counter() - began),
    )  # fmt: skip


def _located(
    system: System, start: Any, span: float, method: OdeMethod, times: Array | None,
    asked: tuple[tuple[Crossing, ...], tuple[Crossing, ...]],
) -> Trajectory:  # fmt: skip
    """Run a network whose nodes have events, located inside the steps."""
    if not isinstance(method, AdaptiveMethod):
        raise UnsupportedSystemError(
            f"{system.name!r} with method={method!r}: networks whose nodes have events run with a method "
            "that has tolerances (leave method= out), or in equal steps with method=dl.Clocked(step=0.1)."
        )
    began = perf_counter()
    begin = Layout.of(system).pack(start, system.start_values)
    run_in = functools.partial(_prepared_adaptive, start=begin, span=span, method=method)
    breaks = break_times(system, 0.0, span)
    kept, steps = run_located(system, run_in, span=span, asked=asked, breaks=breaks, times=times)
    settings = {"duration": span, "method": method, "steps": steps}
    return Trajectory(
        system, kept.t, kept.values, kept.steps, kept.events, kept.end, kept.status,
        Provenance("integrate", system, settings, seconds=perf_counter() - began),
    )  # fmt: skip


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

    @property
    def end(self) -> Array:
        """Time and state of now."""
        return np.append(self.state[self.loops.T], self.work[self.loops.X])

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
        return _begun(prepare(system, start, span, method), system, method)
    if isinstance(method, GaussMethod):
        return _begun(prepare_gauss(system, start, span, method), system, method)
    if isinstance(method, Taylor):
        return _prepared_taylor(system, start, span, method)
    raise SettingError(f"method is {method!r}; give a method such as dl.Automatic().")


def _prepared_adaptive(
    system: System, start: Array, span: float, method: AdaptiveMethod, inputs: Inputs | None = None
) -> _Run:
    loops, rhs = method.loops, kernels_of(system).rhs
    inputs = inputs or inputs_of(system)
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
    linear = linear_algebra_of(system, inputs)
    linear.attach(tally, len(start))
    arguments = (rhs.address, state, tally, work, *inputs)
    began = perf_counter()
    status = loops.begin(*arguments)
    per_step = EVALUATIONS_PER_STEP / 2 * (perf_counter() - began)
    first = int(min(max(1.0, FIRST_SECONDS / per_step), 1000.0))
    return _Run(loops, arguments, state, tally, work, status, first, (rhs,), linear)


def _begun(made: Prepared, system: System, method: OdeMethod) -> _Run:
    """Begin a run in equal steps."""
    loops = method.loops
    arguments = (made.rhs.address, made.state, made.tally, made.work, *inputs_of(system))
    status = loops.begin(*arguments)
    kept = (made.rhs, *made.keeps_alive)
    return _Run(loops, arguments, made.state, made.tally, made.work, status, FIRST_STEPS, kept)


def _prepared_taylor(system: System, start: Array, span: float, method: Taylor) -> _Run:
    made, loops = prepare_taylor(system, start, span, method), method.loops
    arguments = (made.series.address, made.state, made.tally, made.work, *made.inputs)
    status = loops.begin(*arguments)
    return _Run(
        loops, arguments, made.state, made.tally, made.work, status, FIRST_STEPS, (made.series,)
    )


def _sample(run: _Run, times: Array) -> Kept:
    out = np.empty((len(times), run.work.shape[1]))
    loops, at_start = run.loops, times == run.state[run.loops.T]
    out[at_start] = run.work[loops.X]
    status = run.go(lambda steps: loops.sample(*run.arguments, steps, times, out))
    written = int(run.tally[loops.NEXT_SAMPLE]) or int(at_start.sum())
    return Kept(status, times[:written], out[:written], None, {}, run.end)


def _record(run: _Run) -> Kept:
    pieces: list[Steps] = []

    def take(steps: int) -> int:
        pieces.append(room(steps, run.loops.POWERS, run.work.shape[1]))
        piece = pieces[-1]
        return int(
            run.loops.record(*run.arguments, steps, piece.starts, piece.sizes, piece.coefficients)
        )

    status = run.go(take)
    return _with_steps(run, status, pieces, {})


def _with_steps(
    run: _Run, status: Status, pieces: list[Steps], events: dict[str, Occurrences]
) -> Kept:
    steps = joined(pieces, run.loops.POWERS, run.work.shape[1])
    t = np.append(steps.starts, run.state[run.loops.T])
    values = np.vstack([steps.coefficients[:, 0], run.work[run.loops.X]])
    return Kept(status, t, values, steps, events, run.end)


def _watch(run: _Run, system: System, guards: Guards, times: Array | None) -> Kept:
    pieces: list[Steps] = []
    found: list[Found] = []
    arguments, _alive = guards.arguments(system)
    values = np.empty((0 if times is None else len(times), run.work.shape[1]))
    keeps_steps = times is None or len(times) > 0

    def take(steps: int) -> int:
        if times is not None:
            read(pieces, times, values)
        pieces.append(room(steps if keeps_steps else 0, run.loops.POWERS, run.work.shape[1]))
        found.append(guards.room())
        piece = pieces[-1]
        return int(run.loops.watch(
            *run.arguments, steps, piece.starts, piece.sizes, piece.coefficients,
            *arguments, *found[-1],
        ))  # fmt: skip

    status = run.go(take)
    events = guards.events(found)
    if times is None:
        return _with_steps(run, status, pieces, events)
    read(pieces, times, values)
    end = run.state[run.loops.T]
    values[times == end] = run.work[run.loops.X]
    reached = int(np.sum(np.abs(times) <= abs(end)))
    return Kept(status, times[:reached], values[:reached], None, events, run.end)
