"""Exponents of stiff flows, flows with events, and networks, against closed forms and other roads."""

import networkx as nx
import numpy as np
import pytest

import dynlab as dl
from dynlab import Verdict, zoo

TIGHT = {"rtol": 1e-8, "atol": 1e-11}


@dl.flow
def lagging_lorenz(x=1.0, y=1.0, z=20.0, u=0.0, *, K=1e3):
    """Lorenz's equations in which z sees y through u, which follows at the rate K."""
    return {x: 10 * (y - x), y: x * (28 - z) - y, z: x * u - 8 / 3 * z, u: -K * (u - y)}


@dl.flow
def clock(theta=0.0, y=0.3):
    return {theta: 1 + 0 * y, y: 0 * y}


@clock.with_event(when=lambda theta: theta - 1, direction=+1)
def ticking(theta, y):
    """A logistic map, one step in each unit of time."""
    return {theta: 0, y: 4 * y * (1 - y)}


@dl.flow
def leaky(v=0.0, *, current=1.5):
    return {v: current - v}


@leaky.with_event(when=lambda v: v - 1, direction=+1)
def firing(v):
    return {v: 0}


@dl.flow
def spring(x=1.0, v=0.0, *, left=1.0, right=4.0, d=0.1):
    return {x: v, v: -dl.where(x > 0, right, left) * x - 2 * d * v}


@dl.flow
def lorenz96(x: dl.PerNode = 8.0, *, P: dl.PerLink = 1.0, M: dl.PerLink = 1.0, F=8.0):
    i, j = dl.nodes("i j")
    return {x[i]: dl.Sum(P[i, j] * x[j], j) * dl.Sum(M[i, j] * x[j], j) - x[i] + F}


def ring(size):
    """x_i' = (x_(i+1) - x_(i-2)) x_(i-1) - x_i + F."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(size))
    for i in range(size):
        for apart, P, M in ((1, 1.0, 0.0), (-2, -1.0, 0.0), (-1, 0.0, 1.0)):
            graph.add_edge((i + apart) % size, i, P=P, M=M)
    return graph


@pytest.mark.parametrize("method", [dl.Radau5(**TIGHT), dl.Automatic(**TIGHT)])
def test_the_implicit_method_carries_deviations_as_the_explicit_one_does(method):
    # K is fast enough for stiffness, and time short enough that the runs have not parted.
    explicit = dl.lyapunov_spectrum(
        lagging_lorenz, count=3, duration=2, seed=1, method=dl.Explicit8(rtol=1e-10, atol=1e-13)
    )
    found = dl.lyapunov_spectrum(lagging_lorenz, count=3, duration=2, seed=1, method=method)
    # The estimates at the end agree although rows end at other steps: their sum is that of the whole.
    assert found.exponents == pytest.approx(explicit.exponents, abs=2e-5)


def test_a_stiff_flow_takes_few_steps():
    steps = {
        method: dl.lyapunov_spectrum(
            lagging_lorenz(K=1e6), count=3, duration=5, seed=1, method=method
        ).growth.steps
        for method in (dl.Radau5(**TIGHT), dl.Automatic(**TIGHT))
    }
    # The explicit method would need 5e6 / 4.
    assert max(steps.values()) < 5000


def test_of_a_stiff_plane_flow_the_second_exponent_is_the_mean_divergence():
    """Liouville: on a cycle in the plane the exponents are 0 and the mean divergence."""
    system = zoo.van_der_pol(mu=20.0)
    cycle = dl.find_cycle(system, start={"x": 2.0})
    found = dl.lyapunov_spectrum(system, duration=10 * cycle.period, transient=100, seed=1)
    assert found.exponents[1] == pytest.approx(found.mean_divergence, rel=1e-4)
    assert found.exponents[0] == pytest.approx(0, abs=1e-4)


def test_a_map_inside_a_clock():
    found = dl.lyapunov_spectrum(ticking, duration=300, transient=10, seed=1)
    low, high = found.interval(level=0.999)[0]
    assert low < np.log(2) < high
    assert abs(found.exponents[1]) < 1e-3
    assert found.sum == pytest.approx(found.mean_divergence, abs=1e-9)
    assert found.verdict is Verdict.CHAOTIC


def test_a_cell_that_fires_regularly_has_the_exponent_zero():
    """exp(-T) from the leak times I / (I - 1) from the reset is 1."""
    period = np.log(3.0)
    found = dl.lyapunov_exponent(firing, duration=64 * period, transient=0.5, seed=1)
    assert found.value == pytest.approx(0.0, abs=1e-8)


def test_a_cycle_with_events_has_its_floquet_exponents():
    cycle = dl.find_cycle(zoo.izhikevich)
    found = dl.lyapunov_spectrum(zoo.izhikevich, duration=32 * cycle.period, transient=500, seed=1)
    expected = np.log(np.abs(cycle.multipliers)) / cycle.period
    assert found.exponents == pytest.approx(expected, abs=1e-6)


def test_a_switch_of_a_damped_spring():
    """Halves of two damped oscillations, each of its own frequency: both exponents are -d."""
    system = spring.with_switch(middle=lambda x: x)
    turn = sum(np.pi / np.sqrt(k - 0.1**2) for k in (1.0, 4.0))
    found = dl.lyapunov_spectrum(system, start=[1.0, 0.0], duration=8 * turn, seed=1)
    # The map of a full turn is a multiple of the identity on the direction of the motion alone.
    assert found.exponents.sum() == pytest.approx(-0.2, abs=1e-7)
    assert found.exponents[0] == pytest.approx(-0.1, abs=2e-2)


def test_events_that_cannot_be_crossed_are_named():
    @leaky.with_event(when=lambda v: v - 1, direction=+1, refractory=lambda current: current)
    def resting(v):
        return {v: 0}

    with pytest.raises(dl.UnsupportedSystemError, match="refractory time"):
        dl.lyapunov_exponent(resting, duration=10)


def test_lorenz_96_with_40_nodes():
    """A program of its own (RK4 at 0.01, T = 2000) gave 1.669(15), 13 positive, dimension 27.07, sum -40."""
    system = lorenz96.on(ring(40))
    start = 8 + 0.01 * np.cos(np.arange(40) ** 2)
    found = dl.lyapunov_spectrum(system, start={"x": start}, duration=150, transient=20, seed=1)
    assert found.sum == pytest.approx(-40, abs=1e-5)
    assert found.mean_divergence == pytest.approx(-40, abs=1e-9)
    assert abs(found.exponents[0] - 1.669) < 4 * np.hypot(found.standard_errors[0], 0.015)
    assert found.kaplan_yorke_dimension == pytest.approx(27.07, abs=4 * found.kaplan_yorke_error)
    assert 12 <= np.sum(found.exponents > 0.01) <= 14
    assert len(found.plot().figure.axes) == 1


def test_products_and_entries_of_the_jacobian_lead_to_the_same():
    """All to all by products J v, the same network as a graph by entries."""
    size, omega = 12, np.linspace(-1, 1, 12)
    whole = zoo.kuramoto.on(dl.AllToAll(size))(K=1.0, omega=omega)
    graph = zoo.kuramoto_on_graph.on(nx.complete_graph(size))(K=1.0 / size, omega=omega)
    wide = zoo.kuramoto.on(dl.AllToAll(60))
    assert wide.state_names  # 60 nodes have 60 entries each: more than products are worth
    start = {"theta": np.linspace(0, 5, size)}
    found = [
        dl.lyapunov_spectrum(s, count=3, start=start, duration=5, seed=1).exponents
        for s in (whole, graph)
    ]
    assert found[0] == pytest.approx(found[1], abs=1e-6)


def test_a_fully_locked_swarm_by_products():
    """Equal frequencies, in step: J = K (1/N - identity), so one 0 and else -K."""
    system = zoo.kuramoto.on(dl.AllToAll(60))(K=0.7)
    found = dl.lyapunov_spectrum(
        system, count=4, start={"theta": np.zeros(60)}, duration=40, transient=20, seed=1
    )
    assert found.exponents == pytest.approx([0, -0.7, -0.7, -0.7], abs=0.03)


def test_50_exponents_of_500_oscillators_in_bounded_memory():
    import tracemalloc

    system = zoo.kuramoto.on(dl.AllToAll(500))(omega=np.linspace(-1, 1, 500), K=0.5)
    dl.lyapunov_spectrum(system, count=2, start={"theta": np.arange(500.0)}, duration=8, seed=1)
    tracemalloc.start()
    found = dl.lyapunov_spectrum(
        system, count=50, start={"theta": np.arange(500.0)}, duration=8, seed=1
    )
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # 33 rows of 500 * 51 numbers are 6.7 MB.
    assert most < 20e6
    assert found.exponents.shape == (50,)
