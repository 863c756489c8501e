"""thermal_recall: how much of a pattern a warm network keeps at each load, by trials.

In each trial a network learns random patterns by Hebb's rule and starts at the first of them.  Spins are asked one after the other
in random order, by chance (Glauber): +1 with probability 1 / (1 + exp(-2 h / T)).  The overlap with the pattern is averaged over the second half
of the sweeps.  Where recall is only metastable, or just ends, the average depends on how long the run is.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlab.errors import SettingError
from dynlab.hopfield.learning import Hebb
from dynlab.hopfield.patterns import whole
from dynlab.hopfield.recall import Glauber
from dynlab.hopfield.trials import Memory, Trials, done_at_each_load, means_and_intervals
from dynlab.result import Provenance, Result
from dynlab.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ThermalRecall", "thermal_recall"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ThermalRecall(Result):
    """The mean overlap in time against load, for one size and temperature.

    Attributes
    ----------
    size
        Neurons.
    temperature
        Of the spins.
    sweeps
        How often each neuron was asked; the second half is averaged.
    loads
        Patterns per neuron.
    overlaps
        The mean overlap in time, a row of trials for each load; nan for trials that were not done.
    status
        How the computation ended.
    provenance
        Where the result came from (with the seed).
    """

    size: int
    temperature: float
    sweeps: int
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
        """Intervals of 95 % for the mean overlap of networks of this size (Student's t), a row for each load."""
        return means_and_intervals(self.overlaps)[:, 1:]

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return load, trials, overlap and interval as columns."""
        low, high = self.interval.T
        return {
            "load": self.loads, "trials": self.trials, "overlap": self.overlap, "low": low, "high": high,
        }  # fmt: skip

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the mean overlap with its band."""
        from dynlab import plotting

        low, high = self.interval.T
        label = f"$N$ = {self.size}, $T$ = {self.temperature:g}"
        return plotting.draw_recall_trials(
            ax, (self.loads, self.overlap, low, high), None, label=label
        )

    def __repr__(self) -> str:
        return (
            f"<thermal recall of {self.size} neurons at T = {self.temperature:g}: {len(self.loads)} loads, "
            f"{int(self.trials.min())} trials each of {self.sweeps} sweeps, seed {self.provenance.seed}: {self.status};\n "
            f"overlap {self.overlap[0]:.4f} at load {self.loads[0]:.4g}, {self.overlap[-1]:.4f} at {self.loads[-1]:.4g}>"
        )


def thermal_recall(
    *, size: int, loads: ArrayLike, temperature: float, trials: int = 10, sweeps: int = 200,
    seed: int | np.random.Generator | None = None,
) -> ThermalRecall:  # fmt: skip
    """Return how much of a pattern a warm network keeps, for each load.

    Parameters
    ----------
    size
        Neurons, N.
    loads
        Patterns per neuron; at least one pattern each.
    temperature
        T > 0, in units of the field of one pattern: with few patterns recall ends at T = 1.
    trials
        Networks for each load, each with patterns of its own.
    sweeps
        How often each neuron is asked; the first half is left out.
    seed
        A whole number, a numpy Generator, or None for a fresh seed.

    Returns
    -------
    ThermalRecall
        Overlaps with confidence bands, to be laid over `mean_field_overlap` at this temperature.

    Raises
    ------
    SettingError
        If a number makes no sense, a load is less than one pattern, or the temperature not above zero.

    Examples
    --------
    >>> from dynlab import hopfield
    >>> warm = hopfield.thermal_recall(size=1000, loads=[0.05], temperature=0.3, seed=1)
    >>> theory = hopfield.mean_field_overlap(loads=[0.05], temperature=0.3)
    >>> round(float(theory.overlap[0]), 3), bool(abs(warm.overlap[0] - theory.overlap[0]) < 2e-3)
    (0.991, True)

    References
    ----------
    1. Amit, Gutfreund and Sompolinsky 1987, Ann. Phys. 173, 30.
    """
    asked, length = Trials.of(size, loads, trials, seed), whole(sweeps, "sweeps")
    warmth = Glauber(temperature).temperature
    if length < 2:
        raise SettingError(f"sweeps is {length}; the second half is averaged, so give 2 or more.")

    def measure(count: int) -> Any:
        memory = Memory(Hebb(), asked.size, count)
        return functools.partial(memory.mean_overlaps, temperature=warmth, sweeps=length)

    overlaps, status = asked.each(measure, "thermal recall")
    return ThermalRecall(
        asked.size, warmth, length, asked.loads, overlaps, status,
        asked.provenance("thermal_recall", temperature=warmth, sweeps=length),
    )  # fmt: skip
