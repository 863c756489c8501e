"""The onset of synchrony follows the largest eigenvalue of a network.

Restrepo, Ott and Hunt 2005, Phys. Rev. E 71, 036151, figures 1 and 2.  Oscillators on three networks of the same size and
almost the same number of links.  The left figure shows their order parameter against the coupling: with hubs synchrony
begins earlier.  On the right the coupling is divided by 2 / (pi g(0) lambda) of each network, and all begin at
1; what hubs hold together grows more slowly from there.
"""

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

SPREAD = dl.Gaussian(0, 1)
TIMES = np.linspace(25, 50, 26)


def study(size: int = 120, steps: int = 6) -> Figure:
    """Draw order against coupling on three networks."""
    networks = {
        "random": nx.gnm_random_graph(size, 15 * size, seed=1),
        "small world": nx.watts_strogatz_graph(size, 30, 0.3, seed=1),
        "scale-free": nx.barabasi_albert_graph(size, 15, seed=1),
    }
    factors = np.linspace(0.3, 2.4, steps)
    figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.2), sharey=True, layout="constrained")
    [ax.set_prop_cycle(color=("#0072B2", "#009E73", "#D55E00")) for ax in axes]
    [draw(axes, name, graph, factors) for name, graph in networks.items()]
    axes[0].set(xlabel="coupling $K$", ylabel="order parameter $r$", ylim=(0, 1))
    axes[1].set_xlabel(r"$K / K_c$ with $K_c = 2 / (\pi g(0) \lambda)$")
    axes[1].axvline(1, color="0.5", linewidth=0.8)
    axes[0].legend(frameon=False)
    [ax.spines[["top", "right"]].set_visible(False) for ax in axes]
    return figure


def draw(axes: list[Axes], name: str, graph: nx.Graph, factors: np.ndarray) -> None:
    """Draw one network in both panels."""
    onset = dl.network_onset(graph, frequencies=SPREAD).value
    swarm = zoo.kuramoto_on_graph.on(graph).draw(omega=SPREAD, seed=2)
    start = {"theta": np.random.default_rng(3).uniform(-np.pi, np.pi, len(graph))}
    quick = dl.Explicit8(rtol=1e-4, atol=1e-6)
    r = [order(swarm(K=f * onset), start, quick) for f in factors]
    axes[0].plot(factors * onset, r, "o-", markersize=4, linewidth=1.2, label=name)
    axes[1].plot(factors, r, "o-", markersize=4, linewidth=1.2)


def order(swarm: dl.System, start: dict[str, np.ndarray], method: dl.Explicit8) -> float:
    """Return the order parameter, averaged over the second half of a run."""
    run = dl.integrate(swarm, start=start, duration=TIMES[-1], at=TIMES, method=method)
    return dl.order_parameter(run, "theta").r.mean()


if __name__ == "__main__":
    study(size=1000, steps=22).savefig("network_onsets.png", dpi=200)
