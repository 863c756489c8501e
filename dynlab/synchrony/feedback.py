"""Delayed mean-field feedback: at which gain and delay it takes synchrony apart, or makes it.

A population whose frequencies are Lorentzian, of half-width D about w, coupled by K, hears its own mean field
``Z = r exp(i psi)`` a delay tau later:

    theta_i' = w_i + K r sin(psi - theta_i) + G r(t - tau) sin(psi(t - tau) - theta_i)

On the manifold of Ott and Antonsen Z obeys one equation with a delay; about the incoherent state, Z = 0, it is linear,

    Z' = (K/2 - D + i w) Z + (G/2) Z(t - tau),

and its rightmost characteristic root is ``a + W_0(b tau exp(-a tau)) / tau`` with a and b the two coefficients and W_0
the principal branch of Lambert's function, which among all branches has the largest real part.  Incoherence is
stable where its real part is below zero: there the feedback desynchronises.

References
----------
1. Rosenblum and Pikovsky 2004, Phys. Rev. E 70, 041904 (the idea, as a model of deep brain stimulation).
2. Ott and Antonsen 2008, Chaos 18, 037113 (the reduction).
3. Shinozaki and Mori 2006, Automatica 42, 1791 (the principal branch).
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlab.errors import SettingError
from dynlab.names import finite, require_kind
from dynlab.result import Provenance, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "FeedbackChart",
    "FeedbackWindow",
    "LorentzianOscillators",
    "feedback_chart",
    "feedback_window",
]

Array = NDArray[np.float64]
#: Windows narrower than this part of the range are not seen.
PLACES = 2000
#: Logarithms beyond this are of numbers that may not be finite.
FAR = 600.0


@dataclass(frozen=True, slots=True)
class LorentzianOscillators:
    """Infinitely many phase oscillators with Lorentzian frequencies, each pulled by the mean of all.

    Parameters
    ----------
    K
        Coupling, of the mean over all oscillators; without feedback they synchronise from twice the width on.
    width
        Half-width of the frequencies at half maximum, above zero.
    frequency
        Their centre, in radians per unit of time.

    Raises
    ------
    SettingError
        If a value is not finite, or the width not above zero.

    Examples
    --------
    >>> import dynlab as dl
    >>> rhythm = dl.LorentzianOscillators(K=1.5, width=0.5, frequency=6.283)
    >>> rhythm.K
    1.5
    """

    K: float
    width: float
    frequency: float = 0.0

    def __post_init__(self) -> None:
        for name in ("K", "width", "frequency"):
            object.__setattr__(self, name, finite(getattr(self, name), name))
        if self.width <= 0:
            raise SettingError(f"width is {self.width:g}; give a half-width above zero.")

    def growth(self, gain: ArrayLike, delay: ArrayLike) -> NDArray[np.complex128]:
        """Return the rightmost characteristic root about incoherence, for gains and delays that broadcast."""
        from scipy.special import lambertw

        b, tau = np.broadcast_arrays(0.5 * np.asarray(gain, complex), np.asarray(delay, float))
        if not (np.isfinite(b).all() and np.isfinite(tau).all()):
            raise SettingError("a gain or a delay is not finite. Give finite numbers.")
        if (tau < 0).any():
            raise SettingError("a delay is below zero, and nobody hears the future. Give others.")
        a = 0.5 * self.K - self.width + 1j * self.frequency
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            size = np.log(b * tau) - a * tau
            later = a + lambertw(np.exp(size)) / tau
            # Of a number beyond floating point: W + log W is its logarithm, up to whole turns.
            huge = (tau > 0) & (size.real > FAR)
            later = np.where(huge, a + _lambert_of_exp(np.where(huge, size, FAR)) / tau, later)
        return np.asarray(np.where(tau > 0, later, a + b))


def _lambert_of_exp(size: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Return W_0(exp(size)) where exp would overflow, by Newton's method."""
    turned = size.real + 1j * np.angle(np.exp(1j * size.imag))
    w = turned - np.log(turned)
    for _ in range(6):
        w = w - (w + np.log(w) - turned) / (1 + 1 / w)
    return np.asarray(w)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FeedbackWindow(Result):
    """The gains at which a delayed feedback desynchronises; made by `feedback_window`.

    Attributes
    ----------
    oscillators
        The population.
    delay
        The delay.
    gains
        The gains looked at, between which the edges were found.
    intervals
        A row for each interval of gains at which incoherence is stable, low and high; an end of the range is
        an edge that is not one.
    provenance
        Where it came from.
    """

    oscillators: LorentzianOscillators
    delay: float
    gains: Array
    intervals: Array
    provenance: Provenance

    @property
    def growth(self) -> Array:
        """The growth rate of small synchrony at each gain."""
        return np.asarray(self.oscillators.growth(self.gains, self.delay).real)

    def to_table(self) -> dict[str, Array]:
        """Return gain and growth rate as columns."""
        return {"gain": self.gains, "growth rate": self.growth}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the growth rate against the gain; shaded where the feedback desynchronises."""
        from dynlab.plotting import draw_stable_intervals

        return draw_stable_intervals(
            ax, self.gains, self.growth, self.intervals, labels=("gain", "growth of synchrony")
        )

    def __repr__(self) -> str:
        shown = ", ".join(f"{low:.8g} to {high:.8g}" for low, high in self.intervals) or "nowhere"
        return (
            f"<Window of feedback after {self.delay:g}: desynchronises at gains {shown};\n "
            f"looked at from {self.gains[0]:g} to {self.gains[-1]:g}>"
        )


def feedback_window(
    oscillators: LorentzianOscillators, *, delay: float, over: tuple[float, float]
) -> FeedbackWindow:
    r"""Return the gains at which feedback of the mean field after a delay takes synchrony apart.

    .. math:: \lambda = \tfrac{K}{2} - D + i\omega + \tfrac{G}{2} e^{-\lambda\tau}, \qquad \mathrm{Re}\,\lambda < 0

    Parameters
    ----------
    oscillators
        The population.
    delay
        The delay, in units of time, 0 or more.
    over
        Lowest and highest gain.

    Returns
    -------
    FeedbackWindow
        Edges to rounding.  A window narrower than 1 / 2000 of the range may be missed.

    Raises
    ------
    SettingError
        If the range is empty or the delay below zero.

    Examples
    --------
    After half a period of the rhythm feedback works against it:

    >>> import dynlab as dl
    >>> import numpy as np
    >>> rhythm = dl.LorentzianOscillators(K=1.5, width=0.5, frequency=2 * np.pi)
    >>> dl.feedback_window(rhythm, delay=0.5, over=(0, 8)).intervals.round(6)
    array([[0.5    , 5.96869]])
    """
    from scipy.optimize import brentq

    began = perf_counter()
    _require_population(oscillators)
    tau = finite(delay, "delay")
    if np.shape(over) != (2,):
        raise SettingError(f"over is {over!r}; give two numbers, the lowest and the highest gain.")
    low, high = (finite(v, "an end of over") for v in over)
    if not low < high:
        raise SettingError(f"over is ({low:g}, {high:g}), which is empty. Give low < high.")
    gains = np.linspace(low, high, PLACES + 1)
    growth = oscillators.growth(gains, tau).real

    def rate(gain: float) -> float:
        return float(oscillators.growth(gain, tau).real)

    below = growth < 0
    turns = np.flatnonzero(below[1:] != below[:-1])
    edges = [brentq(rate, gains[k], gains[k + 1], xtol=1e-13) for k in turns]
    edges = ([low] if below[0] else []) + edges + ([high] if below[-1] else [])
    return FeedbackWindow(
        oscillators=oscillators,
        delay=tau,
        gains=gains,
        intervals=np.array(edges, float).reshape(-1, 2),
        provenance=Provenance(
            "feedback_window", None, {"delay": tau, "over": (low, high)},
            seconds=perf_counter() - began,
        ),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FeedbackChart(Result):
    """How small synchrony grows under delayed feedback, over gain and delay; made by `feedback_chart`.

    Attributes
    ----------
    oscillators
        The population.
    gains, delays
        The values along each axis.
    growth
        Growth rates, gains x delays: below zero the feedback desynchronises.
    provenance
        Where it came from.
    """

    oscillators: LorentzianOscillators
    gains: Array
    delays: Array
    growth: Array
    provenance: Provenance

    def to_table(self) -> dict[str, Array]:
        """Return gain, delay and growth rate as columns, a row for each cell."""
        gain, delay = np.meshgrid(self.gains, self.delays, indexing="ij")
        return {"gain": gain.ravel(), "delay": delay.ravel(), "growth rate": self.growth.ravel()}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw growth over delay and gain: blue where the feedback desynchronises, red where it does not."""
        from dynlab.plotting import draw_growth_chart

        return draw_growth_chart(
            ax, self.delays, self.gains, self.growth.T,
            labels=("delay", "gain", "growth of synchrony"),
        )  # fmt: skip

    def __repr__(self) -> str:
        share = float(np.mean(self.growth < 0))
        return (
            f"<Feedback over {len(self.gains)} gains x {len(self.delays)} delays:\n "
            f"{share:.0%} of them desynchronise>"
        )


def feedback_chart(
    oscillators: LorentzianOscillators, *, gains: ArrayLike, delays: ArrayLike
) -> FeedbackChart:
    """Return how fast small synchrony grows or decays, over gains and delays of a feedback.

    Parameters
    ----------
    oscillators
        The population.
    gains, delays
        Values along each axis, rising; delays in units of time.

    Returns
    -------
    FeedbackChart
        The real part of the rightmost characteristic root in each cell.

    Raises
    ------
    SettingError
        If an axis holds no finite numbers, or does not rise.

    Examples
    --------
    >>> import dynlab as dl
    >>> import numpy as np
    >>> rhythm = dl.LorentzianOscillators(K=1.5, width=0.5, frequency=2 * np.pi)
    >>> chart = dl.feedback_chart(rhythm, gains=[0.0, 2.0], delays=[0.25, 0.5])
    >>> chart.growth.round(3)
    array([[ 0.25 ,  0.25 ],
           [ 0.444, -1.507]])
    """
    began = perf_counter()
    _require_population(oscillators)
    gain, delay = _axis(gains, "gains"), _axis(delays, "delays")
    growth = oscillators.growth(gain[:, None], delay[None, :]).real
    settings: dict[str, Any] = {"gains": gain, "delays": delay}
    source = Provenance("feedback_chart", None, settings, seconds=perf_counter() - began)
    return FeedbackChart(oscillators, gain, delay, np.ascontiguousarray(growth), source)


def _require_population(oscillators: Any) -> None:
    require_kind(
        oscillators, LorentzianOscillators, "oscillators",
        "the population, dl.LorentzianOscillators(K=1.5, width=0.5, frequency=6.28)",
    )  # fmt: skip


def _axis(values: ArrayLike, what: str) -> Array:
    try:
        found = np.array(values, dtype=float, ndmin=1)
    except (TypeError, ValueError) as error:
        raise SettingError(f"{what} is {values!r}, which is not a list of numbers.") from error
    if (
        found.ndim != 1
        or not found.size
        or not np.isfinite(found).all()
        or (np.diff(found) <= 0).any()
    ):
        raise SettingError(f"{what} are not finite numbers that rise. Give a flat list of some.")
    return found
