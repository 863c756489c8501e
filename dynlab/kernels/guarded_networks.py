"""Paths of networks with noise whose nodes have events.

Every step of the network is one of the scheme.  Whether and when the guard of a node passed zero within it is drawn from the
Brownian bridge of that guard (`dynlab.kernels.bridge`), node by node.  Its reset and its deliveries take effect at the end of the
step, in the order of the events and of the nodes, and the states that it reset then make up for the rest of the step since it
fired by one Euler step.  Guards that are carried over zero by that fire in the next round, at the end of the step.  So the weak order
is 1; what is delivered lags by up to a step (as in `dynlab.kernels.clocked`).

After an event with a pause its node is deaf, and the states that it holds stand still, until the pause is over; then they make up for
the rest of that step.
"""

from __future__ import annotations

import math

from dynlab.kernels.bridge import passage
from dynlab.kernels.convention import (
    ACCUMULATION,
    DIVERGED,
    LEFT_DOMAIN,
    OK,
    RUNNING,
    call1,
    pointer,
)
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import MODEL, OPTIONS, call, copy
from dynlab.kernels.random import fill_normals
from dynlab.kernels.run import is_finite
from dynlab.kernels.stochastic import (
    CONSTANT,
    DRIFT,
    LAYERS,
    MEMBER,
    SEGMENT,
    TAKEN,
    F,
    X,
    amplitudes,
    step,
)

# Places in `watch`: kernels of all guards, of their rates along a direction, of the pauses; whether the strengths of the noise
# along the guards never change.
GUARDS, RATES, PAUSES, STEADY = range(4)
# Rows of `values`, a column for each guard of each node: at the begin and the end of a step, after a round, for trials and the rate
# without a direction, the strength of the noise, until when the guard is deaf.
BEGIN, AFTER, ROUND, RATE, STILL, S2, DEAF = range(7)
VALUE_ROWS = 7
# Rows of `states`: the begin of a step, a direction, until when each state is held, from when on it makes up for the rest of a step.
OLD, ALONG, HELD, SINCE = range(4)
STATE_ROWS = 4
#: Rounds at one instant, after which it is said that they never end.
MOST_ROUNDS = 1000

#: Kernels of the resets and the guards of one node by event; how many nodes, directions; which states each sets and holds, as
#: where their blocks begin (-1: none).
_EVENTS = "i8[::1], i8[::1], i8[::1], i8[::1], i8[:, ::1], i8[:, ::1]"
_FOUND = "i8[::1], f8[::1], i8[:, ::1]"


@njit(
    f"void(i8[::1], i8[::1], i8[:, ::1], f8, f8[::1], f8[:, ::1], f8[:, ::1], f8[:, ::1], {MODEL})",
    **OPTIONS,
)
def node_strengths(watch, plan, blocks, t, x, amplitude, values, states, z, p, d, k, w):
    """Write how strongly noise moves the guard of each node.

    ``blocks`` are the parts of the layers that drive a guard by one number for each node: layer, begin, end.  Guards depend on their
    own node alone, so a direction with all nodes of a block tells the derivative of each.
    """
    if not plan[CONSTANT]:
        amplitudes(plan, t, x, amplitude, z, p, d, k, w)
    along = states[ALONG]
    along[:] = 0.0
    call1(watch[RATES], t, pointer(x), pointer(z), pointer(p), pointer(d), pointer(k), pointer(w), pointer(along),
          pointer(values[STILL]))  # fmt: skip
    values[S2] = 0.0
    for block in range(blocks.shape[0]):
        layer, first, last = blocks[block, 0], blocks[block, 1], blocks[block, 2]
        along[:] = 0.0
        for i in range(first, last):
            along[i] = amplitude[layer, i]
        call1(watch[RATES], t, pointer(x), pointer(z), pointer(p), pointer(d), pointer(k), pointer(w), pointer(along),
              pointer(values[RATE]))  # fmt: skip
        for g in range(values.shape[1]):
            push = values[RATE, g] - values[STILL, g]
            values[S2, g] += push * push


@njit(
    f"void(i8[::1], f8, f8, u8[::1], f8[::1], f8[:, ::1], f8[:, ::1], f8[:, ::1], {MODEL})",
    **OPTIONS,
)
def make_up(plan, t, end, stream, one, amplitude, states, work, z, p, d, k, w):
    """Let the states that begin anew within the step take an Euler step to its end."""
    x, rate, since = work[X], work[F], states[SINCE]
    call(plan[DRIFT], t, x, z, p, d, k, w, rate)
    if not plan[CONSTANT]:
        amplitudes(plan, t, x, amplitude, z, p, d, k, w)
    for i in range(x.size):
        h = end - since[i]
        if h > 0.0:
            change = h * rate[i]
            for layer in range(plan[LAYERS]):
                if amplitude[layer, i] != 0.0:
                    fill_normals(stream, one)
                    change += math.sqrt(h) * amplitude[layer, i] * one[0]
            x[i] += change
        since[i] = math.inf


@njit(
    f"i8(f8, f8, i8, i8, {_EVENTS}, u8[::1], f8[::1], f8[:, ::1], f8[:, ::1], f8[::1], f8[::1], {_FOUND}, {MODEL})",
    **OPTIONS,
)
def fire(
    t, h, rounds, member, resets, ones, counts, directions, sets, holds, stream, one, values, states, pauses, x,
    tally, times, kinds, z, p, d, k, w,
):  # fmt: skip
    """Let the nodes fire whose guards passed zero during a step or a round; return how many."""
    place, fired, end = 0, 0, t + h
    old_row, new_row = (BEGIN, AFTER) if rounds == 0 else (AFTER, ROUND)
    for e in range(counts.size):
        for node in range(counts[e]):
            g = place
            place += 1
            if values[DEAF, g] > t:
                continue
            old, new = values[old_row, g], values[new_row, g]
            if rounds == 0:
                where = passage(stream, one, old, new, values[S2, g] * h, directions[e])
            else:
                passes = old * new < 0.0 or (new == 0.0 and old != 0.0)
                where = 1.0 if passes and directions[e] * old <= 0.0 else 2.0
            if where > 1.0:
                continue
            time = t + where * h
            row = tally[0]
            if row < times.size:
                times[row] = time
                kinds[row, 0], kinds[row, 1], kinds[row, 2] = e, node, member
                tally[0] = row + 1
            fired += 1
            z[0] = node
            call(resets[e], end, x, z, p, d, k, w, x)
            pause = pauses[e]
            if pause > 0.0:
                values[DEAF, g] = time + pause
            for j in range(sets.shape[1]):
                if sets[e, j] >= 0 and rounds == 0:
                    states[SINCE, sets[e, j] + node] = time
            for j in range(holds.shape[1]):
                if holds[e, j] >= 0 and pause > 0.0:
                    states[HELD, holds[e, j] + node] = time + pause
                    states[SINCE, holds[e, j] + node] = (
                        time + pause if time + pause < end else math.inf
                    )
            # From here on it may be carried over zero once more.
            call(ones[e], end, x, z, p, d, k, w, values[new_row, g:])
    return fired


@njit(
    f"i8(i8[::1], i8[:, ::1], i8[::1], f8[::1], f8[::1], i8[::1], i8[::1], f8[:, ::1], u8[:, ::1], u8[:, ::1],"
    f" f8[:, ::1], f8[:, ::1], i8[::1], i8[::1], f8[::1], f8[:, :, ::1], f8[:, ::1], f8[:, :, ::1], f8[::1],"
    f" i8[::1], {_EVENTS}, i8[:, ::1], f8[::1], f8[:, ::1], f8[:, ::1], f8[:, ::1], f8[::1], {_FOUND}, {MODEL}, i8)",
    **OPTIONS,
)  # fmt: skip
def guarded_networks(
    scheme, scheme_sources, plan, ends, sizes, counts, which, table, streams, guard_streams,
    starts, parameters, progress, status, ended, out, work, stages, xi,
    watch, resets, ones, sizes_of, directions, sets, holds, blocks, one, values, states, amplitude, pauses,
    tally, times, kinds, z, p, d, k, w, budget,
):  # fmt: skip
    """Run the members one after another; return RUNNING after `budget` steps, or when there is no more room for events."""
    x = work[X]
    while progress[MEMBER] < starts.shape[0]:
        member = progress[MEMBER]
        own, stream = parameters[member], guard_streams[member]
        if progress[SEGMENT] == 0 and progress[TAKEN] == 0:
            copy(starts[member], x)
            work[F, 0] = math.nan
            values[DEAF] = -math.inf
            states[HELD] = -math.inf
            states[SINCE] = math.inf
            amplitudes(plan, 0.0, x, stages[0], z, own, d, k, w)
            amplitudes(plan, 0.0, x, amplitude, z, own, d, k, w)
            call(watch[PAUSES], 0.0, x, z, own, d, k, w, pauses)
            call(watch[GUARDS], 0.0, x, z, own, d, k, w, values[BEGIN])
            node_strengths(watch, plan, blocks, 0.0, x, amplitude, values, states, z, own, d, k, w)
        while progress[SEGMENT] < ends.size:
            segment = progress[SEGMENT]
            begins = ends[segment - 1] if segment > 0 else 0.0
            h = sizes[segment]
            while progress[TAKEN] < counts[segment]:
                if budget <= 0 or (times.size > 0 and times.size - tally[0] < 4 * values.shape[1]):
                    copy(x, starts[member])
                    return RUNNING
                budget -= 1
                now = begins + progress[TAKEN] * h
                then = begins + (progress[TAKEN] + 1) * h
                if not watch[STEADY]:
                    node_strengths(
                        watch, plan, blocks, now, x, amplitude, values, states, z, own, d, k, w
                    )
                copy(x, states[OLD])
                fill_normals(streams[member], xi)
                found = step(
                    scheme,
                    scheme_sources,
                    now,
                    h,
                    table[which[segment]],
                    xi,
                    work,
                    stages,
                    z,
                    own,
                    d,
                    k,
                    w,
                )
                woken = 0
                for i in range(x.size):
                    if states[HELD, i] > now:
                        x[i] = states[OLD, i]
                        if states[HELD, i] < then:
                            states[SINCE, i] = states[HELD, i]
                            woken += 1
                if woken:
                    make_up(plan, then, then, stream, one, amplitude, states, work, z, own, d, k, w)
                call(watch[GUARDS], then, x, z, own, d, k, w, values[AFTER])
                rounds, fired = 0, 1
                while found == OK and fired > 0:
                    fired = fire(
                        now, h, rounds, member, resets, ones, sizes_of, directions, sets, holds, stream, one, values,
                        states, pauses, x, tally, times, kinds, z, own, d, k, w,
                    )  # fmt: skip
                    if rounds > 0:
                        copy(values[ROUND], values[AFTER])
                    if fired > 0:
                        rounds += 1
                        if rounds > MOST_ROUNDS or (times.size > 0 and tally[0] >= times.size):
                            found = ACCUMULATION
                        make_up(
                            plan, then, then, stream, one, amplitude, states, work, z, own, d, k, w
                        )
                        call(watch[GUARDS], then, x, z, own, d, k, w, values[ROUND])
                copy(values[AFTER], values[BEGIN])
                if rounds > 0 or woken:
                    work[F, 0] = math.nan
                    if found == OK and not is_finite(x):
                        found = DIVERGED
                if found == OK and not is_finite(values[BEGIN]):
                    found = LEFT_DOMAIN
                if found != OK:
                    status[member], ended[member] = found, now
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
        copy(x, starts[member])
        progress[MEMBER] += 1
        progress[SEGMENT] = progress[TAKEN] = 0
    return OK
