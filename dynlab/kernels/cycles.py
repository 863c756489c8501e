"""A chunk of continuation steps for a branch of cycles, in one compiled loop.

Pseudo-arclength continuation of the collocated cycle (`dynlab.kernels.collocation`) in the unknowns
(u, T, l), with the length  |u|^2 + (dT / T)^2 + (dl / s_l)^2,  u in L2 and in units of the states'
sizes.  The step follows the angle between tangents.  A cycle whose oscillation turns over from one
point to the next has passed a Hopf point.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from dynlab.kernels.collocation import BASIS, at_gauss_points, correct
from dynlab.kernels.convention import (
    AT_HOPF_POINT,
    LEFT_DOMAIN,
    MODEL_INPUTS,
    NOT_CONVERGED,
    OK,
    PARAMETER_BOUND,
    PERIOD_BOUND,
    RUNNING,
)
from dynlab.kernels.deferred import njit
from dynlab.kernels.floquet import multipliers
from dynlab.kernels.meshes import interpolate, monitor, spread_evenly

__all__ = ["arc_row", "follow", "length", "phase_row"]

_V = types.float64[::1]
_M = types.float64[:, ::1]
_F3 = types.float64[:, :, ::1]
_I = types.int64[::1]
_Z = types.complex128[:, ::1]

OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}

#: An oscillation smaller than this, in units of the states, is round-off about an equilibrium.
POINT = 1e-10
#: Multipliers larger than this ask for a solution to round-off.
STEEP, ROUND_OFF = 1e3, 1e-12

# Positions in the settings vector.
STEP_MIN, STEP_MAX, ANGLE, ANGLE_MAX, TOLERANCE, DRIFT, MESH_ERROR, UNEVEN = range(8)
# Positions in a row of facts: those of `correct`, then of the mesh.
SIGN, DIVERGENCE, NEWTON, MESH = range(4)


@njit(types.void(_M, _V, _V, BASIS, _F3), **OPTIONS)
def phase_row(reference, mesh, scale, basis, out):  # type: ignore[no-untyped-def]
    """Write the row of the phase condition, of unit length: the slope of the reference."""
    slopes, weights = basis[1], basis[2]
    m, n = slopes.shape[0], reference.shape[1]
    total = 0.0
    for i in range(mesh.shape[0] - 1):
        h = mesh[i + 1] - mesh[i]
        for c in range(m):
            for j in range(n):
                slope = 0.0
                for k in range(m + 1):
                    slope += slopes[c, k] * reference[i * m + k, j]
                slope /= h * scale[j]
                total += h * weights[c] * slope * slope
                out[i, c, j] = h * weights[c] * slope
    size = 1.0 / math.sqrt(total) if total > 0.0 else 1.0
    for i in range(out.shape[0]):
        for c in range(m):
            for j in range(n):
                out[i, c, j] *= size


@njit(types.void(_M, _V, BASIS, _F3), **OPTIONS)
def arc_row(direction, mesh, basis, out):  # type: ignore[no-untyped-def]
    """Write the row that measures lengths along a scaled direction."""
    weights = basis[2]
    m, n = weights.shape[0], direction.shape[1]
    x = np.empty(n)
    for i in range(mesh.shape[0] - 1):
        h = mesh[i + 1] - mesh[i]
        for c in range(m):
            at_gauss_points(direction, basis, i, c, x)
            for j in range(n):
                out[i, c, j] = h * weights[c] * x[j]


@njit(types.float64(_M, _V, _V, BASIS), **OPTIONS)
def length(direction, direction_q, mesh, basis):  # type: ignore[no-untyped-def]
    """Return the length of a scaled direction."""
    weights = basis[2]
    m, n = weights.shape[0], direction.shape[1]
    x = np.empty(n)
    total = direction_q[0] ** 2 + direction_q[1] ** 2
    for i in range(mesh.shape[0] - 1):
        h = mesh[i + 1] - mesh[i]
        for c in range(m):
            at_gauss_points(direction, basis, i, c, x)
            for j in range(n):
                total += h * weights[c] * x[j] * x[j]
    return math.sqrt(total)


@njit(types.float64(_M, _M, _V, _V), **OPTIONS)
def _likeness(u, v, mesh, scale):  # type: ignore[no-untyped-def]
    """Return the correlation of two oscillations about their means, from the states on the mesh."""
    n, count = u.shape[1], mesh.shape[0] - 1
    m = (u.shape[0] - 1) // count
    total, own, other = 0.0, 0.0, 0.0
    for j in range(n):
        mean_u, mean_v, square_u, square_v, both = 0.0, 0.0, 0.0, 0.0, 0.0
        start_u, start_v = u[0, j], v[0, j]  # else round-off of what stands still would count
        for i in range(count):
            weight = (mesh[i + 1] - mesh[i]) / m
            for k in range(m):
                a, b = u[i * m + k, j] - start_u, v[i * m + k, j] - start_v
                mean_u += weight * a
                mean_v += weight * b
                square_u += weight * a * a
                square_v += weight * b * b
                both += weight * a * b
        unit = 1.0 / (scale[j] * scale[j])
        own += (square_u - mean_u * mean_u) * unit
        other += (square_v - mean_v * mean_v) * unit
        total += (both - mean_u * mean_v) * unit
    if own < POINT * POINT:
        return 1.0
    return total / math.sqrt(own * other) if other > 0.0 else 0.0


@njit(
    types.int64(
        types.int64, types.int64, MODEL_INPUTS, types.int64, _M, _V, _V, _M, _V, _V,
        _V, _V, BASIS, _V, _M, _F3, _M, _M, _M, _Z, _M, _I,
    ),
    **OPTIONS,
)  # fmt: skip
def follow(
    rhs, jacobian, inputs, active, u, q, mesh, direction, direction_q, step, settings,
    scale, basis, differences, bounds, profiles, meshes, ends, tangents, values, facts, counters,
):  # type: ignore[no-untyped-def]  # fmt: skip
    """Take steps until a row buffer is full, a bound is met, or something ends the branch.

    ``u``, ``q`` = (T, l), ``mesh``, the scaled tangent ``direction``, ``direction_q`` and ``step`` (its
    length) are the state of the walk, updated in place.  ``bounds`` holds least and greatest T and l.
    ``counters``: rows written now; steps taken before this chunk; whether the mesh is too coarse.
    """
    m, n, count = differences.shape[0] - 1, u.shape[1], mesh.shape[0] - 1
    phase, arc = np.empty((count, m, n)), np.empty((count, m, n))
    work = np.empty((count, m * n + 2, (m + 1) * n + 3))
    kept = np.empty((count, n, 3 * n + 3))
    guess, reference, turned = np.empty(u.shape), np.empty(u.shape), np.empty(u.shape)
    guess_q, reference_q, turned_q = np.empty(2), np.empty(2), np.empty(2)
    pin = np.empty(2)
    density, fresh, found = np.empty(count), np.empty(count + 1), np.empty(4)
    counters[0] = counters[2] = 0
    while counters[0] < profiles.shape[0]:
        h = step[0]
        scale[n] = q[0]
        for row in range(u.shape[0]):
            for j in range(n):
                reference[row, j] = u[row, j] + h * scale[j] * direction[row, j]
                guess[row, j] = reference[row, j]
        for j in range(2):
            reference_q[j] = q[j] + h * scale[n + j] * direction_q[j]
            guess_q[j] = reference_q[j]
        phase_row(reference, mesh, scale, basis, phase)
        arc_row(direction, mesh, basis, arc)
        status = NOT_CONVERGED
        if guess_q[0] > 0.0:
            status = correct(
                rhs, jacobian, inputs, active, guess, guess_q, mesh, scale, basis,
                reference, reference_q, phase, arc, direction_q, 0.0, settings[TOLERANCE], work,
                kept, turned, turned_q, found,
            )  # fmt: skip
        angle = 0.0
        if status == OK:
            angle = math.acos(min(1.0, 1.0 / length(turned, turned_q, mesh, basis)))
            if h > 1.0001 * settings[STEP_MIN] and angle > settings[ANGLE_MAX]:
                status = RUNNING
        if status != OK:
            if h <= settings[STEP_MIN] * 1.0001:
                return LEFT_DOMAIN if status == LEFT_DOMAIN else NOT_CONVERGED
            step[0] = max(settings[STEP_MIN], 0.5 * h)
            continue

        # A bound passed: land on the first one crossed.
        hit, fraction, target = -1, 2.0, 0.0
        for j in range(2):
            for side in range(2):
                bound = bounds[j, side]
                outside = guess_q[j] < bound if side == 0 else guess_q[j] > bound
                if outside and guess_q[j] != q[j]:
                    part = (bound - q[j]) / (guess_q[j] - q[j])
                    if part < fraction:
                        fraction, hit, target = part, j, bound
        if hit >= 0:
            fraction = max(fraction, 0.0)
            for row in range(u.shape[0]):
                for j in range(n):
                    reference[row, j] = u[row, j] + fraction * (guess[row, j] - u[row, j])
                    guess[row, j] = reference[row, j]
            for j in range(2):
                reference_q[j] = q[j] + fraction * (guess_q[j] - q[j])
                guess_q[j] = reference_q[j]
                pin[j] = 1.0 if j == hit else 0.0
            arc[:] = 0.0
            status = correct(
                rhs, jacobian, inputs, active, guess, guess_q, mesh, scale, basis,
                reference, reference_q, phase, arc, pin,
                (target - reference_q[hit]) / scale[n + hit], settings[TOLERANCE], work, kept,
                turned, turned_q, found,
            )  # fmt: skip
            if status != OK:
                if h <= settings[STEP_MIN] * 1.0001:
                    return NOT_CONVERGED
                step[0] = max(settings[STEP_MIN], 0.5 * h)
                continue
            guess_q[hit] = target
            if turned_q[hit] * direction_q[hit] < 0.0:
                for row in range(u.shape[0]):
                    for j in range(n):
                        turned[row, j] = -turned[row, j]
                turned_q[0], turned_q[1] = -turned_q[0], -turned_q[1]
                found[SIGN] = -found[SIGN]

        size = 1.0 / length(turned, turned_q, mesh, basis)
        for row in range(u.shape[0]):
            for j in range(n):
                turned[row, j] *= size
        turned_q[0], turned_q[1] = turned_q[0] * size, turned_q[1] * size
        if _likeness(u, guess, mesh, scale) < 0.0:
            return AT_HOPF_POINT

        k = counters[0]
        worst = monitor(guess, mesh, scale, differences, density)
        for row in range(u.shape[0]):
            for j in range(n):
                profiles[k, row, j] = guess[row, j]
                u[row, j] = guess[row, j]
                direction[row, j] = turned[row, j]
        for i in range(count + 1):
            meshes[k, i] = mesh[i]
        for j in range(2):
            ends[k, j] = q[j] = guess_q[j]
            tangents[k, j] = direction_q[j] = turned_q[j]
        rates = multipliers(work, m, n)
        largest = 0.0
        for j in range(n):
            largest = max(largest, abs(rates[j]))
        if largest > STEEP:
            # Disturbances grow so much that what Newton's last step left shows in the multipliers.
            arc_row(turned, mesh, basis, arc)
            status = correct(
                rhs, jacobian, inputs, active, guess, guess_q, mesh, scale, basis, guess, guess_q,
                phase, arc, turned_q, 0.0, ROUND_OFF, work, kept, reference, pin, found,
            )  # fmt: skip
            if status == OK:
                rates = multipliers(work, m, n)
        for j in range(n):
            values[k, j] = rates[j]
        facts[k, SIGN], facts[k, DIVERGENCE], facts[k, NEWTON] = found[0], found[1], found[2]
        facts[k, MESH] = worst
        counters[0] += 1
        grow = min(1.6, max(0.5, settings[ANGLE] / max(angle, 1e-12)))
        step[0] = min(settings[STEP_MAX], max(settings[STEP_MIN], h * grow))
        if hit == 0:
            return PERIOD_BOUND
        if hit == 1:
            return PARAMETER_BOUND
        if worst > settings[MESH_ERROR]:
            counters[2] = 1
            return RUNNING
        if spread_evenly(mesh, density, fresh) > settings[UNEVEN]:
            interpolate(u, mesh, fresh, guess)
            interpolate(direction, mesh, fresh, turned)
            for row in range(u.shape[0]):
                for j in range(n):
                    u[row, j], direction[row, j] = guess[row, j], turned[row, j]
            for i in range(count + 1):
                mesh[i] = fresh[i]
    return RUNNING
