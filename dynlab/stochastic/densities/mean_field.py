"""mean_field_states: the stationary densities of infinitely many identical nodes that know of each other through means.

    p' = L(m) p,    m = <g>_p

A stationary state is a density that makes the means it is driven by: m = G(m), with G(m) the means of the stationary
density of L(m).  Its derivative is that of linear response, so Newton's method converges in a few steps.  The state is
stable if the linearised generator

    A = L(m) + sum_k (dL/dm_k p) g_k'

has no growing mode; the second part is what makes an onset (Strogatz and Mirollo 1991, J. Stat. Phys. 63, 613).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sparse
import scipy.sparse.linalg as sparse_linalg
from numpy.typing import NDArray

from dynlab.errors import NotConverged, SettingError
from dynlab.plotting import draw_distribution_map, draw_distributions, draw_legend, label
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.stochastic.densities.density import Density, checked_grid
from dynlab.stochastic.densities.response import solved_at
from dynlab.stochastic.generator.coefficients import Coefficients, Family, family_of, functions_of
from dynlab.stochastic.generator.edges import points_of
from dynlab.stochastic.generator.generator import Generator
from dynlab.stochastic.generator.grid import Grid, Periodic
from dynlab.stochastic.generator.perturbation import perturbation
from dynlab.stochastic.generator.stationary import Stationary, stationary_state
from dynlab.symbolic.derivatives import derivative
from dynlab.symbolic.mean_field import MeanField, mean_field_of
from dynlab.symbolic.quantities import Domain
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import symbol

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MeanFieldStates", "mean_field_generator", "mean_field_states"]

Array = NDArray[np.float64]

#: Starts of Newton's method, its steps, and when means are consistent, relative to their size.
STARTS, STEPS, CONSISTENT = 12, 40, 1e-12
#: Two states are one if their densities differ by less in L1.
SAME = 1e-6
#: Dense eigenvalues up to so many cells; cells of an angle if no grid is given.
FEW, AROUND = 600, 128
#: A growth rate this small beside the others is that of a turn of the whole.
NEUTRAL = 1e-6


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MeanFieldStates(Result):
    """The stationary densities of a mean-field system; made by `mean_field_states`.

    Attributes
    ----------
    system
        The network.
    grid
        The cells of one node.
    values
        The densities at the middles of the cells, one state after another, the most orderly first.
    means
        The means that nodes are driven by, by what they are means of: one number for each state.
    growth
        The growth rate of the fastest mode that changes the density, of each state, extrapolated from two grids; what
        only turns the whole is left out.
    errors
        How uncertain the means are, from a solution on half the cells.
    provenance
        Where it came from.
    growth_errors
        How uncertain the growth rates are, from half the cells; nan where half the cells have no such state.
    """

    system: System
    grid: Grid
    values: Array
    means: dict[str, Array]
    growth: Array
    errors: Array
    provenance: Provenance
    growth_errors: Array = field(default_factory=lambda: np.zeros(0))

    @property
    def status(self) -> Status:
        """How it ended."""
        return Status.OK

    @property
    def is_stable(self) -> NDArray[np.bool_]:
        """Whether each state withstands small changes of the density."""
        return np.asarray(self.growth < 0)

    def density(self, k: int) -> Density:
        """Return the density of one of the states."""
        nan = float("nan")
        return Density(self.system, self.grid, self.values[k], nan, nan, nan, {}, self.provenance)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, name: str) -> Array:
        """Return the middles of the cells along an axis."""
        return self.grid.centres(name)

    def to_table(self) -> dict[str, Array]:
        """Return one row for each state: its means, their error, the growth rate and its error."""
        means = {f"mean of {name}": values for name, values in self.means.items()}
        uncertain = self.growth_errors if self.growth_errors.size else np.full(len(self), np.nan)
        return means | {
            "error": self.errors,
            "growth": self.growth,
            "growth_error": uncertain,
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the densities over the first state, or the first one over two."""
        names = self.grid.names
        texts = [label(n, self.system.unit_of(n)) for n in names]
        if len(names) > 1:
            first = self.density(0).marginal(*names[:2])
            return draw_distribution_map(
                ax,
                self[names[0]],
                self[names[1]],
                first.values,
                labels=(texts[0], texts[1], "density"),
            )
        called = [
            f"{'stable' if s else 'unstable'}, growth {g:.3g}"
            for s, g in zip(self.is_stable, self.growth, strict=True)
        ]
        ax = draw_distributions(
            ax, self[names[0]], self.values, called, labels=(texts[0], "density")
        )
        return draw_legend(ax)

    def __repr__(self) -> str:
        listed = "; ".join(
            ", ".join(f"<{n}> = {v[k]:.6g}" for n, v in self.means.items())
            + f" ({'stable' if self.is_stable[k] else 'unstable'})"
            for k in range(min(len(self), 4))
        )
        return f"<{len(self)} mean-field states of {self.system.name} on {self.grid!r}:\n {listed}>"


def mean_field_states(system: System, *, grid: Grid | None = None) -> MeanFieldStates:
    r"""Return the stationary densities of infinitely many identical nodes, stable or not.

    .. math:: 0 = L(m) \, p, \qquad m = \int g(x) \, p(x) \, dx

    Newton's method from 12 starts: all mass in one of many cells, or spread evenly.  States that differ by a turn
    along periodic states, if the system does not mind turns, are one; the one that is returned is turned at random.

    Parameters
    ----------
    system
        A network with noise whose nodes are identical and know of each other through ``dl.Mean(g, j)``; whether it is
        bound to nodes, and how many, does not matter.
    grid
        The cells and walls of one node; if None, 128 around each angle.

    Returns
    -------
    MeanFieldStates
        The states, the most orderly first, with their growth rates.

    Raises
    ------
    UnsupportedSystemError
        If nodes differ, or know of each other otherwise.
    SettingError
        If a grid is needed.
    NotConverged
        If no start leads to a state.

    Examples
    --------
    Noisy oscillators synchronise beyond K = 2 D, with r = I1(K r / D) / I0(K r / D):

    >>> import dynlab as dl, numpy as np
    >>> @dl.flow
    ... def kuramoto(theta: dl.PerNode[dl.Angle], *, K=3.0):
    ...     i, j = dl.nodes("i j")
    ...     return {theta[i]: K * dl.Mean(dl.sin(theta[j] - theta[i]), j)}
    >>> @kuramoto.with_noise(dl.Ito)
    ... def noisy(theta, *, D=1.0):
    ...     i, j = dl.nodes("i j")
    ...     return {theta[i]: dl.sqrt(2 * D)}
    >>> found = dl.mean_field_states(noisy)
    >>> np.hypot(*found.means.values()).round(8), found.is_stable
    (array([0.72415872, 0.        ]), array([ True, False]))

    References
    ----------
    1. Strogatz and Mirollo 1991, J. Stat. Phys. 63, 613.
    2. Frank, Nonlinear Fokker-Planck Equations, Springer 2005, chapter 5.
    """
    began = perf_counter()
    field = mean_field_of(system)
    found = _grid(field.node, grid)
    model = _Model.of(field, found)
    starts = [np.array(m) for m in model.starts()]
    states: list[_State] = []
    for m in starts:
        state = model.consistent(m)
        if state is not None and not any(model.same(state, s) for s in states):
            states.append(state)
    if not states:
        raise NotConverged(
            f"no state of {system.name!r} on {found!r} makes the means that it is driven by. Give another grid, or look "
            "at dl.evolve_density: the density may go round in time.",
            status=Status.NOT_CONVERGED,
        )
    states.sort(key=lambda s: -float((s.at.density**2).sum()))
    coarse = _Model.of(field, found.halved())
    halves = [coarse.consistent(s.means) for s in states]
    means = np.array([s.means for s in states])
    least = CONSISTENT * float(np.abs(model.functions).max())
    errors = [
        float("nan") if h is None else max(float(np.linalg.norm(s.means - h.means)) / 3, least)
        for s, h in zip(states, halves, strict=True)
    ]
    growth = np.array([model.growth(s) for s in states])
    apart = np.array([
        float("nan") if h is None else g - coarse.growth(h)
        for g, h in zip(growth, halves, strict=True)
    ]) / 3  # fmt: skip
    return MeanFieldStates(
        system=system,
        grid=found,
        values=np.array([s.at.density for s in states]),
        means={str(g): means[:, k] for k, g in enumerate(field.functions)},
        growth=growth + np.nan_to_num(apart),
        errors=np.array(errors),
        provenance=Provenance(
            "mean_field_states", system, {"grid": repr(found)}, seconds=perf_counter() - began
        ),
        growth_errors=np.abs(apart),
    )


def mean_field_generator(
    system: System, grid: Grid | None
) -> tuple[Grid, Callable[[float, Array], Generator]]:
    """Return the grid of one node and the generator as a function of time and density."""
    field = mean_field_of(system)
    found = _grid(field.node, grid)
    model = _Model.of(field, found)

    def generator_at(time: float, probability: Array) -> Generator:
        means = model.functions.T @ probability
        return Generator.of(model.family(means, time), found)

    return found, generator_at


def _grid(node: System, grid: Grid | None) -> Grid:
    if grid is not None:
        return checked_grid(node, grid)
    if any(d is not Domain.CIRCLE for d in node.domains):
        raise SettingError(
            f"no box suits all densities of {node.name!r}. Give one: "
            f"grid=dl.Grid({', '.join(f'{n}=(low, high, cells)' for n in node.state_names)})."
        )
    around = Grid(**dict.fromkeys(node.state_names, (-np.pi, np.pi, AROUND)))
    return around.with_walls(**dict.fromkeys(node.state_names, Periodic()))


@dataclass(frozen=True)
class _State:
    """A density that makes its means."""

    means: Array
    at: Stationary
    coefficients: Coefficients


@dataclass(frozen=True)
class _Model:
    """A node on its grid: the functions whose means matter, at the cells, and how the drift depends on each."""

    field: MeanField
    grid: Grid
    family: Family
    functions: Array

    @classmethod
    def of(cls, field: MeanField, grid: Grid) -> _Model:
        points = points_of(grid, np.arange(grid.size))
        functions = functions_of(field.node, list(field.functions))(points)
        return cls(field, grid, family_of(field.node, field.names), functions)

    def starts(self) -> list[Array]:
        """Return means to start from: of mass spread evenly, and all in one cell."""
        cells = np.linspace(0, self.grid.size - 1, STARTS - 1).astype(int)
        return [self.functions.mean(axis=0), *self.functions[cells]]

    def state(self, means: Array) -> _State:
        coefficients = self.family(means)
        return _State(means, stationary_state(coefficients, self.grid), coefficients)

    def consistent(self, means: Array) -> _State | None:
        """Return the state that Newton's method leads to from means, if it does."""
        scale = np.abs(self.functions).max(axis=0)
        for _ in range(STEPS):
            state = self.state(means)
            missing = self.functions.T @ state.at.probability - means
            if np.all(np.abs(missing) <= CONSISTENT * scale):
                return state
            answers = np.stack([
                solved_at(state.at.generator, kick, 0.0) for kick in self.kicks(state)
            ], axis=1)  # fmt: skip
            jacobian = self.functions.T @ answers - np.eye(means.size)
            # Along a turn of the whole the Jacobian is singular: the smallest step is taken.
            step = np.linalg.lstsq(jacobian, -missing, rcond=1e-9)[0]
            step *= min(1.0, 0.5 * float(scale.max()) / max(float(np.abs(step).max()), 1e-300))
            means = np.clip(means + step, self.functions.min(axis=0), self.functions.max(axis=0))
        return None

    def kicks(self, state: _State) -> list[Array]:
        """Return how the density begins to move if each mean changes."""
        node = self.field.node
        values = np.array(node.parameter_values)
        values[-len(state.means) :] = state.means
        found = []
        for name in self.field.names:
            slope = functions_of(node, [derivative(e, symbol(name)) for e in node.rule], values)
            moved = perturbation(state.at.generator, state.coefficients, slope)
            found.append(np.asarray(moved @ state.at.probability))
        return found

    def growth(self, state: _State) -> float:
        """Return the growth rate of the fastest mode that is no mere turn."""
        kicks = np.stack(self.kicks(state), axis=1)
        values = np.sort(
            _rightmost(state.at.generator.matrix, kicks, self.functions, state.at.probability)
        )[::-1]
        turns = len(self.turnable(state))
        scale = float(np.abs(values).max())
        while turns and abs(values[0]) < NEUTRAL * scale:
            values, turns = values[1:], turns - 1
        return float(values[0])

    def turnable(self, state: _State) -> list[int]:
        """Return the periodic axes along which a state may be turned and then is another."""
        found = []
        for axis in range(len(self.grid.cells)):
            if not self.grid.is_periodic(axis):
                continue
            turned = np.roll(state.at.probability.reshape(self.grid.cells), 3, axis=axis).ravel()
            means = self.functions.T @ turned
            there = self.state(means).at.probability
            moved = float(np.abs(turned - state.at.probability).sum())
            if moved > SAME and float(np.abs(there - turned).sum()) < 1e-3 * moved:
                found.append(axis)
        return found

    def same(self, one: _State, other: _State) -> bool:
        axes = tuple(self.turnable(one))
        p, q = (s.at.probability.reshape(self.grid.cells) for s in (one, other))
        if not axes:
            return bool(np.abs(p - q).sum() < SAME)
        sizes = [np.abs(np.fft.fftn(s, axes=axes)) for s in (p, q)]
        return bool(np.abs(sizes[0] - sizes[1]).max() < SAME)


def _rightmost(matrix: sparse.csc_matrix, left: Array, right: Array, p: Array) -> Array:
    """Return the real parts of the first eigenvalues of L + left right', without that of the mass."""
    if matrix.shape[0] <= FEW:
        # The columns sum to zero; the rank-one part moves that eigenvalue away and no other.
        whole = matrix.toarray() + left @ right.T
        rate = float(np.abs(matrix.diagonal()).max())
        return np.asarray(np.linalg.eigvals(whole - rate * np.outer(p, np.ones(p.size))).real)
    n, shift = matrix.shape[0], 1e-6 * float(np.abs(matrix.diagonal()).min())
    factors = sparse_linalg.splu((matrix - shift * sparse.identity(n, format="csc")).tocsc())
    solved = factors.solve(left)
    small = np.linalg.inv(np.eye(left.shape[1]) + right.T @ solved)

    def inverse(v: Array) -> Array:
        y = factors.solve(v.ravel())
        return np.asarray(y - solved @ (small @ (right.T @ y)))

    operator = sparse_linalg.LinearOperator((n, n), matvec=inverse, dtype=float)
    values = (
        1.0 / sparse_linalg.eigs(operator, k=8, v0=np.cos(np.arange(n)), return_eigenvectors=False)
        + shift
    )
    mass = int(np.argmin(np.abs(values)))
    return np.asarray(np.delete(values, mass).real)
