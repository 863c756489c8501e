r"""Brownian bridges: whether, when and where a path passed a guard between the two ends of a step.

Over a short step the guard g along the path is a Wiener process with drift, of variance ``s^2`` per time, ``s^2 = sum_k
(grad g . b_k)^2``.  Given the values a and c at both ends, its drift no longer matters:

- ends on different sides: it passed zero.  Ends on one side: it did with probability ``exp(-2 a c / (s^2 h))``.
- The time tau of the first passage, given that there is one: ``u = tau / (h - tau)`` has the inverse Gaussian
  distribution of mean ``|a| / |c|`` and shape ``a^2 / (s^2 h)``.  Without noise (s = 0) that is linear interpolation.
- The state then: the bridge between the two states at tau, which is normal with covariance
  ``sum_k b_k b_k' tau (h - tau) / h``, given that ``g = 0``.

Looking at the ends alone makes mean passage times too long by a term of order sqrt(h); with the bridge the error is of
order h.

Mannella 1999, Phys. Lett. A 254, 257; Gobet 2000, Stoch. Proc. Appl. 87, 167; Giraudo and Sacerdote 1999, Commun. Stat.
Simul. 28, 1135.  Inverse Gaussian numbers: Michael, Schucany and Haas 1976, Am. Stat. 30, 88.
"""

from __future__ import annotations

import math

from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import MODEL, OPTIONS, call
from dynlab.kernels.random import fill_normals, uniform

#: A passage less likely than exp(-this) is not drawn.
UNLIKELY = 40.0


@njit("f8(u8[::1], f8[::1], f8, f8, f8)", **OPTIONS)
def passage_place(stream, one, a, c, spread):
    """Return where in a step, from 0 to 1, a bridge first passes zero, given that it does.

    `a` and `c` are the distances of the ends from zero, without sign; `spread` is ``s^2 h``; `one` is room for a
    normal number.
    """
    if spread <= 0.0 or a == 0.0:
        return a / (a + c) if a > 0.0 else 0.0
    fill_normals(stream, one)
    shape = a * a / spread
    y = one[0] * one[0]
    if c == 0.0:
        u = shape / y if y > 0.0 else math.inf
        return u / (1.0 + u) if u < math.inf else 1.0
    mean = a / c
    # The smaller root of Michael, Schucany and Haas, in a form that does not cancel.
    f = 0.5 * mean * y / shape
    u = mean / (1.0 + f + math.sqrt(f * (f + 2.0)))
    if uniform(stream) * (mean + u) > mean:
        u = mean * mean / u
    return u / (1.0 + u) if u < math.inf else 1.0


@njit("f8(u8[::1], f8[::1], f8, f8, f8, i8)", **OPTIONS)
def passage(stream, one, before, after, spread, direction):
    """Return where in a step, from 0 to 1, a guard with these ends first passes zero; 2 if it does not.

    A guard passes from the side where it was at the begin of the step; from zero itself it does not.
    """
    if before == 0.0 or direction * before > 0.0:
        return 2.0
    if before * after > 0.0:
        if not 2.0 * before * after < UNLIKELY * spread:
            return 2.0
        if uniform(stream) > math.exp(-2.0 * before * after / spread):
            return 2.0
    return passage_place(stream, one, abs(before), abs(after), spread)


@njit("void(f8[:, ::1], i8[:, ::1], f8[:, ::1], b1[::1], i8, f8[::1], f8[::1])", **OPTIONS)
def pushes(amplitude, sources, gradients, still, g, along, s2):
    """Write ``sum_k b_k (b_k . grad g)`` and, in s2[g], ``sum_k (b_k . grad g)^2``; states that stand still feel nothing."""
    along[:] = 0.0
    total = 0.0
    for s in range(sources.shape[1]):
        layer, target = sources[0, s], sources[1, s]
        push = 0.0
        for i in range(along.size) if target < 0 else range(target, target + 1):
            if not still[i]:
                push += amplitude[layer, i] * gradients[g, i]
        total += push * push
        for i in range(along.size) if target < 0 else range(target, target + 1):
            if not still[i]:
                along[i] += amplitude[layer, i] * push
    s2[g] = total


@njit(
    f"void(u8[::1], f8[::1], i8, i8, f8, f8, f8, f8, f8[::1], f8[::1], f8[:, ::1], i8[:, ::1], f8[:, ::1], b1[::1],"
    f" f8[::1], f8[::1], f8[::1], f8[::1], {MODEL})",
    **OPTIONS,
)  # fmt: skip
def meeting_point(
    stream, normals, guard, g, level, t, h, place, old, new, amplitude, sources, gradients, still, along, s2, values, here,
    z, p, d, k, w,
):  # fmt: skip
    """Write into `here` the state at a place of a step where guard g is at its level."""
    n = old.size
    for i in range(n):
        here[i] = old[i] + place * (new[i] - old[i])
    pushes(amplitude, sources, gradients, still, g, along, s2)
    if s2[g] <= 0.0:
        return
    fill_normals(stream, normals)
    scale = math.sqrt(place * (1.0 - place) * h)
    for s in range(sources.shape[1]):
        layer, target = sources[0, s], sources[1, s]
        for i in range(n) if target < 0 else range(target, target + 1):
            if not still[i]:
                here[i] += scale * normals[s] * amplitude[layer, i]
    # Normal numbers are conditioned on g = 0 by a shift along their covariance with g; twice where g bends.
    for _ in range(2):
        call(guard, t + place * h, here, z, p, d, k, w, values)
        for i in range(n):
            here[i] -= along[i] * ((values[g] - level) / s2[g])
