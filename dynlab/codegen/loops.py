"""Rules over networks -> loop programs: what is computed once, per node and per link, as plain data.

Every sum becomes a definition of its own: one number, or an array with one number per node, computed
before what needs it.  What stands in a sum over j and depends on j alone (``tanh(x[j])``) becomes an
array too, so a function is evaluated once per node and not once per link.  Nothing is unrolled.

Derivatives follow from the same definitions.  Directional ones are rules of the same language
(`symbolic.derivatives`).  The Jacobian and its transposed product run the definitions
backwards from each row: a coefficient is pushed through outputs, sums and intermediates to the states
at the end, which is the chain rule with nothing stored (Griewank and Walther 2008, Evaluating
Derivatives, ch. 3).  Cost of a transposed product: about two right-hand sides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy

from dynlab.codegen.lower import shared_subexpressions
from dynlab.errors import CompileError, DefinitionError
from dynlab.kernels.recorded import WIDTH
from dynlab.symbolic import derivatives
from dynlab.symbolic.derivatives import DIRECTION_LETTERS
from dynlab.symbolic.indexed import (
    Element,
    NodeMean,
    Reduction,
    element,
    elements_outside,
    free_indices,
    index_sets,
    renamed,
    sums_of,
)
from dynlab.symbolic.separate import separated
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import TIME, Tree, symbol, to_tree

__all__ = [
    "Add",
    "Array",
    "Dot",
    "Let",
    "Loop",
    "LoopProgram",
    "Put",
    "delivering",
    "lower_loops",
    "slots",
]


# -- statements ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Let:
    """``name = value``; the value is a tree, or a place ``("read", array, base, index)``."""

    name: str
    value: Tree


@dataclass(frozen=True, slots=True)
class Add:
    """``name += value``."""

    name: str
    value: Tree


@dataclass(frozen=True, slots=True)
class Array:
    """A new array with one number per node of a set."""

    name: str
    over: str
    zero: bool = False


@dataclass(frozen=True, slots=True)
class Put:
    """``array[base + index] = value``, or ``+=``.  ``("entry",)`` is a place of the Jacobian."""

    place: tuple[Any, ...]
    value: Tree
    add: bool = False


@dataclass(frozen=True, slots=True)
class Dot:
    """One or two sums of ``weight[i, j] * values[j]`` over the links into i, by array and base."""

    names: tuple[str, ...]
    weight: tuple[str, str]
    link: tuple[str, str]
    own: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop over the nodes of a set (``over``), the links into a node, or all links of a pair."""

    index: str
    over: tuple[str, ...]
    own: str
    body: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class LoopProgram:
    """What one kernel of a network computes.

    Parameters
    ----------
    kind
        The name of the kernel.
    directions
        How many direction vectors it takes.
    slots
        Where each size and offset stands in the integers of the calling convention.
    states, parameters
        Names of the states that are one number, and of such parameters, with their positions.
    active
        How many active parameters stand behind the states, in directions and columns.
    body
        The statements.
    """

    kind: str
    directions: int
    slots: tuple[str, ...]
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    active: int
    body: tuple[Any, ...]


def slots(system: System) -> tuple[str, ...]:
    """Return the names of the integers that a kernel finds in ``k``, in order.

    ``n s`` nodes of a set; ``first t s``, ``sources t s``, ``targets t s`` where the arrays of a pair's links
    stand in ``k``, ``full t s`` whether all links are there and ``count t s`` how many;
    ``x q`` and ``d q`` where a state or a parameter begins; ``n`` how many numbers the state has;
    ``signal 0 u`` to ``signal 3 u`` the integers of a signal.
    """
    names: dict[str, None] = {"n": None}
    for shape in system.shapes.values():
        names |= {f"n {s}": None for s in shape}
    for shape in system.shapes.values():
        if len(shape) == 2:
            pair = " ".join(shape)
            names |= {f"{w} {pair}": None for w in ("first", "sources", "targets", "full", "count")}
    for target, source in delivering(system):
        names |= {f"{w} {target} {source}": None for w in ("outgoing", "reached")}
    names |= {f"x {s.name}": None for s in system.states}
    names |= {f"d {p.name}": None for p in system.parameters if p.shape}
    names |= {f"signal {j} {s.name}": None for s in system.signals for j in range(WIDTH)}
    return tuple(names)


def delivering(system: System) -> tuple[tuple[str, str], ...]:
    """Return the pairs of sets over whose links events deliver; their links are also had by source."""
    pairs = {
        (system.shapes[state][0], event.over): None
        for event in system.events
        for state, _ in event.deliver
    }
    return tuple(pairs)


# -- definitions -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Definition:
    """A quantity computed once (``over`` empty) or per node of a set, in the index i.

    With ``runs`` it is the sum of its expression over the index j: over a set, or over links.
    """

    name: str
    over: tuple[str, ...]
    expression: Any
    runs: str = ""
    linked: bool = False
    mean: bool = False


@dataclass
class _Family:
    """Definitions under construction, in order, and the shapes of everything that has indices."""

    shapes: dict[str, tuple[str, ...]]
    made: list[_Definition] = field(default_factory=list)
    known: dict[Any, Any] = field(default_factory=dict)

    def define(self, over: tuple[str, ...], expression: Any, **how: Any) -> Any:
        """Return the symbol of a definition (in the index i), making it if it is new."""
        key = (over, expression, *sorted(how.items()))
        if key not in self.known:
            name = f"_q{len(self.known)}"
            self.made.append(_Definition(name, over, expression, **how))
            if over:
                self.shapes[name] = over
            self.known[key] = element(name, "i") if over else symbol(name)
        return self.known[key]

    def without_sums(self, expression: Any) -> Any:
        """Return the expression with each sum replaced by a definition, where it has one index."""
        replaced = {}
        for sum_ in sums_of(expression):
            split = separated(sum_)
            done = self._summed(sum_) if split == sum_ else self.without_sums(split)
            replaced[sum_] = done
        return expression.xreplace(replaced)

    def _summed(self, sum_: Reduction) -> Any:
        own = sorted(free_indices(sum_))
        if sum_.summand == 1 and not sum_.own:
            return symbol(f"_n__{sum_.runs}")
        summand = self.without_sums(sum_.summand)
        if own:
            summand = self._once_per_node(summand, sum_.index, sum_.runs)
        if len(own) > 1:
            return sum_.of(summand)
        body = renamed(summand, {**dict.fromkeys(own, "#i"), sum_.index: "#j"})
        found = self.define(
            self._sets(own, sum_), renamed(body, {"#i": "i", "#j": "j"}), runs=sum_.runs,
            linked=bool(sum_.own), mean=isinstance(sum_, NodeMean),
        )  # fmt: skip
        return renamed(found, {"i": own[0]}) if own else found

    def _sets(self, own: Sequence[str], sum_: Reduction) -> tuple[str, ...]:
        """Return the set of a sum's own index, if it has one."""
        if sum_.own:
            return (sum_.over,)
        if not own:
            return ()
        return (index_sets(sum_, self.shapes, "a sum")[own[0]],)

    def _once_per_node(self, expression: Any, index: str, over: str) -> Any:
        """Name what depends on one index alone and costs something, so that it is not done per link."""
        if isinstance(expression, Element) or not expression.args:
            return expression
        if isinstance(expression, Reduction):
            return expression
        if free_indices(expression) == {index}:
            if not _is_costly(expression):
                return expression
            return renamed(self.define((over,), renamed(expression, {index: "i"})), {"i": index})
        if isinstance(expression, sympy.Mul | sympy.Add):
            alone = [a for a in expression.args if free_indices(a) <= {index}]
            rest = [a for a in expression.args if a not in alone]
            together = expression.func(*alone)
            if free_indices(together) == {index} and _is_costly(together):
                named = renamed(self.define((over,), renamed(together, {index: "i"})), {"i": index})
                inner = (self._once_per_node(a, index, over) for a in rest)
                return expression.func(named, *inner)
        return expression.func(*(self._once_per_node(a, index, over) for a in expression.args))


def _is_costly(expression: Any) -> bool:
    """Whether evaluating takes more than reading one number and multiplying it by constants."""
    return len(elements_outside(expression)) > 1 or expression.has(
        sympy.Function, sympy.Pow, sympy.Piecewise
    )


# -- lowering --------------------------------------------------------------------------------

Output = tuple[str, tuple[str, ...], Any]


def lower_loops(kind: str, system: System, active: tuple[str, ...] = (), order: int = 0,
                expressions: Sequence[Any] = ()) -> LoopProgram:  # fmt: skip
    """Return the loop program of a kernel of a network.

    Kinds: ``rhs``, ``derivative`` (of an order), ``expressions``; ``guards`` of all nodes; ``guard`` and
    ``reset`` of one; ``jacobian`` (dense rows), ``pattern`` and
    ``entries`` (the same, entry by entry), ``count`` (of entries) and ``vjp``.
    """
    try:
        return _Lowering(system, active).program(kind, order, expressions)
    except DefinitionError as error:
        raise CompileError(f"the {kind} of {system.name!r} has no kernel: {error}") from error


def _placed_guards(system: System) -> list[Output]:
    """Return the guards of all nodes, those of one event after those of another."""
    outputs: list[Output] = []
    before: list[str] = []
    for event in system.events:
        outputs.append((f"#{' + '.join(before)}", (event.over,), event.guard))
        before.append(f"n {event.over}")
    return outputs


class _Lowering:
    """The lowering of one kernel."""

    def __init__(self, system: System, active: tuple[str, ...]) -> None:
        self.system = system
        self.active = tuple(system.names_in_rule.get(name, name) for name in active)
        self.counter = 0
        self.family = _Family(dict(system.shapes))
        self.direction_of: dict[str, tuple[str, str]] = {}

    def fresh(self, stem: str) -> str:
        """Return a name that nothing else has."""
        self.counter += 1
        return f"_{stem}{self.counter}"

    def program(self, kind: str, order: int, expressions: Sequence[Any]) -> LoopProgram:
        """Lower one kind of kernel."""
        system = self.system
        between = [(m.name, m.expression) for m in system.intermediates]
        outputs: list[Output] = [
            (s.name, tuple(i.name for i in s.shape), e)
            for s, e in zip(system.states, system.rule, strict=True)
        ]
        if kind == "expressions":
            outputs = [(f"#{k}", (), e) for k, e in enumerate(expressions)]
        if kind == "guards":
            outputs = _placed_guards(system)
        if kind == "reset":
            return self._reset(expressions[0])
        if kind == "guard":
            return self._guard(expressions[0])
        # A guard may move by itself, so its rate along the flow has a part by the time.
        passing = sympy.S.One if kind in ("guards", "expressions") else None
        for letter in DIRECTION_LETTERS[:order]:
            between, outputs = self._differentiated(between, outputs, letter, passing)
        self._define(between)
        finished = [(t, o, self.family.without_sums(e)) for t, o, e in outputs]
        if kind in ("rhs", "expressions") or order:
            finished = [(t, o, self._reusing(e, o)) for t, o, e in finished]
        body: list[Any] = self._scalar_directions()
        emit_values(self, self.family.made, body)
        if kind in ("rhs", "expressions", "guards") or order:
            self._emit_outputs(finished, body)
        elif kind == "vjp":
            self._emit_transposed(finished, body)
        else:
            self._emit_entries(kind, finished, body)
        return LoopProgram(
            kind=kind if not order else f"derivative_{order}",
            directions=order or int(kind == "vjp"),
            slots=slots(system),
            states=tuple(s.name for s in system.states if not s.shape),
            parameters=tuple(system.names_in_rule.values()),
            active=len(self.active),
            body=tuple(body),
        )

    def _reset(self, event: Any) -> LoopProgram:
        """Return the program of what happens when one node, whose number is in z, has an event.

        Every new value is computed from those before, so that state and answer may be one array (but for
        what a node delivers to itself).
        """
        system = self.system
        body: list[Any] = [Let("_i", ("whole", "_z"))]
        values = emit_expressions(self, [e for _, e in event.reset], {"i": "_i"}, body)
        held = []
        for (state, _), value in zip(event.reset, values, strict=True):
            held.append(Put(("at", "_out", f"x {state}", "_i"), ("name", self.fresh("a"))))
            body.append(Let(held[-1].value[1], value))
        targets: dict[str, list[tuple[str, Any]]] = {}
        for state, expression in event.deliver:
            targets.setdefault(system.shapes[state][0], []).append((state, expression))
        for target, deliveries in targets.items():
            inner: list[Any] = []
            inside = {"i": "_t1", "j": "_i", "i, j": "_l1"}
            values = emit_expressions(self, [e for _, e in deliveries], inside, inner)
            names = [self.fresh("a") for _ in values]
            inner += [Let(name, value) for name, value in zip(names, values, strict=True)]
            inner += [
                Put(("at", "_out", f"x {state}", "_t1"), ("name", name))
                for (state, _), name in zip(deliveries, names, strict=True)
            ]
            body.append(Loop("_t1", ("out", target, event.over, "_l1"), "_i", tuple(inner)))
        return self._of_one_node("reset", [*body, *held])

    def _guard(self, event: Any) -> LoopProgram:
        """Return the program of the guard of one node, whose number is in z."""
        body: list[Any] = [Let("_i", ("whole", "_z"))]
        (value,) = emit_expressions(self, [event.guard], {"i": "_i"}, body)
        return self._of_one_node("guard", [*body, Put(("at", "_out", "", ""), value)])

    def _of_one_node(self, kind: str, body: list[Any]) -> LoopProgram:
        system = self.system
        return LoopProgram(
            kind=kind, directions=0, slots=slots(system),
            states=tuple(s.name for s in system.states if not s.shape),
            parameters=tuple(system.names_in_rule.values()), active=0, body=tuple(body),
        )  # fmt: skip

    # - definitions

    def _define(self, between: list[tuple[str, Any]]) -> None:
        """Define the intermediates of the rule under their own names."""
        for name, expression in between:
            closed = self.family.without_sums(expression)
            self.family.made.append(_Definition(name, self.family.shapes[name], closed))

    def _reusing(self, expression: Any, over: tuple[str, ...]) -> Any:
        """Return an output in terms of what has been computed per node before."""
        known = {
            d.expression: element(d.name, "i")
            for d in self.family.made
            if d.over == over and not d.runs and d.expression.args
        }
        return expression.xreplace(known) if known and len(over) == 1 else expression

    def _differentiated(
        self, between: list[tuple[str, Any]], outputs: list[Output], letter: str, passing: Any
    ) -> tuple[list[tuple[str, Any]], list[Output]]:
        """Return definitions and outputs differentiated along one more direction vector.

        `passing` is the component of the time, None if it stands still.
        """
        shapes = self.family.shapes
        varying = {s.name for s in self.system.states} | {name for name, _ in between}
        for s in self.system.states:
            made = f"_{letter}_{s.name}"
            self.direction_of[made] = (letter, s.name)
            if s.shape:
                shapes[made] = shapes[s.name]
        for name in self.active:
            self.direction_of[f"_{letter}_{name}"] = (letter, name)
        for name, _ in between:
            shapes[f"_{letter}_{name}"] = shapes[name]

        def along(atom: sympy.Symbol) -> Any:
            if atom == TIME:
                return passing
            if isinstance(atom, Element):
                known = atom.base in varying
                return element(f"_{letter}_{atom.base}", *atom.indices) if known else None
            known = atom.name in varying or atom.name in self.active
            return symbol(f"_{letter}_{atom.name}") if known else None

        more = [
            (f"_{letter}_{name}", derivatives.along(expression, along))
            for name, expression in between
        ]
        return between + more, [(t, o, derivatives.along(e, along)) for t, o, e in outputs]

    def _scalar_directions(self) -> list[Any]:
        """Read the components of the directions that belong to single numbers."""
        read = []
        for name, (letter, quantity) in self.direction_of.items():
            if quantity in self.active:
                place = ("n", str(self.active.index(quantity)))
            elif name not in self.family.shapes:
                place = (f"x {quantity}", "")
            else:
                continue
            read.append(Let(name, ("read", f"_{letter}", *place)))
        return read

    # - values

    def _emit_outputs(self, outputs: Sequence[Output], body: list[Any]) -> None:
        groups: dict[tuple[str, ...], list[Output]] = {}
        for output in outputs:
            groups.setdefault(output[1], []).append(output)
        for over, group in groups.items():
            inner: list[Any] = []
            names = {"i": "_i", "j": "_j", "i, j": "_l"}
            values = emit_expressions(self, [e for _, _, e in group], names, inner)
            for (target, _, _), value in zip(group, values, strict=True):
                inner.append(Put(self._out_place(target, over), value))
            body += _looped(over, inner)

    def _out_place(self, target: str, over: tuple[str, ...]) -> tuple[Any, ...]:
        if target.startswith("#"):
            return ("at", "_out", target[1:], "_i" if over else "")
        return ("at", "_out", f"x {target}", ("", "_i", "_l")[len(over)])

    # - derivatives by running backwards

    def _emit_entries(self, kind: str, outputs: Sequence[Output], body: list[Any]) -> None:
        definitions = {d.name: d for d in self.family.made}
        for target, over, expression in outputs:
            inner: list[Any] = []
            names = {"i": "_i", "j": "_j", "i, j": "_l"}
            sink = self._entry_sink(kind, ("x " + target, ("", "_i", "_l")[len(over)]))
            self._push(expression, ("real", 1.0), names, inner, sink, definitions)
            body += _looped(over, inner)

    def _entry_sink(self, kind: str, row: tuple[str, str]) -> Callable[..., bool]:
        """Return what writes a coefficient into a row of the Jacobian."""

        def sink(atom: Any, weight: Tree, names: Mapping[str, str], into: list[Any]) -> bool:
            column = self._column(atom, names)
            if column is None:
                return False
            into.append(Put(("entry", kind, row, column), weight, add=True))
            return True

        return sink

    def _emit_transposed(self, outputs: Sequence[Output], body: list[Any]) -> None:
        made = self.family.made
        for d in made:
            body.append(Array(f"_b{d.name}", d.over[0], zero=True) if d.over
                        else Let(f"_b{d.name}", ("real", 0.0)))  # fmt: skip

        def sink(atom: Any, weight: Tree, names: Mapping[str, str], into: list[Any]) -> bool:
            column = self._column(atom, names)
            if column is not None:
                into.append(Put(("at", "_out", *column), weight, add=True))
                return True
            base = atom.base if isinstance(atom, Element) else atom.name
            if any(d.name == base for d in made):
                if isinstance(atom, Element):
                    place = ("at", f"_b{base}", "", names[atom.indices[0]])
                    into.append(Put(place, weight, add=True))
                else:
                    into.append(Add(f"_b{base}", weight))
            return True

        for target, over, expression in outputs:
            inner: list[Any] = []
            weight = self.fresh("a")
            inner.append(Let(weight, ("read", "_u", f"x {target}", ("", "_i", "_l")[len(over)])))
            names = {"i": "_i", "j": "_j", "i, j": "_l"}
            self._push(expression, ("name", weight), names, inner, sink, {})
            body += _looped(over, inner)
        for d in reversed(made):
            inner = []
            weight = f"_b{d.name}"
            if d.over:
                weight = self.fresh("a")
                inner.append(Let(weight, ("read", f"_b{d.name}", "", "_i")))
            self._push_definition(d, ("name", weight), "_i", inner, sink, {})
            body += _looped(d.over, inner)

    def _column(self, atom: Any, names: Mapping[str, str]) -> tuple[str, str] | None:
        """Return base and index of the unknown that an atom is, or None."""
        if isinstance(atom, Element):
            if atom.base not in self.system.declared:
                return None
            if len(atom.indices) == 2:
                return (f"x {atom.base}", names[", ".join(atom.indices)])
            return (f"x {atom.base}", names[atom.indices[0]])
        if atom.name in self.system.declared:
            return (f"x {atom.name}", "")
        if atom.name in self.active:
            return ("n", str(self.active.index(atom.name)))
        return None

    def _push(self, expression: Any, weight: Tree, names: Mapping[str, str], into: list[Any],
              sink: Callable[..., bool], definitions: Mapping[str, _Definition]) -> None:  # fmt: skip
        """Push a weight through an expression to everything that it depends on."""
        sums = sums_of(expression)
        held = {s: symbol(self.fresh("s")) for s in sums}
        for s in sums:
            self._emit_inline(s, held[s].name, names, into)
        plain = expression.xreplace(held)
        back = {v: k for k, v in held.items()}
        varying = [a for a in sorted(plain.free_symbols, key=str) if self._varies(a) or a in back]
        slopes = [derivatives.derivative(plain, a) for a in varying]
        pairs = [(a, e) for a, e in zip(varying, slopes, strict=True) if e != 0]
        weights = emit_expressions(self, [e for _, e in pairs], names, into, weight)
        for (atom, _), value in zip(pairs, weights, strict=True):
            if atom in back:
                self._push_sum(back[atom], value, names, into, sink, definitions)
            elif not sink(atom, value, names, into):
                base = atom.base if isinstance(atom, Element) else atom.name
                named = self.fresh("a")
                into.append(Let(named, value))
                at = names[atom.indices[0]] if isinstance(atom, Element) else ""
                self._push_definition(
                    definitions[base], ("name", named), at, into, sink, definitions
                )

    def _varies(self, atom: sympy.Symbol) -> bool:
        base = atom.base if isinstance(atom, Element) else atom.name
        known = {*self.system.declared, *self.active, *(d.name for d in self.family.made)}
        return base in known

    def _push_definition(self, d: _Definition, weight: Tree, at: str, into: list[Any],
                         sink: Callable[..., bool], definitions: Mapping[str, _Definition]) -> None:  # fmt: skip
        """Push a weight through a definition taken at a node."""
        if not d.runs:
            self._push(d.expression, weight, {"i": at}, into, sink, definitions)
            return
        index, link = self.fresh("j"), self.fresh("l")
        names = {"i": at, "j": index, "i, j": link}
        inner: list[Any] = []
        named = self._shared_weight(d, weight, at, into)
        self._push(d.expression, named, names, inner, sink, definitions)
        into.append(self._loop(d, at, index, link, inner))

    def _push_sum(self, sum_: Any, weight: Tree, names: Mapping[str, str], into: list[Any],
                  sink: Callable[..., bool], definitions: Mapping[str, _Definition]) -> None:  # fmt: skip
        """Push a weight through a sum that stands in a place with two indices."""
        d, own = self._inline_definition(sum_)
        index, link = self.fresh("j"), self.fresh("l")
        inner: list[Any] = []
        at = names.get(own, "")
        named = self._shared_weight(d, weight, at, into)
        inside = {**names, sum_.index: index, f"{own}, {sum_.index}": link}
        self._push(sum_.summand, named, inside, inner, sink, definitions)
        into.append(self._loop(d, at, index, link, inner))

    def _shared_weight(self, d: _Definition, weight: Tree, at: str, into: list[Any]) -> Tree:
        if not d.mean:
            return weight
        named = self.fresh("a")
        into.append(Let(named, ("share", weight, self._terms(d, at))))
        return ("name", named)

    # - loops

    def _terms(self, d: _Definition, at: str) -> tuple[Any, ...]:
        """Return how many terms a sum has, in the words of the printer."""
        if d.linked:
            return ("links", d.over[0], d.runs, at)
        return ("nodes", d.runs)

    def _loop(self, d: _Definition, at: str, index: str, link: str, inner: list[Any]) -> Loop:
        if d.linked:
            return Loop(index, ("links", d.over[0], d.runs, link), at, tuple(inner))
        return Loop(index, ("nodes", d.runs), "", tuple(inner))

    def _inline_definition(self, sum_: Reduction) -> tuple[_Definition, str]:
        mean = isinstance(sum_, NodeMean)
        over = (sum_.over,) if sum_.own else ()
        made = _Definition("", over, sum_.summand, sum_.runs, bool(sum_.own), mean)
        return made, sum_.own

    def _emit_inline(self, sum_: Any, name: str, names: Mapping[str, str], into: list[Any]) -> None:
        """Compute a sum at the place where it stands."""
        d, own = self._inline_definition(sum_)
        index, link = self.fresh("j"), self.fresh("l")
        inner: list[Any] = []
        inside = {**names, sum_.index: index, f"{own}, {sum_.index}": link}
        (value,) = emit_expressions(self, [sum_.summand], inside, inner)
        inner.append(Add(name, value))
        into.append(Let(name, ("real", 0.0)))
        into.append(self._loop(d, names.get(own, ""), index, link, inner))
        if d.mean:
            into.append(Let(name, ("share", ("name", name), self._terms(d, names.get(own, "")))))


def _looped(over: tuple[str, ...], inner: list[Any]) -> list[Any]:
    """Return statements as they stand, or in a loop over nodes or links."""
    if not over:
        return inner
    if len(over) == 1:
        return [Loop("_i", ("nodes", over[0]), "", tuple(inner))]
    return [Loop("_i", ("pairs", *over), "", tuple(inner))]


def emit_values(lowering: _Lowering, made: Sequence[_Definition], body: list[Any]) -> None:
    """Emit the definitions, each after what it needs; those of one kind that can share a loop."""
    left = list(made)
    while left:
        ready = [d for d in left if not _needs(d, left)]
        group = [d for d in ready if _kind(d) == _kind(ready[0])]
        _emit_group(lowering, group, body)
        left = [d for d in left if d not in group]


def _kind(d: _Definition) -> tuple[Any, ...]:
    return (d.over, d.runs, d.linked, _dot(d) is not None)


def _needs(d: _Definition, others: Sequence[_Definition]) -> bool:
    names = {o.name for o in others}
    return any(
        (s.base if isinstance(s, Element) else s.name) in names for s in d.expression.free_symbols
    )


def _dot(d: _Definition) -> tuple[Element, Element] | None:
    """Return weight and values of a sum over links that is a plain scalar product."""
    factors = sympy.Mul.make_args(d.expression)
    if not (d.linked and len(factors) == 2 and all(isinstance(f, Element) for f in factors)):
        return None
    weight, values = sorted(factors, key=lambda f: -len(f.indices))
    if len(weight.indices) == 2 and values.indices == ("j",):
        return weight, values
    return None


def _emit_group(lowering: _Lowering, group: Sequence[_Definition], body: list[Any]) -> None:
    first = group[0]
    body += [Array(d.name, d.over[0]) for d in group if d.over]
    inner: list[Any] = []
    if not first.runs:
        values = emit_expressions(lowering, [d.expression for d in group], {"i": "_i"}, inner)
    elif _dot(first):
        values = _emit_dots(lowering, group, inner)
    else:
        names = {"i": "_i", "j": "_j", "i, j": "_l"}
        sums = [lowering.fresh("s") for _ in group]
        inner += [Let(name, ("real", 0.0)) for name in sums]
        innermost: list[Any] = []
        # What depends on i alone stands before the inner loop.
        terms = emit_expressions(lowering, [d.expression for d in group], names, innermost)
        innermost += [Add(n, v) for n, v in zip(sums, terms, strict=True)]
        before = [s for s in innermost if isinstance(s, Let) and _only_of(s, "_i")]
        inner += before
        rest = [s for s in innermost if s not in before]
        inner.append(lowering._loop(first, "_i", "_j", "_l", rest))
        values = [_mean_of(lowering, d, n, inner) for d, n in zip(group, sums, strict=True)]
    for d, value in zip(group, values, strict=True):
        inner.append(Put(("at", d.name, "", "_i"), value) if d.over else Let(d.name, value))
    body += _looped(first.over, inner)


def _emit_dots(lowering: _Lowering, group: Sequence[_Definition], inner: list[Any]) -> list[Tree]:
    """Emit scalar products over the links into a node; two with the same weights go together."""
    names = {d.name: lowering.fresh("s") for d in group}
    by_weight: dict[Any, list[_Definition]] = {}
    for d in group:
        by_weight.setdefault(_dot(d)[0], []).append(d)  # type: ignore[index]
    at = {"j": "", "i, j": ""}
    for weight, same in by_weight.items():
        for pair in (same[k : k + 2] for k in range(0, len(same), 2)):
            numbers = tuple(_read(lowering, _dot(d)[1], at)[1:3] for d in pair)  # type: ignore[index]
            inner.append(
                Dot(
                    tuple(names[d.name] for d in pair), _read(lowering, weight, at)[1:3],
                    (pair[0].over[0], pair[0].runs), "_i", numbers,
                )
            )  # fmt: skip
    return [_mean_of(lowering, d, names[d.name], inner) for d in group]


def _only_of(statement: Let, index: str) -> bool:
    return statement.value[0] == "read" and statement.value[3] == index


def _mean_of(lowering: _Lowering, d: _Definition, name: str, into: list[Any]) -> Tree:
    if not d.mean:
        return ("name", name)
    return ("share", ("name", name), lowering._terms(d, "_i"))


def emit_expressions(
    lowering: _Lowering, expressions: Sequence[Any], names: Mapping[str, str], into: list[Any],
    weight: Tree | None = None,
) -> list[Tree]:  # fmt: skip
    """Emit what expressions need at a place and return their trees, times a weight if given."""
    replaced: dict[Any, Any] = {}
    for sum_ in {s: None for e in expressions for s in sums_of(e)}:
        name = lowering.fresh("s")
        lowering._emit_inline(sum_, name, names, into)
        replaced[sum_] = symbol(name)
    plain = [e.xreplace(replaced) for e in expressions]
    loads = sorted(set().union(*(elements_outside(e) for e in plain), set()), key=str)
    for atom in loads:
        local = lowering.fresh("e")
        into.append(Let(local, _read(lowering, atom, names)))
        replaced[atom] = symbol(local)
    plain = [e.xreplace(replaced) for e in plain]
    shared, outputs = shared_subexpressions(plain, lambda: lowering.fresh("c"))
    into += [Let(s.name, to_tree(e)) for s, e in shared]
    trees = [to_tree(e) for e in outputs]
    if weight is None or weight == ("real", 1.0):
        return trees
    return [weight if t == ("integer", 1) else ("mul", weight, t) for t in trees]


def _read(lowering: _Lowering, atom: Element, names: Mapping[str, str]) -> Tree:
    """Return the place where an entry stands."""
    system = lowering.system
    at = names[", ".join(atom.indices)] if len(atom.indices) == 2 else names[atom.indices[0]]
    if atom.base in lowering.direction_of:
        letter, state = lowering.direction_of[atom.base]
        return ("read", f"_{letter}", f"x {state}", at)
    if atom.base in system.declared:
        return ("read", "_x", f"x {atom.base}", at)
    if any(p.name == atom.base for p in system.parameters):
        return ("read", "_d", f"d {atom.base}", at)
    return ("read", atom.base, "", at)
