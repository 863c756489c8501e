"""The generator of a Fokker-Planck equation on a grid: rates between cells, and losses at the ends.

    dP/dt = L P,    L_ji = rate from cell i to cell j

P are the probabilities of the cells.  Each rate belongs to one edge between neighbours and is fitted
exponentially (`dynlab.kernels.fluxes`); columns of L sum to zero but for what is absorbed.  Off the diagonal L is
never negative, so neither is a density that it moves.  Noise shared between states has edges of other directions than the
axes (`dynlab.stochastic.generator.oblique`).  Second order in the width of the cells where there is noise
along the edge; first order (upwind) along directions without noise.

Where the drift over the noise is a gradient along all edges (`potential`), the stationary state is known
without solving anything: P ~ exp(-potential).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from dynlab.stochastic.generator.coefficients import Coefficients
from dynlab.stochastic.generator.edges import Edges, Exit, axis_edges, axis_exit, leaves
from dynlab.stochastic.generator.grid import Grid
from dynlab.stochastic.generator.oblique import oblique_edges

__all__ = ["Generator"]

Array = NDArray[np.float64]

#: A loop around a square of edges that closes to this, relative to what it adds up, is a gradient.
CLOSED = 1e-12


@dataclass(frozen=True)
class Generator:
    """Rates between the cells of a grid.

    Attributes
    ----------
    grid
        The grid.
    edges
        The edges of each offset, those along the axes first and in their order.
    exits
        The ends where probability leaves.
    """

    grid: Grid
    edges: tuple[Edges, ...]
    exits: tuple[Exit, ...]

    @classmethod
    def of(cls, coefficients: Coefficients, grid: Grid) -> Generator:
        """Assemble the rates of all edges of a grid."""
        if not coefficients.is_diagonal:
            oblique, leaving = oblique_edges(coefficients, grid)
            return cls(grid, tuple(oblique), tuple(leaving))
        edges, exits = [], []
        for axis in range(len(grid.names)):
            edges.append(axis_edges(coefficients, grid, axis))
            exits += [
                axis_exit(coefficients, grid, axis, side)
                for side in (0, 1)
                if leaves(grid, axis, side)
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
        flat = self._summed((0,) * len(self.grid.cells))
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
        count = len(self.grid.cells)
        for axis, e in enumerate(self.edges[:count]):
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
