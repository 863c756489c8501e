"""continue_attractors: attractors and their basin fractions along a parameter.

At each value the attractors of the one before are run on from where they were, beside random starts in the
box; so an attractor is followed even where its basin is too small to be met by chance, and new ones are found
(Datseris, Rossi and Wagemakers 2023, Chaos 33, 073151).  Only the random starts count for the fractions.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlab.attractors.attractor import Attractor
from dynlab.attractors.confirm import confirmed
from dynlab.attractors.find import DEFAULT, search_in, whole, window_of_search
from dynlab.attractors.match import matched
from dynlab.attractors.recurrences import Recurrences
from dynlab.attractors.search import ESCAPED, NOT_DONE, UNDECIDED
from dynlab.attractors.window import Ranges, Window
from dynlab.errors import SettingError, UnknownNameError
from dynlab.names import Layout
from dynlab.progress import tick
from dynlab.result import Provenance, Result
from dynlab.seeds import Seed, seed_of
from dynlab.status import Status
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["AttractorContinuation", "continue_attractors"]

Array = NDArray[np.float64]

#: Attractors farther apart than this part of the box are not the same.
FARTHEST = 0.25
OTHERS = {ESCAPED: "escaped", UNDECIDED: "undecided"}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AttractorContinuation(Result):
    """Attractors and their basin fractions along a parameter.

    Attributes
    ----------
    system
        The system.
    vary
        The parameter.
    values
        Its values; as far as it came if stopped.
    items
        For each value the attractors; an attractor keeps its label from value to value.
    fractions
        For each value the fraction of each label, then of what escaped, then of what was not decided; a
        row sums to 1.
    within
        The box of the starts, by state.
    status
        How it ended.
    provenance
        Where it came from.
    """

    system: System
    vary: str
    values: Array
    items: tuple[tuple[Attractor, ...], ...]
    fractions: Array
    within: dict[str, tuple[float, float]]
    status: Status
    provenance: Provenance

    @property
    def labels(self) -> tuple[int, ...]:
        """The labels of all attractors that were seen."""
        return tuple(range(self.fractions.shape[1] - 2))

    def fraction(self, label: int) -> Array:
        """Return the fraction of one label at each value; -1 is escaped, -2 undecided."""
        if label not in (*self.labels, *OTHERS):
            raise SettingError(f"there is no attractor {label!r}; labels are {list(self.labels)}.")
        return np.asarray(self.fractions[:, label if label >= 0 else len(self.labels) - 1 - label])

    def range_of(self, label: int, name: str) -> tuple[Array, Array]:
        """Return the least and greatest value of a quantity on an attractor; nan where it is not seen."""
        low, high = np.full(len(self.values), np.nan), np.full(len(self.values), np.nan)
        for k, items in enumerate(self.items):
            for item in items:
                if item.label == label:
                    low[k], high[k] = np.min(item[name]), np.max(item[name])
        return low, high

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return the parameter and all fractions as columns."""
        table = {self.vary: self.values}
        table |= {f"attractor {k + 1}": self.fraction(k) for k in self.labels}
        return table | {word: self.fraction(k) for k, word in OTHERS.items()}

    def plot(self, ax: Axes | None = None, *, show: str | None = None) -> Axes:
        """Draw the fractions as bands, and below them where the attractors are.

        Parameters
        ----------
        ax
            Axes for the fractions alone; None makes a figure with both.
        show
            The quantity to draw of the attractors; the first state if left out.
        """
        from dynlab import plotting

        across = plotting.label(self.vary, self.system.unit_of(self.vary))
        shares = {
            f"attractor {k + 1}": (self.fraction(k), plotting.shade_of(k)) for k in self.labels
        }
        shares |= {
            word: (self.fraction(k), plotting.shade_of(k))
            for k, word in OTHERS.items() if np.any(self.fraction(k) > 0)
        }  # fmt: skip
        labels = (across, "fraction of starts")
        if ax is not None:
            return plotting.draw_legend(
                plotting.draw_stacked(ax, self.values, shares, labels=labels)
            )
        top, bottom = plotting.stacked_axes(2, height=2.0)
        plotting.draw_stacked(top, self.values, shares, labels=("", labels[1]))
        name = show or next(iter(self.within))
        for k in self.labels:
            plotting.draw_extent(
                bottom, self.values, *self.range_of(k, name), (k, f"attractor {k + 1}"),
                labels=(across, plotting.label(name, self.system.unit_of(name))),
            )  # fmt: skip
        bottom.set_xlim(float(self.values.min()), float(self.values.max()))
        plotting.name_colors(bottom, {w: c for w, (_, c) in shares.items() if w in OTHERS.values()})
        plotting.draw_legend(bottom)
        return top

    def __repr__(self) -> str:
        ends = f"{self.values[0]:g} to {self.values[-1]:g}" if len(self.values) else "nothing"
        return (
            f"<attractors of {self.system.name} along {self.vary} = {ends}: {len(self.labels)} in all, at "
            f"{len(self.values)} values;\n {self.status}>"
        )


def continue_attractors(  # noqa: PLR0913  (what, along what, where, how many starts, by which rules, what is drawn)
    system: System,
    *,
    vary: str,
    over: ArrayLike,
    within: Ranges,
    samples: int = 200,
    recurrences: Recurrences = DEFAULT,
    seed: int | np.random.Generator | None = None,
) -> AttractorContinuation:
    """Follow attractors and their basin fractions along a parameter.

    Parameters
    ----------
    system
        A flow or map whose rule does not depend on time.
    vary
        The parameter.
    over
        Its values, in the order to go through, such as ``np.linspace(0, 1, 51)``.
    within
        The box, a range for each state that the grid covers; others start from their defaults.
    samples
        Random starts at each value, the same ones at all.
    recurrences
        As in `find_attractors`.
    seed
        For the starts: a whole number, a numpy Generator, or None for a fresh seed.

    Returns
    -------
    AttractorContinuation
        The attractors with labels that they keep, and the fractions.  If stopped it holds the values
        that were done.

    Raises
    ------
    SettingError
        If the values are fewer than two or not finite, or as `find_attractors`.
    UnknownNameError
        If the parameter, or a state in `within`, does not exist.
    UnsupportedSystemError
        As `find_attractors`.

    Examples
    --------
    >>> import dynlab as dl
    >>> import numpy as np
    >>> @dl.flow
    ... def tilted(x=0.5, *, h=0.0):
    ...     return {x: x - x**3 + h}
    >>> run = dl.continue_attractors(
    ...     tilted, vary="h", over=np.linspace(0.3, 0.5, 5), within={"x": (-2, 2)}, samples=50, seed=1
    ... )
    >>> [len(items) for items in run.items]  # two wells up to h = 2 / (3 sqrt(3)) = 0.385
    [2, 2, 1, 1, 1]

    References
    ----------
    Datseris, Rossi and Wagemakers 2023, Chaos 33, 073151.
    """
    began = time.perf_counter()
    window = window_of_search(system, within)
    values, count, chosen = (
        _checked_values(system, vary, over),
        whole(samples, "samples"),
        seed_of(seed),
    )
    starts = window.drawn(system, chosen.stream(0), count)
    done: list[tuple[tuple[Attractor, ...], NDArray[np.int64]]] = []
    seen: dict[int, Attractor] = {}
    status = Status.OK
    for k, value in enumerate(values.tolist()):
        if not tick(float(k), float(len(values)), f"attractors along {vary}"):
            status = Status.STOPPED
            break
        last = done[-1][0] if done else ()
        items, outcomes = _at(
            system(**{vary: value}), window, recurrences, chosen, starts, last, seen
        )
        if np.any(outcomes == NOT_DONE):
            status = Status.STOPPED
            break
        seen |= {item.label: item for item in items}
        done.append((items, outcomes))
    settings = {"samples": count, "recurrences": recurrences, "vary": vary}
    number = int(chosen.text) if chosen.text.isdigit() else None
    return AttractorContinuation(
        system, vary, values[: len(done)], tuple(items for items, _ in done),
        _fractions([outcomes for _, outcomes in done], len(seen)), window.ranges, status,
        Provenance(
            "continue_attractors", system, settings, seed=number, seconds=time.perf_counter() - began
        ),
    )  # fmt: skip


def _checked_values(system: System, vary: str, over: ArrayLike) -> Array:
    layout = Layout.of(system)
    if vary not in layout.parameters:
        raise UnknownNameError(f"parameter of {system.name!r}", vary, layout.parameters)
    try:
        values = np.array(over, float, ndmin=1)
    except (TypeError, ValueError):
        raise SettingError(
            f"over is {over!r}; give values of {vary!r}, such as over=np.linspace(0, 1, 51)."
        ) from None
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise SettingError(
            f"over holds {values.size} values of {vary!r}; give at least two finite numbers, such as "
            "over=np.linspace(0, 1, 51)."
        )
    return values


def _at(  # noqa: PLR0913
    system: System, window: Window, recurrences: Recurrences, seed: Seed, starts: Array,
    last: Sequence[Attractor], seen: dict[int, Attractor],
) -> tuple[tuple[Attractor, ...], NDArray[np.int64]]:  # fmt: skip
    """Return the attractors at one value with their lasting labels, and what became of the starts."""
    search = search_in(system, window, recurrences, None, seed)
    on_them = np.array([item.states[-1] for item in last]).reshape(-1, starts.shape[1])
    outcomes = confirmed(search, np.vstack([on_them, starts]), "attractors")
    heirs = {
        item.label: int(label)
        for item, label in zip(last, outcomes[: len(last)], strict=True) if label >= 0
    }  # fmt: skip
    names = matched(seen, heirs, search.items, _widths(system, window, search.items), FARTHEST)
    items = tuple(replace(item, label=names[item.label]) for item in search.items)
    found = np.array([names[k] if k >= 0 else k for k in outcomes[len(last) :].tolist()])
    return tuple(sorted(items, key=lambda item: item.label)), found


def _widths(system: System, window: Window, items: Sequence[Attractor]) -> Array:
    """Return what each state is measured in: the width of the box; what it does not cover counts not."""
    size = np.full(len(system.state_names), np.inf)
    size[window.places(system)] = np.array(window.high) - np.array(window.low)
    return size


def _fractions(outcomes: Sequence[NDArray[np.int64]], labels: int) -> Array:
    order = [*range(labels), ESCAPED, UNDECIDED]
    rows = [[np.mean(row == k) for k in order] for row in outcomes]
    return np.array(rows, float).reshape(len(outcomes), len(order))
