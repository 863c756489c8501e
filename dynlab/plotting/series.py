"""Time series: quantities against time, in as many panels as they have scales."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from dynlab.plotting import style
from dynlab.plotting.axes import (
    MARGIN_HEIGHT,
    SIZE,
    TALLEST,
    draw_legend_beside,
    new_axes,
    stacked_axes,
)
from dynlab.plotting.nodes import MOST_LINES, draw_bundle, draw_image, draw_threads

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

SAME_SCALE = 8.0
"""Quantities share a panel while the panel's range is at most this many times each one's own."""

MOST_NAMES = 4
"""Names that fit beside an axis; longer lists are left to the legend."""

ROW_HEIGHT = 0.28
MOST_ROW_NAMES = 40
#: With more rows than can be named: the height of the figure, and of a tick as a part of it.
MANY_ROWS_HEIGHT, SHORTEST_TICK = 4.6, 0.01
"""Rows of a raster whose names can be read; more are counted."""

MOST_FULL_LINES = 30
"""With more events than this, full-height lines would hide the series; ticks on top do not."""


def draw_series(
    ax: Axes | None,
    t: ArrayLike,
    columns: Mapping[str, ArrayLike],
    *,
    time_label: str,
    angles: Collection[str] = (),
    rows: Mapping[str, str] | None = None,
) -> Axes:
    """Quantities against time: together where they share a scale, else in panels above each other.

    Neighbouring quantities share a panel if their labels end in the same unit and each fills at
    least an eighth of the panel.  A quantity of many nodes has a panel of its own: lines up to a
    dozen, an image from there on.  In axes that are given it is a bundle of thin lines, with the mean
    in bold, unless it is drawn alone.

    Parameters
    ----------
    ax
        Axes that take everything, or None for a new figure with one panel per scale.
    t
        Times.
    columns
        Label -> values at the times; see `axes.label` for labels with units.  An array of shape
        time x node holds many nodes.
    time_label
        Label of the time axis.
    angles
        Labels of the quantities that are angles; they are drawn within one turn.
    rows
        For quantities of many nodes: label -> what a row of them is called; ``"node"`` if left out.

    Returns
    -------
    Axes
        The top panel; `draw_events` on it marks all of them.
    """
    series = {name: np.asarray(values, float) for name, values in columns.items()}
    groups = [list(series)] if ax is not None else _by_scale(series)
    panels = (
        stacked_axes(max(len(groups), 1)) if ax is None else [new_axes(ax, xlabel="", ylabel="")]
    )
    colors = iter(style.CYCLE * (1 + len(series) // len(style.CYCLE)))
    times = np.asarray(t, float)
    called = rows or {}
    for panel, names in zip(panels, groups, strict=False):
        if len(names) == 1 and _is_image(panel, series[names[0]]):
            draw_image(panel, times, series[names[0]], label=names[0],
                       rows=called.get(names[0], "node"), angle=names[0] in angles)  # fmt: skip
            continue
        for name in names:
            values = wrap_for_drawing(series[name]) if name in angles else series[name]
            if values.ndim == 1:
                _draw(panel, times, values, name, next(colors))
                continue
            lifted, threads = lift_pen(times, times, values)
            if len(names) == 1 and threads.shape[1] <= MOST_LINES:
                draw_threads(panel, lifted, threads, _rows_of(name, values))
            else:
                draw_bundle(panel, lifted, threads, label=name, color=next(colors),
                            mean=name not in angles)  # fmt: skip
        _name_panel(panel, names)
        panel.margins(x=0)
    new_axes(panels[-1], xlabel=time_label, ylabel="")
    if ax is None:
        panels[0].figure.align_ylabels(panels)
    return panels[0]


def _is_image(ax: Axes, values: Array) -> bool:
    return (
        values.ndim == 2 and values.shape[1] > MOST_LINES and len(values) > 1 and not ax.has_data()
    )


def _rows_of(name: str, values: Array) -> list[str]:
    """Return a label for each node of a quantity: its number as an index."""
    math = re.fullmatch(r"\$(\w+|\\\w+)\$", _split_unit(name)[0])
    return [
        f"${math[1]}_{{{k}}}$" if math else f"{_split_unit(name)[0]}[{k}]"
        for k in range(values.shape[1])
    ]


def _by_scale(series: Mapping[str, Array]) -> list[list[str]]:
    groups: list[list[str]] = []
    for name in series:
        if groups and _share_scale([*groups[-1], name], series):
            groups[-1].append(name)
        else:
            groups.append([name])
    return groups


def _share_scale(names: list[str], series: Mapping[str, Array]) -> bool:
    if any(series[name].ndim == 2 for name in names):
        return False
    if len({_split_unit(name)[1] for name in names}) > 1:
        return False
    ranges = np.array([_range(series[name]) for name in names])
    whole = ranges[:, 1].max() - ranges[:, 0].min()
    return bool(whole <= SAME_SCALE * np.ptp(ranges, axis=1).min())


def _range(values: Array) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def _draw(ax: Axes, t: Array, values: Array, name: str, color: str) -> None:
    from matplotlib.collections import LineCollection

    ax.plot(*lift_pen(t, t, values), color=color, linewidth=1.4, label=name)
    jumps = np.flatnonzero((np.diff(t) == 0) & (np.diff(values) != 0))
    if jumps.size:
        ends = [np.column_stack([t[k : k + 2], values[k : k + 2]]) for k in jumps]
        ax.add_collection(LineCollection(ends, colors=color, linewidths=0.6, alpha=0.7))


def _name_panel(ax: Axes, names: list[str]) -> None:
    """A single quantity is named on the axis, several in a legend beside the panel as well."""
    quantities, units = zip(*map(_split_unit, names), strict=True)
    unit = units[0] if len(set(units)) == 1 else ""
    listed = ", ".join(quantities) if len(names) <= MOST_NAMES else ""
    new_axes(ax, xlabel="", ylabel=f"{listed} {unit}".strip())
    if ax.get_legend() is None:
        _draw_key(ax)


def _draw_key(ax: Axes) -> None:
    labels = dict.fromkeys(ax.get_legend_handles_labels()[1])
    unnamed = [name for name in labels if name != ax.get_ylabel()]
    if unnamed:
        draw_legend_beside(ax, unnamed)


def _split_unit(name: str) -> tuple[str, str]:
    """A label without its unit, and the unit in its parentheses."""
    match = re.fullmatch(r"(.*?)\s*(\([^()]*\))?", name)
    return (match[1], match[2] or "") if match else (name, "")


def lift_pen(t: Array, *columns: Array) -> tuple[Array, ...]:
    """Quantities along a run with nan at its jumps, where a time stands twice."""
    jumps = np.flatnonzero(np.diff(t) == 0) + 1
    return tuple(np.insert(np.asarray(c, float), jumps, np.nan, axis=0) for c in columns)


def draw_raster(ax: Axes | None, trains: Mapping[str, ArrayLike], *, time_label: str) -> Axes:
    """Spikes as ticks, one row per train, the first on top.

    Parameters
    ----------
    ax
        Axes to draw into, or None for a new figure.
    trains
        Name of each row -> times.
    time_label
        Label of the time axis.
    """
    is_named = len(trains) <= MOST_ROW_NAMES
    label = "node" if not is_named and all(name.isdecimal() for name in trains) else ""
    if ax is None:
        height = MARGIN_HEIGHT + max(ROW_HEIGHT * len(trains), 0.5)
        height = min(height, TALLEST) if is_named else MANY_ROWS_HEIGHT
        ax = new_axes(xlabel=time_label, ylabel=label, size=(SIZE[0], height))
    ax = new_axes(ax, xlabel=time_label, ylabel=label)
    rows = [np.asarray(times, float).ravel() for times in trains.values()]
    thin = float(np.clip(400 / max(max((len(row) for row in rows), default=1), 1), 0.5, 1.2))
    length = max(0.75, SHORTEST_TICK * len(rows))
    ax.eventplot(rows, colors=style.INK, linelengths=length, linewidths=thin)
    ax.set_ylim(len(rows) - 1 + 0.8 * length, -0.8 * length)
    if is_named:
        ax.set_yticks(range(len(rows)), list(trains))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return ax


def draw_events(ax: Axes, times: ArrayLike, label: str) -> Axes:
    """Mark times by vertical lines in all panels that share the time axis of `ax`.

    Many events are drawn as ticks along the top edge, so that the series stays in sight.
    """
    times = np.asarray(times, float).ravel()
    low = 0.0 if times.size <= MOST_FULL_LINES else 0.95
    panels = ax.get_shared_x_axes().get_siblings(ax)
    for panel in panels:
        panel.vlines(
            times,
            low,
            1.0,
            transform=panel.get_xaxis_transform(),
            colors=style.GREY,
            linewidths=0.8,
            linestyles="-" if low else (0, (3.0, 2.0)),
            zorder=1,
            label=label if panel is ax else "_nolegend_",
        )
    _draw_key(ax)
    return ax


def wrap_for_drawing(angle: ArrayLike) -> Array:
    """Angles in [-pi, pi), with nan where they jump from one edge to the other.

    The shape stays: the first sample after a jump becomes nan, so that no line is drawn across.
    Time runs along the first axis.
    """
    wrapped = (np.asarray(angle, float) + np.pi) % (2 * np.pi) - np.pi
    jumps = np.abs(np.diff(wrapped, axis=0)) > np.pi
    wrapped[1:][jumps] = np.nan
    return wrapped
