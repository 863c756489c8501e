"""Long compiled loops in chunks, so that they can be watched and stopped."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from dynlab.kernels.convention import RUNNING
from dynlab.progress import tick
from dynlab.status import Status

__all__ = ["in_chunks"]

#: A chunk should take about this long: short enough to stop at once, long enough to cost nothing.
SECONDS = 0.03
MOST_STEPS = 1 << 17
MOST_GROWTH = 8.0


def in_chunks(
    take: Callable[[int], int], done: Callable[[], float], total: float, note: str, steps: int
) -> Status:
    """Call ``take(steps)`` until it returns something else than RUNNING.

    Ctrl-C, or the end of the time given by `dynlab.stop_after`, ends it between two chunks with
    STOPPED.  The signal can come at any point of this function, so `take` must keep what a chunk
    writes where it will be found before the chunk begins.

    Parameters
    ----------
    take
        Takes at most so many steps and returns a status.
    done
        How much of `total` is done.
    total, note
        For the progress display.
    steps
        Size of the first chunk; the following ones are sized by the time that the last one took.
    """
    try:
        while True:
            began = perf_counter()
            status = take(steps)
            if status != RUNNING:
                tick(total, total, note)
                return Status(status)
            if not tick(done(), total, note):
                return Status.STOPPED
            growth = SECONDS / max(perf_counter() - began, 1e-9)
            steps = int(min(max(1.0, steps * min(growth, MOST_GROWTH)), MOST_STEPS))
    except KeyboardInterrupt:
        return Status.STOPPED
