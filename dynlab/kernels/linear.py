"""Small dense linear algebra inside compiled loops: LU with partial pivoting, real and complex, eigenvalues.

Golub and Van Loan, Matrix Computations, algorithm 3.4.1.  For the sizes of a continuation step (2
to some hundred) a call costs less than the way to LAPACK.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from dynlab.kernels.deferred import njit

__all__ = ["eigenvalues", "factor", "factor_complex", "solve", "solve_complex"]

_M = types.float64[:, ::1]
_V = types.float64[::1]
_I = types.int64[::1]

#: LAPACK's dgeev as numba links it.  numpy.linalg.eigvals inside numba refuses complex answers of a real
#: matrix, and of a complex one takes four times as long.
_POINTER = types.CPointer(types.float64)
_real_eigenvalues = types.ExternalFunction(
    "numba_ez_rgeev",
    types.intc(
        types.char, types.char, types.char, types.intp, _POINTER, types.intp, _POINTER, _POINTER,
        _POINTER, types.intp, _POINTER, types.intp,
    ),
)  # fmt: skip
_DOUBLE, _NONE = ord("d"), ord("N")


@njit(types.float64(_M, _I), cache=True, nogil=True, error_model="numpy")
def factor(a, pivots):  # type: ignore[no-untyped-def]
    """Overwrite a with its LU factors; return the sign of the determinant, 0 if singular."""
    n = a.shape[0]
    sign = 1.0
    for k in range(n):
        best, row = abs(a[k, k]), k
        for i in range(k + 1, n):
            if abs(a[i, k]) > best:
                best, row = abs(a[i, k]), i
        pivots[k] = row
        if not best > 0.0:
            return 0.0
        if row != k:
            sign = -sign
            for j in range(n):
                a[k, j], a[row, j] = a[row, j], a[k, j]
        if a[k, k] < 0.0:
            sign = -sign
        inverse = 1.0 / a[k, k]
        for i in range(k + 1, n):
            a[i, k] *= inverse
            scale = a[i, k]
            if scale != 0.0:
                for j in range(k + 1, n):
                    a[i, j] -= scale * a[k, j]
    return sign


@njit(types.void(_M, _I, _V), cache=True, nogil=True, error_model="numpy")
def solve(a, pivots, b):  # type: ignore[no-untyped-def]
    """Overwrite b with the solution, given what `factor` left in a and pivots."""
    n = a.shape[0]
    for k in range(n):
        row = pivots[k]
        if row != k:
            b[k], b[row] = b[row], b[k]
    for i in range(1, n):
        total = b[i]
        for j in range(i):
            total -= a[i, j] * b[j]
        b[i] = total
    for i in range(n - 1, -1, -1):
        total = b[i]
        for j in range(i + 1, n):
            total -= a[i, j] * b[j]
        b[i] = total / a[i, i]


@njit(types.boolean(_M, _M, _I), cache=True, nogil=True, error_model="numpy")
def factor_complex(re, im, pivots):  # type: ignore[no-untyped-def]
    """Overwrite the matrix re + i im with its LU factors; return whether it is regular."""
    n = re.shape[0]
    for k in range(n):
        best, row = abs(re[k, k]) + abs(im[k, k]), k
        for i in range(k + 1, n):
            size = abs(re[i, k]) + abs(im[i, k])
            if size > best:
                best, row = size, i
        pivots[k] = row
        if not best > 0.0:
            return False
        if row != k:
            for j in range(n):
                re[k, j], re[row, j] = re[row, j], re[k, j]
                im[k, j], im[row, j] = im[row, j], im[k, j]
        p, q = re[k, k], im[k, k]
        square = p * p + q * q
        p, q = p / square, -q / square
        for i in range(k + 1, n):
            a, b = re[i, k], im[i, k]
            if a == 0.0 and b == 0.0:
                continue
            a, b = a * p - b * q, a * q + b * p
            re[i, k], im[i, k] = a, b
            for j in range(k + 1, n):
                u, v = re[k, j], im[k, j]
                re[i, j] -= a * u - b * v
                im[i, j] -= a * v + b * u
    return True


@njit(types.void(_M, _M, _I, _V, _V), cache=True, nogil=True, error_model="numpy")
def solve_complex(re, im, pivots, b, c):  # type: ignore[no-untyped-def]
    """Overwrite b + i c with the solution, given what `factor_complex` left."""
    n = re.shape[0]
    for k in range(n):
        row = pivots[k]
        if row != k:
            b[k], b[row] = b[row], b[k]
            c[k], c[row] = c[row], c[k]
    for i in range(1, n):
        real, imaginary = b[i], c[i]
        for j in range(i):
            real -= re[i, j] * b[j] - im[i, j] * c[j]
            imaginary -= re[i, j] * c[j] + im[i, j] * b[j]
        b[i], c[i] = real, imaginary
    for i in range(n - 1, -1, -1):
        real, imaginary = b[i], c[i]
        for j in range(i + 1, n):
            real -= re[i, j] * b[j] - im[i, j] * c[j]
            imaginary -= re[i, j] * c[j] + im[i, j] * b[j]
        p, q = re[i, i], im[i, i]
        square = p * p + q * q
        b[i] = (real * p + imaginary * q) / square
        c[i] = (imaginary * p - real * q) / square


@njit(types.complex128[::1](_M), cache=True, nogil=True, error_model="numpy")
def eigenvalues(a):  # type: ignore[no-untyped-def]
    """Return the eigenvalues; closed form for n <= 2, LAPACK above; nan if a is not finite."""
    n = a.shape[0]
    values = np.empty(n, dtype=np.complex128)
    for i in range(n):
        for j in range(n):
            if not math.isfinite(a[i, j]):
                values[:] = complex(np.nan, np.nan)
                return values
    if n == 1:
        values[0] = a[0, 0]
        return values
    if n == 2:
        middle = 0.5 * (a[0, 0] + a[1, 1])
        half = 0.5 * (a[0, 0] - a[1, 1])
        square = half * half + a[0, 1] * a[1, 0]
        if square < 0.0:
            root = math.sqrt(-square)
            values[0] = complex(middle, root)
            values[1] = complex(middle, -root)
            return values
        root = math.sqrt(square)
        large = middle + root if middle >= 0.0 else middle - root
        # The smaller one from the determinant: no cancellation where it passes zero.
        small = (a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]) / large if large != 0.0 else 0.0
        values[0] = large
        values[1] = small
        return values
    real, imaginary, none = np.empty(n), np.empty(n), np.empty(1)
    kept = a.copy()
    _real_eigenvalues(
        _DOUBLE, _NONE, _NONE, n, kept.ctypes, n, real.ctypes, imaginary.ctypes,
        none.ctypes, 1, none.ctypes, 1,
    )  # fmt: skip
    for i in range(n):
        values[i] = complex(real[i], imaginary[i])
    return values
