r"""Memory of equally spaced values: their correlation time, and the error of a mean of values that depend on each other.

With ``c(k)`` the covariance of values k apart and ``tau = 1/2 + sum_k c(k) / c(0)``, the mean of n of them has the variance
``2 tau c(0) / n``.  The sum is cut off at a window W, the first lag of at least `WIDE` times ``1/2 + sum_{k<=W} |c(k)| / c(0)``;
absolute values, so that an oscillation does not look like forgetting.  Its standard error is then
``tau sqrt(2 (2 W + 1) / n)``; the sample mean lowers every c(k) by ``2 tau c(0) / n``, which is added again.

Madras and Sokal 1988, J. Stat. Phys. 50, 109, appendix C; Wolff 2004, Comput. Phys. Commun. 156, 143.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Memory", "mean_error", "memory_of"]

Array = NDArray[np.float64]

#: The window is so many times as wide as the correlations last, and at most this part of a record.
WIDE, PART = 6.0, 0.25


class Memory(NamedTuple):
    """How long values remember, in steps.

    `time` is tau, `error` its standard error, `lasting` the same sum over absolute values; all infinite if correlations
    have not died out within the record.
    """

    time: float
    error: float
    lasting: float
    variance: float

    @property
    def is_known(self) -> bool:
        """Whether correlations died out within the record."""
        return math.isfinite(self.time)


def memory_of(records: Array) -> Memory:
    """Return the memory of records of equal length, one in each row, of one stationary process."""
    rows, length = records.shape
    count = rows * length
    centred = records - records.mean()
    size = 1 << (2 * length - 1).bit_length()
    spectrum = np.zeros(size // 2 + 1)
    for row in centred:
        spectrum += np.abs(np.fft.rfft(row, size)) ** 2
    reach = max(int(PART * length), 2)
    c = np.fft.irfft(spectrum, size)[:reach] / (rows * (length - np.arange(reach)))
    if not c[0] > 0:
        return Memory(0.5, 0.0, 0.5, 0.0)
    rho = c / c[0]
    lasting = 0.5 + np.append(0.0, np.cumsum(np.abs(rho[1:])))
    wide = np.flatnonzero(np.arange(reach) >= WIDE * lasting)
    if not wide.size:
        return Memory(math.inf, math.inf, math.inf, float(c[0]))
    window = int(wide[0])
    plain = 0.5 + float(rho[1 : window + 1].sum())
    lowered = 2 * max(plain, 0.0) / count
    time = 0.5 + float(np.sum((rho[1 : window + 1] + lowered) / (1 + lowered)))
    relative = math.sqrt(2 * (2 * window + 1) / count)
    # Values that fluctuate against each other may sum up to nothing; never claim more than is known.
    time = max(time, relative * float(lasting[window]))
    return Memory(time, relative * time, float(lasting[window]), float(c[0] * (1 + lowered)))


def mean_error(values: Array) -> float:
    """Return the standard error of the mean of values in order; infinite if they do not forget."""
    found = memory_of(np.atleast_2d(values))
    return math.sqrt(2 * found.time * found.variance / values.size)
