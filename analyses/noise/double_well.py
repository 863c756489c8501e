"""A particle in a double well: where it is found, how it forgets, how long it stays; against Kramers.

Kramers 1940, Physica 7, 284; Risken, The Fokker-Planck Equation (1989), section 5.10.  The figure shows the density in
time from a start beside the barrier; the slowest decay rates over the noise; the mean time to the barrier and to
the other well beside Kramers' formula, which is off by the factor 1 - 3 D / 2, and by more as the noise grows.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl

BLUE, RED, INK = "#0072B2", "#D55E00", "#1A1A1A"
TIMES = [0, 0.5, 2, 20, 200]


@dl.flow
def double_well(x=-1.0):
    """Gradient of x^4/4 - x^2/2."""
    return {x: x - x**3}


def stay(well: dl.System, border: float) -> float:
    """Return the mean time from the left well to a border."""
    return dl.escape_time(well, start={"x": -1}, beyond={"x": border}).value


def study(points: int = 12) -> Figure:
    """Draw density, spectrum and escape times."""
    figure, panels = plt.subplots(1, 3, figsize=(14, 4.2), layout="constrained")
    strengths = np.geomspace(0.04, 0.5, points)
    wells = [double_well.with_noise(x=float(np.sqrt(2 * D))) for D in strengths]

    start, cells = {"x": dl.Gaussian(-0.4, 0.12)}, dl.Grid(x=(-2.2, 2.2, 512))
    well = double_well.with_noise(x=float(np.sqrt(0.2)))
    run = dl.evolve_density(well, start=start, at=TIMES, grid=cells)
    run.plot(panels[0], at=TIMES).set_title("the density, D = 0.1", loc="left")

    rates = np.array([dl.generator_spectrum(w, count=4).rates[1:] for w in wells])
    kramers = np.exp(-1 / (4 * strengths)) / (np.sqrt(2) * np.pi)
    panels[1].semilogy(1 / strengths, rates[:, 0], color=BLUE, label="between the wells")
    panels[1].semilogy(1 / strengths, rates[:, 1:], color=INK, label=["inside a well", None])
    panels[1].semilogy(1 / strengths, 2 * kramers, "--", color=RED, label="Kramers, both ways")
    panels[1].set(xlabel="$1/D$", ylabel="decay rates")
    panels[1].set_title("what is forgotten, and how fast", loc="left")

    times = [[stay(w, border) for border in (0, 1)] for w in wells]
    panels[2].set_prop_cycle(color=[BLUE, INK])
    panels[2].semilogy(1 / strengths, times, label=["to the barrier", "to the other well"])
    panels[2].semilogy(1 / strengths, 1 / kramers, "--", color=RED, label="Kramers")
    panels[2].set(xlabel="$1/D$", ylabel="mean time from $x = -1$")
    panels[2].set_title("how long it stays", loc="left")
    _ = [ax.legend(frameon=False, fontsize=9) for ax in panels]
    return figure


if __name__ == "__main__":
    study(points=40).savefig("double_well.png", dpi=200)
