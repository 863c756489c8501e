"""Where synchrony begins if the coupling arrives late: closed forms of several densities, laws, and oscillators."""

import numpy as np
import pytest
import scipy.stats
from scipy.optimize import brentq
from scipy.optimize import root as solve
from scipy.special import wofz

import dynlab as dl
from dynlab.synchrony.feedback_run import stepped


def gaussian(centre, deviation):
    """Return s -> int g(w) / (s - i w) dw by Faddeeva's function."""
    scale = np.sqrt(2) * deviation
    return lambda s: np.sqrt(np.pi) / scale * wofz((centre + 1j * s) / scale)


def uniform(low, high):
    """Return s -> int g(w) / (s - i w) dw by logarithms."""
    return lambda s: 1j / (high - low) * np.log((s - 1j * high) / (s - 1j * low))


def by_hand(answer, delay, noise, near):
    """Return the least K at which exp(-i W tau) answer(D + i W) / 2 = 1 / K on a fine grid of W, then to rounding."""

    def response(W):
        return np.exp(-1j * W * delay) * answer(noise + 1e-13 + 1j * W) / 2

    W = np.linspace(near - 30, near + 30, 300_001)
    f = response(W)
    turns = np.flatnonzero((f.imag[:-1] * f.imag[1:] < 0) & (f.real[:-1] > 0))
    best = turns[np.argmax(f.real[turns])]
    place = brentq(lambda w: response(w).imag, W[best], W[best + 1], xtol=1e-14)
    return 1 / response(place).real, place


@pytest.mark.parametrize(
    ("density", "answer", "delay", "noise"),
    [
        (dl.Gaussian(3, 1), gaussian(3, 1), 1.0, 0.0),
        (scipy.stats.norm(10, 0.3), gaussian(10, 0.3), 5.0, 0.0),
        (dl.Gaussian(3, 1), gaussian(3, 1), 2.0, 0.5),
        # The field turns slower than every oscillator: none of them is bound by it.
        (dl.Uniform(2, 3), uniform(2, 3), 1.0, 0.0),
        (
            dl.Mixture((dl.Gaussian(2, 0.3), dl.Uniform(3, 4))),
            lambda s: (gaussian(2, 0.3)(s) + uniform(3, 4)(s)) / 2,
            2.0,
            0.0,
        ),
    ],
)
def test_the_onset_is_the_first_root_of_the_characteristic_equation(density, answer, delay, noise):
    found = dl.synchrony_onset(density, delay=delay, noise=noise)
    value, frequency = by_hand(answer, delay, noise, float(density.ppf(0.5)))
    assert found.value == pytest.approx(value, rel=1e-9)
    assert found.frequencies == pytest.approx((frequency,), rel=1e-8)


def test_of_lorentzians_it_is_where_the_window_of_feedback_begins():
    late = dl.LorentzianOscillators(K=0.0, width=0.1, frequency=3.0)
    window = dl.feedback_window(late, delay=2.0, over=(0, 5))
    found = dl.synchrony_onset(dl.Lorentzian(3, 0.1), delay=2.0)
    assert found.value == pytest.approx(window.intervals[0, 1], rel=1e-11)


def test_a_delay_is_a_lag_for_what_turns():
    """In a frame that turns by d phases of others are d tau late: shift all frequencies by d and the lag by -d tau."""
    plain = dl.synchrony_onset(dl.Gaussian(1, 0.5), delay=0.8, lag=0.5)
    moved = dl.synchrony_onset(dl.Gaussian(1.5, 0.5), delay=0.8, lag=0.1)
    assert moved.value == pytest.approx(plain.value, rel=1e-10)
    assert moved.frequencies[0] == pytest.approx(plain.frequencies[0] + 0.5, rel=1e-9)
    short = dl.synchrony_onset(dl.Gaussian(1, 0.5), delay=1e-9, lag=0.5)
    assert short.value == pytest.approx(
        dl.synchrony_onset(dl.Gaussian(1, 0.5), lag=0.5).value, rel=1e-7
    )


@pytest.mark.parametrize("centre", [0.3, 3.0, 7.0])
@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_identical_oscillators(centre, noise):
    """Without noise any coupling binds where cos(c tau) > 0 (Earl and Strogatz 2003); else D + i (W - c) = K/2 exp(-i W tau)."""
    found = dl.synchrony_onset(dl.Constant(centre), delay=1.0, noise=noise)
    if not noise and np.cos(centre) > 0:
        assert found.value == 0
        return
    W = np.linspace(centre - 30, centre + 30, 2_000_001)
    K = 2 * (noise + 1j * (W - centre)) * np.exp(1j * W)
    turns = np.flatnonzero((K.imag[:-1] * K.imag[1:] < 0) & (K.real[:-1] > 0))
    assert found.value == pytest.approx(K.real[turns].min(), rel=1e-4)


def test_waves_that_turn_against_each_other():
    """With c tau = pi the field is as late for c + d as early for c - d."""
    found = dl.synchrony_onset(dl.Gaussian(2 * np.pi, 0.5), delay=0.5)
    assert sum(found.frequencies) == pytest.approx(4 * np.pi, rel=1e-9)
    assert np.isnan(found.amplitude)


@pytest.mark.parametrize(
    ("density", "answer", "delay"),
    [(dl.Gaussian(2, 0.5), gaussian(2, 0.5), 0.5), (dl.Uniform(2, 3), uniform(2, 3), 1.0)],
)
def test_oscillators_of_any_density_begin_where_it_says(density, answer, delay):
    """Phases almost evenly spread: beyond the onset the field grows at the rightmost root, before it nothing grows."""
    onset = dl.synchrony_onset(density, delay=delay)
    share = (np.arange(400) + 0.5) / 400
    spread = 2 * np.pi * np.arange(4) / 4
    omega = np.repeat(density.ppf(share), 4)
    theta = np.tile(spread - 2e-5 * np.sin(spread), 400)
    seen = {}
    for factor in (0.7, 2.0):
        feedback = dl.DelayedFeedback(gain=factor * onset.value, delay=delay)
        t, seen[factor], _, _ = stepped(omega, theta, 0.0, feedback, (27.0, 0.1))
    assert np.abs(seen[0.7][t > 25]).max() < 1e-6
    root = 1e-3 + 1j * onset.frequencies[0]
    for K in onset.value * np.linspace(1.05, 2, 20):

        def misses(s, K=K):
            value = K / 2 * np.exp(-complex(*s) * delay) * answer(complex(*s)) - 1
            return value.real, value.imag

        root = complex(*solve(misses, (root.real, root.imag)).x)
    # It is about 1e-5 exp(0.28 t), so still small; what was there at first has gone as fast as frequencies spread.
    late = t > 15
    growth = np.polyfit(t[late], np.log(np.abs(seen[2.0][late])), 1)[0]
    turning = np.polyfit(t[late], np.unwrap(np.angle(seen[2.0][late])), 1)[0]
    assert root.real > 0.1
    assert growth == pytest.approx(root.real, abs=5e-3)
    assert turning == pytest.approx(root.imag, abs=5e-3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: dl.synchrony_onset(dl.Gaussian(), delay=-1.0), "delay is -1"),
        (lambda: dl.synchrony_onset(dl.Gaussian(), delay=np.inf), "delay"),
        (lambda: dl.synchrony_onset(scipy.stats.arcsine(), delay=1.0), "infinite at 0"),
        (lambda: dl.synchrony_onset(scipy.stats.gamma(0.5)), "infinite at 0"),
        (lambda: dl.synchrony_onset(scipy.stats.poisson(3), delay=1.0), "no density"),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(dl.SettingError, match=words):
        call()
