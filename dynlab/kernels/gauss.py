"""One step of Gauss collocation: implicit, symplectic, for any right-hand side.

    g_i = f(t + c_i h, x + h sum_j a_ij g_j),    x_new = x + h sum_j b_j g_j

with nodes c at the zeros of the Legendre polynomial; with s stages the order is 2 s (Hairer, Lubich and Wanner, Geometric
Numerical Integration, 2nd ed., Springer 2006, sections II.1.3 and IV.2.1).  Nothing is assumed of the energy: momenta
and coordinates may stand in one term, and quadratic invariants are kept exactly whether there is an energy or not.

The stages are found by iteration, stage after stage with what is known, until rounding alone moves them (section
VIII.6.2): an iteration that stops at a tolerance leaves an error of one sign, and the energy drifts.  For
the same reason a and b are carried with their rounding errors, in two numbers each (Hairer, McLachlan and
Razakarivony 2008, BIT 48, 231).  It begins with the polynomial of the last step, continued.

Cost of a step: s evaluations per iteration, about six iterations where ``h |J|`` is 0.1.  What makes it fail: ``h |J|`` not
well below 1, where the iteration does not converge.
"""

from __future__ import annotations

import numpy as np

from dynlab.kernels.convention import LEFT_DOMAIN, NOT_CONVERGED, RUNNING
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import EPS, MODEL, OPTIONS, call

__all__ = ["MOST_ITERATIONS", "begin", "step"]

MOST_ITERATIONS = 100
#: Where an iteration may come to rest: changes of so many units of rounding.
AT_REST = 64.0 * EPS


@njit(f"void(i8, f8, f8[::1], f8[:, ::1], {MODEL})", **OPTIONS)
def begin(rhs, t, x, rates, z, p, d, k, w):
    """Set all rates to those at the start, with which the first iteration begins."""
    for j in range(rates.shape[0]):
        call(rhs, t, x, z, p, d, k, w, rates[j])


@njit("void(i8, f8[::1], f8[:, ::1], f8[:, ::1])", **OPTIONS)
def _continued(s, coefficients, rates, new):
    """Replace the rates of the last step by what their polynomial says of this one."""
    first = s + 2 * s * s + 2 * s
    for j in range(s):
        for i in range(rates.shape[1]):
            new[j, i] = 0.0
            for m in range(s):
                new[j, i] += coefficients[first + j * s + m] * rates[m, i]
    for j in range(s):
        for i in range(rates.shape[1]):
            rates[j, i] = new[j, i]


@njit("f8(i8, i8, f8, f8[::1], f8[:, ::1], i8)", forceinline=True, **OPTIONS)
def _summed(high, s, h, coefficients, rates, i):
    """Return h times the sum of rates, with coefficients in two parts."""
    large, small = 0.0, 0.0
    for m in range(s):
        large += coefficients[high + m] * rates[m, i]
        small += coefficients[high + s + m] * rates[m, i]
    return h * (large + small)


@njit(f"i8(i8, f8, f8, i8, f8[::1], f8[::1], f8[::1], f8[::1], f8[:, ::1], f8[:, ::1], {MODEL})", **OPTIONS)  # fmt: skip
def step(rhs, t, h, s, coefficients, x, y, lost, rates, new, z, p, d, k, w):
    """Take one step from x to y; return RUNNING or why not.

    Parameters
    ----------
    coefficients
        The nodes; for each stage a row of a and one of what it lacks; b and what it lacks; and the matrix that continues
        the rates of a step to the next one.
    lost
        What rounding took from x.
    rates, new
        The rates of the last step, which become those of this one; and as much room.
    """
    n, place = x.size, s + 2 * s * s
    _continued(s, coefficients, rates, new)
    before = np.inf
    for _ in range(MOST_ITERATIONS):
        change = largest = 0.0
        for j in range(s):
            for i in range(n):
                y[i] = x[i] + (_summed(s + 2 * s * j, s, h, coefficients, rates, i) + lost[i])
            call(rhs, t + coefficients[j] * h, y, z, p, d, k, w, new[j])
            for i in range(n):
                change = max(change, abs(new[j, i] - rates[j, i]))
                largest = max(largest, abs(new[j, i]))
                if 0.0 * new[j, i] != 0.0:
                    return LEFT_DOMAIN if before == np.inf else NOT_CONVERGED
                rates[j, i] = new[j, i]
        is_at_rest = change <= AT_REST * largest
        if change == 0.0 or (is_at_rest and change >= before):
            for i in range(n):
                added = _summed(place, s, h, coefficients, rates, i) + lost[i]
                after = x[i] + added
                kept = after - x[i]
                lost[i] = (x[i] - (after - kept)) + (added - kept)
                y[i] = after
            return RUNNING
        before = change
    return NOT_CONVERGED
