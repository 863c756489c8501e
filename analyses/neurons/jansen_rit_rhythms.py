"""Rhythms of a cortical column: alpha waves and spikes side by side.

Grimbert and Faugeras 2006, Neural Comput. 18, 3052, on the model of Jansen and Rit 1995, Biol. Cybern. 73,
357.  Left, their bifurcation diagram in the input p: small, nearly harmonic cycles between the Hopf points
at 89.8 and 315.7 per second, and large ones from the fold of rest at 113.6, where they are born with infinite
period on a circle, to a fold of cycles at 137.4.  Middle, the periods, logarithmic: alpha waves near
10 Hz, spikes from 5 Hz down to nothing.  Right, what an electrode sees, y1 - y2, of both at p = 120.
Between 113.6 and 137.4 the column has two rhythms; below, from 89.8 on, one of them and rest.  The left
panel of the figure repeats their diagram.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

COLUMN = zoo.jansen_rit.with_observable(potential=lambda y1, y2: y1 - y2)
TIMES = np.linspace(0, 1, 1001)
FOOT = {"loc": "outside lower center", "ncols": 7, "frameon": False}


def study(p: float = 120.0, over: tuple[float, float] = (-50.0, 380.0)) -> Figure:
    """Draw the diagram in the input p, the periods, and the two stable rhythms at one input."""
    figure, (diagram, period, waves) = plt.subplots(1, 3, figsize=(15, 5), layout="constrained")
    column = dl.bifurcation_diagram(COLUMN, vary="p", over=over)
    column.plot(diagram, show="y0").set_title("rest and rhythms", loc="left")
    column.plot_period(period).set(yscale="log", ylim=(0.07, 3))
    period.set_title("periods", loc="left")
    figure.legend(*diagram.get_legend_handles_labels(), **FOOT)
    [ax.get_legend().remove() for ax in (diagram, period)]

    rhythms = [cycle for branch in column.cycles for cycle in branch.at(p=p) if cycle.is_stable]
    [waves.plot(TIMES, cycle.at(TIMES, "potential"), linewidth=2) for cycle in rhythms]
    waves.set(xlabel="$t$ (s)", ylabel="$y_1 - y_2$ (mV)")
    waves.set_title(f"spikes and alpha waves at $p$ = {p:g}", loc="left")
    return figure


if __name__ == "__main__":
    study().savefig("jansen_rit_rhythms.png", dpi=200)
