r"""Models in the language of XPPAUT, ``.ode`` files.

Source of the language: Ermentrout 2002, Simulating, Analyzing, and Animating Dynamical Systems: A
Guide to XPPAUT (SIAM), and the manual of the program.

Read are: equations ``x'=``, ``dx/dt=``, ``x(t+1)=`` (a map); ``par``, ``number``, ``!name=``;
``init``, ``x(0)=``; named quantities ``name=``; ``aux``; functions ``f(x,y)=``; arrays
``x[1..9]'= ... x[j-1]``; comments, continued lines, ``done``.  Options (``@``) and settings of
the program are no part of a model; those found are listed in the system's ``reference``.
Everything else is refused, by its name and line.

XPPAUT does not tell ``V`` from ``v``.  Here a quantity is spelled as where it first stands on the
left of an equation or declaration.  A name that dynlab does not allow (``lambda``) gets an
underscore.
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dynlab.errors import DefinitionError, TextError, UnsupportedSystemError
from dynlab.names import checked_name
from dynlab.symbolic.delays import lag_values
from dynlab.symbolic.quantities import ContinuousTime, DiscreteTime, Parameter, State
from dynlab.symbolic.reader import FUNCTIONS, Call, Dialect, built, minus, over, read_tree
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import Tree, to_tree
from dynlab.text.expression import Style, written
from dynlab.text.model import CONSTANTS, Draft, in_order, refuse_twice
from dynlab.text.toml import require_plain

__all__ = ["from_ode", "to_ode"]

LONGEST = 200_000
_LONGEST_LINE = 20_000
_LONGEST_ARRAY = 500
#: Nodes of all functions together, with their arguments written in.
_MOST_PLACED = 10_000

_ONE, _ZERO = ("integer", 1), ("integer", 0)


def _same(name: str, least: int = 1) -> Call:
    return Call(least, least, lambda *a: ("call", name, *a))


#: Functions of XPPAUT by what they mean.  ``heav(0)`` is 1 there, and 1/2 in dynlab.
_FUNCTIONS: dict[str, Call] = {
    name: FUNCTIONS[name]
    for name in (
        "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "exp",
        "sqrt", "abs", "sign", "erf", "mod", "where",
    )
} | {
    "ln": _same("log"), "log": _same("log"), "flr": _same("floor"),
    "max": _same("max", 2), "min": _same("min", 2), "delay": _same("delayed", 2),
    "log10": Call(1, 1, lambda x: over(("call", "log", x), ("call", "log", ("integer", 10)))),
    "ceil": Call(1, 1, lambda x: minus(("call", "floor", minus(x)))),
    "erfc": Call(1, 1, lambda x: ("add", _ONE, minus(("call", "erf", x)))),
    "heav": Call(1, 1, lambda x: ("where", ("ge", x, _ZERO), _ONE, _ZERO)),
    "negation": Call(1, 1, lambda x: ("where", ("eq", x, _ZERO), _ONE, _ZERO)),
}  # fmt: skip

_NOT_READ = {
    "del_shft": "shifted delays", "shift": "shifted names", "ishift": "shifted names",
    "ran": "random numbers", "normal": "random numbers", "poisson": "random numbers",
    "besselj": "Bessel functions", "bessely": "Bessel functions", "besseli": "Bessel functions",
    "lgamma": "the logarithm of the gamma function", "sum": "sums over an index",
    "hom_bcs": "boundary conditions", "int": "Volterra integrals", "set": "set",
}  # fmt: skip

_DECLARED_NOT_READ = {
    "wiener": "noise (wiener)", "w": "noise (wiener)",
    "markov": "Markov variables", "m": "Markov variables",
    "table": "tables", "tab": "tables", "global": "events (global)", "g": "events (global)",
    "volterra": "Volterra equations", "volt": "Volterra equations", "v": "Volterra equations",
    "bdry": "boundary conditions", "bndry": "boundary conditions", "b": "boundary conditions",
    "solv": "algebraic equations (solv)", "special": "networks (special)",
    "import": "imported libraries", "export": "exported libraries", "vector": "vectors",
    "#include": "included files",
}  # fmt: skip
_PARAMETERS = frozenset({"p", "par", "para", "param", "params", "parameter", "parameters"})
_NUMBERS = frozenset({"n", "num", "number", "const"})
_STARTS = frozenset({"i", "init", "initial"})
_AUXILIARY = frozenset({"a", "aux"})
_SETTINGS = frozenset({"set", "o", "opt", "option", "options", "only", "c", "change"})

_NAME = r"[A-Za-z_]\w*"
_RATE = re.compile(rf"({_NAME})\s*'\s*=(.*)|d({_NAME})\s*/\s*dt\s*=(.*)", re.IGNORECASE)
_NEXT = re.compile(rf"({_NAME})\s*\(\s*t\s*\+\s*1\s*\)\s*=(.*)", re.IGNORECASE)
_START = re.compile(rf"({_NAME})\s*\(\s*0\s*\)\s*=(.*)")
_INTEGRAL = re.compile(rf"({_NAME})\s*\(\s*t\s*\)\s*=")
_FUNCTION = re.compile(rf"({_NAME})\s*\(([^()]*)\)\s*=(?!=)(.*)")
_FIXED = re.compile(rf"!?({_NAME})\s*=(?!=)(.*)")
_DECLARATION = re.compile(r"([#A-Za-z_]+)\s+(.*)")
_ARRAY = re.compile(r"\[\s*(\d+)\s*\.\.\s*(\d+)\s*\]")
_ELEMENT = re.compile(r"\[([^\[\]]*)\]")
_SPELLED = re.compile(rf"#\s*({_NAME}) stands for (\w+)\s*$")
_NAMED = re.compile(r"#\s*model:\s*(\w+)\s*$")


def from_ode(text: str) -> System:
    """Read a model in the language of XPPAUT.

    Parameters
    ----------
    text
        The text of the ``.ode`` file; `dynlab.read_model` reads it from the file.

    Returns
    -------
    System
        The model.  ``aux`` quantities are its observables.  ``reference`` holds the comments at the
        top of the file, and lists the settings of the program that were left out.

    Raises
    ------
    UnsupportedSystemError
        If the file uses something that is not read (noise, Markov variables, tables,
        events, integrals, algebraic equations, boundary conditions); the message names it.
    TextError
        If a line cannot be understood; the message gives its number.

    Examples
    --------
    >>> import dynlab as dl
    >>> dl.from_ode('''
    ... # a membrane
    ... par i=2, g=0.5
    ... flux(u)=g*u^2
    ... v'=i-flux(v)
    ... init v=1
    ... aux current=flux(v)
    ... done
    ... ''')
    <flow model: v' = -g*v**2 + i; i = 2, g = 0.5>
    """
    if len(text) > LONGEST:
        raise TextError(f"the model has {len(text)} characters; the limit is {LONGEST}.")
    sheet = _Sheet()
    for line in _lines(text, sheet):
        _Line(sheet, *line).read()
    try:
        return sheet.system()
    except RecursionError:
        raise TextError(
            f"the functions of {sheet.name!r} are nested too deep. Write some of them out."
        ) from None


def _lines(text: str, sheet: _Sheet) -> Iterator[tuple[int, str]]:
    """Yield numbered statements: comments gone, continued lines joined, arrays written out."""
    pending, first, length = "", 0, 0
    for number, raw in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        line = raw.strip()
        if not pending and line.startswith(("#", '"', "%")) and not line.startswith("#include"):
            sheet.comment(line, number)
            continue
        first = first or number
        if line.endswith("\\"):
            pending += line[:-1]
            continue
        line, pending = pending + line, ""
        if line.lower() in ("d", "done"):
            return
        if line:
            for statement in _written_out(line, first):
                length += len(statement)
                if length > LONGEST or len(statement) > _LONGEST_LINE:
                    raise TextError(
                        f"line {first}: the model is too long: with arrays written out the limit "
                        f"is {LONGEST} characters, {_LONGEST_LINE} to a line. Shorten it."
                    )
                yield first, statement
        first = 0


def _written_out(line: str, number: int) -> list[str]:
    """Return one line per element of an array ``x[1..9]``; other lines as they are."""
    found = _ARRAY.search(line)
    if found is None or line.startswith("@"):
        return [line]
    low, high = int(found[1][:9]), int(found[2][:9])
    if not 0 <= high - low < _LONGEST_ARRAY:
        raise TextError(
            f"line {number}: an array from {low} to {high} is empty or longer than "
            f"{_LONGEST_ARRAY}. Write the first index first, or fewer elements."
        )
    if len(line) * (high - low + 1) > 2 * LONGEST:
        raise TextError(f"line {number}: the array is too long when written out. Shorten it.")
    return [_element(line, k, number) for k in range(low, high + 1)]


def _element(line: str, k: int, number: int) -> str:
    def place(found: re.Match[str]) -> str:
        inside = found[1].replace(" ", "")
        if _ARRAY.fullmatch(found[0]) or inside.lower() == "j":
            return str(k)
        step = re.fullmatch(r"j([+-])(\d{1,6})", inside, re.IGNORECASE)
        if step is None:
            raise UnsupportedSystemError(
                f"line {number}: the index [{found[1]:.20}] of an array is not read. "
                "Use [j], [j+1] or [j-1], or write the equations out."
            )
        return str(k + int(step[1] + step[2]))

    return _ELEMENT.sub(place, line)


@dataclass(slots=True)
class _Sheet:
    """What has been read so far; names are looked up in lower case."""

    name: str = "model"
    spelled: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    given: dict[str, str] = field(default_factory=dict)
    values: dict[str, tuple[str, int]] = field(default_factory=dict)
    starts: dict[str, tuple[str, int]] = field(default_factory=dict)
    equations: dict[str, tuple[str, int]] = field(default_factory=dict)
    fixed: dict[str, tuple[str, int]] = field(default_factory=dict)
    auxiliary: dict[str, tuple[str, int]] = field(default_factory=dict)
    functions: dict[str, tuple[list[str], str, int]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    discrete: bool = False

    def comment(self, line: str, number: int) -> None:
        """Keep the comments above the first statement, and what `to_ode` wrote into some."""
        if found := _SPELLED.fullmatch(line):
            self.given[found[1].lower()] = found[2]
        elif found := _NAMED.fullmatch(line):
            self.name = found[1]
        elif not (self.values or self.equations or self.fixed or self.functions):
            self.comments.append(re.sub(r"^[#%\"\s]+", "", line)[:200])

    def spell(self, name: str) -> str:
        """Return the key of a name, and remember how it is spelled."""
        key = name.lower()
        if key not in self.spelled:
            self.spelled[key] = self._free(self.given.get(key, name))
        return key

    def _free(self, name: str) -> str:
        for _ in range(4):
            try:
                plain = checked_name(name.lstrip("_") or "x", "quantity")
            except DefinitionError:
                plain = ""
            if plain and plain not in self.taken:
                self.taken.add(plain)
                return plain
            name = f"{name}_"
        return checked_name(name, "quantity")

    def put(self, table: str, name: str, text: str, number: int) -> None:
        """Enter an equation, value or definition; refuse a second one."""
        key = self.spell(name)
        entries = getattr(self, table)
        clash = ("values", "equations", "fixed", "auxiliary")
        if key in entries or (table in clash and any(key in getattr(self, t) for t in clash[:3])):
            if table == "starts":
                entries[key] = text, number
                return
            refuse_twice(self.spelled[key], f"line {number}: an equation or value", self.name)
        entries[key] = text.strip(), number

    def system(self) -> System:
        """Build the system of everything that was read."""
        if not self.equations:
            raise TextError(f"{self.name!r} has no equations. Write one, such as x'=-x.")
        for key, (_, number) in self.starts.items():
            if key not in self.equations:
                raise TextError(
                    f"line {number}: {self.spelled[key]!r} has a start and no equation. "
                    f"Write {self.spelled[key]}'=..., or remove it."
                )
        reading = _Reading.of(self)
        return Draft(
            name=self.name,
            states=tuple(
                State(self.spelled[k], reading.constant(*self.starts.get(k, ("0", 0)), k))
                for k in self.equations
            ),
            parameters=tuple(
                Parameter(self.spelled[k], reading.constant(*given, k))
                for k, given in self.values.items()
            ),
            equations={
                self.spelled[k]: reading.tree(*given, f"the equation of {self.spelled[k]!r}")
                for k, given in self.equations.items()
            },
            definitions={
                self.spelled[k]: reading.tree(*given, f"the quantity {self.spelled[k]!r}")
                for k, given in (self.fixed | self.auxiliary).items()
            },
            observables={self.spelled[k]: "" for k in self.auxiliary},
            time=DiscreteTime() if self.discrete else ContinuousTime(),
            reference=self._reference(),
        ).system()

    def _reference(self) -> str:
        lines = [line for line in self.comments if line]
        if self.left_out:
            lines.append(f"Settings of XPPAUT left out: {', '.join(self.left_out)}.")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Line:
    """One statement of the file."""

    sheet: _Sheet
    number: int
    text: str

    def read(self) -> None:
        """Enter the statement into the sheet."""
        text = self.text
        if text.startswith("@"):
            self._options(text[1:])
        elif found := _RATE.fullmatch(text):
            self._equation(found[1] or found[3], found[2] or found[4])
        elif found := _NEXT.fullmatch(text):
            self.sheet.discrete = True
            self._equation(found[1], found[2])
        elif found := _START.fullmatch(text):
            self.sheet.put("starts", found[1], found[2], self.number)
        elif _INTEGRAL.match(text):
            raise self._refusal("Volterra equations")
        elif re.match(r"0\s*=", text):
            raise self._refusal("algebraic equations (0=)")
        elif found := _FIXED.fullmatch(text):
            self.sheet.put("fixed", found[1], found[2], self.number)
        elif found := _FUNCTION.fullmatch(text):
            self._function(found[1], found[2], found[3])
        elif found := _DECLARATION.fullmatch(text):
            self._declaration(found[1].lower(), found[2])
        else:
            raise self._unclear()

    def _equation(self, name: str, text: str) -> None:
        self.sheet.put("equations", name, text, self.number)

    def _function(self, name: str, arguments: str, text: str) -> None:
        names = [a.strip().lower() for a in arguments.split(",")]
        if not all(re.fullmatch(_NAME, a) for a in names) or len(set(names)) < len(names):
            raise self._unclear()
        key = name.lower()
        if key in _FUNCTIONS or key in _NOT_READ or key in self.sheet.functions:
            raise TextError(
                f"line {self.number}: the function {name!r} exists already. Give it another name."
            )
        self.sheet.functions[key] = names, text.strip(), self.number

    def _declaration(self, word: str, rest: str) -> None:
        if word in _PARAMETERS or word in _NUMBERS:
            # A number is a parameter that the program does not list.
            for name, value in self._assignments(rest):
                self.sheet.put("values", name, value, self.number)
        elif word in _STARTS:
            for name, value in self._assignments(rest):
                self.sheet.put("starts", name, value, self.number)
        elif word in _AUXILIARY:
            found = _FIXED.fullmatch(rest)
            if found is None:
                raise self._unclear()
            self.sheet.put("auxiliary", found[1], found[2], self.number)
        elif word in _SETTINGS:
            self.sheet.left_out.append(f"{word} (line {self.number})")
        elif word in _DECLARED_NOT_READ:
            raise self._refusal(_DECLARED_NOT_READ[word])
        else:
            raise self._unclear()

    def _assignments(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield ``a=1, b=2 c=3``, with or without commas."""
        found = list(re.finditer(rf"\b({_NAME})\s*=", text))
        if not found or text[: found[0].start()].strip(" ,"):
            raise self._unclear()
        ends = [one.start() for one in found[1:]] + [len(text)]
        for one, end in zip(found, ends, strict=True):
            yield one[1], text[one.end() : end].strip(" ,\t")

    def _options(self, text: str) -> None:
        for name, value in re.findall(r"(\w+)\s*=\s*([^,\s]+)", text):
            if name.lower() in ("meth", "method") and value.lower().startswith("disc"):
                self.sheet.discrete = True
            else:
                self.sheet.left_out.append(f"{name}={value}"[:40])

    def _refusal(self, what: str) -> UnsupportedSystemError:
        return UnsupportedSystemError(
            f"line {self.number}: {what} of .ode files are not read: {self.text[:60]!r}. "
            "Remove the line, or write the model in Python."
        )

    def _unclear(self) -> TextError:
        return TextError(
            f"line {self.number} cannot be understood: {self.text[:60]!r}. "
            "Lines are such as x'=-a*x, par a=1, init x=1, aux y=x^2, f(u)=u^2."
        )


@dataclass(frozen=True, slots=True)
class _Reading:
    """Reads the expressions of a sheet, when all names are known."""

    sheet: _Sheet
    names: Mapping[str, Tree]
    dialect: Dialect

    @classmethod
    def of(cls, sheet: _Sheet) -> _Reading:
        tables = (sheet.equations, sheet.values, sheet.fixed, sheet.auxiliary)
        names = {_key(k): ("name", sheet.spelled[k]) for table in tables for k in table}
        functions = dict(_FUNCTIONS)
        words = {"^": "**", "&": "and", "|": "or"}
        reading = cls(
            sheet,
            names | dict(CONSTANTS),
            Dialect(functions, words, truth_is_number=True, ignores_case=True),
        )
        reading._define(functions)
        return reading

    def _define(self, functions: dict[str, Call]) -> None:
        """Add the functions of the file, those first that call no other."""
        bodies = self.sheet.functions
        calls = {
            name: {w.lower() for w in re.findall(rf"\b({_NAME})\s*\(", text)} & bodies.keys()
            for name, (_, text, _) in bodies.items()
        }
        budget = [_MOST_PLACED]
        for name in in_order(calls, f"functions of {self.sheet.name!r}"):
            arguments, text, number = bodies[name]
            local = {_key(a): ("name", f"_{a}") for a in arguments}
            body = self._read(text, {**self.names, **local}, f"line {number}: the function {name}")
            functions[name] = _expanding([f"_{a}" for a in arguments], body, budget)

    def tree(self, text: str, number: int, what: str) -> Tree:
        """Read the expression of a line."""
        where = f"line {number}: {what} of {self.sheet.name!r}"
        return self._read(text, self.names, where)

    def _read(self, text: str, names: Mapping[str, Tree], where: str) -> Tree:
        for name in re.findall(rf"\b({_NAME})\s*[\[({{]", text):
            if name.lower() in _NOT_READ and name.lower() not in self.dialect.functions:
                raise UnsupportedSystemError(
                    f"{where} calls {name}(...): {_NOT_READ[name.lower()]} of .ode files are not "
                    "read. Write the model without, or in Python."
                )
        return read_tree(_in_plain_words(text, where), names, where=where, dialect=self.dialect)

    def constant(self, text: str, number: int, key: str) -> float:
        """Return the value of a parameter or start, which may be written as arithmetic."""
        name = self.sheet.spelled[key]
        where = f"line {number}: the value of {name!r}"
        if not text:
            raise TextError(f"{where} is missing. Write {name}=1.")
        value = built(self._read(text, CONSTANTS, where), where=where)
        if value.free_symbols:
            raise TextError(f"{where} is {text!r:.40}, which is no number. Write {name}=1.")
        number_ = float(value)
        if not math.isfinite(number_):
            raise TextError(f"{where} is {number_}; give a finite number.")
        return number_


def _expanding(arguments: list[str], body: Tree, budget: list[int]) -> Call:
    """Return a function that writes its arguments into a body; all share one budget of nodes."""

    def made(*given: Tree) -> Tree:
        return _placed(body, dict(zip(arguments, given, strict=True)), budget)

    return Call(len(arguments), len(arguments), made)


def _placed(tree: Tree, values: Mapping[str, Tree], budget: list[int]) -> Tree:
    if tree[0] == "name" and tree[1] in values:
        tree = values[tree[1]]
        budget[0] -= sum(1 for _ in _nodes(tree))
        return tree
    budget[0] -= 1
    if budget[0] < 0:
        raise TextError(
            f"the functions of the model grow beyond {_MOST_PLACED} parts (nodes) when their "
            "arguments are written in. Name the arguments first: z=..."
        )
    return tuple(_placed(i, values, budget) if isinstance(i, tuple) else i for i in tree)


def _nodes(tree: Tree) -> Iterator[Tree]:
    pending = [tree]
    while pending:
        node = pending.pop()
        yield node
        pending += [item for item in node if isinstance(item, tuple)]


def _key(name: str) -> str:
    """Return the word by which a name is looked up: words of Python are no names to `ast`."""
    return f"{name}_0" if name in _PYTHON else name


_PYTHON = {word.lower() for word in keyword.kwlist} - {"if", "else", "not"}
_PYTHON_WORDS = re.compile(rf"\b({'|'.join(sorted(_PYTHON))})\b", re.IGNORECASE)
_IF_WORDS = re.compile(r"\b(if|then|else|not)\b\s*(\()?", re.IGNORECASE)


def _in_plain_words(text: str, where: str) -> str:
    """Write ``if(c)then(a)else(b)`` as ``where((c), (a), (b))``, and not(...) as a function."""
    text = _PYTHON_WORDS.sub(r"\1_0", text)
    if not _IF_WORDS.search(text):
        return text
    out: list[str] = []
    open_brackets: list[bool] = []  # whether the end of the bracket ends an if
    position = 0
    while position < len(text):
        found = _IF_WORDS.match(text, position) if _begins_word(text, position) else None
        if found is not None:
            word = found[1].lower()
            if found[2] is None:
                raise TextError(f"{where}: {word} has no bracket. Write if(c)then(a)else(b).")
            out.append({"if": "where((", "then": ",(", "else": ",(", "not": "negation("}[word])
            open_brackets.append(word == "else")
            position = found.end()
            continue
        character = text[position]
        if character == "(":
            open_brackets.append(False)
        if character == ")" and open_brackets and open_brackets.pop():
            out.append(")")
        out.append(character)
        position += 1
    return "".join(out)


def _begins_word(text: str, position: int) -> bool:
    return position == 0 or not (text[position - 1].isalnum() or text[position - 1] == "_")


# Writing


def to_ode(system: System) -> str:
    """Return a model in the language of XPPAUT.

    Functions that XPPAUT lacks are written by others; a removable 0/0 is written as the quotient,
    which that program divides as it stands.  Names that it would not tell apart (``V`` and ``v``), or
    has a use for, are changed, and comments say how.  Unit labels and domains are left out.

    Parameters
    ----------
    system
        The system.

    Returns
    -------
    str
        The text of the ``.ode`` file.

    Raises
    ------
    UnsupportedSystemError
        If the system has a part that the format does not hold.

    Examples
    --------
    >>> import dynlab as dl
    >>> print(dl.to_ode(dl.zoo.henon(a=1.2)))
    # model: henon
    # Stretch and fold in the plane with constant contraction.
    # Henon 1976, Commun. Math. Phys. 50, 69, eq 4.
    # Famous for the first strange attractor of a map whose fractal layers could be seen.
    par a=1.2
    par b=0.3
    x(t+1)=1 + y - a*x^2
    y(t+1)=b*x
    init x=0.0
    init y=0.0
    done
    """
    require_plain(system, "an .ode file")
    quantities = (*system.state_names, *system.parameter_names, *system.observable_names)
    names = _spellings(quantities)
    style = Style(
        power="^", both="&", either="|", negation=lambda c: f"not({c})",
        where=lambda c, a, b: f"if({c})then({a})else({b})",
        functions={"log": "ln", "floor": "flr", "delayed": "delay"}, names=names,
    )  # fmt: skip

    def text(expression: Any) -> str:
        return written(_in_their_functions(to_tree(expression)), style)

    mark = "(t+1)" if system.is_discrete else "'"
    comments = [system.name] if system.name.isidentifier() else []
    lines = [f"# model: {name}" for name in comments]
    lines += [f"# {line.strip()}" for line in system.reference.split("\n") if line.strip()]
    lines += [f"# {new} stands for {old}" for old, new in names.items() if old != new]
    lines += [f"par {names[p.name]}={p.value!r}" for p in system.parameters]
    lines += [
        f"{names[s.name]}{mark}={text(e)}" for s, e in zip(system.states, system.rule, strict=True)
    ]
    lines += [f"aux {names[o.name]}={text(o.expression)}" for o in system.observables]
    lines += [f"init {names[s.name]}={s.start!r}" for s in system.states]
    # XPPAUT keeps as much of the past as it is told.
    lines += [f"@ delay={max(lag_values(system))!r}"] if system.is_delayed else []
    return "\n".join([*lines, "done", ""])


#: Names that XPPAUT keeps for itself, beside its functions.
_THEIRS = frozenset({"t", "pi", "if", "then", "else", "of", "done", "arg1", "arg2", "i'", "not"})


def _spellings(names: tuple[str, ...]) -> dict[str, str]:
    """Return a spelling for each name that differs from all others in more than case."""
    taken = set(_THEIRS | _FUNCTIONS.keys() | _NOT_READ.keys())
    found: dict[str, str] = {}
    for name in names:
        plain = base = name if name.isascii() else f"n{len(found)}"
        number = 1
        while plain.lower() in taken:
            plain, number = f"{base}_{number}", number + 1
        taken.add(plain.lower())
        found[name] = plain
    return found


def _in_their_functions(tree: Tree) -> Tree:
    """Write the functions that XPPAUT lacks by those it has."""
    parts = tuple(_in_their_functions(i) if isinstance(i, tuple) else i for i in tree)
    if parts[0] != "call":
        return parts
    name, u = parts[1], parts[2]
    if name in ("min", "max"):
        found = u
        for other in parts[3:]:
            found = ("call", name, found, other)
        return found
    if name not in _BY_OTHERS:
        return parts
    if len(parts) > 3 and parts[3] != _ZERO:
        raise UnsupportedSystemError(
            f"the derivative {name}(x, {parts[3][1]}) cannot be written in an .ode file. "
            "Keep the model as TOML, or with system.save(path)."
        )
    return _BY_OTHERS[name](u)


def _less_one(u: Tree) -> Tree:
    return ("add", ("call", "exp", u), ("integer", -1))


_BY_OTHERS = {
    "expm1": _less_one,
    "log1p": lambda u: ("call", "log", ("add", _ONE, u)),
    "sigmoid": lambda u: over(_ONE, ("add", _ONE, ("call", "exp", minus(u)))),
    "exprel": lambda u: over(_less_one(u), u),
    "bernoulli": lambda u: over(u, _less_one(u)),
    "sinc": lambda u: over(("call", "sin", u), u),
    "tanhc": lambda u: over(("call", "tanh", u), u),
    "logrel": lambda u: over(("call", "log", ("add", _ONE, u)), u),
    # Half of what heav says of both sides: 1/2 at zero.
    "heaviside": lambda u: (
        "mul", ("rational", 1, 2),
        ("add", _ONE, ("call", "heav", u), minus(("call", "heav", minus(u)))),
    ),
}  # fmt: skip
