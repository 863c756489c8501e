"""Recall in a Hopfield network without its matrix, against numpy with it; and the largest network.

Run by name: ``pytest -m benchmark -s tests/benchmarks/test_bench_hopfield.py``.  numpy has the matrix in single
precision, made beforehand; its sweep asks one spin after the other by a product with a row, its step all at once by one
product.  Minima of processor time over several runs are compared, on one thread each.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from dynlab import hopfield
from dynlab.hopfield.machine import Course

pytestmark = pytest.mark.benchmark


def fastest(call, rounds=5):
    best = np.inf
    for _ in range(rounds):
        began = time.process_time()
        call()
        best = min(best, time.process_time() - began)
    return best


def started(size, count):
    patterns = hopfield.random_patterns(size=size, count=count, seed=1)
    start = hopfield.flipped(patterns[0], share=0.1, seed=2)
    machine = hopfield.Network(patterns).machine(start)
    return machine, Course.of(size, np.random.default_rng(3)), start


def numpy_sweep(weights, spins, order):
    for i in order:
        field = weights[i] @ spins
        if field * spins[i] < 0:
            spins[i] = -spins[i]


def test_sweep_and_step_against_numpy():
    size, count = 5000, 690
    machine, course, start = started(size, count)
    states = np.asarray(machine.patterns, np.float32)
    weights = states.T @ states / size
    np.fill_diagonal(weights, 0)
    spins, order = start.astype(np.float32), np.random.default_rng(4).permutation(size)
    theirs = fastest(lambda: numpy_sweep(weights, spins, order), 3)
    ours = fastest(lambda: machine.sweep(0.0, course, size))
    together = fastest(lambda: np.sign(weights @ spins))
    course.clock[:] = 0
    step = fastest(lambda: machine.step(0.0, course, 2 * size))
    print(
        f"\n{size} spins, {count} patterns: sweep {ours * 1e3:.2f} ms, numpy {theirs * 1e3:.1f} ms"
    )
    print(f"all at once {step * 1e3:.2f} ms, numpy {together * 1e3:.2f} ms")
    print(
        f"memory: patterns {machine.patterns.rows.nbytes / 1e6:.1f} MB, matrix {weights.nbytes / 1e6:.0f} MB"
    )
    assert ours < theirs / 5
    assert machine.patterns.rows.nbytes < weights.nbytes / 100


def test_a_hundred_thousand_spins():
    size, count = 100_000, 13_800
    machine, course, _ = started(size, count)
    sweeps = [fastest(lambda: machine.sweep(0.0, course, size), 1) for _ in range(6)]
    held = machine.patterns.rows.nbytes + machine.planes.nbytes + machine.carry.nbytes
    print(
        f"\n{size} spins, {count} patterns: {min(sweeps):.3f} s a sweep (first {sweeps[0]:.3f}), {held / 1e6:.0f} MB"
    )
    assert min(sweeps) < 1
    assert held < 200e6
