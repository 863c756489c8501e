"""Points of codimension two of equilibria: the published and the exact ones, and nothing else.

Morris and Lecar 1981 with the sets of Rinzel and Ermentrout 1989, and Lorenz' extended model of 1984
(Kuznetsov, Meijer and van Veen 2004, Int. J. Bifurcation Chaos 14, 2253): values from Newton's method in 30 to
40 digits on the defining systems (f = 0, conditions on the characteristic polynomial; for cusp and Bautin
points the coefficient), with derivatives from sympy.  Normal forms: Kuznetsov, Elements, 3rd ed., ch. 8.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

import dynlab as dl
from dynlab import zoo
from dynlab.codegen.kernels import kernels_of
from dynlab.continuation.plane.center_manifold import jordan_chain
from dynlab.continuation.plane.codimension_two import jacobian_of

#: The values hold to all digits given: 12 to 14.
DIGITS = 1e-11
CELLS = {
    "hopf": zoo.morris_lecar(gCa=4.4, V3=2.0, V4=30.0, phi=0.04),
    "circle": zoo.morris_lecar(gCa=4.0, V3=12.0, V4=17.4, phi=1 / 15),
}
CHART = {"I": (-300.0, 300.0), "V3": (-20.0, 60.0)}
PLANE = {"F": (1.0, 3.5), "T": (-0.15, 0.15)}


@dl.flow
def bautin_form(x=0.0, y=0.0, *, mu=-0.5, b=0.5):
    r2 = x**2 + y**2
    return {
        x: mu * x - y + b * r2 * x - r2**2 * x,
        y: x + mu * y + b * r2 * y - r2**2 * y,
    }


@dl.flow
def takens_form(x=0.0, y=0.0, *, b1=0.0, b2=-1.0):
    return {x: y, y: b1 + b2 * x + x**2 - x * y}


@dl.flow
def cusp_form(x=1.0, *, b1=0.0, b2=1.0):
    return {x: b1 + b2 * x - x**3}


def at_rest(system):
    """Return the equilibrium at the default start, which lies on one."""
    return dl.Equilibrium.at(system, np.array(system.start_values), 1e-9)


def followed(point, over):
    return dl.continue_bifurcation(point, vary=tuple(over), over=over)


@cache
def cell_branch(name):
    cell = CELLS[name]
    rest = dl.find_equilibria(cell(I=0.0), within={"V": (-80, 60), "w": (0, 1)})[0]
    return dl.continue_equilibrium(rest, vary="I", over=(-50, 250))


@cache
def cell_curve(name, kind):
    return followed(cell_branch(name).points(kind)[0], CHART)


@cache
def wind_branch():
    return dl.continue_equilibrium(at_rest(zoo.lorenz84_extended), vary="F", over=(1.0, 3.5))


@cache
def wind_curve(kind, number=0):
    return followed(wind_branch().points(kind)[number], PLANE)


def near(point, *values):
    return point.values == pytest.approx(values, rel=DIGITS)


def labels(curve):
    return sorted(p.label for p in curve.points())


def test_morris_lecar_with_a_subcritical_hopf_point():
    curve = cell_curve("hopf", dl.Hopf)
    point = curve.points(dl.BogdanovTakens).single()
    assert near(point, 48.225938868986, 21.734143349948)
    assert point["V"] == pytest.approx(-27.1499040009, rel=1e-11)
    assert labels(curve) == ["BT"]
    assert not curve.unconfirmed


def test_morris_lecar_on_its_circle_folds():
    curve = cell_curve("circle", dl.Fold)
    left, right = sorted(curve.points(dl.BogdanovTakens), key=lambda p: p["I"])
    assert near(left, -189.23197566669, 44.548891035391)
    assert near(right, 45.888784810785, 5.152811698095)
    cusp = curve.points(dl.Cusp).single()
    assert near(cusp, 47.868601143048, 4.2912989920376)
    assert cusp["V"] == pytest.approx(-19.3919321249, rel=1e-11)
    assert cusp.coefficient == pytest.approx(2.118860527e-4, rel=1e-9)
    assert labels(curve) == ["BT", "BT", "CP"]
    assert not curve.unconfirmed


def test_morris_lecar_on_its_circle_hopf_points():
    """AUTO-07p puts this Bautin point 2e-4 off: its test function is interpolated."""
    curve = cell_curve("circle", dl.Hopf)
    point = curve.points(dl.Bautin).single()
    assert near(point, 223.66407264852, 4.0666298357073)
    assert point.omega == pytest.approx(0.252466578176, rel=1e-11)
    assert near(curve.points(dl.BogdanovTakens).single(), -189.23197566669, 44.548891035391)
    assert labels(curve) == ["BT", "GH"]


def test_both_curves_through_a_bogdanov_takens_point_can_be_followed_from_it():
    found = cell_curve("circle", dl.Fold).points(dl.BogdanovTakens)
    point = max(found, key=lambda p: p["I"])
    hopf, fold = followed(point.hopf, CHART), followed(point.fold, CHART)
    for curve in (hopf, fold):
        again = curve.points(dl.BogdanovTakens)
        assert min(abs(p["I"] - point["I"]) for p in again) < 1e-9
    assert hopf.neutral_saddle.any()
    assert not hopf.neutral_saddle.all()
    assert labels(fold) == ["BT", "BT", "CP"]


def test_folds_of_the_westerly_wind():
    curve = wind_curve(dl.Fold)
    lower, upper = sorted(curve.points(dl.BogdanovTakens), key=lambda p: p["T"])
    assert near(upper, 1.4467167011154, 0.020940169683323)
    assert near(lower, 1.4467167011154, -0.020940169683323)
    lower, upper = sorted(curve.points(dl.FoldHopf), key=lambda p: p["T"])
    assert near(upper, 1.2834192961383, 0.0001265408341205)
    assert near(lower, 1.2834192961383, -0.0001265408341205)
    assert upper.omega == pytest.approx(1.0990516362, rel=1e-10)
    cusp = curve.points(dl.Cusp).single()
    assert cusp["F"] == pytest.approx(1.2782833098814, rel=DIGITS)
    assert abs(cusp["T"]) < 1e-15
    assert cusp.coefficient == pytest.approx(-7.044436173, rel=1e-9)
    assert labels(curve) == ["BT", "BT", "CP", "ZH", "ZH"]
    assert not curve.unconfirmed


def test_hopf_points_of_the_westerly_wind():
    """AUTO-07p calls the double Hopf point ZH, and reports a Bautin point beside the fold-Hopf point."""
    slow, fast = wind_curve(dl.Hopf, 1), wind_curve(dl.Hopf, 0)
    for point in slow.points(dl.Bautin):
        assert (point["F"], abs(point["T"])) == pytest.approx(
            (2.3763600882482, 0.050197432008472), rel=DIGITS
        )
        assert point.omega == pytest.approx(0.690367473958, rel=1e-11)
    for point in (*slow.points(dl.DoubleHopf), *fast.points(dl.DoubleHopf)):
        assert (point["F"], abs(point["T"])) == pytest.approx(
            (2.5332211069598, 0.026273942983084), rel=DIGITS
        )
        assert point.omegas == pytest.approx((1.1515452, 0.74321927), rel=1e-7)
    assert labels(slow) == ["BT", "BT", "GH", "GH", "HH", "HH"]
    assert labels(fast) == ["HH", "HH", "ZH", "ZH"]
    assert not slow.unconfirmed
    assert not fast.unconfirmed


def test_a_point_is_the_same_on_both_curves_that_meet_there():
    """The defining systems of folds and of Hopf points have no equation but f = 0 in common."""
    fold, slow, fast = wind_curve(dl.Fold), wind_curve(dl.Hopf, 1), wind_curve(dl.Hopf, 0)
    for kind, other in ((dl.BogdanovTakens, slow), (dl.FoldHopf, fast)):
        for a in fold.points(kind):
            b = min(other.points(kind), key=lambda p: abs(p["T"] - a["T"]))
            assert a.values == pytest.approx(b.values, rel=1e-10)
            assert a.coefficients == pytest.approx(b.coefficients, rel=1e-7)
    a, b = (sorted(c.points(dl.DoubleHopf), key=lambda p: p["T"])[0] for c in (slow, fast))
    assert a.values == pytest.approx(b.values, rel=1e-10)
    assert (a.theta, a.delta) == pytest.approx((b.theta, b.delta), rel=1e-7)


def test_a_double_hopf_point_leads_to_both_curves():
    point = wind_curve(dl.Hopf, 0).points(dl.DoubleHopf)[0]
    curves = [followed(hopf, PLANE) for hopf in point.hopfs]
    assert [labels(c) for c in curves] == [
        ["HH", "HH", "ZH", "ZH"], ["BT", "BT", "GH", "GH", "HH", "HH"],
    ]  # fmt: skip


def test_the_bautin_normal_form():
    hopf = dl.continue_equilibrium(at_rest(bautin_form), vary="mu", over=(-1, 1)).points(dl.Hopf)
    curve = followed(hopf.single(), {"mu": (-1, 1), "b": (-1, 1)})
    point = curve.points().single()
    assert isinstance(point, dl.Bautin)
    assert np.max(np.abs(point.values)) < 1e-14
    # z' = ... + b z|z|^2 - z|z|^4, and with q of unit length z = sqrt(2) w: c2 = -4, l1 = 2 b.
    assert point.second_lyapunov_coefficient == pytest.approx(-4.0, rel=1e-12)
    assert np.max(np.abs(curve["mu"])) < 1e-14
    assert curve.coefficient == pytest.approx(2.0 * curve["b"], abs=1e-12)


def test_the_bogdanov_takens_normal_form():
    branch = dl.continue_equilibrium(at_rest(takens_form), vary="b1", over=(-1, 1))
    plane = {"b1": (-1, 1), "b2": (-1.5, 1.5)}
    fold = followed(branch.points(dl.Fold).single(), plane)
    hopf = followed(branch.points(dl.Hopf).single(), plane)
    for curve in (fold, hopf):
        point = curve.points().single()
        assert isinstance(point, dl.BogdanovTakens)
        assert np.max(np.abs(point.values)) < 1e-14
        assert point.coefficients == pytest.approx((1.0, -1.0), rel=1e-12)
    assert 4 * fold["b1"] == pytest.approx(fold["b2"] ** 2, abs=1e-14)
    assert np.max(np.abs(hopf["b1"])) < 1e-14
    off = np.abs(hopf["b2"]) > 1e-12
    assert np.array_equal(hopf.neutral_saddle[off], hopf["b2"][off] > 0)
    assert hopf.omega[~hopf.neutral_saddle] ** 2 == pytest.approx(
        -hopf["b2"][~hopf.neutral_saddle], abs=1e-13
    )


def test_the_cusp():
    branch = dl.continue_equilibrium(at_rest(cusp_form), vary="b1", over=(-1, 1))
    curve = followed(branch.points(dl.Fold)[0], {"b1": (-1, 1), "b2": (-1, 1)})
    point = curve.points().single()
    assert isinstance(point, dl.Cusp)
    assert np.max(np.abs(point.values)) < 1e-14
    assert point.coefficient == pytest.approx(-1.0, rel=1e-12)
    assert 4 * curve["b2"] ** 3 == pytest.approx(27 * curve["b1"] ** 2, abs=1e-14)


def test_the_fold_of_roessler_is_a_fold_hopf_point():
    """c = 2 sqrt(a b), and the trace a - c + x vanishes with a = b: eigenvalues 0, +-1.4 i."""
    system = zoo.roessler(a=0.2, b=0.2, c=1.0)
    branch = dl.continue_equilibrium(dl.find_equilibria(system)[0], vary="c", over=(0.1, 2))
    plane = {"c": (0.1, 1), "a": (0.05, 0.9)}
    curve = followed(branch.points(dl.Fold).single(), plane)
    point = curve.points().single()
    assert isinstance(point, dl.FoldHopf)
    assert near(point, 0.4, 0.2)
    assert point.omega == pytest.approx(1.4, rel=1e-12)
    assert curve["c"] == pytest.approx(2 * np.sqrt(0.2 * curve["a"]), rel=1e-12)
    hopf = followed(point.hopf, plane)
    assert hopf.points(dl.FoldHopf).single().values == pytest.approx((0.4, 0.2), rel=1e-10)
    # The Bautin point beside it is one: l1 of Hopf points found in c alone changes sign there.
    bautin = hopf.points(dl.Bautin).single()
    signs = [hopf.at(a=bautin["a"] + d)[0].lyapunov_coefficient for d in (-1e-5, 1e-5)]
    assert signs[0] * signs[1] < 0
    assert max(np.abs(signs)) < 1e-2


def residual(orbit, along=None):
    """Return how much an orbit misses its equations, and its speed, by splines through its states."""
    rule = kernels_of(orbit.system).rhs
    values = np.array(orbit.system.parameter_values)
    rates = np.array([rule(0.0, x, values) for x in orbit.states])
    speed = CubicSpline(orbit.times, orbit.states).derivative()(orbit.times)
    off, along = speed - rates, np.eye(len(rates[0])) if along is None else along
    return np.max(np.abs(off @ along)), np.max(np.abs(speed @ along))


def test_the_fold_of_cycles_of_the_bautin_form_is_predicted_exactly():
    """b^2 + 4 mu = 0 with r^2 = b / 2 and the period 2 pi."""
    hopf = dl.continue_equilibrium(at_rest(bautin_form), vary="mu", over=(-1, 1)).points(dl.Hopf)
    point = followed(hopf.single(), {"mu": (-1, 1), "b": (-1, 1)}).points().single()
    orbit = point.cycle_fold_predictor(0.2)
    radius = np.sqrt(2) * 0.2
    assert orbit["b"] == pytest.approx(2 * radius**2, rel=1e-9)
    assert orbit["mu"] == pytest.approx(-(radius**4), rel=1e-9)
    assert np.hypot(orbit["x"], orbit["y"]) == pytest.approx(radius, rel=1e-9)
    assert orbit.duration == pytest.approx(2 * np.pi, rel=1e-9)


def test_a_predicted_fold_of_cycles_solves_the_equations_to_third_order():
    point = cell_curve("circle", dl.Hopf).points(dl.Bautin).single()
    missed = [residual(point.cycle_fold_predictor(z))[0] for z in (1.0, 0.5, 0.25)]
    slopes = np.log2(np.array(missed[:-1]) / missed[1:])
    assert np.all(slopes > 2.8), slopes


def test_the_homoclinic_orbit_of_the_bogdanov_takens_form():
    """b1 = -6/25 b2^2 (Kuznetsov, section 8.4)."""
    branch = dl.continue_equilibrium(at_rest(takens_form), vary="b1", over=(-1, 1))
    plane = {"b1": (-1, 1), "b2": (-1.5, 1.5)}
    point = followed(branch.points(dl.Fold).single(), plane).points().single()
    orbit = point.homoclinic_predictor(0.01)
    assert orbit["b1"] == pytest.approx(-6 / 25 * orbit["b2"] ** 2, rel=1e-10)
    assert orbit["b2"] < 0
    assert np.ptp(orbit["x"]) == pytest.approx(0.01, rel=1e-6)


@pytest.mark.parametrize("where", ["cell", "wind"])
def test_a_predicted_homoclinic_orbit_solves_the_equations_to_leading_order(where):
    """With w0 ~ e^2 the slow equation holds to e^4 and misses at e^5; a wrong place in the plane would miss at e^4."""
    curve = cell_curve("circle", dl.Fold) if where == "cell" else wind_curve(dl.Fold)
    point = max(curve.points(dl.BogdanovTakens), key=lambda p: p.values)
    _, _, _, slow = jordan_chain(jacobian_of(point))
    sizes = np.array([2.0, 1.0, 0.5, 0.25]) * (1.0 if where == "cell" else 0.02)
    missed = np.array([residual(point.homoclinic_predictor(s), slow)[0] for s in sizes])
    assert np.all(2 * np.log2(missed[:-1] / missed[1:]) > 4.9)
    first, last = (residual(point.homoclinic_predictor(s), slow) for s in sizes[[0, -1]])
    assert last[0] / last[1] < 0.06 < 3 * first[0] / first[1]


def test_an_orbit_without_an_amplitude_is_refused():
    point = cell_curve("circle", dl.Fold).points(dl.BogdanovTakens)[0]
    with pytest.raises(dl.SettingError, match="amplitude is -1; give a small positive"):
        point.homoclinic_predictor(-1.0)


def test_a_predicted_fold_of_cycles_lies_on_their_curve():
    """Collocated cycles, followed in both parameters, know nothing of normal forms."""
    branch = cell_branch("circle")
    cycles = dl.continue_cycles(branch.points(dl.Hopf)[0], over=(50, 150))
    plane = {"I": (180.0, 260.0), "V3": (0.0, 16.0)}
    fold = cycles.points(dl.Fold).single()
    curve = dl.continue_bifurcation(
        fold, vary=("I", "V3"), over={"I": (100.0, 260.0), "V3": plane["V3"]}
    )
    bautin = cell_curve("circle", dl.Hopf).points(dl.Bautin).single()
    order = np.argsort(curve["V3"])
    path = CubicSpline(curve["V3"][order], curve["I"][order])
    off = []
    for z in (4.0, 2.0):
        orbit = bautin.cycle_fold_predictor(z)
        off.append(abs(orbit["I"] - path(orbit["V3"])))
    # The place is right to z^4, about 1 part in 2 of I here; what is left out is z^6 and smaller.
    assert off[1] < 2e-3
    assert off[0] < 0.1
