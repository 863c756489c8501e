"""The slowest rates of a generator in a basis, each confirmed by the coarse one."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sparse
import scipy.sparse.linalg as sparse_linalg
from numpy.typing import NDArray

from dynlab.errors import NotConverged
from dynlab.status import Status
from dynlab.stochastic.bases.basis import Basis
from dynlab.stochastic.bases.expansion import Resolution, resolutions
from dynlab.stochastic.bases.factors import shifted_solver
from dynlab.stochastic.bases.matrix import generator_matrix
from dynlab.stochastic.bases.schroedinger import root, stationary_values
from dynlab.stochastic.bases.sinc import Sinc
from dynlab.stochastic.generator.coefficients import coefficients_of
from dynlab.symbolic.system import System

__all__ = ["confirmed_rates"]

Array = NDArray[np.float64]

#: Dense eigenvalues up to so many functions; beyond, so many for each that is wanted, and some.
FEW, TIMES, SOME = 400, 4, 20
#: How far from zero the matrix is shifted, relative to its largest entry: closer, and the rate zero would take the
#: digits of the others.
SHIFT = 1e-6
#: A rate is one of the generator if another basis has one no further away, relative to its modulus.
CONFIRMED = 0.02
#: What is left of the rate zero is rounding below this, relative to the largest rate that was found.
ROUNDING = 1e-13


def confirmed_rates(
    system: System, basis: Basis, count: int
) -> tuple[NDArray[Any], Array, NDArray[Any], NDArray[Any]]:
    """Return rates, how uncertain each is, their modes, and the slow rates that the coarse basis does not have.

    The rate nearest to zero is that of the stationary state, which is zero; what is left of it is its error.

    Raises
    ------
    NotConverged
        If the eigenvalues of a large matrix do not converge.
    """
    full, few = resolutions(basis)
    if len(basis.axes) == 1 and isinstance(basis.axes[0], Sinc):
        rates, modes = _schroedinger(system, basis.axes[0], count)
        others = _schroedinger_rates(system, basis.axes[0])
    else:
        rates, modes = _rates(system, full, count)
        others, _ = _rates(system, few, count)
    still = int(np.argmin(np.abs(rates)))
    nearest = np.abs(rates[:, None] - others[None, :]).min(axis=1)
    errors = np.where(np.arange(rates.size) == still, np.abs(rates), nearest)
    next_to = np.partition(np.abs(rates), 1)[1]
    sure = errors <= CONFIRMED * np.where(np.arange(rates.size) == still, next_to, np.abs(rates))
    sure[still] |= errors[still] <= ROUNDING * np.abs(rates).max()
    order = np.flatnonzero(sure)
    order = order[np.lexsort((rates[order].imag, np.round(rates[order].real, 10)))][:count]
    last = rates[order].real.max(initial=0.0)
    doubtful = rates[~sure & (rates.real < last)]
    found = rates[order]
    found[order == still] = 0.0
    return _plain(found), errors[order], _unit(modes[order]), _plain(doubtful)


def _schroedinger(system: System, family: Sinc, count: int) -> tuple[NDArray[Any], Array]:
    """Return some more rates than are wanted, and their modes, from the singular vectors of a root."""
    coefficients, points = coefficients_of(system), family.points(coarse=False)
    _, sizes, rows = np.linalg.svd(root(coefficients, points), full_matrices=False)
    kept = slice(None, -count - 3, -1)
    modes = rows[kept] * np.sqrt(stationary_values(coefficients, points))
    return (sizes[kept] ** 2).astype(complex), modes


def _schroedinger_rates(system: System, family: Sinc) -> NDArray[Any]:
    """Return all rates of the coarse answer."""
    coarse = root(coefficients_of(system), family.points(coarse=True))
    return (np.linalg.svd(coarse, compute_uv=False) ** 2).astype(complex)


def _rates(system: System, resolution: Resolution, count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return more rates than are wanted, and their modes, one row each."""
    matrix = generator_matrix(coefficients_of(system), resolution.axes)
    size = matrix.shape[0]
    wanted = TIMES * count + SOME
    if size <= FEW or wanted >= size - 2:
        values, vectors = np.linalg.eig(matrix.toarray())
    else:
        values, vectors = _near_zero(matrix, resolution, wanted)
    return -values.astype(complex), vectors.T


def _near_zero(
    matrix: sparse.csr_matrix, resolution: Resolution, wanted: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    shift = SHIFT * float(np.abs(matrix.data).max())
    solve = shifted_solver(matrix, shift, resolution.shape)
    inverse = sparse_linalg.LinearOperator(matrix.shape, matvec=solve, dtype=float)
    start = np.random.default_rng(0).standard_normal(matrix.shape[0])
    try:
        return sparse_linalg.eigs(matrix, k=wanted, sigma=shift, OPinv=inverse, v0=start)  # type: ignore[no-any-return]
    except sparse_linalg.ArpackNoConvergence as error:
        raise NotConverged(
            f"the eigenvalues in {resolution.basis!r} did not converge. Ask for fewer, or give fewer functions.",
            status=Status.NOT_CONVERGED,
        ) from error


def _plain(values: NDArray[Any]) -> NDArray[Any]:
    """Return real numbers where all are."""
    if np.all(np.abs(values.imag) <= 1e-9 * np.abs(values).max(initial=0.0)):
        return np.ascontiguousarray(values.real)
    return values


def _unit(modes: NDArray[Any]) -> NDArray[Any]:
    top = np.argmax(np.abs(modes), axis=1)
    scaled: NDArray[Any] = modes / modes[np.arange(len(modes)), top][:, None]
    if np.all(np.abs(scaled.imag) <= 1e-9):
        return np.ascontiguousarray(scaled.real)
    return scaled
