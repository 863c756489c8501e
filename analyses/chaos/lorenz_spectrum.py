"""The Lorenz attractor: how fast neighbours part, and where in rho they do.

Lorenz 1963, J. Atmos. Sci. 20, 130; exponents of Benettin et al. 1980, Meccanica 15, 9; windows as in
Sparrow 1982, The Lorenz Equations.  The figure shows the attractor, how the estimate of the largest of its
three exponents (0.906, 0, -14.57) settles, with the band of two standard errors, and the largest
exponent against rho: chaos begins where the two equilibria lose all orbits, and is cut by windows of
cycles, the widest from 145 to 166 and beyond 214.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo


def study(duration: float = 1000, values: int = 60, each: float = 60) -> Figure:
    """Draw the attractor, its largest exponent settling, and exponents over rho."""
    figure, (left, middle, right) = plt.subplots(
        1, 3, figsize=(14, 4.3), layout="constrained", width_ratios=(1, 1.1, 1.5)
    )
    orbit = dl.integrate(zoo.lorenz, duration=80, at=np.linspace(20, 80, 12001))
    left.plot(orbit["x"], orbit["z"], color="tab:blue", linewidth=0.4)
    left.set(xlabel="$x$", ylabel="$z$", title=r"the attractor at $\rho$ = 28")

    spectrum = dl.lyapunov_spectrum(zoo.lorenz, duration=duration, transient=20, seed=1)
    draw_settling(middle, spectrum)

    rho = np.linspace(10, 230, values)
    found = [
        dl.lyapunov_exponent(zoo.lorenz(rho=r), duration=each, transient=80, seed=1) for r in rho
    ]
    right.axhline(0, color="0.6", linewidth=0.8)
    right.plot(rho, [e.value for e in found], ".-", color="tab:blue", linewidth=0.8, markersize=4)
    right.set(xlabel=r"$\rho$", ylabel=r"largest exponent $\lambda_1$", xlim=(10, 230))
    right.set_title("order and chaos")
    return figure


def draw_settling(ax: Axes, spectrum: dl.LyapunovSpectrum) -> None:
    """Draw the running estimate of the largest exponent with its band, and say what the spectrum is."""
    table, error = spectrum.growth.times - spectrum.growth.begin, spectrum.standard_errors[0]
    half = 2 * error * np.sqrt(table[-1] / table)
    ax.fill_between(table, *(spectrum.series[:, 0] + np.array([[-1], [1]]) * half), alpha=0.2, lw=0)
    ax.plot(table, spectrum.series[:, 0], color="tab:blue")
    ax.axhline(0.9056, color="0.4", linestyle="--", linewidth=0.9)
    ax.set(
        xlabel="time averaged over", ylabel=r"$\lambda_1$", xlim=(0, table[-1]), ylim=(0.75, 1.05)
    )
    dimension = spectrum.kaplan_yorke_dimension
    ax.set_title(
        rf"$\lambda_1$ = {spectrum.exponents[0]:.3f}({1000 * error:.0f}),  dimension {dimension:.3f}"
    )


if __name__ == "__main__":
    study(duration=5000, values=600, each=400).savefig("lorenz_spectrum.png", dpi=200)
