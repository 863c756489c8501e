r"""quasipotential and least_action_path: what weak noise needs to take a system anywhere, where no potential exists.

For weak noise the probability of a way is ``exp(-S)`` with the action of Freidlin and Wentzell

    S = 1/4 int (x' - f)' D^-1 (x' - f) dt,

and the least action of ways from an attractor to x, in whatever time, is its quasipotential U(x): the stationary density
is about exp(-U), and the mean time of escape about exp(min U over the border) (Freidlin and Wentzell, Random Perturbations of
Dynamical Systems, chapters 4 and 5).  With the best time left out (Heymann and Vanden-Eijnden 2008, Commun. Pure Appl. Math. 61, 1052)

    S = 1/2 int |x'| |f| - x' . f ds        in the metric of D^-1.

If ``f = -D grad Phi + (a flow along the levels of Phi)`` then U = Phi: for a gradient system with equal noise twice the potential
over the square of the amplitude, for a linear one ``x' S^-1 x / 2`` with S its covariance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dst
from scipy.interpolate import CubicSpline, RegularGridInterpolator
from scipy.optimize import minimize

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import Kernel, kernels_of
from dynlab.equilibria.stability import Equilibrium
from dynlab.errors import SettingError, SingularProblem, UnknownNameError, UnsupportedSystemError
from dynlab.kernels import batch, ordered_lines
from dynlab.names import by_name, finite
from dynlab.plotting import label, new_axes, style
from dynlab.point import described
from dynlab.result import Provenance, Result
from dynlab.solve.chunks import in_chunks
from dynlab.status import Status
from dynlab.stochastic.weak_noise.fluctuations import covariance_about
from dynlab.stochastic.weak_noise.hamilton_jacobi import improved
from dynlab.stochastic.weak_noise.local import Local, local_at
from dynlab.symbolic.noise import is_additive
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LeastActionPath", "Quasipotential", "least_action_path", "quasipotential"]

Array = NDArray[np.float64]

#: So far around the attractor, in cells, the values are those of the linear system.
CLOSE = 3
#: So far they stay so when the rest is improved.
NEXT = 1.5
#: Nodes along a side: at least, at most, and up to how many the values are improved.
FEWEST, MOST, IMPROVED = 33, 2049, 257
#: Values of first order are up to twice as far from the truth as from those of twice the spacing (their order is 0.6 to 1);
#: of second order, a third as far, but not where ways meet and at ends of the box, where they stay of first.
COVERS, ROUNDING = 2.0, 1e-12
#: Levels drawn.
LEVELS = 25
#: Rounds of moving a path and spacing its places evenly again.
ROUNDS = 60
#: A path is at rest if a round changes its action by less than this part.
SETTLED = 1e-7


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Quasipotential(Result):
    """The least action of ways from an attractor to each place of a plane; made by `quasipotential`.

    ``found["x"]`` are the places along an axis, ``found.values`` the quasipotential in the order of the states.

    Attributes
    ----------
    system
        The system, with its noise.
    attractor
        The stable equilibrium that ways begin at.
    places
        The places along both axes.
    values
        The quasipotential: a pure number, the noise counted in.
    certain_below
        Up to this value it is right; beyond it, ways that leave the box may be cheaper.
    error
        Twice the largest change, up to that value, against twice the spacing.
    status
        `Status.STOPPED` if it was stopped; places not reached are then infinite.
    provenance
        Where it came from.
    """

    system: System
    attractor: dict[str, float]
    places: tuple[Array, Array]
    values: Array
    certain_below: float
    error: float
    status: Status
    provenance: Provenance

    def __getitem__(self, name: str) -> Array:
        """Return the places along an axis."""
        if name not in self.system.state_names:
            raise UnknownNameError(f"state of {self.system.name!r}", name, self.system.state_names)
        return self.places[self.system.state_names.index(name)]

    def at(self, **place: float) -> float:
        """Return the quasipotential at a place, by cubics between the nodes.

        Raises
        ------
        SettingError
            If a state is left out or lies outside.
        UnknownNameError
            If a name is not a state.
        """
        here = _state(self.system, place, "the place")
        for name, value, along in zip(self.system.state_names, here, self.places, strict=True):
            if not along[0] <= value <= along[-1]:
                raise SettingError(
                    f"the place has {name} = {value:g}, outside ({along[0]:g}, {along[-1]:g}). Give a place inside."
                )
        return float(RegularGridInterpolator(self.places, self.values, method="cubic")(here)[0])

    def to_table(self) -> dict[str, Array]:
        """Return one row for each place."""
        mesh = np.meshgrid(*self.places, indexing="ij")
        table = {n: m.ravel() for n, m in zip(self.system.state_names, mesh, strict=True)}
        return table | {"quasipotential": self.values.ravel()}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw its level sets, up to where it is certain, and the attractor."""
        first, second = self.system.state_names
        ax = new_axes(
            ax,
            xlabel=label(first, self.system.unit_of(first)),
            ylabel=label(second, self.system.unit_of(second)),
        )
        top = min(self.certain_below, float(np.max(self.values[np.isfinite(self.values)])))
        levels = _levels(top)
        shown = np.ma.masked_greater(self.values.T, levels[-1])
        fine = np.linspace(0.0, levels[-1], 2 * len(levels) - 1)
        filled = ax.contourf(*self.places, shown, levels=fine, cmap="Blues_r", alpha=0.85)
        ax.contour(
            *self.places,
            self.values.T,
            levels=levels[1:],
            colors=style.INK,
            linewidths=0.6,
            alpha=0.7,
        )
        bar = ax.figure.colorbar(filled, ax=ax, ticks=levels[::5])
        bar.set_label("quasipotential")
        ax.plot(*[[v] for v in self.attractor.values()], "o", color=style.VERMILLION, markersize=6)
        return ax

    def __repr__(self) -> str:
        return (
            f"<quasipotential of {self.system.name} from {described(self.attractor, 6)} on {self.values.shape[0]} x "
            f"{self.values.shape[1]} places:\n certain below {self.certain_below:.6g}, error about {self.error:.1g}>"
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LeastActionPath(Result):
    """The way that weak noise takes from one place to another; made by `least_action_path`.

    ``path["x"]`` is a state along it.

    Attributes
    ----------
    system
        The system, with its noise.
    states
        The way, evenly spaced, one row for each place.
    heights
        The action up to each place.
    action
        The action of the whole way, extrapolated over the number of places.
    error
        The change when the number of places was doubled.
    status
        `Status.NOT_CONVERGED` if the way still moved when it was given up.
    provenance
        Where it came from.
    """

    system: System
    states: Array
    heights: Array
    action: float
    error: float
    status: Status
    provenance: Provenance

    def __getitem__(self, name: str) -> Array:
        """Return a state along the way."""
        place = self.system.place_of(name)
        if not isinstance(place, int):
            raise UnknownNameError(f"state of {self.system.name!r}", name, self.system.state_names)
        return np.asarray(self.states[:, place])

    def to_table(self) -> dict[str, Array]:
        """Return one row for each place: the states, and the action up to there."""
        return dict(
            zip(
                (*self.system.state_names, "action"),
                np.column_stack([self.states, self.heights]).T,
                strict=True,
            )
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the way in the plane of the first two states, or the action over the only one."""
        names = self.system.state_names
        other = names[1] if len(names) > 1 else None
        ax = new_axes(
            ax,
            xlabel=label(names[0], self.system.unit_of(names[0])),
            ylabel=label(other, self.system.unit_of(other)) if other else "action",
        )
        across = self[other] if other else self.heights
        ax.plot(self[names[0]], across, color=style.VERMILLION, linewidth=2.0, label="least action")
        ax.plot(self[names[0]][[0, -1]], across[[0, -1]], "o", color=style.VERMILLION, markersize=5)
        return ax

    def __repr__(self) -> str:
        ends = [
            described(dict(zip(self.system.state_names, s, strict=True)), 4)
            for s in self.states[[0, -1]]
        ]
        return (
            f"<way of least action of {self.system.name} from {ends[0]} to {ends[1]}:\n action {self.action:.8g} (error "
            f"about {self.error:.1g}), {len(self.states)} places>"
        )


def quasipotential(
    system: System, *, at: Equilibrium, within: Mapping[str, tuple[float, float]], places: int = 257
) -> Quasipotential:
    r"""Return the quasipotential of a stable equilibrium on a plane.

    .. math:: U(x) = \min \tfrac14 \int (\dot x - f)^T D^{-1} (\dot x - f)\,dt \quad\text{over ways from the equilibrium to } x

    For weak noise the density is about exp(-U) and the mean time to leave a region about exp(min U on its border), whether or
    not the system has a potential.

    Ordered lines find the cheapest ways, to first order; on up to 257 places along a side Newton's method on the equation of
    Hamilton and Jacobi makes the values second order wherever the cheapest way is one.

    Parameters
    ----------
    system
        A flow of two states with constant noise in both.
    at
        A stable equilibrium of its drift.
    within
        The box: a range for each state that holds the equilibrium.
    places
        How many along each side.

    Returns
    -------
    Quasipotential
        The values, and up to which value the box does not matter.

    Raises
    ------
    SettingError
        If the equilibrium lies outside, or a range or number cannot work.
    SingularProblem
        If the equilibrium is not stable, or a direction has no noise.
    UnsupportedSystemError
        If there are not two states, or the noise depends on the state.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def spiral(x=0.0, y=0.0):
    ...     return {x: -x - 2 * y, y: 2 * x - y}
    >>> rest = dl.find_equilibria(spiral, within={"x": (-1, 1), "y": (-1, 1)}).single()
    >>> noisy = spiral.with_noise(x=0.5, y=0.5)
    >>> found = dl.quasipotential(noisy, at=rest, within={"x": (-1, 1), "y": (-1, 1)}, places=65)
    >>> abs(found.at(x=0.5, y=0.0) - 1.0) < 0.02              # (x^2 + y^2) / 0.5^2
    True

    References
    ----------
    1. Dahiya and Cameron 2018, J. Sci. Comput. 75, 1351.
    2. Freidlin and Wentzell, Random Perturbations of Dynamical Systems, 3rd ed. 2012.
    """
    began = perf_counter()
    local = local_at(system, at)
    if local.state.size != 2:
        raise UnsupportedSystemError(
            f"{system.name!r} has {local.state.size} states, and this is for a plane. dl.least_action_path gives the action "
            "between two places in any number of states."
        )
    metric = _metric(local)
    if isinstance(places, bool) or not isinstance(places, int) or not FEWEST <= places <= MOST:
        raise SettingError(f"places is {places!r}; give a whole number from {FEWEST} to {MOST}.")
    count = places + 1 - places % 2
    ends = _box(system, local, within)
    axes = (np.linspace(*ends[0], count), np.linspace(*ends[1], count))
    fine, status = _settled(local, metric, axes)
    half = (axes[0][::2], axes[1][::2])
    coarse, _ = _settled(local, metric, half)
    error = COVERS * _change(fine, coarse)
    if status is Status.OK and count <= IMPROVED:
        fine, coarse = (_improved(local, *v, 2 * error) for v in ((fine, axes), (coarse, half)))
        error = COVERS * _change(fine, coarse) + ROUNDING * _rim(fine)
    return Quasipotential(
        system=system,
        attractor=dict(zip(system.state_names, local.state.tolist(), strict=True)),
        places=axes,
        values=fine,
        certain_below=_rim(fine),
        error=error,
        status=status,
        provenance=Provenance(
            "quasipotential", system, {"within": dict(by_name(within, "within")), "places": count},
            seconds=perf_counter() - began,
        ),
    )  # fmt: skip


def _rim(values: Array) -> float:
    """Return the least value at the ends of a box."""
    return min(float(v.min()) for v in (values[0], values[-1], values[:, 0], values[:, -1]))


def _change(fine: Array, coarse: Array) -> float:
    """Return the largest change from twice the spacing, up to where the box does not matter."""
    shared = fine[::2, ::2]
    inside = (shared <= _rim(fine)) & np.isfinite(coarse)
    return float(np.abs(coarse - shared)[inside].max(initial=0.0))


def _improved(local: Local, values: Array, axes: tuple[Array, Array], trust: float) -> Array:
    """Return the quasipotential to second order, from values of first."""
    mesh = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    drift = _each(local, kernels_of(local.drift).rhs, mesh.reshape(-1, 2)).reshape(mesh.shape)
    steps = (float(axes[0][1] - axes[0][0]), float(axes[1][1] - axes[1][0]))
    near = np.abs((mesh - local.state) / steps).max(axis=-1) <= NEXT
    spread = covariance_about(local.system, local.jacobian, local.diffusion)
    away = mesh[near] - local.state
    begin = values.copy()
    begin[near] = 0.5 * np.einsum("ni,ij,nj->n", away, np.linalg.inv(spread), away)
    return improved(begin, steps, drift, local.diffusion, near, trust)


def _levels(top: float) -> Array:
    """Return round numbers from 0 up to at most a value, about `LEVELS` of them."""
    power = 10.0 ** np.floor(np.log10(top / LEVELS))
    step = power * next(k for k in (1, 2, 5, 10) if k * power * LEVELS >= top)
    return np.asarray(np.arange(int(top / step) + 1) * step, dtype=float)


def _metric(local: Local) -> Array:
    """Return the inverse of D, which must be the same everywhere."""
    system = local.system
    if not is_additive(system):
        raise UnsupportedSystemError(
            f"the noise of {system.name!r} depends on the state, and the action is taken for constant noise. Use a coordinate in "
            "which it is constant."
        )
    values = np.linalg.eigvalsh(local.diffusion)
    if values[0] <= 1e-14 * values[-1]:
        raise SingularProblem(
            f"a direction of {system.name!r} has no noise, so most ways have infinite action. Give noise to each state.",
            status=Status.SINGULAR,
        )
    return np.asarray(np.linalg.inv(local.diffusion))


def _box(
    system: System, local: Local, within: Mapping[str, tuple[float, float]]
) -> list[tuple[float, float]]:
    given, found = by_name(within, "within"), []
    for name in given:
        if name not in system.state_names:
            raise UnknownNameError(f"state of {system.name!r}", name, system.state_names)
    for name, here in zip(system.state_names, local.state, strict=True):
        if name not in given or np.ndim(given[name]) != 1 or len(given[name]) != 2:
            raise SettingError(
                f"within needs a range for {name!r}: within={{{name!r}: (-1, 1), ...}}."
            )
        low, high = (finite(v, f"within[{name!r}]") for v in given[name])
        if not low < here < high:
            raise SettingError(
                f"the equilibrium has {name} = {here:g}, which is not inside ({low:g}, {high:g}). Give a box around it."
            )
        found.append((low, high))
    return found


def _settled(local: Local, metric: Array, axes: tuple[Array, Array]) -> tuple[Array, Status]:
    """Return the quasipotential at the places of two axes."""
    root = np.linalg.cholesky(metric)
    halves = [np.linspace(a[0], a[-1], 2 * a.size - 1) for a in axes]
    points = np.stack(np.meshgrid(*halves, indexing="ij"), axis=-1).reshape(-1, 2)
    drift = _each(local, kernels_of(local.drift).rhs, points) @ root
    drift = np.ascontiguousarray(drift.reshape(halves[0].size, halves[1].size, 2))
    basis = np.ascontiguousarray(np.diag([a[1] - a[0] for a in axes]) @ root)
    rows, columns = axes[0].size, axes[1].size
    nodes = rows * columns
    values, kind = np.full(nodes, np.inf), np.zeros(nodes, np.int64)
    heap, place, size = np.zeros(nodes, np.int64), np.zeros(nodes, np.int64), np.zeros(2, np.int64)
    spread = covariance_about(local.system, local.jacobian, local.diffusion)
    at = [int(np.argmin(np.abs(a - x))) for a, x in zip(axes, local.state, strict=True)]
    for i in range(max(0, at[0] - CLOSE), min(rows, at[0] + CLOSE + 1)):
        for j in range(max(0, at[1] - CLOSE), min(columns, at[1] + CLOSE + 1)):
            away = np.array([axes[0][i], axes[1][j]]) - local.state
            # The action is twice what is computed: 1/2 of |x'| |f| - x' . f in the metric of D^-1.
            value = float(away @ np.linalg.solve(spread, away))
            ordered_lines.begin(i * columns + j, value, values, kind, heap, place, size)
    reach = _reach(min(rows, columns))

    def take(steps: int) -> int:
        return int(
            ordered_lines.settle(drift, basis, reach, values, kind, heap, place, size, steps)
        )

    status = in_chunks(take, lambda: float(size[1]), float(nodes), "quasipotential", 256)
    return 0.5 * values.reshape(rows, columns), status


def _reach(count: int) -> int:
    """Return K, as Dahiya and Cameron found it best for grids of 2^p + 1 places: 10 + 4 (p - 7)."""
    return max(6, round(10 + 4 * (float(np.log2(count)) - 7)))


def _each(local: Local, kernel: Kernel, points: Array) -> Array:
    out = np.empty((len(points), kernel.size))
    batch.evaluate(
        kernel.address, 0.0, np.ascontiguousarray(points), tuple(inputs_of(local.drift)), out
    )
    return out


def _state(system: System, place: Mapping[str, float], what: str) -> Array:
    given = by_name(place, what)
    for name in given:
        if name not in system.state_names:
            raise UnknownNameError(f"state of {system.name!r}", name, system.state_names)
    missing = [n for n in system.state_names if n not in given]
    if missing:
        raise SettingError(
            f"{what} leaves out {', '.join(missing)}. Give each state of {system.name!r}."
        )
    return np.array([finite(given[n], f"{what}[{n!r}]") for n in system.state_names])


# -- one way ----------------------------------------------------------------------------------


def least_action_path(
    system: System, *, start: Equilibrium, to: Mapping[str, Any] | Equilibrium, places: int = 200
) -> LeastActionPath:
    r"""Return the way on which weak noise takes a system from a stable equilibrium to another place.

    .. math:: S = \tfrac12 \int \left(|x'|\,|f| - x' \cdot f\right) ds \quad\text{in the metric of } D^{-1}, \text{ least over all curves}

    The geometric minimum action method: a curve of evenly spaced places is moved by a quasi-Newton method with exact derivatives.
    Taken to a saddle, the action is the exponent of the escape over it.

    Parameters
    ----------
    system
        A flow with constant noise in each state.
    start
        A stable equilibrium of its drift.
    to
        Another equilibrium, such as a saddle, or each state by name.
    places
        How many straight pieces.

    Returns
    -------
    LeastActionPath
        The way and its action, extrapolated from half as many pieces and all of them.  A minimum nearby: where several ways
        compete, start from each of them is not tried; `quasipotential` finds the least in the plane.

    Raises
    ------
    SettingError
        If an end or the number of places cannot work.
    SingularProblem
        If a direction has no noise.
    UnsupportedSystemError
        If the noise depends on the state.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def double_well(x=-1.0, y=0.0):
    ...     return {x: x - x**3, y: -y}
    >>> rest = sorted(dl.find_equilibria(double_well, within={"x": (-2, 2.1), "y": (-1, 1.1)}), key=lambda p: p["x"])
    >>> path = dl.least_action_path(double_well.with_noise(x=0.5, y=0.5), start=rest[0], to=rest[1])
    >>> round(path.action, 6)                                  # 2 (V - V0) / 0.5^2, V - V0 = 1/4
    2.0

    References
    ----------
    1. Heymann and Vanden-Eijnden 2008, Commun. Pure Appl. Math. 61, 1052.
    """
    began = perf_counter()
    local = local_at(system, start)
    metric = _metric(local)
    if isinstance(places, bool) or not isinstance(places, int) or not 20 <= places <= 5000:
        raise SettingError(f"places is {places!r}; give a whole number from 20 to 5000.")
    end = np.asarray(to.state, float) if isinstance(to, Equilibrium) else _state(system, to, "to")
    if end.shape != local.state.shape or np.allclose(end, local.state, rtol=0, atol=1e-12):
        raise SettingError(
            f"the way of {system.name!r} begins and ends at the same place. Give another one."
        )
    line = _first_guess(local, metric, end, places // 2)
    action = _Action.of(local, metric)
    coarse, _ = _relaxed(action, line)
    fine, settled = _relaxed(action, _spaced(coarse, 2 * (places // 2)))
    low, high = action.of_path(coarse), action.of_path(fine)
    # The midpoint rule is of second order.
    best = high + (high - low) / 3.0
    heights = np.concatenate([[0.0], np.cumsum(action.pieces(fine)[0])])
    return LeastActionPath(
        system=system,
        states=fine,
        heights=heights,
        action=best,
        error=abs(high - low) + SETTLED * abs(best),
        status=Status.OK if settled else Status.NOT_CONVERGED,
        provenance=Provenance(
            "least_action_path", system, {"places": places}, seconds=perf_counter() - began
        ),
    )


def _first_guess(local: Local, metric: Array, end: Array, pieces: int) -> Array:
    """Return the straight line, slightly bent, so that no symmetry keeps it from a better way."""
    s = np.linspace(0.0, 1.0, pieces + 1)[:, None]
    step = end - local.state
    line = local.state + s * step
    if step.size > 1:
        across = np.random.default_rng(0).normal(size=step.size)
        across -= (across @ metric @ step) / (step @ metric @ step) * step
        across *= np.sqrt((step @ metric @ step) / max(float(across @ metric @ across), 1e-300))
        line += 0.05 * np.sin(np.pi * s) * across
    return np.asarray(line)


@dataclass(frozen=True, slots=True)
class _Action:
    """The action of curves of straight pieces, and its derivatives; everything that stays the same held ready."""

    metric: Array
    rhs: Kernel
    jacobian: Kernel
    inputs: tuple[Any, ...]

    @classmethod
    def of(cls, local: Local, metric: Array) -> _Action:
        kernels = kernels_of(local.drift)
        return cls(metric, kernels.rhs, kernels.jacobian(), tuple(inputs_of(local.drift)))

    def pieces(self, path: Array) -> tuple[Array, Array]:
        """Return the action of each piece, and the derivatives of their sum by all places."""
        step, middle = path[1:] - path[:-1], 0.5 * (path[1:] + path[:-1])
        n = path.shape[1]
        f, J = np.empty((len(step), n)), np.empty((len(step), n * n))
        batch.evaluate(self.rhs.address, 0.0, middle, self.inputs, f)
        batch.evaluate(self.jacobian.address, 0.0, middle, self.inputs, J)
        raised, pulled = step @ self.metric, f @ self.metric
        length = np.sqrt(np.maximum((step * raised).sum(1), 1e-300))
        speed = np.sqrt(np.maximum((f * pulled).sum(1), 1e-300))
        action = 0.5 * (length * speed - (step * pulled).sum(1))
        by_step = 0.5 * ((speed / length)[:, None] * raised - pulled)
        by_middle = (length / speed)[:, None] * pulled - raised
        by_middle = 0.25 * (J.reshape(-1, n, n) * by_middle[:, :, None]).sum(1)
        slope = np.zeros_like(path)
        slope[1:] += by_step + by_middle
        slope[:-1] += by_middle - by_step
        return np.asarray(action), slope

    def of_path(self, path: Array) -> float:
        return float(self.pieces(path)[0].sum())


def _relaxed(action: _Action, path: Array) -> tuple[Array, bool]:
    """Return the path moved to least action, evenly spaced, and whether it came to rest.

    In each round places move at right angles to the path alone, so that none drifts along it and cuts a corner.  The unknowns are
    amplitudes of sine waves over their number, in which the second derivative of the action, that of a string, is nearly even.
    """
    before, count = action.of_path(path), len(path) - 2
    waves = np.arange(1, count + 1)[:, None] / path.shape[1]
    for _ in range(ROUNDS):
        tangent = path[2:] - path[:-2]
        tangent /= np.sqrt(np.maximum(((tangent @ action.metric) * tangent).sum(1), 1e-300))[
            :, None
        ]
        reference = path

        def across(moved: Array, tangent: Array = tangent) -> Array:
            along = ((moved @ action.metric) * tangent).sum(1)
            return np.asarray(moved - along[:, None] * tangent)

        def across_back(slope: Array, tangent: Array = tangent) -> Array:
            along = (slope * tangent).sum(1)
            return np.asarray(slope - along[:, None] * (tangent @ action.metric))

        def curve(free: Array, reference: Array = reference) -> Array:
            found = reference.copy()
            found[1:-1] += across(
                dst(free.reshape(count, -1) / waves, type=1, axis=0, norm="ortho")
            )
            return found

        def whole(free: Array) -> tuple[float, Array]:
            pieces, slope = action.pieces(curve(free))
            back = dst(across_back(slope[1:-1]), type=1, axis=0, norm="ortho") / waves
            return float(pieces.sum()), back.ravel()

        found = minimize(
            whole, np.zeros(count * path.shape[1]), jac=True, method="L-BFGS-B",
            options={"maxiter": 100, "maxcor": 8, "ftol": 1e-14, "gtol": 1e-12},
        )  # fmt: skip
        path = _spaced(curve(found.x), len(path) - 1)
        now = action.of_path(path)
        if abs(before - now) <= SETTLED * abs(now):
            return path, True
        before = now
    return path, False


def _spaced(path: Array, pieces: int) -> Array:
    """Return so many evenly spaced pieces along a path."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    kept = np.concatenate([[True], np.diff(along) > 1e-14 * along[-1]])
    at = np.linspace(0.0, along[-1], pieces + 1)
    moved = np.asarray(CubicSpline(along[kept], path[kept])(at))
    moved[0], moved[-1] = path[0], path[-1]
    return moved
