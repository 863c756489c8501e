"""What an attractor is, as far as that can be verified: a stable fixed point, orbit of a map, or cycle.

Recurrences say that orbits stay in a set of cells, not what is in them.  Newton's method from a state in
them finds the fixed point, the periodic orbit or (by collocation) the cycle, and its eigenvalues say
whether it attracts.  Of whatever else it is the largest Lyapunov exponent decides, where its sign stands out
against its error: chaotic, or (of a map) quasi-periodic.  The rest stays undetermined: a torus of a flow, or
a slow transient.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.exponents.exponent import lyapunov_exponent
from dynlab.chaos.exponents.verdict import Verdict
from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.iterated import iterated_kernels_of
from dynlab.cycles.cycle import Cycle
from dynlab.cycles.find import attracting_cycle
from dynlab.equilibria.find import find_near
from dynlab.equilibria.orbits import PeriodicOrbit, prime_divisors
from dynlab.equilibria.stability import Equilibrium
from dynlab.errors import DynlabError, DynlabWarning
from dynlab.names import Layout
from dynlab.point import apart
from dynlab.symbolic.system import System

__all__ = ["Verified", "cycle_at", "periodic_orbit_at", "rest_at", "verdict_at"]

Array = NDArray[np.float64]
Verified = Equilibrium | PeriodicOrbit | Cycle

#: Longest period of a map that is looked for.
MOST_PERIOD = 64
#: Samples over which an exponent is measured.
MEASURED = 5000
_NEWTON, _CONVERGED = 30, 1e-12
#: A distance that shrinks by less than this stands.
NEARER = 0.98


class Rest(NamedTuple):
    """A stable fixed point that states are next to, and whether they come nearer.

    Attributes
    ----------
    point
        The fixed point.
    arrives
        Whether the later half of the states is half as far from it as the earlier one, or as good as on it.
    nears
        Whether it is nearer at all.
    """

    point: Equilibrium
    arrives: bool
    nears: bool


def rest_at(system: System, states: Array, size: Array, fine: Array) -> Rest | None:
    """Return the stable fixed point that all states of the end of an orbit are next to, or None.

    An orbit may stay next to one for another reason: a cycle around it that is smaller than a cell.  What is
    within `fine` of it is on it.
    """
    found = find_near(system, states[-1])
    if found is None or not found.is_stable:
        return None
    off = np.abs(apart(system, states, found.state))
    if np.max(off / size) > 1.0:
        return None
    early, late = np.array_split(off, 2)
    before, now = float(np.max(early / size)), float(np.max(late / size))
    arrives = now <= 0.5 * before or bool(np.all(late <= fine))
    return Rest(found, arrives, now < NEARER * before)


def periodic_orbit_at(system: System, states: Array, size: Array) -> PeriodicOrbit | None:
    """Return the stable periodic orbit of a map that the end of an orbit goes through, or None."""
    last = states[-1]
    for period in range(2, min(MOST_PERIOD, len(states) - 1) + 1):
        if np.max(np.abs(apart(system, last, states[-1 - period])) / size) < 1e-2:
            found = _refined(system, last, period, size)
            if found is not None:
                return found
    return None


def _refined(system: System, state: Array, period: int, size: Array) -> PeriodicOrbit | None:
    kernels = iterated_kernels_of(system, period)
    p, x, step = inputs_of(system).parameters, state.copy(), np.ones_like(state)
    for _ in range(_NEWTON):
        matrix = kernels.jacobian()(0.0, x, p).reshape(len(x), -1) - np.eye(len(x))
        if not np.all(np.isfinite(matrix)):
            return None
        off = apart(system, x, kernels.rhs(0.0, x, p))
        step = np.asarray(np.linalg.lstsq(matrix, off, rcond=None)[0], float)
        x = x + step
        if np.max(np.abs(step) / size) < _CONVERGED:
            break
    if (
        not np.max(np.abs(step) / size) < 1e-8
        or np.max(np.abs(apart(system, x, state)) / size) > 1.0
    ):
        return None
    found = PeriodicOrbit.at(system, x, period, float(np.max(np.abs(step) / size)))
    shorter = [period // q for q in prime_divisors(period)]
    for m in shorter:
        again = iterated_kernels_of(system, m).rhs(0.0, x, p) if m > 1 else None
        if again is not None and np.max(np.abs(apart(system, again, x)) / size) < 1e-8:
            return None
    return found if found.is_stable else None


def cycle_at(system: System, states: Array, size: Array) -> Cycle | None:
    """Return the stable cycle of a flow that the end of an orbit goes along, or None."""
    start = Layout.of(system).unpack(states[-1])
    try:
        found = attracting_cycle(system.with_start(**start))
    except (DynlabError, np.linalg.LinAlgError):
        return None
    if found is None or not found.is_stable:
        return None
    curve = found.orbit.at(np.linspace(0.0, 1.0, 400))
    off = min(float(np.max(np.abs(apart(system, states[-1], x)) / size)) for x in curve)
    return found if off <= 3.0 else None


def verdict_at(system: System, state: Array, step: float) -> str:
    """Return what the largest Lyapunov exponent says of the orbit from a state, or an empty text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DynlabWarning)
            found = lyapunov_exponent(system, start=state, duration=MEASURED * step, seed=0)  # type: ignore[arg-type]
    except DynlabError:
        return ""
    told = (Verdict.CHAOTIC, Verdict.QUASI_PERIODIC) if system.is_discrete else (Verdict.CHAOTIC,)
    return str(found.verdict) if found.verdict in told else ""
