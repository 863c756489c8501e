"""Returns to a section per second, beside scipy's solve_ivp with events at the same tolerances."""

import time

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import dynlab as dl

pytestmark = pytest.mark.benchmark

RTOL, ATOL = 1e-9, 1e-12


def _lorenz(_, x):
    return [10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]]


def _down(_, x):
    return x[2] - 27


_down.direction = -1


def test_returns_of_the_lorenz_flow(benchmark):
    section = dl.poincare_map(
        dl.zoo.lorenz, when=lambda z, rho: z - (rho - 1), direction=-1,
        method=dl.Explicit8(rtol=RTOL, atol=ATOL),
    )  # fmt: skip
    start = {"x": 5.0, "y": 1.0}
    dl.iterate(section, start=start, duration=10)
    count = 5000
    benchmark.pedantic(
        dl.iterate, args=(section,), kwargs={"start": start, "duration": count}, rounds=3
    )
    ours = count / benchmark.stats["min"]
    began = time.perf_counter()
    run = solve_ivp(_lorenz, (0, 40), [5, 1, 27], "DOP853", rtol=RTOL, atol=ATOL, events=_down)
    theirs = len(run.t_events[0]) / (time.perf_counter() - began)
    matrix = time.perf_counter()
    spectrum = dl.lyapunov_spectrum(section, duration=1000, seed=1)
    with_derivative = 1000 / (time.perf_counter() - matrix)
    print(f"\nreturns per second: {ours:.0f}; with derivatives {with_derivative:.0f}; "
          f"solve_ivp with events {theirs:.0f}: {ours / theirs:.0f} times")  # fmt: skip
    assert np.isfinite(spectrum.exponents).all()
    assert ours > 20 * theirs
