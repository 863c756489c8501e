"""A node of an infinite network of identical ones: averages over all nodes become numbers it is driven by.

In the limit of infinitely many nodes a mean over all of them is an expectation under the density of one, which is
the same for each (McKean 1966, Proc. Natl. Acad. Sci. USA 56, 1907; Sznitman 1991, Lect. Notes Math. 1464, 165).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import sympy

from dynlab.errors import UnsupportedSystemError
from dynlab.symbolic.indexed import Element, NodeMean, elements_outside, free_indices, sums_of
from dynlab.symbolic.quantities import Parameter
from dynlab.symbolic.separate import separated
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import symbol

__all__ = ["MeanField", "mean_field_of"]


@dataclass(frozen=True, slots=True)
class MeanField:
    """One node of a network of identical ones.

    Attributes
    ----------
    node
        The system of one node, with the means as parameters.
    names
        The names of these parameters.
    functions
        The functions of the states of a node whose means they are.
    """

    node: System
    names: tuple[str, ...]
    functions: tuple[sympy.Expr, ...]


def mean_field_of(system: System) -> MeanField:
    """Return a node of a network whose nodes know of each other through means over all.

    Raises
    ------
    UnsupportedSystemError
        If nodes differ, or know of each other otherwise.
    """
    _check(system)
    means: dict[sympy.Expr, sympy.Symbol] = {}
    rule = tuple(_of_one_node(e, means, system) for e in system.rule)
    count = len(means)
    noise = system.noise
    if noise is not None:
        noise = noise.mapped(lambda e: _of_one_node(e, means, system))
    if len(means) > count:
        raise _refusal(system, "its noise depends on a mean")
    values = _values(system)
    node = replace(
        system,
        states=tuple(replace(s, shape=()) for s in system.states),
        parameters=(
            *(Parameter(p.name, values[p.name], p.unit) for p in system.parameters),
            *(Parameter(m.name, 0.0) for m in means.values()),
        ),
        rule=rule, noise=noise, bound=None, observables=(), pairs=(),
    )  # fmt: skip
    return MeanField(node, tuple(m.name for m in means.values()), tuple(means))


def _check(system: System) -> None:
    for what, present in (("it has events", system.events), ("it has signals", system.signals),
                          ("it uses dl.each", system.intermediates)):  # fmt: skip
        if present:
            raise _refusal(system, what)
    if len({s.shape for s in system.states}) != 1 or len(system.states[0].shape) != 1:
        raise _refusal(system, "its states are not all per node of the same nodes")
    for p in system.parameters:
        if len(p.shape) > 1:
            raise _refusal(system, f"{p.name!r} is per link")


def _values(system: System) -> dict[str, float]:
    """Return the value of each parameter, the same for all nodes."""
    values = {}
    for p in system.parameters:
        found = {float(p.value)}
        if p.shape and system.bound is not None:
            found = {float(v) for v in system[p.name]}
        if len(found) > 1:
            raise _refusal(system, f"{p.name!r} is not the same for all nodes")
        values[p.name] = found.pop()
    return values


def _of_one_node(
    expression: sympy.Expr, means: dict[sympy.Expr, sympy.Symbol], system: System
) -> Any:
    written = {s: separated(s) for s in sums_of(expression)}
    expression = expression.xreplace(written)
    found = {}
    for sum_ in sums_of(expression):
        if not isinstance(sum_, NodeMean):
            raise _refusal(system, f"{sum_} grows with the number of nodes; write dl.Mean")
        if sum_.own or sums_of(sum_.summand) or free_indices(sum_.summand) != {sum_.index}:
            raise _refusal(system, f"{sum_} is not a mean of a function of one node")
        function = _bare(sum_.summand)
        if function not in means:
            means[function] = symbol(f"mean_{len(means) + 1}")
        found[sum_] = means[function]
    return _bare(expression.xreplace(found))


def _bare(expression: sympy.Expr) -> Any:
    """Return an expression with its entries written without index."""
    entries: set[Element] = elements_outside(expression)
    return expression.xreplace({e: symbol(e.base) for e in entries})


def _refusal(system: System, what: str) -> UnsupportedSystemError:
    return UnsupportedSystemError(
        f"{system.name!r} has no mean-field limit of one density: {what}. Such limits are for identical nodes that know "
        "of each other through dl.Mean(g, j), g a function of node j or a sum of products of one of j with one of i. "
        "Run many nodes with dl.simulate instead; of oscillators with spread frequencies and noise dl.synchrony_onset and "
        "dl.mean_field_synchrony give onset and order."
    )
