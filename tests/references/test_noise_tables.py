"""Rows of tables of noisy systems that no other test holds: sizes of errors on given cells, and values to their digits.

Values by mpmath quadrature at 18 to 30 digits; [G] Gardiner, Handbook of Stochastic Methods; [Br] Brunel 2000, J. Comput. Neurosci. 8, 183.
"""

import numpy as np
import pytest
import scipy.sparse.linalg as sparse_linalg

import dynlab as dl
from dynlab.kernels import fluxes
from dynlab.stochastic.generator.coefficients import coefficients_of
from dynlab.stochastic.generator.generator import Generator


@dl.flow
def well(x=-1.0):
    return {x: x - x**3}


@dl.flow
def decay(x=1.0):
    return {x: -x}


@dl.flow
def pull(x: dl.Positive = 1.0, *, k=1.0, th=1.0):
    return {x: k * (th - x)}


@pull.with_noise(dl.Ito)
def cox(x, *, s=0.5):
    return {x: s * dl.sqrt(x)}


@dl.flow
def leaky(v=0.0, *, mu=15.0, tau=20.0):
    return {v: (mu - v) / tau}


COLD = well.with_noise(x=0.2**0.5)  # D = 0.1


def test_the_gap_errs_by_what_exponential_fitting_errs():
    """4.0e-3, 1.0e-3, 2.5e-4 and 6.3e-5 on 64 to 512 cells of [-2.8, 2.8], and 9e-9 after one step of Richardson's."""
    exact, found = 0.0335452873080006, []
    for cells in (64, 128, 256, 512):
        rates = np.empty(2)
        chain = Generator.of(coefficients_of(COLD), dl.Grid(x=(-2.8, 2.8, cells))).chain
        fluxes.slowest_rates(*chain, rates)
        found.append(rates[1])
    assert np.array(found) / exact - 1 == pytest.approx([4.0e-3, 1.0e-3, 2.5e-4, 6.3e-5], rel=0.02)
    assert (4 * found[3] - found[2]) / 3 / exact - 1 == pytest.approx(9e-9, abs=2e-9)


def test_the_time_to_the_top_errs_by_as_much():
    """-5.2e-4, -1.3e-4 and -8.2e-6 for cells of 1/32, 1/64 and 1/256; their middles lie beside -1, so a tenth is allowed."""
    errors = []
    for m in (32, 64, 256):
        grid = dl.Grid(x=(-3, 0, 3 * m)).with_walls(x=(dl.Reflecting(), dl.Absorbing()))
        generator = Generator.of(coefficients_of(COLD), grid)
        times = sparse_linalg.spsolve((-generator.matrix.T).tocsc(), np.ones(grid.size))
        errors.append(np.interp(-1, grid.centres("x"), times) / 30.821302472666 - 1)
    assert errors == pytest.approx([-5.2e-4, -1.3e-4, -8.2e-6], rel=0.1)


@pytest.mark.parametrize(
    ("reading", "top", "variance"),
    [(dl.Ito, 1.164104726615, 1 / 7), (dl.Stratonovich, 1.09375, 1 / 6)],
)
def test_the_height_of_a_density_is_that_of_its_reading(reading, top, variance):
    """dX = -X dt + sqrt(1 + X^2) / 2 dW [G]."""

    @decay.with_noise(reading)
    def spread(x, *, s=0.5):
        return {x: s * dl.sqrt(1 + x**2)}

    density = dl.stationary_density(spread)
    x = density["x"]
    middle = density.values[np.argmin(np.abs(x))] * (1 + x[np.argmin(np.abs(x))] ** 2) ** (
        5.0 if reading is dl.Ito else 4.5
    )
    assert middle == pytest.approx(top, rel=1e-9)
    assert density.variance("x") == pytest.approx(variance, rel=1e-9)


@pytest.mark.parametrize(
    ("k", "th", "s", "mean", "variance"),
    [
        (1.0, 1.0, 0.5, 0.74248439117999, 0.0673878619568282),
        (2.0, 0.5, 1.0, 0.472932943352677, 0.11100858070412),
    ],
)
def test_the_square_root_process_moves_as_known(k, th, s, mean, variance):
    """From 0.3 to t = 1, in second order; at rest a Gamma density of shape 2 k th / s^2 and scale s^2 / 2k."""
    system, errors = cox(k=k, th=th, s=s), []
    for cells in (200, 400):
        run = dl.evolve_density(system, start={"x": 0.3}, at=[1.0], grid=dl.Grid(x=(0, 6, cells)))
        errors.append([run.mean("x")[0] / mean - 1, run.variance("x")[0] / variance - 1])
    coarse, fine = np.abs(errors)
    assert fine.max() < 4e-3
    assert np.all(fine < coarse / 3 + 1e-9)
    still = dl.stationary_density(system, grid=dl.Grid(x=(0, 6, 400)))
    assert still.mean("x") == pytest.approx(th, rel=2e-3)
    assert still.variance("x") == pytest.approx(th * s**2 / (2 * k), rel=5e-3)


def _rate(system, reset, after, grids):
    """Return the rate of re-injection without the error of second order of the cells."""
    coarse, fine = (
        dl.stationary_density(
            system,
            grid=grid.with_walls(v=(dl.Reflecting(), dl.Reinjected(at=reset, after=after))),
        ).rates["v high"]
        for grid in grids
    )
    return (4 * fine - coarse) / 3


@pytest.mark.parametrize(
    ("mu", "sigma", "rate"), [(25, 5, 47.2174433), (15, 2, 0.12202552), (25, 2, 42.84961379921)]
)
def test_integrate_and_fire_at_weak_and_strong_drive(mu, sigma, rate):  # [Br]
    """Threshold 20, reset 10, 2 ms at rest, tau 20 ms: Hz, over three decades."""
    grids = [dl.Grid(v=(-20, 20, n)) for n in (400, 800)]
    found = _rate(leaky(mu=mu).with_noise(v=sigma / 20**0.5), 10, 2, grids)
    assert 1e3 * found == pytest.approx(rate, rel=1e-4)


@pytest.mark.parametrize(
    ("mu", "D", "rate"), [(0.8, 0.1, 0.371519249128215), (1.2, 0.01, 0.588817056321971)]
)
def test_integrate_and_fire_without_dimensions(mu, D, rate):
    """Threshold 1, reset 0, on cells of 1/100 and 1/200."""
    grids = [dl.Grid(v=(-2, 1, 3 * n)) for n in (100, 200)]
    system = leaky(mu=mu, tau=1.0).with_noise(v=(2 * D) ** 0.5)
    assert _rate(system, 0, 0, grids) == pytest.approx(rate, rel=2e-5)


def test_a_hundred_thousand_paths_have_the_moments_of_ornstein_and_uhlenbeck():
    """th = sigma = x0 = t = 1, in steps that err by nothing: 5 standard errors, 2.1e-3 of the mean and 1.9e-3 of the variance."""
    x = dl.ensemble(
        decay.with_noise(x=1.0), duration=1, size=100_000, method=dl.ExactLinear(step=0.25), seed=1
    )["x"]
    assert x.mean() == pytest.approx(np.exp(-1), abs=5 * 2.1e-3)
    assert x.var() == pytest.approx(0.432332358381694, abs=5 * 1.9e-3)
