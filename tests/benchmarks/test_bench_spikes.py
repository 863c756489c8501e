"""One second of the squid axon with spike times to 1e-6 ms, against Euler loops in Python; and events.

The tolerances give three quarters of that error.  The first loop is written as in a textbook, with
numpy and a function per rate; the second with a right-hand side on lists and `math.exp`; the third is the
fastest that plain Python does: floats in local variables.  All take steps of 0.01 ms, with which spikes are
off by 0.1 ms and more.
"""

import math

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

pytestmark = pytest.mark.benchmark(group="Hodgkin-Huxley, 1 s at I = 10")

AXON = zoo.hodgkin_huxley(I=10, EL=-54.387)
UP = dl.Crossing("spike", lambda V: V, direction=+1)
METHOD = dl.Explicit8(rtol=2e-8, atol=1e-9)
STEP, DURATION = 0.01, 1000.0


def axon(method):
    return dl.integrate(AXON, duration=DURATION, record=UP, at=[], method=method)


def rates(V):
    return (
        0.1 * (V + 40) / (1 - np.exp(-(V + 40) / 10)), 4 * np.exp(-(V + 65) / 18),
        0.07 * np.exp(-(V + 65) / 20), 1 / (1 + np.exp(-(V + 35) / 10)),
        0.01 * (V + 55) / (1 - np.exp(-(V + 55) / 10)), 0.125 * np.exp(-(V + 65) / 80),
    )  # fmt: skip


def textbook():
    y, found = np.array([-65.0, 0.053, 0.596, 0.318]), []
    for k in range(int(DURATION / STEP)):
        V, m, h, n = y
        am, bm, ah, bh, an, bn = rates(V)
        ionic = 120 * m**3 * h * (V - 50) + 36 * n**4 * (V + 77) + 0.3 * (V + 54.387)
        y = y + STEP * np.array(
            [10 - ionic, am * (1 - m) - bm * m, ah * (1 - h) - bh * h, an * (1 - n) - bn * n]
        )
        if V < 0 <= y[0]:
            found.append(k * STEP)
    return found


def rates_of_lists(y, I):
    V, m, h, n = y
    am, bm = 0.1 * (V + 40) / (1 - math.exp(-(V + 40) / 10)), 4 * math.exp(-(V + 65) / 18)
    ah, bh = 0.07 * math.exp(-(V + 65) / 20), 1 / (1 + math.exp(-(V + 35) / 10))
    an, bn = 0.01 * (V + 55) / (1 - math.exp(-(V + 55) / 10)), 0.125 * math.exp(-(V + 65) / 80)
    return [
        I - 120 * m**3 * h * (V - 50) - 36 * n**4 * (V + 77) - 0.3 * (V + 54.387),
        am * (1 - m) - bm * m, ah * (1 - h) - bh * h, an * (1 - n) - bn * n,
    ]  # fmt: skip


def ordinary():
    y, found = [-65.0, 0.053, 0.596, 0.318], []
    for k in range(int(DURATION / STEP)):
        new = [x + STEP * slope for x, slope in zip(y, rates_of_lists(y, 10.0), strict=True)]
        if y[0] < 0 <= new[0]:
            found.append(k * STEP)
        y = new
    return found


def plain(exp=math.exp):
    V, m, h, n, found = -65.0, 0.053, 0.596, 0.318, []
    for k in range(int(DURATION / STEP)):
        am, bm = 0.1 * (V + 40) / (1 - exp(-(V + 40) / 10)), 4 * exp(-(V + 65) / 18)
        ah, bh = 0.07 * exp(-(V + 65) / 20), 1 / (1 + exp(-(V + 35) / 10))
        an, bn = 0.01 * (V + 55) / (1 - exp(-(V + 55) / 10)), 0.125 * exp(-(V + 65) / 80)
        ionic = 120 * m**3 * h * (V - 50) + 36 * n**4 * (V + 77) + 0.3 * (V + 54.387)
        new = V + STEP * (10 - ionic)
        m += STEP * (am * (1 - m) - bm * m)
        h += STEP * (ah * (1 - h) - bh * h)
        n += STEP * (an * (1 - n) - bn * n)
        if V < 0 <= new:
            found.append(k * STEP)
        V = new
    return found


def test_located_spikes(benchmark):
    spikes = benchmark(lambda: axon(METHOD)).events["spike"].times
    exact = axon(dl.Explicit8(rtol=1e-13, atol=1e-15)).events["spike"].times
    assert np.abs(spikes - exact).max() < 1e-6


def test_euler_with_numpy(benchmark):
    assert len(benchmark.pedantic(textbook, rounds=3)) == 69


def test_euler_with_lists(benchmark):
    assert len(benchmark.pedantic(ordinary, rounds=5)) == 69


def test_euler_in_plain_python(benchmark):
    assert len(benchmark.pedantic(plain, rounds=5)) == 69


@pytest.mark.benchmark(group="10 000 resets")
@pytest.mark.parametrize("tref", [0.0, 1.0])
def test_resets(benchmark, tref):
    cell = zoo.leaky_integrate_and_fire(I=2.0, tref=tref)
    duration = 10_000 * (tref + 10 * math.log(2))
    run = benchmark(lambda: dl.integrate(cell, duration=duration, at=[]))
    assert len(run.events["spike"]) == pytest.approx(10_000, abs=1)
