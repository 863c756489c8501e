"""A chimera: identical oscillators, equally coupled, of which one part is in step and the other is not.

Abrams and Strogatz 2004, Phys. Rev. Lett. 93, 174102, figures 1 and 2, after Kuramoto and Battogtokh 2002.  The upper figure
shows the phases on a ring at one time, coloured by how far neighbours agree.  Below, the mean frequency of each
oscillator in the run (dots) and for infinitely many of them (line): in step they turn together, outside they
drift past, the faster the further away.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

A, B = 0.995, 0.18


def study(size: int = 128, duration: float = 200.0) -> Figure:
    """Draw a snapshot, and the frequencies along the ring."""
    x = 2 * np.pi * np.arange(size) / size - np.pi
    ring = zoo.ring_of_oscillators.on(dl.AllToAll(size))(x=x, A=A, b=B)
    spread = np.random.default_rng(1).uniform(-0.5, 0.5, size)
    start = {"theta": 6 * np.exp(-0.76 * x**2) * spread}
    quick = dl.Explicit8(rtol=1e-6, atol=1e-8)
    run = dl.integrate(
        ring, start=start, duration=duration, at=np.linspace(0, duration, 401), method=quick
    )

    figure, (above, below) = plt.subplots(2, 1, figsize=(8.5, 6.4), layout="constrained")
    dl.ring_snapshot(run, "theta", at=duration, reach=max(size // 50, 2)).plot(above)
    above.set_title(f"phases of {size} oscillators at t = {duration:g}", loc="left")
    theta = run["theta"]
    seen = (theta[-1] - theta[200]) / (duration / 2)
    theory = dl.ring_chimera(A=A, b=B)
    middle = np.angle(-np.sum((seen - seen.min()) * np.exp(1j * x)))
    below.plot(theory.x, theory.frequencies, color="#D55E00")
    below.plot(np.angle(np.exp(1j * (x - middle))), seen, "o", color="#0072B2", markersize=3)
    below.set(xlabel="place, from the middle of the stretch in step", ylabel="mean frequency")
    below.set_xlim(-np.pi, np.pi)
    below.set_xticks([-np.pi, 0, np.pi], [r"$-\pi$", "0", r"$\pi$"])
    below.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    study(size=256, duration=2000.0).savefig("chimera_on_a_ring.png", dpi=200)
