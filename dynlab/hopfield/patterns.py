"""Patterns of spins -1 and 1, packed: one bit for each, so that 13 800 of 100 000 spins take 173 MB."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError
from dynlab.kernels import spins as kernels
from dynlab.names import finite
from dynlab.seeds import seed_of

__all__ = ["Patterns", "checked_spins", "flipped", "random_patterns", "whole"]

Spins = NDArray[np.int8]

WORD = 64
#: Patterns are drawn in blocks of so many spins, each from a stream of its own.
BLOCK = 1024


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Patterns:
    """Patterns, each a state of all spins.

    ``patterns[0]`` is the first as an array of -1 and 1, ``len(patterns)`` how many there are;
    ``np.asarray(patterns)`` unpacks all of them, a row for each.

    Parameters
    ----------
    rows
        A row for each spin; bit k of word w is set where the spin is 1 in pattern 64 w + k.
    count
        How many patterns there are.

    Examples
    --------
    >>> from dynlab import hopfield
    >>> words = hopfield.Patterns.of([[1, 1, -1, -1], [1, -1, 1, -1]])
    >>> words
    <2 patterns of 4 spins>
    >>> words[1]
    array([ 1, -1,  1, -1], dtype=int8)
    """

    rows: NDArray[np.uint64]
    count: int

    @classmethod
    def of(cls, given: Any) -> Patterns:
        """Return patterns from an array with a row for each, of -1 and 1.

        Raises
        ------
        SettingError
            If there is none, the array has not two dimensions, or an entry is neither -1 nor 1.
        """
        if isinstance(given, Patterns):
            return given
        values = as_array(given, "the patterns")
        if values.ndim != 2 or 0 in values.shape:
            raise SettingError(
                f"the patterns have the shape {values.shape}. Give at least one pattern, as an array with a "
                "row for each and a column for each spin."
            )
        spins = checked_spins(values, "pattern {}, spin {}", values.shape)
        rows = np.zeros((values.shape[1], words_for(len(spins))), np.uint64)
        kernels.pack(spins, 0, rows)
        return cls(rows, len(spins))

    @property
    def size(self) -> int:
        """How many spins a pattern has."""
        return len(self.rows)

    @property
    def row_sums(self) -> NDArray[np.int64]:
        """For each spin, its sum over all patterns."""
        sums = np.empty(self.size, np.int64)
        kernels.row_sums(self.rows, self.count, sums)
        return sums

    @property
    def activity(self) -> float:
        """The mean of all entries, a; 0 when -1 and 1 are equally frequent."""
        return int(self.row_sums.sum()) / (self.size * self.count)

    def overlaps(self, state: Any) -> NDArray[np.float64]:
        """Return m, the mean of pattern times state, for each pattern: 1 if they are equal.

        Raises
        ------
        SettingError
            If the state has another size or an entry that is neither -1 nor 1.
        """
        spins = checked_spins(state, "state, spin {}", (self.size,))
        found = np.empty(self.count, np.int64)
        planes, carry = work_for(self)
        kernels.measure(self.rows, self.count, spins, planes, carry, np.zeros(2, np.int64))
        kernels.overlaps(planes, self.size, self.count, found)
        return np.asarray(found / self.size, float)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, which: int) -> Spins:
        first = range(self.count)[which]
        found: Spins = self._unpacked(first, first + 1)[0]
        return found

    def __iter__(self) -> Iterator[Spins]:
        return (self[p] for p in range(self.count))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: FBT001
        found = self._unpacked(0, self.count)
        return found if dtype is None else found.astype(dtype)

    def _unpacked(self, first: int, last: int) -> Spins:
        out = np.empty((last - first, self.size), np.int8)
        kernels.unpack(self.rows, first, last, out)
        return out

    def __repr__(self) -> str:
        return f"<{self.count} patterns of {self.size} spins>"


def random_patterns(
    *, size: int, count: int, bias: float = 0.0, seed: int | np.random.Generator | None = None
) -> Patterns:
    """Return random patterns, every entry drawn by itself.

    Parameters
    ----------
    size
        How many spins.
    count
        How many patterns.
    bias
        The mean of an entry, a: it is 1 with probability (1 + a) / 2.
    seed
        A whole number, a numpy Generator, or None for a fresh seed.  Spins have streams of their own, so that the
        first of a larger network are the same.

    Raises
    ------
    SettingError
        If a number is not positive and whole, or the bias not between -1 and 1.

    Examples
    --------
    >>> from dynlab import hopfield
    >>> patterns = hopfield.random_patterns(size=1000, count=100, seed=1)
    >>> abs(patterns.activity) < 0.01
    True
    """
    size, count = whole(size, "size"), whole(count, "count")
    mean = finite(bias, "bias")
    if not -1 < mean < 1:
        raise SettingError(f"the bias is {bias!r}; give the mean of an entry, between -1 and 1.")
    chosen = seed_of(seed)
    try:
        rows = np.empty((size, words_for(count)), np.uint64)
    except (MemoryError, ValueError) as error:
        raise SettingError(
            f"{count} patterns of {size} spins take {size * count / 8e9:.3g} GB, which are not to be had. Take fewer."
        ) from error
    for block, first in enumerate(range(0, size, BLOCK)):
        part = rows[first : first + BLOCK]
        part[:] = _random_words(chosen.stream(block), len(part), count, (1 + mean) / 2)
    return Patterns(rows, count)


def _random_words(
    stream: np.random.Generator, spins: int, count: int, chance: float
) -> NDArray[np.uint64]:
    words = words_for(count)
    if chance == 0.5:
        drawn = stream.integers(0, 1 << 64, (spins, words), np.uint64)
    else:
        bits = np.zeros((spins, words * WORD), np.bool_)
        bits[:, :count] = stream.random((spins, count)) < chance
        drawn = np.packbits(bits, axis=1, bitorder="little").view("<u8").astype(np.uint64)
    if count % WORD:
        drawn[:, -1] &= np.uint64((1 << count % WORD) - 1)
    return drawn


def flipped(pattern: Any, *, share: float, seed: int | np.random.Generator | None = None) -> Spins:
    """Return a pattern with that share of its spins turned, at random places: a noisy start.

    Its overlap with the pattern is 1 - 2 share, as near as whole spins allow.

    Parameters
    ----------
    pattern
        An array of -1 and 1.
    share
        Between 0 and 1.
    seed
        A whole number, a numpy Generator, or None for a fresh seed.

    Raises
    ------
    SettingError
        If the share is not between 0 and 1, or an entry is neither -1 nor 1.

    Examples
    --------
    >>> from dynlab import hopfield
    >>> pattern = hopfield.random_patterns(size=100, count=1, seed=1)[0]
    >>> int(hopfield.flipped(pattern, share=0.2, seed=2) @ pattern)
    60
    """
    part = finite(share, "share")
    if not 0 <= part <= 1:
        raise SettingError(f"the share is {share!r}; give a number between 0 and 1.")
    spins = checked_spins(pattern, "pattern, spin {}", (np.size(pattern),)).copy()
    turned = seed_of(seed).stream(zlib.crc32(b"flipped")).permutation(len(spins))
    spins[turned[: round(part * len(spins))]] *= -1
    return spins


def checked_spins(given: Any, place: str, shape: tuple[int, ...]) -> Spins:
    """Return an array of -1 and 1 as bytes, or name the first place with something else."""
    values = as_array(given, "a state")
    if values.shape != shape:
        raise SettingError(
            f"a state has the shape {values.shape}, but the network has {shape[-1]} spins. Give one number, -1 or "
            "1, for each."
        )
    if values.dtype == np.bool_ or values.dtype.kind not in "iuf":
        raise SettingError(
            f"{place.split(',')[0].format('0')} holds {values.dtype}, not numbers. Write the two values as -1 and 1 "
            "(2 * bits - 1)."
        )
    wrong = np.argwhere((values != 1) & (values != -1))
    if len(wrong):
        where = place.format(*wrong[0])
        raise SettingError(
            f"{where} is {values[tuple(wrong[0])].item()!r}; spins are -1 or 1. Patterns of 0 and 1 become spins by "
            "2 * pattern - 1."
        )
    return np.ascontiguousarray(values, np.int8)


def as_array(given: Any, what: str) -> NDArray[Any]:
    """Return an array, or say that rows are of different length."""
    try:
        return np.asarray(given)
    except ValueError as error:
        raise SettingError(f"{what} are no array: {error}. Give rows of equal length.") from error


def whole(value: Any, what: str) -> int:
    """Return a positive whole number."""
    number = finite(value, what)
    if number < 1 or number != int(number):
        raise SettingError(f"{what} is {value!r}; give a positive whole number.")
    return int(number)


def words_for(count: int) -> int:
    """Return how many words hold so many bits; at least one."""
    return max(1, -(-count // WORD))


def work_for(patterns: Patterns) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Return room for the distances of one state to all patterns, bit by bit, and for carries."""
    words = patterns.rows.shape[1]
    return np.zeros((patterns.size.bit_length(), words), np.uint64), np.zeros((2, words), np.uint64)
