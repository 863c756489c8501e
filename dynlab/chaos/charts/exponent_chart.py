"""exponent_chart: the largest Lyapunov exponent over one or two parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.charts.cells import Cells
from dynlab.chaos.charts.chart import Chart
from dynlab.chaos.charts.plan import Plan
from dynlab.chaos.charts.returns import NO_PERIOD, Watch, watch_returns
from dynlab.chaos.charts.settled import Settled, run_alone, settle
from dynlab.chaos.exponents.averages import BATCHES
from dynlab.codegen.lanes import lane_kernel
from dynlab.plotting import draw_exponent_line, draw_exponent_map
from dynlab.progress import tick
from dynlab.result import Provenance
from dynlab.solve.methods import OdeMethod
from dynlab.status import Status
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ExponentChart", "exponent_chart"]

Array = NDArray[np.float64]
#: Cycles onto which rounding puts an orbit are looked for up to this period.
LONGEST = 64


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ExponentChart(Chart):
    """The largest Lyapunov exponent over one or two parameters; made by `exponent_chart`.

    ``chart["a"]`` are the values along an axis; ``chart["exponent"]`` and ``chart["standard_error"]`` are arrays over the
    axes in their order, nan where there is no answer.  ``chart["status"]`` and ``chart["end"]`` say how and when each
    cell ended.

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
    def exponents(self) -> Array:
        """The largest exponent of each cell, per unit of time or per step."""
        return self.cells["exponent"]

    @property
    def standard_errors(self) -> Array:
        """The standard error of each exponent."""
        return self.cells["standard_error"]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the exponents: over one parameter a line, over two a map in two scales of colour.

        Blue is for negative exponents (periodic motion), darker the more negative; yellow to red for positive
        ones (chaos); grey for cells without an answer.
        """
        unit = self.system.unit_of("t")
        what = "largest exponent" + (f" (1/{unit})" if unit else "")
        (x, *rest), labels = list(self.over.values()), self._labels
        if not rest:
            return draw_exponent_line(
                ax, x, self.exponents, self.standard_errors, labels=(labels[0], what)
            )
        return draw_exponent_map(
            ax, x, rest[0], self.exponents, labels=(labels[0], labels[1], what)
        )

    def __repr__(self) -> str:
        found = self.exponents[self.ok & np.isfinite(self.exponents)]
        between = f"{found.min():.4g} to {found.max():.4g}" if found.size else "none"
        share = np.mean(found > 0) if found.size else 0.0
        return f"{self._headline}:\n largest exponents {between}, {share:.0%} above zero{self._failed}>"


def exponent_chart(
    system: System,
    *,
    vary: Mapping[str, Any],
    start: Mapping[str, Any] | Sequence[float] | None = None,
    duration: float,
    transient: float = 0.0,
    method: OdeMethod | None = None,
) -> ExponentChart:
    r"""Return the largest Lyapunov exponent over one or two parameters, on all cores in one call.

    .. math:: \lambda = \lim_{T \to \infty} \frac{1}{T} \log \frac{|v(T)|}{|v(0)|}, \qquad v' = J(x)\, v

    State and deviation are carried together with the exact derivative, 16 cells at a time in the lanes of the
    processor.  What a cell holds depends on that cell alone, to the last bit: not on its neighbours, nor on the number
    of threads (see `dynlab.threads`).  A cell that escapes is masked with its reason and disturbs no other.

    Parameters
    ----------
    system
        The flow or map, or a section of a flow, whose cells run one by one.
    vary
        One or two parameters, or states whose start varies: ``{"a": (low, high, count)}``, or an array of values.
    start
        Where every cell starts; the system's default if None.
    duration
        Over how much time the growth is averaged, in the system's unit of time, or in steps of a map (32 or
        more).
    transient
        Time before that, in which the orbit settles and the deviation turns to where it grows fastest.
    method
        Method and tolerances for a flow; `Explicit8` if None.  With `Automatic`, for stiff flows, the cells
        run one by one.

    Returns
    -------
    ExponentChart
        Standard errors are those of the mean over 32 batches of the duration.  They hold for chaotic orbits
        longer than their memory; on periodic ones they are near zero, and what is left is the end
        of the transient, of size 1 / duration.  A cell has escaped (`Status.DIVERGED`) when a state is beyond 1e5 times the
        largest number of its start, or 1e5 if that is below 1: start where the attractor is.  If stopped it holds the cells that were done.
        A cell of a map that rounding put onto a cycle that repels has the exponent of the steps before, and
        `Status.ABSORBED`.

    Raises
    ------
    SettingError
        If there are not one or two names, an axis holds no finite numbers, or a time cannot be used.
    UnknownNameError
        If a name is neither a parameter nor a state.

    Examples
    --------
    >>> import dynlab as dl
    >>> chart = dl.exponent_chart(dl.zoo.logistic, vary={"r": [3.2, 4.2]}, duration=1000, transient=1000)
    >>> chart["exponent"].round(6), chart.failures["status"]
    (array([-0.916291,       nan]), array(['diverged'], dtype='<U8'))

    References
    ----------
    1. Benettin, Galgani, Giorgilli and Strelcyn 1980, Meccanica 15, 9.
    2. Gallas 1993, Phys. Rev. Lett. 70, 2714 (what such charts show).
    """
    plan = Plan.checked("exponent_chart", system, vary, start, method)
    span = plan.average(duration, BATCHES)
    before = plan.span(transient, "transient")
    again = _run_again_if_absorbed(system, plan.cells, (before, span))
    found = settle(system, plan.cells, plan.method, (before, span), then=again, note="exponents")
    arrays = {"exponent": found.exponents, "standard_error": found.errors}
    return plan.chart(ExponentChart, arrays, found, {"duration": span, "transient": before})


def _run_again_if_absorbed(
    system: System, cells: Cells, spans: tuple[float, float]
) -> Callable[[Settled, slice], None] | None:
    """Return what measures by itself each cell that grows, yet comes again to the last bit.

    No cycle that attracts has a positive exponent, so rounding put the orbit there; see `dynlab.chaos.exponents.orbit`.
    """
    if not system.is_discrete or not system.is_autonomous or lane_kernel(system) is None:
        return None
    watch = Watch(system.state_names[0], sum(spans), 0.0, LONGEST, tolerance=0.0)
    look = watch_returns(system, None, watch)

    def then(settled: Settled, rows: slice) -> None:
        grows = (settled.statuses[rows] == Status.OK) & (settled.exponents[rows] > 0)
        if not grows.any():
            return
        places = rows.start + np.flatnonzero(grows)
        periods, lengths = np.full(places.size, NO_PERIOD), np.full(places.size, np.nan)
        look(
            settled.finals[places], cells.starts[places], cells.parameters[places], periods, lengths
        )
        absorbed = places[periods != NO_PERIOD]
        settled.statuses[absorbed] = Status.STOPPED
        for row in absorbed:
            if not tick(0.0, 1.0):
                return
            run_alone(system, cells, None, spans, settled, row)

    return then
