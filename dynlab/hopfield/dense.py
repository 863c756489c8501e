"""Dense associative memories: energies -sum_mu F(xi_mu . s) that fall off more steeply than Hopfield's square.

With F(x) = x^n, N spins hold about N^(n-1) patterns (Krotov and Hopfield 2016, NeurIPS 29, 1172); with F = exp, more than
any power (Demircigil, Heusel, Loewe, Upgang and Vermet 2017, J. Stat. Phys. 168, 288).  n = 2 is Hopfield's network
without the weights of spins to themselves.
"""

from __future__ import annotations

import abc
import fractions
import math
import zlib
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import factorial2, logsumexp

from dynlab.errors import SettingError
from dynlab.hopfield.machine import Course
from dynlab.hopfield.patterns import Patterns, checked_spins, whole
from dynlab.hopfield.recall import Asynchronous, Recall
from dynlab.kernels import interactions as kernels
from dynlab.kernels.convention import RUNNING
from dynlab.names import finite, require_kind
from dynlab.result import Provenance
from dynlab.seeds import seed_of
from dynlab.solve.chunks import in_chunks
from dynlab.status import Status

__all__ = ["DenseNetwork", "Exponential", "Interaction", "Power"]

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

#: With F = exp the table is made anew after so many spins: an overlap changes by two for each at most, so that nothing
#: leaves the range of doubles, e^709.
MOST_SITES = 128


class Interaction(abc.ABC):
    """How steeply the energy falls towards a pattern: F."""

    __slots__ = ()

    @abc.abstractmethod
    def table(self, size: int, highest: int) -> Array:
        """Return F over all overlaps from -size to size, up to a factor, which keeps F(highest) near 1."""

    @abc.abstractmethod
    def energy(self, overlaps: Counts, size: int) -> float:
        """Return the energy of a state with these overlaps (sums, not means)."""

    @abc.abstractmethod
    def capacity(self, size: int) -> float:
        """Return about how many random patterns so many spins recall."""


@dataclass(frozen=True, slots=True)
class Power(Interaction):
    """F(x) = x^n; the energy is -N sum_mu (xi_mu . s / N)^n.

    Parameters
    ----------
    n
        A whole number from 2 on.  An odd n tells a pattern from its negative.

    Examples
    --------
    >>> from dynlab import hopfield
    >>> round(hopfield.Power(2).capacity(1000), 3), round(hopfield.Power(3).capacity(200), 2)
    (72.382, 1258.26)
    """

    n: int

    def __post_init__(self) -> None:
        if finite(self.n, "the power n") != int(self.n) or self.n < 2:
            raise SettingError(f"the power n is {self.n!r}; give a whole number from 2 on.")

    def table(self, size: int, highest: int) -> Array:
        return np.asarray((np.arange(-size, size + 1) / size) ** self.n, float)

    def energy(self, overlaps: Counts, size: int) -> float:
        return -size * float(((overlaps / size) ** self.n).sum())

    def capacity(self, size: int) -> float:
        """Return N^(n-1) / (2 (2n-3)!! ln N), up to which no bit of most patterns is wrong.

        Krotov and Hopfield 2016, eq 6.
        """
        spins = checked_size(size)
        log = (
            (self.n - 1) * math.log(spins) - math.log(2 * self._spread) - math.log(math.log(spins))
        )
        _require_double(log, self, spins)
        return math.exp(log)

    def one_step_error(self, size: int, count: int) -> float:
        """Return the chance that a bit of a stored pattern is wrong after one step, for large N.

        erfc(sqrt(N^(n-1) / (2 K (2n-3)!!))) / 2 with K patterns; Krotov and Hopfield 2016, eq 5 is its tail.
        """
        ratio = fractions.Fraction(
            checked_size(size) ** (self.n - 1), 2 * whole(count, "count") * self._spread
        )
        # From 40^2 on the chance is below the least double.
        return math.erfc(math.sqrt(float(min(ratio, fractions.Fraction(1600))))) / 2

    @property
    def _spread(self) -> int:
        return int(factorial2(2 * self.n - 3, exact=True))


@dataclass(frozen=True, slots=True)
class Exponential(Interaction):
    """F(x) = exp(x); the energy is given as -ln sum_mu exp(xi_mu . s), which falls whenever -sum exp does."""

    def table(self, size: int, highest: int) -> Array:
        return np.asarray(np.exp(np.minimum(np.arange(-size, size + 1.0) - highest, 700)), float)

    def energy(self, overlaps: Counts, size: int) -> float:
        return -float(logsumexp(overlaps))

    def capacity(self, size: int) -> float:
        """Return 2^(N/2), the bound of Demircigil et al. 2017 on patterns that are fixed points."""
        spins = whole(size, "size")
        _require_double(spins / 2 * math.log(2), self, spins)
        return float(2.0 ** (spins / 2))


def checked_size(size: Any) -> int:
    """Return how many spins, 2 or more."""
    spins = whole(size, "size")
    if spins < 2:
        raise SettingError(f"size is {spins}; the formula is for many spins. Give 2 or more.")
    return spins


def _require_double(log: float, interaction: Interaction, size: int) -> None:
    """Say that exp(log) is too large for a double."""
    if log > math.log(np.finfo(float).max):
        raise SettingError(
            f"{interaction!r} holds about 10^{log / math.log(10):.0f} patterns in {size} spins, too many for a number in double precision. Take fewer spins."
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DenseNetwork:
    """A memory of spins with a steep energy.

    Parameters
    ----------
    patterns
        An array with a row of -1 and 1 for each pattern, or `Patterns`.
    interaction
        `Power` or `Exponential`.

    Raises
    ------
    SettingError
        If there is no pattern or an entry is neither -1 nor 1.

    Examples
    --------
    Four times as many patterns as spins:

    >>> from dynlab import hopfield
    >>> patterns = hopfield.random_patterns(size=100, count=400, seed=1)
    >>> memory = hopfield.DenseNetwork(patterns, hopfield.Power(4))
    >>> run = memory.recall(hopfield.flipped(patterns[7], share=0.1, seed=1), seed=1)
    >>> run.nearest, run.overlap
    (7, 1.0)

    References
    ----------
    Krotov and Hopfield 2016, NeurIPS 29, 1172; Demircigil et al. 2017, J. Stat. Phys. 168, 288.
    """

    patterns: Patterns
    interaction: Interaction
    _columns: NDArray[np.int8] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "patterns", Patterns.of(self.patterns))
        require_kind(
            self.interaction, Interaction, "the interaction", "one such as hopfield.Power(3)"
        )
        object.__setattr__(self, "_columns", np.array(np.asarray(self.patterns).T, order="C"))

    @property
    def size(self) -> int:
        """How many spins there are."""
        return self.patterns.size

    def energy(self, state: Any) -> float:
        """Return the energy of a state, which no update raises."""
        return self.interaction.energy(self._overlaps(state), self.size)

    def is_fixed_point(self, state: Any) -> bool:
        """Whether no spin would turn."""
        return not (self._wrong(checked_spins(state, "state, spin {}", (self.size,)))).any()

    def share_of_wrong_bits(self) -> float:
        """Return the share of bits of all stored patterns that one step would turn."""
        return float(self.wrong_shares(len(self.patterns)).mean())

    def wrong_shares(self, count: int) -> Array:
        """Return the same for each of the first so many patterns."""
        return np.array([self._wrong(self.patterns[p]).mean() for p in range(count)])

    def recall(
        self, start: Any, *, sweeps: int = 100, seed: int | np.random.Generator | None = None
    ) -> Recall:
        """Let a state run until it rests, one spin after the other in random order.

        Parameters
        ----------
        start
            An array of -1 and 1.
        sweeps
            The largest number of sweeps.
        seed
            For the order: a whole number, a numpy Generator, or None for a fresh seed.

        Raises
        ------
        SettingError
            If the start does not fit or holds something else than -1 and 1.
        """
        began, sweeps, chosen = perf_counter(), whole(sweeps, "sweeps"), seed_of(seed)
        overlaps = self._overlaps(start)
        spins = np.array(start, np.int8)
        course = Course.of(self.size, chosen.stream(zlib.crc32(b"recall")))
        kept = [(overlaps / self.size, self.interaction.energy(overlaps, self.size), 0)]

        def take(sites: int) -> int:
            table = self.interaction.table(self.size, int(overlaps.max()))
            status = kernels.interaction_sweep(
                self._columns, table, spins, overlaps, course.clock, course.order, course.random,
                min(sites, MOST_SITES),
            )  # fmt: skip
            if status == RUNNING:
                return RUNNING
            flips = course.flips
            kept.append((overlaps / self.size, self.interaction.energy(overlaps, self.size), flips))
            if flips == 0:
                return Status.OK
            return RUNNING if len(kept) <= sweeps else Status.SWEEP_LIMIT

        status = in_chunks(take, lambda: len(kept) - 1.0, sweeps, "recall", MOST_SITES)
        means, energies, flips = zip(*kept, strict=True)
        settings = {"method": Asynchronous(), "sweeps": sweeps}
        return Recall(
            spins, np.array(means), np.array(energies), np.array(flips), status,
            Provenance.of_chance("recall", self, settings, seed=chosen, began=began),
        )  # fmt: skip

    def _overlaps(self, state: Any) -> Counts:
        return np.rint(self.patterns.overlaps(state) * self.size).astype(np.int64)

    def _wrong(self, spins: NDArray[np.int8]) -> NDArray[np.bool_]:
        out, overlaps = np.empty(self.size), self._overlaps(spins)
        table = self.interaction.table(self.size, int(overlaps.max()))
        kernels.gains(self._columns, table, spins, overlaps, out)
        return np.asarray(out * spins < 0)

    def __repr__(self) -> str:
        return f"<dense memory of {self.size} spins: {len(self.patterns)} patterns, {self.interaction!r}>"
