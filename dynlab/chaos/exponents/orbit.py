"""An orbit that settles and is then measured; and orbits of maps that rounding has trapped.

In double precision an orbit of a map is periodic in the end.  Mostly that is far beyond any run, but a
state that rounds onto an unstable cycle stays there, and what is measured from then on belongs to
the cycle: the logistic map at r = 4 reaches exactly 1, then 0, after some ten million steps, the doubling map after
53.  So states are compared with earlier ones to the last bit.  If one comes again and the cycle repels, while
the start was not on it, only the steps before are measured.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.exponents.averages import BATCHES
from dynlab.chaos.exponents.deviations import Deviations, Growth, deviations_of, random_vectors
from dynlab.chaos.exponents.histories import Histories
from dynlab.chaos.exponents.hybrid import AlongEvents, require_plain_events
from dynlab.codegen.kernels import kernels_of
from dynlab.errors import AccuracyWarning, SettingError
from dynlab.names import Layout, finite
from dynlab.result import Provenance
from dynlab.seeds import Seed, seed_of
from dynlab.solve.integrate import integrate
from dynlab.solve.iterate import iterate
from dynlab.solve.methods import OdeMethod
from dynlab.status import Status
from dynlab.symbolic.dynamics import Need, require
from dynlab.symbolic.signals import require_recorded
from dynlab.symbolic.system import System

__all__ = ["Followed", "Wanted", "followed"]

Array = NDArray[np.float64]
Traps = Callable[[Array, int], bool]

#: Rows of the growth: 32 batches of 16.
ROWS = 512
#: So many exponents of a system with delays are followed at most.
MOST_OF_DELAYS = 200
#: With fewer rows there is nothing to tell an error from.
FEWEST_ROWS = 8
#: A cycle whose largest multiplier is beyond 1 by this repels.
REPELLING = 1e-6
#: The state on a cycle is known to so many units of rounding.
ROUNDING = 4
#: States compared at once when the first one on a cycle is looked for.
SEARCHED = 1 << 15


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many exponents, over what time, by which method, from which seed."""

    count: int
    duration: float
    transient: float
    method: OdeMethod
    seed: Seed

    @classmethod
    def checked(
        cls, system: System, count: int | None, duration: float, transient: float,
        method: OdeMethod, seed: Any, *needs: Need,
    ) -> Wanted:  # fmt: skip
        """Return what is wanted of a system, or say what of it is impossible."""
        require(system, *needs)
        if system.events:
            require_plain_events(system)
        n = len(system.state_names)
        wanted = n if count is None else finite(count, "count")
        if system.is_delayed and (
            count is None or wanted != int(wanted) or not 1 <= wanted <= MOST_OF_DELAYS
        ):
            raise SettingError(
                f"count is {count!r}, and {system.name!r} has delays and so infinitely many exponents. Say how many of "
                f"the largest: a whole number from 1 to {MOST_OF_DELAYS}, count=4."
            )
        if not system.is_delayed and (wanted != int(wanted) or not 1 <= wanted <= n):
            raise SettingError(
                f"count is {count!r}, but {system.name!r} has {n} states and as many exponents. Give a "
                f"whole number from 1 to {n}, or leave it out for all."
            )
        span, before = finite(duration, "duration"), finite(transient, "transient")
        if span <= 0 or before < 0:
            raise SettingError(
                f"duration is {span:g} and transient is {before:g}; an average needs a positive duration, and "
                "the transient before it must not be negative. To run backwards reverse the equations."
            )
        if system.is_discrete and not (span == int(span) and before == int(before)):
            raise SettingError(
                f"duration is {duration!r} and transient is {transient!r}; a map runs for a whole number "
                "of steps. Give integers."
            )
        if system.is_discrete and span < FEWEST_ROWS:
            raise SettingError(
                f"duration is {span:g} steps of {system.name!r}; deviations must be made orthonormal at "
                f"least {FEWEST_ROWS} times for an average with an error. Give a longer duration."
            )
        require_recorded(system.signals, 0.0, before + span)
        return cls(int(wanted), span, before, method, seed_of(seed))

    def provenance(self, function: str, system: System, seconds: float) -> Provenance:
        """Return where a result came from."""
        settings = {
            "count": self.count, "duration": self.duration, "transient": self.transient,
            "method": self.method, "seed": self.seed.text,
        }  # fmt: skip
        return Provenance(function, system, settings, seconds=seconds)


@dataclass(frozen=True, slots=True)
class Followed:
    """What was measured along an orbit, how it ended, and the cycle that it came to, to the last bit."""

    growth: Growth
    end: Array
    status: Status
    period: int = 0
    is_trapped: bool = False


def followed(
    system: System, start: Mapping[str, float] | Sequence[float] | None, wanted: Wanted
) -> Followed:
    """Follow an orbit with its deviations from a start."""
    begin = Layout.of(system).pack(start, system.start_values)
    if system.is_delayed:
        return _with_histories(system, begin, wanted)
    vectors = random_vectors(wanted.count, len(begin), wanted.seed.stream(0))
    found = _measured(system, begin, vectors, wanted, functools.partial(_repels, system))
    if found.is_trapped:
        found = _before_the_trap(system, begin, vectors, wanted, found.period)
    elif found.period and len(begin) == 1 and _is_superstable(system, found):
        endless = np.full_like(found.growth.logarithms, -np.inf)
        found = replace(
            found, growth=replace(found.growth, logarithms=endless, volumes=endless[:, 0])
        )
    return found


def _with_histories(system: System, begin: Array, wanted: Wanted) -> Followed:
    """Settle and measure a system with delays; its deviations run along from the beginning."""
    carried = Histories(system, begin, wanted.count, wanted.method, wanted.seed.stream(0))
    if wanted.transient:
        carried.measure(wanted.transient, 1, "transient")
    if not carried.status.ok:
        none, state = np.zeros(0), carried.state
        growth = Growth(carried.t, none, np.zeros((0, wanted.count)), none, state, state, 0)
        return Followed(growth, np.append(carried.t, state), carried.status)
    growth = carried.measure(wanted.duration, ROWS)
    return Followed(growth, np.append(carried.t, carried.state), carried.status)


def _measured(
    system: System, begin: Array, vectors: Array, wanted: Wanted, traps: Traps | None
) -> Followed:
    """Settle and measure; end where the orbit of a map comes to a cycle that traps it."""
    carried, status = _settled(system, begin, vectors, wanted)
    if not status.ok:
        return Followed(_nothing(carried), np.append(carried.t, carried.state), status)
    if traps is not None and system.is_autonomous and isinstance(carried, Deviations):
        carried.watch(traps)
    rows = min(ROWS, int(wanted.duration)) if system.is_discrete else ROWS
    growth = carried.measure(wanted.duration, rows)
    if carried.status.ok and len(growth.times) < FEWEST_ROWS:
        growth = _in_pieces(system, begin, vectors, wanted)
    return Followed(
        growth,
        np.append(carried.t, carried.state),
        carried.status,
        carried.period,
        carried.is_trapped,
    )


def _in_pieces(system: System, begin: Array, vectors: Array, wanted: Wanted) -> Growth:
    """Measure in pieces, of a flow so slow that its steps are longer than they."""
    carried, _ = _settled(system, begin, vectors, wanted)
    pieces = [carried.measure(wanted.duration / BATCHES, 1) for _ in range(BATCHES)]
    joined = {
        name: np.concatenate([getattr(piece, name) for piece in pieces])
        for name in ("times", "logarithms", "volumes")
    }
    late = pieces[BATCHES // 2 :]
    low = np.min([piece.low for piece in late], axis=0)
    high = np.max([piece.high for piece in late], axis=0)
    steps = sum(piece.steps for piece in pieces)
    return Growth(pieces[0].begin, **joined, low=low, high=high, steps=steps)


def _settled(
    system: System, begin: Array, vectors: Array, wanted: Wanted
) -> tuple[Deviations | AlongEvents, Status]:
    """Run the transient: the state alone for the first half, with its deviations for the second."""
    alone = wanted.transient // 2 if system.is_discrete else 0.5 * wanted.transient
    state, t = begin, 0.0
    status = Status.OK
    if alone:
        run = (
            iterate(system, start=begin.tolist(), duration=int(alone), at=[int(alone)]) if system.is_discrete
            else integrate(system, start=begin.tolist(), duration=alone, at=[alone], method=wanted.method)
        )  # fmt: skip
        t, state, status = float(run.end[0]), run.end[1:], run.status
    carried: Deviations | AlongEvents
    if system.events:
        carried = AlongEvents(system, state, vectors, wanted.method, t)
    else:
        carried = deviations_of(system, state, vectors, method=wanted.method, begin=t)
    if status.ok and wanted.transient > alone:
        carried.measure(wanted.transient - alone, 1, "transient")
        status = carried.status
    return carried, status


def _nothing(carried: Deviations | AlongEvents) -> Growth:
    state = carried.state
    none = np.zeros(0)
    return Growth(carried.t, none, np.zeros((0, len(carried.vectors))), none, state, state, 0)


def _repels(system: System, state: Array, period: int) -> bool:
    """Whether the cycle of a map through a state has a multiplier beyond 1."""
    jacobian, rule = kernels_of(system).jacobian(), kernels_of(system).rhs
    p, n = np.array(system.parameter_values or (0.0,)), len(state)
    product, size = np.eye(n), 0.0
    for _ in range(period):
        product = jacobian(0.0, state, p).reshape(n, n) @ product
        state = rule(0.0, state, p).copy()
        largest = float(np.abs(product).max())
        if not 0 < largest < math.inf:
            return largest > 0
        product, size = product / largest, size + math.log(largest)
    radius = float(np.abs(np.linalg.eigvals(product)).max())
    return radius > 0 and math.log(radius) + size > REPELLING * period


def _is_superstable(system: System, found: Followed) -> bool:
    """Whether the slope of a map of the line is zero, to the rounding of its state, somewhere on a cycle."""
    jacobian, rule = kernels_of(system).jacobian(), kernels_of(system).rhs
    p, state = np.array(system.parameter_values or (0.0,)), found.end[1:]
    for _ in range(found.period):
        near = ROUNDING * np.spacing(np.abs(state))
        low, high = (float(jacobian(0.0, x, p)[0]) for x in (state - near, state + near))
        if low * high <= 0:
            return True
        state = rule(0.0, state, p).copy()
    return False


def _before_the_trap(
    system: System, begin: Array, vectors: Array, wanted: Wanted, period: int
) -> Followed:
    """Measure the steps before rounding put the orbit onto a cycle that repels."""
    step = _first_on_cycle(system, begin, period)
    if step == 0:
        return _measured(system, begin, vectors, wanted, None)
    left = step - wanted.transient
    kept = wanted.transient if left >= FEWEST_ROWS else 0.0
    shorter = replace(wanted, transient=kept, duration=max(step - kept, 1.0))
    warnings.warn(
        f"rounding put the orbit of {system.name!r} onto an unstable cycle of period {period} after {step} "
        "steps, where it stays. The exponents are those of the steps before. Average over several starts, "
        "or perturb a number of the map in its last digits.",
        AccuracyWarning,
        stacklevel=4,
    )
    found = _measured(system, begin, vectors, shorter, None)
    return replace(found, status=Status.ABSORBED)


def _first_on_cycle(system: System, begin: Array, period: int) -> int:
    """Return the first step whose state is, to the last bit, the one a period later."""
    state, first = begin, 0
    while True:
        run = iterate(system, start=state.tolist(), duration=SEARCHED + period).values
        same = np.flatnonzero((run[period:] == run[:-period]).all(axis=1))
        if same.size:
            return first + int(same[0])
        state, first = run[SEARCHED], first + SEARCHED
