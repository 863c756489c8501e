"""edge_state: what sits on the border between two basins.

Two states on either side of the border are brought together by bisection until they are as near as rounding
allows, then run on until they have parted a little, and brought together again: so the pair stays on the
border, which leads it to the edge state, an attractor of the border alone (Skufca, Yorke and Eckhardt 2006,
Phys. Rev. Lett. 96, 174101).  If it comes to rest or round, Newton's method finds the saddle or saddle cycle
exactly.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.attractors.attractor import plane_of
from dynlab.attractors.find import Attractors
from dynlab.attractors.orbits import Orbits, turn_of_drive
from dynlab.attractors.search import Search
from dynlab.cycles.cycle import Cycle
from dynlab.cycles.find import find_cycle
from dynlab.equilibria.find import find_near
from dynlab.equilibria.stability import Equilibrium
from dynlab.errors import DynlabError, NotConverged, SettingError, UnknownNameError
from dynlab.names import Layout, finite
from dynlab.point import apart, described
from dynlab.progress import tick
from dynlab.result import Provenance, Result
from dynlab.solve.methods import Explicit8
from dynlab.status import Status
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["EdgeState", "edge_state"]

Array = NDArray[np.float64]

#: The pair is brought this near, and runs until it is that far apart, in sizes of the states.
NEAR, FAR = 1e-9, 1e-5
#: Places between the two that are looked at together.
BETWEEN = 15
#: Samples in a stretch; so much more often than the search takes them.
STRETCH, OFTEN = 16, 4
#: A pair this near to a fixed point has arrived.
ARRIVED = 1e-3
#: Close enough to an earlier sample to have come round, in ranges of the last part of the track.
ROUND = 0.02
#: Of a flow the pair runs with these tolerances: they keep together what bisection has brought near.
METHOD = Explicit8(rtol=1e-12, atol=1e-14)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EdgeState(Result):
    """What sits on the border between two basins.

    Attributes
    ----------
    attractors
        The attractors on whose border it sits.
    t
        Times.
    track
        States along the border at these times, a row each; the first is where bisection met it.
    verified
        The saddle or saddle cycle that the track leads to; None if it leads to neither (within the
        duration).
    parts
        The label of the attractor on one side, and that of what was met on the other.
    status
        How it ended.
    provenance
        Where it came from.
    """

    attractors: Attractors
    t: Array
    track: Array
    verified: Equilibrium | Cycle | None
    parts: tuple[int, int]
    status: Status
    provenance: Provenance

    @property
    def system(self) -> System:
        """The system."""
        return self.attractors.system

    @property
    def kind(self) -> str:
        """Such as ``"saddle"`` or ``"saddle cycle"``; ``"undetermined"`` if nothing was verified."""
        return self.verified.kind if self.verified is not None else "undetermined"

    @property
    def start(self) -> dict[str, Any]:
        """The last state of the track by name, as ``start=`` takes it."""
        return Layout.of(self.system).unpack(self.track[-1])

    def __getitem__(self, name: str) -> Any:
        """Return a state along the track; ``"t"`` is the times."""
        if name == "t":
            return self.t
        place = self.system.place_of(name)
        if place is None:
            raise UnknownNameError(f"state of {self.system.name!r}", name, self.system.state_names)
        return self.track[:, place]

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return time and states along the border as columns."""
        return {"t": self.t} | dict(zip(self.system.state_names, self.track.T, strict=True))

    def plot(self, ax: Axes | None = None, *, x: str | None = None, y: str | None = None) -> Axes:
        """Draw the track, what it leads to, and the attractors, in the plane of two states.

        It goes well on the picture of the basins: ``edge.plot(basins.plot())``.
        """
        from dynlab import plotting

        first, second = plane_of(self.system, x, y)
        names = [n for n in (first, second) if n]
        labels = [plotting.label(n, self.system.unit_of(n)) for n in names] + [""]
        up = self[second] if second else np.zeros_like(self.t)
        if ax is None:
            ax = self.attractors.plot(x=x, y=y)
        ax = plotting.draw_track(
            ax, self[first], up, "along the border", labels=(labels[0], labels[1])
        )
        if isinstance(self.verified, Cycle) and second:
            ax = self.verified.portrait(ax, x=first, y=second)
        elif isinstance(self.verified, Equilibrium):
            there = self.verified[second] if second else 0.0
            ax = plotting.draw_equilibria(ax, [self.verified[first]], [there], [self.verified.kind])
        return plotting.draw_legend(ax)

    def __repr__(self) -> str:
        if self.verified is not None:
            return f"<edge state: {repr(self.verified)[1:]}"
        return (
            f"<edge state of {self.system.name}, undetermined after t = {self.t[-1]:.4g}: neither point nor "
            f"cycle;\n near {described(self.start, 5)}>"
        )


class _Border(NamedTuple):
    """The border of a basin, and how to get onto it."""

    search: Search
    orbits: Orbits
    size: Array
    label: int

    def inside(self, states: Array) -> NDArray[np.bool_]:
        """Whether states lie in the basin."""
        return np.asarray(self.search.outcomes(states, "edge") == self.label)

    def gap(self, a: Array, b: Array) -> float:
        return float(np.max(np.abs(apart(self.orbits.system, a, b)) / self.size))

    def closed_in(self, a: Array, b: Array) -> tuple[Array, Array]:
        """Return two states next to each other on either side of the border, between two given ones."""
        while self.gap(a, b) > NEAR:
            shares = np.arange(1, BETWEEN + 1)[:, None] / (BETWEEN + 1)
            states = np.vstack([a, a + shares * (b - a), b])
            within = self.inside(states[1:-1])
            first = int(np.argmin(np.append(within, False)))
            a, b = states[first].copy(), states[first + 1].copy()
            if not tick(0.0, 1.0):
                break
        return a, b


def edge_state(
    attractors: Attractors,
    *,
    between: tuple[Mapping[str, float], Mapping[str, float]] | None = None,
    duration: float | None = None,
) -> EdgeState:
    """Find the edge state on the border between two basins, by tracking along the border.

    Parameters
    ----------
    attractors
        Attractors of a system, found by `find_attractors`.
    between
        Two states by name, one in each basin; states on the first two attractors if left out.
    duration
        For how long at most the border is followed, in the system's unit of time (steps of a map); 2000
        samples if left out.

    Returns
    -------
    EdgeState
        The saddle or saddle cycle, with its eigenvalues, and the track that led there.  Where the track
        leads to neither within the duration, what was tracked.

    Raises
    ------
    NotConverged
        If both states lead to the same, or the first to no attractor.
    SettingError
        If there are fewer than two attractors and no states, or the duration makes no sense.
    UnknownNameError
        If a state does not exist.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def two_wells(x=0.5, y=0.5):
    ...     return {x: x - x**3, y: -y + x**2}
    >>> found = dl.find_attractors(two_wells, within={"x": (-2, 2), "y": (-2, 2)}, seed=1)
    >>> edge = dl.edge_state(found)
    >>> edge.kind, edge.verified.unstable_directions
    ('saddle', 1)

    References
    ----------
    1. Skufca, Yorke and Eckhardt 2006, Phys. Rev. Lett. 96, 174101.
    2. Battelino, Grebogi, Ott, Yorke and Yorke 1988, Physica D 32, 296.
    """
    began = time.perf_counter()
    if not isinstance(attractors, Attractors):
        raise SettingError(
            f"edge_state takes what dl.find_attractors returned, not {type(attractors).__name__}."
        )
    system = attractors.system
    a, b = _sides(attractors, between)
    search = attractors.search()
    labels = search.outcomes(np.array([a, b]), "edge")
    if labels[0] < 0 or labels[0] == labels[1]:
        raise NotConverged(
            f"the two states of {system.name!r} are not in two basins: they lead to "
            f"{_name(labels[0])} and {_name(labels[1])}. Give between= a state in each of two basins.",
            status=Status.NOT_CONVERGED, partial=attractors,
        )  # fmt: skip
    orbits = attractors.search().orbits
    tight = _tight(orbits)
    border = _Border(search, tight, attractors.sizes, int(labels[0]))
    most = 2000 * orbits.step if duration is None else finite(duration, "duration")
    if most <= 0:
        raise SettingError(f"duration is {duration!r}; give a positive time, or leave it out.")
    t, track, verified, status = _tracked(border, *border.closed_in(a, b), most)
    return EdgeState(
        attractors, t, track, verified, (int(labels[0]), int(labels[1])), status,
        Provenance(
            "edge_state", system, {"duration": most, "method": tight.method},
            seed=attractors.provenance.seed, seconds=time.perf_counter() - began,
        ),
    )  # fmt: skip


def _tight(orbits: Orbits) -> Orbits:
    """Return orbits at tolerances that keep neighbours together, seen more often if there is no drive."""
    if orbits.method is None:
        return orbits
    often = 1 if turn_of_drive(orbits.system) else OFTEN
    return orbits._replace(method=METHOD, step=orbits.step / often)


def _name(label: int) -> str:
    return {-1: "escape", -2: "nothing decided", -3: "nothing, since it was stopped"}.get(
        int(label), f"attractor {int(label) + 1}"
    )


def _sides(attractors: Attractors, between: Any) -> tuple[Array, Array]:
    """Return the two states to begin with."""
    layout, default = Layout.of(attractors.system), attractors.system.start_values
    if between is None:
        if len(attractors) < 2:
            raise SettingError(
                f"{attractors.system.name!r} has {len(attractors)} attractor(s) here. Give between= two states "
                "with different outcomes, one of them in the basin."
            )
        return attractors[0].states[-1], attractors[1].states[-1]
    try:
        first, second = between
    except (TypeError, ValueError):
        raise SettingError(f"between is {between!r}; give two states by name.") from None
    return layout.pack(first, default), layout.pack(second, default)


def _tracked(
    border: _Border, a: Array, b: Array, most: float
) -> tuple[Array, Array, Equilibrium | Cycle | None, Status]:
    """Follow the border; return times, states, what they lead to, and how it ended."""
    orbits, t = border.orbits, 0.0
    times, track = [0.0], [0.5 * (a + b)]
    verified: Equilibrium | Cycle | None = None
    looked = 8 * STRETCH
    while t < most:
        if not tick(t, most, "edge"):
            return np.array(times), np.array(track), None, Status.STOPPED
        samples, _ = orbits.samples(np.array([a, b]), STRETCH)
        gaps = np.array([border.gap(x, y) for x, y in zip(*samples, strict=True)])
        parted = np.flatnonzero(~(gaps <= FAR))
        used = int(parted[0]) + 1 if parted.size else STRETCH
        if not np.isfinite(gaps[used - 1]):
            return np.array(times), np.array(track), None, Status.DIVERGED
        middle = 0.5 * (samples[0, :used] + samples[1, :used])
        times += [t + orbits.step * (k + 1) for k in range(used)]
        track += list(middle)
        t += used * orbits.step
        a, b = samples[0, used - 1], samples[1, used - 1]
        verified = _arrived(border, np.array(track))
        if verified is None and len(track) > looked and not orbits.system.is_discrete:
            verified, looked = _came_round(border, np.array(times), np.array(track)), 2 * looked
        if verified is not None:
            break
        if parted.size:
            a, b = border.closed_in(*_on_their_sides(border, a, b))
    ended = Status.OK if verified is not None else Status.NOT_CONVERGED
    return np.array(times), np.array(track), verified, ended


def _on_their_sides(border: _Border, a: Array, b: Array) -> tuple[Array, Array]:
    """Return two states that are on either side, moved apart until they are."""
    reach = 1.0
    for _ in range(20):
        middle, half = 0.5 * (a + b), 0.5 * reach * apart(border.orbits.system, a, b)
        first, second = middle + half, middle - half
        within = border.inside(np.array([first, second]))
        if within[0] != within[1]:
            return (first, second) if within[0] else (second, first)
        reach *= 2.0
    raise NotConverged(
        f"the border between the basins of {border.orbits.system.name!r} was lost near "
        f"{described(Layout.of(border.orbits.system).unpack(a), 5)}: both sides lead to the same. It may be "
        "fractal there; start elsewhere with between=.",
        status=Status.NOT_CONVERGED,
    )


def _arrived(border: _Border, track: Array) -> Equilibrium | None:
    """Return the fixed point that the track has come to."""
    found = find_near(border.orbits.system, track[-1])
    if found is None or found.unstable_directions == 0:
        return None
    return found if border.gap(track[-1], found.state) < ARRIVED else None


def _came_round(border: _Border, times: Array, track: Array) -> Cycle | None:
    """Return the cycle that the end of the track goes round."""
    system = border.orbits.system
    last = track[-min(len(track), 400) :]
    reach = np.maximum(np.ptp(last, axis=0), 1e-12)
    gaps = np.max(np.abs(np.array([apart(system, x, track[-1]) for x in track])) / reach, axis=1)
    far = np.flatnonzero(gaps > 0.3)
    if not far.size:
        return None
    before = gaps[: far[-1]]
    near = [
        k for k in range(1, len(before) - 1)
        if before[k] <= before[k - 1] and before[k] <= before[k + 1] and before[k] < 0.3
    ]  # fmt: skip
    for k in near[::-1][:3]:
        period = float(times[-1] - times[k])
        try:
            found = find_cycle(system, start=Layout.of(system).unpack(track[-1]), period=period)
        except (DynlabError, np.linalg.LinAlgError):
            continue
        curve = np.asarray(found.orbit.at(np.linspace(0, 1, 400)))
        off = min(float(np.max(np.abs(apart(system, track[-1], x)) / reach)) for x in curve)
        if off < ROUND and found.unstable_directions > 0:
            return found
    return None
