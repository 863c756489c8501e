"""Edges for noise that is shared between states: along the whole directions of Selling's decomposition.

With D = sum_e rho_e (H e)(H e)', H the widths of the cells, and the force F = D^-1 (f - div D) the flux is

    f p - div(D p) = sum_e rho_e H e (H e . F p - H e . grad p)

and each term is the flux along edges of one direction e, fitted exponentially: rates stay positive, columns sum to zero,
and where F is a gradient the Gibbs state has no flux.  Second order away from walls that the density touches; there
edges that would lead out are missing, which is of first order.

Where D is singular F is what of it lies along the noise, and the rest of the drift is upwind along the axes, of first
order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.kernels import fluxes
from dynlab.stochastic.generator.coefficients import Coefficients
from dynlab.stochastic.generator.edges import Edges, Exit, check_finite, points_of, quadrature
from dynlab.stochastic.generator.grid import Absorbing, Grid, Reinjected
from dynlab.stochastic.generator.selling import decomposed

__all__ = ["along_offset", "oblique_edges"]

Array = NDArray[np.float64]
Places = NDArray[np.int64]
Flags = NDArray[np.bool_]
Offset = tuple[int, ...]

#: The longest edge, in cells, and how far from singular a tensor has to be.
LONGEST, SINGULAR = 12, 1e-10


def oblique_edges(coefficients: Coefficients, grid: Grid) -> tuple[list[Edges], list[Exit]]:
    """Return the edges of all directions, those of the axes first and in order, and what leaves.

    Raises
    ------
    UnsupportedSystemError
        If a direction would lead too far, there are more than three states, or something is re-injected.
    """
    order = len(grid.names)
    for walls in grid.walls:
        if any(isinstance(w, Reinjected) for w in walls):
            raise UnsupportedSystemError(
                f"the noise is shared between states and {grid!r} re-injects, which are not combined. Use other "
                "walls, or noise of its own for each state."
            )
    if order > 3:
        raise UnsupportedSystemError(
            f"noise shared between states is for grids of two or three states, not {order}. Simulate instead: "
            "dl.ensemble."
        )
    widths = np.array(grid.widths)
    matrices = coefficients.diffusion(points_of(grid, np.arange(grid.size))) / np.outer(
        widths, widths
    )
    same = bool(np.all(matrices == matrices[0]))
    lowest = np.linalg.eigvalsh(matrices[:1] if same else matrices)
    if np.any(lowest[:, 0] < -SINGULAR * np.abs(lowest).max(axis=1)):
        raise SettingError(
            "a diffusion coefficient is negative, which no noise has. Check the amplitudes."
        )
    weights = decomposed(matrices[:1] if same else matrices, LONGEST)
    if weights is None:
        raise UnsupportedSystemError(
            f"the noise is so nearly of one source that it moves along no line of cells of {grid!r}. Choose cells "
            "whose widths are to each other as the amplitudes of the source, or add a little noise of its own to each "
            "state."
        )
    axes: list[Offset] = [tuple(int(k == axis) for k in range(order)) for axis in range(order)]
    field = _Field(coefficients, grid, widths)
    edges, exits = [], []
    for offset in axes + [e for e in weights if e not in axes]:
        weight = np.broadcast_to(weights.get(offset, np.zeros(1)), (grid.size,))
        edges.append(_edges(field, offset, weight))
        exits += _exits(field, offset, weight)
    return edges, exits


def along_offset(
    coefficients: Coefficients, grid: Grid, start: Array, offset: Offset
) -> tuple[Array, Array]:
    """Return along edges of an offset the integral of the force, and the mean of the drift left over."""
    field = _Field(coefficients, grid, np.array(grid.widths))
    fall, left, _ = field.along(start, np.array(offset, float))
    return fall, left if sum(map(abs, offset)) == 1 else 0.0 * left


@dataclass(frozen=True)
class _Field:
    """The force along edges, in units of cells."""

    coefficients: Coefficients
    grid: Grid
    widths: Array

    def along(self, start: Array, step: Array) -> tuple[Array, Array, Flags]:
        """Return for edges the integral of the force, the mean of the drift left over, and whether D was singular."""
        places, share = quadrature(start.shape[1])
        at = (start[None] + places[:, None, None] * (step * self.widths)).reshape(
            -1, start.shape[1]
        )
        drift = self.coefficients.flux_drift(at) / self.widths
        matrices = self.coefficients.diffusion(at)
        check_finite(drift.sum(axis=1), matrices.sum(axis=(1, 2)), at)
        force, rest, singular = _split(matrices / np.outer(self.widths, self.widths), drift)
        shape = (len(places), len(start))
        fall = share @ (force @ step).reshape(shape)
        left = share @ (rest @ np.sign(step)).reshape(shape)
        return fall, left, np.any(singular.reshape(shape), axis=0)


def _split(matrices: Array, drift: Array) -> tuple[Array, Array, Flags]:
    """Return F with D F = f as far as it goes, what is left of f, and where D is singular."""
    if bool(np.all(matrices == matrices[0])):
        inverse, kernel = _inverted(matrices[:1])
        singular = np.full(len(drift), bool(kernel.any()))
        return drift @ inverse[0], drift @ kernel[0], singular
    inverse, kernel = _inverted(matrices)
    force, rest = ((m @ drift[:, :, None])[:, :, 0] for m in (inverse, kernel))
    return force, rest, np.any(kernel, axis=(1, 2))


def _inverted(matrices: Array) -> tuple[Array, Array]:
    """Return the inverses of symmetric matrices where they have one, and what projects on the rest."""
    values, vectors = np.linalg.eigh(matrices)
    kept = values > SINGULAR * values[:, -1:]
    inverse = np.where(kept, 1.0 / np.where(kept, values, 1.0), 0.0)
    turned = vectors.transpose(0, 2, 1)
    return (vectors * inverse[:, None]) @ turned, (vectors * ~kept[:, None]) @ turned


def _edges(field: _Field, offset: Offset, weight: Array) -> Edges:
    source, target, _ = _reached(field.grid, offset)
    noise = 0.5 * (weight[source] + weight[target])
    fall, left, singular = field.along(points_of(field.grid, source), np.array(offset, float))
    forward, backward = np.empty(fall.size), np.empty(fall.size)
    fluxes.edge_rates(fall, left, noise, noise, noise, 1.0, forward, backward)
    if sum(map(abs, offset)) == 1:
        forward += np.where(singular & (noise > 0), np.maximum(left, 0.0), 0.0)
        backward += np.where(singular & (noise > 0), np.maximum(-left, 0.0), 0.0)
    forward[~singular & (noise == 0)] = backward[~singular & (noise == 0)] = 0.0
    rise = np.where(singular, np.nan, -fall)
    return Edges(offset, source, target, forward, backward, rise)


def _reached(grid: Grid, offset: Offset) -> tuple[Places, Places, Places]:
    """Return the cells an edge begins in, those it leads to, and the cells whose edge leads out."""
    places = np.array(np.unravel_index(np.arange(grid.size), grid.cells))
    aims = places + np.array(offset)[:, None]
    inside = np.ones(grid.size, bool)
    for k, count in enumerate(grid.cells):
        if grid.is_periodic(k):
            aims[k] %= count
        inside &= (aims[k] >= 0) & (aims[k] < count)
    source = np.flatnonzero(inside)
    target = np.ravel_multi_index(tuple(aims[:, inside]), grid.cells)
    return source, np.asarray(target), np.flatnonzero(~inside)


def _exits(field: _Field, offset: Offset, weight: Array) -> list[Exit]:
    """Return what leaves along a direction and against it, by the wall that is met first."""
    grid, found = field.grid, []
    if not any(isinstance(w, Absorbing) for walls in grid.walls for w in walls):
        return []
    for way in (1, -1):
        step = way * np.array(offset)
        source = _reached(grid, tuple(map(int, step)))[2]
        places = np.array(np.unravel_index(source, grid.cells))
        shares = np.full(places.shape, np.inf)
        for k, count in enumerate(grid.cells):
            if step[k] and not grid.is_periodic(k):
                room = count - 0.5 - places[k] if step[k] > 0 else places[k] + 0.5
                shares[k] = room / abs(step[k])
        first = np.argmin(shares, axis=0)
        for k, name in enumerate(grid.names):
            side = int(step[k] > 0)
            if isinstance(grid.walls[k][side], Absorbing) and step[k]:
                rows = np.flatnonzero(first == k)
                rates = _leaving(field, source[rows], step, shares[k, rows], weight)
                found.append(Exit(name, "high" if side else "low", source[rows], rates))
    return found


def _leaving(field: _Field, source: Places, step: Places, share: Array, weight: Array) -> Array:
    """Return the rates along edges that end on a wall, at a share of their length."""
    rates = np.empty(source.size)
    start, noise = points_of(field.grid, source), weight[source]
    for s in np.unique(share):
        rows = np.flatnonzero(share == s)
        fall, left, _ = field.along(start[rows], s * step)
        forward, backward = np.empty(rows.size), np.empty(rows.size)
        fluxes.edge_rates(fall, left, noise[rows], noise[rows], noise[rows], 1.0, forward, backward)
        rates[rows] = np.where(noise[rows] > 0, forward / s, 0.0)
    return rates
