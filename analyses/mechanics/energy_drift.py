"""Energy error over ten thousand periods: bounded or growing, by method.

After Hairer, Lubich and Wanner 2006, Geometric Numerical Integration, 2nd ed., sections I.1 and IX.8.
The figure shows the largest relative error of the energy so far.  With a Runge-Kutta method (grey) it
grows like the time, whatever the tolerance.  A symplectic method (colours) keeps a nearby energy: its
error is reached within a period and stays, down to rounding, which grows like the root of the time.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

PERIOD = 2 * np.pi
METHODS = {
    "Runge-Kutta 8, rtol 1e-6": (dl.Explicit8(rtol=1e-6, atol=1e-6), "0.6"),
    "Runge-Kutta 8, rtol 1e-9": (dl.Explicit8(rtol=1e-9, atol=1e-9), "0.3"),
    "Verlet": (dl.Verlet(step=PERIOD / 200), "#D55E00"),
    "Blanes-Moan 4": (dl.BlanesMoan4(step=PERIOD / 100), "#009E73"),
    "Blanes-Moan 6": (dl.BlanesMoan6(step=PERIOD / 100), "#0072B2"),
    "Kahan-Li 8": (dl.KahanLi8(step=PERIOD / 100), "#CC79A7"),
}


def study(periods: float = 10_000) -> Figure:
    """Draw the energy error of six methods against time, for two systems."""
    figure, panels = plt.subplots(1, 2, figsize=(11, 4.8), sharey=True, layout="constrained")
    star = zoo.henon_heiles.with_start(y=0.0)
    draw(panels[0], star, periods, title="a star in a galaxy, $H$ = 1/8")
    draw(panels[1], zoo.kepler, periods, title="a planet on an ellipse, $e$ = 1/2")
    panels[0].set_ylabel("largest relative error of the energy so far")
    labelled = panels[0].get_legend_handles_labels()
    figure.legend(*labelled, loc="outside lower center", ncols=3, frameon=False)
    return figure


def draw(ax: Axes, system: dl.System, periods: float, *, title: str) -> None:
    _ = [draw_errors(ax, system, periods, label) for label in METHODS]
    ax.set(xscale="log", yscale="log", xlabel="time (periods)")
    ax.set(xlim=(0.1, periods), ylim=(1e-15, 1))
    ax.set_title(title, loc="left")
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", color="0.92")


def draw_errors(ax: Axes, system: dl.System, periods: float, label: str) -> None:
    method, color = METHODS[label]
    times = np.linspace(0, periods * PERIOD, int(20 * periods) + 1)
    energy = dl.integrate(system, duration=times[-1], at=times, method=method)["energy"]
    error = np.maximum.accumulate(np.abs(energy / energy[0] - 1))
    shown = np.unique(np.geomspace(2, len(times) - 1, 400).astype(int))
    ax.plot(times[shown] / PERIOD, error[shown], color=color, label=label, linewidth=2)


if __name__ == "__main__":
    study().savefig("energy_drift.png", dpi=200)
