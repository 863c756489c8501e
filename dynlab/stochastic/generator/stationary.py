"""The stationary state of a generator: its strictly positive null vector, with a certificate.

Where the generator has a potential the state is known.  Otherwise one cell, near the peak, is taken out; what
remains is minus an M-matrix, whose factors without pivoting have no growth and whose solution is positive (Berman
and Plemmons, Nonnegative Matrices, chapter 6).  Where the peak is comes from half the cells, and so does the
estimate of the error.

The factors of many cells in three states fill memory (32^3 cells: 5 s, 64^3: more than a laptop holds).  There the same
equations are iterated, BiCGSTAB (van der Vorst 1992, SIAM J. Sci. Stat. Comput. 13, 631) after symmetric Gauss-Seidel, from
the state on half the cells: 64^3 cells take some 4 s.  Where it does not converge the factors are tried after all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
import scipy.sparse.linalg as sparse_linalg
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.sparse.csgraph import connected_components

from dynlab.errors import SingularProblem
from dynlab.kernels import fluxes
from dynlab.status import Status
from dynlab.stochastic.generator.coefficients import Coefficients
from dynlab.stochastic.generator.generator import Generator
from dynlab.stochastic.generator.grid import Grid

__all__ = ["Stationary", "error_between", "stationary_state"]

Array = NDArray[np.float64]

#: So many cells are solved densely without a subtraction.
FEW = 256
#: The cell taken out must not be emptier than this beside the fullest: else its column cancels.
EMPTY = 1e-6
#: The fullest cell is looked for so often.
TRIALS = 4
#: More cells than these of three states are iterated, in so many steps, until so little is left.
MANY, STEPS, LEFT = 1 << 14, 600, 1e-13
#: Flows below this come from rates that were kept from underflow (`dynlab.kernels.fluxes`).
NO_FLOW = 1e-90
#: A chain in pieces shows as a residual that is not rounding.
WRONG = 1e-9


@dataclass(frozen=True)
class Stationary:
    """The stationary probabilities of the cells of a generator.

    Attributes
    ----------
    generator
        The generator.
    probability
        The probability of each cell; they sum to one.
    residual
        The largest net change of a cell, relative to what flows through it at most.
    coarse
        The same on half the cells along each axis; None on few cells.
    """

    generator: Generator
    probability: Array
    residual: float
    coarse: Stationary | None = None

    @property
    def density(self) -> Array:
        """The density at the middles of the cells."""
        grid = self.generator.grid
        return self.probability.reshape(grid.cells) / grid.volume


def stationary_state(coefficients: Coefficients, grid: Grid) -> Stationary:
    """Return the stationary state on a grid, and on its coarser ones.

    Raises
    ------
    SingularProblem
        If probability does not get from each cell to every other.
    """
    generator = Generator.of(coefficients, grid)
    if not any(np.any((e.forward > 0) & (e.backward > 0)) for e in generator.edges):
        raise SingularProblem(
            f"the noise is zero everywhere on {grid!r}, and without noise there is no density but points. Give an "
            "amplitude, or look for attractors with dl.find_attractors.",
            status=Status.SINGULAR,
        )
    coarse = None
    if grid.size > FEW and min(grid.cells) >= 4:
        coarse = stationary_state(coefficients, grid.halved())
    potential = generator.potential
    if potential is not None:
        weight = np.exp(potential.min() - potential)
        # Beyond 1e-308 of the peak a double holds no number; the state is positive there too.
        probability = np.maximum(weight, np.finfo(float).tiny)
    elif coarse is None and grid.size <= FEW:
        probability = _dense(generator)
    else:
        probability = _sparse(generator, _peak_of(coarse, grid), coarse)
    probability /= probability.sum()
    return Stationary(generator, probability, _certified(generator, probability), coarse)


def error_between(state: Stationary) -> float:
    """Return the distance in L1 of a density to the true one on its box, estimated from half the cells.

    Second-order differences leave a third of the change, first-order ones all of it.
    """
    if state.coarse is None:
        return float("nan")
    fine, coarse = state.density, state.coarse.density
    for axis, name in enumerate(state.generator.grid.names):
        at = state.coarse.generator.grid.centres(name)
        fine = CubicSpline(state.generator.grid.centres(name), fine, axis=axis)(at)
    change = float(np.abs(fine - coarse).sum() * state.coarse.generator.grid.volume)
    is_second = not any(np.isnan(e.rise).any() for e in state.generator.edges)
    return change / 3 if is_second else change


def _peak_of(coarse: Stationary | None, grid: Grid) -> int:
    """Return the cell where the density of the coarser grid is largest."""
    if coarse is None:
        return grid.size // 2
    place = np.unravel_index(np.argmax(coarse.probability), coarse.generator.grid.cells)
    found = [min(2 * int(k) + 1, n - 1) for k, n in zip(place, grid.cells, strict=True)]
    return int(np.ravel_multi_index(found, grid.cells))


def _dense(generator: Generator) -> Array:
    order = _from_where_all_end(generator)
    rates = np.ascontiguousarray(generator.matrix.toarray().T[np.ix_(order, order)])
    np.fill_diagonal(rates, 0.0)
    found = np.empty(len(rates))
    if fluxes.eliminate(rates, found):
        raise _in_pieces(generator)
    answer = np.empty_like(found)
    answer[order] = found
    return np.maximum(answer, np.finfo(float).tiny)


def _from_where_all_end(generator: Generator) -> NDArray[np.intp]:
    """Return the cells in an order that begins with one which is reached from all: the last to be eliminated.

    Where a state has no noise, cells that its drift only leaves are never come back to.
    """
    entries = generator.matrix.tocoo()
    entries.eliminate_zeros()
    count, piece = connected_components(entries.T, directed=True, connection="strong")
    leaves = np.zeros(count, bool)
    leaves[piece[entries.col[piece[entries.row] != piece[entries.col]]]] = True
    ends = np.flatnonzero(~leaves)
    if ends.size > 1:
        raise _in_pieces(generator)
    return np.argsort(piece != ends[0], kind="stable")


def _sparse(generator: Generator, cell: int, coarse: Stationary | None) -> Array:
    matrix = generator.matrix
    n = matrix.shape[0]
    is_large = len(generator.grid.cells) > 2 and n > MANY
    for _ in range(TRIALS):
        kept = np.delete(np.arange(n), cell)
        rest = (-matrix[:, kept][kept]).tocsc()
        right = matrix[:, [cell]].toarray().ravel()[kept]
        found = (
            _iterated(rest, right, _first(coarse, generator.grid, cell)[kept]) if is_large else None
        )
        if found is None:
            try:
                found = _factors(rest).solve(right)
            except RuntimeError as error:
                raise _in_pieces(generator) from error
        answer = np.ones(n)
        answer[kept] = found
        fullest = int(np.argmax(answer))
        if answer[cell] >= EMPTY * answer[fullest]:
            break
        cell = fullest
    if not np.all(np.isfinite(answer)) or answer.min() < -WRONG * answer.max():
        raise _in_pieces(generator)
    return np.maximum(answer, np.finfo(float).tiny)


def _factors(rest: sparse.csc_matrix) -> sparse_linalg.SuperLU:
    return sparse_linalg.splu(
        rest,
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        relax=1,
        panel_size=1,
        options={"SymmetricMode": True},
    )


def _iterated(rest: sparse.csc_matrix, right: Array, first: Array) -> Array | None:
    """Return the solution of the equations of minus an M-matrix by iteration; None if it does not converge."""
    diagonal = rest.diagonal()
    if not diagonal.min() > 0:
        return None
    # A triangle is its own factor: nothing fills.
    lower, upper = (
        sparse_linalg.splu(part, permc_spec="NATURAL", diag_pivot_thresh=0.0)
        for part in (sparse.tril(rest, format="csc"), sparse.triu(rest, format="csc"))
    )
    before = sparse_linalg.LinearOperator(
        rest.shape, matvec=lambda r: upper.solve(diagonal * lower.solve(r)), dtype=float
    )
    with np.errstate(all="ignore"):
        found, failed = sparse_linalg.bicgstab(
            rest, right, x0=first, M=before, rtol=LEFT, maxiter=STEPS
        )
    if failed or not np.all(np.isfinite(found)):
        return None
    return np.asarray(found, float)


def _first(coarse: Stationary | None, grid: Grid, cell: int) -> Array:
    """Return what a state on half the cells says, beside what it says of one cell."""
    if coarse is None:
        return np.zeros(grid.size)
    half = coarse.generator.grid.cells
    nearest = [np.arange(n) * m // n for n, m in zip(grid.cells, half, strict=True)]
    found: Array = coarse.probability.reshape(half)[np.ix_(*nearest)].ravel()
    return np.asarray(found / max(found[cell], np.finfo(float).tiny))


def _certified(generator: Generator, probability: Array) -> float:
    matrix = generator.matrix
    through = float((-matrix.diagonal() * probability).max())
    change = float(np.abs(matrix @ probability).max())
    # In wells too deep for doubles nothing flows at all.
    residual = change / through if through > NO_FLOW else 0.0
    if not residual < WRONG:
        raise _in_pieces(generator)
    return residual


def _in_pieces(generator: Generator) -> SingularProblem:
    return SingularProblem(
        f"the stationary state on {generator.grid!r} is not unique: probability does not get from each cell to "
        "every other. Give noise to more states, a grid around one attractor only, or finer cells where the drift is steep.",
        status=Status.SINGULAR,
    )
