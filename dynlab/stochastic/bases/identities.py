"""Exact identities of a stationary density, E[L' g] = 0, as certificates of one that was computed.

    L' g = sum_k f_k d_k g + sum_kl D_kl d_k d_l g

For polynomials g (sines and cosines along angles) they are the equations between moments, such as <x^4> = <x^2> + D
in the double well.  Nothing in the solution is made to obey them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from dynlab.stochastic.bases.expansion import contracted
from dynlab.stochastic.generator.coefficients import Coefficients
from dynlab.stochastic.generator.grid import Grid

__all__ = ["identities"]

Array = NDArray[np.float64]

#: Up to this degree.
DEGREE = 4


def identities(coefficients: Coefficients, grid: Grid, values: Array) -> dict[str, float]:
    """Return for each g, by its name, E[L' g] relative to the sum of E|f_k d_k g| and E|D_kl d_k d_l g|."""
    families = [
        _harmonics(n, grid.centres(n)) if grid.is_periodic(k) else _powers(n, grid.centres(n))
        for k, n in enumerate(grid.names)
    ]
    change: Array = np.zeros(1)
    size: Array = np.zeros(1)
    for weights, slopes in _terms(coefficients, grid, values):
        tables = [tables[slopes.count(k)] for k, (_, _, tables) in enumerate(families)]
        change = change + contracted(weights, tables)
        size = size + contracted(np.abs(weights), [np.abs(t) for t in tables])
    found = {}
    for place in product(*(range(len(names)) for names, _, _ in families)):
        degree = sum(degrees[k] for k, (_, degrees, _) in zip(place, families, strict=True))
        if 1 <= degree <= DEGREE:
            name = " ".join(
                names[k] for k, (names, _, _) in zip(place, families, strict=True) if names[k]
            )
            found[name] = float(change[place] / size[place]) if size[place] > 0 else 0.0
    return found


def _terms(
    coefficients: Coefficients, grid: Grid, values: Array
) -> Iterator[tuple[Array, tuple[int, ...]]]:
    """Yield what stands before each derivative of g, times the mass of the cells, and the axes of the derivative."""
    mesh = np.stack(np.meshgrid(*(grid.centres(n) for n in grid.names), indexing="ij"), axis=-1)
    flat = mesh.reshape(-1, len(grid.names))
    drift, diffusion = coefficients.drift(flat), np.asarray(coefficients.diffusion(flat))
    mass = values * grid.volume
    for k in range(len(grid.names)):
        yield mass * drift[:, k].reshape(values.shape), (k,)
        for j in range(k, len(grid.names)):
            noise = diffusion[:, k, j].reshape(values.shape) * (1 if j == k else 2)
            if noise.any():
                yield mass * noise, (k, j)


Family = tuple[list[str], list[int], list[Array]]


def _powers(name: str, x: Array) -> Family:
    """Return names, degrees, and tables of x^k and its two derivatives, one column each."""
    order = np.arange(DEGREE + 1)
    tables = [
        x[:, None] ** order,
        order * x[:, None] ** np.maximum(order - 1, 0),
        order * (order - 1) * x[:, None] ** np.maximum(order - 2, 0),
    ]
    return ["", name, *(f"{name}^{k}" for k in order[2:])], list(order), tables


def _harmonics(name: str, x: Array) -> Family:
    """Return names, degrees, and tables of 1, cos kx and sin kx and their two derivatives, one column each."""
    order = np.arange(1, DEGREE + 1)
    c, s = np.cos(np.multiply.outer(x, order)), np.sin(np.multiply.outer(x, order))
    one, none = np.ones((x.size, 1)), np.zeros((x.size, 1))
    tables = [
        np.hstack([one, c, s]),
        np.hstack([none, -order * s, order * c]),
        np.hstack([none, -(order**2) * c, -(order**2) * s]),
    ]
    angles = [name if k == 1 else f"{k} {name}" for k in order]
    names = ["", *(f"cos({a})" for a in angles), *(f"sin({a})" for a in angles)]
    return names, [0, *order, *order], tables
