"""Kernels of f^n: a map taken n times, with the same face as the kernels of the map itself."""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import Inputs
from dynlab.codegen.kernels import kernels_of
from dynlab.kernels import iterated
from dynlab.symbolic.dynamics import Dynamics
from dynlab.symbolic.quantities import Domain

__all__ = ["IteratedKernel", "IteratedKernels", "iterated_kernels_of"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class IteratedKernel:
    """One compiled function of f^n.

    Parameters
    ----------
    address, size, directions
        As for a `Kernel`.
    family
        The kernels of f^n that it belongs to.
    active
        The parameters by which it differentiates.
    """

    address: int
    size: int
    directions: int
    family: IteratedKernels
    active: tuple[str, ...]

    def __call__(self, t: float, x: Vector, p: Vector, *directions: Vector) -> Vector:
        """Evaluate once from Python."""
        out = np.empty(self.size)
        z, _, d, k, w = self.family.inputs(self.active, self.directions)
        arrays = [np.ascontiguousarray(v, dtype=float) for v in (x, p, *directions)]
        x_at, p_at, *direction_at = (v.ctypes.data for v in arrays)
        z_at, d_at, k_at, w_at = (v.ctypes.data for v in (z, d, k, w))
        call = _prototype(self.directions)(self.address)
        call(float(t), x_at, z_at, p_at, d_at, k_at, w_at, *direction_at, out.ctypes.data)
        return out


@dataclass(frozen=True, slots=True)
class IteratedKernels:
    """The kernels of f^n; obtained from `iterated_kernels_of`."""

    system: Dynamics
    period: int

    @property
    def rhs(self) -> IteratedKernel:
        """The state n steps later."""
        return self._kernel(iterated.rule, self._size, 0, ())

    def jacobian(self, active: tuple[str, ...] = ()) -> IteratedKernel:
        """Return the derivatives by states and active parameters, n rows of n + a numbers."""
        width = self._size + len(active)
        return self._kernel(iterated.jacobian, self._size * width, 0, active)

    def derivative(self, order: int, active: tuple[str, ...] = ()) -> IteratedKernel:
        """Return the multilinear derivative of order 2 or 3, over states then parameters."""
        compiled = {2: iterated.second, 3: iterated.third}[order]
        return self._kernel(compiled, self._size, order, active)

    def inputs(self, active: tuple[str, ...] = (), order: int = 1) -> Inputs:
        """Return what the kernels that differentiate by these parameters are given.

        ``order`` is that of the highest derivative wanted: forms of the map that nobody asks for are
        not compiled.
        """
        kernels = kernels_of(self.system)
        own = kernels.inputs(active, order)
        needed = [kernels.rhs, kernels.jacobian(active)]
        needed += [kernels.derivative(k, active) for k in range(2, order + 1)]
        head = np.zeros(iterated.HEADER, np.int64)
        head[:3] = self.period, self._size, len(active)
        head[3 : 3 + len(needed)] = [kernel.address for kernel in needed]
        space = np.zeros(iterated.workspace(self._size, len(active)))
        return own._replace(
            sizes=np.concatenate([head, _on_circle(self.system), own.sizes]),
            workspace=np.concatenate([space, own.workspace]),
        )

    @property
    def _size(self) -> int:
        return len(self.system.state_names)

    def _kernel(
        self, compiled: Any, size: int, directions: int, active: tuple[str, ...]
    ) -> IteratedKernel:
        return IteratedKernel(compiled.address, size, directions, self, active)


def iterated_kernels_of(system: Dynamics, period: int) -> IteratedKernels:
    """Return the kernels of a map taken ``period`` times."""
    return IteratedKernels(system, period)


def _on_circle(system: Dynamics) -> NDArray[np.int64]:
    """Return 1 for each number of the state that is an angle, else 0."""
    return np.array([domain is Domain.CIRCLE for domain in system.domains], np.int64)


@functools.cache
def _prototype(directions: int) -> Any:
    """Return the C prototype of a kernel, every array as a plain address."""
    return ctypes.CFUNCTYPE(
        ctypes.c_int64, ctypes.c_double, *([ctypes.c_void_p] * (7 + directions))
    )
