"""Tracing a branch: walk both ways from a start, then locate what lies between the points."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.kernels import kernels_of
from dynlab.continuation import monitors
from dynlab.continuation.branch import Branch
from dynlab.continuation.curves.equilibrium import EquilibriumCurve
from dynlab.continuation.follow import Chunk, Walk, chunks
from dynlab.continuation.followed import End
from dynlab.continuation.methods import ContinuationMethod
from dynlab.continuation.points import SpecialPoint
from dynlab.continuation.shorter import first_reversal, first_shift, vanishing_period
from dynlab.equilibria.orbits import points_of
from dynlab.equilibria.stability import apart, flip_sign, growth, is_neutral, typical_size
from dynlab.errors import SettingError, UnknownNameError
from dynlab.names import by_name, finite
from dynlab.result import Provenance
from dynlab.status import Status
from dynlab.symbolic.system import System

__all__ = ["Task", "bounds_of", "checked_range", "is_inside", "narrowed", "trace"]

Vector = NDArray[np.float64]

#: A branch has run off when a state exceeds the largest size at its start by this factor.
_HORIZON = 1e6


@dataclass(frozen=True, slots=True)
class Task:
    """What to follow, from where, how far; shared by continuation and branch switching.

    ``behind`` is given where nothing lies behind the start: the branch is followed one way alone.
    """

    curve: EquilibriumCurve
    start: Vector
    tangent: Vector
    lower: Vector
    upper: Vector
    watched: tuple[tuple[str, float, float], ...]
    marks: tuple[tuple[str, float], ...]
    method: ContinuationMethod
    point: SpecialPoint | None = None
    horizon: float = np.inf
    behind: End | None = None


@dataclass(frozen=True, slots=True)
class _Path:
    """Consecutive points as arrays; tangents in the scaled arclength of the whole branch."""

    unknowns: Vector
    tangents: Vector
    eigenvalues: NDArray[np.complex128]
    signs: Vector

    @classmethod
    def of(cls, nodes: Sequence[monitors.Node], curve: EquilibriumCurve) -> _Path:
        """Return the path through some nodes."""
        size, width = curve.size, curve.width
        return cls(
            np.array([n.u for n in nodes]).reshape(-1, size + 1),
            np.array([n.tangent for n in nodes]).reshape(-1, size + 1),
            np.array([n.eigenvalues for n in nodes], dtype=complex).reshape(-1, width),
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

    def part(self, begin: int, end: int) -> _Path:
        """Return the points from one position up to another."""
        some = slice(begin, end)
        return _Path(
            self.unknowns[some], self.tangents[some], self.eigenvalues[some], self.signs[some]
        )

    def first(self, count: int) -> _Path:
        """Return the first points alone."""
        return self.part(0, count)

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


def trace(task: Task, function: str, began: float) -> Branch:
    """Walk both ways, join the halves, and locate what lies between their points."""
    curve = task.curve
    _require_inside(task)
    task = _with_horizon(task)
    forward, ahead = _walk(task, task.tangent)
    if task.behind is not None:
        backward, behind = forward.first(0), task.behind
    elif ahead.status is Status.CLOSED_LOOP:
        backward, behind = forward.first(0), ahead
    elif ahead.status is Status.STOPPED:
        backward = forward.first(0)
        behind = End(Status.STOPPED, float(task.start[-1]), "not followed in this direction")
    else:
        backward, behind = _walk(task, -task.tangent)
    first = monitors.node_at(curve, task.start, task.tangent, located=task.point is not None)
    walked = backward.reversed().joined(_Path.of([first], curve), forward)
    walked, begin = _decided(
        walked, len(backward) if task.point else -1, discrete=curve.system.is_discrete
    )
    path, special = _with_special_points(task, walked, begin, first)
    path, special, behind, ahead = _between_shorter(task, path, special, behind, ahead)
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
        period=curve.period,
    )  # fmt: skip


def _between_shorter(
    task: Task, path: _Path, special: tuple[tuple[int, SpecialPoint], ...], behind: End, ahead: End
) -> tuple[_Path, tuple[tuple[int, SpecialPoint], ...], End, End]:
    """Cut a branch of cycles where it shrinks onto a shorter one: beyond lie the same cycles again."""
    curve = task.curve
    if curve.period == 1:
        return path, special, behind, ahead
    start = int(np.argmin(np.linalg.norm((path.unknowns - task.start) / curve.scale, axis=1)))
    low, high = 0, len(path)
    for position, point in special:
        if getattr(point, "period", curve.period) >= curve.period or point is task.point:
            continue
        end = End(
            Status.SHORTER_CYCLE, float(point.value),
            _meeting(curve.period, point.period),  # type: ignore[attr-defined]
        )  # fmt: skip
        if position < start and position >= low:
            low, behind = position, end
        elif position >= start and position < high:
            high, ahead = position + 1, end
    kept = tuple((k - low, point) for k, point in special if low <= k < high)
    return path.part(low, high), kept, behind, ahead


def _decided(walked: _Path, begin: int, *, discrete: bool) -> tuple[_Path, int]:
    """Drop single points that lie on a bifurcation to round-off, so that their neighbours tell of it.

    ``begin`` is the position of a special point that the walk started from (-1: none); it stays.
    """
    keep = ~_undecided(walked, discrete=discrete)
    keep[1:-1] |= ~(keep[:-2] & keep[2:])
    keep[[0, -1]] = True
    if begin >= 0:
        keep[begin] = True
        begin = int(np.sum(keep[:begin]))
    if keep.all():
        return walked, begin
    return _Path(walked.unknowns[keep], walked.tangents[keep], walked.eigenvalues[keep],
                 walked.signs[keep]), begin  # fmt: skip


def _undecided(walked: _Path, *, discrete: bool) -> NDArray[np.bool_]:
    """Return where an eigenvalue is neutral to round-off."""
    neutral = is_neutral(walked.eigenvalues, discrete=discrete, pair=1e-10, real=1e-13)
    return np.asarray(np.any(neutral, axis=1))


def _with_horizon(task: Task) -> Task:
    """Bound the states that have no range of their own where the branch has run off."""
    far = _HORIZON * float(np.max(_sizes(task)))
    return replace(
        task, lower=np.where(np.isfinite(task.lower), task.lower, -far),
        upper=np.where(np.isfinite(task.upper), task.upper, far), horizon=far,
    )  # fmt: skip


def _sizes(task: Task) -> Vector:
    """Return the sizes of the states at the start, those on a circle at least some turns."""
    size = np.maximum(typical_size(task.curve.system, task.start[:-1]), task.curve.scale[:-1])
    return np.maximum(size, 10.0 * task.curve.turns[:-1])


def _require_inside(task: Task) -> None:
    """Raise if the start lies outside a range that it must not leave."""
    names = (*task.curve.system.state_names, task.curve.vary)
    ranges = [*zip(names, task.lower, task.upper, strict=True), *task.watched]
    for name, low, high in ranges:
        value = _quantity(task.curve, name)(task.start)
        if not (low <= value <= high if name == task.curve.vary else is_inside(value, low, high)):
            raise SettingError(
                f"the start has {name} = {value:.6g}, outside ({low:g}, {high:g}). Widen the range."
            )


def is_inside(value: float, low: float, high: float) -> bool:
    """Whether a value lies in a range, to a billionth of it: an absent population is not outside."""
    slack = 1e-9 * (high - low) if np.isfinite(high - low) else 0.0
    return low - slack <= value <= high + slack


def _walk(task: Task, tangent: Vector) -> tuple[_Path, End]:
    """Follow the curve one way; return its points and why it ended."""
    curve = task.curve
    going = tangent[-1] / curve.scale[-1]
    path = _Path.of([], curve)
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
        before = pieces[-1].part(len(pieces[-1]) - 1, len(pieces[-1])) if pieces else path
        seen = before.joined(piece.first(kept))
        reversal = first_reversal(curve, seen.unknowns, seen.signs)
        if reversal is not None:
            # One point beyond, so that the monitors see the change.
            pieces.append(piece.first(reversal + 2 - len(before)))
            status = Status.SHORTER_CYCLE
            break
        pieces.append(piece.first(kept))
        if kept < len(piece):
            status = Status.STATE_BOUND
            so_far = path.joined(*pieces)
            last = so_far.node(len(so_far) - 1) if len(so_far) else None
            pieces.append(_Path.of(_edge(task, last, piece.node(kept)), curve))
            break
    path = path.joined(*pieces)
    last_point = path.unknowns[-1] if len(path) else task.start
    if status is Status.STATE_BOUND and np.max(np.abs(last_point[:-1])) >= task.horizon:
        status = Status.DIVERGED
    if status is Status.CLOSED_LOOP and curve.period > 1:
        return _once_round(task, path), _end(status, task.start, task, len(path))
    shorter = 0 if status.ok else vanishing_period(curve, path.unknowns)
    if shorter:
        return path, End(
            Status.SHORTER_CYCLE, float(last_point[-1]), _meeting(curve.period, shorter)
        )
    return path, _end(status, last_point, task, len(path))


def _once_round(task: Task, path: _Path) -> _Path:
    """Cut a closed branch of cycles where it meets its start as another point of the same cycle."""
    curve = task.curve
    last = first_shift(curve, np.vstack([task.start, path.unknowns]))
    if last is None:
        return path
    states = points_of(curve.at(task.start[-1]), task.start[:-1], curve.period)
    before = path.unknowns[max(last - 1, 0)]
    size = np.abs(apart(curve.system, states, before[:-1]) / curve.scale[:-1]).max(axis=1)
    end = states[1 + int(np.argmin(size[1:]))]
    end = before[:-1] + apart(curve.system, end, before[:-1])
    node = monitors.node_at(curve, np.append(end, task.start[-1]), path.unknowns[last] - before)
    return path.first(last).joined(_Path.of([node], curve))


def _meeting(period: int, shorter: int) -> str:
    return f"the cycle of period {period} shrinks onto one of period {shorter}"


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


def _inside(task: Task, path: _Path) -> int:
    """Return how many points come before the first that leaves a watched range."""
    for name, low, high in task.watched:
        quantity = _quantity(task.curve, name)
        for k, u in enumerate(path.unknowns):
            if not low <= quantity(u) <= high:
                path = path.first(k)
                break
    return len(path)


def _edge(task: Task, inside: monitors.Node | None, outside: monitors.Node) -> list[monitors.Node]:
    """Return the node exactly where the watched range is left."""
    start = inside or monitors.node_at(task.curve, task.start, outside.u - task.start)
    for name, low, high in task.watched:
        quantity = _quantity(task.curve, name)
        for bound in (low, high):
            for node, _ in monitors.crossings_of(task.curve, start, outside, quantity, bound):
                return [node]
    return []


def _end(status: Status, u: Vector, task: Task, count: int) -> End:
    reason = status.meaning
    if status is Status.NOT_CONVERGED and count == 0:
        reason = "Newton's method found no first step from the start"
    return End(status, float(u[-1]), reason)


def _with_special_points(
    task: Task, walked: _Path, start: int, first: monitors.Node
) -> tuple[_Path, tuple[tuple[int, SpecialPoint], ...]]:
    """Insert the located points between the points of the walk.

    Only where a test function changes is anything looked at in Python.  A special point that the
    walk started from stands at its place, `start`.
    """
    changed = _changes(walked, discrete=task.curve.system.is_discrete)
    if first.located:
        changed[max(start - 1, 0) : start + 1] = True
    pieces: list[_Path] = []
    special: list[tuple[int, SpecialPoint]] = []
    done = inserted = 0
    for k in np.flatnonzero(changed | bool(task.marks)).tolist():
        a, b = (first if j == start else walked.node(j) for j in (k, k + 1))
        found = monitors.special_points(task.curve, a, b) if changed[k] else []
        found += _marked(task, a, b, at_first=k == 0)
        if k == start and task.point is not None:
            special.append((start + inserted, task.point))
        if not found:
            continue
        chord = (b.u - a.u) / task.curve.scale
        found.sort(key=lambda item: float((item[0].u - a.u) / task.curve.scale @ chord))
        special += [(k + 1 + inserted + j, point) for j, (_, point) in enumerate(found)]
        pieces += [walked.part(done, k + 1), _Path.of([n for n, _ in found], task.curve)]
        inserted += len(found)
        done = k + 1
    if start == len(walked) - 1 and task.point is not None:
        special.append((start + inserted, task.point))
    return walked.part(0, 0).joined(*pieces, walked.part(done, len(walked))), tuple(special)


def _changes(walked: _Path, *, discrete: bool) -> NDArray[np.bool_]:
    """Return between which neighbours a test function changes."""
    unstable = np.sum(growth(walked.eigenvalues, discrete=discrete) > 0, axis=1)
    open_question = _undecided(walked, discrete=discrete)
    counted = (unstable[1:] != unstable[:-1]) & ~open_question[1:] & ~open_question[:-1]
    flips = flip_sign(walked.eigenvalues) if discrete else np.ones(len(walked))
    return np.asarray(
        (walked.tangents[1:, -1] * walked.tangents[:-1, -1] < 0)
        | (walked.signs[1:] * walked.signs[:-1] < 0)
        | counted
        | (flips[1:] * flips[:-1] < 0)
    )


def _marked(
    task: Task, a: monitors.Node, b: monitors.Node, *, at_first: bool
) -> list[tuple[monitors.Node, SpecialPoint]]:
    """Return the user points between two nodes; one at the first node counts there alone."""
    found: list[tuple[monitors.Node, SpecialPoint]] = []
    for name, target in task.marks:
        quantity = _quantity(task.curve, name)
        crossings = list(monitors.crossings_of(task.curve, a, b, quantity, target))
        if at_first and quantity(a.u) == target:
            crossings.append((a, 0.0))
        found += [
            (node, monitors.user_point(task.curve, node, name, target, accuracy))
            for node, accuracy in crossings
        ]
    return found


def checked_range(vary: str, over: tuple[float, float]) -> tuple[float, float]:
    """Return the two ends of a parameter range in order, or say what is wrong with it."""
    try:
        first, last = over
    except (TypeError, ValueError):
        raise SettingError(
            f"the range of {vary!r} is {over!r}; give two numbers, such as (0, 2)."
        ) from None
    first, last = finite(first, f"first end of {vary!r}"), finite(last, f"last end of {vary!r}")
    if first == last:
        raise SettingError(
            f"the range of {vary!r} is empty: ({first:g}, {last:g}). Give two different ends."
        )
    if not 1e-150 < abs(last - first) < 1e150:
        raise SettingError(
            f"the range of {vary!r}, ({first:g}, {last:g}), is too wide or too narrow for doubles. "
            "Choose other units."
        )
    return min(first, last), max(first, last)


#: Entries of an eigenvector that ought to be 0 are found that small beside the largest.
ROUNDING = 1e-12


def narrowed(size: Vector, state: Vector, change: Vector) -> Vector:
    """Return first units: the change expected over the range where that is less than the size.

    Not below a thousandth of the state itself, where Newton's tolerance would meet round-off.  A change that
    is rounding beside the largest is no unit.
    """
    finite = np.isfinite(change)
    known = finite & (np.abs(change) > ROUNDING * np.max(np.abs(change[finite]), initial=0.0))
    wanted = np.maximum(np.abs(change), 1e-3 * np.abs(state))
    return np.where(known, np.minimum(size, wanted), size)


def bounds_of(
    system: System, within: Mapping[str, tuple[float, float]] | None, over: tuple[float, float]
) -> tuple[Vector, Vector, tuple[tuple[str, float, float], ...]]:
    """Return lower and upper bounds of the unknowns, and the ranges of observables to watch."""
    n = len(system.state_names)
    lower, upper = np.full(n + 1, -np.inf), np.full(n + 1, np.inf)
    lower[n], upper[n] = over
    watched: list[tuple[str, float, float]] = []
    for name, ends in by_name(within, "within").items():
        low, high = checked_range(name, ends)
        place = system.place_of(name)
        if place is not None:
            lower[:-1][place], upper[:-1][place] = low, high
        elif name in system.observable_names:
            watched.append((name, low, high))
        else:
            known = system.state_names + system.observable_names
            raise UnknownNameError(f"state or observable of {system.name!r}", name, known)
    return lower, upper, tuple(watched)
