"""How many cycles chaotic sets hold, where it is known.

Henon at a = 1.4, b = 0.3: Galias 1998, Nonlinear Analysis 30, 4117 and Biham and Wenzel 1989, Phys. Rev. Lett.
63, 819 (the fixed point outside the attractor counts here too).  Logistic map at r = 4: f^n(x) = x has 2^n
roots.  Cat map: |det(A^n - 1)| points.  Lorenz at rho = 28: Viswanath 2003, Nonlinearity 16, 1035, table 1.
"""

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.errors import SettingError

HENON_CYCLES = {
    1: 2,
    2: 1,
    3: 0,
    4: 1,
    5: 0,
    6: 2,
    7: 4,
    8: 7,
    9: 6,
    10: 10,
    11: 14,
    12: 19,
    13: 32,
}
HENON_BOX = {"x": (-2, 2), "y": (-1, 1)}
CHAOS = dl.DavidchackLai()


@dl.iterated_map
def cat(x: dl.Angle = 0.3, y: dl.Angle = 1.1):
    return {x: 2 * x + y, y: x + y}


@pytest.mark.parametrize("period", [4, 5, 8, 11, 13])
def test_henon(period):
    found = dl.find_periodic_orbits(zoo.henon, period=period, within=HENON_BOX, method=CHAOS)
    assert len(found) == HENON_CYCLES[period]
    assert "found no more" in found.completeness
    for orbit in found:
        # Every step shrinks areas by b; the small multiplier is known to rounding of the large one.
        size = np.max(np.abs(orbit.multipliers)) ** 2
        assert np.prod(orbit.multipliers).real == pytest.approx((-0.3) ** period, abs=1e-14 * size)


def test_logistic():
    found = dl.find_periodic_orbits(
        zoo.logistic(r=4.0), period=11, within={"x": (0, 1)}, method=CHAOS
    )
    assert len(found) == (2**11 - 2) // 11
    # sin^2(pi k / (2^n -+ 1)) are the points of f^n(x) = x.
    points = np.sort(np.concatenate([orbit.states["x"] for orbit in found]))
    every = np.concatenate([
        np.sin(np.pi * np.arange(1, 2**10) / (2**11 - 1)) ** 2,
        np.sin(np.pi * np.arange(1, 2**10 + 1) / (2**11 + 1)) ** 2,
    ])  # fmt: skip
    exact = np.sort(every[np.abs(every - 0.75) > 1e-9])
    assert points == pytest.approx(exact, abs=1e-11)


@pytest.mark.parametrize("period", [3, 5, 7])
def test_cat_map(period):
    found = dl.find_periodic_orbits(cat, period=period, method=CHAOS)
    matrix = np.linalg.matrix_power(np.array([[2, 1], [1, 1]]), period)
    points = abs(round(np.linalg.det(matrix - np.eye(2))))
    assert period * len(found) == points - 1  # the origin is the only one of period 1
    exact = np.sort(np.linalg.eigvals(matrix.astype(float)))
    assert np.sort(found[0].multipliers.real) == pytest.approx(exact, rel=1e-9)


def test_newton_misses_some():
    found = dl.find_periodic_orbits(zoo.henon, period=13, within=HENON_BOX)
    assert len(found) <= HENON_CYCLES[13]


def test_lorenz():
    section = dl.poincare_map(zoo.lorenz, when=lambda z, rho: z - (rho - 1), direction=-1)
    found = dl.find_periodic_orbits(
        section.with_start(x=5.0, y=1.0), period=3, within={"x": (-20, 20), "y": (-25, 25)},
        method=dl.DavidchackLai(starts=8),
    )  # fmt: skip
    assert len(found) == 2  # LLR and its mirror image
    for orbit in found:
        start = {name: values[0] for name, values in orbit.states.items()}
        times = dl.iterate(section, start=start, duration=2)["return_time"]
        assert times.sum() == pytest.approx(2.3059072639398, abs=1e-10)
    cycle = dl.find_cycle(zoo.lorenz, start=section.lifted(start), period=times.sum())
    assert cycle.period == pytest.approx(2.3059072639398, abs=1e-10)
    nontrivial = np.delete(cycle.multipliers, np.argmin(abs(cycle.multipliers - 1)))
    assert np.sort(abs(nontrivial)) == pytest.approx(np.sort(abs(orbit.multipliers)), abs=1e-8)


def test_misuse_is_named():
    with pytest.raises(SettingError, match="beta"):
        dl.DavidchackLai(beta=0)
    with pytest.raises(SettingError, match="starts"):
        dl.DavidchackLai(starts=1.5)

    @dl.iterated_map
    def five(a=0.1, b=0.1, c=0.1, d=0.1, e=0.1):
        return {a: b, b: c, c: d, d: e, e: a / 2}

    with pytest.raises(SettingError, match="DeflatedNewton"):
        dl.find_periodic_orbits(five, period=2, method=CHAOS)
