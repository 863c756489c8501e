"""Collocation: solving for a cycle on a mesh that is made finer until the answer stands still."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynlab.cycles.cycle import Cycle, floquet_order
from dynlab.cycles.problem import PARAMETER, CycleProblem, Orbit, Solved
from dynlab.errors import SettingError
from dynlab.names import finite

__all__ = ["Collocation", "Refined", "cycle_of", "refined"]

_FEWEST = 3
_DEGREES = range(2, 8)
#: Beside a Hopf point or a fold round-off keeps Newton's steps above its usual tolerance.
_LOOSE = 1e-8


@dataclass(frozen=True, slots=True)
class Collocation:
    """Orthogonal collocation at Gauss points, on a mesh that follows the cycle.

    Parameters
    ----------
    intervals
        Intervals of the first mesh.
    degree
        Degree of the polynomial on each interval (Gauss points per interval), 2 to 7.
    tolerance
        The mesh is made finer until period and states change by less than this, relatively.
    most_intervals
        No mesh is finer than this.

    References
    ----------
    Doedel, Keller and Kernevez 1991, Int. J. Bifurcation Chaos 1, 745; Ascher, Mattheij and Russell
    1995, Numerical Solution of Boundary Value Problems, ch. 5.

    Examples
    --------
    >>> import dynlab as dl
    >>> dl.Collocation(intervals=60)
    Collocation(intervals=60, degree=4, tolerance=1e-08, most_intervals=1280)
    """

    intervals: int = 20
    degree: int = 4
    tolerance: float = 1e-8
    most_intervals: int = 1280

    def __post_init__(self) -> None:
        for field in ("intervals", "degree", "most_intervals"):
            value = finite(getattr(self, field), f"{field} of Collocation")
            if value != int(value):
                raise SettingError(f"{field} of Collocation is {value:g}; give a whole number.")
            object.__setattr__(self, field, int(value))
        if self.intervals < _FEWEST or self.most_intervals < self.intervals:
            raise SettingError(
                f"Collocation has {self.intervals} intervals and at most {self.most_intervals}; give at "
                f"least {_FEWEST}, and most_intervals no fewer."
            )
        if self.degree not in _DEGREES:
            raise SettingError(
                f"the degree of Collocation is {self.degree}; give one from {_DEGREES[0]} to "
                f"{_DEGREES[-1]} (4 is the usual choice)."
            )
        if not finite(self.tolerance, "tolerance of Collocation") > 0:
            raise SettingError(
                f"the tolerance of Collocation is {self.tolerance:g}; it must be positive."
            )


@dataclass(frozen=True, slots=True)
class Refined:
    """A solution on the finest mesh, and how much it differs from that on half as many intervals."""

    solved: Solved
    change: float


def refined(
    problem: CycleProblem, guess: Orbit, method: Collocation, *, held: int = PARAMETER
) -> Refined | None:
    """Solve on finer and finer meshes, the parameter or the period held; None if Newton's method fails."""
    units = problem.units(guess)[:-2]
    # The guess may be finer than the method allows, and is solved on twice as many intervals at least.
    finest = max(method.intervals, method.most_intervals // 2)
    count = min(max(method.intervals, len(guess.mesh) - 1), finest)
    solved = _solved(problem, guess.spread(count, units), held)
    while solved is not None:
        orbit = solved.orbit
        count = 2 * (len(orbit.mesh) - 1)
        guess = orbit.spread(count, problem.units(orbit)[:-2])
        solved = _solved(problem, guess, held)
        if solved is not None:
            change = _difference(problem, orbit, solved.orbit)
            if change <= method.tolerance or 2 * count > method.most_intervals:
                return Refined(solved, change)
    return None


def _solved(problem: CycleProblem, guess: Orbit, held: int) -> Solved | None:
    found = problem.solve(guess, held=held)
    return problem.solve(guess, held=held, tolerance=_LOOSE) if found is None else found


def _difference(problem: CycleProblem, coarse: Orbit, fine: Orbit) -> float:
    """Return the relative difference of period and states, at the ends of the coarse intervals."""
    units = problem.units(fine)
    states = np.abs(coarse.profile[:: coarse.degree] - fine.at(coarse.mesh)) / units[:-2]
    ends = abs(coarse.period / fine.period - 1.0), abs(coarse.value - fine.value) / problem.span
    return float(max(np.max(states), *ends))


def cycle_of(problem: CycleProblem, found: Refined) -> Cycle:
    """Return the cycle that a solution describes."""
    solved = found.solved
    orbit = solved.orbit
    return Cycle(
        problem.at(orbit.value), orbit.period, orbit.mesh, orbit.profile,
        floquet_order(solved.multipliers), solved.divergence, found.change,
    )  # fmt: skip
