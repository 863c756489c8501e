"""Implicit Runge-Kutta integration of order 5 for stiff systems: Radau IIA with the exact Jacobian.

``x' = f(t, x)`` is advanced by collocation at three nodes, the last of them the end of the step (Hairer and
Wanner, Solving Ordinary Differential Equations II, 2nd ed., Springer 1996, section IV.8; control of
Newton's iteration, of the step size and of the error as in their program radau5.f).  The method
is L-stable: its step is bound by accuracy alone.  ``Z W h`` are their letters.

Newton's iteration is done in the coordinates in which the 3n equations fall apart into n real and n
complex ones, with the matrices ``shift / h - J`` (see `tableaus`).  J and their factors are kept while the
iteration converges fast.  Every iteration computes the residuals anew from f; so what the equations
conserve linearly is conserved to rounding, although the factors are rounded too.

Cost of a step: 3 evaluations of f per iteration (2 to 4 of them) and 2 for the error, a solution of both
systems per iteration, and where something has changed J and two factorisations.  Where the polynomial is
needed, 3 evaluations and one solution more.

We deviate from radau5.f in the tolerance for the error estimate (`run.SOFTENED_POWER`); in the dense output
(`tableaus.RADAU5`); in that a slow iteration with an old Jacobian is first tried again with a new one.

Linear algebra is dense and our own if ``tally[FOREIGN]`` is 0.  Otherwise, and for what is needed before
the first implicit step, the function at the address ``tally[LINEAR]`` is asked.
"""

from __future__ import annotations

import math

import numpy as np

from dynlab.kernels.convention import (
    OK,
    RUNNING,
    SINGULAR,
    TOO_MANY_STEPS,
    call0,
    call_linear,
    integers_at,
    matrix_at,
    pointer,
)
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import EPS, MODEL, OPTIONS, call
from dynlab.kernels.linear import factor, factor_complex, solve, solve_complex
from dynlab.kernels.run import (
    ATTEMPTS,
    BAD_STEP,
    CONTRACTION,
    CUT,
    END,
    FACTORED,
    FACTORISATIONS,
    FOREIGN,
    FROM,
    ITERATED,
    JACOBIAN,
    JACOBIANS,
    K0,
    K12,
    LARGEST_RATE,
    LAST_ERROR,
    LAST_STEP,
    LINEAR,
    MARK,
    MARK_RATIO,
    MARKED_STEP,
    MARKS,
    MATRICES,
    MOST_ATTEMPTS,
    NEWTON,
    PIVOTS,
    POLYNOMIAL,
    SHIFT,
    SHIFT_IM,
    SHIFT_RE,
    SMALLEST_STEP,
    SOFT_ATOL,
    SOFT_RTOL,
    STALE,
    STEP,
    TAKEN,
    THETA,
    TIME,
    TINY,
    T,
    X,
    Y,
    diagnose,
    is_finite,
    is_standing,
    remember,
)
from dynlab.kernels.tableaus import RADAU5

C, BACK, TO, E = RADAU5.c, RADAU5.back, RADAU5.to, RADAU5.e
Q_OF_Z, PLACES = RADAU5.polynomial, RADAU5.places
FROM_DEFECTS, TO_CORRECTION = RADAU5.from_defects, RADAU5.to_correction

# Rows of `work` where the explicit method has its stages: an argument of f; increments; the same in the
# other coordinates; residuals; tolerances of the components; the polynomial of the last step.
AT, Z, W, R, SCALE, Q = 3, 4, 7, 10, 13, 15

# What `LINEAR` can be asked, with ``state[TIME:]`` and two vectors.
#: Provide what the first implicit step needs.
PREPARE = 0
#: Evaluate the Jacobian at ``state[TIME]`` and the first vector; write ``state[LARGEST_RATE]``.
DIFFERENTIATE = 1
#: Factor ``SHIFT - J`` and ``SHIFT_RE + i SHIFT_IM - J``.
FACTOR = 2
#: Overwrite the first vector, or the first + i the second, with the solution.
SOLVE, SOLVE_COMPLEX = 3, 4

#: Iterations at most, before the step counts as too long.
ITERATIONS = 7
#: An iteration slower than this does not converge; one slower than that wants a new Jacobian next time.
SLOWEST, FAST = 0.99, 1e-3
#: Step control of radau5.f: safety, bounds on h / h_new, and when the step is rather kept.
SAFETY, SHRINK_MOST, GROW_MOST, KEEP_FROM, KEEP_TO = 0.9, 5.0, 0.125, 1.0, 1.2
#: Newton steps for the polynomial of a step.
CORRECTIONS = 2
#: Steps of power iteration for the largest rate of the Jacobian.
POWER_STEPS = 8

# How Newton's iteration ended.
CONVERGED, SLOW, NOT_FINITE = range(3)

_RUN = f"i8, f8[::1], i8[::1], f8[:, ::1], {MODEL}"


@njit("f8(f8[:, ::1], f8[::1], f8[::1])", **OPTIONS)
def largest_rate(matrix, v, u):
    """Return about the largest modulus of the eigenvalues, by power iteration.

    A complex pair makes the growth swing; over two steps its root mean is taken, and of these the largest.
    """
    n = v.size
    for i in range(n):
        v[i] = 1.0 if i % 2 == 0 else -0.75
    best = before = 0.0
    for step in range(POWER_STEPS):
        size = 0.0
        for i in range(n):
            total = 0.0
            for j in range(n):
                total += matrix[i, j] * v[j]
            u[i] = total
            size = max(size, abs(total))
        if not 0.0 < size < np.inf:
            return best
        for i in range(n):
            v[i] = u[i] / size
        if step >= POWER_STEPS // 2:
            best = max(best, math.sqrt(size * before))
        before = size
    return best


@njit(f"i8(f8, f8[::1], i8[::1], f8[:, ::1], {MODEL})", **OPTIONS)
def _differentiate(t, state, tally, work, z, p, d, k, w):
    """Evaluate the Jacobian at the start of the step."""
    n = work.shape[1]
    state[FACTORED] = 0.0
    state[TIME] = t
    tally[JACOBIANS] += 1
    if tally[FOREIGN]:
        return call_linear(
            tally[LINEAR], DIFFERENTIATE, pointer(state), pointer(work[X]), pointer(work[X])
        )
    matrix = matrix_at(tally[MATRICES], n, n)
    call0(
        tally[JACOBIAN], t, pointer(work[X]), pointer(z), pointer(p), pointer(d), pointer(k),
        pointer(w), pointer(matrix),
    )  # fmt: skip
    state[LARGEST_RATE] = largest_rate(matrix, work[R], work[R + 1])
    return OK


@njit("i8(f8, f8[::1], i8[::1], f8[:, ::1])", **OPTIONS)
def _factor(h, state, tally, work):
    """Factor the matrices of a step size."""
    n = work.shape[1]
    state[FACTORED] = h
    real, re, im = RADAU5.shift / h, RADAU5.shift_re / h, RADAU5.shift_im / h
    state[SHIFT], state[SHIFT_RE], state[SHIFT_IM] = real, re, im
    tally[FACTORISATIONS] += 1
    if tally[FOREIGN]:
        return call_linear(
            tally[LINEAR], FACTOR, pointer(state), pointer(work[X]), pointer(work[X])
        )
    matrices = matrix_at(tally[MATRICES], 4 * n, n)
    pivots = integers_at(tally[PIVOTS], 2 * n)
    J, A, B, D = matrices[:n], matrices[n : 2 * n], matrices[2 * n : 3 * n], matrices[3 * n :]
    for i in range(n):
        for j in range(n):
            A[i, j] = B[i, j] = -J[i, j]
            D[i, j] = 0.0
        A[i, i] += real
        B[i, i] += re
        D[i, i] = im
    if factor(A, pivots[:n]) == 0.0 or not factor_complex(B, D, pivots[n:]):
        return SINGULAR
    return OK


@njit("i8(f8[::1], i8[::1], f8[:, ::1], f8[::1])", **OPTIONS)
def _solve(state, tally, work, b):
    n = work.shape[1]
    if tally[FOREIGN]:
        return call_linear(tally[LINEAR], SOLVE, pointer(state), pointer(b), pointer(b))
    matrices = matrix_at(tally[MATRICES], 4 * n, n)
    pivots = integers_at(tally[PIVOTS], 2 * n)
    solve(matrices[n : 2 * n], pivots[:n], b)
    return OK


@njit("i8(f8[::1], i8[::1], f8[:, ::1], f8[::1], f8[::1])", **OPTIONS)
def _solve_complex(state, tally, work, b, c):
    n = work.shape[1]
    if tally[FOREIGN]:
        return call_linear(tally[LINEAR], SOLVE_COMPLEX, pointer(state), pointer(b), pointer(c))
    matrices = matrix_at(tally[MATRICES], 4 * n, n)
    pivots = integers_at(tally[PIVOTS], 2 * n)
    solve_complex(matrices[2 * n : 3 * n], matrices[3 * n :], pivots[n:], b, c)
    return OK


@njit("void(f8, f8[::1], f8[:, ::1])", **OPTIONS)
def _predict(h, state, work):
    """Start the iteration from the polynomial of the last step, continued (zero without one)."""
    for i in range(work.shape[1]):
        for stage in range(3):
            work[Z + stage, i] = 0.0
            if state[LAST_STEP] != 0.0:
                # Powers of 1 + r less 1, multiplied out against cancellation.
                r = C[stage] * (h / state[LAST_STEP])
                second, third = work[Q + 1, i] * (2.0 + r), work[Q + 2, i] * (3.0 + r * (3.0 + r))
                work[Z + stage, i] = r * (work[Q, i] + second + third)
        z0, z1, z2 = work[Z, i], work[Z + 1, i], work[Z + 2, i]
        for row in range(3):
            work[W + row, i] = TO[row][0] * z0 + TO[row][1] * z1 + TO[row][2] * z2


@njit(f"i8(i8, f8, f8, f8[::1], i8[::1], f8[:, ::1], {MODEL})", **OPTIONS)
def _iterate(rhs, t, h, state, tally, work, z, p, d, k, w):
    """Solve the equations of a step by simplified Newton iteration (eqs 8.11 to 8.14)."""
    n = work.shape[1]
    real, re, im = RADAU5.shift / h, RADAU5.shift_re / h, RADAU5.shift_im / h
    contraction = max(state[CONTRACTION], EPS) ** 0.8
    rounding = 10.0 * EPS / (EPS + state[SOFT_RTOL])
    before = last_ratio = 0.0
    state[THETA] = FAST
    for count in range(ITERATIONS):
        for stage in range(3):
            for i in range(n):
                work[AT, i] = work[X, i] + work[Z + stage, i]
            call(rhs, t + C[stage] * h, work[AT], z, p, d, k, w, work[R + stage])
        for i in range(n):
            f0, f1, f2 = work[R, i], work[R + 1, i], work[R + 2, i]
            w0, w1, w2 = work[W, i], work[W + 1, i], work[W + 2, i]
            work[R, i] = TO[0][0] * f0 + TO[0][1] * f1 + TO[0][2] * f2 - real * w0
            work[R + 1, i] = TO[1][0] * f0 + TO[1][1] * f1 + TO[1][2] * f2 - re * w1 + im * w2
            work[R + 2, i] = TO[2][0] * f0 + TO[2][1] * f1 + TO[2][2] * f2 - re * w2 - im * w1
        status = _solve(state, tally, work, work[R])
        if status == OK:
            status = _solve_complex(state, tally, work, work[R + 1], work[R + 2])
        if status != OK:
            return -status
        total = 0.0
        for i in range(n):
            for row in range(3):
                total += (work[R + row, i] / work[SCALE, i]) ** 2
        size = math.sqrt(total / (3 * n))
        if not size < np.inf:
            return NOT_FINITE
        if count > 0 and size > rounding:
            ratio = size / before
            theta = ratio if count == 1 else math.sqrt(ratio * last_ratio)
            last_ratio = ratio
            state[THETA] = theta
            if theta >= SLOWEST:
                return SLOW
            contraction = theta / (1.0 - theta)
            left = ITERATIONS - 1 - count
            if contraction * size * theta**left >= state[NEWTON]:
                return SLOW
        before = max(size, EPS)
        for i in range(n):
            for row in range(3):
                work[W + row, i] += work[R + row, i]
            w0, w1, w2 = work[W, i], work[W + 1, i], work[W + 2, i]
            work[Z, i] = BACK[0][0] * w0 + BACK[0][1] * w1 + BACK[0][2] * w2
            work[Z + 1, i] = BACK[1][0] * w0 + BACK[1][1] * w1 + BACK[1][2] * w2
            work[Z + 2, i] = w0 + w1
        if contraction * size <= state[NEWTON] or size <= rounding:
            state[CONTRACTION] = contraction
            tally[ITERATED] = count + 1
            return CONVERGED
    return SLOW


@njit("f8(i8, f8[:, ::1])", **OPTIONS)
def _norm(row, work):
    """Return the root-mean-square of a row over the tolerances."""
    total = 0.0
    for i in range(work.shape[1]):
        total += (work[row, i] / work[SCALE, i]) ** 2
    return math.sqrt(total / work.shape[1])


@njit(f"f8(i8, f8, f8, b1, f8[::1], i8[::1], f8[:, ::1], {MODEL})", **OPTIONS)
def _error(rhs, t, h, is_doubtful, state, tally, work, z, p, d, k, w):
    """Return the estimated error of the step over the tolerance (eqs 8.18 to 8.20)."""
    n = work.shape[1]
    for i in range(n):
        work[R + 1, i] = (E[0] * work[Z, i] + E[1] * work[Z + 1, i] + E[2] * work[Z + 2, i]) / h
        work[R, i] = work[K0, i] + work[R + 1, i]
    if _solve(state, tally, work, work[R]) != OK:
        return np.inf
    err = _norm(R, work)
    if err < 1.0 or not is_doubtful:
        return err
    # The estimate does not vanish for infinite stiffness; filtered twice it does.
    for i in range(n):
        work[AT, i] = work[X, i] + work[R, i]
    call(rhs, t, work[AT], z, p, d, k, w, work[R])
    for i in range(n):
        work[R, i] += work[R + 1, i]
    if _solve(state, tally, work, work[R]) != OK:
        return np.inf
    again = _norm(R, work)
    return again if again < np.inf else err


@njit("f8(f8, f8, b1, f8[::1], i8[::1])", **OPTIONS)
def _following(h, err, was_rejected, state, tally):
    """Return the size of the next step, predicted from the errors of two (eqs 8.21 and 8.26)."""
    safety = SAFETY * (2 * ITERATIONS + 1) / (2 * ITERATIONS + tally[ITERATED])
    wanted = math.sqrt(math.sqrt(err)) / safety
    if err <= 1.0 and state[LAST_STEP] != 0.0:
        root = math.sqrt(math.sqrt(err * err / state[LAST_ERROR]))
        wanted = max(wanted, state[LAST_STEP] / h * root / SAFETY)
    return h / min(max(wanted, 1.0 if was_rejected else GROW_MOST), SHRINK_MOST)


@njit(f"i8({_RUN})", **OPTIONS)
def proceed(rhs, state, tally, work, z, p, d, k, w):
    """Find one acceptable step from ``work[X]`` to ``work[Y]``; return RUNNING or why not.

    The caller may use both ends, then calls `commit`.
    """
    n = work.shape[1]
    t, h, end = state[T], state[STEP], state[END]
    if tally[JACOBIAN] == 0 and tally[FOREIGN] == 0:
        status = call_linear(
            tally[LINEAR], PREPARE, pointer(state), pointer(work[X]), pointer(work[X])
        )
        if status != OK:
            return status
    is_new = state[FACTORED] == 0.0 or tally[STALE] != 0
    was_rejected = is_fresh = False
    for i in range(n):
        work[SCALE, i] = state[SOFT_ATOL] + state[SOFT_RTOL] * abs(work[X, i])
    while True:
        if tally[ATTEMPTS] >= tally[MOST_ATTEMPTS]:
            return TOO_MANY_STEPS
        is_last = 1.01 * abs(h) >= abs(end - t)
        if is_last:
            h = end - t
        elif abs(h) < SMALLEST_STEP * abs(t) or abs(h) < TINY:
            return diagnose(h, state, tally, work)
        tally[ATTEMPTS] += 1
        if is_new:
            status = _differentiate(t, state, tally, work, z, p, d, k, w)
            if status != OK:
                return status
            is_new, is_fresh = False, True
        status = OK
        if state[FACTORED] != h:
            status = _factor(h, state, tally, work)
            if status != OK and status != SINGULAR:
                return status
        _predict(h, state, work)
        outcome = NOT_FINITE
        if status == OK:
            outcome = _iterate(rhs, t, h, state, tally, work, z, p, d, k, w)
            if outcome < 0:
                return -outcome
        if outcome == SLOW:
            if is_fresh:
                h *= 0.5
                was_rejected = True
            else:
                is_new = True
            continue
        if outcome == CONVERGED:
            is_doubtful = was_rejected or state[LAST_STEP] == 0.0
            err = _error(rhs, t, h, is_doubtful, state, tally, work, z, p, d, k, w)
            if err <= 1.0:
                for i in range(n):
                    work[Y, i] = work[X, i] + work[Z + 2, i]
                call(rhs, t + h, work[Y], z, p, d, k, w, work[K12])
                if is_finite(work[K12]):
                    break
            elif err < np.inf:
                is_first = state[LAST_STEP] == 0.0
                was_rejected = True
                h = 0.1 * h if is_first else _following(h, err, was_rejected, state, tally)
                is_new = not is_fresh and state[THETA] > FAST
                continue
        state[BAD_STEP] = abs(h)
        h *= CUT
        was_rejected = True
        is_new = not is_fresh
        if is_standing(h, work):
            return diagnose(h, state, tally, work)
    state[FROM], state[TAKEN] = t, h
    state[T] = end if is_last else t + h
    following = _following(h, err, was_rejected, state, tally)
    converges_fast = state[THETA] <= FAST
    if not (converges_fast and KEEP_FROM <= following / h <= KEEP_TO):
        state[STEP] = following
    else:
        state[STEP] = h
    state[LAST_STEP], state[LAST_ERROR] = h, max(0.01, err)
    tally[STALE] = 0 if converges_fast else 1
    for i in range(n):
        z0, z1, z2 = work[Z, i], work[Z + 1, i], work[Z + 2, i]
        for row in range(3):
            work[Q + row, i] = Q_OF_Z[row][0] * z0 + Q_OF_Z[row][1] * z1 + Q_OF_Z[row][2] * z2
    if abs(h) > 10.0 * state[MARKED_STEP]:
        tally[MARKS] = 0
    if tally[MARKS] == 0 or MARK_RATIO * abs(h) < state[MARKED_STEP]:
        remember(h, state, tally, work)
    return RUNNING


@njit(f"void(i8, f8[::1], i8[::1], f8[:, ::1], {MODEL})", **OPTIONS)
def expand(rhs, state, tally, work, z, p, d, k, w):
    """Write the step just taken as a polynomial of degree 4 into ``work[POLYNOMIAL:]``.

    See `tableaus.RADAU5`: the collocation polynomial and a correction ``s (1 - s) (a + b s + c s^2)``.
    """
    n = work.shape[1]
    t, h = state[FROM], state[TAKEN]
    P = work[POLYNOMIAL:MARK]
    for i in range(n):
        P[0, i] = work[X, i]
        for j in range(1, 8):
            P[j, i] = work[Q + j - 1, i] if j < 4 else 0.0
    for _ in range(CORRECTIONS):
        for place in range(3):
            s = PLACES[place]
            for i in range(n):
                x = P[4, i]
                slope = 4.0 * P[4, i]
                for j in range(3, 0, -1):
                    x = x * s + P[j, i]
                    slope = slope * s + j * P[j, i]
                work[AT, i] = x * s + P[0, i]
                work[R + place, i] = -slope / h
            call(rhs, t + s * h, work[AT], z, p, d, k, w, work[Z])
            for i in range(n):
                work[R + place, i] += work[Z, i]
        for i in range(n):
            d0, d1, d2 = work[R, i], work[R + 1, i], work[R + 2, i]
            for row in range(3):
                work[R + row, i] = (
                    FROM_DEFECTS[row][0] * d0
                    + FROM_DEFECTS[row][1] * d1
                    + FROM_DEFECTS[row][2] * d2
                )
        if _solve(state, tally, work, work[R]) != OK:
            return
        if _solve_complex(state, tally, work, work[R + 1], work[R + 2]) != OK:
            return
        if not (is_finite(work[R]) and is_finite(work[R + 1])):
            return
        for i in range(n):
            w0, w1, w2 = work[R, i], work[R + 1, i], work[R + 2, i]
            for row in range(3):
                a = (
                    TO_CORRECTION[row][0] * w0
                    + TO_CORRECTION[row][1] * w1
                    + TO_CORRECTION[row][2] * w2
                )
                P[row + 1, i] += a
                P[row + 2, i] -= a
