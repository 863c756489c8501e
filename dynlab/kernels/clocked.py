"""Networks of spiking units on a clock: equal steps, with the events of every node between them.

One step of the classical method of Runge and Kutta of order 4, then the guards of all nodes.  A guard
that has passed zero in its direction fires: its time is read off the straight line between the two ends of
the step, its reset and its deliveries take effect at the end of the step, in the order of the events
and of the nodes.  So spike times are found to the second order of the step on a smooth stretch,
and the state lags by at most a step after each spike: the method as a whole is of first order (Brette et al.
2007, J. Comput. Neurosci. 23, 349, section 2).

Cost of a step: four right-hand sides and one evaluation of the guards; a spike costs its links.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from dynlab.kernels.convention import DIVERGED, OK, RUNNING
from dynlab.kernels.dense import MODEL, OPTIONS, call, copy

# Rows of `work`: state, four slopes, a place between.
X, K1, K2, K3, K4, BETWEEN = range(6)
WORK_ROWS = 6

# Places in `progress`: steps taken, steps wanted, next time to keep, spikes written.
TAKEN, WANTED, KEPT, SPIKES = range(4)

_EVENTS = "i8[::1], i8[::1], i8[::1], f8[:, ::1], f8[:, ::1]"


@njit(f"void(i8, f8, f8, f8[:, ::1], {MODEL})", **OPTIONS)
def _step(rhs, t, h, work, z, p, d, k, w):
    """Advance the state by one step of order 4."""
    x, k1, k2, k3, k4, y = work[0], work[1], work[2], work[3], work[4], work[5]
    call(rhs, t, x, z, p, d, k, w, k1)
    for i in range(x.size):
        y[i] = x[i] + 0.5 * h * k1[i]
    call(rhs, t + 0.5 * h, y, z, p, d, k, w, k2)
    for i in range(x.size):
        y[i] = x[i] + 0.5 * h * k2[i]
    call(rhs, t + 0.5 * h, y, z, p, d, k, w, k3)
    for i in range(x.size):
        y[i] = x[i] + h * k3[i]
    call(rhs, t + h, y, z, p, d, k, w, k4)
    for i in range(x.size):
        x[i] += h / 6.0 * (k1[i] + 2.0 * (k2[i] + k3[i]) + k4[i])


@njit(
    f"i8(i8, f8, i8[::1], f8[:, ::1], {MODEL}, i8, {_EVENTS}, f8[::1], f8[:, ::1], f8[::1],"
    "i8[:, ::1], i8)",
    **OPTIONS,
)
def advance(
    rhs, h, progress, work, z, p, d, k, w,
    guards, counts, directions, applies, deaf, before, times, out, spike_times, spikes, steps,
):  # fmt: skip
    """Take up to so many steps; stop early when the room for spikes runs out.

    `before` holds the guards at the begin of the step and room for those at its end; ``deaf[e, node]`` the
    time up to which a guard does not fire, and its refractory time in the last column.
    """
    x = work[X]
    for _ in range(steps):
        if progress[TAKEN] == progress[WANTED]:
            return OK
        if progress[SPIKES] + before.shape[1] > spike_times.size:
            return RUNNING
        t = progress[TAKEN] * h
        while progress[KEPT] < times.size and times[progress[KEPT]] <= t + 1e-9 * h:
            copy(x, out[progress[KEPT]])
            progress[KEPT] += 1
        _step(rhs, t, h, work, z, p, d, k, w)
        progress[TAKEN] += 1
        t += h
        call(guards, t, x, z, p, d, k, w, before[1])
        place, fired = 0, False
        for e in range(counts.size):
            for node in range(counts[e]):
                old, new = before[0, place], before[1, place]
                passes = (old < 0.0 <= new) if directions[e] > 0 else (
                    (old > 0.0 >= new) if directions[e] < 0 else (old * new < 0.0)
                )  # fmt: skip
                if passes and t > deaf[e, node]:
                    spike_times[progress[SPIKES]] = t - h + h * old / (old - new)
                    spikes[progress[SPIKES], 0] = e
                    spikes[progress[SPIKES], 1] = node
                    progress[SPIKES] += 1
                    fired = True
                    deaf[e, node] = t + deaf[e, deaf.shape[1] - 1]
                    z[0] = node
                    call(applies[e], t, x, z, p, d, k, w, x)
                place += 1
        if fired:
            call(guards, t, x, z, p, d, k, w, before[0])
            total = 0.0
            for i in range(x.size):
                total += 0.0 * x[i]
            if total != 0.0:
                return DIVERGED
        else:
            copy(before[1], before[0])
            if not np.isfinite(before[0].sum()):
                return DIVERGED
    return OK if progress[TAKEN] == progress[WANTED] else RUNNING
