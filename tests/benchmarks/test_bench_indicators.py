"""Indicators from data: seconds of the processor, beside the plain way with numpy and scipy, and beside nolds.

Run by name: ``pytest -m benchmark -s tests/benchmarks/test_bench_indicators.py``.  The plain way takes all distances
at once (`scipy.spatial.distance.pdist`), or the whole recurrence plot as a matrix.  nolds is asked where it can be
imported (0.6.3 cannot with every Python 3.11).
"""

from __future__ import annotations

import time
from itertools import groupby

import numpy as np
import pytest
from scipy.spatial.distance import pdist

import dynlab as dl
from dynlab import zoo

pytestmark = pytest.mark.benchmark(group="indicators")

REPEATS = 3


def least(run):
    """The least time of the processor of several runs; the first, which may load code, does not count."""
    run()
    times = []
    for _ in range(REPEATS):
        began = time.process_time()
        run()
        times.append(time.process_time() - began)
    return min(times)


def henon(count):
    return dl.iterate(zoo.henon, duration=count + 99).values[100:]


def report(name, ours, theirs, beside):
    print(f"{name}: {ours:.3f} s, {beside} {theirs:.3f} s, ratio {theirs / ours:.1f}")


def test_correlation_dimension_beside_all_distances():
    points = henon(5000)
    edges = np.geomspace(1e-6, 3, 100)

    def plain():
        return np.histogram(pdist(points, "chebyshev"), edges)

    ours = least(lambda: dl.correlation_dimension(points, window=0))
    theirs = least(plain)
    report("correlation dimension of 5000 points", ours, theirs, "pdist and histogram")
    # Ours counts every pair from both ends, for the errors, and finds range and errors besides.
    assert theirs / ours > 1


def test_a_hundred_thousand_points():
    """Bounded by the reference points: 2e8 distances, whatever the length; memory a few arrays."""
    points = henon(100_000)
    seconds = least(lambda: dl.correlation_dimension(points, window=0))
    print(f"correlation dimension of 100 000 points: {seconds:.2f} s")
    assert seconds < 4.0


def test_recurrence_beside_the_whole_plot():
    points = henon(1500)

    def plain():
        close = np.abs(points[:, None] - points[None]).max(axis=2) <= 0.2
        rows = [np.diagonal(close, lag) for lag in range(1, len(close))] + list(close)
        return [len(list(group)) for row in rows for value, group in groupby(row) if value]

    ours = least(lambda: dl.recurrence_quantification(points, radius=0.2))
    theirs = least(plain)
    report("recurrence of 1500 points", ours, theirs, "the plot as a matrix")
    assert theirs / ours > 10


def test_zero_one_beside_its_definition():
    x = dl.iterate(zoo.logistic(r=3.97), duration=3000)["x"][100:]
    longest = len(x) // 10
    j = np.arange(1, len(x) + 1)

    def plain():
        found = []
        for angle in np.linspace(0.63, 2.5, 100):
            walk = np.cumsum((x - x.mean()) * np.exp(1j * angle * j))
            fixed = walk[:-longest]
            moved = [
                np.mean(np.abs(walk[n : n + len(fixed)] - fixed) ** 2) for n in range(1, longest)
            ]
            found.append(np.corrcoef(np.arange(1, longest), moved)[0, 1])
        return np.median(found)

    ours, theirs = least(lambda: dl.zero_one_test(x)), least(plain)
    report("0-1 test of 2900 values", ours, theirs, "the definition in numpy")
    # Ours also tests both halves.
    assert theirs / ours > 3


def test_beside_nolds():
    try:
        import nolds
    except Exception as error:
        pytest.skip(f"nolds cannot be imported: {error!r}")
    x = henon(3000)[:, 0]
    points = dl.delay_embedding(x, dimension=2, delay=1)
    report(
        "correlation dimension of 3000 values",
        least(lambda: dl.correlation_dimension(points, window=0)),
        least(lambda: nolds.corr_dim(x, 2)),
        "nolds",
    )
    report(
        "exponent of 3000 values",
        least(lambda: dl.exponent_from_data(points)),
        least(lambda: nolds.lyap_r(x, emb_dim=2, lag=1, min_tsep=4, trajectory_len=10)),
        "nolds",
    )
    # Independent programs on the same data, each with choices of its own.
    found = dl.exponent_from_data(points)
    theirs = nolds.lyap_r(x, emb_dim=2, lag=1, min_tsep=4, trajectory_len=10)
    assert abs(found.value - theirs) < 3 * found.standard_error
