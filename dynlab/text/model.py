"""A model as text becomes a System; every file format ends here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any, NoReturn

from dynlab.errors import DefinitionError, DuplicateNameError, TextError, UnknownNameError
from dynlab.names import checked_names, finite
from dynlab.symbolic.quantities import (
    ContinuousTime,
    DiscreteTime,
    Domain,
    Observable,
    Parameter,
    State,
)
from dynlab.symbolic.reader import built, read_tree
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import Tree

__all__ = ["Draft", "map_system", "system"]

#: All equations together, with observables, definitions and functions written in.
MOST_NODES = 50_000

CONSTANTS: Mapping[str, Tree] = {"t": ("time",), "pi": ("constant", "pi")}


def system(
    equations: Mapping[str, str],
    *,
    parameters: Mapping[str, float] | None = None,
    start: Mapping[str, float] | None = None,
    observables: Mapping[str, str] | None = None,
    domains: Mapping[str, Domain] | None = None,
    units: Mapping[str, str] | None = None,
    time: str = "",
    name: str = "system",
) -> System:
    """Define a flow by texts: the rate of change of each state.

    The texts are read by a reader of our own, which evaluates no Python; they may come from anyone.
    The language is that of `dynlab.flow`: arithmetic, ``**`` or ``^`` for powers, the functions of
    ``dl`` by their names (``exp(x)``, ``where(x > 0, a, b)``), ``t`` for the time and ``pi``.

    Parameters
    ----------
    equations
        The rate of each state.  The keys are the states, in order.
    parameters
        The value of each parameter.
    start
        The default start of each state; 0 where it is not given.
    observables
        Named functions of the state.  Equations and later observables may use them.
    domains
        ``dl.Angle`` or ``dl.Positive``, by state.
    units
        Unit labels of states, parameters and observables, by name.
    time
        Unit label of time, such as ``"ms"``.
    name
        What the system is called in messages and titles.

    Returns
    -------
    System
        The same as the function of that meaning would give under `dynlab.flow`.

    Raises
    ------
    TextError
        If a text is no expression of the language; the message gives equation and column.
    UnknownNameError
        If a name is not declared; the nearest ones are listed.
    DefinitionError
        If a name is not valid or used twice, or there is no equation.

    Examples
    --------
    >>> import dynlab as dl
    >>> lorenz = dl.system(
    ...     {"x": "sigma*(y - x)", "y": "x*(rho - z) - y", "z": "x*y - beta*z"},
    ...     parameters={"sigma": 10, "rho": 28, "beta": 8 / 3},
    ...     start={"x": 1, "y": 1, "z": 1},
    ... )
    >>> lorenz == dl.zoo.lorenz
    True
    """
    extras = _Extras(observables or {}, domains or {}, units or {})
    return _defined(equations, parameters, start, extras, (name, ContinuousTime(time)))


def map_system(
    equations: Mapping[str, str],
    *,
    parameters: Mapping[str, float] | None = None,
    start: Mapping[str, float] | None = None,
    observables: Mapping[str, str] | None = None,
    domains: Mapping[str, Domain] | None = None,
    units: Mapping[str, str] | None = None,
    name: str = "map",
) -> System:
    """Define a map by texts: the next value of each state.

    Parameters
    ----------
    equations
        The next value of each state.  The keys are the states, in order.
    parameters, start, observables, domains, units, name
        As for `dynlab.system`.

    Returns
    -------
    System
        The same as the function of that meaning would give under `dynlab.iterated_map`.

    Raises
    ------
    TextError, UnknownNameError, DefinitionError
        As for `dynlab.system`.

    Examples
    --------
    >>> import dynlab as dl
    >>> dl.map_system({"x": "r*x*(1 - x)"}, parameters={"r": 3.7}, start={"x": 0.3}, name="logistic")
    <map logistic: x' = r*x*(1 - x); r = 3.7>
    """
    extras = _Extras(observables or {}, domains or {}, units or {})
    return _defined(equations, parameters, start, extras, (name, DiscreteTime()))


@dataclass(frozen=True, slots=True)
class _Extras:
    observables: Mapping[str, str]
    domains: Mapping[str, Domain]
    units: Mapping[str, str]


def _defined(
    equations: Mapping[str, str],
    parameters: Mapping[str, float] | None,
    start: Mapping[str, float] | None,
    extras: _Extras,
    title: tuple[str, ContinuousTime | DiscreteTime],
) -> System:
    name, time = title
    if not isinstance(equations, Mapping):
        raise DefinitionError(
            f"the equations of {name!r} are {equations!r:.40}; give a dict such as {{'x': '-a*x'}}."
        )
    values, starts = dict(parameters or {}), dict(start or {})
    known = [*equations, *values, *extras.observables]
    for given, what, allowed in (
        (starts, "state", equations),
        (extras.domains, "state", equations),
        (extras.units, "quantity", known),
    ):
        for key in given:
            if key not in allowed:
                raise UnknownNameError(f"{what} of {name!r}", str(key), map(str, allowed))
    plain = dict(zip(known, checked_names(known, f"quantity of {name!r}"), strict=False))
    units = {plain[n]: u for n, u in extras.units.items()}
    texts = Texts(
        name=name,
        states=tuple(
            State(
                plain[n], finite(starts.get(n, 0.0), f"start of {n!r}"), units.get(plain[n], ""),
                extras.domains.get(n, Domain.LINE),
            )
            for n in equations
        ),
        parameters=tuple(
            Parameter(plain[n], _valued(v, n, name), units.get(plain[n], ""))
            for n, v in values.items()
        ),
        equations={plain[n]: text for n, text in equations.items()},
        observables={
            plain[n]: (text, units.get(plain[n], "")) for n, text in extras.observables.items()
        },
        time=time,
    )  # fmt: skip
    return texts.system()


def _valued(value: Any, name: str, model: str) -> float:
    if value is None:
        raise DefinitionError(
            f"the parameter {name!r} of {model!r} has no value. Give it one: {name!r}: 1.0."
        )
    return finite(value, f"the value of {name!r} of {model!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """A model whose equations are texts in the plain language."""

    name: str
    states: tuple[State, ...]
    parameters: tuple[Parameter, ...]
    equations: Mapping[str, str]
    observables: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    time: ContinuousTime | DiscreteTime
    reference: str = ""

    def system(self) -> System:
        """Read the texts and build the system."""
        declared = [s.name for s in self.states] + [p.name for p in self.parameters]
        quantities = checked_names([*declared, *self.observables], f"quantity of {self.name!r}")
        names = {n: ("name", n) for n in quantities} | dict(CONSTANTS)
        return Draft(
            name=self.name,
            states=self.states,
            parameters=self.parameters,
            equations={
                n: self._read(text, n, names, f"the equation of {n!r}")
                for n, text in self.equations.items()
            },
            definitions={
                n: self._read(text, n, names, f"the observable {n!r}")
                for n, (text, _) in self.observables.items()
            },
            observables={n: unit for n, (_, unit) in self.observables.items()},
            time=self.time,
            reference=self.reference,
        ).system()

    def _read(self, text: Any, name: str, names: Mapping[str, Tree], what: str) -> Tree:
        where = f"{what} of {self.name!r}"
        if not isinstance(text, str):
            raise TextError(
                f"{where} is {text!r:.40} ({type(text).__name__}), not a text. "
                f'Write it in quotes: {name} = "-{name}".'
            )
        return read_tree(text, names, where=where)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A model read from a text, before its expressions meet sympy.

    Parameters
    ----------
    name, states, parameters, time, reference
        As of a `dynlab.System`.
    equations
        One tree per state.
    definitions
        Trees of other names, which stand for what they are defined as.
    observables
        The definitions that are recorded, with their unit labels.
    """

    name: str
    states: tuple[State, ...]
    parameters: tuple[Parameter, ...]
    equations: Mapping[str, Tree]
    definitions: Mapping[str, Tree] = field(default_factory=dict)
    observables: Mapping[str, str] = field(default_factory=dict)
    time: ContinuousTime | DiscreteTime
    reference: str = ""

    def system(self) -> System:
        """Write the definitions in and build the system."""
        states = [state.name for state in self.states]
        for name in states:
            if name not in self.equations:
                raise TextError(
                    f"{self.name!r} has no equation for the state {name!r}. Add one, such as "
                    f'{name} = "-{name}".'
                )
        for name in self.equations:
            if name not in states:
                raise UnknownNameError(f"state of {self.name!r} with a start", name, states)
        if not states:
            raise TextError(f"{self.name!r} has no states. Give an equation for at least one.")
        try:
            known = _resolved(self.definitions, self.name)
            full = {n: known.written_in(tree) for n, tree in self.equations.items()}
        except RecursionError:
            raise TextError(
                f"the definitions of {self.name!r} are nested too deep. Write some of them out."
            ) from None
        return System(
            name=self.name,
            states=self.states,
            parameters=self.parameters,
            rule=tuple(
                built(full[n], where=f"the equation of {n!r} of {self.name!r}") for n in states
            ),
            time=self.time,
            observables=tuple(
                Observable(
                    n,
                    built(known.trees[n], where=f"the observable {n!r} of {self.name!r}"),
                    unit,
                )
                for n, unit in self.observables.items()
            ),
            reference=self.reference,
        )


@dataclass(slots=True)
class _Resolved:
    """Definitions with the definitions they use written in, and how many nodes each has."""

    model: str
    trees: dict[str, Tree] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    total: int = 0

    def written_in(self, tree: Tree) -> Tree:
        """Return the tree with every definition in place of its name."""
        found, size = self._inside(tree) if self.trees else (tree, 0)
        self._count(size, "its equations")
        return found

    def add(self, name: str, tree: Tree) -> None:
        """Write the definitions into another one."""
        self.trees[name], self.sizes[name] = self._inside(tree)
        self._count(self.sizes[name], f"the definition of {name!r}")

    def _count(self, size: int, what: str) -> None:
        self.total += size
        if self.total > MOST_NODES:
            raise TextError(
                f"{self.model!r} is too long: with all definitions written in, {what} bring it to "
                f"{self.total:.3g} parts, and the limit (nodes) is {MOST_NODES}. "
                "Make a part of it a state, or shorten it."
            )

    def _inside(self, tree: Tree) -> tuple[Tree, int]:
        if tree[0] == "name" and tree[1] in self.trees:
            return self.trees[tree[1]], self.sizes[tree[1]]
        size, items = 1, []
        for item in tree:
            if isinstance(item, tuple):
                item, count = self._inside(item)
                size += count
            items.append(item)
        return tuple(items), size


def _resolved(definitions: Mapping[str, Tree], model: str) -> _Resolved:
    """Write definitions into each other, those first that need no other."""
    uses = {n: set(names_in(tree)) & definitions.keys() for n, tree in definitions.items()}
    found = _Resolved(model)
    for name in in_order(uses, f"definitions of {model!r}"):
        found.add(name, definitions[name])
    return found


def in_order(uses: Mapping[str, set[str]], what: str) -> list[str]:
    """Return names so that each stands after those it uses."""
    try:
        return list(TopologicalSorter(uses).static_order())
    except CycleError as error:
        circle = " -> ".join(map(repr, error.args[1][:8]))
        raise TextError(
            f"the {what} need each other: {circle}. Write one of them without the others."
        ) from None


def names_in(tree: Tree) -> Iterable[str]:
    """Yield the names that stand in a tree."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if node[0] == "name":
            yield node[1]
        else:
            pending += [item for item in node if isinstance(item, tuple)]


def refuse_twice(name: str, what: str, model: str) -> NoReturn:
    """Raise for a second equation or value of a name."""
    raise DuplicateNameError(
        f"{model!r} gives {what} of {name!r} twice. Remove one of the two lines."
    )
