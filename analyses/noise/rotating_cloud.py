"""A cloud that turns: a stationary density that does not move, the current that does, and the entropy it produces.

Qian 2001, Proc. R. Soc. Lond. A 457, 1645: x' = -x - w y, y' = w x - y with equal noise is round whatever w, but produces
entropy at the rate 2 w^2; shared noise tilts density and current.  The figure shows both, and the production over w.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.linalg import solve_continuous_lyapunov

import dynlab as dl

LOOKS = {0.0: ("own noise", "#0072B2"), 0.8: ("shared noise, r = 0.8", "#D55E00")}


@dl.flow
def linear(x=0.0, y=0.0, *, w=2.0):
    """Return to the middle at rate 1, turning at rate w."""
    return {x: -x - w * y, y: w * x - y}


@linear.with_noise(dl.Ito)
def whirl(x, y, *, r=0.0):  # type: ignore[no-untyped-def]
    """Noise of D = 1/2 for each state, correlated by r."""
    one, other = dl.sources("one other")
    return {x: one, y: r * one + dl.sqrt(1 - r**2) * other}


def closed(w: float, r: float) -> float:
    """Return tr[(A - D / S)' / D (A - D / S) S]."""
    A, D = np.array([[1, w], [-w, 1]]), np.array([[0.5, 0.5 * r], [0.5 * r, 0.5]])
    X = A - D @ np.linalg.inv(S := solve_continuous_lyapunov(A, 2 * D))
    return float(np.trace(X.T @ np.linalg.solve(D, X) @ S))


def draw(panels: list[Axes], r: float, grid: dl.Grid, turns: np.ndarray) -> None:
    """Draw the current for one noise, and its entropy production over the turning rate."""
    (name, c), fine = LOOKS[r], np.linspace(0, 3, 100)
    found = [dl.stationary_current(whirl(w=float(w), r=r), grid=grid) for w in (2, *turns)]
    panels[0].set_title(f"{name}: {found[0].entropy_production:.1f} per time", loc="left")
    found[0].plot(panels[0]).set(xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), aspect="equal")
    panels[1].plot(fine, [closed(w, r) for w in fine], color=c, label=name)
    panels[1].plot(turns, [f.entropy_production for f in found[1:]], "o", color=c, markersize=4)


def study(cells: int = 64, points: int = 4) -> Figure:
    """Draw two currents and the entropy production."""
    figure, panels = plt.subplots(1, 3, figsize=(15, 4.6), layout="constrained")
    grid, turns = dl.Grid(x=(-4, 4, cells), y=(-4, 4, cells)), np.linspace(0, 3, points)
    _ = [draw([panels[k], panels[2]], r, grid, turns) for k, r in enumerate(LOOKS)]
    panels[2].set(xlabel="turning rate $w$", ylabel="entropy production")
    panels[2].legend(title="cells: points; closed form: lines", frameon=False)
    return figure


if __name__ == "__main__":
    study(cells=160, points=13).savefig("rotating_cloud.png", dpi=200)
