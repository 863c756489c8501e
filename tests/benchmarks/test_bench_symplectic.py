"""A million steps of Henon-Heiles, and the same energy error with scipy's DOP853, in one process.

Run by name: ``pytest tests/benchmarks -m benchmark``.  The base of the ratios is scipy over t = 1e3 at the
tolerance that leaves the energy error of `BlanesMoan4(step=0.1)` there, 6e-8; its error grows with time, so for
longer runs it would have to be stricter.
"""

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

pytestmark = pytest.mark.benchmark(group="Henon-Heiles")

DURATION = 1000.0


def energy(y):
    return (y @ y) / 2 + y[0] ** 2 * y[1] - y[1] ** 3 / 3


def test_scipy_to_the_same_energy_error(benchmark):
    from scipy.integrate import DOP853

    def rates(t, y):
        return [y[2], y[3], -y[0] - 2 * y[0] * y[1], -y[1] - y[0] ** 2 + y[1] ** 2]

    start = np.array(zoo.henon_heiles.start_values)

    def run():
        solver = DOP853(rates, 0, start, DURATION, rtol=1.5e-10, atol=1.5e-10)
        while solver.status == "running":
            solver.step()
        return solver.y

    end = benchmark.pedantic(run, rounds=3, warmup_rounds=1)
    assert 2e-8 < abs(energy(end) / energy(start) - 1) < 1e-7


def test_same_energy_error(benchmark):
    method = dl.BlanesMoan4(step=0.1)
    whole = dl.integrate(zoo.henon_heiles, duration=DURATION, method=method)
    assert whole.energy_error < 1e-7
    benchmark(
        lambda: dl.integrate(zoo.henon_heiles, duration=DURATION, at=[DURATION], method=method)
    )


@pytest.mark.parametrize(
    "method", [dl.Verlet, dl.BlanesMoan4, dl.BlanesMoan6, dl.KahanLi8], ids=lambda m: m.__name__
)
def test_a_million_steps(benchmark, method):
    benchmark(
        lambda: dl.integrate(zoo.henon_heiles, duration=1e5, at=[1e5], method=method(step=0.1))
    )
