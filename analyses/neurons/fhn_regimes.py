"""Regimes of an excitable membrane over two parameters: rest, firing, or two rests to choose from.

FitzHugh 1961, Biophys. J. 1, 445, with the current I and the slope b of the recovery.  A sweep kicks the membrane out of its
lowest and its highest equilibrium and tells what it does in the end, on a grid that is fine only where the regime
changes.  In the figure the lines are exact: solid, two equilibria meet, 1 - v^2 = 1 / b, and between there are three;
dashed, one turns unstable, 1 - v^2 = eps b.  From the end of the firing upwards, rest is stable on both branches.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

A, EPS = 0.7, 0.08


def regime(I, b):
    """Return what the membrane does after a small kick, from its lowest and from its highest equilibrium."""
    membrane = zoo.fitzhugh_nagumo(I=I, b=b, a=A, eps=EPS)
    roots = np.roots([-1 / 3, 0, 1 - 1 / b, I - A / b])
    real = sorted(roots.real[np.abs(roots.imag) < 1e-9])
    starts = [{"v": v + 0.02, "w": (v + A) / b} for v in (real[0], real[-1])]
    runs = [
        dl.integrate(membrane, start=start, duration=2500, method=dl.Explicit8())
        for start in starts
    ]
    ends = [run.after(2200)["v"] for run in runs]
    if any(np.ptp(end) > 0.5 for end in ends):
        return "firing"
    return "rest" if abs(ends[0][-1] - ends[1][-1]) < 0.1 else "two rests"


def study(points: int = 6, levels: int = 1) -> Figure:
    """Tell the regimes over the plane, and draw the exact lines on top."""
    figure, ax = plt.subplots(figsize=(8.6, 5.0), layout="constrained")
    plane = dl.Sweep(I=np.linspace(-0.6, 2.0, points), b=np.linspace(0.4, 2.6, points))
    plane.run(regime, refine=dl.AtBoundaries(levels=levels)).plot(ax)
    b = np.linspace(0.4, 2.6, 2000)
    ax.plot(currents(1 / b, b), b, "-", color="black", linewidth=1.2)
    ax.plot(currents(EPS * b, b), b, "--", color="black", linewidth=1.2)
    ax.set(xlim=(-0.6, 2.0), ylim=(0.4, 2.6), xlabel="current $I$", ylabel="recovery slope $b$")
    return figure


def currents(share, b):
    """Return the two currents at which an equilibrium has 1 - v^2 = share, for each b."""
    v = np.sqrt(np.where(share < 1, 1 - share, np.nan))[:, None] * [-1, 1]
    return (v + A) / b[:, None] - v + v**3 / 3


if __name__ == "__main__":
    study(points=25, levels=3).savefig("fhn_regimes.png", dpi=200)
