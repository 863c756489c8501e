"""How many cores a computation may use: all that this process has, unless told otherwise."""

from __future__ import annotations

import contextlib
import contextvars
import os
from collections.abc import Iterator

from dynlab.errors import SettingError
from dynlab.names import finite

__all__ = ["core_count", "thread_count", "threads"]

_chosen: contextvars.ContextVar[int | None] = contextvars.ContextVar("threads", default=None)


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Let every computation in the block use that many threads, instead of one for each core.

    Results do not depend on it, to the last bit.

    Raises
    ------
    SettingError
        If the count is not a positive whole number.

    Examples
    --------
    >>> import dynlab as dl
    >>> with dl.threads(1):
    ...     run = dl.ensemble(dl.zoo.lorenz, starts={"x": [1.0, 1.1]}, duration=5)
    >>> run.status.ok
    True
    """
    number = finite(count, "the number of threads")
    if number < 1 or number != int(number):
        raise SettingError(f"the number of threads is {count!r}; give a positive whole number.")
    token = _chosen.set(int(number))
    try:
        yield
    finally:
        _chosen.reset(token)


def thread_count() -> int:
    """Return how many threads a computation here may use."""
    chosen = _chosen.get()
    return core_count() if chosen is None else chosen


def core_count() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
