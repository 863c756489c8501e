"""Densities: what is asked of them in time, beside scipy on the same matrix.

Run by name: ``pytest -m benchmark -s tests/benchmarks/test_bench_density.py``.  Minima over rounds.  The matrix
exponential of scipy acts on the same generator, so the times differ by the method alone; results agree to 1e-12.
"""

import time

import numpy as np
import pytest
from scipy.linalg import expm

import dynlab as dl

pytestmark = pytest.mark.benchmark


@dl.flow
def well(x=0.5):
    return {x: x - x**3}


@dl.flow
def turning(x=0.0, y=0.0):
    return {x: -(x + 2 * y), y: x - 1.5 * y}


def fastest(call, rounds):
    best, answer = np.inf, None
    for _ in range(rounds):
        began = time.perf_counter()
        answer = call()
        best = min(best, time.perf_counter() - began)
    return best, answer


def test_density_at_one_time():
    from dynlab.stochastic.generator.coefficients import coefficients_of
    from dynlab.stochastic.generator.generator import Generator

    system, grid = well.with_noise(x=0.4), dl.Grid(x=(-2.8, 2.8, 512))
    took, run = fastest(
        lambda: dl.evolve_density(system, start={"x": -1.0}, at=[3.0], grid=grid), 50
    )
    matrix = Generator.of(coefficients_of(system), grid).matrix.toarray()
    first = dl.evolve_density(system, start={"x": -1.0}, at=[0.0], grid=grid).values[0]
    theirs, exact = fastest(lambda: expm(3.0 * matrix) @ first, 2)
    apart = np.abs(run.values[0] - exact).max()
    print(
        f"\n512 cells: {1e3 * took:.2f} ms; scipy.linalg.expm {1e3 * theirs:.0f} ms; apart {apart:.1e}"
    )
    assert apart < 1e-12
    assert took < 1e-3


@pytest.mark.parametrize(
    ("D", "exact"),
    [(0.05, 0.0027761406364), (0.1, 0.0335452873080006), (0.25, 0.187170418087099), (1.0, None)],
)
def test_gap_of_the_double_well(D, exact):
    system, grid = well.with_noise(x=(2 * D) ** 0.5), dl.Grid(x=(-2.8 - D, 2.8 + D, 512))
    took, found = fastest(lambda: dl.generator_spectrum(system, count=2, grid=grid), 20)
    error = f"off by {abs(found.gap / exact - 1):.1e}" if exact else ""
    print(f"\nD = {D}: {1e3 * took:.2f} ms {error}")
    assert took < 5e-3


def test_stationary_density_on_a_plane():
    system, grid = turning.with_noise(x=1.0, y=0.6**0.5), dl.Grid(x=(-5, 5, 256), y=(-5, 5, 256))
    took, found = fastest(lambda: dl.stationary_density(system, grid=grid), 5)
    print(f"\n256 x 256 cells: {took:.2f} s with its error estimate; residual {found.residual:.1e}")
    assert found.residual < 1e-13
    assert took < 0.3


def test_stationary_density_with_shared_noise():
    @turning.with_noise(dl.Ito)
    def shared(x, y):
        one, other = dl.sources("one other")
        return {x: one, y: 0.5 * one + 0.6 * other}

    grid = dl.Grid(x=(-5, 5, 256), y=(-5, 5, 256))
    took, found = fastest(lambda: dl.stationary_density(shared, grid=grid), 3)
    print(f"\n256 x 256 cells, a full tensor: {took:.2f} s; residual {found.residual:.1e}")
    assert found.residual < 1e-13
    assert took < 3


def test_a_step_of_three_states():
    """64^3 cells; one step is five sweeps along lines of cells, each two implicit solutions."""
    from dynlab.stochastic.generator.coefficients import coefficients_of
    from dynlab.stochastic.generator.generator import Generator
    from dynlab.stochastic.generator.splitting import Split

    @dl.flow
    def bowl(x=0.0, y=0.0, z=0.0):
        return {x: -x + y, y: -y - x, z: -z + x}

    grid = dl.Grid(**dict.fromkeys("xyz", (-4.0, 4.0, 64)))
    split = Split.of(Generator.of(coefficients_of(bowl.with_noise(x=1, y=1, z=1)), grid))
    step = split.step(0.02)
    x = grid.centres("x")
    one = np.exp(-(x**2))
    state = (one[:, None, None] * one[:, None] * one).ravel()
    state /= state.sum()
    moved = state.copy()
    took = np.inf
    for _ in range(40):
        began = time.process_time()
        step(moved, moved)
        took = min(took, time.process_time() - began)
    print(
        f"\n64^3 cells: {1e3 * took:.1f} ms of the processor a step; mass off by {abs(moved.sum() - 1):.1e}"
    )
    assert abs(moved.sum() - 1) < 1e-11
    assert took < 15e-3  # 9.6 ms with others at work beside it


def test_a_driven_density_over_a_period():
    @dl.flow
    def driven(x=0.5):
        return {x: x - x**3 + 0.3 * dl.cos(2 * np.pi * dl.t)}

    system, grid = driven.with_noise(x=0.4), dl.Grid(x=(-2.8, 2.8, 512))
    took, run = fastest(
        lambda: dl.evolve_density(system, start={"x": dl.Gaussian(-1, 0.2)}, at=[1.0], grid=grid), 3
    )
    print(f"\n512 cells over a period: {1e3 * took:.0f} ms, error {run.error:.1e}")
    assert run.error < 1e-8
