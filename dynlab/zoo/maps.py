"""Iterated maps."""

from dynlab.symbolic.define import iterated_map
from dynlab.symbolic.language import Angle, abs, exp, max, min, sin


@iterated_map
def logistic(x=0.3, *, r=3.7):
    """Breeding season by season; the period-doubling road to chaos.

    May 1976, Nature 261, 459, eq 3.

    Famous for Feigenbaum's cascade, which ends at r = 3.5699, and for the window of period 3.
    """
    return {x: r * x * (1 - x)}


@iterated_map
def henon(x=0.0, y=0.0, *, a=1.4, b=0.3):
    """Stretch and fold in the plane with constant contraction.

    Henon 1976, Commun. Math. Phys. 50, 69, eq 4.

    Famous for the first strange attractor of a map whose fractal layers could be seen.
    """
    return {x: 1 - a * x**2 + y, y: b * x}


@iterated_map
def ricker(x=0.5, *, r=2.2):
    """Spawning and cannibalism: a hump without an end.

    Ricker 1954, J. Fish. Res. Board Can. 11, 559; in units of the carrying capacity May 1976, Nature
    261, 459, eq 4.

    Famous as the population model that never goes below zero, with the same road to chaos.
    """
    return {x: x * exp(r * (1 - x))}


@iterated_map
def cubic(x=0.3, *, r=2.1):
    """Two humps, one up and one down.

    Rogers and Whitley 1983, Math. Modelling 4, 9; in this form Strogatz 2015, Nonlinear Dynamics and
    Chaos, exercises to chapter 10.

    Famous for its symmetry: a pitchfork, then two cascades side by side.
    """
    return {x: r * x - x**3}


@iterated_map
def tent(x=0.3, *, mu=1.9):
    """Stretch by a constant factor and fold.

    Ott 2002, Chaos in Dynamical Systems, section 2.1.

    Famous as the map whose exponent, log(mu), can be read off.
    """
    return {x: mu * min(x, 1 - x)}


@iterated_map
def delayed_logistic(x=0.4, y=0.4, *, r=1.8):
    """Herbivores graze on last year's plants.

    Maynard Smith 1968, Mathematical Ideas in Biology; Aronson, Chory, Hall, McGehee 1982, Commun. Math.
    Phys. 83, 303.

    Famous for the closed curve that is born at r = 2 and breaks up on the way to r = 2.27.
    """
    return {x: r * x * (1 - y), y: x}


@iterated_map
def generalized_henon(x=0.1, y=0.1, *, alpha=0.8, beta=0.3, R=0.0, S=0.0):
    """Return map near a homoclinic tangency.

    Gonchenko, Kuznetsov, Meijer 2005, SIAM J. Appl. Dyn. Syst. 4, 407.

    Famous as the map that has fold, flip and torus points at once; R = S = 0 is Henon's map.
    """
    return {x: y, y: alpha - beta * x - y**2 + R * x * y + S * y**3}


@iterated_map
def lozi(x=0.1, y=0.1, *, a=1.7, b=0.5):
    """Henon's map with straight lines for the parabola.

    Lozi 1978, J. Phys. Colloq. 39, C5-9.

    Famous because its strange attractor could be proved (Misiurewicz 1980).
    """
    return {x: 1 - a * abs(x) + y, y: b * x}


@iterated_map
def sine_circle(theta: Angle = 0.5, *, Omega=0.3, K=0.9):
    """Kicked rotation with friction: two clocks that pull at each other.

    Arnold 1965, Am. Math. Soc. Transl. (2) 46, 213; angles in radians.

    Famous for the tongues of mode locking, which overlap beyond K = 1.
    """
    return {theta: theta + Omega - K * sin(theta)}


@iterated_map
def standard_map(theta: Angle = 3.0, p: Angle = 0.5, *, K=0.9):
    """Kicked rotor without friction; areas are preserved.

    Chirikov 1979, Phys. Rep. 52, 263.

    Famous for the last closed curve, which breaks at K = 0.9716.
    """
    return {theta: theta + p + K * sin(theta), p: p + K * sin(theta)}


@iterated_map
def arnold_cat(x: Angle = 0.5, y: Angle = 0.3):
    """Stretch a cat over the torus.

    Arnold and Avez 1968, Ergodic Problems of Classical Mechanics.

    Famous because everything about its chaos can be counted: 5 points come back after two steps.
    """
    return {x: 2 * x + y, y: x + y}


@iterated_map
def plrnn_unit(z=0.5, *, a=1.5, w=-3.0, h=1.0):
    """One unit of a piecewise-linear recurrent network: slope a below zero, a + w above.

    Durstewitz 2017, PLoS Comput. Biol. 13, e1005542, with one unit and without noise.

    Famous as the smallest network of its kind that is chaotic.
    """
    return {z: a * z + w * max(z, 0) + h}
