"""Derivatives of the states by time, as functions of the state: ``x' = f``, ``x'' = f_t + f_x f``, ...

With L the derivative along the flow, ``L g = g_t + sum_j g_xj f_j``, the derivative of order m is
``L^(m-1) f`` (Hairer, Lubich and Wanner, Geometric Numerical Integration, 2nd ed., eq III.5.3).
"""

from __future__ import annotations

from functools import cache

import sympy

from dynlab.symbolic.derivatives import jacobian
from dynlab.symbolic.tree import TIME

__all__ = ["along_flow"]

Expressions = tuple[sympy.Expr, ...]


@cache
def along_flow(rule: Expressions, states: tuple[str, ...], order: int) -> Expressions:
    """Return ``x'``, then ``x''``, ... up to an order, one expression per state each."""
    found = [rule]
    for _ in range(order - 1):
        by_state = jacobian(found[-1], states)
        by_time = jacobian(found[-1], (TIME.name,))
        n = len(rule)
        found.append(tuple(
            sympy.Add(by_time[i], *(by_state[i * n + j] * rule[j] for j in range(n)))
            for i in range(n)
        ))  # fmt: skip
    return tuple(e for rates in found for e in rates)
