"""Where orbits of the logistic map go, and how fast they part.

May 1976, Nature 261, 459; Feigenbaum 1978, J. Stat. Phys. 19, 25.  Above, the orbit diagram: what an orbit
visits after a transient, darker where it comes often.  Below, the Lyapunov exponent of the same orbits: it
touches zero at each doubling, and is positive where the diagram is a band, but for windows.  At r = 4 it is
ln 2.  The figure shows that each window of the one is a dip of the other.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo


def study(columns: int = 1200, steps: int = 600) -> Figure:
    """Draw the orbit diagram over the exponent, for r from 2.9 to 4."""
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(7.2, 6.4), sharex=True, layout="constrained",
        gridspec_kw={"height_ratios": [2.2, 1]},
    )  # fmt: skip
    r = np.linspace(2.9, 4.0, columns)
    diagram = dl.orbit_diagram(
        zoo.logistic, vary="r", over=r, start={"x": 0.4}, transient=600, duration=steps
    )
    diagram.plot(above)
    above.set_xlabel("")

    chart = dl.exponent_chart(
        zoo.logistic, vary={"r": r}, start={"x": 0.4}, duration=4 * steps, transient=600
    )
    chart.plot(below)
    below.plot(4.0, np.log(2), "o", color="#1A1A1A", markersize=4.5, clip_on=False, zorder=5)
    below.annotate(
        "ln 2", (4.0, np.log(2)), xytext=(-8, -1), textcoords="offset points", ha="right"
    )
    below.set(ylabel="exponent (1/step)", ylim=(-1.5, 0.9), xlim=(r[0], r[-1]))
    return figure


if __name__ == "__main__":
    study().savefig("logistic_orbit_diagram.png", dpi=200)
