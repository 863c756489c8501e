"""A kernel evaluated at many points in one call."""

from __future__ import annotations

import numpy as np
from numba import njit, types

from dynlab.kernels.convention import call0, pointer

__all__ = ["evaluate"]

_M = types.float64[:, ::1]
_V = types.float64[::1]


@njit(
    types.void(types.int64, types.float64, _M, _V, _M),
    cache=True, nogil=True, error_model="numpy",
)  # fmt: skip
def evaluate(kernel, t, points, p, out):  # type: ignore[no-untyped-def]
    """Write the kernel's answer at each row of points into the rows of out."""
    integers = np.zeros(1, np.int64)
    none = pointer(p)
    for k in range(points.shape[0]):
        call0(kernel, t, pointer(points[k]), none, pointer(p), none, pointer(integers), none,
              pointer(out[k]))  # fmt: skip
