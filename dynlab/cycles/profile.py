"""The profile of a cycle from runs along it: piecewise polynomials, with both sides of each jump."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dynlab.cycles.passage import Corner, Passage, Passages
from dynlab.cycles.problem import Orbit
from dynlab.solve.trajectory import Trajectory

__all__ = ["polynomials", "profile_through"]

Vector = NDArray[np.float64]

_DEGREE = 4
#: The polynomials follow the runs to this part of the units of the states, or to so many tolerances (the
#: steps of a run join no better), unless that takes more or shorter intervals than these.
_FOLLOWED, _TOLERANCES, _MOST, _SHORTEST = 1e-9, 100.0, 1280, 1e-7
_FEWEST = 8


def profile_through(
    passages: Passages, rough: Passages, states: Vector, crossed: list[Passage], turns: Vector
) -> tuple[Orbit, float]:
    """Return the curve through the states where segments begin, as polynomials on a mesh.

    The number is how far the runs of looser tolerance are from it.
    """
    period, apart = sum(passage.duration for passage in crossed), 0.0
    followed = max(_FOLLOWED, _TOLERANCES * passages.method.rtol)
    parts: list[tuple[Vector, Vector]] = []
    begin = 0.0
    for x, passage in zip(states, crossed, strict=True):
        length = passage.duration
        run, other = passages.run(x, length), rough.run(x, length)
        edges = [Corner(0.0, x, x), *passage.corners, Corner(length, passage.state, passage.state)]
        knots, rows = polynomials(edges, _states_of(run), passages.units, period, followed)
        middles = 0.5 * (knots[:-1] + knots[1:])[np.diff(knots) > 0.0]
        difference = run.at(middles).values - other.at(middles).values
        apart = max(apart, float(np.max(np.abs(difference) / passages.units)))
        parts.append(((begin + knots[:-1]) / period, rows[:-1]))
        begin += length
    profile = np.vstack([*(rows for _, rows in parts), states[:1] + turns])
    places = np.append(np.concatenate([places for places, _ in parts]), 1.0)
    return Orbit(np.ascontiguousarray(profile), places, period, 0.0), apart


def _states_of(run: Trajectory) -> Callable[[Vector], Vector]:
    return lambda times: np.asarray(run.at(times).values)


def polynomials(
    edges: Sequence[Corner], at: Callable[[Vector], Vector], units: Vector, period: float,
    followed: float,
) -> tuple[Vector, Vector]:  # fmt: skip
    """Return a mesh in time and states on it that follow a curve from edge to edge, to a part of the units.

    Where the state jumps, the mesh has an interval of length zero, whose rows repeat the state before.
    """
    mesh: list[Vector] = []
    rows: list[Vector] = []
    for a, b in itertools.pairwise(edges):
        if not b.time > a.time:
            continue

        def curve(times: Vector, a: Corner = a, b: Corner = b) -> Vector:
            values = np.asarray(at(times)).copy()
            values[times <= a.time], values[times >= b.time] = a.after, b.before
            return values

        knots = _knots(curve, a.time, b.time, units, period, followed)
        mesh.append(knots[:-1])
        rows.append(curve(_places(knots)))
        if np.any(b.after != b.before):
            mesh.append(np.array([b.time]))
            rows.append(np.tile(b.before, (_DEGREE, 1)))
    return np.append(np.concatenate(mesh), edges[-1].time), np.vstack([*rows, edges[-1].before])


def _places(knots: Vector) -> Vector:
    """Return the places of the polynomials, without the end."""
    parts = np.arange(_DEGREE) / _DEGREE
    return np.asarray((knots[:-1, None] + np.diff(knots)[:, None] * parts).ravel())


def _knots(
    curve: Callable[[Vector], Vector], begin: float, end: float, units: Vector, period: float,
    followed: float,
) -> Vector:  # fmt: skip
    """Return a mesh on which polynomials follow a curve; intervals that do not are halved."""
    count = max(2, round(_FEWEST * (end - begin) / period))
    knots = np.linspace(begin, end, count + 1)
    good = np.zeros(count, bool)
    while not np.all(good) and len(knots) <= _MOST:
        left, length = knots[:-1][~good], np.diff(knots)[~good]
        s = np.arange(2 * _DEGREE + 1) / (2 * _DEGREE)
        values = curve((left[:, None] + length[:, None] * s).ravel())
        values = values.reshape(len(left), len(s), -1) / units
        missed = np.max(np.abs(values[:, 1::2] - np.einsum(
            "ab,ibn->ian", _BETWEEN, values[:, ::2])), axis=(1, 2))  # fmt: skip
        fine = good.copy()
        fine[~good] = (missed <= followed) | (length <= _SHORTEST * period)
        fresh = 0.5 * (knots[:-1] + knots[1:])[~fine]
        old = np.append(fine, True)
        knots, flags = np.append(knots, fresh), np.append(old, np.zeros(len(fresh), bool))
        order = np.argsort(knots)
        knots, good = knots[order], flags[order][:-1]
    return knots


def _weights() -> Vector:
    """Return what the values at the places of an interval count halfway between them."""
    nodes = np.arange(_DEGREE + 1.0)
    halfway = nodes[:-1] + 0.5
    return np.array([
        [np.prod([(s - b) / (a - b) for b in nodes if b != a]) for a in nodes] for s in halfway
    ])  # fmt: skip


_BETWEEN = _weights()
