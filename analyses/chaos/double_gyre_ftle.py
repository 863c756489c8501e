"""What two rocking gyres tear apart, and what they draw together.

Shadden, Lekien and Marsden 2005, Physica D 212, 271, figure 5, where finite-time exponents were computed from
differences between neighbours on a grid; here each point carries the exact variational equation.  Red ridges part
neighbours within the next 15 units of time, blue ones hold what has come together in the last 15; fluid crosses
from one gyre to the other only in the lobes between them.  Below, a cloud that straddles a red ridge is torn; its colour says on which side a point was.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl

SPAN = 15.0


@dl.flow
def double_gyre(x=0.0, y=0.0, *, A=0.1, eps=0.25, omega=2 * np.pi / 10):
    """Shadden, Lekien and Marsden 2005, section 5."""
    a, pi = eps * dl.sin(omega * dl.t), np.pi
    f, slope = a * x**2 + (1 - 2 * a) * x, 2 * a * x + 1 - 2 * a
    along = -pi * A * dl.sin(pi * f) * dl.cos(pi * y)
    return {x: along, y: pi * A * dl.cos(pi * f) * dl.sin(pi * y) * slope}


def study(cells: int = 200) -> Figure:
    """Draw both fields, and a cloud before and after."""
    figure, panels = plt.subplots(2, 2, figsize=(13, 7.2), layout="constrained")
    plane = {"x": (0.0, 2.0, cells), "y": (0.0, 1.0, cells // 2)}
    forwards = dl.ftle_field(double_gyre, vary=plane, duration=SPAN)
    forwards.plot(panels[0, 0]).set_title("forwards: what will part", loc="left")
    backwards = dl.ftle_field(double_gyre, vary=plane, duration=-SPAN)
    backwards.plot(panels[0, 1]).set_title("backwards: what has gathered", loc="left")

    cloud = {"x": dl.Gaussian(1.12, 0.04), "y": dl.Gaussian(0.42, 0.05)}
    times = np.array([0.0, SPAN])
    run = dl.ensemble(double_gyre, starts=cloud, size=8000, seed=2, duration=SPAN, at=times)
    ridges = forwards["x"], forwards["y"], forwards.exponents.T
    panels[1, 0].contourf(*ridges, [0.3, 9.0], colors=["#F58B2B"], alpha=0.4)
    draw(panels[1, 0], run, place=0, title="a cloud at t = 0, on a ridge")
    draw(panels[1, 1], run, place=1, title=f"at t = {SPAN:g}")
    return figure


def draw(ax: plt.Axes, run: dl.Ensemble, place: int, title: str) -> None:
    """Draw where the cloud is, coloured by where it was."""
    x, y, side = run["x"][:, place], run["y"][:, place], run["x"][:, 0]
    ax.scatter(x, y, c=side, s=2, linewidths=0, cmap="coolwarm")
    ax.set(xlim=(0, 2), ylim=(0, 1), xlabel="$x$", ylabel="$y$")
    ax.set_title(title, loc="left")


if __name__ == "__main__":
    study(cells=900).savefig("double_gyre_ftle.png", dpi=200)
