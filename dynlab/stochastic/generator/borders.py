"""Borders: what it means to be beyond, as ``{"x": 0}`` or ``{"x": (-1, 1)}``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dynlab.errors import SettingError, UnknownNameError
from dynlab.names import by_name, finite
from dynlab.symbolic.system import System

__all__ = ["borders_of"]


def borders_of(
    system: System, beyond: Mapping[str, Any], names: Sequence[str] = ()
) -> dict[str, tuple[float | None, float | None]]:
    """Return the lower and the upper border of each state; a single one comes first, whichever side it is.

    `names` are those that may be given, if more than the states.

    Raises
    ------
    SettingError
        If there is none, or an interval is empty.
    UnknownNameError
        If a name is not that of a state.
    """
    given = by_name(beyond, "beyond")
    if not given:
        raise SettingError(
            "beyond is empty. Give a border, beyond={'x': 0}, or an interval, {'x': (-1, 1)}."
        )
    found: dict[str, tuple[float | None, float | None]] = {}
    for name, value in given.items():
        known = tuple(names) or system.state_names
        if name not in known:
            raise UnknownNameError(f"state of {system.name!r}", name, known)
        if isinstance(value, tuple | list):
            if len(value) != 2:
                raise SettingError(
                    f"beyond[{name!r}] is {value!r}; give a number, or two for an interval."
                )
            low, high = (finite(v, f"beyond[{name!r}]") for v in value)
            if not low < high:
                raise SettingError(
                    f"beyond[{name!r}] is ({low:g}, {high:g}), which is empty. Put the lower end first."
                )
            found[name] = (low, high)
        else:
            found[name] = (finite(value, f"beyond[{name!r}]"), None)
    return found
