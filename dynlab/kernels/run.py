"""A run in three arrays: where everything stands, how it begins, and why it cannot go on.

The arrays belong to the caller, so that a run can be left and taken up again:

``state``  time, next step, end, tolerances, and what the methods remember from step to step
``tally``  counts; among them the attempts made and the most allowed; choices; addresses
``work``   rows of n numbers: the state, the new state, 16 stages, 8 polynomial coefficients, marks

`begin` prepares them; the loops of `dynlab.kernels.loops` then take steps by the explicit or the
implicit method.  Between steps both leave the same behind: the state in row X and its slope in row K0.
"""

from __future__ import annotations

import math

import numpy as np

from dynlab.kernels.convention import (
    DIVERGED,
    LEFT_DOMAIN,
    OK,
    RUNNING,
    STEP_TOO_SMALL,
)
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import EPS, MODEL, OPTIONS, call, copy

# Places in `state`.
T, STEP, END, RTOL, ATOL, FROM, TAKEN, MARKED_STEP, BAD_STEP = range(9)
# More of them, for the implicit method: its tolerances and that of its iteration; the step for which
# the matrices are factored (0: none); sizes of the last step (0: none) and of its error; how fast the
# iteration converged; the largest rate in the Jacobian; what linear algebra is asked with.
SOFT_RTOL, SOFT_ATOL, NEWTON, FACTORED, LAST_STEP, LAST_ERROR, CONTRACTION, THETA = range(9, 17)
LARGEST_RATE, TIME, SHIFT, SHIFT_RE, SHIFT_IM = range(17, 22)
# What `h |lambda|` of an explicit step is at most where it follows the solution.
REACH = 22
# Size of the last explicit step tested for stiffness.
TESTED = 23
STATE_SIZE = 24

# Places in `tally`.
ATTEMPTS, MOST_ATTEMPTS, MARKS, NEXT_SAMPLE, ROWS, EVENTS, WATCHING, ENDED_BY = range(8)
# Which methods may be used, which one takes the next step and which took the last; steps of each;
# Jacobians and factorisations; the tests for stiffness (see `loops`).
CHOICE, NEXT, TOOK, EXPLICIT_STEPS, IMPLICIT_STEPS, JACOBIANS, FACTORISATIONS = range(8, 15)
SUSPECT, CALM, PATIENCE, PAID = range(15, 19)
# Of the implicit method: iterations of the last step; whether they want a new Jacobian for the next.
ITERATED, STALE = range(19, 21)
# Addresses that the implicit method needs: who is asked for linear algebra; the Jacobian, room for
# its matrices and for their pivots if they are dense; whether they are not.
LINEAR, JACOBIAN, MATRICES, PIVOTS, FOREIGN = range(21, 26)
TALLY_SIZE = 26

#: Values of CHOICE, and the first two of NEXT and TOOK.
EXPLICIT, IMPLICIT, MEASURED = range(3)

# Rows of `work`: state, new state, stages, polynomial; then the marks and the start.
X, Y, K0, K12, POLYNOMIAL, MARK, MARK_RATE, START = 0, 1, 2, 14, 18, 26, 29, 32
WORK_ROWS = 33

#: Powers in the polynomial of a step, 0 to 7.
POWERS = 8

#: A step of fewer units of rounding of t cannot be told from none.
SMALLEST_STEP = 10.0 * EPS
TINY = 1e-300
#: The step is cut by this when a trial is not finite, which says nothing about how far to go.
CUT = 0.25

# See `diagnose`.
MARK_RATIO, STILL_GROWING, STEEPENING, NEAR = 100.0, 0.6, 4.0, 1e4
OVERFLOWING, HUGE = 1e150, 1e6


#: Local errors of the implicit method are estimated with order 3 and fall with order 5: the estimate is
#: compared with ``tol^0.85``.  The error at the end is then proportional to ``tol^1.06`` without stiffness,
#: and where stiffness reduces the order still near to ``tol`` itself.  (RADAU5 has ``0.1 tol^(2/3)``, with
#: which it is proportional to ``tol^0.83`` at best.)
SOFTENED_POWER = 0.85
#: An explicit step that resolves what happens has ``h |lambda|`` below ``0.8 (tol / 1e-9)^(1/8)`` (seen on
#: neurons, oscillators and chaos at tolerances from 1e-3 to 1e-12); three times that is not
#: resolved but held back.  Beyond 4 the dense output magnifies what the step does not resolve (30 times
#: at 6, the bound of stability; 100 times at 10), so no tolerance is allowed more.
HELD_BACK, AT_TOLERANCE, BOUND = 2.5, 1e-9, 4.0
#: The iteration stops at this part of the tolerance or at its root, as in RADAU5.
NEWTON_PART = 0.03

_RUN = f"i8, f8[::1], i8[::1], f8[:, ::1], {MODEL}"


@njit("b1(f8[::1])", **OPTIONS)
def is_finite(values):
    """Whether every number is finite."""
    total = 0.0
    for i in range(values.size):
        total += 0.0 * values[i]
    return total == 0.0


@njit("f8(f8)", **OPTIONS)
def eighth_root(value):
    """Return the root of order 8, by three square roots."""
    return math.sqrt(math.sqrt(math.sqrt(value)))


@njit("void(f8[:, ::1])", **OPTIONS)
def commit(work):
    """Make the end of the step the start of the next; its last slope is the next one's first."""
    for i in range(work.shape[1]):
        work[X, i] = work[Y, i]
        work[K0, i] = work[K12, i]


@njit("void(f8, f8[::1], i8[::1], f8[:, ::1])", **OPTIONS)
def remember(h, state, tally, work):
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
def is_standing(h, work):
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
    longer = max(1e-6, 1e-3 * abs(h)) if most <= 1e-15 else eighth_root(0.01 / most)
    return math.copysign(min(100.0 * abs(h), longer, abs(span)), span)


@njit("void(f8[::1])", **OPTIONS)
def _set_tolerances(state):
    """Set what depends on the tolerances: those of the implicit method, the reach of the explicit one."""
    asked = state[RTOL] if state[RTOL] > 0.0 else min(state[ATOL], 0.01)
    softened = max(asked, asked**SOFTENED_POWER)
    state[SOFT_RTOL] = state[RTOL] * (softened / asked)
    state[SOFT_ATOL] = state[ATOL] * (softened / asked)
    state[REACH] = min(BOUND, HELD_BACK * eighth_root(asked / AT_TOLERANCE))
    state[NEWTON] = max(10.0 * EPS / softened, min(NEWTON_PART, math.sqrt(softened)))


@njit(f"i8({_RUN})", **OPTIONS)
def begin(rhs, state, tally, work, z, p, d, k, w):
    """Prepare a run from ``work[X]`` at ``state[T]`` to ``state[END]``; return RUNNING or a status.

    If ``state[STEP]`` is 0 the first step is chosen.
    """
    span = state[END] - state[T]
    copy(work[X], work[START])
    tally[ATTEMPTS] = tally[MARKS] = tally[NEXT_SAMPLE] = tally[ROWS] = tally[EVENTS] = 0
    tally[WATCHING], tally[ENDED_BY] = 0, -1
    for place in range(EXPLICIT_STEPS, STALE + 1):
        tally[place] = 0
    tally[NEXT] = IMPLICIT if tally[CHOICE] == IMPLICIT else EXPLICIT
    state[FACTORED] = state[LAST_STEP] = 0.0
    state[CONTRACTION], state[TESTED] = 1.0, np.inf
    _set_tolerances(state)
    call(rhs, state[T], work[X], z, p, d, k, w, work[K0])
    if not is_finite(work[K0]):
        return LEFT_DOMAIN
    if span == 0.0:
        return OK
    if state[STEP] == 0.0:
        state[STEP] = _first_step(rhs, state, work, z, p, d, k, w)
    state[STEP] = math.copysign(min(abs(state[STEP]), abs(span)), span)
    state[FROM], state[TAKEN], state[BAD_STEP] = state[T], 0.0, np.inf
    remember(state[STEP], state, tally, work)
    return RUNNING
