"""After how many steps, or maxima of a state, a settled orbit comes again: many members at once, one per lane.

Maps: the first step at which the state is again within a tolerance of where it was; two such searches must
agree, and no earlier state may have been nearly as close (`CLEARLY`), else the orbit is still approaching a cycle
of half the period, or creeping past one.

Flows: the states at the maxima of one state are kept, found as roots of the step's polynomial; the period is the
smallest p for which each of them is within the tolerance of the p-th after it.  All that were kept must agree.

Distances are relative to the largest size of each state along the orbit or at its start; angles are compared modulo
2 pi.  Lanes, fates and chunks are those of `dynlab.kernels.lane_members`.
"""

from __future__ import annotations

import math

from dynlab.kernels.convention import OK, RUNNING, call0, pointer
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import MODEL, OPTIONS, copy
from dynlab.kernels.explicit import GROW_MOST, SAFETY, SHRINK_MOST, attempt, expand
from dynlab.kernels.lanes import WIDTH, as_lanes, bits, floor_of, select, spread
from dynlab.kernels.run import (
    ATOL,
    END,
    FROM,
    K0,
    K12,
    MARK,
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

__all__ = [
    "FLOW_STATE_SIZE",
    "NEXT",
    "NOBODY",
    "NONE",
    "PLACE_ROWS",
    "PROGRESS_SIZE",
    "flows",
    "maps",
]

# Rows of a flow's lane state beyond those of `run`.
GROWTH, TRIALS, LOW, HIGH = range(STATE_SIZE, STATE_SIZE + 4)
FLOW_STATE_SIZE = STATE_SIZE + 4
#: The row of a flow's work that holds the largest size of each state; marks are not made in lanes.
SIZE = MARK
# Rows of `place`, one column per lane: which member; how many maxima are kept.
MEMBER, KEPT = range(2)
PLACE_ROWS = 2
# Places in `progress`: the member to take up next.
NEXT = 0
PROGRESS_SIZE = 1
NOBODY = -1
#: The period of what does not come again.
NONE = -1
#: States between returns must be so many times the tolerance away, and a cycle so many times as wide.
CLEARLY = 1e3
#: A period is looked for when so many maxima are kept, and whenever there are twice as many.
FEW = 8
#: Slopes are compared at the ends of so many parts of a step.
PARTS = 4
TURN = 6.283185307179586

# Compiled as part of the loop that calls them; see `dynlab.kernels.lane_members`.
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


@njit("void(f8[:, :, ::1], i8, i8, f8[::1])", **OPTIONS)
def _write_row(values, row, lane, numbers):
    for i in range(numbers.size):
        values[row, i, lane] = numbers[i]


@njit(**_INSIDE)
def _distance(x, y, size, turns):
    """Return the largest distance of two states, relative to the sizes; angles modulo a turn."""
    most = spread(0.0)
    for i in range(turns.size):
        apart = x[i] - y[i]
        if turns[i] > 0.0:
            apart = apart - TURN * floor_of(apart * (1.0 / TURN) + 0.5)
        most = max(most, abs(apart) / size[i])
    return most


# Rows of the maps' work: state, next state, where the search began, sizes.
MAP_X, MAP_Y, MAP_FROM, MAP_SIZE = range(4)


@njit(**_INSIDE)
def _first_return(lane_rule, t, x, z, q, d, k, w, turns, tolerance, most):
    """Search for the first return; the state moves on by `most` steps.  0 where there is none."""
    first, nearest = spread(0.0), spread(math.inf)
    for i in range(x.shape[1]):
        x[MAP_FROM, i] = x[MAP_X, i]
    for step in range(1, most + 1):
        _call(lane_rule, spread(t + step - 1.0), x[MAP_X], z, q, d, k, w, x[MAP_Y])
        for i in range(x.shape[1]):
            x[MAP_X, i] = x[MAP_Y, i]
        apart = _distance(x[MAP_X], x[MAP_FROM], x[MAP_SIZE], turns)
        searching = first == 0.0
        hit = searching & (apart <= tolerance)
        nearest = select(searching & (apart > tolerance), min(nearest, apart), nearest)
        first = select(hit, spread(float(step)), first)
    return select(nearest > CLEARLY * tolerance, first, spread(0.0))


_MAP_MEMBERS = "f8[:, ::1], f8[:, ::1], f8[:, ::1], f8[::1], i8[::1]"


@njit(
    f"i8(i8, {MODEL}, f8, f8[::1], f8, i8, {_MAP_MEMBERS}, f8[:, :, ::1], f8[:, :, ::1], i8[::1], i8)",
    **OPTIONS,
)
def maps(
    lane_rule, z, p, d, k, w, t, turns, tolerance, most,
    starts, sizes, parameters, durations, periods, work, lane_p, progress, groups,
):  # fmt: skip
    """Search for so many groups of members; return OK when no member is left.

    Parameters
    ----------
    lane_rule, t, turns
        The map for lanes, the time now, and which states are angles (above zero).
    tolerance, most
        How near counts as the same, and the longest period looked for.
    starts, sizes, parameters
        States, their least sizes, and parameters, a row for each member.
    durations, periods
        The answers.
    """
    x, q = as_lanes(work), as_lanes(lane_p)[0]
    count, n = starts.shape[0], starts.shape[1]
    for _ in range(groups):
        if progress[NEXT] >= count:
            return OK
        for lane in range(WIDTH):
            member = min(progress[NEXT] + lane, count - 1)
            _write_row(work, MAP_X, lane, starts[member])
            _write_row(work, MAP_SIZE, lane, sizes[member])
            _write_row(lane_p, 0, lane, parameters[member])
        for step in range(most):
            _call(lane_rule, spread(t + step), x[MAP_X], z, q, d, k, w, x[MAP_Y])
            for i in range(n):
                x[MAP_X, i] = x[MAP_Y, i]
                if turns[i] == 0.0:
                    x[MAP_SIZE, i] = max(x[MAP_SIZE, i], abs(x[MAP_Y, i]))
        one = _first_return(lane_rule, t + most, x, z, q, d, k, w, turns, tolerance, most)
        two = _first_return(lane_rule, t + 2.0 * most, x, z, q, d, k, w, turns, tolerance, most)
        usual = (one > 0.0) & (one == two) & (_sum_of_zeros(x[MAP_X]) == 0.0)
        # The answer passes through a row of work, from which one lane can be read.
        x[MAP_Y, 0] = select(usual, one, spread(float(NONE)))
        for lane in range(min(WIDTH, count - progress[NEXT])):
            member = progress[NEXT] + lane
            periods[member] = int(work[MAP_Y, 0, lane])
            durations[member] = work[MAP_Y, 0, lane] if periods[member] > 0 else math.nan
        progress[NEXT] += WIDTH
    return OK if progress[NEXT] >= count else RUNNING


@njit("f8(f8[:, :, ::1], i8, i8, f8)", **OPTIONS)
def _slope(work, i, lane, s):
    """Return the derivative of the step's polynomial, by Horner's rule."""
    value = 0.0
    for power in range(POWERS - 1, 0, -1):
        value = value * s + power * work[POLYNOMIAL + power, i, lane]
    return value


@njit("void(f8[:, :, ::1], f8[:, :, ::1], i8[:, ::1], i8, i8, f8[:, :, ::1], i8)", **OPTIONS)
def _keep_maxima(state, work, place, lane, watched, kept, most_kept):
    """Find the maxima of one state inside the step just taken by a lane, and keep the states there."""
    n = work.shape[1]
    t, h = state[0, FROM, lane], state[0, TAKEN, lane]
    before = _slope(work, watched, lane, 0.0) * h
    for part in range(PARTS):
        low, high = part / PARTS, (part + 1) / PARTS
        after = _slope(work, watched, lane, high) * h
        if before > 0.0 and after <= 0.0 and place[KEPT, lane] < most_kept:
            for _ in range(52):
                middle = 0.5 * (low + high)
                if _slope(work, watched, lane, middle) * h > 0.0:
                    low = middle
                else:
                    high = middle
            row = kept[lane, place[KEPT, lane]]
            for i in range(n):
                value = 0.0
                for power in range(POWERS - 1, -1, -1):
                    value = value * high + work[POLYNOMIAL + power, i, lane]
                row[i] = value
            row[n] = t + high * h
            place[KEPT, lane] += 1
        before = after


@njit("b1(f8[:, ::1], i8, i8, f8[::1], f8[::1], f8)", **OPTIONS)
def _comes_again(kept, count, period, size, turns, tolerance):
    """Whether every kept state is that of `period` maxima before."""
    for row in range(period, count):
        for i in range(turns.size):
            apart = kept[row, i] - kept[row - period, i]
            if turns[i] > 0.0:
                apart -= TURN * math.floor(apart / TURN + 0.5)
            if not abs(apart) <= tolerance * size[i]:
                return False
    return True


@njit("i8(f8[:, ::1], i8, f8[::1], f8[::1], f8, i8)", **OPTIONS)
def _period_of(kept, count, size, turns, tolerance, most):
    """Return the smallest period that all kept states have, twice over at least; NONE if none."""
    for period in range(1, min(most, count // 2) + 1):
        if _comes_again(kept, count, period, size, turns, tolerance):
            return period
    return NONE


_MEMBERS = "f8[:, ::1], f8[:, ::1], f8[:, ::1], f8[::1], i8[::1]"
_LANES = "f8[:, :, ::1], f8[:, :, ::1], f8[:, :, ::1], i8[:, ::1], i8[::1]"


@njit(f"b1(i8, i8, f8[::1], i8[::1], f8[:, ::1], {MODEL}, i8, {_MEMBERS}, {_LANES})", **OPTIONS)
def _take_up(
    rhs, lane, one_state, tally, one_work, z, p, d, k, w, watched,
    starts, sizes, parameters, durations, periods, state, work, lane_p, place, progress,
):  # fmt: skip
    """Give a lane the next member that moves; return whether there was one."""
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
        _write_row(work, SIZE, lane, sizes[member])
        _write_row(lane_p, 0, lane, p)
        place[MEMBER, lane], place[KEPT, lane] = member, 0
        state[0, T, lane], state[0, END, lane] = one_state[T], one_state[END]
        state[0, STEP, lane], state[0, GROWTH, lane] = chosen, GROW_MOST
        state[0, TRIALS, lane] = 0.0
        state[0, LOW, lane] = state[0, HIGH, lane] = one_work[X, watched]
        return True
    place[MEMBER, lane] = NOBODY
    state[0, END, lane] = state[0, T, lane]
    return False


@njit(
    f"b1(f8[:, :, ::1], f8[:, :, ::1], i8[:, ::1], i8, i8, b1, f8[:, :, ::1], f8[::1], f8[::1], f8, i8, {_MEMBERS})",
    **OPTIONS,
)
def _decide(
    state, work, place, lane, watched, ended, kept, size, turns, tolerance, most,
    starts, sizes, parameters, durations, periods,
):  # fmt: skip
    """Write the period of a lane's member if it is known; return whether it is, or the end has come."""
    member, count = place[MEMBER, lane], place[KEPT, lane]
    # A look costs time: before the end at powers of two.
    at_end = ended or count == kept.shape[1]
    if not at_end and (count < FEW or count & (count - 1) != 0):
        return False
    least = work[SIZE, watched, lane]
    if state[0, HIGH, lane] - state[0, LOW, lane] <= CLEARLY * tolerance * least:
        moved = 0.0
        for i in range(turns.size):
            extent = max(sizes[member, i], abs(work[X, i, lane]))
            moved = max(moved, abs(work[K0, i, lane]) * abs(state[0, STEP, lane]) / extent)
        periods[member] = 0 if moved <= CLEARLY * tolerance else NONE
        return True
    for i in range(turns.size):
        size[i] = sizes[member, i] if turns[i] > 0.0 else work[SIZE, i, lane]
    period = _period_of(kept[lane], count, size, turns, tolerance, most)
    if period == NONE:
        return at_end
    periods[member] = period
    t = turns.size
    durations[member] = abs(kept[lane, count - 1, t] - kept[lane, count - 1 - period, t])
    return True


@njit(
    f"i8(i8, i8, f8[::1], i8[::1], f8[:, ::1], {MODEL}, i8, f8[::1], f8[::1], f8, i8, f8[:, :, ::1], "
    f"{_MEMBERS}, {_LANES}, i8)",
    **OPTIONS,
)
def flows(
    lane_rhs, rhs, one_state, tally, one_work, z, p, d, k, w,
    watched, size, turns, tolerance, most, kept,
    starts, sizes, parameters, durations, periods, state, work, lane_p, place, progress, trials,
):  # fmt: skip
    """Take up to so many trial steps in all lanes; return OK when no member is left, or RUNNING.

    Parameters
    ----------
    one_state, tally, one_work
        A run of one member, ready but for its start; its times say from when to when maxima are looked for.
    watched, kept
        The state whose maxima count; room for lanes x maxima x (state and time).
    size, turns, tolerance, most
        Room for sizes; which states are angles; how near counts as the same; the longest period.
    starts, sizes, parameters, durations, periods
        As in `maps`.  The period of what stands still is 0.
    """
    s, x, q = as_lanes(state)[0], as_lanes(work), as_lanes(lane_p)[0]
    rtol, atol, attempts = one_state[RTOL], one_state[ATOL], float(tally[MOST_ATTEMPTS])
    live = 0
    for lane in range(WIDTH):
        if place[MEMBER, lane] != NOBODY or _take_up(
            rhs, lane, one_state, tally, one_work, z, p, d, k, w, watched, starts, sizes, parameters,
            durations, periods, state, work, lane_p, place, progress,
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
        failed = live & ~ended & bits(~usual | (s[TRIALS] >= attempts))
        _expand(lane_rhs, s, x, z, q, d, k, w)
        turned = x[X, 0] != x[X, 0]
        before = x[K0, watched] * h
        for part in range(1, PARTS + 1):
            place_in = part / PARTS
            slope = spread(0.0)
            for power in range(POWERS - 1, 0, -1):
                slope = slope * place_in + float(power) * x[POLYNOMIAL + power, watched]
            slope = slope * h
            turned = turned | ((before > 0.0) & (slope <= 0.0))
            before = slope
        found = live & bits(accepted & turned)
        for i in range(x.shape[1]):
            x[X, i] = select(accepted, x[Y, i], x[X, i])
            x[K0, i] = select(accepted, x[K12, i], x[K0, i])
            x[SIZE, i] = max(x[SIZE, i], abs(x[X, i]))
        s[LOW], s[HIGH] = min(s[LOW], x[X, watched]), max(s[HIGH], x[X, watched])
        if ended | failed | found:
            for lane in range(WIDTH):
                bit = 1 << lane
                done = False
                if found & bit:
                    had = place[KEPT, lane]
                    _keep_maxima(state, work, place, lane, watched, kept, kept.shape[1])
                    found = found if place[KEPT, lane] > had else found & ~bit
                if (ended | found) & bit:
                    done = _decide(
                        state, work, place, lane, watched, ended & bit != 0, kept, size, turns,
                        tolerance, most, starts, sizes, parameters, durations, periods,
                    )  # fmt: skip
                if (done or failed & bit) and not _take_up(
                    rhs, lane, one_state, tally, one_work, z, p, d, k, w, watched, starts, sizes,
                    parameters, durations, periods, state, work, lane_p, place, progress,
                ):  # fmt: skip
                    live &= ~bit
    return OK if live == 0 else RUNNING
