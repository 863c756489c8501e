"""basins: which states lead to which attractor, on a grid."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.attractors.confirm import confirmed
from dynlab.attractors.find import Attractors, find_attractors, outcome_name
from dynlab.attractors.orbits import require_recurrent
from dynlab.attractors.search import NOT_DONE, Search
from dynlab.attractors.window import Ranges, Window, counts_of, window_of
from dynlab.errors import SettingError, UnknownNameError
from dynlab.names import Layout, by_name, finite
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Basins", "attractors_for", "basins", "with_new"]

Array = NDArray[np.float64]

USUAL, MOST_STARTS = 400, 1 << 26


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Basins(Result):
    """Which states on a grid lead to which attractor.

    Attributes
    ----------
    attractors
        The attractors; one that was first met here is among them.
    labels
        For each cell the label of the attractor that its middle leads to; -1 if it escaped, -2
        undecided, -3 not done.  One axis for each state of `over`, in that order.
    over
        The ranges of the grid, by state.
    at
        The other states at the start, by name.
    status
        How it ended.
    provenance
        Where it came from.
    """

    attractors: Attractors
    labels: NDArray[np.int16]
    over: dict[str, tuple[float, float]]
    at: dict[str, float]
    status: Status
    provenance: Provenance

    @property
    def system(self) -> System:
        """The system."""
        return self.attractors.system

    def __getitem__(self, name: str) -> Array:
        """Return the middles of the cells along a state."""
        if name not in self.over:
            raise UnknownNameError(
                f"state of these basins of {self.system.name!r}", name, self.over
            )
        low, high = self.over[name]
        count = self.labels.shape[list(self.over).index(name)]
        return np.asarray(low + (high - low) * (np.arange(count) + 0.5) / count)

    @property
    def fractions(self) -> dict[int, float]:
        """The share of the cells of each label; they sum to 1."""
        found, counts = np.unique(self.labels, return_counts=True)
        shares = dict.fromkeys(range(len(self.attractors)), 0.0)
        return shares | {
            int(k): c / self.labels.size for k, c in zip(found, counts.tolist(), strict=True)
        }

    def at_state(self, **state: float) -> int:
        """Return the label of the cell that holds a state; states not named must not be in `over`."""
        place = []
        for axis, (name, (low, high)) in enumerate(self.over.items()):
            if name not in state:
                raise SettingError(
                    f"no value is given for {name!r}. Give one for each of {list(self.over)}."
                )
            share = (finite(state[name], name) - low) / (high - low)
            if not 0 <= share <= 1:
                raise SettingError(f"{name} = {state[name]:g} is not between {low:g} and {high:g}.")
            place.append(min(int(share * self.labels.shape[axis]), self.labels.shape[axis] - 1))
        return int(self.labels[tuple(place)])

    def resume(self) -> Basins:
        """Return the basins with the cells that were not done when they were stopped."""
        window = Window(tuple(self.over), *map(tuple, zip(*self.over.values(), strict=True)))
        left = np.flatnonzero(self.labels.ravel() == NOT_DONE)
        return _filled(self.attractors, window, self.at, self.labels, left, time.perf_counter())

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return the middle and the label of each cell."""
        axes = np.meshgrid(*(self[name] for name in self.over), indexing="ij")
        columns = {name: axis.ravel() for name, axis in zip(self.over, axes, strict=True)}
        return columns | {"label": self.labels.ravel().astype(np.int64)}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the image, and the attractors on it; of one state a strip."""
        from dynlab import plotting

        names = {k: outcome_name(k, self.attractors) for k in sorted(self.fractions)}
        names = {k: names[k] for k in sorted(names, key=lambda k: (k < 0, abs(k)))}
        states = list(self.over)
        if len(states) > 2:
            raise SettingError(
                f"these basins are over {len(states)} states, and a picture has two. Draw a slice: "
                "dl.basins(..., over={two states}, at={the others})."
            )
        texts = [plotting.label(n, self.system.unit_of(n)) for n in states]
        ends = self.over[states[0]]
        if len(states) == 1:
            edges = np.linspace(*ends, self.labels.size + 1)
            ax = plotting.draw_basin_line(ax, edges, self.labels, names, labels=(texts[0], ""))
            return plotting.draw_legend(ax)
        ax = plotting.draw_basins(
            ax, ends, self.over[states[1]], self.labels.T, names, labels=(texts[0], texts[1])
        )
        for item in self.attractors:
            item.plot(ax, x=states[0], y=states[1])
        ax.set_xlim(*ends)
        ax.set_ylim(*self.over[states[1]])
        return plotting.draw_legend(ax)

    def __repr__(self) -> str:
        grid = " x ".join(map(str, self.labels.shape))
        shares = ", ".join(
            f"{outcome_name(k, self.attractors)} {100 * share:.3g} %"
            for k, share in list(self.fractions.items())[:8]
        )
        return f"<basins of {self.system.name} over {', '.join(self.over)}, {grid};\n {shares}; {self.status}>"


def basins(
    system: System,
    *,
    over: Ranges,
    cells: int | Mapping[str, int] = USUAL,
    at: Mapping[str, float] | None = None,
    attractors: Attractors | None = None,
    seed: int | np.random.Generator | None = None,
) -> Basins:
    """Return which states lead to which attractor, on a grid.

    The middle of each cell is followed until it has reached an attractor, left, or used up the samples
    allowed; what is not decided stays undecided.  Orbits that settle on something unknown add an
    attractor.  The result does not depend on the number of threads.

    Parameters
    ----------
    system
        A flow, with or without events, or a map whose rule does not depend on time.
    over
        A range for each state of the grid; two make an image.
    cells
        Cells along each state, one number for all or a dict by name.
    at
        Where the other states start, by name; from their defaults if left out.
    attractors
        Attractors of this system found before, with the rules they were found by; searched for in `over`
        if None.
    seed
        For that search.

    Returns
    -------
    Basins
        The labels of the cells.  If stopped, `Basins.resume` does the rest.

    Raises
    ------
    SettingError
        If a range is empty, reversed or not finite, a number of cells is not positive, or the
        attractors are those of another system.
    UnknownNameError
        If a name is no state.
    UnsupportedSystemError
        If the rule or an event depends on time, or events have refractory times.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def double_well(x=0.5, v=0.0, *, friction=0.5):
    ...     return {x: v, v: x - x**3 - friction * v}
    >>> found = dl.basins(double_well, over={"x": (-2, 2), "v": (-2, 2)}, cells=50, seed=1)
    >>> found.at_state(x=1.0, v=0.0) == found.at_state(x=-1.0, v=0.0)
    False
    >>> round(found.fractions[0], 2)
    0.5

    References
    ----------
    Datseris and Wagemakers 2022, Chaos 32, 023104.
    """
    began = time.perf_counter()
    require_recurrent(system)
    window = window_of(system, over, "over")
    counts = counts_of(window, cells, USUAL)
    if float(np.prod(counts, dtype=float)) > MOST_STARTS:
        raise SettingError(
            f"{' x '.join(map(str, counts))} cells are more than {MOST_STARTS}. Give fewer, or sample them "
            "with dl.basin_fractions."
        )
    others = _others(system, window, at)
    known = attractors_for(system.with_start(**others), window, attractors, seed)
    labels = np.full(counts, NOT_DONE, np.int16)
    return _filled(known, window, others, labels, np.arange(labels.size), began)


def _others(system: System, window: Window, at: Mapping[str, float] | None) -> dict[str, float]:
    """Return where the states that the grid does not cover start."""
    layout, given = Layout.of(system), by_name(at, "at")
    for name in given:
        layout.state(name)
        if name in window.names:
            raise SettingError(f"{name!r} is both in over and in at. Leave one of them out.")
    start = layout.unpack(system.start_values)
    return {
        name: finite(given.get(name, value), f"at[{name!r}]")
        for name, value in start.items()
        if name not in window.names and (name in given or np.ndim(value) == 0)
    }


def attractors_for(
    system: System, window: Window, attractors: Attractors | None, seed: Any
) -> Attractors:
    """Return the attractors given, which must be those of the system, or search for them."""
    if attractors is None:
        return find_attractors(system, within=window.ranges, seed=seed)
    if not isinstance(attractors, Attractors):
        raise SettingError(
            f"attractors is {type(attractors).__name__}; give what dl.find_attractors returned."
        )
    theirs = attractors.system
    if (theirs.rule_hash, theirs.parameter_values) != (system.rule_hash, system.parameter_values):
        raise SettingError(
            f"the attractors are those of {theirs.name!r} with other equations or parameter values than "
            f"{system.name!r} has here. Find them with dl.find_attractors(system, ...)."
        )
    return replace(attractors, system=system)


def with_new(attractors: Attractors, search: Search) -> Attractors:
    """Return attractors with those that a search has added."""
    return replace(
        attractors,
        items=search.items,
        cells=search.chart.labels.reshape(attractors.cells.shape),
    )


def _filled(
    attractors: Attractors, window: Window, at: dict[str, float], labels: NDArray[np.int16],
    left: NDArray[np.intp], began: float,
) -> Basins:  # fmt: skip
    """Return basins with some of the cells filled."""
    system = attractors.system
    search = attractors.search()
    starts = np.tile(np.array(system.start_values, float), (len(left), 1))
    for name, axis, count in zip(
        window.names, np.unravel_index(left, labels.shape), labels.shape, strict=True
    ):
        low, high = window.ranges[name]
        starts[:, Layout.of(system).state(name)] = low + (high - low) * (axis + 0.5) / count
    filled = labels.ravel().copy()
    filled[left] = confirmed(search, starts, "basins")
    settings = {"cells": labels.shape, "recurrences": search.rules, "step": search.orbits.step}
    settings |= {"method": search.orbits.method} if search.orbits.method is not None else {}
    return Basins(
        with_new(attractors, search), filled.reshape(labels.shape), window.ranges, at, search.status,
        Provenance(
            "basins", system, settings, seed=attractors.provenance.seed,
            seconds=time.perf_counter() - began,
        ),
    )  # fmt: skip
