"""Shrimps: islands of order in the sea of chaos, all of one shape.

Gallas 1993, Phys. Rev. Lett. 70, 2714, found them in the plane of the two parameters of Henon's map.  In the figure, left, the
largest Lyapunov exponent of x -> a - x^2 + b y, y -> x: blue is periodic, black superstable, yellow to red
chaotic, grey escapes.  Middle, one shrimp, with the superstable arcs that cross in its head.  Right, the periods: its
body has 5, which doubles towards the inside of each leg; smaller shrimps line up between them.  Each picture is one
call; what a cell shows does not depend on the other cells.
"""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

import dynlab as dl

WHOLE = {"a": (0.95, 2.05), "b": (-0.2, 0.5)}
ONE = {"a": (1.41, 1.62), "b": (0.09, 0.29)}


@dl.iterated_map
def henon(x=0.0, y=0.0, *, a=1.4, b=0.3):
    """Henon's map in the coordinates of Gallas."""
    return {x: a - x**2 + b * y, y: x}


def study(cells: int = 200) -> Figure:
    """Draw the plane, one shrimp, and its periods."""
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(19, 5.2), layout="constrained")
    settings = {"transient": 4000, "duration": 3200}
    dl.exponent_chart(henon, vary=grid(WHOLE, cells), **settings).plot(left)
    dl.exponent_chart(henon, vary=grid(ONE, cells), **settings).plot(middle)
    dl.attractor_chart(henon, vary=grid(ONE, cells), **settings).plot(right)
    (a, width), (b, height) = ((low, high - low) for low, high in ONE.values())
    left.add_patch(plt.Rectangle((a, b), width, height, fill=False, color="white", linewidth=1.2))
    left.set_title("the plane", loc="left")
    middle.set_title("one shrimp", loc="left")
    right.set_title("its periods", loc="left")
    return figure


def grid(window: dict[str, tuple[float, float]], cells: int) -> dict[str, tuple[float, float, int]]:
    """Return the axes of a chart."""
    return {name: (low, high, cells) for name, (low, high) in window.items()}


if __name__ == "__main__":
    study(cells=900).savefig("shrimps.png", dpi=200)
