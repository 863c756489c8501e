r"""The density that a periodic drive leaves on a chain of cells: harmonics in time, elimination along the chain.

At M times of a period, evenly spaced, each cell i of a chain obeys

    D P_i = u_{i-1} P_{i-1} + d_i P_{i+1} - (u_i + d_{i-1}) P_i

with P_i its M probabilities, u_i and d_i the M rates up and down the edge above it, and D the derivative of the
trigonometric polynomial through M values (M odd; Trefethen, Spectral Methods in MATLAB 2000, chapter 3).  The error falls
faster than any power of M where the drive is smooth.

Cells are eliminated from both ends towards the fullest.  With G_i what is left of the exchange of cell i with those below,

    S_i = D + u_i + G_i,    G_{i+1} = (D + G_i) S_i^{-1} d_i,    G_0 = 0

no total rate is ever subtracted from another, as in the elimination of Grassmann, Taksar and Heyman (1985, Oper. Res. 33, 1107),
so slow exchange between wells is kept beside fast ones within.  Cost: 4 N M^3 operations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.kernels import elimination
from dynlab.stochastic.generator.generator import Generator

__all__ = ["PeriodicChain", "at_times", "harmonics", "resolved_chain"]

Array = NDArray[np.float64]

#: Times that are tried one after the other, and the numbers that the inverses may fill.
COUNTS, MOST = (17, 33, 65, 97, 161, 257), 1 << 25
#: The last harmonics may hold so much in L1.
RESOLVED = 1e-11
#: From so many times on it is given up where they fall so slowly that the most would leave more than that times so much.
EARLY, HOPELESS = 97, 1e3


@dataclass(frozen=True, slots=True, eq=False)
class PeriodicChain:
    """A chain of cells whose rates repeat after a period, eliminated down to its fullest cell.

    Attributes
    ----------
    up, down
        The rates of the edges, (times, edges).
    middle
        The fullest cell.
    inverses
        The inverse of S for each cell but that.
    bordered
        What is left at the fullest cell, bordered by ones: its null vectors to both sides are known by name.
    """

    up: Array
    down: Array
    middle: int
    inverses: Array
    bordered: Array

    @classmethod
    def of(cls, up: Array, down: Array, period: float) -> PeriodicChain:
        """Eliminate all cells but the fullest."""
        count, edges = up.shape
        derivative = _derivative(count, period)
        middle = _fullest(up, down)
        inverses = np.empty((edges + 1, count, count))
        below = _eliminated(derivative, up[:, :middle], down[:, :middle], inverses[:middle])
        above = _eliminated(derivative, down[:, middle:][:, ::-1], up[:, middle:][:, ::-1],
                            inverses[:middle:-1])  # fmt: skip
        bordered = np.ones((count + 1, count + 1))
        bordered[:count, :count] = derivative + below + above
        bordered[count, count] = 0.0
        return cls(up, down, middle, inverses, bordered)

    def state(self) -> Array:
        """Return the probabilities of the cells at the times; their mean over time sums to one."""
        none = np.zeros((self.up.shape[0], self.inverses.shape[0]))
        found = self._filled(none, none, 1.0)
        return np.asarray(found / found.sum(axis=1).mean())

    def answer(self, source: NDArray[Any], state: Array) -> NDArray[Any]:
        """Return v of ``v' - L v = source`` without mass, for a source that has none at any time."""
        moved = source.copy()
        middle, last = self.middle, source.shape[1] - 1
        for i in range(middle):
            moved[:, i + 1] += self.up[:, i] * (self.inverses[i] @ moved[:, i])
        for i in range(last, middle, -1):
            moved[:, i - 1] += self.down[:, i - 1] * (self.inverses[i] @ moved[:, i])
        found = self._filled(moved, moved, 0.0)
        return np.asarray(found - found.sum(axis=1).mean() * state)

    def _filled(self, moved: NDArray[Any], source: NDArray[Any], total: float) -> NDArray[Any]:
        """Return the solution from its values in the fullest cell outwards."""
        found = np.empty_like(moved)
        middle, last = self.middle, found.shape[1] - 1
        right = np.append(source[:, middle], total)
        found[:, middle] = np.linalg.solve(self.bordered, right)[:-1]
        for i in range(middle - 1, -1, -1):
            found[:, i] = self.inverses[i] @ (moved[:, i] + self.down[:, i] * found[:, i + 1])
        for i in range(middle + 1, last + 1):
            found[:, i] = self.inverses[i] @ (moved[:, i] + self.up[:, i - 1] * found[:, i - 1])
        return found


def resolved_chain(
    generator_at: Callable[[float], Generator], period: float
) -> tuple[PeriodicChain, Array, float] | None:
    """Return a chain at as many times as its density needs, that density, and its error in L1; None if too many."""
    before = (0, 1.0)
    for count in COUNTS:
        moments = period / count * np.arange(count)
        rates = [generator_at(float(t)).chain for t in moments]
        if count**2 * (len(rates[0][0]) + 1) > MOST:
            break
        up, down = (np.array([r[k] for r in rates]) for k in (0, 1))
        chain = PeriodicChain.of(up, down, period)
        state = chain.state()
        sizes = np.abs(harmonics(state)).sum(axis=1)
        last = float(sizes[count // 2 - 1 : count // 2 + 1].max())
        if last < RESOLVED:
            return chain, state, 2 * last + float(np.abs(state.sum(axis=1) - 1).max())
        slope = np.log(last / before[1]) / (count - before[0])
        if count >= EARLY and last * np.exp(slope * (COUNTS[-1] - count)) > HOPELESS * RESOLVED:
            break
        before = (count, last)
    return None


def harmonics(values: NDArray[Any]) -> NDArray[np.complex128]:
    """Return the Fourier coefficients of values at even times of a period, that of ``exp(i k w t)`` at place k."""
    return np.asarray(np.fft.fft(values, axis=0) / len(values))


def at_times(values: Array, phases: Array) -> Array:
    """Return the trigonometric polynomial through values at even times, at phases in parts of the period."""
    k = np.fft.fftfreq(len(values), 1 / len(values))
    waves = np.exp(2j * np.pi * np.outer(phases, k))
    return np.asarray((waves @ harmonics(values)).real)


def _derivative(count: int, period: float) -> Array:
    """Return the derivative of the trigonometric polynomial through an odd number of values."""
    k = np.arange(count)
    apart = np.subtract.outer(k, k)
    with np.errstate(divide="ignore"):
        matrix = np.pi / period * (-1.0) ** apart / np.sin(np.pi * apart / count)
    np.fill_diagonal(matrix, 0.0)
    return np.asarray(matrix)


def _fullest(up: Array, down: Array) -> int:
    """Return the cell that the mean rates fill most."""
    rise = np.log(up.mean(axis=0)) - np.log(down.mean(axis=0))
    return int(np.argmax(np.concatenate([[0.0], np.cumsum(rise)])))


def _eliminated(derivative: Array, onwards: Array, back: Array, inverses: Array) -> Array:
    """Eliminate cells one after the other, write their inverses, and return what is left for the next."""
    left, swapped = np.zeros_like(derivative), np.empty(len(derivative), np.int64)
    for i in range(onwards.shape[1]):
        kept, rates = derivative + left, np.ascontiguousarray(onwards[:, i])
        # An inverse that does not exist shows as a density that is no number.
        if elimination.eliminate_cell(
            kept, rates, np.ascontiguousarray(back[:, i]), inverses[i], left, swapped
        ):
            left[:] = np.nan
    return left
