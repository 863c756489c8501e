"""Three ways into synchrony: the order of phase oscillators against their coupling.

Kuramoto 1975, Lecture Notes in Physics 39, 420, for frequencies with a Lorentzian or normal density: order grows from
nothing like a root.  Pazo 2005, Phys. Rev. E 72, 046211, for a uniform one: order appears at once, with
r = pi / 4.  The figure shows the theory for infinitely many oscillators as lines, with rings where incoherence loses stability,
and a network of finite size with frequencies laid out evenly as dots, going up.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

DENSITIES = {
    "uniform on [-1, 1]": dl.Uniform(-1, 1),
    "normal, deviation 1": dl.Gaussian(0, 1),
    "Lorentzian, half-width 1": dl.Lorentzian(0, 1),
}


def swept(density, size: int, duration: float) -> dl.SynchronyCurve:
    """Return the order of a finite network along its coupling."""
    swarm = zoo.kuramoto.on(dl.AllToAll(size)).draw(omega=dl.Quantiles(density))
    grid = np.linspace(0.6, 4, 18)
    return dl.synchrony_curve(
        swarm, vary="K", over=grid, duration=duration, transient=duration / 2, seed=1
    )


def study(size: int = 120, duration: float = 40.0) -> Figure:
    """Draw theory and measured order for three densities."""
    couplings = np.linspace(0, 4, 401)
    figure, ax = plt.subplots(figsize=(7.5, 4.8), layout="constrained")
    theory = [dl.mean_field_synchrony(g, couplings=couplings) for g in DENSITIES.values()]
    curves = [swept(g, size, duration) for g in DENSITIES.values()]
    [found.plot(ax) for found in theory]
    lines = [line for line in ax.lines if line.get_label() == "theory"]
    [line.set_label(name) for line, name in zip(lines, DENSITIES, strict=True)]
    [
        ax.plot(curve.values, curve.up, ".", color=line.get_color(), markersize=7)
        for curve, line in zip(curves, lines, strict=True)
    ]
    ax.set_xlim(0, 4)
    dl.draw_legend(ax)
    return figure


if __name__ == "__main__":
    study(size=1000, duration=200.0).savefig("kuramoto_onset.png", dpi=200)
