"""Short explicit steps: order 5 with dense output of order 4, at a quarter of the cost of those of order 8.

Where events cut every step short, the high order of `explicit` is not needed.  The pair is that of Dormand
and Prince (1980, J. Comput. Appl. Math. 6, 19); coefficients, error estimate and dense output as in Hairer,
Norsett and Wanner, Solving Ordinary Differential Equations I, 2nd ed., Springer 1993, table II.5.2 and
eq. (II.6.12), with their program dopri5.f.

Cost of a step: 6 evaluations of f, dense output included.
"""

from __future__ import annotations

import math

from dynlab.kernels.convention import call0, pointer
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import MODEL, OPTIONS
from dynlab.kernels.run import ATOL, FROM, K0, K12, POLYNOMIAL, RTOL, TAKEN, T, X, Y

A = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
)
B = (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84)
C = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
#: The difference to the solution of order 4, and what the dense output takes of the slopes.
E = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
D = (
    -12715105075 / 11282082432, 0.0, 87487479700 / 32700410799, -10690763975 / 1880347072,
    701980252875 / 199316789632, -1453857185 / 822651844, 69997945 / 29380423,
)  # fmt: skip
#: Powers in the polynomial of a step, 0 to 4.
POWERS = 5


@njit(f"f8(i8, f8, f8[::1], f8[:, ::1], {MODEL})", **OPTIONS)
def attempt(rhs, h, state, work, z_, p_, d_, k_, w_):
    """Try a step from ``work[X]`` to ``work[Y]``; return its error over the tolerance.

    The slope at the end stands in ``work[K12]``, as after a step of order 8.
    """
    n, t = work.shape[1], state[T]
    x, y, last = work[X], work[Y], work[K12]
    k0, k1, k2, k3, k4, k5 = (
        work[K0], work[K0 + 1], work[K0 + 2], work[K0 + 3], work[K0 + 4], work[K0 + 5],
    )  # fmt: skip
    at, z, p, d, k, w = (
        pointer(y), pointer(z_), pointer(p_), pointer(d_), pointer(k_), pointer(w_),
    )  # fmt: skip
    for i in range(n):
        y[i] = x[i] + h * A[1][0] * k0[i]
    call0(rhs, t + C[1] * h, at, z, p, d, k, w, pointer(k1))
    for i in range(n):
        y[i] = x[i] + h * (A[2][0] * k0[i] + A[2][1] * k1[i])
    call0(rhs, t + C[2] * h, at, z, p, d, k, w, pointer(k2))
    for i in range(n):
        y[i] = x[i] + h * (A[3][0] * k0[i] + A[3][1] * k1[i] + A[3][2] * k2[i])
    call0(rhs, t + C[3] * h, at, z, p, d, k, w, pointer(k3))
    for i in range(n):
        y[i] = x[i] + h * (A[4][0] * k0[i] + A[4][1] * k1[i] + A[4][2] * k2[i] + A[4][3] * k3[i])
    call0(rhs, t + C[4] * h, at, z, p, d, k, w, pointer(k4))
    for i in range(n):
        y[i] = x[i] + h * (
            A[5][0] * k0[i] + A[5][1] * k1[i] + A[5][2] * k2[i] + A[5][3] * k3[i] + A[5][4] * k4[i]
        )
    call0(rhs, t + C[5] * h, at, z, p, d, k, w, pointer(k5))
    for i in range(n):
        y[i] = x[i] + h * (B[0] * k0[i] + B[2] * k2[i] + B[3] * k3[i] + B[4] * k4[i] + B[5] * k5[i])
    call0(rhs, t + h, at, z, p, d, k, w, pointer(last))
    total = 0.0
    rtol, atol = state[RTOL], state[ATOL]
    for i in range(n):
        error = (
            E[0] * k0[i]
            + E[2] * k2[i]
            + E[3] * k3[i]
            + E[4] * k4[i]
            + E[5] * k5[i]
            + E[6] * last[i]
        )
        total += (error / (atol + rtol * max(abs(x[i]), abs(y[i])))) ** 2
    return abs(h) * math.sqrt(total / n)


@njit("void(f8, f8[::1])", **OPTIONS)
def accept(h, state):
    """Note the step just tried as the one taken; `expand` and the caller use both ends."""
    state[FROM], state[TAKEN] = state[T], h
    state[T] += h


@njit("void(f8[::1], f8[:, ::1])", **OPTIONS)
def expand(state, work):
    """Write the step just taken as a polynomial into the first rows of ``work[POLYNOMIAL:]``.

    dopri5.f nests the terms: ``x + s (f0 + (1 - s) (f1 + s (f2 + (1 - s) f3)))``.
    """
    n, h = work.shape[1], state[TAKEN]
    x, y, last = work[X], work[Y], work[K12]
    k0, k2, k3, k4, k5 = work[K0], work[K0 + 2], work[K0 + 3], work[K0 + 4], work[K0 + 5]
    p1, p2, p3, p4 = (
        work[POLYNOMIAL + 1], work[POLYNOMIAL + 2], work[POLYNOMIAL + 3], work[POLYNOMIAL + 4],
    )  # fmt: skip
    for i in range(n):
        p4[i] = h * (
            D[0] * k0[i]
            + D[2] * k2[i]
            + D[3] * k3[i]
            + D[4] * k4[i]
            + D[5] * k5[i]
            + D[6] * last[i]
        )
    for i in range(n):
        p1[i] = h * k0[i]
    for i in range(n):
        f0 = y[i] - x[i]
        f1 = p1[i] - f0
        f2 = f0 - h * last[i] - f1
        p2[i] = f2 + p4[i] - f1
        p3[i] = -f2 - 2.0 * p4[i]
    p0 = work[POLYNOMIAL]
    for i in range(n):
        p0[i] = x[i]
