"""minimal_fatal_shock: the smallest instant change of state after which a system does not come back.

Random shocks in a box find first fatal ones.  Along the directions of the smallest the border of the basin is
found by bisection, and the directions are then turned, by ever smaller angles, towards smaller fatal
shocks.  That is a search: the shock found is fatal, so the minimal one is no larger; that none is smaller
is supported by random shocks inside of it, not proved.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.attractors.attractor import plane_of
from dynlab.attractors.find import Attractors, outcome_name, whole
from dynlab.attractors.fractions import wilson
from dynlab.attractors.search import ESCAPED, Search
from dynlab.attractors.window import Window, window_of
from dynlab.errors import NotConverged, SettingError, UnknownNameError
from dynlab.names import Layout, by_name, finite
from dynlab.progress import tick
from dynlab.result import Provenance, Result
from dynlab.seeds import seed_of
from dynlab.status import Status
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FatalShock", "minimal_fatal_shock"]

Array = NDArray[np.float64]

#: Directions that are improved together, proposals for each, and places along each.
BEST, PROPOSALS, PLACES = 8, 6, 8
#: The first angle by which directions are turned, its factor where nothing was gained, and the last.
ANGLE, SHRINK, LEAST_ANGLE = 0.6, 0.6, 1e-5
#: The border along a direction is found to this part.
ACCURACY = 1e-7


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FatalShock(Result):
    """The smallest shock found after which an attractor is not come back to.

    Attributes
    ----------
    attractors
        The attractors, with the one that is shocked.
    start
        The state on the attractor that is shocked, all states in order.
    shock
        What is added to it.
    units
        What a shock of size 1 is for each state that is shocked, by name.
    outcomes
        The label that is left, and that of where the shock leads (-1 is escape).
    tested
        How many random shocks inside of this size were tried, and how many of them were fatal.
    status
        How it ended.
    provenance
        Where it came from.
    """

    attractors: Attractors
    start: Array
    shock: Array
    units: dict[str, float]
    outcomes: tuple[int, int]
    tested: tuple[int, int]
    status: Status
    provenance: Provenance

    @property
    def system(self) -> System:
        """The system."""
        return self.attractors.system

    @property
    def size(self) -> float:
        """Root of the sum of squares of the shocks, each in its unit; it is fatal, to 1e-7 of itself."""
        return math.sqrt(sum((self[name] / unit) ** 2 for name, unit in self.units.items()))

    @property
    def leads_to(self) -> str:
        """Where the system goes instead."""
        return outcome_name(self.outcomes[1], self.attractors)

    @property
    def smaller_fatal(self) -> float:
        """The share of smaller shocks that are fatal is below this, with 97.5 % certainty (Wilson)."""
        return float(wilson(np.array([self.tested[1]]), self.tested[0])[0, 1])

    def __getitem__(self, name: str) -> float:
        """Return the shock to a state."""
        if name not in self.units:
            raise UnknownNameError(
                f"state that is shocked in {self.system.name!r}", name, self.units
            )
        return float(self.shock[Layout.of(self.system).state(name)])

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return a row for each state: where it was, the shock, and where that leads."""
        return {
            "state": np.array(self.system.state_names, dtype=np.str_),
            "before": self.start, "shock": self.shock, "after": self.start + self.shock,
        }  # fmt: skip

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the shock, and all of its size, in the plane of the first two states that are shocked.

        It goes well on the picture of the basins: ``shock.plot(basins.plot())``.
        """
        from dynlab import plotting

        names = [*self.units][:2]
        x, y = (names[0], names[1]) if len(names) > 1 else plane_of(self.system, names[0], None)
        layout = Layout.of(self.system)
        places = [layout.state(name) for name in (x, y) if name]
        before, after = self.start[places], (self.start + self.shock)[places]
        if len(places) == 1:
            before, after = np.append(before, 0.5), np.append(after, 0.5)
        turn = np.linspace(0, 2 * np.pi, 200)
        reach = [self.size * self.units.get(name, 0.0) for name in (x, y)]
        outline = (before[0] + reach[0] * np.cos(turn), before[1] + reach[1] * np.sin(turn))
        labels = [plotting.label(n, self.system.unit_of(n)) if n else "" for n in (x, y)]
        ax = plotting.draw_shock(
            ax, (before[0], before[1]), (after[0], after[1]), outline, labels=(labels[0], labels[1])
        )
        return plotting.draw_legend(ax)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name} {self[name]:+.5g}" for name in list(self.units)[:6])
        return (
            f"<fatal shock of size {self.size:.6g} from {outcome_name(self.outcomes[0], self.attractors)} of "
            f"{self.system.name}: {shown};\n to {self.leads_to}; {self.tested[1]} of {self.tested[0]} smaller ones "
            f"fatal>"
        )


class _Shocks(NamedTuple):
    """Shocks from the states of one attractor."""

    search: Search
    label: int
    starts: Array
    places: NDArray[np.int64]
    units: Array

    def outcomes(self, which: NDArray[np.int64], shocks: Array) -> NDArray[np.int64]:
        """Return where shocks in units lead, each from one of the starts."""
        states = self.starts[which].copy()
        states[:, self.places] += shocks * self.units
        return self.search.outcomes(states, "shocks")

    def fatal(self, which: NDArray[np.int64], shocks: Array) -> NDArray[np.bool_]:
        """Whether shocks lead elsewhere for certain; what is not decided or not run is not known to."""
        found = self.outcomes(which, shocks)
        return np.asarray((found == ESCAPED) | ((found >= 0) & (found != self.label)))

    def borders(self, which: NDArray[np.int64], ways: Array, sizes: Array) -> Array:
        """Return the smallest fatal size found along each direction; the given size is fatal."""
        low, high = np.zeros(len(sizes)), sizes.copy()
        while np.max((high - low) / np.maximum(high, 1e-300)) > ACCURACY and tick(0.0, 1.0):
            shares = np.arange(1, PLACES + 1) / (PLACES + 1)
            radii = low[:, None] + (high - low)[:, None] * shares
            shocks = (ways[:, None] * radii[..., None]).reshape(-1, ways.shape[1])
            found = self.fatal(np.repeat(which, PLACES), shocks).reshape(len(ways), PLACES)
            ends = np.column_stack([low, radii, high])
            first = np.argmax(np.column_stack([found, np.ones(len(ways), bool)]), axis=1)
            rows = np.arange(len(ways))
            low, high = ends[rows, first], ends[rows, first + 1]
        return high


def minimal_fatal_shock(
    attractors: Attractors,
    *,
    label: int = 0,
    within: Mapping[str, tuple[float, float]],
    units: Mapping[str, float] | None = None,
    samples: int = 2000,
    seed: int | np.random.Generator | None = None,
) -> FatalShock:
    """Find the smallest instant change of state after which an attractor is not come back to.

    Parameters
    ----------
    attractors
        Attractors of a system, found by `find_attractors`.
    label
        The attractor that is shocked.  On a cycle or a chaotic one the worst moment is searched, too.
    within
        For each state that can be shocked the range of the shocks, such as ``{"x": (-2, 2)}``.
    units
        What a shock of size 1 is for these states; 1 if left out.  The size is the root of the sum of
        squares.
    samples
        How many random shocks begin the search, and how many test the result.
    seed
        For them: a whole number, a numpy Generator, or None for a fresh seed.

    Returns
    -------
    FatalShock
        The shock, where it leads, and how many smaller ones were tried.

    Raises
    ------
    NotConverged
        If no shock in the ranges is fatal.
    SettingError
        If there is no such attractor, or a range, unit or number makes no sense.
    UnknownNameError
        If a state does not exist.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def two_wells(x=0.5, y=0.5):
    ...     return {x: x - x**3, y: -y}
    >>> found = dl.find_attractors(two_wells, within={"x": (-2, 2), "y": (-2, 2)}, seed=1)
    >>> shock = dl.minimal_fatal_shock(found, within={"x": (-3, 3), "y": (-3, 3)}, samples=300, seed=1)
    >>> round(shock.size, 5)  # straight to the wall at x = 0
    1.0

    References
    ----------
    Halekotte and Feudel 2020, Sci. Rep. 10, 11783.
    """
    began = time.perf_counter()
    shocks, window = _checked(attractors, label, within, units)
    count, chosen = whole(samples, "samples"), seed_of(seed)
    stream = chosen.stream(3)
    low, high = np.array(window.low) / shocks.units, np.array(window.high) / shocks.units
    tried = low + (high - low) * stream.random((count, len(low)))
    which = stream.integers(len(shocks.starts), size=count)
    fatal = shocks.fatal(which, tried)
    if not fatal.any():
        stopped = shocks.search.status is Status.STOPPED
        raise NotConverged(
            "the search was stopped before a fatal shock was found. Give it more time." if stopped else
            f"none of {count} shocks within {dict(window.ranges)} to {attractors[label].name!r} of "
            f"{attractors.system.name!r} is fatal. Allow larger ones in within=, or try more.",
            status=Status.STOPPED if stopped else Status.NOT_CONVERGED, partial=attractors,
        )  # fmt: skip
    moment, way, size = _smallest(shocks, which[fatal], tried[fatal], stream)
    inner = stream.normal(size=(count, len(low)))
    inner /= np.linalg.norm(inner, axis=1)[:, None]
    inner *= (size * (1 - 1e-6) * stream.random(count) ** (1 / len(low)))[:, None]
    anywhere = stream.integers(len(shocks.starts), size=count)
    smaller = int(shocks.fatal(anywhere, inner).sum())
    shock = np.zeros(shocks.starts.shape[1])
    shock[shocks.places] = way * size * shocks.units
    # As one of several, so that it runs in lanes like those that were compared.
    beyond = np.tile(way * size * (1 + 10 * ACCURACY), (4, 1))
    leads = int(shocks.outcomes(np.full(4, moment), beyond)[0])
    number = int(chosen.text) if chosen.text.isdigit() else None
    return FatalShock(
        attractors, shocks.starts[moment], shock, dict(zip(window.names, shocks.units.tolist(), strict=True)),
        (label, leads), (count, smaller), shocks.search.status,
        Provenance(
            "minimal_fatal_shock", attractors.system, {"samples": count, "within": window.ranges},
            seed=number, seconds=time.perf_counter() - began,
        ),
    )  # fmt: skip


def _checked(
    attractors: Any, label: Any, within: Any, units: Mapping[str, float] | None
) -> tuple[_Shocks, Window]:
    if not isinstance(attractors, Attractors):
        raise SettingError(
            "minimal_fatal_shock takes what dl.find_attractors returned, not "
            f"{type(attractors).__name__}."
        )
    if label not in range(len(attractors)):
        raise SettingError(
            f"there is no attractor {label!r} of {attractors.system.name!r}; labels go from 0 to "
            f"{len(attractors) - 1}."
        )
    window = window_of(attractors.system, within, "within")
    given = by_name(units, "units")
    sizes = []
    for name in given:
        if name not in window.names:
            raise UnknownNameError(
                f"state that is shocked in {attractors.system.name!r}", name, window.names
            )
    for name in window.names:
        unit = finite(given.get(name, 1.0), f"units[{name!r}]")
        if unit <= 0:
            raise SettingError(f"units[{name!r}] is {unit:g}; give a positive size.")
        sizes.append(unit)
    shocks = _Shocks(
        attractors.search(), int(label), attractors[label].states, window.places(attractors.system),
        np.array(sizes),
    )  # fmt: skip
    return shocks, window


def _smallest(
    shocks: _Shocks, which: NDArray[np.int64], tried: Array, stream: np.random.Generator
) -> tuple[int, Array, float]:
    """Return start, direction and size of the smallest fatal shock that turning directions leads to."""
    order = np.argsort(np.linalg.norm(tried, axis=1))[: 4 * BEST]
    which, sizes = which[order], np.linalg.norm(tried[order], axis=1)
    ways = tried[order] / sizes[:, None]
    sizes = shocks.borders(which, ways, sizes)
    order = np.argsort(sizes)[:BEST]
    which, ways, sizes = which[order], ways[order], sizes[order]
    angle, dimensions = ANGLE, ways.shape[1]
    many = len(shocks.starts)
    while angle > LEAST_ANGLE and (dimensions > 1 or many > 1) and tick(0.0, 1.0):
        turned = np.repeat(ways, PROPOSALS, axis=0)
        turned = turned + angle * stream.normal(size=turned.shape) / math.sqrt(dimensions)
        turned /= np.linalg.norm(turned, axis=1)[:, None]
        jump = np.rint(angle * many * stream.normal(size=len(turned)) / 4).astype(np.int64)
        moved = (np.repeat(which, PROPOSALS) + jump) % many
        shares = 1.0 - angle * np.array([1e-3, 0.03, 0.1, 0.2, 0.4, 0.7])
        tests = np.repeat(sizes, PROPOSALS)[:, None] * shares
        places = (turned[:, None] * tests[..., None]).reshape(-1, dimensions)
        fatal = shocks.fatal(np.repeat(moved, len(shares)), places).reshape(tests.shape)
        gained = False
        best = np.where(fatal, tests, np.inf).min(axis=1).reshape(-1, PROPOSALS)
        for k, row in enumerate(best):
            place = int(np.argmin(row))
            if row[place] < sizes[k]:
                take = k * PROPOSALS + place
                which[k], ways[k], sizes[k], gained = moved[take], turned[take], row[place], True
        angle *= 1.0 if gained else SHRINK
    sizes = shocks.borders(which, ways, sizes)
    best_one = int(np.argmin(sizes))
    return int(which[best_one]), ways[best_one], float(sizes[best_one])
