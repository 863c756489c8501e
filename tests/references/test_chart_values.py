"""Charts against exact exponents, Feigenbaum's parameters and published values."""

from __future__ import annotations

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

#: Period doublings of the logistic map: the first two exact, the others Feigenbaum 1978, J. Stat. Phys. 19, 25.
DOUBLINGS = (3.0, 1 + np.sqrt(6), 3.544090359551, 3.564407266)
ACCUMULATION = 3.569945671870944
#: Largest exponent of the Henon map; 2e7 iterations, known to 1e-5 (Sprott 1998 has 0.41922).
HENON = 0.419223


def test_logistic_window_of_period_two():
    # f'(x1) f'(x2) = 4 + 2 r - r^2 on the cycle of period 2.  Rounding of x by eps changes log |f'| by
    # eps / |f'|, and |f'| is above 1e-3 on this grid.
    r = np.linspace(3.05, 3.44, 157)
    chart = dl.exponent_chart(zoo.logistic, vary={"r": r}, duration=640, transient=5000)
    exact = 0.5 * np.log(np.abs(4 + 2 * r - r**2))
    np.testing.assert_allclose(chart["exponent"], exact, atol=1e-10)


def test_logistic_at_one_value():
    chart = dl.exponent_chart(zoo.logistic, vary={"r": [3.2]}, duration=6400, transient=1000)
    assert chart["exponent"][0] == pytest.approx(-0.916290731874155, abs=1e-12)


def test_superstable_cycle_is_very_negative_and_zero_derivative_is_minus_infinity():
    @dl.iterated_map
    def square(x=0.0, *, a=1.0):
        return {x: a * x**2}

    near = dl.exponent_chart(
        zoo.logistic, vary={"r": [1 + np.sqrt(5)]}, duration=320, transient=100
    )
    # The derivative at the turning point is some units of rounding: (1/2) log(1e-16) = -18.
    assert -25 < near["exponent"][0] < -14
    exact = dl.exponent_chart(square, vary={"a": [1.0]}, duration=320)
    assert exact["exponent"][0] == -np.inf
    assert exact.ok.all()


def test_tent_map_has_the_logarithm_of_its_slope():
    mu = np.linspace(1.1, 1.95, 40)
    chart = dl.exponent_chart(zoo.tent, vary={"mu": mu}, duration=4000)
    # Each step multiplies by mu, rounded once: 4000 roundings over 4000 steps.
    np.testing.assert_allclose(chart["exponent"], np.log(mu), atol=4e-16)
    assert (chart["standard_error"] < 1e-15).all()


def test_linear_flow_has_the_real_part_of_its_eigenvalues():
    @dl.flow
    def spiral(x=1.0, y=0.0, *, a=0.0, w=1.0):
        return {x: a * x - w * y, y: w * x + a * y}

    a = np.linspace(-1.0, 0.3, 23)
    chart = dl.exponent_chart(spiral, vary={"a": a, "w": [0.5, 2.0]}, duration=20, transient=5)
    # Local errors of 1e-9 in some hundred steps.
    np.testing.assert_allclose(chart["exponent"], np.tile(a[:, None], 2), atol=1e-8)


def test_henon_and_how_often_its_standard_errors_hold():
    x = np.linspace(-0.3, 0.3, 400)
    chart = dl.exponent_chart(zoo.henon, vary={"x": x}, duration=4096, transient=200)
    apart = np.abs(chart["exponent"] - HENON) / chart["standard_error"]
    # 95 % of Student's t with 31 degrees of freedom is within 2.04; four binomial errors of 400 are 0.044.
    assert 0.906 < np.mean(apart < 2.04) <= 0.994
    assert chart["exponent"].mean() == pytest.approx(
        HENON, abs=4 * chart["standard_error"].mean() / 20
    )


def test_lorenz_agrees_with_one_exponent_at_a_time():
    rho = [10.0, 28.0, 60.0, 160.0]
    chart = dl.exponent_chart(zoo.lorenz, vary={"rho": rho}, duration=150, transient=50)
    for place, value in enumerate(rho):
        one = dl.lyapunov_exponent(zoo.lorenz(rho=value), duration=150, transient=50, seed=1)
        error = np.hypot(one.standard_error, chart["standard_error"][place])
        # On a regular orbit what is left is where the deviation points: below log(10) / 150.
        assert abs(chart["exponent"][place] - one.value) < 4 * error + 0.016


def test_lorenz_errors_hold_and_are_too_wide_rather_than_too_narrow():
    # 0.905684: chaos over 2e5 units of time; Sprott 1998 has 0.9056.  Batches of three units are short beside a
    # turn of the orbit, over which |v| swells and shrinks: that widens their scatter, not that of the mean.
    chart = dl.exponent_chart(
        zoo.lorenz, vary={"x": np.linspace(-10, 10, 320)}, transient=30, duration=100
    )
    apart = chart["exponent"] - 0.905684
    assert np.mean(np.abs(apart) < 2.04 * chart["standard_error"]) > 0.95 - 0.044
    assert abs(apart.mean()) < 4 * apart.std() / np.sqrt(320)


@pytest.mark.parametrize("k", range(4))
def test_periods_double_at_feigenbaums_parameters(k):
    next_one = (*DOUBLINGS, ACCUMULATION)[k + 1]
    before = (1.0, *DOUBLINGS)[k]
    below = DOUBLINGS[k] - 0.1 * (DOUBLINGS[k] - before)
    above = DOUBLINGS[k] + 0.1 * (next_one - DOUBLINGS[k])
    chart = dl.period_chart(zoo.logistic, vary={"r": [below, above]}, transient=20_000)
    assert chart["period"].tolist() == [2**k, 2 ** (k + 1)]


def test_at_a_doubling_no_period_is_claimed():
    # The multiplier is -1: the orbit approaches as n^(-1/2) and is never there.
    chart = dl.period_chart(zoo.logistic, vary={"r": [3.0, DOUBLINGS[1]]}, transient=100_000)
    assert chart["period"].tolist() == [-1, -1]


def test_window_of_period_three_opens_where_it_should():
    opening = 1 + np.sqrt(8)
    chart = dl.period_chart(
        zoo.logistic, vary={"r": [opening - 1e-4, opening + 1e-4]}, transient=20_000
    )
    assert chart["period"].tolist() == [-1, 3]


def test_roessler_doubles():
    # Strogatz 2015, Nonlinear Dynamics and Chaos, figure 12.3.2: c = 2.5, 3.5, 4 for a = b = 0.2.
    chart = dl.period_chart(
        zoo.roessler, vary={"c": [2.5, 3.5, 4.0, 5.7]}, transient=400, duration=400
    )
    assert chart["period"].tolist() == [1, 2, 4, -1]


def test_length_of_a_cycle():
    @dl.flow
    def van_der_pol(x=2.0, v=0.0, *, mu=1.0):
        return {x: v, v: mu * (1 - x**2) * v - x}

    chart = dl.period_chart(van_der_pol, vary={"mu": [1.0]}, transient=60)
    assert chart["period"][0] == 1
    # Six digits beyond the table of Urabe 1960, by dl.find_cycle: 6.66328685932.
    cycle = dl.find_cycle(van_der_pol, start={"x": 2.0, "v": 0.0})
    assert chart["length"][0] == pytest.approx(cycle.period, abs=1e-6)


@dl.iterated_map
def circle(theta: dl.Angle = 0.1, *, omega=0.3, K=0.9):
    return {theta: theta + 2 * np.pi * omega - K * dl.sin(theta)}


def test_circle_map_turns_locks_and_stands():
    golden = (np.sqrt(5) - 1) / 2
    # omega = 0 has the fixed point 0 for 0 < K < 2; omega = 1/2 is locked to 1 : 2 for K > 0 by symmetry;
    # the golden mean is locked only in a tongue that opens at K = 1.
    chart = dl.attractor_chart(
        circle,
        vary={"omega": [0.0, 0.5, golden]},
        start={"theta": 0.3},
        duration=5000,
        transient=5000,
    )
    assert chart["verdict"].tolist() == ["fixed point", "periodic", "quasi-periodic"]
    assert chart["period"].tolist() == [1, 2, -1]


def test_kinds_of_lorenz():
    # Sparrow 1982, The Lorenz Equations: the origin up to 1, two equilibria up to 24.74, chaos at 28, a cycle
    # at 160 (window 145 to 166).
    chart = dl.attractor_chart(
        zoo.lorenz, vary={"rho": [0.5, 10.0, 28.0, 160.0]}, duration=200, transient=100
    )
    assert chart["verdict"].tolist() == ["fixed point", "fixed point", "chaotic", "periodic"]


def test_a_torus_of_a_flow_is_quasi_periodic():
    @dl.flow
    def two_oscillators(x=1.0, u=0.0, y=0.5, v=0.0, *, w=0.5):
        r, s = x**2 + u**2, y**2 + v**2
        return {
            x: x * (1 - r) - u,
            u: u * (1 - r) + x,
            y: y * (1 - s) - w * v,
            v: v * (1 - s) + w * y,
        }

    chart = dl.attractor_chart(
        two_oscillators, vary={"w": [0.5, 0.6180339887498949]}, duration=600, transient=30
    )
    assert chart["verdict"].tolist() == ["periodic", "quasi-periodic"]


def test_how_often_the_kinds_of_the_logistic_map_are_wrong():
    # Below the accumulation everything is periodic; above it chaos and windows (of any period) alternate, and
    # Misiurewicz points apart what is chaotic for long is.  A cell is wrong if it is called chaotic below.
    r = np.linspace(2.6, ACCUMULATION, 600)
    below = dl.attractor_chart(zoo.logistic, vary={"r": r}, duration=4000, transient=4000)
    assert below.share(dl.Verdict.CHAOTIC) == 0
    assert below.share(dl.Verdict.UNDECIDED) < 0.02
    mu = np.linspace(1.05, 1.95, 600)
    tent = dl.attractor_chart(zoo.tent, vary={"mu": mu}, duration=4000, transient=100)
    assert tent.share(dl.Verdict.CHAOTIC) == 1
