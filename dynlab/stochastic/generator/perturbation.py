"""How a generator changes with a parameter of the drift: the derivative of its rates, exactly.

A rate N B(-s) / h^2 with s the integral of the drift over the noise changes by

    d(rate) = -rate b(-s) ds,    b(s) = d log B / ds = 1/s - 1/(1 - e^-s)

so the derivative of a generator in detailed balance acts on its Gibbs state as the derivative of that state demands,
and the fluctuation-dissipation theorem holds on the cells to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from dynlab.stochastic.generator.coefficients import Coefficients
from dynlab.stochastic.generator.edges import along_axis, points_of
from dynlab.stochastic.generator.generator import Generator
from dynlab.stochastic.generator.oblique import along_offset

__all__ = ["perturbation"]

Array = NDArray[np.float64]

#: Below this the first terms of the series of b are exact to rounding.
SMALL = 0.05


def perturbation(
    generator: Generator, coefficients: Coefficients, slope: Callable[[Array], Array]
) -> sparse.csc_matrix:
    """Return the derivative of a closed generator by a parameter, from that of the drift at points."""
    grid = generator.grid
    moved = replace(coefficients, drift=slope, flux_drift=slope)
    rows, columns, values = [], [], []
    for axis, e in enumerate(generator.edges):
        start = points_of(grid, e.source)
        if coefficients.is_diagonal:
            width = grid.widths[axis]
            fall, drift, _ = along_axis(coefficients, start, axis, width)
            change, shift, _ = along_axis(moved, start, axis, width)
            shift = shift / width
        else:
            fall, drift = along_offset(coefficients, grid, start, e.offset)
            change, shift = along_offset(moved, grid, start, e.offset)
        upwind = np.isnan(e.rise)
        forth = np.where(upwind, np.where(drift > 0, shift, 0.0), -e.forward * _b(-fall) * change)
        back = np.where(upwind, np.where(drift < 0, -shift, 0.0), e.backward * _b(fall) * change)
        rows += [e.target, e.source, e.source, e.target]
        columns += [e.source, e.source, e.target, e.target]
        values += [forth, -forth, back, -back]
    n = grid.size
    where = (np.concatenate(rows), np.concatenate(columns))
    return sparse.csc_matrix((np.concatenate(values), where), shape=(n, n))


def _b(s: Array) -> Array:
    """Return the derivative of the logarithm of s / (e^s - 1)."""
    small = np.abs(s) < SMALL
    safe = np.where(small, 1.0, s)
    with np.errstate(over="ignore"):
        far = 1.0 / safe + 1.0 / np.expm1(-safe)
    return np.where(small, -0.5 - s / 12 + s**3 / 720 - s**5 / 30240, far)
