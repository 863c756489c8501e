"""lyapunov_spectrum: at what rates small deviations from an orbit grow and shrink."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.exponents.averages import bounded_error, standard_error, two_sided
from dynlab.chaos.exponents.deviations import DEFAULT_METHOD, Growth
from dynlab.chaos.exponents.orbit import Wanted, followed
from dynlab.chaos.exponents.verdict import Verdict, judged
from dynlab.errors import SettingError
from dynlab.names import finite
from dynlab.result import Provenance, Result
from dynlab.solve.methods import OdeMethod
from dynlab.status import Status
from dynlab.symbolic.dynamics import Delayed
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LyapunovSpectrum", "lyapunov_spectrum"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LyapunovSpectrum(Result):
    """The Lyapunov exponents of an orbit, the largest first, in units of one over time (maps: per step).

    The logarithms are natural: divide by log 2 for bits.

    Attributes
    ----------
    system
        The system.
    growth
        How deviations grew, row by row.
    end
        Time and state where the run ended.
    status
        How it ended.
    provenance
        Where it came from.
    """

    system: System
    growth: Growth
    end: Array
    status: Status
    provenance: Provenance

    @property
    def exponents(self) -> Array:
        """The exponents; nan if the run ended before anything was measured (see `status`)."""
        return _rates(self.growth, self.growth.logarithms)

    @property
    def standard_errors(self) -> Array:
        """Their standard errors, from the scatter over 32 parts of the run.

        The one exponent of an autonomous flow that may be 0 is known better, to a bound over the duration, if its
        course says so.
        """
        errors = standard_error(self._durations, self.growth.logarithms)
        unclear = np.flatnonzero(np.abs(self.exponents) < _CLEAR * errors)
        if self._is_free and unclear.size == 1:
            (k,) = unclear
            errors[k] = min(errors[k], bounded_error(self._durations, self.growth.logarithms[:, k]))
        return errors

    def interval(self, *, level: float = 0.95) -> Array:
        """Return for each exponent the interval that holds the long-run value at a rate, low and high."""
        rate = finite(level, "level")
        if not 0 < rate < 1:
            raise SettingError(f"level is {rate:g}; give a rate between 0 and 1, such as 0.95.")
        half = two_sided(rate, len(self.growth.times)) * self.standard_errors
        return np.column_stack([self.exponents - half, self.exponents + half])

    @property
    def sum(self) -> float:
        """The sum of the exponents."""
        return float(self.exponents.sum())

    @property
    def mean_divergence(self) -> float:
        """The mean rate at which volume grows, computed by itself; `sum` must equal it.

        nan unless all exponents were asked for.
        """
        found = self.growth.volumes
        return float(_rates(self.growth, found[:, None])[0]) if found.size else float("nan")

    @property
    def nearest_to_zero(self) -> float:
        """The exponent nearest to zero; of an autonomous flow it must be 0 unless the orbit comes to rest."""
        return float(self.exponents[np.argmin(np.abs(self.exponents))])

    @property
    def pairing_defect(self) -> float:
        """By how much pairs, first and last, second and last but one, miss having one sum.

        It is 0 for Hamiltonian systems, also with one friction for all momenta.
        """
        pairs = self.exponents + self.exponents[::-1]
        return float(np.ptp(pairs))

    @property
    def kaplan_yorke_dimension(self) -> float:
        """The dimension of a set whose volume, of that dimension, neither grows nor shrinks.

        ``j + (l_1 + ... + l_j) / |l_(j+1)|`` with the largest j for which the sum is not negative
        (Kaplan and Yorke 1979, Lecture Notes in Mathematics 730, 204).

        Raises
        ------
        SettingError
            If more exponents are needed than were asked for.
        """
        j, sums = self._kaplan_yorke()
        if j == len(self.exponents):
            return float(j)
        below = abs(self.exponents[j])
        return float(j + (sums[j - 1] / below if j else 0.0))

    @property
    def kaplan_yorke_error(self) -> float:
        """The standard error of the Kaplan-Yorke dimension, to first order in the exponents."""
        j, sums = self._kaplan_yorke()
        if j in (0, len(self.exponents)) or not np.isfinite(self.exponents[j]):
            return 0.0
        below = abs(self.exponents[j])
        slope = np.zeros(len(self.exponents))
        slope[:j], slope[j] = 1.0 / below, sums[j - 1] / below**2
        return float(standard_error(self._durations, (self.growth.logarithms @ slope)[:, None])[0])

    def _kaplan_yorke(self) -> tuple[int, Array]:
        sums = np.cumsum(self.exponents)
        negative = np.flatnonzero(sums < 0)
        if not negative.size and (
            self.system.is_delayed or len(sums) < len(self.system.state_names)
        ):
            raise SettingError(
                f"the first {len(sums)} exponents of {self.system.name!r} add up to {sums[-1]:.3g}, so "
                "their dimension is beyond them. Ask for more with count=."
            )
        return int(negative[0]) if negative.size else len(sums), sums

    @property
    def verdict(self) -> Verdict:
        """What the orbit does, as far as the exponents tell; the end of a long transient is not known."""
        return self._judged()[0]

    @property
    def verdict_error(self) -> float:
        """How often the signs that the verdict rests on are wrong, by the scatter of the batches alone."""
        return self._judged()[1]

    def _judged(self) -> tuple[Verdict, float]:
        dimension = math.inf if self.system.is_delayed else len(self.system.state_names)
        return judged(
            self.growth,
            end=self.end[1:],
            status=self.status,
            is_free=self._is_free,
            dimension=dimension,
        )

    @property
    def _is_free(self) -> bool:
        return self.system.is_autonomous and not self.system.is_discrete

    @property
    def _durations(self) -> Array:
        return np.diff(self.growth.times, prepend=self.growth.begin)

    @property
    def series(self) -> Array:
        """The exponents as they were known at the end of each row of `growth`."""
        elapsed = self.growth.times - self.growth.begin
        return np.asarray(np.cumsum(self.growth.logarithms, axis=0) / elapsed[:, None])

    def to_table(self) -> dict[str, Array]:
        """Return number, exponent and standard error as columns."""
        count = len(self.exponents)
        return {
            "number": np.arange(1.0, count + 1),
            "exponent": self.exponents,
            "standard_error": self.standard_errors,
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the running estimates with their errors; of many exponents all, in order."""
        from dynlab.plotting import draw_convergence, draw_ladder, label

        if self.exponents.size > _MOST_CURVES:
            return draw_ladder(ax, self.exponents, self.standard_errors)
        unit = self.system.unit_of("t")
        return draw_convergence(
            ax, self.growth.times - self.growth.begin, self.series, self.standard_errors,
            xlabel=label("time", unit),
        )  # fmt: skip

    def __repr__(self) -> str:
        shown = ", ".join(f"{e:.4g}" for e in self.exponents[:4])
        more = f", ... ({self.exponents.size})" if self.exponents.size > 4 else ""
        return (
            f"<Lyapunov spectrum of {self.system.name}: {shown}{more} over "
            f"{self._durations.sum():.6g};\n {self.status}, {self.verdict}>"
        )


_MOST_CURVES = 6
#: An exponent of so many standard errors is not 0.
_CLEAR = 4.0


def lyapunov_spectrum(  # noqa: PLR0913  (how many, from where, how long, how)
    system: System,
    *,
    count: int | None = None,
    start: Mapping[str, float] | Sequence[float] | None = None,
    duration: float,
    transient: float = 0.0,
    method: OdeMethod = DEFAULT_METHOD,
    seed: Any = None,
) -> LyapunovSpectrum:
    """Return the Lyapunov exponents of the orbit from a start, all of them or the largest.

    ``l_i = lim (1/T) log |v_i(T)|`` of deviations v along the orbit that are kept orthonormal; v follows the
    variational equation with the exact Jacobian.

    Parameters
    ----------
    system
        A flow or a map.
    count
        How many, from the largest; all if left out.
    start
        States at t = 0, by name; those not given start from the system's defaults.
    duration
        Over how long growth is averaged, in the system's unit of time (maps: steps).
    transient
        How long the orbit runs before.  Deviations run along for the second half of it, to turn where
        they grow.
    method
        Method and tolerances, for flows; deviations keep to them as well.
    seed
        Of the first directions of the deviations.

    Returns
    -------
    LyapunovSpectrum
        If the orbit escapes or is stopped it holds what was measured until then, and its status says why.

    Raises
    ------
    SettingError
        If the duration is not positive or holds too few steps, there are not so many exponents, or the
        start, the transient or the method cannot be used.
    UnknownNameError
        If a state in `start` does not exist.
    UnsupportedSystemError
        If the system has events.

    Warns
    -----
    AccuracyWarning
        If rounding put the orbit of a map onto an unstable cycle, on which it then stays (the logistic
        map at r = 4 ends at 0).  What came before is the answer, with `Status.ABSORBED`.

    Examples
    --------
    >>> import dynlab as dl
    >>> found = dl.lyapunov_spectrum(dl.zoo.lorenz, duration=500, transient=20, seed=1)
    >>> low, high = found.interval(level=0.999)[0]
    >>> bool(low < 0.9056 < high)
    True
    >>> abs(found.sum - found.mean_divergence) < 1e-5
    True

    References
    ----------
    1. Benettin, Galgani, Giorgilli and Strelcyn 1980, Meccanica 15, 9 and 21.
    2. Shimada and Nagashima 1979, Prog. Theor. Phys. 61, 1605.
    """
    began = perf_counter()
    wanted = Wanted.checked(system, count, duration, transient, method, seed, Delayed)
    run = followed(system, start, wanted)
    return LyapunovSpectrum(
        system=system, growth=run.growth, end=run.end, status=run.status,
        provenance=wanted.provenance("lyapunov_spectrum", system, perf_counter() - began),
    )  # fmt: skip


def _rates(growth: Growth, amounts: Array) -> Array:
    if not growth.times.size:
        return np.full(amounts.shape[1], np.nan)
    return np.asarray(amounts.sum(axis=0) / (growth.times[-1] - growth.begin))
