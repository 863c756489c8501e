"""f^n, the map taken n times, and its derivatives: precompiled kernels composed through `k`.

With x_{j+1} = f(x_j, l) and directions u, v, s over states and active parameters (whose components
do not change from step to step), one step carries on

    the state             x  <- f(x)
    the Jacobian          A  <- J_x A + [0 | J_l]
    a tangent             u  <- J u
    a second derivative   h  <- J_x h + B(u, v)
    a third derivative    t  <- J_x t + C(u, v, s) + B(u, h_vs) + B(v, h_us) + B(s, h_uv)

(the chain rule; B and C are the multilinear forms of f: Kuznetsov, Elements of Applied Bifurcation
Theory, ch. 5; for cycles Govaerts, Khoshsiar Ghaziani, Kuznetsov, Meijer 2007, SIAM J. Sci. Comput.
29, 2644, section 3).  Cost: n evaluations of each form of f, and n products with J.

A state on a circle comes back modulo whole turns, on the turn that it started from: a cycle closes
however often it winds round.

Every kernel has the usual signature.  `k` begins with the numbers below and a 1 for each state on a
circle (else 0), then comes the map's own `k`; `w` begins with `workspace` numbers, then comes the
map's own.
"""

from __future__ import annotations

import math

from numba import carray, cfunc

from dynlab.kernels.convention import OK, call0, call2, call3, kernel_signature, pointer
from dynlab.kernels.deferred import njit

__all__ = ["HEADER", "jacobian", "rule", "second", "third", "workspace"]

# Places in `k`: how often, sizes, and addresses of the map's kernels (0 where not needed).
PERIOD, STATES, ACTIVE, RULE, JACOBIAN, SECOND, THIRD = range(7)
HEADER = 7

_TURN = 2.0 * math.pi

#: Vectors of states and parameters that the third derivative needs beside state and Jacobian.
_VECTORS = 9


@njit("i8(i8, i8)", cache=True, nogil=True, error_model="numpy")
def workspace(states, active):  # type: ignore[no-untyped-def]
    """Return how many numbers of workspace the kernels here need."""
    width = states + active
    return 2 * states + 2 * states * width + _VECTORS * width


@njit("void(f8[::1], i8, f8[::1], i8, f8[::1])", cache=True, nogil=True, error_model="numpy")
def _times(matrix, width, vector, rows, out):  # type: ignore[no-untyped-def]
    """Write the product of a matrix and a vector, which is 0 beyond its length."""
    for i in range(rows):
        total = 0.0
        for j in range(min(width, vector.size)):
            total += matrix[i * width + j] * vector[j]
        out[i] = total


@njit("void(f8[::1], i8, f8[::1])", cache=True, nogil=True, error_model="numpy")
def _copy(source, count, target):  # type: ignore[no-untyped-def]
    for i in range(count):
        target[i] = source[i]


@njit("void(f8[::1], i8, f8[::1])", cache=True, nogil=True, error_model="numpy")
def _add(source, count, target):  # type: ignore[no-untyped-def]
    for i in range(count):
        target[i] += source[i]


@cfunc(kernel_signature(0), cache=True, error_model="numpy")
def rule(t, x, z, p, d, k, w, out):  # type: ignore[no-untyped-def]
    """Write f^n(x)."""
    n = k[STATES]
    own = workspace(n, k[ACTIVE])
    space = carray(w, own + 1)
    inner_k, inner_w = pointer(carray(k, HEADER + n + 1)[HEADER + n :]), pointer(space[own:])
    now, after = space[:n], space[n : 2 * n]
    _copy(carray(x, n), n, now)
    for step in range(k[PERIOD]):
        call0(k[RULE], t + step, pointer(now), z, p, d, inner_k, inner_w, pointer(after))
        _copy(after, n, now)
    for i in range(n):
        out[i] = now[i]
        if k[HEADER + i] == 1:
            out[i] -= _TURN * round((now[i] - x[i]) / _TURN)
    return OK


@cfunc(kernel_signature(0), cache=True, error_model="numpy")
def jacobian(t, x, z, p, d, k, w, out):  # type: ignore[no-untyped-def]
    """Write [d f^n / dx | d f^n / dl], row by row."""
    n = k[STATES]
    m = n + k[ACTIVE]
    own = workspace(n, k[ACTIVE])
    space = carray(w, own + 1)
    inner_k, inner_w = pointer(carray(k, HEADER + n + 1)[HEADER + n :]), pointer(space[own:])
    now, after = space[:n], space[n : 2 * n]
    here, product = space[2 * n : 2 * n + n * m], space[2 * n + n * m : 2 * n + 2 * n * m]
    answer = carray(out, n * m)
    _copy(carray(x, n), n, now)
    for i in range(n):
        for j in range(m):
            answer[i * m + j] = 1.0 if i == j else 0.0
    for step in range(k[PERIOD]):
        call0(k[JACOBIAN], t + step, pointer(now), z, p, d, inner_k, inner_w, pointer(here))
        call0(k[RULE], t + step, pointer(now), z, p, d, inner_k, inner_w, pointer(after))
        for i in range(n):
            for j in range(m):
                total = here[i * m + j] if j >= n else 0.0
                for l in range(n):
                    total += here[i * m + l] * answer[l * m + j]
                product[i * m + j] = total
        _copy(product, n * m, answer)
        _copy(after, n, now)
    return OK


@cfunc(kernel_signature(2), cache=True, error_model="numpy")
def second(t, x, z, p, d, k, w, u, v, out):  # type: ignore[no-untyped-def]
    """Write D^2 f^n [u, v]."""
    n = k[STATES]
    m = n + k[ACTIVE]
    own = workspace(n, k[ACTIVE])
    space = carray(w, own + 1)
    inner_k, inner_w = pointer(carray(k, HEADER + n + 1)[HEADER + n :]), pointer(space[own:])
    now, after, here = space[:n], space[n : 2 * n], space[2 * n : 2 * n + n * m]
    vectors = carray(pointer(space[2 * n + n * m :]), (_VECTORS, m))
    a, b, form, spare = vectors[0], vectors[1], vectors[2], vectors[3]
    answer = carray(out, n)
    _copy(carray(x, n), n, now)
    _copy(carray(u, m), m, a)
    _copy(carray(v, m), m, b)
    answer[:] = 0.0
    for step in range(k[PERIOD]):
        s = t + step
        call0(k[JACOBIAN], s, pointer(now), z, p, d, inner_k, inner_w, pointer(here))
        call2(k[SECOND], s, pointer(now), z, p, d, inner_k, inner_w, pointer(a), pointer(b),
              pointer(form))  # fmt: skip
        _times(here, m, answer, n, spare)
        _add(form, n, spare)
        _copy(spare, n, answer)
        for vector in (a, b):
            _times(here, m, vector, n, spare)
            _copy(spare, n, vector)
        call0(k[RULE], s, pointer(now), z, p, d, inner_k, inner_w, pointer(after))
        _copy(after, n, now)
    return OK


@cfunc(kernel_signature(3), cache=True, error_model="numpy")
def third(t, x, z, p, d, k, w, u, v, s, out):  # type: ignore[no-untyped-def]
    """Write D^3 f^n [u, v, s]."""
    n = k[STATES]
    m = n + k[ACTIVE]
    own = workspace(n, k[ACTIVE])
    space = carray(w, own + 1)
    inner_k, inner_w = pointer(carray(k, HEADER + n + 1)[HEADER + n :]), pointer(space[own:])
    now, after, here = space[:n], space[n : 2 * n], space[2 * n : 2 * n + n * m]
    vectors = carray(pointer(space[2 * n + n * m :]), (_VECTORS, m))
    a, b, c = vectors[0], vectors[1], vectors[2]
    # Second derivatives along b and c, a and c, a and b: each opposite to the direction left out.
    bc, ac, ab = vectors[3], vectors[4], vectors[5]
    form, spare, total = vectors[6], vectors[7], vectors[8]
    answer = carray(out, n)
    _copy(carray(x, n), n, now)
    _copy(carray(u, m), m, a)
    _copy(carray(v, m), m, b)
    _copy(carray(s, m), m, c)
    vectors[3:6, :] = 0.0
    answer[:] = 0.0
    for step in range(k[PERIOD]):
        at = t + step
        call0(k[JACOBIAN], at, pointer(now), z, p, d, inner_k, inner_w, pointer(here))
        call3(k[THIRD], at, pointer(now), z, p, d, inner_k, inner_w, pointer(a), pointer(b),
              pointer(c), pointer(form))  # fmt: skip
        _times(here, m, answer, n, total)
        _add(form, n, total)
        for one, opposite in ((a, bc), (b, ac), (c, ab)):
            call2(k[SECOND], at, pointer(now), z, p, d, inner_k, inner_w, pointer(one),
                  pointer(opposite), pointer(form))  # fmt: skip
            _add(form, n, total)
        _copy(total, n, answer)
        for one, other, mixed in ((b, c, bc), (a, c, ac), (a, b, ab)):
            call2(k[SECOND], at, pointer(now), z, p, d, inner_k, inner_w, pointer(one),
                  pointer(other), pointer(form))  # fmt: skip
            _times(here, m, mixed, n, spare)
            _add(form, n, spare)
            _copy(spare, n, mixed)
        for vector in (a, b, c):
            _times(here, m, vector, n, spare)
            _copy(spare, n, vector)
        call0(k[RULE], at, pointer(now), z, p, d, inner_k, inner_w, pointer(after))
        _copy(after, n, now)
    return OK
