"""How an ensemble is drawn: a fan over time, a cloud at one time, ranges, or a density."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError, UnknownNameError
from dynlab.solve.keep import Average, Counts, Range, States

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dynlab.solve.outcomes import Ensemble

__all__ = ["draw"]

Array = NDArray[np.float64]

PANEL_HEIGHT = 1.9
#: The bands of a fan: the shares of members below their edges.
BANDS = ((0.05, 0.95), (0.25, 0.75))


def draw(run: Ensemble, ax: Axes | None, show: Sequence[str] | None) -> Axes:
    """Draw what an ensemble kept."""
    from dynlab import plotting

    if show is not None and not show:
        raise SettingError("show is empty; name at least one quantity to draw, or leave it out.")
    if run.t.ndim == 0 and isinstance(run.keep, States):
        return _cloud(run, ax, show)
    names = list(show) if show is not None else list(run.keep.of or run.system.state_names)
    views = {name: run[name] for name in names}
    panels = (
        [ax] * len(names)
        if ax is not None
        else plotting.stacked_axes(len(names), height=PANEL_HEIGHT)
    )
    for panel, (name, view) in zip(panels, views.items(), strict=True):
        _draw_one(run, panel, name, view)
    for panel in panels[:-1] if ax is None else []:
        panel.set_xlabel("")
    if ax is None and panels[0].get_legend_handles_labels()[1]:
        plotting.draw_legend(panels[-1])
    return panels[0]


def _label(run: Ensemble, name: str) -> str:
    from dynlab import plotting

    if name == "t":
        return plotting.label("t", run.system.time.unit)
    return plotting.label(name, run.system.unit_of(name))


def _draw_one(run: Ensemble, ax: Axes, name: str, view: Any) -> None:
    from dynlab import plotting

    time, quantity = _label(run, "t"), _label(run, name)
    if isinstance(view, Counts):
        plotting.draw_density(ax, run.t, view.edges, view.density, labels=(time, quantity))
    elif isinstance(view, Range):
        across, text = _varied(run)
        plotting.draw_ranges(ax, across, view.low, view.high, labels=(text, quantity))
    elif isinstance(view, Average):
        wide = 2 * np.nan_to_num(view.standard_deviation)
        bands = [(view.mean - wide, view.mean + wide, "2 standard deviations")]
        plotting.draw_fan(ax, run.t, view.mean, bands, labels=(time, quantity, "mean"))
    else:
        _fan(ax, np.atleast_1d(run.t), np.asarray(view), (time, quantity))


def _fan(ax: Axes, times: Array, values: Array, labels: tuple[str, str]) -> None:
    from dynlab import plotting

    rows = values.reshape(-1, times.size)
    shares = [share for band in BANDS for share in band]
    edges = _quantiles(rows, (*shares, 0.5))
    bands = [
        (edges[2 * k], edges[2 * k + 1], f"{round(100 * (high - low))} % of members")
        for k, (low, high) in enumerate(BANDS)
    ]
    plotting.draw_fan(ax, times, edges[-1], bands, labels=(*labels, "median"))


def _quantiles(rows: Array, shares: Sequence[float]) -> Array:
    """Return the quantiles at each time of the members that got there."""
    found = np.full((len(shares), rows.shape[1]), np.nan)
    for column in range(rows.shape[1]):
        there = rows[np.isfinite(rows[:, column]), column]
        if there.size:
            found[:, column] = np.quantile(there, shares)
    return found


def _varied(run: Ensemble) -> tuple[Array, str]:
    """Return what the members differ in, if it is one thing, or else their number."""
    given = {**run.starts, **run.parameters}
    differing = [name for name, values in given.items() if np.ptp(values) > 0]
    differing = differing if all(given[name].shape == run.shape for name in differing) else []
    if len(differing) == 1:
        text = _label(run, differing[0])
        text += " at the start" if differing[0] in run.starts else ""
        return given[differing[0]], text
    return np.arange(len(run), dtype=float), "member"


def _cloud(run: Ensemble, ax: Axes | None, show: Sequence[str] | None) -> Axes:
    from dynlab import plotting

    if show is not None and len(show) != 2:
        raise SettingError(
            f"show is {show!r}; the states at one time are drawn in a plane: name two quantities."
        )
    across, text = _varied(run)
    states = run.system.state_names
    if show is not None:
        (x, y), labels = [_values(run, name) for name in show], [_label(run, n) for n in show]
    elif len(states) > 1 and text == "member":
        (x, y), labels = [run[name] for name in states[:2]], [_label(run, n) for n in states[:2]]
    else:
        (x, y), labels = [across, run[states[0]]], [text, _label(run, states[0])]
    return plotting.draw_cloud(ax, x, y, labels=(labels[0], labels[1]))


def _values(run: Ensemble, name: str) -> Array:
    """Return a quantity at the end, or a parameter that was given."""
    if name in run.parameters:
        return np.asarray(run.parameters[name])
    if name in run.system.parameter_names:
        raise UnknownNameError(
            f"parameter that differs in this ensemble of {run.system.name!r}", name, run.parameters
        )
    return np.asarray(run[name])
