"""Special points on a diagram: one marker per kind, and short labels that keep clear of the rest.

Labels are placed one after the other, each at the best of a few places around its point: eight
directions at growing distances; then each once more.  A place costs for every label, marker and
curve that it covers, and a little for being far away; far labels get a thin line to their point.
This is the greedy method in the survey of Christensen, Marks and Shieber (1995, ACM Trans.
Graphics 14, 203).  Cost: labels x places x samples of nearby curve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from dynlab.plotting import style
from dynlab.plotting.axes import POINTS_PER_INCH, draw_legend, figure_of, new_axes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.text import Annotation
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

POINT_LABEL = "dynlab point label"
"""Group id by which labels made here are found again."""

DIAGONAL = 0.75
DIRECTIONS = np.array(
    [
        *(
            (DIAGONAL, DIAGONAL),
            (-DIAGONAL, DIAGONAL),
            (DIAGONAL, -DIAGONAL),
            (-DIAGONAL, -DIAGONAL),
        ),
        *((0.0, 1.0), (0.0, -1.0), (1.0, 0.0), (-1.0, 0.0)),
    ]
)
DISTANCES = (6.0, 11.0, 18.0, 27.0, 38.0, 52.0)
"""From a point to the near edge of its label, in typographic points."""
CLEARANCE = 1.5
MARKER_RADIUS = 4.0
SAMPLE_SPACING = 1.5
MOST_SAMPLES = 20_000
LEADER_SAMPLES = 12
SWEEPS = 2
"""The second sweep places every label again, knowing where all others are."""
CLEARLY_NEARER = 1.25
"""Another marker misleads the reader unless it is this many times farther than the label's own."""

HIDES_LABEL = 100.0
HIDES_MARKER = 30.0
HIDES_CURVE = 10.0
NEARER_TO_ANOTHER = 6.0
PER_DISTANCE = 1.0
PER_DIRECTION = 0.01

SAME_PLACE = 5e-3
"""Two labels with one text this near each other, in parts of the axes, are one."""


def draw_points(ax: Axes | None, points: Sequence[tuple[float, float, str, str]]) -> Axes:
    """Markers for special points, with a label beside each and one legend entry per kind.

    Parameters
    ----------
    ax
        Axes to draw into, or None for a new figure.  Draw curves first: labels keep clear of the
        curves that are there.  After later changes call `arrange_labels`.
    points
        Tuples (x, y, kind, text).  Kinds are the keys of `style.POINTS`; an unknown kind is drawn
        as a cross under its own name.  An empty text gives a marker without a label.
    """
    ax = new_axes(ax, xlabel="", ylabel="")
    for kind in dict.fromkeys(kind for _, _, kind, _ in points):
        draw_markers(
            ax,
            [point[0] for point in points if point[2] == kind],
            [point[1] for point in points if point[2] == kind],
            style.point_style(kind),
        )
    for x, y, kind, text in points:
        if text and not _is_labelled(ax, (x, y), text):
            _label(ax, (x, y), text, style.point_style(kind).color)
    draw_legend(ax)
    return arrange_labels(ax)


def draw_markers(ax: Axes, x: Sequence[float], y: Sequence[float], look: style.PointStyle) -> None:
    """One artist with all markers of one look; its label is in the legend once."""
    present = ax.get_legend_handles_labels()[1]
    ax.plot(
        x,
        y,
        linestyle="none",
        marker=look.marker,
        color=look.color,
        markersize=9.5 if look.marker == "*" else 6.5,
        markeredgewidth=1.3,
        fillstyle=look.fill,
        markerfacecolor="white" if look.fill == "none" else look.color,
        markerfacecoloralt="white",
        label=look.label if look.label not in present else "_nolegend_",
        zorder=4,
    )


def _is_labelled(ax: Axes, at: tuple[float, float], text: str) -> bool:
    """Whether the same label stands there already, from another curve through the point."""
    size = np.array([abs(np.diff(ax.get_xlim())[0]), abs(np.diff(ax.get_ylim())[0])])
    return any(
        note.get_gid() == POINT_LABEL
        and note.get_text() == text
        and bool(np.all(np.abs(np.subtract(note.xy, at)) <= SAME_PLACE * size))  # type: ignore[attr-defined]
        for note in ax.texts
    )


def _label(ax: Axes, at: tuple[float, float], text: str, color: str) -> None:
    note = ax.annotate(
        text,
        at,
        xytext=(0.0, DISTANCES[0]),
        textcoords="offset points",
        ha="center",
        va="center",
        fontsize=style.POINT_LABEL_SIZE,
        color=color,
        arrowprops={"arrowstyle": "-", "color": style.GREY, "linewidth": 0.5, "shrinkA": 0},
        zorder=5,
    )
    note.set_gid(POINT_LABEL)
    note.set_in_layout(False)


def arrange_labels(ax: Axes) -> Axes:
    """Place all point labels of the axes anew, for its present size, limits and curves.

    A label is hidden if every place for it would cover another label or leave the axes; its
    marker stays.
    """
    figure = figure_of(ax)
    notes = [cast("Annotation", text) for text in ax.texts if text.get_gid() == POINT_LABEL]
    if not notes:
        return ax
    for note in notes:
        note.set_visible(True)
    figure.draw_without_rendering()
    scene = _survey(ax, len(notes), figure.dpi / POINTS_PER_INCH)
    at = ax.transData.transform([note.xy for note in notes])
    order = [k for k in np.lexsort(at.T[::-1]) if _inside(at[k : k + 1], scene.frame[None]).any()]
    for k in SWEEPS * order:
        _place(notes[k], k, at[k], scene)
    for k, note in enumerate(notes):
        note.set_visible(bool(np.isfinite(scene.taken[k]).all()))
    return ax


@dataclass(slots=True)
class _Scene:
    """What labels must keep clear of, in pixels; boxes are (left, bottom, right, top).

    `taken` and `leaders` hold a row for each label, infinite until it is placed.
    """

    point: float
    frame: Array
    curves: Array
    markers: Array
    taken: Array
    leaders: Array


def _survey(ax: Axes, labels: int, point: float) -> _Scene:
    drawn = [line for line in ax.lines if line.get_visible() and len(line.get_path()) > 0]
    paths = [(line, line.get_transform().transform(line.get_path().vertices)) for line in drawn]
    curves = [
        _sampled(path, SAMPLE_SPACING * point)
        for line, path in paths
        if line.get_linestyle() != "None"
    ]
    marked = [path for line, path in paths if line.get_marker() not in {"None", None, ""}]
    centres = np.concatenate([np.empty((0, 2)), *marked])
    radius = np.full(2, MARKER_RADIUS * point)
    return _Scene(
        point=point,
        frame=np.asarray(ax.get_window_extent().extents),
        curves=np.concatenate([np.empty((0, 2)), *curves]),
        markers=np.hstack([centres - radius, centres + radius]),
        taken=np.vstack([np.full((labels, 4), np.inf), _legend_box(ax)]),
        leaders=np.full((labels, LEADER_SAMPLES, 2), np.inf),
    )


def _legend_box(ax: Axes) -> Array:
    legend = ax.get_legend()
    return np.array([] if legend is None else legend.get_window_extent().extents).reshape(-1, 4)


def _sampled(path: Array, spacing: float) -> Array:
    """Points on a polygon at about equal distances; pieces next to a nan are left out."""
    start, stop = path[:-1], path[1:]
    whole = np.isfinite(start).all(axis=1) & np.isfinite(stop).all(axis=1)
    start, stop = start[whole], stop[whole]
    pieces = np.ceil(np.hypot(*(stop - start).T) / spacing).clip(1, MOST_SAMPLES).astype(int)
    first = np.repeat(np.cumsum(pieces) - pieces, pieces)
    share = ((np.arange(pieces.sum()) - first) / np.repeat(pieces, pieces))[:, None]
    start, stop = np.repeat(start, pieces, axis=0), np.repeat(stop, pieces, axis=0)
    return np.asarray(start * (1 - share) + stop * share)


def _place(note: Annotation, k: int, at: Array, scene: _Scene) -> None:
    """Move one label to its cheapest place and note in the scene what it takes there."""
    from matplotlib.text import Text

    scene.taken[k], scene.leaders[k] = np.inf, np.inf
    extent = Text.get_window_extent(note)
    half = np.array([extent.width, extent.height]) / 2
    gaps = np.repeat(DISTANCES, len(DIRECTIONS))[:, None] * scene.point
    directions = np.tile(DIRECTIONS, (len(DISTANCES), 1))
    shifts = directions * gaps + np.sign(directions) * half
    boxes = np.hstack([at + shifts - half, at + shifts + half])
    leaders = at + directions * gaps * np.linspace(0.2, 1.0, LEADER_SAMPLES)[:, None, None]
    cost = _cost(boxes, leaders, at, scene)
    best = int(cost.argmin())
    if cost[best] >= HIDES_LABEL:
        return
    note.set_position(tuple(shifts[best] / scene.point))
    far = best >= len(DIRECTIONS)
    if note.arrow_patch is not None:
        note.arrow_patch.set_visible(far)
    scene.taken[k] = boxes[best]
    if far:
        scene.leaders[k] = leaders[:, best]


def _cost(boxes: Array, leaders: Array, at: Array, scene: _Scene) -> Array:
    clear = CLEARANCE * scene.point
    padded = boxes + clear * np.array([-1, -1, 1, 1])
    reach = np.array([padded[:, :2].min(axis=0), padded[:, 2:].max(axis=0)]).ravel()
    lines = np.vstack([scene.curves, scene.leaders.reshape(-1, 2)])
    near = lines[_inside(lines, reach[None])[0]]
    others = scene.markers[~_inside(at[None], scene.markers)[:, 0]]
    outside = (boxes[:, :2] < scene.frame[:2]).any(axis=1)
    outside |= (boxes[:, 2:] > scene.frame[2:]).any(axis=1)
    hidden = np.vstack([scene.taken, others])
    crossed = np.any([_inside(sample, hidden).any(axis=0) for sample in leaders], axis=0)
    ring, direction = np.divmod(np.arange(len(boxes)), len(DIRECTIONS))
    cost = (
        HIDES_LABEL * (outside + _overlaps(padded, scene.taken).sum(axis=1))
        + HIDES_MARKER * (_overlaps(padded, others).sum(axis=1) + crossed * (ring > 0))
        + HIDES_CURVE * _inside(near, padded).any(axis=1)
        + NEARER_TO_ANOTHER * _misleading(boxes, at, others) / np.minimum(ring + 1, 2)
        + PER_DISTANCE * ring
        + PER_DIRECTION * direction
    )
    return np.asarray(cost)


def _misleading(boxes: Array, at: Array, others: Array) -> Mask:
    """Boxes that lie closer to another marker than to their own: they would name the wrong one."""
    centres = (others[:, :2] + others[:, 2:]) / 2
    own, other = _distance(boxes, at[None]), _distance(boxes, centres)
    return np.asarray((other < CLEARLY_NEARER * own).any(axis=1))


def _distance(boxes: Array, points: Array) -> Array:
    """Distance from boxes to points: boxes x points."""
    below, above = boxes[:, None, :2] - points, points - boxes[:, None, 2:]
    return np.asarray(np.linalg.norm(np.maximum(np.maximum(below, above), 0), axis=2))


def _inside(points: Array, boxes: Array) -> Mask:
    """Which points lie in which boxes: boxes x points."""
    (x, y), (left, bottom, right, top) = points.T, boxes.T[:, :, None]
    return np.asarray((left < x) & (x < right) & (bottom < y) & (y < top))


def _overlaps(boxes: Array, others: Array) -> Mask:
    """Which boxes meet which others: boxes x others."""
    left, bottom, right, top = boxes.T[:, :, None]
    x0, y0, x1, y1 = others.T
    return np.asarray((left <= x1) & (x0 <= right) & (bottom <= y1) & (y0 <= top))
