"""Text -> expression tree: the equations of models that arrive as text, from anyone.

Nothing here evaluates Python.  A text passes three gates:

1. a scan of its characters and words against a white list, with limits on length, nesting and the
   size of numbers, before anything is parsed;
2. `ast.parse`, for the grammar alone, and a walk over its nodes against a second white list;
3. names are looked up among the declared ones; what comes out are trees (`dynlab.symbolic.tree`),
   whose constants are bounded again when sympy sees them.

sympy's own readers (``sympify``, ``parse_expr``, also through ``diff``, ``solve`` or ``Matrix``)
run a text as Python, with or without ``evaluate=False`` and an emptied ``__builtins__``.  They are
never called.

The grammar is Python's, with two differences: ``^`` is a power, as in every other modelling
language, and a quotient of whole numbers is exact.
"""

from __future__ import annotations

import ast
import bisect
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

import sympy

from dynlab.errors import AccuracyWarning, DynlabError, TextError, UnknownNameError
from dynlab.symbolic.singular import remove_singularities
from dynlab.symbolic.tree import Tree, from_tree, to_tree

__all__ = ["FUNCTIONS", "Call", "Dialect", "built", "minus", "over", "read_tree"]

#: Limits of one expression.  A depth of 100 and 3000 words are far beyond any model in print, and
#: far below what makes `ast`, or recursion over trees, fail.
LONGEST = 20_000
MOST_WORDS = 3_000
DEEPEST = 100
LONGEST_NUMBER = 400

Function = Callable[..., Tree]


def minus(tree: Tree) -> Tree:
    """Return the tree of minus an expression; a number stays a number."""
    if tree[0] in ("integer", "rational", "real"):
        return (tree[0], -tree[1], *tree[2:])
    return ("mul", ("integer", -1), tree)


def over(a: Tree, b: Tree) -> Tree:
    """Return the tree of a quotient."""
    return ("mul", a, ("pow", b, ("integer", -1)))


def _mod(a: Tree, b: Tree) -> Tree:
    return ("add", a, minus(("mul", b, ("call", "floor", over(a, b)))))


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the language: how many arguments it takes, and what it becomes."""

    least: int
    most: int
    made: Function


def _named(name: str, least: int = 1, most: int | None = None) -> Call:
    return Call(least, least if most is None else most, lambda *a: ("call", name, *a))


_ONE = (
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "log", "log1p",
    "expm1", "sqrt", "abs", "sign", "heaviside", "floor", "erf", "sigmoid",
)  # fmt: skip
#: Smooth at a removable 0/0; a second argument is the order of the derivative.
_REMOVABLE = ("exprel", "sinc", "bernoulli", "logrel", "tanhc")

_TIME: Tree = ("time",)


def _ramp(begin: Tree, end: Tree) -> Tree:
    rising = over(("add", _TIME, minus(begin)), ("add", end, minus(begin)))
    later = ("where", ("le", begin, _TIME), rising, ("integer", 0))
    return ("where", ("le", end, _TIME), ("integer", 1), later)


def _while(condition: Tree, begin: Tree) -> Tree:
    """Return 1 where the condition holds, from a time on."""
    on = ("where", condition, ("integer", 1), ("integer", 0))
    return ("where", ("le", begin, _TIME), on, ("integer", 0))


def _train(period: Tree, width: Tree, start: Tree = ("integer", 0)) -> Tree:
    since = _mod(("add", _TIME, minus(start)), period)
    return _while(("lt", since, width), start)


#: Functions of time, whose arguments do not depend on it.
_OF_TIME: dict[str, Call] = {
    "step": Call(1, 1, lambda at: ("where", ("le", at, _TIME), ("integer", 1), ("integer", 0))),
    "pulse": Call(2, 2, lambda a, width: _while(("gt", ("add", a, width), _TIME), a)),
    "ramp": Call(2, 2, _ramp),
    "pulse_train": Call(2, 3, _train),
}

#: The functions of the language of equations.
FUNCTIONS: Mapping[str, Call] = (
    {name: _named(name) for name in _ONE}
    | _OF_TIME
    | {name: _named(name, 1, 2) for name in _REMOVABLE}
    | {
        "atan2": _named("atan2", 2), "min": _named("min", 1, 64), "max": _named("max", 1, 64),
        "delayed": _named("delayed", 2), "mod": Call(2, 2, _mod), "where": Call(3, 3, lambda c, a, b: ("where", c, a, b)),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between the languages that models are written in.

    Parameters
    ----------
    functions
        What may be called.
    words
        Words that stand for others, such as ``&`` for ``and``.
    truth_is_number
        Whether a comparison may stand for 1 or 0, and a number for a condition.
    ignores_case
        Whether names are looked up in lower case.
    """

    functions: Mapping[str, Call]
    words: Mapping[str, str]
    truth_is_number: bool = False
    ignores_case: bool = False


#: The language of equations of dynlab itself.
PLAIN = Dialect(FUNCTIONS, {"^": "**"})

_WORD = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[^\W\d]\w*)"
    r"|(?P<mark>\*\*|//|<=|>=|==|!=|<<|>>|:=|->|\S))"
)
_MARKS = frozenset("+-*/^()<>,") | {"**", "<=", ">=", "==", "!="}
_JOINING = frozenset({"and", "or", "not"})
_REFUSED_MARKS = {
    ".": ("attribute access is not allowed", "Write a number before and after the point."),
    "]": ("a subscript or list is not allowed", "Write each quantity with its own name."),
    "{": ("a dict or set is not allowed", "Group with round brackets."),
    "}": ("a dict or set is not allowed", "Group with round brackets."),
    "'": ("a text in quotes is not allowed", "Write names without quotes."),
    '"': ("a text in quotes is not allowed", "Write names without quotes."),
    ":=": ("an assignment (walrus) is not allowed", "Name the part as an observable."),
    "=": ("a single = (keyword argument) is not allowed", "Compare with ==, <, <=, > or >=."),
    ":": ("a colon (slice) is not allowed", "Write an expression."),
    "%": ("the sign % is not allowed", "Write mod(a, b)."),
    "//": ("the sign // is not allowed", "Write floor(a/b)."),
    "&": ("the sign & is not allowed", "Write and."),
    "|": ("the sign | is not allowed", "Write or."),
    "~": ("the sign ~ is not allowed", "Write not."),
    "!": ("the sign ! is not allowed", "Write not."),
    "#": ("a comment is not allowed inside an expression", "Leave it out."),
}
_REFUSED_WORDS = {
    "lambda": ("a lambda is not allowed", "Write the expression itself."),
    "for": ("a comprehension is not allowed", "Write the terms out."),
    "if": ("if is not allowed", "Write where(condition, a, b)."),
    "else": ("else is not allowed", "Write where(condition, a, b)."),
    "await": ("await is not allowed", "Write the expression itself."),
    "yield": ("yield is not allowed", "Write the expression itself."),
    "in": ("in is not allowed", "Compare with <, <=, > or >=."),
    "is": ("is is not allowed", "Compare with == or <, <=, > or >=."),
    "True": ("True is not a condition of this language", "Write a comparison such as v > 0."),
    "False": ("False is not a condition of this language", "Write a comparison such as v > 0."),
    "None": ("None is not a number", "Write a number."),
}


def read_tree(
    text: str, names: Mapping[str, Tree], *, where: str, dialect: Dialect = PLAIN
) -> Tree:
    """Read one expression into a tree.

    Parameters
    ----------
    text
        The expression.
    names
        The tree that each declared name stands for.
    where
        What the expression is, for messages: ``"the equation of 'x' of 'lorenz'"``.
    dialect
        Functions and words; by default those of dynlab.

    Raises
    ------
    TextError
        If the text is no expression of the language; the message gives the column.
    UnknownNameError
        If a name or function is not known; the message lists the nearest.
    """
    text = str(text)
    if not text.isascii() and len(text) <= LONGEST:
        text = unicodedata.normalize("NFC", text)  # a letter and its accent are one character
    reading = _Reading(text, names, where, dialect)
    words = reading.scan()
    return reading.number(reading.parse(words))


def built(tree: Tree, *, where: str) -> sympy.Expr:
    """Return the sympy expression of a tree, its removable singularities rewritten.

    Raises
    ------
    TextError
        If the expression is not finite, real and small enough for double precision.
    """
    try:
        return _checked(tree, where)
    except TextError:
        raise
    except DynlabError as error:
        raise TextError(f"In {where}: {error}") from None
    except RecursionError:
        raise TextError(
            f"{where} is nested too deep. Name a part of it as an observable."
        ) from None
    except Exception as error:
        # What sympy raises on numbers it cannot judge is not documented.
        raise TextError(
            f"{where} cannot be evaluated ({type(error).__name__}: {error!s:.60}). "
            "Simplify its constants."
        ) from error


def _checked(tree: Tree, where: str) -> sympy.Expr:
    expression = from_tree(tree)
    if not isinstance(expression, sympy.Expr):
        raise TextError(f"{where} is a condition, not a number. Write where(condition, 1, 0).")
    checked = to_tree(expression)
    kinds = _kinds(tree)
    if "where" in kinds and expression.has(sympy.ITE):
        expression = from_tree(checked)
    # Polynomials have nothing to remove, and asking sympy costs as much as building them.
    return (
        expression if kinds.isdisjoint(("call", "constant")) else remove_singularities(expression)
    )


def _kinds(tree: Tree) -> set[str]:
    """Return the kinds of all nodes of a tree."""
    found, pending = set(), [tree]
    while pending:
        node = pending.pop()
        found.add(node[0])
        pending += [item for item in node if type(item) is tuple]
    return found


@dataclass(frozen=True, slots=True)
class _Word:
    kind: str
    text: str
    start: int


@dataclass(frozen=True, slots=True)
class _Reading:
    """One text on its way to a tree."""

    text: str
    names: Mapping[str, Tree]
    where: str
    dialect: Dialect
    starts: list[tuple[int, int]] = field(default_factory=list)

    # Gate 1: characters, words, limits

    def scan(self) -> list[_Word]:
        """Return the words of the text; refuse what no expression holds."""
        if len(self.text) > LONGEST:
            raise TextError(
                f"{self.where} is too long: {len(self.text)} characters, and the limit is {LONGEST}. "
                "Name parts of it as observables."
            )
        words = list(self._words())
        if not words:
            raise TextError(f"{self.where} is empty. Write an expression.")
        for before, word in pairwise(words):
            self._check_pair(before, word)
        return words

    def _words(self) -> Iterator[_Word]:
        depth, count, position, before = 0, 0, 0, None
        text = self.text.rstrip()
        while position < len(text):
            found = _WORD.match(text, position)
            kind = found.lastgroup if found else None
            if found is None or kind is None:
                raise self.refusal(
                    "a character that no expression holds", position, "Type it again."
                )
            word = _Word(kind, found[kind], found.start(kind))
            position = found.end()
            count += 1
            if count > MOST_WORDS:
                raise TextError(
                    f"{self.where} is too long: the limit (nodes) is {MOST_WORDS} words. "
                    "Name parts of it as observables."
                )
            if kind == "number":
                word = self._checked_number(word)
            elif kind == "name":
                self._check_name(word)
            elif word.text == "(":
                depth += 1
                self._check_call(before, word)
                if depth > DEEPEST:
                    raise self.refusal(
                        f"nested too deep: more than {DEEPEST} brackets", word.start,
                        "Name a part of it as an observable.",
                    )  # fmt: skip
            elif word.text == ")":
                depth -= 1
                if depth < 0:
                    raise self.refusal(
                        "a closing bracket without an opening one", word.start, "Remove it."
                    )
            else:
                self._check_mark(before, word)
            yield word
            before = word
        if depth:
            raise self.refusal("a bracket is not closed", len(text), "Add a closing bracket.")

    def _checked_number(self, word: _Word) -> _Word:
        text = word.text
        if len(text) > LONGEST_NUMBER:
            raise self.refusal(
                f"a number of {len(text)} digits is too long", word.start, "Write it as 1.5e10."
            )
        value = float(text)
        if value == float("inf"):
            raise self.refusal(
                f"the number {text:.20} is not representable in double precision", word.start,
                "The largest is 1.8e308.",
            )  # fmt: skip
        if value == 0 and re.search(r"[1-9]", re.split("[eE]", text)[0]):
            warnings.warn(
                f"the number {text:.20} in {self.where} is below double precision and becomes 0.",
                AccuracyWarning, stacklevel=2,
            )  # fmt: skip
        return _Word("number", text.lstrip("0") or "0", word.start) if text.isdigit() else word

    def _check_name(self, word: _Word) -> None:
        plain = word.text
        if plain in self.dialect.words or plain in _JOINING:
            return
        if plain in _REFUSED_WORDS:
            raise self.refusal(_REFUSED_WORDS[plain][0], word.start, _REFUSED_WORDS[plain][1])
        if not plain.isascii() and any(unicodedata.category(c) == "Cf" for c in plain):
            raise self.refusal(
                "an invisible character in a name", word.start, "Type the name again."
            )

    def _check_call(self, before: _Word | None, word: _Word) -> None:
        if before is None or before.kind != "name" or before.text in _JOINING:
            return
        name = self._folded(before.text)
        if name in self.dialect.functions or name in self.dialect.words:
            return
        if name in self.names:
            raise self.refusal(
                f"{before.text!r} is a quantity and no function", before.start,
                f"Write {before.text}*(...).",
            )  # fmt: skip
        known = sorted(self.dialect.functions)
        near = get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
        raise self.refusal(
            f"call of the unknown function {before.text!r}", before.start,
            f"{hint}Known: {', '.join(known)}.",
        )  # fmt: skip

    def _check_mark(self, before: _Word | None, word: _Word) -> None:
        mark = word.text
        if mark in _MARKS or mark in self.dialect.words:
            return
        if mark == "[":
            raise self._square_bracket(before, word)
        if mark in "'\"" and before is not None and before.text.lower() in ("f", "rf", "fr"):
            raise self.refusal(
                "an f-string is not allowed", before.start, "Write the expression itself."
            )
        if mark in _REFUSED_MARKS:
            raise self.refusal(_REFUSED_MARKS[mark][0], word.start, _REFUSED_MARKS[mark][1])
        shown = mark if mark.isprintable() else f"U+{ord(mark[0]):04X}"
        raise self.refusal(f"the character {shown!r} is not allowed", word.start, "Remove it.")

    def _square_bracket(self, before: _Word | None, word: _Word) -> TextError:
        if before is not None and (before.kind == "name" or before.text in (")", "]")):
            what = "a subscript is not allowed"
        elif re.search(r"\bfor\b", self.text):
            what = "a comprehension is not allowed"
        else:
            what = "a list is not allowed"
        return self.refusal(what, word.start, "Write each quantity with its own name.")

    def _check_pair(self, before: _Word, word: _Word) -> None:
        """Refuse two quantities side by side, which is no product here."""
        ends = before.text == ")" or (before.kind != "mark" and not self._joins(before))
        begins = word.kind != "mark" and not self._joins(word)
        if ends and before.kind != "name" and word.text == "(":
            begins = True
        if ends and begins:
            left = before.text if before.kind != "mark" else "(...)"
            right = word.text if word.kind != "mark" else "(...)"
            raise self.refusal(
                f"there is no sign between {left!r} and {right!r}", word.start,
                f"Write {left}*{right}.",
            )  # fmt: skip

    def _joins(self, word: _Word) -> bool:
        return word.text in _JOINING or self._folded(word.text) in self.dialect.words

    def _folded(self, name: str) -> str:
        name = name if name.isascii() else unicodedata.normalize("NFKC", name)
        return name.lower() if self.dialect.ignores_case else name

    # Gate 2: grammar and nodes

    def parse(self, words: list[_Word]) -> ast.expr:
        """Return Python's syntax tree of the words; only its grammar is used."""
        written: list[str] = []
        length = 0
        for word in words:
            plain = self._folded(word.text)
            plain = self.dialect.words.get(plain, word.text)
            self.starts.append((length, word.start))
            written.append(plain)
            length += len(plain.encode()) + 1
        try:
            return ast.parse(" ".join(written), mode="eval").body
        except (MemoryError, RecursionError):
            raise TextError(
                f"{self.where} is nested too deep. Name a part of it as an observable."
            ) from None
        except (SyntaxError, ValueError) as error:
            column = self._column((getattr(error, "offset", None) or 1) - 1)
            raise self.refusal(
                "this is not an expression", column, "Look for a missing operand or sign."
            ) from None

    def _column(self, offset: int) -> int:
        """Return the place in the text of a place in what was parsed."""
        at = max(bisect.bisect_right(self.starts, (offset, LONGEST)) - 1, 0)
        return self.starts[at][1] if self.starts else 0

    def refusal(self, what: str, column: int, hint: str) -> TextError:
        """Return the error that names the construct, the expression, the column and a way out."""
        excerpt = self.text[max(column - 12, 0) : column + 20]
        shown = "".join(c if c.isprintable() else " " for c in excerpt)
        return TextError(f"{what}: {self.where}, column {column + 1}, near {shown!r}. {hint}")

    def refusal_at(self, what: str, node: ast.expr, hint: str) -> TextError:
        """Return the error at a node of the syntax tree."""
        return self.refusal(what, self._column(node.col_offset), hint)

    # Gate 3: names and meaning

    def number(self, node: ast.expr, depth: int = 0) -> Tree:
        """Return the tree of a number."""
        tree = self.tree(node, depth)
        if tree[0] not in _CONDITIONS:
            return tree
        if self.dialect.truth_is_number:
            return ("where", tree, ("integer", 1), ("integer", 0))
        raise self.refusal_at(
            "a condition stands where a number is needed", node, "Write where(condition, 1, 0)."
        )

    def condition(self, node: ast.expr, depth: int) -> Tree:
        """Return the tree of a condition."""
        tree = self.tree(node, depth)
        if tree[0] in _CONDITIONS:
            return tree
        if self.dialect.truth_is_number:
            return ("ne", tree, ("integer", 0))
        raise self.refusal_at(
            "a number stands where a condition is needed", node,
            "Write a comparison such as v > 0.",
        )  # fmt: skip

    def tree(self, node: ast.expr, depth: int) -> Tree:
        """Return the tree of a node of any kind."""
        if depth > 2 * DEEPEST:
            raise self.refusal_at(
                f"nested too deep: more than {2 * DEEPEST} levels", node,
                "Name a part of it as an observable.",
            )  # fmt: skip
        kind = type(node)
        if kind is ast.Name:
            return self._name(node)  # type: ignore[arg-type]
        if kind is ast.Constant:
            return _constant(node.value)  # type: ignore[attr-defined]
        if kind is ast.BinOp:
            return self._operation(node, depth + 1)  # type: ignore[arg-type]
        if kind is ast.Call:
            return self._call(node, depth + 1)  # type: ignore[arg-type]
        if kind is ast.UnaryOp:
            return self._sign(node, depth + 1)  # type: ignore[arg-type]
        if kind is ast.Compare:
            return self._comparison(node, depth + 1)  # type: ignore[arg-type]
        if kind is ast.BoolOp:
            word = "and" if isinstance(node.op, ast.And) else "or"  # type: ignore[attr-defined]
            parts = node.values  # type: ignore[attr-defined]
            return (word, *(self.condition(part, depth + 1) for part in parts))
        what = {ast.Tuple: "a comma outside a function", ast.Starred: "a star-argument"}
        raise self.refusal_at(
            f"{what.get(kind, kind.__name__)} is not allowed", node, "Write an expression."
        )

    def _name(self, node: ast.Name) -> Tree:
        name = node.id.lower() if self.dialect.ignores_case else node.id
        found = self.names.get(name)
        if found is not None:
            return found
        column = self._column(node.col_offset) + 1
        what = f"state or parameter (in {self.where}, column {column})"
        if name in self.dialect.functions:
            raise self.refusal_at(
                f"the function {name!r} has no argument", node, f"Write {name}(...)."
            )
        raise UnknownNameError(what, node.id, self.names)

    def _operation(self, node: ast.BinOp, depth: int) -> Tree:
        if isinstance(node.op, ast.Add | ast.Sub):
            return ("add", *self._chain(node, (ast.Add, ast.Sub), minus, depth))
        if isinstance(node.op, ast.Mult | ast.Div):
            factors = self._chain(node, (ast.Mult, ast.Div), _inverse, depth)
            return _product(factors)
        if isinstance(node.op, ast.Pow):
            return ("pow", self.number(node.left, depth), self.number(node.right, depth))
        raise self.refusal_at("this sign is not allowed", node, "Use + - * / ** and functions.")

    def _chain(
        self, node: ast.BinOp, kinds: tuple[type, ...], inverted: Function, depth: int
    ) -> list[Tree]:
        """Return the operands of a - b + c, however long, without recursion."""
        found: list[Tree] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp) and isinstance(left.op, kinds):
            right = self.number(left.right, depth)
            found.append(inverted(right) if isinstance(left.op, kinds[1]) else right)
            left = left.left
        found.append(self.number(left, depth))
        return found[::-1]

    def _sign(self, node: ast.UnaryOp, depth: int) -> Tree:
        if isinstance(node.op, ast.Not):
            return ("not", self.condition(node.operand, depth))
        if isinstance(node.op, ast.USub):
            return minus(self.number(node.operand, depth))
        if isinstance(node.op, ast.UAdd):
            return self.number(node.operand, depth)
        raise self.refusal_at("this sign is not allowed", node, "Use + - * / ** and functions.")

    def _comparison(self, node: ast.Compare, depth: int) -> Tree:
        sides = [self.number(side, depth) for side in (node.left, *node.comparators)]
        signs = [_RELATIONS.get(type(sign)) for sign in node.ops]
        if None in signs:
            raise self.refusal_at("this comparison is not allowed", node, "Use < <= > >= == !=.")
        parts = [(sign, a, b) for sign, a, b in zip(signs, sides, sides[1:], strict=False)]
        return parts[0] if len(parts) == 1 else ("and", *parts)

    def _call(self, node: ast.Call, depth: int) -> Tree:
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise self.refusal_at(
                "this call is not allowed", node, "Call a function of the language by its name."
            )
        name = self._folded(node.func.id)
        function = self.dialect.functions[name]  # the scan has looked it up
        if not function.least <= len(node.args) <= function.most:
            count = str(function.least)
            count += f" to {function.most}" if function.most > function.least else ""
            raise self.refusal_at(
                f"{name} takes {count} argument(s), not {len(node.args)}", node,
                "Check the brackets and commas.",
            )  # fmt: skip
        starred = [a for a in node.args if isinstance(a, ast.Starred)]
        if starred:
            raise self.refusal_at(
                "a star-argument is not allowed", starred[0], "Write the arguments."
            )
        if name == "where":
            first = self.condition(node.args[0], depth)
            return function.made(first, *(self.number(a, depth) for a in node.args[1:]))
        arguments = [self.number(a, depth) for a in node.args]
        if name in _OF_TIME and any("time" in _kinds(a) for a in arguments):
            raise self.refusal_at(
                f"an argument of {name} depends on the time", node, "Give numbers or parameters."
            )
        if name in _REMOVABLE and len(arguments) == 2 and arguments[1][0] != "integer":
            raise self.refusal_at(
                f"the order of {name} is a whole number", node, f"Write {name}(x) or {name}(x, 1)."
            )
        return function.made(*arguments)


_CONDITIONS = frozenset({"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not"})
_RELATIONS: Mapping[type, str] = {
    ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne",
}  # fmt: skip
#: Products up to this length are multiplied pair by pair, as Python does.
_LONGEST_BY_PAIRS = 16


def _constant(value: Any) -> Tree:
    return ("real", value) if isinstance(value, float) else ("integer", value)


def _inverse(tree: Tree) -> Tree:
    return ("pow", tree, ("integer", -1))


def _product(factors: list[Tree]) -> Tree:
    """Return the tree of a product.

    sympy spreads a number over a sum when it multiplies two factors and not when it multiplies
    more, so pairs give the expression that the same text gives in Python.
    """
    if len(factors) > _LONGEST_BY_PAIRS:
        return ("mul", *factors)
    tree = factors[0]
    for factor in factors[1:]:
        tree = ("mul", tree, factor)
    return tree
