"""Models in SBML, through libsbml (the extra ``sbml``).

Rates of change follow the specification, SBML Level 3 Version 2 Core, section 4.11.7: the rate of a
species in amount is the sum of stoichiometry times kinetic law over the reactions; divided by the
size of its compartment if its symbol means a concentration.  MathML becomes trees node by node.

A document type declaration is refused before libsbml sees the text: entities can read files and
grow without bound.  Nesting is limited before, too, since libsbml descends by recursion.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from dynlab.errors import (
    DefinitionError,
    MissingExtraError,
    TextError,
    UnknownNameError,
    UnsupportedSystemError,
)
from dynlab.names import checked_name
from dynlab.symbolic.quantities import ContinuousTime, Parameter, State
from dynlab.symbolic.reader import built, minus, over
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import Tree, symbol
from dynlab.text.model import MOST_NODES, Draft, in_order, names_in

__all__ = ["from_sbml"]

LONGEST = 10_000_000
_DEEPEST = 120
_MOST_ELEMENTS = 100_000

_ONE, _ZERO = ("integer", 1), ("integer", 0)


def from_sbml(text: str) -> System:
    """Read a model in SBML.

    States are the species that reactions or rate rules change, and everything else with a rate rule.
    Parameters are constants, sizes of compartments, and species held constant.  Quantities with an
    assignment rule are observables.

    Parameters
    ----------
    text
        The text of the file; `dynlab.read_model` reads it from a file.

    Returns
    -------
    System
        The model, as a flow.

    Raises
    ------
    MissingExtraError
        If libsbml is not installed: ``pip install 'dynlab[sbml]'``.
    TextError
        If the text is no valid SBML, or has a document type declaration.
    UnsupportedSystemError
        If the model has events, delays, algebraic rules, fast reactions or other parts that are not
        read; the message names the first.

    Examples
    --------
    >>> import dynlab as dl
    >>> try:
    ...     dl.from_sbml('<!DOCTYPE x SYSTEM "file:///etc/hostname"><sbml/>')
    ... except dl.TextError as error:
    ...     print(error)
    the SBML text has a document type declaration, which can read files. Remove it.
    """
    _check_text(text)
    try:
        import libsbml
    except ImportError as error:
        raise MissingExtraError("python-libsbml", "sbml", "reading SBML") from error
    document = libsbml.readSBMLFromString(text)
    if document.getNumErrors(libsbml.LIBSBML_SEV_ERROR) + document.getNumErrors(
        libsbml.LIBSBML_SEV_FATAL
    ):
        message = " ".join(str(document.getError(0).getMessage()).split())
        raise TextError(f"this is no valid SBML: {message:.200} Check it with a validator.")
    model = document.getModel()
    if model is None:
        raise TextError("the SBML text holds no model. Check the file.")
    _refuse_what_is_not_read(document, model)
    try:
        return _Model(model, _Math(libsbml)).draft().system()
    except RecursionError:
        raise TextError("the SBML model is nested too deep. Name parts of its formulas.") from None


def _check_text(text: str) -> None:
    if not text.strip():
        raise TextError("the SBML text is empty.")
    if len(text) > LONGEST:
        raise TextError(f"the SBML text has {len(text)} characters; the limit is {LONGEST}.")
    if re.search(
        r"<!\s*(DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", text, re.IGNORECASE
    ) or "<![" in (text.replace("<![CDATA[", "")):
        raise TextError(
            "the SBML text has a document type declaration, which can read files. Remove it."
        )
    if "\0" in text:
        raise TextError("the SBML text holds NUL characters. Is it the right file?")
    head = re.match(r"\s*<\?xml[^>]*encoding\s*=\s*[\"']([^\"'>]*)", text)
    if head and head[1].lower() not in ("utf-8", "utf8", "us-ascii", "ascii"):
        raise TextError(f"the SBML text is in {head[1]:.30}; models are in UTF-8. Convert it.")
    depth = 0
    for count, begun in enumerate(_BEGIN.finditer(text)):
        if begun[1] == "/":
            depth -= 1
        else:
            tag = _TAG.match(text, begun.end())
            depth += 0 if tag and tag[0].endswith("/>") else 1
        if depth > _DEEPEST or count > _MOST_ELEMENTS:
            raise TextError(
                f"the SBML text is nested deeper than {_DEEPEST} or has more than "
                f"{_MOST_ELEMENTS} elements. Name parts of its formulas."
            )


_BEGIN = re.compile(r"<(/|[A-Za-z_])")
#: The rest of a tag up to its end, which is no > in quotes; possessive: its cost is its length.
_TAG = re.compile(r"""[^"'<>]*+(?:"[^"<]*+"[^"'<>]*+|'[^'<]*+'[^"'<>]*+)*+>""")
#: Packages that only add functions, which are looked at one by one.
_HARMLESS = ("l3v2extendedmath",)


def _refuse_what_is_not_read(document: Any, model: Any) -> None:
    for k in range(document.getNumPlugins()):
        package = document.getPlugin(k).getPackageName()
        if document.getPackageRequired(package) and package not in _HARMLESS:
            _refuse(f"the package {package!r}")
    for what, count in (
        ("events", model.getNumEvents()),
        ("constraints", model.getNumConstraints()),
    ):
        if count:
            _refuse(what)
    for rule in _all(model.getNumRules, model.getRule):
        if rule.isAlgebraic():
            _refuse("algebraic rules")
    for reaction in _all(model.getNumReactions, model.getReaction):
        if reaction.isSetFast() and reaction.getFast():
            _refuse(f"fast reactions ({reaction.getId()!r})")
    if model.isSetConversionFactor():
        _refuse("conversion factors")
    for species in _all(model.getNumSpecies, model.getSpecies):
        if species.isSetConversionFactor():
            _refuse("conversion factors")


def _refuse(what: str) -> None:
    raise UnsupportedSystemError(
        f"{what} of SBML models are not read. Remove them, or write the model in Python."
    )


def _all(count: Callable[[], int], get: Callable[[int], Any]) -> Iterator[Any]:
    for k in range(count()):
        yield get(k)


@dataclass(slots=True)
class _Model:
    """A libsbml model on its way to a draft."""

    model: Any
    math: _Math
    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    definitions: dict[str, Tree] = field(default_factory=dict)
    rates: dict[str, Tree] = field(default_factory=dict)
    starts: dict[str, Tree] = field(default_factory=dict)
    recorded: list[str] = field(default_factory=list)

    def draft(self) -> Draft:
        """Return the model as equations."""
        model = self.model
        title = re.sub(r"\W+", "_", model.getId() or model.getName() or "model").strip("_")
        for function in _all(model.getNumFunctionDefinitions, model.getFunctionDefinition):
            self.math.functions[function.getId()] = function.getMath()
        self._declare()
        self._rules()
        self._reactions()
        self._initial_assignments()
        constants = self._constants()
        self._check_names()
        states = [n for n in self.names if n in self.rates]
        return Draft(
            name=title or "model",
            states=tuple(State(self.names[n], constants[n]) for n in states),
            parameters=tuple(
                Parameter(self.names[n], constants[n])
                for n in self.names
                if n not in self.rates and n not in self.definitions
            ),
            equations={self.names[n]: self._spelled(self.rates[n]) for n in states},
            definitions={self.names[n]: self._spelled(e) for n, e in self.definitions.items()},
            observables={self.names[n]: "" for n in self.recorded},
            time=ContinuousTime(),
            reference=" ".join((model.getName() or "").split())[:200],
        )

    def _declare(self) -> None:
        """Enter compartments, species and parameters with their values."""
        model = self.model
        for compartment in _all(model.getNumCompartments, model.getCompartment):
            self._enter(compartment.getId())
            if compartment.isSetSize():
                self.values[compartment.getId()] = compartment.getSize()
            elif compartment.getSpatialDimensions() == 0:
                self.values[compartment.getId()] = 1.0
        for species in _all(model.getNumSpecies, model.getSpecies):
            self._enter(species.getId())
            size = self.values.get(species.getCompartment(), math.nan)
            amount = species.getHasOnlySubstanceUnits()
            if species.isSetInitialConcentration():
                value = species.getInitialConcentration() * (size if amount else 1.0)
                self.values[species.getId()] = value
            elif species.isSetInitialAmount():
                self.values[species.getId()] = species.getInitialAmount() / (
                    1.0 if amount else size
                )
        for parameter in _all(model.getNumParameters, model.getParameter):
            self._enter(parameter.getId())
            if parameter.isSetValue():
                self.values[parameter.getId()] = parameter.getValue()

    def _enter(self, identifier: str) -> None:
        taken = set(self.names.values())
        name = identifier
        for _ in range(8):
            try:
                plain = checked_name(name.lstrip("_") or "x", "quantity")
            except DefinitionError:
                plain = ""
            if plain and plain not in taken:
                break
            name = f"{name}_"
        self.names[identifier] = checked_name(name.lstrip("_"), "quantity")

    def _rules(self) -> None:
        model = self.model
        for rule in _all(model.getNumRules, model.getRule):
            variable = rule.getVariable()
            if variable not in self.names:
                raise UnsupportedSystemError(
                    f"the rule for {variable!r} changes something that is no compartment, species "
                    "or parameter (a stoichiometry); such rules are not read. Use a parameter."
                )
            if not rule.isSetMath():
                raise TextError(f"the rule for {variable!r} of the SBML model has no formula.")
            tree = self.math.tree(rule.getMath(), {}, f"the rule for {variable!r}")
            if rule.isAssignment():
                self.definitions[variable] = tree
                self.recorded.append(variable)
            else:
                self.rates[variable] = tree

    def _reactions(self) -> None:
        model = self.model
        sums: dict[str, list[Tree]] = {}
        for reaction in _all(model.getNumReactions, model.getReaction):
            name = reaction.getId()
            law = reaction.getKineticLaw()
            if law is None or law.getMath() is None:
                raise TextError(f"the reaction {name!r} of the SBML model has no kinetic law.")
            self._enter(name)
            self.definitions[name] = self.math.tree(
                law.getMath(), self._local(law, name), f"the kinetic law of {name!r}"
            )
            for count, get, sign in (
                (reaction.getNumReactants, reaction.getReactant, -1),
                (reaction.getNumProducts, reaction.getProduct, 1),
            ):
                for side in _all(count, get):
                    factor = self._stoichiometry(side, sign, name)
                    term = ("mul", factor, ("name", name))
                    sums.setdefault(side.getSpecies(), []).append(term)
        for species in _all(model.getNumSpecies, model.getSpecies):
            self._add_rate(species, sums)

    def _add_rate(self, species: Any, sums: Mapping[str, list[Tree]]) -> None:
        name, where = species.getId(), species.getCompartment()
        if species.getBoundaryCondition() or species.getConstant() or name not in sums:
            return
        if name in self.rates or name in self.definitions:
            raise TextError(f"the species {name!r} has both a rule and reactions. Keep one.")
        if where in self.rates or where in self.definitions:
            raise UnsupportedSystemError(
                f"the compartment {where!r} of the species {name!r} changes its size; that is not "
                "read. Make its size constant."
            )
        total = ("add", *sums[name])
        amount = species.getHasOnlySubstanceUnits()
        self.rates[name] = total if amount else over(total, ("name", where))

    def _local(self, law: Any, reaction: str) -> dict[str, Tree]:
        """Enter the parameters of one reaction under names of their own."""
        found = {}
        many = law.getNumLocalParameters() or law.getNumParameters()
        get = law.getLocalParameter if law.getNumLocalParameters() else law.getParameter
        for k in range(many):
            local = get(k)
            identifier = f"{reaction}_{local.getId()}"
            self._enter(identifier)
            if local.isSetValue():
                self.values[identifier] = local.getValue()
            found[local.getId()] = ("name", identifier)
        return found

    def _stoichiometry(self, side: Any, sign: int, reaction: str) -> Tree:
        if side.isSetStoichiometryMath() or (side.getLevel() > 2 and not side.isSetStoichiometry()):
            raise UnsupportedSystemError(
                f"the stoichiometry of {side.getSpecies()!r} in {reaction!r} is no number; that is "
                "not read. Write a number."
            )
        number = side.getStoichiometry()
        if not math.isfinite(number):
            raise TextError(f"the stoichiometry of {side.getSpecies()!r} is {number}.")
        number = number / (side.getDenominator() if side.getLevel() == 1 else 1)
        return ("integer", sign * int(number)) if number == int(number) else ("real", sign * number)

    def _initial_assignments(self) -> None:
        model = self.model
        for assignment in _all(model.getNumInitialAssignments, model.getInitialAssignment):
            name = assignment.getSymbol()
            if name not in self.names:
                raise UnsupportedSystemError(
                    f"the initial assignment of {name!r} is no compartment, species or parameter; "
                    "that is not read. Use a parameter."
                )
            if assignment.getMath() is not None:
                self.starts[name] = self.math.tree(
                    assignment.getMath(), {}, f"the initial assignment of {name!r}"
                )

    def _constants(self) -> dict[str, float]:
        """Return all start values; initial assignments and rules are evaluated in their order."""
        formulas = {**self.definitions, **self.starts}
        uses = {n: set(names_in(tree)) & formulas.keys() for n, tree in formulas.items()}
        found = dict(self.values)
        for name in in_order(uses, "initial assignments and rules"):
            needed = set(names_in(formulas[name]))
            if name not in self.starts and not needed <= found.keys():
                continue  # reported where a start needs it
            where = f"the start of {name!r}"
            missing = sorted(needed - found.keys())
            if missing:
                raise TextError(f"{where} needs {missing[0]!r}, which has no value. Give it one.")
            number = built(formulas[name], where=where).subs(
                {symbol(n): found[n] for n in needed} | {_TIME: 0}
            )
            found[name] = _number(number, where)
        for name in self.names:
            if name in self.definitions:
                continue
            if name not in found:
                raise TextError(
                    f"{name!r} of the SBML model has no value. Give it a value or initial assignment."
                )
            found[name] = _number(found[name], f"the value of {name!r}")
        return found

    def _check_names(self) -> None:
        """Refuse a formula that names something that is not there."""
        for what, formulas in (("rate", self.rates), ("rule", self.definitions)):
            for variable, tree in formulas.items():
                for name in names_in(tree):
                    if name not in self.names:
                        message = f"quantity (in the {what} of {variable!r})"
                        raise UnknownNameError(message, name, self.names)

    def _spelled(self, tree: Tree) -> Tree:
        if tree[0] == "name":
            return ("name", self.names[tree[1]])
        return tuple(self._spelled(i) if isinstance(i, tuple) else i for i in tree)


_TIME = symbol("t")


def _number(value: Any, where: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise TextError(f"{where} is {value!s:.40}, which is no finite number. Correct it.")
    return number


def _call(name: str) -> Callable[..., Tree]:
    return lambda *a: ("call", name, *a)


def _inverse_of(name: str) -> Callable[[Tree], Tree]:
    return lambda x: over(_ONE, ("call", name, x))


#: Functions of one argument, by their name in libsbml.
_ONE_ARGUMENT: Mapping[str, Callable[..., Tree]] = {
    name.upper(): _call(name) for name in ("abs", "exp", "floor", "sin", "cos", "tan", "sinh",
                                           "cosh", "tanh")
} | {
    "LN": _call("log"),
    "CEILING": lambda x: minus(("call", "floor", minus(x))),
    "ARCSIN": _call("asin"), "ARCCOS": _call("acos"), "ARCTAN": _call("atan"),
    "SEC": _inverse_of("cos"), "CSC": _inverse_of("sin"), "COT": _inverse_of("tan"),
    "SECH": _inverse_of("cosh"), "CSCH": _inverse_of("sinh"), "COTH": _inverse_of("tanh"),
    "ARCSINH": lambda x: ("call", "log", ("add", x, ("call", "sqrt", ("add", ("pow", x, ("integer", 2)), _ONE)))),
    "ARCCOSH": lambda x: ("call", "log", ("add", x, ("call", "sqrt", ("add", ("pow", x, ("integer", 2)), ("integer", -1))))),
    "ARCTANH": lambda x: ("mul", ("rational", 1, 2), ("call", "log", over(("add", _ONE, x), ("add", _ONE, minus(x))))),
}  # fmt: skip
_RELATIONS = {"EQ": "eq", "NEQ": "ne", "LT": "lt", "LEQ": "le", "GT": "gt", "GEQ": "ge"}
_CONDITIONS = frozenset({*_RELATIONS.values(), "and", "or", "not", "true", "false"})
#: CODATA 2006, the value that SBML Level 3 prescribes (section 3.4.6 of the specification).
_AVOGADRO = 6.02214179e23


@dataclass(slots=True)
class _Math:
    """MathML -> trees, node by node, with the function definitions of the model written in."""

    libsbml: Any
    functions: dict[str, Any] = field(default_factory=dict)
    nodes: int = 0

    def tree(self, node: Any, local: Mapping[str, Tree], where: str) -> Tree:
        """Return the tree of a number."""
        found = self._tree(node, local, where)
        if found[0] in _CONDITIONS:
            raise TextError(f"{where} is a condition where a number is needed. Use piecewise.")
        return found

    def _condition(self, node: Any, local: Mapping[str, Tree], where: str) -> Tree:
        found = self._tree(node, local, where)
        if found[0] not in _CONDITIONS:
            raise TextError(f"{where} has a number where a condition is needed. Compare with 0.")
        return found

    def _tree(self, node: Any, local: Mapping[str, Tree], where: str) -> Tree:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise TextError(
                f"the formulas of the SBML model have more than {MOST_NODES} parts (nodes) with "
                "all functions written in. Shorten them."
            )
        kind = self._kind(node)
        if kind in ("INTEGER", "RATIONAL", "REAL", "REAL_E"):
            return self._constant(node, kind, where)
        if kind == "NAME":
            name = node.getName()
            return local.get(name, ("name", name))
        if kind in _SYMBOLS:
            return _SYMBOLS[kind]
        if kind == "FUNCTION":
            return self._defined(node, local, where)
        if kind == "FUNCTION_PIECEWISE":
            return self._piecewise(node, local, where)
        if kind.startswith(("RELATIONAL_", "LOGICAL_")):
            return self._logic(node, kind.partition("_")[2], local, where)
        arguments = [
            self.tree(node.getChild(k), local, where) for k in range(node.getNumChildren())
        ]
        return self._arithmetic(kind.removeprefix("FUNCTION_"), arguments, where)

    def _kind(self, node: Any) -> str:
        if not _KINDS:
            _KINDS.update(
                (value, name.removeprefix("AST_"))
                for name, value in vars(self.libsbml).items()
                if name.startswith("AST_") and isinstance(value, int)
                and not name.startswith(("AST_TYPECODE", "AST_ORIGINATES", "AST_END", "AST_QUAL"))
            )  # fmt: skip
        return _KINDS.get(node.getType(), "UNKNOWN")

    def _constant(self, node: Any, kind: str, where: str) -> Tree:
        if kind == "INTEGER":
            return ("integer", int(node.getInteger()))
        if kind == "RATIONAL":
            if node.getDenominator() == 0:
                raise TextError(f"{where} divides by zero.")
            return over(("integer", node.getNumerator()), ("integer", node.getDenominator()))
        value = node.getReal()
        if not math.isfinite(value):
            raise TextError(f"{where} has the constant {value}; constants must be finite.")
        # MathML writes 2 as a real number; an exponent of 2 is whole all the same.
        whole = value.is_integer() and abs(value) < 2**53
        return ("integer", int(value)) if whole else ("real", value)

    def _defined(self, node: Any, local: Mapping[str, Tree], where: str) -> Tree:
        name = node.getName()
        body = self.functions.get(name)
        if body is None:
            raise UnknownNameError(f"function (in {where})", str(name), self.functions)
        count = body.getNumChildren() - 1
        if count != node.getNumChildren():
            raise TextError(f"{where} calls {name!r} with {node.getNumChildren()} arguments.")
        given = {
            body.getChild(k).getName(): self.tree(node.getChild(k), local, where)
            for k in range(count)
        }
        for argument in given.values():
            self.nodes += sum(1 for _ in names_in(argument))
        return self._tree(body.getChild(count), given, f"the function {name!r} in {where}")

    def _piecewise(self, node: Any, local: Mapping[str, Tree], where: str) -> Tree:
        count = node.getNumChildren()
        if count % 2 == 0:
            raise UnsupportedSystemError(
                f"{where} has a piecewise without otherwise; that is not read. Add otherwise."
            )
        found = self.tree(node.getChild(count - 1), local, where)
        for k in range(count - 3, -1, -2):
            value = self.tree(node.getChild(k), local, where)
            test = self._condition(node.getChild(k + 1), local, where)
            found = ("where", test, value, found)
        return found

    def _logic(self, node: Any, word: str, local: Mapping[str, Tree], where: str) -> Tree:
        children = [node.getChild(k) for k in range(node.getNumChildren())]
        if word in _RELATIONS:
            sides = [self.tree(child, local, where) for child in children]
            parts = [(_RELATIONS[word], a, b) for a, b in pairwise(sides)]
            if not parts:
                raise TextError(f"{where} compares fewer than two things.")
            return parts[0] if len(parts) == 1 else ("and", *parts)
        tests = [self._condition(child, local, where) for child in children]
        if word == "NOT" and len(tests) == 1:
            return ("not", tests[0])
        if word in ("AND", "OR") and tests:
            return (word.lower(), *tests) if len(tests) > 1 else tests[0]
        if word == "XOR" and len(tests) == 2:
            a, b = tests
            return ("or", ("and", a, ("not", b)), ("and", ("not", a), b))
        raise UnsupportedSystemError(f"{where} uses {word.lower()!r}, which is not read.")

    def _arithmetic(self, kind: str, a: list[Tree], where: str) -> Tree:
        if kind == "PLUS":
            return ("add", *a) if a else _ZERO
        if kind == "TIMES":
            return ("mul", *a) if a else _ONE
        if kind == "MINUS" and len(a) in (1, 2):
            return minus(a[0]) if len(a) == 1 else ("add", a[0], minus(a[1]))
        if kind == "DIVIDE" and len(a) == 2:
            return over(*a)
        if kind == "POWER" and len(a) == 2:
            return ("pow", *a)
        if kind == "ROOT" and len(a) in (1, 2):
            if len(a) == 1 or a[0] == ("integer", 2):
                return ("call", "sqrt", a[-1])
            return ("pow", a[1], over(_ONE, a[0]))
        if kind == "LOG" and len(a) in (1, 2):
            base = a[0] if len(a) == 2 else ("integer", 10)
            return over(("call", "log", a[-1]), ("call", "log", base))
        if kind in ("MIN", "MAX") and a:
            return ("call", kind.lower(), *a)
        if kind in ("QUOTIENT", "REM") and len(a) == 2:
            return _division(kind, *a)
        if kind in _ONE_ARGUMENT and len(a) == 1:
            return _ONE_ARGUMENT[kind](a[0])
        what = "delays" if kind == "DELAY" else f"{kind.lower()!r}"
        raise UnsupportedSystemError(
            f"{where} uses {what} with {len(a)} argument(s), which is not read. "
            "Write it with other functions, or write the model in Python."
        )


def _division(kind: str, a: Tree, b: Tree) -> Tree:
    """Return the whole part of a quotient, cut towards zero, or what remains."""
    ratio = over(a, b)
    whole = ("mul", ("call", "sign", ratio), ("call", "floor", ("call", "abs", ratio)))
    return whole if kind == "QUOTIENT" else ("add", a, minus(("mul", b, whole)))


_KINDS: dict[int, str] = {}
_SYMBOLS: Mapping[str, Tree] = {
    "NAME_TIME": ("time",), "NAME_AVOGADRO": ("real", _AVOGADRO),
    "CONSTANT_PI": ("constant", "pi"), "CONSTANT_E": ("constant", "e"),
    "CONSTANT_TRUE": ("true",), "CONSTANT_FALSE": ("false",),
}  # fmt: skip
