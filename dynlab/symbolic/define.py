"""@flow and @iterated_map: the signature and body of a function become a System."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, overload

import sympy

from dynlab.errors import (
    DefinitionError,
    DuplicateNameError,
    UnitError,
    UnsupportedSystemError,
)
from dynlab.names import checked_names, finite
from dynlab.symbolic.system import (
    ContinuousTime,
    DiscreteTime,
    Domain,
    Parameter,
    State,
    System,
    check_expression,
    on_symbols,
)
from dynlab.symbolic.tree import symbol

__all__ = ["flow", "iterated_map"]

Rule = Callable[..., Mapping[Any, Any]]
_DOMAINS = {"Angle": Domain.CIRCLE, "Positive": Domain.POSITIVE, "float": Domain.LINE}


@overload
def flow(function: Rule) -> System: ...
@overload
def flow(*, time: str = "", units: Mapping[str, str] | None = None) -> Callable[[Rule], System]: ...
def flow(
    function: Rule | None = None, *, time: str = "", units: Mapping[str, str] | None = None
) -> Any:
    """Define a flow: a function from states and parameters to the rate of each state.

    Positional arguments are states and their defaults the default start; keyword-only arguments
    are parameters and their defaults the values.  The body runs once, on symbols, and returns
    ``{state: expression}``.

    Parameters
    ----------
    function
        The function to define the system by.
    time
        Unit label of time, such as ``"ms"``.
    units
        Unit labels of states and parameters, by name.

    Returns
    -------
    System
        The definition; it carries the function's name and docstring.

    Raises
    ------
    DefinitionError
        If an equation is missing or doubled, a name is not valid, or an expression leaves the
        language of equations.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow(time="ms")
    ... def fitzhugh_nagumo(v=-1.2, w=-0.6, *, I=0.0, a=0.7, b=0.8, eps=0.08):
    ...     return {v: v - v**3 / 3 - w + I, w: eps * (v + a - b * w)}
    >>> fitzhugh_nagumo.state_names
    ('v', 'w')
    """
    made = ContinuousTime(time)
    if function is None:
        return lambda f: _define(f, made, units or {})
    return _define(function, made, units or {})


@overload
def iterated_map(function: Rule) -> System: ...
@overload
def iterated_map(*, units: Mapping[str, str] | None = None) -> Callable[[Rule], System]: ...
def iterated_map(function: Rule | None = None, *, units: Mapping[str, str] | None = None) -> Any:
    """Define a map: a function from states and parameters to the next value of each state.

    See `flow` for how the function is read.

    Parameters
    ----------
    function
        The function to define the system by.
    units
        Unit labels of states and parameters, by name.

    Returns
    -------
    System
        The definition.

    Raises
    ------
    DefinitionError
        As for `flow`.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.iterated_map
    ... def logistic(x=0.2, *, r=3.2):
    ...     return {x: r * x * (1 - x)}
    >>> logistic.is_discrete
    True
    """
    if function is None:
        return lambda f: _define(f, DiscreteTime(), units or {})
    return _define(function, DiscreteTime(), units or {})


def _define(
    function: Rule, time: ContinuousTime | DiscreteTime, units: Mapping[str, str]
) -> System:
    if not callable(function):
        raise DefinitionError(
            f"a system is defined by a function, not by {function!r}. Write: @dl.flow above "
            "def name(x=1.0, *, a=2.0): return {x: -a * x}."
        )
    name = getattr(function, "__name__", "system")
    states, parameters = _declarations(function, name, units)
    declared = [s.name for s in states] + [p.name for p in parameters]
    names = checked_names(declared, f"quantity of {name!r}")
    symbols = {n: symbol(n) for n in names}
    equations = _run_body(function, name, states, parameters, symbols)
    return System(
        name=name,
        states=tuple(states),
        parameters=tuple(parameters),
        rule=_rule(function, equations, states, names, name),
        time=time,
        reference=inspect.getdoc(function) or "",
    )


def _declarations(
    function: Rule, name: str, units: Mapping[str, str]
) -> tuple[list[State], list[Parameter]]:
    """Read states and parameters from the signature."""
    states: list[State] = []
    parameters: list[Parameter] = []
    signature = inspect.signature(function)
    for unit in units:
        if unit not in signature.parameters:
            raise UnitError(
                f"units of {name!r} names {unit!r}, which is no state or parameter. "
                f"Known: {', '.join(signature.parameters)}."
            )
    plain = checked_names(signature.parameters, f"quantity of {name!r}")
    for spelled, argument in zip(plain, signature.parameters.values(), strict=True):
        unit = units.get(argument.name, "")
        if argument.kind in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD):
            raise DefinitionError(
                f"{name!r} takes *{argument.name}; name each state and parameter."
            )
        if argument.default is inspect.Parameter.empty:
            kind = "parameter" if argument.kind is argument.KEYWORD_ONLY else "state"
            raise DefinitionError(
                f"the {kind} {argument.name!r} of {name!r} has no value. "
                f"Give it a default: {argument.name}=1.0."
            )
        value = finite(argument.default, f"the default of {argument.name!r} of {name!r}")
        domain = _domain(argument, name)
        if argument.kind is argument.KEYWORD_ONLY and domain is not Domain.LINE:
            raise DefinitionError(
                f"the parameter {argument.name!r} of {name!r} is declared {argument.annotation}; "
                "domains are for states. Leave the annotation out."
            )
        if argument.kind is argument.KEYWORD_ONLY:
            parameters.append(Parameter(spelled, value, unit))
        else:
            states.append(State(spelled, value, unit, domain))
    if not states:
        raise DefinitionError(
            f"{name!r} has no states. Positional arguments are states and keyword-only ones "
            "parameters: def f(x=1.0, *, a=2.0)."
        )
    return states, parameters


def _domain(argument: inspect.Parameter, name: str) -> Domain:
    """Read the domain from an annotation, which may be an object or a text; nothing is evaluated."""
    given = argument.annotation
    if given is inspect.Parameter.empty:
        return Domain.LINE
    if isinstance(given, Domain):
        return given
    if given is float:
        return Domain.LINE
    word = str(given).rsplit(".", 1)[-1]
    if re.search(r"\b(PerNode|PerLink|Field)\b", str(given)):
        raise UnsupportedSystemError(
            f"{argument.name!r} of {name!r} is declared {given}; states indexed over a network or "
            "a field cannot be lowered to kernels yet. Write the scalar equations out."
        )
    if word in _DOMAINS:
        return _DOMAINS[word]
    raise DefinitionError(
        f"the annotation {given!r} of {argument.name!r} of {name!r} is not a domain. "
        f"Use one of dl.{', dl.'.join(sorted(set(_DOMAINS) - {'float'}))}, or none."
    )


def _run_body(
    function: Rule,
    name: str,
    states: list[State],
    parameters: list[Parameter],
    symbols: Mapping[str, sympy.Symbol],
) -> Mapping[Any, Any]:
    spelled = list(inspect.signature(function).parameters)
    plain = [symbols[s.name] for s in states]
    named = {
        original: symbols[p.name]
        for original, p in zip(spelled[len(states) :], parameters, strict=True)
    }
    equations = on_symbols(lambda: function(*plain, **named), f"the body of {name!r}", spelled)
    if not isinstance(equations, Mapping):
        raise DefinitionError(
            f"{name!r} returns {type(equations).__name__}; return a dict {{state: expression}}."
        )
    return equations


def _rule(
    function: Rule,
    equations: Mapping[Any, Any],
    states: list[State],
    names: tuple[str, ...],
    name: str,
) -> tuple[sympy.Expr, ...]:
    doubled = [key for key, count in Counter(_written_keys(function)).items() if count > 1]
    if doubled:
        raise DuplicateNameError(
            f"{name!r} has two equations for the state {doubled[0]!r}. Add the terms in one."
        )
    state_names = [state.name for state in states]
    by_name: dict[str, Any] = {}
    for key, value in equations.items():
        if not isinstance(key, sympy.Symbol) or key.name not in state_names:
            raise DefinitionError(
                f"{name!r} has an equation for {key!s:.40}, which is not a state. "
                f"The keys are the positional arguments themselves: {', '.join(state_names)}."
            )
        by_name[key.name] = value
    missing = [n for n in state_names if n not in by_name]
    if missing:
        raise DefinitionError(
            f"{name!r} has no equation for the state {missing[0]!r}. "
            f"Add {missing[0]}: ... to the dict it returns."
        )
    return tuple(
        check_expression(by_name[n], names, f"the equation of {n!r} of {name!r}")
        for n in state_names
    )


def _written_keys(function: Rule) -> list[str]:
    """Return the keys of the returned dict as written, since a dict hides a doubled one.

    A dict that is given a name first and then returned counts as well.
    """
    try:
        source = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return []
    body = next(
        (n for n in ast.walk(source) if isinstance(n, ast.FunctionDef | ast.Lambda)), source
    )
    nodes = list(_own_nodes(body))
    named = {
        target.id: node.value
        for node in nodes
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in reversed(nodes):
        value = node.value if isinstance(node, ast.Return) else None
        if isinstance(value, ast.Name):
            value = named.get(value.id)
        if isinstance(value, ast.Dict):
            return [k.id for k in value.keys if isinstance(k, ast.Name)]
    return []


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Yield what stands in a function, in order, but not inside functions defined in it."""
    for child in ast.iter_child_nodes(function):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield from _own_nodes(child)
