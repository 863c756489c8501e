"""What must not change: bifurcation points under renaming, reordering, other units and time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynlab as dl
from dynlab import zoo

HOPF = 0.33128133745475
SCALES = st.floats(1e-3, 1e3)


@dl.flow
def measured(v=-1.2, w=-0.6, *, I=0.0, a=0.7, b=0.8, eps=0.08, cv=1.0, cw=1.0, cI=1.0, ct=1.0):
    """FitzHugh-Nagumo in other units: v cv, w cw, I cI, t / ct."""
    x, y, z = v / cv, w / cw, I / cI
    return {v: ct * cv * (x - x**3 / 3 - y + z), w: ct * cw * eps * (x + a - b * y)}


@settings(max_examples=25)
@given(SCALES, SCALES, SCALES, SCALES)
def test_units_of_states_parameter_and_time(cv, cw, cI, ct):
    system = measured(cv=cv, cw=cw, cI=cI, ct=ct).with_start(v=-1.2 * cv, w=-0.6 * cw)
    found = dl.equilibrium_diagram(system, vary="I", over=(0, 2 * cI)).points()
    assert [p.label for p in found] == ["HB", "HB"]
    first = found[0]
    assert first["I"] == pytest.approx(HOPF * cI, rel=1e-10)
    assert first.omega == pytest.approx(0.275506805724 * ct, rel=1e-9)
    assert first.criticality == "subcritical"
    # d(lambda)/dI scales with the units of time and current.
    plain = dl.equilibrium_diagram(zoo.fitzhugh_nagumo, vary="I", over=(0, 2)).points()[0]
    assert first.crossing_speed == pytest.approx(plain.crossing_speed * ct / cI, rel=1e-8)


def test_names_and_order_of_states():
    @dl.flow
    def renamed(recovery=-0.6, voltage=-1.2, *, eps=0.08, current=0.0):
        return {
            voltage: voltage - voltage**3 / 3 - recovery + current,
            recovery: eps * (voltage + 0.7 - 0.8 * recovery),
        }

    plain = dl.equilibrium_diagram(zoo.fitzhugh_nagumo, vary="I", over=(0, 2)).points()
    other = dl.equilibrium_diagram(renamed, vary="current", over=(0, 2)).points()
    for p, q in zip(plain, other, strict=True):
        assert q["current"] == pytest.approx(p["I"], rel=1e-12)
        assert (q["voltage"], q["recovery"]) == pytest.approx((p["v"], p["w"]), rel=1e-11)
        assert q.lyapunov_coefficient == pytest.approx(p.lyapunov_coefficient, rel=1e-9)


@settings(max_examples=20)
@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.2, 2))
def test_hopf_of_a_hidden_normal_form(shift, twist, omega):
    """A Stuart-Landau oscillator seen through a shift and a shear has its Hopf point at mu = 0."""

    @dl.flow
    def hidden(x=0.0, y=0.0, *, mu=-0.5, s=0.0, k=0.0, om=1.0):
        u, v = x - s, y - k * (x - s)
        square = u**2 + v**2
        du, dv = (mu - square) * u - om * v, (mu - square) * v + om * u
        return {x: du, y: dv + k * du}

    system = hidden(s=shift, k=twist, om=omega).with_start(x=shift + 0.1, y=0.1)
    point = dl.equilibrium_diagram(system, vary="mu", over=(-1, 1)).points().single()
    assert isinstance(point, dl.Hopf)
    assert point["mu"] == pytest.approx(0, abs=1e-11)
    assert point["x"] == pytest.approx(shift, abs=1e-9)
    assert point.omega == pytest.approx(omega, rel=1e-10)
    assert point.criticality == "supercritical"
    # |z| of the predicted cycle is that of the exact one: u^2 + v^2 = mu.
    cycle = point.predicted_cycle(0.01)
    u = cycle["x"] - shift
    v = cycle["y"] - twist * u
    assert np.max(np.abs(u**2 + v**2 - 0.01)) < 1e-8


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_folds_of_random_cubics_are_the_zeros_of_the_discriminant(seed):
    """x' = mu + c x - x^3 has folds at mu = -+ 2 (c / 3)^(3/2)."""
    c = float(np.random.default_rng(seed).uniform(0.3, 3))

    @dl.flow
    def cubic(x=2.0, *, mu=0.0, c=1.0):
        return {x: mu + c * x - x**3}

    wide = 4 * (c / 3) ** 1.5
    folds = dl.equilibrium_diagram(cubic(c=c), vary="mu", over=(-wide, wide)).points()
    assert [p.label for p in folds] == ["LP", "LP"]
    assert [p["mu"] for p in folds] == pytest.approx([-wide / 2, wide / 2], rel=1e-10)
    # a = f_xx / 2 = -3 x with x = -+ sqrt(c/3), up to the sign of q.
    assert [abs(p.coefficient) for p in folds] == pytest.approx([3 * (c / 3) ** 0.5] * 2, rel=1e-9)


def test_going_there_and_back_meets_the_same_points():
    rest = dl.find_equilibria(zoo.morris_lecar(gCa=4, V3=12, V4=17.4, phi=1 / 15)).points[0]
    there = dl.continue_equilibrium(rest, vary="I", over=(-20, 150))
    far = there.at(I=140.0).single()
    back = dl.continue_equilibrium(far, vary="I", over=(-20, 150))
    values = [sorted(p["I"] for p in b.points()) for b in (there, back)]
    assert values[0] == pytest.approx(values[1], rel=1e-11)
