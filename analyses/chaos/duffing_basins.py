"""Basins of a driven beam between two magnets, and where they become fractal: a figure in two panels.

Duffing's oscillator with a weak drive swings in one of two wells.  Moon and Li 1985, Phys. Rev. Lett. 55, 1439, saw
the smooth border between the basins become fractal as the drive grows past the point where the stable and
unstable manifolds of the saddle meet (Holmes 1979, Phil. Trans. R. Soc. A 292, 419: Melnikov's criterion,
F = 0.113 for this friction and frequency).  The starts are at phase zero of the drive.
"""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

import dynlab as dl


@dl.flow
def duffing(x=1.0, v=0.0, phase: dl.Angle = 0.0, *, friction=0.15, F=0.05, omega=1.0):
    """A beam between two magnets, shaken."""
    return {x: v, v: x - x**3 - friction * v + F * dl.cos(phase), phase: omega}


def study(cells: int = 80) -> Figure:
    """Draw the basins below and above the drive at which their border becomes fractal."""
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(10.0, 4.6), sharey=True, layout="constrained"
    )
    over = {"x": (-2, 2), "v": (-1.6, 1.6)}
    smooth = dl.basins(duffing(F=0.05), over=over, cells=cells, seed=1)
    fractal = dl.basins(duffing(F=0.2), over=over, cells=cells, seed=1)
    smooth.plot(left)
    fractal.plot(right)
    left.set_title("F = 0.05", loc="left")
    right.set_title("F = 0.2", loc="left")
    return figure


if __name__ == "__main__":
    study(cells=600).savefig("duffing_basins.png", dpi=200)
