"""p' = L(t, p) p in time, as products of exponentials of generators.

A generator that depends on the time:

    p(t + h) = exp(h (b L_1 + a L_2)) exp(h (a L_1 + b L_2)) p,    a = 1/4 + sqrt(3)/6,  b = 1/4 - sqrt(3)/6

with L at the two points of Gauss (Blanes and Moan 2006, Appl. Numer. Math. 56, 1519).  One that depends on the density as well: four evaluations and five exponentials
(Celledoni, Marthinsen and Owren 2003, Future Gener. Comput. Syst. 19, 341).  Both are of fourth order.

Each factor is the exponential of a generator as long as none of its rates is negative, so mass is exact and densities stay
positive, at any step: nothing is lost as in implicit Runge-Kutta methods, whose explicit stages turn negative.  Where the
negative weights win a step is halved.  The step is chosen by comparison with two of half its length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import NotConverged, UnsupportedSystemError
from dynlab.status import Status
from dynlab.stochastic.generator.generator import Generator
from dynlab.stochastic.generator.propagate import propagated

__all__ = ["Evolved", "driven_factors", "driven_step", "evolved", "product", "self_consistent_step"]

Array = NDArray[np.float64]
Step = Callable[[float, float, Array], Array | None]

#: The nodes of Gauss and the weights of their generators.
EARLY, LATE = 0.5 - 3**0.5 / 6, 0.5 + 3**0.5 / 6
MORE, LESS = 0.25 + 3**0.5 / 6, 0.25 - 3**0.5 / 6
#: The steps of a run differ from the limit by so much in L1, all together.
TOLERANCE = 1e-8
#: The exponentials themselves are no better than this.
FLOOR = 2e-12
#: By how much a step may grow or shrink, and the share of the span that is given up on.
GROWTH, SHRINKAGE, SMALLEST = 4.0, 0.2, 1e-9
ORDER = 4


class Evolved(NamedTuple):
    """The states at the times, the estimated error of all steps, and how long these were, for each span."""

    rows: Array
    error: float
    steps: list[list[float]]


def driven_factors(
    generator_at: Callable[[float], Generator], time: float, h: float
) -> list[Generator | None]:
    """Return the generators whose exponentials make one step, the first to act first."""
    pair = generator_at(time + EARLY * h), generator_at(time + LATE * h)
    return [_combined((MORE * h, LESS * h), pair), _combined((LESS * h, MORE * h), pair)]


def driven_step(generator_at: Callable[[float], Generator]) -> Step:
    """Return the step of a generator that depends on the time; it gives None if a rate would be negative."""

    def step(time: float, h: float, state: Array) -> Array | None:
        return product(state, driven_factors(generator_at, time, h))

    return step


def self_consistent_step(generator_at: Callable[[float, Array], Generator]) -> Step:
    """Return the step of a generator that depends on the time and on the state."""

    def step(time: float, h: float, state: Array) -> Array | None:
        half = time + 0.5 * h
        first = generator_at(time, state)
        two = product(state, [_combined((0.5 * h,), (first,))])
        if two is None:
            return None
        second = generator_at(half, two)
        three = product(state, [_combined((0.5 * h,), (second,))])
        if three is None:
            return None
        third = generator_at(half, three)
        four = product(two, [_combined((h, -0.5 * h), (third, first))])
        if four is None:
            return None
        all_ = (first, second, third, generator_at(time + h, four))
        return product(state, [
            _combined(tuple(h / 12 * np.array([3, 2, 2, -1])), all_),
            _combined(tuple(h / 12 * np.array([-1, 2, 2, 3])), all_),
        ])  # fmt: skip

    return step


def evolved(step: Step, start: Array, times: Array, tolerance: float = TOLERANCE) -> Evolved:
    """Return the states at ascending times.

    Raises
    ------
    NotConverged
        If the steps become too small.
    """
    rows, error = np.empty((times.size, start.size)), 0.0
    taken: list[list[float]] = []
    now, state, length = 0.0, start, float(times[-1]) / 64
    whole = float(times[-1]) or 1.0
    for row, time in enumerate(times):
        taken.append([])
        while now < time:
            h = min(length, float(time) - now)
            is_last = time - now - h < 0.1 * h
            if is_last:
                h = float(time) - now
            found = _halved(step, now, h, state)
            if found is None:
                length = 0.5 * h
            else:
                new, off = found
                allowed = max(tolerance * h / whole, FLOOR)
                wanted = h * min(0.9 * (allowed / max(off, 1e-300)) ** (1 / ORDER), GROWTH)
                if off <= allowed:
                    state, error = new, error + off
                    taken[-1] += [0.5 * h, 0.5 * h]
                    now = float(time) if is_last else now + h
                    # A step cut short by a time that is recorded says little about the next.
                    length = max(wanted, length) if h < length else wanted
                else:
                    length = max(wanted, SHRINKAGE * h)
            if length < SMALLEST * whole:
                raise NotConverged(
                    f"the density did not converge at t = {now:g}: steps became {length:.1g}. Look at what the drift "
                    "does there, or give finer cells.",
                    status=Status.NOT_CONVERGED,
                )
        rows[row] = state
    return Evolved(rows, error, taken)


def _halved(step: Step, time: float, h: float, state: Array) -> tuple[Array, float] | None:
    """Return the state after two steps of half the length, and its distance from the one after one, over 15."""
    whole = step(time, h, state)
    middle = step(time, 0.5 * h, state) if whole is not None else None
    new = step(time + 0.5 * h, 0.5 * h, middle) if middle is not None else None
    if whole is None or new is None:
        return None
    return new, float(np.abs(new - whole).sum()) / (2**ORDER - 1)


def product(state: Array, factors: Sequence[Generator | None]) -> Array | None:
    """Return a state after the exponentials of generators; None if there is one that is none."""
    for factor in factors:
        if factor is None:
            return None
        state = propagated(factor, state, np.ones(1))[0]
    return state


def _combined(weights: Sequence[float], generators: Sequence[Generator]) -> Generator | None:
    """Return a sum of generators; None if one of its rates is negative."""
    first = generators[0]
    if any([e.offset for e in g.edges] != [e.offset for e in first.edges] for g in generators):
        raise UnsupportedSystemError(
            "the shape of the shared noise changes with time so much that its directions on the grid do. Keep the "
            "ratio of the amplitudes, or simulate."
        )

    def total(parts: Sequence[Array]) -> Array:
        found: Array = sum((w * p for w, p in zip(weights, parts, strict=True)), np.zeros(1))
        return found

    edges = tuple(
        replace(
            e[0], forward=total([x.forward for x in e]), backward=total([x.backward for x in e])
        )
        for e in zip(*(g.edges for g in generators), strict=True)
    )
    exits = tuple(
        replace(e[0], rates=total([x.rates for x in e]))
        for e in zip(*(g.exits for g in generators), strict=True)
    )
    rates = [r for e in edges for r in (e.forward, e.backward)] + [e.rates for e in exits]
    if any(r.min(initial=0.0) < 0 for r in rates):
        return None
    return Generator(first.grid, edges, exits)
