r"""Journal: finished tasks on the disk, so that nothing is lost.

A journal is a file that only grows: a head and then a record for each batch of finished tasks, each in a frame.

======== ======================================================================================
bytes    a frame, numbers little-endian
======== ======================================================================================
4        ``DLJ1``
16       which study it belongs to: hash of design, function, seed and systems
8        length of the content
16       blake2b hash of the bytes before and of the content
...      content: a dynlab ``.npz`` file in small (`dynlab.store.packed`), never a pickle
======== ======================================================================================

The content of the head is a dict with ``format`` (1), ``design`` and ``function`` (hashes), ``name`` of the function,
``seed``, how many ``tasks`` there are, and which ``systems`` the function uses.  That of a record is a dict with ``tasks`` (their numbers), ``answers`` and
``failures`` (pairs of a task and its `Failure`).

Each record is handed to the system at once, and to the disk every second: a killed process loses nothing that was
written, a failure of power the last second.  A record that was not written whole, or whose hash does not fit, is left
out, and its tasks run again; the next frame is found by its first bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import mmap
import os
import struct
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO

from dynlab import store
from dynlab.errors import CheckpointError, DynlabWarning, StoreError

__all__ = [
    "FORMAT",
    "Identity",
    "Journal",
    "journal_of",
    "known_classes",
    "open_journal",
    "seed_in",
]

FORMAT = 1
_MARK = b"DLJ1"
_FRAME = struct.Struct("<4s16sQ")
_HASH = 16
#: How long a record may wait for the disk.
SECONDS = 1.0

_log = logging.getLogger("dynlab.sweep")


@dataclass(frozen=True, slots=True)
class Identity:
    """Which study it is.

    Attributes
    ----------
    design
        Hash of the points.
    function
        Hash of the function.
    name
        Name of the function.
    seed
        The seed, in words.
    tasks
        How many tasks there are.
    systems
        Which systems the function uses, in words.
    """

    design: str
    function: str
    name: str
    seed: str
    tasks: int
    systems: str = ""

    @property
    def digest(self) -> bytes:
        """What stands in each frame."""
        text = f"{self.design} {self.function} {self.seed} {self.tasks} {self.systems}".rstrip()
        return hashlib.blake2b(text.encode(), digest_size=16).digest()

    def head(self) -> dict[str, Any]:
        """Return the content of the head."""
        return {
            "format": FORMAT, "design": self.design, "function": self.function, "name": self.name,
            "seed": self.seed, "tasks": self.tasks, "systems": self.systems,
        }  # fmt: skip


def journal_of(path: Path) -> Path:
    """Return the journal of a checkpoint."""
    return path.with_name(path.name + ".journal")


class Journal:
    """A journal that is open for writing.  It holds a lock: no other run can write there."""

    def __init__(self, path: Path, stream: BinaryIO, identity: Identity) -> None:
        self.path, self._stream, self._identity = path, stream, identity
        self._synced = monotonic()

    def append(self, record: dict[str, Any]) -> None:
        """Write a record; what could not be written whole is taken back.

        Raises
        ------
        CheckpointError
            If the disk does not take it, or an answer is of a kind that cannot be stored.
        """
        try:
            frame = framed(self._identity.digest, store.packed(record))
        except StoreError as error:
            raise CheckpointError(
                f"an answer of {self._identity.name!r} cannot be kept in {str(self.path)!r}: {error} Return numbers, "
                "texts, arrays, results or dicts of these, or run without checkpoint=."
            ) from error
        before = self._stream.tell()
        try:
            self._stream.write(frame)
            self._stream.flush()
            if monotonic() - self._synced > SECONDS:
                self.sync()
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._stream.fileno(), before)
            raise _unwritable(self.path, error) from error

    def sync(self) -> None:
        """Hand everything to the disk."""
        os.fsync(self._stream.fileno())
        self._synced = monotonic()

    def close(self) -> None:
        """Hand everything to the disk and let go of the file."""
        if self._stream.closed:
            return
        with contextlib.suppress(OSError):
            self.sync()
        with contextlib.suppress(OSError):
            self._stream.close()

    def remove(self) -> None:
        """Delete the file: all it held stands elsewhere."""
        self.close()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def known_classes() -> Mapping[str, Callable[..., Any]]:
    """Return what a journal may hold: whatever `dynlab.load` reads."""
    from dynlab import (
        load,
    )  # the function: importing the module by name would hide it behind itself

    known: Mapping[str, Callable[..., Any]] = sys.modules[load.__module__].known_classes()
    return known


def framed(digest: bytes, content: bytes) -> bytes:
    """Return a frame with its content."""
    head = _FRAME.pack(_MARK, digest, len(content))
    return head + _hash(head, content) + content


def _hash(head: bytes, content: bytes) -> bytes:
    return hashlib.blake2b(head + content, digest_size=_HASH).digest()


def seed_in(path: Path) -> str | None:
    """Return the seed of the study that a journal belongs to; None if there is none to be read."""
    with contextlib.suppress(OSError, StoreError), path.open("rb") as stream:
        for _, _, content in frames(stream):
            return _head(content, path).get("seed")
    return None


def open_journal(path: Path, identity: Identity) -> tuple[Journal, list[dict[str, Any]]]:
    """Open a journal, a new one if there is none, and return what it holds.

    Raises
    ------
    CheckpointError
        If it is of another study, of a newer version, in use, or cannot be written.
    """
    records: list[dict[str, Any]] = []
    try:
        if path.exists() and path.stat().st_size:
            with path.open("r+b") as stream:
                _lock(stream, path)
                records = _read(path, identity)
        else:
            _begin(path, identity)
        stream = path.open("r+b")
        _lock(stream, path)
        stream.seek(0, os.SEEK_END)
    except OSError as error:
        raise _unwritable(path, error) from error
    return Journal(path, stream, identity), records


def _unwritable(path: Path, error: OSError) -> CheckpointError:
    return CheckpointError(
        f"the journal {str(path)!r} cannot be written ({error.strerror or error}). What was computed is in .partial of "
        "this error; make room or choose another path, and run again."
    )


def _begin(path: Path, identity: Identity, frames_kept: tuple[bytes, ...] = ()) -> None:
    """Write a journal that has a head and these frames; it appears whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as stream:
            stream.write(framed(identity.digest, store.packed(identity.head())))
            for frame in frames_kept:
                stream.write(frame)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _lock(stream: BinaryIO, path: Path) -> None:
    """Refuse a journal that another run is writing; the lock falls with the process."""
    try:
        import fcntl
    except ImportError:  # no such locks on this system
        return
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        stream.close()
        raise CheckpointError(
            f"the journal {str(path)!r} is in use by another run. Wait for it, or choose another path."
        ) from error


def frames(stream: BinaryIO) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield place, study and content of each frame whose hash fits; skip over what is damaged."""
    if os.fstat(stream.fileno()).st_size == 0:
        return
    content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    at = 0
    while (at := content.find(_MARK, at)) >= 0:
        end = at + _FRAME.size + _HASH
        if end > len(content):
            return
        head = content[at : at + _FRAME.size]
        _, digest, length = _FRAME.unpack(head)
        inner = content[end : end + length]
        if len(inner) == length and _hash(head, inner) == content[end - _HASH : end]:
            yield at, digest, inner
            at = end + length
        else:
            at += 1


def _read(path: Path, identity: Identity) -> list[dict[str, Any]]:
    """Return the records of a journal; a damaged one is written anew with what is good."""
    with path.open("rb") as stream:
        found = list(frames(stream))
        size = os.fstat(stream.fileno()).st_size
    if not found:
        raise CheckpointError(
            f"{str(path)!r} is no journal of a study, or nothing in it can be read. Move it away or choose another "
            "path; it was not changed."
        )
    own = [(at, content) for at, digest, content in found if digest == identity.digest]
    if found[0][0] == 0:
        _compare(_head(found[0][2], path), identity, path)
        own = own[1:]
    if not own and found[0][0] != 0:
        raise CheckpointError(
            f"the head of the journal {str(path)!r} is damaged and none of its records is of this study. Move it away "
            "or choose another path; it was not changed."
        )
    whole = sum(_FRAME.size + _HASH + len(content) for _, _, content in found)
    if whole < size:
        _tell_damage(path, found, size, whole)
        _begin(path, identity, tuple(framed(identity.digest, content) for _, content in own))
    known = known_classes()
    records = [store.unpacked(content, known, str(path)) for _, content in own]
    return [record for record in records if "tasks" in record and "format" not in record]


def _head(content: bytes, path: Path) -> dict[str, Any]:
    head = store.unpacked(content, {}, str(path))
    if not isinstance(head, dict) or "format" not in head:
        return {}
    if head["format"] > FORMAT:
        raise CheckpointError(
            f"the journal {str(path)!r} has format {head['format']}, and this dynlab reads up to {FORMAT}. Update dynlab."
        )
    return head


def _compare(head: dict[str, Any], identity: Identity, path: Path) -> None:
    """Refuse a journal of another study, and say what differs."""
    mine = identity.head()
    words = {
        "design": "the points", "function": "the function", "systems": "the system", "seed": "the seed",
    }  # fmt: skip
    other = [words[part] for part in words if head and head.get(part, "") != mine[part]]
    if other:
        verb = "differs" if len(other) == 1 and other[0] != "the points" else "differ"
        raise CheckpointError(
            f"{str(path)!r} belongs to another study: {' and '.join(other)} {verb} (it is of {head['name']!r}, "
            f"{head['tasks']} tasks, seed {head['seed']}{_of(head.get('systems', ''))}). Run that study, choose another path, or delete the file."
        )


def _of(systems: str) -> str:
    return f", with {systems}" if systems else ""


def _tell_damage(path: Path, found: list[tuple[int, bytes, bytes]], size: int, whole: int) -> None:
    last_at, _, last = found[-1]
    end = last_at + _FRAME.size + _HASH + len(last)
    if whole == end:
        _log.warning("%s ends in a record that was not written whole; its tasks run again", path)
        return
    warnings.warn(
        f"the journal {str(path)!r} is damaged: {size - whole} bytes of {size} cannot be read. The tasks that stood "
        "there run again.",
        DynlabWarning,
        stacklevel=2,
    )
