"""Networks of spiking units on a clock: equal steps, with the events of every node between them.

One step of the classical method of Runge and Kutta of order 4, then the guards of all nodes.  A guard
that has passed zero in its direction fires: its time is read off the straight line between the two ends of
the step, its reset and its deliveries take effect at the end of the step, in the order of the events
and of the nodes.  Guards that are carried over zero by that fire in the next round, at the end of the step,
and so on until none is left.  So spike times are found to the second order of the step on a smooth stretch,
and the state lags by at most a step after each spike: the method as a whole is of first order (Brette et al.
2007, J. Comput. Neurosci. 23, 349, section 2).

Cost of a step: four right-hand sides and one evaluation of the guards; a spike costs its links.
"""

from __future__ import annotations

import numpy as np

from dynlab.kernels.convention import ACCUMULATION, DIVERGED, OK, RUNNING
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import MODEL, OPTIONS, call, copy
from dynlab.kernels.run import is_finite

# Rows of `work`: state, four slopes, a place between.
X, K1, K2, K3, K4, BETWEEN = range(6)
WORK_ROWS = 6

# Places in `progress`: steps taken, steps wanted, next time to keep, spikes written.
TAKEN, WANTED, KEPT, SPIKES = range(4)

# Rows of `before`: the guards at the begin of the step, at its end, and after a round of events.
BEGIN, AFTER, ROUND = range(3)
BEFORE_ROWS = 3
#: Rounds at one instant, after which it is said that they never end.
MOST_ROUNDS = 1000

_EVENTS = "i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], f8[:, ::1], f8[::1], f8[:, ::1]"


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


@njit(f"i8(f8, f8, b1, i8[::1], f8[::1], {MODEL}, {_EVENTS}, f8[::1], i8[:, ::1])", **OPTIONS)
def _fire(
    t, h, is_step, progress, x, z, p, d, k, w,
    counts, directions, applies, ones, moving, deaf, pauses, before, spike_times, spikes,
):  # fmt: skip
    """Let the nodes fire whose guards have passed zero during a step or a round; return how many."""
    place, fired = 0, 0
    old_row, new_row = (BEGIN, AFTER) if is_step else (AFTER, ROUND)
    for e in range(counts.size):
        for node in range(counts[e]):
            old, new = before[old_row, place], before[new_row, place]
            passes = (old < 0.0 <= new) if directions[e] > 0 else (
                (old > 0.0 >= new) if directions[e] < 0 else (old * new < 0.0)
            )  # fmt: skip
            if passes and t > deaf[e, node] and progress[SPIKES] < spike_times.size:
                time = t - h + h * old / (old - new) if is_step else t
                spike_times[progress[SPIKES]] = time
                spikes[progress[SPIKES], 0], spikes[progress[SPIKES], 1] = e, node
                progress[SPIKES] += 1
                fired += 1
                if pauses[e] > 0.0:
                    deaf[e, node] = time + pauses[e]
                    if moving[e] >= 0:
                        d[moving[e] + node] = 0.0
                z[0] = node
                call(applies[e], t, x, z, p, d, k, w, x)
                # From here on it may be kicked over zero once more.
                call(ones[e], t, x, z, p, d, k, w, before[new_row, place:])
            place += 1
    return fired


@njit("void(f8, f8, i8[::1], i8[::1], f8[:, ::1], f8[::1], f8[::1])", **OPTIONS)
def _awake(t, h, counts, moving, deaf, pauses, d):
    """Let the held states move of which the time is over at the begin of a step."""
    for e in range(counts.size):
        if moving[e] >= 0 and pauses[e] > 0.0:
            for node in range(counts[e]):
                if deaf[e, node] <= t + 1e-9 * h:
                    d[moving[e] + node] = 1.0


@njit(
    f"i8(i8, f8, i8[::1], f8[:, ::1], {MODEL}, i8, {_EVENTS}, f8[::1], f8[:, ::1], f8[::1],"
    "i8[:, ::1], i8)",
    **OPTIONS,
)
def advance(
    rhs, h, progress, work, z, p, d, k, w,
    guards, counts, directions, applies, ones, moving, deaf, pauses, before, times, out,
    spike_times, spikes, steps,
):  # fmt: skip
    """Take up to so many steps; stop early when the room for spikes runs out.

    ``applies`` and ``ones`` are the resets and the guards of one node, by event;
    ``deaf[e, node]`` is the time up to which a guard does not fire; ``d[moving[e] + node]`` is 0 while the
    node's states are held (-1: nothing is held).
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
        _awake(t, h, counts, moving, deaf, pauses, d)
        _step(rhs, t, h, work, z, p, d, k, w)
        progress[TAKEN] += 1
        t += h
        call(guards, t, x, z, p, d, k, w, before[AFTER])
        rounds, fired = 0, 1
        while fired > 0:
            fired = _fire(
                t, h, rounds == 0, progress, x, z, p, d, k, w, counts, directions, applies, ones,
                moving, deaf, pauses, before, spike_times, spikes,
            )  # fmt: skip
            if rounds > 0:
                copy(before[ROUND], before[AFTER])
            if fired > 0:
                rounds += 1
                if rounds > MOST_ROUNDS or progress[SPIKES] == spike_times.size:
                    return ACCUMULATION
                call(guards, t, x, z, p, d, k, w, before[ROUND])
        copy(before[AFTER], before[BEGIN])
        if rounds > 0 and not is_finite(x):
            return DIVERGED
        if not np.isfinite(before[BEGIN].sum()):
            return DIVERGED
    return OK if progress[TAKEN] == progress[WANTED] else RUNNING
