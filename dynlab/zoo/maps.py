"""Iterated maps."""

from sympy import pi

from dynlab.symbolic.define import iterated_map
from dynlab.symbolic.language import Angle, abs, cos, exp, floor, max, min, mod, sin


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
    The torus is closed in the rule: turns that are kept would double at each step until no digit is left for the angle.
    """
    return {x: mod(2 * x + y, 2 * pi), y: mod(x + y, 2 * pi)}


@iterated_map
def plrnn_unit(z=0.5, *, a=1.5, w=-3.0, h=1.0):
    """One unit of a piecewise-linear recurrent network: slope a below zero, a + w above.

    Durstewitz 2017, PLoS Comput. Biol. 13, e1005542, with one unit and without noise.

    Famous as the smallest network of its kind that is chaotic.
    """
    return {z: a * z + w * max(z, 0) + h}


@iterated_map
def gauss_map(x=0.1, *, a=4.9, b=-0.5):
    """Bell curve, lifted or lowered: the mouse map.

    Hilborn 1994, Chaos and Nonlinear Dynamics, chapter 5.

    Famous for the mouse in its bifurcation diagram: cascades that open, close again and reopen as b rises.
    """
    return {x: exp(-a * x**2) + b}


@iterated_map
def continued_fraction(x=0.41421356):
    """What is left of 1/x; the whole parts taken away are the continued fraction of x.

    Gauss 1812, in a letter to Laplace; Corless 1992, Am. Math. Mon. 99, 203.

    Famous for its invariant density 1 / ((1 + x) log 2), found by Gauss long before there was a theory.
    """
    return {x: mod(1 / x, 1)}


@iterated_map
def bakers_map(x=0.3, y=0.4, *, a=0.6):
    """Roll the dough to twice its length, cut it and stack the halves.

    Hopf 1937, Ergodentheorie; with loss, a < 1, Farmer, Ott and Yorke 1983, Physica D 7, 153.

    Famous as the map whose chaos is plain to see. In binary numbers 2 x loses a digit in every step, so
    that after some 50 steps x is 0: ask for exponents, which do not mind, and not for long orbits.
    """
    return {x: mod(2 * x, 1), y: (a * y + floor(2 * x)) / 2}


@iterated_map
def kaplan_yorke_map(x=0.3, y=0.4, *, alpha=0.2):
    """Doubling map that drives a variable which forgets.

    Kaplan and Yorke 1979, Lecture Notes in Mathematics 730, 204.

    Famous as the example for the dimension that is read off from the exponents. Binary numbers
    double to 0 after some 50 steps, as in `bakers_map`.
    """
    return {x: mod(2 * x, 1), y: alpha * y + cos(4 * pi * x)}


@iterated_map
def ikeda(x=0.1, y=0.1, *, u=0.9):
    """Light that goes round in a ring with a nonlinear crystal.

    Ikeda 1979, Opt. Commun. 30, 257; in this form Hammel, Jones and Moloney 1985, J. Opt. Soc. Am. B
    2, 552.

    Famous for its attractor of swirls. Areas shrink by u^2 in every step, everywhere.
    """
    turn = 0.4 - 6 / (1 + x**2 + y**2)
    return {
        x: 1 + u * (x * cos(turn) - y * sin(turn)),
        y: u * (x * sin(turn) + y * cos(turn)),
    }


@iterated_map
def tinkerbell(x=-0.72, y=-0.64, *, a=0.9, b=-0.6013, c=2.0, d=0.5):
    """Quadratic map of the plane with a wing.

    Nusse and Yorke 1994, Dynamics: Numerical Explorations.

    Famous for its picture, in which Tinker Bell flies over the castle.
    """
    return {x: x**2 - y**2 + a * x + b * y, y: 2 * x * y + c * x + d * y}


@iterated_map
def duffing_map(x=0.5, y=0.1, *, a=2.75, b=0.2):
    """Cubic stretch and fold: a driven beam seen once a period.

    Holmes 1979, Philos. Trans. R. Soc. A 292, 419.

    Famous as the map that behaves as Duffing's oscillator does. Symmetric under a change of both signs.
    """
    return {x: y, y: a * y - b * x - y**3}


@iterated_map
def bogdanov_map(x=0.5, y=0.0, *, epsilon=0.0, k=1.2, mu=0.0):
    """The unfolding of two zero eigenvalues, as a map.

    Arrowsmith, Cartwright, Lansbury and Place 1993, Int. J. Bifurcation Chaos 3, 803.

    Famous for islands and resonances at epsilon = mu = 0, where it preserves areas.
    """
    push = (1 + epsilon) * y + k * x * (x - 1) + mu * x * y
    return {x: x + push, y: push}


@iterated_map
def gingerbread_man(x=0.5, y=3.7):
    """Piecewise linear map without contraction.

    Devaney 1984, Physica D 10, 387.

    Famous for chaos in the shape of a gingerbread man around hexagons of regular motion.
    """
    return {x: 1 - y + abs(x), y: x}


@iterated_map
def zaslavskii(theta: Angle = 0.6, y=0.1, *, Gamma=3.0, nu=400 / 3, epsilon=0.3):
    """Kicked rotor with strong friction and a fast turn between the kicks.

    Zaslavsky 1978, Phys. Lett. A 69, 145; the angle in radians.

    Famous as an attractor made of many thin leaves. Areas shrink by exp(-Gamma) in every step.
    """
    kept = exp(-Gamma)
    mu = (1 - kept) / Gamma
    kick = epsilon * cos(theta)
    turned = theta + 2 * pi * nu * (1 + mu * (y + kick))
    return {theta: mod(turned, 2 * pi), y: kept * (y + kick)}


@iterated_map
def coupled_logistic(x=0.3, y=0.4, *, r=3.7, epsilon=0.03):
    """Two populations that exchange a part of their young.

    Hogg and Huberman 1984, Phys. Rev. A 29, 275.

    Famous for chaos in step, which is lost when epsilon falls. Symmetric under exchange of x and y.
    """
    f, g = r * x * (1 - x), r * y * (1 - y)
    return {x: (1 - epsilon) * f + epsilon * g, y: (1 - epsilon) * g + epsilon * f}


@iterated_map
def newton_cubic(x=0.3, y=0.4):
    """Newton's method for the roots of z^3 = 1, with z = x + i y.

    Cayley 1879, Am. J. Math. 2, 97; Peitgen and Richter 1986, The Beauty of Fractals.

    Famous for basins of three roots which meet in threes wherever two of them meet.
    """
    size = 3 * (x**2 + y**2) ** 2
    return {x: 2 * x / 3 + (x**2 - y**2) / size, y: 2 * y / 3 - 2 * x * y / size}
