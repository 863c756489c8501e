"""Phase oscillators that feel their own mean field now and as it was a delay ago.

    theta_i' = w_i + Im[(K Z(t) + G(t) Z(t - tau)) exp(-i theta_i)],   Z = mean of exp(i theta)

Method of steps: the classical Runge-Kutta scheme with a step that divides the delay, so that what the right-hand side
wants from the past was computed before.  At the nodes Z is kept; half way between them it is the cubic that
meets Z and Z' at both ends, of the order of the scheme.  Where the field switches on Z' jumps, so
both its limits are kept.  Only Z is remembered, never the phases: the past costs two
numbers a step, however many oscillators there are.
"""

from __future__ import annotations

import numpy as np

from dynlab.kernels.convention import OK, RUNNING
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import OPTIONS

#: Rows of the record, one column for each step: Z, and Z' from the left and from the right.
REAL, IMAGINARY, LEFT_REAL, LEFT_IMAGINARY, RIGHT_REAL, RIGHT_IMAGINARY = range(6)
RECORD_ROWS = 6
#: Rows of the workspace: cosine, sine, slope, sum of slopes, phases of a stage.
WORK_ROWS = 5


@njit("void(f8[::1], f8[:, ::1], f8[::1])", **OPTIONS)
def _field(theta, work, out):
    """Write cosines and sines of all phases, and their means."""
    x = y = 0.0
    n = theta.size
    for i in range(n):
        work[0, i] = np.cos(theta[i])
        work[1, i] = np.sin(theta[i])
        x += work[0, i]
        y += work[1, i]
    out[0], out[1] = x / n, y / n


@njit("void(f8[::1], f8, f8, f8[:, ::1])", **OPTIONS)
def _slopes(omega, force_x, force_y, work):
    for i in range(omega.size):
        work[2, i] = omega[i] + force_y * work[0, i] - force_x * work[1, i]


@njit("void(f8[:, ::1], f8[::1])", **OPTIONS)
def _field_slope(work, out):
    """Write Z' from cosines, sines and slopes."""
    x = y = 0.0
    n = work.shape[1]
    for i in range(n):
        x -= work[1, i] * work[2, i]
        y += work[0, i] * work[2, i]
    out[0], out[1] = x / n, y / n


@njit("void(f8[:, ::1], i8, f8, f8, f8[::1])", **OPTIONS)
def _past(record, node, share, step, out):
    """Write Z at a node (share 0) or half a step behind it (share 0.5); before the first it is 0."""
    if node < 0:
        out[0] = out[1] = 0.0
    elif share == 0.0:
        out[0], out[1] = record[REAL, node], record[IMAGINARY, node]
    else:
        rise_x = record[RIGHT_REAL, node] - record[LEFT_REAL, node + 1]
        rise_y = record[RIGHT_IMAGINARY, node] - record[LEFT_IMAGINARY, node + 1]
        out[0] = 0.5 * (record[REAL, node] + record[REAL, node + 1]) + 0.125 * step * rise_x
        out[1] = (
            0.5 * (record[IMAGINARY, node] + record[IMAGINARY, node + 1]) + 0.125 * step * rise_y
        )


@njit(
    "i8(f8[::1], f8[::1], f8, f8, i8, i8, f8, f8[:, ::1], f8[:, ::1], f8[::1], i8[::1], i8)",
    **OPTIONS,
)
def run(theta, omega, K, gain, lag, onset, step, record, work, field, place, count):
    """Take so many steps; phases, record and place move along.

    Parameters
    ----------
    theta, omega
        Phases and frequencies.
    K, gain
        Coupling to the field of now, and to that of a delay ago.
    lag, onset
        The delay, and when the feedback begins, in steps.  A lag of 0 is no delay.
    step
        The time step.
    record
        Room for as many columns as there are steps, and one more.
    work, field, place
        Workspace; four numbers; the number of the next step.
    count
        How many steps.
    """
    n, last = theta.size, record.shape[1] - 1
    past, now = field[:2], field[2:]
    for _ in range(count):
        node = place[0]
        _field(theta, work, now)
        record[REAL, node], record[IMAGINARY, node] = now[0], now[1]
        # Z' as the step that ends here saw it: its field of the past may not have begun.
        past[0] = past[1] = 0.0
        if lag == 0:
            past[0], past[1] = now[0], now[1]
        elif node - lag >= 1:
            _past(record, node - lag, 0.0, step, past)
        strength = gain if node > onset else 0.0
        _slopes(omega, K * now[0] + strength * past[0], K * now[1] + strength * past[1], work)
        _field_slope(work, past)
        record[LEFT_REAL, node], record[LEFT_IMAGINARY, node] = past[0], past[1]
        if node >= last:
            return OK
        strength = gain if node >= onset else 0.0
        for i in range(n):
            work[3, i] = 0.0
        for stage in range(4):
            if stage > 0:
                _field(work[4], work, now)
            if lag == 0:
                past[0], past[1] = now[0], now[1]
            elif stage == 0:
                _past(record, node - lag, 0.0, step, past)
            elif stage < 3:
                _past(record, node - lag, 0.5, step, past)
            elif node - lag + 1 >= 1:
                _past(record, node - lag + 1, 0.0, step, past)
            else:
                past[0] = past[1] = 0.0
            _slopes(omega, K * now[0] + strength * past[0], K * now[1] + strength * past[1], work)
            if stage == 0:
                _field_slope(work, past)
                record[RIGHT_REAL, node], record[RIGHT_IMAGINARY, node] = past[0], past[1]
            weight = step / 6.0 if stage in (0, 3) else step / 3.0
            ahead = 0.5 * step if stage < 2 else step
            for i in range(n):
                work[3, i] += weight * work[2, i]
                work[4, i] = theta[i] + ahead * work[2, i]
        for i in range(n):
            theta[i] += work[3, i]
        place[0] = node + 1
    return RUNNING
