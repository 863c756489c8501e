"""A system together with small deviations from its state: the variational equation, by exact derivatives.

    x' = f(x),  v' = J(x) v        for a flow; the same with the next state for a map

One system of n (1 + m) states for m deviations, so that whatever runs a system runs this, in lanes
too, with one step size for all.
"""

from __future__ import annotations

import functools
from dataclasses import replace

from dynlab.symbolic.derivatives import direction_symbols, directional
from dynlab.symbolic.quantities import Domain, State
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import symbol

__all__ = ["with_deviations"]


@functools.lru_cache(maxsize=64)
def with_deviations(system: System, count: int) -> System:
    """Return the system with that many deviations, one after another behind the states.

    Its name, parameters and time stay; observables and what a rule may have beside its equations (events,
    signals, indices) have no deviations, and such a system must not come here.
    """
    taken = {q.name for q in system.quantities}
    added, rules = [], []
    forms = directional(system.rule, system.state_names, 1)
    (direction,) = direction_symbols(1, len(system.states))
    for k in range(count):
        names = [_free(f"deviation_{k}_of_{state.name}", taken) for state in system.states]
        added += [
            State(name, 0.0, state.unit, Domain.LINE)
            for name, state in zip(names, system.states, strict=True)
        ]
        own = dict(zip(direction, map(symbol, names), strict=True))
        rules += [form.xreplace(own) for form in forms]
    return replace(
        system, states=(*system.states, *added), rule=(*system.rule, *rules),
        observables=(), pairs=(), reference="",
    )  # fmt: skip


def _free(name: str, taken: set[str]) -> str:
    """Return the name, with underscores behind it until nothing else is called so."""
    while name in taken:
        name += "_"
    return name
