"""What happens between two points of a branch of cycles, and where exactly.

Between neighbours
- the parameter's part of the tangent changes sign at a fold (LPC); in the plane the integral of the
  divergence does, which is the logarithm of the one multiplier and stays well defined where the branch
  stands upright to round-off (a canard explosion),
- the determinant of the bordered system changes sign at a branch point,
- the product of (multiplier + 1) changes sign at a period doubling,
- a pair of complex multipliers crosses the unit circle at a torus (Neimark-Sacker) point.

Each is located by solving the equations of the cycle together with the one that defines the point (the
tangent's part zero; a multiplier 1, -1 or of modulus 1) along the branch, by a bracketing secant
iteration, then once more on a mesh twice as fine: the difference is the accuracy that is stated.
Multipliers tell nothing where the one that must be 1 is not: near homoclinic orbits no such point is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.curves.cycle import CycleNode, along
from dynlab.continuation.cycles import normal_forms
from dynlab.continuation.cycles.unit_circle import (
    angle_of_pair,
    flips,
    from_minus_one,
    pair_at_circle,
    pairs_outside,
)
from dynlab.continuation.points import (
    BranchPoint,
    Fold,
    PeriodDoubling,
    SpecialPoint,
    Torus,
    Unconfirmed,
)
from dynlab.cycles.cycle import RELIABLE, Cycle, floquet_order
from dynlab.cycles.problem import CycleProblem, Orbit, Solved
from dynlab.errors import SingularProblem
from dynlab.symbolic.system import System

__all__ = ["Head", "cycle_events", "meeting", "without_echoes", "without_form"]

Vector = NDArray[np.float64]
Test = Callable[[Solved], float]
#: System, parameter, state, multipliers and accuracy of a point.
Head = tuple[System, str, Vector, NDArray[np.complex128], float]

_ITERATIONS = 60
#: Next to a branch point a Newton step this small will do.
_NEARLY_SINGULAR = 1e-9
#: Where the distances to the known cycles, in parts of the chord, have a product below this, the guess is good
#: enough for that.
_CLOSE = 1e-3
#: A root counts as found when the bracket along the chord is this short.
_BRACKET = 1e-10
#: Or when the test function is as small as round-off makes it.
_ZERO = 1e-13
#: A tangent's part smaller than this at both ends of a span is zero.
_UPRIGHT = 1e-9
#: On a finer mesh the root is looked for this near to that of the coarser one, first.
_NEAR = 1e-3
#: A multiplier this near to its place (a modulus to 1) confirms the point.
_CONFIRMED = 1e-5
#: Folds closer than this part of the parameter's range are one fold seen through round-off.
_SAME = 1e-9


class _Kind(NamedTuple):
    """What is sought: its word, what must vanish, and how nearly it does at a solution."""

    word: str
    test: Test
    miss: Callable[[Solved], float]


@dataclass(frozen=True, slots=True)
class _Span:
    """The piece of a branch between two points, both on one mesh, as a function of the chord from 0 to 1."""

    problem: CycleProblem
    a: Orbit
    b: Orbit
    units: Vector

    @classmethod
    def between(cls, problem: CycleProblem, a: Orbit, b: Orbit, intervals: int) -> _Span:
        """Return the span on a mesh of so many intervals."""
        units = np.maximum(problem.units(a), problem.units(b))
        wider = a if np.max(np.ptp(a.profile, axis=0)) > np.max(np.ptp(b.profile, axis=0)) else b
        mesh = wider.spread(intervals, units[:-2]).mesh
        return cls(problem, a.on(mesh), b.on(mesh), units)

    def at(self, s: float, ends: Sequence[tuple[float, Orbit]] = ()) -> Solved | None:
        """Return the cycle over a place of the chord; cycles known on both sides make the guess better.

        Next to a branch point Newton's method needs it good: the equations are nearly singular.
        """
        (a, first), (b, last) = ends or ((0.0, self.a), (1.0, self.b))
        guess = _between(first, last, (s - a) / (b - a))
        row = along(self.problem, self.a, self.b, self.units)
        held = row.states, row.ends
        solved = self.problem.solve(guess, row=held, units=self.units)
        if solved is None and abs((s - a) * (s - b)) < _CLOSE:
            # Round-off is magnified along the direction of the other branch, and only there.
            solved = self.problem.solve(
                guess, row=held, units=self.units, tolerance=_NEARLY_SINGULAR
            )
        return solved


def _between(a: Orbit, b: Orbit, share: float) -> Orbit:
    """Return the curve that divides the way from one to another on the same mesh."""
    return Orbit(
        a.profile + share * (b.profile - a.profile), a.mesh, a.period + share * (b.period - a.period),
        a.value + share * (b.value - a.value),
    )  # fmt: skip


def cycle_events(
    problem: CycleProblem, a: CycleNode, b: CycleNode
) -> list[tuple[CycleNode, SpecialPoint]]:
    """Return what lies between two points, in order along the branch."""
    found: list[tuple[float, CycleNode, SpecialPoint]] = []
    for kind in _suspected(problem, a, b):
        found += list(_located(problem, a, b, kind))
    found.sort(key=lambda event: event[0])
    return [(node, point) for _, node, point in found]


def _suspected(problem: CycleProblem, a: CycleNode, b: CycleNode) -> Iterator[_Kind]:
    """Yield what the test functions at the two ends tell of."""
    planar = len(a.multipliers) < 3
    folded, reliable = _turns(a, b), max(a.trivial_error, b.trivial_error) < RELIABLE
    crossed = reliable and _crosses_branch(problem, a, b)
    if folded:
        # The branch that leaves a pitchfork turns back in the parameter where the other crosses it.
        word = "branch point" if crossed else "fold"
        test = _divergence if planar else _turning
        yield _Kind(word, test, lambda solved: 0.0)
    elif crossed:
        gap = normal_forms.branch_test(problem)
        yield _Kind("branch point", gap, lambda s: abs(gap(s)))
    if not reliable:
        return
    if not planar and flips(a.multipliers) * flips(b.multipliers) < 0:
        yield _Kind("period doubling", lambda s: flips(s.multipliers),
                    lambda s: from_minus_one(s.multipliers))  # fmt: skip
    if not planar and pairs_outside(a.multipliers) != pairs_outside(b.multipliers):
        yield _Kind("torus point", lambda s: pair_at_circle(s.multipliers),
                    lambda s: abs(pair_at_circle(s.multipliers)))  # fmt: skip


def _turns(a: CycleNode, b: CycleNode) -> bool:
    """Whether the branch goes the other way in the parameter at the second point."""
    planar = len(a.multipliers) < 3
    return a.divergence * b.divergence < 0 if planar else a.tangent * b.tangent < 0


def _turning(solved: Solved) -> float:
    """Return the parameter's part of the tangent."""
    return float(solved.direction_q[1])


def _divergence(solved: Solved) -> float:
    return solved.divergence


def _crosses_branch(problem: CycleProblem, a: CycleNode, b: CycleNode) -> bool:
    """Whether the determinant changes sign; on different meshes it is computed anew on one."""
    if len(a.orbit.mesh) == len(b.orbit.mesh):
        return a.sign * b.sign < 0
    span = _Span.between(problem, a.orbit, b.orbit, max(len(a.orbit.mesh), len(b.orbit.mesh)) - 1)
    ends = span.at(0.0), span.at(1.0)
    return ends[0] is not None and ends[1] is not None and ends[0].sign * ends[1].sign < 0


def _located(
    problem: CycleProblem, a: CycleNode, b: CycleNode, kind: _Kind
) -> Iterator[tuple[float, CycleNode, SpecialPoint]]:
    """Yield the point between two nodes; nothing if what seemed to change does not."""
    count = max(len(a.orbit.mesh), len(b.orbit.mesh)) - 1
    coarse = _root(_Span.between(problem, a.orbit, b.orbit, count), kind.test)
    if coarse is None:
        return
    fine = _root(_Span.between(problem, a.orbit, b.orbit, 2 * count), kind.test, guess=coarse[0])
    place, solved = fine or coarse
    change = abs(solved.orbit.value - coarse[1].orbit.value) / max(
        abs(solved.orbit.value), 1e-3 * problem.span
    )
    if kind.miss(solved) > _CONFIRMED >= kind.miss(coarse[1]):
        place, solved = coarse  # at a branch point round-off can keep the finer mesh from its root
    solved = _followed(problem, a, b, solved)
    reason = ""
    if fine is None:
        reason = "the defining equations could not be solved on a finer mesh"
    elif kind.miss(solved) > _CONFIRMED:
        reason = f"its defining condition is missed by {kind.miss(solved):.1e}"
    node = replace(CycleNode.of(solved), tangent=a.tangent)
    yield place, node, _point(problem, solved, kind.word, change, reason)


def _followed(problem: CycleProblem, a: CycleNode, b: CycleNode, solved: Solved) -> Solved:
    """Return a solution with the direction of the chord: at a branch point it has no tangent of its own."""
    span = _Span.between(problem, a.orbit, b.orbit, len(solved.orbit.mesh) - 1)
    row = along(problem, span.a, span.b, span.units)
    return solved._replace(direction=row.states, direction_q=row.ends)


def _root(span: _Span, test: Test, *, guess: float | None = None) -> tuple[float, Solved] | None:
    """Return where along the span a test function vanishes; None if it does not change sign.

    Chandrupatla's method (1997, Adv. Eng. Softw. 28, 145): inverse quadratic interpolation where that can
    be trusted, else bisection.
    """
    bracket = None if guess is None else _bracket(span, test, guess - _NEAR, guess + _NEAR)
    if bracket is None or bracket[0][2] * bracket[1][2] >= 0:
        bracket = _bracket(span, test, 0.0, 1.0)
    if bracket is None:
        return None
    if bracket[0][2] * bracket[1][2] >= 0:
        # Where a branch stands upright the signs are round-off's, and change with the mesh.
        place, least, value = min(bracket, key=lambda end: abs(end[2]))
        return (place, least) if abs(value) < _UPRIGHT else None
    (b, solved_b, at_b), (a, solved_a, at_a) = bracket
    share = at_a / (at_a - at_b)  # of the way from a to b
    for _ in range(_ITERATIONS):
        s = a + share * (b - a)
        ends = (a, solved_a.orbit), (b, solved_b.orbit)
        solved = span.at(s, ends)
        if solved is None:
            s += 0.01 * (b - a)
            solved = span.at(s, ends)
        if solved is None:
            # At a branch point itself the equations are singular: the cycle is that between its neighbours.
            s = a - at_a * (b - a) / (at_b - at_a)
            orbit = _between(solved_a.orbit, solved_b.orbit, (s - a) / (b - a))
            return s, solved_a._replace(orbit=orbit)
        now = test(solved)
        if now * at_a > 0:
            c, at_c = a, at_a
        else:
            c, at_c = b, at_b
            b, solved_b, at_b = a, solved_a, at_a
        a, solved_a, at_a = s, solved, now
        if min(abs(at_a), abs(at_b)) < _ZERO or abs(b - a) < _BRACKET:
            break
        x, y = (a - b) / (c - b), (at_a - at_b) / (at_c - at_b)
        share = 0.5
        if y * y < x and (1.0 - y) ** 2 < 1.0 - x:
            share = at_a / (at_b - at_a) * at_c / (at_b - at_c)
            share += (c - a) / (b - a) * at_a / (at_c - at_a) * at_b / (at_c - at_b)
        away = 0.5 * _BRACKET / abs(b - a)
        share = min(max(share, away), 1.0 - away)
    return (a, solved_a) if abs(at_a) <= abs(at_b) else (b, solved_b)


def _bracket(
    span: _Span, test: Test, left: float, right: float
) -> tuple[tuple[float, Solved, float], tuple[float, Solved, float]] | None:
    """Return both ends with their solutions and values; None if one cannot be solved."""
    first, last = span.at(left), span.at(right)
    if first is None or last is None:
        return None
    return (left, first, test(first)), (right, last, test(last))


def _point(
    problem: CycleProblem, solved: Solved, word: str, change: float, reason: str
) -> SpecialPoint:
    """Build the special point of a kind."""
    orbit = solved.orbit
    system = problem.at(orbit.value)
    multipliers = floquet_order(solved.multipliers)
    cycle = Cycle(system, orbit.period, orbit.mesh, orbit.profile, multipliers,
                  solved.divergence, change)  # fmt: skip
    head: Head = (system, problem.vary, orbit.profile[0], multipliers, change)
    turn: dict[str, Any] = {"period": orbit.period, "orbit": cycle}
    if reason:
        return Unconfirmed(*head, word, reason, **turn)
    try:
        return _with_normal_form(problem, solved, word, head, turn)
    except SingularProblem:
        return without_form(word, head, turn, solved.orbit.profile)


def _with_normal_form(
    problem: CycleProblem, solved: Solved, word: str, head: Head, turn: dict[str, Any]
) -> SpecialPoint:
    """Return the point with its coefficients."""
    if word == "fold":
        fold = normal_forms.fold_form(problem, solved)
        return Fold(*head, fold.coefficient, eigenvector=fold.eigenvector, **turn)
    if word == "period doubling":
        flip = normal_forms.flip_form(problem, solved)
        return PeriodDoubling(
            *head, flip.coefficient, flip.crossing_speed, flip.eigenvector, **turn
        )
    if word == "torus point":
        angle = angle_of_pair(solved.multipliers)
        torus = normal_forms.torus_form(problem, solved, angle)
        return Torus(
            *head, angle, torus.coefficient, torus.crossing_speed, torus.eigenvector, **turn
        )
    branches = normal_forms.branch_form(problem, solved)
    form = branches.form
    return BranchPoint(*head, branches.tangents, form.kind, form.coefficients, **turn)


def without_form(word: str, head: Head, turn: dict[str, Any], profile: Vector) -> SpecialPoint:
    """Return the point where a higher singularity leaves no coefficients."""
    nothing = float("nan")
    if word == "fold":
        return Fold(*head, nothing, **turn)
    if word == "period doubling":
        return PeriodDoubling(*head, nothing, nothing, np.full(profile.shape, nothing), **turn)
    if word == "torus point":
        unknown = np.full(profile.shape, complex(nothing))
        return Torus(*head, angle_of_pair(head[3]), nothing, complex(nothing), unknown, **turn)
    tangents = np.full((2, profile.size + 2), nothing)
    return BranchPoint(*head, tangents, "degenerate", (nothing,) * 3, **turn)


def meeting(
    problem: CycleProblem, a: CycleNode, b: CycleNode, test: Callable[[Orbit], float]
) -> Orbit | None:
    """Return the cycle between two points at which a function of it vanishes, or the nearest to it."""
    count = max(len(a.orbit.mesh), len(b.orbit.mesh)) - 1
    found = _root(
        _Span.between(problem, a.orbit, b.orbit, count), lambda solved: test(solved.orbit)
    )
    return None if found is None else found[1].orbit


def without_echoes(
    found: list[tuple[int, CycleNode, SpecialPoint]], nodes: Sequence[CycleNode], span: float
) -> list[tuple[int, CycleNode, SpecialPoint]]:
    """Return the events with folds that only round-off tells apart taken together.

    Where a branch stands upright to round-off (a canard explosion), the parameter's part of the tangent
    changes sign at random: such folds are one if the branch has turned between the first and the last,
    else none.
    """
    kept: list[tuple[int, CycleNode, SpecialPoint]] = []
    cluster: list[tuple[int, CycleNode, SpecialPoint]] = []

    def close() -> None:
        if cluster:
            sure = [event for event in cluster if isinstance(event[2], Fold)]
            turned = _turns(nodes[cluster[0][0]], nodes[cluster[-1][0] + 1])
            kept.extend((sure or cluster)[:1] if turned else [])
            cluster.clear()

    for event in found:
        if not _is_fold(event[2]):
            close()
            kept.append(event)
            continue
        if cluster and abs(event[2].value - cluster[-1][2].value) > _SAME * span:
            close()
        cluster.append(event)
    close()
    return kept


def _is_fold(point: SpecialPoint) -> bool:
    return isinstance(point, Fold) or (isinstance(point, Unconfirmed) and point.suspected == "fold")
