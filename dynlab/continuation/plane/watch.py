"""Where the test functions of a curve vanish: its points of codimension two, each solved for.

Between two points of the curve with different signs, Newton's method on the equations of the curve at a
place over the chord, and a bracketed secant iteration on the test function over that place, both down to
round-off: together they solve the equations of the curve with the test function as one more.  What is
found must carry what its name says (`unfoldings`).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.curves.plane_curve import PlaneCurve, Survey
from dynlab.continuation.follow import land
from dynlab.continuation.plane.codimension_two import CodimensionTwo
from dynlab.continuation.plane.unfoldings import point_of, suspect

__all__ = ["with_points"]

Vector = NDArray[np.float64]

_SECANTS = 40
#: A test function is bracketed to this part of a step, and has vanished below this part of its ends.
_CLOSE = 1e-13
_VANISHED = 1e-6
#: What is smaller than this part of its unit is what round-off leaves of a zero.
_NOTHING = 1e-14


def with_points(
    curve: PlaneCurve, path: Vector
) -> tuple[Vector, Survey, list[tuple[int, CodimensionTwo]]]:
    """Insert the points of codimension two where the test functions change sign."""
    survey = curve.survey(path)
    found: list[tuple[int, float, Vector, CodimensionTwo]] = []
    for name, test in survey.tests.items():
        for i, j in _sign_changes(test):
            # Of two intervals beside a zero, that in which the function changes sign.
            exact = curve.survey(path[i : j + 1], name).tests[name]
            k = i if exact[0] * exact[1] <= 0 else j - 1
            event = _located(curve, name, path[k], path[k + 1])
            if event is not None:
                found.append((k + 1, *event))
    found.sort(key=lambda event: event[:2])
    places = [k for k, _, _, _ in found]
    if not found:
        return path, survey, []
    full = np.insert(path, places, np.array([u for _, _, u, _ in found]), axis=0)
    special = [(k + j, point) for j, (k, _, _, point) in enumerate(found)]
    return full, curve.survey(full), special


def _sign_changes(test: Vector) -> list[tuple[int, int]]:
    """Return between which points a test function changes sign; one with the value zero may lie between.

    Where it is zero over several points it vanishes with the curve, and nothing happens.
    """
    signs = np.sign(test)
    known = np.flatnonzero(signs != 0)
    return [
        (i, j)
        for i, j in itertools.pairwise(known.tolist())
        if signs[i] * signs[j] < 0 and j - i <= 2
    ]


def _located(
    curve: PlaneCurve, name: str, a: Vector, b: Vector
) -> tuple[float, Vector, CodimensionTwo] | None:
    """Return where a test function vanishes between two points of the curve, and what is there."""
    ya, yb = a / curve.scale, b / curve.scale
    length = float(np.linalg.norm(yb - ya))
    if length == 0.0:
        return None
    row = (yb - ya) / length

    def place(s: float) -> Vector:
        y = land(curve, ya + s * (yb - ya), row, float(row @ ya) + s * length, 1e-13)
        if y is None:
            raise ArithmeticError("Newton's method on the equations of the curve did not converge")
        return np.asarray(y * curve.scale)

    def value(s: float) -> float:
        # Beside the first point, to which signs of eigenvectors refer.
        return float(curve.survey(np.vstack([a, place(s)]), name).tests[name][1])

    ends = curve.survey(np.vstack([a, b]), name).tests[name]
    try:
        share, error = _root(value, ends)
        u = place(share)
        u[np.abs(u) < _NOTHING * curve.scale] = 0.0
    except ArithmeticError as failure:
        middle = 0.5 * (a + b)
        return 0.5, middle, suspect(curve, name, middle, str(failure))
    if not error <= _VANISHED * float(np.max(np.abs(ends))):
        # The function jumps, or passes infinity: nothing vanishes there.
        return None
    steepness = max(float(abs(ends[1] - ends[0])), 1e-300) / length
    made = point_of(curve, name, u, max(error / steepness, _CLOSE * length))
    if isinstance(made, str):
        made = suspect(curve, name, u, made)
    return None if made is None else (share, u, made)


def _root(value: Callable[[float], float], ends: Vector) -> tuple[float, float]:
    """Return where a function changes sign between 0 and 1, and how large it still is there.

    Secants that keep the change of sign between them (Anderson and Bjoerck 1973, BIT 13, 253): superlinear.
    """
    left, right = 0.0, 1.0
    at_left, at_right = float(ends[0]), float(ends[1])
    if at_left * at_right == 0.0:
        return (left if at_left == 0.0 else right), 0.0
    for _ in range(_SECANTS):
        s = (left * at_right - right * at_left) / (at_right - at_left)
        here = value(s)
        moved = abs(s - right)
        if here * at_right < 0:
            left, at_left = right, at_right
        else:
            share = 1.0 - here / at_right
            at_left *= share if share > 0 else 0.5
        right, at_right = s, here
        if here == 0.0 or moved < _CLOSE or abs(right - left) < _CLOSE:
            break
        if not np.isfinite(here):
            raise ArithmeticError("a test function is not finite")
    return right, abs(at_right)
