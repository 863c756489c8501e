"""Charts of exponents against pynamicalsys and against loops over numpy arrays: same orbits, same iterations.

Run by name: ``pytest -m benchmark -s tests/benchmarks/test_bench_charts.py``.  pynamicalsys is compiled by numba as well; its
own fastest way to the largest exponent of a map of the plane is the angle of Eckmann and Ruelle
(``method="ER", num_exponents=1``), its default is QR.  It has no grids: a chart is a loop over cells in Python, of which
40 are timed; each takes as long as another.  The loops over numpy carry all cells and deviations as arrays; 200 of
the iterations are timed, renormalised every 8 steps as ours.  First calls compile and are left out; minima of the
processor time of all threads are compared, so ratios are those of one thread, and more cores add to ours.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

pytestmark = pytest.mark.benchmark

SIDE, STEPS = 100, 10_000
AXES = {"a": (1.0, 1.4, SIDE), "b": (0.1, 0.3, SIDE)}
START = [0.1, 0.1]
TIMED_CELLS, TIMED_STEPS = 40, 200


def fastest(call, rounds):
    best, answer = np.inf, None
    for _ in range(rounds):
        began = time.process_time()
        answer = call()
        best = min(best, time.process_time() - began)
    return best, answer


def chart():
    return dl.exponent_chart(zoo.henon, vary=AXES, start=START, duration=STEPS)


def numpy_henon(steps):
    a, b = np.meshgrid(np.linspace(1.0, 1.4, SIDE), np.linspace(0.1, 0.3, SIDE), indexing="ij")
    x, y = np.full(a.shape, 0.1), np.full(a.shape, 0.1)
    u, v, total = np.ones(a.shape), np.zeros(a.shape), np.zeros(a.shape)
    for step in range(steps):
        u, v = -2 * a * x * u + v, b * u
        x, y = 1 - a * x * x + y, b * x
        if step % 8 == 7:
            size = np.hypot(u, v)
            total += np.log(size)
            u, v = u / size, v / size
    return total / steps


def report(words, ours, theirs):
    print(f"\n{words}: {ours:.4f} s against {theirs:.3g} s, {theirs / ours:.0f} times")


def test_henon_chart_against_pynamicalsys(record_property):
    peer = pytest.importorskip("pynamicalsys", reason="pynamicalsys is not installed")
    system = peer.DiscreteDynamicalSystem(model="henon map")
    chart()
    ours, found = fastest(chart, 7)
    places = [(i, j) for i in range(0, SIDE, 20) for j in range(0, SIDE, 13)][:TIMED_CELLS]
    for how in ({"method": "ER", "num_exponents": 1}, {"num_exponents": 1}):

        def theirs(how=how):
            return [
                system.lyapunov(START, STEPS, parameters=[found["a"][i], found["b"][j]], **how)
                for i, j in places
            ]

        theirs()
        seconds, values = fastest(theirs, 3)
        seconds *= SIDE**2 / len(places)
        report(f"Henon, 100 x 100 cells, 10 000 steps, pynamicalsys {how}", ours, seconds)
        record_property(str(how), seconds / ours)
        # The same number: within the scatter of chaotic cells, and of the start on regular ones.
        for (i, j), value in zip(places, values, strict=True):
            error = np.hypot(found["standard_error"][i, j], 3e-4)
            assert abs(float(np.ravel(value)[0]) - found["exponent"][i, j]) < 6 * error
        assert seconds > 100 * ours


def test_henon_chart_against_numpy(record_property):
    chart()
    ours, found = fastest(chart, 7)
    seconds, _ = fastest(lambda: numpy_henon(TIMED_STEPS), 3)
    seconds *= STEPS / TIMED_STEPS
    report("Henon, 100 x 100 cells, 10 000 steps, numpy", ours, seconds)
    record_property("numpy", seconds / ours)
    apart = np.abs(numpy_henon(TIMED_STEPS) - found["exponent"])
    assert np.median(apart) < 0.05  # 200 steps are few
    assert seconds > 5 * ours


def test_logistic_chart_of_1000_points(record_property):
    def line():
        return dl.exponent_chart(zoo.logistic, vary={"r": (2.8, 4.0, 1000)}, duration=STEPS)

    def theirs():
        r, x, total = np.linspace(2.8, 4.0, 1000), np.full(1000, 0.3), np.zeros(1000)
        for _ in range(TIMED_STEPS):
            total += np.log(np.abs(r * (1 - 2 * x)))
            x = r * x * (1 - x)
        return total / TIMED_STEPS

    line()
    ours, _ = fastest(line, 9)
    seconds, _ = fastest(theirs, 5)
    seconds *= STEPS / TIMED_STEPS
    report("logistic, 1000 points, 10 000 steps, numpy", ours, seconds)
    record_property("numpy", seconds / ours)
    assert seconds > 3 * ours


def test_lorenz_chart_against_one_at_a_time(record_property):
    def line():
        return dl.exponent_chart(zoo.lorenz, vary={"rho": (20, 100, 200)}, duration=200)

    def one(rho):
        return dl.lyapunov_exponent(
            zoo.lorenz(rho=rho), duration=200, seed=1, method=dl.Explicit8()
        )

    line(), one(28.0)
    with dl.threads(1):
        ours, _ = fastest(line, 3)
    seconds, _ = fastest(lambda: [one(rho) for rho in np.linspace(20, 100, 10)], 3)
    report("Lorenz, 200 values, duration 200, one thread, one at a time", ours, 20 * seconds)
    record_property("one at a time", 20 * seconds / ours)
