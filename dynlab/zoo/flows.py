"""Chaotic flows that began with a piece of the world: a fluid, a plasma, a circuit, a heat bath."""

from dynlab.symbolic.define import flow
from dynlab.symbolic.language import abs, sin


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


@flow
def chen(x=-3.0, y=2.0, z=20.0, *, a=35.0, b=3.0, c=28.0):
    """Lorenz's equations with feedback that drives them to chaos.

    Chen and Ueta 1999, Int. J. Bifurcation Chaos 9, 1465.

    Famous as the dual of Lorenz's system: the linear coupling of y to x is negative where his is
    positive. Symmetric under (x, y) -> (-x, -y).
    """
    return {x: a * (y - x), y: (c - a) * x - x * z + c * y, z: x * y - b * z}


@flow
def lu(x=-3.0, y=2.0, z=20.0, *, a=36.0, b=3.0, c=20.0):
    """The bridge between the systems of Lorenz and Chen.

    Lue and Chen 2002, Int. J. Bifurcation Chaos 12, 659.

    Famous for standing on the border: y does not couple to x linearly at all. Symmetric under
    (x, y) -> (-x, -y).
    """
    return {x: a * (y - x), y: c * y - x * z, z: x * y - b * z}


@flow
def shimizu_morioka(x=0.1, y=0.0, z=0.5, *, a=0.75, b=0.45):
    """Lorenz's equations at large rho, boiled down.

    Shimizu and Morioka 1980, Phys. Lett. A 76, 201; Shilnikov 1993, Physica D 62, 338 (a, b his
    lambda, alpha).

    Famous as the normal form near which Lorenz attractors are born. Symmetric under
    (x, y) -> (-x, -y).
    """
    return {x: y, y: x * (1 - z) - a * y, z: x**2 - b * z}


@flow
def rucklidge(x=1.0, y=0.0, z=4.5, *, kappa=2.0, lam=6.7):
    """Convection in a magnetic field, or with salt: rolls that tilt.

    Rucklidge 1992, J. Fluid Mech. 237, 209.

    Famous for a Lorenz attractor that the partial differential equations have as well. Its outer
    equilibria lose stability at lam = kappa (kappa + 1) / 2.
    """
    return {x: -kappa * x + lam * y - y * z, y: x, z: y**2 - z}


@flow
def rikitake(x=-1.0, y=0.0, z=2.0, *, mu=2.0, a=5.0):
    """Two coupled disk dynamos whose current turns round at random.

    Rikitake 1958, Proc. Camb. Philos. Soc. 54, 89.

    Famous as a model of the reversals of the earth's magnetic field, and for equilibria that are
    centres at first order whatever the parameters.
    """
    return {x: y * z - mu * x, y: x * (z - a) - mu * y, z: 1 - x * y}


@flow
def rabinovich_fabrikant(x=-1.0, y=0.0, z=0.5, *, alpha=1.1, gamma=0.87):
    """Waves in a plasma that exchange energy out of balance.

    Rabinovich and Fabrikant 1979, Sov. Phys. JETP 50, 311.

    Famous for being stiff and rich: many attractors side by side, some of them hidden.
    """
    return {
        x: y * (z - 1 + x**2) + gamma * x,
        y: x * (3 * z + 1 - x**2) + gamma * y,
        z: -2 * z * (alpha + x * y),
    }


@flow
def nose_hoover(q=0.0, p=5.0, zeta=0.0, *, Q=1.0):
    """Harmonic oscillator with a thermostat: friction that grows while it is too hot.

    Hoover 1985, Phys. Rev. A 31, 1695, after Nose 1984, J. Chem. Phys. 81, 511; case A of Sprott
    1994, Phys. Rev. E 50, R647, with the sign of zeta turned.

    Famous for keeping the canonical distribution exp(-(q^2 + p^2 + Q zeta^2) / 2) without reaching
    all of it: a chaotic sea around tori. No equilibria, no attractor, reversible.
    """
    return {q: p, p: -q - zeta * p, zeta: (p**2 - 1) / Q}


@flow
def chua(x=0.7, y=0.0, z=0.0, *, alpha=9.0, beta=100 / 7, m0=-8 / 7, m1=-5 / 7):
    """Electronic circuit with one nonlinear resistor.

    Matsumoto 1984, IEEE Trans. Circuits Syst. 31, 1055; parameters as in Matsumoto, Chua and Komuro
    1985, IEEE Trans. Circuits Syst. 32, 797.

    Famous for the double scroll, seen on the oscilloscope, computed and proved. Symmetric under a
    change of all signs.
    """
    current = m1 * x + (m0 - m1) / 2 * (abs(x + 1) - abs(x - 1))
    return {x: alpha * (y - x - current), y: x - y + z, z: -beta * y}


@flow
def thomas(x=1.0, y=0.0, z=-1.0, *, b=0.208186):
    """Particle in a lattice of forces with friction, the same in each coordinate.

    Thomas 1999, Int. J. Bifurcation Chaos 9, 1889.

    Famous for a walk through a labyrinth of infinitely many unstable equilibria as b goes to 0.
    Symmetric under cyclic exchange of the coordinates and a change of all signs.
    """
    return {x: sin(y) - b * x, y: sin(z) - b * y, z: sin(x) - b * z}


@flow
def halvorsen(x=-5.0, y=0.0, z=0.0, *, a=1.27):
    """Quadratic flow with three-fold symmetry.

    Sprott 2003, Chaos and Time-Series Analysis, appendix A.

    Famous for its picture. Symmetric under cyclic exchange of the coordinates.
    """
    return {
        x: -a * x - 4 * y - 4 * z - y**2,
        y: -a * y - 4 * z - 4 * x - z**2,
        z: -a * z - 4 * x - 4 * y - x**2,
    }


@flow
def genesio_tesi(x=0.1, y=0.1, z=0.1, *, a=0.44, b=1.1, c=1.0):
    """Third-order feedback loop with a single square.

    Genesio and Tesi 1992, Automatica 28, 531.

    Famous as the test case for predicting chaos by harmonic balance. Its origin loses stability where
    a b = c.
    """
    return {x: y, y: z, z: -c * x - b * y - a * z + x**2}


@flow
def roessler_hyperchaos(x=-10.0, y=-6.0, z=0.0, w=10.0, *, a=0.25, b=3.0, c=0.5, d=0.05):
    """Spiral chaos with a second direction to grow in.

    Roessler 1979, Phys. Lett. A 71, 155.

    Famous as the first hyperchaos: two positive exponents, for which four variables are needed.
    """
    return {x: -y - z, y: x + a * y + w, z: b + x * z, w: d * w - c * z}
