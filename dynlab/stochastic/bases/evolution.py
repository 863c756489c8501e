"""A density that moves in a basis."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.distributions import density_of
from dynlab.errors import AccuracyWarning, SettingError
from dynlab.names import finite
from dynlab.plotting import draw_density, draw_distributions, draw_legend, label
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.stochastic.bases.basis import Basis
from dynlab.stochastic.bases.density import RESOLVED, SpectralDensity
from dynlab.stochastic.bases.expansion import Resolution, contracted, resolutions
from dynlab.stochastic.bases.factors import shifted_solver
from dynlab.stochastic.bases.fit import fitted_basis
from dynlab.stochastic.bases.matrix import generator_matrix
from dynlab.stochastic.generator.coefficients import coefficients_of
from dynlab.stochastic.generator.propagate import advanced
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SpectralEvolution", "expanded_evolution"]

Array = NDArray[np.float64]
Solve = Callable[[Array], Array]

#: Places over cells where a distribution is laid out to be expanded.
FINER = 16


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SpectralEvolution(Result):
    """A density at several times in a basis of functions; made by `evolve_density`.

    Attributes
    ----------
    system
        The system.
    basis
        The functions, with the scales that were chosen.
    times
        The times.
    coefficients
        The coefficients, the times along the first axis.
    coarse
        Those found with a tenth of the functions left out along each state.
    status
        ``Status.UNRESOLVED`` if the coarse density differs by more than 1e-3 at one of the times.
    provenance
        Where it came from.
    """

    system: System
    basis: Basis
    times: Array
    coefficients: Array
    coarse: Array
    status: Status
    provenance: Provenance

    def __getitem__(self, name: str) -> Array:
        """Return the places along an axis, or the times ``"t"``."""
        return self.times if name == "t" else self.basis.cells.centres(name)

    @property
    def values(self) -> Array:
        """The density at the middles of the cells of the basis, the times along the first axis."""
        full = resolutions(self.basis)[0]
        return np.stack([full.values(c) for c in self.coefficients])

    @property
    def mass(self) -> Array:
        """The integral at each time; it stays within the error."""
        return self._moments({})

    @property
    def errors(self) -> Array:
        """Distance in L1 to the coarse density at each time."""
        full, volume = resolutions(self.basis)[0], self.basis.cells.volume
        apart = [np.abs(full.values(c)).sum() for c in self.coefficients - self.coarse]
        return np.array(apart) * volume

    def mean(self, name: str) -> Array:
        """Return the mean of a state at each time."""
        return self._moments({name: 1})

    def variance(self, name: str) -> Array:
        """Return the variance of a state at each time."""
        return self._moments({name: 2}) - self.mean(name) ** 2

    def at(self, time: float) -> SpectralDensity:
        """Return the density at one of the times.

        Raises
        ------
        SettingError
            If the density was not asked for at that time.
        """
        k = int(np.argmin(np.abs(self.times - time)))
        if abs(self.times[k] - time) > 1e-9 * max(1.0, abs(time)):
            raise SettingError(
                f"the density of {self.system.name!r} was not asked for at t = {time:g}; the nearest time is "
                f"{self.times[k]:g}. Name it in at= of dl.evolve_density."
            )
        density = SpectralDensity(
            self.system, self.basis, self.coefficients[k], self.coarse[k], float("nan"), {}, Status.OK,
            self.provenance,
        )  # fmt: skip
        return replace(
            density, status=Status.OK if density.error <= RESOLVED else Status.UNRESOLVED
        )

    def to_table(self) -> dict[str, Array]:
        """Return one row for each time and cell."""
        names = self.basis.names
        mesh = np.meshgrid(self.times, *(self[n] for n in names), indexing="ij")
        table = {n: m.ravel() for n, m in zip(("t", *names), mesh, strict=True)}
        return table | {"density": self.values.ravel()}

    def plot(self, ax: Axes | None = None, *, at: Sequence[float] | None = None) -> Axes:
        """Draw the density of the first state over time, or as curves at some of the times."""
        name = self.basis.names[0]
        cells = self.basis.cells
        others = tuple(range(2, len(cells.names) + 1))
        rows = self.values.sum(axis=others) * cells.volume / cells.widths[0]
        text, time = label(name, self.system.unit_of(name)), label("t", self.system.unit_of("t"))
        if at is None:
            edges = np.linspace(cells.low[0], cells.high[0], cells.cells[0] + 1)
            return draw_density(ax, self.times, edges, np.maximum(rows, 0.0), labels=(time, text))
        places = [int(np.argmin(np.abs(self.times - t))) for t in at]
        names = [f"t = {self.times[k]:.3g}" for k in places]
        ax = draw_distributions(ax, self[name], rows[places], names, labels=(text, "density"))
        return draw_legend(ax)

    def _moments(self, powers: Mapping[str, int]) -> Array:
        full = resolutions(self.basis)[0]
        return np.array([full.moment(c, powers) for c in self.coefficients])

    def __repr__(self) -> str:
        return (
            f"<density of {self.system.name} in {self.basis!r}: {self.status}>\n {len(self.times)} times from "
            f"{self.times[0]:g} to {self.times[-1]:g}; error in L1 at most {self.errors.max():.1g}"
        )


def expanded_evolution(system: System, basis: Basis, start: Any, times: Array) -> SpectralEvolution:
    """Return the density at ascending times in a basis.

    Warns
    -----
    AccuracyWarning
        If the basis does not resolve it at some of the times.

    Raises
    ------
    SettingError
        If the functions do not suit the states, or the start is no distribution of each.
    """
    began = perf_counter()
    coefficients = coefficients_of(system)
    found = fitted_basis(system, basis)
    full, few = resolutions(found)
    rows = []
    for resolution in (full, few):
        matrix = generator_matrix(coefficients, resolution.axes)

        def invert(shift: float, matrix: Any = matrix, shape: Any = resolution.shape) -> Any:
            solve = shifted_solver(matrix, 1 / shift, shape)
            return lambda right: solve(right) / -shift

        first = _expanded(system, found, resolution, start)
        rows.append(_moved(invert, first, times).reshape(times.size, *resolution.shape))
    coarse = np.stack([full.padded(few, c) for c in rows[1]])
    run = SpectralEvolution(
        system, found, times, rows[0], coarse, Status.OK,
        Provenance("evolve_density", system, {"grid": repr(basis)}, seconds=perf_counter() - began),
    )  # fmt: skip
    errors = run.errors
    if errors.max() <= RESOLVED:
        return run
    late = times[errors > RESOLVED]
    warnings.warn(
        f"the density of {system.name!r} is not resolved by {found!r} at {late.size} of {times.size} times, from "
        f"t = {late[0]:g} to {late[-1]:g}: with a tenth of the functions left out it differs by {errors.max():.2g} in "
        "L1. Give more functions, a wider start, or cells: dl.Grid(...).",
        AccuracyWarning,
        stacklevel=3,
    )
    return replace(run, status=Status.UNRESOLVED)


def _moved(invert: Callable[[float], Solve], state: Array, times: Array) -> Array:
    """Return the coefficients at ascending times, from what solves ``(1 - g L) x = b`` for a g."""
    solvers: dict[float, Solve] = {}
    rows, now = np.empty((times.size, state.size)), 0.0
    for row, time in enumerate(times):
        if time > now:
            state, now = advanced(invert, state, float(time) - now, solvers), float(time)
        rows[row] = state
    return rows


def _expanded(system: System, basis: Basis, resolution: Resolution, start: Any) -> Array:
    """Return the coefficients of a start."""
    if isinstance(start, SpectralDensity):
        if start.basis != basis:
            raise SettingError(
                f"the start is a density in {start.basis!r}, and the basis is {basis!r}. Give the same: "
                "grid=start.basis."
            )
        tables = [
            t @ a.duals(basis.cells.centres(n)).T * w
            for n, t, a, w in zip(basis.names, resolutions(basis)[0].tables, resolution.axes,
                                  basis.cells.widths, strict=True)
        ]  # fmt: skip
        return contracted(start.coefficients, tables).ravel()
    if not isinstance(start, Mapping) or set(start) != set(basis.names):
        raise SettingError(
            f"start is {start!r}; give a place or a distribution for each of {', '.join(basis.names)} of "
            f"{system.name!r}, or a density."
        )
    joint = np.ones(1)
    for axis, name in zip(resolution.axes, basis.names, strict=True):
        given, cells = start[name], basis.only(name).cells
        if isinstance(given, int | float | np.number):
            row = axis.duals(np.array([finite(given, f"start[{name!r}]")]))[:, 0]
        else:
            fine = cells.with_cells((FINER * cells.size,))
            values = np.asarray(density_of(given)(fine.centres(name)), float)
            row = axis.duals(fine.centres(name)) @ values * fine.volume
        joint = np.multiply.outer(joint, row).reshape(-1)
    return joint
