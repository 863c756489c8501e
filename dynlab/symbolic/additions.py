"""What a decorated function adds to a system: the reset of an event, the amplitudes of its noise."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sympy

from dynlab.errors import DefinitionError, DuplicateNameError, UnknownNameError
from dynlab.names import checked_name, finite
from dynlab.symbolic.events import Event
from dynlab.symbolic.expressions import (
    check_expression,
    checked_expression,
    names_in_bodies,
    on_symbols,
)
from dynlab.symbolic.node_events import delivered, guard_of_nodes, reset_of_nodes
from dynlab.symbolic.quantities import Parameter

if TYPE_CHECKING:
    from dynlab.symbolic.system import System

__all__ = ["called_on_names", "event_name", "with_node_event", "with_reset"]


def event_name(system: System) -> str:
    """Return a name for an event that was given none."""
    number = len(system.events) + 1
    return "event" if number == 1 else f"event_{number}"


def with_node_event(  # noqa: PLR0913  (the arguments of with_event)
    system: System, function: Callable[..., Mapping[Any, Any]], event: Event, when: Any,
    refractory: Any, held: Sequence[str] | None, deliver: Any,
) -> System:  # fmt: skip
    """Return the network with an event of each node, of which name and direction are given."""
    extended, found = called_on_names(system, function)
    names = names_in_bodies(extended)

    def check(value: Any, where: str) -> sympy.Expr:
        return checked_expression(value, extended, where)

    over, guard = guard_of_nodes(extended, when, names, check)
    reset = reset_of_nodes(extended, found, over, check)
    still = tuple(s for s, _ in reset) if held is None else tuple(map(str, held))
    event = replace(
        event,
        guard=guard,
        reset=reset,
        refractory=None if refractory is None else extended.expression_of(refractory),
        held=still if refractory is not None or held is not None else (),
        over=over,
        deliver=() if deliver is None else delivered(extended, deliver, names, over, check),
    )
    return replace(extended, events=(*system.events, event))


def with_reset(
    system: System, function: Callable[..., Mapping[Any, Any]]
) -> tuple[System, tuple[tuple[str, sympy.Expr], ...]]:
    """Return the system with the name and parameters of a reset function, and the new values."""
    extended, found = called_on_names(system, function)
    where = f"the reset {getattr(function, '__name__', '')!r} of {system.name!r}"
    return extended, _new_values(extended, found, where)


#: How a part is written that a function defines.
_WRITTEN = {
    "reset": "an event is defined by a function, not by {!r}. Write: "
    "@system.with_event(when=lambda v: v - 1) above def name(v): return {{v: 0}}.",
    "noise": "noise is defined by a function, not by {!r}. Write: @system.with_noise(dl.Ito) above "
    "def name(x, *, s=0.5): return {{x: s * x}}, or system.with_noise(x=0.5).",
}


def called_on_names(
    system: System, function: Callable[..., Mapping[Any, Any]], word: str = "reset"
) -> tuple[System, Any]:
    """Return the system with the name and parameters of a part's function, and what it returns."""
    if not callable(function):
        raise DefinitionError(_WRITTEN[word].format(function))
    name = getattr(function, "__name__", "")
    where = f"the {word} {name!r} of {system.name!r}"
    states: list[str] = []
    parameters = {p.name: p for p in system.parameters}
    named: dict[str, str] = {}
    for argument in inspect.signature(function).parameters.values():
        if argument.kind in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD):
            raise DefinitionError(f"{where} takes *{argument.name}; name each state and parameter.")
        plain = checked_name(argument.name, "quantity")
        given = argument.default is not inspect.Parameter.empty
        if argument.kind is not argument.KEYWORD_ONLY:
            if plain not in {s.name for s in system.states}:
                known = [s.name for s in system.states]
                raise UnknownNameError(f"state (positional argument of {where})", plain, known)
            states.append(plain)
            continue
        if plain in (*system.declared, *system.observable_names):
            raise DuplicateNameError(
                f"the parameter {plain!r} of {where} is a state or observable. Rename it, or make "
                "it a positional argument."
            )
        if plain not in parameters and not given:
            raise DefinitionError(
                f"the parameter {plain!r} of {where} has no value. Give it a default: {plain}=1.0."
            )
        if given:
            value = finite(argument.default, f"the default of {plain!r} in {where}")
            parameters[plain] = replace(parameters.get(plain, Parameter(plain, value)), value=value)
        named[argument.name] = plain
    extended = replace(
        system,
        name=name if name.isidentifier() else system.name,
        parameters=tuple(parameters.values()),
        reference=inspect.getdoc(function) or system.reference,
    )
    known_as = names_in_bodies(extended)
    arguments = [known_as[s] for s in states]
    keywords = {spelled: known_as[plain] for spelled, plain in named.items()}
    found = on_symbols(
        lambda: function(*arguments, **keywords), f"the body of {where}", [*states, *named]
    )
    return extended, found


def _new_values(system: System, found: Any, where: str) -> tuple[tuple[str, sympy.Expr], ...]:
    if not isinstance(found, Mapping):
        raise DefinitionError(
            f"{where} returns {type(found).__name__}; return a dict {{state: new value}}, {{}} if "
            "nothing changes."
        )
    names = [s.name for s in system.states]
    new: dict[str, sympy.Expr] = {}
    known = (*system.state_names, *system.names_in_rule.values())
    for key, value in found.items():
        if not isinstance(key, sympy.Symbol) or key.name not in names:
            raise DefinitionError(
                f"{where} sets {key!s:.40}, which is not a state. The keys are the positional "
                f"arguments themselves; the states are {', '.join(names)}."
            )
        new[key.name] = check_expression(value, known, f"the new value of {key.name!r} in {where}")
    return tuple((name, new[name]) for name in names if name in new)
