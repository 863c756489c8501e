"""Laws of phase oscillators on every network: dense, sparse, directed, weighted; on random ones."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

import dynlab as dl
from dynlab import zoo
from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.equilibria.stability import jacobian_at
from dynlab.kernels import dense

#: Sums of a few terms of size 1 to 10, in phases up to 100, whose sine is known to 1e-14.
ROUNDING = 1e-11


def rates(system, theta):
    """Return the right-hand side at some phases."""
    out = np.empty(len(theta))
    dense.call(kernels_of(system).rhs.address, 0.0, theta, *inputs_of(system), out)
    return out


@st.composite
def networks(draw, symmetric=False):
    """Return a matrix of weights without self-links (about half of them 0, any sign), frequencies and phases."""
    n = draw(st.integers(2, 7))
    weight = st.one_of(st.just(0.0), st.floats(-3, 3))
    A = draw(arrays(float, (n, n), elements=weight))
    A = A + A.T if symmetric else A
    np.fill_diagonal(A, 0.0)
    A[np.abs(A) < 1e-6] = 0.0
    omega = draw(arrays(float, n, elements=st.floats(-5, 5)))
    theta = draw(arrays(float, n, elements=st.floats(-100, 100)))
    # A ring through all nodes keeps the network in one piece.
    ring = np.roll(np.eye(n), 1, axis=1)
    return A + ring * (A == 0) + (ring.T * (A == 0) if symmetric else 0.0), omega, theta


@given(networks(), st.floats(-50, 50), st.floats(-50, 50), st.floats(-4, 4))
@settings(max_examples=25)
def test_neither_a_rotation_nor_a_frame_is_seen(network, turn, frame, K):
    A, omega, theta = network
    graph = zoo.kuramoto_on_graph.on(A)(omega=omega, K=K)
    swarm = zoo.kuramoto.on(dl.AllToAll(len(theta)))(omega=omega, K=K)
    for system in (graph, swarm):
        plain = rates(system, theta)
        np.testing.assert_allclose(rates(system, theta + turn), plain, atol=ROUNDING)
        moving = rates(system(omega=omega + frame), theta)
        np.testing.assert_allclose(moving, plain + frame, atol=ROUNDING)
        # So a shift of all phases neither grows nor shrinks: that exponent is 0 on every orbit.
        np.testing.assert_allclose(
            jacobian_at(system, theta) @ np.ones(len(theta)), 0, atol=ROUNDING
        )


@given(networks(symmetric=True), st.floats(-4, 4))
@settings(max_examples=25)
def test_identical_oscillators_go_down_their_energy(network, K):
    """theta' = -grad E, E = -(K/2) sum A_ij cos(theta_j - theta_i), if links pull both ways alike."""
    A, _, theta = network

    def energy(phases):
        return -0.5 * K * (A * np.cos(phases[None, :] - phases[:, None])).sum()

    graph = zoo.kuramoto_on_graph.on(A)(K=K)
    step = 1e-30  # into the complex plane, where a derivative has no difference to cancel
    slope = [energy(theta + 1j * step * row).imag / step for row in np.eye(len(theta))]
    np.testing.assert_allclose(rates(graph, theta), -np.array(slope), atol=ROUNDING)
    run = dl.integrate(graph, start={"theta": theta}, duration=2.0, at=np.linspace(0, 2, 21))
    along = np.array([energy(phases) for phases in run["theta"]])
    assert (np.diff(along) <= 1e-8 * (1 + np.abs(along).max())).all()
    # Of all to all alike, where E = -(K N / 2) r^2.
    swarm = zoo.kuramoto.on(dl.AllToAll(len(theta)))(K=K)
    n, z = len(theta), np.exp(1j * theta).mean()
    steepest = K * n * (z.conj() * 1j * np.exp(1j * theta)).real / n
    np.testing.assert_allclose(rates(swarm, theta), steepest, atol=ROUNDING)


def test_links_that_pull_one_way_have_no_energy():
    """The matrix of derivatives of a gradient is symmetric; that of a directed ring is not."""
    ring = zoo.kuramoto_on_graph.on(np.roll(np.eye(3), 1, axis=1))
    J = jacobian_at(ring, np.array([0.1, 0.5, 1.2]))
    assert np.abs(J - J.T).max() > 0.5


@given(networks(), st.floats(-4, 4))
@settings(max_examples=15)
def test_all_to_all_is_the_complete_graph(network, K):
    """The mean over all nodes is the sum over the others over N."""
    _, omega, theta = network
    n = len(theta)
    swarm = zoo.kuramoto.on(dl.AllToAll(n))(omega=omega, K=K)
    graph = zoo.kuramoto_on_graph.on(np.ones((n, n)) - np.eye(n))(omega=omega, K=K / n)
    np.testing.assert_allclose(rates(swarm, theta), rates(graph, theta), atol=ROUNDING)


@given(networks(), st.integers(1, 5))
@settings(max_examples=25)
def test_order_is_between_none_and_all(network, moment):
    _, omega, theta = network
    swarm = zoo.kuramoto.on(dl.AllToAll(len(theta)))(omega=omega)
    run = dl.integrate(swarm, start={"theta": theta}, duration=1.0, at=[0.0, 1.0])
    order = dl.order_parameter(run, "theta", moment=moment)
    assert ((order.r >= 0) & (order.r <= 1 + 1e-15)).all()
    exact = np.abs(np.exp(1j * moment * theta).mean())
    assert order.r[0] == pytest.approx(exact, abs=1e-12)
