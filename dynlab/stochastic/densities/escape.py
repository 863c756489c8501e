"""escape_time: how long it takes on average to get beyond; committor: which of two places comes first.

Both solve the backward equation L' u = -s on the cells that are not beyond, with absorbing ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse.linalg as sparse_linalg
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline, RegularGridInterpolator

from dynlab.errors import SettingError, SingularProblem, UnknownNameError
from dynlab.kernels import fluxes
from dynlab.names import by_name, finite
from dynlab.plotting import draw_distribution_map, label, new_axes
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.stochastic.densities.density import checked_grid
from dynlab.stochastic.generator.borders import borders_of
from dynlab.stochastic.generator.box import suitable_grid
from dynlab.stochastic.generator.coefficients import Coefficients, coefficients_of, functions_of
from dynlab.stochastic.generator.generator import Generator
from dynlab.stochastic.generator.grid import Absorbing, Grid, Reflecting, Wall
from dynlab.stochastic.generator.region import Depth, cut_out, depth_in
from dynlab.stochastic.generator.romberg import ABSORBED, extrapolated, levels
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Committor", "EscapeTime", "committor", "escape_time"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EscapeTime(Result):
    """The mean time to get beyond a border; made by `escape_time`.

    Attributes
    ----------
    system
        The system.
    start
        Where it starts.
    beyond
        The borders.
    value
        The mean time from the start.
    error
        How uncertain it is, from the last step of the extrapolation over the width of the cells.
    grid
        The cells on this side of the borders.
    times
        The mean time from the middle of each cell.
    provenance
        Where it came from.
    """

    system: System
    start: Mapping[str, float]
    beyond: Mapping[str, Any]
    value: float
    error: float
    grid: Grid
    times: Array
    provenance: Provenance

    @property
    def status(self) -> Status:
        """How it ended."""
        return Status.OK

    @property
    def rate(self) -> float:
        """One over the mean time."""
        return 1.0 / self.value

    def __getitem__(self, name: str) -> Array:
        """Return the middles of the cells along an axis."""
        return self.grid.centres(name)

    def to_table(self) -> dict[str, Array]:
        """Return one row for each cell: its middle and the mean time from there."""
        return _table(self.grid) | {"time": self.times.ravel()}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the mean time over the first state, or the first two."""
        unit = self.system.unit_of("t")
        return _draw(
            ax,
            self.system,
            self.grid,
            self.times,
            "mean escape time" + (f" ({unit})" if unit else ""),
        )

    def __repr__(self) -> str:
        place = ", ".join(f"{n} = {v:g}" for n, v in self.start.items())
        return f"<escape of {self.system.name} from {place} beyond {dict(self.beyond)}:\n mean time {self.value:.10g} (error about {self.error:.1g})>"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Committor(Result):
    """The probability to reach one border before the other; made by `committor`.

    Attributes
    ----------
    system
        The system.
    source, target
        The two borders along one state.
    grid
        The cells between them.
    values
        The probability to reach the target first, from the middle of each cell.
    provenance
        Where it came from.
    error
        The largest change from a solution on half the cells.
    """

    system: System
    source: Mapping[str, float]
    target: Mapping[str, float]
    grid: Grid
    values: Array
    provenance: Provenance
    error: float = float("nan")

    @property
    def status(self) -> Status:
        """How it ended."""
        return Status.OK

    def __getitem__(self, name: str) -> Array:
        """Return the middles of the cells along an axis."""
        return self.grid.centres(name)

    def at(self, **place: float) -> float:
        """Return the probability from a place between the borders, by cubics between the cells."""
        return _interpolated(
            self.grid, self.values, _place(self.system, self.grid, place, "the place")
        )

    def to_table(self) -> dict[str, Array]:
        """Return one row for each cell: its middle and the probability from there."""
        return _table(self.grid) | {"probability": self.values.ravel()}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the probability over the first state, or the first two."""
        return _draw(
            ax, self.system, self.grid, self.values, "probability to reach the target first"
        )

    def __repr__(self) -> str:
        return (
            f"<committor of {self.system.name} from {dict(self.source)} to {dict(self.target)}:\n on {self.grid!r}, "
            f"error about {self.error:.1g}>"
        )


def escape_time(
    system: System,
    *,
    start: Mapping[str, float],
    beyond: Mapping[str, Any],
    grid: Grid | None = None,
) -> EscapeTime:
    r"""Return the mean time until a state first passes a border.

    .. math:: L^\dagger T = -1, \qquad T = 0 \text{ beyond}

    Parameters
    ----------
    system
        A flow with noise.
    start
        Where it starts: each state by name.
    beyond
        A border for some states or observables: ``{"x": 0}`` is passed from the side of the start, ``{"x": (-1, 1)}``
        is an interval to leave.  With the observable ``r = x**2 + y**2``, ``{"r": 1}`` is a circle, which may run through
        cells; then nothing is extrapolated, and the error is the change from half the cells.
    grid
        The cells and the walls elsewhere; the borders cut it.  If None, the cells that suit the stationary density,
        or the interval where every state has one.

    Returns
    -------
    EscapeTime
        The mean time, extrapolated to cells of no width, and the times from all other cells.

    Raises
    ------
    SettingError
        If no border is given, or the start lies on it or outside the grid.
    SingularProblem
        If the border cannot be reached, or no grid is given and the system has no stationary density.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def well(x=-1.0):
    ...     return {x: x - x**3}
    >>> found = dl.escape_time(well.with_noise(x=0.2**0.5), start={"x": -1}, beyond={"x": 0})
    >>> round(found.value, 4)                  # D = 0.1; Kramers' formula gives 27.06
    30.8213

    Out of a disc of radius 1 on which nothing pulls it takes 1 / (4 D):

    >>> @dl.flow
    ... def free(x=0.0, y=0.0):
    ...     return {x: 0 * x, y: 0 * y}
    >>> free = free.with_noise(x=1.0, y=1.0).with_observable(r=lambda x, y: dl.sqrt(x**2 + y**2))
    >>> cells = dl.Grid(x=(-1.1, 1.1, 64), y=(-1.1, 1.1, 64))
    >>> found = dl.escape_time(free, start={"x": 0, "y": 0}, beyond={"r": 1}, grid=cells)
    >>> round(found.value, 2)
    0.5

    References
    ----------
    1. Gardiner, Handbook of Stochastic Methods, 3rd ed. 2004, section 5.2.7.
    2. Hanggi, Talkner and Borkovec 1990, Rev. Mod. Phys. 62, 251.
    3. Gibou, Fedkiw, Cheng and Kang 2002, J. Comput. Phys. 176, 205: borders through cells.
    """
    began = perf_counter()
    coefficients = coefficients_of(system)
    given = by_name(beyond, "beyond")
    observed = {n: v for n, v in given.items() if n in system.observable_names}
    lines = {n: v for n, v in given.items() if n not in observed}
    borders = borders_of(system, lines) if lines or not observed else {}
    box = _cut(_around(system, coefficients, grid, borders), start, borders)
    place = _place(system, box, start, "start")
    if observed:
        sets = _beyond_levels(system, observed, place)
        # Where a border runs through cells the error is no series in their width: nothing is extrapolated.
        fields = [
            _outside(Generator.of(coefficients, g), coefficients, sets) for g in (box.halved(), box)
        ]
        coarse, fine = (
            _interpolated(g, f, place) for g, f in zip((box.halved(), box), fields, strict=True)
        )
        values, errors = np.array(fine), np.array(abs(fine - coarse))
    else:
        grids = levels(box)
        fields = [_solved(Generator.of(coefficients, g), None) for g in grids]
        values, errors = extrapolated([
            np.array(_interpolated(g, f, place)) for g, f in zip(grids, fields, strict=True)
        ], ABSORBED)  # fmt: skip
    return EscapeTime(
        system=system,
        start=dict(zip(box.names, place.tolist(), strict=True)),
        beyond=dict(beyond),
        value=float(values),
        error=float(errors),
        grid=box,
        times=fields[-1],
        provenance=Provenance(
            "escape_time", system, {"grid": repr(box)}, seconds=perf_counter() - began
        ),
    )


def _beyond_levels(system: System, observed: Mapping[str, Any], place: Array) -> list[Depth]:
    """Return the sets beyond levels of observables, as seen from the start."""
    expressions = {o.name: o.expression for o in system.observables}
    sets: list[Depth] = []
    for name, value in observed.items():
        here = float(functions_of(system, [expressions[name]])(place[None])[0, 0])
        ends = value if isinstance(value, tuple | list) else (value,)
        limits = [finite(v, f"beyond[{name!r}]") for v in ends]
        beyond = [(-np.inf, limits[0]), (limits[-1], np.inf)]
        if len(limits) == 1:
            beyond = beyond[1:] if here < limits[0] else beyond[:1]
        if any(low <= here <= high for low, high in beyond):
            raise SettingError(
                f"the start has {name} = {here:g}, which is on or beyond {value!r}. Start on this side of the border."
            )
        sets += [depth_in(system, {name: interval}, "beyond") for interval in beyond]
    return sets


def _outside(generator: Generator, coefficients: Coefficients, sets: list[Depth]) -> Array:
    """Return the mean times until one of some sets is reached."""
    cut = cut_out(generator, coefficients, sets)
    try:
        times = cut.solved(np.ones(generator.grid.size))
    except RuntimeError:
        times = np.full(generator.grid.size, np.nan)
    if not np.all(np.isfinite(times)) or times.min() < 0:
        raise _unreachable(generator)
    return times.reshape(generator.grid.cells)


def committor(
    system: System,
    *,
    source: Mapping[str, float],
    target: Mapping[str, float],
    grid: Grid | None = None,
) -> Committor:
    r"""Return from every place the probability to reach one border before another.

    .. math:: L^\dagger q = 0, \qquad q = 0 \text{ at the source}, \quad q = 1 \text{ at the target}

    Parameters
    ----------
    system
        A flow with noise.
    source, target
        A value of the same state each: ``source={"x": -1}, target={"x": 1}``.
    grid
        The cells and the walls along the other states; the borders cut it.

    Returns
    -------
    Committor
        The splitting probability between the borders, and its largest change from half the cells.

    Raises
    ------
    SettingError
        If source and target are not two different values of one state.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def well(x=-1.0):
    ...     return {x: x - x**3}
    >>> found = dl.committor(well.with_noise(x=0.5), source={"x": -1}, target={"x": 1})
    >>> round(found.at(x=0.0), 12)
    0.5

    References
    ----------
    1. Gardiner, Handbook of Stochastic Methods, 3rd ed. 2004, section 5.2.8.
    """
    began = perf_counter()
    coefficients = coefficients_of(system)
    low, high = by_name(source, "source"), by_name(target, "target")
    if (
        len(low) != 1
        or low.keys() != high.keys()
        or next(iter(low.values())) == next(iter(high.values()))
    ):
        raise SettingError(
            f"source is {source!r} and target {target!r}. Give two different values of one state, such as "
            "source={'x': -1}, target={'x': 1}."
        )
    (name,) = low
    ends = finite(low[name], f"source[{name!r}]"), finite(high[name], f"target[{name!r}]")
    borders = borders_of(system, {name: (min(ends), max(ends))})
    middle = {name: 0.5 * sum(ends)}
    box = _cut(_around(system, coefficients, grid, borders), middle, borders)
    side = "high" if ends[1] > ends[0] else "low"
    values = _solved(Generator.of(coefficients, box), (name, side))
    half = box.halved()
    coarse = _solved(Generator.of(coefficients, half), (name, side))
    return Committor(
        system=system,
        source={name: ends[0]},
        target={name: ends[1]},
        grid=box,
        values=np.clip(values, 0.0, 1.0),
        provenance=Provenance(
            "committor", system, {"grid": repr(box)}, seconds=perf_counter() - began
        ),
        error=_largest_change(box, values, half, coarse),
    )


def _largest_change(grid: Grid, fine: Array, half: Grid, coarse: Array) -> float:
    """Return the largest distance between solutions on a grid and on half its cells, by cubics between the cells."""
    for axis, name in enumerate(grid.names):
        fine = CubicSpline(grid.centres(name), fine, axis=axis)(half.centres(name))
    return float(np.abs(fine - coarse).max())


def _around(
    system: System,
    coefficients: Coefficients,
    grid: Grid | None,
    borders: Mapping[str, tuple[float | None, float | None]],
) -> Grid:
    """Return a grid that holds the region: the one given, intervals all around, or one that suits the density."""
    if grid is not None:
        return checked_grid(system, grid)
    cells = {1: 512, 2: 128}.get(len(system.state_names), 32)
    axes = {}
    for name in system.state_names:
        low, high = borders.get(name, (None, None))
        if low is None or high is None:
            return suitable_grid(system, coefficients)
        axes[name] = (low, high, cells)
    return Grid(**axes)


def _cut(
    grid: Grid, start: Mapping[str, float], borders: Mapping[str, tuple[float | None, float | None]]
) -> Grid:
    """Return the grid on this side of the borders, as finely cut, with absorbing ends there."""
    axes: dict[str, tuple[float, float, int]] = {}
    walls: dict[str, tuple[Wall, Wall]] = {}
    for k, name in enumerate(grid.names):
        low, high, wall = grid.low[k], grid.high[k], list(grid.walls[k])
        if name in borders:
            if grid.is_periodic(k):
                wall = [Reflecting(), Reflecting()]
            first, second = borders[name]
            here = finite(start.get(name, float("nan")), f"start[{name!r}]")
            if second is not None:
                ends: tuple[float | None, float | None] = (first, second)
            else:
                ends = (None, first) if first is not None and here < first else (first, None)
            if ends[0] is not None:
                low, wall[0] = ends[0], Absorbing()
            if ends[1] is not None:
                high, wall[1] = ends[1], Absorbing()
            if not low < here < high:
                raise SettingError(
                    f"{name!r} starts at {here:g}, which is not between {low:g} and {high:g}. Start on this side of the "
                    "border and inside the grid."
                )
        count = (high - low) / grid.widths[k]
        axes[name] = (low, high, max(32, 8 * int(np.ceil(count / 8 - 1e-9))))
        walls[name] = (wall[0], wall[1])
    return Grid(**axes).with_walls(**walls)


def _place(system: System, grid: Grid, start: Mapping[str, float], what: str) -> Array:
    given = by_name(start, what)
    for name in given:
        if name not in grid.names:
            raise UnknownNameError(f"state of {system.name!r}", name, grid.names)
    missing = [n for n in grid.names if n not in given]
    if missing:
        raise SettingError(
            f"{what} leaves out {', '.join(missing)}. Give each state of {system.name!r}."
        )
    place = np.array([finite(given[n], f"{what}[{n!r}]") for n in grid.names])
    for name, value, low, high in zip(grid.names, place, grid.low, grid.high, strict=True):
        if not low <= value <= high:
            raise SettingError(
                f"{what} has {name} = {value:g}, outside ({low:g}, {high:g}). Give a place inside."
            )
    return place


def _solved(generator: Generator, target: tuple[str, str] | None) -> Array:
    """Return the solution of the backward equation: mean times, or the probability to leave by one end."""
    source = np.ones(generator.grid.size)
    if target is not None:
        source = np.zeros(generator.grid.size)
        for e in generator.exits:
            if (e.name, e.side) == target:
                np.add.at(source, e.source, e.rates)
    if generator.is_chain:
        answer, work = np.empty(source.size), np.empty((2, source.size))
        fluxes.solve_backward(*generator.chain, source, work, answer)
    else:
        try:
            factors = sparse_linalg.splu(
                (-generator.matrix.T).tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0,
                relax=1, panel_size=1, options={"SymmetricMode": True},
            )  # fmt: skip
            answer = factors.solve(source)
        except RuntimeError:
            answer = np.full(source.size, np.nan)
    if not np.all(np.isfinite(answer)) or answer.min() < 0:
        raise _unreachable(generator)
    return answer.reshape(generator.grid.cells)


def _unreachable(generator: Generator) -> SingularProblem:
    return SingularProblem(
        f"the border of {generator.grid!r} cannot be reached from all cells, so the mean time is infinite. Give "
        "noise to more states, or a grid around the start.",
        status=Status.SINGULAR,
    )


def _interpolated(grid: Grid, values: Array, place: Array) -> float:
    """Return a value between the middles of cells, by quintics so that extrapolation is not spoilt."""
    axes = [grid.centres(n) for n in grid.names]
    if len(axes) == 1:
        return float(_local(axes[0], values, place[0]))
    at = np.array([np.clip(p, a[0], a[-1]) for p, a in zip(place, axes, strict=True)])
    return float(RegularGridInterpolator(axes, values, method="cubic")(at)[0])


def _local(x: Array, y: Array, at: float) -> float:
    """Return the value of the polynomial through the eight nearest cells (Lagrange, barycentric)."""
    count = min(8, x.size)
    first = int(np.clip(np.searchsorted(x, at) - count // 2, 0, x.size - count))
    s = (at - x[first : first + count]) / (x[1] - x[0])
    if np.any(s == 0):
        return float(y[first + int(np.argmin(np.abs(s)))])
    weight = np.array([(-1.0) ** k * _choose(count - 1, k) for k in range(count)]) / s
    return float(weight @ y[first : first + count] / weight.sum())


def _choose(n: int, k: int) -> float:
    from math import comb

    return float(comb(n, k))


def _table(grid: Grid) -> dict[str, Array]:
    mesh = np.meshgrid(*(grid.centres(n) for n in grid.names), indexing="ij")
    return {n: m.ravel() for n, m in zip(grid.names, mesh, strict=True)}


def _draw(ax: Axes | None, system: System, grid: Grid, values: Array, what: str) -> Axes:
    names = grid.names[:2]
    texts = [label(n, system.unit_of(n)) for n in names]
    flat = values.reshape(*values.shape[:2], -1)[..., 0] if values.ndim > 2 else values
    if len(names) == 1:
        ax = new_axes(ax, xlabel=texts[0], ylabel=what)
        ax.plot(grid.centres(names[0]), flat, linewidth=1.8)
        return ax
    return draw_distribution_map(
        ax, grid.centres(names[0]), grid.centres(names[1]), flat, labels=(texts[0], texts[1], what)
    )
