"""How well a node is linked decides how much coupling an occupied patch endures.

Bistable patches on a graph: x' = x (1 - x) (x - a) + D sum of (x_j - x) over the neighbours, as in
Kouvaris, Kori and Mikhailov 2012, PLoS ONE 7, e45029, and Caputo, Cruz-Pacheco and Panayotaros 2015,
J. Phys. A 48, 075102, who found that such patterns end in folds.  Here one patch alone is occupied, and
its equilibrium is followed in D until its fold.  If the k neighbours stayed empty, the patch would
solve (1 - x) (x - a) = k D, with a fold at D = (1 - a)^2 / 4 k.  The figure shows, left, a branch
for each number of links on a scale-free graph of 40 nodes, solid where stable; right, the folds of all
patches against the number of links, and that formula.  Where the fold comes early and at large x the
patch does not empty: it is a neighbour that fills.
"""

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl

OVER = (0.0, 0.2)


@dl.flow
def patches(x: dl.PerNode = 0.0, *, A: dl.PerLink = 1.0, a=0.3, D=0.0):
    """Bistable patches on a graph."""
    i, j = dl.nodes("i j")
    return {x[i]: x[i] * (1 - x[i]) * (x[i] - a) + D * dl.Sum(A[i, j] * (x[j] - x[i]), j)}


def occupied(network: dl.System, node: int) -> dl.Branch:
    """Follow the equilibrium in which one patch alone is occupied; without coupling that is exact."""
    near = {"x": (-0.1, 0.1), f"x[{node}]": (0.9, 1.1)}
    alone = dl.find_equilibria(network, within=near).single()
    return dl.continue_equilibrium(alone, vary="D", over=OVER)


def study(nodes: int = 40) -> Figure:
    """Draw branches and folds of patches on a scale-free graph."""
    graph = nx.barabasi_albert_graph(nodes, 2, seed=3)
    network, links = patches.on(graph), np.array([graph.degree[k] for k in graph])
    branches = [occupied(network, node) for node in graph]
    folds = [branch.points(dl.Fold)[0]["D"] for branch in branches]

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    some = np.unique(links, return_index=True)[1]
    [branches[k].plot(left, show=f"x[{k}]") for k in some]
    left.set(ylabel="$x$ of the occupied patch", xlabel="coupling $D$")
    left.set_title("one patch of each number of links", loc="left")
    k = np.linspace(links.min(), links.max())
    right.plot(k, (1 - network["a"]) ** 2 / (4 * k), color="#767676", label="$(1 - a)^2 / 4 k$")
    right.plot(links, folds, "D", color="#D55E00", markersize=5, label="fold")
    right.set(xlabel="links of the occupied patch, $k$", ylabel="coupling $D$ at the fold")
    right.spines[["top", "right"]].set_visible(False)
    right.legend(frameon=False)
    return figure


if __name__ == "__main__":
    study().savefig("network_equilibria.png", dpi=200)
