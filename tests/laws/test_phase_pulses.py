"""Pulses on a population of phases: Moebius maps of the circle, closed forms of the order, what comes back after."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dynlab as dl
from dynlab import zoo

STRENGTHS, PHASES = st.floats(0.01, 0.98), st.floats(-np.pi, np.pi)


def poisson(r, psi, count=2000):
    """Return phases that stand for a Poisson kernel: their mean is r exp(i psi), up to r^count."""
    share = (np.arange(count) + 0.5) / count - 0.5
    return psi + 2 * np.arctan((1 - r) / (1 + r) * np.tan(np.pi * share))


@given(st.floats(0.01, 0.9), PHASES, st.floats(0, 0.9), PHASES)
def test_the_order_moves_by_a_moebius_map(strength, phase, r, psi):
    pulse = dl.PhasePulses(times=[0.0], strength=strength, phase=phase)
    after = np.exp(1j * pulse.shifted(poisson(r, psi))).mean()
    steepest = (r + strength) / (
        1 + r * strength
    )  # of both maps, one after the other, at the worst angle
    mean_of_2000 = 2 * steepest**2000  # error of the mean over so many phases
    expected = pulse.field_after(r * np.exp(1j * psi))
    assert after == pytest.approx(expected, abs=1e-9 + mean_of_2000)


@given(STRENGTHS, PHASES)
def test_a_pulse_keeps_the_order_of_phases_and_the_number_of_turns(strength, phase):
    """Resetting of type 1: the shifted phase rises with the phase, by one turn a turn."""
    pulse = dl.PhasePulses(times=[0.0], strength=strength, phase=phase)
    theta = phase + np.linspace(0, 2 * np.pi, 4001)
    after = pulse.shifted(theta)
    assert (np.diff(after) > 0).all()
    assert after[-1] - after[0] == pytest.approx(2 * np.pi, abs=1e-12)


@given(PHASES)
def test_weak_pulses_have_the_phase_response_of_a_sine(phase):
    """-2 a sin(theta - p), up to a^2."""
    theta = np.linspace(-3, 3, 50)
    moved = dl.PhasePulses(times=[0.0], strength=1e-4, phase=phase).shifted(theta) - theta
    np.testing.assert_allclose(moved, -2e-4 * np.sin(theta - phase), atol=2e-8)


@given(STRENGTHS, PHASES)
def test_one_pulse_takes_order_apart(strength, psi):
    """The stimulus of Winfree's singularity: as strong as the order, opposite to its phase."""
    pulse = dl.PhasePulses(times=[0.0], strength=strength, phase=psi + np.pi)
    assert abs(np.exp(1j * pulse.shifted(poisson(strength, psi))).mean()) < 1e-9


def test_a_coupled_population_follows_the_reduced_equation_between_pulses():
    """Z' = (K/2 - D + i w) Z - K/2 |Z|^2 Z, with Z moved by each pulse; frequencies are a midpoint rule.

    Tails of the Lorentzian that turn too fast for it leave about count^(-3/4), see the law of relaxation.  Phases of each
    frequency stand for a Poisson kernel that narrows as it locks: of 32 the error is smaller than that.
    """
    K, D, w = 3.0, 0.5, 2.0
    pulses = dl.PhasePulses(times=[0.5, 1.0], strength=0.25, phase=1.0)

    def later(z, t):
        a, b = K / 2 - D, K / 2
        square = 1 / (b / a + (abs(z) ** -2 - b / a) * np.exp(-2 * a * t))
        return z / abs(z) * np.sqrt(square) * np.exp(1j * w * t)

    exact = [later(0.3, 0.5)]
    exact.append(pulses.field_after(exact[0]))
    exact.append(later(pulses.field_after(later(exact[1], 0.5)), 0.5))
    wrong = []
    for count in (100, 1600):
        share = (np.arange(count) + 0.5) / count
        omega = np.repeat(w + D * np.tan(np.pi * (share - 0.5)), 32)
        swarm = zoo.kuramoto.on(dl.AllToAll(32 * count))(omega=omega, K=K)
        start = {"theta": np.tile(poisson(0.3, 0.0, 32), count)}
        run = dl.simulate_pulses(swarm, pulses=pulses, start=start, duration=1.5)
        before, after = np.flatnonzero(run.t == 0.5)
        wrong.append(np.abs(run.field[[before, after, -1]] - exact).max())
    assert wrong[1] < 2 * 1600**-0.75
    assert wrong[0] / wrong[1] > 4  # 8 by the power, which wanders


def test_a_population_that_fell_in_step_by_itself_is_taken_apart():
    """Lorentzian frequencies: r = sqrt(1 - 2 D / K) about a phase of its own; what is left is that of finite number."""
    swarm = zoo.kuramoto.on(dl.AllToAll(2000)).draw(omega=dl.Quantiles(dl.Lorentzian(0, 0.5)))(K=3)
    start = {"theta": np.random.default_rng(1).uniform(0, 2 * np.pi, 2000)}
    late = dl.PhasePulses(times=[1e6], strength=0.5)
    alone = dl.simulate_pulses(swarm, pulses=late, start=start, duration=40)
    r, psi = alone.order[-1], np.angle(alone.field[-1])
    assert r == pytest.approx(np.sqrt(2 / 3), abs=0.03)
    pulse = dl.PhasePulses(times=[0.0], strength=r, phase=psi + np.pi)
    kicked = dl.simulate_pulses(swarm, pulses=pulse, start={"theta": alone.end}, duration=20)
    assert kicked.order[0] == pytest.approx(r, abs=1e-9)
    assert kicked.order[1] < 0.1
    assert kicked.order[-1] == pytest.approx(np.sqrt(2 / 3), abs=0.03)


def test_graphs_are_taken_and_what_is_no_network_of_phases_is_not():
    ring = zoo.kuramoto_on_graph.on(nx.cycle_graph(12))
    pulse = dl.PhasePulses(times=[0.5, 9.0], strength=0.2)
    run = dl.simulate_pulses(ring, pulses=pulse, start={"theta": np.zeros(12)}, duration=1)
    np.testing.assert_allclose(run.order, 1, atol=1e-12)
    with pytest.raises(dl.SettingError, match="one state per node"):
        dl.simulate_pulses(zoo.lorenz, pulses=pulse, start={"x": 0.0}, duration=1)
    with pytest.raises(dl.SettingError, match="phases alone"):
        dl.simulate_pulses(ring, pulses=pulse, start={"phi": np.zeros(12)}, duration=1)
    with pytest.raises(dl.SettingError, match="above zero"):
        dl.simulate_pulses(ring, pulses=pulse, start={"theta": np.zeros(12)}, duration=0)
    for given_, words in (
        ({"times": [], "strength": 0.5}, "one or more"),
        ({"times": [2.0, 1.0], "strength": 0.5}, "rise"),
        ({"times": [1.0], "strength": 1.0}, "less than 1"),
        ({"times": [1.0], "strength": np.nan}, "strength"),
    ):
        with pytest.raises(dl.SettingError, match=words):
            dl.PhasePulses(**given_)


def test_a_run_draws_tabulates_stops_and_comes_back(tmp_path):
    swarm = zoo.kuramoto.on(dl.AllToAll(20))
    pulse = dl.PhasePulses(times=[0.5], strength=0.2)
    start = {"theta": np.linspace(0, 3, 20)}
    run = dl.simulate_pulses(swarm, pulses=pulse, start=start, duration=1)
    again = dl.load(run.save(tmp_path / "run.npz"))
    assert repr(again) == repr(run)
    np.testing.assert_array_equal(again.to_table()["order"], run.to_table()["order"])
    assert run.plot().get_legend() is not None
    with dl.stop_after(0.0):
        stopped = dl.simulate_pulses(swarm, pulses=pulse, start=start, duration=1)
    assert stopped.status is dl.Status.STOPPED
    assert "stopped" in repr(stopped)
