"""The asymptotic phase of states near a cycle: run until they have come back to it, then read the clock.

The phase of a state x is that of the point of the cycle that it meets in the long run (Winfree 1974, J.
Math. Biol. 1, 73).  After whole periods the phase is what it was.  Near the cycle u it is the phi with
Z(phi) . (x - u(phi)) = 0, up to an error of second order in the distance; Z is the adjoint, dt/dx.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynlab.cycles.problem import Orbit, range_of
from dynlab.point import apart
from dynlab.solve.ensemble import ensemble
from dynlab.solve.integrate import integrate
from dynlab.solve.methods import Explicit8
from dynlab.symbolic.system import System

__all__ = ["Clock"]

Vector = NDArray[np.float64]

#: A state is back when it is this near, in ranges of the states: its phase is then good to the square.
_BACK = 1e-6
#: Where contraction is slow the phase has settled when a further run changes it by less.
_SETTLED = 1e-11
#: The clock is not read farther from the cycle than this.
_NEAR = 0.3
_MOST_PERIODS = 512
_TOLERANCE = 1e-12
_PLACES = 1024
_READINGS = 30


@dataclass(frozen=True, slots=True)
class Clock:
    """A cycle and its adjoint, read as a clock.

    Parameters
    ----------
    system
        The system.
    cycle
        The cycle.
    gradient
        The adjoint on the same mesh: the gradient of the phase, in time.
    """

    system: System
    cycle: Orbit
    gradient: Orbit

    def phases(self, states: Vector) -> Vector:
        """Return the asymptotic phases of states (a row each), parts of a period; nan if they do not come back."""
        found = np.full(len(states), np.nan)
        now = np.array(states, float)
        waiting = np.arange(len(states))
        periods, run = 1, 0
        while len(waiting) and run < _MOST_PERIODS:
            now[waiting] = self._later(now[waiting], periods * self.cycle.period)
            run += periods
            phase, distance = self.read(now[waiting])
            change = np.abs(np.mod(phase - found[waiting] + 0.5, 1.0) - 0.5)
            found[waiting] = np.where(distance < _NEAR, phase, np.nan)
            done = (distance < _BACK) | (change < _SETTLED)
            waiting = waiting[~done & np.isfinite(now[waiting]).all(axis=1)]
            periods = min(2 * periods, 64)
        found[waiting] = np.nan
        return found

    def read(self, states: Vector) -> tuple[Vector, Vector]:
        """Return the phases of states near the cycle, and how far they are from it."""
        units = range_of(self.system, self.cycle.profile)
        places = np.arange(_PLACES) / _PLACES
        dial = self.cycle.at(places) / units
        phase = np.empty(len(states))
        for row, state in enumerate(states):
            off = apart(self.system, state, dial * units) / units
            phase[row] = places[np.argmin(np.einsum("ij,ij->i", off, off))]
        for _ in range(_READINGS):
            off = apart(self.system, states, self.cycle.at(phase))
            step = np.einsum("ij,ij->i", self.gradient.at(phase), off) / self.cycle.period
            phase = np.mod(phase + np.clip(step, -0.05, 0.05), 1.0)
            if not np.any(np.abs(step) > 1e-14):
                break
        off = apart(self.system, states, self.cycle.at(phase)) / units
        return phase, np.linalg.norm(off, axis=1)

    def _later(self, states: Vector, duration: float) -> Vector:
        """Return where states are after some time; nan where the run fails."""
        system = self.system
        method = Explicit8(rtol=_TOLERANCE, atol=_TOLERANCE * float(
            np.min(range_of(system, self.cycle.profile))))  # fmt: skip
        if system.is_indexed:
            ends = [integrate(system, start=x, duration=duration, at=[duration], method=method)
                    for x in states]  # fmt: skip
            return np.array(
                [e.end[1:] if e.status.ok else np.full(len(e.end) - 1, np.nan) for e in ends]
            )
        starts = dict(zip(system.state_names, states.T, strict=True))
        run = ensemble(system, starts=starts, duration=duration, method=method)
        return np.column_stack([run[name] for name in system.state_names])
