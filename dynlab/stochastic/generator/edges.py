"""Edges between neighbouring cells, and ends of axes, with their exponentially fitted rates.

An edge leads from a cell to the one an offset away; for noise that is not shared between states the offsets are the
axes.  Edges of other offsets are made in `dynlab.stochastic.generator.oblique`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import LeftDomain, SettingError
from dynlab.kernels import fluxes
from dynlab.status import Status
from dynlab.stochastic.generator.coefficients import Coefficients
from dynlab.stochastic.generator.grid import Absorbing, Grid, Reinjected

__all__ = [
    "Edges",
    "Exit",
    "along_axis",
    "axis_edges",
    "axis_exit",
    "check_finite",
    "leaves",
    "points_of",
    "quadrature",
]

Array = NDArray[np.float64]
Places = NDArray[np.int64]

#: Points of Gauss-Legendre quadrature along an edge, for a grid of 1, 2, 3 ... axes.
QUADRATURE = (8, 4, 3)


@dataclass(frozen=True)
class Edges:
    """All edges of one offset: ends, rates both ways, and the logarithm of their ratio.

    Attributes
    ----------
    offset
        How many cells further the target is along each axis.
    source, target
        The cells at the ends.
    forward, backward
        Rates from source to target and back.
    rise
        How much the potential rises along the edge; nan where there is no noise.
    """

    offset: tuple[int, ...]
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


def axis_edges(coefficients: Coefficients, grid: Grid, axis: int) -> Edges:
    """Return the edges along an axis."""
    index = np.arange(grid.size).reshape(grid.cells)
    length = grid.cells[axis]
    source = np.take(index, range(length - 1), axis).ravel()
    target = np.take(index, range(1, length), axis).ravel()
    if grid.is_periodic(axis):
        source = np.concatenate([source, np.take(index, length - 1, axis).ravel()])
        target = np.concatenate([target, np.take(index, 0, axis).ravel()])
    noise = _noise_at_cells(coefficients, grid, axis)
    start = points_of(grid, source)
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
    fall, drift, least = along_axis(coefficients, start, axis, length)
    source, target = ends
    least = np.minimum(least, np.minimum(noise[source], noise[target]))
    forward, backward = np.empty(fall.size), np.empty(fall.size)
    fluxes.edge_rates(
        fall, drift, least, noise[source], noise[target], abs(length), forward, backward
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        rise = np.where(least > 0, -fall + np.log(noise[target]) - np.log(noise[source]), np.nan)
    offset = tuple(int(k == axis) for k in range(start.shape[1]))
    return Edges(offset, source, target, forward, backward, rise)


def along_axis(
    coefficients: Coefficients, start: Array, axis: int, length: float | Array
) -> tuple[Array, Array, Array]:
    """Return along edges the integral of drift over noise, the mean drift and the least noise."""
    places, weights = quadrature(start.shape[1])
    at = np.repeat(start[None], len(places), axis=0)
    at[:, :, axis] += places[:, None] * length
    flat = at.reshape(-1, start.shape[1])
    f = coefficients.drift(flat)[:, axis]
    noise = coefficients.diffusion(flat)[:, axis, axis]
    check_finite(f, noise, flat)
    with np.errstate(divide="ignore", invalid="ignore"):
        steep = np.where(noise > 0, f / noise, 0.0)
    shape = (len(places), len(start))
    fall = length * (weights @ steep.reshape(shape))
    drift = np.sign(length) * (weights @ f.reshape(shape))
    return fall, drift, noise.reshape(shape).min(axis=0)


@cache
def quadrature(axes: int) -> tuple[Array, Array]:
    """Return places and weights of Gauss-Legendre quadrature between 0 and 1."""
    places, weights = np.polynomial.legendre.leggauss(QUADRATURE[min(axes, len(QUADRATURE)) - 1])
    return 0.5 * (1 + places), 0.5 * weights


def check_finite(drift: Array, noise: Array, points: Array) -> None:
    """Raise LeftDomain, naming the place, unless drift and noise are numbers."""
    bad = ~(np.isfinite(drift) & np.isfinite(noise))
    if bad.any():
        where = ", ".join(f"{v:.4g}" for v in points[np.argmax(bad)])
        raise LeftDomain(
            f"the drift or the noise is not a number at ({where}), which lies in the grid. Give a grid inside the "
            "domain of the equations.",
            status=Status.LEFT_DOMAIN,
        )


def points_of(grid: Grid, cells: Places) -> Array:
    """Return the middles of cells, one a row."""
    places = np.unravel_index(cells, grid.cells)
    return np.stack([grid.centres(n)[k] for n, k in zip(grid.names, places, strict=True)], axis=1)


def _noise_at_cells(coefficients: Coefficients, grid: Grid, axis: int) -> Array:
    points = points_of(grid, np.arange(grid.size))
    noise = coefficients.diffusion(points)[:, axis, axis].copy()
    if np.any(noise < 0):
        raise SettingError(
            "a diffusion coefficient is negative, which no noise has. Check the amplitudes."
        )
    return noise


def leaves(grid: Grid, axis: int, side: int) -> bool:
    """Return whether probability leaves at an end of an axis."""
    return isinstance(grid.walls[axis][side], Absorbing | Reinjected)


def axis_exit(coefficients: Coefficients, grid: Grid, axis: int, side: int) -> Exit:
    """Return the rates through one end: an edge of half a cell to a place where nothing is."""
    index = np.arange(grid.size).reshape(grid.cells)
    source = np.take(index, -1 if side else 0, axis).ravel()
    width = grid.widths[axis]
    start = points_of(grid, source)
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
