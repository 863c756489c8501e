"""Where tasks run: one after the other, on threads, on processes, or wherever a given executor takes them.

An executor is anything with the ``submit`` of `concurrent.futures`.  The small objects here say which one to open
for the time of a run, with worker processes that may die.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from dynlab.cores import core_count
from dynlab.errors import SettingError
from dynlab.progress import observe, stop_when
from dynlab.sweep.axis import checked_count
from dynlab.sweep.given import Given
from dynlab.sweep.parcels import Packing
from dynlab.sweep.task import Batch, Outcome, compute
from dynlab.sweep.workers import Workers

__all__ = ["Pool", "Processes", "Serial", "Threads", "opened"]

#: A batch should take about this long, in seconds.
NEAR = 0.1
#: Processes are started when what is left takes longer than this, in seconds, on one core.
LONG = 6.0


@dataclass(frozen=True, slots=True)
class Serial:
    """One task after the other, in this process; each may use all cores.

    Examples
    --------
    >>> import dynlab as dl
    >>> dl.Sweep(a=[1, 2]).run(lambda a: a * a, executor=dl.Serial()).status.ok
    True
    """

    def open(self, packing: Packing, function: Any) -> Pool:
        """Start what runs the tasks."""
        return _Local(function, 1, None)


@dataclass(frozen=True, slots=True)
class Threads:
    """Threads of this process: right for functions that spend their time in compiled code.

    Each task uses one core.  Only one thread at a time runs Python's own code; `Processes` have no such limit.

    Parameters
    ----------
    count
        How many; one for each core if None.

    Examples
    --------
    >>> import dynlab as dl
    >>> dl.Sweep(a=[1, 2]).run(lambda a: a * a, executor=dl.Threads(2)).status.ok
    True
    """

    count: int | None = None

    def __post_init__(self) -> None:
        _check_workers(self.count, "threads")

    def open(self, packing: Packing, function: Any) -> Pool:
        """Start what runs the tasks."""
        return _Local(function, self.count or core_count(), 1)


@dataclass(frozen=True, slots=True)
class Processes:
    """Processes of this machine, started anew; right for any function that takes longer than starting them.

    Each task uses one core.  A process that dies is replaced, and what it had in hand is computed again.  A script needs no
    ``if __name__ == "__main__"``: it does not run again in the processes.

    Parameters
    ----------
    count
        How many; one for each core if None.

    Examples
    --------
    >>> import dynlab as dl
    >>> dl.Processes(4)
    Processes(count=4)
    """

    count: int | None = None

    def __post_init__(self) -> None:
        _check_workers(self.count, "processes")

    def open(self, packing: Packing, function: Any) -> Pool:
        """Start what runs the tasks."""
        return _Workers(packing, self.count or core_count())


class Pool(Protocol):
    """What the run hands batches to."""

    workers: int
    seconds: float

    def submit(self, batch: Batch) -> Future[Any]:
        """Hand out a batch."""

    def outcome(self, future: Future[Any]) -> Outcome | Future[Any]:
        """Return what came of a batch, or the future of one that had to be sent again; or raise why it is lost."""

    def expect(self, seconds: float) -> None:
        """Hear how long the rest is going to take on one core."""

    def mend(self) -> None:
        """Bring back workers that are gone for good; asked now and then."""

    def close(self) -> None:
        """End; what still runs is not waited for."""


def opened(executor: Any, packing: Packing, function: Any) -> Pool:
    """Return the pool of an executor.

    Raises
    ------
    SettingError
        If it is none.
    """
    if executor is None:
        return _Measured(packing, function)
    if isinstance(executor, Serial | Threads | Processes):
        return executor.open(packing, function)
    if isinstance(executor, str | int) or not hasattr(executor, "submit"):
        raise SettingError(
            f"the executor is {executor!r}. Give dl.Serial(), dl.Threads(), dl.Processes(), or an object with the "
            "submit(...) of concurrent.futures."
        )
    return Given.of(executor, packing)


def _check_workers(count: int | None, what: str) -> None:
    if count is not None:
        checked_count(count, f"the number of {what}")


class _Local:
    """Threads of this process; the main thread only waits, so that it hears Ctrl-C."""

    seconds = NEAR

    def __init__(self, function: Any, workers: int, cores: int | None) -> None:
        self.workers, self._cores = workers, cores
        self._function = function
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="dynlab-sweep")

    def submit(self, batch: Batch) -> Future[Any]:
        return self._pool.submit(contextvars.copy_context().run, self._compute, batch)

    def _compute(self, batch: Batch) -> Outcome:
        # One thread shows the progress inside a task; of several, none.
        shown = contextlib.nullcontext() if self.workers == 1 else observe(_unseen)
        with stop_when(self._stop.is_set), shown:
            return compute(self._function, batch, self._cores)

    def outcome(self, future: Future[Any]) -> Outcome:
        found: Outcome = future.result()
        return found

    def expect(self, seconds: float) -> None:
        pass

    def mend(self) -> None:
        pass

    def close(self) -> None:
        self._stop.set()
        self._pool.shutdown(wait=False, cancel_futures=True)


class _Workers:
    """Processes of this machine."""

    seconds = NEAR

    def __init__(self, packing: Packing, workers: int) -> None:
        self.workers = workers
        self._pool = Workers(packing, workers)

    def submit(self, batch: Batch) -> Future[Any]:
        return self._pool.submit(batch)

    def outcome(self, future: Future[Any]) -> Outcome:
        found: Outcome = future.result()
        return found

    def expect(self, seconds: float) -> None:
        pass

    def mend(self) -> None:
        pass

    def close(self) -> None:
        self._pool.close()


class _Measured:
    """One task after the other at first; processes as soon as they are worth their start."""

    seconds = NEAR

    def __init__(self, packing: Packing, function: Any) -> None:
        self.workers = 1
        self._packing = packing
        self._pool: Pool = _Local(function, 1, None)
        self._first, self._from_first = self._pool, set[Future[Any]]()
        self._cores = core_count()

    def submit(self, batch: Batch) -> Future[Any]:
        future = self._pool.submit(batch)
        if self._pool is self._first:
            self._from_first.add(future)
        return future

    def mend(self) -> None:
        pass

    def outcome(self, future: Future[Any]) -> Outcome | Future[Any]:
        if future in self._from_first:
            self._from_first.discard(future)
            return self._first.outcome(future)
        return self._pool.outcome(future)

    def expect(self, seconds: float) -> None:
        if self._pool is self._first and self._cores > 1 and seconds > LONG:
            self._pool = _Workers(self._packing, self._cores)
            self.workers = self._cores

    def close(self) -> None:
        self._first.close()
        if self._pool is not self._first:
            self._pool.close()


def _unseen(done: float, total: float, note: str) -> None:
    """Take no notice of the progress inside a task."""
