"""System: the definition of a dynamical system, and nothing else."""

from __future__ import annotations

import enum
import hashlib
import html
import inspect
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import sympy

from dynlab import store
from dynlab.errors import (
    DefinitionError,
    DuplicateNameError,
    DynlabError,
    UnitError,
    UnknownNameError,
)
from dynlab.names import checked_name, checked_names, finite
from dynlab.symbolic import display
from dynlab.symbolic.dynamics import Dynamics
from dynlab.symbolic.singular import remove_singularities
from dynlab.symbolic.tree import TIME, from_tree, symbol, to_tree

__all__ = [
    "ContinuousTime",
    "DiscreteTime",
    "Domain",
    "IndexSet",
    "Observable",
    "Parameter",
    "State",
    "System",
]

_LABEL_LIMIT = 40


class Domain(enum.Enum):
    """Where a state lives."""

    LINE = "line"
    CIRCLE = "circle"
    POSITIVE = "positive"


@dataclass(frozen=True, slots=True)
class IndexSet:
    """A set over which a state or parameter is indexed: the nodes or links of a network."""

    name: str
    kind: str = "node"


@dataclass(frozen=True, slots=True)
class State:
    """A state variable: its name, default start, unit label, domain and index sets."""

    name: str
    start: float = 0.0
    unit: str = ""
    domain: Domain = Domain.LINE
    shape: tuple[IndexSet, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: its name, value, unit label and index sets."""

    name: str
    value: float
    unit: str = ""
    shape: tuple[IndexSet, ...] = ()


@dataclass(frozen=True, slots=True)
class Observable:
    """A named function of the state, recorded along trajectories and branches."""

    name: str
    expression: sympy.Expr
    unit: str = ""


@dataclass(frozen=True, slots=True)
class ContinuousTime:
    """Time of a flow, with its unit label."""

    unit: str = ""


@dataclass(frozen=True, slots=True)
class DiscreteTime:
    """Time of a map, counted in steps."""

    unit: str = "step"


@dataclass(frozen=True, slots=True)
class System(Dynamics):
    """A dynamical system: named states and parameters and one expression per state.

    Systems are made by `dynlab.flow` and `dynlab.iterated_map`, never changed, equal when their
    rules, declarations, parts and values are equal, and small to pickle.

    Parameters
    ----------
    name
        What the system is called in messages and titles.
    states, parameters
        The declarations, in order.
    rule
        One expression per state: its rate of change, or its next value for a map.
    time
        `ContinuousTime` or `DiscreteTime`.
    observables
        Named functions of the state.
    reference
        Where the equations stand in print.

    Raises
    ------
    DefinitionError
        If a name is not valid or used twice, a state has no equation, an expression holds
        something foreign, or a value is not a finite number.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def decay(x=1.0, *, rate=2.0):
    ...     return {x: -rate * x}
    >>> decay(rate=3.0)["rate"]
    3.0
    >>> decay
    <flow decay: x' = -rate*x; rate = 2>
    """

    name: str = field(compare=False)
    states: tuple[State, ...]
    parameters: tuple[Parameter, ...]
    rule: tuple[sympy.Expr, ...]
    time: ContinuousTime | DiscreteTime = ContinuousTime()
    observables: tuple[Observable, ...] = ()
    reference: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        _check(self)

    @property
    def state_names(self) -> tuple[str, ...]:
        return tuple(state.name for state in self.states)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def observable_names(self) -> tuple[str, ...]:
        """Names of the observables in order."""
        return tuple(observable.name for observable in self.observables)

    @property
    def start_values(self) -> tuple[float, ...]:
        """Default start of each state, in order."""
        return tuple(state.start for state in self.states)

    @property
    def parameter_values(self) -> tuple[float, ...]:
        """Value of each parameter, in order."""
        return tuple(parameter.value for parameter in self.parameters)

    @property
    def is_discrete(self) -> bool:
        return isinstance(self.time, DiscreteTime)

    @property
    def is_autonomous(self) -> bool:
        return not any(expression.has(TIME) for expression in self.rule)

    def __getitem__(self, name: str) -> float:
        """Return the value of a parameter, or the default start of a state."""
        for state in self.states:
            if state.name == name:
                return state.start
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter.value
        known = self.parameter_names + self.state_names
        raise UnknownNameError(f"parameter or state of {self.name!r}", name, known)

    def unit_of(self, name: str) -> str:
        """Return the unit label of a state, parameter, observable, or the time ``"t"``."""
        units = {"t": self.time.unit}
        units |= {s.name: s.unit for s in self.states}
        units |= {p.name: p.unit for p in self.parameters}
        units |= {o.name: o.unit for o in self.observables}
        if name not in units:
            raise UnknownNameError(f"quantity of {self.name!r}", name, units)
        return units[name]

    def __call__(self, **values: float) -> System:
        """Return the same system with other parameter values; nothing is compiled again."""
        for name in values:
            if name in self.state_names:
                raise UnknownNameError(
                    f"parameter of {self.name!r} (it is a state; use with_start, or start=)",
                    name, self.parameter_names,
                )  # fmt: skip
            if name not in self.parameter_names:
                raise UnknownNameError(f"parameter of {self.name!r}", name, self.parameter_names)
        return replace(self, parameters=tuple(
            replace(p, value=finite(values[p.name], f"{p.name!r}")) if p.name in values else p
            for p in self.parameters
        ))  # fmt: skip

    def with_start(self, **values: float) -> System:
        """Return the same system with other default starts."""
        for name in values:
            if name not in self.state_names:
                raise UnknownNameError(f"state of {self.name!r}", name, self.state_names)
        return replace(self, states=tuple(
            replace(s, start=finite(values[s.name], f"start of {s.name!r}"))
            if s.name in values else s
            for s in self.states
        ))  # fmt: skip

    def with_observable(self, **functions: Callable[..., Any]) -> System:
        """Return the system with named functions of the state, recorded wherever it goes.

        Each function takes states, parameters or earlier observables by the names of its
        arguments.

        Examples
        --------
        >>> import dynlab as dl
        >>> ring = dl.zoo.van_der_pol.with_observable(energy=lambda x, y: (x**2 + y**2) / 2)
        >>> ring.observable_names
        ('energy',)
        """
        system = self
        for name, function in functions.items():
            added = Observable(checked_name(name, "observable"), system.expression_of(function))
            system = replace(system, observables=(*system.observables, added))
        return system

    def expression_of(self, function: Callable[..., Any]) -> sympy.Expr:
        """Turn ``lambda v, I: v - I`` over named quantities into a checked expression."""
        if not callable(function):
            raise DefinitionError(
                f"{function!r} is not a function of quantities of {self.name!r}. "
                f"Write for example: lambda {self.state_names[0]}: {self.state_names[0]} - 1."
            )
        named: dict[str, Any] = {n: symbol(n) for n in self.state_names + self.parameter_names}
        named |= {o.name: o.expression for o in self.observables}
        named["t"] = TIME
        arguments = list(inspect.signature(function).parameters)
        for argument in arguments:
            if argument not in named:
                what = f"quantity of {self.name!r} (argument of a function given by you)"
                raise UnknownNameError(what, argument, named)
        value = on_symbols(
            lambda: function(*(named[a] for a in arguments)),
            f"the body of a function given for {self.name!r}",
            arguments,
        )
        return checked_expression(value, self, f"a function of {', '.join(arguments)}")

    @property
    def rule_hash(self) -> str:
        """Hash of the rule and of the names in it, without any values; keys the compiled code."""
        return _rule_hash(self.state_names, self.parameter_names, self.rule)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the definition to a ``.npz`` file that `dynlab.load` reads back."""
        return store.write(path, self)

    def __stored__(self) -> dict[str, Any]:
        """Return the definition as plain JSON data."""
        return {
            "name": self.name,
            "states": [
                [s.name, s.start, s.unit, s.domain.value, [[i.name, i.kind] for i in s.shape]]
                for s in self.states
            ],
            "parameters": [
                [p.name, p.value, p.unit, [[i.name, i.kind] for i in p.shape]]
                for p in self.parameters
            ],
            "rule": [to_tree(expression) for expression in self.rule],
            "time": ["discrete" if self.is_discrete else "continuous", self.time.unit],
            "observables": [[o.name, to_tree(o.expression), o.unit] for o in self.observables],
            "reference": self.reference,
        }

    @classmethod
    def __restored__(cls, data: Mapping[str, Any]) -> System:
        """Rebuild a definition from what `__stored__` gave; every part is checked again."""
        kind, unit = data["time"]
        if kind not in ("discrete", "continuous"):
            raise DefinitionError(f"the time of a stored system is {kind!r}; it cannot be read.")
        time = DiscreteTime(str(unit)) if kind == "discrete" else ContinuousTime(str(unit))
        return cls(
            name=str(data["name"]),
            states=tuple(
                State(n, float(s), u, Domain(d), tuple(IndexSet(*i) for i in shape))
                for n, s, u, d, shape in data["states"]
            ),
            parameters=tuple(
                Parameter(n, float(v), u, tuple(IndexSet(*i) for i in shape))
                for n, v, u, shape in data["parameters"]
            ),
            rule=tuple(from_tree(tree) for tree in data["rule"]),
            time=time,
            observables=tuple(Observable(n, from_tree(e), u) for n, e, u in data["observables"]),
            reference=str(data["reference"]),
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (json.dumps(self.__stored__()),)

    def __repr__(self) -> str:
        kind, mark = ("map", "' = ") if self.is_discrete else ("flow", "' = ")
        rule = "; ".join(f"{n}{mark}{e}" for n, e in zip(self.state_names, self.rule, strict=True))
        values = ", ".join(f"{p.name} = {p.value:g}" for p in self.parameters)
        rule = rule if len(rule) <= 100 else rule[:97] + "..."
        return f"<{kind} {self.name}: {rule}{'; ' + values if values else ''}>"

    def _repr_latex_(self) -> str:
        return display.equations(self.state_names, self.rule, discrete=self.is_discrete)

    def _repr_html_(self) -> str:
        rows = [(p.name, p.value, p.unit) for p in self.parameters]
        rows += [(f"{s.name} (start)", s.start, s.unit) for s in self.states]
        kind = "map" if self.is_discrete else "flow"
        caption = html.escape(self.reference.split("\n")[0])
        return (
            f"<b>{html.escape(self.name)}</b> ({kind}) <i>{caption}</i>{self._repr_latex_()}"
            f"{display.table(rows)}"
        )


def _unpickle(text: str) -> System:
    return System.__restored__(json.loads(text))


@cache
def _rule_hash(
    states: tuple[str, ...], parameters: tuple[str, ...], rule: tuple[sympy.Expr, ...]
) -> str:
    data = [states, parameters, [to_tree(e) for e in rule]]
    return hashlib.sha256(json.dumps(data).encode()).hexdigest()


def checked_expression(value: Any, system: System, where: str) -> sympy.Expr:
    """Return the expression with its singular forms rewritten, or raise DefinitionError."""
    known = system.state_names + system.parameter_names
    return check_expression(value, known, f"{where} of {system.name!r}")


def check_expression(value: Any, known: tuple[str, ...], where: str) -> sympy.Expr:
    """Return a real sympy expression in the known names; whatever else it holds is refused."""
    if isinstance(value, bool | str) or value is None or not hasattr(value, "__rmul__"):
        raise DefinitionError(
            f"{where} is {value!r} ({type(value).__name__}), not an expression. "
            "Write it with the arguments of the function and the functions of dl."
        )
    try:
        expression = sympy.sympify(value, strict=True)
        expression = _in_our_symbols(expression, known, where)
        tree = to_tree(expression)
        if expression.has(sympy.ITE):
            expression = from_tree(tree)  # sympy's if of conditions, as and/or
        return remove_singularities(expression)
    except (sympy.SympifyError, TypeError, ValueError) as error:
        if type(error) is DefinitionError:
            raise DefinitionError(f"In {where}: {error}") from None
        if isinstance(error, DynlabError):
            raise
        raise DefinitionError(f"{where} is {value!s:.40}, not an expression: {error}.") from error
    except RecursionError:
        raise DefinitionError(
            f"{where} is nested too deep. Name intermediate quantities as observables or "
            "write it as fewer, flatter terms."
        ) from None


def _in_our_symbols(expression: Any, known: tuple[str, ...], where: str) -> sympy.Expr:
    """Return the expression with every known name as our symbol; refuse every other name."""
    for free in sorted(expression.free_symbols, key=str):
        if free == TIME:
            continue
        name = getattr(free, "name", str(free))
        checked_name(name, f"quantity in {where}")
        if name not in known:
            raise UnknownNameError(f"state or parameter (in {where})", name, known)
        if free != symbol(name):
            expression = expression.xreplace({free: symbol(name)})
    return expression


def on_symbols(run: Callable[[], Any], what: str, known: Sequence[str]) -> Any:
    """Run a function written by the user on symbols; say in words why it fails, if it does."""
    try:
        return run()
    except DynlabError:
        raise
    except NameError as error:
        raise UnknownNameError(f"quantity in {what}", str(error.name), known) from error
    except TypeError as error:
        raise DefinitionError(_explained(error, what)) from error
    except RecursionError:
        raise DefinitionError(
            f"{what} is nested too deep. Write it in fewer, flatter terms."
        ) from None
    except Exception as error:
        raise DefinitionError(
            f"{what} failed on symbols: {type(error).__name__}: {error}. "
            "Write it with its arguments and the functions of dl."
        ) from error


def _explained(error: TypeError, what: str) -> str:
    text = str(error)
    if "truth value" in text:
        return (
            f"{what} decides with if/and/or/min/max on a quantity whose value is not known when "
            "the equations are written. Use dl.where(condition, a, b), dl.min or dl.max."
        )
    if "ufunc" in text or "convert expression to float" in text or "must be real number" in text:
        return (
            f"{what} calls a function of numpy or math on a symbol ({text:.80}). "
            "Use the functions of dl: dl.sin, dl.exp, dl.tanh, ..."
        )
    return f"{what} failed on symbols: {text}. Write it with the functions of dl."


def _check(system: System) -> None:
    checked_name(system.name, "system") if system.name.isidentifier() else None
    checked_names(system.state_names, "state")
    names = checked_names(
        system.state_names + system.parameter_names + system.observable_names, "quantity"
    )
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
    _check_label(system.time.unit, "the time")
    known = system.state_names + system.parameter_names
    for state, expression in zip(system.states, system.rule, strict=True):
        _require_clean(expression, known, f"the equation of {state.name!r} of {system.name!r}")
    for observable in system.observables:
        _check_label(observable.unit, observable.name)
        _require_clean(observable.expression, known, f"observable {observable.name!r}")


def _require_clean(expression: Any, known: tuple[str, ...], where: str) -> None:
    if not isinstance(expression, sympy.Expr):
        raise DefinitionError(f"{where} is {expression!r}, not a sympy expression.")
    for free in expression.free_symbols:
        if free == TIME:
            continue
        name = getattr(free, "name", str(free))
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
