"""Expressions as plain data: the white list of what an equation may say.

The same nested tuples are stored in files, hashed for identity, printed as code and evaluated on
intervals.  `to_tree` is the border: whatever it does not know is refused, so no foreign object, name
or function ever reaches a code generator or a file.

::

    ("integer", 3)  ("rational", 1, 3)  ("real", 0.08)  ("constant", "pi")
    ("name", "v")   ("time",)
    ("add", a, b, ...)  ("mul", a, b, ...)  ("pow", base, exponent)
    ("call", "exp", a, ...)
    ("where", condition, a, b)
    ("element", "A", "i", "j")  ("sum" | "mean", a, "j", set, ...)    on networks
    ("lt" | "le" | "gt" | "ge" | "eq" | "ne", a, b)  ("and", ...)  ("or", ...)  ("not", c)
    ("true",)  ("false",)
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import sympy
from sympy.codegen import cfunctions
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean, BooleanFalse, BooleanTrue

from dynlab.errors import DefinitionError
from dynlab.symbolic import singular
from dynlab.symbolic.functions import delayed, recorded, sigmoid
from dynlab.symbolic.indexed import Element, NodeMean, NodeSum, Reduction, element, reduction

__all__ = ["TIME", "Tree", "from_tree", "symbol", "to_tree"]

Tree = tuple[Any, ...]

#: The time in an equation, ``dl.t``.
TIME = sympy.Symbol("t", real=True)


@cache
def symbol(name: str) -> sympy.Symbol:
    """Return the symbol of a state or parameter: real, and nothing else assumed."""
    return sympy.Symbol(name, real=True)


#: A double has 1024 binary places before the point.
_MOST_BITS = 1024
#: sympy looks for factors of the number under a root.
_MOST_BITS_OF_A_ROOT = 256
#: Higher derivatives of the primitives are never asked for.
_HIGHEST_ORDER = 64

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sin": sympy.sin, "cos": sympy.cos, "tan": sympy.tan,
    "asin": sympy.asin, "acos": sympy.acos, "atan": sympy.atan, "atan2": sympy.atan2,
    "sinh": sympy.sinh, "cosh": sympy.cosh, "tanh": sympy.tanh,
    "exp": sympy.exp, "log": sympy.log,
    "log1p": cfunctions.log1p, "expm1": cfunctions.expm1,
    "abs": sympy.Abs, "sign": sympy.sign, "floor": sympy.floor,
    "min": sympy.Min, "max": sympy.Max, "erf": sympy.erf, "sigmoid": sigmoid,
    "recorded": recorded, "delayed": delayed,
    "exprel": singular.exprel, "bernoulli": singular.bernoulli, "sinc": singular.sinc,
    "logrel": singular.logrel, "tanhc": singular.tanhc,
}  # fmt: skip
_MOST = sys.float_info.max
#: Where constants may lie.  exp of more than 710 is beyond doubles; beyond 2^53 every double is
#: whole, and sympy would find all digits.
_CONSTANT_DOMAINS: dict[str, tuple[float, float]] = {
    "bernoulli": (-1e6, 1e6), "sigmoid": (-1e6, 1e6), "tanhc": (-1e6, 1e6),
    "exp": (-710.0, 710.0), "expm1": (-710.0, 710.0), "exprel": (-710.0, 710.0),
    "sinh": (-710.0, 710.0), "cosh": (-710.0, 710.0), "floor": (-(2.0**53), 2.0**53),
    "log": (0.0, _MOST), "log1p": (-1.0, _MOST), "logrel": (-1.0, _MOST), "sqrt": (0.0, _MOST),
    "asin": (-1.0, 1.0), "acos": (-1.0, 1.0),
}  # fmt: skip
_PRIMITIVES = frozenset({"exprel", "bernoulli", "sinc", "logrel", "tanhc"})
_NAMES = {function: name for name, function in _FUNCTIONS.items()}
_RELATIONS: dict[str, type[Relational]] = {
    "lt": sympy.StrictLessThan, "le": sympy.LessThan,
    "gt": sympy.StrictGreaterThan, "ge": sympy.GreaterThan,
    "eq": sympy.Equality, "ne": sympy.Unequality,
}  # fmt: skip
_RELATION_NAMES = {relation: name for name, relation in _RELATIONS.items()}


def to_tree(expression: Any) -> Tree:
    """Turn a sympy expression into plain data.

    Raises
    ------
    DefinitionError
        If the expression holds anything that is not in the language of equations.
    """
    e = expression
    if isinstance(e, Element):
        return ("element", e.base, *e.indices)
    if isinstance(e, Reduction):
        kind = "mean" if isinstance(e, NodeMean) else "sum"
        return (kind, to_tree(e.summand), *map(str, e.args[1:]))
    if isinstance(e, sympy.Symbol):
        return ("time",) if e == TIME else ("name", e.name)
    if isinstance(e, sympy.Rational | sympy.Float):
        return _constant(e)
    if e in (sympy.pi, sympy.E):
        return ("constant", "pi" if e is sympy.pi else "e")
    if isinstance(e, sympy.Add | sympy.Mul):
        kind = "add" if isinstance(e, sympy.Add) else "mul"
        return (kind, *map(to_tree, e.args))
    if isinstance(e, sympy.Pow):
        return _power(e)
    if isinstance(e, sympy.Piecewise):
        return _piecewise(e)
    if isinstance(e, sympy.Heaviside):
        return ("call", "heaviside", to_tree(e.args[0]))
    if type(e) in _NAMES:
        return ("call", _NAMES[type(e)], *map(to_tree, e.args))
    if isinstance(e, Boolean | bool):
        return _condition(sympy.sympify(e))
    raise DefinitionError(_refusal(e))


def _constant(e: sympy.Number) -> Tree:
    if isinstance(e, sympy.Float):
        value = float(e)
        if math.isinf(value) or math.isnan(value):
            raise DefinitionError(f"the constant {e!s:.20} is too large for double precision.")
        return ("real", value)
    if max(int(e.p).bit_length(), int(e.q).bit_length()) > _MOST_BITS:
        raise DefinitionError(f"the constant {e!s:.20}... is too large for double precision.")
    return ("integer", int(e)) if e.q == 1 else ("rational", int(e.p), int(e.q))


def _power(e: sympy.Pow) -> Tree:
    if e.base is sympy.E:
        return ("call", "exp", to_tree(e.exp))
    if e.exp == sympy.Rational(1, 2):
        return ("call", "sqrt", to_tree(e.base))
    return ("pow", to_tree(e.base), to_tree(e.exp))


def _piecewise(e: sympy.Piecewise) -> Tree:
    pairs = list(e.args)
    if pairs[-1].cond is not sympy.true:
        raise DefinitionError(
            f"{e} has no value where none of its conditions holds. Write dl.where(condition, a, b)."
        )
    tree = to_tree(pairs[-1].expr)
    for pair in reversed(pairs[:-1]):
        tree = ("where", _condition(pair.cond), to_tree(pair.expr), tree)
    return tree


def _condition(c: Any) -> Tree:
    if isinstance(c, BooleanTrue | BooleanFalse):
        return ("true",) if c == sympy.true else ("false",)
    if type(c) in _RELATION_NAMES:
        return (_RELATION_NAMES[type(c)], to_tree(c.args[0]), to_tree(c.args[1]))
    if isinstance(c, sympy.ITE):
        test, yes, no = map(_condition, c.args)
        return ("or", ("and", test, yes), ("and", ("not", test), no))
    for kind, operator in (("and", sympy.And), ("or", sympy.Or), ("not", sympy.Not)):
        if isinstance(c, operator):
            return (kind, *map(_condition, c.args))
    raise DefinitionError(f"{c} is not a condition; write a comparison such as v > 0.")


def _refusal(e: Any) -> str:
    if isinstance(e, AppliedUndef):
        return (
            f"the function {str(e.func)!r} is not in the language of equations. "
            "Use those of dl (dl.exp, dl.tanh, dl.where, ...)."
        )
    if e in (sympy.nan, sympy.oo, -sympy.oo, sympy.zoo):
        return f"a constant of the equation is {e}; constants must be finite."
    if e is sympy.I or getattr(e, "is_real", None) is False:
        return f"{e} is not a real number; equations are real. Write real and imaginary parts."
    return (
        f"{e!s:.60} (sympy {type(e).__name__}) is not in the language of equations. "
        "Use arithmetic and the functions of dl (dl.exp, dl.tanh, dl.where, ...)."
    )


def from_tree(tree: Any) -> sympy.Expr:
    """Rebuild the sympy expression, node by node; the inverse of `to_tree`.

    Raises
    ------
    DefinitionError
        If the data hold a node that is not on the white list.
    """
    kind, *rest = tree
    if kind == "name":
        return symbol(rest[0])
    if kind == "time":
        return TIME
    if kind == "element" and 2 <= len(tree) <= 4:
        return element(*(_letters(word) for word in rest))
    if kind in ("sum", "mean"):
        return reduction(
            NodeMean if kind == "mean" else NodeSum, _number(rest[0]), *map(_letters, rest[1:])
        )
    if kind == "integer":
        return sympy.Integer(_bounded(int(rest[0])))
    if kind == "rational":
        return sympy.Rational(_bounded(int(rest[0])), _bounded(int(rest[1])))
    if kind == "real":
        return sympy.Float(_finite(float(rest[0])))
    if kind == "constant" and rest[0] in ("pi", "e"):
        return sympy.pi if rest[0] == "pi" else sympy.E
    if kind == "add":
        return sympy.Add(*map(_number, rest))
    if kind == "mul":
        return _checked(sympy.Mul(*map(_number, rest)))
    if kind == "pow":
        return _raised(_number(rest[0]), _number(rest[1]))
    if kind == "call":
        return _called(rest[0], [_number(a) for a in rest[1:]])
    if kind == "where":
        return sympy.Piecewise((_number(rest[1]), _truth(rest[0])), (_number(rest[2]), sympy.true))
    if kind in _RELATIONS:
        return _RELATIONS[kind](_number(rest[0]), _number(rest[1]))
    if kind in ("and", "or", "not"):
        return {"and": sympy.And, "or": sympy.Or, "not": sympy.Not}[kind](*map(_truth, rest))
    if kind in ("true", "false"):
        return sympy.true if kind == "true" else sympy.false
    raise DefinitionError(f"unknown node {kind!r} in a stored expression.")


def _letters(word: Any) -> str:
    if not (isinstance(word, str) and word.isidentifier()):
        raise DefinitionError(f"a stored expression has {word!r} in place of a name.")
    return word


def _number(tree: Any) -> sympy.Expr:
    found = from_tree(tree)
    if not isinstance(found, sympy.Expr):
        raise DefinitionError(
            f"a stored expression has the condition {found} in place of a number."
        )
    return found


def _truth(tree: Any) -> Boolean:
    found = from_tree(tree)
    if not isinstance(found, Boolean):
        raise DefinitionError(f"a stored expression has {found} in place of a condition.")
    return found


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise DefinitionError(f"a stored constant is {number}; constants must be finite.")
    return number


def _bounded(number: int) -> int:
    if number.bit_length() > _MOST_BITS:
        raise DefinitionError("a constant is too large for double precision.")
    return number


def _checked(value: sympy.Expr) -> sympy.Expr:
    """Refuse a constant that grew beyond what a double holds."""
    if isinstance(value, sympy.Rational):
        _bounded(int(value.p))
        _bounded(int(value.q))
    return value


def _raised(base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
    """Return a power; refuse one of constants that sympy would write out to millions of digits."""
    if exponent.is_number:
        # sympy raises the numbers in a product as well: (2 x)^n becomes 2^n x^n.
        for factor in sympy.Mul.make_args(base):
            if factor.is_number:
                _check_power(factor, exponent)
    return sympy.Pow(base, exponent)


def _check_power(base: sympy.Expr, exponent: sympy.Expr) -> None:
    size, power = abs(_value(base)), abs(_value(exponent))
    bits = abs(math.log2(size)) if 0 < size < math.inf else _MOST_BITS if size else 0.0
    if isinstance(base, sympy.Rational):
        bits = max(int(base.p).bit_length(), int(base.q).bit_length())
        if isinstance(exponent, sympy.Rational) and exponent.q != 1 and bits > _MOST_BITS_OF_A_ROOT:
            raise DefinitionError(
                "a root of a constant is too long to be exact. Write it with a decimal point."
            )
    if bits * power > 2 * _MOST_BITS:
        raise DefinitionError("a constant power is too large for double precision.")


def _check_argument(name: str, value: float) -> None:
    """Refuse constants outside the domain, or for which sympy would take millions of digits."""
    low, high = _CONSTANT_DOMAINS.get(name, (-_MOST, _MOST))
    if not low <= value <= high:
        raise DefinitionError(
            f"the constant {name}({value:.6g}) is not real, or too large for double precision."
        )


def _value(number: sympy.Expr) -> float:
    """Return the value of a constant, infinite if it is beyond doubles."""
    value = number.evalf(15)
    try:
        found = float(value)
    except OverflowError:
        return math.inf
    except TypeError:
        found = math.nan
    if math.isnan(found):
        raise DefinitionError(f"the constant {number!s:.40} is not a real number.")
    return found


def _called(name: str, arguments: list[sympy.Expr]) -> sympy.Expr:
    for argument in arguments:
        if argument.is_number:
            _check_argument(name, _value(argument))
    if name == "sqrt":
        return sympy.sqrt(*arguments)
    if name == "heaviside":
        # Unless it knows the argument to be real, sympy expands it, however high its powers.
        known = arguments[0].is_extended_real is not None
        return sympy.Heaviside(arguments[0], sympy.Rational(1, 2), evaluate=known)
    if name not in _FUNCTIONS:
        raise DefinitionError(f"unknown function {name!r} in a stored expression.")
    if (
        name in _PRIMITIVES
        and len(arguments) == 2
        and not (
            isinstance(arguments[1], sympy.Integer) and 0 <= int(arguments[1]) <= _HIGHEST_ORDER
        )
    ):
        raise DefinitionError(f"the order {arguments[1]} of {name!r} is not a small whole number.")
    if name == "recorded" and not (
        len(arguments) == 3
        and isinstance(arguments[0], sympy.Symbol)
        and isinstance(arguments[2], sympy.Integer)
        and 0 <= int(arguments[2]) <= _HIGHEST_ORDER
    ):
        raise DefinitionError(
            "a stored signal is not a name, a time and the order of a derivative."
        )
    return _FUNCTIONS[name](*arguments)
