"""Initial-value problems that are not stiff, with end values computed in extended precision.

Problems A to E: the non-stiff DETEST set (Hull, Enright, Fellen and Sedgwick 1972, SIAM J. Numer.
Anal. 9, 603).  The printed solutions of that set are good in absolute terms only (exp(-20) has 6.9
digits), so the end values here were computed afresh, by Taylor series in 113-bit arithmetic.
BRUSS2, AREN and PLEI: Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I.
"""

import numpy as np

import dynlab as dl
from dynlab.symbolic.quantities import State
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import symbol


def made(name, starts, rule):
    """A system from a list of starts and a function of the list of states."""
    names = [f"y{i + 1}" for i in range(len(starts))]
    y = [symbol(n) for n in names]
    states = tuple(State(n, float(s)) for n, s in zip(names, starts, strict=True))
    return System(name, states, (), tuple(dl.exp(0) * e for e in rule(y)))


def kepler(e):
    def rule(y):
        r3 = (y[0] ** 2 + y[1] ** 2) * dl.sqrt(y[0] ** 2 + y[1] ** 2)
        return [y[2], y[3], -y[0] / r3, -y[1] / r3]

    return made(f"kepler{round(10 * e)}", [1 - e, 0, 0, np.sqrt((1 + e) / (1 - e))], rule)


def chain(growth, leak):
    """The radioactive decay chains C1 and C2: rates into and out of each member."""

    def rule(y):
        middle = [growth(i) * y[i - 1] - leak(i) * y[i] for i in range(1, 9)]
        return [-y[0], *middle, growth(9) * y[8]]

    return rule


def tridiagonal(y):
    inside = [0, *y, 0]
    return [inside[i - 1] - 2 * inside[i] + inside[i + 1] for i in range(1, 11)]


ONE = [1.0, *[0.0] * 9]
# J_1/2(1) and its derivative: sqrt(2/pi) sin 1 and sqrt(2/pi)(cos 1 - sin(1)/2).
BESSEL = [np.sqrt(2 / np.pi) * np.sin(1), np.sqrt(2 / np.pi) * (np.cos(1) - np.sin(1) / 2)]

DETEST = {
    "A1": (made("A1", [1], lambda y: [-y[0]]), [2.061153622438558e-9]),
    "A2": (made("A2", [1], lambda y: [-(y[0] ** 3) / 2]), [2.182178902359924e-1]),
    "A3": (made("A3", [1], lambda y: [y[0] * dl.cos(dl.t)]), [2.491650271850415e0]),
    "A4": (made("A4", [1], lambda y: [y[0] / 4 * (1 - y[0] / 20)]), [1.773016648131484e1]),
    "A5": (made("A5", [4], lambda y: [(y[0] - dl.t) / (y[0] + dl.t)]), [-7.887826688964014e-1]),
    "B1": (
        made("B1", [1, 3], lambda y: [2 * (y[0] - y[0] * y[1]), -(y[1] - y[0] * y[1])]),
        [6.761876008576607e-1, 1.860816099640030e-1],
    ),
    "B2": (
        made("B2", [2, 0, 1], lambda y: [-y[0] + y[1], y[0] - 2 * y[1] + y[2], y[1] - y[2]]),
        [1.000000001030577e0, 1.0, 9.999999989694232e-1],
    ),
    "B3": (
        made("B3", [1, 0, 0], lambda y: [-y[0], y[0] - y[1] ** 2, y[1] ** 2]),
        [2.061153622438558e-9, 5.257228022048513e-2, 9.474277177183613e-1],
    ),
    "B5": (
        made("B5", [0, 1, 1], lambda y: [y[1] * y[2], -y[0] * y[2], -0.51 * y[0] * y[1]]),
        [-9.396570798729204e-1, -3.421177754000749e-1, 7.414126596199953e-1],
    ),
    "C1": (
        made("C1", ONE, chain(lambda i: 1, lambda i: 1)),
        [2.061153622438558e-9, 4.122307244877116e-8, 4.122307244877116e-7, 2.748204829918077e-6,
         1.374102414959039e-5, 5.496409659836154e-5, 1.832136553278718e-4, 5.234675866510623e-4,
         1.308668966627656e-3, 9.979127409508650e-1],
    ),
    "C2": (
        made("C2", ONE, chain(lambda i: i, lambda i: i + 1)),
        [2.061153622438558e-9, 2.061153618190204e-9, 2.061153613941849e-9, 2.061153609693495e-9,
         2.061153605445141e-9, 2.061153601196787e-9, 2.061153596948432e-9, 2.061153592700078e-9,
         2.061153588451724e-9, 9.999999814496176e-1],
    ),
    "C3": (
        made("C3", ONE, tridiagonal),
        [2.948119211022699e-3, 5.635380154845296e-3, 7.829072515927038e-3, 9.348257908595597e-3,
         1.007943610301980e-2, 9.982674171429489e-3, 9.088693332765332e-3, 7.489115195185085e-3,
         5.322964130952676e-3, 2.762434379029514e-3],
    ),
    "D1": (
        kepler(0.1),
        [2.198835352008397e-1, 9.427076846341813e-1, -9.787659841058177e-1, 3.287977990962036e-1],
    ),
    "D3": (
        kepler(0.5),
        [-5.780432953035361e-1, 8.633840009194193e-1, -9.595083730380727e-1, -6.504915126712090e-2],
    ),
    "D5": (
        kepler(0.9),
        [-1.295266250987574e0, 4.003938963792322e-1, -6.775390924707566e-1, -1.270838154278686e-1],
    ),
    "E1": (
        made("E1", BESSEL, lambda y: [
            y[1], -(y[1] / (dl.t + 1) + (1 - 0.25 / (dl.t + 1) ** 2) * y[0])]),
        [1.456723600728247e-1, -9.883500195574579e-2],
    ),
    "E2": (
        made("E2", [2, 0], lambda y: [y[1], (1 - y[0] ** 2) * y[1] - y[0]]),
        [2.008149762174949e0, -4.250887527320215e-2],
    ),
    "E4": (
        made("E4", [30, 0], lambda y: [y[1], 0.032 - 0.4 * y[1] ** 2]),
        [3.395091444646556e1, 2.767822659672868e-1],
    ),
}  # fmt: skip


def pleiades():
    x = [3, 3, -1, -3, 2, -2, 2]
    y = [3, -3, 2, 0, 0, -4, 4]
    u = [0, 0, 0, 0, 0, 1.75, -1.5]
    v = [0, 0, 0, -1.25, 1, 0, 0]

    def pull(q, at, i):
        def distance2(j):
            return (q[i] - q[j]) ** 2 + (q[7 + i] - q[7 + j]) ** 2

        others = [j for j in range(7) if j != i]
        return sum((j + 1) * (q[at + j] - q[at + i]) * distance2(j) ** -1.5 for j in others)

    def rule(q):
        return [*q[14:], *[pull(q, 0, i) for i in range(7)], *[pull(q, 7, i) for i in range(7)]]

    return made("pleiades", [*x, *y, *u, *v], rule)


def arenstorf(mu=0.012277471):
    def rule(q):
        x, y, u, v = q
        d1 = ((x + mu) ** 2 + y**2) ** 1.5
        d2 = ((x - 1 + mu) ** 2 + y**2) ** 1.5
        return [
            u,
            v,
            x + 2 * v - (1 - mu) * (x + mu) / d1 - mu * (x - 1 + mu) / d2,
            y - 2 * u - (1 - mu) * y / d1 - mu * y / d2,
        ]

    return made("arenstorf", [0.994, 0, 0, -2.00158510637908252240537862224], rule)


LORENZ = made("lorenz", [1, 1, 1], lambda q: [
    10 * (q[1] - q[0]), 28 * q[0] - q[1] - q[0] * q[2], q[0] * q[1] - 8 * q[2] / 3])  # fmt: skip
HENON_HEILES = made("henon_heiles", [0, 0.1, 0.5, 0], lambda q: [
    q[2], q[3], -q[0] - 2 * q[0] * q[1], -q[1] - q[0] ** 2 + q[1] ** 2])  # fmt: skip

EXTENDED = {
    "BRUSS2": (
        made("brusselator", [1.5, 3], lambda y: [
            1 + y[0] ** 2 * y[1] - 4 * y[0], 3 * y[0] - y[0] ** 2 * y[1]]),
        20, 1e-12, [4.986370712683478e-1, 4.596780349452011e0],
    ),
    "PLEI": (
        pleiades(), 3, 1e-11,
        [3.706139143970513e-1, 3.237284092057233e0, -3.222559032418323e0, 6.597091455775308e-1,
         3.425581707156580e-1, 1.562172101400631e0, -7.003092922212495e-1, -3.943437585517392e0,
         -3.271380973972550e0, 5.225081843456544e0, -2.590612434977470e0, 1.198213693392275e0,
         -2.429682344935823e-1, 1.091449240428980e0, 3.417003806314315e0, 1.354584501625501e0,
         -2.590065597810775e0, 2.025053734714241e0, -1.155815100160449e0, -8.072988170223022e-1,
         5.952396354208719e-1, -3.741244961234008e0, 3.773459685750629e-1, 9.386858869551079e-1,
         3.667922227200570e-1, -3.474046353808494e-1, 2.344915448180937e0, -1.947020434263292e0],
    ),
    "LORENZ-10": (LORENZ, 10, 1e-8,
        [-4.902687541134646e0, -3.743872921802920e0, 2.469085810279056e1]),
    "LORENZ-20": (LORENZ, 20, 1e-4,
        [1.379319959512862e1, 1.295180393618990e1, 3.490160868113514e1]),
    "FHN": (
        made("fhn", [0, 0], lambda q: [
            q[0] - q[0] ** 3 / 3 - q[1] + 0.5, 0.08 * (q[0] + 0.7 - 0.8 * q[1])]),
        100, 1e-11, [-1.728598349505698e0, 4.374228962157953e-1],
    ),
    "HENON-HEILES": (HENON_HEILES, 100, 1e-9,
        [2.251469891854319e-1, 3.920106535852881e-1, 1.881879739924356e-1, -1.413256709617278e-1]),
}  # fmt: skip
