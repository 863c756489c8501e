"""Distributions of one number: how values per node, starts and parameters are drawn.

A distribution has a quantile function, so it can be drawn at random or laid out evenly (`Quantiles`).
Frozen distributions of scipy.stats are taken wherever these are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError
from dynlab.names import finite

__all__ = ["Gaussian", "LogNormal", "Lorentzian", "Quantiles", "Uniform", "drawn"]

Array = NDArray[np.float64]


@runtime_checkable
class Distribution(Protocol):
    """What can be drawn from; frozen distributions of scipy.stats fit."""

    def ppf(self, share: Any) -> Any:
        """Return the value below which that share of the numbers lies."""


@dataclass(frozen=True, slots=True)
class Gaussian:
    """Normal distribution.

    Parameters
    ----------
    mean, deviation
        Mean and standard deviation.

    Examples
    --------
    >>> import dynlab as dl
    >>> round(float(dl.Gaussian(0, 1).ppf(0.975)), 4)
    1.96
    """

    mean: float = 0.0
    deviation: float = 1.0

    def __post_init__(self) -> None:
        _check(self, ("mean",), ("deviation",))

    def ppf(self, share: Any) -> Any:
        """Return the value below which that share of the numbers lies."""
        from scipy.special import ndtri

        return self.mean + self.deviation * ndtri(share)

    def density(self, x: Any) -> Any:
        """Return the probability density."""
        s = (np.asarray(x) - self.mean) / self.deviation
        return np.exp(-0.5 * s * s) / (self.deviation * np.sqrt(2.0 * np.pi))


@dataclass(frozen=True, slots=True)
class LogNormal:
    """The exponential of a normal number, by the mean and deviation of that number."""

    mean: float = 0.0
    deviation: float = 1.0

    def __post_init__(self) -> None:
        _check(self, ("mean",), ("deviation",))

    def ppf(self, share: Any) -> Any:
        """Return the value below which that share of the numbers lies."""
        return np.exp(Gaussian(self.mean, self.deviation).ppf(share))


@dataclass(frozen=True, slots=True)
class Lorentzian:
    """Cauchy distribution.

    Parameters
    ----------
    centre, width
        Centre and half-width at half maximum.
    """

    centre: float = 0.0
    width: float = 1.0

    def __post_init__(self) -> None:
        _check(self, ("centre",), ("width",))

    def ppf(self, share: Any) -> Any:
        """Return the value below which that share of the numbers lies."""
        return self.centre + self.width * np.tan(np.pi * (np.asarray(share) - 0.5))

    def density(self, x: Any) -> Any:
        """Return the probability density."""
        s = (np.asarray(x) - self.centre) / self.width
        return 1.0 / (np.pi * self.width * (1.0 + s * s))


@dataclass(frozen=True, slots=True)
class Uniform:
    """Every number between two ends alike."""

    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        _check(self, ("low", "high"), ())
        if not self.low < self.high:
            raise SettingError(f"Uniform({self.low:g}, {self.high:g}) is empty. Give low < high.")

    def ppf(self, share: Any) -> Any:
        """Return the value below which that share of the numbers lies."""
        return self.low + (self.high - self.low) * np.asarray(share)

    def density(self, x: Any) -> Any:
        """Return the probability density."""
        inside = (np.asarray(x) >= self.low) & (np.asarray(x) <= self.high)
        return inside / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Quantiles:
    """A distribution laid out evenly instead of drawn: N values at the shares (k - 1/2) / N.

    Finite networks then differ from infinite ones by less than random draws do.

    Examples
    --------
    >>> import dynlab as dl
    >>> swarm = dl.zoo.kuramoto.on(dl.AllToAll(3)).draw(omega=dl.Quantiles(dl.Uniform(-1, 1)))
    >>> swarm["omega"].round(3)
    array([-0.667,  0.   ,  0.667])
    """

    of: Any

    def __post_init__(self) -> None:
        _require(self.of)


def drawn(distribution: Any, count: int, stream: np.random.Generator) -> Array:
    """Return so many numbers of a distribution, drawn from a stream or laid out evenly.

    Raises
    ------
    SettingError
        If it is no distribution.
    """
    if isinstance(distribution, Quantiles):
        share = (np.arange(count) + 0.5) / count
        return np.asarray(distribution.of.ppf(share), dtype=float)
    _require(distribution)
    # An open interval: the quantile of 0 may be minus infinity.
    share = (stream.integers(0, 1 << 52, count) + 0.5) / (1 << 52)
    return np.asarray(distribution.ppf(share), dtype=float)


def _require(distribution: Any) -> None:
    if not isinstance(distribution, Distribution):
        raise SettingError(
            f"{distribution!r} is no distribution. Use dl.Gaussian, dl.Lorentzian, dl.Uniform, "
            "dl.LogNormal, dl.Quantiles(...) or a frozen distribution of scipy.stats."
        )


def _check(of: Any, free: tuple[str, ...], positive: tuple[str, ...]) -> None:
    kind = type(of).__name__
    for name in (*free, *positive):
        value = finite(getattr(of, name), f"{name} of {kind}")
        object.__setattr__(of, name, value)
        if name in positive and not value > 0:
            raise SettingError(f"{name} of {kind} is {value:g}. Give a positive number.")
