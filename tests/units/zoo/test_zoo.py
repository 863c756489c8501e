"""The models are what is printed, and the facts about them hold for the equations as written."""

import dataclasses
import math
import re
import subprocess
import sys

import numpy as np
import pytest
import sympy

from dynlab import zoo
from dynlab.errors import DefinitionError, SettingError, UnknownNameError
from dynlab.symbolic.delays import at_once
from dynlab.symbolic.derivatives import jacobian
from dynlab.symbolic.tree import symbol
from dynlab.zoo.catalogue import read_facts

FACTS = [fact for name in zoo.names() for fact in zoo.facts(name)]
# Facts give states to 11 digits or more, neutral saddles ("no hopf") to 8.
DIGITS = 1e-10
FEW_DIGITS = 1e-7


def label(fact):
    number = zoo.facts(fact.model).index(fact)
    return f"{fact.model}-{number}-{fact.what.replace(' ', '_')}"


def each(facts):
    return pytest.mark.parametrize("fact", list(facts), ids=label)


def about(*whats):
    return each(f for f in FACTS if f.what in whats)


def at_points():
    """Facts that place a point: all states are given."""
    return [f for f in FACTS if f.state]


def evaluated(expressions, values):
    """Substitute numbers and evaluate in 30 digits; no generated code is involved."""
    numbers = {symbol(n): sympy.Float(v, 30) for n, v in values.items()}
    return np.array([float(sympy.sympify(e).xreplace(numbers).evalf(30)) for e in expressions])


def values_at(fact):
    system = zoo.get(fact.model)
    parameters = dict(zip(system.parameter_names, system.parameter_values, strict=True))
    return {**parameters, **fact.parameters, **fact.state}


def residual(fact):
    """Rate of change, or for a map the change in one step."""
    system = zoo.get(fact.model)
    moved = evaluated(at_once(system.rule), values_at(fact))
    if not system.is_discrete:
        return moved
    return moved - np.array([fact.state[n] for n in system.state_names])


def jacobian_at(fact):
    system = zoo.get(fact.model)
    entries = jacobian(at_once(system.rule), system.state_names)
    size = len(system.state_names)
    return evaluated(entries, values_at(fact)).reshape(size, size)


def nearest(fact, value):
    """Distance of the spectrum from a value, relative to the largest eigenvalue, if that is not 0."""
    spectrum = np.linalg.eigvals(jacobian_at(fact))
    return np.min(np.abs(spectrum - value)) / (np.max(np.abs(spectrum)) or 1.0)


def digits(fact):
    return FEW_DIGITS if fact.what == "no hopf" else DIGITS


@pytest.mark.parametrize("name", zoo.names())
def test_each_model_says_where_it_is_printed(name):
    system = zoo.get(name)
    assert system.name == name
    caption = system.reference.splitlines()[0]
    assert caption.endswith(".")
    assert len(caption) < 90
    (entry,) = [row for row in zoo.catalogue() if row.name == name]
    assert re.search(r"\b(19|20)\d\d\b", entry.reference)
    assert entry.states == system.declared
    assert entry.parameters == tuple(p.name for p in system.parameters)


@pytest.mark.parametrize("name", zoo.names())
def test_each_model_has_a_fact_with_a_point_or_a_law(name):
    general = {"divergence", "determinant", "onset", "law"}
    assert any(fact.state or fact.what in general for fact in zoo.facts(name))


def test_the_catalogue_lists_every_model_once():
    table = zoo.catalogue()
    assert sorted(row.name for row in table) == list(zoo.names())
    assert len(table) == len(zoo.names())
    assert {row.kind for row in table} == {"flow", "map", "hybrid", "delay"}
    assert table.to_table()["name"] == [row.name for row in table]
    lines = repr(table).splitlines()
    assert len(lines) == len(table) + 1
    assert all(name in repr(table) for name in zoo.names())
    assert all(f"<td>{name}</td>" in table._repr_html_() for name in zoo.names())


def test_models_are_attributes_and_are_listed():
    assert zoo.lorenz is zoo.get("lorenz")
    assert set(zoo.names()) <= set(dir(zoo))


@pytest.mark.parametrize("ask", [zoo.get, zoo.facts, lambda name: getattr(zoo, name)])
def test_an_unknown_model_names_the_nearest(ask):
    with pytest.raises(UnknownNameError, match="Did you mean 'lorenz'") as caught:
        ask("lorentz")
    assert isinstance(caught.value, AttributeError)
    assert not hasattr(zoo, "lorentz")


def test_naming_the_zoo_loads_nothing_heavy():
    code = (
        "import sys; from dynlab import zoo; zoo.facts('lorenz'); zoo.names();"
        "print(sorted({'sympy', 'numpy', 'numba', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@each(FACTS)
def test_facts_name_what_the_model_has(fact):
    system = zoo.get(fact.model)
    moved = {fact.vary} - {None}
    assert moved | set(fact.at) <= set(system.parameter_names)
    assert set(fact.start) | set(fact.minimum) | set(fact.maximum) <= set(system.declared)
    assert set(fact.state) in (set(), set(system.declared))
    assert fact.tolerance >= 0
    if fact.over and fact.value is not None:
        assert fact.over[0] < fact.value < fact.over[1]
    if fact.over and not fact.at.get(fact.vary):
        assert fact.over[0] <= system(**fact.at)[fact.vary] <= fact.over[1]


@each(at_points())
def test_the_point_is_at_rest(fact):
    system = zoo.get(fact.model)
    state = np.array([fact.state[n] for n in system.state_names])
    # The printed digits move the residual by no more than the Jacobian times their rounding.
    reach = np.abs(jacobian_at(fact)) @ np.abs(state) + np.abs(state)
    assert np.all(np.abs(residual(fact)) <= digits(fact) * reach + 1e-12)


@each(f for f in FACTS if f.eigenvalues)
def test_the_eigenvalues_are_those_of_the_jacobian(fact):
    given = np.array(fact.eigenvalues)
    # Compared through the characteristic polynomial, which stays smooth at multiple eigenvalues.
    found, expected = np.poly(jacobian_at(fact)), np.poly(given)
    size = np.abs(np.poly(-np.abs(given)))
    assert np.all(np.abs(found - expected) <= 1e-9 * (size + np.max(np.abs(given))) + 1e-14)


@about("hopf")
def test_a_hopf_point_has_the_stated_frequency(fact):
    assert nearest(fact, 1j * fact.omega) < fact.tolerance
    assert fact.period == pytest.approx(2 * math.pi / fact.omega, rel=1e-9)
    assert fact.l1 is not None


@each(
    f for f in FACTS if f.state and f.what in {"fold", "transcritical", "pitchfork", "branch point"}
)
def test_a_fold_or_branch_point_has_a_neutral_direction(fact):
    neutral = 1.0 if zoo.get(fact.model).is_discrete else 0.0
    assert nearest(fact, neutral) < fact.tolerance


@each(f for f in FACTS if f.state and f.what == "period doubling")
def test_a_period_doubling_has_a_multiplier_minus_one(fact):
    assert nearest(fact, -1.0) < fact.tolerance


@about("no hopf")
def test_a_neutral_saddle_has_two_real_eigenvalues_that_cancel(fact):
    spectrum = np.linalg.eigvals(jacobian_at(fact))
    real = spectrum[spectrum.imag == 0].real
    sums = np.abs(real[:, None] + real[None, :])[~np.eye(len(real), dtype=bool)]
    assert np.min(sums) < 1e-6 * np.max(np.abs(spectrum))
    assert nearest(fact, 1j * np.max(np.abs(real))) > 1e-3


@about("diagram")
def test_a_diagram_counts_the_facts_that_are_listed(fact):
    counted_as = {"transcritical": "branch point", "pitchfork": "branch point"}
    found = dict.fromkeys(("fold", "hopf", "branch point"), 0)
    for other in zoo.facts(fact.model):
        same = ("vary", "at", "start", "over")
        if all(getattr(other, key) == getattr(fact, key) for key in same):
            kind = counted_as.get(other.what, other.what)
            if kind in found:
                found[kind] += 1
    assert found == dict(fact.finds)


@about("divergence")
def test_the_divergence_is_the_same_everywhere(fact):
    system = zoo.get(fact.model)
    size = len(system.state_names)
    trace = sympy.expand(sum(jacobian(system.rule, system.state_names)[:: size + 1]))
    assert not {s.name for s in trace.free_symbols} & set(system.state_names)
    assert evaluated([trace], values_at(fact))[0] == pytest.approx(fact.value, rel=1e-12)


@about("determinant")
def test_the_determinant_is_the_same_everywhere(fact):
    system = zoo.get(fact.model)
    size = len(system.state_names)
    matrix = sympy.Matrix(size, size, jacobian(system.rule, system.state_names))
    determinant = sympy.simplify(matrix.det().subs(fact.parameters))
    values = {symbol(n): sympy.Float(v, 30) for n, v in values_at(fact).items()}
    determinant = sympy.simplify(determinant.xreplace(values))
    assert abs(determinant - fact.value) < 1e-12 * abs(fact.value)


@about("exponents")
def test_the_exponents_add_up_to_the_mean_contraction(fact):
    """Where all are known and volumes shrink at the same rate everywhere."""
    assert list(fact.exponents) == sorted(fact.exponents, reverse=True)
    system = zoo.get(fact.model)
    for other in zoo.facts(fact.model):
        if not system.is_indexed and len(fact.exponents) == len(system.states):
            if other.what == "divergence":
                assert sum(fact.exponents) == pytest.approx(other.value, abs=1e-4)
            if other.what == "determinant":
                assert sum(fact.exponents) == pytest.approx(math.log(abs(other.value)), abs=1e-3)


@about("final size", "peak")
def test_the_sizes_of_an_epidemic_solve_their_equation(fact):
    ratio = zoo.sir(**fact.at)["beta"] / zoo.sir["gamma"]
    expected = {
        "final size": 1 - math.exp(-ratio * fact.value),
        "peak": 1 - (1 + math.log(ratio)) / ratio,
    }[fact.what]
    assert fact.value == pytest.approx(expected, rel=fact.tolerance)


TURN = {"x": "-x", "y": "-y"}
CYCLE = {"x": "y", "y": "z", "z": "x"}
THIRD = "-{}/2 - sqrt(3)*{}/2", "sqrt(3)*{}/2 - {}/2"  # by 120 degrees


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("lorenz", TURN),
        ("fitzhugh_nagumo", {"v": "-v", "w": "2*a/b - w", "I": "2*a/b - I"}),
        ("lorenz84_extended", {"U": "-U", "T": "-T"}),
        ("van_der_pol", TURN),
        ("chen", TURN),
        ("lu", TURN),
        ("shimizu_morioka", TURN),
        ("rucklidge", TURN),
        ("sprott_b", TURN),
        ("sprott_c", TURN),
        ("chua", {"x": "-x", "y": "-y", "z": "-z"}),
        ("thomas", {"x": "-x", "y": "-y", "z": "-z"}),
        ("thomas", CYCLE),
        ("halvorsen", CYCLE),
        ("duffing_map", TURN),
        ("coupled_logistic", {"x": "y", "y": "x"}),
        ("henon_heiles", {
            "x": THIRD[0].format("x", "y"), "y": THIRD[1].format("x", "y"),
            "px": THIRD[0].format("px", "py"), "py": THIRD[1].format("px", "py"),
        }),
        ("magnetic_pendulum", {
            "x": THIRD[0].format("x", "y"), "y": THIRD[1].format("x", "y"),
            "vx": THIRD[0].format("vx", "vy"), "vy": THIRD[1].format("vx", "vy"),
        }),
    ],
)  # fmt: skip
def test_the_stated_symmetries_hold(name, image):
    """The image of an orbit is an orbit."""
    assert_symmetric(zoo.get(name), image, turn=1)


@pytest.mark.parametrize(
    ("name", "image"),
    [("sprott_d", {"x": "-x", "z": "-z"}), ("nose_hoover", {"p": "-p", "zeta": "-zeta"})],
)
def test_reversed_in_time_the_image_of_an_orbit_is_an_orbit(name, image):
    assert_symmetric(zoo.get(name), image, turn=-1)


def assert_symmetric(system, image, turn):
    known = {n: symbol(n) for n in system.state_names + system.parameter_names}
    moved = {known[n]: sympy.parse_expr(text, local_dict=known) for n, text in image.items()}
    states = [known[n] for n in system.state_names]
    images = [moved.get(s, s) for s in states]
    if system.is_discrete:
        step = dict(zip(states, system.rule, strict=True))
        expected = [e.xreplace(step) for e in images]
    else:
        rates = zip(states, system.rule, strict=True)
        expected = sum(
            (sympy.Matrix(images).diff(s) * f for s, f in rates), sympy.zeros(len(states), 1)
        )
    random = np.random.default_rng(2)
    values = dict(zip(system.parameter_names, system.parameter_values, strict=True))
    for _ in range(3):
        values |= {n: random.normal() for n in system.state_names}
        found = evaluated([sympy.sympify(e).xreplace(moved) for e in system.rule], values)
        assert turn * found == pytest.approx(evaluated(expected, values), rel=1e-13, abs=1e-13)


def test_a_thermostat_keeps_the_canonical_density():
    system = zoo.nose_hoover
    q, p, zeta, Q = map(symbol, ("q", "p", "zeta", "Q"))
    slopes = jacobian(((q**2 + p**2 + Q * zeta**2) / 2,), system.state_names)
    rate = sum(s * f for s, f in zip(slopes, system.rule, strict=True))
    divergence = sum(jacobian(system.rule, system.state_names)[::4])
    (fact,) = [f for f in zoo.facts("nose_hoover") if f.what == "law"]
    assert float(sympy.expand(rate - divergence)) == fact.value


def test_squares_move_energy_between_waves_and_make_none():
    system = zoo.kuramoto_sivashinsky
    nu, waves = symbol("nu"), [symbol(n) for n in system.state_names]
    linear = sum((k**2 - nu * k**4) * a**2 for k, a in enumerate(waves, 1))
    rate = sum(a * f for a, f in zip(waves, system.rule, strict=True))
    assert sympy.expand(rate - linear) == 0


def test_sprotts_cases_f_and_h_are_one_flow():
    """x of the one and z of the other obey the same equation of third order."""
    x, y, z, u, v, w = map(symbol, "xyzuvw")
    third = []
    for name, seen in (("sprott_f", x), ("sprott_h", z)):
        rule = dict(zip((x, y, z), zoo.get(name).rule, strict=True))
        rates = [seen]
        for _ in range(3):
            rates.append(sum(sympy.diff(rates[-1], s) * f for s, f in rule.items()))
        (solved,) = sympy.solve(
            [r - s for r, s in zip(rates, (u, v, w), strict=False)], [x, y, z], dict=True
        )
        third.append(sympy.expand(rates[3].subs(solved)))
    assert sympy.simplify(third[0] - third[1]) == 0


def test_an_epidemic_conserves_the_population():
    assert sympy.simplify(sum(zoo.sir.rule)) == 0


@pytest.mark.parametrize(("gate", "voltage", "rate"), [("m", -40.0, 1.0), ("n", -55.0, 0.1)])
def test_the_squid_axon_has_no_hole_at_its_removable_singularities(gate, voltage, rate):
    system = zoo.hodgkin_huxley
    position = system.state_names.index(gate)
    values = dict(zip(system.parameter_names, system.parameter_values, strict=True))
    values |= {"V": voltage, "m": 0.0, "h": 0.0, "n": 0.0}
    assert evaluated([system.rule[position]], values)[0] == pytest.approx(rate, rel=1e-12)
    entries = jacobian((system.rule[position],), system.state_names)
    assert np.all(np.isfinite(evaluated(entries, values)))


def test_models_in_real_time_declare_its_unit():
    units = {name: zoo.get(name).time.unit for name in zoo.names()}
    assert {name: unit for name, unit in units.items() if unit not in {"", "step"}} == {
        "adaptive_exponential": "ms",
        "exponential_integrate_and_fire": "ms",
        "hodgkin_huxley": "ms",
        "izhikevich": "ms",
        "izhikevich_network": "ms",
        "leaky_integrate_and_fire": "ms",
        "morris_lecar": "ms",
        "jansen_rit": "s",
    }


def test_a_ring_of_three_sites_is_refused():
    with pytest.raises(SettingError, match="from 4 sites on"):
        zoo.lorenz96_ring(3)


def test_facts_cannot_be_changed():
    fact = zoo.facts("hodgkin_huxley")[1]
    with pytest.raises(dataclasses.FrozenInstanceError):
        fact.value = 0.0
    with pytest.raises(TypeError):
        fact.at["EL"] = 0.0
    assert fact in {fact}


GOOD = 'what = "hopf"\nkind = "exact"\nsource = "by hand"\ntolerance = 1e-8\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "omgea = 1.0\n", "Did you mean 'omega'"),
        (GOOD.replace("hopf", "hofp"), "Did you mean 'hopf'"),
        (GOOD.replace("exact", "certain"), "'certain' is not a word for 'kind'"),
        (GOOD.replace('source = "by hand"\n', ""), "no 'source'"),
        (GOOD + "value = true\n", "finite number"),
        (GOOD + "value = nan\n", "finite number"),
        (GOOD + 'value = "1"\n', "finite number"),
        (GOOD + 'vary = "rho"\nover = [2, 1]\n', "lower end first"),
        (GOOD + "over = [1, 2]\n", "no parameter"),
        (GOOD + "state = 1.0\n", "name = number"),
        (GOOD + "stable = 1\n", "true or false"),
        (GOOD + "eigenvalues = [[1, 2, 3]]\n", "list of 2"),
        (GOOD + "finds = { hopf = 1.5 }\n", "how many"),
        (GOOD + "finds = { hofp = 1 }\n", "Did you mean 'hopf'"),
        (GOOD + 'note = ""\n', "text in quotes"),
    ],
)
def test_a_wrong_entry_is_refused(text, message):
    with pytest.raises(DefinitionError, match=message) as caught:
        read_facts(f"[[lorenz]]\n{GOOD}\n[[lorenz]]\n{text}")
    assert "lorenz[1]" in str(caught.value)


def test_facts_about_an_unknown_model_are_refused():
    with pytest.raises(UnknownNameError, match="lorenz"):
        read_facts("[[lorentz]]\n" + GOOD)
