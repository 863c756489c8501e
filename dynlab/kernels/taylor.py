"""Integration by Taylor series: each step is the series of the solution itself, of an order near twenty.

``x(t + h) = sum x_n h^n`` with the coefficients from the equations (`dynlab.codegen.taylor`).  For a tolerance tol the
cheapest order is ``p = 1 - ln(tol) / 2`` with steps of ``e^-2`` of the radius of convergence (Jorba and Zou 2005,
Exp. Math. 14, 99, section 3.1); the step is the largest h for which

    |x_j| h^j <= scale e^(2 (p - j)),   scale = atol + rtol max(|x|, |h_before x'|),   j = p - 1 and p,

in every state, which is their step (section 3.2) with a scale for each state, and the change over a step in place of a
state that passes zero.  What is left out is then ``e^-2 scale`` or less, since the terms fall by
``e^-2`` from order to order.  Two coefficients alone can both vanish (an equation in t^4): a step that would grow to more
than twice the last is checked against four more.

Rounding: what each sum of state and increment, or of time and step, loses is carried along and added to the next
(Hairer, Lubich and Wanner, Geometric Numerical Integration, 2nd ed., Springer 2006, section VIII.5).

No trial is rejected, but for a step that grows much and does not fit (`fits`).  Cost of a step: about n_products p^2
operations.  What makes it slow: stiffness, as for every explicit method, and equations of many products.

Arrays as in `dynlab.kernels.run`, with more rows; the order stands in ``k[0]``.  The loops are those of
`dynlab.kernels.loops`.
"""

from __future__ import annotations

import math

import numpy as np

from dynlab.kernels.convention import (
    DIVERGED,
    EVENT,
    LEFT_DOMAIN,
    OK,
    RUNNING,
    TOO_MANY_STEPS,
    call0,
    pointer,
)
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import (
    MODEL,
    OPTIONS,
    PARTS,
    begin_watching,
    copy,
    find_crossings,
    polynomial,
    write_step,
)
from dynlab.kernels.power_series import MOST_ORDER
from dynlab.kernels.run import (
    ATOL,
    ATTEMPTS,
    BAD_STEP,
    CUT,
    END,
    ENDED_BY,
    EVENTS,
    FROM,
    K0,
    LAST_STEP,
    MARK_RATIO,
    MARKED_STEP,
    MARKS,
    MOST_ATTEMPTS,
    NEXT_SAMPLE,
    OVERFLOWING,
    ROWS,
    RTOL,
    SMALLEST_STEP,
    START,
    STEP,
    TAKEN,
    TALLY_SIZE,
    TINY,
    WATCHING,
    T,
    X,
    Y,
    diagnose,
    is_finite,
    remember,
)
from dynlab.kernels.run import STATE_SIZE as RUN_STATE_SIZE
from dynlab.kernels.run import WORK_ROWS as RUN_ROWS

# With the places that a caller has to know.
__all__ = [
    "ATOL", "ATTEMPTS", "END", "ENDED_BY", "EVENTS", "MOST_ATTEMPTS", "NEXT_SAMPLE", "ROWS", "RTOL", "STATE_SIZE", "STEP",
    "T", "TALLY_SIZE", "TINY", "WATCHING", "WORK_ROWS", "X",
    "advance", "begin", "first_step", "fits", "record", "sample", "sum_up", "watch",
]  # fmt: skip

# More places in `state`: what rounding took from the time; how much the terms fall per order, ``-ln(tol) / p``, and to
# which part.
TIME_LOST, FALL, PART = RUN_STATE_SIZE, RUN_STATE_SIZE + 1, RUN_STATE_SIZE + 2
STATE_SIZE = RUN_STATE_SIZE + 3
# More rows of `work`: what rounding took from the state; the coefficients; the polynomial of the step.
LOST, STILL_LOST, SERIES = RUN_ROWS, RUN_ROWS + 1, RUN_ROWS + 2
POLYNOMIAL = SERIES + MOST_ORDER + 1
WORK_ROWS = POLYNOMIAL + MOST_ORDER + 1

#: A step that grows by more is checked against so many more coefficients, and never grows by more than that.
CHECKED_GROWTH, CHECKED, MOST_GROWTH = 2.0, 4, 10.0
#: The first step is no more than this part of the run if nothing else bounds it.
FIRST_PART = 0.1

_RUN = f"i8, f8[::1], i8[::1], f8[:, ::1], {MODEL}"


@njit("f8(i8, i8, i8, f8[::1], f8[:, ::1])", **OPTIONS)
def _log_of_step(first, last, order, state, work):
    """Return the logarithm of the step that coefficients from one order to another allow."""
    before, allowed = state[LAST_STEP], np.inf
    for j in range(first, last + 1):
        largest = 0.0
        for i in range(work.shape[1]):
            change = before * abs(work[SERIES + 1, i])
            scale = state[ATOL] + state[RTOL] * max(abs(work[X, i]), change)
            largest = max(largest, abs(work[SERIES + j, i]) / scale)
        if largest > 0.0:
            allowed = min(allowed, ((order - j) * state[FALL] - math.log(largest)) / j)
    return allowed


@njit("f8(i8, f8[::1], f8[:, ::1])", **OPTIONS)
def first_step(order, state, work):
    """Return the size of a step that is the first, or much larger than the last, without its sign."""
    before, rest = state[LAST_STEP], abs(state[END] - state[T])
    h = math.exp(min(700.0, _log_of_step(max(1, order - 1 - CHECKED), order, order, state, work)))
    if before > 0.0:
        return min(h, MOST_GROWTH * before)
    return FIRST_PART * rest if h > rest else h


@njit("f8(i8, f8[::1], f8[:, ::1])", forceinline=True, **OPTIONS)
def _step(order, state, work):
    """Return the size of the next step, without its sign.

    The larger of the last two terms says it, at the step before: one logarithm instead of two.
    """
    before, last, last_but_one = state[LAST_STEP], 0.0, 0.0
    for i in range(work.shape[1]):
        change = before * abs(work[SERIES + 1, i])
        inverse = 1.0 / (state[ATOL] + state[RTOL] * max(abs(work[X, i]), change))
        last = max(last, abs(work[SERIES + order, i]) * inverse)
        last_but_one = max(last_but_one, abs(work[SERIES + order - 1, i]) * inverse)
    term = max(last * before, last_but_one * state[PART])
    if before > 0.0 and term > TINY:
        h = math.exp(math.log(before / term) / order)
        if h <= CHECKED_GROWTH * before:
            return h
    return first_step(order, state, work)


@njit(f"void({_RUN})", forceinline=True, **OPTIONS)
def _expand_here(series, state, tally, work, z, p, d, k, w):
    """Write the coefficients at the state."""
    call0(
        series, state[T], pointer(work[X]), pointer(z), pointer(p), pointer(d), pointer(k), pointer(w),
        pointer(work[SERIES]),
    )  # fmt: skip


@njit(f"i8({_RUN})", **OPTIONS)
def begin(series, state, tally, work, z, p, d, k, w):
    """Prepare a run from ``work[X]`` at ``state[T]`` to ``state[END]``; return RUNNING or a status.

    If ``state[STEP]`` is not 0 the first step is no larger.
    """
    for place in range(tally.size):
        if place != MOST_ATTEMPTS:
            tally[place] = 0
    tally[ENDED_BY] = -1
    state[TIME_LOST] = state[LAST_STEP] = state[TAKEN] = 0.0
    state[FROM], state[BAD_STEP] = state[T], np.inf
    state[FALL] = -math.log(max(state[RTOL], state[ATOL])) / k[0]
    state[PART] = math.exp(-state[FALL])
    for i in range(work.shape[1]):
        work[LOST, i] = 0.0
    copy(work[X], work[START])
    _expand_here(series, state, tally, work, z, p, d, k, w)
    if not (is_finite(work[SERIES + k[0]]) and is_finite(work[SERIES + 1])):
        return LEFT_DOMAIN
    return OK if state[END] == state[T] else RUNNING


@njit("void(f8, i8, f8[:, ::1])", forceinline=True, **OPTIONS)
def sum_up(h, order, work):
    """Write the end of a step to ``work[Y]``, and what its sums lose."""
    square, top = h * h, order - order % 2
    for i in range(work.shape[1]):
        # Even and odd powers by themselves: half as long a chain.
        even, odd = 0.0, 0.0 if top == order else work[SERIES + order, i]
        for j in range(top, 0, -2):
            even = even * square + work[SERIES + j, i]
            odd = odd * square + work[SERIES + j - 1, i]
        before, change = work[X, i], odd * h + even * square + work[LOST, i]
        after = before + change
        kept = after - before
        work[STILL_LOST, i] = (before - (after - kept)) + (change - kept)
        work[Y, i] = after


@njit(f"b1(i8, f8, f8, f8[::1], f8[:, ::1], {MODEL})", **OPTIONS)
def fits(series, h, t, state, work, z, p, d, k, w):
    """Whether the series, at the end of a step, still has the slope that the equations have there.

    Asked where a step grows much: a series can end (``y' = -sqrt(y)`` from 1 is ``(1 - t / 2)^2``) and go on where
    the equations do not, or see nothing of what is to come.
    """
    end = work[POLYNOMIAL : POLYNOMIAL + 1 + k[0]]
    call0(
        series,
        t,
        pointer(work[Y]),
        pointer(z),
        pointer(p),
        pointer(d),
        pointer(k),
        pointer(w),
        pointer(end),
    )
    coarse = math.sqrt(max(state[RTOL], state[ATOL]))
    for i in range(work.shape[1]):
        slope = 0.0
        for j in range(k[0], 0, -1):
            slope = slope * h + j * work[SERIES + j, i]
        scale = max(abs(work[X, i]), abs(work[Y, i]), abs(h * slope)) + state[ATOL]
        if not abs(h * (end[1, i] - slope)) <= coarse * scale:
            return False
    return True


@njit("i8(f8[:, ::1])", **OPTIONS)
def _why_not_finite(work):
    for i in range(work.shape[1]):
        if abs(work[X, i]) > OVERFLOWING:
            return DIVERGED
    return LEFT_DOMAIN


@njit(f"i8({_RUN})", forceinline=True, **OPTIONS)
def proceed(series, state, tally, work, z, p, d, k, w):
    """Take one step from ``work[X]`` to ``work[Y]``; return RUNNING or why not.

    The caller may use both ends, then calls `commit`.
    """
    if tally[ATTEMPTS] >= tally[MOST_ATTEMPTS]:
        return TOO_MANY_STEPS
    _expand_here(series, state, tally, work, z, p, d, k, w)
    t, order, before = state[T], k[0], state[LAST_STEP]
    rest = (state[END] - t) - state[TIME_LOST]
    h = _step(order, state, work)
    if before == 0.0 and state[STEP] != 0.0:
        h = min(h, abs(state[STEP]))
    is_checked = h > CHECKED_GROWTH * before
    h = math.copysign(h, rest)
    copy(work[SERIES + 1], work[K0])
    while True:
        is_last = 1.01 * abs(h) >= abs(rest)
        if is_last:
            h = rest
        elif abs(h) < SMALLEST_STEP * abs(t) or abs(h) < TINY:
            return diagnose(h, state, tally, work)
        tally[ATTEMPTS] += 1
        sum_up(h, order, work)
        if not is_finite(work[Y]):
            return _why_not_finite(work)
        if not is_checked or fits(series, h, t + h, state, work, z, p, d, k, w):
            break
        h *= CUT
        if tally[ATTEMPTS] >= tally[MOST_ATTEMPTS]:
            return TOO_MANY_STEPS
    copy(work[STILL_LOST], work[LOST])
    if abs(h) > 10.0 * state[MARKED_STEP]:
        tally[MARKS] = 0
    if tally[MARKS] == 0 or MARK_RATIO * abs(h) < state[MARKED_STEP]:
        remember(h, state, tally, work)
    state[FROM], state[TAKEN], state[LAST_STEP] = t, h, abs(h)
    passed = h + state[TIME_LOST]
    state[T] = state[END] if is_last else t + passed
    state[TIME_LOST] = passed - (state[T] - t)
    return RUNNING


@njit("void(f8[::1], f8[:, ::1], i8)", **OPTIONS)
def expand(state, work, order):
    """Write the step just taken as a polynomial into ``work[POLYNOMIAL:]``."""
    power = 1.0
    for j in range(order + 1):
        for i in range(work.shape[1]):
            work[POLYNOMIAL + j, i] = power * work[SERIES + j, i]
        power *= state[TAKEN]


@njit("void(f8[:, ::1])", **OPTIONS)
def commit(work):
    """Make the end of the step the start of the next."""
    copy(work[Y], work[X])


@njit(f"i8({_RUN}, i8)", **OPTIONS)
def advance(series, state, tally, work, z, p, d, k, w, steps):
    """Take up to so many steps and keep nothing but the state."""
    for _ in range(steps):
        if state[T] == state[END]:
            return OK
        status = proceed(series, state, tally, work, z, p, d, k, w)
        if status != RUNNING:
            return status
        commit(work)
    return OK if state[T] == state[END] else RUNNING


@njit("i8(f8[::1], f8[:, ::1], i8, f8[::1], f8[:, ::1], i8)", **OPTIONS)
def _sample_step(state, work, order, times, out, following):
    """Write the states at the times inside the step just taken; return which one follows."""
    t, h, now = state[FROM], state[TAKEN], state[T]
    if times[following] != now:
        expand(state, work, order)
    while following < times.size and (now - times[following]) * h >= 0.0:
        if times[following] == now:
            copy(work[Y], out[following])
        else:
            step = work[POLYNOMIAL : POLYNOMIAL + order + 1]
            polynomial(step, (times[following] - t) / h, out[following])
        following += 1
    return following


@njit(f"i8({_RUN}, i8, f8[::1], f8[:, ::1])", **OPTIONS)
def sample(series, state, tally, work, z, p, d, k, w, steps, times, out):
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
        status = proceed(series, state, tally, work, z, p, d, k, w)
        if status != RUNNING:
            break
        if following < count and (state[T] - times[following]) * state[TAKEN] >= 0.0:
            following = _sample_step(state, work, k[0], times, out, following)
        commit(work)
    tally[NEXT_SAMPLE] = following
    return OK if status == RUNNING and state[T] == state[END] else status


@njit(f"i8({_RUN}, i8, f8[::1], f8[::1], f8[:, :, ::1])", **OPTIONS)
def record(series, state, tally, work, z, p, d, k, w, steps, starts, sizes, coefficients):
    """Take up to so many steps and write each as a polynomial; ``tally[ROWS]`` says how many."""
    tally[ROWS] = 0
    for _ in range(steps):
        if state[T] == state[END]:
            return OK
        status = proceed(series, state, tally, work, z, p, d, k, w)
        if status != RUNNING:
            return status
        expand(state, work, k[0])
        tally[ROWS] = write_step(
            tally[ROWS], state[FROM], state[TAKEN], work[POLYNOMIAL:], starts, sizes, coefficients
        )
        commit(work)
    return OK if state[T] == state[END] else RUNNING


_WATCHED = "i8, i8[::1], i8[::1], f8[:, ::1], f8[::1], i8[::1], f8[:, ::1]"


@njit(f"i8({_RUN}, i8, f8[::1], f8[::1], f8[:, :, ::1], {_WATCHED})", **OPTIONS)
def watch(
    series, state, tally, work, z, p, d, k, w, steps, starts, sizes, coefficients,
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
        status = proceed(series, state, tally, work, z, p, d, k, w)
        if status != RUNNING:
            return status
        expand(state, work, k[0])
        tally[ROWS] = write_step(
            tally[ROWS], state[FROM], state[TAKEN], work[POLYNOMIAL:], starts, sizes, coefficients
        )
        tally[EVENTS], tally[ENDED_BY] = find_crossings(
            state[T], state[FROM], state[TAKEN], work[POLYNOMIAL : POLYNOMIAL + k[0] + 1], work[Y], work[K0 + 1],
            z, p, d, k, w, guard, directions, terminal, sides,
            event_times, event_kinds, event_states, tally[EVENTS],
        )  # fmt: skip
        if tally[ENDED_BY] >= 0:
            state[T] = event_times[tally[EVENTS] - 1]
            copy(event_states[tally[EVENTS] - 1], work[X])
            return EVENT
        commit(work)
    return OK if state[T] == state[END] else RUNNING
