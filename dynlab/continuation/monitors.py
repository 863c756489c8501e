"""What happens between two points of a branch: test functions, and who is asked to locate.

Between consecutive points
- the parameter's part of the tangent changes sign at a fold,
- the determinant of the bordered Jacobian changes sign at a branch point,
- the product of (multiplier + 1) changes sign at a period doubling of a map,
- the number of unstable directions changes by two at a Hopf point, for a map at a torus point.  Real
  eigenvalues cross only at the other points, so these are located first and split the interval; a
  neutral saddle (two real eigenvalues of opposite sign, or two real multipliers with product 1)
  changes no count at all.

A cycle of a map that comes back sooner at a branch point is there one of shorter period: the point is
located as that one's period doubling, and the branch ends (`dynlab.continuation.shorter`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation import large, normal_forms
from dynlab.continuation.curves.equilibrium import EquilibriumCurve
from dynlab.continuation.follow import land
from dynlab.continuation.locate import (
    Located,
    Rejected,
    locate_branch_point,
    locate_flip,
    locate_fold,
    locate_pair,
)
from dynlab.continuation.points import (
    BranchPoint,
    Fold,
    Hopf,
    PeriodDoubling,
    SpecialPoint,
    Torus,
    Unconfirmed,
    UserPoint,
)
from dynlab.continuation.shorter import shorter_period
from dynlab.equilibria.stability import flip_sign, growth, is_neutral, order_of

__all__ = ["Node", "crossings_of", "special_points", "special_point"]

Vector = NDArray[np.float64]

#: At a located point a pair whose real part is below this part of its modulus lies on the axis, and
#: a real eigenvalue below `_ROUND_OFF` of the largest is zero.
_UNDECIDED = 1e-7
_ROUND_OFF = 1e-11
#: Null vectors at a smaller angle's cosine than this are orthogonal: a double zero.
_ORTHOGONAL = 1e-6
#: A tangent (of unit scaled length) whose parameter moves less than this stands upright.
_UPRIGHT = 1e-6
_BISECTIONS = 7


@dataclass(frozen=True, slots=True)
class Node:
    """A point of a branch as the monitors see it (plain unknowns; tangent in scaled arclength)."""

    u: Vector
    tangent: Vector
    eigenvalues: NDArray[np.complex128]
    sign: float
    located: bool = False

    def unstable_range(self, *, discrete: bool) -> tuple[int, int]:
        """Return the least and greatest number of unstable directions consistent with round-off."""
        unstable = growth(self.eigenvalues, discrete=discrete) > 0
        if not self.located:
            return int(np.sum(unstable)), int(np.sum(unstable))
        neutral = is_neutral(self.eigenvalues, discrete=discrete, pair=_UNDECIDED, real=_ROUND_OFF)
        return int(np.sum(unstable & ~neutral)), int(np.sum(unstable | neutral))


@dataclass(frozen=True, slots=True)
class _Span:
    """The piece of a curve between two nodes, as a function of the chord from 0 to 1."""

    curve: EquilibriumCurve
    a: Node
    b: Node

    def point(self, s: float) -> Vector | None:
        """Return the point of the curve over a place of the chord (plain unknowns)."""
        ya, yb = self.a.u / self.curve.scale, self.b.u / self.curve.scale
        chord = yb - ya
        length = float(np.linalg.norm(chord))
        row = chord / length
        y = land(self.curve, ya + s * chord, row, float(row @ ya) + s * length)
        return None if y is None else y * self.curve.scale

    def scaled_point(self, s: float) -> Vector | None:
        """Return the same point in scaled unknowns."""
        u = self.point(s)
        return None if u is None else u / self.curve.scale

    def place(self, u: Vector) -> float:
        """Return where over the chord a point lies; nan if it is far from the span."""
        ya, yb, y = (v / self.curve.scale for v in (self.a.u, self.b.u, u))
        chord = yb - ya
        length = float(np.linalg.norm(chord))
        s = float((y - ya) @ chord) / length**2
        off = float(np.linalg.norm(y - ya - s * chord))
        slack = 0.05 + 1e-6 / length
        return s if -slack <= s <= 1 + slack and off <= 0.5 * length + 1e-6 else float("nan")


def special_points(curve: EquilibriumCurve, a: Node, b: Node) -> list[tuple[Node, SpecialPoint]]:
    """Return what lies between two nodes, in order along the branch."""
    span = _Span(curve, a, b)
    if a.located or b.located:
        real_events: list[tuple[float, Node, SpecialPoint]] = []
    else:
        real_events = list(_real_events(span))
    real_events.sort(key=lambda event: event[0])
    found = [(node, point) for _, node, point in real_events]
    nodes = [a, *(node for node, point in found if not isinstance(point, Unconfirmed)), b]
    pairs = [
        (span.place(node.u), node, point)
        for left, right in itertools.pairwise(nodes)
        for node, point in _pair_points(_Span(curve, left, right), depth=0)
    ]
    return [(n, p) for _, n, p in sorted([*real_events, *pairs], key=lambda event: event[0])]


def _real_events(span: _Span) -> Iterator[tuple[float, Node, SpecialPoint]]:
    """Yield what lies where a real eigenvalue passes zero, or a multiplier 1 or -1."""
    yield from _folds_and_branch_points(span)
    curve = span.curve
    if not curve.shift or not _flips(span.a) * _flips(span.b) < 0:
        return
    guess = _refined(span, _flips)
    yield _accepted(span, locate_flip(curve, guess), "period doubling", guess)


def _flips(node: Node) -> float:
    return float(flip_sign(node.eigenvalues))


def _folds_and_branch_points(span: _Span) -> Iterator[tuple[float, Node, SpecialPoint]]:
    """Yield folds and branch points, where the residual's Jacobian has a zero eigenvalue."""
    a, b = span.a, span.b
    folded = a.tangent[-1] * b.tangent[-1] < 0
    crossed = a.sign * b.sign < 0
    places: list[float] = []
    if span.curve.is_large:
        yield from _events_of_large(span, folded=folded, crossed=crossed)
        return
    if crossed:
        guess = _refined(span, lambda node: node.sign)
        period = shorter_period(span.curve, a.u, b.u)
        if period:
            yield _shortened(span, guess, period)
            return
        found = locate_branch_point(span.curve, guess)
        event = _accepted(span, found, "branch point", guess)
        places.append(event[0])
        yield event
    if folded:
        guess = _refined(span, lambda node: node.tangent[-1])
        found = locate_fold(span.curve, guess)
        if crossed and isinstance(found, Rejected):
            return
        event = _accepted(span, found, "fold", guess)
        if not any(abs(event[0] - other) < 1e-6 for other in places):
            yield event


def _events_of_large(
    span: _Span, *, folded: bool, crossed: bool
) -> Iterator[tuple[float, Node, SpecialPoint]]:
    """Yield the fold of a large network; a branch point is seen and not located there."""
    if folded:
        found = large.locate_fold(span.curve, span.scaled_point, span.b.u - span.a.u)
        guess = span.point(0.5)
        yield _accepted(span, found, "fold", span.a.u if guess is None else guess)
    elif crossed:
        reason = "branch points of networks of this size are not located"
        guess = span.point(0.5)
        yield _accepted(
            span, Rejected(reason), "branch point", span.a.u if guess is None else guess
        )


def _shortened(span: _Span, guess: Vector, period: int) -> tuple[float, Node, SpecialPoint]:
    """Return where a cycle shrinks onto a shorter one: the period doubling of that, if it is half."""
    curve = span.curve
    half = replace(curve, period=period)
    doubled = 2 * period == curve.period
    found = locate_flip(half, guess) if doubled else Rejected(
        f"a cycle of period {curve.period} meets one of period {period}"
    )  # fmt: skip
    place, _, point = _accepted(
        replace(span, curve=half), found, "period doubling" if doubled else "branch point", guess
    )
    along = span.b.u - span.a.u
    u = np.append(point.state, point.value)
    return place, node_at(curve, u, along, located=isinstance(found, Located)), point


def _accepted(
    span: _Span, found: Located | Rejected, suspected: str, guess: Vector
) -> tuple[float, Node, SpecialPoint]:
    """Turn a solution into a point if it lies on the span, else into an unconfirmed one."""
    curve = span.curve
    if isinstance(found, Located):
        place = span.place(found.u)
        if not np.isnan(place):
            point = special_point(curve, found, suspected, span.b.u - span.a.u)
            return place, node_at(curve, found.u, span.b.u - span.a.u, located=True), point
        found = Rejected("the defining equations were solved at another place")
    place = span.place(guess)
    node = node_at(curve, guess, span.b.u - span.a.u)
    point = Unconfirmed(
        curve.at(guess[-1]), curve.vary, guess[:-1], node.eigenvalues, float("inf"), suspected,
        found.reason, curve.period,
    )  # fmt: skip
    return (0.5 if np.isnan(place) else place), node, point


def special_point(
    curve: EquilibriumCurve, found: Located, kind: str, along: Vector
) -> SpecialPoint:
    """Build the point of a kind, with its normal form."""
    u = found.u
    system = curve.at(u[-1])
    head = (system, curve.vary, u[:-1], _sorted_eigenvalues(curve, u), found.accuracy)
    if curve.is_large:
        return large.special_point(curve, found, kind, head)
    if kind == "fold":
        coefficient = normal_forms.fold_coefficient(curve, u)
        return Fold(*head, coefficient, _fold_note(curve, u), curve.period)
    if kind == "Hopf point":
        form = normal_forms.hopf_form(curve, u, found.angle)
        return Hopf(*head, found.angle, form.lyapunov_coefficient, form.crossing_speed,
                    form.eigenvector)  # fmt: skip
    if kind == "torus point":
        ring = normal_forms.torus_form(curve, u, found.angle)
        return Torus(*head, found.angle, ring.coefficient, ring.crossing_speed, ring.eigenvector,
                     curve.period)  # fmt: skip
    if kind == "period doubling":
        flip = normal_forms.flip_form(curve, u)
        return PeriodDoubling(*head, flip.coefficient, flip.crossing_speed, flip.eigenvector,
                              curve.period)  # fmt: skip
    assert found.tangents is not None
    scaled = found.tangents / curve.scale
    direction = along / curve.scale
    match = np.abs(scaled @ direction) / np.linalg.norm(scaled, axis=1)
    tangents = found.tangents[np.argsort(-match)]
    tangents = tangents / np.linalg.norm(tangents / curve.scale, axis=1)[:, None]
    form2 = normal_forms.branch_point_form(curve, u)
    kind = form2.kind
    if np.isnan(form2.coefficients[0]):
        upright = np.min(np.abs(tangents[:, -1]) / curve.scale[-1]) < _UPRIGHT
        kind = "pitchfork" if upright else "transcritical"
    return BranchPoint(*head, tangents, kind, form2.coefficients, curve.period)


def _sorted_eigenvalues(curve: EquilibriumCurve, u: Vector) -> NDArray[np.complex128]:
    """Return the eigenvalues or multipliers at a point, the most unstable first."""
    if curve.is_large:
        return large.eigenvalues_at(curve, u / curve.scale)
    values = curve.scaled(1.0).eigenvalues(u)
    return values[order_of(values, curve.system)]


def _fold_note(curve: EquilibriumCurve, u: Vector) -> str:
    """Name the higher singularity if more than one eigenvalue lies on the imaginary axis."""
    a = curve.jacobian(u / curve.scale)[:, :-1]
    left, _, right = np.linalg.svd(a)
    if curve.shift:
        return _fold_note_of_map(curve, u, float(left[:, -1] @ right[-1]))
    # A double zero has orthogonal null vectors (Kuznetsov section 8.4); no eigenvalue can tell, for
    # there it is only known to the square root of round-off.
    if abs(left[:, -1] @ right[-1]) < _ORTHOGONAL:
        return "Bogdanov-Takens: a double zero eigenvalue"
    values = np.linalg.eigvals(a)
    pairs = values[np.abs(values.imag) > 0]
    if np.any(np.abs(pairs.real) < _UNDECIDED * np.abs(pairs)):
        return "zero-Hopf: a pair crosses the imaginary axis at the same point"
    return ""


def _fold_note_of_map(curve: EquilibriumCurve, u: Vector, cosine: float) -> str:
    if abs(cosine) < _ORTHOGONAL:
        return "1:1 resonance: a double multiplier 1"
    values = curve.eigenvalues(u / curve.scale)
    others = values[np.argsort(np.abs(values - 1.0))[1:]]
    if np.any(np.abs(np.abs(others) - 1.0) < _UNDECIDED):
        return "another multiplier lies on the unit circle"
    return ""


def node_at(curve: EquilibriumCurve, u: Vector, along: Vector, *, located: bool = False) -> Node:
    """Return the monitors' view of a point of the curve; tangent along a given direction."""
    from dynlab.kernels.follow import tangent_at

    n = curve.size
    y = u / curve.scale
    border = along / curve.scale
    border = border / np.linalg.norm(border)
    if curve.is_large:
        turned, at = large.tangent_at(curve, y, border)
        return Node(u, border if located else turned, large.eigenvalues_at(curve, y), at, located)
    tangent, plain = np.empty(n + 1), np.empty((n, n))
    sign = tangent_at(
        curve.jacobian_kernel.address, curve.shift, curve.inputs(u),
        curve.position, y, curve.scale, border, tangent, plain,
    )  # fmt: skip
    if located:
        tangent = border
    return Node(u, tangent, np.linalg.eigvals(plain).astype(complex), float(sign), located)


def _refined(span: _Span, test: Callable[[Node], float]) -> Vector:
    """Bisect towards the change of sign of a test function; a start for Newton's method."""
    left, right = 0.0, 1.0
    at_left = test(span.a)
    guess = 0.5 * (span.a.u + span.b.u)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (left + right)
        u = span.point(middle)
        if u is None:
            break
        guess = u
        if test(node_at(span.curve, u, span.b.u - span.a.u)) * at_left > 0:
            left = middle
        else:
            right = middle
    return guess


def _gap(span: _Span) -> int:
    """Return by how many eigenvalues at least the unstable count changes."""
    discrete = span.curve.system.is_discrete
    a_low, a_high = span.a.unstable_range(discrete=discrete)
    b_low, b_high = span.b.unstable_range(discrete=discrete)
    return max(b_low - a_high, a_low - b_high)


def _pair_points(span: _Span, depth: int) -> Iterator[tuple[Node, SpecialPoint]]:
    """Yield the Hopf or torus points of a span, splitting it until each piece holds one."""
    if _gap(span) < 2:
        return
    if depth < _BISECTIONS:
        u = span.point(0.5)
        if u is not None:
            middle = node_at(span.curve, u, span.b.u - span.a.u)
            yield from _pair_points(_Span(span.curve, span.a, middle), depth + 1)
            yield from _pair_points(_Span(span.curve, middle, span.b), depth + 1)
            return
    guess = 0.5 * (span.a.u + span.b.u)
    reason = "two real eigenvalues become unstable together"
    kind = "torus point" if span.curve.shift else "Hopf point"
    for pair in _critical_pairs(span):
        if span.curve.is_large:
            found = large.locate_hopf(span.curve, span.scaled_point, pair)
        else:
            found = locate_pair(span.curve, guess, pair)
        if isinstance(found, Rejected):
            reason = found.reason
        elif not _near(span, found.u):
            reason = "the defining equations were solved at another place"
        else:
            along = span.b.u - span.a.u
            node = node_at(span.curve, found.u, along, located=True)
            yield node, special_point(span.curve, found, kind, along)
            return
    node = node_at(span.curve, guess, span.b.u - span.a.u)
    yield node, Unconfirmed(
        span.curve.at(guess[-1]), span.curve.vary, guess[:-1], node.eigenvalues, float("inf"),
        kind, reason, span.curve.period,
    )  # fmt: skip


def _near(span: _Span, u: Vector) -> bool:
    """Whether a solution lies at most a few lengths of the (much bisected) span away from it."""
    ya, yb, y = (v / span.curve.scale for v in (span.a.u, span.b.u, u))
    return bool(np.linalg.norm(y - 0.5 * (ya + yb)) <= 3.0 * np.linalg.norm(yb - ya) + 1e-7)


def _critical_pairs(span: _Span) -> Iterator[complex]:
    """Yield the complex eigenvalues that may be crossing: from either side, the one nearest to it.

    Nearness to the imaginary axis, for a map to the unit circle.

    Another pair may lie nearer to the axis and never cross; so each end offers the one that is last
    to cross there, and the defining equations decide.
    """
    for node in (span.a, span.b):
        pairs = node.eigenvalues[node.eigenvalues.imag > 0]
        rate = growth(pairs, discrete=span.curve.system.is_discrete)
        for side in (rate > 0, rate <= 0):
            if side.any():
                yield complex(pairs[side][np.argmin(np.abs(rate[side]))])


def crossings_of(
    curve: EquilibriumCurve, a: Node, b: Node, quantity: Callable[[Vector], float], target: float
) -> Iterator[tuple[Node, float]]:
    """Yield where a quantity takes a value after a, up to b, and how nearly it does (relative)."""
    at_a, at_b = quantity(a.u) - target, quantity(b.u) - target
    if at_b == 0:
        yield b, 0.0
    if not at_a * at_b < 0:
        return
    span = _Span(curve, a, b)
    size = max(abs(target), abs(at_b - at_a))
    left, right, value_left, value_right = 0.0, 1.0, at_a, at_b
    u, value = b.u, at_b
    for step in range(60):
        s = right - value_right * (right - left) / (value_right - value_left)
        if step % 3 == 2 or not left < s < right:
            s = 0.5 * (left + right)
        found = span.point(s)
        if found is None:
            break
        u, value = found, quantity(found) - target
        if abs(value) <= 4e-16 * size or right - left < 1e-14:
            break
        if value * value_left > 0:
            left, value_left = s, value
        else:
            right, value_right = s, value
    yield node_at(curve, u, b.u - a.u), abs(value) / size


def user_point(
    curve: EquilibriumCurve, node: Node, quantity: str, target: float, accuracy: float
) -> UserPoint:
    """Build a user point at a node."""
    system = curve.at(node.u[-1])
    return UserPoint(
        system, curve.vary, node.u[:-1], _sorted_eigenvalues(curve, node.u), accuracy, quantity,
        target, curve.period,
    )  # fmt: skip
