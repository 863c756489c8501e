"""Systems from systems."""

from __future__ import annotations

from dataclasses import replace

import sympy

from dynlab.errors import DuplicateNameError, SettingError, UnsupportedSystemError
from dynlab.names import finite
from dynlab.symbolic.dynamics import Continuous, require
from dynlab.symbolic.indexed import LETTERS, element
from dynlab.symbolic.quantities import ContinuousTime, DiscreteTime, Parameter, State
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import TIME, symbol

__all__ = ["euler_map", "step_flow"]

#: `step` itself is a word of the language of equations.
_STEP = "step_size"


def euler_map(system: System, *, step: float) -> System:
    """Return the map x + step * f(t, x) of a flow x' = f(t, x): a layer of a residual network.

    Its n-th state approximates the flow at time n * step, with an error proportional to the step.  Its
    fixed points are the flow's equilibria, with multipliers 1 + step * eigenvalue: an equilibrium that
    is stable for the flow loses stability in the map where a multiplier leaves the unit circle.

    Parameters
    ----------
    system
        The flow.  A rule that depends on time is taken at time n * step.
    step
        The step, in the flow's unit of time.

    Returns
    -------
    System
        A map with the flow's states and parameters, and the parameter ``step_size``.

    Raises
    ------
    UnsupportedSystemError
        If the system is a map already, or has events.
    SettingError
        If the step is not a positive number.
    DuplicateNameError
        If the flow has a quantity of the name ``step_size``.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def decay(x=1.0, *, rate=2.0):
    ...     return {x: -rate * x}
    >>> layers = dl.euler_map(decay, step=0.25)
    >>> dl.iterate(layers, duration=3)["x"]
    array([1.   , 0.5  , 0.25 , 0.125])

    References
    ----------
    Hairer, Norsett, Wanner, Solving Ordinary Differential Equations I, 2nd ed. 1993, section I.7.
    Haber, Ruthotto 2017, Inverse Problems 34, 014004 (residual networks).
    """
    if not isinstance(system, System) or system.is_discrete:
        require(system, Continuous)  # says what is wrong; a rule not bound to a network yet is not
    if system.events:
        raise UnsupportedSystemError(
            f"{system.name!r} cannot be used here: it has events "
            f"({', '.join(event.name for event in system.events)}), which happen between the steps of "
            "a map. Take the flow without them."
        )
    if system.is_stochastic or system.is_delayed:
        require(system, Continuous)
    value = finite(step, "step")
    if value <= 0:
        raise SettingError(
            f"step is {value:g}; Euler's method goes forwards. Give a positive step."
        )
    parts = (system.states, system.parameters, system.observables, system.intermediates)
    if any(quantity.name == _STEP for part in parts for quantity in part):
        raise DuplicateNameError(
            f"{system.name!r} has a quantity {_STEP!r}, which is the name of the parameter of its "
            "Euler map. Rename it."
        )
    size = symbol(_STEP)
    at_time = {TIME: size * TIME}
    return replace(
        system,
        name=f"euler_map_of_{system.name}",
        rule=tuple(
            _own(state) + size * rate.xreplace(at_time)
            for state, rate in zip(system.states, system.rule, strict=True)
        ),
        intermediates=tuple(
            replace(m, expression=m.expression.xreplace(at_time)) for m in system.intermediates
        ),
        parameters=(*system.parameters, Parameter(_STEP, value, system.time.unit)),
        time=DiscreteTime(),
        observables=tuple(
            replace(o, expression=o.expression.xreplace(at_time)) for o in system.observables
        ),
    )


def step_flow(system: System) -> System:
    """Return the flow whose Euler steps of length 1 are the map, with its noise: ``f(x) - x`` and the same amplitudes."""
    rule = tuple(e - _own(s) for s, e in zip(system.states, system.rule, strict=True))
    return replace(system, rule=rule, time=ContinuousTime())


def _own(state: State) -> sympy.Expr:
    """Return a state as its own equation writes it."""
    if not state.shape:
        return symbol(state.name)
    return element(state.name, *LETTERS[: len(state.shape)])
