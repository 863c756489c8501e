"""Iterating maps: ``x(t + 1) = f(t, x(t))`` for t = 0, 1, 2, ...

A map's rule has the signature of a right-hand side and writes the next state.  Cost: one evaluation
per step.  A run lives in ``work``, which the caller owns: the state, the one before it, the next one
and the start.
"""

from __future__ import annotations

from numba import njit

from dynlab.kernels.convention import DIVERGED, LEFT_DOMAIN, OK
from dynlab.kernels.dense import MODEL, OPTIONS, call, copy
from dynlab.kernels.explicit import is_finite

# Rows of `work`.
X, BEFORE, NEXT, START = range(4)
WORK_ROWS = 4

#: A state this many times as large as the start, and growing, is taken to diverge.
HUGE = 1e6


@njit("i8(f8[:, ::1])", **OPTIONS)
def diagnose(work):
    """Say why the next state is not finite.

    If the state has become huge and was growing, or the next state is infinite after growth, the map
    has DIVERGED; otherwise its rule is not defined here (a logarithm, a root, a zero denominator).
    """
    start = now = before = 0.0
    infinite = False
    for i in range(work.shape[1]):
        start = max(start, abs(work[START, i]))
        now = max(now, abs(work[X, i]))
        before = max(before, abs(work[BEFORE, i]))
        infinite = infinite or abs(work[NEXT, i]) > 1e308
    grew = now > before
    huge = now > HUGE * (start if start > 0.0 else 1.0)
    return DIVERGED if grew and (huge or infinite) else LEFT_DOMAIN


@njit(f"i8(i8, i8, f8[:, ::1], {MODEL})", **OPTIONS)
def step(rule, t, work, z, p, d, k, w):
    """Replace the state by the next one; leave it and say why if that is not finite."""
    call(rule, float(t), work[X], z, p, d, k, w, work[NEXT])
    if not is_finite(work[NEXT]):
        return diagnose(work)
    copy(work[X], work[BEFORE])
    copy(work[NEXT], work[X])
    return OK


@njit(f"UniTuple(i8, 2)(i8, i8, f8[:, ::1], {MODEL}, f8[:, ::1])", **OPTIONS)
def iterate(rule, t, work, z, p, d, k, w, out):
    """Take a step for each row of `out`, from time t on; return the status and the steps taken."""
    for row in range(out.shape[0]):
        status = step(rule, t + row, work, z, p, d, k, w)
        if status != OK:
            return status, row
        copy(work[X], out[row])
    return OK, out.shape[0]


@njit(f"UniTuple(i8, 3)(i8, i8, f8[:, ::1], {MODEL}, i8, i8[::1], f8[:, ::1], i8)", **OPTIONS)
def sample(rule, t, work, z, p, d, k, w, steps, times, out, following):
    """Take so many steps and keep the states at `times`, which rise.

    Returns the status, the steps taken and which time follows.
    """
    for taken in range(steps + 1):
        while following < times.size and times[following] == t + taken:
            copy(work[X], out[following])
            following += 1
        if taken == steps:
            break
        status = step(rule, t + taken, work, z, p, d, k, w)
        if status != OK:
            return status, taken, following
    return OK, steps, following
