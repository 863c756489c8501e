"""The canard explosion: how a small oscillation becomes a large one within a sliver of current.

Benoit, Callot, Diener and Diener 1981, Collect. Math. 32, 37; Krupa and Szmolyan 2001, J. Diff. Eq.
174, 312; here in the equations of FitzHugh 1961, Biophys. J. 1, 445.  The family of cycles is
followed from its Hopf point to the middle of the range of firing, for three time-scale ratios eps: left
the least and greatest v, in the middle the period.  The insets are the explosion at eps = 0.08.
The right panel of the figure is the explosion at eps = 0.015: all these cycles exist at I = 0.29776, to
six digits.  They follow the nullcline (grey) past its knee along the unstable middle branch, and leave it
to the left (canards without head) or to the right (with head).
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

RATIOS = {0.08: "#0072B2", 0.03: "#009E73", 0.015: "#D55E00"}
PERIODS = (100, 130, 170, 220, 280, 330)


def study() -> Figure:
    """Draw ranges and periods of the cycles, and those of the explosion in the phase plane."""
    figure, (size, time, plane) = plt.subplots(1, 3, figsize=(15, 5), layout="constrained")
    first, _, last = [draw_family(size, time, eps) for eps in RATIOS]
    insets = size.inset_axes((0.52, 0.4, 0.45, 0.34)), time.inset_axes((0.52, 0.57, 0.45, 0.34))
    first.plot(insets[0], show="v")
    first.plot_period(insets[1])
    [ax.set(xlim=(0.3225, 0.3325), xticks=(0.325, 0.33), xlabel="", ylabel="") for ax in insets]
    [ax.get_legend().remove() for ax in insets]
    size.set(xlabel="$I$", ylabel="range of $v$", xlim=(0.29, 0.37))
    time.set(xlabel="$I$", ylabel="period", xlim=(0.29, 0.37))
    size.legend(*time.get_legend_handles_labels(), frameon=False, loc=(0.62, 0.08))

    v = np.linspace(-2.2, 2.2, 400)
    plane.plot(v, v - v**3 / 3 + last.points(dl.Fold)[0]["I"], color="0.8", linewidth=6)
    [draw_cycle(plane, cycle) for period in PERIODS for cycle in last.at(period=period)]
    plane.set(ylim=(-0.5, 1.25), title="canards, ε = 0.015, $I$ = 0.29776")
    return figure


def draw_family(size: Axes, time: Axes, eps: float) -> dl.CycleBranch:
    diagram = dl.equilibrium_diagram(zoo.fitzhugh_nagumo(eps=eps), vary="I", over=(0, 0.875))
    branch = dl.continue_cycles(diagram.points(dl.Hopf)[0], over=(0, 0.875))
    size.plot(branch["I"], branch.extremes("v"), color=RATIOS[eps])
    time.plot(branch["I"], branch["period"], color=RATIOS[eps], label=f"ε = {eps:g}")
    return branch


def draw_cycle(plane: Axes, cycle: dl.Cycle) -> None:
    if abs(cycle["I"] - 0.29776) < 1e-6:
        color = plt.cm.plasma((cycle.extremes("v")[1] + 1) / 3.2)
        cycle.portrait(plane, x="v", y="w").lines[-1].set_color(color)


if __name__ == "__main__":
    study().savefig("fhn_canards.png", dpi=200)
