"""Basin entropy and uncertainty exponents of images whose values are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import dynlab as dl


@dl.flow
def plane(x=0.5, y=0.5):
    """Rests at x = -1 and 1."""
    return {x: x - x**3, y: -y}


@dl.flow
def line(x=0.5):
    return {x: x - x**3}


@dl.iterated_map
def newton(x=0.5, y=0.3):
    size = 3 * (x**2 + y**2) ** 2
    return {x: 2 * x / 3 + (x**2 - y**2) / size, y: 2 * y / 3 - 2 * x * y / size}


@pytest.fixture(scope="module")
def small():
    return dl.basins(plane, over={"x": (-2, 2), "y": (-2, 2)}, cells=4, seed=1)


def image(small, labels):
    """Basins with labels of our own."""
    return replace(small, labels=np.asarray(labels, np.int16))


def test_entropy_of_constructed_boxes(small):
    """Boxes of 2 x 2: one label (0), two and two (log 2), three and one, four different (log 4)."""
    labels = [[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 1], [0, 1, 2, 3]]
    found = dl.basin_entropy(image(small, labels), box=2)
    three_one = 0.75 * np.log(4 / 3) + 0.25 * np.log(4)
    assert found.entropies == pytest.approx(
        np.array([[0, np.log(2)], [three_one, np.log(4)]]), abs=1e-15
    )
    assert found.entropy == pytest.approx((np.log(2) + three_one + np.log(4)) / 4, abs=1e-15)
    assert found.boundary_entropy == pytest.approx(
        (np.log(2) + three_one + np.log(4)) / 3, abs=1e-15
    )
    assert found.boundary_boxes == 3


def test_entropy_does_not_depend_on_names_or_orientation(small):
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, (60, 60))
    values = [
        dl.basin_entropy(image(small, changed)).entropy
        for changed in (labels, labels.T, labels[::-1], (labels + 1) % 3, labels - 2)
    ]
    assert values == pytest.approx([values[0]] * 5, abs=1e-14)


def test_evenly_mixed_outcomes_have_the_largest_entropy(small):
    """Random labels of m kinds: log m, less about (m - 1) / (2 n) for n cells in a box (Miller 1955)."""
    rng = np.random.default_rng(2)
    for kinds in (2, 3):
        found = dl.basin_entropy(image(small, rng.integers(0, kinds, (2000, 2000))), box=20)
        assert found.entropy == pytest.approx(np.log(kinds) - (kinds - 1) / 800, abs=1e-4)


def test_a_smooth_boundary_stays_below_log_two(small):
    x, y = np.meshgrid(np.arange(600), np.arange(600), indexing="ij")
    found = dl.basin_entropy(image(small, x + 0.37 * y > 400), box=10)
    assert 0 < found.boundary_entropy < np.log(2)
    assert not found.exceeds_log_two


def test_newtons_boundary_is_fractal():
    """Daza et al. 2016: three basins that meet everywhere on the boundary exceed log 2."""
    found = dl.basins(newton, over={"x": (-1.5, 0.5), "y": (-1, 1)}, cells=500, seed=1)
    assert dl.basin_entropy(found).exceeds_log_two
    # Boundary of dimension 1.42 to 1.44 (Epureanu and Greenside 1998, SIAM Rev. 40, 102: about 1.42).
    assert dl.uncertainty_exponent(found).boundary_dimension == pytest.approx(1.43, abs=0.03)


def test_the_exponent_of_a_straight_line_is_one(small):
    """n rows with one border each: 2 e cells of those counted are uncertain, in one direction of two."""
    half = np.zeros((400, 400), int)
    half[150:] = 1
    found = dl.uncertainty_exponent(image(small, half), distances=[1, 2, 4, 8])
    assert found.fractions == pytest.approx([e / (400 - 16) for e in (1, 2, 4, 8)], abs=1e-15)
    assert found.value == pytest.approx(1.0, abs=1e-12)


def cantor(stages):
    """Labels of 3^stages cells: the middle third 0, the middles of the others 1, of theirs 0, ..."""
    if stages == 0:
        return np.array([2])
    part = cantor(stages - 1)
    flipped = np.where(part < 2, 1 - part, 2)
    return np.concatenate([flipped, np.zeros(3 ** (stages - 1), int), flipped])


def test_the_exponent_of_a_cantor_set(small):
    """The border of the middle thirds has the dimension log 2 / log 3 = 0.631.

    The shares ripple with the period 3 of the set, which distances in powers of 3 meet at one phase.  At the
    small end they see the cells of the last stage, at the large end that the set is bounded: in between
    neighbouring slopes still differ by 0.02.
    """
    inner = cantor(12)
    outer = np.full(len(inner), 3)
    labels = np.concatenate([outer, inner, outer]).astype(np.int16)
    line_image = replace(small, labels=labels, over={"x": (-2.0, 2.0)})
    found = dl.uncertainty_exponent(line_image, distances=[3**k for k in range(4, 8)])
    assert found.boundary_dimension == pytest.approx(np.log(2) / np.log(3), abs=0.02)


def test_what_is_not_done_or_not_uncertain_is_refused(small):
    with dl.stop_after(0):
        partial = dl.basins(line, over={"x": (-2, 2)}, cells=100, seed=1)
    for function in (dl.basin_entropy, dl.uncertainty_exponent):
        with pytest.raises(dl.SettingError, match=r"100 of 100 cells.*resume"):
            function(partial)
        with pytest.raises(dl.SettingError, match="what dl"):
            function(3)
    with pytest.raises(dl.SettingError, match="box of 50 cells does not fit"):
        dl.basin_entropy(small, box=50)
    with pytest.raises(dl.SettingError, match="at least 64"):
        dl.uncertainty_exponent(small)
    with pytest.raises(dl.SettingError, match="two different"):
        dl.uncertainty_exponent(small, distances=[1])
    with pytest.raises(dl.NotConverged, match="no start of 'plane' is uncertain"):
        dl.uncertainty_exponent(image(small, np.zeros((100, 100))))


def test_files_and_pictures(small, tmp_path):
    from dynlab.plotting import close_figure

    rng = np.random.default_rng(3)
    noisy = image(small, rng.integers(0, 2, (100, 100)))
    for found in (dl.basin_entropy(noisy), dl.uncertainty_exponent(noisy)):
        again = dl.load(found.save(tmp_path / "one.npz"))
        assert repr(again) == repr(found)
        assert all(np.array_equal(v, again.to_table()[k]) for k, v in found.to_table().items())
        ax = found.plot()
        assert ax.get_xlabel()
        close_figure(ax)
