"""Diseases that spread by contact."""

from dynlab.symbolic.define import flow


@flow
def sir(S=0.99, I=0.01, R=0.0, *, beta=2.0, gamma=1.0):
    """Susceptible, infected and recovered fractions of a closed population.

    Kermack and McKendrick 1927, Proc. R. Soc. A 115, 700, eqs 29.

    Famous for the threshold beta S > gamma and for the final size of an epidemic. S + I + R is
    conserved, and every state with I = 0 is an equilibrium, so no equilibrium is isolated.
    """
    infection = beta * S * I
    recovery = gamma * I
    return {S: -infection, I: infection - recovery, R: recovery}
