"""Networks of spins: what is refused and how, what is stored, and what the results say."""

import pickle

import numpy as np
import pytest

import dynlab as dl
from dynlab import hopfield, zoo

PAIR = np.array([[0.0, 1.0], [1.0, 0.0]])
PAIR_RULE = hopfield.Network.from_weights(PAIR).rule


@pytest.mark.parametrize(
    ("patterns", "says"),
    [
        ([], r"shape \(0,\).*at least one pattern"),
        (np.empty((0, 5)), "at least one pattern"),
        ([1, -1, 1], r"shape \(3,\).*a row for each"),
        ([[1, -1], [1, 0]], r"pattern 1, spin 1 is 0; spins are -1 or 1.*2 \* pattern - 1"),
        ([[1, -1, 0.3]], r"pattern 0, spin 2 is 0.3"),
        ([[1, np.nan]], r"pattern 0, spin 1 is nan"),
        ([[True, False]], r"holds bool.*2 \* bits - 1"),
        ([["a", "b"]], "not numbers"),
        ([[1, -1], [1]], r"the patterns are no array.*rows of equal length"),
        (hopfield.Patterns(np.zeros((3, 1), np.uint64), 0), "no patterns.*from_weights"),
    ],
)
def test_patterns_that_are_none_are_refused_with_the_first_bad_place(patterns, says):
    with pytest.raises(dl.SettingError, match=says):
        hopfield.Network(patterns)


@pytest.mark.parametrize("rule", [hopfield.Hebb(), hopfield.Covariance(0.0)], ids=repr)
def test_more_patterns_than_spins_are_allowed_with_a_warning(rule):
    patterns = hopfield.random_patterns(size=20, count=21, seed=1)
    with pytest.warns(dl.AccuracyWarning, match=r"21 patterns in 20 spins.*about 3.*Store fewer"):
        network = hopfield.Network(patterns, rule)
    assert network.recall(patterns[0], seed=1).status.ok


def test_a_state_that_does_not_fit_is_refused():
    network = hopfield.Network([[1, -1, 1]])
    for call in (network.recall, network.fields, network.is_fixed_point, network.patterns.overlaps):
        with pytest.raises(dl.SettingError, match=r"shape \(2,\), but the network has 3 spins"):
            call([1, 1])
        with pytest.raises(dl.SettingError, match="state, spin 1 is 0; spins are"):
            call([1, 0, 1])


def test_no_energy_without_symmetry():
    weights = np.array([[0, 0.3, 1.0], [0.3, 0, 2.0], [0.5, 2.0, 0]])
    says = r"weights are not symmetric: W\[0, 2\] = 1 but W\[2, 0\] = 0.5, the largest difference.*\(W \+ W.T\) / 2"
    network = hopfield.Network.from_weights(weights)
    with pytest.raises(dl.UnsupportedSystemError, match=says):
        hopfield.energy(network, [1, 1, 1])
    with pytest.raises(dl.UnsupportedSystemError, match=says):
        hopfield.two_step_energy(network, [1, 1, 1], previous=[1, 1, 1])
    with pytest.raises(dl.UnsupportedSystemError, match=says):
        hopfield.energy(zoo.hopfield_rates.on(weights), {"s": [0, 0, 0]})


def test_no_energy_with_a_negative_diagonal():
    """One spin that inhibits itself turns for ever; all at once it has its two-step energy."""
    alone = hopfield.Network.from_weights([[-1.0]])
    assert alone.recall([1], sweeps=9).status is dl.Status.SWEEP_LIMIT
    with pytest.raises(
        dl.UnsupportedSystemError, match=r"spin 0 to itself is -1.*Set the diagonal"
    ):
        hopfield.energy(alone, [1])
    run = alone.recall([1], method=hopfield.Synchronous())
    assert run.status is dl.Status.CYCLE_OF_TWO
    assert hopfield.two_step_energy(alone, [1], previous=[-1]) == -1


def test_no_energy_of_other_systems():
    with pytest.raises(dl.UnsupportedSystemError, match=r"'rate_network'.*zoo.hopfield_rates"):
        hopfield.energy(zoo.rate_network.on(PAIR), {"x": [0, 0]})
    with pytest.raises(dl.UnsupportedSystemError, match="bound to a matrix"):
        hopfield.energy(zoo.hopfield_rates, {"s": 0})


def test_an_energy_of_rates_out_of_range_is_refused():
    pair = zoo.hopfield_rates.on(PAIR)
    with pytest.raises(dl.SettingError, match=r"s\[1\] is 1.2.*between -1 and 1"):
        hopfield.energy(pair, {"s": [0, 1.2]})
    with pytest.raises(dl.SettingError, match="goes by name"):
        hopfield.energy(pair, [0, 0])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: hopfield.Hebb(diagonal=2), "diagonal is 2; it is the share"),
        (lambda: hopfield.Covariance(1.0), "the activity is 1.0; give the mean"),
        (lambda: hopfield.Glauber(0), "the temperature is 0; give a number above 0"),
        (lambda: hopfield.Synchronous(-1), "the temperature is -1; give 0 or more"),
        (lambda: hopfield.random_patterns(size=0, count=1), "size is 0; give a positive whole"),
        (lambda: hopfield.random_patterns(size=5, count=1.5), "count is 1.5"),
        (lambda: hopfield.random_patterns(size=5, count=1, bias=1), "the bias is 1; give the mean"),
        (lambda: hopfield.flipped([1, 1], share=1.1), "the share is 1.1; give a number between"),
        (lambda: hopfield.Network.from_weights([[1, 2]]), r"shape \(1, 2\).*square matrix"),
        (lambda: hopfield.Network.from_weights([[1, np.inf], [1, 1]]), r"weight \[0, 1\] is inf"),
        (lambda: hopfield.Network([[1, -1]]).recall([1, 1], sweeps=0), "sweeps is 0"),
        (lambda: hopfield.Network([[1, -1]], threshold=np.nan), "the threshold is nan"),
        (
            lambda: hopfield.Network([[1, -1]], "hebb"),
            "the rule is 'hebb'; give one such as hopfield.Hebb",
        ),
        (lambda: hopfield.Network([[1, -1]], hopfield.Hebb), "the rule is <class"),
        (
            lambda: hopfield.Network([[1, -1]]).recall([1, 1], method="all"),
            "the method is 'all'; give one",
        ),
        (lambda: hopfield.Network.from_weights([[1], [1, 2]]), "the weights are no array"),
        (
            lambda: hopfield.Network.from_weights(np.zeros((0, 0))),
            "Give a square matrix of numbers",
        ),
        (lambda: hopfield.flipped(5, share=0.1), r"shape \(\)"),
        (
            lambda: hopfield.random_patterns(size=10**9, count=10**6),
            "take 1.25e\\+05 GB.*Take fewer",
        ),
        (
            lambda: hopfield.energy(None, [1]),
            "the network is None; give a hopfield.Network, or zoo",
        ),
        (lambda: hopfield.two_step_energy(None, [1], previous=[1]), "the network is None"),
        (lambda: hopfield.energy_along(None), "the run is None; give what dl.integrate"),
        (lambda: hopfield.spurious_states(None), "the network is None"),
        (lambda: hopfield.recall_curve(size=10, loads=[0.1], rule="hebb"), "the rule is 'hebb'"),
        (lambda: hopfield.recall_curve(size=10, loads=[0.1], rule=PAIR_RULE), "learn no patterns"),
        (lambda: hopfield.capacity(sizes=5), "the sizes are 5; give at least three"),
    ],
)
def test_settings_that_cannot_work_say_what_to_give(make, says):
    with pytest.raises(dl.SettingError, match=says):
        make()


def test_a_name_that_is_not_there():
    with pytest.raises(dl.UnknownNameError, match="Did you mean 'Network'"):
        hopfield.network_


@pytest.mark.parametrize("bias", [0.0, -0.6])
def test_random_patterns_have_their_mean_and_depend_on_the_seed_alone(bias):
    patterns = hopfield.random_patterns(size=1500, count=130, bias=bias, seed=3)
    again = hopfield.random_patterns(size=1500, count=130, bias=bias, seed=3)
    np.testing.assert_array_equal(patterns.rows, again.rows)
    # Four standard deviations of the mean of 195 000 entries.
    assert abs(patterns.activity - bias) < 4 / np.sqrt(1500 * 130)
    first = hopfield.random_patterns(size=1024, count=130, bias=bias, seed=3)
    np.testing.assert_array_equal(first.rows, patterns.rows[:1024])
    other = hopfield.random_patterns(size=1500, count=130, bias=bias, seed=4)
    assert abs(patterns.overlaps(other[0])).max() < 1


def test_a_noisy_start_has_the_share_that_was_asked():
    pattern = hopfield.random_patterns(size=200, count=1, seed=1)[0]
    noisy = hopfield.flipped(pattern, share=0.15, seed=2)
    assert (noisy != pattern).sum() == 30
    np.testing.assert_array_equal(noisy, hopfield.flipped(pattern, share=0.15, seed=2))
    np.testing.assert_array_equal(hopfield.flipped(pattern, share=1, seed=2), -pattern)


def test_sparse_patterns_need_the_covariance_rule():
    """One spin in twenty is 1: Hebb's rule falls into the mean, covariance with a threshold recalls."""
    patterns = hopfield.random_patterns(size=800, count=30, bias=-0.9, seed=1)
    start = hopfield.flipped(patterns[0], share=0.02, seed=2)
    rule = hopfield.Covariance(patterns.activity)
    good = hopfield.Network(patterns, rule, threshold=0.9).recall(start, seed=3)
    np.testing.assert_array_equal(good.final, patterns[0])
    bad = hopfield.Network(patterns).recall(start, seed=3)
    assert (bad.final == -1).all()


def test_storkey_and_projection_hold_more_than_hebb():
    patterns = hopfield.random_patterns(size=300, count=60, seed=1)
    kept = {}
    for rule in (hopfield.Hebb(), hopfield.Storkey(), hopfield.PseudoInverse()):
        network = hopfield.Network(patterns, rule)
        runs = [network.recall(p, seed=1) for p in patterns]
        kept[type(rule).__name__] = np.mean([run.overlap for run in runs])
    assert kept["Hebb"] < 0.8 < 0.99 < kept["Storkey"] <= kept["PseudoInverse"] == 1.0


def test_recall_says_how_it_ended_and_comes_back_from_a_file(tmp_path):
    patterns = hopfield.random_patterns(size=100, count=5, seed=1)
    network = hopfield.Network(patterns, hopfield.Storkey())
    run = network.recall(hopfield.flipped(patterns[2], share=0.1, seed=1), seed=7)
    assert "ok after" in repr(run)
    assert "with pattern 2" in repr(run)
    table = run.to_table()
    assert set(table) == {"sweep", "energy", "flips", *(f"m[{p}]" for p in range(5))}
    assert {len(column) for column in table.values()} == {run.sweeps + 1}
    back = dl.load(run.save(tmp_path / "run"))
    np.testing.assert_array_equal(back.final, run.final)
    assert back.status is run.status
    again = back.provenance.system.recall(
        hopfield.flipped(patterns[2], share=0.1, seed=1), seed=back.provenance.seed
    )
    np.testing.assert_array_equal(again.energy, run.energy)


@pytest.mark.parametrize("rule", [hopfield.Hebb(), hopfield.Storkey()], ids=repr)
def test_a_network_travels_to_another_process(rule):
    patterns = hopfield.random_patterns(size=70, count=5, seed=1)
    network = hopfield.Network(patterns, rule, threshold=0.1)
    back = pickle.loads(pickle.dumps(network))
    start = hopfield.flipped(patterns[0], share=0.2, seed=1)
    here, there = network.recall(start, seed=1), back.recall(start, seed=1)
    np.testing.assert_array_equal(here.energy, there.energy)


def test_stopped_recall_returns_what_it_has():
    patterns = hopfield.random_patterns(size=2000, count=500, seed=1)
    with dl.stop_after(0.0):
        run = hopfield.Network(patterns).recall(patterns[0], sweeps=1000, seed=1)
    assert run.status is dl.Status.STOPPED
    assert len(run.energy) == len(run.overlaps) == len(run.flips)


def test_a_network_without_patterns_has_no_nearest():
    run = hopfield.Network.from_weights(PAIR).recall([1, -1], seed=1)
    assert run.nearest is None
    assert run.overlap == 0.0
    assert run.is_fixed_point
    assert run.energy[-1] == -1


def test_pictures_have_labels():
    patterns = hopfield.random_patterns(size=100, count=15, seed=1)
    for count in (1, 5, 15):
        network = hopfield.Network(np.asarray(patterns)[:count])
        run = network.recall(hopfield.flipped(patterns[0], share=0.2, seed=1), seed=2)
        ax = run.plot()
        assert ax.get_ylabel() == "overlap $m$"
        assert run.plot_energy().get_xlabel() == "sweep"
    along = hopfield.energy_along(dl.integrate(zoo.hopfield_rates.on(PAIR), duration=5))
    assert along.plot().get_xlabel() == "time $t$"
    assert "largest rise" in repr(along)
    assert set(along.to_table()) == {"t", "energy"}
