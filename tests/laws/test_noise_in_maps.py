"""Maps with noise in each step: seeded paths, and the linear theory about a fixed point.

[A] Anderson and Moore, Optimal Filtering 1979, chapter 4; [G] Gardiner, Handbook of Stochastic Methods, section 4.5.
"""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynlab as dl


@dl.iterated_map
def decaying(x=1.0, y=0.0, *, a=0.8, b=0.5, c=-0.3):
    return {x: a * x + b * y, y: c * x + 0.4 * y}


@dl.iterated_map
def logistic(x=0.6, *, r=2.8):
    return {x: r * x * (1 - x)}


LINEAR = decaying.with_noise(x=0.3, y=0.5)
NOISY = logistic.with_noise(x=0.004)
REST = dl.find_equilibria(decaying, within={"x": (-1, 1), "y": (-1, 1)}).single()
TOP = max(dl.find_equilibria(logistic, within={"x": (-0.5, 1)}), key=lambda p: p["x"])


def test_the_states_of_a_linear_map_have_their_moments():
    """Exactly, at each step: m' = J m, S' = J S J' + B; 2e4 members, 5 standard errors."""
    J, B = np.array([[0.8, 0.5], [-0.3, 0.4]]), np.diag([0.09, 0.25])
    run = dl.ensemble(LINEAR, duration=6, at=np.arange(7), size=20_000, seed=1)
    mean, S = np.array([1.0, 0.0]), np.zeros((2, 2))
    for n in range(7):
        x = np.stack([run["x"][:, n], run["y"][:, n]])
        assert np.all(np.abs(x.mean(axis=1) - mean) <= 5 * np.sqrt(np.diag(S) / 2e4))
        error = np.sqrt((np.outer(np.diag(S), np.diag(S)) + S**2) / 2e4)
        assert np.all(np.abs(np.cov(x) - S) <= 5 * error)
        mean, S = J @ mean, J @ S @ J.T + B


def test_a_path_follows_the_map_and_its_seed():
    """Without an amplitude it is the map's orbit, and what is added is new in each step."""
    still = dl.simulate(logistic.with_noise(x=0.0), duration=20, seed=3)
    orbit = dl.iterate(logistic, duration=20)
    assert still["x"] == pytest.approx(orbit["x"], abs=1e-14)
    assert still.t == pytest.approx(orbit.t)
    one, other = (dl.simulate(LINEAR, duration=50, seed=s) for s in (5, 5))
    assert np.array_equal(one["x"], other["x"])
    added = one["x"][1:] - 0.8 * one["x"][:-1] - 0.5 * one["y"][:-1]
    assert np.unique(added).size == 50


def test_an_ensemble_does_not_depend_on_the_number_of_threads():
    with dl.threads(1):
        one = dl.ensemble(LINEAR, duration=9, size=3000, seed=2)
    with dl.threads(3):
        three = dl.ensemble(LINEAR, duration=9, size=3000, seed=2)
    assert np.array_equal(one["x"], three["x"])


def test_multiplicative_noise_takes_the_amplitude_before_the_step():
    """x' = x (1 + s xi): E x^2 grows by 1 + s^2 in each step; in Ito's reading alone."""

    @dl.iterated_map
    def stay(x=1.0):
        return {x: x}

    @stay.with_noise(dl.Ito)
    def growing(x, *, s=0.2):
        return {x: s * x}

    x = dl.ensemble(growing, duration=10, size=40_000, seed=4)["x"]
    exact, fourth = 1.04**10, (1 + 6 * 0.04 + 3 * 0.0016) ** 10
    assert x.mean() == pytest.approx(1, abs=5 * np.sqrt((exact - 1) / 4e4))
    assert (x**2).mean() == pytest.approx(exact, abs=5 * np.sqrt((fourth - exact**2) / 4e4))


def test_a_network_of_maps_has_noise_at_each_node():
    @dl.iterated_map
    def pulled(x: dl.PerNode = 0.5, *, k=0.4):
        i, j = dl.nodes("i j")
        return {x[i]: 0.5 * x[i] + k * dl.Mean(x[j], j)}

    noisy = pulled.on(dl.AllToAll(20)).with_noise(x=0.1)
    x = dl.simulate(noisy, duration=4000, seed=1).values[100:]
    # The mean relaxes with 0.5 + k, the rest with 0.5.
    assert x.mean(axis=1).var() == pytest.approx(0.01 / 20 / (1 - 0.9**2), rel=0.5)
    assert (x - x.mean(axis=1)[:, None]).var() == pytest.approx(0.95 * 0.01 / 0.75, rel=0.05)


@settings(max_examples=30, deadline=None)
@given(a=st.floats(-0.9, 0.9), b=st.floats(-1, 1), s=st.floats(0.01, 2), seed=st.integers(0, 10**6))
def test_the_covariance_is_what_a_step_leaves_unchanged(a, b, s, seed):
    """S = J S J' + B, positive; the sum of the spectrum over a circle is the variance."""
    fixed = decaying(a=a, b=b, c=0.0)
    rest = dl.find_equilibria(fixed, within={"x": (-1, 1), "y": (-1, 1)}).single()
    found = dl.linear_map_noise(fixed.with_noise(x=s, y=0.3), at=rest)
    J, S = found.jacobian, found.covariance
    assert np.abs(J - np.array([[a, b], [0, 0.4]])).max() < 1e-14
    assert pytest.approx(J @ S @ J.T + np.diag([s * s, 0.09]), rel=1e-9, abs=1e-12) == S
    assert np.linalg.eigvalsh(S)[0] > 0
    omega = 2 * np.pi * np.arange(4096) / 4096
    assert found.power_spectrum("x", at=omega).mean() == pytest.approx(
        found.variance("x"), rel=1e-6
    )
    lags = np.arange(-3, 4)
    waves = found.power_spectrum("x", at=omega) @ np.exp(1j * np.outer(omega, lags)) / 4096
    assert found.correlation("x", lags=lags) == pytest.approx(waves.real, rel=1e-6, abs=1e-9)
    assert found.mean_shift == pytest.approx([0, 0], abs=1e-12)


def test_a_simulated_path_has_this_covariance_and_this_shift():
    """The logistic map at r = 2.8: J = -0.8, f'' = -5.6; 1e6 steps, 5 standard errors from 100 parts."""
    found = dl.linear_map_noise(NOISY, at=TOP)
    assert found.variance("x") == pytest.approx(1.6e-5 / 0.36, rel=1e-12)
    assert found.shift("x") == pytest.approx(-2.8 * found.variance("x") / 1.8, rel=1e-12)
    parts = dl.simulate(NOISY, duration=1_000_000, seed=6)["x"][1:].reshape(100, -1) - TOP["x"]
    mean, spread = parts.mean(), parts.mean(axis=1).std() / 10
    assert mean == pytest.approx(found.shift("x"), abs=5 * spread)
    squares = (parts**2).mean(axis=1)
    # The next order: the shift changes the slope, and the variance by 0.4 %.
    allowed = 5 * squares.std() / 10 + 0.006 * found.variance("x")
    assert squares.mean() == pytest.approx(found.variance("x"), abs=allowed)
    assert found.error < 0.01


@dl.flow
def flowing(x=0.0):
    return {x: -x}


@logistic.with_noise(dl.Ito)
def silent(x, *, s=0.1):
    return {x: s * (x - 1 + 1 / 2.8)}


@pytest.mark.parametrize(
    ("ask", "error", "words"),
    [
        (lambda: logistic.with_noise(dl.Stratonovich), dl.UnsupportedSystemError, "no other reading"),
        (lambda: dl.iterate(NOISY, duration=3), dl.UnsupportedSystemError, "it has noise"),
        (lambda: dl.simulate(NOISY, duration=3, method=dl.EulerMaruyama(step=1)), dl.SettingError, "Leave method out"),
        (lambda: dl.ensemble(NOISY, duration=3, size=2, method=dl.EulerMaruyama(step=1)), dl.SettingError, "needs no method"),
        (lambda: dl.simulate(flowing.with_noise(x=1), duration=3), dl.SettingError, "method is None"),
        (lambda: dl.simulate(NOISY, duration=2.5), dl.SettingError, "whole number of steps"),
        (lambda: dl.simulate(NOISY, duration=3, at=[0.5]), dl.SettingError, "not whole"),
        (lambda: dl.simulate(NOISY, duration=3, record=dl.Crossing("up", lambda x: x - 0.5)), dl.UnsupportedSystemError, "crosses nothing"),
        (lambda: dl.stationary_density(NOISY), dl.UnsupportedSystemError, "linear_map_noise"),
        (lambda: dl.linear_noise(NOISY, at=TOP), dl.UnsupportedSystemError, "linear_map_noise"),
        (lambda: dl.lyapunov_exponent(NOISY, duration=10), dl.UnsupportedSystemError, "without_noise"),
        (lambda: dl.linear_map_noise(flowing.with_noise(x=1), at=TOP), dl.UnsupportedSystemError, "needs a map"),
        (lambda: dl.linear_map_noise(logistic, at=TOP), dl.UnsupportedSystemError, "no noise"),
        (lambda: dl.linear_map_noise(NOISY(r=2.5), at=TOP), dl.SettingError, "r = 2.8 there, 2.5 here"),
        (lambda: dl.linear_map_noise(logistic(r=3.2).with_noise(x=1), at=max(dl.find_equilibria(logistic(r=3.2), within={"x": (-0.5, 1)}), key=lambda p: p["x"])), dl.SingularProblem, "multiplier -1.2"),
        (lambda: dl.linear_map_noise(silent, at=TOP), dl.SingularProblem, "vanishes"),
        (lambda: dl.linear_map_noise(NOISY, at=TOP).correlation("x", lags=[0.5]), dl.SettingError, "whole steps"),
        (lambda: dl.linear_map_noise(NOISY, at=TOP).variance("y"), dl.UnknownNameError, "'y'"),
    ],
)  # fmt: skip
def test_refusals(ask, error, words):
    with pytest.raises(error, match=re.compile(words)):
        ask()


def test_equations_show_the_noise_of_a_step(tmp_path):
    assert repr(LINEAR).startswith("<map decaying: x' = a*x + b*y + (0.3) xi_1; y' = ")
    assert r"x_{n+1} &= a x + b y + 0.3\,{\xi}_{1}" in dl.to_latex(LINEAR)
    found = dl.linear_map_noise(LINEAR, at=REST)
    again = dl.load(found.save(tmp_path / "found"))
    assert np.array_equal(again.covariance, found.covariance)
    assert again.system == LINEAR
    assert repr(found).count("\n") == 1
    assert list(found.to_table()["state"]) == ["x", "y"]
    assert found.plot().has_data()
    import matplotlib.pyplot as plt

    plt.close("all")
