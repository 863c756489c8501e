r"""linear_map_noise: how a map with noise fluctuates about a stable fixed point, to leading order in the noise.

With ``x' = f(x) + sum_k b_k(x) xi_k``, J the derivatives of f and ``B = sum_k b_k b_k'`` at the fixed point, the covariance is the
solution of the discrete Lyapunov equation

    S = J S J' + B

(Gardiner, Handbook of Stochastic Methods, 3rd ed. 2004, section 4.5; Anderson and Moore, Optimal Filtering 1979, chapter 4), the
correlation over n steps ``J^n S``, and the spectrum ``(e^{i w} - J)^{-1} B (e^{-i w} - J')^{-1}``.  Curvature shifts the mean by
``(1 - J)^{-1} f''[S] / 2``.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from dynlab.codegen.kernels import kernels_of
from dynlab.equilibria.stability import Equilibrium
from dynlab.errors import SettingError, SingularProblem, UnknownNameError, UnsupportedSystemError
from dynlab.plotting import label, new_axes, style
from dynlab.point import described
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.stochastic.weak_noise.local import fixed_point_at, resolvent_rows
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LinearMapNoise", "linear_map_noise"]

Array = NDArray[np.float64]

#: The discrete Lyapunov equation is solved for up to so many states.
LARGEST = 1000


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LinearMapNoise(Result):
    """Fluctuations about a stable fixed point of a map, to leading order; made by `linear_map_noise`.

    Attributes
    ----------
    system
        The map, with its noise.
    state
        The fixed point.
    jacobian
        The derivatives of the map there.
    step_covariance
        The covariance of what noise adds in one step.
    covariance
        The covariance of the states, in their order.
    mean_shift
        How far the mean lies from the fixed point, to leading order.
    provenance
        Where it came from.
    """

    system: System
    state: Array
    jacobian: Array
    step_covariance: Array
    covariance: Array
    mean_shift: Array
    provenance: Provenance

    @property
    def status(self) -> Status:
        """How it ended."""
        return Status.OK

    @property
    def multipliers(self) -> NDArray[np.complex128]:
        """Eigenvalues of the Jacobian, the slowest first."""
        values = np.linalg.eigvals(self.jacobian).astype(complex)
        return np.asarray(values[np.lexsort((-values.imag, -np.abs(values)))])

    @property
    def error(self) -> float:
        """The largest square of a shift of the mean relative to the variance: where it is not small, doubt everything."""
        variance = np.diag(self.covariance)
        here = variance > 0
        return float(np.max(self.mean_shift[here] ** 2 / variance[here], initial=0.0))

    def variance(self, name: str) -> float:
        """Return the variance of a state."""
        place = self._place(name)
        return float(self.covariance[place, place])

    def shift(self, name: str) -> float:
        """Return how far the mean of a state lies from the fixed point."""
        return float(self.mean_shift[self._place(name)])

    def correlation(self, first: str, second: str | None = None, *, lags: ArrayLike) -> Array:
        """Return ``<first(n + lag) second(n)>`` about the means, at each whole lag; of a state with itself if one is named."""
        here, there = self._place(first), self._place(first if second is None else second)
        steps = np.atleast_1d(np.asarray(lags, float))
        if not np.all(np.isfinite(steps)) or (steps != np.floor(steps)).any():
            raise SettingError(f"lags is {lags!r}; a map knows whole steps. Give integers.")
        powers = {
            int(n): np.linalg.matrix_power(self.jacobian, int(n)) @ self.covariance
            for n in np.unique(np.abs(steps))
        }
        return np.array([
            powers[int(n)][here, there] if n >= 0 else powers[int(-n)][there, here] for n in steps
        ])  # fmt: skip

    def power_spectrum(self, name: str, *, at: ArrayLike) -> Array:
        """Return the power spectrum of a state at angular frequencies per step; its integral from -pi to pi is 2 pi times the variance."""
        omega = np.atleast_1d(np.asarray(at, float))
        rows = resolvent_rows(self.jacobian, self._place(name), np.exp(1j * omega))
        found = np.einsum("wi,ij,wj->w", rows, self.step_covariance, rows.conj(), optimize=True)
        return np.asarray(found.real)

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return one row for each state: fixed point, shift of the mean, variance."""
        return {
            "state": np.array(self.system.state_names),
            "fixed point": self.state,
            "shift": self.mean_shift,
            "variance": np.diag(self.covariance),
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the power spectra of the first states."""
        ax = new_axes(ax, xlabel=r"angular frequency $\omega$ per step", ylabel="power spectrum")
        omega = np.linspace(0.0, np.pi, 801)
        names = [n for n in self.system.state_names if self.variance(n) > 0][:3]
        for name, color in zip(names, style.CYCLE, strict=False):
            ax.plot(omega, self.power_spectrum(name, at=omega), color=color, linewidth=1.8,
                    label=label(name))  # fmt: skip
        ax.set_xlim(0.0, np.pi)
        ax.set_ylim(bottom=0.0)
        ax.legend(frameon=False)
        return ax

    def __repr__(self) -> str:
        names = self.system.state_names[:4]
        place = described(dict(zip(names, self.state[:4], strict=False)), 6)
        spread = ", ".join(f"{n}: {self.variance(n) ** 0.5:.4g}" for n in names)
        more = ", ..." if self.state.size > 4 else ""
        return (
            f"<fluctuations of the map {self.system.name} about {place}{more};\n standard deviations {spread}{more} "
            f"(the mean is shifted by up to {self.error**0.5:.2g} of them)>"
        )

    def _place(self, name: str) -> int:
        if name not in self.system.state_names:
            raise UnknownNameError(f"state of {self.system.name!r}", name, self.system.state_names)
        return self.system.state_names.index(name)


def linear_map_noise(system: System, *, at: Equilibrium) -> LinearMapNoise:
    r"""Return how a map with noise fluctuates about a stable fixed point: covariance, correlations and spectra.

    .. math:: \Sigma = J \Sigma J^T + B, \qquad S(\omega) = (e^{i\omega} - J)^{-1} B\, (e^{i\omega} - J)^{-\dagger}

    Exact for linear maps with additive noise; else the leading order in the strength of the noise, for which
    `LinearMapNoise.error` is a measure.

    Parameters
    ----------
    system
        A map with noise; networks too.
    at
        A stable fixed point of it, found for ``system.without_noise()``.

    Returns
    -------
    LinearMapNoise
        The covariance, and correlations and spectra by the names of states.

    Raises
    ------
    SingularProblem
        If the fixed point is not stable, or the noise vanishes there.
    SettingError
        If the point belongs to another system or other parameters.
    UnsupportedSystemError
        If the system is a flow (`linear_noise`), has no noise, depends on the time, or has too many states.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.iterated_map
    ... def logistic(x=0.5, *, r=2.8):
    ...     return {x: r * x * (1 - x)}
    >>> _, rest = sorted(dl.find_equilibria(logistic, within={"x": (-0.5, 1)}), key=lambda p: p["x"])
    >>> found = dl.linear_map_noise(logistic.with_noise(x=0.01), at=rest)
    >>> round(found.variance("x"), 12)                      # 0.01**2 / (1 - 0.8**2)
    0.000277777778

    References
    ----------
    1. Gardiner, Handbook of Stochastic Methods, 3rd ed. 2004, section 4.5.
    2. Anderson and Moore, Optimal Filtering, 1979, chapter 4.
    """
    began = perf_counter()
    local = fixed_point_at(system, at)
    if local.state.size > LARGEST:
        raise UnsupportedSystemError(
            f"{system.name!r} has {local.state.size} states, and a Lyapunov equation is solved for up to {LARGEST}. Run "
            "many copies of it with dl.ensemble."
        )
    jacobian, added = local.jacobian, 2.0 * local.diffusion
    values = np.linalg.eigvals(jacobian)
    slowest = values[int(np.argmax(np.abs(values)))]
    if abs(slowest) >= 1.0 - 1e-13:
        raise SingularProblem(
            f"the fixed point of {system.name!r} is not stable (multiplier {slowest:.6g}), so nothing stays near it. Take a "
            "stable one.",
            status=Status.SINGULAR,
        )
    if not np.any(added):
        raise SingularProblem(
            f"the noise of {system.name!r} vanishes at the fixed point, so nothing fluctuates there. Give an amplitude that "
            "does not.",
            status=Status.SINGULAR,
        )
    covariance = scipy.linalg.solve_discrete_lyapunov(jacobian, added)
    covariance = 0.5 * (covariance + covariance.T)
    spread, vectors = np.linalg.eigh(covariance)
    roots = (vectors * np.sqrt(np.maximum(spread, 0.0)))[:, spread > 1e-15 * spread[-1]].T
    bend = kernels_of(local.drift).derivative(2)
    curved = sum(
        (bend(0.0, local.state, local.values, r, r) for r in roots), start=np.zeros(len(roots[0]))
    )
    shift = np.linalg.solve(np.eye(local.state.size) - jacobian, 0.5 * curved)
    return LinearMapNoise(
        system=system,
        state=local.state,
        jacobian=jacobian,
        step_covariance=added,
        covariance=np.asarray(covariance),
        mean_shift=np.asarray(shift),
        provenance=Provenance(
            "linear_map_noise", system, {"at": dict(at.start)}, seconds=perf_counter() - began
        ),
    )
