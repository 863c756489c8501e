"""find_attractors: which attractors there are in a box of states, without knowing any."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.attractors.attractor import Attractor, plane_of
from dynlab.attractors.confirm import confirmed
from dynlab.attractors.orbits import Orbits, orbits_of, refuse_conservative, require_recurrent
from dynlab.attractors.recurrence_cells import RecurrenceCells
from dynlab.attractors.recurrences import Recurrences
from dynlab.attractors.search import ESCAPED, NOT_DONE, UNDECIDED, Search
from dynlab.attractors.window import Ranges, Window, window_of
from dynlab.errors import DefinitionError, NotConverged, SettingError
from dynlab.names import finite
from dynlab.result import Provenance, Result
from dynlab.seeds import Seed, seed_of
from dynlab.solve.methods import OdeMethod
from dynlab.status import Status
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Attractors", "find_attractors", "outcome_name"]

Array = NDArray[np.float64]
DEFAULT = Recurrences()

#: Starts of pilot orbits, which tell how long a step is and how far states move; their samples.
PILOTS, PILOT_SAMPLES = 8, 256
#: With this certainty an attractor with a basin above `Attractors.resolution` was met.
CERTAINTY = 0.95
_WORDS = {ESCAPED: "escaped", UNDECIDED: "undecided", NOT_DONE: "not done"}


def outcome_name(label: int, attractors: Attractors) -> str:
    """Return what a label stands for: the name of an attractor, escaped, undecided or not done."""
    return _WORDS[label] if label < 0 else attractors[label].name


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Attractors(Result):
    """The attractors found in a box.

    Attributes
    ----------
    system
        The system searched.
    items
        The attractors, by label; those met first come first.
    within
        The box, by state.
    cells
        The grid: to each cell 1 + the label of the attractor it belongs to, 0 for none.
    step
        Time between samples of orbits, in the system's unit; steps of a map.
    reach
        How far each state moves along orbits that lead to attractors.
    outcomes
        What became of each start: a label, -1 escaped, -2 undecided, -3 not done.
    status
        How the search ended.
    provenance
        Where the result came from; ``provenance.settings`` holds what was
        chosen, ``provenance.seed`` draws the same starts again.
    """

    system: System
    items: tuple[Attractor, ...]
    within: dict[str, tuple[float, float]]
    cells: NDArray[np.int32]
    step: float
    reach: Array
    outcomes: NDArray[np.int64]
    status: Status
    provenance: Provenance

    def __iter__(self) -> Iterator[Attractor]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, label: int) -> Attractor:
        return self.items[label]

    def single(self) -> Attractor:
        """Return the only attractor; raise if there is none or more than one."""
        if len(self.items) == 1:
            return self.items[0]
        if not self.items:
            raise NotConverged(
                f"no attractor of {self.system.name!r} was found within {self.within}: {self._counted}. "
                "Widen the box, or look at one orbit with dl.integrate.",
                status=Status.NOT_CONVERGED, partial=self,
            )  # fmt: skip
        kinds = ", ".join(item.kind for item in self.items)
        raise DefinitionError(
            f"{self.system.name!r} has {len(self.items)} attractors here ({kinds}). Choose one by its label, "
            "as in found[0]."
        )

    @property
    def resolution(self) -> float:
        """An attractor whose basin is a larger part of the box was met with 95 % certainty."""
        starts = int(np.sum(self.outcomes != NOT_DONE))
        return float(1.0 - (1.0 - CERTAINTY) ** (1.0 / max(starts, 1)))

    @property
    def sizes(self) -> Array:
        """What counts as small for each state: a cell, or a part of the range that was seen."""
        window = window_of(self.system, self.within, "within")
        spread = np.array([[a.low, a.high] for a in self.items]).reshape(
            -1, 2, len(self.system.state_names)
        )
        size = np.ones(spread.shape[2])
        if len(spread):
            reach = spread[:, 1].max(axis=0) - spread[:, 0].min(axis=0)
            size = np.where(np.isfinite(reach) & (reach > 0), reach, 1.0)
        size[window.places(self.system)] = np.array(window.high) - np.array(window.low)
        return np.asarray(size)

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return a row for each attractor: kind, starts that led to it, and ranges of the states."""
        table: dict[str, NDArray[Any]] = {
            "label": np.arange(len(self.items)),
            "kind": np.array([item.kind for item in self.items], dtype=np.str_),
            "starts": np.array([int(np.sum(self.outcomes == k)) for k in range(len(self.items))]),
        }
        for name in self.system.state_names:
            table[f"{name}_low"] = np.array([np.min(item[name]) for item in self.items])
            table[f"{name}_high"] = np.array([np.max(item[name]) for item in self.items])
        return table

    def plot(self, ax: Axes | None = None, *, x: str | None = None, y: str | None = None) -> Axes:
        """Draw all attractors in the plane of two quantities; the first two states if left out."""
        from dynlab import plotting

        first, second = plane_of(self.system, x, y)
        for item in self.items:
            ax = item.plot(ax, x=first, y=second)
        if ax is None:
            return plotting.new_axes(None, xlabel=first, ylabel=second)
        for name, limits in ((first, ax.set_xlim), (second, ax.set_ylim)):
            if name in self.within:
                limits(*self.within[name])
        return plotting.draw_legend(ax)

    def search(self) -> Search:
        """Return a search that knows these attractors, for more starts."""
        rules = self.provenance.settings["recurrences"]
        window = window_of(self.system, self.within, "within")
        shape = dict(zip(window.names, self.cells.shape, strict=True))
        orbits = Orbits(self.system, self.provenance.settings.get("method"), self.step)
        cells = RecurrenceCells.of(self.system, window, shape)
        return Search(orbits, cells, rules, self.reach, self.items, self.cells)

    @property
    def _counted(self) -> str:
        counts = Counter(self.outcomes.tolist())
        parts = [f"{counts[label]} {word}" for label, word in _WORDS.items() if counts.get(label)]
        return f"{len(self.outcomes)} starts" + (f", {', '.join(parts)}" if parts else "")

    def __repr__(self) -> str:
        kinds = ", ".join(item.kind for item in self.items) or "none"
        grid = " x ".join(map(str, self.cells.shape))
        return (
            f"<{len(self.items)} attractors of {self.system.name}: {kinds};\n {self._counted}; {grid} cells, "
            f"a sample every {self.step:.4g}; basins above {100 * self.resolution:.2g} % of the box met>"
        )


def find_attractors(
    system: System,
    *,
    within: Ranges,
    samples: int = 400,
    recurrences: Recurrences = DEFAULT,
    method: OdeMethod | None = None,
    seed: int | np.random.Generator | None = None,
) -> Attractors:
    """Find the attractors in a box of states, of any kind, without knowing any of them.

    Orbits from random starts in the box are followed until they keep coming back to cells of a grid that
    they have visited before.  What they settle on is an attractor; later orbits that reach its cells are
    counted for it.  Then each is looked at: a fixed point, periodic orbit or cycle is verified, to full
    accuracy and with its eigenvalues; of anything else the largest Lyapunov exponent tells whether it is chaotic,
    and what that does not tell is left ``"undetermined"``.

    Cells do not tell apart what lies in one of them.  So of the orbits that reached the cells of an attractor some run on
    until they are on it, and stable fixed points are looked for beside it.  Two that share cells have a distance within
    which an orbit counts as on them (`Attractor.near`); down to a thousandth of a cell, or what the tolerances allow, points,
    periodic orbits and cycles are told apart.  Of the others only the ranges of their states tell, with cells.

    Parameters
    ----------
    system
        A flow, with or without events, or a map whose rule does not depend on time; make the phase of a drive a state with
        ``.with_phase``.  Samples are then taken once a turn of the drive.
    within
        A range for each state that the grid covers.  Others start from their defaults and are left free.
        An attractor outside of the box is not found: orbits that stay outside have escaped.
    samples
        How many starts.  An attractor whose basin is a smaller part of the box than about 3 / samples
        may be missed; the result states the bound.
    recurrences
        Cells, time between samples, and how many samples decide; see `Recurrences`.
    method
        Method and tolerances for a flow; ``dl.Explicit8(rtol=1e-7, atol=1e-10)`` if None.
    seed
        For the starts: a whole number, a numpy Generator, or None for a fresh seed.

    Returns
    -------
    Attractors
        Each attractor with its states, kind, and what was verified of it.

    Raises
    ------
    SettingError
        If a range is empty, reversed or not finite, or a number makes no sense.
    UnknownNameError
        If a range names no state.
    UnsupportedSystemError
        If the rule or an event depends on time, or events have refractory times.
    NotConverged
        If there is no end of attractors, as in a system that conserves energy.

    Warns
    -----
    AccuracyWarning
        If orbits that reached the cells of an attractor settle on another one or leave, and nothing tells the two
        apart.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def double_well(x=0.5):
    ...     return {x: x - x**3}
    >>> found = dl.find_attractors(double_well, within={"x": (-2, 2)}, seed=1)
    >>> sorted((a.kind, round(float(a["x"][0]), 9)) for a in found)
    [('stable node', -1.0), ('stable node', 1.0)]

    References
    ----------
    Datseris and Wagemakers 2022, Chaos 32, 023104.
    """
    began = time.perf_counter()
    window = window_of_search(system, within)
    count = whole(samples, "samples")
    chosen = seed_of(seed)
    starts = window.drawn(system, chosen.stream(0), count)
    search = search_in(system, window, recurrences, method, chosen)
    outcomes = confirmed(search, starts, "attractors")
    return found_by(search, window, outcomes, chosen, began)


def window_of_search(system: System, within: Any) -> Window:
    """Return the box to search, of a system that can be searched."""
    require_recurrent(system)
    return window_of(system, within, "within")


def whole(value: Any, what: str) -> int:
    """Return a positive whole number."""
    number = finite(value, what)
    if number < 1 or number != int(number):
        raise SettingError(f"{what} is {value!r}; give a positive whole number.")
    return int(number)


def search_in(
    system: System, window: Window, recurrences: Recurrences, method: OdeMethod | None, seed: Seed
) -> Search:
    """Return a search that knows nothing yet."""
    if not isinstance(recurrences, Recurrences):
        raise SettingError(f"recurrences is {recurrences!r}; give a dl.Recurrences(...).")
    cells = RecurrenceCells.of(system, window, recurrences.cells)
    pilots = window.drawn(system, seed.stream(1), PILOTS)
    refuse_conservative(system, pilots)
    orbits = orbits_of(system, method, recurrences.step, pilots)
    return Search(orbits, cells, recurrences, orbits.reach(orbits.wrapped(pilots), PILOT_SAMPLES))


def found_by(
    search: Search, window: Window, outcomes: NDArray[np.int64], seed: Seed, began: float
) -> Attractors:
    """Return what a search found."""
    orbits = search.orbits
    settings: dict[str, Any] = {"recurrences": search.rules, "samples": len(outcomes)}
    settings |= {"method": orbits.method} if orbits.method is not None else {}
    number = int(seed.text) if seed.text.isdigit() else None
    settings |= {"generator": seed.text} if number is None else {}
    return Attractors(
        system=orbits.system,
        items=search.items,
        within=window.ranges,
        cells=search.chart.labels.reshape(tuple(search.cells.counts)),
        step=orbits.step,
        reach=search.reach,
        outcomes=outcomes,
        status=search.status,
        provenance=Provenance(
            "find_attractors", orbits.system, settings, seed=number,
            seconds=time.perf_counter() - began,
        ),
    )  # fmt: skip
