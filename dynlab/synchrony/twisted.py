"""twisted_state: waves on a ring of identical oscillators, and whether they are stable.

On a ring of N nodes, each linked to its P nearest on both sides, ``theta_k = 2 pi q k / N`` is at rest, with q turns
around the ring.  The Jacobian there is circulant, so it has the eigenvalues (m = 0, ..., N - 1)

    l_m = -2 K sum_(d=1..P) cos(2 pi q d / N) (1 - cos(2 pi m d / N)).

With P = 1 the state is stable if and only if |q| < N / 4.  q = 0 is synchrony, where l_m is -K times the
eigenvalues of the Laplacian.

References
----------
1. Wiley, Strogatz and Girvan 2006, Chaos 16, 015103.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError
from dynlab.names import finite
from dynlab.result import Provenance, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["TwistedState", "twisted_state"]

Array = NDArray[np.float64]
#: An eigenvalue nearer to 0 than this part of the largest sum counts as 0.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TwistedState(Result):
    """A wave on a ring of identical oscillators; made by `twisted_state`.

    Attributes
    ----------
    turns
        How often the phase goes round along the ring.
    phases
        The phase of each node, in the order of the ring.
    eigenvalues
        Of the Jacobian, by the number m of waves of the deviation along the ring; the first is 0, as all phases may shift.
    provenance
        Where it came from.
    """

    turns: int
    phases: Array
    eigenvalues: Array
    provenance: Provenance

    @property
    def is_stable(self) -> bool:
        """Whether all deviations but a common shift decay."""
        return bool((self.eigenvalues[1:] < 0).all())

    @property
    def slowest(self) -> float:
        """The largest eigenvalue of a deviation that is no common shift."""
        return float(self.eigenvalues[1:].max())

    def to_table(self) -> dict[str, Array]:
        """Return node, phase and eigenvalue (by the number of waves) as columns."""
        return {
            "node": np.arange(float(len(self.phases))),
            "phase": self.phases,
            "eigenvalue": self.eigenvalues,
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the eigenvalues against the number of waves."""
        from dynlab.plotting import draw_mode_rates

        half = len(self.phases) // 2 + 1
        return draw_mode_rates(ax, np.arange(half), self.eigenvalues[:half])

    def __repr__(self) -> str:
        return (
            f"<State with {self.turns} turns on a ring of {len(self.phases)}:\n "
            f"{'stable' if self.is_stable else 'not stable'}, largest eigenvalue {self.slowest:.6g}>"
        )


def twisted_state(size: int, *, turns: int, reach: int = 1, K: float = 1.0) -> TwistedState:
    r"""Return the state on a ring whose phase turns so often along it, with its eigenvalues.

    .. math:: \lambda_m = -2K \sum_{d=1}^{P} \cos\frac{2\pi q d}{N} \Bigl(1 - \cos\frac{2\pi m d}{N}\Bigr)

    Parameters
    ----------
    size
        Number N of nodes.
    turns
        How often, q; negative ones turn the other way.
    reach
        With how many neighbours on each side a node is linked, P; less than N / 2.
    K
        Coupling of `zoo.kuramoto_on_graph`: of the plain sum over neighbours.

    Returns
    -------
    TwistedState
        Phases, that start a run, and eigenvalues.

    Raises
    ------
    SettingError
        If a number is not whole, the ring has fewer than 3 nodes, or the reach goes around it.

    Examples
    --------
    >>> import dynlab as dl
    >>> [dl.twisted_state(20, turns=q).is_stable for q in (0, 4, 5, 6)]
    [True, True, False, False]

    References
    ----------
    1. Wiley, Strogatz and Girvan 2006, Chaos 16, 015103.
    """
    began = perf_counter()
    count, q, far = (_whole(v, n) for v, n in ((size, "size"), (turns, "turns"), (reach, "reach")))
    strength = finite(K, "K")
    if count < 3 or not 1 <= far < count / 2:
        raise SettingError(
            f"size is {count} and reach {far}; give a ring of 3 nodes or more, and a reach from 1 to less than "
            "half of them."
        )
    node, distance = np.arange(count), np.arange(1, far + 1)
    # Whole numbers of turns are taken off before the sine sees them.
    weight = np.cos(2 * np.pi * np.mod(q * distance, count) / count)
    wave = 1 - np.cos(2 * np.pi * np.mod(np.outer(node, distance), count) / count)
    rates = -2 * strength * wave @ weight
    rates[np.abs(rates) <= ROUNDING * far * abs(strength)] = 0.0
    settings = {"size": count, "turns": q, "reach": far, "K": strength}
    return TwistedState(
        turns=q,
        phases=2 * np.pi * np.mod(q * node, count) / count,
        eigenvalues=rates,
        provenance=Provenance("twisted_state", None, settings, seconds=perf_counter() - began),
    )


def _whole(value: float, what: str) -> int:
    number = finite(value, what)
    if number != int(number):
        raise SettingError(f"{what} is {value!r}; give a whole number.")
    return int(number)
