"""Equilibria of large sparse networks: Newton's method and leading eigenvalues by sparse LU.

From some hundred states on, a dense Jacobian costs more than everything else: n^2 numbers, n^3
operations for one LU and ten times as many for all eigenvalues.  Here the Jacobian keeps the pattern of
the network, linear systems are solved by SuperLU (Li 2005, ACM Trans. Math. Softw. 31, 302, through
scipy), and only the eigenvalues that decide about stability are computed, by the implicitly
restarted Arnoldi method (Lehoucq, Sorensen and Yang 1998, ARPACK Users' Guide): those furthest to
the right, and those nearest to zero.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.kernels import kernels_of
from dynlab.codegen.sparse import SparseJacobian
from dynlab.symbolic.system import System

__all__ = ["factorised", "is_large", "leading_eigenvalues", "newton_sparse", "sparse_jacobian_of"]

Vector = NDArray[np.float64]

#: From here on the sparse way is the faster one, if few entries of the Jacobian are not zero.
SMALLEST, DENSEST = 400, 0.1
#: So many eigenvalues are computed.
LEADING = 12

_ITERATIONS, _HALVINGS = 60, 12
#: Relative accuracy of the eigenvalues.
_EIGEN = 1e-10


@functools.lru_cache(maxsize=16)
def sparse_jacobian_of(system: System, active: tuple[str, ...] = ()) -> SparseJacobian:
    """Return the sparse Jacobian of a system; its pattern is found once."""
    return kernels_of(system).sparse_jacobian(active)


@functools.lru_cache(maxsize=64)
def is_large(system: System) -> bool:
    """Whether a system is treated by sparse linear algebra."""
    n = len(system.state_names)
    if n < SMALLEST or not system.is_indexed:
        return False
    return len(sparse_jacobian_of(system).rows) < DENSEST * n * n


def factorised(matrix: Any) -> Any:
    """Return the sparse LU decomposition of a square matrix with a nearly symmetric pattern.

    Ordering by the pattern of A + A' and pivots near the diagonal fill in three to five times less
    than the ordering for matrices of any pattern (measured on a lattice, a small world and a random graph
    of 5000 nodes); where that fails to be accurate the general ordering is taken.
    """
    from scipy.sparse.linalg import splu

    found = splu(
        matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.1,
        options={"SymmetricMode": True},
    )  # fmt: skip
    trial = np.ones(matrix.shape[0])
    back = matrix @ found.solve(trial)
    return found if np.max(np.abs(back - trial)) < 1e-6 else splu(matrix.tocsc())


def newton_sparse(
    system: System, start: Vector, tolerance: float = 1e-11
) -> tuple[Vector, float] | None:
    """Return the equilibrium that damped Newton steps reach, and the last relative step; or None."""
    from scipy.sparse import identity

    rhs, jacobian = kernels_of(system).rhs, sparse_jacobian_of(system)
    p = np.array(system.parameter_values or (0.0,))
    shift = 1.0 if system.is_discrete else 0.0
    x = np.array(start, dtype=float)
    unit = np.maximum(np.abs(x), 1e-2)
    eye = identity(len(x), format="csc")
    f = rhs(0.0, x, p) - shift * x
    for _ in range(_ITERATIONS):
        if not np.isfinite(f).all():
            return None
        try:
            step = factorised(jacobian(0.0, x, p) - shift * eye).solve(-f)
        except RuntimeError:  # SuperLU: the factor is exactly singular
            return None
        scale = np.maximum(np.abs(x), unit)
        length = float(np.max(np.abs(step) / scale))
        if not np.isfinite(length):
            return None
        part = min(1.0, 2.0 / length) if length > 0 else 1.0
        for _ in range(_HALVINGS):
            new = x + part * step
            value = rhs(0.0, new, p) - shift * new
            if np.max(np.abs(value)) < np.max(np.abs(f)) or length < 1e-7:
                break
            part *= 0.5
        else:
            return None
        x, f = new, value
        if length < tolerance:
            return x, length
    return None


def leading_eigenvalues(matrix: Any, count: int = LEADING) -> NDArray[np.complex128]:
    """Return the eigenvalues furthest to the right and those nearest to zero, rightmost first.

    Every eigenvalue given is one of the matrix; that none to the right of them is missing rests on
    Arnoldi's method, which finds the outer eigenvalues of a spectrum first.  Of a repeated eigenvalue (a
    symmetric network has many) it finds one copy for certain, so the number of unstable directions is
    then a lower bound.
    """
    from scipy.sparse import identity
    from scipy.sparse.linalg import ArpackError, ArpackNoConvergence, LinearOperator, eigs

    n = matrix.shape[0]
    begin = np.random.default_rng(0).standard_normal(n)
    found: list[Any] = []
    try:
        found.append(
            eigs(matrix, k=count // 2, which="LR", v0=begin, tol=_EIGEN, return_eigenvectors=False)
        )
    except ArpackNoConvergence as partly:
        found.append(partly.eigenvalues)
    except ArpackError:
        pass
    # A pole a little to the right of zero: an eigenvalue at zero must not make the LU singular.
    pole = 1e-3 * float(abs(matrix).sum(axis=1).max() or 1.0)
    solver = factorised(matrix - pole * identity(n, format="csc"))
    inverse = LinearOperator(matrix.shape, matvec=solver.solve, dtype=float)
    try:
        near = eigs(
            inverse, k=count // 2, which="LM", v0=begin, tol=_EIGEN, return_eigenvectors=False
        )
    except ArpackNoConvergence as partly:
        near = partly.eigenvalues
    found.append(pole + 1.0 / near)
    return _together(np.concatenate(found[:-1] or [np.empty(0)]), found[-1])


def _together(outer: Any, near: Any) -> NDArray[np.complex128]:
    """Return the eigenvalues of two searches, rightmost first; those that both found count once."""
    outer, near = np.asarray(outer, complex), np.asarray(near, complex)
    size = float(np.max(np.abs(np.concatenate([outer, near])), initial=0.0))
    new = [v for v in near if not (np.abs(outer - v) <= 1e-8 * size).any()]
    values = np.concatenate([outer, new])
    # A real eigenvalue of some multiplicity comes with imaginary parts of rounding.
    values.imag[np.abs(values.imag) <= 1e-9 * size] = 0.0
    return values[np.lexsort((-values.imag, -values.real))]
