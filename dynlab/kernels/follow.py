"""A chunk of continuation steps for an equilibrium curve f(x, l) = 0, in one compiled loop.

Pseudo-arclength continuation (Keller 1977; Govaerts, Numerical Methods for Bifurcations of Dynamical
Equilibria, 2000, ch. 2) in scaled unknowns y = (x / s_x, l / s_l).  One step

    predict   y0 + h tau
    correct   [ J  f_l ] dy = -[ f(y)                  ]      (Newton)
              [  tau'  ]       [ tau.(y - y0) - h      ]
    tangent   [ J  f_l ] tau = e_{n+1}, normalised
              [  tau'  ]

The step h follows the angle between successive tangents.  A corrected point far from its
prediction, or a tangent turned too far, is taken for a jump to another branch: h is halved.

Test functions at each point: the eigenvalues of J; tau_l (a fold where it changes sign); the sign of
the determinant of the bordered matrix (a branch point where it changes).

With `pin` >= 0 component `pin` of y is held instead of the arclength (natural continuation, and
landing exactly on a bound).
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from dynlab.kernels.convention import (
    CLOSED_LOOP,
    FOLD_IN_PARAMETER,
    LEFT_DOMAIN,
    MODEL_INPUTS,
    NOT_CONVERGED,
    OK,
    PARAMETER_BOUND,
    RUNNING,
    SINGULAR,
    STATE_BOUND,
    call0,
    pointer,
)
from dynlab.kernels.deferred import njit
from dynlab.kernels.linear import eigenvalues, factor, solve

__all__ = ["correct", "follow", "tangent_at"]

_V = types.float64[::1]
_M = types.float64[:, ::1]
_I = types.int64[::1]
_Z = types.complex128[:, ::1]

# Positions in the settings vector.
STEP_MIN, STEP_MAX, ANGLE, ANGLE_MAX, TOLERANCE, DRIFT, FLIP = range(7)

#: A bound is passed when it is left by more than this part of the range: a state that stays on it,
#: such as an absent population, has not left.
SLACK = 1e-9
MAX_NEWTON = 8


@njit(
    types.int64(types.int64, types.float64, MODEL_INPUTS, types.int64, _V, _V, _M, _M, _V),
    cache=True, nogil=True, error_model="numpy",
)  # fmt: skip
def _jacobian(jacobian, shift, inputs, active, y, scale, plain, a, balance):  # type: ignore[no-untyped-def]
    """Write J, and [J - shift, f_l] in scaled unknowns into the first n rows of a.

    Each of these rows is divided by its largest entry; `balance` gets the factors.
    """
    n = y.shape[0] - 1
    flat = np.empty(n * (n + 1))
    z, p, d, k, w = inputs
    # The state stands in an array that lives beyond the call: one that is only pointed to is freed
    # before it, and the kernel of a network allocates.
    x = balance
    for i in range(n):
        x[i] = y[i] * scale[i]
    p[active] = y[n] * scale[n]
    call0(jacobian, 0.0, pointer(x), pointer(z), pointer(p), pointer(d), pointer(k), pointer(w),
          pointer(flat))  # fmt: skip
    for i in range(n):
        largest = 0.0
        for j in range(n + 1):
            entry = flat[i * (n + 1) + j]
            if not math.isfinite(entry):
                return LEFT_DOMAIN
            if j < n:
                plain[i, j] = entry
            if i == j:
                entry -= shift
            a[i, j] = entry * scale[j]
            largest = max(largest, abs(a[i, j]))
        balance[i] = 1.0 / largest if largest > 0.0 else 1.0
        for j in range(n + 1):
            a[i, j] *= balance[i]
    return OK


@njit(
    types.int64(
        types.int64, types.int64, types.float64, MODEL_INPUTS, types.int64, _V, _V, _V, _M, _M
    ),
    cache=True, nogil=True, error_model="numpy",
)  # fmt: skip
def _linearise(rhs, jacobian, shift, inputs, active, y, scale, f, plain, a):  # type: ignore[no-untyped-def]
    """Write the balanced residual f(y) and its derivatives; see `_jacobian`."""
    n = y.shape[0] - 1
    x, balance = np.empty(n), np.empty(n)
    status = _jacobian(jacobian, shift, inputs, active, y, scale, plain, a, balance)
    if status != OK:
        return status
    for i in range(n):
        x[i] = y[i] * scale[i]
    z, p, d, k, w = inputs
    call0(rhs, 0.0, pointer(x), pointer(z), pointer(p), pointer(d), pointer(k), pointer(w),
          pointer(f))  # fmt: skip
    for i in range(n):
        f[i] = (f[i] - shift * x[i]) * balance[i]
        if not math.isfinite(f[i]):
            return LEFT_DOMAIN
    return OK


@njit(
    types.int64(
        types.int64, types.int64, types.float64, MODEL_INPUTS, types.int64, _V, _V, _V,
        types.float64, types.float64,
    ),
    cache=True, nogil=True, error_model="numpy",
)  # fmt: skip
def correct(rhs, jacobian, shift, inputs, active, y, scale, row, value, tolerance):  # type: ignore[no-untyped-def]
    """Newton on f(y) = 0, row . y = value; y is improved in place; returns a status."""
    n = y.shape[0] - 1
    f = np.empty(n)
    b = np.empty(n + 1)
    a, plain = np.empty((n + 1, n + 1)), np.empty((n, n))
    pivots = np.empty(n + 1, np.int64)
    last = math.inf
    for _ in range(MAX_NEWTON):
        status = _linearise(rhs, jacobian, shift, inputs, active, y, scale, f, plain, a)
        if status != OK:
            return status
        along = -value
        for j in range(n + 1):
            a[n, j] = row[j]
            along += row[j] * y[j]
        for i in range(n):
            b[i] = -f[i]
        b[n] = -along
        if factor(a, pivots) == 0.0:
            return SINGULAR
        solve(a, pivots, b)
        size = 0.0
        for j in range(n + 1):
            size = max(size, abs(b[j]))
            y[j] += b[j]
        if not math.isfinite(size):
            return SINGULAR
        if size < tolerance:
            return OK
        if size > 4.0 * last:
            return NOT_CONVERGED
        last = size
    return NOT_CONVERGED


@njit(
    types.float64(types.int64, types.float64, MODEL_INPUTS, types.int64, _V, _V, _V, _V, _M),
    cache=True, nogil=True, error_model="numpy",
)  # fmt: skip
def tangent_at(jacobian, shift, inputs, active, y, scale, border, tangent, plain):  # type: ignore[no-untyped-def]
    """Write the unit tangent with border . tangent > 0, and the plain Jacobian J.

    Returns the sign of the bordered determinant, 0 where it is singular (tangent = border then).
    """
    n = y.shape[0] - 1
    a = np.empty((n + 1, n + 1))
    balance = np.empty(n)
    pivots = np.empty(n + 1, np.int64)
    if _jacobian(jacobian, shift, inputs, active, y, scale, plain, a, balance) != OK:
        plain[:] = np.nan
        for j in range(n + 1):
            tangent[j] = border[j]
        return 0.0
    for j in range(n + 1):
        a[n, j] = border[j]
        tangent[j] = 0.0
    tangent[n] = 1.0
    sign = factor(a, pivots)
    if sign != 0.0:
        solve(a, pivots, tangent)
    length = 0.0
    for j in range(n + 1):
        length += tangent[j] * tangent[j]
    length = math.sqrt(length)
    if sign == 0.0 or not math.isfinite(length):
        for j in range(n + 1):
            tangent[j] = border[j]
        return 0.0
    for j in range(n + 1):
        tangent[j] /= length
    return sign


@njit(types.float64(_V, _V, _V), cache=True, nogil=True, error_model="numpy")
def _distance_to_segment(y, a, b):  # type: ignore[no-untyped-def]
    """Return the distance of y from the segment a - b."""
    along = 0.0
    length = 0.0
    for j in range(y.shape[0]):
        d = b[j] - a[j]
        along += d * (y[j] - a[j])
        length += d * d
    s = min(1.0, max(0.0, along / length)) if length > 0.0 else 0.0
    total = 0.0
    for j in range(y.shape[0]):
        d = y[j] - a[j] - s * (b[j] - a[j])
        total += d * d
    return math.sqrt(total)


@njit(
    types.int64(
        types.int64, types.int64, types.float64, MODEL_INPUTS, types.int64, types.int64, _V, _V,
        _V, _V, _V, _V, _V, _V, _V, _V, _M, _M, _Z, _V, _I,
    ),
    cache=True, nogil=True, error_model="numpy",
)  # fmt: skip
def follow(
    rhs, jacobian, shift, inputs, active, pin, y, tangent, step, settings, scale, lower, upper,
    start, start_tangent, turns, points, tangents, values, signs, counters,
):  # type: ignore[no-untyped-def]  # fmt: skip
    """Take steps until a row buffer is full, a bound is met, or something ends the branch.

    ``y``, ``tangent`` and ``step`` (its length, and the last sign of the bordered determinant) are
    the state of the walk, updated in place.  ``turns`` holds a whole turn of each state on a circle, else
    0: the walk also closes where it meets the start some turns further.
    ``counters``: rows written now; steps taken before this chunk.
    """
    n = y.shape[0] - 1
    capacity = points.shape[0]
    row = np.empty(n + 1)
    guess = np.empty(n + 1)
    turned = np.empty(n + 1)
    goal = np.empty(n + 1)
    plain = np.empty((n, n))
    counters[0] = 0
    while counters[0] < capacity:
        h = step[0]
        value = h
        for j in range(n + 1):
            guess[j] = y[j] + h * tangent[j]
            row[j] = tangent[j]
            value += tangent[j] * y[j]
        if pin >= 0:
            direction = 1.0 if tangent[pin] > 0.0 else -1.0
            for j in range(n + 1):
                row[j] = 0.0
            row[pin] = 1.0
            # Natural continuation: the step is one in the pinned unknown.
            stretch = h * direction / tangent[pin]
            for j in range(n + 1):
                guess[j] = y[j] + stretch * tangent[j]
            value = y[pin] + h * direction
        predicted = guess.copy()
        status = correct(
            rhs, jacobian, shift, inputs, active, guess, scale, row, value, settings[TOLERANCE]
        )
        grow = 1.0
        if status == OK:
            drift = 0.0
            for j in range(n + 1):
                drift += (guess[j] - predicted[j]) ** 2
            sign = tangent_at(jacobian, shift, inputs, active, guess, scale, tangent, turned, plain)
            cosine = 0.0
            for j in range(n + 1):
                cosine += turned[j] * tangent[j]
            angle = math.acos(min(1.0, cosine))
            if h > 1.0001 * settings[STEP_MIN] and (
                angle > settings[ANGLE_MAX] or math.sqrt(drift) > settings[DRIFT] * h
            ):
                status = RUNNING
            elif sign * step[1] < 0.0 and h > settings[FLIP]:
                # A branch point, or a jump across a gap: only a short step can tell.
                status = RUNNING
            elif pin >= 0 and turned[pin] * tangent[pin] <= 0.0:
                return FOLD_IN_PARAMETER
            grow = min(2.0, max(0.5, settings[ANGLE] / max(angle, 1e-12)))
        if status != OK:
            if h <= settings[STEP_MIN] * 1.0001:
                if pin >= 0:
                    return FOLD_IN_PARAMETER
                return LEFT_DOMAIN if status == LEFT_DOMAIN else NOT_CONVERGED
            step[0] = max(settings[STEP_MIN], 0.5 * h)
            continue

        # A bound passed: land on the first one crossed.
        hit = -1
        fraction = 2.0
        target = 0.0
        for j in range(n + 1):
            for side in range(2):
                bound = lower[j] if side == 0 else upper[j]
                slack = SLACK * (upper[j] - lower[j])
                if j == n or not math.isfinite(slack):
                    slack = 0.0
                outside = guess[j] < bound - slack if side == 0 else guess[j] > bound + slack
                if outside and guess[j] != y[j]:
                    s = (bound - y[j]) / (guess[j] - y[j])
                    if s < fraction:
                        fraction, hit, target = s, j, bound
        if hit >= 0:
            for j in range(n + 1):
                guess[j] = y[j] + max(fraction, 0.0) * (guess[j] - y[j])
                row[j] = 0.0
            row[hit] = 1.0
            status = correct(
                rhs, jacobian, shift, inputs, active, guess, scale, row, target, settings[TOLERANCE]
            )
            if status != OK:
                if h <= settings[STEP_MIN] * 1.0001:
                    return NOT_CONVERGED
                step[0] = max(settings[STEP_MIN], 0.5 * h)
                continue
            guess[hit] = target
            sign = tangent_at(jacobian, shift, inputs, active, guess, scale, tangent, turned, plain)

        closed = False
        if counters[1] + counters[0] > 4:
            for j in range(n + 1):
                goal[j] = start[j]
                if turns[j] > 0.0:
                    goal[j] += turns[j] * round((guess[j] - start[j]) / turns[j])
            near = _distance_to_segment(goal, y, guess)
            along = 0.0
            for j in range(n + 1):
                along += turned[j] * start_tangent[j]
            if near < 0.1 * h and along > 0.9:
                # Close only if the curve through here really meets the start.
                value = 0.0
                for j in range(n + 1):
                    predicted[j] = guess[j]
                    value += start_tangent[j] * goal[j]
                status = correct(
                    rhs, jacobian, shift, inputs, active, predicted, scale, start_tangent, value,
                    settings[TOLERANCE],
                )  # fmt: skip
                closed = status == OK
                for j in range(n + 1):
                    if not abs(predicted[j] - goal[j]) < 1e-6:
                        closed = False
            if closed:
                for j in range(n + 1):
                    guess[j] = goal[j]
                sign = tangent_at(
                    jacobian, shift, inputs, active, guess, scale, tangent, turned, plain
                )

        k = counters[0]
        found = eigenvalues(plain)
        for j in range(n + 1):
            points[k, j] = guess[j]
            tangents[k, j] = turned[j]
            y[j] = guess[j]
            tangent[j] = turned[j]
        for i in range(n):
            values[k, i] = found[i]
        signs[k] = sign
        step[1] = sign
        counters[0] += 1
        step[0] = min(settings[STEP_MAX], max(settings[STEP_MIN], h * grow))
        if closed:
            return CLOSED_LOOP
        if hit == n:
            return PARAMETER_BOUND
        if hit >= 0:
            return STATE_BOUND
    return RUNNING
