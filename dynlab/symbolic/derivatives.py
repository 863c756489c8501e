"""Exact derivatives of a rule: Jacobian and directional derivatives of any order.

The variables are the states, followed by the *active* parameters (those that an analysis varies),
so one Jacobian ``[df/dx | df/dp]`` serves equilibria (none active) and their continuation (one).
The directional derivatives are the multilinear forms ``B(u, v) = D^2 f [u, v]`` and
``C(u, v, s) = D^3 f [u, v, s]`` of Kuznetsov, Elements of Applied Bifurcation Theory, ch. 5.

Jumps (sign, heaviside, floor) count as constant on both sides: their derivative is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import sympy

from dynlab.symbolic.indexed import sums_of
from dynlab.symbolic.tree import TIME, symbol

__all__ = [
    "DIRECTION_LETTERS",
    "along",
    "along_flow",
    "derivative",
    "direction_symbols",
    "directional",
    "jacobian",
    "transposed",
]

Expressions = tuple[sympy.Expr, ...]
#: Direction vectors in order; components are ``_u0``, ``_u1``, ...  The derivative of fifth order takes
#: them all.
DIRECTION_LETTERS = "uvsrq"


def direction_symbols(order: int, size: int) -> tuple[tuple[sympy.Symbol, ...], ...]:
    """Return `order` direction vectors of symbols, named so that no user's name can clash."""
    return tuple(
        tuple(symbol(f"_{DIRECTION_LETTERS[k]}{j}") for j in range(size)) for k in range(order)
    )


@cache
def jacobian(rule: Expressions, variables: tuple[str, ...]) -> Expressions:
    """Return the derivatives of each expression by each variable, row by row."""
    return tuple(derivative(e, symbol(name)) for e in rule for name in variables)


@cache
def directional(rule: Expressions, variables: tuple[str, ...], order: int) -> Expressions:
    """Return the derivative of the given order along that many direction vectors."""
    if order == 0:
        return rule
    direction = direction_symbols(order, len(variables))[-1]
    return tuple(
        sympy.Add(*(
            derivative(e, symbol(name)) * u
            for name, u in zip(variables, direction, strict=True)
            if e.has(symbol(name))
        ))
        for e in directional(rule, variables, order - 1)
    )  # fmt: skip


@cache
def along_flow(expressions: Expressions, rule: Expressions, states: tuple[str, ...]) -> Expressions:
    """Return how fast each expression changes along the flow: ``grad g . f + dg/dt``."""
    return tuple(
        sympy.Add(
            derivative(e, TIME),
            *(
                derivative(e, symbol(name)) * rate
                for name, rate in zip(states, rule, strict=True)
                if e.has(symbol(name))
            ),
        )
        for e in expressions
    )


class _Sign(sympy.Function):
    """The sign of a real quantity: constant on both sides of its jump."""

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return sympy.S.Zero


class _Magnitude(sympy.Function):
    """The absolute value of a real quantity.

    sympy differentiates its own only for what it can prove real, and x**y of real x is not.
    """

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return _Sign(self.args[0])


@cache
def transposed(rule: Expressions, variables: tuple[str, ...]) -> Expressions:
    """Return the product of the transposed Jacobian with a direction over the equations."""
    (weights,) = direction_symbols(1, len(rule))
    return tuple(
        sympy.Add(*(
            derivative(e, symbol(name)) * u
            for e, u in zip(rule, weights, strict=True)
            if e.has(symbol(name))
        ))
        for name in variables
    )  # fmt: skip


def along(
    expression: sympy.Expr, direction: Callable[[sympy.Symbol], sympy.Expr | None]
) -> sympy.Expr:
    """Return the derivative of an expression with sums along a direction.

    `direction` gives the component that belongs to a symbol, None for what is held fixed.
    """
    held = {s: sympy.Dummy(real=True) for s in sums_of(expression)}
    plain = expression.xreplace(held)
    back = {dummy: s for s, dummy in held.items()}
    total = sympy.S.Zero
    for atom in sorted(plain.free_symbols, key=str):
        if atom in back:
            inner = along(back[atom].summand, direction)
            component = back[atom].of(inner) if inner != 0 else None
        else:
            component = direction(atom)
        if component is not None:
            total += derivative(plain, atom).xreplace(back) * component
    return total


def derivative(expression: sympy.Expr, variable: sympy.Symbol) -> sympy.Expr:
    """Return the derivative by one symbol; jumps count as constant on both sides."""
    if not expression.has(variable):
        return sympy.S.Zero
    if expression.has(sympy.Abs, sympy.sign):
        real = expression.replace(sympy.Abs, _Magnitude).replace(sympy.sign, _Sign)
        found = _without_jumps(sympy.diff(real, variable))
        return found.replace(_Magnitude, sympy.Abs).replace(_Sign, sympy.sign)
    return _without_jumps(sympy.diff(expression, variable))


def _without_jumps(expression: sympy.Expr) -> sympy.Expr:
    """Drop what sympy writes for the derivative of a jump."""
    if not expression.has(sympy.DiracDelta, sympy.Derivative, sympy.Subs):
        return expression
    return expression.replace(
        lambda e: isinstance(e, sympy.DiracDelta | sympy.Derivative | sympy.Subs),
        lambda *_: sympy.S.Zero,
    )
