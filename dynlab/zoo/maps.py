"""Iterated maps."""

from dynlab.symbolic.define import iterated_map


@iterated_map
def logistic(x=0.3, *, r=3.7):
    """Breeding season by season; the period-doubling road to chaos.

    May 1976, Nature 261, 459, eq 3.

    Famous for Feigenbaum's cascade, which ends at r = 3.5699, and for the window of period 3.
    """
    return {x: r * x * (1 - x)}


@iterated_map
def henon(x=0.0, y=0.0, *, a=1.4, b=0.3):
    """Stretch and fold in the plane with constant contraction.

    Henon 1976, Commun. Math. Phys. 50, 69, eq 4.

    Famous for the first strange attractor of a map whose fractal layers could be seen.
    """
    return {x: 1 - a * x**2 + y, y: b * x}
