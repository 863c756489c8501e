"""Which function falls under which dynamics of a symmetric network, which does not, and how fast.

Rows of the table at the head of `dynlab.hopfield.energies`, with the two printed elsewhere that hold only at times:
E_0 = -s'Ws/2 and E_q = s'Ws/2 - sum ln cosh(beta W s) / beta under the flow of rates.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynlab as dl
from dynlab import hopfield, zoo

SEEDS = st.integers(0, 2**32)
METHOD = dl.Explicit8(rtol=1e-10, atol=1e-12)


def symmetric(random, size):
    weights = random.normal(size=(size, size))
    return weights + weights.T


def of_spins(weights, s):
    return -np.einsum("...i,ij,...j->...", s, weights, s) / 2


def of_squares(weights, beta, s):
    """E_q; ln cosh x = |x| + ln(1 + exp(-2 |x|)) - ln 2, which does not overflow."""
    x = abs(beta * (s @ weights))
    return -of_spins(weights, s) - (x + np.log1p(np.exp(-2 * x)) - math.log(2)).sum(axis=-1) / beta


def largest_rise(energy):
    return (energy - np.minimum.accumulate(energy)).max()


def flow_of_rates(weights, beta, s):
    return -s + np.tanh(beta * (s @ weights))


def slope(energy, s, direction, step=1e-5):
    """A central difference: errors of step^2 and of rounding / step, both below 1e-9 of energies of a few units."""
    return (energy(s + step * direction) - energy(s - step * direction)) / (2 * step)


@given(SEEDS, st.integers(1, 8), st.floats(0.1, 5))
@settings(max_examples=40)
def test_rates_of_change_are_those_of_the_theory(seed, size, beta):
    """dE/dt = -sum (u - v)(tanh(beta u) - tanh(beta v)) with u = W s, s = tanh(beta v); -sum phi'(u) u'^2; -s'' W s'."""
    random = np.random.default_rng(seed)
    weights = symmetric(random, size)
    v = random.uniform(-1, 1, size) / beta
    s, u = np.tanh(beta * v), weights @ np.tanh(beta * v)
    moving = flow_of_rates(weights, beta, s)
    rates = zoo.hopfield_rates.on(weights)(beta=beta)
    found = slope(lambda x: hopfield.energy(rates, {"s": x}), s, moving)
    wanted = -np.sum((u - v) * (np.tanh(beta * u) - np.tanh(beta * v)))
    assert wanted <= 0
    assert found == pytest.approx(wanted, abs=1e-6 * (1 + abs(wanted)))
    inputs = zoo.hopfield_inputs.on(weights)(beta=beta)
    moving = -v + weights @ np.tanh(beta * v)
    found = slope(lambda x: hopfield.energy(inputs, {"u": x}), v, moving)
    wanted = -np.sum(beta / np.cosh(beta * v) ** 2 * moving**2)
    assert found == pytest.approx(wanted, abs=1e-6 * (1 + abs(wanted)))
    moving = flow_of_rates(weights, beta, s)
    found = slope(lambda x: of_squares(weights, beta, x), s, moving)
    wanted = -moving @ weights @ moving
    assert found == pytest.approx(wanted, abs=1e-6 * (1 + abs(wanted)))


def descents(weights, beta, random):
    system = zoo.hopfield_rates.on(weights)(beta=beta)
    start = {"s": random.uniform(-1, 1, len(weights))}
    s = dl.integrate(system, start=start, duration=12, method=METHOD)["s"]
    return largest_rise(of_squares(weights, beta, s)), largest_rise(of_spins(weights, s))


@given(SEEDS, st.integers(2, 8), st.integers(1, 4), st.floats(0.2, 5))
@settings(max_examples=15)
def test_the_energy_of_squares_falls_with_hebbs_diagonal(seed, size, count, beta):
    """Hebb's weights with their diagonal are positive semidefinite."""
    random = np.random.default_rng(seed)
    patterns = random.choice([-1, 1], (count, size))
    weights = hopfield.Hebb(diagonal=1.0).weights(hopfield.Patterns.of(patterns))
    assert descents(weights, beta, random)[0] <= 1e-8


def test_the_energies_of_squares_and_of_spins_rise_without_a_diagonal():
    """Six units, no diagonal, beta = 2: E_q rises in most runs, E_0 in some; the energy of the flow in none."""
    squares = spins = 0
    for seed in range(120, 180):
        random = np.random.default_rng(seed)
        weights = symmetric(random, 6)
        np.fill_diagonal(weights, 0)
        of_q, of_0 = descents(weights, 2.0, random)
        squares, spins = squares + (of_q > 1e-6), spins + (of_0 > 1e-6)
    # Of 200 such runs 150 and 11 did so.
    assert squares > 30
    assert 0 < spins < squares


@given(SEEDS, st.integers(2, 6))
@settings(max_examples=15)
def test_below_the_onset_the_energy_of_spins_rises_to_zero(seed, size):
    """For beta lambda_max < 1 all rates vanish, so that E_0 ends at zero wherever it was below."""
    random = np.random.default_rng(seed)
    weights = symmetric(random, size)
    vectors = np.linalg.eigh(weights)
    top = vectors.eigenvalues[-1]
    start = 0.9 * vectors.eigenvectors[:, -1]
    if top < 0.1:
        return
    system = zoo.hopfield_rates.on(weights)(beta=0.5 / max(top, -vectors.eigenvalues[0]))
    s = dl.integrate(system, start={"s": start}, duration=60, method=METHOD)["s"]
    energy = of_spins(weights, s)
    assert energy[0] < -0.03
    assert abs(energy[-1]) < 1e-9


@st.composite
def networks(draw, diagonal):
    """Symmetric weights with a diagonal of one kind, a threshold, and a start."""
    random = np.random.default_rng(draw(SEEDS))
    size = draw(st.integers(1, 30))
    weights = symmetric(random, size)
    np.fill_diagonal(weights, diagonal(random, size))
    network = hopfield.Network.from_weights(weights, threshold=draw(st.floats(-1, 1)))
    return network, random.choice([-1, 1], size), draw(SEEDS)


@given(networks(lambda random, size: random.uniform(0, 2, size)))
def test_one_spin_after_the_other_descends_for_any_symmetric_weights(case):
    network, start, seed = case
    run = network.recall(start, seed=seed)
    assert run.is_fixed_point
    assert (np.diff(run.energy) <= 1e-12 * (1 + abs(run.energy[1:]))).all()
    assert run.energy[-1] == pytest.approx(hopfield.energy(network, run.final), abs=1e-10)


@given(networks(lambda random, size: random.uniform(-2, 2, size)))
def test_all_at_once_descends_in_two_steps_for_any_symmetric_weights(case):
    """The diagonal may be negative too; the run ends in a fixed point or in a cycle of two."""
    network, start, seed = case
    run = network.recall(start, method=hopfield.Synchronous(), sweeps=500, seed=seed)
    assert run.status in (dl.Status.OK, dl.Status.CYCLE_OF_TWO)
    assert (np.diff(run.energy) <= 1e-12 * (1 + abs(run.energy[1:]))).all()


def test_all_at_once_the_energy_of_single_turns_rises():
    """Two spins that inhibit each other turn together, which raises E_0; two that excite each other change places."""
    weights = np.array([[0.0, -1.0, 0.4], [-1.0, 0.0, 0.4], [0.4, 0.4, 0.0]])
    network = hopfield.Network.from_weights(weights)
    before, steps = np.array([1, 1, 1]), []
    for _ in range(3):
        after = network.recall(before, method=hopfield.Synchronous(), sweeps=1).final
        steps.append(hopfield.energy(network, after) - hopfield.energy(network, before))
        before = after
    assert max(steps) > 0.5
    pair = hopfield.Network.from_weights([[0, 1], [1, 0]])
    run = pair.recall([1, -1], method=hopfield.Synchronous(), sweeps=20)
    assert run.status is dl.Status.CYCLE_OF_TWO
    assert run.energy[-1] == -2


@given(SEEDS, st.integers(1, 9), st.integers(1, 9), st.floats(0.05, 20))
@settings(max_examples=30)
def test_the_energy_of_a_softmax_memory_is_as_printed_query_by_query(seed, count, size, beta):
    """E = -ln(sum exp(beta x'xi)) / beta + xi'xi / 2 + ln(N) / beta + M^2 / 2, for each of several queries alone."""
    random = np.random.default_rng(seed)
    patterns, queries = random.normal(size=(count, size)), random.normal(size=(4, size))
    memory = hopfield.SoftmaxMemory(patterns, beta)
    wanted = [
        -math.log(math.fsum(math.exp(beta * float(x @ q)) for x in patterns)) / beta
        + float(q @ q) / 2 + math.log(count) / beta + max(float(x @ x) for x in patterns) / 2
        for q in queries
    ]  # fmt: skip
    np.testing.assert_allclose(memory.energy(queries), wanted, rtol=1e-10, atol=1e-12 / beta)
    np.testing.assert_allclose(
        [memory.energy(q) for q in queries], wanted, rtol=1e-10, atol=1e-12 / beta
    )
