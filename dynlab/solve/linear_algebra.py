"""Linear algebra of implicit methods: who solves their systems, dense or sparse.

The compiled loops do small systems by themselves, but ask for the Jacobian only when the first implicit
step is to be taken: a run that is not stiff never compiles one.  Large systems are factored here, by
SuperLU or LAPACK; that takes milliseconds, so being asked through Python costs nothing.
"""

from __future__ import annotations

import abc
import ctypes
import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import Inputs
from dynlab.codegen.kernels import kernels_of
from dynlab.codegen.sparse import SparseJacobian
from dynlab.kernels import implicit, run
from dynlab.kernels.convention import OK, SINGULAR
from dynlab.status import Status
from dynlab.symbolic.system import System

__all__ = ["Dense", "LinearAlgebra", "Sparse", "linear_algebra_of"]

Array = NDArray[np.float64]

#: From so many states on the elimination of SuperLU or LAPACK is the faster one.
LARGE = 100
#: A matrix with a larger part of its entries than this is treated as full.
DENSEST = 0.1

_PROTOTYPE = ctypes.CFUNCTYPE(
    ctypes.c_int64, ctypes.c_int64, *[ctypes.POINTER(ctypes.c_double)] * 3
)


def linear_algebra_of(system: System, inputs: Inputs) -> LinearAlgebra:
    """Return who solves the linear systems of an implicit run of a system with its inputs.

    Nothing is compiled before the first implicit step.
    """
    if len(system.state_names) < LARGE:
        return Dense(system)

    @functools.cache
    def made() -> SparseJacobian:
        found = kernels_of(system).sparse_jacobian()
        return replace(found, kernel=replace(found.kernel, arrays=inputs.arrays))

    return Sparse(lambda t, x: made()(t, x, inputs.parameters))


class LinearAlgebra(abc.ABC):
    """Answers the requests that a compiled loop has about the matrices of one run.

    Whoever runs the loop keeps this object alive.  What goes wrong while the loop is running cannot be
    raised through it: the loop ends with STOPPED, and `failure` holds the exception.
    """

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self._is_stopped = False
        self._function = _PROTOTYPE(self._served)

    def attach(self, tally: NDArray[np.int64], size: int) -> None:
        """Make the loops of a run with so many states ask here."""
        self._tally, self._size = tally, size
        tally[run.LINEAR] = ctypes.cast(self._function, ctypes.c_void_p).value or 0

    @abc.abstractmethod
    def prepare(self) -> None:
        """Provide what the first implicit step needs."""

    def answer(self, request: int, numbers: Array, a: Array, b: Array) -> int:
        """Do what the loop asks for; return a status."""
        self.prepare()
        return OK

    def _served(self, request: int, numbers: Any, a: Any, b: Any) -> int:
        if self._is_stopped:
            return int(Status.STOPPED)
        try:
            state = np.ctypeslib.as_array(numbers, (run.STATE_SIZE,))
            first, second = (np.ctypeslib.as_array(v, (self._size,)) for v in (a, b))
            return self.answer(request, state, first, second)
        except KeyboardInterrupt:
            self._is_stopped = True
        except Exception as error:
            self._is_stopped, self.failure = True, error
        return int(Status.STOPPED)


class Dense(LinearAlgebra):
    """The compiled loop's own elimination; here it is given the Jacobian and room for matrices."""

    def __init__(self, system: System) -> None:
        super().__init__()
        self._system = system

    def prepare(self) -> None:
        n = self._size
        self._jacobian = kernels_of(self._system).jacobian()
        self._matrices = np.zeros((4 * n, n))
        self._pivots = np.zeros(2 * n, np.int64)
        self._tally[run.MATRICES] = self._matrices.ctypes.data
        self._tally[run.PIVOTS] = self._pivots.ctypes.data
        self._tally[run.JACOBIAN] = self._jacobian.address


class Sparse(LinearAlgebra):
    """Elimination by pattern (SuperLU) for large systems, or LAPACK's where the pattern is nearly full.

    Parameters
    ----------
    jacobian
        Called with the time and the state; returns the derivatives as a sparse matrix by columns.
    """

    def __init__(self, jacobian: Callable[[float, Array], Any]) -> None:
        super().__init__()
        self._jacobian = jacobian

    def prepare(self) -> None:
        from scipy.sparse import identity

        self._identity = identity(self._size, format="csc")
        self._tally[run.FOREIGN] = 1

    def answer(self, request: int, numbers: Array, a: Array, b: Array) -> int:
        if request == implicit.PREPARE:
            self.prepare()
        elif request == implicit.DIFFERENTIATE:
            self._matrix = self._jacobian(float(numbers[run.TIME]), a.copy())
            numbers[run.LARGEST_RATE] = _largest_rate(self._matrix)
        elif request == implicit.FACTOR:
            return self._factored(*numbers[run.SHIFT : run.SHIFT_IM + 1].tolist())
        elif request == implicit.SOLVE:
            a[:] = self._real(a)
        else:
            both = self._complex(a + 1j * b)
            a[:], b[:] = both.real, both.imag
        return OK

    def _factored(self, shift: float, shift_re: float, shift_im: float) -> int:
        matrices = (
            self._identity * number - self._matrix
            for number in (shift, complex(shift_re, shift_im))
        )
        is_full = self._matrix.nnz > DENSEST * self._size**2
        try:
            self._real, self._complex = (_solver(matrix, full=is_full) for matrix in matrices)
        except (RuntimeError, np.linalg.LinAlgError):  # SuperLU: the factor is exactly singular
            return SINGULAR
        return OK


def _solver(matrix: Any, *, full: bool) -> Callable[[Any], Any]:
    """Factor a matrix; return the function that solves."""
    if not full:
        from scipy.sparse.linalg import splu

        return cast(Callable[[Any], Any], splu(matrix.tocsc()).solve)
    from scipy.linalg.lapack import get_lapack_funcs

    dense = matrix.toarray(order="F")
    factor, solve = get_lapack_funcs(("getrf", "getrs"), (dense,))
    factors, pivots, info = factor(dense, overwrite_a=True)
    if info != 0:
        raise np.linalg.LinAlgError
    return lambda b: solve(factors, pivots, b)[0]


def _largest_rate(matrix: Any) -> float:
    """Return about the largest modulus of the eigenvalues, as `implicit.largest_rate` does."""
    v = np.where(np.arange(matrix.shape[0]) % 2 == 0, 1.0, -0.75)
    before = best = 0.0
    for step in range(implicit.POWER_STEPS):
        v = matrix @ v
        size = float(np.max(np.abs(v)))
        if not 0 < size < np.inf:
            return best
        v /= size
        if step >= implicit.POWER_STEPS // 2:
            best = max(best, float(np.sqrt(size * before)))
        before = size
    return best
