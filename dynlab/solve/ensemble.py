"""ensemble: many runs of one system at once, over starts and parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlab.codegen.kernels import kernels_of
from dynlab.errors import SettingError, UnknownNameError
from dynlab.kernels.convention import RUNNING
from dynlab.kernels.lanes import WIDTH
from dynlab.names import finite
from dynlab.progress import tick
from dynlab.result import Provenance
from dynlab.seeds import seed_of
from dynlab.solve.integrate import integrate
from dynlab.solve.iterate import iterate
from dynlab.solve.keep import Arrays, Keep, States
from dynlab.solve.lanes import Answers, run_in_lanes
from dynlab.solve.members import Members, members_of
from dynlab.solve.methods import Explicit8, OdeMethod
from dynlab.solve.outcomes import Ensemble, observed
from dynlab.solve.paths import Paths, noisy_steps
from dynlab.solve.stochastic_methods import SdeMethod
from dynlab.solve.threads import on_threads
from dynlab.status import Status
from dynlab.symbolic.dynamics import refuse_delays
from dynlab.symbolic.system import System

__all__ = ["ensemble"]

Array = NDArray[np.float64]

ALL_STATES = States()
#: An ensemble runs in about so many pieces, each of so many members at most; lanes are always full.
PIECES, MOST_IN_PIECE = 64, 1024
#: A piece has room for so many numbers, unless one member alone has more.
MOST_NUMBERS = 1 << 23
#: So many numbers are kept at most: some 16 GB.
MOST_KEPT = 2 * 10**9


def ensemble(  # noqa: PLR0913  (what, from where, how long, what to keep, how, and what is drawn)
    system: System,
    *,
    starts: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
    duration: float,
    at: ArrayLike | None = None,
    keep: Keep = ALL_STATES,
    method: OdeMethod | SdeMethod | None = None,
    size: int | None = None,
    seed: int | np.random.Generator | None = None,
) -> Ensemble:
    """Return many runs of a flow or map, or paths of a flow with noise, on all cores.

    The members are independent: what one does depends on its own start and parameter values alone, to
    the last bit, not on the others, their order, or the number of threads (see `dynlab.threads`).
    Members whose equations are those of scalar states run 16 at a time in the lanes of the
    processor.

    Parameters
    ----------
    system
        The flow or map.
    starts
        States at t = 0, by name: an array with one value for each member, a number for all, or a
        distribution, as ``dl.Gaussian(0, 1)`` (also `Quantiles`, and those of scipy.stats with their
        parameters).  States not given start from the system's defaults.  Arrays broadcast against each other: ``x[:, None]`` and ``y[None, :]`` make
        a grid.
    parameters
        Parameter values, in the same ways.
    duration
        How long, in the system's unit of time, or steps of a map.
    at
        Times to keep, in the order of the run; only the last state if None.
    keep
        What to keep of the states at these times: `States` (all of them), `Moments`, `Extremes` or
        `Histogram`.  All but the first are made while the ensemble runs, and nothing else is kept.
    method
        Method and tolerances for a flow; `Explicit8` if None.  All but it and `Taylor` run one member at a
        time.  A flow with noise needs one with a step, such as ``dl.SRA1(step=0.01)``; maps have none.
    size
        How many members, if no arrays are given.
    seed
        What is drawn from the distributions, and the noise, depend on this: a whole number, a numpy
        Generator, or None for a fresh seed.  Every member has a stream of noise of its own.  ``run.provenance.seed`` draws the same again; the state of a
        Generator is in ``run.provenance.settings``.

    Returns
    -------
    Ensemble
        Members whose run could not reach its end have their `Status` there, and nan for states they did
        not reach.  If stopped it holds the members that were done.

    Raises
    ------
    SettingError
        If arrays do not fit together, a value is not a finite number, or a time cannot be used.
    UnknownNameError
        If a name is not a state, or not a parameter.

    Examples
    --------
    >>> import dynlab as dl
    >>> import numpy as np
    >>> @dl.flow
    ... def oscillator(x=1.0, v=0.0, *, omega=1.0):
    ...     return {x: v, v: -omega**2 * x}
    >>> omega = np.array([1.0, 2.0, 3.0])
    >>> run = dl.ensemble(oscillator, parameters={"omega": omega}, duration=np.pi)
    >>> run["x"].round(6)
    array([-1.,  1., -1.])
    """
    refuse_delays(system)
    began = perf_counter()
    span, method = _checked_duration(system, duration), _checked_method(system, method)
    t = np.array(span) if at is None else _checked_times(at, span, whole=system.is_discrete)
    names = _checked_names(system, keep)
    settings: dict[str, Any] = {"duration": span} | ({"method": method} if method else {})
    chosen = seed_of(seed)
    number = int(chosen.text) if chosen.text.isdigit() else None
    settings |= {"generator": chosen.text} if number is None else {}
    members = members_of(system, starts, parameters, size, chosen)
    _check_room(len(members), t.size, len(names), keep)
    run = _Run.of(system, members, span, np.atleast_1d(t), method)
    if system.is_stochastic:
        stepped, with_step = noisy_steps(system, method)
        _check_noise(system, with_step, members)
        run = run._replace(paths=Paths.of(stepped, with_step, np.atleast_1d(t), chosen))
    kept = run.everything(keep, names)
    return Ensemble(
        system=system,
        starts=members.starts,
        parameters=members.parameters,
        t=t,
        keep=keep,
        kept=kept,
        statuses=run.answers.status.reshape(members.shape),
        ends=run.answers.ends.reshape(members.shape),
        provenance=Provenance(
            "ensemble", system, settings, seed=number, seconds=perf_counter() - began
        ),
    )


def _checked_duration(system: System, duration: float) -> float:
    span = finite(duration, "duration")
    if system.is_stochastic and span < 0:
        raise SettingError(f"duration is {span:g}; noise has no backwards. Give a positive time.")
    if system.is_discrete and (span < 0 or span != int(span)):
        raise SettingError(
            f"duration is {duration!r}; a map runs for a whole number of steps, forwards. "
            "Give an integer that is not negative."
        )
    return span


def _check_noise(system: System, method: SdeMethod, members: Members) -> None:
    if method.needs_table and members.parameters:
        raise SettingError(
            f"{type(method).__name__} prepares its step for one set of parameters, and "
            f"{', '.join(members.parameters)} differ between members. Run an ensemble for each value, or use "
            "another method."
        )


def _checked_method(
    system: System, method: OdeMethod | SdeMethod | None
) -> OdeMethod | SdeMethod | None:
    if not system.is_discrete and system.is_stochastic != isinstance(method, SdeMethod):
        needed = "has noise, and needs one with a step" if system.is_stochastic else "has no noise"
        raise SettingError(
            f"method is {method!r}, but {system.name!r} {needed}. Give for noise dl.EulerMaruyama(step=0.01), "
            "dl.SRA1(step=0.01) or another of those, and for none dl.Explicit8()."
        )
    if not system.is_discrete:
        return Explicit8() if method is None else method
    if method is not None:
        raise SettingError(f"{system.name!r} is a map, which needs no method. Leave method out.")
    return None


def _checked_times(at: ArrayLike, span: float, *, whole: bool) -> Array:
    """Return the times to keep; they must follow the run and lie inside it."""
    times, sign = np.array(at, dtype=float, ndmin=1), -1.0 if span < 0 else 1.0
    if times.ndim != 1 or not times.size or not np.isfinite(times).all():
        raise SettingError("at holds something else than finite times. Give a flat list of times.")
    if (sign * times < 0).any() or (np.abs(times) > abs(span)).any():
        raise SettingError(
            f"at reaches from {times.min():g} to {times.max():g}, but the run goes from 0 to "
            f"{span:g}. Choose times inside, or a longer duration."
        )
    if (sign * np.diff(times) < 0).any():
        raise SettingError("the times in at do not follow the run. Sort them.")
    if whole and (times != np.floor(times)).any():
        raise SettingError("at holds times that are not whole; a map has states at whole steps.")
    return times


def _checked_names(system: System, keep: Keep) -> tuple[str, ...]:
    """Return the names of the quantities to keep."""
    if not isinstance(keep, Keep):
        raise SettingError(
            f"keep is {keep!r}; give one of dl.States(), dl.Moments(), dl.Extremes(), dl.Histogram(...)."
        )
    known = (*system.state_names, *system.observable_names)
    for name in keep.of:
        if name not in known:
            raise UnknownNameError(f"state or observable of {system.name!r}", name, known)
    return keep.of or system.state_names


def _check_room(members: int, times: int, states: int, keep: Keep) -> None:
    if isinstance(keep, States) and members * times * states > MOST_KEPT:
        raise SettingError(
            f"{members} members at {times} times with {states} states would fill the memory. Keep a "
            "summary, such as keep=dl.Moments(), or fewer times."
        )


class _Run(NamedTuple):
    """Everything that the pieces of an ensemble share."""

    system: System
    members: Members
    duration: float
    times: Array
    method: OdeMethod | SdeMethod | None
    answers: Answers
    paths: Paths | None = None

    @classmethod
    def of(
        cls, system: System, members: Members, duration: float, times: Array,
        method: OdeMethod | SdeMethod | None,
    ) -> _Run:  # fmt: skip
        """Make room for how the members end; of the states there is room in each piece only."""
        answers = Answers.room(len(members), 0, 0)
        return cls(system, members, duration, times, method, answers)

    def everything(self, keep: Keep, names: tuple[str, ...]) -> Arrays:
        """Run all members in pieces and return what is kept of them."""
        pieces = list(self.members.pieces(self.piece_size()))
        kept: list[Arrays | None] = [None] * len(pieces)
        in_lanes = None
        if self.paths is None and not isinstance(self.method, SdeMethod):
            in_lanes = run_in_lanes(self.system, self.method, self.duration, self.times)
        # Compiled here, not by the first thread while the others wait.
        _ = kernels_of(self.system).rhs

        def work(place: int) -> None:
            rows = pieces[place]
            answers = self.piece(rows, in_lanes)
            kept[place] = keep.piece(self.columns(rows, answers.values, names))

        status = self.answers.status
        on_threads(
            [lambda place=place: work(place) for place in range(len(pieces))],  # type: ignore[misc]
            lambda: float(np.count_nonzero(status != RUNNING)),
            float(len(status)),
            "ensemble",
        )
        status[status == RUNNING] = Status.STOPPED
        for place, rows in enumerate(pieces):
            if kept[place] is None:
                shape = (rows.stop - rows.start, len(self.times), len(names))
                kept[place] = keep.piece(np.full(shape, np.nan))
        return keep.joined([piece for piece in kept if piece is not None])

    def piece_size(self) -> int:
        """Return how many members make a piece; it must not depend on the number of threads."""
        count, each = len(self.members), len(self.times) * self.members.start_rows.shape[1]
        size = min(WIDTH * -(-count // (WIDTH * PIECES)), MOST_IN_PIECE)
        return int(max(1, min(size, MOST_NUMBERS // each)))

    def piece(self, rows: slice, in_lanes: Any) -> Answers:
        """Run some members: all in lanes if that is possible, those given up one by one."""
        starts = np.ascontiguousarray(self.members.start_rows[rows])
        answers = Answers.room(len(starts), len(self.times), starts.shape[1])
        # What stands here is seen by the progress display while the piece runs.
        answers = answers._replace(ends=self.answers.ends[rows], status=self.answers.status[rows])
        if self.paths is not None:
            found = self.paths.many(starts, self.members.parameter_rows[rows], rows.start)
            answers.ends[:], answers.status[:] = found.ended, found.status
            return answers._replace(values=found.values)
        if in_lanes is not None:
            in_lanes(starts, self.members.parameter_rows[rows], answers)
        for place in np.flatnonzero(answers.status == RUNNING):
            if not tick(0.0, 1.0):
                break
            self.one(rows.start + int(place), int(place), answers)
        return answers

    def one(self, member: int, place: int, answers: Answers) -> None:
        """Run one member by itself and write its answers."""
        given = {name: values.ravel()[member] for name, values in self.members.parameters.items()}
        system, start = self.system(**given), self.members.start_rows[member]
        if self.method is None:
            steps, whole = int(self.duration), self.times.astype(np.int64)
            found = iterate(system, start=start, duration=steps, at=whole)  # type: ignore[arg-type]
        else:
            assert isinstance(self.method, OdeMethod)
            found = integrate(
                system, start=start, duration=self.duration, at=self.times,  # type: ignore[arg-type]
                method=self.method,
            )  # fmt: skip
        if found.status is Status.STOPPED:
            return
        answers.values[place] = np.nan
        answers.values[place, : len(found.t)] = found.values
        answers.ends[place], answers.status[place] = found.end[0], found.status

    def columns(self, rows: slice, values: Array, names: Sequence[str]) -> Array:
        """Return the quantities of these names at the times, members x times x quantities."""
        states = self.system.state_names
        if tuple(names) == states:
            return values
        known = {name: values[:, :, place] for place, name in enumerate(states)}
        if not set(names) <= set(states):
            parameters = self.members.parameter_rows[rows]
            found = observed(self.system, parameters, self.times, values)
            known |= dict(zip(self.system.observable_names, np.moveaxis(found, 2, 0), strict=True))
        return np.stack([known[name] for name in names], axis=2)
