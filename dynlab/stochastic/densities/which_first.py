"""splitting_probabilities: which of several sets is reached first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RegularGridInterpolator

from dynlab.errors import SettingError, SingularProblem
from dynlab.names import by_name, finite
from dynlab.plotting import draw_distribution_map, draw_distributions, draw_legend, label
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.stochastic.densities.density import checked_grid
from dynlab.stochastic.generator.box import suitable_grid
from dynlab.stochastic.generator.coefficients import Coefficients, coefficients_of
from dynlab.stochastic.generator.generator import Generator
from dynlab.stochastic.generator.grid import Grid
from dynlab.stochastic.generator.region import Depth, cut_out, depth_in
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SplittingProbabilities", "splitting_probabilities"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SplittingProbabilities(Result):
    """The probability to reach each of several sets first; made by `splitting_probabilities`.

    Attributes
    ----------
    system
        The system.
    grid
        The cells.
    sets
        The names of the sets.
    values
        The probability to reach each first, from the middle of each cell, the sets along the first axis; in the
        cells of a set 1 for it and 0 for the others.
    error
        The largest change from a solution on half the cells, away from the sets.
    provenance
        Where it came from.
    """

    system: System
    grid: Grid
    sets: tuple[str, ...]
    values: Array
    error: float
    provenance: Provenance

    @property
    def status(self) -> Status:
        """How it ended."""
        return Status.OK

    def __getitem__(self, name: str) -> Array:
        """Return the middles of the cells along an axis."""
        return self.grid.centres(name)

    def at(self, **place: float) -> dict[str, float]:
        """Return the probabilities from a place, straight between the middles of cells, by the names of the sets."""
        given = by_name(place, "the place")
        missing = [n for n in self.grid.names if n not in given]
        if missing or len(given) != len(self.grid.names):
            raise SettingError(
                f"the place names {', '.join(given) or 'nothing'}; give each of {', '.join(self.grid.names)}."
            )
        axes = [self.grid.centres(n) for n in self.grid.names]
        at = [finite(given[n], n) for n in self.grid.names]
        return {
            name: float(
                RegularGridInterpolator(axes, v, bounds_error=False, fill_value=None)(at)[0]
            )
            for name, v in zip(self.sets, self.values, strict=True)
        }

    def to_table(self) -> dict[str, Array]:
        """Return one row for each cell: its middle and the probabilities from there."""
        mesh = np.meshgrid(*(self.grid.centres(n) for n in self.grid.names), indexing="ij")
        table = {n: m.ravel() for n, m in zip(self.grid.names, mesh, strict=True)}
        return table | {
            f"first {n}": v.ravel() for n, v in zip(self.sets, self.values, strict=True)
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the probabilities over the one state, or that of the first set over two."""
        names = self.grid.names
        texts = [label(n, self.system.unit_of(n)) for n in names]
        what = f"probability to reach {self.sets[0]} first"
        if len(names) == 1:
            ax = draw_distributions(
                ax, self[names[0]], self.values, list(self.sets), labels=(texts[0], "reached first")
            )
            return draw_legend(ax)
        flat = self.values[0].reshape(*self.grid.cells[:2], -1)
        middle = flat[..., flat.shape[-1] // 2]
        return draw_distribution_map(
            ax, self[names[0]], self[names[1]], middle, labels=(texts[0], texts[1], what)
        )

    def __repr__(self) -> str:
        return (
            f"<splitting probabilities of {self.system.name} between {', '.join(self.sets)}:\n on {self.grid!r}, error "
            f"about {self.error:.1g}>"
        )


def splitting_probabilities(
    system: System, *, sets: Mapping[str, Mapping[str, Any]], grid: Grid | None = None
) -> SplittingProbabilities:
    r"""Return from every place the probability to reach each of several sets before the others.

    .. math:: L^\dagger q_k = 0, \qquad q_k = 1 \text{ in set } k, \quad q_k = 0 \text{ in the others}

    Parameters
    ----------
    system
        A flow with noise.
    sets
        For each set a name, and intervals of states or observables that its points lie in:
        ``{"left": {"x": (-np.inf, -1)}, "hole": {"r": (0, 0.3)}}``.
    grid
        The cells and walls; if None, those that suit the stationary density.

    Returns
    -------
    SplittingProbabilities
        The probabilities; they sum to one where nothing is absorbed at the walls of the grid.

    Raises
    ------
    SettingError
        If there are fewer than two sets, two overlap, one holds no cell, or an interval is empty.
    UnknownNameError
        If a name is no state or observable.
    SingularProblem
        If no set is reached from some cells.

    Examples
    --------
    >>> import dynlab as dl, numpy as np
    >>> @dl.flow
    ... def free(x=0.0):
    ...     return {x: 0 * x}
    >>> ends = {"left": {"x": (-np.inf, -1)}, "right": {"x": (1, np.inf)}}
    >>> found = dl.splitting_probabilities(free.with_noise(x=1.0), sets=ends, grid=dl.Grid(x=(-1.1, 1.1, 256)))
    >>> round(found.at(x=0.5)["right"], 6)
    0.75

    References
    ----------
    1. Gardiner, Handbook of Stochastic Methods, 3rd ed. 2004, section 5.2.8.
    2. Gibou, Fedkiw, Cheng and Kang 2002, J. Comput. Phys. 176, 205.
    """
    began = perf_counter()
    coefficients = coefficients_of(system)
    given = by_name(sets, "sets")
    if len(given) < 2:
        raise SettingError(
            f"sets names {', '.join(given) or 'nothing'}. Give at least two, "
            "sets={'left': {'x': (-np.inf, -1)}, 'right': {'x': (1, np.inf)}}."
        )
    depths = [depth_in(system, v, f"sets[{k!r}]") for k, v in given.items()]
    found = suitable_grid(system, coefficients) if grid is None else checked_grid(system, grid)
    values = _solved(coefficients, found, depths, tuple(given))
    coarse = _solved(coefficients, found.halved(), depths, tuple(given))
    return SplittingProbabilities(
        system=system,
        grid=found,
        sets=tuple(given),
        values=values,
        error=_change(found, values, coarse),
        provenance=Provenance(
            "splitting_probabilities", system, {"grid": repr(found)}, seconds=perf_counter() - began
        ),
    )


def _solved(
    coefficients: Coefficients, grid: Grid, depths: list[Depth], names: tuple[str, ...]
) -> Array:
    generator = Generator.of(coefficients, grid)
    cut = cut_out(generator, coefficients, depths)
    inside = cut.members
    for k, name in enumerate(names):
        if not inside[k].any():
            raise SettingError(
                f"the set {name!r} holds no cell of {grid!r}. Give finer cells, a larger grid or a larger set."
            )
        for other in range(k):
            if (inside[k] & inside[other]).any():
                raise SettingError(
                    f"the sets {names[other]!r} and {name!r} overlap. Give sets without common points."
                )
    try:
        values = np.array([cut.solved(rates) for rates in cut.into])
    except RuntimeError:
        values = np.full((len(names), grid.size), np.nan)
    if not np.all(np.isfinite(values)):
        raise SingularProblem(
            f"from some cells of {grid!r} no set is ever reached. Give noise to more states, or larger sets.",
            status=Status.SINGULAR,
        )
    values = np.clip(values, 0.0, 1.0)
    values[inside] = 1.0
    shaped: Array = values.reshape(len(names), *grid.cells)
    return shaped


def _change(grid: Grid, fine: Array, coarse: Array) -> float:
    """Return the largest change from half the cells, where each coarse cell lies outside all sets."""
    halved = grid.halved()
    axes = [grid.centres(n) for n in grid.names]
    mesh = np.stack(np.meshgrid(*(halved.centres(n) for n in grid.names), indexing="ij"), axis=-1)
    at = [RegularGridInterpolator(axes, v, bounds_error=False, fill_value=None)(mesh) for v in fine]
    free = (coarse.max(axis=0) < 1.0) & (np.max(at, axis=0) < 1.0)
    return float(np.abs(np.array(at) - coarse).max(axis=0)[free].max(initial=0.0))
