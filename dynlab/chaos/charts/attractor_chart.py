"""attractor_chart: what kind of attractor there is, over one or two parameters.

The rule, for a cell that did not escape (then it is ESCAPED):

- the orbit comes again (see `period_chart`): PERIODIC, or FIXED_POINT for period 1 of a map and a flow that stands
  still; but UNDECIDED if its exponent is above zero, for then rounding holds it on an orbit that repels;
- it does not, and the exponent is above zero by the two tests of `dynlab.chaos.exponents.verdict`: CHAOTIC;
- it does not, and the exponent is zero by those tests: QUASI_PERIODIC, for maps of two states or an angle after
  `MOTION` steps.  Of flows that seem so the largest exponents are computed, cell by cell, and decide as in
  `lyapunov_spectrum`: an autonomous one has an exponent 0 on every orbit that moves, and few turns show nothing;
- else UNDECIDED: the transient was too short, or the period too long.

Where it errs: next to a bifurcation, where the rate of approach is below ``2 RESOLVED / duration``, an orbit that has
not settled counts as quasi-periodic; weaker chaos than that does, too.  A sign by itself is wrong once in a thousand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.charts.cells import Cells
from dynlab.chaos.charts.chart import Chart
from dynlab.chaos.charts.palette import KIND_COLORS, KIND_NAMES, kind_classes
from dynlab.chaos.charts.period_chart import USUAL, Found, watching
from dynlab.chaos.charts.period_search import PeriodSearch
from dynlab.chaos.charts.plan import Plan
from dynlab.chaos.charts.returns import NO_PERIOD
from dynlab.chaos.charts.settled import Settled, settle
from dynlab.chaos.exponents.averages import BATCHES
from dynlab.chaos.exponents.spectrum import lyapunov_spectrum
from dynlab.chaos.exponents.verdict import MOTION, RESOLVED, WRONG_SIGN, Verdict
from dynlab.plotting import draw_class_line, draw_class_map
from dynlab.progress import tick
from dynlab.result import Provenance
from dynlab.solve.methods import OdeMethod
from dynlab.status import Status
from dynlab.symbolic.quantities import Domain
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["AttractorChart", "attractor_chart"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AttractorChart(Chart):
    """What kind of attractor there is over one or two parameters; made by `attractor_chart`.

    ``chart["verdict"]`` holds the words of `Verdict`, ``chart["period"]`` periods as in `PeriodChart`,
    ``chart["exponent"]`` and ``chart["standard_error"]`` the largest exponents.

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

    def share(self, verdict: Verdict) -> float:
        """Return the part of the cells with a verdict."""
        return float(np.mean(self.cells["verdict"] == str(verdict)))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw a colour for each kind, over one parameter as a strip, over two as a map."""
        classes = kind_classes(self.cells["verdict"], self.cells["period"])
        look: dict[str, Any] = {"names": KIND_NAMES, "colors": KIND_COLORS}
        values = list(self.over.values())
        if len(values) == 1:
            return draw_class_line(ax, values[0], classes, labels=(self._labels[0], ""), **look)
        return draw_class_map(
            ax, values[0], values[1], classes, labels=(self._labels[0], self._labels[1]), **look
        )

    def __repr__(self) -> str:
        common = Counter(self.cells["verdict"].ravel().tolist()).most_common()
        words = ", ".join(f"{count / self.statuses.size:.0%} {word}" for word, count in common)
        return f"{self._headline}:\n {words}>"


def attractor_chart(  # noqa: PLR0913  (what, over what, from where, how long, what counts, how)
    system: System,
    *,
    vary: Mapping[str, Any],
    start: Mapping[str, Any] | Sequence[float] | None = None,
    duration: float,
    transient: float,
    search: PeriodSearch = USUAL,
    method: OdeMethod | None = None,
) -> AttractorChart:
    """Return what kind of attractor there is over one or two parameters, on all cores in one call.

    Fixed point, periodic (with its period), quasi-periodic, chaotic, escaped, or undecided.  First whether the orbit
    comes again, then its largest exponent decide; the rule and where it errs stand at the head of this module.

    Parameters
    ----------
    system
        The flow or map, or a section of a flow.  Networks, sections, and systems with events run cell by cell.
    vary
        One or two parameters, or states whose start varies: ``{"a": (low, high, count)}``, or an array of values.
    start
        Where every cell starts; the system's default if None.
    duration
        Over how long growth is averaged, in the system's unit of time or steps of a map.  Exponents below 12 /
        duration count as zero.  A flow is then watched as long again for its period.
    transient
        Time before that, in which the orbit settles.
    search
        What counts as coming again.
    method
        Tolerances for a flow; `Explicit8` if None.  With `Automatic`, for stiff flows, the cells run one by one.

    Returns
    -------
    AttractorChart
        The sign of an exponent is wrong once in a thousand cells by its scatter.

    Raises
    ------
    SettingError, UnknownNameError, UnsupportedSystemError
        As `period_chart` and `exponent_chart`.

    Examples
    --------
    >>> import dynlab as dl
    >>> chart = dl.attractor_chart(dl.zoo.logistic, vary={"r": [2.9, 3.5, 3.9, 4.1]}, duration=2000, transient=1000)
    >>> print(chart["verdict"], chart["period"])
    ['fixed point' 'periodic' 'chaotic' 'escaped'] [ 1  4 -1 -1]
    """
    plan = Plan.checked("attractor_chart", system, vary, start, method)
    cells, span = plan.cells, plan.average(duration, BATCHES)
    before = plan.span(transient, "transient")
    found = Found.room(cells)
    verdicts = np.full(len(cells), str(Verdict.UNDECIDED), dtype="<U14")
    watch = watching(plan, search, (before + span, span), found)

    def then(settled: Settled, rows: slice) -> None:
        watch(settled, rows)
        verdicts[rows] = _words(system, settled, found, rows, span)
        if not system.is_discrete:
            _tell_tori(system, cells, (before, span), verdicts, rows)

    settled = settle(system, cells, plan.method, (before, span), then=then, note="attractors")
    arrays = {
        "verdict": verdicts, "period": found.periods, "length": found.lengths,
        "exponent": settled.exponents, "standard_error": settled.errors,
    }  # fmt: skip
    settings = {"duration": span, "transient": before, "search": search}
    return plan.chart(AttractorChart, arrays, settled, settings)


def _words(
    system: System, settled: Settled, found: Found, rows: slice, span: float
) -> NDArray[np.str_]:
    """Return the verdicts by the rule."""
    from scipy.special import stdtr

    exponents, errors, late = (a[rows] for a in (settled.exponents, settled.errors, settled.late))
    statuses, periods = settled.statuses[rows], found.periods[rows]
    with np.errstate(divide="ignore", invalid="ignore"):
        doubts = 1.0 - stdtr(BATCHES - 1, exponents / errors)
    grows = (exponents > 0) & (late > RESOLVED) & ~(doubts >= WRONG_SIGN)
    still = 0 if not system.is_discrete else 1
    angles = any(domain is Domain.CIRCLE for domain in system.domains)
    can_turn = len(system.states) > 1 or angles or not system.is_autonomous
    can_turn = can_turn and (span >= MOTION or not system.is_discrete)
    rules = [
        (np.isin(statuses, [Status.DIVERGED, Status.LEFT_DOMAIN]), Verdict.ESCAPED),
        (statuses != Status.OK, Verdict.UNDECIDED),
        ((periods != NO_PERIOD) & grows, Verdict.UNDECIDED),
        (periods == still, Verdict.FIXED_POINT),
        (periods != NO_PERIOD, Verdict.PERIODIC),
        (grows, Verdict.CHAOTIC),
        (can_turn & (np.abs(late) <= RESOLVED), Verdict.QUASI_PERIODIC),
    ]
    return np.select(
        [holds for holds, _ in rules],
        [str(verdict) for _, verdict in rules],
        str(Verdict.UNDECIDED),
    )


def _tell_tori(
    system: System,
    cells: Cells,
    spans: tuple[float, float],
    verdicts: NDArray[np.str_],
    rows: slice,
) -> None:
    """Let the largest exponents of a flow decide whether it is quasi-periodic."""
    for row in rows.start + np.flatnonzero(verdicts[rows] == str(Verdict.QUASI_PERIODIC)):
        verdicts[row] = str(Verdict.UNDECIDED)
        if not tick(0.0, 1.0):
            return
        values = dict(zip(system.parameter_names, cells.parameters[row], strict=False))
        found = lyapunov_spectrum(
            system(**values), count=min(3, len(system.states)), start=cells.starts[row],
            transient=spans[0], duration=spans[1], seed=0,
        )  # fmt: skip
        verdicts[row] = str(found.verdict)
