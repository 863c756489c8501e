"""Sections of the motion of a star: order dissolves as the energy rises.

Henon and Heiles 1964, Astron. J. 69, 73, figures 4, 5 and 6.  Each dot is a passage of an orbit through x = 0 with
x' > 0, drawn in the plane of y and its momentum; one colour is one orbit.  At energy 1/12 all orbits lie on
curves, so a second quantity seems conserved; at 1/8 islands swim in a sea that one orbit fills; at
1/6, where orbits may escape, hardly any island is left.  The figure repeats the three of the paper.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

Y = np.array([-0.3, -0.2, -0.1, 0.02, 0.1, 0.2, 0.28, 0.36, 0.44, 0, 0, 0, 0, 0, 0])
PY = np.array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0.05, 0.15, -0.15, 0.25, -0.25, 0.35])
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#1A1A1A")


def study(returns: int = 600) -> Figure:
    """Draw the sections at energies 1/12, 1/8 and 1/6."""
    figure, (left, middle, right) = plt.subplots(
        1, 3, figsize=(12, 4.6), layout="constrained", sharey=True
    )
    draw_section(left, 12, returns)
    draw_section(middle, 8, returns)
    draw_section(right, 6, returns)
    left.set_ylabel("$p_y$")
    return figure


def draw_section(ax: Axes, parts: int, returns: int) -> None:
    """Draw the section at the energy 1 / parts: orbits from all places that this energy reaches."""
    squared = 2 / parts - PY**2 - Y**2 + 2 * Y**3 / 3
    reached = squared > 0
    orbits = dl.ensemble(
        dl.poincare_map(zoo.henon_heiles, when=lambda x: x, direction=+1),
        starts={"y": Y[reached], "py": PY[reached], "px": np.sqrt(squared[reached])},
        duration=returns, at=np.arange(returns + 1),
    )  # fmt: skip
    ax.set_prop_cycle(color=COLORS)
    ax.plot(orbits["y"].T, orbits["py"].T, ".", markersize=2.2, markeredgewidth=0)
    ax.set(xlabel="$y$", xlim=(-0.6, 1.0), ylim=(-0.62, 0.62))
    ax.set_title(f"energy 1/{parts}", loc="left")
    ax.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    study().savefig("henon_heiles_sections.png", dpi=200)
