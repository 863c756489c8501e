"""The exponent of infinitely many random units: against its limits, other forms of the theory and networks."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

import dynlab as dl
from dynlab import zoo

GAINS = pytest.mark.parametrize("gain", [1.01, 1.5, 2.0, 4.0])


def gaussian(function, *scales):
    """Average over independent normal numbers, by Gauss and Hermite with 150 nodes each."""
    z, weight = np.polynomial.hermite_e.hermegauss(150)
    weight = weight / weight.sum()
    if len(scales) == 1:
        return weight @ function(scales[0] * z)
    own, common = scales
    return weight @ (weight @ function(own * z[:, None] + common * z[None, :])) ** 2


@GAINS
def test_the_variance_has_the_energy_of_rest(gain):
    """With the integral log cosh of tanh, as Sompolinsky, Crisanti and Sommers write the potential."""
    found = dl.mean_field_exponent(gain)
    mean = gaussian(lambda x: np.log(np.cosh(x)), np.sqrt(found.variance))
    square = gaussian(lambda x: np.log(np.cosh(x)) ** 2, np.sqrt(found.variance))
    kinetic_free = gain**2 * (square - mean**2)
    # Hermite's nodes are good to 5e-6 at the largest gain.
    assert found.variance**2 / 2 == pytest.approx(kinetic_free, rel=1e-5)


@GAINS
def test_the_autocorrelation_moves_in_the_potential(gain):
    found = dl.mean_field_exponent(gain)
    D = CubicSpline(found.delays, found.autocorrelation)
    tau = found.delays[5:40:5]
    for t in tau:
        c = D(t) / found.variance
        rates = gaussian(np.tanh, *np.sqrt(found.variance * np.array([1 - c, c])))
        force = D(t) - gain**2 * rates
        # The second derivative of the spline errs by the square of its step, 1e-2 in u.
        assert D(t, 2) == pytest.approx(force, abs=2e-2 * (gain - 1) ** 2 * found.variance)


def test_next_to_the_onset_it_grows_with_the_square():
    for above in (1e-3, 1e-2):
        ratio = dl.mean_field_exponent(1 + above).value / above**2
        assert ratio == pytest.approx(0.5, rel=5 * above)


@pytest.mark.parametrize(("gain", "most"), [(1.5, 1e-9), (2.0, 1e-8), (4.0, 1e-5), (10.0, 1e-3)])
def test_the_shift_of_time_is_a_solution_without_energy(gain, most):
    found = dl.mean_field_exponent(gain)
    assert found.defect < most
    assert found.autocorrelation[0] == found.variance
    assert np.all(np.diff(found.autocorrelation) < 0)
    assert np.all(np.diff(found.delays) > 0)


def test_below_the_onset_the_network_rests():
    found = dl.mean_field_exponent(0.8)
    assert (found.value, found.variance, found.delays.size) == (pytest.approx(-0.2), 0.0, 0)
    assert dl.mean_field_exponent(1.0).value == 0.0


def test_a_network_of_200_is_near():
    """The scatter from network to network is about 0.04 at this size."""
    exponents = []
    for seed in range(2):
        weights = np.random.default_rng(seed).normal(size=(200, 200)) / np.sqrt(200)
        network = zoo.rate_network.on(weights)(g=3.0).draw(x=dl.Gaussian(0, 1), seed=seed)
        exponents.append(dl.lyapunov_exponent(network, duration=60, transient=30, seed=seed).value)
    assert np.mean(exponents) == pytest.approx(dl.mean_field_exponent(3.0).value, abs=0.1)


def test_it_is_saved_and_drawn(tmp_path):
    found = dl.mean_field_exponent(1.5)
    again = dl.load(found.save(tmp_path / "theory"))
    assert (again.value, again.variance) == (found.value, found.variance)
    assert np.array_equal(again.to_table()["autocorrelation"], found.autocorrelation)
    ax = found.plot()
    assert ax.get_xlabel()
    assert "1.5" in repr(found)


@pytest.mark.parametrize("gain", [-1.0, 1.00001, 11.0])
def test_a_gain_without_a_theory_is_refused(gain):
    with pytest.raises(dl.SettingError, match="gain is"):
        dl.mean_field_exponent(gain)
