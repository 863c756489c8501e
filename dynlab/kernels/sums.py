"""Scalar products of a row of links with values at their sources.

The order of additions is left to the compiler, so that several run side by side; a result is the same
on every call and differs from the plain order by rounding.
"""

from __future__ import annotations

from numba import njit, types

__all__ = ["full_product", "link_product", "link_products", "share"]

_F = types.CPointer(types.float64)
_K = types.CPointer(types.int64)
_N = types.int64
_OPTIONS = {
    "cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract", "reassoc"},
    "_nrt": False,
}  # fmt: skip


@njit(types.float64(_F, _N, _F, _N, _N), **_OPTIONS)
def full_product(weights, at, values, value_at, count):  # type: ignore[no-untyped-def]
    """Return the product of two runs of numbers."""
    total = 0.0
    for j in range(count):
        total += weights[at + j] * values[value_at + j]
    return total


@njit(types.float64(_F, _N, _F, _N, _K, _N, _N, _N), **_OPTIONS)
def link_product(weights, at, values, value_at, sources, source_at, first, last):  # type: ignore[no-untyped-def]
    """Return the sum of weight times value at the source, over the links from first to last."""
    total = 0.0
    for link in range(first, last):
        total += weights[at + link] * values[value_at + sources[source_at + link]]
    return total


@njit(types.UniTuple(types.float64, 2)(_F, _N, _F, _N, _F, _N, _K, _N, _N, _N), **_OPTIONS)
def link_products(weights, at, values, value_at, others, other_at, sources, source_at, first, last):  # type: ignore[no-untyped-def]
    """Return two sums of `link_product` with the same weights: each link is looked up once."""
    total = other = 0.0
    for link in range(first, last):
        weight, source = weights[at + link], sources[source_at + link]
        total += weight * values[value_at + source]
        other += weight * others[other_at + source]
    return total, other


@njit(types.float64(types.float64, _N), **_OPTIONS)
def share(total, count):  # type: ignore[no-untyped-def]
    """Return the total by the number of terms, 0 if there are none."""
    return total / count if count > 0 else 0.0
