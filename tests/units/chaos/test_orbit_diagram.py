"""Orbit diagrams and return maps: each column is the orbit of its own value, whatever runs where."""

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.errors import SettingError, UnknownNameError, UnsupportedSystemError

VALUES = np.array([2.9, 3.2, 3.5, 3.83, 3.9, 4.2])


@pytest.fixture(scope="module")
def diagram():
    return dl.orbit_diagram(
        zoo.logistic, vary="r", over=VALUES, start={"x": 0.3}, transient=400, duration=60
    )


class TestOrbitDiagram:
    def test_columns_are_orbits(self, diagram):
        for row, r in enumerate(VALUES[:-1]):
            orbit = dl.iterate(zoo.logistic(r=r), start={"x": 0.3}, duration=460)
            assert np.array_equal(diagram["x"][row], orbit["x"][401:])

    def test_cycles_that_are_known(self, diagram):
        # Fixed point 1 - 1/r; of period 2 the roots of r^2 x^2 - r (r + 1) x + r + 1.
        assert diagram["x"][0] == pytest.approx(np.full(60, 1 - 1 / 2.9), abs=1e-12)
        two = np.sort(np.roots([3.2**2, -3.2 * 4.2, 4.2]))
        assert np.unique(diagram["x"][1].round(10)) == pytest.approx(two, abs=1e-9)
        assert [len(np.unique(diagram["x"][k].round(8))) for k in (2, 3)] == [4, 3]

    def test_an_orbit_that_escapes(self, diagram):
        assert np.isnan(diagram["x"][-1]).all()
        assert dl.Status(int(diagram.ended[-1])) is dl.Status.DIVERGED
        assert (diagram.ended[:-1] == dl.Status.OK).all()
        assert "1 orbits ended early" in repr(diagram)

    def test_threads_and_other_values_change_nothing(self, diagram):
        with dl.threads(1):
            again = dl.orbit_diagram(
                zoo.logistic, vary="r", over=VALUES[::-1], start={"x": 0.3}, transient=400,
                duration=60,
            )  # fmt: skip
        assert np.array_equal(again["x"][::-1], diagram["x"], equal_nan=True)

    def test_saved_drawn_and_tabled(self, diagram, tmp_path):
        again = dl.load(diagram.save(tmp_path / "diagram"))
        assert np.array_equal(again.states, diagram.states, equal_nan=True)
        table = diagram.to_table()
        assert list(table) == ["r", "x"]
        assert len(table["r"]) == len(table["x"]) == 360
        ax = diagram.plot()
        assert ax.get_xlabel() == "$r$"
        assert ax.get_xlim() == (2.9, 4.2)

    def test_of_a_section_the_fixed_state_as_well(self):
        peaks = dl.maxima_map(zoo.lorenz, of="z")
        diagram = dl.orbit_diagram(
            peaks, vary="rho", over=[12.0, 28.0, 30.0], start={"x": 10, "y": 7}, transient=20,
            duration=5,
        )  # fmt: skip
        x, y = diagram["x"], diagram["y"]
        assert diagram["z"] == pytest.approx(x * y / (8 / 3), rel=1e-12)
        orbit = dl.iterate(peaks, start={"x": 10, "y": 7}, duration=25)
        assert np.array_equal(diagram["z"][1], orbit["z"][21:])

    def test_stops(self):
        with dl.stop_after(0.0):
            stopped = dl.orbit_diagram(zoo.logistic, vary="r", over=(3, 4))
        assert stopped.status is dl.Status.STOPPED
        assert (stopped.ended == dl.Status.STOPPED).any()

    @pytest.mark.parametrize(
        ("settings", "error", "words"),
        [
            ({"vary": "s", "over": (3, 4)}, UnknownNameError, "s"),
            ({"vary": "r", "over": (3, 3)}, SettingError, "different"),
            ({"vary": "r", "over": 3}, SettingError, "two numbers"),
            ({"vary": "r", "over": (3, 4), "duration": 0}, SettingError, "duration"),
            ({"vary": "r", "over": (3, 4), "transient": -1}, SettingError, "transient"),
            ({"vary": "r", "over": (3, 4), "start": {"y": 1}}, UnknownNameError, "y"),
        ],
    )
    def test_misuse_is_named(self, settings, error, words):
        with pytest.raises(error, match=words):
            dl.orbit_diagram(zoo.logistic, **settings)

    def test_flows_need_a_section(self, diagram):
        with pytest.raises(UnsupportedSystemError, match="flow"):
            dl.orbit_diagram(zoo.lorenz, vary="rho", over=(20, 30))
        with pytest.raises(UnknownNameError):
            diagram["y"]


class TestReturnMap:
    def test_lorenz_maxima_are_those_of_a_run(self):
        cusp = dl.return_map(zoo.lorenz, of="z", duration=6, transient=0, start={"x": 10, "y": 7})
        run = dl.integrate(
            zoo.lorenz, start={"x": 10, "y": 7, "z": 10 * 7 / (8 / 3)}, duration=8,
            record=dl.Crossing("peak", lambda x, y, z, beta: x * y - beta * z, direction=-1),
        )  # fmt: skip
        peaks = run.events["peak"]["z"]
        assert cusp.values[1:4] == pytest.approx(peaks[:3], abs=1e-6)
        assert np.array_equal(cusp.next[:-1], cusp.now[1:])
        assert cusp.plot().get_aspect() == 1.0

    def test_the_cusp_is_nearly_a_line(self):
        # A section of the attractor is so thin that the next maximum is a function of this one.
        cusp = dl.return_map(zoo.lorenz, of="z", duration=1500, start={"x": 10, "y": 7})
        order = np.argsort(cusp.now)
        now, after = cusp.now[order], cusp.next[order]
        left = now < 38.0
        slope = np.diff(after[left]) / np.maximum(np.diff(now[left]), 1e-3)
        assert (np.diff(after[left]) > -0.05).all()
        assert np.median(slope) > 1.0  # every cycle is unstable: Lorenz 1963, section 7

    def test_of_a_map(self):
        tent = dl.return_map(zoo.logistic(r=4.0), of="x", duration=300, start={"x": 0.3})
        assert tent.next == pytest.approx(4 * tent.now * (1 - tent.now), abs=1e-15)
        table = tent.to_table()
        assert list(table) == ["x", "next x"]

    def test_misuse_is_named(self):
        with pytest.raises(UnknownNameError):
            dl.return_map(zoo.logistic, of="y")
        with pytest.raises(UnknownNameError):
            dl.return_map(zoo.lorenz, of="w")
        with pytest.raises(SettingError, match="duration"):
            dl.return_map(zoo.logistic, of="x", duration=1)
        with pytest.raises(SettingError, match="by name"):
            dl.return_map(zoo.lorenz, of="z", start=[1.0, 2.0, 3.0])
