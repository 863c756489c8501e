"""evolve_density: how a density moves in time."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import AccuracyWarning, SettingError, UnsupportedSystemError
from dynlab.names import finite
from dynlab.plotting import draw_density, draw_distributions, draw_legend, label
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.stochastic.bases.basis import Basis
from dynlab.stochastic.bases.density import SpectralDensity
from dynlab.stochastic.bases.evolution import SpectralEvolution, expanded_evolution
from dynlab.stochastic.densities.density import Density, checked_grid
from dynlab.stochastic.densities.mean_field import mean_field_generator
from dynlab.stochastic.generator.box import suitable_grid
from dynlab.stochastic.generator.coefficients import coefficients_of, family_of
from dynlab.stochastic.generator.commutator_free import driven_step, evolved, self_consistent_step
from dynlab.stochastic.generator.generator import Generator
from dynlab.stochastic.generator.grid import Grid
from dynlab.stochastic.generator.propagate import TOLERANCE, propagated
from dynlab.stochastic.generator.splitting import can_be_split, split_states
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["DensityEvolution", "evolve_density"]

Array = NDArray[np.float64]

#: A factorisation of more cells in three dimensions takes minutes.
MOST_FACTORISED = 1 << 15
#: Times recorded if none are named; the mass a start may have outside the grid unnoticed.
USUAL_TIMES, UNNOTICED = 101, 1e-6


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DensityEvolution(Result):
    """A density at several times; made by `evolve_density`.

    Attributes
    ----------
    system
        The system.
    grid
        The cells.
    times
        The times.
    values
        The density at the middles of the cells, the times along the first axis.
    error
        Estimated error in L1 of the steps in time, beside that of the cells; of the exponential where none is stepped.
    provenance
        Where it came from.
    """

    system: System
    grid: Grid
    times: Array
    values: Array
    error: float
    provenance: Provenance

    @property
    def status(self) -> Status:
        """How it ended."""
        return Status.OK

    def __getitem__(self, name: str) -> Array:
        """Return the middles of the cells along an axis, or the times ``"t"``."""
        return self.times if name == "t" else self.grid.centres(name)

    @property
    def mass(self) -> Array:
        """What has not been absorbed, at each time."""
        total: Array = self.values.reshape(len(self.times), -1).sum(axis=1) * self.grid.volume
        return total

    def mean(self, name: str) -> Array:
        """Return the mean of a state at each time, of what has not been absorbed."""
        return np.array([self.at(t).mean(name) for t in self.times]) / self.mass

    def variance(self, name: str) -> Array:
        """Return the variance of a state at each time, of what has not been absorbed."""
        second = np.array([self.at(t).moment(**{name: 2}) for t in self.times]) / self.mass
        return second - self.mean(name) ** 2

    def at(self, time: float) -> Density:
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
        nan = float("nan")
        return Density(self.system, self.grid, self.values[k], nan, nan, nan, {}, self.provenance)

    def to_table(self) -> dict[str, Array]:
        """Return one row for each time and cell."""
        mesh = np.meshgrid(
            self.times, *(self.grid.centres(n) for n in self.grid.names), indexing="ij"
        )
        table = {n: m.ravel() for n, m in zip(("t", *self.grid.names), mesh, strict=True)}
        return table | {"density": self.values.ravel()}

    def plot(self, ax: Axes | None = None, *, at: Sequence[float] | None = None) -> Axes:
        """Draw the density of the first state over time, or as curves at some of the times."""
        name = self.grid.names[0]
        others = tuple(range(2, self.values.ndim))
        rows = self.values.sum(axis=others) * self.grid.volume / self.grid.widths[0]
        text, time = label(name, self.system.unit_of(name)), label("t", self.system.unit_of("t"))
        if at is None:
            edges = np.linspace(self.grid.low[0], self.grid.high[0], self.grid.cells[0] + 1)
            return draw_density(ax, self.times, edges, rows, labels=(time, text))
        places = [int(np.argmin(np.abs(self.times - t))) for t in at]
        names = [f"t = {self.times[k]:.3g}" for k in places]
        ax = draw_distributions(ax, self[name], rows[places], names, labels=(text, "density"))
        return draw_legend(ax)

    def __repr__(self) -> str:
        return (
            f"<density of {self.system.name} on {self.grid!r}:\n {len(self.times)} times from {self.times[0]:g} to "
            f"{self.times[-1]:g}; mass {self.mass[-1]:.12g} at the end>"
        )


@overload
def evolve_density(
    system: System,
    *,
    start: Mapping[str, Any] | Density,
    duration: float | None = None,
    at: Sequence[float] | None = None,
    grid: Grid | None = None,
) -> DensityEvolution: ...
@overload
def evolve_density(
    system: System,
    *,
    start: Mapping[str, Any] | SpectralDensity,
    duration: float | None = None,
    at: Sequence[float] | None = None,
    grid: Basis,
) -> SpectralEvolution: ...
def evolve_density(
    system: System,
    *,
    start: Mapping[str, Any] | Density | SpectralDensity,
    duration: float | None = None,
    at: Sequence[float] | None = None,
    grid: Grid | Basis | None = None,
) -> DensityEvolution | SpectralEvolution:
    r"""Return the density at later times.

    .. math:: p(t) = e^{t L} p(0)

    Nothing is stepped: the exponential of the generator is applied to rounding in one dimension, and to 1e-12 in
    more, whatever the width of the cells.  The density is never negative, and without absorbing ends the mass stays.

    More than 32768 cells in three dimensions are moved along one axis after the other instead, of second order in steps that
    keep the error in L1 below 1e-6.

    Where the equations depend on the time `dynlab.t` products of such exponentials are, of fourth order in steps that keep
    the error in L1 below 1e-8; they start at time 0.  Of a network of identical nodes that know of each other through
    ``dl.Mean`` it is the density of one of infinitely many, which moves in the field of all.

    Parameters
    ----------
    system
        A flow with noise, or a network as in `mean_field_states`.
    start
        For each state a place, or a distribution (`dynlab.Gaussian`, or any with ``cdf`` or ``density``);
        or a density found before.
    duration
        The last time.
    at
        The times wanted; 101 from 0 to the duration if None.
    grid
        The cells and walls; if None, those that suit the stationary density.  Needed where the equations depend on
        the time, and for networks whose states are no angles.

    Returns
    -------
    DensityEvolution
        The density at these times.

    Warns
    -----
    AccuracyWarning
        If part of the start lies outside the grid.

    Raises
    ------
    SettingError
        If there is no time, one is negative, the start is outside the grid, or a grid is needed.
    UnsupportedSystemError
        If what leaves comes back after a delay, which no density at one time knows.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def decay(x=1.0):
    ...     return {x: -x}
    >>> noisy = decay.with_noise(x=1.0)
    >>> run = dl.evolve_density(noisy, start={"x": 1.0}, at=[0.5], grid=dl.Grid(x=(-6, 6, 512)))
    >>> run.mean("x").round(3)                                  # exp(-0.5)
    array([0.607])

    References
    ----------
    1. Trefethen, Weideman and Schmelzer 2006, BIT Numer. Math. 46, 653.
    2. van den Eshof and Hochbruck 2006, SIAM J. Sci. Comput. 27, 1438.
    3. Strang 1968, SIAM J. Numer. Anal. 5, 506: in three dimensions.
    4. Blanes and Moan 2006, Appl. Numer. Math. 56, 1519: where the equations depend on the time.
    """
    began = perf_counter()
    times = _times(duration, at)
    if grid is None and isinstance(start, Density | SpectralDensity):
        grid = start.grid if isinstance(start, Density) else start.basis
    if isinstance(grid, Basis):
        return expanded_evolution(system, grid, start, times)
    if system.is_indexed:
        found, made_by = mean_field_generator(system, grid)
        first = start_probability(system, found, start)
        rows, error, _ = evolved(self_consistent_step(made_by), first, times)
    elif system.is_autonomous:
        coefficients = coefficients_of(system)
        found = suitable_grid(system, coefficients) if grid is None else checked_grid(system, grid)
        generator = Generator.of(coefficients, found)
        _check_memory(system, generator)
        first = start_probability(system, found, start)
        if len(found.cells) > 2 and found.size > MOST_FACTORISED and can_be_split(generator):
            rows, error = split_states(generator, first, times)
        else:
            rows, error = propagated(generator, first, times), TOLERANCE
    else:
        found, generator_at = driven_generator(system, grid)
        first = start_probability(system, found, start)
        rows, error, _ = evolved(driven_step(generator_at), first, times)
    return DensityEvolution(
        system=system,
        grid=found,
        times=times,
        values=rows.reshape(len(times), *found.cells) / found.volume,
        error=error,
        provenance=Provenance(
            "evolve_density", system, {"grid": repr(found)}, seconds=perf_counter() - began
        ),
    )


def driven_generator(
    system: System, grid: Grid | None
) -> tuple[Grid, Callable[[float], Generator]]:
    """Return the grid of a system that depends on the time, and its generator as a function of the time."""
    family = family_of(system, ())
    if grid is None:
        raise SettingError(
            f"{system.name!r} depends on the time, and no box suits it at all times by itself. Give one: "
            f"grid=dl.Grid({', '.join(f'{n}=(low, high, cells)' for n in system.state_names)})."
        )
    found = checked_grid(system, grid)

    def generator_at(time: float) -> Generator:
        return Generator.of(family((), time), found)

    _check_memory(system, generator_at(0.0))
    return found, generator_at


def _check_memory(system: System, generator: Generator) -> None:
    if any(e.after > 0 for e in generator.exits):
        raise UnsupportedSystemError(
            f"{system.name!r} on {generator.grid!r} remembers when it left: what is re-injected comes back after a "
            "delay. Use dl.Reinjected without after=, or dl.stationary_density, which knows the delay."
        )


def start_probability(
    system: System, grid: Grid, start: Mapping[str, Any] | Density | SpectralDensity
) -> Array:
    """Return the probabilities of the cells of a start."""
    if isinstance(start, Density):
        if (
            start.grid.cells != grid.cells
            or start.grid.low != grid.low
            or start.grid.high != grid.high
        ):
            raise SettingError(
                f"the start is a density on {start.grid!r}, and the grid is {grid!r}. Give the same cells."
            )
        return _normalised(start.values.ravel() * grid.volume)
    if not isinstance(start, Mapping):
        raise SettingError(
            f"start is {start!r}; give a place or a distribution for each state, or a density."
        )
    missing = [n for n in grid.names if n not in start]
    if missing or len(start) != len(grid.names):
        raise SettingError(
            f"start names {', '.join(map(str, start)) or 'nothing'}; {system.name!r} has the states "
            f"{', '.join(grid.names)}. Give a place or a distribution for each."
        )
    joint = np.ones(1)
    for k, name in enumerate(grid.names):
        joint = np.multiply.outer(joint, _along(grid, k, start[name])).reshape(-1)
    return _normalised(joint)


def _along(grid: Grid, k: int, given: Any) -> Array:
    """Return the probabilities of the cells along one axis."""
    name, width = grid.names[k], grid.widths[k]
    edges = np.linspace(grid.low[k], grid.high[k], grid.cells[k] + 1)
    if hasattr(given, "cdf"):
        return np.diff(given.cdf(edges))
    if hasattr(given, "density"):
        places, weights = np.polynomial.legendre.leggauss(6)
        at = edges[:-1, None] + 0.5 * width * (1 + places)
        return np.asarray(0.5 * width * (given.density(at) @ weights), float)
    place = finite(given, f"start[{name!r}]")
    if not grid.low[k] <= place <= grid.high[k]:
        raise SettingError(
            f"{name!r} starts at {place:g}, outside the grid ({grid.low[k]:g}, {grid.high[k]:g}). Start inside, or "
            "give a wider grid."
        )
    # Between two middles a start is split so that its mean is right.
    where = np.clip((place - grid.low[k]) / width - 0.5, 0, grid.cells[k] - 1)
    below = min(int(where), grid.cells[k] - 2)
    shares = np.zeros(grid.cells[k])
    shares[below], shares[below + 1] = 1 - (where - below), where - below
    return shares


def _normalised(probability: Array) -> Array:
    mass = float(probability.sum())
    if not mass > 0 or probability.min() < 0:
        raise SettingError(
            "the start has no mass on the grid, or is negative. Start inside, or give a wider grid."
        )
    if abs(mass - 1) > UNNOTICED:
        warnings.warn(
            f"the start has the mass {mass:.6g} on the grid instead of 1; it is scaled to 1. Give a wider grid, or "
            "finer cells.",
            AccuracyWarning,
            stacklevel=4,
        )
    return np.ascontiguousarray(probability / mass)


def _times(duration: float | None, at: Sequence[float] | None) -> Array:
    if duration is None and at is None:
        raise SettingError("no time is given. Say duration=..., or the times at=[...].")
    last = None if duration is None else finite(duration, "duration")
    times = np.linspace(0.0, last, USUAL_TIMES) if at is None else np.unique(np.asarray(at, float))  # type: ignore[arg-type]
    if (
        not times.size
        or not np.all(np.isfinite(times))
        or times[0] < 0
        or (last is not None and not last > 0)
    ):
        raise SettingError(
            f"the times are {times[:5]} and the duration {duration}. Densities move forward only: give positive times."
        )
    return np.ascontiguousarray(times)
