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
