"""Meshes for collocated cycles: how large the error is where, and places that spread it evenly.

The error of a piecewise polynomial of degree m is h^{m+1} |u^{(m+1)}|, up to a constant.  On one interval
the m-th derivative is constant; that of order m + 1 comes from its jumps (de Boor 1973; Russell and
Christiansen 1978, SIAM J. Numer. Anal. 15, 59).
"""

from __future__ import annotations

import numpy as np
from numba import types

from dynlab.kernels.deferred import njit

__all__ = ["interpolate", "monitor", "spread_evenly"]

_V = types.float64[::1]
_M = types.float64[:, ::1]

OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
#: Intervals are never longer than this many times the mean: the floor under the monitor.
LONGEST = 5.0


@njit(types.float64(_M, _V, _V, _V, _V), **OPTIONS)
def monitor(u, mesh, scale, differences, out):  # type: ignore[no-untyped-def]
    """Write |u^{(m+1)}|^{1/(m+1)} of each interval; return the largest h^{m+1} |u^{(m+1)}|.

    ``differences`` are the weights of the m-th difference on equidistant places of a unit interval.
    """
    count, n, m = mesh.shape[0] - 1, u.shape[1], differences.shape[0] - 1
    high = np.empty((count, n))
    for i in range(count):
        h = mesh[i + 1] - mesh[i]
        for j in range(n):
            total = 0.0
            for k in range(m + 1):
                total += differences[k] * u[i * m + k, j]
            high[i, j] = total / h**m / scale[j]
    worst = 0.0
    for i in range(count):
        h = mesh[i + 1] - mesh[i]
        size = 0.0
        for side in range(2):
            other = (i + (1 if side else count - 1)) % count
            gap = 0.5 * (h + mesh[other + 1] - mesh[other])
            jump = 0.0
            for j in range(n):
                jump = max(jump, abs(high[other, j] - high[i, j]))
            size = max(size, jump / gap)
        out[i] = size ** (1.0 / (m + 1))
        worst = max(worst, h ** (m + 1) * size)
    return worst


@njit(types.float64(_V, _V, _V), **OPTIONS)
def spread_evenly(mesh, density, out):  # type: ignore[no-untyped-def]
    """Write a mesh whose intervals hold equal parts of a density; return the worst share on the old one.

    1 means that the old mesh was even already.  ``out`` may have another length.
    """
    count = mesh.shape[0] - 1
    total = 0.0
    for i in range(count):
        total += density[i] * (mesh[i + 1] - mesh[i])
    floor = total / (LONGEST - 1.0) if total > 0.0 else 1.0
    whole = 0.0
    worst = 0.0
    for i in range(count):
        share = (density[i] + floor) * (mesh[i + 1] - mesh[i])
        whole += share
        worst = max(worst, share)
    new = out.shape[0] - 1
    out[0] = 0.0
    i, done = 0, 0.0
    for k in range(1, new):
        goal = whole * k / new
        while True:
            share = (density[i] + floor) * (mesh[i + 1] - mesh[i])
            if done + share >= goal or i == count - 1:
                break
            done += share
            i += 1
        part = (goal - done) / (density[i] + floor)
        out[k] = min(mesh[i] + part, mesh[i + 1])
    out[new] = 1.0
    return worst * count / whole


@njit(types.void(_M, _V, _V, _M), **OPTIONS)
def interpolate(u, mesh, fresh, out):  # type: ignore[no-untyped-def]
    """Write the values of a piecewise polynomial at the places of another mesh."""
    count, n = mesh.shape[0] - 1, u.shape[1]
    m = (u.shape[0] - 1) // count
    weights = np.empty(m + 1)
    i = 0
    for row in range(out.shape[0]):
        interval, k = row // m, row % m
        s = fresh[interval]
        if k > 0:
            s += (fresh[interval + 1] - fresh[interval]) * k / m
        while i < count - 1 and s > mesh[i + 1]:
            i += 1
        x = (s - mesh[i]) / (mesh[i + 1] - mesh[i]) * m
        for a in range(m + 1):
            weight = 1.0
            for b in range(m + 1):
                if b != a:
                    weight *= (x - b) / (a - b)
            weights[a] = weight
        for j in range(n):
            total = 0.0
            for a in range(m + 1):
                total += weights[a] * u[i * m + a, j]
            out[row, j] = total
    for j in range(n):
        out[0, j] = u[0, j]
        out[out.shape[0] - 1, j] = u[u.shape[0] - 1, j]
