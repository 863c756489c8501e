"""Proved lists of equilibria: what the intervals and the boxes claim must be true.

Laws first: the enclosure of an expression contains its values (checked against 40-digit
arithmetic), and a complete enclosure contains every root that any other method finds.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import reduce

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dynlab.codegen.lower import lower_jacobian, lower_rule
from dynlab.equilibria.enclosure import enclose_zeros
from dynlab.equilibria.intervals import evaluate
from dynlab.symbolic import language as dl
from dynlab.symbolic.define import flow

X, Y = ("name", "x"), ("name", "y")


@dataclass(frozen=True, slots=True)
class Program:
    """The part of a lowered program that is read."""

    states: tuple[str, ...]
    outputs: tuple
    parameters: tuple[str, ...] = ()
    assignments: tuple = ()


def image(tree, lower, upper, states=("x", "y"), **parameters):
    program = Program(states, (tree,), tuple(parameters))
    lower, upper = np.atleast_2d(lower).astype(float), np.atleast_2d(upper).astype(float)
    found = evaluate(program, tuple(parameters.values()), lower, upper)
    return found.lower[0, 0], found.upper[0, 0], bool(found.regular[0])


def real(x):
    return ("real", float(x))


def integer(n):
    return ("integer", n)


def call(name, *arguments):
    return ("call", name, *arguments)


class UndefinedError(Exception):
    """The expression has no real value at this point."""


def _real(x):
    if not isinstance(x, mpmath.mpf) or not mpmath.isfinite(x):
        raise UndefinedError
    return x


PRIMITIVES = {
    "exprel": lambda x: mpmath.expm1(x) / x if x else mpmath.mpf(1),
    "bernoulli": lambda x: x / mpmath.expm1(x) if x else mpmath.mpf(1),
    "sinc": lambda x: mpmath.sin(x) / x if x else mpmath.mpf(1),
    "logrel": lambda x: mpmath.log1p(x) / x if x else mpmath.mpf(1),
    "tanhc": lambda x: mpmath.tanh(x) / x if x else mpmath.mpf(1),
}
FUNCTIONS = {
    "abs": abs,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "heaviside": lambda x: (mpmath.sign(x) + 1) / 2,
    "floor": mpmath.floor,
    "mod": lambda a, b: a - b * mpmath.floor(a / b),
    "min": min,
    "max": max,
}
UNARY = [
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "exp",
    "log",
    "log1p",
    "expm1",
    "sqrt",
    "abs",
    "sign",
    "heaviside",
    "floor",
    "erf",
    "sigmoid",
]
BINARY = ("min", "max", "mod", "atan2")
COMPARISONS = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "eq": operator.eq,
    "ne": operator.ne,
}


def exact(tree, point):
    """The value of a tree in 40-digit arithmetic; UndefinedError where it is not a real number."""
    kind = tree[0]
    if kind == "name":
        return mpmath.mpf(point[tree[1]])
    if kind == "rational":
        return mpmath.mpf(tree[1]) / tree[2]
    if kind in {"integer", "real"}:
        return mpmath.mpf(tree[1])
    if kind == "constant":
        return +getattr(mpmath, tree[1])
    try:
        return _real(_combined(tree, point))
    except (ZeroDivisionError, OverflowError, ValueError, TypeError) as error:
        raise UndefinedError from error


def _combined(tree, point):
    kind = tree[0]
    if kind == "where":
        return exact(tree[2] if holds(tree[1], point) else tree[3], point)
    if kind == "call" and tree[1] in PRIMITIVES:
        x, n = exact(tree[2], point), tree[3][1]
        if tree[1] == "logrel" and x <= -1:
            raise UndefinedError
        # relative to the nearest singularity at distance 1 this step is safe at 40 digits
        return mpmath.diff(PRIMITIVES[tree[1]], x, n) if n else PRIMITIVES[tree[1]](x)
    values = [exact(part, point) for part in tree[(2 if kind == "call" else 1) :]]
    if kind == "add":
        return sum(values, mpmath.mpf(0))
    if kind == "mul":
        return reduce(operator.mul, values)
    if kind == "pow":
        return _real(mpmath.power(*values))
    function = FUNCTIONS.get(tree[1]) or getattr(mpmath, tree[1])
    return mpmath.mpf(function(*values)) if tree[1] != "log1p" else _log1p(values[0])


def _log1p(x):
    if x <= -1:
        raise UndefinedError
    return mpmath.log1p(x)


def holds(condition, point):
    kind = condition[0]
    if kind in {"true", "false"}:
        return kind == "true"
    if kind == "not":
        return not holds(condition[1], point)
    if kind in {"and", "or"}:
        return (all if kind == "and" else any)(holds(part, point) for part in condition[1:])
    return COMPARISONS[kind](exact(condition[1], point), exact(condition[2], point))


numbers = st.one_of(
    st.integers(-4, 4).map(integer),
    st.tuples(st.just("rational"), st.integers(-9, 9), st.integers(1, 9)),
    st.floats(-5, 5, allow_subnormal=False).map(real),
    st.sampled_from([("constant", "pi"), ("constant", "e"), X, Y, X, Y]),
)
exponents = st.one_of(
    st.integers(-3, 5).map(integer),
    st.sampled_from([("rational", 1, 2), ("rational", -1, 2), ("rational", 1, 3), real(2.5)]),
)


def conditions(trees):
    compared = st.tuples(st.sampled_from(sorted(COMPARISONS)), trees, trees)
    return st.one_of(
        compared,
        st.tuples(st.just("not"), compared),
        st.tuples(st.sampled_from(["and", "or"]), compared, compared),
        st.sampled_from([("true",), ("false",)]),
    )


def larger(trees):
    return st.one_of(
        st.tuples(st.sampled_from(["add", "mul"]), trees, trees, trees),
        st.tuples(st.just("pow"), trees, exponents),
        st.tuples(st.just("pow"), trees, trees),
        st.tuples(st.just("call"), st.sampled_from(UNARY), trees),
        st.tuples(st.just("call"), st.sampled_from(BINARY), trees, trees),
        st.tuples(st.just("call"), st.sampled_from(sorted(PRIMITIVES)), trees, st.just(integer(0))),
        st.tuples(st.just("where"), conditions(trees), trees, trees),
    )


expressions = st.recursive(numbers, larger, max_leaves=8)
ends = st.one_of(
    st.floats(-6, 6, allow_subnormal=False), st.integers(-4, 4).map(float), st.just(1e-9)
)
widths = st.sampled_from([0.0, 1e-12, 1e-3, 0.3, 1.0, 3.0, 20.0])
fractions = st.lists(st.floats(0, 1), min_size=4, max_size=4)


def check_inclusion(tree, box, weights):
    """Every value at the corners and at points between lies in the interval."""
    (a, b), (c, d) = box
    low, high, _ = image(tree, [a, c], [b, d])
    assert low <= high
    # What is left of a division by 1e-86 stands a hundred digits behind the first.
    digits = 700 if "mod" in str(tree) else 40
    between = [min(max(a + w * (b - a), a), b) for w in weights]
    beside = [min(max(c + w * (d - c), c), d) for w in weights[::-1]]
    for x, y in [(a, c), (b, d), (a, d), (b, c), *zip(between, beside, strict=True)]:
        try:
            with mpmath.workdps(digits):
                value = exact(tree, {"x": x, "y": y})
        except UndefinedError:
            continue
        # infinite ends hold numbers beyond the doubles as well
        assert low == -np.inf or mpmath.mpf(low) <= value, (x, y, value, low)
        assert high == np.inf or value <= mpmath.mpf(high), (x, y, value, high)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(expressions, ends, widths, ends, widths, fractions)
def test_enclosure_contains_all_values(tree, a, width, c, height, weights):
    check_inclusion(tree, ((a, a + width), (c, c + height)), weights)


@pytest.mark.parametrize("name", [*UNARY, *BINARY])
@settings(max_examples=25, deadline=None, derandomize=True)
@given(data=st.data())
def test_each_function_contains_its_values(name, data):
    arguments = (X, Y) if name in BINARY else (X,)
    big = data.draw(st.sampled_from([1.0, 1.0, 30.0]))
    a, c = big * data.draw(ends), data.draw(ends)
    box = ((a, a + data.draw(widths)), (c, c + data.draw(widths)))
    check_inclusion(call(name, *arguments), box, data.draw(fractions))


@pytest.mark.parametrize("order", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("name", sorted(PRIMITIVES))
@settings(max_examples=12, deadline=None, derandomize=True)
@given(a=ends, width=widths, weights=fractions)
def test_removable_primitives_contain_their_derivatives(name, order, a, width, weights):
    # the quotient that defines them is not differentiable in arithmetic at exactly 0
    assume(order == 0 or min(abs(a), abs(a + width)) > 1e-3)
    weights = [w for w in weights if order == 0 or abs(a + w * width) > 1e-3]
    tree = call(name, X, integer(order))
    check_inclusion(tree, ((a, a + width), (0.0, 0.0)), weights)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.floats(-3, 3), widths, st.sampled_from([2.0, 3.0, 4.0, 2.5, -1.0, 0.7]), fractions)
def test_powers_with_a_parameter_as_exponent(a, width, n, weights):
    low, high, _ = image(
        ("pow", X, ("add", ("name", "n"), integer(-1))), [a], [a + width], "x", n=n
    )
    for w in weights:
        with mpmath.workdps(40):
            x = mpmath.mpf(min(a + w * width, a + width))
            value = x ** (mpmath.mpf(n) - 1) if x else mpmath.mpf(n == 1)
        if isinstance(value, mpmath.mpf) and x > 0:
            assert low <= value <= high


def test_even_powers_and_extrema_are_sharp():
    assert image(("pow", X, integer(2)), [-1], [2], "x")[0] == 0.0
    low, high, regular = image(("pow", X, integer(2)), [-1], [2], "x")
    assert high == pytest.approx(4, rel=1e-15)
    assert regular
    low, high, _ = image(call("sin", X), [1], [2], "x")
    assert high == 1.0
    assert low == pytest.approx(np.sin(1), rel=1e-14)
    low, high, _ = image(call("abs", X), [-1], [2], "x")
    assert (low, high) == (0.0, 2.0)


@pytest.mark.parametrize("name", [*UNARY, "bernoulli", "exprel", "sinc", "logrel", "tanhc"])
def test_a_point_stays_almost_a_point(name):
    order = () if name in UNARY else (integer(0),)
    low, high, _ = image(call(name, X, *order), [0.37], [0.37], "x")
    assert high - low <= 1e-12


@pytest.mark.parametrize(
    "tree",
    [
        call("gamma", X),
        ("pow", X, integer(-1)),
        call("log", X),
        call("sqrt", X),
        ("name", "nobody"),
        ("time",),
        call("logrel", ("mul", integer(9), X), integer(0)),
        call("tan", ("mul", integer(9), X)),
    ],
)
def test_what_is_not_known_is_the_whole_line_even_inside_a_bounded_function(tree):
    low, high, regular = image(tree, [-1], [1], "x")
    assert (low, high) == (-np.inf, np.inf)
    assert not regular
    _, _, regular = image(call("tanh", tree), [-1], [1], "x")
    assert not regular


def test_undecided_branches_give_the_hull_and_a_mark():
    tree = ("where", ("lt", X, real(0.0)), real(-1.0), real(5.0))
    assert image(tree, [-2], [-1], "x") == (-1.0, -1.0, True)
    assert image(tree, [1], [2], "x") == (5.0, 5.0, True)
    assert image(tree, [-1], [1], "x") == (-1.0, 5.0, False)


def test_a_fault_in_a_branch_not_taken_does_no_harm():
    tree = ("where", ("gt", X, real(0.0)), ("name", "shared"), real(1.0))
    program = Program(("x",), (tree,), assignments=(("shared", call("log", X)),))
    found = evaluate(program, (), np.array([[-2.0], [1.0]]), np.array([[-1.0], [2.0]]))
    assert found.regular.all()
    assert found.upper[0, 0] == 1.0
    assert found.lower[1, 0] == pytest.approx(0, abs=1e-12)


@flow
def fitzhugh_nagumo(v=0.0, w=0.0, *, I=0.5, a=0.7, b=0.8, eps=0.08):
    return {v: v - v**3 / 3 - w + I, w: eps * (v + a - b * w)}


@flow
def lorenz(x=0.0, y=0.0, z=0.0, *, sigma=10.0, rho=28.0, beta=8 / 3):
    return {x: sigma * (y - x), y: x * (rho - z) - y, z: x * y - beta * z}


@flow
def morris_lecar(V=0.0, w=0.0, *, I=30.0):
    m = (1 + dl.tanh((V + 1.2) / 18)) / 2
    rest = (1 + dl.tanh((V - 12) / 17.4)) / 2
    ionic = 2 * (V + 60) + 8 * w * (V + 84) + 4 * m * (V - 120)
    return {V: (I - ionic) / 20, w: (rest - w) * dl.cosh((V - 12) / 34.8) / 15}


@flow
def brusselator(x=0.0, y=0.0, *, A=1.0, B=3.0):
    return {x: A + x**2 * y - (B + 1) * x, y: B * x - x**2 * y}


@flow
def nine(x=0.0, y=0.0):
    return {x: x**3 - x, y: y**3 - y}


@flow
def wilson_cowan(E=0.0, I=0.0, *, P=1.25):
    excited = dl.sigmoid(1.3 * (16 * E - 12 * I + P - 4)) - dl.sigmoid(-5.2)
    inhibited = dl.sigmoid(2 * (15 * E - 3 * I - 3.7)) - dl.sigmoid(-7.4)
    return {E: -E + (1 - E) * excited, I: -I + (1 - I) * inhibited}


@flow
def three_switches(x=0.0, y=0.0, z=0.0):
    return {x: -x + dl.tanh(2 * x), y: -y + dl.tanh(2 * y), z: -z + dl.tanh(2 * z)}


@flow
def square(x=0.0):
    return {x: x**2}


@flow
def epidemic(S=0.0, I=0.0, *, beta=0.5, gamma=0.2):
    return {S: -beta * S * I, I: beta * S * I - gamma * I}


@flow
def jansen_rit(y0=0.0, y1=0.0, y2=0.0, y3=0.0, y4=0.0, y5=0.0, *, p=120.0):
    def rate(v):
        return 5 / (1 + dl.exp(0.56 * (6 - v)))

    return {
        y0: y3,
        y1: y4,
        y2: y5,
        y3: 325 * rate(y1 - y2) - 200 * y3 - 10000 * y0,
        y4: 325 * (p + 108 * rate(135 * y0)) - 200 * y4 - 10000 * y1,
        y5: 1100 * 33.75 * rate(33.75 * y0) - 100 * y5 - 2500 * y2,
    }


@flow
def hodgkin_huxley(V=0.0, m=0.0, h=0.0, n=0.0, *, I=10.0):
    a_m = 0.1 * (V + 40) / (1 - dl.exp(-(V + 40) / 10))
    a_n = 0.01 * (V + 55) / (1 - dl.exp(-(V + 55) / 10))
    b_h = 1 / (1 + dl.exp(-(V + 35) / 10))
    return {
        V: I - 120 * m**3 * h * (V - 50) - 36 * n**4 * (V + 77) - 0.3 * (V + 54.4),
        m: a_m * (1 - m) - 4 * dl.exp(-(V + 65) / 18) * m,
        h: 0.07 * dl.exp(-(V + 65) / 20) * (1 - h) - b_h * h,
        n: a_n * (1 - n) - 0.125 * dl.exp(-(V + 65) / 80) * n,
    }


def enclosed(system, lower, upper, **options):
    rule, jacobian = lower_rule(system), lower_jacobian(system)
    return enclose_zeros(rule, jacobian, system.parameter_values, lower, upper, **options)


KNOWN_COUNTS = [
    (fitzhugh_nagumo, (-3, -2), (3, 4), 1),
    (lorenz, (-30, -30, 0), (30, 30, 60), 3),
    (lorenz, (-30, -30, -1), (30, 30, 60), 3),
    (morris_lecar, (-80, 0), (60, 1), 3),
    (brusselator, (0, 0), (5, 5), 1),
    (nine, (-2, -2), (2, 2), 9),
    (nine, (-1, -1), (1, 1), 9),
    (wilson_cowan, (0, 0), (0.5, 0.5), 1),
    (three_switches, (-2, -2, -2), (2, 2, 2), 27),
    (jansen_rit, (-0.1, -10, -10, -10, -100, -100), (0.5, 40, 30, 10, 100, 100), 1),
    (hodgkin_huxley, (-100, 0, 0, 0), (60, 1, 1, 1), 1),
]


@pytest.mark.parametrize(("system", "lower", "upper", "count"), KNOWN_COUNTS)
def test_all_zeros_of_known_systems_are_proved(system, lower, upper, count):
    found = enclosed(system, lower, upper, seconds=20.0)
    assert found.complete, found.reason
    assert len(found.new) == len(found.boxes[0]) == count
    assert found.undecided == 0
    assert found.hull is None
    assert found.reason.startswith("proved: exactly")
    # the cores lie inside the isolating boxes and are narrow
    assert np.all(found.cores[0] > found.boxes[0])
    assert np.all(found.cores[1] < found.boxes[1])
    widths_ = np.subtract(upper, lower)
    assert np.all(found.cores[1] - found.cores[0] < 1e-10 * widths_)


def test_lorenz_zeros_are_the_ones_in_print():
    r = np.sqrt(72.0)
    known = np.array([[0, 0, 0], [r, r, 27], [-r, -r, 27]])
    found = enclosed(lorenz, (-30, -30, 0), (30, 30, 60), known=known)
    assert found.complete
    assert found.new.shape == (0, 3)
    for zero, low, high in zip(known, *found.cores, strict=True):
        assert np.all(low <= zero + 1e-12)
        assert np.all(zero - 1e-12 <= high)


def test_a_zero_that_was_missed_is_returned_as_new():
    known = np.array([[0.0, 0, 0], [0.0, 0, 0], [np.sqrt(72), np.sqrt(72), 27]])
    found = enclosed(lorenz, (-30, -30, 0), (30, 30, 60), known=known)
    assert found.complete
    assert len(found.boxes[0]) == 3
    np.testing.assert_allclose(found.new, [[-np.sqrt(72), -np.sqrt(72), 27]], rtol=1e-12)


def test_known_points_that_are_no_zeros_are_not_believed():
    known = np.array([[1.0, 2.0, 3.0], [np.nan, 0, 0], [1e9, 0, 0]])
    found = enclosed(lorenz, (-30, -30, 0), (30, 30, 60), known=known)
    assert found.complete
    assert len(found.boxes[0]) == 3


def test_a_zero_outside_the_box_does_not_count():
    outside = enclosed(nine, (0.1, 0.1), (0.999, 2.0), known=np.array([[1.0, 1.0]]))
    assert outside.complete
    assert len(outside.boxes[0]) == 0
    assert outside.reason.startswith("proved: no zero")


@pytest.mark.parametrize("gap", [1e-4, 1e-8, 1e-12, 1e-16])
def test_two_zeros_close_to_a_fold_are_told_apart(gap):
    rule = Program(("x",), (("add", ("pow", X, integer(2)), real(-gap)),))
    jacobian = Program(("x",), (("mul", integer(2), X),))
    found = enclose_zeros(rule, jacobian, (), (-1,), (1.3,))
    assert found.complete, found.reason
    np.testing.assert_allclose(np.sort(found.new[:, 0]), [-np.sqrt(gap), np.sqrt(gap)], rtol=1e-12)
    none = Program(("x",), (("add", ("pow", X, integer(2)), real(gap)),))
    assert enclose_zeros(none, jacobian, (), (-1,), (1.3,)).reason.startswith("proved: no zero")


@pytest.mark.parametrize(
    ("system", "lower", "upper"),
    [(square, (-1,), (1,)), (square, (-1,), (1.7,)), (epidemic, (0, 0), (1, 1))],
)
def test_degenerate_zeros_are_named_and_never_proved(system, lower, upper):
    found = enclosed(system, lower, upper)
    assert not found.complete
    assert found.undecided > 0
    assert "degenerate or non-isolated zero near" in found.reason
    assert found.boxes_examined <= 50_000
    assert np.all(found.hull[0] >= np.array(lower))
    assert np.all(found.hull[1] <= np.array(upper))


def test_the_budget_ends_the_search_with_a_reason():
    found = enclosed(three_switches, (-2, -2, -2), (2, 2, 2), budget=20)
    assert not found.complete
    assert found.boxes_examined <= 20
    assert "larger budget" in found.reason
    assert enclosed(three_switches, (-2, -2, -2), (2, 2, 2), seconds=0.0).boxes_examined == 0


def test_a_jump_is_neither_a_zero_nor_skipped():
    # sign(x) - x/2 changes its sign at 0 without a continuous zero there
    rule = Program(("x",), (("add", call("sign", X), ("mul", ("rational", -1, 2), X)),))
    jacobian = Program(("x",), (("rational", -1, 2),))
    found = enclose_zeros(rule, jacobian, (), (-4,), (5,))
    assert not found.complete
    assert "jump" in found.reason
    np.testing.assert_allclose(np.sort(found.new[:, 0]), [-2, 2], rtol=1e-12)


def test_a_kink_is_proved_through_its_one_sided_slopes():
    rule = Program(("x",), (("add", ("mul", integer(2), X), call("abs", X)),))
    jacobian = Program(("x",), (("add", integer(2), call("sign", X)),))
    found = enclose_zeros(rule, jacobian, (), (-4,), (5,))
    assert found.complete
    np.testing.assert_allclose(found.new, [[0.0]], atol=1e-12)


def test_no_zero_is_claimed_where_the_equation_is_not_defined():
    # x + 1.5 + tanh(log(x)) / 10 is bounded as an interval for x < 0, but has no value there
    wave = call("tanh", call("log", X))
    rule = Program(("x",), (("add", X, real(1.5), ("mul", real(0.1), wave)),))
    jacobian = Program(("x",), (integer(1),))
    found = enclose_zeros(rule, jacobian, (), (-2,), (-1,), budget=2000)
    assert not found.complete
    assert len(found.new) == 0
    assert "not defined" in found.reason


def test_an_empty_or_infinite_box_is_refused():
    with pytest.raises(ValueError, match="finite lower end"):
        enclosed(square, (1,), (-1,))
    with pytest.raises(ValueError, match="not finite"):
        enclosed(square, (-np.inf,), (1,))


POWERS = [(i, j) for i in range(4) for j in range(4 - i)]


def monomial(coefficient, i, j):
    return ("mul", real(coefficient), ("pow", X, integer(i)), ("pow", Y, integer(j)))


def planar(coefficients):
    """Programs of two cubic polynomials, and the same as a numpy function with its Jacobian."""
    rule, jacobian = [], []
    for row in coefficients:
        terms = list(zip(row, POWERS, strict=True))
        rule.append(("add", *[monomial(c, i, j) for c, (i, j) in terms]))
        jacobian.append(("add", *[monomial(c * i, max(i - 1, 0), j) for c, (i, j) in terms]))
        jacobian.append(("add", *[monomial(c * j, i, max(j - 1, 0)) for c, (i, j) in terms]))
    return Program(("x", "y"), tuple(rule)), Program(("x", "y"), tuple(jacobian))


def multistart(coefficients, reach, starts=40):
    """Newton's method from a dense grid; the roots inside the box, good to rounding."""
    grid = np.linspace(-reach, reach, starts)
    x, y = (part.ravel() for part in np.meshgrid(grid, grid))
    with np.errstate(all="ignore"):
        for _ in range(40):
            f, (a, b, c, d) = _values_and_slopes(coefficients, x, y)
            det = a * d - b * c
            x, y = x - (d * f[0] - b * f[1]) / det, y - (a * f[1] - c * f[0]) / det
        f, (a, b, c, d) = _values_and_slopes(coefficients, x, y)
        step = np.hypot(d * f[0] - b * f[1], a * f[1] - c * f[0]) / np.abs(a * d - b * c)
        good = (step < 1e-10) & (np.maximum(np.abs(x), np.abs(y)) < reach)
    return np.column_stack([x, y])[good]


def _values_and_slopes(coefficients, x, y):
    powers = [(x**i * y**j, i, j) for i, j in POWERS]
    f = [sum(c * m for c, (m, _, _) in zip(row, powers, strict=True)) for row in coefficients]
    slopes = []
    for row in coefficients:
        terms = list(zip(row, POWERS, strict=True))
        slopes.append(sum(c * i * x ** max(i - 1, 0) * y**j for c, (i, j) in terms))
        slopes.append(sum(c * j * x**i * y ** max(j - 1, 0) for c, (i, j) in terms))
    return f, slopes


rows = st.lists(st.integers(-20, 20).map(lambda k: k / 10), min_size=10, max_size=10)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(rows, rows)
def test_a_complete_list_has_every_root_of_a_random_cubic_system(first, second):
    found = enclose_zeros(*planar((first, second)), (), (-2, -2), (2, 2), seconds=1.0)
    assert len(found.boxes[0]) <= 9 or not found.complete  # Bezout
    f, _ = _values_and_slopes((first, second), found.new[:, 0], found.new[:, 1])
    assert np.all(np.abs(f) < 1e-10)
    if not found.complete:
        return
    roots = multistart((first, second), 2.0)
    inside = np.all(
        (roots[:, None] >= found.boxes[0] - 1e-9) & (roots[:, None] <= found.boxes[1] + 1e-9),
        axis=2,
    )
    assert np.all(inside.any(axis=1))
    for k, (low, high) in enumerate(zip(*found.boxes, strict=True)):
        here = roots[np.all((roots > low) & (roots < high), axis=1)]
        if len(here):  # one box, one zero
            np.testing.assert_allclose(here, np.broadcast_to(found.new[k], here.shape), atol=1e-7)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.lists(st.floats(-1.9, 1.9), min_size=1, max_size=4, unique=True),
    st.lists(st.floats(-1.9, 1.9), min_size=1, max_size=4, unique=True),
)
def test_products_of_linear_factors_have_the_zeros_that_were_put_in(across, along):
    for zeros in (across, along):
        assume(np.min(np.diff(np.sort(zeros)), initial=1.0) > 1e-4)

    def factors(name, zeros):
        return tuple(("add", name, real(-zero)) for zero in zeros)

    def product(parts):
        return ("mul", integer(1), *parts)

    def slope(parts):
        return (
            "add",
            integer(0),
            *[product(parts[:i] + parts[i + 1 :]) for i in range(len(parts))],
        )

    u, v = factors(X, across), factors(Y, along)
    rule = Program(("x", "y"), (product(u), product(v)))
    jacobian = Program(("x", "y"), (slope(u), integer(0), integer(0), slope(v)))
    found = enclose_zeros(rule, jacobian, (), (-2, -2), (2, 2))
    assert found.complete, found.reason
    expected = np.array([(a, b) for a in sorted(across) for b in sorted(along)])
    order = np.lexsort(np.round(found.new, 6).T[::-1])
    np.testing.assert_allclose(found.new[order], expected, atol=1e-9)
    # exactness: the very numbers put in lie in the cores
    assert np.all(found.cores[0][order] <= expected)
    assert np.all(expected <= found.cores[1][order])


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.floats(0.5, 20), st.floats(0.3, 3), st.integers(-3, 3), st.integers(-3, 3))
def test_units_do_not_matter(scale, width, p, q):
    # x -> 2^p x, y -> 2^q y is exact: the same zeros in other units
    a, b = 2.0**p, 2.0**q
    cubic = ("add", ("pow", ("mul", real(1 / a), X), integer(3)), ("mul", real(-1 / a), X))
    line = ("add", ("mul", real(scale / b), Y), ("mul", real(-width / a), X))
    rule = Program(("x", "y"), (cubic, line))
    square_ = ("pow", ("mul", real(1 / a), X), integer(2))
    first = ("add", ("mul", real(3 / a), square_), real(-1 / a))
    jacobian = Program(("x", "y"), (first, integer(0), real(-width / a), real(scale / b)))
    box = 7.0 * np.array([a, b])
    found = enclose_zeros(rule, jacobian, (), -box, box)
    assert found.complete, found.reason
    assert len(found.new) == 3
    np.testing.assert_allclose(np.sort(found.new[:, 0]) / a, [-1, 0, 1], atol=1e-12)
