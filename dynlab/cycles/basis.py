"""The polynomials of collocation: Lagrange basis on equidistant places, seen at the Gauss points."""

from __future__ import annotations

import functools

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

__all__ = ["Basis", "basis_of", "differences_of"]

Vector = NDArray[np.float64]


#: Values and slopes of the Lagrange polynomials at the Gauss points (a row each), and the Gauss weights.
Basis = tuple[Vector, Vector, Vector]


@functools.cache
def basis_of(degree: int) -> Basis:
    """Return the basis of a degree, on an interval of length 1."""
    roots, weights = legendre.leggauss(degree)
    points = 0.5 * (roots + 1.0)
    places = np.arange(degree + 1) / degree
    values, slopes = np.empty((degree, degree + 1)), np.empty((degree, degree + 1))
    for k in range(degree + 1):
        polynomial = np.poly(np.delete(places, k))
        polynomial = polynomial / np.polyval(polynomial, places[k])
        values[:, k] = np.polyval(polynomial, points)
        slopes[:, k] = np.polyval(np.polyder(polynomial), points)
    return values, slopes, 0.5 * weights


@functools.cache
def differences_of(degree: int) -> Vector:
    """Return the weights of the derivative of that order on equidistant places of a unit interval."""
    row = np.array([1.0])
    for _ in range(degree):
        row = np.convolve(row, [-1.0, 1.0])
    return row * float(degree) ** degree
