"""Members from arrays, what is kept of them, tables and pictures; and every error is named."""

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.errors import SettingError, UnknownNameError

TIMES = np.linspace(0, 4, 9)


@dl.flow
def decay(x=1.0, y=2.0, *, k=1.0):
    return {x: -k * x, y: -y}


seen = decay.with_observable(r=lambda x, y, k: k * x + y)


@pytest.fixture(scope="module")
def whole():
    """Every state of 1000 members in several pieces; one of them runs away."""

    @dl.flow
    def model(x=1.0, y=2.0, *, k=1.0, a=0.0):
        return {x: -k * x + a * x**2, y: -y}

    system = model.with_observable(r=lambda x, y, k: k * x + y)
    rng = np.random.default_rng(4)
    given = {"k": rng.uniform(0, 1, 1000), "a": np.zeros(1000)}
    given["a"][500] = 2.0
    settings = {"parameters": given, "duration": 4, "at": TIMES}
    return system, settings, dl.ensemble(system, **settings)


# Members


def test_arrays_broadcast_and_the_shape_is_theirs():
    k, x = np.linspace(0, 1, 4)[:, None], np.linspace(1, 2, 3)[None, :]
    run = dl.ensemble(decay, starts={"x": x, "y": 5.0}, parameters={"k": k}, duration=2)
    assert run.shape == (4, 3)
    assert len(run) == 12
    assert run["x"] == pytest.approx(x * np.exp(-2 * k), rel=1e-8)
    assert run["y"] == pytest.approx(np.full((4, 3), 5 * np.exp(-2)), rel=1e-8)
    assert run.parameters["k"].shape == (4, 3)


def test_only_the_end_unless_times_are_given():
    run = dl.ensemble(decay, starts={"x": [1.0, 2.0]}, duration=2)
    assert run["x"].shape == (2,)
    assert run["t"] == 2.0
    run = dl.ensemble(decay, starts={"x": [1.0, 2.0]}, duration=2, at=[0.0, 0.0, 1.0])
    assert run["x"].shape == (2, 3)
    assert run["x"][:, :2].tolist() == [[1.0, 1.0], [2.0, 2.0]]
    assert (dl.ensemble(decay, starts={"x": [1.0]}, duration=0)["x"] == 1.0).all()


def test_size_repeats_what_is_one_number():
    run = dl.ensemble(decay, starts={"x": 3.0}, duration=1, size=5, seed=0)
    assert run.starts["x"].tolist() == [3.0] * 5


def test_drawn_values_follow_the_distribution():
    run = dl.ensemble(decay, starts={"x": dl.Gaussian(2, 3)}, duration=0, size=4000, seed=1)
    # Four standard errors.
    assert run["x"].mean() == pytest.approx(2, abs=4 * 3 / np.sqrt(4000))
    assert run["x"].std() == pytest.approx(3, abs=4 * 3 / np.sqrt(8000))


def test_quantiles_lay_the_values_out():
    given = {"k": dl.Quantiles(dl.Uniform(0, 1))}
    run = dl.ensemble(decay, parameters=given, duration=1, size=4)
    assert run.parameters["k"] == pytest.approx([0.125, 0.375, 0.625, 0.875])


# What is kept


def test_moments_are_those_of_the_states(whole):
    system, settings, full = whole
    run = dl.ensemble(system, **settings, keep=dl.Moments(("r", "x")))
    for name in ("x", "r"):
        there = np.isfinite(full[name])
        assert run[name].count.tolist() == there.sum(axis=0).tolist()
        assert run[name].mean == pytest.approx(np.nanmean(full[name], axis=0), rel=1e-13)
        # The variance is 1e-3 of the mean's square at least, but for the start, where it is 0.
        variance = np.nanvar(full[name], axis=0, ddof=1)
        assert run[name].variance == pytest.approx(variance, rel=1e-9, abs=1e-28)
        assert run[name].standard_deviation == pytest.approx(np.sqrt(variance), rel=1e-9, abs=1e-14)
        error = np.sqrt(variance / there.sum(axis=0))
        assert run[name].standard_error == pytest.approx(error, rel=1e-9, abs=1e-15)
    # x' = 2 x^2 - k x from 1 blows up at log(2 / (2 - k)) / k, a little after 1/2.
    assert there[500].tolist() == [True] * 2 + [False] * 7


def test_extremes_are_those_of_the_states(whole):
    system, settings, full = whole
    run = dl.ensemble(system, **settings, keep=dl.Extremes(("x", "r")))
    for name in ("x", "r"):
        assert np.array_equal(run[name].low, np.nanmin(full[name], axis=1))
        assert np.array_equal(run[name].high, np.nanmax(full[name], axis=1))


def test_histogram_counts_the_states(whole):
    system, settings, full = whole
    run = dl.ensemble(system, **settings, keep=dl.Histogram("x", (0.2, 0.9), bins=50))
    edges = np.linspace(0.2, 0.9, 51)
    for place in range(len(TIMES)):
        values = full["x"][:, place][np.isfinite(full["x"][:, place])]
        assert run["x"].counts[place].tolist() == np.histogram(values, edges)[0].tolist()
        assert run["x"].below[place] == (values < 0.2).sum()
        assert run["x"].above[place] == (values > 0.9).sum()
    total = np.isfinite(full["x"]).sum(axis=0)
    inside = np.sum(np.diff(edges) * run["x"].density, axis=1)
    assert inside == pytest.approx(run["x"].counts.sum(axis=1) / total, rel=1e-14)


def test_quantiles_of_a_histogram_are_those_of_the_states_to_a_bin(whole):
    system, settings, full = whole
    run = dl.ensemble(system, **settings, keep=dl.Histogram("x", (-1, 3), bins=400))
    values = np.delete(full["x"], 500, axis=0)
    for share in (0.1, 0.5, 0.9):
        assert run["x"].quantile(share) == pytest.approx(
            np.quantile(values, share, axis=0), abs=2 * 4 / 400
        )
    beyond = dl.ensemble(system, **settings, keep=dl.Histogram("x", (5, 6)))
    assert np.isnan(beyond["x"].quantile(0.5)).all()


def test_observables_are_those_of_each_member(whole):
    _, settings, full = whole
    k = settings["parameters"]["k"][:, None]
    good = full.ok
    assert full["r"][good] == pytest.approx((k * full["x"] + full["y"])[good], rel=1e-14)


def test_a_summary_of_many_times_needs_little_room():
    """One member has 200 000 states; its piece holds some members, the result two numbers each."""
    at = np.linspace(0, 3, 100_000)
    run = dl.ensemble(
        decay, starts={"x": np.arange(100.0)}, duration=3, at=at, keep=dl.Extremes("x")
    )
    assert sum(array.nbytes for array in run.kept.values()) == 100 * 2 * 8
    assert run["x"].low == pytest.approx(np.arange(100) * np.exp(-3), rel=1e-8)


def test_a_keep_of_ones_own(whole):
    system, settings, full = whole

    class Last(dl.Keep):
        of = ("y",)

        def piece(self, values):
            return {"last": values[:, -1]}

        def joined(self, pieces):
            return {"last": np.concatenate([piece["last"] for piece in pieces])}

        def view(self, kept, column, members, times):
            return kept["last"][:, column].reshape(members)

    run = dl.ensemble(system, **settings, keep=Last())
    assert np.array_equal(run["y"], full["y"][:, -1], equal_nan=True)


def test_files_from_before_the_fourth_moment_load_without_it(tmp_path):
    from dataclasses import replace

    run = dl.ensemble(decay, starts={"x": [1.0, 2.0, 3.0, 5.0, 7.0]}, duration=1, keep=dl.Moments())
    sums = {n: v for n, v in run.kept.items() if n not in ("cubes", "fourths")}
    old = dl.load(replace(run, kept=sums).save(tmp_path / "old.npz"))
    assert np.array_equal(old["x"].variance, run["x"].variance)
    assert np.isnan(old["x"].variance_error).all()
    assert np.isfinite(run["x"].variance_error).all()
    assert np.isnan(old.to_table()["x_variance_error"]).all()


# Tables, pictures, words


def test_tables(whole):
    system, settings, full = whole
    table = full.to_table()
    assert list(table) == ["member", "k", "a", "status", "t", "x", "y"]
    assert {len(column) for column in table.values()} == {9000}
    row = table["member"] == 3
    assert np.array_equal(table["x"][row], full["x"][3])
    assert set(table["status"]) == {"ok", "diverged"}
    frame = full.to_dataframe()
    assert frame.shape == (9000, 7)
    few = settings | {"parameters": {"k": [0.0, 1.0]}}
    moments = dl.ensemble(system, **few, keep=dl.Moments("x")).to_table()
    parts = ("mean", "standard_error", "variance", "variance_error", "count")
    assert list(moments) == ["t", *(f"x_{part}" for part in parts)]
    extremes = dl.ensemble(system, **few, keep=dl.Extremes("x"), starts={"y": 1.0}).to_table()
    assert list(extremes) == ["member", "start_y", "k", "status", "x_low", "x_high"]
    counts = dl.ensemble(system, **few, keep=dl.Histogram("x", (0, 1), bins=2)).to_table()
    assert list(counts) == ["t", "low", "high", "count"]
    assert counts["count"].sum() == 18


def test_words(whole):
    full = whole[2]
    assert (
        repr(full).splitlines()[0] == "<Ensemble of model: 1000 members, States() 9 times to t = 4"
    )
    assert "1 diverged" in repr(full)
    assert "all ok" in repr(dl.ensemble(decay, starts={"x": [1.0]}, duration=1))


@pytest.mark.parametrize(
    ("keep", "at"),
    [
        (dl.States(), TIMES), (dl.States(), None), (dl.Moments(), TIMES), (dl.Extremes(), TIMES),
        (dl.Histogram("x", (0, 2)), TIMES), (dl.Histogram("x", (0, 2)), None),
    ],
)  # fmt: skip
def test_pictures_have_labels(keep, at):
    starts = {"x": np.linspace(0.5, 1.5, 50)}
    ax = dl.ensemble(decay, starts=starts, duration=4, at=at, keep=keep).plot()
    ax.figure.draw_without_rendering()
    assert ax.figure.axes[-1].get_xlabel()
    assert all(panel.get_ylabel() for panel in ax.figure.axes)


def test_pictures_show_what_is_asked_for():
    run = dl.ensemble(seen, parameters={"k": np.linspace(0, 1, 20)}, duration=1)
    assert run.plot(show=("k", "r")).get_ylabel() == "$r$"
    assert run.plot().get_xlabel() == "$k$"
    for show, error in ((("k",), SettingError), ((), SettingError), (("k", "q"), UnknownNameError)):
        with pytest.raises(error):
            run.plot(show=show)


# Bad inputs


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"starts": {"x": [1.0, np.nan]}}, r"starts\['x'\] is nan for member 1"),
        ({"starts": {"x": [np.inf, 1.0]}}, r"starts\['x'\] is inf for member 0"),
        ({"starts": {"x": [1j, 1.0]}}, "complex128 and not real numbers"),
        ({"starts": {"x": ["1", "2"]}}, "not real numbers"),
        ({"starts": {"x": [True, False]}}, "not real numbers"),
        ({"starts": {"x": [1, 2], "y": [1, 2, 3]}}, r"do not fit together.*\(2,\).*\(3,\)"),
        ({"starts": {"x": 1.0}}, "nothing says how many"),
        ({}, "nothing says how many"),
        ({"starts": {"x": []}}, "at least one member"),
        ({"starts": [1.0]}, "starts is .* give a dict"),
        ({"starts": {"x": [1.0, 2.0]}, "size": 3}, "size is 3, but the arrays"),
        ({"size": 0}, "size is 0"),
        ({"size": True}, "size is True"),
        ({"starts": {"x": [1.0]}, "duration": np.nan}, "duration is nan"),
        ({"starts": {"x": [1.0]}, "at": [0.5, 0.2]}, "do not follow the run"),
        ({"starts": {"x": [1.0]}, "at": [0.5, 2.0]}, "from 0.5 to 2, but the run goes from 0 to 1"),
        ({"starts": {"x": [1.0]}, "at": [np.nan]}, "finite times"),
        ({"starts": {"x": [1.0]}, "at": []}, "finite times"),
        ({"size": 10**6, "at": np.linspace(0, 1, 2000)}, "would fill the memory"),
        ({"starts": {"x": [1.0]}, "keep": "mean"}, "keep is 'mean'; give one of dl.States"),
    ],
)
def test_bad_input_is_named(given, words):
    with pytest.raises(SettingError, match=words):
        dl.ensemble(decay, **({"duration": 1.0} | given))


@pytest.mark.parametrize(
    "given",
    [{"starts": {"z": [1.0]}}, {"parameters": {"x": [1.0]}}, {"keep": dl.Moments("q"), "size": 2}],
)
def test_wrong_names_are_named(given):
    with pytest.raises(UnknownNameError, match="Known:"):
        dl.ensemble(decay, duration=1.0, **given)


def test_wrong_settings_of_maps():
    starts = {"x": [0.1, 0.2]}
    with pytest.raises(SettingError, match="whole number of steps"):
        dl.ensemble(zoo.logistic, starts=starts, duration=1.5)
    with pytest.raises(SettingError, match="is a map, which needs no method"):
        dl.ensemble(zoo.logistic, starts=starts, duration=1, method=dl.Explicit8())
    with pytest.raises(SettingError, match="not whole"):
        dl.ensemble(zoo.logistic, starts=starts, duration=2, at=[0.5])


@pytest.mark.parametrize(
    "make",
    [
        lambda: dl.Histogram("x", (1, 0)), lambda: dl.Histogram("x", (0, 1), bins=0),
        lambda: dl.Histogram(("x", "y"), (0, 1)), lambda: dl.Moments((1, 2)),
        lambda: dl.Histogram("x", (0, np.inf)),
    ],
)  # fmt: skip
def test_wrong_keeps_are_refused(make):
    with pytest.raises(SettingError):
        make()


def test_names_that_were_not_kept():
    run = dl.ensemble(decay, starts={"x": [1.0]}, duration=1, keep=dl.Moments("x"))
    with pytest.raises(UnknownNameError, match="quantity kept of this ensemble"):
        run["y"]


@pytest.mark.parametrize("count", [0, -1, 1.5, np.inf])
def test_wrong_numbers_of_threads_are_refused(count):
    with pytest.raises(SettingError, match="number of threads"), dl.threads(count):
        pass


def test_an_error_in_a_thread_is_raised():
    class Broken(dl.Keep):
        of = ()

        def piece(self, values):
            raise ZeroDivisionError("in a thread")

        def joined(self, pieces):
            return {}

        def view(self, kept, column, members, times):
            return None

    with pytest.raises(ZeroDivisionError, match="in a thread"):
        dl.ensemble(decay, starts={"x": np.arange(100.0)}, duration=1, keep=Broken())
