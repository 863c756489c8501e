"""Alignment indices: whether deviations from an orbit all turn into one direction, which only chaos makes them do fast.

GALI_k is the volume spanned by k deviations of unit length (Skokos, Bountis and Antonopoulos 2007, Physica D 231, 30);
SALI is the smaller of ``|v1 + v2|`` and ``|v1 - v2|`` (Skokos 2001, J. Phys. A 34, 10029), which is GALI_2 up to a factor
between 1 and sqrt 2.

    chaos            GALI_k ~ exp(-[(l1 - l2) + (l1 - l3) + ... + (l1 - lk)] t)
    regular motion   a power of t, or constant: on a torus of N dimensions in 2N, constant for k <= N,
                     then t^(-2(k - N)); for an area-preserving map of the plane SALI ~ t^-2

Deviations that align cannot be told apart in 16 digits.  Here they are made orthonormal again and again, and the
triangular matrices of that, multiplied, say what became of the first ones: column j of the product is deviation j.
Its length and the diagonal give the logarithm of every GALI_k of one run, as far down as one likes.
What remains is rounding of each stretch, relative to the result.

Cost: that of as many Lyapunov exponents.  What makes it fail: if l1 = l2 nothing aligns in spite of chaos.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.exponents.averages import standard_error
from dynlab.chaos.exponents.deviations import (
    DEFAULT_METHOD,
    Deviations,
    deviations_of,
    random_vectors,
)
from dynlab.chaos.exponents.orbit import Wanted
from dynlab.chaos.exponents.verdict import MOTION, RESOLVED, Verdict
from dynlab.chaos.scaling import Estimate
from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.names import Layout
from dynlab.progress import tick
from dynlab.result import Provenance, Result
from dynlab.solve.methods import OdeMethod
from dynlab.status import Status
from dynlab.symbolic.dynamics import require
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["AlignmentIndices", "alignment_indices"]

Array = NDArray[np.float64]

ROWS = 512
#: In the second half of a run a power t^-2 takes 1.39 off the logarithm of SALI; twice that is no power.
POWER = 2.8


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AlignmentIndices(Result):
    """SALI and GALI along an orbit.

    Attributes
    ----------
    system
        What moved.
    times
        Times after the start.
    logarithms
        Natural logarithms of GALI_2, GALI_3, ... (columns) at the times.
    steps
        How many steps were taken.
    status
        How the run ended.
    provenance
        Where it came from.
    """

    system: System
    times: Array
    logarithms: Array
    steps: int
    status: Status
    provenance: Provenance

    @property
    def count(self) -> int:
        """How many deviations there are."""
        return int(self.logarithms.shape[1]) + 1

    def logarithm(self, k: int) -> Array:
        """Return the natural logarithm of GALI_k at `times`; it does not underflow.

        Raises
        ------
        SettingError
            If there are not so many deviations.
        """
        if k != int(k) or not 2 <= k <= self.count:
            raise SettingError(
                f"k is {k!r}, but GALI is known for 2 to {self.count} deviations of {self.system.name!r}. Give "
                "one of these, or a larger count= to begin with."
            )
        return np.asarray(self.logarithms[:, int(k) - 2])

    def gali(self, k: int) -> Array:
        """Return GALI_k at `times`."""
        return np.asarray(np.exp(self.logarithm(k)))

    @property
    def sali(self) -> Array:
        """SALI at `times`."""
        # Of the angle a between two lines GALI_2 is sin a, and SALI is 2 sin(a / 2).
        gali = np.minimum(self.gali(2), 1.0)
        return np.asarray(gali / np.cos(0.5 * np.arcsin(gali)))

    def decay_rate(self, k: int) -> Estimate:
        """Return the mean rate at which GALI_k falls over the second half: for chaos a sum of differences of exponents."""
        half = len(self.times) // 2
        falls = -np.diff(self.logarithm(k)[half:])[:, None]
        spans = np.diff(self.times[half:])
        if len(spans) < 2:
            return Estimate(np.nan, np.nan)
        return Estimate(float(falls.sum() / spans.sum()), float(standard_error(spans, falls)[0]))

    def power(self, k: int) -> float:
        """Return the power of t that GALI_k follows over the second half, by least squares in logarithms."""
        half = len(self.times) // 2
        fit = np.polyfit(np.log(self.times[half:]), self.logarithm(k)[half:], 1)
        return float(fit[0])

    @property
    def verdict(self) -> Verdict:
        """Chaotic if SALI falls faster than any power of time in the second half, regular if it need not be."""
        if self.status in (Status.DIVERGED, Status.LEFT_DOMAIN):
            return Verdict.ESCAPED
        if self.steps < MOTION or not self.status.ok:
            return Verdict.UNDECIDED
        fall = self.logarithms[len(self.times) // 2, 0] - self.logarithms[-1, 0]
        if fall > RESOLVED:
            return Verdict.CHAOTIC
        return Verdict.REGULAR if fall < POWER else Verdict.UNDECIDED

    def to_table(self) -> dict[str, Array]:
        """Return time, SALI and the GALIs as columns."""
        galis = {f"GALI_{k}": self.gali(k) for k in range(2, self.count + 1)}
        return {"time": self.times, "SALI": self.sali, **galis}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the logarithm of each GALI against time: straight for chaos, bent for regular motion."""
        from dynlab import plotting

        series = {
            f"$\\mathrm{{GALI}}_{{{k}}}$": self.logarithm(k) / np.log(10)
            for k in range(2, self.count + 1)
        }
        return plotting.draw_alignment(
            ax, self.times, series, xlabel=plotting.label("t", self.system.time.unit)
        )

    def __repr__(self) -> str:
        last = f"{self.logarithms[-1, 0] / np.log(10):.1f}" if len(self.times) else "nan"
        return (
            f"<alignment of {self.count} deviations of {self.system.name}: log10 GALI_2 = {last} in the end;\n"
            f" {self.status}, {self.verdict}>"
        )


def alignment_indices(
    system: System,
    *,
    start: Mapping[str, float] | Sequence[float] | None = None,
    duration: float,
    count: int = 2,
    method: OdeMethod = DEFAULT_METHOD,
    seed: Any = None,
) -> AlignmentIndices:
    """Return SALI and GALI_2 ... GALI_count of the orbit from a start.

    They tell chaos from order sooner than the exponent does, most of all where energy or area is conserved.

    Parameters
    ----------
    system
        A flow or a map with at least two states.
    start
        States at t = 0, by name; those not given start from the system's defaults.
    duration
        How long.
    count
        How many deviations: GALI_k is known for k from 2 to this.
    method
        Method and tolerances, for flows; deviations keep to them as well.
    seed
        Of the first directions of the deviations.

    Returns
    -------
    AlignmentIndices
        If the orbit escapes or is stopped it holds what there was until then, and its status says why.

    Raises
    ------
    SettingError
        If the duration or the count cannot be used.
    UnknownNameError
        If a state in `start` does not exist.
    UnsupportedSystemError
        If the system has events or only one state.

    Examples
    --------
    >>> import dynlab as dl
    >>> for theta in (0.5, 3.0):                    # in the sea, and on an island
    ...     start = {"theta": theta, "p": 0.1}
    ...     found = dl.alignment_indices(dl.zoo.standard_map(K=2), start=start, duration=2000, seed=1)
    ...     print(found.verdict)
    chaotic
    regular
    """
    began = perf_counter()
    require(system)
    if len(system.state_names) < 2:
        raise UnsupportedSystemError(
            f"{system.name!r} has one state, and all deviations of one state are aligned. Use "
            "dl.lyapunov_exponent."
        )
    wanted = Wanted.checked(system, count, duration, 0.0, method, seed)
    if wanted.count < 2:
        raise SettingError(
            f"count is {count!r}; one deviation is aligned with itself. Give at least 2."
        )
    begin = Layout.of(system).pack(start, system.start_values)
    vectors = random_vectors(wanted.count, len(begin), wanted.seed.stream(0))
    carried = deviations_of(system, begin, vectors, method=method)
    times, logarithms, steps = _followed(carried, wanted.duration, is_map=system.is_discrete)
    return AlignmentIndices(
        system, times, logarithms, steps, carried.status,
        wanted.provenance("alignment_indices", system, perf_counter() - began),
    )  # fmt: skip


def _followed(carried: Deviations, duration: float, *, is_map: bool) -> tuple[Array, Array, int]:
    """Return times, logarithms of GALI_2 and on, and the number of steps."""
    rows = min(ROWS, int(duration)) if is_map else ROWS
    count = len(carried.vectors)
    columns, volumes = np.eye(count), np.zeros(count)
    times: list[float] = []
    kept: list[Array] = []
    steps = 0
    for row in range(rows):
        end = duration * (row + 1) / rows
        end = float(round(end)) if is_map else end
        met = carried.stretches(end - carried.t, 1, "alignment")
        steps += carried._steps_taken
        if not carried.status.ok:
            break
        for r in met.triangles:
            columns = r @ columns
            lengths = np.linalg.norm(columns, axis=0)
            columns /= lengths
            with np.errstate(divide="ignore"):
                volumes += np.log(np.abs(np.diag(r))) - np.log(lengths)
        times.append(end)
        kept.append(np.cumsum(volumes)[1:])
        if not tick(row + 1, rows, "alignment"):
            carried.status = Status.STOPPED
            break
    logarithms = np.array(kept).reshape(len(kept), count - 1)
    # Far out on its way to infinity, where one step folds the plane in all 16 digits, an orbit tells no volume.
    told = len(kept) if carried.status.ok else int(np.isfinite(logarithms).all(axis=1).sum())
    return np.array(times[:told]), logarithms[:told], steps
