"""A flow together with the variational equation along it, as one right-hand side.

    x' = f(x)          the state
    W' = J(x) W        small deviations, in units of the states: J_ij s_j / s_i
    q' = tr J(x)       the logarithm of the volume that they span

The kernel has the usual signature and finds the flow's own through `k`, so every loop that integrates a
flow integrates this, with exact derivatives and one step size for all.  Its state is x, then W row by row,
then q.  `k` begins with the numbers below, then comes the flow's own `k`; `w` begins with the n units and
room for n x n numbers, then comes the flow's own.
"""

from __future__ import annotations

from numba import carray, cfunc

from dynlab.kernels.convention import OK, call0, kernel_signature, pointer

__all__ = ["HEADER", "rule"]

# Places in `k`: size, and addresses of the flow's kernels.
STATES, RULE, JACOBIAN = range(3)
HEADER = 3


@cfunc(kernel_signature(0), cache=True, error_model="numpy")
def rule(t, x, z, p, d, k, w, out):  # type: ignore[no-untyped-def]
    """Write f, J W and tr J."""
    n = k[STATES]
    space = carray(w, n + n * n + 1)
    unit, here = space[:n], space[n : n + n * n]
    inner_k, inner_w = pointer(carray(k, HEADER + 1)[HEADER:]), pointer(space[n + n * n :])
    call0(k[RULE], t, x, z, p, d, inner_k, inner_w, out)
    call0(k[JACOBIAN], t, x, z, p, d, inner_k, inner_w, pointer(here))
    trace = 0.0
    for i in range(n):
        trace += here[i * n + i]
        for j in range(n):
            out[n + i * n + j] = 0.0
        for l in range(n):
            rate = here[i * n + l] * unit[l] / unit[i]
            if rate != 0.0:
                for j in range(n):
                    out[n + i * n + j] += rate * x[n + l * n + j]
    out[n + n * n] = trace
    return OK
