"""Surrogate data: is there more in a series than its spectrum and its distribution?

Surrogates are random series that share with the data what the null hypothesis allows to.  If a statistic of the data
lies outside what it is for them, the null is rejected (Theiler, Eubank, Longtin, Galdrikian and Farmer 1992,
Physica D 58, 77):

* `PhaseRandomised`: the spectrum, exactly.  Null: a linear Gaussian process.
* `AmplitudeAdjusted` (AAFT): the distribution, exactly, and nearly the spectrum.  Null: such a process seen
  through a monotone function.
* `IteratedAmplitudeAdjusted` (IAAFT): the distribution exactly and the spectrum closely, by turns
  (Schreiber and Schmitz 1996, Phys. Rev. Lett. 77, 635).

A Fourier transform takes the series as periodic: where its ends differ much, the jump itself is a feature that surrogates
share.  Cut the series so that its ends match.

The p-value is that of the rank: with n surrogates it is a multiple of 1/(n + 1), and if the data are a draw from
the null it is below alpha with probability at most alpha, whatever the statistic.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlab.chaos.series.neighbours import nearest, spread
from dynlab.chaos.series.samples import Data, series_of, whole
from dynlab.errors import SettingError
from dynlab.progress import tick
from dynlab.result import Provenance, Result
from dynlab.seeds import seed_of
from dynlab.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "AmplitudeAdjusted", "IteratedAmplitudeAdjusted", "PhaseRandomised", "SurrogateTest",
    "prediction_error", "surrogate_test", "time_asymmetry",
]  # fmt: skip

Array = NDArray[np.float64]

#: Points whose future is predicted, and neighbours that it is predicted from.
MOST_PREDICTED = 2000
NEIGHBOURS = 5


@dataclass(frozen=True, slots=True)
class PhaseRandomised:
    """Surrogates with the spectrum of the data, exactly, and random phases."""

    def surrogate(self, series: ArrayLike, *, seed: Any = None) -> Array:
        """Return one surrogate.

        Examples
        --------
        >>> import dynlab as dl, numpy as np
        >>> x = np.random.default_rng(0).random(500)
        >>> y = dl.PhaseRandomised().surrogate(x, seed=1)
        >>> bool(np.allclose(abs(np.fft.rfft(x)), abs(np.fft.rfft(y))))
        True
        """
        return self.draw(np.asarray(series, float), seed_of(seed).stream(0))

    def draw(self, x: Array, random: np.random.Generator) -> Array:
        """Return one surrogate with random numbers from a generator."""
        return _phases_randomised(x, random)


@dataclass(frozen=True, slots=True)
class AmplitudeAdjusted:
    """Surrogates with the values of the data, exactly, and nearly its spectrum (AAFT)."""

    def surrogate(self, series: ArrayLike, *, seed: Any = None) -> Array:
        """Return one surrogate."""
        return self.draw(np.asarray(series, float), seed_of(seed).stream(0))

    def draw(self, x: Array, random: np.random.Generator) -> Array:
        """Return one surrogate with random numbers from a generator."""
        return _amplitude_adjusted(x, random)


@dataclass(frozen=True, slots=True)
class IteratedAmplitudeAdjusted:
    """Surrogates with the values of the data, exactly, and closely its spectrum (IAAFT).

    Parameters
    ----------
    most_iterations
        Turns between spectrum and values, if the order of the values does not settle before.
    """

    most_iterations: int = 200

    def __post_init__(self) -> None:
        whole(self.most_iterations, "most_iterations", least=1)

    def surrogate(self, series: ArrayLike, *, seed: Any = None) -> Array:
        """Return one surrogate.

        Examples
        --------
        >>> import dynlab as dl, numpy as np
        >>> x = np.random.default_rng(0).random(500)
        >>> y = dl.IteratedAmplitudeAdjusted().surrogate(x, seed=1)
        >>> bool((np.sort(x) == np.sort(y)).all())
        True
        """
        return self.draw(np.asarray(series, float), seed_of(seed).stream(0))

    def draw(self, x: Array, random: np.random.Generator) -> Array:
        """Return one surrogate with random numbers from a generator."""
        size, ordered = np.abs(np.fft.rfft(x)), np.sort(x)
        y = random.permutation(x)
        before = np.argsort(y, kind="stable")
        for _ in range(self.most_iterations):
            transform = np.fft.rfft(y)
            modulus = np.abs(transform)
            turned = np.where(modulus > 0, transform / np.where(modulus > 0, modulus, 1.0), 1.0)
            order = np.argsort(np.fft.irfft(size * turned, len(x)), kind="stable")
            y = np.empty_like(x)
            y[order] = ordered
            if np.array_equal(order, before):
                break
            before = order
        return np.asarray(y)


Method = PhaseRandomised | AmplitudeAdjusted | IteratedAmplitudeAdjusted


def _phases_randomised(x: Array, random: np.random.Generator) -> Array:
    transform = np.fft.rfft(x)
    turned = np.abs(transform) * np.exp(2j * np.pi * random.random(len(transform)))
    # The mean is real, and so is the fastest oscillation of an even number of samples.
    turned[0] = transform[0]
    if len(x) % 2 == 0:
        turned[-1] = transform[-1]
    return np.asarray(np.fft.irfft(turned, len(x)))


def _amplitude_adjusted(x: Array, random: np.random.Generator) -> Array:
    normal = np.empty_like(x)
    normal[np.argsort(x, kind="stable")] = np.sort(random.normal(size=len(x)))
    out = np.empty_like(x)
    out[np.argsort(_phases_randomised(normal, random), kind="stable")] = np.sort(x)
    return out


def time_asymmetry(series: ArrayLike) -> float:
    """Return ``<(x(t+1) - x(t))^3> / <(x(t+1) - x(t))^2>^(3/2)``, which is 0 if time has no direction.

    Examples
    --------
    >>> import dynlab as dl, numpy as np
    >>> saw = np.tile(np.arange(10.0), 50)              # rises slowly, falls at once
    >>> dl.time_asymmetry(saw) < -2
    True
    """
    steps = np.diff(np.asarray(series, float))
    power = float(np.mean(steps**2))
    return float(np.mean(steps**3) / power**1.5) if power > 0 else 0.0


def prediction_error(series: ArrayLike) -> float:
    """Return how badly the next value is predicted by that of similar pasts, in standard deviations.

    The mean of what followed the 5 nearest pasts of three values; 0 for what repeats, about 1.1 for noise.
    Its power as a test statistic is among the best (Schreiber and Schmitz 1997, Phys. Rev. E 55, 5443).

    Examples
    --------
    >>> import dynlab as dl
    >>> x = dl.iterate(dl.zoo.henon, duration=2000)["x"]
    >>> dl.prediction_error(x) < 0.1
    True
    """
    x = np.asarray(series, float)
    pasts = np.column_stack([x[:-3], x[1:-2], x[2:-1]])
    future = x[3:]
    here = spread(len(pasts), MOST_PREDICTED)
    places, _ = nearest(pasts, here, window=3, count=NEIGHBOURS)
    predicted = future[places].mean(axis=1)
    return float(np.sqrt(np.mean((predicted - future[here]) ** 2)) / x.std())


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SurrogateTest(Result):
    """A statistic of the data against what it is for surrogates.

    Attributes
    ----------
    value
        The statistic of the data.
    surrogates
        The statistic of each surrogate.
    p_value
        Of the rank, two-sided: ``min(1, 2 (1 + number beyond) / (n + 1))``.
    statistic
        The name of the statistic.
    status
        `Status.STOPPED` if not all surrogates were made; the p-value is then that of those there are.
    provenance
        Where it came from.
    """

    value: float
    surrogates: Array
    p_value: float
    statistic: str
    status: Status
    provenance: Provenance

    @property
    def z_score(self) -> float:
        """Distance from the mean of the surrogates in their standard deviations."""
        return float((self.value - self.surrogates.mean()) / self.surrogates.std(ddof=1))

    def to_table(self) -> dict[str, Array]:
        """Return the statistic of the surrogates as a column."""
        return {self.statistic: self.surrogates}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the statistic of the data on the histogram of that of the surrogates."""
        from dynlab import plotting

        label = f"data, $p$ = {self.p_value:.3g}"
        name = self.statistic.replace("_", " ")
        return plotting.draw_null(ax, self.surrogates, self.value, labels=(name, label))

    def __repr__(self) -> str:
        return (
            f"<surrogate test: {self.statistic} {self.value:.4g}, p = {self.p_value:.3g};\n"
            f" {len(self.surrogates)} surrogates {self.surrogates.min():.4g} ... "
            f"{self.surrogates.max():.4g}, {self.status}>"
        )


def surrogate_test(
    data: Data,
    *,
    of: str | None = None,
    statistic: Callable[[Array], float] = prediction_error,
    method: Method | None = None,
    count: int = 99,
    seed: Any = None,
) -> SurrogateTest:
    """Test whether a series is more than a linear stochastic process, with surrogate data.

    Parameters
    ----------
    data
        A run with equally spaced times, or an array with one value per time.
    of
        Which quantity of the run.
    statistic
        A function of the series; `dynlab.prediction_error` if left out.  `dynlab.time_asymmetry` is another.
    method
        ``dl.IteratedAmplitudeAdjusted()``, the default, ``dl.AmplitudeAdjusted()`` or
        ``dl.PhaseRandomised()``.
    count
        How many surrogates; the smallest p-value is ``2/(count + 1)``.
    seed
        Of the random numbers.

    Returns
    -------
    SurrogateTest
        The statistic of data and surrogates, and the p-value.

    Raises
    ------
    SettingError
        If the data, the method or the count cannot be used, or the statistic is not a finite number.

    Examples
    --------
    >>> import dynlab as dl
    >>> run = dl.iterate(dl.zoo.henon, duration=500)
    >>> dl.surrogate_test(run, of="x", count=39, seed=1).p_value
    0.05
    """
    began = time.perf_counter()
    samples, x = series_of(data, of=of)
    number = whole(count, "count", least=19)
    method = method or IteratedAmplitudeAdjusted()
    if not isinstance(method, Method):
        raise SettingError(
            f"method is {method!r}; give dl.PhaseRandomised(), dl.AmplitudeAdjusted() or "
            "dl.IteratedAmplitudeAdjusted()."
        )
    name = getattr(statistic, "__name__", type(statistic).__name__)
    source = seed_of(seed)
    value = _finite(statistic, x, name)
    found: list[float] = []
    status = Status.OK
    for k in range(number):
        found.append(_finite(statistic, method.draw(x, source.stream(k)), name))
        if not tick(k + 1, number, "surrogates"):
            status = Status.STOPPED
            break
    others = np.array(found)
    beyond = min(int(np.sum(others >= value)), int(np.sum(others <= value)))
    settings = {"of": of, "method": method, "count": number, "seed": source.text}
    return SurrogateTest(
        value, others, min(1.0, 2 * (1 + beyond) / (len(others) + 1)), name, status,
        Provenance("surrogate_test", samples.system, settings, seconds=time.perf_counter() - began),
    )  # fmt: skip


def _finite(statistic: Callable[[Array], float], x: Array, name: str) -> float:
    value = float(statistic(x))
    if not np.isfinite(value):
        raise SettingError(
            f"the statistic {name} is {value} for a series of {len(x)} values. Give a function that returns "
            "a finite number."
        )
    return value
