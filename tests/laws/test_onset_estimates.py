"""Estimates of an onset from two sizes keep their word where the truth is known: by draws from laws of scaling."""

import math

import numpy as np
import pytest
import scipy.stats

import dynlab as dl
from dynlab.synchrony.finite_size import crossing, extrapolation, left_out


def fits(hits, total):
    """Whether a count of hits fits a chance of 95 %: within 4 standard deviations."""
    return abs(hits / total - 0.95) < 4 * math.sqrt(0.95 * 0.05 / total)


@pytest.mark.parametrize(("draws", "sizes"), [(4, (100, 400)), (8, (100, 400)), (30, (400, 1600))])
def test_intervals_of_a_crossing_cover_it(draws, sizes):
    """r^2 = N^(-2/5) F((K - 1) N^(2/5)) with a factor of its own for each draw, as large as seen in swarms of 400."""
    rng, values, hits = np.random.default_rng(5), np.linspace(0.7, 1.3, 17), 0
    for _ in range(400):
        r = np.empty((draws, 2, 17))
        for k, n in enumerate(sizes):
            rise = np.logaddexp(0, (values - 1) * n**0.4) + 0.4
            factor = np.exp(rng.normal(0, 0.5, (draws, 1)) + rng.normal(0, 0.01, (draws, 17)))
            r[:, k] = np.sqrt(n**-0.4 * rise * factor)
        value, low, high = crossing(values, sizes, r)
        assert math.isnan(value) or low <= value <= high
        hits += low <= 1 <= high
    assert fits(hits, 400)


@pytest.mark.parametrize(
    ("density", "draws"),
    [(dl.Gaussian(0, 1), 4), (dl.Gaussian(0, 1), 10), (dl.Lorentzian(0, 1), 6)],
)
def test_intervals_of_an_extrapolation_cover_it(density, draws):
    """The order of theory, with 1/N and noise of 1/N added; for Lorentzians the polynomial is the smaller worry."""
    rng, hits = np.random.default_rng(6), 0
    onset = dl.synchrony_onset(density).value
    values = onset * np.linspace(1.0, 1.4, 17)
    order = dl.mean_field_synchrony(density, couplings=values).r
    for _ in range(200):
        r = np.stack([order + 0.3 / n + rng.normal(0, 0.4 / n, (draws, 17)) for n in (100, 400)], 1)
        value, low, high = extrapolation(values, (100, 400), r)
        assert low < value < high
        hits += low <= onset <= high
    assert hits / 200 > 0.95 - 4 * math.sqrt(0.95 * 0.05 / 200)


def test_without_noise_the_onset_comes_back():
    """Up to what a polynomial of degree four leaves out (5e-5 of a Gaussian), which the interval knows."""
    onset = dl.synchrony_onset(dl.Gaussian(0, 1)).value
    values = onset * np.linspace(1.02, 1.4, 17)
    order = dl.mean_field_synchrony(dl.Gaussian(0, 1), couplings=values).r
    r = np.stack([order + 0.3 / n for n in (100, 400)])[None].repeat(3, axis=0)
    value, low, high = extrapolation(values, (100, 400), r)
    assert value == pytest.approx(onset, rel=1e-4)
    assert low < onset < high


def test_what_the_law_leaves_out_is_as_much_as_was_measured():
    """Pooled over 400 draws crossings of Lorentzians of 50 and 200 lie 4.7 +- 1.7 % above, of Gaussians of 100 and 400 1 %."""
    assert left_out((50, 200), dl.Lorentzian(2, 0.5)) == pytest.approx(0.052, abs=1e-3)
    assert left_out((100, 400), dl.Gaussian(3, 2)) == pytest.approx(0.0103, abs=1e-4)
    assert left_out((100, 400), scipy.stats.norm(3, 2)) == left_out((100, 400), dl.Gaussian())


def test_what_is_not_bounded_is_said_to_be_open():
    values = np.linspace(0.7, 1.3, 7)
    smooth = np.sqrt([n**-0.4 * np.exp((values - 1) * n**0.4) for n in (100, 400)])
    spread = np.exp([[-1.0], [0.2], [1.0]])
    loose = crossing(values, (100, 400), np.stack([smooth, smooth, smooth]) * spread[:, :, None])
    assert loose.value == pytest.approx(1, abs=0.05)
    assert (loose.low, loose.high) == (-math.inf, math.inf)
    never = crossing(values, (100, 400), np.full((3, 2, 7), 0.1))
    assert math.isnan(never.value)
    assert math.isnan(extrapolation(values, (100, 400), np.full((3, 2, 7), 0.1)).value)
