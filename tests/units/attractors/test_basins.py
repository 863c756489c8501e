"""Basins and their fractions against closed forms, symmetry and brute force."""

from __future__ import annotations

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.attractors.fractions import wilson


@dl.flow
def tilted(x=0.5, *, wall=0.5):
    """Rests at -1 and 1 with `wall` between them."""
    return {x: (x - wall) * (1 - x**2)}


@dl.iterated_map
def newton(x=0.5, y=0.3):
    """Newton's method for z^3 = 1: z - (z^3 - 1) / (3 z^2)."""
    size = 3 * (x**2 + y**2) ** 2
    return {x: 2 * x / 3 + (x**2 - y**2) / size, y: 2 * y / 3 - 2 * x * y / size}


@dl.flow
def damped(x=0.5, v=0.0, *, friction=0.5):
    return {x: v, v: x - x**3 - friction * v}


def test_the_wall_parts_the_line():
    found = dl.basins(tilted, over={"x": (-2, 2)}, cells=400, seed=1)
    x = found["x"]
    rests = np.array([a["x"][0] for a in found.attractors])
    assert np.array_equal(rests[found.labels], np.where(x > 0.5, rests.max(), rests.min()))
    assert sum(found.fractions.values()) == pytest.approx(1, abs=1e-15)
    assert found.fractions[int(np.argmax(rests))] == pytest.approx(1.5 / 4, abs=1e-12)
    assert found.at_state(x=1.9) != found.at_state(x=-1.9)


@pytest.mark.parametrize("wall", [-0.3, 0.0, 0.6])
def test_fractions_by_sampling_have_the_known_one_in_their_interval(wall):
    """A fixed seed; 4 standard deviations."""
    found = dl.basin_fractions(tilted(wall=wall), within={"x": (-2, 2)}, samples=4000, seed=7)
    right = next(a.label for a in found.attractors if a["x"][0] > 0)
    exact = (2 - wall) / 4
    assert abs(found[right] - exact) < 4 * np.sqrt(exact * (1 - exact) / 4000)
    assert found.fractions.sum() == pytest.approx(1, abs=1e-15)
    low, high = found.intervals.T
    assert np.all((low <= found.fractions) & (found.fractions <= high))


def test_wilson_intervals_are_the_published_ones():
    """Newcombe 1998, Statistics in Medicine 17, 857, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    table = {(81, 263): (0.2553, 0.3662), (15, 148): (0.0624, 0.1605),
             (0, 20): (0.0, 0.1611), (1, 29): (0.0061, 0.1718)}  # fmt: skip
    for (count, total), ends in table.items():
        assert wilson(np.array([count]), total)[0] == pytest.approx(ends, abs=6e-5)


def test_newtons_map_has_the_symmetry_of_its_roots():
    """The image maps to itself under conjugation, and in the disc under a third of a turn."""
    found = dl.basins(newton, over={"x": (-2, 2), "y": (-2, 2)}, cells=200, seed=1)
    roots = {a.label: complex(a["x"][0], a["y"][0]) for a in found.attractors}
    for z in roots.values():
        assert z**3 == pytest.approx(1, abs=1e-12)
    conjugate = {
        k: min(roots, key=lambda m, z=z: abs(roots[m] - z.conjugate())) for k, z in roots.items()
    }
    swapped = np.vectorize(conjugate.get)(found.labels[:, ::-1])
    assert np.array_equal(swapped, found.labels)
    x, y = np.meshgrid(found["x"], found["y"], indexing="ij")
    disc = x**2 + y**2 < 4
    shares = [np.mean(found.labels[disc] == k) for k in roots]
    # The rest is what the cells at the rim and along the boundary (dimension 1.4) cannot resolve.
    assert shares == pytest.approx([1 / 3] * 3, abs=5e-3)


def test_newtons_map_against_brute_force():
    found = dl.basins(
        newton, over={"x": (-1.5, 1.5), "y": (-1.2, 1.2)}, cells={"x": 120, "y": 90}, seed=1
    )
    x, y = np.meshgrid(found["x"], found["y"], indexing="ij")
    z = x + 1j * y
    for _ in range(200):
        z = z - (z**3 - 1) / (3 * z**2)
    roots = np.array([complex(a["x"][0], a["y"][0]) for a in found.attractors])
    brute = np.argmin(np.abs(z[..., None] - roots), axis=-1)
    assert np.array_equal(found.labels, brute)


def test_henons_basin_against_brute_force():
    found = dl.basins(zoo.henon, over={"x": (-2.5, 2.5), "y": (-3, 6)}, cells=150, seed=1)
    x, y = np.meshgrid(found["x"], found["y"], indexing="ij")
    inside = np.ones_like(x, dtype=bool)
    with np.errstate(all="ignore"):
        for _ in range(2000):
            x, y = 1 - 1.4 * x**2 + y, 0.3 * x
            inside &= np.abs(x) < 100
    assert np.array_equal(found.labels == 0, inside)
    assert set(np.unique(found.labels)) == {-1, 0}


def test_a_linear_flow_has_one_basin_and_a_saddle_none():
    @dl.flow
    def node(x=1.0, y=1.0):
        return {x: -x + y, y: -2 * y}

    @dl.flow
    def saddle(x=1.0, y=1.0):
        return {x: x, y: -2 * y}

    within = {"x": (-1, 1), "y": (-1, 1)}
    assert np.all(dl.basins(node, over=within, cells=20, seed=1).labels == 0)
    away = dl.basins(saddle, over=within, cells=20, seed=1)
    assert len(away.attractors) == 0
    assert np.all(away.labels == -1)


def test_rest_of_the_states_start_where_they_are_put():
    """With the velocity v = 2 at x = 0 the particle starts to the right."""
    over = {"x": (-0.2, 0.2)}
    at_rest = dl.find_attractors(damped, within={"x": (-2, 2), "v": (-2, 2)}, seed=1)
    for v in (-0.5, 0.5):
        found = dl.basins(damped, over=over, cells=5, at={"v": v}, attractors=at_rest)
        end = dl.integrate(damped, start={"x": found["x"][2], "v": v}, duration=200).final["x"]
        assert np.sign(at_rest[int(found.labels[2])]["x"][0]) == np.sign(end)


def test_threads_change_nothing():
    known = dl.find_attractors(damped, within={"x": (-2, 2), "v": (-2, 2)}, seed=1)
    images = []
    for count in (1, 3):
        with dl.threads(count):
            images.append(
                dl.basins(
                    damped, over={"x": (-2, 2), "v": (-2, 2)}, cells=50, attractors=known
                ).labels
            )
    assert np.array_equal(*images)


def test_basins_of_the_damped_particle_turn_into_each_other():
    """The rule is odd, so the image turned by half a turn has the labels swapped."""
    labels = dl.basins(damped, over={"x": (-2, 2), "v": (-2, 2)}, cells=60, seed=1).labels
    assert np.array_equal(labels[::-1, ::-1], 1 - labels)


def test_an_unknown_attractor_is_found_on_the_way():
    """The first search sees one well only; the image has the other one, too."""
    known = dl.find_attractors(tilted, within={"x": (-1.5, 1.5)}, samples=1, seed=3)
    assert len(known) == 1
    found = dl.basins(tilted, over={"x": (-1.5, 1.5)}, cells=40, attractors=known)
    assert len(found.attractors) == 2
    assert set(np.unique(found.labels)) == {0, 1}


def test_what_is_stopped_can_be_finished(tmp_path):
    known = dl.find_attractors(damped, within={"x": (-2, 2), "v": (-2, 2)}, seed=1)
    over = {"x": (-2, 2), "v": (-2, 2)}
    with dl.stop_after(0):
        partial = dl.basins(damped, over=over, cells=40, attractors=known)
    assert partial.status is dl.Status.STOPPED
    assert np.all(partial.labels == -3)
    again = dl.load(partial.save(tmp_path / "basins.npz")).resume()
    whole = dl.basins(damped, over=over, cells=40, attractors=known)
    assert again.status is dl.Status.OK
    assert np.array_equal(again.labels, whole.labels)


def test_tables_and_files(tmp_path):
    found = dl.basins(tilted, over={"x": (-2, 2)}, cells=10, seed=1)
    table = found.to_table()
    assert np.array_equal(table["x"], found["x"])
    assert np.array_equal(dl.load(found.save(tmp_path / "b.npz")).labels, found.labels)
    shares = dl.basin_fractions(tilted, within={"x": (-2, 2)}, samples=50, seed=1)
    again = dl.load(shares.save(tmp_path / "f.npz"))
    assert np.array_equal(again.fractions, shares.fractions)
    assert again.provenance.seed == 1
    assert shares.to_table()["count"].sum() == 50


def test_pictures():
    from dynlab.plotting import close_figure

    image = dl.basins(damped, over={"x": (-2, 2), "v": (-2, 2)}, cells=20, seed=1)
    shown = image.plot()
    assert (shown.get_xlabel(), shown.get_ylabel()) == ("$x$", "$v$")
    drawn = shown.images[0].get_array()
    assert np.array_equal(np.asarray(drawn), image.labels.T)
    close_figure(shown)
    bars = dl.basin_fractions(
        damped, within={"x": (-2, 2), "v": (-2, 2)}, samples=60, seed=1
    ).plot()
    assert [patch.get_width() for patch in bars.patches] == pytest.approx(
        [
            float(f)
            for f in dl.basin_fractions(
                damped, within={"x": (-2, 2), "v": (-2, 2)}, samples=60, seed=1
            ).fractions
        ]
    )
    close_figure(bars)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: dl.basins(damped, over={}), dl.SettingError, "over is empty"),
        (lambda: dl.basins(damped, over={"x": (1, -1)}), dl.SettingError, "'x' in over is .1, -1"),
        (lambda: dl.basins(damped, over={"x": (-1, 1)}, cells=0), dl.SettingError, "cells of 'x' is 0"),
        (lambda: dl.basins(damped, over={"x": (-1, 1)}, cells=1.5), dl.SettingError, "1.5"),
        (lambda: dl.basins(damped, over={"y": (-1, 1)}), dl.UnknownNameError, "'y' is not a state.*Known: x, v"),
        (lambda: dl.basins(damped, over={"x": (-1, 1)}, at={"w": 0}), dl.UnknownNameError, "'w' is not a state"),
        (lambda: dl.basins(damped, over={"x": (-1, 1)}, at={"x": 0}), dl.SettingError, "both in over and in at"),
        (lambda: dl.basins(damped, over={"x": (-1, 1)}, cells=10**9), dl.SettingError, "Give fewer"),
        (lambda: dl.basins(damped, over={"x": (-1, 1)}, attractors=3), dl.SettingError, "dl.find_attractors"),
        (lambda: dl.basins(damped(friction=1.0), over={"x": (-1, 1)}, attractors=dl.find_attractors(
            damped, within={"x": (-2, 2)}, samples=3, seed=1)), dl.SettingError, "other equations or parameter"),
        (lambda: dl.basin_fractions(damped, within={"x": (0, 0)}), dl.SettingError, "holds nothing"),
        (lambda: dl.basin_fractions(damped, within={"x": (0, 1)}, samples=-1), dl.SettingError, "samples is -1"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_names_and_a_way_out(call, error, words):
    with pytest.raises(error, match=words):
        call()
