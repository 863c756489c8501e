"""Many members at once, one per lane: flows by the method of `dynlab.kernels.explicit`, and maps.

Every lane has a time, a step and a fate of its own; only the instruction is shared.  All take one
trial step together, those whose error is small enough go on, the others shorten their own step, and
a lane whose member has reached the end takes up the next member.  So a member's answer depends on
nothing but the member, and no lane waits for another.  The trial step is `explicit.attempt` itself,
compiled a second time for lanes.

A member that meets anything out of the ordinary (a trial that is not finite, a step too small, too many
steps) is given up here and left to the loops for one member, which run it from its start and know what
to make of it.  Rounding differs between the two (which products and sums become one
instruction), nothing else.

A chunk of members lives in arrays that the caller owns, so that it can be left and taken up again.
"""

from __future__ import annotations

from dynlab.kernels.convention import OK, RUNNING, call0, pointer
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import MODEL, OPTIONS, copy
from dynlab.kernels.explicit import GROW_MOST, SAFETY, SHRINK_MOST, attempt, expand
from dynlab.kernels.lanes import WIDTH, as_lanes, bits, select, spread
from dynlab.kernels.run import (
    ATOL,
    END,
    FROM,
    K0,
    K12,
    MOST_ATTEMPTS,
    POLYNOMIAL,
    POWERS,
    RTOL,
    SMALLEST_STEP,
    STATE_SIZE,
    STEP,
    TAKEN,
    TINY,
    T,
    X,
    Y,
    begin,
    eighth_root,
)

__all__ = ["FLOW_STATE_SIZE", "NEXT", "NOBODY", "PLACE_ROWS", "PROGRESS_SIZE", "flows", "maps"]

# Rows of a flow's lane state beyond those of `run`: the smallest ratio h / h_new of the next
# trial, the next time to keep, the trials made.
GROWTH, KEPT, TRIALS = range(STATE_SIZE, STATE_SIZE + 3)
FLOW_STATE_SIZE = STATE_SIZE + 3

# Rows of `place`, one column per lane: which member; which time to keep follows.
MEMBER, FOLLOWING = range(2)
PLACE_ROWS = 2

# Places in `progress`: the member to take up next; the time of the maps in the lanes.
NEXT, GROUP_TIME = range(2)
PROGRESS_SIZE = 2

#: Marks a lane without a member.
NOBODY = -1

# Compiled as part of the loop that calls them: code compiled by itself would be kept under the
# sources that `explicit` imports, and those are not all that code for lanes depends on.
_INSIDE = {**OPTIONS, "cache": False}
_attempt = njit(forceinline=True, **_INSIDE)(attempt.py_func)
_expand = njit(**_INSIDE)(expand.py_func)
_root = njit(**_INSIDE)(eighth_root.py_func)


@njit(**_INSIDE)
def _call(rhs, t, x, z, p, d, k, w, out):
    call0(
        rhs, t, pointer(x), pointer(z), pointer(p), pointer(d), pointer(k), pointer(w), pointer(out)
    )


@njit(**_INSIDE)
def _sum_of_zeros(values):
    """Return zero where all values are finite, nan elsewhere."""
    total = 0.0 * values[0]
    for i in range(1, values.size):
        total += 0.0 * values[i]
    return total


_MEMBERS = "f8[:, ::1], f8[:, ::1], f8[::1], f8[:, :, ::1], f8[::1], i8[::1]"
_MAP_LANES = "f8[:, :, ::1], f8[:, :, ::1], i8[:, ::1], i8[::1]"
_LANES = f"f8[:, :, ::1], {_MAP_LANES}"


@njit("void(f8[:, :, ::1], i8, i8, f8[::1])", **OPTIONS)
def _write_row(values, row, lane, numbers):
    for i in range(numbers.size):
        values[row, i, lane] = numbers[i]


@njit("void(f8[:, :, ::1], i8, i8, f8[::1])", **OPTIONS)
def _read_row(values, row, lane, numbers):
    for i in range(numbers.size):
        numbers[i] = values[row, i, lane]


@njit("void(f8[:, :, ::1], i8, f8, f8[::1])", **OPTIONS)
def _read_polynomial(values, lane, s, out):
    """Evaluate the step of one lane at the place s, by Horner's rule."""
    last = POLYNOMIAL + POWERS - 1
    for i in range(out.size):
        value = values[last, i, lane]
        for row in range(last - 1, POLYNOMIAL - 1, -1):
            value = value * s + values[row, i, lane]
        out[i] = value


@njit("void(f8[:, :, ::1], i8[:, ::1], i8, f8[::1])", **OPTIONS)
def _look_forward(state, place, lane, times):
    """Note the next time to keep; none is beyond the end, which no step passes."""
    following, sign = place[FOLLOWING, lane], 1.0
    if state[0, END, lane] < state[0, T, lane]:
        sign = -1.0
    state[0, KEPT, lane] = times[following] if following < times.size else sign * 1e308


@njit(f"b1(i8, i8, f8[::1], i8[::1], f8[:, ::1], {MODEL}, {_MEMBERS}, {_LANES})", **OPTIONS)
def _take_up(
    rhs, lane, one_state, tally, one_work, z, p, d, k, w,
    starts, parameters, times, out, ends, status, state, work, lane_p, place, progress,
):  # fmt: skip
    """Give a lane the next member that has anywhere to go; return whether there was one."""
    while progress[NEXT] < starts.shape[0]:
        member = progress[NEXT]
        progress[NEXT] += 1
        copy(parameters[member], p)
        copy(starts[member], one_work[X])
        first_step = one_state[STEP]
        answer = begin(rhs, one_state, tally, one_work, z, p, d, k, w)
        chosen, one_state[STEP] = one_state[STEP], first_step
        if answer != RUNNING:
            continue
        _write_row(work, X, lane, one_work[X])
        _write_row(work, K0, lane, one_work[K0])
        _write_row(lane_p, 0, lane, p)
        state[0, T, lane], state[0, END, lane] = one_state[T], one_state[END]
        state[0, STEP, lane], state[0, GROWTH, lane] = chosen, GROW_MOST
        state[0, TRIALS, lane] = 0.0
        place[MEMBER, lane], place[FOLLOWING, lane] = member, 0
        while place[FOLLOWING, lane] < times.size and times[place[FOLLOWING, lane]] == one_state[T]:
            copy(one_work[X], out[member, place[FOLLOWING, lane]])
            place[FOLLOWING, lane] += 1
        _look_forward(state, place, lane, times)
        return True
    place[MEMBER, lane] = NOBODY
    state[0, END, lane] = state[0, T, lane]
    return False


@njit("void(i8, f8[:, :, ::1], f8[:, :, ::1], i8[:, ::1], f8[::1], f8[:, :, ::1])", **OPTIONS)
def _keep(lane, state, work, place, times, out):
    """Write the states at the times inside the step just taken by one lane."""
    t, h, now = state[0, FROM, lane], state[0, TAKEN, lane], state[0, T, lane]
    member, following = place[MEMBER, lane], place[FOLLOWING, lane]
    while following < times.size and (now - times[following]) * h >= 0.0:
        if times[following] == now:
            _read_row(work, Y, lane, out[member, following])
        else:
            _read_polynomial(work, lane, (times[following] - t) / h, out[member, following])
        following += 1
    place[FOLLOWING, lane] = following
    _look_forward(state, place, lane, times)


@njit("void(f8[:, :, ::1], i8[:, ::1], i8, f8[::1], f8[:, :, ::1])", **OPTIONS)
def _keep_states(work, place, t, times, out):
    """Write the states of the maps in all lanes if this is a time to keep."""
    for lane in range(WIDTH):
        member = place[MEMBER, lane]
        while (
            member != NOBODY
            and place[FOLLOWING, lane] < times.size
            and times[place[FOLLOWING, lane]] == t
        ):
            _read_row(work, X, lane, out[member, place[FOLLOWING, lane]])
            place[FOLLOWING, lane] += 1


@njit(f"i8(i8, i8, f8[::1], i8[::1], f8[:, ::1], {MODEL}, {_MEMBERS}, {_LANES}, i8)", **OPTIONS)
def flows(
    lane_rhs, rhs, one_state, tally, one_work, z, p, d, k, w,
    starts, parameters, times, out, ends, status, state, work, lane_p, place, progress, trials,
):  # fmt: skip
    """Take up to so many trial steps in all lanes; return OK when no member is left, or RUNNING.

    Parameters
    ----------
    lane_rhs, rhs
        The right-hand side for lanes, and for one member.
    one_state, tally, one_work, z, p, d, k, w
        A run of one member as `run.begin` wants it, ready but for its start; `begin` chooses the
        first step and finds the members that cannot begin.
    starts, parameters, times
        A row for each member; and the times to keep, in the order of the run.
    out, ends, status
        The answers: members x times x states, and time and status with which each ended.  Those
        given up keep RUNNING.
    state, work, lane_p, place, progress
        How the lanes stand, `place` filled with `NOBODY` before the first call.
    """
    s, x, q = as_lanes(state)[0], as_lanes(work), as_lanes(lane_p)[0]
    rtol, atol, most = one_state[RTOL], one_state[ATOL], float(tally[MOST_ATTEMPTS])
    live = 0
    for lane in range(WIDTH):
        if place[MEMBER, lane] != NOBODY or _take_up(
            rhs, lane, one_state, tally, one_work, z, p, d, k, w,
            starts, parameters, times, out, ends, status, state, work, lane_p, place, progress,
        ):  # fmt: skip
            live |= 1 << lane
    for _ in range(trials):
        if live == 0:
            return OK
        t, h, end = s[T], s[STEP], s[END]
        is_last = 1.01 * abs(h) >= abs(end - t)
        h = select(is_last, end - t, h)
        err = _attempt(lane_rhs, t, h, rtol, atol, x, z, q, d, k, w)
        _call(lane_rhs, t + h, x[Y], z, q, d, k, w, x[K12])
        accepted = err <= 1.0
        usual = (0.0 * err == 0.0) & (~accepted | (_sum_of_zeros(x[K12]) == 0.0))
        usual = usual & (is_last | (abs(h) >= max(SMALLEST_STEP * abs(t), TINY)))
        accepted = accepted & usual
        wanted = _root(err) / SAFETY
        shrink = min(select(accepted, max(wanted, s[GROWTH]), wanted), SHRINK_MOST)
        s[FROM], s[TAKEN], s[STEP] = t, h, h / shrink
        s[T] = select(accepted, select(is_last, end, t + h), t)
        s[GROWTH] = select(accepted, spread(GROW_MOST), spread(1.0))
        s[TRIALS] = s[TRIALS] + 1.0
        ended = live & bits(accepted & is_last)
        failed = live & ~ended & bits(~usual | (s[TRIALS] >= most))
        ahead = (s[T] - s[KEPT]) * h
        if live & bits(accepted & (ahead > 0.0)):
            _expand(lane_rhs, s, x, z, q, d, k, w)
        due = live & bits(accepted & (ahead >= 0.0))
        if due:
            for lane in range(WIDTH):
                if due & (1 << lane):
                    _keep(lane, state, work, place, times, out)
        for i in range(x.shape[1]):
            x[X, i] = select(accepted, x[Y, i], x[X, i])
            x[K0, i] = select(accepted, x[K12, i], x[K0, i])
        if ended | failed:
            for lane in range(WIDTH):
                bit = 1 << lane
                if ended & bit:
                    ends[place[MEMBER, lane]] = state[0, T, lane]
                    status[place[MEMBER, lane]] = OK
                if (ended | failed) & bit and not _take_up(
                    rhs, lane, one_state, tally, one_work, z, p, d, k, w, starts, parameters,
                    times, out, ends, status, state, work, lane_p, place, progress,
                ):  # fmt: skip
                    live &= ~bit
    return OK if live == 0 else RUNNING


@njit(f"i8(i8, {MODEL}, i8, {_MEMBERS}, {_MAP_LANES}, i8)", **OPTIONS)
def maps(
    lane_rule, z, p, d, k, w, duration, starts, parameters, times, out, ends, status,
    work, lane_p, place, progress, steps,
):  # fmt: skip
    """Take up to so many steps of a map in all lanes; return OK when no member is left, or RUNNING.

    `times` are whole numbers that rise, written as floats.  All lanes begin and end together.
    """
    x, q = as_lanes(work), as_lanes(lane_p)[0]
    count = starts.shape[0]
    for _ in range(steps):
        if progress[GROUP_TIME] == 0:
            if progress[NEXT] >= count:
                return OK
            for lane in range(WIDTH):
                member = progress[NEXT] + lane
                place[MEMBER, lane] = member if member < count else NOBODY
                place[FOLLOWING, lane] = 0
                _write_row(work, X, lane, starts[min(member, count - 1)])
                _write_row(lane_p, 0, lane, parameters[min(member, count - 1)])
            progress[NEXT] += WIDTH
        _keep_states(work, place, progress[GROUP_TIME], times, out)
        if progress[GROUP_TIME] == duration:
            for lane in range(WIDTH):
                if place[MEMBER, lane] != NOBODY:
                    ends[place[MEMBER, lane]] = float(duration)
                    status[place[MEMBER, lane]] = OK
            progress[GROUP_TIME] = 0
            continue
        _call(lane_rule, spread(float(progress[GROUP_TIME])), x[X], z, q, d, k, w, x[Y])
        failed = bits(_sum_of_zeros(x[Y]) != 0.0)
        for i in range(x.shape[1]):
            x[X, i] = x[Y, i]
        progress[GROUP_TIME] += 1
        if failed:
            for lane in range(WIDTH):
                if failed & (1 << lane):
                    place[MEMBER, lane] = NOBODY
    return RUNNING
