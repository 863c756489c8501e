"""The same equation, read in three ways, has three different densities.

Noise whose strength depends on the state, dX = -X dt + s sqrt(1 + X**2) dW, needs to be told at which moment
its amplitude is taken: at the beginning of dt (Ito 1944, Proc. Imp. Acad. Tokyo 20, 519), in the middle
(Stratonovich 1966, SIAM J. Control 4, 362) or at the end (Klimontovich 1990, Physica A 163, 515).  The figure
shows above one path of each with the same noise, and below the stationary densities of 20 000 paths beside
p ~ (1 + x**2)**-q with q = 1 + 1/s**2, 1/2 + 1/s**2 and 1/s**2.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import t as student

import dynlab as dl

BINS = np.linspace(-6, 6, 61)
METHOD = dl.SRIW1(step=0.02)


@dl.flow
def decay(x=0.0):
    """Return to zero at rate 1."""
    return {x: -x}


def study(s: float = 1.1) -> Figure:
    """Draw paths and stationary densities for the three readings."""
    figure, panels = plt.subplots(2, 1, figsize=(8.4, 7.6), layout="constrained")
    draw(panels, dl.Ito, s, q=1 + 1 / s**2, look=("Itô", "tab:blue"))
    draw(panels, dl.Stratonovich, s, q=1 / 2 + 1 / s**2, look=("Stratonovich", "tab:orange"))
    draw(panels, dl.HanggiKlimontovich, s, q=1 / s**2, look=("Hänggi-Klimontovich", "tab:green"))
    panels[0].set(xlabel="$t$", ylabel="$x$")
    panels[0].set_title("one noise, three readings", loc="left")
    panels[0].legend(frameon=False, loc="upper left")
    panels[1].set(xlabel="$x$", ylabel="stationary density")
    panels[1].set_title("20 000 paths (points) and theory (lines)", loc="left")
    return figure


def draw(panels: list[Axes], reading: Any, s: float, *, q: float, look: tuple[str, str]) -> None:
    """Draw a path and the density of one reading."""
    name, colour = look
    noisy = decay.with_noise(reading)(lambda x: {x: s * dl.sqrt(1 + x**2)})
    path = dl.simulate(noisy, start={"x": 1.0}, duration=8, method=METHOD, seed=4)
    panels[0].plot(path.t, path["x"], color=colour, linewidth=1.3, label=name)
    cloud = dl.ensemble(noisy, duration=10, size=20_000, method=METHOD, seed=1)
    counts = np.histogram(cloud["x"], BINS)[0] / (len(cloud) * np.diff(BINS))
    panels[1].semilogy((BINS[1:] + BINS[:-1]) / 2, counts, "o", color=colour, markersize=3.5)
    exact = student.pdf(BINS, 2 * q - 1, scale=1 / np.sqrt(2 * q - 1))
    panels[1].semilogy(BINS, exact, color=colour, linewidth=1.6)


if __name__ == "__main__":
    study().savefig("ito_or_stratonovich.png", dpi=200)
