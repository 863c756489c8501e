"""Explicit Runge-Kutta integration of order 8 with dense output and crossings inside the step.

``x' = f(t, x)`` is advanced by the method of Dormand and Prince of order 8 with the combined
error estimate of orders 5 and 3, and continued between steps by a polynomial of degree 7
(Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, 2nd ed., Springer 1993,
sections II.4 to II.6 and II.10; step control and error norm as in their program dop853.f).  The
letters ``A B C E3 E5 D K h`` are theirs.

Cost of a step: 12 evaluations of f, 11 more for each rejected trial, 3 more where the polynomial is
needed.  What makes it slow: stiffness (step size bound by stability, not by accuracy).
"""

from __future__ import annotations

import math

from dynlab.kernels.convention import RUNNING, TOO_MANY_STEPS, call0, pointer
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import MODEL, OPTIONS, call
from dynlab.kernels.run import (
    ATOL,
    ATTEMPTS,
    BAD_STEP,
    CUT,
    END,
    FROM,
    K12,
    MARK_RATIO,
    MARKED_STEP,
    MARKS,
    MOST_ATTEMPTS,
    RTOL,
    SMALLEST_STEP,
    STEP,
    TAKEN,
    TINY,
    T,
    Y,
    diagnose,
    eighth_root,
    is_finite,
    is_standing,
    remember,
)
from dynlab.kernels.tableaus import DOP853

A, B, C, E3, E5, D = DOP853.a, DOP853.b, DOP853.c, DOP853.e3, DOP853.e5, DOP853.d

#: Step control of dop853.f: safety factor, and bounds on h / h_new.
SAFETY, SHRINK_MOST, GROW_MOST = 0.9, 1.0 / 0.333, 1.0 / 6.0
_RUN = f"i8, f8[::1], i8[::1], f8[:, ::1], {MODEL}"


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
            wanted = eighth_root(err) / SAFETY
            h /= wanted if wanted < SHRINK_MOST else SHRINK_MOST
            growth = 1.0
            continue
        state[BAD_STEP] = abs(h)
        h *= CUT
        growth = 1.0
        if is_standing(h, work):
            return diagnose(h, state, tally, work)
    state[FROM], state[TAKEN] = t, h
    state[T] = end if is_last else t + h
    state[STEP] = h / min(max(eighth_root(err) / SAFETY, growth), SHRINK_MOST)
    if abs(h) > 10.0 * state[MARKED_STEP]:
        tally[MARKS] = 0
    if tally[MARKS] == 0 or MARK_RATIO * abs(h) < state[MARKED_STEP]:
        remember(h, state, tally, work)
    return RUNNING
