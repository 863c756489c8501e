"""Random starts end in patterns, in mixtures of them, and in states that resemble none."""

import numpy as np
import pytest

import dynlab as dl
from dynlab import hopfield


def test_three_patterns_have_four_mixtures():
    """sign(x1 +- x2 +- x3): four up to sign, with overlaps near 1/2 and energy near -3/8 (Amit et al. 1985)."""
    patterns = hopfield.random_patterns(size=2000, count=3, seed=1)
    found = hopfield.spurious_states(hopfield.Network(patterns), trials=120, seed=2)
    assert sorted(found.mixed) == [1, 1, 1, 3, 3, 3, 3]
    assert found.kinds[0] == "pattern"
    mixed = found.mixed == 3
    # Patterns overlap by 1 / sqrt(2000) = 0.022; five times that.
    np.testing.assert_allclose(found.overlaps[mixed], 0.5, atol=0.11)
    np.testing.assert_allclose(found.energies[mixed] / 2000, -0.375, atol=0.11)
    np.testing.assert_allclose(found.energies[~mixed] / 2000, -0.5, atol=0.01)
    states = np.asarray(patterns, int)
    combined = [
        np.sign(states[0] + a * states[1] + b * states[2]) for a in (1, -1) for b in (1, -1)
    ]
    agreement = abs(np.array(combined) @ found.states[mixed].T) / 2000
    assert (agreement.max(axis=1) > 0.95).all()
    assert found.hits.sum() == 120
    assert found.shares()["pattern"] + found.shares()["mixture of 3"] == pytest.approx(1)


@pytest.mark.parametrize("rule", [hopfield.Hebb(), hopfield.Storkey()], ids=repr)
def test_every_state_is_at_rest_and_there_once(rule):
    network = hopfield.Network(hopfield.random_patterns(size=150, count=12, seed=1), rule)
    found = hopfield.spurious_states(network, trials=100, seed=3)
    assert all(network.is_fixed_point(state) for state in found.states)
    both = np.vstack([found.states, -found.states])
    assert len(np.unique(both, axis=0)) == 2 * len(found)
    energies = [hopfield.energy(network, state) for state in found.states]
    np.testing.assert_allclose(found.energies, energies, rtol=1e-12)
    assert (np.diff(found.energies) >= 0).all()
    assert found.unrested == 0


def test_the_result_does_not_depend_on_the_number_of_threads(tmp_path):
    network = hopfield.Network(hopfield.random_patterns(size=200, count=20, seed=1))
    many = hopfield.spurious_states(network, trials=60, seed=4)
    with dl.threads(1):
        one = hopfield.spurious_states(network, trials=60, seed=4)
    np.testing.assert_array_equal(one.states, many.states)
    np.testing.assert_array_equal(one.hits, many.hits)
    assert "random starts came to rest" in repr(many)
    back = dl.load(many.save(tmp_path / "found"))
    np.testing.assert_array_equal(back.states, many.states)
    assert many.plot().get_xlabel() == "largest overlap with a pattern"
    assert {len(column) for column in many.to_table().values()} == {len(many)}


def test_a_high_load_is_glassy():
    network = hopfield.Network(hopfield.random_patterns(size=300, count=60, seed=1))
    assert hopfield.spurious_states(network, trials=50, seed=1).shares()["glassy"] > 0.95


def test_stopped_early_it_returns_what_it_has():
    network = hopfield.Network(hopfield.random_patterns(size=300, count=60, seed=1))
    with dl.stop_after(0.0):
        found = hopfield.spurious_states(network, trials=50, seed=1)
    assert found.status is dl.Status.STOPPED
    assert len(found) == 0
    assert found.plot().get_ylabel()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: hopfield.Power(1), "the power n is 1; give a whole number from 2"),
        (lambda: hopfield.Power(2.5), "the power n is 2.5"),
        (lambda: hopfield.DenseNetwork([[1, 0]], hopfield.Power(3)), "pattern 0, spin 1 is 0"),
        (lambda: hopfield.SoftmaxMemory([[1.0]], 0), "beta is 0; give a positive"),
        (lambda: hopfield.SoftmaxMemory([[np.nan]], 1), "pattern 0, entry 0 is nan"),
        (lambda: hopfield.SoftmaxMemory([], 1), "a row for each pattern"),
        (lambda: hopfield.SoftmaxMemory([[1.0]], 1).update([1, 2]), "give 1 finite numbers"),
        (lambda: hopfield.SoftmaxMemory([[1.0]], 1).energy("a"), "give 1 finite numbers"),
        (
            lambda: hopfield.SoftmaxMemory([[1e200]], 1),
            r"patterns hold 1e\+200.*entries below 1e\+150",
        ),
        (lambda: hopfield.SoftmaxMemory([[1.0]], 1).recall([-1e160]), r"of a state hold 1e\+160"),
        (lambda: hopfield.DenseNetwork([[1, -1]], "exp"), "the interaction is 'exp'; give one"),
        (lambda: hopfield.Power(3).capacity(1), "size is 1; the formula is for many spins"),
        (lambda: hopfield.Power(3).one_step_error(10, 0), "count is 0"),
        (lambda: hopfield.Power(200).capacity(10**5), r"about 10\^563 patterns.*double precision"),
        (lambda: hopfield.Exponential().capacity(10**5), r"about 10\^15051 patterns"),
        (lambda: hopfield.wrong_bits(hopfield.Exponential(), size=9, counts=[3]), "give a power"),
        (lambda: hopfield.wrong_bits(hopfield.Power(3), size=1, counts=[3]), "size is 1"),
    ],
)
def test_steep_memories_refuse_what_cannot_be(make, says):
    with pytest.raises(dl.SettingError, match=says):
        make()


def test_steep_memories_come_back_from_a_file(tmp_path):
    patterns = hopfield.random_patterns(size=40, count=50, seed=1)
    memory = hopfield.DenseNetwork(patterns, hopfield.Power(4))
    back = dl.load(memory.recall(patterns[3], seed=1).save(tmp_path / "dense"))
    assert back.provenance.system.interaction == hopfield.Power(4)
    soft = hopfield.SoftmaxMemory(np.asarray(patterns, float), 1.0).recall(patterns[0])
    again = dl.load(soft.save(tmp_path / "soft"))
    np.testing.assert_array_equal(again.states, soft.states)
    assert "softmax recall: ok" in repr(again)
    assert again.plot().get_xlabel() == "step"
    assert len(soft.to_table()) == 52
