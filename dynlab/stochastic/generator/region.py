"""A generator with parts of the grid taken out, where what arrives stays: discs, balls, any set of a quantity's values.

An edge that enters a set is cut where it does: at a share s of its length h the rate is that of an edge as short, and it
empties a whole cell,

    rate = N B(-fall_s) / (s h^2)

which keeps second order although the border runs through cells (Gibou, Fedkiw, Cheng and Kang 2002, J. Comput. Phys. 176,
205).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
import scipy.sparse.linalg as sparse_linalg
from numpy.typing import NDArray

from dynlab.errors import SettingError, UnknownNameError, UnsupportedSystemError
from dynlab.kernels import fluxes
from dynlab.names import by_name
from dynlab.stochastic.generator.coefficients import Coefficients, functions_of
from dynlab.stochastic.generator.edges import along_axis, points_of
from dynlab.stochastic.generator.generator import Generator
from dynlab.stochastic.generator.grid import Grid
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import symbol

__all__ = ["Cut", "Depth", "cut_out", "depth_in"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
#: How far inside a set points lie, in the units of what it is given by; negative outside.
Depth = Callable[[Array], Array]

#: Halvings until where an edge enters a set is known, and the shortest edge.
HALVINGS, SHORTEST = 50, 1e-6


def depth_in(system: System, limits: Mapping[str, tuple[float, float]], what: str) -> Depth:
    """Return how far points lie inside a set of values of states and observables.

    Raises
    ------
    UnknownNameError
        If a name is neither.
    SettingError
        If there is no name, or an interval is empty.
    """
    given = by_name(limits, what)
    if not given:
        raise SettingError(f"{what} is empty. Give intervals, such as {{'x': (-2, -1)}}.")
    observed = {o.name: o.expression for o in system.observables}
    expressions, ends = [], []
    for name, interval in given.items():
        if name not in system.state_names and name not in observed:
            raise UnknownNameError(
                f"state or observable of {system.name!r}", name, (*system.state_names, *observed)
            )
        try:
            low, high = (float(v) for v in interval)
        except (TypeError, ValueError):
            raise SettingError(
                f"{what}[{name!r}] is {interval!r}. Give an interval, such as (-2, -1), or (1, np.inf)."
            ) from None
        if not low < high:
            raise SettingError(
                f"{what}[{name!r}] is ({low:g}, {high:g}), which is empty. Put the lower end first."
            )
        expressions.append(observed.get(name, symbol(name)))
        ends.append((low, high))
    values_at = functions_of(system, expressions)
    bounds = np.array(ends)

    def depth(points: Array) -> Array:
        values = values_at(points)
        return np.asarray(np.minimum(values - bounds[:, 0], bounds[:, 1] - values).min(axis=1))

    return depth


@dataclass(frozen=True)
class Cut:
    """What is left of a generator: the cells outside all sets, its matrix on them, the rates into each set, and its cells."""

    free: Flags
    matrix: sparse.csc_matrix
    into: Array
    members: Flags

    def solved(self, source: Array) -> Array:
        """Return u with -L' u = source on what is left, and zero elsewhere."""
        answer = np.zeros(self.free.size)
        # Minus an M-matrix: no pivoting is needed.
        factors = sparse_linalg.splu(
            (-self.matrix.T).tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0,
            relax=1, panel_size=1, options={"SymmetricMode": True},
        )  # fmt: skip
        answer[self.free] = factors.solve(source[self.free])
        return answer


def cut_out(generator: Generator, coefficients: Coefficients, sets: Sequence[Depth]) -> Cut:
    """Return a generator without the cells whose middles lie in one of the sets.

    Raises
    ------
    UnsupportedSystemError
        If the noise is shared between states, or re-injected.
    """
    if not coefficients.is_diagonal or any(e.targets for e in generator.exits):
        raise UnsupportedSystemError(
            "sets that are cut out of the cells are for noise that is not shared between states, without re-injection. "
            "Give borders of single states instead, beyond={'x': 1}."
        )
    grid = generator.grid
    points = points_of(grid, np.arange(grid.size))
    depths = np.stack([d(points) for d in sets])
    owner = np.where(depths.max(axis=0) > 0, depths.argmax(axis=0), -1)
    free = owner < 0
    into = np.zeros((len(sets), grid.size))
    rows, columns, values = [], [], []
    for axis, e in enumerate(generator.edges):
        both = free[e.source] & free[e.target]
        rows += [e.target[both], e.source[both]]
        columns += [e.source[both], e.target[both]]
        values += [e.forward[both], e.backward[both]]
        for start, end, way in ((e.source, e.target, 1.0), (e.target, e.source, -1.0)):
            enters = free[start] & ~free[end]
            for k, depth in enumerate(sets):
                cells = start[enters & (owner[end] == k)]
                rates = _entering(coefficients, grid, depth, points[cells], (axis, way))
                np.add.at(into[k], cells, rates)
    to, start, rate = np.concatenate(rows), np.concatenate(columns), np.concatenate(values)
    n = grid.size
    diagonal = -np.bincount(start, rate, minlength=n) - generator.loss - into.sum(axis=0)
    own = np.arange(n)
    whole = sparse.csc_matrix(
        (
            np.concatenate([rate, diagonal]),
            (np.concatenate([to, own]), np.concatenate([start, own])),
        ),
        shape=(n, n),
    )
    kept = np.flatnonzero(free)
    return Cut(free, whole[:, kept][kept].tocsc(), into, depths > 0)


def _entering(
    coefficients: Coefficients, grid: Grid, depth: Depth, start: Array, along: tuple[int, float]
) -> Array:
    """Return the rates along edges from points into a set."""
    if not len(start):
        return np.zeros(0)
    axis, way = along
    step = np.zeros(start.shape[1])
    step[axis] = way * grid.widths[axis]
    low, high = np.zeros(len(start)), np.ones(len(start))
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        is_in = depth(start + middle[:, None] * step) > 0
        low, high = np.where(is_in, low, middle), np.where(is_in, middle, high)
    share = np.maximum(high, SHORTEST)
    length = share * grid.widths[axis]
    fall, drift, least = along_axis(coefficients, start, axis, way * length)
    noise = coefficients.diffusion(start)[:, axis, axis] / length**2
    forward, unused = np.empty(len(start)), np.empty(len(start))
    fluxes.edge_rates(
        fall, drift / length, np.minimum(least, noise), noise, noise, 1.0, forward, unused
    )
    return np.asarray(share * forward)
