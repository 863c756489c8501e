"""CycleBranch: a curve of limit cycles in one parameter, with its special points and ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.kernels import kernels_of
from dynlab.continuation.curves.cycle import CycleNode
from dynlab.continuation.curves.hybrid_cycle import HybridNode
from dynlab.continuation.cycles.guards import met_event
from dynlab.continuation.cycles.hybrid import landing
from dynlab.continuation.followed import End, Marked
from dynlab.continuation.picture import COLORS, draw_branches, marker_of
from dynlab.continuation.points import Points, SpecialPoint, Unconfirmed
from dynlab.cycles.collocation import Collocation, cycle_of, refined
from dynlab.cycles.cycle import RELIABLE, Cycle, count_outside
from dynlab.cycles.problem import PARAMETER, PERIOD, CycleProblem, Orbit
from dynlab.errors import SettingError, UnknownNameError
from dynlab.names import Layout, finite
from dynlab.result import Provenance
from dynlab.status import Status
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CycleBranch"]

Vector = NDArray[np.float64]

#: Places in a period at which heights along a branch are looked for.
_PLACES = 512


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CycleBranch(Marked):
    """A branch of limit cycles in one parameter.

    Parameters
    ----------
    system, vary
        The system, and the parameter that changes along the branch.
    values, periods
        The parameter and the period at each point; special points are among them.
    intervals
        How many mesh intervals each point has.
    meshes, profiles
        The meshes one after another, and the states on them (a row per place), in the same order.
    eigenvalues
        Floquet multipliers, a row per point.
    divergences
        Integral of the divergence over a period, the logarithm of the multipliers' product.
    special
        Each special point with its position on the branch.
    ends
        Why the branch ends, at its first and its last point.
    provenance
        Where the branch came from.

    Examples
    --------
    >>> import dynlab as dl
    >>> diagram = dl.continue_equilibrium(
    ...     dl.find_equilibria(dl.zoo.brusselator).single(), vary="B", over=(1, 4))
    >>> cycles = dl.continue_cycles(diagram.points(dl.Hopf).single(), over=(1, 4))
    >>> round(cycles.at(B=3).single().period, 6)
    7.15692
    """

    system: System
    vary: str
    values: Vector
    periods: Vector
    intervals: NDArray[np.int64]
    meshes: Vector
    profiles: Vector
    eigenvalues: NDArray[np.complex128]
    divergences: Vector
    special: tuple[tuple[int, SpecialPoint], ...]
    ends: tuple[End, End]
    provenance: Provenance

    doubtful = Unconfirmed

    @classmethod
    def through(
        cls, problem: CycleProblem, nodes: Sequence[CycleNode | HybridNode],
        special: tuple[tuple[int, SpecialPoint], ...], ends: tuple[End, End],
        provenance: Provenance,
    ) -> CycleBranch:  # fmt: skip
        """Return the branch through some nodes."""
        return cls(
            problem.system, problem.vary, np.array([n.orbit.value for n in nodes]),
            np.array([n.orbit.period for n in nodes]),
            np.array([len(n.orbit.mesh) - 1 for n in nodes], np.int64),
            np.concatenate([n.orbit.mesh for n in nodes]),
            np.concatenate([n.orbit.profile for n in nodes]),
            np.array([n.multipliers for n in nodes]),
            np.array([n.divergence for n in nodes]), special, ends, provenance,
        )  # fmt: skip

    def __post_init__(self) -> None:
        rows = len(self.values)
        lengths = [
            len(a) for a in (self.periods, self.intervals, self.eigenvalues, self.divergences)
        ]
        if (
            lengths != [rows] * 4
            or len(self.meshes) != int(np.sum(self.intervals + 1))
            or not all(0 <= position < rows for position, _ in self.special)
        ):
            raise SettingError(
                f"the arrays of a branch of cycles of {self.system.name!r} do not belong together: "
                f"{rows} values, {lengths} other rows, {len(self.meshes)} mesh places."
            )
        Layout.of(self.system).parameter(self.vary)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def degree(self) -> int:
        """Degree of the polynomials."""
        return (len(self.profiles) - len(self)) // int(np.sum(self.intervals))

    def orbit(self, position: int) -> Orbit:
        """Return one point of the branch as a curve."""
        position = range(len(self))[position]
        begin = int(np.sum(self.intervals[:position]))
        count = int(self.intervals[position])
        rows = self.degree * begin + position
        return Orbit(
            np.ascontiguousarray(self.profiles[rows : rows + self.degree * count + 1]),
            np.ascontiguousarray(self.meshes[begin + position : begin + position + count + 1]),
            float(self.periods[position]), float(self.values[position]),
        )  # fmt: skip

    def __getitem__(self, name: str) -> Vector:
        """Return the parameter, ``"period"``, or another parameter along the branch.

        Of a state or observable ask `extremes` or `cycle`.
        """
        if name == self.vary:
            return self.values
        if name == "period":
            return self.periods
        if name in self.system.parameter_names:
            return np.full(len(self), self.system[name])
        known = (*self.system.parameter_names, "period")
        raise UnknownNameError(
            f"quantity of the branch of cycles of {self.system.name!r} (for states: .extremes)",
            name, known,
        )  # fmt: skip

    def cycle(self, position: int) -> Cycle:
        """Return one point of the branch as a cycle, as accurate as the branch."""
        orbit = self.orbit(position)
        return Cycle(
            self.system(**{self.vary: orbit.value}), orbit.period, orbit.mesh, orbit.profile,
            self.eigenvalues[position], float(self.divergences[position]), np.nan,
        )  # fmt: skip

    def extremes(self, name: str) -> Vector:
        """Return the least and greatest value of a state or observable at each point: K x 2.

        Of a state with many nodes the nodes are the last axis.
        """
        place = self.system.place_of(name)
        rows = []
        for k in range(len(self)):
            orbit = self.orbit(k)
            values = self._observed(name, orbit) if place is None else _closely(orbit)[:, place]
            rows.append(np.stack([np.min(values, axis=0), np.max(values, axis=0)]))
        return np.array(rows)

    def _observed(self, name: str, orbit: Orbit) -> Vector:
        system = self.system
        if name not in system.observable_names:
            known = (*system.state_names, *system.observable_names)
            raise UnknownNameError(f"state or observable of {system.name!r}", name, known)
        kernel, column = kernels_of(system).observables, system.observable_names.index(name)
        p = np.array(system.parameter_values)
        p[system.parameter_names.index(self.vary)] = orbit.value
        states = np.ascontiguousarray(_closely(orbit))
        return np.array([kernel(0.0, x, p)[column] for x in states])

    @property
    def kind(self) -> str:
        """What the branch consists of, in words."""
        return "limit cycles"

    def outline(self, name: str) -> Vector:
        """What a picture shows of a quantity: its least and greatest value."""
        return self.extremes(name)

    @property
    def unstable(self) -> NDArray[np.int_]:
        """Number of unstable directions along the branch.

        Where multipliers are not `reliable`, the number at the nearest point where they are; in the
        plane the integral of the divergence tells it everywhere.
        """
        counts = np.array([count_outside(row) for row in self.eigenvalues])
        if self.eigenvalues.shape[1] == 2:
            counts = np.where(self.reliable, counts, self.divergences > 0)
        elif np.any(self.reliable):
            sure = np.flatnonzero(self.reliable)
            places = np.arange(len(counts))
            counts = counts[sure[np.argmin(np.abs(places[:, None] - sure), axis=1)]]
        for position, point in reversed(self.special):
            if point.label != "UZ":
                follows = position + 1 if position + 1 < len(counts) else position - 1
                counts[position] = counts[follows]
        return counts

    @property
    def reliable(self) -> NDArray[np.bool_]:
        """Where the trivial multiplier is 1 to a thousandth, so that stability can be told."""
        error = np.min(np.abs(self.eigenvalues - 1.0), axis=1)
        return np.asarray(error < RELIABLE)

    def at(self, *, method: Collocation | None = None, **where: float) -> Points[Cycle]:
        """Return the cycles of the branch where the parameter or the period has a value.

        Each is solved anew on meshes that are made finer until it stands still; where events happen on the
        way by shooting, to which `method` means nothing.

        Raises
        ------
        SettingError
            If a number of quantities other than one is given, or the value is not finite.
        UnknownNameError
            If the name is neither the varied parameter nor ``period``.
        """
        if len(where) != 1:
            raise SettingError(
                f"at() takes one quantity, got {len(where)}: branch.at({self.vary}=1.0)."
            )
        ((name, value),) = where.items()
        target = finite(value, name)
        if name not in (self.vary, "period"):
            raise UnknownNameError(
                "varied parameter of the branch, or its period", name, (self.vary, "period")
            )
        held = PARAMETER if name == self.vary else PERIOD
        column = self[name] - target
        return Points(self._landings(column, target, held, method or Collocation()))

    def _landings(
        self, column: Vector, target: float, held: int, method: Collocation
    ) -> Iterator[Cycle]:
        span = float(np.ptp(self.values)) or 1.0
        problem = CycleProblem(self.system, self.vary, span)
        closed = self.ends[0].status is Status.CLOSED_LOOP
        for k in range(len(column)):
            if column[k] == 0.0 and not (closed and k + 1 == len(column)):
                known, share = [self.orbit(k)], 0.0
            elif k and column[k - 1] * column[k] < 0:
                known = [self.orbit(k - 1), self.orbit(k)]
                share = column[k - 1] / (column[k - 1] - column[k])
            else:
                continue
            if met_event(problem, known[0]):
                found = landing(self.system, self.vary, span, known, share, (held, target))
                if found is not None:
                    yield found
                continue
            guess = known[0] if len(known) == 1 else _between(known[0], known[1], share)
            if held == PERIOD:
                guess = guess._replace(period=target)
            else:
                guess = guess._replace(value=target)
            if np.ptp(guess.profile, axis=0).max() == 0.0:
                continue  # the Hopf point itself
            solved = refined(problem, guess, method, held=held)
            if solved is not None:
                yield cycle_of(problem, solved)

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return parameter, period, extremes of the states and multipliers as columns."""
        columns: dict[str, NDArray[Any]] = {self.vary: self.values, "period": self.periods}
        for name in (*self.system.state_names, *self.system.observable_names):
            low, high = self.extremes(name).T
            columns |= {f"min {name}": low, f"max {name}": high}
        columns["unstable"] = self.unstable
        for k in range(self.eigenvalues.shape[1]):
            columns[f"multiplier {k + 1}"] = self.eigenvalues[:, k]
        columns["label"] = self.labels(len(self))
        return columns

    def plot(self, ax: Axes | None = None, *, show: str | None = None) -> Axes:
        """Draw the least and greatest value of a quantity against the parameter.

        Parameters
        ----------
        ax
            Axes to draw into; a new figure if left out.
        show
            State or observable; the first state if left out.
        """
        return draw_branches(ax, (self,), self.points(), show=show)

    def plot_period(self, ax: Axes | None = None) -> Axes:
        """Draw the period against the parameter: solid where stable."""
        from dynlab.plotting import draw_points, draw_stability_line, label, new_axes

        unit = self.system.time.unit
        ax = new_axes(
            ax,
            xlabel=label(self.vary, self.system.unit_of(self.vary)),
            ylabel=label("period", unit),
        )
        draw_stability_line(ax, self.values, self.periods, self.unstable, color=COLORS[self.kind])
        marks = [(p.value, p.period, marker_of(p), p.label) for p in self.points()]
        draw_points(ax, marks)
        return ax

    def plot_multipliers(self, ax: Axes | None = None) -> Axes:
        """Draw the moduli of the Floquet multipliers along the branch."""
        from dynlab.plotting import draw_multipliers, label

        xlabel = label(self.vary, self.system.unit_of(self.vary))
        return draw_multipliers(ax, self.values, self.eigenvalues, xlabel=xlabel)

    def __repr__(self) -> str:
        kinds: dict[str, int] = {}
        for point in self.points():
            kinds[point.word] = kinds.get(point.word, 0) + 1
        listed = ", ".join(f"{c} {w}{'s' if c > 1 else ''}" for w, c in kinds.items())
        doubt = f", {len(self.unconfirmed)} unconfirmed" if self.unconfirmed else ""
        low, high = float(np.min(self.values)), float(np.max(self.values))
        return (
            f"<branch of cycles of {self.system.name} in {self.vary} from {low:.6g} to {high:.6g}: "
            f"{len(self)} points, periods {np.min(self.periods):.6g} to {np.max(self.periods):.6g}, "
            f"{listed or 'no special points'}{doubt};\n ends: {self.ends[0].status}, "
            f"{self.ends[1].status}>"
        )


def _closely(orbit: Orbit) -> Vector:
    """Return states to look for extremes at: some in each interval, and both sides of a jump."""
    return orbit.traced(max(_PLACES // (len(orbit.mesh) - 1), 4))[1]


def _between(a: Orbit, b: Orbit, share: float) -> Orbit:
    """Return the curve that divides the way from one to another."""
    if len(a.mesh) < len(b.mesh):
        a = a.on(b.mesh)
    b = b.on(a.mesh)
    states = share
    wide = [float(np.linalg.norm(np.ptp(orbit.profile, axis=0))) for orbit in (a, b)]
    if wide[0] < 1e-9 * wide[1]:
        states = np.sqrt(share)  # from a Hopf point the amplitude grows like a root
    elif wide[1] < 1e-9 * wide[0]:
        states = 1.0 - np.sqrt(1.0 - share)
    return Orbit(
        a.profile + states * (b.profile - a.profile), a.mesh,
        a.period + share * (b.period - a.period), a.value + share * (b.value - a.value),
    )  # fmt: skip
