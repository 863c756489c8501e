"""One entry of a parameter per node or link, taken out as a parameter of its own so that it can vary.

In the rule ``omega[i]`` becomes ``omega[i] * (1 - omega_here[i]) + omega_here[i] * omega_at``, where
``omega_here`` is 1 at the entry and 0 elsewhere.  Which entry it is is data: the rule, and what is
compiled for it, is the same for every entry.  To everyone else the parameter is called ``omega[3]``.
"""

from __future__ import annotations

from dataclasses import replace

import sympy

from dynlab.errors import UnknownNameError
from dynlab.links import with_values
from dynlab.symbolic.entry import base_of, place_of_entry, spelled
from dynlab.symbolic.indexed import Element, element
from dynlab.symbolic.quantities import Parameter
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import symbol

__all__ = ["exposed"]


def exposed(system: System, name: str) -> System:
    """Return the system in which an entry such as ``omega[3]`` or ``W[2, 1]`` is a parameter.

    A system in which the name is one number already is returned as it is.

    Raises
    ------
    UnknownNameError
        If there is no parameter per node or link of that name.
    SettingError
        If there is no such node or link.
    """
    entry, base = spelled(name), base_of(name)
    if not base or entry in system.parameter_names:
        return system
    indexed = {p.name: tuple(s.name for s in p.shape) for p in system.parameters if p.shape}
    if base not in indexed or system.bound is None:
        known = (*system.parameter_names, *(f"{p}[...]" for p in indexed))
        raise UnknownNameError(f"parameter of {system.name!r}", name, known)
    place = place_of_entry(name, indexed, system.bound)
    quantity = next(p for p in system.parameters if p.name == base)
    here, at = (_fresh(f"{base}_{word}", system) for word in ("here", "at"))
    parameters = (
        *system.parameters,
        Parameter(here, 0.0, "", quantity.shape),
        Parameter(at, float(system[base][place]), quantity.unit, (), entry),
    )

    def put(expression: sympy.Expr) -> sympy.Expr:
        found = [e for e in expression.atoms(Element) if e.base == base]
        marks = {e: element(here, *e.indices) for e in found}
        return expression.xreplace({e: e * (1 - m) + m * symbol(at) for e, m in marks.items()})

    rewritten = replace(
        system,
        parameters=parameters,
        rule=tuple(put(e) for e in system.rule),
        observables=tuple(replace(o, expression=put(o.expression)) for o in system.observables),
        events=tuple(event.mapped(put) for event in system.events),
        intermediates=tuple(replace(m, expression=put(m.expression)) for m in system.intermediates),
    )
    mark = [0.0] * system.bound.count(indexed[base])
    mark[place] = 1.0
    return replace(rewritten, bound=with_values(rewritten, {here: mark}, {}))


def _fresh(stem: str, system: System) -> str:
    """Return a name that nothing in the system has."""
    parts = (*system.quantities, *system.observables, *system.intermediates, *system.signals)
    taken = {part.name for part in parts}
    names = (stem, *(f"{stem}_{k}" for k in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)
