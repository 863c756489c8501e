"""Dense memories and softmax memories: energies fall, bounds hold, and the capacity is that of the papers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynlab as dl
from dynlab import hopfield, zoo

SEEDS = st.integers(0, 2**32)
INTERACTIONS = [hopfield.Power(2), hopfield.Power(3), hopfield.Power(4), hopfield.Exponential()]


@pytest.mark.parametrize("interaction", INTERACTIONS, ids=repr)
@given(SEEDS, st.integers(2, 30), st.integers(1, 40))
@settings(max_examples=15)
def test_no_single_turn_lowers_the_energy_where_recall_rests(interaction, seed, size, count):
    random = np.random.default_rng(seed)
    patterns, start = random.choice([-1, 1], (count, size)), random.choice([-1, 1], size)
    memory = hopfield.DenseNetwork(patterns, interaction)
    run = memory.recall(start, seed=seed)
    assert run.is_fixed_point
    # Sums of at most 40 terms, and their logarithm.
    rounding = 1e-13 * (1 + abs(run.energy).max())
    assert (np.diff(run.energy) <= rounding).all()
    assert memory.is_fixed_point(run.final)
    for i in range(size):
        other = run.final.copy()
        other[i] *= -1
        assert memory.energy(other) >= run.energy[-1] - rounding


def test_energies_are_those_printed():
    patterns, state = np.array([[1, 1, 1, -1], [1, -1, 1, 1]]), np.array([1, 1, 1, 1])
    cubic = hopfield.DenseNetwork(patterns, hopfield.Power(3))
    assert cubic.energy(state) == -4 * (0.5**3 + 0.5**3)
    steep = hopfield.DenseNetwork(patterns, hopfield.Exponential())
    assert steep.energy(state) == pytest.approx(-math.log(2 * math.exp(2)), rel=1e-15)


@given(SEEDS)
@settings(max_examples=10)
def test_the_square_is_hopfields_network(seed):
    """Spin by spin: with 64 spins no quotient rounds, and both ask in the same order."""
    random = np.random.default_rng(seed)
    patterns, start = random.choice([-1, 1], (30, 64)), random.choice([-1, 1], 64)
    dense = hopfield.DenseNetwork(patterns, hopfield.Power(2)).recall(start, seed=seed)
    plain = hopfield.Network(patterns).recall(start, seed=seed)
    np.testing.assert_array_equal(dense.final, plain.final)
    np.testing.assert_array_equal(dense.flips, plain.flips)


@pytest.mark.parametrize(
    ("n", "size", "capacity"), [(2, 1000, 72.382), (4, 1000, 4.8255e6), (3, 200, 1258.26)]
)
def test_capacity_is_that_of_the_paper(n, size, capacity):
    """N^(n-1) / (2 (2n-3)!! ln N), Krotov and Hopfield 2016, eq 6, in numbers."""
    assert hopfield.Power(n).capacity(size) == pytest.approx(capacity, rel=2e-5)


@pytest.mark.parametrize(("n", "size", "count"), [(2, 1000, 150), (3, 150, 1200), (4, 60, 1500)])
def test_share_of_wrong_bits(n, size, count):
    """The formula holds for large N; its corrections are of the order of n^2 / N, here below 20 %."""
    memory = hopfield.DenseNetwork(
        hopfield.random_patterns(size=size, count=count, seed=3), hopfield.Power(n)
    )
    expected = hopfield.Power(n).one_step_error(size, count)
    spread = 4 * math.sqrt(expected / (size * count))
    assert memory.share_of_wrong_bits() == pytest.approx(expected, abs=spread + 0.2 * expected)


def test_the_curve_of_wrong_bits_rises_as_the_formula_does(tmp_path):
    """Four errors of the mean and the corrections of order n^2 / N; more patterns, more errors."""
    curve = hopfield.wrong_bits(hopfield.Power(3), size=100, counts=[400, 800, 1600], seed=2)
    allowed = 4 * curve.standard_errors + 0.25 * curve.theory
    assert (abs(curve.shares - curve.theory) < allowed).all()
    assert (np.diff(curve.shares) > 0).all()
    assert curve.capacity == hopfield.Power(3).capacity(100)
    back = dl.load(curve.save(tmp_path / "curve"))
    np.testing.assert_array_equal(back.shares, curve.shares)
    again = hopfield.wrong_bits(hopfield.Power(3), size=100, counts=[400, 1600], seed=2)
    assert again.shares[0] == curve.shares[0]
    assert curve.plot().get_ylabel() == "share of wrong bits"
    assert "capacity" in repr(curve)
    assert {len(column) for column in curve.to_table().values()} == {3}
    with pytest.raises(dl.SettingError, match="no counts"):
        hopfield.wrong_bits(hopfield.Power(3), size=100, counts=[])
    with dl.stop_after(0.0):
        early = hopfield.wrong_bits(hopfield.Power(3), size=100, counts=[5])
    assert early.status is dl.Status.STOPPED


def test_an_exponential_memory_holds_hundreds_of_patterns_for_each_spin():
    """2^(0.24 N) patterns, below the bound 2^(N/2) of Demircigil et al. 2017."""
    patterns = hopfield.random_patterns(size=60, count=20_000, seed=1)
    memory = hopfield.DenseNetwork(patterns, hopfield.Exponential())
    assert memory.interaction.capacity(60) == 2.0**30
    for which in (0, 7_777, 19_999):
        run = memory.recall(hopfield.flipped(patterns[which], share=0.1, seed=2), seed=3)
        assert (run.nearest, run.overlap) == (which, 1.0)


def test_large_overlaps_stay_in_range():
    patterns = hopfield.random_patterns(size=3000, count=20, seed=1)
    memory = hopfield.DenseNetwork(patterns, hopfield.Exponential())
    run = memory.recall(hopfield.flipped(patterns[3], share=0.4, seed=2), seed=1)
    assert (run.nearest, run.overlap) == (3, 1.0)
    assert run.energy[-1] == pytest.approx(-3000, abs=1e-9)


@given(SEEDS, st.integers(1, 12), st.integers(1, 12), st.floats(0.01, 20))
def test_softmax_lowers_an_energy_between_its_bounds(seed, count, size, beta):
    """0 <= E <= 2 M^2 inside the ball of radius M (Ramsauer et al. 2021, theorem 1 and appendix A.1.3)."""
    random = np.random.default_rng(seed)
    memory = hopfield.SoftmaxMemory(random.normal(size=(count, size)), beta)
    top = memory.largest_norm
    start = random.normal(size=size)
    start *= top * random.uniform() / np.linalg.norm(start)
    run = memory.recall(start, steps=50)
    rounding = 1e-13 * (1 + top**2) * (1 + 1 / beta)
    assert (run.energy >= -rounding).all()
    assert (run.energy <= 2 * top**2 + rounding).all()
    assert (np.diff(run.energy) <= rounding).all()
    np.testing.assert_allclose(run.attention.sum(axis=1), 1, rtol=1e-12)


def test_the_flow_of_a_softmax_memory_descends_to_where_its_steps_end():
    random = np.random.default_rng(5)
    memory = hopfield.SoftmaxMemory(random.normal(size=(6, 9)), 1.5)
    start = random.normal(size=9)
    run = dl.integrate(memory.system, start={"x": start}, duration=40)
    energy = memory.energy(run["x"])
    assert (np.diff(energy) <= 1e-9).all()
    np.testing.assert_allclose(run["x"][-1], memory.recall(start).final, atol=1e-6)
    slow = dl.integrate(memory.system, start={"x": start}, duration=1e-6, at=[0, 1e-6])["x"]
    np.testing.assert_allclose((slow[1] - slow[0]) / 1e-6, memory.update(start) - start, atol=1e-5)


def test_a_pattern_and_its_negative_appear_at_the_onset():
    (fact,) = zoo.facts("softmax_memory")
    pattern = np.array([0.6, 0.8])
    memory = hopfield.SoftmaxMemory([pattern, -pattern], 1.0).system
    origin = dl.find_equilibria(memory(beta=0.5), within={"x": (-0.4, 0.4)}).single()
    branch = dl.continue_equilibrium(origin, vary="beta", over=(0.5, 1.5))
    (point,) = branch.points(dl.BranchPoint)
    assert point["beta"] == pytest.approx(fact.value, abs=1e-9)


def test_small_beta_ends_in_the_average_and_large_beta_in_a_pattern():
    patterns = np.random.default_rng(2).normal(size=(8, 30))
    low = hopfield.SoftmaxMemory(patterns, 1e-6).recall(patterns[1])
    np.testing.assert_allclose(low.final, patterns.mean(axis=0), atol=1e-4)
    high = hopfield.SoftmaxMemory(patterns, 50.0).recall(0.6 * patterns[1])
    np.testing.assert_allclose(high.final, patterns[1], atol=1e-12)
    assert high.nearest == 1
