"""switch_branch: the other branch through a branch point.

The direction comes from the algebraic branching equation (Keller 1977; Kuznetsov, Elements, section
10.2.2), so transcritical points and pitchforks are left along the right tangent at once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.branch import Branch
from dynlab.continuation.curves.equilibrium import EquilibriumCurve
from dynlab.continuation.methods import ContinuationMethod, PseudoArclength
from dynlab.continuation.points import BranchPoint
from dynlab.continuation.trace import Task, bounds_of, checked_range, narrowed, trace
from dynlab.equilibria.stability import typical_size
from dynlab.errors import SettingError

__all__ = ["switch_branch"]


def switch_branch(
    point: BranchPoint,
    *,
    over: tuple[float, float],
    within: Mapping[str, tuple[float, float]] | None = None,
    method: ContinuationMethod | None = None,
) -> Branch:
    """Follow the other branch through a branch point, in both directions.

    Parameters
    ----------
    point
        A branch point found on some branch.
    over
        Range of the parameter that was varied.
    within, method
        As for `continue_equilibrium`.

    Returns
    -------
    Branch
        The crossing branch; the branch point lies on it.

    Raises
    ------
    SettingError
        If the point is not a branch point, or lies outside the range.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def pitchfork(x=0.0, *, mu=-1.0):
    ...     return {x: mu * x - x**3}
    >>> trunk = dl.continue_equilibrium(
    ...     dl.find_equilibria(pitchfork, within={"x": (-2, 2)}).single(), vary="mu", over=(-1, 1)
    ... )
    >>> fork = dl.switch_branch(trunk.points(dl.BranchPoint).single(), over=(-1, 1))
    >>> [round(float(x), 9) for x in (fork["x"].min(), fork["x"].max())]
    [-1.0, 1.0]
    """
    began = time.perf_counter()
    if not isinstance(point, BranchPoint):
        raise SettingError(
            f"branches cross at a branch point; got {type(point).__name__}. "
            "Take one of branch.points(dl.BranchPoint)."
        )
    low, high = checked_range(point.vary, over)
    if not low <= point.value <= high:
        raise SettingError(
            f"the branch point at {point.vary} = {point.value:.6g} is outside over = "
            f"({low:g}, {high:g}). Widen over=."
        )
    system = point.system
    lower, upper, watched = bounds_of(system, within, (low, high))
    size = typical_size(system, point.state)
    change = _expected_change(point, high - low)
    scale = np.append(narrowed(size, point.state, change), high - low)
    curve = EquilibriumCurve(system, point.vary, scale)
    start = np.append(point.state, point.value)
    task = Task(
        curve, start, point.tangents[1], lower, upper, watched, (), method or PseudoArclength(),
        point,
    )  # fmt: skip
    return trace(task, "switch_branch", began)


def _expected_change(point: BranchPoint, span: float) -> NDArray[np.float64]:
    """Return how far each state moves on the new branch over a range, by the normal form."""
    b, a, c = np.array(point.coefficients)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.sqrt(np.abs(b * span / c)) if point.kind == "pitchfork" else np.abs(b * span / a)
    direction = point.tangents[1][:-1] - point.tangents[0][:-1]
    length = np.linalg.norm(direction)
    return np.asarray(reach * direction / length if length > 0 else 0 * direction)
