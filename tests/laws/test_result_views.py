"""What every result shows of itself: a table of equal columns, labelled and with its origin, and a safe card."""

from __future__ import annotations

import html.parser
import sys

import numpy as np
import pytest

import dynlab as dl
from dynlab.errors import MissingExtraError
from dynlab.point import Point
from dynlab.result import Result, attributes_of

HENON, CELL = dl.zoo.henon, dl.zoo.fitzhugh_nagumo(I=0.5)
AROUND = {"x": (-2, 2), "y": (-2, 2)}


@dl.flow(time="ms", units={"x": "mV", "rate": "1/ms"})
def fading(x=1.0, *, rate=0.5):
    """Fades.

    Source 1900.
    """
    return {x: -rate * x}


MADE = {
    "Trajectory": lambda: dl.integrate(fading, duration=3, at=np.linspace(0, 3, 7)),
    "Trajectory of a map": lambda: dl.iterate(HENON, duration=5),
    "Equilibria": lambda: dl.find_equilibria(CELL),
    "Equilibrium": lambda: dl.find_equilibria(CELL).single(),
    "PeriodicOrbits": lambda: dl.find_periodic_orbits(HENON, period=2, within=AROUND),
    "Cycle": lambda: dl.find_cycle(CELL),
    "Diagram": lambda: dl.equilibrium_diagram(CELL, vary="I", over=(0, 2)),
    "Branch": lambda: dl.equilibrium_diagram(CELL, vary="I", over=(0, 2)).branches[0],
    "Hopf": lambda: dl.equilibrium_diagram(CELL, vary="I", over=(0, 2)).points(dl.Hopf)[0],
    "LyapunovExponent": lambda: dl.lyapunov_exponent(HENON, duration=500, seed=1),
    "LyapunovSpectrum": lambda: dl.lyapunov_spectrum(HENON, duration=500, seed=1),
    "ExponentChart": lambda: dl.exponent_chart(HENON, vary={"a": (1, 1.4, 3), "b": (0.1, 0.3, 2)}, duration=100),
    "PeriodChart": lambda: dl.period_chart(HENON, vary={"a": (0.2, 1.4, 4)}, transient=300),
    "OrbitDiagram": lambda: dl.orbit_diagram(HENON, vary="a", over=[0.2, 1.0], transient=100, duration=8),
    "PhasePortrait": lambda: dl.phase_portrait(CELL, within={"v": (-2, 2), "w": (-1, 2)}),
    "Ensemble": lambda: dl.ensemble(fading, starts={"x": [1.0, 2.0]}, duration=1),
    "ZeroOneTest": lambda: dl.zero_one_test(dl.iterate(HENON, duration=1000), of="x"),
    "SweepResult": lambda: dl.Sweep(a=[1.0, 2.0], b=[3.0, 4.0, 5.0]).run(lambda a, b: a * b, seed=1),
    "Attractors": lambda: dl.find_attractors(HENON, within={"x": (-1, 1), "y": (-0.3, 0.3)}, samples=50, seed=1),
}  # fmt: skip
KEPT = {}


def made(name):
    if name not in KEPT:
        KEPT[name] = MADE[name]()
    return KEPT[name]


RESULTS = [
    name for name in MADE if name not in ("Equilibrium", "Cycle", "Hopf")
]  # the others are points


class Card(html.parser.HTMLParser):
    """Holds that tags are of the kinds we write and close in order."""

    ALLOWED = frozenset({"div", "b", "i", "pre", "details", "summary", "table", "tr", "td", "th"})

    def __init__(self, text):
        super().__init__()
        self.open, self.text = [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        assert tag in self.ALLOWED
        assert {name for name, _ in attributes} <= {"style"}
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("name", RESULTS)
def test_columns_have_names_and_one_length(name):
    result = made(name)
    assert isinstance(result, Result)
    table = result.to_table()
    assert len({len(column) for column in table.values()}) == 1
    assert all(isinstance(key, str) and np.ndim(column) == 1 for key, column in table.items())


@pytest.mark.parametrize("name", RESULTS)
def test_a_dataframe_has_the_table_and_its_origin(name):
    pytest.importorskip("pandas")
    result = made(name)
    frame, table = result.to_dataframe(), result.to_table()
    assert list(frame.columns) == list(table)
    for key, column in table.items():
        assert np.array_equal(frame[key].to_numpy(), column, equal_nan=column.dtype.kind in "fc")
    assert frame.attrs["made_by"].startswith("dynlab ")
    assert "version_numpy" in frame.attrs


@pytest.mark.parametrize("name", RESULTS)
def test_an_xarray_dataset_is_labelled_and_has_its_origin(name):
    pytest.importorskip("xarray", reason="xarray is not installed (extra 'tables')")
    found = made(name).to_xarray()
    assert found.attrs["made_by"].startswith("dynlab ")
    assert all(
        dimension in found.coords or dimension.rpartition("_")[2].isdigit()
        for dimension in found.dims
    )
    assert all(isinstance(value, str | int | float) for value in found.attrs.values())


def test_units_stand_at_the_columns():
    pytest.importorskip("xarray", reason="xarray is not installed (extra 'tables')")
    found = made("Trajectory").to_xarray()
    assert (found["x"].attrs, found["t"].attrs) == ({"units": "mV"}, {"units": "ms"})
    assert found.sizes == {"t": 7}
    chart = made("ExponentChart").to_xarray()
    assert chart["exponent"].dims == ("a", "b")


def test_the_origin_is_enough_to_repeat_it():
    origin = attributes_of(made("LyapunovSpectrum"))
    assert origin["model"] == "henon"
    assert "Henon 1976" in origin["reference"]
    assert (origin["parameter_a"], origin["parameter_b"]) == (1.4, 0.3)
    assert origin["setting_duration"] == "500.0"


def test_without_the_extra_the_message_names_it(monkeypatch):
    for module, method in (("pandas", "to_dataframe"), ("xarray", "to_xarray")):
        monkeypatch.setitem(sys.modules, module, None)  # cannot be imported
        for name in ("Trajectory", "ExponentChart", "SweepResult"):
            with pytest.raises(MissingExtraError, match=r"pip install 'dynlab\[tables\]'"):
                getattr(made(name), method)()


@pytest.mark.parametrize("name", MADE)
def test_the_card_in_a_notebook_is_well_formed_and_small(name):
    thing = made(name)
    assert isinstance(thing, Result | Point)
    text = thing._repr_html_()
    card = Card(text)
    assert repr(thing).split("\n")[0][:60] in card.text
    assert len(text) < 20_000


@pytest.mark.parametrize("name", dl.zoo.names())
def test_the_card_of_a_model_is_well_formed(name):
    Card(dl.zoo.get(name)._repr_html_())


EVIL = "<script>alert('x')</script>"


def test_names_that_come_from_others_are_escaped():
    model = dl.from_toml(f"""
[model]
name = "plain"
time = "<i>s</i>"
reference = "{EVIL}"
[states]
x = {{ start = 1.0, unit = "<b>V" }}
y = 1.0
[parameters]
k = {{ value = 2.0, unit = "</td></table>" }}
[equations]
x = "where(x < y, k, -x)"
y = "-y"
""")
    Card(model._repr_html_())
    run = dl.integrate(model, duration=1)
    assert EVIL in Card(run._repr_html_()).text
    Card(dl.find_equilibria(dl.from_toml('[states]\nx = 1\n[equations]\nx = "-x"\n'))._repr_html_())
