"""Densities and rates in functions against numbers of other computations.

Double well: mpmath (quadrature at 18 to 30 digits; rates by a sinc basis and, independently, by an oscillator basis at
40 digits).  Linear flow: A S + S A' = 2 D.  Van der Pol and FitzHugh-Nagumo: Hermite expansions of 140 functions a
side, good to the digits compared.  Kramers' equation: Hermite by Hermite, checked by Fourier by Hermite and by upwind
cells, extrapolated.  Tilted ring: Reimann et al. 2001, Phys. Rev. Lett. 87, 010602.
"""

import numpy as np
import pytest

import dynlab as dl

H = dl.Hermite

MOMENTS = {  # D: <x^2>, p(0)
    0.05: (0.936833940411834, 0.00807850353705),
    0.1: (0.87136290804205, 0.0659187256743),
    0.25: (0.83274548712838, 0.186387722952),
    0.5: (0.893464969574237, 0.240052922896),
}
RATES = {
    0.05: (0.0027761406364, 0.822247124501),
    0.1: (
        0.0335452873080006,
        0.927372102607586,
        1.68026376738833,
        2.59582057570045,
        3.73398495673454,
    ),
    0.25: (
        0.187170418087099,
        1.50102841771273,
        2.91517388941782,
        4.66078669535205,
        6.71761381720620,
    ),
    0.5: (0.4229446453986, 2.314913246992),
}


@dl.flow
def well(x=0.5):
    return {x: x - x**3}


@dl.flow
def particle(x=0.0, v=0.0, *, g=0.5):
    return {x: v, v: x - x**3 - g * v}


def noisy(system, **diffusion):
    return system.with_noise(**{n: (2 * v) ** 0.5 for n, v in diffusion.items()})


@pytest.mark.parametrize("D", RATES)
def test_all_rates_of_the_double_well_to_their_digits(D):
    exact = RATES[D]
    given = 1e-10 if D == 0.05 else 5e-12 if D == 0.5 else 2e-13
    found = dl.generator_spectrum(
        noisy(well, x=D), grid=dl.Basis(x=dl.Sinc(64)), count=len(exact) + 1
    )
    assert found.rates[1:] == pytest.approx(exact, rel=given)
    assert found.errors.max() < 1e-10
    found = dl.generator_spectrum(noisy(well, x=D), grid=dl.Basis(x=H(80)), count=len(exact) + 1)
    assert np.abs(found.rates[1:] - exact).max() < 1e-7
    assert np.all(np.abs(found.rates[1:] - exact) <= 3 * found.errors[1:] + 1e-11)


@pytest.mark.parametrize(("points", "allowed"), [(48, 5e-10), (64, 1e-11)])
def test_gap_of_the_double_well_on_few_points(points, allowed):
    basis = dl.Basis(x=dl.Sinc(points, between=(-2.8, 2.8)))
    found = dl.generator_spectrum(noisy(well, x=0.1), grid=basis, count=2)
    assert found.gap == pytest.approx(RATES[0.1][0], rel=allowed)


@pytest.mark.parametrize("D", MOMENTS)
def test_double_well_at_rest(D):
    second, middle = MOMENTS[D]
    for family, allowed in ((dl.Sinc(64), 1e-12), (H(80), 1e-9)):
        found = dl.stationary_density(noisy(well, x=D), grid=dl.Basis(x=family))
        assert found.moment(x=2) == pytest.approx(second, rel=allowed)
        assert found.moment(x=4) - found.moment(x=2) == pytest.approx(D, rel=20 * allowed)
        assert sorted(peak["x"] for peak in found.maxima) == pytest.approx([-1, 1], abs=1e-5)
    assert found.at(x=0) == pytest.approx(middle, rel=1e-5)  # 2e-4 of the peak at D = 0.05


def test_linear_flow_at_rest_and_its_rates():
    @dl.flow
    def turning(x=0.0, y=0.0):
        return {x: -x - 2 * y, y: x - 1.5 * y}

    system, basis = noisy(turning, x=0.5, y=0.3), dl.Basis(x=H(32), y=H(32))
    found = dl.stationary_density(system, grid=basis)
    got = [found.moment(x=2), found.moment(x=1, y=1), found.moment(y=2)]
    assert got == pytest.approx(
        [0.465714285714286, 0.0171428571428571, 0.211428571428571], abs=1e-8
    )
    one = 1.25 + 1j * np.sqrt(1.9375)  # eigenvalues of [[1, 2], [-1, 1.5]]
    sums = [n * one + m * one.conjugate() for n in range(4) for m in range(4) if n + m < 4]
    rates = dl.generator_spectrum(system, grid=basis, count=10).rates
    apart = np.abs(rates[:, None] - np.array(sums)).min(axis=1)
    assert apart.max() < 1e-7
    assert np.abs(rates[:, None] - np.array(sums)).min(axis=0).max() < 1e-7


def test_van_der_pol():
    @dl.flow
    def van_der_pol(x=1.0, y=0.0, *, mu=0.5):
        return {x: y, y: mu * (1 - x**2) * y - x}

    found = dl.stationary_density(noisy(van_der_pol, y=0.2), grid=dl.Basis(x=H(80), y=H(80)))
    assert found.moment(x=2) == pytest.approx(2.112159, abs=1e-6)
    assert found.moment(y=2) == pytest.approx(2.112159, abs=1e-6)
    assert found.moment(x=4) == pytest.approx(7.53648, abs=1e-5)
    assert found.moment(y=4) == pytest.approx(9.92823, abs=1e-5)
    assert found.moment(x=1, y=1) == pytest.approx(0, abs=1e-7)
    assert found.moment(x=3, y=1) == pytest.approx(0, abs=1e-6)
    assert found.moment(x=2, y=2) - found.moment(y=2) == pytest.approx(0.2 / 0.5, abs=1e-7)


def test_fitzhugh_nagumo():
    @dl.flow
    def fitzhugh_nagumo(x=-1.0, y=0.5):
        return {x: x - x**3 / 3 - y + 0.5, y: 0.08 * (x + 0.7 - 0.8 * y)}

    found = dl.stationary_density(
        noisy(fitzhugh_nagumo, x=0.05, y=0.05), grid=dl.Basis(x=H(100), y=H(60))
    )
    got = [found.mean("x"), found.moment(x=2), found.mean("y"), found.moment(y=2)]
    assert got == pytest.approx([-0.271254, 2.604134, 0.535932, 0.808886], abs=1e-6)
    assert found.mean("x") + 0.7 - 0.8 * found.mean("y") == pytest.approx(0, abs=1e-7)
    assert max(found.moment_error(x=1), found.moment_error(x=2), found.moment_error(y=2)) < 3e-6


@pytest.mark.parametrize(("g", "gap"), [(0.5, 0.1503155), (1.0, 0.1365079)])
def test_gap_of_kramers_equation(g, gap):
    system = noisy(particle(g=g), v=0.25 * g)
    found = dl.generator_spectrum(system, grid=dl.Basis(x=H(44), v=H(32)), count=2)
    assert found.gap == pytest.approx(gap, abs=1e-7)
    assert found.errors[1] < 1e-6


@pytest.mark.parametrize(
    ("F", "D", "velocity"), [(0.5, 0.5, 0.17559340603697), (1.0, 0.2, 0.46429455598072)]
)
def test_velocity_of_the_tilted_ring(F, D, velocity):
    @dl.flow
    def washboard(x: dl.Angle = 0.0, *, F=1.0):
        return {x: F - dl.sin(x)}

    found = dl.stationary_density(noisy(washboard(F=F), x=D), grid=dl.Basis(x=dl.Fourier(24)))
    mean = (F - np.sin(found["x"])) @ found.values * found.cells.volume
    assert mean == pytest.approx(velocity, rel=1e-12)
