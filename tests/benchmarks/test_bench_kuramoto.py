"""Kuramoto's model against the package `kuramoto` (numpy under scipy's odeint), and a million oscillators."""

import time

import networkx as nx
import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

pytestmark = pytest.mark.benchmark
METHOD = dl.Explicit8(rtol=1e-6, atol=1e-6)
#: The tolerances of odeint, with which the package runs.
ALIKE = dl.Explicit8(rtol=1.49012e-8, atol=1.49012e-8)


def seconds(run, repeats=7):
    """Return the least processor time of some runs."""
    times = []
    for _ in range(repeats):
        begin = time.process_time()
        run()
        times.append(time.process_time() - begin)
    return min(times)


def peer(matrix, omega, theta, coupling, duration):
    package = pytest.importorskip("kuramoto")
    model = package.Kuramoto(
        coupling=coupling, dt=0.1, T=duration, n_nodes=len(omega), natfreqs=omega
    )
    return model.run(adj_mat=matrix, angles_vec=theta)


def test_all_to_all():
    n, duration, part = 1000, 100.0, 4.0
    rng = np.random.default_rng(1)
    omega, theta = rng.normal(size=n), rng.uniform(0, 2 * np.pi, n)
    matrix = np.ones((n, n)) - np.eye(n)
    swarm = zoo.kuramoto.on(dl.AllToAll(n))(omega=omega, K=2.0)

    def ours(duration=duration):
        start = {"theta": theta}
        return dl.integrate(swarm, start=start, duration=duration, at=[duration], method=ALIKE)

    ours()
    # The peer divides by the in-degree, and its time grows with its duration: a part is enough.
    theirs = (
        seconds(lambda: peer(matrix, omega, theta, 2.0 * (n - 1) / n, part), 2) * duration / part
    )
    mine = seconds(ours)
    print(f"\nN = 1000 to t = 100: {mine:.4f} s, kuramoto {theirs:.0f} s: {theirs / mine:.0f}x")


def test_a_sparse_graph():
    n, duration, part = 1000, 100.0, 4.0
    rng = np.random.default_rng(1)
    graph = nx.gnm_random_graph(n, 5000, seed=1)
    omega, theta = rng.normal(size=n), rng.uniform(0, 2 * np.pi, n)
    matrix = nx.to_numpy_array(graph)
    weights = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    swarm = zoo.kuramoto_on_graph.on(weights)(omega=omega, K=2.0)

    def ours():
        start = {"theta": theta}
        return dl.integrate(swarm, start=start, duration=duration, at=[duration], method=ALIKE)

    ours()
    theirs = seconds(lambda: peer(matrix, omega, theta, 2.0, part), 2) * duration / part
    mine = seconds(ours)
    print(f"\n1000 nodes, 5000 edges: {mine:.4f} s, kuramoto {theirs:.0f} s: {theirs / mine:.0f}x")


def test_a_million():
    """Time per oscillator and step, beside that of one sine and cosine by numpy and by the C library."""
    import math

    n = 1_000_000
    swarm = zoo.kuramoto.on(dl.AllToAll(n)).draw(omega=dl.Quantiles(dl.Gaussian(0, 1)))(K=2.0)
    theta = np.random.default_rng(1).uniform(0, 2 * np.pi, n)

    def ours(duration):
        start, begin = {"theta": theta}, time.process_time()
        run = dl.integrate(swarm, start=start, duration=duration, at=[duration], method=METHOD)
        return time.process_time() - begin, sum(run.provenance.settings["steps"].values())

    # The difference of two runs leaves out what is done once.
    ours(1.0)
    (short, few), (long, many) = min(ours(2.0), ours(2.0)), min(ours(20.0), ours(20.0))
    mine, steps = long - short, many - few
    assert mine > 0 < steps
    once = seconds(lambda: (np.sin(theta), np.cos(theta))) / n
    values = theta[:100_000].tolist()
    plain = seconds(lambda: [(math.sin(x), math.cos(x)) for x in values]) / len(values)
    print(
        f"\na million: {1e9 * mine / n / steps:.0f} ns per oscillator and step of 12 stages; "
        f"sine and cosine by numpy {1e9 * once:.1f} ns, in a Python loop {1e9 * plain:.0f} ns"
    )
