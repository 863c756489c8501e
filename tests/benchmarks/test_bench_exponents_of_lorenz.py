"""A chart of 200 x 200 largest exponents of Lorenz' flow, duration 200, on two cores, beside a plain double loop in numba.

Run by name: ``pytest -m benchmark -s tests/benchmarks/test_bench_exponents_of_lorenz.py``.  The plain loop is what one writes
by hand: the equations with their tangent, Runge-Kutta of order 4 with a fixed step, the deviation measured and shortened at
each step, two loops over the parameters, compiled by numba with fast mathematics; its rows are shared by two
threads.  The step is the largest of a list with which its states at t = 5 are as near to the true ones as ours, in the median of 25
cells.  Eight of its 200 rows are timed, as each takes as long as another; seconds of the processor, the minima of several runs, so that
other work on the machine changes little, and those by the clock beside them.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

pytestmark = pytest.mark.benchmark

SIDE, DURATION, BETA = 200, 200.0, 8 / 3
RHO, SIGMA = np.linspace(20, 200, SIDE), np.linspace(5, 20, SIDE)
TIMED_ROWS = (0, 28, 56, 84, 112, 140, 168, 196)


@numba.njit(inline="always", fastmath=True)
def rates(x, y, z, u, v, w, sigma, rho):
    return (
        sigma * (y - x), x * (rho - z) - y, x * y - BETA * z,
        sigma * (v - u), (rho - z) * u - v - x * w, y * u + x * v - BETA * w,
    )  # fmt: skip


@numba.njit(nogil=True, fastmath=True)
def cell(sigma, rho, duration, step, end):
    """Return the mean growth of a deviation; the state goes to ``end``."""
    x, y, z, u, v, w, total = 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0
    for _ in range(round(duration / step)):
        a = rates(x, y, z, u, v, w, sigma, rho)
        h = 0.5 * step
        b = rates(
            x + h * a[0],
            y + h * a[1],
            z + h * a[2],
            u + h * a[3],
            v + h * a[4],
            w + h * a[5],
            sigma,
            rho,
        )
        c = rates(
            x + h * b[0],
            y + h * b[1],
            z + h * b[2],
            u + h * b[3],
            v + h * b[4],
            w + h * b[5],
            sigma,
            rho,
        )
        h = step
        d = rates(
            x + h * c[0],
            y + h * c[1],
            z + h * c[2],
            u + h * c[3],
            v + h * c[4],
            w + h * c[5],
            sigma,
            rho,
        )
        h = step / 6
        x += h * (a[0] + 2 * b[0] + 2 * c[0] + d[0])
        y += h * (a[1] + 2 * b[1] + 2 * c[1] + d[1])
        z += h * (a[2] + 2 * b[2] + 2 * c[2] + d[2])
        u += h * (a[3] + 2 * b[3] + 2 * c[3] + d[3])
        v += h * (a[4] + 2 * b[4] + 2 * c[4] + d[4])
        w += h * (a[5] + 2 * b[5] + 2 * c[5] + d[5])
        size = np.sqrt(u * u + v * v + w * w)
        total += np.log(size)
        u, v, w = u / size, v / size, w / size
    end[0], end[1], end[2] = x, y, z
    return total / duration


@numba.njit(nogil=True, fastmath=True)
def loop(sigmas, rhos, duration, step, out):
    end = np.zeros(3)
    for i in range(rhos.size):
        for j in range(sigmas.size):
            out[i, j] = cell(sigmas[j], rhos[i], duration, step, end)


def plain(rows, step):
    out = np.zeros((len(rows), SIDE))
    with ThreadPoolExecutor(2) as pool:
        halves = [(RHO[list(rows[k::2])], np.zeros((len(rows[k::2]), SIDE))) for k in range(2)]
        list(pool.map(lambda half: loop(SIGMA, half[0], DURATION, step, half[1]), halves))
    for k in range(2):
        out[k::2] = halves[k][1]
    return out


def ours():
    with dl.threads(2):
        return dl.exponent_chart(
            zoo.lorenz, vary={"rho": RHO, "sigma": SIGMA}, duration=DURATION, method=dl.Explicit8()
        )


def step_as_accurate_as_ours():
    """Return the largest step with which the loop is as near to the true states, and both errors."""
    cells = [(rho, sigma) for rho in RHO[20::40] for sigma in SIGMA[20::40]]
    true, found = [], []
    for rho, sigma in cells:
        system = zoo.lorenz(rho=rho, sigma=sigma)
        tight = dl.integrate(system, duration=5, method=dl.Explicit8(rtol=1e-13, atol=1e-13))
        true.append([tight.final[n] for n in "xyz"])
        usual = dl.integrate(system, duration=5, method=dl.Explicit8())
        found.append([usual.final[n] for n in "xyz"])
    error = np.median(np.linalg.norm(np.subtract(found, true), axis=1))
    for step in (0.02, 0.01, 0.005, 0.0025, 0.00125, 0.000625):
        ends = np.zeros((len(cells), 3))
        for end, (rho, sigma) in zip(ends, cells, strict=True):
            cell(sigma, rho, 5.0, step, end)
        theirs = np.median(np.linalg.norm(ends - true, axis=1))
        print(f"step {step}: {theirs:.1e} against ours {error:.1e}")
        if theirs <= error:
            return step
    pytest.fail("no step of the list is small enough")


def timed(call, rounds):
    best = (np.inf, np.inf)
    for _ in range(rounds):
        clock, began = time.perf_counter(), time.process_time()
        answer = call()
        best = min(best, (time.process_time() - began, time.perf_counter() - clock))
    return *best, answer


def test_chart_of_lorenz_beside_a_plain_double_loop(record_property):
    step = step_as_accurate_as_ours()
    plain(TIMED_ROWS[:2], 0.02)
    dl.exponent_chart(zoo.lorenz, vary={"rho": RHO[:4], "sigma": SIGMA[:16]}, duration=DURATION)
    used, clock, chart = timed(ours, 2)
    for theirs in (0.01, step):
        scale = SIDE / len(TIMED_ROWS)
        cost, wall, values = timed(lambda theirs=theirs: plain(TIMED_ROWS, theirs), 2)
        print(
            f"\n200 x 200 exponents of Lorenz, two threads: {used:.1f} s of the processor, {clock:.1f} s by the clock; plain loop, "
            f"Runge-Kutta with step {theirs}: {cost * scale:.0f} s, {wall * scale:.0f} s: {cost * scale / used:.1f} times"
        )
        record_property(f"times at {theirs}", cost * scale / used)
    # The same numbers where they are sharp: rest at small rho, where the exponent is an eigenvalue, to 1 / duration; and in the mean.
    rows = chart["exponent"][list(TIMED_ROWS)]
    assert np.abs(np.mean(values - rows)) < 0.02
    assert cost * scale > used
