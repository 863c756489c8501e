"""Stable and unstable manifolds of planar saddles.

Each is grown from the saddle along its eigenvector, forward in time for the unstable one and backward
for the stable one.  Starting a distance d away on the tangent line errs by O(d^2) (Kuznetsov,
Elements of Applied Bifurcation Theory, theorem 3.6).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.equilibria.stability import Equilibrium, described
from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.names import finite
from dynlab.result import Provenance, Result
from dynlab.solve.integrate import integrate
from dynlab.solve.trajectory import Trajectory
from dynlab.status import Status
from dynlab.symbolic.dynamics import Autonomous, Continuous, require

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Manifolds", "saddle_manifolds"]

#: First distance from the saddle, relative to its size: the tangent line errs by its square.
_DISTANCE = 1e-6
#: Without a duration, so many e-folds of the slower direction: from 1e-6 to sizes of order e^10.
_FOLDS = 24.0


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Manifolds(Result):
    """The four branches of the manifolds of a planar saddle.

    Parameters
    ----------
    saddle
        The equilibrium they belong to.
    stable
        Two trajectories that run into the saddle (computed backward in time).
    unstable
        Two trajectories that leave it.
    provenance
        Where they came from.
    """

    saddle: Equilibrium
    stable: tuple[Trajectory, Trajectory]
    unstable: tuple[Trajectory, Trajectory]
    provenance: Provenance

    @property
    def status(self) -> Status:
        """`Status.OK` unless a branch was stopped; running off to infinity is no failure."""
        stopped = [t for t in (*self.stable, *self.unstable) if t.status is Status.STOPPED]
        return Status.STOPPED if stopped else Status.OK

    def to_table(self) -> dict[str, NDArray[Any]]:
        tables = []
        for role, pair in (("stable", self.stable), ("unstable", self.unstable)):
            for k, run in enumerate(pair):
                table = run.to_table()
                length = len(table["t"])
                tables.append(
                    {"manifold": np.full(length, role), "side": np.full(length, k)} | table
                )
        return {name: np.concatenate([t[name] for t in tables]) for name in tables[0]}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the manifolds in the plane of the two states."""
        from dynlab.plotting import draw_manifold, label, new_axes

        x, y = self.saddle.system.states
        ax = new_axes(ax, xlabel=label(x.name, x.unit), ylabel=label(y.name, y.unit))
        for role, pair in (("stable", self.stable), ("unstable", self.unstable)):
            for run in pair:
                points = smooth(run)
                draw_manifold(ax, points[x.name], points[y.name], role)
        return ax

    def __repr__(self) -> str:
        at = described(self.saddle.start, 6)
        return f"<manifolds of the saddle of {self.saddle.system.name} at {at}>"


def smooth(run: Trajectory) -> Trajectory:
    """Return the trajectory at ten times inside each step, so that it draws without corners."""
    if run.steps is None or len(run.t) < 2:
        return run
    inside = run.t[:-1, None] + np.diff(run.t)[:, None] * np.linspace(0, 1, 10, endpoint=False)
    return run.at(np.append(inside.ravel(), run.t[-1]))


def saddle_manifolds(saddle: Equilibrium, *, duration: float | None = None) -> Manifolds:
    """Return the stable and unstable manifolds of a saddle in the plane.

    Parameters
    ----------
    saddle
        A saddle of a flow with two states.
    duration
        How long to follow each branch, in the system's time; by default some 24 e-folds of the slower
        direction.

    Returns
    -------
    Manifolds
        Two stable and two unstable branches.

    Raises
    ------
    UnsupportedSystemError
        If the system is no autonomous flow with two states.
    SettingError
        If the point is not a saddle, or the duration is not positive.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def duffing(x=0.1, y=0.0, *, damping=0.2):
    ...     return {x: y, y: x - x**3 - damping * y}
    >>> found = dl.find_equilibria(duffing, within={"x": (-2, 2), "y": (-2, 2)})
    >>> wells = dl.saddle_manifolds(found.of_kind("saddle").single(), duration=100).unstable
    >>> sorted(round(run.final["x"], 3) for run in wells)
    [-1.0, 1.0]
    """
    began = time.perf_counter()
    system = saddle.system
    require(system, Continuous, Autonomous)
    if len(system.state_names) != 2:
        raise UnsupportedSystemError(
            f"{system.name!r} has {len(system.state_names)} states; manifolds are drawn as curves for "
            "planar saddles. For more states integrate from saddle.eigenvectors yourself."
        )
    if saddle.kind != "saddle":
        raise SettingError(
            f"the equilibrium is a {saddle.kind}, not a saddle. Choose one whose kind is 'saddle'."
        )
    rates = saddle.eigenvalues.real
    span = (
        _FOLDS / float(np.min(np.abs(rates))) if duration is None else finite(duration, "duration")
    )
    if span <= 0:
        raise SettingError(f"duration is {span:g}; it must be positive.")
    size = float(np.max(np.abs([*saddle.state, *system.start_values]))) or 1.0
    out, into = saddle.eigenvectors.real.T

    def pair(direction: NDArray[np.float64], length: float) -> tuple[Trajectory, Trajectory]:
        first, second = (
            integrate(system, start=list(saddle.state + side * size * direction), duration=length)
            for side in (-_DISTANCE, _DISTANCE)
        )
        return first, second

    return Manifolds(
        saddle,
        stable=pair(into, -span),
        unstable=pair(out, span),
        provenance=Provenance(
            "saddle_manifolds", system, {"duration": span}, seconds=time.perf_counter() - began
        ),
    )
