"""Euler-Maruyama paths of 16 members at once, in lanes, where the noise is additive and constant.

One by one a step waits for its own last result, 13 ns; in lanes 16 members wait together, and drawing the
normal numbers is most of the work.  Each lane draws from its member's stream in the order in which the loops of
`dynlab.kernels.stochastic` do, so a path differs from the one found there by rounding alone.
"""

from __future__ import annotations

import math

from dynlab.kernels.convention import OK, RUNNING, call0, pointer
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import MODEL, OPTIONS
from dynlab.kernels.lanes import WIDTH, as_lanes, spread
from dynlab.kernels.random import fill_lanes, gather_streams
from dynlab.kernels.stochastic import BLOCK, MEMBER, SEGMENT, TAKEN, amplitudes

# Rows of `floats`: state and drift.
X, F = range(2)


@njit(
    f"i8(i8, i8[::1], i8[:, ::1], f8[::1], f8[::1], i8[::1], u8[:, ::1], u8[:, ::1],"
    f" u8[::1], f8[:, ::1], f8[:, ::1],"
    f" f8[:, :, ::1], f8[:, :, ::1], f8[:, :, ::1], i8[::1], f8[:, :, ::1], f8[:, :, ::1],"
    f" f8[:, ::1], {MODEL}, i8)",
    **OPTIONS,
)  # fmt: skip
def lane_paths(
    address, plan, sources, ends, sizes, counts, streams, words, own, starts, rows, floats, parameters,
    scale, progress, out, xi, amplitude, z, p, d, k, w, budget,
):  # fmt: skip
    """Run the members group by group; return RUNNING after `budget` steps, OK when all are done.

    The last group is filled up with the last member, whose further streams stand behind those of the
    members.  States that are no numbers are kept as they are; whoever called runs those members alone.
    """
    members, n, m = starts.shape[0], floats.shape[1], sources.shape[1]
    states, given = as_lanes(floats), as_lanes(parameters)
    strength, noise = as_lanes(scale), as_lanes(xi)
    x, f, p_lanes = states[X], states[F], given[0]
    in_order = m == n
    for s in range(m):
        in_order = in_order and sources[1, s] == s
    while progress[MEMBER] < members:
        first = progress[MEMBER]
        if progress[SEGMENT] == 0 and progress[TAKEN] == 0:
            gather_streams(streams, first, words)
            for lane in range(WIDTH):
                member = min(first + lane, members - 1)
                for i in range(n):
                    floats[X, i, lane] = starts[member, i]
                for i in range(rows.shape[1]):
                    parameters[0, i, lane] = rows[member, i]
                amplitudes(plan, 0.0, starts[member], amplitude, z, rows[member], d, k, w)
                for s in range(m):
                    scale[0, s, lane] = amplitude[0, sources[1, s]]
        while progress[SEGMENT] < ends.size:
            segment = progress[SEGMENT]
            begins = ends[segment - 1] if segment > 0 else 0.0
            h = sizes[segment]
            root = math.sqrt(h)
            while progress[TAKEN] < counts[segment]:
                if budget <= 0:
                    return RUNNING
                block = min(BLOCK, counts[segment] - progress[TAKEN])
                fill_lanes(words, own, block, root, xi)
                for j in range(block):
                    now = begins + (progress[TAKEN] + j) * h
                    call0(address, spread(now), pointer(x), pointer(z), pointer(p_lanes), pointer(d),
                          pointer(k), pointer(w), pointer(f))  # fmt: skip
                    if in_order:
                        # One source for each state: x is read and written once.
                        for i in range(n):
                            x[i] = x[i] + h * f[i] + strength[0, i] * noise[j, i]
                        continue
                    for i in range(n):
                        x[i] = x[i] + h * f[i]
                    for s in range(m):
                        target = sources[1, s]
                        x[target] = x[target] + strength[0, s] * noise[j, s]
                progress[TAKEN] += block
                budget -= block * WIDTH
            for lane in range(min(WIDTH, members - first)):
                for i in range(n):
                    out[first + lane, segment, i] = floats[X, i, lane]
            progress[SEGMENT] += 1
            progress[TAKEN] = 0
        progress[MEMBER] += WIDTH
        progress[SEGMENT] = 0
    return OK
