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


def test_kuramoto_as_a_plain_double_sum():
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
    print(f"\nKuramoto N = 1000, t = 100: {mine:.3f} s, numpy {theirs:.0f} s: {theirs / mine:.0f}x")


def test_a_sparse_network():
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
    # In turn, so that what else runs on the machine disturbs both.
    pairs = [(seconds(ours), seconds(theirs, 1)) for _ in range(5)]
    mine, peer = (min(times) for times in zip(*pairs, strict=True))
    print(
        f"\n1000 nodes, 5000 links, t = 100: {mine:.3f} s, scipy.sparse {peer:.2f} s: "
        f"{peer / mine:.1f}x"
    )


def test_events_located_in_a_network():
    """Microseconds for one spike, integration to it included, among 1000 leaky cells on a graph."""
    i, j = dl.nodes("i j")

    @dl.flow
    def leaky(v: dl.PerNode = 0.0, *, w: dl.PerLink = -0.01, I: dl.PerNode = 1.2, tau=10.0):
        return {v[i]: (I[i] - v[i]) / tau}

    def cells(refractory):
        event = leaky.with_event(
            when=lambda v: v[i] - 1, direction=+1, name="spike", refractory=refractory,
            deliver=lambda v, w: {v[i]: v[i] + w[i, j]},
        )  # fmt: skip

        @event
        def firing(v, *, tref=2.0):
            return {v[i]: 0.0}

        graph = nx.gnp_random_graph(1000, 0.02, seed=1, directed=True)
        rng = np.random.default_rng(0)
        net = firing.on(graph)(I=rng.uniform(1.05, 1.5, 1000))
        return net.with_start(v=rng.uniform(0, 1, 1000))

    for words, refractory in (("without", None), ("with", lambda tref: tref)):
        net = cells(refractory)
        count = len(dl.integrate(net, duration=100, at=[100]).events["spike"])
        time_each = seconds(lambda net=net: dl.integrate(net, duration=100, at=[100])) / count
        print(f"\na spike among 1000 cells, {words} a refractory time: {1e6 * time_each:.0f} us")
