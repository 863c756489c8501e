"""Sections of the motion of a star: order dissolves as the energy rises.

Henon and Heiles 1964, Astron. J. 69, 73, figures 4, 5 and 6.  Each dot is a passage of an orbit through x = 0 with
x' > 0, drawn in the plane of y and its momentum; one colour is one orbit.  At energy 1/12 all orbits lie on
curves, so a second quantity seems conserved; at 1/8 islands swim in a sea that one orbit fills; at
1/6, where orbits may escape, hardly any island is left.  The figure repeats the three of the paper.
"""

import itertools

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

PLACES = [(-0.3, 0.0), (-0.2, 0.0), (-0.1, 0.0), (0.02, 0.0), (0.1, 0.0), (0.2, 0.0), (0.28, 0.0),
          (0.36, 0.0), (0.44, 0.0), (0.0, 0.05), (0.0, 0.15), (0.0, -0.15), (0.0, 0.25), (0.0, -0.25),
          (0.0, 0.35)]  # fmt: skip
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#1A1A1A")


def momentum(energy: float, y: float, py: float) -> float:
    """Return the momentum of x on the section at an energy; 0 where there is none."""
    return float(np.sqrt(max(2 * energy - py**2 - y**2 + 2 * y**3 / 3, 0.0)))


def study(returns: int = 600) -> Figure:
    """Draw the sections at energies 1/12, 1/8 and 1/6."""
    figure, panels = plt.subplots(1, 3, figsize=(12, 4.6), layout="constrained", sharey=True)
    section = dl.poincare_map(zoo.henon_heiles, when=lambda x: x, direction=+1)
    for ax, parts in zip(panels, (12, 8, 6), strict=True):
        for (y, py), color in zip(PLACES, itertools.cycle(COLORS), strict=False):
            px = momentum(1 / parts, y, py)
            if not px:
                continue
            orbit = dl.iterate(section, start={"y": y, "px": px, "py": py}, duration=returns)
            ax.plot(orbit["y"], orbit["py"], ".", markersize=2.2, markeredgewidth=0, color=color)
        ax.set(xlabel="$y$", xlim=(-0.6, 1.0), ylim=(-0.62, 0.62))
        ax.set_title(f"energy 1/{parts}", loc="left")
        ax.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("$p_y$")
    return figure


if __name__ == "__main__":
    study().savefig("henon_heiles_sections.png", dpi=200)
