"""Networks of all sizes on one curve: the finite-size scaling of synchrony.

Hong, Chate, Park and Tang 2007, Phys. Rev. Lett. 99, 184101: near the onset the order of N oscillators
with frequencies drawn at random is r = N^(-1/5) F((K - K_c) N^(2/5)).  The figure shows the order, averaged over draws, of four sizes on the
left, and on the right the same numbers scaled: they fall together near the onset and part where order saturates.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl
from dynlab import zoo

ONSET = dl.synchrony_onset(dl.Gaussian(0, 1)).value
COUPLINGS = np.linspace(1.1, 2.3, 9)


def mean_order(size: int, draws: int, duration: float) -> np.ndarray:
    """Return the order against coupling, averaged over draws."""
    rule = zoo.kuramoto.on(dl.AllToAll(size))
    swarms = [rule.draw(omega=dl.Gaussian(0, 1), seed=k) for k in range(draws)]
    centred = [swarm(omega=swarm["omega"] - swarm["omega"].mean()) for swarm in swarms]
    given = {"vary": "K", "over": COUPLINGS, "duration": duration, "transient": duration / 2}
    return np.mean([dl.synchrony_curve(s, **given, seed=7).up for s in centred], axis=0)


def study(sizes=(50, 100, 200), draws: int = 4, duration: float = 30.0) -> Figure:
    """Draw the order of several sizes, plain and scaled."""
    figure, (plain, scaled) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    orders = [mean_order(n, draws, duration) for n in sizes]
    shades = plt.get_cmap("viridis")(np.linspace(0.1, 0.8, len(sizes)))
    looks = [
        {"color": c, "label": f"$N = {n}$", "ms": 4} for n, c in zip(sizes, shades, strict=True)
    ]
    near = COUPLINGS - ONSET
    runs = list(zip(sizes, orders, looks, strict=True))
    [plain.plot(COUPLINGS, r, "o-", **look) for n, r, look in runs]
    [scaled.plot(near * n**0.4, r * n**0.2, "o-", **look) for n, r, look in runs]
    plain.axvline(ONSET, color="0.5", linewidth=0.9, linestyle="--")
    scaled.axvline(0, color="0.5", linewidth=0.9, linestyle="--")
    plain.set(xlabel="coupling $K$", ylabel="order $r$", ylim=(0, 1))
    scaled.set(xlabel=r"$(K - K_c)\, N^{2/5}$", ylabel=r"$r\, N^{1/5}$")
    plain.legend(frameon=False)
    [ax.spines[["top", "right"]].set_visible(False) for ax in (plain, scaled)]
    return figure


if __name__ == "__main__":
    study((100, 200, 400, 800), draws=30, duration=100.0).savefig(
        "finite_size_scaling.png", dpi=200
    )
