"""Second and third derivatives of a rule, at many points and along directions that differ from point to point."""

from __future__ import annotations

from numba import types

from dynlab.kernels.convention import MODEL_INPUTS, call2, call3, pointer
from dynlab.kernels.deferred import njit

__all__ = ["second", "third"]

_M = types.float64[:, ::1]

OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy"}


@njit(types.void(types.int64, _M, MODEL_INPUTS, _M, _M, _M), **OPTIONS)
def second(kernel, points, inputs, u, v, out):  # type: ignore[no-untyped-def]
    """Write D^2 f [u, v] at each row of points into the rows of out."""
    z, p, d, k, w = inputs
    for row in range(points.shape[0]):
        call2(kernel, 0.0, pointer(points[row]), pointer(z), pointer(p), pointer(d), pointer(k),
              pointer(w), pointer(u[row]), pointer(v[row]), pointer(out[row]))  # fmt: skip


@njit(types.void(types.int64, _M, MODEL_INPUTS, _M, _M, _M, _M), **OPTIONS)
def third(kernel, points, inputs, u, v, s, out):  # type: ignore[no-untyped-def]
    """Write D^3 f [u, v, s] at each row of points into the rows of out."""
    z, p, d, k, w = inputs
    for row in range(points.shape[0]):
        call3(kernel, 0.0, pointer(points[row]), pointer(z), pointer(p), pointer(d), pointer(k),
              pointer(w), pointer(u[row]), pointer(v[row]), pointer(s[row]),
              pointer(out[row]))  # fmt: skip
