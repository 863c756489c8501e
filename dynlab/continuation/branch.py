"""continue_equilibrium: the branch of equilibria through a point, with its special points."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.kernels import kernels_of
from dynlab.continuation import monitors
from dynlab.continuation.curves.equilibrium import EquilibriumCurve
from dynlab.continuation.follow import Chunk, Walk, chunks, first_tangent, land
from dynlab.continuation.methods import ContinuationMethod, PseudoArclength
from dynlab.continuation.points import Points, SpecialPoint, Unconfirmed
from dynlab.equilibria.stability import Equilibrium, Point
from dynlab.errors import NotConverged, SettingError, UnknownNameError
from dynlab.names import Layout, finite
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.symbolic.dynamics import Autonomous, Continuous, require
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Branch", "End", "continue_equilibrium"]

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

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, name: str) -> Vector:
        """Return a state, the parameter or an observable along the branch."""
        system = self.system
        if name == self.vary:
            return self.values
        if name in system.state_names:
            return np.asarray(self.states[:, system.state_names.index(name)])
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
        for position, _ in self.special:
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
        pin = len(self.system.states) if name == self.vary else known.index(name) - 1
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
            y = land(curve, guess / curve.scale, row, target / curve.scale[pin])
            if y is None:
                y = guess / curve.scale
            u = y * curve.scale
            yield Equilibrium.at(curve.at(u[-1]), u[:-1], 1e-12)

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
        from dynlab.continuation.diagram import Diagram

        return Diagram(self).plot(ax, show=show)

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


@dataclass(frozen=True, slots=True)
class _Task:
    """What to follow, from where, how far; shared by continuation and branch switching."""

    curve: EquilibriumCurve
    start: Vector
    tangent: Vector
    lower: Vector
    upper: Vector
    watched: tuple[tuple[str, float, float], ...]
    marks: tuple[tuple[str, float], ...]
    method: ContinuationMethod


def continue_equilibrium(
    point: Point,
    *,
    vary: str,
    over: tuple[float, float],
    within: Mapping[str, tuple[float, float]] | None = None,
    mark: Mapping[str, float | Sequence[float]] | None = None,
    method: ContinuationMethod | None = None,
) -> Branch:
    """Follow an equilibrium in both directions as a parameter changes.

    Folds, Hopf points and branch points are located by their own defining systems to a relative
    1e-10 and carry their normal forms; what cannot be confirmed gets no label.

    Parameters
    ----------
    point
        Where to start: an `Equilibrium` or any special point.
    vary
        The parameter to vary.
    over
        Its range; the start must lie in it.
    within
        Ranges of states or observables; the branch ends where one is left.
    mark
        Values of states, parameters or observables to mark: ``{"V": [-50, -40]}``.  Each becomes a
        `UserPoint`.
    method
        `PseudoArclength` (default) or `NaturalParameter`.

    Returns
    -------
    Branch
        The points, special points, and why each end ended.

    Raises
    ------
    UnknownNameError
        If a name does not exist.
    SettingError
        If a range is empty or does not hold the start.
    NotConverged
        If the start is not on a branch.

    Examples
    --------
    >>> import dynlab as dl
    >>> rest = dl.find_equilibria(dl.zoo.fitzhugh_nagumo).single()
    >>> branch = dl.continue_equilibrium(rest, vary="I", over=(0, 2), mark={"v": 0.0})
    >>> [p.label for p in branch.points()]
    ['HB', 'UZ', 'HB']

    References
    ----------
    Keller 1977; Govaerts 2000, Numerical Methods for Bifurcations of Dynamical Equilibria.
    """
    began = time.perf_counter()
    if not isinstance(point, Point):
        raise SettingError(
            f"expected an equilibrium or special point, got {type(point).__name__}. "
            "Find one with dl.find_equilibria(system).single()."
        )
    system = point.system
    require(system, Continuous, Autonomous)
    task = _task(point, vary, over, within, mark, method or PseudoArclength())
    return run(task, "continue_equilibrium", began)


def _task(
    point: Point, vary: str, over: tuple[float, float],
    within: Mapping[str, tuple[float, float]] | None,
    mark: Mapping[str, float | Sequence[float]] | None, method: ContinuationMethod,
) -> _Task:  # fmt: skip
    system = point.system
    low, high = checked_range(vary, over)
    Layout.of(system).parameter(vary)
    value = system[vary]
    if not low <= value <= high:
        raise SettingError(
            f"the start has {vary} = {value:.6g}, which is outside over = ({low:g}, {high:g}). "
            f"Widen over=, or start from an equilibrium of system({vary}=...)."
        )
    lower, upper, watched = _bounds(system, within, (low, high))
    scale = np.append(_typical(system, point.state), high - low)
    curve = EquilibriumCurve(system, vary, scale)
    start = _on_branch(curve, np.append(point.state, value), point)
    for name, at, a, b in zip(system.state_names, start[:-1], lower[:-1], upper[:-1], strict=True):
        if not a <= at <= b:
            raise SettingError(
                f"the start has {name} = {at:.6g}, outside within = ({a:g}, {b:g}). Widen it."
            )
    return _Task(curve, start, first_tangent(curve, start), lower, upper, watched,
                 _marks(system, mark), method)  # fmt: skip


def checked_range(vary: str, over: tuple[float, float]) -> tuple[float, float]:
    """Return the two ends of a parameter range in order, or say what is wrong with it."""
    try:
        first, last = over
    except (TypeError, ValueError):
        raise SettingError(f"over is {over!r}; give two numbers, such as over=(0, 2).") from None
    first, last = finite(first, f"first end of {vary!r}"), finite(last, f"last end of {vary!r}")
    if first == last:
        raise SettingError(f"the range of {vary!r} is empty: over = ({first:g}, {last:g}).")
    return min(first, last), max(first, last)


def _typical(system: System, state: Vector) -> Vector:
    """Return first units for the states: their size here or at the default start, else 1."""
    size = np.maximum(np.abs(state), np.abs(np.array(system.start_values)))
    return np.where(size > 0, size, 1.0)


def _bounds(
    system: System, within: Mapping[str, tuple[float, float]] | None, over: tuple[float, float]
) -> tuple[Vector, Vector, tuple[tuple[str, float, float], ...]]:
    n = len(system.states)
    lower, upper = np.full(n + 1, -np.inf), np.full(n + 1, np.inf)
    lower[n], upper[n] = over
    watched: list[tuple[str, float, float]] = []
    for name, ends in (within or {}).items():
        low, high = checked_range(name, ends)
        if name in system.state_names:
            i = system.state_names.index(name)
            lower[i], upper[i] = low, high
        elif name in system.observable_names:
            watched.append((name, low, high))
        else:
            known = system.state_names + system.observable_names
            raise UnknownNameError(f"state or observable of {system.name!r}", name, known)
    return lower, upper, tuple(watched)


def _marks(
    system: System, mark: Mapping[str, float | Sequence[float]] | None
) -> tuple[tuple[str, float], ...]:
    known = system.state_names + system.parameter_names + system.observable_names
    marks: list[tuple[str, float]] = []
    for name, values in (mark or {}).items():
        if name not in known:
            raise UnknownNameError(f"quantity of {system.name!r}", name, known)
        marks += [(name, finite(v, f"mark {name!r}")) for v in np.atleast_1d(values)]
    return tuple(marks)


def _on_branch(curve: EquilibriumCurve, guess: Vector, point: Point) -> Vector:
    """Return the point of the curve at the start; refuse a start that is not near one."""
    y = guess / curve.scale
    row = np.zeros(len(y))
    row[-1] = 1.0
    found = None if isinstance(point, SpecialPoint) else land(curve, y, row, float(y[-1]))
    if found is not None and np.max(np.abs(found - y)) < 1e-3:
        return found * curve.scale
    joint = curve.jacobian(y)
    size = np.max(np.abs(joint), axis=1)
    # At a special point the Jacobian is singular: the residual itself must vanish.
    step = np.linalg.lstsq(joint, -curve.residual(y), rcond=1e-9)[0]
    if np.all(np.isfinite(step)) and np.max(np.abs(step)) < 1e-6 and np.all(size > 0):
        return guess
    raise NotConverged(
        f"the start is not on a branch of {curve.system.name!r}: at {curve.vary} = {guess[-1]:.6g} "
        f"the state {point.start} is no equilibrium. Find one with dl.find_equilibria.",
        status=Status.NOT_CONVERGED,
    )


@dataclass(frozen=True, slots=True)
class _Path:
    """Consecutive points as arrays; tangents in the scaled arclength of the whole branch."""

    unknowns: Vector
    tangents: Vector
    eigenvalues: NDArray[np.complex128]
    signs: Vector

    @classmethod
    def of(cls, nodes: Sequence[monitors.Node], size: int) -> _Path:
        """Return the path through some nodes."""
        return cls(
            np.array([n.u for n in nodes]).reshape(-1, size + 1),
            np.array([n.tangent for n in nodes]).reshape(-1, size + 1),
            np.array([n.eigenvalues for n in nodes], dtype=complex).reshape(-1, size),
            np.array([n.sign for n in nodes]),
        )

    def joined(self, *others: _Path) -> _Path:
        """Return this path followed by the others."""
        every = (self, *others)
        return _Path(
            np.concatenate([p.unknowns for p in every]),
            np.concatenate([p.tangents for p in every]),
            np.concatenate([p.eigenvalues for p in every]),
            np.concatenate([p.signs for p in every]),
        )

    def first(self, count: int) -> _Path:
        """Return the first points alone."""
        return _Path(self.unknowns[:count], self.tangents[:count], self.eigenvalues[:count],
                     self.signs[:count])  # fmt: skip

    def reversed(self) -> _Path:
        """Return the same points walked the other way."""
        return _Path(self.unknowns[::-1], -self.tangents[::-1], self.eigenvalues[::-1],
                     -self.signs[::-1])  # fmt: skip

    def node(self, k: int) -> monitors.Node:
        """Return one point as the monitors see it."""
        return monitors.Node(
            self.unknowns[k], self.tangents[k], self.eigenvalues[k], float(self.signs[k])
        )

    def __len__(self) -> int:
        return len(self.signs)


def run(task: _Task, function: str, began: float) -> Branch:
    """Walk both ways, join the halves, and locate what lies between their points."""
    curve = task.curve
    forward, ahead = _walk(task, task.tangent)
    if ahead.status is Status.CLOSED_LOOP:
        backward, behind = forward.first(0), ahead
    elif ahead.status is Status.STOPPED:
        backward = forward.first(0)
        behind = End(Status.STOPPED, float(task.start[-1]), "not followed in this direction")
    else:
        backward, behind = _walk(task, -task.tangent)
    first = monitors.node_at(
        curve, task.start, task.tangent, located=_is_singular(curve, task.start)
    )
    walked = backward.reversed().joined(_Path.of([first], curve.size), forward)
    path, special = _with_special_points(task, walked, {len(backward): first})
    return Branch(
        system=curve.system,
        vary=curve.vary,
        states=path.unknowns[:, :-1],
        values=path.unknowns[:, -1],
        tangents=path.tangents,
        eigenvalues=path.eigenvalues,
        special=special,
        ends=(behind, ahead),
        provenance=Provenance(
            function, curve.system,
            {"vary": curve.vary, "over": (float(task.lower[-1]), float(task.upper[-1])),
             "method": task.method},
            seconds=time.perf_counter() - began,
        ),
    )  # fmt: skip


def _is_singular(curve: EquilibriumCurve, u: Vector) -> bool:
    """Whether a state Jacobian is singular, so that the start may be a fold or branch point."""
    eigenvalues = np.linalg.eigvals(curve.jacobian(u / curve.scale)[:, :-1])
    return bool(np.min(np.abs(eigenvalues.real)) < 1e-6 * np.max(np.abs(eigenvalues)))


def _walk(task: _Task, tangent: Vector) -> tuple[_Path, End]:
    """Follow the curve one way; return its points and why it ended."""
    curve = task.curve
    going = tangent[-1] / curve.scale[-1]
    path = _Path.of([], curve.size)
    if (task.start[-1] >= task.upper[-1] and going > 1e-12) or (
        task.start[-1] <= task.lower[-1] and going < -1e-12
    ):
        return path, _end(Status.PARAMETER_BOUND, task.start, task, 0)
    status = Status.RUNNING
    pieces: list[_Path] = []
    for chunk in chunks(curve, Walk(task.start, tangent, task.lower, task.upper), task.method):
        status = chunk.status
        piece = _in_units_of(curve, chunk)
        kept = _inside(task, piece) if task.watched else len(piece)
        pieces.append(piece.first(kept))
        if kept < len(piece):
            status = Status.STATE_BOUND
            so_far = path.joined(*pieces)
            last = so_far.node(len(so_far) - 1) if len(so_far) else None
            pieces.append(_Path.of(_edge(task, last, piece.node(kept)), curve.size))
            break
    path = path.joined(*pieces)
    last_point = path.unknowns[-1] if len(path) else task.start
    return path, _end(status, last_point, task, len(path))


def _in_units_of(curve: EquilibriumCurve, chunk: Chunk) -> _Path:
    """Unpack a chunk; its tangents are brought to the units of the whole branch."""
    tangents = chunk.tangents / curve.scale
    tangents /= np.linalg.norm(tangents, axis=1)[:, None]
    return _Path(chunk.unknowns, tangents, chunk.eigenvalues, chunk.signs)


def _quantity(curve: EquilibriumCurve, name: str) -> Callable[[Vector], float]:
    """Return a state, parameter or observable as a function of the plain unknowns."""
    system = curve.system
    if name in system.state_names:
        i = system.state_names.index(name)
        return lambda u: float(u[i])
    if name == curve.vary:
        return lambda u: float(u[-1])
    if name in system.observable_names:
        kernel, i = kernels_of(system).observables, system.observable_names.index(name)
        return lambda u: float(kernel(0.0, u[:-1], curve.values(u[-1]))[i])
    value = system[name]
    return lambda u: value


def _inside(task: _Task, path: _Path) -> int:
    """Return how many points come before the first that leaves a watched range."""
    for name, low, high in task.watched:
        quantity = _quantity(task.curve, name)
        for k, u in enumerate(path.unknowns):
            if not low <= quantity(u) <= high:
                path = path.first(k)
                break
    return len(path)


def _edge(task: _Task, inside: monitors.Node | None, outside: monitors.Node) -> list[monitors.Node]:
    """Return the node exactly where the watched range is left."""
    start = inside or monitors.node_at(task.curve, task.start, outside.u - task.start)
    for name, low, high in task.watched:
        quantity = _quantity(task.curve, name)
        for bound in (low, high):
            for node, _, _ in monitors.crossings_of(task.curve, start, outside, quantity, bound):
                return [node]
    return []


def _end(status: Status, u: Vector, task: _Task, count: int) -> End:
    reason = status.meaning
    if status is Status.NOT_CONVERGED and count == 0:
        reason = "Newton's method found no first step from the start"
    return End(status, float(u[-1]), reason)


def _with_special_points(
    task: _Task, walked: _Path, located: Mapping[int, monitors.Node]
) -> tuple[_Path, tuple[tuple[int, SpecialPoint], ...]]:
    """Insert the located points between the points of the walk.

    Only where a test function changes is anything looked at in Python.
    """
    curve = task.curve
    quantities = [(target, name, _quantity(curve, name)) for name, target in task.marks]
    unstable = np.sum(walked.eigenvalues.real > 0, axis=1)
    changed = (
        (walked.tangents[1:, -1] * walked.tangents[:-1, -1] < 0)
        | (walked.signs[1:] * walked.signs[:-1] < 0)
        | (unstable[1:] != unstable[:-1])
    )
    for k in located:
        changed[max(k - 1, 0) : k + 1] = True
    pieces: list[_Path] = []
    special: list[tuple[int, SpecialPoint]] = []
    done, length = 0, 0
    for k in np.flatnonzero(changed | bool(quantities)).tolist():
        a, b = (located.get(j) or walked.node(j) for j in (k, k + 1))
        found = monitors.special_points(curve, a, b) if changed[k] else []
        for target, name, quantity in quantities:
            found += [
                (node, monitors.user_point(curve, node, name, target, accuracy))
                for node, _, accuracy in monitors.crossings_of(curve, a, b, quantity, target)
            ]
        if not found:
            continue
        chord = (b.u - a.u) / curve.scale
        found.sort(key=lambda item: float((item[0].u - a.u) / curve.scale @ chord))
        before = slice(done, k + 1)
        pieces.append(_Path(walked.unknowns[before], walked.tangents[before],
                            walked.eigenvalues[before], walked.signs[before]))  # fmt: skip
        length += k + 1 - done
        special += [(length + j, point) for j, (_, point) in enumerate(found)]
        pieces.append(_Path.of([node for node, _ in found], curve.size))
        length += len(found)
        done = k + 1
    rest = slice(done, None)
    pieces.append(_Path(walked.unknowns[rest], walked.tangents[rest], walked.eigenvalues[rest],
                        walked.signs[rest]))  # fmt: skip
    return pieces[0].joined(*pieces[1:]), tuple(special)
