"""find_cycle: the limit cycle that a trajectory settles on, or one near a guess."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynlab.cycles.collocation import Collocation, cycle_of, refined
from dynlab.cycles.cycle import Cycle
from dynlab.cycles.events import check_events
from dynlab.cycles.guess import (
    FEW_LEGS,
    Guess,
    check_turns,
    closed,
    given,
    once_round,
    one_turn,
    rests,
    settled,
)
from dynlab.cycles.problem import CycleProblem
from dynlab.cycles.shooting import Shooting, shot
from dynlab.errors import ComputationError, NotConverged, SettingError, UnsupportedSystemError
from dynlab.names import Layout
from dynlab.point import described
from dynlab.solve.trajectory import Trajectory
from dynlab.status import Status
from dynlab.symbolic.dynamics import Autonomous, Continuous, require
from dynlab.symbolic.system import System

__all__ = ["attracting_cycle", "find_cycle"]


def find_cycle(
    system: System,
    *,
    start: Mapping[str, Any] | None = None,
    period: float | None = None,
    orbit: Trajectory | Cycle | None = None,
    method: Collocation | Shooting | None = None,
) -> Cycle:
    """Find a limit cycle: the one that a trajectory settles on, or the one near a guess.

    Without a guess the system runs from `start` until it comes back to where it was; that turn is the
    first guess of a boundary-value problem, which is then solved to full accuracy.  So the cycle must
    attract.  With `period` or `orbit` it need not.  Of a system with a drive made a state by
    ``.with_phase`` the cycle takes as many turns of the drive as the guess.

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
        `Collocation`, with its mesh and tolerance, or `Shooting`, the independent check.  A system with
        events is solved by shooting.

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
    method = _checked(system, method)
    check_turns(system, Layout.of(system).pack(start, system.start_values))
    if orbit is not None:
        if start is not None or period is not None:
            raise SettingError("give either orbit= or start= and period=, not both.")
        guess: Guess = given(system, orbit)
    elif period is not None:
        guess = one_turn(system, start, period)
    else:
        guess = settled(system, start)
    return _solved(system, guess, method)


def _solved(system: System, guess: Guess, method: Collocation | Shooting) -> Cycle:
    """Return the cycle near a guess, which goes round once."""
    cycle = _near(system, guess, method)
    while (shorter := once_round(cycle)) is not None:
        cycle = _near(system, shorter, method)
    return cycle


def _near(system: System, guess: Guess, method: Collocation | Shooting) -> Cycle:
    """Return the cycle near a guess."""
    if isinstance(method, Shooting):
        return shot(system, guess, method)
    problem = _problem(system)
    first = closed(system, guess)._replace(value=_value(problem))
    found = refined(problem, first, method)
    if found is None or rests(found.solved.orbit.profile):
        raise NotConverged(
            f"Newton's method found no cycle of {system.name!r} near the guess of period "
            f"{first.period:.6g} through {described(Layout.of(system).unpack(first.profile[0]), 6)}. "
            "Give a better orbit= or start= and period=, or a finer dl.Collocation(intervals=...).",
            status=Status.NOT_CONVERGED,
        )
    return cycle_of(problem, found)


def attracting_cycle(system: System) -> Cycle | None:
    """Return the cycle that the system's own start settles on before long, or None.

    None, too, of a system whose events no cycle may meet, such as a network whose nodes have events.
    """
    method = Shooting() if system.events else Collocation()
    try:
        check_events(system)
        return _solved(system, settled(system, None, FEW_LEGS), method)
    except (ComputationError, UnsupportedSystemError):
        return None


def _checked(system: System, method: Collocation | Shooting | None) -> Collocation | Shooting:
    """Return the method, or the one that fits the system."""
    if method is None:
        return Shooting() if system.events else Collocation()
    if not isinstance(method, Collocation | Shooting):
        raise SettingError(f"method is {method!r}; give a dl.Collocation() or a dl.Shooting().")
    if system.events and isinstance(method, Collocation):
        raise UnsupportedSystemError(
            f"{system.name!r} has events, and collocation needs a smooth flow. Use method=dl.Shooting()."
        )
    return method


def _problem(system: System) -> CycleProblem:
    names = system.parameter_names
    return CycleProblem(system, names[0] if names else "", 1.0)


def _value(problem: CycleProblem) -> float:
    return float(problem.system[problem.vary]) if problem.vary else 0.0
