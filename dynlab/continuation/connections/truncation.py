"""Where a connecting orbit is cut off: at a small distance from the equilibria, in time that follows from it.

Beyond its ends the orbit obeys the linear equations, u(t) = x + exp(A t) (u(0) - x), within the eigenspace that
the boundary conditions leave.  So a cut at too large a distance is moved outwards along that tail, and one at a
needlessly small distance inwards along the orbit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from dynlab.continuation.curves.connection import Connection, ConnectionProblem, Ends
from dynlab.cycles.problem import Orbit

__all__ = ["cut_at", "distances", "extended"]

Vector = NDArray[np.float64]

#: Places on which a tail is written, and where the orbit is looked at.
_TAIL, _LOOK = 24, 4000


def distances(connection: Connection, units: Vector) -> tuple[float, float]:
    """Return how far the two ends are from the equilibria, in units of the states."""
    n = len(connection.source)
    profile = connection.orbit.profile
    return (
        float(np.linalg.norm((profile[0] - connection.source) / units[:n])),
        float(np.linalg.norm((profile[-1] - connection.target) / units[:n])),
    )


def cut_at(
    problem: ConnectionProblem, given: Connection, units: Vector, ends: Ends, distance: float,
    keep: tuple[bool, bool] = (False, False),
) -> Connection:  # fmt: skip
    """Return the connection with both ends about so far from the equilibria, but for those that are kept."""
    times = tuple(
        0.0 if keep[side] else _time_to(problem, given, units, ends, side, distance)
        for side in range(2)
    )
    return extended(problem, given, units, ends, times)


def extended(
    problem: ConnectionProblem, given: Connection, units: Vector, ends: Ends,
    times: tuple[float, ...],
) -> Connection:  # fmt: skip
    """Return the connection with so much time added before and after it; negative takes away."""
    n, orbit = len(given.source), given.orbit
    before, after = times
    if before == after == 0.0:
        return given
    whole = orbit.period + before + after
    # Old places in the new time, tails on meshes of their own.
    begin, end = max(0.0, -before) / orbit.period, 1.0 + min(0.0, after) / orbit.period
    inner = orbit.mesh[(orbit.mesh > begin) & (orbit.mesh < end)]
    knots = (before + np.concatenate([[begin], inner, [end]]) * orbit.period) / whole
    if before > 0:
        knots = np.concatenate([np.linspace(0.0, knots[0], _TAIL + 1)[:-1], knots])
    if after > 0:
        knots = np.concatenate([knots, np.linspace(knots[-1], 1.0, _TAIL + 1)[1:]])
    knots[[0, -1]] = 0.0, 1.0
    fresh = Orbit(np.empty(((len(knots) - 1) * orbit.degree + 1, n)), knots, whole, np.nan)
    t = fresh.places * whole - before
    states = orbit.at(np.clip(t / orbit.period, 0.0, 1.0))
    for side, outside in enumerate((t < 0, t > orbit.period)):
        rows = np.flatnonzero(outside)
        if len(rows):
            since = t[rows] - side * orbit.period
            states[rows] = _tail(problem, given, units, ends, side, since)
    count = len(orbit.mesh) - 1
    return given._replace(orbit=fresh._replace(profile=states).spread(count, units[:n]))


def _linear_end(
    problem: ConnectionProblem, given: Connection, units: Vector, ends: Ends, side: int
) -> tuple[Vector, Vector, Vector]:
    """Return the matrix in the eigenspace of one end, a basis of that, and where in it the orbit stands."""
    n = len(given.source)
    x = (given.source, given.target)[side]
    space = (ends.stable, ends.unstable)[side]
    _, flat = problem.linear_part(x, given.values, units)
    basis = space.complement(flat[:, :n])
    away = basis.T @ ((given.orbit.profile[-side] - x) / units[:n])
    return basis.T @ flat[:, :n] @ basis, basis, away


def _tail(
    problem: ConnectionProblem, given: Connection, units: Vector, ends: Ends, side: int,
    times: Vector,
) -> Vector:  # fmt: skip
    """Return the states at evenly spaced times beyond an end."""
    matrix, basis, away = _linear_end(problem, given, units, ends, side)
    x = (given.source, given.target)[side]
    tail = np.empty((len(times), len(x)))
    inward = slice(None, None, -1) if side == 0 else slice(None)
    step = expm(matrix * (times[inward][1] - times[inward][0]))
    away = expm(matrix * times[inward][0]) @ away
    for row in tail[inward]:
        row[:] = basis @ away
        away = step @ away
    return np.asarray(x + units[: len(x)] * tail)


def _time_to(
    problem: ConnectionProblem, given: Connection, units: Vector, ends: Ends, side: int,
    distance: float,
) -> float:  # fmt: skip
    """Return how much time to add at one end (negative: to take away) for a distance there."""
    n, orbit = len(given.source), given.orbit
    now = distances(given, units)[side]
    x = (given.source, given.target)[side]
    if now < distance:
        places = np.linspace(0.0, 0.5, _LOOK) if side == 0 else np.linspace(1.0, 0.5, _LOOK)
        far = np.linalg.norm((orbit.at(places) - x) / units[:n], axis=1)
        beyond = int(np.argmax(far >= distance))
        return -float(abs(places[beyond] - places[0])) * orbit.period
    matrix, _, away = _linear_end(problem, given, units, ends, side)
    rates = np.linalg.eigvals(matrix).real
    sign = -1.0 if side == 0 else 1.0
    slowest = float(np.min(-sign * rates))
    if not slowest > 0:
        return 0.0
    # Not all of the distance need shrink at the slowest rate: take the first time that is enough.
    times = np.linspace(0.0, 1.5 * np.log(now / distance) / slowest + 1.0 / slowest, 200)
    step = expm(sign * matrix * times[1])
    for t in times:
        if np.linalg.norm(away) <= distance:
            return float(t)
        away = step @ away
    return float(times[-1])
