"""simulate: one path of a stochastic system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.kernels.convention import RUNNING
from dynlab.names import Layout, finite
from dynlab.result import Provenance
from dynlab.seeds import seed_of
from dynlab.solve.crossing import Crossing, together
from dynlab.solve.guarded import Happened
from dynlab.solve.guards import Guards
from dynlab.solve.paths import Paths, noisy_steps
from dynlab.solve.stochastic_methods import SdeMethod
from dynlab.solve.trajectory import Trajectory
from dynlab.status import Status
from dynlab.symbolic.dynamics import Stochastic, require
from dynlab.symbolic.signals import require_recorded
from dynlab.symbolic.system import System

__all__ = ["simulate"]

Array = NDArray[np.float64]

#: So many numbers are kept at most: some 16 GB.
MOST_KEPT = 2 * 10**9


def simulate(  # noqa: PLR0913  (what, from where, how long, what to keep, when to stop, how, what is drawn)
    system: System,
    *,
    start: Mapping[str, float] | Sequence[float] | None = None,
    duration: float,
    method: SdeMethod | None = None,
    seed: int | np.random.Generator | None = None,
    at: ArrayLike | None = None,
    record: Crossing | Sequence[Crossing] = (),
    until: Crossing | Sequence[Crossing] = (),
) -> Trajectory:
    """Return one path of a stochastic system, ``dX = f dt + sum_k b_k dW_k``, from a start over some time.

    Of a map with noise it is ``x' = f(x) + sum_k b_k(x) xi_k`` with new Gaussian numbers xi_k in each step.

    Parameters
    ----------
    system
        A flow with noise; see `System.with_noise`.
    start
        States at t = 0, by name; those not given start from the system's defaults.
    duration
        How long, in the system's unit of time; steps of a map.
    method
        Method and step, such as ``dl.SRA1(step=0.01)``; none for a map.
    seed
        A whole number, a numpy Generator, or None for a fresh seed.  ``run.provenance.seed`` gives the
        same path again; the state of a Generator is in ``run.provenance.settings``.
    at
        Times to keep, in the order of the run, instead of all steps.  Steps end on them.
    record
        Crossings to note in ``run.events``, of quantities that noise does not drive directly: those it does pass a
        value infinitely often as soon as they pass it once.
    until
        Crossings that end the run, with `Status.EVENT`.

    Returns
    -------
    Trajectory
        The states at the times kept; between them the path is not known.  If the run could not reach its
        end it holds what was reached, and its status says why.  Events and crossings are in
        ``run.events``; without `at` the states before and after each event stand among the others, at one time.

    Notes
    -----
    Between the ends of a step a path is a Brownian bridge.  Whether it passed a guard there, when, and in
    which state is drawn from that bridge, so nothing is missed between steps, and means of passage times have an
    error of the first order of the step (without the bridge it would be of order 1/2).  After an event the step is
    finished with Euler's.

    Raises
    ------
    SettingError
        If the start, the duration, the seed or a time in `at` cannot be used.
    UnknownNameError
        If a state in `start` does not exist.
    UnsupportedSystemError
        If the system has no noise (use `dynlab.integrate`), its noise is not of the kind that the method is
        for, or an event or crossing would happen infinitely often.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def ornstein_uhlenbeck(x=0.0, *, k=1.0):
    ...     return {x: -k * x}
    >>> noisy = ornstein_uhlenbeck.with_noise(x=0.5)
    >>> run = dl.simulate(noisy, duration=1000, method=dl.ExactLinear(step=0.1), seed=1)
    >>> bool(abs(run["x"].var() - 0.5**2 / 2) < 0.03)
    True
    """
    require(system, Stochastic)
    began = perf_counter()
    span = finite(duration, "duration")
    if span < 0:
        raise SettingError(f"duration is {span:g}; noise has no backwards. Give a positive time.")
    if system.is_discrete:
        _check_map(system, span, record, until)
    stepped, steps = noisy_steps(system, method)
    require_recorded(system.signals, 0.0, span)
    chosen = seed_of(seed)
    begin = Layout.of(system).pack(start, system.start_values)
    times = _times(system, span, steps, at)
    guards = Guards.of(stepped, together(record), together(until))
    paths = Paths.of(stepped, steps, times, chosen, guards)
    found, events, happened = paths.one(begin, inputs_of(system).parameters)
    values = found.values[0]
    there = np.isfinite(values[:, 0])
    times, values = times[there], values[there]
    if at is None and happened is not None:
        times, values = _with_events(times, values, happened, guards.first)
    status = Status.STOPPED if found.status[0] == RUNNING else Status(int(found.status[0]))
    number = int(chosen.text) if chosen.text.isdigit() else None
    settings: dict[str, Any] = {"duration": span} | ({"method": method} if method else {})
    settings |= {"generator": chosen.text} if number is None else {}
    return Trajectory(
        system=system,
        t=times,
        values=values,
        steps=None,
        events=events,
        end=np.append(found.ended[0], found.last[0]),
        status=status,
        provenance=Provenance(
            "simulate", system, settings, seed=number, seconds=perf_counter() - began
        ),
    )


def _check_map(system: System, span: float, record: object, until: object) -> None:
    if span != int(span):
        raise SettingError(
            f"duration is {span:g}; a map runs for a whole number of steps. Give an integer."
        )
    if record or until:
        raise UnsupportedSystemError(
            f"{system.name!r} is a map, which jumps from state to state and crosses nothing. Leave record= and until= out, and "
            "compare the states of the run."
        )


def _with_events(
    times: Array, values: Array, happened: Happened, first: int
) -> tuple[Array, Array]:
    """Put the states before and after each event of the system among those at the ends of steps."""
    own = np.flatnonzero(happened.kinds[:, 0] >= first)
    own = own[np.argsort(happened.times[own], kind="stable")]
    both = np.stack([happened.befores[own], happened.afters[own]], axis=1)
    twice = np.repeat(happened.times[own], 2)
    at = np.searchsorted(times, twice)
    return np.insert(times, at, twice), np.insert(
        values, at, both.reshape(-1, values.shape[1]), axis=0
    )


def _times(system: System, span: float, method: SdeMethod, at: ArrayLike | None) -> Array:
    """Return the times to keep."""
    if at is None:
        steps = max(
            int(np.ceil(span / getattr(method, "step", 1.0) * (1 - 1e-12))), 1 if span else 0
        )
        if steps * len(system.state_names) > MOST_KEPT:
            raise SettingError(
                f"{steps} steps of {len(system.state_names)} states would fill the memory. Keep some of "
                "them with at=, such as at=np.linspace(0, duration, 1000)."
            )
        return np.linspace(0.0, span, steps + 1)
    times = np.array(at, dtype=float, ndmin=1)
    if times.ndim != 1 or not times.size or not np.isfinite(times).all():
        raise SettingError("at holds something else than finite times. Give a flat list of times.")
    if system.is_discrete and (times != np.floor(times)).any():
        raise SettingError("at holds times that are not whole; a map has states at whole steps.")
    if (np.diff(times) < 0).any() or times[0] < 0 or times[-1] > span:
        raise SettingError(
            f"at reaches from {times.min():g} to {times.max():g}; times must rise from 0 or later to the "
            f"duration, {span:g}."
        )
    return times
