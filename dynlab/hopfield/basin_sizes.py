"""basin_size: how far from a pattern recall still succeeds, by trials.

In each trial a network learns random patterns and starts beside the first of them, with some spins turned.  Along one
random order of turning, bisection finds the largest number of turned spins from which recall succeeds (final overlap
above 0.9): the edge.  Orders of the sweeps are the same for each start.  Between the ends of the bisection success is
taken to end once; single islands beyond the edge are not looked for.

The size of the basin is the median edge over trials.  Its interval is free of any distribution: it lies between two
order statistics with a binomial chance of 95 % or more.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom

from dynlab.hopfield.learning import Hebb, LearningRule
from dynlab.hopfield.trials import RECALLED, Memory, Trials, done_at_each_load
from dynlab.result import Provenance, Result
from dynlab.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BasinSize", "basin_size", "median_interval"]

Array = NDArray[np.float64]

_HEBB = Hebb()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BasinSize(Result):
    """The largest share of turned spins from which patterns are recalled, for each load.

    Attributes
    ----------
    size
        Neurons.
    rule
        How patterns were learnt.
    loads
        Patterns per neuron.
    edges
        The share of turned spins up to which recall succeeded, a row of trials for each load; -1 / size where even the
        pattern itself is lost, nan for trials that were not done.
    status
        How the computation ended.
    provenance
        Where the result came from (with the seed).
    """

    size: int
    rule: LearningRule
    loads: Array
    edges: Array
    status: Status
    provenance: Provenance

    @property
    def trials(self) -> NDArray[np.int64]:
        """How many trials were done at each load."""
        return done_at_each_load(self.edges)

    @property
    def value(self) -> Array:
        """The median share at each load; 0 where half of the patterns are lost without any turned spin."""
        return np.array([_share(np.median(row[~np.isnan(row)])) for row in self._done])

    @property
    def interval(self) -> Array:
        """Intervals of 95 % for the median, a row for each load; from 0 to 1/2 with less than 6 trials."""
        return np.array([median_interval(row[~np.isnan(row)]) for row in self.edges])

    @property
    def _done(self) -> list[Array]:
        rows = [row[~np.isnan(row)] for row in self.edges]
        return [row if row.size else np.array([0.0]) for row in rows]

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return load, trials, share and interval as columns."""
        low, high = self.interval.T
        return {
            "load": self.loads,
            "trials": self.trials,
            "share": self.value,
            "low": low,
            "high": high,
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the share against the load, with its interval."""
        from dynlab import plotting

        low, high = self.interval.T
        return plotting.draw_basin_sizes(
            ax, (self.loads, self.value, low, high), label=f"{type(self.rule).__name__}, $N$ = {self.size}"
        )  # fmt: skip

    def __repr__(self) -> str:
        return (
            f"<basin size of {self.size} neurons, {self.rule!r}: {len(self.loads)} loads, {int(self.trials.min())} "
            f"trials each, seed {self.provenance.seed}: {self.status};\n half of the patterns come back from "
            f"{100 * self.value[0]:.3g} % turned spins at load {self.loads[0]:.4g}, {100 * self.value[-1]:.3g} % at "
            f"{self.loads[-1]:.4g}>"
        )


def basin_size(
    *, size: int, loads: ArrayLike, trials: int = 20, rule: LearningRule = _HEBB,
    seed: int | np.random.Generator | None = None,
) -> BasinSize:  # fmt: skip
    """Return the largest share of turned spins from which patterns are recalled, for each load.

    Parameters
    ----------
    size
        Neurons, N.
    loads
        Patterns per neuron, at least one pattern each.
    trials
        Networks for each load; less than 6 give no interval.
    rule
        How patterns are learnt.
    seed
        A whole number, a numpy Generator, or None for a fresh seed.

    Returns
    -------
    BasinSize
        The median share with its interval, for each load.

    Raises
    ------
    SettingError
        If a number makes no sense, or a load is less than one pattern.

    Examples
    --------
    >>> from dynlab import hopfield
    >>> basins = hopfield.basin_size(size=200, loads=[0.02, 0.1], trials=10, seed=1)
    >>> bool(basins.value[0] > basins.value[1] > 0.1)
    True

    References
    ----------
    Forrest 1988, J. Phys. A 21, 245 (how content-addressable).
    """
    asked = Trials.of(size, loads, trials, seed)
    edges, status = asked.each(
        lambda count: functools.partial(_edges, Memory(rule, asked.size, count)), "basin size"
    )
    return BasinSize(
        asked.size, rule, asked.loads, edges, status, asked.provenance("basin_size", rule=rule)
    )


def median_interval(values: Array) -> tuple[float, float]:
    """Return the interval of 95 % or more for the median, between two order statistics."""
    n = len(values)
    # The largest k with P(Binomial(n, 1/2) < k) <= 2.5 %: the median lies between the k-th from each end.
    k = int(binom.ppf(0.025, n, 0.5)) if n else 0
    if k < 1:
        return 0.0, 0.5
    ranked = np.sort(values)
    return _share(ranked[k - 1]), _share(ranked[n - k])


def _edges(memory: Memory, streams: NDArray[np.uint64], out: Array) -> None:
    for trial, stream in enumerate(streams):
        out[trial] = _edge(memory, stream)
        if math.isnan(out[trial]):
            return


def _edge(memory: Memory, stream: NDArray[np.uint64]) -> float:
    """Return the share of turned spins up to which recall succeeds, by bisection; nan if asked to stop."""
    good, bad = -1, memory.size // 2 + 1
    turned = 0
    while bad - good > 1:
        overlap = memory.overlap(stream, turned)
        if math.isnan(overlap):
            return math.nan
        good, bad = (turned, bad) if overlap > RECALLED else (good, turned)
        turned = (good + bad) // 2
    return good / memory.size


def _share(edge: float) -> float:
    return max(float(edge), 0.0)
