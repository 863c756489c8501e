"""The capacity curve of a thousand neurons beside three ways with numpy, and on one thread and all.

Run by name: ``pytest -m benchmark -s tests/benchmarks/test_bench_capacity.py``.  Ours asks one neuron after the other.
numpy does the same with a matrix of weights and all fields kept up to date (a loop over neurons, whole rows at once);
or it asks all neurons at once, which is another dynamics with fewer steps: with the matrix, as in textbooks, or by
two products with the patterns, the fastest there is in numpy.
"""

from __future__ import annotations

import os
import time

import numpy as np
import pytest

import dynlab as dl
from dynlab import hopfield

pytestmark = pytest.mark.benchmark(group="capacity")

SIZE, TRIALS = 1000, 40
LOADS = np.linspace(0.10, 0.18, 9)


def drawn(count, rng):
    return (2 * rng.integers(0, 2, (count, SIZE), np.int8) - 1).astype(np.float32)


def at_rest(state, fields_of):
    """Ask all at once until nothing changes, or a cycle of two."""
    before = None
    for _ in range(200):
        fields = fields_of(state)
        following = np.where(fields == 0, state, np.sign(fields))
        if np.array_equal(following, state) or (
            before is not None and np.array_equal(following, before)
        ):
            break
        state, before = following, state
    return following


def by_products(count, rng):
    patterns = drawn(count, rng)
    return at_rest(patterns[0], lambda s: (patterns @ s) @ patterns - count * s)


def by_matrix(count, rng):
    patterns = drawn(count, rng)
    weights = patterns.T @ patterns / SIZE
    np.fill_diagonal(weights, 0.0)
    return at_rest(patterns[0], lambda s: weights @ s)


def one_by_one(count, rng):
    patterns = drawn(count, rng)
    weights = patterns.T @ patterns / SIZE
    np.fill_diagonal(weights, 0.0)
    state, turned = patterns[0].copy(), 1
    fields = weights @ state
    while turned:
        turned = 0
        for i in rng.permutation(SIZE):
            if fields[i] * state[i] < -1e-5:
                state[i] = -state[i]
                fields += 2 * state[i] * weights[i]
                turned += 1
    return state


def curve():
    return hopfield.recall_curve(size=SIZE, loads=LOADS, trials=TRIALS, seed=1)


def clocked(run, clock):
    began = clock()
    run()
    return clock() - began


@pytest.mark.parametrize(
    ("trial", "least"),
    [(one_by_one, 5), (by_matrix, 5), (by_products, 2)],
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_curve_beside_numpy(trial, least):
    """Seconds of the processor, so that neighbours on the machine do not count."""
    curve()
    rng, repeats = np.random.default_rng(1), 10

    def plain():
        for load in LOADS:
            for _ in range(repeats):
                trial(round(load * SIZE), rng)

    ours = min(clocked(curve, time.process_time) for _ in range(3)) / (TRIALS * len(LOADS))
    theirs = min(clocked(plain, time.process_time) for _ in range(2)) / (repeats * len(LOADS))
    print(
        f"one trial: {1e3 * ours:.2f} ms, numpy {trial.__name__} {1e3 * theirs:.2f} ms, ratio {theirs / ours:.1f}"
    )
    assert theirs / ours > least


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core")
def test_all_cores():
    """Needs an idle machine."""
    curve()
    with dl.threads(1):
        one = min(clocked(curve, time.perf_counter) for _ in range(5))
    two = min(clocked(curve, time.perf_counter) for _ in range(5))
    print(f"one thread {one:.3f} s, all {two:.3f} s, ratio {one / two:.2f}")
    assert one / two > 1.7
