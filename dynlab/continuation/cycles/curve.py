"""CycleBifurcationCurve: folds, doublings or torus points of limit cycles in the plane of two parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.curves.cycle_surface import CONDITIONS, CycleSurface, Sheet
from dynlab.continuation.followed import End, Followed
from dynlab.cycles.cycle import Cycle, floquet_order
from dynlab.cycles.problem import Orbit
from dynlab.errors import SettingError, UnknownNameError
from dynlab.result import Provenance
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CycleBifurcationCurve"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CycleBifurcationCurve(Followed):
    """A curve of bifurcations of limit cycles in the plane of two parameters.

    Parameters
    ----------
    system, vary
        The system, and the two parameters that change along the curve.
    kind
        ``"fold"`` (LPC), ``"period doubling"``, ``"torus point"`` or ``"branch point"``.
    of
        The parameter in which the bifurcation was first found.
    values
        The two parameters, a row per point.
    periods
        The period of the cycle at each point.
    intervals, meshes, profiles
        The cycles: how many mesh intervals each has, the meshes and the states one after another.
    eigenvalues
        Floquet multipliers, a row per point.
    divergences
        Integral of the divergence over a period at each point.
    ends
        Why the curve ends, at its first and its last point.
    provenance
        Where the curve came from.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def clock(x=0.8, y=0.0, *, mu=-0.1, b=1.0):
    ...     s = x**2 + y**2
    ...     return {x: mu * x - y + b * x * s - x * s**2, y: x + mu * y + b * y * s - y * s**2}
    >>> branch = dl.continue_cycles(dl.find_cycle(clock), vary="mu", over=(-1, 1))
    >>> fold = branch.points(dl.Fold).single()
    >>> curve = dl.continue_bifurcation(fold, vary=("mu", "b"), over={"mu": (-1, 1), "b": (0.5, 1.5)})
    >>> bool(abs(curve["b"] ** 2 + 4 * curve["mu"]).max() < 1e-8)
    True
    """

    system: System
    vary: tuple[str, str]
    kind: str
    of: str
    values: Vector
    periods: Vector
    intervals: NDArray[np.int64]
    meshes: Vector
    profiles: Vector
    eigenvalues: NDArray[np.complex128]
    divergences: Vector
    ends: tuple[End, End]
    provenance: Provenance

    @classmethod
    def through(
        cls, surface: CycleSurface, kind: str, of: str, sheets: Sequence[Sheet],
        ends: tuple[End, End], provenance: Provenance,
    ) -> CycleBifurcationCurve:  # fmt: skip
        """Return the curve through some solutions."""
        places = [sheet.place for sheet in sheets]
        return cls(
            surface.system, surface.vary, kind, of, np.array([p.ends[1:] for p in places]),
            np.array([p.ends[0] for p in places]),
            np.array([len(p.mesh) - 1 for p in places], np.int64),
            np.concatenate([p.mesh for p in places]), np.concatenate([p.profile for p in places]),
            np.array([s.multipliers for s in sheets]), np.array([s.divergence for s in sheets]),
            ends, provenance,
        )  # fmt: skip

    def __post_init__(self) -> None:
        rows = len(self.periods)
        fits = self.values.shape == (rows, 2) and len(self.eigenvalues) == rows
        if self.kind not in CONDITIONS or not fits:
            raise SettingError(
                f"the arrays of a {self.kind} curve of {self.system.name!r} do not belong together: "
                f"{self.values.shape} values, {rows} periods."
            )

    def __len__(self) -> int:
        return len(self.periods)

    def __getitem__(self, name: str) -> Vector:
        """Return a parameter, or the ``"period"``, along the curve."""
        if name in self.vary:
            return self.values[:, self.vary.index(name)]
        if name == "period":
            return self.periods
        if name in self.system.parameter_names:
            return np.full(len(self), self.system[name])
        known = (*self.system.parameter_names, "period")
        raise UnknownNameError(f"quantity of the curve of {self.system.name!r}", name, known)

    @property
    def angle(self) -> Vector:
        """Argument of the critical pair along a curve of torus points, in radians; else nan."""
        if self.kind != "torus point":
            return np.full(len(self), np.nan)
        found = []
        for row in self.eigenvalues:
            pairs = row[row.imag > 0]
            near = pairs[np.argmin(np.abs(np.abs(pairs) - 1.0))] if len(pairs) else np.nan
            found.append(float(np.angle(near)))
        return np.array(found)

    @property
    def _degree(self) -> int:
        return (len(self.profiles) - len(self)) // int(np.sum(self.intervals))

    def cycle(self, position: int) -> Cycle:
        """Return the cycle at one point of the curve."""
        position = range(len(self))[position]
        begin, count = int(np.sum(self.intervals[:position])), int(self.intervals[position])
        rows, places = self._degree * begin + position, begin + position
        system = self.system(**dict(zip(self.vary, map(float, self.values[position]), strict=True)))
        orbit = Orbit(
            np.ascontiguousarray(self.profiles[rows : rows + self._degree * count + 1]),
            np.ascontiguousarray(self.meshes[places : places + count + 1]),
            float(self.periods[position]), np.nan,
        )  # fmt: skip
        return Cycle(
            system, orbit.period, orbit.mesh, orbit.profile,
            floquet_order(self.eigenvalues[position]), float(self.divergences[position]), np.nan,
        )  # fmt: skip

    def __iter__(self) -> Iterator[Cycle]:
        return (self.cycle(k) for k in range(len(self)))

    def to_table(self) -> dict[str, NDArray[Any]]:
        columns: dict[str, NDArray[Any]] = {name: self[name] for name in (*self.vary, "period")}
        if self.kind == "torus point":
            columns["critical angle"] = self.angle
        for k in range(self.eigenvalues.shape[1]):
            columns[f"multiplier {k + 1}"] = self.eigenvalues[:, k]
        return columns

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the curve in the plane of the two parameters; several go into one chart.

        Parameters
        ----------
        ax
            Axes to draw into; a new figure if left out.
        """
        from dynlab.plotting import draw_bifurcation_line, label, new_axes

        first, second = self.vary
        units = self.system.unit_of
        ax = new_axes(ax, xlabel=label(first, units(first)), ylabel=label(second, units(second)))
        of_cycles = np.full(len(self), 3)
        x, y = self.values.T
        return draw_bifurcation_line(ax, x, y, f"{self.kind} of cycles", of_cycles)

    def __repr__(self) -> str:
        name = self.kind.removesuffix(" point")
        return (
            f"<{name} curve of cycles of {self.system.name} in {self.vary[0]} and {self.vary[1]}: "
            f"{len(self)} points, periods {np.min(self.periods):.6g} to {np.max(self.periods):.6g};\n"
            f" ends: {self.ends[0].status}, {self.ends[1].status}>"
        )
