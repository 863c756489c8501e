"""What holds of fluctuations about an equilibrium: linear systems exactly, others to the order that is claimed."""

from functools import partial

import numpy as np
import pytest
import scipy.linalg
from scipy.integrate import quad

import dynlab as dl


@dl.flow
def rotating(x=0.0, y=0.0, *, a=1.0, b=2.0, c=-1.0, d=1.5):
    return {x: -a * x - b * y, y: -c * x - d * y}


@dl.flow
def skew(x=0.1):
    return {x: -x - 0.7 * x**2 - x**3}


@dl.flow
def ring(x: dl.PerNode, *, k=0.5):
    i, j = dl.nodes("i j")
    return {x[i]: -x[i] + k * dl.Mean(x[j] - x[i], j)}


def rest_of(system, reach=0.2):
    within = dict.fromkeys(system.state_names, (-reach, 1.1 * reach))
    return dl.find_equilibria(system, within=within).single()


ROTATING = rotating.with_noise(x=1.0, y=0.6**0.5)
SPREAD = dl.linear_noise(ROTATING, at=rest_of(rotating))


@pytest.mark.parametrize(
    ("matrix", "strengths", "covariance", "circulation", "production"),
    [  # Lyapunov's equation by hand, in rational numbers; Gardiner 2004, section 4.5.6
        ((1, 2, -1, 1.5), (0.5, 0.3), (0.465714285714286, 0.0171428571428571, 0.211428571428571), 0.44, 3.22666666666667),
        ((1, 1, -1, 1), (0.5, 0.5), (0.5, 0.0, 0.5), 0.5, 2.0),
    ],
)  # fmt: skip
def test_linear_system(matrix, strengths, covariance, circulation, production):
    system = rotating(**dict(zip("abcd", matrix, strict=True)))
    noisy = system.with_noise(**{n: (2 * D) ** 0.5 for n, D in zip("xy", strengths, strict=True)})
    found = dl.linear_noise(noisy, at=rest_of(system))
    entries = found.variance("x"), found.covariance[0, 1], found.variance("y")
    assert entries == pytest.approx(covariance, abs=1e-14)
    # The spectrum row gives Q = A S - D, which is -(J S + D).
    assert found.circulation[0, 1] == pytest.approx(circulation, abs=1e-14)
    assert found.entropy_production == pytest.approx(production, rel=1e-13)
    assert found.error == 0.0


def test_spectrum_is_the_transform_of_the_correlations_and_integrates_to_the_covariance():
    for pair in (("x",), ("y",), ("x", "y")):
        spectrum = partial(SPREAD.power_spectrum, *pair)
        total = quad(lambda w, of=spectrum: of(at=w)[0].real, -np.inf, np.inf)[0] / (2 * np.pi)
        places = [("x", "y").index(n) for n in (pair[0], pair[-1])]
        assert total == pytest.approx(SPREAD.covariance[tuple(places)], abs=1e-7)
    lags, omega = np.linspace(-14, 14, 2801), 1.3
    values = SPREAD.correlation("x", "y", lags=lags) * np.exp(-1j * omega * lags)
    # Trapezia of a function with a kink at zero, where a node lies; what is cut off is below exp(-14).
    width = lags[1] - lags[0]
    expected = width * (values.sum() - 0.5 * (values[0] + values[-1]))
    assert SPREAD.power_spectrum("x", "y", at=omega)[0] == pytest.approx(expected, abs=2e-5)
    backward = SPREAD.power_spectrum("y", "x", at=omega)[0]
    assert backward == pytest.approx(expected.conjugate(), abs=2e-5)


def test_one_state_is_lorentzian():
    @dl.flow
    def decay(x=0.0, *, theta=0.7):
        return {x: -theta * x}

    found = dl.linear_noise(decay.with_noise(x=0.3), at=rest_of(decay))
    omega = np.array([0.0, 0.5, 3.0])
    assert found.power_spectrum("x", at=omega) == pytest.approx(0.09 / (0.49 + omega**2), rel=1e-13)
    assert found.correlation("x", lags=[-2.0, 0.0, 1.0]) == pytest.approx(
        0.09 / 1.4 * np.exp(-0.7 * np.array([2.0, 0.0, 1.0])), rel=1e-13
    )
    assert found.peak("x") == pytest.approx((0.0, 0.09 / 0.49))
    assert found.quality_factor == 0.0
    assert found.correlation_time == pytest.approx(1 / 0.7, rel=1e-14)


def test_peak_of_a_damped_oscillator():
    """x'' + g x' + x = s xi has S = s^2 / ((1 - w^2)^2 + g^2 w^2), highest at w^2 = 1 - g^2 / 2."""

    @dl.flow
    def oscillator(x=0.0, v=0.0, *, g=0.2):
        return {x: v, v: -x - g * v}

    found = dl.linear_noise(oscillator.with_noise(v=0.3), at=rest_of(oscillator))
    place, height = found.peak("x")
    # Where a function is flat its place is known to the root of its own rounding.
    assert place == pytest.approx((1 - 0.02) ** 0.5, rel=1e-7)
    assert height == pytest.approx(0.09 / (0.04 * (1 - 0.01)), rel=1e-12)
    assert found.quality_factor == pytest.approx((1 - 0.01) ** 0.5 / 0.2, rel=1e-12)
    assert found.variance("x") == pytest.approx(0.09 / 0.4, rel=1e-13)
    with pytest.raises(dl.SingularProblem, match="no finite value"):
        _ = found.entropy_production


def noisy_skew(strength, reading):
    if reading is None:
        return skew.with_noise(x=strength)

    @skew.with_noise(reading)
    def noisy(x, *, s=strength):
        return {x: [s * (1 + x), s * (x**2 - 1)]}

    return noisy


@pytest.mark.parametrize("reading", [None, dl.Ito, dl.Stratonovich, dl.HanggiKlimontovich])
def test_leading_order_and_the_next_one_against_the_density(reading):
    """Halving the noise divides the error of the variance by 2^4, with the next order by 2^6, of the mean by 2^4."""
    rest = rest_of(skew)
    errors = []
    for strength in (0.1, 0.05):
        noisy = noisy_skew(strength, reading)
        found = dl.linear_noise(noisy, at=rest)
        cells = dl.Grid(x=(-12 * strength, 12 * strength, 3000))
        density = dl.stationary_density(noisy, grid=cells)
        spread = density.variance("x")
        errors.append([
            found.variance("x") - spread,
            found.corrected_variance("x") - spread,
            found.shift("x") - density.mean("x"),
        ])  # fmt: skip
    slopes = np.log2(np.divide(*errors))
    assert slopes == pytest.approx([4, 6, 4], abs=0.3)
    # The stated error is the relative change, so it is what was missing.
    assert abs(errors[-1][0]) / spread == pytest.approx(found.error, rel=0.1)


def test_next_order_is_exact_for_a_bent_linear_system():
    """Y = x + a y^2, y of a linear system without detailed balance: its moments are those of a Gaussian."""
    a, s, r = 0.4, 0.5, 0.3

    # a r^2, which Ito's formula adds, belongs to the noise and is no part of what is at rest.
    @dl.flow
    def shifted(u=0.0, y=0.0):
        x = u - a * y**2
        return {u: -x - 2 * y + 2 * a * y * (x - 1.5 * y), y: x - 1.5 * y}

    @shifted.with_noise(dl.Ito)
    def plain(u, y):
        one, other = dl.sources("one other")
        return {u: s * one + 2 * a * y * r * other, y: r * other}

    found = dl.linear_noise(plain, at=rest_of(shifted))
    spread = scipy.linalg.solve_continuous_lyapunov([[-1, -2], [1, -1.5]], -np.diag([s**2, r**2]))
    # Without the term the mean of u obeys another linear equation: u' = ... - a r^2 for x.
    missing = np.linalg.solve([[-1, -2], [1, -1.5]], [a * r**2, 0.0])
    assert found.shift("u") == pytest.approx(a * spread[1, 1] + missing[0], abs=1e-14)
    assert found.shift("y") == pytest.approx(missing[1], abs=1e-14)
    # With x about its own mean: var u = S11 + 4 a m S12 + 4 a^2 m^2 S22 + 2 a^2 S22^2, the third term of higher order.
    m = missing[1]
    expected = spread[0, 0] + 4 * a * m * spread[0, 1] + 2 * a**2 * spread[1, 1] ** 2
    assert found.corrected_variance("u") == pytest.approx(expected, abs=1e-14)
    assert found.corrected_variance("y") == pytest.approx(spread[1, 1], abs=1e-14)


def test_a_network_against_its_modes():
    """All-to-all diffusion: the mean relaxes at rate 1, every other mode at rate 1 + k."""
    n, k, s = 12, 0.5, 0.2
    swarm = ring.on(dl.AllToAll(n))
    rest = dl.find_equilibria(swarm).single()
    found = dl.linear_noise(swarm.with_noise(x=s), at=rest)
    common, other = s**2 / 2, s**2 / 2 / (1 + k)
    expected = other + (common - other) / n
    assert found.variance("x") == pytest.approx(np.full(n, expected), rel=1e-12)
    assert found.covariance[0, 1] == pytest.approx((common - other) / n, rel=1e-10)
    assert found.variance("x[3]") == pytest.approx(expected, rel=1e-12)
    assert found.power_spectrum("x[3]", at=0.0)[0] == pytest.approx(
        s**2 / n + s**2 * (1 - 1 / n) / (1 + k) ** 2, rel=1e-12
    )


def test_a_network_with_noise_that_the_nodes_share():
    swarm = ring.on(dl.AllToAll(12))

    @swarm.with_noise(dl.Ito)
    def shaken(x, *, s=0.2):
        (i,) = (dl.nodes("i"),)
        return {x[i]: s * dl.sources("common")}

    found = dl.linear_noise(shaken, at=dl.find_equilibria(swarm).single())
    assert found.covariance == pytest.approx(np.full((12, 12), 0.02), abs=1e-15)


def test_a_result_is_kept_and_drawn(tmp_path):
    again = dl.load(SPREAD.save(tmp_path / "spread.npz"))
    assert np.array_equal(again.covariance, SPREAD.covariance)
    assert again.power_spectrum("x", at=1.0) == SPREAD.power_spectrum("x", at=1.0)
    assert SPREAD.plot().get_xlabel()
    assert set(SPREAD.to_table()) == {
        "state",
        "equilibrium",
        "shift",
        "variance",
        "corrected variance",
    }


@dl.flow
def saddle(x=0.0, y=0.0):
    return {x: x, y: -y}


@dl.flow
def tilted(x=0.0, *, b=0.0):
    return {x: b - x - x**3}


@rotating.with_noise(dl.Ito)
def vanishing(x, y):
    return {x: 0.1 * x, y: 0.1 * y}


@pytest.mark.parametrize(
    ("ask", "error", "words"),
    [
        (lambda: dl.linear_noise(rotating, at=rest_of(rotating)), dl.UnsupportedSystemError, "no noise"),
        (lambda: dl.linear_noise(saddle.with_noise(x=1.0), at=rest_of(saddle)), dl.SingularProblem, "not stable"),
        (lambda: dl.linear_noise(vanishing, at=rest_of(rotating)), dl.SingularProblem, "vanishes at the equilibrium"),
        (lambda: dl.linear_noise(ROTATING, at={"x": 0, "y": 0}), dl.SettingError, "give an equilibrium"),
        (lambda: dl.linear_noise(ROTATING, at=rest_of(skew)), dl.SettingError, "with the states x"),
        (lambda: dl.linear_noise(tilted(b=0.5).with_noise(x=1.0), at=rest_of(tilted)), dl.SettingError, "b = 0 there, 0.5 here"),
        (lambda: SPREAD.variance("z"), dl.UnknownNameError, "'z' is not a state"),
        (lambda: SPREAD.power_spectrum("z", at=1.0), dl.UnknownNameError, "'z' is not a state"),
    ],
)  # fmt: skip
def test_what_is_refused(ask, error, words):
    with pytest.raises(error, match=words):
        ask()
