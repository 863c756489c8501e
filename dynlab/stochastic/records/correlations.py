"""correlation_function: how a process remembers, with an error at each lag."""

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

__all__ = ["CorrelationFunction", "correlation_function"]

Array = NDArray[np.float64]

#: Lags computed, at most; how many times a correlation lasts they reach if nothing is said.
MOST_LAGS, REACH = 200, 6.0
#: Errors come from so many parts of the records at most, and of at least so many times as long as correlations last each.
MOST_PARTS, LONG = 64, 20.0
#: With fewer parts than this an error is not worth its name.
FEWEST_PARTS = 8


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CorrelationFunction(Result):
    """The covariance of two quantities a lag apart; made by `correlation_function`.

    Attributes
    ----------
    names
        The two quantities; twice the same for an autocorrelation.
    lags
        By how much the first is taken later than the second.
    values
        ``<first(t + lag) second(t)>`` about the means.
    errors
        One standard deviation of each.
    parts
        From how many parts of the records the errors come: they have Student's distribution of one degree less.
    unit
        Unit label of the lags; empty if there is none.
    status
        UNDECIDED if the record is too short for its memory to give errors.
    provenance
        Where it came from.
    """

    names: tuple[str, ...]
    lags: Array
    values: Array
    errors: Array
    parts: int
    unit: str
    status: Status
    provenance: Provenance

    @property
    def band(self) -> tuple[Array, Array]:
        """Lower and upper end of the 95 % interval of each lag by itself."""
        from scipy.stats import t

        wide = t.ppf(0.975, max(self.parts - 1, 1)) * self.errors
        return self.values - wide, self.values + wide

    def to_table(self) -> dict[str, Array]:
        """Return one row for each lag."""
        return {"lag": self.lags, "correlation": self.values, "error": self.errors}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the correlation over the lag, with its 95 % band."""
        from dynlab import plotting

        one, two = (plotting.label(name) for name in self.names)
        what = (
            f"correlation of {one}"
            if self.names[0] == self.names[1]
            else f"correlation of {one} and {two}"
        )
        return plotting.draw_with_band(
            ax,
            self.lags,
            self.values,
            self.band,
            labels=(plotting.label("lag", self.unit or None), what),
            name="95 %",
        )

    def __repr__(self) -> str:
        what = " and ".join(dict.fromkeys(self.names))
        return (
            f"<correlation of {what}: {len(self.lags)} lags from {self.lags[0]:g} to {self.lags[-1]:g}\n at lag 0 "
            f"{float(self.values[np.argmin(np.abs(self.lags))]):.5g}, errors up to {self.errors.max():.2g}; {self.status}>"
        )


def correlation_function(
    data: Source, *, of: Any = None, up_to: float | None = None, after: float = 0.0
) -> CorrelationFunction:
    r"""Return the correlation function of a quantity, or of two, with its errors.

    .. math:: C(s) = \langle x(t + s)\, y(t) \rangle - \langle x \rangle \langle y \rangle

    Parameters
    ----------
    data
        A stationary run with equally spaced times, an ensemble that kept its states at such times, or an array.
    of
        A state or observable, or two: ``of=("x", "y")`` gives lags of both signs.
    up_to
        The longest lag, in the system's unit of time; six times as long as correlations last if None.
    after
        Time to leave out at the beginning.

    Returns
    -------
    CorrelationFunction
        Covariances (at lag 0 the variance), their standard errors and 95 % intervals.

    Raises
    ------
    SettingError
        If there are too few values, they are not equally spaced, or the longest lag exceeds half a record.

    Notes
    -----
    The sample mean lowers all values by the variance of the mean, which is estimated and added again.  Errors are those of the
    scatter between parts of the records, each at least 20 times as long as correlations last.

    Examples
    --------
    >>> import numpy as np, dynlab as dl
    >>> @dl.flow
    ... def decay(x=0.0, *, theta=1.0):
    ...     return {x: -theta * x}
    >>> run = dl.simulate(decay.with_noise(x=1.0), duration=5000, method=dl.ExactLinear(step=0.1), seed=1)
    >>> found = dl.correlation_function(run, of="x", up_to=3, after=10)
    >>> exact = 0.5 * np.exp(-found.lags)                     # (D / theta) exp(-theta lag)
    >>> bool((np.abs(found.values - exact) < 4 * found.errors).all())
    True

    References
    ----------
    1. Priestley 1981, Spectral Analysis and Time Series, section 5.3.
    """
    began = perf_counter()
    pair = not (of is None or isinstance(of, str)) and len(tuple(of)) == 2
    records = records_of(data, of, after, 2 if pair else 1)
    memories = [memory_of(rows) for rows in records.values]
    length = records.values.shape[2]
    lasting = max(m.lasting for m in memories)
    steps = _lags(records, up_to, lasting, length)
    per = length / max(min(LONG * lasting, length), length * records.values.shape[1] / MOST_PARTS)
    each = max(int(per), 1)
    x, y = records.values[0], records.values[-1]
    x, y = x - x.mean(), y - y.mean()
    both = [_products(x, y, int(k), each) for k in steps]
    backward = [_products(y, x, int(k), each) for k in steps[1:]] if pair else []
    rows = np.array(backward[::-1] + both)
    lags = np.concatenate([-steps[1:][::-1], steps]) if pair else steps
    parts = each * len(x)
    lowered = _covariance_of_means(x, y, each)
    spread = (
        rows.std(axis=1, ddof=1) / math.sqrt(parts) if parts > 1 else np.full(len(rows), math.inf)
    )
    enough = parts >= FEWEST_PARTS and math.isfinite(lasting)
    return CorrelationFunction(
        names=(records.names[0], records.names[-1]), lags=np.asarray(lags * records.every, np.float64), values=rows.mean(axis=1) + lowered,
        errors=spread if enough else np.full(len(rows), math.inf), parts=parts, unit=records.unit,
        status=Status.OK if enough else Status.UNDECIDED,
        provenance=Provenance("correlation_function", records.system, {"of": of, "up_to": up_to, "after": after},
                              seconds=perf_counter() - began),
    )  # fmt: skip


def _lags(records: Records, up_to: float | None, lasting: float, length: int) -> NDArray[np.int64]:
    longest = (
        min(REACH * lasting, length // 4)
        if up_to is None
        else finite(up_to, "up_to") / records.every
    )
    most = max(int(longest + 1e-9), 1)
    if longest < 0 or most > length // 2:
        raise SettingError(
            f"up_to is {up_to!r}; give a lag from 0 to half a record, {length // 2 * records.every:g}."
        )
    return np.arange(0, most + 1, -(-most // MOST_LAGS), dtype=np.int64)


def _products(x: Array, y: Array, lag: int, each: int) -> Array:
    """Return the mean of ``x(t + lag) y(t)`` over each part of each record."""
    rows = x[:, lag:] * y[:, : y.shape[1] - lag]
    edges = np.linspace(0, rows.shape[1], each + 1).astype(int)
    return np.asarray((np.add.reduceat(rows, edges[:-1], axis=1) / np.diff(edges)).ravel())


def _covariance_of_means(x: Array, y: Array, each: int) -> float:
    """Return the covariance of the two sample means, from the scatter between parts."""
    one, two = (_products(v, np.ones_like(v), 0, each) for v in (x, y))
    return float(np.mean(one * two) / (len(one) - 1)) if len(one) > 1 else 0.0
