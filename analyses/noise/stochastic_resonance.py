"""Stochastic resonance: a weak rhythm is amplified most by noise of the right strength.

McNamara and Wiesenfeld 1989, Phys. Rev. A 39, 4854; Gammaitoni, Hanggi, Jung and Marchesoni 1998, Rev. Mod. Phys. 70, 223.  The figure shows
the amplification of the power at the frequency of a weak drive over the strength of the noise: left exactly (linear response of
the density, line) and for two states that exchange at Kramers' rate (dashed) or that of its next order (dotted); right exactly, at
four frequencies: the slower the rhythm, the higher and the earlier.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

import dynlab as dl

FREQUENCIES, BLUE, RED = (0.01, 0.003, 0.03, 0.1), "#0072B2", "#D55E00"
CELLS = dl.Grid(x=(-2.6, 2.6, 256))


@dl.flow
def double_well(x=-1.0):
    return {x: x - x**3}


WELL, TOP, _ = sorted(
    dl.find_equilibria(double_well, within={"x": (-2, 2.1)}), key=lambda p: p["x"]
)


def study(points: int = 16) -> Figure:
    """Draw the amplification over the noise."""
    figure, panels = plt.subplots(1, 2, figsize=(10.5, 4.2), layout="constrained")
    strengths = np.geomspace(0.04, 0.12, points)
    exact = np.array([response(D) for D in strengths])
    leading, better = np.array([two_states(D) for D in strengths]).T
    panels[0].plot(strengths, exact[:, 0], color=BLUE, label="linear response")
    panels[0].plot(strengths, leading, "--", color=RED, label="two states, Kramers' rate")
    panels[0].plot(strengths, better, ":", color=RED, label="two states, its next order")
    panels[0].set_title(rf"at the frequency $\omega$ = {FREQUENCIES[0]}", loc="left")
    order = np.argsort(FREQUENCIES)
    names = [rf"$\omega$ = {FREQUENCIES[k]}" for k in order]
    panels[1].semilogy(strengths, exact[:, order], label=names)
    panels[1].set_title("slower is more", loc="left")
    _ = [ax.set(xlabel="strength $D$ of the noise", ylabel="amplification") for ax in panels]
    _ = [ax.legend(frameon=False, fontsize=9) for ax in panels]
    return figure


def response(D: float) -> np.ndarray:
    """Return |chi|^2 at each frequency."""
    noisy = double_well.with_noise(x=(2 * D) ** 0.5)
    found = dl.susceptibility(noisy, of="x", to="x", frequencies=FREQUENCIES, grid=CELLS)
    return np.abs(found.values) ** 2


def two_states(D: float) -> list[float]:
    """Return it of two states at the first frequency: Kramers' rate, and its next order."""
    found = dl.kramers_rate(double_well.with_noise(x=(2 * D) ** 0.5), well=WELL, saddle=TOP)
    rates = np.array([found.rate, found.corrected_rate])
    return list(np.abs(2 * rates / (2 * rates - 1j * FREQUENCIES[0]) / D) ** 2)
