"""Firing rate of the leaky integrate-and-fire cell against its input.

Lapicque 1907, J. Physiol. Pathol. Gen. 9, 620, with the rate formula of Stein 1967, Proc. R. Soc. B
167, 64, eq 8.  The left figure panel shows the rate counted from located spikes as points on the
formula 1 / (tref + tau ln(RI / (RI - theta))), for two refractory times: the rate rises steeply from
zero at threshold and saturates at 1 / tref.  The right panel shows the spikes behind it.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

CELL = zoo.leaky_integrate_and_fire
SHADES = {0.0: "#56B4E9", 2.0: "#0072B2"}


def study(duration: float = 400.0) -> Figure:
    """Draw rate against input for two refractory times, and a raster for one."""
    figure, (curve, raster) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    [draw_curve(curve, tref, duration) for tref in SHADES]
    curve.set(xlabel="input $RI/\\theta$", ylabel="rate (Hz)", xlim=(0.9, 4), ylim=(0, 420))
    curve.set_title("points: spikes located; lines: formula", loc="left")
    curve.legend(frameon=False)

    inputs = np.linspace(1.02, 3, 12)
    rows = {f"{I:.2f}": train(I, 2.0, 100.0).times for I in inputs[::-1]}
    dl.draw_raster(raster, rows, time_label="t (ms)")
    raster.set_ylabel("input $RI/\\theta$")
    raster.set_title(r"spikes with $t_\mathrm{ref}$ = 2 ms", loc="left")
    return figure


def draw_curve(ax: plt.Axes, tref: float, duration: float) -> None:
    """Draw the formula as a line and the rates of runs as points."""
    line, points = np.linspace(1.0001, 4, 2000), np.linspace(1.02, 3.9, 25)
    exact = 1000 / (tref + CELL["tau"] * np.log(line / (line - 1)))
    color = SHADES[tref]
    ax.plot(line, exact, color=color, label=rf"$t_\mathrm{{ref}}$ = {tref:g} ms")
    rates = [train(I, tref, duration).rate_in_hertz for I in points]
    ax.plot(points, rates, "o", color=color, markersize=4.5)


def train(I: float, tref: float, duration: float) -> dl.SpikeTrain:
    """Return the spikes at an input."""
    return dl.spike_train(dl.integrate(CELL(I=I, tref=tref), duration=duration))


if __name__ == "__main__":
    study().savefig("lif_fi_curve.png", dpi=200)
