"""network_onset: at which coupling phase oscillators on a network begin to synchronise.

    theta_i' = omega_i + K sum_j A_ij sin(theta_j - theta_i)

For networks in which every node has many neighbours, and omega_i is drawn from an even density g with one maximum:

    K_c = K_0 / lambda_max(A),   K_0 = 2 / (pi g(centre))

The coupling K multiplies the plain sum over neighbours: on a complete graph of N nodes ``lambda_max = N - 1``, so K_c is that of
`zoo.kuramoto`, whose coupling is of the mean, over N - 1.  If in place of the leading eigenvector each node's field is taken
to be proportional to its degree, the mean-field answer results, ``K_0 <d> / <d^2>``, which is
good where degrees of neighbours are independent and too large or too small elsewhere.

References
----------
1. Restrepo, Ott and Hunt 2005, Phys. Rev. E 71, 036151; directed networks: 2006, Chaos 16, 015107.
2. Ichinomiya 2004, Phys. Rev. E 70, 026116 (mean field of degrees).
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError
from dynlab.result import Provenance, Result
from dynlab.synchrony.laplacian import weights_of
from dynlab.synchrony.theory import synchrony_onset

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["NetworkOnset", "network_onset"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NetworkOnset(Result):
    """At which coupling a network of phase oscillators begins to synchronise; made by `network_onset`.

    Attributes
    ----------
    value
        K_c by the largest eigenvalue.
    mean_field
        K_c by the degrees alone.
    largest_eigenvalue
        Of the matrix of weights.
    share
        For each node, in the order of the network, its part in the state that appears: the leading eigenvector, with sum 1.
    provenance
        Where it came from.
    """

    value: float
    mean_field: float
    largest_eigenvalue: float
    share: Array
    provenance: Provenance

    def to_table(self) -> dict[str, Array]:
        """Return node and share as columns."""
        return {"node": np.arange(float(len(self.share))), "share": self.share}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the shares of the nodes, the largest first."""
        from dynlab.plotting import draw_node_shares

        return draw_node_shares(ax, np.sort(self.share)[::-1])

    def __repr__(self) -> str:
        return (
            f"<Onset of {len(self.share)} oscillators at K = {self.value:.6g};\n largest eigenvalue "
            f"{self.largest_eigenvalue:.6g}, by degrees alone {self.mean_field:.6g}>"
        )


def network_onset(network: Any, *, frequencies: Any) -> NetworkOnset:
    r"""Return the coupling at which oscillators on a network begin to synchronise.

    .. math:: K_c = \frac{2}{\pi g(\omega_0)\, \lambda_{\max}(A)}

    Parameters
    ----------
    network
        A networkx graph, a square matrix (``A[i, j]`` is the weight from j to i) or `dynlab.AllToAll`, which links each
        node with itself too.  Weights must not be below 0.
    frequencies
        The distribution of frequencies: dynlab's or a continuous frozen one of scipy.stats.  Of several peaks K_0 is the
        onset of all to all, `synchrony_onset`.

    Returns
    -------
    NetworkOnset
        For `zoo.kuramoto_on_graph`, whose K multiplies the plain sum over neighbours.  It is a theory of nodes with many neighbours: on sparse
        graphs synchrony begins later.

    Raises
    ------
    SettingError
        If there is no density, a weight is below 0, or no node acts on another.

    Examples
    --------
    >>> import dynlab as dl
    >>> import networkx as nx
    >>> onset = dl.network_onset(nx.complete_graph(101), frequencies=dl.Lorentzian(0, 1))
    >>> round(onset.value, 9), round(onset.mean_field, 9)
    (0.02, 0.02)

    References
    ----------
    1. Restrepo, Ott and Hunt 2005, Phys. Rev. E 71, 036151.
    """
    began = perf_counter()
    A = weights_of(network)
    if (A < 0).any():
        raise SettingError(
            "a weight of the network is below 0, and the theory is of oscillators that attract each other. "
            "Leave such links out."
        )
    if not (hasattr(frequencies, "density") or hasattr(frequencies, "pdf")):
        raise SettingError(
            f"frequencies is {frequencies!r}, which has no density. Give dl.Gaussian, dl.Lorentzian or dl.Uniform."
        )
    alone = synchrony_onset(frequencies).value
    largest, vector = _leading(A)
    if not largest > 0:
        raise SettingError(
            "the largest eigenvalue of the network is 0: activity cannot go round in it, so it has no onset. "
            "Give a network with cycles of links."
        )
    into, out_of = A.sum(axis=1), A.sum(axis=0)
    return NetworkOnset(
        value=alone / largest,
        mean_field=float(alone * into.mean() / (into * out_of).mean()),
        largest_eigenvalue=largest,
        share=vector / vector.sum(),
        provenance=Provenance(
            "network_onset", None, {"nodes": len(A), "frequencies": repr(frequencies)},
            seconds=perf_counter() - began,
        ),
    )  # fmt: skip


def _leading(A: Array) -> tuple[float, Array]:
    """Return the largest eigenvalue of a matrix without entries below zero, and its vector (Perron and Frobenius)."""
    if (A == A.T).all():
        values, vectors = np.linalg.eigh(A)
        return float(values[-1]), np.abs(vectors[:, -1])
    found, columns = np.linalg.eig(A)
    place = int(np.argmax(found.real))
    return float(found[place].real), np.asarray(np.abs(columns[:, place].real))
