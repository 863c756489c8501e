"""Order of the schemes that move densities whose generator depends on the time or on the density itself."""

import numpy as np
import pytest

import dynlab as dl
from dynlab.stochastic.densities.evolve import driven_generator
from dynlab.stochastic.densities.mean_field import mean_field_generator
from dynlab.stochastic.generator.commutator_free import driven_step, self_consistent_step


@dl.flow
def driven(x=0.0, *, A=1.0, w=2.0):
    return {x: x - x**3 + A * dl.cos(w * dl.t)}


@dl.flow
def herd(x: dl.PerNode, *, K=2.0):
    i, j = dl.nodes("i j")
    return {x[i]: x[i] - x[i] ** 3 + K * dl.Mean(x[j] - x[i], j)}


def steps(system, of):
    grid = dl.Grid(x=(-3, 3, 64))
    if of is driven_step:
        return of(driven_generator(system, grid)[1])
    return of(mean_field_generator(system, grid)[1])


def moved(step, count, span=2.0):
    x = np.linspace(-3, 3, 65)[:-1] + 3 / 64
    state = np.exp(-((x - 0.6) ** 2) / 0.2)
    state /= state.sum()
    for k in range(count):
        state = step(k * span / count, span / count, state)
    return state


@pytest.mark.parametrize(
    ("system", "scheme"),
    [
        (driven.with_noise(x=0.7), driven_step),
        (driven.with_noise(x=0.7), self_consistent_step),
        (herd.with_noise(x=0.7), self_consistent_step),
    ],
)
def test_products_of_exponentials_are_of_fourth_order(system, scheme):
    """Steps as long as a fortieth of the period; the fastest rate on the grid is 400 times as fast."""
    if system.is_autonomous or scheme is driven_step:
        step = steps(system, scheme)
    else:
        generator_at = driven_generator(system, dl.Grid(x=(-3, 3, 64)))[1]
        step = scheme(lambda time, _: generator_at(time))
    exact = moved(step, 320)
    errors = [np.abs(moved(step, count) - exact).sum() for count in (40, 80)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.35)
    for count in (1, 3):
        rough = moved(step, count)
        if rough is not None:
            assert rough.min() >= 0
            assert rough.sum() == pytest.approx(1, abs=1e-13)
