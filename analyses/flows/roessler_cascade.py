"""The cascade of period doublings of Roessler's band, by orbits and by cycles.

Roessler 1976, Phys. Lett. A 57, 397; Feigenbaum 1978, J. Stat. Phys. 19, 25.  Left, dots: the turning
points of x on orbits after a transient; lines: the greatest x on the cycles of one, two, four and eight
turns, which are followed, not simulated, and go on (dashed) after they have lost their stability.
Middle, the cycles, from one turn (blue) to eight (red).  Right, the gaps between successive doublings (PD): each is
shorter by a factor that tends to Feigenbaum's 4.6692, the slope of the line in the figure.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

OVER = (2.4, 4.5)


@dl.flow
def many(x: dl.PerNode = 1.0, y: dl.PerNode = 1.0, z: dl.PerNode = 0.1, *, c: dl.PerNode = 4.0):
    i = dl.nodes("i")
    return {x[i]: -y[i] - z[i], y[i]: x[i] + y[i] / 5, z[i]: 1 / 5 + z[i] * (x[i] - c[i])}


def study(columns: int = 300) -> Figure:
    """Draw the cascade, its first cycles and the gaps between its doublings."""
    figure, (tree, plane, gaps) = plt.subplots(1, 3, figsize=(15, 5), layout="constrained")
    draw_orbits(tree, np.linspace(*OVER, columns))
    one = dl.continue_cycles(dl.find_cycle(zoo.roessler(c=2.5)), vary="c", over=OVER)
    two, four = doubled(one), doubled(doubled(one))
    branches = (one, two, four, doubled(four))
    dl.Diagram(*branches).plot(tree, show="x")
    tree.set(xlim=OVER, ylim=(3.8, 9.2), xlabel="$c$", ylabel="$x$ where it turns back")
    [b.at(c=4.15).single().portrait(plane, x="x", y="y") for b in branches]
    [line.set_color(f"C{k}") for k, line in enumerate(plane.lines)]
    plane.set_title("one, two, four and eight turns at $c$ = 4.15")
    c = [branch.points(dl.PeriodDoubling)[-1]["c"] for branch in branches]
    gaps.semilogy((1, 2, 3), np.diff(c), "o", color="black")
    gaps.semilogy((1, 2, 3), np.diff(c)[-1] * 4.6692 ** np.array([2, 1, 0]), color="#D55E00")
    gaps.set(xlabel="doubling $n$", ylabel="$c_{n+1} - c_n$", xticks=(1, 2, 3))
    gaps.set_title("ratios {:.2f}, {:.2f}".format(*(np.diff(c)[:-1] / np.diff(c)[1:])))
    return figure


def doubled(branch: dl.CycleBranch) -> dl.CycleBranch:
    return dl.continue_cycles(branch.points(dl.PeriodDoubling)[-1], over=OVER)


def draw_orbits(ax: Axes, c: np.ndarray) -> None:
    x = dl.integrate(many.on(len(c))(c=c), duration=700, at=np.arange(500, 700, 0.05))["x"]
    top = (x[1:-1] > x[:-2]) & (x[1:-1] >= x[2:])
    ax.plot(np.tile(c, (len(top), 1))[top], x[1:-1][top], ".", markersize=0.8, color="#56B4E9")


if __name__ == "__main__":
    study().savefig("roessler_cascade.png", dpi=200)
