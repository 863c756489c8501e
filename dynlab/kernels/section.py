"""The map from a section of a flow to the next meeting with it, and its exact derivatives.

A point of the section is lifted onto the flow's states, carried along until it meets the section again,
and written without the state that the section fixes.  Two surfaces describe this,

    l(x, p) = 0    where a run starts          h(x, p) = 0    where it ends

both solved for the same state: l = x_e - a(others, p), h = x_e - b(others, p).  For a Poincare map they
are the same surface; for a stroboscopic map the state is a clock, a = 0 and b is the period.

Derivatives come from the variational equations of first, second and third order, integrated beside
the state: with small numbers e_1, e_2, e_3 of square zero (one for each direction) the state is

    x = sum over S of x_S e_S        S a set of directions, e_S the product of its numbers

and x_S' is the part of f(x) at e_S, from the multilinear forms of f (chain rule: J x_S, B over the ways to
part S in two, C over the parting in three).  The time of the return depends on the directions as well:
tau = sum of tau_S e_S with h(x(T + tau)) = 0.  tau has no part without an e, so tau^4 = 0 and one step of
length tau of a Runge-Kutta method of order three is exact; Newton's method, with the rate of h along the
flow as derivative, gains one order per sweep.  (First order: Parker and Chua 1989, Practical Numerical
Algorithms for Chaotic Systems, Springer, appendix D.)

Cost: a run over one return, of n numbers for the map, n + (n + a)(n - 1 + a) for the Jacobian, 2^m (n + a) for
the derivative of order m.  Fails where the flow is tangent to the section (SINGULAR).

The flow has no network and no recorded signals: its kernels read neither d nor k nor w.
"""

from __future__ import annotations

import math

import numpy as np
from llvmlite import ir
from numba import carray, cfunc, types
from numba.extending import intrinsic

from dynlab.kernels.convention import (
    OK,
    RUNNING,
    SINGULAR,
    call0,
    call2,
    call3,
    integers_at,
    kernel_signature,
    matrix_at,
    pointer,
)
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import (
    AFFINE,
    EPS,
    MODEL,
    OPTIONS,
    SIDE,
    SIDE_ROWS,
    TRIAL,
    begin_watching,
    call,
    copy,
    find_crossings,
)
from dynlab.kernels.explicit import attempt, expand, proceed
from dynlab.kernels.run import (
    ATOL,
    END,
    FROM,
    K0,
    MARK,
    MOST_ATTEMPTS,
    POLYNOMIAL,
    RTOL,
    STATE_SIZE,
    STEP,
    TAKEN,
    TALLY_SIZE,
    WORK_ROWS,
    T,
    X,
    Y,
    begin,
    commit,
)

__all__ = [
    "HEADER", "derivative_1", "derivative_2", "derivative_3", "flow_of_jets_2", "flow_of_jets_3", "flow_of_tangents",
    "fixed_state", "jacobian", "observables", "return_time", "rule", "workspace",
]  # fmt: skip

#: The status of a run that did not meet the section again in time.
NO_RETURN = 18

# Places in `k`: sizes; the state that the section fixes; steps allowed; the guard that ends a run (0: it ends
# at a time), in which direction, that it does, and the kernel of its value and rate.
STATES, ACTIVE, FIXED, STEPS, GUARD, DIRECTION, TERMINAL, RATES = range(8)
# Then addresses of value, Jacobian, second and third derivative: of the flow, of l, of h; and those of the
# variational flows here.
FLOW, LIFT, STOP, TANGENTS, JETS = 8, 12, 16, 20, 21
HEADER = 23

# `w` begins with tolerances, the longest wait for a return, how long the last one took, how many tangents
# travel; then come a Jacobian and a vector for the variational flows, the same for the end of a run, the parts
# of its time, the run itself, the numbers that travel, and jets.
_RTOL, _ATOL, _LONGEST, _TOOK, _COUNT = range(5)
SETTINGS = 5

#: Corrections of the time of a crossing; one smaller than this part of the step may be rounding.
_TRIALS, _ROUNDING = 12, 1e-9
#: The flow is tangent to the section where it meets it at a smaller angle than this (radians).
_GRAZING = 1e-9
#: Room for the crossings within one step: the first ends the run, a turn finds two.
_ROOM = 4
#: Jets of third order have so many parts; so many are kept while the time of the return is found.
_PARTS, _STAGES = 8, 4


@intrinsic
def address_of(typingctx, array):  # type: ignore[no-untyped-def]
    """Return the address of an array's first element as a number; the caller keeps the array alive."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        return builder.ptrtoint(data, ir.IntType(64))

    return types.int64(array), codegen


@njit("i8(i8, i8)", **OPTIONS)
def _numbers(states, active):
    """Return how many numbers travel at most: a state with its tangents, or a jet of third order."""
    width = states + active
    return max(states + width * (width - 1), _PARTS * width)


@njit("i8(i8, i8)", **OPTIONS)
def _end(states, active):
    """Return where the Jacobian and the vector for the end of a run begin."""
    return SETTINGS + (states + 1) * (states + active)


@njit("i8(i8, i8)", **OPTIONS)
def _late(states, active):
    """Return where the parts of the time of a return begin."""
    return _end(states, active) + (states + 1) * (states + active)


@njit("i8(i8, i8)", **OPTIONS)
def _travellers(states, active):
    """Return where the numbers that travel begin."""
    run = STATE_SIZE + TALLY_SIZE + 2 * SIDE_ROWS + 2 * _ROOM
    return _late(states, active) + _PARTS + run + (WORK_ROWS + _ROOM) * _numbers(states, active)


@njit("i8(i8, i8)", **OPTIONS)
def _stages(states, active):
    """Return where the jets begin."""
    return _travellers(states, active) + _numbers(states, active)


@njit("i8(i8, i8)", **OPTIONS)
def workspace(states, active):
    """Return how many numbers of workspace the kernels here need."""
    return _stages(states, active) + _STAGES * _PARTS * (states + active)


@njit(f"void(i8, f8[::1], {MODEL}, f8[::1])", **OPTIONS)
def _evaluate(kernel, x, z, p, d, k, w, out):
    call0(kernel, 0.0, pointer(x), pointer(z), pointer(p), pointer(d), pointer(k), pointer(w),
          pointer(out))  # fmt: skip


@njit(f"i8(i8, f8[::1], i8[::1], f8[:, ::1], f8[:, ::1], {MODEL})", **OPTIONS)
def _refine(rhs, place, tally, work, sides, z, p, d, k, w):
    """Take the last step again, shortened to end on the section: as exact as the steps are.

    The dense output, which found the crossing, is less exact.
    """
    h, before, whole = place[STEP], math.inf, abs(place[TAKEN])
    for _ in range(_TRIALS):
        attempt(rhs, place[FROM], h, place[RTOL], place[ATOL], work, z, p, d, k, w)
        call(k[RATES], place[FROM] + h, work[Y], z, p, d, k, w, sides[TRIAL])
        change = -sides[TRIAL, 0] / sides[TRIAL, 1]
        if not abs(change) <= whole:
            return SINGULAR
        h += change
        # Newton's method squares the error until rounding of the guard is all that is left.
        stands = abs(change) > 0.5 * before and abs(change) <= _ROUNDING * whole
        if stands or abs(change) <= 4.0 * EPS * abs(h):
            place[T] = place[FROM] + h
            copy(work[Y], work[X])
            return OK
        before = abs(change)
    return SINGULAR


@njit(
    f"i8(i8, f8[::1], i8[::1], f8[:, ::1], f8[:, ::1], f8[::1], i8[::1], f8[:, ::1], {MODEL})",
    **OPTIONS,
)
def _travel(rhs, place, tally, work, sides, times, kinds, states, z, p, d, k, w):
    """Carry ``work[X]`` along until the guard fires, or to the end where there is none; return OK or why not."""
    status = begin(rhs, place, tally, work, z, p, d, k, w)
    guard = k[GUARD]
    if guard != 0:
        sides[AFFINE, 0] = sides[AFFINE, 1] = 0.0
        begin_watching(0.0, work[X], z, p, d, k, w, guard, sides)
        sides[SIDE, 0] = 0.0  # it starts on the section, whatever rounding says
    while status == RUNNING:
        if place[T] == place[END]:
            return OK if guard == 0 else NO_RETURN
        status = proceed(rhs, place, tally, work, z, p, d, k, w)
        if status != RUNNING:
            return status
        if guard != 0:
            expand(rhs, place, work, z, p, d, k, w)
            count, fired = find_crossings(
                place[T], place[FROM], place[TAKEN], work[POLYNOMIAL:MARK], work[Y], work[K0 + 1],
                z, p, d, k, w, guard, k[DIRECTION:DIRECTION + 1], k[TERMINAL:TERMINAL + 2], sides,
                times, kinds, states, 0,
            )  # fmt: skip
            if fired >= 0:
                place[STEP] = times[count - 1] - place[FROM]
                return _refine(rhs, place, tally, work, sides, z, p, d, k, w)
        commit(work)
    return status


@njit(f"i8(i8, i8, f8[::1], {MODEL})", **OPTIONS)
def _run(rhs, size, start, z, p, d, k, w):
    """Run from some numbers to the section, replace them by those there; return OK or why not."""
    at = _late(k[STATES], k[ACTIVE]) + _PARTS
    place = w[at : at + STATE_SIZE]
    at += STATE_SIZE
    tally = integers_at(address_of(w[at:]), TALLY_SIZE)
    at += TALLY_SIZE
    sides = matrix_at(address_of(w[at:]), SIDE_ROWS, 2)
    at += 2 * SIDE_ROWS
    times, kinds = w[at : at + _ROOM], integers_at(address_of(w[at + _ROOM :]), _ROOM)
    at += 2 * _ROOM
    work = matrix_at(address_of(w[at:]), WORK_ROWS, size)
    at += WORK_ROWS * size
    states = matrix_at(address_of(w[at:]), _ROOM, size)
    for i in range(STATE_SIZE):
        place[i] = 0.0
    for i in range(TALLY_SIZE):
        tally[i] = 0
    place[RTOL], place[ATOL], tally[MOST_ATTEMPTS] = w[_RTOL], w[_ATOL], k[STEPS]
    place[END] = w[_LONGEST]
    if k[GUARD] == 0:
        _evaluate(k[STOP], start, z, p, d, k, w, work[Y])
        place[END] = -work[Y, 0]
    copy(start, work[X])
    status = _travel(rhs, place, tally, work, sides, times, kinds, states, z, p, d, k, w)
    w[_TOOK] = place[T]
    copy(work[X], start)
    return status


@njit(f"void(f8[::1], {MODEL}, f8[::1])", **OPTIONS)
def _lift(x, z, p, d, k, w, full):
    """Write the flow's state at a point of the section."""
    fixed = k[FIXED]
    for i in range(k[STATES] - 1):
        full[i if i < fixed else i + 1] = x[i]
    full[fixed] = 0.0
    spare = w[SETTINGS:]
    _evaluate(k[LIFT], full, z, p, d, k, w, spare)
    full[fixed] = -spare[0]


@njit(f"f8(f8[::1], {MODEL}, f8[::1], f8[::1])", **OPTIONS)
def _approach(full, z, p, d, k, w, form, flow):
    """Write the derivatives of h and the flow; return how fast the flow meets h, 0 where it is tangent."""
    _evaluate(k[STOP + 1], full, z, p, d, k, w, form)
    _evaluate(k[FLOW], full, z, p, d, k, w, flow)
    rate = speed = steep = 0.0
    for i in range(k[STATES]):
        rate += form[i] * flow[i]
        speed += flow[i] ** 2
        steep += form[i] ** 2
    return rate if abs(rate) > _GRAZING * math.sqrt(speed * steep) else 0.0


@njit(f"i8(f8[::1], {MODEL}, f8[::1])", **OPTIONS)
def _rule(x, z, p, d, k, w, out):
    """Write the next point of the section."""
    n = k[STATES]
    first = _travellers(n, k[ACTIVE])
    full = w[first : first + n]
    _lift(x, z, p, d, k, w, full)
    status = _run(k[FLOW], n, full, z, p, d, k, w)
    for i in range(n - 1):
        out[i] = full[i if i < k[FIXED] else i + 1] if status == OK else math.nan
    return status


@njit(f"i8(f8[::1], f8[::1], i8, {MODEL}, f8[::1])", **OPTIONS)
def _tangents(x, directions, count, z, p, d, k, w, out):
    """Write the first derivatives along so many directions; these are columns over states and parameters."""
    n, width, fixed = k[STATES], k[STATES] + k[ACTIVE], k[FIXED]
    first, at = _end(n, k[ACTIVE]), _travellers(n, k[ACTIVE])
    form, flow = w[first : first + n * width], w[first + n * width : first + n * width + width]
    size = n + width * count
    numbers = w[at : at + size]
    w[_COUNT] = count
    _lift(x, z, p, d, k, w, numbers[:n])
    _evaluate(k[LIFT + 1], numbers[:n], z, p, d, k, w, form)
    for j in range(count):
        total = 0.0
        for i in range(width):
            if i == fixed:
                continue
            value = directions[(i if i < fixed else i - 1) * count + j]
            numbers[n + i * count + j] = value
            total += form[i] * value
        numbers[n + fixed * count + j] = -total
    status = _run(k[TANGENTS], size, numbers, z, p, d, k, w)
    rate = _approach(numbers[:n], z, p, d, k, w, form, flow) if status == OK else 0.0
    if status == OK and rate == 0.0:
        status = SINGULAR
    for j in range(count):
        late = 0.0
        for i in range(width):
            late -= form[i] * numbers[n + i * count + j]
        late = late / rate if status == OK else math.nan
        for i in range(n):
            if i != fixed:
                out[(i if i < fixed else i - 1) * count + j] = (
                    numbers[n + i * count + j] + flow[i] * late
                )
    return status


@njit(f"void(i8, i8, f8[:, ::1], {MODEL}, f8[:, ::1])", **OPTIONS)
def _jets(family, order, y, z, p, d, k, w, out):
    """Write the parts of a function of a state with parts: of the flow, of l or of h."""
    n, width = k[STATES], k[STATES] + k[ACTIVE]
    matrix = w[SETTINGS : SETTINGS + n * width]
    spare = w[SETTINGS + n * width : SETTINGS + n * width + width]
    _evaluate(k[family], y[0], z, p, d, k, w, out[0])
    _evaluate(k[family + 1], y[0], z, p, d, k, w, matrix)
    for part in range(1 << order):
        for i in range(n, width):
            out[part, i] = 0.0
        if part == 0:
            continue
        for i in range(n):
            total = 0.0
            for l in range(width):
                total += matrix[i * width + l] * y[part, l]
            out[part, i] = total
        lowest = part & -part
        for one in range(1, part):
            # Each way to part the set in two once: the lowest direction belongs to the first.
            if one & part == one and one & lowest:
                call2(k[family + 2], 0.0, pointer(y[0]), pointer(z), pointer(p), pointer(d), pointer(k),
                      pointer(w), pointer(y[one]), pointer(y[part ^ one]), pointer(spare))  # fmt: skip
                for i in range(n):
                    out[part, i] += spare[i]
        if part == 7:
            call3(k[family + 3], 0.0, pointer(y[0]), pointer(z), pointer(p), pointer(d), pointer(k),
                  pointer(w), pointer(y[1]), pointer(y[2]), pointer(y[4]), pointer(spare))  # fmt: skip
            for i in range(n):
                out[part, i] += spare[i]


@njit("void(i8, f8, f8[::1], f8[:, ::1], f8[:, ::1])", **OPTIONS)
def _add_product(order, factor, late, slope, out):
    """Add factor times late times slope, where late has no part without a direction."""
    for part in range(1, 1 << order):
        for one in range(1, part + 1):
            if one & part == one:
                for i in range(out.shape[1]):
                    out[part, i] += factor * late[one] * slope[part ^ one, i]


@njit("void(f8[:, ::1], f8[:, ::1])", **OPTIONS)
def _copy_parts(source, target):
    for part in range(source.shape[0]):
        copy(source[part], target[part])


@njit(
    f"void(i8, f8[:, ::1], f8[::1], f8[:, ::1], f8[:, ::1], f8[:, ::1], f8[:, ::1], {MODEL})",
    **OPTIONS,
)
def _later(order, y, late, first, second, third, stage, z, p, d, k, w):
    """Write to `stage` the state a time `late` after y: one step of Kutta's method of order three."""
    _jets(FLOW, order, y, z, p, d, k, w, first)
    _copy_parts(y, stage)
    _add_product(order, 0.5, late, first, stage)
    _jets(FLOW, order, stage, z, p, d, k, w, second)
    _copy_parts(y, stage)
    _add_product(order, -1.0, late, first, stage)
    _add_product(order, 2.0, late, second, stage)
    _jets(FLOW, order, stage, z, p, d, k, w, third)
    _copy_parts(y, stage)
    _add_product(order, 1.0 / 6.0, late, first, stage)
    _add_product(order, 4.0 / 6.0, late, second, stage)
    _add_product(order, 1.0 / 6.0, late, third, stage)


@njit(f"i8(i8, f8[::1], f8[:, ::1], {MODEL}, f8[::1])", **OPTIONS)
def _form(order, x, directions, z, p, d, k, w, out):
    """Write the derivative of an order along as many directions, over states and parameters."""
    n, width, fixed = k[STATES], k[STATES] + k[ACTIVE], k[FIXED]
    parts = 1 << order
    size = parts * width
    at, end, last = _travellers(n, k[ACTIVE]), _end(n, k[ACTIVE]), _stages(n, k[ACTIVE])
    form, flow = w[end : end + n * width], w[end + n * width : end + n * width + width]
    numbers = w[at : at + size]
    y = matrix_at(address_of(numbers), parts, width)
    surface = matrix_at(address_of(w[last:]), parts, width)
    for part in range(parts):
        for i in range(width):
            y[part, i] = 0.0
    _lift(x, z, p, d, k, w, y[0][:n])
    for j in range(order):
        for i in range(width):
            if i != fixed:
                y[1 << j, i] = directions[j, i if i < fixed else i - 1]
    _jets(LIFT, order, y, z, p, d, k, w, surface)
    for part in range(1, parts):
        y[part, fixed] = -surface[part, 0]
    status = _run(k[JETS + order - 2], size, numbers, z, p, d, k, w)
    if status == OK:
        rate = _approach(y[0][:n], z, p, d, k, w, form, flow)
        status = OK if rate != 0.0 else SINGULAR
    if status != OK:
        for i in range(n - 1):
            out[i] = math.nan
        return status
    first = matrix_at(address_of(w[last:]), parts, width)
    second = matrix_at(address_of(w[last + _PARTS * width :]), parts, width)
    third = matrix_at(address_of(w[last + 2 * _PARTS * width :]), parts, width)
    stage = matrix_at(address_of(w[last + 3 * _PARTS * width :]), parts, width)
    late = w[_late(n, k[ACTIVE]) : _late(n, k[ACTIVE]) + _PARTS]
    for part in range(_PARTS):
        late[part] = 0.0
    for _ in range(order):
        _later(order, y, late, first, second, third, stage, z, p, d, k, w)
        _jets(STOP, order, stage, z, p, d, k, w, first)
        for part in range(1, parts):
            late[part] -= first[part, 0] / rate
    _later(order, y, late, first, second, third, stage, z, p, d, k, w)
    for i in range(n):
        if i != fixed:
            out[i if i < fixed else i - 1] = stage[parts - 1, i]
    return OK


# Called by name alone, so that their addresses can stand in `k`.
@cfunc(kernel_signature(0), cache=True, error_model="numpy")
def flow_of_tangents(t, x, z, p, d, k, w, out):  # type: ignore[no-untyped-def]
    """Write f and J W, where the rows of W that belong to parameters do not change."""
    n = k[STATES]
    width = n + k[ACTIVE]
    count = int(w[_COUNT])
    space = carray(w, SETTINGS + n * width)
    matrix = space[SETTINGS:]
    call0(k[FLOW], t, x, z, p, d, k, w, out)
    call0(k[FLOW + 1], t, x, z, p, d, k, w, pointer(matrix))
    for i in range(width):
        for j in range(count):
            out[n + i * count + j] = 0.0
        if i < n:
            for l in range(width):
                rate = matrix[i * width + l]
                if rate != 0.0:
                    for j in range(count):
                        out[n + i * count + j] += rate * x[n + l * count + j]
    return OK


@cfunc(kernel_signature(0), cache=True, error_model="numpy")
def flow_of_jets_2(t, x, z, p, d, k, w, out):  # type: ignore[no-untyped-def]
    """Write f of a state with parts along two directions."""
    width = k[STATES] + k[ACTIVE]
    _jets(FLOW, 2, carray(x, (4, width)), carray(z, 1), carray(p, 1), carray(d, 1),
          carray(k, HEADER), carray(w, workspace(k[STATES], k[ACTIVE])), carray(out, (4, width)))  # fmt: skip
    return OK


@cfunc(kernel_signature(0), cache=True, error_model="numpy")
def flow_of_jets_3(t, x, z, p, d, k, w, out):  # type: ignore[no-untyped-def]
    """Write f of a state with parts along three directions."""
    width = k[STATES] + k[ACTIVE]
    _jets(FLOW, 3, carray(x, (8, width)), carray(z, 1), carray(p, 1), carray(d, 1),
          carray(k, HEADER), carray(w, workspace(k[STATES], k[ACTIVE])), carray(out, (8, width)))  # fmt: skip
    return OK


@cfunc(kernel_signature(0), cache=True, error_model="numpy")
def rule(t, x, z, p, d, k, w, out):  # type: ignore[no-untyped-def]
    """Write the next point of the section; nan and a status where there is none."""
    n = k[STATES]
    return _rule(carray(x, n - 1), carray(z, 1), carray(p, 1), carray(d, 1), carray(k, HEADER),
                 carray(w, workspace(n, k[ACTIVE])), carray(out, n - 1))  # fmt: skip


@cfunc(kernel_signature(0), cache=True, error_model="numpy")
def return_time(t, x, z, p, d, k, w, out):  # type: ignore[no-untyped-def]
    """Write how long the flow takes to the next point of the section."""
    n = k[STATES]
    space = carray(w, workspace(n, k[ACTIVE]))
    end = _end(n, k[ACTIVE])
    status = _rule(carray(x, n - 1), carray(z, 1), carray(p, 1), carray(d, 1), carray(k, HEADER),
                   space, space[end:end + n - 1])  # fmt: skip
    out[0] = space[_TOOK] if status == OK else math.nan
    return status


@cfunc(kernel_signature(0), cache=True, error_model="numpy")
def fixed_state(t, x, z, p, d, k, w, out):  # type: ignore[no-untyped-def]
    """Write the state that the section fixes."""
    n = k[STATES]
    space = carray(w, workspace(n, k[ACTIVE]))
    first = _travellers(n, k[ACTIVE])
    full = space[first : first + n]
    _lift(
        carray(x, n - 1), carray(z, 1), carray(p, 1), carray(d, 1), carray(k, HEADER), space, full
    )
    out[0] = full[k[FIXED]]
    return OK


@cfunc(kernel_signature(0), cache=True, error_model="numpy")
def observables(t, x, z, p, d, k, w, out):  # type: ignore[no-untyped-def]
    """Write how long the flow takes to the next point, and the state that the section fixes."""
    n = k[STATES]
    space = carray(w, workspace(n, k[ACTIVE]))
    points, times = carray(x, n - 1), carray(out, 2)
    given, values, arrays, sizes = carray(z, 1), carray(p, 1), carray(d, 1), carray(k, HEADER)
    first, end = _travellers(n, k[ACTIVE]), _end(n, k[ACTIVE])
    _lift(points, given, values, arrays, sizes, space, space[first : first + n])
    times[1] = space[first + k[FIXED]]
    status = _rule(points, given, values, arrays, sizes, space, space[end : end + n - 1])
    times[0] = space[_TOOK] if status == OK else math.nan
    return status


@cfunc(kernel_signature(0), cache=True, error_model="numpy")
def jacobian(t, x, z, p, d, k, w, out):  # type: ignore[no-untyped-def]
    """Write [dP/dx | dP/dl], row by row."""
    n = k[STATES]
    count = n - 1 + k[ACTIVE]
    unit = np.eye(count)
    return _tangents(carray(x, n - 1), unit.reshape(count * count), count, carray(z, 1), carray(p, 1),
                     carray(d, 1), carray(k, HEADER), carray(w, workspace(n, k[ACTIVE])),
                     carray(out, (n - 1) * count))  # fmt: skip


@cfunc(kernel_signature(1), cache=True, error_model="numpy")
def derivative_1(t, x, z, p, d, k, w, u, out):  # type: ignore[no-untyped-def]
    """Write DP [u]."""
    n = k[STATES]
    return _tangents(carray(x, n - 1), carray(u, n - 1 + k[ACTIVE]), 1, carray(z, 1), carray(p, 1),
                     carray(d, 1), carray(k, HEADER), carray(w, workspace(n, k[ACTIVE])),
                     carray(out, n - 1))  # fmt: skip


@cfunc(kernel_signature(2), cache=True, error_model="numpy")
def derivative_2(t, x, z, p, d, k, w, u, v, out):  # type: ignore[no-untyped-def]
    """Write D^2 P [u, v]."""
    n = k[STATES]
    width = n - 1 + k[ACTIVE]
    given = np.empty((2, width))
    for i in range(width):
        given[0, i], given[1, i] = u[i], v[i]
    return _form(2, carray(x, n - 1), given, carray(z, 1), carray(p, 1), carray(d, 1),
                 carray(k, HEADER), carray(w, workspace(n, k[ACTIVE])), carray(out, n - 1))  # fmt: skip


@cfunc(kernel_signature(3), cache=True, error_model="numpy")
def derivative_3(t, x, z, p, d, k, w, u, v, s, out):  # type: ignore[no-untyped-def]
    """Write D^3 P [u, v, s]."""
    n = k[STATES]
    width = n - 1 + k[ACTIVE]
    given = np.empty((3, width))
    for i in range(width):
        given[0, i], given[1, i], given[2, i] = u[i], v[i], s[i]
    return _form(3, carray(x, n - 1), given, carray(z, 1), carray(p, 1), carray(d, 1),
                 carray(k, HEADER), carray(w, workspace(n, k[ACTIVE])), carray(out, n - 1))  # fmt: skip
