"""Explicit Runge-Kutta integration of order 8 with dense output and crossings inside the step.

``x' = f(t, x)`` is advanced by the method of Dormand and Prince of order 8 with the combined
error estimate of orders 5 and 3, and continued between steps by a polynomial of degree 7
(Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, 2nd ed., Springer 1993,
sections II.4 to II.6 and II.10; step control and error norm as in their program dop853.f).  The
letters ``A B C E3 E5 D K h`` are theirs.

Cost of a step: 12 evaluations of f, 11 more for each rejected trial, 3 more where the polynomial is
needed.  What makes it slow: stiffness (step size bound by stability, not by accuracy).

One run lives in three arrays that the caller owns, so that it can be left and taken up again:

``state``  time, next step, end, tolerances, and what the diagnosis of a failure needs
``tally``  counts; among them the attempts made and the most allowed
``work``   rows of n numbers: the state, the new state, 16 stages, 8 polynomial coefficients, marks

`begin` prepares them.  Then one of four loops is called in chunks until it returns something
else than RUNNING: `advance` (nothing kept), `sample` (states at given times), `record` (every step
as a polynomial) and `watch` (the same, with crossings of guards).  They stand last: a function with
a signature is compiled when it is read, so helpers come first.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from dynlab.kernels.convention import (
    DIVERGED,
    EVENT,
    LEFT_DOMAIN,
    OK,
    RUNNING,
    STEP_TOO_SMALL,
    TOO_MANY_STEPS,
    call0,
    pointer,
)
from dynlab.kernels.dense import (
    EPS,
    MODEL,
    OPTIONS,
    PARTS,
    begin_watching,
    call,
    copy,
    find_crossings,
    polynomial,
)
from dynlab.kernels.tableaus import DOP853

A, B, C, E3, E5, D = DOP853.a, DOP853.b, DOP853.c, DOP853.e3, DOP853.e5, DOP853.d

# Places in `state`.
T, STEP, END, RTOL, ATOL, FROM, TAKEN, MARKED_STEP, BAD_STEP = range(9)
STATE_SIZE = 9

# Places in `tally`.
ATTEMPTS, MOST_ATTEMPTS, MARKS, NEXT_SAMPLE, ROWS, EVENTS, WATCHING, ENDED_BY = range(8)
TALLY_SIZE = 8

# Rows of `work`: state, new state, stages, polynomial; then the marks and the start.
X, Y, K0, K12, POLYNOMIAL, MARK, MARK_RATE, START = 0, 1, 2, 14, 18, 26, 29, 32
WORK_ROWS = 33

#: Powers in the polynomial of a step, 0 to 7.
POWERS = 8

#: Step control of dop853.f: safety factor, and bounds on h / h_new.
SAFETY, SHRINK_MOST, GROW_MOST = 0.9, 1.0 / 0.333, 1.0 / 6.0
#: A step of fewer units of rounding of t cannot be told from none.
SMALLEST_STEP = 10.0 * EPS
TINY = 1e-300
#: The step is cut by this when a trial is not finite, which says nothing about how far to go.
CUT = 0.25

# See `diagnose`.
MARK_RATIO, STILL_GROWING, STEEPENING, NEAR = 100.0, 0.6, 4.0, 1e4
OVERFLOWING, HUGE = 1e150, 1e6

_RUN = f"i8, f8[::1], i8[::1], f8[:, ::1], {MODEL}"


@njit("b1(f8[::1])", **OPTIONS)
def is_finite(values):
    """Whether every number is finite."""
    total = 0.0
    for i in range(values.size):
        total += 0.0 * values[i]
    return total == 0.0


@njit("f8(f8)", **OPTIONS)
def _eighth_root(value):
    return math.sqrt(math.sqrt(math.sqrt(value)))


# fmt: off
@njit(f"f8(i8, f8, f8, f8, f8, f8[:, ::1], {MODEL})", forceinline=True, **OPTIONS)
def attempt(rhs, t, h, rtol, atol, work, z_, p_, d_, k_, w_):
    """Take one trial step: write the new state to ``work[Y]``, return the error over tolerance.

    ``err = |h| e5^2 / sqrt(n (e5^2 + 0.01 e3^2))`` with the root-sum-square norms of both estimates,
    each component over ``atol + rtol max(|x|, |new|)`` (section II.10, eq. 10.17).

    The newest slope is added last and by itself: the sum of the others is ready before it is, and
    the step of a small system takes as long as this chain (10 % less than with one sum).
    """
    n = work.shape[1]
    X, Y, K = work[0], work[1], work[2:18]
    y, z, p, d, k, w = pointer(Y), pointer(z_), pointer(p_), pointer(d_), pointer(k_), pointer(w_)
    for i in range(n):
        Y[i] = X[i] + h * A[1][0] * K[0, i]
    call0(rhs, t + C[1] * h, y, z, p, d, k, w, pointer(K[1]))
    for i in range(n):
        Y[i] = X[i] + h * A[2][0] * K[0, i] + h * A[2][1] * K[1, i]
    call0(rhs, t + C[2] * h, y, z, p, d, k, w, pointer(K[2]))
    for i in range(n):
        Y[i] = X[i] + h * A[3][0] * K[0, i] + h * A[3][2] * K[2, i]
    call0(rhs, t + C[3] * h, y, z, p, d, k, w, pointer(K[3]))
    for i in range(n):
        Y[i] = X[i] + h * (A[4][0] * K[0, i] + A[4][2] * K[2, i]) + h * A[4][3] * K[3, i]
    call0(rhs, t + C[4] * h, y, z, p, d, k, w, pointer(K[4]))
    for i in range(n):
        Y[i] = X[i] + h * (A[5][0] * K[0, i] + A[5][3] * K[3, i]) + h * A[5][4] * K[4, i]
    call0(rhs, t + C[5] * h, y, z, p, d, k, w, pointer(K[5]))
    for i in range(n):
        Y[i] = X[i] + h * (
            A[6][0] * K[0, i] + A[6][3] * K[3, i] + A[6][4] * K[4, i]
        ) + h * A[6][5] * K[5, i]
    call0(rhs, t + C[6] * h, y, z, p, d, k, w, pointer(K[6]))
    for i in range(n):
        Y[i] = X[i] + h * (
            A[7][0] * K[0, i] + A[7][3] * K[3, i] + A[7][4] * K[4, i] + A[7][5] * K[5, i]
        ) + h * A[7][6] * K[6, i]
    call0(rhs, t + C[7] * h, y, z, p, d, k, w, pointer(K[7]))
    for i in range(n):
        Y[i] = X[i] + h * (
            A[8][0] * K[0, i] + A[8][3] * K[3, i] + A[8][4] * K[4, i] + A[8][5] * K[5, i]
            + A[8][6] * K[6, i]
        ) + h * A[8][7] * K[7, i]
    call0(rhs, t + C[8] * h, y, z, p, d, k, w, pointer(K[8]))
    for i in range(n):
        Y[i] = X[i] + h * (
            A[9][0] * K[0, i] + A[9][3] * K[3, i] + A[9][4] * K[4, i] + A[9][5] * K[5, i]
            + A[9][6] * K[6, i] + A[9][7] * K[7, i]
        ) + h * A[9][8] * K[8, i]
    call0(rhs, t + C[9] * h, y, z, p, d, k, w, pointer(K[9]))
    for i in range(n):
        Y[i] = X[i] + h * (
            A[10][0] * K[0, i] + A[10][3] * K[3, i] + A[10][4] * K[4, i] + A[10][5] * K[5, i]
            + A[10][6] * K[6, i] + A[10][7] * K[7, i] + A[10][8] * K[8, i]
        ) + h * A[10][9] * K[9, i]
    call0(rhs, t + C[10] * h, y, z, p, d, k, w, pointer(K[10]))
    for i in range(n):
        Y[i] = X[i] + h * (
            A[11][0] * K[0, i] + A[11][3] * K[3, i] + A[11][4] * K[4, i] + A[11][5] * K[5, i]
            + A[11][6] * K[6, i] + A[11][7] * K[7, i] + A[11][8] * K[8, i] + A[11][9] * K[9, i]
        ) + h * A[11][10] * K[10, i]
    call0(rhs, t + C[11] * h, y, z, p, d, k, w, pointer(K[11]))
    sum3 = sum5 = 0.0
    for i in range(n):
        new = X[i] + h * (
            B[0] * K[0, i] + B[5] * K[5, i] + B[6] * K[6, i] + B[7] * K[7, i] + B[8] * K[8, i]
            + B[9] * K[9, i] + B[10] * K[10, i] + B[11] * K[11, i]
        )
        e3 = (
            E3[0] * K[0, i] + E3[5] * K[5, i] + E3[6] * K[6, i] + E3[7] * K[7, i]
            + E3[8] * K[8, i] + E3[9] * K[9, i] + E3[10] * K[10, i] + E3[11] * K[11, i]
        )
        e5 = (
            E5[0] * K[0, i] + E5[5] * K[5, i] + E5[6] * K[6, i] + E5[7] * K[7, i]
            + E5[8] * K[8, i] + E5[9] * K[9, i] + E5[10] * K[10, i] + E5[11] * K[11, i]
        )
        scale = 1.0 / (atol + rtol * max(abs(X[i]), abs(new)))
        sum3 += (scale * e3) ** 2
        sum5 += (scale * e5) ** 2
        Y[i] = new
    both = sum5 + 0.01 * sum3
    return abs(h) * sum5 / math.sqrt(n * both + TINY)


@njit(f"void(i8, f8[::1], f8[:, ::1], {MODEL})", **OPTIONS)
def expand(rhs, state, work, z_, p_, d_, k_, w_):
    """Write the step just taken as a polynomial into ``work[POLYNOMIAL:]``.

    dop853.f nests the terms: ``x + s (f0 + (1 - s) (f1 + s (f2 + (1 - s) (f3 + s (f4 + (1 - s) (f5 +
    s f6))))))``; multiplied out, anyone can evaluate and store the step without knowing its method.
    """
    n = work.shape[1]
    t, h = state[FROM], state[TAKEN]
    X, new, K, P = work[0], work[1], work[2:18], work[18:26]
    Y = P[0]
    y, z, p, d, k, w = pointer(Y), pointer(z_), pointer(p_), pointer(d_), pointer(k_), pointer(w_)
    for i in range(n):
        Y[i] = X[i] + h * (
            A[13][0] * K[0, i] + A[13][6] * K[6, i] + A[13][7] * K[7, i] + A[13][8] * K[8, i]
            + A[13][9] * K[9, i] + A[13][10] * K[10, i] + A[13][11] * K[11, i]
        ) + h * A[13][12] * K[12, i]
    call0(rhs, t + C[13] * h, y, z, p, d, k, w, pointer(K[13]))
    for i in range(n):
        Y[i] = X[i] + h * (
            A[14][0] * K[0, i] + A[14][5] * K[5, i] + A[14][6] * K[6, i] + A[14][7] * K[7, i]
            + A[14][10] * K[10, i] + A[14][11] * K[11, i] + A[14][12] * K[12, i]
        ) + h * A[14][13] * K[13, i]
    call0(rhs, t + C[14] * h, y, z, p, d, k, w, pointer(K[14]))
    for i in range(n):
        Y[i] = X[i] + h * (
            A[15][0] * K[0, i] + A[15][5] * K[5, i] + A[15][6] * K[6, i] + A[15][7] * K[7, i]
            + A[15][8] * K[8, i] + A[15][12] * K[12, i] + A[15][13] * K[13, i]
        ) + h * A[15][14] * K[14, i]
    call0(rhs, t + C[15] * h, y, z, p, d, k, w, pointer(K[15]))
    for i in range(n):
        f0 = new[i] - X[i]
        f1 = h * K[0, i] - f0
        f2 = 2.0 * f0 - h * (K[12, i] + K[0, i])
        f3 = h * (
            D[0][0] * K[0, i] + D[0][5] * K[5, i] + D[0][6] * K[6, i] + D[0][7] * K[7, i]
            + D[0][8] * K[8, i] + D[0][9] * K[9, i] + D[0][10] * K[10, i] + D[0][11] * K[11, i]
            + D[0][12] * K[12, i] + D[0][13] * K[13, i] + D[0][14] * K[14, i]
            + D[0][15] * K[15, i]
        )
        f4 = h * (
            D[1][0] * K[0, i] + D[1][5] * K[5, i] + D[1][6] * K[6, i] + D[1][7] * K[7, i]
            + D[1][8] * K[8, i] + D[1][9] * K[9, i] + D[1][10] * K[10, i] + D[1][11] * K[11, i]
            + D[1][12] * K[12, i] + D[1][13] * K[13, i] + D[1][14] * K[14, i]
            + D[1][15] * K[15, i]
        )
        f5 = h * (
            D[2][0] * K[0, i] + D[2][5] * K[5, i] + D[2][6] * K[6, i] + D[2][7] * K[7, i]
            + D[2][8] * K[8, i] + D[2][9] * K[9, i] + D[2][10] * K[10, i] + D[2][11] * K[11, i]
            + D[2][12] * K[12, i] + D[2][13] * K[13, i] + D[2][14] * K[14, i]
            + D[2][15] * K[15, i]
        )
        f6 = h * (
            D[3][0] * K[0, i] + D[3][5] * K[5, i] + D[3][6] * K[6, i] + D[3][7] * K[7, i]
            + D[3][8] * K[8, i] + D[3][9] * K[9, i] + D[3][10] * K[10, i] + D[3][11] * K[11, i]
            + D[3][12] * K[12, i] + D[3][13] * K[13, i] + D[3][14] * K[14, i]
            + D[3][15] * K[15, i]
        )
        a0, a1, a2 = f4 + f5, f6 - f5, -f6                       # f4 + (1 - s)(f5 + s f6)
        b0, b1, b2, b3, b4 = f2 + f3, a0 - f3, a1 - a0, a2 - a1, -a2  # f2 + (1 - s)(f3 + s a)
        P[0, i] = X[i]
        P[1, i] = f0 + f1
        P[2, i] = b0 - f1
        P[3, i] = b1 - b0
        P[4, i] = b2 - b1
        P[5, i] = b3 - b2
        P[6, i] = b4 - b3
        P[7, i] = -b4
# fmt: on


@njit("void(f8[:, ::1])", **OPTIONS)
def commit(work):
    """Make the end of the step the start of the next; its last slope is the next one's first."""
    for i in range(work.shape[1]):
        work[X, i] = work[Y, i]
        work[K0, i] = work[K12, i]


@njit("void(f8, f8[::1], i8[::1], f8[:, ::1])", **OPTIONS)
def _remember(h, state, tally, work):
    """Keep the state and slope of here; of the three last marks the newest stands last."""
    if tally[MARKS] == 3:
        for i in range(work.shape[1]):
            for j in range(2):
                work[MARK + j, i] = work[MARK + j + 1, i]
                work[MARK_RATE + j, i] = work[MARK_RATE + j + 1, i]
        tally[MARKS] = 2
    for i in range(work.shape[1]):
        work[MARK + tally[MARKS], i] = work[X, i]
        work[MARK_RATE + tally[MARKS], i] = work[K0, i]
    tally[MARKS] += 1
    state[MARKED_STEP] = abs(h)


@njit("b1(f8, f8[:, ::1])", **OPTIONS)
def _is_standing(h, work):
    """Whether so small a step would leave the state as it is, to rounding."""
    for i in range(work.shape[1]):  # noqa: SIM110  (numba has no all over a generator)
        if abs(h * work[K0, i]) > EPS * abs(work[X, i]):
            return False
    return True


@njit("b1(f8, f8, f8)", **OPTIONS)
def _grows_without_bound(first, second, third):
    before, after = second - first, third - second
    outward = abs(third) > abs(second) > abs(first) and before * after > 0.0
    return outward and abs(after) >= STILL_GROWING * abs(before) and abs(after) > 1e-10 * abs(third)


@njit("i8(f8, f8[::1], i8[::1], f8[:, ::1])", **OPTIONS)
def diagnose(h, state, tally, work):
    """Say why the step has shrunk to nothing.

    While it shrinks, state x and slope f are marked each time the step has fallen by 100.  Near a
    singularity at distance s in time the step is proportional to s and ``f ~ s^-a``, so from mark to
    mark the change of x is multiplied by ``100^(a - 1)``.

    - a >= 1: the changes do not die out, x grows without bound (y' = y^2: a = 2; y' = exp(y): a = 1,
      although y is only some 30 when time can no longer be resolved): DIVERGED, as for a state near
      the largest number.
    - trials were not finite during the last stretch (a root or logarithm beyond its end):
      LEFT_DOMAIN.
    - 0 < a < 1: the slope grows without bound and x does not (y' = -1/y reaching 0: a = 1/2):
      LEFT_DOMAIN.
    - else nothing is singular; the tolerance cannot be met (a jump in f, or noise): STEP_TOO_SMALL.

    With fewer than three marks (a start next to the singularity) the size of x decides.
    """
    n, marks = work.shape[1], tally[MARKS]
    scale = steepest = 0.0
    for i in range(n):
        scale = max(scale, abs(work[START, i]))
        steepest = max(steepest, abs(work[K0, i]))
    scale = scale if scale > 0.0 else 1.0
    for i in range(n):
        x, outward = abs(work[X, i]), work[X, i] * h * work[K0, i] > 0.0
        if x > OVERFLOWING or (marks < 3 and outward and x > HUGE * scale):
            return DIVERGED
        if marks == 3 and _grows_without_bound(work[MARK, i], work[MARK + 1, i], work[MARK + 2, i]):
            return DIVERGED
    if state[BAD_STEP] <= NEAR * abs(h):
        return LEFT_DOMAIN
    for i in range(n):
        before, now = abs(work[MARK_RATE, i]), abs(work[K0, i])
        if marks > 1 and now > STEEPENING * before and now > 1e-3 * steepest:
            return LEFT_DOMAIN
    return STEP_TOO_SMALL


@njit(f"f8(i8, f8[::1], f8[:, ::1], {MODEL})", **OPTIONS)
def _first_step(rhs, state, work, z, p, d, k, w):
    """Such that one Euler step, and the change of slope over it, are about the tolerance (II.4)."""
    n = work.shape[1]
    x, f, y, g = work[X], work[K0], work[Y], work[K0 + 1]
    t, span = state[T], state[END] - state[T]
    size = slope = bend = 0.0
    for i in range(n):
        scale = state[ATOL] + state[RTOL] * abs(x[i])
        size += (x[i] / scale) ** 2
        slope += (f[i] / scale) ** 2
    size, slope = math.sqrt(size / n), math.sqrt(slope / n)
    plain = 1e-10 < size < 1e100 and 1e-10 < slope < 1e100
    h = math.copysign(min(0.01 * size / slope if plain else 1e-6, abs(span)), span)
    for i in range(n):
        y[i] = x[i] + h * f[i]
    call(rhs, t + h, y, z, p, d, k, w, g)
    for i in range(n):
        bend += ((g[i] - f[i]) / (state[ATOL] + state[RTOL] * abs(x[i]))) ** 2
    most = max(slope, math.sqrt(bend / n) / abs(h))
    if not most < 1e100:
        return h
    longer = max(1e-6, 1e-3 * abs(h)) if most <= 1e-15 else _eighth_root(0.01 / most)
    return math.copysign(min(100.0 * abs(h), longer, abs(span)), span)


@njit(f"i8({_RUN})", **OPTIONS)
def begin(rhs, state, tally, work, z, p, d, k, w):
    """Prepare a run from ``work[X]`` at ``state[T]`` to ``state[END]``; return RUNNING or a status.

    If ``state[STEP]`` is 0 the first step is chosen.
    """
    span = state[END] - state[T]
    copy(work[X], work[START])
    tally[ATTEMPTS] = tally[MARKS] = tally[NEXT_SAMPLE] = tally[ROWS] = tally[EVENTS] = 0
    tally[WATCHING], tally[ENDED_BY] = 0, -1
    call(rhs, state[T], work[X], z, p, d, k, w, work[K0])
    if not is_finite(work[K0]):
        return LEFT_DOMAIN
    if span == 0.0:
        return OK
    if state[STEP] == 0.0:
        state[STEP] = _first_step(rhs, state, work, z, p, d, k, w)
    state[STEP] = math.copysign(min(abs(state[STEP]), abs(span)), span)
    state[FROM], state[TAKEN], state[BAD_STEP] = state[T], 0.0, np.inf
    _remember(state[STEP], state, tally, work)
    return RUNNING


@njit(f"i8({_RUN})", forceinline=True, **OPTIONS)
def proceed(rhs, state, tally, work, z, p, d, k, w):
    """Find one acceptable step from ``work[X]`` to ``work[Y]``; return RUNNING or why not.

    The caller may use both ends, then calls `commit`.
    """
    t, h, end = state[T], state[STEP], state[END]
    growth = GROW_MOST
    while True:
        if tally[ATTEMPTS] >= tally[MOST_ATTEMPTS]:
            return TOO_MANY_STEPS
        is_last = 1.01 * abs(h) >= abs(end - t)
        if is_last:
            h = end - t
        elif abs(h) < SMALLEST_STEP * abs(t) or abs(h) < TINY:
            return diagnose(h, state, tally, work)
        tally[ATTEMPTS] += 1
        err = attempt(rhs, t, h, state[RTOL], state[ATOL], work, z, p, d, k, w)
        if err <= 1.0:
            call(rhs, t + h, work[Y], z, p, d, k, w, work[K12])
            if is_finite(work[K12]):
                break
        elif is_finite(work[Y]):
            # An error so large that its square overflows is nan here; its size does not matter.
            wanted = _eighth_root(err) / SAFETY
            h /= wanted if wanted < SHRINK_MOST else SHRINK_MOST
            growth = 1.0
            continue
        state[BAD_STEP] = abs(h)
        h *= CUT
        growth = 1.0
        if _is_standing(h, work):
            return diagnose(h, state, tally, work)
    state[FROM], state[TAKEN] = t, h
    state[T] = end if is_last else t + h
    state[STEP] = h / min(max(_eighth_root(err) / SAFETY, growth), SHRINK_MOST)
    if abs(h) > 10.0 * state[MARKED_STEP]:
        tally[MARKS] = 0
    if tally[MARKS] == 0 or MARK_RATIO * abs(h) < state[MARKED_STEP]:
        _remember(h, state, tally, work)
    return RUNNING


@njit(f"i8({_RUN}, i8)", **OPTIONS)
def advance(rhs, state, tally, work, z, p, d, k, w, steps):
    """Take up to so many steps and keep nothing but the state."""
    for _ in range(steps):
        if state[T] == state[END]:
            return OK
        status = proceed(rhs, state, tally, work, z, p, d, k, w)
        if status != RUNNING:
            return status
        commit(work)
    return OK if state[T] == state[END] else RUNNING


@njit(f"i8(i8, f8[::1], f8[:, ::1], {MODEL}, f8[::1], f8[:, ::1], i8)", **OPTIONS)
def _sample_step(rhs, state, work, z, p, d, k, w, times, out, following):
    """Write the states at the times inside the step just taken; return which one follows."""
    t, h, now = state[FROM], state[TAKEN], state[T]
    if times[following] != now:
        expand(rhs, state, work, z, p, d, k, w)
    while following < times.size and (now - times[following]) * h >= 0.0:
        if times[following] == now:
            copy(work[Y], out[following])
        else:
            polynomial(work[POLYNOMIAL:MARK], (times[following] - t) / h, out[following])
        following += 1
    return following


@njit(f"i8({_RUN}, i8, f8[::1], f8[:, ::1])", **OPTIONS)
def sample(rhs, state, tally, work, z, p, d, k, w, steps, times, out):
    """Take up to so many steps and write the states at `times`, in the order of the run, to `out`.

    ``tally[NEXT_SAMPLE]`` says how many are written.
    """
    following, count, status = tally[NEXT_SAMPLE], times.size, RUNNING
    while following < count and times[following] == state[T]:
        copy(work[X], out[following])
        following += 1
    for _ in range(steps):
        if state[T] == state[END]:
            break
        status = proceed(rhs, state, tally, work, z, p, d, k, w)
        if status != RUNNING:
            break
        if following < count and (state[T] - times[following]) * state[TAKEN] >= 0.0:
            following = _sample_step(rhs, state, work, z, p, d, k, w, times, out, following)
        commit(work)
    tally[NEXT_SAMPLE] = following
    return OK if status == RUNNING and state[T] == state[END] else status


@njit("void(f8[::1], i8[::1], f8[:, ::1], f8[::1], f8[::1], f8[:, :, ::1])", **OPTIONS)
def _write_step(state, tally, work, starts, sizes, coefficients):
    row = tally[ROWS]
    starts[row], sizes[row] = state[FROM], state[TAKEN]
    for j in range(POWERS):
        copy(work[POLYNOMIAL + j], coefficients[row, j])
    tally[ROWS] = row + 1


@njit(f"i8({_RUN}, i8, f8[::1], f8[::1], f8[:, :, ::1])", **OPTIONS)
def record(rhs, state, tally, work, z, p, d, k, w, steps, starts, sizes, coefficients):
    """Take up to so many steps and write each as a polynomial; ``tally[ROWS]`` says how many."""
    tally[ROWS] = 0
    for _ in range(steps):
        if state[T] == state[END]:
            return OK
        status = proceed(rhs, state, tally, work, z, p, d, k, w)
        if status != RUNNING:
            return status
        expand(rhs, state, work, z, p, d, k, w)
        _write_step(state, tally, work, starts, sizes, coefficients)
        commit(work)
    return OK if state[T] == state[END] else RUNNING


_WATCHED = "i8, i8[::1], i8[::1], f8[:, ::1], f8[::1], i8[::1], f8[:, ::1]"


@njit(f"i8({_RUN}, i8, f8[::1], f8[::1], f8[:, :, ::1], {_WATCHED})", **OPTIONS)
def watch(
    rhs, state, tally, work, z, p, d, k, w, steps, starts, sizes, coefficients,
    guard, directions, terminal, sides, event_times, event_kinds, event_states,
):  # fmt: skip
    """Like `record`, and write the crossings of guards; ``tally[EVENTS]`` says how many.

    A terminal crossing ends the run there with EVENT; ``tally[ENDED_BY]`` says which it was.
    """
    tally[ROWS] = tally[EVENTS] = 0
    if tally[WATCHING] == 0:
        begin_watching(state[T], work[X], z, p, d, k, w, guard, sides)
        tally[WATCHING] = 1
    for _ in range(steps):
        if state[T] == state[END]:
            return OK
        if tally[EVENTS] + 2 * PARTS * directions.size > event_times.size:
            return RUNNING
        status = proceed(rhs, state, tally, work, z, p, d, k, w)
        if status != RUNNING:
            return status
        expand(rhs, state, work, z, p, d, k, w)
        _write_step(state, tally, work, starts, sizes, coefficients)
        tally[EVENTS], tally[ENDED_BY] = find_crossings(
            state[T], state[FROM], state[TAKEN], work[POLYNOMIAL:MARK], work[Y], work[K0 + 1],
            z, p, d, k, w, guard, directions, terminal, sides,
            event_times, event_kinds, event_states, tally[EVENTS],
        )  # fmt: skip
        if tally[ENDED_BY] >= 0:
            state[T] = event_times[tally[EVENTS] - 1]
            copy(event_states[tally[EVENTS] - 1], work[X])
            return EVENT
        commit(work)
    return OK if state[T] == state[END] else RUNNING
