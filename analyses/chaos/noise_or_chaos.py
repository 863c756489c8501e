"""Noise that looks like chaos, and chaos that looks like noise.

Above, the Henon map (1976, Commun. Math. Phys. 50, 69); below, an iterated amplitude-adjusted surrogate of
it (Schreiber and Schmitz 1996, Phys. Rev. Lett. 77, 635), which has the same values and the same spectrum.
The figure asks both the same questions.  Second column, the next value against this one.  Third, the local slope of the
correlation sum in three delayed coordinates (Grassberger and Procaccia 1983, Physica D 9, 189): 1.2 for the
attractor, nearly 3 for noise, which fills whatever space it is given.  Fourth, how neighbours part: along a
straight line for chaos, at once for noise.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo


def study(length: int = 6000) -> Figure:
    """Ask a chaotic series and its surrogate for dimension and exponent."""
    figure, rows = plt.subplots(2, 4, figsize=(15, 6.6), layout="constrained")
    chaos = dl.iterate(zoo.henon, duration=length + 100)["x"][101:]
    noise = dl.IteratedAmplitudeAdjusted().surrogate(chaos, seed=1)
    ask(rows[0], chaos, "Henon map")
    ask(rows[1], noise, "surrogate")
    test = dl.surrogate_test(chaos[:1000], count=39, seed=1)
    rows[0, 0].set_title(f"Henon map: more than noise, p = {test.p_value:.2g}", loc="left")
    return figure


def ask(row: np.ndarray, x: np.ndarray, name: str) -> None:
    """Draw the series, its map, its dimension and how its neighbours part."""
    series, plane, slopes, growth = row
    series.plot(x[:120], ".-", color="#0072B2", linewidth=0.7, markersize=4)
    series.set(xlabel="step", ylabel="$x$")
    series.set_title(name, loc="left")
    plane.plot(x[:-1], x[1:], ",", color="#0072B2", rasterized=True)
    plane.set(xlabel="$x(t)$", ylabel="$x(t + 1)$")
    points = dl.delay_embedding(x, dimension=3, delay=1)
    dl.correlation_dimension(points).plot(slopes)
    slopes.set(xlim=(1e-4, 1), ylim=(0, 3.6))
    dl.exponent_from_data(points).plot(growth)
    growth.set(xlim=(0, 20), ylabel="mean log distance")


if __name__ == "__main__":
    study().savefig("noise_or_chaos.png", dpi=200)
