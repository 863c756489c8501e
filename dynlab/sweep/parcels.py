"""Parcels: what goes to a worker once, however many batches use it, known by the hash of its content.

The function of a study, with the arrays that it closes over, and heavy values of its axes, such as a bound network, are parcels.
A shipment of tasks names those that it needs.  A worker keeps what it has received; one that lacks something, because it is
new or has thrown it out, answers so, and the shipment goes out again with it.  This asks nothing of an executor but ``submit``.
"""

from __future__ import annotations

import hashlib
import pickle
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import cloudpickle

from dynlab.sweep.task import Batch, compute, travelling

__all__ = ["Lacking", "Packing", "Parcel", "Shelf", "Shipment", "compute_packed", "shelf"]

#: What is lighter travels along each time, in bytes: less than a question and its answer are worth.
LIGHT = 16 << 10
#: A worker throws out what it has not used for longest when it has more than this, in bytes.
ROOM = 1 << 30

_PLAIN = frozenset({bool, int, float, complex, str, type(None)})


@dataclass(frozen=True, slots=True)
class Parcel:
    """A value as bytes that travel, and their hash."""

    key: str
    content: bytes = field(repr=False)

    @classmethod
    def of(cls, value: Any) -> Parcel:
        """Pack a value; functions of a notebook or a script travel by value."""
        content = cloudpickle.dumps(value)
        return cls(hashlib.blake2b(content, digest_size=16).hexdigest(), content)


@dataclass(frozen=True, slots=True)
class Label:
    """Stands in a row for the value in a parcel."""

    key: str


@dataclass(frozen=True, slots=True)
class Lacking:
    """The answer of a worker that has not everything it needs."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shipment:
    """Tasks for a worker.

    Attributes
    ----------
    function
        Key of the function.
    batch
        The points, with labels for heavy values.
    needs
        Keys of all parcels without which they cannot be computed.
    parcels
        Those that travel along.
    """

    function: str
    batch: Batch
    needs: tuple[str, ...]
    parcels: tuple[Parcel, ...] = ()

    def along_with(self, parcels: Iterable[Parcel]) -> Shipment:
        """Return the same with these parcels."""
        return replace(self, parcels=tuple(parcels))


class Packing:
    """Where a study is packed.  Not frozen: it remembers what it has packed.

    Parameters
    ----------
    function
        The function of the study.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = Parcel.of(function)
        self._parcels = {self.function.key: self.function}
        # By identity, with the value itself, so that its identity is not given away again.
        self._labels: dict[int, tuple[Any, Label | None]] = {}

    def shipment(self, batch: Batch) -> Shipment:
        """Return a batch as it travels, without parcels."""
        needs = {self.function.key: None}
        rows = []
        for row in batch.rows:
            if all(type(value) in _PLAIN for value in row):
                rows.append(row)
                continue
            labelled = tuple(v if type(v) in _PLAIN else self._labelled(v) for v in row)
            needs |= {v.key: None for v in labelled if isinstance(v, Label)}
            rows.append(labelled)
        return Shipment(self.function.key, Batch(batch.names, rows), tuple(needs))

    def parcels(self, keys: Iterable[str]) -> list[Parcel]:
        """Return parcels by their keys."""
        return [self._parcels[key] for key in keys]

    def _labelled(self, value: Any) -> Any:
        """Return the label of a value that is heavy, or the value."""
        known = self._labels.get(id(value))
        if known is None:
            try:
                parcel = Parcel.of(value)
            except Exception:  # it cannot travel; so it is told where the batch is sent
                return value
            heavy = len(parcel.content) > LIGHT
            if heavy:
                self._parcels[parcel.key] = parcel
            known = (value, Label(parcel.key) if heavy else None)
            self._labels[id(value)] = known
        return known[0] if known[1] is None else known[1]


class Shelf:
    """What a worker has received, unpacked; all its threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, tuple[Any, int]] = {}

    def put(self, parcel: Parcel) -> None:
        """Unpack a parcel and keep what is in it."""
        with self._lock:
            if parcel.key not in self._held:
                size = len(parcel.content)
                used = size + sum(held for _, held in self._held.values())
                while self._held and used > ROOM:
                    used -= self._held.pop(next(iter(self._held)))[1]
                self._held[parcel.key] = (pickle.loads(parcel.content), size)

    def get(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return those of the values that are here; the dict holds them, whatever is thrown out meanwhile."""
        with self._lock:
            found = {key: self._held.pop(key) for key in keys if key in self._held}
            self._held |= found  # now the last to go
        return {key: value for key, (value, _) in found.items()}


#: That of this process.
shelf = Shelf()


def compute_packed(shipment: Shipment) -> bytes:
    """Compute a shipment where it has arrived; return an `Outcome`, or what is `Lacking`, as bytes."""
    for parcel in shipment.parcels:
        shelf.put(parcel)
    here = shelf.get(shipment.needs)
    lacking = tuple(key for key in shipment.needs if key not in here)
    if lacking:
        return pickle.dumps(Lacking(lacking))
    rows = [
        tuple(here[v.key] if isinstance(v, Label) else v for v in row)
        for row in shipment.batch.rows
    ]
    outcome = compute(here[shipment.function], Batch(shipment.batch.names, rows), 1)
    return travelling(outcome)
