"""Curves of folds, doublings and torus points of limit cycles in two parameters, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo


def points_of(system, vary, over, kind):
    return dl.continue_cycles(dl.find_cycle(system), vary=vary, over=over).points(kind)


def bautin():
    # r' = mu r + b r^3 - r^5, theta' = 1: folds of cycles on b^2 + 4 mu = 0, b > 0.
    @dl.flow
    def clock(x=0.8, y=0.0, *, mu=-0.1, b=1.0):
        s = x * x + y * y
        return {x: mu * x - y + b * x * s - x * s * s, y: x + mu * y + b * y * s - y * s * s}

    return clock


@pytest.fixture(scope="module")
def fold():
    return points_of(bautin(), "mu", (-1, 1), dl.Fold).single()


def test_folds_of_cycles_end_at_the_bautin_point(fold):
    curve = dl.continue_bifurcation(fold, vary=("mu", "b"), over={"mu": (-1, 1), "b": (-1, 1.5)})
    assert curve["b"] ** 2 + 4 * curve["mu"] == pytest.approx(0, abs=1e-9)
    assert curve.periods == pytest.approx(2 * np.pi, rel=1e-9)
    assert sorted(end.status for end in curve.ends) == [
        dl.Status.PARAMETER_BOUND, dl.Status.AT_HOPF_POINT
    ]  # fmt: skip
    assert curve["b"].max() == pytest.approx(1.5, rel=1e-12)
    assert 0 < curve["b"].min() < 0.01
    # Each is a fold by its multipliers: two of them are 1 (known to the root of round-off).
    assert np.abs(curve.eigenvalues - 1) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("state", [0.0, 3.0])
def test_from_a_bautin_point_to_the_folds_of_cycles(state):
    @dl.flow
    def clock(x=0.1, y=0.0, *, mu=-0.1, b=1.0):
        s = (x - state) ** 2 + y * y
        u = x - state
        return {x: mu * u - y + b * u * s - u * s * s, y: u + mu * y + b * y * s - y * s * s}

    box = {"x": (state - 1, state + 1), "y": (-1, 1)}
    rest = dl.find_equilibria(clock, within=box).single()
    hopf = dl.continue_equilibrium(rest, vary="mu", over=(-1, 1)).points(dl.Hopf).single()
    over = {"mu": (-1, 1), "b": (-1, 1)}
    bautin = dl.continue_bifurcation(hopf, vary=("mu", "b"), over=over).points(dl.Bautin).single()
    assert bautin["b"] == pytest.approx(0, abs=1e-9)
    curve = dl.continue_bifurcation(bautin.cycle_fold, vary=("mu", "b"), over=over)
    assert curve["b"] ** 2 + 4 * curve["mu"] == pytest.approx(0, abs=1e-8)
    assert curve["b"].max() == pytest.approx(1, rel=1e-9)


def test_bautin_point_of_a_cell_leads_to_its_folds_of_cycles():
    # Both ways to the curve: from the Bautin point, and from a fold on a branch of cycles.
    cell = zoo.morris_lecar(gCa=4.0, V3=12.0, V4=17.4, phi=1 / 15)
    hopf = dl.equilibrium_diagram(cell, vary="I", over=(0, 300)).points(dl.Hopf)[0]
    over = {"I": (0, 300), "V3": (0, 20)}
    bautin = dl.continue_bifurcation(hopf, vary=("I", "V3"), over=over).points(dl.Bautin).single()
    curve = dl.continue_bifurcation(bautin.cycle_fold, vary=("I", "V3"), over=over)
    fold = dl.continue_cycles(hopf, over=(0, 300)).points(dl.Fold).single()
    # The curve passes the fold found with V3 = 12 held.
    place = np.argmin(np.abs(curve["V3"] - 12))
    near = slice(max(place - 2, 0), place + 3)
    order = np.argsort(curve["V3"][near])
    passed = np.interp(12.0, curve["V3"][near][order], curve["I"][near][order])
    assert passed == pytest.approx(fold.value, rel=1e-3)


def test_order_of_the_parameters_changes_nothing(fold):
    over = {"mu": (-1, 1), "b": (0.5, 1.5)}
    one = dl.continue_bifurcation(fold, vary=("mu", "b"), over=over)
    other = dl.continue_bifurcation(fold, vary=("b", "mu"), over=over)
    ends = [sorted([c["b"][0], c["b"][-1]]) for c in (one, other)]
    assert ends[0] == pytest.approx(ends[1], rel=1e-9)
    assert other["b"] ** 2 + 4 * other["mu"] == pytest.approx(0, abs=1e-9)


def test_period_doublings_where_the_multiplier_is_minus_one():
    # Beside the circle r = 1, theta' = 1 a plane that turns by half a turn on the way round:
    # multipliers -exp(2 pi (mu - p^2)) and -exp(-2 pi), so the doublings lie on mu = p^2.
    @dl.flow
    def moebius(x=1.0, y=0.0, u=0.0, v=0.0, *, mu=-0.2, p=0.1):
        r = 1 - x * x - y * y
        a, b = mu - p * p, -1.0
        half, mean = (a - b) / 2, (a + b) / 2
        return {
            x: r * x - y, y: r * y + x,
            u: mean * u + half * (x * u + y * v) - v / 2 - u**3,
            v: mean * v + half * (y * u - x * v) + u / 2 - v**3,
        }  # fmt: skip

    point = points_of(moebius(), "mu", (-0.3, 0.3), dl.PeriodDoubling).single()
    assert point.value == pytest.approx(0.01, rel=1e-8)
    curve = dl.continue_bifurcation(point, vary=("mu", "p"), over={"mu": (-1, 1), "p": (-0.5, 0.6)})
    assert curve["mu"] == pytest.approx(curve["p"] ** 2, abs=1e-8)
    assert (curve["p"].min(), curve["p"].max()) == pytest.approx((-0.5, 0.6), rel=1e-9)
    assert curve.status is dl.Status.OK


def test_torus_points_on_a_line_with_their_angle():
    # w' = (mu - p + i nu) w - |w|^2 w beside the circle: mu = p, angle 2 pi nu (mod 2 pi).
    @dl.flow
    def two(x=1.0, y=0.0, u=0.0, v=0.0, *, mu=-0.3, p=0.0, nu=0.37):
        r, s = 1 - x * x - y * y, mu - p - u * u - v * v
        return {x: r * x - y, y: r * y + x, u: s * u - nu * v, v: s * v + nu * u}

    point = points_of(two, "mu", (-0.3, 0.4), dl.Torus).single()
    curve = dl.continue_bifurcation(point, vary=("mu", "p"), over={"mu": (-1, 1), "p": (-0.5, 0.5)})
    assert curve["mu"] == pytest.approx(curve["p"], abs=1e-8)
    assert curve.angle == pytest.approx(2 * np.pi * 0.37, rel=1e-7)


def test_points_of_the_curve_are_those_found_in_one_parameter():
    # The doublings of Roessler's cycle over (c, a): each is found again with a held.
    cycle = dl.find_cycle(zoo.roessler(a=0.2, b=0.2, c=2.5))
    first = dl.continue_cycles(cycle, vary="c", over=(0.5, 6)).points(dl.PeriodDoubling)[0]
    curve = dl.continue_bifurcation(first, vary=("c", "a"), over={"c": (2, 6), "a": (0.1, 0.3)})
    for k in (len(curve) // 4, 3 * len(curve) // 4):
        a, c = curve["a"][k], curve["c"][k]
        held = dl.find_cycle(zoo.roessler(a=a, b=0.2, c=0.97 * c))
        branch = dl.continue_cycles(held, vary="c", over=(0.9 * c, 1.1 * c))
        found = [p.value for p in branch.points(dl.PeriodDoubling)]
        assert min(abs(v / c - 1) for v in found) < 1e-7


def test_saved_and_loaded(fold, tmp_path):
    curve = dl.continue_bifurcation(fold, vary=("mu", "b"), over={"mu": (-1, 1), "b": (0.8, 1.2)})
    again = dl.load(curve.save(tmp_path / "curve.npz"))
    assert repr(again) == repr(curve)
    assert np.array_equal(again.profiles, curve.profiles)
    assert again.cycle(0).period == curve.cycle(0).period
    assert set(curve.to_table()) >= {"mu", "b", "period"}
    assert curve.plot().get_xlabel() == "$\\mu$"


def test_misuse(fold):
    over = {"mu": (-1, 1), "b": (0.5, 1.5)}
    with pytest.raises(dl.UnknownNameError, match="c"):
        dl.continue_bifurcation(fold, vary=("mu", "c"), over=over | {"c": (0, 1)})
    with pytest.raises(dl.SettingError, match="mu"):
        dl.continue_bifurcation(fold, vary=("mu", "mu"), over=over)
    with pytest.raises(dl.SettingError, match="b"):
        dl.continue_bifurcation(fold, vary=("mu", "b"), over={"mu": (-1, 1)})
    with pytest.raises(dl.SettingError, match=r"outside|range"):
        dl.continue_bifurcation(fold, vary=("mu", "b"), over={"mu": (0.5, 1), "b": (0.5, 1.5)})
