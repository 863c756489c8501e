"""What may stand in an equation: the time, the functions, the domains of states.

Every name here is public as ``dl.<name>``.  Angles are in radians; ``mod(a, b)`` has the sign of
``b``; ``heaviside(0)`` is 1/2; ``sigmoid(x)`` is ``1 / (1 + exp(-x))``; ``exprel(x)`` is
``(exp(x) - 1) / x`` and ``sinc(x)`` is ``sin(x) / x``, both 1 at 0.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Abs as abs
from sympy import Max as max
from sympy import Min as min
from sympy import (
    acos,
    asin,
    atan,
    atan2,
    cos,
    cosh,
    erf,
    exp,
    floor,
    log,
    sign,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)
from sympy.codegen.cfunctions import expm1, log1p

from dynlab.errors import DefinitionError
from dynlab.symbolic.functions import delayed, sigmoid
from dynlab.symbolic.indexed import Index, NodeMean, NodeSum, each, nodes, reduction
from dynlab.symbolic.quantities import Domain
from dynlab.symbolic.singular import exprel, sinc
from dynlab.symbolic.tree import TIME

__all__ = [
    "Angle",
    "Mean",
    "Positive",
    "Sum",
    "abs",
    "acos",
    "asin",
    "atan",
    "atan2",
    "cos",
    "cosh",
    "delayed",
    "each",
    "erf",
    "exp",
    "expm1",
    "exprel",
    "floor",
    "heaviside",
    "log",
    "log1p",
    "max",
    "min",
    "mod",
    "nodes",
    "pulse",
    "pulse_train",
    "ramp",
    "sigmoid",
    "sign",
    "sin",
    "sinc",
    "sinh",
    "sqrt",
    "step",
    "t",
    "tan",
    "tanh",
    "where",
]

#: Time, where an equation depends on it explicitly.
t = TIME

#: A state on the circle, ``theta: dl.Angle``: stored unwrapped, drawn wrapped.
Angle = Domain.CIRCLE

#: A state that is positive, ``x: dl.Positive``.
Positive = Domain.POSITIVE


def heaviside(x: Any) -> sympy.Expr:
    """Return the unit step: 0 below zero, 1 above, 1/2 at zero."""
    return sympy.Heaviside(x, sympy.Rational(1, 2))


def mod(a: Any, b: Any) -> sympy.Expr:
    """Return a modulo b, with the sign of b."""
    return a - b * floor(a / sympy.sympify(b))


def where(condition: Any, a: Any, b: Any) -> sympy.Expr:
    """Return a where the condition holds and b elsewhere; the only ``if`` of an equation."""
    if isinstance(condition, bool):
        raise DefinitionError(
            f"the condition of dl.where is always {condition}: == and != compare the expressions "
            "themselves, when the equation is written. Compare with <, <=, > or >=."
        )
    return sympy.Piecewise((a, condition), (b, True))


def Sum(expression: Any, index: Index) -> sympy.Expr:
    """Add an expression up over an index.

    Over the links into i if the expression holds a per-link quantity at ``[i, j]``, else over all nodes
    of the index's set, i included.
    """
    return reduction(NodeSum, sympy.sympify(expression), _letter(index, "Sum"))


def Mean(expression: Any, index: Index) -> sympy.Expr:
    """Average an expression over an index: its `Sum` by the number of terms; 0 if there are none."""
    return reduction(NodeMean, sympy.sympify(expression), _letter(index, "Mean"))


def _letter(index: Any, word: str) -> str:
    if not isinstance(index, Index):
        raise DefinitionError(
            f"dl.{word}(..., {index!r}) runs over an index, and that is none. "
            f'Write i, j = dl.nodes("i j") and dl.{word}(..., j).'
        )
    return index.name


def step(at: Any) -> sympy.Expr:
    """Return the function of time that is 0 before a time and 1 from then on."""
    return where(_quantity(at) <= TIME, 1, 0)


def pulse(start: Any, width: Any) -> sympy.Expr:
    """Return the function of time that is 1 from a start on for some time, and else 0."""
    begin = _quantity(start)
    return where(begin <= TIME, where(begin + _quantity(width) > TIME, 1, 0), 0)


def ramp(begin: Any, end: Any) -> sympy.Expr:
    """Return the function of time that rises evenly from 0 at one time to 1 at another."""
    first, last = _quantity(begin), _quantity(end)
    rising = (TIME - first) / (last - first)
    return where(last <= TIME, 1, where(first <= TIME, rising, 0))


def pulse_train(period: Any, width: Any, start: Any = 0) -> sympy.Expr:
    """Return pulses of some width that begin at a start and again after every period."""
    begin = _quantity(start)
    since = mod(TIME - begin, _quantity(period))
    return where(begin <= TIME, where(since < _quantity(width), 1, 0), 0)


def _quantity(value: Any) -> sympy.Expr:
    """Return a time given as a number or an expression of parameters; it must not run itself."""
    found = sympy.sympify(value)
    if not isinstance(found, sympy.Expr) or found.has(TIME):
        raise DefinitionError(
            f"{value!r} is no time for a pulse, step or ramp. Give a number or an expression of parameters."
        )
    return found
