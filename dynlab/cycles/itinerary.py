"""The itinerary of a cycle with events: which stretches follow each other, and what ends each of them.

A stretch is a piece of a cycle along which the flow is smooth.  It is ended by events at one instant, by
the end of a time for which an event holds states, or by a cut, where nothing happens: there it is as long as
another stretch.  The first begins, and the last ends, in the middle of the longest leg of the cycle, which
fixes the phase.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.cycles.passage import Passages, instants
from dynlab.solve.legs import pause_of
from dynlab.solve.trajectory import Trajectory

__all__ = ["Itinerary", "Stretch", "Travelled", "followed", "travelled"]

Vector = NDArray[np.float64]

#: Two events are one if the states before them differ by less than this part of the units.
_SAME = 1e-6


class Stretch(NamedTuple):
    """A piece of a cycle: the flow along it, and how it ends.

    Parameters
    ----------
    held
        States that stand still.
    sides
        For each event of direction 0 the side of its guard, else 0.
    deaf
        Events in their refractory time.
    events
        The events at its end, in their order.
    released
        The event whose hold ends there, or -1.
    since
        The stretch after which that hold began.
    like
        Of a cut: the stretch that takes as long, or -1.
    """

    held: frozenset[str]
    sides: tuple[int, ...]
    deaf: frozenset[int]
    events: tuple[int, ...] = ()
    released: int = -1
    since: int = -1
    like: int = -1


@dataclass(frozen=True, slots=True)
class Itinerary:
    """The stretches of a cycle, in their order; those of a doubled cycle come in two like halves."""

    stretches: tuple[Stretch, ...]
    is_doubled: bool = False

    def __len__(self) -> int:
        return len(self.stretches)

    @property
    def holds(self) -> tuple[int, ...]:
        """The stretches that end with the end of a hold."""
        return tuple(k for k, each in enumerate(self.stretches) if each.released >= 0)

    @property
    def starts(self) -> tuple[int, ...]:
        """The stretches that begin at a cut, the first among them."""
        after = (k + 1 for k, each in enumerate(self.stretches[:-1]) if each.like >= 0)
        return (0, *after)

    def twice(self) -> Itinerary:
        """Return the itinerary of the same cycle gone round twice."""
        count = len(self)
        again = [
            each._replace(
                since=each.since + count if each.released >= 0 else -1,
                like=each.like + count if each.like >= 0 else -1,
            )
            for each in self.stretches
        ]
        half = self.stretches[-1]._replace(like=count)
        again[-1] = self.stretches[-1]
        return Itinerary((*self.stretches[:-1], half, *again), is_doubled=True)

    def tied(self, chosen: set[int]) -> set[int]:
        """Return some stretches and those that must be cut with them, to keep the ties between them."""
        found, count = set(chosen), len(self)
        while True:
            more = {self.stretches[k].like for k in found if self.stretches[k].like >= 0}
            more |= {k for k, each in enumerate(self.stretches) if each.like in found}
            if self.is_doubled:
                more |= {(k + count // 2) % count for k in found}
            if more <= found:
                return found
            found |= more

    def cut(self, chosen: set[int]) -> Itinerary:
        """Return the itinerary with some stretches cut into halves."""
        first = [k + sum(j < k for j in chosen) for k in range(len(self))]
        last = [first[k] + (k in chosen) for k in range(len(self))]
        made: list[Stretch] = []
        for k, each in enumerate(self.stretches):
            if k in chosen:
                made.append(each._replace(events=(), released=-1, since=-1, like=last[k]))
            since = last[each.since] if each.released >= 0 else -1
            made.append(each._replace(since=since, like=first[each.like] if each.like >= 0 else -1))
        return replace(self, stretches=tuple(made))


class Travelled(NamedTuple):
    """A turn that was run: its itinerary, where each stretch begins, and how long it takes."""

    itinerary: Itinerary
    states: Vector
    durations: Vector


def travelled(passages: Passages, run: Trajectory, period: float) -> Travelled | None:
    """Return what a run over a period from the middle of a leg has gone through; None if no event happened."""
    system, coming = passages.system, instants(run)
    ends: list[tuple[float, int, int]] = []
    found: list[Stretch] = []
    states, durations, time = [run.at([0.0]).values[0]], [], 0.0
    while True:
        stop = min([end for end, *_ in ends] + [instant.time for instant in coming[:1]] + [period])
        middle = run.at([0.5 * (time + stop)]).values[0]
        deaf = frozenset(g for _, g, _ in ends)
        held = frozenset().union(*(system.events[g].held for g in deaf))
        stretch = Stretch(held, passages.sides(middle), deaf)
        durations.append(stop - time)
        time = stop
        if coming and coming[0].time == stop:
            events = coming.pop(0).events
            pauses = [(pause_of(system, system.events[g]), g) for g in events]
            ends += [(time + pause, g, len(found)) for pause, g in pauses if pause > 0]
            found.append(stretch._replace(events=events))
            states.append(run.at([time]).values[0])
        elif ends and min(ends)[0] == stop:
            _, g, since = ends.pop(ends.index(min(ends)))
            found.append(stretch._replace(released=g, since=since))
            states.append(run.at([time]).values[0])
        else:
            break
    if not found:
        return None
    found.append(stretch._replace(like=0))
    return Travelled(Itinerary(tuple(found)), np.array(states), np.array(durations))


def followed(stretches: Sequence[Stretch], run: Trajectory, ends: Vector, units: Vector) -> bool:
    """Whether a run meets the events of some stretches, and no others, in the states where these end."""
    seen, met = instants(run), [bool(each.events) for each in stretches]
    if [instant.events for instant in seen] != [each.events for each in stretches if each.events]:
        return False
    if not seen:
        return True
    found = np.array([instant.before for instant in seen])
    return bool(np.all(np.abs(found - ends[met]) <= _SAME * units))
