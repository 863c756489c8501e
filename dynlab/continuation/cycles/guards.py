"""Whether a smooth cycle meets an event of its system: there the flow is interrupted, and the cycle is none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.kernels import kernels_of
from dynlab.cycles.problem import CycleProblem, Orbit

__all__ = ["met_event"]

Vector = NDArray[np.float64]

#: Places in an interval of the mesh at which guards are looked at.
_EACH = 8


def met_event(problem: CycleProblem, orbit: Orbit) -> str:
    """Return the name of the first event whose guard passes zero along an orbit; empty if none does."""
    from dynlab.kernels import dense

    system = problem.system
    if not system.events:
        return ""
    if np.any(np.diff(orbit.mesh) == 0.0):
        return system.event_names[0]
    inner = orbit.mesh[:-1, None] + np.diff(orbit.mesh)[:, None] * (np.arange(_EACH) / _EACH)
    states = np.ascontiguousarray(orbit.at(np.append(inner.ravel(), 1.0)))
    kernels, inputs = kernels_of(system), problem.inputs()
    if problem.position >= 0:
        inputs.parameters[problem.position] = orbit.value
    events = list(system.events)
    if system.is_indexed:
        assert system.bound is not None
        kernel = kernels.node_guards
        events = [event for event in events for _ in range(system.bound.sizes[event.over])]
    else:
        kernel = kernels.guard([event.guard for event in events])
    values = np.empty((len(states), kernel.size))
    dense.call_each(kernel.address, np.zeros(len(states)), states, *inputs, values)
    directions = np.array([event.direction for event in events])
    passed = (values[:-1] * values[1:] < 0) & (directions * values[1:] >= 0)
    found = np.flatnonzero(np.any(passed, axis=0))
    return events[int(found[0])].name if len(found) else ""
