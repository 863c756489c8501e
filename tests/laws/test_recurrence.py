"""Recurrence quantification: what must hold for every series, and what chance gives."""

from itertools import groupby

import numpy as np
import pytest
from scipy.integrate import quad

import dynlab as dl
from dynlab import zoo

RADIUS = 0.1
#: Two uniform numbers are within the radius of each other with this probability.
P = 2 * RADIUS - RADIUS**2


def lines(row):
    return [len(list(group)) for value, group in groupby(row) if value]


def by_matrix(points, radius, window):
    """The lines of the whole plot, from its definition."""
    close = np.abs(points[:, None] - points[None]).max(axis=2) <= radius
    i, j = np.indices(close.shape)
    close &= np.abs(i - j) > window
    diagonals = [n for lag in range(1, len(close) - 1) for n in lines(np.diagonal(close, lag))]
    return diagonals, [n for column in close.T for n in lines(column)], close


@pytest.mark.parametrize("window", [0, 3])
def test_lines_are_those_of_the_plot(window):
    points = np.cumsum(np.random.default_rng(4).normal(size=(150, 2)), axis=0)
    found = dl.recurrence_quantification(points, radius=1.5, window=window)
    diagonals, verticals, close = by_matrix(points, 1.5, window)
    expected = np.bincount(diagonals, minlength=found.diagonals.shape[1])
    # Every line counts in the stretches of both times at which it begins.
    np.testing.assert_array_equal(found.diagonals.sum(0), 2 * expected)
    np.testing.assert_array_equal(found.verticals.sum(0), 2 * np.bincount(verticals))
    pairs = np.sum(np.abs(np.subtract.outer(np.arange(150), np.arange(150))) > window)
    assert found.rate.value == pytest.approx(close.sum() / pairs, rel=1e-12)
    long = [n for n in diagonals if n >= 2]
    assert found.determinism.value == pytest.approx(sum(long) / sum(diagonals), rel=1e-12)
    assert found.mean_diagonal.value == pytest.approx(np.mean(long), rel=1e-12)
    assert found.longest_diagonal == max(diagonals)
    shares = np.unique(long, return_counts=True)[1] / len(long)
    assert found.diagonal_entropy.value == pytest.approx(-np.sum(shares * np.log(shares)))
    assert found.trapping_time.value == pytest.approx(np.mean([n for n in verticals if n >= 2]))


def test_a_periodic_series_is_deterministic():
    """Period 5: every fifth diagonal is one line from edge to edge, and no vertical line begins."""
    x = np.tile([0.0, 1.0, 3.0, 2.0, 5.0], 80)
    found = dl.recurrence_quantification(x, radius=0.5)
    assert found.determinism.value == 1.0
    assert found.determinism.standard_error == 0.0
    assert found.laminarity.value == 0.0
    assert found.longest_diagonal == 395
    assert found.rate.value == pytest.approx(79 / 399, rel=1e-12)


def test_white_noise_is_what_chance_gives():
    """Along a diagonal pairs are independent, so lengths are geometric; up a column they share a point."""
    x = np.random.default_rng(7).random(3000)
    found = dl.recurrence_quantification(x, radius=RADIUS)

    def near(y):
        return min(y + RADIUS, 1.0) - max(y - RADIUS, 0.0)

    isolated = quad(lambda y: near(y) * (1 - near(y)) ** 2, 0, 1, points=(RADIUS, 1 - RADIUS))[0]
    expected = {
        "rate": P,
        "determinism": 1 - (1 - P) ** 2,
        "mean_diagonal": 2 + P / (1 - P),
        "diagonal_entropy": -np.log(1 - P) - P / (1 - P) * np.log(P),
        "laminarity": 1 - isolated / P,
    }
    for name, value in expected.items():
        measured = getattr(found, name)
        assert abs(measured.value - value) < 3.5 * measured.standard_error, name
        assert measured.standard_error < 0.04 * value, name


def test_the_error_is_what_another_series_changes():
    """Over 40 series; the scatter is known to 11 per cent, so a factor of 1.5 is beyond chance."""
    found = [
        dl.recurrence_quantification(np.random.default_rng(seed).random(300), radius=RADIUS)
        for seed in range(40)
    ]
    for name in ("rate", "determinism", "laminarity"):
        scatter = np.std([getattr(each, name).value for each in found])
        stated = np.mean([getattr(each, name).standard_error for each in found])
        assert 1 / 1.5 < stated / scatter < 2.0, name


def test_time_backwards_and_another_unit_change_nothing():
    x = dl.iterate(zoo.henon, duration=800).values
    forward, backward = (dl.recurrence_quantification(v, radius=0.25) for v in (x, x[::-1]))
    scaled = dl.recurrence_quantification(2 * x, radius=0.5)
    np.testing.assert_array_equal(forward.diagonals.sum(0), backward.diagonals.sum(0))
    np.testing.assert_array_equal(forward.verticals.sum(0), backward.verticals.sum(0))
    np.testing.assert_array_equal(forward.diagonals, scaled.diagonals)


def test_the_radius_for_a_rate():
    """Without a radius one pair in twenty recurs."""
    found = dl.recurrence_quantification(np.random.default_rng(0).normal(size=(1000, 2)))
    assert found.rate.value == pytest.approx(0.05, abs=3 * found.rate.standard_error)
    chaos = dl.recurrence_quantification(dl.iterate(zoo.henon, duration=1500))
    assert chaos.determinism.value > 3 * found.determinism.value


def test_number_of_threads_changes_nothing():
    x = np.random.default_rng(0).random(500)
    with dl.threads(1):
        one = dl.recurrence_quantification(x, radius=RADIUS)
    with dl.threads(3):
        three = dl.recurrence_quantification(x, radius=RADIUS)
    np.testing.assert_array_equal(one.diagonals, three.diagonals)


def test_asked_to_stop_it_keeps_what_it_has():
    with dl.stop_after(0.05):
        found = dl.recurrence_quantification(np.random.default_rng(0).random(20_000), radius=RADIUS)
    assert found.status is dl.Status.STOPPED
    assert np.isnan(found.rate.value)
