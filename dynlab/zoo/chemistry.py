"""Chemical reactions."""

from dynlab.symbolic.define import flow


@flow
def brusselator(x=1.0, y=1.0, *, A=1.0, B=3.0):
    """Autocatalytic reaction that oscillates.

    Prigogine and Lefever 1968, J. Chem. Phys. 48, 1695.

    Famous as the simplest chemical clock. Hopf point at B = 1 + A^2 with frequency A.
    """
    return {x: A - (B + 1) * x + x**2 * y, y: B * x - x**2 * y}
