"""Parameters tied to each other: some are replaced by expressions of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import sympy

from dynlab.errors import DefinitionError, UnknownNameError, UnsupportedSystemError
from dynlab.names import checked_name
from dynlab.symbolic.reader import built, read_tree
from dynlab.symbolic.singular import remove_singularities
from dynlab.symbolic.tree import Tree, symbol, to_tree

if TYPE_CHECKING:
    from dynlab.symbolic.quantities import Parameter
    from dynlab.symbolic.system import System

__all__ = ["tied"]


def tied(system: System, texts: Mapping[str, str]) -> System:
    """Return the system in which parameters are expressions of other parameters."""
    declared = [p.name for p in system.parameters]
    for name in texts:
        if name not in declared:
            raise UnknownNameError(f"parameter of {system.name!r}", name, declared)
    kept = [p.name for p in system.parameters if p.name not in texts and not p.shape]
    new = _new_parameters(system, texts, kept)
    allowed: dict[str, Tree] = {n: ("name", n) for n in [*kept, *new]}
    swap = {symbol(name): _expression(text, name, system, allowed) for name, text in texts.items()}

    def put(expression: sympy.Expr) -> sympy.Expr:
        found = remove_singularities(expression.xreplace(swap))
        to_tree(found)
        return found

    place = {parameter.name: first for first, parameter in new.values()}
    parameters: list[Parameter] = []
    for old in system.parameters:
        parameters += [p for _, p in new.values() if place[p.name] == old.name]
        parameters += [] if old.name in texts else [old]
    return replace(
        system,
        parameters=tuple(parameters),
        rule=tuple(put(e) for e in system.rule),
        observables=tuple(replace(o, expression=put(o.expression)) for o in system.observables),
        events=tuple(event.mapped(put) for event in system.events),
        intermediates=tuple(replace(m, expression=put(m.expression)) for m in system.intermediates),
        noise=system.noise.mapped(put) if system.noise else None,
    )


def _new_parameters(
    system: System, texts: Mapping[str, str], kept: list[str]
) -> dict[str, tuple[str, Parameter]]:
    """Return the parameters that a tie names alone, each with the one it takes its place from."""
    found: dict[str, tuple[str, Parameter]] = {}
    by_name = {p.name: p for p in system.parameters}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise DefinitionError(
                f'the tie of {name!r} is {text!r:.40}, not a text. Write for example {name}="2*g".'
            )
        if by_name[name].shape:
            raise UnsupportedSystemError(
                f"{name!r} of {system.name!r} has a value for each node or link and cannot be "
                "tied. Write the relation in the equations."
            )
        word = text.strip()
        if word.isidentifier() and word not in by_name and word not in found:
            plain = checked_name(word, f"parameter of {system.name!r}")
            if plain in (*system.declared, *system.observable_names):
                raise DefinitionError(
                    f"{name!r} is tied to {plain!r}, which is a state or observable of "
                    f"{system.name!r}. A parameter is tied to parameters; choose another name."
                )
            found[plain] = name, replace(by_name[name], name=plain)
    return found


def _expression(text: str, name: str, system: System, allowed: Mapping[str, Tree]) -> sympy.Expr:
    where = f"the tie of {name!r} of {system.name!r}"
    try:
        return built(read_tree(text, allowed, where=where), where=where)
    except UnknownNameError as error:
        raise DefinitionError(
            f"{error} A tie is an expression of parameters that are not tied themselves. A new "
            f'one, say g, gets its value from a tie that is its bare name: {name}="g".'
        ) from None
