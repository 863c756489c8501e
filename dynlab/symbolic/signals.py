"""Signals: inputs that are data, and what they are in an equation.

In an equation a signal is a function of the time, ``recorded(drive, t, 0)``, of which only the name is
known: the rule is compiled without the recording.  The last argument counts derivatives by time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy

from dynlab.errors import SettingError
from dynlab.recording import Recording
from dynlab.symbolic.functions import recorded
from dynlab.symbolic.tree import TIME, symbol

__all__ = [
    "Signal",
    "at_moment",
    "from_arrays",
    "in_body",
    "names_in",
    "other_arrays",
    "require_recorded",
    "to_arrays",
    "value_at",
    "with_time",
]

Expressions = tuple[sympy.Expr, ...]


@dataclass(frozen=True, slots=True)
class Signal:
    """An input given by data: its name, value without a recording, unit label, and recording."""

    name: str
    value: float | None = None
    unit: str = ""
    recording: Recording | None = None


def in_body(name: str) -> sympy.Expr:
    """Return what stands for a signal in the body of a function: its value at the time."""
    return recorded(symbol(name), TIME, sympy.S.Zero)


def names_in(expressions: Iterable[sympy.Expr]) -> set[str]:
    """Return the names of the signals in some expressions."""
    return {r.args[0].name for e in expressions for r in e.atoms(recorded)}


def at_moment(expressions: Expressions, signals: Mapping[str, Any]) -> Expressions:
    """Return expressions with each signal replaced by a constant quantity."""

    def constant(name: sympy.Symbol, time: sympy.Expr, order: sympy.Integer) -> sympy.Expr:
        return signals[name.name] if order == 0 else sympy.S.Zero

    return tuple(e.replace(recorded, constant) for e in expressions)


def with_time(expressions: Expressions, time: sympy.Expr) -> Expressions:
    """Return expressions with another quantity for the time."""
    return tuple(e.xreplace({TIME: time}) for e in expressions)


def value_at(signal: Signal, moment: float, system: str) -> float:
    """Return what a signal is at a moment."""
    if signal.recording is not None:
        signal.recording.check_covers(moment, moment, signal.name)
        return float(signal.recording(moment))
    if signal.value is None:
        raise SettingError(
            f"the signal {signal.name!r} of {system!r} has no recording. Bind one: "
            f"{system}.with_signal({signal.name}=dl.Recording(times, values))."
        )
    return signal.value


def require_recorded(signals: Iterable[Signal], begin: float, end: float) -> None:
    """Raise SettingError unless each recording has values from one time to another."""
    for signal in signals:
        if signal.recording is not None:
            signal.recording.check_covers(begin, end, signal.name)


#: Arrays of recordings are named by these, before the name of the signal.
_PREFIX = "signal "


def to_arrays(signals: Iterable[Signal]) -> dict[str, Any]:
    """Return the recordings as named arrays, for files."""
    return {
        f"{_PREFIX}{s.name} {what}": array
        for s in signals
        if s.recording is not None
        for what, array in s.recording.to_arrays().items()
    }


def other_arrays(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arrays that belong to no recording."""
    return {name: array for name, array in arrays.items() if not name.startswith(_PREFIX)}


def from_arrays(declared: Iterable[Any], arrays: Mapping[str, Any]) -> tuple[Signal, ...]:
    """Rebuild signals from what `to_arrays` gave, and their names, values and units."""
    made = []
    for name, value, unit in declared:
        own = {w: arrays.get(f"{_PREFIX}{name} {w}") for w in ("times", "values", "words")}
        recording = Recording.from_arrays(own) if own["times"] is not None else None
        made.append(
            Signal(str(name), None if value is None else float(value), str(unit), recording)
        )
    return tuple(made)
