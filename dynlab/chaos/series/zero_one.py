"""The 0-1 test: is a series chaotic or regular, without embedding it.

The series drives a walk in the plane,

    p(n) = sum_{j <= n} x_j cos(jc),   q(n) = sum_{j <= n} x_j sin(jc),

which stays bounded for regular motion and diffuses for chaos.  K_c is the correlation of the mean square
displacement with time; the answer K is the median over many angles c: near 0 or near 1 (Gottwald and
Melbourne 2009, SIAM J. Appl. Dyn. Syst. 8, 129, sections 3.1 and 3.2).  The mean of x is taken away first,
which removes their oscillatory term.

The error has two parts: that of the median over the angles, and what the length of the series still
changes, K minus its mean over the two halves.  The decision is one only if K lies two errors away from 1/2.

A flow that is sampled too finely looks regular (their section 5).  Therefore only every so many-th sample is
used, one correlation time apart.

Cost: one fast Fourier transform per angle.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from dynlab.chaos.exponents.verdict import Verdict
from dynlab.chaos.series.samples import Data, series_of
from dynlab.errors import SettingError
from dynlab.result import Provenance, Result
from dynlab.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ZeroOneTest", "zero_one_test"]

Array = NDArray[np.float64]

#: Angles lie between these, away from the resonances at 0 and pi.
LOWEST, HIGHEST = np.pi / 5, 4 * np.pi / 5
ANGLES = 100
#: Displacements are taken up to this part of the series.
SHARE = 10
FEWEST = 400
GOLDEN = 0.6180339887498949
#: From the median absolute deviation to the standard error of a median, of normal values.
TO_ERROR = 1.4826 * 1.2533


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ZeroOneTest(Result):
    """The outcome of the 0-1 test.

    Attributes
    ----------
    angles, correlations
        The angles c and K_c at each.
    value
        K, the median of K_c: near 0 for regular motion, near 1 for chaos.
    standard_error
        From the scatter over the angles and from the change with the length of the series.
    samples
        How many samples were used.
    every
        The time between two of them.
    status
        `Status.UNDECIDED` if K is not two errors away from 1/2.
    provenance
        Where it came from.
    """

    angles: Array
    correlations: Array
    value: float
    standard_error: float
    samples: int
    every: float
    status: Status
    provenance: Provenance

    @property
    def verdict(self) -> Verdict:
        """``Verdict.CHAOTIC``, ``Verdict.REGULAR`` or ``Verdict.UNDECIDED``."""
        if not self.status.ok:
            return Verdict.UNDECIDED
        return Verdict.CHAOTIC if self.value > 0.5 else Verdict.REGULAR

    @property
    def decision_error(self) -> float:
        """Probability that the true K lies on the other side of 1/2, if the error is normal."""
        away = abs(self.value - 0.5)
        return float(ndtr(-away / self.standard_error)) if self.standard_error > 0 else 0.0

    def to_table(self) -> dict[str, Array]:
        """Return angles and correlations as columns."""
        return {"c": self.angles, "K_c": self.correlations}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw K_c against the angle, and K."""
        from dynlab import plotting

        label = rf"$K$ = {self.value:.3f} $\pm$ {self.standard_error:.2g}: {self.verdict}"
        return plotting.draw_zero_one(
            ax, self.angles, self.correlations, (self.value, self.standard_error), label=label
        )

    def __repr__(self) -> str:
        return (
            f"<0-1 test: K = {self.value:.4f} +- {self.standard_error:.2g}, {self.verdict};\n"
            f" {self.samples} samples, one every {self.every:g}>"
        )


def zero_one_test(data: Data, *, of: str | None = None, every: float | None = None) -> ZeroOneTest:
    """Return whether a quantity moves chaotically or regularly, by the 0-1 test.

    Parameters
    ----------
    data
        A run, or an array with one value per time.
    of
        Which quantity of the run.
    every
        The time between two samples.  If it is shorter than the correlation time, samples are left out.

    Returns
    -------
    ZeroOneTest
        K with its error; `verdict` is the answer.

    Raises
    ------
    SettingError
        If the data cannot be used, or fewer than 400 samples are left.

    Examples
    --------
    >>> import dynlab as dl
    >>> for r in (3.55, 3.97):
    ...     run = dl.iterate(dl.zoo.logistic(r=r), duration=3000).after(500)
    ...     print(dl.zero_one_test(run, of="x").verdict)
    regular
    chaotic
    """
    began = time.perf_counter()
    samples, x = series_of(data, of=of, every=every)
    stride = samples.correlation_time
    x = x[::stride]
    if len(x) < FEWEST:
        raise SettingError(
            f"{len(x)} samples of {samples.label} are left at one correlation time "
            f"({stride * samples.every:g}) apart; the 0-1 test needs at least {FEWEST}. Take a longer run."
        )
    angles = np.asarray(
        LOWEST + (HIGHEST - LOWEST) * (GOLDEN * np.arange(1, ANGLES + 1) % 1.0), float
    )
    correlations = _correlations(x, angles)
    value = float(np.median(correlations))
    scatter = TO_ERROR * float(np.median(np.abs(correlations - value))) / np.sqrt(ANGLES)
    half = len(x) // 2
    parts = [float(np.median(_correlations(part, angles))) for part in (x[:half], x[half:])]
    error = float(np.hypot(scatter, value - np.mean(parts)))
    decided = abs(value - 0.5) > 2 * error
    return ZeroOneTest(
        angles, correlations, value, error, len(x), stride * samples.every,
        Status.OK if decided else Status.UNDECIDED,
        Provenance("zero_one_test", samples.system, {"of": of, "every": samples.every},
                   seconds=time.perf_counter() - began),
    )  # fmt: skip


def _correlations(x: Array, angles: Array) -> Array:
    return np.array([_correlation(x - x.mean(), c) for c in angles])


def _correlation(x: Array, angle: float) -> float:
    """Return K_c: the correlation of displacement and time."""
    walk = np.cumsum(x * np.exp(1j * angle * np.arange(1, len(x) + 1)))
    longest = len(x) // SHARE
    fixed = len(x) - longest
    # Mean square displacement by a correlation: the sum of |w(j + n) - w(j)|^2 over j < fixed.
    walk = walk - walk.mean()
    size = 1 << (len(x) + fixed - 1).bit_length()
    product = np.fft.fft(walk, size) * np.conj(np.fft.fft(walk[:fixed], size))
    overlap = np.fft.ifft(product)[: longest + 1].real
    power = np.concatenate([[0.0], np.cumsum(np.abs(walk) ** 2)])
    n = np.arange(1, longest + 1)
    moved = (power[n + fixed] - power[n] + power[fixed] - 2 * overlap[1:]) / fixed
    spread = moved.std()
    return float(np.corrcoef(n, moved)[0, 1]) if spread > 1e-12 * abs(moved).max() else 0.0
