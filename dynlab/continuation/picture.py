"""The picture of a bifurcation diagram: branches by stability, special points labelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dynlab.continuation.points import Hopf, SpecialPoint
from dynlab.errors import UnknownNameError
from dynlab.plotting import (
    draw_points,
    draw_stability_line,
    label,
    name_colors,
    new_axes,
    symbol,
)
from dynlab.plotting.style import GREEN
from dynlab.status import Status
from dynlab.symbolic.quantities import Domain
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["draw_branches", "marker_of"]


_MARKERS = {
    "LP": "fold", "LPC": "fold", "BP": "branch point", "BPC": "branch point", "PD": "period doubling", "NS": "torus", "UZ": "user",
}  # fmt: skip


#: Equilibria in the colours of the line styles, cycles in one of their own.
COLORS = {"equilibria": None, "limit cycles": GREEN}


class Drawable(Protocol):
    """What the picture needs of a branch."""

    @property
    def kind(self) -> str: ...
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
    def outline(self, name: str) -> NDArray[np.float64]: ...


def draw_branches(
    ax: Axes | None,
    branches: Sequence[Drawable],
    points: Sequence[SpecialPoint],
    *,
    show: str | None,
) -> Axes:
    """Draw one quantity (the first state if none is named) of some branches."""
    system, vary = branches[0].system, branches[0].vary
    shown = system.declared[0] if show is None else show
    if system.place_of(shown) is None and shown not in system.observable_names:
        known = (*system.declared, *system.state_names, *system.observable_names)
        raise UnknownNameError(
            f"state or observable of {system.name!r}", shown, dict.fromkeys(known)
        )
    height = _height_of(system, shown)
    ax = new_axes(ax, xlabel=label(vary, system.unit_of(vary)), ylabel=_label_of(system, shown))
    for branch in branches:
        for column in height(branch.outline(shown)).T:
            draw_stability_line(
                ax, branch.values, column, branch.unstable, color=COLORS[branch.kind]
            )
    if any(end.status is Status.DIVERGED for branch in branches for end in branch.ends):
        ax.set_ylim(*_calm_range(branches, points, shown))
    if len({branch.kind for branch in branches}) > 1:
        name_colors(ax, {"limit cycles": GREEN})
    draw_points(
        ax,
        _apart(
            [(p.value, float(height(p.greatest(shown))), marker_of(p), p.label) for p in points]
        ),
    )
    return ax


def _apart(marks: list[tuple[float, float, str, str]]) -> list[tuple[float, float, str, str]]:
    """Return each mark once where several would lie on one another, as images under a symmetry do."""
    places = np.array([mark[:2] for mark in marks]).reshape(-1, 2)
    size = np.abs(places).max(axis=0, initial=1e-300)
    kept = {
        (*np.round(at / size, 6), *mark[2:]): mark for at, mark in zip(places, marks, strict=True)
    }
    return list(kept.values())


def _height_of(system: System, shown: str) -> Callable[[Any], NDArray[np.float64]]:
    """Return what is drawn of a quantity: itself, or one number for all nodes (the last axis).

    Root mean square; for angles, which have no zero, the length of the mean direction.
    """
    if not isinstance(system.place_of(shown), slice):
        return lambda values: np.asarray(values, float)
    if _is_angle(system, shown):
        return lambda angles: np.abs(np.mean(np.exp(1j * angles), axis=-1))
    return lambda values: np.asarray(np.sqrt(np.mean(np.square(values), axis=-1)))


def _is_angle(system: System, name: str) -> bool:
    return any(s.name == name and s.domain is Domain.CIRCLE for s in system.states)


def _label_of(system: System, shown: str) -> str:
    if not isinstance(system.place_of(shown), slice):
        return label(shown, system.unit_of(shown))
    if _is_angle(system, shown):
        return rf"$|\langle e^{{i {symbol(shown)}}} \rangle|$"
    unit = label("", system.unit_of(shown)).lstrip("$ ")
    return rf"$\sqrt{{\langle {symbol(shown)}^2 \rangle}}$ {unit}".strip()


def _calm_range(
    branches: Sequence[Drawable], points: Sequence[SpecialPoint], shown: str
) -> tuple[float, float]:
    """Return limits that show the branches over most of the parameter, not where they run off."""
    height = _height_of(branches[0].system, shown)
    heights = np.concatenate([height(branch.outline(shown))[:, 0] for branch in branches])
    widths = np.concatenate([np.abs(np.gradient(branch.values)) for branch in branches])
    order = np.argsort(heights)
    share = np.cumsum(widths[order]) / np.sum(widths)
    low, high = (float(heights[order][np.searchsorted(share, q)]) for q in (0.04, 0.96))
    at_points = [float(height(p.greatest(shown))) for p in points]
    low, high = min([low, *at_points]), max([high, *at_points])
    margin = 0.1 * (high - low) or 1.0
    return low - margin, high + margin


def marker_of(point: SpecialPoint) -> str:
    """Return which mark a special point gets."""
    if isinstance(point, Hopf):
        return "hopf" if point.criticality == "degenerate" else f"hopf {point.criticality}"
    return _MARKERS.get(point.label, "user")
