"""Models in SBML: what the specification says they mean, and what is refused before libsbml sees it."""

import sys
import time
import tracemalloc

import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.errors import (
    DynlabError,
    MissingExtraError,
    TextError,
    UnknownNameError,
    UnsupportedSystemError,
)
from dynlab.symbolic.tree import symbol

CORE = "http://www.sbml.org/sbml/level3/version{}/core"
MATH = '<math xmlns="http://www.w3.org/1998/Math/MathML">'

needs_libsbml = pytest.mark.skipif(
    __import__("importlib.util").util.find_spec("libsbml") is None, reason="needs the extra sbml"
)


def document(body, *, version=1, head="", attributes=""):
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<sbml xmlns="{CORE.format(version)}" level="3" '
        f'version="{version}"{attributes}><model id="m" name="a model">{body}</model></sbml>'
    )


def listed(name, *items):
    return f"<listOf{name}>{''.join(items)}</listOf{name}>"


def compartment(size=2, more=""):
    return listed(
        "Compartments",
        f'<compartment id="cell" size="{size}" spatialDimensions="3" constant="true"{more}/>',
    )


def species(name, start, **more):
    given = {
        "initialConcentration": start, "hasOnlySubstanceUnits": "false",
        "boundaryCondition": "false", "constant": "false",
    } | more  # fmt: skip
    given = " ".join(f'{k}="{v}"' for k, v in given.items() if v is not None)
    return f'<species id="{name}" compartment="cell" {given}/>'


def parameter(name, value, constant="true"):
    value = "" if value is None else f' value="{value}"'
    return f'<parameter id="{name}"{value} constant="{constant}"/>'


def reaction(name, left, right, law, more="", fast="false"):
    def side(kind, items):
        made = (
            f'<speciesReference species="{s}" stoichiometry="{n}" constant="true"/>'
            for s, n in items.items()
        )
        return listed(kind, *made) if items else ""

    return (
        f'<reaction id="{name}" reversible="false" fast="{fast}">{side("Reactants", left)}'
        f"{side('Products', right)}<kineticLaw>{MATH}{law}</math>{more}</kineticLaw></reaction>"
    )


def apply(operation, *arguments):
    """Write MathML; names and numbers may stand as they are."""
    inside = "".join(
        a if str(a).startswith("<") else f"<cn>{a}</cn>" if _is_number(a) else f"<ci>{a}</ci>"
        for a in arguments
    )
    head = operation if operation.startswith("<") else f"<{operation}/>"
    return f"<apply>{head}{inside}</apply>"


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def rule(kind, variable, formula):
    return f'<{kind}Rule variable="{variable}">{MATH}{formula}</math></{kind}Rule>'


def rated(formula, *more, version=1):
    """Return the rate of x, in a model with a and b and that formula."""
    body = listed("Parameters", parameter("x", 1, "false"), parameter("a", 2), parameter("b", 3))
    body = "".join(more) + body + listed("Rules", rule("rate", "x", formula))
    return dl.from_sbml(document(body, version=version)).rule[0]


def refused(text, kind, *parts):
    began = time.thread_time()
    with pytest.raises(DynlabError) as caught:
        dl.from_sbml(text)
    assert time.thread_time() - began < 0.2
    tracemalloc.start()
    with pytest.raises(DynlabError):
        dl.from_sbml(text)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 100_000_000
    assert type(caught.value) is kind, str(caught.value)
    for part in parts:
        assert part in str(caught.value), str(caught.value)


def lorenz():
    x_rate = apply("times", "sigma", apply("minus", "y", "x"))
    y_rate = apply("minus", apply("times", "x", apply("minus", "rho", "z")), "y")
    z_rate = apply("minus", apply("times", "x", "y"), apply("times", "beta", "z"))
    return document(
        listed("Parameters", *(parameter(n, 1, "false") for n in "xyz"), parameter("sigma", 10),
               parameter("rho", 28), parameter("beta", repr(8 / 3)))
        + listed("Rules", rule("rate", "x", x_rate), rule("rate", "y", y_rate), rule("rate", "z", z_rate))
    )  # fmt: skip


@needs_libsbml
def test_rate_rules(tmp_path):
    assert dl.from_sbml(lorenz()) == zoo.lorenz
    path = tmp_path / "lorenz.xml"
    path.write_text(lorenz(), encoding="utf-8")
    assert dl.read_model(path) == zoo.lorenz


@needs_libsbml
def test_reactions_are_concentrations_or_amounts():
    """SBML L3V2, 4.11.7: amounts change by stoichiometry times law; divided by the size if not."""
    text = document(
        compartment(2)
        + listed(
            "Species", species("A", 3), species("B", 1, hasOnlySubstanceUnits="true"),
            species("F", 5, boundaryCondition="true"), species("P", 0, constant="true"),
            species("D", None, initialConcentration=None, initialAmount=8),
        )
        + listed("Parameters", parameter("k", 0.5))
        + listed(
            "Reactions",
            reaction("r1", {"A": 2, "F": 1}, {"B": 3}, apply("times", "k", "A", "q", "cell"),
                     listed("LocalParameters", '<localParameter id="q" value="7"/>')),
            reaction("r2", {"B": 1}, {"A": 1, "D": 1}, apply("times", "k", "B", "r1")),
        )
    )  # fmt: skip
    system = dl.from_sbml(text)
    A, B, k, q, cell = map(symbol, ("A", "B", "k", "r1_q", "cell"))
    first, second = k * A * q * cell, k * B * (k * A * q * cell)
    assert system.state_names == ("A", "B", "D")
    expected = ((second - 2 * first) / cell, 3 * first - second, second / cell)
    for found, wanted in zip(system.rule, expected, strict=True):
        assert (found - wanted).expand() == 0
    # Concentration 1 of B in a size of 2 is an amount of 2; an amount of 8 of D is a concentration 4.
    assert system.start_values == (3.0, 2.0, 4.0)
    assert (system["F"], system["P"], system["r1_q"], system["cell"]) == (5.0, 0.0, 7.0, 2.0)


@needs_libsbml
def test_rules_functions_and_initial_assignments():
    hill = (
        f'<functionDefinition id="hill">{MATH}<lambda><bvar><ci>u</ci></bvar><bvar><ci>n</ci></bvar>'
        f"{apply('divide', apply('power', 'u', 'n'), apply('plus', 1, apply('power', 'u', 'n')))}"
        "</lambda></math></functionDefinition>"
    )
    start = apply("times", "a", apply("plus", "x", 1))
    text = document(
        listed("FunctionDefinitions", hill)
        + listed("Parameters", parameter("x", 4, "false"), parameter("a", 2),
                 parameter("w", None, "false"), parameter("lambda", None), parameter("y", None, "false"))
        + listed("InitialAssignments",
                 f'<initialAssignment symbol="lambda">{MATH}{apply("times", 3, "w")}</math></initialAssignment>',
                 f'<initialAssignment symbol="y">{MATH}{start}</math></initialAssignment>')
        + listed("Rules", rule("assignment", "w", apply("<ci>hill</ci>", apply("times", "a", "x"), 2)),
                 rule("rate", "x", apply("times", "lambda", "w")), rule("rate", "y", apply("minus", "y")))
    )  # fmt: skip
    system = dl.from_sbml(text)
    x, a = symbol("x"), symbol("a")
    w = (a * x) ** 2 / (1 + (a * x) ** 2)
    assert system.observable_names == ("w",)
    assert (system.observables[0].expression - w).simplify() == 0
    assert (system.rule[0] - symbol("lambda_") * w).simplify() == 0
    assert system["lambda_"] == pytest.approx(3 * 64 / 65)
    assert system["y"] == 10.0


CHOICE = (
    "<piecewise><piece><ci>a</ci>{}</piece><otherwise><ci>b</ci></otherwise></piecewise>"
)  # fmt: skip


@needs_libsbml
def test_functions_of_mathml():
    x, a, b = map(symbol, "xab")
    for name, ours in {
        "exp": dl.exp, "ln": dl.log, "abs": dl.abs, "floor": dl.floor, "sin": dl.sin, "cos": dl.cos,
        "tan": dl.tan, "arcsin": dl.asin, "arccos": dl.acos, "arctan": dl.atan, "sinh": dl.sinh,
        "cosh": dl.cosh, "tanh": dl.tanh, "root": dl.sqrt, "minus": lambda u: -u,
        "ceiling": lambda u: -dl.floor(-u), "sec": lambda u: 1 / dl.cos(u),
        "log": lambda u: dl.log(u) / dl.log(10),
    }.items():  # fmt: skip
        assert rated(apply(name, "x")) == ours(x), name
    base = "<logbase><cn type='integer'>2</cn></logbase>"
    assert rated(apply("log", base, "x")) == dl.log(x) / dl.log(2)
    assert rated(apply("power", "x", apply("divide", "a", "b"))) == x ** (a / b)
    assert rated(apply("times")) == 1
    for name, number in (("arcsinh", 0.7), ("arccosh", 1.7), ("arctanh", 0.7)):
        back = {"arcsinh": dl.sinh, "arccosh": dl.cosh, "arctanh": dl.tanh}[name]
        assert back(rated(apply(name, "x")).subs(x, number)).evalf() == pytest.approx(number)
    assert rated(CHOICE.format(apply("gt", "x", "a"))) == dl.where(x > a, a, b)
    between = rated(CHOICE.format(apply("lt", 0, "x", 1)))
    assert [between.subs(x, v) for v in (-0.5, 0.5, 1.5)] == [b, a, b]
    either = rated(CHOICE.format(apply("xor", apply("gt", "x", 0), apply("gt", "x", 1))))
    assert [either.subs(x, v) for v in (-0.5, 0.5, 1.5)] == [b, a, b]
    time_ = (
        '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">t</csymbol>'
    )
    assert rated(apply("times", time_, "<pi/>")).free_symbols == {dl.t}
    remainder = rated(apply("rem", "x", 3), version=2)
    assert [remainder.subs(x, v) for v in (7.5, -7.5)] == [1.5, -1.5]
    assert rated(apply("max", "x", "a", "b"), version=2) == dl.max(x, a, b)


DECLARED = (
    '<!DOCTYPE sbml [<!ENTITY secret SYSTEM "file:///etc/hostname">]>',
    '<!DOCTYPE sbml SYSTEM "http://127.0.0.1:9/x.dtd">',
    "<!DOCTYPE l [<!ENTITY a 'lol'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]>",
    '<!doctype sbml>', '<!ENTITY x SYSTEM "file:///etc/hostname">', "<![INCLUDE[ ]]>",
)  # fmt: skip


@pytest.mark.parametrize("head", DECLARED, ids=range(len(DECLARED)))
def test_22_a_document_type_declaration_is_refused_before_libsbml_sees_it(head, monkeypatch):
    monkeypatch.setitem(sys.modules, "libsbml", None)
    refused(document("", head=head), TextError, "document type declaration", "Remove it")


def test_22_other_hostile_texts_do_not_reach_libsbml_either(monkeypatch):
    monkeypatch.setitem(sys.modules, "libsbml", None)
    deep = apply("minus", "x")
    for _ in range(2000):
        deep = f"<apply><minus/>{deep}</apply>"
    hidden = "<apply x='/>' >" * 500  # looks closed and is not
    for text, why in (
        ("", "is empty"), ("<a>" * 10**6, "nested deeper"), (document(deep), "nested deeper"),
        (document(hidden), "nested deeper"), ("<a/>" * 300_000, "elements"), ("x" * 11_000_000, "limit"),
        ('<?xml version="1.0" encoding="UTF-16"?><sbml/>', "UTF-16"), ("<sbml>\0</sbml>", "NUL"),
        ("<a " + '"<a' * 100_000, "nested deeper"), (document("<a x='/' y=\">\">" * 300), "nested"),
    ):  # fmt: skip
        refused(text, TextError, why)
    with pytest.raises(MissingExtraError, match=r"python-libsbml.*dynlab\[sbml\]"):
        dl.from_sbml(document(""))


@needs_libsbml
@pytest.mark.parametrize(
    ("body", "kind", "parts"),
    [
        (listed("Events", f'<event id="e" useValuesFromTriggerTime="true"><trigger initialValue="true" persistent="true">{MATH}{apply("gt", 1, 0)}</math></trigger></event>'), UnsupportedSystemError, ("events",)),
        (listed("Parameters", parameter("x", 1, "false")) + listed("Rules", f"<algebraicRule>{MATH}<ci>x</ci></math></algebraicRule>"), UnsupportedSystemError, ("algebraic rules",)),
        (listed("Parameters", parameter("x", 1, "false")) + listed("Rules", rule("rate", "x", '<apply><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/delay">d</csymbol><ci>x</ci><cn>1</cn></apply>')), UnsupportedSystemError, ("delays", "the rule for 'x'")),
        (listed("Parameters", parameter("x", 1, "false")) + listed("Rules", rule("rate", "x", apply("factorial", "x"))), UnsupportedSystemError, ("factorial",)),
        (compartment() + listed("Species", species("A", 1)) + listed("Reactions", reaction("r", {"A": 1}, {}, "<ci>A</ci>", fast="true")), UnsupportedSystemError, ("fast reactions", "'r'")),
        (listed("Parameters", parameter("x", None, "false"), parameter("y", 1, "false")) + listed("Rules", rule("rate", "y", "<ci>x</ci>")), TextError, ("'x'", "no value")),
        (listed("Parameters", parameter("x", "NaN", "false")) + listed("Rules", rule("rate", "x", "<ci>x</ci>")), TextError, ("'x'",)),
        (listed("Parameters", parameter("x", "INF", "false")) + listed("Rules", rule("rate", "x", "<ci>x</ci>")), TextError, ("'x'", "finite")),
        (listed("Parameters", parameter("x", 1, "false")) + listed("Rules", rule("rate", "x", "<infinity/>")), TextError, ("finite",)),
        ("", TextError, ("no states",)),
        (listed("Parameters", parameter("x", 1, "false")) + listed("Rules", rule("rate", "x", "<piecewise><piece><cn>1</cn>" + apply("gt", "x", 0) + "</piece></piecewise>")), UnsupportedSystemError, ("otherwise",)),
    ],
    ids=range(11),
)  # fmt: skip
def test_what_is_not_read_is_named(body, kind, parts):
    refused(document(body), kind, *parts)


@needs_libsbml
def test_texts_that_are_no_sbml():
    for text in ("hello", "<sbml/>", "<a></b>", document("<listOfNothing/>"), lorenz()[:-9]):
        with pytest.raises((TextError, UnknownNameError)):
            dl.from_sbml(text)
