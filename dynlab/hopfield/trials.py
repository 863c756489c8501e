"""Trials of recall: networks of random patterns, each started at or beside its first pattern, on all cores.

A trial has patterns of its own, so trials are independent; and a stream of its own, chosen by the seed, the number
of patterns and the number of the trial alone.  So a result depends neither on threads nor on which other loads are
tried beside it, and more trials begin with the same ones.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from dynlab.cores import thread_count
from dynlab.errors import SettingError
from dynlab.hopfield.learning import Given, LearningRule
from dynlab.hopfield.machine import Course, DenseMachine, packed_rule
from dynlab.hopfield.patterns import Patterns, whole, words_for, work_for
from dynlab.hopfield.theory import checked_loads
from dynlab.kernels import kept
from dynlab.kernels import spins as kernels
from dynlab.kernels import trials as drawing
from dynlab.kernels.convention import OK
from dynlab.names import require_kind
from dynlab.progress import tick
from dynlab.result import Provenance
from dynlab.seeds import Seed, seed_of
from dynlab.solve.threads import on_threads
from dynlab.status import Status

__all__ = ["RECALLED", "Memory", "Trials", "done_at_each_load", "means_and_intervals"]

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
Stream = NDArray[np.uint64]
#: A row for each trial.
Streams = NDArray[np.uint64]

#: A pattern counts as recalled from this overlap on: between 0.967, where recall ends in theory, and the remnant
#: that is left after (about 0.35 in many spins).
RECALLED = 0.9
#: Without temperature and with symmetric weights every state comes to rest; this many sweeps are never needed.
SWEEPS = 10_000
#: Words of bits read between two looks at the stop flag, about 30 ms.
WORDS = 1 << 26
#: Pieces of work for each thread.
PIECES = 16
#: The most bytes of patterns that are stored in columns too: about what one core's cache holds.
CACHED = 1 << 21


@dataclass(slots=True, eq=False)
class Memory:
    """Room for the trials of one thread: networks of one size, rule and number of patterns."""

    rule: LearningRule
    size: int
    count: int
    patterns: Patterns = field(init=False)
    spins: NDArray[np.int8] = field(init=False)
    order: Counts = field(init=False)
    _known: tuple[bytes, Array] = field(init=False)
    _work: tuple[NDArray[Any], ...] = field(init=False)

    def __post_init__(self) -> None:
        require_kind(self.rule, LearningRule, "the rule", "one such as hopfield.Hebb()")
        if isinstance(self.rule, Given):
            raise SettingError(
                "the rule gives weights that learn no patterns. Give one such as hopfield.Hebb()."
            )
        words = words_for(self.count)
        self.patterns = Patterns(np.zeros((self.size, words), np.uint64), self.count)
        self.spins, self.order = np.empty(self.size, np.int8), np.empty(self.size, np.int64)
        self._known = b"", np.empty((0, 0))
        is_cached = 8 * self.size * words <= CACHED
        columns = -(-words // kept.TOGETHER) * kept.TOGETHER if is_cached else 0
        self._work = (
            np.zeros((columns, self.size), np.uint64), self.spins, *work_for(self.patterns),
            np.zeros(kernels.SUMS, np.int64), np.empty(max(self.size, kernels.WORD), np.int64),
            np.empty(self.size, np.int64),
            np.zeros(kernels.CLOCK, np.int64), self.order, np.empty(4, np.uint64),
        )  # fmt: skip

    def overlap(self, stream: Stream, turned: int) -> float:
        """Return the final overlap from so many turned spins; nan if asked to stop."""
        out = np.full(1, np.nan)
        self.overlaps(stream[None], out, turned=turned)
        return float(out[0])

    def overlaps(self, streams: Streams, out: Array, *, turned: int = 0) -> None:
        """Write the final overlap of a trial for each stream; those not done when asked to stop stay as they are."""
        numbers = packed_rule(self.rule, self.size, 0.0)
        if numbers is None:
            self._dense(streams, out, turned)
        else:
            self._run(numbers, streams, out, turned, 0.0, SWEEPS)

    def mean_overlaps(self, streams: Streams, out: Array, temperature: float, sweeps: int) -> None:
        """Write overlaps at a temperature, averaged over the second half of the sweeps."""
        numbers = packed_rule(self.rule, self.size, 0.0)
        self._run(numbers, streams, out, 0, temperature, sweeps)

    def _run(
        self, numbers: Array | None, streams: Streams, out: Array, turned: int, temperature: float, sweeps: int
    ) -> None:  # fmt: skip
        at, total, rows = np.zeros(drawing.PLACES, np.int64), np.zeros(1), self.patterns.rows
        sites = max(64, WORDS // (rows.shape[1] * self.size.bit_length()))
        while drawing.run(
            streams, turned, temperature, sweeps, numbers, self.count, rows, *self._work, at, total, out, sites
        ) != OK:  # fmt: skip
            if not tick(0.0, 1.0):
                return

    def _dense(self, streams: Streams, out: Array, turned: int) -> None:
        for trial, stream in enumerate(streams):
            random = stream.copy()
            drawing.draw(self.count, turned, random, self.patterns.rows, self.spins, self.order)
            machine = DenseMachine(self._columns(), 0.0, self.patterns, self.spins)
            course = Course(np.zeros(kernels.CLOCK, np.int64), self.order, self.spins, random)
            for _ in range(SWEEPS):
                while machine.sweep(0.0, course, self.size) != OK:
                    pass
                if course.flips == 0 and machine.is_at_rest():
                    break
                if not tick(0.0, 1.0):
                    return
            out[trial] = drawing.overlap_with_first(self.patterns.rows, self.spins)

    def _columns(self) -> Array:
        """Return the weights, made once for all starts beside the same patterns."""
        drawn = self.patterns.rows.tobytes()
        if drawn != self._known[0]:
            self._known = drawn, np.ascontiguousarray(self.rule.weights(self.patterns).T)
        return self._known[1]


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """Trials at several loads: of how many neurons and patterns, how often, from which seed, and begun when.

    Parameters
    ----------
    size
        Neurons.
    loads, counts
        Patterns per neuron, exact, and in numbers.
    number
        Trials at each load.
    seed, began
        Where random numbers come from, and the clock at the start.
    """

    size: int
    loads: Array
    counts: Counts
    number: int
    seed: Seed
    began: float

    @classmethod
    def of(cls, size: Any, loads: ArrayLike, trials: Any, seed: Any) -> Trials:
        """Return trials, or raise if they make no sense."""
        began, neurons, wanted = perf_counter(), whole(size, "size"), checked_loads(loads)
        counts = np.rint(wanted * neurons).astype(np.int64)
        if neurons < 2 or counts.min() < 1:
            raise SettingError(
                f"{neurons} neurons with a load of {wanted.min():.6g} are no memory. Take loads of at least one pattern, "
                f"1 / {neurons}, or more neurons."
            )
        return cls(neurons, counts / neurons, counts, whole(trials, "trials"), seed_of(seed), began)

    def each(
        self, measure: Callable[[int], Callable[[Streams, Array], None]], note: str
    ) -> tuple[Array, Status]:
        """Measure a number in each trial, a row for each load; nan where asked to stop before.

        ``measure(count)`` makes what a thread needs, and returns the function that writes the number of each stream.
        """
        out = np.full((len(self.counts), self.number), np.nan)
        streams = {
            int(c): self.seed.stream(int(c)).integers(0, 1 << 64, (self.number, 4), np.uint64)
            for c in set(self.counts.tolist())
        }

        def piece(row: int, first: int) -> None:
            some, count = slice(first, first + each), int(self.counts[row])
            if tick(0.0, 1.0, note):
                measure(count)(streams[count][some], out[row, some])

        # Several pieces for each thread, so that the last ones end together; the heavy loads first.
        each = -(-out.size // (PIECES * thread_count()))
        pieces = [
            functools.partial(piece, int(row), first)
            for row in np.argsort(-self.counts) for first in range(0, self.number, each)
        ]  # fmt: skip
        return out, on_threads(pieces, lambda: float(np.sum(~np.isnan(out))), out.size, note)

    def provenance(self, function: str, **settings: Any) -> Provenance:
        """Return where the result came from."""
        settings = {"size": self.size, "trials": self.number} | settings
        return Provenance.of_chance(function, None, settings, seed=self.seed, began=self.began)


def done_at_each_load(values: Array) -> Counts:
    """Return how many trials were done at each load."""
    return np.asarray(np.sum(~np.isnan(values), axis=1))


def means_and_intervals(values: Array) -> Array:
    """Return mean and interval of 95 % (Student's t) of overlaps at each load, three columns.

    Trials that were not done are left out; one trial alone has the whole range, none has no mean either.
    """
    return np.array([_mean_and_interval(row[~np.isnan(row)]) for row in values])


def _mean_and_interval(values: Array) -> tuple[float, float, float]:
    if len(values) < 2:
        return (float(values[0]) if len(values) else math.nan), -1.0, 1.0
    mean, error = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values))
    reach = float(student.ppf(0.975, len(values) - 1)) * error
    return mean, max(mean - reach, -1.0), min(mean + reach, 1.0)
