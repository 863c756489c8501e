"""Early warning of a fold: what noise says before grazing tips a pasture, and how long it stays.

May 1977, Nature 269, 471; Scheffer and others 2009, Nature 461, 53.  The figure shows the resting states with a noisy run whose grazing
rises until it tips; the variance along the branch (line) and in windows of the run (points, tested with surrogates); and
Kramers' formula for the mean time to tip, over the exact time.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl

BLUE, RED, INK, WITHIN = "#0072B2", "#D55E00", "#1A1A1A", {"x": (0.05, 12)}


@dl.flow
def grazing(x=9.0, *, c=1.5):
    return {x: x * (1 - x / 10) - c * x**2 / (1 + x**2)}


def study(duration: float = 4000.0) -> Figure:
    """Draw the branch, the variance and the times."""
    figure, panels = plt.subplots(1, 3, figsize=(14, 4.2), layout="constrained")
    high = dl.find_equilibria(grazing, within=WITHIN).single()
    branch = dl.continue_equilibrium(high, vary="c", over=(1.2, 3.0))
    drifting = dl.system({"x": "x*(1 - x/10) - c*x**2/(1 + x**2)", "c": "0.000285"})
    run = dl.simulate(drifting.with_noise(x=0.12), start={"x": 8.0, "c": 1.5}, duration=duration,
                      at=np.arange(duration), method=dl.SRA1(step=0.05), seed=2)  # fmt: skip
    branch.plot(panels[0], show="x").set_title("grazing rises until it tips", loc="left")
    panels[0].plot(run["c"], run["x"], color=BLUE, linewidth=0.5, alpha=0.7, zorder=0)

    signs = dl.warning_signs(run["x"][:3300], window=500, smoothing=120, surrogates=99, seed=1)
    warning = dl.early_warning(grazing.with_noise(x=0.12), along=branch)
    upper = warning.states[:, 0] > 4
    panels[1].semilogy(warning["c"][upper], warning["x"][upper], color=INK, label="from Jacobians")
    panels[1].semilogy(run["c"][signs.times.astype(int) - 250], signs.variance, ".", color=BLUE,
                       label=f"in windows of the run, p = {signs.p_values[0]:.2g}")  # fmt: skip
    panels[1].set(xlabel="grazing $c$", ylabel="variance", xlim=(1.5, 2.7))
    exact, first, second = np.array([times_at(c) for c in np.linspace(2.3, 2.52, 8)]).T
    panels[2].semilogx(exact, first / exact, "o-", color=RED, label="Kramers")
    panels[2].semilogx(exact, second / exact, "o-", color=BLUE, label="with the next order")
    panels[2].set(xlabel="exact mean time to tip, noise 0.2", ylabel="formula / exact")
    _ = [ax.legend(frameon=False, fontsize=9) for ax in panels[1:]]
    return figure


def times_at(c: float) -> list[float]:
    """Return the mean time to tip: exact, by Kramers' formula, and by its next order."""
    noisy, found = grazing(c=c).with_noise(x=0.2), dl.find_equilibria(grazing(c=c), within=WITHIN)
    low, top, high = sorted(found, key=lambda p: p["x"])
    cells = dl.Grid(x=(0.2, 12, 512))
    exact = dl.escape_time(noisy, start=high.start, beyond=low.start, grid=cells)
    rate = dl.kramers_rate(noisy, well=high, saddle=top)
    return [exact.value, rate.time, 1 / rate.corrected_rate]


if __name__ == "__main__":
    study().savefig("fold_warning.png", dpi=200)
