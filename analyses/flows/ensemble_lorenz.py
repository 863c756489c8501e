"""How far ahead can one see?  It depends on where one stands.

After Palmer 1993, Bull. Amer. Meteor. Soc. 74, 49, who started small clouds at three places on Lorenz'
attractor.  One stays together for a turn and more; one is drawn out along the attractor; one is parted
into both wings.  The figure shows above where 4000 members are at nine times, from dark to bright,
and below their spread (the root of the sum of the variances) beside growth at the mean rate, the
largest Lyapunov exponent 0.906.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

MEMBERS, WIDTH, EXPONENT = 4000, 0.15, 0.906
TIMES = np.linspace(0, 2.0, 161)
ROWS = {"height_ratios": (2, 1), "sharex": "row", "sharey": "row"}


def study(starts: tuple[float, ...] = (22.1, 37.35, 23.6)) -> Figure:
    """Start a cloud at three times of one long run, and draw where its members go."""
    figure, panels = plt.subplots(2, 3, figsize=(13, 7.4), layout="constrained", **ROWS)
    attractor = dl.integrate(zoo.lorenz, duration=80, at=np.linspace(20, 80, 24001))
    draw(panels[:, 0], attractor, centre=attractor.at(starts[0]), title="in sight for long")
    draw(panels[:, 1], attractor, centre=attractor.at(starts[1]), title="drawn out")
    draw(panels[:, 2], attractor, centre=attractor.at(starts[2]), title="parted")
    panels[0, 0].set_ylabel("$z$")
    panels[1, 0].set_ylabel("spread")
    panels[1, 0].legend(frameon=False)
    return figure


def draw(panels: list[Axes], attractor: dl.Trajectory, centre: dl.Trajectory, title: str) -> None:
    """Draw a cloud that starts around a state, on the attractor and as its spread over time."""
    starts = {name: dl.Gaussian(centre[name][0], WIDTH) for name in "xyz"}
    cloud = dl.ensemble(zoo.lorenz, starts=starts, size=MEMBERS, seed=1, duration=2.0, at=TIMES)
    panels[0].plot(attractor["x"], attractor["z"], color="0.85", linewidth=0.5)
    panels[0].scatter(cloud["x"][:, ::20], cloud["z"][:, ::20], c=np.tile(TIMES[::20], (MEMBERS, 1)),
                      s=2, linewidths=0, zorder=3, cmap="plasma")  # fmt: skip
    panels[0].set_title(title, loc="left")
    panels[0].set_xlabel("$x$")

    spread = np.sqrt(cloud["x"].var(axis=0) + cloud["y"].var(axis=0) + cloud["z"].var(axis=0))
    panels[1].semilogy(TIMES, spread, color="tab:purple", linewidth=2, label="of the cloud")
    mean = spread[0] * np.exp(EXPONENT * TIMES)
    panels[1].semilogy(TIMES, mean, "--", color="0.5", label="at the mean rate")
    panels[1].set_xlabel("$t$")


if __name__ == "__main__":
    study().savefig("ensemble_lorenz.png", dpi=200)
