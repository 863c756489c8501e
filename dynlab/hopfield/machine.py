"""A state on its way: what the kernels change, sweep by sweep, for packed patterns and for a matrix of weights."""

from __future__ import annotations

import abc
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.hopfield.learning import Covariance, Hebb, LearningRule
from dynlab.hopfield.patterns import Patterns, Spins, work_for
from dynlab.kernels import spins as kernels

__all__ = ["DenseMachine", "Machine", "PackedMachine", "Snapshot", "field_energy", "packed_rule"]

Array = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A state and its overlaps with all patterns, times the number of spins."""

    spins: Spins
    overlaps: Counts


class Machine(abc.ABC):
    """Asks spins, one after the other or all at once, a number of them per call."""

    __slots__ = ()

    @abc.abstractmethod
    def sweep(self, temperature: float, run: Course, sites: int) -> int:
        """Ask so many spins in random order; OK at the end of a sweep, else RUNNING."""

    @abc.abstractmethod
    def step(self, temperature: float, run: Course, sites: int) -> int:
        """Ask so many spins of the same state; OK when all have taken their values."""

    @abc.abstractmethod
    def snapshot(self) -> Snapshot:
        """Return a copy of the state with its overlaps."""

    @abc.abstractmethod
    def product(self, now: Snapshot, before: Snapshot) -> float:
        """Return s' W s of two states, the first being the present one."""

    @abc.abstractmethod
    def fields(self) -> Array:
        """Return all local fields W s, found afresh."""

    @abc.abstractmethod
    def is_at_rest(self) -> bool:
        """Whether no spin would turn, after a sweep that turned none."""


def field_energy(machine: Machine, threshold: float) -> float:
    """Return E = -s'Ws/2 + theta sum s of the present state."""
    now = machine.snapshot()
    return -machine.product(now, now) / 2 + threshold * int(now.spins.sum(dtype=np.int64))


@dataclass(slots=True, eq=False)
class Course:
    """What a run needs beside its state: its clock, its orders and its random numbers."""

    clock: Counts
    order: Counts
    following: Spins
    random: NDArray[np.uint64]

    @classmethod
    def of(cls, size: int, stream: np.random.Generator) -> Course:
        random = stream.integers(0, 1 << 64, 4, np.uint64)
        clock = np.zeros(kernels.CLOCK, np.int64)
        return cls(clock, np.arange(size), np.empty(size, np.int8), random)

    @property
    def flips(self) -> int:
        """How many spins turned in the last sweep."""
        return int(self.clock[kernels.FLIPS])


def packed_rule(rule: LearningRule, size: int, threshold: float) -> Array | None:
    """Return the numbers with which the kernels apply a rule, or None if it needs a matrix."""
    if isinstance(rule, Hebb):
        return np.array([0.0, rule.diagonal, size, threshold])
    if isinstance(rule, Covariance):
        norm = size * (1 - rule.activity**2)
        return np.array([rule.activity, rule.diagonal, norm, threshold])
    return None


@dataclass(slots=True, eq=False)
class PackedMachine(Machine):
    """A state whose distances to all patterns are kept, bit by bit."""

    patterns: Patterns
    rule: Array
    spins: Spins
    planes: NDArray[np.uint64] = field(init=False)
    carry: NDArray[np.uint64] = field(init=False)
    sums: Counts = field(init=False)

    def __post_init__(self) -> None:
        self.planes, self.carry = work_for(self.patterns)
        self.sums = np.zeros(kernels.SUMS, np.int64)
        kernels.measure(*self._stored, self.spins, self.planes, self.carry, self.sums)

    @property
    def _stored(self) -> tuple[NDArray[np.uint64], int]:
        return self.patterns.rows, self.patterns.count

    @property
    def _state(self) -> tuple[Any, ...]:
        return self.spins, self.planes, self.carry, self.sums

    def sweep(self, temperature: float, run: Course, sites: int) -> int:
        rows, count = self._stored
        return int(
            kernels.packed_sweep(
                rows, self.rule, count, temperature, *self._state, run.clock, run.order, run.random, sites
            )
        )  # fmt: skip

    def step(self, temperature: float, run: Course, sites: int) -> int:
        rows, count = self._stored
        return int(
            kernels.packed_step(
                rows, self.rule, count, temperature, *self._state, run.clock, run.following, run.random, sites
            )
        )  # fmt: skip

    def snapshot(self) -> Snapshot:
        found = np.empty(self.patterns.count, np.int64)
        kernels.overlaps(self.planes, self.patterns.size, self.patterns.count, found)
        return Snapshot(self.spins.copy(), found)

    def product(self, now: Snapshot, before: Snapshot) -> float:
        level, share, norm, _ = (float(number) for number in self.rule)
        first, second = (
            part.overlaps - level * int(part.spins.sum(dtype=np.int64)) for part in (now, before)
        )
        same = now.spins * before.spins
        own = self.patterns.count * (1 + level**2) * int(same.sum(dtype=np.int64))
        if level:
            own -= 2 * level * int(self.patterns.row_sums @ same)
        return (float(np.dot(first, second)) - (1 - share) * own) / norm

    def fields(self) -> Array:
        out = np.empty(self.patterns.size)
        kernels.packed_fields(self.patterns.rows, self.rule, self.patterns.count, *self._state, out)
        out += self.rule[kernels.THRESHOLD]
        return out

    def is_at_rest(self) -> bool:
        return True


@dataclass(slots=True, eq=False)
class DenseMachine(Machine):
    """A state whose local fields are kept up to date; they are found afresh where it seems to rest."""

    columns: Array
    threshold: float
    patterns: Patterns
    spins: Spins
    kept: Array = field(init=False)

    def __post_init__(self) -> None:
        self.kept = np.empty(len(self.spins))
        self.fields()

    def sweep(self, temperature: float, run: Course, sites: int) -> int:
        return int(
            kernels.dense_sweep(
                self.columns, self.threshold, temperature, self.spins, self.kept, run.clock, run.order,
                run.random, sites,
            )
        )  # fmt: skip

    def step(self, temperature: float, run: Course, sites: int) -> int:
        return int(
            kernels.dense_step(
                self.columns, self.threshold, temperature, self.spins, self.kept, run.clock, run.following,
                run.random, sites,
            )
        )  # fmt: skip

    def snapshot(self) -> Snapshot:
        overlaps = self.patterns.overlaps(self.spins) * len(self.spins)
        return Snapshot(self.spins.copy(), np.rint(overlaps).astype(np.int64))

    def product(self, now: Snapshot, before: Snapshot) -> float:
        return float(before.spins @ self.kept)

    def fields(self) -> Array:
        kernels.dense_fields(self.columns, self.spins, self.kept)
        return self.kept.copy()

    def is_at_rest(self) -> bool:
        return bool((self.spins * (self.fields() - self.threshold) >= 0).all())
