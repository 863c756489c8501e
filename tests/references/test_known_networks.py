"""What is known about the networks of the zoo: facts.toml, and closed forms."""

import networkx as nx
import numpy as np
import pytest
from scipy.linalg import expm, solve_continuous_lyapunov

import dynlab as dl
from dynlab import zoo
from dynlab.codegen.kernels import kernels_of
from dynlab.equilibria.stability import Equilibrium, jacobian_at

_j = dl.nodes("j")


def known(name, note):
    (fact,) = [f for f in zoo.facts(name) if note in f.note]
    return fact


@pytest.mark.parametrize("omega", [(-1, 0, 1), (-0.9, -0.2, 0.3, 0.8)], ids=["three", "four"])
def test_oscillators_lock_in_a_fold(omega):
    """Seen from the first oscillator the locked state is an equilibrium; it ends in a fold."""

    fact = known("kuramoto", "three" if len(omega) == 3 else "four")
    count = len(omega)
    relative = dl.flow(_relative(count))
    system = relative.on(count - 1)(shift=np.array(omega[1:]) - omega[0])
    branch = dl.continue_equilibrium(
        dl.find_equilibria(system(K=3.0)).of_kind("stable node")[0], vary="K", over=(0.5, 3)
    )
    fold = branch.points(dl.Fold)[0]
    assert fold["K"] == pytest.approx(fact.value, abs=fact.tolerance)


def _relative(count):
    def relative(phi: dl.PerNode = 0.1, *, shift: dl.PerNode = 0.0, K=2.0):
        i, j = dl.nodes("i j")
        pull = dl.Sum(dl.sin(phi[j]), j)
        own = dl.Sum(dl.sin(phi[j] - phi[i]), j) - dl.sin(phi[i])
        return {phi[i]: shift[i] + K / count * (own - pull)}

    return relative


def test_two_linked_oscillators_lock():
    fact = known("kuramoto_on_graph", "two linked")
    pair = zoo.kuramoto_on_graph.on(nx.path_graph(2))(omega=[0.0, 1.0])
    for factor, locked in ((0.999, False), (1.001, True)):
        run = dl.integrate(pair(K=fact.value * factor), duration=500)
        phase = run["theta[1]"] - run["theta[0]"]
        assert (abs(phase[-1]) < np.pi) == locked


def test_kuramoto_of_one_and_of_negative_coupling():
    one = zoo.kuramoto.on(dl.AllToAll(1))(omega=[0.7], K=5.0)
    assert dl.integrate(one, duration=10)["theta"][-1, 0] == pytest.approx(7.0, rel=1e-9)
    apart = zoo.kuramoto.on(dl.AllToAll(2))(K=-1.0)
    run = dl.integrate(apart, start={"theta": [0.0, 0.1]}, duration=60)
    assert run["theta[1]"][-1] - run["theta[0]"][-1] == pytest.approx(np.pi, abs=1e-6)


def test_kuramoto_takes_any_number_of_oscillators_but_none():
    one = zoo.kuramoto.with_observable(
        r=lambda theta: dl.sqrt(
            dl.Mean(dl.cos(theta[_j]), _j) ** 2 + dl.Mean(dl.sin(theta[_j]), _j) ** 2
        )
    ).on(1)(omega=[0.7], K=-2.0)
    np.testing.assert_allclose(dl.integrate(one, duration=10)["r"], 1.0, rtol=1e-15)
    for model in (zoo.kuramoto, zoo.kuramoto_on_graph):
        with pytest.raises(dl.SettingError, match="at least 1"):
            model.on(0)
    with pytest.raises(dl.SettingError, match="at least 1"):
        zoo.kuramoto_on_graph.on(nx.empty_graph(0))


def test_kuramoto_on_a_graph_says_what_is_wrong_with_it():
    with pytest.warns(dl.DegenerateWarning, match="2 components"):
        apart = zoo.kuramoto_on_graph.on(nx.Graph([(0, 1), (2, 3)]))
    # The two pairs synchronise each for itself, whatever the coupling.
    end = dl.integrate(apart, start={"theta": [0, 1, 2, 2.5]}, duration=40)["theta"][-1]
    np.testing.assert_allclose(end, [0.5, 0.5, 2.25, 2.25], atol=1e-8)
    with pytest.raises(dl.SettingError, match="1 self-loop"):
        zoo.kuramoto_on_graph.on(nx.Graph([(0, 1), (1, 1)]))
    for weight in (np.nan, np.inf):
        with pytest.raises(dl.SettingError, match="finite"):
            zoo.kuramoto_on_graph.on(nx.Graph([(0, 1, {"weight": weight})]))
        with pytest.raises(dl.SettingError, match="finite"):
            zoo.kuramoto_on_graph.on(np.array([[0, weight], [1, 0]]))


def test_the_period_of_the_centre_crossing_pair():
    fact = known("ctrnn", "period")
    pair = zoo.ctrnn.on(np.array([[4.5, 1.0], [-1.0, 4.5]]))(bias=[-2.75, -1.75])
    seen = pair.with_observable(first=lambda y: dl.Sum(y[_j], _j))
    up = dl.Crossing("up", lambda first: first - 5.0, +1)
    run = dl.integrate(seen, start={"y": [3.0, 2.0]}, duration=600, record=up)
    period = np.diff(run.events["up"].times)[-5:]
    np.testing.assert_allclose(period, fact.value, rtol=fact.tolerance)


def test_a_stored_pattern_is_an_equilibrium():
    pattern = np.array([1, -1, 1, 1, -1.0])
    memory = zoo.hopfield_rates.on(np.outer(pattern, pattern) / 5)
    run = dl.integrate(memory, start={"s": 0.3 * pattern}, duration=60, at=[60])
    overlap = run["s"][0] @ pattern / 5
    assert overlap == pytest.approx(known("hopfield_rates", "overlap").value, rel=1e-8)
    origin = dl.find_equilibria(memory(beta=0.5), within={"s": (-0.5, 0.5)}).single()
    branch = dl.continue_equilibrium(origin, vary="beta", over=(0.5, 1.5))
    (point,) = branch.points(dl.BranchPoint)
    assert point["beta"] == pytest.approx(known("hopfield_rates", "memory appears").value, abs=1e-9)


@pytest.mark.parametrize(
    ("beta", "overlap"), [(1.5, 0.8585596366), (2, 0.9575040241), (3, 0.9949015285)]
)
def test_the_overlap_of_one_pattern(beta, overlap):
    """m = tanh(beta m) along a pattern whose weights keep their diagonal."""
    pattern = np.array([1, 1, -1, 1, -1, -1.0])
    memory = zoo.hopfield_rates.on(np.outer(pattern, pattern) / 6)(beta=beta)
    found = [e["s"] @ pattern / 6 for e in dl.find_equilibria(memory, within={"s": (-1.5, 1.5)})]
    np.testing.assert_allclose(sorted(found), [-overlap, 0, overlap], atol=1e-9)


def test_without_its_diagonal_a_memory_appears_later():
    """lambda_max = (N - 1) / N for one pattern, so beta = N / (N - 1)."""
    pattern = np.array([1, -1, 1, 1, -1.0])
    weights = np.outer(pattern, pattern) / 5
    np.fill_diagonal(weights, 0)
    memory = zoo.hopfield_rates.on(weights)
    origin = dl.find_equilibria(memory(beta=0.5), within={"s": (-0.5, 0.5)}).single()
    (point,) = dl.continue_equilibrium(origin, vary="beta", over=(0.5, 1.5)).points(dl.BranchPoint)
    assert point["beta"] == pytest.approx(5 / 4, abs=1e-9)


def test_branches_of_two_patterns():
    """With overlap m the mixtures p +- q appear at beta = 1 / (1 +- m): s = a (p +- q) / 2, a = tanh(a beta / beta_0).

    The units in which the patterns differ stay at rest on one branch, the others on the other one.
    """
    p, q = np.random.default_rng(12).choice([-1.0, 1.0], size=(2, 20))
    overlap = p @ q / 20
    memory = zoo.hopfield_rates.on((np.outer(p, p) + np.outer(q, q)) / 20)
    origin = dl.find_equilibria(memory(beta=0.5), within={"s": (-0.5, 0.5)}).single()
    trunk = dl.continue_equilibrium(origin, vary="beta", over=(0.5, 3.0))
    points = trunk.points(dl.BranchPoint)
    expected = [1 / (1 + overlap), 1 / (1 - overlap)]
    np.testing.assert_allclose([point["beta"] for point in points], expected, rtol=1e-9)
    for point, direction in zip(points, [(p + q) / 2, (p - q) / 2], strict=True):
        branch = dl.switch_branch(point, over=(0.5, 3.0))
        a = branch["s"] @ direction / (direction @ direction)
        # The law is linear in a where it begins: there the point's own error of 1e-9 shows.
        np.testing.assert_allclose(a, np.tanh(branch["beta"] / point["beta"] * a), atol=1e-9)
        np.testing.assert_allclose(branch["s"], np.outer(a, direction), atol=1e-9)
        assert branch["beta"].max() == 3.0
        # Both signs, up to the end of the range.
        assert min(a.max(), -a.min()) > 0.9


def test_three_decoupled_units_have_27_equilibria():
    """x' = -x + tanh(2 x) three times over: coordinates 0 or +-m, counted by unstable directions."""
    units = zoo.hopfield_rates.on(np.eye(3))
    found = dl.find_equilibria(units, within={"s": (-1.5, 1.5)})
    counts = np.bincount([e.unstable_directions for e in found])
    assert counts.tolist() == [8, 12, 6, 1]
    m = known("hopfield_rates", "overlap").value
    values = np.array([e["s"] for e in found])
    np.testing.assert_allclose(np.min([abs(values), abs(abs(values) - m)], axis=0), 0, atol=1e-9)


def test_the_origin_of_a_random_network():
    size, fact = 400, known("rate_network", "origin")
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(size, size)) / np.sqrt(size)
    network = zoo.rate_network.on(weights)
    for g, stable in ((0.9, True), (1.1, False)):
        rest = Equilibrium.at(network(g=g * fact.value), np.zeros(size), accuracy=0.0)
        assert (rest.unstable_directions == 0) == stable
        expected = np.linalg.eigvals(weights).real.max() * g - 1
        assert rest.eigenvalues.real.max() == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("sizes", [(1, 1), (3, 2)])
def test_equal_units_are_wilson_and_cowan(sizes):
    fact = known("excitation_inhibition", "P = 1.25")
    full = {name: dl.AllToAll() for name in ("WEE", "WEI", "WIE", "WII")}
    network = zoo.excitation_inhibition.on(
        dict(zip(("exc", "inh"), sizes, strict=True)), links=full
    )
    near = {"E": 0.2, "I": 0.1}
    for state, value in (("E", fact.value), ("I", 0.1068894)):
        found = dl.find_equilibria(
            network.with_start(**near), within={"E": (0.1, 0.3), "I": (0, 0.2)}
        )
        assert min(abs(e[state].ravel() - value).max() for e in found) < fact.tolerance


def test_the_epidemic_threshold():
    fact = known("sir_on_graph", "infection grows")
    graph = zoo.sir_on_graph.on(nx.complete_graph(5)).with_start(S=1.0, I=1e-8)
    for factor, grows in ((0.99, False), (1.01, True)):
        run = dl.integrate(graph(beta=fact.value * factor), duration=20)
        assert (run["I"][-1].sum() > run["I"][0].sum()) == grows
    np.testing.assert_allclose(run["S"] + run["I"] + run["R"], 1 + 1e-8, rtol=1e-12)


def test_consensus_is_the_exponential_of_the_laplacian():
    graph = nx.path_graph(4)
    laplacian = nx.laplacian_matrix(graph).toarray()
    start = np.array([1.0, -2.0, 0.5, 3.0])
    run = dl.integrate(zoo.consensus.on(graph), start={"x": start}, duration=12, at=[1, 2, 12])
    for t, x in zip(run.t, run["x"], strict=True):
        np.testing.assert_allclose(x, expm(-laplacian * t) @ start, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(run["x"].mean(axis=1), start.mean(), rtol=1e-13)
    rate = np.sort(np.linalg.eigvalsh(laplacian))[1]
    assert rate == pytest.approx(known("consensus", "agree").value, rel=1e-12)


def test_noise_of_units_that_pull_together():
    """The two variances as facts, from the Lyapunov equation of the compiled Jacobian, and from runs."""
    mean, apart = (
        known("gradient_units", note).value for note in ("of the mean", "about their mean")
    )
    units = zoo.gradient_units.on(dl.AllToAll(10))
    covariance = solve_continuous_lyapunov(jacobian_at(units, np.zeros(10)), -np.eye(10))
    assert covariance.mean() == pytest.approx(mean, rel=1e-12)
    assert np.trace(covariance) / 10 - covariance.mean() == pytest.approx(apart, rel=1e-12)
    noisy = units.with_noise(x=1.0)
    method, at = dl.PlatenWeak2(step=0.05), np.arange(5, 8000, 0.5)
    run = dl.simulate(noisy, duration=8000, method=method, seed=3, at=at)
    middle = run["x"].mean(axis=1)
    # Memory of 1 / lam = 2 (of 0.4 apart) leaves 4000 (20 000) independent values: errors of 2.2 % and 1 % / sqrt(10).
    assert middle.var() == pytest.approx(mean, rel=0.09)
    assert np.mean((run["x"] - middle[:, None]) ** 2) == pytest.approx(apart, rel=0.02)


@pytest.mark.parametrize("share", [0.9, 0.99])
def test_two_birds_stay_together_below_a_velocity(share):
    """At beta = 1 the distance ends at tan(V_0 / K): measured along the line and across the plane."""
    speed = share * known("flock", "part for ever").value
    pair = zoo.flock.on(dl.AllToAll(2))(beta=1.0, K=1.0)
    turned = {"u": [0.0, 0.6 * speed], "v": [0.0, 0.8 * speed]}
    run = dl.integrate(pair, start=turned, duration=60 / np.cos(share * np.pi / 2) ** 2)
    distance = np.hypot(np.diff(run["x"][-1]), np.diff(run["y"][-1]))
    assert distance == pytest.approx(np.tan(speed), rel=1e-5)


def test_a_flock_keeps_its_mean_velocity_and_loses_all_differences():
    rng = np.random.default_rng(2)
    start = {name: rng.normal(size=30) for name in "xyuv"}
    run = dl.integrate(zoo.flock.on(dl.AllToAll(30))(beta=0.3), start=start, duration=60)
    for name in "uv":
        np.testing.assert_allclose(run[name].mean(axis=1), start[name].mean(), atol=1e-9)
    spread = run["u"].var(axis=1) + run["v"].var(axis=1)
    assert (np.diff(spread) < 1e-12).all()
    assert spread[-1] < 1e-6 * spread[0]


def test_waves_appear_on_the_ring_of_the_weather():
    fact = known("lorenz96", "multiple of 5")
    ring = zoo.lorenz96.on(zoo.lorenz96_ring(10))
    for factor, stable in ((1 - 1e-6, True), (1 + 1e-6, False)):
        F = fact.value * factor
        calm = Equilibrium.at(ring(F=F), np.full(10, F), accuracy=0.0)
        assert (calm.unstable_directions == 0) == stable
        assert calm.eigenvalues.sum().real == pytest.approx(-10, rel=1e-12)


def test_the_weather_is_that_of_lorenz():
    """Against the formula with shifted indices; what is carried along the ring keeps its energy."""
    x = np.random.default_rng(0).normal(size=7)
    ring = zoo.lorenz96.on(zoo.lorenz96_ring(7))(F=3.0)
    expected = (np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + 3
    found = kernels_of(ring).rhs(0.0, x, [3.0])
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13)
    assert x @ (found + x - 3) == pytest.approx(0, abs=1e-13)


def test_maps_in_step_become_stable():
    fact = known("coupled_map_lattice", "in step")
    for offset, together in ((-0.05, False), (0.05, True)):
        lattice = zoo.coupled_map_lattice.on(dl.AllToAll(8))(epsilon=fact.value + offset)
        start = 0.3 + 1e-3 * np.random.default_rng(3).normal(size=8)
        run = dl.iterate(lattice, start={"x": start}, duration=400)
        assert (np.ptp(run["x"][-1]) < 1e-9) == together


def test_a_layered_network_at_rest():
    fact = known("layered_network", "at rest")
    sizes = {"output": 1, "hidden": 1, "input": 1}
    ones = {"V": np.ones((1, 1)), "W": np.ones((1, 1))}
    network = zoo.layered_network.on(sizes, links=ones)(u=[0.0], bias=[0.5])
    run = dl.integrate(network, duration=60, at=[60])
    assert run["y"][0, 0] == pytest.approx(fact.value, rel=1e-9)


def test_a_layered_network_follows_its_input():
    """With weak hidden units tanh is linear and the output a filtered sine."""
    sizes = {"output": 1, "hidden": 1, "input": 2}
    links = {"V": np.array([[1e4]]), "W": np.array([[1e-4, 2e-4]])}
    network = zoo.layered_network.on(sizes, links=links)(u=[1.0, 0.5], tau=0.5, rate=3.0)
    t = np.linspace(20, 30, 40)
    found = dl.integrate(network, duration=30, at=t)["y"][:, 0]
    # tau y' = -y + 2 sin(rate t)
    gain = 2 / (1 + (0.5 * 3.0) ** 2)
    expected = gain * (np.sin(3 * t) - 0.5 * 3.0 * np.cos(3 * t))
    np.testing.assert_allclose(found, expected, atol=1e-5)
