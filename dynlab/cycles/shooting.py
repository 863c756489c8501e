"""Shooting: a cycle as a fixed point of the flow over a period, with exact derivatives.

With x_0 ... x_{N-1} at fixed parts of the period T, and phi the flow through events,

    phi(x_i, h_i T) - x_{i+1} = 0         i = 0 ... N-1;  x_N = x_0 + whole turns of states on a circle
    sum_i f(r_i) . (x_i - r_i) = 0        phase; r is the guess, in units of the states

Newton's method on all of them at once; the derivatives come from the variational equation, integrated
beside the state, and from the saltation matrices of events.  The Floquet multipliers are the eigenvalues of
the product of some sixteen such matrices, kept in graded form (`dynlab.kernels.floquet`).  Nothing is shared
with collocation but that: it is an independent check.  (Stoer and Bulirsch 2002, Introduction to Numerical
Analysis, section 7.3.5; Seydel 2010, Practical Bifurcation and Stability Analysis, section 7.5; with events
Leine and Nijmeijer 2004, Dynamics and Bifurcations of Non-Smooth Mechanical Systems, ch. 7.)

Cost: per Newton step one run of n + n^2 numbers over the period.  What makes it fail: long or very unstable
cycles with too few segments, and stiffness, which the explicit method pays for with many steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.cycles.cycle import Cycle, floquet_order
from dynlab.cycles.events import check_events
from dynlab.cycles.guess import Guess, Turn, begun, closed, rests, wound
from dynlab.cycles.passage import Lost, Passage, Passages, instants
from dynlab.cycles.problem import range_of
from dynlab.cycles.profile import profile_through
from dynlab.errors import NotConverged, SettingError
from dynlab.names import Layout, finite
from dynlab.point import described
from dynlab.solve.legs import pause_of
from dynlab.solve.methods import SMALLEST_RTOL, Explicit8
from dynlab.status import Status
from dynlab.symbolic.system import System

__all__ = ["Shooting", "shot"]

Vector = NDArray[np.float64]

_MOST_STEPS, _MOST_HALVINGS = 30, 8
#: A step longer than this, in units of the states and of the period, is shortened to it.
_LONGEST = 0.3
#: Newton's method has arrived when its step is below so many tolerances, or below `_SMALL` and no longer
#: shrinks: what is left is the error of the runs.
_ARRIVED, _SMALL, _SHRINKS = 30.0, 1e-7, 0.3
#: Tolerance of the run that tells how accurate the others are, in theirs.
_LOOSER = 10.0
#: A segment begins at least this part of a leg away from the events at its ends.
_MARGIN = 0.1


@dataclass(frozen=True, slots=True)
class Shooting:
    """Single or multiple shooting: runs over a period, or over equal parts of it, made to close.

    It shares nothing with collocation, so each checks the other; and it passes through events.

    Parameters
    ----------
    segments
        Into how many parts the period is cut.  One will do for stable cycles; long or very unstable
        ones need more.
    rtol
        Relative tolerance of the runs (`dynlab.Explicit8`); the absolute one is a thousandth of it.

    Examples
    --------
    >>> import dynlab as dl
    >>> system = dl.zoo.van_der_pol(mu=1.0)
    >>> cycle = dl.find_cycle(system, method=dl.Shooting(segments=4))
    >>> round(cycle.period, 9) == round(dl.find_cycle(system).period, 9)
    True
    """

    segments: int = 1
    rtol: float = 1e-12

    def __post_init__(self) -> None:
        segments = finite(self.segments, "segments of Shooting")
        if segments != int(segments) or segments < 1:
            raise SettingError(
                f"segments of Shooting is {segments:g}; give a whole number, at least 1."
            )
        object.__setattr__(self, "segments", int(segments))
        rtol = finite(self.rtol, "rtol of Shooting")
        if not SMALLEST_RTOL <= rtol <= 1e-3:
            raise SettingError(
                f"rtol of Shooting is {rtol:g}; give one from {SMALLEST_RTOL:.2g} to 0.001."
            )

    def integrator(self, looser: float = 1.0) -> Explicit8:
        """Return the integrator of the runs."""
        rtol = self.rtol * looser
        return Explicit8(rtol=rtol, atol=1e-3 * rtol)


class _Points(NamedTuple):
    """The unknowns: states where the segments begin, and the period; and what stays as it is."""

    states: Vector
    period: float
    shares: Vector
    turns: Vector

    def moved(self, by: Vector, units: Vector) -> _Points:
        """Return the points after a step in units of the states and of the period."""
        states = self.states + by[:-1].reshape(self.states.shape) * units
        return self._replace(states=states, period=self.period * (1.0 + float(by[-1])))


def shot(system: System, guess: Guess, method: Shooting) -> Cycle:
    """Return the cycle near a guess."""
    check_events(system)
    first, units = _first(system, guess, method.segments)
    passages = Passages(system, units, method.integrator(), first.period)
    rough = replace(passages, method=method.integrator(_LOOSER))
    try:
        points, last = _newton(passages, first)
        phase = _phase(passages, points)
        step, crossed = _step(passages, points, phase, points)
        looser, _ = _step(rough, points, phase, points)
        orbit, apart = profile_through(passages, rough, points.states, crossed, points.turns)
    except Lost as lost:
        raise _missed(system, first, lost.status) from None
    if rests(orbit.profile):
        raise _missed(system, first, Status.NOT_CONVERGED)
    from dynlab.kernels import floquet

    factors = np.array([factor for passage in crossed for factor in passage.factors])
    multipliers = floquet.of_product(factors)
    accuracy = max(last, float(np.max(np.abs(step))), float(np.max(np.abs(looser))), apart)
    return Cycle(
        system, points.period, orbit.mesh, orbit.profile, floquet_order(multipliers),
        sum(passage.divergence for passage in crossed), accuracy,
    )  # fmt: skip


def _missed(system: System, points: _Points, status: Status) -> NotConverged:
    first = described(Layout.of(system).unpack(points.states[0]), 6)
    return NotConverged(
        f"shooting found no cycle of {system.name!r} near the guess of period "
        f"{points.period:.6g} through {first} ({status}: {status.meaning}). Give a better orbit= or "
        "start= and period=, or more dl.Shooting(segments=...).",
        status=status,
    )


def _newton(passages: Passages, points: _Points) -> tuple[_Points, float]:
    """Solve; return the points and the size of the last step."""
    phase, before = _phase(passages, points), np.inf
    reference, halved = points, 0
    step = np.zeros(points.states.size + 1)
    for _ in range(_MOST_STEPS):
        try:
            found, _ = _step(passages, points, phase, reference)
        except Lost:
            halved += 1
            if halved > _MOST_HALVINGS or not np.any(step):
                raise
            step = 0.5 * step
            points = points.moved(-step, passages.units)
            continue
        size = float(np.max(np.abs(found)))
        if not np.isfinite(size):
            break
        step = found * min(1.0, _LONGEST / max(size, 1e-300))
        points = points.moved(step, passages.units)
        if size < _ARRIVED * passages.method.rtol or (size < _SMALL and size > _SHRINKS * before):
            return points, size
        before = size
    raise Lost(Status.NOT_CONVERGED)


def _phase(passages: Passages, points: _Points) -> Vector:
    """Return the row of the phase condition: the slopes, in units of the states, of unit length."""
    slopes = np.array([passages.slope(x) for x in points.states]) / passages.units
    return np.asarray(slopes.ravel() / max(float(np.linalg.norm(slopes)), 1e-300))


def _step(
    passages: Passages, points: _Points, phase: Vector, reference: _Points
) -> tuple[Vector, list[Passage]]:
    """Return Newton's step in units of the states and of the period, and the passages."""
    states, period, shares, turns = points
    count, n = states.shape
    ends = np.vstack([states[1:], states[0] + turns])
    crossed = [passages.through(x, share * period) for x, share in zip(states, shares, strict=True)]
    matrix = np.zeros((count * n + 1, count * n + 1))
    right = np.zeros(count * n + 1)
    for i, passage in enumerate(crossed):
        rows, following = slice(i * n, (i + 1) * n), (i + 1) % count
        matrix[rows, rows] = passage.matrix
        matrix[rows, following * n : (following + 1) * n] -= np.eye(n)
        matrix[rows, -1] = shares[i] * period * passage.slope / passages.units
        right[rows] = (ends[i] - passage.state) / passages.units
    matrix[-1, :-1] = phase
    right[-1] = -phase @ ((states - reference.states) / passages.units).ravel()
    try:
        return np.linalg.solve(matrix, right), crossed
    except np.linalg.LinAlgError:
        raise Lost(Status.SINGULAR) from None


def _first(system: System, guess: Guess, segments: int) -> tuple[_Points, Vector]:
    """Return where the segments of a guess begin, and the units of the states."""
    if not system.events:
        orbit = closed(system, guess)
        places = np.arange(segments) / segments
        states, turns = orbit.at(places), wound(system, orbit.profile[-1], orbit.profile[0])
        period, profile = orbit.period, orbit.profile
    else:
        turn = guess if isinstance(guess, Turn) else _again(system, guess)
        places = _between_events(system, turn, segments)
        period = turn.end - turn.begin
        # A place beyond the end of the run is one period earlier in it, whole turns apart.
        profile = turn.run.at(turn.begin + period * np.linspace(0.0, 1.0, 400)).values
        turns = wound(system, profile[-1], profile[0])
        beyond = places > 1.0
        states = turn.run.at(turn.begin + period * np.where(beyond, places - 1.0, places)).values
        states = states + beyond[:, None] * turns - begun(system, states[0])
    shares = np.diff(np.append(places, places[0] + 1.0))
    return _Points(np.ascontiguousarray(states), period, shares, turns), range_of(system, profile)


def _again(system: System, cycle: Cycle) -> Turn:
    """Return a run along a known cycle, as a guess."""
    run = Passages(system, np.ones(len(cycle.state)), Shooting().integrator(), 1.0).run(
        cycle.state, cycle.period
    )
    return Turn(run, 0.0, cycle.period)


def _between_events(system: System, turn: Turn, segments: int) -> Vector:
    """Return places, in parts of the period, that stand well inside the legs between events.

    The first is the middle of the longest leg; they may reach beyond 1.
    """
    period = turn.end - turn.begin
    starts: list[float] = []
    ends: list[float] = []
    for instant in instants(turn.run):
        place = (instant.time - turn.begin) / period
        if 0.0 <= place < 1.0:
            pause = max(pause_of(system, system.events[g]) for g in instant.events)
            starts.append(place)
            ends.append(place + pause / period)
    if not starts:
        return np.asarray(np.arange(segments) / segments)
    order = np.argsort(starts)
    begins = np.array(ends)[order]
    stops = np.append(np.array(starts)[order][1:], min(starts) + 1.0)
    longest = int(np.argmax(stops - begins))
    first = 0.5 * (begins[longest] + stops[longest])
    first -= np.floor(first)
    found = []
    for place in first + np.arange(segments) / segments:
        turns = np.floor(place - begins[0])
        inside = place - turns
        leg = int(np.searchsorted(begins, inside, side="right")) - 1
        low, high = begins[leg], stops[leg]
        if high > low and inside < high:
            share = _MARGIN + (1.0 - 2.0 * _MARGIN) * (inside - low) / (high - low)
            found.append(low + share * (high - low) + turns)
    return np.unique(found)
