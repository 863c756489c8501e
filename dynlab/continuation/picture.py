"""The picture of a bifurcation diagram: branches by stability, special points labelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dynlab.continuation.points import Hopf, SpecialPoint
from dynlab.errors import UnknownNameError
from dynlab.plotting import draw_points, draw_stability_line, label, new_axes
from dynlab.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from dynlab.symbolic.system import System

__all__ = ["draw_branches"]


_MARKERS = {
    "LP": "fold", "BP": "branch point", "PD": "period doubling", "NS": "torus", "UZ": "user",
}  # fmt: skip


class Drawable(Protocol):
    """What the picture needs of a branch."""

    @property
    def system(self) -> System: ...
    @property
    def vary(self) -> str: ...
    @property
    def values(self) -> NDArray[np.float64]: ...
    @property
    def unstable(self) -> NDArray[np.int_]: ...
    @property
    def ends(self) -> tuple[Any, Any]: ...
    def over_period(self, name: str) -> NDArray[np.float64]: ...


def draw_branches(
    ax: Axes | None,
    branches: Sequence[Drawable],
    points: Sequence[SpecialPoint],
    *,
    show: str | None,
) -> Axes:
    """Draw one quantity (the first state if none is named) of some branches."""
    system, vary = branches[0].system, branches[0].vary
    shown = system.state_names[0] if show is None else show
    known = system.state_names + system.observable_names
    if shown not in known:
        raise UnknownNameError(f"state or observable of {system.name!r}", shown, known)
    ax = new_axes(
        ax, xlabel=label(vary, system.unit_of(vary)), ylabel=label(shown, system.unit_of(shown))
    )
    for branch in branches:
        for column in branch.over_period(shown).T:
            draw_stability_line(ax, branch.values, column, branch.unstable)
    if any(end.status is Status.DIVERGED for branch in branches for end in branch.ends):
        ax.set_ylim(*_calm_range(branches, points, shown))
    draw_points(ax, [(p.value, p[shown], _marker(p), p.label) for p in points])
    return ax


def _calm_range(
    branches: Sequence[Drawable], points: Sequence[SpecialPoint], shown: str
) -> tuple[float, float]:
    """Return limits that show the branches over most of the parameter, not where they run off."""
    heights = np.concatenate([branch.over_period(shown)[:, 0] for branch in branches])
    widths = np.concatenate([np.abs(np.gradient(branch.values)) for branch in branches])
    order = np.argsort(heights)
    share = np.cumsum(widths[order]) / np.sum(widths)
    low, high = (float(heights[order][np.searchsorted(share, q)]) for q in (0.04, 0.96))
    low = min([low, *(p[shown] for p in points)])
    high = max([high, *(p[shown] for p in points)])
    margin = 0.1 * (high - low) or 1.0
    return low - margin, high + margin


def _marker(point: SpecialPoint) -> str:
    if isinstance(point, Hopf):
        return "hopf" if point.criticality == "degenerate" else f"hopf {point.criticality}"
    return _MARKERS.get(point.label, "user")
