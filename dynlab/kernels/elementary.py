"""Small functions of the equation language that the math library lacks."""

from __future__ import annotations

import math

import numpy as np

from dynlab.kernels.deferred import njit

__all__ = ["floor", "heaviside", "maximum", "minimum", "sigmoid", "sign"]


@njit(error_model="numpy")
def floor(x):  # type: ignore[no-untyped-def]
    """Return the largest whole number not above x, as a float; nan and infinities stay."""
    return np.floor(x)


@njit(error_model="numpy")
def minimum(x, y):  # type: ignore[no-untyped-def]
    """Return the smaller number; nan if either is."""
    return x if x < y or x != x else y


@njit(error_model="numpy")
def maximum(x, y):  # type: ignore[no-untyped-def]
    """Return the larger number; nan if either is."""
    return x if x > y or x != x else y


@njit(error_model="numpy")
def sign(x):  # type: ignore[no-untyped-def]
    """Return -1, 0 or 1; nan stays nan."""
    if x > 0.0:
        return 1.0
    return -1.0 if x < 0.0 else x * 0.0


@njit(error_model="numpy")
def heaviside(x):  # type: ignore[no-untyped-def]
    """Return the unit step, 1/2 at zero; nan stays nan."""
    if x > 0.0:
        return 1.0
    return 0.0 if x < 0.0 else 0.5 + x


@njit(error_model="numpy")
def sigmoid(x):  # type: ignore[no-untyped-def]
    """Return 1 / (1 + exp(-x)) to full relative accuracy on both sides."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)
