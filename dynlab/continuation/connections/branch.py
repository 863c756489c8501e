"""HomoclinicBranch: a curve of homoclinic or heteroclinic orbits in two parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.connections.orbit import (
    ConnectingOrbit,
    leading,
    saddle_quantity,
    type_of_saddle,
)
from dynlab.continuation.connections.walk import ConnectionNode
from dynlab.continuation.followed import End, Followed
from dynlab.errors import SettingError, UnknownNameError
from dynlab.result import Provenance
from dynlab.status import Status
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["HomoclinicBranch"]

Vector = NDArray[np.float64]
Complex = NDArray[np.complex128]

#: Mark and label of what is special.
_MARKS = {
    "neutral saddle": ("neutral saddle", ""),
    "double leading stable eigenvalue": ("user", "DL"),
    "double leading unstable eigenvalue": ("user", "DL"),
    "three leading stable eigenvalues": ("user", "TL"),
    "three leading unstable eigenvalues": ("user", "TL"),
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class HomoclinicBranch(Followed):
    """A curve of connecting orbits in two parameters.

    Parameters
    ----------
    system, vary
        The system, and the two parameters that change along the curve.
    values
        The two parameters at each point, a row per point.
    durations, intervals, meshes, profiles
        Time, mesh intervals, meshes one after another, and states on them, as for `CycleBranch`.
    sources, targets
        The equilibria that each orbit comes from and goes to.
    eigenvalues, eigenvalues_at_target
        Their eigenvalues, the most unstable first.
    special
        What is special at some points: their positions and a word such as ``"neutral saddle"``.
    ends
        Why the curve ends, at its first and its last point (the value is that of the first parameter).
    provenance
        Where the curve came from.
    """

    system: System
    vary: tuple[str, str]
    values: Vector
    durations: Vector
    intervals: NDArray[np.int64]
    meshes: Vector
    profiles: Vector
    sources: Vector
    targets: Vector
    eigenvalues: Complex
    eigenvalues_at_target: Complex
    special: tuple[tuple[int, str], ...]
    ends: tuple[End, End]
    provenance: Provenance

    @classmethod
    def through(
        cls, system: System, vary: tuple[str, str], nodes: Sequence[ConnectionNode],
        ends: tuple[End, End], provenance: Provenance,
    ) -> HomoclinicBranch:  # fmt: skip
        """Return the curve through some nodes."""
        all_of = [node.connection for node in nodes]
        return cls(
            system, vary, np.array([c.values for c in all_of]),
            np.array([c.orbit.period for c in all_of]),
            np.array([len(c.orbit.mesh) - 1 for c in all_of], np.int64),
            np.concatenate([c.orbit.mesh for c in all_of]),
            np.concatenate([c.orbit.profile for c in all_of]),
            np.array([c.source for c in all_of]), np.array([c.target for c in all_of]),
            np.array([node.eigenvalues for node in nodes]),
            np.array([node.eigenvalues_at_target for node in nodes]),
            tuple((k, node.label) for k, node in enumerate(nodes) if node.label), ends, provenance,
        )  # fmt: skip

    def __post_init__(self) -> None:
        rows = len(self.values)
        others = (self.durations, self.intervals, self.sources, self.targets, self.eigenvalues,
                  self.eigenvalues_at_target)  # fmt: skip
        if (
            {len(a) for a in others} != {rows}
            or len(self.meshes) != int(np.sum(self.intervals + 1))
            or not all(0 <= position < rows for position, _ in self.special)
        ):
            raise SettingError(
                f"the arrays of a curve of connecting orbits of {self.system.name!r} do not belong together: "
                f"{rows} values, {[len(a) for a in others]} other rows."
            )

    def __len__(self) -> int:
        return len(self.values)

    def orbit(self, position: int) -> ConnectingOrbit:
        """Return one point of the curve as an orbit, as accurate as the curve."""
        position = range(len(self))[position]
        begin, count = int(np.sum(self.intervals[:position])), int(self.intervals[position])
        degree = (len(self.profiles) - len(self)) // int(np.sum(self.intervals))
        row = degree * begin + position
        values = {n: float(v) for n, v in zip(self.vary, self.values[position], strict=True)}
        return ConnectingOrbit(
            self.system(**values), float(self.durations[position]),
            np.ascontiguousarray(self.meshes[begin + position : begin + position + count + 1]),
            np.ascontiguousarray(self.profiles[row : row + degree * count + 1]),
            self.sources[position], self.targets[position], self.eigenvalues[position],
            self.eigenvalues_at_target[position],
        )  # fmt: skip

    def __getitem__(self, name: str) -> Vector:
        """Return a parameter, or a state of the equilibrium, along the curve."""
        if name in self.vary:
            return self.values[:, self.vary.index(name)]
        if name in self.system.parameter_names:
            return np.full(len(self), self.system[name])
        place = self.system.place_of(name)
        if place is not None:
            return self.sources[:, place]
        known = (*self.vary, *self.system.state_names, *self.system.parameter_names)
        raise UnknownNameError(
            f"quantity of the curve of connecting orbits of {self.system.name!r}", name, known
        )

    @property
    def kinds(self) -> tuple[str, ...]:
        """What the orbit at each point connects: ``"saddle"``, ``"saddle-focus"`` and so on."""
        return tuple(type_of_saddle(row) for row in self.eigenvalues)

    @property
    def saddle_quantities(self) -> Vector:
        """Sum of the leading real parts at each point; see `ConnectingOrbit`."""
        return np.array([saddle_quantity(row) for row in self.eigenvalues])

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return parameters, equilibrium, leading eigenvalues, kind and extremes as columns."""
        columns: dict[str, NDArray[Any]] = {n: self[n] for n in self.vary}
        columns["duration"] = self.durations
        for j, name in enumerate(self.system.state_names):
            columns[f"{name} at rest"] = self.sources[:, j]
        pairs = np.array([
            (leading(last)[0], leading(first)[1])
            for first, last in zip(self.eigenvalues, self.eigenvalues_at_target, strict=True)
        ])  # fmt: skip
        columns["leading stable"], columns["leading unstable"] = pairs.T
        columns["saddle quantity"] = self.saddle_quantities
        columns["kind"] = np.array(self.kinds, dtype=str)
        labels = np.full(len(self), "", dtype="<U40")
        for position, word in self.special:
            labels[position] = word
        columns["special"] = labels
        return columns

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the curve in the plane of the two parameters, with its special points and ends.

        Parameters
        ----------
        ax
            Axes to draw into; a new figure if left out.
        """
        from dynlab import plotting

        first, second = self.vary
        labels = [plotting.label(n, self.system.unit_of(n)) for n in self.vary]
        ax = plotting.new_axes(ax, xlabel=labels[0], ylabel=labels[1])
        words = [f"homoclinic to a {kind}" for kind in self.kinds]
        if not self.orbit(0).is_homoclinic:
            words = [
                f"heteroclinic from a {kind} to a {type_of_saddle(row)}"
                for kind, row in zip(self.kinds, self.eigenvalues_at_target, strict=True)
            ]
        plotting.draw_connection_line(ax, self[first], self[second], words)
        marks = [(*self.values[k], *_MARKS[word]) for k, word in self.special]
        for k, end in ((0, self.ends[0]), (-1, self.ends[1])):
            if end.status is Status.AT_BOGDANOV_TAKENS:
                marks.append((*self.values[k], "bogdanov-takens", "BT"))
            elif end.status is Status.NOT_HYPERBOLIC:
                marks.append((*self.values[k], "non-central", "NCH"))
        points = [(float(x), float(y), mark, word) for x, y, mark, word in marks]
        return plotting.draw_points_once(ax, points)

    def __repr__(self) -> str:
        first, second = self.vary
        low, high = np.min(self.values, axis=0), np.max(self.values, axis=0)
        kinds = ", ".join(dict.fromkeys(self.kinds))
        words = "".join(f", {word}" for _, word in self.special)
        return (
            f"<curve of {len(self)} connecting orbits of {self.system.name} ({kinds}) with {first} from "
            f"{low[0]:.6g} to {high[0]:.6g}, {second} from {low[1]:.6g} to {high[1]:.6g}{words};\n "
            f"ends: {self.ends[0].status}, {self.ends[1].status}>"
        )
