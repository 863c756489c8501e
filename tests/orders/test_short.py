"""Short explicit steps have the order that is claimed, and their tableau is consistent."""

import numpy as np
import pytest

import dynlab as dl
from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.kernels import dense, run, short


@dl.flow
def driven(x=0.4, v=-1.2):
    """Nonlinear, and driven: nothing cancels."""
    return {x: v, v: -dl.sin(x) + 0.3 * dl.cos(2 * dl.t) * v}


def step(h):
    """Return one step from t = 0.2: the end, the estimate at tolerance 1, and the state at 0.4 of it."""
    rhs, inputs, start = kernels_of(driven).rhs, inputs_of(driven), np.array([0.4, -1.2])
    state, work = np.zeros(run.STATE_SIZE), np.zeros((run.WORK_ROWS, 2))
    state[run.T], state[run.ATOL], work[run.X] = 0.2, 1.0, start
    dense.call(rhs.address, 0.2, start, *inputs, work[run.K0])
    error = short.attempt(rhs.address, h, state, work, *inputs)
    short.accept(h, state)
    short.expand(state, work)
    inside = np.empty(2)
    polynomial = np.ascontiguousarray(work[run.POLYNOMIAL : run.POLYNOMIAL + short.POWERS])
    dense.polynomial(polynomial, 1.0, inside)
    np.testing.assert_allclose(inside, work[run.Y], atol=1e-15)
    dense.polynomial(polynomial, 0.4, inside)
    slope = np.empty(2)
    dense.call(rhs.address, 0.2 + h, work[run.Y].copy(), *inputs, slope)
    np.testing.assert_array_equal(slope, work[run.K12])
    return work[run.Y].copy(), error, inside


def exact(h):
    """Return the solution at 0.2 + h from the same start; the drive is shifted in time."""

    @dl.flow
    def shifted(x=0.4, v=-1.2):
        return {x: v, v: -dl.sin(x) + 0.3 * dl.cos(2 * (dl.t + 0.2)) * v}

    tight = dl.Explicit8(rtol=1e-14 * 3, atol=1e-16)
    return dl.integrate(shifted, duration=h, at=[0.4 * h, h], method=tight).values


def test_a_step_is_of_order_5_and_its_inside_of_order_4():
    sizes = np.array([0.2, 0.14, 0.1, 0.07, 0.05])
    ends, estimates, insides = [], [], []
    for h in sizes:
        end, estimate, inside = step(h)
        middle, last = exact(h)
        ends.append(np.abs(end - last).max())
        insides.append(np.abs(inside - middle).max())
        estimates.append(estimate)
    slopes = [np.polyfit(np.log(sizes), np.log(e), 1)[0] for e in (ends, insides, estimates)]
    # Of one step: a power more than the order; the estimate is that of order 4.
    assert slopes == pytest.approx([6, 5, 5], abs=0.25)
    assert (np.array(estimates) > np.array(ends)).all()


def test_rows_sum_to_their_nodes():
    for row, node in zip(short.A, short.C, strict=False):
        assert sum(row) == pytest.approx(node, abs=1e-15)
    assert sum(short.B) == pytest.approx(1, abs=1e-15)
    assert sum(short.E) == pytest.approx(0, abs=1e-15)
    assert sum(short.D) == pytest.approx(0, abs=1e-14)
