"""The explicit method: identities of its coefficients, and the orders that it shows."""

import itertools
import math

import numba
import numpy as np
import pytest

from dynlab.kernels import dense, explicit, loops, run
from dynlab.kernels.convention import OK, RUNNING, kernel_signature
from dynlab.kernels.tableaus import DOP853

STAGES = 16
C = np.array(DOP853.c)
A = np.array([np.pad(row, (0, STAGES - len(row))) for row in DOP853.a])
B, E3, E5 = (np.pad(row, (0, STAGES - 12)) for row in (DOP853.b, DOP853.e3, DOP853.e5))
D = np.array(DOP853.d)


def trees(order):
    """Rooted trees with so many nodes, each the sorted tuple of the subtrees on its root."""
    found = set()
    for parts in range(order):
        for sizes in itertools.combinations_with_replacement(range(1, order), parts):
            if sum(sizes) == order - 1:
                found |= {
                    tuple(sorted(subtrees))
                    for subtrees in itertools.product(*(trees(size) for size in sizes))
                }
    return sorted(found)


def nodes(tree):
    return 1 + sum(map(nodes, tree))


def density(tree):
    return nodes(tree) * math.prod(map(density, tree))


def weights(tree):
    """Elementary weights of the stages: products over the subtrees of the sums of weights."""
    product = np.ones(STAGES)
    for subtree in tree:
        product = product * (A @ weights(subtree))
    return product


def rounding(row, tree):
    """Bound of the rounding in the weighted sum: the row, and the sums inside, have some 40 terms."""
    return 40 * 2.0**-52 * (np.abs(row) @ np.abs(weights(tree)) + 1) * 30


def continuous(s):
    """Weights of the stages at place s of the step, from the nested form of dop853.f."""
    first, last = np.eye(STAGES)[0], np.eye(STAGES)[12]
    terms = [B, first - B, 2 * B - last - first, *D]
    total = np.zeros(STAGES)
    for level, term in reversed(list(enumerate(terms))):
        total = (total + term) * (s if level % 2 == 0 else 1 - s)
    return total


def test_numbers_of_trees():
    assert [len(trees(order)) for order in range(1, 9)] == [1, 1, 2, 4, 9, 20, 48, 115]


def test_rows_sum_to_their_nodes():
    assert np.allclose(A.sum(axis=1), C, rtol=0, atol=1e-14)
    assert np.array_equal(A[12], B)


@pytest.mark.parametrize("order", range(1, 9))
def test_solution_has_order_8(order):
    for tree in trees(order):
        assert abs(B @ weights(tree) - 1 / density(tree)) < rounding(B, tree)


def test_solution_has_no_more_than_order_8():
    assert max(abs(B @ weights(tree) - 1 / density(tree)) for tree in trees(9)) > 1e-8


@pytest.mark.parametrize(("row", "order"), [(E3, 3), (E5, 5)])
def test_error_estimates_vanish_up_to_their_order(row, order):
    for size in range(1, order + 1):
        for tree in trees(size):
            assert abs(row @ weights(tree)) < rounding(row, tree)
    assert max(abs(row @ weights(tree)) for tree in trees(order + 1)) > 1e-6


@pytest.mark.parametrize("s", [0.1, 0.37, 0.5, 0.8, 1.0])
def test_dense_output_has_order_7(s):
    row = continuous(s)
    for size in range(1, 8):
        for tree in trees(size):
            assert abs(row @ weights(tree) - s**size / density(tree)) < rounding(row, tree)


@numba.cfunc(kernel_signature(0), error_model="numpy")
def forced_pendulum(t, x, z, p, d, k, w, out):
    out[0] = x[1]
    out[1] = -math.sin(x[0]) + p[0] * math.cos(t)
    return 0


def arguments(start, *, end=1.0, tolerance=1e-9, step=0.0):
    state = np.zeros(run.STATE_SIZE)
    tally = np.zeros(run.TALLY_SIZE, np.int64)
    work = np.zeros((run.WORK_ROWS, len(start)))
    state[run.END], state[run.STEP] = end, step
    state[run.RTOL] = state[run.ATOL] = tolerance
    tally[run.MOST_ATTEMPTS] = 10**7
    work[run.X] = start
    return forced_pendulum.address, state, tally, work, *MODEL


MODEL = (np.zeros(1), np.array([0.3]), np.zeros(1), np.zeros(1, np.int64), np.zeros(1))
START = (1.0, 0.5)
END = 4.0


def by_tableau(x, t, h):
    """One step by the tableau: the new state and the error norm at unit tolerances."""

    def f(t, x):
        return np.array([x[1], -math.sin(x[0]) + 0.3 * math.cos(t)])

    slopes = np.zeros((STAGES, 2))
    for stage in range(13):
        slopes[stage] = f(t + C[stage] * h, x + h * A[stage] @ slopes)
    new = x + h * B @ slopes
    scale = 1 + np.maximum(np.abs(x), np.abs(new))
    third, fifth = (np.sum((row @ slopes / scale) ** 2) for row in (E3, E5))
    return new, h * fifth / math.sqrt(2 * (fifth + 0.01 * third))


def test_unrolled_step_is_the_tableau():
    rhs, _, _, work, *model = arguments(START)
    dense.call(rhs, 0.7, work[run.X], *model, work[run.K0])
    error = explicit.attempt(rhs, 0.7, 0.9, 1.0, 1.0, work, *model)
    new, expected = by_tableau(np.array(START), 0.7, 0.9)
    assert np.allclose(work[run.Y], new, rtol=1e-14, atol=0)
    # The estimates cancel: their terms are of size 1.
    assert abs(error - expected) < 1e-13


def fixed_steps(count):
    """States at the ends and in the middles of equal steps."""
    rhs, state, _, work, *model = arguments(START)
    h = END / count
    ends, middles = [], []
    dense.call(rhs, 0.0, work[run.X], *model, work[run.K0])
    for j in range(count):
        state[run.FROM], state[run.TAKEN] = j * h, h
        explicit.attempt(rhs, j * h, h, 1.0, 1.0, work, *model)
        dense.call(rhs, (j + 1) * h, work[run.Y], *model, work[run.K12])
        explicit.expand(rhs, state, work, *model)
        middle = np.empty(2)
        dense.polynomial(work[run.POLYNOMIAL : run.MARK], 0.5, middle)
        run.commit(work)
        ends.append(work[run.X].copy())
        middles.append(middle)
    return np.array(ends), np.array(middles)


def test_observed_orders():
    counts = np.array([6, 8, 12, 16, 24])
    fine, _ = fixed_steps(96 * 2)
    at_ends, between = [], []
    for count in counts:
        ends, middles = fixed_steps(count)
        stride = 192 // count
        at_ends.append(np.abs(ends - fine[stride - 1 :: stride]).max())
        between.append(np.abs(middles - fine[stride // 2 - 1 :: stride]).max())
    slopes = [-np.polyfit(np.log(counts), np.log(errors), 1)[0] for errors in (at_ends, between)]
    assert slopes[0] == pytest.approx(8, abs=0.4)
    assert slopes[1] > 7


def test_polynomial_passes_through_both_ends_with_their_slopes():
    made = arguments(START, end=10.0)
    starts, sizes, rows = np.empty(100), np.empty(100), np.empty((100, run.POWERS, 2))
    assert loops.begin(*made) == RUNNING
    assert loops.record(*made, 100, starts, sizes, rows) == OK
    count = made[2][run.ROWS]
    for j in range(count - 1):
        following = rows[j + 1]
        assert np.allclose(rows[j].sum(axis=0), following[0], rtol=0, atol=1e-14)
        left = np.arange(run.POWERS) @ rows[j] / sizes[j]
        # Horner sums of size h f, divided by h.
        assert np.allclose(left, following[1] / sizes[j + 1], rtol=0, atol=1e-13)


def test_a_run_in_chunks_is_the_same_run():
    whole, pieces = arguments(START, end=300.0), arguments(START, end=300.0)
    for each, steps in ((whole, 10**6), (pieces, 7)):
        loops.begin(*each)
        while loops.advance(*each, steps) == RUNNING:
            pass
    assert np.array_equal(whole[3], pieces[3])
    assert np.array_equal(whole[2], pieces[2])


def test_every_loop_takes_the_same_steps():
    runs = [arguments(START, end=50.0) for _ in range(4)]
    for each in runs:
        loops.begin(*each)
    room = (np.empty(500), np.zeros(500), np.empty((500, run.POWERS, 2)))
    guard = (
        forced_pendulum.address, np.zeros(2, np.int64), np.zeros(3, np.int64),
        np.zeros((dense.SIDE_ROWS, 4)),
        np.empty(500), np.empty(500, np.int64), np.empty((500, 2)),
    )  # fmt: skip
    times = np.linspace(0, 50, 7)
    loops.advance(*runs[0], 500)
    loops.sample(*runs[1], 500, times, np.empty((7, 2)))
    loops.record(*runs[2], 500, *room)
    loops.watch(*runs[3], 500, *room, *guard)
    for each in runs[1:]:
        assert np.array_equal(each[3][run.X], runs[0][3][run.X])
