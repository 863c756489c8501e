"""Attractor: a set of states that orbits tend to, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.attractors.verify import Verified
from dynlab.codegen.kernels import kernels_of
from dynlab.cycles.cycle import Cycle
from dynlab.equilibria.orbits import PeriodicOrbit
from dynlab.errors import UnknownNameError
from dynlab.names import Layout
from dynlab.notebook import card
from dynlab.point import apart
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Attractor"]

Array = NDArray[np.float64]

#: A cycle seen only once a turn of a drive has so few states.
FEW = 64


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Attractor:
    """A set of states that orbits tend to.

    Attributes
    ----------
    system
        The system, with the parameter values for which this is an attractor.
    label
        Its number, from 0 on: what stands in images and tables.
    states
        States on it, a row each: the fixed point, the points of a periodic orbit, places along a cycle, or
        samples of an orbit.
    verified
        The fixed point, periodic orbit or cycle that it was verified to be, with its eigenvalues; None
        for anything else.
    low, high
        Between which states it lies, with some room; what the grid does not cover is told by these.
    verdict
        Of what was not verified: ``"chaotic"`` or ``"quasi-periodic"`` by its largest Lyapunov exponent, or
        empty where that does not tell.
    near
        How near to it an orbit must come, in each state, to count as on it; None where cells tell it from all
        others.  Infinite where it shares cells with another one and nothing is known of it but cells and ranges.

    Examples
    --------
    >>> import dynlab as dl
    >>> found = dl.find_attractors(dl.zoo.van_der_pol, within={"x": (-3, 3), "y": (-3, 3)}, seed=1)
    >>> cycle = found.single()
    >>> cycle.kind, round(cycle.verified.period, 6)
    ('stable cycle', 6.663287)
    """

    system: System
    label: int
    states: Array
    verified: Verified | None
    low: Array
    high: Array
    verdict: str = ""
    near: Array | None = None

    @property
    def kind(self) -> str:
        """What it is: such as ``"stable focus"``, ``"chaotic"``, or ``"undetermined"``.

        What is undetermined may be a torus, or not settled yet.
        """
        if self.verified is None:
            return self.verdict or "undetermined"
        if isinstance(self.verified, PeriodicOrbit):
            return f"stable orbit of period {self.verified.period}"
        return self.verified.kind

    @property
    def name(self) -> str:
        """A short name for pictures: the number from 1 on, and the kind."""
        return f"{self.label + 1}: {self.kind}"

    @property
    def start(self) -> dict[str, Any]:
        """A state on it by name, as ``start=`` takes it."""
        return Layout.of(self.system).unpack(self.states[-1])

    def __getitem__(self, name: str) -> Any:
        """Return a state or observable at the `states`."""
        place = self.system.place_of(name)
        if place is not None:
            return self.states[:, place]
        if name in self.system.observable_names:
            kernel, column = (
                kernels_of(self.system).observables,
                self.system.observable_names.index(name),
            )
            p = np.array(self.system.parameter_values or (0.0,))
            return np.array([kernel(0.0, x, p)[column] for x in self.states])
        known = (*self.system.state_names, *self.system.observable_names)
        raise UnknownNameError(f"quantity on an attractor of {self.system.name!r}", name, known)

    def distance(self, other: Attractor, size: Array) -> float:
        """Return how far another attractor is: the mean distance to the nearest state, either way.

        In units of `size`, one for each state; whole turns do not count.
        """
        a, b = _thinned(self.states), _thinned(other.states)
        gaps = np.array([np.max(np.abs(apart(self.system, a, x)) / size, axis=1) for x in b])
        return float(max(np.mean(gaps.min(axis=0)), np.mean(gaps.min(axis=1))))

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return the states as columns."""
        return dict(zip(self.system.state_names, self.states.T, strict=True))

    def plot(self, ax: Axes | None = None, *, x: str | None = None, y: str | None = None) -> Axes:
        """Draw it in the plane of two quantities, or over its own states if there is only one."""
        from dynlab import plotting

        first, second = plane_of(self.system, x, y)
        return plotting.draw_attractor(
            ax, *self.curve(first, second), (self.label, self.name),
            labels=(_text(self.system, first), _text(self.system, second)),
            is_curve=isinstance(self.verified, Cycle) and len(self.states) > FEW,
        )  # fmt: skip

    def curve(self, x: str, y: str) -> tuple[Array, Array]:
        """Return two quantities at its states; `y` empty gives zeros."""
        across = np.asarray(self[x])
        return across, np.asarray(self[y]) if y else np.zeros_like(across)

    def __repr__(self) -> str:
        if self.verified is not None:
            return f"<attractor {self.label + 1}: {repr(self.verified)[1:]}"
        low, high = self.states.min(axis=0), self.states.max(axis=0)
        shown = ", ".join(
            f"{n} in ({a:.4g}, {b:.4g})"
            for n, a, b in zip(self.system.state_names[:4], low, high, strict=False)
        )
        return (
            f"<attractor {self.label + 1} of {self.system.name}, {self.kind}: neither point nor cycle;\n "
            f"{shown}>"
        )

    def _repr_html_(self) -> str:
        return card(f"attractor of {self.system.name}", repr(self), {})


def plane_of(system: System, x: str | None, y: str | None) -> tuple[str, str]:
    """Return the two quantities to draw in; the second is empty for a system of one state."""
    names = system.state_names
    first = x or names[0]
    rest = [n for n in names if n != first]
    return first, y or (rest[0] if rest else "")


def _text(system: System, name: str) -> str:
    from dynlab import plotting

    return plotting.label(name, system.unit_of(name)) if name else ""


def _thinned(states: Array, most: int = 400) -> Array:
    return states[:: max(1, len(states) // most)]
