"""Branches: ends, bounds, marks, restarts, misuse."""

from __future__ import annotations

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo


@dl.flow
def saddle_node(x=1.0, *, mu=1.0):
    return {x: mu - x**2}


@dl.flow
def pitchfork(x=0.0, *, mu=-0.5):
    return {x: mu * x - x**3}


@pytest.fixture(scope="module")
def rest():
    return dl.find_equilibria(zoo.fitzhugh_nagumo).single()


@pytest.fixture(scope="module")
def branch(rest):
    return dl.continue_equilibrium(rest, vary="I", over=(0, 2))


def upper(mu=1.0):
    return dl.find_equilibria(saddle_node(mu=mu), within={"x": (0, 2)}).single()


def test_ends_lie_exactly_on_the_bounds_and_say_so(branch):
    assert branch["I"][[0, -1]].tolist() == [0.0, 2.0]
    assert [end.status for end in branch.ends] == [dl.Status.PARAMETER_BOUND] * 2
    assert branch.status is dl.Status.OK
    assert "end of the parameter range" in str(branch.ends[0])


def test_every_point_solves_the_equations(branch):
    v, w, current = branch["v"], branch["w"], branch["I"]
    assert np.max(np.abs(v - v**3 / 3 - w + current)) < 1e-13
    assert np.max(np.abs(0.08 * (v + 0.7 - 0.8 * w))) < 1e-13
    trace = 1 - v**2 - 0.064
    assert branch.eigenvalues.sum(axis=1) == pytest.approx(trace, abs=1e-13)


def test_number_of_unstable_directions_changes_at_the_hopf_points_only(branch):
    first, second = (p["I"] for p in branch.points(dl.Hopf))
    inside = (branch["I"] >= first) & (branch["I"] < second)
    assert np.array_equal(branch.unstable, np.where(inside, 2, 0))


def test_at_a_value_of_the_parameter_or_of_a_state(branch):
    point = branch.at(I=0.5).single()
    assert point["I"] == 0.5
    assert point.kind == "unstable focus"
    v = point["v"]
    assert v - v**3 / 3 - (v + 0.7) / 0.8 + 0.5 == pytest.approx(0, abs=1e-14)
    assert branch.at(v=0.0).single()["I"] == pytest.approx(0.875, rel=1e-13)
    assert len(branch.at(I=3.0)) == 0
    with pytest.raises(dl.SettingError, match="one quantity"):
        branch.at(I=1, v=1)
    with pytest.raises(dl.UnknownNameError):
        branch.at(a=0.7)
    folded = dl.continue_equilibrium(upper(), vary="mu", over=(-1, 1))
    assert sorted(p["x"] for p in folded.at(mu=0.25)) == pytest.approx([-0.5, 0.5])


def test_marks_become_user_points(rest):
    system = zoo.fitzhugh_nagumo.with_observable(total=lambda v, w: v + w)
    start = dl.find_equilibria(system).single()
    branch = dl.continue_equilibrium(
        start, vary="I", over=(0, 2), mark={"v": [-0.5, 0.5], "total": 0.0, "I": 1.0}
    )
    marks = branch.points(dl.UserPoint)
    assert [(p.quantity, p.target) for p in marks] == [
        ("v", -0.5), ("total", 0.0), ("I", 1.0), ("v", 0.5),
    ]  # fmt: skip
    for point in marks:
        assert point[point.quantity] == pytest.approx(point.target, abs=1e-12)
        assert point.accuracy < 1e-14
    assert branch["total"] == pytest.approx(branch["v"] + branch["w"], abs=1e-14)


def test_marks_at_the_ends_count_once(rest):
    branch = dl.continue_equilibrium(rest, vary="I", over=(0, 2), mark={"I": [0, 0.5, 2]})
    marks = branch.points(dl.UserPoint)
    assert [p["I"] for p in marks] == pytest.approx([0, 0.5, 2], abs=1e-15)
    assert branch.unstable[0] == 0


def test_points_do_not_depend_on_how_fast_the_machine_is(rest, monkeypatch):
    from dynlab.continuation import follow

    found = []
    for seconds in (1e-6, 1.0):
        monkeypatch.setattr(follow, "_CHUNK_SECONDS", seconds)
        found.append(dl.continue_equilibrium(rest, vary="I", over=(0, 2)))
    assert np.allclose(found[0].states, found[1].states, rtol=1e-12, atol=1e-12)


def test_bounds_on_states_and_observables_end_the_branch():
    system = zoo.fitzhugh_nagumo.with_observable(twice=lambda v: 2 * v)
    start = dl.find_equilibria(system).single()
    by_state = dl.continue_equilibrium(start, vary="I", over=(0, 2), within={"v": (-2, 0.5)})
    assert by_state.ends[1].status is dl.Status.STATE_BOUND
    assert by_state["v"][-1] == pytest.approx(0.5, abs=1e-14)
    by_observable = dl.continue_equilibrium(start, vary="I", over=(0, 2), within={"twice": (-4, 1)})
    assert by_observable.ends[1].status is dl.Status.STATE_BOUND
    assert by_observable["v"][-1] == pytest.approx(0.5, abs=1e-9)
    with pytest.raises(dl.SettingError, match="outside"):
        dl.continue_equilibrium(start, vary="I", over=(0, 2), within={"twice": (0, 1)})


def test_a_start_exactly_on_the_edge_of_an_observable_ends_there():
    system = zoo.fitzhugh_nagumo.with_observable(twice=lambda v: 2 * v)
    start = dl.find_equilibria(system).single()
    edge = {"twice": (-4, start["twice"])}
    branch = dl.continue_equilibrium(start, vary="I", over=(-1, 2), within=edge)
    assert branch.ends[1].status is dl.Status.STATE_BOUND
    assert branch.ends[1].value == pytest.approx(0, abs=1e-12)
    assert np.max(branch["twice"]) <= start["twice"]


def test_natural_continuation_stops_at_a_fold_and_says_so():
    branch = dl.continue_equilibrium(upper(), vary="mu", over=(-1, 1), method=dl.NaturalParameter())
    end = branch.ends[0]
    assert end.status is dl.Status.FOLD_IN_PARAMETER
    assert "turns back" in end.reason
    assert "PseudoArclength" in end.status.advice
    assert 0 <= end.value < 1e-3
    assert not branch.status.ok
    # Where there is no fold both methods follow the same branch.
    rest = dl.find_equilibria(zoo.fitzhugh_nagumo).single()
    natural = dl.continue_equilibrium(rest, vary="I", over=(0, 2), method=dl.NaturalParameter())
    assert [p["I"] for p in natural.points()] == pytest.approx(
        [0.33128133745475, 1.4187186625453], rel=1e-11
    )


def test_any_point_restarts_a_continuation(branch):
    hopf = branch.points(dl.Hopf)[0]
    again = dl.continue_equilibrium(hopf, vary="I", over=(0, 2))
    assert again.at(I=1.0).single()["v"] == pytest.approx(branch.at(I=1.0).single()["v"], rel=1e-12)
    # The point it starts from stands on the branch.
    assert [p["I"] for p in again.points()] == pytest.approx(
        [0.33128133745475, 1.4187186625453], rel=1e-11
    )
    other = dl.continue_equilibrium(branch.at(I=1.0).single(), vary="a", over=(0.5, 0.9))
    assert other.status.ok
    fold = dl.continue_equilibrium(upper(), vary="mu", over=(-1, 1)).points().single()
    both = dl.continue_equilibrium(fold, vary="mu", over=(-1, 1))
    assert sorted(both["x"][[0, -1]]) == pytest.approx([-1, 1])
    assert both.points().single() is fold
    crossing = dl.bifurcation_diagram(zoo.lorenz, vary="rho", over=(0, 30)).points(dl.BranchPoint)
    trunk = dl.continue_equilibrium(crossing.single(), vary="rho", over=(0, 30))
    assert np.max(np.abs(trunk["x"])) < 1e-12
    assert trunk.points().single() is crossing.single()


def test_the_other_branch_through_a_branch_point():
    start = dl.find_equilibria(pitchfork, within={"x": (-0.5, 0.5)}).single()
    trunk = dl.continue_equilibrium(start, vary="mu", over=(-1, 1))
    point = trunk.points(dl.BranchPoint).single()
    fork = dl.switch_branch(point, over=(-1, 0.5))
    assert fork["mu"] == pytest.approx(fork["x"] ** 2, abs=1e-12)
    assert sorted(fork["x"][[0, -1]]) == pytest.approx([-(0.5**0.5), 0.5**0.5])
    with pytest.raises(dl.SettingError, match="branches meet at a branch point"):
        dl.switch_branch(start, over=(-1, 1))
    with pytest.raises(dl.SettingError, match="outside over"):
        dl.switch_branch(point, over=(0.5, 1))


def test_misuse_is_named(rest):
    with pytest.raises(dl.UnknownNameError, match="Did you mean"):
        dl.continue_equilibrium(rest, vary="i", over=(0, 2))
    with pytest.raises(dl.SettingError, match="outside over"):
        dl.continue_equilibrium(rest, vary="I", over=(1, 2))
    with pytest.raises(dl.SettingError, match="range of 'I' is empty"):
        dl.continue_equilibrium(rest, vary="I", over=(0, 0))
    with pytest.raises(dl.SettingError, match="finite number"):
        dl.continue_equilibrium(rest, vary="I", over=(0, np.inf))
    with pytest.raises(dl.SettingError, match="two numbers"):
        dl.continue_equilibrium(rest, vary="I", over=3)
    with pytest.raises(dl.SettingError, match="expected an equilibrium"):
        dl.continue_equilibrium(zoo.fitzhugh_nagumo, vary="I", over=(0, 2))
    for name in ("within", "mark"):
        with pytest.raises(dl.SettingError, match=f"{name} is 3; give a dict by name"):
            dl.continue_equilibrium(rest, vary="I", over=(0, 2), **{name: 3})
    with pytest.raises(dl.SettingError, match="too wide"):
        dl.continue_equilibrium(rest, vary="I", over=(-1e308, 1e308))
    with pytest.raises(dl.SettingError, match="a class such as"):
        dl.continue_equilibrium(rest, vary="I", over=(0, 2)).points("HB")
    off = dl.Equilibrium.at(zoo.fitzhugh_nagumo, np.array([1.0, 1.0]), 0.0)
    with pytest.raises(dl.NotConverged, match="not on a branch"):
        dl.continue_equilibrium(off, vary="I", over=(0, 2))
    with pytest.raises(dl.UnknownNameError):
        dl.continue_equilibrium(rest, vary="I", over=(0, 2), within={"q": (0, 1)})
    with pytest.raises(dl.UnknownNameError):
        dl.continue_equilibrium(rest, vary="I", over=(0, 2), mark={"q": 1})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"first_step": 0}, "must be positive"),
        ({"step_min": 0.1, "step_max": 0.01}, "larger than step_max"),
        ({"first_step": 0.5}, "does not lie between"),
        ({"tolerance": -1e-9}, "must be positive"),
        ({"max_points": 1}, "at least 2"),
        ({"step_max": np.nan}, "finite"),
    ],
)
@pytest.mark.parametrize("method", [dl.PseudoArclength, dl.NaturalParameter])
def test_settings_are_checked(method, settings, message):
    with pytest.raises(dl.SettingError, match=message):
        method(**settings)


def test_too_many_points_and_a_stop_keep_what_there_is(rest):
    short = dl.continue_equilibrium(
        rest, vary="I", over=(0, 2), method=dl.PseudoArclength(max_points=20)
    )
    assert short.ends[1].status is dl.Status.TOO_MANY_STEPS
    assert len(short) > 10
    with dl.stop_after(0):
        stopped = dl.continue_equilibrium(rest, vary="I", over=(0, 2))
    assert stopped.status is dl.Status.STOPPED
    assert 0 < len(stopped) < 100


def test_observers_hear_of_progress(rest):
    heard = []
    with dl.observe(lambda done, total, note: heard.append((done, total, note))):
        dl.continue_equilibrium(rest, vary="I", over=(0, 2))
    assert heard[-1][0] == pytest.approx(heard[-1][1])
    assert heard[-1][2].startswith("I = ")


def test_table_plot_and_round_trip(branch, tmp_path):
    table = branch.to_table()
    assert list(table)[:4] == ["I", "v", "w", "unstable"]
    assert list(table["label"][table["label"] != ""]) == ["HB", "HB"]
    again = dl.load(branch.save(tmp_path / "branch"))
    assert repr(again) == repr(branch)
    assert all(np.array_equal(again.to_table()[k], v) for k, v in table.items())
    restarted = dl.continue_equilibrium(again.points(dl.Hopf)[1], vary="I", over=(0, 2))
    assert restarted.status.ok
    ax = branch.plot(show="w")
    assert ax.get_ylabel() == "$w$"
    branch.plot_eigenvalues()
    with pytest.raises(dl.UnknownNameError):
        branch.plot(show="q")
    with pytest.raises(dl.UnknownNameError):
        branch["q"]


def test_diagram_draws_every_branch_and_round_trips(tmp_path):
    diagram = dl.bifurcation_diagram(zoo.lorenz, vary="rho", over=(0, 30))
    ax = diagram.plot(show="x")
    texts = {text.get_text() for text in ax.texts}
    assert {"BP", "HB"} <= texts
    again = dl.load(diagram.save(tmp_path / "lorenz.npz"))
    assert repr(again) == repr(diagram)
    assert list(again.point_table()["label"]) == ["BP", "HB", "HB"]
    joined = dl.Diagram(*diagram.branches)
    assert len(joined) == len(diagram)
    other = dl.bifurcation_diagram(zoo.brusselator, vary="B", over=(1, 3))
    with pytest.raises(dl.SettingError, match="one system"):
        dl.Diagram(diagram.branches[0], other.branches[0])
    with pytest.raises(dl.SettingError, match="at least one"):
        dl.Diagram()


def test_diagram_without_equilibria_says_so():
    @dl.flow
    def runaway(x=0.0, *, c=1.0):
        return {x: 1 + c**2 + x**2}

    with pytest.raises(dl.NotConverged, match="no equilibrium"):
        dl.bifurcation_diagram(runaway, vary="c", over=(0, 1))


def test_a_conserved_quantity_is_named():
    with pytest.raises(dl.SingularProblem, match=r"not isolated.*conserved"):
        dl.bifurcation_diagram(zoo.sir, vary="beta", over=(0.1, 1))
    plane = dl.find_equilibria(zoo.sir)[0]
    with pytest.raises(dl.SingularProblem, match="eliminate"):
        dl.continue_equilibrium(plane, vary="beta", over=(1, 3))


@pytest.mark.parametrize("model", [zoo.hodgkin_huxley(I=0.0), zoo.fitzhugh_nagumo(I=0.0)])
def test_the_clock_decides_no_digit(model, monkeypatch):
    """A slow machine hands over more often from chunk to chunk; the points are the same bits."""
    from dynlab.continuation import follow

    def points(seconds):
        monkeypatch.setattr(follow, "_CHUNK_SECONDS", seconds)
        rest = dl.find_equilibria(model).single()
        branch = dl.continue_equilibrium(rest, vary="I", over=(0, 100))
        return np.column_stack(list(branch.to_table().values())[:3])

    slow, quick = points(0.0), points(10.0)
    np.testing.assert_array_equal(slow, quick)
