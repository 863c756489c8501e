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

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
class RandomPoints:
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

    within: Mapping[str, Any]
    count: int
    seed: int = 0

    def __post_init__(self) -> None:
        _check(self)

    def lay_out(self) -> Axis:
        """Return the axis."""
        cube = seed_of(self.seed).stream().random((self.count, len(self.within)))
        return _carried(self.within, cube)


@dataclass(frozen=True, slots=True)
class Sobol:
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

    within: Mapping[str, Any]
    count: int
    seed: int = 0

    def __post_init__(self) -> None:
        _check(self)
        if self.count & (self.count - 1):
            less = 1 << (self.count.bit_length() - 1)
            raise SettingError(
                f"{self.count} points of a Sobol sequence are not balanced. Ask for {less} or {2 * less}; "
                "dl.Halton takes any number."
            )

    def lay_out(self) -> Axis:
        """Return the axis."""
        from scipy.stats import qmc

        sequence = qmc.Sobol(len(self.within), seed=seed_of(self.seed).stream())
        return _carried(self.within, sequence.random(self.count))


@dataclass(frozen=True, slots=True)
class Halton:
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

    within: Mapping[str, Any]
    count: int
    seed: int = 0

    def __post_init__(self) -> None:
        _check(self)

    def lay_out(self) -> Axis:
        """Return the axis."""
        from scipy.stats import qmc

        sequence = qmc.Halton(len(self.within), seed=seed_of(self.seed).stream())
        return _carried(self.within, sequence.random(self.count))


@dataclass(frozen=True, slots=True)
class LatinHypercube:
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

    within: Mapping[str, Any]
    count: int
    seed: int = 0

    def __post_init__(self) -> None:
        _check(self)

    def lay_out(self) -> Axis:
        """Return the axis."""
        from scipy.stats import qmc

        sequence = qmc.LatinHypercube(len(self.within), seed=seed_of(self.seed).stream())
        return _carried(self.within, sequence.random(self.count))


def _check(design: Any) -> None:
    """Refuse what cannot be laid out, at the line where it is written."""
    checked_count(design.count, "the number of points")
    if design.seed is None:
        raise SettingError("a design needs a seed, so that it can be laid out again: seed=0.")
    seed_of(design.seed)
    if not isinstance(design.within, Mapping) or not design.within:
        raise SettingError(
            f"what the points cover is {design.within!r}. Give ranges by name: {{'a': (0, 1)}}."
        )
    for name, given in design.within.items():
        checked_axis_name(name)
        _quantiles(name, given, np.array([0.5]))


def _carried(within: Mapping[str, Any], cube: Array) -> Axis:
    """Carry points of the unit cube over to ranges and distributions."""
    inside = np.clip(
        cube, 0.5 / (1 << 53), 1.0 - 0.5 / (1 << 53)
    )  # a quantile at 0 may be infinite
    return Axis(
        {name: _quantiles(name, given, inside[:, k]) for k, (name, given) in enumerate(within.items())}
    )  # fmt: skip


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
