"""Below and above the onset of synchrony on a random graph.

Restrepo, Ott and Hunt 2005, Phys. Rev. E 71, 036151: oscillators theta' = omega + K sum sin(theta_j -
theta) over the neighbours begin to synchronise at K = 2 / (pi g(0) lambda), g being the density of the
frequencies and lambda the largest eigenvalue of the graph.  The figure shows 200 oscillators in
the order of their frequencies, from the same start, at 0.6 and 1.3 times that coupling.  Above, phases
relative to the mean frequency, as colours: in the middle a band locks, slow and fast ones drift past
it.  Below, the order parameter r = |mean of exp(i theta)|.
"""

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

SHARES = (0.6, 1.3)


def r(theta):
    """Return how far the oscillators agree, between 0 and 1."""
    j = dl.nodes("j")
    return dl.sqrt(dl.Mean(dl.cos(theta[j]), j) ** 2 + dl.Mean(dl.sin(theta[j]), j) ** 2)


def study(size: int = 200, duration: float = 40.0) -> Figure:
    """Draw phases and order parameter at two couplings."""
    graph = nx.gnp_random_graph(size, 0.1, seed=2)
    omega = np.sort(np.random.default_rng(1).normal(size=size))
    onset = 2 * np.sqrt(2 / np.pi) / np.max(nx.adjacency_spectrum(graph).real)
    swarm = zoo.kuramoto_on_graph.with_observable(r=r).on(graph)(omega=omega - omega.mean())
    start = {"theta": np.random.default_rng(3).uniform(-np.pi, np.pi, size)}
    runs = [dl.integrate(swarm(K=s * onset), start=start, duration=duration) for s in SHARES]

    figure, axes = plt.subplots(
        2, 2, figsize=(11, 6), layout="constrained", height_ratios=(2, 1), sharex=True, sharey="row"
    )
    [run.plot(ax, show=("theta",)) for run, ax in zip(runs, axes[0], strict=True)]
    [run.plot(ax, show=("r",)) for run, ax in zip(runs, axes[1], strict=True)]
    axes[1, 0].set_ylim(0, 1)
    titles = [f"$K$ = {s * onset:.3f}, {s} of the onset" for s in SHARES]
    [ax.set_title(title, loc="left") for ax, title in zip(axes[0], titles, strict=True)]
    [ax.set_xlabel("") for ax in axes[0]]
    return figure


if __name__ == "__main__":
    study().savefig("kuramoto_on_graph.png", dpi=200)
