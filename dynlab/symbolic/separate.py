"""Sums whose summand factors into a part of i and a part of j become averages, by algebra.

``Sum(sin(theta[j] - theta[i]), j)`` over all nodes costs N evaluations for each of N nodes.  With
``sin(a - b) = sin a cos b - cos a sin b`` it is ``cos(theta[i]) S - sin(theta[i]) C`` with the two
sums S and C taken once: O(N).  Over links the sums stay, and the functions are evaluated once
per node instead of once per link.

Only two rewritings are made, because they lose no accuracy: the addition theorems of sine and cosine
(their terms are bounded by one), and, in sums over all nodes, products with one factor of each kind
and differences to the first power.  Higher powers and exponentials of differences cancel or overflow
when written out; they stay as they are.
"""

from __future__ import annotations

import sympy

from dynlab.symbolic.indexed import (
    Element,
    NodeMean,
    Reduction,
    elements_outside,
    free_indices,
    sums_of,
)

__all__ = ["separated"]

#: A summand that falls into more terms than this is left as it is.
_MOST_TERMS = 64


def separated(sum_: Reduction) -> sympy.Expr:
    """Return an equal expression in which everything free of the index stands before the sums."""
    own = frozenset({sum_.index})
    summand = _without_mixed_angles(sum_.summand, sum_.index)
    terms = [summand]
    if not sum_.own or summand != sum_.summand:
        terms = _terms(summand, sum_.index)
    if len(terms) > _MOST_TERMS or not (sum_.own or all(_is_separable(t, own) for t in terms)):
        terms = [sum_.summand]
    total = []
    for term in terms:
        before: list[sympy.Expr] = []
        after: list[sympy.Expr] = []
        for factor in sympy.Mul.make_args(term):
            (after if sum_.index in free_indices(factor) else before).append(factor)
        if not after and isinstance(sum_, NodeMean) and not sum_.own:
            total.append(sympy.Mul(*before))  # the mean of a constant over at least one node
            continue
        total.append(sympy.Mul(*before, sum_.of(sympy.Mul(*after))))
    return sympy.Add(*total)


def _terms(summand: sympy.Expr, index: str) -> list[sympy.Expr]:
    """Multiply out what mixes the index with others; leave everything else together."""
    if isinstance(summand, sympy.Add):
        return [t for part in summand.args for t in _terms(part, index)]
    if isinstance(summand, sympy.Mul):
        for factor in summand.args:
            if isinstance(factor, sympy.Add) and _mixes(factor, index):
                rest = summand / factor
                return [t for part in factor.args for t in _terms(rest * part, index)]
    return [summand]


def _mixes(expression: sympy.Expr, index: str) -> bool:
    """Whether some terms of a sum depend on the index and others on another one."""
    found = [free_indices(a) for a in expression.args]
    return any(index in f for f in found) and any(f - {index} for f in found)


def _is_separable(term: sympy.Expr, own: frozenset[str]) -> bool:
    factors = sympy.Mul.make_args(term)
    return all(not (free_indices(f) & own) or free_indices(f) <= own for f in factors)


def _without_mixed_angles(expression: sympy.Expr, index: str) -> sympy.Expr:
    """Write sines and cosines of sums with parts of different indices by the addition theorems."""
    if not expression.has(sympy.sin, sympy.cos):
        return expression
    inner = {s: sympy.Dummy(real=True) for s in sums_of(expression)}
    outside = expression.xreplace(inner)
    back = {held: s for s, held in inner.items()}
    angles = [
        f for f in outside.atoms(sympy.sin, sympy.cos)
        if isinstance(f.args[0], sympy.Add)
        and not any(s.has(Element) and back.get(s) for s in f.args[0].free_symbols)
        and index in {i for e in elements_outside(f.args[0]) for i in e.indices}
        and {i for e in elements_outside(f.args[0]) for i in e.indices} != {index}
        and not any(len(e.indices) > 1 for e in elements_outside(f.args[0]))
    ]  # fmt: skip
    return outside.xreplace({f: _added(f, index) for f in angles}).xreplace(back)


def _added(function: sympy.Expr, index: str) -> sympy.Expr:
    """Return sin(a + b) or cos(a + b), a being the part with the index, by the addition theorem."""
    parts = function.args[0].args
    a = sympy.Add(*(p for p in parts if index in free_indices(p)))
    b = sympy.Add(*(p for p in parts if index not in free_indices(p)))
    if isinstance(function, sympy.sin):
        return sympy.sin(a) * sympy.cos(b) + sympy.cos(a) * sympy.sin(b)
    return sympy.cos(a) * sympy.cos(b) - sympy.sin(a) * sympy.sin(b)
