"""One point at which a cell changes the way into firing: from an invariant circle to a homoclinic orbit.

Rinzel and Ermentrout 1989, in Koch and Segev, Methods in Neuronal Modeling, show two sets of the Morris-Lecar
cell that differ in the pace phi of recovery alone: with phi = 1/15 firing starts at a saddle-node on an
invariant circle, with phi = 0.23 at a homoclinic orbit to a saddle.  The left diagram joins the two in the
plane of current and phi; where they meet the orbit returns along the fast direction.  Right: the orbits.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

OVER = {"I": (34, 45), "phi": (0.03, 0.24)}


def slowest(cell: dl.System, top: float, longest: float) -> dl.Cycle:
    """Return the cycle of longest period on the branch that begins at the Hopf point."""
    rest = dl.find_equilibria(cell(I=top)).single()
    onset = dl.continue_equilibrium(rest, vary="I", over=(20, top)).points(dl.Hopf).single()
    branch = dl.continue_cycles(onset, over=(20, top), longest=longest)
    return branch.cycle(int(np.argmax(branch.periods)))


def study() -> Figure:
    """Draw the two curves and three orbits."""
    cell = zoo.morris_lecar(gCa=4, V3=12, V4=17.4)
    saddle, circle = (
        dl.continue_homoclinic(cycle, vary=("I", "phi"), over=OVER)
        for cycle in (slowest(cell(phi=0.23), 80, 170), slowest(cell(phi=1 / 15), 120, 1000))
    )
    figure, panels = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
    saddle.plot(panels[0])
    circle.plot(panels[0])
    panels[0].set_xlim(34, 41)
    show(panels, saddle, 0.23, "tab:blue")
    show(panels, saddle, 0.0, "tab:red")
    show(panels, circle, 1 / 15, "black")
    return figure


def show(panels: Sequence[Axes], curve: dl.HomoclinicBranch, phi: float, color: str) -> None:
    """Mark the place on a curve nearest to a value of phi, and draw the orbit there."""
    k = int(np.argmin(np.abs(curve["phi"] - phi)))
    panels[0].plot(curve["I"][k], curve["phi"][k], "o", color=color, markersize=4, zorder=6)
    curve.orbit(k).portrait(panels[1], x="V", y="w")
    lines = [line for line in panels[1].lines if len(line.get_xdata()) > 2]
    lines[-1].set(color=color, label=rf"$\phi$ = {curve['phi'][k]:.3f}")
    dl.draw_legend(panels[1])


if __name__ == "__main__":
    study().savefig("morris_lecar_homoclinic.png", dpi=200)
