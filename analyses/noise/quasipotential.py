"""Where no potential exists: the quasipotential of Maier and Stein's system, and the way that weak noise takes over it.

Maier and Stein 1993, Phys. Rev. Lett. 71, 1783.  For alpha = 1 the system is a gradient and noise leaves along the axis; beyond
alpha = 4 the way of least action bends away, cheaper.  The figure shows the level sets of the quasipotential for both with that way
(red) and the flow (grey), and its action over alpha beside the 1/2 of the axis.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl

BOX = {"u": (-1.7, 0.25), "v": (-0.9, 0.9)}


@dl.flow
def maier_stein(u=-1.0, v=0.0, *, alpha=1.0):
    """Two wells at u = -1 and 1, a saddle between, whatever alpha."""
    return {u: u - u**3 - alpha * u * v**2, v: -(1 + u**2) * v}


def study(places: int = 65) -> Figure:
    """Draw both landscapes and the action over alpha."""
    figure, panels = plt.subplots(1, 3, figsize=(14.5, 4.2), layout="constrained")
    well, saddle = sorted(dl.find_equilibria(maier_stein, within=BOX), key=lambda p: p["u"])
    draw(panels[0], 1.0, (well, saddle), places)
    draw(panels[1], 10.0, (well, saddle), places)
    values = np.array([1, 3, 4, 4.5, 5, 7, 9, 11])
    panels[2].plot(values, [way(a, well, saddle).action for a in values], "o-", color="#D55E00")
    panels[2].axhline(0.5, color="#0072B2", linestyle="--", label="along the axis")
    panels[2].axvline(4.0, color="0.6", linestyle=":")
    panels[2].set(xlabel=r"$\alpha$", ylabel="action of the escape", ylim=(0.28, 0.52))
    panels[2].set_title("a cheaper way from $\\alpha = 4$ on", loc="left")
    panels[2].legend(frameon=False, loc="lower left")
    return figure


def way(alpha: float, well: dl.Equilibrium, saddle: dl.Equilibrium) -> dl.LeastActionPath:
    """Return the way of least action from the well to the saddle, for noise of amplitude 1."""
    noisy = maier_stein(alpha=alpha).with_noise(u=1, v=1)
    return dl.least_action_path(noisy, start=well, to=saddle, places=60)


def draw(ax: Axes, alpha: float, ends: tuple[dl.Equilibrium, ...], places: int) -> None:
    """Draw level sets, flow and way."""
    noisy = maier_stein(alpha=alpha).with_noise(u=1, v=1)
    dl.quasipotential(noisy, at=ends[0], within=BOX, places=places).plot(ax)
    u, v = np.meshgrid(np.linspace(*BOX["u"], 30), np.linspace(*BOX["v"], 30))
    drift = u - u**3 - alpha * u * v**2, -(1 + u**2) * v
    ax.streamplot(u, v, *drift, color="0.45", linewidth=0.6, arrowsize=0.7, density=0.9)
    way(alpha, *ends).plot(ax)
    ax.set(xlim=BOX["u"], ylim=BOX["v"], title=f"$\\alpha = {alpha:g}$")


if __name__ == "__main__":
    study().savefig("quasipotential.png", dpi=200)
