"""switch_branch: the other branch through a branch point, and the doubled cycle at a period doubling.

At a branch point the direction comes from the algebraic branching equation (Keller 1977; Kuznetsov,
Elements, section 10.2.2), so transcritical points and pitchforks are left along the right tangent at
once.  At a period doubling of f^n the points of the doubled cycle part along the eigenvector of -1
while the parameter stands still: a pitchfork of f^2n.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.branch import Branch
from dynlab.continuation.curves.equilibrium import EquilibriumCurve
from dynlab.continuation.followed import End
from dynlab.continuation.methods import ContinuationMethod, PseudoArclength
from dynlab.continuation.points import BranchPoint, PeriodDoubling
from dynlab.continuation.trace import Task, bounds_of, checked_range, narrowed, trace
from dynlab.equilibria.stability import typical_size
from dynlab.errors import SettingError
from dynlab.status import Status

__all__ = ["switch_branch"]

Vector = NDArray[np.float64]


def switch_branch(
    point: BranchPoint | PeriodDoubling,
    *,
    over: tuple[float, float],
    within: Mapping[str, tuple[float, float]] | None = None,
    method: ContinuationMethod | None = None,
) -> Branch:
    """Follow the other branch through a branch point, or the doubled cycle from a period doubling.

    Parameters
    ----------
    point
        A branch point or period doubling found on some branch.
    over
        Range of the parameter that was varied.
    within, method
        As for `continue_equilibrium`.

    Returns
    -------
    Branch
        The crossing branch in both directions, with the branch point on it; or the branch of cycles of
        twice the period, which begins at the period doubling.

    Raises
    ------
    SettingError
        If the point is neither, or lies outside the range.

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
    if not isinstance(point, BranchPoint | PeriodDoubling):
        raise SettingError(
            f"branches meet at a branch point or a period doubling; got {type(point).__name__}. "
            "Take one of branch.points(dl.BranchPoint) or branch.points(dl.PeriodDoubling)."
        )
    if point.orbit is not None:
        raise SettingError(
            f"the {point.word} at {point.vary} = {point.value:.6g} is one of cycles of a flow. Follow the "
            "other branch with dl.continue_cycles(point, over=...)."
        )
    low, high = checked_range(point.vary, over)
    if not low <= point.value <= high:
        raise SettingError(
            f"the {point.word} at {point.vary} = {point.value:.6g} is outside over = "
            f"({low:g}, {high:g}). Widen over=."
        )
    system = point.system
    lower, upper, watched = bounds_of(system, within, (low, high))
    size = typical_size(system, point.state)
    change, tangent, period, behind = (
        _doubled(point, high - low) if isinstance(point, PeriodDoubling)
        else _crossing(point, high - low)
    )  # fmt: skip
    # A state that is 0 here has no size but what the new branch gives it.
    size = np.maximum(size, np.where(np.isfinite(change), np.abs(change), 0.0))
    scale = np.append(narrowed(size, point.state, change), high - low)
    task = Task(
        EquilibriumCurve(system, point.vary, scale, period), np.append(point.state, point.value),
        tangent, lower, upper, watched, (), method or PseudoArclength(), point, behind=behind,
    )  # fmt: skip
    return trace(task, "switch_branch", began)


def _crossing(point: BranchPoint, span: float) -> tuple[Vector, Vector, int, None]:
    """Return the change expected over a range by the normal form, the direction, and the period."""
    b, a, c = np.array(point.coefficients)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.sqrt(np.abs(b * span / c)) if point.kind == "pitchfork" else np.abs(b * span / a)
    direction = point.tangents[1][:-1] - point.tangents[0][:-1]
    length = np.linalg.norm(direction)
    change = np.asarray(reach * direction / length if length > 0 else 0 * direction)
    return change, point.tangents[1], int(point.period), None


def _doubled(point: PeriodDoubling, span: float) -> tuple[Vector, Vector, int, End]:
    """As `_crossing`; x -> mu x + b x^3 has the cycle of two points x^2 = -(mu + 1) / b."""
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.sqrt(np.abs(np.float64(point.crossing_speed) * span / point.coefficient))
    end = End(
        Status.SHORTER_CYCLE, point.value,
        f"the cycle of period {2 * point.period} begins at the one of period {point.period}",
    )  # fmt: skip
    return reach * point.eigenvector, np.append(point.eigenvector, 0.0), 2 * int(point.period), end
