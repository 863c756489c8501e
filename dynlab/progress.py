"""Ambient progress and the wish to stop: no function has a progress argument.

Long computations call `tick` between their chunks.  Without an observer that is one comparison.
Ctrl-C during a computation ends it within one chunk (at most some 50 ms) and the function
returns what it has, with `Status.STOPPED`.
"""

from __future__ import annotations

import contextlib
import contextvars
import time
from collections.abc import Callable, Iterator

__all__ = ["observe", "progress_bar", "stop_after", "stop_when", "tick"]

Observer = Callable[[float, float, str], None]

_observer: contextvars.ContextVar[Observer | None] = contextvars.ContextVar(
    "observer", default=None
)
_deadline: contextvars.ContextVar[float | None] = contextvars.ContextVar("deadline", default=None)
_wish: contextvars.ContextVar[Callable[[], bool] | None] = contextvars.ContextVar(
    "wish", default=None
)


def tick(done: float, total: float, note: str = "") -> bool:
    """Report progress; return whether the computation should go on."""
    observer = _observer.get()
    if observer is not None:
        observer(done, total, note)
    deadline, wish = _deadline.get(), _wish.get()
    if wish is not None and wish():
        return False
    return deadline is None or time.monotonic() < deadline


@contextlib.contextmanager
def observe(observer: Observer) -> Iterator[None]:
    """Call ``observer(done, total, note)`` at each tick inside the block."""
    token = _observer.set(observer)
    try:
        yield
    finally:
        _observer.reset(token)


@contextlib.contextmanager
def stop_when(wish: Callable[[], bool]) -> Iterator[None]:
    """Ask every computation in the block to end, with what it has, once ``wish()`` is true.

    A thread has no observer and no deadline of its own; this carries the wish of the one that waits
    for it.
    """
    token = _wish.set(wish)
    try:
        yield
    finally:
        _wish.reset(token)


@contextlib.contextmanager
def stop_after(seconds: float) -> Iterator[None]:
    """Ask every computation in the block to end, with what it has, after that many seconds.

    Examples
    --------
    >>> import dynlab as dl
    >>> with dl.stop_after(10):
    ...     run = dl.integrate(dl.zoo.lorenz, duration=10)
    >>> run.status.ok
    True
    """
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


@contextlib.contextmanager
def progress_bar() -> Iterator[None]:
    """Show a progress bar on standard error for each computation in the block."""
    from tqdm import tqdm

    with tqdm(total=1.0, bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}") as bar:

        def show(done: float, total: float, note: str) -> None:
            if note:
                bar.set_description_str(note, refresh=False)
            bar.n = min(1.0, done / total) if total > 0 else 1.0
            bar.refresh()

        with observe(show):
            yield
