"""continue_equilibrium: the branch through an equilibrium, or a cycle of a map, with its special points."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.branch import Branch
from dynlab.continuation.curves.equilibrium import EquilibriumCurve
from dynlab.continuation.follow import first_tangent, land
from dynlab.continuation.methods import ContinuationMethod, PseudoArclength
from dynlab.continuation.points import BranchPoint, Fold, Hopf, PeriodDoubling, SpecialPoint, Torus
from dynlab.continuation.trace import (
    Task,
    bounds_of,
    checked_range,
    narrowed,
    trace,
)
from dynlab.equilibria.stability import Point, described, typical_size
from dynlab.errors import NotConverged, SettingError, SingularProblem, UnknownNameError
from dynlab.names import Layout, by_name, finite
from dynlab.status import Status
from dynlab.symbolic.dynamics import Autonomous, require
from dynlab.symbolic.entry import spelled
from dynlab.symbolic.exposed import exposed
from dynlab.symbolic.system import System

__all__ = ["continue_equilibrium"]

Vector = NDArray[np.float64]

_LOCATED = (Fold, Hopf, BranchPoint, PeriodDoubling, Torus)


def continue_equilibrium(
    point: Point,
    *,
    vary: str,
    over: tuple[float, float],
    within: Mapping[str, tuple[float, float]] | None = None,
    mark: Mapping[str, float | Sequence[float]] | None = None,
    method: ContinuationMethod | None = None,
) -> Branch:
    """Follow an equilibrium, or a fixed point or cycle of a map, both ways as a parameter changes.

    Folds, Hopf points and branch points (on a map also period doublings, and torus points instead of
    Hopf points) are located by their own defining systems to a relative 1e-10 and carry their normal
    forms; what cannot be confirmed gets no label.

    Parameters
    ----------
    point
        Where to start: an `Equilibrium`, a `PeriodicOrbit` of a map or any special point.  From a
        `PeriodDoubling` this follows the shorter cycle; the doubled one is left to `switch_branch`.
    vary
        The parameter to vary; on a network also one entry, ``"omega[3]"`` or ``"W[2, 1]"``.
    over
        Its range; the start must lie in it.
    within
        Ranges of states or observables; the branch ends where one is left.
    mark
        Values of states, parameters or observables to mark: ``{"V": [-50, -40]}``.  Each becomes a
        `UserPoint`.
    method
        `PseudoArclength` (default) or `NaturalParameter`.

    Returns
    -------
    Branch
        The points, special points, and why each end ended.

    Raises
    ------
    UnknownNameError
        If a name does not exist.
    SettingError
        If a range is empty or does not hold the start.
    NotConverged
        If the start is not on a branch.
    SingularProblem
        If equilibria are not isolated there, as with a conserved quantity.

    Examples
    --------
    >>> import dynlab as dl
    >>> rest = dl.find_equilibria(dl.zoo.fitzhugh_nagumo).single()
    >>> branch = dl.continue_equilibrium(rest, vary="I", over=(0, 2), mark={"v": 0.0})
    >>> [p.label for p in branch.points()]
    ['HB', 'UZ', 'HB']

    References
    ----------
    Keller 1977; Govaerts 2000, Numerical Methods for Bifurcations of Dynamical Equilibria.
    """
    began = time.perf_counter()
    if not isinstance(point, Point):
        raise SettingError(
            f"expected an equilibrium or special point, got {type(point).__name__}. "
            "Find one with dl.find_equilibria(system).single()."
        )
    system = point.system
    require(system, Autonomous)
    task = _task(point, vary, over, within, mark, method or PseudoArclength())
    return trace(task, "continue_equilibrium", began)


def _task(
    point: Point, vary: str, over: tuple[float, float],
    within: Mapping[str, tuple[float, float]] | None,
    mark: Mapping[str, float | Sequence[float]] | None, method: ContinuationMethod,
) -> Task:  # fmt: skip
    vary = spelled(vary)
    system = exposed(point.system, vary)
    low, high = checked_range(vary, over)
    Layout.of(system).parameter(vary)
    value = system[vary]
    if not low <= value <= high:
        raise SettingError(
            f"the start has {vary} = {value:.6g}, which is outside over = ({low:g}, {high:g}). "
            f"Widen over=, or start from an equilibrium of system({vary}=...)."
        )
    discrete = system.is_discrete
    lower, upper, watched = bounds_of(system, within, (low, high))
    scale = np.append(typical_size(system, point.state), high - low)
    curve = EquilibriumCurve(system, vary, scale, getattr(point, "period", 1) if discrete else 1)
    start = _on_branch(curve, np.append(point.state, value), point)
    located = point if isinstance(point, _LOCATED) and point.vary == vary else None
    if isinstance(point, BranchPoint) and point.vary == vary:
        tangent = point.tangents[0]
    else:
        _require_curve(curve, start)
        tangent = first_tangent(curve, start)
    if located is None and tangent[-1] != 0:
        change = tangent[:-1] * (high - low) / tangent[-1]
        # A millionth of the size is round-off in a state that does not depend on the parameter.
        change[np.abs(change) < 1e-6 * scale[:-1]] = 0.0
        curve = curve.scaled(np.append(narrowed(scale[:-1], start[:-1], change), high - low))
    if system.is_indexed:
        # The length of a step is a root mean square over the nodes, or it would shrink as they grow.
        spread = np.append(np.full(curve.size, np.sqrt(curve.size)), 1.0)
        curve = curve.scaled(curve.scale * spread)
    return Task(curve, start, tangent, lower, upper, watched, _marks(system, mark), method, located)


def _require_curve(curve: EquilibriumCurve, u: Vector) -> None:
    """Raise unless a single curve passes through the point."""
    if curve.is_large:
        return  # a singular LU says so at the first step
    values = np.linalg.svd(curve.jacobian(u / curve.scale), compute_uv=False)
    if values[-1] <= 1e-12 * values[0]:
        raise SingularProblem(
            f"no single curve of equilibria of {curve.system.name!r} passes through the start at "
            f"{curve.vary} = {u[-1]:.6g}: the derivatives are singular there. If a quantity is "
            "conserved, eliminate a state by it; if this is a branch point, start elsewhere or use "
            "dl.switch_branch.",
            status=Status.SINGULAR,
        )


def _marks(
    system: System, mark: Mapping[str, float | Sequence[float]] | None
) -> tuple[tuple[str, float], ...]:
    known = system.state_names + system.parameter_names + system.observable_names
    marks: list[tuple[str, float]] = []
    for name, values in by_name(mark, "mark").items():
        if name not in known:
            raise UnknownNameError(f"quantity of {system.name!r}", name, known)
        marks += [(name, finite(v, f"mark {name!r}")) for v in np.atleast_1d(values)]
    return tuple(dict.fromkeys(marks))


def _on_branch(curve: EquilibriumCurve, guess: Vector, point: Point) -> Vector:
    """Return the point of the curve at the start; refuse a start that is not near one."""
    y = guess / curve.scale
    row = np.zeros(len(y))
    row[-1] = 1.0
    found = None if isinstance(point, SpecialPoint) else land(curve, y, row, float(y[-1]))
    if found is not None and np.max(np.abs(found - y)) < 1e-3:
        return found * curve.scale
    joint = None if curve.is_large else curve.jacobian(y)
    # At a special point the Jacobian is singular: the residual itself must vanish.
    step = (
        np.full(1, np.inf) if joint is None
        else np.linalg.lstsq(joint, -curve.residual(y), rcond=1e-9)[0]
    )  # fmt: skip
    if np.all(np.isfinite(step)) and np.max(np.abs(step)) < 1e-6:
        return guess
    raise NotConverged(
        f"the start is not on a branch of {curve.system.name!r}: at {curve.vary} = {guess[-1]:.6g} "
        f"the state {described(point.start)} is no equilibrium. Find one with dl.find_equilibria.",
        status=Status.NOT_CONVERGED,
    )
