"""Delay, dimension and points of an embedding."""

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo


def autoregressive(count, share, seed):
    rng = np.random.default_rng(seed)
    x = np.empty(count)
    x[0] = rng.normal()
    for k, kick in enumerate(rng.normal(size=count - 1) * np.sqrt(1 - share**2)):
        x[k + 1] = share * x[k] + kick
    return x


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_mutual_information_of_gaussian_noise(share):
    """-1/2 ln(1 - rho^2) with rho = share^lag."""
    found = dl.mutual_information(autoregressive(4000, share, 3), longest=6)
    exact = -0.5 * np.log(1 - share ** (2 * found.lags))
    z = (found.values - exact) / found.standard_errors
    assert np.abs(z).max() < 3.5
    assert found.standard_errors.max() < 0.04


def test_it_does_not_see_monotone_changes():
    x = autoregressive(1000, 0.8, 1)
    first, second = (dl.mutual_information(v, longest=5) for v in (x, np.exp(x)))
    np.testing.assert_array_equal(first.values, second.values)


def test_rounded_data_are_no_special_case():
    x = autoregressive(4000, 0.9, 2)
    fine, rounded = (dl.mutual_information(v, longest=3) for v in (x, np.round(x, 1)))
    np.testing.assert_allclose(fine.values, rounded.values, atol=0.06)


def test_the_delay_of_a_wave_is_a_quarter_of_its_period():
    t = 0.1 * np.arange(4000)
    wave = np.sin(t) + 0.05 * np.random.default_rng(0).normal(size=len(t))
    found = dl.mutual_information(wave, every=0.1, longest=4)
    assert abs(found.delay - np.pi / 2) < np.pi / 8  # the minimum is flat


@pytest.mark.parametrize(
    ("data", "settings", "dimension"),
    [
        (lambda: dl.iterate(zoo.henon, duration=3000), {}, 2),
        (
            lambda: dl.integrate(zoo.lorenz, duration=300).after(20),
            {"every": 0.04, "delay": 0.16},
            3,
        ),
    ],
    ids=["henon", "lorenz"],
)
def test_dimension(data, settings, dimension):
    """Cao 1997, figures 1 and 3."""
    found = dl.embedding_dimension(data(), of="x", **settings)
    assert found.status.ok
    assert found.value == dimension


def test_noise_is_not_embedded():
    noise = np.random.default_rng(0).normal(size=1000)
    found = dl.embedding_dimension(noise, delay=1, largest=6)
    assert found.status is dl.Status.UNDECIDED
    assert np.abs(found.E2 - 1).max() < 0.1
    with pytest.raises(dl.NotConverged, match="E2 does not tell the data from noise") as caught:
        dl.delay_embedding(noise, delay=1)
    assert caught.value.partial.status is dl.Status.UNDECIDED


def test_points_are_the_series_later():
    x = np.random.default_rng(0).random(300)
    found = dl.delay_embedding(x, every=0.5, dimension=3, delay=2.0)
    np.testing.assert_array_equal(found.points[10], x[[10, 14, 18]])
    assert found.points.shape == (292, 3)
    assert list(found.to_table()) == ["x(t)", "x(t + 2)", "x(t + 4)"]


def test_everything_chosen_from_the_data():
    run = dl.integrate(zoo.lorenz, duration=200).after(20)
    found = dl.delay_embedding(run, of="x", every=0.04)
    assert found.dimension == 3
    assert 0.1 < found.delay < 0.25
