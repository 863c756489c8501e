"""mean_field_exponent: the Lyapunov exponent of a random rate network with infinitely many units.

    x_i' = -x_i + g sum_j J_ij tanh(x_j),   J_ij independent, of variance 1/N

For N -> infinity each unit is driven by Gaussian noise whose autocorrelation is that of its own rate,
``g^2 C(D)``, where ``D(tau)`` is the autocorrelation of x and ``C(D) = <tanh(x) tanh(x')>`` over a Gaussian
pair of variance D(0) and covariance D.  So D obeys Newton's equation in a potential (eq 6 of [1]),

    D'' = D - g^2 C(D),   D'(0) = 0,   D(infinity) = 0,

whose energy fixes D(0): with ``c = D / D(0)`` and ``r(c) = C(c D(0)) / (c D(0))``, a function without a zero
at 0, it is ``1 / g^2 = 2 int_0^1 c r(c) dc``.  The exponent is ``sqrt(1 - E) - 1`` with the energy E of the ground
state in ``-psi'' + (1 - g^2 C'(D(tau))) psi = E psi``.  D'(tau) is a solution with E = 0, the next state:
how well that is met is the check of the computation.

Instead of tau the coordinate is u with ``c = 1 / cosh(u)^2``, in which everything is smooth and
decays alike at every g: a spectral method of 193 nodes has
ten digits up to a gain of 2, six at 4 and three at 10.

References
----------
1. Sompolinsky, Crisanti and Sommers 1988, Phys. Rev. Lett. 61, 259.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.typing import NDArray

from dynlab.errors import SettingError
from dynlab.names import finite
from dynlab.result import Provenance, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MeanFieldExponent", "mean_field_exponent"]

Array = NDArray[np.float64]
#: Gaussian averages reach so many deviations, by steps of 0.5 and at most this over the deviation, near which
#: tanh has its poles; there are no more of them to each side.
REACH, FINE, MOST = 8.5, 0.28, 120
#: Degree of the averages as functions of the correlation, at most.
DEGREE = 60
#: Nodes of u to each side of 0, and how far apart; the ground state is down by 1e-8 at the last.
NODES, STEP = 96, 0.095
#: Beyond this gain tanh is too steep for the nodes.
LARGEST = 10.0
#: Nearer to the onset than this the variance, of first order in g - 1, is lost in rounding.
NEAREST = 1e-4


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MeanFieldExponent(Result):
    """What infinitely many random units do.

    Attributes
    ----------
    gain
        The gain g.
    value
        The largest Lyapunov exponent, per unit of time.
    variance
        The variance of each x_i; 0 where the network rests.
    delays, autocorrelation
        ``<x(t) x(t + delay)>``; empty where the network rests.
    defect
        By how much the second energy misses 0, on the scale of the potential: the error of the computation.
    provenance
        Where it came from.
    """

    gain: float
    value: float
    variance: float
    delays: Array
    autocorrelation: Array
    defect: float
    provenance: Provenance

    def to_table(self) -> dict[str, Array]:
        """Return delay and autocorrelation as columns."""
        return {"delay": self.delays, "autocorrelation": self.autocorrelation}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the autocorrelation of a unit."""
        from dynlab.plotting import draw_series

        columns = {"autocorrelation": self.autocorrelation}
        return draw_series(ax, self.delays, columns, time_label="delay")

    def __repr__(self) -> str:
        return (
            f"<Mean-field exponent at gain {self.gain:g}: {self.value:.6g};\n "
            f"variance {self.variance:.6g}, defect {self.defect:.1g}>"
        )


def mean_field_exponent(gain: float) -> MeanFieldExponent:
    """Return the Lyapunov exponent of ``zoo.rate_network`` with infinitely many random units.

    Up to gain 1 the network rests and the exponent is ``gain - 1``; beyond it is chaotic, at first with
    ``(gain - 1)^2 / 2``.

    Parameters
    ----------
    gain
        The gain g of weights of variance 1/N, up to 10.

    Returns
    -------
    MeanFieldExponent
        The exponent with the variance and the autocorrelation of a unit.

    Raises
    ------
    SettingError
        If the gain is negative, beyond 10, or above 1 by less than 1e-4.

    Examples
    --------
    >>> import dynlab as dl
    >>> found = dl.mean_field_exponent(2.0)
    >>> round(found.value, 4), round(found.variance, 4)
    (0.1125, 1.9248)

    References
    ----------
    1. Sompolinsky, Crisanti and Sommers 1988, Phys. Rev. Lett. 61, 259.
    """
    began = perf_counter()
    g = finite(gain, "gain")
    if not (0 <= g <= 1 or 1 + NEAREST <= g <= LARGEST):
        raise SettingError(
            f"gain is {g:g}; the theory is computed up to 1, where the network rests, and from "
            f"{1 + NEAREST:g} to {LARGEST:g}. Give a gain there."
        )
    none = np.zeros(0)
    value, variance, delays, correlation, defect = g - 1, 0.0, none, none, 0.0
    if g > 1:
        variance = _variance(g)
        value, defect, delays, correlation = _solved(g, variance)
    source = Provenance("mean_field_exponent", None, {"gain": g}, seconds=perf_counter() - began)
    return MeanFieldExponent(g, value, variance, delays, correlation, defect, source)


def _variance(g: float) -> float:
    """Return D(0), at which the correlation may decay to nothing."""
    from scipy.optimize import brentq

    def misses(logarithm: float) -> float:
        return float(g**2 * _weighed(_ratio(np.exp(logarithm)), np.ones(1))[0] - 1)

    # D(0) is g - 1 to first order next to the onset, and below g^2, the variance of g J tanh, always.
    return float(np.exp(brentq(misses, np.log(0.2 * (g - 1)), 2 * np.log(g), xtol=1e-13)))


def _solved(g: float, variance: float) -> tuple[float, float, Array, Array]:
    """Return the exponent, the defect, delays and the autocorrelation there."""
    from scipy.linalg import eigh

    ratio, slope = _ratio(variance), _slope(variance)
    u = STEP * np.arange(-NODES, NODES + 1.0)
    pace = _pace(u, g, ratio)
    first = _staggered_derivative()
    between = STEP * (np.arange(-NODES - 1, NODES + 1) + 0.5)
    stiffness = np.asarray(np.matmul(first.T, first / _pace(between, g, ratio)[:, None]))
    well = 1 - g**2 * slope(1 / np.cosh(u) ** 2)
    energies = eigh(stiffness + np.diag(pace * well), np.diag(pace), eigvals_only=True)
    right = u >= 0
    delays = _integral(u[right], pace[right])
    defect = abs(energies[1] / energies[0])
    return (
        float(np.sqrt(1 - energies[0]) - 1),
        float(defect),
        delays,
        variance / np.cosh(u[right]) ** 2,
    )


def _pace(u: Any, g: float, ratio: Chebyshev) -> Array:
    """Return d tau / d u, from (D')^2 = D^2 K(c): K is the potential seen from rest, and 0 at u = 0."""
    c, turn = 1 / np.cosh(u) ** 2, np.tanh(u) ** 2
    start = 2 * (g**2 * ratio(1.0) - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        steep = np.where(u == 0, start, (1 - g**2 * _weighed(ratio, c)) / turn)
    return np.asarray(2 / np.sqrt(steep))


def _staggered_derivative() -> Array:
    """Return the derivative, between the nodes, of what is given at them.

    Of Whittaker's cardinal function (Stenger 1993, Numerical Methods Based on Sinc and Analytic Functions).
    """
    apart = np.arange(-NODES - 1, NODES + 1)[:, None] + 0.5 - np.arange(-NODES, NODES + 1)[None, :]
    sign = (-1.0) ** np.floor(apart)
    return np.asarray(-sign / (np.pi * apart**2 * STEP))


def _integral(u: Any, values: Any) -> Array:
    from scipy.interpolate import CubicSpline

    return np.asarray(CubicSpline(u, values).antiderivative()(u))


def _ratio(variance: float) -> Chebyshev:
    """Return r(c) = <tanh tanh> / (c D(0)) as a polynomial in the correlation c."""
    return _interpolated(lambda c: _average(np.tanh, variance, c) / (c * variance), variance)


def _weighed(ratio: Chebyshev, c: Array) -> Array:
    """Return ``2 int_0^1 s r(s c) ds`` for each c."""
    node, weight = np.polynomial.legendre.leggauss(DEGREE)
    s = 0.5 + 0.5 * node
    return np.asarray(ratio(np.outer(c, s)) @ (weight * s))


def _slope(variance: float) -> Chebyshev:
    """Return C'(D) = <tanh' tanh'>, by Price's theorem, as a polynomial in c."""
    return _interpolated(lambda c: _average(lambda x: 1 / np.cosh(x) ** 2, variance, c), variance)


def _interpolated(function, variance: float) -> Chebyshev:  # type: ignore[no-untyped-def]
    degree = min(DEGREE, int(16 + 24 * np.sqrt(variance)))
    nodes = 0.5 + 0.5 * np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))
    return Chebyshev.fit(nodes, [function(c) for c in nodes], degree, domain=[0, 1])


def _average(function, variance: float, c: float) -> float:  # type: ignore[no-untyped-def]
    """Return <f(x) f(x')> over a Gaussian pair with a common part: the square of a mean, averaged.

    The trapezoidal rule, which for analytic functions of the line errs less than any power of its step.
    """
    count = min(MOST, int(REACH / min(0.5, FINE / np.sqrt(variance))))
    z = np.linspace(-REACH, REACH, 2 * count + 1)
    weight = np.exp(-(z**2) / 2)
    weight /= weight.sum()
    half = slice(count, None)  # f is even or odd, so its squared mean is even
    common = np.sqrt(variance * c) * z[half]
    means = weight @ function(np.sqrt(variance * (1 - c)) * z[:, None] + common[None, :])
    return float(2 * (means**2 @ weight[half]) - means[0] ** 2 * weight[count])
