"""What results on cells say of their own errors: it covers, it is no more than it has to be, and nothing small is dropped."""

import numpy as np
import pytest

import dynlab as dl


@dl.flow
def well(x=0.5):
    return {x: x - x**3}


@dl.flow
def wells(x=0.5, y=0.0):
    return {x: x - x**3, y: -y}


@dl.flow
def turning(x=0.0, y=0.0, *, a=1.0, b=2.0, c=-1.0, d=1.5):
    return {x: -(a * x + b * y), y: -(c * x + d * y)}


@dl.flow
def washboard(x: dl.Angle = 0.0, *, F=1.0):
    return {x: F - dl.sin(x)}


def noisy(system, **diffusion):
    """Add noise by its diffusion coefficients, D = sigma^2 / 2."""
    return system.with_noise(**{n: (2 * v) ** 0.5 for n, v in diffusion.items()})


def small_gap(D):
    """The gap of the double well, one over the mean time from its quasi-stationary state to its middle.

    int_0 p / int_0 p T, T of the exact formula, = D int_0 w / int_0 N^2 / w with w = e^{-V/D} and N the integral of w
    beyond; off by a share of the order of the gap.  Gauss and Legendre on 200 pieces, where it stands to rounding.
    """
    nodes, weights = np.polynomial.legendre.leggauss(20)
    ends = np.linspace(0, 2, 201)
    half = 0.5 * np.diff(ends)[:, None]
    y = ends[:-1, None] + half * (1 + nodes)

    def w(x):
        return np.exp(-((x**2 - 1) ** 2) / (4 * D))

    pieces = (half * weights * w(y)).sum(axis=1)
    after = np.concatenate([np.cumsum(pieces[::-1])[::-1][1:], [0.0]])
    rest = 0.5 * (ends[1:, None] - y)
    own = (rest[..., None] * weights * w(y[..., None] + rest[..., None] * (1 + nodes))).sum(axis=-1)
    beyond = own + after[:, None]
    return D * pieces.sum() / (half * weights * beyond**2 / w(y)).sum()


@pytest.mark.parametrize("D", [0.02, 0.01])
def test_a_gap_however_small_keeps_its_digits(D):
    """1.6e-6 and 6e-12, beside largest rates of 1e5: nothing is set to zero."""
    exact = small_gap(D)
    found = dl.generator_spectrum(noisy(well, x=D), count=2, grid=dl.Grid(x=(-1.8, 1.8, 1024)))
    assert found.rates[0] == 0
    # The formula is off by about the gap over the next rate, which is 1.
    assert found.gap == pytest.approx(exact, rel=2 * exact + 1e-10)
    assert found.errors[1] < 1e-8 * found.gap


def test_the_smallest_gap_of_all():
    """Kramers' rate and its first correction, 1 - 3 D / 2: what is left is of the order of D squared."""
    D = 0.002
    found = dl.generator_spectrum(noisy(well, x=D), count=2, grid=dl.Grid(x=(-1.8, 1.8, 1024)))
    kramers = 2 * np.sqrt(2) / (2 * np.pi) * np.exp(-1 / (4 * D))
    assert found.gap == pytest.approx(kramers * (1 - 1.5 * D), rel=30 * D**2)
    assert 0 < found.gap < 1e-54


def test_rates_of_a_plane_know_their_error_and_their_rounding():
    exact = np.linalg.eigvals([[1, 2], [-1, 1.5]])
    sums = np.array([0, exact[0], exact[1], 2 * exact[0], 2 * exact[1], exact.sum()])
    for cells in (32, 64):
        grid = dl.Grid(x=(-4, 4, cells), y=(-3, 3, cells))
        found = dl.generator_spectrum(noisy(turning, x=0.5, y=0.3), count=5, grid=grid)
        true = np.abs(found.rates[:, None] - sums).min(axis=1)
        # Of second order: the change from half the cells is three times what is left.
        assert np.all(true[1:] < found.errors[1:])
        assert np.all(found.errors[1:] < 5 * true[1:])
        assert found.status is dl.Status.OK
    box = dl.Grid(x=(-1.8, 1.8, 64), y=(-1, 1, 40))
    one = dl.generator_spectrum(noisy(well, x=0.02), count=2, grid=dl.Grid(x=(-1.8, 1.8, 1024)))
    two = dl.generator_spectrum(noisy(wells, x=0.02, y=0.02), count=2, grid=box)
    assert abs(two.gap - one.gap) < two.errors[1] < 0.1 * one.gap
    with pytest.warns(dl.AccuracyWarning, match="not told from zero"):
        hidden = dl.generator_spectrum(noisy(wells, x=0.006, y=0.006), count=2, grid=box)
    assert hidden.status is dl.Status.UNRESOLVED
    assert hidden.errors[1] > abs(hidden.rates[1])


def test_entropy_knows_its_error():
    """tr[(A - D S^-1)' D^-1 (A - D S^-1) S] = 3.22666666666667 for the plane, F <v> / D for the ring [Rei]."""
    for cells in (64, 128):
        grid = dl.Grid(x=(-5, 5, cells), y=(-5, 5, cells))
        found = dl.stationary_current(noisy(turning, x=0.5, y=0.3), grid=grid)
        true = abs(found.entropy_production - 3.22666666666667)
        assert true < found.entropy_error < 3 * true
        ring = dl.Grid(x=(0, 2 * np.pi, cells)).with_walls(x=dl.Periodic())
        current = dl.stationary_current(noisy(washboard, x=0.2), grid=ring)
        true = abs(current.entropy_production - 0.46429455598072 / 0.2)
        assert true < current.entropy_error < 3 * true
        true = abs(current.mean_velocity["x"] - 0.46429455598072)
        assert true < current.velocity_errors["x"] < 3 * true


def test_no_entropy_in_detailed_balance_and_none_is_said_to_be_missing():
    for system, grid in (
        (noisy(well, x=0.1), dl.Grid(x=(-2.5, 2.5, 100))),
        (noisy(wells, x=0.1, y=0.3), dl.Grid(x=(-2, 2, 64), y=(-2, 2, 64))),
    ):
        found = dl.stationary_current(system, grid=grid)
        assert found.entropy_production == 0.0
        assert found.entropy_error == 0.0


def test_a_committor_knows_its_error():
    from scipy.integrate import quad

    whole = quad(lambda y: np.exp((y**4 / 4 - y**2 / 2) / 0.2), -1, 1.2, epsabs=1e-13)[0]
    for cells in (64, 256):
        grid = dl.Grid(x=(-1, 1.2, cells))
        found = dl.committor(noisy(well, x=0.2), source={"x": -1}, target={"x": 1.2}, grid=grid)
        exact = [
            quad(lambda y: np.exp((y**4 / 4 - y**2 / 2) / 0.2), -1, b, epsabs=1e-13)[0] / whole
            for b in found["x"][:: cells // 16]
        ]
        true = np.abs(found.values[:: cells // 16] - exact).max()
        assert true < found.error < 10 * true


def test_many_cells_of_three_states_are_iterated_to_the_state_of_the_factors():
    """26^3 and 36^3 cells against Lyapunov's equation, of second order; 20^3 against the factors, relative to each number."""
    from scipy.linalg import solve_continuous_lyapunov

    from dynlab.stochastic.generator.coefficients import coefficients_of
    from dynlab.stochastic.generator.generator import Generator
    from dynlab.stochastic.generator.stationary import _factors, _iterated

    @dl.flow
    def whirl(x=0.0, y=0.0, z=0.0):
        return {x: -x + 1.5 * y + 0.3 * z, y: -1.3 * y - 1.5 * x, z: -0.8 * z - 0.3 * x}

    A = np.array([[1, -1.5, -0.3], [1.5, 1.3, 0], [0.3, 0, 0.8]])
    exact = solve_continuous_lyapunov(A, np.diag([1.0, 0.64, 0.81]))
    system = whirl.with_noise(x=1.0, y=0.8, z=0.9)
    errors = []
    for cells in (26, 36):
        density = dl.stationary_density(
            system, grid=dl.Grid(**dict.fromkeys("xyz", (-4, 4, cells)))
        )
        assert density.residual < 1e-12
        assert density.values.min() > 0
        errors.append([density.moment(x=2) - exact[0, 0], density.moment(x=1, y=1) - exact[0, 1]])
    order = np.log(np.abs(np.divide(*errors))) / np.log(36 / 26)
    assert order == pytest.approx(2, abs=0.4)
    matrix = -Generator.of(
        coefficients_of(system), dl.Grid(**dict.fromkeys("xyz", (-4, 4, 20)))
    ).matrix
    kept = np.delete(np.arange(8000), 4210)
    rest, right = matrix[:, kept][kept].tocsc(), -matrix[:, [4210]].toarray().ravel()[kept]
    found, whole = _iterated(rest, right, np.zeros(right.size)), _factors(rest).solve(right)
    assert np.abs(found - whole).max() < 1e-11 * whole.max()
