"""Removable singularities: the primitives are exact to any order, and rewriting changes no value.

Reference: Leibniz' rule for N = f D solved for the derivatives of f, in mpmath with as many digits
as the cancellation near 0 and the exponentials far away consume.
"""

import math
import sys

import mpmath
import pytest
import sympy
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from sympy import Rational, cos, exp, log, sin, tanh
from sympy.codegen.cfunctions import expm1, log1p

from dynlab.kernels import removable
from dynlab.symbolic import singular
from dynlab.symbolic.singular import remove_singularities

NAMES = ("exprel", "bernoulli", "sinc", "logrel", "tanhc")
TOLERANCE = 1e-13  # of |f| + |x f'|: the function's value and what one rounding of x does to it
SMALLEST = 1e-300  # subnormal numbers have no relative accuracy

x, V, v, v0, s, k, a, b, phi = sympy.symbols("x V v v0 s k a b phi")


def quotient(numerator, denominator):
    values = []
    for n, total in enumerate(numerator):
        rest = sum(math.comb(n, j) * values[j] * denominator[n - j] for j in range(n))
        values.append((total - rest) / denominator[0])
    return values


def exact(name, at, order):
    """Derivatives 0..order of a primitive at a number other than 0, to 50 digits at least."""
    small = max(0, -int(mpmath.log10(abs(at))))
    with mpmath.workdps(80 + (order + 2) * small + int(min(abs(at), 1000))):
        at = mpmath.mpf(at)
        count = order + 1
        line = ([at, mpmath.mpf(1)] + [mpmath.mpf(0)] * order)[:count]
        exponential = [mpmath.exp(at)] * count
        shifted = [exponential[0] - 1, *exponential[1:]]
        if name == "exprel":
            return quotient(shifted, line)
        if name == "bernoulli":
            return quotient(line, shifted)
        if name == "sinc":
            return quotient([mpmath.sin(at + n * mpmath.pi / 2) for n in range(count)], line)
        if name == "logrel":
            poles = quotient([mpmath.mpf(1), *line[2:], mpmath.mpf(0)][:count], [1 + at, *line[1:]])
            return quotient([mpmath.log1p(at), *poles[:order]], line)
        even = [mpmath.cosh(at), mpmath.sinh(at)] * count
        return quotient(quotient(even[1 : count + 1], even[:count]), line)


MAGNITUDES = st.builds(
    lambda sign, power, digits: sign * digits * 10.0**power,
    st.sampled_from((1, -1)),
    st.integers(-300, 2),
    st.floats(1, 9.99),
)
ARGUMENTS = st.one_of(
    st.floats(-1.2, 1.2), st.floats(-4, 4), st.floats(-40, 40), st.floats(-720, 708), MAGNITUDES
)


@pytest.mark.parametrize("n", range(5))
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(ARGUMENTS)
@example(1e-300)
@example(-1e-12)
@example(1e-3)
@example(1.1)
@example(2.5)
@example(-2.0)
@example(math.nextafter(2.5, 0))
@example(-0.999999)
def test_kernel_is_the_derivative_everywhere(name, n, at):
    if name == "logrel" and at <= -1:
        at = 1 / at
        assume(at > -1)
    assume(abs(at) > SMALLEST / 10)
    values = exact(name, at, n + 1)
    allowed = TOLERANCE * (abs(values[n]) + abs(at * values[n + 1])) + SMALLEST
    kernel = getattr(removable, name)
    if abs(values[n]) > sys.float_info.max:
        assert kernel(at, n) == math.copysign(math.inf, values[n])
        return
    assert abs(kernel(at, n) - values[n]) <= allowed
    assert abs(kernel.py_func(at, n) - values[n]) <= allowed


@pytest.mark.parametrize("n", range(5))
def test_kernel_limits(n):
    sign = (-1) ** n
    for call in (lambda f: f, lambda f: f.py_func):
        bernoulli, tanhc = call(removable.bernoulli), call(removable.tanhc)
        for far in (800.0, 1e20, 1e308, math.inf):
            assert bernoulli(far, n) == 0
            assert bernoulli(-far, n) == (far if n == 0 else -1 if n == 1 else 0)
            assert call(removable.exprel)(far, n) == math.inf
        for far in (30.0, 1e6, 1e300):
            tail = math.factorial(n)
            for _ in range(n + 1):
                tail /= far
            assert tanhc(far, n) == pytest.approx(sign * tail, rel=1e-14, abs=SMALLEST)
        for name in ("sinc", "logrel", "tanhc"):
            assert call(getattr(removable, name))(math.inf, n) == 0
        assert call(removable.exprel)(-math.inf, n) == 0
        assert call(removable.logrel)(-1.0, n) == sign * math.inf
        assert math.isnan(call(removable.logrel)(-1.5, n))
        for name in NAMES:
            assert math.isnan(call(getattr(removable, name))(math.nan, n))


@pytest.mark.parametrize("name", NAMES)
def test_value_at_the_point_is_exact(name):
    for n in range(7):
        value = getattr(singular, name)(0, n)
        assert value.is_Rational
        # Next to the point the value differs by 1e-60 f^(n+1).
        beside = exact(name, mpmath.mpf("1e-60"), n)[n]
        with mpmath.workdps(60):
            assert abs(beside - mpmath.mpf(value.p) / value.q) < 1e-55
        assert getattr(removable, name)(0.0, n) == pytest.approx(float(value), rel=1e-15)


SAMPLES = (Rational(1, 10**30), Rational(-1, 10**5), Rational(-3, 7), Rational(5, 2), Rational(31))


@pytest.mark.parametrize("name", NAMES)
def test_evalf_to_any_precision(name):
    for at in (*SAMPLES, Rational(-800)):
        if name == "logrel" and at <= -1:
            continue
        with mpmath.workdps(900):
            number = mpmath.mpf(at.p) / at.q
        for n in range(5):
            value = getattr(singular, name)(at, n).evalf(45)
            with mpmath.workdps(60):
                expected = exact(name, number, n)[n]
                assert abs(value._to_mpmath(200) - expected) <= mpmath.mpf("1e-44") * abs(expected)


def test_evalf_of_an_exact_zero():
    assert singular.sinc(17 * sympy.pi).evalf(50) == 0


def test_primitives_in_sympy():
    for name in NAMES:
        function = getattr(singular, name)
        assert function(x) == function(x, 0)
        assert function(x**2).diff(x) == 2 * x * function(x**2, 1)
        assert function(x).diff(x, 4) == function(x, 4)
        assert function(sympy.Symbol("y", positive=True), 2).is_real
        assert function(0.5) == function(Rational(1, 2)).evalf()
        assert function(x).evalf() == function(x)
        assert sympy.latex(function(x, 2)).startswith(rf"\operatorname{{{name}}}^{{(2)}}")
        with pytest.raises(ValueError, match="order -1 is not a whole number"):
            function(x, -1)
    complex_argument = 1 + 2 * sympy.I
    difference = singular.exprel(complex_argument) - (exp(complex_argument) - 1) / complex_argument
    assert abs(difference.evalf(30, chop=True)) < 1e-25


# expression, its moving symbol, the point
EXACT_FORMS = [
    (x / (1 - exp(-x)), x, 0),
    (x / (exp(x) - 1), x, 0),
    (-x / (1 - exp(x)) * phi, x, 0),
    ((exp(x) - 1) / x, x, 0),
    ((1 - exp(-x)) / x, x, 0),
    (2 * (exp(3 * x) - 1) / (k * x), x, 0),
    (sin(x) / x, x, 0),
    (sin(s * x) ** 2 / x**2 + phi, x, 0),
    (sympy.sinc(x), x, 0),
    ((1 - cos(x)) / x**2, x, 0),
    ((cos(3 * x) - 1) / x, x, 0),
    ((k - k * cos(x - s)) / (x - s) ** 2, x, s),
    (log(1 + x) / x, x, 0),
    (log(x) / (x - 1), x, 1),
    (log(a / b) / (a - b), a, b),
    (tanh(x) / x, x, 0),
    (phi * tanh((v - v0) / s) / (v - v0), v, v0),
    (k * (v - v0) / (1 - exp(-(v - v0) / s)), v, v0),
    ((k * v - k * v0) / (1 - exp(v / s - v0 / s)), v, v0),
    (a * x / (a * exp(x) - a), x, 0),
    ((V + 55) / (exp((V + 55) / 10) - 1), V, -55),
    ((25 - V) / (10 * (exp((25 - V) / 10) - 1)), V, 25),
    (x**2 / (exp(x) - 1) ** 2 * (1 - phi), x, 0),
    ((V + V**2) / (exp(V) - 1), V, 0),
    (phi**3 - exp(phi * x / (1 - exp(-x))) + 1, x, 0),
    (sin(x) * (exp(x) - 1) * log(1 + x) / x**3, x, 0),
    (x / expm1(x) + log1p(2 * x) / x, x, 0),
    (sympy.Piecewise((x / (exp(x) - 1), phi > 0), (sin(x) / x, True)), x, 0),
    (sin(sympy.pi * x) / x, x, 0),
]
FLOAT_FORMS = [
    (0.1 * (V + 40) / (1 - exp(-(V + 40) / 10)), V, -40),
    (0.1 * (V + 40) / (1 - exp(-0.1 * (V + 40))), V, -40),
    (0.1 * phi * (V + 40.0) / (1.0 - exp(-(V + 40.0) / 10.0)), V, -40),
    (0.01 * (V + 54.3) / (1 - exp(-0.1 * (V + 54.3))), V, Rational(-543, 10)),
    (0.32 * (-47 - V) / (exp(-0.25 * (V + 47)) - 1), V, -47),
    (k * (V + 54.3) / (5.0 * exp((V + 54.3) / 9.3) - 5), V, Rational(-543, 10)),
    (0.3 * s * (V + 0.01) / (s * exp((V + 0.01) * 3) - s), V, Rational(-1, 100)),
    (0.01 * (V + 55) / expm1(-0.1 * (V + 55)), V, -55),
    (log(1.0 + 0.1 * V) * sin(V) / V**2, V, 0),
    ((1.0 - exp(-0.2 * V)) / V, V, 0),
]
OTHERS = {
    s: Rational(7, 3),
    k: Rational(-5, 4),
    phi: Rational(2, 9),
    v0: Rational(1, 7),
    b: Rational(3, 2),
    a: Rational(8, 5),
}


@pytest.mark.parametrize("form", EXACT_FORMS + FLOAT_FORMS, ids=lambda form: str(form[0]))
def test_rewriting_keeps_the_value_and_fills_the_point(form):
    original, moving, point = form
    others = {symbol: value for symbol, value in OTHERS.items() if symbol is not moving}
    point = sympy.sympify(point).subs(others)
    # Double-precision coefficients: a few roundings of a shift of size 50, divided by the distance.
    tolerance = 1e-40 if form in EXACT_FORMS else 1e-12
    rewritten = remove_singularities(original)
    assert rewritten != original
    assert remove_singularities(rewritten) == rewritten

    def value(expression, distance):
        return expression.subs({**others, moving: point + distance}).evalf(50)

    for distance in (Rational(1, 10), Rational(-1, 3), Rational(2), Rational(17)):
        before, after = value(original, distance), value(rewritten, distance)
        assert abs(before - after) <= tolerance * abs(before)
    h = Rational(1, 10**4)
    middle = (value(original, h) + value(original, -h)) / 2
    assert abs(value(rewritten, 0) - middle) < 1e-6  # h^2 f'' / 2, and f'' < 100


@pytest.mark.parametrize(
    "expression",
    [
        1 / x,
        x / sin(x),
        x / (1 + exp(x)),
        1 / (exp(x) - 1),
        x / (exp(v) - 1),
        sin(x) / v,
        x / (2 * exp(x) - 1),
        x / (k * exp(x) - 1),
        (1 - cos(x)) / v,
        (V + 40) / (1 - exp(-(V + 41) / 10)),
        (V + 40.0000001) / (1 - exp(-(V + 40) / 10)),
        0.1 * (V + 40.0000001) / (1 - exp(-0.1 * (V + 40))),
        exp(x) * sin(x) * log(x),
        log(x) / x,
        x * (exp(x) - 1),
        s * cos(x) - k * tanh(v) / (1 + exp(-x)),
    ],
    ids=str,
)
def test_other_expressions_stay_as_they_are(expression):
    assert remove_singularities(expression) is expression


KERNELS = {name: getattr(removable, name) for name in NAMES}


def numbers_of(expression, moving, orders):
    return [
        sympy.lambdify(moving, expression.diff(moving, n), modules=[KERNELS, "math"])
        for n in orders
    ]


def test_third_derivative_near_the_point():
    third = numbers_of(remove_singularities(x / (1 - exp(-x))), x, [3])[0]
    assert third(1e-3) == pytest.approx(-float(exact("bernoulli", -1e-3, 3)[3]), rel=1e-12)


@pytest.mark.parametrize("slope", [Rational(1, 10), 0.1], ids=["quotient", "float"])
@pytest.mark.parametrize(("amplitude", "shift"), [(0.1, 40), (0.01, 55)], ids=["m", "n"])
def test_hodgkin_huxley_rates(amplitude, shift, slope):
    rate = remove_singularities(amplitude * (V + shift) / (1 - exp(-(V + shift) * slope)))
    functions = numbers_of(rate, V, range(4))
    assert functions[0](-float(shift)) == pytest.approx(10 * amplitude, rel=1e-15)
    for distance in (1e-12, -1e-9, 1e-6, -1e-3, 0.1, -5.0):
        at = -shift + distance
        u = -(mpmath.mpf(at) + shift) / 10
        for n, values in enumerate(functions):
            expected = 10 * amplitude * exact("bernoulli", u, n)[n] * mpmath.mpf(-0.1) ** n
            # B''' vanishes at 0, so there the scale is the largest of its values.
            scale = max(abs(expected), 10 * amplitude * mpmath.mpf(0.1) ** n / 30)
            assert abs(values(at) - expected) <= 1e-12 * scale
