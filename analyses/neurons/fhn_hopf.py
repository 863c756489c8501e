"""Rest and repetitive firing at the same current, with an unstable cycle between them.

FitzHugh 1961, Biophys. J. 1, 445: the middle panel is the phase plane of his figure 1 (nullclines,
resting point, orbits), at a current where rest and firing are both stable.  The left panel follows
the resting point, and the cycles (green) from one of its Hopf points to the other.  Both ends of the range are
subcritical Hopf points, so just outside it a small unstable cycle parts rest from firing: the right
panel, with the cycle in red and the prediction of the normal form at the Hopf point dashed.
FitzHugh's c = 3 is eps = 1/9; here eps = 0.08.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

PLANE = {"v": (-2.4, 2.4), "w": (-0.9, 1.6)}
NEAR_REST = {"v": (-1.25, -0.68), "w": (-0.40, -0.25)}


def study(I: float = 0.329, duration: float = 90.0) -> Figure:
    """Draw the diagram in I, the phase plane just below the first Hopf point, and its centre."""
    figure, panels = plt.subplots(1, 3, figsize=(13.5, 4.6), layout="constrained")
    diagram = dl.bifurcation_diagram(zoo.fitzhugh_nagumo, vary="I", over=(0, 1.75))
    diagram.plot(panels[0], show="v")
    panels[0].set_title("rest, firing and the Hopf points", loc="left")

    onset, _ = diagram.points(dl.Hopf)
    membrane = zoo.fitzhugh_nagumo(I=I)
    pushed = {"v": onset["v"] + 0.45, "w": onset["w"]}
    plane = dl.phase_portrait(membrane, within=PLANE, starts=[pushed], duration=duration)
    plane.plot(panels[1])
    panels[1].set_title(f"firing and rest at $I$ = {I:g}", loc="left")

    nudged = {"v": onset["v"] - 0.11, "w": onset["w"]}
    centre = dl.phase_portrait(membrane, within=NEAR_REST, starts=[nudged], duration=duration)
    centre.plot(panels[2])
    draw_cycle(panels[2], onset, membrane, start=nudged)
    panels[2].set_title("the cycle between them", loc="left")
    return figure


def draw_cycle(ax: Axes, onset: dl.Hopf, membrane: dl.System, *, start: dict[str, float]) -> None:
    """Draw the unstable cycle, which attracts when time runs backwards, and its prediction."""
    run = dl.integrate(membrane, start=start, duration=-3000)
    cycle = run.at(np.linspace(-2970, -3000, 400))
    ax.plot(cycle["v"], cycle["w"], color="tab:red", linewidth=2)
    ax.text(-0.99, -0.262, "unstable cycle", color="tab:red", backgroundcolor="white")
    predicted = onset.predicted_cycle(membrane["I"])
    ax.plot(predicted["v"], predicted["w"], color="black", linestyle="--", linewidth=1.4)
    ax.text(-0.99, -0.391, "its prediction", backgroundcolor="white")


if __name__ == "__main__":
    study().savefig("fhn_hopf.png", dpi=200)
