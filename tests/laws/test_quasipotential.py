"""What holds of least actions: closed forms, two independent methods against each other, and what is known of Maier and Stein's system."""

import numpy as np
import pytest

import dynlab as dl


@dl.flow
def spiral(x=0.0, y=0.0):
    return {x: -x - 2 * y, y: x - 1.5 * y}


@dl.flow
def maier_stein(u=-1.0, v=0.0, *, alpha=1.0):
    return {u: u - u**3 - alpha * u * v**2, v: -(1 + u**2) * v}


@spiral.with_noise(dl.Ito)
def tilted(x, y):
    one, other = dl.sources("one other")
    return {x: one + 0.4 * other, y: 0.5 * other}


REST = dl.find_equilibria(spiral, within={"x": (-1, 1), "y": (-1, 1)}).single()
SPREAD = dl.linear_noise(tilted, at=REST).covariance
WITHIN = {"x": (-1.0, 1.0), "y": (-1.0, 1.0)}


def ends_of(alpha):
    """Return the system with noise of amplitude 1, its left attractor and its saddle."""
    system = maier_stein(alpha=alpha)
    left, top, _ = sorted(
        dl.find_equilibria(system, within={"u": (-2, 2.1), "v": (-1, 1.1)}), key=lambda p: p["u"]
    )
    return system.with_noise(u=1.0, v=1.0), left, top


def test_a_linear_spiral_under_correlated_noise():
    """U = x' S^-1 x / 2 with S of Lyapunov's equation: differences of second order are exact for it."""
    for places in (65, 129):
        found = dl.quasipotential(tilted, at=REST, within=WITHIN, places=places)
        mesh = np.stack(np.meshgrid(*found.places, indexing="ij"), axis=-1)
        exact = 0.5 * np.einsum("...i,ij,...j", mesh, np.linalg.inv(SPREAD), mesh)
        here = exact <= found.certain_below
        assert np.abs(found.values - exact)[here].max() < found.error
    assert found.error < 1e-6 * found.certain_below


def test_a_gradient_system_to_second_order():
    """alpha = 1: twice the potential -u^2/2 + u^4/4 + (1 + u^2) v^2 / 2, above its value -1/4 in the well."""
    noisy, left, _ = ends_of(1.0)
    middle = []
    for places in (65, 129):
        found = dl.quasipotential(
            noisy, at=left, within={"u": (-1.5, 0.0), "v": (-0.6, 0.6)}, places=places
        )
        u, v = np.meshgrid(*found.places, indexing="ij")
        exact = 2 * (-(u**2) / 2 + u**4 / 4 + (1 + u**2) * v**2 / 2 + 0.25)
        here = exact <= found.certain_below
        off = np.abs(found.values - exact)[here]
        assert off.max() < found.error
        middle.append(np.median(off))
    assert here.sum() > 3000
    assert np.log2(middle[0] / middle[1]) == pytest.approx(2, abs=0.4)
    assert found.error < 0.003
    assert found.at(u=-0.7, v=0.2) == pytest.approx(
        2 * (-0.245 + 0.7**4 / 4 + 1.49 * 0.02 + 0.25), abs=3e-4
    )


def test_a_larger_box_changes_nothing_below_what_is_certain():
    noisy, left, _ = ends_of(6.0)
    small = dl.quasipotential(
        noisy, at=left, within={"u": (-1.4, -0.4), "v": (-0.4, 0.4)}, places=65
    )
    large = dl.quasipotential(
        noisy, at=left, within={"u": (-1.9, 0.1), "v": (-0.8, 0.8)}, places=129
    )
    # Every second place of the large box lies on one of the small.
    inside = large.values[32:97, 32:97]
    here = small.values < small.certain_below
    assert np.allclose(large["u"][32:97], small["u"])
    assert np.abs(inside - small.values)[here].max() < small.error + large.error


def test_way_through_a_potential_is_the_way_back():
    """alpha = 1: the action is 2 (V - V0) = 1/2, and the way runs along v = 0."""
    noisy, left, top = ends_of(1.0)
    path = dl.least_action_path(noisy, start=left, to=top)
    assert path.status is dl.Status.OK
    assert path.action == pytest.approx(0.5, abs=1e-7)
    assert np.abs(path["v"]).max() < 1e-3
    assert path.heights[-1] == pytest.approx(path.action, abs=path.error)


def test_order_of_the_path():
    """What the midpoint rule leaves falls with the square of the number of places; the extrapolation takes it off."""
    noisy, left, top = ends_of(1.0)
    found = [dl.least_action_path(noisy, start=left, to=top, places=n) for n in (50, 100)]
    left_over = [f.heights[-1] - 0.5 for f in found]
    assert np.log2(left_over[0] / left_over[1]) == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize(("alpha", "is_straight"), [(3.6, True), (4.4, False)])
def test_the_way_leaves_the_axis_at_alpha_4(alpha, is_straight):
    """Maier and Stein 1993, Phys. Rev. Lett. 71, 1783: beyond alpha = 4 the way along the axis is no longer the cheapest."""
    noisy, left, top = ends_of(alpha)
    path = dl.least_action_path(noisy, start=left, to=top)
    if is_straight:
        assert path.action == pytest.approx(0.5, abs=1e-6)
    else:
        assert path.action < 0.5 - 20 * abs(path.action - path.heights[-1])
        assert np.abs(path["v"]).max() > 0.1


def test_both_methods_agree_where_no_potential_exists():
    noisy, left, top = ends_of(10.0)
    path = dl.least_action_path(noisy, start=left, to=top, places=100)
    plane = dl.quasipotential(
        noisy, at=left, within={"u": (-1.6, 0.4), "v": (-0.8, 0.8)}, places=129
    )
    assert plane.at(u=0, v=0) == pytest.approx(path.action, abs=plane.error)
    assert path.action < 0.35
    # Along the way of least action the plane rises as the action does.
    for k in (30, 60, 90):
        here = dict(zip(("u", "v"), path.states[k], strict=True))
        assert plane.at(**here) == pytest.approx(path.heights[k], abs=1e-3)


def test_more_noise_costs_less():
    noisy, left, top = ends_of(6.0)
    louder = noisy.without_noise().with_noise(u=2.0, v=2.0)
    first, second = (
        dl.least_action_path(s, start=left, to=top, places=60).action for s in (noisy, louder)
    )
    assert first / second == pytest.approx(4.0, rel=1e-6)


def test_one_state():
    @dl.flow
    def well(x=-1.0):
        return {x: x - x**3}

    low, top, _ = sorted(dl.find_equilibria(well, within={"x": (-2, 2.1)}), key=lambda p: p["x"])
    noisy = well.with_noise(x=0.5)
    path = dl.least_action_path(noisy, start=low, to=top)
    assert path.action == pytest.approx(2.0, abs=1e-7)
    assert path.action == pytest.approx(
        dl.kramers_rate(noisy, well=low, saddle=top).barrier, abs=1e-7
    )


def test_results_are_kept_and_drawn(tmp_path):
    found = dl.quasipotential(tilted, at=REST, within=WITHIN, places=33)
    again = dl.load(found.save(tmp_path / "plane.npz"))
    assert np.array_equal(again.values, found.values)
    assert found.plot().get_xlabel()
    path = dl.least_action_path(tilted, start=REST, to={"x": 0.5, "y": 0.0}, places=30)
    assert np.array_equal(dl.load(path.save(tmp_path / "path.npz")).states, path.states)
    assert path.plot().get_ylabel()


@spiral.with_noise(dl.Ito)
def uneven(x, y):
    return {x: 1 + x**2, y: 1.0}


@pytest.mark.parametrize(
    ("ask", "error", "words"),
    [
        (lambda: dl.quasipotential(uneven, at=REST, within=WITHIN), dl.UnsupportedSystemError, "depends on the state"),
        (lambda: dl.quasipotential(spiral.with_noise(x=1), at=REST, within=WITHIN), dl.SingularProblem, "has no noise"),
        (lambda: dl.quasipotential(tilted, at=REST, within={"x": (-1, 1)}), dl.SettingError, "a range for 'y'"),
        (lambda: dl.quasipotential(tilted, at=REST, within={"x": (0.5, 1), "y": (-1, 1)}), dl.SettingError, "not inside"),
        (lambda: dl.quasipotential(tilted, at=REST, within=WITHIN | {"z": (0, 1)}), dl.UnknownNameError, "'z' is not a state"),
        (lambda: dl.quasipotential(tilted, at=REST, within=WITHIN, places=8), dl.SettingError, "from 33 to"),
        (lambda: dl.least_action_path(tilted, start=REST, to=REST), dl.SettingError, "the same place"),
        (lambda: dl.least_action_path(tilted, start=REST, to={"x": 1.0}), dl.SettingError, "leaves out y"),
        (lambda: dl.least_action_path(tilted, start=REST, to={"x": 1, "y": 0}, places=3), dl.SettingError, "from 20"),
    ],
)  # fmt: skip
def test_what_is_refused(ask, error, words):
    with pytest.raises(error, match=words):
        ask()
