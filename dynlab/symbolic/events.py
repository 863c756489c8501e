"""Event: where a flow is interrupted, and what happens there.

A flow runs until a *guard*, a function of the state and the time, passes through zero in the
direction of the event.  Then the *reset* gives some states new values, all from the values before,
and the flow goes on.  An event without a reset marks a surface, such as one where the rule jumps.

After an event with a *refractory* time its guard is deaf for so long, and the states it *holds*
stand still while the others go on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sympy

from dynlab.errors import DefinitionError, DuplicateNameError, UnknownNameError
from dynlab.names import checked_name
from dynlab.symbolic.tree import TIME, from_tree, symbol, to_tree

if TYPE_CHECKING:
    from dynlab.symbolic.system import System

__all__ = ["Event"]

_ARROWS = {1: "rises through 0", -1: "falls through 0", 0: "passes 0"}
_LATEX_ARROWS = {1: r"\uparrow", -1: r"\downarrow", 0: r"\updownarrow"}


@dataclass(frozen=True, slots=True)
class Event:
    """What interrupts a flow, and the new state there; made by `dynlab.System.with_event`.

    Parameters
    ----------
    name
        What it is called: ``trajectory.events[name]``.
    guard
        The function whose zeros count.
    direction
        +1 if the guard must rise through zero, -1 if it must fall, 0 for both.
    reset
        New values of states as functions of the state before, in the order of the states.
    refractory
        Time during which the guard is deaf and the held states stand still, or None.
    held
        The states that stand still during that time.
    """

    name: str
    guard: sympy.Expr
    direction: int = 0
    reset: tuple[tuple[str, sympy.Expr], ...] = ()
    refractory: sympy.Expr | None = None
    held: tuple[str, ...] = ()

    @property
    def expressions(self) -> tuple[tuple[sympy.Expr, str], ...]:
        """Every expression of the event, with what it is called in messages."""
        found = [(self.guard, f"the guard of event {self.name!r}")]
        found += [(e, f"the reset of {s!r} in event {self.name!r}") for s, e in self.reset]
        if self.refractory is not None:
            found.append((self.refractory, f"the refractory time of event {self.name!r}"))
        return tuple(found)

    def map_of(self, states: Sequence[str]) -> tuple[sympy.Expr, ...]:
        """Return the whole state after the event, one expression per state."""
        new = dict(self.reset)
        return tuple(new.get(name, symbol(name)) for name in states)

    def __stored__(self) -> list[Any]:
        """Return the event as plain JSON data."""
        pause = None if self.refractory is None else to_tree(self.refractory)
        reset = [[state, to_tree(new)] for state, new in self.reset]
        return [self.name, to_tree(self.guard), self.direction, reset, pause, list(self.held)]

    @classmethod
    def __restored__(cls, data: Sequence[Any]) -> Event:
        """Rebuild an event from what `__stored__` gave."""
        name, guard, direction, reset, pause, held = data
        return cls(
            str(name),
            from_tree(guard),
            int(direction),
            tuple((str(state), from_tree(new)) for state, new in reset),
            None if pause is None else from_tree(pause),
            tuple(str(state) for state in held),
        )

    def __str__(self) -> str:
        new = ", ".join(f"{state} -> {value}" for state, value in self.reset)
        return f"{self.name}: {self.guard} {_ARROWS[self.direction]}{': ' if new else ''}{new}"

    def latex(self, written: Mapping[sympy.Symbol, str]) -> str:
        """Return the event as a line of a LaTeX ``aligned`` block."""
        guard = sympy.latex(self.guard, symbol_names=written)
        values = [
            (sympy.latex(symbol(state), symbol_names=written), sympy.latex(e, symbol_names=written))
            for state, e in self.reset
        ]
        new = r",\; ".join(rf"{state} \mapsto {value}" for state, value in values)
        named = r"\text{" + self.name.replace("_", r"\_") + "}"
        return rf"{guard} &{_LATEX_ARROWS[self.direction]} 0:\quad {new or named}"


def check_events(
    events: Sequence[Event], states: tuple[str, ...], parameters: tuple[str, ...], where: str
) -> None:
    """Raise DefinitionError for an event that cannot be."""
    seen: set[str] = set()
    for event in events:
        checked_name(event.name, "event")
        if event.name in seen:
            raise DuplicateNameError(
                f"two events of {where} are named {event.name!r}. Give one another name=."
            )
        seen.add(event.name)
        if isinstance(event.direction, bool) or event.direction not in (-1, 0, 1):
            raise DefinitionError(
                f"the direction of event {event.name!r} of {where} is {event.direction!r}. Give +1 "
                "(the guard rises through zero), -1 (it falls) or 0 (both)."
            )
        moving = {symbol(name) for name in states} | {TIME}
        if not event.guard.free_symbols & moving:
            raise DefinitionError(
                f"the guard {event.guard} of event {event.name!r} of {where} depends on no state, "
                f"so it never changes. Use one of: {', '.join(states)}."
            )
        for state in [*dict(event.reset), *event.held]:
            if state not in states:
                raise UnknownNameError(f"state of {where} (in event {event.name!r})", state, states)
        _check_refractory(event, parameters, where)


def _check_refractory(event: Event, parameters: tuple[str, ...], where: str) -> None:
    if event.refractory is None:
        if event.held:
            raise DefinitionError(
                f"event {event.name!r} of {where} holds {', '.join(event.held)} for no time. "
                "Give refractory= as well."
            )
        return
    foreign = event.refractory.free_symbols - {symbol(name) for name in parameters}
    if foreign:
        raise DefinitionError(
            f"the refractory time of event {event.name!r} of {where} depends on "
            f"{sorted(map(str, foreign))[0]!r}; it may depend on parameters only."
        )


def holding(system: System, held: frozenset[str]) -> System:
    """Return the system with some of its states standing still."""
    if not held:
        return system
    rule = tuple(
        sympy.S.Zero if state.name in held else rate
        for state, rate in zip(system.states, system.rule, strict=True)
    )
    return replace(system, rule=rule)
