"""The same equation, read in three ways, has three different densities.

Noise whose strength depends on the state, dX = -X dt + s sqrt(1 + X**2) dW, needs to be told at which moment
its amplitude is taken: at the beginning of dt (Ito 1944, Proc. Imp. Acad. Tokyo 20, 519), in the middle
(Stratonovich 1966, SIAM J. Control 4, 362) or at the end (Klimontovich 1990, Physica A 163, 515).  The figure
shows above one path of each with the same noise, and below the stationary densities of 20 000 paths beside
p ~ (1 + x**2)**-q with q = 1 + 1/s**2, 1/2 + 1/s**2 and 1/s**2.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from scipy.stats import t as student

import dynlab as dl

READINGS = {
    "Itô": (dl.Ito, 1.0, "tab:blue"),
    "Stratonovich": (dl.Stratonovich, 0.5, "tab:orange"),
    "Hänggi-Klimontovich": (dl.HanggiKlimontovich, 0.0, "tab:green"),
}
METHOD = dl.SRIW1(step=0.02)


@dl.flow
def decay(x=0.0):
    """Return to zero at rate 1."""
    return {x: -x}


def study(s: float = 1.1, size: int = 20_000) -> Figure:
    """Draw paths and stationary densities for the three readings."""
    figure, (above, below) = plt.subplots(2, 1, figsize=(8.4, 7.6), layout="constrained")
    bins = np.linspace(-6, 6, 61)
    for name, (reading, added, colour) in READINGS.items():
        noisy = decay.with_noise(reading)(lambda x: {x: s * dl.sqrt(1 + x**2)})
        path = dl.simulate(noisy, start={"x": 1.0}, duration=8, method=METHOD, seed=4)
        above.plot(path.t, path["x"], color=colour, linewidth=1.3, label=name)
        cloud = dl.ensemble(noisy, duration=10, size=size, method=METHOD, seed=1)
        counts = np.histogram(cloud["x"], bins)[0] / (size * np.diff(bins))
        below.semilogy((bins[1:] + bins[:-1]) / 2, counts, "o", color=colour, markersize=3.5)
        degrees = 2 * (added + 1 / s**2) - 1
        x = np.linspace(-6, 6, 601)
        exact = student.pdf(x, degrees, scale=1 / np.sqrt(degrees))
        below.semilogy(x, exact, color=colour, linewidth=1.6, label=name)
    above.set(xlabel="$t$", ylabel="$x$")
    above.set_title("one noise, three readings", loc="left")
    above.legend(frameon=False, loc="upper left")
    below.set(xlabel="$x$", ylabel="stationary density")
    below.set_title("20 000 paths (points) and theory (lines)", loc="left")
    return figure


if __name__ == "__main__":
    study().savefig("ito_or_stratonovich.png", dpi=200)
