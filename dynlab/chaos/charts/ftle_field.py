"""ftle_field: the largest finite-time exponent over a plane of starts; see `dynlab.chaos.exponents.finite_time`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.charts.cells import Cells
from dynlab.chaos.charts.chart import Chart
from dynlab.chaos.charts.plan import Plan
from dynlab.chaos.charts.settled import checked_system
from dynlab.chaos.exponents.deviations import DEFAULT_METHOD
from dynlab.chaos.exponents.finite_time import checked_time, finite_time_exponents
from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.plotting import draw_stretching
from dynlab.progress import tick
from dynlab.result import Provenance
from dynlab.solve.ensemble import ensemble
from dynlab.solve.methods import OdeMethod
from dynlab.solve.threads import on_threads
from dynlab.status import Status
from dynlab.symbolic.deviations import with_deviations
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FtleField", "ftle_field"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FtleField(Chart):
    """The largest finite-time exponent over starts in one or two states; made by `ftle_field`.

    ``field["x"]`` are the starts along an axis, ``field["exponent"]`` the exponents over the axes in their order.

    Attributes
    ----------
    system
        The system.
    over
        The starts along each axis, by name.
    cells
        The arrays over the axes, by name.
    statuses
        How each orbit ended, as numbers of `Status`.
    ends
        When each orbit ended.
    duration
        The time; below zero backwards.
    provenance
        Where it came from.
    """

    system: System
    over: Mapping[str, Array]
    cells: Mapping[str, NDArray[Any]]
    statuses: NDArray[np.int64]
    ends: Array
    duration: float
    provenance: Provenance

    @property
    def exponents(self) -> Array:
        """The largest exponent of each start, per unit of time."""
        return self.cells["exponent"]

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the field: forwards from white to red, what parts; backwards from white to blue, what gathers."""
        unit = self.system.unit_of("t")
        what = "finite-time exponent" + (f" (1/{unit})" if unit else "")
        (x, *rest), labels = list(self.over.values()), self._labels
        up, name = (rest[0], labels[1]) if rest else (np.zeros(1), "")
        values = self.exponents if rest else self.exponents[:, None]
        return draw_stretching(
            ax, x, up, values, labels=(labels[0], name, what), backwards=np.sign(self.duration) < 0
        )

    def __repr__(self) -> str:
        found = self.exponents[np.isfinite(self.exponents)]
        between = f"{found.min():.4g} to {found.max():.4g}" if found.size else "none"
        return f"{self._headline}:\n exponents over {self.duration:g}: {between}{self._failed}>"


def ftle_field(
    system: System,
    *,
    vary: Mapping[str, Any],
    start: Mapping[str, Any] | Sequence[float] | None = None,
    duration: float,
    method: OdeMethod | None = None,
) -> FtleField:
    r"""Return the largest finite-time exponent over a plane of starts, on all cores in one call.

    .. math:: \lambda = \frac{1}{|T|} \log \sigma_{\max}(V(T)), \qquad V' = J V, \quad V(0) = 1

    State and tangent map are carried together with the exact Jacobian, 16 starts at a time in the lanes of the
    processor; nothing is differenced between neighbours, so the values are those of the points however coarse the grid.

    Parameters
    ----------
    system
        The flow or map.  Networks run start by start, forwards only.
    vary
        One or two states: ``{"x": (low, high, count)}``, or an array of values.
    start
        The other states; the system's default if None.
    duration
        The time T from t = 0; backwards if below zero.
    method
        Method and tolerances for a flow; `Explicit8` if None.

    Returns
    -------
    FtleField
        The exponent of orbits that did not get to the end is nan.

    Raises
    ------
    SettingError
        If there are not one or two states, or the duration is zero, or not whole for a map.
    UnsupportedSystemError
        If the system has events, or is a section.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def saddle(x=0.0, y=0.0, *, a=0.7):
    ...     return {x: a * x, y: -a * y}
    >>> field = dl.ftle_field(saddle, vary={"x": (-1, 1, 5), "y": (-1, 1, 3)}, duration=4)
    >>> field.exponents.round(6)[0]
    array([0.7, 0.7, 0.7])

    References
    ----------
    1. Shadden, Lekien and Marsden 2005, Physica D 212, 271.
    """
    checked_system(system)
    if system.events:
        raise UnsupportedSystemError(
            f"{system.name!r} cannot be used here: it has events ({', '.join(system.event_names)}), across "
            "which tangent maps jump. Use dl.exponent_chart, which carries deviations across them."
        )
    if not isinstance(method, OdeMethod | None):
        raise SettingError(f"method is {method!r}; give a method such as dl.Explicit8(rtol=1e-6).")
    span = checked_time(system, duration)
    plan = Plan.checked("ftle_field", system, vary, start, None)
    parameters = [name for name in plan.cells.over if name not in system.state_names]
    if parameters:
        raise SettingError(
            f"vary names {parameters[0]!r}, which is a parameter; a field is over states "
            f"({', '.join(system.state_names)})."
        )
    field = _one_by_one if system.is_indexed or system.signals else _together
    found = field(system, plan.cells, span, method)
    plan = replace(plan, method=found.method)
    arrays = {"exponent": found.exponents}
    return plan.chart(FtleField, arrays, found, {"duration": span}, duration=span)


class _Stretched(NamedTuple):
    """What became of the starts, and the method that was used."""

    exponents: Array
    statuses: NDArray[np.int64]
    ends: Array
    method: OdeMethod | None


def _together(system: System, cells: Cells, span: float, method: OdeMethod | None) -> _Stretched:
    """Carry states and tangent maps of all starts in one ensemble."""
    n = len(system.state_names)
    whole = with_deviations(system, n)
    first = np.hstack([cells.starts, np.tile(np.eye(n).ravel(), (len(cells), 1))])
    starts = dict(zip(whole.state_names, first.T, strict=True))
    run = ensemble(whole, starts=starts, duration=span, method=method)
    deviations = np.stack([run[name] for name in whole.state_names[n:]], axis=-1)
    # Each row of n numbers is one deviation: the transpose, which has the same singular values.
    exponents = _largest(deviations.reshape(-1, n, n)) / abs(span)
    return _Stretched(exponents, run.statuses, run.ends, run.provenance.settings.get("method"))


def _one_by_one(system: System, cells: Cells, span: float, method: OdeMethod | None) -> _Stretched:
    """Carry the tangent map of each start by itself, on all cores."""
    count = len(cells)
    chosen = DEFAULT_METHOD if method is None else method
    exponents, ends = np.full(count, np.nan), np.full(count, np.nan)
    statuses = np.full(count, int(Status.STOPPED))
    done = np.zeros(count, bool)

    def work(row: int) -> None:
        if not tick(0.0, 1.0):
            return
        one = finite_time_exponents(system, start=cells.starts[row], duration=span, method=chosen)
        exponents[row], statuses[row] = one.exponents[0], one.status
        ends[row] = span if one.status.ok else np.nan
        done[row] = True

    on_threads(
        [lambda row=row: work(row) for row in range(count)],  # type: ignore[misc]
        lambda: float(done.sum()), float(count), "finite-time exponents",
    )  # fmt: skip
    return _Stretched(exponents, statuses, ends, None if system.is_discrete else chosen)


def _largest(matrices: Array) -> Array:
    """Return the logarithms of the largest singular values; nan for what is not finite."""
    found = np.full(len(matrices), np.nan)
    good = np.isfinite(matrices).all(axis=(1, 2))
    kept = matrices[good]
    if kept.shape[1] == 2:
        (a, b), (c, d) = kept[:, 0].T, kept[:, 1].T
        largest = 0.5 * (np.hypot(a + d, b - c) + np.hypot(a - d, b + c))
    else:
        largest = np.linalg.svd(kept, compute_uv=False)[:, 0] if len(kept) else np.zeros(0)
    with np.errstate(divide="ignore"):
        found[good] = np.log(largest)
    return found
