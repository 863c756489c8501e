"""The two places from which oscillations spread through a plane of parameters.

Kuznetsov 2004, Elements of Applied Bifurcation Theory, figures 8.8 and 8.7: the unfoldings of the
Bogdanov-Takens point, x' = y, y' = b1 + b2 x + x^2 - x y, and of the Bautin point, r' = r (mu + b r^2 - r^4)
with theta' = 1, each from a single equilibrium.

Left: a cycle between the Hopf points and the homoclinic orbits, which leave along b1 = -6/25 b2^2.
Right: two cycles between the Hopf points and the folds of cycles on mu = -b^2 / 4.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl


@dl.flow
def bogdanov_takens(x=-1.0, y=0.0, *, b1=-0.2, b2=-0.5):
    return {x: y, y: b1 + b2 * x + x**2 - x * y}


@dl.flow
def bautin(x=0.1, y=0.0, *, mu=-0.1, b=-0.5):
    s = x**2 + y**2
    return {x: mu * x - y + b * x * s - x * s**2, y: x + mu * y + b * y * s - y * s**2}


def study(step_max: float = 0.01) -> Figure:
    """Follow everything that meets at the two points."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    method = dl.PseudoArclength(first_step=step_max / 5, step_max=step_max)
    plane = {"vary": ("b1", "b2"), "over": {"b1": (-0.25, 0.25), "b2": (-1.0, 1.0)}}
    branch = follow(bogdanov_takens, "b1", (-0.25, 0.25), {"x": (-2, 0.2), "y": (-1, 1)})
    folds = dl.continue_bifurcation(branch.points(dl.Fold)[0], **plane, method=method)
    point = folds.points(dl.BogdanovTakens).single()
    hopfs = dl.continue_bifurcation(point.hopf, **plane, method=method)
    loops = dl.continue_homoclinic(point, **plane)
    loops.plot(hopfs.plot(folds.plot(left)))
    left.plot(-6 / 25 * (b2 := np.linspace(-1, 0)) ** 2, b2, ":", color="black")
    left.annotate("$b_1 = -6 b_2^2 / 25$", (-0.24, -0.52))
    left.set_title("Bogdanov-Takens", loc="left")
    plane = {"vary": ("b", "mu"), "over": {"b": (-1.0, 1.0), "mu": (-0.3, 0.1)}}
    hopf = follow(bautin, "mu", (-0.3, 0.1), {"x": (-1, 1), "y": (-1, 1)}).points(dl.Hopf)[0]
    hopfs = dl.continue_bifurcation(hopf, **plane, method=method)
    point = hopfs.points(dl.Bautin).single()
    dl.continue_bifurcation(point.cycle_fold, **plane).plot(hopfs.plot(right))
    right.set_title("Bautin", loc="left")
    return figure


def follow(system: dl.System, vary: str, over: tuple, within: dict) -> dl.Branch:
    """Follow the equilibrium of a box."""
    rest = dl.find_equilibria(system, within=within)[0]
    return dl.continue_equilibrium(rest, vary=vary, over=over)


if __name__ == "__main__":
    study().savefig("two_unfoldings.png", dpi=200)
