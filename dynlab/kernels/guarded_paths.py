"""Paths of stochastic equations with guards: events, recorded crossings, and what ends a path.

A step that passes no guard is that of `dynlab.kernels.stochastic`.  Whether it passes one is drawn from the Brownian
bridge between its ends (`dynlab.kernels.bridge`), guard by guard, each as if it were the only one; the first passage counts.
Then the event happens there, and the rest of the step is made of Euler steps, each watched in the same way, as are
steps in which states are held or a guard is deaf.  So the weak order with events is 1.

Guards are numbered: those to record, those that end the path, then the events of the system in order.  Every member has
a second stream for all that guards need, therefore a path is the same with and without guards up to its first event.
"""

from __future__ import annotations

import math

from dynlab.kernels.bridge import meeting_point, passage, pushes
from dynlab.kernels.convention import ACCUMULATION, EVENT, LEFT_DOMAIN, OK, RUNNING
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import MODEL, OPTIONS, call, copy
from dynlab.kernels.random import fill_normals
from dynlab.kernels.run import is_finite
from dynlab.kernels.stochastic import (
    CONSTANT,
    MEMBER,
    NEXT,
    SEGMENT,
    TAKEN,
    F,
    X,
    amplitudes,
    drift,
    euler,
    step,
)

# Places in `watch`: kernels of the guards, their gradients and the pauses; the first guard that ends a path, the first
# event of the system; whether the strength of the noise along the guards never changes.
GUARDS, GRADIENTS, PAUSES, ENDS, FIRST, STEADY = range(6)
# Rows of `values`, a column for each guard: at the begin and the end of a step, for trials, the strength of the noise, until
# when the guard is deaf, for how long it will be, the level where it counts as zero.
BEGIN, END, TRIAL, S2, DEAF, PAUSE, LEVEL = range(7)
VALUE_ROWS = 7
# Rows of `states`: the begin of a step, where a guard is met, the state after an event, until when each state is held,
# the covariance with a guard, room for the rate.
OLD, HERE, AFTER, HELD, ALONG, RATE = range(6)
STATE_ROWS = 6
# Places in `tally`: events written, the guard that ended the member, whether a guard came back in this step to zero where an
# event had left it, and in how many steps in a row.
WRITTEN, ENDED_BY, TOUCHED, TOUCHES = range(4)
TALLY = 4

#: Where a guard is put that an event left at zero and that goes back to where it came from.
TINY = 1e-300
#: Events within one step, after which it is said that they never end.
MOST_EVENTS = 1000
#: So many steps in a row with an event that leaves its guard at zero: something has come to rest there.
MOST_TOUCHES = 100

_WATCH = "i8[::1], i8[::1], i8[::1], b1[:, ::1]"
_WORK = "u8[::1], f8[::1], f8[:, ::1], f8[:, ::1], f8[:, ::1], f8[:, ::1], b1[::1], f8[:, ::1], f8[:, :, ::1]"
_FOUND = "i8[::1], f8[::1], i8[:, ::1], f8[:, ::1], f8[:, ::1]"


@njit(f"void(i8[::1], i8[::1], i8[:, ::1], f8, f8[::1], f8[:, ::1], f8[:, ::1], f8[:, ::1], b1[::1], f8[::1], {MODEL})",
      **OPTIONS)  # fmt: skip
def strengths(
    watch, plan, sources, t, x, amplitude, gradients, values, still, along, z, p, d, k, w
):
    """Write how strongly noise moves each guard."""
    if not plan[CONSTANT]:
        amplitudes(plan, t, x, amplitude, z, p, d, k, w)
    call(watch[GRADIENTS], t, x, z, p, d, k, w, gradients[0])
    for g in range(values.shape[1]):
        pushes(amplitude, sources, gradients, still, g, along, values[S2])


@njit(f"void(i8[::1], f8, f8[::1], f8[:, ::1], i8, {MODEL})", **OPTIONS)
def look(watch, t, x, values, row, z, p, d, k, w):
    """Write the guards, measured from their levels, into a row."""
    call(watch[GUARDS], t, x, z, p, d, k, w, values[row])
    for g in range(values.shape[1]):
        values[row, g] -= values[LEVEL, g]


@njit("b1(i8, i8[::1], i8[::1], f8[:, ::1])", **OPTIONS)
def changes_nothing(g, watch, resets, values):
    """Whether the passage of a guard is only noted: crossings to record, and events without reset and pause."""
    if g < watch[FIRST]:
        return g < watch[ENDS]
    return resets[g] == 0 and values[PAUSE, g] == 0.0


@njit("Tuple((i8, f8))(u8[::1], f8[::1], i8[::1], i8[::1], i8[::1], f8[:, ::1], f8, f8)", **OPTIONS)
def first_passage(stream, one, watch, directions, resets, values, t, h):
    """Return which guard that changes something a step passes first, -1 if none, and where, from 0 to 1."""
    found, place = -1, 2.0
    for g in range(directions.size):
        if values[DEAF, g] > t or changes_nothing(g, watch, resets, values):
            continue
        where = passage(
            stream, one, values[BEGIN, g], values[END, g], values[S2, g] * h, directions[g]
        )
        if where < place:
            found, place = g, where
    return found, place


@njit(
    "void(f8, i8, i8, f8[::1], f8[::1], i8[::1], f8[::1], i8[:, ::1], f8[:, ::1], f8[:, ::1])",
    **OPTIONS,
)
def note(t, g, member, before, after, tally, times, kinds, befores, afters):
    """Write down an event, where there is room."""
    row = tally[WRITTEN]
    if row < times.size:
        times[row] = t
        kinds[row, 0], kinds[row, 1] = g, member
        copy(before, befores[row])
        copy(after, afters[row])
        tally[WRITTEN] = row + 1


@njit(
    f"void(f8, f8, f8, i8, u8[::1], i8[::1], i8[::1], i8[::1], f8[::1], f8[:, ::1], f8[:, ::1], {_FOUND})",
    **OPTIONS,
)
def mark(
    t, h, until, member, stream, watch, directions, resets, new, values, states, tally, times, kinds, befores, afters
):  # fmt: skip
    """Note the passages of a step, up to a place in it, that change nothing; no noise drives such guards."""
    here = states[HERE]
    for g in range(directions.size):
        if changes_nothing(g, watch, resets, values):
            place = passage(stream, here, values[BEGIN, g], values[END, g], 0.0, directions[g])
            if place <= until:
                for i in range(new.size):
                    here[i] = states[OLD, i] + place * (new[i] - states[OLD, i])
                note(t + place * h, g, member, here, here, tally, times, kinds, befores, afters)


@njit(
    f"i8(i8, f8, i8, {_WATCH}, i8[::1], f8[::1], f8[:, ::1], f8[:, ::1], f8[:, ::1], {_FOUND}, {MODEL})",
    **OPTIONS,
)
def happen(
    g, t, member, watch, directions, resets, holds, plan, x, values, states, gradients, tally, times, kinds, befores, afters,
    z, p, d, k, w,
):  # fmt: skip
    """Let the event of guard g happen at x, and those that it carries over zero; note them all.

    ``values[BEGIN]`` are the guards after it.
    """
    rounds, side = 0, math.copysign(1.0, values[BEGIN, g])
    scale = 1e-9 * math.sqrt(values[S2, g])
    look(watch, t, x, values, TRIAL, z, p, d, k, w)
    while g >= 0:
        rounds += 1
        copy(x, states[AFTER])
        if resets[g] != 0:
            call(resets[g], t, x, z, p, d, k, w, states[AFTER])
        if g >= watch[FIRST] and values[PAUSE, g] > 0.0:
            values[DEAF, g] = t + values[PAUSE, g]
            for i in range(x.size):
                if holds[g, i]:
                    states[HELD, i] = max(states[HELD, i], t + values[PAUSE, g])
        note(t, g, member, x, states[AFTER], tally, times, kinds, befores, afters)
        copy(states[AFTER], x)
        if not is_finite(x):
            return LEFT_DOMAIN
        look(watch, t, x, values, BEGIN, z, p, d, k, w)
        if values[BEGIN, g] == values[TRIAL, g]:
            # The reset left the guard where it was, at zero but for rounding: the rate says where it goes.
            values[BEGIN, g] = 0.0
            if resets[g] != 0 and scale == 0.0:
                drift(plan, t, x, states[RATE], z, p, d, k, w)
                call(watch[GRADIENTS], t, x, z, p, d, k, w, gradients[0])
                rate = 0.0
                for i in range(x.size):
                    rate += gradients[g, i] * states[RATE, i]
                if rate * side > 0.0:
                    values[BEGIN, g] = side * TINY
                    tally[TOUCHED] = 1
        is_free = g >= watch[FIRST] and values[PAUSE, g] == 0.0
        if rounds > MOST_EVENTS or (is_free and rounds == 1 and abs(values[BEGIN, g]) < scale):
            return ACCUMULATION
        last, g = g, -1
        for e in range(watch[FIRST], directions.size):
            old, new = values[TRIAL, e], values[BEGIN, e]
            if (
                e != last
                and values[DEAF, e] <= t
                and old * new < 0.0
                and directions[e] * new >= 0.0
            ):
                g, side = e, math.copysign(1.0, old)
                break
        copy(values[BEGIN], values[TRIAL])
    return OK


@njit(f"i8(f8, f8, i8, {_WATCH}, i8[::1], i8[:, ::1], {_WORK}, {_FOUND}, {MODEL})", **OPTIONS)
def rest(
    t, end, member, watch, directions, resets, holds, plan, sources,
    stream, normals, values, states, gradients, amplitude, still, work, sets,
    tally, times, kinds, befores, afters, z, p, d, k, w,
):  # fmt: skip
    """Go on from ``work[X]`` at t to the end of a step by Euler steps; return OK, EVENT or why not.

    ``tally[ENDED_BY]`` and ``values[TRIAL, 0]`` say by which guard and when.
    """
    x, new = work[X], work[NEXT]
    n, rounds = x.size, 0
    while t < end:
        rounds += 1
        if rounds > MOST_EVENTS:
            values[TRIAL, 0] = t
            return ACCUMULATION
        stop = end
        for i in range(n):
            still[i] = states[HELD, i] > t
            if still[i]:
                stop = min(stop, states[HELD, i])
        for g in range(directions.size):
            if values[DEAF, g] > t:
                stop = min(stop, values[DEAF, g])
        h = stop - t
        copy(x, states[OLD])
        strengths(
            watch,
            plan,
            sources,
            t,
            x,
            amplitude,
            gradients,
            values,
            still,
            states[ALONG],
            z,
            p,
            d,
            k,
            w,
        )
        fill_normals(stream, normals)
        euler(plan, sources, t, h, normals, work, sets, z, p, d, k, w)
        for i in range(n):
            if still[i]:
                new[i] = x[i]
        if not is_finite(new):
            values[TRIAL, 0] = t
            return LEFT_DOMAIN
        look(watch, stop, new, values, END, z, p, d, k, w)
        g, place = first_passage(stream, normals[:1], watch, directions, resets, values, t, h)
        mark(t, h, min(place, 1.0), member, stream, watch, directions, resets, new, values, states,
             tally, times, kinds, befores, afters)  # fmt: skip
        if g < 0:
            copy(new, x)
            copy(values[END], values[BEGIN])
            t = stop
            continue
        meeting_point(
            stream, normals, watch[GUARDS], g, values[LEVEL, g], t, h, place, states[OLD], new, amplitude, sources,
            gradients, still, states[ALONG], values[S2], values[TRIAL], states[HERE], z, p, d, k, w,
        )  # fmt: skip
        t += place * h
        copy(states[HERE], x)
        found = happen(
            g, t, member, watch, directions, resets, holds, plan, x, values, states, gradients, tally, times, kinds, befores, afters,
            z, p, d, k, w,
        )  # fmt: skip
        if found == OK and watch[ENDS] <= g < watch[FIRST]:
            tally[ENDED_BY] = g
            found = EVENT
        if found != OK:
            values[TRIAL, 0] = t
            return found
    return OK


@njit(
    f"i8(i8[::1], i8[:, ::1], i8[::1], i8[:, ::1], f8[::1], f8[::1], i8[::1], i8[::1], f8[:, ::1], u8[:, ::1], u8[:, ::1],"
    f" f8[:, ::1], f8[:, ::1], i8[::1], i8[::1], f8[::1], i8[::1], f8[:, :, ::1], f8[:, ::1], f8[:, :, ::1], f8[::1],"
    f" {_WATCH}, f8[::1], f8[:, ::1], f8[:, ::1], f8[:, ::1], f8[:, ::1], b1[::1], {_FOUND}, {MODEL}, i8)",
    **OPTIONS,
)  # fmt: skip
def guarded_paths(
    scheme, scheme_sources, plan, sources, ends, sizes, counts, which, table, streams, guard_streams,
    starts, parameters, progress, status, ended, ended_by, out, work, sets, xi,
    watch, directions, resets, holds, normals, values, states, gradients, amplitude, still,
    tally, times, kinds, befores, afters, z, p, d, k, w, budget,
):  # fmt: skip
    """Run the members one after another; return RUNNING after `budget` steps, or when there is no more room for events.

    Like `dynlab.kernels.stochastic.paths`; `scheme` is the plan of the method, `plan` that of Euler's.
    """
    x, new = work[X], work[NEXT]
    while progress[MEMBER] < starts.shape[0]:
        member = progress[MEMBER]
        own = parameters[member]
        if progress[SEGMENT] == 0 and progress[TAKEN] == 0:
            copy(starts[member], x)
            work[F, 0] = math.nan
            values[DEAF] = -math.inf
            states[HELD] = -math.inf
            still[:] = False
            tally[ENDED_BY] = -1
            tally[TOUCHES] = 0
            amplitudes(plan, 0.0, x, sets[0], z, own, d, k, w)
            amplitudes(plan, 0.0, x, amplitude, z, own, d, k, w)
            call(watch[PAUSES], 0.0, x, z, own, d, k, w, values[PAUSE])
            look(watch, 0.0, x, values, BEGIN, z, own, d, k, w)
            strengths(
                watch,
                plan,
                sources,
                0.0,
                x,
                amplitude,
                gradients,
                values,
                still,
                states[ALONG],
                z,
                own,
                d,
                k,
                w,
            )
        while progress[SEGMENT] < ends.size and status[member] == RUNNING:
            segment = progress[SEGMENT]
            begins = ends[segment - 1] if segment > 0 else 0.0
            h = sizes[segment]
            while progress[TAKEN] < counts[segment]:
                if budget <= 0 or (
                    times.size > 0 and times.size - tally[WRITTEN] < 2 * MOST_EVENTS
                ):
                    copy(x, starts[member])
                    return RUNNING
                budget -= 1
                tally[TOUCHED] = 0
                now = begins + progress[TAKEN] * h
                then = begins + (progress[TAKEN] + 1) * h
                fill_normals(streams[member], xi)
                free = True
                for i in range(x.size):
                    free = free and states[HELD, i] <= now
                for g in range(directions.size):
                    free = free and values[DEAF, g] <= now
                found = OK
                if free:
                    copy(x, states[OLD])
                    if not watch[STEADY]:
                        strengths(watch, plan, sources, now, x, amplitude, gradients, values, still, states[ALONG],
                                  z, own, d, k, w)  # fmt: skip
                    found = step(
                        scheme,
                        scheme_sources,
                        now,
                        h,
                        table[which[segment]],
                        xi,
                        work,
                        sets,
                        z,
                        own,
                        d,
                        k,
                        w,
                    )
                    values[TRIAL, 0] = now
                if free and found == OK:
                    look(watch, then, x, values, END, z, own, d, k, w)
                    g, place = first_passage(
                        guard_streams[member],
                        normals[:1],
                        watch,
                        directions,
                        resets,
                        values,
                        now,
                        h,
                    )
                    mark(now, h, min(place, 1.0), member, guard_streams[member], watch, directions, resets, x, values,
                         states, tally, times, kinds, befores, afters)  # fmt: skip
                    if g < 0:
                        copy(values[END], values[BEGIN])
                    else:
                        copy(x, new)
                        meeting_point(
                            guard_streams[member], normals, watch[GUARDS], g, values[LEVEL, g], now, h, place,
                            states[OLD], new, amplitude, sources, gradients, still, states[ALONG], values[S2],
                            values[TRIAL], states[HERE], z, own, d, k, w,
                        )  # fmt: skip
                        now = now + place * h
                        copy(states[HERE], x)
                        found = happen(
                            g, now, member, watch, directions, resets, holds, plan, x, values, states, gradients, tally, times, kinds,
                            befores, afters, z, own, d, k, w,
                        )  # fmt: skip
                        values[TRIAL, 0] = now
                        if found == OK and watch[ENDS] <= g < watch[FIRST]:
                            tally[ENDED_BY] = g
                            found = EVENT
                        free = False
                if not free and found == OK:
                    found = rest(
                        now, then, member, watch, directions, resets, holds, plan, sources,
                        guard_streams[member], normals, values, states, gradients, amplitude, still, work, sets,
                        tally, times, kinds, befores, afters, z, own, d, k, w,
                    )  # fmt: skip
                    still[:] = False
                    work[F, 0] = math.nan
                    if watch[STEADY]:
                        strengths(watch, plan, sources, then, x, amplitude, gradients, values, still, states[ALONG],
                                  z, own, d, k, w)  # fmt: skip
                tally[TOUCHES] = tally[TOUCHES] + 1 if tally[TOUCHED] else 0
                if tally[TOUCHES] > MOST_TOUCHES:
                    found, values[TRIAL, 0] = ACCUMULATION, then
                if found != OK:
                    status[member], ended[member] = found, values[TRIAL, 0]
                    break
                progress[TAKEN] += 1
            if status[member] != RUNNING:
                break
            copy(x, out[member, segment])
            progress[SEGMENT] += 1
            progress[TAKEN] = 0
        if status[member] == RUNNING:
            status[member] = OK
            ended[member] = ends[ends.size - 1]
        ended_by[member] = tally[ENDED_BY]
        copy(x, starts[member])
        progress[MEMBER] += 1
        progress[SEGMENT] = progress[TAKEN] = 0
    return OK
