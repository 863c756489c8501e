"""The answers of many tasks as columns; numbers and short texts take a few bytes each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DONE",
    "FAILED",
    "INFERRED",
    "MISSING",
    "Gathered",
    "is_nothing",
    "plain",
    "thickened",
    "thinned",
]

#: What became of a task.
MISSING, DONE, FAILED, INFERRED = 0, 1, 2, 3


class Gathered:
    """Answers by name and task.  Not frozen: it grows, and is read once.

    Parameters
    ----------
    count
        How many tasks there are.
    name
        Under which name an answer goes that is no dict.
    """

    def __init__(self, count: int, name: str) -> None:
        self._count, self._name = count, name
        self._columns: dict[str, _Column] = {}
        self.states = np.zeros(count, np.int8)

    def put(self, task: int, answer: Any) -> None:
        """Keep the answer of a task."""
        named = answer if isinstance(answer, Mapping) else {self._name: answer}
        for name, value in named.items():
            if str(name) not in self._columns:
                self._columns[str(name)] = _Column(self._count)
            self._columns[str(name)].put(task, value)
        self.states[task] = DONE

    def infer(self, task: int, like: int) -> None:
        """Take the answers of another task for those of one that was not computed."""
        for column in self._columns.values():
            if column.has(like):
                column.put(task, column.at(like))
        self.states[task] = INFERRED

    def at(self, task: int) -> Any:
        """Return the answer of a task that is done, as the function returned it."""
        found = {
            name: column.at(task) for name, column in self._columns.items() if column.has(task)
        }
        return found[self._name] if set(found) == {self._name} else found

    def fail(self, task: int) -> None:
        """Note that a task has failed."""
        self.states[task] = FAILED

    @property
    def columns(self) -> dict[str, NDArray[Any] | tuple[Any, ...]]:
        """All answers: an array whose first axis counts the tasks, or a tuple of objects."""
        return {name: column.values() for name, column in self._columns.items()}

    @property
    def masks(self) -> dict[str, NDArray[np.bool_]]:
        """Where there is no answer: a task that failed or is missing, an answer that is no number."""
        return {name: column.mask() for name, column in self._columns.items()}


class _Column:
    """Values of one name: an array while they are numbers of one shape, numbered texts, or objects."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._filled = np.zeros(count, np.bool_)
        self._array: NDArray[Any] | None = None
        self._texts: dict[str, int] = {}
        self._objects: dict[int, Any] | None = None

    def put(self, task: int, value: Any) -> None:
        if self._objects is None and not self._put_plain(task, value):
            self._objects = {int(k): self.at(int(k)) for k in np.flatnonzero(self._filled)}
            self._array = None
        if self._objects is not None:
            self._objects[task] = value
        self._filled[task] = True

    def _put_plain(self, task: int, value: Any) -> bool:
        """Put a number, text or array in its place in the array; return whether it fits there."""
        is_text = isinstance(value, str)
        if not is_text and not isinstance(value, bool | int | float | complex | np.ndarray):
            return False
        if self._array is not None and is_text != bool(self._texts):
            return False
        if is_text:
            value = self._texts.setdefault(value, len(self._texts))
        item = np.asarray(value)
        if item.dtype.kind not in "biufc":
            return False
        if self._array is None:
            self._array = np.zeros((self._count, *item.shape), np.int32 if is_text else item.dtype)
        if item.shape != self._array.shape[1:]:
            return False
        if not is_text and item.dtype != self._array.dtype:
            if (item.dtype.kind == "b") != (self._array.dtype.kind == "b"):
                return False
            wider = np.result_type(item.dtype, self._array.dtype)
            if wider != self._array.dtype:
                self._array = self._array.astype(wider)
        self._array[task] = item
        return True

    def has(self, task: int) -> bool:
        return bool(self._filled[task])

    def at(self, task: int) -> Any:
        if self._objects is not None:
            return self._objects[task]
        assert self._array is not None
        if self._texts:
            return list(self._texts)[int(self._array[task])]
        value = self._array[task]
        return value.item() if value.ndim == 0 else value.copy()

    def values(self) -> NDArray[Any] | tuple[Any, ...]:
        if self._objects is not None:
            return tuple(self._objects.get(k) for k in range(self._count))
        if self._array is None:
            return np.zeros(self._count)
        if not self._texts:
            return self._array
        return np.array(list(self._texts))[self._array] if self._filled.any() else self._array

    def mask(self) -> NDArray[np.bool_]:
        missing = ~self._filled
        if self._objects is not None or self._array is None:
            return missing
        wide = missing.reshape((-1,) + (1,) * (self._array.ndim - 1))
        return np.asarray(np.isnan(self._array) | wide if self._array.dtype.kind in "fc" else
                          np.broadcast_to(wide, self._array.shape).copy())  # fmt: skip


def plain(answer: Any) -> Any:
    """Return an answer with numpy's single numbers and members of enumerations as Python's own."""
    if isinstance(answer, Mapping):
        return {str(name): plain(value) for name, value in answer.items()}
    if isinstance(answer, Enum):
        return str(answer)
    if isinstance(answer, np.generic) or (isinstance(answer, np.ndarray) and answer.ndim == 0):
        return answer.item()
    return answer


def is_nothing(answer: Any) -> bool:
    """Whether an answer is no number at all: nan, or an array of nothing else."""
    if isinstance(answer, Mapping):
        return bool(answer) and all(map(is_nothing, answer.values()))
    if isinstance(answer, float | complex):
        return answer != answer
    is_array = isinstance(answer, np.ndarray) and answer.dtype.kind in "fc"
    return is_array and answer.size > 0 and bool(np.isnan(answer).all())


def thinned(answers: Sequence[Any]) -> Any:
    """Return answers as they are stored: plain ones of one kind as an array."""
    for kind in (bool, int, float, str):
        if all(type(answer) is kind for answer in answers):
            try:
                return np.array(answers)
            except OverflowError:
                return tuple(answers)
    return tuple(answers)


def thickened(stored: Any) -> list[Any]:
    """Return the answers that were stored."""
    return stored.tolist() if isinstance(stored, np.ndarray) else list(stored)
