"""What a study looks like: lines over one parameter, maps over two, colours for classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError, UnknownNameError
from dynlab.plotting import (
    draw_class_line,
    draw_class_map,
    draw_lines,
    draw_places,
    draw_shades,
    label,
)
from dynlab.sweep.axis import REPLICATE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dynlab.sweep.result import SweepResult

__all__ = ["draw"]

#: A family has at most so many lines.
_MOST_LINES = 12


def draw(
    result: SweepResult, ax: Axes | None, show: str | None, x: str | None, y: str | None
) -> Axes:
    """Draw a quantity of a study; see `SweepResult.plot`."""
    name = _quantity(result, show)
    for wanted in (x, y):
        if wanted is not None and wanted not in result.study.names:
            raise UnknownNameError("parameter of this study", wanted, result.study.names)
    values = result[name]
    axes = list(result.study.axes)
    if values.ndim > len(axes):
        raise SettingError(
            f"{name!r} is an array at each point. Draw its columns from to_table(), or return single numbers by name."
        )
    is_class = values.dtype.kind in "UbO"
    spread = None
    at = next((k for k, axis in enumerate(axes) if REPLICATE in axis.columns), None)
    if at is not None and len(axes) > 1:
        if is_class:
            raise SettingError(f"{name!r} are classes, which have no average over replicates.")
        counts = values.count(axis=at)
        spread = np.ma.std(values, axis=at, ddof=1) / np.sqrt(np.maximum(counts, 1))
        values = values.mean(axis=at)
        del axes[at]
    given = [n for n in (x, y) if n is not None]
    together = [axis for axis in axes if all(n in axis.columns for n in given)]
    if len(axes) == 1 and len(axes[0].columns) > 1 and (len(given) == 2 or not given) and together:
        first, second = given or list(axes[0].columns)[:2]
        return _places(result, ax, name, values, first, second)
    across = _axis_of(axes, x) if x else 0
    if len(axes) == 1:
        return _line(ax, axes[0], x or next(iter(axes[0].columns)), name, values, spread)
    if len(axes) > 2:
        raise SettingError(
            f"the study has {len(axes)} axes, a picture two. Take a part of to_xarray() or of the arrays."
        )
    up = 1 - across
    if across == 1:
        values = values.T
        spread = spread.T if spread is not None else None
    x = x or next(iter(axes[across].columns))
    if y is None and given and not is_class:
        return _family(ax, x, _numbers(axes[across], x), _words(axes[up]), name, (values, spread))
    y = y or next(iter(axes[up].columns))
    return _map(ax, (_numbers(axes[across], x), _numbers(axes[up], y)), (x, y), name, values)


def _quantity(result: SweepResult, show: str | None) -> str:
    if show is not None and show not in result.columns:
        raise UnknownNameError("quantity of this study", show, result.columns)
    if not result.columns:
        raise SettingError(
            "no point has an answer, so there is nothing to draw. Look at .failures."
        )
    return show if show is not None else next(iter(result.columns))


def _axis_of(axes: list[Any], name: str) -> int:
    for k, axis in enumerate(axes):
        if name in axis.columns:
            return k
    raise SettingError(f"{name!r} is averaged over. Choose another parameter.")


def _numbers(axis: Any, name: str) -> NDArray[np.float64]:
    """Return the values of a parameter as numbers for an axis of a picture."""
    column = axis.columns[name]
    if not isinstance(column, np.ndarray) or column.dtype.kind not in "ifb":
        raise SettingError(
            f"the values of {name!r} are no numbers, so they have no place on an axis. Give x= and let them be a "
            "line each."
        )
    return column.astype(float)


def _classes(values: Any) -> tuple[NDArray[np.int64], list[str], list[str]]:
    """Return classes as numbers, their names, and their colours; nothing is the last."""
    words = np.where(np.ma.getmaskarray(values), "no answer", np.ma.getdata(values).astype(str))
    names = [*sorted(set(words.ravel().tolist()) - {"no answer"}), "no answer"]
    if len(names) > 1 + len(_COLORS):
        raise SettingError(
            f"there are {len(names) - 1} classes, which no eye tells apart. Draw at most {len(_COLORS)}."
        )
    colors = [*_COLORS[: len(names) - 1], "#9A9A9A"]
    numbers = np.searchsorted(names[:-1], words)
    numbers[words == "no answer"] = len(names) - 1
    return numbers, names, colors


#: Pale enough to lie under lines; told apart by every eye.
_COLORS = (
    "#0B1D4A",
    "#56B4E9",
    "#F0E442",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#B8D4E8",
    "#767676",
)


def _map(ax: Axes | None, places: Any, names: tuple[str, str], name: str, values: Any) -> Axes:
    order = [np.argsort(p, kind="stable") for p in places]
    across, up = (p[o] for p, o in zip(places, order, strict=True))
    values = values[np.ix_(*order)]
    labels = (label(names[0]), label(names[1]))
    if values.dtype.kind in "UbO":
        numbers, words, colors = _classes(values)
        return draw_class_map(ax, across, up, numbers, labels=labels, names=words, colors=colors)
    filled = np.ma.filled(values.astype(float), np.nan)
    return draw_shades(ax, across, up, filled, labels=(*labels, _title(name)))


def _line(ax: Axes | None, axis: Any, x: str, name: str, values: Any, spread: Any) -> Axes:
    if values.dtype.kind in "UbO":
        numbers, words, colors = _classes(values)
        return draw_class_line(
            ax, _numbers(axis, x), numbers, labels=(label(x), ""), names=words, colors=colors
        )
    order = np.argsort(_numbers(axis, x), kind="stable")
    bands = None if spread is None else [2 * _filled(spread)[order]]
    return draw_lines(
        ax, _numbers(axis, x)[order], [_filled(values)[order]], bands, labels=(label(x), _title(name)), names=[""]
    )  # fmt: skip


def _family(
    ax: Axes | None, x: str, across: NDArray[np.float64], words: list[str], name: str, lines: Any
) -> Axes:
    """Draw a line for each value of the other axis; `lines` are values and their spread."""
    values, spread = lines
    if len(words) > _MOST_LINES:
        raise SettingError(
            f"{len(words)} lines are too many to tell apart. Give x= and y= for a map of all."
        )
    order = np.argsort(across, kind="stable")
    drawn = [_filled(values)[order, k] for k in range(len(words))]
    bands = None if spread is None else [2 * _filled(spread)[order, k] for k in range(len(words))]
    return draw_lines(ax, across[order], drawn, bands, labels=(label(x), _title(name)), names=words)


def _places(result: SweepResult, ax: Axes | None, name: str, values: Any, x: str, y: str) -> Axes:
    axis = next(a for a in result.study.axes if x in a.columns)
    places = (_numbers(axis, x), _numbers(axis, y))
    labels = (label(x), label(y), _title(name))
    if values.dtype.kind in "UbO":
        numbers, words, colors = _classes(values)
        return draw_places(ax, *places, numbers, labels=labels, names=words, colors=colors)
    return draw_places(ax, *places, _filled(values), labels=labels)


def _filled(values: Any) -> NDArray[np.float64]:
    return np.ma.filled(np.ma.asarray(values).astype(float), np.nan)


def _words(axis: Any) -> list[str]:
    """Return the values of an axis as they stand in a legend."""
    first = next(iter(axis.columns))
    return [_worded(first, axis.value(first, k)) for k in range(len(axis))]


def _worded(name: str, value: Any) -> str:
    shown = (
        f"{value:.6g}" if isinstance(value, float) else getattr(value, "name", None) or str(value)
    )
    return f"{label(name)} = {shown}"


def _title(name: str) -> str:
    """Return the name of a function as words."""
    return name.replace("_", " ")
