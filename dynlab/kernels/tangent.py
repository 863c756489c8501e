"""A state and small deviations from it, carried together along a flow or a map.

    x' = f(x)          the state, or the next state of a map
    V' = J(x) V        m deviations, the columns of V
    q' = tr J(x)       flows: the logarithm of the volume that n of them span

`rule` is this as one right-hand side with the usual signature, so every loop that takes steps takes them for
the state and its deviations at once, with exact derivatives and one step size.  It finds the system's own
kernels through `k`.  Two ways lead to J V: the entries of J on their pattern, evaluated once for all columns, or
one product J v per column, which for dense networks costs no more than f.

The equation for V is linear, so the length of the columns is free.  It decides what they count in the
error norm of the steps: columns of length ``atol / rtol`` have the error ``rtol`` relative to their length,
much shorter ones do not count.  The first is the default: measured on Lorenz at rtol = 1e-9 it costs a
few percent of the steps, and the sum of the exponents keeps to the mean divergence ten times better.

`advance` and `iterate` run and, whenever the columns have grown apart by `SPREAD`, make them orthonormal again.
How long that takes is known from the last time; of a flow with all its deviations it is also seen at each step, from
the volume: Hadamard's inequality says that ``|det V|`` is less than the product of the lengths by what the
columns have lost of their right angles.  (Roessler's spikes end a calm of any length: without the look
at each step one spike in a hundred took three digits of the sum.)  It is done by modified Gram-Schmidt, twice (Golub and Van Loan, Matrix Computations, section 5.2.8; twice is enough:
Giraud, Langou and Rozloznik 2005, Comput. Math. Appl. 50, 1069).  The logarithms of the
lengths add up to the exponents (Benettin, Galgani, Giorgilli and Strelcyn 1980, Meccanica 15, 9 and 21).

Cost of a step: 12 evaluations of `rule` for the explicit method, m n numbers each; of Gram-Schmidt: 4 m^2 n.
What makes it fail: a direction that one single step shrinks by more than 1e16 against another.
"""

from __future__ import annotations

import math

from numba import carray, cfunc, types

from dynlab.kernels import maps
from dynlab.kernels.convention import (
    _F,
    _K,
    EVENT,
    OK,
    RUNNING,
    call0,
    call1,
    kernel_signature,
    pointer,
)
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import MODEL, OPTIONS, call
from dynlab.kernels.linear import factor
from dynlab.kernels.loops import proceed
from dynlab.kernels.run import END, K0, LAST_STEP, T, X, commit

__all__ = [
    "BLOCK", "BOXED_FROM", "COUNT", "ENTRIES", "HEADER", "INTERVAL", "LAST", "LAST_TIME",
    "MERGE", "NEXT", "PERIOD",
    "PLACES",
    "PLAN_SIZE", "PRODUCT", "PROGRESS_SIZE", "RECORDS", "RECORD_HEAD", "ROWS", "RULE", "SPREAD", "STEPS", "UNIT", "WATCH", "WATCHED_FROM",
    "advance", "iterate", "orthonormalise", "rule",
]  # fmt: skip

# Places in `k`: sizes; the rule; the kernel of the entries of J or 0, that of J v or 0; how many entries it
# writes; how many different places they have; whether several belong to one place.  Then come the places by
# rows: where each row begins, the column of each; if entries are to be merged, the place of each entry; then the
# system's own `k`.  `w` begins with the unit, room for entries, places and two vectors.
STATES, VECTORS, RULE, ENTRIES, PRODUCT, COUNT, PLACES, MERGE = range(8)
HEADER = 8

# Places in `plan`: the length of a column; when the columns were made orthonormal last and how long until they
# are again; where the row of now began and how long rows are; from when on the box is drawn.
UNIT, LAST, INTERVAL, NEXT, BLOCK, BOXED_FROM = range(6)
PLAN_SIZE = 6

# Places in `progress`, the first two as in `maps`: time; rows written; the time of the last step wanted;
# whether to look for repeats, the step of the state that is watched for, and after how many it came again; stretches
# recorded.
STEPS, ROWS, LAST_TIME, WATCH, WATCHED_FROM, PERIOD, RECORDS = range(7)
PROGRESS_SIZE = 7

# A recorded stretch: its end in time and whether that ends a row, then the state and the columns there, one after
# another, and the triangular matrix of the stretch by rows.
RECORD_HEAD = 2
#: A stretch is recorded when its matrix has grown apart by this, at the end of a row at the latest.
RECORDED = math.log(1e6)

#: Columns may grow apart by about this factor: an error of a step is magnified as much in the smallest.  (With
#: 100 bursts of growth cost Duffing's oscillator two digits of the sum; 10 costs no time to be seen.)
SPREAD = math.log(10.0)
#: From so many columns on they are taken row by row.
MANY = 12
#: The interval grows by this at most, and bends back when beyond.
GROW_MOST = 2.0
#: A state of a map is watched for as many steps as have gone before, at least and at most so many.
WATCHED_LEAST, WATCHED_MOST = 16, 1024
TINY = 1e-300

_FAST = {**OPTIONS, "fastmath": {"contract", "reassoc", "nsz"}}


@njit(
    types.void(types.int64, types.int64, _K, _F, _F, _F), forceinline=True, **OPTIONS
)  # fmt: skip
def _multiply_few(n, m, k, values, x, out):
    """Write J V, three columns at a time in registers."""
    columns = HEADER + n + 1
    for row in range(n):
        begin, end, to = k[HEADER + row], k[HEADER + row + 1], n + row * m
        j = 0
        while j + 3 <= m:
            a = b = c = 0.0
            for e in range(begin, end):
                value, of = values[e], n + k[columns + e] * m + j
                a += value * x[of]
                b += value * x[of + 1]
                c += value * x[of + 2]
            out[to + j], out[to + j + 1], out[to + j + 2] = a, b, c
            j += 3
        while j < m:
            a = 0.0
            for e in range(begin, end):
                a += values[e] * x[n + k[columns + e] * m + j]
            out[to + j] = a
            j += 1


@njit(
    types.void(types.int64, types.int64, _K, _F, _F, _F), forceinline=True, **OPTIONS
)  # fmt: skip
def _multiply_many(n, m, k, values, x, out):
    """Write J V, one row of V after another, of which the processor takes four numbers at a time."""
    columns = HEADER + n + 1
    for row in range(n):
        to = n + row * m
        for j in range(m):
            out[to + j] = 0.0
        for e in range(k[HEADER + row], k[HEADER + row + 1]):
            value, of = values[e], n + k[columns + e] * m
            for j in range(m):
                out[to + j] += value * x[of + j]


@cfunc(kernel_signature(0), cache=True, error_model="numpy", fastmath={"contract"})
def rule(t, x, z, p, d, k, w, out):  # type: ignore[no-untyped-def]
    """Write f, J V and tr J; return what the rule returns."""
    n, m, count, places = k[STATES], k[VECTORS], k[COUNT], k[PLACES]
    columns, placed = HEADER + n + 1, HEADER + n + 1 + places
    own_k = placed + (count if k[MERGE] != 0 else 0)
    integers = carray(k, own_k + 1)
    space = carray(w, 2 + count + places + 2 * n)
    inner_k, inner_w = pointer(integers[own_k:]), pointer(space[1 + count + places + 2 * n :])
    status = call0(k[RULE], t, x, z, p, d, inner_k, inner_w, out)
    values = pointer(space[1:])
    trace = 0.0
    if k[ENTRIES] != 0:
        call0(k[ENTRIES], t, x, z, p, d, inner_k, inner_w, values)
        if k[MERGE] != 0:
            values = pointer(space[1 + count :])
            for e in range(places):
                values[e] = 0.0
            for e in range(count):
                values[k[placed + e]] += space[1 + e]
        for row in range(n):
            for e in range(k[HEADER + row], k[HEADER + row + 1]):
                if k[columns + e] == row:
                    trace += values[e]
    if k[PRODUCT] != 0:
        v, jv = 1 + count + places, 1 + count + places + n
        for j in range(m):
            for i in range(n):
                space[v + i] = x[n + i * m + j]
            call1(
                k[PRODUCT], t, x, z, p, d, inner_k, inner_w, pointer(space[v:]), pointer(space[jv:])
            )
            for i in range(n):
                out[n + i * m + j] = space[jv + i]
    elif m < MANY:
        _multiply_few(n, m, k, values, x, out)
    else:
        _multiply_many(n, m, k, values, x, out)
    out[n + n * m] = space[0] * trace
    return status
    return OK


@njit("f8(f8[::1], f8[::1])", **_FAST)
def _dot(a, b):
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@njit("void(f8, f8[::1], f8[::1])", **OPTIONS)
def _subtract(c, a, b):
    for i in range(a.size):
        b[i] -= c * a[i]


@njit("void(f8[:, ::1], i8)", **OPTIONS)
def _new_direction(basis, j):
    """Put a unit vector that is orthogonal to those before into row j, which has vanished."""
    n = basis.shape[1]
    best, place = -1.0, 0
    for i in range(n):
        left = 1.0
        for l in range(j):
            left -= basis[l, i] ** 2
        if left > best:
            best, place = left, i
    for i in range(n):
        basis[j, i] = 1.0 if i == place else 0.0
    for _ in range(2):
        for l in range(j):
            _subtract(_dot(basis[l], basis[j]), basis[l], basis[j])
    size = math.sqrt(_dot(basis[j], basis[j]))
    for i in range(n):
        basis[j, i] /= size


@njit("void(f8, f8[::1], f8[:, ::1], f8[:, ::1])", **OPTIONS)
def orthonormalise(unit, x, basis, r):
    """Make the columns of V in a carried state orthogonal, of length `unit`.

    They also stand in the rows of `basis`, as unit vectors; `r` is the triangular matrix R, upper, with
    V / unit = Q R.  A column that has vanished has 0 there and is replaced by any other direction.
    """
    m, n = basis.shape
    for j in range(m):
        for i in range(n):
            basis[j, i] = x[n + i * m + j] / unit
        for l in range(m):
            r[l, j] = 0.0
    for j in range(m):
        for _ in range(2):
            for l in range(j):
                c = _dot(basis[l], basis[j])
                _subtract(c, basis[l], basis[j])
                r[l, j] += c
        # In two parts, so that the square of a short column does not underflow.
        most = 0.0
        for i in range(n):
            most = max(most, abs(basis[j, i]))
        if most < TINY:
            _new_direction(basis, j)
            continue
        for i in range(n):
            basis[j, i] /= most
        size = math.sqrt(_dot(basis[j], basis[j]))
        for i in range(n):
            basis[j, i] /= size
        r[j, j] = most * size
    for j in range(m):
        for i in range(n):
            x[n + i * m + j] = unit * basis[j, i]


@njit("f8(f8[:, ::1], f8[::1])", **OPTIONS)
def _add_logarithms(r, sums):
    """Add the logarithms of the lengths; return how far they have grown apart, at least from 1."""
    low = high = 0.0
    for j in range(r.shape[0]):
        grown = math.log(r[j, j]) if r[j, j] > 0.0 else -math.inf
        sums[j] += grown
        if grown > -math.inf:
            low, high = min(low, grown), max(high, grown)
    return high - low


@njit("b1(f8, f8[:, ::1], f8, f8[:, ::1])", **OPTIONS)
def _have_parted(unit, work, volume, space):
    """Whether n columns have, in lengths and angles, come apart by SPREAD, with the logarithm of their volume known.

    Row 0 of `space` is written over.
    """
    n = space.shape[0]
    for j in range(n):
        space[0, j] = 0.0
    for i in range(n):
        for j in range(n):
            space[0, j] += work[X, n + i * n + j] ** 2
    low = high = space[0, 0]
    total, product = 0.0, 1.0
    for j in range(n):
        square = space[0, j]
        low, high = min(low, square), max(high, square)
        product *= square / unit**2
        if not 1e-100 < product < 1e100:
            total += math.log(product)
            product = 1.0
    total += math.log(product * high / low)
    return 0.5 * total - volume > SPREAD


@njit("f8(f8, f8)", **OPTIONS)
def _next_interval(taken, spread):
    """Return after what time the columns will have grown apart by SPREAD."""
    if spread * GROW_MOST <= SPREAD:
        return GROW_MOST * taken
    return taken * (SPREAD / spread)


@njit("void(f8[::1], i8, f8[:, ::1])", **OPTIONS)
def _draw_box(x, n, box):
    """Widen the box, its low corner in row 0 and its high one in row 1, to hold the state."""
    for i in range(n):
        if x[i] < box[0, i]:
            box[0, i] = x[i]
        if x[i] > box[1, i]:
            box[1, i] = x[i]


@njit("b1(f8, b1, f8[:, ::1], f8[:, ::1], f8[:, ::1], f8[:, ::1], f8[:, ::1], i8[::1])", **OPTIONS)
def _record(now, is_row, work, basis, r, matrix, record, progress):
    """Let R do to the matrix of the stretch what it did to the columns; write it when due; say if there is no more room.

    Nothing is recorded if `matrix` is empty.  Products of R stay upper triangular, and each entry keeps its digits.
    """
    m = matrix.shape[0]
    if m == 0:
        return False
    n = basis.shape[1]
    low, high = math.inf, 0.0
    for i in range(m):
        for j in range(i, m):
            total = 0.0
            for l in range(i, j + 1):
                total += r[i, l] * matrix[l, j]
            matrix[i, j] = total
        low, high = min(low, matrix[i, i]), max(high, matrix[i, i])
    if not is_row and math.log(high / low) < RECORDED:
        return False
    row, place = progress[RECORDS], RECORD_HEAD
    record[row, 0], record[row, 1] = now, 1.0 if is_row else 0.0
    for i in range(n):
        record[row, place + i] = work[X, i]
    place += n
    for j in range(m):
        for i in range(n):
            record[row, place + i] = basis[j, i]
        place += n
    for i in range(m):
        for j in range(m):
            record[row, place + j] = matrix[i, j]
            matrix[i, j] = 1.0 if i == j else 0.0
        place += m
    progress[RECORDS] = row + 1
    return progress[RECORDS] == record.shape[0]


_KEPT = "f8[::1], f8[:, ::1], f8[:, ::1], f8[::1], f8[:, ::1], f8[:, ::1], f8[:, ::1], f8[:, ::1]"
_RUN = f"i8, f8[::1], i8[::1], f8[:, ::1], {MODEL}"


@njit(f"i8({_RUN}, i8, i8[::1], {_KEPT})", **OPTIONS)
def advance(
    rhs, state, tally, work, z, p, d, k, w,
    steps, progress, plan, basis, r, sums, rows, box, matrix, record,
):  # fmt: skip
    """Take up to so many steps of a flow; write a row of the sums since the last row after each block.

    A row: its end in time, the logarithms, the integral of the divergence.  ``progress[ROWS]`` says how many are
    written.  With room in `matrix` stretches are recorded, of which ``progress[RECORDS]`` are written.
    """
    n, m = basis.shape[1], basis.shape[0]
    last = n + n * m
    for _ in range(steps):
        if state[T] == state[END]:
            return OK
        status = proceed(rhs, state, tally, work, z, p, d, k, w)
        if status != RUNNING:
            return status
        commit(work)
        now = state[T]
        if now >= plan[BOXED_FROM]:
            _draw_box(work[X], n, box)
        is_row = now >= plan[NEXT] or now == state[END]
        volume = work[X, last] / plan[UNIT]
        is_due = is_row or now - plan[LAST] >= plan[INTERVAL]
        if not is_due and (m < n or not _have_parted(plan[UNIT], work, volume, r)):
            continue
        orthonormalise(plan[UNIT], work[X], basis, r)
        spread = _add_logarithms(r, sums)
        sums[m] += volume
        work[X, last] = 0.0
        # A row may end early; that says nothing about the interval.
        taken = now - plan[LAST]
        if taken >= plan[INTERVAL] or spread > SPREAD:
            plan[INTERVAL] = _next_interval(taken, spread)
        plan[LAST] = now
        is_full = _record(now, is_row, work, basis, r, matrix, record, progress)
        state[LAST_STEP] = 0.0
        call(rhs, now, work[X], z, p, d, k, w, work[K0])
        if is_row:
            row = progress[ROWS]
            rows[row, 0] = now
            for j in range(m + 1):
                rows[row, 1 + j] = sums[j]
                sums[j] = 0.0
            progress[ROWS] = row + 1
            while plan[NEXT] <= now:
                plan[NEXT] += plan[BLOCK]
            is_full = is_full or progress[ROWS] == rows.shape[0]
        if is_full:
            break
    return OK if state[T] == state[END] else RUNNING


@njit("f8(i8[::1], f8[::1], f8[:, ::1], i8[::1])", **OPTIONS)
def _logarithm_of_determinant(k, w, matrix, pivots):
    """Return log |det J| from the values that `rule` has left."""
    n, columns = k[STATES], HEADER + k[STATES] + 1
    values = 1 + k[COUNT] if k[MERGE] != 0 else 1
    for i in range(n):
        for j in range(n):
            matrix[i, j] = 0.0
        for e in range(k[HEADER + i], k[HEADER + i + 1]):
            matrix[i, k[columns + e]] = w[values + e]
    if factor(matrix, pivots) == 0.0:
        return -math.inf
    total = 0.0
    for i in range(n):
        total += math.log(abs(matrix[i, i]))
    return total


@njit("b1(i8, i8[::1], f8[:, ::1])", **OPTIONS)
def _has_come_again(n, progress, work):
    """Whether the state is, to the last bit, the one watched for; it is renewed every so often."""
    watched, same = work[maps.WORK_ROWS], True
    for i in range(n):
        same = same and work[maps.X, i] == watched[i]
    since = progress[STEPS] - progress[WATCHED_FROM]
    if same and since > 0:
        progress[PERIOD] = since
        return True
    if since >= min(max(progress[WATCHED_FROM], WATCHED_LEAST), WATCHED_MOST):
        for i in range(n):
            watched[i] = work[maps.X, i]
        progress[WATCHED_FROM] = progress[STEPS]
    return False


@njit(f"i8(i8, f8[:, ::1], {MODEL}, i8, i8[::1], {_KEPT}, f8[:, ::1], i8[::1])", **OPTIONS)
def iterate(
    rule, work, z, p, d, k, w,
    steps, progress, plan, basis, r, sums, rows, box, matrix, record, square, pivots,
):  # fmt: skip
    """Take up to so many steps of a map, as `advance` does; the divergence is log |det J|.

    If ``progress[WATCH]`` is set, it returns EVENT when a state comes again to the last bit.  `work` has one row
    more than `maps` needs, for the state watched for.  Without room in `square` there is no determinant.
    """
    n, m = basis.shape[1], basis.shape[0]
    for _ in range(steps):
        if progress[STEPS] == progress[LAST_TIME]:
            return OK
        status = maps.step(rule, progress[STEPS], work, z, p, d, k, w)
        if status != OK:
            return status
        progress[STEPS] += 1
        now = float(progress[STEPS])
        if square.shape[0] == n:
            sums[m] += _logarithm_of_determinant(k, w, square, pivots)
        if now >= plan[BOXED_FROM]:
            _draw_box(work[maps.X], n, box)
        is_end = progress[STEPS] == progress[LAST_TIME]
        is_row, is_full = now >= plan[NEXT] or is_end, False
        if is_row or now - plan[LAST] >= plan[INTERVAL]:
            orthonormalise(plan[UNIT], work[maps.X], basis, r)
            spread, taken = _add_logarithms(r, sums), now - plan[LAST]
            if taken >= plan[INTERVAL] or spread > SPREAD:
                plan[INTERVAL] = max(1.0, math.floor(_next_interval(taken, spread)))
            plan[LAST] = now
            is_full = _record(now, is_row, work, basis, r, matrix, record, progress)
        if is_row:
            row = progress[ROWS]
            rows[row, 0] = now
            for j in range(m + 1):
                rows[row, 1 + j] = sums[j]
                sums[j] = 0.0
            progress[ROWS] = row + 1
            while plan[NEXT] <= now:
                plan[NEXT] += plan[BLOCK]
            is_full = is_full or progress[ROWS] == rows.shape[0]
        if progress[WATCH] != 0 and _has_come_again(n, progress, work):
            return EVENT
        if is_full:
            break
    return OK if progress[STEPS] == progress[LAST_TIME] else RUNNING
