"""susceptibility: how the mean of a quantity answers a small oscillating force, from the generator alone."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sparse
import scipy.sparse.linalg as sparse_linalg
import sympy
from numpy.typing import ArrayLike, NDArray

from dynlab.errors import SettingError, UnknownNameError, UnsupportedSystemError
from dynlab.plotting import label, new_axes
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.stochastic.densities.density import checked_grid
from dynlab.stochastic.generator.box import suitable_grid
from dynlab.stochastic.generator.coefficients import coefficients_of, functions_of
from dynlab.stochastic.generator.edges import points_of
from dynlab.stochastic.generator.generator import Generator
from dynlab.stochastic.generator.grid import Grid
from dynlab.stochastic.generator.perturbation import perturbation
from dynlab.stochastic.generator.romberg import extrapolated, levels
from dynlab.stochastic.generator.stationary import stationary_state
from dynlab.symbolic.derivatives import derivative
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import symbol

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Susceptibility", "quantity_of", "solved_at", "susceptibility"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Asked = tuple[sympy.Expr, list[sympy.Expr]]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Susceptibility(Result):
    """The linear response of a mean to a small force; made by `susceptibility`.

    Attributes
    ----------
    system
        The system.
    of
        The state or observable whose mean answers.
    to
        The state that is pushed, or the parameter that is changed.
    grid
        The cells.
    frequencies
        Angular frequencies.
    values
        The susceptibility at each: of a force ``a exp(-i w t)`` the answer is ``values * a exp(-i w t)``.
    errors
        How uncertain they are, from the last step of the extrapolation over the width of the cells.
    provenance
        Where it came from.
    """

    system: System
    of: str
    to: str
    grid: Grid
    frequencies: Array
    values: Complex
    errors: Array
    provenance: Provenance

    @property
    def status(self) -> Status:
        """How it ended."""
        return Status.OK

    def to_table(self) -> dict[str, Array]:
        """Return one row for each frequency."""
        return {
            "frequency": self.frequencies,
            "real": self.values.real,
            "imaginary": self.values.imag,
            "error": self.errors,
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the part in phase with the force and the part a quarter turn behind."""
        unit = self.system.unit_of("t")
        ax = new_axes(
            ax,
            xlabel="angular frequency" + (f" (1/{unit})" if unit else ""),
            ylabel=f"response of {label(self.of)} to {label(self.to)}",
        )
        ax.plot(self.frequencies, self.values.real, linewidth=1.8, label="in phase")
        ax.plot(self.frequencies, self.values.imag, linewidth=1.8, label="a quarter turn behind")
        ax.legend(frameon=False)
        return ax

    def __repr__(self) -> str:
        k = int(np.argmax(np.abs(self.values)))
        return (
            f"<susceptibility of {self.of} of {self.system.name} to {self.to} on {self.grid!r}:\n "
            f"{len(self.frequencies)} frequencies, largest {abs(self.values[k]):.6g} at {self.frequencies[k]:.4g}>"
        )


def susceptibility(
    system: System, *, of: str, to: str, frequencies: ArrayLike, grid: Grid | None = None
) -> Susceptibility:
    r"""Return how the mean of a quantity answers a small oscillating force.

    .. math:: \chi(\omega) = \langle g, (-i\omega - L)^{-1} L' p \rangle

    where L' is the derivative of the generator by the force, exact for its rates, and p the stationary density.  A
    force ``a exp(-i w t)`` changes the mean by ``chi(w) a exp(-i w t)``.  In detailed balance, and with a force that is the
    gradient of the quantity, the imaginary part is w/2 times the spectrum of the fluctuations over the diffusion
    coefficient (the fluctuation-dissipation theorem), on the cells to rounding.

    Parameters
    ----------
    system
        A flow with noise.
    of
        A state or an observable.
    to
        A state that a force is added to, or a parameter of the drift.
    frequencies
        Angular frequencies; 0 gives the static response.
    grid
        The cells and walls, which let nothing pass; if None, those that suit the stationary density.

    Returns
    -------
    Susceptibility
        The complex response at each frequency, extrapolated to cells of no width.

    Raises
    ------
    UnknownNameError
        If there is no such state, observable or parameter.
    SettingError
        If the frequencies are not finite numbers.
    UnsupportedSystemError
        If the noise depends on the parameter, or probability passes an end.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def decay(x=0.0, *, theta=2.0):
    ...     return {x: -theta * x}
    >>> found = dl.susceptibility(decay.with_noise(x=1.0), of="x", to="x", frequencies=[0, 1])
    >>> found.values.round(6), 1 / (2 - 1j)
    (array([0.5+0.j , 0.4+0.2j]), (0.4+0.2j))

    References
    ----------
    1. Risken, The Fokker-Planck Equation, 2nd ed. 1989, chapter 7.
    2. Hanggi and Thomas 1982, Phys. Rep. 88, 207.
    """
    began = perf_counter()
    coefficients = coefficients_of(system)
    w = np.atleast_1d(np.asarray(frequencies, float)).ravel()
    if not w.size or not np.all(np.isfinite(w)):
        raise SettingError(f"frequencies is {frequencies!r}; give finite numbers, at least one.")
    asked = quantity_of(system, of), _push(system, to)
    found = suitable_grid(system, coefficients) if grid is None else checked_grid(system, grid)
    series = [_response(system, g, asked, w) for g in levels(found)]
    real, first = extrapolated([s.real for s in series])
    imaginary, second = extrapolated([s.imag for s in series])
    return Susceptibility(
        system=system,
        of=of,
        to=to,
        grid=found,
        frequencies=w,
        values=real + 1j * imaginary,
        errors=np.hypot(first, second),
        provenance=Provenance(
            "susceptibility",
            system,
            {"grid": repr(found), "of": of, "to": to},
            seconds=perf_counter() - began,
        ),
    )


def quantity_of(system: System, name: str) -> sympy.Expr:
    """Return the expression of a state or an observable."""
    if name in system.state_names:
        return symbol(name)
    for o in system.observables:
        if o.name == name:
            return o.expression
    raise UnknownNameError(
        f"state or observable of {system.name!r}",
        name,
        (*system.state_names, *system.observable_names),
    )


def _push(system: System, name: str) -> list[sympy.Expr]:
    """Return the derivative of the drift by the force."""
    if name in system.state_names:
        return [sympy.Integer(int(n == name)) for n in system.state_names]
    if name not in system.parameter_names:
        known = (*system.state_names, *system.parameter_names)
        raise UnknownNameError(f"state or parameter of {system.name!r}", name, known)
    own = symbol(name)
    if system.noise is not None and any(
        own in a.free_symbols for layer in system.noise.layers for a in layer.amplitudes
    ):
        raise UnsupportedSystemError(
            f"the noise of {system.name!r} depends on {name!r}, and the response is to forces. Name a parameter of the "
            "drift alone, or a state."
        )
    return [derivative(e, own) for e in system.rule]


def _response(system: System, grid: Grid, asked: Asked, frequencies: Array) -> Complex:
    coefficients = coefficients_of(system)
    state = stationary_state(coefficients, grid)
    generator = state.generator
    if generator.exits:
        raise UnsupportedSystemError(
            f"probability passes an end of {grid!r}, and the response is for closed boxes. Give reflecting or periodic "
            "walls."
        )
    quantity, push = asked
    values = functions_of(system, [quantity])(points_of(grid, np.arange(grid.size)))[:, 0]
    kick = perturbation(generator, coefficients, functions_of(system, push)) @ state.probability
    return np.array([values @ solved_at(generator, kick, float(w)) for w in frequencies], complex)


def solved_at(generator: Generator, source: Array, frequency: float) -> NDArray[Any]:
    """Return (-i w - L)^-1 source, where the source sums to zero."""
    matrix = -generator.matrix
    if frequency:
        shifted = matrix - 1j * frequency * sparse.identity(source.size, format="csc")
        return np.asarray(sparse_linalg.splu(shifted.tocsc()).solve(source.astype(complex)))
    # One equation is replaced by the sum: the rest follow from it.
    rows = matrix.tolil()
    rows[source.size // 2] = np.ones(source.size)
    right = source.copy()
    right[source.size // 2] = 0.0
    return np.asarray(sparse_linalg.splu(sparse.csc_matrix(rows)).solve(right))
