"""stationary_density: where a noisy system is found after a long time."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import AccuracyWarning, SettingError, UnknownNameError
from dynlab.plotting import draw_distribution, draw_distribution_map, label
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.stochastic.bases.basis import Basis
from dynlab.stochastic.bases.density import SpectralDensity, expanded_density
from dynlab.stochastic.generator.box import mass_outside, suitable_grid
from dynlab.stochastic.generator.coefficients import coefficients_of
from dynlab.stochastic.generator.grid import Absorbing, Grid
from dynlab.stochastic.generator.peaks import peaks
from dynlab.stochastic.generator.stationary import Stationary, error_between, stationary_state
from dynlab.symbolic.quantities import Domain
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Density", "checked_grid", "stationary_density"]

Array = NDArray[np.float64]

#: A moment of which more than this share stands at the ends of a box that was chosen by itself is warned of.
DOUBTED = 1e-2


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Density(Result):
    """A probability density on the cells of a grid; made by `stationary_density` and `evolve_density`.

    ``density["x"]`` are the middles of the cells along an axis, ``density.values`` the density there.

    Attributes
    ----------
    system
        The system.
    grid
        The cells.
    values
        The density at their middles, in the order of the axes.
    residual
        The largest net change of a cell, relative to the largest flow through one: rounding.
    error
        Estimated distance in L1 to the true density on this box, from a solution on half the cells.
    outside
        Estimated mass outside the box, from a box twice as wide; nan if the grid was given.
    rates
        The rate at which probability passes each end that takes it, such as ``{"v high": 9.46}``.
    provenance
        Where it came from.
    """

    system: System
    grid: Grid
    values: Array
    residual: float
    error: float
    outside: float
    rates: Mapping[str, float]
    provenance: Provenance

    @property
    def status(self) -> Status:
        """How it ended."""
        return Status.OK

    def __getitem__(self, name: str) -> Array:
        """Return the middles of the cells along an axis."""
        return self.grid.centres(name)

    @property
    def mass(self) -> float:
        """The integral over the grid."""
        return float(self.values.sum() * self.grid.volume)

    @property
    def maxima(self) -> tuple[dict[str, float], ...]:
        """Where the density is largest nearby, the highest first; parabolas between the cells."""
        return tuple(peaks(self.values, self.grid))

    def moment(self, **powers: int) -> float:
        """Return the mean of a product of powers, such as ``moment(x=2)`` or ``moment(x=1, y=1)``.

        Warns
        -----
        AccuracyWarning
            If the ends of a box that was chosen by itself decide about it, so that a larger one gives another.
        """
        weight = self.values * self.grid.volume
        for name, power in powers.items():
            weight = weight * _along(self.grid.centres(name) ** power, self.grid, name)
        found = float(weight.sum())
        share = self._at_the_ends(np.abs(weight), powers)
        if share > DOUBTED:
            text = " ".join(n if k == 1 else f"{n}^{k}" for n, k in powers.items())
            warnings.warn(
                f"the mean of {text} of {self.system.name!r} is {found:.6g} on {self.grid!r}, and {100 * share:.2g} % of it "
                "stand in the outer tenths of the box: a larger one gives another. Give a larger grid=dl.Grid(...); if the "
                "mean then grows, it does not exist, because the density falls like a power.",
                AccuracyWarning,
                stacklevel=2,
            )
        return found

    def _at_the_ends(self, weight: Array, powers: Mapping[str, int]) -> float:
        """Return the share of a weight in the outer tenths of a box that was chosen, along states that powers are of."""
        if not np.isfinite(self.outside):
            return 0.0
        share = 0.0
        for name in powers:
            axis = self.grid.names.index(name)
            if self.grid.is_periodic(axis):
                continue
            others = tuple(k for k in range(weight.ndim) if k != axis)
            along = weight.sum(axis=others)
            outer = max(1, along.size // 10)
            is_positive = name in self.system.state_names and (
                self.system.domains[self.system.state_names.index(name)] is Domain.POSITIVE
            )
            ends = along[-outer:].sum() + (0.0 if is_positive else along[:outer].sum())
            share = max(share, float(ends / max(along.sum(), np.finfo(float).tiny)))
        return share

    def mean(self, name: str) -> float:
        """Return the mean of a state."""
        return self.moment(**{name: 1})

    def variance(self, name: str) -> float:
        """Return the variance of a state."""
        about = self.grid.centres(name) - self.mean(name)
        return float((self.values * _along(about**2, self.grid, name)).sum() * self.grid.volume)

    def marginal(self, *names: str) -> Density:
        """Return the density of some of the states, whatever the others."""
        for name in names:
            self.grid.centres(name)
        kept = [k for k, n in enumerate(self.grid.names) if n in names]
        others = tuple(k for k in range(len(self.grid.names)) if k not in kept)
        part = self.grid.only(tuple(kept))
        summed = self.values.sum(axis=others) * (self.grid.volume / part.volume)
        return replace(self, grid=part, values=summed)

    def to_table(self) -> dict[str, Array]:
        """Return one row for each cell: its middle and the density."""
        mesh = np.meshgrid(*(self.grid.centres(n) for n in self.grid.names), indexing="ij")
        table = {n: m.ravel() for n, m in zip(self.grid.names, mesh, strict=True)}
        return table | {"density": self.values.ravel()}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the density over its first state, or over its first two."""
        names = self.grid.names
        if len(names) > 2:
            return self.marginal(*names[:2]).plot(ax)
        texts = [label(n, self.system.unit_of(n)) for n in names]
        if len(names) == 1:
            return draw_distribution(ax, self[names[0]], self.values, labels=(texts[0], "density"))
        return draw_distribution_map(
            ax, self[names[0]], self[names[1]], self.values, labels=(texts[0], texts[1], "density")
        )

    def __repr__(self) -> str:
        peaks = "; ".join(
            ", ".join(f"{n} = {v:.4g}" for n, v in peak.items()) for peak in self.maxima[:4]
        )
        return (
            f"<density of {self.system.name} on {self.grid!r}:\n maxima at {peaks}; mass {self.mass:.12g}, "
            f"error in L1 about {self.error:.1g}>"
        )


@overload
def stationary_density(system: System, *, grid: Grid | None = None) -> Density: ...
@overload
def stationary_density(system: System, *, grid: Basis) -> SpectralDensity: ...
def stationary_density(
    system: System, *, grid: Grid | Basis | None = None
) -> Density | SpectralDensity:
    r"""Return the density of the state after a long time.

    .. math:: 0 = -\nabla \cdot (f p) + \sum_{kl} \partial_k \partial_l (D_{kl} p), \qquad D = \tfrac12 \sigma \sigma^T

    Finite volumes with exponentially fitted rates: the density is positive, its mass is one to rounding, and
    where the drift is a gradient (every system of one state on a line) it is the Gibbs density at the middles of the
    cells, however few.  Elsewhere the error falls with the square of the width of the cells, or with the width
    itself along states without noise of their own, and at walls that the density touches if noise is shared between
    states; `Density.error` estimates it.  Shared noise moves along whole directions of cells (Selling's
    decomposition of the diffusion matrix).

    Parameters
    ----------
    system
        A flow with noise, of one, two or three states.
    grid
        The cells and the walls at their ends.  If None the box is grown until the density does not reach its
        ends, angles are periodic, and positive states begin at zero.  Or a `Basis` of functions.

    Returns
    -------
    Density
        The density, with its residual and the estimates of its errors; a `SpectralDensity` in a basis, with its
        distance to a coarser one and exact identities of its moments.

    Warns
    -----
    AccuracyWarning
        If a basis does not resolve the density.

    Raises
    ------
    SingularProblem
        If the density cannot be normalised, or is not unique.
    SettingError
        If the axes of the grid are not the states, or probability is absorbed at an end.
    UnsupportedSystemError
        If there is no noise, or all of it comes from one source that moves along no line of cells; maps and
        networks.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def double_well(x=0.5):
    ...     return {x: x - x**3}
    >>> density = dl.stationary_density(double_well.with_noise(x=0.4))
    >>> sorted(round(peak["x"], 3) for peak in density.maxima)
    [-1.0, 1.0]
    >>> abs(density.mass - 1) < 1e-14
    True
    >>> abs(density.moment(x=4) - density.moment(x=2) - 0.08) < 1e-12    # D = 0.4**2 / 2
    True

    References
    ----------
    1. Scharfetter and Gummel 1969, IEEE Trans. Electron Devices 16, 64.
    2. Chang and Cooper 1970, J. Comput. Phys. 6, 1.
    3. Risken, The Fokker-Planck Equation, 2nd ed. 1989, chapters 5 and 6.
    4. Fehrenbach and Mirebeau 2014, J. Math. Imaging Vis. 49, 123.
    """
    if isinstance(grid, Basis):
        return expanded_density(system, grid)
    began = perf_counter()
    coefficients = coefficients_of(system)
    outside = float("nan")
    if grid is None:
        found = suitable_grid(system, coefficients)
        outside = mass_outside(coefficients, found, system)
    else:
        found = checked_grid(system, grid)
        _check_closed(system, found)
    state = stationary_state(coefficients, found)
    values, rates = _with_delays(state)
    return Density(
        system=system,
        grid=found,
        values=values,
        residual=state.residual,
        error=error_between(state),
        outside=outside,
        rates=rates,
        provenance=Provenance(
            "stationary_density", system, {"grid": repr(found)}, seconds=perf_counter() - began
        ),
    )


def checked_grid(system: System, grid: Grid) -> Grid:
    """Return a grid with its axes in the order of the states of a system.

    Raises
    ------
    SettingError
        If the axes are not the states.
    """
    if isinstance(grid, Basis):
        raise SettingError(
            f"grid is {grid!r}, and this question is asked of cells: give dl.Grid(x=(low, high, cells), ...). Functions "
            "answer dl.stationary_density, dl.generator_spectrum and dl.evolve_density; at a border where something is "
            "absorbed an answer has a kink, which they follow slowly and cells exactly."
        )
    if not isinstance(grid, Grid):
        raise SettingError(
            f"grid is {grid!r}; give dl.Grid(x=(low, high, cells), ...) or dl.Basis(x=dl.Hermite(40), ...)."
        )
    for name in grid.names:
        if name not in system.state_names:
            raise UnknownNameError(f"state of {system.name!r}", name, system.state_names)
    missing = [n for n in system.state_names if n not in grid.names]
    if missing:
        raise SettingError(
            f"the grid has no axis for {', '.join(missing)} of {system.name!r}. Give one for each state: "
            f"dl.Grid({', '.join(f'{n}=(low, high, cells)' for n in system.state_names)})."
        )
    return grid.only(tuple(grid.names.index(n) for n in system.state_names))


def _check_closed(system: System, grid: Grid) -> None:
    for name, walls in zip(grid.names, grid.walls, strict=True):
        if any(isinstance(w, Absorbing) for w in walls):
            raise SettingError(
                f"{system.name!r} has no stationary density on {grid!r}: all is absorbed at an end of {name!r} in the "
                "long run. Use dl.escape_time, dl.evolve_density or dl.generator_spectrum, or another wall."
            )


def _with_delays(state: Stationary) -> tuple[Array, dict[str, float]]:
    """Return the density and the rates through the ends, with what is on its way back taken off the mass."""
    rates, away = {}, 0.0
    for e in state.generator.exits:
        rate = float(e.rates @ state.probability[e.source])
        rates[f"{e.name} {e.side}"] = rate
        away += rate * e.after
    return state.density / (1 + away), {name: rate / (1 + away) for name, rate in rates.items()}


def _along(values: Array, grid: Grid, name: str) -> Array:
    shape = [1] * len(grid.names)
    shape[grid.names.index(name)] = -1
    return values.reshape(shape)
