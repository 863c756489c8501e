"""A step as a polynomial: evaluation between the ends, and crossings of guards inside.

``x(t + s h) = sum_j c_j s^j`` for s from 0 to 1, one row of n numbers per power.  Loops of any method
write their steps in this form; what stands here does not know which method it was.
"""

from __future__ import annotations

import numpy as np

from dynlab.kernels.convention import call0, pointer
from dynlab.kernels.deferred import njit

EPS = 2.220446049250313e-16
#: Guards are looked at in this many equal parts of a step.
PARTS = 8
#: Direction of a guard that does not fire for the time being.
DEAF = 2
#: Rows of `sides`: the last values of the guards; the sides they are on; the values at the end of a
#: part, and at a trial inside; how much each changed over the last part; whether it is affine in the
#: states and the time (1 or 0, set by the caller).  Two columns per guard: in the second half stand
#: the rates of change, where a kernel writes them.
VALUE, SIDE, NEW, TRIAL, CHANGE, AFFINE = range(6)
SIDE_ROWS = 6
#: A guard is far from zero in a step if it is that many times farther away than it moves.
FAR = 2.0
#: A guard is looked at between two values only if one of them is less than this times the change from
#: part to part away from zero.
NEAR = 4.0
#: Trials after which the turning point of a guard is given up: it then touches zero to rounding.
MOST_TRIALS = 60

#: Types of z, p, d, k, w.
MODEL = "f8[::1], f8[::1], f8[::1], i8[::1], f8[::1]"
#: Without numba's runtime nothing can be allocated and nothing is counted: a step of three states
#: takes 220 instead of 290 ns.  Contraction lets a product and a sum become one instruction, which
#: rounds once instead of twice: 170 ns.
OPTIONS = {
    "cache": True,
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract"},
    "_nrt": False,
}


@njit(f"void(i8, f8, f8[::1], {MODEL}, f8[::1])", **OPTIONS)
def call(kernel, t, x, z, p, d, k, w, out):
    """Call a model kernel with arrays."""
    call0(
        kernel,
        t,
        pointer(x),
        pointer(z),
        pointer(p),
        pointer(d),
        pointer(k),
        pointer(w),
        pointer(out),
    )


@njit(f"void(i8, f8[::1], f8[:, ::1], {MODEL}, f8[:, ::1])", **OPTIONS)
def call_each(kernel, times, states, z, p, d, k, w, out):
    """Call a model kernel at each row of states: observables along a trajectory."""
    for row in range(times.size):
        call(kernel, times[row], states[row], z, p, d, k, w, out[row])


@njit("void(f8[::1], f8[::1])", **OPTIONS)
def copy(source, target):
    """Copy numbers one by one (a slice assignment takes numba seconds to compile)."""
    for i in range(target.size):
        target[i] = source[i]


@njit("void(f8[:, ::1], f8, f8[::1])", **OPTIONS)
def polynomial(coefficients, s, out):
    """Evaluate a step at the place s, by Horner's rule."""
    last = coefficients.shape[0] - 1
    for i in range(out.size):
        value = coefficients[last, i]
        for j in range(last - 1, -1, -1):
            value = value * s + coefficients[j, i]
        out[i] = value


@njit("i8(i8, f8, f8, f8[:, ::1], f8[::1], f8[::1], f8[:, :, ::1])", **OPTIONS)
def write_step(row, t, h, coefficients, starts, sizes, written):
    """Keep a step as one more row, where there is room for steps; return how many rows there are."""
    if starts.size == 0:  # nobody asked for the steps
        return row
    starts[row], sizes[row] = t, h
    for j in range(written.shape[1]):
        copy(coefficients[j], written[row, j])
    return row + 1


@njit("void(f8[::1], f8[::1], f8[:, :, ::1], f8[::1], f8[:, ::1])", **OPTIONS)
def evaluate(starts, sizes, coefficients, times, out):
    """Evaluate recorded steps at times inside the recorded range, in any order."""
    sign = 1.0 if sizes[0] > 0.0 else -1.0
    for row in range(times.size):
        low, high = 0, starts.size - 1
        while low < high:
            middle = (low + high + 1) // 2
            if sign * (times[row] - starts[middle]) >= 0.0:
                low = middle
            else:
                high = middle - 1
        polynomial(coefficients[low], (times[row] - starts[low]) / sizes[low], out[row])


@njit(
    f"b1(f8, f8, f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], {MODEL}, i8, i8[::1], f8[:, ::1])",
    **OPTIONS,
)
def stay_far(t, h, x, slope, new, new_slope, here, z, p, d, k, w, guard, directions, sides):
    """Whether all guards stay far from zero in a step, as the states and slopes at both ends tell.

    Between them the cubic with these ends and slopes stays within its four control points, and so does an
    affine guard along it; what is left of the step is much smaller than they lie apart.  The values
    at the end are noted if so.
    """
    for g in range(directions.size):
        if sides[AFFINE, g] == 0.0 or sides[SIDE, g] == 0.0 or directions[g] == DEAF:
            return False
        sides[CHANGE, g] = 0.0
    for control in range(3):
        for i in range(here.size):
            if control == 0:
                here[i] = x[i] + h / 3.0 * slope[i]
            elif control == 1:
                here[i] = new[i] - h / 3.0 * new_slope[i]
            else:
                here[i] = new[i]
        call(guard, t + (control + 1) / 3.0 * h, here, z, p, d, k, w, sides[NEW])
        for g in range(directions.size):
            sides[CHANGE, g] = max(sides[CHANGE, g], abs(sides[NEW, g] - sides[VALUE, g]))
    for g in range(directions.size):
        if not abs(sides[VALUE, g]) > FAR * sides[CHANGE, g]:
            return False
    copy(sides[NEW], sides[VALUE])
    return True


_STEP = "f8, f8, f8[:, ::1], f8[::1]"
_GUARD = "i8, i8[::1], i8[::1], f8[:, ::1]"
_FOUND = "f8[::1], i8[::1], f8[:, ::1], i8"


@njit(f"void(f8, f8[::1], {MODEL}, i8, f8[:, ::1])", **OPTIONS)
def begin_watching(t, x, z, p, d, k, w, guard, sides):
    """Note on which side of each guard a run starts; 0 if exactly on it, which does not fire."""
    call(guard, t, x, z, p, d, k, w, sides[VALUE])
    for g in range(sides.shape[1]):
        sides[SIDE, g] = np.sign(sides[VALUE, g])
        sides[CHANGE, g] = np.inf


@njit(f"f8({_STEP}, f8, f8, f8, f8, f8, i8, {MODEL}, i8, f8[:, ::1])", **OPTIONS)
def locate(
    t, h, coefficients, here, low, high, side, at_low, at_high, g, z, p, d, k, w, guard, sides
):
    """Return the place in (low, high] just beyond the crossing of guard g, to rounding of the time.

    The guard leaves `side`; its values at both ends are given.  Just beyond, so that a run started
    from there does not meet the same crossing again.

    ITP: regula falsi, truncated and projected such that it never needs more than one evaluation
    beyond bisection (Oliveira and Takahashi 2021, ACM Trans. Math. Softw. 47, 5).
    """
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
        polynomial(coefficients, s, here)
        call(guard, t + s * h, here, z, p, d, k, w, sides[TRIAL])
        if sides[TRIAL, g] * side > 0.0:
            low, at_low = s, sides[TRIAL, g]
        else:
            high, at_high = s, sides[TRIAL, g]
        room *= 0.5
    return high


@njit(f"f8({_STEP}, f8, f8, f8, f8, f8, i8, {MODEL}, i8, f8[:, ::1])", **OPTIONS)
def find_turn(
    t, h, coefficients, here, low, high, side, at_low, at_high, g, z, p, d, k, w, rates, sides
):
    """Return a place in (low, high) where guard g is on the other side; -1 if it does not get there.

    It has the same side at both ends.  Between them it can pass zero twice only if it moves towards
    zero at the first and away from it at the second.  It is followed to its turning point by
    regula falsi on its rate of change.  Where its two tangents meet before zero it does not get
    there, as long as it bends one way only.
    """
    guards = sides.shape[1] // 2
    polynomial(coefficients, low, here)
    call(rates, t + low * h, here, z, p, d, k, w, sides[TRIAL])
    slope_low = h * sides[TRIAL, guards + g]
    polynomial(coefficients, high, here)
    call(rates, t + high * h, here, z, p, d, k, w, sides[TRIAL])
    slope_high = h * sides[TRIAL, guards + g]
    for trial in range(MOST_TRIALS):
        if not (side * slope_low < 0.0 and side * slope_high > 0.0):
            return -1.0
        length = high - low
        meet = (at_high - at_low - slope_high * length) / (slope_low - slope_high)
        if side * (at_low + slope_low * meet) > 0.0:
            return -1.0
        part = slope_low / (slope_low - slope_high)
        s = low + length * (part if trial % 3 < 2 else 0.5)
        if not low < s < high:
            return -1.0
        polynomial(coefficients, s, here)
        call(rates, t + s * h, here, z, p, d, k, w, sides[TRIAL])
        value, slope = sides[TRIAL, g], h * sides[TRIAL, guards + g]
        if side * value < 0.0:
            return s
        if side * slope > 0.0:
            high, at_high, slope_high = s, value, slope
        else:
            low, at_low, slope_low = s, value, slope
    return -1.0


@njit("i8(f8, i8, i8, i8, f8[::1], i8[::1])", **OPTIONS)
def _insert(s, g, first, count, times, kinds):
    """Put a crossing among those of this part, in the order of the run; return their number."""
    place = count
    while place > first and times[place - 1] > s:
        times[place], kinds[place] = times[place - 1], kinds[place - 1]
        place -= 1
    times[place], kinds[place] = s, g
    return count + 1


@njit(f"UniTuple(i8, 2)(f8, {_STEP}, f8[::1], {MODEL}, {_GUARD}, {_FOUND})", **OPTIONS)
def find_crossings(
    end_time, t, h, coefficients, end_state, here, z, p, d, k, w,
    guard, directions, terminal, sides, times, kinds, states, count,
):  # fmt: skip
    """Append the crossings inside one step, in the order of the run, up to the first terminal one.

    A guard fires when it changes side from one end of a part to the other.  An exact zero counts as
    having crossed.  Where a guard comes close and turns back it is looked at between the ends as
    well (`find_turn`), with the kernel of values and rates whose address stands last in `terminal`;
    where that is 0 two crossings of one guard within one part are not seen.

    Returns
    -------
    count, ended_by
        How many crossings there are now, and which guard ended the run (-1: none).
    """
    rates = terminal[directions.size]
    for part in range(PARTS):
        low, high = part / PARTS, (part + 1) / PARTS
        is_end = part + 1 == PARTS
        time = end_time if is_end else t + high * h
        if is_end:
            copy(end_state, here)
        else:
            polynomial(coefficients, high, here)
        call(guard, time, here, z, p, d, k, w, sides[NEW])
        first = count
        for g in range(directions.size):
            before, side = sides[SIDE, g], np.sign(sides[NEW, g])
            value, new = sides[VALUE, g], sides[NEW, g]
            if side == 0.0:
                side = -before
            change = abs(new - value)
            if directions[g] == DEAF:
                pass
            elif before * side < 0.0:
                if directions[g] * side >= 0.0:
                    s = locate(
                        t, h, coefficients, here, low, high, before, value, new,
                        g, z, p, d, k, w, guard, sides,
                    )  # fmt: skip
                    count = _insert(s, g, first, count, times, kinds)
            elif (
                rates != 0
                and before != 0.0
                and min(abs(value), abs(new)) <= NEAR * (change + sides[CHANGE, g])
                and count + 2 <= times.size
            ):
                turn = find_turn(
                    t, h, coefficients, here, low, high, before, value, new,
                    g, z, p, d, k, w, rates, sides,
                )  # fmt: skip
                if turn > 0.0:
                    there = sides[TRIAL, g]
                    if directions[g] * before <= 0.0:
                        s = locate(
                            t, h, coefficients, here, low, turn, before, value, there,
                            g, z, p, d, k, w, guard, sides,
                        )  # fmt: skip
                        count = _insert(s, g, first, count, times, kinds)
                    if directions[g] * before >= 0.0:
                        s = locate(
                            t, h, coefficients, here, turn, high, -before, there, new,
                            g, z, p, d, k, w, guard, sides,
                        )  # fmt: skip
                        count = _insert(s, g, first, count, times, kinds)
            sides[SIDE, g], sides[CHANGE, g] = side, change
        copy(sides[NEW], sides[VALUE])
        for e in range(first, count):
            s = times[e]
            if s == 1.0:
                copy(end_state, states[e])
                times[e] = end_time
            else:
                polynomial(coefficients, s, states[e])
                times[e] = t + s * h
            if terminal[kinds[e]]:
                return e + 1, kinds[e]
    return count, -1
