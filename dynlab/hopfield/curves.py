"""recall_curve: how well random patterns are recalled at each load, by trials.

In each trial a network learns random patterns and starts at the first of them; asked one neuron after the other,
without temperature, it comes to rest, and the overlap with that pattern is measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlab.attractors.fractions import wilson
from dynlab.hopfield.halfway import Halfway, halfway
from dynlab.hopfield.learning import Hebb, LearningRule
from dynlab.hopfield.trials import RECALLED, Memory, Trials, done_at_each_load, means_and_intervals
from dynlab.result import Provenance, Result
from dynlab.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RecallCurve", "recall_curve"]

Array = NDArray[np.float64]

_HEBB = Hebb()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RecallCurve(Result):
    """Overlap in the end against load, for one size.

    Attributes
    ----------
    size
        Neurons.
    rule
        How patterns were learnt.
    loads
        Patterns per neuron; whole numbers of patterns, so they may differ a little from those asked for.
    overlaps
        The overlap in the end, a row of trials for each load; nan for trials that were not done.
    status
        How the computation ended.
    provenance
        Where the result came from (with the seed).
    """

    size: int
    rule: LearningRule
    loads: Array
    overlaps: Array
    status: Status
    provenance: Provenance

    @property
    def trials(self) -> NDArray[np.int64]:
        """How many trials were done at each load."""
        return done_at_each_load(self.overlaps)

    @property
    def overlap(self) -> Array:
        """The mean overlap at each load."""
        return means_and_intervals(self.overlaps)[:, 0]

    @property
    def interval(self) -> Array:
        """Intervals of 95 % for the mean overlap (Student's t), a row for each load.

        Where a few trials in a hundred fail and none did here, such an interval is too narrow; look at
        `recalled_interval`.
        """
        return means_and_intervals(self.overlaps)[:, 1:]

    @property
    def recalled(self) -> Array:
        """The share of trials that end with an overlap above 0.9."""
        return self._successes / np.maximum(self.trials, 1)

    @property
    def recalled_interval(self) -> Array:
        """Intervals of 95 % for `recalled` (Wilson 1927), a row for each load."""
        pairs = zip(self._successes, self.trials, strict=True)
        return np.vstack([wilson(np.array([s]), int(n)) for s, n in pairs])

    @property
    def capacity(self) -> Halfway:
        """The load at which half of the trials end with an overlap above 0.9, with its interval of 95 %.

        ``value`` is nan if that is not among the loads tried.  The interval is that of the trials; it does not hold what
        more neurons would change.
        """
        return halfway(self.loads, self._successes, self.trials)

    @property
    def _successes(self) -> NDArray[np.int64]:
        return np.asarray(np.sum(self.overlaps > RECALLED, axis=1))

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return load, trials, overlap and share recalled, with both intervals, as columns."""
        low, high = self.interval.T
        share_low, share_high = self.recalled_interval.T
        return {
            "load": self.loads, "trials": self.trials, "overlap": self.overlap, "low": low, "high": high,
            "recalled": self.recalled, "recalled_low": share_low, "recalled_high": share_high,
        }  # fmt: skip

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the mean overlap with its band, and near zero the capacity with its interval."""
        from dynlab import plotting

        found, (low, high) = self.capacity, self.interval.T
        mark = None if math.isnan(found.value) else (found.value, *found.interval)
        return plotting.draw_recall_trials(
            ax, (self.loads, self.overlap, low, high), mark, label=f"$N$ = {self.size}"
        )

    def __repr__(self) -> str:
        found = self.capacity
        least, most = int(self.trials.min()), int(self.trials.max())
        trials = f"{most}" if least == most else f"{least} to {most}"
        return (
            f"<recall curve of {self.size} neurons, {self.rule!r}: {len(self.loads)} loads, {trials} trials each, "
            f"seed {self.provenance.seed}: {self.status};\n capacity {_words(found)}>"
        )


def recall_curve(
    *, size: int, loads: ArrayLike, trials: int = 20, rule: LearningRule = _HEBB,
    seed: int | np.random.Generator | None = None,
) -> RecallCurve:  # fmt: skip
    """Return how well random patterns are recalled, for each load.

    Parameters
    ----------
    size
        Neurons, N.
    loads
        Patterns per neuron; at least one pattern each.
    trials
        Networks for each load, each with patterns of its own.
    rule
        `Hebb`, `PseudoInverse`, `Storkey` ...; Hebb's rule takes no matrix of weights and is much the fastest.
    seed
        A whole number, a numpy Generator, or None for a fresh seed.  Results do not depend on the number of
        threads, nor on what other loads are tried.

    Returns
    -------
    RecallCurve
        Overlaps with confidence bands, and the capacity with its interval.

    Raises
    ------
    SettingError
        If a number makes no sense, or a load is less than one pattern.

    Examples
    --------
    >>> from dynlab import hopfield
    >>> curve = hopfield.recall_curve(size=500, loads=[0.05, 0.1, 0.15, 0.2, 0.25], trials=20, seed=1)
    >>> bool(curve.overlap[0] > 0.99 and curve.overlap[-1] < 0.8)
    True
    >>> low, high = curve.capacity.interval
    >>> 0.15 < low < high < 0.2
    True

    References
    ----------
    1. Amit, Gutfreund and Sompolinsky 1985, Phys. Rev. Lett. 55, 1530, figure 1.
    2. Kohring 1990, J. Stat. Phys. 59, 1077 (large networks).
    """
    asked = Trials.of(size, loads, trials, seed)
    overlaps, status = asked.each(
        lambda count: Memory(rule, asked.size, count).overlaps, "recall curve"
    )
    return RecallCurve(
        asked.size, rule, asked.loads, overlaps, status, asked.provenance("recall_curve", rule=rule)
    )


def _words(found: Halfway) -> str:
    low, high = found.interval
    if math.isnan(found.value):
        return f"is not among these loads (between {low:.4g} and {high:.4g}, 95 %)"
    return f"{found.value:.4f} ({low:.4f} to {high:.4f}, 95 %), where half of the trials end above m = {RECALLED}"
