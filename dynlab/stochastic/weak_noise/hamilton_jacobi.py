"""A quasipotential on a plane made better: Newton's method on the equation it solves, with differences of second order.

    f . grad U + grad U . D grad U = 0,        v = f + 2 D grad U

v is the speed of the ways that fluctuations take, outwards.  One step of Newton's method is the linear equation

    v . grad U_new = grad U . D grad U

whose differences look against v, from where the ways come (policy iteration; Kleinman 1968, IEEE Trans. Autom. Control 13,
114, for the quadratic case, in which the differences are exact).  It begins with values of first order that already know
which way is the cheapest (`dynlab.kernels.ordered_lines`), and is not believed further away from them than they are from
the truth: where ways meet, at the ends of the box and where v rests, these values stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
import scipy.sparse.linalg as sparse_linalg
from numpy.typing import NDArray

__all__ = ["improved"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Steps of Newton's method, and when it stands still, relative to the largest value.
STEPS, STILL = 8, 1e-8
#: A way rests where its speed is below this share of the median.
AT_REST = 1e-3
#: Differences of second and first order, at the place and one and two places against the speed.
SECOND, FIRST = (1.5, -2.0, 0.5), (1.0, -1.0, 0.0)


@dataclass(frozen=True)
class _Slopes:
    """Differences along both axes against a speed, and the places where there is nothing to look at."""

    along: tuple[sparse.csr_matrix, sparse.csr_matrix]
    blind: Flags

    def of(self, values: Array) -> Array:
        return np.stack([d @ values.ravel() for d in self.along], axis=-1).reshape(*values.shape, 2)


def improved(
    values: Array,
    steps: tuple[float, float],
    drift: Array,
    noise: Array,
    known: Flags,
    trust: float,
) -> Array:
    """Return better values of a quasipotential at the places of a plane.

    Parameters
    ----------
    values
        The values to begin with.
    steps
        The spacings along both axes.
    drift, noise
        The drift at the places, and the diffusion matrix.
    known
        Where values are exact: around the attractor.
    trust
        How far values may be from the truth; a place where Newton's method leads further keeps its own.
    """
    found, held, moved = values, known.copy(), np.zeros(values.shape)
    slope = np.stack(
        [np.gradient(values, h, axis=k, edge_order=2) for k, h in enumerate(steps)], axis=-1
    )
    for _ in range(STEPS):
        slopes = _against(drift + 2 * slope @ noise, steps)
        slope = slopes.of(found)
        speed = drift + 2 * slope @ noise
        size = np.sqrt((speed**2).sum(axis=-1))
        rests = size < AT_REST * np.median(size)
        free = ~(held | slopes.blind | rests)
        matrix = sum(sparse.diags(speed[..., k].ravel()) @ slopes.along[k] for k in (0, 1))
        flags = free.ravel().astype(float)
        matrix = sparse.diags(flags) @ matrix + sparse.diags(1.0 - flags)
        right = np.where(free, np.einsum("...i,ij,...j", slope, noise, slope), values)
        try:
            new = sparse_linalg.splu(matrix.tocsc()).solve(right.ravel()).reshape(values.shape)
        except RuntimeError:
            return values
        astray = ~(np.abs(new - values) <= trust)
        held |= astray
        new = np.where(astray, values, new)
        moved, found = np.abs(new - found), new
        if moved.max() <= STILL * values.max():
            break
        slope = slopes.of(found)
    found = np.where(moved <= trust * STILL**0.5, found, values)
    return _continued(found, rests & ~known)


def _against(speed: Array, steps: tuple[float, float]) -> _Slopes:
    """Return one-sided differences that look against a speed, of second order where there are two places to look at."""
    shape = speed.shape[:2]
    index, blind, along = np.arange(shape[0] * shape[1]).reshape(shape), np.zeros(shape, bool), []
    for axis in (0, 1):
        ahead = speed[..., axis] >= 0
        place = np.indices(shape)[axis]
        room = np.where(ahead, place, shape[axis] - 1 - place)
        blind |= room == 0
        back = np.where(ahead, -1, 1) * (shape[1] if axis == 0 else 1)
        sign = np.where(ahead, 1.0, -1.0) / steps[axis]
        rows, columns, entries = [], [], []
        for mask, weights in ((room >= 2, SECOND), (room == 1, FIRST)):
            for k, weight in enumerate(weights):
                if weight:
                    rows.append(index[mask])
                    columns.append((index + k * back)[mask])
                    entries.append((weight * sign)[mask])
        where = (np.concatenate(rows), np.concatenate(columns))
        along.append(sparse.csr_matrix((np.concatenate(entries), where), shape=(index.size,) * 2))
    return _Slopes((along[0], along[1]), blind)


def _continued(values: Array, rests: Flags) -> Array:
    """Return values continued, by parabolas from where they fall most steeply, to places where ways come to rest."""
    found = values.copy()
    for i, j in np.argwhere(rests):
        best = np.inf
        for a, b in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            line = [(i + k * a, j + k * b) for k in (1, 2, 3)]
            inside = all(0 <= p < values.shape[0] and 0 <= q < values.shape[1] for p, q in line)
            if inside and not any(rests[p, q] for p, q in line):
                one, two, three = (values[p, q] for p, q in line)
                if one < best:
                    best, found[i, j] = one, 3 * one - 3 * two + three
    return found
