"""Events of the nodes of a network: each node has the guard, the reset and the links of its own.

A node j that fires sets its own states anew and delivers over its links: at each target i, states get
new values that may hold the link's weight ``w[i, j]``.

While a node is refractory the states that its event holds stand still: their rates are multiplied by a
parameter per node that is 1, and 0 meanwhile (`moving_rates`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sympy

from dynlab.errors import DefinitionError, UnknownNameError
from dynlab.symbolic import indexed
from dynlab.symbolic.quantities import IndexSet, Parameter

if TYPE_CHECKING:
    from dynlab.symbolic.system import System

__all__ = ["delivered", "guard_of_nodes", "moving_rates", "reset_of_nodes", "with_held_states"]

Values = tuple[tuple[str, sympy.Expr], ...]


def guard_of_nodes(
    system: System, guard: Any, names: Mapping[str, Any], check: Callable[..., Any]
) -> tuple[str, sympy.Expr]:
    """Return the set whose nodes have a guard, and the guard in the index i."""
    where = f"the guard of an event of {system.name!r}"
    expression = check(_called(guard, names, where), where)
    sets = indexed.index_sets(expression, system.shapes, where)
    if len(sets) != 1:
        raise DefinitionError(
            f"{where} depends on {len(sets)} indices; on a network each node has the event, so it depends "
            "on one: when=lambda v: v[i] - 30, with i = dl.nodes('i')."
        )
    ((index, over),) = sets.items()
    return over, indexed.canonical(expression, (index,))


def reset_of_nodes(system: System, found: Any, over: str, check: Callable[..., Any]) -> Values:
    """Return the new values of the node's own states, in the index i."""
    where = f"the reset of {system.name!r}"
    return tuple(
        (base, indexed.canonical(check(value, where), indices))
        for base, indices, value in _entries(system, found, where)
        if _fits(system, base, indices, over, where)
    )


def delivered(
    system: System, function: Any, names: Mapping[str, Any], over: str, check: Callable[..., Any]
) -> Values:
    """Return what a firing node delivers, in the index i of the target and j of the node."""
    where = f"the delivery of {system.name!r}"
    made = []
    for base, indices, value in _entries(system, _called(function, names, where), where):
        expression = check(value, where)
        others = sorted(indexed.free_indices(expression) - set(indices))
        links = [e for e in expression.atoms(indexed.Element) if len(e.indices) == 2]
        if len(indices) != 1 or len(others) != 1 or not links:
            raise DefinitionError(
                f"{where} to {base!r} must say over which links: write {{{base}[i]: {base}[i] + w[i, j]}}, "
                "j being the node that fires."
            )
        sets = indexed.index_sets(expression, system.shapes, where)
        if sets[others[0]] != over:
            raise DefinitionError(
                f"{where} comes from {sets[others[0]]!r}; the event is of {over!r}."
            )
        made.append((base, indexed.canonical(expression, (indices[0], others[0]))))
    return tuple(made)


def moving_rates(system: System) -> tuple[dict[str, str], tuple[sympy.Expr, ...]]:
    """Return the rule with a factor for each event that holds states, and what the factors are called.

    The names belong to no quantity of the system yet.
    """
    taken = {q.name for q in system.quantities} | set(system.shapes) | set(system.observable_names)
    names: dict[str, str] = {}
    rates = dict(zip(system.declared, system.rule, strict=True))
    for event in system.events:
        if event.refractory is not None and event.held:
            name = f"moving_{event.name}"
            while name in taken:
                name += "_"
            names[event.name] = name
            taken.add(name)
            for state in event.held:
                rates[state] = indexed.element(name, "i") * rates[state]
    return names, tuple(rates.values())


def _called(function: Any, names: Mapping[str, Any], where: str) -> Any:
    if not callable(function):
        raise DefinitionError(f"{where} is {function!r}, not a function: lambda v: v[i] - 30.")
    arguments = list(inspect.signature(function).parameters)
    for argument in arguments:
        if argument not in names:
            raise UnknownNameError(f"quantity (in {where})", argument, names)
    return function(*(names[a] for a in arguments))


def _entries(system: System, found: Any, where: str) -> list[tuple[str, tuple[str, ...], Any]]:
    if not isinstance(found, Mapping):
        raise DefinitionError(
            f"{where} returns {type(found).__name__}; return a dict {{v[i]: ...}}."
        )
    entries = []
    for key, value in found.items():
        if not isinstance(key, indexed.Element) or key.base not in system.declared:
            raise DefinitionError(
                f"{where} has a value for {key!s:.40}, which is no state of a node. "
                f"Its keys are such as {system.declared[0]}[i]."
            )
        entries.append((key.base, key.indices, value))
    return entries


def _fits(system: System, base: str, indices: tuple[str, ...], over: str, where: str) -> bool:
    if system.shapes[base] != (over,) or len(indices) != 1:
        raise DefinitionError(f"{where} sets {base!r}, which is not per node of {over!r}.")
    return True


def with_held_states(system: System) -> tuple[System, dict[str, str]]:
    """Return the network with a parameter per node that is 0 while the node's states are held.

    The second part says what it is called, for each event that holds states.
    """
    names, rule = moving_rates(system)
    over = {event.name: event.over for event in system.events}
    added = [Parameter(new, 1.0, shape=(IndexSet(over[e]),)) for e, new in names.items()]
    if not added:
        return system, {}
    return replace(system, parameters=(*system.parameters, *added), rule=rule), names
