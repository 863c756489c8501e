"""Spike trains: when a cell fires, how often, and how regularly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError, UnitError
from dynlab.names import finite
from dynlab.result import Provenance, Result
from dynlab.solve.memory import mean_error
from dynlab.solve.trajectory import Trajectory
from dynlab.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SpikeTrain", "spike_train"]

Array = NDArray[np.float64]
#: Fewer intervals or windows have no error worth its name.
FEW = 8
#: From so many intervals on their memory is counted.
ENOUGH = 100
#: Seconds in a unit of time.
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SpikeTrain(Result):
    """The times of spikes, and what is said of them.

    Attributes
    ----------
    event
        Which event or crossing counts as a spike.
    times
        When it happened.
    begin, end
        Between which times spikes were looked for.
    unit
        Unit of the times.
    status
        How the run ended.
    provenance
        Where it came from.
    """

    event: str
    times: Array
    begin: float
    end: float
    unit: str
    status: Status
    provenance: Provenance

    @property
    def intervals(self) -> Array:
        """Times from spike to spike."""
        return np.abs(np.diff(self.times))

    @property
    def rate(self) -> float:
        """Spikes per unit of the system's time: the reciprocal of the mean interval.

        With fewer than two spikes their number over the length of the window.
        """
        if len(self.times) < 2:
            return len(self.times) / abs(self.end - self.begin)
        return 1.0 / float(self.intervals.mean())

    @property
    def rate_error(self) -> float:
        """Standard error of the rate, from the scatter of the intervals taken as independent.

        Intervals of a deterministic cell scatter by its bursts and transients alone.  With fewer than
        three spikes nothing is known of the scatter; then one spike over the length of the window.
        """
        if len(self.times) < 3:
            return 1.0 / abs(self.end - self.begin)
        intervals = self.intervals
        return float(self.rate**2 * intervals.std(ddof=1) / math.sqrt(len(intervals)))

    @property
    def rate_in_hertz(self) -> float:
        """Spikes per second.

        Raises
        ------
        UnitError
            If the system does not say what its unit of time is.
        """
        return self.rate / self._seconds

    @property
    def cv(self) -> float:
        """Coefficient of variation of the intervals: 0 for a clock, 1 for a Poisson process.

        Standard deviation over mean; nan with fewer than three spikes.
        """
        if len(self.times) < 3:
            return math.nan
        intervals = self.intervals
        return float(intervals.std() / intervals.mean())

    @property
    def cv_error(self) -> float:
        """Standard error of the CV, from the scatter of the intervals and their memory; nan with fewer than eight."""
        intervals = self.intervals
        if len(intervals) < FEW:
            return math.nan
        z = (intervals - intervals.mean()) / intervals.mean()
        # The influence of each interval on the CV (the delta method).
        return _error((z**2 / self.cv - self.cv) / 2 - self.cv * z) if self.cv else 0.0

    def serial_correlation(self, lag: int = 1) -> tuple[float, float]:
        """Return the correlation of intervals so many apart, and its standard error.

        It is 0 where every spike wipes out the memory (a renewal process), negative where a long interval follows a
        short one, as with adaptation.

        Raises
        ------
        SettingError
            If the lag is no positive whole number, or there are fewer than 8 intervals beyond it.
        """
        z, k = self.intervals, finite(lag, "lag")
        if k < 1 or k != int(k) or len(z) < FEW + k or not z.std():
            raise SettingError(
                f"lag is {lag!r} and there are {len(z)} intervals, which must differ. Give a whole number from 1, and at "
                f"least {FEW} intervals more."
            )
        z = (z - z.mean()) / z.std()
        early, late = z[: -int(k)], z[int(k) :]
        found = float((early * late).mean())
        return found, _error(early * late - found * (early**2 + late**2) / 2)

    def fano_factor(self, window: float) -> tuple[float, float]:
        """Return variance over mean of the number of spikes in windows of a length, and its standard error.

        The windows are taken as independent: choose them longer than the memory of the train.
        1 for a Poisson process; the CV squared, in long windows, of a renewal process.

        Raises
        ------
        SettingError
            If fewer than 8 windows fit, or no spike is in them.
        """
        length, whole = finite(window, "window"), abs(self.end - self.begin)
        count = int(whole / length * (1 + 1e-12)) if length > 0 else 0
        if count < FEW or not len(self.times):
            raise SettingError(
                f"window is {window!r}, and the train of {len(self.times)} spikes lasts {whole:g}. Give a length of which "
                f"{FEW} fit."
            )
        low = min(self.begin, self.end)
        counts = np.histogram(self.times, low + length * np.arange(count + 1))[0]
        mean, apart = counts.mean(), counts - counts.mean()
        if not mean:
            raise SettingError(f"no spike is within the {count} windows. Take a longer train.")
        ratio = float(counts.var(ddof=1) / mean)
        influence = (apart**2 / mean - ratio) - ratio * apart / mean
        return ratio, float(influence.std() / math.sqrt(count))

    @property
    def local_variation(self) -> float:
        """Variation between neighbouring intervals, blind to slow changes of the rate.

        ``3 / (n - 1) sum ((I_j - I_j+1) / (I_j + I_j+1))^2`` over n intervals: 0 for a clock, 1 for a
        Poisson process (Shinomoto, Shima and Tanji 2003, Neural Comput. 15, 2823, eq 2.2); nan with
        fewer than three spikes.
        """
        if len(self.times) < 3:
            return math.nan
        now, then = self.intervals[:-1], self.intervals[1:]
        return float(3.0 * np.mean(((now - then) / (now + then)) ** 2))

    def __len__(self) -> int:
        return len(self.times)

    def to_table(self) -> dict[str, Array]:
        """Return the times, and the interval that ends at each (nan at the first)."""
        padded = np.full(len(self.times), np.nan)
        padded[1:] = self.intervals
        return {"t": self.times, "interval": padded}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the spikes as ticks; `dynlab.draw_raster` draws several trains."""
        from dynlab import plotting

        label = plotting.label("t", self.unit)
        ax = plotting.draw_raster(ax, {self.event: self.times}, time_label=label)
        ax.set_xlim(*sorted((self.begin, self.end)))
        return ax

    @property
    def _seconds(self) -> float:
        if self.unit not in _SECONDS:
            given = f"{self.unit!r}, which is none known" if self.unit else "not given"
            raise UnitError(
                f"the unit of time of {self.provenance.system.name!r} is {given}, so there are no "
                'hertz. Write @dl.flow(time="ms"), or use rate, which is per unit of its own time.'
            )
        return _SECONDS[self.unit]

    def __repr__(self) -> str:
        per = f" per {self.unit}" if self.unit else " per unit of time"
        rate = f"{self.rate:.6g}{per}"
        if self.unit in _SECONDS and self.unit != "s":
            rate += f" = {self.rate_in_hertz:.6g} Hz"
        name = self.provenance.system.name
        return (
            f"<SpikeTrain of {name}: {len(self)} of {self.event} from t = {self.begin:g} to "
            f"{self.end:g}\n rate {rate}, CV {self.cv:.3g}; {self.status}>"
        )


def _error(influences: Array) -> float:
    """Return the standard error of a mean of values in order, with their memory where there are enough to tell."""
    if len(influences) < ENOUGH:
        return float(influences.std() / math.sqrt(len(influences)))
    return mean_error(influences)


def spike_train(run: Trajectory, *, event: str | None = None, after: float = 0.0) -> SpikeTrain:
    """Return the spikes of a run: times, intervals, rate, regularity.

    Parameters
    ----------
    run
        A trajectory with an event or a recorded crossing.
    event
        Which of them counts as a spike; it may be left out if there is only one.  On a network
        ``"spike[3]"`` is that of one node, ``"spike"`` those of all.
    after
        Time to leave out at the beginning, in the system's unit of time.

    Returns
    -------
    SpikeTrain
        Its `rate` is per unit of the system's time, `rate_in_hertz` per second.

    Raises
    ------
    SettingError
        If the run has no event or several and none is named, or `after` is outside the run.
    UnknownNameError
        If there is no event of that name.

    Examples
    --------
    >>> import dynlab as dl
    >>> cell = dl.zoo.leaky_integrate_and_fire(I=2.0, tref=2.0)
    >>> spikes = dl.spike_train(dl.integrate(cell, duration=1000))
    >>> len(spikes), round(spikes.rate, 6), round(spikes.rate_in_hertz, 4)
    (112, 0.111964, 111.9636)
    """
    began = perf_counter()
    named = _only(run) if event is None else event
    found, start = run.events[named], finite(after, "after")
    begin, end = _begin(run, found.times), float(run.end[0])
    if not min(begin, end) <= start <= max(begin, end) or start == end:
        raise SettingError(
            f"after is {start:g}, but the run goes from {begin:g} to {end:g}. Choose a time inside."
        )
    begin = max(begin, start) if end >= begin else min(begin, start)
    return SpikeTrain(
        event=named,
        times=found.times[np.abs(found.times - end) <= abs(begin - end)],
        begin=begin,
        end=end,
        unit=run.system.time.unit,
        status=run.status,
        provenance=Provenance(
            "spike_train",
            run.system,
            {"event": named, "after": start, **run.provenance.settings},
            seconds=perf_counter() - began,
        ),
    )


def _begin(run: Trajectory, times: Array) -> float:
    """Return when a run began: at its first time, but for one that kept later times alone."""
    first = float(run.t[0]) if len(run.t) else 0.0
    is_earlier = len(times) > 0 and abs(times[0]) < abs(first)
    return 0.0 if is_earlier or first == run.end[0] else first


def _only(run: Trajectory) -> str:
    if len(run.events) == 1:
        return next(iter(run.events))
    listed = ", ".join(run.events) or "none"
    raise SettingError(
        f"the run of {run.system.name!r} has {len(run.events)} events and crossings ({listed}). Name "
        'one with event=, or record one: dl.Crossing("spike", lambda v: v, +1).'
    )
