"""A parameter as a state that stands still: what is differentiated by states is then differentiated by it too."""

from __future__ import annotations

from dataclasses import replace

import sympy

from dynlab.symbolic.quantities import State
from dynlab.symbolic.system import System

__all__ = ["lifted"]


def lifted(system: System, parameter: str) -> System:
    """Return the system with a parameter as its last state, of rate zero.

    Events keep their guards and resets; refractory times, which may depend on parameters alone, are left out
    with the states that they hold: who needs them holds states with `dynlab.symbolic.events.in_leg`.
    """
    (moved,) = (p for p in system.parameters if p.name == parameter)
    return replace(
        system,
        states=(*system.states, State(parameter, moved.value, moved.unit)),
        parameters=tuple(p for p in system.parameters if p.name != parameter),
        rule=(*system.rule, sympy.S.Zero),
        events=tuple(replace(event, refractory=None, held=()) for event in system.events),
        observables=(),
    )
