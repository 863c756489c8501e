"""What every system keeps: one check of names, units, expressions and index sets, made when it is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sympy

from dynlab.errors import (
    DefinitionError,
    DuplicateNameError,
    UnitError,
    UnknownNameError,
    UnsupportedSystemError,
)
from dynlab.names import checked_name, checked_names, finite
from dynlab.symbolic import indexed, signals
from dynlab.symbolic.delays import check_delays
from dynlab.symbolic.entry import base_of, spelled
from dynlab.symbolic.events import Event, check_events
from dynlab.symbolic.quantities import IndexSet, Intermediate, State
from dynlab.symbolic.tree import TIME, symbol, to_tree

if TYPE_CHECKING:
    from dynlab.symbolic.system import System

__all__ = ["check_system"]


_LABEL_LIMIT = 40


def check_system(system: System) -> None:
    """Refuse a system whose names, units, values, equations, events or noise do not fit together."""
    checked_name(system.name, "system") if system.name.isidentifier() else None
    checked_names(system.declared, "state")
    known = tuple(q.name for q in system.quantities)
    names = checked_names(known + system.observable_names, "quantity")
    if not system.states:
        raise DefinitionError(
            f"{system.name!r} has no states. Positional arguments are states: def f(x=1.0, *, a=2.0)."
        )
    if len(system.rule) != len(system.states):
        raise DefinitionError(
            f"{system.name!r} has {len(system.states)} states and {len(system.rule)} equations."
        )
    values = [(s.name, s.unit, s.start) for s in system.states]
    values += [(p.name, p.unit, p.value) for p in system.parameters]
    for name, unit, value in values:
        if name not in names:
            raise DuplicateNameError(f"{name!r} is not in normal form; rename it.")
        _check_label(unit, name)
        finite(value, f"the value of {name!r} in {system.name!r}")
    for p in system.parameters:
        if p.entry and (
            p.shape or spelled(p.entry) != p.entry or base_of(p.entry) not in system.shapes
        ):
            raise DefinitionError(
                f"{p.entry!r} of {system.name!r} is no entry of an indexed parameter."
            )
    _check_label(system.time.unit, "the time")
    _check_signals(system)
    check_delays(system)
    for place, intermediate in enumerate(system.intermediates):
        known_before = system.intermediates[:place]
        _require_clean(intermediate, intermediate.expression, known, _shapes(system, known_before),
                       f"an intermediate of {system.name!r}")  # fmt: skip
    shapes = system.shapes
    for state, expression in zip(system.states, system.rule, strict=True):
        where = f"the equation of {state.name!r} of {system.name!r}"
        _require_clean(state, expression, known, shapes, where)
    for observable in system.observables:
        _check_label(observable.unit, observable.name)
        _require_clean(
            None, observable.expression, known, shapes, f"observable {observable.name!r}"
        )
    paired = [name for pair in system.pairs for name in pair]
    if paired and sorted(paired) != sorted(system.declared):
        raise DefinitionError(
            f"the pairs of {system.name!r} name {', '.join(paired)}, and its states are "
            f"{', '.join(system.declared)}. Name each state once, as a coordinate or momentum."
        )
    if system.events and system.is_discrete:
        raise UnsupportedSystemError(
            f"{system.name!r} is a map, and a map has no time between its steps at which an event "
            "could happen. Write the new value with dl.where(condition, a, b) in its equations."
        )
    if system.is_indexed and any(not event.over for event in system.events):
        raise UnsupportedSystemError(
            f"{system.name!r} is a network, and an event of it belongs to its nodes. Give the event a guard "
            "in an index, when=lambda v: v[i] - 1 with i = dl.nodes('i'), or record a dl.Crossing."
        )
    for event in system.events:
        for expression, where in event.expressions:
            owner = _owner(system, event, expression)
            _require_clean(owner, expression, known, shapes, f"{where} of {system.name!r}")
    if system.events:
        check_events(
            system.events, system.declared, tuple(system.names_in_rule.values()), repr(system.name)
        )
    for layer in system.noise.layers if system.noise else ():
        if len(layer.amplitudes) != len(system.states):
            raise DefinitionError(f"the noise of {system.name!r} does not fit its states.")
        for state, expression in zip(system.states, layer.amplitudes, strict=True):
            where = f"the noise of {state.name!r} of {system.name!r}"
            _require_clean(state, expression, known, shapes, where)
    for event in system.events:
        for still in event.held if event.over else ():
            if shapes.get(still) != (event.over,):
                raise DefinitionError(
                    f"event {event.name!r} of {system.name!r} holds {still!r}, which is not per node of "
                    f"{event.over!r}. Hold states of the nodes that have the event."
                )


def _owner(system: System, event: Event, expression: sympy.Expr) -> Intermediate | None:
    """Return what an expression of an event is indexed like: the node, or target and node."""
    if not event.over:
        return None
    shape: tuple[IndexSet, ...] = (IndexSet(event.over),)
    for state, new in event.deliver:
        if new is expression:
            shape = (IndexSet(system.shapes[state][0]), *shape)
    return Intermediate("", shape, expression)


def _check_signals(system: System) -> None:
    declared = [q.name for q in system.quantities]
    checked_names([*declared, *system.observable_names, *system.signal_names], "quantity")
    for signal in system.signals:
        _check_label(signal.unit, signal.name)
        if signal.value is not None:
            finite(signal.value, f"the value of {signal.name!r} in {system.name!r}")
    observed = [o.expression for o in system.observables]
    for name in sorted(signals.names_in((*system.rule, *observed))):
        if name not in system.signal_names:
            raise UnknownNameError(f"signal of {system.name!r}", name, system.signal_names)


def _shapes(system: System, before: Sequence[Intermediate]) -> dict[str, tuple[str, ...]]:
    shapes = {q.name: tuple(s.name for s in q.shape) for q in system.quantities if q.shape}
    return shapes | {m.name: tuple(s.name for s in m.shape) for m in before}


def _require_clean(
    owner: State | Intermediate | None, expression: Any, known: tuple[str, ...],
    shapes: Mapping[str, tuple[str, ...]], where: str,
) -> None:  # fmt: skip
    if not isinstance(expression, sympy.Expr):
        raise DefinitionError(f"{where} is {expression!r}, not a sympy expression.")
    found = indexed.index_sets(expression, shapes, where)
    own = () if owner is None else tuple(s.name for s in owner.shape)
    for index, over in found.items():
        place = indexed.LETTERS.index(index) if index in indexed.LETTERS else len(own)
        if place >= len(own):
            raise DefinitionError(
                f"{where} depends on the index {index}, which nothing sums over. "
                "Use dl.Sum or dl.Mean, or the index of the state itself."
            )
        if over != own[place]:
            raise DefinitionError(
                f"{where} is per node of {own[place]!r}, and its index picks nodes of {over!r}. "
                "Sum over those with another index."
            )
    for free in expression.free_symbols:
        if free == TIME or isinstance(free, indexed.Element):
            continue
        name = getattr(free, "name", str(free))
        if name in shapes:
            raise DefinitionError(f"in {where}, {name} stands without its index; write {name}[i].")
        if name not in known:
            checked_name(name, f"quantity in {where}")
            raise UnknownNameError(f"state or parameter (in {where})", name, known)
        if free != symbol(name):
            raise DefinitionError(f"{where} holds a foreign symbol {name!r}; use dl.flow.")
    to_tree(expression)


def _check_label(label: str, name: str) -> None:
    if not isinstance(label, str) or len(label) > _LABEL_LIMIT or not label.isprintable():
        raise UnitError(
            f"the unit of {name!r} is {label!r}; a unit is a short printable text such as 'mV'."
        )
