"""Densities of three states moved along one axis after the other: order, mass, sign, and what is lost."""

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.stats import norm

import dynlab as dl
from dynlab.stochastic.generator.coefficients import coefficients_of
from dynlab.stochastic.generator.generator import Generator
from dynlab.stochastic.generator.splitting import Split, split_states


@dl.flow
def bowl(x=0.0, y=0.0, z=0.0):
    return {x: -x + y, y: -y - x, z: -z + x}


def generator(cells, **walls):
    grid = dl.Grid(x=(-4, 4, cells[0]), y=(-4, 4, cells[1]), z=(-4, 4, cells[2]))
    system = bowl.with_noise(x=1.0, y=0.8, z=1.2)
    return Generator.of(coefficients_of(system), grid.with_walls(**walls))


@pytest.mark.parametrize("walls", [{}, {"y": dl.Absorbing()}])
def test_steps_along_axes_are_of_second_order(walls):
    """Against the dense exponential on 7 x 9 x 8 cells; numbers of cells that differ, as axes do."""
    made = generator((7, 9, 8), **walls)
    start = np.random.default_rng(0).random(made.grid.size)
    start /= start.sum()
    exact = expm(made.matrix.toarray()) @ start
    split, errors = Split.of(made), []
    for count in (8, 16, 32):
        step, state = split.step(1 / count), start.copy()
        for _ in range(count):
            step(state, state)
        errors.append(np.abs(state - exact).sum())
        if not walls:
            assert state.sum() == pytest.approx(1, abs=1e-12)
    assert np.log2(np.divide(errors[:-1], errors[1:])) == pytest.approx(2, abs=0.1)


def test_the_reported_error_bounds_the_real_one():
    made = generator((7, 9, 8))
    start = np.zeros(made.grid.size)
    start[200] = 1.0  # so sharp that long steps turn negative
    rows, error = split_states(made, start, np.array([0.0, 0.3, 1.0]))
    for row, time in zip(rows, (0.0, 0.3, 1.0), strict=True):
        exact = expm(time * made.matrix.toarray()) @ start
        assert np.abs(row - exact).sum() < 2e-6
        assert row.min() >= 0
        assert row.sum() == pytest.approx(1, abs=1e-11)
    assert error < 1e-6


def test_a_large_box_of_cells_moves_as_three_gaussians():
    """36^3 cells without drift between axes: each axis is Ornstein and Uhlenbeck's, of second order in the cells."""

    @dl.flow
    def apart(x=0.0, y=0.0, z=0.0):
        return {x: -x, y: -y, z: -z}

    start = dict.fromkeys("xyz", dl.Gaussian(0.5, 0.6))
    run = dl.evolve_density(
        apart.with_noise(x=1.0, y=1.0, z=1.0), start=start, at=[0.2],
        grid=dl.Grid(**dict.fromkeys("xyz", (-4.0, 4.0, 36))),
    )  # fmt: skip
    assert run.error < 1e-6
    assert run.mass[0] == pytest.approx(1, abs=1e-11)
    mean, variance = 0.5 * np.exp(-0.2), 0.36 * np.exp(-0.4) + 0.5 * (1 - np.exp(-0.4))
    for name in "xyz":
        assert run.mean(name)[0] == pytest.approx(mean, abs=2e-3)
        exact = np.diff(norm(mean, variance**0.5).cdf(np.linspace(-4, 4, 37)))
        share = run.at(0.2).marginal(name).values * 8 / 36
        assert np.abs(share - exact).sum() < 1e-2
