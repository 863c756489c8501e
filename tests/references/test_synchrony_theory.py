"""Onset and order of infinitely many oscillators: closed forms, mpmath, and values of print."""

import mpmath
import numpy as np
import pytest
import scipy.stats
from scipy.special import ive

import dynlab as dl

GAUSSIAN_ONSET = np.sqrt(8 / np.pi)


@pytest.mark.parametrize(
    ("density", "given", "value"),
    [
        (dl.Gaussian(0, 1), {}, GAUSSIAN_ONSET),
        (dl.Gaussian(3, 0.5), {}, GAUSSIAN_ONSET / 2),
        (scipy.stats.norm(0, 1), {}, GAUSSIAN_ONSET),
        (dl.Lorentzian(0, 0.7), {}, 1.4),
        (dl.Uniform(-1, 1), {}, 4 / np.pi),
        # Sakaguchi and Kuramoto 1986; Sakaguchi 1988.
        (dl.Lorentzian(2, 1), {"lag": 0.7}, 2 / np.cos(0.7)),
        (dl.Lorentzian(0, 1), {"noise": 0.3}, 2.6),
        (dl.Constant(1), {"noise": 0.4}, 0.8),
        (dl.Constant(1), {"noise": 0.4, "lag": 0.5}, 0.8 / np.cos(0.5) ** 2),
        # 2 / int D/(D^2+w^2) g(w) dw = 2 / (sqrt(pi/2) exp(D^2/2) erfc(D/sqrt 2)).
        (dl.Gaussian(0, 1), {"noise": 0.1}, 1.72523494306),
        (dl.Gaussian(0, 1), {"noise": 1.0}, 3.05027055232),
        # Martens et al. 2009: 4 width if the peaks are apart by more than that, else 2 (w^2 + d^2) / d.
        (dl.Mixture((dl.Lorentzian(-1, 0.5), dl.Lorentzian(1, 0.5))), {}, 2.0),
        (dl.Mixture((dl.Lorentzian(-0.4, 0.5), dl.Lorentzian(0.4, 0.5))), {}, 1.64),
    ],
)  # fmt: skip
def test_onset(density, given, value):
    found = dl.synchrony_onset(density, **given)
    assert found.value == pytest.approx(value, rel=2e-11)
    assert found.error < 1e-10


def test_gaussian_noise_by_mpmath():
    D = mpmath.mpf("0.25")
    value = 2 / (
        mpmath.sqrt(mpmath.pi / 2) * mpmath.exp(D**2 / 2) * mpmath.erfc(D / mpmath.sqrt(2))
    )
    assert dl.synchrony_onset(dl.Gaussian(0, 1), noise=0.25).value == pytest.approx(
        float(value), rel=1e-11
    )


def test_growth_beyond_the_onset():
    """r = sqrt(16 / (pi K_c^3)) sqrt(mu / -g''(0)); Lorentzian sqrt(mu/(1+mu)); noise and no spread sqrt(2 mu)."""
    assert dl.synchrony_onset(dl.Gaussian(0, 1)).amplitude == pytest.approx(
        np.sqrt(np.pi), rel=1e-7
    )
    assert dl.synchrony_onset(dl.Lorentzian(0, 2)).amplitude == pytest.approx(1.0, rel=1e-7)
    assert dl.synchrony_onset(dl.Constant(), noise=1).amplitude == pytest.approx(
        np.sqrt(2), rel=1e-6
    )


def test_kinds_of_onset():
    flat = dl.synchrony_onset(dl.Uniform(-1, 1))
    assert flat.jump == pytest.approx(np.pi / 4, abs=1e-6)  # Pazo 2005
    assert np.isnan(flat.amplitude)
    apart = dl.synchrony_onset(dl.Mixture((dl.Lorentzian(-1, 0.5), dl.Lorentzian(1, 0.5))))
    assert apart.frequencies == pytest.approx([-np.sqrt(0.75), np.sqrt(0.75)], rel=1e-9)
    # Subcritical between w = d / sqrt 3 and d.
    assert (
        dl.synchrony_onset(dl.Mixture((dl.Lorentzian(-0.4, 0.5), dl.Lorentzian(0.4, 0.5)))).jump
        > 0.1
    )
    assert (
        dl.synchrony_onset(dl.Mixture((dl.Lorentzian(-0.2, 0.5), dl.Lorentzian(0.2, 0.5)))).jump
        == 0
    )


def test_gaussian_order_by_bessel_functions():
    """1 = K sqrt(pi/8) exp(-k) (I0(k) + I1(k)), k = (K r)^2 / 4."""
    K = GAUSSIAN_ONSET * np.array([1.02, 1.05, 1.1, 1.25, 1.5, 3])
    found = dl.mean_field_synchrony(dl.Gaussian(0, 1), couplings=K)
    k = (K * found.r) ** 2 / 4
    np.testing.assert_allclose(K * np.sqrt(np.pi / 8) * (ive(0, k) + ive(1, k)), 1, rtol=1e-10)
    print_ = [0.245755981, 0.377536482, 0.509949446, 0.712280457, 0.849678204, 0.976203134]
    np.testing.assert_allclose(found.r, print_, atol=1e-9)
    assert dl.mean_field_synchrony(dl.Gaussian(0, 1), couplings=2).r[0] == pytest.approx(
        0.715173956683, abs=1e-10
    )


@pytest.mark.parametrize("lag", [0.0, 0.7])
def test_lorentzian_order_and_rotation(lag):
    width, centre = 0.8, 2.0
    onset = 2 * width / np.cos(lag)
    K = onset * np.array([0.9, 1.001, 1.5, 4.0])
    found = dl.mean_field_synchrony(dl.Lorentzian(centre, width), couplings=K, lag=lag)
    r = np.sqrt(np.maximum(1 - onset / K, 0))
    np.testing.assert_allclose(found.r, r, atol=2e-9)
    rotation = centre - K / 2 * np.sin(lag) * (1 + r**2)
    np.testing.assert_allclose(found.rotation[1:], rotation[1:], atol=2e-9)
    assert np.isnan(found.rotation[0])


def test_uniform_order():
    """All locked above the jump: r = (sqrt(1 - 1/k^2) + k asin(1/k)) / 2, k = K r."""
    found = dl.mean_field_synchrony(dl.Uniform(-1, 1), couplings=[1.2, 4 / np.pi, 1.4, 2])
    np.testing.assert_allclose(found.r[2:], [0.873100897, 0.951894956], atol=1e-9)
    k = found.couplings[2:] * found.r[2:]
    np.testing.assert_allclose(
        found.r[2:], (np.sqrt(1 - k**-2) + k * np.arcsin(1 / k)) / 2, atol=1e-10
    )
    assert found.r[0] == 0
    assert found.r[1] == pytest.approx(np.pi / 4, abs=1e-6)


def test_identical_oscillators_with_noise():
    """r = I1(K r / D) / I0(K r / D)."""
    found = dl.mean_field_synchrony(dl.Constant(), couplings=[1.9, 2.1, 3, 4], noise=1.0)
    expected = [0, 0.303689343805638, 0.724158717626353, 0.831462024754257]
    np.testing.assert_allclose(found.r, expected, atol=1e-9)
    scaled = dl.mean_field_synchrony(dl.Constant(5), couplings=[1.5, 2], noise=0.5)
    np.testing.assert_allclose(scaled.r, expected[2:], atol=1e-9)
    np.testing.assert_allclose(scaled.rotation, 5, atol=1e-12)


def test_two_lorentzian_peaks_by_ott_and_antonsen():
    """Steady states of z' = -(d + i w) z + (K/4) (z + z* - (z + z*) z^2): the two peaks are mirror images."""
    d, w, K = 0.5, 0.4, 1.7
    two = dl.Mixture((dl.Lorentzian(-w, d), dl.Lorentzian(w, d)))
    found = dl.mean_field_synchrony(two, couplings=[K])
    # q = K r; each peak answers with h at the complex frequency w - i d: z = (sqrt(q^2 - s^2) + i s) / q.
    q = K * found.r[0]
    s = w + 1j * d
    z = (np.sqrt(q**2 - s**2 + 0j) + 1j * s) / q
    assert z.real == pytest.approx(found.r[0], abs=1e-9)
    assert found.fold < found.onset < K  # bistable below the onset


@pytest.mark.parametrize("noise", [0.3])
def test_noise_against_the_stationary_density(noise):
    """h by the continued fraction against the mean of exp(i phi) over the density on a fine grid."""
    K, found = 2.5, dl.mean_field_synchrony(dl.Uniform(-1, 1), couplings=[2.5], noise=noise)
    q = K * found.r[0]
    node, weight = np.polynomial.legendre.leggauss(20)
    total = sum(w / 2 * _mean_of_stationary(x, q, noise) for x, w in zip(node, weight, strict=True))
    assert total.real == pytest.approx(found.r[0], abs=1e-9)


def _mean_of_stationary(w, q, D, count=64):
    """Solve (w - q sin phi) p - D p' = const on a periodic spectral grid."""
    n = np.fft.fftfreq(count, 1 / count)
    phi = 2 * np.pi * np.arange(count) / count
    derivative = np.fft.ifft(1j * n[:, None] * np.fft.fft(np.eye(count), axis=0), axis=0).real
    matrix = np.matmul(derivative, np.diag(w - q * np.sin(phi))) - D * np.matmul(
        derivative, derivative
    )
    matrix[0] = 1.0
    right = np.zeros(count)
    right[0] = count
    p = np.linalg.solve(matrix, right)
    return np.mean(p * np.exp(1j * phi))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: dl.synchrony_onset(3.0), "no distribution"),
        (lambda: dl.synchrony_onset(scipy.stats.poisson(2)), "no density"),
        (lambda: dl.synchrony_onset(dl.Gaussian(), noise=-1), "noise is -1"),
        (lambda: dl.synchrony_onset(dl.Gaussian(), lag=2.0), "quarter turn"),
        (lambda: dl.mean_field_synchrony(dl.Gaussian(), couplings=[-1.0]), "0 or more"),
        (lambda: dl.mean_field_synchrony(dl.Gaussian(), couplings=[np.nan]), "0 or more"),
        (lambda: dl.locking_threshold([]), "empty"),
        (lambda: dl.locking_threshold([0, np.nan]), r"frequencies\[1\]"),
        (lambda: dl.Mixture(()), "at least one"),
        (lambda: dl.Mixture((dl.Gaussian(),), (-1.0,)), "positive share"),
    ],
)  # fmt: skip
def test_bad_input(call, words):
    with pytest.raises(dl.SettingError, match=words):
        call()


@pytest.mark.parametrize(
    ("frequencies", "value"),
    [
        # Verwoerd and Mason 2008.
        ((-1, 0, 1), 1.7043783160),
        ((-0.9, -0.2, 0.3, 0.8), 1.3468722822),
        (np.linspace(-1, 1, 11), 1.3814131867),
        ((5, 8), 3.0),
        ((2, 2, 2), 0.0),
        ((1,), 0.0),
    ],
)
def test_locking(frequencies, value):
    found = dl.locking_threshold(frequencies)
    assert found.value == pytest.approx(value, abs=1e-9)
    # The state is locked: all oscillators turn at the mean frequency.
    theta, omega = found.phases, np.asarray(frequencies, float)
    pull = np.sin(theta - theta[:, None]).mean(axis=1)
    np.testing.assert_allclose(omega + found.value * pull, omega.mean(), atol=1e-9)


@pytest.mark.parametrize(("share", "locks"), [(0.99, False), (1.01, True)])
def test_locking_by_integration(share, locks):
    omega = np.array([-0.9, -0.2, 0.3, 0.8])
    found = dl.locking_threshold(omega)
    swarm = dl.zoo.kuramoto.on(dl.AllToAll(4))(omega=omega, K=share * found.value)
    run = dl.integrate(swarm, start={"theta": found.phases}, duration=150)
    assert (dl.effective_frequencies(run, "theta", transient=50).locked_share == 1) == locks


@pytest.mark.parametrize(("K", "locks"), [(1.70, False), (1.71, True)])
def test_three_drift_just_below_their_threshold(K, locks):
    """(-1, 0, 1) lock from 1.7043783160 on; 0.0044 below a turn takes about pi / sqrt(0.0044), here less than 60."""
    swarm = dl.zoo.kuramoto.on(dl.AllToAll(3))(omega=[-1.0, 0.0, 1.0], K=K)
    start = {"theta": dl.locking_threshold([-1, 0, 1]).phases}
    run = dl.integrate(swarm, start=start, duration=300)
    found = dl.effective_frequencies(run, "theta", transient=50)
    assert (found.locked_share == 1) == locks


def test_beats_of_two():
    """phi' = w - K sin phi turns once in 2 pi / sqrt(w^2 - K^2)."""
    swarm = dl.zoo.kuramoto.on(dl.AllToAll(2))(omega=[0.0, 3.0], K=2.0)
    run = dl.integrate(
        swarm,
        duration=40 * 2 * np.pi / np.sqrt(5),
        at=np.linspace(0, 40, 401) * 2 * np.pi / np.sqrt(5),
        method=dl.Explicit8(rtol=1e-12, atol=1e-12),
    )
    found = dl.effective_frequencies(run, "theta")
    assert np.ptp(found.frequencies) == pytest.approx(np.sqrt(5), rel=1e-7)
    assert found.locked_share == 0


def test_mixture_is_a_distribution():
    two = dl.Mixture((dl.Gaussian(-2, 0.5), dl.Uniform(1, 2)), (1, 3))
    share = np.array([0.0, 0.01, 0.125, 0.3, 0.9, 1.0])
    np.testing.assert_allclose(two.cdf(two.ppf(share)), share, atol=1e-12)
    x = np.linspace(-6, 3, 9001)
    assert np.trapezoid(two.density(x), x) == pytest.approx(1, abs=1e-3)
