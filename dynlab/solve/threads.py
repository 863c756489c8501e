"""Work in pieces on all cores; the main thread only waits, so that it can be stopped at once.

Compiled loops release Python's lock, so threads are enough.  What the pieces are must not depend on
how many threads there are: then no result does.
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from dynlab.errors import SettingError
from dynlab.names import finite
from dynlab.progress import stop_when, tick
from dynlab.status import Status

__all__ = ["on_threads", "threads"]

#: How often the main thread looks up: progress, the time limit, Ctrl-C.
SECONDS = 0.02

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


def _count() -> int:
    chosen = _chosen.get()
    if chosen is not None:
        return chosen
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def on_threads(
    pieces: Sequence[Callable[[], None]], done: Callable[[], float], total: float, note: str
) -> Status:
    """Run all pieces of work; return OK, or STOPPED if asked to end before.

    Parameters
    ----------
    pieces
        Each must ask `dynlab.progress.tick` every 50 ms whether to go on, and keep what it has
        where it will be found.
    done
        How much of `total` is done.
    total, note
        For the progress display.
    """
    stop = threading.Event()

    def work(piece: Callable[[], None]) -> None:
        with stop_when(stop.is_set):
            if not stop.is_set():
                piece()

    pool = ThreadPoolExecutor(min(_count(), max(len(pieces), 1)), thread_name_prefix="dynlab")
    try:
        if not tick(0.0, total, note):
            return Status.STOPPED
        pending = {pool.submit(work, piece) for piece in pieces}
        while pending:
            ended, pending = wait(pending, SECONDS, FIRST_EXCEPTION)
            for future in ended:
                future.result()
            if pending and not tick(done(), total, note):
                return Status.STOPPED
        tick(total, total, note)
    except KeyboardInterrupt:
        return Status.STOPPED
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
    return Status.OK
