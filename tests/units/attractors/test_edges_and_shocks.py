"""Edge states against saddles and cycles found otherwise; fatal shocks against distances that are known."""

from __future__ import annotations

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo


@dl.flow
def wells(x=0.5, y=0.5, *, bend=1.0):
    """Rests at x = -1 and 1; the saddle at 0, its border the line x = 0."""
    return {x: x - x**3, y: -y + bend * x**2}


@dl.flow
def turned(x=0.5, y=0.5, *, angle=0.4):
    """The same without a bend, turned by an angle and stretched: u' = u - u^3, v' = -v."""
    c, s = dl.cos(angle), dl.sin(angle)
    u, v = c * x + s * y, -s * x + c * y
    return {x: c * (u - u**3) + s * v, y: s * (u - u**3) - c * v}


@dl.flow
def rest_and_cycle(x=0.1, y=0.0, *, mu=-0.2):
    r2 = x**2 + y**2
    return {x: x * (mu + r2 - r2**2) - y, y: y * (mu + r2 - r2**2) + x}


BOX = {"x": (-2, 2), "y": (-2, 2)}
INNER, OUTER = (np.sqrt((1 - s * np.sqrt(0.2)) / 2) for s in (1, -1))


@pytest.fixture(scope="module")
def two_wells():
    return dl.find_attractors(wells, within=BOX, seed=1, samples=50)


@pytest.fixture(scope="module")
def ring():
    return dl.find_attractors(
        rest_and_cycle, within={"x": (-1.5, 1.5), "y": (-1.5, 1.5)}, seed=1, samples=100
    )


def test_the_edge_of_two_wells_is_their_saddle(two_wells):
    edge = dl.edge_state(two_wells, between=({"x": 0.5, "y": 1.5}, {"x": -0.7, "y": -1.0}))
    known = dl.find_equilibria(wells, within=BOX).of_kind("saddle").single()
    assert edge.kind == "saddle"
    assert edge.verified.state == pytest.approx(known.state, abs=1e-10)
    assert np.max(np.abs(edge["x"])) < 1e-4  # all along the border
    assert edge.status is dl.Status.OK
    assert edge.parts[0] != edge.parts[1]


def test_the_edge_of_a_neuron_at_rest_and_firing_is_the_unstable_cycle(ring):
    edge = dl.edge_state(ring)
    assert edge.kind == "unstable cycle"
    assert edge.verified.period == pytest.approx(2 * np.pi, rel=1e-8)
    assert np.hypot(edge.verified["x"], edge.verified["y"]) == pytest.approx(INNER, rel=1e-6)
    # Of the circle the multiplier is exp(2 pi d/dr (mu r + r^3 - r^5)) there.
    rate = -0.2 + 3 * INNER**2 - 5 * INNER**4
    assert np.max(edge.verified.multipliers.real) == pytest.approx(
        np.exp(2 * np.pi * rate), rel=1e-6
    )


def test_the_edge_of_a_map():
    found = dl.find_attractors(zoo.cubic(r=1.5), within={"x": (-1.2, 1.2)}, seed=1, samples=20)
    edge = dl.edge_state(found)
    assert edge.verified.state == pytest.approx([0.0], abs=1e-9)
    assert edge.verified.eigenvalues.real == pytest.approx([1.5])


def test_a_saddle_in_three_dimensions():
    """Below rho = 24.06 both rests attract; the border is the stable manifold of the origin."""
    system = zoo.lorenz(rho=10)
    found = dl.find_attractors(
        system, within={"x": (-12, 12), "y": (-15, 15), "z": (0, 20)}, seed=1, samples=20
    )
    edge = dl.edge_state(found)
    assert np.max(np.abs(edge.verified.state)) < 1e-6
    assert edge.verified.unstable_directions == 1


def test_the_smallest_fatal_shock_is_the_distance_to_the_border():
    """To the line u = 0 it is 1, along the first turned axis."""
    found = dl.find_attractors(turned, within=BOX, seed=1, samples=50)
    for label in (0, 1):
        shock = dl.minimal_fatal_shock(
            found, label=label, within={"x": (-3, 3), "y": (-3, 3)}, samples=500, seed=2
        )
        assert shock.size == pytest.approx(1.0, abs=1e-5)
        side = np.sign(found[label]["x"][0])
        assert [shock["x"], shock["y"]] == pytest.approx(
            [-side * np.cos(0.4), -side * np.sin(0.4)], abs=5e-3
        )
        assert shock.outcomes == (label, 1 - label)
        assert shock.tested == (500, 0)
        assert shock.smaller_fatal < 0.01


def test_units_weigh_the_states():
    """With y in units of 1/4 the size is sqrt(dx^2 + 16 dy^2); the least to cos dx + sin dy = -1."""
    found = dl.find_attractors(turned, within=BOX, seed=1, samples=50)
    shock = dl.minimal_fatal_shock(
        found, within={"x": (-3, 3), "y": (-3, 3)}, units={"y": 0.25}, samples=500, seed=2
    )
    assert shock.size == pytest.approx(1 / np.hypot(np.cos(0.4), 0.25 * np.sin(0.4)), abs=1e-5)


def test_only_some_states_are_shocked(two_wells):
    shock = dl.minimal_fatal_shock(two_wells, within={"x": (-3, 3)}, samples=100, seed=1)
    assert shock.size == pytest.approx(1.0, abs=1e-6)
    assert shock.start + shock.shock == pytest.approx([0.0, shock.start[1]], abs=1e-6)
    with pytest.raises(dl.NotConverged, match=r"none of 50 shocks within.*larger"):
        dl.minimal_fatal_shock(two_wells, within={"y": (-3, 3)}, samples=50, seed=1)


def test_from_rest_and_from_the_cycle(ring):
    kinds = {a.kind: a.label for a in ring}
    within = {"x": (-3, 3), "y": (-3, 3)}
    away = dl.minimal_fatal_shock(
        ring, label=kinds["stable focus"], within=within, samples=300, seed=1
    )
    assert away.size == pytest.approx(INNER, rel=1e-5)
    back = dl.minimal_fatal_shock(
        ring, label=kinds["stable cycle"], within=within, samples=300, seed=1
    )
    assert back.size == pytest.approx(OUTER - INNER, rel=1e-4)
    assert back.leads_to.endswith("stable focus")


def test_files_and_pictures(two_wells, tmp_path):
    from dynlab.plotting import close_figure

    for found in (
        dl.edge_state(two_wells),
        dl.minimal_fatal_shock(two_wells, within={"x": (-3, 3), "y": (-3, 3)}, samples=50, seed=1),
    ):
        again = dl.load(found.save(tmp_path / "one.npz"))
        assert repr(again) == repr(found)
        ax = found.plot()
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x$", "$y$")
        close_figure(ax)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda f: dl.edge_state(3), dl.SettingError, "find_attractors returned, not int"),
        (lambda f: dl.edge_state(f, between=({"x": 1}, {"x": 1.1})), dl.NotConverged, "not in two basins.*between="),
        (lambda f: dl.edge_state(f, between=1), dl.SettingError, "give two states by name"),
        (lambda f: dl.edge_state(f, between=({"q": 1}, {"x": 1.1})), dl.UnknownNameError, "'q' is not a state"),
        (lambda f: dl.edge_state(f, duration=-1), dl.SettingError, "duration is -1"),
        (lambda f: dl.minimal_fatal_shock(f, label=7, within={"x": (-1, 1)}), dl.SettingError, "no attractor 7"),
        (lambda f: dl.minimal_fatal_shock(f, within={"x": (1, -1)}), dl.SettingError, "lower"),
        (lambda f: dl.minimal_fatal_shock(f, within={"x": (-1, 1)}, units={"y": 1}), dl.UnknownNameError, "'y' is not"),
        (lambda f: dl.minimal_fatal_shock(f, within={"x": (-1, 1)}, units={"x": 0}), dl.SettingError, "positive size"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_names_and_a_way_out(two_wells, call, error, words):
    with pytest.raises(error, match=words):
        call(two_wells)


def test_shocks_that_were_not_run_are_not_fatal():
    """Stopped, a search holds a shock that is fatal for certain, and no smaller one that was not run counts."""
    within = {"x": (-2, 2), "y": (-2, 2)}
    found = dl.find_attractors(zoo.henon, within=within, samples=20, seed=1)
    with dl.stop_after(1.0):
        shock = dl.minimal_fatal_shock(found, within=within, samples=50, seed=1)
    assert shock.status is dl.Status.STOPPED
    assert shock.tested[1] == 0
    start = (shock.start + (1 + 1e-6) * shock.shock).tolist()
    assert dl.iterate(zoo.henon, start=start, duration=2000).status is dl.Status.DIVERGED
    with dl.stop_after(0), pytest.raises(dl.NotConverged, match="stopped before"):
        dl.minimal_fatal_shock(found, within=within, samples=50, seed=1)
