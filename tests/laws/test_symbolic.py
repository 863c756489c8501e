"""What holds for every definition: its meaning, its derivatives, its names, its copies."""

import json
import pickle

import mpmath
import pytest
import sympy
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from strategies import (
    DIGITS,
    EXACT,
    NAMES,
    Evaluation,
    Undecided,
    define,
    direction_values,
    expressions,
    named,
    outputs_of,
    points,
    systems,
)

import dynlab as dl
from dynlab import zoo
from dynlab.codegen import lower
from dynlab.symbolic.derivatives import jacobian
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import TIME, from_tree, symbol, to_tree

#: Models whose states are single numbers; rules over networks have laws of their own.
SCALAR = [n for n in zoo.names() if not (zoo.get(n).is_indexed or zoo.get(n).is_delayed)]

#: Models whose equations fill a page; one third derivative of them takes seconds to check.
LONG = frozenset({"double_pendulum", "kuramoto_sivashinsky", "magnetic_pendulum"})

LINE = 1e-30  # two exact evaluations in 50 digits, with room for cancellation
NAMED = ("v", "beta", "E")
MARGIN = 1e-3  # no derivative is asked for so near a jump or a corner


@pytest.fixture(autouse=True)
def many_digits():
    with mpmath.workdps(DIGITS):
        yield


def exactly(function, *args, **kwargs):
    """Evaluate; reject points on a jump or outside the domain."""
    try:
        return function(*args, **kwargs)
    except Undecided:
        reject()


def same(one, two):
    """Whether two lists of exact numbers agree, on the scale of the largest."""
    scale = 1 + max((abs(v) for v in (*one, *two)), default=0)
    return len(one) == len(two) and all(
        abs(a - b) <= LINE * scale for a, b in zip(one, two, strict=True)
    )


def values_of(program, values, *directions):
    bounds = exactly(outputs_of, program, values | direction_values(*directions))
    return [bound.value for bound in bounds]


# The meaning of an expression


@given(expressions(NAMED), st.tuples(*[st.floats(-3, 3)] * 4))
def test_a_tree_means_what_sympy_means(expression, numbers):
    values = dict(zip((*NAMED, "t"), numbers, strict=True))
    # Constants as wide as the numbers, or sympy rounds to the shorter of the two.
    digits = {f: sympy.Float(f, DIGITS) for f in expression.atoms(sympy.Float)}
    point = {symbol(n): sympy.Float(values[n], DIGITS) for n in NAMED}
    point[TIME] = sympy.Float(values["t"], DIGITS)
    found = exactly(Evaluation(values, margin=LINE), to_tree(expression)).value
    expected = expression.xreplace(digits).xreplace(point).evalf(DIGITS)
    assume(expected.is_real and expected.is_finite)
    assert same([found], [expected._to_mpmath(200)])


@given(expressions(NAMED), st.tuples(*[st.floats(-3, 3)] * 4))
def test_a_definition_rewrites_and_changes_no_value(expression, numbers):
    values = dict(zip((*NAMED, "t"), numbers, strict=True))
    rule = define(dict.fromkeys(NAMED, 0.0), {}, [expression] * 3).rule[0]
    before = exactly(Evaluation(values), to_tree(expression)).value
    # Shifts of floating-point quotients are recovered with their rounding (see test_singular).
    after = exactly(Evaluation(values), to_tree(rule)).value
    assert abs(before - after) <= 1e-11 * (1 + abs(before))


@given(expressions(NAMED))
def test_a_tree_is_plain_data_and_comes_back(expression):
    tree = to_tree(expression)
    read = json.loads(json.dumps(tree))
    assert from_tree(tree) == expression
    assert from_tree(read) == expression
    assert to_tree(from_tree(read)) == tree


# Derivatives: against numerical differentiation in 50 digits, with no symbolic step


def along(system, values, moving, directions):
    """Differentiate the rule at a point, once along each direction, in high precision."""

    def moved(component):
        def function(*lengths):
            shifted = dict(values)
            for name, *along_each in zip(moving, *directions, strict=True):
                steps = zip(lengths, along_each, strict=True)
                shifted[name] = values[name] + sum(length * c for length, c in steps)
            return Evaluation(shifted)(to_tree(component)).value

        return function

    origin, once = (0,) * len(directions), (1,) * len(directions)
    return [mpmath.diff(moved(e), origin, once) if directions else moved(e)() for e in system.rule]


@settings(max_examples=40)
@pytest.mark.parametrize("order", [1, 2, 3])
@given(data=st.data())
def test_derivatives_of_each_order(order, data):
    system = data.draw(systems(states=2, parameters=2, time=True, constants=EXACT))
    active = system.parameter_names[:1]
    moving = system.state_names + active
    t, x, p, *directions = data.draw(points(system, order, active=len(active)))
    values = named(system, t, x, p)
    # Away from jumps and corners, so that a small step crosses none.
    for component in system.rule:
        exactly(Evaluation(values, margin=MARGIN), to_tree(component))
    program = lower.lower_derivative(system, order, active)
    found = values_of(program, values, *directions)
    expected = exactly(along, system, values, moving, directions)
    assert len(found) == len(system.states)
    scale = 1 + max(abs(v) for v in (*found, *expected))
    assert all(abs(a - b) <= 1e-20 * scale for a, b in zip(found, expected, strict=True))


@settings(max_examples=30)
@given(st.data())
def test_derivatives_are_symmetric_and_linear_in_their_directions(data):
    system = data.draw(systems(states=2, parameters=1, constants=EXACT))
    active = system.parameter_names[:1]
    t, x, p, u, v, s = data.draw(points(system, 3, active=len(active)))
    values = named(system, t, x, p)
    second = lower.lower_derivative(system, 2, active)
    third = lower.lower_derivative(system, 3, active)
    b = values_of(second, values, u, v)
    assert same(b, values_of(second, values, v, u))
    c = values_of(third, values, u, v, s)
    for others in ((u, s, v), (v, u, s), (s, v, u), (v, s, u)):
        assert same(c, values_of(third, values, *others))
    halves = [[2 * mpmath.mpf(a) - k for a, k in zip(u, v, strict=True)], v, s]
    mixed = [2 * a - k for a, k in zip(c, values_of(third, values, v, v, s), strict=True)]
    assert same(mixed, values_of(third, values, *halves))


@settings(max_examples=40)
@given(st.data())
def test_jacobian_holds_the_derivatives_along_the_axes(data):
    system = data.draw(systems(states=3, parameters=2, constants=EXACT))
    active = system.parameter_names[:1]
    values = named(system, *data.draw(points(system)))
    size = len(system.states) + len(active)
    entries = values_of(lower.lower_jacobian(system, active), values)
    first = lower.lower_derivative(system, 1, active)
    for column in range(size):
        axis = [float(k == column) for k in range(size)]
        assert same(entries[column::size], values_of(first, values, axis))


@pytest.mark.parametrize(
    ("order", "name"),
    [(order, name) for order in (1, 2, 3) for name in SCALAR if order < 3 or name not in LONG],
)
def test_derivatives_of_the_zoo(order, name):
    system = zoo.get(name)
    active = system.parameter_names[:1]
    # A point beside the default start, where nothing is zero by accident.
    x = [value + 0.1 * (k + 1) for k, value in enumerate(system.start_values)]
    values = named(system, 0.0, x, system.parameter_values)
    size = len(x) + len(active)
    directions = [[1 + (-1) ** k / (2 + k + d) for k in range(size)] for d in range(order)]
    found = values_of(lower.lower_derivative(system, order, active), values, *directions)
    expected = along(system, values, system.state_names + active, directions)
    scale = 1 + max(abs(v) for v in (*found, *expected))
    assert all(abs(a - b) <= 1e-20 * scale for a, b in zip(found, expected, strict=True))


MAGNITUDES = [
    (lambda x: dl.log(x), 0.3),
    (lambda x: dl.log1p(x), -0.3),
    (lambda x: dl.sqrt(x), 2.0),
    (lambda x: dl.asin(x), -0.4),
    (lambda x: x ** dl.exp(x), 0.7),
    (lambda x: x**3 - 2, 0.7),
    (lambda x: dl.sin(x) / x, 4.0),
    (lambda x: dl.where(x > 0, -(x**2), x), 0.7),
    (lambda x: dl.max(x, -3) - 2, 0.7),
]


@pytest.mark.parametrize("make", MAGNITUDES, ids=lambda m: str(m[0](symbol("x"))))
@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_of_a_magnitude(make, order):
    inner, at = make
    x = symbol("x")
    system = define({"x": at}, {}, [dl.abs(inner(x))])
    values = {"x": at, "t": 0.0}
    directions = [[1.0]] * order
    found = values_of(lower.lower_derivative(system, order), values, *directions)
    expected = along(system, values, ("x",), directions)
    assert abs(found[0] - expected[0]) <= 1e-20 * (1 + abs(expected[0]))


def test_the_derivative_of_a_jump_is_zero():
    x = symbol("x")
    for jump in (dl.sign(x), dl.heaviside(x), dl.floor(3 * x), dl.heaviside(dl.log(x))):
        system = define({"x": 1.0}, {}, [jump * x])
        program = lower.lower_derivative(system, 1)
        for at in (0.5, 0.9, 2.1):
            held = values_of(lower.lower_rule(define({"x": 1.0}, {}, [jump])), {"x": at})
            assert values_of(program, {"x": at}, [1.0]) == held


# Names, order, units


@settings(max_examples=40)
@given(st.data())
def test_renaming_changes_nothing(data):
    system = data.draw(systems(constants=EXACT))
    t, x, p, u, v = data.draw(points(system, 2))
    old = system.state_names + system.parameter_names
    fresh = data.draw(st.permutations([*NAMES, "a", "z9", "Psi", "V_m"]))[: len(old)]
    swap = {symbol(a): symbol(b) for a, b in zip(old, fresh, strict=True)}
    count = len(system.states)
    other = define(
        dict(zip(fresh[:count], system.start_values, strict=True)),
        dict(zip(fresh[count:], system.parameter_values, strict=True)),
        [expression.xreplace(swap) for expression in system.rule],
    )
    for make in (lower.lower_rule, lower.lower_jacobian):
        before = values_of(make(system), named(system, t, x, p))
        assert same(before, values_of(make(other), named(other, t, x, p)))
    second = [lower.lower_derivative(each, 2) for each in (system, other)]
    before = values_of(second[0], named(system, t, x, p), u, v)
    assert same(before, values_of(second[1], named(other, t, x, p), u, v))
    assert (other.rule_hash == system.rule_hash) == (
        other.rule == system.rule and fresh == list(old)
    )


@settings(max_examples=40)
@given(st.data())
def test_reordering_permutes_and_changes_nothing_else(data):
    system = data.draw(systems(constants=EXACT))
    t, x, p, u, v = data.draw(points(system, 2))
    size = len(x)
    order = data.draw(st.permutations(range(size)))
    states = [system.states[k] for k in order]
    other = define(
        {s.name: s.start for s in states},
        {q.name: q.value for q in reversed(system.parameters)},
        [system.rule[k] for k in order],
    )

    def put(vector):
        return [vector[k] for k in order]

    here, there = named(system, t, x, p), named(other, t, put(x), p[::-1])
    rate = values_of(lower.lower_rule(system), here)
    assert same(put(rate), values_of(lower.lower_rule(other), there))
    rows = values_of(lower.lower_jacobian(system), here)
    moved = [rows[i * size + j] for i in order for j in order]
    assert same(moved, values_of(lower.lower_jacobian(other), there))
    form = values_of(lower.lower_derivative(system, 2), here, u, v)
    assert same(put(form), values_of(lower.lower_derivative(other, 2), there, put(u), put(v)))


@settings(max_examples=40)
@given(st.data())
def test_another_unit_of_a_state_rescales_its_rate_and_its_row_and_column(data):
    system = data.draw(systems(constants=EXACT))
    t, x, p = data.draw(points(system))
    unit = sympy.Rational(data.draw(st.sampled_from(["1/1000", "7/3", "-2", "64"])))
    first = symbol(system.state_names[0])
    rule = [expression.xreplace({first: unit * first}) for expression in system.rule]
    rule[0] = rule[0] / unit
    other = define(
        dict(zip(system.state_names, system.start_values, strict=True)),
        dict(zip(system.parameter_names, system.parameter_values, strict=True)),
        rule,
    )
    c = mpmath.mpf(unit.p) / unit.q
    scale = [c] + [1] * (len(x) - 1)  # x = scale * y
    here = named(system, t, x, p)
    there = here | {system.state_names[0]: mpmath.mpf(x[0]) / c}
    rate = values_of(lower.lower_rule(system), here)
    expected = [f / s for f, s in zip(rate, scale, strict=True)]
    assert same(expected, values_of(lower.lower_rule(other), there))
    rows = values_of(lower.lower_jacobian(system), here)
    size = len(x)
    expected = [rows[i * size + j] * scale[j] / scale[i] for i in range(size) for j in range(size)]
    assert same(expected, values_of(lower.lower_jacobian(other), there))


@settings(max_examples=40)
@given(st.data())
def test_another_unit_of_time_multiplies(data):
    system = data.draw(systems(constants=EXACT))
    values = named(system, *data.draw(points(system)))
    factor = sympy.Rational(data.draw(st.sampled_from(["1000", "1/60", "-1"])))
    other = define(
        dict(zip(system.state_names, system.start_values, strict=True)),
        dict(zip(system.parameter_names, system.parameter_values, strict=True)),
        [factor * expression for expression in system.rule],
    )
    c = mpmath.mpf(factor.p) / factor.q
    for make in (lower.lower_rule, lower.lower_jacobian):
        expected = [c * value for value in values_of(make(system), values)]
        assert same(expected, values_of(make(other), values))


# Identity and copies


@settings(max_examples=40)
@given(systems(time=True), st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_a_pickled_system_is_the_same_system(system, protocol):
    copy = pickle.loads(pickle.dumps(system, protocol))
    assert copy == system
    assert hash(copy) == hash(system)
    assert copy.rule_hash == system.rule_hash
    assert (copy.name, copy.reference) == (system.name, system.reference)
    assert repr(copy) == repr(system)


@pytest.mark.parametrize("name", SCALAR)
def test_a_pickled_model_is_the_same_model_and_small(name):
    system = zoo.get(name)
    packed = pickle.dumps(system)
    assert pickle.loads(packed) == system
    assert len(packed) < 4096 * (4 if name in LONG else 1)


def test_a_pickle_holds_no_sympy():
    packed = pickle.dumps(zoo.hodgkin_huxley)
    assert b"sympy" not in packed


@settings(max_examples=40)
@given(systems(), st.data())
def test_values_are_no_part_of_the_rule(system, data):
    starts = {n: data.draw(st.floats(-9, 9)) for n in system.state_names}
    values = {n: data.draw(st.floats(-9, 9)) for n in system.parameter_names}
    other = system(**values).with_start(**starts)
    assert other.rule_hash == system.rule_hash
    assert other.rule == system.rule
    assert [other[n] for n in values] == list(values.values())
    assert [other[n] for n in starts] == list(starts.values())
    unchanged = values == {q.name: q.value for q in system.parameters} and starts == {
        s.name: s.start for s in system.states
    }
    assert (other == system) == unchanged
    restored = other(**dict(zip(system.parameter_names, system.parameter_values, strict=True)))
    restored = restored.with_start(
        **dict(zip(system.state_names, system.start_values, strict=True))
    )
    assert restored == system
    assert hash(restored) == hash(system)


def test_equality_looks_at_rule_declarations_parts_and_values_but_not_at_the_title():
    def spin(theta=0.1, *, K=2.0):
        return {theta: -K * dl.sin(theta)}

    def other_spin(theta=0.1, *, K=2.0):
        """Say something else."""
        return {theta: -K * dl.sin(theta)}

    def faster(theta=0.1, *, K=2.0):
        return {theta: -K * dl.sin(2 * theta)}

    def on_the_circle(theta: dl.Angle = 0.1, *, K=2.0):
        return {theta: -K * dl.sin(theta)}

    plain = dl.flow(spin)
    assert dl.flow(other_spin) == plain
    assert hash(dl.flow(other_spin)) == hash(plain)
    different = [
        dl.flow(faster),
        dl.flow(on_the_circle),
        dl.iterated_map(spin),
        dl.flow(time="ms")(spin),
        dl.flow(units={"K": "1/s"})(spin),
        plain.with_observable(r=lambda theta: dl.cos(theta)),
        plain(K=2.5),
        plain.with_start(theta=0.2),
    ]
    for system in different:
        assert system != plain
    assert dl.flow(faster).rule_hash != plain.rule_hash
    for system in different[1:]:
        assert system.rule_hash == plain.rule_hash
    assert len({plain, *different}) == len(different) + 1


@settings(max_examples=30)
@given(systems(), systems())
def test_different_rules_have_different_hashes(one, two):
    parts = [(s.state_names, s.parameter_names, s.rule) for s in (one, two)]
    assert (one.rule_hash == two.rule_hash) == (parts[0] == parts[1])


# Symmetries of models in print


def shifted(system, swap):
    """Substitute in the rule, exactly."""
    return [e.xreplace({symbol(n): with_ for n, with_ in swap.items()}) for e in system.rule]


def vanish(expressions):
    return all(sympy.expand(e) == 0 for e in expressions)


def test_hodgkin_huxley_a_leak_potential_is_a_current():
    system = zoo.hodgkin_huxley
    EL, gL, I, d = symbol("EL"), symbol("gL"), symbol("I"), symbol("d")
    potential = shifted(system, {"EL": EL + d})
    current = shifted(system, {"I": I + gL * d})
    assert vanish(a - b for a, b in zip(potential, current, strict=True))
    assert zoo.hodgkin_huxley(EL=-54.387).rule_hash == system.rule_hash


def test_fitzhugh_nagumo_is_symmetric_about_the_middle_of_its_range():
    """(v, w, I) -> (-v, 2a/b - w, 2a/b - I) turns every rate around."""
    system = zoo.fitzhugh_nagumo
    v, w, I, a, b = map(symbol, ("v", "w", "I", "a", "b"))
    mirrored = shifted(system, {"v": -v, "w": 2 * a / b - w, "I": 2 * a / b - I})
    assert vanish(one + two for one, two in zip(mirrored, system.rule, strict=True))
    entries = shifted_jacobian(system, {"v": -v, "w": 2 * a / b - w, "I": 2 * a / b - I})
    assert vanish(one - two for one, two in zip(entries, rows_of(system), strict=True))


def test_lorenz_is_symmetric_about_its_axis():
    system = zoo.lorenz
    x, y = symbol("x"), symbol("y")
    turn = (-1, -1, 1)
    mirrored = shifted(system, {"x": -x, "y": -y})
    assert vanish(s * f - g for s, f, g in zip(turn, system.rule, mirrored, strict=True))
    entries = shifted_jacobian(system, {"x": -x, "y": -y})
    signs = [a * b for a in turn for b in turn]
    assert vanish(s * f - g for s, f, g in zip(signs, rows_of(system), entries, strict=True))


def rows_of(system):
    return jacobian(system.rule, system.state_names)


def shifted_jacobian(system, swap):
    return [e.xreplace({symbol(n): with_ for n, with_ in swap.items()}) for e in rows_of(system)]


def test_every_model_is_a_system():
    assert all(isinstance(zoo.get(name), System) for name in zoo.names())
