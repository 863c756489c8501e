"""What holds of growth rates under multiplicative noise: closed forms, and second moments by another way."""

import numpy as np
import pytest
from scipy.integrate import quad

import dynlab as dl


@dl.flow
def growth(x=0.0, *, mu=0.3):
    return {x: mu * x}


@dl.flow
def oscillator(x=0.0, v=0.0, *, g=0.4, k=1.0):
    return {x: v, v: -k * x - g * v}


@oscillator.with_noise(dl.Ito)
def shaken(x, v, *, s=1.5):
    return {v: s * x}


@dl.flow
def spiral(x=0.0, y=0.0, *, a=-0.1, w=1.0):
    return {x: a * x - w * y + x**2, y: w * x + a * y}


def origin(system):
    within = dict.fromkeys(system.state_names, (-0.1, 0.11))
    return dl.find_equilibria(system, within=within).single()


@pytest.mark.parametrize(
    ("reading", "gain"), [(dl.Ito, -0.5), (dl.Stratonovich, 0.0), (dl.HanggiKlimontovich, 0.5)]
)
def test_geometric_motion(reading, gain):
    """Gardiner 2004, section 4.5.1: mu - s^2/2 read as Ito's, mu as Stratonovich's; <X^p> by Ito's formula."""

    @growth.with_noise(reading)
    def noisy(x, *, s=0.7):
        return {x: s * x}

    found = dl.stochastic_stability(noisy, at=origin(growth))
    assert found.exponent == pytest.approx(0.3 + gain * 0.49, abs=1e-14)
    for p in (-1.0, 0.5, 2.0, 3.0):
        assert found.moment_exponent(p) == pytest.approx(
            p * found.exponent + 0.5 * p**2 * 0.49, abs=1e-13
        )
    assert dl.mean_square_exponent(noisy, at=origin(growth)) == pytest.approx(
        found.moment_exponent(2), abs=1e-13
    )


def exact_exponent(g, k, s):
    """x'' + g x' + (k + s xi) x = 0: z = x'/x + g/2 obeys z' = E - z^2 + s xi, and its mean is a quotient of integrals.

    Halperin 1965, Phys. Rev. 139, A104; u = t^2 takes the root out of the integrals.
    """
    E = g**2 / 4 - k

    def weight(t):
        return np.exp(-2 / s**2 * (t**6 / 12 - E * t**2))

    top = quad(lambda t: t**2 * weight(t), 0, np.inf, epsabs=0, epsrel=1e-12)[0]
    return -g / 2 + 0.5 * top / quad(weight, 0, np.inf, epsabs=0, epsrel=1e-12)[0]


@pytest.mark.parametrize(
    ("g", "k", "s"),
    [(0, 0, 1), (0.4, 1, 0.5), (0.4, 1, 1.5), (0.4, 1, 3), (3, 1, 0.8), (0.2, 1, 0.02)],
)
def test_oscillator_with_a_shaken_spring(g, k, s):
    """The noise moves the angle at one place only weakly, at another not at all."""
    here = shaken(g=g, k=k, s=s)
    point = dl.find_equilibria(
        oscillator(g=0.4, k=1), within={"x": (-1, 1.1), "v": (-1, 1.1)}
    ).single()
    found = dl.stochastic_stability(here, at=point)
    assert found.exponent == pytest.approx(exact_exponent(g, k, s), abs=max(found.error, 1e-13))


def test_band_edge():
    """No spring, no friction: (6 s^2)^(1/3) Gamma(1/2) / (2 Gamma(1/6)) = 0.28930826 s^(2/3)."""
    point = origin(oscillator)
    values = [dl.stochastic_stability(shaken(g=0, k=0, s=s), at=point).exponent for s in (1, 8)]
    assert values == pytest.approx([0.2893082598342392, 4 * 0.2893082598342392], rel=1e-11)


@spiral.with_noise(dl.Stratonovich)
def stirred(x, y):
    first, other = dl.sources("first other")
    return {
        x: 0.2 * x * first + 0.4 * y * first + 0.5 * y * other,
        y: -0.1 * x * first + 0.3 * y * first + 0.3 * x * other,
    }


STIRRED = dl.stochastic_stability(stirred, at=origin(spiral))


def test_second_moments_by_another_way():
    square = dl.mean_square_exponent(stirred, at=origin(spiral))
    assert STIRRED.moment_exponent(2) == pytest.approx(square, abs=1e-10)
    # g is convex with g(0) = 0, so the exponent is at most half of g(2).
    assert STIRRED.moment_exponent(0) == pytest.approx(0, abs=1e-10)
    assert STIRRED.exponent < square / 2


def test_the_exponent_is_the_slope_of_the_moments():
    """Central differences of step h: the error falls with h^2 times the third derivative, below 1e-6 here."""
    slope = (STIRRED.moment_exponent(1e-3) - STIRRED.moment_exponent(-1e-3)) / 2e-3
    assert slope == pytest.approx(STIRRED.exponent, abs=1e-6)


def test_stretching_and_turning_alike_is_exact():
    """Noise that multiplies both states alike commutes with all: a - s^2 / 2, at any speed of turning."""

    @spiral.with_noise(dl.Ito)
    def scaled(x, y, *, s=0.6):
        common = dl.sources("common")
        return {x: s * x * common, y: s * y * common}

    found = dl.stochastic_stability(scaled, at=origin(spiral))
    assert found.exponent == pytest.approx(-0.1 - 0.18, abs=1e-14)


def test_matrices_that_share_a_direction():
    @dl.flow
    def pair(x=0.0, y=0.0):
        return {x: 0.1 * x + y, y: 0.3 * y}

    @pair.with_noise(dl.Ito)
    def noisy(x, y):
        return {x: 0.2 * x, y: 0.9 * y}

    found = dl.stochastic_stability(noisy, at=origin(pair))
    assert found.exponent == pytest.approx(max(0.1 - 0.02, 0.3 - 0.405), abs=1e-14)


def test_a_result_is_kept_and_drawn(tmp_path):
    again = dl.load(STIRRED.save(tmp_path / "stability.npz"))
    assert again.exponent == STIRRED.exponent
    assert again.moment_exponent(2) == STIRRED.moment_exponent(2)
    assert STIRRED.plot(orders=[0, 1, 2]).get_xlabel()


@dl.flow
def three(x=0.0, y=0.0, z=0.0):
    return {x: -x, y: -y, z: -z}


@three.with_noise(dl.Ito)
def shaken_three(x, y, z):
    return {x: 0.1 * y, z: 0.5 * z}


def test_what_is_refused():
    with pytest.raises(dl.UnsupportedSystemError, match="mean_square_exponent"):
        dl.stochastic_stability(shaken_three, at=origin(three))
    assert dl.mean_square_exponent(shaken_three, at=origin(three)) == pytest.approx(-2 + 0.25)
    with pytest.raises(dl.SettingError, match="does not vanish"):
        dl.stochastic_stability(growth.with_noise(x=1.0), at=origin(growth))
    with pytest.raises(dl.UnsupportedSystemError, match="no noise"):
        dl.mean_square_exponent(growth, at=origin(growth))
