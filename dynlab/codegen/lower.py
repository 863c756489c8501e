"""System -> Program: assignments as plain data, common subexpressions taken out once.

A Program holds no text and no sympy: it can be printed as code, hashed, or evaluated on intervals.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy.logic.boolalg import Boolean

from dynlab.errors import CompileError, DefinitionError
from dynlab.symbolic import derivatives
from dynlab.symbolic.delays import lag_names, with_lag_symbols
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import Tree, to_tree

__all__ = [
    "Program",
    "lower",
    "lower_derivative",
    "lower_entries",
    "lower_jacobian",
    "lower_product",
    "lower_rule",
    "lower_transposed",
    "shared_subexpressions",
]


@dataclass(frozen=True, slots=True)
class Program:
    """What one kernel computes.

    Parameters
    ----------
    kind
        The name of the kernel: ``"rhs"``, ``"jacobian"``, ...
    states, parameters
        Names in the order in which their values arrive.
    directions
        How many direction vectors the kernel takes.
    assignments
        Common subexpressions in order, each a name and a tree.
    outputs
        One tree per number written, row by row.
    supplied
        Names of the values that arrive in ``z``: states of the past.
    """

    kind: str
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    directions: int
    assignments: tuple[tuple[str, Tree], ...]
    outputs: tuple[Tree, ...]
    supplied: tuple[str, ...] = ()


def lower(
    kind: str, system: System, expressions: Sequence[sympy.Expr], *, directions: int = 0
) -> Program:
    """Take common subexpressions out and turn everything into plain data."""
    counter = itertools.count()
    try:
        shared, outputs = shared_subexpressions(expressions, lambda: f"_c{next(counter)}")
        return Program(
            kind=kind,
            states=system.state_names,
            parameters=system.parameter_names,
            directions=directions,
            assignments=tuple((s.name, to_tree(e)) for s, e in shared),
            outputs=tuple(to_tree(e) for e in outputs),
            supplied=lag_names(len(system.delays)),
        )
    except DefinitionError as error:
        raise CompileError(f"the {kind} of {system.name!r} has no kernel: {error}") from error


def shared_subexpressions(
    expressions: Sequence[sympy.Expr], fresh: Callable[[], str]
) -> tuple[list[tuple[sympy.Symbol, sympy.Expr]], list[sympy.Expr]]:
    """Take common subexpressions out, under fresh names."""
    names = (sympy.Symbol(fresh(), real=True) for _ in itertools.count())
    return _without_conditions(*sympy.cse(list(expressions), symbols=names, order="canonical"))


def _without_conditions(
    shared: list[tuple[sympy.Symbol, Any]], outputs: list[sympy.Expr]
) -> tuple[list[tuple[sympy.Symbol, sympy.Expr]], list[sympy.Expr]]:
    """Put conditions that were taken out back where they stood: a name holds a number here."""
    conditions: dict[sympy.Symbol, Any] = {}
    numbers = []
    for name, value in shared:
        value = value.xreplace(conditions)
        if isinstance(value, Boolean):
            conditions[name] = value
        else:
            numbers.append((name, value))
    return numbers, [output.xreplace(conditions) for output in outputs]


def lower_rule(system: System) -> Program:
    """Return the program of the right-hand side, or of the next state of a map."""
    return lower("rhs", system, with_lag_symbols(system.rule))


def lower_jacobian(system: System, active: tuple[str, ...] = ()) -> Program:
    """Return the program of the derivatives by states and then by the active parameters."""
    variables = system.state_names + active
    return lower("jacobian", system, derivatives.jacobian(system.rule, variables))


def lower_product(system: System) -> Program:
    """Return the program of J v of a system with delays: v is the state's deviation, then those of the past."""
    variables = system.state_names + lag_names(len(system.delays))
    forms = derivatives.directional(with_lag_symbols(system.rule), variables, 1)
    return lower("product", system, forms, directions=1)


def lower_entries(
    system: System, active: tuple[str, ...] = ()
) -> tuple[list[int], list[int], Program]:
    """Return rows, columns and the program of the derivatives that are not zero everywhere."""
    variables = system.state_names + active
    flat = derivatives.jacobian(system.rule, variables)
    places = [k for k, e in enumerate(flat) if e != 0]
    program = lower("entries", system, [flat[k] for k in places])
    return [k // len(variables) for k in places], [k % len(variables) for k in places], program


def lower_derivative(system: System, order: int, active: tuple[str, ...] = ()) -> Program:
    """Return the program of a directional derivative, ``order`` direction vectors deep."""
    variables = system.state_names + active
    forms = derivatives.directional(system.rule, variables, order)
    return lower(f"derivative_{order}", system, forms, directions=order)


def lower_transposed(system: System, active: tuple[str, ...] = ()) -> Program:
    """Return the program of the product of the transposed Jacobian with one direction."""
    variables = system.state_names + active
    forms = derivatives.transposed(system.rule, variables)
    return lower("vjp", system, forms, directions=1)


def lower_guard_and_rate(system: System, guards: tuple[sympy.Expr, ...]) -> Program:
    """Return the program of guards and of how fast each changes along the flow."""
    rates = derivatives.along_flow(guards, system.rule, system.state_names)
    return lower("guard_and_rate", system, [*guards, *rates])


def lower_guard_gradient(system: System, active: tuple[str, ...] = ()) -> Program:
    """Return the program of the gradients of all events' guards."""
    guards = tuple(event.guard for event in system.events)
    return lower_event_jacobian("guard_gradient", system, guards, active)


def lower_event_jacobian(
    kind: str, system: System, expressions: tuple[sympy.Expr, ...], active: tuple[str, ...]
) -> Program:
    """Return the program of derivatives by states, then active parameters, then time, in rows."""
    variables = system.state_names + active
    rows = [
        (*derivatives.jacobian((e,), variables), *derivatives.along_flow((e,), (), ()))
        for e in expressions
    ]
    return lower(kind, system, [entry for row in rows for entry in row])
