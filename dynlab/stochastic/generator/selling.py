"""Selling's decomposition: any positive definite matrix as a sum of squares of whole directions, with weights >= 0.

    D = sum_e rho_e e e',    e whole,    rho_e >= 0

A superbase is d + 1 whole vectors that sum to zero and of which any d span the lattice; it is obtuse for D if
<b_i, D b_j> <= 0 for all pairs.  Each pair then gives a direction orthogonal to the others and the weight
-<b_i, D b_j>.  An obtuse superbase is found by turning one of an acute pair round, which shortens the sum of squares
(Selling 1874, J. reine angew. Math. 77, 143; Conway and Sloane 1992, Proc. R. Soc. Lond. A 436, 55; as a scheme that
keeps densities positive: Fehrenbach and Mirebeau 2014, J. Math. Imaging Vis. 49, 123).  Directions are as long as the
root of the condition number of D; weights are continuous in D.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

__all__ = ["decomposed"]

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

#: An acute angle below this, relative to the trace, is rounding.
ACUTE = 1e-13
#: Turns; each makes the superbase shorter.
TURNS = 200


def decomposed(matrices: Array, longest: int) -> dict[tuple[int, ...], Array] | None:
    """Return the weights of each whole direction, one for each matrix; None if a direction is too long.

    Parameters
    ----------
    matrices
        Symmetric positive semi-definite matrices of order 2 or 3, (count, order, order).
    longest
        The largest entry of a direction.
    """
    count, order, _ = matrices.shape
    base = np.tile(np.vstack([np.eye(order), -np.ones(order)]), (count, 1, 1))
    floor = ACUTE * np.trace(matrices, axis1=1, axis2=2)
    pairs = list(combinations(range(order + 1), 2))
    for _ in range(TURNS):
        products = np.einsum("nik,nkl,njl->nij", base, matrices, base)
        acute = np.stack([products[:, i, j] - floor for i, j in pairs], axis=1)
        worst = np.argmax(acute, axis=1)
        turned = np.flatnonzero(acute[np.arange(count), worst] > 0)
        if not turned.size:
            return _weighed(base, products, pairs, longest)
        for number, (i, j) in enumerate(pairs):
            rows = turned[worst[turned] == number]
            if rows.size:
                base[rows] = _turned(base[rows], i, j)
    return None


def _turned(base: Array, i: int, j: int) -> Array:
    """Return the superbase in which b_i points the other way: Selling's step."""
    new = base.copy()
    new[:, i] = -base[:, i]
    others = [k for k in range(base.shape[1]) if k not in (i, j)]
    if len(others) == 1:
        new[:, others[0]] = base[:, i] - base[:, j]
    else:
        for k in others:
            new[:, k] = base[:, k] + base[:, i]
    return new


def _weighed(
    base: Array, products: Array, pairs: list[tuple[int, int]], longest: int
) -> dict[tuple[int, ...], Array] | None:
    count, size, _ = base.shape
    weights: dict[tuple[int, ...], Array] = {}
    for i, j in pairs:
        others = [k for k in range(size) if k not in (i, j)]
        if size == 3:
            across = np.stack([-base[:, others[0], 1], base[:, others[0], 0]], axis=1)
        else:
            across = np.cross(base[:, others[0]], base[:, others[1]])
        weight = np.maximum(-products[:, i, j], 0.0)
        directions = np.rint(across).astype(np.int64)
        kept = weight > 0
        if np.abs(directions[kept]).max(initial=0) > longest:
            return None
        for e in np.unique(directions[kept], axis=0):
            rows = kept & (directions == e).all(axis=1)
            key = tuple(map(int, _forward(e)))
            weights.setdefault(key, np.zeros(count))[rows] += weight[rows]
    return weights


def _forward(direction: Whole) -> Whole:
    """Return a direction or its opposite, so that the first entry that is not zero is positive."""
    return direction * int(np.sign(direction[np.flatnonzero(direction)[0]]))
