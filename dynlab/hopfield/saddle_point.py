"""The saddle point of the Hopfield model in the limit of many neurons, replica symmetric.

The local field of a neuron, seen along a stored pattern, is Gaussian with mean m (the overlap) and variance
sigma^2 = alpha r (the noise of the other patterns).  With u = (m + sigma z) / T and Dz the normal measure,

    m = int Dz tanh u,    q = int Dz tanh^2 u = 1 - T C,    r = q / (1 - C)^2,    C = int Dz sech^2 u / T,

(Amit, Gutfreund and Sompolinsky 1987, equations 3.8 to 3.10 with one condensed pattern).  Two remarks make
every solution a root of a function of one variable.  For given T and sigma the average of tanh u is concave in
m > 0 with slope C, so a positive overlap is unique and C < 1 there.  And the load is explicit:

    alpha = sigma^2 (1 - C)^2 / q.

So sigma runs along the states of one temperature: the load rises from 0 to the largest with recall, then falls
back to 0 on the branch of saddles.  All formulas stay regular at T = 0, where m = erf(m / (sqrt(2) sigma)).

Quadrature: where the Gaussian is wide in u (sigma >= 4 T), Gauss-Legendre on panels after the part for T = 0 is
taken out in closed form; else the trapezoidal rule in z, which converges exponentially for a function analytic
in the strip |Im z| < pi T / (2 sigma).  Both leave a relative error below 1e-13.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import erf

__all__ = ["GLASS_AT_ZERO", "Averages", "State", "averages", "glass", "on_branch", "widest_noise"]

Array = NDArray[np.float64]

#: sech^2 is below rounding beyond |u| = 20; panels grow away from the poles at u = +- i pi / 2.
_EDGES = np.array([-20.0, -10.0, -5.0, -2.5, -1.0, 0.0, 1.0, 2.5, 5.0, 10.0, 20.0])
_NODES_OF_A_PANEL = 16
#: The Gaussian counts as wide from this ratio of noise to temperature on.
_WIDE = 4.0
#: Step of the trapezoidal rule: exp(-2 pi (pi / 8) / h) is below rounding for noise up to 4 T.
_STEP = 1.0 / 16.0
_REACH = 9.0
#: Noise of the spin glass without load at T = 0, the widest at which an overlap lives: sqrt(2 / pi).
GLASS_AT_ZERO = math.sqrt(2.0 / math.pi)
#: Newton's iteration for the overlap falls monotonically; it doubles its digits except where the overlap vanishes.
_MOST_ITERATIONS = 200
_ROUNDING = 4.0 * float(np.finfo(float).eps)


def _panels() -> tuple[Array, Array]:
    x, w = np.polynomial.legendre.leggauss(_NODES_OF_A_PANEL)
    half, middle = np.diff(_EDGES)[:, None] / 2, (_EDGES[1:] + _EDGES[:-1])[:, None] / 2
    return (middle + half * x).ravel(), (half * w).ravel()


def _normal(z: Array) -> Array:
    return np.asarray(np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi))


def _bell(u: Array) -> Array:
    """Return sech^2 u."""
    small = np.exp(-2.0 * np.abs(u))
    return np.asarray(4.0 * small / (1.0 + small) ** 2)


_U, _W = _panels()
_BELL = _bell(_U)
_Z = np.arange(-_REACH, _REACH + _STEP / 2, _STEP)
_DZ = _STEP * _normal(_Z)


@dataclass(frozen=True, slots=True)
class Averages:
    """Averages over the local field: of tanh, of its slope, and how the slope changes.

    Attributes
    ----------
    overlap, square
        int Dz tanh u, and int Dz tanh^2 u.
    slope
        C = int Dz sech^2 u / T, the susceptibility.
    by_overlap, by_noise
        Its derivatives with respect to m and sigma.
    fourth
        int Dz sech^4 u / T, which decides the stability of the replica symmetric state.
    entropy_term
        T int Dz ln 2 cosh u.
    """

    overlap: float
    square: float
    slope: float
    by_overlap: float
    by_noise: float
    fourth: float
    entropy_term: float


def averages(m: float, sigma: float, temperature: float) -> Averages:
    """Return the averages over a local field of mean m and standard deviation sigma > 0."""
    if sigma >= _WIDE * temperature:
        u, bell, z = _U, _BELL, (temperature * _U - m) / sigma
        weight = _W * _normal(z) / sigma
        y = m / (math.sqrt(2.0) * sigma)
        mean = float(erf(y)) + temperature * float(weight @ (np.tanh(u) - np.sign(u)))
        size = m * float(erf(y)) + sigma * GLASS_AT_ZERO * math.exp(-(y**2))
        rest = temperature * float(weight @ np.log1p(np.exp(-2.0 * np.abs(u))))
        square = 1.0 - temperature * float(weight @ bell)
    else:
        u, z = (m + sigma * _Z) / temperature, _Z
        weight, bell = _DZ / temperature, _bell(u)
        mean = temperature * float(weight @ np.tanh(u))
        size = float(_DZ @ np.abs(m + sigma * _Z))
        rest = float(_DZ @ np.log1p(np.exp(-2.0 * np.abs(u))))
        square = float(_DZ @ np.tanh(u) ** 2)
    inner = weight * bell
    return Averages(
        mean,
        square,
        float(inner.sum()),
        float(inner @ z) / sigma,
        float(inner @ (z**2 - 1.0)) / sigma,
        float(inner @ bell),
        size + temperature * rest,
    )


@dataclass(frozen=True, slots=True)
class State:
    """A replica symmetric state: temperature, overlap m, noise sigma = sqrt(alpha r), and the averages there."""

    temperature: float
    overlap: float
    noise: float
    means: Averages

    @property
    def order(self) -> float:
        """The order parameter q of Edwards and Anderson."""
        return self.means.square

    @property
    def spread(self) -> float:
        """The noise of the other patterns, r = q / (1 - C)^2."""
        return self.order / (1.0 - self.means.slope) ** 2

    @property
    def load(self) -> float:
        """The load at which this state lives."""
        return self.noise**2 * (1.0 - self.means.slope) ** 2 / self.order

    @property
    def free_energy(self) -> float:
        """Free energy per neuron (Amit, Gutfreund and Sompolinsky 1987, equation 3.4), without self-coupling."""
        load, slope = self.load, self.means.slope
        return (
            0.5 * (load + self.overlap**2 + self.noise**2 * slope)
            + 0.5 * load * self.temperature * math.log1p(-slope)
            - 0.5 * load * self.order / (1.0 - slope)
            - self.means.entropy_term
        )

    @property
    def rise(self) -> float:
        """How fast the logarithm of the load rises with sigma along the branch; 0 at the largest load."""
        a = self.means
        slope = a.by_noise + self.noise * a.by_overlap**2 / (1.0 - a.slope)
        return (
            2.0 / self.noise - 2.0 * slope / (1.0 - a.slope) + self.temperature * slope / self.order
        )

    @property
    def symmetric(self) -> float:
        """Positive where replica symmetry is stable (de Almeida and Thouless): T q - sigma^2 int Dz sech^4 u / T."""
        return self.temperature * self.order - self.noise**2 * self.means.fourth


def on_branch(sigma: float, temperature: float) -> State:
    """Return the state with a positive overlap at a noise below `widest_noise`."""
    m = 1.0
    for _ in range(_MOST_ITERATIONS):
        means = averages(m, sigma, temperature)
        step = (m - means.overlap) / (1.0 - means.slope)
        if not step > _ROUNDING * m:
            break
        m -= step
    return State(temperature, m, sigma, averages(m, sigma, temperature))


def widest_noise(temperature: float) -> float:
    """Return the noise at which the overlap vanishes: C = 1 at m = 0; for temperatures below 1."""
    if temperature == 0.0:
        return GLASS_AT_ZERO
    low = 1e-3 * math.sqrt(1.0 - temperature)
    return float(
        brentq(
            lambda s: averages(0.0, s, temperature).slope - 1.0, low, GLASS_AT_ZERO, rtol=_ROUNDING
        )
    )


def glass(load: float, temperature: float) -> State | None:
    """Return the spin glass, the state without overlap at a load > 0; None above T_g = 1 + sqrt(load)."""
    if temperature >= 1.0 + math.sqrt(load):
        return None

    def excess(sigma: float) -> float:
        return State(temperature, 0.0, sigma, averages(0.0, sigma, temperature)).load - load

    # At temperatures below 1 the load is 0 at the widest noise with recall; above, it tends to (T - 1)^2.
    low = widest_noise(temperature) if temperature < 1.0 else 1e-7 * math.sqrt(load)
    high = low + math.sqrt(load) + 1.0
    while excess(high) < 0.0:
        high *= 2.0
    sigma = float(brentq(excess, low, high, rtol=_ROUNDING))
    return State(temperature, 0.0, sigma, averages(0.0, sigma, temperature))
