"""Nearness: how far a state is from the points or the curve that an attractor was verified to be.

Cells alone cannot tell attractors apart that lie in one cell.  Where they share cells, an orbit counts as on one of
them when it is near enough to its points, or to the polygon along its cycle.  Distances are the largest over the states,
each in a unit of its own; a state with an infinite unit does not count.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.attractors.verify import Verified
from dynlab.cycles.cycle import Cycle
from dynlab.equilibria.orbits import PeriodicOrbit, points_of
from dynlab.equilibria.stability import Equilibrium
from dynlab.kernels import recurrence_automaton as automaton
from dynlab.point import whole_turns
from dynlab.symbolic.system import System

__all__ = ["ALONG", "Traces", "distances", "trace_of"]

Array = NDArray[np.float64]

#: Places along a cycle.
ALONG = 2000


class Trace(NamedTuple):
    """The points that stand for an attractor, and whether they follow each other along a curve."""

    points: Array
    is_curve: bool


def trace_of(system: System, verified: Verified | None, strobed: Array | None) -> Trace | None:
    """Return where an attractor lies, None if that is not known exactly.

    ``strobed`` are the samples that stand for a cycle seen only once a turn of a drive.
    """
    if isinstance(verified, Equilibrium):
        return Trace(np.atleast_2d(verified.state), is_curve=False)
    if isinstance(verified, PeriodicOrbit):
        return Trace(points_of(system, verified.state, verified.period), is_curve=False)
    if isinstance(verified, Cycle):
        if strobed is not None:
            return Trace(strobed, is_curve=False)
        return Trace(np.asarray(verified.orbit.at(np.linspace(0.0, 1.0, ALONG + 1))), is_curve=True)
    return None


def distances(system: System, states: Array, trace: Trace, unit: Array) -> Array:
    """Return how far each of some states is from a trace."""
    out, turns = np.empty(len(states)), np.asarray(whole_turns(system), float)
    rows, points = (np.ascontiguousarray(a, float) for a in (states, trace.points))
    automaton.distances(rows, points, int(trace.is_curve), np.asarray(unit, float), turns, out)
    return out


class Traces(NamedTuple):
    """The traces of those attractors that share cells with others, as the compiled loops want them.

    Attributes
    ----------
    points, first, joined
        All points; where those of each attractor begin, and the end; whether they are joined to a curve.
    near
        How near counts, a row for each attractor: nan where cells tell it from all others, infinite
        where nothing is known of it but cells.
    turns
        How long a whole turn of each state is, 0 for what is no angle.
    """

    points: Array
    first: NDArray[np.int64]
    joined: NDArray[np.int64]
    near: Array
    turns: Array

    @classmethod
    def of(cls, system: System, traces: list[Trace | None], near: Array) -> Traces:
        """Return them; a trace counts where its `near` is finite."""
        n = near.shape[1]
        kept = [
            t
            if t is not None and not np.isnan(row).any()
            else Trace(np.zeros((0, n)), is_curve=False)
            for t, row in zip(traces, near, strict=True)
        ]
        counts = [len(t.points) for t in kept]
        points = np.concatenate([np.zeros((0, n)), *(t.points for t in kept)])
        return cls(
            np.ascontiguousarray(points),
            np.cumsum([0, *counts]).astype(np.int64),
            np.array([int(t.is_curve) for t in kept], np.int64),
            np.ascontiguousarray(near, float),
            np.asarray(whole_turns(system), float),
        )
