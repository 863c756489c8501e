"""Curve: what a walk needs of the thing that it follows."""

from __future__ import annotations

from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Curve"]

Vector = NDArray[np.float64]


class Curve(Protocol):
    """Equations in ``size`` unknowns and one parameter, as compiled kernels.

    The kernels get the unknowns where a model gets its states, and the parameter at ``position``.
    """

    @property
    def scale(self) -> Vector:
        """Typical size of each unknown, the parameter last."""

    @property
    def size(self) -> int:
        """Number of unknowns but the parameter."""

    @property
    def vary(self) -> str:
        """Name of the parameter, for messages."""

    @property
    def shift(self) -> float:
        """What is subtracted from the diagonal of the Jacobian."""

    @property
    def turns(self) -> Vector:
        """A whole turn for each unknown on a circle, 0 for every other."""

    @property
    def position(self) -> int:
        """Position of the parameter."""

    @property
    def rhs(self) -> Any:
        """Kernel of the equations."""

    @property
    def jacobian_kernel(self) -> Any:
        """Kernel of their derivatives by the unknowns and the parameter."""

    def inputs(self, u: Vector) -> tuple[Any, ...]:
        """Return what the kernels are given beside the unknowns, near a place."""

    def scaled(self, scale: Vector | float) -> Self:
        """Return the same curve in other units."""
