"""Distributions of one number: how values per node, starts and parameters are drawn.

A distribution has a quantile function, so it can be drawn at random or laid out evenly (`Quantiles`).
Frozen distributions of scipy.stats are taken wherever these are.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError
from dynlab.names import finite

__all__ = [
    "Constant", "Gaussian", "LogNormal", "Lorentzian", "Mixture", "Quantiles", "Uniform", "density_of", "drawn",
    "from_words",
]  # fmt: skip

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

    def cdf(self, x: Any) -> Any:
        """Return the share of the numbers below."""
        from scipy.special import ndtr

        return ndtr((np.asarray(x) - self.mean) / self.deviation)


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

    def density(self, x: Any) -> Any:
        """Return the probability density."""
        positive = np.where(np.asarray(x) > 0, x, 1.0)
        inside = Gaussian(self.mean, self.deviation).density(np.log(positive)) / positive
        return np.where(np.asarray(x) > 0, inside, 0.0)

    def cdf(self, x: Any) -> Any:
        """Return the share of the numbers below."""
        positive = np.where(np.asarray(x) > 0, x, 1.0)
        below = Gaussian(self.mean, self.deviation).cdf(np.log(positive))
        return np.where(np.asarray(x) > 0, below, 0.0)


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

    def cdf(self, x: Any) -> Any:
        """Return the share of the numbers below."""
        return 0.5 + np.arctan((np.asarray(x) - self.centre) / self.width) / np.pi


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

    def cdf(self, x: Any) -> Any:
        """Return the share of the numbers below."""
        return np.clip((np.asarray(x) - self.low) / (self.high - self.low), 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Constant:
    """One number, always."""

    value: float = 0.0

    def __post_init__(self) -> None:
        _check(self, ("value",), ())

    def ppf(self, share: Any) -> Any:
        """Return the number."""
        return np.full(np.shape(share), self.value)


@dataclass(frozen=True, slots=True)
class Mixture:
    """Several distributions, each with its share: two peaks, for instance.

    Parameters
    ----------
    parts
        The distributions: `Gaussian`, `LogNormal`, `Lorentzian` or `Uniform`.
    shares
        How much of each; equal if left out.

    Examples
    --------
    >>> import dynlab as dl
    >>> two_peaks = dl.Mixture((dl.Lorentzian(-1, 0.2), dl.Lorentzian(1, 0.2)))
    >>> bool(abs(two_peaks.ppf(0.5)) < 1e-12)
    True
    """

    parts: tuple[Any, ...]
    shares: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        parts = tuple(self.parts)
        shares = tuple(
            finite(share, "a share of Mixture") for share in self.shares or (1.0,) * len(parts)
        )
        for part in parts:
            if not (hasattr(part, "density") and hasattr(part, "cdf")):
                raise SettingError(
                    f"{part!r} cannot be a part of Mixture. Give dl.Gaussian, dl.LogNormal, dl.Lorentzian "
                    "or dl.Uniform."
                )
        if not parts or len(shares) != len(parts) or min(shares) <= 0:
            raise SettingError(
                f"Mixture has {len(parts)} parts and the shares {shares}. Give at least one part and a "
                "positive share for each."
            )
        object.__setattr__(self, "parts", parts)
        object.__setattr__(self, "shares", tuple(share / sum(shares) for share in shares))

    def density(self, x: Any) -> Any:
        """Return the probability density."""
        return sum(s * part.density(x) for s, part in zip(self.shares, self.parts, strict=True))

    def cdf(self, x: Any) -> Any:
        """Return the share of the numbers below."""
        return sum(s * part.cdf(x) for s, part in zip(self.shares, self.parts, strict=True))

    def ppf(self, share: Any) -> Any:
        """Return the value below which that share of the numbers lies, by bisection."""
        wanted = np.asarray(share, float)
        # The quantile of a mixture lies between those of its parts.
        each = np.array([np.broadcast_to(part.ppf(wanted), wanted.shape) for part in self.parts])
        low, high = each.min(axis=0), each.max(axis=0)
        same = low == high
        with np.errstate(invalid="ignore"):
            for _ in range(200):
                middle = 0.5 * (low + high)
                is_below = self.cdf(middle) < wanted
                low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
        return np.where(same, each[0], 0.5 * (low + high))


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


def density_of(distribution: Any) -> Callable[[Any], Any]:
    """Return the probability density of a distribution as a function.

    Raises
    ------
    SettingError
        If it has none.
    """
    of = distribution.of if isinstance(distribution, Quantiles) else distribution
    _require(of)
    found = getattr(of, "density", None) or getattr(of, "pdf", None)
    if found is None:
        raise SettingError(
            f"{of!r} has no density. Give a distribution with one, such as dl.Gaussian(0, 1), or a "
            "continuous frozen distribution of scipy.stats."
        )
    return found  # type: ignore[no-any-return]


def from_words(words: str) -> Any:
    """Return the distribution that was written as its ``repr``, or None if it is none of dynlab's."""
    known = {
        kind.__name__: kind for kind in (Constant, Gaussian, LogNormal, Lorentzian, Mixture, Quantiles, Uniform)
    }  # fmt: skip

    def build(node: ast.expr) -> Any:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.args:
            return known[node.func.id](**{str(k.arg): build(k.value) for k in node.keywords})
        if isinstance(node, ast.Tuple):
            return tuple(build(element) for element in node.elts)
        return ast.literal_eval(node)

    try:
        return build(ast.parse(words, mode="eval").body)
    except (SyntaxError, ValueError, KeyError, TypeError):
        return None


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
