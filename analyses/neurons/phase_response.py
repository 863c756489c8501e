"""What a small push does to a firing neuron: advance only, or delay first.

Ermentrout 1996, Neural Comput. 8, 979.  The left panel of the figure is the phase response of the
Hodgkin-Huxley cell at two currents: before it advances it delays (type II).  The middle panel is Morris and
Lecar's cell ever closer to its saddle-node on an invariant circle, scaled by its mean: it advances (type
I), and tends to 1 - cos, as in his figure 2.  The right panel is the plane of that cell with its
isochrons, curves of equal phase: where they crowd, a small push does much.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

CELL = zoo.morris_lecar(gCa=4.0, V3=12.0, V4=17.4, phi=1 / 15)
PHASE = np.linspace(0, 1, 500)


def study(phases: int = 10) -> Figure:
    """Draw the responses of both cells, and the isochrons of the second."""
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13.5, 4.3), layout="constrained")
    draw_since_spike(left, 10.0, color="tab:blue")
    draw_since_spike(left, 30.0, color="tab:orange")
    left.axhline(0, color="0.8", linewidth=1, zorder=0)
    left.set(xlabel="phase since the spike", ylabel="advance (ms/mV)", xlim=(0, 1))
    left.set_title("Hodgkin and Huxley: type II")
    left.legend(frameon=False)
    draw_shape(middle, 45.0, color="0.75")
    draw_shape(middle, 41.0, color="0.5")
    draw_shape(middle, 40.0, color="tab:blue")
    middle.plot(PHASE, 1 - np.cos(2 * np.pi * PHASE), "k--", label=r"$1 - \cos\, 2\pi\varphi$")
    middle.set(xlabel="phase", ylabel="advance / its mean", xlim=(0, 1))
    middle.set_title("Morris and Lecar: type I")
    middle.legend(frameon=False)
    window = {"V": (-70.0, 60.0), "w": (-0.1, 0.65)}
    dl.isochrons(dl.find_cycle(CELL(I=45.0)), phases=phases, within=window).plot(right)
    right.set_title("isochrons at $I$ = 45")
    return figure


def draw_since_spike(ax: Axes, current: float, color: str) -> None:
    """Draw the response of Hodgkin and Huxley's cell, phases counted from the spike."""
    response = dl.phase_response(dl.find_cycle(zoo.hodgkin_huxley(I=current)))
    ax.plot(PHASE, response.at(PHASE + response.peak("V"), "V"), color, label=f"$I$ = {current:g}")


def draw_shape(ax: Axes, current: float, color: str) -> None:
    """Draw the response of Morris and Lecar's cell by its mean, its first harmonic that of 1 - cos."""
    response = dl.phase_response(dl.find_cycle(CELL(I=current), start={"V": 10.0, "w": 0.0}))
    first = np.sum(response.at(PHASE[:-1], "V") * np.exp(-2j * np.pi * PHASE[:-1]))
    shape = response.at(PHASE + 0.5 - np.angle(first) / (2 * np.pi), "V")
    ax.plot(PHASE, shape / np.mean(shape), color, label=f"$I$ = {current:g}")


if __name__ == "__main__":
    study().savefig("phase_response.png", dpi=200)
