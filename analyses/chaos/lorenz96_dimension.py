"""Chaos that fills space: the dimension of Lorenz' weather grows with the ring it lives on.

Lorenz 1996, ECMWF Seminar on Predictability; Karimi and Paul 2010, Chaos 20, 043105.  The left panel of
the figure shows all Lyapunov exponents against their number as a part of the size: rings of all sizes fall on
one curve, so that every stretch of the ring adds its share.  The right panel shows the Kaplan-Yorke
dimension and the number of positive exponents: both grow in proportion to the size (at F = 8 some 0.68 N
and 0.33 N; 27.1 and 13 at N = 40, as Lorenz and Emanuel found in 1998).
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

METHOD = dl.Explicit8(rtol=1e-6, atol=1e-6)


def study(sizes: tuple[int, ...] = (8, 16, 24, 32), duration: float = 50) -> Figure:
    """Draw the spectra of rings of some sizes, and dimensions against size."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
    spectra = [spectrum_of(size, duration) for size in sizes]
    shades = plt.get_cmap("viridis")(np.linspace(0.0, 0.85, len(sizes)))
    left.axhline(0, color="0.6", linewidth=0.8)
    list(map(draw_ladder, [left] * len(sizes), spectra, sizes, shades))
    left.set(xlabel="number / size", ylabel="Lyapunov exponents", xlim=(0, 1))
    left.legend(frameon=False)

    dimensions = np.array([s.kaplan_yorke_dimension for s in spectra])
    errors = np.array([s.kaplan_yorke_error for s in spectra])
    positive = np.array([np.sum(s.exponents > 3 * s.standard_errors) for s in spectra])
    slope = np.polyfit(sizes, dimensions, 1)
    right.plot(sizes, np.polyval(slope, sizes), color="0.6", linewidth=1)
    right.errorbar(sizes, dimensions, 2 * errors, fmt="o", label="Kaplan-Yorke dimension")
    right.plot(sizes, positive, "s", color="tab:orange", label="positive exponents")
    right.set(xlabel="sites $N$", ylabel="dimension, count", xlim=(0, None), ylim=(0, None))
    right.set_title(f"{slope[0]:.2f} dimensions for each site")
    right.legend(frameon=False)
    return figure


def spectrum_of(size: int, duration: float) -> dl.LyapunovSpectrum:
    """Return the spectrum of a ring that starts from its own noise."""
    ring = zoo.lorenz96.on(zoo.lorenz96_ring(size)).draw(x=dl.Gaussian(0, 1), seed=size)
    return dl.lyapunov_spectrum(ring, duration=duration, transient=20, seed=1, method=METHOD)


def draw_ladder(ax: Axes, spectrum: dl.LyapunovSpectrum, size: int, color: str) -> None:
    """Draw the exponents of a ring in order, over the part of its size."""
    part = (np.arange(size) + 0.5) / size
    ax.plot(part, spectrum.exponents, ".-", color=color, linewidth=0.8, label=f"$N$ = {size}")


if __name__ == "__main__":
    study((8, 12, 16, 20, 24, 30, 36, 40), duration=400).savefig("lorenz96_dimension.png", dpi=200)
