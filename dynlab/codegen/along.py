"""The derivatives of the states by time along the flow, ``x'``, ``x''`` and ``x'''``, as one program.

With f the rule and D the derivative along a direction that is frozen while D acts,

``x' = f``,  ``x'' = D_f f``,  ``x''' = D_f D_f f + D_x'' f``

where D_f counts the time as one more state of rate 1 (Hairer, Norsett and Wanner, Solving Ordinary
Differential Equations I, 2nd ed., section II.2).  Each line takes the numbers of the one before, so the
program grows like the rule; written out in the states alone it would grow like its cube.
"""

from __future__ import annotations

import itertools

import sympy

from dynlab.codegen.lower import Program, shared_subexpressions
from dynlab.symbolic import derivatives
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import TIME, Tree, symbol, to_tree

__all__ = ["lower_along"]

Expressions = tuple[sympy.Expr, ...]


def lower_along(system: System, order: int) -> Program:
    """Return the program of the first derivatives (1, 2 or 3 of them), one state after another each."""
    counter = itertools.count()
    assignments: list[tuple[str, Tree]] = []
    outputs: list[Tree] = []
    for letter, expressions in zip("fab", _derivatives(system, order), strict=False):
        shared, found = shared_subexpressions(expressions, lambda: f"_c{next(counter)}")
        named = [(f"_{letter}{i}", to_tree(e)) for i, e in enumerate(found)]
        assignments += [(s.name, to_tree(e)) for s, e in shared] + named
        outputs += [("name", name) for name, _ in named]
    return Program(
        kind="along",
        states=system.state_names,
        parameters=system.parameter_names,
        directions=0,
        assignments=tuple(assignments),
        outputs=tuple(outputs),
    )


def _derivatives(system: System, order: int) -> list[Expressions]:
    """Return each derivative, in the states and in the names of the derivatives before it."""
    rule, states = system.rule, system.state_names
    variables = (*states, TIME.name)
    rates = [*(symbol(f"_f{i}") for i in range(len(states))), sympy.S.One]
    bends = [*(symbol(f"_a{i}") for i in range(len(states))), sympy.S.Zero]
    found = [rule]
    if order > 1:
        found.append(_directed(derivatives.directional(rule, variables, 1), [rates]))
    if order > 2:
        twice = _directed(derivatives.directional(rule, variables, 2), [rates, rates])
        bent = _directed(derivatives.directional(rule, variables, 1), [bends])
        found.append(tuple(a + b for a, b in zip(twice, bent, strict=True)))
    return found


def _directed(forms: Expressions, directions: list[list[sympy.Expr]]) -> Expressions:
    """Put directions into multilinear forms."""
    size = len(directions[0])
    slots = derivatives.direction_symbols(len(directions), size)
    given = {
        slot: value
        for row, values in zip(slots, directions, strict=True)
        for slot, value in zip(row, values, strict=True)
    }
    return tuple(form.xreplace(given) for form in forms)
