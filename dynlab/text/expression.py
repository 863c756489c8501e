"""Tree -> text: expressions as a person writes them, that read back as the same expression.

sympy spreads a number over a sum when the two are multiplied alone, so ``2*(a + b)*c`` and
``2*c*(a + b)`` are not the same to it.  Products are written so that no number and no minus sign
stands directly before a sum.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dynlab.symbolic.reader import minus
from dynlab.symbolic.tree import Tree

__all__ = ["PLAIN", "Style", "written"]


def _where(condition: str, a: str, b: str) -> str:
    return f"where({condition}, {a}, {b})"


@dataclass(frozen=True, slots=True)
class Style:
    """How a language spells what differs between languages."""

    power: str = "**"
    both: str = " and "
    either: str = " or "
    negation: Callable[[str], str] = lambda c: f"not ({c})"
    where: Callable[[str, str, str], str] = _where
    functions: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


#: The language of dynlab itself.
PLAIN = Style()

_SUM, _PRODUCT, _SIGNED, _ATOM = range(4)
_NUMBERS = ("integer", "rational", "real")
_SIGNS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}


def written(tree: Tree, style: Style = PLAIN) -> str:
    """Return the text of an expression."""
    return _text(tree, style)[0]


def _text(tree: Tree, style: Style) -> tuple[str, int]:
    """Return the text of a tree and how tightly it binds."""
    kind, *rest = tree
    if kind == "name":
        return style.names.get(rest[0], rest[0]), _ATOM
    if kind == "time":
        return "t", _ATOM
    if kind in ("integer", "real"):
        return repr(rest[0]), _ATOM if rest[0] >= 0 else _SIGNED
    if kind == "rational":
        return f"{rest[0]}/{rest[1]}", _PRODUCT
    if kind == "constant":
        return ("pi" if rest[0] == "pi" else "exp(1)"), _ATOM
    if kind == "add":
        return _sum(rest, style), _SUM
    if kind == "mul":
        return _product(rest, style)
    if kind == "pow":
        return _power(rest[0], rest[1], style)
    if kind == "call":
        return _call(rest[0], rest[1:], style), _ATOM
    if kind == "where":
        texts = (written(part, style) for part in rest[1:])
        return style.where(_condition(rest[0], style), *texts), _ATOM
    message = f"an expression tree has no node {kind!r}"
    raise ValueError(message)


def _bracketed(tree: Tree, least: int, style: Style) -> str:
    text, binding = _text(tree, style)
    return text if binding >= least else f"({text})"


def _sum(terms: list[Tree], style: Style) -> str:
    text = _bracketed(terms[0], _PRODUCT, style)
    for term in terms[1:]:
        positive = _without_sign(term)
        if positive is None:
            text += f" + {_bracketed(term, _PRODUCT, style)}"
        else:
            text += f" - {_bracketed(positive, _PRODUCT, style)}"
    return text


def _without_sign(tree: Tree) -> Tree | None:
    """Return minus the tree if it carries a leading minus sign, else None."""
    if tree[0] in _NUMBERS:
        return minus(tree) if tree[1] < 0 else None
    if tree[0] == "mul" and tree[1][0] in _NUMBERS and tree[1][1] < 0:
        number = minus(tree[1])
        rest = tree[2:] if number == ("integer", 1) else (number, *tree[2:])
        return rest[0] if len(rest) == 1 else ("mul", *rest)
    return None


def _product(factors: list[Tree], style: Style) -> tuple[str, int]:
    positive = _without_sign(("mul", *factors))
    if positive is not None:
        text, binding = _text(positive, style)
        safe = binding > _PRODUCT or (binding == _PRODUCT and not text.startswith("("))
        return (f"-{text}" if safe else f"-({text})"), _PRODUCT
    number, others = _split(factors)
    above = [f for f in others if not _is_inverse(f)]
    below = [_inverted(f) for f in others if _is_inverse(f)]
    if number is not None and number[0] == "rational":
        below.insert(0, ("integer", number[2]))
        number = ("integer", number[1]) if number[1] != 1 else None
    # A sum comes last: no number must meet it alone.
    above.sort(key=lambda f: f[0] == "add")
    texts = [_bracketed(f, _SIGNED if k == 0 else _ATOM, style) for k, f in enumerate(above)]
    if number is not None:
        if len(above) > 1 and above[0][0] == "add":
            texts = [f"({'*'.join(texts)})"]
        texts.insert(0, _bracketed(number, _SIGNED, style))
    top = "*".join(texts) or "1"
    if not below:
        return top, _PRODUCT
    bottom = "*".join(_bracketed(f, _ATOM, style) for f in below)
    return (f"{top}/({bottom})" if len(below) > 1 else f"{top}/{bottom}"), _PRODUCT


def _split(factors: list[Tree]) -> tuple[Tree | None, list[Tree]]:
    """Return the leading number of a product, if there is one, and the other factors."""
    if factors[0][0] in _NUMBERS:
        return factors[0], factors[1:]
    return None, factors


def _is_inverse(tree: Tree) -> bool:
    return tree[0] == "pow" and tree[2][0] == "integer" and tree[2][1] < 0


def _inverted(tree: Tree) -> Tree:
    base, (_, exponent) = tree[1], tree[2]
    return base if exponent == -1 else ("pow", base, ("integer", -exponent))


def _power(base: Tree, exponent: Tree, style: Style) -> tuple[str, int]:
    if _is_inverse(("pow", base, exponent)):
        below = _bracketed(_inverted(("pow", base, exponent)), _ATOM, style)
        return f"1/{below}", _PRODUCT
    above = _bracketed(exponent, _ATOM, style)
    if exponent[0] == "pow":
        above = f"({above})"
    under = _bracketed(base, _ATOM, style)
    under = f"({under})" if base[0] == "pow" and not under.startswith("(") else under
    return f"{under}{style.power}{above}", _ATOM


def _call(name: str, arguments: list[Tree], style: Style) -> str:
    if name in ("exprel", "sinc", "bernoulli", "logrel", "tanhc") and arguments[1:] == [
        ("integer", 0)
    ]:
        arguments = arguments[:1]
    name = style.functions.get(name, name)
    return f"{name}({', '.join(written(a, style) for a in arguments)})"


def _condition(tree: Tree, style: Style) -> str:
    kind, *rest = tree
    if kind in _SIGNS:
        return f"{written(rest[0], style)} {_SIGNS[kind]} {written(rest[1], style)}"
    if kind in ("and", "or"):
        joint = style.both if kind == "and" else style.either
        return joint.join(f"({_condition(part, style)})" for part in rest)
    if kind == "not":
        return style.negation(_condition(rest[0], style))
    return "0 < 1" if kind == "true" else "1 < 0"
