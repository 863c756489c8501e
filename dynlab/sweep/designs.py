"""Points spread over a box, at random or evenly: few points for many parameters.

The even ones are those of scipy.stats.qmc; each fills the unit cube, and quantile functions carry it over to ranges
and distributions.

References
----------
1. Sobol 1967, USSR Comput. Math. Math. Phys. 7, 86; scrambled by Owen 1998, J. Complexity 14, 466.
2. Halton 1960, Numer. Math. 2, 84.
3. McKay, Beckman and Conover 1979, Technometrics 21, 239 (Latin hypercubes).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from dynlab.distributions import Distribution
from dynlab.errors import SettingError
from dynlab.names import finite
from dynlab.seeds import seed_of
from dynlab.sweep.axis import Axis, checked_axis_name, checked_count

__all__ = ["Halton", "LatinHypercube", "RandomPoints", "Sobol"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _InBox(ABC):
    """Points over a box: each class says how they fill the unit cube, ranges and distributions carry them over."""

    within: Mapping[str, Any]
    count: int
    seed: int = 0
    _is_balanced_at_powers_of_two: ClassVar[bool] = False

    def __post_init__(self) -> None:
        checked_count(self.count, "the number of points")
        if self._is_balanced_at_powers_of_two and self.count & (self.count - 1):
            less = 1 << (self.count.bit_length() - 1)
            raise SettingError(
                f"{self.count} points of a {type(self).__name__} sequence are not balanced. Ask for {less} or "
                f"{2 * less}; dl.Halton takes any number."
            )
        if self.seed is None:
            raise SettingError("a design needs a seed, so that it can be laid out again: seed=0.")
        seed_of(self.seed)
        if not isinstance(self.within, Mapping) or not self.within:
            raise SettingError(
                f"what the points cover is {self.within!r}. Give ranges by name: {{'a': (0, 1)}}."
            )
        for name, given in self.within.items():
            checked_axis_name(name)
            _quantiles(name, given, np.array([0.5]))

    def lay_out(self) -> Axis:
        """Return the axis."""
        cube = self._in_cube(len(self.within), seed_of(self.seed).stream())
        # A quantile at 0 or 1 may be infinite.
        inside = np.clip(cube, 0.5 / (1 << 53), 1.0 - 0.5 / (1 << 53))
        return Axis(
            {
                name: _quantiles(name, given, inside[:, k])
                for k, (name, given) in enumerate(self.within.items())
            }
        )

    @abstractmethod
    def _in_cube(self, dimensions: int, stream: np.random.Generator) -> Array:
        """Return points of the unit cube, one in each row."""


@dataclass(frozen=True, slots=True)
class RandomPoints(_InBox):
    """Points drawn at random, each parameter on its own.

    Parameters
    ----------
    within
        What each parameter is drawn from: a range ``(low, high)`` or a distribution, by name.
    count
        How many points.
    seed
        Seed of the random numbers, a whole number.

    Examples
    --------
    >>> import dynlab as dl
    >>> dl.Sweep(dl.RandomPoints({"a": (0, 1), "b": dl.Gaussian(3, 1)}, count=50)).shape
    (50,)
    """

    def _in_cube(self, dimensions: int, stream: np.random.Generator) -> Array:
        return stream.random((self.count, dimensions))


@dataclass(frozen=True, slots=True)
class Sobol(_InBox):
    """Points of a scrambled Sobol sequence: even in every direction, a power of two of them.

    Parameters
    ----------
    within
        What each parameter covers: a range ``(low, high)`` or a distribution, by name.
    count
        How many points: 2, 4, 8, ...
    seed
        Seed of the scrambling, a whole number.

    Raises
    ------
    SettingError
        If the count is no power of two, or a range is none.

    Examples
    --------
    >>> import dynlab as dl
    >>> study = dl.Sweep(dl.Sobol({"rho": (20, 200), "sigma": (5, 20)}, count=64))
    >>> len(study), sorted(study[0])
    (64, ['rho', 'sigma'])
    """

    _is_balanced_at_powers_of_two = True

    def _in_cube(self, dimensions: int, stream: np.random.Generator) -> Array:
        from scipy.stats import qmc

        return np.asarray(qmc.Sobol(dimensions, seed=stream).random(self.count))


@dataclass(frozen=True, slots=True)
class Halton(_InBox):
    """Points of a scrambled Halton sequence: even in every direction, any number of them.

    Parameters
    ----------
    within
        What each parameter covers: a range ``(low, high)`` or a distribution, by name.
    count
        How many points.
    seed
        Seed of the scrambling, a whole number.

    Examples
    --------
    >>> import dynlab as dl
    >>> len(dl.Sweep(dl.Halton({"a": (0, 1), "b": (2, 3)}, count=100)))
    100
    """

    def _in_cube(self, dimensions: int, stream: np.random.Generator) -> Array:
        from scipy.stats import qmc

        return np.asarray(qmc.Halton(dimensions, seed=stream).random(self.count))


@dataclass(frozen=True, slots=True)
class LatinHypercube(_InBox):
    """Points of a Latin hypercube: each of ``count`` slices of each parameter holds exactly one.

    Parameters
    ----------
    within
        What each parameter covers: a range ``(low, high)`` or a distribution, by name.
    count
        How many points.
    seed
        Seed of the random numbers, a whole number.

    Examples
    --------
    >>> import dynlab as dl
    >>> axis = dl.LatinHypercube({"a": (0, 10)}, count=10).lay_out()
    >>> sorted(int(a) for a in axis.columns["a"])
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """

    def _in_cube(self, dimensions: int, stream: np.random.Generator) -> Array:
        from scipy.stats import qmc

        return np.asarray(qmc.LatinHypercube(dimensions, seed=stream).random(self.count))


def _quantiles(name: str, given: Any, shares: Array) -> Array:
    if isinstance(given, Distribution):
        return np.asarray(given.ppf(shares), float)
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise SettingError(
            f"{name!r} covers {given!r}. Give a range (low, high) or a distribution such as "
            "dl.Gaussian(0, 1)."
        )
    low, high = (finite(bound, f"a bound of {name!r}") for bound in given)
    if not low < high:
        raise SettingError(f"the range of {name!r} is ({low:g}, {high:g}). Give (low, high).")
    return low + (high - low) * shares
