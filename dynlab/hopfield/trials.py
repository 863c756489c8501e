"""Trials of recall: networks of random patterns, each started at or beside its first pattern, on all cores.

A trial has patterns of its own, so trials are independent; and a stream of its own, chosen by the seed, the number
of patterns and the number of the trial alone.  So a result depends neither on threads nor on which other loads are
tried beside it, and more trials begin with the same ones.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlab.errors import SettingError
from dynlab.hopfield.learning import Hebb, LearningRule
from dynlab.hopfield.machine import Course, DenseMachine, packed_rule
from dynlab.hopfield.patterns import Patterns, whole, words_for, work_for
from dynlab.hopfield.theory import checked_loads
from dynlab.kernels import spins as kernels
from dynlab.kernels import spread as bytewise
from dynlab.kernels import trials as drawing
from dynlab.kernels.convention import OK
from dynlab.progress import tick
from dynlab.seeds import Seed
from dynlab.solve.threads import on_threads
from dynlab.status import Status

__all__ = ["RECALLED", "Memory", "counts_of", "each_trial"]

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

#: A pattern counts as recalled from this overlap on: between 0.967, where recall ends in theory, and the remnant
#: that is left after (about 0.35 in many spins).
RECALLED = 0.9
#: Without temperature and with symmetric weights every state comes to rest; this many sweeps are never needed.
SWEEPS = 10_000
#: Words of bits read between two looks at the stop flag, about 30 ms.
WORDS = 1 << 26


#: The most bytes of patterns that are spread out: more leave the cache, and bits are as fast.
CACHED = 1 << 21


class _Packed:
    """Patterns as bits and the state by its distances to them, for any number of spins."""

    def __init__(self, patterns: Patterns) -> None:
        self.patterns = patterns
        self.state = (*work_for(patterns), np.zeros(kernels.SUMS, np.int64))
        self.rows, self.words = patterns.rows, patterns.rows.shape[1] * self.state[0].shape[0]
        self.sweep, self.recall = kernels.packed_sweep, kernels.packed_recall

    def measure(self, spins: NDArray[np.int8]) -> None:
        kernels.measure(self.rows, self.patterns.count, spins, *self.state)


class _Spread:
    """Patterns as bytes and the state by its overlaps with them, for a few thousand spins."""

    def __init__(self, patterns: Patterns) -> None:
        self.patterns = patterns
        self._words = np.zeros((patterns.size, 8 * patterns.rows.shape[1]), np.uint64)
        self.rows, self.words = self._words.view(np.int8), self._words.shape[1]
        room = -(-patterns.count // bytewise.BLOCK) * bytewise.BLOCK
        self.state = (np.zeros(room, np.int16),)
        self.sweep, self.recall = bytewise.spread_sweep, bytewise.spread_recall

    def measure(self, spins: NDArray[np.int8]) -> None:
        bytewise.spread(self.patterns.rows, bytewise.BYTES, self._words)
        bytewise.spread_measure(self.rows, self.patterns.count, spins, *self.state)


@dataclass(slots=True, eq=False)
class Memory:
    """Room for the trials of one thread: networks of one size, rule and number of patterns."""

    rule: LearningRule
    size: int
    count: int
    patterns: Patterns = field(init=False)
    spins: NDArray[np.int8] = field(init=False)
    order: Counts = field(init=False)
    form: _Packed | _Spread = field(init=False)
    _known: tuple[bytes, Array] = field(init=False)

    def __post_init__(self) -> None:
        rows = np.zeros((self.size, words_for(self.count)), np.uint64)
        self.patterns = Patterns(rows, self.count)
        self.spins, self.order = np.empty(self.size, np.int8), np.empty(self.size, np.int64)
        self._known = b"", np.empty((0, 0))
        is_small = 64 * rows.size <= CACHED and self.size <= bytewise.LARGEST
        self.form = (_Spread if is_small and isinstance(self.rule, Hebb) else _Packed)(
            self.patterns
        )

    def overlap(self, stream: NDArray[np.uint64], turned: int) -> float:
        """Return the final overlap from so many turned spins; nan if asked to stop."""
        random, rows = self._drawn(stream, turned), self.patterns.rows
        numbers = packed_rule(self.rule, self.size, 0.0)
        rest = self._dense if numbers is None else functools.partial(self._at_rest, numbers)
        return float(drawing.overlap_with_first(rows, self.spins)) if rest(random) else np.nan

    def mean_overlap(self, stream: NDArray[np.uint64], temperature: float, sweeps: int) -> float:
        """Return the overlap at a temperature, averaged over the second half of the sweeps; nan if asked to stop."""
        random, total = self._drawn(stream, 0), 0.0
        numbers = packed_rule(self.rule, self.size, 0.0)
        clock = np.zeros(kernels.CLOCK + 1, np.int64)
        self.form.measure(self.spins)
        for sweep in range(sweeps):
            while self.form.sweep(
                self.form.rows, numbers, self.count, temperature, self.spins, *self.form.state, clock,
                self.order, random, self._sites,
            ) != OK:  # fmt: skip
                if not tick(0.0, 1.0):
                    return np.nan
            if not tick(0.0, 1.0):
                return np.nan
            if sweep >= sweeps // 2:
                total += float(drawing.overlap_with_first(self.patterns.rows, self.spins))
        return total / (sweeps - sweeps // 2)

    def _drawn(self, stream: NDArray[np.uint64], turned: int) -> NDArray[np.uint64]:
        """Draw patterns and start; return the stream after that."""
        random = stream.copy()
        drawing.draw(self.count, turned, random, self.patterns.rows, self.spins, self.order)
        return random

    @property
    def _sites(self) -> int:
        """How many spins are asked between two looks at the stop flag."""
        return max(64, WORDS // int(self.form.words))

    def _at_rest(self, numbers: Array, random: NDArray[np.uint64]) -> bool:
        """Let the state come to rest; False if asked to stop."""
        clock = np.zeros(kernels.CLOCK + 1, np.int64)
        self.form.measure(self.spins)
        while True:
            taken = self.form.recall(
                self.form.rows, numbers, self.count, 0.0, self.spins, *self.form.state, clock, self.order,
                random, SWEEPS, self._sites,
            )  # fmt: skip
            if taken >= 0:
                return True
            if not tick(0.0, 1.0):
                return False

    def _dense(self, random: NDArray[np.uint64]) -> bool:
        machine = DenseMachine(self._columns(), 0.0, self.patterns, self.spins)
        course = Course(np.zeros(kernels.CLOCK + 1, np.int64), self.order, self.spins, random)
        for _ in range(SWEEPS):
            while machine.sweep(0.0, course, self.size) != OK:
                pass
            if course.flips == 0 and machine.is_at_rest():
                break
            if not tick(0.0, 1.0):
                return False
        return True

    def _columns(self) -> Array:
        """Return the weights, made once for all starts beside the same patterns."""
        drawn = self.patterns.rows.tobytes()
        if drawn != self._known[0]:
            self._known = drawn, np.ascontiguousarray(self.rule.weights(self.patterns).T)
        return self._known[1]


def each_trial(
    counts: Counts,
    trials: int,
    seed: Seed,
    measure: Callable[[int], Callable[[NDArray[np.uint64]], float]],
    note: str,
) -> tuple[Array, Status]:
    """Measure a number in each trial for each number of patterns; nan where asked to stop before.

    ``measure(count)`` makes what a thread needs, and returns the function from a stream to the number.
    """
    out = np.full((len(counts), trials), np.nan)
    streams = {
        int(c): seed.stream(int(c)).integers(0, 1 << 64, (trials, 4), np.uint64)
        for c in set(counts.tolist())
    }

    def piece(row: int, first: int) -> None:
        one = measure(int(counts[row]))
        for trial in range(first, min(first + each, trials)):
            if not tick(0.0, 1.0, note):
                return
            out[row, trial] = one(streams[int(counts[row])][trial])

    # Many pieces, so that the last ones end together; the heavy loads first.
    each = max(1, trials // 16)
    pieces = [
        functools.partial(piece, int(row), first)
        for row in np.argsort(-counts) for first in range(0, trials, each)
    ]  # fmt: skip
    status = on_threads(pieces, lambda: float(np.sum(~np.isnan(out))), out.size, note)
    return out, status


def counts_of(size: Any, loads: ArrayLike) -> tuple[int, Array, Counts]:
    """Return size, exact loads and numbers of patterns, or raise."""
    neurons, wanted = whole(size, "size"), checked_loads(loads)
    counts = np.rint(wanted * neurons).astype(np.int64)
    if neurons < 2 or counts.min() < 1:
        raise SettingError(
            f"{neurons} neurons with a load of {wanted.min():.6g} are no memory. Take loads of at least one pattern, "
            f"1 / {neurons}, or more neurons."
        )
    return neurons, counts / neurons, counts
