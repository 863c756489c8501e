"""Equilibria in a box: closed forms, completeness, types, and what is degenerate or not isolated."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import dynlab as dl
from dynlab import zoo


@dl.flow
def double_root(x=0.3, *, c=1.0):
    return {x: c * x**2}


@dl.flow
def constant(x=0.0, *, c=1.0):
    return {x: c + 0 * x}


@dl.flow
def line_of_rest(x=0.3, y=0.2):
    return {x: 0, y: -y}


@dl.flow
def three_units(x=0.1, y=0.2, z=0.3, *, beta=2.0):
    return {x: -x + dl.tanh(beta * x), y: -y + dl.tanh(beta * y), z: -z + dl.tanh(beta * z)}


@dl.flow
def linear(x=1.0, y=1.0, *, a=0.0, b=0.0, c=0.0, d=0.0):
    return {x: a * x + b * y, y: c * x + d * y}


@dl.flow
def pendulum(theta: dl.Angle = 0.5, v=0.0, *, friction=0.1):
    return {theta: v, v: -dl.sin(theta) - friction * v}


def test_decoupled_units_have_exactly_27_equilibria():
    box = dict.fromkeys("xyz", (-2, 2))
    found = dl.find_equilibria(three_units, within=box)
    assert found.complete
    counts = np.bincount([p.unstable_directions for p in found])
    assert counts.tolist() == [8, 12, 6, 1]
    # m = tanh(2 m)
    values = np.unique(np.round(np.abs([[p[n] for n in "xyz"] for p in found]), 10))
    assert values == pytest.approx([0, 0.9575040241], abs=1e-10)


def test_constant_has_none_and_a_double_root_is_degenerate():
    none = dl.find_equilibria(constant, within={"x": (-1, 1)})
    assert len(none) == 0
    assert none.complete
    with pytest.raises(dl.NotConverged, match=r"no equilibrium.*Widen the box"):
        none.single()
    double = dl.find_equilibria(double_root, within={"x": (-1, 1)})
    assert double.single().kind == "degenerate equilibrium"
    # A double root is determined to the square root of round-off only.
    assert abs(double.single()["x"]) < 1e-7
    assert not double.complete
    assert "not proved" in double.completeness


def test_continua_are_reported_once_as_such():
    found = dl.find_equilibria(line_of_rest, within={"x": (-1, 1), "y": (-1, 1)})
    assert found.single().kind == "line of equilibria"
    assert found.single()["y"] == pytest.approx(0, abs=1e-12)

    @dl.flow
    def two_lines(x=0.3, y=0.2):
        return {x: x * (1 - x), y: 0}

    both = dl.find_equilibria(two_lines, within={"x": (-2, 2), "y": (-1, 1)})
    assert sorted(p["x"] for p in both) == pytest.approx([0, 1], abs=1e-12)
    # S, I, R: every state without infected is an equilibrium.
    sir = dl.find_equilibria(zoo.sir, within={"S": (0, 1), "I": (0, 1), "R": (0, 1)})
    assert sir.single().continuum == 2
    assert sir.single()["I"] == pytest.approx(0, abs=1e-12)
    assert not sir.complete


@pytest.mark.parametrize(
    ("entries", "kind"),
    [
        ((-1, 0, 0, -2), "stable node"),
        ((1, 0, 0, 2), "unstable node"),
        ((1, 0, 0, -2), "saddle"),
        ((-0.1, 1, -1, -0.1), "stable focus"),
        ((0.1, 1, -1, 0.1), "unstable focus"),
        ((0, 1, -1, 0), "centre"),
    ],
)
def test_type_by_eigenvalues(entries, kind):
    system = linear(**dict(zip("abcd", entries, strict=True)))
    point = dl.find_equilibria(system, within={"x": (-1, 1), "y": (-1, 1)}).single()
    assert point.kind == kind
    assert point.is_stable == kind.startswith("stable")
    matrix = np.reshape(entries, (2, 2))
    residual = matrix @ point.eigenvectors - point.eigenvectors * point.eigenvalues
    assert np.max(np.abs(residual)) < 1e-14


def test_a_slow_direction_beside_a_fast_one_is_no_degeneracy():
    slow = dl.find_equilibria(linear(a=1.0, d=-1e8), within={"x": (-1, 1), "y": (-1, 1)}).single()
    assert slow.kind == "saddle"
    assert slow.unstable_directions == 1


def test_a_state_on_the_circle_is_searched_once_around():
    found = dl.find_equilibria(pendulum, within={"v": (-3, 3)})
    assert sorted(p.kind for p in found) == ["saddle", "stable focus"]
    assert sorted(abs(p["theta"]) for p in found) == pytest.approx([0, np.pi], abs=1e-12)


def test_maps_have_fixed_points_with_multipliers():
    found = dl.find_equilibria(zoo.henon, within={"x": (-3, 3), "y": (-3, 3)})
    assert found.complete
    a, b = zoo.henon["a"], zoo.henon["b"]
    roots = (b - 1 + np.array([-1, 1]) * np.sqrt((1 - b) ** 2 + 4 * a)) / (2 * a)
    assert sorted(p["x"] for p in found) == pytest.approx(sorted(roots), rel=1e-13)
    for point in found:
        assert np.prod(point.eigenvalues).real == pytest.approx(-b, rel=1e-12)


def test_rest_state_of_the_squid_axon():
    # Hodgkin and Huxley 1952 with E_L = -54.387: Newton in 30 digits on the printed equations.
    rest = dl.find_equilibria(zoo.hodgkin_huxley(EL=-54.387)).single()
    assert rest["V"] == pytest.approx(-64.9963793312, rel=1e-11)
    gates = [rest[name] for name in "mnh"]
    assert gates == pytest.approx([0.0529550868, 0.3177323998, 0.5959941247], rel=1e-8)
    assert rest.is_stable


def test_wilson_cowan_focus():
    focus = dl.find_equilibria(zoo.wilson_cowan(P=1.25), within={"E": (0, 0.5), "I": (0, 0.5)})
    assert focus.complete
    point = focus.single()
    assert [point["E"], point["I"]] == pytest.approx([0.2017484, 0.1068894], abs=1e-7)
    assert point.eigenvalues[0] == pytest.approx(0.1155537 + 1.8700302j, abs=1e-7)


@given(st.lists(st.floats(-2, 2), min_size=3, max_size=3, unique=True).filter(
    lambda r: min(abs(a - b) for a in r for b in r if a is not b) > 0.05))  # fmt: skip
def test_every_root_of_a_cubic_is_found_and_proved(roots):
    a, b, c = (float(f) for f in np.poly(roots)[1:])

    @dl.flow
    def cubic(x=0.0, *, a=0.0, b=0.0, c=0.0):
        return {x: -(x**3 + a * x**2 + b * x + c)}

    found = dl.find_equilibria(cubic(a=a, b=b, c=c), within={"x": (-3, 3)})
    assert found.complete
    exact = sorted(float(r) for r in sympy.Poly([1, a, b, c], sympy.Symbol("x")).nroots(30))
    assert sorted(p["x"] for p in found) == pytest.approx(exact, abs=1e-12)
    assert sorted(p.is_stable for p in found) == [False, True, True]


def test_ranges_are_checked():
    with pytest.raises(dl.UnknownNameError, match="Did you mean 'v'"):
        dl.find_equilibria(zoo.fitzhugh_nagumo, within={"vv": (0, 1)})
    with pytest.raises(dl.SettingError, match="range of 'v' is empty"):
        dl.find_equilibria(zoo.fitzhugh_nagumo, within={"v": (1, 0)})
    with pytest.raises(dl.SettingError, match="two numbers"):
        dl.find_equilibria(zoo.fitzhugh_nagumo, within={"v": 3})

    @dl.flow
    def forced(x=0.0):
        return {x: dl.sin(dl.t) - x}

    with pytest.raises(dl.UnsupportedSystemError, match="depends on the time"):
        dl.find_equilibria(forced)
    with pytest.raises(dl.UnsupportedSystemError, match="expected a system"):
        dl.find_equilibria("lorenz")


def test_table_and_names():
    found = dl.find_equilibria(zoo.lorenz, within={"x": (-30, 30), "y": (-30, 30), "z": (-1, 60)})
    assert found.complete
    table = found.to_table()
    assert list(table)[:4] == ["x", "y", "z", "kind"]
    assert len(found.to_dataframe()) == 3
    assert found[0].start.keys() == {"x", "y", "z"}
    with pytest.raises(dl.UnknownNameError):
        found[0]["q"]
    with pytest.raises(dl.DefinitionError, match="3 equilibria"):
        found.single()


@pytest.mark.parametrize("size", [3.0, 1e3, 1e6])
def test_kind_and_place_do_not_depend_on_the_box(size):
    box = {"v": (-size, size), "w": (-size, size)}
    point = dl.find_equilibria(zoo.fitzhugh_nagumo, within=box).single()
    assert point.kind == "stable focus"
    assert point["v"] == pytest.approx(-1.19940803524403, rel=1e-13)


def test_a_huge_box_beside_the_equilibrium_holds_none():
    box = {"v": (0, 1e12), "w": (0, 1e12)}
    assert len(dl.find_equilibria(zoo.fitzhugh_nagumo, within=box)) == 0
