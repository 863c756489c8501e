"""find_homoclinic, find_heteroclinic: the connecting orbit to which a cycle of long period tends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.connections.orbit import ConnectingOrbit
from dynlab.continuation.connections.truncation import cut_at, distances
from dynlab.continuation.curves.connection import Connection, ConnectionProblem
from dynlab.continuation.cycles.ends import fold_near, is_saddle, visited
from dynlab.continuation.plane.passages import excursions
from dynlab.cycles.collocation import Collocation
from dynlab.cycles.cycle import Cycle
from dynlab.cycles.problem import CycleProblem, range_of
from dynlab.errors import NotConverged, SettingError, UnknownNameError, UnsupportedSystemError
from dynlab.status import Status
from dynlab.symbolic.dynamics import Autonomous, Continuous, require
from dynlab.symbolic.system import System

__all__ = [
    "NEAR_SADDLE",
    "excursion_guesses",
    "find_heteroclinic",
    "find_homoclinic",
    "homoclinic_guess",
    "orbit_of",
    "require_smooth",
    "settled",
]

Vector = NDArray[np.float64]

#: Distance of the ends from the equilibria, in units of the states; the parameter feels its square.
NEAR_SADDLE = 1e-5
#: First guesses: the whole excursion, or its ends cut off where it is so near.
_CUTS = (None, 1e-2, 3e-2)
_COUNTS = (60, 120, 240)
#: An orbit found must stay this near to where the cycle was, in units of the states.
_STRAY = 0.5
_TRIVIAL = 0.1


def find_homoclinic(
    cycle: Cycle, *, vary: str, method: Collocation | None = None
) -> ConnectingOrbit:
    """Find the homoclinic orbit to which a cycle of long period tends.

    The parameter value and the orbit solve a boundary-value problem on a finite time whose ends lie in the
    unstable and the stable eigenspace of the equilibrium (projection boundary conditions).  The equilibrium
    may be a saddle, a saddle-focus, or a saddle-node (then the cycles end on an invariant circle).

    Parameters
    ----------
    cycle
        A cycle of long period, such as the last one of a branch that ends near a homoclinic orbit.
    vary
        The parameter whose value is sought.
    method
        First mesh, degree, tolerance and finest mesh.

    Returns
    -------
    ConnectingOrbit
        The orbit, at the parameter value where it exists, with the change of that value on a mesh twice as
        fine and over twice the time.

    Raises
    ------
    SettingError, UnknownNameError
        If the input makes no sense, or the cycle comes near no saddle or saddle-node.
    NotConverged
        If no homoclinic orbit is found near the cycle.

    Examples
    --------
    >>> import dynlab as dl
    >>> cell = dl.zoo.morris_lecar(gCa=4, V3=12, V4=17.4, phi=0.23)
    >>> rest = dl.find_equilibria(cell(I=80)).single()
    >>> onset = dl.continue_equilibrium(rest, vary="I", over=(20, 80)).points(dl.Hopf).single()
    >>> cycles = dl.continue_cycles(onset, over=(20, 80), longest=150)
    >>> loop = dl.find_homoclinic(cycles.cycle(-1), vary="I")
    >>> round(loop["I"], 6), loop.kind
    (35.006734, 'homoclinic orbit to a saddle')

    References
    ----------
    Beyn 1990, IMA J. Numer. Anal. 10, 379; Champneys, Kuznetsov and Sandstede 1996, Int. J. Bifurcation
    Chaos 6, 867.
    """
    method = method or Collocation()
    problem, guess = homoclinic_guess(cycle, (vary,), method)
    found = settled(problem, guess, method)
    if found is None:
        raise _none_near(cycle, vary, "homoclinic")
    return orbit_of(*refined_connection(problem, found, method))


def find_heteroclinic(
    cycle: Cycle, *, vary: str, method: Collocation | None = None
) -> ConnectingOrbit:
    """Find the connection between two saddles that decides to which heteroclinic cycle a cycle tends.

    Of the connections along a heteroclinic cycle this is the one that exists at one parameter value only.
    (Others persist, such as those within an invariant axis.)

    Parameters, errors and method are those of `find_homoclinic`.

    Returns
    -------
    ConnectingOrbit
        The orbit from one saddle to the other, at the parameter value where it exists.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def pp2(u=1/3, v=2.0, *, p1=0.0, p2=3.0, p3=5.0, p4=3.0):
    ...     return {u: p2 * u * (1 - u) - u * v - p1 * (1 - dl.exp(-p3 * u)), v: -v + p4 * u * v}
    >>> rest = dl.find_equilibria(pp2, within={"u": (0.2, 0.5), "v": (0.1, 3)}).single()
    >>> onset = dl.continue_equilibrium(rest, vary="p1", over=(0, 0.9)).points(dl.Hopf)[0]
    >>> cycles = dl.continue_cycles(onset, over=(0, 0.9), longest=60)
    >>> connection = dl.find_heteroclinic(cycles.cycle(-1), vary="p1")
    >>> round(connection["p1"], 6), connection.kind
    (0.708073, 'heteroclinic orbit from a saddle to a saddle')
    """
    method = method or Collocation()
    guesses = list(excursion_guesses(_checked(cycle, (vary,)), (vary,)))
    if all(problem.turns is not None for problem, _ in guesses):
        raise SettingError(
            f"the cycle of {cycle.system.name!r} of period {cycle.period:.6g} does not pass two saddles. Give "
            "one of longer period (longest= of dl.continue_cycles), or use dl.find_homoclinic."
        )
    for problem, guess in guesses:
        if problem.turns is not None or problem.excess != 0:
            continue
        found = settled(problem, guess, method)
        if found is not None:
            return orbit_of(*refined_connection(problem, found, method))
    raise _none_near(cycle, vary, "heteroclinic")


def _none_near(cycle: Cycle, vary: str, word: str) -> NotConverged:
    return NotConverged(
        f"no {word} orbit of {cycle.system.name!r} was found near the cycle of period {cycle.period:.6g} at "
        f"{vary} = {cycle.system[vary]:.9g}. Give a cycle of longer period (longest= of "
        "dl.continue_cycles), or a finer method=dl.Collocation(intervals=...).",
        status=Status.NOT_CONVERGED,
    )


def _checked(cycle: Any, vary: tuple[str, ...]) -> Cycle:
    if not isinstance(cycle, Cycle):
        raise SettingError(
            f"a connecting orbit is sought near a cycle of long period; got {type(cycle).__name__}. Take one "
            "from a branch: branch.cycle(-1)."
        )
    require_smooth(cycle.system)
    for name in vary:
        if name not in cycle.system.parameter_names:
            raise UnknownNameError(
                f"parameter of {cycle.system.name!r}", name, cycle.system.parameter_names
            )
    return cycle


def require_smooth(system: System) -> None:
    """Raise if a system is no smooth flow that stands on its own."""
    require(system, Continuous, Autonomous)
    if system.events:
        raise UnsupportedSystemError(
            f"{system.name!r} has events, and an orbit that connects equilibria must be smooth. Follow its "
            "cycles with dl.continue_cycles."
        )


def homoclinic_guess(
    cycle: Cycle, vary: tuple[str, ...], method: Collocation
) -> tuple[ConnectionProblem, Connection]:
    """Return the problem that a long cycle poses, and its first guess."""
    cycle = _checked(cycle, vary)
    guesses = list(excursion_guesses(cycle, vary))
    loops = [found for found in guesses if found[0].turns is not None]
    if loops:
        return loops[0]
    if guesses:
        raise SettingError(
            f"the cycle of {cycle.system.name!r} of period {cycle.period:.6g} passes several saddles. Use "
            "dl.find_heteroclinic."
        )
    raise SettingError(
        f"the cycle of {cycle.system.name!r} of period {cycle.period:.6g} at {vary[0]} = "
        f"{cycle.system[vary[0]]:.6g} is near no homoclinic orbit: it comes near neither a saddle nor a "
        "saddle-node. Give a cycle of longer period (longest= of dl.continue_cycles)."
    )


def excursion_guesses(
    cycle: Cycle, vary: tuple[str, ...]
) -> Iterator[tuple[ConnectionProblem, Connection]]:
    """Yield the connections of which a long cycle is made: from each saddle to the next."""
    system = cycle.system
    values = np.array([float(system[name]) for name in vary])
    spans = np.array([typical(value) for value in values])
    problem = CycleProblem(system, vary[0], float(spans[0]))
    orbit = cycle.orbit._replace(value=float(values[0]))
    units = range_of(system, orbit.profile)
    saddles = [e for e in visited(problem, orbit, units) if is_saddle(e)]
    if saddles:
        stable = [int(np.sum(e.eigenvalues.real < 0)) for e in saddles]
        rests = [e.state for e in saddles]
        for a, b, guess in excursions(system, orbit, rests, units, values):
            n = len(guess.source)
            turns = guess.target - guess.source if a == b else None
            yield (
                ConnectionProblem(
                    system, vary, spans, stable[a], n - stable[b], turns, at_fold=False
                ),
                guess,
            )
        return
    fold = fold_near(problem, orbit, units)
    if fold is None:
        return
    at_fold = np.append(fold[-1], values[1:])
    for _, _, guess in excursions(system, orbit, [fold[:-1]], units, at_fold):
        yield problem_at_fold(system, vary, spans, guess), guess


def problem_at_fold(
    system: System, vary: tuple[str, ...], spans: Vector, guess: Connection
) -> ConnectionProblem:
    """Return the problem of a homoclinic orbit to a saddle-node."""
    n = len(guess.source)
    blank = ConnectionProblem(system, vary, spans, n, 0, guess.target - guess.source, at_fold=True)
    units = blank.units(guess.orbit)
    _, flat = blank.linear_part(guess.source, guess.values, units)
    values = np.linalg.eigvals(flat[:, :n])
    others = np.delete(values, np.argmin(np.abs(values)))
    stable = int(np.sum(others.real < 0))
    return ConnectionProblem(system, vary, spans, stable, n - 1 - stable, blank.turns, at_fold=True)


def typical(value: float) -> float:
    """Return a unit for a parameter of which only a value is known."""
    return abs(value) if value else 1.0


def settled(
    problem: ConnectionProblem, guess: Connection, method: Collocation
) -> Connection | None:
    """Return the connection near a guess with its ends near the equilibria, or None."""
    units = problem.units(guess.orbit)
    n = len(guess.source)
    for cut in _CUTS:
        if cut is not None:
            if problem.at_fold:
                return None
            guess = cut_at(problem, guess, units, problem.ends(guess, units), cut)
        for count in _COUNTS:
            start = guess._replace(
                orbit=guess.orbit.spread(max(count, method.intervals), units[:n])
            )
            solved = problem.solve(start, units)
            if solved is None or not _is_alike(guess, solved.connection, units):
                continue
            found = with_near_ends(problem, solved.connection)
            if found is not None and _is_alike(guess, found, units):
                return found
    return None


def _is_alike(guess: Connection, found: Connection, units: Vector) -> bool:
    """Whether an orbit that was found is the one sought, and no orbit of another size."""
    n = len(guess.source)
    a, b = (np.ptp(each.orbit.profile, axis=0) / units[:n] for each in (guess, found))
    away = np.abs(found.source - guess.source) / units[:n]
    return bool(np.max(b) > _TRIVIAL and np.max(np.abs(a - b)) < _STRAY and np.max(away) < _STRAY)


def with_near_ends(
    problem: ConnectionProblem, given: Connection, distance: float = NEAR_SADDLE
) -> Connection | None:
    """Return the same orbit solved with its ends so near to the equilibria; None if that fails."""
    if problem.at_fold:
        return given
    units = problem.units(given.orbit)
    for _ in range(4):
        near = distances(given, units)
        if all(0.2 * distance < d < 2.0 * distance for d in near):
            return given
        solved = problem.solve(
            cut_at(problem, given, units, problem.ends(given, units), distance), units
        )
        if solved is None:
            return None
        given = solved.connection
    return given


def refined_connection(
    problem: ConnectionProblem, found: Connection, method: Collocation
) -> tuple[ConnectionProblem, Connection, tuple[float, float]]:
    """Return the connection on a mesh fine enough, and how much mesh and cut matter."""
    units = problem.units(found.orbit)
    n, by_mesh = len(found.source), np.nan
    while True:
        count = 2 * (len(found.orbit.mesh) - 1)
        if count > method.most_intervals:
            break
        finer = problem.solve(found._replace(orbit=found.orbit.spread(count, units[:n])), units)
        if finer is None:
            break
        by_mesh = float(np.max(np.abs(finer.connection.values - found.values)))
        found = finer.connection
        if by_mesh <= method.tolerance * float(np.max(problem.spans)):
            break
    by_time = np.nan
    if problem.at_fold:
        by_time = 0.0  # the parameter is that of the fold, wherever the orbit is cut off
    else:
        # The distance shrinks exponentially: its square takes twice the time.
        longer = with_near_ends(problem, found, NEAR_SADDLE**2)
        if longer is not None:
            by_time = float(np.max(np.abs(longer.values - found.values)))
    return problem, found, (by_mesh, by_time)


def orbit_of(
    problem: ConnectionProblem, found: Connection, changes: tuple[float, float]
) -> ConnectingOrbit:
    """Return a solution by name."""
    system, n = problem.at(found.values), len(found.source)
    ones = np.ones(n + len(problem.vary))
    values = []
    for x in (found.source, found.target):
        _, flat = problem.linear_part(x, found.values, ones)
        own = np.linalg.eigvals(flat[:, :n]).astype(complex)
        values.append(own[np.lexsort((-own.imag, -own.real))])
    return ConnectingOrbit(
        system, found.orbit.period, found.orbit.mesh, found.orbit.profile, found.source, found.target,
        values[0], values[1], changes,
    )  # fmt: skip
