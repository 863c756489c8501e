"""Laws of the Fokker-Planck generator, and closed forms of what follows from it.

Sources of the numbers: Risken, The Fokker-Planck Equation (1989) [R]; Gardiner, Handbook of Stochastic Methods
[G]; Reimann et al. 2001, Phys. Rev. Lett. 87, 010602 [Rei]; Brunel 2000, J. Comput. Neurosci. 8, 183 [Br].  Those
of the double well were computed with mpmath (quadrature at 18 to 30 digits; the rates by a sinc basis and,
independently, by an oscillator basis at 40 digits).
"""

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.stats import norm

import dynlab as dl
from dynlab.stochastic.generator.coefficients import coefficients_of
from dynlab.stochastic.generator.generator import Generator
from dynlab.stochastic.generator.stationary import stationary_state

EPS = np.finfo(float).eps


@dl.flow
def well(x=0.5):
    return {x: x - x**3}


@dl.flow
def decay(x=0.0, *, theta=1.0):
    return {x: -theta * x}


@dl.flow
def washboard(x: dl.Angle = 0.0, *, F=1.0):
    return {x: F - dl.sin(x)}


@dl.flow
def turning(x=0.0, y=0.0, *, a=1.0, b=2.0, c=-1.0, d=1.5):
    return {x: -(a * x + b * y), y: -(c * x + d * y)}


@dl.flow
def rest(x=0.5, y=0.5):
    return {x: 0 * x, y: 0 * y}


def noisy(system, **diffusion):
    """Add noise by its diffusion coefficients, D = sigma^2 / 2."""
    return system.with_noise(**{n: (2 * v) ** 0.5 for n, v in diffusion.items()})


RING = dl.Grid(x=(0, 2 * np.pi, 256)).with_walls(x=dl.Periodic())
TURNING = noisy(turning, x=0.5, y=0.3)


def generator(system, grid):
    return Generator.of(coefficients_of(system), grid)


# The generator


CASES = {
    "chain": (noisy(well, x=0.1), dl.Grid(x=(-2.5, 2.5, 64))),
    "ring": (noisy(washboard, x=0.2), dl.Grid(x=(0, 2 * np.pi, 48)).with_walls(x=dl.Periodic())),
    "plane": (TURNING, dl.Grid(x=(-4, 4, 14), y=(-4, 4, 18))),
    "one noise": (noisy(turning, y=0.3), dl.Grid(x=(-4, 4, 15), y=(-4, 4, 12))),
    "re-injected": (
        noisy(decay, x=0.1),
        dl.Grid(x=(-2, 1, 40)).with_walls(x=(dl.Reflecting(), dl.Reinjected(at=0.21))),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_columns_sum_to_zero_and_nothing_off_the_diagonal_is_negative(case):
    matrix = generator(*CASES[case]).matrix.toarray()
    assert np.abs(matrix.sum(axis=0)).max() <= 8 * EPS * np.abs(matrix).max()
    assert (matrix - np.diag(np.diag(matrix))).min() >= 0


@pytest.mark.parametrize("case", CASES)
def test_the_stationary_state_is_positive_with_mass_one(case):
    density = dl.stationary_density(CASES[case][0], grid=CASES[case][1])
    assert density.values.min() > 0
    assert abs(density.mass - 1) < 1e-13
    assert density.residual < 1e-13


@pytest.mark.parametrize("case", CASES)
def test_a_density_moves_as_the_matrix_exponential_says(case):
    system, grid = CASES[case]
    start = dict.fromkeys(grid.names, 0.4)
    run = dl.evolve_density(system, start=start, grid=grid, at=[0, 0.01, 0.3, 4])
    matrix, first = generator(system, grid).matrix.toarray(), run.values[0].ravel()
    for time, values in zip(run.times, run.values, strict=True):
        exact = expm(time * matrix) @ first
        assert np.abs(values.ravel() - exact).max() <= 1e-12 * np.abs(first).max()
    assert run.values.min() >= 0
    assert np.abs(run.mass - 1).max() < 1e-13


@pytest.mark.parametrize("case", CASES)
def test_densities_and_observables_are_dual(case):
    """<g, e^{tL} p> = <e^{tL'} g, p>: forwards by us, backwards by the dense exponential."""
    system, grid = CASES[case]
    start = dict.fromkeys(grid.names, 0.4)
    run = dl.evolve_density(system, start=start, grid=grid, at=[0, 0.7])
    g = np.cos(np.arange(grid.size))
    backwards = expm(0.7 * generator(system, grid).matrix.toarray().T) @ g
    assert abs(g @ run.values[1].ravel() - backwards @ run.values[0].ravel()) * grid.volume < 1e-12


@pytest.mark.parametrize("cells", [2, 7, 33, 512])
def test_gibbs_on_a_line_however_few_cells(cells):
    """The sum of a potential has rounding of its own size, and the density so many units of the last place."""
    density = dl.stationary_density(noisy(well, x=0.1), grid=dl.Grid(x=(-2.9, 2.7, cells)))
    x = density["x"]
    potential = (x**4 / 4 - x**2 / 2) / 0.1
    exact = np.exp(potential.min() - potential)
    exact /= exact.sum() * density.grid.volume
    allowed = 4 * EPS * (12 + (potential - potential.min()) * (1 + cells**0.5 / 4))
    assert np.all(np.abs(density.values / exact - 1) <= allowed)


def test_gibbs_on_a_plane_however_few_cells():
    @dl.flow
    def valley(x=0.0, y=0.0):
        return {x: x - x**3 - y, y: -y - x}

    density = dl.stationary_density(
        noisy(valley, x=0.25, y=0.25), grid=dl.Grid(x=(-2, 2, 9), y=(-2, 2, 13))
    )
    x, y = np.meshgrid(density["x"], density["y"], indexing="ij")
    potential = (x**4 / 4 - x**2 / 2 + y**2 / 2 + x * y) / 0.25
    exact = np.exp(-potential)
    exact /= exact.sum() * density.grid.volume
    assert np.abs(density.values / exact - 1).max() <= 200 * EPS


def test_entropy_is_produced_exactly_where_balance_is_broken():
    still = dl.stationary_current(noisy(well, x=0.1), grid=dl.Grid(x=(-2.5, 2.5, 100)))
    assert 0 <= still.entropy_production < 1e-20
    for system, grid in (CASES["ring"], CASES["plane"]):
        assert dl.stationary_current(system, grid=grid).entropy_production > 0.1


# One state: Ornstein-Uhlenbeck, the double well, the tilted ring


def test_ornstein_uhlenbeck_moves_as_a_gaussian_in_second_order():
    """Errors in L1 of 7.7e-4 and 1.9e-4 belong to exponential fitting on 256 and 512 cells."""
    mean, variance = 1.5 * np.exp(-0.5), 0.05 * np.exp(-1) + 0.5 * (1 - np.exp(-1))
    errors = []
    for cells in (128, 256, 512):
        grid = dl.Grid(x=(-6, 6, cells))
        run = dl.evolve_density(
            noisy(decay, x=0.5), start={"x": dl.Gaussian(1.5, 0.05**0.5)}, at=[0.5], grid=grid
        )
        exact = np.diff(norm(mean, variance**0.5).cdf(np.linspace(-6, 6, cells + 1)))
        errors.append(np.abs(run.values[0] * grid.volume - exact).sum())
    assert errors[-1] <= 2e-4
    assert np.log2(np.array(errors[:-1]) / errors[1:]) == pytest.approx(2, abs=0.05)


def test_rates_of_ornstein_uhlenbeck_are_whole_multiples():
    found = dl.generator_spectrum(noisy(decay(theta=1.7), x=0.5), count=6)
    assert found.rates == pytest.approx(1.7 * np.arange(6), rel=1e-8)


WELL = {  # D: Z, <x^2>, p(0), T(-1 -> 0), T(-1 -> 1)
    0.05: (123.785301994824, 0.936833940411834, 0.00807850353705, 361.90375950092, 729.67069194232),
    0.1: (15.170196173702, 0.87136290804205, 0.0659187256743, 30.821302472666, 66.268626364918),
    0.25: (5.36516023783457, 0.83274548712838, 0.186387722952, 5.7434370680352, 14.277736636508),
    0.5: (4.16574806894677, 0.893464969574237, 0.240052922896, 2.5217042149276, 6.6977579071112),
}


@pytest.mark.parametrize("D", WELL)
def test_double_well_at_rest(D):
    z, second, middle, _, _ = WELL[D]
    density = dl.stationary_density(noisy(well, x=D))
    at_zero = np.interp(0.0, density["x"], density.values)
    top = np.exp(-(density["x"] ** 4 / 4 - density["x"] ** 2 / 2) / D) / density.values
    assert top.mean() == pytest.approx(z, rel=1e-12)
    assert density.moment(x=2) == pytest.approx(second, rel=1e-12)
    assert density.moment(x=4) - density.moment(x=2) == pytest.approx(D, rel=1e-11)
    assert at_zero == pytest.approx(middle, rel=1e-3)  # straight lines between cells
    assert sorted(peak["x"] for peak in density.maxima) == pytest.approx([-1, 1], abs=1e-3)
    assert density.outside < 1e-14


@pytest.mark.parametrize("D", WELL)
def test_double_well_escapes(D):
    """The reference is good to 13 digits; an absorbing end leaves the third power of the width, which is taken off too."""
    *_, half, whole = WELL[D]
    system = noisy(well, x=D)
    for border, exact in ((0, half), (1, whole)):
        found = dl.escape_time(system, start={"x": -1}, beyond={"x": border})
        assert found.value == pytest.approx(exact, rel=2e-8)
        assert abs(found.value - exact) < found.error


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


@pytest.mark.parametrize("D", RATES)
def test_double_well_forgets(D):
    exact = RATES[D]
    found = dl.generator_spectrum(
        noisy(well, x=D), count=len(exact) + 1, grid=dl.Grid(x=(-2.8, 2.8, 512))
    )
    assert found.rates[0] == 0
    assert found.gap == pytest.approx(exact[0], rel=1e-9)
    assert found.rates[1:] == pytest.approx(exact, rel=1e-7)


def test_the_gap_without_extrapolation_is_of_second_order():
    exact, gaps = RATES[0.1][0], []
    for cells in (
        62,
        124,
        248,
    ):  # one halving would leave less than 32 cells, or nothing is extrapolated
        rates = np.empty(2)
        from dynlab.kernels import fluxes

        fluxes.slowest_rates(
            *generator(noisy(well, x=0.1), dl.Grid(x=(-2.8, 2.8, cells))).chain, rates
        )
        gaps.append(rates[1] / exact - 1)
    assert np.log2(np.array(gaps[:-1]) / gaps[1:]) == pytest.approx(2, abs=0.02)


@pytest.mark.parametrize(
    ("F", "D", "velocity", "diffusion"),
    [
        (0.5, 0.5, 0.17559340603697, 0.423588797443),
        (1.0, 0.2, 0.46429455598072, 0.537525432404),
        (1.0, 0.5, 0.62652318742051, 0.79524103523),
    ],
)
def test_tilted_ring(F, D, velocity, diffusion):  # [Rei]
    system = noisy(washboard(F=F), x=D)
    found = dl.ring_transport(system, along="x", grid=RING)
    assert found.velocity == pytest.approx(velocity, rel=1e-9)
    assert found.diffusion == pytest.approx(diffusion, rel=1e-9)
    current = dl.stationary_current(system, grid=RING)
    assert np.ptp(current.components["x"]) < 1e-13
    # The heat F <v> over D of the scheme itself, at any resolution.
    assert current.entropy_production == pytest.approx(
        F * current.mean_velocity["x"] / D, rel=1e-12
    )


def test_ring_without_tilt_rests():
    from scipy.special import i0

    found = dl.ring_transport(noisy(washboard(F=0.0), x=0.4), along="x", grid=RING)
    assert abs(found.velocity) < 1e-14
    assert found.diffusion == pytest.approx(0.4 / i0(1 / 0.4) ** 2, rel=1e-9)


# Noise that depends on the state


@pytest.mark.parametrize(
    ("reading", "power"), [(dl.Ito, 5.0), (dl.Stratonovich, 4.5), (dl.HanggiKlimontovich, 4.0)]
)
def test_the_reading_decides_the_density(reading, power):
    """dX = -X dt + s sqrt(1 + X^2) dW with s = 0.5: p ~ (1 + x^2)^-power [G, R]."""

    @decay.with_noise(reading)
    def spread(x, *, s=0.5):
        return {x: s * dl.sqrt(1 + x**2)}

    density = dl.stationary_density(spread)
    ratio = density.values * (1 + density["x"] ** 2) ** power
    assert ratio / ratio[len(ratio) // 2] == pytest.approx(1, abs=1e-12)
    assert density.variance("x") == pytest.approx(1 / (2 * power - 3), rel=1e-9)


def test_square_root_process_is_a_gamma_density():
    @dl.flow
    def pull(x: dl.Positive = 1.0, *, k=1.0, th=1.0):
        return {x: k * (th - x)}

    @pull.with_noise(dl.Ito)
    def cox(x, *, s=0.5):
        return {x: s * dl.sqrt(x)}

    density = dl.stationary_density(cox)  # shape 8, scale 1/8
    assert density.mean("x") == pytest.approx(1, rel=1e-12)
    assert density.variance("x") == pytest.approx(0.125, rel=1e-12)
    rates = dl.generator_spectrum(cox, count=4, grid=dl.Grid(x=(0, 8, 512))).rates
    assert rates == pytest.approx([0, 1, 2, 3], abs=1e-5)


# Ends


@pytest.mark.parametrize(
    ("walls", "numbers"),
    [
        (dl.Reflecting(), [0, 1, 2, 3]),
        (dl.Absorbing(), [1, 2, 3, 4]),
        ((dl.Reflecting(), dl.Absorbing()), [0.5, 1.5, 2.5, 3.5]),
        (dl.Periodic(), [0, 2, 2, 4]),
    ],
)
def test_diffusion_between_ends(walls, numbers):
    @dl.flow
    def free(x=0.0):
        return {x: 0 * x}

    grid = dl.Grid(x=(0, 2, 256)).with_walls(x=walls)
    found = dl.generator_spectrum(noisy(free, x=0.3), count=4, grid=grid).rates
    # Extrapolated for a chain; on a ring of 256 cells the error of second order is 2e-4.
    assert found == pytest.approx(0.3 * (np.array(numbers) * np.pi / 2) ** 2, rel=3e-4, abs=1e-10)


def test_exit_times():
    @dl.flow
    def free(x=0.0):
        return {x: 0 * x}

    found = dl.escape_time(noisy(free, x=0.4), start={"x": 0.3}, beyond={"x": (-1, 1)})
    assert found.value == pytest.approx((1 - 0.3**2) / 0.8, rel=1e-9)
    found = dl.escape_time(noisy(decay, x=0.5), start={"x": 0.0}, beyond={"x": (-1, 1)})
    assert found.value == pytest.approx(1.44524561338835, rel=1e-7)  # mpmath


def test_reflecting_walls_need_no_flux_and_no_flat_density():
    run = dl.evolve_density(
        noisy(decay, x=0.2),
        start={"x": dl.Uniform(-1, 1)},
        grid=dl.Grid(x=(-1, 1, 100)),
        at=[0, 1, 10],
    )
    assert np.abs(run.mass - 1).max() < 1e-12
    assert run.values[-1, 0] == pytest.approx(
        np.exp(-(0.99**2) / 0.4) * run.values[-1, 50] / np.exp(-(0.01**2) / 0.4)
    )


def test_survival_integrates_to_the_mean_time():
    """T = int S dt: eight rates after t = 0 by Gauss-Laguerre is no check; the tail is one exponential."""
    system = noisy(decay, x=0.5)
    grid = dl.Grid(x=(-1, 1, 128)).with_walls(x=dl.Absorbing())
    run = dl.evolve_density(system, start={"x": 0.5 / 64}, grid=grid, at=np.linspace(0, 30, 6001))
    from scipy.integrate import simpson

    matrix = generator(system, grid).matrix.toarray()
    exact = -np.linalg.solve(matrix, run.values[0] * grid.volume).sum()
    assert simpson(run.mass, x=run.times) == pytest.approx(exact, rel=1e-7)
    assert np.all(np.diff(run.mass) <= 1e-14)


def test_committor_is_the_ratio_of_two_integrals():
    from scipy.integrate import quad

    found = dl.committor(noisy(well, x=0.2), source={"x": -1}, target={"x": 1.2})
    above, whole = (
        quad(lambda y: np.exp((y**4 / 4 - y**2 / 2) / 0.2), -1, b)[0] for b in (0.4, 1.2)
    )
    assert found.at(x=0.4) == pytest.approx(above / whole, abs=2e-5)
    back = dl.committor(noisy(well, x=0.2), source={"x": 1.2}, target={"x": -1})
    assert found.values + back.values == pytest.approx(1, abs=1e-13)


@pytest.mark.parametrize(
    ("mu", "sigma", "rate"),
    [(15, 5, 9.4607998057591), (20, 5, 27.340567353077), (25, 2, 42.84961379921)],
)
def test_noisy_integrate_and_fire(mu, sigma, rate):  # [Br], Siegert's integral
    @dl.flow(time="ms")
    def leaky(v=0.0, *, mu=15.0, tau=20.0):
        return {v: (mu - v) / tau}

    errors = []
    for cells in (200, 400):
        grid = dl.Grid(v=(-20, 20, cells)).with_walls(
            v=(dl.Reflecting(), dl.Reinjected(at=10, after=2))
        )
        density = dl.stationary_density(leaky(mu=mu).with_noise(v=sigma / 20**0.5), grid=grid)
        errors.append(1e3 * density.rates["v high"] / rate - 1)
        assert density.mass == pytest.approx(1 - 2 * density.rates["v high"], abs=1e-12)
    assert abs(errors[-1]) < 2e-3
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.1)


# Two states


def test_turning_plane_in_second_order():
    covariance = np.array(
        [[0.465714285714286, 0.0171428571428571], [0.0171428571428571, 0.211428571428571]]
    )
    inverse, top = np.linalg.inv(covariance), 1 / (2 * np.pi * np.sqrt(np.linalg.det(covariance)))
    errors, produced = [], []
    for cells in (32, 64, 128):
        grid = dl.Grid(x=(-5, 5, cells), y=(-5, 5, cells))
        density = dl.stationary_density(TURNING, grid=grid)
        at = np.stack(np.meshgrid(density["x"], density["y"], indexing="ij"), axis=-1)
        exact = top * np.exp(-0.5 * np.einsum("...i,ij,...j", at, inverse, at))
        errors.append(np.abs(density.values - exact).sum() * grid.volume)
        produced.append(
            dl.stationary_current(TURNING, grid=grid).entropy_production - 3.22666666666667
        )
        assert density.error == pytest.approx(errors[-1], rel=0.1)
    assert errors == pytest.approx([2.4e-2, 6.1e-3, 1.5e-3], rel=0.05)
    for series in (errors, produced):
        assert np.log2(np.array(series[:-1]) / series[1:]) == pytest.approx(2, abs=0.15)


def test_the_turning_plane_has_complex_rates():
    found = dl.generator_spectrum(
        TURNING, count=3, grid=dl.Grid(x=(-4, 4, 64), y=(-3, 3, 64))
    ).rates
    exact = np.linalg.eigvals([[1, 2], [-1, 1.5]])
    assert found[0] == 0
    assert sorted(found[1:], key=np.imag) == pytest.approx(sorted(exact, key=np.imag), rel=0.02)


def test_escape_from_a_square():
    """2 u_xx = -1 in a square of side 2: the torsion function, 0.2946854 at the middle (series)."""
    odd = np.arange(1, 80, 2)
    series = (-1.0) ** (odd // 2) / odd**3 / np.cosh(odd * np.pi / 2)
    exact = 0.5 - 16 / np.pi**3 * series.sum()
    found = dl.escape_time(
        noisy(rest, x=1.0, y=1.0), start={"x": 0, "y": 0}, beyond={"x": (-1, 1), "y": (-1, 1)},
        grid=dl.Grid(x=(-1, 1, 64), y=(-1, 1, 64)),
    )  # fmt: skip
    assert found.value == pytest.approx(exact, rel=2e-4)


def test_noise_in_the_velocity_only():
    """Kramers: <v^2> = T.  Upwind in x, so of first order: the error halves with the width."""

    @dl.flow
    def swing(x=0.0, v=0.0, *, g=1.0):
        return {x: v, v: x - x**3 - g * v}

    errors, gaps = [], []
    for cells in (32, 64, 128):
        grid = dl.Grid(x=(-2.5, 2.5, cells), v=(-3, 3, cells))
        density = dl.stationary_density(noisy(swing, v=0.25), grid=grid)
        errors.append(density.variance("v") - 0.25)
        gaps.append(dl.generator_spectrum(noisy(swing, v=0.25), count=2, grid=grid).gap)
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all((slopes > 0.7) & (slopes < 1.3))
    # Without the first order of the error; central differences give a spurious mode at 0.09 instead.
    assert 2 * gaps[2] - gaps[1] == pytest.approx(0.1365079, rel=0.02)


def test_angles_are_periodic_without_being_told():
    density = dl.stationary_density(noisy(washboard, x=0.2))
    assert density.grid.is_periodic(0)
    assert density.mass == pytest.approx(1, abs=1e-13)


def test_coordinates_do_not_matter():
    """With y = e^x the densities agree as probabilities: Stratonovich's noise obeys the ordinary chain rule."""

    @dl.flow
    def grown(y: dl.Positive = 1.0):
        return {y: -y * dl.log(y)}

    @grown.with_noise(dl.Stratonovich)
    def times(y, *, s=0.6):
        return {y: s * y}

    there = dl.stationary_density(times, grid=dl.Grid(y=(0.02, 20, 40000)))
    here = dl.stationary_density(decay.with_noise(x=0.6), grid=dl.Grid(x=(-4, 4, 8000)))
    assert np.interp(1.3, there["y"], there.values) * 1.3 == pytest.approx(
        np.interp(np.log(1.3), here["x"], here.values), rel=1e-5
    )


def test_all_of_the_states_of_a_generator_are_one():
    state = stationary_state(coefficients_of(TURNING), CASES["plane"][1])
    matrix = state.generator.matrix.toarray()
    _, _, rows = np.linalg.svd(matrix)
    null = rows[-1] / rows[-1].sum()
    assert state.probability == pytest.approx(null, abs=1e-12)


def test_cells_far_too_coarse_are_not_taken_for_pieces():
    """Between neighbours the density falls by e^-1000 here; a double holds no such number."""

    @dl.flow
    def excitable(x=0.0, y=0.0):
        return {x: x - x**3 / 3 - y + 0.5, y: 0.08 * (x + 0.7 - 0.8 * y)}

    box = dl.Grid(x=(-6.4, 6.4, 12), y=(-9, 10, 12))
    density = dl.stationary_density(noisy(excitable, x=0.05, y=0.05), grid=box)
    assert density.values.min() > 0
    assert density.mass == pytest.approx(1, abs=1e-13)


@pytest.mark.parametrize(
    ("K", "r"), [(2.1, 0.303689343805638), (3.0, 0.724158717626353), (4.0, 0.831462024754257)]
)
def test_noisy_kuramoto_is_consistent_with_itself(K, r):
    """r = I1(K r / D) / I0(K r / D) at D = 1 (Strogatz and Mirollo 1991, J. Stat. Phys. 63, 613)."""
    from scipy.optimize import brentq

    @dl.flow
    def pulled(theta: dl.Angle = 0.0, *, pull=1.0):
        return {theta: -pull * dl.sin(theta)}

    ring = dl.Grid(theta=(-np.pi, np.pi, 64)).with_walls(theta=dl.Periodic())

    def missing(order):
        density = dl.stationary_density(pulled(pull=K * order).with_noise(theta=2**0.5), grid=ring)
        return density.values @ np.cos(density["theta"]) * ring.volume - order

    assert brentq(missing, 0.1, 0.99, xtol=1e-14) == pytest.approx(r, rel=1e-11)


def test_noisy_fitzhugh_nagumo_keeps_its_exact_mean():
    """<x> + 0.7 - 0.8 <y> = 0; the moments from a Hermite basis of 140 x 140."""

    @dl.flow
    def excitable(x=0.0, y=0.0):
        return {x: x - x**3 / 3 - y + 0.5, y: 0.08 * (x + 0.7 - 0.8 * y)}

    noise = noisy(excitable, x=0.05, y=0.05)
    box = dl.Grid(x=(-3.5, 3.5, 128), y=(-2.5, 3.5, 128))
    moments = []
    for grid in (box.halved(), box):
        density = dl.stationary_density(noise, grid=grid)
        moments.append(
            [density.mean("x"), density.moment(x=2), density.mean("y"), density.moment(y=2)]
        )
    coarse, fine = np.array(moments)
    exact = np.array([-0.271254, 2.604134, 0.535932, 0.808886])
    assert (
        abs(fine[0] + 0.7 - 0.8 * fine[2]) < 2e-5
    )  # exact for the equation, of second order for cells
    assert np.log2(np.abs(coarse - exact) / np.abs(fine - exact)) == pytest.approx(2, abs=0.3)
    assert (4 * fine - coarse) / 3 == pytest.approx(exact, abs=2e-4)


def test_three_states():
    """Gibbs with a gradient; with a turning drift of the same density the error is of second order."""

    @dl.flow
    def bowl(x=0.0, y=0.0, z=0.0, *, turn=0.0):
        return {x: -x + turn * y, y: -y - turn * x, z: -z}

    def density(turn, cells):
        axes = dict.fromkeys("xyz", (-4.0, 4.0, cells))
        return dl.stationary_density(
            noisy(bowl(turn=turn), x=0.5, y=0.5, z=0.5), grid=dl.Grid(**axes)
        )

    still = density(0.0, 15)
    x = still["x"]
    exact = np.exp(-(x[:, None, None] ** 2 + x[:, None] ** 2 + x**2))
    exact /= exact.sum() * still.grid.volume
    assert np.abs(still.values / exact - 1).max() < 1e-13
    errors = [density(1.0, cells).variance("x") - 0.5 for cells in (8, 16)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.5)
