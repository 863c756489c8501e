"""generator_spectrum: how fast a density forgets, and in which modes."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse.linalg as sparse_linalg
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal

from dynlab.errors import AccuracyWarning, NotConverged, SettingError
from dynlab.kernels import fluxes
from dynlab.plotting import draw_eigenvalue_plane
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.stochastic.bases.basis import Basis
from dynlab.stochastic.bases.fit import fitted_basis
from dynlab.stochastic.bases.rates import confirmed_rates
from dynlab.stochastic.densities.density import checked_grid
from dynlab.stochastic.generator.box import suitable_grid
from dynlab.stochastic.generator.coefficients import Coefficients, coefficients_of
from dynlab.stochastic.generator.generator import Generator
from dynlab.stochastic.generator.grid import Grid
from dynlab.stochastic.generator.romberg import ABSORBED, SMOOTH, extrapolated, levels
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["GeneratorSpectrum", "generator_spectrum"]

Array = NDArray[np.float64]

#: Rounding of rates from the inverse of a generator, relative to its largest rate; rates from grids and their halves
#: are paired if they are nearer than this share of their size.
ROUNDING, PAIRED = 1e-15, 0.3
#: Dense eigenvalues up to so many cells.
FEW = 400


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GeneratorSpectrum(Result):
    """The slowest decay rates of densities and their modes; made by `generator_spectrum`.

    Attributes
    ----------
    system
        The system.
    grid
        The cells, or the basis.
    rates
        The decay rates, slowest first; complex where modes rotate.  The first is 0 unless mass is lost.
    errors
        How uncertain each is: from the last step of the extrapolation, or, where nothing is extrapolated, its distance
        to a rate on half the cells and the rounding of the largest rate; nan if half the cells have none nearby.
    modes
        How each mode is spread over the cells, or its coefficients in the basis, the modes along the first axis; the
        largest value is 1.
    provenance
        Where it came from.
    doubtful
        Slow rates of a basis that fewer functions do not have: none of the generator, as far as is known.
    status
        ``Status.UNRESOLVED`` if there are such, or fewer rates than wanted, or if a rate beside the first is not told
        from zero by its error.
    """

    system: System
    grid: Grid | Basis
    rates: NDArray[Any]
    errors: Array
    modes: NDArray[Any]
    provenance: Provenance
    doubtful: NDArray[Any] = field(default_factory=lambda: np.zeros(0))
    status: Status = Status.OK

    @property
    def gap(self) -> float:
        """The slowest rate that is not zero: how fast the last memory of the start is lost; nan if none was asked for."""
        real = np.real(self.rates)
        forgets = real[real > 0]
        return float(forgets[0]) if forgets.size else float("nan")

    def to_table(self) -> dict[str, Array]:
        """Return one row for each rate."""
        return {
            "rate": np.real(self.rates),
            "frequency": np.abs(np.imag(self.rates)),
            "error": self.errors,
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the eigenvalues of the generator, minus the rates, in the complex plane."""
        return draw_eigenvalue_plane(ax, -np.asarray(self.rates, complex))

    def __repr__(self) -> str:
        listed = ", ".join(f"{r:.6g}" for r in self.rates[:6])
        return f"<spectrum of {self.system.name} on {self.grid!r}:\n decay rates {listed}>"


def generator_spectrum(
    system: System, *, count: int = 6, grid: Grid | Basis | None = None
) -> GeneratorSpectrum:
    r"""Return the slowest decay rates of densities.

    .. math:: p(x, t) = \sum_n c_n \phi_n(x) e^{-\lambda_n t}, \qquad L \phi_n = -\lambda_n \phi_n

    For one state between walls the rates are bisected to their own rounding, however small beside each other, on up
    to four grids, and extrapolated to cells of no width: a gap of 1e-100 has all its digits.  In more states, and on a
    ring, they come from the inverse of the generator near zero, on the grid as it is, and rounding is that of the
    largest rate: some 1e-15 of ``2 D / h**2`` along each state.

    Parameters
    ----------
    system
        A flow with noise.
    count
        How many rates.
    grid
        The cells and walls; if None, those that suit the stationary density.  Or a `Basis` of functions, in which each
        rate is given only if a coarser basis has it too.

    Returns
    -------
    GeneratorSpectrum
        Rates, their errors and the modes.

    Warns
    -----
    AccuracyWarning
        If a basis does not resolve so many rates, or rounding on a grid of several states hides one.

    Raises
    ------
    SettingError
        If the count is not a positive whole number below the number of cells.
    NotConverged
        If the eigenvalues of a large generator do not converge.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def decay(x=0.0):
    ...     return {x: -2 * x}
    >>> dl.generator_spectrum(decay.with_noise(x=1.0), count=4).rates.round(6)
    array([0., 2., 4., 6.])

    References
    ----------
    1. Risken, The Fokker-Planck Equation, 2nd ed. 1989, chapter 5.4.
    2. Fernando and Parlett 1994, Numer. Math. 67, 191.
    """
    began = perf_counter()
    coefficients = coefficients_of(system)
    found = _places(system, coefficients, grid)
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= found.size - 2:
        raise SettingError(f"count is {count!r}; give a whole number from 1 to {found.size - 2}.")
    if isinstance(found, Basis):
        return _in_functions(system, found, count, began)
    generators = [Generator.of(coefficients, g) for g in levels(found)]
    finest = generators[-1]
    if finest.is_chain:
        powers = SMOOTH if finest.is_closed else ABSORBED
        rates, errors = extrapolated([_chain_rates(g, count) for g in generators], powers)
        rates[0] *= not finest.is_closed
        modes = _chain_modes(finest, count)
        status = Status.OK
    else:
        rates, modes = _sparse_rates(finest, count)
        errors = _distances(finest, _halved_rates(coefficients, found, count), rates)
        status = _told(system, finest, rates)
    return GeneratorSpectrum(
        system=system,
        grid=found,
        rates=rates,
        errors=errors,
        modes=modes.reshape(count, *found.cells),
        provenance=Provenance(
            "generator_spectrum",
            system,
            {"grid": repr(found), "count": count},
            seconds=perf_counter() - began,
        ),
        status=status,
    )


def _places(system: System, coefficients: Coefficients, grid: Grid | Basis | None) -> Grid | Basis:
    if isinstance(grid, Basis):
        return fitted_basis(system, grid)
    return suitable_grid(system, coefficients) if grid is None else checked_grid(system, grid)


def _in_functions(system: System, basis: Basis, count: int, began: float) -> GeneratorSpectrum:
    rates, errors, modes, doubtful = confirmed_rates(system, basis, count)
    shape = tuple(a.axis(coarse=False).size for a in basis.axes)
    if doubtful.size or rates.size < count:
        warnings.warn(
            f"{basis!r} does not resolve {count} rates of {system.name!r}: {rates.size} are confirmed by another basis, "
            f"and {doubtful.size} that are no slower than these are not. Give more functions, or ask for fewer rates.",
            AccuracyWarning,
            stacklevel=3,
        )
    return GeneratorSpectrum(
        system=system,
        grid=basis,
        rates=rates,
        errors=errors,
        modes=modes.reshape(len(rates), *shape),
        provenance=Provenance(
            "generator_spectrum",
            system,
            {"grid": repr(basis), "count": count},
            seconds=perf_counter() - began,
        ),
        doubtful=doubtful,
        status=Status.UNRESOLVED if doubtful.size or rates.size < count else Status.OK,
    )


def _chain_rates(generator: Generator, count: int) -> Array:
    rates = np.empty(count)
    fluxes.slowest_rates(*generator.chain, rates)
    return rates


def _chain_modes(generator: Generator, count: int) -> Array:
    """Return the modes of a chain: eigenvectors of the symmetric matrix it is similar to."""
    up, down, _ = generator.chain
    _, vectors = eigh_tridiagonal(
        _losses(generator), -np.sqrt(up * down), select="i", select_range=(0, count - 1)
    )
    half = np.concatenate([[0.0], np.cumsum(0.5 * (np.log(up) - np.log(down)))])
    scaled: Array = vectors.T * np.exp(half - half.max())
    return _unit(scaled)


def _losses(generator: Generator) -> Array:
    """Return the rate at which each cell of a chain loses: minus the diagonal."""
    up, down, out = generator.chain
    total: Array = out.copy()
    total[:-1] += up
    total[1:] += down
    return total


def _sparse_rates(generator: Generator, count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    matrix = generator.matrix
    if matrix.shape[0] <= FEW:
        values, vectors = np.linalg.eig(matrix.toarray())
    else:
        # Just right of zero, where the shifted generator is still minus an M-matrix.
        shift = 1e-6 * float(np.abs(matrix.diagonal()).min())
        try:
            values, vectors = sparse_linalg.eigs(
                matrix, k=count + 2, sigma=shift, v0=np.ones(matrix.shape[0])
            )
        except sparse_linalg.ArpackNoConvergence as error:
            raise NotConverged(
                f"the eigenvalues on {generator.grid!r} did not converge. Ask for fewer, or give fewer cells.",
                status=Status.NOT_CONVERGED,
            ) from error
    order = np.lexsort((values.imag, np.round(-values.real, 10)))[:count]
    rates, modes = -values[order], vectors[:, order].T
    if generator.is_closed:
        rates[0] = 0.0
    if np.all(np.abs(rates.imag) <= 1e-9 * np.abs(rates).max()):
        return rates.real, _unit(modes.real)
    return rates, _unit(modes)


def _halved_rates(coefficients: Coefficients, grid: Grid, count: int) -> NDArray[Any]:
    """Return some more rates on half the cells; none if they are too few for as many."""
    half = grid.halved()
    if half.size < count + 4:
        return np.zeros(0)
    return _sparse_rates(Generator.of(coefficients, half), min(count + 2, half.size - 4))[0]


def _rounding(generator: Generator) -> float:
    return ROUNDING * float(np.abs(generator.matrix.diagonal()).max())


def _distances(generator: Generator, others: NDArray[Any], rates: NDArray[Any]) -> Array:
    """Return how far each rate is from the nearest of others, and its rounding; nan where none is near."""
    if not others.size:
        return np.full(rates.size, np.nan)
    apart = np.abs(rates[:, None] - others[None, :]).min(axis=1)
    is_paired = apart <= PAIRED * np.abs(rates) + _rounding(generator)
    return np.asarray(np.where(is_paired, apart + _rounding(generator), np.nan))


def _told(system: System, generator: Generator, rates: NDArray[Any]) -> Status:
    """Return whether each rate beside that of the stationary state is more than rounding, and warn if one is not."""
    first, hidden = int(generator.is_closed), _rounding(generator)
    if np.all(np.abs(rates[first:]) > hidden):
        return Status.OK
    warnings.warn(
        f"a rate of {system.name!r} on {generator.grid!r} is below {hidden:.2g}, the rounding of the largest one, and is "
        "not told from zero: its sign and digits mean nothing. Ask dl.escape_time for the time between the places "
        "instead, or dl.kramers_rate.",
        AccuracyWarning,
        stacklevel=3,
    )
    return Status.UNRESOLVED


def _unit(modes: NDArray[Any]) -> NDArray[Any]:
    top = np.argmax(np.abs(modes), axis=1)
    scaled: NDArray[Any] = modes / modes[np.arange(len(modes)), top][:, None]
    return scaled
