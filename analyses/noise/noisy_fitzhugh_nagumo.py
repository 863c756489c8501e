"""A noisy FitzHugh-Nagumo neuron: its density over the nullclines, and how its error falls.

FitzHugh 1961, Biophys. J. 1, 445; Lindner and Schimansky-Geier 1999, Phys. Rev. E 60, 7270.  The figure shows the
stationary density in Hermite functions for three strengths of noise: the neuron dwells on the outer branches of the
cubic and hurries across; and the error against the number of functions, beside the identity <x> + 0.7 = 0.8 <y>.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl

BLUE, RED, INK = "#0072B2", "#D55E00", "#1A1A1A"


@dl.flow
def neuron(x=-1.0, y=0.5, *, I=0.5):
    return {x: x - x**3 / 3 - y + I, y: 0.08 * (x + 0.7 - 0.8 * y)}


def found(D: float, functions: int) -> dl.SpectralDensity:
    """Return the density for a strength of noise."""
    noisy = neuron.with_noise(x=(2 * D) ** 0.5, y=(2 * D) ** 0.5)
    basis = dl.Basis(x=dl.Hermite(functions), y=dl.Hermite(functions * 3 // 5))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dl.AccuracyWarning)
        return dl.stationary_density(noisy, grid=basis)


def portrait(ax: Axes, D: float, functions: int) -> None:
    """Draw the density with the nullclines."""
    density, x = found(D, functions), np.linspace(-2.7, 2.7, 301)
    density.plot(ax).plot(x, x - x**3 / 3 + 0.5, color=RED, lw=1.2, label="$\\dot x = 0$")
    ax.plot(x, (x + 0.7) / 0.8, color=BLUE, lw=1.2, label="$\\dot y = 0$")
    ax.set(xlim=(-2.8, 2.8), ylim=(-2.4, 3.4))
    ax.set_title(f"D = {D:g}, error {density.error:.0e}", loc="left")


def study(most: int = 60) -> Figure:
    """Draw the densities and the errors."""
    figure, panels = plt.subplots(1, 4, figsize=(18, 4.2), layout="constrained")
    _ = [portrait(ax, D, most) for ax, D in zip(panels[:3], (0.05, 0.1, 0.2), strict=True)]
    panels[0].legend(frameon=False, fontsize=10, loc="upper center")
    counts, last = list(range(40, most + 1, 10)), panels[3]
    densities = [found(0.05, n) for n in counts]
    means = [abs(d.mean("x") + 0.7 - 0.8 * d.mean("y")) for d in densities]
    last.semilogy(counts, [d.error for d in densities], "o-", color=INK, label="stated, in $L_1$")
    last.semilogy(counts, means, "s-", color=BLUE, label=r"$|\langle x + 0.7 - 0.8\, y\rangle|$")
    last.set(xlabel="Hermite functions along $x$", ylabel="error", title="D = 0.05")
    last.legend(frameon=False, fontsize=10)
    return figure


if __name__ == "__main__":
    study(most=140).savefig("noisy_fitzhugh_nagumo.png", dpi=110)
