"""Ctrl-C as a wish to stop: computations end with what they have, which is then written.

The first Ctrl-C asks every computation to end at its next tick, some 50 ms away.  What does not tick
(compiling, an import) is interrupted after `PATIENCE`, or by a second Ctrl-C.
"""

from __future__ import annotations

import _thread
import contextlib
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from dynlab.progress import stop_when

__all__ = ["Stopped", "interruptible", "telling"]

#: Seconds that a computation has to end by itself.
PATIENCE = 0.7


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Turn Ctrl-C into a wish to stop, for the computations in the block."""
    wish = threading.Event()
    timer = threading.Timer(PATIENCE, _interrupt, [threading.get_ident()])
    timer.daemon = True

    def ask(number: int, frame: object) -> None:
        if wish.is_set():
            raise KeyboardInterrupt
        wish.set()
        timer.start()

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears signals
        return
    before = signal.signal(signal.SIGINT, ask)
    try:
        with stop_when(wish.is_set):
            yield
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, before)


class Stopped(KeyboardInterrupt):
    """Ctrl-C at a time when something was on the disk already.

    Attributes
    ----------
    files
        What is there.
    """

    def __init__(self, files: tuple[Path, ...], advice: str = "") -> None:
        listed = ", ".join(str(path) for path in files)
        super().__init__(
            f"stopped before everything was written; on the disk: {listed}. {advice}".rstrip()
            if files
            else "stopped before there was anything to keep"
        )
        self.files = files


@contextlib.contextmanager
def telling(files: Callable[[], Iterable[Path]], advice: str = "") -> Iterator[None]:
    """Say which files are there if Ctrl-C ends the block."""
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped(tuple(files()), advice) from None


def _interrupt(thread: int) -> None:
    """Send SIGINT, also to a thread that waits in a system call."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(thread, signal.SIGINT)
    else:
        _thread.interrupt_main()
