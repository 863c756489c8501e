"""Surrogates keep what they must keep, and the test errs as often as it says."""

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

METHODS = [dl.PhaseRandomised(), dl.AmplitudeAdjusted(), dl.IteratedAmplitudeAdjusted()]


def spectrum(x):
    return np.abs(np.fft.rfft(x))


def correlated(count, seed, share=0.7):
    """A Gaussian series with the spectrum of x' = share x + noise, periodic, so that the null holds exactly."""
    rng = np.random.default_rng(seed)
    filtered = np.fft.rfft(rng.normal(size=count))
    turns = np.exp(-2j * np.pi * np.arange(count // 2 + 1) / count)
    return np.fft.irfft(filtered / (1 - share * turns), count)


@pytest.mark.parametrize("count", [500, 501])
def test_random_phases_keep_the_spectrum(count):
    x = np.exp(correlated(count, 1))
    y = dl.PhaseRandomised().surrogate(x, seed=2)
    np.testing.assert_allclose(spectrum(y), spectrum(x), rtol=1e-9, atol=1e-9 * spectrum(x).max())
    assert abs(np.corrcoef(x, y)[0, 1]) < 0.5


@pytest.mark.parametrize("method", METHODS[1:], ids=lambda method: type(method).__name__)
def test_adjusted_amplitudes_keep_every_value(method):
    x = np.exp(correlated(500, 1))
    y = method.surrogate(x, seed=2)
    np.testing.assert_array_equal(np.sort(y), np.sort(x))
    assert not np.array_equal(x, y)


def test_iteration_comes_closer_to_the_spectrum():
    x = np.exp(correlated(1024, 1))
    once, many = (
        np.linalg.norm(spectrum(method.surrogate(x, seed=2)) - spectrum(x))
        for method in METHODS[1:]
    )
    assert many < 0.2 * once


@pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)
def test_seeds(method):
    x = correlated(200, 1)
    np.testing.assert_array_equal(method.surrogate(x, seed=5), method.surrogate(x, seed=5))
    assert not np.array_equal(method.surrogate(x, seed=5), method.surrogate(x, seed=6))
    first, second = (
        dl.surrogate_test(x, statistic=dl.time_asymmetry, method=method, count=19, seed=3)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.surrogates, second.surrogates)


def test_false_alarms_are_as_rare_as_stated():
    """Gaussian, periodic series are drawn from the null: p <= 0.1 happens once in ten, by symmetry exactly.

    Of 500 series, 50 +- 6.7; three standard deviations are allowed.
    """
    found = [
        dl.surrogate_test(
            correlated(128, seed), statistic=dl.time_asymmetry, method=dl.PhaseRandomised(), count=19,
            seed=seed,
        ).p_value
        for seed in range(500)
    ]  # fmt: skip
    assert abs(np.sum(np.array(found) <= 0.1 + 1e-9) - 50) < 3 * np.sqrt(500 * 0.1 * 0.9)
    assert 0.45 < np.mean(found) < 0.6  # uniform on 0.1, 0.2, ..., 1: 0.55 +- 0.013


def test_chaos_is_found():
    x = dl.iterate(zoo.henon, duration=600)["x"]
    for method in METHODS:
        found = dl.surrogate_test(x, method=method, count=39, seed=1)
        assert found.p_value == 2 / 40
        assert found.z_score < -10


def test_a_monotone_view_of_linear_noise_is_no_chaos():
    """The cube of Gaussian noise is rejected with random phases, and is not with adjusted amplitudes."""
    x = correlated(512, 3) ** 3
    fourth = lambda series: float(np.mean((series - series.mean()) ** 4))  # noqa: E731
    plain = dl.surrogate_test(x, statistic=fourth, method=dl.PhaseRandomised(), count=39, seed=1)
    assert plain.p_value == 2 / 40
    found = dl.surrogate_test(x, statistic=dl.time_asymmetry, count=39, seed=1)
    assert found.p_value > 0.05


def test_statistics():
    x = dl.iterate(zoo.logistic(r=3.9), duration=1000)["x"]
    assert dl.time_asymmetry(x) == pytest.approx(-dl.time_asymmetry(x[::-1]), rel=1e-9)
    assert dl.time_asymmetry(7 * x - 3) == pytest.approx(dl.time_asymmetry(x), rel=1e-9)
    # The mean of 5 unrelated values misses the next by sqrt(1 + 1/5) standard deviations.
    noise = np.random.default_rng(0).normal(size=2000)
    assert dl.prediction_error(noise) == pytest.approx(np.sqrt(1.2), abs=0.06)
