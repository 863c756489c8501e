"""The capacity curve of a thousand neurons beside four ways with numpy, and on one thread and all.

Run by name: ``OPENBLAS_NUM_THREADS=1 pytest -m benchmark -s tests/benchmarks/test_bench_capacity.py``.  Ours asks one neuron
after the other.  numpy does the same with a matrix of weights and all fields kept up to date (a loop over neurons, whole
rows at once); or it asks all neurons at once, which is another dynamics with fewer steps: with the matrix, as in
textbooks; by two products with the patterns; or, the fastest that we could write, by one product and the columns of the
neurons that turned, with patterns drawn as bits.
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


def by_turned_columns(count, rng):
    """Overlaps are kept; patterns are unpacked from random bytes, four times as fast as drawing whole numbers."""
    bits = np.unpackbits(
        np.frombuffer(rng.bytes(count * SIZE // 8 + 1), np.uint8), count=count * SIZE
    )
    patterns = bits.reshape(count, SIZE).astype(np.float32)
    patterns *= 2
    patterns -= 1
    state, before = patterns[0].copy(), None
    overlaps = patterns @ state
    for _ in range(200):
        following = np.copysign(np.float32(1), overlaps @ patterns - count * state)
        turned = np.flatnonzero(following != state)
        if not len(turned) or (before is not None and np.array_equal(following, before)):
            break
        if len(turned) < 150:
            overlaps = overlaps + patterns[:, turned] @ (2 * following[turned])
        else:
            overlaps = patterns @ following
        state, before = following, state
    return following


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
    [(one_by_one, 5), (by_matrix, 5), (by_products, 5), (by_turned_columns, 3)],
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_curve_beside_numpy(trial, least):
    """Seconds of the processor, in turns and the fastest of each, so that neighbours on the machine count least."""
    rng, repeats, rounds = (
        np.random.default_rng(1),
        4,
        3 if trial in (one_by_one, by_matrix) else 25,
    )

    def plain():
        for load in LOADS:
            for _ in range(repeats):
                trial(round(load * SIZE), rng)

    ours = theirs = np.inf
    with dl.threads(1):
        curve()
        for _ in range(rounds):
            ours = min(ours, clocked(curve, time.process_time) / (TRIALS * len(LOADS)))
            theirs = min(theirs, clocked(plain, time.process_time) / (repeats * len(LOADS)))
    print(
        f"one trial: {1e3 * ours:.3f} ms, numpy {trial.__name__} {1e3 * theirs:.2f} ms, ratio {theirs / ours:.1f}"
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
