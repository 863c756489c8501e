"""Synchrony in few equations: what many oscillators do, reduced to their order parameters; and a ring of them."""

from math import pi

from dynlab.symbolic import language as dl
from dynlab.symbolic.define import PerNode, flow
from dynlab.symbolic.language import cos, sin


@flow
def ott_antonsen(r=0.05, *, K=4.0, D=1.0):
    """Order parameter of infinitely many oscillators with Lorentzian frequencies.

    Ott and Antonsen 2008, Chaos 18, 037113, eq 11.

    Famous because one equation follows infinitely many oscillators, transients included.  D is the
    half-width of the frequencies and K the coupling of `zoo.kuramoto`.
    """
    return {r: (K / 2 - D) * r - K / 2 * r**3}


@flow
def ott_antonsen_bimodal(q=0.6, psi: dl.Angle = 0.4, *, K=6.0, D=1.0, omega=1.0):
    """Two groups of oscillators with Lorentzian frequencies about omega and -omega.

    Martens, Barreto, Strogatz, Ott, So and Antonsen 2009, Phys. Rev. E 79, 026204, eqs 21-22.

    Famous for partial synchrony that coexists with a standing wave.  q is the square of the order parameter of
    each group and psi the phase between them.
    """
    return {
        q: q * (K / 2 * (1 - q) * (1 + cos(psi)) - 2 * D),
        psi: 2 * omega - K / 2 * (1 + q) * sin(psi),
    }


@flow
def two_population_chimera(r=0.7, psi: dl.Angle = -0.2, *, A=0.2, b=0.1):
    """Two populations of identical oscillators, one in step and one not.

    Abrams, Mirollo, Strogatz and Wiley 2008, Phys. Rev. Lett. 101, 084103, eq 12.

    Famous as the solvable chimera.  r is the order parameter of the population that is not in step and psi its phase
    ahead of the other; (1 + A) / 2 is the coupling within and (1 - A) / 2 that between, with the lag pi/2 - b.
    """
    mu, nu, alpha = (1 + A) / 2, (1 - A) / 2, pi / 2 - b
    return {
        r: (1 - r**2) / 2 * (mu * r * cos(alpha) + nu * cos(psi - alpha)),
        psi: (1 + r**2) / (2 * r) * (mu * r * sin(alpha) - nu * sin(psi - alpha))
        - mu * sin(alpha) - nu * r * sin(psi + alpha),
    }  # fmt: skip


@flow
def star_of_oscillators(x=0.1, y=0.1, *, K=1.0, leaves=10.0):
    """Order parameter of the leaves of a star, seen from its hub; frequencies are degrees.

    Vlasov, Zou and Pereira 2015, Phys. Rev. E 92, 012904 (the reduction); Gomez-Gardenes, Gomez, Arenas and Moreno
    2011, Phys. Rev. Lett. 106, 128701 (the jump).

    Famous for explosive synchronisation: the leaves let go and catch the hub at different couplings.
    x + i y is the mean of exp(i (hub - leaf)); each link of `zoo.kuramoto_on_graph` couples with K.
    """
    turn = leaves - 1 - K * leaves * y
    return {x: K / 2 * (1 - x**2 + y**2) - turn * y, y: turn * x - K * x * y}


@flow
def noisy_kuramoto_modes(
    c1=0.5, c2=0.1, c3=0.0, c4=0.0, c5=0.0, c6=0.0, c7=0.0, c8=0.0, c9=0.0, c10=0.0, c11=0.0, c12=0.0,
    *, K=3.0, D=1.0,
):  # fmt: skip
    """Density of identical oscillators with noise, in its first twelve Fourier modes.

    Strogatz and Mirollo 1991, J. Stat. Phys. 63, 613, eq 2.4 (the nonlinear Fokker-Planck equation).

    Famous for its onset at K = 2 D and for r = I_1(K r / D) / I_0(K r / D).  c_k is the mean of
    cos(k theta) over a density that is even, c1 the order parameter r; the thirteenth mode is set to
    0, which costs r 1e-13 at K = 3 D and 1e-11 at K = 4 D.  Noise of strength D is sqrt(2 D) times white noise.
    """
    modes = (1, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, 0)
    return {
        modes[k]: K * k / 2 * c1 * (modes[k - 1] - modes[k + 1]) - D * k**2 * modes[k]
        for k in range(1, 13)
    }


@flow
def ring_of_oscillators(theta: PerNode[dl.Angle], *, x: PerNode = 0.0, A=0.995, b=0.18):
    """Identical oscillators on a ring, coupled the more the nearer they are.

    Abrams and Strogatz 2004, Phys. Rev. Lett. 93, 174102, eq 1, with their cosine kernel.

    Famous for chimeras, found by Kuramoto and Battogtokh 2002 (Nonlinear Phenom. Complex Syst. 5, 380): one stretch
    is in step, the other is not.  x is the place on the ring, an angle; the lag is pi/2 - b.
    """
    i, j = dl.nodes("i j")
    pull = (1 + A * dl.cos(x[i] - x[j])) * dl.cos(theta[i] - theta[j] - b)
    return {theta[i]: -dl.Mean(pull, j)}
