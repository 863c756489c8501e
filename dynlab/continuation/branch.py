"""Branch: a curve of equilibria, or of cycles of a map, in one parameter; its special points and ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.kernels import Kernel, kernels_of
from dynlab.continuation.curves.equilibrium import EquilibriumCurve
from dynlab.continuation.follow import land
from dynlab.continuation.followed import End, Marked
from dynlab.continuation.monitors import crossings_of, node_at
from dynlab.continuation.picture import draw_branches
from dynlab.continuation.points import Points, SpecialPoint, Unconfirmed, UserPoint
from dynlab.equilibria.orbits import PeriodicOrbit
from dynlab.equilibria.stability import Equilibrium, growth
from dynlab.errors import SettingError, UnknownNameError
from dynlab.names import Layout, finite
from dynlab.result import Provenance
from dynlab.status import Status
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Branch"]

Vector = NDArray[np.float64]

#: Where Newton's method moves further than this from a place on the curve it has left the branch.
_STRAY = 1e-6


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Branch(Marked):
    """A branch of equilibria, or of fixed points or cycles of a map, in one parameter.

    Parameters
    ----------
    system, vary
        The system, and the parameter that changes along the branch.
    states, values
        States (a row per point) and values of the parameter; special points are among them.  On a
        branch of cycles the state is one point of the cycle; `over_period` gives them all.
    tangents
        Direction of the branch at each point, states then parameter, of unit scaled length.
    eigenvalues
        Of the Jacobian at each point; on a map the multipliers.
    special
        Each special point with its position on the branch.
    ends
        Why the branch ends, at its first and its last point.
    provenance
        Where the branch came from.
    period
        For a map: how many steps the cycles of this branch take.

    Examples
    --------
    >>> import dynlab as dl
    >>> rest = dl.find_equilibria(dl.zoo.fitzhugh_nagumo).single()
    >>> branch = dl.continue_equilibrium(rest, vary="I", over=(0, 2))
    >>> branch.points(dl.Hopf)[0].criticality
    'subcritical'
    >>> round(branch.at(I=0.5).single()["v"], 6)
    -0.804848
    """

    system: System
    vary: str
    states: Vector
    values: Vector
    tangents: Vector
    eigenvalues: NDArray[np.complex128]
    special: tuple[tuple[int, SpecialPoint], ...]
    ends: tuple[End, End]
    provenance: Provenance
    period: int = 1

    doubtful = Unconfirmed

    def __post_init__(self) -> None:
        n, rows = len(self.system.state_names), len(self.values)
        shapes = [self.states.shape, self.tangents[:, :-1].shape, self.eigenvalues.shape]
        fits = shapes[:2] == [(rows, n)] * 2 and len(self.eigenvalues) == rows
        if not (fits and self.eigenvalues.shape[1] <= n) or not all(
            0 <= position < rows for position, _ in self.special
        ):
            raise SettingError(
                f"the arrays of a branch of {self.system.name!r} do not belong together: {rows} "
                f"points of {n} states, shapes {shapes}."
            )
        Layout.of(self.system).parameter(self.vary)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, name: str) -> Vector:
        """Return a state, the parameter or an observable along the branch."""
        system = self.system
        if name == self.vary:
            return self.values
        place = system.place_of(name)
        if place is not None:
            return np.asarray(self.states[:, place])
        if name in system.observable_names:
            position = system.observable_names.index(name)
            return self._observed()[:, position]
        if name in system.parameter_names:
            return np.full(len(self), system[name])
        known = (*system.state_names, *system.parameter_names, *system.observable_names)
        raise UnknownNameError(f"quantity of the branch of {system.name!r}", name, known)

    def _observed(self) -> Vector:
        return self._each(kernels_of(self.system).observables, self.states)

    def _each(self, kernel: Kernel, states: Vector) -> Vector:
        """Evaluate a kernel at states along the branch, one row each."""
        values = np.array(self.system.parameter_values)
        position = self.system.parameter_names.index(self.vary)
        rows = np.empty((len(self), kernel.size))
        for k, (x, value) in enumerate(zip(states, self.values, strict=True)):
            values[position] = value
            rows[k] = kernel(0.0, x, values)
        return rows

    def over_period(self, name: str) -> Vector:
        """Return a state or observable at every point of the cycle: a row per point of the branch.

        One column for equilibria and fixed points, as many as the period for cycles of a map.  Of a
        state with many nodes the nodes are the last axis.
        """
        columns, states = [], self.states
        for step in range(self.period):
            if step:
                states = self._each(kernels_of(self.system).rhs, states)
            columns.append(replace(self, states=states)[name])
        return np.stack(columns, axis=1)

    @property
    def kind(self) -> str:
        """What the branch consists of, in words."""
        return "equilibria"

    def outline(self, name: str) -> Vector:
        """What a picture shows of a quantity: its value at every point of the cycle."""
        return self.over_period(name)

    @property
    def unstable(self) -> NDArray[np.int_]:
        """Number of unstable directions along the branch.

        At a special point, where an eigenvalue is zero, the number on the side that follows.
        """
        discrete = self.system.is_discrete
        counts = np.sum(growth(self.eigenvalues, discrete=discrete) > 0, axis=1)
        for position, point in reversed(self.special):
            if isinstance(point, UserPoint):
                continue
            follows = position + 1 if position + 1 < len(counts) else position - 1
            counts[position] = counts[follows]
        return np.asarray(counts)

    def at(self, **where: float) -> Points[Any]:
        """Return the equilibria (of a map the fixed points or cycles) of the branch where the parameter or a state has a value.

        ``branch.at(I=10)`` holds one point, or several if the branch folds back over I = 10.

        Raises
        ------
        SettingError
            If more or fewer than one quantity is given, or the value is not a finite number.
        UnknownNameError
            If the name is neither the varied parameter nor a state.
        """
        if len(where) != 1:
            raise SettingError(
                f"at() takes one quantity, got {len(where)}: branch.at({self.vary}=1.0)."
            )
        ((name, value),) = where.items()
        target = finite(value, name)
        known = (self.vary, *self.system.state_names)
        if name not in known:
            raise UnknownNameError("varied parameter or state of the branch", name, known)
        pin = len(self.system.state_names) if name == self.vary else known.index(name) - 1
        return Points(self._landings(pin, target))

    def _landings(self, pin: int, target: float) -> Iterator[Equilibrium | PeriodicOrbit]:
        unknowns = np.column_stack([self.states, self.values])
        column = unknowns[:, pin] - target
        span = np.ptp(unknowns, axis=0)
        moved = span > 1e-9 * np.max(np.abs(unknowns), axis=0)  # by more than by rounding
        scale = np.where(moved, span, 1.0)
        curve = EquilibriumCurve(self.system, self.vary, scale, self.period)
        row = np.zeros(unknowns.shape[1])
        row[pin] = 1.0
        for k in range(len(column)):
            if column[k] == 0.0:
                guess, accuracy = unknowns[k], 1e-12
            elif k and column[k - 1] * column[k] < 0:
                guess, accuracy = _between(curve, unknowns[k - 1], unknowns[k], pin, target)
            else:
                continue
            if (
                k + 1 == len(column)
                and self.ends[0].status is Status.CLOSED_LOOP
                and column[k] == 0
            ):
                continue
            y = land(curve, guess / curve.scale, row, target / curve.scale[pin], 1e-12)
            if y is not None and np.max(np.abs(y - guess / curve.scale)) <= _STRAY:
                guess, accuracy = y * curve.scale, 1e-12
            u = guess.copy()
            u[pin] = target
            if self.period == 1:
                yield Equilibrium.at(curve.at(u[-1]), u[:-1], accuracy)
            else:
                yield PeriodicOrbit.at(curve.at(u[-1]), u[:-1], self.period, accuracy)

    def to_table(self) -> dict[str, NDArray[Any]]:
        columns: dict[str, NDArray[Any]] = {self.vary: self.values}
        columns |= dict(zip(self.system.state_names, self.states.T, strict=True))
        columns |= {name: self[name] for name in self.system.observable_names}
        columns["unstable"] = self.unstable
        for k in range(self.eigenvalues.shape[1]):
            columns[f"eigenvalue {k + 1}"] = self.eigenvalues[:, k]
        columns["label"] = self.labels(len(self))
        return columns

    def plot(self, ax: Axes | None = None, *, show: str | None = None) -> Axes:
        """Draw one quantity against the parameter: solid where stable, special points labelled.

        Parameters
        ----------
        ax
            Axes to draw into; a new figure if left out.
        show
            State or observable to show; the first state if left out.  Of a state with many nodes the
            root of their mean square is drawn, of angles the length of their mean direction;
            ``"x[3]"`` is one node.
        """
        return draw_branches(ax, (self,), self.points(), show=show)

    def plot_eigenvalues(self, ax: Axes | None = None) -> Axes:
        """Draw the real parts of the eigenvalues, of a map the moduli of the multipliers."""
        from dynlab.plotting import draw_eigenvalues, draw_multipliers, label

        xlabel = label(self.vary, self.system.unit_of(self.vary))
        if self.system.is_discrete:
            return draw_multipliers(ax, self.values, self.eigenvalues, xlabel=xlabel)
        return draw_eigenvalues(ax, self.values, self.eigenvalues, xlabel=xlabel)

    def __repr__(self) -> str:
        kinds: dict[str, int] = {}
        for point in self.points():
            kinds[point.word] = kinds.get(point.word, 0) + 1
        listed = ", ".join(f"{c} {w}{'s' if c > 1 else ''}" for w, c in kinds.items())
        doubt = f", {len(self.unconfirmed)} unconfirmed" if self.unconfirmed else ""
        cycles = f"cycles of period {self.period} of " if self.period > 1 else ""
        low, high = (float(f(self.values)) if len(self) else np.nan for f in (np.min, np.max))
        return (
            f"<branch of {cycles}{self.system.name} in {self.vary} from {low:.6g} to {high:.6g}: "
            f"{len(self)} points, {listed or 'no special points'}{doubt};\n"
            f" ends: {self.ends[0].status}, {self.ends[1].status}>"
        )


def _between(
    curve: EquilibriumCurve, a: Vector, b: Vector, pin: int, target: float
) -> tuple[Vector, float]:
    """Return the place on the curve between two points where an unknown has a value, and how nearly.

    Found along the curve, so a fold or the start of a doubled cycle nearby does no harm: the error of
    the value is passed on by how steeply it changes there.
    """
    first, last = (node_at(curve, u, b - a) for u in (a, b))
    for node, _ in crossings_of(curve, first, last, lambda u: float(u[pin]), target):
        steepness = max(abs(float(node.tangent[pin])), 1e-8)
        return node.u, max(1e-12, abs(float(node.u[pin]) - target) / curve.scale[pin] / steepness)
    return b, float(np.max(np.abs((b - a) / curve.scale)))
