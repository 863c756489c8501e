"""Solving with a generator in a basis: banded elimination in the order of states that makes the band thin.

The generator couples neighbouring functions, so its band is as wide as its coupling along the slow state times the
functions of the others.  LAPACK's banded factors (dgbtrf) cost size times band squared.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.linalg import lapack

from dynlab.errors import NotConverged, SettingError
from dynlab.status import Status

__all__ = ["null_vector", "shifted_solver"]

Array = NDArray[np.float64]

#: Numbers in a factorised band.
MOST_NUMBERS = 1 << 28
#: How far from zero the generator is shifted, relative to its largest entry; steps of inverse iteration.
SHIFT, STEPS = 1e-15, 40
#: Steps end when the vector moves by no more; if after all of them it moves by more, it is not the only one.
STILL, UNDECIDED = 1e-12, 1e-8


def shifted_solver(
    matrix: sparse.csr_matrix, shift: float, shape: tuple[int, ...]
) -> Callable[[Array], Array]:
    """Return what solves ``(matrix - shift) x = b``.

    Raises
    ------
    SettingError
        If the factors do not fit into memory.
    """
    order, lower, upper = _thin(matrix, shape)
    n = matrix.shape[0]
    if (2 * lower + upper + 1) * n > MOST_NUMBERS:
        raise SettingError(
            f"{' x '.join(map(str, shape))} functions make a band of {n} x {2 * lower + upper + 1} numbers, more than "
            f"{MOST_NUMBERS}. Give fewer, or cells: dl.Grid(...)."
        )
    entries = matrix.tocoo()
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    rows, columns = place[entries.row], place[entries.col]
    band = np.zeros((2 * lower + upper + 1, n), order="F")
    band[lower + upper + rows - columns, columns] = entries.data
    band[lower + upper] -= shift
    factors, pivots, info = lapack.dgbtrf(band, lower, upper, overwrite_ab=True)
    if info > 0:
        # A pivot of exactly zero: the smallest shift there is moves it to rounding.
        factors[lower + upper, info - 1] = np.finfo(float).eps * np.abs(entries.data).max()

    def solve(right: Array) -> Array:
        answer, _ = lapack.dgbtrs(factors, lower, upper, np.ascontiguousarray(right)[order], pivots)
        back: Array = np.empty_like(answer)
        back[order] = answer
        return back

    return solve


def null_vector(matrix: sparse.csr_matrix, shape: tuple[int, ...]) -> tuple[Array, float]:
    """Return the vector that the generator all but annihilates, and the rate that is left of zero.

    Raises
    ------
    NotConverged
        If two rates are equally close to zero: the state is not unique in this basis.
    """
    top = float(np.abs(matrix.data).max())
    solve = shifted_solver(matrix, SHIFT * top, shape)
    vector = np.random.default_rng(0).standard_normal(matrix.shape[0])
    vector /= np.linalg.norm(vector)
    for _ in range(STEPS):
        following = solve(vector)
        following *= np.sign(following @ vector) / np.linalg.norm(following)
        change = float(np.linalg.norm(following - vector))
        vector = following
        if change < STILL:
            break
    if change < UNDECIDED:
        return vector, float(vector @ (matrix @ vector))
    raise NotConverged(
        f"the stationary state in {' x '.join(map(str, shape))} functions is not unique: inverse iteration still moved "
        f"by {change:.1g} after {STEPS} steps. Either noise does not join its pieces, or the functions are not where the "
        "density is: give more noise, or another centre= and width=.",
        status=Status.NOT_CONVERGED,
    )


def _thin(matrix: sparse.csr_matrix, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], int, int]:
    """Return the order of the states whose band is thinnest, and how far it reaches below and above."""
    entries, index = matrix.tocoo(), np.arange(matrix.shape[0]).reshape(shape)
    best: tuple[NDArray[np.int64], int, int] | None = None
    for axes in permutations(range(len(shape))):
        order = index.transpose(axes).ravel()
        place = np.empty(order.size, np.int64)
        place[order] = np.arange(order.size)
        away = place[entries.row] - place[entries.col]
        found = order, int(away.max(initial=0)), int(-away.min(initial=0))
        if best is None or found[1] + found[2] < best[1] + best[2]:
            best = found
    assert best is not None
    return best
