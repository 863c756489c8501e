"""Ambient progress and the wish to stop: no function has a progress argument.

Long computations call `tick` between their chunks.  Without an observer that is one comparison.
Ctrl-C during a computation ends it within one chunk (at most some 50 ms) and the function
returns what it has, with `Status.STOPPED`.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import math
import re
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dynlab.errors import SettingError
from dynlab.names import finite

__all__ = [
    "Told", "observe", "observe_in_turn", "progress_bar", "progress_log", "stop_after", "stop_when", "tick",
]  # fmt: skip

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
def observe_in_turn() -> Iterator[None]:
    """Let threads that share the observer of this one call it one at a time."""
    observer = _observer.get()
    if observer is None:
        yield
        return
    lock = threading.Lock()

    def call(done: float, total: float, note: str) -> None:
        with lock:
            observer(done, total, note)

    with observe(call):
        yield


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
    """Show how far the computations in the block are, one bar inside another, and when they will be done.

    In a terminal on standard error, in a notebook below the cell.  Elsewhere (a file, a batch job, a test)
    nothing is shown; there `progress_log` tells.

    Examples
    --------
    >>> import dynlab as dl
    >>> with dl.progress_bar():
    ...     run = dl.integrate(dl.zoo.lorenz, duration=10)
    """
    if not (_in_notebook() or sys.stderr.isatty()):
        yield
        return
    bars: list[Any] = []
    told = Told()
    try:
        with observe(lambda done, total, note: _draw(told, bars, (done, total, note))):
            yield
    finally:
        _close(bars, 0)


@contextlib.contextmanager
def progress_log(*, every: float = 10.0) -> Iterator[None]:
    """Log how far the computations in the block are, through the logger ``dynlab`` at level INFO.

    Parameters
    ----------
    every
        Seconds between two lines.

    Raises
    ------
    SettingError
        If it is not a positive number.

    Examples
    --------
    >>> import dynlab as dl, logging
    >>> logging.basicConfig(level=logging.INFO)
    >>> with dl.progress_log(every=60):
    ...     run = dl.integrate(dl.zoo.lorenz, duration=10)
    """
    seconds = finite(every, "every")
    if seconds <= 0:
        raise SettingError(f"every is {seconds:g} s between two lines; give a positive number.")
    told = Told(seconds)

    def log(done: float, total: float, note: str) -> None:
        if told.hears(done, total, note):
            logging.getLogger("dynlab").info("%s", told.line())

    with observe(log):
        yield


@dataclass(slots=True)
class Level:
    """One computation among those that run inside each other."""

    note: str
    began: float
    done: float = 0.0
    total: float = 1.0

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        return min(1.0, self.done / self.total) if self.total > 0 else 1.0

    def remaining(self, now: float) -> float | None:
        """Return how many seconds it will take from now on at the pace so far, None if that is unknown."""
        if self.share <= 0:
            return None
        return (now - self.began) * (1.0 - self.share) / self.share


@dataclass(slots=True)
class Told:
    """Which computations run inside each other, as far as their ticks tell.

    A computation that ticks again ends all that were begun inside it.  One that is not finished when
    another begins contains it.  Notes are the same if they differ in numbers alone.
    """

    every: float = 0.1
    levels: list[Level] = field(default_factory=list)
    drawn: float = -math.inf

    def hears(self, done: float, total: float, note: str) -> bool:
        """Take a tick; return whether it is time to show something."""
        if not note:
            return False  # it only asks whether to go on
        now = time.monotonic()
        known = [_words(level.note) for level in self.levels]
        if _words(note) in known:
            del self.levels[known.index(_words(note)) + 1 :]
            if done < self.levels[-1].done:
                self.levels[-1].began = now  # the same computation once more
        else:
            while self.levels and self.levels[-1].share >= 1.0:
                self.levels.pop()
            self.levels = [*self.levels[: _MOST_LEVELS - 1], Level(note, now)]
        last = self.levels[-1]
        last.note, last.done, last.total = note, done, total
        if now - self.drawn < self.every:
            return False
        self.drawn = now
        return True

    def line(self) -> str:
        """Return the state of all levels as one line of text."""
        now = time.monotonic()
        return " > ".join(
            f"{level.note} {level.share:.0%}" + _left(level.remaining(now)) for level in self.levels
        )


_MOST_LEVELS = 4


def _words(note: str) -> str:
    return re.sub(r"[-+]?[\d.][\d.e+-]*", "#", note)


def _left(seconds: float | None) -> str:
    return "" if seconds is None or seconds < 1 else f" ({seconds:.0f} s left)"


def _draw(told: Told, bars: list[Any], heard: tuple[float, float, str]) -> None:
    """Bring the bars to what is told."""
    if not told.hears(*heard):
        return
    _close(bars, len(told.levels))
    while len(bars) < len(told.levels):
        bars.append(_new_bar(len(bars), told.levels[len(bars)].note))
    for bar, level in zip(bars, told.levels, strict=True):
        seconds = level.remaining(time.monotonic())
        bar.set_description_str(level.note, refresh=False)
        bar.set_postfix_str(
            "" if seconds is None else f"{bar.format_interval(seconds)} left", refresh=False
        )
        bar.n = level.share
        bar.refresh()


def _close(bars: list[Any], kept: int) -> None:
    while len(bars) > kept:
        bars.pop().close()


def _new_bar(place: int, note: str) -> Any:
    with warnings.catch_warnings():
        # Without ipywidgets a notebook gets the bar of a terminal, and tqdm says so.
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm

        return tqdm(
            total=1.0, position=place, leave=False, desc=note,
            bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}{postfix}",
        )  # fmt: skip


def _in_notebook() -> bool:
    """Return whether this is the kernel of a notebook, without loading anything."""
    ipython = sys.modules.get("IPython")
    shell = (
        ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    )
    return shell is not None and type(shell).__name__ == "ZMQInteractiveShell"
