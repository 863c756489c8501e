"""basin_fractions: how large a part of a box leads to each attractor, by sampling."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.attractors.basins import attractors_for, with_new
from dynlab.attractors.confirm import confirmed
from dynlab.attractors.find import Attractors, outcome_name, whole
from dynlab.attractors.orbits import require_recurrent
from dynlab.attractors.window import Ranges, window_of
from dynlab.result import Provenance, Result
from dynlab.seeds import seed_of
from dynlab.status import Status
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BasinFractions", "basin_fractions", "wilson"]

Array = NDArray[np.float64]

#: Standard deviations of a normal distribution between which 95 % lie.
NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BasinFractions(Result):
    """How large a part of a box leads to each attractor.

    ``found[0]`` is the fraction of the attractor with label 0, ``found[-1]`` of what escaped, ``found[-2]``
    of what was not decided.

    Attributes
    ----------
    attractors
        The attractors; one that was first met here is among them.
    within
        The box that was sampled, by state.
    outcomes
        What became of each start: a label, -1 escaped, -2 undecided, -3 not done.
    status
        How it ended.
    provenance
        Where it came from.
    """

    attractors: Attractors
    within: dict[str, tuple[float, float]]
    outcomes: NDArray[np.int64]
    status: Status
    provenance: Provenance

    @property
    def labels(self) -> NDArray[np.int64]:
        """All attractors, and what else became of starts."""
        special = [k for k in (-1, -2, -3) if np.any(self.outcomes == k)]
        return np.array([*range(len(self.attractors)), *special])

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many starts had each outcome of `labels`."""
        return np.array([int(np.sum(self.outcomes == k)) for k in self.labels])

    @property
    def fractions(self) -> Array:
        """The share of the starts with each outcome of `labels`; they sum to 1."""
        return self.counts / max(len(self.outcomes), 1)

    @property
    def intervals(self) -> Array:
        """Intervals of 95 % for the fractions (Wilson), a row for each outcome of `labels`."""
        return wilson(self.counts, len(self.outcomes))

    def __getitem__(self, label: int) -> float:
        found = np.flatnonzero(self.labels == label)
        return float(self.fractions[found[0]]) if found.size else 0.0

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return label, kind, count, fraction and interval as columns."""
        low, high = self.intervals.T
        return {
            "label": self.labels,
            "kind": np.array([outcome_name(int(k), self.attractors) for k in self.labels], dtype=np.str_),
            "count": self.counts, "fraction": self.fractions, "low": low, "high": high,
        }  # fmt: skip

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the fractions with their intervals."""
        from dynlab import plotting

        names = [outcome_name(int(k), self.attractors) for k in self.labels]
        colors = [plotting.shade_of(int(k)) for k in self.labels]
        return plotting.draw_shares(
            ax, names, self.fractions, self.intervals, colors, label="fraction of the starts"
        )

    def __repr__(self) -> str:
        shares = ", ".join(
            f"{outcome_name(int(k), self.attractors)} {f:.3f} ({a:.3f} to {b:.3f})"
            for k, f, (a, b) in zip(self.labels, self.fractions, self.intervals, strict=True)
        )
        return f"<basin fractions of {self.attractors.system.name} from {len(self.outcomes)} starts:\n {shares}>"


def basin_fractions(
    system: System,
    *,
    within: Ranges,
    samples: int = 1000,
    attractors: Attractors | None = None,
    seed: int | np.random.Generator | None = None,
) -> BasinFractions:
    """Return how large a part of a box leads to each attractor, from random starts.

    The fraction of one attractor is its basin stability (Menck et al. 2013), with the box as the
    perturbations that are thought of: the chance to come back, or to come there, after one.

    Parameters
    ----------
    system
        A flow, with or without events, or a map whose rule does not depend on time.
    within
        The box, a range for each state; others start from their defaults.
    samples
        How many starts.
    attractors
        Attractors of this system found before, perhaps in another box; searched for in `within` if None.
    seed
        For the starts: a whole number, a numpy Generator, or None for a fresh seed.

    Returns
    -------
    BasinFractions
        Fractions with binomial intervals.

    Raises
    ------
    SettingError
        If a range is empty, reversed or not finite, or a number makes no sense.
    UnknownNameError
        If a range names no state.
    UnsupportedSystemError
        If the rule or an event depends on time, or events have refractory times.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def double_well(x=0.5):
    ...     return {x: (x - 0.5) * (1 - x**2)}
    >>> found = dl.basin_fractions(double_well, within={"x": (-2, 2)}, samples=2000, seed=1)
    >>> right = [a.label for a in found.attractors if a["x"][0] > 0][0]
    >>> low, high = found.intervals[right]
    >>> bool(low < 1.5 / 4 < high)
    True

    References
    ----------
    1. Menck, Heitzig, Marwan and Kurths 2013, Nature Physics 9, 89 (basin stability).
    2. Wilson 1927, J. Am. Stat. Assoc. 22, 209 (intervals).
    """
    began = time.perf_counter()
    require_recurrent(system)
    window, count, chosen = (
        window_of(system, within, "within"),
        whole(samples, "samples"),
        seed_of(seed),
    )
    known = attractors_for(system, window, attractors, chosen)
    search = known.search()
    outcomes = confirmed(search, window.drawn(system, chosen.stream(2), count), "basin fractions")
    number = int(chosen.text) if chosen.text.isdigit() else None
    settings: dict[str, Any] = {"samples": count, "recurrences": search.rules, "step": known.step}
    settings |= {"generator": chosen.text} if number is None else {}
    return BasinFractions(
        with_new(replace(known, system=system), search), window.ranges, outcomes, search.status,
        Provenance(
            "basin_fractions", system, settings, seed=number, seconds=time.perf_counter() - began
        ),
    )  # fmt: skip


def wilson(counts: NDArray[np.int64], total: int) -> Array:
    """Return Wilson's intervals of 95 % for shares of a number of trials."""
    n, z = max(total, 1), NORMAL_95
    share = np.asarray(counts, float) / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = np.maximum(middle - reach, 0.0), np.minimum(middle + reach, 1.0)
    low[np.asarray(counts) == 0] = 0.0
    high[np.asarray(counts) == total] = 1.0
    return np.column_stack([low, high])
