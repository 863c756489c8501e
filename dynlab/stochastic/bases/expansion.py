"""What an expansion says about a density: its values, its moments, and those of a coarser one beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import UnknownNameError
from dynlab.stochastic.bases.axis import Axis
from dynlab.stochastic.bases.basis import Basis
from dynlab.stochastic.bases.fourier import Fourier
from dynlab.stochastic.bases.hermite import Hermite
from dynlab.stochastic.generator.grid import Grid

__all__ = ["Resolution", "contracted", "resolutions"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Resolution:
    """A basis in numbers, in full or in the fewer functions of the coarse answer.

    Attributes
    ----------
    basis
        The basis.
    is_coarse
        Whether it is that of the coarse answer.
    """

    basis: Basis
    is_coarse: bool

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The functions along each state."""
        return tuple(a.axis(coarse=self.is_coarse) for a in self.basis.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many functions there are along each state."""
        return tuple(a.size for a in self.axes)

    @cached_property
    def cells(self) -> Grid:
        """Where densities are integrated."""
        return self.basis.cells

    @cached_property
    def tables(self) -> tuple[Array, ...]:
        """The functions at the middles of the cells."""
        return tuple(
            a.functions(self.cells.centres(n))
            for a, n in zip(self.axes, self.basis.names, strict=True)
        )

    def values(self, coefficients: Array) -> Array:
        """Return the density at the middles of the cells."""
        return contracted(coefficients, self.tables)

    def moment(self, coefficients: Array, powers: Mapping[str, int]) -> float:
        """Return the integral of a product of powers."""
        for name in powers:
            if name not in self.basis.names:
                raise UnknownNameError("axis of the basis", name, self.basis.names)
        rows = [
            table @ (self.cells.centres(n) ** powers.get(n, 0)) * width
            for n, table, width in zip(
                self.basis.names, self.tables, self.cells.widths, strict=True
            )
        ]
        return float(contracted(coefficients, [r[:, None] for r in rows]).ravel()[0])

    def padded(self, coarse: Resolution, coefficients: Array) -> Array:
        """Return the coefficients of a coarse answer in the functions of this one."""
        parts = []
        for family, mine, theirs in zip(self.basis.axes, self.axes, coarse.axes, strict=True):
            if isinstance(family, Hermite | Fourier):
                parts.append(np.eye(theirs.size, mine.size))
            else:
                parts.append(theirs.functions(mine.nodes))
        return contracted(coefficients, parts)


@lru_cache(maxsize=16)
def resolutions(basis: Basis) -> tuple[Resolution, Resolution]:
    """Return a basis in numbers, in full and coarse; what is worked out stays for the next question."""
    return Resolution(basis, is_coarse=False), Resolution(basis, is_coarse=True)


def contracted(coefficients: Array, tables: Sequence[Array]) -> Array:
    """Return the sum over functions of coefficients times a table, (functions, points), for each state."""
    values = coefficients
    for table in tables:
        values = np.tensordot(values, table, axes=(0, 0))
    return values
