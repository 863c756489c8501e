"""Branches of cycles with events: where they begin, what lies on them, why they end.

The walk is that of `dynlab.continuation.curves.hybrid_cycle`.  Folds, period doublings, torus points and
branch points are located along the chord between two points of it by a bracketed root of what defines them
(Brent 1973, ch. 4), and once more with runs of ten times the tolerance: the difference is the accuracy stated.
Normal-form coefficients are not computed across events: they are nan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.curves.hybrid_cycle import (
    HybridNode,
    HybridSpan,
    HybridWalk,
    hybrid_walk,
    log_volume,
    node_at,
    profile_of,
    sharpened,
    tangent_at,
)
from dynlab.continuation.cycles.borders import border_at, border_between, rest_at_guard
from dynlab.continuation.cycles.ends import end_of_long_period, is_saddle
from dynlab.continuation.cycles.monitors import without_form
from dynlab.continuation.cycles.unit_circle import (
    flips,
    from_minus_one,
    pair_at_circle,
    pairs_outside,
)
from dynlab.continuation.followed import End
from dynlab.continuation.methods import ContinuationMethod
from dynlab.continuation.points import BranchPoint, PeriodDoubling, SpecialPoint, Unconfirmed
from dynlab.cycles.cycle import RELIABLE, Cycle
from dynlab.cycles.events import check_events
from dynlab.cycles.hybrid import HybridProblem, Tour
from dynlab.cycles.itinerary import travelled
from dynlab.cycles.passage import Lost, Passages
from dynlab.cycles.problem import PARAMETER, CycleProblem, Orbit, range_of
from dynlab.cycles.shooting import Shooting
from dynlab.equilibria.find import find_near
from dynlab.equilibria.stability import Equilibrium
from dynlab.errors import NotConverged, SingularProblem
from dynlab.point import apart, whole_turns
from dynlab.status import Status
from dynlab.symbolic.system import System

__all__ = ["HybridStart", "followed_both_ways", "hybrid_start", "landing"]

Vector = NDArray[np.float64]
Test = Callable[[Vector, Tour], float]

#: Runs are this much less accurate when a point is located once more.
_LOOSER = 10.0
#: A multiplier this near to its place (a modulus to 1) confirms the point.
_CONFIRMED = 1e-5
#: Newton's method has arrived at a start when its step is this small.
_TOLERANCE = 1e-10
#: A stretch that takes more steps is none of a cycle.
_MOST_STEPS = 20_000
#: A parameter that moves less than this part of its range while the period grows has settled; the period has
#: grown by this factor.
_STILL, _GROWN = 1e-3, 3.0
#: A cycle meets a saddle as near as this, in units of the states; it is looked for from so many places.
_MET, _TRIES, _EACH = 0.02, 24, 32
#: Closing is looked for after so many points.
_SOONEST = 5


@dataclass(frozen=True, slots=True)
class HybridStart:
    """Where a branch begins: its first point, the direction (plain), and the special point that it is."""

    first: HybridNode
    direction: Vector
    point: SpecialPoint | None = None
    behind: End | None = None


def hybrid_problem(
    system: System, vary: str, span: float, orbit: Orbit, rtol: float
) -> tuple[HybridProblem, Vector]:
    """Return the equations of a cycle with events, and it as their first guess.

    Raises
    ------
    UnsupportedSystemError, NotConverged
        If there are no such equations.
    """
    check_events(system)
    here = system(**{vary: orbit.value})
    method = replace(Shooting(rtol=rtol).integrator(), max_steps=_MOST_STEPS)
    units, period = range_of(system, orbit.profile), orbit.period
    passages = Passages(here, units, method, period)
    state = orbit.profile[0]
    try:
        found = travelled(passages, passages.run(state, period), period)
        if found is not None:
            # The phase: both ends of the cycle stand in the middle of a leg.
            late = 0.5 * (found.durations[0] - found.durations[-1])
            shifted = (
                passages.run(state, period).at([late if late > 0 else period + late]).values[0]
            )
            if late < 0:
                shifted = shifted - (orbit.profile[-1] - orbit.profile[0])
            found = travelled(passages, passages.run(shifted, period), period)
    except Lost as lost:
        raise _missed(system, vary, orbit, lost.status) from None
    if found is None:
        raise _missed(system, vary, orbit, Status.NOT_CONVERGED)
    turns = np.round((orbit.profile[-1] - orbit.profile[0]) / _whole(system)) * whole_turns(system)
    scale = np.concatenate([units, [period, span]])
    problem = HybridProblem(system, vary, found.itinerary, turns, scale, method)
    return problem, problem.pack(found.states, found.durations, orbit.value)


def _whole(system: System) -> Vector:
    turns = whole_turns(system)
    return np.where(turns > 0, turns, np.inf)


def _missed(system: System, vary: str, orbit: Orbit, status: Status) -> NotConverged:
    return NotConverged(
        f"the cycle of {system.name!r} at {vary} = {orbit.value:.6g} could not be run through again "
        f"({status}: {status.meaning}). Start from a cycle of dl.find_cycle(system, method=dl.Shooting()).",
        status=status,
    )


def solved_again(problem: HybridProblem, guess: Vector) -> tuple[Vector, Tour] | None:
    """Return the cycle near a guess at its value of the parameter."""
    value = float(guess[-1] / problem.units[-1])
    return problem.solve(guess, problem.row_of(PARAMETER), value, _TOLERANCE)


def landing(
    system: System, vary: str, span: float, known: Sequence[Orbit], share: float,
    held: tuple[int, float],
) -> Cycle | None:  # fmt: skip
    """Return the cycle that has a period or parameter, from one or two near it; None if there is none."""
    places = [hybrid_problem(system, vary, span, orbit, Shooting().rtol) for orbit in known]
    problem, guess = places[0]
    if len(places) > 1 and places[1][0].itinerary == problem.itinerary:
        guess = guess + share * (places[1][1] - guess)
    row = problem.row_of(held[0])
    value = held[1] / problem.units[-2 + held[0]]
    found = problem.solve(guess, row, value, _TOLERANCE)
    if found is None:
        return None
    again = _looser(problem).solve(found[0], row, value, _LOOSER * _TOLERANCE)
    change = np.nan
    if again is not None:
        change = float(np.max(np.abs(again[0] - found[0]) / problem.scale))
    u, tour = found
    orbit, multipliers = profile_of(problem, u, tour), problem.multipliers(tour)
    return Cycle(
        problem.at(u[-1]), orbit.period, orbit.mesh, orbit.profile, multipliers,
        log_volume(multipliers), change,
    )  # fmt: skip


def _looser(problem: HybridProblem) -> HybridProblem:
    """Return the same equations with less accurate runs."""
    method = problem.method
    return replace(
        problem, method=replace(method, rtol=_LOOSER * method.rtol, atol=_LOOSER * method.atol)
    )


@singledispatch
def hybrid_start(point: Any, vary: str, span: float) -> HybridStart:
    """Return where a branch begins: at a cycle, a period doubling or a branch point."""
    raise TypeError(type(point).__name__)


@hybrid_start.register
def _(point: Cycle, vary: str, span: float) -> HybridStart:
    orbit = point.orbit._replace(value=float(point.system[vary]))
    problem, u, tour = _at_point(point.system, vary, span, orbit)
    tangent, sign = tangent_at(tour, problem.row_of(PARAMETER))
    return HybridStart(node_at(problem, u, tour, tangent, sign), tangent * problem.scale)


def _at_point(
    system: System, vary: str, span: float, orbit: Orbit
) -> tuple[HybridProblem, Vector, Tour]:
    """Return the equations at a known cycle, and their solution."""
    problem, guess = hybrid_problem(system, vary, span, orbit, Shooting().rtol)
    found = solved_again(problem, guess)
    if found is None:
        raise SingularProblem(
            f"no branch of cycles of {system.name!r} passes regularly through the start at "
            f"{vary} = {orbit.value:.6g}. Start from another cycle.",
            status=Status.SINGULAR,
        )
    return sharpened(problem, *found) or (problem, *found)


@hybrid_start.register
def _(point: PeriodDoubling, vary: str, span: float) -> HybridStart:
    assert point.orbit is not None
    orbit = point.orbit.orbit._replace(value=point.value)
    problem, u, _ = _at_point(point.system, vary, span, orbit)
    states, durations = problem.states(u), problem.durations(u)
    units = problem.units.copy()
    units[-2] *= 2.0
    doubled = replace(
        problem, itinerary=problem.itinerary.twice(), turns=2.0 * problem.turns, units=units
    )
    whole = doubled.pack(
        np.vstack([states, states + problem.turns]), np.tile(durations, 2), float(u[-1])
    )
    tour = doubled.tour(whole)
    direction = np.append(np.linalg.svd(tour.matrix[:, :-1])[2][-1], 0.0)
    first = node_at(doubled, whole, tour, direction, 0.0)
    reason = f"the cycle begins by period doubling at {vary} = {point.value:.9g}"
    behind = End(Status.SHORTER_CYCLE, point.value, reason)
    return HybridStart(first, direction * doubled.scale, point, behind)


@hybrid_start.register
def _(point: BranchPoint, vary: str, span: float) -> HybridStart:
    assert point.orbit is not None
    orbit = point.orbit.orbit._replace(value=point.value)
    problem, u = hybrid_problem(point.system, vary, span, orbit, Shooting().rtol)
    while len(u) < point.tangents.shape[1] and (cut := problem.sharper(u, problem.tour(u))):
        problem, u = cut
    if point.tangents.shape[1] != len(u):
        raise SingularProblem(
            f"the directions at the branch point of {point.system.name!r} at {vary} = {point.value:.6g} are "
            "not those of its events. Locate it again with dl.continue_cycles.",
            status=Status.SINGULAR,
        )
    way = point.tangents[1]
    first = node_at(problem, u, problem.tour(u), way / problem.scale, 0.0)
    return HybridStart(first, way, point)


def followed_both_ways(
    start: HybridStart, over: tuple[float, float], longest: float, method: ContinuationMethod
) -> tuple[list[HybridNode], tuple[tuple[int, SpecialPoint], ...], tuple[End, End]]:
    """Walk both ways from a start; return the points, the special ones among them, and why it ends.

    Raises
    ------
    NotConverged
        If no branch leaves the start.
    """
    given = HybridWalk(start.first, start.direction, over, longest, method)
    ahead, end = _one_way(given, start)
    if not ahead and end.status is Status.NOT_CONVERGED:
        raise NotConverged(
            f"no cycle of {start.first.problem.system.name!r} was found on the first step from "
            f"{start.first.problem.vary} = {start.first.orbit.value:.6g}. Give a smaller first step, "
            "method=dl.PseudoArclength(first_step=1e-4).",
            status=Status.NOT_CONVERGED,
        )
    behind: list[HybridNode] = []
    back = start.behind
    if end.status is Status.CLOSED_LOOP:
        back = end
    elif back is None and end.status is Status.STOPPED:
        back = End(Status.STOPPED, start.first.orbit.value, "not followed in this direction")
    elif back is None:
        behind, back = _one_way(given._replace(direction=-start.direction), start)
    nodes = [*(node.turned() for node in reversed(behind)), start.first, *ahead]
    whole, special = _with_points(start, nodes, len(behind), method.tolerance)
    return whole, special, (back, end)


def _one_way(given: HybridWalk, start: HybridStart) -> tuple[list[HybridNode], End]:
    """Walk one way; return the points and why they end."""
    nodes: list[HybridNode] = []
    problem, status = given.first.problem, Status.RUNNING
    value, going = given.first.orbit.value, given.direction[-1]
    low, high = given.over
    if (value >= high and going > 1e-12) or (value <= low and going < -1e-12):
        return nodes, End(Status.PARAMETER_BOUND, value, Status.PARAMETER_BOUND.meaning)
    for node, status in hybrid_walk(given):
        if status in (Status.NOT_CONVERGED, Status.FOLD_IN_PARAMETER):
            break  # the node is the one before
        if not node.sequence:
            before = nodes[-1] if nodes else given.first
            border = border_between(before, node, given.method.tolerance)
            if border.last is not None:
                nodes.append(border.last)
            end = End(border.status, border.value, border.reason)
            return nodes, end if border.is_known else _of_long_period(problem, nodes, end)
        nodes.append(node)
        slow = node.orbit.period > _GROWN * given.first.orbit.period
        if slow and (lost := rest_at_guard(node)) is not None:
            return nodes, End(lost.status, lost.value, lost.reason)
        if (half := _at_half(start, nodes, given.method.tolerance)) is not None:
            reason = f"the cycle shrinks onto one of half its period at {problem.vary} = {half:.9g}"
            return nodes[:-1], End(Status.SHORTER_CYCLE, half, reason)
        if _closes(start, nodes):
            closed = End(Status.CLOSED_LOOP, given.first.orbit.value, Status.CLOSED_LOOP.meaning)
            # The start has fewer cuts than the branch may have by now.
            last = replace(given.first, finer=nodes[-1].forms[0])
            return [*nodes[:-1], last], closed
    last = nodes[-1] if nodes else given.first
    if status is Status.NOT_CONVERGED and (near := border_at(last)) is not None:
        return nodes, End(near.status, near.value, near.reason)
    end = End(status, last.orbit.value, status.meaning)
    if status in (Status.NOT_CONVERGED, Status.PERIOD_BOUND):
        end = _of_long_period(problem, nodes, end)
    return nodes, end


def _of_long_period(problem: HybridProblem, nodes: Sequence[HybridNode], end: End) -> End:
    """Return what the cycle tends to if its period has grown while the parameter settled, else the end as it is."""
    values = np.array([node.orbit.value for node in nodes[-_SOONEST:]])
    periods = np.array([node.orbit.period for node in nodes])
    still = len(nodes) > _SOONEST and np.ptp(values) < _STILL * problem.units[-1]
    if not still or periods[-1] < _GROWN * np.min(periods):
        return end
    last, vary = nodes[-1].orbit, problem.vary
    saddle = _saddle_passed(problem.at(last.value), last)
    if saddle is not None:
        reason = f"towards a homoclinic orbit to a {saddle.kind} at {vary} = {last.value:.9g}"
        return End(Status.HOMOCLINIC, last.value, reason)
    smooth = CycleProblem(problem.system, vary, problem.units[-1])
    found = end_of_long_period(smooth, nodes, end.status)
    near = abs(found.value - last.value) < _STILL * problem.units[-1]
    return found if near and found.status is not end.status else end


def _saddle_passed(system: System, orbit: Orbit) -> Equilibrium | None:
    """Return the saddle that a cycle nearly meets, if there is one."""
    units, way = range_of(system, orbit.profile), orbit.traced(_EACH)[1]
    for x in orbit.at((np.arange(_TRIES) + 0.5) / _TRIES):
        rest = find_near(system, x)
        if rest is not None and is_saddle(rest):
            gap = np.max(np.abs(apart(system, way, rest.state)) / units, axis=1)
            if np.min(gap) < _MET:
                return rest
    return None


def _odd(problem: HybridProblem, u: Vector) -> Vector:
    """Return what differs between the halves of a doubled cycle: states, in their units, and durations."""
    half, states, durations = problem.count // 2, problem.states(u), problem.durations(u)
    turns = 0.5 * problem.turns
    apart = (states[half:] - states[:half] - turns) / problem.units[:-2]
    return np.append(apart.ravel(), (durations[half:] - durations[:half]) / problem.units[-2])


def _at_half(start: HybridStart, nodes: Sequence[HybridNode], tolerance: float) -> float | None:
    """Return where a doubled cycle has shrunk onto the single one on the last step; None if it has not."""
    if not isinstance(start.point, PeriodDoubling) or len(nodes) < 2:
        return None
    span = HybridSpan.between(nodes[-2], nodes[-1], tolerance)
    before = _odd(span.problem, span.a)
    if np.sum(before * _odd(span.problem, span.b)) >= 0:
        return None

    def remains(u: Vector, tour: Tour) -> float:
        return float(np.sum(before * _odd(span.problem, u)))

    found = _root(span, remains)
    return nodes[-2].orbit.value if found is None else float(found[0][-1])


def _closes(start: HybridStart, nodes: Sequence[HybridNode]) -> bool:
    """Whether the branch has met its start again on the last step."""
    if start.point is not None or len(nodes) < _SOONEST:
        return False
    units = nodes[-1].problem.units
    goal, a, b = (_signature(n, units) for n in (start.first, *nodes[-2:]))
    chord, first = b - a, _signature(nodes[0], units) - goal
    length = float(chord @ chord)
    share = float((goal - a) @ chord) / length if length > 0 else -1.0
    off = float(np.linalg.norm(goal - a - share * chord))
    return 0.0 <= share <= 1.0 and bool(chord @ first > 0) and off < 0.05 * np.sqrt(length)


def _signature(node: HybridNode, units: Vector) -> Vector:
    """Return the states after events, the period and the parameter in their units."""
    problem, u = node.problem, node.unknowns
    after = [k for k in range(1, problem.count) if problem.itinerary.stretches[k - 1].like < 0]
    states = problem.states(u)[after] / units[:-2] / np.sqrt(len(after))
    return np.append(states.ravel(), [problem.period(u) / units[-2], u[-1] / units[-1]])


def _with_points(
    start: HybridStart, nodes: list[HybridNode], begin: int, tolerance: float
) -> tuple[list[HybridNode], tuple[tuple[int, SpecialPoint], ...]]:
    """Insert the located points between the points of the walk; the start stands at its place."""
    whole: list[HybridNode] = []
    special: list[tuple[int, SpecialPoint]] = []
    for k, node in enumerate(nodes):
        if k == begin and start.point is not None:
            special.append((len(whole), start.point))
        whole.append(node)
        beside = start.point is not None and k in (begin - 1, begin)
        if k + 1 == len(nodes) or beside:
            continue  # from the point itself, whose test functions are not those of a regular cycle
        for located, point in _points_between(node, nodes[k + 1], tolerance):
            special.append((len(whole), point))
            whole.append(located)
    return whole, tuple(special)


def _points_between(
    a: HybridNode, b: HybridNode, tolerance: float
) -> list[tuple[HybridNode, SpecialPoint]]:
    """Return what lies between two points, in order along the branch."""
    span = HybridSpan.between(a, b, tolerance)
    found = []
    for word, test, miss in _suspected(span, a, b):
        root = _root(span, test)
        if root is not None:
            node, point = _point(span, word, test, miss, *root)
            found.append((float(span.chord @ (node.unknowns / span.problem.scale)), node, point))
    return [(node, point) for _, node, point in sorted(found, key=lambda each: each[0])]


def _suspected(
    span: HybridSpan, a: HybridNode, b: HybridNode
) -> Iterator[tuple[str, Test, Callable[[NDArray[np.complex128]], float]]]:
    """Yield what the test functions at the two ends tell of: a word, what vanishes, and what that is missed by."""
    problem = span.problem
    if a.tangent * b.tangent < 0:
        yield "fold", lambda u, tour: float(tangent_at(tour, span.chord)[0][-1]), lambda m: 0.0
    elif a.sign * b.sign < 0:
        yield "branch point", lambda u, tour: _least(tour, span.chord), lambda m: 0.0
    if max(a.trivial_error, b.trivial_error) >= RELIABLE:
        return
    if flips(a.multipliers) * flips(b.multipliers) < 0:
        yield "period doubling", lambda u, tour: flips(problem.multipliers(tour)), from_minus_one
    if pairs_outside(a.multipliers) != pairs_outside(b.multipliers):

        def at_circle(u: Vector, tour: Tour) -> float:
            return pair_at_circle(problem.multipliers(tour))

        yield "torus point", at_circle, lambda m: abs(pair_at_circle(m))


def _least(tour: Tour, row: Vector) -> float:
    """Return the least singular value of the bordered matrix with the sign of its determinant."""
    matrix = np.vstack([tour.matrix, row])
    sizes = np.linalg.svd(matrix, compute_uv=False)
    return float(np.linalg.slogdet(matrix)[0] * sizes[-1] / sizes[0])


def _root(span: HybridSpan, test: Test) -> tuple[Vector, Tour] | None:
    """Return where along a span a test function vanishes; None if it does not change sign."""
    from scipy.optimize import brentq

    last: dict[float, tuple[Vector, Tour]] = {}

    def value(s: float) -> float:
        found = span.at(s) or _between(span, s, last)
        if found is None:
            raise ArithmeticError
        last[s] = found
        return test(*found)

    try:
        place = brentq(value, 0.0, 1.0, xtol=1e-13, rtol=1e-13)
    except (ArithmeticError, ValueError):
        return None
    return last[place]


def _between(
    span: HybridSpan, s: float, known: dict[float, tuple[Vector, Tour]]
) -> tuple[Vector, Tour] | None:
    """Return the solution between two known ones: at a branch point the equations are singular."""
    below, above = [t for t in known if t < s], [t for t in known if t > s]
    if not below or not above:
        return None
    a, b = max(below), min(above)
    u = known[a][0] + (s - a) / (b - a) * (known[b][0] - known[a][0])
    try:
        return u, span.problem.tour(u)
    except Lost:
        return None


def _point(
    span: HybridSpan, word: str, test: Test, miss: Callable[[NDArray[np.complex128]], float],
    u: Vector, tour: Tour,
) -> tuple[HybridNode, SpecialPoint]:  # fmt: skip
    """Return the node at a located point, and the point."""
    problem = span.problem
    direction, sign = tangent_at(tour, span.chord)
    node = replace(node_at(problem, u, tour, direction, sign), orbit=profile_of(problem, u, tour))
    again = _root(replace(span, problem=_looser(problem)), test)
    value, orbit = float(u[-1]), node.orbit
    change = np.nan if again is None else abs(float(again[0][-1]) - value)
    change /= max(abs(value), 1e-3 * problem.units[-1])
    system = problem.at(value)
    cycle = Cycle(
        system, orbit.period, orbit.mesh, orbit.profile, node.multipliers, node.divergence, change
    )
    head = system, problem.vary, orbit.profile[0], node.multipliers, change
    turn: dict[str, Any] = {"period": orbit.period, "orbit": cycle}
    if again is None or not miss(node.multipliers) <= _CONFIRMED:
        reason = f"its defining condition is missed by {miss(node.multipliers):.1e}"
        if again is None:
            reason = "the defining equations could not be solved again with looser runs"
        return node, Unconfirmed(*head, word, reason, **turn)
    if word == "branch point":
        tangents, kind = _crossing(problem, u, span.chord)
        return node, BranchPoint(*head, tangents, kind, (np.nan,) * 3, **turn)
    return node, without_form(word, head, turn, orbit.profile)


def _crossing(problem: HybridProblem, u: Vector, along: Vector) -> tuple[Vector, str]:
    """Return the directions of the two branches through a branch point (plain), and which kind it is.

    In the kernel of the equations' derivatives the direction of the second branch solves
    2 c12 a + c22 b = 0, c_ij = <p, F''(t_i, t_j)>, t_1 the first; F'' by central differences of the exact
    first derivatives, good to some seven digits, which is enough for a direction.
    """
    scale, step = problem.scale, 1e-4
    matrix = problem.tour(u).matrix
    left, _, right = np.linalg.svd(matrix)
    kernel, p = right[-2:], left[:, -1]
    first = kernel.T @ (kernel @ along)
    first /= np.linalg.norm(first)
    other = kernel[0] * (kernel[1] @ first) - kernel[1] * (kernel[0] @ first)

    def second(v: Vector) -> Vector:
        ahead, behind = (problem.tour(u + way * step * v * scale).matrix for way in (1.0, -1.0))
        return np.asarray((ahead - behind) / (2.0 * step))

    mixed, own = p @ second(first) @ other, p @ second(other) @ other
    way = -own * first + 2.0 * mixed * other
    way = way / np.linalg.norm(way)
    kind = "pitchfork" if abs(way[-1]) < 1e-4 else "transcritical"
    tangents = np.array([first * scale, way * scale])
    return tangents / np.linalg.norm(tangents, axis=1)[:, None], kind
