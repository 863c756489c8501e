"""Deviations along a flow with events: the variational equation between them, the saltation matrix at each.

A run of the system itself tells when which event comes, and the states on both sides.  From state to state the
deviations are carried by the smooth rule, at an event they are multiplied by its saltation matrix
(`dynlab.solve.saltation`); so nothing drifts from the run.  Exponents of such systems: Mueller 1995, Chaos
Solitons Fractals 5, 1671.

Cost: the run, the deviations, and some tenths of a millisecond for each event.  What makes it fail: two events at one
instant, refractory times, and guards that are only grazed.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.exponents.deviations import Deviations, Growth, deviations_of
from dynlab.codegen.kernels import kernels_of
from dynlab.errors import UnsupportedSystemError
from dynlab.progress import tick
from dynlab.solve.integrate import integrate
from dynlab.solve.methods import OdeMethod
from dynlab.solve.saltation import kernel_value, saltation_matrix
from dynlab.solve.trajectory import Trajectory
from dynlab.status import Status
from dynlab.symbolic.events import in_leg
from dynlab.symbolic.system import System

__all__ = ["AlongEvents", "require_plain_events"]

Array = NDArray[np.float64]
#: A row takes milliseconds: 32 batches of 4.
ROWS = 128


class _Event(NamedTuple):
    time: float
    name: str
    before: Array
    after: Array


def require_plain_events(system: System) -> None:
    """Raise UnsupportedSystemError unless deviations can be carried across the events of a system."""
    pausing = [event.name for event in system.events if event.refractory is not None]
    if system.is_indexed:
        why = "it is a network whose nodes have events"
    elif not system.is_autonomous:
        why = "it has events and depends on the time; make the phase a state with .with_phase"
    elif pausing:
        why = f"its event {pausing[0]!r} has a refractory time; write the event without refractory="
    else:
        return
    raise UnsupportedSystemError(
        f"{system.name!r} has exponents that cannot be computed here: {why}."
    )


class AlongEvents:
    """A state with deviations from it that moves through events when it is measured.

    Attributes
    ----------
    t, state, vectors
        The time, the state and the orthonormal deviations of now, one in each row.
    status
        How the last measurement ended.
    """

    period, is_trapped = 0, False

    def __init__(
        self, system: System, start: Array, vectors: Array, method: OdeMethod, begin: float
    ) -> None:
        self._system, self._method = system, method
        self.t, self.state, self.vectors = begin, start, vectors
        self.status = Status.OK
        self._legs: dict[tuple[int, ...], Deviations] = {}

    def measure(self, span: float, rows: int, note: str = "exponents") -> Growth:
        """Carry them over some time, orthonormal again and again, and add up how they grow."""
        begin, rows = self.t, min(rows, ROWS)
        times, logarithms, volumes, states = [], [], [], []
        steps, self.status = 0, Status.OK
        for row in range(rows):
            run = integrate(
                self._system, start=self.state.tolist(), duration=span / rows, method=self._method
            )
            grown, volume, taken = self._through(run)
            self.state = run.end[1:].copy()
            self.t += float(run.end[0])
            steps += taken
            if grown is not None and run.end[0] > 0:
                times.append(self.t)
                logarithms.append(grown)
                volumes.append(volume)
            if 2 * row >= rows or not run.status.ok:
                states.append(run.values)
            self.status = run.status
            if not run.status.ok:
                break
            if not tick(self.t - begin, span, note):
                self.status = Status.STOPPED
                break
        box = np.concatenate(states) if states else self.state[None, :]
        table = np.array(logarithms).reshape(-1, len(self.vectors))
        full = len(self.vectors) == len(self.state)
        return Growth(
            begin, np.array(times), table, np.array(volumes if full else []),
            box.min(axis=0), box.max(axis=0), steps,
        )  # fmt: skip

    def _through(self, run: Trajectory) -> tuple[Array | None, float, int]:
        """Carry the deviations along a run; return the logarithms and the volume that they gained."""
        grown, volume, taken = np.zeros(len(self.vectors)), 0.0, 0
        state, now = run.values[0], 0.0
        for event in [*_events(run), None]:
            until = event.time if event else float(run.end[0])
            if until > now:
                along = self._leg(run, 0.5 * (now + until))
                along.put(state, self.vectors)
                growth = along.measure(until - now, 1)
                if not along.status.ok:
                    return None, 0.0, taken
                grown += growth.logarithms.sum(axis=0)
                volume += float(growth.volumes.sum())
                taken += growth.steps
                self.vectors = along.vectors
            if event is not None:
                jump = saltation_matrix(self._system, event=event.name, at=event.before.tolist())
                along.put(event.after, self.vectors @ jump.T)
                with np.errstate(divide="ignore"):
                    grown += np.log(np.diag(along.orthonormalise()))
                    volume += float(np.linalg.slogdet(jump)[1])
                self.vectors = along.vectors
                state, now = event.after, event.time
        return grown, volume, taken

    def _leg(self, run: Trajectory, time: float) -> Deviations:
        """Return a run of the rule as it is around a time, on one side of each switch."""
        system = self._system
        guards = kernels_of(system).guard([event.guard for event in system.events])
        sides = tuple(
            int(np.sign(value)) if event.direction == 0 else 0
            for event, value in zip(
                system.events, kernel_value(guards, system, time, run.at([time]).values[0]), strict=True
            )
        )  # fmt: skip
        if sides not in self._legs:
            rule = replace(in_leg(system, frozenset(), sides), events=())
            self._legs[sides] = deviations_of(rule, self.state, self.vectors, method=self._method)
        return self._legs[sides]


def _events(run: Trajectory) -> list[_Event]:
    """Return the events of a run in their order."""
    found = [
        _Event(float(time), name, before, after)
        for name, of in run.events.items()
        for time, before, after in zip(of.times, of.values, of.after.values, strict=True)
    ]
    found.sort(key=lambda event: event.time)
    for first, second in itertools.pairwise(found):
        if first.time == second.time:
            raise UnsupportedSystemError(
                f"events {first.name!r} and {second.name!r} of {run.system.name!r} come at one instant, "
                f"t = {first.time:g} of a run, where deviations have no derivative. Make them one event."
            )
    return found
