"""After how many steps, maxima or events a settled orbit comes again, one orbit at a time.

For what has no code for lanes: networks, sections, flows with events, stiff flows.  The rules are those of
`dynlab.kernels.lane_returns`.  A flow with events is compared where each of them has just happened (impacts and
spikes are what the field counts); where none happens, at the maxima of a state, as any flow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.charts.returns import NO_PERIOD, Watch
from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.errors import UnsupportedSystemError
from dynlab.kernels.dense import call_each
from dynlab.kernels.lane_returns import CLEARLY, PARTS
from dynlab.kernels.run import TINY
from dynlab.point import apart, whole_turns
from dynlab.progress import tick
from dynlab.solve.integrate import integrate
from dynlab.solve.iterate import iterate
from dynlab.solve.methods import OdeMethod
from dynlab.solve.trajectory import Trajectory
from dynlab.symbolic.system import System

__all__ = ["events_else_maxima", "maxima", "watch_singly"]

Array = NDArray[np.float64]

#: Halvings of the part of a step that a maximum lies in: to the last digits of the time.
HALVINGS = 50
#: Times of a run at which its states are compared, and the states there; the number is the place of a state.
Marks = Callable[[System, Trajectory, int], tuple[Array, Array]]


class _Came(NamedTuple):
    """After how many steps or marks an orbit came again, and the time that took."""

    period: int
    length: float


NEVER = _Came(NO_PERIOD, np.nan)


def watch_singly(
    system: System, method: OdeMethod | None, watch: Watch, marks: Marks
) -> Callable[[Array, Array, Array, NDArray[np.int64], Array], None]:
    """Return what finds the periods of cells one by one; it is called as that of `watch_returns`.

    Raises
    ------
    UnsupportedSystemError
        If the rule depends on the time, or more than the state decides what follows an event.
    """
    _check(system)
    angles = whole_turns(system) > 0

    def run(
        starts: Array, sizes: Array, parameters: Array, periods: NDArray[np.int64], lengths: Array
    ) -> None:
        for row, start in enumerate(starts):
            if not tick(0.0, 1.0):
                return
            one = system(**dict(zip(system.parameter_names, parameters[row], strict=False)))
            least = np.where(angles, 1.0, np.maximum(np.abs(sizes[row]), TINY))
            if method is None:
                came = _of_map(one, watch, start, least)
            else:
                came = _of_flow(one, method, watch, (start, least), marks)
            periods[row], lengths[row] = came

    return run


def _check(system: System) -> None:
    pausing = [event.name for event in system.events if event.refractory is not None]
    if system.is_indexed and system.events:
        why = "it is a network whose nodes have events. Use dl.ensemble, whose runs have the events of every node"
    elif pausing:
        why = (
            f"its event {pausing[0]!r} has a refractory time, and how much of it is left is no state. Write the "
            "event without refractory="
        )
    elif not system.is_autonomous:
        why = (
            "it depends on the time, and its cells run one by one. Make the phase a state with .with_phase, or "
            "use dl.exponent_chart"
        )
    else:
        return
    raise UnsupportedSystemError(f"periods of {system.name!r} cannot be looked for: {why}.")


def _of_map(system: System, watch: Watch, start: Array, least: Array) -> _Came:
    """Return the first return that two searches agree on, one after the other."""
    orbit = iterate(system, start=start.tolist(), duration=3 * watch.most)
    if not orbit.status.ok:
        return NEVER
    size = _size(system, orbit.values[: watch.most + 1], least)
    one, two = (
        _first_return(system, orbit.values[k : k + watch.most + 1], size, watch.tolerance)
        for k in (watch.most, 2 * watch.most)
    )
    return _Came(one, float(one)) if one > 0 and one == two else NEVER


def _first_return(system: System, states: Array, size: Array, tolerance: float) -> int:
    """Return the first step back at the first state, 0 if there is none that is clearly it."""
    gaps = np.max(np.abs(apart(system, states[1:], states[:1])) / size, axis=1)
    hits = np.flatnonzero(gaps <= tolerance)
    if not hits.size:
        return 0
    nearest = np.min(gaps[: hits[0]], initial=np.inf)
    return int(hits[0]) + 1 if nearest > CLEARLY * tolerance else 0


def _of_flow(
    system: System, method: OdeMethod, watch: Watch, begin: tuple[Array, Array], marks: Marks
) -> _Came:
    """Return the smallest period that all marks have, twice over at least."""
    if watch.duration == 0.0:
        return NEVER
    start, least = begin
    run = integrate(system, start=start.tolist(), duration=watch.duration, method=method)
    if not run.status.ok:
        return NEVER
    size = _size(system, run.values, least)
    moved = np.ptp(run.values, axis=0) / size
    if np.max(moved) <= CLEARLY * watch.tolerance:
        return _Came(0, np.nan)
    place = system.state_names.index(watch.state)
    is_smooth = not any(len(found) for found in run.events.values())
    if is_smooth and moved[place] <= CLEARLY * watch.tolerance:
        return NEVER
    times, states = marks(system, run, place)
    count = len(times)
    for period in range(1, min(watch.most, count // 2) + 1):
        gaps = np.abs(apart(system, states[period:], states[:-period])) / size
        if np.max(gaps) <= watch.tolerance:
            return _Came(period, float(times[-1] - times[-1 - period]))
    return NEVER


def events_else_maxima(system: System, run: Trajectory, place: int) -> tuple[Array, Array]:
    """Return when events came, in order, and the states right after; maxima of a state where none came."""
    found = [e for e in run.events.values() if len(e)]
    if not found:
        return maxima(system, run, place)
    times = np.concatenate([e.times for e in found])
    order = np.argsort(times, kind="stable")
    return times[order], np.concatenate([e.after.values for e in found])[order]


def maxima(system: System, run: Trajectory, place: int) -> tuple[Array, Array]:
    """Return where one state is largest along a run: where its rate falls through zero inside a step."""
    parts = run.t[:-1, None] + np.diff(run.t)[:, None] * np.arange(PARTS) / PARTS
    times = np.append(parts.ravel(), run.t[-1])
    rates = _rates(system, run, times, place)
    first = np.flatnonzero((rates[:-1] > 0) & (rates[1:] <= 0))
    low, high = times[first], times[first + 1]
    for _ in range(HALVINGS if first.size else 0):
        middle = 0.5 * (low + high)
        rises = _rates(system, run, middle, place) > 0
        low, high = np.where(rises, middle, low), np.where(rises, high, middle)
    return high, run.at(high).values if first.size else np.zeros((0, run.values.shape[1]))


def _rates(system: System, run: Trajectory, times: Array, place: int) -> Array:
    """Return how fast a state changes at times of a run."""
    states = np.ascontiguousarray(run.at(times).values)
    out = np.empty_like(states)
    call_each(kernels_of(system).rhs.address, np.asarray(times), states, *inputs_of(system), out)
    return np.asarray(out[:, place])


def _size(system: System, states: Array, least: Array) -> Array:
    """Return the largest size of each state along an orbit; 1 for angles."""
    largest = np.maximum(np.max(np.abs(states), axis=0), least)
    return np.where(whole_turns(system) > 0, 1.0, largest)
