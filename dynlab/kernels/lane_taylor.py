"""Many members at once by Taylor series, one per lane; see `lane_members` for how lanes are shared out.

The steps are those of `dynlab.kernels.taylor`.  A member whose step would grow to more than twice the last, or that meets
anything else out of the ordinary, is given up here and run from its start by the loops for one member.
"""

from __future__ import annotations

import math

from dynlab.kernels import lane_functions
from dynlab.kernels.convention import OK, RUNNING, call0, pointer
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import MODEL, OPTIONS, copy
from dynlab.kernels.lane_members import NEXT, NOBODY
from dynlab.kernels.lanes import WIDTH, as_lanes, bits, select, spread
from dynlab.kernels.power_series import MOST_ORDER
from dynlab.kernels.run import ATOL, MOST_ATTEMPTS, RTOL, SMALLEST_STEP, STEP, TINY, X
from dynlab.kernels.run import END as RUN_END
from dynlab.kernels.run import T as RUN_T
from dynlab.kernels.taylor import CHECKED_GROWTH, begin, first_step, fits, sum_up

__all__ = ["PLACE_ROWS", "PROGRESS_SIZE", "STATE_SIZE", "WORK_ROWS", "flows"]

# Rows of `state`, a number per lane: time and what rounding took from it, end, where the last step began and its
# size; the next time to keep; the steps made.
T, LOST_TIME, END, FROM, TAKEN, KEPT, STEPS = range(7)
STATE_SIZE = 7
# Rows of `place`: which member; which time to keep follows.
MEMBER, FOLLOWING = range(2)
PLACE_ROWS, PROGRESS_SIZE = 2, 1
# Rows of `work`: state, new state, what rounding took from it, the coefficients.
HERE, THERE, LOST, SERIES = range(4)
WORK_ROWS = SERIES + MOST_ORDER + 1

_INSIDE = {**OPTIONS, "cache": False}
_MEMBERS = "f8[:, ::1], f8[:, ::1], f8[::1], f8[:, :, ::1], f8[::1], i8[::1]"
_LANES = "f8[:, :, ::1], f8[:, :, ::1], f8[:, :, ::1], i8[:, ::1], i8[::1]"


@njit("void(f8[:, :, ::1], i8[:, ::1], i8, f8[::1])", **OPTIONS)
def _look_forward(state, place, lane, times):
    """Note the next time to keep; none is beyond the end, which no step passes."""
    following = place[FOLLOWING, lane]
    sign = -1.0 if state[0, END, lane] < state[0, T, lane] else 1.0
    state[0, KEPT, lane] = times[following] if following < times.size else sign * 1e308


@njit(f"b1(i8, i8, f8[::1], i8[::1], f8[:, ::1], {MODEL}, {_MEMBERS}, {_LANES})", **OPTIONS)
def _take_up(
    series, lane, one_state, tally, one_work, z, p, d, k, w,
    starts, parameters, times, out, ends, status, state, work, lane_p, place, progress,
):  # fmt: skip
    """Give a lane the next member that has anywhere to go; return whether there was one."""
    while progress[NEXT] < starts.shape[0]:
        member = progress[NEXT]
        progress[NEXT] += 1
        copy(parameters[member], p)
        copy(starts[member], one_work[X])
        if begin(series, one_state, tally, one_work, z, p, d, k, w) != RUNNING:
            continue
        h = first_step(k[0], one_state, one_work)
        if one_state[STEP] != 0.0:
            h = min(h, one_state[STEP])
        rest = one_state[RUN_END] - one_state[RUN_T]
        h = min(h, abs(rest))
        forth = math.copysign(h, rest)
        sum_up(forth, k[0], one_work)
        if not fits(series, forth, one_state[RUN_T] + forth, one_state, one_work, z, p, d, k, w):
            continue
        for i in range(starts.shape[1]):
            work[HERE, i, lane], work[LOST, i, lane] = starts[member, i], 0.0
        for i in range(p.size):
            lane_p[0, i, lane] = p[i]
        state[0, T, lane], state[0, END, lane] = one_state[RUN_T], one_state[RUN_END]
        state[0, LOST_TIME, lane] = state[0, STEPS, lane] = 0.0
        state[0, TAKEN, lane] = h
        place[MEMBER, lane], place[FOLLOWING, lane] = member, 0
        while (
            place[FOLLOWING, lane] < times.size
            and times[place[FOLLOWING, lane]] == one_state[RUN_T]
        ):
            copy(starts[member], out[member, place[FOLLOWING, lane]])
            place[FOLLOWING, lane] += 1
        _look_forward(state, place, lane, times)
        return True
    place[MEMBER, lane] = NOBODY
    state[0, END, lane] = state[0, T, lane]
    state[0, LOST_TIME, lane] = 0.0
    return False


@njit("void(i8, f8[:, :, ::1], f8[:, :, ::1], i8[:, ::1], i8, f8[::1], f8[:, :, ::1])", **OPTIONS)
def _keep(lane, state, work, place, order, times, out):
    """Write the states at the times inside the step just taken by one lane."""
    t, h, now = state[0, FROM, lane], state[0, TAKEN, lane], state[0, T, lane]
    member, following = place[MEMBER, lane], place[FOLLOWING, lane]
    while following < times.size and (now - times[following]) * h >= 0.0:
        since = times[following] - t
        for i in range(work.shape[1]):
            value = work[THERE, i, lane]
            if times[following] != now:
                value = work[SERIES + order, i, lane]
                for j in range(order - 1, -1, -1):
                    value = value * since + work[SERIES + j, i, lane]
            out[member, following, i] = value
        following += 1
    place[FOLLOWING, lane] = following
    _look_forward(state, place, lane, times)


@njit(**_INSIDE)
def _next_step(order, part, rtol, atol, before, x):
    """Return the sizes of the next steps, without their sign, as `taylor._step` does."""
    last, last_but_one = spread(0.0), spread(0.0)
    for i in range(x.shape[1]):
        change = before * abs(x[SERIES + 1, i])
        inverse = 1.0 / (atol + rtol * max(abs(x[HERE, i]), change))
        last = max(last, abs(x[SERIES + order, i]) * inverse)
        last_but_one = max(last_but_one, abs(x[SERIES + order - 1, i]) * inverse)
    term = max(last * before, last_but_one * part)
    return lane_functions.exp(lane_functions.log(before / max(term, TINY)) * (1.0 / order))


@njit(**_INSIDE)
def _sum_up(h, order, x):
    """Write the ends of the steps, and what their sums lose; return zero where they are finite."""
    total = spread(0.0)
    for i in range(x.shape[1]):
        change = x[SERIES + order, i]
        for j in range(order - 1, 0, -1):
            change = change * h + x[SERIES + j, i]
        before, change = x[HERE, i], change * h + x[LOST, i]
        after = before + change
        kept = after - before
        x[LOST, i] = (before - (after - kept)) + (change - kept)
        x[THERE, i] = after
        total += 0.0 * after
    return total


@njit(f"i8(i8, i8, f8[::1], i8[::1], f8[:, ::1], {MODEL}, {_MEMBERS}, {_LANES}, i8)", **OPTIONS)
def flows(
    lane_series, series, one_state, tally, one_work, z, p, d, k, w,
    starts, parameters, times, out, ends, status, state, work, lane_p, place, progress, steps,
):  # fmt: skip
    """Take up to so many steps in all lanes; return OK when no member is left, or RUNNING.

    The parameters are those of `lane_members.flows`, with the coefficients in place of the right-hand side.
    """
    s, x, q = as_lanes(state)[0], as_lanes(work), as_lanes(lane_p)[0]
    rtol, atol, most = one_state[RTOL], one_state[ATOL], float(tally[MOST_ATTEMPTS])
    order, live = k[0], 0
    part = math.exp(math.log(max(rtol, atol)) / order)
    for lane in range(WIDTH):
        if place[MEMBER, lane] != NOBODY or _take_up(
            series, lane, one_state, tally, one_work, z, p, d, k, w,
            starts, parameters, times, out, ends, status, state, work, lane_p, place, progress,
        ):  # fmt: skip
            live |= 1 << lane
    for _ in range(steps):
        if live == 0:
            return OK
        t, before = s[T], abs(s[TAKEN])
        call0(
            lane_series, t, pointer(x[HERE]), pointer(z), pointer(q), pointer(d), pointer(k), pointer(w),
            pointer(x[SERIES]),
        )  # fmt: skip
        rest = (s[END] - t) - s[LOST_TIME]
        h = _next_step(order, part, rtol, atol, before, x)
        first = s[STEPS] == 0.0
        h = select(first, before, h)
        is_last = 1.01 * h >= abs(rest)
        usual = is_last | (
            (h <= CHECKED_GROWTH * before) & (h >= max(SMALLEST_STEP * abs(t), TINY))
        )
        h = select(is_last, rest, select(rest < 0.0, -h, h))
        usual = usual & (_sum_up(h, order, x) == 0.0)
        passed = h + s[LOST_TIME]
        s[FROM], s[TAKEN] = t, h
        s[T] = select(is_last, s[END], t + passed)
        s[LOST_TIME] = passed - (s[T] - t)
        s[STEPS] = s[STEPS] + 1.0
        ended = live & bits(usual & is_last)
        failed = live & ~ended & bits(~usual | (s[STEPS] >= most))
        due = live & ~failed & bits((s[T] - s[KEPT]) * h >= 0.0)
        if due:
            for lane in range(WIDTH):
                if due & (1 << lane):
                    _keep(lane, state, work, place, order, times, out)
        for i in range(x.shape[1]):
            x[HERE, i] = x[THERE, i]
        if ended | failed:
            for lane in range(WIDTH):
                bit = 1 << lane
                if ended & bit:
                    ends[place[MEMBER, lane]] = state[0, T, lane]
                    status[place[MEMBER, lane]] = OK
                if (ended | failed) & bit and not _take_up(
                    series, lane, one_state, tally, one_work, z, p, d, k, w, starts, parameters,
                    times, out, ends, status, state, work, lane_p, place, progress,
                ):  # fmt: skip
                    live &= ~bit
    return OK if live == 0 else RUNNING
