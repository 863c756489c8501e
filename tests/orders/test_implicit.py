"""The implicit method: identities of its coefficients, the orders that it shows, changes of method."""

import math

import numba
import numpy as np
import pytest
import scipy.integrate
import scipy.sparse

from dynlab.kernels import dense, loops, run
from dynlab.kernels.convention import OK, RUNNING, kernel_signature
from dynlab.kernels.linear import factor_complex, solve_complex
from dynlab.kernels.tableaus import RADAU5
from dynlab.solve.linear_algebra import LinearAlgebra, Sparse

C = np.array(RADAU5.c)
TO, BACK = np.array(RADAU5.to), np.array(RADAU5.back)
BLOCKS = np.array([
    [RADAU5.shift, 0, 0],
    [0, RADAU5.shift_re, -RADAU5.shift_im],
    [0, RADAU5.shift_im, RADAU5.shift_re],
])  # fmt: skip
# Collocation: row i holds the integrals of the Lagrange polynomials of the nodes from 0 to c_i.
A = (C[:, None] ** [1, 2, 3] / [1, 2, 3]) @ np.linalg.inv(C[:, None] ** [0, 1, 2])
B = A[2]
#: The coefficients have 18 digits and sums of a dozen terms of size up to 60.
ROUNDING = 1e-12


def test_collocation_has_order_5():
    # B(5), C(3), D(2): Hairer and Wanner II, section IV.5.
    for k in range(1, 6):
        assert abs(B @ C ** (k - 1) - 1 / k) < 1e-14
    for k in range(1, 4):
        assert np.allclose(A @ C ** (k - 1), C**k / k, rtol=0, atol=1e-14)
    for k in range(1, 3):
        assert np.allclose((B * C ** (k - 1)) @ A, B * (1 - C**k) / k, rtol=0, atol=1e-14)
    assert abs(B @ C**5 - 1 / 6) > 1e-4


def test_nodes_are_those_of_radau():
    assert np.allclose(C, [(4 - math.sqrt(6)) / 10, (4 + math.sqrt(6)) / 10, 1], rtol=0, atol=1e-16)


def test_coordinates_make_the_inverse_block_diagonal():
    assert np.allclose(TO @ BACK, np.eye(3), rtol=0, atol=ROUNDING)
    assert np.allclose(TO @ np.linalg.inv(A) @ BACK, BLOCKS, rtol=0, atol=ROUNDING)


def test_polynomial_passes_through_the_stages():
    powers = C[:, None] ** [1, 2, 3]
    assert np.allclose(powers @ np.array(RADAU5.polynomial), np.eye(3), rtol=0, atol=ROUNDING)


def stability(z):
    return 1 + z * B @ np.linalg.solve(np.eye(3) - z * A, np.ones(3))


def test_method_is_l_stable():
    assert abs(stability(-1e12)) < 1e-11
    assert all(abs(stability(1j * y)) <= 1 + 1e-14 for y in np.logspace(-3, 6, 200))
    # No pole on the left and bounded on the axis: bounded on the left, by the maximum principle.
    assert (np.linalg.eigvals(A).real > 0).all()
    assert abs(stability(-0.01) - math.exp(-0.01)) < 1e-14


def test_error_weights_are_of_order_3():
    # The error is that of an embedded formula with weight 1/shift on the slope at the start (eq 8.17).
    weights = np.array(RADAU5.e) @ A
    for k in range(1, 4):
        total = weights @ C ** (k - 1) + (1 if k == 1 else 0)
        assert abs(total) < ROUNDING
    assert abs(weights @ C**3) > 0.01


def test_dense_output_uses_the_same_matrices():
    places = np.array(RADAU5.places)[:, None]
    j = np.array([0, 1, 2])
    values = places ** (j + 1) - places ** (j + 2)
    slopes = (j + 1) * places**j - (j + 2) * places ** (j + 1)
    pencil = slopes @ np.linalg.inv(values)
    found, expected = (np.sort_complex(np.linalg.eigvals(m)) for m in (pencil, BLOCKS))
    assert np.allclose(found, expected, rtol=0, atol=1e-11)
    to = np.array(RADAU5.from_defects)
    assert np.allclose(to @ pencil @ np.linalg.inv(to), BLOCKS, rtol=0, atol=1e-11)
    correction = np.linalg.solve(values, np.linalg.inv(to))
    assert np.allclose(np.array(RADAU5.to_correction), correction, rtol=1e-12, atol=0)


@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_complex_elimination(n):
    rng = np.random.default_rng(n)
    matrix = rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n))
    x = rng.normal(size=n) + 1j * rng.normal(size=n)
    b = matrix @ x
    re, im, pivots = matrix.real.copy(), matrix.imag.copy(), np.zeros(n, np.int64)
    real, imaginary = b.real.copy(), b.imag.copy()
    assert factor_complex(re, im, pivots)
    solve_complex(re, im, pivots, real, imaginary)
    assert np.abs(real + 1j * imaginary - x).max() < 1e-14 * np.linalg.cond(matrix) * n
    assert not factor_complex(np.zeros((n, n)), np.zeros((n, n)), pivots)


# --- runs ----------------------------------------------------------------------------------------


@numba.cfunc(kernel_signature(0), error_model="numpy")
def forced_pendulum(t, x, z, p, d, k, w, out):
    out[0] = x[1]
    out[1] = -math.sin(x[0]) + p[0] * math.cos(t)
    return 0


@numba.cfunc(kernel_signature(0), error_model="numpy")
def forced_pendulum_jacobian(t, x, z, p, d, k, w, out):
    out[0], out[1] = 0.0, 1.0
    out[2], out[3] = -math.cos(x[0]), 0.0
    return 0


@numba.cfunc(kernel_signature(0), error_model="numpy")
def relaxation(t, x, z, p, d, k, w, out):
    # Prothero and Robinson: x = cos t whatever the rate p; Hairer and Wanner II, section IV.15.
    out[0] = -p[0] * (x[0] - math.cos(t)) - math.sin(t)
    out[1] = -x[1]
    return 0


@numba.cfunc(kernel_signature(0), error_model="numpy")
def relaxation_jacobian(t, x, z, p, d, k, w, out):
    out[0], out[1], out[2], out[3] = -p[0], 0.0, 0.0, -1.0
    return 0


class Given(LinearAlgebra):
    """Dense elimination with a Jacobian that a test wrote."""

    def __init__(self, jacobian):
        super().__init__()
        self.jacobian, self.prepared = jacobian, 0

    def prepare(self):
        self.prepared += 1
        self.matrices = np.zeros((4 * self._size, self._size))
        self.pivots = np.zeros(2 * self._size, np.int64)
        self._tally[run.MATRICES] = self.matrices.ctypes.data
        self._tally[run.PIVOTS] = self.pivots.ctypes.data
        self._tally[run.JACOBIAN] = self.jacobian.address


def begun(rhs, algebra, start, *, end, tolerance, step=0.0, choice=run.IMPLICIT, p=0.3):
    state, tally = np.zeros(run.STATE_SIZE), np.zeros(run.TALLY_SIZE, np.int64)
    work = np.zeros((run.WORK_ROWS, len(start)))
    state[run.END], state[run.STEP] = end, step
    state[run.RTOL] = state[run.ATOL] = tolerance
    tally[run.MOST_ATTEMPTS], tally[run.CHOICE] = 10**7, choice
    work[run.X] = start
    algebra.attach(tally, len(start))
    if choice == run.IMPLICIT:
        algebra.prepare()
    model = np.zeros(1), np.array([float(p)]), np.zeros(1), np.zeros(1, np.int64), np.zeros(1)
    arguments = (rhs.address, state, tally, work, *model)
    assert loops.begin(*arguments) == RUNNING
    return arguments


def equal_steps(rhs, jacobian, start, count, *, end, p=0.3):
    """States at the ends of equal steps, and at places between them."""
    algebra = Given(jacobian)
    # A large tolerance accepts each step; Newton's iteration is made tight by hand.
    arguments = begun(rhs, algebra, start, end=end, tolerance=1.0, p=p)
    _, state, tally, work, *_ = arguments
    ends, between = [], []
    h = end / count
    while state[run.T] != end:
        state[run.NEWTON] = 1e-12
        state[run.STEP] = h
        tally[run.STALE] = 1
        assert loops.implicit.proceed(*arguments) == RUNNING
        loops.implicit.expand(*arguments)
        middle = np.empty(len(start))
        for s in (0.3, 0.5, 0.9):
            dense.polynomial(work[run.POLYNOMIAL : run.MARK], s, middle)
            between.append((state[run.FROM] + s * h, middle.copy()))
        run.commit(work)
        ends.append(work[run.X].copy())
    return np.array(ends), between


START, END = (1.0, 0.5), 4.0


def test_observed_orders():
    fine = scipy.integrate.solve_ivp(
        lambda t, x: [x[1], -math.sin(x[0]) + 0.3 * math.cos(t)], (0, END), START,
        method="DOP853", rtol=1e-13, atol=1e-14, dense_output=True,
    ).sol  # fmt: skip
    counts = np.array([16, 24, 32, 48])
    at_ends, inside = [], []
    for count in counts:
        ends, between = equal_steps(
            forced_pendulum, forced_pendulum_jacobian, START, count, end=END
        )
        times = END * np.arange(1, count + 1) / count
        at_ends.append(np.abs(ends - fine(times).T).max())
        inside.append(max(np.abs(x - fine(t)).max() for t, x in between))
    slopes = [-np.polyfit(np.log(counts), np.log(errors), 1)[0] for errors in (at_ends, inside)]
    assert slopes[0] == pytest.approx(5, abs=0.3)
    assert slopes[1] == pytest.approx(5, abs=0.3)


@pytest.mark.parametrize("rate", [1e4, 1e8, 1e12])
def test_stiff_order_of_ends_and_of_dense_output(rate):
    # The ends are exact to the stiffest order, 1/rate h^3 and better; the collocation polynomial alone
    # has h^4 between them, the corrected one h^5.
    counts = np.array([4, 6, 8, 12])
    inside = []
    for count in counts:
        ends, between = equal_steps(
            relaxation, relaxation_jacobian, (1.0, 1.0), count, end=END, p=rate
        )
        times = END * np.arange(1, count + 1) / count
        assert np.abs(ends[:, 0] - np.cos(times)).max() < (END / count) ** 3 / rate + 1e-14
        inside.append(max(abs(x[0] - math.cos(t)) for t, x in between))
    assert -np.polyfit(np.log(counts), np.log(inside), 1)[0] == pytest.approx(5, abs=0.4)


def test_polynomial_passes_through_both_ends():
    arguments = begun(
        forced_pendulum, Given(forced_pendulum_jacobian), START, end=10.0, tolerance=1e-8
    )
    starts, sizes, rows = np.empty(900), np.zeros(900), np.empty((900, run.POWERS, 2))
    assert loops.record(*arguments, 900, starts, sizes, rows) == OK
    count = arguments[2][run.ROWS]
    assert count > 20
    # Coefficients from increments by a matrix with entries up to 26.
    assert np.allclose(rows[: count - 1].sum(axis=1), rows[1:count, 0], rtol=0, atol=1e-13)


def test_a_run_in_chunks_is_the_same_run():
    whole, pieces = (
        (begun(forced_pendulum, algebra, START, end=60.0, tolerance=1e-7), algebra)
        for algebra in (Given(forced_pendulum_jacobian), Given(forced_pendulum_jacobian))
    )
    for (arguments, _), steps in ((whole, 10**6), (pieces, 7)):
        while loops.advance(*arguments, steps) == RUNNING:
            pass
    assert np.array_equal(whole[0][3], pieces[0][3])
    assert whole[0][2][run.IMPLICIT_STEPS] == pieces[0][2][run.IMPLICIT_STEPS] > 50


def test_no_jacobian_is_asked_for_without_stiffness():
    algebra = Given(forced_pendulum_jacobian)
    arguments = begun(
        forced_pendulum, algebra, START, end=100.0, tolerance=1e-9, choice=run.MEASURED
    )
    alone = begun(forced_pendulum, algebra, START, end=100.0, tolerance=1e-9, choice=run.EXPLICIT)
    for each in (arguments, alone):
        assert loops.advance(*each, 10**6) == OK
    assert algebra.prepared == 0
    assert np.array_equal(arguments[3], alone[3])


@pytest.mark.parametrize("tolerance", [1e-4, 1e-8, 1e-12])
def test_method_follows_the_stiffness(tolerance):
    """A rate that grows with time: explicit first, implicit after, at every tolerance."""
    algebra = Given(relaxation_jacobian)
    arguments = begun(
        relaxation, algebra, (1.0, 1.0), end=50.0, tolerance=tolerance, choice=run.MEASURED, p=1e6
    )
    assert loops.advance(*arguments, 10**6) == OK
    tally, work = arguments[2], arguments[3]
    assert algebra.prepared == 1
    # Without the change it takes 50 * 1e6 / 6 steps.
    assert tally[run.EXPLICIT_STEPS] + tally[run.IMPLICIT_STEPS] < 20_000
    # The equation subtracts numbers of size 1 and multiplies by 1e6: slopes are rounded to 1e-10.
    assert abs(work[run.X, 0] - math.cos(50)) < 10 * tolerance + 1e-10


# --- sparse --------------------------------------------------------------------------------------

N = 500
SPREAD = (N + 1) ** 2 / 50


@numba.cfunc(kernel_signature(0), error_model="numpy")
def reaction_diffusion(t, x, z, p, d, k, w, out):
    # BRUSS: Hairer and Wanner II, section IV.10; u and v in turn, u = 1 and v = 3 at both ends.
    for i in range(N):
        u, v = x[2 * i], x[2 * i + 1]
        left_u = x[2 * i - 2] if i > 0 else 1.0
        left_v = x[2 * i - 1] if i > 0 else 3.0
        right_u = x[2 * i + 2] if i < N - 1 else 1.0
        right_v = x[2 * i + 3] if i < N - 1 else 3.0
        out[2 * i] = 1 + u * u * v - 4 * u + SPREAD * (left_u - 2 * u + right_u)
        out[2 * i + 1] = 3 * u - u * u * v + SPREAD * (left_v - 2 * v + right_v)
    return 0


def reaction_diffusion_jacobian(t, x):
    u, v = x[::2], x[1::2]
    main, above, below = np.empty(2 * N), np.zeros(2 * N - 1), np.zeros(2 * N - 1)
    main[::2], main[1::2] = 2 * u * v - 4 - 2 * SPREAD, -(u**2) - 2 * SPREAD
    above[::2], below[::2] = u**2, 3 - 2 * u * v
    far = np.full(2 * N - 2, SPREAD)
    return scipy.sparse.diags([far, below, main, above, far], [-2, -1, 0, 1, 2], format="csc")


def initial_profile():
    place = np.arange(1, N + 1) / (N + 1)
    return np.ravel(np.column_stack([1 + np.sin(2 * np.pi * place), np.full(N, 3.0)]))


def rates(t, x):
    out = np.empty_like(x)
    none = np.zeros(1)
    dense.call(reaction_diffusion.address, t, x, none, none, none, np.zeros(1, np.int64), none, out)
    return out


@pytest.fixture(scope="module")
def profile():
    """States at t = 1 by scipy's Radau at a tight tolerance."""
    return scipy.integrate.solve_ivp(
        rates, (0, 1), initial_profile(), method="Radau", rtol=1e-9, atol=1e-9, t_eval=[1.0],
        jac=reaction_diffusion_jacobian,
    ).y[:, -1]  # fmt: skip


@pytest.mark.parametrize("choice", [run.IMPLICIT, run.MEASURED])
def test_sparse_matrices_by_their_pattern(profile, choice):
    algebra = Sparse(reaction_diffusion_jacobian)
    arguments = begun(
        reaction_diffusion, algebra, initial_profile(), end=1.0, tolerance=1e-7, choice=choice
    )
    while (status := loops.advance(*arguments, 20)) == RUNNING:
        pass
    assert status == OK
    assert np.abs(arguments[3][run.X] - profile).max() < 10 * 1e-7 * 5
    assert arguments[2][run.IMPLICIT_STEPS] < 200
    # The fastest mode decays with rate 4 SPREAD.
    assert arguments[1][run.LARGEST_RATE] == pytest.approx(4 * SPREAD, rel=0.5)


def test_sparse_and_dense_take_the_same_steps():
    both = []
    for algebra in (
        Given(forced_pendulum_jacobian),
        Sparse(lambda t, x: scipy.sparse.csc_matrix([[0, 1], [-math.cos(x[0]), 0]])),
    ):
        arguments = begun(forced_pendulum, algebra, START, end=20.0, tolerance=1e-8)
        assert loops.advance(*arguments, 10**4) == OK
        both.append(arguments)
    assert both[0][2][run.IMPLICIT_STEPS] == both[1][2][run.IMPLICIT_STEPS]
    assert np.allclose(both[0][3][run.X], both[1][3][run.X], rtol=1e-11, atol=0)


def test_an_error_in_the_jacobian_ends_the_run_and_is_kept():
    def broken(t, x):
        raise LookupError("no pattern")

    algebra = Sparse(broken)
    arguments = begun(forced_pendulum, algebra, START, end=20.0, tolerance=1e-8)
    assert loops.advance(*arguments, 10) not in (OK, RUNNING)
    assert isinstance(algebra.failure, LookupError)


def test_a_singular_sparse_matrix_shortens_the_step():
    # shift / h - J is singular for one h; then the step is cut, not the run ended.
    shift, first = RADAU5.shift, 0.25

    @numba.cfunc(kernel_signature(0), error_model="numpy")
    def growth(t, x, z, p, d, k, w, out):
        out[0] = p[0] * x[0]
        return 0

    algebra = Sparse(lambda t, x: scipy.sparse.csc_matrix([[shift / first]]))
    arguments = begun(growth, algebra, (1.0,), end=1.0, tolerance=1e-6, step=first, p=shift / first)
    assert loops.advance(*arguments, 10**4) == OK
    assert arguments[3][run.X, 0] == pytest.approx(math.exp(shift / first), rel=1e-4)
