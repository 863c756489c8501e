"""Cobwebs: the staircase meets graph and diagonal, the window shows what there is to see."""

from __future__ import annotations

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo


def test_the_staircase_climbs_between_graph_and_diagonal():
    web = dl.cobweb(zoo.logistic(r=3.3), start={"x": 0.2}, steps=12, within={"x": (0, 1)})
    ax = web.plot()
    (lines,) = ax.collections
    pieces = np.array(lines.get_segments())
    assert len(pieces) == 2 * 12
    assert pieces[:-1, 1] == pytest.approx(pieces[1:, 0])  # without a gap
    on_graph, on_diagonal = pieces[0::2, 1], pieces[1::2, 1]
    assert on_graph[:, 1] == pytest.approx(3.3 * on_graph[:, 0] * (1 - on_graph[:, 0]))
    assert on_diagonal[:, 0] == pytest.approx(on_diagonal[:, 1])
    assert ax.get_xlabel() == "$x(t)$"
    assert ax.get_ylabel() == "$x(t + 1)$"
    assert ax.get_xlim() == ax.get_ylim() == (0, 1)


def test_fixed_points_are_marked_by_stability():
    web = dl.cobweb(zoo.logistic(r=2.5), within={"x": (-0.1, 1)})
    found = {p.kind: round(p["x"], 9) for p in web.fixed_points}
    assert found == {"stable node": 0.6, "unstable node": 0.0}
    names = [text.get_text() for text in web.plot().get_legend().get_texts()]
    assert set(names) == set(found)


def test_the_window_follows_the_orbit():
    @dl.iterated_map
    def growing(x=0.3, *, r=1.9):
        return {x: r * x}

    calm = dl.cobweb(zoo.logistic(r=3.9), steps=300)
    assert calm.x[0] < calm.orbit["x"].min() < calm.orbit["x"].max() < calm.x[-1]
    wild = dl.cobweb(growing, steps=200)
    assert wild.x[-1] < 1e3 < wild.orbit["x"][-1]
    still = dl.cobweb(zoo.logistic(r=2.5), start={"x": 0.6})
    assert still.x[0] < 0.6 < still.x[-1]


def test_an_orbit_that_diverges_is_drawn_as_far_as_it_goes():
    web = dl.cobweb(zoo.logistic(r=3.0), start={"x": 1.5}, steps=50)
    assert web.status is dl.Status.DIVERGED
    web.plot()
    assert "diverged" in repr(web)


def test_angles_are_drawn_within_one_turn():
    web = dl.cobweb(zoo.sine_circle(Omega=2.0), steps=40)
    assert (web.x[0], web.x[-1]) == pytest.approx((-np.pi, np.pi))
    pieces = np.array(web.plot().collections[0].get_segments())
    assert np.abs(pieces).max() <= np.pi + 1e-12


def test_it_is_saved_and_loaded(tmp_path):
    web = dl.cobweb(zoo.logistic, steps=5)
    again = dl.load(web.save(tmp_path / "web.npz"))
    assert again.to_table()["x"].tolist() == web.to_table()["x"].tolist()
    assert len(again.fixed_points) == len(web.fixed_points)


def test_misuse_is_named():
    with pytest.raises(
        dl.UnsupportedSystemError, match=r"one state, and it has 2 \(x, y\).*portrait"
    ):
        dl.cobweb(zoo.henon)
    with pytest.raises(dl.UnsupportedSystemError, match="it is a flow"):
        dl.cobweb(zoo.lorenz)
    for steps in (0, -1, 2.5):
        with pytest.raises(dl.SettingError, match="whole number of steps"):
            dl.cobweb(zoo.logistic, steps=steps)
    with pytest.raises(dl.SettingError, match="is empty"):
        dl.cobweb(zoo.logistic, within={"x": (1, 0)})
    with pytest.raises(dl.UnknownNameError, match="state of 'logistic'"):
        dl.cobweb(zoo.logistic, within={"y": (0, 1)})
    with pytest.raises(dl.UnknownNameError, match="state of 'logistic'"):
        dl.cobweb(zoo.logistic, start={"y": 1.0})
