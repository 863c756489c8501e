"""The curve of equilibria f(x, l) = 0 in one parameter l, or of the cycles f^n(x, l) = x of a map.

Unknowns are ``u = (x, l)``; in scaled form ``y = u / scale`` with residual ``F_i / scale_i``, a
similarity that leaves the eigenvalues of the Jacobian as they are.  F is f for a flow and f^n - x for
a map, so a fold or a branch point is a zero eigenvalue of F's Jacobian in both cases; what stands for
the imaginary axis of a flow is the unit circle about -1 for F of a map (`boundary`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.iterated import IteratedKernel, IteratedKernels, iterated_kernels_of
from dynlab.codegen.kernels import Kernel, Kernels, kernels_of
from dynlab.equilibria.large import LEADING, is_large
from dynlab.equilibria.stability import whole_turns
from dynlab.symbolic.dynamics import Autonomous, Discrete, require
from dynlab.symbolic.system import System

__all__ = ["EquilibriumCurve"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EquilibriumCurve:
    """Residual and exact derivatives of the equilibrium problem, over states and one parameter.

    For a map, of its fixed points or cycles.

    Parameters
    ----------
    system
        The system; its own value of the varied parameter is not used.
    vary
        The parameter that is an unknown of the curve.
    scale
        Typical size of each unknown, states first, then the parameter.
    period
        For a map: how many steps the cycle takes.
    """

    system: System
    vary: str
    scale: Vector
    period: int = 1

    def __post_init__(self) -> None:
        require(self.system, Autonomous)
        if self.period != 1:
            require(self.system, Discrete)

    @property
    def shift(self) -> float:
        """What is subtracted from the diagonal of the kernels' Jacobian: 1 for a map."""
        return 1.0 if self.system.is_discrete else 0.0

    @property
    def size(self) -> int:
        """Number of states."""
        return len(self.system.state_names)

    @property
    def is_large(self) -> bool:
        """Whether linear systems are solved by sparse LU, and only leading eigenvalues are known."""
        return self.period == 1 and not self.turns.any() and is_large(self.system)

    @property
    def width(self) -> int:
        """How many eigenvalues are known at each point."""
        return LEADING if self.is_large else self.size

    @property
    def turns(self) -> Vector:
        """A whole turn for each state on a circle, 0 for every other unknown."""
        return np.append(whole_turns(self.system), 0.0)

    @property
    def position(self) -> int:
        """Position of the varied parameter."""
        return self.system.parameter_names.index(self.vary)

    @property
    def kernels(self) -> Kernels | IteratedKernels:
        """Kernels of the rule, or of the map taken n times."""
        return kernels_of(self.system) if self._is_plain else self._iterated

    @property
    def _is_plain(self) -> bool:
        return self.period == 1 and not (self.shift and self.turns.any())

    @property
    def _iterated(self) -> IteratedKernels:
        return iterated_kernels_of(self.system, self.period)

    @property
    def rhs(self) -> Kernel | IteratedKernel:
        """Kernel of f, or of f^n."""
        return self.kernels.rhs

    @property
    def jacobian_kernel(self) -> Kernel | IteratedKernel:
        """Kernel of the derivatives by states and parameter."""
        return self.kernels.jacobian((self.vary,))

    def scaled(self, scale: Vector | float) -> EquilibriumCurve:
        """Return the same curve in other units."""
        return replace(
            self, scale=np.broadcast_to(np.asarray(scale, float), (self.size + 1,)).copy()
        )

    def values(self, parameter: float) -> Vector:
        """Return all parameter values, with the varied one replaced."""
        p = np.array(self.system.parameter_values)
        p[self.position] = parameter
        return p

    def inputs(self, u: Vector) -> tuple[Any, ...]:
        """Return what the kernels are given beside the states, at some unknowns."""
        given = self.kernels.inputs((self.vary,))
        return tuple(given._replace(parameters=self.values(float(u[-1]))))

    def at(self, parameter: float) -> System:
        """Return the system at a value of the varied parameter."""
        return self.system(**{self.vary: float(parameter)})

    def residual(self, y: Vector) -> Vector:
        """Return f, or f^n - x, in scaled form."""
        u = y * self.scale
        moved = self.rhs(0.0, u[:-1], self.values(u[-1])) - self.shift * u[:-1]
        return np.asarray(moved / self.scale[:-1])

    def jacobian(self, y: Vector) -> Vector:
        """Return the derivatives of the residual by states and parameter, N x (N + 1)."""
        u = y * self.scale
        flat = self.jacobian_kernel(0.0, u[:-1], self.values(u[-1]))
        plain = flat.reshape(self.size, self.size + 1) - self.shift * np.eye(
            self.size, self.size + 1
        )
        return np.asarray(plain * self.scale / self.scale[:-1, None])

    def eigenvalues(self, y: Vector) -> NDArray[np.complex128]:
        """Return what decides stability: eigenvalues, or the multipliers of a map."""
        values = np.linalg.eigvals(self.jacobian(y)[:, :-1]).astype(complex)
        return np.asarray(values + self.shift, dtype=complex)

    def boundary(self, angle: float) -> tuple[complex, complex]:
        """Return where a pair of the residual's eigenvalues is neutral, and the derivative by angle.

        The imaginary axis ``i omega``; for a map the circle ``exp(i theta) - 1``.
        """
        if not self.shift:
            return 1j * angle, 1j
        return np.exp(1j * angle) - 1.0, 1j * np.exp(1j * angle)

    def angle(self, eigenvalue: complex) -> float:
        """Return the place on the boundary next to an eigenvalue: its imaginary part, or argument."""
        return abs(float(np.angle(eigenvalue) if self.shift else eigenvalue.imag))

    def second(self, y: Vector, a: Any, b: Any) -> Any:
        """Return D^2 F [a, b] for (complex) directions over states and parameter, scaled."""
        return self._multilinear(2, (self.vary,), y, (a, b))

    def third(self, y: Vector, a: Any, b: Any, c: Any) -> Any:
        """Return D^3 F [a, b, c] for (complex) directions over the states alone, scaled."""
        return self._multilinear(3, (), y, (a, b, c))

    def _multilinear(self, order: int, active: tuple[str, ...], y: Vector, directions: Any) -> Any:
        """Evaluate a real multilinear form on complex vectors, one part at a time."""
        kernel = self.kernels.derivative(order, active)
        u = y * self.scale
        values = self.values(u[-1])
        width = self.size + len(active)

        def expand(done: tuple[Vector, ...], left: Any) -> Any:
            if not left:
                return kernel(0.0, u[:-1], values, *done)
            vector = np.asarray(left[0]) * self.scale[:width]
            total = expand((*done, vector.real), left[1:])
            if np.iscomplexobj(vector) and np.any(vector.imag):
                total = total + 1j * expand((*done, vector.imag), left[1:])
            return total

        return expand((), directions) / self.scale[:-1]
