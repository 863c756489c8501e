"""Which method for which accuracy: error against time of computation.

In the manner of Hairer, Lubich and Wanner 2006, Geometric Numerical Integration, 2nd ed., chapter VIII.  The figure
shows, left, the error of the Lorenz system at t = 10, where chaos has magnified every error ten thousand times, against
the time of a run to t = 1000; each point is a tolerance.  Right, the energy error of a bead on a curved wire, whose
energy does not split into parts; for Gauss collocation each point is a step.  Series go on to rounding.
"""

from time import process_time

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

START, AT_10 = {"x": 1, "y": 1, "z": 1}, [-4.902687541134639, -3.743872921802811, 24.6908581027907]
EXPLICIT = [dl.Explicit8(rtol=tol, atol=tol) for tol in np.logspace(-6, -13, 8)]
TAYLOR = [dl.Taylor(rtol=tol, atol=tol) for tol in np.logspace(-7, -16, 10)]
GAUSS = [dl.Gauss8(step=step) for step in (0.5, 0.4, 0.25, 0.2, 0.125)]


@dl.hamiltonian
def bead(q=1.0, p=0.5):
    return p**2 / (2 + dl.sin(q)) + 1 - dl.cos(q)


def chaos(method):
    short = dl.integrate(zoo.lorenz, start=START, duration=10, at=[10], method=method)
    began = process_time()
    dl.integrate(zoo.lorenz, start=START, duration=1000, at=[1000], method=method)
    return 1e3 * (process_time() - began), np.abs(short.values[-1] - AT_10).max()


def energy(method, until=5000.0):
    began = process_time()
    run = dl.integrate(bead, duration=until, at=np.linspace(0, until, 501), method=method)
    return 1e3 * (process_time() - began), run.energy_error


def draw(ax, ask, methods, label, color):
    points = [min(ask(method) for _ in range(5)) for method in methods]
    ax.semilogy(*zip(*points, strict=True), "o-", color=color, label=label, linewidth=2)
    ax.set_xlabel("time of computation (ms)")
    ax.spines[["top", "right"]].set_visible(False)


def study() -> Figure:
    """Draw error against time of computation, for chaos and for an energy."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    _ = [draw(*on, EXPLICIT, "Explicit8", "#0072B2") for on in ((left, chaos), (right, energy))]
    _ = [draw(*on, TAYLOR, "Taylor", "#D55E00") for on in ((left, chaos), (right, energy))]
    draw(right, energy, GAUSS, "Gauss8", "#009E73")
    left.set(title="Lorenz", ylabel="largest error of a state at $t$ = 10")
    right.set(title="a bead on a wire", ylabel="relative error of the energy until $t$ = 5000")
    left.set_xlim(0), right.set_xlim(0)
    right.legend(frameon=False)
    return figure
