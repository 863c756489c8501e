"""Networks against numpy and scipy.sparse right-hand sides under scipy's DOP853, in one process."""

import time

import networkx as nx
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import dynlab as dl
from dynlab import zoo

pytestmark = pytest.mark.benchmark


def seconds(run, repeats=3):
    """Return the least time of some runs."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return min(times)


def test_kuramoto_as_a_plain_double_sum(capsys):
    n, duration, K = 1000, 100.0, 2.0
    omega = zoo.kuramoto.on(n).draw(omega=dl.Gaussian(0, 1), seed=1)["omega"]
    start = np.linspace(0, 2 * np.pi, n, endpoint=False)
    swarm = zoo.kuramoto.on(n)(omega=omega, K=K)
    method = dl.Explicit8(rtol=1e-6, atol=1e-6)

    def ours():
        return dl.integrate(
            swarm, start={"theta": start}, duration=duration, at=[duration], method=method
        )

    def rhs(t, theta):
        return omega + K * np.sin(theta - theta[:, None]).mean(axis=1)

    # The peer's time is proportional to its duration; a fiftieth of it is enough to know.
    part = duration / 50
    theirs = 50 * seconds(
        lambda: solve_ivp(rhs, (0, part), start, "DOP853", rtol=1e-6, atol=1e-6), 1
    )
    ours()
    mine = seconds(ours)
    with capsys.disabled():
        print(
            f"\nKuramoto N = 1000, t = 100: {mine:.3f} s, numpy {theirs:.0f} s: {theirs / mine:.0f}x"
        )


def test_a_sparse_network(capsys):
    n, duration = 1000, 100.0
    graph = nx.gnm_random_graph(n, 2500, seed=1)
    rng = np.random.default_rng(2)
    omega, start = rng.normal(size=n), rng.uniform(0, 2 * np.pi, n)
    weights = nx.to_scipy_sparse_array(graph, format="csr", dtype=float)
    swarm = zoo.kuramoto_on_graph.on(weights)(omega=omega, K=0.5)
    method = dl.Explicit8(rtol=1e-6, atol=1e-6)

    def ours():
        return dl.integrate(
            swarm, start={"theta": start}, duration=duration, at=[duration], method=method
        )

    def rhs(t, theta):
        s, c = np.sin(theta), np.cos(theta)
        return omega + 0.5 * (c * (weights @ s) - s * (weights @ c))

    def theirs():
        return solve_ivp(rhs, (0, duration), start, "DOP853", rtol=1e-6, atol=1e-6)

    run = ours()
    np.testing.assert_allclose(run["theta"][-1], theirs().y[:, -1], atol=0.1)
    mine, peer = seconds(ours), seconds(theirs, 1)
    with capsys.disabled():
        print(
            f"\n1000 nodes, 5000 links, t = 100: {mine:.3f} s, scipy.sparse {peer:.2f} s: "
            f"{peer / mine:.1f}x"
        )
