"""Why a branch of cycles ends where its period grows without bound, or where it shrinks to a point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.kernels import kernels_of
from dynlab.continuation.curves.cycle import CycleNode
from dynlab.continuation.curves.equilibrium import EquilibriumCurve
from dynlab.continuation.curves.hybrid_cycle import HybridNode
from dynlab.continuation.followed import End
from dynlab.continuation.locate import Located, locate_fold, locate_pair
from dynlab.continuation.monitors import special_point
from dynlab.continuation.points import Hopf
from dynlab.cycles.problem import CycleProblem, Orbit, range_of
from dynlab.equilibria.find import find_near
from dynlab.equilibria.stability import Equilibrium
from dynlab.status import Status

__all__ = ["end_at_hopf", "end_of_long_period", "fold_near", "is_saddle", "visited"]

Vector = NDArray[np.float64]

#: The end is near an equilibrium if it is this near in units of the states.
_NEAR = 0.05
#: An eigenvalue below this part of the critical pair's is zero: no Hopf point, but a fold-Hopf point.
_ZERO = 1e-6
#: Places at which the speed along the cycle is looked at.
_PLACES = 2048
#: At a homoclinic orbit the parameter has settled to this part of its range or the period has grown
#: by `_GROWN`.
_GROWN = 5.0


def end_at_hopf(problem: CycleProblem, last: CycleNode) -> tuple[End, Hopf | None]:
    """Return the end of a branch whose oscillation has passed through zero, and the Hopf point there."""
    orbit = last.orbit
    units = np.append(range_of(problem.system, orbit.profile), problem.span)
    curve = EquilibriumCurve(problem.system, problem.vary, units)
    middle = np.append(np.mean(orbit.at(np.linspace(0, 1, 65)[:-1]), axis=0), orbit.value)
    found = locate_pair(curve, middle, 2j * np.pi / orbit.period)
    if isinstance(found, Located) and abs(found.u[-1] - orbit.value) < 0.05 * problem.span:
        value = float(found.u[-1])
        reason = f"the cycle shrinks onto the Hopf point at {problem.vary} = {value:.9g}"
        hopf = special_point(curve, found, "Hopf point", np.append(np.zeros(curve.size), 1.0))
        assert isinstance(hopf, Hopf)
        if np.min(np.abs(hopf.eigenvalues)) < _ZERO * hopf.omega:
            reason = f"the cycle shrinks onto a fold-Hopf point at {problem.vary} = {value:.9g}"
            return End(Status.AT_HOPF_POINT, value, reason), None
        return End(Status.AT_HOPF_POINT, value, reason), hopf
    reason = "the cycle shrinks onto an equilibrium; no Hopf point was confirmed there"
    return End(Status.AT_HOPF_POINT, orbit.value, reason), None


def end_of_long_period(
    problem: CycleProblem, nodes: Sequence[CycleNode | HybridNode], status: Status
) -> End:
    """Tell what a cycle tends to whose period has grown to its bound, or until it cannot be solved."""
    last = nodes[-1].orbit
    periods = np.array([n.orbit.period for n in nodes])
    bound = End(status, last.value, f"{status.meaning}; the period is {last.period:.6g}")
    if last.period < _GROWN * np.min(periods):
        return bound
    system = problem.at(last.value)
    units = range_of(system, last.profile)
    rests = visited(problem, last, units)
    saddles = [e for e in rests if is_saddle(e)]
    if len(saddles) > 1:
        return End(
            Status.HETEROCLINIC, last.value,
            f"towards a heteroclinic cycle through {len(saddles)} saddles, near "
            f"{problem.vary} = {last.value:.9g}",
        )  # fmt: skip
    if len(saddles) == 1 and len(rests) == 1:
        kind = saddles[0].kind
        return End(
            Status.HOMOCLINIC, last.value,
            f"towards a homoclinic orbit to a {kind} at {problem.vary} = {last.value:.9g}",
        )  # fmt: skip
    found = fold_near(problem, last, units)
    if found is not None:
        fold = float(found[-1])
        return End(
            Status.SADDLE_NODE_CIRCLE, fold,
            f"towards a saddle-node on an invariant circle (SNIC) at {problem.vary} = {fold:.9g}",
        )  # fmt: skip
    return bound


def is_saddle(point: Equilibrium) -> bool:
    """Whether some directions lead to an equilibrium and others away."""
    return 0 < point.unstable_directions < len(point.state)


def _slowest(problem: CycleProblem, orbit: Orbit, units: Vector) -> tuple[Vector, Vector]:
    """Return states along the cycle, evenly in time, and the speeds there in units per period."""
    system = problem.at(orbit.value)
    rhs, p = kernels_of(system).rhs, np.array(system.parameter_values)
    states = np.ascontiguousarray(orbit.at(np.linspace(0.0, 1.0, _PLACES + 1)[:-1]))
    speed = np.array([np.linalg.norm(rhs(0.0, x, p) / units) for x in states]) * orbit.period
    return states, speed


def visited(problem: CycleProblem, orbit: Orbit, units: Vector) -> list[Equilibrium]:
    """Return the equilibria near which a cycle is slow."""
    system = problem.at(orbit.value)
    states, speed = _slowest(problem, orbit, units)
    lows = np.flatnonzero(
        (speed <= np.roll(speed, 1)) & (speed < np.roll(speed, -1)) & (speed < 1.0)
    )
    found: list[Equilibrium] = []
    looked: list[Vector] = []
    for k in lows[np.argsort(speed[lows])]:
        if any(np.max(np.abs(states[k] - x) / units) <= _NEAR for x in looked):
            continue
        looked.append(states[k])
        rest = find_near(system, states[k].copy())
        if rest is None or np.max(np.abs(rest.state - states[k]) / units) > _NEAR:
            continue
        if all(np.max(np.abs(rest.state - e.state) / units) > 1e-6 for e in found):
            found.append(rest)
    return found


def fold_near(problem: CycleProblem, orbit: Orbit, units: Vector) -> Vector | None:
    """Return the fold of equilibria whose ghost slows a cycle down, states and parameter."""
    states, speed = _slowest(problem, orbit, units)
    curve = EquilibriumCurve(problem.system, problem.vary, np.append(units, problem.span))
    guess = np.append(states[int(np.argmin(speed))], orbit.value)
    found = locate_fold(curve, guess)
    if not isinstance(found, Located):
        return None
    near = np.max(np.abs(found.u[:-1] - guess[:-1]) / units) < 2 * _NEAR
    return found.u if near and abs(found.u[-1] - guess[-1]) < 0.05 * problem.span else None
