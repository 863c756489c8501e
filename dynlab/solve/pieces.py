"""Pieces of a recorded run: the steps of one chunk each, as polynomials."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.solve.trajectory import Steps
from dynlab.status import Status

__all__ = ["Kept", "joined", "read", "room"]

Array = NDArray[np.float64]


class Kept(NamedTuple):
    """What a run leaves, in arrays; `end` is the time and the state where it ended."""

    status: Status
    t: Array
    values: Array
    steps: Steps | None
    events: dict[str, Any]
    end: Array


def room(steps: int, powers: int, n: int) -> Steps:
    """Return room for the steps of a chunk; size 0 marks a row that has not been written."""
    return Steps(np.empty(steps), np.zeros(steps), np.empty((steps, powers, n)))


def joined(pieces: list[Steps], powers: int, n: int) -> Steps:
    """Return the written rows of all chunks."""
    rows = [int(np.count_nonzero(piece.sizes)) for piece in pieces]
    if not pieces:
        return room(0, powers, n)
    return Steps(*(
        np.concatenate([getattr(p, name)[:m] for p, m in zip(pieces, rows, strict=True)])
        for name in ("starts", "sizes", "coefficients")
    ))  # fmt: skip


def read(pieces: list[Steps], times: Array, values: Array) -> None:
    """Write the states at the times inside the pieces, and let go of the pieces."""
    for piece in pieces:
        rows = int(np.count_nonzero(piece.sizes))
        if rows:
            last = abs(piece.starts[rows - 1] + piece.sizes[rows - 1])
            size = np.abs(times)
            inside = (size >= abs(piece.starts[0])) & (size <= last * (1 + 1e-14))
            written = Steps(piece.starts[:rows], piece.sizes[:rows], piece.coefficients[:rows])
            values[inside] = written(times[inside])
    pieces.clear()
