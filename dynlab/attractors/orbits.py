"""Orbits of many members, sampled at equal times and taken up again from where they are.

In lanes where the system has them (`dynlab.solve.lanes`), else one by one.  The rule does not depend on
time, so every stretch begins at t = 0; angles are brought back to the first turn between stretches, so
that their size loosens no tolerance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.kernels import kernels_of
from dynlab.cycles.guess import check_turns
from dynlab.equilibria.large import is_large
from dynlab.equilibria.stability import jacobian_at
from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.point import apart, whole_turns
from dynlab.progress import tick
from dynlab.solve.integrate import integrate
from dynlab.solve.iterate import iterate
from dynlab.solve.lanes import Answers, run_in_lanes
from dynlab.solve.methods import AdaptiveMethod, Explicit8, OdeMethod
from dynlab.status import Status
from dynlab.symbolic.dynamics import Need, require
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import TIME

__all__ = ["Orbits", "orbits_of", "refuse_conservative", "require_recurrent", "turn_of_drive"]

Array = NDArray[np.float64]

#: The usual tolerances here: which basin a state is in is not told by more digits than the cells have.
USUAL = Explicit8(rtol=1e-7, atol=1e-10)

_ENDED = (Status.DIVERGED, Status.LEFT_DOMAIN)
_FREE_OF_TIME = Need(
    lambda system: system.is_autonomous,
    "its rule depends on the time dl.t, so coming back to a state says nothing about what follows. Make "
    "the phase of the drive a state with .with_phase",
)


class Orbits(NamedTuple):
    """How orbits of a system are made.

    Attributes
    ----------
    system
        The flow or map.
    method
        Method of a flow, None for a map.
    step
        Time between samples; 1 for a map.
    """

    system: System
    method: OdeMethod | None
    step: float

    @property
    def in_lanes(self) -> bool:
        """Whether many orbits are run in lanes; one by one a run has its own price, however short."""
        return run_in_lanes(self.system, self.method, 1.0, np.ones(1)) is not None

    def samples(self, states: Array, count: int) -> tuple[Array, NDArray[np.int64]]:
        """Return members x samples x states after 1, 2, ... steps, and how each orbit ended.

        Beyond where an orbit ends there is nan.  One that was stopped is RUNNING.
        """
        times = self.step * np.arange(1.0, count + 1)
        method = self.method
        if type(method) is Explicit8:
            method = Explicit8(method.rtol, method.atol, method.max_steps, 0.5 * self.step)
        answers = Answers.room(len(states), count, states.shape[1])
        lanes = (
            run_in_lanes(self.system, method, float(times[-1]), times) if len(states) > 2 else None
        )
        if lanes is not None:
            parameters = np.tile(np.array(self.system.parameter_values or (0.0,)), (len(states), 1))
            lanes(states, parameters, answers)
            if self.method is None:
                ended = (answers.status == Status.RUNNING) & np.isfinite(states).all(axis=1)
                answers.status[ended & tick(0.0, 1.0)] = Status.DIVERGED
        for member in np.flatnonzero(answers.status == Status.RUNNING):
            if not tick(0.0, 1.0):
                break
            answers.values[member], answers.status[member] = self.one(states[member], times)
        return answers.values, answers.status

    def one(self, state: Array, times: Array) -> tuple[Array, Status]:
        """Return the samples of one orbit, run by itself, and how it ended."""
        values = np.full((len(times), len(state)), np.nan)
        if self.method is None:
            whole = np.arange(1, len(times) + 1)
            found = iterate(self.system, start=state, duration=len(times), at=whole)  # type: ignore[arg-type]
        else:
            found = integrate(
                self.system, start=state, duration=float(times[-1]), at=times,  # type: ignore[arg-type]
                method=self.method,
            )  # fmt: skip
        if found.status is Status.STOPPED:
            return values, Status.RUNNING
        values[: len(found.t)] = found.values
        return values, found.status

    def reach(self, states: Array, count: int) -> Array:
        """Return how far each state moves along those of some orbits that do not end; 0 if all do."""
        values, _ = self.samples(states, count)
        whole = np.concatenate([states[:, None], values], axis=1)
        kept = whole[np.isfinite(whole).all(axis=(1, 2))]
        return np.asarray(np.ptp(kept, axis=1).max(axis=0, initial=0.0))

    def wrapped(self, states: Array) -> Array:
        """Return states with angles on their first turn."""
        turns = whole_turns(self.system)
        if not turns.any():
            return np.array(states, float, order="C")
        safe = np.where(turns > 0, turns, 1.0)
        return np.ascontiguousarray(states - turns * np.floor(states / safe))


def require_recurrent(system: System) -> None:
    """Refuse what recurrences cannot tell anything about."""
    require(system, _FREE_OF_TIME)
    start = np.array(system.start_values, float)
    if system.events:
        _check_events(system, start)
    if system.is_discrete:
        _check_map_turns(system, start)
    else:
        check_turns(system, start)


def _check_events(system: System, state: Array) -> None:
    """Refuse events after which more than the state decides what follows."""
    pausing = [event.name for event in system.events if event.refractory is not None]
    timed = [e.name for e in system.events if any(x.has(TIME) for x, _ in e.expressions)]
    turns = np.flatnonzero(whole_turns(system))
    if pausing:
        why = (
            f"after its event {pausing[0]!r} states stand still for a time, and how much of it is left is no "
            "state. Write the pause as a state that counts it down"
        )
    elif timed:
        why = f"its event {timed[0]!r} depends on the time dl.t. Make the phase a state with .with_phase"
    elif system.is_indexed and turns.size:
        why = (
            "it is a network of angles whose nodes have events. Declare the angles as plain states"
        )
    else:
        for k in turns:
            _check_event_turns(system, state, int(k))
        return
    raise UnsupportedSystemError(f"{system.name!r} cannot be used here: {why}.")


def _check_event_turns(system: System, state: Array, angle: int) -> None:
    """Refuse events that an angle after a whole turn meets otherwise."""
    p = np.array(system.parameter_values or (0.0,))
    turned = state.copy()
    turned[angle] += 2 * np.pi
    for event in system.events:
        kernel = kernels_of(system).expressions([event.guard])
        here, there = (float(kernel(0.0, x, p)[0]) for x in (state, turned))
        after, later = (
            np.asarray(kernels_of(system).expressions(event.map_of(system.state_names))(0.0, x, p))
            for x in (state, turned)
        )
        moved = float(np.max(np.abs(apart(system, after, later))))
        if abs(there - here) > 1e-8 * max(1.0, abs(here)) or moved > 1e-8:
            name = system.state_names[angle]
            raise UnsupportedSystemError(
                f"event {event.name!r} of {system.name!r} is another one when {name!r} makes a whole turn, so "
                f"{name!r} is no angle there. Write it with sin and cos of {name!r}, or leave dl.Angle out of "
                "its declaration."
            )


def refuse_conservative(system: System, states: Array) -> None:
    """Refuse a system that preserves volumes at all of some states: it has no attractors.

    What events do to volumes is not looked at: a system that has some is not refused.

    Volumes neither shrink nor grow where the divergence of a flow is 0, or the determinant of a map's
    Jacobian 1 or -1; a set that draws in a neighbourhood would shrink it.
    """
    if is_large(system) or system.events:
        return
    with np.errstate(all="ignore"):
        matrices = np.array([jacobian_at(system, x) for x in states])
    matrices = matrices[np.isfinite(matrices).all(axis=(1, 2))]
    if not len(matrices):
        return
    if system.is_discrete:
        change = np.abs(np.abs(np.linalg.det(matrices)) - 1.0)
        size = np.maximum(1.0, np.max(np.abs(matrices), axis=(1, 2)) ** matrices.shape[1])
    else:
        change = np.abs(np.trace(matrices, axis1=1, axis2=2))
        size = np.max(np.abs(matrices), axis=(1, 2))
    if np.all(change <= 1e-12 * size):
        word = "areas" if matrices.shape[1] == 2 else "volumes"
        raise UnsupportedSystemError(
            f"{system.name!r} preserves {word} ({'|det J| = 1' if system.is_discrete else 'div f = 0'} at "
            f"{len(matrices)} states tried), so it has no attractors. Add friction, or draw its orbits "
            "with dl.ensemble."
        )


def _check_map_turns(system: System, state: Array) -> None:
    """Refuse a map to which an angle after a whole turn is another one."""
    rule, p = kernels_of(system).rhs, np.array(system.parameter_values or (0.0,))
    here = rule(0.0, state, p)
    for k in np.flatnonzero(whole_turns(system)):
        turned = state.copy()
        turned[k] += 2 * np.pi
        change = np.abs(apart(system, rule(0.0, turned, p), here))
        if np.max(change) > 1e-8 * max(1.0, float(np.max(np.abs(here)))):
            name = system.state_names[k]
            raise UnsupportedSystemError(
                f"the rule of {system.name!r} changes when {name!r} makes a whole turn, so {name!r} is no "
                "angle and has no place on a circle. Leave dl.Angle out of its declaration."
            )


def orbits_of(
    system: System, method: OdeMethod | None, step: float | None, pilots: Array
) -> Orbits:
    """Return how to make orbits, with the time between samples chosen if none is given.

    It is one turn of a drive, if there is an angle that turns at a constant rate whatever the other
    states do; else twice the step, shorter than most, that the method takes along orbits from some pilot starts.
    """
    if system.is_discrete:
        if method is not None:
            raise SettingError(
                f"{system.name!r} is a map, which needs no method. Leave method out."
            )
        return Orbits(system, None, 1.0)
    if method is not None and not isinstance(method, AdaptiveMethod):
        raise SettingError(f"method is {method!r}; give a method such as dl.Explicit8(rtol=1e-6).")
    chosen = USUAL if method is None else method
    if step is None:
        step = turn_of_drive(system) or _usual_step(system, chosen, pilots)
    return Orbits(system, chosen, step)


def turn_of_drive(system: System) -> float | None:
    """Return the period of an angle whose rate is a constant, if there is exactly one."""
    turns, names = whole_turns(system), set(system.state_names)
    found = [
        k for k, expression in enumerate(system.rule)
        if turns[k] and not {str(s) for s in expression.free_symbols} & names
    ]  # fmt: skip
    if len(found) != 1 or system.is_indexed:
        return None
    rates = kernels_of(system).rhs(
        0.0, np.array(system.start_values), np.array(system.parameter_values or (0.0,))
    )
    rate = abs(float(rates[found[0]]))
    return 2 * np.pi / rate if rate > 0 else None


def _usual_step(system: System, method: AdaptiveMethod, pilots: Array) -> float:
    """Return twice the step of orbits from some starts, that of fast stretches, in two digits."""
    trial = type(method)(method.rtol, method.atol, PILOT_STEPS)  # type: ignore[call-arg]
    sizes = []
    for start in pilots:
        run = integrate(system, start=start, duration=PILOT_TIME, method=trial)
        if run.status not in _ENDED and len(run.t) > 2:
            sizes.append(np.diff(run.t))
    if not sizes:
        return 1.0
    return float(f"{2.0 * np.quantile(np.concatenate(sizes), SHARE):.1e}")


#: Steps of a pilot orbit, and a time that no orbit reaches with so few unless it rests.
PILOT_STEPS, PILOT_TIME = 100, 1e9
#: This share of the steps is shorter.
SHARE = 0.3
