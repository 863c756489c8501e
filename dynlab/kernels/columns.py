"""Linear algebra of an implicit step for a state with deviations: one matrix serves all columns.

The Jacobian of x' = f(x), V' = J V, q' = tr J is block triangular, with J itself for x and for each column of V.
Newton's iteration takes the diagonal blocks alone.  What it leaves out leads only from x to V and q, so these
converge one iteration after x, to the same solution.  n x n matrices are factored once, whatever the
number of columns.

`answer` is what the implicit method asks (`implicit.DIFFERENTIATE` and so on).  It finds what it needs behind
the numbers of the run, from `SIZE` on: sizes, and addresses, which a float holds exactly.
"""

from __future__ import annotations

from numba import carray, cfunc, types

from dynlab.kernels.convention import _F, OK, SINGULAR, call0, integers_at, matrix_at, pointer
from dynlab.kernels.implicit import DIFFERENTIATE, FACTOR, SOLVE, largest_rate
from dynlab.kernels.linear import factor, factor_complex, solve, solve_complex
from dynlab.kernels.run import LARGEST_RATE, SHIFT, SHIFT_IM, SHIFT_RE, STATE_SIZE, TIME

__all__ = ["CONTEXT", "CONTEXT_SIZE", "ROWS", "answer"]

# Behind the numbers of a run: states, columns; addresses of the Jacobian, of its z, p, d, k and w, and of
# matrices (`ROWS` times n rows and 4 rows more) and pivots.
CONTEXT = STATE_SIZE
STATES, COLUMNS, JACOBIAN, Z, P, D, K, W, MATRICES, PIVOTS = range(CONTEXT, CONTEXT + 10)
CONTEXT_SIZE = 10
ROWS = 4


@cfunc(types.int64(types.int64, _F, _F, _F), cache=True, error_model="numpy")
def answer(request, numbers, first, second):  # type: ignore[no-untyped-def]
    """Do what the implicit method asks for; return a status."""
    n, m = int(numbers[STATES]), int(numbers[COLUMNS])
    matrices = matrix_at(int(numbers[MATRICES]), ROWS * n + 4, n)
    pivots = integers_at(int(numbers[PIVOTS]), 2 * n)
    J, A, B, D_ = (
        matrices[:n],
        matrices[n : 2 * n],
        matrices[2 * n : 3 * n],
        matrices[3 * n : 4 * n],
    )
    a, b = matrices[4 * n], matrices[4 * n + 1]
    if request == DIFFERENTIATE:
        z, p = matrix_at(int(numbers[Z]), 1, 1), matrix_at(int(numbers[P]), 1, 1)
        d, w = matrix_at(int(numbers[D]), 1, 1), matrix_at(int(numbers[W]), 1, 1)
        k = integers_at(int(numbers[K]), 1)
        call0(
            int(numbers[JACOBIAN]), numbers[TIME], first, pointer(z), pointer(p), pointer(d), pointer(k),
            pointer(w), pointer(J),
        )  # fmt: skip
        numbers[LARGEST_RATE] = largest_rate(J, a, b)
        return OK
    if request == FACTOR:
        real, re, im = numbers[SHIFT], numbers[SHIFT_RE], numbers[SHIFT_IM]
        for i in range(n):
            for j in range(n):
                A[i, j] = B[i, j] = -J[i, j]
                D_[i, j] = 0.0
            A[i, i] += real
            B[i, i] += re
            D_[i, i] = im
        if factor(A, pivots[:n]) == 0.0 or not factor_complex(B, D_, pivots[n:]):
            return SINGULAR
        return OK
    last = n + n * m
    one, other = carray(first, last + 1), carray(second, last + 1)
    for column in range(-1, m):
        begin, step = (0, 1) if column < 0 else (n + column, m)
        for i in range(n):
            a[i], b[i] = one[begin + i * step], other[begin + i * step]
        if request == SOLVE:
            solve(A, pivots[:n], a)
        else:
            solve_complex(B, D_, pivots[n:], a, b)
        for i in range(n):
            one[begin + i * step] = a[i]
            if request != SOLVE:
                other[begin + i * step] = b[i]
    if request == SOLVE:
        one[last] /= numbers[SHIFT]
    else:
        re, im = numbers[SHIFT_RE], numbers[SHIFT_IM]
        size = re * re + im * im
        x, y = one[last], other[last]
        one[last], other[last] = (x * re + y * im) / size, (y * re - x * im) / size
    return OK
