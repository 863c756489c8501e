"""Scalar products of a row of links with values at their sources.

Rows of a sparse network are short, and a call costs as much as three links: what runs over links stands
inside its caller, and adds in four running sums, so that none waits for the last.  (Left to the
compiler a row of 5 links takes twice as long: it is called and set up for processor lanes that it never
fills.)  In a full row the order of additions is the compiler's.  Either way a result is the same on
every call and differs from the plain order by rounding.
"""

from __future__ import annotations

from numba import types

from dynlab.kernels.deferred import njit

__all__ = ["full_product", "link_product", "link_products", "share"]

_F = types.CPointer(types.float64)
_K = types.CPointer(types.int64)
_N = types.int64
_OPTIONS = {
    "cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract", "reassoc"},
    "_nrt": False,
}  # fmt: skip
_INSIDE = {**_OPTIONS, "fastmath": {"contract"}, "forceinline": True}


@njit(types.float64(_F, _N, _F, _N, _N), **_OPTIONS)
def full_product(weights, at, values, value_at, count):  # type: ignore[no-untyped-def]
    """Return the product of two runs of numbers."""
    total = 0.0
    for j in range(count):
        total += weights[at + j] * values[value_at + j]
    return total


@njit(types.float64(_F, _N, _F, _N, _K, _N, _N, _N), **_INSIDE)
def link_product(weights, at, values, value_at, sources, source_at, first, last):  # type: ignore[no-untyped-def]
    """Return the sum of weight times value at the source, over the links from first to last."""
    a0 = a1 = a2 = a3 = 0.0
    link = first
    while link + 4 <= last:
        w, s = at + link, source_at + link
        a0 += weights[w] * values[value_at + sources[s]]
        a1 += weights[w + 1] * values[value_at + sources[s + 1]]
        a2 += weights[w + 2] * values[value_at + sources[s + 2]]
        a3 += weights[w + 3] * values[value_at + sources[s + 3]]
        link += 4
    while link < last:
        a0 += weights[at + link] * values[value_at + sources[source_at + link]]
        link += 1
    return (a0 + a1) + (a2 + a3)


@njit(types.UniTuple(types.float64, 2)(_F, _N, _F, _N, _F, _N, _K, _N, _N, _N), **_INSIDE)
def link_products(weights, at, values, value_at, others, other_at, sources, source_at, first, last):  # type: ignore[no-untyped-def]
    """Return two sums of `link_product` with the same weights: each link is looked up once."""
    a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = 0.0
    link = first
    while link + 4 <= last:
        w, s = at + link, source_at + link
        w0, s0 = weights[w], sources[s]
        w1, s1 = weights[w + 1], sources[s + 1]
        w2, s2 = weights[w + 2], sources[s + 2]
        w3, s3 = weights[w + 3], sources[s + 3]
        a0 += w0 * values[value_at + s0]
        b0 += w0 * others[other_at + s0]
        a1 += w1 * values[value_at + s1]
        b1 += w1 * others[other_at + s1]
        a2 += w2 * values[value_at + s2]
        b2 += w2 * others[other_at + s2]
        a3 += w3 * values[value_at + s3]
        b3 += w3 * others[other_at + s3]
        link += 4
    while link < last:
        weight, source = weights[at + link], sources[source_at + link]
        a0 += weight * values[value_at + source]
        b0 += weight * others[other_at + source]
        link += 1
    return (a0 + a1) + (a2 + a3), (b0 + b1) + (b2 + b3)


@njit(types.float64(types.float64, _N), **_OPTIONS)
def share(total, count):  # type: ignore[no-untyped-def]
    """Return the total by the number of terms, 0 if there are none."""
    return total / count if count > 0 else 0.0
