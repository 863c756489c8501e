"""The generator in a basis: a matrix acting on the coefficients of a density.

L = -sum_k d_k f_k + sum_kl d_k d_l D_kl,      each term a sum of products of matrices along one state
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from dynlab.errors import LeftDomain
from dynlab.status import Status
from dynlab.stochastic.bases.axis import Axis
from dynlab.stochastic.bases.separated import separated
from dynlab.stochastic.generator.coefficients import Coefficients

__all__ = ["generator_matrix"]

Array = NDArray[np.float64]


def generator_matrix(coefficients: Coefficients, axes: Sequence[Axis]) -> sparse.csr_matrix:
    """Return the generator on products of functions, the last axis running fastest.

    Raises
    ------
    LeftDomain
        If drift or noise is not a number at one of the points of the quadrature.
    """
    shape = tuple(a.nodes.size for a in axes)
    points = np.stack(np.meshgrid(*(a.nodes for a in axes), indexing="ij"), axis=-1)
    flat = points.reshape(-1, len(axes))
    drift, diffusion = coefficients.drift(flat), np.asarray(coefficients.diffusion(flat))
    bad = ~(np.isfinite(drift).all(axis=1) & np.isfinite(diffusion).all(axis=(1, 2)))
    if bad.any():
        where = ", ".join(f"{v:.4g}" for v in flat[np.argmax(bad)])
        raise LeftDomain(
            f"the drift or the noise is not a number at ({where}), which the functions reach. Use narrower ones, or "
            "cells inside the domain of the equations: dl.Grid(...).",
            status=Status.LEFT_DOMAIN,
        )
    size = int(np.prod([a.size for a in axes]))
    total = sparse.csr_matrix((size, size))
    for k in range(len(axes)):
        total -= _along(axes, (k,), drift[:, k].reshape(shape))
        for j in range(k, len(axes)):
            noise = diffusion[:, k, j].reshape(shape) * (1.0 if j == k else 2.0)
            total += _along(axes, (k, j), noise)
    total.eliminate_zeros()
    return total


def _along(axes: Sequence[Axis], slopes: tuple[int, ...], values: Array) -> sparse.csr_matrix:
    """Return the matrix of multiplication by a function, then a derivative along each of these axes."""
    size = int(np.prod([a.size for a in axes]))
    total = sparse.csr_matrix((size, size))
    for factors in separated(values):
        parts = [a.operator(slopes.count(k), factors[k]) for k, a in enumerate(axes)]
        total = total + reduce(lambda x, y: sparse.kron(x, y, format="csr"), parts)
    return total
