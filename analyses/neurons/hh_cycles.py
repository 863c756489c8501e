"""Where the squid axon's firing comes from, and all cycles between rest and firing.

Rinzel and Miller 1980, Math. Biosci. 49, 27; Guckenheimer and Oliva 2002, SIAM J. Appl. Dyn. Syst. 1,
105, on the equations of Hodgkin and Huxley 1952, J. Physiol. 117, 500.  Left, the whole diagram: firing
(green, its least and greatest voltage) from the fold of cycles at 6.26 uA/cm^2 to the Hopf point at 154.5.
Middle, where it begins: between 6.26 and 9.78 rest and firing coexist, and the unstable cycle between
them turns back twice, at 7.85 and 7.92.  There it doubles its period (PD) at 7.8492 and, next to the fold,
at 7.9217: the second is Guckenheimer and Oliva's way to unstable chaos (their 7.92197768, with EL = -54.401).
Right, the same cycles by their period.  The figure repeats the diagrams of both papers.
"""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

SMALL_STEPS = dl.PseudoArclength(first_step=0.01, step_max=0.03)


def study(onset: tuple[float, float] = (6.0, 10.2)) -> Figure:
    """Draw the diagram in I, its part around the onset of firing, and the periods there."""
    figure, (whole, part, period) = plt.subplots(1, 3, figsize=(15, 5), layout="constrained")
    rest = dl.equilibrium_diagram(zoo.hodgkin_huxley, vary="I", over=(0, 180))
    firing = dl.continue_cycles(rest.points(dl.Hopf)[0], over=(0, 180), method=SMALL_STEPS)
    diagram = dl.Diagram(*rest, firing)
    diagram.plot(whole, show="V")
    whole.set_title("rest and firing", loc="left")
    diagram.plot(part, show="V")
    part.set(xlim=onset, ylim=(-80, 40))
    part.set_title("the onset of firing", loc="left")
    diagram.plot_period(period)
    period.set(xlim=onset, ylim=(8, 27))
    period.set_title("its periods", loc="left")
    figure.legend(
        *whole.get_legend_handles_labels(), loc="outside lower center", ncols=8, frameon=False
    )
    [ax.get_legend().remove() for ax in figure.axes]
    return figure


if __name__ == "__main__":
    study().savefig("hh_cycles.png", dpi=200)
