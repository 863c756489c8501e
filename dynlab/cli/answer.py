"""Answer: what a command gives back, as text for people and as one JSON document for programs.

JSON has no words for nan and infinity, and what Python writes for them no other program reads: here nan
is null, and infinity is the text "inf" or "-inf".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dynlab.status import Status

__all__ = [
    "BAD_INPUT",
    "GOOD",
    "INTERRUPTED",
    "NO_ANSWER",
    "Answer",
    "plain",
    "refusal",
]

GOOD, NO_ANSWER, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command found."""

    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    status: Status = Status.OK
    files: tuple[Path, ...] = ()

    @property
    def code(self) -> int:
        """The exit status."""
        if self.status is Status.STOPPED:
            return INTERRUPTED
        return GOOD if self.status.ok else NO_ANSWER

    def document(self, command: str) -> str:
        """Return the answer as a JSON document."""
        head = {"command": command, "ok": self.status.ok, "status": str(self.status)}
        files = {"files": [str(path) for path in self.files]}
        return _written(head | dict(self.data) | files)


def refusal(command: str, message: str, kind: str, files: tuple[Path, ...] = ()) -> str:
    """Return the JSON document of a command that gave no answer, with the files that are there all the same."""
    there = {"files": [str(path) for path in files]} if files else {}
    error = {"kind": kind, "message": message}
    return _written({"command": command, "ok": False, "error": error} | there)


def _written(document: Mapping[str, Any]) -> str:
    return json.dumps(plain(document), allow_nan=False, ensure_ascii=False, indent=2)


def plain(value: Any) -> Any:
    """Return a value in the words of JSON."""
    if value is None or isinstance(value, bool | np.bool_):
        return None if value is None else bool(value)
    if isinstance(value, Status) or not isinstance(value, _KNOWN):
        return str(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return _number(float(value))
    if isinstance(value, complex | np.complexfloating):
        return {"real": _number(float(value.real)), "imaginary": _number(float(value.imag))}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value]


_KNOWN = (str, int, float, complex, np.generic, np.ndarray, Mapping, list, tuple)


def _number(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else "inf" if value > 0 else "-inf"
