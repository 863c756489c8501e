"""What densities on grids are known to get wrong, each a law that holds here; and the laws of all generators.

References as in `test_densities`.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

import dynlab as dl
from dynlab.stochastic.densities.current import entropy_production
from dynlab.stochastic.generator.coefficients import coefficients_of
from dynlab.stochastic.generator.stationary import stationary_state

EPS = np.finfo(float).eps


@dl.flow
def pulled(x=0.0, *, force=1.0, potential=0.7):
    return {x: -force * x - potential * x}


@dl.flow
def well(x=0.5):
    return {x: x - x**3}


@dl.flow
def bent(x=0.0, *, a=0.0, b=1.0, c=0.0, d=0.5):
    return {x: a + b * x + c * x**2 - d * x**3}


@dl.flow
def pair(x=0.0, y=0.0, *, a=1.0, b=0.0, c=0.0, d=1.0):
    return {x: -a * x - b * y, y: -c * x - d * y}


@dl.flow
def washboard(x: dl.Angle = 0.0, *, F=1.0):
    return {x: F - dl.sin(x)}


@bent.with_noise(dl.Ito)
def uneven(x, *, s=0.6, u=0.3):
    return {x: dl.sqrt(s**2 + u**2 * x**2)}


@pair.with_noise(dl.Ito)
def shared(x, y, *, s=1.0, u=0.8, r=0.5):
    one, other = dl.sources("one other")
    return {x: s * one, y: u * (r * one + dl.sqrt(1 - r**2) * other)}


def test_force_and_potential_together_diffuse_once():
    density = dl.stationary_density(pulled.with_noise(x=0.8))
    assert density.variance("x") == pytest.approx(0.32 / 1.7, rel=1e-12)


def test_an_ordinary_double_well_meets_no_singular_matrix():
    """D = 0.25 on 512 cells: everything that is solved on it."""
    system, grid = well.with_noise(x=0.5**0.5), dl.Grid(x=(-3, 3, 512))
    density = dl.stationary_density(system, grid=grid)
    assert density.moment(x=2) == pytest.approx(0.83274548712838, rel=1e-10)
    assert dl.generator_spectrum(system, count=2, grid=grid).gap == pytest.approx(
        0.187170418087099, rel=1e-9
    )
    found = dl.escape_time(system, start={"x": -1}, beyond={"x": 1}, grid=grid)
    assert found.value == pytest.approx(14.277736636508, rel=1e-6)
    run = dl.evolve_density(system, start={"x": -1.0}, at=[1e3], grid=grid)
    assert run.values[0] == pytest.approx(density.values, rel=1e-9, abs=1e-14)


def test_no_noise_in_one_direction():
    """x' = v: <x v> = 0 and the equipartition of a harmonic swing, of first order."""

    @dl.flow
    def swing(x=0.0, v=0.0):
        return {x: v, v: -x - v}

    errors, crossed = [], []
    for cells in (40, 80):
        grid = dl.Grid(x=(-3, 3, cells), v=(-3, 3, cells))
        density = dl.stationary_density(swing.with_noise(v=0.8), grid=grid)
        assert density.values.min() > 0
        errors.append(abs(density.variance("v") - 0.32))
        crossed.append(abs(density.moment(x=1, v=1)))
    assert 1.5 < crossed[0] / crossed[1] < 2.5
    assert 1.5 < errors[0] / errors[1] < 2.5


def test_cells_that_are_only_left_do_not_break_a_state_in_pieces():
    """Without noise in x the drift empties the outer cells for good; the state is the one null vector (scipy)."""

    @dl.flow
    def excitable(x=0.0, y=0.0):
        return {x: x - x**3 / 3 - y + 0.5, y: 0.08 * (x + 0.7 - 0.8 * y)}

    grid = dl.Grid(x=(-3.2, 3.2, 16), y=(-2.5, 3.2, 16))
    state = stationary_state(coefficients_of(excitable.with_noise(y=0.1**0.5)), grid)
    _, sizes, rows = np.linalg.svd(state.generator.matrix.toarray())
    assert sizes[-1] < 1e-12 * sizes[0] < sizes[-2]
    assert state.probability == pytest.approx(rows[-1] / rows[-1].sum(), abs=1e-11)

    @dl.flow
    def torn(x=0.5, y=0.0):
        return {x: x - x**3, y: -y}

    with pytest.raises(dl.SingularProblem, match="not unique"):
        dl.stationary_density(torn.with_noise(y=0.5), grid=dl.Grid(x=(-2, 2, 16), y=(-2, 2, 16)))


@settings(max_examples=15, deadline=None)
@given(F=st.floats(-3, 3), D=st.floats(0.05, 2), cells=st.integers(8, 200))
def test_the_current_on_a_ring_is_the_same_everywhere(F, D, cells):
    ring = dl.Grid(x=(0, 2 * np.pi, cells)).with_walls(x=dl.Periodic())
    current = dl.stationary_current(washboard(F=F).with_noise(x=(2 * D) ** 0.5), grid=ring)
    assert np.ptp(current.components["x"]) < 1e-13
    # The heat, exactly as it is on the cells; zero without a tilt.
    assert current.entropy_production == pytest.approx(
        F * current.mean_velocity["x"] / D, rel=1e-10, abs=1e-13
    )
    assert current.entropy_production > -1e-16


@settings(max_examples=15, deadline=None)
@given(
    left=st.floats(-3, -0.2), right=st.floats(0.3, 3), b=st.floats(-2, 2), time=st.floats(0.01, 50)
)
def test_walls_keep_the_mass(left, right, b, time):
    run = dl.evolve_density(
        bent(b=b).with_noise(x=0.7), start={"x": dl.Uniform(left, right)}, at=[time],
        grid=dl.Grid(x=(left, right, 60)),
    )  # fmt: skip
    assert run.mass[0] == pytest.approx(1, abs=1e-12)
    assert run.values.min() >= 0


NUMBERS = st.floats(-1.5, 1.5)


@settings(max_examples=25, deadline=None)
@given(
    a=NUMBERS,
    b=NUMBERS,
    c=NUMBERS,
    s=st.floats(0.2, 2),
    u=st.floats(0, 1),
    seed=st.integers(0, 999),
)
def test_laws_of_any_generator_on_a_line(a, b, c, s, u, seed):
    """Columns sum to zero; <L' g> = 0 at rest; <g, e^tL p> = <e^tL' g, p>; no entropy in detailed balance."""
    system, grid = uneven(a=a, b=b, c=c, s=s, u=u), dl.Grid(x=(-2, 2.2, 30))
    state = stationary_state(coefficients_of(system), grid)
    L, p = state.generator.matrix.toarray(), state.probability
    size = np.abs(L).max()
    assert np.abs(L.sum(axis=0)).max() <= 8 * EPS * size
    assert (L - np.diag(np.diag(L))).min() >= 0
    assert p.min() > 0
    g = np.random.default_rng(seed).normal(size=30)
    assert abs(p @ (L.T @ g)) <= 100 * EPS * size
    first = np.random.default_rng(seed + 1).random(30)
    start = dl.stationary_density(system, grid=grid)
    start = type(start)(**{
        k: getattr(start, k) for k in start.__dataclass_fields__
    } | {"values": first / first.sum() / grid.volume})  # fmt: skip
    run = dl.evolve_density(system, start=start, at=[0.4])
    assert g @ run.values[0] == pytest.approx(
        (expm(0.4 * L.T) @ g) @ start.values, abs=1e-10 * np.abs(g).sum() * first.max()
    )
    assert abs(entropy_production(state)) < 1e-18 * max(size, 1)


@settings(max_examples=20, deadline=None)
@given(
    b=NUMBERS, c=NUMBERS, r=st.floats(-0.8, 0.8), u=st.floats(0.5, 1.5), seed=st.integers(0, 999)
)
def test_laws_of_any_generator_on_a_plane(b, c, r, u, seed):
    grid = dl.Grid(x=(-3, 3, 16), y=(-3, 3, 15))
    state = stationary_state(coefficients_of(shared(b=b, c=c, r=r, u=u, a=1.2, d=1.6)), grid)
    L, p = state.generator.matrix, state.probability
    size = abs(L).max()
    g = np.random.default_rng(seed).normal(size=grid.size)
    assert p.min() > 0
    assert np.abs(np.asarray(L.sum(axis=0))).max() <= 16 * EPS * size
    assert abs(p @ (L.T @ g)) <= 1e3 * EPS * size
    assert entropy_production(state) >= 0
    middles = sum(np.abs(L @ p))
    assert middles < 1e-12 * size


@settings(max_examples=6, deadline=None)
@given(theta=st.floats(0.5, 2), b=st.floats(-0.8, 0.8), r=st.floats(-0.6, 0.6))
def test_halving_the_cells_quarters_the_error(theta, b, r):
    """The second moments of a linear system against Lyapunov's equation."""
    from scipy.linalg import solve_continuous_lyapunov

    A = np.array([[theta, b], [-b, 1.3 * theta]])
    root = np.array([[1, 0], [0.8 * r, 0.8 * np.sqrt(1 - r**2)]])
    S = solve_continuous_lyapunov(A, root @ root.T)
    system = shared(a=theta, b=b, c=-b, d=1.3 * theta, r=r)
    half = 6 * np.sqrt(S.diagonal().max())
    errors = []
    for cells in (40, 80):
        density = dl.stationary_density(
            system, grid=dl.Grid(x=(-half, half, cells), y=(-half, half, cells))
        )
        found = [density.moment(x=2), density.moment(x=1, y=1), density.moment(y=2)]
        errors.append(np.abs(np.array(found) - [S[0, 0], S[0, 1], S[1, 1]]).sum())
    # In detailed balance cells hold the exact density, and sums of a Gaussian over them converge faster.
    assert errors[1] < 1e-9 or 3.4 < errors[0] / errors[1] < 4.6 or errors[1] < 2e-4


@settings(max_examples=10, deadline=None)
@given(k=st.floats(0.4, 2.5), s=st.floats(0.3, 1.2))
def test_other_coordinates_give_the_same_probabilities(k, s):
    """y = sinh x, with the chain rule of Stratonovich: p_y dy = p_x dx at the middles of cells."""

    @dl.flow
    def stretched(y=0.0, *, k=1.0):
        return {y: -k * dl.log(y + dl.sqrt(1 + y**2)) * dl.sqrt(1 + y**2)}

    @stretched.with_noise(dl.Stratonovich)
    def noisy(y, *, s=0.5):
        return {y: s * dl.sqrt(1 + y**2)}

    there = dl.stationary_density(noisy(k=k, s=s), grid=dl.Grid(y=(-60, 60, 24000)))
    near = np.abs(there["y"]) < 3
    x = np.arcsinh(there["y"][near])
    variance = s**2 / (2 * k)
    exact = np.exp(-(x**2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
    scale = there.values[near] * np.sqrt(1 + there["y"][near] ** 2) / exact
    assert scale == pytest.approx(scale[0], rel=1e-9)
