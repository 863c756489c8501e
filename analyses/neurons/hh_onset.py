"""From rest to firing in the squid axon.

Hodgkin and Huxley 1952, J. Physiol. 117, 500, in absolute voltage.  The left panel repeats the
bifurcation diagram of Rinzel and Miller 1980, Math. Biosci. 49, 27: rest (black) is
stable up to a subcritical Hopf point at 9.78 uA/cm^2 and again from 154.5 uA/cm^2 on, where small
oscillations die out.  The right panels show the voltage on both sides of the onset of firing: two
spikes and rest at 6 uA/cm^2, a spike every 14.6383 ms at 10 uA/cm^2.  Firing does not slow down
towards the onset: this is an axon of Hodgkin's second class.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

SPIKE = dl.Crossing("spike", lambda V: V, direction=+1)


def study(below: float = 6.0, above: float = 10.0, duration: float = 100.0) -> Figure:
    """Draw rest and firing, V against I, and V(t) at one current below and one above the onset."""
    figure, axes = plt.subplot_mosaic(
        [["branch", "below"], ["branch", "above"]], figsize=(11, 4.8), layout="constrained"
    )
    diagram = dl.bifurcation_diagram(zoo.hodgkin_huxley, vary="I", over=(0, 200))
    diagram.plot(axes["branch"], show="V")
    axes["branch"].set_title("rest and firing", loc="left")

    quiet = dl.integrate(zoo.hodgkin_huxley(I=below), duration=duration)
    quiet.plot(axes["below"], show=["V"])
    axes["below"].set_title(rf"{below:g} µA/cm$^2$: two spikes, then rest", loc="left")

    firing = dl.integrate(zoo.hodgkin_huxley(I=above), duration=duration, record=SPIKE)
    firing.plot(axes["above"], show=["V"])
    interval = np.diff(firing.events["spike"].times)[-1]
    axes["above"].set_title(rf"{above:g} µA/cm$^2$: a spike every {interval:.4f} ms", loc="left")
    axes["above"].get_legend().remove()
    return figure


if __name__ == "__main__":
    study().savefig("hh_onset.png", dpi=200)
