"""period_chart: the period of the attractor over one or two parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.charts.axes import Cells, cells_of
from dynlab.chaos.charts.chart import Chart
from dynlab.chaos.charts.palette import PERIOD_COLORS, PERIOD_NAMES, period_classes
from dynlab.chaos.charts.period_search import PeriodSearch
from dynlab.chaos.charts.returns import NO_PERIOD, Watch, watch_returns
from dynlab.chaos.charts.settled import Settled, checked_method, checked_span, settle
from dynlab.codegen.lanes import lane_kernel
from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.names import Layout
from dynlab.plotting import draw_class_line, draw_class_map
from dynlab.result import Provenance
from dynlab.solve.methods import Explicit8, OdeMethod
from dynlab.status import Status
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Found", "PeriodChart", "period_chart", "watching"]

Array = NDArray[np.float64]
USUAL = PeriodSearch()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PeriodChart(Chart):
    """The period of the attractor over one or two parameters; made by `period_chart`.

    ``chart["period"]`` is how many steps a map takes, or how many maxima a flow has, until it comes again: 0 for a
    flow that stands still, -1 where nothing came again.  ``chart["length"]`` is the time that takes.

    Attributes
    ----------
    system
        The system.
    over
        The values along each axis, by name.
    cells
        The arrays over the axes, by name.
    statuses
        How each cell ended, as numbers of `Status`.
    ends
        When each cell ended.
    provenance
        Where it came from.
    """

    system: System
    over: Mapping[str, Array]
    cells: Mapping[str, NDArray[Any]]
    statuses: NDArray[np.int64]
    ends: Array
    provenance: Provenance

    @property
    def periods(self) -> NDArray[np.int64]:
        """The period of each cell."""
        return self.cells["period"]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw a colour for each period, over one parameter as a strip, over two as a map."""
        classes = period_classes(self.periods, self.ok)
        look: dict[str, Any] = {"names": PERIOD_NAMES, "colors": PERIOD_COLORS}
        values = list(self.over.values())
        if len(values) == 1:
            return draw_class_line(ax, values[0], classes, labels=(self._labels[0], ""), **look)
        return draw_class_map(
            ax, values[0], values[1], classes, labels=(self._labels[0], self._labels[1]), **look
        )

    def __repr__(self) -> str:
        common = Counter(self.periods[self.ok].ravel().tolist()).most_common(5)
        words = ", ".join(
            f"{count} {'of no period' if p == NO_PERIOD else f'of period {p}'}"
            for p, count in common
        )
        return f"{self._headline}:\n {words or 'none'}{self._failed}>"


def period_chart(  # noqa: PLR0913  (what, over what, from where, how long, what counts, how)
    system: System,
    *,
    vary: Mapping[str, Any],
    start: Mapping[str, Any] | Sequence[float] | None = None,
    transient: float,
    duration: float | None = None,
    search: PeriodSearch = USUAL,
    method: OdeMethod | None = None,
) -> PeriodChart:
    """Return the period of the attractor over one or two parameters, on all cores in one call.

    For maps, after how many steps the orbit is again where it was: two searches one after the other must find the
    same number, and no state between may be nearly as close, else the orbit is still on its way to a cycle.
    For flows, how many maxima of one state there are until the state at them comes again, for all the
    maxima that were seen, two periods at least.

    Parameters
    ----------
    system
        The flow or map; its states must be scalars.
    vary
        One or two parameters, or states whose start varies: ``{"a": (low, high, count)}``, or an array of values.
    start
        Where every cell starts; the system's default if None.
    transient
        Time, or steps of a map, in which the orbit settles.
    duration
        How long a flow is watched at most; as long as the transient if None.  Maps need none.
    search
        How near counts as the same, the longest period looked for, and whose maxima are counted.
    method
        Tolerances for a flow; `Explicit8` if None, and nothing else.

    Returns
    -------
    PeriodChart
        A period of -1 says that nothing came again: the orbit is not periodic, its period is longer than
        ``search.most``, or the transient was too short, as it always is near a bifurcation.

    Raises
    ------
    SettingError
        If there are not one or two names, an axis holds no finite numbers, or a time or method cannot be used.
    UnknownNameError
        If a name is neither a parameter nor a state.
    UnsupportedSystemError
        If the system is a network, has events or signals, or functions that have no code for lanes.

    Examples
    --------
    >>> import dynlab as dl
    >>> chart = dl.period_chart(dl.zoo.logistic, vary={"r": [2.9, 3.2, 3.5, 3.83, 3.9]}, transient=1000)
    >>> chart["period"]
    array([ 1,  2,  4,  3, -1])

    References
    ----------
    1. Gallas 1993, Phys. Rev. Lett. 70, 2714 (periods over two parameters of a map).
    2. Freire and Gallas 2011, Phys. Chem. Chem. Phys. 13, 12191 (counting the maxima of a flow).
    """
    began = perf_counter()
    chosen = checked_method(system, method)
    before = checked_span(system, transient, "transient", 0.0)
    span = before if duration is None else checked_span(system, duration, "duration", 0.0)
    cells = cells_of(system, vary, start)
    found = Found.room(cells)
    watch = watching(system, chosen, search, (before, span), cells, found)
    settled = settle(system, cells, chosen, (before, 0.0), then=watch, note="periods")
    shape = cells.shape
    settings: dict[str, Any] = {"transient": before, "duration": span, "search": search}
    settings |= {"start": dict(zip(system.state_names, cells.starts[0], strict=True))}
    settings |= {"method": chosen} if chosen else {}
    return PeriodChart(
        system=system,
        over=cells.over,
        cells={"period": found.periods.reshape(shape), "length": found.lengths.reshape(shape)},
        statuses=settled.statuses.reshape(shape),
        ends=settled.ends.reshape(shape),
        provenance=Provenance("period_chart", system, settings, seconds=perf_counter() - began),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Periods and their lengths, a row for each cell."""

    periods: NDArray[np.int64]
    lengths: Array

    @classmethod
    def room(cls, cells: Cells) -> Found:
        """Return room for answers."""
        return cls(np.full(len(cells), NO_PERIOD), np.full(len(cells), np.nan))


def watching(
    system: System, method: OdeMethod | None, search: PeriodSearch, spans: tuple[float, float],
    cells: Cells, found: Found,
) -> Callable[[Settled, slice], None]:  # fmt: skip
    """Return what looks for the periods of cells that have settled, in their thread."""
    lanes = None if system.events else lane_kernel(system)
    if lanes is None:
        raise UnsupportedSystemError(
            f"{system.name!r} cannot be used here: periods are looked for in the lanes of the processor, and "
            f"{_not_in_lanes(system)}. Use dl.exponent_chart, or dl.find_cycle for one cycle."
        )
    if method is not None and not isinstance(method, Explicit8):
        raise SettingError(
            f"method is {method!r}; periods are looked for with dl.Explicit8() only."
        )
    if search.maxima is not None and system.is_discrete:
        raise SettingError(
            f"maxima is {search.maxima!r}, but {system.name!r} is a map. Leave it out."
        )
    state = search.maxima or system.state_names[0]
    Layout.of(system).state(state)
    tolerance = search.tolerance or (1e-9 if system.is_discrete else 1e-7)
    watch = Watch(state, spans[0], spans[1], int(search.most), tolerance)
    look = watch_returns(system, method, watch)

    def then(settled: Settled, rows: slice) -> None:
        done = rows.start + np.flatnonzero(settled.statuses[rows] == Status.OK)
        if not done.size:
            return
        periods, lengths = np.full(done.size, NO_PERIOD), np.full(done.size, np.nan)
        states, sizes, parameters = (
            np.ascontiguousarray(a[done]) for a in (settled.finals, cells.starts, cells.parameters)
        )
        look(states, sizes, parameters, periods, lengths)
        found.periods[done], found.lengths[done] = periods, lengths

    return then


def _not_in_lanes(system: System) -> str:
    """Say why a system has no code for lanes."""
    if not isinstance(system, System):
        return "a section has none: take the flow itself, whose maxima are counted"
    if system.is_indexed:
        return "they take scalar states, not networks"
    if system.events or system.signals:
        return f"they take none with {'events' if system.events else 'recorded signals'}"
    return "a function in its equations has no code for them"
