"""Which of three magnets a pendulum comes to rest over: a figure of fractal basins.

Peitgen, Juergens and Saupe 1992, Chaos and Fractals, section 12.8 (Springer), draw the starts of a pendulum over
magnets in the colour of the magnet that it ends over.  Close to a magnet the outcome is certain.  Farther out
the basins are interwoven, and a part of the border shows as much structure as the whole.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl

HALF, HIGH = -0.5, np.sqrt(0.75)


@dl.flow
def magnets(x=1.0, y=0.0, u=0.0, v=0.0, *, friction=0.2, d=0.3):
    """Pulls that fall with the third power of the distance, and a spring to the middle."""
    first = ((x - 1) ** 2 + y**2 + d**2) ** -1.5
    second = ((x - HALF) ** 2 + (y - HIGH) ** 2 + d**2) ** -1.5
    third = ((x - HALF) ** 2 + (y + HIGH) ** 2 + d**2) ** -1.5
    return {
        x: u,
        y: v,
        u: -x - friction * u - (x - 1) * first - (x - HALF) * (second + third),
        v: -y - friction * v - y * first - (y - HIGH) * second - (y + HIGH) * third,
    }


def study(cells: int = 64) -> Figure:
    """Draw the basins of the pendulum let go at rest, and a part of them."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.0, 5.2), layout="constrained")
    found = dl.find_attractors(magnets, within={"x": (-2, 2), "y": (-2, 2)}, samples=60, seed=1)
    whole, part = {"x": (-2, 2), "y": (-2, 2)}, {"x": (0.4, 1.2), "y": (0.8, 1.6)}
    dl.basins(magnets, over=whole, cells=cells, attractors=found).plot(left)
    dl.basins(magnets, over=part, cells=cells, attractors=found).plot(right)
    left.add_patch(plt.Rectangle((0.4, 0.8), 0.8, 0.8, fill=False, linewidth=1.2, zorder=9))
    left.set_aspect("equal")
    right.set_aspect("equal")
    return figure


if __name__ == "__main__":
    study(cells=600).savefig("magnetic_pendulum_basins.png", dpi=200)
