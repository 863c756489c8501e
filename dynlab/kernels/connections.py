"""Orthogonal collocation of an orbit that is not closed: what the elimination leaves of one Newton step.

The equations inside and the two integral conditions are those of a cycle (`dynlab.kernels.collocation`).
Eliminated are all states but those at the two ends u(0) and u(1).  What is left,

    n rows that join u(0), u(1), T and the parameters,  phase,  arclength,

is small and dense; conditions on the ends and further unknowns, such as the equilibria that the orbit
connects, are added there by the caller.
"""

from __future__ import annotations

from numba import njit, types

from dynlab.kernels.collocation import BASIS, condense, linearise, product, reduce
from dynlab.kernels.convention import MODEL_INPUTS, OK, SINGULAR

__all__ = ["eliminate"]

_V = types.float64[::1]
_M = types.float64[:, ::1]
_F3 = types.float64[:, :, ::1]
_I = types.int64[::1]

OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}


@njit(
    types.int64(
        types.int64, types.int64, MODEL_INPUTS, _I, _M, _V, _V, _V, BASIS, _M, _F3, _F3, _F3, _F3,
        _M, _V,
    ),
    **OPTIONS,
)  # fmt: skip
def eliminate(
    rhs, jacobian, inputs, active, u, q, mesh, scale, basis, reference, phase, arc, work, kept,
    last, trace,
):  # type: ignore[no-untyped-def]  # fmt: skip
    """Write the rows that are left for u(0), u(1), T, each parameter, right-hand side; return a status.

    Phase and arclength are measured from ``reference``.
    """
    m, n = basis[0].shape[0], u.shape[1]
    status = linearise(
        rhs, jacobian, inputs, active, u, q, mesh, scale, basis, phase, arc, work, trace
    )
    if status != OK:
        return status
    if condense(work, m, n) == 0.0 or reduce(work, m, n, kept, last) == 0.0:
        return SINGULAR
    right = last.shape[1] - 1
    last[n, right] -= product(u, reference, scale, basis, phase)
    last[n + 1, right] -= product(u, reference, scale, basis, arc)
    return OK
