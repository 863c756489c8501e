"""Networks whose nodes have events, located inside the steps: the whole run in one compiled loop.

Guards are numbered: first the crossings that a user asked for, then those of the first event for all
nodes, of the second, and so on.  A network written out by hand, with one event per node in that order,
runs in the same way (`dynlab.kernels.resets` says in which order the events of an instant happen).

1. A step is taken, as in `loops`, and the guards and their rates are evaluated at its end.
2. A guard may have passed zero if its values at both ends say so, or if the cubic through values and
   rates could: it lies within the hull of its control points (Farin, Curves and Surfaces for CAGD, 5th ed.,
   section 5.3), here moved out by a fifth.  Only for such guards the polynomial of the step is made and
   looked at in PARTS parts.  A node's guard reads few states, so looking costs no more with many nodes.
3. The step ends at the earliest crossing; others within SAME of it belong to the same instant.  Resets
   happen, and the next step begins from there with the size that the last one proposed.

Cost of an event: a step, two sets of guards and of rates, and one set of guards for every reset.  Where events
are dense, steps are cut to a few of the times between them, and then they are short ones (`short`) as far as
these are as accurate.
"""

from __future__ import annotations

import numpy as np
from numba import types

from dynlab.kernels import short
from dynlab.kernels.convention import (
    ACCUMULATION,
    EVENT,
    LEFT_DOMAIN,
    MODEL_INPUTS,
    OK,
    RUNNING,
    SLIDING,
    call1,
    pointer,
)
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import DEAF, EPS, MODEL, NEAR, OPTIONS, PARTS, call, copy
from dynlab.kernels.loops import expand, proceed
from dynlab.kernels.resets import SAME, carried
from dynlab.kernels.run import (
    ATTEMPTS,
    BAD_STEP,
    END,
    EXPLICIT,
    EXPLICIT_STEPS,
    FROM,
    K0,
    K12,
    LAST_STEP,
    MARKS,
    MOST_ATTEMPTS,
    NEXT,
    POLYNOMIAL,
    POWERS,
    STEP,
    TAKEN,
    T,
    X,
    Y,
    commit,
    is_finite,
)

# Rows of `guards`, one column per guard: value and rate at the start of the step, and the side of zero from
# which it may pass; both at its end; the value before a reset; where in the step it passes (FAR: nowhere);
# whether it is due (DUE), or has been (DONE); until when it is deaf; the last event, the interval before it,
# and how often in a row intervals have shrunk.
VALUE, RATE, SIDE, NEW, NEW_RATE, BEFORE, PLACE, MARKED, UNTIL, LAST, INTERVAL, SHRUNK = range(12)
GUARD_ROWS = 12
FAR, DUE, DONE = 2.0, 1.0, 2.0

# A plan, as a tuple: addresses and counts (KERNELS), a row per event (EVENTS), a column per guard (OF), the
# states that guards read (READ), refractory times (PAUSES).
KERNELS, EVENTS, OF, READ, PAUSES = range(5)
# Places in KERNELS: the guards of all nodes and their rates, crossings and their rates, how many crossings
# there are, and from where on they end the run.
GUARDS, RATES, CROSSINGS, CROSSING_RATES, FIRST, ENDS = range(6)
# Columns of EVENTS: the guard of one node; the reset (0: none); whether it is a mere
# surface, without reset or direction; where in the arrays stands which nodes move (-1: nothing is held); how
# many states a guard reads (-1: all).
GUARD, RESET, SURFACE, MOVING, READS = range(5)
# Rows of OF: the event (-1: a crossing), the node, the direction.
EVENT_OF, NODE_OF, DIRECTION_OF = range(3)

# Places in `clock`: the end of the leg, the next end of a refractory time, the last instant with events, and
# about how long it takes from one to the next; below which part of the step wanted a short one is tried.
STOP, NEXT_AWAKE, INSTANT, PACE, PART = range(5)
#: Explicit steps are no longer than so many of these times: what lies beyond an event is thrown away, and
#: looking for the earliest of many crossings takes time.  After a step without events it is doubled.  No step
#: is cut to less than LEAST_PART of what the tolerance allows.
PACES, NEWEST, LEAST_PART = 3.0, 0.25, 1e-6
#: Steps that are cut to less than this part are tried with order 5.  Where that fails the part is halved, and
#: slowly grows again.
SHORT, LESS, MORE = 0.25, 0.5, 1.02
# Places in `progress`: steps written; times kept; jumps, events and crossings written; which guard ended the
# run; instants in a row without rest; whether the run begins anew.
ROWS, KEPT, JUMPS, FOUND, CROSSED, ENDED_BY, CLOSE, ANEW = range(8)

#: Control points of the cubic stand at a third of the step, seen along the rates.
REACH_OUT = 0.4
#: Trials for a turning point: the bracket shrinks by 0.618 each time.
TURN_TRIALS = 40
GOLDEN = 0.3819660112501051
#: See `dynlab.solve.legs`.
SHRINKING, REST, MOST_CLOSE, RESTLESS, GRAZING = 8, 1e-9, 64, 1e-11, 1e-6
#: Events at one instant, and more for each guard, before it is said that they never end.
TOGETHER, TOGETHER_EACH = 64, 4
#: How far beyond and before a surface its two sides are looked at, in steps.
ASIDE = 1e-6

_MODEL = MODEL_INPUTS
_I = types.int64
_V, _M = types.float64[::1], types.float64[:, ::1]
_PLAN = types.Tuple((_I[::1], _I[:, ::1], _I[:, ::1], _I[:, :, ::1], _V))
_f8 = types.float64


@njit(types.void(_f8, _V, _MODEL, _PLAN, _V), **OPTIONS)
def _values(t, x, m, plan, out):
    """Write the values of all guards."""
    kernels = plan[KERNELS]
    z, p, d, k, w = m
    if kernels[FIRST]:
        call(kernels[CROSSINGS], t, x, z, p, d, k, w, out)
    call(kernels[GUARDS], t, x, z, p, d, k, w, out[kernels[FIRST] :])


@njit(types.void(_f8, _V, _V, _MODEL, _PLAN, _V), **OPTIONS)
def _rates(t, x, slopes, m, plan, out):
    """Write how fast all guards change."""
    kernels = plan[KERNELS]
    z, p, d, k, w = m
    after = out[kernels[FIRST] :]
    if kernels[FIRST]:
        call1(
            kernels[CROSSING_RATES], t, pointer(x), pointer(z), pointer(p), pointer(d), pointer(k),
            pointer(w), pointer(slopes), pointer(out),
        )  # fmt: skip
    call1(
        kernels[RATES], t, pointer(x), pointer(z), pointer(p), pointer(d), pointer(k), pointer(w),
        pointer(slopes), pointer(after),
    )  # fmt: skip


@njit(types.void(_M, _f8, _V), **OPTIONS)
def _whole(coefficients, s, out):
    """Evaluate a step at a place, power by power: several numbers at a time, where there are many."""
    last = coefficients.shape[0] - 1
    copy(coefficients[last], out)
    for j in range(last - 1, -1, -1):
        row = coefficients[j]
        for i in range(out.size):
            out[i] = out[i] * s + row[i]


@njit(_f8(_I, _f8, _f8, _f8, _M, _V, _MODEL, _PLAN, _V), **OPTIONS)
def _at(g, s, t, h, coefficients, here, m, plan, answers):
    """Return the value of one guard at a place of the step."""
    z, p, d, k, w = m
    e, last = plan[OF][EVENT_OF, g], coefficients.shape[0] - 1
    if e < 0 or plan[EVENTS][e, READS] < 0:
        _whole(coefficients, s, here)
        _values(t + s * h, here, m, plan, answers)
        return answers[g]
    node = plan[OF][NODE_OF, g]
    for r in range(plan[EVENTS][e, READS]):
        i = plan[READ][e, 0, r] + plan[READ][e, 1, r] * node
        value = coefficients[last, i]
        for j in range(last - 1, -1, -1):
            value = value * s + coefficients[j, i]
        here[i] = value
    z[0] = node
    call(plan[EVENTS][e, GUARD], t + s * h, here, z, p, d, k, w, answers)
    return answers[0]


_LOOK = (_I, _f8, _f8, _f8, _f8, _f8, _f8, _f8, _M, _V, _MODEL, _PLAN, _V)


@njit(_f8(*_LOOK), **OPTIONS)
def _locate(g, low, high, at_low, at_high, side, t, h, coefficients, here, m, plan, answers):
    """Return the place in (low, high] just beyond the crossing of a guard; see `dense.locate`."""
    width = max(4.0 * EPS, 2.0 * EPS * abs(t / h))
    pull = 0.2 / (high - low)
    room = width
    while room < high - low:
        room *= 2.0
    while high - low > width:
        middle = 0.5 * (low + high)
        radius = 0.5 * (room - (high - low))
        s = middle
        if at_high != at_low:
            s = (at_high * low - at_low * high) / (at_high - at_low)
        toward = 1.0 if middle > s else -1.0
        shift = pull * (high - low) ** 2
        s = s + toward * shift if shift <= abs(middle - s) else middle
        if not abs(s - middle) <= radius:
            s = middle - toward * radius
        value = _at(g, s, t, h, coefficients, here, m, plan, answers)
        if value * side > 0.0:
            low, at_low = s, value
        else:
            high, at_high = s, value
        room *= 0.5
    return high


@njit(_f8(_I, _f8, _f8, _f8, _f8, _f8, _M, _V, _MODEL, _PLAN, _V), **OPTIONS)
def _turn(g, low, high, side, t, h, coefficients, here, m, plan, answers):
    """Return a place in (low, high) where a guard is beyond zero; -1 if it turns back before it."""
    a, b = low + GOLDEN * (high - low), high - GOLDEN * (high - low)
    at_a = side * _at(g, a, t, h, coefficients, here, m, plan, answers)
    at_b = side * _at(g, b, t, h, coefficients, here, m, plan, answers)
    for _ in range(TURN_TRIALS):
        if at_a < 0.0:
            return a
        if at_b < 0.0:
            return b
        if at_a < at_b:
            high, b, at_b = b, a, at_a
            a = low + GOLDEN * (high - low)
            at_a = side * _at(g, a, t, h, coefficients, here, m, plan, answers)
        else:
            low, a, at_a = a, b, at_b
            b = high - GOLDEN * (high - low)
            at_b = side * _at(g, b, t, h, coefficients, here, m, plan, answers)
    return -1.0


@njit(_f8(_I, _f8, _f8, _f8, _M, _M, _V, _MODEL, _PLAN, _V), **OPTIONS)
def _first(g, limit, t, h, coefficients, guards, here, m, plan, answers):
    """Return where in the step a guard first passes zero in its direction, up to a limit; or FAR."""
    direction, side = plan[OF][DIRECTION_OF, g], guards[SIDE, g]
    low = before = 0.0
    at_low = at_before = guards[VALUE, g]
    for part in range(1, PARTS + 1):
        if low >= limit:
            return FAR
        high = min(part / PARTS, limit)
        value = guards[NEW, g]
        if high < 1.0:
            value = _at(g, high, t, h, coefficients, here, m, plan, answers)
        if side * value < 0.0 or (value == 0.0 and side != 0.0):
            if direction * side <= 0.0:
                return _locate(
                    g, low, high, at_low, value, side, t, h, coefficients, here, m, plan, answers
                )
            # What lies before a passage in the other direction has no part in what follows.
            side, low, at_low = -side, high, value
        elif side == 0.0:
            side = np.sign(value)
        else:
            # Nearest to zero is the middle one of three places, or an end from which it turns back.
            fell = part > 1 and abs(at_low) < abs(at_before)
            if part == 1:
                fell = side * h * guards[RATE, g] < 0.0
            rises = abs(value) >= abs(at_low)
            begin, end = before, high
            is_turn = fell and rises
            if high == 1.0 and not is_turn:
                is_turn = not rises and side * h * guards[NEW_RATE, g] > 0.0
                begin = low
            change = max(abs(at_before - at_low), abs(value - at_low))
            if is_turn and min(abs(at_low), abs(value)) <= NEAR * change:
                turn = _turn(g, begin, end, side, t, h, coefficients, here, m, plan, answers)
                if turn > 0.0:
                    there = _at(g, turn, t, h, coefficients, here, m, plan, answers)
                    if direction * side <= 0.0:
                        from_ = at_before if begin == before else at_low
                        return _locate(
                            g, begin, turn, from_, there, side, t, h, coefficients, here, m, plan,
                            answers,
                        )  # fmt: skip
                    return _locate(
                        g,
                        turn,
                        end,
                        there,
                        value,
                        -side,
                        t,
                        h,
                        coefficients,
                        here,
                        m,
                        plan,
                        answers,
                    )
        before, at_before = low, at_low
        low, at_low = high, value
    return FAR


@njit("b1(f8, i8, f8[:, ::1])", **OPTIONS)
def _may_pass(h, g, guards):
    """Whether a guard may have passed zero during the step."""
    side, new = guards[SIDE, g], guards[NEW, g]
    if side * new <= 0.0:
        return True
    out = REACH_OUT * h
    return (
        side * (guards[VALUE, g] + out * guards[RATE, g]) < 0.0
        or side * (new - out * guards[NEW_RATE, g]) < 0.0
    )


@njit(_f8(_f8, _f8, _M, _M, _V, _MODEL, _PLAN, _V), **OPTIONS)
def _earliest(t, h, coefficients, guards, here, m, plan, answers):
    """Mark the guards that are due and return where in the step they are; FAR if there are none."""
    wide = SAME * max(abs(t), abs(h)) / abs(h)
    best, likely, soonest = FAR, -1, FAR
    for g in range(guards.shape[1]):
        if guards[MARKED, g] == DUE and guards[VALUE, g] * guards[NEW, g] < 0.0:
            about = guards[VALUE, g] / (guards[VALUE, g] - guards[NEW, g])
            if about < soonest:
                likely, soonest = g, about
    # The others are looked at only up to where that one passes.
    for trial in range(-1, guards.shape[1]):
        g = likely if trial < 0 else trial
        if g >= 0 and guards[MARKED, g] == DUE and (trial < 0 or g != likely):
            limit = min(1.0, best + wide)
            place = _first(g, limit, t, h, coefficients, guards, here, m, plan, answers)
            guards[PLACE, g] = place
            best = min(best, place)
    last = best
    for g in range(guards.shape[1]):
        if guards[MARKED, g] == DUE:
            if guards[PLACE, g] <= best + wide and best < FAR:
                last = max(last, guards[PLACE, g])
            else:
                guards[MARKED, g] = 0.0
    return last


@njit("void(f8[::1], f8[:, ::1])", **OPTIONS)
def _next_awake(clock, guards):
    """Note when the next refractory time ends."""
    clock[NEXT_AWAKE] = np.inf
    for g in range(guards.shape[1]):
        if -np.inf < guards[UNTIL, g] < clock[NEXT_AWAKE]:
            clock[NEXT_AWAKE] = guards[UNTIL, g]


@njit(types.void(_f8, _f8, _V, _M, _MODEL, _PLAN), **OPTIONS)
def _awake(t, h, clock, guards, m, plan):
    """End the refractory times that are over: guards hear again, and held states move."""
    for g in range(guards.shape[1]):
        if -np.inf < guards[UNTIL, g] <= t + SAME * max(abs(t), abs(h)):
            guards[UNTIL, g] = -np.inf
            moving = plan[EVENTS][plan[OF][EVENT_OF, g], MOVING]
            if moving >= 0:
                m[2][moving + plan[OF][NODE_OF, g]] = 1.0
    _next_awake(clock, guards)


@njit(types.b1(_I, _V, _I[::1], _M, _M, _MODEL, _PLAN), **OPTIONS)
def _begin_anew(rhs, state, tally, work, guards, m, plan):
    """Begin after a jump: slopes, and on which side of each guard; whether the slopes are finite.

    As `resets.set_sides`; guards that have just been at zero are marked DONE.
    """
    t, h, x = state[T], state[STEP], work[X]
    z, p, d, k, w = m
    call(rhs, t, x, z, p, d, k, w, work[K0])
    tally[MARKS] = 0
    state[BAD_STEP], state[LAST_STEP] = np.inf, 0.0
    _values(t, x, m, plan, guards[VALUE])
    _rates(t, x, work[K0], m, plan, guards[RATE])
    wide = max(SAME * max(1.0, abs(t / h)), 16.0 * EPS)
    for g in range(guards.shape[1]):
        value, rate = guards[VALUE, g], h * guards[RATE, g]
        side = np.sign(value) if value != 0.0 else np.sign(rate)
        if guards[MARKED, g] == DONE:
            e = plan[OF][EVENT_OF, g]
            if abs(value) <= wide * abs(rate) or value == 0.0:
                side = guards[SIDE, g]
                if e >= 0 and plan[EVENTS][e, RESET] != 0:
                    side = np.sign(rate)
                guards[VALUE, g] = side * abs(value)
        guards[SIDE, g], guards[MARKED, g] = side, 0.0
    return is_finite(work[K0])


@njit(types.b1(_f8, _f8, _f8, _I, _M, _V, _M, _V, _MODEL, _PLAN), **OPTIONS)
def _slides(s, t, h, rhs, coefficients, slopes, guards, here, m, plan):
    """Whether the flow beyond a surface just passed carries back to it."""
    is_asked = False
    for g in range(guards.shape[1]):
        e = plan[OF][EVENT_OF, g]
        if e >= 0 and guards[MARKED, g] == DUE and plan[EVENTS][e, SURFACE] == 1:
            is_asked = True
    if not is_asked:
        return False
    z, p, d, k, w = m
    for beyond in range(2):
        place = s + ASIDE if beyond == 1 else max(0.0, s - ASIDE)
        _whole(coefficients, place, here)
        call(rhs, t + place * h, here, z, p, d, k, w, slopes)
        _rates(t + place * h, here, slopes, m, plan, guards[NEW_RATE if beyond == 1 else RATE])
    for g in range(guards.shape[1]):
        e = plan[OF][EVENT_OF, g]
        if e >= 0 and guards[MARKED, g] == DUE and plan[EVENTS][e, SURFACE] == 1:
            leaving, arrived = guards[NEW_RATE, g], guards[RATE, g]
            if leaving * guards[SIDE, g] * h > 0.0 and abs(leaving) > GRAZING * abs(arrived):
                return True
    return False


@njit(types.UniTuple(_I, 2)(_f8, _V, _M, _V, _MODEL, _PLAN, _V, _I[::1], _I), **OPTIONS)
def _settle(t, x, guards, here, m, plan, found_times, found, count):
    """Let the due events of the nodes happen in order; return how many are found, and whether they end.

    See `dynlab.kernels.resets` for the order.
    """
    first, size = plan[KERNELS][FIRST], guards.shape[1]
    z, p, d, k, w = m
    most = count + TOGETHER + TOGETHER_EACH * (size - first)
    _values(t, x, m, plan, guards[BEFORE])
    for g in range(first, size):
        if guards[MARKED, g] != DUE and guards[BEFORE, g] != 0.0:
            guards[SIDE, g] = np.sign(guards[BEFORE, g])
    while True:
        g = first
        while g < size and guards[MARKED, g] != DUE:
            g += 1
        if g == size:
            return count, 1
        if count == most:
            return count, 0
        guards[MARKED, g] = DONE
        found_times[count], found[count] = t, g
        count += 1
        e, node = plan[OF][EVENT_OF, g], plan[OF][NODE_OF, g]
        if plan[PAUSES][e] > 0.0:
            guards[UNTIL, g] = t + plan[PAUSES][e]
            if plan[EVENTS][e, MOVING] >= 0:
                d[plan[EVENTS][e, MOVING] + node] = 0.0
        if plan[EVENTS][e, RESET] == 0:
            guards[SIDE, g] = -guards[SIDE, g]
            continue
        copy(x, here)
        z[0] = node
        call(plan[EVENTS][e, RESET], t, here, z, p, d, k, w, x)
        _values(t, x, m, plan, guards[NEW])
        for j in range(first, size):
            value = guards[NEW, j]
            if value * guards[SIDE, j] > 0.0 and guards[MARKED, j] != DUE:
                continue
            is_due = guards[MARKED, j] == DUE
            if j == g:
                guards[SIDE, j] = np.sign(value)
            elif not (is_due and value == guards[BEFORE, j]):
                direction = DEAF if guards[UNTIL, j] > -np.inf else plan[OF][DIRECTION_OF, j]
                guards[SIDE, j], due = carried(
                    guards[SIDE, j], value, 1 if is_due else 0, direction
                )
                if due == 1:
                    guards[MARKED, j] = DUE
                elif is_due:
                    guards[MARKED, j] = 0.0
        copy(guards[NEW], guards[BEFORE])


@njit("b1(f8, f8[::1], i8[::1], f8[:, ::1], i8[::1], i8, i8, i8)", **OPTIONS)
def _accumulates(t, clock, progress, guards, found, begin, end, most):
    """Note the events of an instant; whether they now follow each other without end."""
    passed = abs(t)
    since = t - clock[INSTANT] if clock[INSTANT] > -np.inf else t
    clock[PACE] = since if clock[PACE] == np.inf else (1.0 - NEWEST) * clock[PACE] + NEWEST * since
    close = abs(t - clock[INSTANT]) < RESTLESS * passed
    progress[CLOSE] = progress[CLOSE] + 1 if close else 0
    clock[INSTANT] = t
    ended = progress[CLOSE] > most
    for row in range(begin, end):
        g = found[row]
        interval, before = abs(t - guards[LAST, g]), guards[INTERVAL, g]
        shrinks = interval < before
        guards[SHRUNK, g] = guards[SHRUNK, g] + 1.0 if shrinks else 0.0
        guards[LAST, g], guards[INTERVAL, g] = t, interval
        if guards[SHRUNK, g] >= SHRINKING:
            ended |= interval * interval / (before - interval) < REST * passed
    return ended


@njit("void(f8, f8[::1], f8[:, ::1], i8[::1], f8[::1], f8[:, ::1])", **OPTIONS)
def _keep_until(end, state, coefficients, progress, times, out):
    """Write the states at the times to keep that lie inside the step, before its end."""
    t, h = state[FROM], state[TAKEN]
    while progress[KEPT] < times.size and times[progress[KEPT]] < end:
        s = (times[progress[KEPT]] - t) / h
        _whole(coefficients, s, out[progress[KEPT]])
        progress[KEPT] += 1


@njit("void(f8[::1], f8[:, ::1], i8[::1], f8[::1], f8[:, ::1])", **OPTIONS)
def _keep_now(state, work, progress, times, out):
    """Write the state where the run stands if its time is to be kept."""
    while progress[KEPT] < times.size and times[progress[KEPT]] == state[T]:
        copy(work[X], out[progress[KEPT]])
        progress[KEPT] += 1


@njit(_I(_V, _I[::1], _V, _M, _PLAN, _V, _I[::1], _M), **OPTIONS)
def _cross(state, progress, x, guards, plan, crossing_times, crossings, crossing_states):
    """Write the crossings asked for that are due; return the first that ends the run, or -1."""
    ended_by = -1
    for g in range(plan[KERNELS][FIRST]):
        if guards[MARKED, g] == DUE:
            row = progress[CROSSED]
            crossing_times[row], crossings[row] = state[T], g
            copy(x, crossing_states[row])
            progress[CROSSED] += 1
            guards[SIDE, g], guards[MARKED, g] = -guards[SIDE, g], DONE
            if g >= plan[KERNELS][ENDS] and ended_by < 0:
                ended_by = g
    return ended_by


@njit(f"b1(i8, f8, f8[::1], f8[::1], i8[::1], f8[:, ::1], {MODEL})", **OPTIONS)
def _step_shortly(rhs, wanted, clock, state, tally, work, z, p, d, k, w):
    """Take a step of order 5 if a short one is due and it is as accurate, per time, as a long one."""
    h = min(state[STEP], state[END] - state[T])
    is_due = 0.0 < h < clock[PART] * wanted and state[T] + h > state[T]
    clock[PART] = min(SHORT, MORE * clock[PART])
    if not is_due or tally[ATTEMPTS] >= tally[MOST_ATTEMPTS]:
        return False
    error = short.attempt(rhs, h, state, work, z, p, d, k, w)
    if not (error * wanted <= h and is_finite(work[K12])):
        clock[PART] = LESS * h / wanted
        return False
    is_last = h == state[END] - state[T]
    short.accept(h, state)
    if is_last:
        state[T] = state[END]
    tally[ATTEMPTS] += 1
    tally[EXPLICIT_STEPS] += 1
    return True


_WRITTEN = types.Tuple((_V, _V, types.float64[:, :, ::1], _I[::1], _M))
_SAMPLED = types.Tuple((_V, _M))
_EVENTS_FOUND = types.Tuple((_V, _I[::1]))
_CROSSINGS_FOUND = types.Tuple((_V, _I[::1], _M))


@njit(
    _I(
        _I, _V, _I[::1], _M, _MODEL, _I, _PLAN, _M, _V, _I[::1], _V, _V,
        _WRITTEN, _SAMPLED, _EVENTS_FOUND, _CROSSINGS_FOUND,
    ),
    **OPTIONS,
)  # fmt: skip
def advance(
    rhs, state, tally, work, m, steps, plan, guards, clock, progress, here, answers,
    written, sampled, events, crossings,
):  # fmt: skip
    """Take up to so many steps through events and ends of refractory times, to the end of the leg.

    Parameters
    ----------
    written
        Starts, sizes and polynomials of steps, the rows at which the state jumped, and the state before.
        Without room for them nothing is recorded.
    sampled
        Times to keep and the states there.
    events
        Times and numbers of the guards of nodes that passed.
    crossings
        Times, numbers and states of the crossings asked for.
    """
    z, p, d, k, w = m
    x = work[X]
    starts, sizes, polynomials, jumps, befores = written
    times, out = sampled
    size, records = guards.shape[1], starts.size > 0
    together = TOGETHER + TOGETHER_EACH * (size - plan[KERNELS][FIRST])
    progress[ROWS] = progress[JUMPS] = progress[FOUND] = progress[CROSSED] = 0
    for _ in range(steps):
        if clock[NEXT_AWAKE] <= state[T] + SAME * abs(state[T]):
            _awake(state[T], 0.0, clock, guards, m, plan)
            progress[ANEW] = 1
        if progress[ANEW] == 1:
            progress[ANEW] = 0
            if not _begin_anew(rhs, state, tally, work, guards, m, plan):
                return LEFT_DOMAIN
        _keep_now(state, work, progress, times, out)
        if state[T] == clock[STOP]:
            return OK
        if (
            (records and progress[ROWS] == starts.size)
            or progress[FOUND] + together > events[0].size
            or progress[CROSSED] + plan[KERNELS][FIRST] > crossings[0].size
        ):
            return RUNNING
        wanted = state[STEP]
        if tally[NEXT] == EXPLICIT:
            state[STEP] = min(wanted, max(PACES * clock[PACE], LEAST_PART * wanted))
        asked = state[STEP]
        state[END] = min(clock[STOP], clock[NEXT_AWAKE])
        is_short = tally[NEXT] == EXPLICIT and _step_shortly(
            rhs, wanted, clock, state, tally, work, z, p, d, k, w
        )
        status = RUNNING
        if not is_short:
            status = proceed(rhs, state, tally, work, z, p, d, k, w)
            if status != RUNNING:
                return status
        t, h = state[FROM], state[TAKEN]
        if h < wanted and (h >= asked or state[T] == state[END]):
            # Cut short, which says nothing about how long it may be.
            state[STEP] = max(state[STEP], wanted)
        _values(state[T], work[Y], m, plan, guards[NEW])
        _rates(state[T], work[Y], work[K12], m, plan, guards[NEW_RATE])
        is_due = False
        for g in range(size):
            deaf = guards[UNTIL, g] > -np.inf
            if not deaf and _may_pass(h, g, guards):
                guards[MARKED, g] = DUE
                is_due = True
        has_times = progress[KEPT] < times.size and times[progress[KEPT]] < state[T]
        coefficients = work[POLYNOMIAL : POLYNOMIAL + (short.POWERS if is_short else POWERS)]
        if is_short and (records or is_due or has_times):
            short.expand(state, work)
        elif records or is_due or has_times:
            expand(rhs, state, tally, work, z, p, d, k, w)
        s = FAR
        if is_due:
            s = _earliest(t, h, coefficients, guards, here, m, plan, answers)
        if records:
            row = progress[ROWS]
            starts[row], sizes[row] = t, h
            polynomials[row] = 0.0
            for j in range(coefficients.shape[0]):
                copy(coefficients[j], polynomials[row, j])
            progress[ROWS] = row + 1
        if s < 1.0:
            state[T] = t + s * h
        _keep_until(state[T], state, coefficients, progress, times, out)
        if s == FAR:
            if h >= asked:
                clock[PACE] *= 2.0
            for g in range(size):
                side = np.sign(guards[NEW, g])
                guards[SIDE, g] = side if side != 0.0 else -guards[SIDE, g]
            copy(guards[NEW], guards[VALUE])
            copy(guards[NEW_RATE], guards[RATE])
            commit(work)
            continue
        if _slides(s, t, h, rhs, coefficients, work[K0 + 1], guards, here, m, plan):
            status = SLIDING
        if s < 1.0:
            _whole(coefficients, s, x)
        else:
            copy(work[Y], x)
        progress[ANEW] = 1
        progress[ENDED_BY] = _cross(
            state, progress, x, guards, plan, crossings[0], crossings[1], crossings[2]
        )
        if progress[ENDED_BY] >= 0:
            _keep_now(state, work, progress, times, out)
            return EVENT
        begin = progress[FOUND]
        if records:
            copy(x, befores[progress[JUMPS]])
        count, ends = _settle(state[T], x, guards, here, m, plan, events[0], events[1], begin)
        progress[FOUND] = count
        jumped = False
        for row in range(begin, count):
            if plan[EVENTS][plan[OF][EVENT_OF, events[1][row]], RESET] != 0:
                jumped = True
        if records and jumped:
            jumps[progress[JUMPS]] = progress[ROWS]
            progress[JUMPS] += 1
        _next_awake(clock, guards)
        if count > begin:
            most = max(MOST_CLOSE, size)
            if _accumulates(state[T], clock, progress, guards, events[1], begin, count, most):
                status = ACCUMULATION
        if ends == 0:
            status = ACCUMULATION
        if status != RUNNING:
            _keep_now(state, work, progress, times, out)
            return status
    return RUNNING
