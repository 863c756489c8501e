"""Twenty firing patterns of one cell with two variables.

Izhikevich 2004, IEEE Trans. Neural Netw. 15, 1063: the panels of his figure 1 in their order, each
the membrane potential (black) above the input current (blue).  Spikes are located and the switching
times of the currents met exactly, where the published script takes fixed steps of 0.1 to 0.5 ms.
Panels with an asterisk need one number different from the script's; `FiringPattern.note` says which.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

BLUE = "#0072B2"


def study() -> Figure:
    """Draw all patterns, five rows of four."""
    figure, panels = plt.subplots(5, 4, figsize=(11, 10.5), layout="constrained")
    list(map(draw_pattern, panels.flat, zoo.firing_patterns()))
    figure.supxlabel("t (ms); the bar is 20 ms", fontsize=10)
    figure.supylabel("v (mV), -80 to 30, and the input current below", fontsize=10)
    return figure


def draw_pattern(ax: Axes, pattern: object) -> None:
    """Draw the potential with its spikes, and below it the current."""
    run = dl.integrate(pattern.system, duration=pattern.duration)
    times, potential = outline(run)
    ax.plot(times, potential, color="#1A1A1A", linewidth=0.9)
    current = run.at(np.linspace(0, pattern.duration, 4000))["I"]
    height = np.ptp(current) or 1.0
    ax.plot(np.linspace(0, pattern.duration, 4000), -118 + 22 * (current - current.min()) / height,
            color=BLUE, linewidth=1.1)  # fmt: skip
    ax.plot([pattern.duration - 20, pattern.duration], [-128, -128], color="#767676", linewidth=2)
    mark = " *" if pattern.note else ""
    ax.set_title(f"({pattern.letter}) {pattern.name}{mark}", loc="left", fontsize=9)
    ax.set(ylim=(-132, 34), xlim=(0, pattern.duration), xticks=[], yticks=[])
    ax.set_xlabel(" ", fontsize=1)
    ax.set_ylabel(" ", fontsize=1)
    ax.spines[:].set_visible(False)


def outline(run: dl.Trajectory) -> tuple[np.ndarray, np.ndarray]:
    """Return times and potential with both sides of every reset, drawn finely between them."""
    table = run.to_table()
    fine = np.linspace(0, run.t[-1], 6000)
    order = np.argsort(np.append(table["t"], fine), kind="stable")
    return np.append(table["t"], fine)[order], np.append(table["v"], run.at(fine)["v"])[order]


if __name__ == "__main__":
    study().savefig("izhikevich_patterns.png", dpi=200)
