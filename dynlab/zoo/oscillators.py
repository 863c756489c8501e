"""Self-sustained oscillators."""

from dynlab.symbolic.define import flow


@flow
def van_der_pol(x=2.0, y=0.0, *, mu=1.0):
    """Triode circuit: the first relaxation oscillation.

    van der Pol 1926, Phil. Mag. 2, 978.

    Famous for one stable cycle at every mu > 0, round for small mu and a relaxation oscillation for
    large mu. At mu = 0 the equation is linear, so the Hopf point there is degenerate.
    """
    return {x: y, y: mu * (1 - x**2) * y - x}
