"""Dynamical disease: how the blood count of Mackey and Glass goes from rest to ever more dimensions of chaos.

Mackey and Glass 1977, Science 197, 287; Farmer 1982, Physica D 4, 366.  The upper row of the figure shows the orbit
against itself a delay ago: a cycle, and strange attractors of a little more than two and of more than three
dimensions.  Below are the first four of infinitely many Lyapunov exponents, with bands of two standard errors.
Rest ends at tau = 4.708 (dotted), chaos begins near 16.8; from about 28 on there are two positive exponents.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

SHOWN = (14.0, 17.0, 30.0)
ONSET = np.arccos(-0.25) / np.sqrt(0.15)


def study(delays: int = 13, duration: float = 2000) -> Figure:
    """Draw attractors, and exponents for some delays from 2 to 32."""
    figure = plt.figure(figsize=(9.5, 7.4), layout="constrained")
    grid = figure.add_gridspec(2, len(SHOWN), height_ratios=(1, 1.25))
    list(map(draw_attractor, [figure.add_subplot(grid[0, k]) for k in range(len(SHOWN))], SHOWN))

    taus = np.linspace(2, 32, delays)
    options = {"count": 4, "duration": duration, "transient": 1000, "seed": 1}
    spectra = [dl.lyapunov_spectrum(zoo.mackey_glass(tau=tau), **options) for tau in taus]
    ax = figure.add_subplot(grid[1, :])
    ax.axhline(0, color="0.5", linewidth=0.8)
    ax.axvline(ONSET, color="0.5", linewidth=1, linestyle=":")
    list(map(draw_band, [ax] * 4, [taus] * 4, [spectra] * 4, range(4)))
    ax.set(xlabel=r"delay $\tau$", ylabel="Lyapunov exponents", xlim=(2, 32), ylim=(-0.045, 0.013))
    ax.legend(frameon=False, ncols=4, loc="upper left")
    return figure


def draw_attractor(ax: Axes, tau: float) -> None:
    """Draw what is left after the transient against what was a delay before."""
    run = dl.integrate(zoo.mackey_glass(tau=tau), duration=2500)
    times = np.linspace(1000, 2500, 6000)
    ax.plot(run.at(times)["x"], run.at(times - tau)["x"], linewidth=0.6)
    ax.set(title=rf"$\tau = {tau:g}$", xlabel="$x(t)$", ylabel=r"$x(t - \tau)$", aspect="equal")


def draw_band(ax: Axes, taus: np.ndarray, spectra: list[dl.LyapunovSpectrum], k: int) -> None:
    """Draw one exponent against the delay with twice its error."""
    values = np.array([s.exponents[k] for s in spectra])
    errors = 2 * np.array([s.standard_errors[k] for s in spectra])
    (line,) = ax.plot(taus, values, ".-", linewidth=1, label=rf"$\lambda_{k + 1}$")
    ax.fill_between(taus, values - errors, values + errors, color=line.get_color(), alpha=0.2)


if __name__ == "__main__":
    study(151, duration=20_000).savefig("mackey_glass_delay.png", dpi=200)
