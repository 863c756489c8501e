"""Iterating maps: ``x(t + 1) = f(t, x(t))`` for t = 0, 1, 2, ...

A map's rule has the signature of a right-hand side and writes the next state.  Cost: one evaluation
per step.  A run lives in two arrays that the caller owns: ``work``, the state, the one before it, the
next one and the start; and ``progress``.
"""

from __future__ import annotations

from dynlab.kernels.convention import DIVERGED, LEFT_DOMAIN, OK, call0, pointer
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import MODEL, OPTIONS, copy
from dynlab.kernels.run import is_finite

# Rows of `work`.
X, BEFORE, NEXT, START = range(4)
WORK_ROWS = 4

# Places in `progress`: the time, and how many of the wanted states are written.
TIME, WRITTEN = range(2)

#: A state this many times as large as the start, and growing, is taken to diverge.
HUGE = 1e6


@njit("i8(f8[:, ::1])", **OPTIONS)
def diagnose(work):
    """Say why the next state is not finite.

    If the state was growing and has become huge, or grew tenfold and would be infinite next (as
    x -> exp(x) does from small numbers), the map has DIVERGED.  Otherwise its rule is not defined
    here: a logarithm, a root, a zero denominator.
    """
    start = now = before = 0.0
    infinite = False
    for i in range(work.shape[1]):
        start = max(start, abs(work[START, i]))
        now = max(now, abs(work[X, i]))
        before = max(before, abs(work[BEFORE, i]))
        infinite = infinite or abs(work[NEXT, i]) > 1e308
    huge = now > before and now > HUGE * (start if start > 0.0 else 1.0)
    leaps = infinite and now > 10.0 * before
    return DIVERGED if huge or leaps else LEFT_DOMAIN


@njit(f"i8(i8, i8, f8[:, ::1], {MODEL})", **OPTIONS)
def step(rule, t, work, z, p, d, k, w):
    """Replace the state by the next one; leave it and say why if that is not finite."""
    status = call0(rule, float(t), pointer(work[X]), pointer(z), pointer(p), pointer(d), pointer(k),
                   pointer(w), pointer(work[NEXT]))  # fmt: skip
    if not is_finite(work[NEXT]):
        return status if status != OK else diagnose(work)
    copy(work[X], work[BEFORE])
    copy(work[NEXT], work[X])
    return OK


@njit(f"i8(i8, i8[::1], f8[:, ::1], {MODEL}, f8[:, ::1])", **OPTIONS)
def iterate(rule, progress, work, z, p, d, k, w, out):
    """Take a step for each row of `out`, which gets the new states; return OK or why not."""
    for row in range(out.shape[0]):
        status = step(rule, progress[TIME], work, z, p, d, k, w)
        if status != OK:
            return status
        progress[TIME] += 1
        copy(work[X], out[row])
    return OK


@njit(f"i8(i8, i8[::1], f8[:, ::1], {MODEL}, i8, i8[::1], f8[:, ::1])", **OPTIONS)
def sample(rule, progress, work, z, p, d, k, w, steps, times, out):
    """Take so many steps and write the states at `times`, which rise; return OK or why not."""
    for taken in range(steps + 1):
        while progress[WRITTEN] < times.size and times[progress[WRITTEN]] == progress[TIME]:
            copy(work[X], out[progress[WRITTEN]])
            progress[WRITTEN] += 1
        if taken == steps:
            break
        status = step(rule, progress[TIME], work, z, p, d, k, w)
        if status != OK:
            return status
        progress[TIME] += 1
    return OK
