"""A state and small deviations carried over a time, through events where the system has any.

Between events the variational equation is integrated (`dynlab.solve.variational`); at one the deviation is
multiplied with the saltation matrix  R + (f+ - R f-) e,  e = grad g' / (grad g . f-)  (see
`dynlab.solve.saltation`).  Which events come, and in what order, a run of the system tells; the time of each
is then solved for on the variational run itself, by Newton's method on the guard.

Where states are held after an event for a time, neighbours are released as much earlier as they met the
guard: at the end of the hold the deviation u changes by (f_free - f_held) (e . u at the event).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.errors import SingularProblem
from dynlab.names import Layout
from dynlab.solve.integrate import integrate
from dynlab.solve.legs import pause_of
from dynlab.solve.methods import Explicit8
from dynlab.solve.saltation import kernel_value, reset_by, resets_of, saltation
from dynlab.solve.trajectory import Trajectory
from dynlab.solve.variational import VariationalFlow
from dynlab.status import Status
from dynlab.symbolic.events import in_leg
from dynlab.symbolic.system import System

__all__ = ["Corner", "Lost", "Passage", "Passages", "instants"]

Vector = NDArray[np.float64]

#: An event's time is solved for to this part of itself, in at most so many steps.
_TIME, _MOST_STEPS = 1e-15, 4
#: A guard is only grazed if in a unit of time it changes by less than this part of what it changes by over
#: the units of the states.
_GRAZED = 1e-9
#: An event is looked for this near, in units of time, to where the run of the states had it.
_NEAR = 1e-3


class Lost(Exception):
    """The state could not be carried to the end; what happened is the status."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.meaning)
        self.status = status


class Corner(NamedTuple):
    """Where a curve jumps or bends: when, and the states on both sides."""

    time: float
    before: Vector
    after: Vector


class Passage(NamedTuple):
    """What a stretch of time does to a state and, in units of the states, to deviations from it.

    The factors act in their order; `divergence` is the logarithm of the modulus of their determinant.
    """

    duration: float
    state: Vector
    factors: list[Vector]
    divergence: float
    slope: Vector
    corners: list[Corner]

    @property
    def matrix(self) -> Vector:
        """The product of the factors."""
        whole = np.eye(len(self.state))
        for factor in self.factors:
            whole = factor @ whole
        return whole


class _Instant(NamedTuple):
    """Events that happen together, in their order."""

    time: float
    events: tuple[int, ...]
    before: Vector


@dataclass(frozen=True, slots=True)
class Passages:
    """Passages of a system: with its units, tolerances, and the rules between its events.

    Parameters
    ----------
    system
        The system.
    units
        Units of the states.
    method
        The integrator.
    unit_time
        Unit of time, such as the period.
    pieces
        How many factors a passage of a unit of time has.
    """

    system: System
    units: Vector
    method: Explicit8
    unit_time: float
    pieces: int = 16

    def through(self, state: Vector, duration: float) -> Passage:
        """Carry a state over a time.

        Raises
        ------
        Lost
            If the run ends early, or where states are held.
        SingularProblem
            If a guard is only grazed.
        """
        return _Way(self, state, duration).go()

    def run(self, state: Vector, duration: float) -> Trajectory:
        """Return the trajectory alone."""
        start = Layout.of(self.system).unpack(state)
        run = integrate(self.system, start=start, duration=duration, method=self.method)
        if run.status is not Status.OK:
            raise Lost(run.status)
        return run

    def flow(self, held: frozenset[str], sides: tuple[int, ...]) -> VariationalFlow:
        """Return the flow between two events."""
        return VariationalFlow(_leg(self.system, held, sides), self.units, self.method)

    def slope(self, state: Vector) -> Vector:
        """Return the flow where no state is held."""
        return self.flow(frozenset(), self.sides(state)).slope(state)

    def sides(self, state: Vector) -> tuple[int, ...]:
        """Return on which side of the surfaces a state is where the rule decides by them."""
        events = self.system.events
        if all(event.direction for event in events):
            return (0,) * len(events)
        kernel = kernels_of(self.system).guard([event.guard for event in events])
        values = kernel_value(kernel, self.system, 0.0, state)
        return tuple(
            0 if event.direction else int(np.sign(value))
            for event, value in zip(events, values, strict=True)
        )


class _Way:
    """One passage under way: where it is, what deviations have become, and which holds are open."""

    def __init__(self, given: Passages, state: Vector, duration: float) -> None:
        self.given, self.duration = given, duration
        self.time, self.state = 0.0, state
        self.factors: list[Vector] = []
        self.divergence = 0.0
        self.corners: list[Corner] = []
        #: Ends of open holds: when, which event, and how much earlier a deviation comes, seen from `open`.
        self.holds: list[tuple[float, int, Vector]] = []
        self.open: Vector | None = None
        self.until_open = 0.0
        self.run = given.run(state, duration) if given.system.events else None
        self.coming = [] if self.run is None else instants(self.run)

    def go(self) -> Passage:
        """Carry the state to the end."""
        while True:
            next_end = min((end for end, *_ in self.holds), default=np.inf)
            next_event = self.coming[0].time if self.coming else np.inf
            stop = min(next_end, next_event, self.duration)
            flow = self._flow()
            self._carry(flow, stop - self.time)
            if stop == next_event:
                self._meet(flow, self.coming.pop(0))
            elif stop == next_end:
                self._release(flow)
            else:
                if (
                    self.open is not None
                ):  # it ends where states are held, so no segment can begin there
                    raise Lost(Status.NOT_CONVERGED)
                slope = flow.slope(self.state)
                return Passage(
                    self.duration, self.state, self.factors, self.divergence, slope, self.corners
                )

    def _held(self) -> frozenset[str]:
        events = self.given.system.events
        return frozenset().union(*(events[g].held for _, g, _ in self.holds))

    def _flow(self) -> VariationalFlow:
        """Return the flow of the leg that begins now: that of the state halfway to its end."""
        if self.run is None:
            return self.given.flow(frozenset(), ())
        ends = [end for end, *_ in self.holds]
        stop = min([self.duration, *ends, *(instant.time for instant in self.coming[:1])])
        middle = self.run.at([0.5 * (self.time + stop)]).values[0]
        return self.given.flow(self._held(), self.given.sides(middle))

    def _carry(self, flow: VariationalFlow, duration: float) -> None:
        """Follow the flow for a time."""
        given = self.given
        pieces = max(1, round(given.pieces * duration / given.unit_time))
        carried = flow.carry(self.state, duration, pieces=pieces)
        if carried.status is not Status.OK:
            raise Lost(carried.status)
        self.time += duration
        self.state = carried.state
        self.divergence += carried.divergence
        for factor in carried.factors:
            self._multiply(factor)

    def _multiply(self, factor: Vector) -> None:
        if self.open is None:
            self.factors.append(factor)
        else:
            self.open = factor @ self.open

    def _meet(self, flow: VariationalFlow, instant: _Instant) -> None:
        """Let the events of an instant happen."""
        system, units = self.given.system, self.given.units
        first = instant.events[0]
        self._arrive(flow, first)
        before, n = self.state, len(self.state)
        after, reset = reset_by(resets_of(system, instant.events), inputs_of(system), before)
        gradient = kernel_value(kernels_of(system).guard_gradient(), system, 0.0, before)
        gradient = gradient.reshape(-1, n + 1)
        arriving = flow.slope(before)
        earlier = gradient[first, :n] / self._rate(first, gradient[first, :n], arriving)
        pauses = [(pause_of(system, system.events[g]), g) for g in instant.events]
        begins = self.open is None and any(pause > 0 for pause, _ in pauses)
        seen = np.eye(n) if self.open is None else self.open
        self.holds += [
            (self.time + pause, g, (earlier * units) @ seen) for pause, g in pauses if pause > 0
        ]
        self.state = after
        leaving = self._flow().slope(after)
        matrix = saltation(reset, reset @ arriving, leaving, earlier) * units / units[:, None]
        if begins:
            self.open, self.until_open = matrix, self.divergence
        else:
            self._multiply(matrix)
        self.divergence += _log_volume(matrix)
        self.corners.append(Corner(self.time, before, after))

    def _arrive(self, flow: VariationalFlow, event: int) -> None:
        """Move to where the guard is zero to round-off."""
        guard = (self.given.system.events[event].guard,)
        kernel = kernels_of(flow.system).guard_and_rate(guard)
        for _ in range(_MOST_STEPS):
            value, rate = kernel_value(kernel, flow.system, 0.0, self.state)
            step = -float(value / rate) if rate else np.inf
            if abs(step) <= _TIME * self.duration:
                return
            if not abs(step) <= _NEAR * self.given.unit_time:
                raise Lost(Status.SINGULAR)
            self._carry(flow, step)

    def _rate(self, event: int, gradient: Vector, arriving: Vector) -> float:
        """Return how fast a guard changes; refuse one that is only grazed."""
        rate = float(gradient @ arriving)
        if abs(rate) * self.given.unit_time > _GRAZED * float(np.abs(gradient) @ self.given.units):
            return rate
        system = self.given.system
        raise SingularProblem(
            f"event {system.events[event].name!r} of {system.name!r} is only grazed on the way: its guard "
            "stands still there, so a deviation may miss it. Change a parameter."
        )

    def _release(self, flow: VariationalFlow) -> None:
        """End the hold that ends now."""
        self.holds.sort(key=lambda hold: hold[0])
        _, _, earlier = self.holds.pop(0)
        before = flow.slope(self.state)
        leaving = self._flow().slope(self.state)
        assert self.open is not None
        self.open = self.open + np.outer((leaving - before) / self.given.units, earlier)
        self.corners.append(Corner(self.time, self.state, self.state))
        if not self.holds:
            self.factors.append(self.open)
            self.divergence = self.until_open + _log_volume(self.open)
            self.open = None


def _log_volume(matrix: Vector) -> float:
    """Return the logarithm of the modulus of a determinant."""
    with np.errstate(divide="ignore"):
        return float(np.linalg.slogdet(matrix)[1])


@functools.lru_cache(maxsize=64)
def _leg(system: System, held: frozenset[str], sides: tuple[int, ...]) -> System:
    return in_leg(system, held, sides)


def instants(run: Trajectory) -> list[_Instant]:
    """Return the events of a run in their order, those at one time together."""
    found: dict[float, list[tuple[int, Vector, Vector]]] = {}
    for g, event in enumerate(run.system.events):
        seen = run.events[event.name]
        after = seen.after.values
        for k, time in enumerate(seen.times):
            found.setdefault(float(time), []).append((g, seen.values[k], after[k]))
    return [_ordered(time, found[time]) for time in sorted(found)]


def _ordered(time: float, events: list[tuple[int, Vector, Vector]]) -> _Instant:
    """Put events of one time in their order: each begins with the state that the one before left."""
    order, left = [events[0]], list(events[1:])
    while left:
        for k, (_, before, after) in enumerate(left):
            if np.array_equal(after, order[0][1]):
                order.insert(0, left.pop(k))
                break
            if np.array_equal(before, order[-1][2]):
                order.append(left.pop(k))
                break
        else:
            order += left
            break
    return _Instant(time, tuple(g for g, *_ in order), order[0][1])
