"""The curve of equilibria f(x, l) = 0 in one parameter l.

Unknowns are ``u = (x, l)``; in scaled form ``y = u / scale`` with residual ``f_i / scale_i``, a
similarity that leaves the eigenvalues of the Jacobian as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import Kernel, kernels_of
from dynlab.equilibria.stability import whole_turns
from dynlab.symbolic.dynamics import Autonomous, Continuous, require
from dynlab.symbolic.system import System

__all__ = ["EquilibriumCurve"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EquilibriumCurve:
    """Residual and exact derivatives of the equilibrium problem, over states and one parameter.

    Parameters
    ----------
    system
        The system; its own value of the varied parameter is not used.
    vary
        The parameter that is an unknown of the curve.
    scale
        Typical size of each unknown, states first, then the parameter.
    """

    system: System
    vary: str
    scale: Vector

    def __post_init__(self) -> None:
        require(self.system, Continuous, Autonomous)

    @property
    def size(self) -> int:
        """Number of states."""
        return len(self.system.state_names)

    @property
    def turns(self) -> Vector:
        """A whole turn for each state on a circle, 0 for every other unknown."""
        return np.append(whole_turns(self.system), 0.0)

    @property
    def position(self) -> int:
        """Position of the varied parameter."""
        return self.system.parameter_names.index(self.vary)

    @property
    def rhs(self) -> Kernel:
        """Kernel of the residual."""
        return kernels_of(self.system).rhs

    @property
    def jacobian_kernel(self) -> Kernel:
        """Kernel of the derivatives by states and parameter."""
        return kernels_of(self.system).jacobian((self.vary,))

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

    def inputs(self, parameter: float) -> tuple[Any, ...]:
        """Return what the kernels are given beside the states, for a parameter value."""
        return tuple(inputs_of(self.system)._replace(parameters=self.values(parameter)))

    def at(self, parameter: float) -> System:
        """Return the system at a value of the varied parameter."""
        return self.system(**{self.vary: float(parameter)})

    def residual(self, y: Vector) -> Vector:
        """Return f in scaled form."""
        u = y * self.scale
        return self.rhs(0.0, u[:-1], self.values(u[-1])) / self.scale[:-1]

    def jacobian(self, y: Vector) -> Vector:
        """Return [df/dx | df/dl] in scaled form, n x (n + 1)."""
        u = y * self.scale
        flat = self.jacobian_kernel(0.0, u[:-1], self.values(u[-1]))
        return flat.reshape(self.size, self.size + 1) * self.scale / self.scale[:-1, None]

    def second(self, y: Vector, a: Any, b: Any) -> Any:
        """Return D^2 f [a, b] for (complex) directions over states and parameter, scaled."""
        return self._multilinear(2, (self.vary,), y, (a, b))

    def third(self, y: Vector, a: Any, b: Any, c: Any) -> Any:
        """Return D^3 f [a, b, c] for (complex) directions over the states alone, scaled."""
        return self._multilinear(3, (), y, (a, b, c))

    def _multilinear(self, order: int, active: tuple[str, ...], y: Vector, directions: Any) -> Any:
        """Evaluate a real multilinear form on complex vectors, one part at a time."""
        kernel = kernels_of(self.system).derivative(order, active)
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
