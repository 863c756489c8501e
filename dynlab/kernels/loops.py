"""The loops of a run: steps by the explicit or the implicit method, and what is kept of them.

`begin` (in `run`) prepares the arrays.  Then one of four loops is called in chunks until it returns
something else than RUNNING: `advance` (nothing kept), `sample` (states at given times), `record`
(every step as a polynomial) and `watch` (the same, with crossings of guards).  They stand last: a
function with a signature is compiled when it is read, so helpers come first.

Which method takes a step says ``tally[CHOICE]``: always the explicit one, always the implicit one, or
the one that fits (MEASURED):

- The explicit method is left when its step is held back by a motion that it does not resolve: the next
  step that the error allows, times ``|lambda|``, is beyond ``state[REACH]``.  ``h |lambda|`` is measured as
  the quotient of slopes and states of the two stages that both stand for ``t + h`` (Hairer and Wanner,
  Solving Ordinary Differential Equations II, 2nd ed., Springer 1996, section IV.2).  After SURE_ENOUGH steps of
  that kind the step is kept within reach, after PATIENCE of them the method changes; CALM_ENOUGH others in
  a row end the suspicion.  A step that is found far beyond BOUND is taken again: such a step ends where it
  should, but passes through states that have nothing to do with the solution.  One such measurement alone is
  no proof: that the two states nearly agree happens by chance, too.  Up to there the run is bit for
  bit that of the explicit method alone.
  (Hairer waits for the bound of stability; at tight tolerances the steps stay below it, and Robertson's problem
  takes 30 times as long.)
- The implicit method is left when the explicit one would be cheaper: when the step, times the largest rate in
  the Jacobian, is within its reach times the cost of an implicit step in explicit ones.  If the stay
  did not pay, PATIENCE is doubled.
"""

from __future__ import annotations

import math

from dynlab.kernels import explicit, implicit
from dynlab.kernels.convention import EVENT, OK, RUNNING
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import (
    EPS,
    MODEL,
    OPTIONS,
    PARTS,
    begin_watching,
    copy,
    find_crossings,
    polynomial,
    stay_far,
    write_step,
)
from dynlab.kernels.run import (
    ATOL,
    ATTEMPTS,
    BOUND,
    CALM,
    CHOICE,
    END,
    ENDED_BY,
    EVENTS,
    EXPLICIT,
    EXPLICIT_STEPS,
    FACTORED,
    FOREIGN,
    FROM,
    IMPLICIT,
    IMPLICIT_STEPS,
    K0,
    K12,
    LARGEST_RATE,
    LAST_STEP,
    MARK,
    MEASURED,
    MOST_ATTEMPTS,
    NEXT,
    NEXT_SAMPLE,
    PAID,
    PATIENCE,
    POLYNOMIAL,
    POWERS,
    REACH,
    ROWS,
    RTOL,
    STATE_SIZE,
    STEP,
    SUSPECT,
    TAKEN,
    TALLY_SIZE,
    TESTED,
    TINY,
    TOOK,
    WATCHING,
    WORK_ROWS,
    T,
    X,
    Y,
    begin,
    commit,
)
from dynlab.kernels.tableaus import DOP853

# With the places that a caller has to know.
__all__ = [
    "ATOL", "ATTEMPTS", "CHOICE", "END", "ENDED_BY", "EVENTS", "EXPLICIT_STEPS", "IMPLICIT", "IMPLICIT_STEPS", "MOST_ATTEMPTS",
    "NEXT_SAMPLE", "POWERS", "ROWS", "RTOL", "STATE_SIZE", "STEP", "T", "TALLY_SIZE", "TINY", "WATCHING", "WORK_ROWS",
    "X",
    "advance", "begin", "record", "sample", "watch",
]  # fmt: skip

#: Without a suspicion, every 8th step is tested, and each before, during or after which the step grows
#: that much.
EACH, GROWTH = 8, 1.25
#: See above; a step far beyond BOUND counts for several; a stay has paid if so many of its steps did.
SUSPECT_BEYOND = 3
#: During a suspicion the step grows no more than that.
GROWTH_IN_DOUBT = 1.5
SURE_ENOUGH, LEAST_PATIENCE, MOST_PATIENCE, CALM_ENOUGH, LEAST_PAID = 3, 15, 3840, 10, 10
#: So many steps in a row must say so before the implicit method is left.
LEAVE_AFTER = 5
#: An implicit step in explicit ones: 4 measured for three states; the growth with n and the 100 for sparse
#: matrices are estimates.  A wrong one costs time, not accuracy.
COST, COST_PER_STATE, COST_SPARSE = 4.0, 0.125, 100.0
#: Two states that are closer together than this share of their size, the least that a tolerance may be, tell
#: nothing of a slope between them.
ROUNDING = 100 * EPS
#: The two states that stand for ``t + h``: that of the last stage and the new one.
LAST_STAGE = 11
DIFFERENCE = tuple(b - a for a, b in zip((*DOP853.a[LAST_STAGE], 0.0), DOP853.b, strict=True))

_RUN = f"i8, f8[::1], i8[::1], f8[:, ::1], {MODEL}"


@njit("f8(f8[::1], f8[:, ::1])", **OPTIONS)
def stiffness(state, work):
    """Return ``h |lambda|`` of the explicit step just taken, each component over its tolerance.

    At rest both differences are rounding, and their quotient is any number: then it is 0.
    """
    K = work[K0:]
    slopes = states = rounding = 0.0
    for i in range(work.shape[1]):
        between = (
            DIFFERENCE[0] * K[0, i]
            + DIFFERENCE[3] * K[3, i]
            + DIFFERENCE[4] * K[4, i]
            + DIFFERENCE[5] * K[5, i]
            + DIFFERENCE[6] * K[6, i]
            + DIFFERENCE[7] * K[7, i]
            + DIFFERENCE[8] * K[8, i]
            + DIFFERENCE[9] * K[9, i]
            + DIFFERENCE[10] * K[10, i]
            + DIFFERENCE[11] * K[11, i]
        )
        scale = 1.0 / (state[ATOL] + state[RTOL] * abs(work[Y, i]))
        states += (scale * between) ** 2
        slopes += (scale * (K[12, i] - K[11, i])) ** 2
        rounding += (scale * ROUNDING * work[Y, i]) ** 2
    return math.sqrt(slopes / states) if states * state[TAKEN] ** 2 > rounding else 0.0


@njit("b1(f8[::1], i8[::1], f8[:, ::1], b1)", **OPTIONS)
def _stands(state, tally, work, is_repeated):
    """Count what speaks for stiffness, and change to the implicit method when it is enough.

    A step far beyond BOUND does not stand: both ends may be as exact as asked, but not what lies
    between.  It is to be taken again, once, and shorter.
    """
    ratio = stiffness(state, work)
    was_in_doubt = tally[SUSPECT] > 0
    if ratio > BOUND * GROWTH and was_in_doubt and not is_repeated:
        state[T] = state[FROM]
        state[STEP] = state[TAKEN] * (BOUND / ratio)
        tally[SUSPECT] += SUSPECT_BEYOND
        tally[CALM] = 0
        return False
    state[TESTED] = abs(state[TAKEN])
    within = state[TAKEN] * (state[REACH] / ratio)
    if abs(state[STEP]) <= abs(within):
        tally[CALM] += 1
        if tally[CALM] == CALM_ENOUGH:
            tally[SUSPECT] = 0
        if tally[SUSPECT] > 1 and abs(state[STEP]) > GROWTH_IN_DOUBT * abs(state[TAKEN]):
            state[STEP] = GROWTH_IN_DOUBT * state[TAKEN]
        return True
    tally[SUSPECT] += 1
    tally[CALM] = 0
    most = min(BOUND / ratio, GROWTH_IN_DOUBT)
    if tally[SUSPECT] >= SURE_ENOUGH:
        state[STEP] = within
    elif was_in_doubt and abs(state[STEP]) > most * abs(state[TAKEN]):
        state[STEP] = most * state[TAKEN]
    if tally[SUSPECT] < max(tally[PATIENCE], LEAST_PATIENCE):
        return True
    tally[SUSPECT] = 0
    tally[NEXT] = IMPLICIT
    tally[PAID] = 0
    state[FACTORED] = state[LAST_STEP] = 0.0
    return True


@njit("void(f8[::1], i8[::1], i8)", **OPTIONS)
def _reconsider(state, tally, n):
    """Go back to the explicit method when it would be cheaper."""
    cost = COST_SPARSE if tally[FOREIGN] else COST + COST_PER_STATE * n
    if abs(state[STEP]) * state[LARGEST_RATE] > cost * state[REACH]:
        tally[CALM] = 0
        tally[PAID] += 1
        return
    tally[CALM] += 1
    if tally[CALM] < LEAVE_AFTER:
        return
    tally[NEXT] = EXPLICIT
    tally[CALM] = 0
    patience = max(tally[PATIENCE], LEAST_PATIENCE)
    was_error = tally[PAID] < LEAST_PAID
    tally[PATIENCE] = min(2 * patience, MOST_PATIENCE) if was_error else LEAST_PATIENCE


@njit(f"i8({_RUN})", forceinline=True, **OPTIONS)
def proceed(rhs, state, tally, work, z, p, d, k, w):
    """Find one acceptable step by the method whose turn it is; return RUNNING or why not."""
    tally[TOOK] = tally[NEXT]
    if tally[NEXT] == EXPLICIT:
        is_repeated = False
        while True:
            status = explicit.proceed(rhs, state, tally, work, z, p, d, k, w)
            if status != RUNNING:
                return status
            is_tested = tally[CHOICE] == MEASURED and (
                tally[SUSPECT] > 0
                or (tally[EXPLICIT_STEPS] + 1) % EACH == 0
                or abs(state[STEP]) > GROWTH * abs(state[TAKEN])
                or abs(state[TAKEN]) > GROWTH * state[TESTED]
            )
            if not is_tested or _stands(state, tally, work, is_repeated):
                tally[EXPLICIT_STEPS] += 1
                return RUNNING
            is_repeated = True
    status = implicit.proceed(rhs, state, tally, work, z, p, d, k, w)
    if status == RUNNING:
        tally[IMPLICIT_STEPS] += 1
        if tally[CHOICE] == MEASURED:
            _reconsider(state, tally, work.shape[1])
    return status


@njit(f"void(i8, f8[::1], i8[::1], f8[:, ::1], {MODEL})", **OPTIONS)
def expand(rhs, state, tally, work, z, p, d, k, w):
    """Write the step just taken as a polynomial into ``work[POLYNOMIAL:]``."""
    if tally[TOOK] == EXPLICIT:
        explicit.expand(rhs, state, work, z, p, d, k, w)
    else:
        implicit.expand(rhs, state, tally, work, z, p, d, k, w)


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


@njit(f"i8(i8, f8[::1], i8[::1], f8[:, ::1], {MODEL}, f8[::1], f8[:, ::1], i8)", **OPTIONS)
def _sample_step(rhs, state, tally, work, z, p, d, k, w, times, out, following):
    """Write the states at the times inside the step just taken; return which one follows."""
    t, h, now = state[FROM], state[TAKEN], state[T]
    if times[following] != now:
        expand(rhs, state, tally, work, z, p, d, k, w)
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
            following = _sample_step(rhs, state, tally, work, z, p, d, k, w, times, out, following)
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
        expand(rhs, state, tally, work, z, p, d, k, w)
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

    Without room for steps none is written; then those that stay far from every guard need no polynomial.

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
        is_far = tally[TOOK] == EXPLICIT and stay_far(
            state[FROM], state[TAKEN], work[X], work[K0], work[Y], work[K12], work[K0 + 1],
            z, p, d, k, w, guard, directions, sides,
        )  # fmt: skip
        if starts.size > 0 or not is_far:
            expand(rhs, state, tally, work, z, p, d, k, w)
        tally[ROWS] = write_step(
            tally[ROWS], state[FROM], state[TAKEN], work[POLYNOMIAL:], starts, sizes, coefficients
        )
        if is_far:
            commit(work)
            continue
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
