"""Where a delayed echo of a rhythm takes the rhythm apart: a window in gain and delay.

Rosenblum and Pikovsky 2004, Phys. Rev. E 70, 041904, proposed to suppress a collective rhythm by playing its mean field
back.  The figure shows the growth of synchrony for Lorentzian oscillators of period 1 that would synchronise by themselves: blue where
the feedback wins.  Windows lie about half-odd delays, where the echo comes in opposite phase, and shrink with the delay, as
the oscillators forget.  The lower panels show oscillators, one by one, at the two points marked.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl

RHYTHM = dl.LorentzianOscillators(K=1.5, width=0.5, frequency=2 * np.pi)
QUIET, LOUD = (0.5, 3.0), (0.5, 7.0)


def study(size: int = 300, cells: int = 100) -> Figure:
    """Draw the chart, and two runs."""
    figure = plt.figure(figsize=(10.5, 7.6), layout="constrained")
    axes = figure.subplot_mosaic("AA;BC", height_ratios=(2.0, 1.0))
    chart = dl.feedback_chart(
        RHYTHM, gains=np.linspace(0, 8, cells), delays=np.linspace(0, 3, 2 * cells)
    )
    chart.plot(axes["A"])
    axes["A"].plot(*QUIET, "o", color="black", markersize=6)
    axes["A"].plot(*LOUD, "s", color="black", markersize=6)
    axes["A"].set_title("growth of synchrony over delay and gain", loc="left")
    draw(axes["B"], QUIET, size, title=f"circle: gain {QUIET[1]:g}")
    draw(axes["C"], LOUD, size, title=f"square: gain {LOUD[1]:g}, too much")
    return figure


def draw(ax: Axes, point: tuple[float, float], size: int, title: str) -> None:
    """Draw the order parameter before and after the stimulator is switched on."""
    feedback = dl.DelayedFeedback(gain=point[1], delay=point[0], onset=30.0)
    run = dl.simulate_feedback(
        RHYTHM, feedback=feedback, size=size, duration=60, step=0.025, seed=4
    )
    run.plot(ax)
    ax.set_title(title, loc="left")


if __name__ == "__main__":
    study(size=1000, cells=400).savefig("desynchronising_feedback.png", dpi=200)
