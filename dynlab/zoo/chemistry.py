"""Chemical reactions."""

from dynlab.symbolic.define import flow


@flow
def brusselator(x=1.0, y=1.0, *, A=1.0, B=3.0):
    """Autocatalytic reaction that oscillates.

    Prigogine and Lefever 1968, J. Chem. Phys. 48, 1695.

    Famous as the simplest chemical clock. Hopf point at B = 1 + A^2 with frequency A.
    """
    return {x: A - (B + 1) * x + x**2 * y, y: B * x - x**2 * y}


@flow
def robertson(A=1.0, B=0.0, C=0.0, *, k1=0.04, k2=3e7, k3=1e4):
    """Autocatalytic reaction with rates of nine orders of magnitude.

    Robertson 1966, in Walsh (ed.), Numerical Analysis: An Introduction, 178. Academic Press.

    Famous as ROBER among the stiff tests: A decays until t = 1e11, held by B, which relaxes within
    microseconds. A + B + C is conserved.
    """
    return {
        A: -k1 * A + k3 * B * C,
        B: k1 * A - k3 * B * C - k2 * B**2,
        C: k2 * B**2,
    }


@flow
def oregonator(x=1.0, y=2.0, z=3.0, *, s=77.27, q=8.375e-6, w=0.161):
    """The Belousov-Zhabotinsky reaction in three concentrations.

    Field and Noyes 1974, J. Chem. Phys. 60, 1877, eqs 14-16.

    Famous for relaxation oscillations over five orders of magnitude; OREGO among the stiff tests.
    """
    return {
        x: s * (y + x * (1 - q * x - y)),
        y: (z - (1 + x) * y) / s,
        z: w * (x - z),
    }


@flow
def hires(
    Pr=1.0, Pfr=0.0, PrX=0.0, PfrX=0.0, PrX2=0.0, PfrX2=0.0, PfrX2E=0.0, E=0.0057,
    *, k1=1.71, k2=0.43, k3=8.32, k4=0.69, k5=0.035, k6=8.32,
    bind=280.0, release=0.69, convert=0.69, supply=0.0007,
):  # fmt: skip
    """How light steers growth through phytochrome, its receptor and an enzyme.

    Schaefer 1975, J. Theor. Biol. 50, 1.

    Famous as HIRES, for high irradiance responses, among the stiff tests. PfrX2E + E is conserved.
    """
    bound, freed = bind * PfrX2 * E, (k2 + release + convert) * PfrX2E
    return {
        Pr: -k1 * Pr + k2 * Pfr + k6 * PrX + supply,
        Pfr: k1 * Pr - (k2 + k3) * Pfr,
        PrX: -(k6 + k1) * PrX + k2 * PfrX + k5 * PrX2,
        PfrX: k3 * Pfr + k1 * PrX - (k4 + k2) * PfrX,
        PrX2: -(k5 + k1) * PrX2 + k2 * PfrX2 + k2 * PfrX2E,
        PfrX2: -bound + k4 * PfrX + k1 * PrX2 - k2 * PfrX2 + release * PfrX2E,
        PfrX2E: bound - freed,
        E: freed - bound,
    }
