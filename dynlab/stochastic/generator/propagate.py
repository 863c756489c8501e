"""e^{tL} p: how a generator moves a density, by the method that fits its shape.

A chain (one state, walls at the ends) is similar to a symmetric matrix, so its spectrum is real and a contour
integral of the resolvent with 32 points on a parabola is exact to rounding for all times (Trefethen, Weideman and
Schmelzer 2006, BIT 46, 653: error 2.85^-32); each point is one tridiagonal system.

Over times in which few jumps are expected e^{tL} is their average (uniformisation): nothing is subtracted, so what is
positive stays so.  Everything else goes through Krylov spaces of (1 - g L)^{-1}, one sparse factorisation for all steps of one
length (van den Eshof and Hochbruck 2006, SIAM J. Sci. Comput. 27, 1438).

The contour is exact to rounding in the norm in which a chain is symmetric.  A start where its stationary state holds next to
nothing is large in that norm (cells between which the potential falls by many D), and is moved by jumps instead.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import scipy.sparse as sparse
import scipy.sparse.linalg as sparse_linalg
from numpy.typing import NDArray
from scipy.linalg import expm
from scipy.special import gammaln

from dynlab.errors import NotConverged
from dynlab.kernels import fluxes
from dynlab.status import Status
from dynlab.stochastic.generator.generator import Generator

__all__ = ["TOLERANCE", "advanced", "propagated"]

Array = NDArray[np.float64]
Solve = Callable[[Array], Array]

POINTS = 32
#: Largest Krylov space; what is asked of each step, relative to the norm of the density; shift over step.
LARGEST, TOLERANCE, SHIFT = 60, 1e-12, 0.1
#: Jumps are averaged over up to so many at once: the logarithms of their weights lose digits as they grow.  Pieces times
#: cells beyond which a factorisation is faster.
JUMPS, PIECES = 1000.0, 100_000
#: An error of rounding is bounded by 1e-12 up to this weight.
HEAVIEST = 3e3
#: Steps are halved so often before giving up.
HALVINGS = 20


def _parabola() -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Return nodes and weights in the upper half plane."""
    angle = np.arange(1, POINTS, 2) * np.pi / POINTS
    nodes = POINTS * (0.1309 - 0.1194 * angle**2 + 0.25j * angle)
    along = POINTS * (-2 * 0.1194 * angle + 0.25j)
    return nodes, np.exp(nodes) * along / (1j * POINTS)


_NODES, _WEIGHTS = _parabola()


def propagated(generator: Generator, start: Array, times: Array) -> Array:
    """Return the probabilities of the cells at ascending times, one row each.

    What rounding makes negative is set to zero; where nothing is lost the mass is that of the start.
    """
    if generator.is_chain and _weight(generator, start) < HEAVIEST:
        rows = np.empty((times.size, start.size))
        work = np.empty((2, start.size), complex)
        fluxes.evolve_chain(*generator.chain, start, times, _NODES, _WEIGHTS, work, rows)
        rows[times == 0] = start
    else:
        rows = _otherwise(generator.matrix, start, times)
    rows = np.maximum(rows, 0.0)
    if generator.is_closed:
        rows *= start.sum() / rows.sum(axis=1, keepdims=True)
    return rows


def _weight(generator: Generator, start: Array) -> float:
    """Return by what an error in the symmetric norm of a chain has to be multiplied to bound that in L1."""
    up, down, _ = generator.chain
    half = np.concatenate([[0.0], np.cumsum(0.5 * (np.log(up) - np.log(down)))])
    half -= half.max()
    with np.errstate(over="ignore"):
        return float(np.exp(half).sum() * np.linalg.norm(start * np.exp(np.where(start, -half, 0))))


def _inverse(matrix: sparse.csc_matrix, shift: float) -> Solve:
    """Return what solves ``(1 - shift L) x = b``; an M-matrix needs no pivots."""
    identity = sparse.identity(matrix.shape[0], format="csc")
    factors = sparse_linalg.splu(
        (identity - shift * matrix).tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0,
        relax=1, panel_size=1, options={"SymmetricMode": True},
    )  # fmt: skip
    return factors.solve  # type: ignore[no-any-return]


def _otherwise(matrix: sparse.csc_matrix, start: Array, times: Array) -> Array:
    solvers: dict[float, Solve] = {}
    invert = partial(_inverse, matrix)
    rows, now, state = np.empty((times.size, start.size)), 0.0, start
    rate = float(-matrix.diagonal().min())
    most = max(1, PIECES // start.size)
    for row, time in enumerate(times):
        span = float(time - now)
        pieces = int(np.ceil(rate * span / JUMPS))
        if 0 < pieces <= most:
            for _ in range(pieces):
                state = _by_jumps(matrix, rate, state, span / pieces)
        elif span > 0:
            state = advanced(invert, state, span, solvers)
        rows[row], now = state, float(time)
    return rows


def _by_jumps(matrix: sparse.csc_matrix, rate: float, state: Array, span: float) -> Array:
    """Return the state a span later as the average over how many jumps there were."""
    mean = rate * span
    counts = np.arange(int(mean + 9 * np.sqrt(mean) + 30))
    weights = np.exp(counts * np.log(mean) - mean - gammaln(counts + 1))
    weights /= weights.sum()
    one = (sparse.identity(state.size, format="csc") + matrix / rate).tocsc()
    answer, work = np.empty(state.size), np.empty((2, state.size))
    start = np.ascontiguousarray(state)
    shares = np.maximum(one.data, 0.0)
    fluxes.jump(one.indptr, one.indices, shares, weights, start, work, answer)
    return answer


def advanced(
    invert: Callable[[float], Solve],
    state: Array,
    span: float,
    solvers: dict[float, Solve],
) -> Array:
    """Return the state a span later, in as many equal steps as the Krylov spaces need."""
    for halving in range(HALVINGS):
        step = float(f"{span / 2**halving:.12e}")
        moved: Array | None = state
        for _ in range(2**halving):
            assert moved is not None
            moved = _one_step(invert, moved, step, solvers)
            if moved is None:
                break
        if moved is not None:
            return moved
    raise NotConverged(
        f"the density did not converge over a time of {span:g}. Ask for more times in between, at=...",
        status=Status.NOT_CONVERGED,
    )


def _one_step(
    invert: Callable[[float], Solve],
    state: Array,
    step: float,
    solvers: dict[float, Solve],
) -> Array | None:
    """Return e^{step L} state, or None if the largest Krylov space does not hold it."""
    shift = SHIFT * step
    if step not in solvers:
        solvers[step] = invert(shift)
    size = float(np.linalg.norm(state))
    basis = np.empty((LARGEST + 1, state.size))
    basis[0] = state / size
    hessenberg = np.zeros((LARGEST + 1, LARGEST))
    before = np.zeros(0)
    for m in range(LARGEST):
        new = solvers[step](basis[m])
        for _ in range(2):
            along = basis[: m + 1] @ new
            new -= along @ basis[: m + 1]
            hessenberg[: m + 1, m] += along
        hessenberg[m + 1, m] = np.linalg.norm(new)
        exhausted = hessenberg[m + 1, m] < 1e-14
        if exhausted or (m % 5 == 4):
            inner = (np.eye(m + 1) - np.linalg.inv(hessenberg[: m + 1, : m + 1])) / SHIFT
            found = expm(inner)[:, 0]
            change = found.copy()
            change[: before.size] -= before
            if exhausted or (before.size and np.linalg.norm(change) < TOLERANCE):
                moved: Array = size * (found @ basis[: m + 1])
                return moved
            before = found
        basis[m + 1] = new / hessenberg[m + 1, m]
    return None
