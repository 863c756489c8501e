"""Stiff initial-value problems and their end values, computed in extended precision.

Radau IIA collocation with 7 and with 9 stages (orders 13 and 17) in 80-bit arithmetic; the two runs agree to
2e-16 or better, relative, in the worst component.  All decimal constants are exact decimals.

ROBER, VDPOL, OREGO, HIRES, POLLU: Mazzia and Magherini, Test Set for Initial Value Problem Solvers, release
2.4 (2008), whose printed values have 13 to 15 correct digits (OREGO 12.8).
vdP: Hairer and Wanner, Solving Ordinary Differential Equations II, section IV.10 (eps = 1e-6).
C1 to F4: the stiff DETEST set, Enright, Hull and Lindberg 1975, BIT 15, 10; its printed values are good
in absolute terms only.
"""

import dataclasses

from problems import made

import dynlab as dl
from dynlab import zoo


def pollution(y):
    k = [0.35, 26.6, 1.23e4, 8.6e-4, 8.2e-4, 1.5e4, 1.3e-4, 2.4e4, 1.65e4, 9e3, 0.022, 1.2e4, 1.88,
         1.63e4, 4.8e6, 3.5e-4, 0.0175, 1e8, 4.44e11, 1240, 2.1, 5.78, 0.0474, 1780, 3.12]  # fmt: skip
    y = [None, *y]
    r = [None] + [
        rate * product
        for rate, product in zip(
            k,
            [
                y[1], y[2] * y[4], y[5] * y[2], y[7], y[7], y[7] * y[6], y[9], y[9] * y[6],
                y[11] * y[2], y[11] * y[1], y[13], y[10] * y[2], y[14], y[1] * y[6], y[3], y[4],
                y[4], y[16], y[16], y[17] * y[6], y[19], y[19], y[1] * y[4], y[19] * y[1], y[20],
            ],
            strict=True,
        )
    ]  # fmt: skip
    return [
        -r[1] - r[10] - r[14] - r[23] - r[24] + r[2] + r[3] + r[9] + r[11] + r[12] + r[22] + r[25],
        -r[2] - r[3] - r[9] - r[12] + r[1] + r[21],
        -r[15] + r[1] + r[17] + r[19] + r[22],
        -r[2] - r[16] - r[17] - r[23] + r[15],
        -r[3] + 2 * r[4] + r[6] + r[7] + r[13] + r[20],
        -r[6] - r[8] - r[14] - r[20] + r[3] + 2 * r[18],
        -r[4] - r[5] - r[6] + r[13],
        r[4] + r[5] + r[6] + r[7],
        -r[7] - r[8],
        -r[12] + r[7] + r[9],
        -r[9] - r[10] + r[8] + r[11],
        r[9],
        -r[11] + r[10],
        -r[13] + r[12],
        r[14],
        -r[18] - r[19] + r[16],
        -r[20],
        r[20],
        -r[21] - r[22] - r[24] + r[23] + r[25],
        -r[25] + r[24],
    ]


POLLUTION = [0.0] * 20
for place, amount in {2: 0.2, 4: 0.04, 7: 0.1, 8: 0.3, 9: 0.01, 17: 0.007}.items():
    POLLUTION[place - 1] = amount


def c2(b):
    def rule(y):
        return [
            -y[0] + 2,
            -10 * y[1] + b * y[0] ** 2,
            -40 * y[2] + 4 * b * (y[0] ** 2 + y[1] ** 2),
            -100 * y[3] + 10 * b * (y[0] ** 2 + y[1] ** 2 + y[2] ** 2),
        ]

    return made(f"C2_{round(10 * b)}", [1, 1, 1, 1], rule)


def f1(y):
    T = 0.006 * dl.exp(20.7 - 15000 / y[0])
    return [
        1.3 * (y[2] - y[0]) + 10400 * T * y[1],
        1880 * (y[3] - y[1] * (1 + T)),
        1752 - 269 * y[2] + 267 * y[0],
        0.1 + 320 * y[1] - 321 * y[3],
    ]


def d4(y):
    first, second = -0.013 * y[0] - 1000 * y[0] * y[2], -2500 * y[1] * y[2]
    return [first, second, first + second]


def d6(y):
    first = -y[0] + 1e8 * y[2] * (1 - y[0])
    second = -10 * y[1] + 3e7 * y[2] * (1 - y[1])
    return [first, second, -first - second]


HAIRER = made("vdp_hairer", [2, 0], lambda y: [y[1], ((1 - y[0] ** 2) * y[1] - y[0]) * 1000000])


def known():
    """Rows from the facts of the zoo: the system, its own start replaced by that of the fact."""
    for name in ("robertson", "oregonator", "hires"):
        for fact in zoo.facts(name):
            if fact.what == "end value":
                system = zoo.get(name)
                starts = [
                    dataclasses.replace(state, start=fact.start.get(state.name, state.start))
                    for state in system.states
                ]
                system = dataclasses.replace(system, states=tuple(starts))
                ends = [fact.end[state] for state in system.state_names]
                yield f"{name}-{fact.duration:g}", (system, fact.duration, ends)


#: Name: system, duration, end values.
STIFF = dict(known()) | {
    "VDPOL-1000": (zoo.van_der_pol(mu=1000), 2000, [1.706167732170465e0, -8.928097010248165e-4]),
    "POLLU": (made("pollution", POLLUTION, pollution), 60,
        [5.646255480022769e-2, 1.342484130422339e-1, 4.139734331099427e-9, 5.523140207484360e-3,
         2.018977262302196e-7, 1.464541863493966e-7, 7.784249118997964e-2, 3.245075353396018e-1,
         7.494013383880406e-3, 1.622293157301560e-8, 1.135863833257075e-8, 2.230505975721360e-3,
         2.087162882798630e-4, 1.396921016840158e-5, 8.964884856898294e-3, 4.352846369330104e-18,
         6.899219696263405e-3, 1.007803037365946e-4, 1.772146513969985e-6, 5.682943292316393e-5]),
    "vdP-1": (HAIRER, 1, [-1.8636462548081339e0, 7.5354308654354336e-1]),
    "vdP-3": (HAIRER, 3, [-1.5106069367441115e0, 1.1783800007309110e0]),
    "vdP-5": (HAIRER, 5, [1.8904285964167676e0, -7.3451186801667941e-1]),
    "vdP-7": (HAIRER, 7, [1.5516146455482651e0, -1.1023828925332483e0]),
    "vdP-9": (HAIRER, 9, [-1.9165529494898676e0, 7.1695730034629817e-1]),
    "vdP-11": (HAIRER, 11, [-1.5901505448291268e0, 1.0402793892123871e0]),
    "C1": (
        made("C1", [1, 1, 1, 1], lambda y: [
            -y[0] + y[1] ** 2 + y[2] ** 2 + y[3] ** 2, -10 * y[1] + 10 * (y[2] ** 2 + y[3] ** 2),
            -40 * y[2] + 40 * y[3] ** 2, -100 * y[3] + 2]), 20,
        [4.003223926939235e-4, 4.0016e-4, 4e-4, 2e-2],
    ),
    "C2": (c2(0.1), 20, [1.999999997938846e0, 3.999999990839317e-2, 4.001599991536469e-2,
                         4.003201271913862e-2]),
    "C3": (c2(1), 20, [1.999999997938846e0, 3.999999990839317e-1, 4.159999990792339e-1,
                       4.333055990158034e-1]),
    "C5": (c2(20), 20, [1.999999997938846e0, 7.999999981678634e0, 1.359999993817714e2,
                        3.712799965967762e4]),
    "D1": (
        made("D1", [0, 0, 0], lambda y: [
            0.2 * (y[1] - y[0]), 10 * y[0] - (60 - 0.125 * y[2]) * y[1] + 0.125 * y[2], 1 + 0 * y[0]]),
        400, [2.224222010617240e1, 2.711071334484479e1, 4.0e2],
    ),
    "D2": (
        made("D2", [1, 0, 0], lambda y: [
            -0.04 * y[0] + 0.01 * y[1] * y[2], 400 * y[0] - 100 * y[1] * y[2] - 3000 * y[1] ** 2,
            30 * y[1] ** 2]), 40,
        [7.158270687194051e-1, 9.185534764557764e-2, 2.841637457458304e1],
    ),
    "D4": (made("D4", [1, 1, 0], d4), 50,
        [5.976546980655813e-1, 1.402343408547878e0, -1.893386540435196e-6]),
    "D6": (made("D6", [1, 0, 0], d6), 1,
        [8.523995440749991e-1, 1.476003981941275e-1, 5.773087333949988e-8]),
    "E2": (made("E2", [2, 0], lambda y: [y[1], 5 * (1 - y[0] ** 2) * y[1] - y[0]]), 10,
        [-1.158701266030991e0, 4.304698089791424e-1]),
    "E3": (
        made("E3", [1, 1, 0], lambda y: [
            -(55 + y[2]) * y[0] + 65 * y[1], 0.0785 * (y[0] - y[1]), 0.1 * y[0]]), 500,
        [4.253052196880127e-3, 5.317019547493399e-3, 2.627647748749107e1],
    ),
    "F1": (made("F1", [761, 0, 600, 0.1], f1), 1000,
        [1.211129474696585e3, 1.271123619113051e-5, 1.208637804660361e3, 3.241981171933418e-4]),
    "F2": (
        made("F2", [1, 0], lambda y: [
            -y[0] - y[0] * y[1] + 294 * y[1], y[0] * (1 - y[1]) / 98 - 3 * y[1]]), 240,
        [3.912699122292011e-1, 1.329964166084840e-3],
    ),
}  # fmt: skip
