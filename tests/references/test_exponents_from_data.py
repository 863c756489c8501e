"""Exponents from data, and the 0-1 test, against systems whose answer is known."""

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.chaos.series.zero_one import _correlation

METHODS = [dl.Rosenstein(), dl.Kantz()]


def logistic_4(count):
    """An orbit of x -> 4 x (1 - x) that is not absorbed at 0 by rounding.

    x = sin^2(pi theta) with theta -> 2 theta mod 1, in whole numbers over an odd one.
    """
    numerator, denominator = 123_456_789_012_345, 10**15 + 37
    angles = []
    for _ in range(count):
        angles.append(numerator / denominator)
        numerator = 2 * numerator % denominator
    return np.sin(np.pi * np.array(angles)) ** 2


@pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)
def test_logistic_map_has_exponent_ln_2(method):
    found = dl.exponent_from_data(logistic_4(6000), method=method)
    assert abs(found.value - np.log(2)) < 3 * found.standard_error
    assert found.standard_error < 0.03


@pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)
def test_henon_map(method):
    """0.41922 (Sprott, Common Chaotic Systems 1998), from both states and from delays of one."""
    run = dl.iterate(zoo.henon, duration=5000)
    for data in (run, dl.delay_embedding(run, of="x", dimension=2)):
        found = dl.exponent_from_data(data, method=method)
        assert abs(found.value - 0.41922) < 3 * found.standard_error
        assert found.standard_error < 0.05


def test_lorenz():
    """0.9056 (Sprott); an estimate from data is good to a tenth."""
    run = dl.integrate(zoo.lorenz, duration=400).after(20)
    embedded = dl.delay_embedding(run, of="x", every=0.04, delay=0.16, dimension=3)
    found = dl.exponent_from_data(embedded)
    assert abs(found.value - 0.9056) < 3 * found.standard_error
    assert found.standard_error < 0.15


def test_two_frequencies_do_not_come_apart():
    t = np.arange(4000)
    wave = np.cos(0.1 * t) + np.cos(0.1 * np.sqrt(2) * t)
    found = dl.exponent_from_data(dl.delay_embedding(wave, dimension=4, delay=12))
    assert abs(found.value) < max(3 * found.standard_error, 1e-3)
    assert found.status.ok


def test_noise_has_no_exponent():
    found = dl.exponent_from_data(np.random.default_rng(1).normal(size=3000))
    assert found.status is dl.Status.NO_SCALING_RANGE
    assert np.isnan(found.value)
    assert np.isnan(found.standard_error)


def test_units_of_time_and_space():
    """Per unit of time; a scale and an offset of x change nothing (powers of 2 are exact)."""
    x = logistic_4(3000)
    one, slow, large = (
        dl.exponent_from_data(x),
        dl.exponent_from_data(x, every=4.0),
        dl.exponent_from_data(8.0 * x),
    )
    assert slow.value == pytest.approx(one.value / 4, rel=1e-12)
    assert slow.scaling_range[1] == 4 * one.scaling_range[1]
    assert large.value == pytest.approx(one.value, rel=1e-9)


def test_an_orbit_that_repeats_itself_exactly_has_no_neighbours_to_follow():
    x = np.tile([0.1, 0.5, 0.9, 0.4], 200)
    for method in METHODS:
        found = dl.exponent_from_data(x, method=method)
        assert not found.status.ok
        assert np.isnan(found.value)


# The 0-1 test


@pytest.mark.parametrize(
    ("r", "verdict"), [(3.55, "regular"), (3.83, "regular"), (3.97, "chaotic"), (3.6, "chaotic")]
)
def test_zero_one_test_of_the_logistic_map(r, verdict):
    """Gottwald and Melbourne 2009, section 4.1; 3.83 lies in the window of period 3."""
    found = dl.zero_one_test(dl.iterate(zoo.logistic(r=r), duration=4000).after(1000), of="x")
    assert str(found.verdict) == verdict
    assert found.decision_error < 0.02


def test_zero_one_test_of_quasiperiodic_motion():
    n = np.arange(4000)
    found = dl.zero_one_test(np.cos(2 * np.pi * 0.618034 * n) + np.cos(1.7 * n))
    assert str(found.verdict) == "regular"
    assert abs(found.value) < 0.05


def test_zero_one_test_is_not_fooled_by_fine_sampling():
    run = dl.integrate(zoo.lorenz, duration=400).after(20)
    fine, coarse = (dl.zero_one_test(run, of="x", every=every) for every in (0.02, 0.08))
    assert [str(found.verdict) for found in (fine, coarse)] == ["chaotic", "chaotic"]
    assert fine.every > 0.2


def test_displacement_by_transform_is_that_of_the_definition():
    x = np.random.default_rng(0).normal(size=600)
    for angle in (0.8, 1.9):
        j = np.arange(1, 601)
        p, q = np.cumsum(x * np.cos(j * angle)), np.cumsum(x * np.sin(j * angle))
        n = np.arange(1, 61)
        moved = [
            np.mean((p[k : k + 540] - p[:540]) ** 2 + (q[k : k + 540] - q[:540]) ** 2) for k in n
        ]
        assert _correlation(x, angle) == pytest.approx(np.corrcoef(n, moved)[0, 1], abs=1e-10)
