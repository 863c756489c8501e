"""Small deviations carried along a flow: linear systems, volumes, tolerances."""

import numpy as np
import pytest
from scipy.linalg import expm

import dynlab as dl
from dynlab.solve.variational import VariationalFlow

STRICT = dl.Explicit8(rtol=1e-12, atol=1e-15)


@dl.flow
def linear(x=1.0, y=-0.5, z=0.2, *, a=0.3):
    return {x: -a * x + 2 * y, y: -2 * x + 0.1 * z, z: 0.5 * x - 1.5 * z}


MATRIX = np.array([[-0.3, 2, 0], [-2, 0, 0.1], [0.5, 0, -1.5]])
START = np.array([1.0, -0.5, 0.2])


def product(factors):
    whole = np.eye(len(factors[0]))
    for factor in factors:
        whole = factor @ whole
    return whole


@pytest.mark.parametrize("units", [[1.0, 1.0, 1.0], [1e-3, 20.0, 1e5]])
@pytest.mark.parametrize("pieces", [1, 5])
def test_a_linear_flow_carries_deviations_by_the_matrix_exponential(units, pieces):
    units = np.array(units)
    carried = VariationalFlow(linear, units, STRICT).carry(START, 2.0, pieces=pieces)
    exact = expm(2.0 * MATRIX)
    assert carried.status.ok
    assert len(carried.factors) == pieces
    assert carried.state == pytest.approx(exact @ START, abs=1e-11)
    assert product(carried.factors) == pytest.approx(exact * units / units[:, None], rel=1e-9)
    assert carried.divergence == pytest.approx(2.0 * np.trace(MATRIX), rel=1e-11)


def test_back_and_forth_is_the_identity():
    flow = VariationalFlow(dl.zoo.lorenz, np.ones(3), STRICT)
    start = np.array([1.0, 2.0, 20.0])
    forth = flow.carry(start, 0.5)
    back = flow.carry(forth.state, -0.5)
    # Deviations shrink by 1e-3 on the way and grow as much on the way back.
    assert back.state == pytest.approx(start, abs=1e-8)
    assert back.factors[0] @ forth.factors[0] == pytest.approx(np.eye(3), abs=1e-7)


def test_the_matrix_is_the_derivative_of_the_end():
    flow = VariationalFlow(dl.zoo.fitzhugh_nagumo(I=0.5), np.ones(2), STRICT)
    start, h = np.array([0.3, 0.1]), 1e-4
    matrix = flow.carry(start, 7.0).factors[0]
    for k, unit in enumerate(np.eye(2)):
        ends = [flow.carry(start + s * h * unit, 7.0).state for s in (-1, 1)]
        assert matrix[:, k] == pytest.approx((ends[1] - ends[0]) / (2 * h), abs=1e-6)


def test_no_time_changes_nothing():
    carried = VariationalFlow(linear, np.ones(3), STRICT).carry(START, 0.0)
    assert carried.factors == []
    assert carried.state is START


def test_a_run_away_says_so():
    @dl.flow
    def explosion(x=1.0):
        return {x: x**2}

    carried = VariationalFlow(explosion, np.ones(1), STRICT).carry(np.ones(1), 2.0)
    assert carried.status is dl.Status.DIVERGED
