"""From a long cycle to a first guess of a connecting orbit: where the cycle passes equilibria, and the part between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.curves.connection import Connection
from dynlab.cycles.problem import Orbit
from dynlab.point import apart, whole_turns
from dynlab.symbolic.system import System

__all__ = ["Passage", "excursions", "passages"]

Vector = NDArray[np.float64]

#: A cycle passes an equilibrium where it comes this near, in units of the states, and again only where it
#: has been `_AWAY` in between.
_NEAR, _AWAY = 0.1, 0.2
_EACH = 24


class Passage(NamedTuple):
    """Where on a cycle (a part of the period) it is nearest to an equilibrium, and to which one."""

    place: float
    equilibrium: int
    distance: float


def passages(system: System, orbit: Orbit, rests: Sequence[Vector], units: Vector) -> list[Passage]:
    """Return the passages of a cycle by some equilibria, in the order of time.

    Those that are far less near than the nearest one to the same equilibrium are none: a homoclinic orbit of two turns comes back
    to the neighbourhood of its saddle after the first.
    """
    inner = orbit.mesh[:-1, None] + np.diff(orbit.mesh)[:, None] * (np.arange(_EACH) / _EACH)
    places = inner.ravel()
    states = orbit.at(places)
    far = np.array([np.linalg.norm(apart(system, states, x) / units, axis=1) for x in rests])
    which = np.argmin(far, axis=0)
    distance = np.min(far, axis=0)
    nearest = np.min(far, axis=1)
    limit = np.minimum(_NEAR, np.maximum(0.5 * np.sqrt(nearest), 3.0 * nearest))[which]
    # Start the round where the cycle is farthest from all of them.
    turn = int(np.argmax(distance))
    found: list[Passage] = []
    away = True
    for k in np.roll(np.arange(len(places)), -turn):
        same = bool(found) and found[-1].equilibrium == which[k]
        away = away or distance[k] > _AWAY or (not same and distance[k] <= limit[k])
        if distance[k] > limit[k]:
            continue
        here = Passage(float(places[k]), int(which[k]), float(distance[k]))
        if away:
            found.append(here)
            away = False
        elif here.distance < found[-1].distance:
            found[-1] = here
    return found


def excursions(
    system: System, orbit: Orbit, rests: Sequence[Vector], units: Vector, values: Vector
) -> list[tuple[int, int, Connection]]:
    """Return the parts of a cycle from each passage to the next, with the equilibria they connect."""
    found = passages(system, orbit, rests, units)
    result = []
    for k, first in enumerate(found):
        last = found[(k + 1) % len(found)]
        length = (last.place - first.place) % 1.0 or 1.0
        part = _part(orbit, first.place, length)
        source = _beside(system, rests[first.equilibrium], part.profile[0])
        target = _beside(system, rests[last.equilibrium], part.profile[-1])
        connection = Connection(part, values, source, target)
        result.append((first.equilibrium, last.equilibrium, connection))
    return result


def _part(orbit: Orbit, begin: float, length: float) -> Orbit:
    """Return a part of a cycle as an orbit of its own."""
    knots = np.concatenate([orbit.mesh[:-1], orbit.mesh + 1.0]) - begin
    inner = knots[(knots > 1e-12) & (knots < length - 1e-12)]
    mesh = np.concatenate([[0.0], inner, [length]]) / length
    n = orbit.profile.shape[1]
    part = Orbit(
        np.empty((orbit.degree * (len(mesh) - 1) + 1, n)), mesh, length * orbit.period, np.nan
    )
    places = begin + part.places * length
    over = np.floor(places)
    wound = orbit.profile[-1] - orbit.profile[0]
    return part._replace(profile=orbit.at(places - over) + over[:, None] * wound)


def _beside(system: System, rest: Vector, state: Vector) -> Vector:
    """Return the image of an equilibrium, moved by whole turns, next to a state."""
    turns = whole_turns(system)
    return np.asarray(
        rest + turns * np.round((state - rest) / np.where(turns > 0, turns, 1.0)), float
    )
