"""lyapunov_exponent: at what rate neighbouring states part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.exponents.deviations import DEFAULT_METHOD
from dynlab.chaos.exponents.orbit import Wanted, followed
from dynlab.chaos.exponents.spectrum import LyapunovSpectrum
from dynlab.chaos.exponents.verdict import Verdict
from dynlab.result import Provenance, Result
from dynlab.solve.methods import OdeMethod
from dynlab.status import Status
from dynlab.symbolic.dynamics import Delayed
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LyapunovExponent", "lyapunov_exponent"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LyapunovExponent(Result):
    """The largest Lyapunov exponent of an orbit, in natural logarithms over time (maps: per step).

    Attributes
    ----------
    spectrum
        The spectrum that consists of this exponent alone.
    """

    spectrum: LyapunovSpectrum

    @property
    def value(self) -> float:
        """The exponent; nan if the run ended before anything was measured (see `status`)."""
        return float(self.spectrum.exponents[0])

    @property
    def standard_error(self) -> float:
        """Its standard error, from the scatter over 32 parts of the run."""
        return float(self.spectrum.standard_errors[0])

    def interval(self, *, level: float = 0.95) -> tuple[float, float]:
        """Return the interval that holds the long-run value at a rate."""
        low, high = self.spectrum.interval(level=level)[0]
        return float(low), float(high)

    @property
    def verdict(self) -> Verdict:
        """Whether the orbit is chaotic, regular, at rest or gone, as far as one exponent tells."""
        return self.spectrum.verdict

    @property
    def verdict_error(self) -> float:
        """How often the sign that the verdict rests on is wrong, by the scatter of the batches alone."""
        return self.spectrum.verdict_error

    @property
    def status(self) -> Status:
        """How the run ended."""
        return self.spectrum.status

    @property
    def provenance(self) -> Provenance:
        """Where it came from."""
        return self.spectrum.provenance

    def to_table(self) -> dict[str, Array]:
        """Return time and running estimate as columns."""
        growth = self.spectrum.growth
        return {"time": growth.times - growth.begin, "exponent": self.spectrum.series[:, 0]}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the running estimate with its error."""
        return self.spectrum.plot(ax)

    def __repr__(self) -> str:
        return (
            f"<Lyapunov exponent of {self.spectrum.system.name}: {self.value:.6g} +- "
            f"{self.standard_error:.2g};\n {self.status}, {self.verdict}>"
        )


def lyapunov_exponent(
    system: System,
    *,
    start: Mapping[str, float] | Sequence[float] | None = None,
    duration: float,
    transient: float = 0.0,
    method: OdeMethod = DEFAULT_METHOD,
    seed: Any = None,
) -> LyapunovExponent:
    """Return the largest Lyapunov exponent of the orbit from a start, with its standard error.

    ``l = lim (1/T) log |v(T)|`` of one deviation v along the orbit, which follows the variational equation with
    the exact Jacobian.

    Parameters
    ----------
    system
        A flow or a map.
    start
        States at t = 0, by name; those not given start from the system's defaults.
    duration
        Over how long growth is averaged, in the system's unit of time (maps: steps).
    transient
        How long the orbit runs before.  The deviation runs along for the second half of it, to turn where
        it grows.
    method
        Method and tolerances, for flows; the deviation keeps to them as well.
    seed
        Of the first direction of the deviation.

    Returns
    -------
    LyapunovExponent
        If the orbit escapes or is stopped it holds what was measured until then, and its status says why.

    Raises
    ------
    SettingError, UnknownNameError, UnsupportedSystemError
        As `lyapunov_spectrum`.

    Warns
    -----
    AccuracyWarning
        As `lyapunov_spectrum`.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.iterated_map
    ... def logistic(x=0.3, *, r=3.2):
    ...     return {x: r * x * (1 - x)}
    >>> found = dl.lyapunov_exponent(logistic, duration=1000, transient=200, seed=1)
    >>> round(found.value, 6), str(found.verdict)
    (-0.916291, 'periodic')

    References
    ----------
    1. Benettin, Galgani and Strelcyn 1976, Phys. Rev. A 14, 2338.
    """
    began = perf_counter()
    wanted = Wanted.checked(system, 1, duration, transient, method, seed, Delayed)
    run = followed(system, start, wanted)
    return LyapunovExponent(LyapunovSpectrum(
        system=system, growth=run.growth, end=run.end, status=run.status,
        provenance=wanted.provenance("lyapunov_exponent", system, perf_counter() - began),
    ))  # fmt: skip
