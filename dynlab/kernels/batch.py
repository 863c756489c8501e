"""A kernel evaluated at many points in one call."""

from __future__ import annotations

from numba import types

from dynlab.kernels.convention import MODEL_INPUTS, call0, pointer
from dynlab.kernels.deferred import njit

__all__ = ["evaluate"]

_M = types.float64[:, ::1]


@njit(
    types.void(types.int64, types.float64, _M, MODEL_INPUTS, _M),
    cache=True, nogil=True, error_model="numpy",
)  # fmt: skip
def evaluate(kernel, t, points, inputs, out):  # type: ignore[no-untyped-def]
    """Write the kernel's answer at each row of points into the rows of out."""
    z, p, d, k, w = inputs
    for row in range(points.shape[0]):
        call0(kernel, t, pointer(points[row]), pointer(z), pointer(p), pointer(d), pointer(k),
              pointer(w), pointer(out[row]))  # fmt: skip
