"""Newton's method for f(x) - shift x = 0, from one start or from many, with deflation.

``shift`` is 0 for the equilibria of a flow and 1 for the fixed points of a map.  The step is damped
by halving until the residual falls.  Many starts share a list of roots; a second round divides the
residual by its distance to every known root (deflation: Farrell, Birkisson, Funke, SIAM J. Sci.
Comput. 37 (2015) A2026), which only rescales the Newton step (their section 3.2).

Cost: one right-hand side, one Jacobian and one LU per step.  Fails where the Jacobian is singular
away from a root.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from dynlab.kernels.convention import (
    MODEL_INPUTS,
    NOT_CONVERGED,
    OK,
    SINGULAR,
    call0,
    pointer,
)
from dynlab.kernels.deferred import njit
from dynlab.kernels.linear import factor, solve

__all__ = ["newton", "search"]

_V = types.float64[::1]
_M = types.float64[:, ::1]
_MAX_ITERATIONS = 80
_HALVINGS = 12
_DEFLATION_POWER = 2.0


@njit(
    types.float64(types.int64, types.float64, types.float64, _V, MODEL_INPUTS, _V),
    cache=True, nogil=True, error_model="numpy",
)  # fmt: skip
def _residual(rhs, t, shift, x, inputs, out):  # type: ignore[no-untyped-def]
    """Write f(x) - shift x and return its largest absolute component; inf if not finite."""
    z, p, d, k, w = inputs
    call0(rhs, t, pointer(x), pointer(z), pointer(p), pointer(d), pointer(k), pointer(w),
          pointer(out))  # fmt: skip
    size = 0.0
    for i in range(x.shape[0]):
        out[i] -= shift * x[i]
        if not math.isfinite(out[i]):
            return math.inf
        size = max(size, abs(out[i]))
    return size


@njit(types.float64(_V, _V, _V, _M), cache=True, nogil=True, error_model="numpy")
def _deflation(x, step, scale, known):  # type: ignore[no-untyped-def]
    """Return the factor by which deflation stretches a Newton step.

    With M = prod (1 / |x - r|^2 + 1) the step of M f is step / (1 - grad(log M) . step).
    """
    if known.shape[0] == 0:
        return 1.0
    n = x.shape[0]
    slope = 0.0
    for k in range(known.shape[0]):
        square = 0.0
        along = 0.0
        for i in range(n):
            d = (x[i] - known[k, i]) / scale[i]
            square += d * d
            along += d * step[i] / scale[i]
        if square == 0.0:
            return math.inf
        slope -= _DEFLATION_POWER * along / (square * (1.0 + square))
    below = 1.0 - slope
    if abs(below) < 1e-6:
        below = math.copysign(1e-6, below)
    return 1.0 / below


@njit(
    types.int64(
        types.int64, types.int64, types.float64, _V, MODEL_INPUTS, _V, types.float64, _M, _V
    ),
    cache=True, nogil=True, error_model="numpy",
)  # fmt: skip
def newton(rhs, jacobian, shift, x, inputs, scale, tolerance, known, report):  # type: ignore[no-untyped-def]
    """Improve x in place until a step is below the tolerance, relative to scale.

    `known` holds roots to keep away from (no rows: none).  ``report`` gets the last step size
    (relative) and the residual.
    """
    n = x.shape[0]
    f, step, trial, ftrial = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    a = np.empty((n, n))
    flat = a.reshape(n * n)
    pivots = np.empty(n, np.int64)
    z, p, d, k, w = inputs
    size = _residual(rhs, 0.0, shift, x, inputs, f)
    report[0] = math.inf
    report[1] = size
    if not math.isfinite(size):
        return NOT_CONVERGED
    for _ in range(_MAX_ITERATIONS):
        if size == 0.0 and known.shape[0] == 0:
            report[0] = 0.0
            report[1] = 0.0
            return OK
        call0(jacobian, 0.0, pointer(x), pointer(z), pointer(p), pointer(d), pointer(k),
              pointer(w), pointer(flat))  # fmt: skip
        for i in range(n):
            a[i, i] -= shift
            step[i] = -f[i]
        if factor(a, pivots) == 0.0:
            return SINGULAR
        solve(a, pivots, step)
        stretch = _deflation(x, step, scale, known)
        length = 0.0
        for i in range(n):
            step[i] *= stretch
            length = max(length, abs(step[i]) / scale[i])
        if not math.isfinite(length):
            return SINGULAR
        factor_of_step = min(1.0, 2.0 / length) if length > 0.0 else 1.0
        accepted = False
        for _ in range(_HALVINGS):
            for i in range(n):
                trial[i] = x[i] + factor_of_step * step[i]
            new = _residual(rhs, 0.0, shift, trial, inputs, ftrial)
            if (
                new < size
                or (length < 1e-7 and math.isfinite(new))
                or (known.shape[0] > 0 and math.isfinite(new))
            ):
                accepted = True
                break
            factor_of_step *= 0.5
        if not accepted:
            return NOT_CONVERGED
        for i in range(n):
            x[i] = trial[i]
            f[i] = ftrial[i]
        size = new
        report[0] = length
        report[1] = size
        if length < tolerance:
            return OK
    return NOT_CONVERGED


@njit(
    types.int64(
        types.int64, types.int64, types.float64, _M, MODEL_INPUTS, _V, _V, _V, _V, _M, types.int64
    ),
    cache=True, nogil=True, error_model="numpy",
)  # fmt: skip
def search(rhs, jacobian, shift, starts, inputs, scale, unit, lower, upper, roots, count):  # type: ignore[no-untyped-def]
    """Run Newton from every start, plain and deflated; append new roots; return their number.

    Distances are measured in ``scale`` (the box); a root is converged in its own size or in ``unit``, the
    usual size of a state, whatever the box.
    """
    n = starts.shape[1]
    x = np.empty(n)
    size = np.empty(n)
    report = np.empty(2)
    nothing = np.empty((0, n))
    for deflated in range(2):
        for s in range(starts.shape[0]):
            if count == roots.shape[0]:
                return count
            for i in range(n):
                x[i] = starts[s, i]
            status = OK
            if deflated == 1:
                status = newton(rhs, jacobian, shift, x, inputs, scale, 1e-6, roots[:count], report)
            if status != OK:
                continue
            if newton(rhs, jacobian, shift, x, inputs, scale, 1e-9, nothing, report) != OK:
                continue
            for i in range(n):
                size[i] = max(abs(x[i]), unit[i])
            if newton(rhs, jacobian, shift, x, inputs, size, 1e-11, nothing, report) != OK:
                continue
            inside = True
            for i in range(n):
                slack = 1e-9 * abs(x[i]) + 1e-12 * scale[i]
                if x[i] < lower[i] - slack or x[i] > upper[i] + slack:
                    inside = False
            if not inside:
                continue
            new = True
            for k in range(count):
                distance = 0.0
                for i in range(n):
                    distance = max(distance, abs(x[i] - roots[k, i]) / scale[i])
                if distance < 1e-6:
                    new = False
                    break
            if new:
                for i in range(n):
                    roots[count, i] = x[i]
                count += 1
    return count
