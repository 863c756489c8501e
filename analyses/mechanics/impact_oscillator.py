"""An oscillator that hits a wall: from hitting once a turn to not reaching the wall at all.

Shaw and Holmes 1983, J. Sound Vib. 90, 129; the last touch: Nordmark 1991, J. Sound Vib. 145, 279.
Left the least and greatest speed as the wall moves away.  The cycle that hits turns back at a fold; its unstable
part ends where the wall is as far as the free oscillation reaches, with an impact of no speed.  From there
to the fold both motions are stable.  At the other end the cycle touches the wall once more on its way.
The right panel of the figure shows the cycles in the phase plane, the unstable ones dashed; each ends at its
wall, where the impact throws it back.  Grey: the free oscillation.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dynlab as dl

GAPS = (-0.3, -0.1, 0.1, 0.3, 0.45, 0.6, 0.75)
colors = plt.Normalize(-0.4, 0.85)


@dl.flow
def driven(x=0.0, v=0.0, *, zeta=0.05, w=1.8):
    return {x: v, v: -2 * zeta * v - x + dl.cos(w * dl.t)}


@driven.with_event(when=lambda x, gap: x - gap, direction=+1, name="impact")
def oscillator(x, v, *, r=0.8, gap=0.0):
    return {v: -r * v}


def study() -> Figure:
    """Draw the branch of impacting cycles, and some of them."""
    figure, (speeds, plane) = plt.subplots(1, 2, figsize=(13, 5), layout="constrained")
    hitting = dl.find_cycle(oscillator.with_phase(theta="w"))
    branch = dl.continue_cycles(hitting, vary="gap", over=(-1, 2))
    branch.plot(speeds, show="v")
    reach = 1 / np.hypot(1 - 1.8**2, 0.1 * 1.8)
    speeds.hlines([-1.8 * reach, 1.8 * reach], reach, 1, color="0.6", linewidth=3)
    [speeds.axvline(end.value, color="0.8", linewidth=1, zorder=0) for end in branch.ends]
    speeds.set(xlabel="distance of the wall", ylabel="range of the speed $v$", xlim=(-0.4, 1))

    turn = np.linspace(0, 2 * np.pi, 200)
    plane.plot(reach * np.cos(turn), 1.8 * reach * np.sin(turn), color="0.6", linewidth=3)
    [draw_cycle(plane, cycle) for gap in GAPS for cycle in branch.at(gap=gap)]
    plane.set(xlabel="position $x$", ylabel="speed $v$")
    shades = plt.cm.ScalarMappable(colors, "viridis")
    figure.colorbar(shades, ax=plane, label="distance of the wall")
    return figure


def draw_cycle(ax: Axes, cycle: dl.Cycle) -> None:
    line = cycle.portrait(ax, x="x", y="v").lines[-1]
    style = "-" if cycle.is_stable else (0, (4, 2))
    line.set(color=plt.cm.viridis(colors(cycle["gap"])), linestyle=style)


if __name__ == "__main__":
    study().savefig("impact_oscillator.png", dpi=200)
