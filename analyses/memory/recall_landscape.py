"""Recall is a descent: states of a graded memory run down its energy to the patterns.

Two orthogonal patterns are stored in the network of Hopfield 1984, Proc. Natl. Acad. Sci. 81, 3088.  In the plane of
the overlaps m1 and m2 a unit has the rate m1 + m2 if the patterns agree there, else m1 - m2, and the energy per unit is
-(m1^2 + m2^2) / 2 + (G(m1 + m2) + G(m1 - m2)) / (2 beta), G(s) = s atanh(s) + ln(1 - s^2) / 2.  The figure shows it as
a surface with four valleys, at the patterns and their negatives, and runs down to them from the top and from the
passes between, which are mixtures of both; their heights are the energies that dynlab finds along the runs.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from scipy.special import xlogy

import dynlab as dl

XI = np.array([[1, 1, 1, 1], [1, 1, -1, -1]]) * [1, -1, 1, -1]
BETA = 1.8


def surface(m1: np.ndarray, m2: np.ndarray) -> np.ndarray:
    """Return the energy per unit in the plane of two overlaps; nan where a rate would exceed 1."""
    rates = np.where(abs(m1) + abs(m2) > 1, np.nan, np.array([m1 + m2, m1 - m2]))
    own = (xlogy(1 + rates, 1 + rates) + xlogy(1 - rates, 1 - rates)).sum(axis=0) / 4
    return -(m1**2 + m2**2) / 2 + own / BETA


def descent(m: np.ndarray) -> np.ndarray:
    """Return overlaps and energy per unit along the run from a point of the plane."""
    memory = dl.zoo.hopfield_rates.on(XI.T @ XI / XI.shape[1])(beta=BETA)
    run = dl.integrate(memory, start={"s": m @ XI}, duration=25, at=np.linspace(0, 25, 300))
    return np.vstack([XI @ run["s"].T, dl.hopfield.energy_along(run).energy]) / XI.shape[1]


def study(starts: int = 28) -> Figure:
    """Draw the landscape, and runs that descend it."""
    ring = np.exp(1j * (2 * np.pi * np.arange(starts) / starts + 1e-3))
    passes = np.outer([1, 1j, -1, -1j], [0.46 + 0.53j, 0.53 + 0.46j]).ravel()
    runs = [descent(np.array([z.real, z.imag])) for z in (*(0.02 * ring), *passes)]
    ends = np.array([run[:, -1] for run in runs]).T
    u, v = np.meshgrid(np.linspace(-1, 1, 161), np.linspace(-1, 1, 161))
    ground, look = ((u + v) / 2, (u - v) / 2), {"cmap": "viridis", "vmin": -0.135, "vmax": 0.05}
    figure = plt.figure(figsize=(12, 5.2), layout="constrained", facecolor="white")
    hills = figure.add_subplot(1, 2, 1, projection="3d", computed_zorder=False)
    hills.plot_surface(*ground, surface(*ground), rcount=90, ccount=90, **look)
    [hills.plot(*run[:2], run[2] + 0.002, color="white", lw=1.2) for run in runs]
    hills.scatter(*ends, s=45, color="#D55E00", edgecolor="white", zorder=9)
    hills.view_init(elev=48, azim=-70)
    hills.set_box_aspect((1, 1, 0.5))
    plt.setp(hills, xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    hills.set(xlabel="overlap $m_1$", ylabel="overlap $m_2$", zlabel="$E / N$", zticks=[-0.1, 0])
    top = figure.add_subplot(1, 2, 2, aspect="equal")
    filled = top.contourf(*ground, surface(*ground), 20, **look)
    [top.plot(*run[:2], color="white", lw=1.1) for run in runs]
    top.plot(*ends[:2], "o", color="#D55E00", markeredgecolor="white", markersize=8)
    top.set(xlabel="overlap with the first pattern, $m_1$", ylabel="with the second, $m_2$")
    top.spines[["top", "right"]].set_visible(False)
    figure.colorbar(filled, ax=top, label="energy per unit, $E / N$", shrink=0.8)
    return figure
