"""power_spectrum and coherence: which frequencies a process has, and shares with another, with errors.

Averaged periodograms (Welch 1967) by scipy.signal: segments under Hann's window, half overlapping.  Of K of them the
average has ``36 K^2 / (19 K - 1)`` degrees of freedom (Percival and Walden 1993, Spectral Analysis for Physical Applications,
section 6.17), from which the intervals follow.

Convention: two-sided, over the angular frequency, ``S(w) = int C(s) exp(-i w s) ds``, so that the integral of ``S dw / 2 pi`` over
all frequencies, negative ones included, is the variance.  That is also the two-sided density over the frequency in cycles, w / 2 pi;
one-sided densities are twice as large.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError
from dynlab.names import finite
from dynlab.result import Provenance, Result
from dynlab.solve.memory import memory_of
from dynlab.status import Status
from dynlab.stochastic.records.records import Records, Source, records_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Coherence", "PowerSpectrum", "coherence", "power_spectrum"]

Array = NDArray[np.float64]

#: A segment is so many times as long as correlations last: its window then lowers a Lorentzian peak by less than 1 %.
LONG = 40.0
#: Segments of one record at most (longer ones resolve more), and at least.
MOST_SEGMENTS, FEWEST_SEGMENTS = 200, 4


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PowerSpectrum(Result):
    """How the variance of a quantity is spread over angular frequencies; made by `power_spectrum`.

    Attributes
    ----------
    name
        The quantity.
    frequencies
        Angular frequencies above 0, per unit of time.
    values
        ``S(w)``, two-sided: its integral over all frequencies, also negative ones, is 2 pi times the variance.
    degrees
        Degrees of freedom of each value: ``degrees * value / S`` has the chi-squared distribution.
    unit
        Unit label of the time; empty if there is none.
    status
        UNDECIDED if the segments are shorter than correlations last, so that peaks are blurred.
    provenance
        Where it came from; ``provenance.settings["segment"]`` is the length of a segment.
    """

    name: str
    frequencies: Array
    values: Array
    degrees: float
    unit: str
    status: Status
    provenance: Provenance

    @property
    def errors(self) -> Array:
        """One standard deviation of each value."""
        return self.values * math.sqrt(2 / self.degrees)

    @property
    def band(self) -> tuple[Array, Array]:
        """Lower and upper end of the 95 % interval of each value by itself."""
        from scipy.stats import chi2

        low, high = chi2.ppf([0.975, 0.025], self.degrees)
        return self.values * (self.degrees / low), self.values * (self.degrees / high)

    @property
    def variance(self) -> float:
        """The variance that the spectrum adds up to."""
        width = self.frequencies[0]
        return float(self.values.sum() * width / math.pi)

    def to_table(self) -> dict[str, Array]:
        """Return one row for each frequency."""
        low, high = self.band
        return {"frequency": self.frequencies, "power": self.values, "low": low, "high": high}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the spectrum over the angular frequency with its 95 % band, both logarithmic."""
        from dynlab import plotting

        per = f" (1/{self.unit})" if self.unit else ""
        labels = (
            r"angular frequency $\omega$" + per,
            f"power spectrum of {plotting.label(self.name)}",
        )
        ax = plotting.draw_with_band(
            ax, self.frequencies, self.values, self.band, labels=labels, name="95 %"
        )
        ax.set_xscale("log")
        ax.set_yscale("log")
        return ax

    def __repr__(self) -> str:
        top = int(np.argmax(self.values))
        return (
            f"<power spectrum of {self.name}: {len(self.values)} angular frequencies up to {self.frequencies[-1]:.4g}, "
            f"{self.degrees:.3g} degrees of freedom\n highest, {self.values[top]:.4g}, at {self.frequencies[top]:.4g}; {self.status}>"
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Coherence(Result):
    """Which part of two quantities moves together at each frequency; made by `coherence`.

    Attributes
    ----------
    names
        The two quantities.
    frequencies
        Angular frequencies above 0, per unit of time.
    values
        ``|S_xy|^2 / (S_x S_y)``, from 0 to 1.
    phases
        By how much the first is ahead of the second, as an angle.
    averages
        How many independent periodograms were averaged.
    unit
        Unit label of the time; empty if there is none.
    status
        UNDECIDED if the segments are shorter than correlations last.
    provenance
        Where it came from.
    """

    names: tuple[str, ...]
    frequencies: Array
    values: Array
    phases: Array
    averages: float
    unit: str
    status: Status
    provenance: Provenance

    @property
    def errors(self) -> Array:
        """One standard deviation of each value, to leading order in the number of averages."""
        return (1 - self.values) * np.sqrt(2 * self.values / self.averages)

    @property
    def chance(self) -> float:
        """What quantities without any relation stay below at 95 % of the frequencies."""
        return float(1 - 0.05 ** (1 / max(self.averages - 1, 1e-9)))

    def to_table(self) -> dict[str, Array]:
        """Return one row for each frequency."""
        columns = {"frequency": self.frequencies, "coherence": self.values}
        return columns | {"error": self.errors, "phase": self.phases}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the coherence over the angular frequency, and what chance alone stays below."""
        from dynlab import plotting

        per = f" (1/{self.unit})" if self.unit else ""
        one, two = (plotting.label(name) for name in self.names)
        ax = plotting.draw_with_band(
            ax, self.frequencies, self.values, (self.values - self.errors, self.values + self.errors), name="one error",
            labels=(r"angular frequency $\omega$" + per, f"coherence of {one} and {two}"),
        )  # fmt: skip
        ax.axhline(self.chance, color="0.4", linewidth=1, linestyle="--", label="chance, 95 %")
        ax.set_xscale("log")
        ax.set_ylim(0, 1.02)
        return plotting.draw_legend(ax)

    def __repr__(self) -> str:
        top = int(np.argmax(self.values))
        return (
            f"<coherence of {' and '.join(self.names)}: {len(self.values)} angular frequencies, {self.averages:.3g} averages\n "
            f"highest, {self.values[top]:.3f}, at {self.frequencies[top]:.4g}; by chance below {self.chance:.3f}; {self.status}>"
        )


def power_spectrum(
    data: Source, *, of: str | None = None, segment: float | None = None, after: float = 0.0
) -> PowerSpectrum:
    r"""Return the power spectrum of a stationary process, with intervals.

    .. math:: S(\omega) = \int C(s)\, e^{-i \omega s}\, \mathrm{d}s, \qquad
              \int S(\omega)\, \frac{\mathrm{d}\omega}{2\pi} = \text{variance}

    Two-sided and over the angular frequency, as `LinearNoise.power_spectrum`.  Only positive frequencies are kept.

    Parameters
    ----------
    data
        A stationary run with equally spaced times, an ensemble that kept its states at such times, or an array.
    of
        A state or observable of the run.
    segment
        How long the segments are whose periodograms are averaged, in the system's unit of time; 40 times as long as
        correlations last, or longer where the record allows 200 of them, if None.
    after
        Time to leave out at the beginning.

    Returns
    -------
    PowerSpectrum
        Values, standard errors and 95 % intervals.

    Raises
    ------
    SettingError
        If there are too few values, they are not equally spaced, or the segment does not fit four times into the record.

    Notes
    -----
    Values every h apart hide frequencies above ``pi / h``: what is there is folded back below.

    Examples
    --------
    >>> import numpy as np, dynlab as dl
    >>> @dl.flow
    ... def decay(x=0.0):
    ...     return {x: -x}
    >>> run = dl.simulate(decay.with_noise(x=1.0), duration=5000, method=dl.ExactLinear(step=0.1), seed=1)
    >>> found = dl.power_spectrum(run, of="x", after=10)
    >>> slow = found.frequencies < 3
    >>> exact = 1 / (1 + found.frequencies**2)                # 2 D / (theta^2 + w^2)
    >>> low, high = found.band
    >>> bool(((low < exact) & (exact < high))[slow].mean() > 0.85)
    True

    References
    ----------
    1. Welch 1967, IEEE Trans. Audio Electroacoust. 15, 70.
    2. Percival and Walden 1993, Spectral Analysis for Physical Applications, section 6.17.
    """
    began = perf_counter()
    records = records_of(data, of, after, 1)
    cut = _Segments.of(records, segment)
    frequencies, values = cut.spectrum(records.values[0], records.values[0])
    return PowerSpectrum(
        name=records.names[0], frequencies=frequencies, values=values.real, degrees=cut.degrees, unit=records.unit,
        status=cut.status,
        provenance=Provenance("power_spectrum", records.system, {"of": of, "segment": cut.length * records.every,
                              "after": after}, seconds=perf_counter() - began),
    )  # fmt: skip


def coherence(
    data: Source, *, of: Any = None, segment: float | None = None, after: float = 0.0
) -> Coherence:
    r"""Return the coherence of two quantities: which part of them moves together at each frequency.

    .. math:: |S_{xy}|^2 / (S_x S_y)

    Parameters
    ----------
    data
        A stationary run with equally spaced times, an ensemble that kept its states at such times, or an array.
    of
        Two states or observables, ``of=("x", "y")``.
    segment
        How long the segments are, as in `power_spectrum`.
    after
        Time to leave out at the beginning.

    Returns
    -------
    Coherence
        Values with standard errors, phases, and what chance alone stays below.

    Raises
    ------
    SettingError
        If there are too few values, they are not equally spaced, or the segment does not fit four times into the record.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def focus(x=0.0, y=0.0):
    ...     return {x: -x - 3 * y, y: 3 * x - y}
    >>> run = dl.simulate(focus.with_noise(x=1.0), duration=2000, method=dl.ExactLinear(step=0.05), seed=1)
    >>> found = dl.coherence(run, of=("x", "y"))
    >>> bool(found.values.max() > 0.95)                       # y follows x, and has no noise of its own
    True

    References
    ----------
    1. Carter 1987, Proc. IEEE 75, 236 (errors).
    """
    began = perf_counter()
    records = records_of(data, of, after, 2)
    cut = _Segments.of(records, segment)
    x, y = records.values
    frequencies, cross = cut.spectrum(x, y)
    own = [cut.spectrum(v, v)[1].real for v in (x, y)]
    return Coherence(
        names=records.names, frequencies=frequencies, values=np.abs(cross) ** 2 / (own[0] * own[1]),
        phases=np.angle(cross), averages=cut.degrees / 2, unit=records.unit, status=cut.status,
        provenance=Provenance("coherence", records.system, {"of": of, "segment": cut.length * records.every, "after": after},
                              seconds=perf_counter() - began),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Segments:
    """How records are cut."""

    length: int
    every: float
    degrees: float
    status: Status

    @classmethod
    def of(cls, records: Records, segment: float | None) -> _Segments:
        size, rows = records.values.shape[2], records.values.shape[1]
        lasting = max(memory_of(v).lasting for v in records.values)
        most = size // (1 if rows >= FEWEST_SEGMENTS else FEWEST_SEGMENTS)
        if segment is None:
            wanted = max(LONG * lasting, 2 * size / MOST_SEGMENTS, 16)
            length = int(min(wanted, most))
        else:
            length = round(finite(segment, "segment") / records.every)
            if not 8 <= length <= most:
                raise SettingError(
                    f"segment is {segment!r}; give a time from {8 * records.every:g} to {most * records.every:g}, so that it "
                    "holds eight values and four of it fit into the record."
                )
        length -= length % 2
        count = max((size - length) // (length // 2) + 1, 1)
        degrees = rows * 36 * count**2 / (19 * count - 1)
        return cls(
            length,
            records.every,
            degrees,
            Status.OK if length >= 10 * lasting else Status.UNDECIDED,
        )

    def spectrum(self, x: Array, y: Array) -> tuple[Array, NDArray[Any]]:
        """Return angular frequencies and the spectrum of ``<x(t + s) y(t)>``, without frequency 0 and the last."""
        from scipy.signal import csd

        frequencies, values = csd(
            y - y.mean(), x - x.mean(), fs=1 / self.every, window="hann", nperseg=self.length, detrend=False,
            return_onesided=False,
        )  # fmt: skip
        kept = slice(1, self.length // 2)
        return 2 * math.pi * frequencies[kept], np.asarray(np.atleast_2d(values).mean(axis=0)[kept])
