"""The explorer: moving a slider moves the system, draws anew, and compiles nothing."""

from __future__ import annotations

import html
import sys

import numba.core.event as event
import pytest

import dynlab as dl
from dynlab.errors import MissingExtraError, SettingError, UnknownNameError
from dynlab.explorer import Sight

CELL = dl.zoo.fitzhugh_nagumo


@pytest.fixture(scope="module")
def explorer():
    pytest.importorskip("ipywidgets", reason="ipywidgets is not installed (extra 'notebook')")
    return dl.explore(CELL, over={"I": (0, 2)})


class Compilations(event.Listener):
    def __init__(self):
        self.count = 0

    def on_start(self, found):
        self.count += 1

    def on_end(self, found):
        pass


def compilations(run):
    """Return how often numba compiled something."""
    listener = Compilations()
    event.register("numba:compile", listener)
    try:
        run()
    finally:
        event.unregister("numba:compile", listener)
    return listener.count


def test_a_slider_moves_the_system_and_the_picture(explorer):
    explorer.sliders["I"].value = 0.0
    before = bytes(explorer.picture.value)
    assert before.startswith(b"\x89PNG")
    assert "stable" in explorer.note.value
    explorer.sliders["I"].value = 0.8  # beyond the Hopf point at 0.33
    assert explorer.system["I"] == 0.8
    assert bytes(explorer.picture.value) != before
    assert "unstable" in html.unescape(explorer.note.value)


def test_moving_a_slider_compiles_nothing(explorer):
    def move():
        for value in (0.1, 0.5, 1.3):
            explorer.sliders["I"].value = value
            explorer.sliders["eps"].value = value / 10

    assert compilations(move) == 0
    # That the counter counts: a new rule is compiled, unless the disk has it.
    from dynlab.kernels.deferred import njit

    assert compilations(lambda: njit("f8(f8)")(lambda x: x + 1)(1.0)) > 0


def test_all_parameters_have_a_slider_that_holds_their_value(explorer):
    assert list(explorer.sliders) == list(CELL.parameter_names)
    for slider in explorer.sliders.values():
        assert slider.min < slider.max
        assert slider.min <= slider.value <= slider.max


def test_a_run_that_escapes_is_said(explorer):
    square = dl.system({"x": "a + x^2"}, parameters={"a": -1.0}, start={"x": 0.0}, name="<i>square")
    found = dl.explore(square, over={"a": (-1, 1)}, duration=20)
    found.sliders["a"].value = 0.5
    assert "diverged" in found.note.value
    assert "<i>" not in found.note.value.removeprefix("<pre")


def test_a_notebook_shows_the_box(explorer):
    assert "application/vnd.jupyter.widget-view+json" in explorer._repr_mimebundle_()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"over": {"J": (0, 1)}}, UnknownNameError, "Known: I"),
        ({"over": {"I": (1, 2)}}, SettingError, "holds it"),
        ({"over": {"I": 3}}, SettingError, "range"),
        ({"over": {"I": (0, float("nan"))}}, SettingError, "range"),
        ({"duration": -1}, SettingError, "positive"),
        ({"show": ["v"]}, SettingError, "two states"),
        ({"show": ["v", "u"]}, UnknownNameError, "Known: v, w"),
        ({"start": {"u": 1}}, UnknownNameError, "state"),
    ],
)
def test_mistakes_are_named(explorer, settings, error, message):
    with pytest.raises(error, match=message):
        dl.explore(CELL, **settings)


def test_without_the_extra_the_message_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'dynlab\[notebook\]'"):
        dl.explore(CELL)


# What is seen, without widgets


def test_a_sight_has_the_run_and_the_equilibrium():
    seen = Sight.of(CELL(I=0.0), None, 100.0)
    (rest,) = dl.find_equilibria(CELL(I=0.0))
    assert seen.rest["v"] == pytest.approx(rest["v"], abs=1e-8)
    axes = seen.draw("v", "w")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$v$", "$w$")
    assert len(axes.figure.axes) == 3
    assert all(ax.has_data() for ax in axes.figure.axes)


@pytest.mark.parametrize(
    "model", [dl.zoo.henon, dl.zoo.logistic, dl.zoo.lorenz, dl.zoo.forced_van_der_pol]
)
def test_maps_and_driven_flows_are_seen(model):
    seen = Sight.of(model, None, 50.0)
    names = model.state_names
    axes = seen.draw(names[0], names[min(1, len(names) - 1)])
    assert axes.has_data()
    assert (seen.rest is None) is not model.is_autonomous
