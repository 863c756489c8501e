"""Which attractor at one parameter value is which at another.

An attractor inherits the number of the one before from which an orbit, started on it, leads there; of several
the one that is nearest.  What is too far off to be the same, and what nothing leads to, is matched to the
nearest that was seen before and is not taken, or gets a new number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dynlab.attractors.attractor import Attractor

__all__ = ["matched"]

Array = NDArray[np.float64]


def matched(
    before: Mapping[int, Attractor],
    heirs: Mapping[int, int],
    now: Sequence[Attractor],
    size: Array,
    farthest: float,
) -> dict[int, int]:
    """Return the number of each attractor by its label.

    Parameters
    ----------
    before
        The attractors known, as they were last seen, by number.
    heirs
        For those of the last value the label that an orbit from them leads to.
    now
        The attractors found here, by label.
    size
        What each state is measured in: the width of the box.
    farthest
        A larger distance is too far off to be the same.
    """
    gaps = {
        (number, item.label): old.distance(item, size)
        for number, old in before.items()
        for item in now
    }
    pairs = sorted((gaps[number, label], number, label) for number, label in heirs.items())
    others = sorted((gap, *pair) for pair, gap in gaps.items())
    found: dict[int, int] = {}
    for gap, number, label in (*pairs, *others):
        if gap <= farthest and label not in found and number not in found.values():
            found[label] = number
    fresh = max([*before, -1]) + 1
    for item in now:
        if item.label not in found:
            found[item.label] = fresh
            fresh += 1
    return found
