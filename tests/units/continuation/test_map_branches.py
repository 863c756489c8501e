"""Branches of fixed points and cycles: what they carry, where they end, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

RANGE = (2.5, 3.6)


@pytest.fixture(scope="module")
def cascade():
    return dl.bifurcation_diagram(zoo.logistic, vary="r", over=RANGE)


@pytest.fixture(scope="module")
def trunk(cascade):
    return next(b for b in cascade if b.period == 1 and b.points(dl.PeriodDoubling))


@pytest.fixture(scope="module")
def doubled(trunk):
    return dl.switch_branch(trunk.points(dl.PeriodDoubling).single(), over=RANGE)


def test_the_doubled_branch_begins_at_its_period_doubling(trunk, doubled):
    point = trunk.points(dl.PeriodDoubling).single()
    assert doubled.period == 2 * point.period == 2
    first, last = doubled.ends
    assert first.status is dl.Status.SHORTER_CYCLE
    assert first.status.ok
    assert "begins at the one of period 1" in first.reason
    assert last.status is dl.Status.PARAMETER_BOUND
    assert doubled["r"][0] == point["r"]
    assert doubled.points(dl.PeriodDoubling)[0] is point
    assert "cycles of period 2" in repr(doubled)
    # x = (r + 1 -+ sqrt((r + 1)(r - 3))) / 2r
    r, x = doubled["r"], np.sort(doubled.over_period("x"), axis=1)
    root = np.sqrt(np.maximum((r + 1) * (r - 3), 0.0))
    assert x[:, 0] == pytest.approx((r + 1 - root) / (2 * r), abs=1e-9)
    assert x[:, 1] == pytest.approx((r + 1 + root) / (2 * r), abs=1e-9)


def test_a_cycle_followed_back_ends_where_it_was_born(doubled):
    cycle = dl.find_periodic_orbits(zoo.logistic(r=3.3), period=2, within={"x": (0, 1)}).single()
    branch = dl.continue_equilibrium(cycle, vary="r", over=RANGE)
    (end,) = (e for e in branch.ends if e.status is dl.Status.SHORTER_CYCLE)
    assert end.value == pytest.approx(3.0, rel=1e-14)
    assert "shrinks onto one of period 1" in end.reason
    assert [p["r"] for p in branch.points()] == pytest.approx([3.0, 1 + 6**0.5], rel=1e-13)
    born = branch.points()[0]
    assert born.period == 1
    assert born["x"] == pytest.approx(2 / 3, rel=1e-12)
    # Each cycle once: the parameter does not come back.
    assert np.all(np.diff(branch["r"]) > 0) or np.all(np.diff(branch["r"]) < 0)


def test_values_along_a_branch_of_cycles(doubled):
    cycle = doubled.at(r=3.2).single()
    assert isinstance(cycle, dl.PeriodicOrbit)
    assert cycle["r"] == 3.2
    assert cycle.multipliers == pytest.approx([4 + 2 * 3.2 - 3.2**2], abs=1e-10)
    inside = np.abs(doubled["r"] - (1 + 6**0.5)) > 1e-9
    assert np.array_equal(doubled.unstable[inside], (doubled["r"] > 1 + 6**0.5)[inside])
    table = doubled.to_table()
    assert set(table) == {"r", "x", "unstable", "eigenvalue 1", "label"}
    assert [label for label in table["label"] if label] == ["PD", "PD"]


def test_marks_on_a_branch_of_cycles(doubled):
    cycle = doubled.at(r=3.2).single()
    branch = dl.continue_equilibrium(cycle, vary="r", over=RANGE, mark={"r": 3.3})
    mark = branch.points(dl.UserPoint).single()
    assert mark.period == 2
    assert mark["r"] == pytest.approx(3.3, rel=1e-14)


def test_a_period_doubling_continues_the_shorter_cycle(trunk):
    point = trunk.points(dl.PeriodDoubling).single()
    again = dl.continue_equilibrium(point, vary="r", over=RANGE)
    assert again.period == 1
    assert again.points(dl.PeriodDoubling).single() is point
    x, r = again["x"], again["r"]
    assert x == pytest.approx(1 - 1 / r, rel=1e-10)


def test_closed_branches_of_cycles_go_round_once():
    start = dl.find_periodic_orbits(zoo.sine_circle(Omega=3.2), period=2)[0]
    branch = dl.continue_equilibrium(start, vary="Omega", over=(2.5, 3.8))
    assert [e.status for e in branch.ends] == [dl.Status.CLOSED_LOOP] * 2
    assert [p.label for p in branch.points()] == ["LP", "LP"]
    # The last point is the other point of the first cycle.
    first = branch.over_period("theta")[0]
    turn = (branch["theta"][-1] - first[1]) / (2 * np.pi)
    assert turn == pytest.approx(round(turn), abs=1e-6)


def test_the_diagram_finds_each_cycle_once(cascade):
    assert [b.period for b in cascade if b.period > 1] == [2, 4, 8]
    assert [p.period for p in cascade.points(dl.PeriodDoubling)] == [1, 2, 4, 8]
    asked = dl.bifurcation_diagram(zoo.logistic, vary="r", over=(3.05, 3.4), periods=(2,))
    assert [b.period for b in asked] == [2]
    both = dl.bifurcation_diagram(zoo.logistic, vary="r", over=(2.9, 3.4), periods=(2, 1))
    assert sorted(b.period for b in both) == [1, 1, 2]


def test_special_points_carry_their_words_and_are_saved(cascade, tmp_path):
    again = dl.load(cascade.save(tmp_path / "cascade.npz"))
    for p, q in zip(cascade.points(), again.points(), strict=True):
        assert (type(p), p.state.tolist(), p.value) == (type(q), q.state.tolist(), q.value)
        assert repr(p) == repr(q)
    first = cascade.points(dl.PeriodDoubling)[0]
    assert "period 1 to 2, supercritical, b = 9" in repr(first)
    assert first.multipliers == pytest.approx([-1.0])
    torus = dl.bifurcation_diagram(zoo.delayed_logistic, vary="r", over=(1.5, 2.5)).points()
    assert "NS" in [p.label for p in torus]
    diagram = dl.bifurcation_diagram(zoo.delayed_logistic, vary="r", over=(1.5, 2.5))
    ring = dl.load(diagram.save(tmp_path / "ring.npz")).points(dl.Torus).single()
    assert "supercritical, d = -1, angle = 1.04719755" in repr(ring)
    assert "NS" in diagram.point_table()["label"]


def test_every_point_of_a_cycle_is_drawn(cascade, doubled):
    ax = doubled.plot()
    drawn = np.concatenate([line.get_ydata() for line in ax.lines])
    assert drawn.max() > 0.84 > 0.42 > drawn.min()
    legend = cascade.plot().figure.legends or [cascade.plot().get_legend()]
    words = [text.get_text() for text in legend[0].get_texts()]
    assert "period doubling" in words


def test_multipliers_are_drawn_with_their_sign(trunk):
    ax = trunk.plot_eigenvalues()
    assert "mu" in ax.get_ylabel()
    low, high = ax.get_ylim()
    assert low < -1 < 1 < high


def test_natural_continuation_of_a_cycle(doubled):
    cycle = doubled.at(r=3.2).single()
    branch = dl.continue_equilibrium(cycle, vary="r", over=(3.1, 3.4), method=dl.NaturalParameter())
    assert [e.status for e in branch.ends] == [dl.Status.PARAMETER_BOUND] * 2
    assert branch.period == 2


@pytest.mark.parametrize(
    ("periods", "message"),
    [
        (0, "give the periods to follow"),
        ((), "give the periods to follow"),
        ((0,), "whole number of steps"),
        ((1.5,), "whole number of steps"),
        (("2",), "period"),
    ],
)
def test_periods_are_checked(periods, message):
    with pytest.raises(dl.SettingError, match=message):
        dl.bifurcation_diagram(zoo.logistic, vary="r", over=RANGE, periods=periods)


def test_misuse_is_named(trunk):
    with pytest.raises(dl.SettingError, match="'lorenz' is a flow"):
        dl.bifurcation_diagram(zoo.lorenz, vary="rho", over=(0, 30), periods=(1, 2))
    with pytest.raises(dl.NotConverged, match="no cycle of 'logistic' of period 3"):
        dl.bifurcation_diagram(zoo.logistic, vary="r", over=(2, 3.5), periods=(3,))
    point = trunk.points(dl.PeriodDoubling).single()
    with pytest.raises(dl.SettingError, match="the period doubling at r = 3 is outside"):
        dl.switch_branch(point, over=(3.1, 3.5))
    with pytest.raises(
        dl.SettingError, match="branches meet at a branch point or a period doubling"
    ):
        dl.switch_branch(trunk.at(r=2.8).single(), over=RANGE)
    with pytest.raises(dl.UnsupportedSystemError, match="it is a flow"):
        dl.EquilibriumCurve(zoo.lorenz, "rho", np.ones(4), period=2)
