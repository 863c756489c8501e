"""Where the sequence of events along a cycle changes, and why: grazing contact and events that meet.

Between a cycle whose events are those of its itinerary and one that solves the same equations but is none of
the system, one of these numbers passes zero (each is a smooth function along the branch):

- the rate at which an event's guard passes: the event is only touched at its own place,
- the extreme value of another guard along a stretch: that one is touched (grazing),
- another guard at an end of a stretch, or the duration of a stretch: two events happen together.

The bracket is halved by runs of the system itself; then the number that changes sign in it is solved for.
(di Bernardo, Budd, Champneys and Kowalczyk 2008, Piecewise-smooth Dynamical Systems, ch. 7.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.continuation.curves.hybrid_cycle import HybridNode, HybridSpan, node_at, tangent_at
from dynlab.cycles.hybrid import HybridProblem, Tour
from dynlab.cycles.passage import Lost
from dynlab.kernels import dense
from dynlab.names import Layout
from dynlab.solve.integrate import integrate
from dynlab.status import Status

__all__ = ["Border", "border_at", "border_between", "rest_at_guard"]

Vector = NDArray[np.float64]
Measure = Callable[[Vector, Tour], float]

#: The bracket is halved so often before a number that changes sign in it is looked for, and so often in all; it is
#: looked for every so many times.
_HALVINGS, _MOST_HALVINGS, _EVERY = 8, 40, 4
#: A stretch is searched for extremes of guards at so many places.
_PLACES = 400
#: The last cycle of the branch stands this part of the last bracket before the border.
_BEFORE = 1e-4
#: A cycle all but stands on a border where a duration or a rate is this small, in units of the period; and all but
#: rests where all rates are.
_ALMOST, _RESTS = 1e-5, 1e-6
#: A run of a cycle whose deviations grow by more than this between events does not repeat it.
_SENSITIVE = 1e5
#: A guard is followed along a branch by the extreme nearest to where it was, in parts of its stretch.
_NEAR = 0.2


class Border(NamedTuple):
    """The end of a branch: the last regular cycle before it, where it is, and why, if that is known."""

    last: HybridNode | None
    value: float
    status: Status
    reason: str
    is_known: bool = True


class _Contact(NamedTuple):
    """A number that passes zero at a border, what that means, and how to say it."""

    value: float
    measure: Measure
    status: Status
    words: str


def border_between(a: HybridNode, b: HybridNode, tolerance: float) -> Border:
    """Return where between a regular cycle and a solution that is none the sequence of events changes."""
    span = HybridSpan.between(a, b, tolerance)
    problem = span.problem
    good, bad = 0.0, 1.0
    last: HybridNode | None = None
    for taken in range(_MOST_HALVINGS):
        if taken >= _HALVINGS and taken % _EVERY == 0:
            found = _contact(span, good, bad)
            if found is not None:
                place, value, contact = found
                last = _regular(span, place - _BEFORE * (place - good)) or last
                reason = f"{contact.words} at {problem.vary} = {value:.9g}; beyond, the sequence of events is another"
                return Border(last, value, contact.status, reason)
        middle = 0.5 * (good + bad)
        node = _regular(span, middle)
        if node is None:
            bad = middle
        else:
            good, last = middle, node
    here = last or a
    value = here.orbit.value
    growth = float(np.max(here.problem.growth(here.problem.tour(here.unknowns))))
    if growth > _SENSITIVE:
        reason = (
            f"deviations grow {growth:.0e}-fold between two events at {problem.vary} = {value:.9g}: so sensitive a "
            "cycle no run repeats"
        )
        return Border(last, value, Status.NOT_CONVERGED, reason, is_known=False)
    reason = f"the sequence of events changes at {problem.vary} = {value:.9g}"
    return Border(last, value, Status.EVENTS_CHANGE, reason, is_known=False)


def border_at(node: HybridNode) -> Border | None:
    """Return the border that a cycle all but stands on, beyond which nothing could be solved; None if on none."""
    problem, u = node.problem, node.unknowns
    try:
        tour = problem.tour(u)
    except Lost:
        return None
    value = float(u[-1])
    for k, each in enumerate(problem.itinerary.stretches):
        if each.like < 0 and problem.durations(u)[k] < _ALMOST * problem.units[-2]:
            words = f"two events happen together: {_end(problem, k - 1)} and {_end(problem, k)}"
            return Border(
                None, value, Status.EVENTS_CHANGE, f"{words} near {problem.vary} = {value:.9g}"
            )
        if each.events and abs(tour.legs[k].rate) < _ALMOST:
            words = (
                f"event {problem.system.event_names[each.events[0]]!r} is only touched (grazing)"
            )
            return Border(None, value, Status.GRAZING, f"{words} near {problem.vary} = {value:.9g}")
    return None


def rest_at_guard(node: HybridNode) -> Border | None:
    """Return the border where an equilibrium reaches the guard of an event, if a cycle all but rests there."""
    problem, u = node.problem, node.unknowns
    legs = problem.tour(u).legs
    for k, each in enumerate(problem.itinerary.stretches):
        if not each.events or np.max(np.abs(legs[k].slope)) > _RESTS:
            continue
        value, name = problem.rest_at_end(k, np.append(legs[k].end, u[-1])), each.events[0]
        reason = (
            f"an equilibrium reaches the guard of event {problem.system.event_names[name]!r} at "
            f"{problem.vary} = {value:.9g}; the period grows without bound"
        )
        return Border(None, value, Status.EVENTS_CHANGE, reason)
    return None


def _regular(span: HybridSpan, s: float) -> HybridNode | None:
    """Return the cycle over a place of the chord if its events are those that the system has."""
    found = span.at(s)
    if found is None:
        return None
    tangent, sign = tangent_at(found[1], span.chord)
    node = node_at(span.problem, *found, tangent, sign)
    return node if node.sequence else None


def _contact(span: HybridSpan, good: float, bad: float) -> tuple[float, float, _Contact] | None:
    """Return the place and value where the first of the numbers vanishes that change sign in a bracket."""
    from scipy.optimize import brentq

    before, after = span.at(good), span.at(bad)
    if before is None or after is None:
        return None
    first: tuple[float, float, _Contact] | None = None
    for contact in _contacts(span.problem, *after):
        if contact.value * contact.measure(*before) >= 0:
            continue
        last: list[float] = []

        def value(s: float, contact: _Contact = contact, last: list[float] = last) -> float:
            found = span.at(s)
            if found is None:
                raise ArithmeticError
            last.append(float(found[0][-1]))
            return contact.measure(*found)

        try:
            place = brentq(value, good, bad, xtol=1e-13, rtol=1e-13)
            value(place)
        except (ArithmeticError, ValueError):
            continue
        if first is None or place < first[0]:
            first = place, last[-1], contact
    return first


def _contacts(problem: HybridProblem, u: Vector, tour: Tour) -> Iterator[_Contact]:
    """Yield the numbers at a solution."""
    names, stretches = problem.system.event_names, problem.itinerary.stretches
    for k, each in enumerate(stretches):
        if each.events:
            name = names[each.events[0]]

            def rate(u: Vector, tour: Tour, k: int = k) -> float:
                return tour.legs[k].rate

            yield _Contact(
                rate(u, tour), rate, Status.GRAZING, f"event {name!r} is only touched (grazing)"
            )
        if each.like < 0:

            def time(u: Vector, tour: Tour, k: int = k) -> float:
                return float(problem.durations(u)[k])

            words = f"two events happen together: {_end(problem, k - 1)} and {_end(problem, k)}"
            yield _Contact(time(u, tour), time, Status.EVENTS_CHANGE, words)
        yield from _touched(problem, k, u, tour)


def _end(problem: HybridProblem, k: int) -> str:
    """Say what ends a stretch."""
    each, names = problem.itinerary.stretches[k], problem.system.event_names
    if each.like >= 0 and k > 0:
        return _end(problem, k - 1)
    if each.events:
        return repr(names[each.events[0]])
    return f"the end of the hold of {names[each.released]!r}" if each.released >= 0 else "the start"


def _touched(problem: HybridProblem, k: int, u: Vector, tour: Tour) -> Iterator[_Contact]:
    """Yield the extremes of guards along a stretch, and guards of other events at its end."""
    each, names = problem.itinerary.stretches[k], problem.system.event_names
    own = problem.itinerary.stretches[k - 1].events
    for g, name in enumerate(names):
        if g in each.deaf:
            continue
        if each.events and g not in each.events:

            def at_end(u: Vector, tour: Tour, g: int = g) -> float:
                return float(problem.guards(np.append(tour.legs[k].end, u[-1]))[0][g])

            words = f"two events happen together: {name!r} and {_end(problem, k)}"
            yield _Contact(at_end(u, tour), at_end, Status.EVENTS_CHANGE, words)
        if own and g not in own:

            def at_begin(u: Vector, tour: Tour, g: int = g) -> float:
                return float(problem.guards(np.append(problem.states(u)[k], u[-1]))[0][g])

            words = f"the reset of {_end(problem, k - 1)} leads to where {name!r} happens"
            yield _Contact(at_begin(u, tour), at_begin, Status.EVENTS_CHANGE, words)
        for place, value, kind in _extremes(problem, k, g, u):

            def extreme(
                u: Vector, tour: Tour, g: int = g, place: float = place, kind: float = kind
            ) -> float:
                near = [
                    (abs(where - place), value)
                    for where, value, other in _extremes(problem, k, g, u)
                    if other == kind and abs(where - place) < _NEAR
                ]
                return min(near)[1] if near else np.nan

            yield _Contact(
                value, extreme, Status.GRAZING, f"event {name!r} is touched on the way (grazing)"
            )


def _extremes(
    problem: HybridProblem, k: int, g: int, u: Vector
) -> list[tuple[float, float, float]]:
    """Return where along a stretch a guard is extreme, its values there, and 1 for a greatest, -1 for a least."""
    from scipy.optimize import brentq

    duration, system = float(problem.durations(u)[k]), problem.smooth(k, float(u[-1]))
    if duration <= 0:
        return []
    start = Layout.of(system).unpack(problem.states(u)[k])
    run = integrate(system, start=start, duration=duration, method=problem.method)
    kernel = kernels_of(system).guard_and_rate((problem.system.events[g].guard,))

    def both(times: Vector) -> Vector:
        states = np.ascontiguousarray(run.at(np.clip(times, 0.0, run.end[0])).values)
        values = np.empty((len(times), 2))
        dense.call_each(kernel.address, np.zeros(len(times)), states, *inputs_of(system), values)
        return values

    times = np.linspace(0.0, duration, _PLACES + 1)
    rates = both(times)[:, 1]
    found = []
    for j in np.flatnonzero(rates[:-1] * rates[1:] < 0):
        time = brentq(
            lambda t: both(np.array([t]))[0, 1], times[j], times[j + 1], xtol=1e-14 * duration
        )
        kind = 1.0 if rates[j] > 0 else -1.0
        found.append((time / duration, float(both(np.array([time]))[0, 0]), kind))
    return found
