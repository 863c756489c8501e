"""Attractors that share cells of the grid are told apart, or what cannot be told is said."""

from __future__ import annotations

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo


@dl.flow
def well(x=0.5, *, r=0.25):
    """Rest at sqrt(r) and at -sqrt(r); the wall between the basins is x = 0."""
    return {x: r * x - x**3}


@dl.flow
def rest_and_cycle(x=0.1, y=0.0, *, mu=-0.2):
    """r' = mu r + r^3 - r^5, theta' = 1: rest attracts r^2 < (1 - sqrt(1 + 4 mu)) / 2, a cycle all else."""
    r2 = x**2 + y**2
    return {x: x * (mu + r2 - r2**2) - y, y: y * (mu + r2 - r2**2) + x}


@dl.flow
def small_cycle(x=0.1, y=0.0, *, size=0.02):
    """A cycle of radius `size` round an unstable focus."""
    r2 = (x**2 + y**2) / size**2
    return {x: x * (1 - r2) - y, y: y * (1 - r2) + x}


@pytest.mark.parametrize(("r", "cells"), [(1e-5, 500), (1e-4, 20), (0.25, 1)])
def test_two_points_nearer_than_a_cell(r, cells):
    rules = dl.Recurrences(cells=cells, longest=200_000)
    found = dl.find_attractors(
        well(r=r), within={"x": (-2, 2)}, samples=12, seed=1, recurrences=rules
    )
    ends = [a.verified.state[0] for a in found]
    assert sorted(ends) == pytest.approx([-np.sqrt(r), np.sqrt(r)], rel=1e-9)
    assert all(2 * np.sqrt(r) > a.near[0] > 0 for a in found)
    image = dl.basins(well(r=r), over={"x": (-2, 2)}, cells=20, attractors=found)
    assert (np.sign(ends)[image.labels] == np.sign(image["x"])).all()


def test_a_cycle_round_a_fixed_point_within_a_cell(tmp_path):
    box = {"x": (-1.5, 1.5), "y": (-1.5, 1.5)}
    found = dl.find_attractors(
        rest_and_cycle, within=box, samples=60, seed=3, recurrences=dl.Recurrences(cells=1)
    )
    kinds = {a.kind: a.label for a in found}
    assert set(kinds) == {"stable focus", "stable cycle"}
    found.save(tmp_path / "found.npz")
    image = dl.basins(rest_and_cycle, over=box, cells=9, attractors=dl.load(tmp_path / "found.npz"))
    x, y = np.meshgrid(image["x"], image["y"], indexing="ij")
    inside = x**2 + y**2 < (1 - np.sqrt(0.2)) / 2
    assert (inside == (image.labels == kinds["stable focus"])).all()


def test_a_cycle_smaller_than_a_cell_is_no_fixed_point():
    found = dl.find_attractors(
        small_cycle, within={"x": (-1, 1), "y": (-1, 1)}, samples=10, seed=1,
        recurrences=dl.Recurrences(cells=9),
    )  # fmt: skip
    cycle = found.single()
    assert cycle.kind == "stable cycle"
    assert cycle.verified.period == pytest.approx(2 * np.pi, rel=1e-7)


@pytest.mark.parametrize(("r", "kind"), [(1.5, "node"), (2.1, "period 2"), (2.5, "chaotic")])
@pytest.mark.parametrize("cells", [1, 2])
def test_the_two_sides_of_an_odd_map(r, kind, cells):
    """x -> r x - x^3 takes (0, sqrt(r)) into itself for r < 3 sqrt(3) / 2: one attractor on each side."""
    found = dl.find_attractors(
        zoo.cubic(r=r), within={"x": (-1.2, 1.2)}, samples=60, seed=1,
        recurrences=dl.Recurrences(cells=cells),
    )  # fmt: skip
    assert len(found) == 2
    assert all(kind in a.kind for a in found)
    starts = np.linspace(-1.1, 1.1, 21)[:, None]
    sides = np.sign([np.mean(a.states) for a in found])
    assert sorted(sides) == [-1, 1]
    labels = found.search().outcomes(starts[np.abs(starts) > 0.01][:, None], "")
    assert (labels >= 0).all()
    assert (sides[labels] == np.sign(starts[np.abs(starts) > 0.01])).all()


def test_cells_that_tell_attractors_apart_stay_as_they_are():
    found = dl.find_attractors(well, within={"x": (-2, 2)}, samples=30, seed=1)
    assert [a.near for a in found] == [None, None]


@dl.iterated_map
def leaking(x=0.3, y=0.0, *, leak=0.01):
    """Chaos in x; y comes to rest at 0 from below 1/2, and runs away from above."""
    return {x: 3.9 * x * (1 - x), y: dl.where(y > 0.5, y + leak, y / 2)}


def test_what_leaves_slowly_through_the_cells_of_a_chaotic_set_is_not_on_it():
    found = dl.find_attractors(
        leaking, within={"x": (0, 1), "y": (-1, 3)}, samples=60, seed=1,
        recurrences=dl.Recurrences(cells={"x": 50, "y": 1}),
    )  # fmt: skip
    assert found.single().kind == "chaotic"
    image = dl.basins(leaking, over={"y": (-1, 3)}, cells=40, attractors=found)
    assert ((image.labels == 0) == (image["y"] < 0.5)).all()
    assert (image.labels[image["y"] > 0.5] == -1).all()


@dl.iterated_map
def hidden(x=0.3, y=0.0):
    """Chaos in x at two heights, y = 0.02 and y = -0.02: from above 0 and from below."""
    return {x: 3.9 * x * (1 - x), y: y / 2 + dl.where(y > 0, 0.01, -0.01)}


def test_ranges_tell_chaotic_sets_apart_within_a_cell():
    found = dl.find_attractors(
        hidden, within={"x": (0, 1), "y": (-1, 1)}, samples=40, seed=1,
        recurrences=dl.Recurrences(cells={"x": 40, "y": 5}),
    )  # fmt: skip
    assert sorted(float(a["y"][-1]) for a in found) == pytest.approx([-0.02, 0.02])
