"""How the first step of recall goes, from signal and noise alone: errors, and how many patterns go without any.

A neuron's field is the overlap (the signal) plus the sum of many small terms of the other patterns (the noise,
Gaussian for many neurons).  That is exact for the first, parallel step and leaves out feedback: later steps see
noise that depends on the state.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import erf, erfc

from dynlab.errors import SettingError
from dynlab.hopfield.theory import checked_loads
from dynlab.names import finite

__all__ = [
    "ErrorFree",
    "error_free_patterns",
    "one_step_error",
    "projection_basin",
    "projection_step",
]

Array = NDArray[np.float64]

#: Below this load the first step of the projection rule enlarges even the smallest overlap: 2 / (pi + 2).
_PULLS_FROM_ZERO = 2.0 / (math.pi + 2.0)


class ErrorFree(NamedTuple):
    """How many random patterns are fixed points to the last bit, to leading order in the number of neurons.

    Attributes
    ----------
    most
        Up to here almost every pattern is: N / (2 ln N).
    every
        Up to here almost surely all of them are: N / (4 ln N).
    """

    most: float
    every: float


def one_step_error(loads: ArrayLike, *, overlap: float = 1.0) -> Array:
    """Return the share of wrong bits after one parallel step of Hebb's rule: erfc(m / sqrt(2 alpha)) / 2.

    Parameters
    ----------
    loads
        Patterns per neuron, positive.
    overlap
        With the pattern, before the step.

    Raises
    ------
    SettingError
        If a load is not positive, or the overlap does not lie in -1 to 1.

    Examples
    --------
    >>> from dynlab import hopfield
    >>> hopfield.one_step_error([0.104717, 0.138458]).round(5)
    array([0.001 , 0.0036])

    References
    ----------
    Hertz, Krogh and Palmer 1991, Introduction to the Theory of Neural Computation, section 2.2, table 2.1.
    """
    across, m = _positive(loads), _checked_overlap(overlap)
    return np.asarray(0.5 * erfc(m / np.sqrt(2.0 * across)))


def error_free_patterns(size: int) -> ErrorFree:
    """Return how many patterns Hebb's rule stores in N neurons without a single wrong bit.

    Leading order for many neurons; at N = 1000 corrections of ln ln N are still a quarter.

    Raises
    ------
    SettingError
        If the size is no whole number, at least 2.

    Examples
    --------
    >>> from dynlab import hopfield
    >>> hopfield.error_free_patterns(1000)
    ErrorFree(most=72.38..., every=36.19...)

    References
    ----------
    McEliece, Posner, Rodemich and Venkatesh 1987, IEEE Trans. Inf. Theory 33, 461.
    """
    n = finite(size, "the size")
    if n < 2 or n != int(n):
        raise SettingError(f"the size is {size!r}; give a whole number of neurons, at least 2.")
    return ErrorFree(n / (2.0 * math.log(n)), n / (4.0 * math.log(n)))


def projection_step(loads: ArrayLike, *, overlap: float) -> Array:
    """Return the overlap after one parallel step of the projection (pseudo-inverse) rule without self-coupling.

    m' = erf( m sqrt( (1 - alpha) / (2 alpha (1 - m^2)) ) ).  The projection onto the patterns leaves the stored one
    whole and alpha of everything else, and its diagonal is alpha.  Patterns are linearly independent, and all of
    them fixed points, up to alpha = 1.

    Parameters
    ----------
    loads
        Patterns per neuron, between 0 and 1, both excluded.
    overlap
        With one pattern, before the step; the rest of the state is random.

    Raises
    ------
    SettingError
        If a load or the overlap is out of range.

    Examples
    --------
    >>> from dynlab import hopfield
    >>> hopfield.projection_step([0.2, 0.5, 0.8], overlap=0.5).round(4)
    array([0.7518, 0.4363, 0.2272])

    References
    ----------
    1. Personnaz, Guyon and Dreyfus 1985, J. Physique Lett. 46, L359.
    2. Kanter and Sompolinsky 1987, Phys. Rev. A 35, 380.
    """
    across, m = _below_one(loads), _checked_overlap(overlap)
    with np.errstate(divide="ignore"):
        ratio = m * np.sqrt((1.0 - across) / (2.0 * across * (1.0 - m**2)))
    return np.asarray(erf(ratio))


def projection_basin(loads: ArrayLike) -> Array:
    """Return the smallest overlap that one step of the projection rule still enlarges.

    0 up to alpha = 2 / (2 + pi) = 0.389, then rising to 1 at alpha = 1, where basins vanish.  Later steps are not in
    it: it is an estimate of the edge of the basin, which `basin_size` measures.

    Parameters
    ----------
    loads
        Patterns per neuron, between 0 and 1, both excluded.

    Raises
    ------
    SettingError
        If a load is out of range.

    Examples
    --------
    >>> from dynlab import hopfield
    >>> hopfield.projection_basin([0.3, 0.5, 0.9]).round(3)
    array([0.   , 0.765, 0.992])

    References
    ----------
    Kanter and Sompolinsky 1987, Phys. Rev. A 35, 380.
    """
    return np.array([_edge(float(load)) for load in _below_one(loads)])


def _edge(load: float) -> float:
    """Return the overlap tanh(v) that one step leaves alone; m / sqrt(1 - m^2) = sinh(v)."""
    if load <= _PULLS_FROM_ZERO:
        return 0.0
    gain = math.sqrt((1.0 - load) / (2.0 * load))

    def growth(v: float) -> float:
        # As erfc, since both overlaps round to 1 where the basin is small.
        return 2.0 / (math.exp(2.0 * v) + 1.0) - float(erfc(gain * math.sinh(v)))

    high = 1.0
    while growth(high) <= 0.0:
        high *= 1.5
    low = high
    while growth(low) > 0.0:
        low *= 0.5
    return math.tanh(float(brentq(growth, low, high)))


def _positive(loads: ArrayLike) -> Array:
    across = checked_loads(loads)
    if across.min() <= 0.0:
        raise SettingError(
            f"the loads are {loads!r}; give positive numbers of patterns per neuron."
        )
    return across


def _below_one(loads: ArrayLike) -> Array:
    across = _positive(loads)
    if across.max() >= 1.0:
        raise SettingError(
            f"the loads are {loads!r}; the projection rule needs linearly independent patterns, fewer than neurons: "
            "give loads below 1."
        )
    return across


def _checked_overlap(overlap: Any) -> float:
    m = finite(overlap, "the overlap")
    if not -1.0 <= m <= 1.0:
        raise SettingError(f"the overlap is {overlap!r}; give a number from -1 to 1.")
    return m
