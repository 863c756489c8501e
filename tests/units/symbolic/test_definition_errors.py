"""A definition that makes no sense is refused where it is written, in three parts.

Every message says what is wrong, where (the names involved), and what to try.  The cases follow the
catalogue of bad inputs: names, equations, values, annotations, and things that are not mathematics.
"""

import functools
import math
import re

import numpy as np
import pytest
import sympy
from strategies import define

import dynlab as dl
from dynlab import zoo
from dynlab.errors import (
    DefinitionError,
    DuplicateNameError,
    DynlabError,
    SettingError,
    UnitError,
    UnknownNameError,
    UnsupportedSystemError,
)
from dynlab.symbolic.dynamics import Autonomous, Continuous, Discrete, require
from dynlab.symbolic.expressions import checked_expression
from dynlab.symbolic.quantities import Domain, Observable, Parameter, State
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import from_tree, symbol

EVIL = "x=__import__('os').system('touch MARK')"


def refused(function, kind, *parts, maker=dl.flow):
    """Define; the error is of that kind exactly and its message has all the parts."""
    with pytest.raises(DynlabError) as caught:
        maker(function)
    message = str(caught.value)
    assert type(caught.value) is kind, message
    assert isinstance(caught.value, ValueError)
    for part in parts:
        assert part in message, message


# The body: things that can be done to numbers and not to symbols


def decides(v=1.0, *, a=2.0):
    return {v: a if v > 0 else -a}


def chains(v=1.0):
    return {v: dl.where(0 < v < 1, v, 0)}


def joins(v=1.0):
    return {v: dl.where(v > 0 and v < 1, v, 0)}


def takes_the_builtin_largest(v=1.0):
    return {v: max(v, 0)}


def takes_the_largest_of_numpy(v=1.0):
    return {v: np.maximum(v, 0)}


@pytest.mark.parametrize(
    "function",
    [decides, chains, joins, takes_the_builtin_largest, takes_the_largest_of_numpy],
)
def test_a_decision_on_a_symbol(function):
    refused(function, DefinitionError, "if/and/or/min/max", repr(function.__name__), "dl.where(")


def calls_numpy(v=1.0):
    return {v: np.sin(v)}


def calls_math(v=1.0):
    return {v: math.exp(v)}


@pytest.mark.parametrize("function", [calls_numpy, calls_math])
def test_a_function_of_numpy_or_math(function):
    refused(
        function, DefinitionError, "a function of numpy or math", repr(function.__name__), "dl.sin"
    )


def misspells(x=1.0, y=1.0, *, sigma=10.0):
    return {x: simga * (y - x), y: -y}  # noqa: F821


def uses_an_attribute(x=1.0):
    return {x: x.real}


def uses_an_item(x=1.0):
    return {x: x[0]}


def calls_a_symbol(x=1.0):
    return {x: x(1)}


def divides_by_nothing(x=1.0):
    return {x: x * (1 / 0)}


def looks_up(x=1.0):
    return {x: {"a": 1}["b"] * x}


def asks_for_a_derivative_below_zero(x=1.0):
    return {x: dl.exprel(x, -1)}


def nests(x=1.0):
    return {x: functools.reduce(lambda inner, _: dl.sin(inner) + 1, range(3000), x)}


def test_a_misspelt_name_in_the_body():
    refused(misspells, UnknownNameError, "'simga'", "'misspells'", "Did you mean 'sigma'?")


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (uses_an_attribute, "real"),
        (uses_an_item, "subscriptable"),
        (calls_a_symbol, "callable"),
        (divides_by_nothing, "division by zero"),
        (looks_up, "'b'"),
        (asks_for_a_derivative_below_zero, "order -1"),
    ],
)
def test_a_body_that_fails(function, what):
    refused(function, DefinitionError, what, repr(function.__name__), "functions of dl")


def test_a_body_that_is_nested_too_deeply():
    refused(nests, DefinitionError, "too deep", "'nests'", "fewer, flatter terms")


def test_an_expression_that_is_nested_too_deeply():
    deep = functools.reduce(
        lambda inner, _: sympy.sin(inner, evaluate=False), range(700), symbol("x")
    )
    with pytest.raises(DefinitionError, match=r"too deep.*(fewer|flatter)"):
        checked_expression(deep, zoo.lorenz, "the guard")


# The equations


def has_no_second_equation(x=1.0, y=1.0):
    return {x: y}


def has_two_equations(x=1.0, y=1.0):
    return {x: y, y: -x, x: 2 * y}  # noqa: F602


def collects_two_equations(x=1.0, y=1.0):
    rates = {x: y, x: 2 * y, y: -x}  # noqa: F602
    return rates  # noqa: RET504


def has_two_equations_inside(x=1.0):
    """Only what is returned counts."""

    def other(y):
        return {y: 1, 2: 2}

    return {x: -x * len(other(x))}


def test_a_missing_equation():
    refused(
        has_no_second_equation, DefinitionError,
        "no equation for the state 'y'", "'has_no_second_equation'", "Add y: ...",
    )  # fmt: skip


@pytest.mark.parametrize("function", [has_two_equations, collects_two_equations])
def test_a_doubled_equation(function):
    """Python keeps the last one in silence."""
    refused(
        function, DuplicateNameError, "two equations for the state 'x'", repr(function.__name__),
        "Add the terms in one",
    )  # fmt: skip


def test_other_dicts_may_hold_what_they_like():
    assert dl.flow(has_two_equations_inside).rule == (-2 * symbol("x"),)


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        (lambda x, a: "x", "x"),
        (lambda x, a: 2 * x, "2*x"),
        (lambda x, a: a, "a"),
        (lambda x, a: sympy.Symbol("z"), "z"),
        (lambda x, a: None, "None"),
    ],
)
def test_a_key_that_is_no_state(key, shown):
    def keyed(x=1.0, *, a=2.0):
        return {x: -x, key(x, a): x}

    refused(
        keyed, DefinitionError, f"an equation for {shown}, which is not a state", "'keyed'",
        "The keys are the positional arguments themselves: x",
    )  # fmt: skip


@pytest.mark.parametrize("value", [None, [1], (1, 2), 3.0, "x"])
def test_a_body_that_returns_no_dict(value):
    def returns(x=1.0):
        return value

    refused(returns, DefinitionError, type(value).__name__, "'returns'", "{state: expression}")


def equation(make):
    def made(x=1.0, *, a=2.0):
        return {x: make(x, a)}

    return made


@pytest.mark.parametrize(
    "make",
    [
        lambda x, a: None,
        lambda x, a: "a*x",
        lambda x, a: True,
        lambda x, a: x > 0,
        lambda x, a: [x],
        lambda x, a: (x, a),
        lambda x, a: {x: 1},
        lambda x, a: {x},
        lambda x, a: np.array([x, a]),
        lambda x, a: sympy.Matrix([x, a]),
        lambda x, a: lambda t: t,
        lambda x, a: object(),
    ],
    ids=["None", "text", "bool", "comparison", "list", "tuple", "dict", "set", "array", "matrix",
         "function", "object"],
)  # fmt: skip
def test_an_equation_that_is_no_expression(make):
    refused(equation(make), DefinitionError, "the equation of 'x' of 'made'")


NOT_IN_THE_LANGUAGE = {
    "gamma function": (lambda x, a: sympy.gamma(x), "gamma(x)"),
    "undefined function": (lambda x, a: sympy.Function("f")(x), "'f'"),
    "evil function": (lambda x, a: sympy.Function("(print(1),abs)[1]")(x), "'(print(1),abs)[1]'"),
    "integral": (lambda x, a: sympy.Integral(sympy.exp(-(x**2)), (x, 0, a)), "Integral"),
    "sum": (lambda x, a: sympy.Sum(x * symbol("a"), (symbol("a"), 1, 3)), "Sum"),
    "derivative": (lambda x, a: sympy.Derivative(sympy.Function("f")(x), x), "Derivative"),
    "gap": (lambda x, a: sympy.Piecewise((x, x > 0)), "dl.where(condition, a, b)"),
    "symbol as condition": (lambda x, a: dl.where(x, 1, 2), "write a comparison such as v > 0"),
}


@pytest.mark.parametrize(("make", "what"), NOT_IN_THE_LANGUAGE.values(), ids=NOT_IN_THE_LANGUAGE)
def test_an_equation_outside_the_language(make, what):
    refused(equation(make), DefinitionError, what, "the equation of 'x' of 'made'")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda x, a: 1j * x, "not a real number; equations are real"),
        (lambda x, a: x + 2 + 1j, "not a real number; equations are real"),
        (lambda x, a: dl.sqrt(-1) * x, "not a real number; equations are real"),
        (lambda x, a: dl.log(-2) + x, "not a real number; equations are real"),
        (lambda x, a: math.nan * x, "constants must be finite"),
        (lambda x, a: x + math.nan, "constants must be finite"),
        (lambda x, a: math.inf * x, "constants must be finite"),
        (lambda x, a: x - math.inf, "constants must be finite"),
        (lambda x, a: x / 0, "constants must be finite"),
        (lambda x, a: 10**400 * x, "too large for double precision"),
        (lambda x, a: sympy.Float("1e400") * x, "too large for double precision"),
        (lambda x, a: sympy.Rational(10**400, 3) * x, "too large for double precision"),
        (lambda x, a: x ** (10**400), "too large for double precision"),
    ],
)
def test_a_constant_that_is_no_finite_real_number(make, why):
    refused(equation(make), DefinitionError, why, "the equation of 'x' of 'made'")


@pytest.mark.parametrize("make", [lambda x: x == 1, lambda x: x != 1], ids=["==", "!="])
def test_a_condition_that_python_decides(make):
    """``x == 1`` compares two expressions, and they differ: the condition would be lost."""
    refused(
        equation(lambda x, a: dl.where(make(x), 1, a)), DefinitionError, "dl.where",
        "condition", "Compare with <, <=, > or >=",
    )  # fmt: skip


# Names


def test_a_foreign_name_in_an_equation():
    refused(
        equation(lambda x, a: x * sympy.Symbol("aa")), UnknownNameError,
        "'aa'", "the equation of 'x' of 'made'", "Did you mean 'a'?",
    )  # fmt: skip


def test_an_evil_name_in_an_equation(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(
        equation(lambda x, a: x + sympy.Symbol(EVIL)), DefinitionError,
        "is not a valid name", "the equation of 'x' of 'made'", "letters, digits and underscores",
    )  # fmt: skip
    with pytest.raises(DefinitionError, match="is not a valid name for a state"):
        System("evil", (State(EVIL),), (), (sympy.Symbol(EVIL, real=True),))
    with pytest.raises(DefinitionError, match="is not a valid name"):
        System("evil", (State("x"),), (), (sympy.Symbol(EVIL, real=True),))
    with pytest.raises(DefinitionError, match="foreign symbol 'x'"):
        System("evil", (State("x"),), (), (sympy.Symbol("x", positive=True),))
    assert not list(tmp_path.iterdir())


def test_symbols_of_the_user_are_taken_by_name():
    """Whatever was assumed of them: in dynlab a state is real, and nothing else is assumed."""

    def made(x=1.0, *, a=2.0):
        return {x: sympy.Symbol("a", positive=True) * sympy.Symbol("x") + sympy.Dummy("x")}

    x, a = symbol("x"), symbol("a")
    assert dl.flow(made).rule == (a * x + x,)


@pytest.mark.parametrize("name", ["lambda", "def", "None", "match", "_"])
def test_a_word_of_python_is_no_name(name):
    with pytest.raises(DefinitionError) as caught:
        System("s", (State(name),), (), (symbol("x"),))
    assert repr(name) in str(caught.value)
    assert f"It is a word of Python; write {name + '_'!r}" in str(caught.value)


@pytest.mark.parametrize("name", ["t", "np", "numba", "math", "exp", "sin", "pi", "where", "min"])
def test_a_word_of_the_language_is_no_name(name):
    with pytest.raises(DefinitionError) as caught:
        define({name: 1.0}, {}, [symbol(name)], name="clashing")
    message = str(caught.value)
    assert f"{name!r} is not a valid name for a quantity of 'clashing'" in message
    assert ("the time" if name == "t" else "a word of the equation language") in message
    assert f"such as '{name}_0'" in message


@pytest.mark.parametrize("name", ["E", "I", "S", "N", "Q", "O", "beta", "gamma", "zeta", "Beta"])
def test_names_that_sympy_uses_are_plain_names(name):
    system = define({name: 1.0}, {}, [2 * symbol(name)])
    assert system.rule == (2 * symbol(name),)
    assert system.rule[0].free_symbols == {symbol(name)}
    parameter = define({"x": 1.0}, {name: 2.0}, [symbol(name) * symbol("x")])
    assert parameter(**{name: 3.0})[name] == 3.0


INVISIBLE = {
    "zero-width space": "\u200b", "zero-width joiner": "\u200d", "word joiner": "\u2060",
    "right-to-left override": "\u202e", "right-to-left mark": "\u200f", "soft hyphen": "\u00ad",
    "grapheme joiner": "\u034f", "variation selector": "\ufe0f", "Mongolian selector": "\u180b",
    "Hangul filler": "\u1160", "byte order mark": "\ufeff", "line break": "\n", "NUL": "\0",
}  # fmt: skip


@pytest.mark.parametrize("mark", INVISIBLE.values(), ids=INVISIBLE)
def test_a_name_with_something_invisible_is_refused(mark):
    """Else two columns of a table could carry the same printed name."""
    for make in (
        lambda: System("s", (State("x"), State("x" + mark)), (), (symbol("x"), symbol("x"))),
        lambda: System("s", (State("x" + mark),), (), (symbol("x"),)),
        lambda: zoo.lorenz.with_observable(**{"r" + mark: lambda x: x}),
    ):
        with pytest.raises(DefinitionError, match=r"(?s)is not a valid name for a"):
            make()


def test_names_that_are_printed_alike_clash():
    x = symbol("x")
    for one, two in (("é", "e\u0301"), ("fi", "ﬁ"), ("K", "\u212a"), ("x2", "x²")):
        with pytest.raises(DuplicateNameError) as caught:
            System("s", (State(one), State(two)), (), (x, x))
        assert "Two of the names given for a state are both printed" in str(caught.value)
        assert ascii(two) in str(caught.value)
        assert "Rename one of them" in str(caught.value)
    with pytest.raises(DuplicateNameError, match="not in normal form; rename it"):
        System("s", (State("ﬁ"),), (), (symbol("fi"),))


def test_python_normalises_the_names_of_a_function():
    space = {}
    exec("def f(ﬁ=1.0, *, e\u0301=2.0):\n    return {ﬁ: -e\u0301 * fi}", space)
    system = dl.flow(space["f"])
    assert (system.state_names, system.parameter_names) == (("fi",), ("é",))


def test_one_name_for_two_things():
    x = symbol("x")
    for make in (
        lambda: System("s", (State("x"), State("x")), (), (x, x)),
        lambda: System("s", (State("x"),), (Parameter("x", 1.0),), (x,)),
        lambda: System("s", (State("x"),), (), (x,), observables=(Observable("x", x),)),
        lambda: zoo.lorenz.with_observable(sigma=lambda x: x),
    ):
        with pytest.raises(DuplicateNameError, match=r"both printed .*\. Rename one of them"):
            make()


# Declarations and values


def takes_any_number(*args):
    return {}


def takes_any_name(x=1.0, **more):
    return {x: x}


@pytest.mark.parametrize(
    ("function", "what"), [(takes_any_number, "*args"), (takes_any_name, "*more")]
)
def test_a_signature_that_names_nothing(function, what):
    refused(
        function, DefinitionError, what, repr(function.__name__), "name each state and parameter"
    )


def has_a_state_without_value(x):
    return {x: -x}


def has_a_parameter_without_value(x=1.0, *, a):
    return {x: -a * x}


def has_no_states(*, a=1.0):
    return {}


def test_a_declaration_without_a_value():
    refused(
        has_a_state_without_value, DefinitionError, "the state 'x'",
        "'has_a_state_without_value' has no value", "Give it a default: x=1.0",
    )  # fmt: skip
    refused(
        has_a_parameter_without_value, DefinitionError, "the parameter 'a'",
        "'has_a_parameter_without_value' has no value", "Give it a default: a=1.0",
    )  # fmt: skip


def test_a_system_without_states():
    refused(
        has_no_states, DefinitionError, "has no states", "'has_no_states'",
        "Positional arguments are states",
    )  # fmt: skip
    with pytest.raises(DefinitionError, match="'s' has no states"):
        System("s", (), (), ())
    with pytest.raises(DefinitionError, match="'s' has 1 states and 2 equations"):
        System("s", (State("x"),), (), (symbol("x"), symbol("x")))


BAD_VALUES = {
    "nan": (math.nan, "nan; give a finite number"),
    "inf": (math.inf, "inf; give a finite number"),
    "complex": (1j, "this model is real"),
    "None": (None, "not a number"),
    "list": ([1.0], "not a number"),
    "dict": ({}, "not a number"),
    "word": ("one", "not a number"),
    "beyond doubles": (10**400, "too large for double precision"),
    "complex of numpy": (np.complex128(1), "this model is real"),
}


@pytest.mark.parametrize(("value", "why"), BAD_VALUES.values(), ids=BAD_VALUES)
def test_a_value_that_is_no_finite_real_number(value, why):
    def valued(x=value, *, a=1.0):
        return {x: -a * x}

    refused(valued, SettingError, why, "'x' of 'valued'")
    with pytest.raises(SettingError, match=re.escape(why)):
        zoo.lorenz(sigma=value)
    with pytest.raises(SettingError, match=re.escape(why)):
        zoo.lorenz.with_start(x=value)
    with pytest.raises(SettingError, match=re.escape(why)):
        System("s", (State("x", value),), (), (symbol("x"),))


def test_whole_numbers_become_floats():
    system = define({"x": 1}, {"a": np.int64(2)}, [symbol("x")])
    assert repr(system["x"]) == "1.0"
    assert repr(system["a"]) == "2.0"


def test_a_parameter_that_does_not_exist():
    with pytest.raises(UnknownNameError) as caught:
        zoo.lorenz(simga=1.0)
    assert str(caught.value) == (
        "'simga' is not a parameter of 'lorenz'. Did you mean 'sigma'? Known: sigma, rho, beta."
    )
    with pytest.raises(UnknownNameError, match="it is a state; use with_start"):
        zoo.lorenz(x=1.0)
    with pytest.raises(
        UnknownNameError, match=r"'sigma' is not a state of 'lorenz'.*Known: x, y, z"
    ):
        zoo.lorenz.with_start(sigma=1.0)
    with pytest.raises(UnknownNameError, match="'SIGMA' is not a parameter or state of 'lorenz'"):
        zoo.lorenz["SIGMA"]


def test_an_observable_of_something_unknown():
    with pytest.raises(
        UnknownNameError, match=r"'z1' is not a quantity of 'henon'.*Known: x, y, a, b"
    ):
        zoo.henon.with_observable(r=lambda z1: z1)
    for function, why in (
        (lambda x: x + simga, "'simga'"),  # noqa: F821
        (lambda x: x.foo, "foo"),
        (lambda x: x / 0 if x > 0 else 1, "dl.where"),
        (lambda x: np.sin(x), "dl.sin"),
        (lambda x: [x], "not an expression"),
        (lambda x: 1j * x, "real"),
        (lambda x: x * (1 / 0), "division by zero"),
        (3.0, "function"),
    ):
        with pytest.raises(DefinitionError, match=re.escape(why)):
            zoo.henon.with_observable(r=function)


# Annotations


def test_domains_may_be_objects_or_text():
    @dl.flow
    def objects(theta: dl.Angle = 0.0, x: dl.Positive = 1.0, y: float = 0.0, z=0.0):
        return {theta: 1, x: -x, y: -y, z: -z}

    @dl.flow
    def texts(theta: "dl.Angle" = 0.0, x: "Positive" = 1.0, y: "float" = 0.0, z=0.0):  # noqa: F821
        return {theta: 1, x: -x, y: -y, z: -z}

    space = {"dl": dl}
    exec(
        "from __future__ import annotations\n"
        "def later(theta: dl.Angle = 0.0, x: dl.Positive = 1.0, y: float = 0.0, z=0.0):\n"
        "    return {theta: 1, x: -x, y: -y, z: -z}\n",
        space,
    )
    expected = [Domain.CIRCLE, Domain.POSITIVE, Domain.LINE, Domain.LINE]
    for system in (objects, texts, dl.flow(space["later"])):
        assert [state.domain for state in system.states] == expected
        assert system == objects


def test_an_annotation_is_not_evaluated(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def annotated(x: "__import__('os').mkdir('MARK')" = 1.0):
        return {x: -x}

    refused(annotated, DefinitionError, "mkdir('MARK')", "'x' of 'annotated'", "dl.Angle")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("given", [int, "int", "dl.Angel", "Angle | None", 3, list[float], "torus"])
def test_an_annotation_that_is_no_domain(given):
    def annotated(x=1.0):
        return {x: -x}

    annotated.__annotations__ = {"x": given}
    refused(
        annotated, DefinitionError, "is not a domain", "'x' of 'annotated'",
        "Use one of dl.Angle, dl.Positive, dl.PerNode, dl.PerLink, or none",
    )  # fmt: skip


@pytest.mark.parametrize("given", ["Field", "dl.Field('x')"])
def test_an_annotation_of_what_cannot_be_lowered_yet(given):
    def annotated(x=1.0):
        return {x: -x}

    annotated.__annotations__ = {"x": given}
    refused(
        annotated, UnsupportedSystemError, "a field", "'x' of 'annotated'",
        "Write the scalar equations out",
    )  # fmt: skip


# The decorators themselves, units, and what analyses ask


@pytest.mark.parametrize("thing", [3, "x", None])
def test_only_a_function_defines_a_system(thing):
    if thing is not None:
        refused(thing, DefinitionError, "defined by a function", repr(thing), "@dl.flow")
        refused(thing, DefinitionError, "defined by a function", maker=dl.iterated_map)
    assert callable(dl.flow(time="ms"))


def test_a_unit_of_something_unknown():
    def moved(x=1.0, *, a=2.0):
        return {x: -a * x}

    refused(moved, UnitError, "'k'", "'moved'", "Known: x, a", maker=dl.flow(units={"k": "mV"}))
    for label in ("m\n", "m" * 100, 5):
        refused(moved, UnitError, "'a'", "short printable", maker=dl.flow(units={"a": label}))
        refused(moved, UnitError, "the time", "short printable", maker=dl.flow(time=label))


def test_what_an_analysis_needs():
    @dl.flow
    def driven(x=1.0):
        return {x: dl.cos(dl.t) - x}

    for system, need, parts in (
        (zoo.henon, Continuous, ("'henon'", "it is a map", "dl.iterate")),
        (zoo.lorenz, Discrete, ("'lorenz'", "it is a flow", "dl.integrate")),
        (driven, Autonomous, ("'driven'", "depends on the time", "Make the phase a state")),
        (len, Continuous, ("builtin_function_or_method", "@dl.flow", "dl.zoo")),
    ):
        with pytest.raises(UnsupportedSystemError) as caught:
            require(system, need)
        assert all(part in str(caught.value) for part in parts)
    require(zoo.lorenz, Continuous, Autonomous)
    require(zoo.henon, Discrete, Autonomous)


def test_a_stored_expression_that_is_no_expression():
    for tree, what in (
        (("import", "os"), "unknown node 'import'"),
        (("call", "eval", ("name", "x")), "unknown function 'eval'"),
    ):
        with pytest.raises(DefinitionError, match=what):
            from_tree(tree)


@pytest.mark.parametrize("value", ["2", b"2", True])
def test_a_text_or_a_truth_value_is_no_number(value):
    with pytest.raises(dl.SettingError, match=r"'sigma' is .*, which is not a number"):
        zoo.lorenz(sigma=value)


def test_a_domain_on_a_parameter_is_refused():
    with pytest.raises(DefinitionError, match=r"the parameter 'K' of 'coupled'.*domains are for"):

        @dl.flow
        def coupled(x=1.0, *, K: dl.Angle = 0.5):
            return {x: -K * x}
