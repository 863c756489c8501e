"""Cycles of maps: what the result carries, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

UNIT = {"x": (0.0, 1.0)}


@pytest.fixture(scope="module")
def pair():
    return dl.find_periodic_orbits(zoo.logistic(r=3.84), period=3, within=UNIT)


def test_a_cycle_answers_to_names(pair):
    stable, unstable = pair
    assert stable.is_stable
    assert not unstable.is_stable
    assert stable.period == pair.period == 3
    x = stable.states["x"]
    assert x[0] == stable["x"] == min(x)
    assert stable["r"] == 3.84
    assert np.roll(x, -1) == pytest.approx(3.84 * x * (1 - x), rel=1e-12)
    assert stable.multipliers == pytest.approx(np.prod(3.84 * (1 - 2 * x)), abs=1e-10)
    assert stable.accuracy < 1e-12
    assert repr(stable).startswith("<stable node of period 3 of logistic, x = ")
    # It starts an orbit that stays on it.
    assert dl.iterate(stable.system, start=stable, duration=3)["x"][3] == pytest.approx(x[0])


def test_cycles_of_shorter_period_are_left_out():
    for period, count in ((1, 2), (2, 1), (3, 2), (6, 9)):
        found = dl.find_periodic_orbits(zoo.logistic(r=4.0), period=period, within=UNIT)
        assert len(found) == count
        for orbit in found:
            gaps = np.abs(np.diff(np.sort(orbit.states["x"])))
            assert gaps.min(initial=1.0) > 1e-4


def test_all_points_of_a_cycle_lie_in_the_box():
    whole = dl.find_periodic_orbits(zoo.logistic(r=3.2), period=2, within=UNIT)
    assert len(whole) == 1
    half = dl.find_periodic_orbits(zoo.logistic(r=3.2), period=2, within={"x": (0.0, 0.6)})
    assert len(half) == 0
    with pytest.raises(dl.NotConverged, match=r"no cycle of period 2 of 'logistic'.*Widen the box"):
        half.single()


def test_cycles_that_wind_round_a_circle_are_cycles():
    orbits = dl.find_periodic_orbits(zoo.sine_circle(Omega=3.2), period=2)
    assert [o.kind for o in orbits] == ["stable node", "unstable node"]
    for orbit in orbits:
        theta = orbit.states["theta"]
        turn = theta[1] + 3.2 - 0.9 * np.sin(theta[1]) - theta[0]
        assert turn == pytest.approx(2 * np.pi, rel=1e-12)


def test_what_is_said_about_completeness(pair):
    assert pair.complete
    assert "proved complete" in repr(pair)
    free = dl.find_periodic_orbits(zoo.logistic(r=3.84), period=3)
    assert not free.complete
    assert "not every state has a range" in free.completeness
    long = dl.find_periodic_orbits(zoo.logistic(r=3.84), period=7, within=UNIT)
    assert "too many for a proof" in long.completeness


def test_results_are_tables_pictures_and_files(pair, tmp_path):
    table = pair.to_table()
    assert list(table) == ["x", "kind", "eigenvalue 1"]
    again = dl.load(pair.save(tmp_path / "orbits.npz"))
    assert [o.states["x"].tolist() for o in again] == [o.states["x"].tolist() for o in pair]
    assert again.period == 3
    ax = pair.plot()
    assert "mu" in ax.get_xlabel()


@pytest.mark.parametrize("period", [0, -1, 1.5, 1001, float("nan"), "2", True])
def test_a_period_is_a_whole_number_of_steps(period):
    with pytest.raises(dl.SettingError, match="period"):
        dl.find_periodic_orbits(zoo.logistic, period=period, within=UNIT)


def test_misuse_is_named(pair):
    with pytest.raises(dl.UnsupportedSystemError, match=r"it is a flow.*needs a map"):
        dl.find_periodic_orbits(zoo.lorenz, period=2)
    with pytest.raises(dl.SettingError, match=r"method is 'newton'.*DavidchackLai"):
        dl.find_periodic_orbits(zoo.logistic, period=2, within=UNIT, method="newton")
    with pytest.raises(dl.UnknownNameError, match="state of 'logistic'"):
        dl.find_periodic_orbits(zoo.logistic, period=2, within={"y": (0, 1)})
    with pytest.raises(dl.SettingError, match="is empty"):
        dl.find_periodic_orbits(zoo.logistic, period=2, within={"x": (1, 0)})
    with pytest.raises(dl.DefinitionError, match="has 2 cycles of period 3"):
        pair.single()

    @dl.iterated_map
    def clocked(x=0.1, *, r=1.0):
        return {x: r * x + dl.t}

    with pytest.raises(dl.UnsupportedSystemError, match="depends on the time"):
        dl.find_periodic_orbits(clocked, period=1)
