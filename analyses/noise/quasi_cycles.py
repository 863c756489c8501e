"""Quasi-cycles: noise keeps a stable focus turning, and linear theory says how fast and how regularly.

McKane and Newman 2005, Phys. Rev. Lett. 94, 218102; here for the predators of Rosenzweig and MacArthur 1963, Am. Nat. 97, 209, with
noise per head.  The figure shows both species in time, the spectrum of the prey from 300 simulated paths (points) and from the
Jacobian alone (lines) at three distances from the Hopf point, and the variance that grows towards it.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl

STRENGTHS, WITHIN = (0.8, 0.95, 1.05), {"x": (0.05, 0.9), "y": (0.05, 2)}


@dl.flow
def predators(x=0.4, y=0.6, *, K=1.0, h=0.5, m=0.4):
    """Prey, and hunters with saturation."""
    eaten = x * y / (x + h)
    return {x: x * (1 - x / K) - eaten, y: eaten - m * y}


NOISY = predators.with_noise(dl.Ito)(lambda x, y: {x: dl.sqrt(x) / 100, y: dl.sqrt(y) / 100})


def study(size: int = 300) -> Figure:
    """Draw the paths, spectra and the warning."""
    figure, panels = plt.subplots(1, 3, figsize=(14, 4.2), layout="constrained")
    rest = dl.find_equilibria(predators, within=WITHIN).single()
    path = dl.simulate(NOISY, start=rest.start, duration=200, method=dl.SRIW1(step=0.05), seed=3)
    path.plot(panels[0], show=("x", "y")).set_title("a focus that never rests", loc="left")
    _ = [draw(panels[1], K, size, color) for K, color in zip(STRENGTHS, "cbk", strict=True)]
    panels[1].set(xlabel=r"angular frequency $\omega$", ylabel="power of the prey")
    panels[1].set(xlim=(0, 1), ylim=(8e-5, 0.2))
    panels[1].set_title("simulated (points) and from the Jacobian", loc="left")
    panels[1].legend(frameon=False, fontsize=9)
    branch = dl.continue_equilibrium(rest, vary="K", over=(0.75, 1.5))
    dl.early_warning(NOISY, along=branch).plot(panels[2]).set_title("what it warns of", loc="left")
    return figure


def draw(ax: Axes, K: float, size: int, color: str) -> None:
    """Draw the spectrum of the prey at one capacity, from paths and from theory."""
    rest = dl.find_equilibria(predators(K=K), within=WITHIN).single()
    theory = dl.linear_noise(NOISY(K=K), at=rest)
    cloud = dl.ensemble(NOISY(K=K), size=size, at=100 + 0.4 * np.arange(1024), duration=510,
                        starts=rest.start, method=dl.SRIW1(step=0.1), seed=5)  # fmt: skip
    late, taper = np.asarray(cloud["x"]) - rest["x"], np.hanning(1024)
    power = np.mean(np.abs(np.fft.rfft(late * taper)) ** 2, axis=0) * 0.4 / np.sum(taper**2)
    omega, smooth = 2 * np.pi * np.fft.rfftfreq(1024, 0.4), np.linspace(0, 1, 400)
    ax.semilogy(omega[1:], power[1:], ".", color=color, markersize=4)
    ax.plot(smooth, theory.power_spectrum("x", at=smooth), color=color, linewidth=1.8,
            label=f"K = {K:g}, quality {theory.quality_factor:.1f}")  # fmt: skip


if __name__ == "__main__":
    study().savefig("quasi_cycles.png", dpi=200)
