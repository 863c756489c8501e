"""A cycle with a given itinerary as a system of equations: multiple shooting with free times.

Unknown are the states x_k at which the stretches begin, their durations T_k, and a parameter l:

    R_k(phi_k(x_k, T_k, l), l) - x_{k+1} = 0       k = 0 ... K-1;  x_K = x_0 + whole turns
    g_k(phi_k(x_k, T_k, l), l) = 0                 where an event ends the stretch,
    T_j + ... + T_k - pause(l) = 0                 where a hold ends that began before stretch j,
    T_k - T_j = 0                                  where it is cut

with R_k the resets of the events at its end.  The flow phi_k is that of the stretch alone, so the equations
are smooth also where the system itself would meet another event, or this one no more: a branch can be
followed through a grazing contact, and where that is can be solved for.  (Dercole and Kuznetsov 2005, ACM
Trans. Math. Softw. 31, 95; Thota and Dankowicz 2008, SIAM J. Appl. Dyn. Syst. 7, 1283.)

The parameter is carried as a state that stands still, so derivatives by it come with those by the states,
exactly.  Deviations are carried round by square matrices that act on (u, s, h_1 ...): the deviation u, how
much later s the stretch has ended, and what s was when each hold began.  The eigenvalues of their product are
the Floquet multipliers and a zero for each number beside u.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import Inputs, inputs_of
from dynlab.codegen.kernels import Kernel, kernels_of
from dynlab.cycles.cycle import floquet_order
from dynlab.cycles.itinerary import Itinerary
from dynlab.cycles.passage import Lost
from dynlab.cycles.problem import PERIOD
from dynlab.kernels import dense
from dynlab.solve.methods import Explicit8
from dynlab.solve.saltation import reset_by, resets_of
from dynlab.solve.variational import VariationalFlow
from dynlab.status import Status
from dynlab.symbolic.events import in_leg
from dynlab.symbolic.lifted import lifted
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import symbol

__all__ = ["HybridProblem", "Leg", "Tour"]

Vector = NDArray[np.float64]

_NEWTON = 10
#: Newton's steps may grow by this factor, once or twice, on the way.
_GROWS = 4.0
#: A stretch that takes more than so many periods is a step of Newton's method gone wrong.
_LONGEST = 3.0
#: Stretches along which deviations grow by more than this are cut, until there are so many.
_WILD, _MOST_STRETCHES = 1e5, 60


class Leg(NamedTuple):
    """One stretch gone through: in units of the states, the parameter and the period.

    `flow` and `reset` are derivatives by states and parameter, `condition` those of what ends the stretch,
    and `miss` is how far that is from zero; `slope` is the flow before the end, `rate` how fast it makes the
    guard pass.
    """

    end: Vector
    after: Vector
    flow: Vector
    reset: Vector
    slope: Vector
    condition: Vector
    miss: float
    rate: float


class Tour(NamedTuple):
    """A turn: its legs, and the equations there (scaled): what they miss, and their derivatives."""

    legs: tuple[Leg, ...]
    misses: Vector
    matrix: Vector


@dataclass(frozen=True, slots=True)
class HybridProblem:
    """Cycles of a system with one itinerary, over one parameter.

    Parameters
    ----------
    system, vary
        The system, and its parameter.
    itinerary
        The stretches.
    turns
        Whole turns that states on a circle make in a period.
    units
        Units of the states, of the period and of the parameter.
    method
        The integrator.
    """

    system: System
    vary: str
    itinerary: Itinerary
    turns: Vector
    units: Vector
    method: Explicit8
    _inputs: Inputs = field(init=False, repr=False)
    _guards: tuple[Kernel, Kernel] = field(init=False, repr=False)
    _resets: tuple[tuple[tuple[Kernel, Kernel], ...], ...] = field(init=False, repr=False)
    _flows: tuple[VariationalFlow, ...] = field(init=False, repr=False)
    _pauses: Kernel | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        whole = lifted(self.system, self.vary)
        unit = np.append(self.units[:-2], self.units[-1])
        made: dict[tuple[frozenset[str], tuple[int, ...]], VariationalFlow] = {}
        for each in self.itinerary.stretches:
            if each[:2] not in made:
                smooth = in_leg(whole, each.held, each.sides)
                made[each[:2]] = VariationalFlow(smooth, unit, self.method)
        pauses = [self.system.events[self.itinerary.stretches[k].released].refractory
                  for k in self.itinerary.holds]  # fmt: skip
        given = [e for pause in pauses if pause is not None
                 for e in (pause, pause.diff(symbol(self.vary)))]  # fmt: skip
        kernel = kernels_of(self.system).expressions(given) if given else None
        kernels = kernels_of(whole)
        for name, value in (
            ("_inputs", inputs_of(whole)),
            ("_guards", (kernels.guard([e.guard for e in whole.events]), kernels.guard_gradient())),
            ("_resets", tuple(resets_of(whole, each.events) for each in self.itinerary.stretches)),
            ("_flows", tuple(made[each[:2]] for each in self.itinerary.stretches)),
            ("_pauses", kernel),
        ):
            object.__setattr__(self, name, value)

    @property
    def count(self) -> int:
        """Number of stretches."""
        return len(self.itinerary)

    @property
    def size(self) -> int:
        """Number of states."""
        return len(self.turns)

    @property
    def scale(self) -> Vector:
        """Units of the unknowns: the mean square of their deviations is that along the cycle."""
        count, wide = self.count, np.sqrt(self.count)
        times = np.full(count, self.units[-2])
        return np.concatenate([np.tile(self.units[:-2] * wide, count), times, self.units[-1:]])

    def pack(self, states: Vector, durations: Vector, value: float) -> Vector:
        """Return the unknowns, plain."""
        return np.concatenate([states.ravel(), durations, [value]])

    def states(self, u: Vector) -> Vector:
        """Return where the stretches begin."""
        return u[: self.count * self.size].reshape(self.count, self.size)

    def durations(self, u: Vector) -> Vector:
        """Return how long they take."""
        return u[self.count * self.size : -1]

    def period(self, u: Vector) -> float:
        """Return the period."""
        return float(np.sum(self.durations(u)))

    def growth(self, tour: Tour) -> Vector:
        """Return by how much deviations grow along each stretch, at most."""
        n = self.size
        return np.array([np.linalg.norm(leg.flow[:n, :n], 2) for leg in tour.legs])

    def sharper(self, u: Vector, tour: Tour) -> tuple[HybridProblem, Vector] | None:
        """Return equations and unknowns with stretches cut along which deviations grow much; None if none do."""
        stretches = self.itinerary.stretches
        growing = np.flatnonzero(self.growth(tour) > _WILD).tolist()
        wild = self.itinerary.tied({k for k in growing if not stretches[k].deaf})
        if not wild or self.count + len(wild) > _MOST_STRETCHES:
            return None
        states, durations, value = self.states(u), self.durations(u), float(u[-1])
        new_states, new_durations = [], []
        for k in range(self.count):
            new_states.append(states[k])
            if k in wild:
                half = self._flows[k].carry(np.append(states[k], value), 0.5 * durations[k])
                if half.status is not Status.OK:
                    return None
                new_states.append(half.state[:-1])
            new_durations += [0.5 * durations[k]] * 2 if k in wild else [durations[k]]
        finer = replace(self, itinerary=self.itinerary.cut(wild))
        return finer, finer.pack(np.array(new_states), np.array(new_durations), value)

    def row_of(self, held: int) -> Vector:
        """Return the row that gives the period or the parameter, in their units, of scaled unknowns."""
        row = np.zeros(self.count * (self.size + 1) + 1)
        if held == PERIOD:
            row[self.count * self.size : -1] = 1.0
        else:
            row[-1] = 1.0
        return row

    def at(self, value: float) -> System:
        """Return the system at a value of the parameter."""
        return self.system(**{self.vary: float(value)})

    def smooth(self, k: int, value: float) -> System:
        """Return the flow along a stretch, without events."""
        each = self.itinerary.stretches[k]
        return replace(in_leg(self.at(value), each.held, each.sides), events=())

    def tour(self, u: Vector) -> Tour:
        """Go round once.

        Raises
        ------
        Lost
            If a stretch cannot be gone through.
        """
        n, count, value = self.size, self.count, float(u[-1])
        states, durations = self.states(u), self.durations(u)
        legs = [self._leg(k, states[k], float(durations[k]), value) for k in range(count)]
        following = np.vstack([states[1:], states[0] + self.turns])
        misses = np.empty(count * (n + 1))
        matrix = np.zeros((count * (n + 1), count * (n + 1) + 1))
        pauses = self._pause(value)
        for k, (leg, each) in enumerate(zip(legs, self.itinerary.stretches, strict=True)):
            rows, later = slice(k * n, (k + 1) * n), (k + 1) % count
            time, last = count * n + k, count * n + k
            misses[rows] = (leg.after - following[k]) / self.units[:-2]
            carried = leg.reset @ leg.flow
            matrix[rows, rows] += carried[:n, :n]
            matrix[rows, later * n : (later + 1) * n] -= np.eye(n)
            matrix[rows, time] = leg.reset[:n, :n] @ leg.slope
            matrix[rows, -1] = carried[:n, n]
            if each.events:
                misses[last] = leg.miss
                by = leg.condition @ leg.flow
                matrix[last, rows], matrix[last, -1] = by[:n], by[n]
                matrix[last, time] = leg.rate
            elif each.released >= 0:
                pause, slope = pauses[k]
                since = each.since + 1
                misses[last] = (np.sum(durations[since : k + 1]) - pause) / self.units[-2]
                matrix[last, count * n + since : time + 1] = 1.0
                matrix[last, -1] = -slope * self.units[-1] / self.units[-2]
            else:
                misses[last] = (durations[k] - durations[each.like]) / self.units[-2]
                matrix[last, time] += 1.0
                matrix[last, count * n + each.like] -= 1.0
        plain = np.concatenate([np.tile(self.units[:-2], count), np.full(count, self.units[-2]),
                                self.units[-1:]])  # fmt: skip
        return Tour(tuple(legs), misses, matrix * (self.scale / plain))

    def _leg(self, k: int, state: Vector, duration: float, value: float) -> Leg:
        """Go through one stretch."""
        each, flow, n = self.itinerary.stretches[k], self._flows[k], self.size
        if not abs(duration) <= _LONGEST * self.units[-2]:
            raise Lost(Status.NOT_CONVERGED)
        carried = flow.carry(np.append(state, value), duration)
        if carried.status is not Status.OK or not np.all(np.isfinite(carried.state)):
            raise Lost(carried.status)
        end = carried.state
        factor = carried.factors[0] if carried.factors else np.eye(n + 1)
        unit = np.append(self.units[:-2], self.units[-1])
        slope = flow.slope(end)[:n] * self.units[-2] / self.units[:-2]
        if not each.events:
            nothing = np.zeros(n + 1)
            return Leg(end[:n], end[:n], factor, np.eye(n + 1), slope, nothing, 0.0, 0.0)
        after, reset = reset_by(self._resets[k], self._inputs, end)
        values, gradients = self.guards(end)
        gradient = gradients[each.events[0]] * unit
        size = float(np.sum(np.abs(gradient)))
        gradient = gradient / size
        return Leg(
            end[:n], after[:n], factor, reset * unit / unit[:, None], slope, gradient,
            float(values[each.events[0]]) / size, float(gradient[:n] @ slope),
        )  # fmt: skip

    def guards(self, state: Vector) -> tuple[Vector, Vector]:
        """Return the guards at a state with the parameter, and their gradients."""
        width, (guards, slopes) = len(state) + 1, self._guards
        values, gradients = np.empty(guards.size), np.empty(slopes.size)
        dense.call(guards.address, 0.0, np.ascontiguousarray(state), *self._inputs, values)
        dense.call(slopes.address, 0.0, np.ascontiguousarray(state), *self._inputs, gradients)
        return values, gradients.reshape(-1, width)[:, :-1]

    def rest_at_end(self, k: int, state: Vector) -> float:
        """Return the parameter at which an equilibrium is where a stretch is ended by its event, near a state."""
        flow, g = self._flows[k].system, self.itinerary.stretches[k].events[0]
        kernels, width, now = kernels_of(flow), len(state), state.copy()
        for _ in range(_NEWTON):
            rates, slopes = np.empty(width), np.empty(width * width)
            dense.call(kernels.rhs.address, 0.0, now, *inputs_of(flow), rates)
            dense.call(kernels.jacobian().address, 0.0, now, *inputs_of(flow), slopes)
            values, gradients = self.guards(now)
            matrix = np.vstack([slopes.reshape(width, width)[:-1], gradients[g]])
            now = now - np.linalg.lstsq(matrix, np.append(rates[:-1], values[g]), rcond=None)[0]
        return float(now[-1])

    def _pause(self, value: float) -> dict[int, tuple[float, float]]:
        """Return for each stretch that ends a hold how long that is, and its derivative."""
        if self._pauses is None:
            return {}
        p = np.array(self.system.parameter_values)
        p[self.system.parameter_names.index(self.vary)] = value
        found = self._pauses(0.0, np.array(self.system.start_values), p).reshape(-1, 2)
        return {
            k: (float(a), float(b)) for k, (a, b) in zip(self.itinerary.holds, found, strict=True)
        }

    def solve(
        self, guess: Vector, row: Vector, value: float, tolerance: float
    ) -> tuple[Vector, Tour] | None:
        """Return the cycle near a guess with row . y = value, y in the scale; None if there is none."""
        scale = self.scale
        y, last = guess / scale, np.inf
        for _ in range(_NEWTON):
            try:
                tour = self.tour(y * scale)
                step = np.linalg.solve(
                    np.vstack([tour.matrix, row]), -np.append(tour.misses, row @ y - value)
                )
            except (Lost, np.linalg.LinAlgError):
                return None
            size = float(np.max(np.abs(step)))
            if not np.isfinite(size) or size > _GROWS * last:
                return None
            y = y + step
            if size < tolerance:
                return y * scale, tour
            last = size
        return None

    def multipliers(self, tour: Tour) -> NDArray[np.complex128]:
        """Return the Floquet multipliers."""
        from dynlab.kernels import floquet

        n, holds = self.size, self.itinerary.holds
        width = n + 1 + len(holds)
        factors = np.empty((self.count, width, width))
        for k, (leg, each) in enumerate(zip(tour.legs, self.itinerary.stretches, strict=True)):
            later = np.zeros(width)  # by how much more this stretch is late
            if each.events:
                with np.errstate(divide="ignore", invalid="ignore"):
                    later[:n] = -(leg.condition[:n] @ leg.flow[:n, :n]) / leg.rate
            elif each.released >= 0:
                later[n], later[n + 1 + holds.index(k)] = -1.0, 1.0
            elif k + 1 == self.count:
                later[n] = -1.0
            factor = np.eye(width)
            factor[:n, :n] = leg.flow[:n, :n]
            if not np.all(np.isfinite(later)):
                return np.full(n, np.nan + 0j)
            factor[:n] = leg.reset[:n, :n] @ (factor[:n] + np.outer(leg.slope, later))
            factor[n] += later
            for slot, hold in enumerate(holds):
                if self.itinerary.stretches[hold].since == k:
                    factor[n + 1 + slot] = factor[n]
            factors[k] = factor
        found = floquet_order(floquet.of_product(factors))
        return np.asarray(found[:n])
