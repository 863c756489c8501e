"""find_periodic_orbits: the cycles of a map of a given period.

A cycle of period n is a root of f^n(x) = x whose n points differ.  Newton's method starts from a
low-discrepancy sequence and from points of orbits, plain and deflated (`dynlab.kernels.orbits`); in chaotic
sets stabilising transformations find what Newton's method jumps over (`dynlab.kernels.stabilised`).  Where
the states times the period are at most six, interval arithmetic tries to prove that no cycle is
missing, on the n equations f(x_j) = x_{j+1}.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab import progress
from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.iterated import iterated_kernels_of
from dynlab.codegen.kernels import kernels_of
from dynlab.equilibria.find import Box, box_of, prove_complete, starts_in, unit_of_states
from dynlab.equilibria.searches import DavidchackLai, DeflatedNewton, OrbitSearch
from dynlab.equilibria.stability import (
    Point,
    apart,
    growth,
    kind_of,
    short,
    sorted_eigenvalues,
    table_of,
    whole_turns,
)
from dynlab.errors import DefinitionError, NotConverged, SettingError
from dynlab.names import finite
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.symbolic.dynamics import Autonomous, Discrete, require
from dynlab.symbolic.quantities import ContinuousTime, Domain, State
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import symbol

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PeriodicOrbit", "PeriodicOrbits", "find_periodic_orbits"]

Vector = NDArray[np.float64]
Ranges = Mapping[str, tuple[float, float]]

#: So many points of cycles are kept at most.
_MOST_POINTS = 4_000
#: Points of orbits that serve as starts: cycles lie where orbits go.
_ORBITS, _STEPS = 8, 64
#: The same for a map without a formula, each step of which integrates a flow.
_ORBITS_OF_SECTIONS, _STEPS_OF_SECTIONS = 2, 12
_LONGEST = 1_000
#: In a chaotic set there are more.
_MOST_OF_MANY = 40_000
#: Caution grows by this with each step of the period, as the derivative of f^n does.
_MORE_CAUTIOUS = 1.3
#: There are n! 2^n transformations of n states.
_MOST_STATES = 4

NEWTON = DeflatedNewton()


class Cycles(NamedTuple):
    """The points of several cycles one after another, and at the first of each how many they are."""

    points: Vector
    lengths: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PeriodicOrbit(Point):
    """A cycle of a map: n points that follow each other and come back.

    Parameters
    ----------
    system
        The map, with the parameter values for which this is a cycle.
    state
        One of its points; ``orbit["x"]`` is one component of that, ``orbit.states["x"]`` the component
        at every point in turn.
    eigenvalues
        The multipliers: eigenvalues of the product of the Jacobians along the cycle, the same for every
        point of it, the most unstable first.
    period
        How many steps the cycle takes; no fewer lead back.
    accuracy
        Size of the last Newton step relative to the state: about the relative error.

    Examples
    --------
    >>> import dynlab as dl
    >>> orbit = dl.find_periodic_orbits(dl.zoo.logistic(r=3.2), period=2, within={"x": (0, 1)}).single()
    >>> orbit.kind, orbit.states["x"].round(6)
    ('stable node', array([0.513045, 0.799455]))
    >>> orbit.multipliers.round(6)
    array([0.16+0.j])
    """

    system: System
    state: Vector
    eigenvalues: NDArray[np.complex128]
    period: int
    accuracy: float = 0.0

    @classmethod
    def at(cls, system: System, state: Vector, period: int, accuracy: float) -> PeriodicOrbit:
        """Return the cycle through a point already found, with its multipliers."""
        kernel = iterated_kernels_of(system, period).jacobian()
        flat = kernel(0.0, state, np.array(system.parameter_values))
        multipliers = sorted_eigenvalues(flat.reshape(len(state), -1), system)
        return cls(system, state, multipliers, period, accuracy)

    @property
    def multipliers(self) -> NDArray[np.complex128]:
        """Multipliers of the cycle; the same as `eigenvalues`."""
        return self.eigenvalues

    @property
    def states(self) -> dict[str, Vector]:
        """Each state at the points of the cycle in turn."""
        rows = points_of(self.system, self.state, self.period)
        return dict(zip(self.system.state_names, rows.T, strict=True))

    @property
    def kind(self) -> str:
        """Type of the cycle in the words for fixed points, such as ``"stable node"``."""
        return kind_of(self.eigenvalues, 0, discrete=True)

    @property
    def is_stable(self) -> bool:
        """Whether orbits near it tend to it (all multipliers inside the unit circle)."""
        rate = growth(self.eigenvalues, discrete=True)
        return bool(np.all(rate < 0)) and "degenerate" not in self.kind

    def __repr__(self) -> str:
        first = self.states[self.system.state_names[0]]
        shown = ", ".join(f"{v:.6g}" for v in first[:6]) + (", ..." if len(first) > 6 else "")
        values = ", ".join(short(e) for e in self.eigenvalues[:6])
        return (
            f"<{self.kind} of period {self.period} of {self.system.name}, "
            f"{self.system.state_names[0]} = {shown};\n multipliers {values}>"
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PeriodicOrbits(Result):
    """The cycles of one period found in a box.

    Parameters
    ----------
    system
        The map searched.
    period
        The period of every cycle here.
    orbits
        What was found, stable ones first.
    within
        The box, by state; all points of a cycle lie in it.
    complete, completeness
        Whether the list is proved to hold every such cycle, and the same in words.
    status
        How the search ended.
    provenance
        Where the result came from.
    """

    system: System
    period: int
    orbits: tuple[PeriodicOrbit, ...]
    within: dict[str, tuple[float, float]]
    complete: bool
    completeness: str
    status: Status
    provenance: Provenance

    def __iter__(self) -> Iterator[PeriodicOrbit]:
        return iter(self.orbits)

    def __len__(self) -> int:
        return len(self.orbits)

    def __getitem__(self, position: int) -> PeriodicOrbit:
        return self.orbits[position]

    def single(self) -> PeriodicOrbit:
        """Return the only cycle; raise if there is none or more than one."""
        if len(self.orbits) == 1:
            return self.orbits[0]
        if not self.orbits:
            raise NotConverged(
                f"no cycle of period {self.period} of {self.system.name!r} was found "
                f"({self.completeness}). Widen the box, or look at other parameter values.",
                status=Status.NOT_CONVERGED, partial=self,
            )  # fmt: skip
        kinds = ", ".join(o.kind for o in self.orbits[:8])
        raise DefinitionError(
            f"{self.system.name!r} has {len(self.orbits)} cycles of period {self.period} here "
            f"({kinds}). Narrow the box in within=, or choose one by position."
        )

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return one point of each cycle with its kind and multipliers as columns."""
        return table_of(self.orbits)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the multipliers of every cycle in the complex plane, with the unit circle."""
        from dynlab.plotting import draw_multiplier_plane

        values = np.concatenate([o.eigenvalues for o in self.orbits] or [np.zeros(0, complex)])
        return draw_multiplier_plane(ax, values)

    def __repr__(self) -> str:
        kinds = [o.kind for o in self.orbits]
        counts = ", ".join(f"{kinds.count(k)} {k}" for k in dict.fromkeys(kinds)) or "none"
        return (
            f"<{len(self.orbits)} cycles of period {self.period} of {self.system.name}: {counts};\n"
            f" {self.completeness}>"
        )


def find_periodic_orbits(
    system: System, *, period: int, within: Ranges | None = None,
    method: OrbitSearch = NEWTON,
) -> PeriodicOrbits:  # fmt: skip
    """Find the cycles of a map that come back after a number of steps, and not before.

    Solves f^n(x) = x.  A cycle counts once, whichever of its points was found.

    Parameters
    ----------
    system
        The map; its rule must not depend on time.
    period
        How many steps the cycles take; 1 gives the fixed points.
    within
        A range for each state that all points of a cycle must lie in: ``{"x": (0, 1)}``.  States on a
        circle need none; others not named are searched about their default start without a bound.
    method
        `DeflatedNewton` (default), or `DavidchackLai` for the many unstable cycles of a chaotic set.

    Returns
    -------
    PeriodicOrbits
        The cycles with multipliers and types, and whether the list is proved complete.

    Raises
    ------
    UnsupportedSystemError
        If the system is a flow, or its rule depends on time.
    SettingError
        If the period is no whole number from 1 to 1000, or a range cannot be used.
    UnknownNameError
        If a range names no state.

    Examples
    --------
    >>> import dynlab as dl
    >>> found = dl.find_periodic_orbits(dl.zoo.logistic(r=3.84), period=3, within={"x": (0, 1)})
    >>> [orbit.kind for orbit in found], found.complete
    (['stable node', 'unstable node'], True)

    The Henon attractor and its mirror hold 7 cycles of period 8, all unstable:

    >>> box = {"x": (-2, 2), "y": (-1, 1)}
    >>> len(dl.find_periodic_orbits(dl.zoo.henon, period=8, within=box, method=dl.DavidchackLai()))
    7

    References
    ----------
    Farrell, Birkisson, Funke 2015, SIAM J. Sci. Comput. 37, A2026 (deflation).
    Davidchack and Lai 1999, Phys. Rev. E 60, 6172 (stabilising transformations).
    """
    require(system, Discrete, Autonomous)
    began = time.perf_counter()
    period = checked_period(period)
    if not isinstance(method, OrbitSearch):
        raise SettingError(
            f"method is {method!r}; give a search such as dl.DeflatedNewton() or dl.DavidchackLai()."
        )
    box = box_of(system, within)
    missed = ""
    if isinstance(method, DavidchackLai):
        found, missed = _climbed(system, period, box, method)
    else:
        found = _search(system, period, box)
    roots = found.points
    orbits = _orbits(system, period, found, box)
    complete, words = False, "not proved complete: not every state has a range"
    if len(roots) + period > (_MOST_OF_MANY if missed else _MOST_POINTS):
        words = "not proved complete: so many cycles that the search was ended"
    elif box.bounded.all():
        complete, words = _prove(system, period, roots, box)
    if missed and not complete:
        words = f"not proved complete: {missed}"
    orbits.sort(key=lambda o: (o.unstable_directions, *o.state))
    ranges = {
        name: (float(a), float(b))
        for name, a, b in zip(system.state_names, box.lower, box.upper, strict=True)
    }
    provenance = Provenance(
        "find_periodic_orbits", system, {"period": period, "within": ranges},
        seconds=time.perf_counter() - began,
    )  # fmt: skip
    return PeriodicOrbits(
        system, period, tuple(orbits), ranges, complete, words, Status.OK, provenance
    )


def _climbed(system: System, period: int, box: Box, method: DavidchackLai) -> tuple[Cycles, str]:
    """Return the points of all cycles whose period divides the given one, and what a second search says."""
    from dynlab.kernels.stabilised import reach_cycles

    n = len(system.state_names)
    if n > _MOST_STATES:
        raise SettingError(
            f"{system.name!r} has {n} states, for which the method of Davidchack and Lai takes "
            f"{math.factorial(n) * 2**n} transformations. Take dl.DeflatedNewton()."
        )
    order = list(itertools.permutations(range(n)))
    sides = np.array(list(itertools.product((1.0, -1.0), repeat=n)))
    places, signs = (
        np.repeat(np.array(order, np.int64), len(sides), axis=0),
        np.tile(sides, (len(order), 1)),
    )
    low = np.where(box.bounded, box.lower, -np.inf)
    high = np.where(box.bounded, box.upper, np.inf)
    visited = _orbit_in(system, box, method.starts)

    def reached(length: int, starts: Vector, known: Cycles) -> Cycles:
        kernels = iterated_kernels_of(system, length)
        roots, lengths = np.empty((_MOST_OF_MANY, n)), np.zeros(_MOST_OF_MANY, np.int64)
        done = len(known.points)
        roots[:done], lengths[:done] = known
        count = reach_cycles(
            kernels_of(system).rhs.address, kernels.rhs.address, kernels.jacobian().address, length,
            np.ascontiguousarray(starts), tuple(inputs_of(system)), tuple(kernels.inputs()), box.scale,
            unit_of_states(system, box.scale), low, high, whole_turns(system), places, signs,
            method.beta * _MORE_CAUTIOUS**length, method.steps, roots, lengths, done,
        )  # fmt: skip
        return Cycles(roots[:count], lengths[:count])

    nothing = Cycles(np.empty((0, n)), np.empty(0, np.int64))
    before, found = nothing, nothing
    for length in range(1, period + 1):
        starts = np.vstack([before.points, found.points, visited])
        before, found = found, reached(length, starts, nothing)
        if not progress.tick(length, period, f"cycles of period {length}"):
            return found, f"stopped at period {length}"
    first = len(found.points)
    found = reached(period, found.points, found)
    more = len(found.points) - first
    again = f"a second search, from the {first} points found, found"
    return found, f"{again} {more} more; raise beta or starts" if more else f"{again} no more"


def _orbit_in(system: System, box: Box, count: int) -> Vector:
    """Return points of an orbit in the box, from the default start or, if that leaves it, from another."""
    turns = whole_turns(system)
    rule, values = kernels_of(system).rhs, np.array(system.parameter_values)
    best = np.empty((0, len(turns)))
    for start in starts_in(system, box)[:_ORBITS]:
        rows, x = [], start
        for _ in range(_STEPS + count):
            with np.errstate(all="ignore"):
                x = rule(0.0, x, values)
                x = x - turns * np.round(x / np.where(turns > 0, turns, 1.0))
            if not (np.all(np.isfinite(x)) and box.holds(x)):
                break
            rows.append(x)
        if len(rows) == _STEPS + count:
            return np.array(rows[_STEPS:])
        best = max(best, np.array(rows).reshape(-1, len(turns)), key=len)
    return np.vstack([best[-count:], starts_in(system, box)[:count]])


def search_orbits(system: System, period: int, within: Ranges) -> list[PeriodicOrbit]:
    """Return the cycles found from many starts, with no claim to completeness."""
    box = box_of(system, within)
    return _orbits(system, period, _search(system, period, box), box)


def checked_period(period: object) -> int:
    """Return a period as an integer, or say what is wrong with it."""
    number = finite(period, "period")
    if number != int(number) or not 1 <= number <= _LONGEST:
        raise SettingError(
            f"period is {period!r}; a cycle of a map takes a whole number of steps, from 1 to "
            f"{_LONGEST}."
        )
    return int(number)


def points_of(system: System, state: Vector, period: int) -> Vector:
    """Return the points of the orbit from a state on, one row per step."""
    rule, values = kernels_of(system).rhs, np.array(system.parameter_values)
    rows = np.empty((period, len(state)))
    rows[0] = state
    for k in range(1, period):
        rows[k] = rule(0.0, rows[k - 1], values)
    return rows


def same_orbit(system: System, a: Vector, b: Vector, period: int, size: Vector) -> float:
    """Return how far a state is from the nearest point of the cycle through another."""
    rows = points_of(system, b, period)
    return min(float(np.max(np.abs(apart(system, a, row)) / size)) for row in rows)


def prime_divisors(number: int) -> tuple[int, ...]:
    """Return the primes that divide a number."""
    return tuple(
        q for q in range(2, number + 1) if number % q == 0 and all(q % k for k in range(2, q))
    )


def _search(system: System, period: int, box: Box) -> Cycles:
    """Return the points of all cycles whose period divides the given one."""
    from dynlab.kernels.orbits import search_cycles

    kernels = iterated_kernels_of(system, period)
    low = np.where(box.bounded, box.lower, -np.inf)
    high = np.where(box.bounded, box.upper, np.inf)
    positive = [domain is Domain.POSITIVE for domain in system.domains]
    low = np.where(positive, np.maximum(low, 0.0), low)
    starts = np.vstack([starts_in(system, box), _visited(system, box)])
    roots, lengths = np.empty((_MOST_POINTS, starts.shape[1])), np.zeros(_MOST_POINTS, np.int64)
    count = search_cycles(
        kernels_of(system).rhs.address, kernels.rhs.address, kernels.jacobian().address, period,
        starts, tuple(inputs_of(system)), tuple(kernels.inputs()), box.scale,
        unit_of_states(system, box.scale), low, high, whole_turns(system), roots, lengths, 0,
    )  # fmt: skip
    return Cycles(roots[:count], lengths[:count])


def _visited(system: System, box: Box) -> Vector:
    """Return points of orbits from a few starts, after a transient, that lie in the box."""
    orbits, steps = _ORBITS, _STEPS
    if not isinstance(system, System):
        orbits, steps = _ORBITS_OF_SECTIONS, _STEPS_OF_SECTIONS
    starts = starts_in(system, box)
    found = []
    for start in starts[:: max(1, len(starts) // orbits)]:
        with np.errstate(all="ignore"):
            rows = points_of(system, start, 2 * steps)[steps:]
        found += [row for row in rows if np.all(np.isfinite(row)) and box.holds(row)]
    return np.array(found).reshape(-1, len(system.state_names))


def _orbits(system: System, period: int, found: Cycles, box: Box) -> list[PeriodicOrbit]:
    """Return each cycle of exactly the given period, by its point with the least first state."""
    kernels = iterated_kernels_of(system, period)
    values = np.array(system.parameter_values)
    orbits: list[PeriodicOrbit] = []
    for place in np.flatnonzero(found.lengths == period):
        rows = found.points[place : place + period]
        first = rows[np.lexsort(np.round(rows.T[::-1], 9))[0]].copy()
        matrix = kernels.jacobian()(0.0, first, values).reshape(len(first), -1) - np.eye(len(first))
        if not np.all(np.isfinite(matrix)):
            continue
        step = np.linalg.lstsq(matrix, first - kernels.rhs(0.0, first, values), rcond=None)[0]
        accuracy = np.max(np.abs(step) / np.maximum(np.abs(first), 1e-3 * box.scale))
        orbits.append(PeriodicOrbit.at(system, first, period, float(accuracy)))
    return orbits


def _prove(system: System, period: int, roots: Vector, box: Box) -> tuple[bool, str]:
    """Try to prove that no root of the n equations f(x_j) = x_{j+1} is missing."""
    if whole_turns(system).any():
        return False, "not proved complete: a state lies on a circle"
    if system.is_indexed:
        return False, "not proved complete: the map runs on a network"
    if not isinstance(system, System):
        return False, "not proved complete: the map has no formula"
    chain = _chain(system, period)
    lower, upper = np.tile(box.lower, period), np.tile(box.upper, period)
    known = np.array([points_of(system, root, period).ravel() for root in roots])
    return prove_complete(chain, lower, upper, known.reshape(-1, len(lower)))


def _chain(system: System, period: int) -> System:
    """Return the flow whose equilibria are the cycles: states of every step, rates f(x_j) - x_{j+1}."""
    names = [[f"{name}_at_{j}" for name in system.state_names] for j in range(period)]
    rule = []
    for j in range(period):
        here = {symbol(n): symbol(m) for n, m in zip(system.state_names, names[j], strict=True)}
        following = names[(j + 1) % period]
        rule += [
            expression.xreplace(here) - symbol(name)
            for expression, name in zip(system.rule, following, strict=True)
        ]
    states = tuple(State(name) for row in names for name in row)
    return replace(system, states=states, rule=tuple(rule), time=ContinuousTime(), observables=())
