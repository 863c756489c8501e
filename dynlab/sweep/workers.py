"""Processes that compute batches, and may die: what one had in hand is lost, the others never notice.

A pool of `concurrent.futures` breaks as a whole when one of its processes is killed, and cannot say which task it was.
Here each process has a pipe and a thread that waits for it; nothing is shared that a dying process could leave locked.
The processes are new Pythons (never forks) that read from their standard input, and end when it ends: none
survives the one that started it.
"""

from __future__ import annotations

import contextlib
import pickle
import struct
import subprocess
import sys
import threading
from concurrent.futures import Future
from queue import SimpleQueue
from typing import IO, Any

import cloudpickle

from dynlab.errors import ComputationError
from dynlab.sweep.parcels import Lacking, Packing, Shipment
from dynlab.sweep.task import Batch, Outcome, Reason

__all__ = ["CannotStart", "WorkerDied", "Workers", "read_frame", "write_frame"]

_LENGTH = struct.Struct("<Q")
#: How often a process is started that dies before it says hello.
_STARTS = 3


class WorkerDied(ComputationError):
    """A worker process ended before it had answered."""


class CannotStart(ComputationError):
    """No worker process can be started, or none can load the function."""


def write_frame(stream: IO[bytes], content: bytes) -> None:
    """Write bytes with their length before them."""
    stream.write(_LENGTH.pack(len(content)) + content)
    stream.flush()


def read_frame(stream: IO[bytes]) -> bytes:
    """Read what `write_frame` wrote.

    Raises
    ------
    EOFError
        If the other side has ended.
    """
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    content = stream.read(length)
    if len(content) < length:
        raise EOFError
    return content


class Workers:
    """Worker processes that take one batch after the other."""

    def __init__(self, packing: Packing, count: int) -> None:
        self._packing = packing
        self._jobs: SimpleQueue[tuple[Future[Outcome], Shipment] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._threads = [
            threading.Thread(target=self._serve, name=f"dynlab-worker-{k}", daemon=True)
            for k in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, batch: Batch) -> Future[Outcome]:
        """Hand out a batch."""
        future: Future[Outcome] = Future()
        self._jobs.put((future, self._packing.shipment(batch)))
        return future

    def close(self) -> None:
        """Kill the processes, whatever they do; they hold nothing that anybody needs."""
        with self._lock:
            self._closed = True
            running = list(self._processes.values())
        for process in running:
            process.kill()
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join(timeout=0.5)

    def _serve(self) -> None:
        """Serve one process: the body of a thread."""
        process: subprocess.Popen[bytes] | None = None
        while (job := self._jobs.get()) is not None:
            future, shipment = job
            if self._closed or not future.set_running_or_notify_cancel():
                continue
            try:
                if process is None or process.poll() is not None:
                    self._forget(process)
                    process = self._started()
                answer = self._ask(process, shipment)
            except (OSError, EOFError):
                code = process.wait() if process else None
                future.set_exception(WorkerDied(f"a worker process {_ending(code)}"))
            except Exception as error:
                future.set_exception(error)
            else:
                future.set_result(answer)
        self._forget(process)

    def _ask(self, process: subprocess.Popen[bytes], shipment: Shipment) -> Any:
        """Return what a process answers; what it lacks is sent after."""
        assert process.stdin is not None
        assert process.stdout is not None
        while True:
            write_frame(process.stdin, pickled(shipment))
            answer = pickle.loads(read_frame(process.stdout))
            if not isinstance(answer, Lacking):
                return answer
            shipment = shipment.along_with(self._packing.parcels(answer.keys))

    def _started(self) -> subprocess.Popen[bytes]:
        """Start a process and wait until it has loaded the function."""
        code = None
        for _ in range(_STARTS):
            process = self._spawned()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                write_frame(process.stdin, pickled(self._packing.function))
                hello = pickle.loads(read_frame(process.stdout))
            except (OSError, EOFError):
                code = process.wait()
                self._forget(process)
                if self._closed:
                    break
                continue
            if isinstance(hello, Reason):
                self._forget(process)
                raise CannotStart(
                    f"the function cannot be loaded in another process: {hello.exception}: {hello.message}. Define it where "
                    "it is used or in a module on sys.path, or run with executor=dl.Threads()."
                )
            return process
        raise CannotStart(
            f"a worker process {_ending(code)} before it could begin, {_STARTS} times. Look at what it printed; is there "
            "memory for it? dl.Serial() needs no other process."
        )

    def _spawned(self) -> subprocess.Popen[bytes]:
        begin = (
            f"import sys; sys.path[:] = {sys.path!r}; from dynlab.sweep.worker import main; main()"
        )
        with self._lock:
            if self._closed:
                raise EOFError
            process = subprocess.Popen(
                [sys.executable, "-c", begin],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                **_APART,
            )
            self._processes[process.pid] = process
        return process

    def _forget(self, process: subprocess.Popen[bytes] | None) -> None:
        if process is None:
            return
        with self._lock:
            self._processes.pop(process.pid, None)
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()


#: Ctrl-C in a terminal is for the process that waits, not for its workers.
_APART: dict[str, Any] = (
    {"creationflags": 0x00000200} if sys.platform == "win32" else {"process_group": 0}
)


def pickled(value: Any) -> bytes:
    """Return a value as bytes for a worker."""
    content: bytes = cloudpickle.dumps(value)
    return content


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"was killed by signal {-code}"
    return f"ended with exit status {code}"
