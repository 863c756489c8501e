"""Dimensions against sets whose dimension is known, and published values of attractors."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.distance import pdist

import dynlab as dl
from dynlab import zoo

FUNCTIONS = {
    "D2": lambda points: dl.correlation_dimension(points, window=0),
    "D1": dl.information_dimension,
    "D0": dl.box_dimension,
}


def line(count, rng):
    return rng.random(count)


def square(count, rng):
    return rng.random((count, 2))


def tilted_line(count, rng):
    s = rng.random(count)
    return np.column_stack([s, 0.3 * s, -0.7 * s])


def cantor(count, rng):
    """Middle thirds left out: numbers without the digit 1 in base 3."""
    return 2 * rng.integers(0, 2, (count, 32)) @ 3.0 ** -np.arange(1, 33)


SETS = {line: 1, square: 2, tilted_line: 1, cantor: np.log(2) / np.log(3)}


@pytest.mark.parametrize("order", FUNCTIONS)
@pytest.mark.parametrize("points", SETS, ids=lambda points: points.__name__)
def test_sets_of_known_dimension(points, order):
    """On homogeneous sets all three agree; three standard errors are missed once in 370 times."""
    found = FUNCTIONS[order](points(10_000, np.random.default_rng(1)))
    assert found.status.ok
    assert abs(found.value - SETS[points]) < 3 * found.standard_error
    assert found.standard_error < 0.04 * SETS[points]


@pytest.mark.parametrize(("points", "count"), [(square, 3000), (line, 1500)])
def test_the_statistical_error_is_what_another_sample_changes(points, count):
    """Not below the scatter over 32 samples, which is itself known to 13 per cent.

    It may be up to twice as large: both ends of a pair vary, the jackknife leaves out one, and where the
    density is even the ends add nothing.
    """
    found = [
        dl.correlation_dimension(points(count, np.random.default_rng(seed)), window=0)
        for seed in range(32)
    ]
    scatter = np.std([dimension.value for dimension in found])
    stated = np.mean([dimension.scaling.statistical_error for dimension in found])
    assert 0.7 < stated / scatter < 2.6


def test_the_correlation_sum_counts_pairs():
    """Every value is the share of the pairs that scipy finds below the radius."""
    points = np.random.default_rng(2).normal(size=(600, 3))
    found = dl.correlation_dimension(points, window=0)
    near = np.array([np.mean(pdist(points, "chebyshev") < r) for r in found.sizes])
    np.testing.assert_allclose(np.exp(found.curve), near, rtol=1e-12)


def test_pairs_near_in_time_are_left_out():
    points = np.random.default_rng(2).normal(size=(600, 2))
    found = dl.correlation_dimension(points, window=7)
    i, j = np.triu_indices(600, 8)
    apart = np.abs(points[i] - points[j]).max(axis=1)
    near = [np.mean(apart < r) for r in found.sizes]
    np.testing.assert_allclose(np.exp(found.curve), near, rtol=1e-12)


def test_takens_agrees_where_there_is_no_lacunarity():
    found = dl.correlation_dimension(square(8000, np.random.default_rng(3)), window=0)
    # C(r) of a square of side 1 is (2 r - r^2)^2: below r0 the slope is 2 to within r0.
    assert abs(found.takens.value - 2) < 3 * found.takens.standard_error + found.scaling_range[1]


def test_box_dimensions_do_not_see_linear_changes():
    """Boxes have the range of the points, so scales and offsets (powers of 2: exact) change nothing."""
    points = dl.iterate(zoo.henon, duration=5000).after(100).values
    first = dl.information_dimension(points)
    second = dl.information_dimension(points * [4.0, 0.5])
    assert first.value == second.value
    np.testing.assert_array_equal(first.curve, second.curve)


def test_henon():
    """Sprott, Common Chaotic Systems (1998): D2 = 1.220(36); Kaplan-Yorke 1.25827, which D1 should be."""
    run = dl.iterate(zoo.henon, duration=20_000).after(100)
    two, one, zero = (
        f(run) for f in (dl.correlation_dimension, dl.information_dimension, dl.box_dimension)
    )
    assert abs(two.value - 1.220) < 2 * np.hypot(two.standard_error, 0.036)
    assert abs(one.value - 1.25827) < 3 * one.standard_error
    assert max(found.standard_error for found in (zero, one, two)) < 0.1


def test_lorenz():
    """Sprott: D2 = 2.068(86), and 2.055(4) elsewhere on his pages.

    Over 16 starts the values scatter by 0.03; their errors, from 0.06 to 0.15, also hold what a straight range hides.
    """
    run = dl.integrate(zoo.lorenz, duration=1000).after(20)
    found = dl.correlation_dimension(run, every=0.1)
    assert abs(found.value - 2.055) < min(3 * found.standard_error, 0.18)
    assert found.standard_error < 0.3
    embedded = dl.delay_embedding(run, of="x", every=0.1, delay=0.2, dimension=3)
    again = dl.correlation_dimension(embedded)
    assert abs(again.value - 2.055) < min(3 * again.standard_error, 0.18)
    assert again.standard_error < 0.3


def test_without_a_window_an_orbit_looks_like_a_line():
    """The trap that Theiler's window avoids: between two corners a finely sampled path is a line."""
    corners = np.random.default_rng(0).random((160, 5))
    path = np.vstack([np.linspace(a, b, 50) for a, b in pairwise(corners)])
    naive, careful = (dl.correlation_dimension(path, window=w) for w in (0, 50))
    assert naive.value < 2
    assert not careful.status.ok or careful.value > 3


def test_standard_map():
    """Sprott: D2 = 1.954(77) in the chaotic layer at K = 1; the coordinates are angles."""
    run = dl.iterate(zoo.standard_map(K=1), start={"theta": 0.0, "p": 6.0}, duration=10_000)
    found = dl.correlation_dimension(run)
    assert abs(found.value - 1.954) < 2 * np.hypot(found.standard_error, 0.077)


def test_no_range_no_number():
    """Eight coordinates of noise need far more than 500 points."""
    found = dl.correlation_dimension(np.random.default_rng(0).normal(size=(500, 8)), window=0)
    assert found.status is dl.Status.NO_SCALING_RANGE
    assert np.isnan([found.value, found.standard_error, *found.scaling_range]).all()
    assert found.takens is None
    assert "no scaling range" in repr(found)
