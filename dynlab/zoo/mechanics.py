"""Moving bodies: systems with an energy, by coordinates, momenta and H, and pendulums with friction."""

from dynlab.symbolic.define import flow
from dynlab.symbolic.hamiltonian import hamiltonian
from dynlab.symbolic.language import Angle, cos, exp, sin, sqrt, t


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


@hamiltonian
def double_pendulum(
    theta1: Angle = 2.0, theta2: Angle = 2.0, p1=0.0, p2=0.0,  # type: ignore[valid-type]
    *, m1=1.0, m2=1.0, l1=1.0, l2=1.0, g=9.81,
):  # fmt: skip
    """A pendulum that hangs from a pendulum.

    Shinbrot, Grebogi, Wisdom and Yorke 1992, Am. J. Phys. 60, 491.

    Famous as the chaos that anyone can build. The momenta are those of the angles.
    """
    bent = theta1 - theta2  # type: ignore[operator]
    inertia = 2 * m2 * l1**2 * l2**2 * (m1 + m2 * sin(bent) ** 2)
    square = m2 * l2**2 * p1**2 + (m1 + m2) * l1**2 * p2**2 - 2 * m2 * l1 * l2 * p1 * p2 * cos(bent)
    return square / inertia - (m1 + m2) * g * l1 * cos(theta1) - m2 * g * l2 * cos(theta2)


@flow
def driven_pendulum(theta: Angle = 0.2, v=0.0, *, q=2.0, g=1.5, omega=2 / 3):  # type: ignore[valid-type]
    """Pendulum with friction and a periodic push.

    D'Humieres, Beasley, Huberman and Libchaber 1982, Phys. Rev. A 26, 3483; scaled as in Baker and
    Gollub 1990, Chaotic Dynamics.

    Famous as the equation of the Josephson junction too.
    """
    return {theta: v, v: g * cos(omega * t) - v / q - sin(theta)}


@flow
def magnetic_pendulum(
    x=1.0, y=1.3, vx=0.0, vy=0.0,
    *, x1=1.0, y1=0.0, x2=-0.5, y2=0.8660254037844386, x3=-0.5, y3=-0.8660254037844386,
    gamma=0.2, omega=0.5, d=0.3,
):  # fmt: skip
    """Iron ball on a string over three magnets.

    Peitgen, Juergens and Saupe 1992, Chaos and Fractals, chapter 12.

    Famous for basins so interwoven that the magnet where it ends cannot be foretold. The magnets are at
    (x1, y1), (x2, y2), (x3, y3), a distance d below the plane of the ball.
    """

    def pull(side, along):
        apart = ((x - xk) ** 2 + (y - yk) ** 2 + d**2 for xk, yk in ((x1, y1), (x2, y2), (x3, y3)))
        return sum((s - along) / (r * sqrt(r)) for s, r in zip(side, apart, strict=True))

    return {
        x: vx,
        y: vy,
        vx: pull((x1, x2, x3), x) - omega**2 * x - gamma * vx,
        vy: pull((y1, y2, y3), y) - omega**2 * y - gamma * vy,
    }
