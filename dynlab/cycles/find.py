"""find_cycle: the limit cycle that a trajectory settles on, or one near a guess."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.cycles.collocation import Collocation, cycle_of, refined
from dynlab.cycles.cycle import Cycle
from dynlab.cycles.problem import CycleProblem, Orbit, range_of
from dynlab.errors import NotConverged, SettingError, UnsupportedSystemError
from dynlab.names import Layout, finite
from dynlab.point import apart, described, whole_turns
from dynlab.solve.integrate import integrate
from dynlab.solve.methods import Automatic
from dynlab.solve.trajectory import Trajectory
from dynlab.status import Status
from dynlab.symbolic.dynamics import Autonomous, Continuous, require
from dynlab.symbolic.system import System

__all__ = ["attracting_cycle", "find_cycle"]

Vector = NDArray[np.float64]

#: Legs of the run that settles, each twice as long as the one before.
_LEGS, _FEW_LEGS = 14, 7
_STEPS_OF_FIRST = 400
#: So many steps at the end of a leg are searched for a return, each at so many places.
_SEARCHED, _PLACES = 6_000, 4
#: A return this near (in ranges of the states) closes the orbit, in the last legs a less near one.
_NEAR, _NEARISH = 1e-4, 2e-2
#: A run whose states move less than this part of their size rests.
_REST = 1e-7
#: Intervals of the first guess.
_FIRST_MESH = 80
_SETTLE = Automatic(rtol=1e-9, atol=1e-12)


def find_cycle(
    system: System,
    *,
    start: Mapping[str, Any] | None = None,
    period: float | None = None,
    orbit: Trajectory | Cycle | None = None,
    method: Collocation | None = None,
) -> Cycle:
    """Find a limit cycle: the one that a trajectory settles on, or the one near a guess.

    Without a guess the system runs from `start` until it comes back to where it was; that turn is the
    first guess of a boundary-value problem, which is then solved to full accuracy.  So the cycle must
    attract.  With `period` or `orbit` it need not.

    Parameters
    ----------
    system
        A flow whose rule does not depend on time; make the phase of a drive a state with
        ``.with_phase``.
    start
        Where to start (the system's own start if left out).
    period
        Period of the guess: one turn that begins at `start`.
    orbit
        A trajectory that runs over about one period, or a cycle of the same system at other
        parameter values, to be the guess.
    method
        `Collocation`, with its mesh and tolerance.

    Returns
    -------
    Cycle
        The cycle, with its Floquet multipliers and accuracy.

    Raises
    ------
    NotConverged
        If the run rests, runs away or never comes back, or if no cycle is near the guess.
    SettingError, UnknownNameError, UnsupportedSystemError
        If the input makes no sense.

    Examples
    --------
    >>> import dynlab as dl
    >>> cycle = dl.find_cycle(dl.zoo.van_der_pol(mu=1.0))
    >>> cycle.kind, round(cycle.period, 6)
    ('stable cycle', 6.663287)
    """
    require(system, Continuous, Autonomous)
    if system.events:
        raise UnsupportedSystemError(
            f"{system.name!r} has events, and collocation needs a smooth flow. Integrate it with "
            "dl.integrate until it repeats."
        )
    method = method or Collocation()
    if not isinstance(method, Collocation):
        raise SettingError(f"method is {method!r}; give a dl.Collocation().")
    problem = _problem(system)
    if orbit is not None:
        if start is not None or period is not None:
            raise SettingError("give either orbit= or start= and period=, not both.")
        guess = _given(problem, orbit)
    elif period is not None:
        turn = finite(period, "period")
        if turn <= 0:
            raise SettingError(f"the period is {turn:g}; it must be positive.")
        guess = _turn(problem, integrate(system, duration=turn, start=start), 0.0, turn)
    else:
        guess = _settled(problem, start)
    found = refined(problem, guess, method)
    if found is None or _is_rest(problem, found.solved.orbit):
        raise NotConverged(
            f"Newton's method found no cycle of {system.name!r} near the guess of period "
            f"{guess.period:.6g} through {described(Layout.of(system).unpack(guess.profile[0]), 6)}. "
            "Give a better orbit= or start= and period=, or a finer dl.Collocation(intervals=...).",
            status=Status.NOT_CONVERGED,
        )
    return cycle_of(problem, found)


def attracting_cycle(system: System) -> Cycle | None:
    """Return the cycle that the system's own start settles on before long, or None."""
    problem = _problem(system)
    try:
        guess = _settled(problem, None, _FEW_LEGS)
    except NotConverged:
        return None
    found = refined(problem, guess, Collocation())
    return (
        None if found is None or _is_rest(problem, found.solved.orbit) else cycle_of(problem, found)
    )


def _problem(system: System) -> CycleProblem:
    names = system.parameter_names
    return CycleProblem(system, names[0] if names else "", 1.0)


def _is_rest(problem: CycleProblem, orbit: Orbit) -> bool:
    """Whether a curve is only a point: an equilibrium solves the equations of a cycle for any period."""
    moved = np.ptp(orbit.profile, axis=0)
    size = np.maximum(np.max(np.abs(orbit.profile), axis=0), 1e-12)
    return bool(np.all(moved <= 1e-6 * size))


def _given(problem: CycleProblem, orbit: Trajectory | Cycle) -> Orbit:
    """Return the guess that a trajectory or another cycle gives."""
    if not isinstance(orbit, Trajectory | Cycle):
        raise SettingError(f"orbit is {type(orbit).__name__}; give a trajectory or a cycle.")
    if orbit.system.rule_hash != problem.system.rule_hash:
        raise SettingError(
            f"the orbit is one of {orbit.system.name!r}, not of {problem.system.name!r}. Give one of "
            "the same equations."
        )
    if isinstance(orbit, Cycle):
        return orbit.orbit._replace(value=_value(problem))
    begin, end = sorted((float(orbit.t[0]), float(orbit.end[0])))
    return _turn(problem, orbit, begin, end)


def _value(problem: CycleProblem) -> float:
    return float(problem.system[problem.vary]) if problem.vary else 0.0


def _turn(problem: CycleProblem, run: Trajectory, begin: float, end: float) -> Orbit:
    """Return the piece of a run between two times as a closed curve on a first mesh."""
    if not run.status.ok:
        raise NotConverged(
            f"the guess of a cycle of {problem.system.name!r} ends early ({run.status}): "
            f"{run.status.meaning}. Start elsewhere, or give a shorter period.",
            status=run.status, partial=run,
        )  # fmt: skip
    # The steps of the run are short where the cycle is fast: so is the first mesh.
    inner = run.t[(run.t > begin) & (run.t < end)]
    knots = np.unique(np.concatenate([[begin], inner, [end]]))
    shares = np.linspace(0.0, len(knots) - 1.0, _FIRST_MESH + 1)
    mesh = (np.interp(shares, np.arange(len(knots)), knots) - begin) / (end - begin)
    mesh[[0, -1]] = 0.0, 1.0
    orbit = Orbit(np.empty((4 * _FIRST_MESH + 1, 1)), mesh, end - begin, _value(problem))
    places = orbit.places
    profile = np.ascontiguousarray(run.at(begin + (end - begin) * places).values)
    # What is missing to close it is spread over the whole turn.
    gap = apart(problem.system, profile[-1], profile[0])
    profile = profile - places[:, None] * gap
    turns = whole_turns(problem.system)
    wound = np.where(turns > 0, turns * np.round((profile[-1] - profile[0]) / np.where(
        turns > 0, turns, 1.0)), 0.0)  # fmt: skip
    profile[-1] = profile[0] + wound
    return orbit._replace(profile=profile)


def _settled(problem: CycleProblem, start: Mapping[str, Any] | None, legs: int = _LEGS) -> Orbit:
    """Run until the trajectory returns to where it was; return the last turn."""
    system = problem.system
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
            return _turn(problem, run, float(run.end[0]) - turn, float(run.end[0]))
        if leg > 2 and _rests(system, run):
            raise NotConverged(
                f"the trajectory of {system.name!r} settles on the equilibrium "
                f"{described(run.final, 6)}. Start elsewhere, change a parameter, or follow the cycle "
                "from a Hopf point with dl.continue_cycles.",
                status=Status.NOT_CONVERGED, partial=run,
            )  # fmt: skip
        at, duration = run.final, 2.0 * duration
    assert run is not None
    why = "does not come back to where it was" if run.status.ok else run.status.meaning
    raise NotConverged(
        f"no cycle of {system.name!r} was found: the trajectory {why}. Start elsewhere, give period=, or "
        "follow the cycle from a Hopf point with dl.continue_cycles.",
        status=Status.NOT_CONVERGED if run.status.ok else run.status, partial=run,
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
