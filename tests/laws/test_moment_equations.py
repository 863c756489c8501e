"""What holds of the equations of moments: exact ones against closed forms, closed ones against densities."""

import numpy as np
import pytest
import scipy.linalg

import dynlab as dl


@dl.flow
def square_root(x=0.3, *, k=1.0, th=1.0):
    return {x: k * (th - x)}


@square_root.with_noise(dl.Ito)
def cir(x, *, s=0.5):
    return {x: s * dl.sqrt(x)}


@dl.flow
def growth(x=2.0, *, mu=0.1):
    return {x: mu * x}


@dl.flow
def skew(x=0.0):
    return {x: -x - 0.5 * x**2 - x**3}


@dl.flow
def turning(x=1.0, y=0.0):
    return {x: -x - 2 * y, y: x - 1.5 * y}


@pytest.mark.parametrize(
    ("values", "mean", "variance"),
    [  # Cox, Ingersoll and Ross 1985, Econometrica 53, 385, eq. 19: from x = 0.3 after a time 1
        ({"k": 1.0, "th": 1.0, "s": 0.5}, 0.74248439117999, 0.0673878619568282),
        ({"k": 2.0, "th": 0.5, "s": 1.0}, 0.472932943352677, 0.11100858070412),
    ],
)
def test_square_root_noise_is_exact(values, mean, variance):
    moments = dl.moment_equations(cir(**values))
    assert moments.reference.startswith("Exact")
    run = dl.integrate(moments, duration=1, method=dl.Explicit8(rtol=1e-12, atol=1e-14))
    assert run["x"][-1] == pytest.approx(mean, rel=1e-11)
    assert run["var_x"][-1] == pytest.approx(variance, rel=1e-11)
    rest = dl.find_equilibria(moments, within={"x": (0, 2), "var_x": (0, 2)}).single()
    assert rest["var_x"] == pytest.approx(
        values["th"] * values["s"] ** 2 / (2 * values["k"]), rel=1e-12
    )


@pytest.mark.parametrize(("reading", "extra"), [(dl.Ito, 0.0), (dl.Stratonovich, 0.125)])
def test_geometric_motion_is_exact(reading, extra):
    """Gardiner 2004, section 4.5.1, with s = 1/2; the third cumulant is that of a log-normal distribution."""

    @growth.with_noise(reading)
    def noisy(x, *, s=0.5):
        return {x: s * x}

    run = dl.integrate(
        dl.moment_equations(noisy, order=3), duration=2, method=dl.Explicit8(rtol=1e-12, atol=1e-14)
    )
    mean, w = 2 * np.exp(2 * (0.1 + extra)), np.exp(0.5)
    assert run["x"][-1] == pytest.approx(mean, rel=1e-11)
    assert run["var_x"][-1] == pytest.approx(mean**2 * (w - 1), rel=1e-10)
    assert run["third_x_x_x"][-1] == pytest.approx(mean**3 * (w - 1) ** 2 * (w + 2), rel=1e-10)


def test_a_linear_system_relaxes_to_lyapunovs_covariance():
    @turning.with_noise(dl.Ito)
    def noisy(x, y):
        one, other = dl.sources("one other")
        return {x: one + 0.4 * other, y: 0.5 * other}

    moments = dl.moment_equations(noisy)
    within = {"x": (-1, 1), "y": (-1, 1), "var_x": (0, 2), "cov_x_y": (-1, 1), "var_y": (0, 2)}
    rest = dl.find_equilibria(moments, within=within).single()
    spread = dl.linear_noise(
        noisy, at=dl.find_equilibria(turning, within={"x": (-1, 1), "y": (-1, 1)}).single()
    )
    found = [rest["var_x"], rest["cov_x_y"], rest["var_y"]]
    assert found == pytest.approx(spread.covariance[[0, 0, 1], [0, 1, 1]], abs=1e-12)
    run = dl.integrate(moments, duration=0.7, method=dl.Explicit8(rtol=1e-12, atol=1e-14))
    moved = scipy.linalg.expm(0.7 * spread.jacobian)
    expected = spread.covariance - moved @ spread.covariance @ moved.T
    assert run["cov_x_y"][-1] == pytest.approx(expected[0, 1], abs=1e-11)
    assert run["x"][-1] == pytest.approx(moved[0, 0], rel=1e-11)


@pytest.mark.parametrize(("order", "slope"), [(2, 4.0), (3, 6.0)])
def test_what_is_cut_off(order, slope):
    """The first cumulant cut off is of the size s^(2 order), and so is the error of the variance."""
    errors = []
    for s in (0.1, 0.05):
        noisy = skew.with_noise(x=s)
        moments = dl.moment_equations(noisy, order=order)
        within = {"x": (-0.1, 0.1), "var_x": (0, 0.02)} | (
            {"third_x_x_x": (-0.001, 0.001)} if order == 3 else {}
        )
        rest = min(
            dl.find_equilibria(moments, within=within), key=lambda p: abs(p["var_x"] - s**2 / 2)
        )
        density = dl.stationary_density(noisy, grid=dl.Grid(x=(-10 * s, 10 * s, 4000)))
        errors.append(abs(rest["var_x"] - density.variance("x")))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(slope, abs=0.4)


def test_the_mean_of_any_density_obeys_the_first_equation():
    """<f(x)> = 0 holds of the closed equations as of the density: with the cumulants put in by hand of a Gaussian moment."""
    moments = dl.moment_equations(skew.with_noise(x=0.3))
    rest = min(
        dl.find_equilibria(moments, within={"x": (-0.5, 0.3), "var_x": (0, 0.2)}),
        key=lambda p: abs(p["var_x"] - 0.045),
    )
    m, v = rest["x"], rest["var_x"]
    assert -m - 0.5 * (m**2 + v) - (m**3 + 3 * m * v) == pytest.approx(0, abs=1e-14)


def test_a_branch_of_moments():
    @dl.flow
    def logistic(x=1.0, *, r=1.0):
        return {x: r * x - x**2}

    @logistic.with_noise(dl.Ito)
    def noisy(x, *, s=0.3):
        return {x: s * x}

    moments = dl.moment_equations(noisy, order=3)
    within = {"x": (0.5, 1.5), "var_x": (0, 0.2), "third_x_x_x": (-0.05, 0.05)}
    rest = max(dl.find_equilibria(moments, within=within), key=lambda p: p["x"])
    branch = dl.continue_equilibrium(rest, vary="r", over=(0.8, 2.0))
    # The stationary density is a gamma distribution with mean r - s^2/2 and variance (r - s^2/2) s^2/2; what is cut off, its
    # fourth cumulant, is 6 (s^2/2)^2 / mean of the squared variance: s^4 beside the variance, here 0.4 per cent.
    end = branch.at(r=2.0).single()
    assert end["x"] == pytest.approx(2 - 0.045, abs=2e-4)
    assert end["var_x"] == pytest.approx((2 - 0.045) * 0.045, rel=5e-3)


@dl.flow
def pendulum(x=0.0, v=0.0):
    return {x: v, v: -dl.sin(x) - 0.1 * v}


@pytest.mark.parametrize(
    ("ask", "error", "words"),
    [
        (lambda: dl.moment_equations(growth), dl.UnsupportedSystemError, "no noise"),
        (lambda: dl.moment_equations(growth.with_noise(x=1.0), order=4), dl.SettingError, "give 2"),
        (
            lambda: dl.moment_equations(pendulum.with_noise(v=1.0)),
            dl.UnsupportedSystemError,
            "the drift of 'v'",
        ),
    ],
)
def test_what_is_refused(ask, error, words):
    with pytest.raises(error, match=words):
        ask()
