"""First guesses of a cycle: the last turn of a run that settles, a piece of a run, or another cycle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.cycles.cycle import Cycle
from dynlab.cycles.problem import Orbit, range_of
from dynlab.errors import NotConverged, SettingError, UnsupportedSystemError
from dynlab.names import finite
from dynlab.point import apart, described, whole_turns
from dynlab.solve.integrate import integrate
from dynlab.solve.methods import Automatic
from dynlab.solve.trajectory import Trajectory
from dynlab.status import Status
from dynlab.symbolic.system import System

__all__ = [
    "FEW_LEGS",
    "LEGS",
    "Guess",
    "Turn",
    "begun",
    "check_turns",
    "closed",
    "given",
    "one_turn",
    "rests",
    "settled",
    "wound",
]

Vector = NDArray[np.float64]

#: Legs of the run that settles, each twice as long as the one before.
LEGS, FEW_LEGS = 14, 7
_STEPS_OF_FIRST = 400
#: So many steps at the end of a leg are searched for a return, each at so many places.
_SEARCHED, _PLACES = 6_000, 4
#: A return this near (in ranges of the states) closes the orbit, in the last legs a less near one.
_NEAR, _NEARISH = 1e-4, 2e-2
#: A run whose states move less than this part of their size rests.
_REST = 1e-7
#: Intervals of the first guess.
_FIRST_MESH = 80
#: A cycle goes round so often if a part of its period later it is the same to this part of the units.
_OFTEN, _SAME = (2, 3, 5, 7), 1e-6
_SETTLE = Automatic(rtol=1e-9, atol=1e-12)


class Turn(NamedTuple):
    """The piece of a run between two times, which nearly closes."""

    run: Trajectory
    begin: float
    end: float


Guess = Turn | Cycle


def given(system: System, orbit: Trajectory | Cycle) -> Guess:
    """Return the guess that a trajectory or another cycle gives."""
    if not isinstance(orbit, Trajectory | Cycle):
        raise SettingError(f"orbit is {type(orbit).__name__}; give a trajectory or a cycle.")
    if orbit.system.rule_hash != system.rule_hash:
        raise SettingError(
            f"the orbit is one of {orbit.system.name!r}, not of {system.name!r}. Give one of the same "
            "equations."
        )
    if isinstance(orbit, Cycle):
        return orbit
    begin, end = sorted((float(orbit.t[0]), float(orbit.end[0])))
    return _moving(Turn(orbit, begin, end))


def one_turn(system: System, start: Mapping[str, Any] | None, period: float) -> Turn:
    """Return a run over a period that somebody guessed."""
    turn = finite(period, "period")
    if turn <= 0:
        raise SettingError(f"the period is {turn:g}; it must be positive.")
    run = integrate(system, duration=turn, start=start, method=_SETTLE)
    return _moving(Turn(run, 0.0, turn))


def _moving(turn: Turn) -> Turn:
    """Refuse a guess that ends early, or that is an equilibrium."""
    run = turn.run
    if not run.status.ok:
        raise NotConverged(
            f"the guess of a cycle of {run.system.name!r} ends early ({run.status}): "
            f"{run.status.meaning}. Start elsewhere, or give a shorter period.",
            status=run.status, partial=run,
        )  # fmt: skip
    if rests(run.values):
        raise NotConverged(
            f"the guess of a cycle of {run.system.name!r} is an equilibrium, "
            f"{described(run.final, 6)}, which solves the equations of a cycle for any period. Start "
            "elsewhere, or follow the cycle from a Hopf point with dl.continue_cycles.",
            status=Status.NOT_CONVERGED, partial=run,
        )  # fmt: skip
    return turn


def rests(states: Vector) -> bool:
    """Whether a curve is only a point: an equilibrium solves the equations of a cycle for any period."""
    moved = np.ptp(states, axis=0)
    size = np.maximum(np.max(np.abs(states), axis=0), 1e-12)
    return bool(np.all(moved <= 1e-6 * size))


def check_turns(system: System, state: Vector) -> None:
    """Refuse a rule to which an angle after a whole turn is another one: no orbit that winds closes."""
    rhs, p = kernels_of(system).rhs, inputs_of(system).parameters
    here = rhs(0.0, state, p).copy()
    for k in np.flatnonzero(whole_turns(system)):
        turned = state.copy()
        turned[k] += 2 * np.pi
        change = np.max(np.abs(rhs(0.0, turned, p) - here))
        if change > 1e-8 * np.max(np.abs(here), initial=1e-300):
            name = system.state_names[k]
            raise UnsupportedSystemError(
                f"the rule of {system.name!r} changes when {name!r} makes a whole turn, so {name!r} is no "
                "angle and no orbit that winds round it closes. Make the drive a function of sin and cos "
                f"of {name!r}."
            )


def wound(system: System, last: Vector, first: Vector) -> Vector:
    """Return the whole turns between two states, of those on a circle."""
    turns = whole_turns(system)
    return np.asarray(turns * np.round((last - first) / np.where(turns > 0, turns, 1.0)))


def closed(system: System, guess: Guess) -> Orbit:
    """Return the guess as a closed curve on a first mesh."""
    if isinstance(guess, Cycle):
        return guess.orbit
    run, begin, end = guess
    # The steps of the run are short where the cycle is fast: so is the first mesh.
    inner = run.t[(run.t > begin) & (run.t < end)]
    knots = np.unique(np.concatenate([[begin], inner, [end]]))
    shares = np.linspace(0.0, len(knots) - 1.0, _FIRST_MESH + 1)
    mesh = (np.interp(shares, np.arange(len(knots)), knots) - begin) / (end - begin)
    mesh[[0, -1]] = 0.0, 1.0
    orbit = Orbit(np.empty((4 * _FIRST_MESH + 1, 1)), mesh, end - begin, 0.0)
    places = orbit.places
    profile = np.ascontiguousarray(run.at(begin + (end - begin) * places).values)
    # What is missing to close it is spread over the whole turn.
    profile = profile - places[:, None] * apart(system, profile[-1], profile[0])
    profile[-1] = profile[0] + wound(system, profile[-1], profile[0])
    return orbit._replace(profile=profile - begun(system, profile[0]))


def begun(system: System, first: Vector) -> Vector:
    """Return the whole turns to take away so that the angles of a cycle begin between 0 and 2 pi."""
    turns = whole_turns(system)
    return np.asarray(turns * np.floor(first / np.where(turns > 0, turns, 1.0)))


def once_round(cycle: Cycle) -> Cycle | None:
    """Return the guess of a cycle that this one goes round several times; None if it goes round once.

    A run that settles by swinging from one side to the other is nearer to itself two turns ago than one.
    """
    orbit, system = cycle.orbit, cycle.system
    units = range_of(system, orbit.profile)
    # Between the ends of intervals: away from jumps, and dense where the cycle is fast.
    places = (0.5 * (orbit.mesh[:-1] + orbit.mesh[1:]))[np.diff(orbit.mesh) > 0]
    for times in _OFTEN:
        ahead = orbit.at(np.mod(places + 1.0 / times, 1.0))
        if np.max(np.abs(apart(system, ahead, orbit.at(places))) / units) > _SAME:
            continue
        mesh = np.append(times * orbit.mesh[orbit.mesh < 1.0 / times], 1.0)
        shorter = orbit._replace(
            profile=np.empty((orbit.degree * (len(mesh) - 1) + 1, 1)), mesh=mesh,
            period=orbit.period / times,
        )  # fmt: skip
        profile = orbit.at(shorter.places / times)
        profile[-1] = profile[0] + wound(system, profile[-1], profile[0])
        return replace(cycle, period=shorter.period, mesh=mesh, profile=profile)
    return None


def settled(system: System, start: Mapping[str, Any] | None, legs: int = LEGS) -> Turn:
    """Run until the trajectory returns to where it was; return the last turn."""
    duration, at = None, start
    run: Trajectory | None = None
    for leg in range(legs):
        if duration is None:
            duration = _first_duration(system, start)
        run = integrate(system, duration=duration, start=at, method=_SETTLE)
        if not run.status.ok:
            break
        near = _NEAR if leg < legs // 2 else _NEARISH
        turn = _last_turn(system, run, near)
        if turn is not None:
            return Turn(run, float(run.end[0]) - turn, float(run.end[0]))
        if leg > 2 and _rests(system, run):
            raise NotConverged(
                f"the trajectory of {system.name!r} settles on the equilibrium "
                f"{described(run.final, 6)}. Start elsewhere, change a parameter, or follow the cycle "
                "from a Hopf point with dl.continue_cycles.",
                status=Status.NOT_CONVERGED, partial=run,
            )  # fmt: skip
        at, duration = run.final, 2.0 * duration
    assert run is not None
    ran = run.status.ok
    why = "the trajectory does not come back to where it was" if ran else run.status.meaning
    raise NotConverged(
        f"no cycle of {system.name!r} was found: {why}. Start elsewhere, give period=, or "
        "follow the cycle from a Hopf point with dl.continue_cycles.",
        status=Status.NOT_CONVERGED if ran else run.status, partial=run,
    )  # fmt: skip


def _first_duration(system: System, start: Mapping[str, Any] | None) -> float:
    """Return how long some hundred steps take."""
    duration = 1.0
    for _ in range(60):
        run = integrate(system, duration=duration, start=start, method=_SETTLE)
        steps = len(run.t) - 1
        if not run.status.ok or steps >= _STEPS_OF_FIRST / 4:
            return duration * _STEPS_OF_FIRST / max(steps, 1)
        duration *= 4.0
    return duration


def _rests(system: System, run: Trajectory) -> bool:
    half = run.values[len(run.values) // 2 :]
    size = np.maximum(np.max(np.abs(half), axis=0), 1e-9)
    moved = np.where(whole_turns(system) > 0, np.ptp(half, axis=0), np.ptp(half, axis=0) / size)
    return bool(np.all(moved <= _REST))


def _last_turn(system: System, run: Trajectory, near: float) -> float | None:
    """Return how long before the end the run was last where it ended; None if it never was so near."""
    assert run.steps is not None
    starts = run.steps.starts[-_SEARCHED:]
    ends = np.append(starts[1:], run.end[0])
    inner = starts[:, None] + (ends - starts)[:, None] * (np.arange(_PLACES) / _PLACES)
    times = inner.ravel()
    values = run.steps(times)
    unit = range_of(system, values)
    distance = np.linalg.norm(apart(system, values, run.end[1:]) / unit, axis=1)
    # From the end backwards: first away, then back.
    away = np.flatnonzero(distance > 0.1)
    if not len(away) or np.max(distance) < 100 * near:
        return None
    last = int(away[-1])
    lows = np.flatnonzero(
        (distance[1 : last - 1] <= distance[: last - 2]) & (distance[1 : last - 1] <= distance[2:last])
    ) + 1  # fmt: skip
    for k in lows[::-1]:
        if distance[k] > 0.3:
            continue
        time, gap = _nearest(system, run, times[k - 1], times[k + 1], unit)
        if gap <= near:
            return float(run.end[0] - time)
    return None


def _nearest(
    system: System, run: Trajectory, left: float, right: float, unit: Vector
) -> tuple[float, float]:
    """Return when between two times the run is nearest to its end, and how near."""
    assert run.steps is not None
    steps = run.steps

    def gap(times: Vector) -> Vector:
        return np.asarray(np.linalg.norm(apart(system, steps(times), run.end[1:]) / unit, axis=1))

    for _ in range(8):
        times = np.linspace(left, right, 21)
        best = int(np.argmin(gap(times)))
        left, right = times[max(best - 1, 0)], times[min(best + 1, 20)]
    middle = 0.5 * (left + right)
    return middle, float(gap(np.array([middle]))[0])
