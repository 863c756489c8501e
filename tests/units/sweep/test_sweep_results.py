"""Tables, arrays, files and pictures of studies; grids refined at boundaries; progress."""

import math
import os
import sys

import numpy as np
import pytest

import dynlab as dl
from dynlab.errors import MissingExtraError, SettingError, UnknownNameError
from dynlab.progress import Told
from dynlab.sweep.workers import Workers

HERE = dl.Serial()


def corner(x, y):
    if x + y > 3:
        raise ValueError("beyond")
    return {"sum": x + y, "side": "left" if x < 1 else "right", "pair": np.array([x, y])}


@pytest.fixture(scope="module")
def found():
    return dl.Sweep(x=[0.0, 1.0, 2.0], y=[0.0, 1.0, 2.0]).run(corner, executor=HERE)


def test_a_table_has_a_row_for_each_point(found):
    table = found.to_table()
    assert list(table) == ["x", "y", "sum", "side", "pair[0]", "pair[1]", "status"]
    assert table["x"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert table["y"].tolist() == [0, 1, 2] * 3
    assert table["sum"][:8].tolist() == (table["x"] + table["y"])[:8].tolist()
    assert math.isnan(table["sum"][8])
    assert table["side"].tolist() == ["left"] * 3 + ["right"] * 5 + [""]
    assert table["status"].tolist() == ["ok"] * 8 + ["failed"]
    frame = found.to_dataframe()
    assert frame.shape == (9, 7)


def test_zipped_parameters_and_objects_stand_in_a_table_as_what_they_are():
    systems = [dl.zoo.lorenz, dl.zoo.roessler]
    study = dl.Sweep(dl.Zipped(a=[1, 2], name=["one", "two"]), system=systems)
    table = study.run(lambda a, name, system: system.name, executor=HERE).to_table()
    assert table["name"].tolist() == ["one", "one", "two", "two"]
    assert table["system"].tolist() == table["value"].tolist() == ["lorenz", "roessler"] * 2


def test_xarray_has_the_axes_as_dimensions_and_says_where_it_came_from(found, tmp_path):
    xarray = pytest.importorskip("xarray", reason="xarray is not installed")
    data = found.to_xarray()
    assert data["sum"].dims == ("x", "y")
    assert data["pair"].dims == ("x", "y", "pair_0")
    assert float(data["sum"].sel(x=1.0, y=2.0)) == 3.0
    assert str(data["side"].sel(x=0.0, y=0.0).values) == "left"
    assert data.attrs["setting_function"] == "corner"
    assert data.attrs["version_numpy"] == np.__version__
    pytest.importorskip("h5netcdf", reason="h5netcdf is not installed")
    with xarray.open_dataset(found.to_netcdf(tmp_path / "corner.nc"), engine="h5netcdf") as back:
        assert back["sum"].values[:2].tolist() == data["sum"].values[:2].tolist()
        assert back.attrs["seed"] == data.attrs["seed"]


def test_netcdf_brings_back_every_value(tmp_path):
    xarray = pytest.importorskip("xarray", reason="xarray is not installed")
    pytest.importorskip("h5netcdf", reason="h5netcdf is not installed")

    def of_all_kinds(a, name, kind, replicate):
        if a == 2.0:
            raise ValueError("none here")
        values = {
            "pair": np.array([a, 1j]),
            "large": a > 1,
            "word": f"é{kind}{name}",
            "count": replicate,
        }
        return values | {"third": a / 3}

    study = dl.Sweep(
        dl.Replicates(2), dl.Zipped(a=[1.0, 2.0, 3.0], name=["p", "q", "r"]), kind=["u", "v"]
    )
    found = study.run(of_all_kinds, executor=HERE, seed=1)
    data = found.to_xarray()
    with xarray.open_dataset(found.to_netcdf(tmp_path / "all.nc"), engine="h5netcdf") as back:
        xarray.testing.assert_identical(back.load(), data)
        assert [back[n].dtype.kind for n in ("pair", "word", "third")] == ["c", "U", "f"]
        assert back["third"].values[0, 2, 1] == 1.0


@pytest.mark.parametrize("method", ["to_xarray", "to_netcdf"])
def test_a_missing_extra_is_named(found, monkeypatch, method):
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(MissingExtraError, match=r"xarray.*dynlab\[tables\]"):
        getattr(found, method)(*["x.nc"] * (method == "to_netcdf"))


def test_at_tells_what_there_is(found):
    assert found.at(x=1.0, y=2.0)["sum"] == 3.0
    with pytest.raises(SettingError, match=r"0 points.*x=1.5.*x in 1, 2, 0"):
        found.at(x=1.5, y=0.0)
    with pytest.raises(SettingError, match=r"3 points.*y in 0, 1, 2"):
        found.at(x=1.0)
    with pytest.raises(UnknownNameError, match="'z'"):
        found.at(z=1)
    with pytest.raises(UnknownNameError, match="Did you mean 'sum'"):
        found["summ"]


def test_nothing_but_failures_is_told_where_values_are_asked_for():
    lost = dl.Sweep(a=[0]).run(lambda a: 1 / a, executor=HERE)
    with pytest.raises(SettingError, match=r"no point has an answer, 1 failed.*ZeroDivisionError"):
        lost["value"]
    with pytest.raises(SettingError, match="no point has an answer"):
        lost.plot()


# Pictures


def test_a_map_shows_the_values_where_they_are(found):
    ax = found.plot(show="sum")
    (image,) = ax.images
    shown = np.ma.filled(np.ma.asarray(image.get_array(), float), np.nan)
    expected = np.add.outer([0, 1, 2], [0, 1, 2.0])
    expected[2, 2] = np.nan
    assert np.array_equal(shown, expected, equal_nan=True)  # rows go up: y
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x$", "$y$")
    turned = found.plot(show="sum", x="y", y="x")
    assert (turned.get_xlabel(), turned.get_ylabel()) == ("$y$", "$x$")


def test_classes_have_a_legend_and_families_a_line_each(found):
    names = [t.get_text() for t in found.plot(show="side").get_legend().get_texts()]
    assert names == ["left", "right", "no answer"]
    family = found.plot(show="sum", x="x")
    assert len(family.lines) == 3
    assert [t.get_text() for t in family.get_legend().get_texts()] == [
        "$y$ = 0",
        "$y$ = 1",
        "$y$ = 2",
    ]
    assert family.lines[1].get_ydata().tolist() == [1, 2, 3]


def test_replicates_are_averaged_with_a_band_of_two_standard_errors():
    study = dl.Sweep(dl.Replicates(4), a=[1.0, 2.0])
    found = study.run(lambda a, replicate: a * replicate, executor=HERE)
    ax = found.plot()
    assert ax.lines[0].get_ydata().tolist() == [1.5, 3.0]
    top = ax.collections[0].get_paths()[0].vertices[:, 1].max()
    assert top == pytest.approx(3.0 + 2 * np.std([0, 2, 4, 6], ddof=1) / 2)


def test_points_in_a_box_are_dots():
    study = dl.Sweep(dl.Halton({"a": (0, 1), "b": (0, 1)}, count=20))
    dots = study.run(lambda a, b: a + b, executor=HERE).plot().collections[0]
    assert np.array_equal(dots.get_offsets()[:, 0], study.axes[0].columns["a"])


def test_what_cannot_be_drawn_is_told(found):
    with pytest.raises(SettingError, match="'pair' is an array"):
        found.plot(show="pair")
    with pytest.raises(UnknownNameError):
        found.plot(show="sums")
    with pytest.raises(UnknownNameError):
        found.plot(x="z")
    many = dl.Sweep(a=[0.0, 1.0], b=np.arange(20.0)).run(lambda a, b: a, executor=HERE)
    with pytest.raises(SettingError, match="too many"):
        many.plot(x="a")
    three = dl.Sweep(a=[1, 2], b=[1, 2], c=[1, 2]).run(lambda a, b, c: a, executor=HERE)
    with pytest.raises(SettingError, match="3 axes"):
        three.plot()


# Refinement


def shape_of(x, y):
    if x > 1.0 and y > 1.0:
        raise ValueError("outside")
    return "disc" if x * x + y * y < 1 else "strip" if abs(x - 1.31) < 0.2 else "rest"


def test_a_refined_grid_is_the_fine_grid_at_a_part_of_its_cost():
    """Of boundaries that the first grid sees; the fine grid is computed point by point to compare."""
    study = dl.Sweep(x=np.linspace(-1.5, 1.5, 9), y=np.linspace(-1.5, 1.5, 9))
    fine = study.run(shape_of, executor=HERE, refine=dl.AtBoundaries(levels=4))
    whole = dl.Sweep(x=fine["x"], y=fine["y"]).run(shape_of, executor=HERE)
    known = fine.states != 0
    assert np.array_equal(fine.columns["shape_of"][known], whole.columns["shape_of"][known])
    assert np.array_equal(fine.masks["shape_of"], whole.masks["shape_of"])
    assert (whole.states[~known] == 2).all()  # what is open lies among failures
    assert fine.study.shape == (129, 129)
    assert (fine.states == 1).sum() < 0.16 * 129**2
    assert "inferred" in repr(fine)


def test_refinement_asks_for_classes_and_takes_them_from_by():
    study = dl.Sweep(x=np.linspace(0, 1, 5), kind=["a", "b"])

    def number(x, kind):
        return x - (0.3 if kind == "a" else 0.7)

    with pytest.raises(SettingError, match="no text, truth value"):
        study.run(number, executor=HERE, refine=dl.AtBoundaries(levels=2))
    found = study.run(number, executor=HERE, refine=dl.AtBoundaries(levels=6, by=lambda v: v > 0))
    for kind, root in [("a", 0.3), ("b", 0.7)]:
        done = found.states.reshape(found.study.shape)[:, "ab".index(kind)] == 1
        near = np.abs(found["x"][done] - root)
        assert near.min() <= 0.25 / 2**6
        assert done.sum() == 5 + 6  # one new point at each level
    with pytest.raises(SettingError, match="no axis"):
        dl.Sweep(k=[1, 2]).run(lambda k: k, refine=dl.AtBoundaries(levels=1))


def test_a_refined_study_goes_on_where_it_was(tmp_path):
    study = dl.Sweep(x=np.linspace(-1.5, 1.5, 9), y=np.linspace(-1.5, 1.5, 9))
    refine = dl.AtBoundaries(levels=2)
    quiet = study.run(shape_of, executor=HERE, refine=refine, seed=0)

    def watch(done, total, note):
        if done > 120:
            raise KeyboardInterrupt

    with dl.observe(watch):
        partial = study.run(
            shape_of, executor=HERE, refine=refine, seed=0, checkpoint=tmp_path / "k"
        )
    assert not partial.status.ok
    again = study.run(shape_of, executor=HERE, refine=refine, seed=0, checkpoint=tmp_path / "k")
    assert np.array_equal(again.states, quiet.states)
    assert np.array_equal(again.columns["shape_of"], quiet.columns["shape_of"])
    assert (
        dl.load(tmp_path / "k.npz").columns["shape_of"].tolist()
        == quiet.columns["shape_of"].tolist()
    )


# Progress, and the processes


def test_progress_inside_a_task_is_seen_when_tasks_run_one_after_the_other():
    told, seen = Told(every=0.0), set()

    def hear(done, total, note):
        told.hears(done, total, note)
        seen.add(tuple(level.note for level in told.levels))

    def long(a):
        return dl.integrate(dl.zoo.lorenz, duration=400.0 + a).status.ok

    with dl.observe(hear):
        dl.Sweep(a=[0, 1]).run(long, executor=HERE)
    assert ("long",) in seen
    assert any(len(notes) == 2 and notes[0] == "long" for notes in seen)


def test_a_function_that_no_process_can_load_is_told_at_once():
    class Sticky:
        def __reduce__(self):
            return (os.getenv, (1,))  # raises where it is read

    sticky = Sticky()

    def task(a):
        return (a, sticky)

    with pytest.raises(dl.ComputationError, match="cannot be loaded in another process") as raised:
        dl.Sweep(a=[1, 2]).run(task, executor=dl.Processes(1))
    assert (raised.value.partial.states == 0).all()


def test_an_answer_that_cannot_travel_fails_alone():
    def task(a):
        return (i for i in range(3)) if a == 1 else a

    found = dl.Sweep(a=[0, 1, 2]).run(task, executor=dl.Processes(1))
    assert [f.point["a"] for f in found.failures] == [1]
    assert "generator" in found.failures[0].message
    assert found["task"].compressed().tolist() == [0, 2]


def test_tasks_in_processes_have_one_core_each():
    def task(a):
        from dynlab.cores import thread_count

        return thread_count()

    assert dl.Sweep(a=[1]).run(task, executor=dl.Processes(1)).at(a=1) == 1
    assert dl.Sweep(a=[1]).run(task, executor=dl.Threads(1)).at(a=1) == 1
    with dl.threads(3):
        assert dl.Sweep(a=[1]).run(task, executor=HERE).at(a=1) == 3


def test_the_default_takes_processes_when_they_are_worth_it(monkeypatch):
    started = []

    class Counted(Workers):
        def __init__(self, parcel, count):
            started.append(count)
            super().__init__(parcel, count)

    monkeypatch.setattr("dynlab.sweep.executors.Workers", Counted)
    monkeypatch.setattr("dynlab.sweep.executors.core_count", lambda: 2)
    monkeypatch.setattr("dynlab.sweep.executors.LONG", 0.2)
    study = dl.Sweep(a=np.arange(200))
    assert study.run(lambda a: a)["value"].tolist() == list(range(200))
    assert started == []

    def slow(a):
        import time

        time.sleep(0.005)
        return a

    assert study.run(slow)["slow"].tolist() == list(range(200))
    assert started == [2]
