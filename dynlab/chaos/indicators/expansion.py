"""Expansion entropy: is there chaos anywhere in a region, be it attracting, repelling or transient?

    E(T) = 1/vol(S)  integral over the points of S that stay in S up to T  of  G(Df^T(x)) dx,
    H = lim  ln E(T) / T,

where G is the product of the singular values above 1: by how much volumes of the best dimension grow (Hunt and Ott
2015, Chaos 25, 097618, eqs 3-5).  H > 0 is their definition of chaos in the region S.  For smooth systems it
equals the topological entropy if S holds all that does not leave.

The integral is a mean over random points of S.  H is the slope of ln E over the longest straight range of T, chosen and
given its error by `dynlab.chaos.scaling`; the blocks of the jackknife are batches of points.

Maps move all points at once.  Points of a flow are carried one by one, and whether they are in S is looked at `ROWS`
times.  What makes it fail: few points are left after a long time, and E is carried by the few that grew most; then the
curve is not straight, and there is no number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.exponents.deviations import DEFAULT_METHOD, deviations_of
from dynlab.chaos.exponents.orbit import Wanted
from dynlab.chaos.scaling import Scaling, longest_scaling
from dynlab.chaos.series.samples import whole
from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.errors import SettingError
from dynlab.kernels.batch import evaluate
from dynlab.names import Layout, by_name, finite
from dynlab.progress import tick
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.symbolic.quantities import Domain
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ExpansionEntropy", "expansion_entropy"]

Array = NDArray[np.float64]

BLOCKS = 20
ROWS = 32
#: A straight part covers at least this share of the time.
SHARE = 0.4
#: What bends ln E by less than this is straight.
FLAT = 0.1
#: Beyond this factor of growth the smaller singular values are lost in rounding.
LARGEST = 1e13
#: With fewer points in a batch nothing is known about E.
FEWEST_LEFT = 5


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ExpansionEntropy(Result):
    """The expansion entropy of a region.

    Attributes
    ----------
    system
        What moves.
    times
        T, as long as at least five points of each of twenty batches stay.
    logarithms
        ln E(T).
    staying
        Share of the points that have stayed in the region.
    scaling
        The straight part of the curve; None if there is none.
    samples
        How many points began.
    status
        `Status.NO_SCALING_RANGE` if there is no straight part.
    provenance
        Where it came from.
    """

    system: System
    times: Array
    logarithms: Array
    staying: Array
    scaling: Scaling | None
    samples: int
    status: Status
    provenance: Provenance

    @property
    def value(self) -> float:
        """H, per unit of time; nan without a straight part."""
        return self.scaling.slope if self.scaling else np.nan

    @property
    def standard_error(self) -> float:
        """Statistical and systematic error, added in squares; nan without a straight part."""
        return self.scaling.standard_error if self.scaling else np.nan

    @property
    def scaling_range(self) -> tuple[float, float]:
        """First and last time of the straight part."""
        return (self.scaling.low, self.scaling.high) if self.scaling else (np.nan, np.nan)

    def to_table(self) -> dict[str, Array]:
        """Return T, ln E and the share of points that stayed as columns."""
        return {"T": self.times, "log_E": self.logarithms, "staying": self.staying}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw ln E against T, and its straight part."""
        from dynlab import plotting

        fit = self.scaling
        label = rf"$H_0$ = {self.value:.4g} $\pm$ {self.standard_error:.2g}"
        return plotting.draw_straight_part(
            ax, (self.times, self.logarithms),
            (fit.slope, fit.intercept, fit.low, fit.high) if fit else None, level=np.nan,
            labels=(plotting.label("T", self.system.time.unit), r"$\ln E(T)$", label),
        )  # fmt: skip

    def __repr__(self) -> str:
        left = f"{self.staying[-1]:.3g}" if len(self.staying) else "0"
        if not self.scaling:
            return (
                f"<expansion entropy of {self.system.name}: none; {left} of {self.samples} points stayed;\n"
                f" {self.status}>"
            )
        low, high = self.scaling_range
        return (
            f"<expansion entropy of {self.system.name}: {self.value:.5g} +- {self.standard_error:.2g};\n"
            f" straight from T = {low:g} to {high:g}, share {left} of {self.samples} points stayed>"
        )


def expansion_entropy(
    system: System,
    *,
    within: Mapping[str, tuple[float, float]],
    duration: float,
    samples: int = 2000,
    seed: Any = None,
) -> ExpansionEntropy:
    """Return the expansion entropy of a region: above 0 if there is chaos in it.

    Parameters
    ----------
    system
        A flow or a map.
    within
        The region: an interval for each state.  Angles may be left out; they go all the way round.
    duration
        The longest time looked at.  Growth by a factor of 1e13 ends it sooner.
    samples
        Random points of the region.
    seed
        Of the points.

    Returns
    -------
    ExpansionEntropy
        With its range of times and error.

    Raises
    ------
    SettingError
        If the region, the duration or the number of points cannot be used.
    UnknownNameError
        If a state does not exist.
    UnsupportedSystemError
        If the system has events.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.iterated_map
    ... def open_tent(x=0.3):                       # two thirds of the interval stay, and grow threefold
    ...     return {x: 3 * dl.min(x, 1 - x)}
    >>> found = dl.expansion_entropy(open_tent, within={"x": (0, 1)}, duration=10, samples=20_000, seed=1)
    >>> abs(found.value - 0.6931) < 3 * found.standard_error
    True
    """
    began = perf_counter()
    wanted = Wanted.checked(system, None, duration, 0.0, DEFAULT_METHOD, seed)
    number = whole(samples, "samples", least=10 * BLOCKS)
    low, high, round_ = _region(system, within)
    points = low + (high - low) * wanted.seed.stream(0).random((number, len(low)))
    limits = np.where(round_, -np.inf, low), np.where(round_, np.inf, high)
    follow = _along_map if system.is_discrete else _along_flow
    times, growth, status = follow(system, points, wanted.duration, limits)
    batches = np.array_split(growth, BLOCKS, axis=1)
    left = np.array([(batch > 0).sum(axis=1) for batch in batches])
    usable = (left.min(axis=0) >= FEWEST_LEFT) & (growth.max(axis=1, initial=0.0) < LARGEST)
    rows = np.logical_and.accumulate(usable)
    sums = np.array([batch[rows].sum(axis=1) for batch in batches])
    sizes = np.array([batch.shape[1] for batch in batches])[:, None]
    t, curve = times[rows], np.log(sums.sum(axis=0) / number)
    without = np.log((sums.sum(axis=0) - sums) / (number - sizes))
    scaling = None
    if status.ok and rows.any():
        least = SHARE * float(t[-1] - t[0])
        scaling = longest_scaling(t, curve, without, least=least, flat=FLAT)
    if status.ok and scaling is None:
        status = Status.NO_SCALING_RANGE
    settings = {
        "within": dict(within),
        "duration": duration,
        "samples": number,
        "seed": wanted.seed.text,
    }
    return ExpansionEntropy(
        system, t, curve, left.sum(axis=0)[rows] / number, scaling, number, status,
        Provenance("expansion_entropy", system, settings, seconds=perf_counter() - began),
    )  # fmt: skip


def _region(
    system: System, within: Mapping[str, tuple[float, float]]
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return the corners of the region, and which states are angles that go all the way round."""
    given = by_name(within, "within")
    layout, n = Layout.of(system), len(system.state_names)
    low, high, known = np.zeros(n), np.zeros(n), np.zeros(n, bool)
    for name, ends in given.items():
        place = layout.state(name)
        low[place], high[place] = (finite(end, f"an end of the range of {name!r}") for end in ends)
        known[place] = True
        if low[place] >= high[place]:
            raise SettingError(
                f"the range of {name!r} is empty: ({low[place]:g}, {high[place]:g})."
            )
    circles = {state.name for state in system.states if state.domain is Domain.CIRCLE}
    round_ = np.array([
        name.partition("[")[0] in circles and not known[k] for k, name in enumerate(system.state_names)
    ])  # fmt: skip
    low[round_], high[round_] = -np.pi, np.pi
    missing = [name for k, name in enumerate(system.state_names) if not (known[k] or round_[k])]
    if missing:
        raise SettingError(
            f"within gives no range for {', '.join(missing)} of {system.name!r}. A region needs an interval "
            f"for each state: within={{{missing[0]!r}: (low, high)}}."
        )
    return low, high, round_


def _expansion(jacobians: Array) -> Array:
    """Return the product of the singular values above 1 of each matrix."""
    values = np.linalg.svd(jacobians, compute_uv=False)
    return np.asarray(np.prod(np.maximum(values, 1.0), axis=-1))


def _inside(states: Array, limits: tuple[Array, Array]) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return np.asarray(((states >= limits[0]) & (states <= limits[1])).all(axis=1))


def _along_map(
    system: System, points: Array, duration: float, limits: tuple[Array, Array]
) -> tuple[Array, Array, Status]:
    """Return times, and the expansion of each point at each (0 once it has left); all points move at once."""
    kernels, inputs = kernels_of(system), tuple(inputs_of(system))
    rule, jacobian = kernels.rhs.address, kernels.jacobian().address
    count, n = points.shape
    growth = np.zeros((int(duration), count))
    left, states = np.arange(count), np.ascontiguousarray(points)
    products = np.tile(np.eye(n), (count, 1, 1))
    for step in range(int(duration)):
        moved, slopes = np.empty_like(states), np.empty((len(states), n * n))
        evaluate(jacobian, float(step), states, inputs, slopes)
        evaluate(rule, float(step), states, inputs, moved)
        stay = _inside(moved, limits) & np.isfinite(slopes).all(axis=1)
        products = (slopes.reshape(-1, n, n) @ products)[stay]
        left, states = left[stay], np.ascontiguousarray(moved[stay])
        if not len(left):
            break
        growth[step, left] = _expansion(products)
        if growth[step].max() >= LARGEST:
            break
        if not tick(step + 1, duration, "expansion entropy"):
            return np.arange(1.0, step + 2), growth[: step + 1], Status.STOPPED
    return np.arange(1.0, int(duration) + 1), growth, Status.OK


def _along_flow(
    system: System, points: Array, duration: float, limits: tuple[Array, Array]
) -> tuple[Array, Array, Status]:
    """Return times, and the expansion of each point at each (0 once it has left); one point after the other."""
    times = np.asarray(duration * np.arange(1, ROWS + 1) / ROWS, float)
    growth = np.zeros((ROWS, len(points)))
    unit = np.eye(points.shape[1])
    for k, point in enumerate(points):
        carried = deviations_of(system, point, unit)
        for row in range(ROWS):
            carried.carry(float(times[row]) - carried.t, "expansion entropy")
            if carried.status is Status.STOPPED:
                return times, growth, carried.status
            if not carried.status.ok or not _inside(carried.state[None], limits)[0]:
                break
            growth[row, k] = _expansion(carried.vectors)
        if not tick(k + 1, len(points), "expansion entropy"):
            return times, growth, Status.STOPPED
    return times, growth, Status.OK
