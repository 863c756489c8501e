"""How many bits of the stored patterns of a dense memory are wrong, measured and in theory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError
from dynlab.hopfield.dense import DenseNetwork, Power
from dynlab.hopfield.patterns import random_patterns, whole
from dynlab.names import require_kind
from dynlab.progress import tick
from dynlab.result import Provenance, Result
from dynlab.seeds import seed_of
from dynlab.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["WrongBits", "wrong_bits"]

Array = NDArray[np.float64]

#: So many stored patterns are looked at for each count.
MOST_LOOKED_AT = 200


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WrongBits(Result):
    """The share of bits of stored patterns that one step turns, against how many patterns are stored.

    Attributes
    ----------
    counts
        How many patterns.
    shares, standard_errors
        Measured share, and its error from the scatter over patterns; of a share of 0 the error is no bound.
    theory
        erfc(sqrt(N^(n-1) / (2 K (2n-3)!!))) / 2, for large N.
    capacity
        Up to which no bit of most patterns is wrong, in theory.
    status
        `Status.STOPPED` if it was stopped before the last count.
    provenance
        Where it came from.
    """

    counts: NDArray[np.int64]
    shares: Array
    standard_errors: Array
    theory: Array
    capacity: float
    status: Status
    provenance: Provenance

    def to_table(self) -> dict[str, NDArray[np.generic]]:
        """Return counts, measured and expected shares as columns."""
        return {
            "patterns": self.counts, "share": self.shares, "standard_error": self.standard_errors,
            "theory": self.theory,
        }  # fmt: skip

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw measured and expected shares against the number of patterns, and the capacity."""
        from dynlab import plotting

        columns = {
            "measured": (self.shares, self.standard_errors),
            "large $N$": (self.theory, np.zeros(len(self.theory))),
        }
        labels = ("patterns $K$", "share of wrong bits")
        return plotting.draw_estimates(ax, self.counts, columns, mark=self.capacity, labels=labels)

    def __repr__(self) -> str:
        return (
            f"<wrong bits of a dense memory: {len(self.counts)} counts up to {self.counts.max(initial=0)};\n"
            f" share up to {self.shares.max(initial=0.0):.3g}, capacity {self.capacity:.4g}>"
        )


def wrong_bits(
    interaction: Power, *, size: int, counts: Sequence[int], seed: int | np.random.Generator | None = None
) -> WrongBits:  # fmt: skip
    """Return the share of bits that one step turns, for random patterns of each count.

    Parameters
    ----------
    interaction
        A power, F(x) = x^n.
    size
        How many spins.
    counts
        How many patterns; each is drawn and measured by itself.
    seed
        A whole number, a numpy Generator, or None for a fresh seed.

    Raises
    ------
    SettingError
        If a count is not positive and whole, or there is none.

    Examples
    --------
    >>> from dynlab import hopfield
    >>> curve = hopfield.wrong_bits(hopfield.Power(3), size=80, counts=[200, 400, 800], seed=1)
    >>> bool((abs(curve.shares - curve.theory) < 0.01).all())
    True

    References
    ----------
    Krotov and Hopfield 2016, NeurIPS 29, 1172, eqs 5 and 6.
    """
    began, size, chosen = perf_counter(), whole(size, "size"), seed_of(seed)
    require_kind(
        interaction,
        Power,
        "the interaction",
        "a power such as hopfield.Power(3), for which the theory is",
    )
    numbers = [whole(count, "a count") for count in np.atleast_1d(np.asarray(counts, object))]
    if not numbers:
        raise SettingError("there are no counts; give at least one number of patterns.")
    shares, errors = [], []
    for k, count in enumerate(numbers):
        if not tick(k, len(numbers), "wrong bits"):
            break
        patterns = random_patterns(size=size, count=count, seed=chosen.stream(k))
        memory = DenseNetwork(patterns, interaction)
        found = memory.wrong_shares(min(count, MOST_LOOKED_AT))
        shares.append(found.mean())
        errors.append(found.std() / np.sqrt(len(found)))
    done = numbers[: len(shares)]
    settings = {"size": size, "counts": numbers}
    return WrongBits(
        np.array(done, np.int64), np.array(shares), np.array(errors),
        np.array([interaction.one_step_error(size, count) for count in done]),
        interaction.capacity(size), Status.OK if len(done) == len(numbers) else Status.STOPPED,
        Provenance.of_chance("wrong_bits", interaction, settings, seed=chosen, began=began),
    )  # fmt: skip
