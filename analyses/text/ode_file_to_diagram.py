"""From an XPPAUT file to its bifurcation diagram: three ways of a cell to live.

Tyson 1991, Proc. Natl. Acad. Sci. USA 88, 7328, equations 1-2.  The left panel is the file
``cell_cycle.ode`` beside this script.  The middle panel follows its steady state and cycles as the breakdown
of the active factor, k6, rises.  There are the three regimes of the paper: a steady state with
much active factor (the egg), a spontaneous cycle between the two Hopf points (the early embryo),
and one with little (a growing cell, which waits).  The state is known: u = kappa/k6 and
v = u + k6 u/(k4p + k4 u^2), the grey line.  The right panel of the figure is the cycle at k6 = 1.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl

FILE = Path(__file__).with_name("cell_cycle.ode")
BOX = {"u": (0, 1), "v": (0, 3)}


def study(low: float = 0.05, high: float = 2.5) -> Figure:
    """Draw the file and what dynlab makes of it."""
    figure, panels = plt.subplots(1, 3, figsize=(14.5, 4.6), layout="constrained")
    draw_file(panels[0])
    cell = dl.read_model(FILE)
    diagram = dl.bifurcation_diagram(cell, vary="k6", over=(low, high), within=BOX)
    diagram.plot(panels[1], show="v")
    draw_known_state(panels[1], cell, np.geomspace(low, high, 300))
    run = dl.integrate(cell, duration=150)
    panels[2].plot(run["t"], run["v"], label="cyclin $v$")
    panels[2].plot(run["t"], run["u"], label="active factor $u$")
    panels[2].set(xlabel="time (min)", ylabel="share of cdc2", ylim=(0, 0.42))
    panels[2].set_title("the cycle at $k_6$ = 1", loc="left")
    panels[2].legend(frameon=False, ncols=2)
    return figure


def draw_file(ax: Axes) -> None:
    """Show the text of the file."""
    text = FILE.read_text(encoding="utf-8")
    ax.text(0.02, 0.96, text, family="monospace", fontsize=9, va="top", transform=ax.transAxes)
    ax.set(xticks=[], yticks=[], xlabel="a text for XPPAUT", ylabel=" ")
    ax.set_title(FILE.name, loc="left")


def draw_known_state(ax: Axes, cell: dl.System, k6: np.ndarray) -> None:
    """Draw the steady state in closed form below the branch."""
    u = cell["kappa"] / k6
    v = u + k6 * u / (cell["k4p"] + cell["k4"] * u**2)
    ax.plot(k6, v, color="0.85", linewidth=7, zorder=0)
    ax.set(xscale="log", xlabel="breakdown of the factor $k_6$ (1/min)", ylabel="cyclin $v$")
    ax.set_title("its steady state and cycles", loc="left")


if __name__ == "__main__":
    study().savefig("ode_file_to_diagram.png", dpi=200)
