"""Three ways into firing with one set of equations.

Rinzel and Ermentrout 1989, in Koch and Segev, Methods in Neuronal Modeling, after Morris and Lecar
1981, Biophys. J. 35, 193.  The panels repeat the steady branches of their bifurcation diagrams for
the three sets of parameters, with all folds (LP) and Hopf points (HB) labelled.

Hopf set (their figures 1-3): rest loses stability at a Hopf point; firing starts at a finite rate.
Circle set (figures 4-6): rest ends in the right fold, which lies on the firing cycle; the rate
starts from zero.  Homoclinic set (figures 7-8): the same equilibria with faster recovery; the Hopf
point has moved to the left of that fold, so that up to the fold rest and an upper state coexist.
"""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

HOPF_SET = zoo.morris_lecar
CIRCLE_SET = zoo.morris_lecar(gCa=4.0, V3=12.0, V4=17.4, phi=1 / 15)
HOMOCLINIC_SET = CIRCLE_SET(phi=0.23)


def study(low: float = -50.0, high: float = 250.0) -> Figure:
    """Draw V against I for the three sets side by side."""
    figure, panels = plt.subplots(1, 3, figsize=(12, 4.4), sharey=True, layout="constrained")
    hopf, circle, homoclinic = panels
    draw(hopf, HOPF_SET, over=(low, high), title="Hopf")
    draw(circle, CIRCLE_SET, over=(low, high), title="saddle-node on a circle")
    draw(homoclinic, HOMOCLINIC_SET, over=(low, high), title="homoclinic")
    figure.legend(
        *circle.get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False
    )
    return figure


def draw(ax: Axes, cell: dl.System, *, over: tuple[float, float], title: str) -> None:
    dl.bifurcation_diagram(cell, vary="I", over=over).plot(ax, show="V")
    ax.set_title(title, loc="left")
    ax.label_outer()
    ax.get_legend().remove()


if __name__ == "__main__":
    study().savefig("morris_lecar_classes.png", dpi=200)
