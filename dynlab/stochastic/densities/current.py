"""stationary_current: what keeps flowing in a stationary state, and how irreversible it is; diffusion on a ring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sparse
import scipy.sparse.linalg as sparse_linalg
from numpy.typing import NDArray

from dynlab.errors import SettingError, UnknownNameError
from dynlab.plotting import draw_distribution_map, label, new_axes
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.stochastic.densities.density import checked_grid
from dynlab.stochastic.generator.box import suitable_grid
from dynlab.stochastic.generator.coefficients import Coefficients, coefficients_of
from dynlab.stochastic.generator.grid import Grid
from dynlab.stochastic.generator.romberg import extrapolated, levels
from dynlab.stochastic.generator.stationary import Stationary, stationary_state
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RingTransport", "StationaryCurrent", "ring_transport", "stationary_current"]

Array = NDArray[np.float64]

#: Arrows along each axis; those shorter than this share of the longest are left out.
ARROWS, FAINTEST = 24, 1e-3


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StationaryCurrent(Result):
    """The probability current of a stationary density; made by `stationary_current`.

    Attributes
    ----------
    system
        The system.
    grid
        The cells.
    density
        The stationary density at their middles.
    components
        The current along each state, at the middles of the cells, by name.
    entropy_production
        The mean rate at which entropy is produced on these cells, in units of Boltzmann's constant; nan where a state
        has no noise.
    provenance
        Where it came from.
    velocity_errors
        How far the mean velocities are from those of cells of no width, from up to four grids, by name.
    entropy_error
        The same for the entropy production; zero where detailed balance holds.
    """

    system: System
    grid: Grid
    density: Array
    components: Mapping[str, Array]
    entropy_production: float
    provenance: Provenance
    velocity_errors: Mapping[str, float] = field(default_factory=dict)
    entropy_error: float = float("nan")

    @property
    def status(self) -> Status:
        """How it ended."""
        return Status.OK

    def __getitem__(self, name: str) -> Array:
        """Return the middles of the cells along an axis."""
        return self.grid.centres(name)

    @property
    def mean_velocity(self) -> dict[str, float]:
        """The current along each state, integrated over all cells."""
        return {n: float(c.sum() * self.grid.volume) for n, c in self.components.items()}

    def to_table(self) -> dict[str, Array]:
        """Return one row for each cell: its middle, the density and the current."""
        mesh = np.meshgrid(*(self.grid.centres(n) for n in self.grid.names), indexing="ij")
        table = {n: m.ravel() for n, m in zip(self.grid.names, mesh, strict=True)}
        table["density"] = self.density.ravel()
        return table | {f"current {n}": c.ravel() for n, c in self.components.items()}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the current over one state, or as arrows on the density of two."""
        names = self.grid.names[:2]
        texts = [label(n, self.system.unit_of(n)) for n in names]
        if len(names) == 1:
            ax = new_axes(ax, xlabel=texts[0], ylabel="probability current")
            ax.plot(self[names[0]], self.components[names[0]], linewidth=1.8)
            return ax
        others = tuple(range(2, self.density.ndim))
        ax = draw_distribution_map(
            ax,
            self[names[0]],
            self[names[1]],
            self.density.sum(axis=others),
            labels=(texts[0], texts[1], "density"),
        )
        every = tuple(
            slice(n // ARROWS // 2, None, max(n // ARROWS, 1)) for n in self.grid.cells[:2]
        )
        u, v = (self.components[n].sum(axis=others)[every] for n in names)
        # Lengths are roots, so that slow currents are seen beside fast ones.
        size = np.hypot(u, v)
        longest = float(size.max()) or 1.0
        shown = size > FAINTEST * longest
        shrink = 1.0 / np.sqrt(np.where(shown, size, longest) * longest)
        x, y = np.meshgrid(self[names[0]][every[0]], self[names[1]][every[1]], indexing="ij")
        ax.quiver(
            x[shown], y[shown], (u * shrink)[shown], (v * shrink)[shown], color="#D55E00", pivot="mid",
            width=0.0035, scale=0.8 * ARROWS, scale_units="width",
        )  # fmt: skip
        return ax

    def __repr__(self) -> str:
        moving = ", ".join(f"{n} {v:.5g}" for n, v in self.mean_velocity.items())
        return (
            f"<stationary current of {self.system.name} on {self.grid!r}:\n mean velocity {moving}; entropy production "
            f"{self.entropy_production:.6g} (error about {self.entropy_error:.1g})>"
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RingTransport(Result):
    """Drift and spreading along a periodic state; made by `ring_transport`.

    Attributes
    ----------
    system
        The system.
    along
        The periodic state.
    velocity, diffusion
        Mean velocity, and half the growth of the variance per time, extrapolated to cells of no width.
    velocity_error, diffusion_error
        How uncertain they are, from the last step of the extrapolation.
    provenance
        Where it came from.
    """

    system: System
    along: str
    velocity: float
    diffusion: float
    velocity_error: float
    diffusion_error: float
    provenance: Provenance

    @property
    def status(self) -> Status:
        """How it ended."""
        return Status.OK

    def to_table(self) -> dict[str, Array]:
        """Return one row."""
        names = ("velocity", "diffusion", "velocity_error", "diffusion_error")
        return {n: np.array([getattr(self, n)]) for n in names}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw mean displacement and its deviation over time, far beyond one turn."""
        unit = self.system.unit_of("t")
        ax = new_axes(ax, xlabel=label("t", unit), ylabel=f"displacement of {label(self.along)}")
        span = 100.0 / max(abs(self.velocity), self.diffusion, 1e-300)
        t = np.linspace(0.0, span, 200)
        middle, width = self.velocity * t, np.sqrt(2 * self.diffusion * t)
        ax.fill_between(t, middle - width, middle + width, alpha=0.2, linewidth=0)
        ax.plot(t, middle, linewidth=1.8)
        return ax

    def __repr__(self) -> str:
        return (
            f"<transport of {self.system.name} along {self.along}:\n velocity {self.velocity:.10g}, effective diffusion "
            f"{self.diffusion:.10g}>"
        )


def stationary_current(system: System, *, grid: Grid | None = None) -> StationaryCurrent:
    r"""Return the probability current of the stationary density and the entropy it produces.

    .. math:: J = f p - \nabla \cdot (D p), \qquad
              \dot S = \sum_e J_e \log \frac{w_e^+ P_i}{w_e^- P_j}

    The current out of each cell sums to zero; it vanishes everywhere exactly where detailed balance holds.  What is
    given belongs to these cells, on which entropy production, currents and forces agree to rounding; how far mean
    velocities and entropy production are from those of cells of no width is estimated from up to four grids.

    Parameters
    ----------
    system
        A flow with noise.
    grid
        The cells and walls; if None, those that suit the stationary density.

    Returns
    -------
    StationaryCurrent
        Current, mean velocity and entropy production, with the errors of the last two.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def rotating(x=0.0, y=0.0):
    ...     return {x: -x - y, y: x - y}
    >>> found = dl.stationary_current(rotating.with_noise(x=1.0, y=1.0), grid=dl.Grid(x=(-5, 5, 128), y=(-5, 5, 128)))
    >>> abs(found.entropy_production - 2) < found.entropy_error < 0.02
    True

    References
    ----------
    1. Schnakenberg 1976, Rev. Mod. Phys. 48, 571.
    2. Seifert 2012, Rep. Prog. Phys. 75, 126001.
    """
    began = perf_counter()
    coefficients = coefficients_of(system)
    found = suitable_grid(system, coefficients) if grid is None else checked_grid(system, grid)
    state = stationary_state(coefficients, found)
    components = _components(state)
    *velocity_errors, entropy_error = _errors(_series(coefficients, state))
    return StationaryCurrent(
        system=system,
        grid=found,
        density=state.density,
        components=components,
        entropy_production=entropy_production(state),
        provenance=Provenance(
            "stationary_current", system, {"grid": repr(found)}, seconds=perf_counter() - began
        ),
        velocity_errors=dict(zip(found.names, velocity_errors, strict=True)),
        entropy_error=entropy_error,
    )


def _components(state: Stationary) -> dict[str, Array]:
    flows = state.generator.currents(state.probability)
    return {name: _at_middles(state, flows, k) for k, name in enumerate(state.generator.grid.names)}


def _series(coefficients: Coefficients, state: Stationary) -> list[Array]:
    """Return the mean velocities and the entropy production on a grid and its halves, the coarsest first."""
    known: dict[tuple[int, ...], Stationary] = {}
    part: Stationary | None = state
    while part is not None:
        known[part.generator.grid.cells], part = part, part.coarse
    grids = levels(state.generator.grid)
    if len(grids) == 1 and state.coarse is not None:
        grids = [state.coarse.generator.grid, *grids]
    series = []
    for grid in grids:
        here = known.get(grid.cells) or stationary_state(coefficients, grid)
        moving = [float(c.sum() * grid.volume) for c in _components(here).values()]
        series.append(np.array([*moving, entropy_production(here)]))
    return series


def _errors(series: list[Array]) -> list[float]:
    """Return how far numbers on the finest grid are from their limit, and that from its own last change.

    Where cells are upwind, along states without noise, errors are of first order: then all of the change is taken.
    """
    if len(series) < 2:
        return [float("nan")] * series[-1].size
    limit, last = extrapolated(series)
    change = np.abs(series[-1] - series[-2])
    errors = np.abs(series[-1] - limit) + last
    if np.isnan(series[-1]).any():
        errors = np.maximum(errors, change)
    return [float(e) for e in errors]


def entropy_production(state: Stationary) -> float:
    """Return the sum over edges of net flow times the logarithm of the ratio of the flows; never negative."""
    if state.generator.potential is not None:
        return 0.0
    total = 0.0
    for edges in state.generator.edges:
        forth = edges.forward * state.probability[edges.source]
        back = edges.backward * state.probability[edges.target]
        if np.isnan(edges.rise).any():
            return float("nan")
        both = (forth > 0) & (back > 0)
        net = forth[both] - back[both]
        # Where the two flows nearly agree the logarithm of their ratio is taken from their difference.
        near = np.abs(net) < 0.5 * back[both]
        force = np.where(
            near,
            np.log1p(np.where(near, net / back[both], 0.0)),
            np.log(forth[both]) - np.log(back[both]),
        )
        total += float((net * force).sum())
    return total


def ring_transport(system: System, *, along: str, grid: Grid) -> RingTransport:
    r"""Return the mean velocity along a periodic state and the effective diffusion coefficient.

    .. math:: v = \lim_{t \to \infty} \frac{\langle x \rangle}{t}, \qquad
              D_{\mathrm{eff}} = \lim_{t \to \infty} \frac{\operatorname{var} x}{2 t}

    First and second derivative of the largest eigenvalue of the generator whose jumps are counted, by
    perturbation: one linear system on each of up to four grids, extrapolated to cells of no width.

    Parameters
    ----------
    system
        A flow with noise.
    along
        The periodic state.
    grid
        The cells, with `dynlab.Periodic` along that state.

    Returns
    -------
    RingTransport
        Velocity and effective diffusion with their errors.

    Raises
    ------
    SettingError
        If the grid is not periodic along that state.

    Examples
    --------
    >>> import dynlab as dl, numpy as np
    >>> @dl.flow
    ... def washboard(x: dl.Angle = 0.0, *, F=1.0):
    ...     return {x: F - dl.sin(x)}
    >>> ring = dl.Grid(x=(0, 2 * np.pi, 256)).with_walls(x=dl.Periodic())
    >>> found = dl.ring_transport(washboard.with_noise(x=0.4**0.5), along="x", grid=ring)
    >>> round(found.velocity, 7), round(found.diffusion, 7)
    (0.4642946, 0.5375254)

    References
    ----------
    1. Reimann et al. 2001, Phys. Rev. Lett. 87, 010602.
    2. Lebowitz and Spohn 1999, J. Stat. Phys. 95, 333.
    """
    began = perf_counter()
    coefficients = coefficients_of(system)
    found = checked_grid(system, grid)
    if along not in found.names:
        raise UnknownNameError(f"state of {system.name!r}", along, found.names)
    axis = found.names.index(along)
    if not found.is_periodic(axis):
        raise SettingError(
            f"the grid {found!r} is not periodic along {along!r}. Join its ends: "
            f"grid.with_walls({along}=dl.Periodic())."
        )
    values = [_transport(stationary_state(coefficients, g), axis) for g in levels(found)]
    (velocity, diffusion), errors = extrapolated(values)
    return RingTransport(
        system=system,
        along=along,
        velocity=float(velocity),
        diffusion=float(diffusion),
        velocity_error=float(errors[0]),
        diffusion_error=float(errors[1]),
        provenance=Provenance(
            "ring_transport", system, {"grid": repr(found)}, seconds=perf_counter() - began
        ),
    )


def _transport(state: Stationary, axis: int) -> Array:
    generator, p = state.generator, state.probability
    width, moved, spread = generator.grid.widths[axis], np.zeros(p.size), 0.0
    for edges in generator.edges:
        h = edges.offset[axis] * width
        forth, back = edges.forward * p[edges.source], edges.backward * p[edges.target]
        np.add.at(moved, edges.target, h * forth)
        np.add.at(moved, edges.source, -h * back)
        spread += 0.5 * h * h * float(forth.sum() + back.sum())
    velocity = float(moved.sum())
    # L q = v p - moved with sum q = 0; one equation is replaced by the sum.
    matrix = generator.matrix.tolil()
    matrix[0] = np.ones(p.size)
    right = velocity * p - moved
    right[0] = 0.0
    q: Any = sparse_linalg.splu(sparse.csc_matrix(matrix)).solve(right)
    shift = sum(
        edges.offset[axis] * width * float(flow.sum())
        for edges, flow in zip(generator.edges, generator.currents(q), strict=True)
    )
    return np.array([velocity, spread + shift])


def _at_middles(state: Stationary, flows: tuple[Array, ...], axis: int) -> Array:
    """Return the current density at the middles of cells: half of what passes each edge to either end."""
    grid = state.generator.grid
    middles = np.zeros(grid.size)
    for edges, flow in zip(state.generator.edges, flows, strict=True):
        if edges.offset[axis]:
            np.add.at(middles, edges.source, 0.5 * edges.offset[axis] * flow)
            np.add.at(middles, edges.target, 0.5 * edges.offset[axis] * flow)
    return middles.reshape(grid.cells) * grid.widths[axis] / grid.volume
