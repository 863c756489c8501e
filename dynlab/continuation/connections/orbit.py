"""ConnectingOrbit: an orbit that tends to equilibria in both directions of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.kernels import kernels_of
from dynlab.cycles.cycle import quantity_along
from dynlab.cycles.problem import Orbit
from dynlab.point import Point, apart, described, short
from dynlab.symbolic.quantities import Domain
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ConnectingOrbit", "leading", "saddle_quantity", "type_of_saddle"]

Vector = NDArray[np.float64]
Complex = NDArray[np.complex128]

#: An eigenvalue is zero, and two real parts are the same, below this part of the largest modulus.
_ZERO = 1e-7
#: An orbit is not central if one end lies this much less along the null vector than the other.
_NON_CENTRAL = 1e-3
_DRAWN = 600


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ConnectingOrbit(Point):
    """A homoclinic orbit (it comes from and goes to one equilibrium) or a heteroclinic one.

    Parameters
    ----------
    system
        The system, with the parameter values for which this orbit exists.
    duration
        Time after which the computed part ends, in the system's time; it starts and ends near the
        equilibria, in their eigenspaces.
    mesh, profile
        As for `Cycle`: places from 0 to 1, and states along the orbit.
    source, target
        The equilibria that it comes from and goes to.
    eigenvalues, eigenvalues_at_target
        Their eigenvalues, the most unstable first.
    changes
        How much the parameter changed when the mesh was made twice as fine, and when the time was
        doubled.  Nan if it was not tried.

    Examples
    --------
    >>> import dynlab as dl
    >>> rest = dl.find_equilibria(dl.zoo.wilson_cowan(P=2.5)).single()
    >>> onset = dl.continue_equilibrium(rest, vary="P", over=(1.5, 2.5)).points(dl.Hopf).single()
    >>> cycles = dl.continue_cycles(onset, over=(0.5, 2.5), longest=40)
    >>> loop = dl.find_homoclinic(cycles.cycle(-1), vary="P")
    >>> round(loop["P"], 8), loop.kind
    (1.06818956, 'homoclinic orbit to a saddle')
    """

    system: System
    duration: float
    mesh: Vector
    profile: Vector
    source: Vector
    target: Vector
    eigenvalues: Complex
    eigenvalues_at_target: Complex
    changes: tuple[float, float] = (float("nan"), float("nan"))

    @property
    def state(self) -> Vector:  # type: ignore[override]
        """The equilibrium that the orbit comes from."""
        return self.source

    @property
    def accuracy(self) -> float:
        """The larger of the two changes of the parameter."""
        return float(np.max(self.changes))

    @property
    def orbit(self) -> Orbit:
        """The same curve as plain arrays."""
        return Orbit(self.profile, self.mesh, self.duration, np.nan)

    @property
    def t(self) -> Vector:
        """Times of the rows of the profile, from 0 to the duration."""
        return self.orbit.places * self.duration

    @property
    def is_homoclinic(self) -> bool:
        """Whether the orbit returns to the equilibrium that it comes from."""
        gap = apart(self.system, self.target, self.source)
        return bool(np.all(np.abs(gap) <= 1e-6 * np.ptp(self.profile, axis=0)))

    @property
    def kind(self) -> str:
        """What the orbit connects, such as ``"homoclinic orbit to a saddle-focus"``."""
        first = type_of_saddle(self.eigenvalues)
        if self.is_homoclinic:
            word = (
                "" if first != "saddle-node" else "central " if self.is_central else "non-central "
            )
            return f"homoclinic orbit to a {word}{first}"
        return (
            f"heteroclinic orbit from a {first} to a {type_of_saddle(self.eigenvalues_at_target)}"
        )

    @property
    def is_central(self) -> bool:
        """Whether the orbit leaves and returns to a saddle-node along the direction of the zero eigenvalue.

        A non-central one returns (or leaves) along a fast direction: there a curve of homoclinic orbits to a
        saddle ends on one of orbits to a saddle-node.
        """
        if type_of_saddle(self.eigenvalues) != "saddle-node":
            return False
        n = len(self.source)
        flat = kernels_of(self.system).jacobian()(
            0.0, self.source, np.array(self.system.parameter_values)
        )
        left = np.linalg.svd(flat.reshape(n, n))[0][:, -1]
        parts = [
            abs(float(left @ (self.profile[k] - x)))
            for k, x in ((0, self.source), (-1, self.target))
        ]
        return min(parts) > _NON_CENTRAL * max(parts)

    @property
    def leading_eigenvalues(self) -> tuple[complex, complex]:
        """Where the orbit goes the stable, where it comes from the unstable eigenvalue next to the axis."""
        return leading(self.eigenvalues_at_target)[0], leading(self.eigenvalues)[1]

    @property
    def saddle_quantity(self) -> float:
        """Sum of the leading real parts at a saddle.

        Negative: one stable cycle is born from the homoclinic orbit to a saddle; positive: an unstable one
        (in the plane) or a saddle cycle, and chaos at a saddle-focus (Shilnikov).
        """
        return saddle_quantity(self.eigenvalues)

    def __getitem__(self, name: str) -> Any:
        """Return a state or observable along the orbit (at the times `t`), or a parameter's value."""
        return quantity_along(self.system, name, self.profile, "connecting orbit")

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return time and states as columns."""
        columns: dict[str, NDArray[Any]] = {"t": self.t}
        return columns | dict(zip(self.system.state_names, self.profile.T, strict=True))

    def plot(self, ax: Axes | None = None, *, show: Sequence[str] | None = None) -> Axes:
        """Draw states and observables against the time.

        Parameters
        ----------
        ax
            Axes to draw into; a new figure if left out.
        show
            Names; all states if left out.
        """
        from dynlab import plotting

        system = self.system
        t = np.linspace(0.0, self.duration, _DRAWN)
        states = self.orbit.at(t / self.duration)
        labels = {n: plotting.label(n, system.unit_of(n)) for n in show or system.declared}
        angles = [s.name for s in system.states if s.domain is Domain.CIRCLE]
        series = {labels[n]: quantity_along(system, n, states, "connecting orbit") for n in labels}
        return plotting.draw_series(
            ax, t, series, time_label=plotting.label("t", system.time.unit),
            angles=[labels[n] for n in labels if n in angles],
        )  # fmt: skip

    def portrait(self, ax: Axes | None = None, *, x: str, y: str) -> Axes:
        """Draw one quantity against another, and the equilibria."""
        from dynlab import plotting

        system, word = self.system, "connecting orbit"
        labels = {n: plotting.label(n, system.unit_of(n)) for n in (x, y)}
        ax = plotting.new_axes(ax, xlabel=labels[x], ylabel=labels[y])
        states = self.orbit.at(_dense(self.mesh))
        rests, kinds = [self.source], [type_of_saddle(self.eigenvalues)]
        if not self.is_homoclinic:
            rests, kinds = (
                [*rests, self.target],
                [*kinds, type_of_saddle(self.eigenvalues_at_target)],
            )
        plotting.draw_orbit(
            ax, quantity_along(system, x, states, word), quantity_along(system, y, states, word)
        )
        at = [quantity_along(system, n, np.array(rests), word) for n in (x, y)]
        return plotting.draw_equilibria(ax, at[0], at[1], kinds)

    def __repr__(self) -> str:
        values = ", ".join(short(e) for e in self.eigenvalues[:6])
        known = not np.isnan(self.accuracy)
        good = f", parameter good to {self.accuracy:.1e}" if known else ""
        return (
            f"<{self.kind} of {self.system.name}{good}; from {described(self.start, 6)};\n"
            f" eigenvalues {values}>"
        )


def leading(eigenvalues: Complex) -> tuple[complex, complex]:
    """Return the stable and the unstable eigenvalue next to the imaginary axis; nan if there is none.

    Of a pair the one above the real axis.
    """
    zero = _ZERO * float(np.max(np.abs(eigenvalues)))
    found = []
    for side in (-1.0, 1.0):
        there = eigenvalues[side * eigenvalues.real > zero]
        if not len(there):
            found.append(complex(np.nan))
            continue
        least = np.min(np.abs(there.real))
        near = there[np.abs(there.real) <= least + zero]
        found.append(complex(near[np.argmax(near.imag)]))
    return found[0], found[1]


def saddle_quantity(eigenvalues: Complex) -> float:
    """Return the sum of the real parts of the leading eigenvalues."""
    stable, unstable = leading(eigenvalues)
    return float(stable.real + unstable.real)


def type_of_saddle(eigenvalues: Complex) -> str:
    """Return ``"saddle"``, ``"saddle-focus"``, ``"bi-focus"`` or ``"saddle-node"``, by the leading eigenvalues."""
    size = float(np.max(np.abs(eigenvalues)))
    if np.any(np.abs(eigenvalues) <= _ZERO * size):
        return "saddle-node"
    stable, unstable = leading(eigenvalues)
    pairs = (abs(stable.imag) > 0) + (abs(unstable.imag) > 0)
    return ("saddle", "saddle-focus", "bi-focus")[pairs]


def _dense(mesh: Vector) -> Vector:
    """Return places that follow the curve closely: sixteen in each interval."""
    inner = mesh[:-1, None] + np.diff(mesh)[:, None] * (np.arange(16) / 16)
    return np.append(inner.ravel(), 1.0)
