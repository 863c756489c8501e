"""phase_portrait: field, nullclines, equilibria, manifolds and trajectories in one picture."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.equilibria.find import Equilibria, find_equilibria
from dynlab.equilibria.manifolds import Manifolds, saddle_manifolds, smooth
from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.names import finite
from dynlab.result import Provenance, Result
from dynlab.solve.integrate import integrate
from dynlab.solve.trajectory import Trajectory
from dynlab.status import Status
from dynlab.symbolic.dynamics import Autonomous, Continuous, require
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PhasePortrait", "phase_portrait"]

_GRID = 161


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PhasePortrait(Result):
    """What there is to see in the plane of a planar flow.

    Parameters
    ----------
    system
        The flow.
    within
        The window, by state.
    field
        Rates of both states on a grid over the window, shape (2, rows, columns).
    equilibria, manifolds, trajectories
        What is drawn on it.
    provenance
        Where it came from.
    """

    system: System
    within: dict[str, tuple[float, float]]
    field: NDArray[np.float64]
    equilibria: Equilibria
    manifolds: tuple[Manifolds, ...]
    trajectories: tuple[Trajectory, ...]
    provenance: Provenance

    @property
    def status(self) -> Status:
        """How the computation ended."""
        return self.equilibria.status

    def _grid(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        (a, b), (c, d) = self.within.values()
        x, y = np.meshgrid(np.linspace(a, b, _GRID), np.linspace(c, d, _GRID))
        return x, y

    def to_table(self) -> dict[str, NDArray[Any]]:
        x, y = self._grid()
        first, second = self.within
        return {
            first: x.ravel(), second: y.ravel(),
            f"{first}'": self.field[0].ravel(), f"{second}'": self.field[1].ravel(),
        }  # fmt: skip

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the portrait."""
        from dynlab import plotting

        x, y = self._grid()
        names = tuple(self.within)
        labels = [plotting.label(s.name, s.unit) for s in self.system.states]
        ax = plotting.new_axes(ax, xlabel=labels[0], ylabel=labels[1])
        first, second = self.field
        plotting.draw_field(ax, x, y, first, second)
        plotting.draw_nullclines(ax, x, y, first, second, (names[0], names[1]))
        for manifold in self.manifolds:
            manifold.plot(ax)
        for run in self.trajectories:
            points = smooth(run)
            plotting.draw_orbit(ax, points[names[0]], points[names[1]])
            plotting.draw_direction(ax, points[names[0]], points[names[1]])
        found = self.equilibria
        plotting.draw_equilibria(
            ax, [p[names[0]] for p in found], [p[names[1]] for p in found], [p.kind for p in found]
        )
        (a, b), (c, d) = self.within.values()
        ax.set_xlim(a, b)
        ax.set_ylim(c, d)
        return ax

    def __repr__(self) -> str:
        return (
            f"<phase portrait of {self.system.name}: {len(self.equilibria)} equilibria, "
            f"{len(self.trajectories)} trajectories>"
        )


def phase_portrait(
    system: System,
    *,
    within: Mapping[str, tuple[float, float]],
    starts: Sequence[Mapping[str, float]] | None = None,
    duration: float | None = None,
) -> PhasePortrait:
    """Return the phase portrait of a planar flow.

    Parameters
    ----------
    system
        An autonomous flow with two states.
    within
        The window: a range for each state.  The system's first state is the horizontal one.
    starts
        Where trajectories begin; by default one, at the system's default start.
    duration
        How long they run; by default 100 in the system's time.

    Returns
    -------
    PhasePortrait
        Field, equilibria by type, manifolds of saddles and trajectories; ``.plot()`` draws them.

    Raises
    ------
    UnsupportedSystemError
        If the system has not exactly two states, or depends on time.
    SettingError
        If a range is missing or empty.

    Examples
    --------
    >>> import dynlab as dl
    >>> portrait = dl.phase_portrait(
    ...     dl.zoo.fitzhugh_nagumo(I=0.5), within={"v": (-2.5, 2.5), "w": (-1, 2)}
    ... )
    >>> portrait.equilibria.single().kind
    'unstable focus'
    """
    began = time.perf_counter()
    require(system, Continuous, Autonomous)
    if len(system.state_names) != 2:
        raise UnsupportedSystemError(
            f"{system.name!r} has {len(system.state_names)} states; a phase portrait needs two. "
            "Plot a trajectory instead: dl.integrate(...).portrait(x=..., y=...)."
        )
    missing = [name for name in system.state_names if name not in within]
    if missing:
        raise SettingError(f"within names no range for {missing[0]!r}. Give one for each state.")
    found = find_equilibria(system, within=within)
    ranges = {name: found.within[name] for name in within}
    if tuple(ranges) != system.state_names:
        ranges = {name: ranges[name] for name in system.state_names}
    span = 100.0 if duration is None else finite(duration, "duration")
    runs = tuple(
        integrate(system, start=start, duration=span)
        for start in ([dict(zip(system.state_names, system.start_values, strict=True))]
                      if starts is None else starts)
    )  # fmt: skip
    return PhasePortrait(
        system=system,
        within=ranges,
        field=_field(system, ranges),
        equilibria=found,
        manifolds=tuple(saddle_manifolds(p) for p in found if p.kind == "saddle"),
        trajectories=runs,
        provenance=Provenance(
            "phase_portrait", system, {"within": ranges, "duration": span},
            seconds=time.perf_counter() - began,
        ),
    )  # fmt: skip


def _field(system: System, ranges: Mapping[str, tuple[float, float]]) -> NDArray[np.float64]:
    """Return the rates of both states on the grid."""
    from dynlab.kernels.batch import evaluate

    (a, b), (c, d) = ranges.values()
    x, y = np.meshgrid(np.linspace(a, b, _GRID), np.linspace(c, d, _GRID))
    points = np.column_stack([x.ravel(), y.ravel()])
    rates = np.empty_like(points)
    evaluate(kernels_of(system).rhs.address, 0.0, points, tuple(inputs_of(system)), rates)
    return np.ascontiguousarray(rates.T).reshape(2, _GRID, _GRID)
