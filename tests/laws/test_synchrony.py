"""What holds for every swarm of phases: invariances, bounds, gradients; and estimates against the theory."""

import networkx as nx
import numpy as np
import pytest

import dynlab as dl
from dynlab.synchrony.curve import DEFAULT_METHOD, settled

RNG = np.random.default_rng(7)
OMEGA = RNG.normal(size=30)
START = RNG.uniform(0, 2 * np.pi, 30)


def run_of(omega, theta, K=1.5, duration=20.0):
    swarm = dl.zoo.kuramoto.on(dl.AllToAll(len(omega)))(omega=omega, K=K)
    return dl.integrate(
        swarm, start={"theta": theta}, duration=duration, at=np.linspace(0, duration, 41)
    )


def test_order_does_not_see_a_rotation_nor_the_frame():
    plain = dl.order_parameter(run_of(OMEGA, START, duration=5.0), "theta")
    turned = dl.order_parameter(run_of(OMEGA, START + 1.3, duration=5.0), "theta")
    moving = dl.order_parameter(run_of(OMEGA + 2.0, START, duration=5.0), "theta")
    # Errors of the integrator (1e-9 a step), magnified by a swarm that pulls apart at a rate of K = 1.5 at most, exp(7.5) in all.
    for other in (turned, moving):
        np.testing.assert_allclose(other.r, plain.r, atol=1e-6)
    np.testing.assert_allclose(moving.psi - plain.psi, 2.0 * plain.t, atol=1e-5)


@pytest.mark.parametrize("moment", [1, 2, 3])
def test_order_is_a_share_and_moments_see_groups(moment):
    order = dl.order_parameter(run_of(OMEGA, START), "theta", moment=moment)
    assert ((order.r >= 0) & (order.r <= 1 + 1e-15)).all()
    groups = np.repeat(2 * np.pi * np.arange(3) / 3, 10)
    still = dl.order_parameter(run_of(np.zeros(30), groups, duration=1e-3), "theta", moment=moment)
    assert still.r[0] == pytest.approx(float(moment == 3), abs=1e-12)


def test_one_oscillator_is_in_order():
    run = run_of(np.ones(1), np.ones(1))
    np.testing.assert_allclose(dl.order_parameter(run, "theta").r, 1, atol=1e-15)


def test_identical_frequencies_climb_a_gradient():
    """theta' = grad (K N / 2) r^2, so r never falls (Wiley, Strogatz and Girvan 2006)."""
    order = dl.order_parameter(run_of(np.zeros(30), START, K=0.5), "theta")
    assert (np.diff(order.r) > -1e-9).all()
    assert order.r[-1] > order.r[0]


def test_one_exponent_is_zero():
    swarm = dl.zoo.kuramoto.on(dl.AllToAll(4))(omega=OMEGA[:4], K=6.0)
    spectrum = dl.lyapunov_spectrum(swarm, start={"theta": START[:4]}, duration=200, transient=50)
    assert abs(spectrum.nearest_to_zero) < 1e-6  # a shift of all phases neither grows nor shrinks


def test_local_order_of_the_whole_is_the_order():
    network = dl.zoo.kuramoto_on_graph.on(nx.complete_graph(30))(omega=OMEGA, K=0.05)
    run = dl.integrate(network, start={"theta": START}, duration=5, at=[5.0])
    z = np.exp(1j * run["theta"][0])
    np.testing.assert_allclose(
        dl.local_order(run, "theta")[0], np.abs(z.sum() - z) / 29, atol=1e-12
    )


def test_frequencies_of_a_locked_swarm_form_one_plateau():
    found = dl.effective_frequencies(
        run_of(OMEGA, START, K=8.0, duration=60), "theta", transient=30, natural="omega"
    )
    assert found.locked_share == 1
    np.testing.assert_allclose(found.plateaus, [OMEGA.mean()], atol=1e-6)


def test_finite_networks_follow_the_theory():
    """Even frequencies meet r(K) to 2e-3 for N >= 500 and K >= 1.25 K_c."""
    swarm = dl.zoo.kuramoto.on(dl.AllToAll(500)).draw(omega=dl.Quantiles(dl.Gaussian(0, 1)))
    K = np.sqrt(8 / np.pi) * np.array([1.25, 1.5, 3.0])
    curve = dl.synchrony_curve(swarm, vary="K", over=K, duration=150, transient=75, seed=1)
    theory = dl.mean_field_synchrony(dl.Gaussian(0, 1), couplings=K).r
    np.testing.assert_allclose(curve.up, theory, atol=2e-3)
    np.testing.assert_allclose(curve.down, theory, atol=2e-3)


def test_below_the_onset_order_is_that_of_finite_number():
    """The mean of r^2 is 1 / (N (1 - K / K_c)) for random frequencies (Daido 1990): a slope of -1 in N, here 20 draws."""
    K, sizes, rng = 0.8, np.array([50, 200, 800]), np.random.default_rng(4)
    square = []
    for n in sizes:
        found = []
        for _ in range(20):
            swarm = dl.zoo.kuramoto.on(dl.AllToAll(int(n)))(omega=rng.normal(size=n), K=K)
            run = dl.integrate(
                swarm, start={"theta": rng.uniform(0, 2 * np.pi, n)}, duration=60,
                at=np.arange(20, 60.0), method=DEFAULT_METHOD,
            )  # fmt: skip
            found.append(np.mean(dl.order_parameter(run, "theta").r ** 2))
        square.append(np.mean(found))
    assert np.polyfit(np.log(sizes), np.log(square), 1)[0] == pytest.approx(-1, abs=0.15)
    expected = 1 / (sizes * (1 - K / np.sqrt(8 / np.pi)))
    np.testing.assert_allclose(square, expected, rtol=0.4)


@pytest.mark.parametrize("K", [0.8, 1.6, 2.2])
def test_errors_of_the_order_are_not_too_small(K):
    """One long run in pieces: intervals by Student's t for 16 batches hold its mean, at 95 % or more."""
    swarm = dl.zoo.kuramoto.on(dl.AllToAll(100))(
        omega=np.random.default_rng(3).normal(size=100), K=K
    )
    theta, found = np.random.default_rng(1).uniform(0, 2 * np.pi, 100), []
    for piece in range(50):
        skip = 100.0 if piece == 0 else 0.0
        run = settled(swarm, "theta", theta, (skip, skip + 60.0), DEFAULT_METHOD)
        theta = run.end
        found.append((run.mean, run.error))
    means, errors = np.array(found).T
    held = np.mean(np.abs(means - means.mean()) < 2.131 * errors)
    assert held > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 50)
    # Nor much too large: five times where a few that drift make r swing, and batches of swings scatter more than their sum.
    assert means.std() > 0.05 * errors.mean()


def test_a_flat_density_has_hysteresis_of_no_width_and_refuses_scaling():
    swarm = dl.zoo.kuramoto.on(dl.AllToAll(400)).draw(omega=dl.Quantiles(dl.Uniform(-1, 1)))
    with pytest.raises(dl.SettingError, match=r"jumps to 0\.785"):
        dl.critical_coupling(swarm, vary="K", over=(0, 3), duration=10)


def test_relaxation_is_that_of_ott_and_antonsen():
    """r' = (K/2 - d) r - (K/2) r^3 from r = 0.05, from phases that lie on the manifold.

    Each of the quantiles of the Lorentzian has eight phases that stand for a Poisson kernel (their sum is wrong by
    r^9 = 1e-12 at the start).  What is left is a midpoint rule for frequencies whose tails turn too fast for it.
    """
    counts, wrong = np.array([25, 100, 400, 1600]), []
    for count in counts:
        share = (np.arange(count) + 0.5) / count
        omega = np.repeat(np.tan(np.pi * (share - 0.5)), 8)
        phases = 2 * np.arctan(0.95 / 1.05 * np.tan(np.pi * ((np.arange(8) + 0.5) / 8 - 0.5)))
        order = dl.order_parameter(run_of(omega, np.tile(phases, count), 4.0, 2.0), "theta")
        exact = (2 + (0.05**-2 - 2) * np.exp(-2 * order.t)) ** -0.5  # r^-2 obeys a linear equation
        wrong.append(order.r - exact)
        np.testing.assert_allclose(order.r[0], 0.05, atol=1e-9)
    # By stationary phase the tails leave count^(-3/4), here 0.04 times that in the mean.
    mean = np.sqrt(np.mean(np.square(wrong), axis=1))
    assert np.polyfit(np.log(counts), np.log(mean), 1)[0] == pytest.approx(-0.75, abs=0.1)
    np.testing.assert_allclose(exact[[20, 40]], [0.1337938502, 0.3280959922], atol=1e-9)
    assert np.abs(wrong[-1]).max() < 5e-4


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_holds_the_onset(seed):
    swarm = dl.zoo.kuramoto.on(dl.AllToAll(200)).draw(omega=dl.Quantiles(dl.Gaussian(0, 1)))
    onset = dl.critical_coupling(
        swarm, vary="K", over=(0.5, 3), duration=80, transient=40, draws=3, seed=seed
    )
    # An interval of 95 % misses one time in twenty; three times as wide it does not, whatever the seed.
    half = (onset.interval[1] - onset.interval[0]) / 2
    assert abs(onset.value - onset.theory) < 3 * half
    assert onset.value == pytest.approx(onset.theory, rel=0.03)


def test_the_onset_depends_on_the_seed_alone_and_can_be_stopped():
    swarm = dl.zoo.kuramoto.on(dl.AllToAll(100)).draw(omega=dl.Quantiles(dl.Gaussian(0, 1)))
    asked = {"vary": "K", "over": (0.5, 3), "duration": 30, "transient": 15, "draws": 3}
    with dl.threads(1):
        one = dl.critical_coupling(swarm, seed=np.random.default_rng(2), **asked)
    with dl.threads(3):
        three = dl.critical_coupling(swarm, seed=np.random.default_rng(2), **asked)
    np.testing.assert_array_equal(one.r, three.r)
    assert (one.value, one.interval) == (three.value, three.interval)
    assert one.provenance.seed is None
    assert "PCG64" in one.provenance.settings["generator"]
    with dl.stop_after(0.0), pytest.raises(dl.NotConverged, match="stopped before all") as raised:
        dl.critical_coupling(swarm, seed=1, **asked)
    assert raised.value.status is dl.Status.STOPPED


@pytest.mark.campaign
def test_the_onset_of_2000_even_oscillators():
    swarm = dl.zoo.kuramoto.on(dl.AllToAll(2000)).draw(omega=dl.Quantiles(dl.Gaussian(0, 1)))
    onset = dl.critical_coupling(
        swarm, vary="K", over=(0, 3), duration=400, transient=200, draws=3, seed=1
    )
    assert onset.value == pytest.approx(np.sqrt(8 / np.pi), rel=2e-3)
    assert onset.interval[0] < onset.theory < onset.interval[1]


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("frequencies", "size", "draws"),
    [
        (dl.Gaussian(0, 1), 400, 8),
        (dl.Lorentzian(0, 0.5), 200, 8),
        (dl.Lorentzian(0, 0.5), 400, 8),
        (dl.Quantiles(dl.Gaussian(0, 1)), 200, 4),
        (dl.Quantiles(dl.Lorentzian(0, 0.5)), 200, 4),
    ],
)
def test_intervals_of_the_onset_cover(frequencies, size, draws):
    """Of 60 intervals of 95 % fewer than 51 hold the value with a chance of 0.2 %."""
    held, rule = 0, dl.zoo.kuramoto.on(dl.AllToAll(size))
    for seed in range(60):
        onset = dl.critical_coupling(
            rule, vary="K", over=(0.4, 2.8), duration=80, transient=40, draws=draws,
            frequencies=frequencies, seed=seed,
        )  # fmt: skip
        held += onset.interval[0] < onset.theory < onset.interval[1]
    print(frequencies, size, draws, held, "of 60")
    assert held >= 51


def test_results_come_back(tmp_path):
    swarm = dl.zoo.kuramoto.on(dl.AllToAll(100)).draw(omega=dl.Quantiles(dl.Gaussian(0, 1)))
    run = dl.integrate(swarm, duration=2)
    for made in (
        dl.synchrony_onset(dl.Gaussian(0, 1)),
        dl.mean_field_synchrony(dl.Gaussian(0, 1), couplings=[1.0, 2.0]),
        dl.locking_threshold([0.0, 1.0]),
        dl.order_parameter(run, "theta"),
        dl.effective_frequencies(run, "theta", natural="omega"),
        dl.synchrony_curve(swarm, vary="K", over=[1.0, 2.0], duration=2, seed=1),
    ):
        again = dl.load(made.save(tmp_path / "x.npz"))
        assert repr(again) == repr(made)
        for name, column in made.to_table().items():
            np.testing.assert_array_equal(again.to_table()[name], column)


def shifted():
    i, j = dl.nodes("i j")

    @dl.flow
    def sakaguchi(theta: dl.PerNode[dl.Angle], *, omega: dl.PerNode = 0.0, K=1.0):
        return {theta[i]: omega[i] + K * dl.Mean(dl.sin(theta[j] - theta[i] - 0.5), j)}

    return sakaguchi.on(dl.AllToAll(100)).draw(omega=dl.Gaussian(0, 1), seed=1)


def kuramoto(n=100):
    return dl.zoo.kuramoto.on(dl.AllToAll(n))


@pytest.mark.parametrize(
    ("system", "given", "error", "words"),
    [
        (lambda: kuramoto(1).draw(omega=dl.Gaussian(), seed=1), {}, dl.SettingError, "at least 100"),
        (lambda: kuramoto(0), {}, dl.SettingError, "0"),
        (kuramoto, {}, dl.SettingError, "Give frequencies="),
        (shifted, {}, dl.UnsupportedSystemError, "exponents"),
        (lambda: dl.zoo.kuramoto_on_graph.on(nx.cycle_graph(200)), {}, dl.UnsupportedSystemError, "has links"),
        (lambda: dl.zoo.lorenz, {}, dl.SettingError, "one state per node"),
        (lambda: kuramoto().draw(omega=dl.Gaussian(), seed=1), {"draws": 2}, dl.SettingError, "3 or more"),
        (lambda: kuramoto().draw(omega=dl.Gaussian(), seed=1), {"vary": "k"}, dl.UnknownNameError, "'K'"),
        (lambda: kuramoto().draw(omega=dl.Gaussian(), seed=1), {"transient": 9}, dl.SettingError, "less than"),
        (lambda: kuramoto().draw(omega=dl.Gaussian(), seed=1), {"over": (2, 1)}, dl.SettingError, "rise"),
        (lambda: dl.zoo.kuramoto_on_graph.on(np.array([[0, np.nan], [1, 0]])), {}, dl.SettingError, "nan"),
    ],
)  # fmt: skip
def test_bad_input(system, given, error, words):
    with pytest.raises(error, match=words):
        dl.critical_coupling(system(), **({"vary": "K", "over": (0, 3), "duration": 5} | given))


def test_a_disconnected_graph_is_said():
    graph = nx.disjoint_union(nx.complete_graph(4), nx.complete_graph(3))
    with pytest.warns(dl.DegenerateWarning, match="2 components"):
        network = dl.zoo.kuramoto_on_graph.on(graph)
    assert dl.synchrony_curve(network, vary="K", over=[1.0], duration=5, seed=1).status.ok
