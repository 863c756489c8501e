"""The box a stationary density needs, found from coarse solutions: grown until nothing stands at its ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import LeftDomain, SingularProblem
from dynlab.status import Status
from dynlab.stochastic.generator.coefficients import Coefficients
from dynlab.stochastic.generator.grid import Grid, Periodic
from dynlab.stochastic.generator.stationary import Stationary, stationary_state
from dynlab.symbolic.quantities import Domain
from dynlab.symbolic.system import System

__all__ = ["mass_outside", "suitable_grid"]

Array = NDArray[np.float64]

#: For 1, 2, 3 axes: cells while searching; what may stand at the ends beside the peak; cells in the end.
SEARCHED = (256, 40, 14)
FLOOR = (1e-16, 1e-10, 1e-7)
CELLS = (512, 200, 48)
#: So many cells at least over the middle 99 % of the mass, and at most over all.
IN_THE_MIDDLE = (200, 60, 12)
MOST = (1 << 16, 512, 80)
#: The box is moved so often: half as wide again each time, it then is 1e10 as wide.
TRIALS = 56
#: By what share of its width an end is moved outwards, at first and after the box was cropped.
GROWTH, GENTLY = 0.5, 0.05
#: A box that is cropped by less than this share stays.
SETTLED = 0.1


def suitable_grid(system: System, coefficients: Coefficients) -> Grid:
    """Return a grid whose ends the stationary density does not reach, fine enough for its middle.

    Raises
    ------
    SingularProblem
        If the density still reaches the ends of ever larger boxes: it cannot be normalised.
    """
    names, dimension = system.state_names, min(len(system.state_names), 3) - 1
    low, high, walls = _first_box(system)
    free = [d is not Domain.CIRCLE for d in system.domains]
    # An axis that was cropped is not doubled again: coarse cells along one axis blur the others.
    growth = [GROWTH] * len(names)
    for _ in range(TRIALS):
        cells = (SEARCHED[dimension],) * len(names)
        grid = _grid(names, low, high, cells, walls)
        state = stationary_state(coefficients, grid)
        moved = False
        for k, name in enumerate(names):
            if not free[k]:
                continue
            others = tuple(i for i in range(len(names)) if i != k)
            height = state.density.max(axis=others)
            kept = np.flatnonzero(height > FLOOR[dimension] * height.max())
            width, at = high[k] - low[k], grid.centres(name)
            is_half = system.domains[k] is Domain.POSITIVE
            new_low = (
                low[k]
                if is_half
                else _moved(low[k], at[kept[0]], -growth[k] * width, grid.widths[k])
            )
            new_high = _moved(high[k], at[kept[-1]], growth[k] * width, grid.widths[k])
            grown = new_low < low[k] or new_high > high[k]
            cropped = (new_high - new_low) < (1 - SETTLED) * width
            moved = moved or grown or cropped
            growth[k] = GENTLY if cropped else growth[k]
            low[k], high[k] = new_low, new_high
        if not moved:
            return _grid(names, low, high, _cells(state, low, high, dimension), walls)
    raise SingularProblem(
        f"the stationary density of {system.name!r} cannot be normalised: it still reaches the ends of "
        f"{grid!r}. Add what keeps the state together, or give a grid with walls: grid=dl.Grid(...).",
        status=Status.DIVERGED,
    )


def mass_outside(coefficients: Coefficients, grid: Grid, system: System) -> float:
    """Return the share of the mass outside a box, from one twice as wide with cells twice as wide."""
    low, high = list(grid.low), list(grid.high)
    for k, domain in enumerate(system.domains):
        if domain is Domain.CIRCLE:
            continue
        width = high[k] - low[k]
        low[k] -= 0.0 if domain is Domain.POSITIVE else 0.5 * width
        high[k] += width if domain is Domain.POSITIVE else 0.5 * width
    cells = tuple(2 * (n // 4) if d is not Domain.CIRCLE else n
                  for n, d in zip(grid.cells, system.domains, strict=True))  # fmt: skip
    wide = _grid(grid.names, low, high, cells, grid.walls)
    try:
        state = stationary_state(coefficients, wide)
    except LeftDomain:
        return float("nan")
    inside = np.ones(wide.cells, bool)
    for k, name in enumerate(grid.names):
        at = wide.centres(name)
        shape = [1] * len(cells)
        shape[k] = -1
        inside &= ((at > grid.low[k]) & (at < grid.high[k])).reshape(shape)
    return float(state.probability.reshape(wide.cells)[~inside].sum())


def _first_box(system: System) -> tuple[list[float], list[float], dict[str, Periodic]]:
    low, high, walls = [], [], {}
    for name, start, domain in zip(
        system.state_names, system.start_values, system.domains, strict=True
    ):
        half = 1.0 + abs(start)
        if domain is Domain.CIRCLE:
            low.append(-np.pi)
            high.append(np.pi)
            walls[name] = Periodic()
        elif domain is Domain.POSITIVE:
            low.append(0.0)
            high.append(start + half)
        else:
            low.append(start - half)
            high.append(start + half)
    return low, high, walls


def _grid(
    names: tuple[str, ...],
    low: list[float],
    high: list[float],
    cells: tuple[int, ...],
    walls: object,
) -> Grid:
    axes = {n: (a, b, c) for n, a, b, c in zip(names, low, high, cells, strict=True)}
    grid = Grid(**axes)
    given = walls if isinstance(walls, dict) else dict(zip(names, walls, strict=True))  # type: ignore[call-overload]
    return grid.with_walls(**given)


def _moved(end: float, last: float, away: float, cell: float) -> float:
    """Return the new end of an axis: further out where the density reaches it, else close to what there is.

    The last cell with something in it has its middle at `last`; `away` is how far an end is moved outwards.
    """
    if abs(end - last) < cell:
        return end + away
    return last + float(np.sign(away)) * 1.5 * cell


def _cells(
    state: Stationary, low: list[float], high: list[float], dimension: int
) -> tuple[int, ...]:
    """Return how many cells each axis needs for the middle of the mass to be resolved."""
    counts = []
    grid = state.generator.grid
    for k, name in enumerate(grid.names):
        others = tuple(i for i in range(len(grid.names)) if i != k)
        share = np.cumsum(state.probability.reshape(grid.cells).sum(axis=others))
        at = grid.centres(name)
        middle = (
            at[np.searchsorted(share, 0.995)] - at[np.searchsorted(share, 0.005)] + grid.widths[k]
        )
        wanted = IN_THE_MIDDLE[dimension] * (high[k] - low[k]) / middle
        counts.append(int(min(max(CELLS[dimension], 4 * np.ceil(wanted / 4)), MOST[dimension])))
    return tuple(counts)
