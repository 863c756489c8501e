"""Every codimension-two point of equilibria, in one model of the atmosphere.

Kuznetsov, Meijer and van Veen 2004, Int. J. Bifurcation Chaos 14, 2253: Lorenz' model of the westerly
wind of 1984 with a fourth variable.  The figure repeats the curves of equilibria in their diagram of
the plane of F (temperature contrast) and T (forcing of the fourth variable).

Left: folds with two Bogdanov-Takens points, from which Hopf points leave, change their criticality
at the Bautin points and cross others at the double Hopf points.  Right, a hundredth as wide: the cusp.
The second curve of Hopf points touches the folds at two fold-Hopf points, so near the cusp
that the left panel cannot show them apart.
"""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

PLANE = {"F": (1.2, 3.0), "T": (-0.075, 0.075)}
CUSP = {"F": (1.277, 1.287), "T": (-4e-4, 4e-4)}


def study(step_max: float = 0.01) -> Figure:
    """Follow the fold and the Hopf points found at T = 0.04 through the plane, and look closer."""
    rest = dl.find_equilibria(zoo.lorenz84_extended, within={"X": (2, 4), "U": (-1, 0)})[0]
    branch = dl.continue_equilibrium(rest, vary="F", over=(1.0, 3.5))
    method = dl.PseudoArclength(first_step=step_max / 5, step_max=step_max)
    figure, (whole, near) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
    fold = follow(branch.points(dl.Fold)[0], PLANE, method)
    fast, slow, _ = (follow(hopf, PLANE, method) for hopf in branch.points(dl.Hopf))
    slow.plot(fast.plot(fold.plot(whole)))
    point = fold.points(dl.FoldHopf)[0]
    cusp = follow(point.fold, CUSP, method)
    follow(point.hopf, CUSP, method).plot(cusp.plot(near))
    near.get_legend().remove()
    near.set_title("at the cusp", loc="left")
    whole.set_title("equilibria", loc="left")
    return figure


def follow(point: dl.Fold | dl.Hopf, over: dict, method: dl.PseudoArclength) -> dl.BifurcationCurve:
    """Follow a bifurcation of equilibria through a part of the plane."""
    return dl.continue_bifurcation(point, vary=("F", "T"), over=over, method=method)


if __name__ == "__main__":
    study().savefig("lorenz84_chart.png", dpi=200)
