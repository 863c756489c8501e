"""Delays: the states of the past that a rule asks for, and the rule without them.

    x' = f(x(t), x(t - tau_1), ..., x(t - tau_m))

A rule holds ``delayed(x, tau)`` where it means x(t - tau).  Kernels are given these values in the slot ``z``, one after
another in the order of `lags_of`; where a rule is lowered or differentiated, each stands as a symbol of its own.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import sympy

from dynlab.errors import DefinitionError, SettingError, UnsupportedSystemError
from dynlab.symbolic.derivatives import jacobian
from dynlab.symbolic.functions import delayed
from dynlab.symbolic.tree import TIME, symbol

if TYPE_CHECKING:
    from dynlab.symbolic.system import System

__all__ = [
    "Lag",
    "at_once",
    "check_delays",
    "lag_names",
    "lag_values",
    "lags_of",
    "linear_parts",
    "standing",
    "with_lag_symbols",
]

Expressions = tuple[sympy.Expr, ...]


class Lag(NamedTuple):
    """A state of the past: which one, and how long ago, in parameters."""

    state: str
    delay: sympy.Expr


@functools.cache
def lags_of(rule: Expressions) -> tuple[Lag, ...]:
    """Return what a rule asks of the past, sorted by state and delay."""
    found = {atom for e in rule for atom in e.atoms(delayed)}
    return tuple(Lag(a.args[0].name, a.args[1]) for a in sorted(found, key=str))


def lag_names(count: int) -> tuple[str, ...]:
    """Return what the values in ``z`` are called in a lowered rule; no user's name begins so."""
    return tuple(f"_z{place}" for place in range(count))


@functools.cache
def with_lag_symbols(rule: Expressions) -> Expressions:
    """Return the rule with a symbol for each state of the past."""
    lags = lags_of(rule)
    if not lags:
        return rule
    names = lag_names(len(lags))
    swap = {
        delayed(symbol(lag.state), lag.delay): symbol(name)
        for lag, name in zip(lags, names, strict=True)
    }
    return tuple(e.xreplace(swap) for e in rule)


@functools.cache
def at_once(rule: Expressions) -> Expressions:
    """Return the rule for a state that stands still: its past is its present."""
    return tuple(e.replace(delayed, lambda state, delay: state) for e in rule)


def standing(system: System) -> System:
    """Return the flow without delays that has the same equilibria."""
    return replace(system, rule=at_once(system.rule)) if system.delays else system


def linear_parts(system: System) -> tuple[sympy.Expr, ...]:
    """Return how each equation answers to each state now, and then to each of `lags_of`, where nothing moves.

    n rows of n + L expressions of states and parameters.
    """
    variables = system.declared + lag_names(len(system.delays))
    matrix = jacobian(with_lag_symbols(system.rule), variables)
    back = {
        symbol(name): symbol(lag.state)
        for name, lag in zip(variables[len(system.declared) :], system.delays, strict=True)
    }
    return tuple(e.xreplace(back) for e in matrix)


def lag_values(system: System) -> tuple[float, ...]:
    """Return the delays in the order of `lags_of`, in the system's unit of time.

    Raises
    ------
    SettingError
        If a delay is negative, or no number.
    """
    values: Mapping[sympy.Symbol, sympy.Float] = dict(
        zip(
            map(symbol, system.names_in_rule.values()),
            map(sympy.Float, system.parameter_values),
            strict=True,
        )
    )
    found = []
    for lag in system.delays:
        number = sympy.sympify(lag.delay.xreplace(values))
        value = float(number) if number.is_number and number.is_real else float("nan")
        if not 0 <= value < float("inf"):
            raise SettingError(
                f"the delay {lag.delay} of {lag.state!r} in {system.name!r} is {value:g}; it must be 0 or more. Change "
                "the parameters that it is made of."
            )
        found.append(value)
    return tuple(found)


def check_delays(system: System) -> None:
    """Refuse delays that cannot be, and delays where there can be none."""
    _refuse_elsewhere(system)
    lags = system.delays
    if not lags:
        return
    if system.is_discrete:
        raise UnsupportedSystemError(
            f"{system.name!r} is a map with delays. Make each earlier value a state: {{y: x}} is what x was a step ago."
        )
    if system.is_indexed:
        raise UnsupportedSystemError(
            f"{system.name!r} is a network with delays, which cannot be lowered to kernels yet. Write the states of "
            "few nodes out by name."
        )
    for part, what in ((system.events, "events"), (system.noise, "noise")):
        if part:
            raise UnsupportedSystemError(
                f"{system.name!r} has delays and {what}, which cannot be run together yet. Take one of them out."
            )
    parameters = set(system.names_in_rule.values())
    for state, delay in lags:
        if state not in system.declared:
            raise DefinitionError(
                f"{system.name!r} delays {state!r}, which is no state. Delayed are states: "
                f"{', '.join(system.declared)}."
            )
        free = {s.name for s in delay.free_symbols}
        if delay.has(TIME) or delay.has(delayed) or not free <= parameters:
            raise UnsupportedSystemError(
                f"the delay {delay} of {state!r} in {system.name!r} changes along the run. A delay is a number or an "
                "expression of parameters."
            )


def _refuse_elsewhere(system: System) -> None:
    """Refuse states of the past outside the equations."""
    parts: list[tuple[str, Iterable[sympy.Expr]]] = [
        (f"the observable {o.name!r}", (o.expression,)) for o in system.observables
    ]
    parts += [(f"the event {e.name!r}", (x for x, _ in e.expressions)) for e in system.events]
    parts += [
        (f"an intermediate of {system.name!r}", (m.expression,)) for m in system.intermediates
    ]
    parts += [
        ("the noise", layer.amplitudes) for layer in (system.noise.layers if system.noise else ())
    ]
    for where, expressions in parts:
        if any(e.has(delayed) for e in expressions):
            raise UnsupportedSystemError(
                f"{where} of {system.name!r} asks for a state of the past. dl.delayed stands in the equations alone."
            )
