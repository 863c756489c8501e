"""Hopfield networks: packed and dense agree bit for bit, energies fall, and nothing depends on names of spins."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynlab as dl
from dynlab import hopfield, zoo
from dynlab.kernels import spins as kernels

SEEDS = st.integers(0, 2**32)


@st.composite
def memories(draw, largest=150):
    """Patterns and a start; the number of patterns crosses the words of 64 bits."""
    size = draw(st.integers(2, largest))
    count = draw(st.integers(1, size))
    random = np.random.default_rng(draw(SEEDS))
    return random.choice([-1, 1], (count, size)), random.choice([-1, 1], size)


def hebb(patterns, share=0.0):
    """Hebb's weights times N: whole numbers, so that fields are exact and ties are ties."""
    products = (patterns.T @ patterns).astype(float)
    np.fill_diagonal(products, share * np.diag(products))
    return products


@given(memories())
def test_packing_loses_nothing(memory):
    patterns, start = memory
    packed = hopfield.Patterns.of(patterns)
    np.testing.assert_array_equal(np.asarray(packed), patterns)
    np.testing.assert_array_equal(list(packed), patterns)
    np.testing.assert_array_equal(packed.overlaps(start), patterns @ start / len(start))
    np.testing.assert_array_equal(packed.row_sums, patterns.sum(axis=0))


@given(
    memories(), SEEDS, st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0, 0.25]),
    st.sampled_from([hopfield.Asynchronous(), hopfield.Synchronous()]),
)  # fmt: skip
def test_packed_and_dense_agree_bit_for_bit(memory, seed, share, threshold, method):
    patterns, start = memory
    size = len(start)
    packed = hopfield.Network(patterns, hopfield.Hebb(share), threshold)
    dense = hopfield.Network.from_weights(hebb(patterns, share), threshold=threshold * size)
    one = packed.recall(start, method=method, seed=seed)
    two = dense.recall(start, method=method, seed=seed)
    np.testing.assert_array_equal(one.final, two.final)
    np.testing.assert_array_equal(one.flips, two.flips)
    assert one.status == two.status
    # Sums of at most 150^3 / 2 times 4 roundings.
    np.testing.assert_allclose(one.energy * size, two.energy, rtol=1e-14, atol=1e-10)


@given(SEEDS, st.floats(0.05, 4))
@settings(max_examples=10)
def test_packed_and_dense_agree_at_a_temperature(seed, temperature):
    """With a power of two as size, dividing by it does not round."""
    random = np.random.default_rng(seed)
    patterns, start = random.choice([-1, 1], (70, 128)), random.choice([-1, 1], 128)
    packed = hopfield.Network(patterns)
    dense = hopfield.Network.from_weights(hebb(patterns) / 128)
    for method in (hopfield.Glauber(temperature), hopfield.Synchronous(temperature)):
        one = packed.recall(start, method=method, sweeps=5, seed=seed)
        two = dense.recall(start, method=method, sweeps=5, seed=seed)
        np.testing.assert_array_equal(one.final, two.final)
        np.testing.assert_array_equal(one.flips, two.flips)


@given(memories(largest=70), st.floats(-0.9, 0.9), st.floats(0, 1))
def test_fields_of_the_covariance_rule_are_those_of_its_matrix(memory, activity, share):
    patterns, start = memory
    network = hopfield.Network(patterns, hopfield.Covariance(activity, share))
    off = patterns - activity
    weights = off.T @ off / (len(start) * (1 - activity**2))
    np.fill_diagonal(weights, share * np.diag(weights))
    np.testing.assert_allclose(network.weights, weights, atol=1e-12)
    # At most 70 x 70 terms of size below 4 / 0.19, in doubles.
    np.testing.assert_allclose(network.fields(start), weights @ start, atol=1e-9)
    wanted = -start @ weights @ start / 2
    assert hopfield.energy(network, start) == pytest.approx(wanted, abs=1e-8)
    before = np.roll(start, 1)
    wanted = -start @ weights @ before
    assert hopfield.two_step_energy(network, start, previous=before) == pytest.approx(
        wanted, abs=1e-8
    )


@given(memories(), SEEDS, st.floats(0, 1), st.floats(-1, 1))
def test_energy_falls_with_every_sweep_that_turns_a_spin(memory, seed, share, threshold):
    patterns, start = memory
    network = hopfield.Network(patterns, hopfield.Hebb(share), threshold)
    run = network.recall(start, seed=seed)
    assert run.is_fixed_point
    assert network.is_fixed_point(run.final)
    # A turn of field h lowers the energy by 2 |h|; a field above rounding is at least that.
    assert (np.diff(run.energy) <= 1e-12 * (1 + abs(run.energy[1:]))).all()
    assert run.energy[0] == pytest.approx(hopfield.energy(network, start), abs=1e-9)
    assert run.energy[-1] == pytest.approx(hopfield.energy(network, run.final), abs=1e-9)


@given(memories(), st.floats(0, 1))
def test_synchronous_recall_has_period_one_or_two(memory, share):
    """A negative weight of a spin to itself would not change that."""
    patterns, start = memory
    network = hopfield.Network(patterns, hopfield.Hebb(share))
    run = network.recall(start, method=hopfield.Synchronous(), sweeps=500)
    assert run.status in (dl.Status.OK, dl.Status.CYCLE_OF_TWO)
    assert (np.diff(run.energy) <= 1e-12 * abs(run.energy[1:])).all()
    once = network.recall(run.final, method=hopfield.Synchronous(), sweeps=1).final
    twice = network.recall(once, method=hopfield.Synchronous(), sweeps=1).final
    np.testing.assert_array_equal(twice, run.final)
    assert np.array_equal(once, run.final) == run.is_fixed_point


RULES = [hopfield.Hebb(), hopfield.PseudoInverse(), hopfield.Storkey()]


@pytest.mark.parametrize("rule", RULES, ids=repr)
@given(SEEDS)
@settings(max_examples=10)
def test_turning_a_spin_everywhere_changes_nothing(rule, seed):
    """Gauge invariance: the same run, with those spins turned.  Signs are exact, so the run is too."""
    random = np.random.default_rng(seed)
    patterns, start = random.choice([-1, 1], (7, 60)), random.choice([-1, 1], 60)
    gauge = random.choice([-1, 1], 60)
    here = hopfield.Network(patterns, rule).recall(start, seed=seed)
    there = hopfield.Network(patterns * gauge, rule).recall(start * gauge, seed=seed)
    np.testing.assert_array_equal(there.final, here.final * gauge)
    np.testing.assert_allclose(there.energy, here.energy, rtol=1e-12)
    np.testing.assert_array_equal(there.overlaps, here.overlaps)


@given(memories(), SEEDS)
def test_the_order_of_patterns_changes_nothing(memory, seed):
    patterns, start = memory
    order = np.random.default_rng(seed).permutation(len(patterns))
    here = hopfield.Network(patterns).recall(start, seed=seed)
    there = hopfield.Network(patterns[order]).recall(start, seed=seed)
    np.testing.assert_array_equal(there.final, here.final)
    np.testing.assert_array_equal(there.overlaps, here.overlaps[:, order])
    np.testing.assert_array_equal(there.energy, here.energy)


@given(memories(), SEEDS)
def test_minus_a_state_is_as_good_as_the_state(memory, seed):
    patterns, start = memory
    here = hopfield.Network(patterns).recall(start, seed=seed)
    there = hopfield.Network(patterns).recall(-start, seed=seed)
    np.testing.assert_array_equal(there.final, -here.final)


@given(SEEDS, st.sampled_from([0.0, 0.3, 1.0]))
@settings(max_examples=10)
def test_patterns_of_the_projection_are_fixed_points(seed, diagonal):
    patterns = hopfield.random_patterns(size=60, count=35, seed=seed)
    network = hopfield.Network(patterns, hopfield.PseudoInverse(diagonal))
    states = np.asarray(patterns, float)
    whole = hopfield.PseudoInverse(1.0).weights(patterns)
    np.testing.assert_allclose(whole @ states.T, states.T, atol=1e-12)
    np.testing.assert_allclose(whole @ whole, whole, atol=1e-12)
    for pattern in list(patterns)[:10]:
        run = network.recall(pattern, seed=seed)
        assert run.flips.sum() == 0
        assert run.is_fixed_point


def test_storkey_is_the_rule_as_printed():
    """Weight by weight, with the sums written out (Storkey and Valabregue 1999, eqs 2 and 3)."""
    patterns = np.random.default_rng(4).choice([-1, 1], (4, 7))
    size, weights = 7, np.zeros((7, 7))
    for x in patterns:
        old = weights.copy()
        h = np.array([
            [sum(old[i, k] * x[k] for k in range(size) if k not in (i, j)) for j in range(size)]
            for i in range(size)
        ])  # fmt: skip
        for i in range(size):
            for j in range(size):
                if i != j:
                    weights[i, j] += (x[i] * x[j] - x[i] * h[j, i] - h[i, j] * x[j]) / size
    found = hopfield.Storkey().weights(hopfield.Patterns.of(patterns))
    np.testing.assert_allclose(found, weights, atol=1e-14)


@pytest.mark.parametrize(("load", "printed"), [(0.104717, 0.001), (0.138458, 0.0036)])
def test_error_of_one_step(load, printed):
    """P = erfc(sqrt(1 / (2 alpha))) / 2 (Hertz, Krogh and Palmer 1991, table 2.1), counted over all bits."""
    size = 2000
    count = round(load * size)
    network = hopfield.Network(hopfield.random_patterns(size=size, count=count, seed=5))
    wrong = sum(int((p * network.fields(p) < 0).sum()) for p in network.patterns)
    assert math.erfc(math.sqrt(1 / (2 * load))) / 2 == pytest.approx(printed, rel=1e-2)
    # A pattern is disturbed by all others.
    chance = math.erfc(math.sqrt(size / (2 * (count - 1)))) / 2
    bits = size * count
    # Four standard deviations; the field moves in steps of 2 / N, which shifts P by less than phi(1/s) / N.
    assert abs(wrong - bits * chance) < 4 * math.sqrt(bits * chance) + bits / size * 0.5


@pytest.mark.parametrize(("load", "low", "high"), [(0.10, 0.995, 1.001), (0.18, 0.5, 0.7)])
def test_recall_below_and_above_the_capacity(load, low, high):
    """From stored patterns, N = 1000: 0.998 +- 0.003 in theory (Amit et al. 1987) at 0.10; lost at 0.18."""
    patterns = hopfield.random_patterns(size=1000, count=round(1000 * load), seed=11)
    network = hopfield.Network(patterns)
    runs = [network.recall(patterns[k], seed=k) for k in range(40)]
    assert all(run.is_fixed_point for run in runs)
    final = np.mean([run.overlaps[-1, k] for k, run in enumerate(runs)])
    assert low < final < high


def test_a_temperature_gives_boltzmann_weights():
    """Mean energy over a long run against the sum over all 64 states; error from batches."""
    random = np.random.default_rng(8)
    weights = random.normal(size=(6, 6))
    weights += weights.T
    np.fill_diagonal(weights, 0)
    network = hopfield.Network.from_weights(weights, threshold=0.2)
    run = network.recall([1] * 6, method=hopfield.Glauber(2.0), sweeps=20_000, seed=1)
    states = 1 - 2 * ((np.arange(64)[:, None] >> np.arange(6)) & 1)
    energies = -np.einsum("ti,ij,tj->t", states, weights, states) / 2 + 0.2 * states.sum(axis=1)
    chances = np.exp(-energies / 2.0)
    exact = energies @ chances / chances.sum()
    batches = run.energy[1:].reshape(40, 500).mean(axis=1)
    assert abs(batches.mean() - exact) < 4 * batches.std() / math.sqrt(40)


def test_random_numbers_are_those_of_xoshiro():
    """First numbers from the state 1, 2, 3, 4: the reference implementation of Blackman and Vigna."""
    state = np.array([1, 2, 3, 4], np.uint64)
    first = [41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205]
    assert [kernels.next_word(state) for _ in first] == first


@given(st.integers(1, 200), SEEDS)
def test_a_shuffle_keeps_everything(size, seed):
    order = np.arange(size)
    kernels.shuffle(order, np.random.default_rng(seed).integers(1, 2**63, 4).astype(np.uint64))
    np.testing.assert_array_equal(np.sort(order), np.arange(size))


def symmetric(random, size):
    weights = random.normal(size=(size, size))
    return weights + weights.T


def graded(weights, beta, rate):
    system = (zoo.hopfield_rates if rate else zoo.hopfield_inputs).on(weights)
    return system(beta=beta)


@given(SEEDS, st.integers(2, 8), st.floats(0.1, 10), st.booleans())
@settings(max_examples=25)
def test_the_energy_of_a_flow_never_rises(seed, size, beta, rate):
    """Any symmetric matrix, any diagonal; 1e-8 (1 + |E|) at a relative tolerance of 1e-10."""
    random = np.random.default_rng(seed)
    system = graded(symmetric(random, size), beta, rate)
    if not rate:
        system = system(I=random.normal(size=size))
    start = {system.declared[0]: random.uniform(-1, 1, size)}
    method = dl.Explicit8(rtol=1e-10, atol=1e-12)
    run = dl.integrate(system, start=start, duration=10, method=method)
    along = hopfield.energy_along(run)
    assert along.largest_rise <= 1e-8 * (1 + abs(along.energy).max())
    first, last = run.values[0], run.values[-1]
    name = system.declared[0]
    assert along.energy[0] == pytest.approx(hopfield.energy(system, {name: first}), rel=1e-12)
    assert along.energy[-1] == pytest.approx(hopfield.energy(system, {name: last}), rel=1e-12)


def test_the_energy_of_spins_rises_along_the_flow_of_rates():
    """The counterexample: two units that excite each other, started near the corner."""
    weights = np.array([[0.0, 1.0], [1.0, 0.0]])
    system = graded(weights, 1.5, rate=True)
    run = dl.integrate(system, start={"s": [0.999, 0.999]}, duration=40)
    rate = 0.8585596366
    np.testing.assert_allclose(run["s"][-1], rate, atol=1e-8)
    of_spins = -np.einsum("ti,ij,tj->t", run["s"], weights, run["s"]) / 2
    assert of_spins[0] == pytest.approx(-0.998001, abs=1e-12)
    assert of_spins[-1] == pytest.approx(-(rate**2), abs=1e-8)
    assert of_spins[-1] > of_spins[0] + 0.25
    assert hopfield.energy_along(run).largest_rise < 1e-10


def test_both_forms_have_one_energy():
    """With s = tanh(beta u) the energy of inputs is that of rates, and so are its equilibria: u = W s."""
    random = np.random.default_rng(3)
    weights = symmetric(random, 5)
    rates, inputs = graded(weights, 1.3, rate=True), graded(weights, 1.3, rate=False)
    u = random.normal(size=5)
    of_inputs = hopfield.energy(inputs, {"u": u})
    assert of_inputs == pytest.approx(hopfield.energy(rates, {"s": np.tanh(1.3 * u)}), rel=1e-12)
    near = dl.integrate(rates, start={"s": np.tanh(u)}, duration=200).final["s"]
    rest = dl.integrate(inputs, start={"u": weights @ np.array(near)}, duration=1)
    np.testing.assert_allclose(rest["u"][-1], weights @ np.array(near), atol=1e-7)


@pytest.mark.parametrize("corner", [[1, 1, 1], [1, -1, 0.5]])
def test_the_energy_is_finite_at_the_end_values(corner):
    beta, weights = 0.7, np.array([[0.0, 1, 2], [1, 0, 3], [2, 3, 0]])
    s = np.array(corner, float)
    inner = sum(0.5 * x * math.log(3) if abs(x) < 1 else math.log(2) for x in s)
    inner += sum(0.5 * math.log(1 - x * x) for x in s if abs(x) < 1)
    wanted = -s @ weights @ s / 2 + inner / beta
    found = hopfield.energy(graded(weights, beta, rate=True), {"s": s})
    assert found == pytest.approx(wanted, rel=1e-14)
