"""Reduced equations of synchrony: their facts found by the methods, and the oscillators that they stand for."""

import networkx as nx
import numpy as np
import pytest
from scipy.special import ive

import dynlab as dl
from dynlab import zoo


def known(name, what, note=""):
    (fact,) = [f for f in zoo.facts(name) if f.what == what and note in f.note]
    return fact


def test_the_chimera_is_born_in_a_fold_and_begins_to_breathe_in_a_hopf_point():
    model = zoo.two_population_chimera
    found = dl.find_equilibria(model, within={"r": (0.05, 0.99), "psi": (-1, 1)})
    spiral, saddle = (
        known(model.name, "equilibrium", "spiral"),
        known(model.name, "equilibrium", "saddle"),
    )
    kinds = {
        kind: min(found.of_kind(kind), key=lambda e: -e["r"]) for kind in ("stable focus", "saddle")
    }
    for fact, kind in ((spiral, "stable focus"), (saddle, "saddle")):
        assert kinds[kind]["r"] == pytest.approx(fact.state["r"], rel=1e-9)
        assert kinds[kind]["psi"] == pytest.approx(fact.state["psi"], rel=1e-9)
    # Recomputed from the equations of Abrams, Mirollo, Strogatz and Wiley 2008 at A = 0.2, b = 0.1.
    np.testing.assert_allclose(
        sorted(kinds["stable focus"].eigenvalues, key=np.imag),
        [-0.014454 - 0.102174j, -0.014454 + 0.102174j],
        atol=1e-6,
    )
    branch = dl.continue_equilibrium(kinds["stable focus"], vary="A", over=(0.1, 0.35))
    fold, hopf = branch.points(dl.Fold)[0], branch.points(dl.Hopf)[0]
    for point, fact in ((fold, known(model.name, "fold")), (hopf, known(model.name, "hopf"))):
        assert point["A"] == pytest.approx(fact.value, abs=fact.tolerance)
        assert point["r"] == pytest.approx(fact.state["r"], abs=1e-7)
    assert hopf.omega == pytest.approx(known(model.name, "hopf").omega, rel=1e-7)
    assert hopf.lyapunov_coefficient < 0


def test_two_populations_of_oscillators_follow_the_reduced_chimera():
    """Phases laid out on the manifold of Ott and Antonsen stay near it: the gap is the finite number, 1/N."""

    @dl.flow
    def populations(p: dl.PerNode[dl.Angle]("a"), s: dl.PerNode[dl.Angle]("b"), *, A=0.2, b=0.1):
        i, j, k, m = dl.nodes("i j k m")
        mu, nu = (1 + A) / 2, (1 - A) / 2
        own = mu * dl.Mean(dl.cos(p[i] - p[j] - b), j) + nu * dl.Mean(dl.cos(p[i] - s[k] - b), k)
        other = mu * dl.Mean(dl.cos(s[m] - s[k] - b), k) + nu * dl.Mean(dl.cos(s[m] - p[j] - b), j)
        return {p[i]: -own, s[m]: -other}

    count, r, psi = 256, 0.7, -0.2
    share = (np.arange(count) + 0.5) / count
    phases = 2 * np.arctan((1 - r) / (1 + r) * np.tan(np.pi * (share - 0.5)))
    swarm = populations.on({"a": 1, "b": count})
    times = np.linspace(0, 40, 21)
    # The reduced psi is the phase of the population in step minus that of the other one.
    run = dl.integrate(swarm, start={"p": [psi], "s": phases}, duration=40, at=times)
    seen = np.abs(np.exp(1j * run["s"]).mean(axis=1))
    theory = dl.integrate(
        zoo.two_population_chimera, start={"r": r, "psi": psi}, duration=40, at=times
    )
    np.testing.assert_allclose(seen, theory["r"], atol=2e-3)


def test_the_order_parameter_follows_its_closed_form():
    for fact in zoo.facts("ott_antonsen"):
        if fact.what == "end value":
            end = dl.integrate(
                zoo.ott_antonsen,
                duration=fact.duration,
                method=dl.Explicit8(rtol=1e-13, atol=1e-15),
            )
            assert end["r"][-1] == pytest.approx(fact.end["r"], rel=fact.tolerance)


def test_partial_synchrony_of_two_groups_ends_in_a_fold():
    fact = known("ott_antonsen_bimodal", "fold")
    start = dl.find_equilibria(zoo.ott_antonsen_bimodal, within={"q": (0.05, 1), "psi": (-2, 2)})
    partial = max(start.of_kind("stable node"), key=lambda e: e["q"])
    fold = dl.continue_equilibrium(partial, vary="omega", over=(0.5, 3)).points(dl.Fold)[0]
    assert fold["omega"] == pytest.approx(fact.value, abs=fact.tolerance)


def test_noise_moves_the_onset_to_twice_its_strength():
    """The branch from the pitchfork is r = I_1(K r / D) / I_0(K r / D), to what twelve modes leave out."""
    model = zoo.noisy_kuramoto_modes
    near = dict.fromkeys(model.state_names, (-0.1, 0.1))
    incoherent = dl.find_equilibria(model(K=1.0), within=near).single()
    branch = dl.continue_equilibrium(incoherent, vary="K", over=(1.0, 4.2))
    (onset,) = branch.points(dl.BranchPoint)
    assert onset["K"] == pytest.approx(known(model.name, "pitchfork").value, rel=1e-9)
    synchronous = dl.switch_branch(onset, over=(2.0, 4.2))
    K, r = synchronous["K"], np.abs(synchronous["c1"])
    assert K.max() > 4.1
    assert r[np.argmax(K)] > 0.8
    np.testing.assert_allclose(r, ive(1, K * r) / ive(0, K * r), atol=1e-10)


def test_small_order_grows_at_half_the_coupling_less_noise_and_width():
    """K / 2 - D - gamma (Strogatz and Mirollo 1991): identical oscillators with noise, Lorentzian ones without."""
    modes = zoo.noisy_kuramoto_modes(K=3.0, D=0.4)
    still = dl.find_equilibria(modes, within=dict.fromkeys(modes.state_names, (-0.01, 0.01)))
    assert still[0].eigenvalues.real.max() == pytest.approx(1.1, rel=1e-9)
    # With both the onset is 2 (gamma + D), and the root of the late coupling's equation without delay tells the rest.
    assert dl.synchrony_onset(dl.Lorentzian(1, 0.3), noise=0.4).value == pytest.approx(1.4)
    alone = dl.LorentzianOscillators(K=3.0, width=0.4, frequency=1.0)
    assert alone.growth(0.0, 0.0) == pytest.approx(1.1 + 1j, rel=1e-12)


def test_the_stated_order_parameter_with_noise():
    """Values of Strogatz and Mirollo's equation; only K / D matters."""
    model = zoo.noisy_kuramoto_modes
    for K, D, r in (
        (3.0, 1.0, 0.724158717626353),
        (6.0, 2.0, 0.724158717626353),
        (4.0, 1.0, 0.831462024754257),
    ):
        run = dl.integrate(
            model(K=K, D=D), duration=40, method=dl.Automatic(rtol=1e-12, atol=1e-14)
        )
        assert run["c1"][-1] == pytest.approx(r, abs=3e-11)


def star(leaves):
    """Return oscillators on a star whose frequencies are degrees."""
    graph = nx.star_graph(leaves)
    return zoo.kuramoto_on_graph.on(graph)(omega=[float(d) for _, d in graph.degree])


def is_locked(run):
    """Whether the hub keeps its distance to each leaf over the second half of the run."""
    late = run["theta"][len(run.t) // 2 :]
    return bool(np.ptp(late[:, :1] - late[:, 1:], axis=0).max() < 2 * np.pi)


@pytest.mark.parametrize("leaves", [4, 10])
def test_a_star_lets_go_and_catches_at_different_couplings(leaves):
    """Backward exactly at (n - 1) / (n + 1); between the thresholds both states persist."""
    backward, forward = (leaves - 1) / (leaves + 1), (leaves - 1) / np.sqrt(2 * leaves + 1)
    locked = {"theta": [np.pi / 2, *np.zeros(leaves)]}
    for factor, expected in ((0.98, False), (1.02, True)):
        run = dl.integrate(star(leaves)(K=factor * backward), start=locked, duration=200)
        assert is_locked(run) is expected
    # Leaves on the equilibrium of the reduced equation: Poisson's kernel about i y.
    K = 0.5 * (backward + forward)
    y = (leaves - 1 - np.sqrt((leaves - 1) ** 2 - K**2 * (1 + 2 * leaves))) / (K * (1 + 2 * leaves))
    share = (np.arange(leaves) + 0.5) / leaves
    spread = np.pi / 2 + 2 * np.arctan((1 - y) / (1 + y) * np.tan(np.pi * (share - 0.5)))
    apart = dl.integrate(star(leaves)(K=K), start={"theta": [0.0, *-spread]}, duration=200)
    assert not is_locked(apart)
    assert is_locked(dl.integrate(star(leaves)(K=K), start=locked, duration=200))
    caught = dl.integrate(
        star(leaves)(K=1.1 * forward), start={"theta": [0.0, *-spread]}, duration=200
    )
    assert is_locked(caught)


def test_the_thresholds_of_a_star_are_those_of_its_order_parameter():
    model, n = zoo.star_of_oscillators, 10
    backward, forward = (
        known(model.name, "onset", "backward").value,
        known(model.name, "onset", "forward").value,
    )
    assert (backward, forward) == pytest.approx(((n - 1) / (n + 1), (n - 1) / np.sqrt(2 * n + 1)))
    for K, exists in ((0.99 * forward, True), (1.01 * forward, False)):
        found = dl.find_equilibria(model(K=K), within={"x": (-0.5, 0.5), "y": (-0.05, 0.9)})
        assert any(abs(e["x"]) < 1e-9 for e in found) is exists
    for K, exists in ((0.99 * backward, False), (1.01 * backward, True)):
        found = dl.find_equilibria(model(K=K), within={"x": (-1.2, 1.2), "y": (-1.2, 1.2)})
        assert any(abs(np.hypot(e["x"], e["y"]) - 1) < 1e-9 for e in found) is exists


def test_a_ring_in_step_turns_at_its_frequency_and_keeps_its_neighbours():
    (fact,) = zoo.facts("ring_of_oscillators")
    x = 2 * np.pi * np.arange(64) / 64
    ring = zoo.ring_of_oscillators.on(dl.AllToAll(64))(x=x)
    run = dl.integrate(ring, start={"theta": np.zeros(64)}, duration=3.0)
    np.testing.assert_allclose(run["theta"][-1], 3.0 * fact.value, rtol=1e-12)


def test_ring_is_the_sum_over_all_pairs():
    x, theta = 2 * np.pi * np.arange(32) / 32, np.random.default_rng(1).uniform(-3, 3, 32)
    A, b, h = 0.9, 0.3, 1e-5
    ring = zoo.ring_of_oscillators.on(dl.AllToAll(32))(x=x, A=A, b=b)
    kernel = 1 + A * np.cos(x[:, None] - x[None, :])
    alpha = np.pi / 2 - b
    rate = -(kernel * np.sin(theta[:, None] - theta[None, :] + alpha)).mean(axis=1)
    run = dl.integrate(ring, start={"theta": theta}, duration=h)
    # One short step: the next term is h^2 / 2 times the second derivative, below 1.
    np.testing.assert_allclose((run["theta"][-1] - theta) / h, rate, atol=h)
