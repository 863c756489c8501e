"""A system with a delay against jitcdde, at the same tolerances.

Run by name: ``pytest tests/benchmarks/test_bench_delays.py -m benchmark -s``.  jitcdde (Ansmann 2018), which writes the
equations in C and compiles them before, is left out if it is not installed.  Seconds are those of the processor; the
first call, which compiles, is left out on both sides.
"""

import importlib.util
import time

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

pytestmark = pytest.mark.benchmark(group="delays")
TOLERANCES = {"rtol": 1e-9, "atol": 1e-12}
ENDS = np.arange(10, 3001, 10)


def seconds(run, repeat=3):
    best = np.inf
    for _ in range(repeat):
        began = time.process_time()
        run()
        best = min(best, time.process_time() - began)
    return best


def by_jitcdde():
    """Run Mackey and Glass once, compiled; return the seconds without those of the compiler."""
    from jitcdde import jitcdde, t, y

    past = y(0, t - 17.0)
    run = jitcdde([0.2 * past / (1 + past**10) - 0.1 * y(0)], max_delay=17.0, verbose=False)
    run.compile_C(verbose=False)
    run.constant_past([0.5])
    run.set_integration_parameters(**TOLERANCES)
    run.step_on_discontinuities()
    began = time.process_time()
    for end in ENDS[run.t < ENDS]:
        run.integrate(end)
    return time.process_time() - began


def test_mackey_glass_to_3000():
    method = dl.Explicit8(**TOLERANCES)
    dl.integrate(zoo.mackey_glass, duration=10, method=method)
    ours = seconds(lambda: dl.integrate(zoo.mackey_glass, duration=3000, at=ENDS, method=method))
    print(f"\nMackey and Glass to 3000: dynlab {ours:.3f} s")
    if importlib.util.find_spec("jitcdde"):
        theirs = by_jitcdde()
        print(f"jitcdde {theirs:.3f} s: {theirs / ours:.1f} times")
        assert theirs > ours


def test_three_exponents_of_mackey_glass():
    def run():
        return dl.lyapunov_spectrum(
            zoo.mackey_glass, count=3, duration=20_000, transient=1000, seed=1
        )

    run()
    print(f"\nthree exponents over 20 000: dynlab {seconds(run):.2f} s")
