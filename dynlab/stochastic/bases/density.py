"""The stationary density in a basis, and what certifies it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import AccuracyWarning, SettingError
from dynlab.plotting import draw_distribution, draw_distribution_map, label
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.stochastic.bases.basis import Basis
from dynlab.stochastic.bases.expansion import Resolution, contracted, resolutions
from dynlab.stochastic.bases.factors import null_vector
from dynlab.stochastic.bases.fit import fitted_basis
from dynlab.stochastic.bases.identities import identities
from dynlab.stochastic.bases.matrix import generator_matrix
from dynlab.stochastic.bases.schroedinger import stationary_values
from dynlab.stochastic.bases.sinc import Sinc
from dynlab.stochastic.generator.coefficients import Coefficients, coefficients_of
from dynlab.stochastic.generator.grid import Grid
from dynlab.stochastic.generator.peaks import peaks
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RESOLVED", "SpectralDensity", "expanded_density"]

Array = NDArray[np.float64]

#: An expansion whose coarse answer differs by more than this in L1, or whose moments break an identity by more, is
#: said not to be resolved.
RESOLVED, OBEYED = 1e-3, 1e-4
#: Places along a line where a density is drawn, and the share of the peak that is seen there; steps, in cells, of the
#: parabolas that find a peak.
DRAWN, SEEN, STEPS = 401, 1e-4, (0.1, 0.01)
#: A moment off by more than this of what it would be without its signs is warned of; the highest power looked at.
DOUBTED, HIGHEST = 1e-2, 30


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SpectralDensity(Result):
    """A probability density in a basis of functions; made by `stationary_density` and `evolve_density`.

    ``density["x"]`` are places along an axis, ``density.values`` the density there, and ``density.at(x=0.3)`` the
    density anywhere.  It may be negative where it is small: `lowest` and `negative_mass` say how much.

    Attributes
    ----------
    system
        The system.
    basis
        The functions, with the scales that were chosen.
    coefficients
        The coefficients, along each axis those of one state.
    coarse
        The coefficients found with a tenth of the functions left out along each state.
    residual
        What is left of the rate zero: 0 for the exact state.
    identities
        E[L' g] for polynomials g, by name, relative to its terms: 0 for the exact state, and not imposed.
    status
        ``Status.UNRESOLVED`` if the coarse density differs by more than 1e-3, or an identity is off by more than 1e-4.
    provenance
        Where it came from.
    """

    system: System
    basis: Basis
    coefficients: Array
    coarse: Array
    residual: float
    identities: Mapping[str, float]
    status: Status
    provenance: Provenance

    def __getitem__(self, name: str) -> Array:
        """Return the places along an axis where `values` are."""
        return self.cells.centres(name)

    @property
    def cells(self) -> Grid:
        """Cells that resolve the functions; the density is drawn and integrated at their middles."""
        return self.basis.cells

    @property
    def values(self) -> Array:
        """The density at the middles of the cells, in the order of the axes."""
        return _resolution(self.basis).values(self.coefficients)

    def at(self, **places: float) -> float:
        """Return the density at a place: one number for each state.

        Raises
        ------
        SettingError
            If a state has no place.
        """
        if set(places) != set(self.basis.names):
            raise SettingError(
                f"the place names {', '.join(places) or 'nothing'}; the density is one of "
                f"{', '.join(self.basis.names)}. Give each a number."
            )
        axes = _resolution(self.basis).axes
        points = [np.array([float(places[n])]) for n in self.basis.names]
        tables = [a.functions(x) for a, x in zip(axes, points, strict=True)]
        return float(contracted(self.coefficients, tables).ravel()[0])

    @property
    def mass(self) -> float:
        """The integral over all places."""
        return self.moment()

    @property
    def error(self) -> float:
        """Distance in L1 to the coarse density: how uncertain this one is, at most, once it converges."""
        apart = _resolution(self.basis).values(self.coefficients - self.coarse)
        return float(np.abs(apart).sum() * self.cells.volume)

    @property
    def lowest(self) -> float:
        """The smallest value, relative to the largest; negative where the expansion is not long enough."""
        values = self.values
        return float(values.min() / values.max())

    @property
    def negative_mass(self) -> float:
        """The integral over the places where it is negative."""
        values = self.values
        return float(np.maximum(-values, 0.0).sum() * self.cells.volume)

    @property
    def maxima(self) -> tuple[dict[str, float], ...]:
        """Where the density is largest nearby, the highest first; peaks below its error are not listed."""
        found = peaks(self.values, self.cells, max(1e-6, self.error, -10 * self.lowest))
        return tuple(self._refined(peak) for peak in found)

    def moment(self, **powers: int) -> float:
        """Return the mean of a product of powers, such as ``moment(x=2)`` or ``moment(x=1, y=1)``."""
        found = _resolution(self.basis).moment(self.coefficients, powers)
        if powers and self.moment_error(**powers) > DOUBTED * self._size(powers):
            text = " ".join(n if k == 1 else f"{n}^{k}" for n, k in powers.items())
            warnings.warn(
                f"the mean of {text} of {self.system.name!r} is {found:.6g} in {self.basis!r}, and "
                f"{self.moment_error(**powers):.2g} away with a tenth of the functions left out. It is not resolved, or "
                "does not exist because the density falls like a power.",
                AccuracyWarning,
                stacklevel=2,
            )
        return found

    def moment_error(self, **powers: int) -> float:
        """Return how far the same moment of the coarse density is from this one."""
        return abs(_resolution(self.basis).moment(self.coefficients - self.coarse, powers))

    def resolved_power(self, name: str) -> int:
        """Return up to which power of a state all means are resolved to a hundredth, 30 at most.

        Where the density falls like a power, higher means may not exist; 0 for an angle.
        """
        alone = self.marginal(name)
        if alone.cells.is_periodic(0):
            return 0
        values, powers = np.abs(alone.values) * alone.cells.volume, np.arange(1, HIGHEST + 1)
        sizes = values @ np.abs(alone[name])[:, None] ** powers
        errors = np.array([alone.moment_error(**{name: int(k)}) for k in powers])
        doubted = np.flatnonzero(errors > DOUBTED * sizes)
        return int(powers[doubted[0]] - 1) if doubted.size else HIGHEST

    def mean(self, name: str) -> float:
        """Return the mean of a state."""
        return self.moment(**{name: 1})

    def variance(self, name: str) -> float:
        """Return the variance of a state."""
        return self.moment(**{name: 2}) - self.mean(name) ** 2

    def marginal(self, *names: str) -> SpectralDensity:
        """Return the density of some of the states, whatever the others."""
        part = self.basis.only(*names)
        resolution = _resolution(self.basis)
        tables = [
            np.eye(a.size) if n in names else t.sum(axis=1)[:, None] * w
            for n, a, t, w in zip(self.basis.names, resolution.axes, resolution.tables,
                                  resolution.cells.widths, strict=True)
        ]  # fmt: skip
        shape = tuple(
            t.shape[1] for n, t in zip(self.basis.names, tables, strict=True) if n in names
        )
        fine, coarse = (
            contracted(c, tables).reshape(shape) for c in (self.coefficients, self.coarse)
        )
        return replace(self, basis=part, coefficients=fine, coarse=coarse)

    def _size(self, powers: Mapping[str, int]) -> float:
        """Return the mean of the modulus of a product of powers."""
        weight = np.abs(self.values) * self.cells.volume
        for k, name in enumerate(self.basis.names):
            shape = [1] * weight.ndim
            shape[k] = -1
            weight = weight * np.abs(self[name] ** powers.get(name, 0)).reshape(shape)
        return float(weight.sum())

    def _refined(self, peak: dict[str, float]) -> dict[str, float]:
        """Return a peak at the top of ever smaller parabolas."""
        found = dict(peak)
        for step in STEPS:
            for name, width in zip(self.basis.names, self.cells.widths, strict=True):
                low, here, high = (
                    self.at(**(found | {name: found[name] + by * step * width}))
                    for by in (-1, 0, 1)
                )
                bend = low - 2 * here + high
                shift = 0.5 * (low - high) / bend if bend < 0 else 0.0
                found[name] += step * width * float(np.clip(shift, -1 / step, 1 / step))
        return found

    def to_table(self) -> dict[str, Array]:
        """Return one row for each cell: its middle and the density."""
        mesh = np.meshgrid(*(self[n] for n in self.basis.names), indexing="ij")
        table = {n: m.ravel() for n, m in zip(self.basis.names, mesh, strict=True)}
        return table | {"density": self.values.ravel()}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the density over its first state, or over its first two."""
        names = self.basis.names
        if len(names) > 2:
            return self.marginal(*names[:2]).plot(ax)
        texts = [label(n, self.system.unit_of(n)) for n in names]
        places = [self._drawn(n) for n in names]
        axes = _resolution(self.basis).axes
        tables = [a.functions(x) for a, x in zip(axes, places, strict=True)]
        values = contracted(self.coefficients, tables)
        if len(names) == 1:
            return draw_distribution(ax, places[0], values, labels=(texts[0], "density"))
        return draw_distribution_map(
            ax,
            places[0],
            places[1],
            np.maximum(values, 0.0),
            labels=(texts[0], texts[1], "density"),
        )

    def _drawn(self, name: str) -> Array:
        """Return places from the first to the last where anything is seen."""
        values = self.marginal(name).values
        seen = self[name][values > SEEN * values.max()]
        return np.linspace(seen[0], seen[-1], DRAWN)

    def __repr__(self) -> str:
        worst = max(map(abs, self.identities.values()), default=float("nan"))
        powers = ", ".join(f"{n}^{k}" for n in self.basis.names if (k := self.resolved_power(n)))
        return (
            f"<density of {self.system.name} in {self.basis!r}: {self.status}>\n error in L1 about {self.error:.1g}, "
            f"identities to {worst:.1g}, negative mass {self.negative_mass:.1g}, means resolved to {powers or 'none'}"
        )


def expanded_density(system: System, basis: Basis) -> SpectralDensity:
    """Return the stationary density in a basis.

    Warns
    -----
    AccuracyWarning
        If the basis does not resolve it.

    Raises
    ------
    SettingError
        If the functions do not suit the states.
    SingularProblem
        If no scale is given and no stationary density is found.
    NotConverged
        If the state is not unique.
    """
    began = perf_counter()
    coefficients = coefficients_of(system)
    found = fitted_basis(system, basis)
    full, few = resolutions(found)
    fine, residual = _stationary(coefficients, full)
    coarse, _ = _stationary(coefficients, few)
    density = SpectralDensity(
        system=system,
        basis=found,
        coefficients=fine,
        coarse=full.padded(few, coarse),
        residual=residual,
        identities=identities(coefficients, full.cells, full.values(fine)),
        status=Status.OK,
        provenance=Provenance(
            "stationary_density", system, {"grid": repr(basis)}, seconds=perf_counter() - began
        ),
    )
    return checked_density(density)


def checked_density(density: SpectralDensity) -> SpectralDensity:
    """Return a density with its status, and warn if it is not resolved."""
    error, worst = density.error, max(map(abs, density.identities.values()))
    if error <= RESOLVED and worst <= OBEYED:
        return density
    warnings.warn(
        f"the density of {density.system.name!r} is not resolved by {density.basis!r}: with a tenth of the functions "
        f"left out it differs by {error:.2g} in L1, and identities of its moments are off by {worst:.2g}. Give more functions, or cells: dl.Grid(...). If the error does not "
        "fall, the density may fall like a power, and some of its moments not exist.",
        AccuracyWarning,
        stacklevel=4,
    )
    return replace(density, status=Status.UNRESOLVED)


def _stationary(coefficients: Coefficients, resolution: Resolution) -> tuple[Array, float]:
    """Return the coefficients of unit mass, and what is left of the rate zero."""
    families = resolution.basis.axes
    if len(families) == 1 and isinstance(families[0], Sinc):
        points = families[0].points(coarse=resolution.is_coarse)
        return stationary_values(coefficients, points), 0.0
    matrix = generator_matrix(coefficients, resolution.axes)
    vector, rate = null_vector(matrix, resolution.shape)
    table = vector.reshape(resolution.shape)
    return table / resolution.moment(table, {}), rate


def _resolution(basis: Basis) -> Resolution:
    return resolutions(basis)[0]
