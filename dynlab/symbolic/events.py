"""Event: where a flow is interrupted, and what happens there.

A flow runs until a *guard*, a function of the state and the time, passes through zero in the
direction of the event.  Then the *reset* gives some states new values, all from the values before,
and the flow goes on.  An event without a reset marks a surface, such as one where the rule jumps.

After an event with a *refractory* time its guard is deaf for so long, and the states it *holds*
stand still while the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sympy
from sympy.core.relational import Relational

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
    over
        On a network: the set of nodes of which each has the event, in the index i.
    deliver
        On a network: new values of states at the targets i of the links out of the node j that fires.
    """

    name: str
    guard: sympy.Expr
    direction: int = 0
    reset: tuple[tuple[str, sympy.Expr], ...] = ()
    refractory: sympy.Expr | None = None
    held: tuple[str, ...] = ()
    over: str = ""
    deliver: tuple[tuple[str, sympy.Expr], ...] = ()

    @property
    def expressions(self) -> tuple[tuple[sympy.Expr, str], ...]:
        """Every expression of the event, with what it is called in messages."""
        found = [(self.guard, f"the guard of event {self.name!r}")]
        found += [(e, f"the reset of {s!r} in event {self.name!r}") for s, e in self.reset]
        found += [(e, f"what event {self.name!r} delivers to {s!r}") for s, e in self.deliver]
        if self.refractory is not None:
            found.append((self.refractory, f"the refractory time of event {self.name!r}"))
        return tuple(found)

    def mapped(self, change: Callable[[sympy.Expr], sympy.Expr]) -> Event:
        """Return the event with every expression changed in the same way."""
        return replace(
            self,
            guard=change(self.guard),
            reset=tuple((state, change(new)) for state, new in self.reset),
            refractory=None if self.refractory is None else change(self.refractory),
            deliver=tuple((state, change(new)) for state, new in self.deliver),
        )

    def map_of(self, states: Sequence[str]) -> tuple[sympy.Expr, ...]:
        """Return the whole state after the event, one expression per state."""
        new = dict(self.reset)
        return tuple(new.get(name, symbol(name)) for name in states)

    def __stored__(self) -> list[Any]:
        """Return the event as plain JSON data."""
        pause = None if self.refractory is None else to_tree(self.refractory)
        reset = [[state, to_tree(new)] for state, new in self.reset]
        node = [self.over, [[state, to_tree(new)] for state, new in self.deliver]]
        plain = [self.name, to_tree(self.guard), self.direction, reset, pause, list(self.held)]
        return plain + node if self.over else plain

    @classmethod
    def __restored__(cls, data: Sequence[Any]) -> Event:
        """Rebuild an event from what `__stored__` gave."""
        name, guard, direction, reset, pause, held, *node = data
        over, deliver = node or ("", ())
        return cls(
            str(name),
            from_tree(guard),
            int(direction),
            tuple((str(state), from_tree(new)) for state, new in reset),
            None if pause is None else from_tree(pause),
            tuple(str(state) for state in held),
            str(over),
            tuple((str(state), from_tree(new)) for state, new in deliver),
        )

    def __str__(self) -> str:
        new = ", ".join(f"{state} -> {value}" for state, value in (*self.reset, *self.deliver))
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
        if event.over:
            _check_held_of_nodes(event, states, where)
            _check_refractory(event, parameters, where)
            continue
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


def _check_held_of_nodes(event: Event, states: tuple[str, ...], where: str) -> None:
    for state in event.held:
        if state not in states:
            raise UnknownNameError(f"state of {where} (in event {event.name!r})", state, states)


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


def in_leg(system: System, held: frozenset[str], sides: tuple[int, ...]) -> System:
    """Return the system as it is between two events.

    The held states stand still.  What the rule decides by the guard of an event of direction 0
    (``dl.sign(v)`` beside the guard v) is decided once, by the side on which the guard is: until the
    next event the rule is smooth, also where a step reaches beyond the surface.

    Parameters
    ----------
    system
        The system.
    held
        States that stand still.
    sides
        For each event the side of its guard, +1 or -1; 0 leaves decisions as they are.
    """
    rule = list(system.rule)
    for event, side in zip(system.events, sides, strict=True):
        if side and event.direction == 0:
            rule = [_decided(rate, event.guard, side) for rate in rule]
    still = [state.name in held for state in system.states]
    rule = [sympy.S.Zero if stands else rate for rate, stands in zip(rule, still, strict=True)]
    return system if tuple(rule) == system.rule else replace(system, rule=tuple(rule))


_DECISIONS = (Relational, sympy.sign, sympy.Heaviside, sympy.Abs, sympy.Max, sympy.Min)


def _decided(rate: sympy.Expr, guard: sympy.Expr, side: int) -> sympy.Expr:
    """Return an expression with what is decided by the sign of the guard decided."""
    made: dict[Any, Any] = {}
    for decision in rate.atoms(*_DECISIONS):
        first, *others = decision.args
        if isinstance(decision, sympy.sign | sympy.Heaviside | sympy.Abs):
            others = [sympy.S.Zero]
        sign = side * _multiple(first - others[0], guard) if len(others) == 1 else 0
        if sign:
            made[decision] = _outcome(decision, sign)
    return rate.xreplace(made) if made else rate


def _multiple(quantity: sympy.Expr, guard: sympy.Expr) -> int:
    """Return the sign of the factor if a quantity is a multiple of the guard, else 0."""
    if quantity.free_symbols != guard.free_symbols:
        return 0
    factor = sympy.cancel(quantity / guard)
    return int(sympy.sign(factor)) if factor.is_number and factor.is_real else 0


def _outcome(decision: Any, sign: int) -> Any:
    """Return what a decision comes to if its quantity (or left minus right side) has this sign."""
    if isinstance(decision, sympy.sign):
        return sympy.Integer(sign)
    if isinstance(decision, sympy.Heaviside):
        return sympy.Integer((1 + sign) // 2)
    if isinstance(decision, sympy.Abs):
        return sign * decision.args[0]
    if isinstance(decision, sympy.Max | sympy.Min):
        return decision.args[0 if (sign > 0) == isinstance(decision, sympy.Max) else 1]
    if isinstance(decision, sympy.Equality | sympy.Unequality):
        return sympy.sympify(isinstance(decision, sympy.Unequality))
    larger = isinstance(decision, sympy.StrictGreaterThan | sympy.GreaterThan)
    return sympy.sympify((sign > 0) == larger)
