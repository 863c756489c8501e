"""Steps along a curve of connecting orbits in two parameters.

Pseudo-arclength in (u, l, x, y), u in L2 and in units of the orbit's own ranges, which follow it as it grows and
shrinks.  Between steps the mesh is spread evenly, made finer if it must, and the cut is moved so that the ends
stay near the equilibria.  What changes sign where the curve ends (`margin`) or where the orbit becomes of another
kind (`tests`) is brought to zero by Illinois' method in the length of the step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab import progress
from dynlab.continuation.connections.orbit import leading, saddle_quantity
from dynlab.continuation.connections.truncation import cut_at, distances
from dynlab.continuation.curves.connection import (
    Connection,
    ConnectionProblem,
    Heading,
    Solved,
    length,
    product,
)
from dynlab.continuation.methods import ContinuationMethod, PseudoArclength
from dynlab.cycles.problem import Orbit
from dynlab.status import Status

__all__ = ["DEFAULT", "ConnectionNode", "ConnectionWalk", "node_of", "ready", "walk"]

Vector = NDArray[np.float64]
Complex = NDArray[np.complex128]

#: As for cycles, but half as far: what is drawn is the curve in the plane of two parameters.
DEFAULT = PseudoArclength(
    first_step=1e-2, step_max=0.05, angle=0.06, step_min=1e-7, max_points=4000
)
_ANGLE_MAX = 0.5
#: As for cycles: h^{m+1} |u^{(m+1)}| beyond which the mesh gets more intervals, by which factor.
_MESH_ERROR, _FINER = 0.1, 1.5
#: Distance of the ends along a curve, and how much it may differ.
_DISTANCE, _LOOSE = 1e-4, 5.0
#: An end where the rate has become this much slower, compared with the other end, is not moved outwards
#: any more: there the eigenvalue goes to zero, and the time would grow without bound.
_SLOWER = 0.1
#: A unit does not shrink by this factor more than the others.
_SHRUNK = 0.01
#: Smaller than this part of the largest it has been, the orbit has shrunk to a point.
_POINT = 1e-3
_ROOTS = 14


class ConnectionNode(NamedTuple):
    """One point of a curve: the connection, the eigenvalues at its two ends, and what is special there."""

    connection: Connection
    eigenvalues: Complex
    eigenvalues_at_target: Complex
    label: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionWalk:
    """Where a walk begins, which way it goes, and where it must end."""

    problem: ConnectionProblem
    start: Connection
    heading: Heading
    over: Vector
    method: ContinuationMethod
    most_intervals: int


class _Place(NamedTuple):
    """The state of a walk."""

    connection: Connection
    heading: Heading
    units: Vector


def node_of(problem: ConnectionProblem, connection: Connection, label: str = "") -> ConnectionNode:
    """Return a connection with its eigenvalues, the most unstable first."""
    n, ones = len(connection.source), np.ones(len(connection.source) + len(problem.vary))
    found = []
    for x in (connection.source, connection.target):
        _, flat = problem.linear_part(x, connection.values, ones)
        values = np.linalg.eigvals(flat[:, :n]).astype(complex)
        found.append(values[np.lexsort((-values.imag, -values.real))])
        if problem.turns is not None:
            found.append(found[0])
            break
    return ConnectionNode(connection, found[0], found[1], label)


def ready(
    problem: ConnectionProblem, given: Connection, intervals: int, most: int
) -> tuple[Connection, Heading] | None:
    """Return a solution on a mesh that is as fine as the curve needs, and the direction of the curve."""
    units = problem.units(given.orbit)
    n = len(given.source)
    row = None
    for along in (np.array([1.0, 0.0]), np.array([0.0, 1.0])):
        for count in (intervals, 2 * intervals, 4 * intervals, most):
            fresh = given._replace(orbit=given.orbit.spread(count, units[:n]))
            row = _pinned(fresh, along, problem)
            solved = problem.solve(fresh, units, row=row)
            if solved is not None and solved.mesh_error < _MESH_ERROR:
                return solved.connection, solved.heading
    return None


def _pinned(given: Connection, values: Vector, problem: ConnectionProblem) -> Heading:
    """Return the row that holds a combination of the parameters."""
    n = len(given.source)
    rest = np.zeros(0 if problem.turns is not None else n)
    return Heading(np.zeros_like(given.orbit.profile), values, np.zeros(n), rest)


def walk(given: ConnectionWalk) -> Iterator[tuple[ConnectionNode, Status]]:
    """Yield the points of a walk; the last status tells why it ended.

    A walk that ends for want of convergence yields its last point twice.
    """
    problem, method = given.problem, given.method
    units = problem.units(given.start.orbit)
    here = _Place(given.start, given.heading, units)
    step, taken, largest = method.first_step, 0, _size(given.start)
    balance = _balance(problem, given.start)
    centre = _centre(problem, given.start)
    node = node_of(problem, given.start)
    while True:
        solved, angle = _step(problem, here, step)
        if solved is None or (angle > _ANGLE_MAX and step > 1.0001 * method.step_min):
            if step <= 1.0001 * method.step_min:
                yield node, Status.NOT_CONVERGED
                return
            step = max(method.step_min, 0.5 * step)
            continue
        before, node = node, node_of(problem, solved.connection)
        status = Status.RUNNING
        if _margin(problem, node, centre) <= 0:
            node = _ending(problem, here, step, centre)
            status = Status.NOT_HYPERBOLIC
        beyond = _passed(node.connection.values, given.over)
        if beyond is not None:
            landed = _landed(problem, here, solved, *beyond)
            if landed is None:
                yield before, Status.NOT_CONVERGED
                return
            node, status = node_of(problem, landed.connection), Status.PARAMETER_BOUND
        for between in _events(problem, here, step, before, node):
            yield between, Status.RUNNING
        taken += 1
        largest = max(largest, _size(node.connection))
        if status is Status.RUNNING and _size(node.connection) < _POINT * largest:
            status = Status.AT_BOGDANOV_TAKENS
        if status is Status.RUNNING and taken >= method.max_points:
            status = Status.TOO_MANY_STEPS
        note = ", ".join(
            f"{n} = {v:.4g}" for n, v in zip(problem.vary, node.connection.values, strict=True)
        )
        if not progress.tick(taken, method.max_points, note) and status is Status.RUNNING:
            status = Status.STOPPED
        yield node, status
        if status is not Status.RUNNING:
            return
        grow = min(1.6, max(0.5, method.angle / max(angle, 1e-12)))
        step = min(method.step_max, max(method.step_min, step * grow))
        units = here.units
        here = _rearranged(given, _Place(solved.connection, solved.heading, units), solved, balance)


def _step(problem: ConnectionProblem, here: _Place, step: float) -> tuple[Solved | None, float]:
    """Return the solution a step further on, and the angle between the tangents."""
    ahead = here.connection.moved(here.heading, step, here.units)
    solved = problem.solve(ahead, here.units, row=here.heading)
    if solved is None:
        return None, np.inf
    cosine = product(here.heading, solved.heading, ahead.orbit.mesh)
    return solved, float(np.arccos(min(1.0, max(-1.0, cosine))))


def _size(connection: Connection) -> float:
    """Return how large an orbit is."""
    return float(np.linalg.norm(np.ptp(connection.orbit.profile, axis=0)))


def _rates(node: ConnectionNode) -> tuple[float, float]:
    """Return the leading rates at which the orbit leaves and arrives."""
    return (
        float(leading(node.eigenvalues)[1].real),
        float(-leading(node.eigenvalues_at_target)[0].real),
    )


def _balance(problem: ConnectionProblem, given: Connection) -> float:
    """Return the ratio of the rates at the two ends."""
    away, back = _rates(node_of(problem, given))
    return away / back if away > 0 and back > 0 else np.nan


def _rearranged(given: ConnectionWalk, place: _Place, solved: Solved, balance: float) -> _Place:
    """Return the state of a walk in units, on a mesh and with a cut that fit what was reached."""
    problem, n = given.problem, len(place.connection.source)
    connection, heading, old = place
    count = len(connection.orbit.mesh) - 1
    if solved.mesh_error > _MESH_ERROR and count < given.most_intervals:
        count = int(_FINER * count) // 2 * 2
    orbit = connection.orbit.spread(count, old[:n])
    states = connection.orbit._replace(profile=heading.states).on(orbit.mesh).profile
    connection = connection._replace(orbit=orbit)
    units = _units(problem, given.start, orbit)
    ratio = old[:n] / units[:n]
    heading = Heading(
        states * ratio, heading.values, heading.source * ratio,
        heading.target * ratio if len(heading.target) else heading.target,
    )  # fmt: skip
    heading = heading.turned(1.0 / length(heading, orbit.mesh))
    here = _Place(connection, heading, units)
    return _recut(problem, here, balance)


def _units(problem: ConnectionProblem, start: Connection, orbit: Orbit) -> Vector:
    """Return units for an orbit: its ranges, but none that has shrunk much more than the others have.

    (Where a state stops to take part, as it may in a plane of symmetry, its range passes through zero.)
    """
    n = len(start.source)
    first, units = problem.units(start.orbit), problem.units(orbit)
    floor = _SHRUNK * first[:n] * np.max(units[:n] / first[:n])
    units[:n] = np.maximum(units[:n], floor)
    return units


def _recut(problem: ConnectionProblem, here: _Place, balance: float) -> _Place:
    """Return the state of a walk with the ends of the orbit near the equilibria again."""
    if problem.at_fold:
        return here
    connection, heading, units = here
    now = _balance(problem, connection)
    slow = (now < _SLOWER * balance, now > balance / _SLOWER)
    near = distances(connection, units)
    if not any(
        d < _DISTANCE / _LOOSE or (d > _DISTANCE * _LOOSE and not slow[side])
        for side, d in enumerate(near)
    ):
        return here
    ends = problem.ends(connection, units)
    fresh = cut_at(problem, connection, units, ends, _DISTANCE, keep=slow)
    along = heading.values / np.linalg.norm(heading.values)
    solved = problem.solve(fresh, units, row=_pinned(fresh, along, problem))
    if solved is None:
        return here
    sign = 1.0 if solved.heading.values @ heading.values > 0 else -1.0
    return _Place(solved.connection, solved.heading.turned(sign), units)


def _passed(values: Vector, over: Vector) -> tuple[int, float] | None:
    """Return which parameter has left its range, and where; None if none has."""
    for j, (low, high) in enumerate(over):
        if values[j] < low or values[j] > high:
            return j, float(low if values[j] < low else high)
    return None


def _landed(
    problem: ConnectionProblem, here: _Place, solved: Solved, which: int, bound: float
) -> Solved | None:
    """Return the point between two where a parameter is at its bound."""
    first, last = here.connection, solved.connection
    share = (bound - first.values[which]) / (last.values[which] - first.values[which])
    guess = Connection(
        first.orbit._replace(
            profile=first.orbit.profile + share * (last.orbit.profile - first.orbit.profile)
        ),
        first.values + share * (last.values - first.values),
        first.source + share * (last.source - first.source),
        first.target + share * (last.target - first.target),
    )
    guess.values[which] = bound
    row = _pinned(guess, np.eye(2)[which], problem)
    landed = problem.solve(guess, here.units, row=row)
    if landed is not None:
        landed.connection.values[which] = bound
    return landed


def _centre(problem: ConnectionProblem, given: Connection) -> Vector | None:
    """Return one over the parts that a saddle-node's null vector has in the two ends, and that vector."""
    if not problem.at_fold:
        return None
    parts, right = _centre_parts(problem, given)
    return np.append(1.0 / parts, right)


def _centre_parts(
    problem: ConnectionProblem, given: Connection, right: Vector | None = None
) -> tuple[Vector, Vector]:
    """Return how far the two ends are along the null vector, and that vector."""
    units = problem.units(given.orbit)
    n = len(given.source)
    _, flat = problem.linear_part(given.source, given.values, units)
    u, _, v = np.linalg.svd(flat[:, :n])
    p, q = u[:, -1], v[-1]
    if right is not None and q @ right < 0:
        q = -q
    p = p / (p @ q)
    ends = [
        (given.orbit.profile[-k] - x) / units[:n] for k, x in ((0, given.source), (1, given.target))
    ]
    return np.array([p @ e for e in ends]), q


def _margin(problem: ConnectionProblem, node: ConnectionNode, centre: Vector | None) -> float:
    """Return what is positive as long as the connection is of the kind that the problem describes.

    The distance of the eigenvalues from the imaginary axis; at a saddle-node also how far the ends are along
    the null vector, on the side where they were at first.
    """
    n = len(node.eigenvalues)
    first, last = np.sort(node.eigenvalues.real), np.sort(node.eigenvalues_at_target.real)
    gap = int(problem.at_fold)
    parts = [
        -first[: problem.stable], first[problem.stable + gap :],
        -last[: n - problem.unstable - gap], last[n - problem.unstable :],
    ]  # fmt: skip
    margin = float(min(np.min(part, initial=np.inf) for part in parts))
    if centre is None:
        return margin
    along, _ = _centre_parts(problem, node.connection, centre[2:])
    return float(min(margin, np.min(along * centre[:2])))


def _ending(
    problem: ConnectionProblem, here: _Place, step: float, centre: Vector | None
) -> ConnectionNode:
    """Return the point within a step where the margin is zero."""
    found = _root(problem, here, step, lambda node: _margin(problem, node, centre))
    assert found is not None
    return found[1]


def _root(
    problem: ConnectionProblem, here: _Place, step: float, test: Callable[[ConnectionNode], float]
) -> tuple[float, ConnectionNode] | None:
    """Return where within a step a test function of the node is zero: Illinois' method."""
    low, high = 0.0, step
    node = node_of(problem, here.connection)
    at_low = test(node)
    solved, _ = _step(problem, here, high)
    if solved is None:
        return None
    node = node_of(problem, solved.connection)
    at_high = test(node)
    scale = max(abs(at_low), abs(at_high))
    place = high
    for _ in range(_ROOTS):
        if at_low == at_high or abs(high - low) < 1e-12 * step:
            break
        place = high - at_high * (high - low) / (at_high - at_low)
        solved, _ = _step(problem, here, place)
        if solved is None:
            break
        node = node_of(problem, solved.connection)
        value = test(node)
        if abs(value) < 1e-12 * scale:
            break
        if value * at_high < 0:
            low, at_low = high, at_high
        else:
            at_low *= 0.5
        high, at_high = place, value
    return place, node


def _events(
    problem: ConnectionProblem, here: _Place, step: float, before: ConnectionNode,
    after: ConnectionNode,
) -> list[ConnectionNode]:  # fmt: skip
    """Return the points within a step where the orbit becomes one of another kind, in order."""
    if problem.at_fold or problem.turns is None:
        return []
    found: list[tuple[float, ConnectionNode]] = []
    for label, test in _TESTS.items():
        if test(before) * test(after) < 0:
            root = _root(problem, here, step, test)
            size = max(abs(test(before)), abs(test(after)))
            if root is not None and 0 <= root[0] <= step and abs(test(root[1])) < 1e-6 * size:
                found.append((root[0], root[1]._replace(label=label)))
    return [node for _, node in sorted(found, key=lambda each: each[0])]


def _quantity(node: ConnectionNode) -> float:
    return saddle_quantity(node.eigenvalues)


def _double(side: int) -> Callable[[ConnectionNode], float]:
    """Return the discriminant of the two eigenvalues next to the axis on one side."""

    def discriminant(node: ConnectionNode) -> float:
        values = node.eigenvalues[side * node.eigenvalues.real > 0]
        if len(values) < 2:
            return 1.0
        near = values[np.argsort(np.abs(values.real), kind="stable")[:2]]
        if near[0].imag == 0:
            return float(near[0].real - near[1].real) ** 2
        return -4.0 * float(near[0].imag) ** 2

    return discriminant


def _exchange(side: int) -> Callable[[ConnectionNode], float]:
    """Return by how much a real eigenvalue on one side is nearer to the axis than a pair."""

    def difference(node: ConnectionNode) -> float:
        values = node.eigenvalues[side * node.eigenvalues.real > 0]
        single, pairs = values[values.imag == 0], values[values.imag != 0]
        if not len(single) or not len(pairs):
            return 0.0
        return float(np.min(np.abs(pairs.real)) - np.min(np.abs(single.real)))

    return difference


#: The saddle quantity vanishes; the leading eigenvalues become a pair; a pair comes next to the axis.
_TESTS: dict[str, Callable[[ConnectionNode], float]] = {
    "neutral saddle": _quantity,
    "double leading stable eigenvalue": _double(-1),
    "double leading unstable eigenvalue": _double(+1),
    "three leading stable eigenvalues": _exchange(-1),
    "three leading unstable eigenvalues": _exchange(+1),
}
