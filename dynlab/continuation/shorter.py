"""Where a cycle of a map shrinks onto one of shorter period.

Along a branch of cycles of period n the gap f^m(x) - x, m a divisor of n, vanishes where the cycle is one
of period m; the branch passes straight through, on to the same cycle seen from another of its points,
so the gap turns round.  That is where a branch ends that began, or could have begun, at a period
doubling.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.curves.equilibrium import EquilibriumCurve
from dynlab.equilibria.orbits import points_of
from dynlab.equilibria.stability import apart

__all__ = ["first_reversal", "first_shift", "shorter_period", "vanishing_period"]

Vector = NDArray[np.float64]

#: Gaps on both sides count as reversed if the cosine of their angle is below this.
_REVERSED = -0.5
#: A gap has vanished below this part of the largest on the path.
_VANISHING = 0.05
#: A path passes a point nearer than this part of its step.
_NEAR = 0.1


def shorter_period(curve: EquilibriumCurve, before: Vector, after: Vector) -> int:
    """Return the period that the cycle has somewhere between two points near each other, or 0."""
    for period in range(1, curve.period):
        if curve.period % period == 0:
            a, b = (_gap(curve, u, period) for u in (before, after))
            if a @ b < _REVERSED * np.linalg.norm(a) * np.linalg.norm(b):
                return period
    return 0


def first_reversal(curve: EquilibriumCurve, unknowns: Vector, signs: Vector) -> int | None:
    """Return the position after which the cycle first shrinks onto a shorter one, or None.

    Only where the bordered determinant changes sign can it.
    """
    if curve.period == 1:
        return None
    for k in np.flatnonzero(signs[1:] * signs[:-1] < 0).tolist():
        if shorter_period(curve, unknowns[k], unknowns[k + 1]):
            return k
    return None


def vanishing_period(curve: EquilibriumCurve, unknowns: Vector) -> int:
    """Return the shorter period onto which the cycle shrinks at the end of a path, or 0.

    At a resonance 1:q of the shorter cycle two multipliers of the longer one are 1, and no walk can
    pass.
    """
    for period in range(1, curve.period):
        if curve.period % period == 0 and len(unknowns) > 2:
            sizes = [np.linalg.norm(_gap(curve, u, period)) for u in unknowns]
            if sizes[-1] < _VANISHING * max(sizes) and sizes[-1] <= min(sizes):
                return period
    return 0


def first_shift(curve: EquilibriumCurve, unknowns: Vector) -> int | None:
    """Return where a closed path first passes its start seen from another point of the cycle.

    From there on it repeats itself; the position is that of the last point before.
    """
    start = unknowns[0]
    system = curve.at(start[-1])
    shifts = points_of(system, start[:-1], curve.period)[1:]
    steps = np.diff(unknowns / curve.scale, axis=0)
    length = np.linalg.norm(steps, axis=1)
    passed = []
    for state in shifts:
        away = np.column_stack([
            apart(system, np.tile(state, (len(unknowns), 1)), unknowns[:, :-1]),
            start[-1] - unknowns[:, -1],
        ])[:-1] / curve.scale  # fmt: skip
        share = np.sum(away * steps, axis=1) / length**2
        off = np.linalg.norm(away - share[:, None] * steps, axis=1)
        near = (share >= 0) & (share < 1) & (off < _NEAR * length)
        passed += np.flatnonzero(near).tolist()[:1]
    return min(passed, default=None)


def _gap(curve: EquilibriumCurve, u: Vector, period: int) -> Vector:
    system = curve.at(u[-1])
    later = points_of(system, u[:-1], period + 1)[-1]
    return apart(system, later, u[:-1]) / curve.scale[:-1]
