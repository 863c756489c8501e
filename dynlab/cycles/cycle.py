"""Cycle: a limit cycle with its period and Floquet multipliers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlab.codegen.kernels import kernels_of
from dynlab.cycles.problem import Orbit
from dynlab.errors import SettingError, UnknownNameError
from dynlab.point import Point, described, growth, short
from dynlab.symbolic.quantities import Domain
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RELIABLE", "Cycle", "floquet_order", "quantity_along"]

Vector = NDArray[np.float64]

#: The multiplier that must be 1 may be wrong by this much before stability is called unreliable.
RELIABLE = 1e-3
#: A multiplier this near to the unit circle leaves stability open.
_NEUTRAL = 1e-7
#: Places in an interval, at least, and in all, that a drawn curve has.
_EACH, _DRAWN = 16, 640


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Cycle(Point):
    """A periodic orbit of a flow.

    Where an event sets the state anew the mesh has an interval of length zero: its rows repeat the state
    before, and the row that follows holds the one after.

    Parameters
    ----------
    system
        The system, with the parameter values for which this is a cycle.
    period
        Its period, in the system's time.
    mesh
        Ends of the mesh intervals, as parts of the period from 0 to 1.
    profile
        States along the cycle, a row for each place: `degree` places per interval and the end.
    eigenvalues
        The Floquet multipliers, largest modulus first; one of them is 1.
    divergence
        Integral of the divergence over a period, and what events add to it: the logarithm of the modulus of
        the product of the multipliers.
    accuracy
        Relative change of period and states when the mesh was made twice as fine, or by shooting when the
        tolerance was ten times as large.

    Examples
    --------
    >>> import dynlab as dl
    >>> cycle = dl.find_cycle(dl.zoo.fitzhugh_nagumo(I=0.5))
    >>> round(cycle.period, 6), cycle.is_stable
    (39.474415, True)
    >>> round(cycle.extremes("v")[1], 3)
    1.852
    """

    system: System
    period: float
    mesh: Vector
    profile: Vector
    eigenvalues: NDArray[np.complex128]
    divergence: float
    accuracy: float = 0.0

    @property
    def state(self) -> Vector:  # type: ignore[override]
        """The state where the profile begins."""
        return np.asarray(self.profile[0])

    @property
    def orbit(self) -> Orbit:
        """The same curve as plain arrays."""
        return Orbit(self.profile, self.mesh, self.period, np.nan)

    @property
    def degree(self) -> int:
        """Degree of the polynomial on each interval of the mesh."""
        return self.orbit.degree

    @property
    def jumps(self) -> int:
        """How often an event sets the state anew in a period."""
        return int(np.sum(np.diff(self.mesh) == 0.0))

    @property
    def t(self) -> Vector:
        """Times of the rows of the profile, from 0 to the period."""
        return self.orbit.places * self.period

    def __getitem__(self, name: str) -> Any:
        """Return a state or observable over one period (at the times `t`), or a parameter's value."""
        return self._quantity(name, self.profile)

    def _quantity(self, name: str, states: Vector) -> Any:
        return quantity_along(self.system, name, states, "cycle")

    def at(self, times: ArrayLike, name: str | None = None) -> Any:
        """Return states at any times (the cycle is repeated): one quantity, or all by name.

        At a jump it is the state after it; a state on a circle goes on turning.

        Raises
        ------
        SettingError
            If a time is not a finite number.
        """
        t = np.atleast_1d(np.asarray(times, float)).ravel()
        if not np.all(np.isfinite(t)):
            raise SettingError(f"the times of a cycle of {self.system.name!r} must be finite.")
        turns = np.floor(t / self.period)
        states = self.orbit.at(t / self.period - turns)
        states = states + turns[:, None] * (self.profile[-1] - self.profile[0])
        if name is not None:
            return self._quantity(name, states)
        return {each: states[:, self.system.place_of(each)] for each in self.system.declared}

    def extremes(self, name: str) -> tuple[float, float]:
        """Return the least and greatest value of a state or observable on the cycle."""
        values = self._quantity(name, self._traced()[1])
        return float(np.min(values)), float(np.max(values))

    @property
    def multipliers(self) -> NDArray[np.complex128]:
        """The Floquet multipliers; the same as `eigenvalues`."""
        return self.eigenvalues

    @property
    def trivial_error(self) -> float:
        """How far the multiplier that must be 1 is from 1: the accuracy of the others."""
        return float(np.min(np.abs(self.eigenvalues - 1.0)))

    @property
    def is_reliable(self) -> bool:
        """Whether the multipliers are accurate enough to tell stability."""
        return bool(self.trivial_error < RELIABLE)

    @property
    def unstable_directions(self) -> int:
        """How many multipliers, the trivial one apart, lie outside the unit circle."""
        return count_outside(self.eigenvalues)

    @property
    def is_stable(self) -> bool:
        """Whether nearby orbits tend to the cycle: all other multipliers inside the unit circle."""
        others = nontrivial(self.eigenvalues)
        return bool(np.all(np.abs(others) < 1.0 - _NEUTRAL)) and self.is_reliable

    @property
    def kind(self) -> str:
        """``"stable cycle"``, ``"saddle cycle"``, ``"unstable cycle"``, neutral, or of uncertain stability."""
        if not self.is_reliable:
            return "cycle of uncertain stability"
        size = np.abs(nontrivial(self.eigenvalues))
        if np.any(np.abs(size - 1.0) <= _NEUTRAL):
            return "neutral cycle"
        if np.all(size < 1.0):
            return "stable cycle"
        return "unstable cycle" if np.all(size > 1.0) else "saddle cycle"

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return the time within a period and the states as columns."""
        columns: dict[str, NDArray[Any]] = {"t": self.t}
        return columns | dict(zip(self.system.state_names, self.profile.T, strict=True))

    def plot(self, ax: Axes | None = None, *, show: Sequence[str] | None = None) -> Axes:
        """Draw states and observables over one period.

        Parameters
        ----------
        ax
            Axes to draw into; a new figure if left out.
        show
            Names; all states if left out.
        """
        from dynlab import plotting

        system = self.system
        t, states = self._traced()
        labels = {n: plotting.label(n, system.unit_of(n)) for n in show or system.declared}
        angles = [s.name for s in system.states if s.domain is Domain.CIRCLE]
        return plotting.draw_series(
            ax, t, {labels[n]: self._quantity(n, states) for n in labels},
            time_label=plotting.label("t", system.time.unit),
            angles=[labels[n] for n in labels if n in angles],
        )  # fmt: skip

    def portrait(self, ax: Axes | None = None, *, x: str, y: str) -> Axes:
        """Draw one quantity against another over one period."""
        from dynlab import plotting

        system = self.system
        labels = {n: plotting.label(n, system.unit_of(n)) for n in (x, y)}
        ax = plotting.new_axes(ax, xlabel=labels[x], ylabel=labels[y])
        t, states = self._traced()
        across, up = plotting.lift_pen(t, self._quantity(x, states), self._quantity(y, states))
        return plotting.draw_orbit(ax, across, up)

    def _traced(self) -> tuple[Vector, Vector]:
        """Return times and states that follow the curve closely; at a jump those before and after it."""
        places, states = self.orbit.traced(max(_EACH, _DRAWN // len(self.mesh)))
        return places * self.period, states

    def __repr__(self) -> str:
        values = ", ".join(short(e) for e in self.eigenvalues[:6])
        first = described(self.start, 6)
        return (
            f"<{self.kind} of {self.system.name}, period {self.period:.9g}, through {first};\n"
            f" multipliers {values}>"
        )


def quantity_along(system: System, name: str, states: Vector, word: str) -> Any:
    """Return a state or observable at some states (a row each), or a parameter's value."""
    place = system.place_of(name)
    if place is not None:
        return states[:, place]
    if name in system.observable_names:
        kernel, p = kernels_of(system).observables, np.array(system.parameter_values or (0.0,))
        column = system.observable_names.index(name)
        return np.array([kernel(0.0, x, p)[column] for x in np.ascontiguousarray(states)])
    if name in system.parameter_names or name in system.shapes:
        return system[name]
    known = (*system.state_names, *system.parameter_names, *system.observable_names)
    raise UnknownNameError(f"quantity of the {word} of {system.name!r}", name, known)


def nontrivial(multipliers: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Return the multipliers without the one nearest to 1."""
    return np.delete(multipliers, np.argmin(np.abs(multipliers - 1.0)))


def count_outside(multipliers: NDArray[np.complex128]) -> int:
    """Return how many multipliers, the trivial one apart, lie outside the unit circle."""
    return int(np.sum(np.abs(nontrivial(multipliers)) > 1.0 + _NEUTRAL))


def floquet_order(multipliers: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Return multipliers, the largest modulus first."""
    return multipliers[np.lexsort((-multipliers.imag, -growth(multipliers, discrete=True)))]
