"""Where a finite set of frequencies locks: exactly, for oscillators that all see each other.

    theta_i' = omega_i + (K / N) sum_j sin(theta_j - theta_i)

A locked state has ``sin(theta_i - psi) = W_i / u`` with ``u = K r`` and ``W_i = omega_i - mean``; then
``r = mean sqrt(1 - (W_i / u)^2)`` and ``K = u / r``.  The smallest such K over u >= max |W| is where

    2 sum sqrt(1 - (W_i / u)^2) = sum 1 / sqrt(1 - (W_i / u)^2),   max |W| <= u <= 2 max |W|,

a fold of equilibria (eqs 14-16 of [1]).  Oscillators of equal frequency are one summand each.  One root by
Brent's method: a few hundred operations per oscillator, error of rounding.

References
----------
1. Verwoerd and Mason 2008, SIAM J. Appl. Dyn. Syst. 7, 134.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlab.errors import SettingError
from dynlab.result import Provenance, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LockingThreshold", "locking_threshold"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LockingThreshold(Result):
    """Where a set of frequencies locks.

    Attributes
    ----------
    value
        The smallest coupling K with a locked state, of ``K * Mean(sin(theta[j] - theta[i]), j)``.
    frequencies
        The frequencies, in the order given.
    phases
        The locked state there, relative to the mean field.
    r
        Its order.
    provenance
        Where it came from.
    """

    value: float
    frequencies: Array
    phases: Array
    r: float
    provenance: Provenance

    def to_table(self) -> dict[str, Array]:
        """Return frequencies and phases as columns."""
        return {"frequency": self.frequencies, "phase": self.phases}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the phases of the locked state against the frequencies."""
        from dynlab.plotting import draw_locked

        return draw_locked(ax, self.frequencies, self.phases)

    def __repr__(self) -> str:
        return (
            f"<Locking of {len(self.frequencies)} oscillators from K = {self.value:.10g};\n"
            f" order there r = {self.r:.6g}>"
        )


def locking_threshold(frequencies: ArrayLike) -> LockingThreshold:
    """Return the smallest coupling at which a finite set of phase oscillators locks.

    The coupling is that of ``K * Mean(sin(theta[j] - theta[i]), j)`` with all oscillators linked; with a sum
    over the others divided by N - 1 it is ``(N - 1) / N`` of this.

    Parameters
    ----------
    frequencies
        One for each oscillator, at least one.

    Returns
    -------
    LockingThreshold
        The coupling and the locked state there.

    Raises
    ------
    SettingError
        If there is no frequency, or one is not finite.

    Examples
    --------
    >>> import dynlab as dl
    >>> found = dl.locking_threshold([-1, 0, 1])
    >>> round(found.value, 10)
    1.704378316
    >>> dl.locking_threshold([0, 3]).value  # two lock when K reaches their difference
    3.0

    References
    ----------
    1. Verwoerd and Mason 2008, SIAM J. Appl. Dyn. Syst. 7, 134.
    """
    began = perf_counter()
    omega = _checked(frequencies)
    W = omega - omega.mean()
    widest = float(np.abs(W).max())
    # Frequencies that differ by rounding are the same.
    if widest <= 4e-16 * len(omega) * float(np.abs(omega).max()):
        value, order, phases = 0.0, 1.0, np.zeros(len(omega))
    else:
        u = widest * _shape(W / widest)
        sine = np.clip(W / u, -1.0, 1.0)
        order, phases = float(np.sqrt((1 - sine) * (1 + sine)).mean()), np.arcsin(sine)
        value = u / order
    source = Provenance("locking_threshold", None, {}, seconds=perf_counter() - began)
    return LockingThreshold(value, omega, phases, order, source)


def _shape(W: Array) -> float:
    """Return u for frequencies of which the largest is 1."""
    from scipy.optimize import brentq

    def misses(e: float) -> float:
        # u = 1 + e, so that next to 1 nothing cancels: 1 - (W/u)^2 = (u - W) (u + W) / u^2.
        root = np.sqrt((e + (1 - W)) * (e + (1 + W))) / (1 + e)
        return float((2 * root - 1 / root).mean())

    # At u = 1 the second sum is infinite; from u = 2 max |W| on the first is larger (each summand is).
    return 1.0 + float(brentq(misses, 1e-12 / len(W) ** 2, 1.0, xtol=1e-18, rtol=1e-15))


def _checked(frequencies: Any) -> Array:
    try:
        omega = np.atleast_1d(np.asarray(frequencies, float))
    except (TypeError, ValueError) as error:
        raise SettingError(
            f"frequencies is {frequencies!r}, which is not a list of real numbers. Give one for each oscillator."
        ) from error
    if omega.ndim != 1:
        raise SettingError(
            f"frequencies has shape {omega.shape}; give a flat list, one for each oscillator."
        )
    if not omega.size:
        raise SettingError("frequencies is empty; give one for each oscillator, at least one.")
    bad = np.flatnonzero(~np.isfinite(omega))
    if bad.size:
        raise SettingError(
            f"frequencies[{bad[0]}] is {omega[bad[0]]}; give finite numbers, one for each oscillator."
        )
    return omega
