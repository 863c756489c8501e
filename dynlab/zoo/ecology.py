"""Populations that eat and are eaten."""

from dynlab.symbolic import language as dl
from dynlab.symbolic.define import flow


@flow
def pp2(u1=1 / 3, u2=2.0, *, p1=0.0, p2=3.0, p3=5.0, p4=3.0):
    """Prey, predator and a saturating harvest of the prey.

    Doedel et al. 2007, AUTO-07p manual, demo pp2.

    A standard test of continuation: branch points on the invariant axes, a fold, a Hopf point and
    a family of cycles that ends in a heteroclinic connection.
    """
    return {
        u1: p2 * u1 * (1 - u1) - u1 * u2 - p1 * (1 - dl.exp(-p3 * u1)),
        u2: -u2 + p4 * u1 * u2,
    }


@flow
def hastings_powell(
    x=0.76, y=0.16, z=9.9, *, a1=5.0, b1=3.0, a2=0.1, b2=2.0, d1=0.4, d2=0.01
):  # fmt: skip
    """Plant, herbivore and carnivore, each eater saturated.

    Hastings and Powell 1991, Ecology 72, 896.

    Famous for chaos in the shape of a teacup, at natural rates, in the smallest food chain.
    """
    grazed = a1 * x * y / (1 + b1 * x)
    hunted = a2 * y * z / (1 + b2 * y)
    return {x: x * (1 - x) - grazed, y: grazed - hunted - d1 * y, z: hunted - d2 * z}
