"""Deviations of a system with delays: their state is a piece of history, so they are functions and have no end.

    v'(t) = A_0(t) v(t) + sum_k A_k(t) v(t - tau_k)

The state of a system with delays is what it was over the longest delay tau.  Deviations are carried along with the orbit
by the same steps, and kept as the same polynomials (`dynlab.kernels.delayed`).  They are made orthonormal in

    <u, v> = u(t) v(t) + 1/tau integral of u v over the longest delay before t,

which Gauss's rule gives exactly for the polynomials of each step, and then all of the history is combined as the present is:
the equation is linear, so what goes on is exact.  (Farmer 1982, Physica D 4, 366, does so with equal steps of Euler's
method.)  Any norm gives the same exponents.

Cost for m deviations: m + 1 times that of the orbit; and for each time they are made orthonormal m^2 for each of some ten
places in each step of a delay.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.exponents.deviations import Growth
from dynlab.kernels import run
from dynlab.kernels.convention import RUNNING
from dynlab.solve.chunks import in_chunks
from dynlab.solve.history import interpolated
from dynlab.solve.lagging import Lagging, nothing_to_watch
from dynlab.solve.methods import OdeMethod
from dynlab.solve.trajectory import Steps
from dynlab.status import Status
from dynlab.symbolic.delays import lag_values
from dynlab.symbolic.system import System

__all__ = ["Histories"]

Array = NDArray[np.float64]

#: Deviations may grow apart by about this factor before they are made orthonormal again: an error of a step is magnified
#: as much in the smallest.  One alone may grow by the square root of what a double holds.
SPREAD, ALONE = math.log(30.0), math.log(1e100)
#: The time until then grows by this at most; so many steps are taken before it is looked at.
GROW_MOST, MOST_AT_ONCE = 2.0, 64
#: A deviation of which no more than this is left beside those before it has vanished: there are finitely many.
VANISHED = 64 * float(np.finfo(float).eps)
#: Gauss's rule with 8 points is exact for the products of polynomials of degree 7.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(run.POWERS)
_NODES, _WEIGHTS = 0.5 * (_NODES + 1.0), 0.5 * _WEIGHTS


class Histories:
    """A state of a system with delays, and deviations from it, now; it moves when it is carried.

    Parameters
    ----------
    system
        The system.
    start
        Its state at time 0, and all the time before.
    count
        How many deviations; they begin as random smooth functions.
    method
        Tolerances.
    generator
        Draws the deviations.

    Attributes
    ----------
    status
        `Status.OK`, or why it cannot be carried further.
    period, is_trapped
        0 and False: what comes again in a map does not here.
    """

    period = 0
    is_trapped = False

    def __init__(
        self,
        system: System,
        start: Array,
        count: int,
        method: OdeMethod,
        generator: np.random.Generator,
    ) -> None:
        rtol, atol = getattr(method, "rtol", 0.0), getattr(method, "atol", 0.0)
        # Deviations of this size have their error measured against their size; see kernels.tangent.
        self._unit = atol / rtol if rtol and atol else 1.0
        self._n, self._m = len(start), count
        longest = max(lag_values(system), default=0.0)
        waves = generator.standard_normal((count + 2, count, self._n)) * self._unit
        rates = np.pi * np.arange(count + 2) / (longest or 1.0)

        def state_at(t: float) -> Array:
            deviations = np.tensordot(np.cos(rates * t), waves, axes=1)
            return np.concatenate([start, deviations.ravel()])

        past = interpolated(state_at, longest, 0.0)
        self._run = Lagging(system, past, state_at(0.0), method)
        self.status = Status.OK

    @property
    def t(self) -> float:
        """The time of now."""
        return self._run.t

    @property
    def state(self) -> Array:
        """The state of now, without its past."""
        return self._run.state[: self._n]

    @property
    def vectors(self) -> Array:
        """The deviations of now, one in each row, without their past."""
        return np.asarray(self._run.state[self._n :].reshape(self._m, self._n) / self._unit)

    def measure(self, span: float, rows: int, note: str = "exponents") -> Growth:
        """Carry them over some time, orthonormal again and again, and add up how they grow."""
        carried, begin = self._run, self.t
        watched, found = nothing_to_watch(carried.work.shape[1])
        table: list[Array] = []
        box = np.array([np.full(self._n, np.inf), np.full(self._n, -np.inf)])
        sums, block = np.zeros(self._m), span / rows
        following, last, interval = begin + block, begin, 0.0
        self._orthonormalise()

        def take(steps: int) -> int:
            nonlocal following, last, interval
            status = RUNNING
            while steps > 0 and status == RUNNING:
                carried.make_room()
                wanted = self._steps_until(min(last + interval, following))
                before = carried.count
                status = carried.take(min(wanted, steps), watched, found)
                steps -= max(carried.count - before, 1)
                if self.t >= begin + 0.5 * span:
                    x = carried.work[run.X, : self._n]
                    np.minimum(box[0], x, out=box[0])
                    np.maximum(box[1], x, out=box[1])
                if status == RUNNING and self.t < min(last + interval, following):
                    continue
                if not np.isfinite(carried.work[run.X]).all():
                    break
                logs = self._orthonormalise()
                sums[:] += logs
                interval = self._interval(self.t - last, logs)
                last = self.t
                if last >= following or status != RUNNING:
                    table.append(np.concatenate([[last], sums]))
                    sums[:] = 0.0
                    following += block * max(1.0, math.ceil((last - following) / block))
            return status

        self.status = carried.aim(begin + span)
        before = carried.steps
        if self.status is Status.RUNNING:
            self.status = in_chunks(take, lambda: self.t - begin, span, note, 64)
        written = np.array(table).reshape(-1, 1 + self._m)
        taken = carried.steps - before
        return Growth(begin, written[:, 0], written[:, 1:], np.zeros(0), box[0], box[1], taken)

    def _steps_until(self, t: float) -> int:
        """Return how many steps of the size of the last one lead to a time."""
        size = float(self._run.numbers[run.TAKEN] or self._run.numbers[run.STEP])
        return int(min(max(1.0, math.ceil((t - self.t) / size)), MOST_AT_ONCE))

    def _interval(self, elapsed: float, logs: Array) -> float:
        """Return after what time to make them orthonormal again, as they grew by so much in the last one."""
        finite = logs[np.isfinite(logs)]
        apart = float(np.ptp(finite)) / SPREAD if finite.size else 1.0
        grown = float(np.abs(finite).max(initial=0.0)) / ALONE
        return elapsed * min(1.0 / max(apart, grown, 1e-3), GROW_MOST)

    def _orthonormalise(self) -> Array:
        """Make the deviations orthonormal, their past with them; return the logarithms of their lengths."""
        carried, n, m = self._run, self._n, self._m
        past, now = carried.past, carried.t
        first = max(int(np.searchsorted(past.starts, now - carried.longest, side="right")) - 1, 0)
        # Rows before are beyond every delay; they would only underflow.
        past = Steps(past.starts[first:], past.sizes[first:], past.coefficients[first:])
        rows, powers = len(past.starts), run.POWERS
        shaped = past.coefficients[:, :, n:].reshape(rows, powers, m, n)
        # Of the oldest step only what is within the longest delay.
        shares = np.clip((past.starts + past.sizes - (now - carried.longest)) / past.sizes, 0, 1)
        places = 1.0 - shares[:, None] * (1.0 - _NODES)
        values = np.einsum("rgp,rpmn->rgnm", places[:, :, None] ** np.arange(powers), shaped)
        weights = np.sqrt((shares * past.sizes)[:, None] * _WEIGHTS / (carried.longest or 1.0))
        present = carried.work[run.X, n:].reshape(m, n).T
        matrix = np.vstack([present, (values * weights[:, :, None, None]).reshape(-1, m)])
        r = np.asarray(np.linalg.qr(matrix / self._unit, mode="r"))
        sizes = np.diag(r).copy()
        gone = np.abs(sizes) <= VANISHED * np.linalg.norm(r, axis=0)
        with np.errstate(divide="ignore"):
            logs = np.log(np.where(gone, 0.0, np.abs(sizes)))
        np.fill_diagonal(r, np.where(gone, 1.0, sizes))
        combine = np.linalg.inv(r) * np.where(sizes < 0, -1.0, 1.0)
        past.coefficients[:, :, n:] = np.einsum("rpmn,mk->rpkn", shaped, combine).reshape(
            rows, powers, m * n
        )
        for place in (run.X, run.K0):
            carried.work[place, n:] = (combine.T @ carried.work[place, n:].reshape(m, n)).ravel()
        return logs
