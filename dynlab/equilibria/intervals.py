"""Interval arithmetic on expression trees: the values of an expression on a box.

For every point x of a box X the value f(x) lies in the computed [lo, hi]; nothing is promised about
sharpness.  All operations work on arrays of boxes at once.  References: R. E. Moore, R. B.
Kearfott, M. J. Cloud, Introduction to Interval Analysis, SIAM 2009, chapters 2-5; IEEE 1788-2015
for operations at infinite ends.

Rounding.  Sums, products, quotients and roots are correctly rounded (IEEE 754): one `nextafter`
outwards is enough.  Library functions (exp, sin, ...) are not: numpy states at most 4 units in the
last place, we go out by 8.  The derivatives f of the primitives in `dynlab.kernels.removable` are
good to 2e-14 (|f| + |x f'|) up to order 5 and 2e-12 (...) up to order 8; we go out five times as
far, and claim nothing that needs a higher order.

What fails.  Where an operation is not defined on the whole box (log of something that may be
negative, a pole), or not continuous on it (sign, heaviside, floor, a `where` that is not decided),
the box is marked in `Image.regular`.  Its interval stays a valid enclosure (the whole line when
nothing is known), but no theorem that needs a continuous function may be applied there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Tree = tuple[Any, ...]
Faults = list[Any]  # masks of boxes on which an operation was not defined or not continuous

LIBRARY_ULPS = 8  # numpy's documented bound is 4
SIGMOID_ULPS = 16  # exp, a sum and a quotient
REMOVABLE_ERRORS = (1e-13,) * 6 + (1e-11,) * 3  # by order, relative to |f| + |x f'|
REPEATED_MULTIPLICATION = 64  # integer powers up to here are products, each rounded outwards
SLACK = 1e-14  # relative error in placing the extrema of sin and cos; too large is safe
LARGEST = np.finfo(float).max
ZERO = np.array(0.0)
INFINITY, MINUS_INFINITY = np.array(np.inf), np.array(-np.inf)
EPSILON = np.finfo(float).eps


class Program(Protocol):
    """What is read of a lowered program: names, common subexpressions in order, outputs."""

    # read-only, so that a frozen dataclass fits
    @property
    def states(self) -> Sequence[str]:
        """Names of the states."""

    @property
    def parameters(self) -> Sequence[str]:
        """Names of the parameters."""

    @property
    def assignments(self) -> Sequence[tuple[str, Tree]]:
        """Names and trees of common subexpressions."""

    @property
    def outputs(self) -> Sequence[Tree]:
        """One tree per number."""


@dataclass(frozen=True, slots=True)
class Interval:
    """All real numbers from `lo` to `hi`, for each box; infinite ends are allowed."""

    lo: Array
    hi: Array


Names = dict[str, tuple[Interval, Faults]]


@dataclass(frozen=True, slots=True)
class Image:
    """Enclosures of all outputs: `lower`, `upper` (boxes, outputs); `regular` (boxes)."""

    lower: Array
    upper: Array
    regular: Mask


def evaluate(program: Program, parameters: Sequence[float], lower: Array, upper: Array) -> Image:
    """Enclose every output of a program on every box.

    Parameters
    ----------
    program
        Assignments and outputs as expression trees.
    parameters
        Values in the order of ``program.parameters``; taken as exact.
    lower, upper
        Ends of the boxes, shape (boxes, states).
    """
    names: Names = {
        name: (Interval(lower[:, i], upper[:, i]), []) for i, name in enumerate(program.states)
    }
    for name, value in zip(program.parameters, parameters, strict=True):
        names[name] = (_point(float(value)), [])
    faults: Faults = []
    with np.errstate(all="ignore"):
        for name, tree in program.assignments:
            own: Faults = []
            names[name] = (enclose(tree, names, own), own)
        outputs = [enclose(tree, names, faults) for tree in program.outputs]
    boxes = lower.shape[0]
    image = Image(
        np.empty((boxes, len(outputs))), np.empty((boxes, len(outputs))), np.ones(boxes, bool)
    )
    for i, output in enumerate(outputs):
        image.lower[:, i] = np.where(np.isnan(output.lo), -np.inf, output.lo)
        image.upper[:, i] = np.where(np.isnan(output.hi), np.inf, output.hi)
    for fault in faults:
        image.regular[...] &= ~np.asarray(fault)
    return image


def enclose(tree: Tree, names: Names, faults: Faults) -> Interval:
    """Enclose one expression; boxes where it is not defined or continuous go to `faults`."""
    node = tree[0]
    if node == "name":
        return _named(tree[1], names, faults)
    if node in {"integer", "rational", "real", "constant"}:
        return _constant(tree, faults)
    if node == "add":
        return _fold(_add, tree[1:], names, faults)
    if node == "mul":
        return _fold(_multiply, tree[1:], names, faults)
    if node == "pow":
        return _power(enclose(tree[1], names, faults), enclose(tree[2], names, faults), faults)
    if node == "where":
        return _where(tree, names, faults)
    if node == "call":
        return _call(tree, names, faults)
    return _unknown(faults)


def _named(name: str, names: Names, faults: Faults) -> Interval:
    """Look up the value and what went wrong in computing it: in a branch not taken no harm."""
    if name not in names:
        return _unknown(faults)
    value, own = names[name]
    if own:
        own[:] = [np.logical_or.reduce(np.broadcast_arrays(*own))]
        faults.extend(own)
    return value


def _fold(
    operation: Callable[[Interval, Interval], Interval],
    trees: Sequence[Tree],
    names: Names,
    faults: Faults,
) -> Interval:
    total = enclose(trees[0], names, faults)
    for tree in trees[1:]:
        total = operation(total, enclose(tree, names, faults))
    return total


def _call(tree: Tree, names: Names, faults: Faults) -> Interval:
    name = tree[1]
    if name in REMOVABLE:
        order = tree[3] if len(tree) > 3 else ("integer", 0)
        if order[0] != "integer" or order[1] < 0:
            return _unknown(faults)
        return REMOVABLE[name](enclose(tree[2], names, faults), order[1], faults)
    arguments = [enclose(argument, names, faults) for argument in tree[2:]]
    if name in {"min", "max"}:
        pick = np.minimum if name == "min" else np.maximum
        result = arguments[0]
        for other in arguments[1:]:
            result = Interval(pick(result.lo, other.lo), pick(result.hi, other.hi))
        return result
    if name in UNARY and len(arguments) == 1:
        return UNARY[name](arguments[0], faults)
    if name in BINARY and len(arguments) == 2:
        return BINARY[name](arguments[0], arguments[1], faults)
    return _unknown(faults)


def _constant(tree: Tree, faults: Faults) -> Interval:
    if tree[0] == "constant":
        value = {"pi": math.pi, "e": math.e}.get(tree[1])
        return _unknown(faults) if value is None else _widened(_point(value), 1)
    if tree[0] == "real":
        return _point(float(tree[1]))
    return _nearest(Fraction(*tree[1:]))


def _nearest(number: Fraction) -> Interval:
    """Take an exact number as a point if it is a double, else the doubles around it."""
    try:
        value = float(number)
    except OverflowError:
        return Interval(MINUS_INFINITY, INFINITY)
    point = _point(value)
    return point if Fraction(value) == number else _widened(point, 1)


def _point(value: float) -> Interval:
    exact = np.array(value)
    if not math.isfinite(value):
        return Interval(MINUS_INFINITY, INFINITY)
    return Interval(exact, exact)


def _unknown(faults: Faults) -> Interval:
    faults.append(True)
    return Interval(MINUS_INFINITY, INFINITY)


def _whole_line(where: Any, x: Interval, faults: Faults) -> Interval:
    """Put the whole line on the marked boxes; what is not a number never survives."""
    lost = where | np.isnan(x.lo) | np.isnan(x.hi)
    if np.any(lost):
        faults.append(lost)
        return Interval(np.where(lost, -np.inf, x.lo), np.where(lost, np.inf, x.hi))
    return x


def _down(x: Array) -> Array:
    return np.nextafter(x, -np.inf)


def _up(x: Array) -> Array:
    return np.nextafter(x, np.inf)


def _widened(x: Interval, ulps: int) -> Interval:
    """Go outwards by some units in the last place; an overflowed lower end comes back."""
    if ulps == 1:
        return Interval(_down(x.lo), _up(x.hi))
    below = np.clip(x.lo, -np.inf, LARGEST)
    above = np.clip(x.hi, -LARGEST, np.inf)
    return Interval(
        _down(below - ulps * EPSILON * np.abs(below)) - ulps * 5e-324,
        _up(above + ulps * EPSILON * np.abs(above)) + ulps * 5e-324,
    )


def _clipped(x: Interval, low: float, high: float) -> Interval:
    return Interval(np.clip(x.lo, low, high), np.clip(x.hi, low, high))


def _is_point(x: Interval) -> bool:
    return bool(np.ndim(x.lo) == 0 and np.ndim(x.hi) == 0 and x.lo == x.hi)


def _add(a: Interval, b: Interval) -> Interval:
    if _is_point(a) and _is_point(b) and np.isfinite(a.lo + b.lo):
        # n - 1 in x**(n - 1) must stay a whole number
        return _nearest(Fraction(float(a.lo)) + Fraction(float(b.lo)))
    return Interval(_down(a.lo + b.lo), _up(a.hi + b.hi))


def _subtract(a: Interval, b: Interval) -> Interval:
    return Interval(_down(a.lo - b.hi), _up(a.hi - b.lo))


def _negative(a: Interval) -> Interval:
    return Interval(-a.hi, -a.lo)


def _multiply(a: Interval, b: Interval) -> Interval:
    """Take the extremes of the four products; 0 * infinity is 0: infinite ends are limits."""
    if _is_point(b):
        a, b = b, a
    if _is_point(a) and np.isfinite(a.lo):
        return _scaled(b, float(a.lo))
    products = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi]
    if any(np.isnan(product).any() for product in products):
        products = [np.where(np.isnan(product), 0.0, product) for product in products]
    low = np.minimum(np.minimum(products[0], products[1]), np.minimum(products[2], products[3]))
    high = np.maximum(np.maximum(products[0], products[1]), np.maximum(products[2], products[3]))
    return Interval(_down(low), _up(high))


def _scaled(x: Interval, factor: float) -> Interval:
    if factor == 1.0:
        return x
    if factor == -1.0:
        return _negative(x)
    if factor == 0.0:
        return Interval(ZERO, ZERO)
    ends = (factor * x.lo, factor * x.hi)
    return (
        Interval(_down(ends[0]), _up(ends[1]))
        if factor > 0
        else Interval(_down(ends[1]), _up(ends[0]))
    )


def _reciprocal(x: Interval, faults: Faults) -> Interval:
    """1 / x; a half line when x touches 0 from one side, the whole line when 0 is inside."""
    touching = (x.lo <= 0) & (x.hi >= 0)
    if not np.any(touching):
        return Interval(_down(1.0 / x.hi), _up(1.0 / x.lo))
    faults.append(touching)
    from_below, from_above = touching & (x.lo < 0), touching & (x.hi > 0)
    low = np.where(x.hi != 0, _down(1.0 / x.hi), -np.inf)
    high = np.where(x.lo != 0, _up(1.0 / x.lo), np.inf)
    return Interval(np.where(from_below, -np.inf, low), np.where(from_above, np.inf, high))


def _power(base: Interval, exponent: Interval, faults: Faults) -> Interval:
    if _is_point(exponent):
        value = float(exponent.lo)
        if value == 0.5:
            return _square_root(base, faults)
        if value.is_integer() and abs(value) < 2**31:
            return _integer_power(base, int(value), faults)
    return _general_power(base, exponent, faults)


def _general_power(x: Interval, y: Interval, faults: Faults) -> Interval:
    """Raise to x^y = exp(y log x), x >= 0: y log x is bilinear, the extremes are in the corners."""
    faults.append((x.lo <= 0) & (y.lo <= 0))  # 0 to a power below 0 is infinite
    ends = (np.maximum(x.lo, 0.0), np.maximum(x.hi, 0.0))
    corners = np.broadcast_arrays(*[np.power(end, other) for end in ends for other in (y.lo, y.hi)])
    hull = Interval(np.minimum.reduce(corners), np.maximum.reduce(corners))
    return _whole_line(x.lo < 0, _clipped(_widened(hull, LIBRARY_ULPS), 0.0, np.inf), faults)


def _integer_power(x: Interval, exponent: int, faults: Faults) -> Interval:
    if exponent < 0:
        return _reciprocal(_integer_power(x, -exponent, faults), faults)
    if exponent == 0:
        return _point(1.0)
    if exponent == 1:
        return x
    if exponent % 2 == 0:
        nearest, farthest = _absolute_ends(x)
        return Interval(_raised_down(nearest, exponent), _raised_up(farthest, exponent))
    if np.all(x.lo >= 0):
        return Interval(_raised_down(x.lo, exponent), _raised_up(x.hi, exponent))
    size_lo, size_hi = np.abs(x.lo), np.abs(x.hi)
    low = np.where(x.lo >= 0, _raised_down(size_lo, exponent), -_raised_up(size_lo, exponent))
    high = np.where(x.hi >= 0, _raised_up(size_hi, exponent), -_raised_down(size_hi, exponent))
    return Interval(low, high)


def _absolute_ends(x: Interval) -> tuple[Array, Array]:
    nearest = np.maximum(np.maximum(x.lo, -x.hi), 0.0)
    return nearest, np.maximum(np.abs(x.lo), np.abs(x.hi))


def _raised_down(x: Array, exponent: int) -> Array:
    if exponent > REPEATED_MULTIPLICATION:
        return np.maximum(_widened(Interval(x**exponent, x), LIBRARY_ULPS).lo, 0.0)
    return _raised(x, exponent, lambda product: np.maximum(_down(product), 0.0))


def _raised_up(x: Array, exponent: int) -> Array:
    if exponent > REPEATED_MULTIPLICATION:
        return _widened(Interval(x, x**exponent), LIBRARY_ULPS).hi
    return _raised(
        x,
        exponent,
        lambda product: np.where(product == 0, product + 5e-324 * (x > 0), _up(product)),
    )


def _raised(x: Array, exponent: int, rounded: Callable[[Array], Array]) -> Array:
    """Repeated squaring of a number that is not negative, each product rounded in one direction."""
    result = None
    square = x
    while exponent:
        if exponent & 1:
            result = square if result is None else rounded(result * square)
        exponent >>= 1
        if exponent:
            square = rounded(square * square)
    assert result is not None
    return result


def _square_root(x: Interval, faults: Faults) -> Interval:
    # at 0 only the derivative fails: whoever needs it meets an infinite Jacobian
    root = Interval(np.maximum(_down(np.sqrt(x.lo)), 0.0), _up(np.sqrt(x.hi)))
    return _whole_line(x.lo < 0, root, faults)


def _exponential(x: Interval, faults: Faults) -> Interval:
    return _clipped(_widened(Interval(np.exp(x.lo), np.exp(x.hi)), LIBRARY_ULPS), 0.0, np.inf)


def _logarithm(x: Interval, faults: Faults) -> Interval:
    """At 0 the logarithm is -infinity: a half line; below it is nothing: the whole line."""
    faults.append(x.lo <= 0)
    values = _widened(Interval(np.log(x.lo), np.log(x.hi)), LIBRARY_ULPS)
    return _whole_line(x.lo < 0, values, faults)


def _logarithm_of_1_plus(x: Interval, faults: Faults) -> Interval:
    faults.append(x.lo <= -1)
    values = _widened(Interval(np.log1p(x.lo), np.log1p(x.hi)), LIBRARY_ULPS)
    return _whole_line(x.lo < -1, values, faults)


def _increasing(
    function: Callable[[Array], Array],
    low: float = -np.inf,
    high: float = np.inf,
    ulps: int = LIBRARY_ULPS,
) -> Callable[[Interval, Faults], Interval]:
    def enclosed(x: Interval, faults: Faults) -> Interval:
        return _clipped(_widened(Interval(function(x.lo), function(x.hi)), ulps), low, high)

    return enclosed


def _contains_multiple(x: Interval, offset: float, period: float) -> Any:
    """Whether offset + k period may lie in x for some integer k; true when in doubt."""
    first, last = (x.lo - offset) / period, (x.hi - offset) / period
    slack = SLACK * (1.0 + np.abs(first) + np.abs(last))
    reached = np.floor(last + slack) >= np.ceil(first - slack)
    return reached | ~np.isfinite(first) | ~np.isfinite(last)


def _wave(
    function: Callable[[Array], Array], top: float, bottom: float
) -> Callable[[Interval, Faults], Interval]:
    def enclosed(x: Interval, faults: Faults) -> Interval:
        ends = (function(x.lo), function(x.hi))
        hull = _widened(Interval(np.minimum(*ends), np.maximum(*ends)), LIBRARY_ULPS)
        low = np.where(_contains_multiple(x, bottom, 2 * math.pi), -1.0, hull.lo)
        high = np.where(_contains_multiple(x, top, 2 * math.pi), 1.0, hull.hi)
        return _clipped(Interval(low, high), -1.0, 1.0)

    return enclosed


def _tangent(x: Interval, faults: Faults) -> Interval:
    values = _widened(Interval(np.tan(x.lo), np.tan(x.hi)), LIBRARY_ULPS)
    return _whole_line(_contains_multiple(x, math.pi / 2, math.pi), values, faults)


def _hyperbolic_cosine(x: Interval, faults: Faults) -> Interval:
    nearest, farthest = _absolute_ends(x)
    return _clipped(
        _widened(Interval(np.cosh(nearest), np.cosh(farthest)), LIBRARY_ULPS), 1.0, np.inf
    )


def _arc_sine(x: Interval, faults: Faults) -> Interval:
    values = _widened(Interval(np.arcsin(x.lo), np.arcsin(x.hi)), LIBRARY_ULPS)
    return _whole_line((x.lo < -1) | (x.hi > 1), values, faults)


def _arc_cosine(x: Interval, faults: Faults) -> Interval:
    values = _widened(Interval(np.arccos(x.hi), np.arccos(x.lo)), LIBRARY_ULPS)
    return _whole_line((x.lo < -1) | (x.hi > 1), values, faults)


def _absolute(x: Interval, faults: Faults) -> Interval:
    return Interval(*_absolute_ends(x))


def _sign(x: Interval, faults: Faults) -> Interval:
    faults.append((x.lo <= 0) & (x.hi >= 0))
    return Interval(np.sign(x.lo), np.sign(x.hi))


def _heaviside(x: Interval, faults: Faults) -> Interval:
    faults.append((x.lo <= 0) & (x.hi >= 0))
    return Interval(np.heaviside(x.lo, 0.5), np.heaviside(x.hi, 0.5))


def _floor(x: Interval, faults: Faults) -> Interval:
    floors = Interval(np.floor(x.lo), np.floor(x.hi))
    faults.append(floors.lo != floors.hi)
    return floors


def _logistic(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


def _remainder(a: Interval, b: Interval, faults: Faults) -> Interval:
    """Enclose a - b floor(a / b), which lies between 0 and b."""
    quotient = _multiply(a, _reciprocal(b, faults))
    whole = _floor(quotient, faults)
    exact = _subtract(a, _multiply(b, whole))
    low, high = np.minimum(b.lo, 0.0), np.maximum(b.hi, 0.0)
    limited = Interval(np.maximum(exact.lo, low), np.minimum(exact.hi, high))
    decided = (whole.lo == whole.hi) & (limited.lo <= limited.hi)
    result = Interval(np.where(decided, limited.lo, low), np.where(decided, limited.hi, high))
    return _whole_line((b.lo <= 0) & (b.hi >= 0), result, faults)


def _angle(y: Interval, x: Interval, faults: Faults) -> Interval:
    """Use the arc tangent in three half planes; elsewhere the whole circle, cut at x < 0."""
    arc = UNARY["atan"]
    quarter = _widened(_point(math.pi / 2), 1)
    ignored: Faults = []
    right = arc(_multiply(y, _reciprocal(x, ignored)), ignored)
    slope = arc(_multiply(x, _reciprocal(y, ignored)), ignored)
    upper, lower = _subtract(quarter, slope), _subtract(_negative(quarter), slope)
    cases = [x.lo > 0, y.lo > 0, y.hi < 0]
    circle = np.nextafter(math.pi, 4.0)
    faults.append(~(cases[0] | cases[1] | cases[2]))
    return Interval(
        np.select(cases, [right.lo, upper.lo, lower.lo], -circle),
        np.select(cases, [right.hi, upper.hi, lower.hi], circle),
    )


def _where(tree: Tree, names: Names, faults: Faults) -> Interval:
    """One branch where the condition is decided; the hull of both, and a mark, where it is not."""
    yes, no = _decide(tree[1], names, faults)
    faults_yes: Faults = []
    faults_no: Faults = []
    a, b = enclose(tree[2], names, faults_yes), enclose(tree[3], names, faults_no)
    faults.append(~(yes | no))
    faults.extend(np.logical_and(~no, fault) for fault in faults_yes)
    faults.extend(np.logical_and(~yes, fault) for fault in faults_no)
    low = np.where(yes, a.lo, np.where(no, b.lo, np.minimum(a.lo, b.lo)))
    high = np.where(yes, a.hi, np.where(no, b.hi, np.maximum(a.hi, b.hi)))
    return Interval(low, high)


def _decide(condition: Tree, names: Names, faults: Faults) -> tuple[Any, Any]:
    """Masks: true on the whole box, false on the whole box."""
    kind = condition[0]
    if kind in {"true", "false"}:
        return np.bool_(kind == "true"), np.bool_(kind == "false")
    if kind == "not":
        yes, no = _decide(condition[1], names, faults)
        return no, yes
    if kind in {"and", "or"}:
        parts = [_decide(part, names, faults) for part in condition[1:]]
        every, any_ = np.logical_and.reduce, np.logical_or.reduce
        first, second = (every, any_) if kind == "and" else (any_, every)
        return (
            first(np.broadcast_arrays(*[part[0] for part in parts])),
            second(np.broadcast_arrays(*[part[1] for part in parts])),
        )
    if kind not in COMPARISONS:
        faults.append(True)
        return np.zeros((), bool), np.zeros((), bool)
    return COMPARISONS[kind](
        enclose(condition[1], names, faults), enclose(condition[2], names, faults)
    )


def _equal(a: Interval, b: Interval) -> tuple[Any, Any]:
    same = (a.lo == a.hi) & (b.lo == b.hi) & (a.lo == b.lo)
    return same, (a.hi < b.lo) | (a.lo > b.hi)


COMPARISONS: dict[str, Callable[[Interval, Interval], tuple[Any, Any]]] = {
    "lt": lambda a, b: (a.hi < b.lo, a.lo >= b.hi),
    "le": lambda a, b: (a.hi <= b.lo, a.lo > b.hi),
    "gt": lambda a, b: (a.lo > b.hi, a.hi <= b.lo),
    "ge": lambda a, b: (a.lo >= b.hi, a.hi < b.lo),
    "eq": _equal,
    "ne": lambda a, b: _equal(a, b)[::-1],
}


@cache
def _primitive(name: str) -> Callable[[Array, int], Array]:
    """Load a compiled primitive for arrays; only on first use, since numba is slow to load."""
    from dynlab.kernels import removable

    return np.vectorize(getattr(removable, name), otypes=[float])


def _removable(name: str, x: Array, order: int) -> Interval:
    """Evaluate a primitive at points, with its error."""
    if order >= len(REMOVABLE_ERRORS):
        return Interval(MINUS_INFINITY, INFINITY)
    primitive = _primitive(name)
    value, slope = primitive(x, order), primitive(x, order + 1)
    error = REMOVABLE_ERRORS[order] * (np.abs(value) + np.abs(x * slope))
    return Interval(_down(value - error), _up(value + error))


def _monotone(name: str, x: Interval, order: int, ends: tuple[float, float]) -> Interval:
    at_lo, at_hi = _removable(name, x.lo, order), _removable(name, x.hi, order)
    # the smaller and the larger of the two ends, whichever way the function goes
    low, high = np.fmin(at_lo.lo, at_hi.lo), np.fmax(at_lo.hi, at_hi.hi)
    lost = np.isnan(at_lo.lo + at_lo.hi) | np.isnan(at_hi.lo + at_hi.hi)
    return _clipped(Interval(np.where(lost, -np.inf, low), np.where(lost, np.inf, high)), *ends)


def _exprel(x: Interval, order: int, faults: Faults) -> Interval:
    """(e^x - 1) / x: the n-th derivative, int_0^1 s^n e^(s x) ds, is positive and increases."""
    return _monotone("exprel", x, order, (0.0, np.inf))


def _logrel(x: Interval, order: int, faults: Faults) -> Interval:
    """log(1 + x) / x = int_0^1 ds / (1 + s x): derivatives alternate in sign and shrink."""
    outside = x.lo <= -1
    inside = Interval(np.where(outside, 0.0, x.lo), np.where(outside, 0.0, x.hi))
    ends = (-np.inf, 0.0) if order % 2 else (0.0, np.inf)
    return _whole_line(outside, _monotone("logrel", inside, order, ends), faults)


def _bernoulli(x: Interval, order: int, faults: Faults) -> Interval:
    """Enclose x / (e^x - 1): positive, falling, convex; its second derivative even, falling in |x|.

    x / (e^x - 1) = 1 - x/2 + 2 sum_k x^2 / (x^2 + (2 pi k)^2), hence for n >= 2
    |n-th derivative| <= 2 n! zeta(n) / (2 pi)^n.
    """
    if order == 0:
        return _monotone("bernoulli", x, 0, (0.0, np.inf))
    if order == 1:
        return _monotone("bernoulli", x, 1, (-1.0, 0.0))
    if order == 2:
        sixth = 1 / 6 + EPSILON
        return _monotone("bernoulli", Interval(*_absolute_ends(x)), 2, (0.0, sixth))
    return _by_mean_value("bernoulli", _bernoulli_bound, x, order)


def _bernoulli_bound(order: int) -> float:
    # zeta(n) <= 1 + 2^-n (n + 1) / (n - 1): the sum from 3 on lies under its integral
    zeta = 1.0 + 2.0**-order * (order + 1) / (order - 1)
    return 2.0 * math.factorial(order) * zeta / (2 * math.pi) ** order * (1 + 1e-12)


def _sinc(x: Interval, order: int, faults: Faults) -> Interval:
    """sin(x) / x = int_0^1 cos(s x) ds, hence |n-th derivative| <= 1 / (n + 1)."""
    return _by_mean_value("sinc", lambda n: (1 + 1e-12) / (n + 1), x, order)


def _tanhc(x: Interval, order: int, faults: Faults) -> Interval:
    """tanh(x) / x: even, decreasing in |x|, in (0, 1]."""
    if order == 0:
        return _monotone("tanhc", Interval(*_absolute_ends(x)), 0, (0.0, 1.0))
    return _by_mean_value("tanhc", _tanhc_bound, x, order)


def _tanhc_bound(order: int) -> float:
    """Bound by tanh(x) / x = 2 sum_k 1 / (x^2 + a_k^2), a_k = (k - 1/2) pi.

    1 / (x^2 + a^2) = Im 1 / (x - i a) / a, hence |n-th derivative| <= 2 n! sum_k a_k^-(n+2)
    <= 2 n! (2 / pi)^(n+2) (1 + 3^-(n+2) (2n + 5) / (2n + 2)).
    """
    tail = 3.0 ** -(order + 2) * (2 * order + 5) / (2 * order + 2)
    return 2.0 * math.factorial(order) * (2 / math.pi) ** (order + 2) * (1 + tail) * (1 + 1e-12)


def _by_mean_value(name: str, bound: Callable[[int], float], x: Interval, order: int) -> Interval:
    """f(m) +- r max |f'|, within +- max |f|: for derivatives that swing."""
    largest, slope = bound(order), bound(order + 1)
    finite = np.isfinite(x.lo) & np.isfinite(x.hi)
    middle = np.where(finite, 0.5 * x.lo + 0.5 * x.hi, 0.0)
    radius = np.where(finite, _up(np.maximum(x.hi - middle, middle - x.lo)), np.inf)
    centre = _removable(name, middle, order)
    reach = _up(radius * slope)
    # fmax and fmin: what is not a number says nothing beyond the bound
    low = np.fmax(_down(centre.lo - reach), -largest)
    return Interval(low, np.fmin(_up(centre.hi + reach), largest))


_error_function = np.vectorize(math.erf, otypes=[float])

UNARY: dict[str, Callable[[Interval, Faults], Interval]] = {
    "abs": _absolute,
    "acos": _arc_cosine,
    "asin": _arc_sine,
    "atan": _increasing(np.arctan),
    "cos": _wave(np.cos, 0.0, math.pi),
    "cosh": _hyperbolic_cosine,
    "erf": _increasing(_error_function, -1.0, 1.0),
    "exp": _exponential,
    "expm1": _increasing(np.expm1, -1.0),
    "floor": _floor,
    "heaviside": _heaviside,
    "log": _logarithm,
    "log1p": _logarithm_of_1_plus,
    "sigmoid": _increasing(_logistic, 0.0, 1.0, SIGMOID_ULPS),
    "sign": _sign,
    "sin": _wave(np.sin, math.pi / 2, -math.pi / 2),
    "sinh": _increasing(np.sinh),
    "sqrt": _square_root,
    "tan": _tangent,
    "tanh": _increasing(np.tanh, -1.0, 1.0),
}
BINARY: dict[str, Callable[[Interval, Interval, Faults], Interval]] = {
    "atan2": _angle,
    "mod": _remainder,
}
REMOVABLE: dict[str, Callable[[Interval, int, Faults], Interval]] = {
    "bernoulli": _bernoulli,
    "exprel": _exprel,
    "logrel": _logrel,
    "sinc": _sinc,
    "tanhc": _tanhc,
}
