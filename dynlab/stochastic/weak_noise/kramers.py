r"""kramers_rate: how often weak noise lifts a system over a saddle, with the prefactor.

Where ``f = -(D + Q) grad Phi`` with constant D and antisymmetric Q, the stationary density is exp(-Phi), and for a high barrier
(Langer 1969, Ann. Phys. 54, 258; Hanggi, Talkner and Borkovec 1990, Rev. Mod. Phys. 62, 251, section IV)

    k = lambda_+ / (2 pi) sqrt(det H_well / |det H_saddle|) exp(-(Phi_saddle - Phi_well))

with H the second derivatives of Phi and lambda_+ the positive eigenvalue of the Jacobian of f at the saddle.  With Q = 0 this is
the rate of Eyring and Kramers, with positions and speeds that of Kramers for strong and moderate friction.

Nobody needs to know Phi: about the well ``H = S^-1`` with S from Lyapunov's equation, so ``D + Q = -J S``; and then
``grad Phi = -(D + Q)^-1 f`` everywhere, if that is a gradient.  Whether it is, is checked.

In one state the next order is known (Edholm and Leimar 1979, Physica A 98, 313).  With derivatives of Phi the integrals over well
and barrier of Laplace's method give k (1 - c), where c adds for both

    well     5 Phi_3^2 / (24 Phi_2^3) - Phi_4 / (8 Phi_2^2)
    barrier  the same of -Phi.

Of a particle with little friction energy limits the escape: it loses only the ``delta`` temperatures of a round between two
approaches of the barrier.  All frictions are bridged by a factor (Mel'nikov and Meshkov 1986, J. Chem. Phys. 85, 1018; Hanggi, Talkner
and Borkovec, eqs 6.12 to 6.19), with ``l = tan(a) / 2`` in its integral

    Y(delta) = exp( 2 / pi int_0^{pi/2} log(1 - exp(-delta / (4 cos^2 a))) da )

and where a second well lies behind the saddle, from which it may return, ``Y(delta) Y(delta_2) / Y(delta + delta_2)``.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import brentq

from dynlab.codegen.kernels import kernels_of
from dynlab.equilibria.stability import Equilibrium
from dynlab.errors import AccuracyWarning, SettingError, SingularProblem, UnsupportedSystemError
from dynlab.plotting import label, new_axes, style
from dynlab.point import described
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.stochastic.weak_noise.fluctuations import covariance_about
from dynlab.stochastic.weak_noise.local import Local, dense_jacobian, local_at
from dynlab.symbolic.noise import is_additive
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["KramersRate", "kramers_rate"]

Array = NDArray[np.float64]

#: Places at which the drift is checked for being a gradient, and how far from it it may be.
PLACES, CURL = 64, 1e-8
#: An underdamped system loses so much energy (in units of the temperature) per round in the well, or the formula is an upper bound.
LEAST_LOSS = 5.0
#: Lower barriers are no barriers.
LOWEST = 2.0
#: Where the friction lowers the rate by more than a part in a hundred it is said.
SEEN = 0.99
#: A turning point is looked for in so many steps, each longer than the last.
LOOKS, GROWTH = 60, 1.25


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class KramersRate(Result):
    """The rate of escape over a saddle for weak noise; made by `kramers_rate`.

    Attributes
    ----------
    system
        The system, with its noise.
    well, saddle
        The two equilibria, by state.
    barrier
        The height of the barrier, Phi at the saddle minus Phi in the well: a pure number.
    rate
        The leading order, per unit of time: what leaves the well for good over this saddle.
    correction
        The relative correction c of the next order, rate (1 - c); nan in several states, where it is not known.
    energy_loss
        Of a position and a speed, the loss per round in the well at the height of the barrier, in temperatures; else infinite.
    path
        The straight way from the well to the saddle and Phi along it, one row for each place.
    provenance
        Where it came from.
    depopulation
        The factor by which little friction lowers the rate of a particle, as the well runs out of fast ones; else 1.
    """

    system: System
    well: dict[str, float]
    saddle: dict[str, float]
    barrier: float
    rate: float
    correction: float
    energy_loss: float
    path: Array
    provenance: Provenance
    depopulation: float = 1.0

    @property
    def status(self) -> Status:
        """How it ended."""
        return Status.OK

    @property
    def time(self) -> float:
        """One over the rate."""
        return 1.0 / self.rate

    @property
    def turnover_rate(self) -> float:
        """The rate at any friction: Kramers' turnover from friction that helps to friction that hinders."""
        return self.rate * self.depopulation

    @property
    def corrected_rate(self) -> float:
        """The rate with the next order; its relative error is of the order of the square of the correction.

        Raises
        ------
        UnsupportedSystemError
            In several states, where the next order is not known.
        """
        if np.isnan(self.correction):
            raise UnsupportedSystemError(
                f"the next order of the rate is known for one state, and {self.system.name!r} has {len(self.well)}. Use "
                "rate, and error for what to expect of it."
            )
        return self.rate * (1.0 - self.correction)

    @property
    def error(self) -> float:
        """The relative error of the rate: the next order where it is known, else its order of magnitude, 1 / barrier."""
        return 1.0 / self.barrier if np.isnan(self.correction) else abs(self.correction)

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return the straight way from the well to the saddle, with Phi above the well along it."""
        return dict(zip((*self.well, "Phi"), self.path.T, strict=True))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw Phi along the straight way from the well to the saddle."""
        name = max(self.well, key=lambda n: abs(self.saddle[n] - self.well[n]))
        ax = new_axes(
            ax,
            xlabel=label(name, self.system.unit_of(name)),
            ylabel=r"$\Phi - \Phi_{\mathrm{well}}$",
        )
        place = self.path[:, list(self.well).index(name)]
        ax.plot(place, self.path[:, -1], color=style.BLUE, linewidth=1.8)
        ax.plot(place[[0, -1]], self.path[[0, -1], -1], "o", color=style.INK, markersize=5)
        return ax

    def __repr__(self) -> str:
        about = f"next order {-100 * self.correction:+.2g} %" if np.isfinite(self.correction) else (
            f"error of the order of {100 * self.error:.2g} %"
        )  # fmt: skip
        if self.depopulation < SEEN:
            about += f"; at this friction {self.turnover_rate:.4g}"
        return (
            f"<escape of {self.system.name} from {described(self.well, 6)} over {described(self.saddle, 6)}:\n "
            f"barrier {self.barrier:.6g}, Kramers' rate {self.rate:.8g} ({about})>"
        )


def kramers_rate(system: System, *, well: Equilibrium, saddle: Equilibrium) -> KramersRate:
    r"""Return the rate at which weak noise takes a system from a well over a saddle, with its prefactor.

    .. math:: k = \frac{\lambda_+}{2\pi} \sqrt{\frac{\det H_\mathrm{well}}{|\det H_\mathrm{saddle}|}}\; e^{-\Delta\Phi}

    For systems with constant noise and a stationary density exp(-Phi) at detailed balance: gradient systems of any number of
    states, also with correlated noise, and particles with friction and noise in the speeds.  `escape_time` and
    `generator_spectrum` are exact in few states; this is the limit of weak noise, in any number.

    Parameters
    ----------
    system
        A flow with noise.
    well
        A stable equilibrium of its drift.
    saddle
        An equilibrium with one unstable direction on the border of the well.  Whether the well borders on it is not checked.

    Returns
    -------
    KramersRate
        The rate, its barrier and the next order; of a particle also the rate at any friction.

    Raises
    ------
    SettingError
        If the well is not stable, or the saddle has not one unstable direction or does not lie higher.
    UnsupportedSystemError
        If the drift is no gradient in the metric of the noise, or the noise depends on the state.

    Warns
    -----
    AccuracyWarning
        If the barrier is low, or the friction so weak that energy, not the saddle, limits the rate.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def double_well(x=-1.0):
    ...     return {x: x - x**3}
    >>> left, top, right = sorted(dl.find_equilibria(double_well, within={"x": (-2, 2)}), key=lambda p: p["x"])
    >>> found = dl.kramers_rate(double_well.with_noise(x=0.2**0.5), well=left, saddle=top)     # D = 0.1
    >>> round(found.rate, 12), round(found.correction, 12)
    (0.018475615893, 0.15)

    References
    ----------
    1. Kramers 1940, Physica 7, 284.
    2. Hanggi, Talkner and Borkovec 1990, Rev. Mod. Phys. 62, 251.
    3. Bouchet and Reygner 2016, Ann. Henri Poincare 17, 3499.
    4. Mel'nikov and Meshkov 1986, J. Chem. Phys. 85, 1018: at any friction.
    """
    began = perf_counter()
    low, high = local_at(system, well), local_at(system, saddle)
    if not is_additive(system):
        raise UnsupportedSystemError(
            f"the noise of {system.name!r} depends on the state, and Kramers' rate is for constant noise. Use "
            "dl.escape_time, or a coordinate in which the noise is constant."
        )
    first, unstable = low.jacobian, high.jacobian
    rates = np.linalg.eigvals(unstable).real
    if not (np.linalg.eigvals(first).real < 0).all():
        raise SettingError(
            f"the well {described(well.start, 6)} of {system.name!r} is not stable. Give a stable equilibrium."
        )
    if (rates > 0).sum() != 1:
        raise SettingError(
            f"the saddle {described(saddle.start, 6)} of {system.name!r} has {(rates > 0).sum()} unstable directions. Give an "
            "equilibrium with one."
        )
    mobility = _mobility(low)
    _check_gradient(low, high, mobility)
    path = _along_path(low, high, mobility)
    barrier = float(path[-1, -1])
    if barrier <= 0:
        raise SettingError(
            f"the saddle {described(saddle.start, 6)} of {system.name!r} lies lower than the well by {-barrier:.3g}, so it does not "
            "border on it. Give the saddle next to the well."
        )
    losses = _energy_losses(low, high, mobility)
    ratio = np.exp(np.linalg.slogdet(first)[1] - np.linalg.slogdet(unstable)[1])
    found = KramersRate(
        system=system,
        well=dict(zip(system.state_names, low.state.tolist(), strict=True)),
        saddle=dict(zip(system.state_names, high.state.tolist(), strict=True)),
        barrier=barrier,
        rate=float(rates.max() / (2 * np.pi) * np.sqrt(ratio) * np.exp(-barrier)),
        correction=_correction(low, high) if low.state.size == 1 else float("nan"),
        energy_loss=losses[0],
        path=path,
        provenance=Provenance(
            "kramers_rate", system, {"well": dict(well.start), "saddle": dict(saddle.start)},
            seconds=perf_counter() - began,
        ),
        depopulation=_depopulation(losses[0]) * _depopulation(losses[1]) / _depopulation(sum(losses)),
    )  # fmt: skip
    _warn(found)
    return found


def _mobility(low: Local) -> Array:
    """Return D + Q."""
    jacobian = low.jacobian
    covariance = covariance_about(low.system, jacobian, low.diffusion)
    values = np.linalg.eigvalsh(covariance)
    if values[0] <= 1e-12 * values[-1]:
        raise SingularProblem(
            f"the noise of {low.system.name!r} does not reach all directions of the well, so no density fills it. Give noise to "
            "more states.",
            status=Status.SINGULAR,
        )
    return np.asarray(-jacobian @ covariance)


def _check_gradient(low: Local, high: Local, mobility: Array) -> None:
    """Refuse a drift that is no gradient: the derivatives of (D + Q)^-1 f are not symmetric."""
    n = low.state.size
    if n == 1:
        return
    drift, middle = low.drift, 0.5 * (low.state + high.state)
    reach = np.maximum(np.abs(high.state - low.state), 0.5 * np.linalg.norm(high.state - low.state))
    random = np.random.default_rng(0)
    places = middle + reach * (random.random((PLACES, n)) - 0.5) * 2.0
    for place in [low.state, high.state, *places]:
        matrix = np.linalg.solve(mobility, dense_jacobian(drift, place))
        size, odd = np.abs(matrix).max(), np.abs(matrix - matrix.T).max()
        if np.isfinite(size) and odd > CURL * size:
            raise UnsupportedSystemError(
                f"the drift of {low.system.name!r} is no gradient in the metric of its noise (at {described(dict(zip(low.system.state_names, place, strict=True)), 4)} "
                f"its curl is {odd / size:.2g} of its derivatives), so no formula with Hessians holds. dl.quasipotential and "
                "dl.least_action_path give the exponent, dl.escape_time the time in up to three states."
            )


def _along_path(low: Local, high: Local, mobility: Array) -> Array:
    """Return places on the straight way from the well to the saddle, with Phi, integrated by quadrature."""
    kernel, step = kernels_of(low.drift).rhs, high.state - low.state

    def slope(s: float) -> float:
        drift = kernel(0.0, low.state + s * step, low.values)
        return float(-step @ np.linalg.solve(mobility, drift))

    shares, heights = np.linspace(0.0, 1.0, 33), [0.0]
    for a, b in pairwise(shares):
        heights.append(heights[-1] + quad(slope, a, b, epsabs=1e-13, epsrel=1e-12)[0])
    return np.column_stack([low.state + shares[:, None] * step, heights])


def _correction(low: Local, high: Local) -> float:
    """Return c: what the third and fourth derivatives of Phi do to both integrals."""
    total, D = 0.0, float(low.diffusion[0, 0])
    one = np.ones(1)
    for local, sign in ((low, 1.0), (high, -1.0)):
        kernels = kernels_of(local.drift)
        # Phi' = -f / D
        second, third, fourth = (
            -sign * float(kernels.derivative(k)(0.0, local.state, local.values, *[one] * k)[0]) / D
            for k in (1, 2, 3)
        )
        total += 5.0 * third**2 / (24.0 * second**3) - fourth / (8.0 * second**2)
    return total


def _energy_losses(low: Local, high: Local, mobility: Array) -> tuple[float, float]:
    """Return what a particle loses per round at the height of the saddle, in the well and behind the saddle, in temperatures.

    Of a position q with ``q' = b v`` and a speed v with noise, ``Phi = a v^2 / 2 + U(q)``: twice the way from the turning point
    to the saddle.  Infinite where there is no such pair, or nothing that turns it back.
    """
    D = low.diffusion
    quiet = np.flatnonzero(np.abs(np.diag(D)) == 0)
    if low.state.size != 2 or quiet.size != 1:
        return float("inf"), float("inf")
    q, v = int(quiet[0]), 1 - int(quiet[0])
    jacobian = low.jacobian
    b, a = float(jacobian[q, v]), float(-np.linalg.solve(mobility, jacobian)[v, v])
    kernel, well, top = kernels_of(low.drift).rhs, float(low.state[q]), float(high.state[q])

    def force(place: float) -> float:
        """Return dU/dq where nothing moves."""
        state = low.state.copy()
        state[q] = place
        return float(-np.linalg.solve(mobility, kernel(0.0, state, low.values))[q])

    def depth(place: float) -> float:
        """Return U at the saddle minus U here."""
        return float(quad(force, place, top, epsabs=1e-10, epsrel=1e-9, limit=200)[0])

    def loss(turning: float) -> float:
        """Return twice the action from a turning point to the saddle, times the friction."""
        shares, weights = np.polynomial.legendre.leggauss(40)
        # q = turning + (saddle - turning) sin^2 takes the root at the turning point out of the integral.
        angle = 0.25 * np.pi * (shares + 1.0)
        place = turning + (top - turning) * np.sin(angle) ** 2
        speed = np.sqrt(np.maximum([2.0 * depth(p) / a for p in place], 0.0))
        way = 0.25 * np.pi * weights * np.abs(top - turning) * np.sin(2.0 * angle)
        return float(2.0 * D[v, v] * a**2 / abs(b) * (way @ speed))

    def beyond(start: float, first: float) -> float:
        """Return the loss up to the turning point behind a place, looked for in growing steps."""
        inside, step = start, first
        for _ in range(LOOKS):
            outside = inside + step
            if not np.isfinite(depth(outside)):
                break
            if depth(outside) < 0:
                return loss(float(brentq(depth, inside, outside, xtol=1e-8)))
            inside, step = outside, GROWTH * step
        return float("inf")

    width = well - top
    return beyond(well, 0.5 * width), beyond(top - 0.02 * width, -0.02 * width)


def _depopulation(loss: float) -> float:
    """Return Mel'nikov and Meshkov's factor for a loss of energy per round."""
    if not np.isfinite(loss):
        return 1.0

    def logarithm(angle: float) -> float:
        return float(np.log(-np.expm1(-loss / (4.0 * np.cos(angle) ** 2))))

    return float(
        np.exp(2.0 / np.pi * quad(logarithm, 0.0, 0.5 * np.pi, epsabs=1e-12, epsrel=1e-11)[0])
    )


def _warn(found: KramersRate) -> None:
    if found.barrier < LOWEST:
        warnings.warn(
            f"the barrier of {found.system.name!r} is {found.barrier:.3g}, in units of the noise, and Kramers' rate is for high "
            "barriers. Use dl.escape_time or dl.generator_spectrum.",
            AccuracyWarning,
            stacklevel=3,
        )
    if found.energy_loss < LEAST_LOSS:
        warnings.warn(
            f"a particle of {found.system.name!r} loses {found.energy_loss:.3g} temperatures per round in the well, so "
            "energy limits the escape and the rate is an upper bound. Use turnover_rate, which knows it, or dl.escape_time.",
            AccuracyWarning,
            stacklevel=3,
        )
