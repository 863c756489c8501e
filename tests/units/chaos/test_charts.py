"""Charts: names, cells that fail, threads, stopping, storing, pictures."""

from __future__ import annotations

import time

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.status import Status

mpl.use("Agg")
GRID = {"a": (1.0, 1.4, 7), "b": np.linspace(0.1, 0.3, 5)}


@dl.iterated_map
def with_a_root(x=0.3, *, r=3.7, s=0.0):
    """Defined for s above -1 only."""
    return {x: r * x * (1 - x) * dl.sqrt(1 + s)}


@dl.flow
def explosion(x=0.5, *, a=0.0):
    return {x: a * x**2 - 0.1 * x}


def test_axes_and_quantities_by_name():
    chart = dl.exponent_chart(zoo.henon, vary=GRID, duration=320, transient=100)
    assert chart.shape == chart["exponent"].shape == (7, 5)
    np.testing.assert_array_equal(chart["a"], np.linspace(1.0, 1.4, 7))
    table = chart.to_table()
    assert list(table) == ["a", "b", "exponent", "standard_error", "end", "status"]
    assert len(table["a"]) == 35
    place = 3 * 5 + 2
    assert (table["a"][place], table["b"][place]) == (chart["a"][3], chart["b"][2])
    assert table["exponent"][place] == chart["exponent"][3, 2]
    with pytest.raises(dl.UnknownNameError, match="exponent"):
        chart["exponents"]


def test_a_start_may_vary():
    chart = dl.exponent_chart(zoo.lorenz, vary={"x": [1.0, 2.0]}, duration=5)
    alone = dl.exponent_chart(zoo.lorenz, vary={"rho": [28.0]}, start={"x": 2.0}, duration=5)
    assert chart["exponent"][1] == alone["exponent"][0]


@pytest.mark.parametrize("bad", [-2.0, 4.5])
def test_a_cell_that_fails_leaves_the_others_as_they_are_bit_for_bit(bad):
    name, good = ("s", [0.0, 0.01, 0.02]) if bad < 0 else ("r", [3.2, 3.7, 3.9])
    plain = dl.exponent_chart(with_a_root, vary={name: good}, duration=640)
    holed = dl.exponent_chart(with_a_root, vary={name: [good[0], bad, *good[1:]]}, duration=640)
    kept = [0, 2, 3]
    np.testing.assert_array_equal(holed["exponent"][kept], plain["exponent"])
    np.testing.assert_array_equal(holed["standard_error"][kept], plain["standard_error"])
    assert np.isnan(holed["exponent"][1])
    assert holed["status"][1] == (Status.LEFT_DOMAIN if bad < 0 else Status.DIVERGED)
    assert holed.failures[name].tolist() == [bad]


def test_a_flow_that_blows_up_says_when():
    # x' = a x^2 - x/10 from 1/2 is infinite at t = -10 log(1 - 0.1 / (a x0)) for a x0 > 0.1.
    chart = dl.exponent_chart(explosion, vary={"a": [0.0, 1.0, 2.0]}, duration=20)
    assert chart["status"].tolist() == [Status.OK, Status.DIVERGED, Status.DIVERGED]
    exact = -10 * np.log(1 - 0.1 / (np.array([1.0, 2.0]) * 0.5))
    np.testing.assert_allclose(chart["end"][1:], exact, rtol=1e-3)
    assert chart["exponent"][0] == pytest.approx(-0.1, abs=1e-9)


def test_a_flow_that_runs_away_slowly_is_not_followed_to_the_largest_number():
    chart = dl.exponent_chart(zoo.roessler, vary={"c": [5.7], "a": [0.2, 0.9]}, duration=500)
    assert chart["status"].tolist() == [[Status.OK, Status.DIVERGED]]


def test_the_number_of_threads_changes_nothing():
    def charts():
        wide = {"a": (1.0, 1.4, 40), "b": (0.1, 0.3, 40)}
        yield dl.exponent_chart(zoo.henon, vary=wide, duration=320)["exponent"]
        yield dl.exponent_chart(zoo.lorenz, vary={"rho": (0, 100, 40)}, duration=5)["exponent"]
        yield dl.period_chart(zoo.henon, vary=wide, transient=500)["period"]

    with dl.threads(1):
        alone = list(charts())
    with dl.threads(3):
        beside = list(charts())
    for one, other in zip(alone, beside, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_cell_does_not_depend_on_its_neighbours():
    rho = np.linspace(20, 60, 33)
    all_cells = dl.exponent_chart(zoo.lorenz, vary={"rho": rho}, duration=10)["exponent"]
    turned = dl.exponent_chart(zoo.lorenz, vary={"rho": rho[::-1][:9]}, duration=10)["exponent"]
    np.testing.assert_array_equal(all_cells[::-1][:9], turned)


def test_stopped_within_a_second_and_what_was_done_is_kept():
    _ = dl.exponent_chart(zoo.lorenz, vary={"rho": [28.0]}, duration=1)  # compiles
    began = time.perf_counter()
    with dl.stop_after(0.3):
        chart = dl.exponent_chart(
            zoo.lorenz, vary={"rho": (0, 100, 200), "sigma": (5, 20, 100)}, duration=200
        )
    assert time.perf_counter() - began < 1.5  # 1 s, and half of one for a busy machine
    assert chart.status is Status.STOPPED
    stopped = chart["status"] == Status.STOPPED
    assert np.isnan(chart["exponent"][stopped]).all()
    assert np.isfinite(chart["exponent"][~stopped]).all()


def test_progress_is_told():
    told = []
    with dl.observe(lambda done, total, note: told.append((done, total, note))):
        dl.exponent_chart(zoo.henon, vary=GRID, duration=320)
    assert told[-1] == (35.0, 35.0, "exponents")


def test_saved_and_loaded(tmp_path):
    charts = (
        dl.exponent_chart(zoo.logistic, vary={"r": [3.2, 4.5]}, duration=320),
        dl.period_chart(zoo.logistic, vary={"r": [3.2, 4.5]}, transient=320),
        dl.attractor_chart(zoo.logistic, vary={"r": [3.2, 4.5]}, transient=320, duration=320),
    )
    for chart in charts:
        again = dl.load(chart.save(tmp_path / "chart.npz"))
        assert type(again) is type(chart)
        assert repr(again) == repr(chart)
        for name in (*chart.over, *chart.cells, "status", "end"):
            np.testing.assert_array_equal(again[name], chart[name])


def test_cells_without_lanes_run_one_by_one():
    stiff = dl.exponent_chart(explosion, vary={"a": [0.0, 1.0]}, duration=20, method=dl.Automatic())
    assert stiff["exponent"][0] == pytest.approx(-0.1, abs=1e-6)
    assert stiff["status"][1] == Status.DIVERGED

    @dl.flow
    def decays(x: dl.PerNode = 1.0, *, rate=1.0):
        i = dl.nodes("i")
        return {x[i]: -rate * x[i]}

    network = dl.exponent_chart(decays.on(dl.AllToAll(3)), vary={"rate": [0.5, 2.0]}, duration=10)
    np.testing.assert_allclose(network["exponent"], [-0.5, -2.0], atol=1e-6)


def test_a_section_has_a_chart_per_return():
    section = dl.poincare_map(zoo.roessler, when=lambda x: x)
    chart = dl.exponent_chart(section, vary={"c": [3.0]}, duration=200, transient=20)
    alone = dl.lyapunov_exponent(section(c=3.0), duration=200, transient=20, seed=0)
    assert chart["exponent"][0] == alone.value


def test_steps_on_a_cycle_that_rounding_put_an_orbit_on_are_not_measured():
    """Base 4 shifts the digits of a float out in 27 steps; the orbit then stands at 0, where the slope is another."""

    @dl.iterated_map
    def shift(x=0.3, *, slope=4.0):
        return {x: dl.where(x < 1e-12, slope * x, dl.mod(4 * x, 1))}

    chart = dl.exponent_chart(shift, vary={"slope": [2.0, 3.0]}, duration=2000)
    assert [str(Status(s)) for s in chart["status"]] == ["absorbed"] * 2
    np.testing.assert_allclose(chart["exponent"], np.log(4), atol=1e-12)


def test_an_orbit_held_on_an_unstable_cycle_is_not_called_chaotic_or_periodic():
    # x = 0 is a fixed point of the logistic map with multiplier 4.
    chart = dl.attractor_chart(
        zoo.logistic, vary={"r": [4.0]}, start={"x": 0.0}, duration=500, transient=10
    )
    assert chart["verdict"].tolist() == ["undecided"]


def test_few_turns_or_steps_do_not_show_quasi_periodicity():
    @dl.flow
    def pendulum(theta: dl.Angle = 0.5, p=0.0, *, friction=0.2, drive=0.0):
        return {theta: p, p: -dl.sin(theta) - friction * p + drive * dl.cos(dl.t)}

    for drive in (0.0, 0.1):  # autonomous, and driven: both still settle
        short = dl.attractor_chart(
            pendulum(drive=drive), vary={"friction": [0.2]}, duration=15, transient=15
        )
        assert short["verdict"].tolist() == ["undecided"]
    # A circle map is quasi-periodic for certain, but so few steps do not tell.
    circle = zoo.sine_circle(Omega=(np.sqrt(5) - 1) / 2, K=0.1)
    for duration, verdict in ((320, "undecided"), (3200, "quasi-periodic")):
        chart = dl.attractor_chart(circle, vary={"K": [0.1]}, duration=duration, transient=100)
        assert chart["verdict"].tolist() == [verdict]


def test_a_neuron_without_lanes_for_its_derivatives_has_its_kind():
    chart = dl.attractor_chart(
        zoo.hodgkin_huxley, vary={"I": [0.0, 10.0]}, duration=400, transient=200
    )
    assert chart["verdict"].tolist() == ["fixed point", "periodic"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vary": {}}, "one or two"),
        ({"vary": {"a": (0, 1, 2), "b": (0, 1, 2), "x": (0, 1, 2)}}, "vary has 3 names"),
        ({"vary": {"a": (0, 1)}}, r"\(low, high, count\)"),
        ({"vary": {"a": (0, 1, 2.5)}}, "whole number"),
        ({"vary": {"a": []}}, "flat list"),
        ({"vary": {"a": [1.0, np.nan]}}, "nan at place 1"),
        ({"vary": {"a": ["x"]}}, "flat list"),
        ({"duration": 0}, "at least 32"),
        ({"duration": 31}, "at least 32"),
        ({"duration": 100.5}, "whole number"),
        ({"transient": -1}, "at least 0"),
        ({"method": dl.Explicit8()}, "map"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(change, message):
    settings = {"vary": {"a": (1.0, 1.4, 3)}, "duration": 320} | change
    with pytest.raises(dl.SettingError, match=message):
        dl.exponent_chart(zoo.henon, **settings)


def test_wrong_names_and_systems_are_refused():
    with pytest.raises(dl.UnknownNameError, match="alpha"):
        dl.exponent_chart(zoo.henon, vary={"alpha": (0, 1, 3)}, duration=320)
    with pytest.raises(dl.UnsupportedSystemError, match="expected a system"):
        dl.exponent_chart("henon", vary={"a": (0, 1, 3)}, duration=320)
    section = dl.poincare_map(zoo.roessler, when=lambda y: y, direction=+1)
    with pytest.raises(dl.UnsupportedSystemError, match="Take the flow"):
        dl.ftle_field(section, vary={"x": [1.0]}, duration=100)
    with pytest.raises(dl.SettingError, match=r"dl\.Explicit8"):
        dl.exponent_chart(zoo.lorenz, vary={"rho": [28.0]}, duration=1, method=dl.Radau5())
    with pytest.raises(dl.SettingError, match=r"dl\.PeriodSearch"):
        dl.period_chart(zoo.lorenz, vary={"rho": [28.0]}, transient=1, search=8)
    with pytest.raises(dl.SettingError, match="Leave it out"):
        dl.period_chart(
            zoo.henon, vary={"a": [1.0]}, transient=1, search=dl.PeriodSearch(maxima="x")
        )
    with pytest.raises(dl.UnknownNameError, match="state"):
        dl.period_chart(
            zoo.lorenz, vary={"rho": [1.0]}, transient=1, search=dl.PeriodSearch(maxima="w")
        )
    with pytest.raises(dl.SettingError, match="watched for no time"):
        dl.period_chart(zoo.lorenz, vary={"rho": [28.0]}, transient=0)
    with pytest.raises(dl.SettingError, match="most"):
        dl.exponent_chart(zoo.henon, vary={"a": (1.0, 1.4, 10**12)}, duration=320)
    with pytest.raises(dl.SettingError, match=r"dl\.Explicit8"):
        dl.ftle_field(zoo.lorenz, vary={"x": [1.0]}, duration=1, method="fast")
    with pytest.raises(dl.SettingError, match="most"):
        dl.PeriodSearch(most=0)
    with pytest.raises(dl.SettingError, match="tolerance"):
        dl.PeriodSearch(tolerance=0.1)


def test_pictures_carry_names():
    line = dl.exponent_chart(zoo.logistic, vary={"r": (2.8, 4.2, 60)}, duration=320).plot()
    assert line.get_xlabel() == "$r$"
    plane = dl.exponent_chart(zoo.henon, vary=GRID, duration=320).plot()
    assert (plane.get_xlabel(), plane.get_ylabel()) == ("$a$", "$b$")
    assert len(plane.figure.axes) == 2  # the second is the scale
    kinds = dl.attractor_chart(zoo.henon, vary=GRID, duration=320, transient=320)
    assert "chaotic" in [text.get_text() for text in kinds.plot().get_legend().get_texts()]
    strip = dl.period_chart(zoo.logistic, vary={"r": [2.9, 3.0, 3.2]}, transient=320).plot()
    assert "period 2" in [text.get_text() for text in strip.get_legend().get_texts()]
    plt.close("all")
