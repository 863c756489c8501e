"""One state between sinc functions, in Schroedinger's form, where the generator is minus a square.

With the stationary density p0, sqrt(p0) q = p and g = (ln p0)' = f / D - (ln D)',

    -L p = sqrt(p0) A' A q,        A q = sqrt(D) (q' - g q / 2)

A is taken from the points to the places half way between them.  There the slope of no function of the basis vanishes
everywhere, so that no spurious mode is slow, and the integral of (A q)^2 is the sum over the places wherever q is
resolved.  Rates are squares of singular values: small ones keep their digits.

Risken, The Fokker-Planck Equation, 2nd ed. 1989, section 5.4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError
from dynlab.stochastic.bases.sinc import interpolation
from dynlab.stochastic.generator.coefficients import Coefficients

__all__ = ["root", "stationary_values"]

Array = NDArray[np.float64]

#: Points of Gauss and Legendre between two neighbours; a density below this of its peak is not told from zero.
BETWEEN, LEAST = 12, 1e-280


def stationary_values(coefficients: Coefficients, points: Array) -> Array:
    """Return the stationary density at evenly spaced points, where it has unit mass."""
    step = points[1] - points[0]
    places, weights = np.polynomial.legendre.leggauss(BETWEEN)
    inner = (points[:-1, None] + 0.5 * step * (1 + places)).ravel()
    drift, noise = _at(coefficients, inner)
    rise = 0.5 * step * ((drift / noise).reshape(-1, BETWEEN) @ weights)
    level = np.concatenate([[0.0], np.cumsum(rise)]) - np.log(_at(coefficients, points)[1])
    weight = np.maximum(np.exp(level - level.max()), LEAST)
    density: Array = weight / (step * weight.sum())
    return density


def root(coefficients: Coefficients, points: Array) -> Array:
    """Return A from the points to the places half way, whose square is minus the generator."""
    step = points[1] - points[0]
    middles = np.concatenate([points - 0.5 * step, points[-1:] + 0.5 * step])
    _, noise = _at(coefficients, middles)
    steep = coefficients.flux_drift(middles[:, None])[:, 0] / noise
    values, slopes = interpolation(points, middles)
    matrix: Array = (np.sqrt(noise) * (slopes - 0.5 * steep * values)).T
    return matrix


def _at(coefficients: Coefficients, points: Array) -> tuple[Array, Array]:
    column = points[:, None]
    drift = coefficients.drift(column)[:, 0]
    noise = np.asarray(coefficients.diffusion(column))[:, 0, 0]
    bad = ~(np.isfinite(drift) & (noise > 0))
    if bad.any():
        raise SettingError(
            f"there is no noise, or no drift, at {points[np.argmax(bad)]:.6g}, where sinc functions need both. Give "
            "another interval, between=(...), or cells: dl.Grid(...)."
        )
    return drift, noise
