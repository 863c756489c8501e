r"""warning_signs: do variance and memory of a record rise, and is that more than chance?

The record is freed of its slow trend (a Gaussian kernel), and in a window that slides along it the variance and the
correlation of neighbours, AR(1), are estimated (Dakos and others 2008, Proc. Natl. Acad. Sci. USA 105, 14308).
For n values of an AR(1) process with coefficient a (Bartlett 1946, J. R. Stat. Soc. Suppl. 8, 27)

    sd(variance) / variance = sqrt(2 (1 + a^2) / ((1 - a^2) n)),      sd(a) = sqrt((1 - a^2) / n).

Values of overlapping windows depend on each other, so the rank correlation with time (Kendall's tau) has no
table: it is compared with that of surrogates that share the spectrum of the record but do not change in time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.stats import kendalltau

from dynlab.chaos.series.samples import Data, series_of, whole
from dynlab.chaos.series.surrogates import PhaseRandomised
from dynlab.errors import SettingError
from dynlab.names import finite
from dynlab.plotting import label, new_axes, style
from dynlab.progress import tick
from dynlab.result import Provenance, Result
from dynlab.seeds import seed_of
from dynlab.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["WarningSigns", "warning_signs"]

Array = NDArray[np.float64]

#: Windows looked at, at most, and values in the smallest.
MOST_WINDOWS, SMALLEST = 200, 20


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WarningSigns(Result):
    """Variance and memory of a record in a sliding window; made by `warning_signs`.

    Attributes
    ----------
    times
        The end of each window.
    variance
        The variance in it.
    autocorrelation
        The correlation of neighbouring values in it.
    errors
        The standard errors of both, in two rows.
    trends
        Kendall's rank correlation of both with time: 1 if they only rise.
    p_values
        The share of records without change that rise as much, of both.
    unit
        Unit label of the times.
    status
        `Status.STOPPED` if not all surrogates were made; the p-values are then those of the ones there are.
    provenance
        Where it came from.
    """

    times: Array
    variance: Array
    autocorrelation: Array
    errors: Array
    trends: tuple[float, float]
    p_values: tuple[float, float]
    unit: str
    status: Status
    provenance: Provenance

    def to_table(self) -> dict[str, Array]:
        """Return one row for each window."""
        return {
            "time": self.times,
            "variance": self.variance,
            "error of variance": self.errors[0],
            "autocorrelation": self.autocorrelation,
            "error of autocorrelation": self.errors[1],
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw variance and autocorrelation, each relative to its first value, with their errors."""
        ax = new_axes(ax, xlabel=label("t", self.unit), ylabel="relative to the first window")
        rows = zip(
            ("variance", "autocorrelation"), (self.variance, self.autocorrelation), self.errors,
            self.p_values, style.CYCLE, strict=False,
        )  # fmt: skip
        for name, values, errors, p, color in rows:
            first = abs(values[0])
            ax.fill_between(
                self.times, (values - errors) / first, (values + errors) / first, color=color,
                alpha=0.18, linewidth=0,
            )  # fmt: skip
            ax.plot(
                self.times,
                values / first,
                color=color,
                linewidth=1.8,
                label=f"{name}, $p$ = {p:.2g}",
            )
        ax.legend(frameon=False)
        return ax

    def __repr__(self) -> str:
        (tau_v, tau_a), (p_v, p_a) = self.trends, self.p_values
        return (
            f"<warning signs in {len(self.times)} windows: variance with Kendall's tau {tau_v:.3f} (p = {p_v:.3g}),\n "
            f"autocorrelation {tau_a:.3f} (p = {p_a:.3g})>"
        )


def warning_signs(
    data: Data,
    *,
    of: str | None = None,
    window: int,
    smoothing: float | None = None,
    surrogates: int = 199,
    seed: Any = None,
) -> WarningSigns:
    """Return whether variance and memory of a record rise, as they do before many bifurcations.

    Parameters
    ----------
    data
        A run with equally spaced times, or an array with one value per time.
    of
        Which quantity of the run.
    window
        How many values the sliding window holds; half the record is usual.
    smoothing
        The width (standard deviation) in values of the Gaussian kernel whose moving mean is taken off; half a
        window if None.  Fluctuations slower than that are lost, so keep it well above their correlation time.
    surrogates
        How many records without change to compare with.
    seed
        Of the random numbers.

    Returns
    -------
    WarningSigns
        Both quantities with standard errors, their rank correlations with time, and one-sided p-values.

    Raises
    ------
    SettingError
        If the window is longer than the record or too short, or another setting cannot work.

    Examples
    --------
    >>> import numpy as np, dynlab as dl
    >>> random = np.random.default_rng(3)
    >>> x, memory = np.zeros(2000), np.linspace(0.3, 0.95, 2000)      # ever slower to return
    >>> for k in range(1, 2000):
    ...     x[k] = memory[k] * x[k - 1] + random.normal()
    >>> found = dl.warning_signs(x, window=600, surrogates=99, seed=1)
    >>> max(found.p_values) <= 0.05
    True

    References
    ----------
    1. Dakos and others 2008, Proc. Natl. Acad. Sci. USA 105, 14308.
    2. Boettiger and Hastings 2012, J. R. Soc. Interface 9, 2527 (why surrogates are needed).
    """
    began = time.perf_counter()
    samples, x = series_of(data, of=of)
    width = whole(window, "window", least=SMALLEST)
    if width > len(x) // 2 + len(x) // 4:
        raise SettingError(
            f"window is {width}, of a record of {len(x)} values, so there is no room to slide. Give a window of about "
            f"half the record, {len(x) // 2}."
        )
    blur = 0.5 * width if smoothing is None else finite(smoothing, "smoothing")
    if blur <= 0:
        raise SettingError(f"smoothing is {blur:g}; give a width in values above 0, or None.")
    number = whole(surrogates, "surrogates", least=19)
    # A kernel wider than the record leaves its mean.
    rest = x - (gaussian_filter1d(x, blur, mode="reflect") if blur < len(x) else x.mean())
    if not rest.std() > 1e-13 * np.abs(x).max():
        raise SettingError(
            "the record is constant up to its trend, so nothing fluctuates. Record the noise as well."
        )
    ends = np.unique(np.linspace(width, len(x), min(MOST_WINDOWS, len(x) - width + 1)).astype(int))
    variance, memory = _rolling(rest, ends, width)
    trends = _trend(variance), _trend(memory)
    source, method, status = seed_of(seed), PhaseRandomised(), Status.OK
    beyond, made = np.zeros(2), 0
    for k in range(number):
        other = _rolling(method.draw(rest, source.stream(k)), ends, width)
        beyond += np.greater_equal([_trend(v) for v in other], trends)
        made += 1
        if not tick(made, number, "surrogates"):
            status = Status.STOPPED
            break
    room = np.maximum(1.0 - memory**2, 1e-3)
    errors = np.array(
        [variance * np.sqrt(2 * (1 + memory**2) / (room * width)), np.sqrt(room / width)]
    )
    settings = {
        "of": of,
        "window": width,
        "smoothing": blur,
        "surrogates": number,
        "seed": source.text,
    }
    return WarningSigns(
        times=ends * samples.every,
        variance=variance,
        autocorrelation=memory,
        errors=errors,
        trends=trends,
        p_values=(float((1 + beyond[0]) / (made + 1)), float((1 + beyond[1]) / (made + 1))),
        unit=samples.unit,
        status=status,
        provenance=Provenance(
            "warning_signs", samples.system, settings, seconds=time.perf_counter() - began
        ),
    )


def _rolling(x: Array, ends: NDArray[np.int_], width: int) -> tuple[Array, Array]:
    """Return the variance and the correlation of neighbours in the windows that end before these places."""
    x = x - x.mean()
    sums = [np.concatenate([[0.0], np.cumsum(v)]) for v in (x, x**2, x[1:] * x[:-1])]
    first = ends - width
    mean = (sums[0][ends] - sums[0][first]) / width
    square = (sums[1][ends] - sums[1][first]) / width - mean**2
    # Pairs whose members both lie in the window, about its mean.
    pairs = sums[2][ends - 1] - sums[2][first]
    inner = sums[0][ends] - sums[0][first]
    cross = pairs - mean * (2 * inner - x[first] - x[ends - 1]) + (width - 1) * mean**2
    return square * width / (width - 1), np.asarray(cross / ((width - 1) * square))


def _trend(values: Array) -> float:
    return float(kendalltau(np.arange(len(values)), values).statistic)
