"""Curves of bifurcations as systems of equations: precompiled kernels composed through `k`.

With the residual F(x, l, m) of an equilibrium or of a cycle of a map (F = f, or f^n - x), its matrix
A = f_x, and two parameters l and m, a bifurcation is F = 0 with bordered scalars (minimally extended
systems: Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria, 2000, ch. 4 and 5; Beyn
et al., Handbook of Dynamical Systems 2, 2002, ch. 4):

fold, period doubling   unknowns (x, l; m)      g = 0        [A - c  w; v' 0] [q; g] = [0; 1]
Hopf point, torus       unknowns (x, c, l; m)   s1 = s2 = 0  with s = s1 + e s2, q = q1 + e q2, e^2 = t e - c:

                        [ A   w   c     0 ] [q1]   [0]       (A - e) q + w s = 0
                        [ v'  0   0     0 ] [s1] = [1]       v' q = 1
                        [ -1  0   A - t w ] [q2]   [0]
                        [ 0   0   v'    0 ] [s2]   [0]

branch point            unknowns (x, b, l; m)   F + b w = 0, g1 = g2 = 0   [A F_l w; V' 0] [Phi; g] = [0; I_2]

For a Hopf point t = 0 and c = omega^2 is unknown; so the equations are smooth where omega passes zero
(Bogdanov-Takens), and beyond, c < 0, is a neutral saddle.  For a torus c = 1 and t = 2 cos(angle) is
unknown; it passes the resonances 1:1 and 1:2 in the same way.

The derivative of a bordered scalar is minus (left vector) . D^2 f [., right vector].  Each call of a
Jacobian first takes the null vectors of the call before as borders: so the borders follow the curve,
and every Newton step is one on equations that do not change between residual and Jacobian.

Every kernel has the usual signature; the second parameter m stands in `p`.  `k` begins with the numbers
below, then comes the own `k` of the residual's kernels; `w` begins with `workspace` numbers: the
borders, the null vectors that follow them, and scratch.
"""

from __future__ import annotations

import math

import numpy as np
from numba import carray, cfunc

from dynlab.kernels.convention import OK, call0, call2, kernel_signature, pointer
from dynlab.kernels.deferred import njit
from dynlab.kernels.linear import factor, solve

__all__ = [
    "HEADER",
    "branch_jacobian",
    "branch_residual",
    "pair_jacobian",
    "pair_residual",
    "real_jacobian",
    "real_residual",
    "workspace",
]

# Places in `k`: number of states, place of the parameter l in p, addresses, whether it is a map; which
# parameter (0: l, 1: m) the branch points are those of.
STATES, FIRST, RULE, JACOBIAN, SECOND, MAP, OF = range(7)
HEADER = 7
# Places in `w`: the eigenvalue c of a fold or period doubling; then the borders.
EIGENVALUE, BORDERS = range(2)


@njit("i8(i8)", cache=True, nogil=True, error_model="numpy")
def workspace(n):  # type: ignore[no-untyped-def]
    """Return how many numbers of workspace the kernels here need for n states."""
    m = 2 * n + 2
    return BORDERS + 8 * (n + 2) + n * (n + 2) + m * m + 4 * m + 4 * (n + 2)


@njit("void(f8[:, ::1], i8[::1], f8[::1])", cache=True, nogil=True, error_model="numpy")
def solve_transposed(a, pivots, b):  # type: ignore[no-untyped-def]
    """Overwrite b with the solution for the transposed matrix, given what `factor` left."""
    n = a.shape[0]
    for i in range(n):
        total = b[i]
        for j in range(i):
            total -= a[j, i] * b[j]
        b[i] = total / a[i, i]
    for i in range(n - 1, -1, -1):
        total = b[i]
        for j in range(i + 1, n):
            total -= a[j, i] * b[j]
        b[i] = total
    for k in range(n - 1, -1, -1):
        row = pivots[k]
        if row != k:
            b[k], b[row] = b[row], b[k]


@njit("void(f8[::1], f8[::1])", cache=True, nogil=True, error_model="numpy")
def _adopt(vector, border):  # type: ignore[no-untyped-def]
    """Take a vector of unit length as the border, unless it is not finite."""
    length = 0.0
    for i in range(vector.size):
        length += vector[i] * vector[i]
    length = math.sqrt(length)
    if length > 0.0 and math.isfinite(length):
        for i in range(vector.size):
            border[i] = vector[i] / length


@njit("f8(f8[::1], f8[::1])", cache=True, nogil=True, error_model="numpy")
def _dot(a, b):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@njit("f8(f8[::1], f8, f8[::1], f8[::1], f8[:, ::1], f8[::1], f8[::1])", cache=True, nogil=True,
      error_model="numpy")  # fmt: skip
def _real(flat, eigenvalue, v, w, m, right, left):  # type: ignore[no-untyped-def]
    """Solve with the bordered matrix and its transpose; return the sign of its determinant."""
    n = v.size
    for i in range(n):
        for j in range(n):
            m[i, j] = flat[i * (n + 2) + j]
        m[i, i] -= eigenvalue
        m[i, n], m[n, i] = w[i], v[i]
        right[i] = left[i] = 0.0
    m[n, n] = 0.0
    right[n] = left[n] = 1.0
    pivots = np.empty(n + 1, np.int64)
    sign = factor(m, pivots)
    if sign != 0.0:
        solve(m, pivots, right)
        solve_transposed(m, pivots, left)
    return sign


@cfunc(kernel_signature(0), cache=True, error_model="numpy")
def real_residual(t, x, z, p, d, k, w, out):  # type: ignore[no-untyped-def]
    """Write F and the scalar g that vanishes with an eigenvalue."""
    n = k[STATES]
    own = workspace(n)
    space = carray(w, own + 1)
    inner_k, inner_w = pointer(carray(k, HEADER + 1)[HEADER:]), pointer(space[own:])
    at = BORDERS
    v, border = space[at : at + n], space[at + n : at + 2 * n]
    at += 4 * n
    flat = space[at : at + n * (n + 2)]
    at += n * (n + 2)
    m = carray(pointer(space[at:]), (n + 1, n + 1))
    at += (n + 1) * (n + 1)
    right, left = space[at : at + n + 1], space[at + n + 1 : at + 2 * n + 2]
    p[k[FIRST]] = x[n]
    call0(k[JACOBIAN], t, x, z, p, d, inner_k, inner_w, pointer(flat))
    sign = _real(flat, space[EIGENVALUE], v, border, m, right, left)
    call0(k[RULE], t, x, z, p, d, inner_k, inner_w, out)
    for i in range(n):
        out[i] -= k[MAP] * x[i]
    # Times the sign of the bordered determinant: g then has the sign of det(A - c), whatever the borders.
    out[n] = right[n] * sign if sign != 0.0 else math.nan
    return OK


@cfunc(kernel_signature(0), cache=True, error_model="numpy")
def real_jacobian(t, x, z, p, d, k, w, out):  # type: ignore[no-untyped-def]
    """Write the derivatives of `real_residual` by x, l and m, row by row."""
    n = k[STATES]
    own = workspace(n)
    space = carray(w, own + 1)
    inner_k, inner_w = pointer(carray(k, HEADER + 1)[HEADER:]), pointer(space[own:])
    at = BORDERS
    v, border = space[at : at + n], space[at + n : at + 2 * n]
    next_v, next_border = space[at + 2 * n : at + 3 * n], space[at + 3 * n : at + 4 * n]
    at += 4 * n
    flat = space[at : at + n * (n + 2)]
    at += n * (n + 2)
    m = carray(pointer(space[at:]), (n + 1, n + 1))
    at += (n + 1) * (n + 1)
    right, left = space[at : at + n + 1], space[at + n + 1 : at + 2 * n + 2]
    at += 2 * n + 2
    direction, axis = space[at : at + n + 2], space[at + n + 2 : at + 2 * n + 4]
    form = space[at + 2 * n + 4 : at + 3 * n + 4]
    answer = carray(out, ((n + 1), (n + 2)))
    _adopt(next_v, v)
    _adopt(next_border, border)
    p[k[FIRST]] = x[n]
    call0(k[JACOBIAN], t, x, z, p, d, inner_k, inner_w, pointer(flat))
    for i in range(n):
        for j in range(n + 2):
            answer[i, j] = flat[i * (n + 2) + j]
        answer[i, i] -= k[MAP]
    sign = _real(flat, space[EIGENVALUE], v, border, m, right, left)
    direction[:] = 0.0
    axis[:] = 0.0
    for i in range(n):
        direction[i] = right[i]
    for j in range(n + 2):
        axis[j] = 1.0
        call2(k[SECOND], t, x, z, p, d, inner_k, inner_w, pointer(direction), pointer(axis),
              pointer(form))  # fmt: skip
        axis[j] = 0.0
        answer[n, j] = -sign * _dot(left[:n], form) if sign != 0.0 else math.nan
    for i in range(n):
        next_v[i], next_border[i] = right[i], left[i]
    return OK


@njit("boolean(f8[::1], f8, f8, f8[::1], f8[::1], f8[:, ::1], f8[::1], f8[::1], f8[::1])", cache=True,
      nogil=True, error_model="numpy")  # fmt: skip
def _pair(flat, trace, product, v, w, m, right, left1, left2):  # type: ignore[no-untyped-def]
    """Solve for q1, s1, q2, s2 and for the left vectors of s1 and s2; return whether it is regular."""
    n = v.size
    size = 2 * n + 2
    m[:, :] = 0.0
    right[:] = 0.0
    left1[:] = 0.0
    left2[:] = 0.0
    other = n + 1
    for i in range(n):
        for j in range(n):
            m[i, j] = m[other + i, other + j] = flat[i * (n + 2) + j]
        m[other + i, other + i] -= trace
        m[other + i, i] = -1.0
        m[i, other + i] = product
        m[i, n] = m[other + i, other + n] = w[i]
        m[n, i] = m[other + n, other + i] = v[i]
    right[n] = 1.0
    left1[n] = 1.0
    left2[size - 1] = 1.0
    pivots = np.empty(size, np.int64)
    if factor(m, pivots) == 0.0:
        return False
    solve(m, pivots, right)
    solve_transposed(m, pivots, left1)
    solve_transposed(m, pivots, left2)
    return True


@cfunc(kernel_signature(0), cache=True, error_model="numpy")
def pair_residual(t, x, z, p, d, k, w, out):  # type: ignore[no-untyped-def]
    """Write F and the scalars s1, s2 that vanish with a pair of eigenvalues."""
    n = k[STATES]
    size = 2 * n + 2
    own = workspace(n)
    space = carray(w, own + 1)
    inner_k, inner_w = pointer(carray(k, HEADER + 1)[HEADER:]), pointer(space[own:])
    at = BORDERS
    v, border = space[at : at + n], space[at + n : at + 2 * n]
    at += 4 * n
    flat = space[at : at + n * (n + 2)]
    at += n * (n + 2)
    m = carray(pointer(space[at:]), (size, size))
    at += size * size
    right, left1 = space[at : at + size], space[at + size : at + 2 * size]
    left2 = space[at + 2 * size : at + 3 * size]
    p[k[FIRST]] = x[n + 1]
    trace, product = (x[n], 1.0) if k[MAP] else (0.0, x[n])
    call0(k[JACOBIAN], t, x, z, p, d, inner_k, inner_w, pointer(flat))
    regular = _pair(flat, trace, product, v, border, m, right, left1, left2)
    call0(k[RULE], t, x, z, p, d, inner_k, inner_w, out)
    for i in range(n):
        out[i] -= k[MAP] * x[i]
    out[n] = right[n] if regular else math.nan
    out[n + 1] = right[size - 1] if regular else math.nan
    return OK


@cfunc(kernel_signature(0), cache=True, error_model="numpy")
def pair_jacobian(t, x, z, p, d, k, w, out):  # type: ignore[no-untyped-def]
    """Write the derivatives of `pair_residual` by x, c (or t), l and m, row by row."""
    n = k[STATES]
    size = 2 * n + 2
    own = workspace(n)
    space = carray(w, own + 1)
    inner_k, inner_w = pointer(carray(k, HEADER + 1)[HEADER:]), pointer(space[own:])
    at = BORDERS
    v, border = space[at : at + n], space[at + n : at + 2 * n]
    next_v, next_border = space[at + 2 * n : at + 3 * n], space[at + 3 * n : at + 4 * n]
    at += 4 * n
    flat = space[at : at + n * (n + 2)]
    at += n * (n + 2)
    m = carray(pointer(space[at:]), (size, size))
    at += size * size
    right, left1 = space[at : at + size], space[at + size : at + 2 * size]
    left2 = space[at + 2 * size : at + 3 * size]
    at += 3 * size
    direction, axis = space[at : at + n + 2], space[at + n + 2 : at + 2 * n + 4]
    form = space[at + 2 * n + 4 : at + 3 * n + 4]
    answer = carray(out, ((n + 2), (n + 3)))
    _adopt(next_v, v)
    _adopt(next_border, border)
    p[k[FIRST]] = x[n + 1]
    trace, product = (x[n], 1.0) if k[MAP] else (0.0, x[n])
    call0(k[JACOBIAN], t, x, z, p, d, inner_k, inner_w, pointer(flat))
    answer[:, :] = 0.0
    for i in range(n):
        for j in range(n):
            answer[i, j] = flat[i * (n + 2) + j]
        answer[i, i] -= k[MAP]
        answer[i, n + 1], answer[i, n + 2] = flat[i * (n + 2) + n], flat[i * (n + 2) + n + 1]
    if not _pair(flat, trace, product, v, border, m, right, left1, left2):
        answer[n, :] = math.nan
        return OK
    q1, q2 = right[:n], right[n + 1 : size - 1]
    direction[:] = 0.0
    axis[:] = 0.0
    for j in range(n + 2):
        column = j if j < n else j + 1
        axis[j] = 1.0
        for part in range(2):
            for i in range(n):
                direction[i] = q2[i] if part else q1[i]
            call2(k[SECOND], t, x, z, p, d, inner_k, inner_w, pointer(direction), pointer(axis),
                  pointer(form))  # fmt: skip
            begin = part * (n + 1)
            answer[n, column] -= _dot(left1[begin : begin + n], form)
            answer[n + 1, column] -= _dot(left2[begin : begin + n], form)
        axis[j] = 0.0
    # By c the upper block changes, by t the lower one.
    begin = n + 1 if k[MAP] else 0
    turn = -1.0 if k[MAP] else 1.0
    answer[n, n] = -turn * _dot(left1[begin : begin + n], q2)
    answer[n + 1, n] = -turn * _dot(left2[begin : begin + n], q2)
    for i in range(n):
        next_v[i], next_border[i] = right[i], left1[i]
    return OK


@njit("boolean(f8[::1], i8, f8[:, ::1], f8[::1], f8[:, ::1], f8[::1], f8[::1], f8[::1])", cache=True,
      nogil=True, error_model="numpy")  # fmt: skip
def _branch(flat, of, v, w, m, right1, right2, left):  # type: ignore[no-untyped-def]
    """Solve for Phi, g and the left vector; `flat` is that of the residual; whether it is regular."""
    n = w.size
    m[:, :] = 0.0
    right1[:] = 0.0
    right2[:] = 0.0
    left[:] = 0.0
    for i in range(n):
        for j in range(n):
            m[i, j] = flat[i * (n + 2) + j]
        m[i, n] = flat[i * (n + 2) + n + of]
        m[i, n + 1] = w[i]
    for j in range(n + 1):
        m[n, j], m[n + 1, j] = v[0, j], v[1, j]
    right1[n] = right2[n + 1] = left[n + 1] = 1.0
    pivots = np.empty(n + 2, np.int64)
    if factor(m, pivots) == 0.0:
        return False
    solve(m, pivots, right1)
    solve(m, pivots, right2)
    solve_transposed(m, pivots, left)
    return True


@cfunc(kernel_signature(0), cache=True, error_model="numpy")
def branch_residual(t, x, z, p, d, k, w, out):  # type: ignore[no-untyped-def]
    """Write F + b w and the scalars g1, g2 that vanish where [A F_l] loses rank."""
    n = k[STATES]
    own = workspace(n)
    space = carray(w, own + 1)
    inner_k, inner_w = pointer(carray(k, HEADER + 1)[HEADER:]), pointer(space[own:])
    at = BORDERS
    v = carray(pointer(space[at:]), (2, n + 1))
    border = space[at + 2 * n + 2 : at + 3 * n + 2]
    at += 6 * n + 4
    flat = space[at : at + n * (n + 2)]
    at += n * (n + 2)
    m = carray(pointer(space[at:]), (n + 2, n + 2))
    at += (n + 2) * (n + 2)
    right1, right2 = space[at : at + n + 2], space[at + n + 2 : at + 2 * n + 4]
    left = space[at + 2 * n + 4 : at + 3 * n + 6]
    p[k[FIRST]] = x[n + 1]
    call0(k[JACOBIAN], t, x, z, p, d, inner_k, inner_w, pointer(flat))
    for i in range(n):
        flat[i * (n + 2) + i] -= k[MAP]
    regular = _branch(flat, k[OF], v, border, m, right1, right2, left)
    call0(k[RULE], t, x, z, p, d, inner_k, inner_w, out)
    for i in range(n):
        out[i] += x[n] * border[i] - k[MAP] * x[i]
    out[n] = right1[n + 1] if regular else math.nan
    out[n + 1] = right2[n + 1] if regular else math.nan
    return OK


@cfunc(kernel_signature(0), cache=True, error_model="numpy")
def branch_jacobian(t, x, z, p, d, k, w, out):  # type: ignore[no-untyped-def]
    """Write the derivatives of `branch_residual` by x, b, l and m, row by row."""
    n = k[STATES]
    own = workspace(n)
    space = carray(w, own + 1)
    inner_k, inner_w = pointer(carray(k, HEADER + 1)[HEADER:]), pointer(space[own:])
    at = BORDERS
    v = carray(pointer(space[at:]), (2, n + 1))
    border = space[at + 2 * n + 2 : at + 3 * n + 2]
    next_v = carray(pointer(space[at + 3 * n + 2 :]), (2, n + 1))
    next_border = space[at + 5 * n + 4 : at + 6 * n + 4]
    at += 6 * n + 4
    flat = space[at : at + n * (n + 2)]
    at += n * (n + 2)
    m = carray(pointer(space[at:]), (n + 2, n + 2))
    at += (n + 2) * (n + 2)
    right1, right2 = space[at : at + n + 2], space[at + n + 2 : at + 2 * n + 4]
    left = space[at + 2 * n + 4 : at + 3 * n + 6]
    at += 3 * n + 6
    direction, axis = space[at : at + n + 2], space[at + n + 2 : at + 2 * n + 4]
    form = space[at + 2 * n + 4 : at + 3 * n + 4]
    answer = carray(out, ((n + 2), (n + 3)))
    _adopt(next_border, border)
    _adopt(next_v[0], v[0])
    along = _dot(next_v[1], v[0])
    for j in range(n + 1):
        next_v[1, j] -= along * v[0, j]
    _adopt(next_v[1], v[1])
    p[k[FIRST]] = x[n + 1]
    call0(k[JACOBIAN], t, x, z, p, d, inner_k, inner_w, pointer(flat))
    answer[:, :] = 0.0
    for i in range(n):
        flat[i * (n + 2) + i] -= k[MAP]
        for j in range(n):
            answer[i, j] = flat[i * (n + 2) + j]
        answer[i, n] = border[i]
        answer[i, n + 1], answer[i, n + 2] = flat[i * (n + 2) + n], flat[i * (n + 2) + n + 1]
    if not _branch(flat, k[OF], v, border, m, right1, right2, left):
        answer[n, :] = math.nan
        return OK
    axis[:] = 0.0
    for part in range(2):
        phi = right2 if part else right1
        direction[:] = 0.0
        for i in range(n):
            direction[i] = phi[i]
        direction[n + k[OF]] = phi[n]
        for j in range(n + 2):
            axis[j] = 1.0
            call2(k[SECOND], t, x, z, p, d, inner_k, inner_w, pointer(direction), pointer(axis),
                  pointer(form))  # fmt: skip
            axis[j] = 0.0
            answer[n + part, j if j < n else j + 1] = -_dot(left[:n], form)
        for j in range(n + 1):
            next_v[part, j] = phi[j]
    for i in range(n):
        next_border[i] = left[i]
    return OK
