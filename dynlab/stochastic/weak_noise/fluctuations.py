r"""linear_noise: how a noisy system moves about a stable equilibrium, to leading order and one beyond.

With J the Jacobian and D the diffusion matrix at the equilibrium, small deviations are an
Ornstein-Uhlenbeck process: ``d xi = J xi dt + b dW``.  Then (Gardiner, Handbook of Stochastic Methods,
section 4.5.6; van Kampen, Stochastic Processes in Physics and Chemistry, chapter X)

    covariance     J S + S J' + 2 D = 0
    correlation    C(s) = <xi(t + s) xi(t)'> = exp(J s) S                  for s >= 0
    spectrum       S(w) = int C(s) exp(-i w s) ds = (i w - J)^-1 2 D (i w - J)^-H

The spectrum is two-sided and over the angular frequency: ``int S(w) dw / 2 pi = S``.

How far this can be trusted is computed, not hoped for: the expansion in the strength of the noise is carried one
order further with exact second and third derivatives of the drift and of the diffusion (Grima 2010, J. Chem. Phys.
133, 035101, does so for reactions).  In the notation of the code, F_i = J_ij x_j + B_ijk x_j x_k / 2 + C_ijkl x_j x_k x_l / 6:

    mean        J m + B : S / 2 + n = 0                  n: the drift that the reading of the noise adds
    third       (J T)_3 + (<F_2 x x> + n S + 2 D m + 2 (D' S))_3 = 0          the sums over three places
    second      J M + M J' + G + G' + 2 D' m + D'' : S = 0,   G = B : T / 2 + C : <x x x x> / 6 + n m' + n' S

and the covariance changes by M - m m'.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

from dynlab.codegen.kernels import kernels_of
from dynlab.equilibria.stability import Equilibrium
from dynlab.errors import SettingError, SingularProblem, UnknownNameError, UnsupportedSystemError
from dynlab.plotting import label, new_axes, style
from dynlab.point import described
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.stochastic.weak_noise.local import Local, local_at, resolvent_rows
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LinearNoise", "covariance_about", "linear_noise"]

Array = NDArray[np.float64]

#: The next order takes derivatives of third order in all directions: up to so many states.
MOST_STATES = 10
#: A full Lyapunov equation of so many states takes some minutes.
LARGEST = 3000
#: A pair whose imaginary part is below this part of its modulus does not turn.
TURNING = 1e-9
#: Frequencies searched for the highest place of a spectrum.
SEARCHED = 400


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LinearNoise(Result):
    """Fluctuations about a stable equilibrium, to leading order in the noise; made by `linear_noise`.

    Attributes
    ----------
    system
        The system, with its noise.
    state
        The equilibrium.
    jacobian
        The derivatives of the drift there, per unit of time.
    diffusion
        The matrix D there.
    covariance
        The covariance of the states, in their order.
    mean_shift
        How far the mean lies from the equilibrium, to leading order: curvature of the drift, and reading of the noise.
    covariance_correction
        What the next order adds to the covariance; empty in more than ten states.
    provenance
        Where it came from.
    """

    system: System
    state: Array
    jacobian: Array
    diffusion: Array
    covariance: Array
    mean_shift: Array
    covariance_correction: Array
    provenance: Provenance

    @property
    def status(self) -> Status:
        """How it ended."""
        return Status.OK

    def variance(self, name: str) -> Any:
        """Return the variance of a state; of a state per node one number for each node."""
        return self._named(np.diag(self.covariance), name)

    def deviation(self, name: str) -> Any:
        """Return the standard deviation of a state."""
        return np.sqrt(self.variance(name))

    def shift(self, name: str) -> Any:
        """Return how far the mean of a state lies from the equilibrium."""
        return self._named(self.mean_shift, name)

    def corrected_variance(self, name: str) -> Any:
        """Return the variance of a state with the next order in the noise.

        Raises
        ------
        UnsupportedSystemError
            If the system has too many states for it.
        """
        if not self.covariance_correction.size:
            raise UnsupportedSystemError(
                f"the next order of the covariance is computed for up to {MOST_STATES} states, and "
                f"{self.system.name!r} has {self.state.size}. Use variance(), and shift() to judge it."
            )
        return self._named(np.diag(self.covariance + self.covariance_correction), name)

    @property
    def error(self) -> float:
        """The largest relative change of a variance by the next order: where it is not small, doubt everything.

        In more than ten states, where the next order of the covariance is not computed, the largest square of a shift
        of the mean relative to the variance.
        """
        variance = np.diag(self.covariance)
        here = variance > 0
        change = (
            np.diag(self.covariance_correction)
            if self.covariance_correction.size
            else self.mean_shift**2
        )
        return float(np.max(np.abs(change[here]) / variance[here], initial=0.0))

    @property
    def eigenvalues(self) -> NDArray[np.complex128]:
        """Eigenvalues of the Jacobian, the slowest first."""
        values = np.linalg.eigvals(self.jacobian).astype(complex)
        return np.asarray(values[np.lexsort((-values.imag, -values.real))])

    @property
    def correlation_time(self) -> float:
        """One over the slowest rate of return, in the system's time."""
        return float(-1.0 / self.eigenvalues[0].real)

    @property
    def quality_factor(self) -> float:
        """Frequency over twice the damping of the least damped pair of eigenvalues; 0 without a pair that turns.

        For a quality factor far above 1 it is the frequency over the width of the peak at half its height.
        """
        values = self.eigenvalues
        turning = values[values.imag > TURNING * np.abs(values)]
        return float(np.max(turning.imag / (-2.0 * turning.real), initial=0.0))

    @property
    def circulation(self) -> Array:
        """The antisymmetric part ``Q = -(J S + D)``, which is zero at detailed balance.

        The stationary current is ``Q grad p``: what turns without end.
        """
        return np.asarray(-(self.jacobian @ self.covariance + self.diffusion))

    @property
    def entropy_production(self) -> float:
        """Entropy production rate of the linear process, per unit of time; 0 at detailed balance.

        Raises
        ------
        SingularProblem
            If some direction has no noise: the rate is then infinite, or the states change sign with time (speeds).
        """
        values = np.linalg.eigvalsh(self.diffusion)
        if values[0] <= 1e-14 * values[-1]:
            raise SingularProblem(
                f"the noise of {self.system.name!r} does not reach all directions, so the entropy production has no "
                "finite value. Give each state a noise of its own.",
                status=Status.SINGULAR,
            )
        turning = self.circulation @ np.linalg.inv(self.covariance)
        return float(
            np.trace(turning.T @ np.linalg.solve(self.diffusion, turning) @ self.covariance)
        )

    def correlation(self, first: str, second: str | None = None, *, lags: ArrayLike) -> Array:
        """Return ``<first(t + lag) second(t)>`` about the means, at each lag; of a state with itself if one is named."""
        here, there = self._place(first), self._place(first if second is None else second)
        lags = np.atleast_1d(np.asarray(lags, dtype=float))
        forward = self._propagated(here, np.abs(lags)) @ self.covariance[:, there]
        if here == there:
            return np.asarray(forward)
        backward = self._propagated(there, np.abs(lags)) @ self.covariance[:, here]
        return np.where(lags >= 0, forward, backward)

    def power_spectrum(
        self, first: str, second: str | None = None, *, at: ArrayLike
    ) -> NDArray[Any]:
        """Return the power spectrum of a state, or the cross spectrum of two, at angular frequencies.

        Two-sided: the integral over all angular frequencies, negative ones included, is 2 pi times the covariance.
        """
        here, there = self._place(first), self._place(first if second is None else second)
        rows = self._responses(here, at)
        others = rows if here == there else self._responses(there, at)
        found = np.einsum("wi,ij,wj->w", rows, 2.0 * self.diffusion, others.conj(), optimize=True)
        return np.asarray(found.real if here == there else found)

    def peak(self, name: str) -> tuple[float, float]:
        """Return the angular frequency where the spectrum of a state is highest, and how high it is there.

        The frequency is 0 where the spectrum falls from there on: nothing then looks like a cycle.
        """
        place = self._place(name)
        values = self.eigenvalues
        widths = np.tan(np.linspace(-1.5, 1.5, max(9, SEARCHED // values.size)))
        tried = np.abs(values.imag[:, None] + values.real[:, None] * widths).ravel()
        tried = np.unique(np.concatenate([[0.0], tried]))
        heights = self.power_spectrum(name, at=tried)
        top = int(np.argmax(heights))
        if top == 0:
            return 0.0, float(heights[0])
        ends = tried[top - 1], tried[min(top + 1, tried.size - 1)]

        def below(omega: float) -> float:
            row = self._responses(place, [omega])[0]
            return float(-(row @ (2.0 * self.diffusion) @ row.conj()).real)

        found = minimize_scalar(
            below, bounds=ends, method="bounded", options={"xatol": 1e-10 * ends[1]}
        )
        return (float(found.x), float(-found.fun)) if -found.fun >= heights[top] else (
            float(tried[top]), float(heights[top])
        )  # fmt: skip

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return one row for each state: equilibrium, shift of the mean, variance, and the variance to next order."""
        table: dict[str, NDArray[Any]] = {
            "state": np.array(self.system.state_names),
            "equilibrium": self.state,
            "shift": self.mean_shift,
            "variance": np.diag(self.covariance),
        }
        if self.covariance_correction.size:
            table["corrected variance"] = np.diag(self.covariance + self.covariance_correction)
        return table

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the power spectra of the first states, with their peaks."""
        unit = self.system.unit_of("t")
        ax = new_axes(
            ax,
            xlabel=r"angular frequency $\omega$" + (f" (1/{unit})" if unit else ""),
            ylabel="power spectrum",
        )
        names = [n for n in self.system.state_names if self.variance(n) > 0][:3]
        values = self.eigenvalues
        highest = max([3.0 * float(np.abs(values[0])), *(2.0 * self.peak(n)[0] for n in names)])
        omega = np.linspace(0.0, highest, 801)
        for name, color in zip(names, style.CYCLE, strict=False):
            ax.plot(
                omega,
                self.power_spectrum(name, at=omega),
                color=color,
                linewidth=1.8,
                label=label(name),
            )
            place, height = self.peak(name)
            if place > 0:
                ax.plot([place], [height], "o", color=color, markersize=5)
        ax.set_xlim(0.0, highest)
        ax.set_ylim(bottom=0.0)
        ax.legend(frameon=False)
        return ax

    def __repr__(self) -> str:
        place = described(dict(zip(self.system.state_names[:4], self.state[:4], strict=False)), 6)
        spread = ", ".join(f"{n}: {self.deviation(n):.4g}" for n in self.system.state_names[:4])
        more = ", ..." if self.state.size > 4 else ""
        return (
            f"<fluctuations of {self.system.name} about {place}{more};\n standard deviations {spread}{more} "
            f"(next order changes variances by up to {100 * self.error:.2g} %)>"
        )

    def _named(self, values: Array, name: str) -> Any:
        place = self.system.place_of(name)
        if place is None:
            raise UnknownNameError(f"state of {self.system.name!r}", name, self.system.state_names)
        return float(values[place]) if isinstance(place, int) else values[place]

    def _place(self, name: str) -> int:
        place = self.system.place_of(name)
        if isinstance(place, slice):
            raise SettingError(
                f"{name!r} is a state of many nodes; name one of them, such as {name + '[0]'!r}."
            )
        if place is None:
            raise UnknownNameError(f"state of {self.system.name!r}", name, self.system.state_names)
        return place

    def _propagated(self, place: int, times: Array) -> Array:
        """Return a row of ``exp(J t)`` at each time; equal steps between them share one exponential."""
        steps: dict[float, Array] = {}
        rows = np.empty((times.size, self.state.size))
        row, now = np.eye(self.state.size)[place], 0.0
        for k in np.argsort(times, kind="stable"):
            by = float(times[k] - now)
            if by not in steps:
                steps[by] = scipy.linalg.expm(by * self.jacobian)
            row, now = row @ steps[by], times[k]
            rows[k] = row
        return rows

    def _responses(self, place: int, at: ArrayLike) -> NDArray[np.complex128]:
        """Return a row of ``(i w - J)^-1`` at each angular frequency."""
        omega = np.atleast_1d(np.asarray(at, dtype=float))
        return resolvent_rows(self.jacobian, place, 1j * omega)


def linear_noise(system: System, *, at: Equilibrium) -> LinearNoise:
    r"""Return how a noisy system fluctuates about a stable equilibrium: covariance, correlations and spectra.

    .. math:: J \Sigma + \Sigma J^T + 2 D = 0, \qquad S(\omega) = (i\omega - J)^{-1}\, 2D\, (i\omega - J)^{-\dagger}

    Exact for linear systems with additive noise; else the leading order in the strength of the noise.  The next order is
    computed as well: `LinearNoise.error` is how much it changes a variance, relatively.

    Parameters
    ----------
    system
        A flow with noise; networks too.
    at
        A stable equilibrium of its drift, found for ``system.without_noise()``.

    Returns
    -------
    LinearNoise
        The covariance, and correlations and spectra by the names of states.

    Raises
    ------
    SingularProblem
        If the equilibrium is not stable, or the noise vanishes there.
    SettingError
        If the point belongs to another system or other parameters.
    UnsupportedSystemError
        If the system is a map, has no noise, or depends on the time.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def spiral(x=1.0, y=0.0):
    ...     return {x: -0.1 * x - y, y: x - 0.1 * y}
    >>> noisy = spiral.with_noise(x=0.2, y=0.2)
    >>> rest = dl.find_equilibria(spiral, within={"x": (-1, 1), "y": (-1, 1)}).single()
    >>> found = dl.linear_noise(noisy, at=rest)
    >>> round(found.variance("x"), 12)
    0.2
    >>> frequency, height = found.peak("x")          # a quasi-cycle: noise keeps a focus turning
    >>> round(frequency, 4), round(found.quality_factor, 4)
    (1.0, 5.0)

    References
    ----------
    1. Gardiner, Handbook of Stochastic Methods, 3rd ed. 2004, section 4.5.6.
    2. van Kampen, Stochastic Processes in Physics and Chemistry, 3rd ed. 2007, chapter X.
    3. McKane and Newman 2005, Phys. Rev. Lett. 94, 218102 (quasi-cycles).
    """
    began = perf_counter()
    local = local_at(system, at)
    if local.state.size > LARGEST:
        raise UnsupportedSystemError(
            f"{system.name!r} has {local.state.size} states, and a Lyapunov equation is solved for up to {LARGEST}. Run "
            "many copies of it with dl.ensemble."
        )
    jacobian, diffusion = local.jacobian, local.diffusion
    covariance = covariance_about(system, jacobian, diffusion)
    shift, correction = _next_order(local, jacobian, diffusion, covariance)
    return LinearNoise(
        system=system,
        state=local.state,
        jacobian=jacobian,
        diffusion=diffusion,
        covariance=covariance,
        mean_shift=shift,
        covariance_correction=correction,
        provenance=Provenance(
            "linear_noise", system, {"at": dict(at.start)}, seconds=perf_counter() - began
        ),
    )


def covariance_about(system: System, jacobian: Array, diffusion: Array) -> Array:
    """Return the covariance about a stable equilibrium, or say why there is none."""
    values = np.linalg.eigvals(jacobian)
    slowest = values[int(np.argmax(values.real))]
    if slowest.real >= -1e-13 * np.abs(values).max():
        raise SingularProblem(
            f"the equilibrium of {system.name!r} is not stable (eigenvalue {slowest:.6g}), so nothing stays near it. Take a "
            "stable one, or use dl.stationary_density.",
            status=Status.SINGULAR,
        )
    if not np.any(diffusion):
        raise SingularProblem(
            f"the noise of {system.name!r} vanishes at the equilibrium, so nothing fluctuates there. Whether it is stable "
            "for the noisy system dl.stochastic_stability tells.",
            status=Status.SINGULAR,
        )
    found = scipy.linalg.solve_continuous_lyapunov(jacobian, -2.0 * diffusion)
    return np.asarray(0.5 * (found + found.T))


def _next_order(local: Local, J: Array, D: Array, S: Array) -> tuple[Array, Array]:
    """Return the shift of the mean and what the next order adds to the covariance."""
    kernels, n = kernels_of(local.drift), local.state.size

    def bend(*directions: Array) -> Array:
        return kernels.derivative(len(directions))(0.0, local.state, local.values, *directions)

    # S = sum_k r_k r_k', so the second derivative is taken along as many directions as fluctuate.
    values, vectors = np.linalg.eigh(S)
    roots = (vectors * np.sqrt(np.maximum(values, 0.0)))[:, values > 1e-15 * values[-1]].T
    n_0 = local.induced_drift
    source = n_0 + 0.5 * sum((bend(r, r) for r in roots), start=np.zeros(n))
    m = np.asarray(np.linalg.solve(J, -source), dtype=float)
    if n > MOST_STATES:
        return m, np.empty((0, 0))
    unit = np.eye(n)
    B = np.array([[bend(u, v) for v in unit] for u in unit]).transpose(2, 0, 1)
    C = np.array([[[bend(u, v, w) for w in unit] for v in unit] for u in unit]).transpose(
        3, 0, 1, 2
    )
    n_1 = np.array([local.induced_rate(u) for u in unit]).T
    D_1 = np.array([local.diffusion_rate(u) for u in unit]).transpose(1, 2, 0)
    D_2 = sum((local.diffusion_bend(r, r) for r in roots), start=np.zeros((n, n)))
    fourth = _pairings(S)
    one = (
        0.5 * np.einsum("ilm,lmjk->ijk", B, fourth) + np.einsum("i,jk->ijk", n_0, S)
        + 2.0 * np.einsum("jk,i->ijk", D, m) + 2.0 * np.einsum("jkl,li->ijk", D_1, S)
    )  # fmt: skip
    sum_of_three = one + one.transpose(1, 0, 2) + one.transpose(2, 1, 0)
    eye = np.eye(n)
    operator = (
        np.kron(np.kron(J, eye), eye)
        + np.kron(np.kron(eye, J), eye)
        + np.kron(np.kron(eye, eye), J)
    )
    T = np.linalg.solve(operator, -sum_of_three.ravel()).reshape(n, n, n)
    G = (
        0.5 * np.einsum("ikl,klj->ij", B, T) + np.einsum("iklm,klmj->ij", C, fourth) / 6.0
        + np.outer(n_0, m) + n_1 @ S
    )  # fmt: skip
    right = G + G.T + 2.0 * D_1 @ m + D_2
    M = scipy.linalg.solve_continuous_lyapunov(J, -right)
    return m, np.asarray(0.5 * (M + M.T) - np.outer(m, m))


def _pairings(S: Array) -> Array:
    """Return the fourth moments of a Gaussian."""
    return np.asarray(
        np.einsum("ij,kl->ijkl", S, S)
        + np.einsum("ik,jl->ijkl", S, S)
        + np.einsum("il,jk->ijkl", S, S)
    )
