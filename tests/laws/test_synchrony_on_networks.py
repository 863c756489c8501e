"""Synchrony on networks: Laplacians, waves on rings, rates of consensus, onsets."""

import networkx as nx
import numpy as np
import pytest
from scipy.linalg import circulant

import dynlab as dl
from dynlab import zoo


def jacobian_of_oscillators(A, theta, K):
    """Return the Jacobian of theta_i' = K sum_j A_ij sin(theta_j - theta_i)."""
    J = K * A * np.cos(theta[None, :] - theta[:, None])
    return J - np.diag(J.sum(axis=1))


@pytest.mark.parametrize(
    ("graph", "exact"),
    [
        (nx.complete_graph(7), [0, *[7] * 6]),
        (nx.star_graph(5), [0, 1, 1, 1, 1, 6]),
        (nx.cycle_graph(6), 2 - 2 * np.cos(2 * np.pi * np.array([0, 1, 1, 2, 2, 3]) / 6)),
        (nx.path_graph(5), 2 - 2 * np.cos(np.pi * np.arange(5) / 5)),
        (nx.hypercube_graph(3), [0, 2, 2, 2, 4, 4, 4, 6]),
    ],
)
def test_spectra_of_known_graphs(graph, exact):
    found = dl.laplacian_spectrum(graph)
    np.testing.assert_allclose(found.eigenvalues, exact, atol=1e-12)
    assert found.is_real
    assert found.eigenratio == pytest.approx(exact[-1] / exact[1])


def test_a_directed_ring_has_its_eigenvalues_on_a_circle():
    ring = nx.DiGraph([(k, (k + 1) % 5) for k in range(5)])
    found = dl.laplacian_spectrum(ring)
    exact = 1 - np.exp(2j * np.pi * np.arange(5) / 5)
    assert np.abs(np.subtract.outer(found.eigenvalues, exact)).min(axis=1).max() < 1e-12
    assert not found.is_real
    assert found.eigenvalues[0] == 0


def test_what_leads_where_is_read_as_everywhere():
    """An edge u -> v lets u act on v: from a source that hears nobody, rates are those of the hearers."""
    chain = nx.DiGraph()
    chain.add_edge("source", "first", weight=2.0)
    chain.add_edge("first", "second", weight=5.0)
    np.testing.assert_allclose(dl.laplacian_spectrum(chain).eigenvalues, [0, 2, 5], atol=1e-12)


@pytest.mark.parametrize("graph", [nx.path_graph(6), nx.karate_club_graph(), nx.petersen_graph()])
def test_opinions_come_together_at_the_rates_of_the_laplacian(graph):
    """Each eigenvector decays by itself, exp(-mu t); the whole goes to the mean at the second eigenvalue."""
    nx.set_edge_attributes(graph, 1.0, "weight")
    L = nx.laplacian_matrix(graph).toarray().astype(float)
    mu, vectors = np.linalg.eigh(L)
    opinions = zoo.consensus.on(graph)
    np.testing.assert_allclose(dl.laplacian_spectrum(graph).eigenvalues.real, mu, atol=1e-10)
    tight = dl.Explicit8(rtol=1e-11, atol=1e-13)
    for mode in (1, len(mu) - 1):
        run = dl.integrate(
            opinions, start={"x": 3.0 + vectors[:, mode]}, duration=1.5 / mu[mode], method=tight
        )
        np.testing.assert_allclose(run["x"][-1], 3.0 + np.exp(-1.5) * vectors[:, mode], atol=1e-9)


@pytest.mark.parametrize("graph", [nx.karate_club_graph(), nx.random_regular_graph(4, 30, seed=1)])
def test_in_step_the_jacobian_is_minus_k_times_the_laplacian(graph):
    nx.set_edge_attributes(graph, 1.0, "weight")
    found = dl.laplacian_spectrum(graph)
    swarm = zoo.kuramoto_on_graph.on(graph)(K=0.7)
    spectrum = dl.lyapunov_spectrum(
        swarm, start={"theta": np.zeros(len(graph))}, count=4, duration=100, transient=100, seed=1
    )
    # After a transient the slowest modes are found to what is left of the others: of the fourth most, as the fifth is near.
    wrong = np.abs(spectrum.exponents + 0.7 * found.eigenvalues.real[:4])
    assert (wrong < [1e-9, 5e-3, 5e-3, 0.03]).all()


@pytest.mark.parametrize(("size", "reach"), [(12, 1), (20, 1), (21, 3), (40, 7)])
def test_waves_on_a_ring_are_equilibria_with_the_stated_eigenvalues(size, reach):
    row = np.zeros(size)
    row[1 : reach + 1] = row[-reach:] = 1.0
    A = circulant(row)
    for turns in range(size // 2 + 1):
        wave = dl.twisted_state(size, turns=turns, reach=reach, K=1.3)
        rest = 1.3 * (A * np.sin(wave.phases[None, :] - wave.phases[:, None])).sum(axis=1)
        assert np.abs(rest).max() < 1e-12
        exact = np.linalg.eigvalsh(jacobian_of_oscillators(A, wave.phases, 1.3))
        np.testing.assert_allclose(np.sort(wave.eigenvalues), exact, atol=1e-11)
        if reach == 1:
            assert wave.is_stable is (abs(turns) < size / 4)


def test_stable_waves_stay_and_others_leave():
    ring = zoo.kuramoto_on_graph.on(nx.cycle_graph(16))
    for turns, stays in ((3, True), (5, False)):
        wave = dl.twisted_state(16, turns=turns)
        nudge = 1e-3 * np.random.default_rng(1).standard_normal(16)
        end = dl.integrate(ring, start={"theta": wave.phases + nudge}, duration=100)["theta"][-1]
        steps = np.angle(np.exp(1j * (np.roll(end, -1) - end)))
        assert (round(steps.sum() / (2 * np.pi)) == turns) is stays
        assert dl.twisted_state(16, turns=-turns).is_stable is stays


def test_onset_of_a_complete_graph_is_that_of_the_mean_field():
    """K multiplies the sum over N - 1 others; frequencies normal: K_0 = sqrt(8 / pi)."""
    onset = dl.network_onset(nx.complete_graph(50), frequencies=dl.Gaussian(3, 2))
    assert onset.value == pytest.approx(2 * np.sqrt(8 / np.pi) / 49, rel=1e-12)
    assert onset.mean_field == pytest.approx(onset.value, rel=1e-12)
    everyone = dl.network_onset(dl.AllToAll(50), frequencies=dl.Uniform(-1, 1))
    assert everyone.value == pytest.approx(4 / np.pi / 50, rel=1e-12)


def test_onset_of_two_peaks_is_that_of_all_to_all_over_the_eigenvalue():
    """At the middle of two peaks there may be next to no density, and no onset either."""
    two = dl.Mixture((dl.Lorentzian(-1, 0.5), dl.Lorentzian(1, 0.5)))
    onset = dl.network_onset(nx.complete_graph(11), frequencies=two)
    assert onset.value == pytest.approx(
        2.0 / 10, rel=1e-9
    )  # Martens et al. 2009: 4 times the width


def test_the_two_answers_part_on_a_star():
    """lambda_max = sqrt(n), and <d> / <d^2> = 2 / (n + 1): a hub with n leaves."""
    onset = dl.network_onset(nx.star_graph(16), frequencies=dl.Lorentzian(0, 1))
    assert onset.value == pytest.approx(2 / 4, rel=1e-12)
    assert onset.mean_field == pytest.approx(2 * 2 / 17, rel=1e-12)
    # The hub takes part as much as the leaves' vector says: 1 against 1 / sqrt(n).
    assert onset.share[0] / onset.share[1] == pytest.approx(4.0, rel=1e-9)


def test_oscillators_on_a_graph_fall_in_step_at_the_stated_coupling():
    """N = 600 with 60 neighbours: r^2 averages 1 / N below; at 1.6 K_c the mean field says 0.85."""
    graph = nx.gnp_random_graph(600, 0.1, seed=3)
    onset = dl.network_onset(graph, frequencies=dl.Gaussian(0, 1))
    swarm = zoo.kuramoto_on_graph.on(graph).draw(omega=dl.Gaussian(0, 1), seed=4)
    start = {"theta": np.random.default_rng(5).uniform(-np.pi, np.pi, 600)}
    seen = []
    for factor in (0.7, 1.6):
        run = dl.integrate(
            swarm(K=factor * onset.value), start=start, duration=40, at=np.linspace(20, 40, 21),
            method=dl.Explicit8(rtol=1e-4, atol=1e-6),
        )  # fmt: skip
        seen.append(np.abs(np.exp(1j * run["theta"]).mean(axis=1)).mean())
    assert seen[0] < 0.2
    assert seen[1] > 0.7


def test_bad_questions_are_named():
    for call, message in (
        (lambda: dl.laplacian_spectrum(np.ones((2, 3))), "square"),
        (lambda: dl.laplacian_spectrum(nx.empty_graph(1)), "1 nodes"),
        (lambda: dl.network_onset(nx.path_graph(3), frequencies=1.0), "density"),
        (lambda: dl.network_onset(-np.ones((2, 2)), frequencies=dl.Gaussian(0, 1)), "below 0"),
        (lambda: dl.network_onset(nx.DiGraph([(0, 1)]), frequencies=dl.Gaussian(0, 1)), "go round"),
        (lambda: dl.twisted_state(2, turns=0), "3 nodes"),
        (lambda: dl.twisted_state(8, turns=1, reach=4), "half"),
        (lambda: dl.twisted_state(8, turns=0.5), "whole"),
    ):
        with pytest.raises(dl.SettingError, match=message):
            call()


def test_results_draw_tabulate_and_come_back(tmp_path):
    for number, found in enumerate((
        dl.laplacian_spectrum(nx.cycle_graph(5)),
        dl.laplacian_spectrum(nx.DiGraph([(0, 1), (1, 2), (2, 0)])),
        dl.network_onset(nx.star_graph(4), frequencies=dl.Gaussian(0, 1)),
        dl.twisted_state(12, turns=4),
    )):  # fmt: skip
        again = dl.load(found.save(tmp_path / str(number)))
        assert repr(again) == repr(found)
        assert all(len(v) for v in again.to_table().values())
        assert found.plot().get_xlabel()
