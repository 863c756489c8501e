"""A Brownian particle on a tilted washboard: how fast it drifts, how it spreads, what it costs.

Reimann et al. 2001, Phys. Rev. Lett. 87, 010602, figure 1: near the tilt at which the barriers vanish (force 1) the effective
diffusion is far above the free one, the more so the weaker the noise.  The figure shows, over the force and for three
strengths of noise, the mean velocity, the effective diffusion over the free one, and the entropy produced per unit of time,
which is the force times the velocity over D; it vanishes without force alone.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl

STRENGTHS = {0.02: "#0072B2", 0.1: "#D55E00", 0.5: "#1A1A1A"}
RING = dl.Grid(x=(0, 2 * np.pi, 512)).with_walls(x=dl.Periodic())


@dl.flow
def washboard(x: dl.Angle = 0.0, *, force=1.0):
    """Overdamped motion in the potential -cos x - force x."""
    return {x: force - dl.sin(x)}


def moved(force: float, D: float) -> tuple[float, float, float]:
    """Return mean velocity, effective diffusion over D, and entropy production."""
    noisy = washboard(force=force).with_noise(x=float(np.sqrt(2 * D)))
    transport = dl.ring_transport(noisy, along="x", grid=RING)
    current = dl.stationary_current(noisy, grid=RING)
    return transport.velocity, transport.diffusion / D, current.entropy_production


def study(points: int = 21) -> Figure:
    """Draw velocity, effective diffusion and entropy production against the force."""
    figure, panels = plt.subplots(1, 3, figsize=(14, 4.4), layout="constrained")
    forces = np.linspace(0, 2, points)
    rows = {D: np.array([moved(float(f), D) for f in forces]).T for D in STRENGTHS}
    _ = [
        panels[0].plot(forces, rows[D][0], color=c, label=f"D = {D:g}")
        for D, c in STRENGTHS.items()
    ]
    _ = [panels[1].semilogy(forces, rows[D][1], color=c) for D, c in STRENGTHS.items()]
    _ = [panels[2].semilogy(forces[1:], rows[D][2][1:], color=c) for D, c in STRENGTHS.items()]
    slide = np.sqrt(np.maximum(forces**2 - 1, 0))
    panels[0].plot(forces, slide, "--", color="0.55", label="no noise")
    panels[0].legend(frameon=False)
    panels[0].set(ylabel=r"mean velocity $\langle v \rangle$")
    panels[1].set(ylabel=r"effective diffusion $D_{\mathrm{eff}} / D$", ylim=(0.1, 40))
    panels[2].set(ylabel=r"entropy production $F \langle v \rangle / D$", ylim=(1e-3, 300))
    titles = ("it drifts", "it spreads most at the critical tilt", "what it costs")
    _ = [ax.set_title(title, loc="left") for ax, title in zip(panels, titles, strict=True)]
    _ = [ax.set(xlabel="force $F$") for ax in panels]
    _ = [ax.axvline(1, color="0.85", linewidth=0.8, zorder=0) for ax in panels]
    _ = [ax.spines[["top", "right"]].set_visible(False) for ax in panels]
    return figure


if __name__ == "__main__":
    study(points=101).savefig("tilted_ring.png", dpi=200)
