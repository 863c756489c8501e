"""Lorenz to t = 1000 by Taylor series, and by the explicit method, at equal errors at t = 10; and the compile time.

Run by name: ``pytest -m benchmark -s tests/benchmarks/test_bench_taylor.py``.  Where heyoka is installed, which compiles
the same recurrences unrolled, it runs in the same process.  Times are seconds of the processor, the least of
several runs.  The reference at t = 10 from (1, 1, 1), by series of order 40 with 40 digits, stands in tests/orders.
"""

import sys
import time

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.codegen.series import series_of

pytestmark = pytest.mark.benchmark(group="taylor")

START = {"x": 1.0, "y": 1.0, "z": 1.0}
AT_10 = np.array([-4.902687541134639, -3.743872921802811, 24.690858102790703])
ASKED = 1e-9


def least(run, repeats=7):
    times = []
    for _ in range(repeats):
        began = time.process_time()
        run()
        times.append(time.process_time() - began)
    return min(times)


def ours(kind, tolerances):
    """The tolerance that leaves the error asked for, that error, and the time to t = 1000."""
    for tolerance in tolerances:
        method = kind(rtol=tolerance, atol=tolerance)
        short = dl.integrate(zoo.lorenz, start=START, duration=10, at=[10], method=method)
        error = np.abs(short.end[1:] - AT_10).max()
        if error < ASKED:
            break
    run = lambda: dl.integrate(zoo.lorenz, start=START, duration=1000, at=[1000], method=method)  # noqa: E731
    return tolerance, error, least(run)


def peer(tolerances):
    heyoka = pytest.importorskip("heyoka")
    x, y, z = heyoka.make_vars("x", "y", "z")
    sigma, rho, beta = (heyoka.par[j] for j in range(3))
    rule = [(x, sigma * (y - x)), (y, x * (rho - z) - y), (z, x * y - beta * z)]
    for tolerance in tolerances:
        run = heyoka.taylor_adaptive(rule, [1.0] * 3, pars=[10, 28, 8 / 3], tol=tolerance)
        run.propagate_until(10.0)
        error = np.abs(run.state - AT_10).max()
        if error < ASKED:
            break

    def again():
        run.state[:], run.time = 1.0, 0.0
        run.propagate_until(1000.0)

    return tolerance, error, least(again)


def test_lorenz_at_the_same_error():
    tolerances = [1e-9, 1e-10, 1e-11, 1e-12, 1e-13]
    mine, explicit = ours(dl.Taylor, tolerances), ours(dl.Explicit8, tolerances)
    for name, (tolerance, error, seconds) in (("Taylor", mine), ("Explicit8", explicit)):
        print(f"{name}({tolerance:g}): error {error:.1e}, {1e3 * seconds:.2f} ms")
    assert mine[2] < explicit[2]
    other = peer(tolerances)
    print(f"heyoka({other[0]:g}): error {other[1]:.1e}, {1e3 * other[2]:.2f} ms")
    assert mine[2] < 1.5 * other[2]


def test_compiling_takes_less_than_a_second():
    name = f"sigma{time.time_ns()}"
    made = eval(
        f"lambda x=1.0, y=1.0, z=1.0, *, {name}=10.0, rho=28.0: {{x: {name} * (y - x), y: x * (rho - z) - y, z: x * y - 2 * z}}"
    )
    made.__name__ = "fresh"
    system = dl.flow(made)
    series_of(zoo.lorenz, 20)
    seconds = least(lambda: series_of(system, 20), repeats=1)
    print(f"compiled in {seconds:.2f} s", file=sys.stderr)
    assert seconds < 1
