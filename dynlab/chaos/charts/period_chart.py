"""period_chart: the period of the attractor over one or two parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.charts.cells import Cells
from dynlab.chaos.charts.chart import Chart
from dynlab.chaos.charts.palette import PERIOD_COLORS, PERIOD_NAMES, period_classes
from dynlab.chaos.charts.period_search import PeriodSearch
from dynlab.chaos.charts.plan import Plan
from dynlab.chaos.charts.returns import NO_PERIOD, Watch, watch_returns
from dynlab.chaos.charts.settled import Settled, settle
from dynlab.chaos.charts.single_returns import events_else_maxima, maxima, watch_singly
from dynlab.codegen.lanes import lane_kernel
from dynlab.errors import SettingError
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

    ``chart["period"]`` is how many steps a map takes, or how many maxima (or events) a flow has, until it comes again: 0 for a
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
    maxima that were seen, two periods at least.  A flow with events is compared right after each of them: its period is
    a number of events, such as impacts or spikes; where none comes, a number of maxima.

    Parameters
    ----------
    system
        The flow or map, or a section of a flow.  Networks, sections, and systems with events run cell by cell.
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
        Tolerances for a flow; `Explicit8` if None.  With `Automatic`, for stiff flows, the cells run one by one.

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
        If cells that run one by one depend on the time, or have refractory times, or are networks whose nodes
        have events.

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
    plan = Plan.checked("period_chart", system, vary, start, method)
    before = plan.span(transient, "transient")
    span = before if duration is None else plan.span(duration, "duration")
    if span == 0 and not system.is_discrete:
        raise SettingError(
            f"{system.name!r} is watched for no time: duration is 0, or left out with a transient of 0. Give a "
            "duration of some turns."
        )
    found = Found.room(plan.cells)
    watch = watching(plan, search, (before, span), found)
    settled = settle(system, plan.cells, plan.method, (before, 0.0), then=watch, note="periods")
    settings = {"transient": before, "duration": span, "search": search}
    arrays = {"period": found.periods, "length": found.lengths}
    return plan.chart(PeriodChart, arrays, settled, settings)


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
    plan: Plan, search: PeriodSearch, spans: tuple[float, float], found: Found
) -> Callable[[Settled, slice], None]:
    """Return what looks for the periods of cells that have settled, in their thread."""
    system, cells = plan.system, plan.cells
    if not isinstance(search, PeriodSearch):
        raise SettingError(f"search is {search!r}; give a dl.PeriodSearch(...).")
    if search.maxima is not None and system.is_discrete:
        raise SettingError(
            f"maxima is {search.maxima!r}, but {system.name!r} is a map. Leave it out."
        )
    state = search.maxima or system.state_names[0]
    Layout.of(system).state(state)
    exact = system.is_discrete and isinstance(system, System)
    tolerance = search.tolerance or (1e-9 if exact else 1e-7)
    watch = Watch(state, spans[0], spans[1], int(search.most), tolerance)
    explicit = plan.method if isinstance(plan.method, Explicit8) else None
    if explicit is plan.method and lane_kernel(system) is not None:
        look = watch_returns(system, explicit, watch)
    else:
        marks = events_else_maxima if search.maxima is None else maxima
        look = watch_singly(system, plan.method, watch, marks)

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
