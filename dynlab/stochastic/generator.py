"""The generator of a Fokker-Planck equation on a grid: rates between cells, and losses at the ends.

    dP/dt = L P,    L_ji = rate from cell i to cell j

P are the probabilities of the cells.  Each rate belongs to one edge between neighbours and is fitted
exponentially (`dynlab.kernels.fluxes`); columns of L sum to zero but for what is absorbed.  Off the diagonal L is
never negative, so neither is a density that it moves.  Second order in the width of the cells where there is noise
along the edge; first order (upwind) along directions without noise.

Where the drift over the noise is a gradient along all edges (`potential`), the stationary state is known
without solving anything: P ~ exp(-potential).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from math import prod
from typing import Any

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from dynlab.errors import LeftDomain, SettingError, UnsupportedSystemError
from dynlab.kernels import fluxes
from dynlab.status import Status
from dynlab.stochastic.coefficients import Coefficients
from dynlab.stochastic.grid import Absorbing, Grid, Reinjected

__all__ = ["Generator"]

Array = NDArray[np.float64]
Places = NDArray[np.int64]

#: Points of Gauss-Legendre quadrature along an edge, for a grid of 1, 2, 3 ... axes.
QUADRATURE = (8, 4, 3)
#: A loop around a square of edges that closes to this, relative to what it adds up, is a gradient.
CLOSED = 1e-12


@dataclass(frozen=True)
class Edges:
    """All edges along one axis: ends, rates both ways, and the logarithm of their ratio.

    Attributes
    ----------
    source, target
        The cells at the ends.
    forward, backward
        Rates from source to target and back.
    rise
        How much the potential rises along the edge; nan where there is no noise.
    """

    source: Places
    target: Places
    forward: Array
    backward: Array
    rise: Array


@dataclass(frozen=True)
class Exit:
    """One end of an axis where probability leaves: cells, the rates, where it goes and after how long."""

    name: str
    side: str
    source: Places
    rates: Array
    targets: tuple[Places, ...] = ()
    shares: tuple[float, ...] = ()
    after: float = 0.0


@dataclass(frozen=True)
class Generator:
    """Rates between the cells of a grid.

    Attributes
    ----------
    grid
        The grid.
    edges
        The edges along each axis.
    exits
        The ends where probability leaves.
    """

    grid: Grid
    edges: tuple[Edges, ...]
    exits: tuple[Exit, ...]

    @classmethod
    def of(cls, coefficients: Coefficients, grid: Grid) -> Generator:
        """Assemble the rates of all edges of a grid."""
        edges, exits = [], []
        for axis in range(len(grid.names)):
            edges.append(_edges(coefficients, grid, axis))
            exits += [
                _exit(coefficients, grid, axis, side)
                for side in (0, 1)
                if _leaves(grid, axis, side)
            ]
        return cls(grid, tuple(edges), tuple(exits))

    @cached_property
    def loss(self) -> Array:
        """The rate at which each cell loses to the outside for good."""
        out = np.zeros(self.grid.size)
        for e in self.exits:
            if not e.targets:
                np.add.at(out, e.source, e.rates)
        return out

    @cached_property
    def matrix(self) -> sparse.csc_matrix:
        """The generator L as a sparse matrix; columns sum to minus the loss."""
        rows, columns, values = [], [], []
        for e in self.edges:
            rows += [e.target, e.source]
            columns += [e.source, e.target]
            values += [e.forward, e.backward]
        for exit_ in self.exits:
            for target, share in zip(exit_.targets, exit_.shares, strict=True):
                rows.append(target)
                columns.append(exit_.source)
                values.append(share * exit_.rates)
        n = self.grid.size
        to, start, rate = np.concatenate(rows), np.concatenate(columns), np.concatenate(values)
        moved = to != start
        to, start, rate = to[moved], start[moved], rate[moved]
        diagonal = -np.bincount(start, rate, minlength=n) - self.loss
        own = np.arange(n)
        return sparse.csc_matrix(
            (
                np.concatenate([rate, diagonal]),
                (np.concatenate([to, own]), np.concatenate([start, own])),
            ),
            shape=(n, n),
        )

    @property
    def is_closed(self) -> bool:
        """Whether no probability is lost for good."""
        return all(e.targets for e in self.exits)

    @property
    def is_chain(self) -> bool:
        """Whether the cells form a row in which only neighbours exchange."""
        return (
            len(self.edges) == 1
            and not self.grid.is_periodic(0)
            and not any(e.targets for e in self.exits)
            and bool(np.all(self.edges[0].forward > 0) and np.all(self.edges[0].backward > 0))
        )

    @cached_property
    def potential(self) -> Array | None:
        """The potential whose Gibbs state has no flux, at the cells; None if there is none."""
        if any(e.targets for e in self.exits) or any(np.isnan(e.rise).any() for e in self.edges):
            return None
        # Twice: summed up from its bottom the potential is exact to rounding where the state is.
        flat = self._summed((0,) * len(self.edges))
        flat = self._summed(np.unravel_index(np.argmin(flat), self.grid.cells))
        for e in self.edges:
            missed = np.abs(flat[e.target] - flat[e.source] - e.rise)
            scale = 1.0 + np.abs(flat[e.target]) + np.abs(flat[e.source])
            if np.any(missed > CLOSED * scale):
                return None
        return flat

    def _summed(self, origin: tuple[Any, ...]) -> Array:
        """Return what the potential rises from a cell to each other, first along the last axis."""
        total: Array = np.zeros(self.grid.cells)
        count = len(self.edges)
        for axis, e in enumerate(self.edges):
            shape = tuple(n - (k == axis) for k, n in enumerate(self.grid.cells))
            rise = e.rise[: prod(shape)].reshape(shape)[
                (slice(None),) * (axis + 1) + origin[axis + 1 :]
            ]
            here = origin[axis]
            before = -np.cumsum(rise[..., :here][..., ::-1], axis=-1)[..., ::-1]
            after = np.cumsum(rise[..., here:], axis=-1)
            along = np.concatenate([before, np.zeros((*rise.shape[:-1], 1)), after], axis=-1)
            total = total + along.reshape(*along.shape, *(1,) * (count - axis - 1))
        return total.ravel()

    def currents(self, probability: Array) -> tuple[Array, ...]:
        """Return the net flow of probability along each edge, per unit of time."""
        return tuple(
            e.forward * probability[e.source] - e.backward * probability[e.target]
            for e in self.edges
        )

    @property
    def chain(self) -> tuple[Array, Array, Array]:
        """Rates up, down and out of a chain, as the kernels want them."""
        e = self.edges[0]
        return e.forward, e.backward, self.loss


def _edges(coefficients: Coefficients, grid: Grid, axis: int) -> Edges:
    index = np.arange(grid.size).reshape(grid.cells)
    length = grid.cells[axis]
    source = np.take(index, range(length - 1), axis).ravel()
    target = np.take(index, range(1, length), axis).ravel()
    if grid.is_periodic(axis):
        source = np.concatenate([source, np.take(index, length - 1, axis).ravel()])
        target = np.concatenate([target, np.take(index, 0, axis).ravel()])
    noise = _noise_at_cells(coefficients, grid, axis)
    start = _points(grid, source)
    return _fitted(coefficients, start, axis, grid.widths[axis], (source, target), noise)


def _fitted(
    coefficients: Coefficients,
    start: Array,
    axis: int,
    length: float,
    ends: tuple[Places, Places],
    noise: Array,
) -> Edges:
    """Return the rates of edges that begin at points and run along an axis."""
    fall, drift, least = _along(coefficients, start, axis, length)
    source, target = ends
    least = np.minimum(least, np.minimum(noise[source], noise[target]))
    forward, backward = np.empty(fall.size), np.empty(fall.size)
    fluxes.edge_rates(
        fall, drift, least, noise[source], noise[target], abs(length), forward, backward
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        rise = np.where(least > 0, -fall + np.log(noise[target]) - np.log(noise[source]), np.nan)
    return Edges(source, target, forward, backward, rise)


def _along(
    coefficients: Coefficients, start: Array, axis: int, length: float
) -> tuple[Array, Array, Array]:
    """Return along edges the integral of drift over noise, the mean drift and the least noise."""
    places, weights = _quadrature(start.shape[1])
    at = np.repeat(start[None], len(places), axis=0)
    at[:, :, axis] += places[:, None] * length
    flat = at.reshape(-1, start.shape[1])
    f = coefficients.drift(flat)[:, axis]
    noise = _diagonal(coefficients.diffusion(flat), axis)
    _check(f, noise, flat)
    with np.errstate(divide="ignore", invalid="ignore"):
        steep = np.where(noise > 0, f / noise, 0.0)
    shape = (len(places), len(start))
    fall = length * (weights @ steep.reshape(shape))
    drift = np.sign(length) * (weights @ f.reshape(shape))
    return fall, drift, noise.reshape(shape).min(axis=0)


@cache
def _quadrature(axes: int) -> tuple[Array, Array]:
    """Return places and weights of Gauss-Legendre quadrature between 0 and 1."""
    places, weights = np.polynomial.legendre.leggauss(QUADRATURE[min(axes, len(QUADRATURE)) - 1])
    return 0.5 * (1 + places), 0.5 * weights


def _diagonal(matrices: Array, axis: int) -> Array:
    """Return the diffusion along an axis; refuse noise that is shared between states."""
    others = np.delete(matrices[:, axis], axis, axis=1)
    if np.any(others != 0):
        raise UnsupportedSystemError(
            "the noise of this system is correlated between states, and densities on grids are for noise that is "
            "not. Turn the coordinates so that the diffusion matrix is diagonal, or simulate."
        )
    return matrices[:, axis, axis]


def _check(drift: Array, noise: Array, points: Array) -> None:
    bad = ~(np.isfinite(drift) & np.isfinite(noise))
    if bad.any():
        where = ", ".join(f"{v:.4g}" for v in points[np.argmax(bad)])
        raise LeftDomain(
            f"the drift or the noise is not a number at ({where}), which lies in the grid. Give a grid inside the "
            "domain of the equations.",
            status=Status.LEFT_DOMAIN,
        )


def _points(grid: Grid, cells: Places) -> Array:
    places = np.unravel_index(cells, grid.cells)
    return np.stack([grid.centres(n)[k] for n, k in zip(grid.names, places, strict=True)], axis=1)


def _noise_at_cells(coefficients: Coefficients, grid: Grid, axis: int) -> Array:
    points = _points(grid, np.arange(grid.size))
    noise = _diagonal(coefficients.diffusion(points), axis).copy()
    if np.any(noise < 0):
        raise SettingError(
            "a diffusion coefficient is negative, which no noise has. Check the amplitudes."
        )
    return noise


def _leaves(grid: Grid, axis: int, side: int) -> bool:
    return isinstance(grid.walls[axis][side], Absorbing | Reinjected)


def _exit(coefficients: Coefficients, grid: Grid, axis: int, side: int) -> Exit:
    """Return the rates through one end: an edge of half a cell to a place where nothing is."""
    index = np.arange(grid.size).reshape(grid.cells)
    source = np.take(index, -1 if side else 0, axis).ravel()
    width = grid.widths[axis]
    start = _points(grid, source)
    noise = _noise_at_cells(coefficients, grid, axis)
    own = np.arange(source.size)
    half = _fitted(
        coefficients, start, axis, 0.5 * width if side else -0.5 * width, (own, own), noise[source]
    )
    # The flux is that of half an edge; it empties a whole cell.
    rates = 0.5 * half.forward
    wall = grid.walls[axis][side]
    name, label = grid.names[axis], "high" if side else "low"
    if not isinstance(wall, Reinjected):
        return Exit(name, label, source, rates)
    place = np.clip((wall.at - grid.low[axis]) / width - 0.5, 0, grid.cells[axis] - 1)
    below = min(int(place), grid.cells[axis] - 2)
    share = place - below
    targets = tuple(np.take(index, below + k, axis).ravel() for k in (0, 1))
    return Exit(name, label, source, rates, targets, (1 - share, share), wall.after)
