"""How fast small deviations grow, for many members at once, one per lane (Benettin et al. 1980, Meccanica 15, 9).

A member is a state and one deviation from it, ``(x, v)``, carried by the map or the flow and its exact
derivative.  What is kept is ``log |v|`` at given times.  Whenever it has left [1, 2), v is multiplied by a power
of two: that is exact, costs no logarithm, and is undone in the sum, so how often it happens changes nothing.

Lanes, fates and chunks are those of `dynlab.kernels.lane_members`.  A member that fails is looked at by itself
from its last good state: it has DIVERGED, LEFT_DOMAIN and so on, or, if nothing is wrong with the state,
it is given up and stays RUNNING.  One whose state has become `ESCAPED` times as large has DIVERGED as well.
"""

from __future__ import annotations

import math

from dynlab.kernels import maps as one_map
from dynlab.kernels.convention import DIVERGED, OK, RUNNING, call0, pointer
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import MODEL, OPTIONS, copy
from dynlab.kernels.explicit import GROW_MOST, SAFETY, SHRINK_MOST, attempt
from dynlab.kernels.lanes import (
    WIDTH,
    as_lanes,
    bits,
    fraction_and_exponent,
    select,
    spread,
    times_power_of_two,
)
from dynlab.kernels.loops import advance, begin
from dynlab.kernels.run import (
    ATOL,
    END,
    K0,
    K12,
    MOST_ATTEMPTS,
    RTOL,
    SMALLEST_STEP,
    STEP,
    TINY,
    T,
    X,
    Y,
    eighth_root,
)

__all__ = [
    "EXPONENT",
    "FLOW_ROWS",
    "NEXT",
    "NOBODY",
    "PLACE_ROWS",
    "PROGRESS_SIZE",
    "ROWS",
    "flows",
    "maps",
]

# Rows of the lanes' state: time, step, next time to keep; bound on the next growth of the step;
# trials made; the whole powers of two taken out of v; the size of a state that has escaped.
LANE_T, LANE_STEP, LANE_END, GROWTH, TRIALS, EXPONENT, BOUND = range(7)
ROWS = 7
#: Rows of numbers that a flow needs: state, new state, stages.
FLOW_ROWS = 18
# Rows of `place`, one column per lane: which member; which time to keep follows.
MEMBER, FOLLOWING = range(2)
PLACE_ROWS = 2
# Places in `progress`: the member to take up next; the time of the maps in the lanes; what they keep next;
# which lanes still run.
NEXT, GROUP_TIME, GROUP_FOLLOWING, LIVE = range(4)
PROGRESS_SIZE = 4
#: Marks a lane without a member.
NOBODY = -1
#: A state this many times as large as the largest number of the start, or as 1, has escaped.  Far away
#: flows may be stiff: on their way from there to the largest numbers they would need millions of steps.
ESCAPED = 1e5
#: So many steps decide what became of a state that cannot go on in lanes.
LOOK = 2000
_LN2 = 0.6931471805599453
_SMALLEST = 2.2250738585072014e-308

# Compiled as part of the loop that calls them; see `dynlab.kernels.lane_members`.
_INSIDE = {**OPTIONS, "cache": False}
_attempt = njit(forceinline=True, **_INSIDE)(attempt.py_func)
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


@njit(**_INSIDE)
def _excess(v):
    """Return the whole power of two by which the largest number of v exceeds [1, 2); 0 if v is zero."""
    size = abs(v[0])
    for i in range(1, v.size):
        size = max(size, abs(v[i]))
    _, exponent = fraction_and_exponent(size)
    return select(size >= _SMALLEST, exponent, spread(0.0))


@njit("void(f8[:, :, ::1], i8, i8, f8[::1])", **OPTIONS)
def _write_row(values, row, lane, numbers):
    for i in range(numbers.size):
        values[row, i, lane] = numbers[i]


@njit("void(f8[:, :, ::1], i8, i8, f8[::1])", **OPTIONS)
def _read_row(values, row, lane, numbers):
    for i in range(numbers.size):
        numbers[i] = values[row, i, lane]


@njit(**_INSIDE)
def _is_beyond(x, n, bound):
    """Return in which lanes a state is beyond the bound."""
    size = abs(x[0])
    for i in range(1, n):
        size = max(size, abs(x[i]))
    return bits(size > bound)


@njit("f8(f8[::1], i8)", **OPTIONS)
def _bound(start, n):
    """Return the size of a state that has escaped."""
    size = 1.0
    for i in range(n):
        size = max(size, abs(start[i]))
    return ESCAPED * size


@njit("f8(f8[:, :, ::1], f8[:, :, ::1], i8, i8)", **OPTIONS)
def _log_size(state, work, n, lane):
    """Return log |v| of one lane."""
    total = 0.0
    for i in range(n, 2 * n):
        total += work[X, i, lane] ** 2
    if total == 0.0:
        return -math.inf
    return 0.5 * math.log(total) + _LN2 * state[0, EXPONENT, lane]


_ANSWERS = "f8[:, ::1], f8[:, ::1], f8[::1], f8[:, ::1], f8[:, ::1], f8[::1], i8[::1]"
_LANES = "f8[:, :, ::1], f8[:, :, ::1], f8[:, :, ::1], i8[:, ::1], i8[::1]"


@njit(
    f"i8(i8, f8[:, ::1], {MODEL}, f8[::1], f8[::1], f8[:, :, ::1], i8, i8, i8, f8[::1])", **OPTIONS
)
def _fate_of_map(rule, one, z, p, d, k, w, start, parameters, work, lane, time, steps, ends):
    """Find out what became of the map in a lane within some steps; RUNNING if nothing did."""
    copy(parameters, p)
    for i in range(one.shape[1]):
        one[one_map.START, i] = start[i]
        one[one_map.X, i] = work[X, i, lane]
        one[one_map.BEFORE, i] = 0.5 * work[X, i, lane]
    for taken in range(steps):
        status = one_map.step(rule, time + taken, one, z, p, d, k, w)
        if status != OK:
            ends[0] = float(time + taken)
            return status
    return RUNNING


@njit(
    f"i8(i8, i8, f8[:, ::1], {MODEL}, i8, {_ANSWERS}, {_LANES}, i8)", **OPTIONS
)  # fmt: skip
def maps(
    lane_orbit, rule, one, z, p, d, k, w, stride,
    starts, parameters, times, logs, finals, ends, status, state, work, lane_p, place, progress, chunks,
):  # fmt: skip
    """Take up to so many chunks of `stride` steps in all lanes; return OK when no member is left.

    Parameters
    ----------
    lane_orbit, rule
        The map with its deviation for lanes, which takes ``k[0]`` steps; and the map alone, for one
        member, with its room `one`.
    starts, parameters, times
        State and deviation, and parameters, a row for each member; the times to keep, which are whole and
        rise.
    logs, finals, ends, status
        The answers: log |v| at the times, state and deviation in the end, the time, and the status; RUNNING
        for those given up.
    state, work, lane_p, place, progress
        How the lanes stand.
    """
    s, x, q = as_lanes(state)[0], as_lanes(work), as_lanes(lane_p)[0]
    count, n = starts.shape[0], starts.shape[1] // 2
    for _ in range(chunks):
        if progress[LIVE] == 0:
            if progress[NEXT] >= count:
                return OK
            for lane in range(WIDTH):
                member = progress[NEXT] + lane
                place[MEMBER, lane] = member if member < count else NOBODY
                if member < count:
                    progress[LIVE] |= 1 << lane
                state[0, EXPONENT, lane] = 0.0
                state[0, BOUND, lane] = _bound(starts[min(member, count - 1)], n)
                _write_row(work, X, lane, starts[min(member, count - 1)])
                _write_row(lane_p, 0, lane, parameters[min(member, count - 1)])
            progress[NEXT] += WIDTH
            progress[GROUP_TIME] = progress[GROUP_FOLLOWING] = 0
        live, now, following = progress[LIVE], progress[GROUP_TIME], progress[GROUP_FOLLOWING]
        if float(now) == times[following]:
            for lane in range(WIDTH):
                if live & (1 << lane):
                    logs[place[MEMBER, lane], following] = _log_size(state, work, n, lane)
            progress[GROUP_FOLLOWING] += 1
            if progress[GROUP_FOLLOWING] == times.size:
                for lane in range(WIDTH):
                    if live & (1 << lane):
                        member = place[MEMBER, lane]
                        _read_row(work, X, lane, finals[member])
                        ends[member], status[member] = float(now), OK
                progress[LIVE] = 0
            continue
        steps = min(stride, int(times[following]) - now)
        k[0] = steps
        _call(lane_orbit, spread(float(now)), x[X], z, q, d, k, w, x[Y])
        failed = live & bits(_sum_of_zeros(x[Y]) != 0.0)
        if failed:
            for lane in range(WIDTH):
                if failed & (1 << lane):
                    member = place[MEMBER, lane]
                    status[member] = _fate_of_map(
                        rule, one, z, p, d, k, w, starts[member], parameters[member], work, lane,
                        now, steps, ends[member : member + 1],
                    )  # fmt: skip
            progress[LIVE] &= ~failed
        beyond = progress[LIVE] & _is_beyond(x[Y], n, s[BOUND])
        if beyond:
            for lane in range(WIDTH):
                if beyond & (1 << lane):
                    ends[place[MEMBER, lane]] = float(now + steps)
                    status[place[MEMBER, lane]] = DIVERGED
            progress[LIVE] &= ~beyond
        for i in range(n):
            x[X, i] = x[Y, i]
        excess = _excess(x[Y, n:])
        scale = times_power_of_two(spread(1.0), -excess)
        for i in range(n, 2 * n):
            x[X, i] = x[Y, i] * scale
        s[EXPONENT] = s[EXPONENT] + excess
        progress[GROUP_TIME] += steps
    return OK if progress[LIVE] == 0 and progress[NEXT] >= count else RUNNING


_ONE = f"f8[::1], i8[::1], f8[:, ::1], {MODEL}"


@njit(
    f"b1(i8, i8, f8[::1], i8[::1], f8[:, ::1], {MODEL}, {_ANSWERS}, {_LANES})", **OPTIONS
)  # fmt: skip
def _take_up(
    rhs, lane, one_state, tally, one_work, z, p, d, k, w,
    starts, parameters, times, logs, finals, ends, status, state, work, lane_p, place, progress,
):  # fmt: skip
    """Give a lane the next member that can begin; return whether there was one."""
    n = starts.shape[1] // 2
    while progress[NEXT] < starts.shape[0]:
        member = progress[NEXT]
        progress[NEXT] += 1
        copy(parameters[member], p)
        copy(starts[member], one_work[X])
        first_step = one_state[STEP]
        one_state[T], one_state[END] = 0.0, times[times.size - 1]
        answer = begin(rhs, one_state, tally, one_work, z, p, d, k, w)
        chosen, one_state[STEP] = one_state[STEP], first_step
        if answer != RUNNING:
            ends[member], status[member] = 0.0, answer
            continue
        _write_row(work, X, lane, one_work[X])
        _write_row(work, K0, lane, one_work[K0])
        _write_row(lane_p, 0, lane, p)
        place[MEMBER, lane], place[FOLLOWING, lane] = member, 0
        state[0, LANE_T, lane], state[0, LANE_STEP, lane] = 0.0, chosen
        state[0, GROWTH, lane], state[0, TRIALS, lane] = GROW_MOST, 0.0
        state[0, EXPONENT, lane] = 0.0
        state[0, BOUND, lane] = _bound(starts[member], n)
        if times[0] == 0.0:
            logs[member, 0] = _log_size(state, work, n, lane)
            place[FOLLOWING, lane] = 1
        state[0, LANE_END, lane] = times[place[FOLLOWING, lane]]
        return True
    place[MEMBER, lane] = NOBODY
    state[0, LANE_END, lane] = state[0, LANE_T, lane]
    return False


@njit(
    f"i8(i8, f8[::1], i8[::1], f8[:, ::1], {MODEL}, f8[::1], f8[:, :, ::1], f8[:, :, ::1], i8, f8, f8[::1])",
    **OPTIONS,
)
def _fate_of_flow(
    rhs, one_state, tally, one, z, p, d, k, w, parameters, state, work, lane, end, ends
):
    """Find out what became of the flow in a lane; RUNNING if nothing did."""
    copy(parameters, p)
    _read_row(work, X, lane, one[X])
    first_step = one_state[STEP]
    one_state[T], one_state[END], one_state[STEP] = state[0, LANE_T, lane], end, 0.0
    status = begin(rhs, one_state, tally, one, z, p, d, k, w)
    if status == RUNNING:
        status = advance(rhs, one_state, tally, one, z, p, d, k, w, LOOK)
    ends[0], one_state[STEP] = one_state[T], first_step
    return RUNNING if status == OK else status


@njit(
    f"i8(i8, i8, i8, f8[::1], i8[::1], f8[:, ::1], f8[:, ::1], {MODEL}, {_ANSWERS}, {_LANES}, i8)",
    **OPTIONS,
)
def flows(
    lane_rhs, rhs, plain_rhs, one_state, tally, one_work, plain_work, z, p, d, k, w,
    starts, parameters, times, logs, finals, ends, status, state, work, lane_p, place, progress, trials,
):  # fmt: skip
    """Take up to so many trial steps in all lanes; return OK when no member is left, or RUNNING.

    As `maps`; `rhs` and `plain_rhs` are those of one member, with the deviation and without, `one_state` and
    `tally` a run of it ready but for its start, `one_work` and `plain_work` its room.  A member that takes more
    than ``tally[MOST_ATTEMPTS]`` trials is given up.
    """
    s, x, q = as_lanes(state)[0], as_lanes(work), as_lanes(lane_p)[0]
    rtol, atol, most = one_state[RTOL], one_state[ATOL], float(tally[MOST_ATTEMPTS])
    n, last = starts.shape[1] // 2, times[times.size - 1]
    live = 0
    for lane in range(WIDTH):
        if place[MEMBER, lane] != NOBODY or _take_up(
            rhs, lane, one_state, tally, one_work, z, p, d, k, w, starts, parameters, times, logs,
            finals, ends, status, state, work, lane_p, place, progress,
        ):  # fmt: skip
            live |= 1 << lane
    for _ in range(trials):
        if live == 0:
            return OK
        t, wanted_h, end = s[LANE_T], s[LANE_STEP], s[LANE_END]
        is_last = 1.01 * abs(wanted_h) >= abs(end - t)
        h = select(is_last, end - t, wanted_h)
        err = _attempt(lane_rhs, t, h, rtol, atol, x, z, q, d, k, w)
        _call(lane_rhs, t + h, x[Y], z, q, d, k, w, x[K12])
        accepted = err <= 1.0
        usual = (0.0 * err == 0.0) & (~accepted | (_sum_of_zeros(x[K12]) == 0.0))
        usual = usual & (is_last | (abs(h) >= max(SMALLEST_STEP * abs(t), TINY)))
        accepted = accepted & usual
        wanted = _root(err) / SAFETY
        shrink = min(select(accepted, max(wanted, s[GROWTH]), wanted), SHRINK_MOST)
        following_h = h / shrink
        # A step that was cut to end at a time to keep says little about the next one.
        cut = accepted & is_last & (abs(following_h) < abs(wanted_h))
        s[LANE_STEP] = select(cut, wanted_h, following_h)
        s[LANE_T] = select(accepted, select(is_last, end, t + h), t)
        s[GROWTH] = select(accepted, spread(GROW_MOST), spread(1.0))
        s[TRIALS] = s[TRIALS] + 1.0
        arrived = live & bits(accepted & is_last)
        failed = live & ~arrived & bits(~usual | (s[TRIALS] >= most))
        beyond = live & bits(accepted) & _is_beyond(x[Y], n, s[BOUND])
        arrived, failed = arrived & ~beyond, failed | beyond
        for i in range(n):
            x[X, i] = select(accepted, x[Y, i], x[X, i])
            x[K0, i] = select(accepted, x[K12, i], x[K0, i])
        excess = select(accepted, _excess(x[Y, n:]), spread(0.0))
        scale = times_power_of_two(spread(1.0), -excess)
        for i in range(n, 2 * n):
            x[X, i] = select(accepted, x[Y, i] * scale, x[X, i])
            x[K0, i] = select(accepted, x[K12, i] * scale, x[K0, i])
        s[EXPONENT] = s[EXPONENT] + excess
        if arrived | failed:
            for lane in range(WIDTH):
                bit = 1 << lane
                member = place[MEMBER, lane]
                done = False
                if arrived & bit:
                    following = place[FOLLOWING, lane]
                    logs[member, following] = _log_size(state, work, n, lane)
                    place[FOLLOWING, lane] = following + 1
                    done = following + 1 == times.size
                    if done:
                        _read_row(work, X, lane, finals[member])
                        ends[member], status[member] = last, OK
                    else:
                        state[0, LANE_END, lane] = times[following + 1]
                elif beyond & bit:
                    done = True
                    ends[member], status[member] = state[0, LANE_T, lane], DIVERGED
                elif failed & bit:
                    done = True
                    status[member] = _fate_of_flow(
                        plain_rhs, one_state, tally, plain_work, z, p, d, k, w, parameters[member], state,
                        work, lane, last, ends[member : member + 1],
                    )  # fmt: skip
                if done and not _take_up(
                    rhs, lane, one_state, tally, one_work, z, p, d, k, w, starts, parameters, times,
                    logs, finals, ends, status, state, work, lane_p, place, progress,
                ):  # fmt: skip
                    live &= ~bit
    return OK if live == 0 else RUNNING
