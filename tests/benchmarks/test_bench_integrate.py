"""Integration against scipy's DOP853 with a Python right-hand side, in one process.

Run by name: ``pytest tests/benchmarks -m benchmark``.  The first is the base of the ratios; minima are
compared, for they are the least disturbed by the rest of the machine.
"""

import pytest

import dynlab as dl

pytestmark = pytest.mark.benchmark(group="Lorenz, t = 1000, rtol = atol = 1e-9")

METHOD = dl.Explicit8(rtol=1e-9, atol=1e-9)
DURATION = 1000.0


@dl.flow
def lorenz(x=1.0, y=1.0, z=1.0, *, sigma=10.0, rho=28.0, beta=8 / 3):
    return {x: sigma * (y - x), y: x * (rho - z) - y, z: x * y - beta * z}


def test_scipy(benchmark):
    from scipy.integrate import DOP853

    def rates(t, y):
        return [10 * (y[1] - y[0]), y[0] * (28 - y[2]) - y[1], y[0] * y[1] - 8 / 3 * y[2]]

    def run():
        solver = DOP853(rates, 0, [1.0, 1.0, 1.0], DURATION, rtol=1e-9, atol=1e-9)
        while solver.status == "running":
            solver.step()
        return solver.y

    benchmark.pedantic(run, rounds=5, warmup_rounds=1)


def test_final_state(benchmark):
    benchmark(lambda: dl.integrate(lorenz, duration=DURATION, at=[DURATION], method=METHOD))


def test_every_step(benchmark):
    benchmark(lambda: dl.integrate(lorenz, duration=DURATION, method=METHOD))


def test_crossings(benchmark):
    top = dl.Crossing("top", lambda x, y, z, beta: x * y - beta * z, -1)
    benchmark(lambda: dl.integrate(lorenz, duration=DURATION, record=top, at=[], method=METHOD))


def test_overhead_of_a_short_run(benchmark):
    benchmark(lambda: dl.integrate(lorenz, duration=0.01, method=METHOD))
