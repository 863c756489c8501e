"""Attractors along a parameter against folds and fractions in closed form."""

from __future__ import annotations

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo


@dl.flow
def tilted(x=0.5, *, h=0.0):
    """Folds at h = -+ 2 / (3 sqrt(3))."""
    return {x: x - x**3 + h}


def middle(h):
    """The root between the wells, or where the one well's basin ends."""
    roots = np.roots([-1, 0, 1, h])
    real = np.sort(roots.real[np.abs(roots.imag) < 1e-12])
    return real[1] if len(real) == 3 else (-2.0 if h > 0 else 2.0)


@pytest.fixture(scope="module")
def run():
    return dl.continue_attractors(
        tilted,
        vary="h",
        over=np.linspace(-0.5, 0.5, 21),
        within={"x": (-2, 2)},
        samples=400,
        seed=3,
    )


def test_fractions_follow_the_wall_between_the_wells(run):
    low = next(k for k in run.labels if np.nanmin(run.range_of(k, "x")[0]) < -0.9)
    for h, share in zip(run.values, run.fraction(low), strict=True):
        exact = (middle(h) + 2) / 4
        assert abs(share - exact) <= 4 * np.sqrt(exact * (1 - exact) / 400) + 1e-12
    assert run.fractions.sum(axis=1) == pytest.approx(np.ones(21), abs=1e-14)


def test_each_well_keeps_its_label_from_fold_to_fold(run):
    assert run.labels == (0, 1)
    fold = 2 / (3 * np.sqrt(3))
    for label in run.labels:
        low, high = run.range_of(label, "x")
        there = np.isfinite(low)
        side = np.sign(low[there][0])
        assert np.all(np.sign(low[there]) == side)
        assert np.array_equal(there, side * run.values > -fold)
        exact = [np.roots([-1, 0, 1, h]).real for h in run.values[there]]
        assert low[there] == pytest.approx([max(side * r) * side for r in exact], abs=1e-8)
        assert np.array_equal(low[there], high[there])


def test_a_small_basin_is_followed_where_chance_does_not_meet_it():
    """From h = 0.3 to 0.38 the left well shrinks; with 3 starts a value it is kept by those on it."""
    found = dl.continue_attractors(
        tilted, vary="h", over=np.linspace(0.0, 0.38, 20), within={"x": (-2, 2)}, samples=4, seed=1
    )
    assert all(len(items) == 2 for items in found.items)


def test_a_pitchfork_gives_new_numbers():
    """x -> r x - x^3: 0 up to r = 1, then a pair."""
    found = dl.continue_attractors(
        zoo.cubic,
        vary="r",
        over=[0.5, 0.7, 1.4, 1.5],
        within={"x": (-1.2, 1.2)},
        samples=100,
        seed=1,
    )
    assert [len(items) for items in found.items] == [1, 1, 2, 2]
    assert found.items[2][0].kind == "stable node"
    assert {i.label for i in found.items[2]} == {i.label for i in found.items[3]}


def test_rows_of_a_table_a_file_and_a_picture(run, tmp_path):
    from dynlab.plotting import close_figure

    table = run.to_table()
    assert list(table) == ["h", "attractor 1", "attractor 2", "escaped", "undecided"]
    again = dl.load(run.save(tmp_path / "run.npz"))
    assert np.array_equal(again.fractions, run.fractions)
    assert repr(again) == repr(run)
    ax = run.plot()
    assert len(ax.figure.axes) == 2
    close_figure(ax)


def test_what_is_stopped_holds_what_was_done():
    with dl.stop_after(0):
        found = dl.continue_attractors(tilted, vary="h", over=[0, 1], within={"x": (-2, 2)}, seed=1)
    assert found.status is dl.Status.STOPPED
    assert len(found.values) == 0


@pytest.mark.parametrize(
    ("keywords", "error", "words"),
    [
        ({"vary": "k"}, dl.UnknownNameError, "'k' is not a parameter"),
        ({"over": [1.0]}, dl.SettingError, "at least two finite"),
        ({"over": [0, np.nan]}, dl.SettingError, "at least two finite"),
        ({"within": {"x": (1, 0)}}, dl.SettingError, "lower"),
        ({"samples": 0}, dl.SettingError, "samples is 0"),
    ],
)
def test_bad_input_is_refused_with_names_and_a_way_out(keywords, error, words):
    usual = {"vary": "h", "over": [0, 1], "within": {"x": (-2, 2)}, "seed": 1}
    with pytest.raises(error, match=words):
        dl.continue_attractors(tilted, **(usual | keywords))
