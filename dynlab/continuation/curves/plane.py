"""A system in the plane of two parameters: its kernels, and its forms at many points at once.

Unknowns of every curve in the plane are ``u = (x, ..., l, m)``: the states, what the curve adds, and the
two parameters in the order of the system.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import Inputs
from dynlab.codegen.iterated import IteratedKernels, iterated_kernels_of
from dynlab.codegen.kernels import Kernels, kernels_of
from dynlab.continuation.curves.equilibrium import EquilibriumCurve
from dynlab.equilibria.stability import whole_turns
from dynlab.symbolic.system import System

__all__ = ["Plane"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Plane:
    """A system whose two parameters vary, and how many steps its cycles take if it is a map.

    Parameters
    ----------
    system
        The system; its own values of the two parameters are not used.
    vary
        The two parameters, in the order of the system.
    period
        For a map: how many steps the cycle takes.
    """

    system: System
    vary: tuple[str, str]
    period: int = 1

    @classmethod
    def of(cls, system: System, vary: tuple[str, str], period: int = 1) -> Plane:
        """Return the plane of two parameters given in any order."""
        first, second = sorted(vary, key=system.parameter_names.index)
        return cls(system, (first, second), period)

    @property
    def size(self) -> int:
        """Number of states."""
        return len(self.system.state_names)

    @property
    def shift(self) -> float:
        """The multiplier, or eigenvalue, that stands for staying in place: 1 for a map, else 0."""
        return 1.0 if self.system.is_discrete else 0.0

    @property
    def places(self) -> NDArray[np.int64]:
        """Positions of the two parameters."""
        names = self.system.parameter_names
        return np.array([names.index(name) for name in self.vary], np.int64)

    @property
    def turns(self) -> Vector:
        """A whole turn for each state on a circle, else 0."""
        return whole_turns(self.system)

    @property
    def kernels(self) -> Kernels | IteratedKernels:
        """Kernels of the rule, or of the map taken n times."""
        if self._is_plain:
            return kernels_of(self.system)
        return iterated_kernels_of(self.system, self.period)

    @property
    def _is_plain(self) -> bool:
        return self.period == 1 and not (self.shift and self.turns.any())

    def inputs(self, active: tuple[str, ...], order: int = 1) -> Inputs:
        """Return what the kernels that differentiate by some parameters are given."""
        return self.kernels.inputs(active, order)

    def at(self, u: Vector) -> System:
        """Return the system at a point of the plane."""
        first, second = self.vary
        return self.system(**{first: float(u[-2]), second: float(u[-1])})

    def on(self, u: Vector, vary: str, scale: Vector) -> tuple[EquilibriumCurve, Vector]:
        """Return the curve of equilibria through a point in one parameter, and its unknowns there."""
        n = self.size
        place = n + 1 if vary == self.vary[1] else n
        some = [*range(n), place - n - 2]
        return EquilibriumCurve(self.at(u), vary, scale[some], self.period), u[some]

    def rates(self, u: Vector) -> Vector:
        """Return f, or f^n - x, at each row of unknowns."""
        return self._rows(self.kernels.rhs, self.inputs(()), u) - self.shift * u[:, : self.size]

    def jacobians(self, u: Vector) -> Vector:
        """Return the derivatives of f, or f^n, by states and both parameters at each row."""
        flat = self._rows(self.kernels.jacobian(self.vary), self.inputs(self.vary), u)
        return flat.reshape(len(u), self.size, self.size + 2)

    def _rows(self, kernel: Any, inputs: Inputs, u: Vector) -> Vector:
        from dynlab.kernels import forms

        out = np.empty((len(u), kernel.size))
        forms.rows(kernel.address, tuple(inputs), self.places, *self._split(u), out)
        return out

    def _split(self, u: Vector) -> tuple[Vector, Vector]:
        n = self.size
        return np.ascontiguousarray(u[:, :n]), np.ascontiguousarray(u[:, -2:])

    def second(self, u: Vector, a: Any, b: Any) -> Any:
        """Return D^2 f [a, b] at each row; directions over the states, or states and parameters."""
        from dynlab.kernels import forms

        n = self.size
        a, b = (_wide(v, n + 2) for v in (a, b))
        kernel, inputs = self.kernels.derivative(2, self.vary), self.inputs(self.vary, 2)
        states, values = self._split(u)

        def form(*vectors: Vector) -> Vector:
            out = np.empty((len(u), n))
            forms.second_rows(
                kernel.address, tuple(inputs), self.places, states, values, *vectors, out
            )
            return out

        return _expanded(form, (a, b))

    def third(self, u: Vector, a: Any, b: Any, c: Any) -> Any:
        """Return D^3 f [a, b, c] at each row, directions over the states."""
        from dynlab.kernels import forms

        n = self.size
        kernel, inputs = self.kernels.derivative(3, ()), self.inputs((), 3)
        states, values = self._split(u)

        def form(*vectors: Vector) -> Vector:
            out = np.empty((len(u), n))
            forms.third_rows(
                kernel.address, tuple(inputs), self.places, states, values, *vectors, out
            )
            return out

        return _expanded(form, (a, b, c))

    def form(self, u: Vector, *directions: Any) -> Any:
        """Return the multilinear form of as many directions, up to five, at one point."""
        order, n = len(directions), self.size
        kernel = self.kernels.derivative(order, self.vary if order == 2 else ())
        width = n + 2 if order == 2 else n
        values = np.array(self.system.parameter_values)
        values[self.places] = u[-2:]
        state = u[:n]

        def form(*vectors: Vector) -> Vector:
            return np.asarray(kernel(0.0, state, values, *vectors))

        return _expanded(form, tuple(_wide(np.asarray(d)[None], width)[0] for d in directions))


def _wide(rows: Any, width: int) -> Any:
    """Return rows with zeros appended up to a width: directions over the states alone."""
    if rows.shape[1] == width:
        return rows
    out = np.zeros((len(rows), width), rows.dtype)
    out[:, : rows.shape[1]] = rows
    return out


def _expanded(form: Any, directions: tuple[Any, ...]) -> Any:
    """Evaluate a real multilinear form on complex rows, one part at a time."""

    def expand(done: tuple[Vector, ...], left: tuple[Any, ...]) -> Any:
        if not left:
            return form(*done)
        vector = left[0]
        total = expand((*done, np.ascontiguousarray(vector.real, dtype=float)), left[1:])
        if np.iscomplexobj(vector) and np.any(vector.imag):
            imaginary = np.ascontiguousarray(vector.imag)
            total = total + 1j * expand((*done, imaginary), left[1:])
        return total

    return expand((), directions)
