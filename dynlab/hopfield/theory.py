"""mean_field_overlap and critical_load: the theory of Amit, Gutfreund and Sompolinsky.

Infinitely many neurons, random patterns, Hebb's rule without self-coupling, replica symmetric.  How the equations
are solved stands in `saddle_point`.
"""

from __future__ import annotations

import functools
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from dynlab.errors import SettingError
from dynlab.hopfield.saddle_point import State, glass, on_branch, widest_noise
from dynlab.names import finite
from dynlab.result import Provenance, Result
from dynlab.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "CriticalLoad", "MeanFieldOverlap", "checked_loads", "checked_temperature", "critical_load", "critical_state",
    "mean_field_overlap", "recalled",
]  # fmt: skip

Array = NDArray[np.float64]

_RTOL = 4.0 * float(np.finfo(float).eps)
#: The largest load lies between these shares of the widest noise (0.57 at T = 0, 0.63 close to T = 1).
_FOLD_WITHIN = (0.3, 0.9)
#: Above this temperature recall needs a load below 1e-9, and 1 - C drowns in rounding.
HOTTEST = 0.9999


@dataclass(frozen=True, slots=True)
class CriticalLoad:
    """The largest load with recall, and the state there.

    Attributes
    ----------
    value
        Patterns per neuron; 0 at temperature 1 and above.  ``float(...)`` gives it.
    overlap
        The order parameter m at that load, just before recall is lost.
    edwards_anderson, spread
        The order parameters q and r there.
    temperature
        In units of the mean coupling, k_B T.
    """

    value: float
    overlap: float
    edwards_anderson: float
    spread: float
    temperature: float

    def __float__(self) -> float:
        return self.value


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MeanFieldOverlap(Result):
    """How well patterns are recalled in the limit of many neurons.

    Attributes
    ----------
    loads
        Patterns per neuron.
    temperature
        Of the spins; 0 for the deterministic rule.
    overlap
        The order parameter m of recall; 0 where there is none.
    edwards_anderson, spread
        The order parameters q and r of recall; where there is none, of the spin glass or of the paramagnet.
    unstable_overlap
        The overlap of the saddle of the free energy beside recall, with which it meets at the critical load; nan
        where there is no recall.  Not the edge of a basin: states on the way are not in equilibrium.
    critical
        Where recall ends at this temperature.
    status
        How the computation ended.
    provenance
        Where the result came from.
    """

    loads: Array
    temperature: float
    overlap: Array
    edwards_anderson: Array
    spread: Array
    unstable_overlap: Array
    critical: CriticalLoad
    status: Status
    provenance: Provenance

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return load and order parameters as columns."""
        return {
            "load": self.loads, "overlap": self.overlap, "edwards_anderson": self.edwards_anderson,
            "spread": self.spread, "unstable_overlap": self.unstable_overlap,
        }  # fmt: skip

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the overlap against the load up to the critical load, and the drop there."""
        from dynlab import plotting

        word = "mean field" if self.temperature == 0 else f"mean field, $T$ = {self.temperature:g}"
        there = ~np.isnan(self.unstable_overlap)
        edge = self.critical.value, self.critical.overlap
        return plotting.draw_recall_theory(
            ax, (self.loads[there], self.overlap[there], self.unstable_overlap[there]), edge,
            end=float(self.loads.max()), label=word,
        )  # fmt: skip

    def __repr__(self) -> str:
        return (
            f"<mean-field overlap at temperature {self.temperature:g} for {len(self.loads)} loads from "
            f"{self.loads.min():.6g} to {self.loads.max():.6g};\n recall ends at "
            f"{self.critical.value:.10g} with overlap {self.critical.overlap:.10g}>"
        )


def mean_field_overlap(*, loads: ArrayLike, temperature: float = 0.0) -> MeanFieldOverlap:
    """Return the overlap with a stored pattern in the limit of many neurons, for each load.

    At T = 0 the overlap is m = erf(x) with sqrt(2 alpha) = erf(x) / x - (2 / sqrt(pi)) exp(-x^2); at T > 0 the three
    equations for m, q and r are solved.

    Parameters
    ----------
    loads
        Patterns per neuron, one or many, not negative.
    temperature
        Of the spins: a spin points along its field h with chance 1 / (1 + exp(-2 h / T)).

    Returns
    -------
    MeanFieldOverlap
        Order parameters of recall, exact to about 1e-12 (1e-8 within 1e-12 of the critical load).

    Raises
    ------
    SettingError
        If a load or the temperature is negative or not finite.

    Examples
    --------
    >>> from dynlab import hopfield
    >>> theory = hopfield.mean_field_overlap(loads=[0.05, 0.1, 0.15])
    >>> theory.overlap.round(6)
    array([0.999992, 0.997999, 0.      ])
    >>> round(theory.critical.value, 8)
    0.13790557

    References
    ----------
    1. Amit, Gutfreund and Sompolinsky 1985, Phys. Rev. Lett. 55, 1530.
    2. Amit, Gutfreund and Sompolinsky 1987, Annals of Physics 173, 30.
    """
    began = time.perf_counter()
    across, t = checked_loads(loads), checked_temperature(temperature)
    rows = np.array([_row(float(load), t) for load in across]).reshape(len(across), 4)
    settings = {"loads": (float(across.min()), float(across.max())), "temperature": t}
    return MeanFieldOverlap(
        across, t, rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3], critical_load(t), Status.OK,
        Provenance("mean_field_overlap", None, settings, seconds=time.perf_counter() - began),
    )  # fmt: skip


def critical_load(temperature: float = 0.0) -> CriticalLoad:
    """Return the largest load at which patterns are still recalled, in the limit of many neurons.

    Where recall and the saddle beside it meet.

    Parameters
    ----------
    temperature
        Of the spins.  At 1 and above nothing is recalled at any load.

    Returns
    -------
    CriticalLoad
        Exact to 1e-12, relative, up to T = 0.99; 1e-8 up to 0.9999.

    Raises
    ------
    SettingError
        If the temperature is negative or not finite, or so close to 1 that rounding hides the answer.

    Examples
    --------
    >>> from dynlab import hopfield
    >>> edge = hopfield.critical_load()
    >>> round(edge.value, 10), round(edge.overlap, 10)
    (0.1379055665, 0.9674171157)
    >>> round(float(hopfield.critical_load(0.5)), 6)
    0.058816

    References
    ----------
    Amit, Gutfreund and Sompolinsky 1987, Annals of Physics 173, 30.
    """
    t = checked_temperature(temperature)
    if t >= 1.0:
        return CriticalLoad(0.0, 0.0, 0.0, 0.0, t)
    if t > HOTTEST:
        raise SettingError(
            f"the temperature is {t!r}: so close to 1 rounding hides the critical load. Use its limit, "
            f"0.2619 (1 - T)^2, or a temperature up to {HOTTEST}."
        )
    state = critical_state(t)
    return CriticalLoad(state.load, state.overlap, state.order, state.spread, t)


@functools.lru_cache(maxsize=4096)
def critical_state(temperature: float) -> State:
    """Return the state at the fold of recall and its saddle; for temperatures below 1."""
    widest = widest_noise(temperature)
    low, high = (share * widest for share in _FOLD_WITHIN)
    sigma = brentq(lambda s: on_branch(s, temperature).rise, low, high, xtol=1e-300, rtol=_RTOL)
    return on_branch(float(sigma), temperature)


def recalled(load: float, temperature: float) -> State | None:
    """Return the state of recall at a load > 0; None where there is none."""
    fold = critical_state(temperature) if temperature < 1.0 else None
    if fold is None or load > fold.load:
        return None
    # r > 1/4 on the branch of recall (1 without load at T = 0, more elsewhere), and sigma = sqrt(alpha r).
    return _between(0.5 * math.sqrt(load), fold, load)


def checked_loads(loads: ArrayLike) -> Array:
    """Return the loads as an array, or raise."""
    try:
        across = np.atleast_1d(np.asarray(loads, float))
    except (TypeError, ValueError):
        raise SettingError(f"the loads are {loads!r}; give numbers, such as [0.05, 0.1].") from None
    if across.ndim != 1 or not across.size or not np.all(np.isfinite(across) & (across >= 0.0)):
        raise SettingError(
            f"the loads are {loads!r}; give patterns per neuron, finite numbers that are not negative."
        )
    return across


def checked_temperature(temperature: Any) -> float:
    """Return the temperature as a float, or raise."""
    t = finite(temperature, "the temperature")
    if t < 0.0:
        raise SettingError(f"the temperature is {temperature!r}; give 0 or a positive number.")
    return t


def _row(load: float, temperature: float) -> tuple[float, float, float, float]:
    """Return m, q, r, and the overlap of the saddle."""
    if load == 0.0:
        return _without_load(temperature)
    state = recalled(load, temperature)
    if state is not None:
        fold, widest = critical_state(temperature), widest_noise(temperature)
        saddle = _between(widest, fold, load)
        return state.overlap, state.order, state.spread, saddle.overlap
    still = glass(load, temperature)
    return (
        (0.0, 0.0, 0.0, math.nan) if still is None else (0.0, still.order, still.spread, math.nan)
    )


def _between(end: float, fold: State, load: float) -> State:
    """Return the state at a load on the branch between a noise and that of the fold."""
    t = fold.temperature
    if load >= fold.load:
        return fold
    excess = functools.partial(_excess, temperature=t, load=load)
    ends = sorted((end, fold.noise))
    sigma = float(brentq(excess, ends[0], ends[1], xtol=1e-300, rtol=_RTOL))
    return on_branch(sigma, t)


def _excess(sigma: float, temperature: float, load: float) -> float:
    return on_branch(sigma, temperature).load - load


def _without_load(temperature: float) -> tuple[float, float, float, float]:
    """Return the state without other patterns: m = tanh(m / T)."""
    if temperature == 0.0:
        return 1.0, 1.0, 1.0, 0.0
    if temperature >= 1.0:
        return 0.0, 0.0, 0.0, math.nan
    # Concave and falling from m = 1, as with noise.
    m = on_branch_without_noise(temperature)
    q = m * m
    return m, q, q / (1.0 - (1.0 - q) / temperature) ** 2, 0.0


def on_branch_without_noise(temperature: float) -> float:
    """Return the positive solution of m = tanh(m / T) for 0 < T < 1."""
    low = math.sqrt(3.0 * (1.0 - temperature)) * temperature * 0.5
    return float(brentq(lambda m: math.tanh(m / temperature) - m, low, 1.0, rtol=_RTOL))
