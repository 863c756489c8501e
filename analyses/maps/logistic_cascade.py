"""The road to chaos, and the cycles that stay behind on it.

May 1976, Nature 261, 459; Feigenbaum 1978, J. Stat. Phys. 19, 25.  Dots are orbits of
the logistic map after a transient, as in every textbook.  The lines are followed, not simulated: a
cycle is drawn on, dashed, after it has lost its stability at a period doubling.  Left, the first four
doublings; the ratio of their distances tends to 4.6692.  Right, the lowest third of the window of
period three: a cycle is born at a fold, r = 1 + sqrt 8, and doubles in turn.  The figure puts the
diagram of orbits and the diagram of cycles on one another.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo


@dl.iterated_map
def many(x: dl.PerNode = 0.3, *, r: dl.PerNode = 4.0):
    """Logistic maps side by side, each with its own r."""
    i = dl.nodes("i")
    return {x[i]: r[i] * x[i] * (1 - x[i])}


def study(columns: int = 900) -> Figure:
    """Draw the cascade over (2.8, 4) and the window of period three."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5.2), layout="constrained")

    cascade = dl.bifurcation_diagram(zoo.logistic, vary="r", over=(2.8, 4.0), within={"x": (0, 1)})
    left.set(xlim=(2.8, 4.0), ylim=(0, 1))
    cascade.plot(left)
    draw_orbits(left, np.linspace(2.8, 4.0, columns), kept=150)
    r = [point["r"] for point in cascade.points(dl.PeriodDoubling)]
    ratio = (r[2] - r[1]) / (r[3] - r[2])
    left.set_title(f"doublings of period 1, 2, 4, 8: last ratio {ratio:.4f}", loc="left")

    birth = dl.find_periodic_orbits(zoo.logistic(r=3.84), period=3, within={"x": (0, 1)})[0]
    three = dl.continue_equilibrium(birth, vary="r", over=(3.82, 3.8567))
    six = dl.switch_branch(three.points(dl.PeriodDoubling).single(), over=(3.82, 3.8567))
    twelve = dl.switch_branch(six.points(dl.PeriodDoubling)[-1], over=(3.82, 3.8567))
    right.set(xlim=(3.82, 3.8567), ylim=(0.12, 0.18))
    dl.Diagram(three, six, twelve).plot(right)
    draw_orbits(right, np.linspace(3.82, 3.8567, columns), kept=900)
    right.set_title("the window of period three, lowest of its three bands", loc="left")
    return figure


def draw_orbits(ax: plt.Axes, r: np.ndarray, kept: int) -> None:
    """Draw the last states of an orbit for each r as pale dots."""
    x = dl.iterate(many.on(len(r))(r=r), duration=1000 + kept).values[1000:]
    ax.plot(np.tile(r, len(x)), x.ravel(), ",", color="#56B4E9", alpha=0.3, rasterized=True)


if __name__ == "__main__":
    study().savefig("logistic_cascade.png", dpi=200)
