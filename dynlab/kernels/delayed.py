"""Systems with delays, by the method of steps: what is asked of the past is read off the steps taken.

    x'(t) = f(t, x(t), x(t - tau_1), ..., x(t - tau_L)),      v'(t) = A_0 v(t) + sum_k A_k v(t - tau_k)

Every step is kept as a polynomial of degree 7 (see `explicit.expand`), and so is the history before the start.  `rule`
evaluates them a delay ago, writes the values into ``z`` and calls the system's own right-hand side; so the explicit
method of order 8 takes steps as for any flow.  It carries m deviations v as well, with the exact derivatives A_k.

- No step is longer than the shortest delay, so nothing is asked of a step that is not finished
  (Bellen and Zennaro, Numerical Methods for Delay Differential Equations, Oxford 2003, section 3.2).
- A jump in a derivative at t comes back at t + tau_k, one derivative higher (ibid., section 2.2).  The caller gives these
  times up to the order of the method; a run steps onto them, from leg to leg, and evaluates at the ends of a leg as
  its inside is: on which side of a jump the past is read is never left to rounding.

Between its ends a step is good to order h^8, as is the method itself over a fixed time; so the order stays 8.

Cost: a step without delays, and for each evaluation a polynomial per delay and state.  What makes it slow: a delay much
shorter than the steps would be, and stiffness.
"""

from __future__ import annotations

import math

from numba import carray, cfunc

from dynlab.kernels import explicit
from dynlab.kernels.convention import (
    EVENT,
    OK,
    RUNNING,
    call0,
    call1,
    kernel_signature,
    matrix_at,
    pointer,
)
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import (
    EPS,
    MODEL,
    OPTIONS,
    PARTS,
    begin_watching,
    call,
    copy,
    find_crossings,
    write_step,
)
from dynlab.kernels.run import (
    END,
    ENDED_BY,
    EVENTS,
    EXPLICIT_STEPS,
    FROM,
    K0,
    MARK,
    POLYNOMIAL,
    POWERS,
    STEP,
    TAKEN,
    WATCHING,
    T,
    X,
    Y,
    commit,
)

__all__ = ["COLUMNS", "COUNT", "DELAYS", "HEADER", "INNER", "LAGS", "LEFT", "LEG", "PIECES", "PRODUCT", "RIGHT", "SHORTEST",
           "STARTS", "STATES", "VECTORS", "record", "room_for", "rule"]  # fmt: skip

# Places in `k`: the system's right-hand side; its product J v, or 0; states, deviations and delayed terms; where starts
# and polynomials of the past stand, and how many there are; the number of the leg.  Then come, for each term, which state
# it is, and the step in which it was found last; then the system's own `k`.
INNER, PRODUCT, STATES, VECTORS, LAGS, STARTS, PIECES, SIZES, COUNT, LEG = range(10)
COLUMNS = HEADER = 10
# Places in `w`: both ends of the leg, the shortest delay; then the delays; room for what is read, of the state and of each
# deviation, and for one deviation with its past; then the system's own `w`.
LEFT, RIGHT, SHORTEST = range(3)
DELAYS = 3
#: Ends of legs are evaluated so many units of rounding inside.
INSIDE = 8.0
#: A remainder longer than the shortest delay by no more than this is one step.
SLACK = 1e-12

_RUN = f"i8, f8[::1], i8[::1], f8[:, ::1], {MODEL}"
_WATCHED = "i8, i8[::1], i8[::1], f8[:, ::1], f8[::1], i8[::1], f8[:, ::1]"


def room_for(lags: int, states: int, vectors: int) -> int:
    """Return how many numbers of ``w`` belong to `rule`."""
    return DELAYS + lags + lags * (1 + vectors) + states + lags


@cfunc(kernel_signature(0), cache=True, error_model="numpy", fastmath={"contract"})
def rule(t, x, z, p, d, k, w, out):  # type: ignore[no-untyped-def]
    """Read the past, write f and the deviations' rates; return what the system's rule returns."""
    n, m, lags, count = k[STATES], k[VECTORS], k[LAGS], k[COUNT]
    own_k, read = HEADER + 2 * lags, DELAYS + lags
    one = read + lags * (1 + m)
    own_w = one + n + lags
    integers, space, rates = carray(k, own_k + 1), carray(w, own_w + 1), carray(out, n * (1 + m))
    inside = INSIDE * EPS * (abs(t) + abs(w[RIGHT]))
    here = min(max(t, w[LEFT] + inside), w[RIGHT] - inside)
    starts, sizes = matrix_at(k[STARTS], 1, count), matrix_at(k[SIZES], 1, count)
    pieces = matrix_at(k[PIECES], count * POWERS, n * (1 + m))
    for j in range(lags):
        column, delay = k[HEADER + j], w[DELAYS + j]
        if delay == 0.0:
            for i in range(1 + m):
                space[read + i * lags + j] = x[i * n + column]
            continue
        then, row = here - delay, k[HEADER + lags + j]
        while row + 1 < count and starts[0, row + 1] <= then:
            row += 1
        while row > 0 and starts[0, row] > then:
            row -= 1
        integers[HEADER + lags + j] = row
        s = (then - starts[0, row]) / sizes[0, row]
        for i in range(1 + m):
            value = pieces[row * POWERS + POWERS - 1, i * n + column]
            for power in range(POWERS - 2, -1, -1):
                value = value * s + pieces[row * POWERS + power, i * n + column]
            space[read + i * lags + j] = value
    inner_k, inner_w, inner_z = (
        pointer(integers[own_k:]),
        pointer(space[own_w:]),
        pointer(space[read:]),
    )
    status = call0(k[INNER], here, x, inner_z, p, d, inner_k, inner_w, out)
    for i in range(1, 1 + m):
        for l in range(n):
            space[one + l] = x[i * n + l]
        for j in range(lags):
            space[one + n + j] = space[read + i * lags + j]
        call1(
            k[PRODUCT], here, x, inner_z, p, d, inner_k, inner_w, pointer(space[one:]), pointer(rates[i * n :]),
        )  # fmt: skip
    return status


@njit("void(f8[::1], f8[::1])", **OPTIONS)
def _shorten(state, w):
    """Keep the next step within the shortest delay, and what is left of the leg in equal parts."""
    left = state[END] - state[T]
    parts = math.ceil(left / w[SHORTEST] * (1.0 - SLACK))
    if parts >= 1.0 and state[STEP] > left / parts:
        state[STEP] = left / parts


@njit(f"i8({_RUN}, i8, f8[::1], f8[::1], f8[::1], f8[:, :, ::1], {_WATCHED})", **OPTIONS)
def record(
    rhs, state, tally, work, z, p, d, k, w, steps, ends, starts, sizes, pieces,
    guard, directions, terminal, sides, event_times, event_kinds, event_states,
):  # fmt: skip
    """Take up to so many steps, while there is room for them in the past, and write crossings of guards.

    Parameters
    ----------
    ends
        Where each leg ends; the last is the end of the run.
    starts, sizes, pieces
        The past, whose ``k[COUNT]`` first rows are written; new steps follow.

    A terminal crossing ends the run there with EVENT; ``tally[ENDED_BY]`` says which it was.
    """
    lags, n, m = k[LAGS], k[STATES], k[VECTORS]
    own_k = k[HEADER + 2 * lags :]
    own_w = w[DELAYS + lags + lags * (1 + m) + n + lags :]
    tally[EVENTS] = 0
    if tally[WATCHING] == 0 and directions.size > 0:
        begin_watching(state[T], work[X], z, p, d, own_k, own_w, guard, sides)
        tally[WATCHING] = 1
    for _ in range(steps):
        if state[T] == state[END]:
            if k[LEG] + 1 >= ends.size:
                return OK
            k[LEG] += 1
            state[END] = ends[k[LEG]]
            w[LEFT], w[RIGHT] = state[T], state[END]
            call(rhs, state[T], work[X], z, p, d, k, w, work[K0])
        if (
            k[COUNT] == starts.size
            or tally[EVENTS] + 2 * PARTS * directions.size > event_times.size
        ):
            return RUNNING
        _shorten(state, w)
        status = explicit.proceed(rhs, state, tally, work, z, p, d, k, w)
        if status != RUNNING:
            return status
        tally[EXPLICIT_STEPS] += 1
        explicit.expand(rhs, state, work, z, p, d, k, w)
        k[COUNT] = write_step(
            k[COUNT], state[FROM], state[TAKEN], work[POLYNOMIAL:], starts, sizes, pieces
        )
        if directions.size > 0:
            tally[EVENTS], tally[ENDED_BY] = find_crossings(
                state[T], state[FROM], state[TAKEN], work[POLYNOMIAL:MARK], work[Y], work[K0 + 1],
                z, p, d, own_k, own_w, guard, directions, terminal, sides,
                event_times, event_kinds, event_states, tally[EVENTS],
            )  # fmt: skip
            if tally[ENDED_BY] >= 0:
                state[T] = event_times[tally[EVENTS] - 1]
                copy(event_states[tally[EVENTS] - 1], work[X])
                return EVENT
        commit(work)
    return OK if state[T] == ends[ends.size - 1] else RUNNING
