"""Ends of intervals in which a measured rate is below zero: exact without noise, and within their errors with it."""

import math

import numpy as np
import pytest
from scipy.stats import t

from dynlab.synchrony.edges import bend, stable_intervals


def test_without_noise_ends_are_where_the_lines_cross():
    x = np.array([0.0, 1.0, 3.0, 4.0, 6.0])
    found = stable_intervals(x, np.array([1.0, -1.0, -2.0, 2.0, -2.0]), np.zeros(5))
    np.testing.assert_allclose(found.intervals, [[0.5, 3.5], [5.0, 6.0]], atol=1e-15)
    assert (found.errors[0] == 0).all()
    assert found.errors[1].tolist() == [0.0, np.inf]


def test_what_is_not_known_ends_an_interval():
    rates = np.array([-1.0, -1.0, np.nan, -1.0, 1.0])
    found = stable_intervals(np.arange(5.0), rates, np.full(5, 0.1))
    np.testing.assert_allclose(found.intervals, [[0, 1], [3, 3.5]])
    np.testing.assert_allclose(found.errors, [[np.inf, np.inf], [np.inf, 0.05]])


@pytest.mark.parametrize(
    "rates", [[0.1, -0.1, 0.1, -0.1, 0.1], [0.0, 0.0, 0.0, 0.0, 0.0], [1.0, 0.5, -0.1, 0.5, 1.0]]
)
def test_noise_about_zero_makes_no_interval(rates):
    assert stable_intervals(np.arange(5.0), np.array(rates), np.full(5, 0.2)).intervals.size == 0


def test_noise_about_zero_splits_no_interval_and_ends_it_once():
    rates = np.array([1.0, 0.1, -0.1, 0.1, -1.0, 0.1, -1.0, 1.0])
    found = stable_intervals(np.arange(8.0), rates, np.full(8, 0.2))
    assert found.intervals.shape == (1, 2)
    # The lines cross three times between 1 and 4; of these the middle.
    assert 1 < found.intervals[0, 0] < 4
    assert found.errors[0, 0] > 1


def test_ends_lie_within_their_errors_as_often_as_stated():
    """1000 noisy curves (x - 1)(x - 3) with bent lines: 95 % or more; not much more, as errors would be too large."""
    rng, x, off = np.random.default_rng(3), np.linspace(0, 4, 23), []
    curve = (x - 1) * (x - 3)
    for _ in range(1000):
        parts = curve + rng.normal(0, 0.3, (32, 23))
        reach = t.ppf(0.975, 31) * parts.std(axis=0, ddof=1) / math.sqrt(32)
        rates = parts.mean(axis=0)
        found = stable_intervals(x, rates, reach + bend(x, rates))
        assert found.intervals.shape == (1, 2)
        off.append((found.intervals[0] - [1, 3]) / found.errors[0])
    held = np.mean(np.abs(off) < 1)
    assert held > 0.95 - 4 * math.sqrt(0.95 * 0.05 / 2000)
    assert np.std(off) > 0.25
    assert np.abs(off).max() < 2.5


def test_bends_are_those_of_a_parabola():
    x = np.linspace(0, 1, 11)
    np.testing.assert_allclose(bend(x, 3 * x**2), 3 * 0.1**2 / 4, rtol=1e-9)  # (h/2)^2 of 3 x^2
    np.testing.assert_allclose(bend(x, np.stack([x, 2 * x])), 0, atol=1e-15)
