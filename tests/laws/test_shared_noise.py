"""Densities whose noise is shared between states: any diffusion tensor, split so that rates stay positive."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import solve_continuous_lyapunov

import dynlab as dl
from dynlab.stochastic.generator.coefficients import coefficients_of
from dynlab.stochastic.generator.generator import Generator
from dynlab.stochastic.generator.selling import decomposed

EPS = np.finfo(float).eps


@dl.flow
def linear(x=0.0, y=0.0, *, a=1.0, b=2.0, c=-1.0, d=1.5):
    return {x: -(a * x + b * y), y: -(c * x + d * y)}


@linear.with_noise(dl.Ito)
def shared(x, y, *, s=1.0, u=0.8, r=0.7):
    first, second = dl.sources("first second")
    return {x: s * first, y: u * (r * first + dl.sqrt(1 - r**2) * second)}


def tensor(s, u, r):
    return 0.5 * np.array([[s * s, s * u * r], [s * u * r, u * u]])


def box(cells, half=5.0):
    return dl.Grid(x=(-half, half, cells), y=(-half, half, cells))


def matrix_of(system, grid):
    return Generator.of(coefficients_of(system), grid).matrix.toarray()


@settings(max_examples=60, deadline=None)
@given(order=st.sampled_from([2, 3]), seed=st.integers(0, 10**6), thin=st.floats(0.03, 1.0))
def test_a_tensor_is_the_sum_of_its_directions(order, seed, thin):
    """Never more than d (d + 1) / 2 directions, no weight below zero; long directions cost digits."""
    root = np.random.default_rng(seed).normal(size=(order, order))
    matrix = root @ root.T + thin**2 * np.eye(order)
    weights = decomposed(matrix[None], 1000)
    again = sum(w[0] * np.outer(e, e) for e, w in weights.items())
    longest = max(max(map(abs, e)) for e in weights)
    assert np.abs(again - matrix).max() <= 100 * EPS * longest**2 * np.abs(matrix).max()
    assert min(w[0] for w in weights.values()) >= 0
    assert sum(w[0] > 0 for w in weights.values()) <= order * (order + 1) // 2


def test_three_directions_are_enough_for_a_known_tensor():
    found = decomposed(np.array([[[1.0, 0.5], [0.5, 1.0]]]), 3)
    assert {e: w[0] for e, w in found.items()} == pytest.approx(
        {(1, 0): 0.5, (0, 1): 0.5, (1, 1): 0.5}
    )


@settings(max_examples=25, deadline=None)
@given(s=st.floats(0.4, 2), u=st.floats(0.4, 2), r=st.floats(-0.95, 0.95), turn=st.floats(-3, 3))
def test_columns_sum_to_zero_and_rates_are_positive(s, u, r, turn):
    matrix = matrix_of(shared(s=s, u=u, r=r, b=turn, c=-turn), box(12, 2.0))
    assert np.abs(matrix.sum(axis=0)).max() <= 16 * EPS * np.abs(matrix).max()
    assert (matrix - np.diag(np.diag(matrix))).min() >= 0


@settings(max_examples=25, deadline=None)
@given(s=st.floats(0.5, 2), u=st.floats(0.5, 2), r=st.floats(-0.9, 0.9))
def test_gibbs_is_exact_with_a_full_tensor_however_few_cells(s, u, r):
    """f = -D grad V: detailed balance, so the cells hold exp(-V) and nothing flows."""

    @dl.flow
    def sliding(x=0.0, y=0.0, *, p=1.0, q=0.0, w=1.0):
        steep, across = x**3 - x + y, y + x
        return {x: -(p * steep + q * across), y: -(q * steep + w * across)}

    @sliding.with_noise(dl.Ito)
    def noisy(x, y, *, s=1.0, u=0.8, r=0.7):
        first, second = dl.sources("first second")
        return {x: s * first, y: u * (r * first + dl.sqrt(1 - r**2) * second)}

    D = tensor(s, u, r)
    system = noisy(p=D[0, 0], q=D[0, 1], w=D[1, 1], s=s, u=u, r=r)
    grid = dl.Grid(x=(-2, 2, 9), y=(-2, 2, 13))
    density = dl.stationary_density(system, grid=grid)
    x, y = np.meshgrid(density["x"], density["y"], indexing="ij")
    exact = np.exp(-(x**4 / 4 - x**2 / 2 + x * y + y**2 / 2))
    exact /= exact.sum() * grid.volume
    # D^-1 (D grad V) loses the condition of D, summed up along the grid.
    assert np.abs(density.values / exact - 1).max() <= 500 * EPS * np.linalg.cond(D)
    assert abs(dl.stationary_current(system, grid=grid).entropy_production) < 1e-18


def test_the_covariance_of_a_linear_system_is_lyapunovs():
    A, D = np.array([[1, 2], [-1, 1.5]]), tensor(1.0, 0.8, 0.7)
    S = solve_continuous_lyapunov(A, 2 * D)
    X = A - D @ np.linalg.inv(S)
    produced = np.trace(X.T @ np.linalg.solve(D, X) @ S)
    errors = []
    for cells in (32, 64, 128):
        density = dl.stationary_density(shared, grid=box(cells))
        current = dl.stationary_current(shared, grid=box(cells))
        assert density.values.min() > 0
        assert density.residual < 1e-13
        second = density.variance("x"), density.moment(x=1, y=1), density.variance("y")
        errors.append(np.abs(np.array(second) - [S[0, 0], S[0, 1], S[1, 1]]))
    assert current.entropy_production == pytest.approx(produced, abs=1e-3)
    assert np.log2(np.divide(errors[:-1], errors[1:]))[-1] == pytest.approx(2, abs=0.15)
    assert errors[-1] == pytest.approx(0, abs=4e-3)


def test_a_turned_system_has_the_turned_density():
    """A double well with a whirl, its noise uneven, turned by 0.5: means of turned functions agree in second order."""
    c, s = np.cos(0.5), np.sin(0.5)

    @dl.flow
    def straight(x=0.0, y=0.0):
        return {x: x - x**3 - y, y: 2 * x - y}

    @dl.flow
    def turned(x=0.0, y=0.0):
        a, b = c * x + s * y, c * y - s * x
        along, across = a - a**3 - b, 2 * a - b
        return {x: c * along - s * across, y: s * along + c * across}

    @turned.with_noise(dl.Ito)
    def noisy(x, y):
        first, second = dl.sources("first second")
        return {x: 1.2 * c * first - 0.7 * s * second, y: 1.2 * s * first + 0.7 * c * second}

    def means(density, angle):
        x, y = np.meshgrid(density["x"], density["y"], indexing="ij")
        a, b = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
        return [(density.values * g).sum() * density.grid.volume for g in (a**2, a * b, b**2, a**4)]

    exact = means(dl.stationary_density(straight.with_noise(x=1.2, y=0.7), grid=box(300, 4.5)), 0.0)
    errors = [
        np.abs(np.array(means(dl.stationary_density(noisy, grid=box(n, 4.5)), 0.5)) - exact)
        for n in (50, 100)
    ]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.35)


def test_noise_that_turns_with_the_state_keeps_second_order():
    """Linear drift, one source added and one that multiplies: the second moments obey a closed linear equation."""

    @linear(a=1.0, b=0.3, c=-0.2, d=1.0).with_noise(dl.Ito)
    def mixed(x, y):
        added, times, own = dl.sources("added times own")
        return {x: 0.6 * added + 0.5 * x * times, y: 0.3 * added + 0.5 * y * times + 0.5 * own}

    A, b = np.array([[1, 0.3], [-0.2, 1]]), np.array([[0.6, 0.3], [0, 0.5]])
    eye = np.eye(2)
    step = -np.kron(A, eye) - np.kron(eye, A) + 0.25 * np.eye(4)
    exact = -np.linalg.solve(step, (b.T @ b).ravel())
    errors = []
    for cells in (32, 64, 128):
        density = dl.stationary_density(mixed, grid=box(cells, 6.0))
        found = [density.moment(x=2), density.moment(x=1, y=1), density.moment(y=2)]
        errors.append(np.abs(np.array(found) - exact[[0, 1, 3]]))
    assert np.log2(np.divide(errors[:-1], errors[1:]))[-1] == pytest.approx(2, abs=0.3)


def test_one_source_for_two_states_on_a_line_of_cells():
    """x' = -x + xi, y' = -2 y + xi: a singular tensor, S = (D, 2D/3, D/2); what is left is upwind, of first order."""

    @linear(a=1.0, b=0.0, c=0.0, d=2.0).with_noise(dl.Ito)
    def common(x, y):
        both = dl.sources("both")
        return {x: both, y: both}

    errors = []
    for cells in (64, 128, 256):
        density = dl.stationary_density(common, grid=box(cells, 4.0))
        found = [density.moment(x=2), density.moment(x=1, y=1), density.moment(y=2)]
        errors.append(np.abs(np.array(found) - [1 / 2, 1 / 3, 1 / 4])[1:])
        assert density.values.min() > 0
    assert np.log2(np.divide(errors[:-1], errors[1:]))[-1] == pytest.approx(1, abs=0.3)
    with pytest.raises(dl.UnsupportedSystemError, match=r"no line of cells.*Choose cells"):
        dl.stationary_density(common, grid=dl.Grid(x=(-4, 4, 64), y=(-4, 4.1, 67)))


def test_exit_from_a_strip_knows_only_the_noise_across():
    """No drift, y on a ring: (1 - x^2) / (2 D_xx), whatever the noise shares."""
    still = shared(a=0.0, b=0.0, c=0.0, d=0.0)
    grid = dl.Grid(x=(-1, 1, 32), y=(-1, 1, 32)).with_walls(y=dl.Periodic())
    found = dl.escape_time(still, start={"x": 0.3, "y": 0.1}, beyond={"x": (-1, 1)}, grid=grid)
    assert found.value == pytest.approx(1 - 0.09, rel=2e-3)


def test_density_in_time_keeps_mass_and_sign():
    run = dl.evolve_density(
        shared, start={"x": dl.Gaussian(1, 0.3), "y": dl.Gaussian(0.5, 0.3)}, at=[0, 0.3, 2],
        grid=box(40),
    )  # fmt: skip
    assert np.abs(run.mass - 1).max() < 1e-13
    assert run.values.min() >= 0


def test_spreading_on_a_ring_by_noise_that_pushes_and_is_remembered():
    """x' = v + c y, y' = -y with shared noise: D_eff = D_xx + 2 c D_xy + c^2 D_yy, velocity v."""

    @dl.flow
    def carried(x: dl.Angle = 0.0, y=0.0, *, v=0.7, c=0.5):
        return {x: v + c * y, y: -y}

    @carried.with_noise(dl.Ito)
    def noisy(x, y):
        first, second = dl.sources("first second")
        return {x: 0.9 * first, y: 0.5 * first + 0.8 * second}

    D = 0.5 * np.array([[0.81, 0.45], [0.45, 0.89]])
    grid = dl.Grid(x=(-np.pi, np.pi, 64), y=(-5, 5, 64)).with_walls(x=dl.Periodic())
    found = dl.ring_transport(noisy, along="x", grid=grid)
    assert found.velocity == pytest.approx(0.7, rel=1e-4)
    assert found.diffusion == pytest.approx(D[0, 0] + D[0, 1] + 0.25 * D[1, 1], rel=1e-3)


def test_three_states_with_shared_noise():
    A = np.array([[1.0, 0.5, 0], [-0.5, 1, 0], [0, 0, 1]])
    B = np.array([[0.7, 0, 0.3], [0.3, 0.7, 0], [0, 0.3, 0.7]])

    @dl.flow
    def bowl(x=0.0, y=0.0, z=0.0):
        return {x: -x - 0.5 * y, y: 0.5 * x - y, z: -z}

    @bowl.with_noise(dl.Ito)
    def noisy(x, y, z):
        a, b, c = dl.sources("a b c")
        return {x: 0.7 * a + 0.3 * c, y: 0.3 * a + 0.7 * b, z: 0.3 * b + 0.7 * c}

    S = solve_continuous_lyapunov(A, B @ B.T)
    errors = []
    for cells in (8, 16):
        density = dl.stationary_density(
            noisy, grid=dl.Grid(**dict.fromkeys("xyz", (-3.2, 3.2, cells)))
        )
        found = density.variance("x"), density.moment(x=1, y=1), density.moment(y=1, z=1)
        errors.append(np.abs(np.array(found) - [S[0, 0], S[0, 1], S[1, 2]]))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.6)
