"""What holds for trials of recall: exact cases, an independent simulation, streams, and intervals that keep their word."""

import math

import numpy as np
import pytest

import dynlab as dl
from dynlab import hopfield
from dynlab.hopfield.basin_sizes import median_interval
from dynlab.hopfield.halfway import halfway


def plain(size, count, rng):
    """One trial with a matrix of weights and fields kept up to date, in numpy alone."""
    patterns = rng.choice([-1.0, 1.0], (count, size))
    weights = patterns.T @ patterns / size
    np.fill_diagonal(weights, 0.0)
    state, turned = patterns[0].copy(), 1
    fields = weights @ state
    while turned:
        turned = 0
        for i in rng.permutation(size):
            if fields[i] * state[i] < -1e-9:
                state[i] = -state[i]
                fields += 2 * state[i] * weights[i]
                turned += 1
    return float(state @ patterns[0]) / size


def test_trials_agree_with_an_independent_simulation():
    """Means and shares of independent samples, within 4 standard errors of their difference."""
    rng = np.random.default_rng(4)
    for load in (0.15, 0.25):
        theirs = np.array([plain(120, round(load * 120), rng) for _ in range(250)])
        ours = hopfield.recall_curve(size=120, loads=[load], trials=4000, seed=1).overlaps[0]
        error = math.sqrt(theirs.var() / len(theirs) + ours.var() / len(ours))
        assert abs(theirs.mean() - ours.mean()) < 4 * error
        shares = np.mean(theirs > 0.9), np.mean(ours > 0.9)
        spread = shares[1] * (1 - shares[1]) * (1 / len(theirs) + 1 / len(ours))
        assert abs(shares[0] - shares[1]) < 4 * math.sqrt(spread)


def test_a_thousand_neurons():
    """Theory 0.998 at 0.10; transitional at 0.15; lost at 0.18 (bands of 30 trials, 4 standard errors wide)."""
    curve = hopfield.recall_curve(size=1000, loads=[0.10, 0.15, 0.18], trials=30, seed=2)
    assert curve.overlap[0] == pytest.approx(0.998, abs=0.003)
    assert 0.65 < curve.overlap[1] < 0.97
    assert curve.overlap[2] < 0.75
    assert list(curve.recalled > 0.5) == [True, True, False]
    assert 0.15 < curve.capacity.value < 0.18


@pytest.mark.campaign
def test_the_whole_curve_of_a_thousand_neurons():
    loads = np.array([0.05, 0.08, 0.10, 0.12, 0.15, 0.165, 0.18, 0.22])
    curve = hopfield.recall_curve(size=1000, loads=loads, trials=400, seed=3)
    theory = hopfield.mean_field_overlap(loads=loads[:3]).overlap
    # Finite size lowers the overlap by less than 1e-3 up to 0.10.
    np.testing.assert_allclose(curve.overlap[:3], theory, atol=1.5e-3)
    assert np.all(np.diff(curve.recalled) <= 0.02)
    assert 0.158 < curve.capacity.value < 0.168


@pytest.mark.campaign
def test_capacity_of_many_neurons():
    """Simulations of large networks: 0.141 to 0.145 (Kohring 1990; Stiefvater, Mueller and Kuehn 1996)."""
    found = hopfield.capacity(sizes=(500, 1000, 2000, 4000), trials=300, seed=1)
    low, high = found.interval
    assert low < 0.143 < high
    assert high - low < 0.03
    assert np.all(np.diff(found.of_sizes[:, 0]) < 0)


def test_one_pattern_is_recalled_from_all_that_is_nearer_than_its_opposite():
    """With one pattern and an odd number of neurons the edge is exactly (N - 1) / 2."""
    found = hopfield.basin_size(size=101, loads=[1 / 101], trials=12, seed=1)
    assert np.all(found.edges == 50 / 101)
    assert hopfield.recall_curve(size=101, loads=[1 / 101], seed=1).overlaps.min() == 1.0


def test_the_projection_rule_keeps_every_pattern_and_wider_basins():
    loads = [0.2, 0.5]
    curve = hopfield.recall_curve(
        size=60, loads=loads, trials=5, seed=1, rule=hopfield.PseudoInverse()
    )
    assert curve.overlaps.min() == 1.0
    edges = [
        hopfield.basin_size(size=60, loads=[0.2], trials=9, seed=1, rule=rule).value[0]
        for rule in (hopfield.PseudoInverse(), hopfield.Hebb())
    ]
    assert edges[0] > edges[1]


def test_results_depend_on_the_seed_alone():
    loads = [0.1, 0.2, 0.3]
    curve = hopfield.recall_curve(size=90, loads=loads, trials=40, seed=7)
    with dl.threads(1):
        alone = hopfield.recall_curve(size=90, loads=[0.2], trials=40, seed=7)
    np.testing.assert_array_equal(alone.overlaps[0], curve.overlaps[1])
    more = hopfield.recall_curve(size=90, loads=loads, trials=60, seed=7)
    np.testing.assert_array_equal(more.overlaps[:, :40], curve.overlaps)
    other = hopfield.recall_curve(size=90, loads=loads, trials=40, seed=8)
    assert not np.array_equal(other.overlaps, curve.overlaps)
    with dl.threads(3):
        basins = hopfield.basin_size(size=90, loads=[0.05], trials=8, seed=7)
    again = hopfield.basin_size(size=90, loads=[0.05], trials=8, seed=7)
    np.testing.assert_array_equal(basins.edges, again.edges)


@pytest.mark.parametrize(
    "rule", [hopfield.Hebb(), hopfield.Hebb(0.3), hopfield.Covariance(0.2)], ids=repr
)
@pytest.mark.parametrize(("size", "count"), [(77, 80), (200, 32), (333, 250)])
def test_fields_kept_and_found_afresh_are_the_same(size, count, rule, monkeypatch):
    """From starts near and far, so that sweeps of many and of few turns follow each other; cold and warm.

    Whole numbers make it exact; the covariance rule rounds, but no field of these lies so near to a tie.
    """
    from dynlab.hopfield import trials
    from dynlab.seeds import Seed

    streams = Seed("5").stream(count).integers(0, 1 << 64, (10, 4), np.uint64)
    kept = trials.Memory(rule, size, count)
    monkeypatch.setattr(trials, "CACHED", 0)
    afresh = trials.Memory(rule, size, count)
    found = np.full((2, 4, 10), np.nan)
    for row, memory in zip(found, (kept, afresh), strict=True):
        memory.overlaps(streams, row[0])
        memory.overlaps(streams, row[1], turned=size // 3)
        memory.mean_overlaps(streams, row[2], 0.1, 6)
        memory.mean_overlaps(streams, row[3], 0.9, 6)
    assert not np.isnan(found).any()
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(kept.spins, afresh.spins)


def test_the_edge_of_a_basin_is_one():
    """From the edge recall succeeds, from one spin further it does not, by trials of the same streams."""
    from dynlab.hopfield.trials import Memory
    from dynlab.seeds import Seed

    found = hopfield.basin_size(size=80, loads=[0.1], trials=10, seed=3)
    streams = Seed("3").stream(8).integers(0, 1 << 64, (10, 4), np.uint64)
    memory = Memory(hopfield.Hebb(), 80, 8)
    for edge, stream in zip(np.rint(found.edges[0] * 80), streams, strict=True):
        assert memory.overlap(stream, int(edge)) > 0.9
        assert edge == 40 or memory.overlap(stream, int(edge) + 1) <= 0.9


def covered(hits, total):
    """Whether a count of hits fits a chance of 95 %: within 4 standard deviations."""
    return abs(hits / total - 0.95) < 4 * math.sqrt(0.95 * 0.05 / total)


def test_intervals_of_the_capacity_cover_it():
    """Successes drawn from known curves, narrow and wide; the interval holds the middle in 95 % of 150 samples."""
    rng, places, trials = np.random.default_rng(11), np.linspace(0.1, 0.2, 9), np.full(9, 20)
    hits = 0
    for _ in range(150):
        centre, width = rng.uniform(0.13, 0.17), rng.choice([0.003, 0.01, 0.02])
        drawn = rng.binomial(trials, 1 / (1 + np.exp((places - centre) / width)))
        low, high = halfway(places, drawn, trials).interval
        hits += low <= centre <= high
    assert covered(hits, 150)


def test_intervals_of_the_overlap_cover_it():
    """The mean of 20 000 trials stands for the truth; 300 samples of 20 are judged."""
    truth = hopfield.recall_curve(size=64, loads=[0.2], trials=20_000, seed=1).overlap[0]
    hits = 0
    for seed in range(2, 302):
        low, high = hopfield.recall_curve(size=64, loads=[0.2], trials=20, seed=seed).interval[0]
        hits += low <= truth <= high
    assert covered(hits, 300)


@pytest.mark.parametrize("count", [6, 11, 40])
def test_intervals_of_a_median_cover_it(count):
    """95 % or more for any continuous distribution, here an exponential with median ln 2 / 8."""
    drawn = np.random.default_rng(3).exponential(1 / 8, (2000, count))
    ends = np.array([median_interval(row) for row in drawn])
    share = np.mean((ends[:, 0] <= math.log(2) / 8) & (math.log(2) / 8 <= ends[:, 1]))
    assert share > 0.95 - 4 * math.sqrt(0.95 * 0.05 / 2000)
    assert median_interval(drawn[0, :5]) == (0.0, 0.5)


def test_where_nothing_decides_the_interval_is_open():
    places, trials = np.array([0.1, 0.2]), np.array([20, 20])
    never, always = halfway(places, 0 * trials, trials), halfway(places, trials, trials)
    assert math.isnan(never.value)
    assert never.interval[0] == -math.inf
    assert never.interval[1] < 0.11
    assert always.interval[1] == math.inf
    step = halfway(places, np.array([20, 0]), trials)
    assert 0.08 < step.interval[0] < 0.11
    assert 0.19 < step.interval[1] < 0.22
    curve = hopfield.recall_curve(size=100, loads=[0.02], trials=5, seed=1)
    assert "not among these loads" in repr(curve)


def test_the_limit_of_a_known_approach():
    """Capacities a + b N^-x with errors drawn: the interval holds a at 95 % or more, whatever x."""
    from dynlab.hopfield.capacities import _limit

    class Known:
        def __init__(self, size, value, error):
            self.size = size
            self.capacity = type("H", (), {"value": value, "standard_error": error})

    rng, hits = np.random.default_rng(2), 0
    for _ in range(300):
        x = rng.uniform(0.4, 0.9)
        curves = [
            Known(n, 0.14 + 0.9 * n**-x + rng.normal(0, 0.001), 0.001)
            for n in (250, 500, 1000, 2000, 4000)
        ]
        low, high = _limit(curves)[1]
        hits += low <= 0.14 <= high
    assert hits / 300 > 0.95 - 4 * math.sqrt(0.95 * 0.05 / 300)


@pytest.mark.parametrize(("temperature", "loads"), [(0.3, [0.02, 0.05]), (0.5, [0.02])])
def test_warm_networks_keep_what_the_mean_field_says(temperature, loads):
    """Theory of Amit, Gutfreund and Sompolinsky 1987; 4 standard errors, and corrections of order 1/N."""
    warm = hopfield.thermal_recall(
        size=500, loads=loads, temperature=temperature, trials=20, seed=1
    )
    theory = hopfield.mean_field_overlap(loads=warm.loads, temperature=temperature).overlap
    error = warm.overlaps.std(axis=1, ddof=1) / math.sqrt(20)
    assert np.all(np.abs(warm.overlap - theory) < 4 * error + 1 / 500)
    assert np.all(error < 2e-3)


def test_beyond_the_critical_load_a_warm_network_forgets():
    beyond = hopfield.critical_load(0.3).value + 0.1
    assert hopfield.critical_load(0.3).value == pytest.approx(0.1033, abs=1e-4)
    warm = hopfield.thermal_recall(size=500, loads=[beyond], temperature=0.3, trials=8, seed=1)
    assert warm.overlap[0] < 0.5
    hot = hopfield.thermal_recall(size=500, loads=[0.01], temperature=1.5, trials=8, seed=1)
    assert hot.interval[0, 0] < 0.05


def test_one_pattern_at_a_temperature():
    """N m is the sum of spins in a field m: m = tanh(m / T), with fluctuations that move it by less than 1/N."""
    warm = hopfield.thermal_recall(
        size=1000, loads=[1e-3], temperature=0.5, trials=12, sweeps=400, seed=2
    )
    assert warm.overlap[0] == pytest.approx(0.9575040241, abs=2e-3)


def test_trials_can_be_stopped():
    with dl.stop_after(0.0):
        curve = hopfield.recall_curve(size=200, loads=[0.1], trials=20, seed=1)
        basins = hopfield.basin_size(size=200, loads=[0.1], trials=20, seed=1)
        warm = hopfield.thermal_recall(size=200, loads=[0.1], temperature=0.2, seed=1)
    assert curve.status == basins.status == warm.status == dl.Status.STOPPED
    assert list(curve.trials) == list(basins.trials) == list(warm.trials) == [0]
    assert list(curve.interval[0]) == [-1.0, 1.0]
    assert "stopped" in repr(curve)
    assert "stopped" in repr(basins)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: hopfield.recall_curve(size=100, loads=[0.001]), "at least one pattern"),
        (lambda: hopfield.recall_curve(size=0, loads=[0.1]), "size is 0"),
        (lambda: hopfield.recall_curve(size=100, loads=[0.1], trials=1.5), "trials is 1.5"),
        (lambda: hopfield.recall_curve(size=100, loads=[0.1], seed=-1), "seed"),
        (lambda: hopfield.basin_size(size=100, loads=[math.inf]), "finite"),
        (lambda: hopfield.capacity(sizes=[100, 100, 200]), "three different"),
        (lambda: hopfield.thermal_recall(size=50, loads=[0.1], temperature=0.0), "above 0"),
        (
            lambda: hopfield.thermal_recall(size=50, loads=[0.1], temperature=1.0, sweeps=1),
            "2 or more",
        ),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(dl.SettingError, match=words):
        call()


def test_results_are_kept_and_drawn(tmp_path):
    curve = hopfield.recall_curve(size=60, loads=[0.1, 0.2, 0.3], trials=12, seed=1)
    basins = hopfield.basin_size(size=60, loads=[0.05, 0.1], trials=8, seed=1)
    limit = hopfield.capacity(sizes=[40, 60, 90], trials=15, seed=1)
    warm = hopfield.thermal_recall(size=60, loads=[0.05, 0.1], temperature=0.4, trials=5, seed=1)
    for result in (curve, basins, limit, warm):
        again = dl.load(result.save(tmp_path / "kept.npz"))
        assert repr(again) == repr(result)
        for name, column in again.to_table().items():
            np.testing.assert_array_equal(column, result.to_table()[name])
        assert result.plot().get_ylabel()
        assert "seed 1" in repr(result)
    ax = curve.plot()
    hopfield.mean_field_overlap(loads=curve.loads).plot(ax)
    assert ax.get_legend() is not None
