"""Three ways into firing with one set of equations, told apart by how the period grows.

Rinzel and Ermentrout 1989, in Koch and Segev, Methods in Neuronal Modeling, after Morris and Lecar
1981, Biophys. J. 35, 193.  Above, their bifurcation diagrams for three sets of parameters: rest
(black) and the least and greatest voltage of the cycles (green).  Hopf set: firing begins at a fold of
cycles (LPC).  Circle set: the cycles end in the fold of rest (LP), a saddle-node on an invariant circle.
Homoclinic set: they end in a loop at the saddle.  The figure shows below the rates of firing, and how the
period T grows at distance d from the end: like d^(-1/2) on the circle (doubly logarithmic axes), like
-log(d) / lambda towards the loop, lambda being the unstable eigenvalue of the saddle.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

CIRCLE = zoo.morris_lecar(gCa=4.0, V3=12.0, V4=17.4, phi=1 / 15)
LOOP = CIRCLE(phi=0.23)
DISTANCE = {"xlabel": "$d = I - I_0$ (µA/cm²)", "ylabel": "period (ms)"}


def study() -> Figure:
    """Draw the three diagrams, the rates of firing and the laws of the period."""
    figure, (above, (rates, root, log)) = plt.subplots(2, 3, figsize=(13, 8), layout="constrained")
    draw(above[0], rates, zoo.morris_lecar, title="Hopf", xlim=(-30, 230))
    circle = draw(above[1], rates, CIRCLE, title="saddle-node on a circle", xlim=(-30, 230))
    loop = draw(above[2], rates, LOOP, title="homoclinic", xlim=(30, 46))
    rates.set(xlabel="$I$ (µA/cm²)", ylabel="rate (Hz)", ylim=(0, 50), title="rates of firing")
    rates.legend(frameon=False)

    d, T = growth(circle)
    root.loglog(d, T, "C1o", d, T[-1] * np.sqrt(d[-1] / d), "k--")
    root.set(**DISTANCE, title="circle: $T \\sim d^{-1/2}$")
    d, T = growth(loop)
    saddle = dl.find_equilibria(LOOP(I=loop.ends[1].value)).of_kind("saddle").single()
    log.semilogx(d, T, "C2o", d, T[-1] - np.log(d / d[-1]) / saddle.eigenvalues[0].real, "k--")
    log.set(**DISTANCE, title="homoclinic: $T \\sim -\\log(d) / \\lambda$")
    return figure


def draw(ax: Axes, rates: Axes, cell: dl.System, **view: object) -> dl.CycleBranch:
    diagram = dl.bifurcation_diagram(cell, vary="I", over=(-30, 230))
    diagram.plot(ax, show="V").set(**view)
    (cycles,) = diagram.cycles
    rate = np.where(cycles.unstable == 0, 1000 / cycles["period"], np.nan)
    rates.plot(cycles["I"], rate, linewidth=2, label=view["title"])
    return cycles


def growth(branch: dl.CycleBranch) -> np.ndarray:
    d = branch["I"] - branch.ends[1].value
    return np.array([d, branch["period"]])[:, (d > 1e-6) & (branch.unstable == 0)]


if __name__ == "__main__":
    study().savefig("morris_lecar_classes.png", dpi=200)
