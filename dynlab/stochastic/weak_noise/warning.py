"""early_warning: what the noise about rest says of the bifurcation ahead, along a branch.

Towards a bifurcation the slowest rate of return falls to zero, and with it (critical slowing down) the variance
and the memory of fluctuations grow.  With mu the distance of the parameter (Kuehn 2011, Physica D 240, 1020;
Scheffer and others 2009, Nature 461, 53):

    fold                                             rate ~ mu^(1/2)      variance ~ mu^(-1/2)
    transcritical, pitchfork, Hopf                   rate ~ mu            variance ~ mu^(-1)

All from the Jacobians of the branch and Lyapunov's equation (`dynlab.stochastic.weak_noise.fluctuations`); nothing is simulated.
The exponents are measured on states solved for at distances that are halved again and again, extrapolated, and carry
the last change of the extrapolation as their error.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from dynlab.continuation.branch import Branch
from dynlab.continuation.points import BranchPoint, Fold, Hopf, SpecialPoint
from dynlab.equilibria.stability import Equilibrium
from dynlab.errors import SettingError, SingularProblem, UnknownNameError
from dynlab.names import finite
from dynlab.plotting import label, new_axes, style
from dynlab.point import growth
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.stochastic.weak_noise.fluctuations import covariance_about
from dynlab.stochastic.weak_noise.local import Local, local_at
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Approach", "EarlyWarning", "early_warning"]

Array = NDArray[np.float64]

#: The first distance from a bifurcation, as a part of the stable stretch before it, and how often it is halved.
_FIRST, _HALVINGS = 0.02, 8
#: A variance that grows by less than this over all distances does not grow: its state takes no part.
_FLAT = 1.2


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Approach:
    """How rate and variances scale towards one bifurcation.

    Attributes
    ----------
    kind
        What is ahead: ``"fold"``, ``"Hopf point"`` or ``"branch point"``.
    at
        Where it is in the parameter.
    distances
        Distances of the parameter from there, halved from each to the next.
    rates
        The slowest rate of return at each, per unit of time.
    variances
        The variances of the states at each, one row for each distance.
    exponents
        For each state the exponent of its variance; nan for one whose variance stays finite.
    errors
        The last change of each by the extrapolation.
    rate_exponent
        The exponent of the rate, and the last change of it.
    expected
        What theory expects: the exponents of the variance and of the rate.
    """

    kind: str
    at: float
    distances: Array
    rates: Array
    variances: Array
    exponents: Array
    errors: Array
    rate_exponent: tuple[float, float]
    expected: tuple[float, float]

    def __repr__(self) -> str:
        known = np.isfinite(self.exponents)
        listed = ", ".join(
            f"{e:.4f} ({d:.0e})"
            for e, d in zip(self.exponents[known], self.errors[known], strict=True)
        )
        rate, error = self.rate_exponent
        return (
            f"<towards a {self.kind} at {self.at:.6g}: variance exponents {listed or 'none'} (theory "
            f"{self.expected[0]:g}),\n rate exponent {rate:.4f} ({error:.0e}) (theory {self.expected[1]:g})>"
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EarlyWarning(Result):
    """Rates, variances and memory of the fluctuations along the stable part of a branch; made by `early_warning`.

    ``found["x"]`` is the variance of a state along it, ``found["mu"]`` the parameter.

    Attributes
    ----------
    system
        The system, with its noise.
    vary
        The parameter.
    values
        Its values where the branch is stable.
    states
        The equilibria there, one row for each.
    eigenvalues
        The leading eigenvalue at each: the one that decides about stability.
    variances
        The variances of the states, one row for each value.
    parts
        Which stable part of the branch each belongs to, counted from 0.
    approaches
        How they scale towards each bifurcation at an end of a stable part.
    provenance
        Where it came from.
    """

    system: System
    vary: str
    values: Array
    states: Array
    eigenvalues: NDArray[np.complex128]
    variances: Array
    parts: NDArray[np.int64]
    approaches: tuple[Approach, ...]
    provenance: Provenance

    @property
    def status(self) -> Status:
        """How it ended."""
        return Status.OK

    @property
    def correlation_time(self) -> Array:
        """One over the slowest rate of return, in the system's time."""
        return np.asarray(-1.0 / self.eigenvalues.real)

    def __getitem__(self, name: str) -> Array:
        """Return the variance of a state along the branch, or the parameter."""
        if name == self.vary:
            return self.values
        return np.asarray(self.variances[:, self._place(name)])

    def autocorrelation(self, name: str, *, lag: float) -> Array:
        """Return the correlation of a state with itself after a time, along the branch."""
        place, by = self._place(name), finite(lag, "lag")
        found = np.empty(len(self.values))
        for k, (value, state) in enumerate(zip(self.values, self.states, strict=True)):
            local = Local(self.system(**{self.vary: float(value)}), state)
            jacobian = local.jacobian
            covariance = covariance_about(local.system, jacobian, local.diffusion)
            later = scipy.linalg.expm(abs(by) * jacobian)[place] @ covariance[:, place]
            found[k] = later / covariance[place, place]
        return found

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return one row for each value of the parameter: rate, correlation time and variances."""
        table: dict[str, NDArray[Any]] = {
            self.vary: self.values,
            "rate": -self.eigenvalues.real,
            "correlation time": self.correlation_time,
        }
        return table | {
            f"variance of {n}": v
            for n, v in zip(self.system.state_names, self.variances.T, strict=True)
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the variances of the first states over the parameter, with the bifurcations ahead."""
        ax = new_axes(
            ax, xlabel=label(self.vary, self.system.unit_of(self.vary)), ylabel="variance"
        )
        for k, name in enumerate(self.system.state_names[:3]):
            for part in range(int(self.parts.max()) + 1):
                here = self.parts == part
                ax.semilogy(
                    self.values[here], self.variances[here, k], color=style.CYCLE[k], linewidth=1.8,
                    label=None if part else label(name),
                )  # fmt: skip
        for approach in self.approaches:
            ax.axvline(approach.at, color="0.5", linewidth=1.0, linestyle=":")
            ax.annotate(
                approach.kind, (approach.at, 0.03), xycoords=("data", "axes fraction"), rotation=90,
                fontsize=9, ha="right", va="bottom", color="0.35",
            )  # fmt: skip
        ax.legend(frameon=False)
        return ax

    def __repr__(self) -> str:
        ahead = ", ".join(f"{a.kind} at {self.vary} = {a.at:.6g}" for a in self.approaches)
        return (
            f"<early warning of {self.system.name} in {self.vary}: {len(self.values)} stable points;\n ahead: "
            f"{ahead or 'nothing'}>"
        )

    def _place(self, name: str) -> int:
        place = self.system.place_of(name)
        if not isinstance(place, int):
            raise UnknownNameError(
                f"state of {self.system.name!r}", name, (*self.system.state_names, self.vary)
            )
        return place


def early_warning(system: System, *, along: Branch) -> EarlyWarning:
    r"""Return how fluctuations about rest change along a branch, and how they scale towards its bifurcations.

    To leading order in the noise, as `linear_noise`: rate of return, variance, correlation time, autocorrelation.

    Parameters
    ----------
    system
        A flow with noise.
    along
        A branch of equilibria of its drift, followed for ``system.without_noise()``.

    Returns
    -------
    EarlyWarning
        The quantities where the branch is stable, and the exponents towards each bifurcation that ends a stable
        part.

    Raises
    ------
    SettingError
        If the branch belongs to another system.
    SingularProblem
        If the branch is nowhere stable, or the noise vanishes on it.
    UnsupportedSystemError
        If the system is a map, has no noise, or depends on the time.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def fold(x=1.0, *, mu=1.0):
    ...     return {x: mu - x**2}
    >>> rest = dl.find_equilibria(fold, within={"x": (0, 2)}).single()
    >>> branch = dl.continue_equilibrium(rest, vary="mu", over=(-0.5, 1.0))
    >>> found = dl.early_warning(fold.with_noise(x=0.1), along=branch)
    >>> (ahead,) = found.approaches
    >>> ahead.kind, round(float(ahead.exponents[0]), 4), round(ahead.rate_exponent[0], 4)
    ('fold', -0.5, 0.5)

    References
    ----------
    1. Kuehn 2011, Physica D 240, 1020.
    2. Scheffer and others 2009, Nature 461, 53.
    """
    began = perf_counter()
    _check_branch(system, along)
    stable = _stable_rows(along)
    if not stable.any():
        raise SingularProblem(
            f"the branch of {along.system.name!r} in {along.vary} is nowhere stable, so nothing stays near it. Follow a "
            "stable equilibrium.",
            status=Status.SINGULAR,
        )
    rows = np.flatnonzero(stable)
    found = [_measured(system, along.vary, along.values[k], along.states[k]) for k in rows]
    return EarlyWarning(
        system=system,
        vary=along.vary,
        values=along.values[rows],
        states=along.states[rows],
        eigenvalues=np.array([e for e, _ in found]),
        variances=np.array([v for _, v in found]),
        parts=np.cumsum(np.diff(rows, prepend=rows[0]) > 1),
        approaches=_approaches(system, along, stable),
        provenance=Provenance(
            "early_warning", system, {"vary": along.vary}, seconds=perf_counter() - began
        ),
    )


def _check_branch(system: System, along: Branch) -> None:
    if not isinstance(along, Branch):
        raise SettingError(
            f"along is {along!r:.60}; give a branch of equilibria: dl.continue_equilibrium(rest, vary=..., over=...)."
        )
    k = int(np.argmax(_stable_rows(along)))
    here = system
    if along.vary in system.parameter_names:
        here = system(**{along.vary: float(along.values[k])})
    local_at(
        here,
        Equilibrium.at(along.system(**{along.vary: float(along.values[k])}), along.states[k], 0.0),
    )


def _stable_rows(along: Branch) -> NDArray[np.bool_]:
    """Return where the branch is stable; a bifurcation itself is not."""
    stable = np.asarray(along.unstable == 0)
    stable &= np.max(growth(along.eigenvalues, discrete=along.system.is_discrete), axis=1) < 0
    for position, point in along.special:
        if isinstance(point, Fold | Hopf | BranchPoint):
            stable[position] = False
    return stable


def _measured(system: System, vary: str, value: float, state: Array) -> tuple[complex, Array]:
    """Return the leading eigenvalue and the variances at an equilibrium."""
    local = Local(system(**{vary: float(value)}), np.asarray(state, dtype=float))
    jacobian = local.jacobian
    values = np.linalg.eigvals(jacobian)
    covariance = covariance_about(local.system, jacobian, local.diffusion)
    return complex(values[int(np.argmax(values.real))]), np.diag(covariance).copy()


def _approaches(system: System, along: Branch, stable: NDArray[np.bool_]) -> tuple[Approach, ...]:
    found = []
    for position, point in along.special:
        if not isinstance(point, Fold | Hopf | BranchPoint):
            continue
        for side in (-1, 1):
            near = position + side
            if 0 <= near < len(stable) and stable[near] and stable[position - side] != stable[near]:
                found.append(_approach(system, along, point, _stretch(along, stable, near, side)))
    return tuple(a for a in found if a is not None)


def _stretch(along: Branch, stable: NDArray[np.bool_], near: int, side: int) -> Array:
    """Return the values of the parameter along the stable part that begins at a row."""
    last = near
    while 0 <= last + side < len(stable) and stable[last + side]:
        last += side
    return along.values[min(near, last) : max(near, last) + 1][:: 1 if side > 0 else -1]


def _approach(
    system: System, along: Branch, point: SpecialPoint, stretch: Array
) -> Approach | None:
    """Return the scaling towards a bifurcation, or None where the stable part before it is too short to tell."""
    reach = float(np.max(np.abs(stretch - point.value)))
    sign = float(np.sign(stretch[0] - point.value))
    # Close to a fold the state turns by the root of the distance, so that it is known there to half the digits.
    distances = np.asarray(_FIRST * reach * 0.5 ** np.arange(_HALVINGS + 1), dtype=float)
    rates, variances = [], []
    for distance in distances:
        here = [
            p for p in along.at(**{along.vary: point.value + sign * float(distance)})
            if np.max(p.eigenvalues.real) < 0
        ]  # fmt: skip
        if not here:
            return None
        nearest = min(here, key=lambda p: float(np.linalg.norm(p.state - point.state)))
        value, spread = _measured(system, along.vary, nearest.system[along.vary], nearest.state)
        rates.append(-value.real)
        variances.append(spread)
    is_fold = isinstance(point, Fold)
    # The first correction is of the order of the state's own distance from the bifurcation.
    ratio = 2.0**0.5 if is_fold else 2.0
    table = np.array(variances)
    exponents, errors = _exponents(table, ratio)
    flat = table[-1] < _FLAT * table[0]
    exponents[flat], errors[flat] = np.nan, np.nan
    rate, rate_error = _exponents(np.array(rates)[:, None], ratio)
    return Approach(
        kind=point.word,
        at=point.value,
        distances=distances,
        rates=np.array(rates),
        variances=table,
        exponents=exponents,
        errors=errors,
        rate_exponent=(float(rate[0]), float(rate_error[0])),
        expected=(-0.5, 0.5) if is_fold else (-1.0, 1.0),
    )


def _exponents(values: Array, ratio: float) -> tuple[Array, Array]:
    """Return the exponents of columns over halved distances, extrapolated to none, and the last change."""
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.log2(values[:-1] / values[1:])
    better = slopes[1:] + (slopes[1:] - slopes[:-1]) / (ratio - 1.0)
    best = better[1:] + (better[1:] - better[:-1]) / (ratio**2 - 1.0)
    return best[-1].copy(), np.maximum(np.abs(best[-1] - best[-2]), np.abs(best[-1] - better[-1]))
