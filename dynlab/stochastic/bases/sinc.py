"""Sinc functions: one peak at each of evenly spaced points, for densities that vanish at both ends.

    s_j(x) = sin(pi z) / (pi z),    z = (x - x_j) / h

A function is its values at the points, so that multiplication is diagonal, and derivatives are those of the
interpolation on the whole line (Stenger, Numerical Methods Based on Sinc and Analytic Functions, 1993).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from dynlab.errors import SettingError
from dynlab.names import finite
from dynlab.stochastic.bases.axis import Axis
from dynlab.stochastic.bases.count import checked_count, fewer
from dynlab.stochastic.bases.reach import Reach

__all__ = ["Sinc", "interpolation"]

Array = NDArray[np.float64]

#: A Gaussian is resolved as well as it is reached with 0.34 digits for each point.
DIGITS, LEAST_AND_MOST = 0.3, (5.0, 16.0)


@dataclass(frozen=True, slots=True)
class Sinc:
    """Sinc functions along a state that lives on a line, for densities that vanish at both ends.

    On one state alone the generator is brought to Schroedinger's form, and its rates come out to rounding, however
    small they are.

    Parameters
    ----------
    count
        How many points.
    between
        The first point and the last.  If None they are chosen so that the density just fits.

    Raises
    ------
    SettingError
        If there are fewer than four, or the interval is empty.

    Examples
    --------
    >>> import dynlab as dl
    >>> dl.Basis(x=dl.Sinc(64, between=(-2.8, 2.8)))
    Basis(x=Sinc(64, between=(-2.8, 2.8)))
    """

    count: int
    between: tuple[float, float] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", checked_count(self.count, "sinc functions"))
        if self.between is not None:
            object.__setattr__(self, "between", _interval(self.between))

    @property
    def is_fitted(self) -> bool:
        """Whether the ends are given."""
        return self.between is not None

    def fitted(self, reach: Reach) -> Sinc:
        """Return functions as far as so many can resolve, unless they have ends of their own."""
        if self.between is not None:
            return self
        return replace(self, between=reach(float(np.clip(DIGITS * self.count, *LEAST_AND_MOST))))

    @property
    def extent(self) -> tuple[float, float, int]:
        """The ends and number of cells whose middles are the points."""
        points = self.points(coarse=False)
        half = 0.5 * float(points[1] - points[0])
        return float(points[0]) - half, float(points[-1]) + half, self.count

    def points(self, *, coarse: bool) -> Array:
        """Return the points, or those of the coarse answer."""
        assert self.between is not None
        low, high = self.between
        if not coarse:
            return np.linspace(low, high, self.count)
        count = fewer(self.count)
        # As coarse as it is short, so that ends too near are noticed as well as points too few.
        margin = 0.5 * (high - low) * (1 - (count / self.count) ** 0.5)
        return np.linspace(low + margin, high - margin, count)

    def axis(self, *, coarse: bool) -> Axis:
        """Return the functions in numbers."""
        points = self.points(coarse=coarse)
        size, step = points.size, points[1] - points[0]
        apart = np.subtract.outer(np.arange(size), np.arange(size)).astype(float)
        sign = np.where(apart % 2 == 0, 1.0, -1.0)
        away = np.where(apart == 0, 1.0, apart)
        first = np.where(apart == 0, 0.0, sign / away) / step
        second = np.where(apart == 0, -(np.pi**2) / 3, -2 * sign / away**2) / step**2

        def functions(x: Array) -> Array:
            return interpolation(points, x)[0]

        def duals(x: Array) -> Array:
            taken: Array = interpolation(points, x)[0] / step
            return taken

        return Axis(
            points,
            np.eye(size),
            (sparse.identity(size, format="csr"), sparse.csr_matrix(first), sparse.csr_matrix(second)),
            functions,
            duals,
        )  # fmt: skip

    def __repr__(self) -> str:
        if self.between is None:
            return f"Sinc({self.count})"
        return f"Sinc({self.count}, between=({self.between[0]:.6g}, {self.between[1]:.6g}))"


def interpolation(points: Array, x: Array) -> tuple[Array, Array]:
    """Return the sinc functions of evenly spaced points and their slopes at places, one row for each function."""
    step = points[1] - points[0]
    z = (x[None, :] - points[:, None]) / step
    values = np.sinc(z)
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.where(z == 0, 0.0, (np.cos(np.pi * z) - values) / (z * step))
    return values, slopes


def _interval(between: Any) -> tuple[float, float]:
    try:
        first, last = between
    except (TypeError, ValueError):
        raise SettingError(
            f"sinc functions between {between!r}: give two ends, between=(-3, 3)."
        ) from None
    low, high = finite(first, "the first point"), finite(last, "the last point")
    if not low < high:
        raise SettingError(
            f"the interval ({low:g}, {high:g}) of sinc functions is empty. Put the lower end first."
        )
    return low, high
