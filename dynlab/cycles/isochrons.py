"""isochrons: the curves of equal asymptotic phase of a planar limit cycle.

At the cycle an isochron has the direction of the Floquet vector e, for which Z . e = 0.  The flow backwards by s
carries the isochron of phase phi + s to that of phi, and away from the cycle.  So points next to the cycle
on a line along e, at all phases, run backwards; each crosses every isochron once a turn (Izhikevich 2007,
Dynamical Systems in Neuroscience, section 10.1.3).  The phase error they start with, of the second order in
the distance, stays what it is.  Along one isochron the points are put in order by their amplitude
coordinate, which is known: it grows as exp(-kappa s), kappa the Floquet exponent (Guillamon and Huguet 2009,
SIAM J. Appl. Dyn. Syst. 8, 1005, grow the same curves from higher-order expansions).

Every point is then integrated forward until its phase can be read: that is the error the result states.  A
curve ends where that fails: near the phaseless set, where all phases meet, nothing tells them apart.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.cycles.cycle import Cycle
from dynlab.cycles.linearised import Linearised
from dynlab.cycles.phase import PhaseResponse, phase_response
from dynlab.cycles.problem import Orbit
from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.names import finite
from dynlab.result import Provenance, Result
from dynlab.solve.integrate import integrate
from dynlab.solve.methods import Automatic

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Isochrons", "isochrons"]

Vector = NDArray[np.float64]

#: Points start this far from the cycle, in ranges of the states; their phase is good to about its square.
_OFF = 1e-5
#: They run until they would have left linearly, and so many turns more.
_TURNS = 2.0
#: First so many runs on either side; more where the curves have gaps wider than `_GAP` of the window.
_RUNS, _ROUNDS, _MOST_RUNS = 96, 18, 2500
_GAP = 0.02
#: Points closer than this part of the window are thinned.
_CLOSE = 0.002
#: The window, if none is given, reaches this part of the cycle's range beyond it.
_MARGIN = 0.5
#: A curve ends where its phase is not confirmed to this part of the period.
_CONFIRMED = 1e-6
_METHOD = Automatic(rtol=1e-12, atol=1e-13)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Isochrons(Result):
    """Curves of equal asymptotic phase of a planar limit cycle.

    Parameters
    ----------
    cycle
        The cycle.
    within
        The window: a range for each state.
    phases
        Phases of the curves, parts of the period from 0 to 1.
    lengths
        How many points each curve has.
    points
        The points of all curves one after another, from the inner end through the cycle outwards.
    errors
        By how much time the asymptotic phase of each point, integrated forward, misses that of its curve.
    provenance
        Where they came from.
    """

    cycle: Cycle
    within: Mapping[str, tuple[float, float]]
    phases: Vector
    lengths: NDArray[np.int64]
    points: Vector
    errors: Vector
    provenance: Provenance

    @property
    def curves(self) -> tuple[Vector, ...]:
        """The points of each curve, a row each."""
        return tuple(np.split(self.points, np.cumsum(self.lengths)[:-1]))

    @property
    def accuracy(self) -> float:
        """The largest phase error of a point, in the system's time."""
        return float(np.max(np.abs(self.errors)))

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return phase, states and phase error of all points as columns."""
        columns: dict[str, NDArray[Any]] = {"phase": np.repeat(self.phases, self.lengths)}
        columns |= dict(zip(self.cycle.system.state_names, self.points.T, strict=True))
        return columns | {"error": self.errors}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the curves, coloured by phase, and the cycle."""
        from dynlab import plotting

        x, y = self.cycle.system.state_names
        ax = self.cycle.portrait(ax, x=x, y=y)
        feet = self.cycle.orbit.at(self.phases)
        plotting.draw_isochrons(ax, self.curves, self.phases.tolist(), feet)
        ax.set_xlim(*self.within[x])
        ax.set_ylim(*self.within[y])
        return ax

    def __repr__(self) -> str:
        return (
            f"<{len(self.phases)} isochrons of the cycle of {self.cycle.system.name}, period "
            f"{self.cycle.period:.9g}: {len(self.points)} points;\n"
            f" phase errors up to {self.accuracy:.1e}>"
        )


def isochrons(
    cycle: Cycle,
    *,
    phases: int = 8,
    within: Mapping[str, tuple[float, float]] | None = None,
) -> Isochrons:
    """Return the curves of equal asymptotic phase of a planar limit cycle.

    Two states on one isochron meet in the long run; between neighbouring curves lies an equal part of
    the period.

    Parameters
    ----------
    cycle
        A stable cycle of a flow with two states.
    phases
        How many curves, evenly spaced in time from phase 0, where the cycle's profile begins.
    within
        The window: a range for each state; the cycle and half its range around it if left out.

    Returns
    -------
    Isochrons
        The curves, each with the phase error of its points.

    Raises
    ------
    UnsupportedSystemError
        If the system has not two states, or the cycle does not attract.
    SettingError
        If a range is missing or empty, or the number of phases makes no sense.

    Examples
    --------
    >>> import dynlab as dl
    >>> cycle = dl.find_cycle(dl.zoo.van_der_pol(mu=0.5))
    >>> fans = dl.isochrons(cycle, phases=4)
    >>> len(fans.curves), fans.accuracy < 1e-7
    (4, True)
    """
    began = time.perf_counter()
    if not isinstance(cycle, Cycle):
        raise SettingError(
            f"isochrons takes a cycle, got {type(cycle).__name__}. Take dl.find_cycle(...)."
        )
    system = cycle.system
    if cycle.profile.shape[1] != 2:
        raise UnsupportedSystemError(
            f"{system.name!r} has {cycle.profile.shape[1]} states; isochrons are curves only for two. "
            "dl.phase_response gives their directions for any number."
        )
    count = int(finite(phases, "phases"))
    if count < 1 or count != phases:
        raise SettingError(f"phases is {phases!r}; give a whole number, at least 1.")
    window = _window(cycle, within)
    response = phase_response(cycle)
    clock = response.clock("have isochrons")
    wanted = np.arange(count) / count
    sides = [_Side(response, window, wanted, sign).curves() for sign in (-1.0, 1.0)]
    feet = response.cycle.orbit.at(wanted)
    curves = [
        np.vstack([inner[::-1], foot, outer])
        for inner, foot, outer in zip(sides[0], feet, sides[1], strict=True)
    ]
    missed = np.split(
        clock.phases(np.vstack(curves)) - np.repeat(wanted, [len(c) for c in curves]),
        np.cumsum([len(c) for c in curves])[:-1],
    )
    kept, errors = [], []
    for curve, error, inner in zip(curves, missed, sides[0], strict=True):
        off = np.mod(error + 0.5, 1.0) - 0.5
        good = _around(np.abs(off) <= _CONFIRMED, len(inner))
        kept.append(curve[good])
        errors.append(off[good] * cycle.period)
    return Isochrons(
        response.cycle, dict(zip(system.state_names, map(tuple, window.tolist()), strict=True)),
        wanted, np.array([len(c) for c in kept]), np.vstack(kept), np.concatenate(errors),
        Provenance("isochrons", system, {"phases": count}, seconds=time.perf_counter() - began),
    )  # fmt: skip


def _around(good: NDArray[np.bool_], foot: int) -> slice:
    """Return the unbroken stretch of good points round the foot of a curve."""
    bad = np.flatnonzero(~good)
    before, after = bad[bad < foot], bad[bad > foot]
    return slice(int(before[-1]) + 1 if len(before) else 0, int(after[0]) if len(after) else None)


def _window(cycle: Cycle, within: Mapping[str, tuple[float, float]] | None) -> Vector:
    """Return the window, a row of two for each state."""
    names = cycle.system.state_names
    if within is None:
        low, high = np.array([cycle.extremes(name) for name in names]).T
        return np.column_stack([low - _MARGIN * (high - low), high + _MARGIN * (high - low)])
    missing = [name for name in names if name not in within]
    if missing:
        raise SettingError(f"within names no range for {missing[0]!r}. Give one for each state.")
    window = np.array([[finite(v, f"within {n}") for v in within[n]] for n in names])
    if np.any(window[:, 0] >= window[:, 1]):
        raise SettingError(
            f"within holds an empty range: {dict(within)!r}. Put the lower end first."
        )
    return window


def _outwards(cycle: Cycle, vectors: NDArray[Any]) -> float:
    """Return the sign that makes a vector field across the cycle point outwards."""
    x, y = cycle.profile.T
    along = np.gradient(cycle.profile, axis=0)
    turning = np.sum(x * along[:, 1] - y * along[:, 0]) - (
        np.mean(x) * np.sum(along[:, 1]) - np.mean(y) * np.sum(along[:, 0])
    )
    across = np.real(vectors)
    side = np.sum(along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0])
    return 1.0 if side * turning < 0 else -1.0


class _Side:
    """All isochrons on one side of the cycle, by runs backwards from points next to it."""

    def __init__(
        self, response: PhaseResponse, window: Vector, phases: Vector, sign: float
    ) -> None:
        cycle = response.cycle
        self._cycle, self._window, self._phases, self._sign = cycle, window, phases, sign
        self._kappa = cycle.divergence / cycle.period
        linear = Linearised.about(cycle.system, cycle.orbit)
        vector, _ = linear.null_pair(shift=self._kappa)
        profile = np.real(vector.variation.profile) * _outwards(cycle, vector.variation.profile)
        self._units = linear.units
        self._vector = Orbit(profile, cycle.mesh, cycle.period, np.nan)
        self._runs: dict[float, tuple[NDArray[np.int64], Vector, Vector]] = {}
        self._cut = False

    def curves(self) -> list[Vector]:
        """Return the points of each isochron, from the cycle on."""
        fresh = np.arange(_RUNS) / _RUNS
        for _ in range(_ROUNDS):
            for start in fresh:
                self._runs[float(start)] = self._run(float(start))
            ordered = [self._ordered(k) for k in range(len(self._phases))]
            fresh = self._between(ordered)
            if not len(fresh) or len(self._runs) + len(fresh) > _MOST_RUNS:
                break
        return [self._thinned(k, points) for k, (points, _) in enumerate(ordered)]

    def _run(self, start: float) -> tuple[NDArray[np.int64], Vector, Vector]:
        """Return which isochrons a run backwards crosses, its amplitudes there, and the states."""
        cycle, period = self._cycle, self._cycle.period
        place = np.array([start])
        vector = self._vector.at(place)[0]
        size = float(np.linalg.norm(vector / self._units))
        amplitude = _OFF / size
        state = cycle.orbit.at(place)[0] + self._sign * amplitude * vector
        leaving = -np.log(_OFF) / abs(self._kappa)
        turns = int(np.ceil(leaving / period + _TURNS))
        ahead = np.mod(start - self._phases, 1.0)
        waits = ((ahead[:, None] + np.arange(turns)) * period).ravel()
        which = np.repeat(np.arange(len(self._phases)), turns)
        order = np.argsort(waits)
        waits, which = waits[order], which[order]
        run = integrate(
            cycle.system,
            start=state,
            duration=-float(turns * period),
            at=(-waits).tolist(),
            method=_METHOD,
        )
        reached = len(run.values)
        self._cut |= reached < len(waits)
        heights = np.log(amplitude) - self._kappa * waits[:reached]
        # A cycle that goes round a circle has wound so often since: count from its first turn again.
        passed = np.round(start - waits[:reached] / period - self._phases[which[:reached]])
        wound = cycle.profile[-1] - cycle.profile[0]
        return which[:reached], heights, run.values - passed[:, None] * wound

    def _ordered(self, k: int) -> tuple[Vector, Vector]:
        """Return the points of one isochron in order up to the first outside, and the starts of their runs."""
        starts, heights, points = [], [], []
        for start, (which, amplitudes, states) in self._runs.items():
            mine = which == k
            heights.append(amplitudes[mine])
            points.append(states[mine])
            starts.append(np.full(int(mine.sum()), start))
        order = np.argsort(np.concatenate(heights))
        found, origin = np.concatenate(points)[order], np.concatenate(starts)[order]
        low, high = self._window.T
        outside = np.any((found < low) | (found > high), axis=1)
        end = int(np.argmax(outside)) + 1 if outside.any() else len(found)
        return found[:end], origin[:end]

    def _between(self, ordered: list[tuple[Vector, Vector]]) -> Vector:
        """Return starts of further runs, next to those on either side of a gap."""
        starts = np.sort(list(self._runs))
        width = np.diff(self._window, axis=1)[:, 0]
        wanted: set[float] = set()
        for points, origin in ordered:
            clipped = np.clip(points, self._window[:, 0], self._window[:, 1])
            gaps = np.max(np.abs(np.diff(clipped, axis=0)) / width, axis=1, initial=0.0)
            for place in np.flatnonzero(gaps > _GAP):
                wanted |= {float(origin[place]), float(origin[place + 1])}
            low, high = self._window.T
            if self._cut and np.all((points[-1] >= low) & (points[-1] <= high)):
                wanted.add(float(origin[-1]))  # other runs, which ended sooner, would lead outside
        ahead = np.append(starts[1:], starts[0] + 1.0)
        fresh = set()
        for k, start in enumerate(starts):
            if float(start) in wanted:
                fresh |= {0.5 * (start + ahead[k]), 0.5 * (start + ahead[k - 1] - (k == 0))}
        return np.array(sorted({f % 1.0 for f in fresh} - set(self._runs)))

    def _thinned(self, k: int, points: Vector) -> Vector:
        """Return the points without those that cannot be told from the one before."""
        width = np.diff(self._window, axis=1)[:, 0]
        last = self._cycle.orbit.at(self._phases[k : k + 1])[0]
        kept = []
        for point in points:
            if np.max(np.abs(point - last) / width) > _CLOSE:
                kept.append(point)
                last = point
        return np.array(kept).reshape(-1, 2)
