"""The master stability function: closed forms, its value at 0, and spectra of whole networks."""

import networkx as nx
import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

ROESSLER = zoo.roessler(c=9.0)


@dl.flow
def linear(x=0.3, y=0.1, z=-0.2):
    return {x: 0.1 * x - y, y: x + 0.2 * y - 0.5 * z, z: 0.3 * x - z}


A = np.array([[0.1, -1.0, 0.0], [1.0, 0.2, -0.5], [0.3, 0.0, -1.0]])
COUPLINGS = [
    ({"x": lambda x: x}, np.diag([1.0, 0, 0])),
    ({"y": lambda x: x}, np.array([[0, 0, 0], [1.0, 0, 0], [0, 0, 0]])),
    ({"x": lambda x, y: x + 2 * y, "z": lambda z: 3 * z}, np.array([[1.0, 2, 0], [0, 0, 0], [0, 0, 3]])),
]  # fmt: skip


@pytest.mark.parametrize(("coupling", "H"), COUPLINGS)
def test_of_a_linear_system_it_is_the_rightmost_eigenvalue(coupling, H):
    """The direction settles like exp(-gap t) and then turns with a pair, which leaves 1 / duration."""
    real, imaginary = np.linspace(0, 3, 4), np.array([0.0, 0.7])
    found = dl.master_stability(
        linear, coupling=coupling, over=(real, imaginary), duration=2000, transient=200
    )
    exact = [[np.linalg.eigvals(A - (a + 1j * b) * H).real.max() for b in imaginary] for a in real]
    assert found.status.ok
    np.testing.assert_allclose(found.exponents, exact, atol=2e-3)


def test_coupling_of_everything_lowers_all_exponents_alike():
    """With H(x) = x the exponent is that of one system less Re(a), on the same orbit at the same steps."""
    everything = {name: (lambda q: eval(f"lambda {q}: {q}"))(name) for name in ("x", "y", "z")}
    over = (np.array([0.0, 0.5, 2.0]), np.array([0.0, 1.0]))
    found = dl.master_stability(
        ROESSLER, coupling=everything, over=over, duration=400, transient=100
    )
    spread = 4 * found.standard_errors.max()
    np.testing.assert_allclose(
        found.exponents + over[0][:, None], found.exponents[0, 0], atol=spread
    )


def test_at_zero_it_is_the_largest_exponent():
    alone = dl.lyapunov_exponent(ROESSLER, duration=4000, transient=200, seed=1)
    found = dl.master_stability(
        ROESSLER, coupling={"x": lambda x: x}, over=[0.0], duration=4000, transient=200
    )
    error = np.hypot(alone.standard_error, found.standard_errors[0, 0])
    assert found.exponents[0, 0] == pytest.approx(alone.value, abs=5 * error)
    assert error < 0.03


def test_of_a_map_that_passes_its_image_on_it_is_a_shift_of_the_logarithm():
    """With H = F the factor is (1 - a) F'(s): log 2 + log |1 - a| for the logistic map at r = 4."""
    logistic = zoo.logistic(r=4.0)
    over = np.array([0.0, 0.3, 0.6, 1.4, 1.7])
    found = dl.master_stability(
        logistic,
        coupling={"x": lambda x, r: r * x * (1 - x)},
        over=over,
        duration=100_000,
        transient=100,
    )
    expected = np.log(2) + np.log(np.abs(1 - over))
    np.testing.assert_allclose(found.along_real, expected, atol=5 * found.standard_errors.max())
    assert found.standard_errors.max() < 0.01


def pair(K):
    """Return two Roessler systems that pass x on to each other."""

    @dl.flow
    def two(x=1.0, y=1.0, z=1.0, u=1.0, v=1.0, w=1.0, *, K=K):
        return {
            x: -y - z + K * (u - x), y: x + 0.2 * y, z: 0.2 + z * (x - 9),
            u: -v - w + K * (x - u), v: u + 0.2 * v, w: 0.2 + w * (u - 9),
        }  # fmt: skip

    return two


def test_the_spectrum_of_a_synchronous_pair_holds_both_modes():
    """In step the pair stays in step to the last bit; its exponents are those of the modes 0 and 2 K."""
    K = 0.4
    whole = dl.lyapunov_spectrum(pair(K), count=3, duration=3000, transient=200, seed=2)
    parts = dl.master_stability(
        ROESSLER, coupling={"x": lambda x: x}, over=[0.0, 2 * K], duration=3000, transient=200
    )
    alone, transverse = parts.along_real
    expected = sorted([alone, 0.0, transverse], reverse=True)
    error = np.hypot(whole.standard_errors.max(), parts.standard_errors.max())
    np.testing.assert_allclose(whole.exponents, expected, atol=5 * error)
    assert error < 0.03
    assert transverse < -4 * error


def test_the_threshold_of_a_network_is_where_it_falls_apart():
    """Four Roessler systems in a ring: small differences decay between the couplings, and grow outside of them."""
    master = dl.master_stability(
        ROESSLER,
        coupling={"x": lambda x: x},
        over=np.linspace(0.02, 5.4, 60),
        duration=1000,
        transient=200,
    )
    # Huang, Chen, Lai and Pecora 2009, Phys. Rev. E 80, 036204: a = b = 0.2, c = 9, x to x.
    ((low, high),) = master.stable_intervals
    # Errors are of 95 %, so this is four standard errors: whatever orbit rounding leads to.
    assert (np.abs([low - 0.186, high - 4.614]) < 2 * master.edge_errors[0]).all()
    assert (master.edge_errors[0] < [0.2, 0.4]).all()
    found = dl.synchronous_couplings(master, network=nx.cycle_graph(4))
    assert found.intervals[0] == pytest.approx([low / 2, high / 4], abs=1e-9)
    assert found.threshold == found.intervals[0, 0]
    assert found.errors[0] == pytest.approx(master.edge_errors[0] / [2, 4], rel=1e-6)

    @dl.flow
    def ring(x: dl.PerNode, y: dl.PerNode, z: dl.PerNode, *, A: dl.PerLink = 1.0, K=0.1):
        i, j = dl.nodes("i j")
        pull = dl.Sum(A[i, j] * (x[j] - x[i]), j)
        return {
            x[i]: -y[i] - z[i] + K * pull,
            y[i]: x[i] + 0.2 * y[i],
            z[i]: 0.2 + z[i] * (x[i] - 9),
        }

    settled = dl.integrate(ROESSLER, duration=100)
    small = 1e-6 * np.array([1.0, -0.5, 0.3, -0.8])
    start = {n: settled[n][-1] + (small if n == "x" else np.zeros(4)) for n in "xyz"}
    tight = dl.Explicit8(rtol=1e-11, atol=1e-13)
    outside, inside = (0.5 * low / 2, 1.2 * high / 4), (2 * low / 2, 0.8 * high / 4)
    for K in (*outside, *inside):
        run = dl.integrate(ring.on(nx.cycle_graph(4))(K=K), start=start, duration=400, method=tight)
        apart = np.ptp(run["x"][-1])
        assert apart > 1e-3 if K in outside else apart < 1e-7


def test_a_network_with_a_wide_spectrum_cannot_synchronise():
    master = dl.master_stability(
        ROESSLER,
        coupling={"x": lambda x: x},
        over=np.linspace(0.02, 5.4, 40),
        duration=500,
        transient=100,
    )
    found = dl.synchronous_couplings(master, network=nx.path_graph(30))
    assert found.spectrum.eigenratio > 25
    assert found.intervals.shape == (0, 2)
    assert np.isnan(found.threshold)


def test_directed_networks_ask_for_the_complex_plane():
    """x' = x: the exponent is 1 - Re(a), so a directed ring of 3 with eigenvalues 3/2 +- i sqrt(3)/2 needs K > 2/3."""

    @dl.flow
    def unstable(x=0.1, *, rate=1.0):
        return {x: rate * x}

    ring = nx.DiGraph([(0, 1), (1, 2), (2, 0)])
    over = np.linspace(0, 4, 21), np.linspace(0, 3, 16)
    real = dl.master_stability(unstable, coupling={"x": lambda x: x}, over=over[0], duration=5)
    with pytest.raises(dl.SettingError, match="complex eigenvalues"):
        dl.synchronous_couplings(real, network=ring)
    plane = dl.master_stability(unstable, coupling={"x": lambda x: x}, over=over, duration=5)
    found = dl.synchronous_couplings(plane, network=ring)
    assert found.threshold == pytest.approx(2 / 3, abs=1e-6)
    assert np.isnan(plane.at(9.0))
    assert plane.at(1 - 1j) == pytest.approx(0.0, abs=1e-6)


def test_bad_questions_are_named():
    ask = {"coupling": {"x": lambda x: x}, "over": [0.0, 1.0], "duration": 1.0}
    with pytest.raises(dl.UnknownNameError, match="state"):
        dl.master_stability(ROESSLER, **(ask | {"coupling": {"q": lambda x: x}}))
    for change, message in (
        ({"coupling": {}}, "empty"), ({"coupling": {"x": 1.0}}, "give a function"), ({"over": [1.0, 0.0]}, "rise"),
        ({"over": ([0.0], [-1.0])}, "below 0"), ({"duration": 0.0}, "above zero"), ({"transient": -1.0}, "below zero"),
    ):  # fmt: skip
        with pytest.raises(dl.SettingError, match=message):
            dl.master_stability(ROESSLER, **(ask | change))
    with pytest.raises(dl.UnsupportedSystemError, match="nodes of its own"):
        dl.master_stability(
            zoo.kuramoto.on(dl.AllToAll(3)), **(ask | {"coupling": {"theta": lambda theta: theta}})
        )
    with pytest.raises(dl.UnsupportedSystemError, match="events"):
        dl.master_stability(zoo.bouncing_ball, **ask)
    flat = dl.master_stability(linear, **ask)
    apart = nx.Graph([(0, 1), (2, 3)])
    with pytest.warns(dl.DegenerateWarning), pytest.raises(dl.SettingError, match="in pieces"):
        dl.synchronous_couplings(flat, network=apart)


def test_results_draw_tabulate_and_come_back(tmp_path):
    line = dl.master_stability(
        linear, coupling={"x": lambda x: x}, over=np.linspace(0, 2, 5), duration=20
    )
    plane = dl.master_stability(
        linear,
        coupling={"x": lambda x: x},
        over=(np.linspace(0, 2, 3), np.linspace(0, 1, 3)),
        duration=20,
    )
    network = dl.synchronous_couplings(line, network=nx.complete_graph(3))
    for number, found in enumerate((line, plane, network)):
        again = dl.load(found.save(tmp_path / str(number)))
        assert repr(again) == repr(found)
        assert all(len(v) for v in again.to_table().values())
        assert found.plot().get_xlabel()
