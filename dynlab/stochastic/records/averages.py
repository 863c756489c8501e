"""time_mean: mean and variance over time, with errors that know how long the process remembers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.result import Provenance, Result
from dynlab.solve.memory import mean_error, memory_of
from dynlab.status import Status
from dynlab.stochastic.records.records import Source, records_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["TimeMean", "time_mean"]

Array = NDArray[np.float64]

#: From so many independent records on their scatter is the better error.
MANY = 30


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TimeMean(Result):
    """Mean and variance of a quantity over time; made by `time_mean`.

    Attributes
    ----------
    name
        The quantity.
    value
        The mean.
    standard_error
        One standard deviation of the mean; infinite if the record is too short to tell.
    variance
        The variance of the quantity.
    variance_error
        One standard deviation of that.
    correlation_time
        The integral of the normalised correlation function: ``standard_error**2 = 2 correlation_time variance / duration``.
    correlation_time_error
        One standard deviation of that.
    duration
        The time averaged over, of all records together.
    provenance
        Where it came from.
    """

    name: str
    value: float
    standard_error: float
    variance: float
    variance_error: float
    correlation_time: float
    correlation_time_error: float
    duration: float
    provenance: Provenance

    @property
    def status(self) -> Status:
        """UNDECIDED if correlations do not die out within a quarter of the record."""
        return Status.OK if math.isfinite(self.correlation_time) else Status.UNDECIDED

    @property
    def effective_size(self) -> float:
        """How many independent values would give the same error."""
        return self.variance / self.standard_error**2 if self.standard_error else math.inf

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return mean, variance and correlation time with their errors, a row each."""
        return {
            "quantity": np.array(["mean", "variance", "correlation time"]),
            "value": np.array([self.value, self.variance, self.correlation_time]),
            "error": np.array(
                [self.standard_error, self.variance_error, self.correlation_time_error]
            ),
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the mean with its error, and one standard deviation of the quantity around it."""
        from dynlab import plotting

        ax = plotting.new_axes(ax, xlabel="", ylabel=plotting.label(self.name))
        low, high = (self.value + s * math.sqrt(self.variance) for s in (-1, 1))
        color = plotting.style.CYCLE[0]
        ax.axhspan(low, high, color=color, alpha=0.15, linewidth=0, label="one standard deviation")
        ax.errorbar(
            [0], [self.value], [self.standard_error], fmt="o", color=color, capsize=4, label="mean"
        )
        ax.set_xticks([])
        return plotting.draw_legend(ax)

    def __repr__(self) -> str:
        return (
            f"<time mean of {self.name}: {self.value:.6g}, standard error {self.standard_error:.2g}; variance "
            f"{self.variance:.6g} ({self.variance_error:.2g})\n correlation time {self.correlation_time:.4g} "
            f"({self.correlation_time_error:.2g}), over a time of {self.duration:g}; {self.status}>"
        )


def time_mean(data: Source, *, of: str | None = None, after: float = 0.0) -> TimeMean:
    r"""Return the mean of a quantity over time, with a standard error that counts its memory.

    Values close in time tell the same.  With the correlation time
    :math:`\tau = \int_0^\infty C(s)\,\mathrm{d}s / C(0)` the mean over a duration T has

    .. math:: \text{standard error}^2 = 2 \tau\, C(0) / T

    Parameters
    ----------
    data
        A stationary run with equally spaced times, an ensemble that kept its states at such times, or an array with one
        value per time.
    of
        Which quantity of the run: a state or an observable.
    after
        Time to leave out at the beginning.

    Returns
    -------
    TimeMean
        Mean, variance and correlation time, each with its standard error.  Where correlations do not die out within a quarter of
        the record the errors are infinite and the status is UNDECIDED.

    Raises
    ------
    SettingError
        If there are too few values, or they are not equally spaced.

    Notes
    -----
    Of an ensemble of 30 members or more the errors are those of the scatter of the members' means.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def decay(x=0.0):
    ...     return {x: -x}
    >>> run = dl.simulate(decay.with_noise(x=1.0), duration=2000, method=dl.ExactLinear(step=0.1), seed=1)
    >>> found = dl.time_mean(run, of="x", after=10)
    >>> bool(abs(found.value) < 3 * found.standard_error)
    True
    >>> bool(abs(found.correlation_time - 1) < 3 * found.correlation_time_error)          # 1 / theta
    True

    References
    ----------
    1. Madras and Sokal 1988, J. Stat. Phys. 50, 109.
    2. Wolff 2004, Comput. Phys. Commun. 156, 143.
    """
    began = perf_counter()
    records = records_of(data, of, after, 1)
    values = records.values[0]
    memory = memory_of(values)
    mean = float(values.mean())
    squares = (values - mean) ** 2
    if len(values) >= MANY:
        error, second = (_scatter(rows) for rows in (values, squares))
    else:
        error = math.sqrt(2 * memory.time * memory.variance / values.size)
        second = mean_error(squares) if len(values) == 1 else _of_several(squares)
    lowered = error**2 if math.isfinite(error) else 0.0
    return TimeMean(
        name=records.names[0], value=mean, standard_error=error, variance=float(squares.mean()) + lowered,
        variance_error=second, correlation_time=memory.time * records.every,
        correlation_time_error=memory.error * records.every, duration=records.duration,
        provenance=Provenance("time_mean", records.system, {"of": of, "after": after}, seconds=perf_counter() - began),
    )  # fmt: skip


def _scatter(rows: Array) -> float:
    """Return the standard error of the mean from independent rows."""
    means = rows.mean(axis=1)
    return float(means.std(ddof=1) / math.sqrt(len(means)))


def _of_several(rows: Array) -> float:
    found = memory_of(rows)
    return math.sqrt(2 * found.time * found.variance / rows.size)
