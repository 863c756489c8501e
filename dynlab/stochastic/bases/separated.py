"""A function of several states as a sum of products of functions of one state each.

Values on a product of points are cut by singular values, one state after another; a polynomial or a trigonometric
polynomial has as many terms as its form says, a smooth function few.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["separated"]

Array = NDArray[np.float64]

#: Singular values below this, relative to the first, are rounding.
ROUNDING = 2e-15


def separated(values: Array) -> Iterator[tuple[Array, ...]]:
    """Yield the terms of a table of values: for each state its factor at the points along it."""
    if not values.any():
        return
    if values.ndim == 1:
        yield (values,)
        return
    left, sizes, right = np.linalg.svd(values.reshape(len(values), -1), full_matrices=False)
    for k in np.flatnonzero(sizes > ROUNDING * max(values.shape) ** 0.5 * sizes[0]):
        for rest in separated(right[k].reshape(values.shape[1:])):
            yield left[:, k] * sizes[k], *rest
