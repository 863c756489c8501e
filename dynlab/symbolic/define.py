"""@flow and @iterated_map: the signature and body of a function become a System."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, overload

import sympy

from dynlab.errors import (
    DefinitionError,
    DuplicateNameError,
    UnitError,
    UnsupportedSystemError,
)
from dynlab.names import checked_names, finite
from dynlab.symbolic import indexed, signals
from dynlab.symbolic.expressions import check_expression, on_symbols
from dynlab.symbolic.quantities import (
    ContinuousTime,
    DiscreteTime,
    Domain,
    IndexSet,
    Intermediate,
    Parameter,
    State,
)
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import symbol

__all__ = ["PerLink", "PerNode", "Signal", "flow", "iterated_map"]

Rule = Callable[..., Mapping[Any, Any]]
_DOMAINS = {"Angle": Domain.CIRCLE, "Positive": Domain.POSITIVE, "float": Domain.LINE}

#: How a declaration may be spelled where annotations are texts: PerNode("exc")[dl.Angle] and so on.
_SPELLED = re.compile(
    r"""(?:\w+\.)*(PerNode|PerLink)
        (?:\(\s*['"](\w+)['"]\s*(?:,\s*['"](\w+)['"]\s*)?\))?
        (?:\[\s*(?:\w+\.)*(\w+)\s*\])?$""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Declaration:
    """What an annotation says: the index sets of a quantity, and its domain."""

    word: str = ""
    sets: tuple[str, ...] = ()
    domain: Domain = Domain.LINE

    def __call__(self, *sets: str) -> _Declaration:
        """Name the sets: ``PerNode("exc")``, ``PerLink("target", "source")``."""
        if len(sets) != len(self.sets):
            raise DefinitionError(
                f"dl.{self.word} is given {len(sets)} names of node sets and needs {len(self.sets)}."
            )
        return _Declaration(self.word, checked_names_of_sets(sets), self.domain)

    def __getitem__(self, domain: Domain) -> _Declaration:
        """Say where each number lives: ``PerNode[dl.Angle]``."""
        if not isinstance(domain, Domain):
            raise DefinitionError(f"dl.{self.word}[{domain!r}]: give dl.Angle or dl.Positive.")
        return _Declaration(self.word, self.sets, domain)


def checked_names_of_sets(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of node sets; each must be a valid name."""
    return tuple(checked_names([name], "node set")[0] for name in names)


#: A quantity with one number per node: ``theta: dl.PerNode``, ``E: dl.PerNode("exc")``,
#: ``phi: dl.PerNode[dl.Angle]``.
PerNode = _Declaration("PerNode", ("node",))

#: A quantity with one number per link: ``A: dl.PerLink``, ``W: dl.PerLink("target", "source")``.
PerLink = _Declaration("PerLink", ("node", "node"))

#: An input that is data, ``drive: dl.Signal``; see `dynlab.System.with_signal`.
Signal = _Declaration("Signal")


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
    states, parameters, given = _declarations(function, name, units)
    declared = [s.name for s in states] + [p.name for p in parameters]
    checked_names([*declared, *(s.name for s in given.values())], f"quantity of {name!r}")
    names = checked_names(declared, f"quantity of {name!r}")
    quantities: list[State | Parameter] = [*states]
    quantities += parameters
    symbols = {
        q.name: indexed.Indexed(q.name, len(q.shape)) if q.shape else symbol(q.name)
        for q in quantities
    }
    with indexed.collect_intermediates() as found:
        inputs = {spelled: signals.in_body(s.name) for spelled, s in given.items()}
        equations = _run_body(function, name, states, parameters, symbols, inputs)
    shapes = {q.name: tuple(s.name for s in q.shape) for q in quantities if q.shape}
    intermediates = _intermediates(found, names, shapes, name)
    shapes |= {m.name: tuple(s.name for s in m.shape) for m in intermediates}
    return System(
        name=name,
        states=tuple(states),
        parameters=tuple(parameters),
        rule=_rule(function, equations, states, names, shapes, name),
        time=time,
        reference=inspect.getdoc(function) or "",
        intermediates=intermediates,
        signals=tuple(given.values()),
    )


def _intermediates(
    found: list[tuple[str, str, Any]], names: tuple[str, ...], shapes: Mapping[str, tuple[str, ...]],
    name: str,
) -> tuple[Intermediate, ...]:  # fmt: skip
    """Return what `dl.each` defined, checked, in order."""
    made: list[Intermediate] = []
    for label, index, value in found:
        where = f"dl.each({index}, ...) of {name!r}"
        known = dict(shapes) | {m.name: tuple(s.name for s in m.shape) for m in made}
        expression = check_expression(value, names, where, known)
        over = indexed.index_sets(expression, known, where)
        if set(over) != {index}:
            loose = ", ".join(sorted(set(over) - {index})) or "none"
            raise DefinitionError(
                f"{where} must depend on the index {index} and on no other (others: {loose}). "
                "Sum over the others."
            )
        made.append(
            Intermediate(label, (IndexSet(over[index]),), indexed.canonical(expression, (index,)))
        )
    return tuple(made)


def _declarations(
    function: Rule, name: str, units: Mapping[str, str]
) -> tuple[list[State], list[Parameter], dict[str, signals.Signal]]:
    """Read states, parameters and signals from the signature; the signals by how they are spelled."""
    given: dict[str, signals.Signal] = {}
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
        declared = _declaration(argument, name)
        if declared.word == "Signal":
            given[argument.name] = _signal(argument, spelled, unit, name)
            continue
        is_state = argument.kind is not argument.KEYWORD_ONLY
        if argument.default is inspect.Parameter.empty and not (is_state and declared.sets):
            kind = "parameter" if argument.kind is argument.KEYWORD_ONLY else "state"
            raise DefinitionError(
                f"the {kind} {argument.name!r} of {name!r} has no value. "
                f"Give it a default: {argument.name}=1.0."
            )
        default = 0.0 if argument.default is inspect.Parameter.empty else argument.default
        value = finite(default, f"the default of {argument.name!r} of {name!r}")
        domain, shape = declared.domain, tuple(IndexSet(s) for s in declared.sets)
        if argument.kind is argument.KEYWORD_ONLY and domain is not Domain.LINE:
            raise DefinitionError(
                f"the parameter {argument.name!r} of {name!r} is declared {argument.annotation}; "
                "domains are for states. Leave the annotation out."
            )
        if argument.kind is argument.KEYWORD_ONLY:
            parameters.append(Parameter(spelled, value, unit, shape))
        else:
            states.append(State(spelled, value, unit, domain, shape))
    if not states:
        raise DefinitionError(
            f"{name!r} has no states. Positional arguments are states and keyword-only ones "
            "parameters: def f(x=1.0, *, a=2.0)."
        )
    return states, parameters, given


def _signal(argument: inspect.Parameter, spelled: str, unit: str, name: str) -> signals.Signal:
    """Return a declared signal; its default is what it is without a recording."""
    if argument.kind is not argument.KEYWORD_ONLY:
        raise DefinitionError(
            f"the state {argument.name!r} of {name!r} is declared dl.Signal; an input stands behind the "
            f"star, as parameters do: def f(x=1.0, *, {argument.name}: dl.Signal)."
        )
    if argument.default is inspect.Parameter.empty:
        return signals.Signal(spelled, None, unit)
    value = finite(argument.default, f"the default of {argument.name!r} of {name!r}")
    return signals.Signal(spelled, value, unit)


def _declaration(argument: inspect.Parameter, name: str) -> _Declaration:
    """Read an annotation, which may be an object or a text; nothing is evaluated."""
    given = argument.annotation
    if isinstance(given, _Declaration):
        return given
    if str(given).rsplit(".", 1)[-1] == "Signal":
        return Signal
    if isinstance(given, Domain):
        return _Declaration(domain=given)
    if given in (inspect.Parameter.empty, float):
        return _Declaration()
    spelled = _SPELLED.match(str(given).strip())
    if spelled:
        word, first, second, domain = spelled.groups()
        made = PerNode if word == "PerNode" else PerLink
        if first:
            made = made(*(n for n in (first, second) if n))
        if domain is None or domain in _DOMAINS:
            return made[_DOMAINS[domain]] if domain else made
    if re.match(r"(?:\w+\.)*Field\b", str(given)):
        raise UnsupportedSystemError(
            f"{argument.name!r} of {name!r} is declared {given}; a field cannot be lowered to "
            "kernels yet. Write the scalar equations out, or a network over the grid's cells."
        )
    word = str(given).rsplit(".", 1)[-1]
    if word in _DOMAINS:
        return _Declaration(domain=_DOMAINS[word])
    raise DefinitionError(
        f"the annotation {given!r} of {argument.name!r} of {name!r} is not a domain. "
        f"Use one of dl.{', dl.'.join(sorted(set(_DOMAINS) - {'float'}))}, dl.PerNode, dl.PerLink, "
        "or none."
    )


def _run_body(
    function: Rule,
    name: str,
    states: list[State],
    parameters: list[Parameter],
    symbols: Mapping[str, Any],
    inputs: Mapping[str, Any],
) -> Mapping[Any, Any]:
    spelled = list(inspect.signature(function).parameters)
    plain = [symbols[s.name] for s in states]
    others = [original for original in spelled[len(states) :] if original not in inputs]
    named = {original: symbols[p.name] for original, p in zip(others, parameters, strict=True)}
    named |= inputs
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
    shapes: Mapping[str, tuple[str, ...]],
    name: str,
) -> tuple[sympy.Expr, ...]:
    doubled = [key for key, count in Counter(_written_keys(function)).items() if count > 1]
    if doubled:
        raise DuplicateNameError(
            f"{name!r} has two equations for the state {doubled[0]!r}. Add the terms in one."
        )
    state_names = [state.name for state in states]
    by_name: dict[str, tuple[tuple[str, ...], Any]] = {}
    for key, value in equations.items():
        base, indices = _key(key)
        if base not in state_names:
            raise DefinitionError(
                f"{name!r} has an equation for {key!s:.40}, which is not a state. "
                f"The keys are the positional arguments themselves: {', '.join(state_names)}."
            )
        if len(indices) != len(shapes.get(base, ())) or len(set(indices)) < len(indices):
            form = {1: "[i]", 2: "[i, j]"}[len(shapes[base])]
            raise DefinitionError(
                f"{name!r} has an equation for {key!s:.40}. {base} is declared with indices; its "
                f"equation is {{{base}{form}: ...}} with different ones from dl.nodes."
            )
        if base in by_name:
            raise DuplicateNameError(
                f"{name!r} has two equations for the state {base!r}. Add the terms in one."
            )
        by_name[base] = indices, value
    missing = [n for n in state_names if n not in by_name]
    if missing:
        raise DefinitionError(
            f"{name!r} has no equation for the state {missing[0]!r}. "
            f"Add {missing[0]}: ... to the dict it returns."
        )
    checked = []
    for n in state_names:
        indices, value = by_name[n]
        where = f"the equation of {n!r} of {name!r}"
        expression = check_expression(value, names, where, shapes)
        loose = indexed.free_indices(expression) - set(indices)
        if loose:
            raise DefinitionError(
                f"{where} depends on the index {min(loose)}, which nothing sums over. "
                "Use dl.Sum or dl.Mean, or the index of the state itself."
            )
        checked.append(indexed.canonical(expression, indices))
    return tuple(checked)


def _key(key: Any) -> tuple[str, tuple[str, ...]]:
    """Return the name and the indices of what an equation is for."""
    if isinstance(key, indexed.Element):
        return key.base, key.indices
    if isinstance(key, indexed.Indexed):
        return key.name, ()
    return getattr(key, "name", "") if isinstance(key, sympy.Symbol) else "", ()


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
            bases = [k.value if isinstance(k, ast.Subscript) else k for k in value.keys]
            return [k.id for k in bases if isinstance(k, ast.Name)]
    return []


def _own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """Yield what stands in a function, in order, but not inside functions defined in it."""
    for child in ast.iter_child_nodes(function):
        yield child
        if not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield from _own_nodes(child)
