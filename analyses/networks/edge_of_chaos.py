"""A random network at the edge of chaos: theory for infinitely many units beside networks of some hundred.

Sompolinsky, Crisanti and Sommers 1988, Phys. Rev. Lett. 61, 259.  The left panel of the figure is the
largest Lyapunov exponent against the gain: a line for their mean field, means over networks with standard
errors for simulation.  Small networks scatter strongly and are less chaotic; near the edge many rest or
turn in a cycle.  The right panel is the autocorrelation of a unit at g = 3, in theory and in one network.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

METHOD, GAINS = dl.Explicit8(rtol=1e-5, atol=1e-5), (0.6, 1.2, 1.6, 2.0, 2.5, 3.0)


def study(sizes: tuple[int, ...] = (50, 100), networks: int = 2) -> Figure:
    """Draw exponents over the gain by theory and simulation, and one autocorrelation."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
    g = np.concatenate([[0.5, 1.0], np.linspace(1.02, 3.2, 9)])
    left.plot(g, [dl.mean_field_exponent(gain).value for gain in g], "k", label="mean field")
    list(map(draw_exponents, [left] * len(sizes), sizes, [networks] * len(sizes)))
    left.set(xlabel="gain $g$", ylabel=r"largest exponent $\lambda_1$", xlim=(0.5, 3.2))
    left.legend(frameon=False)
    draw_memory(right, sizes[-1], 200 * networks)
    return figure


def network(size: int, gain: float, seed: int) -> dl.System:
    """Return a random network with a random start."""
    weights = np.random.default_rng(seed).normal(size=(size, size)) / np.sqrt(size)
    return zoo.rate_network.on(weights)(g=gain).draw(x=dl.Gaussian(0, 1), seed=seed)


def draw_exponents(ax: Axes, size: int, count: int) -> None:
    """Draw the mean exponent of some networks at each gain, with its error."""
    run = {"duration": 20 * count, "transient": 100, "method": METHOD, "seed": 1}
    each = [[dl.lyapunov_exponent(network(size, g, k), **run).value for k in range(count)] for g in GAINS]  # fmt: skip
    error = np.std(each, axis=1, ddof=1) / np.sqrt(count)
    ax.errorbar(GAINS, np.mean(each, axis=1), error, fmt="o", capsize=2, label=f"$N$ = {size}")


def draw_memory(ax: Axes, size: int, duration: float, gain: float = 3.0) -> None:
    """Draw the autocorrelation of a unit by theory, and as the mean over those of one network."""
    t = np.arange(100, 100 + duration, 0.25)
    x = dl.integrate(network(size, gain, 1), duration=t[-1], at=t, method=METHOD)["x"]
    power = np.mean(np.abs(np.fft.rfft(x, 2 * len(t), axis=0)) ** 2, axis=1)
    found = np.fft.irfft(power)[:61] / (len(t) - np.arange(61))
    ax.plot(t[:61] - 100, found, "o", ms=4, color="C1", label=f"a network of {size}")
    ax.plot(*dl.mean_field_exponent(gain).to_table().values(), "k", label="mean field")
    ax.set(xlabel=r"delay $\tau$", ylabel="autocorrelation", xlim=(0, 15), title=f"$g$ = {gain:g}")
    ax.legend(frameon=False)


if __name__ == "__main__":
    study((100, 300, 900), networks=10).savefig("edge_of_chaos.png", dpi=200)
