"""The saltation matrix: how an event changes a small deviation.

Two neighbouring trajectories reach a guard g = 0 at different times.  Compared at equal times, their
deviation u becomes S u with

    S = R_x + (f+ - R_x f- - R_t) grad g' / (grad g . f- + g_t)

where R is the reset, f- and f+ are the flow before and after (Mueller 1995, Chaos Solitons Fractals
5, 1671; Leine and Nijmeijer 2004, Dynamics and Bifurcations of Non-Smooth Mechanical Systems, ch. 7).
Exponents and Floquet multipliers of hybrid systems multiply it with the flow's own derivative.
What makes it fail: a guard that is only grazed, where the denominator is zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import Inputs, inputs_of
from dynlab.codegen.kernels import Kernel, kernels_of
from dynlab.errors import SingularProblem, UnknownNameError, UnsupportedSystemError
from dynlab.kernels import dense
from dynlab.names import Layout, finite
from dynlab.symbolic.events import in_leg
from dynlab.symbolic.system import System

__all__ = ["kernel_value", "reset_by", "resets_of", "saltation", "saltation_matrix"]

Array = NDArray[np.float64]


def saltation_matrix(
    system: System,
    *,
    event: str,
    at: Mapping[str, float] | Sequence[float],
    t: float = 0.0,
    active: tuple[str, ...] = (),
) -> Array:
    """Return the matrix that takes a small deviation before an event to the one after it.

    Parameters
    ----------
    system
        A system with events.
    event
        The event that happens.
    at
        The state just before it, by name; what is left out is at its default start.
    t
        When it happens.
    active
        Parameters whose deviation counts as well; they follow the states, and their rows are those
        of the identity.

    Raises
    ------
    UnknownNameError
        If there is no such event.
    UnsupportedSystemError
        If the event has a refractory time, which brings a second event at its end.
    SingularProblem
        If the guard is only grazed there.

    Examples
    --------
    >>> import dynlab as dl
    >>> before = {"x": 0.0, "v": -2.0}
    >>> dl.saltation_matrix(dl.zoo.bouncing_ball(g=1.0, e=0.5), event="bounce", at=before)
    array([[-0.5 ,  0.  ],
           [ 0.75, -0.5 ]])
    """
    names = [e.name for e in system.events]
    if event not in names:
        raise UnknownNameError(f"event of {system.name!r}", event, names)
    position = names.index(event)
    chosen = system.events[position]
    if chosen.refractory is not None:
        raise UnsupportedSystemError(
            f"event {event!r} of {system.name!r} has a refractory time, whose end changes deviations "
            "once more. Use the event without refractory=."
        )
    time, kernels = finite(t, "t"), kernels_of(system)
    before = Layout.of(system).pack(at, system.start_values)
    n, m = len(before), len(before) + len(active)
    after = kernel_value(kernels.reset(event), system, time, before)
    # Without parameter columns for the flow: a parameter stays what it is.
    gradient = kernel_value(kernels.guard_gradient(active), system, time, before).reshape(-1, m + 1)
    reset = kernel_value(kernels.reset_jacobian(event, active), system, time, before).reshape(
        n, m + 1
    )
    arriving, leaving = _flows(system, position, time, before, after)
    speed = gradient[position, :n] @ arriving + gradient[position, m]
    if speed == 0.0:
        raise SingularProblem(
            f"event {event!r} of {system.name!r} is only grazed at this state: its guard stands still "
            "there, so a deviation may miss it. Move the state."
        )
    matrix = np.eye(m)
    shift = reset[:, :n] @ arriving + reset[:, m]
    matrix[:n] = saltation(reset[:, :m], shift, leaving, gradient[position, :m] / speed)
    return matrix


def saltation(reset: Array, arriving: Array, leaving: Array, earlier: Array) -> Array:
    """Return R + (f+ - R f-) e, with R f- given as ``arriving`` and e saying how much earlier a deviation comes."""
    return np.asarray(reset + np.outer(leaving - arriving, earlier))


def resets_of(system: System, events: Sequence[int]) -> tuple[tuple[Kernel, Kernel], ...]:
    """Return the resets of some events, in their order, and their derivatives."""
    kernels, names = kernels_of(system), [system.events[g].name for g in events]
    setting = [name for name, g in zip(names, events, strict=True) if system.events[g].reset]
    return tuple((kernels.reset(name), kernels.reset_jacobian(name)) for name in setting)


def reset_by(
    resets: Sequence[tuple[Kernel, Kernel]], inputs: Inputs, before: Array
) -> tuple[Array, Array]:
    """Return the state that some resets leave, one after another, and its derivative."""
    n = len(before)
    whole, after, found = np.eye(n), before.copy(), np.empty(n * (n + 1))
    for reset, jacobian in resets:
        dense.call(jacobian.address, 0.0, after, *inputs, found)
        whole = found.reshape(n, n + 1)[:, :n] @ whole
        left = np.empty(n)
        dense.call(reset.address, 0.0, after, *inputs, left)
        after = left
    return after, whole


def _flows(
    system: System, position: int, time: float, before: Array, after: Array
) -> tuple[Array, Array]:
    """Return the flow just before and just after; a switch is on one side, then on the other."""
    event = system.events[position]
    found = kernel_value(kernels_of(system).guard_and_rate((event.guard,)), system, time, before)
    side = int(np.sign(found[1])) if event.direction == 0 else 0
    sides = [0] * len(system.events)
    sides[position] = -side
    arriving = in_leg(system, frozenset(), tuple(sides))
    sides[position] = side
    leaving = in_leg(system, frozenset(), tuple(sides)) if not event.reset else system
    rates = [
        kernel_value(kernels_of(s).rhs, s, time, x)
        for s, x in ((arriving, before), (leaving, after))
    ]
    return rates[0], rates[1]


def kernel_value(kernel: Kernel, system: System, time: float, state: Array) -> Array:
    """Return what a kernel says of a state."""
    out = np.empty(max(kernel.size, 1))
    dense.call(kernel.address, time, np.ascontiguousarray(state), *inputs_of(system), out)
    return out[: kernel.size]
