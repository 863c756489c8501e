"""Chaotic flows in three variables."""

from dynlab.symbolic.define import flow


@flow
def lorenz(x=1.0, y=1.0, z=1.0, *, sigma=10.0, rho=28.0, beta=8 / 3):
    """Convection rolls; the first strange attractor.

    Lorenz 1963, J. Atmos. Sci. 20, 130, eqs 25-27.

    Famous for sensitive dependence on the start. Symmetric under (x, y) -> (-x, -y).
    """
    return {x: sigma * (y - x), y: x * (rho - z) - y, z: x * y - beta * z}


@flow
def roessler(x=1.0, y=1.0, z=1.0, *, a=0.2, b=0.2, c=5.7):
    """Simplest spiral chaos: a single quadratic term.

    Roessler 1976, Phys. Lett. A 57, 397.

    Famous for its period-doubling cascade in c. Its two equilibria meet in a fold at
    c = 2 sqrt(a b).
    """
    return {x: -y - z, y: x + a * y, z: b + z * (x - c)}
