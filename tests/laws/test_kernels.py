"""Compiled = printed = the mathematics, for every system and every order of derivative.

The printed source runs as ordinary Python for random systems and the zoo; a few are compiled.
Allowed is what rounding can do to that very program at that very point (see `strategies`).
"""

import math
import pickle

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from strategies import (
    DIGITS,
    Evaluation,
    Undecided,
    check_numbers,
    define,
    direction_values,
    judged,
    named,
    outputs_of,
    points,
    run_printed,
    systems,
)

import dynlab as dl
from dynlab import zoo
from dynlab.codegen import lower, printer
from dynlab.codegen.kernels import kernels_of
from dynlab.errors import CompileError
from dynlab.symbolic import derivatives
from dynlab.symbolic.tree import symbol, to_tree

#: Models whose states are single numbers; rules over networks have laws of their own.
SCALAR = [n for n in zoo.names() if not (zoo.get(n).is_indexed or zoo.get(n).is_delayed)]

#: Models whose third derivatives fill pages: fewer points and orders suffice there.
LONG = frozenset({"double_pendulum", "kuramoto_sivashinsky", "magnetic_pendulum"})

LINE = 1e-30


@pytest.fixture(autouse=True)
def many_digits():
    with mpmath.workdps(DIGITS):
        yield


def bounds_of(program, values, *directions):
    try:
        return judged(outputs_of(program, values | direction_values(*directions)))
    except Undecided:
        reject()


def program_of(system, order, active=()):
    """Return the program of a derivative; order 0 is the rule, ``"jacobian"`` the matrix."""
    if order == "jacobian":
        return lower.lower_jacobian(system, active)
    return lower.lower_derivative(system, order, active) if order else lower.lower_rule(system)


def kernel_of(system, order, active=()):
    kernels = kernels_of(system)
    if order == "jacobian":
        return kernels.jacobian(active)
    return kernels.derivative(order, active) if order else kernels.rhs


def expressions_of(system, order, active=()):
    """Return the expressions before any lowering."""
    moving = system.state_names + active
    if order == "jacobian":
        return derivatives.jacobian(system.rule, moving)
    return derivatives.directional(system.rule, moving, order) if order else system.rule


ORDERS = pytest.mark.parametrize("order", [0, "jacobian", 1, 2, 3])


@ORDERS
@given(data=st.data())
def test_printed_code_is_the_mathematics(order, data):
    system = data.draw(systems(time=True, size=5 if order in (0, "jacobian") else 3))
    active = system.parameter_names[:1] if order else ()
    depth = order if isinstance(order, int) else 0
    t, x, p, *directions = data.draw(points(system, depth, active=len(active)))
    values = named(system, t, x, p)
    program = program_of(system, order, active)
    bounds = bounds_of(program, values, *directions)
    # Lowering takes common parts out and changes no value (but folds constants as doubles) ...
    plain = Evaluation(values | direction_values(*directions))
    trees = map(to_tree, expressions_of(system, order, active))
    for bound, tree in zip(bounds, trees, strict=True):
        try:
            assert abs(plain(tree).value - bound.value) <= LINE + bound.error
        except Undecided:
            reject()
    # ... and the printed code computes it as well as double precision can.
    check_numbers(run_printed(program, t, x, p, *directions), bounds)


@settings(max_examples=4)
@ORDERS
@given(data=st.data())
def test_compiled_code_is_the_mathematics(order, data):
    system = data.draw(systems(time=True, size=4))
    active = system.parameter_names[:1] if order else ()
    depth = order if isinstance(order, int) else 0
    program, kernel = program_of(system, order, active), kernel_of(system, order, active)
    assert (kernel.size, kernel.directions) == (len(program.outputs), depth)
    for _ in range(3):
        t, x, p, *directions = data.draw(points(system, depth, active=len(active)))
        try:
            bounds = outputs_of(program, named(system, t, x, p) | direction_values(*directions))
        except Undecided:
            continue
        check_numbers(kernel(t, x, p, *directions), bounds)


@pytest.mark.parametrize("name", SCALAR)
def test_models_of_the_zoo(name):
    """Five points around the default start, the start itself and its parameters among them."""
    system = zoo.get(name)
    random = np.random.default_rng(sum(map(ord, name)))
    active = system.parameter_names[:1]
    for scale in (0.0, 0.3) if name in LONG else (0.0, 0.01, 0.1, 0.3, 1.0):
        x = np.array(system.start_values) + scale * random.standard_normal(len(system.states))
        p = np.array(system.parameter_values) * (1 + 0.1 * scale * random.standard_normal())
        values = named(system, 0.0, x, p)
        for order in (0, "jacobian", 2) if name in LONG else (0, "jacobian", 2, 3):
            chosen = active if order else ()
            depth = order if isinstance(order, int) else 0
            directions = random.standard_normal((depth, len(x) + len(chosen)))
            program = program_of(system, order, chosen)
            bounds = outputs_of(program, values | direction_values(*directions))
            assert all(bound.error <= 1e-9 * (1 + abs(bound.value)) for bound in bounds)
            check_numbers(run_printed(program, 0.0, x, p, *directions), bounds)
            if order in (0, "jacobian"):
                check_numbers(kernel_of(system, order, chosen)(0.0, x, p, *directions), bounds)


@pytest.mark.parametrize("name", ["hodgkin_huxley", "fitzhugh_nagumo", "henon"])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_compiled_derivatives_of_models(name, order):
    system = zoo.get(name)
    random = np.random.default_rng(order)
    x = np.array(system.start_values) + 0.05 * random.standard_normal(len(system.states))
    active = system.parameter_names[:1]
    directions = random.standard_normal((order, len(x) + 1))
    values = named(system, 0.0, x, system.parameter_values) | direction_values(*directions)
    bounds = outputs_of(program_of(system, order, active), values)
    kernel = kernel_of(system, order, active)
    check_numbers(kernel(0.0, x, system.parameter_values, *directions), bounds)


def hodgkin_huxley_at(V):
    return np.array([V, 0.05, 0.6, 0.32])


@pytest.mark.parametrize("V", [-40.0, -55.0, -40 + 1e-9, -55 - 1e-6, math.nextafter(-40, 0)])
def test_hodgkin_huxley_is_smooth_at_its_removable_singularities(V):
    system, x = zoo.hodgkin_huxley, hodgkin_huxley_at(V)
    p = system.parameter_values
    values = named(system, 0.0, x, p)
    directions = [[1.0, 0.1, 0.2, 0.3]] * 3
    for order in (0, "jacobian", 1, 2, 3):
        depth = order if isinstance(order, int) else 0
        along = directions[:depth]
        program = program_of(system, order)
        bounds = outputs_of(program, values | direction_values(*along))
        check_numbers(run_printed(program, 0.0, x, p, *along), bounds)
        check_numbers(kernel_of(system, order)(0.0, x, p, *along), bounds)


# Things that the printer must get right


def both(system, x, p=(), t=0.0):
    """Return the printed and the compiled value of a rule of one state."""
    printed = run_printed(lower.lower_rule(system), t, [x], p)
    compiled = kernels_of(system).rhs(t, [x], list(p))
    return float(printed[0]), float(compiled[0])


def test_a_condition_that_stands_twice():
    x, y = symbol("x"), symbol("y")
    inside = sympy.And(x > 0, y < 1)
    rule = [dl.where(x > 0, x**2, y) + dl.where(inside, 1, 2), dl.where(inside, x * y, -x) - y]
    system = define({"x": 1.0, "y": 1.0}, {}, rule)
    for at in ((2.0, 0.5), (2.0, 3.0), (-2.0, 0.5), (0.0, 0.0)):
        inner = at[0] > 0 and at[1] < 1
        expected = [
            (at[0] ** 2 if at[0] > 0 else at[1]) + (1 if inner else 2),
            (at[0] * at[1] if inner else -at[0]) - at[1],
        ]
        assert list(kernels_of(system).rhs(0.0, list(at), [])) == expected
        slope = kernels_of(system).jacobian()(0.0, list(at), [])
        assert slope[0] == (2 * at[0] if at[0] > 0 else 0)
        assert slope[3] == (at[0] if inner else 0) - 1


def test_a_condition_about_a_number_that_was_itself_chosen():
    x, y = symbol("x"), symbol("y")
    level = dl.where(x > 0, x, y)
    system = define({"x": 1.0, "y": 1.0}, {}, [dl.where(level > 1, 5 * x, level), -y])
    assert pickle.loads(pickle.dumps(system)) == system
    for at in ((2.0, 0.0), (0.5, 3.0), (-1.0, 3.0), (-1.0, 0.5)):
        chosen = at[0] if at[0] > 0 else at[1]
        expected = 5 * at[0] if chosen > 1 else chosen
        assert kernels_of(system).rhs(0.0, list(at), [])[0] == expected


def test_jumps_have_their_values_at_the_jump():
    x = symbol("x")
    for make, expected in (
        (dl.sign, (-1, 0, 1)),
        (dl.heaviside, (0, 0.5, 1)),
        (dl.floor, (-1, 0, 0)),
        (lambda x: dl.where(x > 0, 1, 2), (2, 2, 1)),
        (lambda x: dl.where(x >= 0, 1, 2), (2, 1, 1)),
        (lambda x: dl.mod(x, 2), (1.5, 0, 0.5)),
        (lambda x: dl.mod(x, -2), (-0.5, 0, -1.5)),
        (lambda x: dl.max(x, 0, -x / 4), (0.125, 0, 0.5)),
    ):
        system = define({"x": 0.0}, {}, [make(x)])
        for at, value in zip((-0.5, 0.0, 0.5), expected, strict=True):
            assert both(system, at) == (value, value)


@pytest.mark.parametrize("at", [2.0**53 + 2, 1e19, -1e25, 2.0**80])
def test_a_large_number_is_its_own_floor(at):
    assert both(define({"x": 0.0}, {}, [dl.floor(symbol("x"))]), at) == (at, at)


JOINED = {
    "sum": lambda x, y: x + y,
    "product": lambda x, y: x * y,
    "min": dl.min,
    "max": dl.max,
    "floor": lambda x, y: dl.floor(x + y),
    "sign": lambda x, y: dl.sign(x + y),
    "heaviside": lambda x, y: dl.heaviside(x + y),
    "abs": lambda x, y: dl.abs(x + y),
    "sigmoid": lambda x, y: dl.sigmoid(x + y),
    "exprel": lambda x, y: dl.exprel(x + y),
    "mod": lambda x, y: dl.mod(x + y, 2),
}


@pytest.mark.parametrize("join", JOINED.values(), ids=JOINED)
def test_outside_the_domain_nothing_is_a_number(join):
    """Else a rule goes on, in silence, with a number that means nothing."""
    x, y = symbol("x"), symbol("y")
    system = define({"x": 1.0, "y": 1.0}, {}, [join(dl.log(x), dl.sqrt(y)), 0])
    for at in ([-1.0, 1.0], [1.0, -1.0]):
        assert math.isnan(kernels_of(system).rhs(0.0, at, [])[0])


def test_the_largest_of_many_is_printed_in_one_line():
    names = [f"x{k}" for k in range(14)]
    rule = [dl.max(*map(symbol, names)), dl.min(*map(symbol, names)), *[0] * 12]
    system = define(dict.fromkeys(names, 0.0), {}, rule)
    assert len(printer.function_source(lower.lower_rule(system))) < 2_000
    found = kernels_of(system).rhs(0.0, [float(k * 5 % 14) for k in range(14)], [])
    assert (found[0], found[1]) == (13.0, 0.0)


@pytest.mark.parametrize("at", [-745.2, -700.0, -40.0, 0.0, 40.0, 700.0, 745.2, 1e308])
def test_the_sigmoid_neither_overflows_nor_cancels(at):
    system = define({"x": 0.0}, {}, [dl.sigmoid(symbol("x"))])
    with mpmath.workdps(400):
        value = float(1 / (1 + mpmath.exp(-mpmath.mpf(at))))
        slope = float(mpmath.sech(mpmath.mpf(at) / 2) ** 2 / 4)
    assert both(system, at) == pytest.approx((value, value), rel=1e-15)
    assert kernels_of(system).jacobian()(0.0, [at], [])[0] == pytest.approx(slope, rel=1e-14)


def test_names_of_sympy_and_python_are_plain_names():
    names = ("E", "I", "S", "N", "Q", "O", "beta", "gamma", "zeta", "oo", "nan", "zoo")
    words = ("int", "len", "range", "print", "rhs", "jacobian", "lambda_", "β", "Ψ_m", "self")
    first, *rest = names + words
    total = sum((k + 2) * symbol(n) for k, n in enumerate(rest))
    system = define({first: 0.0}, dict.fromkeys(rest, 0.0), [symbol(first) + dl.floor(total)])
    p = [0.5**k for k in range(len(rest))]
    value = 0.25 + math.floor(math.fsum((k + 2) * v for k, v in enumerate(p)))
    assert both(system, 0.25, p) == (value, value)
    jacobian = kernels_of(system).jacobian(("I", "len"))(0.0, [0.25], p)
    assert list(jacobian) == [1.0, 0.0, 0.0]


def test_the_printed_source_can_be_read():
    source = printer.function_source(lower.lower_rule(zoo.fitzhugh_nagumo))
    assert "v = _x[0]" in source
    assert "eps = _p[3]" in source
    assert "_out[1] = " in source
    assert "sympy" not in printer.source(lower.lower_rule(zoo.hodgkin_huxley))


def test_no_evil_name_is_printed():
    evil = "x=__import__('os')"
    program = lower.Program("rhs", (evil,), (), 0, (), (("name", evil),))
    with pytest.raises(ValueError, match="is not a valid name for a quantity"):
        printer.function_source(program)


def test_an_unknown_node_has_no_code():
    program = lower.Program("rhs", ("x",), (), 0, (), (("import", "os"),))
    with pytest.raises(CompileError, match="there is no code for the node 'import'"):
        printer.function_source(program)


# Sharing


@settings(max_examples=25)
@given(systems(), st.data())
def test_kernels_are_keyed_by_the_rule(system, data):
    other = system(**{n: data.draw(st.floats(-9, 9)) for n in system.parameter_names})
    other = other.with_start(**dict.fromkeys(system.state_names, 7.0))
    assert kernels_of(other)._built is kernels_of(system)._built
    watched = system.with_observable(seen_value=lambda: symbol(system.state_names[0]) + 1)
    assert kernels_of(watched)._built is kernels_of(system)._built
    more = define(
        dict.fromkeys(system.state_names, 0.0),
        dict.fromkeys(system.parameter_names, 0.0),
        [expression + 1 for expression in system.rule],
    )
    assert kernels_of(more)._built is not kernels_of(system)._built


def test_one_kernel_serves_all_parameter_values():
    one, two = zoo.lorenz, zoo.lorenz(rho=14.0, sigma=3.0)
    assert kernels_of(one).rhs is kernels_of(two).rhs
    assert kernels_of(one).rhs.address == kernels_of(two).rhs.address
    assert kernels_of(one).jacobian(("rho",)) is kernels_of(two).jacobian(("rho",))
    assert kernels_of(one).jacobian(("rho",)) is not kernels_of(one).jacobian(("sigma",))


def test_a_flow_and_a_map_with_one_rule_compute_the_same_numbers():
    def body(x=0.3, *, r=3.0):
        return {x: r * x * (1 - x)}

    flow, iterated = dl.flow(body), dl.iterated_map(body)
    assert flow != iterated
    rates = [kernels_of(system).rhs(0.0, [0.25], [3.0])[0] for system in (flow, iterated)]
    assert rates == [0.5625, 0.5625]


def test_observables_and_guards_are_kernels_too():
    system = zoo.van_der_pol.with_observable(
        energy=lambda x, y: (x**2 + y**2) / 2, twice=lambda energy, mu: 2 * energy + mu
    )
    found = kernels_of(system).observables(0.0, [3.0, 4.0], [0.5])
    assert list(found) == [12.5, 25.5]
    guard = kernels_of(system).guard([system.expression_of(lambda x, t: x - t)])
    assert list(guard(2.0, [3.0, 4.0], [0.5])) == [1.0]
    assert kernels_of(zoo.van_der_pol).observables(0.0, [3.0, 4.0], [0.5]).size == 0


@pytest.mark.parametrize("order", [4, 5])
def test_higher_derivatives_on_demand(order):
    x, y = symbol("x"), symbol("y")
    system = define({"x": 0.3, "y": 0.7}, {}, [dl.exp(2 * x - y), x**5 * y])
    directions = [np.array([1.0 + k, 2.0 - k]) for k in range(order)]
    got = kernels_of(system).derivative(order)(0.0, np.array([0.3, 0.7]), np.zeros(1), *directions)
    # D^n exp(l . x) [v1 ... vn] = exp(l . x) prod (l . vk).
    expected = np.exp(2 * 0.3 - 0.7) * np.prod([2 * v[0] - v[1] for v in directions])
    assert got[0] == pytest.approx(expected, rel=1e-13)
    form = x**5 * y
    for v in directions:
        form = sympy.diff(form, x) * v[0] + sympy.diff(form, y) * v[1]
    assert got[1] == pytest.approx(float(form.subs({x: 0.3, y: 0.7})), rel=1e-12)
