"""Systems with an energy: coordinates, momenta and H."""

from dynlab.symbolic.hamiltonian import hamiltonian
from dynlab.symbolic.language import Angle, cos, exp, sqrt


@hamiltonian
def harmonic_oscillator(q=1.0, p=0.0, *, omega=1.0):
    """Mass on a spring.

    Hooke 1678, De Potentia Restitutiva; Goldstein, Classical Mechanics, 2nd ed. (1980), chapter 8.

    Famous for a period that does not depend on the amplitude.
    """
    return p**2 / 2 + omega**2 * q**2 / 2


@hamiltonian
def pendulum(theta: Angle = 2.0, p=0.0, *, omega=1.0):  # type: ignore[valid-type]
    """Mass on a rod: swinging, standing on its head, going round.

    Euler 1736, Mechanica, vol. 2; Goldstein, Classical Mechanics, 2nd ed. (1980), section 10-6.

    Famous for the separatrix H = omega^2 between swinging and going round, and for a period that is
    an elliptic integral of the amplitude.
    """
    return p**2 / 2 - omega**2 * cos(theta)


@hamiltonian
def double_well_oscillator(q=1.2, p=0.0, *, a=1.0, b=1.0):
    """A particle in two wells: Duffing's oscillator without drive and friction.

    Duffing 1918, Erzwungene Schwingungen bei veraenderlicher Eigenfrequenz; Guckenheimer and Holmes,
    Nonlinear Oscillations (1983), section 2.2.

    Famous for the two homoclinic orbits at H = 0 that part motion in one well from motion over both.
    """
    return p**2 / 2 - a * q**2 / 2 + b * q**4 / 4


@hamiltonian
def henon_heiles(x=0.0, y=0.1, px=0.5, py=0.0, *, lam=1.0):
    """A star in the field of a galaxy: order and chaos side by side.

    Henon and Heiles 1964, Astron. J. 69, 73.

    Famous for islands that drown in a chaotic sea as H rises to 1/(6 lam^2), where orbits escape over three
    saddles. Symmetric under rotation by 120 degrees.
    """
    return (px**2 + py**2 + x**2 + y**2) / 2 + lam * (x**2 * y - y**3 / 3)


@hamiltonian
def toda(x=0.0, y=0.1, px=0.5, py=0.0):
    """Three particles on a ring with exponential springs, without the motion of their centre.

    Toda 1967, J. Phys. Soc. Jpn. 22, 431; Henon 1974, Phys. Rev. B 9, 1921.

    Famous for having a second integral, so that it is regular at every energy, although up to third
    order it is the Henon-Heiles system with lam = 1.  At rest H is 1/8.
    """
    return (px**2 + py**2) / 2 + (
        exp(2 * y + 2 * sqrt(3) * x) + exp(2 * y - 2 * sqrt(3) * x) + exp(-4 * y)
    ) / 24


@hamiltonian
def kepler(x=0.5, y=0.0, px=0.0, py=1.7320508075688772, *, mu=1.0):
    """A planet around its sun, in the plane of its orbit.

    Kepler 1609, Astronomia Nova; Newton 1687, Principia, book I, prop. 11; Goldstein, Classical
    Mechanics, 2nd ed. (1980), section 3-7.

    Famous for closed orbits: ellipses with the sun in a focus. The default start is the point next to the
    sun on an orbit of half axis 1 and eccentricity 1/2.
    """
    return (px**2 + py**2) / 2 - mu / sqrt(x**2 + y**2)
