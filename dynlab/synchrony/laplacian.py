"""laplacian_spectrum: the eigenvalues that decide how a network passes differences on.

    L_ij = d_i delta_ij - A_ij,   d_i = sum_j A_ij

With A_ij the weight from j to i, as everywhere in dynlab, so that ``-(L x)_i = sum_j A_ij (x_j - x_i)``.  Each row sums to
zero, hence one eigenvalue is 0, of the state in which all are equal; on an undirected network the others are real, and
above 0 if it is connected.  Of a directed one they may be complex.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError
from dynlab.result import Provenance, Result
from dynlab.zoo import get

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LaplacianSpectrum", "laplacian_spectrum", "weights_of"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

#: From here on a dense matrix and its eigenvalues take minutes and gigabytes.
MOST = 6000
#: An imaginary part, or an eigenvalue, below this part of the largest is rounding.
ROUNDING = 1e-10


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LaplacianSpectrum(Result):
    """The eigenvalues of a network's Laplacian, by rising real part; made by `laplacian_spectrum`.

    Attributes
    ----------
    eigenvalues
        All of them, as complex numbers; the first is 0.
    provenance
        Where it came from.
    """

    eigenvalues: Complex
    provenance: Provenance

    @property
    def is_real(self) -> bool:
        """Whether no eigenvalue has an imaginary part."""
        return bool((self.eigenvalues.imag == 0).all())

    @property
    def transverse(self) -> Complex:
        """All but the first: those of differences between nodes."""
        return self.eigenvalues[1:]

    @property
    def connectivity(self) -> float:
        """The real part of the second eigenvalue: the slowest rate at which differences even out."""
        return float(self.eigenvalues[1].real)

    @property
    def eigenratio(self) -> float:
        """The largest over the second, by their real parts: 1 for a complete graph, infinite for one in pieces."""
        largest = float(self.eigenvalues[-1].real)
        return largest / self.connectivity if self.connectivity > 0 else float("inf")

    def to_table(self) -> dict[str, Array]:
        """Return real and imaginary part as columns."""
        return {"real part": self.eigenvalues.real, "imaginary part": self.eigenvalues.imag}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the eigenvalues of L in the complex plane, or in order if they are real."""
        from dynlab.plotting import draw_laplacian

        return draw_laplacian(ax, self.eigenvalues)

    def __repr__(self) -> str:
        return (
            f"<Laplacian of {len(self.eigenvalues)} nodes: second eigenvalue "
            f"{self.connectivity:.6g}, largest {self.eigenvalues[-1].real:.6g};\n ratio "
            f"{self.eigenratio:.4g}, {'real' if self.is_real else 'complex'}>"
        )


def laplacian_spectrum(network: Any) -> LaplacianSpectrum:
    r"""Return the eigenvalues of the Laplacian of a network.

    .. math:: L_{ij} = \delta_{ij} \sum_k A_{ik} - A_{ij}

    Parameters
    ----------
    network
        A networkx graph, a square matrix (``A[i, j]`` is the weight from j to i) or `dynlab.AllToAll`.  Edges carry their
        weight as ``A`` or ``weight``, or weigh 1.

    Returns
    -------
    LaplacianSpectrum
        All eigenvalues.  Links of a node to itself make no difference to it.

    Raises
    ------
    SettingError
        If it is no network, or one of fewer than 2 or more than 6000 nodes.

    Examples
    --------
    >>> import dynlab as dl
    >>> import networkx as nx
    >>> found = dl.laplacian_spectrum(nx.cycle_graph(4))
    >>> found.eigenvalues.real.round(9).tolist(), round(found.eigenratio, 9)
    ([0.0, 2.0, 2.0, 4.0], 2.0)
    """
    began = perf_counter()
    A = weights_of(network)
    np.fill_diagonal(A, 0.0)
    L = np.diag(A.sum(axis=1)) - A
    if (A == A.T).all():
        values = np.linalg.eigvalsh(L).astype(complex)
    else:
        values = np.linalg.eigvals(L).astype(complex)
    size = float(np.max(np.abs(values))) or 1.0
    values.imag[np.abs(values.imag) <= ROUNDING * size] = 0.0
    values[np.abs(values) <= ROUNDING * size] = 0.0
    values = values[np.lexsort((values.imag, values.real))]
    # The one that is 0 goes first, also where weights below zero make others smaller.
    first = int(np.argmin(np.abs(values)))
    values = np.concatenate([[0.0], np.delete(values, first)])
    source = Provenance(
        "laplacian_spectrum", None, {"nodes": len(A)}, seconds=perf_counter() - began
    )
    return LaplacianSpectrum(np.asarray(values, complex), source)


def weights_of(network: Any) -> Array:
    """Return the matrix of weights of a network given in any form that `System.on` takes.

    Raises
    ------
    SettingError
        If it is no network, or has fewer than 2 or too many nodes.
    """
    bound = get("consensus").on(network).bound
    assert bound is not None
    (links,) = bound.links
    count = len(links.first) - 1
    if not 2 <= count <= MOST:
        raise SettingError(
            f"the network has {count} nodes; its spectrum is computed for 2 to {MOST} of them."
        )
    A = np.zeros((count, count))
    A[links.targets, links.sources] = bound.values.get("A", 1.0)
    return A
