"""Creeping and jumping: the relaxation oscillation of van der Pol's equation at mu = 1000.

The problem VDPOL of the test sets (Hairer and Wanner 1996, Solving Ordinary Differential Equations II,
section IV.10; van der Pol 1926, Phil. Mag. 2, 978).  The figure shows the oscillation with the ends of
the steps, and the size of each step, in the order in which they were taken.

While x creeps, y would return to its place 3000 times per unit of time: the implicit method takes steps
of up to 30, ten thousand times what stability allows an explicit one.  In the jumps, a thousandth of
a unit long, everything moves, and the explicit method takes over by itself.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

IMPLICIT, EXPLICIT = "#2a6f97", "#e07a1f"


def study(mu: float = 1000.0, duration: float = 2000.0) -> Figure:
    """Draw x over time and the sizes of the steps."""
    run = dl.integrate(zoo.van_der_pol(mu=mu), duration=duration)
    is_implicit = run.steps.degrees == 4
    figure, (above, below) = plt.subplots(2, 1, figsize=(8, 6), layout="constrained")
    run.plot(above, show=["x"])
    above.get_lines()[0].set(color="0.75", zorder=0)
    above.set(xlabel="t", ylabel="x", ylim=(-2.4, 2.4))
    draw_steps(above, run.t[1:], run["x"][1:], is_implicit)
    draw_steps(below, np.arange(len(run.steps.sizes)), run.steps.sizes, is_implicit)
    below.set(yscale="log", xlabel="number of the step", ylabel="size of the step")
    below.spines[["top", "right"]].set_visible(False)
    below.axhline(6.1 / (3 * mu), color="0.5", linewidth=0.8, linestyle="--", zorder=0)
    below.annotate(
        "bound of explicit steps\nwhile x creeps", (52, 2.6 / mu), color="0.4", fontsize="small"
    )
    figure.legend(*below.get_legend_handles_labels(), loc="outside upper right", ncols=2,
                  frameon=False, markerscale=2)  # fmt: skip
    return figure


def draw_steps(ax: Axes, x: np.ndarray, y: np.ndarray, is_implicit: np.ndarray) -> None:
    draw_some(ax, x[is_implicit], y[is_implicit], color=IMPLICIT, name="implicit")
    draw_some(ax, x[~is_implicit], y[~is_implicit], color=EXPLICIT, name="explicit")


def draw_some(ax: Axes, x: np.ndarray, y: np.ndarray, *, color: str, name: str) -> None:
    ax.plot(x, y, ".", markersize=4, color=color, label=f"{len(x)} {name} steps")


if __name__ == "__main__":
    study().savefig("van_der_pol.png", dpi=200)
