"""Implicit steps of chains side by side: a density on a grid moved along one axis at a time.

Along each line of cells an L-stable method of second order with one real pole (Alexander 1977, SIAM J. Numer. Anal. 14,
1006; g = 1 - 1/sqrt(2)) takes two solutions of (1 - g h L) u = v with the same factors,

    p(t + h) = (A S + B S^2) p,    S = (1 - g h L)^-1,    A = -sqrt(2),  B = 1 + sqrt(2)

The columns of S sum to one and it has no negative entry, so mass is exact; A is negative, so a step that is too long for a
sharp peak makes a density negative, which the caller looks for.
"""

from __future__ import annotations

from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import OPTIONS

__all__ = ["BLOCK", "POLE", "factors", "sweep"]

POLE = 1.0 - 0.5**0.5
#: Lines taken together: enough to fill lanes, few enough to stay near the processor.
BLOCK = 16
_A, _B = -(2.0**0.5), 1.0 + 2.0**0.5


@njit("void(f8[::1], f8[::1], f8[::1], i8, i8, f8, f8[::1], f8[::1], f8[::1])", **OPTIONS)
def factors(up, down, out, n, stride, gh, low, mid, inv):
    """Write the factors of 1 - gh L along an axis: y_i = v_i + low_i y_(i-1), u_i = inv_i y_i + mid_i u_(i+1).

    Rates stand at the cell they lead away from upwards and, for `down`, at the cell below; what they would lead to
    beyond the last cell is zero.
    """
    for line in range(up.size // n):
        base = (line // stride) * n * stride + line % stride
        before, share = 0.0, 0.0
        for i in range(n):
            c = base + i * stride
            pivot = 1.0 + gh * (up[c] + out[c])
            if i > 0:
                pivot += gh * down[c - stride] * (1.0 - share)
                low[c] = before
            else:
                low[c] = 0.0
            inv[c] = 1.0 / pivot
            before = gh * up[c] * inv[c]
            share = before
            mid[c] = gh * down[c] * inv[c]


@njit("void(f8[::1], f8[::1], f8[::1], f8[::1], i8, i8, f8[:, ::1], f8[:, ::1])", **OPTIONS)
def sweep(p, low, mid, inv, n, stride, one, two):
    """Move a density along one axis in place; `one` and `two` are (n, BLOCK)."""
    if stride == 1:
        for first in range(0, p.size // n, BLOCK):
            width = min(BLOCK, p.size // n - first)
            base = first * n
            for i in range(n):
                for k in range(width):
                    c = base + i + k * n
                    y = p[c]
                    if i > 0:
                        y += low[c] * one[i - 1, k]
                    one[i, k] = y
            for i in range(n - 1, -1, -1):
                for k in range(width):
                    c = base + i + k * n
                    u = inv[c] * one[i, k]
                    if i < n - 1:
                        u += mid[c] * one[i + 1, k]
                    one[i, k] = u
            for i in range(n):
                for k in range(width):
                    c = base + i + k * n
                    y = _A * p[c] + _B * one[i, k]
                    if i > 0:
                        y += low[c] * two[i - 1, k]
                    two[i, k] = y
            for i in range(n - 1, -1, -1):
                for k in range(width):
                    c = base + i + k * n
                    u = inv[c] * two[i, k]
                    if i < n - 1:
                        u += mid[c] * two[i + 1, k]
                    two[i, k] = u
                    p[c] = u
        return
    for outer in range(p.size // (n * stride)):
        for j in range(0, stride, BLOCK):
            width = min(BLOCK, stride - j)
            base = outer * n * stride + j
            for i in range(n):
                c = base + i * stride
                if i == 0:
                    for k in range(width):
                        one[0, k] = p[c + k]
                else:
                    for k in range(width):
                        one[i, k] = p[c + k] + low[c + k] * one[i - 1, k]
            for i in range(n - 1, -1, -1):
                c = base + i * stride
                if i == n - 1:
                    for k in range(width):
                        one[i, k] = inv[c + k] * one[i, k]
                else:
                    for k in range(width):
                        one[i, k] = inv[c + k] * one[i, k] + mid[c + k] * one[i + 1, k]
            for i in range(n):
                c = base + i * stride
                if i == 0:
                    for k in range(width):
                        two[0, k] = _A * p[c + k] + _B * one[0, k]
                else:
                    for k in range(width):
                        two[i, k] = _A * p[c + k] + _B * one[i, k] + low[c + k] * two[i - 1, k]
            for i in range(n - 1, -1, -1):
                c = base + i * stride
                if i == n - 1:
                    for k in range(width):
                        two[i, k] = inv[c + k] * two[i, k]
                        p[c + k] = two[i, k]
                else:
                    for k in range(width):
                        two[i, k] = inv[c + k] * two[i, k] + mid[c + k] * two[i + 1, k]
                        p[c + k] = two[i, k]
