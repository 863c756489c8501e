"""Walking along a curve: compiled chunks of steps, handed out one by one or whole.

The curve supplies kernels and the number of unknowns; nothing here knows what they mean.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab import progress
from dynlab.continuation import large
from dynlab.continuation.curve import Curve
from dynlab.continuation.curves.equilibrium import EquilibriumCurve
from dynlab.continuation.methods import ContinuationMethod, PseudoArclength
from dynlab.status import Status

__all__ = ["Chunk", "Walk", "first_tangent", "follow", "land", "chunks"]

Vector = NDArray[np.float64]

DEFAULT = PseudoArclength()
_CHUNK_SECONDS = 0.03
#: Units are looked at after so many points; once they have settled, after twice as many each time.
_FIRST_SPELL = 16
_LONGEST_SPELL = 1024
#: A step is refused where the tangent turns by more than this (radians) ...
_ANGLE_MAX = 0.35
#: ... or where the corrector moves further from its prediction than this part of the step.
_DRIFT = 0.3
#: Where the bordered determinant changes sign, longer steps than this are refused: they may have
#: jumped across a gap between two branches.
_FLIP = 1e-4
#: Units that change by less than this (natural logarithm) from chunk to chunk have settled.
_SETTLED = 0.3


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive points of a curve, in plain (unscaled) unknowns.

    Parameters
    ----------
    unknowns
        States and parameter, one row per point.
    tangents
        Direction of the curve at each point, in scaled arclength.
    eigenvalues
        Of the state Jacobian; multipliers for a map.
    signs
        Sign of the determinant of the bordered Jacobian.
    scale
        The units used for arclength in this chunk.
    status
        `Status.RUNNING` while the walk goes on.
    """

    unknowns: Vector
    tangents: Vector
    eigenvalues: NDArray[np.complex128]
    signs: Vector
    scale: Vector
    status: Status


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a walk starts, which way it goes and where it must end.

    Parameters
    ----------
    start
        Unknowns at the start, on the curve.
    tangent
        Direction in which to set out (plain unknowns).
    lower, upper
        Bounds on each unknown.
    """

    start: Vector
    tangent: Vector
    lower: Vector
    upper: Vector


def first_tangent(curve: EquilibriumCurve, u: Vector) -> Vector:
    """Return a direction of the curve at a regular point, the parameter increasing."""
    if curve.is_large:
        forward = np.append(np.zeros(curve.size), 1.0)
        direction, _ = large.tangent_at(curve, u / curve.scale, forward)
    else:
        direction = np.linalg.svd(curve.jacobian(u / curve.scale))[2][-1]
    sign = direction[-1] if abs(direction[-1]) > 1e-8 else direction[np.argmax(np.abs(direction))]
    return np.asarray(direction * (1.0 if sign > 0 else -1.0) * curve.scale)


def follow(curve: Curve, walk: Walk, *, method: ContinuationMethod = DEFAULT) -> Iterator[Chunk]:
    """Yield the steps of a walk along a curve one by one; for those who want control.

    Parameters
    ----------
    curve
        What to follow.
    walk
        Where to start, which way, and between which bounds.
    method
        How to step.

    Yields
    ------
    Chunk
        A chunk of one point.  The status of the last one tells why the walk ended.

    Examples
    --------
    >>> import numpy as np, dynlab as dl
    >>> curve = dl.EquilibriumCurve(dl.zoo.fitzhugh_nagumo, "I", np.array([1.0, 1.0, 2.0]))
    >>> rest = dl.find_equilibria(dl.zoo.fitzhugh_nagumo).single()
    >>> walk = dl.Walk(
    ...     start=np.append(rest.state, 0.0), tangent=np.array([0.0, 0.0, 1.0]),
    ...     lower=np.array([-3.0, -3.0, 0.0]), upper=np.array([3.0, 3.0, 2.0]),
    ... )
    >>> for step in dl.follow(curve, walk):
    ...     if step.unknowns[0, 0] > 0:
    ...         break
    >>> round(float(step.unknowns[0, 2]), 1)
    0.9
    """
    for chunk in chunks(curve, walk, method):
        for k in range(len(chunk.unknowns)):
            one = slice(k, k + 1)
            yield replace(
                chunk, unknowns=chunk.unknowns[one], tangents=chunk.tangents[one],
                eigenvalues=chunk.eigenvalues[one], signs=chunk.signs[one],
            )  # fmt: skip


def chunks(curve: Curve, walk: Walk, method: ContinuationMethod) -> Iterator[Chunk]:
    """Yield the points of the walk in chunks of about 30 ms; the last one tells why it ended.

    After fixed numbers of points the units of the states follow the range that they have covered
    so far, so a state that starts small counts as much as one that is large.  How long a chunk takes
    decides only when progress is reported and a stop is heard, never where the points lie.
    """
    n = curve.size
    scale, at = curve.scale.copy(), float(walk.start[-1])
    reached = walk.start / scale, _unit(walk.tangent / scale)
    low, high = walk.start.copy(), walk.start.copy()
    step, counters = np.array([method.first_step, 0.0]), np.zeros(2, dtype=np.int64)
    spell = left = capacity = _FIRST_SPELL
    status = Status.RUNNING
    while status is Status.RUNNING:
        capacity = min(capacity, left, method.max_points - int(counters[1]))
        began = time.perf_counter()
        chunk, reached = _steps(
            curve.scaled(scale), walk, method, reached, step, counters, capacity
        )
        seconds = time.perf_counter() - began
        count = len(chunk.unknowns)
        counters[1] += count
        left -= count
        status = chunk.status
        if status is Status.RUNNING and counters[1] >= method.max_points:
            status = Status.TOO_MANY_STEPS
        at = chunk.unknowns[-1, -1] if count else at
        going_on = progress.tick(
            abs(at - walk.start[-1]), walk.upper[-1] - walk.lower[-1], f"{curve.vary} = {at:.4g}"
        )
        if not going_on and status is Status.RUNNING:
            status = Status.STOPPED
        yield replace(chunk, status=status)
        if count == 0:
            continue
        low = np.minimum(low, chunk.unknowns.min(axis=0))
        high = np.maximum(high, chunk.unknowns.max(axis=0))
        capacity = _next_capacity(capacity, count, seconds)
        if left == 0:
            wanted = _rescaled(scale[:n], low[:n], high[:n])
            # Short spells until the units have settled: steps in wrong units are wasted or too long.
            settled = bool(np.all(np.log(wanted / scale[:n]) < _SETTLED))
            spell = min(2 * spell, _LONGEST_SPELL) if settled else _FIRST_SPELL
            reached[0][:n] *= scale[:n] / wanted
            reached[1][:n] *= scale[:n] / wanted
            reached = reached[0], _unit(reached[1])
            left, scale[:n] = spell, wanted


def _steps(
    curve: Curve, walk: Walk, method: ContinuationMethod,
    reached: tuple[Vector, Vector], step: Vector, counters: NDArray[np.int64], capacity: int,
) -> tuple[Chunk, tuple[Vector, Vector]]:  # fmt: skip
    """Take one compiled chunk of steps; where it begins and ends is in the units of the curve.

    There, and not in plain unknowns, a chunk hands over to the next: to turn the units to and fro
    costs a rounding, and the clock would decide the last digits of what follows.
    """
    from dynlab.kernels import follow as kernel

    n, scale = curve.size, curve.scale
    if isinstance(curve, EquilibriumCurve) and curve.is_large:
        pin = n if method.holds_parameter else -1
        taken = large.sparse_steps(
            curve, walk, method, large.Reached(*reached, step), counters, capacity, pin
        )
        chunk = Chunk(taken.points * scale, taken.tangents * scale, taken.eigenvalues, taken.signs,
                      scale, taken.status)  # fmt: skip
        return chunk, _end(taken.points, taken.tangents, reached)
    points, tangents = np.empty((capacity, n + 1)), np.empty((capacity, n + 1))
    eigenvalues, signs = np.empty((capacity, n), complex), np.empty(capacity)
    settings = np.array([
        method.step_min, method.step_max, method.angle, _ANGLE_MAX, method.tolerance, _DRIFT,
        min(_FLIP, method.step_max),
    ])  # fmt: skip
    try:
        code = kernel.follow(
            curve.rhs.address, curve.jacobian_kernel.address, curve.shift,
            curve.inputs(reached[0] * scale), curve.position,
            n if method.holds_parameter else -1, *reached, step, settings, scale,
            walk.lower / scale, walk.upper / scale, walk.start / scale,
            _unit(walk.tangent / scale), curve.turns / scale, points, tangents, eigenvalues,
            signs, counters,
        )  # fmt: skip
    except KeyboardInterrupt:
        code, counters[0] = Status.STOPPED, 0
    count = int(counters[0])
    unknowns = points[:count] * scale
    if code == Status.PARAMETER_BOUND:
        unknowns[-1, -1] = np.clip(unknowns[-1, -1], walk.lower[-1], walk.upper[-1])
    chunk = Chunk(unknowns, tangents[:count] * scale, eigenvalues[:count], signs[:count], scale,
                  Status(code))  # fmt: skip
    return chunk, _end(points[:count], tangents[:count], reached)


def _end(points: Vector, tangents: Vector, before: tuple[Vector, Vector]) -> tuple[Vector, Vector]:
    """Return the last of the points with its tangent, or where the chunk began if it has none."""
    return (points[-1].copy(), tangents[-1].copy()) if len(points) else before


def _unit(vector: Vector) -> Vector:
    return np.asarray(vector / np.linalg.norm(vector))


def _rescaled(scale: Vector, low: Vector, high: Vector) -> Vector:
    """Return units for the states: never smaller than before, at least the range covered."""
    return np.asarray(np.clip(high - low, scale, 4.0 * scale))


def _next_capacity(capacity: int, count: int, seconds: float) -> int:
    each = max(seconds / max(count, 1), 1e-7)
    return int(min(4 * capacity, max(1, _CHUNK_SECONDS / each)))


def land(
    curve: Curve, guess: Vector, row: Vector, value: float, tolerance: float = 1e-12
) -> Vector | None:
    """Return the point of the curve with row . y = value near a guess (all scaled), or None."""
    from dynlab.kernels.follow import correct

    if isinstance(curve, EquilibriumCurve) and curve.is_large:
        return large.corrected(curve, guess, row, float(value), tolerance)
    y = np.array(guess, dtype=float)
    u = y * curve.scale
    status: Any = correct(
        curve.rhs.address, curve.jacobian_kernel.address, curve.shift, curve.inputs(u),
        curve.position, y, curve.scale, np.ascontiguousarray(row), float(value), tolerance,
    )  # fmt: skip
    return y if status == Status.OK and np.all(np.isfinite(y)) else None
