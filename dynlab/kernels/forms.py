"""The residual, its Jacobian and its multilinear forms at many points in one call.

One row per point: states, the values of the active parameters, and direction vectors.  Cost: one
evaluation of the form per row; nothing is allocated.
"""

from __future__ import annotations

from numba import types

from dynlab.kernels.convention import MODEL_INPUTS, call0, call2, call3, pointer
from dynlab.kernels.deferred import njit

__all__ = ["rows", "second_rows", "third_rows"]

_V = types.float64[::1]
_M = types.float64[:, ::1]
_I = types.int64[::1]


@njit(
    types.void(types.int64, MODEL_INPUTS, _I, _M, _M, _M), cache=True, nogil=True,
    error_model="numpy",
)  # fmt: skip
def rows(kernel, inputs, places, states, parameters, out):  # type: ignore[no-untyped-def]
    """Write a kernel without directions at every row."""
    z, p, d, k, w = inputs
    for i in range(states.shape[0]):
        for j in range(places.size):
            p[places[j]] = parameters[i, j]
        call0(kernel, 0.0, pointer(states[i]), pointer(z), pointer(p), pointer(d), pointer(k),
              pointer(w), pointer(out[i]))  # fmt: skip


@njit(
    types.void(types.int64, MODEL_INPUTS, _I, _M, _M, _M, _M, _M), cache=True, nogil=True,
    error_model="numpy",
)  # fmt: skip
def second_rows(kernel, inputs, places, states, parameters, a, b, out):  # type: ignore[no-untyped-def]
    """Write D^2 f [a, b] at every row."""
    z, p, d, k, w = inputs
    for i in range(states.shape[0]):
        for j in range(places.size):
            p[places[j]] = parameters[i, j]
        call2(kernel, 0.0, pointer(states[i]), pointer(z), pointer(p), pointer(d), pointer(k),
              pointer(w), pointer(a[i]), pointer(b[i]), pointer(out[i]))  # fmt: skip


@njit(
    types.void(types.int64, MODEL_INPUTS, _I, _M, _M, _M, _M, _M, _M), cache=True, nogil=True,
    error_model="numpy",
)  # fmt: skip
def third_rows(kernel, inputs, places, states, parameters, a, b, c, out):  # type: ignore[no-untyped-def]
    """Write D^3 f [a, b, c] at every row."""
    z, p, d, k, w = inputs
    for i in range(states.shape[0]):
        for j in range(places.size):
            p[places[j]] = parameters[i, j]
        call3(kernel, 0.0, pointer(states[i]), pointer(z), pointer(p), pointer(d), pointer(k),
              pointer(w), pointer(a[i]), pointer(b[i]), pointer(c[i]), pointer(out[i]))  # fmt: skip
