"""Symplectic integration with equal steps, dense output and crossings.

A step of ``H = T(p) + V(q, t)`` is a symmetric product of kicks ``p -= b h dV/dq`` and drifts ``q += a h dT/dp`` (see
`compositions`; Hairer, Lubich and Wanner, Geometric Numerical Integration, 2nd ed., Springer 2006,
chapters II, V and VIII).  The time advances with the drifts, so a force that depends on the time keeps
the order.  Such a step is the exact flow, to rounding, of a nearby energy: the energy error stays
bounded for times exponentially long in 1/h, as long as the step is the same throughout.

Rounding: what each sum loses is carried along and added to the next (compensated summation, section
VIII.5), so that over N steps the energy walks at random by some sqrt(N) units of rounding.

Between the ends of a step stands the Hermite polynomial through both states and one, two or three of
their derivatives along the flow: its degree, 3, 5 or 7, fits the order of the method.

For any other right-hand side it is one of Gauss collocation (`dynlab.kernels.gauss`): with no address of velocities.

Cost of a composed step: s forces and s velocities; one call of the derivatives along the flow where the polynomial is
needed.  What makes it fail: a step that is not short against the fastest motion (a close encounter)
shows in the energy error, not in a status.

The loops and their arrays are those of `dynlab.kernels.loops`.  The composition and the addresses of
the parts of H are the caller's to write into ``state`` and ``tally`` before `begin`.
"""

from __future__ import annotations

import math

from dynlab.kernels import gauss
from dynlab.kernels.convention import (
    DIVERGED,
    EVENT,
    LEFT_DOMAIN,
    OK,
    RUNNING,
    TOO_MANY_STEPS,
)
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import (
    MODEL,
    OPTIONS,
    PARTS,
    begin_watching,
    call,
    copy,
    find_crossings,
    polynomial,
    write_step,
)

# Places in `state`: time, the step and its largest size, ...; from COEFFICIENTS on b_0, a_1, b_1, ..., a_s, b_s,
# or those of Gauss collocation.
T, STEP, END, FROM, TAKEN, BEGAN, LARGEST, SCALE, COEFFICIENTS = range(9)

# Places in `tally`: counts; then the addresses of dT/dp, of -dV/dq and of the derivatives along the flow, and
# how many of these there are; from PAIRS on the places of the coordinates and then of the momenta.
ATTEMPTS, MOST_ATTEMPTS, NEXT_SAMPLE, ROWS, EVENTS, WATCHING, ENDED_BY = range(7)
STEPS, STAGES, EXPANDED, VELOCITY, FORCE, ALONG, SLOPES, PAIRS = range(7, 15)

# Rows of `work`: state, new state, what rounding took from the sums, velocities, forces, a place for
# guards, the derivatives at both ends, and the polynomial.
X, Y, LOST, VELOCITIES, FORCES, HERE, FIRST, LAST, POLYNOMIAL = 0, 1, 2, 3, 4, 5, 6, 9, 12
WORK_ROWS = 20
# More rows for Gauss collocation: the rates at the stages, and as many more.
STAGE_RATES = WORK_ROWS

#: Powers in the longest polynomial of a step, 0 to 7.
POWERS = 8
#: A state that has grown by this since the start of the run has diverged.
HUGE = 1e6

_RUN = f"i8, f8[::1], i8[::1], f8[:, ::1], {MODEL}"


@njit("b1(f8[:, ::1], i8, i8)", **OPTIONS)
def _are_finite(work, row, count):
    total = 0.0
    for i in range(count):
        total += 0.0 * work[row, i]
    return total == 0.0


@njit("void(f8[:, ::1], i8[::1], i8, i8, f8)", forceinline=True, **OPTIONS)
def _add(work, tally, first, rates, h):
    """Add h times the rates to the states at the places from `first` on, and keep what is lost."""
    for j in range(work.shape[1] // 2):
        i = tally[first + j]
        change = h * work[rates, j] + work[LOST, i]
        before = work[Y, i]
        after = before + change
        work[LOST, i] = (before - after) + change
        work[Y, i] = after


@njit(f"i8({_RUN})", **OPTIONS)
def begin(rhs, state, tally, work, z, p, d, k, w):
    """Prepare a run from ``work[X]`` at ``state[T]`` to ``state[END]``; return RUNNING or a status.

    The steps are equal, fill the time, and are no longer than ``state[LARGEST]`` but for rounding.
    """
    span = state[END] - state[T]
    tally[STEPS] = max(1, math.ceil(abs(span) / state[LARGEST] * (1.0 - 1e-12)))
    state[STEP] = span / tally[STEPS]
    for place in (ATTEMPTS, NEXT_SAMPLE, ROWS, EVENTS, WATCHING):
        tally[place] = 0
    tally[ENDED_BY] = tally[EXPANDED] = -1
    state[BEGAN] = state[FROM] = state[T]
    state[TAKEN] = 0.0
    state[SCALE] = 0.0
    for i in range(work.shape[1]):
        work[LOST, i] = 0.0
        state[SCALE] = max(state[SCALE], abs(work[X, i]))
    if tally[VELOCITY] == 0:
        gauss.begin(rhs, state[T], work[X], work[STAGE_RATES:], z, p, d, k, w)
        if not _are_finite(work, STAGE_RATES, work.shape[1]):
            return LEFT_DOMAIN
        return OK if span == 0.0 else RUNNING
    call(tally[FORCE], state[T], work[X], z, p, d, k, w, work[FORCES])
    if not _are_finite(work, FORCES, work.shape[1] // 2):
        return LEFT_DOMAIN
    return OK if span == 0.0 else RUNNING


@njit("i8(f8[:, ::1], f8)", **OPTIONS)
def _why_not_finite(work, scale):
    for i in range(work.shape[1]):
        if abs(work[X, i]) > HUGE * max(scale, 1.0):
            return DIVERGED
    return LEFT_DOMAIN


@njit(f"i8(f8[::1], i8[::1], f8[:, ::1], {MODEL})", forceinline=True, **OPTIONS)
def _compose(state, tally, work, z, p, d, k, w):
    """Take one step of kicks and drifts."""
    half, stages = work.shape[1] // 2, tally[STAGES]
    t, h = state[T], state[STEP]
    copy(work[X], work[Y])
    _add(work, tally, PAIRS + half, FORCES, h * state[COEFFICIENTS])
    for s in range(stages):
        drift, kick = state[COEFFICIENTS + 2 * s + 1], state[COEFFICIENTS + 2 * s + 2]
        call(tally[VELOCITY], t, work[Y], z, p, d, k, w, work[VELOCITIES])
        _add(work, tally, PAIRS, VELOCITIES, h * drift)
        t += drift * h
        call(tally[FORCE], t, work[Y], z, p, d, k, w, work[FORCES])
        _add(work, tally, PAIRS + half, FORCES, h * kick)
    if not (_are_finite(work, Y, 2 * half) and _are_finite(work, FORCES, half)):
        return LEFT_DOMAIN
    return RUNNING


@njit(f"i8({_RUN})", **OPTIONS)
def _collocate(rhs, state, tally, work, z, p, d, k, w):
    """Take one step of Gauss collocation."""
    s = tally[STAGES]
    return gauss.step(
        rhs, state[T], state[STEP], s, state[COEFFICIENTS:], work[X], work[Y], work[LOST],
        work[STAGE_RATES : STAGE_RATES + s], work[STAGE_RATES + s :], z, p, d, k, w,
    )  # fmt: skip


@njit(f"i8({_RUN})", forceinline=True, **OPTIONS)
def proceed(rhs, state, tally, work, z, p, d, k, w):
    """Take one step from ``work[X]`` to ``work[Y]``; return RUNNING or why not.

    The caller may use both ends, then calls `commit`.
    """
    if tally[ATTEMPTS] >= tally[MOST_ATTEMPTS]:
        return TOO_MANY_STEPS
    h = state[STEP]
    if tally[VELOCITY] == 0:
        status = _collocate(rhs, state, tally, work, z, p, d, k, w)
    else:
        status = _compose(state, tally, work, z, p, d, k, w)
    if status == LEFT_DOMAIN:
        return _why_not_finite(work, state[SCALE])
    if status != RUNNING:
        return status
    tally[ATTEMPTS] += 1
    state[FROM], state[TAKEN] = state[T], h
    is_last = tally[ATTEMPTS] == tally[STEPS]
    state[T] = state[END] if is_last else state[BEGAN] + tally[ATTEMPTS] * h
    return RUNNING


@njit(f"void(f8[::1], i8[::1], f8[:, ::1], {MODEL})", **OPTIONS)
def expand(state, tally, work, z, p, d, k, w):
    """Write the step just taken as a polynomial into ``work[POLYNOMIAL:]``.

    With D, the difference of the states, and the Taylor coefficients g, k, m of both ends in powers of s,
    the places above those of the start solve a small linear system: the sums over all powers are D, and
    so on for the derivatives.  Its inverse stands written out.
    """
    n, slopes = work.shape[1], tally[SLOPES]
    if tally[EXPANDED] == tally[ATTEMPTS] - 1:
        for j in range(slopes):
            copy(work[LAST + j], work[FIRST + j])
    else:
        call(tally[ALONG], state[FROM], work[X], z, p, d, k, w, work[FIRST])
    call(tally[ALONG], state[T], work[Y], z, p, d, k, w, work[LAST])
    tally[EXPANDED] = tally[ATTEMPTS]
    h = state[TAKEN]
    P = work[POLYNOMIAL:]
    for i in range(n):
        g0, g1 = h * work[FIRST, i], h * work[LAST, i]
        P[0, i], P[1, i] = work[X, i], g0
        at_end = work[Y, i] - work[X, i] - g0
        first = g1 - g0
        if slopes == 1:
            P[2, i] = 3.0 * at_end - first
            P[3, i] = first - 2.0 * at_end
            continue
        k0, k1 = 0.5 * h * h * work[FIRST + 1, i], 0.5 * h * h * work[LAST + 1, i]
        P[2, i] = k0
        at_end -= k0
        first -= 2.0 * k0
        second = 2.0 * (k1 - k0)
        if slopes == 2:
            P[3, i] = 10.0 * at_end - 4.0 * first + 0.5 * second
            P[4, i] = -15.0 * at_end + 7.0 * first - second
            P[5, i] = 6.0 * at_end - 3.0 * first + 0.5 * second
            continue
        m0, m1 = h * h * h / 6.0 * work[FIRST + 2, i], h * h * h / 6.0 * work[LAST + 2, i]
        P[3, i] = m0
        at_end -= m0
        first -= 3.0 * m0
        second -= 6.0 * m0
        third = m1 - m0
        P[4, i] = 35.0 * at_end - 15.0 * first + 2.5 * second - third
        P[5, i] = -84.0 * at_end + 39.0 * first - 7.0 * second + 3.0 * third
        P[6, i] = 70.0 * at_end - 34.0 * first + 6.5 * second - 3.0 * third
        P[7, i] = -20.0 * at_end + 10.0 * first - 2.0 * second + third


@njit("void(f8[:, ::1])", **OPTIONS)
def commit(work):
    """Make the end of the step the start of the next."""
    copy(work[Y], work[X])


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


@njit(f"i8(f8[::1], i8[::1], f8[:, ::1], {MODEL}, f8[::1], f8[:, ::1], i8)", **OPTIONS)
def _sample_step(state, tally, work, z, p, d, k, w, times, out, following):
    """Write the states at the times inside the step just taken; return which one follows."""
    t, h, now = state[FROM], state[TAKEN], state[T]
    last = POLYNOMIAL + 2 * tally[SLOPES] + 2
    if times[following] != now:
        expand(state, tally, work, z, p, d, k, w)
    while following < times.size and (now - times[following]) * h >= 0.0:
        if times[following] == now:
            copy(work[Y], out[following])
        else:
            polynomial(work[POLYNOMIAL:last], (times[following] - t) / h, out[following])
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
            following = _sample_step(state, tally, work, z, p, d, k, w, times, out, following)
        commit(work)
    tally[NEXT_SAMPLE] = following
    return OK if status == RUNNING and state[T] == state[END] else status


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
        expand(state, tally, work, z, p, d, k, w)
        tally[ROWS] = write_step(
            tally[ROWS], state[FROM], state[TAKEN], work[POLYNOMIAL:], starts, sizes, coefficients
        )
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
    last = POLYNOMIAL + coefficients.shape[1]
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
        expand(state, tally, work, z, p, d, k, w)
        tally[ROWS] = write_step(
            tally[ROWS], state[FROM], state[TAKEN], work[POLYNOMIAL:], starts, sizes, coefficients
        )
        tally[EVENTS], tally[ENDED_BY] = find_crossings(
            state[T], state[FROM], state[TAKEN], work[POLYNOMIAL:last], work[Y], work[HERE],
            z, p, d, k, w, guard, directions, terminal, sides,
            event_times, event_kinds, event_states, tally[EVENTS],
        )  # fmt: skip
        if tally[ENDED_BY] >= 0:
            state[T] = event_times[tally[EVENTS] - 1]
            copy(event_states[tally[EVENTS] - 1], work[X])
            return EVENT
        commit(work)
    return OK if state[T] == state[END] else RUNNING
