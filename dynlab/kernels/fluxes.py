"""Finite-volume fluxes of densities: exponentially fitted rates, and what is asked of a chain of cells.

Between two cells a distance h apart the probability flux is

    J = (B(s) q_i - B(-s) q_j) / h,    B(s) = s / (e^s - 1),    s = -int_i^j f / D dx,    q = D p

which is exact for a constant flux where f / D is constant (Scharfetter and Gummel 1969, IEEE Trans. Electron
Devices 16, 64; Chang and Cooper 1970, J. Comput. Phys. 6, 1).  With the exact integral the state without flux is
the Gibbs state at the nodes, however coarse the cells.  Since q = D p stands in it, f is the drift in Ito's form.

A chain is a row of cells between which only neighbours exchange: ``up[i]`` is the rate from cell i to i + 1,
``down[i]`` from i + 1 to i, ``out[i]`` the rate at which cell i loses to the outside.
"""

from __future__ import annotations

import numpy as np

from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import OPTIONS

#: Below this the two first terms of the series of B are exact to rounding.
SMALL = 1e-5
#: A rate is never smaller than e^-LARGE of the one the other way: no cell is cut off by underflow.
LARGE = 230.0
#: Weights are scaled down before they overflow; what then underflows is nothing beside the rest.
HUGE = 1e100


@njit("f8(f8)", **OPTIONS)
def bernoulli(s):
    """Return s / (e^s - 1)."""
    if abs(s) < SMALL:
        return 1.0 - 0.5 * s + s * s / 12.0
    if s < -LARGE:
        return -s
    return s / np.expm1(min(s, LARGE))


@njit("void(f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8, f8[::1], f8[::1])", **OPTIONS)
def edge_rates(fall, drift, least, noise_from, noise_to, h, forward, backward):
    """Write the rates along edges and against them.

    Where the noise is nothing somewhere along the edge (`least` is not positive) the rates are those of upwind
    differences with what noise there is at the ends, of first order.

    Parameters
    ----------
    fall
        The integral of f / D along the edge; not read where there is no noise.
    drift
        The mean drift along it.
    least
        The least diffusion along it, ends and places of the quadrature.
    noise_from, noise_to
        The diffusion at the ends.
    h
        Its length.
    forward, backward
        The answer.
    """
    for e in range(fall.size):
        to, back = noise_from[e] / (h * h), noise_to[e] / (h * h)
        if least[e] > 0.0:
            forward[e] = to * bernoulli(-fall[e])
            backward[e] = back * bernoulli(fall[e])
        else:
            forward[e] = to + max(drift[e], 0.0) / h
            backward[e] = back + max(-drift[e], 0.0) / h


@njit("i8(f8, f8[::1], f8[::1], f8[::1])", **OPTIONS)
def slower_than(shift, up, down, out):
    """Return how many decay rates of a chain lie below a number, with high relative accuracy.

    The symmetrised generator is B'B; the stationary quotient-difference algorithm with shift keeps each of its
    pivots accurate relative to itself (Fernando and Parlett 1994, Numer. Math. 67, 191), so rates that are
    exponentially small are counted as well as others.
    """
    count, kept = 0, -shift
    for i in range(up.size):
        kept += out[i]
        pivot = kept + up[i]
        if pivot == 0.0:
            pivot = 1e-300
        if pivot < 0.0:
            count += 1
        kept = down[i] * (kept / pivot) - shift
    if kept + out[up.size] < 0.0:
        count += 1
    return count


@njit("void(f8[::1], f8[::1], f8[::1], f8[::1])", **OPTIONS)
def slowest_rates(up, down, out, rates):
    """Write the lowest decay rates of a chain in ascending order, by bisection to rounding."""
    top = 0.0
    for i in range(up.size):
        top = max(top, 2.0 * (up[i] + down[i] + out[i]) + out[i + 1])
    for m in range(rates.size):
        low, high = (0.0, top) if m == 0 else (max(rates[m - 1], 0.0), top)
        # Rates may differ by many orders of magnitude: first the exponent, then the digits.
        trial = high
        while trial > 1e-290:
            trial *= 2.0**-8
            if trial <= low or slower_than(trial, up, down, out) <= m:
                break
            high = trial
        low = max(low, trial if slower_than(trial, up, down, out) <= m else 0.0)
        if high <= 1e-280:
            rates[m] = 0.0
            continue
        while True:
            middle = 0.5 * (low + high)
            if middle <= low or middle >= high or high - low <= 2e-16 * high:
                break
            if slower_than(middle, up, down, out) > m:
                high = middle
            else:
                low = middle
        rates[m] = high


@njit(
    "void(f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], c16[::1], c16[::1], c16[:, ::1], f8[:, ::1])",
    **OPTIONS,
)
def evolve_chain(up, down, out, start, times, nodes, weights, work, answer):
    """Write the state of a chain at each time, one row each: a contour integral of the resolvent.

        e^{tL} p = 2 Re sum_k w_k (z_k - t L)^{-1} p

    Each resolvent is a tridiagonal system, solved without pivoting: the matrix is similar to a symmetric one with
    a definite imaginary part, so nothing grows.
    """
    n = start.size
    for row in range(times.size):
        t = times[row]
        for i in range(n):
            answer[row, i] = 0.0
        for k in range(nodes.size):
            # Forward: work[0] holds the reciprocals of the pivots, work[1] the right-hand side.
            z = nodes[k]
            loss = out[0] + (up[0] if n > 1 else 0.0)
            work[0, 0] = 1.0 / (z + t * loss)
            work[1, 0] = start[0]
            for i in range(1, n):
                loss = out[i] + down[i - 1] + (up[i] if i < n - 1 else 0.0)
                share = t * up[i - 1] * work[0, i - 1]
                work[0, i] = 1.0 / (z + t * loss - share * (t * down[i - 1]))
                work[1, i] = start[i] + share * work[1, i - 1]
            x = work[1, n - 1] * work[0, n - 1]
            answer[row, n - 1] += 2.0 * (weights[k] * x).real
            for i in range(n - 2, -1, -1):
                x = (work[1, i] + t * down[i] * x) * work[0, i]
                answer[row, i] += 2.0 * (weights[k] * x).real


@njit("i8(f8[:, ::1], f8[::1])", **OPTIONS)
def eliminate(rates, answer):
    """Write the stationary weights of a dense chain without subtracting anything; return 1 if it falls apart.

    ``rates[i, j]`` is the rate from i to j and is overwritten (Grassmann, Taksar and Heyman 1985, Oper. Res. 33,
    1107): every number is accurate relative to itself.
    """
    n = answer.size
    for last in range(n - 1, 0, -1):
        total = 0.0
        for j in range(last):
            total += rates[last, j]
        if not total > 0.0:
            return 1
        for i in range(last):
            share = rates[i, last] / total
            rates[i, last] = share
            if share != 0.0:
                for j in range(last):
                    rates[i, j] += share * rates[last, j]
    answer[0] = 1.0
    for i in range(1, n):
        answer[i] = 0.0
        for k in range(i):
            answer[i] += answer[k] * rates[k, i]
        if answer[i] > HUGE:
            for k in range(i):
                answer[k] /= answer[i]
            answer[i] = 1.0
    return 0


@njit("void(f8[::1], f8[::1], f8[::1], f8[::1], f8[:, ::1], f8[::1])", **OPTIONS)
def solve_backward(up, down, out, source, work, answer):
    """Write the solution of the backward equation of a chain, -L' T = source, without a subtraction.

    With the source 1 it is the mean time until the outside is reached, with the rates into one end the probability
    to leave by that end.  All numbers are positive, so each is accurate relative to itself, however large.
    """
    n = source.size
    kept = out[0]
    for i in range(n):
        pivot = kept + (up[i] if i < n - 1 else 0.0)
        work[0, i] = pivot
        work[1, i] = source[i] + (down[i - 1] * (work[1, i - 1] / work[0, i - 1]) if i > 0 else 0.0)
        if i < n - 1:
            kept = out[i + 1] + down[i] * (kept / pivot)
    answer[n - 1] = work[1, n - 1] / work[0, n - 1]
    for i in range(n - 2, -1, -1):
        answer[i] = (work[1, i] + up[i] * answer[i + 1]) / work[0, i]


@njit("void(i4[::1], i4[::1], f8[::1], f8[::1], f8[::1], f8[:, ::1], f8[::1])", **OPTIONS)
def jump(first, targets, shares, weights, start, work, answer):
    """Write sum_n w_n M^n p, where M, by columns, is what one jump does: no subtraction, so each number is accurate.

    With the weights of a Poisson distribution it is the exponential of a generator (uniformisation; Jensen 1953, Skand.
    Aktuarietidskr. 36, 87).
    """
    n = start.size
    for i in range(n):
        work[0, i] = start[i]
        answer[i] = weights[0] * start[i]
    for k in range(1, weights.size):
        here, there = (k - 1) % 2, k % 2
        for i in range(n):
            work[there, i] = 0.0
        for j in range(n):
            mass = work[here, j]
            for e in range(first[j], first[j + 1]):
                work[there, targets[e]] += shares[e] * mass
        if weights[k] > 0.0:
            for i in range(n):
                answer[i] += weights[k] * work[there, i]
