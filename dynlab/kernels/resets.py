"""What happens at an event: which guards pass zero together, the resets in order, and a new start.

Guards are numbered: first crossings that a user asked for, then the events of the system from
`first` on.  `sides` and the guard kernels are those of `dense`.

Order at one instant (events closer than `SAME` of the time count as one instant):

1. Every event whose guard passes zero is due.
2. The due event that was declared first happens: the state is replaced by its reset.
3. All guards are evaluated on the new state.  A due event whose guard is back where it came from is
   no longer due; another event whose guard was carried across zero in its direction (or onto it)
   becomes due; the event itself is not due again through its own reset.
4. Back to 2 until none is due.
"""

from __future__ import annotations

import numpy as np

from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import (
    CHANGE,
    DEAF,
    EPS,
    MODEL,
    NEW,
    OPTIONS,
    SIDE,
    TRIAL,
    VALUE,
    call,
    copy,
    polynomial,
)

#: Events closer in time than this, relative to the time and the step, happen together.
SAME = 1e-12


@njit("b1(f8, f8, i8)", **OPTIONS)
def _passes(before, after, direction):
    """Whether a guard goes from one side to the other in its direction."""
    return direction != DEAF and before * after < 0.0 and direction * after >= 0.0


@njit("Tuple((f8, i8))(f8, f8, i8, i8)", **OPTIONS)
def carried(side, value, due, direction):
    """Return the side of a guard, and whether it is due, after the reset of another event.

    `side` is where it was before, `value` what it is now.  A guard that is due keeps the side from which
    it came.
    """
    after = np.sign(value)
    if direction == DEAF:
        return after, due
    if after == 0.0:
        after = -side
    if due == 1:
        return side, 0 if after == side else 1
    if _passes(side, after, direction):
        return side, 1
    return after, 0


@njit(
    f"i8(f8, f8, f8, f8[:, ::1], f8[::1], {MODEL}, i8, i8[::1], f8[:, ::1], i8, i8, i8, i8[::1],"
    "f8[::1])",
    **OPTIONS,
)
def meet(
    time, t, h, coefficients, here, z, p, d, k, w,
    guard, directions, sides, ends, first, fired, due, scratch,
):  # fmt: skip
    """Mark in `due` the guards that pass zero at this instant, `fired` among them.

    Returns the first terminal crossing of the user among them (from `ends` up to `first`), which
    ends the run before anything is reset, or -1.
    """
    s, wide = (time - t) / h, SAME * max(abs(time), abs(h)) / abs(h)
    polynomial(coefficients, max(0.0, s - wide), scratch)
    call(guard, t + max(0.0, s - wide) * h, scratch, z, p, d, k, w, sides[VALUE])
    polynomial(coefficients, s + wide, scratch)
    call(guard, t + (s + wide) * h, scratch, z, p, d, k, w, sides[NEW])
    call(guard, time, here, z, p, d, k, w, sides[TRIAL])
    for g in range(directions.size):
        before, after = np.sign(sides[VALUE, g]), np.sign(sides[NEW, g])
        due[g] = 1 if g == fired or _passes(before, after, directions[g]) else 0
        if due[g] == 1:
            sides[SIDE, g] = -after if after != 0.0 else before
        else:
            sides[SIDE, g] = np.sign(sides[TRIAL, g])
    for g in range(ends, first):
        if due[g] == 1:
            return g
    return -1


@njit(
    f"i8(f8, f8[::1], {MODEL}, i8, i8[::1], f8[:, ::1], i8, i8[::1], i8[::1], i8[::1], i8[::1],"
    "f8[:, ::1], f8[:, ::1])",
    **OPTIONS,
)
def settle(
    time, x, z, p, d, k, w, guard, directions, sides, first, resets, deafens, due, order,
    befores, afters,
):  # fmt: skip
    """Let the due events happen in order; return how many did, and which ones in `order`.

    More than `order` holds would never end at this instant; then the count is the size of `order`
    plus one.
    """
    count = 0
    while True:
        g = first
        while g < directions.size and due[g] == 0:
            g += 1
        if g == directions.size:
            return count
        if count == order.size:
            return count + 1
        due[g] = 0
        order[count] = g
        copy(x, befores[count])
        copy(x, afters[count])
        if resets[g - first] != 0:
            call(resets[g - first], time, x, z, p, d, k, w, afters[count])
            copy(afters[count], x)
        count += 1
        if deafens[g - first] == 1:
            directions[g] = DEAF
        if resets[g - first] == 0:
            sides[SIDE, g] = -sides[SIDE, g]
            continue
        call(guard, time, x, z, p, d, k, w, sides[NEW])
        for j in range(first, directions.size):
            if j == g:
                sides[SIDE, j] = np.sign(sides[NEW, j])
            else:
                sides[SIDE, j], due[j] = carried(
                    sides[SIDE, j], sides[NEW, j], due[j], directions[j]
                )


@njit(f"void(f8, f8, f8[::1], {MODEL}, i8, f8[:, ::1], i8, i8[::1], i8[::1], i8)", **OPTIONS)
def set_sides(t, h, x, z, p, d, k, w, rates, sides, first, resets, order, count):
    """Note on which side of each guard the flow begins anew after the events in `order`.

    - A guard with another value than zero: its sign.
    - One that an event's own reset left at zero, to the precision of times: the side to which the
      flow carries it, so that the same crossing is not met again and the next one is.
    - One of an event without a reset that is exactly zero: the other side than before.
    """
    guards = sides.shape[1] // 2
    for g in range(guards):
        sides[TRIAL, g] = sides[SIDE, g]
    call(rates, t, x, z, p, d, k, w, sides[NEW])
    for g in range(guards):
        value, rate = sides[NEW, g], h * sides[NEW, guards + g]
        sides[SIDE, g], sides[VALUE, g], sides[CHANGE, g] = np.sign(value), value, np.inf
        if value == 0.0:
            sides[SIDE, g] = np.sign(rate)
    for c in range(count):
        g = order[c]
        value, rate = sides[NEW, g], h * sides[NEW, guards + g]
        wide = SAME * max(1.0, abs(t / h))
        if resets[g - first] == 0:
            if value == 0.0:
                sides[SIDE, g] = sides[TRIAL, g]
        elif abs(value) <= max(wide, 16.0 * EPS) * abs(rate):
            sides[SIDE, g] = np.sign(rate)
            sides[VALUE, g] = np.sign(rate) * abs(value)
