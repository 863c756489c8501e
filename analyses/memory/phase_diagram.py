"""What a Hopfield network does at each load and temperature.

Amit, Gutfreund and Sompolinsky 1987, Annals of Physics 173, 30, figure 2, redrawn from their replica symmetric
equations.  Below T_M memories are states of their own, below T_c they are the best states there are; below T_g and
outside T_M everything freezes into mixtures that remember nothing.  The sliver at T_R is where replica symmetry breaks.
The second panel cuts the diagram at four temperatures: the overlap with a memory, and the saddle that meets it where
recall ends.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import hopfield


def cut(ax: plt.Axes, temperature: float, color: str, points: int) -> None:
    """Draw the overlap at a temperature up to where recall ends, and the saddle."""
    edge = hopfield.critical_load(temperature)
    loads = edge.value * (1 - np.linspace(1, 0, points) ** 2)
    found = hopfield.mean_field_overlap(loads=loads, temperature=temperature)
    ax.plot(loads, found.overlap, color=color, linewidth=2, label=f"$T$ = {temperature:g}")
    ax.plot(loads, found.unstable_overlap, color=color, linewidth=1, dashes=(4, 2))
    ax.plot([edge.value], [edge.overlap], "o", color=color, markersize=4)


def study(points: int = 60) -> Figure:
    """Draw the phases and four cuts through them."""
    figure, panels = plt.subplots(1, 2, figsize=(12.5, 4.8), layout="constrained")
    hopfield.phase_diagram().plot(panels[0])
    cut(panels[1], 0.0, "#1A1A1A", points)
    cut(panels[1], 0.3, "#0072B2", points)
    cut(panels[1], 0.6, "#009E73", points)
    cut(panels[1], 0.9, "#D55E00", points)
    panels[1].set(
        xlabel=r"load $\alpha = P/N$", ylabel="overlap $m$", ylim=(0, 1.04), xlim=(0, 0.145)
    )
    panels[1].spines[["top", "right"]].set_visible(False)
    dl.draw_legend(panels[1])
    return figure


if __name__ == "__main__":
    dl.save_figure(study(points=300).axes[0], "phase_diagram.png")
