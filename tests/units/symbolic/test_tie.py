"""Parameters tied to each other."""

import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.errors import DefinitionError, TextError, UnknownNameError
from dynlab.symbolic.tree import symbol


def test_a_tie_is_a_substitution():
    """tie(b="2*a") and the same equations with 2*a written in are one system."""

    @dl.flow
    def roessler(x=1.0, y=1.0, z=1.0, *, a=0.2, c=5.7):
        return {x: -y - z, y: x + a * y, z: 2 * a + z * (x - c)}

    assert zoo.roessler.tie(b="2*a") == roessler


def test_a_bare_new_name_takes_the_value_unit_and_place():
    tied = zoo.hodgkin_huxley(gNa=100).tie(gNa="g", gK="0.3*g", gL="g/400")
    assert tied.parameter_names == ("I", "C", "g", "ENa", "EK", "EL")
    assert tied["g"] == 100
    assert tied.unit_of("g") == "mS/cm^2"
    g = symbol("g")
    swap = {symbol("gNa"): g, symbol("gK"): 0.3 * g, symbol("gL"): g / 400}
    assert tied.rule[0] == zoo.hodgkin_huxley.rule[0].xreplace(swap)


def test_an_observable_is_tied_too():
    seen = zoo.roessler.with_observable(r=lambda x, b: b * x).tie(b="a**2")
    assert seen.observables[0].expression == symbol("a") ** 2 * symbol("x")


def test_a_tie_to_a_constant_fixes_the_value():
    fixed = zoo.roessler.tie(c="57/10")
    assert fixed.parameter_names == ("a", "b")


@pytest.mark.parametrize(
    ("ties", "kind", "parts"),
    [
        ({"aa": "g"}, UnknownNameError, ("'aa'", "'roessler'", "Did you mean 'a'")),
        ({"a": "2*g"}, DefinitionError, ("'g'", "the tie of 'a' of 'roessler'", 'a="g"')),
        ({"a": "b", "b": "2*a"}, DefinitionError, ("'b'", "not tied themselves")),
        ({"a": "x"}, DefinitionError, ("'x'", "state")),
        ({"a": "2*x"}, DefinitionError, ("'x'", "the tie of 'a'")),
        ({"a": "t"}, DefinitionError, ("'t'", "the time")),
        ({"a": 2.0}, DefinitionError, ("2.0", "not a text")),
        ({"a": "b/0"}, TextError, ("finite", "the tie of 'a'")),
        ({"a": "__import__('os')"}, TextError, ("unknown function", "column 1")),
        ({"a": "lambda"}, DefinitionError, ("'lambda'", "word of Python")),
    ],
)
def test_what_is_no_tie(ties, kind, parts):
    with pytest.raises(kind) as caught:
        zoo.roessler.tie(**ties)
    assert all(part in str(caught.value) for part in parts), str(caught.value)


def test_rules_over_networks():
    tied = zoo.sir_on_graph.tie(gamma="2*beta").on(dl.AllToAll(3))
    assert tied.parameter_names == ("beta",)
    assert symbol("gamma") not in set().union(*(e.free_symbols for e in tied.rule))
    with pytest.raises(DefinitionError, match=r"'omega' of 'kuramoto' has a value for each node"):
        zoo.kuramoto.tie(omega="g")
