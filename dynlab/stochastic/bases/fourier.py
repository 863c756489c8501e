"""Fourier functions for angles: 1, cos, sin, cos 2, sin 2, ... to a highest harmonic, always an odd number.

Without the cosine of the Nyquist frequency alone, whose derivative vanishes at the points, the derivative has one
null vector, the constant; an even number of points has a second, and with it a spurious slow mode.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from dynlab.stochastic.bases.axis import Axis
from dynlab.stochastic.bases.count import checked_count, fewer
from dynlab.stochastic.bases.reach import Reach

__all__ = ["Fourier"]

Array = NDArray[np.float64]

#: Points over functions: products with smooth functions of the angle do not fold back.
POINTS = 2


@dataclass(frozen=True, slots=True)
class Fourier:
    """Sines and cosines along an angle.

    Parameters
    ----------
    count
        The highest harmonic; the basis has twice as many functions and the constant.

    Raises
    ------
    SettingError
        If the highest harmonic is less than four.

    Examples
    --------
    >>> import dynlab as dl
    >>> dl.Basis(phase=dl.Fourier(24), velocity=dl.Hermite(30))
    Basis(phase=Fourier(24), velocity=Hermite(30))
    """

    count: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", checked_count(self.count, "harmonics"))

    @property
    def is_fitted(self) -> bool:
        """An angle has no scale to choose."""
        return True

    def fitted(self, reach: Reach) -> Fourier:
        """Return the same."""
        return self

    @property
    def extent(self) -> tuple[float, float, int]:
        """The circle, and how many cells resolve products of the functions."""
        return -np.pi, np.pi, 4 * self.count + 8

    def axis(self, *, coarse: bool) -> Axis:
        """Return the functions in numbers."""
        top = fewer(self.count) if coarse else self.count
        size = 2 * top + 1
        points = POINTS * size
        nodes = np.linspace(-np.pi, np.pi, points, endpoint=False)
        order = np.arange(1.0, top + 1)
        # cos k (place 2 k - 1) -> -k sin k (place 2 k) -> ...
        beside = np.zeros(size - 1)
        beside[1::2] = order
        slope = sparse.diags([beside, -beside], [1, -1], format="csr")

        def functions(x: Array) -> Array:
            return _harmonics(x, top, np.sqrt(2 * np.pi))

        return Axis(
            nodes,
            _harmonics(nodes, top, np.sqrt(points)),
            (sparse.identity(size, format="csr"), slope, (slope @ slope).tocsr()),
            functions,
            functions,
        )

    def __repr__(self) -> str:
        return f"Fourier({self.count})"


def _harmonics(x: Array, top: int, norm: float) -> Array:
    """Return 1, sqrt(2) cos x, sqrt(2) sin x, ... over a norm."""
    table = np.empty((2 * top + 1, x.size))
    table[0] = 1.0
    angles = np.multiply.outer(np.arange(1.0, top + 1), x)
    table[1::2], table[2::2] = np.sqrt(2) * np.cos(angles), np.sqrt(2) * np.sin(angles)
    return table / norm
