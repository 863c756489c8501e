"""Work in pieces on all cores; the main thread only waits, so that it can be stopped at once.

Compiled loops release Python's lock, so threads are enough.  What the pieces are must not depend on
how many threads there are: then no result does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from dynlab.cores import thread_count
from dynlab.progress import stop_when, tick
from dynlab.status import Status

__all__ = ["on_threads"]

#: How often the main thread looks up: progress, the time limit, Ctrl-C.
SECONDS = 0.02


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

    pool = ThreadPoolExecutor(min(thread_count(), max(len(pieces), 1)), thread_name_prefix="dynlab")
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
