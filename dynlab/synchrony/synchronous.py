"""synchronous_couplings: at which coupling a given network of identical systems synchronises.

Synchrony is stable if the master stability function is below zero at ``K mu`` for every eigenvalue mu of the Laplacian
but the one of synchrony itself.  Where it is so between two numbers a and b, that is for ``a / mu_2 < K < b / mu_N``, which
is possible only if the eigenratio ``mu_N / mu_2`` is below b / a (Barahona and Pecora 2002, Phys. Rev. Lett. 89, 054101).
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError
from dynlab.result import Provenance, Result
from dynlab.synchrony.edges import described, stable_intervals
from dynlab.synchrony.laplacian import LaplacianSpectrum, laplacian_spectrum
from dynlab.synchrony.master import MasterStability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SynchronousCouplings", "synchronous_couplings"]

Array = NDArray[np.float64]
#: Values of K that are looked at.
PLACES = 1000


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SynchronousCouplings(Result):
    """At which coupling a network synchronises; made by `synchronous_couplings`.

    Attributes
    ----------
    spectrum
        The eigenvalues of the network's Laplacian.
    K
        The couplings looked at.
    worst
        The largest exponent of all differences at each; nan where one was not computed.
    intervals
        A row for each interval of couplings at which synchrony is stable, low and high.
    errors
        How far each end of them may be off, at 95 %; infinite for an end of what was looked at.
    provenance
        Where it came from.
    """

    spectrum: LaplacianSpectrum
    K: Array
    worst: Array
    intervals: Array
    errors: Array
    provenance: Provenance

    @property
    def threshold(self) -> float:
        """The smallest coupling at which the network synchronises; nan if there is none."""
        return float(self.intervals[0, 0]) if len(self.intervals) else float("nan")

    def to_table(self) -> dict[str, Array]:
        """Return coupling and largest exponent as columns."""
        return {"K": self.K, "exponent": self.worst}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the exponent of the difference that decays slowest against the coupling."""
        from dynlab.plotting import draw_stable_intervals

        labels = ("K", "largest transverse exponent")
        return draw_stable_intervals(ax, self.K, self.worst, self.intervals, labels=labels)

    def __repr__(self) -> str:
        shown = ", ".join(map(described, self.intervals, self.errors)) or "none"
        return (
            f"<Couplings at which {len(self.spectrum.eigenvalues)} nodes synchronise: {shown};\n "
            f"eigenratio {self.spectrum.eigenratio:.4g}>"
        )


def synchronous_couplings(master: MasterStability, *, network: Any) -> SynchronousCouplings:
    r"""Return at which couplings a network of identical systems synchronises.

    .. math:: \max_{k \ge 2} \Lambda(K \mu_k) < 0

    Parameters
    ----------
    master
        The master stability function of the system and its coupling, from small coupled eigenvalues on.
    network
        A networkx graph, a square matrix (``A[i, j]`` is the weight from j to i) or `dynlab.AllToAll`.

    Returns
    -------
    SynchronousCouplings
        Stability against small differences.  Couplings that need exponents outside of what `master` holds are not
        counted as stable.

    Raises
    ------
    SettingError
        If the network is in pieces, or has complex eigenvalues while `master` has real ones alone.

    Examples
    --------
    Two systems that pass x on synchronise if twice the coupling is in the stable interval:

    >>> import dynlab as dl
    >>> import networkx as nx
    >>> import numpy as np
    >>> @dl.flow
    ... def unstable(x=0.1, *, rate=1.0):
    ...     return {x: rate * x}
    >>> master = dl.master_stability(
    ...     unstable, coupling={"x": lambda x: x}, over=np.linspace(0, 8, 9), duration=10)
    >>> dl.synchronous_couplings(master, network=nx.path_graph(2)).intervals
    array([[0.5, 4. ]])
    """
    began = perf_counter()
    spectrum = laplacian_spectrum(network)
    mu = spectrum.transverse
    if not (mu.real > 0).all():
        raise SettingError(
            f"the second eigenvalue of the network is {mu[0].real:.3g}: it is in pieces, or links work against each "
            "other, so that its nodes cannot all synchronise. Give a connected network."
        )
    if not spectrum.is_real and master.imaginary.size == 1:
        raise SettingError(
            "the network is directed and has complex eigenvalues, and the master stability function was computed for "
            "real ones. Give over= a pair of arrays there, for real and imaginary parts."
        )
    farthest = float((master.real[-1] / mu.real).min())
    K = np.linspace(0.0, farthest, PLACES + 1)[1:]
    if spectrum.is_real:
        # The slowest and the fastest mode, which decide, are straight lines between values that were computed.
        K = np.unique(np.concatenate([(master.real[:, None] / mu.real[None, [0, -1]]).ravel(), K]))
        K = K[(K > 0) & np.less_equal(K, farthest)]
    modes = K[:, None] * mu[None, :]
    rates = master.at(modes)
    slowest = np.argmax(np.where(np.isnan(rates), np.inf, rates), axis=1)[:, None]
    worst = np.take_along_axis(rates, slowest, axis=1)[:, 0]
    reach = np.take_along_axis(master.reach_at(modes), slowest, axis=1)[:, 0]
    stable = stable_intervals(K, worst, reach)
    source = Provenance(
        "synchronous_couplings",
        master.system,
        {"nodes": len(mu) + 1},
        seconds=perf_counter() - began,
    )
    return SynchronousCouplings(spectrum, K, worst, stable.intervals, stable.errors, source)
