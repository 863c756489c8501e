"""Oscillators that sustain themselves, and oscillators that are driven."""

from dynlab.symbolic.define import flow
from dynlab.symbolic.language import cos, sin, t


@flow
def van_der_pol(x=2.0, y=0.0, *, mu=1.0):
    """Triode circuit: the first relaxation oscillation.

    van der Pol 1926, Phil. Mag. 2, 978.

    Famous for one stable cycle at every mu > 0, round for small mu and a relaxation oscillation for
    large mu. At mu = 0 the equation is linear, so the Hopf point there is degenerate.
    """
    return {x: y, y: mu * (1 - x**2) * y - x}


@flow
def forced_van_der_pol(x=0.1, y=0.1, *, mu=3.0, A=5.0, omega=1.788):
    """Triode circuit with a periodic signal on its grid.

    van der Pol and van der Mark 1927, Nature 120, 363; Cartwright and Littlewood 1945, J. London
    Math. Soc. 20, 180.

    Famous because chaos was heard in it, as "an irregular noise", and proved, before it had a name.
    """
    return {x: y, y: mu * (1 - x**2) * y - x + A * sin(omega * t)}


@flow
def duffing(x=1.0, v=0.0, *, delta=0.1, alpha=1.0, beta=-1.0, gamma=0.35, omega=1.4):
    """Driven beam between two magnets: a double well with friction.

    Duffing 1918, Erzwungene Schwingungen bei veraenderlicher Eigenfrequenz; with two wells Holmes
    1979, Philos. Trans. R. Soc. A 292, 419.

    Famous for the beam that flaps at random, and as the first use of Melnikov's method. For beta > 0 a
    spring that hardens, with its two amplitudes at one frequency.
    """
    return {x: v, v: gamma * cos(omega * t) - delta * v - beta * x - alpha * x**3}


@flow
def ueda(x=2.5, v=0.0, *, k=0.05, B=7.5):
    """Driven circuit with a coil that saturates.

    Ueda 1979, J. Stat. Phys. 20, 181.

    Famous for the Japanese attractor, drawn from an analog computer in 1961.
    """
    return {x: v, v: B * cos(t) - k * v - x**3}
