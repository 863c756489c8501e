"""Discs, balls and other sets whose borders run through cells: times to leave, and which is reached first."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynlab as dl


@dl.flow
def plane(x=0.0, y=0.0, *, pull=0.0):
    return {x: -pull * x, y: -pull * y}


@dl.flow
def space(x=0.0, y=0.0, z=0.0):
    return {x: 0 * x, y: 0 * y, z: 0 * z}


@dl.flow
def line(x=0.0):
    return {x: x - x**3}


DISC = plane.with_noise(x=1.0, y=1.0).with_observable(r=lambda x, y: dl.sqrt(x**2 + y**2))
BALL = space.with_noise(x=1.0, y=1.0, z=1.0).with_observable(
    r=lambda x, y, z: dl.sqrt(x**2 + y**2 + z**2)
)


def square(cells, half=1.1):
    return dl.Grid(x=(-half, half, cells), y=(-half, half, cells))


def test_out_of_a_disc_in_second_order():
    """(R^2 - r^2) / (4 D), wherever the circle lies in the cells."""
    start, errors = {"x": 0.3, "y": -0.2}, []
    for cells in (32, 64, 128):
        found = dl.escape_time(DISC, start=start, beyond={"r": 1}, grid=square(cells))
        errors.append(abs(found.value - (1 - 0.13) / 2))
        assert errors[-1] <= found.error
    assert np.log2(errors[0] / errors[2]) / 2 == pytest.approx(2, abs=0.3)


@settings(max_examples=8, deadline=None)
@given(radius=st.floats(0.4, 1.0), x=st.floats(-0.2, 0.2), y=st.floats(-0.2, 0.2))
def test_a_disc_of_any_size_anywhere(radius, x, y):
    found = dl.escape_time(DISC, start={"x": x, "y": y}, beyond={"r": radius}, grid=square(64))
    exact = (radius**2 - x**2 - y**2) / 2
    assert abs(found.value - exact) <= max(found.error, 1e-3)


def test_out_of_a_ball():
    """(R^2 - r^2) / (6 D)."""
    found = dl.escape_time(
        BALL, start={"x": 0.3, "y": -0.2, "z": 0.1}, beyond={"r": 1},
        grid=dl.Grid(**dict.fromkeys("xyz", (-1.05, 1.05, 24))),
    )  # fmt: skip
    exact = (1 - 0.14) / 3
    assert found.value == pytest.approx(exact, rel=3e-3)
    assert abs(found.value - exact) <= found.error


def test_out_of_a_ring_between_two_circles():
    """u'' + u'/r = -1/D between a and b, by the radial equation: a level to either side."""
    a, b, r = 0.3, 1.0, 0.6
    c = (b**2 - a**2) / 4 / np.log(b / a)
    exact = 2 * ((a**2 - r**2) / 4 + c * np.log(r / a))
    found = dl.escape_time(DISC, start={"x": r, "y": 0.0}, beyond={"r": (a, b)}, grid=square(128))
    assert found.value == pytest.approx(exact, rel=2e-3)
    assert abs(found.value - exact) <= found.error


def test_with_a_pull_the_radial_equation():
    """D (u'' + u'/r) - pull r u' = -1 in a disc: u(0) = int_0^R e^(k r^2/2D)/r int_0^r s e^(-k s^2/2D)/D."""
    from scipy.integrate import quad

    pull, D = 1.5, 0.5

    def inner(r):
        return (1 - np.exp(-pull * r**2 / (2 * D))) / pull

    exact = quad(lambda r: np.exp(pull * r**2 / (2 * D)) / r * inner(r), 0, 1)[0]
    found = dl.escape_time(
        DISC(pull=pull), start={"x": 0, "y": 0}, beyond={"r": 1}, grid=square(128)
    )
    assert found.value == pytest.approx(exact, rel=2e-3)


def test_a_level_on_a_line_is_a_border():
    noisy = line.with_noise(x=0.5).with_observable(twice=lambda x: 2 * x)
    exact = dl.escape_time(noisy, start={"x": -1}, beyond={"x": 0.1})
    found = dl.escape_time(
        noisy, start={"x": -1}, beyond={"twice": 0.2}, grid=dl.Grid(x=(-2.5, 1, 700))
    )
    assert found.value == pytest.approx(exact.value, rel=1e-3)


def test_between_two_circles_the_logarithm():
    """log(r / a) / log(b / a), of second order; all probabilities together are one."""
    rings = {"inner": {"r": (-1, 0.25)}, "outer": {"r": (1, np.inf)}}
    errors = []
    for cells in (64, 128):
        found = dl.splitting_probabilities(DISC, sets=rings, grid=square(cells))
        assert found.values.sum(axis=0) == pytest.approx(1, abs=1e-12)
        x, y = np.meshgrid(found["x"], found["y"], indexing="ij")
        r = np.hypot(x, y)
        between = (r > 0.25) & (r < 1)
        exact = np.log(r / 0.25) / np.log(4)
        errors.append(np.abs(found.values[1] - exact)[between].max())
    assert errors[1] < 2e-3
    assert errors[0] / errors[1] > 2.5
    assert found.error > errors[1]


def test_two_sets_on_a_line_are_the_committor():
    noisy = line.with_noise(x=0.7)
    ends = {"left": {"x": (-np.inf, -1)}, "right": {"x": (1.2, np.inf)}}
    found = dl.splitting_probabilities(noisy, sets=ends, grid=dl.Grid(x=(-1.3, 1.5, 560)))
    exact = dl.committor(noisy, source={"x": -1}, target={"x": 1.2})
    for x in (-0.5, 0.0, 0.77):
        assert found.at(x=x)["right"] == pytest.approx(exact.at(x=x), abs=2e-5)


def test_four_corners_are_alike():
    corners = {
        f"{a}{b}": {
            "x": (0.5, 2) if a == "e" else (-2, -0.5),
            "y": (0.5, 2) if b == "n" else (-2, -0.5),
        }
        for a in "ew"
        for b in "ns"
    }
    found = dl.splitting_probabilities(plane.with_noise(x=1, y=1), sets=corners, grid=square(40))
    assert list(found.at(x=0.0, y=0.0).values()) == pytest.approx([0.25] * 4, abs=1e-10)


def test_a_start_beyond_is_refused():
    with pytest.raises(dl.SettingError, match="on or beyond"):
        dl.escape_time(DISC, start={"x": 0.9, "y": 0.9}, beyond={"r": (0.1, 1)}, grid=square(32))


def test_shared_noise_is_refused_with_the_way_round():
    @plane.with_noise(dl.Ito)
    def shared(x, y):
        a, b = dl.sources("a b")
        return {x: a, y: 0.5 * a + b}

    watched = shared.with_observable(r=lambda x, y: dl.sqrt(x**2 + y**2))
    with pytest.raises(dl.UnsupportedSystemError, match="borders of single states"):
        dl.escape_time(watched, start={"x": 0, "y": 0}, beyond={"r": 1}, grid=square(32))
