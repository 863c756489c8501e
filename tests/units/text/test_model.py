"""dl.system and dl.map_system: the same as a function of that meaning, or a named error."""

import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.errors import (
    DefinitionError,
    DuplicateNameError,
    DynlabError,
    SettingError,
    TextError,
    UnitError,
    UnknownNameError,
)
from dynlab.symbolic.quantities import Domain


def refused(kind, *parts, make=dl.system, equations=None, **given):
    with pytest.raises(DynlabError) as caught:
        make(
            {"x": "-a*x"} if equations is None else equations, **({"parameters": {"a": 1}} | given)
        )
    assert type(caught.value) is kind, str(caught.value)
    for part in parts:
        assert part in str(caught.value), str(caught.value)


def test_texts_give_what_a_function_gives():
    assert zoo.lorenz == dl.system(
        {"x": "sigma*(y - x)", "y": "x*(rho - z) - y", "z": "x*y - beta*z"},
        parameters={"sigma": 10, "rho": 28, "beta": 8 / 3},
        start={"x": 1, "y": 1, "z": 1},
    )
    assert zoo.henon == dl.map_system(
        {"x": "1 - a*x^2 + y", "y": "b*x"}, parameters={"a": 1.4, "b": 0.3}
    )
    texts = dl.system(
        {"theta": "omega", "omega": "-sin(theta) - b*omega + cos(t)*pi"},
        parameters={"b": 0.1}, observables={"energy": "omega^2/2 - cos(theta)", "half": "energy/2"},
        domains={"theta": dl.Angle}, units={"omega": "1/s", "b": "1/s", "energy": "J"}, time="s",
        name="pendulum",
    )  # fmt: skip
    assert texts.states[0].domain is Domain.CIRCLE
    assert (texts.unit_of("omega"), texts.unit_of("energy"), texts.time.unit) == ("1/s", "J", "s")
    assert texts.observables[1].expression == texts.observables[0].expression / 2
    assert not texts.is_autonomous


def test_observables_stand_in_equations():
    """In any order; as if they had been written out."""
    parted = dl.system(
        {"V": "(I - ionic)/C"}, parameters={"I": 1, "C": 2, "g": 3},
        observables={"ionic": "g*open*V", "open": "1/(1 + exp(-V))"},
    )  # fmt: skip
    whole = dl.system({"V": "(I - g*(1/(1 + exp(-V)))*V)/C"}, parameters={"I": 1, "C": 2, "g": 3})
    assert parted.rule == whole.rule
    assert parted.observable_names == ("ionic", "open")


def test_a_singularity_across_an_observable_is_removed():
    parts = dl.system({"x": "u/(exp(u) - 1)"}, observables={"u": "x/2 - 1"})
    assert parts.rule == dl.system({"x": "(x/2 - 1)/(exp(x/2 - 1) - 1)"}).rule
    assert "bernoulli" in str(parts.rule[0])


def test_it_runs():
    decay = dl.system({"x": "-k*x"}, parameters={"k": 2}, start={"x": 1})
    assert dl.integrate(decay, duration=1).final["x"] == pytest.approx(0.1353352832366127)


def test_7_and_18_names():
    for name in ("lambda", "def", "None", "t", "numba", "np", "exp", "dl", "_x", "x y", ""):
        refused(DefinitionError, "is not a valid name", equations={name: "1"})
    for name in ("beta", "gamma", "S", "N", "E", "I", "Q", "O"):
        assert dl.system({name: f"-2*{name}"}).state_names == (name,)
    refused(DuplicateNameError, "printed 'é'", equations={"é": "1", "e\u0301": "2"})
    refused(DefinitionError, "invisible", equations={"x": "1", "x\u200b": "2"})
    assert dl.system({"ﬁ": "-fi"}, start={"ﬁ": 3})["fi"] == 3


def test_16_values():
    refused(UnknownNameError, "'k'", "the equation of 'x'", equations={"x": "-k*x"})
    refused(DefinitionError, "'a'", "has no value", parameters={"a": None})
    refused(SettingError, "'a'", "not a number", parameters={"a": "1.0"})
    refused(SettingError, "'a'", "not a number", parameters={"a": True})
    refused(SettingError, "'a'", "finite", parameters={"a": float("nan")})
    refused(UnknownNameError, "'y'", "state of 'system'", start={"y": 1})
    refused(UnknownNameError, "'y'", "state of 'system'", domains={"y": dl.Angle})
    refused(UnknownNameError, "'b'", "Did you mean", units={"b": "s"}, parameters={"a": 1, "bb": 2})
    refused(UnitError, "short printable", units={"a": "m\n"})


def test_17_equations():
    refused(TextError, "no states", equations={})
    refused(DuplicateNameError, "'a'", equations={"a": "1"})
    refused(DefinitionError, "give a dict", equations="x' = 1")
    refused(TextError, "not a text", "in quotes", equations={"x": 1})
    refused(TextError, "number is needed", equations={"x": "x > 1"})


def test_observables_in_a_circle():
    circle = {"u": "2*w", "w": "u + x"}
    refused(TextError, "need each other", "'u'", "'w'", observables=circle)
    refused(TextError, "need each other", observables={"u": "u + 1"})


def test_a_tower_of_observables_does_not_grow_without_bound():
    """Each doubles the one before: a billion laughs."""
    tower = {"q0": "x + 1"} | {f"q{k}": f"sin(q{k - 1}) + q{k - 1}" for k in range(1, 60)}
    refused(TextError, "too long", "limit (nodes)", observables=tower)
    chain = {"q0": "x"} | {f"q{k}": f"sin(q{k - 1})" for k in range(1, 3000)}
    refused(TextError, "'system' is too long", observables=chain)
