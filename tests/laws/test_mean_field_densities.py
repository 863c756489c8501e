"""Infinitely many identical nodes with noise: consistent densities, their stability, and how they move.

[S] Strogatz and Mirollo 1991, J. Stat. Phys. 63, 613; [D] Desai and Zwanzig 1978, J. Stat. Phys. 19, 1.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq

import dynlab as dl


@dl.flow
def kuramoto(theta: dl.PerNode[dl.Angle], *, K=3.0):
    i, j = dl.nodes("i j")
    return {theta[i]: K * dl.Mean(dl.sin(theta[j] - theta[i]), j)}


@kuramoto.with_noise(dl.Ito)
def noisy(theta, *, D=1.0):
    i, _ = dl.nodes("i j")
    return {theta[i]: dl.sqrt(2 * D)}


@dl.flow
def herd(x: dl.PerNode, *, K=2.0):
    i, j = dl.nodes("i j")
    return {x[i]: x[i] - x[i] ** 3 + K * dl.Mean(x[j] - x[i], j)}


RING = dl.Grid(theta=(-np.pi, np.pi, 64)).with_walls(theta=dl.Periodic())
LINE = dl.Grid(x=(-3, 3, 128))


def order(states):
    return np.hypot(states.means["sin(theta)"], states.means["cos(theta)"])


@pytest.mark.parametrize(
    ("K", "r"), [(2.1, 0.303689343805638), (3.0, 0.724158717626353), (4.0, 0.831462024754257)]
)
def test_noisy_kuramoto(K, r):
    """r = I1(K r / D) / I0(K r / D) [S], to the digits of the reference; incoherence grows at K / 2 - D."""
    found = dl.mean_field_states(noisy(K=K), grid=RING)
    assert order(found) == pytest.approx([r, 0], rel=1e-11, abs=1e-12)
    assert list(found.is_stable) == [True, False]
    assert abs(found.growth[1] - (K / 2 - 1)) < found.growth_errors[1] < 1e-2


@pytest.mark.parametrize("K", [0.5, 1.9])
def test_below_twice_the_noise_there_is_no_order(K):
    found = dl.mean_field_states(noisy(K=K), grid=RING)
    assert len(found) == 1
    assert found.is_stable[0]
    assert found.growth[0] == pytest.approx(K / 2 - 1, abs=1e-5)


@settings(max_examples=3, deadline=None)
@given(ratio=st.floats(2.2, 6), D=st.floats(0.05, 20))
def test_only_coupling_over_noise_matters(ratio, D):
    one = dl.mean_field_states(noisy(K=ratio, D=1.0), grid=RING)
    other = dl.mean_field_states(noisy(K=ratio * D, D=D), grid=RING)
    assert order(other) == pytest.approx(order(one), abs=1e-10)
    assert other.growth / D == pytest.approx(one.growth, rel=1e-6)


def test_theory_of_synchrony_says_the_same():
    """The self-consistency of `mean_field_synchrony` by continued fractions, and its onset."""
    theory = dl.mean_field_synchrony(dl.Constant(0.0), couplings=[2.5, 5.0], noise=1.0)
    for K, r in zip(theory.couplings, theory.r, strict=True):
        assert order(dl.mean_field_states(noisy(K=float(K)), grid=RING))[0] == pytest.approx(
            r, rel=1e-9
        )
    growth = [dl.mean_field_states(noisy(K=K), grid=RING).growth[-1] for K in (1.9, 2.1)]
    onset = 1.9 - 0.2 * growth[0] / (growth[1] - growth[0])
    assert onset == pytest.approx(dl.synchrony_onset(dl.Constant(0.0), noise=1.0).value, abs=1e-4)


def test_a_spread_of_frequencies_and_noise_add():
    """K_c = 2 (gamma + D) [S]; nodes that differ have no single density, and the refusal names who knows them."""
    onset = dl.synchrony_onset(dl.Lorentzian(0.0, 0.5), noise=1.0)
    assert onset.value == pytest.approx(3.0, abs=1e-9)
    order = dl.mean_field_synchrony(dl.Lorentzian(0.0, 0.5), couplings=[2.9, 3.1], noise=1.0).r
    assert order[0] == pytest.approx(0, abs=1e-9)
    assert order[1] > 0.2
    spread = unlike.on(dl.AllToAll(3)).draw(w=dl.Quantiles(dl.Lorentzian(0, 1)))
    with pytest.raises(dl.UnsupportedSystemError, match="mean_field_synchrony"):
        dl.mean_field_states(spread.with_noise(x=0.5), grid=LINE)


def test_a_herd_in_two_wells():
    """m = G(m) by quadrature [D]: three states below the transition, the outer two stable, one above."""
    D, K = 0.32, 2.0

    def weight(x, m):
        return np.exp(-(x**4 / 4 - x**2 / 2 + K * (x**2 / 2 - m * x)) / D)

    def missing(m):
        return quad(lambda x: x * weight(x, m), -4, 4)[0] / quad(weight, -4, 4, args=(m,))[0] - m

    m = brentq(missing, 0.5, 1.2, xtol=1e-13)
    found = dl.mean_field_states(herd.with_noise(x=0.8), grid=LINE)
    assert sorted(found.means["x"]) == pytest.approx([-m, 0, m], abs=1e-9)
    assert sorted(zip(np.abs(found.means["x"]).round(6), found.is_stable, strict=True))[0] == (
        0,
        False,
    )
    assert found.is_stable.sum() == 2
    assert len(dl.mean_field_states(herd.with_noise(x=2.0), grid=LINE)) == 1


def test_growth_is_what_a_small_disturbance_does():
    states = dl.mean_field_states(herd.with_noise(x=0.8), grid=LINE)
    middle = int(np.argmin(np.abs(states.means["x"])))
    density = states.density(middle)
    tilted = dl.Density(**{
        f: getattr(density, f) for f in density.__dataclass_fields__
    } | {"values": density.values * (1 + 1e-6 * density["x"])})  # fmt: skip
    run = dl.evolve_density(herd.with_noise(x=0.8), start=tilted, at=[6, 8])
    rate = np.log(run.mean("x")[1] / run.mean("x")[0]) / 2
    # The growth is extrapolated to cells of no width; the run has cells.
    assert rate == pytest.approx(states.growth[middle], rel=3e-3)


def test_what_moves_comes_to_rest_in_a_stable_state():
    states = dl.mean_field_states(noisy, grid=RING)
    run = dl.evolve_density(noisy, start={"theta": dl.Gaussian(0.5, 0.4)}, at=[0, 1, 25], grid=RING)
    assert np.abs(run.mass - 1).max() < 1e-12
    assert run.values.min() >= 0
    theta = run["theta"]
    r = np.abs(run.values @ np.exp(1j * theta)) * RING.volume
    assert r[-1] == pytest.approx(order(states)[0], abs=1e-7)
    # Nobody turns on average: the phase of the field stays.
    psi = np.angle(run.values @ np.exp(1j * theta))
    assert np.ptp(psi) < 1e-6


def test_density_and_swarm_agree():
    """2000 nodes against the limit: within five standard errors of 1 / sqrt(N)."""
    swarm = noisy.on(dl.AllToAll(2000))
    run = dl.evolve_density(noisy, start={"theta": dl.Gaussian(0.0, 0.5)}, at=[0.8], grid=RING)
    limit = (run.values[0] @ np.cos(run["theta"])) * RING.volume
    start = np.random.default_rng(3).normal(0, 0.5, 2000)
    paths = dl.simulate(
        swarm, start={"theta": start}, duration=0.8, seed=5, method=dl.EulerMaruyama(step=0.01)
    )
    r = np.cos(paths["theta"][-1]).mean()
    assert r == pytest.approx(limit, abs=5 / 2000**0.5)


def test_the_number_of_nodes_does_not_matter():
    one = dl.mean_field_states(noisy(K=3.0), grid=RING)
    other = dl.mean_field_states(noisy(K=3.0).on(dl.AllToAll(7)), grid=RING)
    assert np.array_equal(order(one), order(other))


@dl.flow
def unlike(x: dl.PerNode, *, w: dl.PerNode = 0.0):
    i, j = dl.nodes("i j")
    return {x[i]: w[i] - x[i] + dl.Mean(x[j], j)}


@dl.flow
def inseparable(x: dl.PerNode):
    i, j = dl.nodes("i j")
    return {x[i]: -x[i] + dl.Mean(dl.exp(-((x[i] - x[j]) ** 2)), j)}


@dl.flow
def summed(x: dl.PerNode):
    i, j = dl.nodes("i j")
    return {x[i]: -x[i] + dl.Sum(x[j], j)}


@pytest.mark.parametrize(
    ("system", "words"),
    [
        (unlike.on(dl.AllToAll(2)).draw(w=dl.Quantiles(dl.Uniform(0, 1))), "'w' is not the same"),
        (inseparable, "not a mean of a function of one node"),
        (summed, "grows with the number of nodes"),
    ],
)
def test_refusals(system, words):
    with pytest.raises(dl.UnsupportedSystemError, match=words):
        dl.mean_field_states(system.with_noise(x=0.5), grid=LINE)
