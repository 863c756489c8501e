"""cobweb: the orbit of a map of the line, drawn between its graph and the diagonal."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.equilibria.orbits import PeriodicOrbit, search_orbits
from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.names import Layout, by_name, finite
from dynlab.result import Provenance, Result
from dynlab.solve.iterate import iterate
from dynlab.solve.trajectory import Trajectory
from dynlab.status import Status
from dynlab.symbolic.dynamics import Autonomous, Discrete, require
from dynlab.symbolic.quantities import Domain
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Cobweb", "cobweb"]

Vector = NDArray[np.float64]

_GRID = 2001
#: Share of the orbit's range that the window shows beyond it.
_MARGIN = 0.12
#: An orbit that runs away is shown as far as this many times the range of its first steps.
_FAR = 8.0
_FIRST = 5


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Cobweb(Result):
    """An orbit of a one-dimensional map with the map's graph.

    Parameters
    ----------
    system
        The map.
    x, image
        The map on a grid over the window.
    orbit
        The orbit that is drawn.
    fixed_points
        Those in the window.
    provenance
        Where it came from.
    """

    system: System
    x: Vector
    image: Vector
    orbit: Trajectory
    fixed_points: tuple[PeriodicOrbit, ...]
    provenance: Provenance

    @property
    def status(self) -> Status:
        """How the orbit ended."""
        return self.orbit.status

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return the orbit as columns."""
        return self.orbit.to_table()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the graph, the diagonal, the orbit between them, and the fixed points."""
        from dynlab.plotting import draw_cobweb, draw_equilibria, symbol

        name = self.system.state_names[0]
        states = self.orbit[name]
        if self.system.states[0].domain is Domain.CIRCLE:
            states = _wrapped(states)
        labels = (f"${symbol(name)}(t)$", f"${symbol(name)}(t + 1)$")
        ax = draw_cobweb(ax, self.x, self.image, states, labels=labels)
        places = [p[name] for p in self.fixed_points]
        return draw_equilibria(ax, places, places, [p.kind for p in self.fixed_points])

    def __repr__(self) -> str:
        name = self.system.state_names[0]
        return (
            f"<cobweb of {self.system.name}: {len(self.orbit[name]) - 1} steps from "
            f"{name} = {self.orbit[name][0]:.6g};\n {self.status}, "
            f"{len(self.fixed_points)} fixed points in ({self.x[0]:.6g}, {self.x[-1]:.6g})>"
        )


def cobweb(
    system: System,
    *,
    start: Mapping[str, float] | None = None,
    steps: int = 60,
    within: Mapping[str, tuple[float, float]] | None = None,
) -> Cobweb:
    """Follow an orbit of a map of the line on its graph.

    From x on the diagonal go up or down to the graph, which is the next state, then across to the
    diagonal, and so on.

    Parameters
    ----------
    system
        A map with one state.
    start
        The state at t = 0; the default start if left out.
    steps
        Number of steps.
    within
        The window, ``{"x": (0, 1)}``; what the orbit needs if left out, one turn for an angle.

    Returns
    -------
    Cobweb
        The orbit, the graph and the fixed points in the window; ``plot()`` draws them.

    Raises
    ------
    UnsupportedSystemError
        If the system is a flow, has more than one state, or depends on time.
    SettingError
        If the start, the steps or the window cannot be used.

    Examples
    --------
    >>> import dynlab as dl
    >>> web = dl.cobweb(dl.zoo.logistic(r=2.8), start={"x": 0.1}, within={"x": (0, 1)})
    >>> [point.kind for point in web.fixed_points]
    ['stable node', 'unstable node']
    """
    require(system, Discrete, Autonomous)
    began = time.perf_counter()
    if len(system.state_names) != 1:
        raise UnsupportedSystemError(
            f"{system.name!r} cannot be used here: a cobweb needs a map with one state, and it has "
            f"{len(system.state_names)} ({', '.join(system.state_names)}). Draw the orbit in a plane: "
            "dl.iterate(...).portrait(x=..., y=...)."
        )
    number = finite(steps, "steps")
    if number < 1 or number != int(number):
        raise SettingError(f"steps is {steps!r}; give a whole number of steps, at least one.")
    orbit = iterate(system, start=start, duration=int(number))
    low, high = _window(system, within, orbit)
    x = np.linspace(low, high, _GRID)
    image = _graph(system, x)
    name = system.state_names[0]
    fixed = sorted(
        search_orbits(system, 1, {name: (low, high)}),
        key=lambda p: (p.unstable_directions, p[name]),
    )
    provenance = Provenance(
        "cobweb", system, {"steps": int(number), "within": {name: (low, high)}},
        seconds=time.perf_counter() - began,
    )  # fmt: skip
    return Cobweb(system, x, image, orbit, tuple(fixed), provenance)


def _window(
    system: System, within: Mapping[str, tuple[float, float]] | None, orbit: Trajectory
) -> tuple[float, float]:
    name = system.state_names[0]
    for given, ends in by_name(within, "within").items():
        Layout.of(system).state(given)
        low, high = (finite(end, f"end of the range of {name!r}") for end in ends)
        if low >= high:
            raise SettingError(f"the range of {name!r} is empty: ({low:g}, {high:g}).")
        return low, high
    if system.states[0].domain is Domain.CIRCLE:
        return -np.pi, np.pi
    states = orbit[name]
    first = states[:_FIRST]
    reach = _FAR * (float(np.ptp(first)) or max(abs(float(first[0])), 1.0))
    near = states[np.abs(states - np.mean(first)) <= reach]
    low, high = float(near.min()), float(near.max())
    still = high - low <= 1e-9 * max(abs(low), abs(high))
    margin = 0.5 * (abs(high) or 1.0) if still else _MARGIN * (high - low)
    return low - margin, high + margin


def _graph(system: System, x: Vector) -> Vector:
    from dynlab.kernels.batch import evaluate

    image = np.empty((len(x), 1))
    evaluate(kernels_of(system).rhs.address, 0.0, x[:, None], tuple(inputs_of(system)), image)
    return _wrapped(image[:, 0]) if system.states[0].domain is Domain.CIRCLE else image[:, 0]


def _wrapped(angle: Vector) -> Vector:
    return (angle + np.pi) % (2 * np.pi) - np.pi
