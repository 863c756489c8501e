"""What runs in a worker process: one batch after the other, until its standard input ends."""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
import threading
from queue import SimpleQueue
from typing import BinaryIO

import cloudpickle

from dynlab.sweep.parcels import compute_packed, shelf
from dynlab.sweep.task import reason_of
from dynlab.sweep.workers import read_frame, write_frame

__all__ = ["main"]


def main() -> None:
    """Answer what comes on standard input on standard output, which nobody else may use."""
    incoming = os.fdopen(os.dup(0), "rb")
    outgoing = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)  # what a function prints goes to the terminal, not between the answers
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    jobs: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_receive, args=(incoming, jobs), daemon=True).start()
    try:
        shelf.put(pickle.loads(jobs.get()))
        hello = None
    except Exception as error:  # loading runs code of the user
        hello = reason_of(error)
    with contextlib.suppress(OSError):  # nobody is there any more
        write_frame(outgoing, cloudpickle.dumps(hello))
        while hello is None:
            write_frame(outgoing, compute_packed(pickle.loads(jobs.get())))
    os._exit(0)


def _receive(incoming: BinaryIO, jobs: SimpleQueue[bytes]) -> None:
    """Take in what comes; end at once when nobody is there any more, whatever is being computed."""
    try:
        while True:
            jobs.put(read_frame(incoming))
    except (EOFError, OSError):
        os._exit(0)
