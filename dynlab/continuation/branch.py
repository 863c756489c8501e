"""Branch: a curve of equilibria in one parameter, its special points, and why it ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.kernels import kernels_of
from dynlab.continuation.curves.equilibrium import EquilibriumCurve
from dynlab.continuation.follow import land
from dynlab.continuation.picture import draw_branches
from dynlab.continuation.points import Points, SpecialPoint, Unconfirmed, UserPoint
from dynlab.equilibria.stability import Equilibrium, Point
from dynlab.errors import SettingError, UnknownNameError
from dynlab.names import Layout, finite
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Branch", "End"]

Vector = NDArray[np.float64]
P = TypeVar("P", bound=Point)


@dataclass(frozen=True, slots=True)
class End:
    """Where a branch ends and why."""

    status: Status
    value: float
    reason: str

    def __str__(self) -> str:
        return f"{self.status} at {self.value:.6g}: {self.reason}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Branch(Result):
    """A branch of equilibria in one parameter.

    Parameters
    ----------
    system, vary
        The system, and the parameter that changes along the branch.
    states, values
        States (a row per point) and values of the parameter; special points are among them.
    tangents
        Direction of the branch at each point, states then parameter, of unit scaled length.
    eigenvalues
        Of the Jacobian at each point.
    special
        Each special point with its position on the branch.
    ends
        Why the branch ends, at its first and its last point.
    provenance
        Where the branch came from.

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

    def __post_init__(self) -> None:
        n, rows = len(self.system.state_names), len(self.values)
        shapes = [self.states.shape, self.eigenvalues.shape, self.tangents[:, :-1].shape]
        if any(shape != (rows, n) for shape in shapes) or not all(
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
        kernel = kernels_of(self.system).observables
        values = np.array(self.system.parameter_values)
        position = self.system.parameter_names.index(self.vary)
        rows = np.empty((len(self), kernel.size))
        for k, (x, value) in enumerate(zip(self.states, self.values, strict=True)):
            values[position] = value
            rows[k] = kernel(0.0, x, values)
        return rows

    @property
    def unstable(self) -> NDArray[np.int_]:
        """Number of unstable directions along the branch.

        At a special point, where an eigenvalue is zero, the number on the side that follows.
        """
        counts = np.sum(self.eigenvalues.real > 0, axis=1)
        for position, point in reversed(self.special):
            if isinstance(point, UserPoint):
                continue
            follows = position + 1 if position + 1 < len(counts) else position - 1
            counts[position] = counts[follows]
        return np.asarray(counts)

    @property
    def status(self) -> Status:
        """`Status.OK` if both ends ended as asked, else what went wrong."""
        wrong = [end.status for end in self.ends if not end.status.ok]
        return wrong[0] if wrong else Status.OK

    def points(self, kind: type[P] | None = None) -> Points[Any]:
        """Return the special points in order, all confirmed ones or those of one class."""
        found = [p for _, p in self.special]
        if kind is not None and not isinstance(kind, type):
            raise SettingError(f"points() takes a class such as dl.Hopf, not {kind!r}.")
        if kind is None:
            return Points(p for p in found if not isinstance(p, Unconfirmed))
        return Points(p for p in found if isinstance(p, kind))

    @property
    def unconfirmed(self) -> Points[Unconfirmed]:
        """Changes of stability whose defining equations could not be solved."""
        return Points(p for _, p in self.special if isinstance(p, Unconfirmed))

    def at(self, **where: float) -> Points[Equilibrium]:
        """Return the equilibria of the branch where the parameter or a state has a value.

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

    def _landings(self, pin: int, target: float) -> Iterator[Equilibrium]:
        unknowns = np.column_stack([self.states, self.values])
        column = unknowns[:, pin] - target
        span = np.ptp(unknowns, axis=0)
        curve = EquilibriumCurve(self.system, self.vary, np.where(span > 0, span, 1.0))
        row = np.zeros(unknowns.shape[1])
        row[pin] = 1.0
        for k in range(len(column)):
            if column[k] == 0.0:
                guess = unknowns[k]
            elif k and column[k - 1] * column[k] < 0:
                share = column[k - 1] / (column[k - 1] - column[k])
                guess = unknowns[k - 1] + share * (unknowns[k] - unknowns[k - 1])
            else:
                continue
            if (
                k + 1 == len(column)
                and self.ends[0].status is Status.CLOSED_LOOP
                and column[k] == 0
            ):
                continue
            accuracy = 1e-12
            y = land(curve, guess / curve.scale, row, target / curve.scale[pin], accuracy)
            if y is None:
                # At a fold the value is met tangentially: the chord's length bounds the error.
                step = unknowns[min(k + 1, len(column) - 1)] - unknowns[max(k - 1, 0)]
                y, accuracy = guess / curve.scale, float(np.max(np.abs(step / curve.scale)))
            u = y * curve.scale
            yield Equilibrium.at(curve.at(u[-1]), u[:-1], accuracy)

    def to_table(self) -> dict[str, NDArray[Any]]:
        columns: dict[str, NDArray[Any]] = {self.vary: self.values}
        for name in (*self.system.state_names, *self.system.observable_names):
            columns[name] = self[name]
        columns["unstable"] = self.unstable
        for k in range(self.eigenvalues.shape[1]):
            columns[f"eigenvalue {k + 1}"] = self.eigenvalues[:, k]
        labels = np.full(len(self), "", dtype="<U2")
        for position, point in self.special:
            labels[position] = point.label
        columns["label"] = labels
        return columns

    def plot(self, ax: Axes | None = None, *, show: str | None = None) -> Axes:
        """Draw one quantity against the parameter: solid where stable, special points labelled.

        Parameters
        ----------
        ax
            Axes to draw into; a new figure if left out.
        show
            State or observable to show; the first state if left out.
        """
        return draw_branches(ax, (self,), self.points(), show=show)

    def plot_eigenvalues(self, ax: Axes | None = None) -> Axes:
        """Draw the real parts of the eigenvalues along the branch."""
        from dynlab.plotting import draw_eigenvalues, label

        xlabel = label(self.vary, self.system.unit_of(self.vary))
        return draw_eigenvalues(ax, self.values, self.eigenvalues, xlabel=xlabel)

    def __repr__(self) -> str:
        kinds: dict[str, int] = {}
        for point in self.points():
            kinds[point.word] = kinds.get(point.word, 0) + 1
        listed = ", ".join(f"{c} {w}{'s' if c > 1 else ''}" for w, c in kinds.items())
        doubt = f", {len(self.unconfirmed)} unconfirmed" if self.unconfirmed else ""
        low, high = (float(f(self.values)) if len(self) else np.nan for f in (np.min, np.max))
        return (
            f"<branch of {self.system.name} in {self.vary} from {low:.6g} to {high:.6g}: "
            f"{len(self)} points, {listed or 'no special points'}{doubt};\n"
            f" ends: {self.ends[0].status}, {self.ends[1].status}>"
        )
