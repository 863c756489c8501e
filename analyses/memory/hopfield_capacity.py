"""How many memories fit into a Hopfield network: trials over theory.

Amit, Gutfreund and Sompolinsky 1985, Phys. Rev. Lett. 55, 1530, figure 1: the overlap with a stored pattern in the
end, against the load.  In the limit of many neurons it falls from 0.967 to nothing at a load of 0.138 (black).  Finite
networks lose one memory after the other; the marks near zero are the loads at which half are lost.  The second
panel follows them to infinitely many neurons; the third shows how many wrong bits a memory repairs.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import hopfield

LOADS = np.linspace(0.06, 0.22, 17)


def study(trials: int = 12, sizes: tuple[int, ...] = (100, 200, 400)) -> Figure:
    """Draw recall, capacity and basins; the last size is also that of the basins."""
    figure, panels = plt.subplots(1, 3, figsize=(15, 4.6), layout="constrained")
    hopfield.recall_curve(size=sizes[-1], loads=LOADS, trials=trials, seed=1).plot(panels[0])
    hopfield.recall_curve(size=sizes[0], loads=LOADS, trials=trials, seed=1).plot(panels[0])
    hopfield.mean_field_overlap(loads=np.linspace(0.06, 0.22, 161)).plot(panels[0])
    panels[0].set_title("recall ends", loc="left")

    hopfield.capacity(sizes=sizes, trials=4 * trials, seed=2).plot(panels[1])
    panels[1].axhline(float(hopfield.critical_load()), color="black", linestyle=":", linewidth=1.0)
    panels[1].set_title("with many neurons (dotted: theory)", loc="left")

    loads = np.linspace(0.01, 0.16, 9)
    hopfield.basin_size(size=sizes[-1], loads=loads, trials=2 * trials, seed=3).plot(panels[2])
    panels[2].set_title("what a memory repairs", loc="left")
    return figure


if __name__ == "__main__":
    figure = study(trials=100, sizes=(250, 500, 1000, 2000))
    dl.save_figure(figure.axes[0], "hopfield_capacity.png")
