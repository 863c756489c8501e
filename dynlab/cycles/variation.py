"""Disturbances of a cycle carried once round, from the condensed blocks of its collocation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynlab.cycles.problem import Solved

__all__ = ["antiperiodic", "carried", "transfers"]

Vector = NDArray[np.float64]


def transfers(solved: Solved) -> Vector:
    """Return the matrices that carry a scaled disturbance through each interval: N x n x n."""
    from dynlab.kernels import floquet

    orbit = solved.orbit
    count, m, n = len(orbit.mesh) - 1, orbit.degree, orbit.profile.shape[1]
    found = np.empty((count, n, n))
    for i in range(count):
        floquet.transfer(solved.work, m, n, i, found[i])
    return found


def carried(solved: Solved, first: Vector) -> Vector:
    """Return the scaled disturbance that begins as `first`, at every row of the profile."""
    orbit = solved.orbit
    count, m, n = len(orbit.mesh) - 1, orbit.degree, orbit.profile.shape[1]
    inside = (m - 1) * n
    rows = np.empty((count * m + 1, n))
    rows[0] = first
    for i, g in enumerate(transfers(solved)):
        begin, end = rows[i * m], g @ rows[i * m]
        block = solved.work[i, :inside]
        right = -block[:, inside : inside + n] @ begin - block[:, inside + n : inside + 2 * n] @ end
        upper = np.triu(block[:, :inside])
        rows[i * m + 1 : (i + 1) * m] = np.linalg.solve(upper, right).reshape(m - 1, n)
        rows[(i + 1) * m] = end
    return rows


def antiperiodic(solved: Solved) -> Vector:
    """Return the scaled disturbance with multiplier nearest to -1, at every row of the profile."""
    whole = np.eye(solved.orbit.profile.shape[1])
    for g in transfers(solved):
        whole = g @ whole
    values, vectors = np.linalg.eig(whole)
    first = np.real(vectors[:, np.argmin(np.abs(values + 1.0))])
    rows = carried(solved, first)
    rows[-1] = -rows[0]
    return np.asarray(rows / np.max(np.abs(rows)))
